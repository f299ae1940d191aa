/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Memory looked through where it is: qSearch:memory (gdb's `find`) and qCRC (`compare-sections`). */
#include "gdbstub/internal.h"

#include <errno.h>
#include <string.h>

#define PATTERN_MAX     0x10000         /* bytes */
#define SEARCH_MAX      (4ull << 30)    /* bytes looked at; page tables can show one page as often as they like */
#define CRC_MAX         (1ull << 30)

/*
 * ":ADDR;LENGTH;PATTERN", the pattern in binary: "1,ADDR" or "0".  As in gdb's own search, memory that cannot be read ends it
 * with an error, unless the pattern was found before.
 */
int pkt_search(struct session *s, struct cursor *args)
{
	struct reply *r = &s->reply;
	uint64_t addr, len, looked = 0;
	size_t kept = 0;        /* bytes at the scratch's beginning that were read already */

	if (!cursor_byte(args, ':') || !cursor_number(args, &addr) || !cursor_byte(args, ';') ||
	    !cursor_number(args, &len) || !cursor_byte(args, ';') || !args->len || args->len > PATTERN_MAX ||
	    (len && addr + (len - 1) < addr))
		return -EINVAL;
	/* the reply's own buffer is the scratch */
	while (len - looked + kept >= args->len) {
		size_t want = r->cap - kept, got;
		uint8_t *found;

		if (looked >= SEARCH_MAX)
			return err_set(&s->error, EFBIG, "nothing found in the first 4 GiB: the search ends there");
		if (want > len - looked)
			want = (size_t)(len - looked);
		got = session_mem_read(s, addr + looked, r->buf + kept, want);
		found = memmem(r->buf, kept + got, args->p, args->len);
		if (found) {
			addr += looked - kept + (uint64_t)(found - r->buf);
			reply_text(r, "1,");
			reply_number(r, addr);
			return PACKET_REPLY;
		}
		if (got < want)
			return session_mem_error(s);
		looked += got;
		got += kept;
		kept = args->len - 1 < got ? args->len - 1 : got;
		memmove(r->buf, r->buf + got - kept, kept);
	}
	reply_text(r, "0");
	return PACKET_REPLY;
}

/* CRC-32 as gdb has it: polynomial 0x04c11db7, the highest bit first, from all ones, nothing inverted at the end. */
static uint32_t crc_add(uint32_t crc, const uint8_t *p, size_t len)
{
	static uint32_t table[256];

	for (uint32_t i = 0; !table[255] && i < 256; i++) {
		uint32_t c = i << 24;

		for (unsigned bit = 0; bit < 8; bit++)
			c = c << 1 ^ (c >> 31 ? 0x04c11db7 : 0);
		table[i] = c;
	}
	while (len--)
		crc = crc << 8 ^ table[crc >> 24 ^ *p++];
	return crc;
}

/* ":ADDR,LENGTH" */
int pkt_crc(struct session *s, struct cursor *args)
{
	struct reply *r = &s->reply;
	uint64_t addr, len;
	uint32_t crc = UINT32_MAX;

	if (!cursor_byte(args, ':') || !cursor_number(args, &addr) || !cursor_byte(args, ',') ||
	    !cursor_number(args, &len) || !cursor_end(args) || (len && addr + (len - 1) < addr))
		return -EINVAL;
	if (len > CRC_MAX)
		return err_set(&s->error, EFBIG, "more than 1 GiB at once");
	while (len) {
		size_t want = len < r->cap ? (size_t)len : r->cap;

		if (session_mem_read(s, addr, r->buf, want) < want)
			return session_mem_error(s);
		crc = crc_add(crc, r->buf, want);
		addr += want;
		len -= want;
	}
	reply_text(r, "C");
	reply_number(r, crc);
	return PACKET_REPLY;
}
