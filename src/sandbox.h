/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is left of the process's rights when everything has been opened and made: a filter of system calls (seccomp(2)) for all of its
 * threads, which nothing takes off again, and no new privileges by execve() (PR_SET_NO_NEW_PRIVS).
 *
 * A call that nobody here makes fails with EPERM, as a library may try it and do without; what only an intruder wants (executing a
 * program, tracing a process, mounting, modules, ...) ends the process by SIGSYS.  Nothing can become executable memory.
 */
#ifndef GV_SANDBOX_H
#define GV_SANDBOX_H

#include <stdbool.h>

#include "api/err.h"

enum sandbox_level {
	SANDBOX_FILES,          /* files can be opened and made, as the commands of a monitor do; no sockets */
	SANDBOX_SHUT,           /* nothing can be opened any more */
};

/* false: this program was built without it, for the reason that sandbox_why_not() gives. */
bool sandbox_built(void);
const char *sandbox_why_not(void);

/*
 * Confines all threads of the process, those that are made later too (there are none: clone() fails).  UNLINK: files may be removed at
 * SANDBOX_SHUT, which the sockets of this program need at its end; at SANDBOX_FILES they may always be.  Once: it fails after that.
 * -ENOTSUP: not built in; -EINVAL, ...: what the kernel said.  Nothing has changed then, except that NO_NEW_PRIVS may be set.
 */
int sandbox_enter(enum sandbox_level level, bool unlink, struct err *err);

/* For people: what LEVEL means, in a few words. */
const char *sandbox_describe(enum sandbox_level level);

#endif
