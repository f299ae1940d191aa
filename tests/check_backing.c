/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Host memory behind slots: how many pages a guest that has done little holds, and growth, which moves it. */
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kvm/backing.h"
#include "tests/unit.h"

#define PAGE 0x1000ull
#define MIB  0x100000ull
#define HUGE BACKING_HUGE_SIZE

/* The mremap(2) that backing.c calls: the FAIL_AT-th from now on (0 the next) fails, if that is not negative. */
static int fail_at = -1;

void *mremap(void *from, size_t old_size, size_t size, int flags, ...);
void *mremap(void *from, size_t old_size, size_t size, int flags, ...)
{
	va_list ap;
	void *to;

	va_start(ap, flags);
	to = flags & MREMAP_FIXED ? va_arg(ap, void *) : NULL;
	va_end(ap);
	if (fail_at >= 0 && fail_at-- == 0) {
		errno = ENOMEM;
		return MAP_FAILED;
	}
	return (void *)syscall(SYS_mremap, from, old_size, size, flags, to);
}

static struct err err;

static struct backing *make(enum slot_backing kind, uint64_t gpa, uint64_t size)
{
	const struct slot_spec spec = { .gpa = gpa, .size = size, .backing = kind };
	struct backing *b;

	ck_assert_msg(backing_new(&spec, &b, &err) == 0, "%s", err.msg);
	ck_assert_uint_eq(((uintptr_t)b->base - gpa) % HUGE, 0);
	return b;
}

static size_t resident(const struct backing *b, uint64_t size)
{
	unsigned char map[HUGE / PAGE];
	size_t n = 0;

	ck_assert_uint_le(size, HUGE);
	ck_assert_int_eq(mincore(b->base, size, map), 0);
	for (size_t i = 0; i < size / PAGE; i++)
		n += map[i] & 1;
	return n;
}

/* Whatever the host's policy for large pages is. */
START_TEST(few_pages_at_first)
{
	struct backing *b = make(SLOT_ANON, 0, 64 * MIB);

	ck_assert_uint_eq(resident(b, HUGE), 0);
	b->base[0x7c00] = 0xeb;
	ck_assert_uint_eq(resident(b, HUGE), 1);
	b->base[HUGE - 1] = 1;
	ck_assert_uint_eq(resident(b, HUGE), 2);
	backing_put(b);
}
END_TEST

/* A byte of each page says which it is. */
static void mark(struct backing *b, uint64_t from, uint64_t to)
{
	for (uint64_t at = from; at < to; at += PAGE)
		b->base[at + at / PAGE % PAGE] = (uint8_t)(at / PAGE % 251 + 1);
}

static void expect(const struct backing *b, uint64_t from, uint64_t to, bool zero)
{
	for (uint64_t at = from; at < to; at += PAGE)
		ck_assert_msg(b->base[at + at / PAGE % PAGE] == (zero ? 0 : at / PAGE % 251 + 1), "at 0x%llx of 0x%llx",
			      (unsigned long long)at, (unsigned long long)b->size);
}

static const struct {
	enum slot_backing kind;
	uint64_t gpa;
} grown[] = {
	{ SLOT_ANON, 0 }, { SLOT_ANON, MIB }, { SLOT_ANON, HUGE }, { SLOT_ANON, 5 * MIB }, { SLOT_MEMFD, 0 }, { SLOT_MEMFD, 5 * MIB },
};

START_TEST(growth_keeps_what_is_there)
{
	static const uint64_t sizes[] = { PAGE, MIB, HUGE - PAGE, HUGE, HUGE + PAGE, 7 * MIB, 12 * MIB };
	const size_t n = sizeof(sizes) / sizeof(sizes[0]);

	for (size_t first = 0; first < n; first++) {
		struct backing *b = make(grown[_i].kind, grown[_i].gpa, sizes[first]);

		mark(b, 0, b->size);
		for (size_t i = first + 1; i < n; i++) {
			ck_assert_msg(backing_grow(b, sizes[i], &err) == 0, "%s", err.msg);
			ck_assert_uint_eq(b->size, sizes[i]);
			ck_assert_uint_eq(((uintptr_t)b->base - grown[_i].gpa) % HUGE, 0);
			expect(b, 0, sizes[i - 1], false);
			expect(b, sizes[i - 1], sizes[i], true);
			mark(b, sizes[i - 1], sizes[i]);
		}
		expect(b, 0, b->size, false);
		backing_put(b);
	}
}
END_TEST

START_TEST(growth_that_fails_changes_nothing)
{
	struct backing *b = make(grown[_i].kind, grown[_i].gpa, 3 * MIB), was = *b;
	int failures = 0;

	mark(b, 0, b->size);
	for (int at = 0; ; at++) {
		fail_at = at;
		if (!backing_grow(b, 9 * MIB, &err))
			break;
		fail_at = -1;
		failures++;
		ck_assert_mem_eq(b, &was, sizeof(was));
		expect(b, 0, b->size, false);
	}
	ck_assert_int_eq(failures, grown[_i].gpa < HUGE ? 2 : 1);
	fail_at = -1;
	expect(b, 0, 3 * MIB, false);
	expect(b, 3 * MIB, b->size, true);
	backing_put(b);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("backing");
	TCase *t = tcase_create("backing");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, few_pages_at_first);
	tcase_add_loop_test(t, growth_keeps_what_is_there, 0, sizeof(grown) / sizeof(grown[0]));
	tcase_add_loop_test(t, growth_that_fails_changes_nothing, 0, sizeof(grown) / sizeof(grown[0]));
	suite_add_tcase(s, t);
	return unit_main(s);
}
