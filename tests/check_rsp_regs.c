/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A stopped machine's registers (g, G, p, P), and the target description that says which there are. */
#include <stdio.h>
#include <string.h>

#include "tests/rsp_rig.h"
#include "tests/unit.h"

static const struct fake_config config64 = { .cpus = 2, .ram_size = 0x10000, .image_bits = 64, .mode = MODE_LONG };

START_TEST(test_registers_64)
{
	char want[2 * 8 * 24 + 8 * 8 + 1] = "";
	struct rig r;
	const char *g;

	rig_open(&r, &config64);
	for (unsigned i = 0; i < reg_g_count(RL_X86_64); i++) {
		int reg = reg_by_num(RL_X86_64, i);
		unsigned bytes = reg_full(reg)->bits / 8;

		fake_set_reg(r.f, 1, (reg_id)reg, 0x0807060504030201u * (bytes == 8) + 0x1000 * i);
		for (unsigned k = 0; k < bytes; k++)
			sprintf(want + strlen(want), "%02x", r.f->cpu[1].reg[reg][k]);
	}
	ck_assert_str_eq(rig_ask(&r, "Hg2"), "OK");
	ck_assert_str_eq(rig_ask(&r, "g"), want);
	g = rig_ask(&r, "p7");
	ck_assert_int_eq(memcmp(g, want + 7 * 16, 16), 0);
	ck_assert_str_eq(rig_ask(&r, "Hg1"), "OK");
	ck_assert_str_ne(rig_ask(&r, "g"), want);
	rig_close(&r);
}
END_TEST

/* G writes what differs, all or nothing. */
START_TEST(test_registers_write)
{
	char packet[1024], *at;
	struct rig r;

	rig_open(&r, &config64);
	sprintf(packet, "G%s", rig_ask(&r, "g"));
	r.f->calls.reg_write = 0;
	ck_assert_str_eq(rig_ask(&r, packet), "OK");
	ck_assert_uint_eq(r.f->calls.reg_write, 0);
	at = packet + 1 + 16 * 3;
	memcpy(at, "efbeadde00000000", 16);
	memcpy(packet + 1, "xxxxxxxxxxxxxxxx", 16);
	ck_assert_str_eq(rig_ask(&r, packet), "OK");
	ck_assert_uint_eq(r.f->calls.reg_write, 1);
	ck_assert(fake_reg(r.f, 0, X86_RDX) == 0xdeadbeef);
	/* rdx again, and a pc that is refused */
	memcpy(at, "0000000000000000", 16);
	memcpy(packet + 1 + 16 * 16, "0000000000000080", 16);
	ck_assert_str_eq(rig_ask(&r, packet), "E.0x8000000000000000 cannot be a pc in this mode");
	ck_assert(fake_reg(r.f, 0, X86_RDX) == 0xdeadbeef);
	ck_assert(fake_reg(r.f, 0, X86_RIP) == FAKE_ENTRY);
	/* too long and too short by one digit or one register */
	strcat(packet, "0");
	ck_assert_str_eq(rig_ask(&r, packet), "E16");
	packet[strlen(packet) - 2] = '\0';
	ck_assert_str_eq(rig_ask(&r, packet), "E16");
	packet[strlen(packet) - 15] = '\0';
	ck_assert_str_eq(rig_ask(&r, packet), "E16");
	rig_close(&r);
}
END_TEST

START_TEST(test_registers_32)
{
	const struct fake_config c = { .image_bits = 32, .mode = MODE_PROT32 };
	char packet[1024];
	struct rig r;

	rig_open(&r, &c);
	fake_set_reg(r.f, 0, X86_RAX, 0xffffffff11223344);
	ck_assert_str_eq(rig_ask(&r, "p0"), "44332211");
	ck_assert_str_eq(rig_ask(&r, "p8"), "00100000");
	ck_assert_str_eq(rig_ask(&r, "p4"), "00800000");
	sprintf(packet, "%s", rig_ask(&r, "g"));
	ck_assert_uint_eq(strlen(packet), 2 * 4 * 18);
	ck_assert_int_eq(memcmp(packet, "44332211", 8), 0);
	ck_assert_str_eq(rig_ask(&r, "P0=ddccbbaa"), "OK");
	ck_assert(fake_reg(r.f, 0, X86_RAX) == 0xaabbccdd);
	ck_assert_str_eq(rig_ask(&r, "P0=ddccbbaa00000000"), "E16");
	rig_compare(rig_ask(&r, "?"), "T05thread:1;core:0;08:00100000;04:00800000;05:00000000;09:02000000;~", "?");
	rig_close(&r);
}
END_TEST

START_TEST(test_registers_absent)
{
	const struct fake_config c = { .image_bits = 64, .no_avx = true };
	struct rig r;

	rig_open(&r, &c);
	ck_assert_str_eq(rig_ask(&r, "p47"), "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
	ck_assert_str_eq(rig_ask(&r, "P47=00000000000000000000000000000000"), "E.this processor has no ymm0h");
	rig_close(&r);
}
END_TEST

/* -- the description -- */

static const struct {
	unsigned image_bits;
	enum cpu_mode mode;
	const char *arch;
	unsigned g_digits;
} descriptions[] = {
	{ 64, MODE_REAL, "i386:x86-64", 2 * (8 * 17 + 4 * 7 + 8 * 2) },
	{ 64, MODE_LONG, "i386:x86-64", 2 * (8 * 17 + 4 * 7 + 8 * 2) },
	{ 32, MODE_REAL, "i386", 2 * 4 * 18 },
	{ 32, MODE_LONG, "i386", 2 * 4 * 18 },
	{ 0, MODE_REAL, "i8086", 2 * 4 * 18 },
	{ 0, MODE_PROT16, "i8086", 2 * 4 * 18 },
	{ 0, MODE_PROT32, "i386", 2 * 4 * 18 },
	{ 0, MODE_COMPAT32, "i386", 2 * 4 * 18 },
	{ 0, MODE_LONG, "i386:x86-64", 2 * (8 * 17 + 4 * 7 + 8 * 2) },
};

/* lldb's sets, and types that a feature's registers need. */
static void expect_sets(const char *doc)
{
	static const struct {
		const char *name, *set;
	} sets[] = {
		{ "eflags", "general" }, { "cs", "general" }, { "st0", "float" }, { "xmm7", "vector" }, { "ymm0h", "vector" },
		{ "cr0", "system" }, { "cs_base", "segment" }, { "dr7", "debug" }, { "tr", "tables" }, { "star", "msr" },
		{ "k0", "vector" }, { "pkru", "system" },
	};
	char name[40], set[40];
	unsigned unions = 0;

	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		const char *reg, *end;

		sprintf(name, "<reg name=\"%s\" ", sets[i].name);
		sprintf(set, " group=\"%s\"/>", sets[i].set);
		reg = strstr(doc, name);
		ck_assert_ptr_nonnull(reg);
		end = strchr(reg, '\n');
		ck_assert_msg(end && (size_t)(end - reg) > strlen(set) && !memcmp(end - strlen(set), set, strlen(set)), "%s: %s",
			      sets[i].name, sets[i].set);
	}
	for (const char *p = doc; (p = strstr(p, "<union id=\"vec128\">\n<field name=\"v4_float\"")); p++)
		unions++;
	ck_assert_uint_eq(unions, 2);
	ck_assert_ptr_nonnull(strstr(doc, "<vector id=\"v2ui128\" type=\"uint128\" count=\"2\"/>\n"));
}

START_TEST(test_description)
{
	const struct fake_config c = { .image_bits = descriptions[_i].image_bits, .mode = descriptions[_i].mode };
	unsigned l = strcmp(descriptions[_i].arch, "i386:x86-64") ? RL_I386 : RL_X86_64;
	char want[128], *doc, whole[65536];
	struct rig r;

	rig_open(&r, &c);
	ck_assert_uint_eq(strlen(rig_ask(&r, "g")), descriptions[_i].g_digits);
	strcpy(whole, rig_document(&r, "features:read:target.xml", 0x20000));
	doc = rig_document(&r, "features:read:target.xml", 61);
	ck_assert_str_eq(doc, whole);
	sprintf(want, "<architecture>%s</architecture>\n<osabi>none</osabi>", descriptions[_i].arch);
	ck_assert_ptr_nonnull(strstr(doc, want));
	for (unsigned i = 0; i < X86_REGS; i++) {
		const struct reg_view *v = &arch_desc.regs[i].view[l];

		if (!v->name)
			continue;
		sprintf(want, "<reg name=\"%s\" bitsize=\"%u\" type=\"%s\" regnum=\"%d\" ", v->name, v->bits,
			arch_desc.regs[i].type[l], v->num);
		ck_assert_msg(strstr(doc, want) != NULL, "%s", want);
	}
	expect_sets(doc);
	/* gdb's segments feature is for 64 bits only */
	ck_assert_int_eq(strstr(doc, "i386.segments\"") != NULL, l == RL_X86_64);
	rig_close(&r);
}
END_TEST

START_TEST(test_description_without_avx)
{
	const struct fake_config c = { .image_bits = 64, .no_avx = true };
	struct rig r;
	char *doc;

	rig_open(&r, &c);
	doc = rig_document(&r, "features:read:target.xml", 0x1000);
	ck_assert_ptr_null(strstr(doc, "ymm"));
	ck_assert_ptr_null(strstr(doc, "i386.avx"));
	ck_assert_ptr_nonnull(strstr(doc, "xmm15"));
	rig_close(&r);
}
END_TEST

/* The layout changes when target.xml is read again from its start, and at no other time. */
START_TEST(test_layout_frozen)
{
	const struct fake_config c = { .mode = MODE_REAL };
	struct rig r;

	rig_open(&r, &c);
	rig_compare(rig_ask(&r, "qXfer:features:read:target.xml:0,20"), "m~", "target.xml");
	r.f->cpu[0].mode = MODE_LONG;
	ck_assert_uint_eq(strlen(rig_ask(&r, "g")), 2 * 4 * 18);
	rig_compare(rig_ask(&r, "qXfer:features:read:target.xml:20,20"), "m~", "target.xml");
	ck_assert_uint_eq(strlen(rig_ask(&r, "g")), 2 * 4 * 18);
	rig_compare(rig_ask(&r, "qXfer:features:read:target.xml:0,20"), "m~", "target.xml");
	ck_assert_uint_gt(strlen(rig_ask(&r, "g")), 2 * 8 * 18);
	rig_close(&r);
}
END_TEST

static const char *monitor(struct rig *r, const char *line)
{
	static char packet[200];
	char *p = packet + sprintf(packet, "qRcmd,");

	while (*line)
		p += sprintf(p, "%02x", (unsigned char)*line++);
	return rig_ask(r, packet);
}

/* Asked for, a description comes with the next fetch, and the registers are as before until then. */
START_TEST(test_tdesc)
{
	static const struct {
		const char *line, *arch;
		size_t g_digits;
	} t[] = {
		{ "tdesc i386", "i386<", 2 * 4 * 18 },
		{ "  tdesc\ti8086 bits ", "i8086<", 2 * 4 * 18 },
		{ "tdesc x86-64 plain", "i386:x86-64<", 2 * (8 * 17 + 4 * 7 + 8 * 2) },
		{ "tdesc", "i386:x86-64<", 2 * (8 * 17 + 4 * 7 + 8 * 2) },
		{ "tdesc auto", "i8086<", 2 * 4 * 18 },
	};
	static const char *const bad[] = { "tdesc i486", "tdesc i386 i386 i386", "tdesc auto plain bits", "tdesc autox" };
	const struct fake_config c = { .mode = MODE_REAL };
	size_t digits = 2 * 4 * 18;
	struct rig r;
	char *doc;

	rig_open(&r, &c);
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		ck_assert_msg(strstr(monitor(&r, t[i].line), "|OK") != NULL, "%s", t[i].line);
		ck_assert_uint_eq(strlen(rig_ask(&r, "g")), digits);
		doc = rig_document(&r, "features:read:target.xml", 0x20000);
		ck_assert_ptr_nonnull(strstr(doc, t[i].arch));
		/* plain, the registers are numbers */
		ck_assert_int_eq(strstr(doc, "x86_cr0") == NULL, i == 2 || i == 3 || i == 4);
		ck_assert_ptr_nonnull(strstr(doc, "i386_eflags"));
		digits = t[i].g_digits;
		ck_assert_uint_eq(strlen(rig_ask(&r, "g")), digits);
		for (size_t k = 0; k < sizeof(bad) / sizeof(bad[0]); k++)
			ck_assert_ptr_nonnull(strstr(monitor(&r, bad[k]), "|E16"));
		rig_document(&r, "features:read:target.xml", 0x20000);
		ck_assert_uint_eq(strlen(rig_ask(&r, "g")), digits);
	}
	ck_assert_ptr_null(strstr(monitor(&r, "tdescx"), "registers as"));
	rig_close(&r);
}
END_TEST

/* --tdesc */
START_TEST(test_tdesc_from_the_start)
{
	const struct fake_config c = { .mode = MODE_LONG };
	struct rig r;

	rig_open(&r, &c);
	session_describe_as(r.s, REG_CHOICE_I8086);
	ck_assert_uint_eq(strlen(rig_ask(&r, "g")), 2 * 4 * 18);
	ck_assert_ptr_nonnull(strstr(rig_document(&r, "features:read:target.xml", 0x20000), "i8086<"));
	rig_close(&r);
}
END_TEST

/* Registers of named bits are a number, flags and members at once; as wide as the registers. */
START_TEST(test_bits)
{
	static const struct {
		unsigned image_bits;
		const char *want[6];
	} t[] = {
		{ 64, { "<flags id=\"x86_cr0_flags\" size=\"8\">", "<struct id=\"x86_cr0_bits\" size=\"8\">",
			"<field name=\"PE\" start=\"0\" end=\"0\" type=\"bool\"/>",
			"<union id=\"x86_cr0\">\n<field name=\"value\" type=\"uint64\"/>\n"
			"<field name=\"flags\" type=\"x86_cr0_flags\"/>\n<field name=\"\" type=\"x86_cr0_bits\"/>",
			"<field name=\"type\" start=\"0\" end=\"3\"/>", "<field name=\"PA7\" start=\"56\" end=\"58\"/>" } },
		{ 32, { "<flags id=\"x86_cr0_flags\" size=\"4\">", "<struct id=\"x86_cr0_bits\" size=\"4\">",
			"<union id=\"x86_cr0\">\n<field name=\"value\" type=\"uint32\"/>",
			"<union id=\"x86_pat\">\n<field name=\"value\" type=\"uint64\"/>",
			"<flags id=\"i386_eflags\" size=\"4\">", "<vector id=\"v2ui128\" type=\"uint128\" count=\"2\"/>" } },
	};
	const struct fake_config c = { .image_bits = t[_i].image_bits };
	struct rig r;
	char *doc;

	rig_open(&r, &c);
	doc = rig_document(&r, "features:read:target.xml", 0x20000);
	for (size_t i = 0; i < sizeof(t[0].want) / sizeof(t[0].want[0]); i++)
		ck_assert_msg(strstr(doc, t[_i].want[i]) != NULL, "%s", t[_i].want[i]);
	ck_assert_ptr_null(strstr(doc, "IOPL"));
	rig_close(&r);
}
END_TEST

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

int main(void)
{
	Suite *s = suite_create("rsp_regs");
	TCase *t = tcase_create("registers");

	tcase_add_test(t, test_registers_64);
	tcase_add_test(t, test_registers_write);
	tcase_add_test(t, test_registers_32);
	tcase_add_test(t, test_registers_absent);
	suite_add_tcase(s, t);
	t = tcase_create("description");
	tcase_add_loop_test(t, test_description, 0, COUNT(descriptions));
	tcase_add_test(t, test_description_without_avx);
	tcase_add_test(t, test_layout_frozen);
	tcase_add_test(t, test_tdesc);
	tcase_add_test(t, test_tdesc_from_the_start);
	tcase_add_loop_test(t, test_bits, 0, 2);
	suite_add_tcase(s, t);
	return unit_main(s);
}
