/* SPDX-License-Identifier: GPL-3.0-or-later */
/* arch.exit and arch.watched_mmio.  The vCPU's own thread. */
#ifndef GV_X86_EXITS_X86_H
#define GV_X86_EXITS_X86_H

#include "arch/x86/vcpu_x86.h"

bool x86_exit(struct vcpu *v);
bool x86_watched_mmio(struct vcpu *v, bool *ret_enter);

#endif
