/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Instructions that are carried out without KVM do what they do with it: random ones of each kind, with random registers, taken as a step
 * by KVM and beside it by insn_plain().  Where KVM does not emulate what it steps, that is the processor.
 */
#include <stdlib.h>
#include <string.h>

#include "arch/x86/insn/plain.h"
#include "tests/kvm_harness.h"
#include "tests/unit.h"

GUEST(idle16, ".rept 64\n nop\n .endr\n");
GUEST(idle32, ".code32\n.rept 64\n nop\n .endr\n");
GUEST(idle64, ".code64\n.rept 64\n nop\n .endr\n");

#define AT     0x9000u
#define ROUNDS 2500
#define FLAGS  0x8d5u           /* arithmetic */

static unsigned seed = 1;

static uint64_t any(void)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < 4; i++)
		v = v << 16 | ((unsigned)rand_r(&seed) & 0xffff);
	return v;
}

/* Values at which flags change as often as others. */
static uint64_t value(unsigned bits)
{
	static const uint64_t edges[] = { 0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff,
					  INT64_MAX, 1ull << 63, UINT64_MAX };
	uint64_t v = any();

	if (any() % 2)
		v = edges[v % (sizeof(edges) / sizeof(edges[0]))];
	return bits == 64 ? v : (uint32_t)v;
}

/* Bytes for an instruction; most are one of those that are known. */
static void make(uint8_t *code, unsigned bits)
{
	static const uint8_t known[] = {
		0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x08, 0x0b, 0x10, 0x13, 0x14, 0x18, 0x1b, 0x20, 0x23, 0x25, 0x28, 0x29, 0x2b, 0x2d,
		0x30, 0x31, 0x33, 0x38, 0x39, 0x3b, 0x3c, 0x3d, 0x40, 0x47, 0x48, 0x4f, 0x70, 0x71, 0x72, 0x73, 0x74, 0x75, 0x76, 0x77,
		0x78, 0x79, 0x7a, 0x7b, 0x7c, 0x7d, 0x7e, 0x7f, 0x80, 0x81, 0x83, 0x84, 0x85, 0x88, 0x89, 0x8a, 0x8b, 0x8d, 0x90, 0xa8,
		0xa9, 0xb0, 0xb4, 0xb7, 0xb8, 0xbf, 0xc6, 0xc7, 0xe0, 0xe1, 0xe2, 0xe3, 0xe9, 0xeb, 0xfe, 0xff, 0x0f, 0x0f, 0x0f, 0x0f,
	};
	static const uint8_t second[] = { 0x1f, 0x80, 0x84, 0x8d, 0x8f, 0xb6, 0xb7, 0xbe, 0xbf };
	uint8_t op = known[any() % sizeof(known)];
	unsigned n = 0;

	for (unsigned i = 0; i < 15; i++)
		code[i] = (uint8_t)any();
	if (any() % 4 == 0)
		code[n++] = 0x66;
	if (bits == 64 && any() % 2)
		code[n++] = 0x40 | (any() & 0xf);
	code[n++] = op;
	if (op == 0x0f)
		code[n++] = second[any() % sizeof(second)];
	/* Registers, but for LEA and NOP. */
	if (op != 0x8d && code[n - 1] != 0x1f && any() % 8)
		code[n] |= 0xc0;
	/* Jumps that stay in the neighbourhood. */
	if ((op == 0xe9 || (op == 0x0f && (code[n - 1] & 0xf0) == 0x80)))
		memset(code + n + 1, 0, 3);
}

static void read_registers(struct insn_regs *ret, unsigned bits)
{
	*ret = (struct insn_regs){ .rip = guest_reg(0, X86_RIP), .rflags = guest_reg(0, X86_EFLAGS), .code_bits = bits };
	for (unsigned i = 0; i < INSN_GPRS; i++)
		ret->gpr[i] = guest_reg(0, (reg_id[]){ X86_RAX, X86_RCX, X86_RDX, X86_RBX, X86_RSP, X86_RBP, X86_RSI, X86_RDI, X86_R8,
							    X86_R9, X86_R10, X86_R11, X86_R12, X86_R13, X86_R14, X86_R15 }[i]);
}

static void set_registers(unsigned bits)
{
	static const reg_id ids[] = { X86_RAX, X86_RCX, X86_RDX, X86_RBX, X86_RSP, X86_RBP, X86_RSI, X86_RDI,
					   X86_R8,  X86_R9,  X86_R10, X86_R11, X86_R12, X86_R13, X86_R14, X86_R15 };

	for (unsigned i = 0; i < (bits == 64 ? 16 : 8); i++)
		guest_set_reg(0, ids[i], value(bits));
	guest_set_reg(0, X86_EFLAGS, 2 | (any() & FLAGS));
	guest_set_reg(0, X86_RIP, AT);
}

static const struct {
	const unsigned char *code, *end;
	enum boot_mode mode;
	unsigned bits;
} modes[] = {
	{ idle16, idle16_end, BOOT_REAL, 16 }, { idle32, idle32_end, BOOT_PROTECTED, 32 }, { idle64, idle64_end, BOOT_LONG, 64 },
};

START_TEST(like_kvm)
{
	unsigned bits = modes[_i].bits, done = 0;

	guest_start(modes[_i].code, modes[_i].end, 0x8000, modes[_i].mode, 1);
	for (unsigned n = 0; n < ROUNDS; n++) {
		struct insn_regs plain, before, kvm;
		uint8_t code[15];
		char text[80];

		make(code, bits);
		ck_assert_uint_eq(machine_phys_write(m, AT, code, sizeof(code), &err), sizeof(code));
		set_registers(bits);
		read_registers(&before, bits);
		plain = before;
		if (!insn_plain(&plain, code, sizeof(code))) {
			ck_assert_mem_eq(&plain, &before, sizeof(plain));
			continue;
		}
		/* What it does beyond the segment is the caller's to see. */
		if (bits == 16 && plain.rip > 0xffff)
			continue;
		done++;
		/* Registers have just been written: that has a step taken by KVM. */
		guest_step(0);
		guest_wait();
		insn_text(&before, code, sizeof(code), text, sizeof(text));
		ck_assert_msg(stop.reason == STOP_STEP, "%s: %s", text, stop.text);
		read_registers(&kvm, bits);
		for (unsigned i = 0; i < INSN_GPRS; i++)
			ck_assert_msg(plain.gpr[i] == kvm.gpr[i], "%s: register %u is 0x%llx, and 0x%llx by KVM (was 0x%llx)", text, i,
				      (unsigned long long)plain.gpr[i], (unsigned long long)kvm.gpr[i], (unsigned long long)before.gpr[i]);
		ck_assert_msg(plain.rip == kvm.rip, "%s: at 0x%llx, and 0x%llx by KVM", text, (unsigned long long)plain.rip,
			      (unsigned long long)kvm.rip);
		ck_assert_msg(plain.rflags == kvm.rflags, "%s: flags are 0x%llx, and 0x%llx by KVM (were 0x%llx)", text,
			      (unsigned long long)plain.rflags, (unsigned long long)kvm.rflags, (unsigned long long)before.rflags);
	}
	ck_assert_uint_gt(done, ROUNDS / 4);
	guest_end();
}
END_TEST

/* No byte more than there is decides. */
START_TEST(cut_off)
{
	for (unsigned n = 0; n < 20000; n++) {
		struct insn_regs r = { .rip = AT, .rflags = 2, .code_bits = modes[n % 3].bits }, whole = r, part = r, before = r;
		uint8_t code[15], *some;
		size_t len;

		make(code, r.code_bits);
		for (len = 0; len <= sizeof(code) && !insn_plain(&whole, code, len); len++)
			;
		if (len > sizeof(code) || !len)
			continue;
		ck_assert(insn_plain(&part, code, sizeof(code)));
		ck_assert_mem_eq(&part, &whole, sizeof(part));
		/* AddressSanitizer has its eye on what is behind. */
		some = malloc(len);
		ck_assert_ptr_nonnull(some);
		memcpy(some, code, len);
		part = r;
		ck_assert(insn_plain(&part, some, len));
		part = r;
		ck_assert(!insn_plain(&part, some, len - 1));
		ck_assert_mem_eq(&part, &before, sizeof(part));
		free(some);
	}
}
END_TEST

/* Counts in ax; exception 6 leaves where it came from at 0x504, and how often at 0x500. */
GUEST(counts, "xor %ax, %ax\n mov %ax, %ds\n movw $(caught - counts + 0x7c00), 6 * 4\n movw $0, 6 * 4 + 2\n"
	      ".globl place\n 1: nop\n place: inc %ax\n jmp 1b\n"
	      ".globl caught\n caught: incl 0x500\n pop %bx\n mov %bx, 0x504\n push %bx\n iret\n");
extern const unsigned char place[];

/* What is pending comes before the instruction that a breakpoint stands on, which is else taken over without KVM. */
START_TEST(what_comes_first)
{
	const struct injection ud = { .kind = INJECT_EXCEPTION, .number = 6 };
	uint64_t at = 0x7c00 + (uint64_t)(place - counts);

	GUEST_START(counts, 0x7c00, BOOT_REAL, 1);
	ck_assert_int_eq(guest_break(BREAK_OWNER_GDB, _i ? BREAK_HARD : BREAK_SOFT, at), 0);
	for (unsigned n = 0; n < 10; n++) {
		guest_continue();
		guest_wait();
		ck_assert_uint_eq(stop.pc, at);
		ck_assert_uint_eq(guest_reg(0, X86_RAX), n);
	}
	ck_assert_msg(!machine_inject(m, &ud, &err), "%s", err.msg);
	guest_continue();
	guest_wait();
	/* It came back to the breakpoint, which is news. */
	ck_assert_uint_eq(stop.pc, at);
	ck_assert_uint_eq(guest_u32(0x500), 1);
	ck_assert_uint_eq(guest_u32(0x504) & 0xffff, at);
	guest_end();
}
END_TEST

int main(void)
{
	TCase *c = tcase_create("plain");
	Suite *s = suite_create("kvm_plain");

	if (guest_no_kvm())
		return unit_skip_all("/dev/kvm cannot be opened");
	tcase_set_timeout(c, 60);
	tcase_add_loop_test(c, like_kvm, 0, 3);
	tcase_add_test(c, cut_off);
	tcase_add_loop_test(c, what_comes_first, 0, 2);
	suite_add_tcase(s, c);
	return unit_main(s);
}
