/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The typed lines of former sessions, in $XDG_STATE_HOME/gdbvisor/history.  readline's list: one a process. */
#ifndef GV_MONITOR_HISTORY_H
#define GV_MONITOR_HISTORY_H

/* Reads the file; makes it and its directories where they are missing.  If it cannot, history is the session's. */
void history_open(void);
/* Adds LINE unless it is blank or the same as the last one, and writes it to the file at once. */
void history_keep(const char *line);
/* Cuts the file to its last thousand lines. */
void history_close(void);

#endif
