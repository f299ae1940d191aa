/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What breakpoints and watchpoints cost: a hit and the resume from it with 1, 1,000 and 100,000 breakpoints set; a write to a
 * watched page that touches nothing watched, against a bare exit; code beside a watched page.  A line each: name, value, bound,
 * and whether it was kept.  Values are medians; bounds are ratios of two values from this run.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "arch/x86/x86_regs.h"
#include "kvm/machine_priv.h"
/* After the others: its names are short. */
#include "bench/rig.h"

#define LOOP   0x7c03           /* gva of the instruction that is hit */
#define ROUNDS 15
#define HITS   200
#define WRITES 2000

/* Counts at 0x5000, and at 0x6000 as often as cx says: by stores, by port writes that nobody answers, or not at all. */
extern const unsigned char guest[], guest_end[];
__asm__(".pushsection .rodata\n guest: .code16\n"
	/* 7c00 */ "mov $1, %ax\n"
	/* 7c03 */ "inc %dx\n"
	/* 7c04 */ "sti\n jmp guest + 3\n"
	".org guest + 0x20\n"
	/* 7c20 */ "1: movb %al, 0x6800\n dec %cx\n jnz 1b\n"
	/* 7c26 */ "hlt\n"
	".org guest + 0x30\n"
	/* 7c30 */ "1: mov %al, 0x5000\n dec %cx\n jnz 1b\n"
	/* 7c36 */ "hlt\n"
	".org guest + 0x40\n"
	/* 7c40 */ "1: out %al, $0x99\n dec %cx\n jnz 1b\n"
	/* 7c45 */ "hlt\n"
	"guest_end: .code64\n .popsection\n");

static unsigned stops;

static void stopped(struct observer *o, const struct stop_event *ev)
{
	(void)o;
	stops++;
	if (ev->reason != STOP_BREAKPOINT) {
		fprintf(stderr, "bench: stopped for reason %d at 0x%llx: %s\n", ev->reason, (unsigned long long)ev->pc,
			ev->text);
		exit(1);
	}
}

static struct observer observer = { .stopped = stopped };

static void run_to_stop(void)
{
	struct run_action act = { .kind = ACT_CONT };
	struct pollfd p = { .fd = machine_event_fd(m), .events = POLLIN };
	unsigned before = stops;

	need(machine_resume(m, &act, &err));
	machine_poll(m, 50);
	while (stops == before) {
		poll(&p, 1, 10000);
		machine_poll(m, 0);
	}
}

static void soft(uint64_t gva)
{
	struct break_spec s = { .kind = BREAK_SOFT, .gva = gva, .space = BREAK_ANY_SPACE };

	need(machine_break_insert(m, BREAK_OWNER_GDB, &s, &err));
}

static void set_reg(reg_id reg, uint64_t value)
{
	need(machine_reg_write(m, 0, reg, &value, &err));
}

/* Microseconds a hit, with the resume. */
static double hits(void)
{
	double us[ROUNDS];

	for (unsigned i = 0; i < ROUNDS; i++) {
		double start = now_us();

		for (unsigned k = 0; k < HITS; k++)
			run_to_stop();
		us[i] = (now_us() - start) / HITS;
	}
	return median(us, ROUNDS);
}

/* Microseconds a round of the loop at PC, which ends at the breakpoint at END. */
static double loop(uint64_t pc)
{
	double us[ROUNDS];

	for (unsigned i = 0; i < ROUNDS; i++) {
		double start;

		set_reg(X86_RIP, pc);
		set_reg(X86_RCX, WRITES);
		start = now_us();
		run_to_stop();
		us[i] = (now_us() - start) / WRITES;
	}
	return median(us, ROUNDS);
}

int main(void)
{
	struct machine_config c = { .cpus = 1, .memory = 64 << 20 };
	struct watch_spec w = { .kind = WATCH_WRITE, .gva = 0x6000, .size = 4 };
	struct watch_info info;
	bool by_slots;
	double one, many, plain, beside, out, false_hit;
	unsigned set = 1;

	need(blob_copy("bench", guest, (size_t)(guest_end - guest), &c.image, &err));
	c.load = (struct load_opts){ .kind = IMAGE_FLAT, .load = 0x7c00, .entry = 0x7c00, .mode = BOOT_REAL };
	need(machine_kvm_new(&c, &m, &err));
	machine_observe(m, &observer);

	soft(LOOP);
	soft(0x7c26);
	soft(0x7c36);
	soft(0x7c45);
	run_to_stop();
	one = hits();
	line("a hit and its resume, 1 breakpoint in use", one, "us", 0);
	for (unsigned n = 1000; n <= 100000; n *= 100) {
		char name[64];

		for (; set < n; set++)
			soft(0x100000 + 37 * set);
		run_to_stop();
		many = hits();
		snprintf(name, sizeof(name), "the same with %u set, as a ratio", n);
		line(name, many / one, "x", 1.3);
	}
	need(machine_break_clear(m, BREAK_OWNER_GDB, &err));
	soft(0x7c26);
	soft(0x7c36);
	soft(0x7c45);

	plain = loop(0x7c30);
	out = loop(0x7c40) - plain;
	line("a bare exit: OUT to a port nobody answers", out, "us", 0);
	need(machine_watch_insert(m, BREAK_OWNER_GDB, &w, &err));
	beside = loop(0x7c30);
	line("a store to another page while a page is watched, as a ratio", beside / plain, "x", 1.1);
	false_hit = loop(0x7c20) - plain;
	by_slots = machine_watch_list(m, 0, &info) && !info.in_registers;
	line(by_slots ? "a false hit on a watched page, in bare exits" : "a store beside a watched word, in bare exits",
	     false_hit / out, "x", 3);
	machine_unobserve(m, &observer);
	machine_kvm_free(m);
	return missed;
}
