/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The register table: what clients rely on holds in every layout. */
#include <stdbool.h>
#include <string.h>

#include "api/regs.h"
#include "tests/unit.h"

START_TEST(numbers_are_dense)
{
	enum reg_layout l = (enum reg_layout)_i;
	bool seen[REG_COUNT] = { false };
	unsigned n = reg_num_count(l);

	for (unsigned i = 0; i < REG_COUNT; i++) {
		const struct reg_view *v = &reg_table[i].view[l];

		if (!v->name)
			continue;
		ck_assert_int_ge(v->num, 0);
		ck_assert_uint_lt((unsigned)v->num, n);
		ck_assert_msg(!seen[v->num], "two registers have number %d", v->num);
		seen[v->num] = true;
		ck_assert_int_eq(reg_by_num(l, (unsigned)v->num), (int)i);
		ck_assert_ptr_nonnull(reg_table[i].type[l]);
		ck_assert_uint_le(v->bits, reg_table[i].view[RL_X86_64].bits);
		ck_assert_uint_le(reg_table[i].view[RL_X86_64].bits / 8u, REG_BYTES_MAX);
		ck_assert_uint_eq(v->bits % 8, 0);
	}
	ck_assert_int_eq(reg_by_num(l, n), -1);
	ck_assert_int_eq(reg_by_num(l, ~0u), -1);
}
END_TEST

START_TEST(g_holds_the_general_ones)
{
	ck_assert_uint_eq(reg_g_count(RL_X86_64), 26);
	ck_assert_uint_eq(reg_g_count(RL_I386), 18);
	ck_assert_int_eq(reg_by_num(RL_X86_64, 16), X86_RIP);
	ck_assert_int_eq(reg_by_num(RL_I386, 8), X86_RIP);
	ck_assert_int_eq(reg_by_num(RL_I386, 4), X86_RSP);
}
END_TEST

START_TEST(names)
{
	unsigned bits = 0;

	ck_assert_int_eq(reg_by_name("rax", 3, &bits), X86_RAX);
	ck_assert_uint_eq(bits, 64);
	ck_assert_int_eq(reg_by_name("EAX", 3, &bits), X86_RAX);
	ck_assert_uint_eq(bits, 32);
	ck_assert_int_eq(reg_by_name("al", 2, &bits), X86_RAX);
	ck_assert_uint_eq(bits, 8);
	ck_assert_int_eq(reg_by_name("pc", 2, &bits), X86_RIP);
	ck_assert_int_eq(reg_by_name("eip", 3, &bits), X86_RIP);
	ck_assert_uint_eq(bits, 32);
	ck_assert_int_eq(reg_by_name("xmm15", 5, NULL), X86_XMM15);
	ck_assert_int_eq(reg_by_name("xmm1", 4, NULL), X86_XMM1);
	ck_assert_int_eq(reg_by_name("xmm", 3, NULL), -1);
	ck_assert_int_eq(reg_by_name("", 0, NULL), -1);
	ck_assert_int_eq(reg_by_name("raxx", 4, NULL), -1);
	for (unsigned i = 0; i < REG_COUNT; i++)
		for (unsigned l = 0; l < RL_COUNT; l++) {
			const char *name = reg_table[i].view[l].name;

			if (name)
				ck_assert_int_eq(reg_by_name(name, strlen(name), NULL), (int)i);
		}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("regs");
	TCase *c = tcase_create("table");

	tcase_add_loop_test(c, numbers_are_dense, 0, RL_COUNT);
	tcase_add_test(c, g_holds_the_general_ones);
	tcase_add_test(c, names);
	suite_add_tcase(s, c);
	return unit_main(s);
}
