/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rights to many pages, with too few slot numbers, refused by KVM at any point, and changed at random. */
#include "tests/carve_rig.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/unit.h"

/* A thousand pages apart; one more is a matter of its neighbours. */
START_TEST(many)
{
	const unsigned n = 1000;

	begin(false, 0);
	add(ID, BASE, 2 * n, false);
	for (unsigned i = 0; i < n; i++)
		set(2 * i, i % 2 ? PAGE_NO_WRITE : PAGE_NO_ACCESS);
	carve();
	check_slots();
	ck_assert_uint_eq(slots_restricted(s), n);
	for (unsigned i = 0; i < 2 * n; i += 1 + (i > 64) * 37)
		expect(BASE + i * PAGE, i % 2 ? PAGE_ALL : i % 4 ? PAGE_NO_WRITE : PAGE_NO_ACCESS);
	changes = 0;
	set(1001, PAGE_NO_WRITE);
	carve();
	ck_assert_uint_le(changes, 4);
	set(1001, PAGE_ALL);
	carve();
	ck_assert_uint_le(changes, 8);
	carve();
	set(500, PAGE_NO_ACCESS);       /* as it is */
	carve();
	ck_assert_uint_le(changes, 8);
	ok(slots_open(s, NULL, 0));
	for (unsigned i = 0; i < 2 * n; i += 37)
		expect(BASE + i * PAGE, PAGE_ALL);
	ok(slots_close(s));
	check_slots();
	for (unsigned i = 0; i < n; i++)
		set(2 * i, PAGE_ALL);
	carve();
	check_slots();
	ck_assert_uint_eq(s->carve.used, 0);
	ck_assert_ptr_eq(carve_pieces(s, ID), NULL);
	end();
}
END_TEST

/* Numbers: the user's slots come first, and when there are none left it is said. */
START_TEST(numbers)
{
	const unsigned max = 48;

	begin(false, max);
	add(ID, BASE, 16, false);
	set_all(".r.r.r.r.r.r.r.r");
	for (unsigned i = 0; i < 10; i++)
		add(max - 1 - i, BASE + (100 + i) * PAGE, 1, false);
	expect_all(".r.r.r.r.r.r.r.r");
	for (unsigned i = 10; i < 40; i++) {
		const struct slot_spec spec = { .id = max - 1 - i, .gpa = BASE + (100 + i) * PAGE, .size = PAGE,
						.backing = SLOT_ANON };
		int r = slots_add(s, &spec, "user", NULL, &err);

		if (r) {
			ck_assert_int_eq(r, -ENOSPC);
			ck_assert_msg(strstr(err.msg, "its number stands for a piece of slot 5"), "%s", err.msg);
			break;
		}
		ck_assert_msg(i < 39, "48 numbers are enough for anything");
	}
	expect_all(".r.r.r.r.r.r.r.r");
	set(0, PAGE_NO_WRITE);
	set(4, PAGE_NO_ACCESS);
	set(12, PAGE_NO_ACCESS);
	set(14, PAGE_NO_ACCESS);
	set(15, PAGE_ALL);
	ok(slots_carve(s, &err));       /* as many pieces as before, or fewer */
	expect_all("rr.rxr.r.r.rxrx.");
	ok(slots_resize(s, ID, 14 * PAGE, &err));
	add(6, BASE + 20 * PAGE, 8, false);
	set(22, PAGE_NO_WRITE);
	ck_assert_int_eq(slots_carve(s, &err), -ENOSPC);
	ck_assert_msg(strstr(err.msg, "too few of this host's 48 slots are free"), "%s", err.msg);
	ck_assert_uint_eq(slots_rights(s, BASE + 22 * PAGE), PAGE_ALL);
	expect_all("rr.rxr.r.r.rxr");
	expect(BASE + 22 * PAGE, PAGE_ALL);
	/* What the user gives back is there for pieces again, but for some numbers that slots_open() needs. */
	for (unsigned i = 0; i < 10; i++)
		ok(slots_remove(s, max - 1 - i, &err));
	ck_assert_uint_ge(s->carve.below, max);
	set(22, PAGE_NO_WRITE);
	ck_assert_int_eq(slots_carve(s, &err), -ENOSPC);
	for (unsigned i = 10; i < 20; i++)
		ok(slots_remove(s, max - 1 - i, &err));
	set(22, PAGE_NO_WRITE);
	carve();
	expect(BASE + 22 * PAGE, PAGE_NO_WRITE);
	check_slots();
	end();
}
END_TEST

/* A refusal of KVM at any point leaves slots, rights and pages as they were. */
enum { F_CARVE, F_MOVE, F_RESIZE, F_GROW, F_SPLIT, F_READONLY, F_REMOVE, F_ADD, F_OPEN, F_OPEN_ALL, F_LOG, FAILURES };

static int do_it(int what)
{
	const bool on = true;
	const uint64_t gpas[] = { BASE + PAGE, BASE + 2 * PAGE, BASE + 10 * PAGE };
	const struct slot_spec spec = { .id = k.max_slots - 2, .gpa = BASE + 30 * PAGE, .size = 8 * PAGE,
					.backing = SLOT_ANON };
	unsigned high;

	switch (what) {
	case F_CARVE:
		set(3, PAGE_NO_WRITE);
		set(5, PAGE_ALL);
		set(9, PAGE_ALL);
		set(10, PAGE_NO_ACCESS);
		return slots_carve(s, &err);
	case F_MOVE:
		return slots_move(s, ID, BASE + 20 * PAGE, NULL, &err);
	case F_RESIZE:
		return slots_resize(s, ID, 3 * PAGE, &err);
	case F_GROW:
		return slots_resize(s, 6, 5 * PAGE, &err);
	case F_SPLIT:
		return slots_split(s, ID, 4 * PAGE, &high, &err);
	case F_READONLY:
		return slots_flags(s, ID, NULL, &on, &err);
	case F_REMOVE:
		return slots_remove(s, ID, &err);
	case F_ADD:
		return slots_add(s, &spec, "user", NULL, &err);
	case F_OPEN:
		return slots_open(s, gpas, 3);
	case F_OPEN_ALL:
		return slots_open(s, NULL, 0);
	default:
		return slots_flags(s, 6, &on, NULL, &err);
	}
}

START_TEST(failures)
{
	unsigned refused = 0;
	int r = -1;

	begin(false, 0);
	add(ID, BASE, 8, true);
	add(6, BASE + 8 * PAGE, 4, false);
	set_all("rr.xxx.r.r");
	set(31, PAGE_NO_ACCESS);
	carve();
	for (int at = 0; r; at++) {
		unsigned used = s->carve.used;

		failed = false;
		fail_at = at;
		r = do_it(_i);
		fail_at = -1;
		ck_assert_msg((r != 0) == failed, "the %d-th change failed: %d", at, r);
		if (!r)
			break;
		refused++;
		ck_assert_uint_eq(s->carve.used, used);
		expect_all("rr.xxx.r.r..");
		ck_assert_uint_eq(slots_restricted(s), 8);
		write_page(6);
		ck_assert_int_lt(at, 100);
	}
	ck_assert_uint_gt(refused, 0);
	ok(slots_close(s));
	check_slots();
	end();
}
END_TEST

/* When KVM does not take back either what it had, the slot is gone whole, and says so. */
START_TEST(lost)
{
	for (int at = 0; at < 40; at++) {
		size_t pieces = 0;
		int r;

		begin(false, 0);
		add(ID, BASE, 8, true);
		add(6, BASE + 8 * PAGE, 4, false);
		set_all("rr.xxx.r.r");
		failed = false;
		fail_memory = true;
		fail_at = at;
		r = do_it(_i);
		fail_at = -1;
		fail_memory = false;
		ck_assert_msg((r != 0) == failed, "the %d-th change failed: %d", at, r);
		failed = false;
		/* A piece that was to make way for another number comes back with this. */
		carve();
		if (!r)
			at = 40;
		for (unsigned id = ID; id <= 6; id++)
			if (slots_get(s, id))
				pieces += carve_pieces(s, id) ? carve_pieces(s, id)->n : 0;
			else
				ck_assert_ptr_null(carve_pieces(s, id));
		ck_assert_uint_le(pieces, s->carve.used);
		if (r && !slots_get(s, ID)) {
			ck_assert_msg(_i == F_CARVE || strstr(err.msg, "is gone"), "%s", err.msg);
			ck_assert_uint_eq(pieces, s->carve.used);
			expect_all("      ");
		} else if (r && slots_get(s, 6)) {
			ck_assert_uint_eq(pieces, s->carve.used);
			expect_all("rr.xxx.r.r");
		}
		check_slots();
		end();
	}
}
END_TEST

/* Random changes against a model. */
#define IDS      6u             /* slots 1 to IDS */
#define ROUNDS   6000u
#define SECONDS  20             /* at most: a slow host does fewer */

static enum page_rights model[AREA];
static bool wrote[IDS + 1][AREA];       /* since the log was taken last */

static unsigned pick(unsigned n)
{
	return (unsigned)rand() % n;
}

/* The rights of AREA's page that the guest finds, of a slot's and its own. */
static enum page_rights guest_rights(const struct gmem_region *g, unsigned page)
{
	return model[page] != PAGE_ALL ? model[page] : g->readonly || g->watched ? PAGE_NO_WRITE : PAGE_ALL;
}

static void probe_page(unsigned page, bool open)
{
	uint64_t gpa = BASE + page * PAGE;
	const struct gmem_region *g = gmem_find(slots_gmem(s), gpa);
	enum page_rights r;

	if (!g) {
		guest_access(READS, gpa, 0);
		ck_assert_uint_eq(exits, 1);
		return;
	}
	r = guest_rights(g, page);
	if (open)
		r = g->readonly || g->watched ? PAGE_NO_WRITE : PAGE_ALL;
	expect(gpa, r);
	if (r == PAGE_ALL)
		wrote[g->slot][(gpa - g->gpa) / PAGE] = true;
}

static void random_rights(void)
{
	unsigned n = 1 + pick(4);

	while (n--) {
		unsigned first = pick(AREA), len = 1 + pick(6), rights = pick(3);

		for (unsigned i = first; i < first + len && i < AREA; i++)
			set(i, model[i] = (enum page_rights)rights);
	}
	carve();
}

static void random_open(void)
{
	uint64_t gpas[8];
	unsigned n = pick(8), page[8];

	for (unsigned i = 0; i < n; i++)
		gpas[i] = BASE + (page[i] = pick(AREA)) * PAGE;
	ok(slots_open(s, gpas, n));
	for (unsigned i = 0; i < n; i++)
		probe_page(page[i], true);
	if (!n)
		probe_page(pick(AREA), true);
	ok(slots_close(s));
}

static void random_slot(unsigned id)
{
	struct slot *v = slots_get(s, id);
	uint64_t gpa = BASE + pick(AREA) * PAGE, size = (1 + pick(24)) * PAGE;
	struct slot_spec spec = { .id = id, .gpa = gpa, .size = size, .backing = pick(3) ? SLOT_ANON : SLOT_ALIAS,
				  .alias_of = 1 + pick(IDS), .log = pick(2), .readonly = !pick(5) };
	bool log = pick(2), ro = pick(2);
	unsigned high;

	if (!v) {
		if (!slots_add(s, &spec, "user", NULL, &err))
			memset(wrote[id], 0, sizeof(wrote[id]));
		return;
	}
	switch (pick(6)) {
	case 0:
		ok(slots_remove(s, id, &err));
		break;
	case 1:
		slots_move(s, id, gpa, NULL, &err);
		break;
	case 2:
		if (!slots_resize(s, id, size, &err))
			for (uint64_t i = size / PAGE; i < AREA; i++)
				wrote[id][i] = false;
		break;
	case 3:
		if (log && !v->log)
			memset(wrote[id], 0, sizeof(wrote[id]));
		slots_flags(s, id, &log, &ro, &err);
		break;
	case 4:
		slots_watch(s, id, ro, &err);
		break;
	default:
		high = 1;
		while (high <= IDS && slots_get(s, high))
			high++;
		if (high > IDS || slots_split(s, id, size, &high, &err))
			break;
		memset(wrote[high], 0, sizeof(wrote[high]));
		for (uint64_t i = size / PAGE; i < AREA; i++) {
			wrote[high][i - size / PAGE] = wrote[id][i];
			wrote[id][i] = false;
		}
	}
}

static void random_take(unsigned id)
{
	struct slot *v = slots_get(s, id);

	if (!v || !v->log)
		return;
	take(id);
	for (unsigned i = 0; i < map.pages; i++)
		ck_assert_msg((map.bits[i / 64] >> i % 64 & 1) == wrote[id][i], "slot %u page %u: %d", id, i, wrote[id][i]);
	memset(wrote[id], 0, sizeof(wrote[id]));
}

START_TEST(random_changes)
{
	time_t until = time(NULL) + SECONDS;

	begin(_i, 0);
	srand(5);
	memset(model, 0, sizeof(model));
	memset(wrote, 0, sizeof(wrote));
	for (unsigned n = 0; n < ROUNDS / (1 + 2 * (unsigned)_i) && (n % 64 || time(NULL) < until); n++) {
		unsigned what = pick(8), restricted = 0;

		if (what < 2)
			random_rights();
		else if (what < 3)
			random_open();
		else if (what < 4)
			random_take(1 + pick(IDS));
		else
			random_slot(1 + pick(IDS));
		for (unsigned i = 0; i < 6; i++)
			probe_page(pick(AREA), false);
		if (n % 8 == 0)
			check_slots();
		for (unsigned i = 0; i < AREA; i++)
			restricted += model[i] != PAGE_ALL;
		ck_assert_uint_eq(slots_restricted(s), restricted);
	}
	free(map.bits);
	map.bits = NULL;
	end();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("carve, many");
	TCase *c = tcase_create("carve, many");
	int modes = guest_has_rings() ? 2 : 1;

	if (guest_no_kvm())
		return unit_skip_all("/dev/kvm cannot be opened");
	tcase_set_timeout(c, 120);
	tcase_add_test(c, many);
	tcase_add_test(c, numbers);
	tcase_add_loop_test(c, failures, 0, FAILURES);
	tcase_add_loop_test(c, lost, 0, F_OPEN);
	tcase_add_loop_test(c, random_changes, 0, modes);
	suite_add_tcase(suite, c);
	return unit_main(suite);
}
