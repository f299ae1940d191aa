/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Kernel code with instructions that a KVM which emulates it does not know: what comes of them is the same where the processor
 * runs them.  Which of the two a host is, it shows itself: by whether anything was carried out for it.
 */
#include <string.h>

#include "tests/kvm_harness.h"
#include "tests/unit.h"

#define CODE    0x100000ull
#define RESULT  0x200000ull

/* Offsets from RESULT. */
enum {
	BP_COUNT = 0, BP_RIP = 8, BP_FLAGS = 0x20, INT_COUNT = 0x10, INT_RIP = 0x18, POPCNT = 0x28, POPCNT_FLAGS = 0x30,
	PF_CODE = 0x38, PF_CR2 = 0x40, PF_RIP = 0x48, GP_COUNT = 0x50, GP_RIP = 0x58, NM_COUNT = 0x68, HAS_XSAVE = 0x70,
	HAS_SMAP = 0x78, STAC_FLAGS = 0x80, CLAC_FLAGS = 0x88,
	PATTERN = 0x100, UNALIGNED = 0x113, LOW_HALF = 0x130, LOW_WORD = 0x138, FX_AGAIN = 0x140, X_AGAIN = 0x150,
	AFTER_NM = 0x160, FX_AREA = 0x200, X_AREA = 0x1000,
};

extern const unsigned char as_after3[], as_after40[], as_pf[], as_gp[], as_popcnt[], as_after_popcnt[];

GUEST(kernel, ".code64\n"
	" mov $0x200000, %r15d\n"
	" mov $3, %edi\n lea as_bp_handler(%rip), %rsi\n call as_gate\n"
	" mov $0x40, %edi\n lea as_int_handler(%rip), %rsi\n call as_gate\n"
	" mov $14, %edi\n lea as_pf_handler(%rip), %rsi\n call as_gate\n"
	" mov $13, %edi\n lea as_gp_handler(%rip), %rsi\n call as_gate\n"
	" mov $7, %edi\n lea as_nm_handler(%rip), %rsi\n call as_gate\n"
	" movw $0xfff, 0x20f000\n movq $0x210000, 0x20f002\n lidt 0x20f000\n"

	".globl as_popcnt, as_after_popcnt\n"
	" mov $0xff00ff0f, %ecx\n add %ecx, %eax\n"
	"as_popcnt: popcnt %rcx, %rax\n"
	"as_after_popcnt: pushfq\n pop %rbx\n mov %rax, 0x28(%r15)\n mov %rbx, 0x30(%r15)\n"

	".globl as_after3, as_after40\n"
	" int3\nas_after3: nop\n int $0x40\nas_after40: nop\n"

	" movabs $0x1122334455667788, %rax\n mov %rax, 0x100(%r15)\n notq %rax\n mov %rax, 0x108(%r15)\n"
	" movups 0x100(%r15), %xmm3\n movups %xmm3, 0x113(%r15)\n"
	" movq %xmm3, 0x130(%r15)\n movd %xmm3, %eax\n mov %rax, 0x138(%r15)\n"

	" fxsave 0x200(%r15)\n movups 0x300(%r15), %xmm3\n fxrstor 0x200(%r15)\n movups %xmm3, 0x140(%r15)\n"

	" mov $1, %eax\n xor %ecx, %ecx\n cpuid\n bt $26, %ecx\n jnc 1f\n"
	" mov %cr4, %rax\n or $0x40000, %eax\n mov %rax, %cr4\n"
	" xor %ecx, %ecx\n xor %edx, %edx\n mov $3, %eax\n xsetbv\n"
	" xsave 0x1000(%r15)\n movups 0x300(%r15), %xmm3\n xrstor 0x1000(%r15)\n movups %xmm3, 0x150(%r15)\n"
	" movq $1, 0x70(%r15)\n1:\n"

	".globl as_pf, as_gp\n"
	" lea 1f(%rip), %r14\n movabs $0x140000000, %rbx\n"
	"as_pf: movq %xmm3, (%rbx)\n1:\n"
	" lea 1f(%rip), %r14\n"
	" movabs $0x8000000000000000, %rbx\n"
	"as_gp: popcnt (%rbx), %rax\n1:\n"
	" mov %cr0, %rax\n or $8, %eax\n mov %rax, %cr0\n movq %xmm3, 0x160(%r15)\n"

	" mov $7, %eax\n xor %ecx, %ecx\n cpuid\n bt $20, %ebx\n jnc 1f\n"
	" stac\n pushfq\n popq 0x80(%r15)\n clac\n pushfq\n popq 0x88(%r15)\n movq $1, 0x78(%r15)\n1:\n"

	" mov $0, %al\n out %al, $0xf4\n jmp .\n"

	"as_gate: shl $4, %edi\n add $0x210000, %edi\n movw %si, (%rdi)\n movw $8, 2(%rdi)\n movw $0x8e00, 4(%rdi)\n"
	" shr $16, %rsi\n movw %si, 6(%rdi)\n movq $0, 8(%rdi)\n ret\n"
	"as_bp_handler: incq (%r15)\n mov (%rsp), %rax\n mov %rax, 8(%r15)\n mov 0x10(%rsp), %rax\n"
	" mov %rax, 0x20(%r15)\n iretq\n"
	"as_int_handler: incq 0x10(%r15)\n mov (%rsp), %rax\n mov %rax, 0x18(%r15)\n iretq\n"
	"as_pf_handler: pop %rax\n mov %rax, 0x38(%r15)\n mov %cr2, %rax\n mov %rax, 0x40(%r15)\n"
	" mov (%rsp), %rax\n mov %rax, 0x48(%r15)\n mov %r14, (%rsp)\n iretq\n"
	"as_gp_handler: pop %rax\n incq 0x50(%r15)\n mov (%rsp), %rax\n mov %rax, 0x58(%r15)\n mov %r14, (%rsp)\n iretq\n"
	"as_nm_handler: incq 0x68(%r15)\n clts\n iretq\n");

/*
 * What only computes: x87, its pending exception, SSE2 and, where CPUID has them, CRC32 and AVX; and what asks the processor about
 * itself.  Flags of CPUID leaf 1's ecx are left at 0x80.
 */
GUEST(computes, ".code64\n"
	" mov $0x200000, %r15d\n movl $7, 0x100(%r15)\n"
	" lea cp_mf - computes + 0x100000, %rsi\n mov $0x210100, %edi\n call cp_gate\n"
	" lea cp_ud - computes + 0x100000, %rsi\n mov $0x210060, %edi\n call cp_gate\n"
	" movw $0xfff, 0x20f000\n movq $0x210000, 0x20f002\n lidt 0x20f000\n"
	" mov %cr0, %rax\n or $0x20, %eax\n and $~8, %eax\n mov %rax, %cr0\n"
	" fninit\n fildl 0x100(%r15)\n fld1\n fldpi\n fxch\n faddp\n fmulp\n fistpll (%r15)\n"
	" fnstsw %ax\n movzx %ax, %eax\n mov %rax, 8(%r15)\n"
	" movw $0x37b, 0x104(%r15)\n fldcw 0x104(%r15)\n fldz\n fld1\n fdiv %st(1), %st\n movq $1, 0x18(%r15)\n"
	" fld1\n fnclex\n fninit\n"
	" mov $0x0000000300000005, %rax\n movq %rax, %xmm1\n movaps %xmm1, %xmm0\n paddd %xmm1, %xmm0\n movaps %xmm0, 0x110(%r15)\n"
	" paddd 0x110(%r15), %xmm0\n cvttsd2si %xmm0, %rax\n movq %xmm0, 0x20(%r15)\n"
	" mov $1, %eax\n xor %ecx, %ecx\n cpuid\n mov %rcx, 0x80(%r15)\n"
	" bt $20, %ecx\n jnc 1f\n xor %eax, %eax\n mov $0x31, %r9d\n crc32b %r9b, %eax\n mov %rax, 0x28(%r15)\n1:\n"
	" mov 0x80(%r15), %rcx\n bt $28, %ecx\n jnc 1f\n bt $26, %ecx\n jnc 1f\n"
	" mov %cr4, %rax\n or $0x40000, %eax\n mov %rax, %cr4\n xor %ecx, %ecx\n xor %edx, %edx\n mov $7, %eax\n xsetbv\n"
	" vpaddd %xmm1, %xmm0, %xmm2\n vinsertf128 $1, %xmm1, %ymm2, %ymm2\n vmovups %ymm2, 0x30(%r15)\n"
	" xor %ecx, %ecx\n xgetbv\n mov %rax, 0x58(%r15)\n movq $1, 0x50(%r15)\n1:\n"
	" mov $0x10, %ecx\n lsl %ecx, %eax\n setz 0x60(%r15)\n verw %cx\n setz 0x61(%r15)\n verr 0x100(%r15)\n setz 0x62(%r15)\n"
	" ud1 %ecx, %eax\n"
	" mov $0, %al\n out %al, $0xf4\n jmp .\n"
	"cp_gate: movw %si, (%rdi)\n movw $8, 2(%rdi)\n movw $0x8e00, 4(%rdi)\n shr $16, %rsi\n movw %si, 6(%rdi)\n movq $0, 8(%rdi)\n ret\n"
	"cp_mf: incq 0x10(%r15)\n fnclex\n iretq\n"
	"cp_ud: incq 0x70(%r15)\n addq $3, (%rsp)\n iretq\n");

/* What no assist knows. */
GUEST(strange, ".code64\n maskmovdqu %xmm1, %xmm0\n mov $0, %al\n out %al, $0xf4\n jmp .\n");

/* Interrupts in 32-bit protected mode: INT n, an exception, and the returns from both. */
GUEST(prot, ".code32\n"
	" lgdt as_gdtr - prot + 0x100000\n ljmp $8, $(as_flat - prot + 0x100000)\n"
	"as_flat: mov $0x10, %eax\n mov %eax, %ds\n mov %eax, %es\n mov %eax, %ss\n mov $0x208000, %esp\n"
	" movl $(as_handler40 - prot + 0x100000), %eax\n mov $0x40, %edi\n call as_gate32\n"
	" movl $(as_handler0 - prot + 0x100000), %eax\n mov $0, %edi\n call as_gate32\n"
	" movw $0x7ff, 0x20f000\n movl $0x210000, 0x20f002\n lidt 0x20f000\n"
	" mov $1000, %ecx\n1: int $0x40\n loop 1b\n mov %esp, 0x200008\n"
	" xor %edx, %edx\n mov $5, %eax\n xor %ecx, %ecx\n div %ecx\n mov %eax, 0x20000c\n"
	" mov $0, %al\n out %al, $0xf4\n jmp .\n"
	"as_gate32: shl $3, %edi\n add $0x210000, %edi\n movw %ax, (%edi)\n movw $8, 2(%edi)\n movw $0x8e00, 4(%edi)\n"
	" shr $16, %eax\n movw %ax, 6(%edi)\n ret\n"
	"as_handler40: incl 0x200000\n iret\n"
	"as_handler0: incl 0x200004\n inc %ecx\n iret\n"
	".balign 8\nas_gdt: .quad 0, 0xcf9a000000ffff, 0xcf92000000ffff\n"
	"as_gdtr: .word 23\n .long as_gdt - prot + 0x100000\n");

/*
 * The first vCPU adds to both halves of a number of 16 bytes by lock cmpxchg16b, 1,000 times; the second to its lower half by
 * lock inc meanwhile, and counts how often.  Whoever waits executes cpuid, which exits on every processor: on a host that has but
 * one, and emulates it, nothing else would let the other one run.
 */
GUEST(swap, ".code64\n"
	" mov $0x200000, %r15d\n"
	" lea as_second - swap + 0x100000, %rsi\n mov $0x8000, %edi\n mov $as_second_end - as_second, %ecx\n rep movsb\n"
	" mov %cr3, %rax\n mov %rax, 0x8ff0\n sgdt 0x8fe0\n"
	" mov $0x1b, %ecx\n rdmsr\n or $0xc00, %eax\n wrmsr\n"
	" mov $1, %edx\n mov $0x830, %ecx\n mov $0x4500, %eax\n wrmsr\n mov $0x4608, %eax\n wrmsr\n"
	"1: xor %eax, %eax\n cpuid\n mov 0x10(%r15), %rax\n test %rax, %rax\n jz 1b\n"
	"2: mov (%r15), %rax\n mov 8(%r15), %rdx\n"
	"3: mov %rax, %rbx\n mov %rdx, %rcx\n add $1, %rbx\n adc $1, %rcx\n"
	" lock cmpxchg16b (%r15)\n jnz 3b\n incl 0x20(%r15)\n cmpl $1000, 0x20(%r15)\n jb 2b\n"
	" movq $1, 0x18(%r15)\n4: xor %eax, %eax\n cpuid\n mov 0x30(%r15), %rax\n test %rax, %rax\n jz 4b\n"
	" mov $0, %al\n out %al, $0xf4\n jmp .\n"
	".code16\nas_second: xor %ax, %ax\n mov %ax, %ds\n lgdtl 0x8fe0\n"
	" mov %cr4, %eax\n or $0x20, %al\n mov %eax, %cr4\n mov 0x8ff0, %eax\n mov %eax, %cr3\n"
	" mov $0xc0000080, %ecx\n rdmsr\n or $0x100, %eax\n wrmsr\n"
	" mov %cr0, %eax\n or $0x80000001, %eax\n mov %eax, %cr0\n ljmpl $8, $as_second64 - as_second + 0x8000\n"
	".code64\nas_second64: mov $0x200000, %r15d\n movq $1, 0x10(%r15)\n"
	"1: lock incq (%r15)\n incq 0x28(%r15)\n testb $0xff, 0x28(%r15)\n jnz 3f\n xor %eax, %eax\n cpuid\n"
	"3: mov 0x18(%r15), %rax\n test %rax, %rax\n jz 1b\n"
	" movq $1, 0x30(%r15)\n2: pause\n jmp 2b\n"
	"as_second_end:\n");

static uint64_t at(const unsigned char *label)
{
	return CODE + (uint64_t)(label - kernel);
}

static uint64_t result(unsigned offset)
{
	uint64_t v;

	ck_assert_uint_eq(machine_phys_read(m, RESULT + offset, &v, sizeof(v), &err), sizeof(v));
	return v;
}

static uint64_t count_of(const char *name)
{
	struct assist_count c;

	for (size_t i = 0; machine_assist_count(m, i, &c); i++)
		if (!strcmp(c.name, name))
			return c.count;
	ck_abort_msg("nothing is called %s", name);
	return 0;
}

static bool carried_out(void)
{
	struct assist_count c;
	uint64_t sum = 0;

	for (size_t i = 0; machine_assist_count(m, i, &c); i++)
		sum += c.count;
	return sum;
}

static void check_results(void)
{
	uint64_t again[2], pattern[2] = { 0x1122334455667788, ~0x1122334455667788ull };

	ck_assert_msg(stop.reason == STOP_EXIT, "reason %d at 0x%lx: %s", stop.reason, stop.pc, stop.text);
	ck_assert_uint_eq(result(POPCNT), 20);
	ck_assert_uint_eq(result(POPCNT_FLAGS) & 0x8d5, 0);
	ck_assert_uint_eq(result(BP_COUNT), 1);
	ck_assert_uint_eq(result(BP_RIP), at(as_after3));
	ck_assert_uint_eq(result(BP_FLAGS) & 0x10100, 0);
	ck_assert_uint_eq(result(INT_COUNT), 1);
	ck_assert_uint_eq(result(INT_RIP), at(as_after40));
	ck_assert_uint_eq(result(LOW_HALF), pattern[0]);
	ck_assert_uint_eq(result(LOW_WORD), (uint32_t)pattern[0]);
	ck_assert_uint_eq(result(UNALIGNED), pattern[0]);
	ck_assert_uint_eq(result(FX_AREA + 160 + 3 * 16), pattern[0]);
	ck_assert_uint_eq(result(FX_AREA + 24) & 0xffff, 0x1f80);
	ck_assert_uint_eq(machine_phys_read(m, RESULT + FX_AGAIN, again, 16, &err), 16);
	ck_assert_mem_eq(again, pattern, 16);
	if (result(HAS_XSAVE)) {
		ck_assert_uint_eq(result(X_AREA + 160 + 3 * 16), pattern[0]);
		ck_assert_uint_eq(result(X_AREA + 512) & 2, 2);
		ck_assert_uint_eq(machine_phys_read(m, RESULT + X_AGAIN, again, 16, &err), 16);
		ck_assert_mem_eq(again, pattern, 16);
	}
	ck_assert_uint_eq(result(PF_CODE), 2);
	ck_assert_uint_eq(result(PF_CR2), 0x140000000);
	ck_assert_uint_eq(result(PF_RIP), at(as_pf));
	ck_assert_uint_eq(result(GP_COUNT), 1);
	ck_assert_uint_eq(result(GP_RIP), at(as_gp));
	ck_assert_uint_eq(result(NM_COUNT), 1);
	ck_assert_uint_eq(result(AFTER_NM), pattern[0]);
	if (result(HAS_SMAP)) {
		ck_assert_uint_eq(result(STAC_FLAGS) & 1 << 18, 1 << 18);
		ck_assert_uint_eq(result(CLAC_FLAGS) & 1 << 18, 0);
	}
}

START_TEST(kernel_code_runs)
{
	GUEST_START(kernel, CODE, BOOT_LONG, 1);
	guest_continue();
	guest_wait();
	check_results();
	guest_end();
}
END_TEST

/* On a host where the processor runs all of it there is nothing to count. */
START_TEST(counts_where_kvm_emulates)
{
	GUEST_START(kernel, CODE, BOOT_LONG, 1);
	guest_continue();
	guest_wait();
	check_results();
	if (carried_out()) {
		ck_assert_uint_eq(count_of("popcnt"), 2);
		ck_assert_uint_eq(count_of("int3"), 1);
		ck_assert_uint_eq(count_of("int n"), 1);
		ck_assert_uint_ge(count_of("sse move"), 4);
		ck_assert_uint_eq(count_of("xsave"), result(HAS_XSAVE));
		ck_assert_uint_eq(count_of("xrstor"), result(HAS_XSAVE));
		ck_assert_uint_eq(count_of("clac/stac"), 2 * result(HAS_SMAP));
	}
	guest_end();
}
END_TEST

/* An instruction that is carried out for the guest is one step, like any other. */
START_TEST(steps)
{
	uint64_t pc = CODE;

	GUEST_START(kernel, CODE, BOOT_LONG, 1);
	for (unsigned i = 0; pc != at(as_popcnt); i++) {
		ck_assert_uint_lt(i, 200);
		guest_step(0);
		guest_wait();
		ck_assert_int_eq(stop.reason, STOP_STEP);
		pc = stop.pc;
	}
	guest_step(0);
	guest_wait();
	ck_assert_int_eq(stop.reason, STOP_STEP);
	ck_assert_uint_eq(stop.pc, at(as_after_popcnt));
	ck_assert_uint_eq(guest_reg(0, X86_RAX), 20);
	guest_continue();
	guest_wait();
	check_results();
	guest_end();
}
END_TEST

START_TEST(stops_where_kvm_emulates_and_assist_is_off)
{
	GUEST_START(kernel, CODE, BOOT_LONG, 1);
	machine_setting(m, SETTING_ASSIST, &(bool){ false });
	guest_continue();
	guest_wait();
	if (stop.reason == STOP_EXIT)
		check_results();
	else {
		ck_assert_int_eq(stop.reason, STOP_ERROR);
		ck_assert_uint_eq(stop.pc, at(as_popcnt));
		ck_assert_str_eq(stop.text, "KVM cannot emulate f3 48 0f b8 c1  popcnt rax, rcx (and assist is off)");
		ck_assert(!carried_out());
		/* On again, it goes on from there. */
		machine_setting(m, SETTING_ASSIST, &(bool){ true });
		guest_continue();
		guest_wait();
		check_results();
	}
	guest_end();
}
END_TEST

START_TEST(what_only_computes)
{
	GUEST_START(computes, CODE, BOOT_LONG, 1);
	guest_continue();
	guest_wait();
	ck_assert_msg(stop.reason == STOP_EXIT, "reason %d at 0x%lx: %s", stop.reason, stop.pc, stop.text);
	ck_assert_uint_eq(result(0), 29);               /* 7 * (1 + pi), rounded */
	ck_assert_uint_eq(result(8) & 0x38a0, 0x20);    /* inexact, nothing pending, the stack as at first */
	ck_assert_uint_eq(result(0x10), 1);
	ck_assert_uint_eq(result(0x18), 1);
	ck_assert_uint_eq(result(0x20), 0x0000000c00000014);
	if (result(0x80) >> 20 & 1)
		ck_assert_uint_eq(result(0x28), 0xc288cab2);
	if (result(0x50)) {
		ck_assert_uint_eq(result(0x30), 0x0000000f00000019);
		ck_assert_uint_eq(result(0x38), 0);
		ck_assert_uint_eq(result(0x40), 0x0000000300000005);
		ck_assert_uint_eq(result(0x58), 7);
	}
	ck_assert_uint_eq(result(0x60) & 0xffffff, 0x000101);
	ck_assert_uint_eq(result(0x70), 1);
	if (carried_out()) {
		ck_assert_uint_ge(count_of("x87/mmx"), 10);
		ck_assert_uint_ge(count_of("sse"), 2);
		ck_assert_uint_ge(count_of("lar/lsl/verr/verw"), 3);
		ck_assert_uint_eq(count_of("ud0/ud1"), 1);
	}
	guest_end();
}
END_TEST

START_TEST(interrupts_of_protected_mode)
{
	uint32_t got[4];

	GUEST_START(prot, CODE, BOOT_PROTECTED, 1);
	guest_continue();
	guest_wait();
	ck_assert_msg(stop.reason == STOP_EXIT, "reason %d at 0x%lx: %s", stop.reason, stop.pc, stop.text);
	ck_assert_uint_eq(machine_phys_read(m, RESULT, got, sizeof(got), &err), sizeof(got));
	ck_assert_uint_eq(got[0], 1000);
	ck_assert_uint_eq(got[1], 1);
	ck_assert_uint_eq(got[2], 0x208000);
	ck_assert_uint_eq(got[3], 5);
	if (carried_out())
		ck_assert_uint_eq(count_of("iret"), 1001);
	guest_end();
}
END_TEST

START_TEST(locked_among_vcpus)
{
	GUEST_START(swap, CODE, BOOT_LONG, 2);
	guest_continue();
	guest_wait();
	ck_assert_msg(stop.reason == STOP_EXIT, "reason %d at 0x%lx: %s", stop.reason, stop.pc, stop.text);
	ck_assert_uint_eq(result(0), 1000 + result(0x28));
	ck_assert_uint_eq(result(8), 1000);
	if (carried_out())
		ck_assert_uint_ge(count_of("cmpxchg8b/16b"), 1000);
	guest_end();
}
END_TEST

START_TEST(stops_where_kvm_emulates_and_nobody_knows)
{
	GUEST_START(strange, CODE, BOOT_LONG, 1);
	guest_continue();
	guest_wait();
	if (stop.reason != STOP_EXIT) {
		ck_assert_int_eq(stop.reason, STOP_ERROR);
		ck_assert_uint_eq(stop.pc, CODE);
		ck_assert_str_eq(stop.text, "KVM cannot emulate 66 0f f7 c1  maskmovdqu xmm0, xmm1");
	}
	ck_assert(!carried_out());
	guest_end();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("assist");
	TCase *t = tcase_create("assist");

	if (guest_no_kvm())
		return unit_skip_all("/dev/kvm cannot be opened");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, kernel_code_runs);
	tcase_add_test(t, counts_where_kvm_emulates);
	tcase_add_test(t, steps);
	tcase_add_test(t, interrupts_of_protected_mode);
	tcase_add_test(t, locked_among_vcpus);
	tcase_add_test(t, what_only_computes);
	tcase_add_test(t, stops_where_kvm_emulates_and_assist_is_off);
	tcase_add_test(t, stops_where_kvm_emulates_and_nobody_knows);
	suite_add_tcase(s, t);
	return unit_main(s);
}
