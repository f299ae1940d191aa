/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The monitor's commands about the guest's own debug registers, against a fake machine. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "monitor/complete.h"
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

START_TEST(idle_ones)
{
	ck_assert_str_eq(rig_ok(&rig, "info debugregs"),
			 "dr0 0000000000000000  off\n"
			 "dr1 0000000000000000  off\n"
			 "dr2 0000000000000000  off\n"
			 "dr3 0000000000000000  off\n"
			 "dr6 00000000ffff0ff0\n"
			 "dr7 0000000000000400\n");
}
END_TEST

/* Every kind and length, enabled in either way, and all bits that have a name. */
START_TEST(decoded_ones)
{
	fake_set_reg(rig.f, 0, X86_DR0, 0xffff800000001000);
	fake_set_reg(rig.f, 0, X86_DR1, 0x9000);
	fake_set_reg(rig.f, 0, X86_DR2, 0x3f8);
	fake_set_reg(rig.f, 0, X86_DR3, 0x4000);
	fake_set_reg(rig.f, 0, X86_DR6, 0xffffeff5);
	/* L0 execute 1; G1 write 8; L2 and G2 ports, 2; L3 access 4; LE GE GD */
	fake_set_reg(rig.f, 0, X86_DR7, 0xf6902779);
	ck_assert_str_eq(rig_ok(&rig, "info debugregs"),
			 "dr0 ffff800000001000  L execute 1 byte\n"
			 "dr1 0000000000009000  G write 8 bytes\n"
			 "dr2 00000000000003f8  LG io 2 bytes\n"
			 "dr3 0000000000004000  L access 4 bytes\n"
			 "dr6 00000000ffffeff5  [B0 B2 BD BS BT]\n"
			 "dr7 00000000f6902779  [LE GE GD]\n");
}
END_TEST

START_TEST(symbols_are_named)
{
	uint64_t start;

	ck_assert_int_eq(machine_sym_find(&rig.f->machine, "main", 4, &start), 0);
	rig_ok(&rig, "debugregs set dr1 main+2");
	ck_assert_uint_eq(fake_reg(rig.f, 0, X86_DR1), start + 2);
	rig_has(rig_ok(&rig, "info debugregs"), "  off  <main+2>\ndr2");
}
END_TEST

START_TEST(as_json)
{
	json_t *all, *result, *point;

	fake_set_reg(rig.f, 0, X86_DR2, 0x5000);
	fake_set_reg(rig.f, 0, X86_DR7, 0xd000430);
	all = json_loads(rig_ok(&rig, "info debugregs -j"), 0, NULL);
	result = json_object_get(all, "result");
	ck_assert_ptr_nonnull(result);
	ck_assert_str_eq(data_str(result, "dr7"), "0xd000430");
	ck_assert_uint_eq(json_array_size(json_object_get(result, "breakpoints")), 4);
	ck_assert_uint_eq(json_array_size(json_object_get(result, "dr6_bits")), 0);
	point = json_array_get(json_object_get(result, "breakpoints"), 2);
	ck_assert_str_eq(data_str(point, "name"), "dr2");
	ck_assert_str_eq(data_str(point, "address"), "0x5000");
	ck_assert_str_eq(data_str(point, "kind"), "write");
	ck_assert_uint_eq(data_u64(point, "length"), 4);
	ck_assert(data_true(point, "local") && data_true(point, "global"));
	json_decref(all);
	all = json_loads(rig_ok(&rig, "debugregs set dr7 2 -j"), 0, NULL);
	result = json_object_get(all, "result");
	ck_assert_str_eq(data_str(result, "name"), "dr7");
	ck_assert_str_eq(data_str(result, "value"), "0x402");   /* as it became */
	json_decref(all);
}
END_TEST

START_TEST(set)
{
	ck_assert_str_eq(rig_ok(&rig, "debugregs set dr0 0x1000 + 4*8"), "");
	ck_assert_uint_eq(fake_reg(rig.f, 0, X86_DR0), 0x1020);
	rig_ok(&rig, "debugregs set $DR3 $dr0 + 1");
	ck_assert_uint_eq(fake_reg(rig.f, 0, X86_DR3), 0x1021);
	rig_ok(&rig, "debug set dr6 0");
	ck_assert_uint_eq(fake_reg(rig.f, 0, X86_DR6), 0);
	ck_assert_uint_eq(fake_reg(rig.f, 1, X86_DR0), 0);
	/* Those of the selected vCPU. */
	rig_ok(&rig, "cpu 1");
	rig_ok(&rig, "debugregs set dr0 7");
	ck_assert_uint_eq(fake_reg(rig.f, 0, X86_DR0), 0x1020);
	ck_assert_uint_eq(fake_reg(rig.f, 1, X86_DR0), 7);
	rig_has(rig_ok(&rig, "info debugregs"), "dr0 0000000000000007");
	/* The same registers by their other names. */
	rig_ok(&rig, "set $dr2 = 0x99");
	rig_has(rig_ok(&rig, "info registers dr2"), "0x99");
	rig_has(rig_ok(&rig, "info registers debug"), "dr2 0000000000000099");
}
END_TEST

START_TEST(refused)
{
	static const struct {
		const char *line, *part;
	} bad[] = {
		{ "debugregs set", "usage" },
		{ "debugregs set dr0", "usage" },
		{ "debugregs set dr4 1", "no debug register 'dr4'" },
		{ "debugregs set dr8 1", "no debug register 'dr8'" },
		{ "debugregs set rax 1", "no debug register 'rax'" },
		{ "debugregs set $ 1", "no debug register '$'" },
		{ "debugregs set dr0 1 2", "" },
		{ "debugregs set dr0 nosuch", "nosuch" },
		{ "debugregs set dr0 (", "" },
		{ "debugregs set dr7 1<<32", "bits 32 to 63" },
		{ "info debugregs dr0", "takes no argument" },
		{ "debugregs", "" },
	};

	fake_set_reg(rig.f, 0, X86_DR0, 0x77);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		rig_refuses(&rig, bad[i].line, bad[i].part);
		ck_assert_uint_eq(fake_reg(rig.f, 0, X86_DR0), 0x77);
		ck_assert_uint_eq(fake_reg(rig.f, 0, X86_DR7), 0x400);
	}
}
END_TEST

static bool offers(const char *line, const char *text, const char *name)
{
	bool file, found = false;
	char **names = complete_line(&rig.f->machine, line, strlen(line) - strlen(text), text, &file);

	for (size_t i = 0; names && names[i]; i++)
		found |= !strcmp(names[i], name);
	complete_free(names);
	return found;
}

START_TEST(completion)
{
	ck_assert(offers("info deb", "deb", "debugregs"));
	ck_assert(offers("debugr", "debugr", "debugregs"));
	ck_assert(offers("debugregs s", "s", "set"));
	ck_assert(offers("debugregs set dr", "dr", "dr0"));
	ck_assert(offers("debugregs set dr", "dr", "dr7"));
	ck_assert(!offers("debugregs set dr", "dr", "dr4"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("debugregs");
	TCase *c = tcase_create("monitor");

	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_add_test(c, idle_ones);
	tcase_add_test(c, decoded_ones);
	tcase_add_test(c, symbols_are_named);
	tcase_add_test(c, as_json);
	tcase_add_test(c, set);
	tcase_add_test(c, refused);
	tcase_add_test(c, completion);
	suite_add_tcase(s, c);
	return unit_main(s);
}
