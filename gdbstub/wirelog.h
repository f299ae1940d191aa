/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A log of packets for people: a line each, with the time, the client, the payload as far as it is readable, and what it
 * means where that is known:
 *
 *         0.001234 1 < m1000,40                                         read 64 bytes at 0x1000
 *
 * Loop thread.
 */
#ifndef GV_GDBSTUB_WIRELOG_H
#define GV_GDBSTUB_WIRELOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/err.h"

#define WIRELOG_PAYLOAD 96      /* characters of a payload that are shown */
#define WIRELOG_MEANING 120     /* characters of a meaning, at most */

enum wire_dir {
	WIRE_IN,                /* from the client */
	WIRE_OUT,
	WIRE_NOTE,              /* a notification to it */
};

struct wirelog;

/*
 * Creates the file, or empties it; readable by its owner alone, since memory is in it.  FAILED is called once when a line could
 * not be written, with a text for people; nothing is logged from then on.  -ENOMEM, or what open() said.
 */
int wirelog_open(const char *path, void (*failed)(void *arg, const char *text), void *arg, struct wirelog **ret,
		 struct err *err);
/* NULL is fine. */
void wirelog_close(struct wirelog *l);

/* Writes a line about a payload of LEN bytes; it costs one write() of less than 300 bytes, however long that is. */
void wirelog_packet(struct wirelog *l, unsigned client, enum wire_dir dir, const uint8_t *payload, size_t len);

/* What a payload means, in RET (WIRELOG_MEANING bytes); "" when it is not known.  Pure. */
void wirelog_meaning(enum wire_dir dir, const uint8_t *payload, size_t len, char *ret);

#endif
