/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What lldb gets besides gdb's protocol (llvm's "GDB Remote Protocol Extensions"). */
#ifndef GV_GDBSTUB_LLDB_H
#define GV_GDBSTUB_LLDB_H

#include "gdbstub/internal.h"

/*
 * Appends what lldb reads of a stop, once the client has sent QListThreadsInStopReply: all threads with their pcs, and for
 * *EV (NULL: this thread has not stopped by itself) the reason.
 */
void lldb_stop(struct session *s, const struct stop_event *ev);

/* Forgets the registers that QSaveRegisterState has put away. */
void lldb_saved_free(struct session *s);

#endif
