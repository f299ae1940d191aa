/* SPDX-License-Identifier: GPL-3.0-or-later */
/* For analysers, which look at one source at a time: what err_set() and its like answer.  Not for src/util/err.c itself. */
#include "api/err.h"

#define err_set(e, code, ...)    ((void)(err_set)(e, code, __VA_ARGS__), -(code))
#define err_errno(e, code, ...)  ((void)(err_errno)(e, code, __VA_ARGS__), -(code))
#define err_prefix(e, code, ...) ((void)(err_prefix)(e, code, __VA_ARGS__), (code))
