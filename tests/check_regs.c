/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The register table: what clients rely on holds in every layout. */
#include <stdbool.h>
#include <string.h>

#include "arch/x86/x86_regs.h"
#include "tests/unit.h"

START_TEST(numbers_are_dense)
{
	unsigned l = (unsigned)_i;
	bool seen[X86_REGS] = { false };
	unsigned n = reg_num_count(l);

	for (unsigned i = 0; i < X86_REGS; i++) {
		const struct reg_view *v = &arch_desc.regs[i].view[l];

		if (!v->name)
			continue;
		ck_assert_int_ge(v->num, 0);
		ck_assert_uint_lt((unsigned)v->num, n);
		ck_assert_msg(!seen[v->num], "two registers have number %d", v->num);
		seen[v->num] = true;
		ck_assert_int_eq(reg_by_num(l, (unsigned)v->num), (int)i);
		ck_assert_ptr_nonnull(arch_desc.regs[i].type[l]);
		ck_assert_uint_le(v->bits, reg_full(i)->bits);
		ck_assert_uint_le(reg_full(i)->bits / 8u, REG_BYTES_MAX);
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
	for (unsigned i = 0; i < X86_REGS; i++)
		for (unsigned l = 0; l < RL_COUNT; l++) {
			const char *name = arch_desc.regs[i].view[l].name;

			if (name)
				ck_assert_int_eq(reg_by_name(name, strlen(name), NULL), (int)i);
		}
}
END_TEST

/* What neutral code takes on trust of a description, whichever it is. */
START_TEST(description_holds)
{
	const struct arch_desc *d = &arch_desc;
	const reg_id foremost[] = { d->pc, d->sp, d->fp, d->flags };

	ck_assert_uint_le(d->nregs, REG_MAX);
	ck_assert_uint_le(d->nlayouts, REG_LAYOUTS_MAX);
	ck_assert_uint_le(d->nchoices, ARCH_CHOICES_MAX);
	for (reg_id i = 0; i < d->nregs; i++) {
		ck_assert_ptr_nonnull(reg_full(i)->name);
		ck_assert_uint_lt(d->regs[i].feature, d->nfeatures);
		ck_assert_uint_lt(d->regs[i].group, d->ngroups);
		for (unsigned l = 0; l < d->nlayouts; l++) {
			unsigned in = d->features[d->regs[i].feature].in[l];

			ck_assert_uint_lt(in, d->nfeatures);
			ck_assert_ptr_nonnull(d->set(&d->regs[i], in));
		}
	}
	for (unsigned l = 0; l < d->nlayouts; l++)
		for (unsigned num = 0; num < d->g_count[l]; num++)
			ck_assert_int_ge(reg_by_num(l, num), 0);
	for (size_t i = 0; i < 4; i++) {
		ck_assert(foremost[i] < d->nregs || (foremost[i] == REG_NONE && i >= 2));
		for (unsigned l = 0; l < d->nlayouts && foremost[i] != REG_NONE; l++)
			ck_assert_ptr_nonnull(d->regs[foremost[i]].view[l].name);
	}
	for (size_t i = 0; i < d->naliases; i++) {
		ck_assert_uint_lt(d->aliases[i].reg, d->nregs);
		ck_assert_uint_le(d->aliases[i].bits, reg_full(d->aliases[i].reg)->bits);
	}
	ck_assert_str_eq(d->choices[REG_CHOICE_AUTO].name, "auto");
	for (unsigned i = 1; i < d->nchoices; i++) {
		ck_assert_uint_lt(d->choices[i].layout, d->nlayouts);
		ck_assert(d->choices[i].name && d->choices[i].gdb && d->choices[i].triple && d->choices[i].pointer);
	}
	for (unsigned image = 0; image <= 64; image += 32)
		for (unsigned code = 0; code <= 64; code += 16) {
			unsigned choice = d->choose(image, code);

			ck_assert_uint_gt(choice, REG_CHOICE_AUTO);
			ck_assert_uint_lt(choice, d->nchoices);
		}
}
END_TEST

START_TEST(choices)
{
	ck_assert_uint_eq(arch_desc.choose(64, 16), REG_CHOICE_X86_64);
	ck_assert_uint_eq(arch_desc.choose(32, 64), REG_CHOICE_I386);
	ck_assert_uint_eq(arch_desc.choose(0, 16), REG_CHOICE_I8086);
	ck_assert_uint_eq(arch_desc.choose(0, 32), REG_CHOICE_I386);
	ck_assert_uint_eq(arch_desc.choose(0, 64), REG_CHOICE_X86_64);
	/* a mode that could not be read */
	ck_assert_uint_eq(arch_desc.choose(0, 0), REG_CHOICE_X86_64);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("regs");
	TCase *c = tcase_create("table");

	tcase_add_loop_test(c, numbers_are_dense, 0, RL_COUNT);
	tcase_add_test(c, g_holds_the_general_ones);
	tcase_add_test(c, names);
	tcase_add_test(c, description_holds);
	tcase_add_test(c, choices);
	suite_add_tcase(s, c);
	return unit_main(s);
}
