/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An architecture for what does not need one: memory slots, dirty logs.  Calling anything of it is a bug. */
#include "arch/arch.h"

const struct arch arch = { 0 };
