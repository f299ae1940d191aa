/* SPDX-License-Identifier: GPL-3.0-or-later */
/* qMemoryRegionInfo: what is mapped around an address, and what may be done there (lldb's `memory region`). */
#include "gdbstub/internal.h"

#include <errno.h>
#include <string.h>

#define RANGES_MAX      0x8000u         /* looked at; page tables that contain themselves make billions of them */
#define PAGE            0x1000u

/* The region around `addr`, narrowed piece by piece.  END is its last byte. */
struct region {
	uint64_t addr;
	uint64_t start, end;
	unsigned ranges;        /* how many there were so far */
	bool mapped;
	struct mem_range range;
};

static uint64_t last_byte(uint64_t start, uint64_t size)
{
	return size ? start + (size - 1) : UINT64_MAX;
}

/* Ranges come in ascending order: the one that holds the address, or the gap up to the next. */
static bool each_range(void *arg, const struct mem_range *r)
{
	struct region *g = arg;
	uint64_t end = last_byte(r->gva, r->size);

	if (end < g->addr) {
		g->start = end + 1;
		return ++g->ranges < RANGES_MAX;
	}
	if (r->gva > g->addr) {
		g->end = r->gva - 1;
		return false;
	}
	g->mapped = true;
	g->start = r->gva;
	g->end = end;
	g->range = *r;
	return false;
}

/* Without paging a linear address is a physical one: only slots have memory there. */
static void narrow_to_slots(struct session *s, struct region *g)
{
	struct slot_info slot;

	g->mapped = false;
	for (size_t i = 0; machine_slot_list(s->machine, i, &slot); i++) {
		uint64_t end = slot.gpa + (slot.size - 1);

		if (slot_space(slot.id))
			continue;
		if (end < g->addr) {
			if (end + 1 > g->start)
				g->start = end + 1;
		} else if (slot.gpa > g->addr) {
			if (slot.gpa - 1 < g->end)
				g->end = slot.gpa - 1;
		} else {
			g->mapped = true;
			g->start = slot.gpa > g->start ? slot.gpa : g->start;
			g->end = end < g->end ? end : g->end;
			g->range.writable = g->range.writable && !slot.readonly;
		}
	}
}

/* The page around the address alone, which is a region, too. */
static void narrow_to_page(struct session *s, struct region *g)
{
	struct translation t = { 0 };
	struct err err;

	g->mapped = !machine_translate(s->machine, s->cpu, g->addr, NULL, &t, &err) && t.present;
	g->range = (struct mem_range){ .writable = t.writable, .executable = t.executable };
	g->start = g->addr & ~((g->mapped ? t.page_size : PAGE) - 1);
	g->end = g->start | ((g->mapped ? t.page_size : PAGE) - 1);
}

/* ":ADDR" */
int pkt_memory_region(struct session *s, struct cursor *args)
{
	struct region g = { .end = UINT64_MAX };
	struct reply *r = &s->reply;
	struct cpu_status st;
	int e;

	if (!cursor_byte(args, ':') || !cursor_number(args, &g.addr) || !cursor_end(args))
		return -EINVAL;
	e = machine_cpu_status(s->machine, s->cpu, &st, &s->error);
	if (!e)
		e = machine_mem_ranges(s->machine, s->cpu, each_range, &g, &s->error);
	if (e)
		return e;
	if (!st.paging && g.mapped)
		narrow_to_slots(s, &g);
	if (g.ranges == RANGES_MAX)
		narrow_to_page(s, &g);
	reply_text(r, "start:");
	reply_number(r, g.start);
	reply_text(r, ";size:");
	/* the last one ends at 2^64 - 1, where lldb stops asking */
	reply_number(r, g.end == UINT64_MAX ? UINT64_MAX - g.start : g.end - g.start + 1);
	reply_text(r, ";");
	if (g.mapped) {
		reply_text(r, "permissions:r");
		if (g.range.writable)
			reply_text(r, "w");
		if (g.range.executable)
			reply_text(r, "x");
		reply_text(r, ";");
	}
	return PACKET_REPLY;
}
