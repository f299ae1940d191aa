/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Listening unix sockets: opened with care, and closed without a trace. */
#ifndef GV_UTIL_USOCK_H
#define GV_UTIL_USOCK_H

#include <sys/types.h>
#include <sys/un.h>

#include "api/err.h"

struct usock {
	int fd;                 /* non-blocking, listening; the caller's to close, before usock_unlink() or after */
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	dev_t dev;              /* of the socket file: another one in its place is not ours */
	ino_t ino;
};

/*
 * Listens at PATH, mode 0600 from the file's first moment on.  A file in the way is never replaced, save a socket that
 * nobody has open any more.  -ENAMETOOLONG; -EINVAL: no path; -EEXIST: a file that is no socket; -EADDRINUSE: somebody
 * listens there; else what the system call said.
 */
int usock_listen(const char *path, int backlog, struct usock *ret, struct err *err);

/* Removes the socket file if it is still ours. */
void usock_unlink(const struct usock *u);

#endif
