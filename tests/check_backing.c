/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Host memory behind slots: how many pages a guest that has done little holds, growth, which moves it, and what cannot be had. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
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

/* ---- What cannot be had ---- */

static char dir[] = "/tmp/gv-backing-XXXXXX";
static char data[64], fifo[64], absent[64];

static void make_files(void)
{
	int fd;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(data, sizeof(data), "%s/data", dir);
	snprintf(fifo, sizeof(fifo), "%s/fifo", dir);
	snprintf(absent, sizeof(absent), "%s/absent", dir);
	fd = open(data, O_RDWR | O_CREAT | O_EXCL, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, 3 * PAGE), 0);
	ck_assert_int_eq(pwrite(fd, "f", 1, PAGE), 1);
	close(fd);
	ck_assert_int_eq(mkfifo(fifo, 0600), 0);
}

static void remove_files(void)
{
	unlink(data);
	unlink(fifo);
	rmdir(dir);
	strcpy(dir, "/tmp/gv-backing-XXXXXX");
}

/* The number that the next descriptor has: the same while none is lost. */
static int next_fd(void)
{
	int fd = open("/dev/null", O_RDONLY);

	close(fd);
	return fd;
}

static void refused(int r, int code, const char *says)
{
	ck_assert_msg(r == -code && err.code == code && strstr(err.msg, says), "%d, %d, \"%s\", not %d, \"%s\"", r, err.code, err.msg,
		      code, says);
}

static const struct {
	struct slot_spec spec;
	int code;
	const char *says;
} wrong[] = {
	{ { .size = PAGE, .backing = SLOT_FILE, .path = dir }, EINVAL, "a directory, no ordinary file" },
	{ { .size = PAGE, .backing = SLOT_FILE, .path = "/dev/zero" }, EINVAL, "/dev/zero: a device, no ordinary file" },
	{ { .size = PAGE, .backing = SLOT_FILE, .path = fifo }, EINVAL, "a pipe or socket, no ordinary file" },
	{ { .size = PAGE, .backing = SLOT_FILE, .path = absent }, ENOENT, "absent: No such file" },
	{ { .size = PAGE, .backing = SLOT_FILE, .path = data, .offset = 1 }, EINVAL, "offset 0x1 is no multiple of 0x1000" },
	{ { .size = 4 * PAGE, .backing = SLOT_FILE, .path = data }, EINVAL, "has 0x3000 bytes, 0x4000 at offset 0x0 are wanted" },
	{ { .size = PAGE, .backing = SLOT_FILE, .path = data, .offset = 3 * PAGE }, EINVAL, "0x1000 at offset 0x3000 are wanted" },
	{ { .size = PAGE, .backing = SLOT_FILE, .path = data, .offset = 1ull << 63 }, EINVAL, "has 0x3000 bytes" },
	{ { .size = -PAGE, .backing = SLOT_FILE, .path = data, .offset = PAGE }, EINVAL, "has 0x3000 bytes" },
	{ { .size = 1ull << 62, .backing = SLOT_ANON }, ENOMEM, "cannot map 0x4000000000000000 bytes of guest memory" },
	{ { .size = -PAGE, .backing = SLOT_ANON }, ENOMEM, "cannot map 0xfffffffffffff000 bytes" },
	{ { .size = 1ull << 62, .backing = SLOT_MEMFD }, ENOMEM, "cannot map" },
	{ { .size = -PAGE, .backing = SLOT_MEMFD }, ENOMEM, "cannot map" },
	{ { .size = PAGE, .backing = SLOT_HUGETLB, .huge_size = PAGE }, EINVAL, "2 MiB or 1 GiB, not 0x1000 bytes" },
	{ { .size = HUGE + PAGE, .backing = SLOT_HUGETLB, .huge_size = HUGE }, EINVAL, "no multiple of the huge page, 2 MiB" },
	{ { .size = HUGE, .backing = SLOT_HUGETLB, .huge_size = 1ull << 30 }, EINVAL, "no multiple of the huge page, 1 GiB" },
	/* more than any host has reserved */
	{ { .size = 1ull << 45, .backing = SLOT_HUGETLB, .huge_size = HUGE }, ENOMEM, "free huge pages of 2 MiB: reserve them in" },
};

START_TEST(what_cannot_be_made)
{
	struct backing *const none = (struct backing *)&err, *b = none;
	int fd = next_fd();

	refused(backing_new(&wrong[_i].spec, &b, &err), wrong[_i].code, wrong[_i].says);
	ck_assert_ptr_eq(b, none);
	ck_assert_int_eq(next_fd(), fd);
}
END_TEST

static const struct {
	uint64_t offset, size;
	const char *says;
} odd[] = {
	{ 0, 0, "the size not 0" }, { 1, PAGE, "multiples of 0x1000" }, { 0, 1, "multiples of 0x1000" },
	{ PAGE, PAGE + 1, "multiples of 0x1000" },
};

START_TEST(what_cannot_be_changed)
{
	static const enum slot_backing kinds[] = { SLOT_ANON, SLOT_MEMFD };
	int fd;

	for (size_t k = 0; k < 2; k++) {
		struct backing *b = make(kinds[k], 0, 4 * PAGE);

		fd = next_fd();
		mark(b, 0, b->size);
		for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
			refused(backing_discard(b, odd[i].offset, odd[i].size, &err), EINVAL, odd[i].says);
			refused(backing_remap(b, odd[i].offset, odd[i].size, data, 0, &err), EINVAL, odd[i].says);
		}
		refused(backing_remap(b, 0, PAGE, data, 7, &err), EINVAL, "offset 0x7 is no multiple");
		refused(backing_remap(b, 0, PAGE, absent, 0, &err), ENOENT, "absent: No such file");
		refused(backing_remap(b, 0, PAGE, fifo, 0, &err), EINVAL, "no ordinary file");
		refused(backing_remap(b, 0, 2 * PAGE, data, 2 * PAGE, &err), EINVAL, "are wanted");
		fail_at = 0;
		refused(backing_remap(b, PAGE, PAGE, data, PAGE, &err), ENOMEM, "data: mapping it over the slot");
		fail_at = -1;
		ck_assert(!b->remapped);
		expect(b, 0, b->size, false);
		ck_assert_int_eq(next_fd(), fd);
		/* one that goes well: it cannot grow then */
		ck_assert_int_eq(backing_remap(b, PAGE, PAGE, data, PAGE, &err), 0);
		ck_assert_int_eq(b->base[PAGE], 'f');
		refused(backing_grow(b, 8 * PAGE, &err), ENOTSUP, "remapped in part cannot grow");
		expect(b, 2 * PAGE, b->size, false);
		refused(backing_grow(b, 1ull << 62, &err), ENOTSUP, "remapped in part cannot grow");
		backing_put(b);
	}
}
END_TEST

START_TEST(what_cannot_grow)
{
	const struct slot_spec spec = { .size = PAGE, .backing = SLOT_FILE, .path = data, .offset = PAGE };
	struct backing *b, was;

	ck_assert_int_eq(backing_new(&spec, &b, &err), 0);
	was = *b;
	refused(backing_grow(b, 3 * PAGE, &err), EINVAL, "has 0x3000 bytes, 0x3000 at offset 0x1000 are wanted");
	ck_assert_mem_eq(b, &was, sizeof(was));
	ck_assert_int_eq(backing_grow(b, 2 * PAGE, &err), 0);
	ck_assert_int_eq(b->base[0], 'f');
	/* the file becomes shorter than where it begins */
	ck_assert_int_eq(truncate(data, 0), 0);
	refused(backing_grow(b, 2 * PAGE, &err), EINVAL, "has 0x0 bytes");
	backing_put(b);
	for (unsigned i = 0; i < 2; i++) {
		b = make(i ? SLOT_MEMFD : SLOT_ANON, 0, PAGE);
		mark(b, 0, PAGE);
		refused(backing_grow(b, 1ull << 62, &err), ENOMEM, "cannot map 0x4000000000000000 bytes");
		refused(backing_grow(b, -PAGE, &err), ENOMEM, "cannot map 0xfffffffffffff000 bytes");
		ck_assert_uint_eq(b->size, PAGE);
		expect(b, 0, PAGE, false);
		backing_put(b);
	}
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
	t = tcase_create("refused");
	tcase_add_checked_fixture(t, make_files, remove_files);
	tcase_add_loop_test(t, what_cannot_be_made, 0, sizeof(wrong) / sizeof(wrong[0]));
	tcase_add_test(t, what_cannot_be_changed);
	tcase_add_test(t, what_cannot_grow);
	suite_add_tcase(s, t);
	return unit_main(s);
}
