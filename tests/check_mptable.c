/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The MP table, read as MP 1.4 says that a kernel reads it. */
#include "load/mptable.h"

#include <errno.h>
#include <string.h>

#include "tests/table_env.h"

#define GPA     0xf0000u
#define POINTER 16u             /* bytes */
#define HEADER  44u

static struct mptable_spec spec(unsigned cpus)
{
	return (struct mptable_spec){ .cpus = cpus, .cpu_signature = 0x000306a9, .cpu_features = 0x0fabfbff, .gpa = GPA,
				      .size = MPTABLE_BYTES_MAX };
}

/* Builds one; returns where its configuration table is. */
static uint64_t make(unsigned cpus)
{
	struct mptable_spec s = spec(cpus);
	uint64_t at = 0;

	ck_assert_int_eq(mptable_build(&s, table_mem, &at, &table_err), 0);
	ck_assert_uint_eq(at, GPA);
	return table_get(at + 4, 4);
}

/* How many entries of TYPE there are, and where each is. */
static unsigned find(uint64_t config, unsigned type, uint64_t *ret, unsigned max)
{
	uint64_t at = config + HEADER, end = config + table_get(config + 4, 2);
	unsigned n = 0, entries = 0, last = 0;

	for (; at < end; at += table_get(at, 1) ? 8 : 20, entries++) {
		ck_assert_uint_le(table_get(at, 1), 4);
		ck_assert_uint_ge(table_get(at, 1), last);
		last = (unsigned)table_get(at, 1);
		if (last == type && n < max)
			ret[n++] = at;
	}
	ck_assert_uint_eq(at, end);
	ck_assert_uint_eq(entries, table_get(config + 34, 2));
	return n;
}

START_TEST(pointer_and_header)
{
	uint64_t config = make(2), length = table_get(config + 4, 2);

	ck_assert_mem_eq(table_at(GPA), "_MP_", 4);
	ck_assert_uint_eq(table_get(GPA + 8, 1), 1);
	ck_assert_uint_eq(table_get(GPA + 9, 1), 4);
	ck_assert_uint_eq(table_sum(GPA, POINTER), 0);
	ck_assert_uint_eq(table_get(GPA + 11, 4), 0);
	ck_assert_uint_eq(config, GPA + POINTER);
	ck_assert_mem_eq(table_at(config), "PCMP", 4);
	ck_assert_uint_eq(table_get(config + 6, 1), 4);
	ck_assert_uint_eq(table_sum(config, length), 0);
	ck_assert_mem_eq(table_at(config + 8), "GDBVISORPC          ", 20);
	ck_assert_uint_eq(table_get(config + 36, 4), 0xfee00000);
	table_untouched_but(GPA, POINTER + length);
}
END_TEST

START_TEST(processors)
{
	static const unsigned count[] = { 1, 2, 4, 63, 64 };
	uint64_t at[80];

	for (unsigned i = 0; i < sizeof(count) / sizeof(count[0]); i++) {
		ck_assert_uint_eq(find(make(count[i]), 0, at, 80), count[i]);
		for (unsigned cpu = 0; cpu < count[i]; cpu++) {
			ck_assert_uint_eq(table_get(at[cpu] + 1, 1), cpu);
			ck_assert_uint_eq(table_get(at[cpu] + 3, 1), cpu ? 1 : 3);
			ck_assert_uint_eq(table_get(at[cpu] + 4, 4), 0x000306a9);
			ck_assert_uint_eq(table_get(at[cpu] + 8, 4), 0x0fabfbff);
		}
	}
}
END_TEST

START_TEST(buses_and_io_apic)
{
	uint64_t config = make(1), at[4];

	ck_assert_uint_eq(find(config, 1, at, 4), 2);
	ck_assert_mem_eq(table_at(at[0] + 1), "\0PCI   ", 7);
	ck_assert_mem_eq(table_at(at[1] + 1), "\1ISA   ", 7);
	ck_assert_uint_eq(find(config, 2, at, 4), 1);
	ck_assert_uint_eq(table_get(at[0] + 1, 3), 0x011100);
	ck_assert_uint_eq(table_get(at[0] + 4, 4), 0xfec00000);
}
END_TEST

START_TEST(interrupts)
{
	uint64_t config = make(1), at[256];
	unsigned n = find(config, 3, at, 256), isa = 0, pci = 0;

	for (unsigned i = 0; i < n; i++) {
		unsigned bus = (unsigned)table_get(at[i] + 4, 1), source = (unsigned)table_get(at[i] + 5, 1);
		unsigned line = (unsigned)table_get(at[i] + 7, 1), flags = (unsigned)table_get(at[i] + 2, 2);

		ck_assert_uint_eq(table_get(at[i] + 1, 1), 0);
		ck_assert_uint_eq(table_get(at[i] + 6, 1), 0);
		if (bus == 0) {
			/* Slot s, pin p: PIRQ (s - 1 + p) mod 4; A and B are 10, C and D 11. */
			ck_assert_uint_eq(line, ((source >> 2) + (source & 3) + 3) % 4 < 2 ? 10 : 11);
			ck_assert_uint_eq(flags, 0x0d);
			pci++;
		} else {
			ck_assert_uint_eq(line, source);
			ck_assert_uint_eq(flags, source == 9 ? 0x0d : 0);
			isa |= 1u << source;
		}
	}
	ck_assert_uint_eq(pci, 128);
	/* All but the cascade and PCI's. */
	ck_assert_uint_eq(isa, 0xf3fb);
	ck_assert_uint_eq(find(config, 4, at, 256), 2);
	ck_assert_mem_eq(table_at(at[0]), "\4\3\0\0\1\0\0\0", 8);
	ck_assert_mem_eq(table_at(at[1]), "\4\1\0\0\1\0\xff\1", 8);
}
END_TEST

START_TEST(what_does_not_fit)
{
	struct mptable_spec s = spec(64);
	uint64_t at = 77, need;

	need = POINTER + table_get(make(64) + 4, 2);
	ck_assert_uint_le(need, MPTABLE_BYTES_MAX);
	memset(table_ram, TABLE_FILL, sizeof(table_ram));
	for (s.size = 0; s.size < need; s.size += 97)
		table_expect_error(mptable_build(&s, table_mem, &at, &table_err), ENOSPC, "it needs");
	s.size = need - 1;
	table_expect_error(mptable_build(&s, table_mem, &at, &table_err), ENOSPC, "it needs");
	s = spec(0);
	table_expect_error(mptable_build(&s, table_mem, &at, &table_err), EINVAL, "0 vCPUs");
	s = spec(65);
	table_expect_error(mptable_build(&s, table_mem, &at, &table_err), EINVAL, "65 vCPUs");
	s = spec(1);
	s.gpa += 8;
	table_expect_error(mptable_build(&s, table_mem, &at, &table_err), EINVAL, "no place");
	s.gpa = 0xffff0;
	table_expect_error(mptable_build(&s, table_mem, &at, &table_err), EINVAL, "no place");
	s.gpa = 0x100000;
	table_expect_error(mptable_build(&s, table_mem, &at, &table_err), EINVAL, "no place");
	s.gpa = UINT64_MAX & ~15ull;
	s.size = UINT64_MAX;
	table_expect_error(mptable_build(&s, table_mem, &at, &table_err), EINVAL, "no place");
	/* The beginning is no RAM. */
	s.gpa = TABLE_GPA - 16;
	s.size = MPTABLE_BYTES_MAX;
	table_expect_error(mptable_build(&s, table_mem, &at, &table_err), ENOSPC, "no RAM");
	ck_assert_uint_eq(at, 77);
	/* Exactly enough is enough. */
	s = spec(64);
	s.size = need;
	ck_assert_int_eq(mptable_build(&s, table_mem, &at, &table_err), 0);
	table_untouched_but(GPA, need);
}
END_TEST

START_TEST(end_of_memory)
{
	struct mptable_spec s = spec(1);
	struct gmem_region r = { .gpa = TABLE_GPA, .size = 0x10100, .hva = table_ram };
	uint64_t at = 0;

	ck_assert_int_eq(gmem_remove(table_mem, TABLE_GPA), 0);
	ck_assert_int_eq(gmem_add(table_mem, &r, &table_err), 0);
	table_expect_error(mptable_build(&s, table_mem, &at, &table_err), ENOSPC, "no RAM");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("mptable");
	TCase *t = tcase_create("mptable");

	tcase_add_checked_fixture(t, table_setup, table_teardown);
	tcase_add_test(t, pointer_and_header);
	tcase_add_test(t, processors);
	tcase_add_test(t, buses_and_io_apic);
	tcase_add_test(t, interrupts);
	tcase_add_test(t, what_does_not_fit);
	tcase_add_test(t, end_of_memory);
	suite_add_tcase(s, t);
	return unit_main(s);
}
