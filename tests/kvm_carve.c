/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rights to single pages: by page, through changes of slots, with logs, opened for a step. */
#include "tests/carve_rig.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kvm/dirty.h"
#include "tests/unit.h"

START_TEST(by_page)
{
	static const char *const sets[] = { "........", "r.......", ".......x", "xxxxxxxx", "rrrrrrrr", "r.r.x.x.", ".rrxxr..",
					    "...r....", "xr.rx.r.", "........" };

	begin(false, 0);
	add(ID, BASE, 8, false);
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		unsigned n = 0;

		set_all(sets[i]);
		expect_all(sets[i]);
		for (unsigned p = 0; p < 8; p++) {
			n += sets[i][p] != '.';
			ck_assert_uint_eq(slots_rights(s, BASE + p * PAGE + 0x123),
					  sets[i][p] == '.' ? PAGE_ALL : sets[i][p] == 'r' ? PAGE_NO_WRITE : PAGE_NO_ACCESS);
		}
		ck_assert_uint_eq(slots_restricted(s), n);
	}
	ck_assert_ptr_eq(carve_pieces(s, ID), NULL);
	end();
}
END_TEST

static void alias(unsigned id, uint64_t gpa, unsigned of, uint64_t first, uint64_t pages)
{
	const struct slot_spec spec = { .id = id, .gpa = gpa, .size = pages * PAGE, .backing = SLOT_ALIAS,
					.alias_of = of, .offset = first * PAGE };

	ok(slots_add(s, &spec, "user", NULL, &err));
}

/* Rights are a gpa's: the same memory at another is not restricted, and slots_gpas_of() tells both. */
static uint64_t seen[4];
static unsigned nseen;

static void saw(void *arg, uint64_t gpa)
{
	ck_assert_ptr_eq(arg, seen);
	seen[nseen++ % 4] = gpa;
}

START_TEST(aliases)
{
	begin(false, 0);
	add(ID, BASE, 8, false);
	alias(6, BASE + 16 * PAGE, ID, 2, 4);
	set(3, PAGE_NO_ACCESS);
	carve();
	expect_all("...x....");
	expect(BASE + 17 * PAGE, PAGE_ALL);
	nseen = 0;
	slots_gpas_of(s, slots_get(s, ID)->hva + 3 * PAGE + 5, saw, seen);
	ck_assert_uint_eq(nseen, 2);
	ck_assert_uint_eq(seen[0], BASE + 3 * PAGE + 5);
	ck_assert_uint_eq(seen[1], BASE + 17 * PAGE + 5);
	nseen = 0;
	slots_gpas_of(s, slots_get(s, ID)->hva + PAGE, saw, seen);
	ck_assert_uint_eq(nseen, 1);
	end();
}
END_TEST

/* Whatever becomes of the slots, the rights stay where they are. */
START_TEST(slot_changes)
{
	const bool on = true, off = false;
	unsigned high;

	begin(false, 0);
	set_all(".r.x..r.");
	add(ID, BASE, 8, false);
	expect_all(".r.x..r.");
	ok(slots_flags(s, ID, NULL, &on, &err));
	expect_all("rrrxrrrr");
	ck_assert_uint_eq(carve_pieces(s, ID)->n, 3);           /* no more than it takes */
	ok(slots_flags(s, ID, &on, &off, &err));
	expect_all(".r.x..r.");
	ok(slots_watch(s, ID, true, &err));
	expect_all("rrrxrrrr");
	ok(slots_watch(s, ID, false, &err));
	ok(slots_resize(s, ID, 5 * PAGE, &err));
	expect_all(".r.x.   ");
	ok(slots_resize(s, ID, 8 * PAGE, &err));
	expect_all(".r.x..r.");
	ok(slots_split(s, ID, 4 * PAGE, &high, &err));
	expect_all(".r.x..r.");
	ok(slots_remove(s, high, &err));
	expect_all(".r.x    ");
	ok(slots_move(s, ID, BASE + 2 * PAGE, NULL, &err));
	expect_all("  .x..  ");
	ok(slots_move(s, ID, BASE + 0x100000, NULL, &err));
	ck_assert_ptr_eq(carve_pieces(s, ID), NULL);
	ok(slots_move(s, ID, BASE, NULL, &err));
	expect_all(".r.x    ");
	ok(slots_flags(s, ID, &off, NULL, &err));
	expect_all(".r.x    ");
	/* A reset keeps the first slots, and takes away those that a person added. */
	ok(slots_mark_initial(s, &err));
	ok(slots_resize(s, ID, 2 * PAGE, &err));
	ok(slots_restore(s, &err));
	load();
	add(6, BASE + 4 * PAGE, 4, false);
	expect_all(".r.x..r.");
	ck_assert_uint_eq(slots_restricted(s), 3);
	end();
}
END_TEST

/* Exactly the pages marked 'd' were written. */
static void expect_dirty(unsigned id, const char *want)
{
	take(id);
	ck_assert_uint_eq(map.pages, strlen(want));
	for (unsigned i = 0; want[i]; i++)
		ck_assert_msg((map.bits[i / 64] >> i % 64 & 1) == (want[i] == 'd'), "page %u is%s dirty", i,
			      want[i] == 'd' ? " not" : "");
}

START_TEST(dirty_logs)
{
	const uint64_t two[] = { BASE + 3 * PAGE, BASE + 6 * PAGE };
	unsigned high;

	begin(_i, 0);
	add(ID, BASE, 8, true);
	take(ID);
	write_page(2);
	set_all("...r....");                            /* the whole slot goes, with what was logged */
	write_page(1);
	expect_dirty(ID, ".dd.....");
	write_page(6);
	write_page(1);
	set_all("...rr.x.");                            /* the upper piece goes */
	expect_dirty(ID, ".d....d.");
	expect_dirty(ID, "........");
	write_page(7);
	expect_dirty(ID, ".......d");
	write_page(7);                                  /* logged anew after each take */
	expect_dirty(ID, ".......d");
	expect(BASE + 3 * PAGE, PAGE_NO_WRITE);
	expect(BASE + 6 * PAGE, PAGE_NO_ACCESS);
	expect_dirty(ID, "........");
	ok(slots_open(s, two, 2));
	write_page(3);
	write_page(6);
	ok(slots_close(s));
	expect_dirty(ID, "...d..d.");
	ok(slots_open(s, NULL, 0));
	write_page(4);
	write_page(6);
	ok(slots_close(s));
	write_page(0);
	ck_assert_uint_eq(gmem_write(slots_gmem(s), BASE + 3 * PAGE, "x", 1), 1);      /* and our own */
	expect_dirty(ID, "d..dd.d.");
	write_page(0);
	write_page(7);
	ok(slots_split(s, ID, 4 * PAGE, &high, &err));
	write_page(1);
	expect_dirty(ID, "dd..");
	expect_dirty(high, "...d");
	write_page(5);
	ok(slots_move(s, high, BASE + 8 * PAGE, NULL, &err));
	write_page(11);
	expect_dirty(high, ".d.d");
	write_page(2);
	write_page(8);
	add(k.max_slots - 1, BASE + 0x100000, 1, false);        /* a piece's number */
	expect_dirty(ID, "..d.");
	expect_dirty(high, "d...");
	ok(dirty_log_lost(s, &err));                            /* every page counts as written, and is watched again */
	expect_dirty(ID, "dddd");
	expect_dirty(high, "dddd");
	write_page(2);
	write_page(8);
	set_all("........");
	write_page(3);
	expect_dirty(ID, "..dd");
	expect_dirty(high, "d...");
	check_slots();
	free(map.bits);
	map.bits = NULL;
	end();
}
END_TEST

START_TEST(open_and_close)
{
	uint64_t gpas[CARVE_OPEN_MAX + 1];
	unsigned most = 0;

	begin(false, 0);
	ok(slots_open(s, NULL, 0));
	ok(slots_close(s));
	add(ID, BASE, 8, false);
	set_all("rrrxxx.r");
	for (unsigned set_of = 0; set_of < 256; set_of++) {
		unsigned n = 0;

		for (unsigned i = 0; i < 8; i++)
			if (set_of >> i & 1)
				gpas[n++] = BASE + i * PAGE + 0x10 * set_of;
		if (!n)
			continue;
		/* In any order, one twice. */
		gpas[n] = gpas[0];
		gpas[0] = gpas[n - 1];
		gpas[n - 1] = gpas[n];
		changes = 0;
		ok(slots_open(s, gpas, n + 1));
		most = n == 1 && changes > most ? changes : most;
		ck_assert_int_eq(slots_open(s, gpas, n), -EBUSY);
		for (unsigned i = 0; i < 8; i++)
			expect(BASE + i * PAGE, i == 6 || (set_of >> i & 1) ? PAGE_ALL :
			       i < 3 || i > 6 ? PAGE_NO_WRITE : PAGE_NO_ACCESS);
		ck_assert_int_eq(slots_check(s, NULL, NULL, &err), -EBUSY);
		ok(slots_close(s));
		ok(slots_close(s));
		expect_all("rrrxxx.r");
	}
	ck_assert_uint_le(most, 4);
	ok(slots_open(s, NULL, 0));
	for (unsigned i = 0; i < 8; i++)
		expect(BASE + i * PAGE, PAGE_ALL);
	/* Nothing changes meanwhile. */
	ck_assert_int_eq(slots_remove(s, ID, &err), -EBUSY);
	set(1, PAGE_ALL);
	ck_assert_int_eq(slots_carve(s, &err), -EBUSY);
	ok(slots_close(s));
	expect_all("rrrxxx.r");
	for (unsigned i = 0; i < CARVE_OPEN_MAX + 1; i++)
		gpas[i] = BASE + i * PAGE;
	ck_assert_int_eq(slots_open(s, gpas, CARVE_OPEN_MAX + 1), -E2BIG);
	ok(slots_open(s, gpas, CARVE_OPEN_MAX));
	ok(slots_close(s));
	expect_all("rrrxxx.r");
	/* All that can be apart. */
	add(6, BASE + 16 * PAGE, 80, false);
	for (unsigned i = 16; i < 96; i++)
		set(i, PAGE_NO_WRITE);
	carve();
	for (unsigned i = 0; i < CARVE_OPEN_MAX; i++)
		gpas[i] = BASE + (17 + 2 * i) * PAGE;
	ok(slots_open(s, gpas, CARVE_OPEN_MAX));
	for (unsigned i = 16; i < 96; i++)
		expect(BASE + i * PAGE, i % 2 && i < 17 + 2 * CARVE_OPEN_MAX ? PAGE_ALL : PAGE_NO_WRITE);
	ok(slots_close(s));
	for (unsigned i = 16; i < 96; i++)
		expect(BASE + i * PAGE, PAGE_NO_WRITE);
	check_slots();
	ck_assert_uint_eq(s->carve.used, 4 + 1);
	end();
}
END_TEST

/* slot check sees what is wrong with a piece. */
static unsigned faults;
static char fault_text[160];

static void count(void *arg, const struct slot_fault *f)
{
	(void)arg;
	ck_assert_uint_eq(f->id, ID);
	faults++;
	snprintf(fault_text, sizeof(fault_text), "%s", f->text);
}

static void one_fault(const char *text)
{
	faults = 0;
	ok(slots_check(s, count, NULL, &err));
	ck_assert_uint_eq(faults, 1);
	ck_assert_msg(strstr(fault_text, text), "%s", fault_text);
}

static void put_piece(unsigned at, bool deleted, uint32_t flags)
{
	struct kvm_userspace_memory_region kr = carve_region(slots_get(s, ID), &carve_pieces(s, ID)->v[at]);

	kr.flags ^= flags;
	kr.memory_size = deleted ? 0 : kr.memory_size;
	ck_assert_int_eq(kvm_ioctl(k.vm_fd, KVM_SET_USER_MEMORY_REGION, &kr), 0);
}

START_TEST(slot_check)
{
	begin(false, 0);
	add(ID, BASE, 8, false);
	set_all(".rr.xx..");
	check_slots();
	put_piece(1, true, 0);
	one_fault("no memory at 0x201000-0x202fff");
	put_piece(1, false, KVM_MEM_READONLY);
	one_fault("other parameters");
	put_piece(1, true, 0);
	put_piece(1, false, 0);
	check_slots();
	put_piece(0, false, KVM_MEM_LOG_DIRTY_PAGES);
	one_fault("the kernel keeps a log");
	put_piece(0, false, 0);
	put_piece(3, false, 0);                 /* what should not be there at all */
	one_fault("wrongly memory at 0x204000-0x205fff");
	put_piece(3, true, 0);
	check_slots();
	s->carve.of[ID].v[1].rights = PAGE_ALL;
	one_fault("its piece at 0x201000 is not");
	s->carve.of[ID].v[1].rights = PAGE_NO_WRITE;
	check_slots();
	end();
}
END_TEST

START_TEST(no_readonly)
{
	begin(false, 0);
	s->has_readonly = false;
	ck_assert_int_eq(slots_set_rights(s, BASE, PAGE_NO_WRITE, &err), -ENOTSUP);
	ck_assert_msg(strstr(err.msg, "KVM_CAP_READONLY_MEM"), "%s", err.msg);
	ck_assert_uint_eq(slots_restricted(s), 0);
	add(ID, BASE, 2, false);
	set_all(".x");
	expect_all(".x");
	end();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("carve");
	TCase *c = tcase_create("carve");
	int modes = guest_has_rings() ? 2 : 1;

	if (guest_no_kvm())
		return unit_skip_all("/dev/kvm cannot be opened");
	tcase_set_timeout(c, 120);
	tcase_add_test(c, by_page);
	tcase_add_test(c, aliases);
	tcase_add_test(c, slot_changes);
	tcase_add_loop_test(c, dirty_logs, 0, modes);
	tcase_add_test(c, open_and_close);
	tcase_add_test(c, slot_check);
	tcase_add_test(c, no_readonly);
	suite_add_tcase(suite, c);
	return unit_main(suite);
}
