/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Listening sockets: opened with care, and closed without a trace. */
#ifndef GV_GDBSTUB_ENDPOINT_H
#define GV_GDBSTUB_ENDPOINT_H

#include <sys/types.h>

#include "gdbstub/gdbstub.h"

struct endpoint {
	int fd;                 /* non-blocking, listening */
	char *where;            /* as gdb's `target remote` takes it; owned */
	bool is_unix;           /* where is a path to unlink */
	dev_t dev;              /* of the socket file: another one in its place is not ours */
	ino_t ino;
};

/* Opens GDB_UNIX or GDB_TCP; errors as gdbstub_listen(). */
int endpoint_open(const struct gdbstub_addr *a, struct endpoint *ret, struct err *err);
void endpoint_close(struct endpoint *e);

#endif
