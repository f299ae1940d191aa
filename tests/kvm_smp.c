/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The stop protocol with four vCPUs. */
#include <string.h>

#include "tests/kvm_harness.h"
#include "tests/unit.h"

#define CPUS     4
#define COUNTERS 0x9000         /* gpa; 64 bytes a vCPU */

/*
 * All four start at 0x8000: the first as the image's entry, the others by INIT and SIPI through the x2APIC, vector 8.  Each
 * counts in a cell of its own, then calls tick; interrupts are on, as in kvm_run.c.
 */
GUEST(smp, "ljmp $0, $0x8005\n"
	   "mov $1, %eax\n cpuid\n shr $24, %ebx\n"
	   "mov %ebx, %esp\n shl $8, %esp\n add $0x7000, %esp\n"
	   "mov $'c', %al\n out %al, $0xe9\n"
	   "test %ebx, %ebx\n jnz 1f\n"
	   "mov $0x1b, %ecx\n rdmsr\n or $0xc00, %eax\n wrmsr\n"
	   "xor %edx, %edx\n mov $0x830, %ecx\n"
	   "mov $0xc4500, %eax\n wrmsr\n mov $0xc4608, %eax\n wrmsr\n"
	   "1: shl $6, %ebx\n sti\n"
	   "2: incl 0x9000(%bx)\n"
	   "call 3f\n"
	   "jmp 2b\n"
	   ".org 0x100\n"
	   "3: nop\n ret\n");
#define TICK 0x8100

static uint32_t counter(unsigned cpu)
{
	return guest_u32(COUNTERS + 64 * cpu);
}

static void stop_now(void)
{
	machine_stop(m);
	guest_wait();
}

/* Runs until every vCPU has said that it is there. */
static void start_all(void)
{
	GUEST_START(smp, 0x8000, BOOT_REAL, CPUS);
	guest_continue();
	guest_poll_serial(CPUS);
	stop_now();
}

START_TEST(a_stop_stops_all)
{
	uint32_t seen[CPUS];
	bool moved = false;

	start_all();
	for (unsigned n = 0; n < 300; n++) {
		for (unsigned i = 0; i < CPUS; i++)
			seen[i] = counter(i);
		for (unsigned i = 0; i < CPUS; i++)
			ck_assert_uint_eq(counter(i), seen[i]);
		guest_continue();
		machine_poll(m, 0);
		stop_now();
		ck_assert_uint_eq(stop.reason, STOP_REQUEST);
		for (unsigned i = 0; i < CPUS; i++)
			moved |= counter(i) != seen[i];
	}
	ck_assert(moved);
	guest_end();
}
END_TEST

/* Every arrival at tick is one report: between two of a vCPU's its counter has moved by one, no more and no less. */
static void each_hit_once(enum break_kind kind)
{
	uint32_t last[CPUS];
	unsigned hits[CPUS] = { 0 };

	start_all();
	ck_assert_int_eq(guest_break(BREAK_OWNER_GDB, kind, TICK), 0);
	for (unsigned n = 0; n < 1000; n++) {
		guest_continue();
		guest_wait();
		ck_assert_uint_eq(stop.reason, STOP_BREAKPOINT);
		ck_assert_uint_eq(stop.pc, TICK);
		ck_assert_uint_eq(guest_reg(stop.cpu, X86_RIP), TICK);
		if (hits[stop.cpu])
			ck_assert_uint_eq(counter(stop.cpu), last[stop.cpu] + 1);
		last[stop.cpu] = counter(stop.cpu);
		hits[stop.cpu]++;
	}
	for (unsigned i = 0; i < CPUS; i++)
		ck_assert_msg(hits[i] > 0, "vCPU %u was never reported", i);
	guest_end();
}

START_TEST(soft_hits_once)
{
	each_hit_once(BREAK_SOFT);
}
END_TEST

START_TEST(hard_hits_once)
{
	each_hit_once(BREAK_HARD);
}
END_TEST

/* As gdb passes a breakpoint: take it out, step the vCPU alone, put it back, continue. */
START_TEST(hits_as_gdb_does)
{
	uint32_t last[CPUS];
	unsigned hits[CPUS] = { 0 };

	start_all();
	for (unsigned n = 0; n < 500; n++) {
		ck_assert_int_eq(guest_break(BREAK_OWNER_GDB, BREAK_SOFT, TICK), 0);
		guest_continue();
		guest_wait();
		ck_assert_uint_eq(stop.reason, STOP_BREAKPOINT);
		if (hits[stop.cpu])
			ck_assert_uint_eq(counter(stop.cpu), last[stop.cpu] + 1);
		last[stop.cpu] = counter(stop.cpu);
		hits[stop.cpu]++;
		ck_assert_int_eq(guest_unbreak(BREAK_OWNER_GDB, BREAK_SOFT, TICK), 0);
		guest_step(stop.cpu);
		guest_wait();
		ck_assert_uint_eq(stop.reason, STOP_STEP);
		ck_assert_uint_eq(stop.pc, TICK + 1);
	}
	guest_end();
}
END_TEST

#define ASKED 300

/* Asked on the vCPUs' own threads, one at a time; true at last, when everybody has been here often. */
static bool count_hit(void *arg, struct machine *machine, const struct stop_event *ev)
{
	unsigned *hits = arg, least = ASKED;

	(void)machine;
	hits[ev->cpu]++;
	for (unsigned i = 0; i < CPUS; i++)
		least = hits[i] < least ? hits[i] : least;
	return least == ASKED;
}

/* Stepped over while the others want to run: nobody gets through the place while its trap is out. */
START_TEST(soft_hits_without_a_stop)
{
	uint32_t first[CPUS];
	unsigned hits[CPUS] = { 0 };

	start_all();
	for (unsigned i = 0; i < CPUS; i++)
		first[i] = counter(i);
	machine_break_filter(m, BREAK_OWNER_GDB, count_hit, hits);
	ck_assert_int_eq(guest_break(BREAK_OWNER_GDB, BREAK_SOFT, TICK), 0);
	guest_continue();
	guest_wait();
	ck_assert_uint_eq(stop.reason, STOP_BREAKPOINT);
	for (unsigned i = 0; i < CPUS; i++) {
		int lost = (int)(counter(i) - first[i]) - (int)hits[i];

		/* Its first arrival may have been counted before, its last one not yet. */
		ck_assert_msg(lost >= -1 && lost <= 1, "vCPU %u: %u hits, but %u rounds", i, hits[i], counter(i) - first[i]);
	}
	guest_end();
}
END_TEST

START_TEST(one_steps_others_stay)
{
	uint32_t seen[CPUS];
	uint64_t pcs[CPUS];

	start_all();
	for (unsigned n = 0; n < 200; n++) {
		unsigned cpu = n % CPUS;

		for (unsigned i = 0; i < CPUS; i++) {
			seen[i] = counter(i);
			pcs[i] = guest_reg(i, X86_RIP);
		}
		guest_step(cpu);
		guest_wait();
		ck_assert_uint_eq(stop.reason, STOP_STEP);
		ck_assert_uint_eq(stop.cpu, cpu);
		ck_assert_uint_ne(guest_reg(cpu, X86_RIP), pcs[cpu]);
		for (unsigned i = 0; i < CPUS; i++)
			if (i != cpu) {
				ck_assert_uint_eq(counter(i), seen[i]);
				ck_assert_uint_eq(guest_reg(i, X86_RIP), pcs[i]);
			}
	}
	guest_end();
}
END_TEST

START_TEST(one_steps_others_run)
{
	struct run_action acts[CPUS];

	start_all();
	for (unsigned i = 0; i < CPUS; i++)
		acts[i] = (struct run_action){ .kind = i == 1 ? ACT_STEP : ACT_CONT };
	for (unsigned n = 0; n < 300; n++) {
		uint64_t pc = guest_reg(1, X86_RIP);

		ck_assert_int_eq(machine_resume(m, acts, &err), 0);
		guest_wait();
		ck_assert_uint_eq(stop.reason, STOP_STEP);
		ck_assert_uint_eq(stop.cpu, 1);
		ck_assert_uint_ne(guest_reg(1, X86_RIP), pc);
	}
	guest_end();
}
END_TEST

/* Hits that were not reported yet are dropped when their breakpoint goes. */
START_TEST(removed_hits_are_dropped)
{
	start_all();
	for (unsigned n = 0; n < 100; n++) {
		ck_assert_int_eq(guest_break(BREAK_OWNER_GDB, BREAK_SOFT, TICK), 0);
		guest_continue();
		guest_wait();
		ck_assert_uint_eq(stop.reason, STOP_BREAKPOINT);
		ck_assert_int_eq(guest_unbreak(BREAK_OWNER_GDB, BREAK_SOFT, TICK), 0);
		guest_continue();
		machine_poll(m, 0);
		stop_now();
		ck_assert_uint_eq(stop.reason, STOP_REQUEST);
	}
	guest_end();
}
END_TEST

START_TEST(holds_are_consistent)
{
	uint32_t seen[CPUS];

	start_all();
	guest_continue();
	for (unsigned n = 0; n < 300; n++) {
		ck_assert_int_eq(machine_hold(m, &err), 0);
		for (unsigned i = 0; i < CPUS; i++)
			seen[i] = counter(i);
		for (unsigned i = 0; i < CPUS; i++) {
			uint64_t pc = guest_reg(i, X86_RIP);

			ck_assert_uint_ge(pc, 0x8000);
			ck_assert_uint_le(pc, TICK + 1);
			ck_assert_uint_eq(counter(i), seen[i]);
		}
		machine_release(m);
		machine_poll(m, 0);
	}
	stop_now();
	ck_assert_uint_eq(stop.reason, STOP_REQUEST);
	guest_end();
}
END_TEST

/* Holding the machine while breakpoints are hit loses no hit. */
START_TEST(holds_during_hits)
{
	uint32_t last[CPUS];
	unsigned hits[CPUS] = { 0 };

	start_all();
	ck_assert_int_eq(guest_break(BREAK_OWNER_GDB, BREAK_SOFT, TICK), 0);
	for (unsigned n = 0; n < 300; n++) {
		guest_continue();
		ck_assert_int_eq(machine_hold(m, &err), 0);
		machine_release(m);
		guest_wait();
		ck_assert_uint_eq(stop.reason, STOP_BREAKPOINT);
		if (hits[stop.cpu])
			ck_assert_uint_eq(counter(stop.cpu), last[stop.cpu] + 1);
		last[stop.cpu] = counter(stop.cpu);
		hits[stop.cpu]++;
	}
	guest_end();
}
END_TEST

START_TEST(reset_parks_the_others)
{
	struct cpu_status st;

	start_all();
	for (unsigned n = 0; n < 20; n++) {
		guest_continue();
		ck_assert_int_eq(machine_reset(m, &err), 0);
		guest_wait();
		ck_assert_uint_eq(stop.reason, STOP_ENTRY);
		for (unsigned i = 0; i < CPUS; i++)
			ck_assert_uint_eq(counter(i), 0);
		ck_assert_int_eq(machine_cpu_status(m, 1, &st, &err), 0);
		ck_assert_str_eq(st.activity, "waiting for INIT");
	}
	guest_end();
	start_all();    /* and a machine after it starts as the first did */
	guest_end();
}
END_TEST

START_TEST(many_cpus)
{
	GUEST_START(smp, 0x8000, BOOT_REAL, 64);
	for (unsigned n = 0; n < 20; n++) {
		guest_continue();
		machine_poll(m, 0);
		stop_now();
	}
	guest_end();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("smp");
	TCase *c = tcase_create("smp");

	if (guest_no_kvm())
		return unit_skip_all("/dev/kvm cannot be opened");
	tcase_set_timeout(c, 120);
	tcase_add_test(c, a_stop_stops_all);
	tcase_add_test(c, soft_hits_once);
	tcase_add_test(c, hard_hits_once);
	tcase_add_test(c, soft_hits_without_a_stop);
	tcase_add_test(c, hits_as_gdb_does);
	tcase_add_test(c, one_steps_others_stay);
	tcase_add_test(c, one_steps_others_run);
	tcase_add_test(c, removed_hits_are_dropped);
	tcase_add_test(c, holds_are_consistent);
	tcase_add_test(c, holds_during_hits);
	tcase_add_test(c, reset_parks_the_others);
	tcase_add_test(c, many_cpus);
	suite_add_tcase(s, c);
	return unit_main(s);
}
