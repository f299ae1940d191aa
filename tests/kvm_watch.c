/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Watchpoints on a real guest: the same list on every host, whatever the mechanism behind them. */
#include <errno.h>
#include <string.h>

#include "tests/kvm_harness.h"
#include "tests/unit.h"

static struct watch_spec spec_at(enum watch_kind kind, uint64_t gva, uint64_t size)
{
	return (struct watch_spec){ .kind = kind, .gva = gva, .size = size };
}

static void watch(enum watch_kind kind, uint64_t gva, uint64_t size)
{
	struct watch_spec s = spec_at(kind, gva, size);

	ck_assert_msg(machine_watch_insert(m, BREAK_OWNER_GDB, &s, &err) == 0, "%s", err.msg);
}

static void unwatch(enum watch_kind kind, uint64_t gva, uint64_t size)
{
	struct watch_spec s = spec_at(kind, gva, size);

	ck_assert_msg(machine_watch_remove(m, BREAK_OWNER_GDB, &s, &err) == 0, "%s", err.msg);
}

/* Runs to a watchpoint hit: by the instruction at AT, with the pc at PC after it. */
static void hit(bool write, uint64_t gva, uint64_t old, uint64_t now, uint64_t at, uint64_t pc)
{
	guest_continue();
	guest_wait();
	ck_assert_msg(stop.reason == STOP_WATCH, "stopped for reason %d at 0x%llx: %s", stop.reason,
		      (unsigned long long)stop.pc, stop.text);
	ck_assert_uint_eq(stop.watch.gva, gva);
	ck_assert_uint_eq(stop.watch.old, old);
	ck_assert_uint_eq(stop.watch.now, now);
	ck_assert_int_eq(stop.watch.write, write);
	ck_assert_uint_eq(stop.pc, pc);
	ck_assert(stop.watch.at_known);
	ck_assert_uint_eq(stop.watch.at, at);
}

static void runs_to(uint64_t pc)
{
	guest_continue();
	guest_wait();
	ck_assert_msg(stop.reason == STOP_BREAKPOINT && stop.pc == pc, "stopped for reason %d at 0x%llx: %s", stop.reason,
		      (unsigned long long)stop.pc, stop.text);
}

GUEST(writes, /* 7c00 */ "mov $0x5000, %bx\n"
	      /* 7c03 */ "movb $1, (%bx)\n"
	      /* 7c06 */ "movb $2, 1(%bx)\n"
	      /* 7c0a */ "movb $2, 1(%bx)\n"
	      /* 7c0e */ "movb $3, 1(%bx)\n"
	      /* 7c12 */ "mov 1(%bx), %al\n"
	      /* 7c15 */ "incb 1(%bx)\n"
	      /* 7c18 */ "nop\n"
	      /* 7c19 */ "jmp .\n");

START_TEST(write_changes)
{
	GUEST_START(writes, 0x7c00, BOOT_REAL, 1);
	watch(WATCH_WRITE, 0x5001, 1);
	guest_break(BREAK_OWNER_GDB, BREAK_SOFT, 0x7c19);
	hit(true, 0x5001, 0, 2, 0x7c06, 0x7c0a);
	hit(true, 0x5001, 2, 3, 0x7c0e, 0x7c12);
	hit(true, 0x5001, 3, 4, 0x7c15, 0x7c18);
	runs_to(0x7c19);
	guest_end();
}
END_TEST

START_TEST(every_write)
{
	struct watch_spec s = spec_at(WATCH_WRITE, 0x5001, 1);

	s.every = true;
	GUEST_START(writes, 0x7c00, BOOT_REAL, 1);
	ck_assert_int_eq(machine_watch_insert(m, BREAK_OWNER_GDB, &s, &err), 0);
	hit(true, 0x5001, 0, 2, 0x7c06, 0x7c0a);
	hit(true, 0x5001, 2, 2, 0x7c0a, 0x7c0e);
	hit(true, 0x5001, 2, 3, 0x7c0e, 0x7c12);
	hit(true, 0x5001, 3, 4, 0x7c15, 0x7c18);
	guest_end();
}
END_TEST

START_TEST(accesses)
{
	GUEST_START(writes, 0x7c00, BOOT_REAL, 1);
	watch(WATCH_ACCESS, 0x5001, 1);
	hit(true, 0x5001, 0, 2, 0x7c06, 0x7c0a);
	hit(true, 0x5001, 2, 2, 0x7c0a, 0x7c0e);
	hit(true, 0x5001, 2, 3, 0x7c0e, 0x7c12);
	hit(false, 0x5001, 3, 3, 0x7c12, 0x7c15);
	guest_end();
}
END_TEST

START_TEST(reads)
{
	GUEST_START(writes, 0x7c00, BOOT_REAL, 1);
	watch(WATCH_READ, 0x5001, 1);
	hit(false, 0x5001, 3, 3, 0x7c12, 0x7c15);
	guest_end();
}
END_TEST

/* The code, its data and the stack in one page, none of which may be read. */
GUEST(shares, /* 7c00 */ "mov $0x7f00, %sp\n"
	      /* 7c03 */ "call 1f\n"
	      /* 7c06 */ "incb 0x7e00\n"
	      /* 7c0a */ "nop\n"
	      /* 7c0b */ "jmp .\n"
	      /* 7c0d */ "1: push %ax\n pop %ax\n ret\n");

START_TEST(code_in_a_watched_page)
{
	GUEST_START(shares, 0x7c00, BOOT_REAL, 1);
	watch(WATCH_ACCESS, 0x7e00, 1);
	guest_break(BREAK_OWNER_GDB, BREAK_SOFT, 0x7c0b);
	guest_continue();
	guest_wait();
	ck_assert_int_eq(stop.reason, STOP_WATCH);
	ck_assert_uint_eq(stop.pc, 0x7c0a);
	ck_assert_uint_eq(stop.watch.gva, 0x7e00);
	ck_assert_uint_eq(guest_reg(0, X86_RSP), 0x7f00);
	runs_to(0x7c0b);
	unwatch(WATCH_ACCESS, 0x7e00, 1);
	guest_step(0);
	guest_wait();
	ck_assert_int_eq(stop.reason, STOP_STEP);
	guest_end();
}
END_TEST

START_TEST(a_step_that_hits)
{
	GUEST_START(writes, 0x7c00, BOOT_REAL, 1);
	watch(WATCH_WRITE, 0x5001, 1);
	for (unsigned i = 0; i < 3; i++) {
		guest_step(0);
		guest_wait();
		ck_assert_int_eq(stop.reason, i < 2 ? STOP_STEP : STOP_WATCH);
	}
	ck_assert_uint_eq(stop.pc, 0x7c0a);
	guest_step(0);
	guest_wait();
	ck_assert_int_eq(stop.reason, STOP_STEP);
	ck_assert_uint_eq(stop.pc, 0x7c0e);
	guest_end();
}
END_TEST

GUEST(strings, /* 7c00 */ "mov $0x4ffe, %di\n mov $4, %cx\n mov $0xabcd, %ax\n cld\n"
	       /* 7c0a */ "rep stosw\n"
	       /* 7c0c */ "nop\n jmp .\n");

START_TEST(string_store_across_pages)
{
	GUEST_START(strings, 0x7c00, BOOT_REAL, 1);
	watch(WATCH_WRITE, 0x5001, 0x1000);
	guest_continue();
	guest_wait();
	ck_assert_int_eq(stop.reason, STOP_WATCH);
	ck_assert_uint_eq(stop.watch.gva, 0x5001);
	ck_assert_uint_eq(stop.watch.now, 0xab);
	guest_break(BREAK_OWNER_GDB, BREAK_SOFT, 0x7c0c);
	for (unsigned i = 0; i < 2; i++) {
		guest_continue();
		guest_wait();
		ck_assert_int_eq(stop.reason, STOP_WATCH);
		ck_assert_uint_eq(stop.watch.gva, 0x5002 + 2 * i);
	}
	runs_to(0x7c0c);
	ck_assert_uint_eq(guest_u32(0x5002), 0xabcdabcd);
	guest_end();
}
END_TEST

/* Adds up what it writes to sixteen words, round and round. */
GUEST(many_writes, "1: xor %bx, %bx\n 2: incw 0x5000(%bx)\n add $64, %bx\n cmp $0x1000, %bx\n jb 2b\n sti\n jmp 1b\n");

START_TEST(forty_at_once)
{
	unsigned seen = 0;

	GUEST_START(many_writes, 0x7c00, BOOT_REAL, 1);
	for (unsigned i = 0; i < 40; i++)
		watch(WATCH_WRITE, 0x5000 + 64 * i, 2);
	for (unsigned i = 0; i < 80; i++) {
		guest_continue();
		guest_wait();
		ck_assert_int_eq(stop.reason, STOP_WATCH);
		ck_assert_uint_eq(stop.watch.gva, 0x5000 + 64 * (i % 40));
		ck_assert_uint_eq(stop.watch.now, i / 40 + 1);
		seen++;
	}
	ck_assert_uint_eq(seen, 80);
	for (unsigned i = 0; i < 40; i++)
		unwatch(WATCH_WRITE, 0x5000 + 64 * i, 2);
	guest_break(BREAK_OWNER_GDB, BREAK_SOFT, 0x7c00);
	runs_to(0x7c00);
	guest_end();
}
END_TEST

START_TEST(sixty_four_kilobytes)
{
	GUEST_START(many_writes, 0x7c00, BOOT_REAL, 1);
	/* From the middle of a page to that of another, around the words. */
	watch(WATCH_WRITE, 0x5800, 0x10000);
	guest_continue();
	guest_wait();
	ck_assert_int_eq(stop.reason, STOP_WATCH);
	ck_assert_uint_eq(stop.watch.gva, 0x5800);
	guest_end();
}
END_TEST

static bool no(void *arg, struct machine *machine, const struct stop_event *ev)
{
	uint64_t value = 0;

	ck_assert_int_eq(machine_reg_read(machine, ev->cpu, X86_RBX, &value, NULL), 0);
	++*(unsigned *)arg;
	return value == 0x80;
}

START_TEST(filtered)
{
	unsigned asked = 0;

	GUEST_START(many_writes, 0x7c00, BOOT_REAL, 1);
	watch(WATCH_WRITE, 0x5000, 0x1000);
	machine_break_filter(m, BREAK_OWNER_GDB, no, &asked);
	guest_continue();
	guest_wait();
	ck_assert_int_eq(stop.reason, STOP_WATCH);
	ck_assert_uint_eq(stop.watch.gva, 0x5080);
	ck_assert_uint_eq(asked, 3);
	guest_end();
}
END_TEST

START_TEST(bad_ranges)
{
	static const struct {
		uint64_t gva, size;
		int r;
	} bad[] = {
		{ 0x5000, 0, -EINVAL }, { 0x5000, 1ull << 63, -EINVAL }, { UINT64_MAX - 1, 8, -EINVAL },
		{ 0x800000000000, 8, -EFAULT }, { 0x7ffffffffff8, 16, -EFAULT },
	};
	struct watch_info info;

	GUEST_START(writes, 0x7c00, BOOT_REAL, 1);
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct watch_spec s = spec_at(WATCH_WRITE, bad[i].gva, bad[i].size);

		ck_assert_int_eq(machine_watch_insert(m, BREAK_OWNER_GDB, &s, &err), bad[i].r);
		ck_assert_int_eq(machine_watch_remove(m, BREAK_OWNER_GDB, &s, &err), -ENOENT);
	}
	ck_assert(!machine_watch_list(m, 0, &info));
	guest_end();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("watch");
	TCase *t = tcase_create("watch");

	if (guest_no_kvm())
		return unit_skip_all("/dev/kvm cannot be opened");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, write_changes);
	tcase_add_test(t, every_write);
	tcase_add_test(t, accesses);
	tcase_add_test(t, reads);
	tcase_add_test(t, code_in_a_watched_page);
	tcase_add_test(t, a_step_that_hits);
	tcase_add_test(t, string_store_across_pages);
	tcase_add_test(t, forty_at_once);
	tcase_add_test(t, sixty_four_kilobytes);
	tcase_add_test(t, filtered);
	tcase_add_test(t, bad_ranges);
	suite_add_tcase(s, t);
	return unit_main(s);
}
