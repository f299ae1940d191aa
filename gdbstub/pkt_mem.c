/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Memory: m M x X; guest-virtual of the current vCPU, or physical once the client has asked for that. */
#include "gdbstub/internal.h"

#include <errno.h>

size_t session_mem_read(struct session *s, uint64_t addr, void *ret, size_t len)
{
	return s->physical ? machine_phys_read(s->machine, addr, ret, len, &s->error)
			   : machine_mem_read(s->machine, s->cpu, addr, ret, len, &s->error);
}

static size_t mem_write(struct session *s, uint64_t addr, const void *data, size_t len)
{
	return s->physical ? machine_phys_write(s->machine, addr, data, len, &s->error)
			   : machine_mem_write(s->machine, s->cpu, addr, data, len, &s->error);
}

int session_mem_error(const struct session *s)
{
	return s->error.code ? -s->error.code : -EFAULT;
}

/* "ADDR,LENGTH": a range that neither wraps nor exceeds a packet. */
static bool parse_range(struct cursor *args, uint64_t *ret_addr, size_t *ret_len)
{
	uint64_t addr, len;

	if (!cursor_number(args, &addr) || !cursor_byte(args, ',') || !cursor_number(args, &len))
		return false;
	if (len > SESSION_PACKET_SIZE || (len && addr + (len - 1) < addr))
		return false;
	*ret_addr = addr;
	*ret_len = (size_t)len;
	return true;
}

int pkt_mem_read(struct session *s, struct cursor *args)
{
	struct reply *r = &s->reply;
	size_t len, done;
	uint64_t addr;

	if (!parse_range(args, &addr, &len) || !cursor_end(args))
		return -EINVAL;
	/* a reply holds half as many bytes as digits; the client asks again for the rest */
	if (len > r->cap / 2)
		len = r->cap / 2;
	if (!len)
		return PACKET_REPLY;
	/* read into the upper half of the reply, spread over the whole from below */
	done = session_mem_read(s, addr, r->buf + (r->cap - len), len);
	if (!done)
		return session_mem_error(s);
	reply_hex(r, r->buf + (r->cap - len), done);
	return PACKET_REPLY;
}

/* "b" and the bytes, escaped; "b" alone also answers the empty read by which clients ask whether the packet is known. */
int pkt_mem_read_binary(struct session *s, struct cursor *args)
{
	struct reply *r = &s->reply;
	size_t len, done = 0;
	uint64_t addr;

	if (!parse_range(args, &addr, &len) || !cursor_end(args))
		return -EINVAL;
	if (len > r->cap - 1)
		len = r->cap - 1;
	reply_text(r, "b");
	if (len)
		done = session_mem_read(s, addr, r->buf + r->len, len);
	if (len && !done)
		return session_mem_error(s);
	reply_escape(r, done);
	return PACKET_REPLY;
}

static int write_memory(struct session *s, uint64_t addr, size_t len, const struct cursor *data)
{
	if (data->len != len)
		return -EINVAL;
	if (len && mem_write(s, addr, data->p, len) < len)
		return session_mem_error(s);
	return packet_ok(s);
}

int pkt_mem_write_hex(struct session *s, struct cursor *args)
{
	struct cursor data;
	uint64_t addr;
	size_t len;

	if (!parse_range(args, &addr, &len) || !cursor_byte(args, ':') || !cursor_hex_rest(args, &data))
		return -EINVAL;
	return write_memory(s, addr, len, &data);
}

int pkt_mem_write_binary(struct session *s, struct cursor *args)
{
	uint64_t addr;
	size_t len;

	if (!parse_range(args, &addr, &len) || !cursor_byte(args, ':'))
		return -EINVAL;
	return write_memory(s, addr, len, args);
}
