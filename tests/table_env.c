/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/table_env.h"

#include <string.h>

uint8_t table_ram[TABLE_BYTES];
struct gmem *table_mem;
struct err table_err;

void table_setup(void)
{
	struct gmem_region r = { .gpa = TABLE_GPA, .size = TABLE_BYTES, .hva = table_ram };

	memset(table_ram, TABLE_FILL, sizeof(table_ram));
	table_err = (struct err){ 0 };
	ck_assert_int_eq(gmem_new(&table_mem, &table_err), 0);
	ck_assert_int_eq(gmem_add(table_mem, &r, &table_err), 0);
}

void table_teardown(void)
{
	gmem_free(table_mem);
}

const uint8_t *table_at(uint64_t gpa)
{
	ck_assert(gpa >= TABLE_GPA && gpa < TABLE_GPA + TABLE_BYTES);
	return table_ram + (gpa - TABLE_GPA);
}

uint64_t table_get(uint64_t gpa, unsigned size)
{
	uint64_t value = 0;

	for (unsigned i = size; i; i--)
		value = value << 8 | *table_at(gpa + i - 1);
	return value;
}

uint8_t table_sum(uint64_t gpa, uint64_t size)
{
	uint8_t sum = 0;

	for (; size; size--)
		sum += *table_at(gpa++);
	return sum;
}

void table_untouched_but(uint64_t gpa, uint64_t size)
{
	uint64_t at = TABLE_GPA;

	/* An assertion a byte would take its time. */
	while (at < TABLE_GPA + TABLE_BYTES &&
	       ((at >= gpa && at < gpa + size) || table_ram[at - TABLE_GPA] == TABLE_FILL))
		at++;
	ck_assert_uint_eq(at, TABLE_GPA + TABLE_BYTES);
}

void table_expect_error(int rc, int code, const char *says)
{
	ck_assert_int_eq(rc, -code);
	ck_assert_int_eq(table_err.code, code);
	ck_assert_msg(strstr(table_err.msg, says), "\"%s\" does not say \"%s\"", table_err.msg, says);
	table_untouched_but(TABLE_GPA, 0);
}
