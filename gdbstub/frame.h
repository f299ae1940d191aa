/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Packet framing of the remote protocol (gdb manual, "Remote Protocol, Overview"): bytes to packets and back.
 * Pure: no I/O, no allocation.
 */
#ifndef GV_GDBSTUB_FRAME_H
#define GV_GDBSTUB_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum frame_event {
	FRAME_MORE,             /* nothing complete yet */
	FRAME_PACKET,           /* buf[0..len) is a packet's payload, escapes undone */
	FRAME_BAD_SUM,          /* a packet whose checksum does not fit */
	FRAME_REFUSED,          /* a packet that arrived whole but cannot be taken: `error` says why */
	FRAME_ACK,
	FRAME_NACK,
	FRAME_INTERRUPT,        /* 0x03 outside packets */
};

enum frame_state { FRAME_IDLE, FRAME_BODY, FRAME_SUM_HIGH, FRAME_SUM_LOW };

struct frame_in {
	uint8_t *buf;           /* not owned */
	size_t cap, len;        /* bytes */
	enum frame_state state;
	uint8_t sum, want;
	bool escaped;
	int error;              /* EMSGSIZE: longer than cap; EBADMSG: an escape escapes nothing; or 0 */
};

/* BUF of CAP bytes receives the payloads and stays the caller's. */
void frame_init(struct frame_in *f, uint8_t *buf, size_t cap);

/* Consumes bytes up to the end of one event; returns how many.  *RET is FRAME_MORE when they all went. */
size_t frame_feed(struct frame_in *f, const uint8_t *data, size_t len, enum frame_event *ret);

/* What frame_encode() may need beyond the payload's length. */
#define FRAME_OVERHEAD 4

/*
 * Makes a packet of a payload of LEN bytes, in which a '}' stands only for an escape, with run-length encoding.
 * Writes at most LEN + FRAME_OVERHEAD bytes to RET and returns how many.
 */
size_t frame_encode(const uint8_t *payload, size_t len, uint8_t *ret);

#endif
