/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dirty logs of a guest that runs: nothing is lost, each consumer has its own, ours are in, whatever becomes of the slot. */
#include "tests/dirty_rig.h"

#include <errno.h>
#include <string.h>

#define RING      4096          /* entries */
#define EACH      0x9400        /* gpas: pages a vCPU, and the round they are to do */
#define ROUND     0x9404
#define ROUNDS(n) (0x9000 + 64ull * (n))

/* Every vCPU writes to each of its pages once when ROUND changes, then sets its own cell to it. */
GUEST(flood, "ljmp $0, $0x8005\n"
	     "mov $1, %eax\n cpuid\n shr $24, %ebx\n mov %ebx, %ebp\n test %ebx, %ebx\n jnz 1f\n"
	     "mov $0x1b, %ecx\n rdmsr\n or $0xc00, %eax\n wrmsr\n"
	     "xor %edx, %edx\n mov $0x830, %ecx\n"
	     "mov $0xc4500, %eax\n wrmsr\n mov $0xc4608, %eax\n wrmsr\n"
	     "1: lgdtl 0x8218\n mov %cr0, %eax\n or $1, %al\n mov %eax, %cr0\n ljmpl $8, $0x8100\n"
	     ".org flood + 0x100\n .code32\n"
	     "mov $16, %eax\n mov %eax, %ds\n mov %eax, %es\n mov %eax, %ss\n sti\n"
	     "mov %ebp, %esi\n shl $6, %esi\n"
	     "1: pause\n mov 0x9404, %eax\n cmp 0x9000(%esi), %eax\n je 1b\n"
	     "mov 0x9400, %ecx\n mov %ecx, %edx\n imul %ebp, %edx\n shl $12, %edx\n"
	     "2: incl 0x2000000(%edx)\n add $0x1000, %edx\n loop 2b\n"
	     "mov %eax, 0x9000(%esi)\n jmp 1b\n"
	     ".org flood + 0x200\n"
	     ".quad 0, 0x00cf9a000000ffff, 0x00cf92000000ffff\n .word 23\n .long 0x8200\n");

static void log_on(unsigned id)
{
	bool on = true;

	ok(machine_slot_flags(m, id, &on, NULL, &err));
}

static void put_page(uint64_t page)
{
	put(GPA + page * PAGE + 8, "x", 1);
}

static uint32_t advance(uint32_t x, uint32_t *ret_page, uint32_t pages)
{
	x = x * 1664525 + 1013904223;
	*ret_page = (x >> 16) * pages >> 16;
	return x;
}

/*
 * One run: takes while the guest writes; each must hold what was written since the one before, and nothing else but the page that is
 * next: KVM logs it when it lets the guest write there, and a guest that is parked may not have.
 */
static void scribble_run(uint32_t seed, uint32_t pages, unsigned takes)
{
	static bool written[1 << 12];
	uint32_t x = seed, count = 0, page = 0, next;
	bool early = false;     /* the write after those counted was done before the last take */

	ck_assert_uint_lt(pages, sizeof(written));
	fresh(pages);
	put(SEED, &seed, 4);
	put(PAGES, &pages, 4);
	guest_continue();
	for (unsigned n = 0; n < takes; n++) {
		uint32_t now = count;

		/* Each look parks the guest somewhere else. */
		for (unsigned tries = 0; now == count && tries < 100000; tries++) {
			machine_poll(m, 0);
			now = guest_u32(COUNT);
		}
		ck_assert_uint_ne(now, count);
		memset(written, 0, sizeof(written));
		ok(machine_hold(m, &err));
		look(ID, DIRTY_USER, true);
		for (now = guest_u32(COUNT); count < now; count++, early = false) {
			x = advance(x, &page, pages);
			if (!early)
				written[page] = true;
		}
		/* The next one may have been written and not counted. */
		early = advance(x, &next, pages) == guest_u32(GPA + (uint64_t)next * PAGE);
		if (early)
			written[next] = true;
		machine_release(m);
		ck_assert_uint_eq(map.pages, pages);
		for (uint32_t p = 0; p < pages; p++)
			ck_assert_msg(is_set(p) == written[p] || (p == next && is_set(p)),
				      "take %u of seed %u: page %u of %u %s", n, seed, p, pages,
				      written[p] ? "is lost" : "was not written");
	}
	end();
}

/* A hundred runs, most with page counts that are no multiple of 64. */
START_TEST(nothing_is_lost)
{
	for (unsigned run = 0; run < 25; run++) {
		unsigned i = _i * 25 + run;

		scribble_run(i * 2654435761u, 1 + i * 41 % 1500, 6);
	}
}
END_TEST

START_TEST(consumers_are_apart)
{
	fresh(130);
	for (unsigned c = 0; c < DIRTY_CONSUMERS; c++) {
		look(ID, (enum dirty_consumer)c, false);
		ck_assert_uint_eq(map.dirty, 0);
	}
	put_page(0);
	put_page(63);
	look(ID, DIRTY_USER, true);
	ck_assert_uint_eq(map.gpa, GPA);
	ck_assert_uint_eq(map.pages, 130);
	EXPECT(0, 63);
	put_page(129);
	look(ID, DIRTY_USER, false);
	EXPECT(129);
	look(ID, DIRTY_USER, false);
	EXPECT(129);
	look(ID, DIRTY_RATE, true);
	EXPECT(0, 63, 129);
	look(ID, DIRTY_RATE, true);
	ck_assert_uint_eq(map.dirty, 0);
	look(ID, DIRTY_USER, true);
	EXPECT(129);
	look(ID, DIRTY_HEAT, true);
	EXPECT(0, 63, 129);
	end();
}
END_TEST

START_TEST(refusals)
{
	bool off = false;

	fresh(3);
	add_slot(8, 2 * GPA, 1, false);
	map.id = 99;
	ck_assert_int_eq(machine_dirty_read(m, 8, DIRTY_USER, true, &map, &err), -EINVAL);
	ck_assert_msg(strstr(err.msg, "slot 8") && strstr(err.msg, "off"), "%s", err.msg);
	ck_assert_int_eq(machine_dirty_diff(m, 8, NULL, NULL, &err), -EINVAL);
	ck_assert_int_eq(machine_dirty_read(m, 9, DIRTY_USER, true, &map, &err), -ENOENT);
	ck_assert_int_eq(machine_dirty_diff(m, 9, NULL, NULL, &err), -ENOENT);
	ck_assert_int_eq(machine_dirty_who(m, 9, true, &err), -ENOENT);
	guest_continue();
	ck_assert_int_eq(machine_dirty_read(m, ID, DIRTY_USER, true, &map, &err), -EBUSY);
	ck_assert_int_eq(machine_dirty_diff(m, ID, NULL, NULL, &err), -EBUSY);
	ck_assert_int_eq(machine_dirty_who(m, ID, true, &err), -EBUSY);
	machine_stop(m);
	guest_wait();
	ck_assert_uint_eq(map.id, 99);
	/* What was off begins clean. */
	put_page(1);
	ok(machine_slot_flags(m, ID, &off, NULL, &err));
	put_page(2);
	log_on(ID);
	look(ID, DIRTY_USER, false);
	ck_assert_uint_eq(map.dirty, 0);
	end();
}
END_TEST

START_TEST(own_writes_are_in)
{
	static const uint8_t bytes[2 * PAGE];

	fresh(70);
	put(GPA + 3 * PAGE - 1, "xy", 2);
	look(ID, DIRTY_USER, true);
	EXPECT(2, 3);
	ck_assert_uint_eq(machine_mem_write(m, 0, GPA + 66 * PAGE + 1, bytes, sizeof(bytes), &err),
			  sizeof(bytes));
	look(ID, DIRTY_USER, true);
	EXPECT(66, 67, 68);
	ck_assert_uint_eq(machine_phys_read(m, GPA, &map.id, 4, &err), 4);
	look(ID, DIRTY_USER, true);
	ck_assert_uint_eq(map.dirty, 0);
	/* A reset's: memory is cleared, and the image loaded into page 7. */
	log_on(0);
	look(0, DIRTY_USER, true);
	ck_assert_uint_eq(map.dirty, 0);
	ok(machine_reset(m, &err));
	look(0, DIRTY_USER, true);
	ck_assert(is_set(7));
	ck_assert_uint_eq(map.dirty, map.pages);
	end();
}
END_TEST

START_TEST(traps_are_not)
{
	fresh(1);
	log_on(0);
	/* At the jump's target: the guest comes by it, and is stepped over it. */
	ok(guest_break(BREAK_OWNER_GDB, BREAK_SOFT, 0x7c06));
	for (unsigned i = 0; i < 4; i++) {
		guest_continue();
		guest_wait();
		ck_assert_uint_eq(stop.reason, STOP_BREAKPOINT);
		/* With hardware's tables KVM takes a page that is touched for the first time for a dirty one. */
		if (!i)
			look(0, DIRTY_USER, true);
	}
	ok(guest_unbreak(BREAK_OWNER_GDB, BREAK_SOFT, 0x7c06));
	look(0, DIRTY_USER, true);
	ck_assert(is_set(0));           /* the guest's own count */
	ck_assert(!is_set(7));
	ok(guest_break(BREAK_OWNER_GDB, BREAK_SOFT, 0x7c06));
	put(0x7c06, "\x90", 1);
	look(0, DIRTY_USER, true);
	EXPECT(7);
	end();
}
END_TEST

START_TEST(survives_changes)
{
	struct slot_note note;
	unsigned high;
	bool on = true;

	fresh(200);
	put_page(5);
	put_page(100);
	put_page(199);
	look(ID, DIRTY_RATE, true);
	ok(machine_slot_move(m, ID, 2 * GPA, &note, &err));
	look(ID, DIRTY_USER, false);
	ck_assert_uint_eq(map.gpa, 2 * GPA);
	EXPECT(5, 100, 199);
	put(2 * GPA + 6 * PAGE, "x", 1);
	ok(machine_slot_move(m, ID, GPA, &note, &err));
	look(ID, DIRTY_USER, false);
	EXPECT(5, 6, 100, 199);
	/* Read-only to the guest and back. */
	ok(machine_slot_flags(m, ID, NULL, &on, &err));
	put_page(7);
	on = false;
	ok(machine_slot_flags(m, ID, NULL, &on, &err));
	look(ID, DIRTY_USER, false);
	EXPECT(5, 6, 7, 100, 199);
	/* Cut where no word ends. */
	ok(machine_slot_split(m, ID, 99 * PAGE, &high, &err));
	look(ID, DIRTY_USER, false);
	ck_assert_uint_eq(map.pages, 99);
	EXPECT(5, 6, 7);
	look(high, DIRTY_RATE, false);
	ck_assert_uint_eq(map.pages, 101);
	ck_assert_uint_eq(map.dirty, 0);
	look(high, DIRTY_USER, false);
	EXPECT(1, 100);
	put_page(98);
	put_page(99);
	look(ID, DIRTY_USER, false);
	EXPECT(5, 6, 7, 98);
	look(high, DIRTY_USER, false);
	EXPECT(0, 1, 100);
	ok(machine_slot_resize(m, ID, 7 * PAGE, &err));
	look(ID, DIRTY_USER, false);
	EXPECT(5, 6);
	ok(machine_slot_remove(m, high, &note, &err));
	end();
}
END_TEST

START_TEST(survives_growth)
{
	fresh(63);
	put_page(62);
	ok(machine_slot_resize(m, ID, 150 * PAGE, &err));
	look(ID, DIRTY_USER, false);
	ck_assert_uint_eq(map.pages, 150);
	EXPECT(62);
	put_page(149);
	look(ID, DIRTY_USER, true);
	EXPECT(62, 149);
	end();
}
END_TEST

/* What the guest does between two changes, with its writes logged by the kernel, is not lost by the change. */
START_TEST(guest_writes_survive)
{
	uint32_t seed = 5, pages = 300, count, x = seed, page;
	static bool must[300];
	struct slot_note note;

	fresh(pages);
	put(SEED, &seed, 4);
	put(PAGES, &pages, 4);
	guest_continue();
	do {
		ok(machine_hold(m, &err));
		ok(machine_slot_move(m, ID, 2 * GPA, &note, &err));
		ok(machine_slot_move(m, ID, GPA, &note, &err));
		count = guest_u32(COUNT);
		machine_release(m);
		machine_poll(m, 0);
	} while (count < 200);
	machine_stop(m);
	guest_wait();
	ck_assert_msg(stop.reason == STOP_REQUEST, "%s", stop.text);
	count = guest_u32(COUNT);
	look(ID, DIRTY_USER, true);
	for (uint32_t i = 0; i < count; i++) {
		x = advance(x, &page, pages);
		must[page] = true;
	}
	for (page = 0; page < pages; page++)
		ck_assert_msg(!must[page] || is_set(page), "page %u is lost", page);
	end();
}
END_TEST

/* More pages than the rings hold between two takes; the logs of two slots, the second of which begins amid a ring. */
static void flood_run(unsigned cpus)
{
	const uint32_t each = 3 * RING + 7, all = each * cpus;

	if (guest_dirty_ring)
		guest_dirty_ring = RING;
	GUEST_START(flood, 0x8000, BOOT_REAL, cpus);
	add_slot(ID, GPA, all / 2, true);
	add_slot(ID + 1, GPA + all / 2 * (uint64_t)PAGE, all - all / 2, true);
	put(EACH, &each, 4);
	for (uint32_t round = 1; round <= 4; round++) {
		put(ROUND, &round, 4);
		guest_continue();
		for (unsigned i = 0; i < cpus; i++)
			while (guest_u32(ROUNDS(i)) != round && machine_state(m) == MACHINE_RUNNING)
				guest_run_on();
		machine_stop(m);
		guest_wait();
		ck_assert_msg(stop.reason == STOP_REQUEST, "%s", stop.text);
		look(ID, DIRTY_USER, true);
		ck_assert_uint_eq(map.dirty, all / 2);
		look(ID + 1, DIRTY_USER, true);
		ck_assert_uint_eq(map.dirty, all - all / 2);
		look(ID, DIRTY_USER, true);
		ck_assert_uint_eq(map.dirty, 0);
	}
	for (uint32_t page = 0; page < all; page++)
		ck_assert_uint_eq(guest_u32(GPA + (uint64_t)page * PAGE), 4);
	end();
}

START_TEST(floods_of_one)
{
	flood_run(1);
}
END_TEST

START_TEST(floods_of_four)
{
	flood_run(4);
}
END_TEST

/* What a ring says of a slot that is gone, or that did not log yet, is no news of the one that has its number now. */
START_TEST(old_news)
{
	uint32_t each = 700, round = 1;
	struct slot_note note;
	bool off = false;

	GUEST_START(flood, 0x8000, BOOT_REAL, 1);
	add_slot(ID, GPA, each, true);
	put(EACH, &each, 4);
	for (; round <= 3; round++) {
		put(ROUND, &round, 4);
		guest_continue();
		while (guest_u32(ROUNDS(0)) != round && machine_state(m) == MACHINE_RUNNING)
			guest_run_on();
		machine_stop(m);
		guest_wait();
		ck_assert_msg(stop.reason == STOP_REQUEST, "%s", stop.text);
		if (round == 3)
			break;
		if (round == 1) {
			ok(machine_slot_remove(m, ID, &note, &err));
			add_slot(ID, GPA, each, true);
		} else {
			ok(machine_slot_flags(m, ID, &off, NULL, &err));
			log_on(ID);
		}
		look(ID, DIRTY_USER, false);
		ck_assert_uint_eq(map.dirty, 0);
	}
	/* A shorter one there: the pages that it lacks are dropped. */
	ok(machine_slot_remove(m, ID, &note, &err));
	add_slot(ID + 1, GPA, each, false);
	add_slot(ID, 2 * GPA, 1, true);
	look(ID, DIRTY_USER, false);
	ck_assert_uint_eq(map.dirty, 0);
	end();
}
END_TEST

static void no_fault(void *arg, const struct slot_fault *f)
{
	(void)arg;
	ck_abort_msg("slot %u: %s", f->id, f->text);
}

START_TEST(check_finds_nothing)
{
	fresh(70);
	add_slot(ID + 1, 2 * GPA, 70, false);
	ok(machine_slot_check(m, no_fault, NULL, &err));
	end();
}
END_TEST

/* A size that is no ring's is refused, and leaves nothing behind. */
START_TEST(impossible_rings)
{
	static const struct {
		unsigned entries;
		int code;
	} bad[] = { { 1 << 27, -ENOTSUP }, { 3000, -EINVAL }, { 1, -EINVAL } };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct machine_config c = {
			.memory = 16 << 20,
			.cpus = 1,
			.dirty_ring = bad[i].entries,
			.load = { .kind = IMAGE_FLAT },
		};

		ck_assert_int_eq(blob_copy("test", scribble, (size_t)(scribble_end - scribble), &c.image, &err), 0);
		ck_assert_int_eq(machine_kvm_new(&c, &m, &err), bad[i].code);
		ck_assert_msg(strstr(err.msg, "KVM_CAP_DIRTY_LOG_RING"), "%s", err.msg);
	}
}
END_TEST

/* What holds whether the kernel keeps bitmaps or rings. */
static void add_log(Suite *s, bool rings)
{
	TCase *l = dirty_case(s, rings ? "log by rings" : "log", rings, 120);

	tcase_add_loop_test(l, nothing_is_lost, 0, 4);
	tcase_add_test(l, consumers_are_apart);
	tcase_add_test(l, refusals);
	tcase_add_test(l, own_writes_are_in);
	tcase_add_test(l, traps_are_not);
	tcase_add_test(l, survives_changes);
	tcase_add_test(l, survives_growth);
	tcase_add_test(l, guest_writes_survive);
	tcase_add_test(l, floods_of_one);
	tcase_add_test(l, floods_of_four);
	tcase_add_test(l, old_news);
	tcase_add_test(l, check_finds_nothing);
	if (rings) {
		TCase *r = tcase_create("rings");

		tcase_add_test(r, impossible_rings);
		suite_add_tcase(s, r);
	}
}

int main(void)
{
	return dirty_main(suite_create("kvm dirty log"), add_log);
}
