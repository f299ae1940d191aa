/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The packets of QEMU's own that tools send by `maintenance packet` (QEMU's system emulation manual, "GDB usage"): memory by
 * physical address, and what a single step keeps from the guest.
 */
#include "gdbstub/internal.h"

#include <errno.h>

/* The bits of a step.  QEMU has a third, NOTIMER, which it does not offer either where the guest runs under KVM. */
#define SSTEP_ENABLE    1u
#define SSTEP_NOIRQ     2u

int pkt_qemu_supported(struct session *s, struct cursor *args)
{
	(void)args;
	reply_text(&s->reply, "sstepbits;sstep;PhyMemMode");
	return PACKET_REPLY;
}

int pkt_qemu_bits(struct session *s, struct cursor *args)
{
	(void)args;
	reply_text(&s->reply, "ENABLE=");
	reply_number(&s->reply, SSTEP_ENABLE);
	reply_text(&s->reply, ",NOIRQ=");
	reply_number(&s->reply, SSTEP_NOIRQ);
	return PACKET_REPLY;
}

int pkt_qemu_step(struct session *s, struct cursor *args)
{
	bool irqs = machine_setting(s->machine, SETTING_STEP_IRQS, NULL);

	(void)args;
	reply_text(&s->reply, "0x");
	reply_number(&s->reply, SSTEP_ENABLE | (irqs ? 0 : SSTEP_NOIRQ));
	return PACKET_REPLY;
}

/* "HEX", with or without 0x.  A step without ENABLE would be none. */
int pkt_qemu_set_step(struct session *s, struct cursor *args)
{
	struct cursor at = *args;
	uint64_t bits;
	bool irqs;

	if (cursor_byte(&at, '0') && cursor_byte(&at, 'x'))
		*args = at;
	if (!cursor_number(args, &bits) || !cursor_end(args))
		return -EINVAL;
	if (!(bits & SSTEP_ENABLE) || (bits & ~(uint64_t)(SSTEP_ENABLE | SSTEP_NOIRQ)))
		return err_set(&s->error, EINVAL, "ENABLE is always set, and there is no other bit than NOIRQ beside it");
	irqs = !(bits & SSTEP_NOIRQ);
	machine_setting(s->machine, SETTING_STEP_IRQS, &irqs);
	return packet_ok(s);
}

int pkt_qemu_memory(struct session *s, struct cursor *args)
{
	(void)args;
	reply_text(&s->reply, s->physical ? "1" : "0");
	return PACKET_REPLY;
}

int pkt_qemu_set_memory(struct session *s, struct cursor *args)
{
	bool physical = cursor_is(args, "1");

	if (!physical && !cursor_is(args, "0"))
		return -EINVAL;
	s->physical = physical;
	return packet_ok(s);
}
