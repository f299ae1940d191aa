/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The terminal in raw mode, and back however the program ends.  A process has one; loop thread. */
#ifndef GV_UTIL_RAWTTY_H
#define GV_UTIL_RAWTTY_H

#include "api/err.h"

/*
 * Passes every key of the terminal behind FD through as it is, ^C and ^Z included; what is printed is still
 * translated from LF to CR LF.  Undone by rawtty_restore() or at exit().  FD must stay open until then.  -EBUSY: a
 * terminal is raw already; -errno.
 */
int rawtty_enter(int fd, struct err *err);
/* Undoes it; no-op when no terminal is raw. */
void rawtty_restore(void);
/* As it was before, and raw again, for somebody else's turn; no-op when no terminal is raw. */
void rawtty_suspend(void);
void rawtty_resume(void);

#endif
