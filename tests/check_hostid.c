/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The host's CPUID, remembered. */
#include <cpuid.h>

#include "tests/unit.h"
#include "arch/x86/hostid.h"

/* Their values do not depend on which processor is asked, nor on when. */
static const struct {
	uint32_t leaf, sub;
} leaves[] = {
	{ 0, 0 }, { 7, 0 }, { 0x80000001, 0 }, { 7, 1 }, { 0x80000000, 0 }, { 0xd, 0 }, { 0xd, 1 }, { 0xd, 2 }, { 2, 0 },
	{ 0x80000002, 0 }, { 0x80000003, 0 }, { 0x80000004, 0 },
};

#define COUNT (sizeof(leaves) / sizeof(leaves[0]))

static void expect(struct hostid *h, size_t i)
{
	uint32_t want[4] = { 0 };

	__get_cpuid_count(leaves[i].leaf, leaves[i].sub, &want[HOSTID_EAX], &want[HOSTID_EBX], &want[HOSTID_ECX], &want[HOSTID_EDX]);
	ck_assert_mem_eq(hostid_leaf(h, leaves[i].leaf, leaves[i].sub), want, sizeof(want));
}

START_TEST(leaves_are_the_processors)
{
	struct hostid h = { 0 };

	for (size_t round = 0; round < 3; round++)
		for (size_t i = 0; i < COUNT; i++)
			expect(&h, i);
	for (size_t i = COUNT; i--; )
		expect(&h, i);
	ck_assert_uint_eq(h.n, HOSTID_LEAVES);
}
END_TEST

START_TEST(what_was_read_is_not_read_again)
{
	struct hostid h = { 0 };
	const uint32_t *r = hostid_leaf(&h, 7, 0);
	uint32_t *seen = h.seen[0].r;

	ck_assert_ptr_eq(r, seen);
	seen[HOSTID_EBX] ^= 1;
	hostid_leaf(&h, 7, 1);
	hostid_leaf(&h, 1, 0);
	ck_assert_uint_eq(h.n, 3);
	ck_assert_ptr_eq(hostid_leaf(&h, 7, 0), seen);
	ck_assert_uint_eq(h.n, 3);
}
END_TEST

START_TEST(what_is_not_there_is_nothing)
{
	static const uint32_t none[4];
	struct hostid h = { 0 };

	hostid_leaf(&h, 7, 0);
	for (unsigned i = 0; i < 2; i++) {
		ck_assert_mem_eq(hostid_leaf(&h, 0x7fffffff, i), none, sizeof(none));
		ck_assert_mem_eq(hostid_leaf(&h, 0xffffffff, i), none, sizeof(none));
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("hostid");
	TCase *t = tcase_create("hostid");

	tcase_add_test(t, leaves_are_the_processors);
	tcase_add_test(t, what_was_read_is_not_read_again);
	tcase_add_test(t, what_is_not_there_is_nothing);
	suite_add_tcase(s, t);
	return unit_main(s);
}
