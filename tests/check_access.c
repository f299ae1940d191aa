/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the paging unit allows, and its error codes; accessed and dirty bits. */
#include "arch/x86/access.h"

#include <errno.h>
#include <string.h>

#include "mem/gmem.h"
#include "tests/walk_env.h"

#define CR0_WP   (1ull << 16)
#define SMEP     (1ull << 20)
#define SMAP     (1ull << 21)
#define AC       (1ull << 18)
#define CODE_P   1
#define CODE_W   2
#define CODE_U   4
#define CODE_R   8
#define CODE_I   16

/* One page whose entry has these rights; -1: allowed. */
static const struct row {
	const char *what;
	uint64_t rights;
	enum access_kind kind;
	unsigned cpl;
	uint64_t cr0, cr4, flags;
	int code;
} rows[] = {
	{ "supervisor reads", P, ACCESS_READ, 0, 0, 0, 0, -1 },
	{ "supervisor writes what is read-only, without WP", P, ACCESS_WRITE, 0, 0, 0, 0, -1 },
	{ "and with WP", P, ACCESS_WRITE, 0, CR0_WP, 0, 0, CODE_P | CODE_W },
	{ "supervisor writes", P | W, ACCESS_WRITE, 0, CR0_WP, 0, 0, -1 },
	{ "ring 1 is a supervisor", P | W, ACCESS_WRITE, 1, CR0_WP, 0, 0, -1 },
	{ "user reads a supervisor's page", P | W, ACCESS_READ, 3, 0, 0, 0, CODE_P | CODE_U },
	{ "user reads", P | U, ACCESS_READ, 3, 0, 0, 0, -1 },
	{ "user writes what is read-only, without WP", P | U, ACCESS_WRITE, 3, 0, 0, 0, CODE_P | CODE_W | CODE_U },
	{ "user writes", P | U | W, ACCESS_WRITE, 3, 0, 0, 0, -1 },
	{ "supervisor reads a user's page", P | U, ACCESS_READ, 0, 0, 0, 0, -1 },
	{ "and with SMAP", P | U, ACCESS_READ, 0, 0, SMAP, 0, CODE_P },
	{ "and with SMAP and AC", P | U, ACCESS_READ, 0, 0, SMAP, AC, -1 },
	{ "a write with SMAP, without WP", P | U | W, ACCESS_WRITE, 0, 0, SMAP, 0, CODE_P | CODE_W },
	{ "SMAP is no matter to a user", P | U, ACCESS_READ, 3, 0, SMAP, 0, -1 },
	{ "supervisor fetches a user's page", P | U, ACCESS_FETCH, 0, 0, 0, 0, -1 },
	{ "and with SMEP", P | U, ACCESS_FETCH, 0, 0, SMEP, AC, CODE_P | CODE_I },
	{ "SMAP does not keep it", P | U, ACCESS_FETCH, 0, 0, SMAP, 0, -1 },
	{ "no-execute", P | U | NX, ACCESS_FETCH, 3, 0, 0, 0, CODE_P | CODE_U | CODE_I },
	{ "no-execute, supervisor", P | NX, ACCESS_FETCH, 0, 0, 0, 0, CODE_P | CODE_I },
	{ "no-execute reads", P | NX, ACCESS_READ, 0, 0, 0, 0, -1 },
	{ "not present", 0, ACCESS_READ, 0, 0, 0, 0, 0 },
	{ "not present, written by a user", 0, ACCESS_WRITE, 3, 0, 0, 0, CODE_W | CODE_U },
	{ "not present, fetched", 0, ACCESS_FETCH, 0, 0, 0, 0, CODE_I },
	{ "reserved bits", P | 1ull << 51, ACCESS_WRITE, 0, 0, 0, 0, CODE_P | CODE_W | CODE_R },
};

static void map(uint64_t entry)
{
	put64(0x1000, 0x2000 | P | W | U);
	put64(0x2000, 0x3000 | P | W | U);
	put64(0x3000, 0x4000 | P | W | U);
	put64(0x4008, entry);
}

START_TEST(rights)
{
	const struct row *w = &rows[_i];
	struct paging p = mode_4;
	struct translation t;
	uint32_t code = 99;
	int e;

	p.cr0 |= w->cr0;
	p.cr4 |= w->cr4;
	p.efer |= NXE;
	p.phys_bits = 40;
	map(0x5000 | w->rights);
	translate(g, &p, 0x1234, &t, NULL);
	e = access_check(&p, &t, w->kind, &(struct access_by){ w->cpl, w->flags }, &code);
	ck_assert_msg(e == (w->code < 0 ? 0 : -EFAULT), "%s: %d", w->what, e);
	ck_assert_msg(code == (w->code < 0 ? 99 : (uint32_t)w->code), "%s: code 0x%x", w->what, code);
}
END_TEST

START_TEST(without_paging)
{
	struct translation t;
	uint32_t code;

	translate(g, &mode_none, 0xfffff000, &t, NULL);
	ck_assert_int_eq(access_check(&mode_none, &t, ACCESS_WRITE, &(struct access_by){ 3, 0 }, &code), 0);
}
END_TEST

/* A fetch is only told apart where something may forbid it. */
START_TEST(plain_fetches)
{
	struct paging p = mode_32;
	struct translation t;
	uint32_t code;

	translate(g, &p, 0x403123, &t, NULL);
	ck_assert_int_eq(access_check(&p, &t, ACCESS_FETCH, &(struct access_by){ 0, 0 }, &code), -EFAULT);
	ck_assert_uint_eq(code, 0);
	p.cr4 |= SMEP;
	ck_assert_int_eq(access_check(&p, &t, ACCESS_FETCH, &(struct access_by){ 0, 0 }, &code), -EFAULT);
	ck_assert_uint_eq(code, CODE_I);
	/* A table outside of memory has no bits at all. */
	put32(0x1004, 0xf00000 | P);
	translate(g, &p, 0x403123, &t, NULL);
	ck_assert_int_eq(access_check(&p, &t, ACCESS_READ, &(struct access_by){ 0, 0 }, &code), -EFAULT);
	ck_assert_uint_eq(code, 0);
}
END_TEST

static uint64_t entry_at(uint64_t gpa)
{
	uint64_t e;

	memcpy(&e, ram + gpa, sizeof(e));
	return e;
}

START_TEST(marks)
{
	struct translation t;

	map(0x5000 | P | W);
	ck_assert_int_eq(translate(g, &mode_4, 0x1234, &t, NULL), 0);
	access_mark(g, &mode_4, &t, false);
	ck_assert_uint_eq(entry_at(0x1000), 0x2000 | P | W | U | 0x20);
	ck_assert_uint_eq(entry_at(0x3000), 0x4000 | P | W | U | 0x20);
	ck_assert_uint_eq(entry_at(0x4008), 0x5000 | P | W | 0x20);
	access_mark(g, &mode_4, &t, true);
	ck_assert_uint_eq(entry_at(0x3000), 0x4000 | P | W | U | 0x20);
	ck_assert_uint_eq(entry_at(0x4008), 0x5000 | P | W | 0x60);

	/* The PDPTEs of PAE paging have none. */
	put64(0x1020, 0x2000 | P);
	put64(0x2000, 0x3000 | P | W | U);
	put64(0x3008, 0x5000 | P | W);
	ck_assert_int_eq(translate(g, &mode_pae, 0x1234, &t, NULL), 0);
	access_mark(g, &mode_pae, &t, true);
	ck_assert_uint_eq(entry_at(0x1020), 0x2000 | P);
	ck_assert_uint_eq(entry_at(0x3008), 0x5000 | P | W | 0x60);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("access");
	TCase *t = tcase_create("access");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, rights, 0, (int)(sizeof(rows) / sizeof(rows[0])));
	tcase_add_test(t, without_paging);
	tcase_add_test(t, plain_fetches);
	tcase_add_test(t, marks);
	suite_add_tcase(s, t);
	return unit_main(s);
}
