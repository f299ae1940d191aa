/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Acts against devices: ports, memory that is no RAM, PCI, and what devices read in memory by themselves. */
#include "hostile.h"

#define BAR             0xe0000000u     /* + function * 64 KiB */
#define BUS_MASTER      0xc000u
#define SLOTS           12u

static u32 vendor[SLOTS * 2];           /* device << 16 | vendor, of functions 0 and 1 */

static u64 value(void)
{
	static const u8 edge[] = { 0, 1, 0x7f, 0x80, 0xff, 0x20, 0xa0, 0xec, 0xc8, 0xca, 0x25, 0x35, 0xe7, 0x06,
			0xfe, 0xd1 };

	return below(2) ? rnd() : edge[below(sizeof(edge))];
}

/* REP INSW, OUTSW or INSB, in the arena. */
static void string(u32 which, u16 port, u64 count)
{
	void *at = (void *)ARENA;

	if (which == 0)
		__asm__ volatile("rep insw" : "+D"(at), "+c"(count) : "d"(port) : "memory");
	else if (which == 1)
		__asm__ volatile("rep outsw" : "+S"(at), "+c"(count) : "d"(port) : "memory");
	else
		__asm__ volatile("rep insb" : "+D"(at), "+c"(count) : "d"(port) : "memory");
}

/* -- ports -- */

static const u16 ports[] = {
	0x1f0, 0x170, 0x3f0, 0x370, 0xc000, 0xc008, 0xcf8, 0xcfc, 0x510, 0x514, 0x518, 0x60, 0x64, 0x70, 0x3b0,
	0x3c0, 0x3c8, 0x3d0, 0x3d8,
	0x3f8, 0x4d0, 0x20, 0xa0, 0x40, 0xb000, 0xb008, 0xb100, 0xb2, 0xafe0, 0x400, 0x402, 0xe9, 0x61, 0x80, 0x92,
};

void port_act(void)
{
	u16 port = below(4) ? ports[below(sizeof(ports) / sizeof(ports[0]))] + below(8) : rnd();
	u64 count = below(32) ? below(64) : below(5000);
	void *at = (void *)(below(4) ? ARENA + below(ARENA_SIZE - 0x10000) : wild());
	u64 v = value();

	/* To leave is a scenario of its own: here that would be all it does. */
	if (below(256) &&
	    (port == 0xcf9 || port == 0xf4 || (port & 0xfff8) == 0x60 || port == 0x92 || (port & 0xfffc) == 0xb004))
		port = 0x1f7;
	switch (below(9)) {
	case 0:
		in8(port);
		break;
	case 1:
		__asm__ volatile("inw %%dx, %%ax" : : "d"(port) : "rax");
		break;
	case 2:
		in32(port);
		break;
	case 3:
		out8(port, v);
		break;
	case 4:
		out16(port, v);
		break;
	case 5:
		out32(port, v);
		break;
	case 6:
		__asm__ volatile("rep insb" : "+D"(at), "+c"(count) : "d"(port) : "memory");
		break;
	case 7:
		__asm__ volatile("rep outsl" : "+S"(at), "+c"(count) : "d"(port) : "memory");
		break;
	default:
		__asm__ volatile("std\n rep insw\n cld" : "+D"(at), "+c"(count) : "d"(port) : "memory");
	}
}

/* -- memory -- */

/* One access to AT, of any width and kind. */
static void access(volatile u8 *at)
{
	u64 v = value(), count = 1 + below(64);
	void *here = (void *)(ARENA + below(0x1000));

	switch (below(12)) {
	case 0:
		*at = v;
		break;
	case 1:
		*(volatile u16 *)at = v;
		break;
	case 2:
		*(volatile u32 *)at = v;
		break;
	case 3:
		*(volatile u64 *)at = v;
		break;
	case 4:
		(void)*at;
		break;
	case 5:
		(void)*(volatile u16 *)at;
		break;
	case 6:
		(void)*(volatile u32 *)at;
		break;
	case 7:
		(void)*(volatile u64 *)at;
		break;
	case 8:
		__asm__ volatile("rep movsb" : "+D"(here), "+S"(at), "+c"(count) : : "memory");
		break;
	case 9:
		__asm__ volatile("rep movsl" : "+D"(at), "+S"(here), "+c"(count) : : "memory");
		break;
	case 10:
		__asm__ volatile("lock xaddq %0, (%1)" : "+r"(v) : "r"(at) : "memory");
		break;
	default:
		__asm__ volatile("lock cmpxchgq %0, (%1)" : : "r"(v), "r"(at) : "memory", "rax");
	}
}

void memory_act(void)
{
	u64 gpa = wild();

	/* Its own code, tables and stacks last for a while. */
	if (gpa < 0x200000 && below(64))
		gpa += ARENA;
	access(below(2) || gpa >= 1ul << 32 ? window(gpa) : (volatile u8 *)gpa);
}

/* -- PCI -- */

static void address(u32 function, u32 offset)
{
	out32(0xcf8, 0x80000000u | (function >> 1) << 11 | (function & 1) << 8 | (offset & 0xfc));
}

static void configure(u32 function, u32 offset, u32 v)
{
	address(function, offset);
	out32(0xcfc, v);
}

static u32 config(u32 function, u32 offset)
{
	address(function, offset);
	return in32(0xcfc);
}

void pci_setup(void)
{
	for (u32 f = 0; f < SLOTS * 2; f++) {
		vendor[f] = config(f, 0);
		if (vendor[f] == 0xffffffff)
			continue;
		if (vendor[f] >> 16 == 0x7010)
			configure(f, 0x20, BUS_MASTER);
		if (vendor[f] >> 16 == 0x7113) {
			configure(f, 0x40, 0xb000);
			configure(f, 0x80, 1);
		}
		if ((vendor[f] & 0xffff) == 0x1af4)
			for (u32 bar = 0; bar < 6; bar++)
				configure(f, 0x10 + 4 * bar, BAR + f * 0x10000 + bar * 0x4000);
		configure(f, 4, 7);
	}
}

void pci_act(void)
{
	u32 f = below(8) ? below(SLOTS * 2) : below(64), offset = below(256);
	u64 v = value();

	if (!below(16))
		pci_setup();
	/* Shadow RAM costs slots' changes: less often. */
	if (f == 0 && below(8))
		f = 2 + below(22);
	if (!below(4))
		offset = 0x10 + 4 * below(6);
	address(f, offset);
	if (!below(16))
		out32(0xcf8, rnd());
	switch (below(6)) {
	case 0:
		in32(0xcfc);
		break;
	case 1:
		in8(0xcfc + (offset & 3));
		break;
	case 2:
		out8(0xcfc + (offset & 3), v);
		break;
	case 3:
		out16(0xcfc + (offset & 2), v);
		break;
	case 4:
		out32(0xcfc, below(2) ? wild() : v);
		break;
	default:
		out32(0xcfc + below(4), v);
	}
}

/* -- firmware configuration -- */

void fw_cfg_act(void)
{
	volatile u32 *d = (volatile u32 *)(below(8) ? ARENA + (below(ARENA_SIZE - 64) & ~7ul) : 0x1000000 - 8);
	static const u32 lengths[] = { 0, 1, 16, 0x1000, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000 };
	u64 to = wild(), at = below(8) ? (u64)d : wild();

	/* It zeroes what lies behind an item: not its own code all the time. */
	if (to < ARENA && below(64))
		to = ARENA + (to & 0xfffff);
	if (d < (u32 *)0x1000000 - 4) {
		d[0] = __builtin_bswap32((u32)(below(0x40) << 16 | below(32)));
		d[1] = __builtin_bswap32(below(2) ? lengths[below(8)] : (u32)below(0x3000));
		d[2] = __builtin_bswap32((u32)(to >> 32));
		d[3] = __builtin_bswap32((u32)to);
	}
	if (!below(8)) {
		out16(0x510, rnd());
		string(2, 0x511, below(256));
	}
	out32(0x514, __builtin_bswap32((u32)(at >> 32)));
	out32(0x518, __builtin_bswap32((u32)at));
}

/* -- virtio -- */

/* Rings and descriptors of one queue in the arena, with addresses that lead anywhere. */
static void fill_queue(volatile u8 *q)
{
	for (u32 i = 0; i < 16; i++) {
		volatile u64 *d = (volatile u64 *)(q + 16 * i);
		u64 to = wild();

		if (to < ARENA && below(64))
			to += ARENA;
		d[0] = to;
		d[1] = (below(4) ? below(0x2000) : rnd() & 0xffffffff) | below(8) << 32 | below(20) << 48;
	}
	for (u32 i = 0; i < 16; i++)
		((volatile u16 *)(q + 0x100))[2 + i] = below(17);
	((volatile u16 *)(q + 0x100))[0] = below(4);
	((volatile u16 *)(q + 0x100))[1] += below(8) ? 1 + below(4) : rnd();
	/* A request of the disk's. */
	*(volatile u32 *)(q + 0x800) = below(12);
	*(volatile u64 *)(q + 0x808) = below(2) ? below(64) : rnd();
}

void virtio_act(void)
{
	u32 f = below(SLOTS * 2), queue = below(4);
	volatile u8 *r;
	volatile u8 *q;

	for (u32 i = 0; i < SLOTS * 2 && (vendor[f] & 0xffff) != 0x1af4; i++)
		f = (f + 1) % (SLOTS * 2);
	if ((vendor[f] & 0xffff) != 0x1af4)
		return;
	r = (volatile u8 *)(u64)(BAR + f * 0x10000);
	q = (volatile u8 *)((u64)ARENA + f * 0x8000 + queue * 0x1000);
	if (!below(16))
		configure(f, 0x10, BAR + f * 0x10000);
	switch (below(10)) {
	case 0:
		/* As a driver begins, so that there is a queue at all. */
		r[20] = 0;
		r[20] = 3;
		*(volatile u32 *)(r + 8) = 1;
		*(volatile u32 *)(r + 12) = 1;
		if (!below(2)) {
			*(volatile u32 *)(r + 8) = 0;
			*(volatile u32 *)(r + 12) = rnd();
		}
		r[20] = 11;
		for (queue = 0; queue < 2; queue++) {
			q = (volatile u8 *)((u64)ARENA + f * 0x8000 + queue * 0x1000);
			*(volatile u16 *)(r + 22) = queue;
			*(volatile u16 *)(r + 24) = below(8) ? 16 : 1 << below(16);
			*(volatile u64 *)(r + 32) = below(16) ? (u64)q : wild();
			*(volatile u64 *)(r + 40) = below(16) ? (u64)q + 0x100 : wild();
			*(volatile u64 *)(r + 48) = below(16) ? (u64)q + 0x200 : wild();
			*(volatile u16 *)(r + 28) = 1;
		}
		r[20] = 15;
		break;
	case 1:
		*(volatile u32 *)(r + 4 * below(16)) = rnd();
		break;
	case 2:
		access(r + below(0x4000));
		break;
	case 3:
		access((volatile u8 *)(u64)(BAR + f * 0x10000 + 0x4000 + below(0x4000)));
		break;
	case 4:
		configure(f, 0x40 + below(0xc0), rnd());
		break;
	default:
		fill_queue(q);
		*(volatile u16 *)(r + 0x3000 + 4 * queue) = below(8) ? queue : rnd();
	}
}

/* -- IDE -- */

void ide_act(void)
{
	static const u8 commands[] = {
		0x20, 0x21, 0x30, 0xc4, 0xc5, 0xc6, 0xc8, 0xca, 0x25, 0x35, 0xa0, 0xa1, 0xec, 0xe7, 0xef, 0x90,
		0x08, 0x40, 0x29, 0x39, 0xea,
	};
	volatile u64 *table = (volatile u64 *)(u64)(ARENA + 0x80000 + (below(0x4000) & ~7ul));
	u32 second = below(2), base = second ? 0x170 : 0x1f0, master = BUS_MASTER + 8 * second;
	u64 n = 1 + below(8);

	for (u64 i = 0; i < n; i++) {
		u64 to = wild();

		if (to < ARENA && below(64))
			to += ARENA;
		table[i] = (to & 0xffffffff) | rnd() << 32;
		if (i + 1 == n && below(8))
			table[i] |= 1ul << 63;
	}
	if (!below(16))
		configure(3, 0x20, BUS_MASTER);
	out8(master, 0);
	out32(master + 4, below(16) ? (u32)(u64)table : (u32)wild());
	for (u32 i = 2; i < 6; i++)
		out8(base + i, below(4) ? below(8) : rnd());
	out8(base + 6, 0xe0 | (rnd() & 0x1f));
	out8(base + 7, below(8) ? commands[below(sizeof(commands))] : rnd());
	if (below(2))
		out8(master, 1 | (rnd() & 8));
	if (below(2))
		string(0, base, below(600));
	else if (below(2))
		string(1, base, below(600));
	if (!below(8))
		out8(base + 0x206, rnd());
	if (below(2))
		out8(master + 2, rnd());
}
