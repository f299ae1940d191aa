/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Stop replies (gdb manual, "Stop Reply Packets"). */
#include "gdbstub/lldb.h"

/* gdb's signal numbers. */
static const uint8_t signals[] = {
	[STOP_ENTRY] = 5,        [STOP_REQUEST] = 2,       [STOP_STEP] = 5,
	[STOP_BREAKPOINT] = 5,   [STOP_WATCH] = 5,         [STOP_CATCH] = 5,
	[STOP_TRIPLE_FAULT] = 11, [STOP_ERROR] = 4,        [STOP_EXIT] = 0,
};

static const char *const watch_words[] = {
	[WATCH_WRITE] = "watch:", [WATCH_READ] = "rwatch:", [WATCH_ACCESS] = "awatch:",
};

static void put_register(struct session *s, unsigned cpu, reg_id reg)
{
	const struct reg_view *v = &arch_desc.regs[reg].view[s->tdesc.layout];
	uint8_t value[REG_BYTES_MAX];

	if (machine_reg_read(s->machine, cpu, reg, value, NULL))
		return;
	reply_hex8(&s->reply, (uint8_t)v->num);
	reply_byte(&s->reply, ':');
	reply_hex(&s->reply, value, v->bits / 8);
	reply_byte(&s->reply, ';');
}

/*
 * All that a g reply holds: gdb asks for it when it prints a function's arguments, and at each hit of a breakpoint whose
 * condition it evaluates itself.  What a person looks for in a log of packets comes first.
 */
static void put_registers(struct session *s, unsigned cpu)
{
	const reg_id foremost[] = { arch_desc.pc, arch_desc.sp, arch_desc.fp, arch_desc.flags };
	const unsigned count = reg_g_count(s->tdesc.layout);

	for (size_t i = 0; i < sizeof(foremost) / sizeof(foremost[0]); i++)
		if (foremost[i] != REG_NONE)
			put_register(s, cpu, foremost[i]);
	for (unsigned num = 0; num < count; num++) {
		reg_id reg = (reg_id)reg_by_num(s->tdesc.layout, num);

		if (reg != foremost[0] && reg != foremost[1] && reg != foremost[2] && reg != foremost[3])
			put_register(s, cpu, reg);
	}
}

uint8_t stop_signal(const struct stop_event *ev)
{
	return signals[ev->reason];
}

/* "Tnn" and who and where it is. */
static void put_thread_state(struct session *s, unsigned cpu, uint8_t signal)
{
	struct reply *r = &s->reply;

	reply_text(r, "T");
	reply_hex8(r, signal);
	reply_text(r, "thread:");
	put_thread(s, r, cpu);
	reply_text(r, ";core:");
	reply_number(r, cpu);
	reply_text(r, ";");
	put_registers(s, cpu);
}

void stop_reply_thread(struct session *s, unsigned cpu, const struct stop_event *ev)
{
	put_thread_state(s, cpu, ev ? stop_signal(ev) : 0);
	lldb_stop(s, ev);
}

void stop_reply(struct session *s, const struct stop_event *ev, bool awaited)
{
	struct reply *r = &s->reply;

	reply_reset(r);
	if (ev->reason == STOP_EXIT) {
		reply_text(r, "W");
		reply_hex8(r, (uint8_t)ev->exit_status);
		if (s->multiprocess)
			reply_text(r, ";process:1");
		return;
	}
	s->cpu = ev->cpu;
	put_thread_state(s, ev->cpu, stop_signal(ev));
	lldb_stop(s, ev);
	/*
	 * gdb resumes in silence from a swbreak, hwbreak or watch it did not set: only what it waits for and owns, and at
	 * the very address it set.
	 */
	if (!awaited || !(ev->owners & BREAK_OWNER_GDB))
		return;
	if (ev->reason == STOP_BREAKPOINT && !ev->alias) {
		if (ev->kind == BREAK_SOFT && s->swbreak)
			reply_text(r, "swbreak:;");
		if (ev->kind == BREAK_HARD && s->hwbreak)
			reply_text(r, "hwbreak:;");
	}
	if (ev->reason == STOP_WATCH) {
		reply_text(r, watch_words[ev->watch.spec.kind]);
		reply_number(r, ev->watch.gva);
		reply_text(r, ";");
	}
}
