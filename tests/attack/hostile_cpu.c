/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Acts against the processor and whoever emulates it: MSRs, control registers, page tables, traps, user mode, INIT. */
#include "hostile.h"

void enter_user(void (*function)(u64), u64 arg, u64 stack);

/* -- registers -- */

void msr_act(void)
{
	static const u32 msrs[] = {
		0x10, 0x17, 0x1b, 0x34, 0x3a, 0x3b, 0x48, 0x49, 0x79, 0x8b, 0xce, 0x10a, 0x122, 0x140, 0x174, 0x179,
		0x17a, 0x186, 0x198, 0x1a0,
		0x1d9, 0x200, 0x250, 0x268, 0x277, 0x2ff, 0x345, 0x38d, 0x400, 0x480, 0x4c4, 0x600, 0x6e0, 0x800,
		0x808, 0x820, 0x830, 0xd90,
		0xc0000080, 0xc0000100, 0xc0010000, 0xc0010110, 0x4b564d00, 0x40000000, 0x40000020, 0x40000070,
	};
	u32 msr = below(8) ? msrs[below(sizeof(msrs) / sizeof(msrs[0]))] + below(8) : rnd(), low, high;
	u64 v = below(3) ? wild() : below(2) ? rnd() : 1ul << below(64);

	if (below(4)) {
		__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
		if (below(2))
			v = ((u64)high << 32 | low) ^ 1ul << below(64);
	}
	/* Its own APIC's page stays where it is, mostly. */
	if (below(2) && (msr != 0x1b || !below(16)))
		__asm__ volatile("wrmsr" : : "a"((u32)v), "d"((u32)(v >> 32)), "c"(msr));
}

void control_act(void)
{
	u64 v = 1ul << below(64), was;
	u32 leaf = below(4) ? below(32) : below(2) ? 0x80000000 + below(32) : 0x40000000 + below(256);

	switch (below(18)) {
	case 0:
		__asm__ volatile("mov %%cr0, %0" : "=r"(was));
		v = 1ul << below(32);
		/* Not out of long mode by way of a fault each time. */
		__asm__ volatile("mov %0, %%cr0" : : "r"((was ^ v) | (below(16) ? 0x80000001 : 0)));
		__asm__ volatile("mov %0, %%cr0" : : "r"(was));
		break;
	case 1:
		__asm__ volatile("mov %%cr4, %0" : "=r"(was));
		if (v == 1 << 20 || v == 1 << 21)
			v = below(32) ? 4 : v;
		__asm__ volatile("mov %0, %%cr4" : : "r"(was ^ v));
		__asm__ volatile("mov %0, %%cr4" : : "r"(was));
		break;
	case 2:
		__asm__ volatile("mov %0, %%cr2" : : "r"(rnd()));
		break;
	case 3:
		__asm__ volatile("mov %0, %%cr8" : : "r"(below(2) ? below(16) : rnd()));
		__asm__ volatile("mov %0, %%cr8" : : "r"(0ul));
		break;
	case 4:
		__asm__ volatile("xsetbv" : : "a"((u32)rnd()), "d"(below(2) ? 0 : (u32)rnd()),
				 "c"(below(4) ? 0 : (u32)rnd()));
		break;
	case 5:
		__asm__ volatile("xgetbv" : : "c"((u32)below(4)) : "rax", "rdx");
		break;
	case 6: case 7:
		__asm__ volatile("cpuid" : "+a"(leaf) : "c"((u32)below(70)) : "rbx", "rdx");
		break;
	case 8:
		__asm__ volatile("invlpg (%0)" : : "r"(wild()) : "memory");
		break;
	case 9:
		__asm__ volatile("wbinvd");
		break;
	case 10:
		__asm__ volatile("rdtsc" : : : "rax", "rdx");
		__asm__ volatile("rdpmc" : : "c"((u32)rnd()) : "rax", "rdx");
		break;
	case 11:
		__asm__ volatile("mov %w0, %%ds" : : "r"(rnd()));
		__asm__ volatile("mov %w0, %%gs" : : "r"(rnd()));
		break;
	case 12:
		__asm__ volatile("sgdt (%0)\n sidt 16(%0)\n sldt 32(%0)\n str 34(%0)\n smsw 36(%0)" : :
				"r"(below(32) ? ARENA + below(ARENA_SIZE) : wild()) :
				 "memory");
		break;
	case 13:
		__asm__ volatile("lldt %w0" : : "r"(below(2) ? 0 : rnd()));
		break;
	case 14:
		__asm__ volatile("swapgs\n swapgs\n clts");
		break;
	case 15:
		__asm__ volatile("lmsw %w0" : : "r"((was = rnd()) | 1));
		__asm__ volatile("clts");
		break;
	case 16:
		/* Prefixes without end, undefined and privileged instructions. */
		__asm__ volatile(".rept 20\n .byte 0x66\n .endr\n nop");
		break;
	default:
		switch (below(6)) {
		case 0:
			__asm__ volatile("ud2");
			break;
		case 1:
			/* Where KVM emulates, that is the end. */
			if (!below(400))
				__asm__ volatile("monitor" : : "a"((u64)ARENA), "c"(0), "d"(0));
			break;
		case 2:
			__asm__ volatile("rsm");
			break;
		case 3:
			__asm__ volatile("vmxoff");
			break;
		case 4:
			__asm__ volatile("lock; nop");
			break;
		default:
			__asm__ volatile("int $0x81");
		}
	}
}

/* -- code that rewrites itself -- */

#define PIECES 16u      /* of 8 bytes; then a return */

static const u8 add[8] = { 0x83, 0xc0, 0, 0x0f, 0x1f, 0x44, 0, 0 };             /* add $n, %eax; nop */
static const u8 change[8] = { 0xc6, 0x05, 0, 0, 0, 0, 0, 0x90 };                /* movb $n, d(%rip); nop */

static void put(u64 at, u64 bytes)
{
	volatile u8 *to = (volatile u8 *)(CODE + at);
	const u8 *from;
	u64 count;

	switch (below(4)) {
	case 0:
		*(volatile u64 *)to = bytes;
		break;
	case 1:
		for (u32 i = 0; i < 8; i++)
			to[i] = bytes >> (8 * i);
		break;
	case 2:
		for (u32 i = 8; i--; )
			to[i] = bytes >> (8 * i);
		break;
	default:
		*(volatile u64 *)ARENA = bytes;
		from = (u8 *)ARENA;
		count = 8;
		__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
	}
	*(volatile u64 *)(CODE_COPY + at) = bytes;
}

static u64 numbered(const u8 *piece, u32 where, u8 n)
{
	u64 v = *(const u64 *)piece;

	return v | (u64)n << (8 * where);
}

static volatile u32 others_leave, others_write;

void leave_code(void)
{
	others_leave = 1;
	__asm__ volatile("mfence" : : : "memory");
	/* Not for ever: who is reset, or parked, cannot. */
	for (u32 i = 0; i < 1000000 && others_write; i++)
		__asm__ volatile("pause");
}

void write_code(u32 x)
{
	u64 at = CODE_OTHERS + (x >> 8 & 0x1f8), bytes = x & 0x7f7f7f7fu;

	__asm__ volatile("lock incl %0" : "+m"(others_write));
	if (!others_leave && this_cpu() == 1) {
		*(volatile u64 *)(CODE + at) = bytes;
		*(volatile u64 *)(CODE_COPY + at) = bytes;
	}
	__asm__ volatile("lock decl %0" : "+m"(others_write));
}

/*
 * Rewrites a block that adds numbers, and has it change its own numbers while it runs; it must come to the sum
 * that was meant.
 */
void code_act(void)
{
	u64 block = below(24) * 0x90, target[PIECES];
	u8 n[PIECES];
	u32 sum = 0, got = 0;

	if (control.ops == 1) {
		others_leave = others_write = 0;
		*lapic(0xf0) = 0x1ff;
		*lapic(0x300) = 0xc4500;
		*lapic(0x300) = 0xc46fe;
	}
	for (u32 i = 0; i < PIECES; i++) {
		n[i] = below(0x70);
		target[i] = i + 1 < PIECES && below(3) == 0 ? i + 1 + below(PIECES - i - 1) : 0;
	}
	for (u32 i = 0; i < PIECES; i++)
		if (target[i] && target[target[i]])
			target[i] = 0;
	for (u32 i = 0; i < PIECES; i++) {
		u64 piece = numbered(add, 2, n[i]);

		if (target[i])
			piece = numbered(change, 6, n[i]) | (u64)(u32)(8 * target[i] + 2 - (8 * i + 7)) << 16;
		put(block + 8 * i, piece);
	}
	put(block + 8 * PIECES, 0x90909090909090c3);
	for (u32 i = 0; i < PIECES; i++)
		if (target[i]) {
			n[target[i]] = n[i];
			*(volatile u8 *)(CODE_COPY + block + 8 * target[i] + 2) = n[i];
		}
	for (u32 i = 0; i < PIECES; i++)
		sum += target[i] ? 0 : n[i];
	for (u32 times = 1 + below(3); times; times--) {
		got = 0;
		__asm__ volatile("call *%1" : "+a"(got) : "r"(CODE + block) : "memory");
		control.wrong += got != sum;
	}
}

/* -- page tables -- */

static u64 wild_entry(void)
{
	u64 table = WILD_TABLES + below(16) * 0x1000;

	switch (below(12)) {
	case 0:
		return 0;
	case 1:
		return rnd();                           /* reserved bits and all */
	case 2:
		return wild() | 0x87;
	case 3:
		return (wild() & ~0xffful) | 7;
	case 4:
		return (below(1ul << 40) << 12) | 7;
	case 5:
		return 0xfee00000 | 0x1f;
	case 6:
		return (ARENA + (below(ARENA_SIZE) & ~0xffful)) | 7 | rnd() << 63;
	default:
		return table | 7 | (rnd() & 0x78);
	}
}

void pages_act(void)
{
	volatile u64 *top = (volatile u64 *)WILD_TABLES;
	u64 gva;

	for (u32 i = 0; i < 64; i++)
		top[below(16 * 512)] = wild_entry();
	/* The first 512 GiB as they are, or it would be the last act. */
	top[0] = *(volatile u64 *)TABLES;
	if (!below(10000))
		top[0] = wild_entry();
	__asm__ volatile("mov %0, %%cr3" : : "r"((u64)top | (below(8) ? 0 : below(4) << 3)) : "memory");
	for (u32 i = 0; i < 8; i++) {
		gva = below(4) ? (1 + below(511)) << 39 | (rnd() & 0x7ffffffff8) : rnd();
		if (gva >> 47 & 1)
			gva |= 0xffff000000000000;
		if (gva < 1ul << 39 && below(8))
			gva |= 1ul << 39;
		/* Each faults, or does not: the next act restores the tables. */
		*(volatile u64 *)gva = gva;
	}
}

/* -- traps of its own -- */

void debug_act(void)
{
	u64 v = below(3) ? CODE + below(0x100) : rnd(), count = 5;
	void *at = (void *)ARENA;

	switch (below(16)) {
	case 0:
		__asm__ volatile("mov %0, %%dr0" : : "r"(below(2) ? v : (u64)last_act));
		break;
	case 1:
		__asm__ volatile("mov %0, %%dr1" : : "r"(v));
		break;
	case 2:
		__asm__ volatile("mov %0, %%dr2\n mov %0, %%dr3" : : "r"(v));
		break;
	case 3:
		__asm__ volatile("mov %0, %%dr6" : : "r"(v));
		break;
	case 4: case 5:
		/* General detect too: then the next access of them traps. */
		__asm__ volatile("mov %0, %%dr7" : : "r"(below(2) ? rnd() & 0xffff27ff : 0x401ul << below(2)));
		break;
	case 6:
		__asm__ volatile("mov %%dr7, %%rax\n mov %%dr0, %%rax\n mov %%dr6, %%rax" : : : "rax");
		break;
	case 7:
		__asm__ volatile("pushfq\n orl $0x100, (%%rsp)\n popfq\n nop\n nop\n nop" : : : "memory", "cc");
		break;
	case 8:
		__asm__ volatile("pushfq\n orl $0x10100, (%%rsp)\n popfq\n movw %%ss, %%ax\n movw %%ax, %%ss\n nop\n"
				 "nop" : : :
				 "memory", "cc", "rax");
		break;
	case 9:
		__asm__ volatile("int3");
		break;
	case 10:
		__asm__ volatile(".byte 0xf1");
		break;
	case 11:
		__asm__ volatile("movw %%ss, %%ax\n movw %%ax, %%ss\n int3" : : : "rax");
		break;
	case 12:
		__asm__ volatile("mov %%rsp, %%rax\n pushq %0\n pushq %%rax\n pushfq\n orl $0x10100, (%%rsp)\n"
				 "pushq %1\n leaq 1f(%%rip), %%rax\n"
				 "pushq %%rax\n iretq\n 1: nop\n nop" : : "i"(KERNEL_DATA), "i"(KERNEL_CODE) :
				 "rax", "memory", "cc");
		break;
	case 13:
		__asm__ volatile("sti\n nop\n cli\n int $1");
		break;
	case 14:
		/* The trap flag over a REP, a port and a page that faults. */
		__asm__ volatile("pushfq\n orl $0x100, (%%rsp)\n popfq\n rep stosb\n outb %%al, $0x80\n"
				"movb (%2), %%al" :
				 "+D"(at), "+c"(count) : "r"(1ul << 45), "a"(0) : "memory", "cc");
		break;
	default:
		last_act();
	}
	if (!below(8))
		__asm__ volatile("mov %0, %%dr7" : : "r"(0x400ul));
}

/* -- user mode -- */

static void user(u64 seed)
{
	for (u32 i = 0; i < 400; i++) {
		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		switch (seed >> 20 & 31) {
		case 0:
			__asm__ volatile("int3");
			break;
		case 1:
			__asm__ volatile(".byte 0xf1");
			break;
		case 2:
			__asm__ volatile("pushfq\n orl $0x100, (%%rsp)\n popfq\n nop\n nop" : : : "memory", "cc");
			break;
		case 3:
			__asm__ volatile("ud2");
			break;
		case 4:
			__asm__ volatile("hlt");
			break;
		case 5:
			in8(seed);
			break;
		case 6:
			*(volatile u64 *)(seed >> 17) = seed;
			break;
		case 7:
			(void)*(volatile u32 *)(seed & 0xffffffff);
			break;
		case 8:
			__asm__ volatile("syscall" : : : "rcx", "r11");
			break;
		case 9:
			__asm__ volatile("mov %0, %%dr7" : : "r"(seed));
			break;
		case 10:
			__asm__ volatile("jmp *%0" : : "r"(seed));
			break;
		case 11:
			__asm__ volatile("int $0x80");
			break;
		case 12:
			*(volatile u8 *)(CODE + (seed >> 32 & 0xfff)) = seed;
			break;
		default:
			*(volatile u64 *)(ARENA + (seed >> 32 & 0xffff8)) += seed;
		}
	}
	__asm__ volatile("hlt");
}

void user_act(void)
{
	enter_user(user, rnd(), USER_STACK);
}

/* -- interrupts -- */

void ipi_act(void)
{
	static const u32 commands[] = { 0x4500, 0x46fe, 0x46fe, 0x4400, 0x4400, 0x40fb, 0x8500, 0x4200, 0x4100,
			0x4700, 0xc45fe, 0xc4500, 0xc46fe };
	u32 to = 1 + below(3);

	*lapic(0xf0) = 0x1ff;
	if (!below(16))
		to = 0xff;
	*lapic(0x310) = to << 24;
	*lapic(0x300) = to == 0xff ? 0xc4400 :
			below(16) ? commands[below(sizeof(commands) / sizeof(commands[0]))] : rnd() & 0xfff;
	__asm__ volatile("sti\n pause\n cli");
}

void tick_act(void)
{
	/* The fastest timers there are, all unmasked, and rest between them. */
	if (control.ops < 4 || !below(64)) {
		out8(0x20, 0x11);
		out8(0xa0, 0x11);
		out8(0x21, 0x20);
		out8(0xa1, 0x28);
		out8(0x21, 4);
		out8(0xa1, 2);
		out8(0x21, 1);
		out8(0xa1, 1);
		out8(0x21, 0);
		out8(0xa1, 0);
		out8(0x43, 0x34);
		out8(0x40, 2 + below(4));
		out8(0x40, 0);
		out8(0x70, 0x0b);
		out8(0x71, 0x42);
		out8(0x70, 0x0a);
		out8(0x71, 0x21);
		*lapic(0xf0) = 0x1ff;
		*lapic(0x350) = 0x700;
		*lapic(0x3e0) = 0xb;
		*lapic(0x320) = 0x20040;
		*lapic(0x380) = 1 + below(100);
	}
	__asm__ volatile("sti\n hlt\n nop\n cli");
}

/* -- ends -- */

/* What a machine does last.  The kinds are storms.py's DEATHS. */
void death_act(void)
{
	struct {
		u16 limit;
		u64 base;
	} __attribute__((packed)) bad = { 0, 0 };
	u64 count = -1ul;

	last_act();
	switch (control.seed) {
	case 0:
		out8(0x64, 0xfe);
		break;
	case 1:
		out8(0xcf9, 2);
		out8(0xcf9, 6);
		break;
	case 2:
		out8(0x92, 1);
		break;
	case 3:
		__asm__ volatile("lidt %0\n ud2" : : "m"(bad));
		break;
	case 4:
		bad.limit = 0xfff;
		bad.base = 0xd0000000;
		__asm__ volatile("lidt %0\n ud2" : : "m"(bad));
		break;
	case 5:
		bad.limit = 0xffff;
		bad.base = 0x800000000000;
		__asm__ volatile("lgdt %0\n mov %1, %%ss" : : "m"(bad), "r"(KERNEL_DATA));
		break;
	case 6:
		__asm__ volatile("cli\n hlt");
		break;
	case 7:
		__asm__ volatile("cli\n 1: jmp 1b");
		break;
	case 8:
		__asm__ volatile("1: mov %0, %%rdi\n mov %1, %%rcx\n rep stosb\n jmp 1b" : : "r"((u64)ARENA),
				"r"((u64)ARENA_SIZE) : "rdi", "rcx");
		break;
	case 9:
		__asm__ volatile("rep outsb" : : "S"((u64)ARENA), "c"(count), "d"(0x80));
		break;
	case 10:
		for (;;)
			out8(0xb2, rnd());
	case 11:
		out8(0xf4, 5);
		break;
	case 12:
		out16(0xb004, 0x2000);
		out16(0xb004, 0x3c00);
		break;
	case 13:
		__asm__ volatile("mov %0, %%cr3" : : "r"(0xfffff000ul));
		break;
	case 14:
		__asm__ volatile("mov %0, %%rsp\n push %%rax\n pop %%rax\n ud2" : : "r"(0xd0000000ul));
		break;
	case 15:
		__asm__ volatile("jmp *%0" : : "r"(0xd0000000ul));
		break;
	case 16:
		__asm__ volatile("jmp *%0" : : "r"(0xfee00000ul));
		break;
	case 17:
		__asm__ volatile("1: vmcall\n jmp 1b" : : "a"(99));
		break;
	case 18:
		for (;;)
			in8(0x64);
	case 19:
		*(volatile u64 *)(TABLES + 0x1000) = 0;
		__asm__ volatile("mov %%cr3, %%rax\n mov %%rax, %%cr3" : : : "rax", "memory");
		break;
	case 20:
		__asm__ volatile("wrmsr" : : "a"(0x100900), "d"(0), "c"(0x1b));
		for (;;)
			(void)*(volatile u32 *)0x100030;
	case 21:
		*lapic(0x300) = 0x44500;        /* INIT to itself */
		break;
	case 22:
		__asm__ volatile("rep insb" : : "D"((u64)ARENA), "c"(count), "d"(0x1f0) : "memory");
		break;
	case 23:
		__asm__ volatile("mov %0, %%rsp\n 1: int3\n jmp 1b" : : "r"(0x10ul));
		break;
	case 24:
		for (;;)
			pages_act();
	case 25:
		/* A processor that waits for a start, and has interrupts pending. */
		*lapic(0x310) = 1u << 24;
		*lapic(0x300) = 0x4500;
		*lapic(0x300) = 0x4400;
		*lapic(0x300) = 0x40fb;
		__asm__ volatile("cli\n hlt");
		break;
	default:
		for (;;)
			*(volatile u8 *)(READ_ONLY + below(READ_ONLY_SIZE)) = rnd();
	}
	for (;;)
		__asm__ volatile("hlt");
}
