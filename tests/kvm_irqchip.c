/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Interrupts that KVM's controllers deliver, and our own: every test is run with both. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/x86/irqchip.h"
#include "kvm/machine_priv.h"
#include "tests/kvm_harness.h"
#include "tests/unit.h"

/* Where the guest counts, and where it finds what it is to do. */
#define TICKS   0x500u          /* dwords: of each interrupt, how many */
#define KEYS    0x504u
#define MICE    0x508u
#define ROUNDS  0x50cu
#define NMIS    0x510u
#define PERIOD  0x520u          /* word: counter 0's; 0: it is not programmed */
#define BUSY    0x522u          /* byte: 1: goes round without a halt */
#define WANTED  0x524u          /* dword: ends after so many ticks */
#define CLOSED  0x528u          /* byte: 1: with interrupts off */

#define AT(label) "(" #label " - irq_guest + 0x7c00)"
#define HANDLER(vector, label) "movw $" AT(label) ", " #vector " * 4\n movw $0, " #vector " * 4 + 2\n"
#define OUT(value, port) "mov $" #value ", %al\n out %al, $" #port "\n"
#define COUNT(name, where, end) #name ": push %ax\n incl " #where "\n" end " pop %ax\n iret\n"

GUEST(irq_guest,
      "cli\n xor %ax, %ax\n mov %ax, %ds\n mov %ax, %ss\n mov $0x7c00, %sp\n"
      HANDLER(8, on_tick) HANDLER(9, on_key) HANDLER(0x74, on_mouse) HANDLER(2, on_nmi)
      OUT(0x11, 0x20) OUT(0x11, 0xa0) OUT(0x08, 0x21) OUT(0x70, 0xa1) OUT(0x04, 0x21) OUT(0x02, 0xa1)
      OUT(0x01, 0x21) OUT(0x01, 0xa1) OUT(0xf8, 0x21) OUT(0xef, 0xa1)
      "mov 0x520, %bx\n test %bx, %bx\n jz 1f\n"
      OUT(0x34, 0x43) "mov %bl, %al\n out %al, $0x40\n mov %bh, %al\n out %al, $0x40\n 1:\n"
      "cmpb $1, 0x528\n je again\n sti\n"
      ".globl again, halt, behind, on_tick, on_key, on_mouse, on_nmi\n"
      "again: cmpb $1, 0x522\n je behind\n"
      "halt: hlt\n"
      "behind: incl 0x50c\n mov 0x500, %eax\n cmp 0x524, %eax\n jb again\n"
      "cli\n" OUT(0, 0xf4) "jmp .\n"
      COUNT(on_tick, 0x500, OUT(0x20, 0x20)) COUNT(on_key, 0x504, OUT(0x20, 0x20))
      COUNT(on_mouse, 0x508, OUT(0x20, 0xa0) OUT(0x20, 0x20)) COUNT(on_nmi, 0x510, ""));

extern const unsigned char again[], halt[], behind[], on_tick[], on_key[], on_mouse[], on_nmi[];

static uint64_t at(const unsigned char *label)
{
	return 0x7c00 + (uint64_t)(label - irq_guest);
}

static void put(uint64_t gpa, uint32_t value)
{
	ck_assert_uint_eq(machine_phys_write(m, gpa, &value, sizeof(value), &err), sizeof(value));
}

static void start_with(const unsigned char *code, const unsigned char *end, bool user)
{
	struct machine_config c = {
		.memory = 16 << 20,
		.cpus = 1,
		.user_irqchip = user,
		.load = { .kind = IMAGE_FLAT, .has_load = true, .load = 0x7c00, .has_mode = true, .mode = BOOT_REAL },
	};

	ck_assert_int_eq(blob_copy("test", code, (size_t)(end - code), &c.image, &err), 0);
	guest_start_machine(&c);
}

static void start(bool user, unsigned period, bool busy, unsigned wanted)
{
	start_with(irq_guest, irq_guest_end, user);
	put(PERIOD, period | (uint32_t)busy << 16);
	put(WANTED, wanted);
}

static void stop_now(void)
{
	machine_stop(m);
	guest_wait();
}

static void line(unsigned n)
{
	const struct injection i = { .kind = INJECT_IRQ, .number = n };

	ck_assert_msg(machine_inject(m, &i, &err) == 0, "%s", err.msg);
}

static void soft_break(const unsigned char *label)
{
	ck_assert_msg(guest_break(BREAK_OWNER_GDB, BREAK_SOFT, at(label)) == 0, "%s", err.msg);
}

static void soft_unbreak(const unsigned char *label)
{
	ck_assert_msg(guest_unbreak(BREAK_OWNER_GDB, BREAK_SOFT, at(label)) == 0, "%s", err.msg);
}

static void continue_to(const unsigned char *label)
{
	guest_continue();
	guest_wait();
	ck_assert_msg(stop.reason == STOP_BREAKPOINT && stop.pc == at(label),
		      "stopped for reason %d at 0x%llx, not at 0x%llx: %s", stop.reason,
		      (unsigned long long)stop.pc, (unsigned long long)at(label), stop.text);
}

static const char *activity(void)
{
	struct cpu_status s;

	ck_assert_int_eq(machine_cpu_status(m, 0, &s, &err), 0);
	return s.activity;
}

static void wait_for_halt(void)
{
	do {
		guest_continue();
		stop_now();
	} while (strcmp(activity(), "halted"));
	ck_assert_uint_eq(stop.pc, at(behind));
}

/* Runs to the halt that nothing ends. */
static void run_to_halt(bool user)
{
	start(user, 0, false, 1);
	wait_for_halt();
}

/* It came to its end.  A tick in between its last look and its cli is counted, too: a busy host may let it wait there. */
static void ended_after(unsigned ticks)
{
	ck_assert_uint_eq(stop.reason, STOP_EXIT);
	ck_assert_uint_ge(guest_u32(TICKS), ticks);
}

START_TEST(ticks_end_a_halt)
{
	start(_i, 11932, false, 20);
	guest_continue();
	guest_wait();
	ended_after(20);
	/* No halt ends without one. */
	ck_assert_uint_ge(guest_u32(ROUNDS), 1);
	ck_assert_uint_le(guest_u32(ROUNDS), guest_u32(TICKS) + 1);
	guest_end();
}
END_TEST

START_TEST(ticks_interrupt_a_loop)
{
	start(_i, 1193, true, 100);
	guest_continue();
	guest_wait();
	ended_after(100);
	ck_assert_uint_gt(guest_u32(ROUNDS), 100);
	guest_end();
}
END_TEST

START_TEST(lines_reach_their_handlers)
{
	run_to_halt(_i);
	soft_break(on_key);
	soft_break(on_mouse);
	line(1);
	continue_to(on_key);
	line(12);
	continue_to(on_mouse);
	ck_assert_uint_eq(guest_u32(KEYS), 1);
	/* Both at once, and one of them twice, which is once. */
	line(12);
	line(1);
	line(1);
	continue_to(on_key);
	ck_assert_uint_eq(guest_u32(MICE), 1);
	continue_to(on_mouse);
	ck_assert_uint_eq(guest_u32(KEYS), 2);
	soft_unbreak(on_key);
	soft_unbreak(on_mouse);
	wait_for_halt();
	ck_assert_uint_eq(guest_u32(KEYS), 2);
	ck_assert_uint_eq(guest_u32(MICE), 2);
	ck_assert_uint_eq(guest_u32(TICKS), 0);
	guest_end();
}
END_TEST

START_TEST(breakpoints_in_handlers)
{
	unsigned i;

	start(_i, 1193, false, 1000000);
	soft_break(on_tick);
	for (i = 0; i < 20; i++) {
		continue_to(on_tick);
		ck_assert_uint_eq(guest_u32(TICKS), i);
	}
	soft_unbreak(on_tick);
	soft_break(halt);
	for (i = 0; i < 20; i++)
		continue_to(halt);
	guest_end();
}
END_TEST

/* Halted: it can be stopped and goes on waiting, and an interrupt that comes while it is stopped ends that. */
START_TEST(stops_while_halted)
{
	unsigned i;

	run_to_halt(_i);
	for (i = 0; i < 20; i++) {
		guest_continue();
		stop_now();
		ck_assert_uint_eq(stop.pc, at(behind));
		ck_assert_str_eq(activity(), "halted");
		ck_assert_uint_eq(guest_u32(ROUNDS), 0);
	}
	line(1);
	soft_break(on_key);
	continue_to(on_key);
	ck_assert_str_ne(activity(), "halted");
	guest_end();
}
END_TEST

/* The same with interrupts off, when nothing but a stop ends it. */
START_TEST(halted_for_good)
{
	const struct catch_spec spec = { .kind = CATCH_HALT };
	unsigned id;

	start(_i, 1193, false, 1);
	put(CLOSED, 1);
	wait_for_halt();
	ck_assert_uint_eq(guest_u32(TICKS), 0);
	ck_assert_msg(machine_catch_add(m, &spec, &id, &err) == 0, "%s", err.msg);
	guest_continue();
	guest_wait();
	ck_assert_uint_eq(stop.reason, STOP_CATCH);
	/* A step is a way out. */
	guest_step(0);
	guest_wait();
	ck_assert_uint_eq(stop.reason, STOP_STEP);
	ck_assert_str_ne(activity(), "halted");
	guest_end();
}
END_TEST

START_TEST(nmi_ends_a_halt)
{
	const struct injection nmi = { .kind = INJECT_NMI };

	run_to_halt(_i);
	soft_break(on_nmi);
	ck_assert_int_eq(machine_inject(m, &nmi, &err), 0);
	continue_to(on_nmi);
	soft_unbreak(on_nmi);
	wait_for_halt();
	ck_assert_uint_eq(guest_u32(NMIS), 1);
	guest_end();
}
END_TEST

/* In a round of the main loop, in which no interrupt shows while it is stepped. */
static void expect_main(const char *when)
{
	ck_assert_msg(stop.pc >= at(again) && stop.pc < at(on_tick), "%s: at 0x%llx", when,
		      (unsigned long long)stop.pc);
}

START_TEST(steps_without_interrupts)
{
	unsigned i;

	start(_i, 0, true, 1000000);
	soft_break(behind);
	continue_to(behind);
	soft_unbreak(behind);
	line(1);
	line(12);
	for (i = 0; i < 50; i++) {
		guest_step(0);
		guest_wait();
		ck_assert_uint_eq(stop.reason, STOP_STEP);
		expect_main("a step");
	}
	ck_assert_uint_eq(guest_u32(KEYS) + guest_u32(MICE), 0);
	/* They were not lost. */
	soft_break(on_mouse);
	soft_break(on_key);
	continue_to(on_key);
	continue_to(on_mouse);
	guest_end();
}
END_TEST

START_TEST(steps_with_interrupts)
{
	const bool on = true;
	bool through;
	unsigned i;

	start(_i, 0, true, 1000000);
	/* Delivery takes the trap flag away, and which handler it will be only our controllers say. */
	through = !_i && machine_priv(m)->vm.arch->steps_by_flag;
	soft_break(behind);
	continue_to(behind);
	soft_unbreak(behind);
	machine_setting(m, SETTING_STEP_IRQS, &on);
	line(1);
	for (i = 0; i < 3; i++) {
		guest_step(0);
		guest_wait();
		ck_assert_uint_eq(stop.reason, STOP_STEP);
		if (stop.pc >= at(on_key) || (through && guest_u32(KEYS)))
			break;
	}
	ck_assert_msg(through || (stop.pc >= at(on_key) && stop.pc < at(on_mouse)), "at 0x%llx", (unsigned long long)stop.pc);
	/* Out of it again, step by step. */
	for (i = 0; i < 10 && stop.pc >= at(on_key); i++) {
		guest_step(0);
		guest_wait();
	}
	expect_main("after the handler");
	ck_assert_uint_eq(guest_u32(KEYS), 1);
	guest_end();
}
END_TEST

/* A breakpoint is stepped over with interrupts held off, and nothing is lost by that. */
START_TEST(steps_over_breakpoints)
{
	uint32_t rounds;

	start(_i, 1193, true, 50);
	soft_break(behind);
	do {
		guest_continue();
		guest_wait();
		rounds = guest_u32(ROUNDS);
	} while (stop.reason == STOP_BREAKPOINT && rounds < 2000 && guest_u32(TICKS) < 3);
	ck_assert_uint_eq(stop.reason, STOP_BREAKPOINT);
	ck_assert_uint_ge(guest_u32(TICKS), 3);
	soft_unbreak(behind);
	guest_continue();
	guest_wait();
	ended_after(50);
	guest_end();
}
END_TEST

/* Wherever a stop comes, a step from the loop stays there: nothing is left on its way in KVM. */
START_TEST(stops_at_any_time)
{
	unsigned i, n, seen = 0, ticks;

	start(_i, 250, true, 1000000000);
	soft_break(behind);
	continue_to(behind);
	soft_unbreak(behind);
	for (i = 0; i < 300; i++) {
		guest_continue();
		for (n = 0; n < i % 7; n++)
			machine_poll(m, 50);
		stop_now();
		if (stop.pc >= at(on_tick))
			continue;
		seen++;
		ticks = guest_u32(TICKS);
		for (n = 0; n < 3; n++) {
			guest_step(0);
			guest_wait();
			ck_assert_uint_eq(stop.reason, STOP_STEP);
			expect_main("after a stop");
		}
		ck_assert_uint_eq(guest_u32(TICKS), ticks);
	}
	ck_assert_uint_gt(seen, 50);
	/* And nothing was lost that would be missed: ticks go on. */
	ticks = guest_u32(TICKS);
	soft_break(on_tick);
	continue_to(on_tick);
	ck_assert_uint_ge(guest_u32(TICKS), ticks);
	guest_end();
}
END_TEST

/* The same in slow motion: a kick comes between the acknowledge and the guest. */
START_TEST(what_was_not_delivered_is_kept)
{
	struct kvm_vcpu_events ev;
	struct vcpu *v;

	start(true, 0, true, 1000000);
	soft_break(behind);
	continue_to(behind);
	soft_unbreak(behind);
	line(1);
	v = machine_priv(m)->vm.cpus[0];
	v->run->ready_for_interrupt_injection = 1;
	irqchip_enter(v);
	ck_assert_int_eq(v->arch->given_vector, 9);
	v->run->immediate_exit = 1;
	ck_assert_int_eq(kvm_ioctl_num(v->fd, KVM_RUN, 0), -EINTR);
	irqchip_left(v);
	ck_assert_int_eq(v->arch->owed_vector, 9);
	ck_assert_int_eq(kvm_ioctl(v->fd, KVM_GET_VCPU_EVENTS, &ev), 0);
	ck_assert(!ev.interrupt.injected);
	guest_step(0);
	guest_wait();
	expect_main("a step");
	soft_break(on_key);
	continue_to(on_key);
	ck_assert_int_eq(v->arch->owed_vector, -1);
	guest_end();
}
END_TEST

/* Whether it was stepped or not, a halt is one: nothing behind it runs. */
START_TEST(a_stepped_halt_halts)
{
	start(_i, 0, false, 1);
	soft_break(halt);
	continue_to(halt);
	soft_unbreak(halt);
	guest_step(0);
	guest_wait();
	ck_assert_uint_eq(stop.pc, at(behind));
	ck_assert_str_eq(activity(), "halted");
	guest_continue();
	stop_now();
	ck_assert_uint_eq(stop.pc, at(behind));
	line(1);
	soft_break(on_key);
	continue_to(on_key);
	guest_end();
}
END_TEST

/* Without a local APIC KVM takes it from elsewhere at every entry. */
START_TEST(task_priority_is_kept)
{
	run_to_halt(_i);
	guest_set_reg(0, X86_CR8, 5);
	guest_continue();
	stop_now();
	guest_step(0);
	guest_wait();
	ck_assert_uint_eq(guest_reg(0, X86_CR8), 5);
	guest_end();
}
END_TEST

/* What comes with interrupts off waits for STI. */
GUEST(windows, "cli\n xor %ax, %ax\n mov %ax, %ds\n mov %ax, %ss\n mov $0x7c00, %sp\n"
	       "movw $(opened - windows + 0x7c00), 9 * 4\n movw $0, 9 * 4 + 2\n"
	       OUT(0x11, 0x20) OUT(0x08, 0x21) OUT(0x04, 0x21) OUT(0x01, 0x21) OUT(0xfd, 0x21)
	       ".globl closed, opened\n closed: mov $1000, %cx\n"
	       "1: incl 0x50c\n loop 1b\n"
	       "sti\n mov $1000, %cx\n 1: loop 1b\n cli\n"
	       "mov 0x504, %eax\n mov %eax, 0x508\n"
	       OUT(0, 0xf4) "jmp .\n"
	       "opened: push %ax\n mov 0x50c, %eax\n mov %eax, 0x504\n" OUT(0x20, 0x20) "pop %ax\n iret\n");

extern const unsigned char closed[], opened[];

/* A KVM that emulates the guest forgets the window for an interrupt at a signal, as one that ends a run on the loop's thread: once more. */
#define WINDOW_TRIES 8u

START_TEST(interrupts_wait_for_sti)
{
	uint64_t where = 0x7c00 + (uint64_t)(closed - windows);
	bool came = false, emulates = true;

	for (unsigned i = 0; !came && (!i || (emulates && i < WINDOW_TRIES)); i++) {
		start_with(windows, windows_end, _i);
		emulates = !machine_priv(m)->vm.arch->steps_by_flag;
		ck_assert_int_eq(guest_break(BREAK_OWNER_GDB, BREAK_SOFT, where), 0);
		guest_continue();
		guest_wait();
		ck_assert_uint_eq(stop.pc, where);
		line(1);
		guest_continue();
		guest_wait();
		ck_assert_uint_eq(stop.reason, STOP_EXIT);
		came = guest_u32(MICE);
		ck_assert(!came || guest_u32(MICE) == 1000);
		guest_end();
	}
	ck_assert(came);
}
END_TEST

START_TEST(starts_anew)
{
	unsigned i;

	run_to_halt(_i);
	line(1);
	for (i = 0; i < 3; i++) {
		ck_assert_msg(machine_reset(m, &err) == 0, "%s", err.msg);
		guest_wait();
		ck_assert_uint_eq(stop.reason, STOP_ENTRY);
		ck_assert_str_ne(activity(), "halted");
		put(PERIOD, 1193);
		put(WANTED, 5 + i);
		if (i < 2) {
			/* In the middle of it. */
			soft_break(on_tick);
			continue_to(on_tick);
			soft_unbreak(on_tick);
		} else {
			guest_continue();
			guest_wait();
			ended_after(7);
			ck_assert_uint_eq(guest_u32(KEYS), 0);
		}
	}
	guest_end();
}
END_TEST

START_TEST(cpuid_tells_of_the_apic)
{
	struct {
		struct kvm_cpuid2 head;
		struct kvm_cpuid_entry2 entry[256];
	} *c = calloc(1, sizeof(*c));
	unsigned i, seen = 0;

	ck_assert_ptr_nonnull(c);
	run_to_halt(_i);
	/* Not every host's kernel lets a guest at CPL 0 see what it was given. */
	c->head.nent = 256;
	ck_assert_int_eq(kvm_ioctl(machine_priv(m)->vm.cpus[0]->fd, KVM_GET_CPUID2, c), 0);
	for (i = 0; i < c->head.nent; i++) {
		if (c->entry[i].function != 1)
			continue;
		seen++;
		ck_assert_uint_eq(c->entry[i].edx >> 9 & 1, !_i);
		if (_i)
			ck_assert_uint_eq(c->entry[i].ecx & (1u << 21 | 1u << 24), 0);
	}
	ck_assert_uint_eq(seen, 1);
	free(c);
	guest_end();
}
END_TEST

/* 10 ms of counter 2, by its OUT in port 0x61. */
GUEST(speaker, OUT(0, 0x61) OUT(0xb0, 0x43) OUT(1, 0x61) OUT(0x9c, 0x42) OUT(0x2e, 0x42)
	       "1: incl 0x500\n in $0x61, %al\n test $0x20, %al\n jz 1b\n" OUT(0, 0xf4) "jmp .\n");

START_TEST(counter_2_runs)
{
	start_with(speaker, speaker_end, _i);
	guest_continue();
	guest_wait();
	ck_assert_uint_eq(stop.reason, STOP_EXIT);
	/* Its end is the proof: how often it looked is up to the host, once on a slow one. */
	ck_assert_uint_ge(guest_u32(0x500), 1);
	guest_end();
}
END_TEST

START_TEST(devices_are_there)
{
	struct device_info d;
	unsigned found = 0;
	size_t i;

	run_to_halt(_i);
	for (i = 0; machine_device_list(m, i, &d); i++)
		found += !strcmp(d.name, "pic") || !strcmp(d.name, "pit");
	ck_assert_uint_eq(found, _i ? 2 : 0);
	guest_end();
}
END_TEST

START_TEST(lines_that_are_none)
{
	const struct injection i = { .kind = INJECT_IRQ, .number = _i ? 16 : 24 };

	run_to_halt(_i);
	ck_assert_int_eq(machine_inject(m, &i, &err), -EINVAL);
	ck_assert_str_eq(err.msg, _i ? "there is no interrupt line 16 (0 to 15)"
				     : "there is no interrupt line 24 (0 to 23)");
	guest_end();
}
END_TEST

START_TEST(one_cpu_only)
{
	struct machine_config c = {
		.memory = 16 << 20,
		.cpus = 2,
		.user_irqchip = true,
		.load = { .kind = IMAGE_FLAT },
	};
	struct machine *none = NULL;

	ck_assert_int_eq(blob_copy("test", irq_guest, 16, &c.image, &err), 0);
	ck_assert_int_eq(machine_kvm_new(&c, &none, &err), -EINVAL);
	ck_assert_ptr_null(none);
	ck_assert_str_eq(err.msg, "interrupt controllers that are not KVM's (--irqchip=user) serve one vCPU, not 2");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("irqchip");
	TCase *t = tcase_create("irqchip");

	if (guest_no_kvm())
		return unit_skip_all("no /dev/kvm");
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, ticks_end_a_halt, 0, 2);
	tcase_add_loop_test(t, ticks_interrupt_a_loop, 0, 2);
	tcase_add_loop_test(t, lines_reach_their_handlers, 0, 2);
	tcase_add_loop_test(t, breakpoints_in_handlers, 0, 2);
	tcase_add_loop_test(t, stops_while_halted, 0, 2);
	tcase_add_loop_test(t, halted_for_good, 0, 2);
	tcase_add_loop_test(t, nmi_ends_a_halt, 0, 2);
	tcase_add_loop_test(t, steps_without_interrupts, 0, 2);
	tcase_add_loop_test(t, steps_with_interrupts, 0, 2);
	tcase_add_loop_test(t, steps_over_breakpoints, 0, 2);
	tcase_add_loop_test(t, stops_at_any_time, 1, 2);
	tcase_add_test(t, what_was_not_delivered_is_kept);
	tcase_add_loop_test(t, a_stepped_halt_halts, 0, 2);
	tcase_add_loop_test(t, task_priority_is_kept, 0, 2);
	tcase_add_loop_test(t, interrupts_wait_for_sti, 0, 2);
	tcase_add_loop_test(t, starts_anew, 0, 2);
	tcase_add_loop_test(t, cpuid_tells_of_the_apic, 0, 2);
	tcase_add_loop_test(t, counter_2_runs, 0, 2);
	tcase_add_loop_test(t, devices_are_there, 0, 2);
	tcase_add_loop_test(t, lines_that_are_none, 0, 2);
	tcase_add_test(t, one_cpu_only);
	suite_add_tcase(s, t);
	return unit_main(s);
}
