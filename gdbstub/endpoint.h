/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Listening sockets: opened with care, and closed without a trace. */
#ifndef GV_GDBSTUB_ENDPOINT_H
#define GV_GDBSTUB_ENDPOINT_H

#include "gdbstub/gdbstub.h"
#include "util/usock.h"

struct endpoint {
	int fd;                 /* non-blocking, listening */
	char *where;            /* as gdb's `target remote` takes it; owned */
	bool is_unix;
	struct usock sock;      /* is_unix: its file, to be unlinked */
};

/* Opens GDB_UNIX or GDB_TCP; errors as gdbstub_listen(). */
int endpoint_open(const struct gdbstub_addr *a, struct endpoint *ret, struct err *err);
void endpoint_close(struct endpoint *e);

#endif
