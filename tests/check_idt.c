/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Interrupt tables of all modes over plain memory, and what delivery leaves on the stack. */
#include "arch/x86/idt.h"

#include <errno.h>
#include <string.h>

#include "tests/unit.h"

#define SIZE 0x4000

static uint8_t ram[SIZE];
static unsigned reads;
static struct err err;
static struct idt_gate gate;

static bool read_ram(void *arg, uint64_t gva, void *ret, size_t len)
{
	(void)arg;
	reads++;
	if (gva >= SIZE || len > SIZE - gva)
		return false;
	memcpy(ret, ram + gva, len);
	return true;
}

static void setup(void)
{
	memset(ram, 0, sizeof(ram));
	gate = (struct idt_gate){ .handler = 0x55 };
	reads = 0;
}

static void put(uint64_t at, uint64_t value, unsigned n)
{
	memcpy(ram + at, &value, n);
}

static void put_gate(uint64_t at, unsigned type, unsigned selector, uint64_t offset, bool wide)
{
	put(at, offset, 2);
	put(at + 2, selector, 2);
	put(at + 4, type << 8, 2);
	put(at + 6, offset >> 16, 2);
	if (wide)
		put(at + 8, offset >> 32, 4);
}

/* A code segment's descriptor. */
static void put_segment(uint64_t at, uint32_t base, unsigned access)
{
	put(at, 0xffff, 2);
	put(at + 2, base & 0xffffff, 3);
	put(at + 5, access, 1);
	put(at + 6, 0xcf, 1);
	put(at + 7, base >> 24, 1);
}

START_TEST(real_mode)
{
	struct idt t = { .kind = IDT_REAL, .idt = { 0x100, 0x3ff }, .read = read_ram };

	put(0x100 + 4 * 3, 0x12345678, 4);
	ck_assert_int_eq(idt_find(&t, 3, &gate, &err), 0);
	ck_assert_uint_eq(gate.handler, 0x12340 + 0x5678);
	ck_assert_uint_eq(gate.width, 2);
	put(0x100 + 4 * 255, 0xfffffff0, 4);
	ck_assert_int_eq(idt_find(&t, 255, &gate, &err), 0);
	ck_assert_uint_eq(gate.handler, 0xffff0 + 0xfff0);
	ck_assert_int_eq(idt_find(&t, 4, &gate, &err), -ENOENT);
	ck_assert_str_eq(err.msg, "vector 4 is not set");
	ck_assert_int_eq(idt_find(&t, 256, &gate, &err), -ENOENT);
	ck_assert_uint_eq(gate.handler, 0xffff0 + 0xfff0);
}
END_TEST

START_TEST(limits)
{
	static const struct { enum idt_kind kind; unsigned size; } k[] = {
		{ IDT_REAL, 4 }, { IDT_PROT, 8 }, { IDT_LONG, 16 },
	};
	uint64_t gva = 7;

	for (unsigned i = 0; i < 3; i++) {
		struct idt t = { .kind = k[i].kind, .idt = { 0x1000, 5 * k[i].size - 1 }, .read = read_ram };

		ck_assert_uint_eq(idt_gate_size(t.kind), k[i].size);
		ck_assert(idt_gate_place(&t, 4, &gva));
		ck_assert_uint_eq(gva, 0x1000 + 4 * k[i].size);
		ck_assert(!idt_gate_place(&t, 5, &gva));
		t.idt.limit--;
		ck_assert(!idt_gate_place(&t, 4, &gva));
		ck_assert_uint_eq(gva, 0x1000 + 4 * k[i].size);
		ck_assert_int_eq(idt_find(&t, 4, &gate, &err), -ENOENT);
		ck_assert_uint_eq(reads, 0);
	}
	ck_assert_uint_eq(gate.handler, 0x55);
}
END_TEST

START_TEST(linear_addresses_wrap_below_long_mode)
{
	struct idt t = { .kind = IDT_PROT, .idt = { 0xfffffff8, 0x7ff }, .read = read_ram };
	uint64_t gva;

	ck_assert(idt_gate_place(&t, 1, &gva));
	ck_assert_uint_eq(gva, 0);
	t.kind = IDT_LONG;
	ck_assert(idt_gate_place(&t, 1, &gva));
	ck_assert_uint_eq(gva, 0x100000008);
}
END_TEST

START_TEST(protected_mode)
{
	struct idt t = { .kind = IDT_PROT, .idt = { 0x1000, 0x7ff }, .gdt = { 0x2000, 0x1f }, .read = read_ram };

	put_segment(0x2008, 0, 0x9a);
	put_segment(0x2010, 0x12345000, 0x9a);
	put_gate(0x1000 + 8 * 14, 0x8e, 8, 0x89abcdef, false);
	put_gate(0x1000 + 8 * 15, 0xef, 0x13, 0x10, false);
	put_gate(0x1000 + 8 * 16, 0x86, 8, 0x89abcdef, false);
	put_gate(0x1000 + 8 * 17, 0xe7, 0x10, 0xfff0, false);
	put_gate(0x1000 + 8 * 18, 0x8e, 0x10, 0xf0000000, false);
	ck_assert_int_eq(idt_find(&t, 14, &gate, &err), 0);
	ck_assert_uint_eq(gate.handler, 0x89abcdef);
	ck_assert_uint_eq(gate.width, 4);
	ck_assert_int_eq(idt_find(&t, 15, &gate, &err), 0);
	ck_assert_uint_eq(gate.handler, 0x12345010);
	ck_assert_int_eq(idt_find(&t, 16, &gate, &err), 0);
	ck_assert_uint_eq(gate.handler, 0xcdef);
	ck_assert_uint_eq(gate.width, 2);
	ck_assert_int_eq(idt_find(&t, 17, &gate, &err), 0);
	ck_assert_uint_eq(gate.handler, 0x12354ff0);
	ck_assert_int_eq(idt_find(&t, 18, &gate, &err), 0);
	ck_assert_uint_eq(gate.handler, 0x02345000);
}
END_TEST

START_TEST(local_descriptors)
{
	struct idt t = { .kind = IDT_PROT, .idt = { 0x1000, 0x7ff }, .gdt = { 0x2000, 0x1f }, .ldt = { 0x3000, 0xf },
			 .has_ldt = true, .read = read_ram };

	put_segment(0x3008, 0x700000, 0x9b);
	put_gate(0x1000, 0x8e, 0xc, 1, false);
	ck_assert_int_eq(idt_find(&t, 0, &gate, &err), 0);
	ck_assert_uint_eq(gate.handler, 0x700001);
	t.ldt.limit = 0xe;
	ck_assert_int_eq(idt_find(&t, 0, &gate, &err), -EINVAL);
	t.ldt.limit = 0xf;
	t.has_ldt = false;
	ck_assert_int_eq(idt_find(&t, 0, &gate, &err), -EINVAL);
	ck_assert_str_eq(err.msg, "the gate's selector 0xc is not in its table");
}
END_TEST

START_TEST(gates_without_handlers)
{
	static const struct { unsigned type, selector; int code; } bad[] = {
		{ 0x0e, 8, -ENOENT },           /* not present */
		{ 0x85, 8, -ENOTSUP },          /* task gate */
		{ 0x84, 8, -EINVAL },           /* call gate */
		{ 0x8c, 8, -EINVAL },
		{ 0x9e, 8, -EINVAL },           /* no system descriptor at all */
		{ 0x8e, 0, -EINVAL },           /* null selector */
		{ 0x8e, 3, -EINVAL },
		{ 0x8e, 0x10, -EINVAL },        /* data segment */
		{ 0x8e, 0x18, -EINVAL },        /* not present */
		{ 0x8e, 0x20, -EINVAL },        /* beyond the limit */
	};
	struct idt t = { .kind = IDT_PROT, .idt = { 0x1000, 0x7ff }, .gdt = { 0x2000, 0x26 }, .read = read_ram };

	put_segment(0x2000, 0, 0x9a);
	put_segment(0x2008, 0, 0x9a);
	put_segment(0x2010, 0, 0x92);
	put_segment(0x2018, 0, 0x1a);
	put_segment(0x2020, 0, 0x9a);
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		put_gate(0x1000, bad[i].type, bad[i].selector, 0x1234, false);
		ck_assert_msg(idt_find(&t, 0, &gate, &err) == bad[i].code, "gate %u: %s", i, err.msg);
	}
	t.gdt.base = 0x10000000;
	put_gate(0x1000, 0x8e, 8, 0x1234, false);
	ck_assert_int_eq(idt_find(&t, 0, &gate, &err), -EFAULT);
	t.idt.base = 0x10000000;
	ck_assert_int_eq(idt_find(&t, 0, &gate, &err), -EFAULT);
	ck_assert_uint_eq(gate.handler, 0x55);
}
END_TEST

START_TEST(long_mode)
{
	struct idt t = { .kind = IDT_LONG, .idt = { 0x1000, 0xfff }, .read = read_ram };

	put_gate(0x1000 + 16 * 255, 0x8e, 8, 0xffffffff81234567, true);
	ck_assert_int_eq(idt_find(&t, 255, &gate, &err), 0);
	ck_assert_uint_eq(gate.handler, 0xffffffff81234567);
	ck_assert_uint_eq(gate.width, 8);
	put_gate(0x1000, 0xef, 8, 0x1234, true);
	ck_assert_int_eq(idt_find(&t, 0, &gate, &err), 0);
	ck_assert_uint_eq(gate.handler, 0x1234);
	/* Those of the 286 are none here. */
	put_gate(0x1000, 0x86, 8, 0x1234, true);
	ck_assert_int_eq(idt_find(&t, 0, &gate, &err), -EINVAL);
	put_gate(0x1000, 0x85, 8, 0x1234, true);
	ck_assert_int_eq(idt_find(&t, 0, &gate, &err), -EINVAL);
}
END_TEST

static struct idt_frame frame(enum idt_kind kind, unsigned vector, uint64_t sp, uint64_t a, uint64_t b, uint64_t c,
			      uint64_t d)
{
	struct idt_frame f;
	uint64_t w[4] = { a, b, c, d };

	idt_frame(kind, vector, sp, w, &f);
	return f;
}

static void check_frame(struct idt_frame f, bool has, uint64_t code, uint64_t cs, uint64_t ip)
{
	ck_assert_int_eq(f.has_code, has);
	ck_assert_uint_eq(f.code, code);
	ck_assert_uint_eq(f.cs, cs);
	ck_assert_uint_eq(f.ip, ip);
}

START_TEST(frames)
{
	const uint64_t flags = 0x202;

	/* In real mode nothing has an error code. */
	check_frame(frame(IDT_REAL, 13, 0x7bfa, 0x7c12, 0x7c0, flags, 0), false, 0, 0x7c0, 0x7c12);
	/* In long mode the stack's alignment tells. */
	check_frame(frame(IDT_LONG, 14, 0x7fd0, 2, 0x401000, 8, flags), true, 2, 8, 0x401000);
	check_frame(frame(IDT_LONG, 3, 0x7fd8, 0x401000, 8, flags, 0x8000), false, 0, 8, 0x401000);
	check_frame(frame(IDT_LONG, 8, 0x7fd8, 0x401000, 8, flags, 0x8000), false, 0, 8, 0x401000);
	/* A guest that aligns in some other way: the flags are where they are. */
	check_frame(frame(IDT_LONG, 3, 0x7fd0, 0x401000, 8, flags, 0x8000), false, 0, 8, 0x401000);
	/* In protected mode the vector does, unless what is there says otherwise: IRQ 0 as vector 8. */
	check_frame(frame(IDT_PROT, 14, 0x7ff0, 4, 0x1000, 8, flags), true, 4, 8, 0x1000);
	check_frame(frame(IDT_PROT, 8, 0x7ff4, 0x1000, 8, flags, 0x1a2b3c), false, 0, 8, 0x1000);
	check_frame(frame(IDT_PROT, 32, 0x7ff4, 0x1000, 8, flags, 0x1a2b3c), false, 0, 8, 0x1000);
	/* Both may be: the vector decides.  Neither can be: likewise. */
	check_frame(frame(IDT_PROT, 32, 0x7ff4, 0x1000, 8, flags, flags), false, 0, 8, 0x1000);
	check_frame(frame(IDT_PROT, 13, 0x7ff4, 0x1000, 8, flags, flags), true, 0x1000, flags, 8);
	check_frame(frame(IDT_PROT, 13, 0x7ff4, 1, 2, 0, 0), true, 1, 0, 2);
	for (unsigned v = 0; v < 40; v++)
		ck_assert_int_eq(frame(IDT_PROT, v, 0, 0, 0, 0, 0).has_code,
				 v == 8 || (v >= 10 && v <= 14) || v == 17 || v == 21 || v == 29 || v == 30);
}
END_TEST

START_TEST(names)
{
	ck_assert_str_eq(idt_vector_name(0), "#DE");
	ck_assert_str_eq(idt_vector_name(3), "#BP");
	ck_assert_str_eq(idt_vector_name(14), "#PF");
	ck_assert_str_eq(idt_vector_name(19), "#XM");
	ck_assert_str_eq(idt_vector_name(30), "#SX");
	ck_assert_ptr_null(idt_vector_name(9));
	ck_assert_ptr_null(idt_vector_name(32));
	ck_assert_ptr_null(idt_vector_name(~0u));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("idt");
	TCase *c = tcase_create("idt");

	tcase_add_checked_fixture(c, setup, NULL);
	tcase_add_test(c, real_mode);
	tcase_add_test(c, limits);
	tcase_add_test(c, linear_addresses_wrap_below_long_mode);
	tcase_add_test(c, protected_mode);
	tcase_add_test(c, local_descriptors);
	tcase_add_test(c, gates_without_handlers);
	tcase_add_test(c, long_mode);
	tcase_add_test(c, frames);
	tcase_add_test(c, names);
	suite_add_tcase(s, c);
	return unit_main(s);
}
