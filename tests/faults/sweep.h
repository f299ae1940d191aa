/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A life that is lived again and again, each time with another fault, each in a process of its own with a deadline. */
#ifndef GV_TESTS_FAULTS_SWEEP_H
#define GV_TESTS_FAULTS_SWEEP_H

#include <sys/types.h>

#include "api/err.h"
#include "tests/faults/inject.h"

struct life {
	const char *name;
	/*
	 * From nothing to nothing: what it made is gone when it returns.  Calls wrong() for what must not be; comes to its end with
	 * any one fault, which an operation may report (judge_failure()) and is then asked for again.
	 */
	void (*live)(void);
	unsigned kinds;         /* mask of 1 << enum fault_kind */
	unsigned all, more;     /* in the short run: the first ALL chances of each kind, and MORE of the others, evenly */
};

/*
 * Tries the N lives, $GV_FAULT_JOBS (three a processor) at once; TAP on standard output.  Of chances that are alike, by who asks for
 * what in which phase, the first few are tried.  $GV_FAULTS: "all" of those, else the short run.
 */
int sweep(const struct life *lives, unsigned n);

/* Ends the process: this life went wrong. */
void wrong(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

/* Makes DIR/NAME, whose name goes to PATH of ROOM bytes: SIZE bytes, of which the first are the NHEAD at HEAD, and the others 0. */
void sweep_file(char *path, size_t room, const char *dir, const char *name, const void *head, size_t nhead, off_t size);

/*
 * An operation, WHAT, answered R: wrong unless it did well, or a fault was asked for and R is a failure with one line in E.
 * Returns whether it failed, and is to be tried again, which must go well.
 */
bool judge_failure(const char *what, int r, const struct err *e);

#endif
