/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * PowerPC's register table against what gdb documents: "PowerPC Features" in its manual, and the numbers of its
 * powerpc-vsx64 description.
 */
#include <stdio.h>
#include <string.h>

#include "api/arch.h"
#include "arch/ppc/ppc_regs.h"
#include "tests/unit.h"

#define CORE    "org.gnu.gdb.power.core"
#define FPU     "org.gnu.gdb.power.fpu"
#define ALTIVEC "org.gnu.gdb.power.altivec"
#define VSX     "org.gnu.gdb.power.vsx"

/* Runs of registers: "%u" counts from 0. */
static const struct run {
	const char *name;
	unsigned first, count, bits;
	const char *feature, *type;
} runs[] = {
	{ "r%u", 0, 32, 64, CORE, "uint64" },
	{ "f%u", 32, 32, 64, FPU, "ieee_double" },
	{ "pc", 64, 1, 64, CORE, "code_ptr" },
	{ "msr", 65, 1, 64, CORE, "uint64" },
	{ "cr", 66, 1, 32, CORE, "uint32" },
	{ "lr", 67, 1, 64, CORE, "code_ptr" },
	{ "ctr", 68, 1, 64, CORE, "uint64" },
	{ "xer", 69, 1, 32, CORE, "uint32" },
	{ "fpscr", 70, 1, 64, FPU, NULL },
	{ "vr%u", 71, 32, 128, ALTIVEC, "vec128" },
	{ "vscr", 103, 1, 32, ALTIVEC, NULL },
	{ "vrsave", 104, 1, 32, ALTIVEC, NULL },
	{ "vs%uh", 105, 32, 64, VSX, "uint64" },
};

#define RUNS (sizeof(runs) / sizeof(runs[0]))
#define GDB_REGS 137u

START_TEST(as_gdb_has_them)
{
	unsigned seen = 0;

	for (size_t i = 0; i < RUNS; i++)
		for (unsigned k = 0; k < runs[i].count; k++) {
			int row = reg_by_num(0, runs[i].first + k);
			const struct reg_info *r = &arch_desc.regs[row];
			char name[16];

			ck_assert_int_ge(row, 0);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
			snprintf(name, sizeof(name), runs[i].name, k);
#pragma GCC diagnostic pop
			ck_assert_str_eq(r->view[0].name, name);
			ck_assert_msg(r->view[0].bits == runs[i].bits, "%s has %u bits", name, r->view[0].bits);
			ck_assert_str_eq(arch_desc.features[r->feature].name, runs[i].feature);
			if (runs[i].type)
				ck_assert_str_eq(r->type[0], runs[i].type);
			ck_assert_int_eq(reg_by_name(name, strlen(name), NULL), row);
			seen++;
		}
	ck_assert_uint_eq(seen, GDB_REGS);
}
END_TEST

/* What is gdb's comes first, without holes; of what follows it knows nothing. */
START_TEST(dense)
{
	ck_assert_uint_eq(reg_num_count(0), PPC_REGS);
	for (unsigned i = 0; i < PPC_REGS; i++) {
		int row = reg_by_num(0, i);

		ck_assert_int_ge(row, 0);
		ck_assert_msg((strncmp(arch_desc.features[arch_desc.regs[row].feature].name, "org.gnu.", 8) == 0) == (i < GDB_REGS),
			      "register %u", i);
	}
	ck_assert_int_lt(reg_by_num(0, PPC_REGS), 0);
	/* A `g` reply ends with what every stop needs. */
	ck_assert_uint_eq(reg_g_count(0), 71);
}
END_TEST

START_TEST(told_clients)
{
	unsigned choice = arch_desc.choose(64, 0);

	ck_assert_uint_eq(choice, arch_desc.choose(0, 32));
	ck_assert_str_eq(arch_desc.choices[choice].gdb, "powerpc:common64");
	ck_assert_uint_eq(arch_desc.choices[choice].pointer, 8);
	ck_assert_uint_eq(arch_desc.trap_size, 4);
	ck_assert_str_eq(reg_full(arch_desc.pc)->name, "pc");
	ck_assert_str_eq(reg_full(arch_desc.sp)->name, "r1");
	ck_assert_int_eq(reg_by_name("SP", 2, NULL), PPC_R1);
	ck_assert(strstr(arch_desc.features[PF_ALTIVEC].types, "<union id=\"vec128\">") != NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ppc_regs");
	TCase *c = tcase_create("ppc_regs");

	tcase_add_test(c, as_gdb_has_them);
	tcase_add_test(c, dense);
	tcase_add_test(c, told_clients);
	suite_add_tcase(suite, c);
	return unit_main(suite);
}
