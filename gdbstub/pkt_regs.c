/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Registers: g G p P, in the layout the client was told. */
#include "gdbstub/internal.h"

#include <errno.h>
#include <string.h>

#include "gdbstub/hex.h"

static unsigned view_bytes(const struct session *s, int reg)
{
	return arch_desc.regs[reg].view[s->tdesc.layout].bits / 8u;
}

/* One register's digits, as wide as the client's view of it; 'x's when it cannot be had. */
static void put_reg(struct session *s, int reg)
{
	uint8_t value[REG_BYTES_MAX];
	unsigned bytes = view_bytes(s, reg);

	if (machine_reg_read(s->machine, s->cpu, (reg_id)reg, value, NULL))
		reply_fill(&s->reply, 'x', 2 * bytes);
	else
		reply_hex(&s->reply, value, bytes);
}

int pkt_regs_read(struct session *s, struct cursor *args)
{
	unsigned count = reg_g_count(s->tdesc.layout);

	(void)args;
	for (unsigned num = 0; num < count; num++)
		put_reg(s, reg_by_num(s->tdesc.layout, num));
	return PACKET_REPLY;
}

int pkt_reg_read(struct session *s, struct cursor *args)
{
	uint64_t num;
	int reg;

	if (!cursor_number(args, &num) || !cursor_end(args) || num > INT16_MAX)
		return -EINVAL;
	reg = reg_by_num(s->tdesc.layout, (unsigned)num);
	if (reg < 0)
		return -EINVAL;
	put_reg(s, reg);
	return PACKET_REPLY;
}

/* What of a register's full width the view leaves out becomes zero. */
int pkt_reg_write(struct session *s, struct cursor *args)
{
	uint8_t full[REG_BYTES_MAX] = { 0 };
	struct cursor value;
	uint64_t num;
	int reg;

	if (!cursor_number(args, &num) || !cursor_byte(args, '=') || num > INT16_MAX)
		return -EINVAL;
	reg = reg_by_num(s->tdesc.layout, (unsigned)num);
	if (reg < 0 || !cursor_hex_rest(args, &value) || value.len != view_bytes(s, reg))
		return -EINVAL;
	memcpy(full, value.p, value.len);
	reg = machine_reg_write(s->machine, s->cpu, (reg_id)reg, full, &s->error);
	return reg < 0 ? reg : packet_ok(s);
}

struct reg_change {
	reg_id reg;
	uint8_t before[REG_BYTES_MAX], after[REG_BYTES_MAX];
};

/*
 * Finds what a G packet changes.  A register that stays as it is is not written: gdb's `jump` sends them all to
 * change one, and a write to the pc says that the vCPU is elsewhere.
 */
static int find_changes(struct session *s, struct cursor *args, struct reg_change *ret, unsigned *ret_count)
{
	unsigned count = reg_g_count(s->tdesc.layout), n = 0;
	int r;

	for (unsigned num = 0; num < count; num++) {
		int reg = reg_by_num(s->tdesc.layout, num);
		unsigned bytes = view_bytes(s, reg);
		struct reg_change *c = &ret[n];

		if (args->len < 2 * bytes)
			return -EINVAL;
		*c = (struct reg_change){ .reg = (reg_id)reg };
		if (memcmp(args->p, "xx", 2)) {
			if (!hex_decode(c->after, args->p, bytes))
				return -EINVAL;
			r = machine_reg_read(s->machine, s->cpu, c->reg, c->before, &s->error);
			if (r < 0)
				return r;
			n += memcmp(c->before, c->after, bytes) != 0;
		}
		args->p += 2 * bytes;
		args->len -= 2 * bytes;
	}
	*ret_count = n;
	return cursor_end(args) ? 0 : -EINVAL;
}

int pkt_regs_write(struct session *s, struct cursor *args)
{
	struct reg_change changes[REG_MAX];
	unsigned count, done;
	int r = find_changes(s, args, changes, &count);

	for (done = 0; !r && done < count; done++)
		r = machine_reg_write(s->machine, s->cpu, changes[done].reg, changes[done].after,
				      &s->error);
	if (!r)
		return packet_ok(s);
	/* the last one tried was refused, which changed nothing */
	for (unsigned i = 0; r && i + 1 < done; i++)
		machine_reg_write(s->machine, s->cpu, changes[i].reg, changes[i].before, NULL);
	return r;
}
