/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Guest-virtual memory of the current vCPU: m M X. */
#include "gdbstub/internal.h"

#include <errno.h>

#include "gdbstub/hex.h"

/* "ADDR,LENGTH": a range that neither wraps nor exceeds a packet. */
static bool parse_range(struct cursor *args, uint64_t *ret_gva, size_t *ret_len)
{
	uint64_t gva, len;

	if (!cursor_number(args, &gva) || !cursor_byte(args, ',') || !cursor_number(args, &len))
		return false;
	if (len > SESSION_PACKET_SIZE || (len && gva + (len - 1) < gva))
		return false;
	*ret_gva = gva;
	*ret_len = (size_t)len;
	return true;
}

int pkt_mem_read(struct session *s, struct cursor *args)
{
	struct reply *r = &s->reply;
	struct err err = { 0 };
	size_t len, done;
	uint64_t gva;

	if (!parse_range(args, &gva, &len) || !cursor_end(args))
		return -EINVAL;
	/* a reply holds half as many bytes as digits; the client asks again for the rest */
	if (len > r->cap / 2)
		len = r->cap / 2;
	if (!len)
		return PACKET_REPLY;
	/* read into the upper half of the reply, spread over the whole from below */
	done = machine_mem_read(s->machine, s->cpu, gva, r->buf + (r->cap - len), len, &err);
	if (!done)
		return err.code ? -err.code : -EFAULT;
	reply_hex(r, r->buf + (r->cap - len), done);
	return PACKET_REPLY;
}

static int write_memory(struct session *s, uint64_t gva, size_t len, const struct cursor *data)
{
	struct err err = { 0 };

	if (data->len != len)
		return -EINVAL;
	if (len && machine_mem_write(s->machine, s->cpu, gva, data->p, len, &err) < len)
		return err.code ? -err.code : -EFAULT;
	return packet_ok(s);
}

int pkt_mem_write_hex(struct session *s, struct cursor *args)
{
	struct cursor data;
	uint64_t gva;
	size_t len;

	if (!parse_range(args, &gva, &len) || !cursor_byte(args, ':') || !cursor_hex_rest(args, &data))
		return -EINVAL;
	return write_memory(s, gva, len, &data);
}

int pkt_mem_write_binary(struct session *s, struct cursor *args)
{
	uint64_t gva;
	size_t len;

	if (!parse_range(args, &gva, &len) || !cursor_byte(args, ':'))
		return -EINVAL;
	return write_memory(s, gva, len, args);
}
