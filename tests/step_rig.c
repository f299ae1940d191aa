/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/step_rig.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit.h"

#define PTE_USER 4u

static struct program program;  /* M's */
static const struct program *const prog = &program;

static void put64(uint64_t gpa, uint64_t value)
{
	ck_assert_uint_eq(machine_phys_write(m, gpa, &value, sizeof(value), &err), sizeof(value));
}

static uint64_t get64(uint64_t gpa)
{
	uint64_t value = 0;

	ck_assert_uint_eq(machine_phys_read(m, gpa, &value, sizeof(value), &err), sizeof(value));
	return value;
}

static void write_gates(void)
{
	for (const uint32_t *g = prog->gates; g < prog->gates_end; g += 2) {
		uint32_t handler = LOAD + g[1], vector = g[0];

		if (prog->mode == BOOT_REAL) {
			ck_assert_uint_eq(machine_phys_write(m, 4 * vector, &handler, 4, &err), 4);
			continue;
		}
		put64(IDT + (prog->mode == BOOT_LONG ? 16 : 8) * vector, handler | 0x80000 | 0xee0000000000ull);
	}
}

static void write_tables(void)
{
	static const uint64_t gdt[] = { 0, 0, 0x00cf93000000ffff, 0x00cff3000000ffff, 0x00affb000000ffff };
	uint64_t pdpt, cr3 = guest_reg(0, X86_CR3);

	write_gates();
	if (prog->mode == BOOT_REAL)
		return;
	for (unsigned i = 0; i < sizeof(gdt) / sizeof(gdt[0]); i++)
		put64(GDT + 8 * i, gdt[i]);
	put64(GDT + 8, prog->mode == BOOT_LONG ? 0x00af9b000000ffff : 0x00cf9b000000ffff);
	put64(GDT + 0x30, 0x67 | (uint64_t)TSS << 16 | 0x890000000000ull);
	put64(TSS + 4, prog->mode == BOOT_LONG ? KERNEL_STACK : KERNEL_STACK | 0x1000000000ull);
	put64(GDTR, 0x3f | (uint64_t)GDT << 16);
	put64(IDTR, 0xfff | (uint64_t)IDT << 16);
	if (prog->mode != BOOT_LONG)
		return;
	/* To all the first 2 MiB, and those at 0xd0000000, where there is no memory. */
	pdpt = get64(cr3) & ~0xfffull;
	put64(cr3, get64(cr3) | PTE_USER);
	put64(get64(pdpt) & ~0xfffull, get64(get64(pdpt) & ~0xfffull) | PTE_USER);
	put64((get64(pdpt + 24) & ~0xfffull) + 8 * 128, get64((get64(pdpt + 24) & ~0xfffull) + 8 * 128) | PTE_USER);
	put64(pdpt, get64(pdpt) | PTE_USER);
	put64(pdpt + 24, get64(pdpt + 24) | PTE_USER);
}

unsigned rig_places(void)
{
	return (unsigned)(prog->gates - prog->places);
}

uint64_t rig_place(unsigned n)
{
	ck_assert_uint_lt(n, rig_places());
	return LOAD + prog->places[n];
}

void rig_break(enum break_kind kind, uint64_t gva)
{
	ck_assert_msg(guest_break(BREAK_OWNER_GDB, kind, gva) == 0, "%s", err.msg);
}

void rig_unbreak(enum break_kind kind, uint64_t gva)
{
	ck_assert_msg(guest_unbreak(BREAK_OWNER_GDB, kind, gva) == 0, "%s", err.msg);
}

void rig_watch(enum watch_kind kind, uint64_t gva, uint64_t size)
{
	struct watch_spec s = { .kind = kind, .gva = gva, .size = size };

	ck_assert_msg(machine_watch_insert(m, BREAK_OWNER_GDB, &s, &err) == 0, "%s", err.msg);
}

void rig_unwatch(enum watch_kind kind, uint64_t gva, uint64_t size)
{
	struct watch_spec s = { .kind = kind, .gva = gva, .size = size };

	ck_assert_msg(machine_watch_remove(m, BREAK_OWNER_GDB, &s, &err) == 0, "%s", err.msg);
}

void rig_start(const struct program *p, unsigned cpus)
{
	program = *p;
	guest_start(p->code, p->end, LOAD, p->mode, cpus);
	write_tables();
	if (!rig_places())
		return;
	rig_break(BREAK_HARD, rig_place(0));
	rig_continue(STOP_BREAKPOINT, rig_place(0));
	rig_unbreak(BREAK_HARD, rig_place(0));
}

void rig_continue(enum stop_reason reason, uint64_t pc)
{
	guest_continue();
	guest_wait();
	ck_assert_msg(stop.reason == reason && stop.pc == pc, "stopped for reason %d at 0x%llx, not %d at 0x%llx: %s",
		      stop.reason, (unsigned long long)stop.pc, reason, (unsigned long long)pc, stop.text);
}

static void step(uint64_t wanted)
{
	guest_step(0);
	guest_wait();
	ck_assert_msg(stop.reason == STOP_STEP, "a step to 0x%llx stopped for reason %d at 0x%llx: %s",
		      (unsigned long long)wanted, stop.reason, (unsigned long long)stop.pc, stop.text);
}

void rig_step(uint64_t pc)
{
	uint64_t from = machine_last_stop(m)->pc;

	step(pc);
	ck_assert_msg(stop.pc == pc, "a step from 0x%llx led to 0x%llx, not 0x%llx", (unsigned long long)from,
		      (unsigned long long)stop.pc, (unsigned long long)pc);
}

void rig_walk(unsigned from)
{
	for (unsigned i = from + 1; i < rig_places(); i++)
		rig_step(rig_place(i));
}

unsigned rig_step_until(uint64_t pc, unsigned max)
{
	for (unsigned n = 1; n <= max; n++) {
		step(pc);
		if (stop.pc == pc)
			return n;
	}
	ck_abort_msg("%u steps did not lead to 0x%llx, but to 0x%llx", max, (unsigned long long)pc,
		     (unsigned long long)stop.pc);
}

bool host_says(const char *fact, const char *value)
{
	struct host_fact f;

	for (size_t i = 0; machine_host_fact(m, i, &f); i++)
		if (!strcmp(f.name, fact))
			return !strcmp(f.value, value);
	ck_abort_msg("no such fact as '%s'", fact);
}

void not_here(const char *test, const char *why)
{
	printf("# SKIP %s: %s\n", test, why);
	fflush(stdout);
}
