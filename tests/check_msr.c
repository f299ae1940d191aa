/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The monitor's commands about model-specific registers, against a fake machine; and the names of registers' bits. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "api/regbits.h"
#include "monitor/render.h"
#include "tests/monitor_rig.h"
#include "tests/unit.h"

static struct rig rig;

static void set_up(void)
{
	rig_init(&rig, &rig_long64, false);
}

static void tear_down(void)
{
	rig_done(&rig);
}

/* Those the processor has, and no others. */
START_TEST(listed)
{
	fake_set_reg(rig.f, 0, X86_EFER, 0x501);
	fake_set_reg(rig.f, 0, X86_LSTAR, 0xffff800000001000);
	ck_assert_str_eq(rig_ok(&rig, "info msrs"), "c0000080 efer             0x501\n"
						    "c0000082 lstar            0xffff800000001000\n");
}
END_TEST

START_TEST(read_and_written)
{
	json_t *all;

	ck_assert_str_eq(rig_ok(&rig, "msr lstar 0x1000 + 4"), "c0000082 lstar            0x1004\n");
	ck_assert_uint_eq(fake_reg(rig.f, 0, X86_LSTAR), 0x1004);
	ck_assert_str_eq(rig_ok(&rig, "msr LSTAR"), "c0000082 lstar            0x1004\n");
	ck_assert_str_eq(rig_ok(&rig, "msr 0xc0000082"), "c0000082 lstar            0x1004\n");
	ck_assert_str_eq(rig_ok(&rig, "msr 0xfa4e 7"), "0000fa4e                  0x7\n");
	ck_assert_uint_eq(rig.f->cpu[0].msr, 7);
	all = json_loads(rig_ok(&rig, "msr 0xfa4e -j"), 0, NULL);
	ck_assert_uint_eq(data_u64(json_object_get(all, "result"), "value"), 7);
	ck_assert_uint_eq(data_u64(json_object_get(all, "result"), "index"), 0xfa4e);
	json_decref(all);
}
END_TEST

START_TEST(refused)
{
	static const struct {
		const char *line, *part;
	} bad[] = {
		{ "msr", "usage" },
		{ "msr 0x12345678", "no MSR 0x12345678" },
		{ "msr 0x12345678 1", "0x12345678" },
		{ "msr 0x100000000", "32 bits" },
		{ "msr nosuch", "nosuch" },
		{ "msr lstar 1 2", "" },
		{ "msr lstar (", "" },
		{ "msr 0xfa4e 1<<32", "does not take 0x100000000" },
		{ "msr tsc", "no MSR 0x10" },
		{ "info msrs lstar", "takes no argument" },
	};

	rig_ok(&rig, "msr lstar 5");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		rig_refuses(&rig, bad[i].line, bad[i].part);
		ck_assert_uint_eq(fake_reg(rig.f, 0, X86_LSTAR), 5);
		ck_assert_uint_eq(rig.f->cpu[0].msr, 0);
	}
}
END_TEST

/* Bits by name, fields by value where they have one. */
START_TEST(bits_are_named)
{
	fake_set_reg(rig.f, 0, X86_XCR0, 0xe7);
	fake_set_reg(rig.f, 0, X86_CS_ATTR, 0xa09b);
	rig_has(rig_ok(&rig, "info registers xcr0"), "[x87 SSE AVX opmask ZMM_Hi256 Hi16_ZMM]");
	rig_has(rig_ok(&rig, "info registers cs_attr"), "[type=11 S P L G]");
	rig_has(rig_ok(&rig, "info registers dr7"), "0x400");
}
END_TEST

/* Every type of named bits that the table uses is there, and its fields are in order and within the registers. */
START_TEST(types)
{
	const struct reg_bits *t;

	for (unsigned i = 0; i < X86_REGS; i++)
		for (unsigned l = 0; l < RL_COUNT; l++)
			if (arch_desc.regs[i].view[l].name && !strncmp(arch_desc.regs[i].type[l], "x86_", 4))
				ck_assert_ptr_nonnull(reg_bits_of(arch_desc.regs[i].type[l]));
	for (size_t i = 0; (t = reg_bits_at(i)); i++) {
		unsigned next = 0;

		for (size_t k = 0; k < t->count; k++) {
			ck_assert_uint_ge(t->fields[k].start, next);
			ck_assert_uint_ge(t->fields[k].end, t->fields[k].start);
			next = t->fields[k].end + 1u;
		}
		ck_assert_uint_le(next, 64);
	}
	ck_assert_ptr_null(reg_bits_of("int64"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("msr");
	TCase *c = tcase_create("monitor");

	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_add_test(c, listed);
	tcase_add_test(c, read_and_written);
	tcase_add_test(c, refused);
	tcase_add_test(c, bits_are_named);
	tcase_add_test(c, types);
	suite_add_tcase(s, c);
	return unit_main(s);
}
