/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The states a vCPU can start in, as a table, and what they need in memory.
 *
 * Protected and long mode: a block at the top of low memory (below LOW_END), out of the way of images,
 * trampolines and their tables, which grow from below:
 *
 *      stack 16 KiB | GDT 4 KiB | long mode: PML4, PDPT, 4 page directories (identity, 4 GiB of 2M pages)
 *
 * The stack is there for the kernel whose entry point is a C function: the word on its top is a zero return
 * address, so that it is aligned as after a call and a debugger's backtrace ends there.
 */
#include "load/parts.h"

#include <errno.h>
#include <inttypes.h>

#include "arch/x86/x86.h"

#define CR0_MP          (1ull << 1)
#define CR0_ET          (1ull << 4)
#define CR0_NE          (1ull << 5)
#define CR4_PAE         (1ull << 5)
#define CR4_OSFXSR      (1ull << 9)
#define CR4_OSXMMEXCPT  (1ull << 10)
#define EFER_LME        (1ull << 8)
#define RFLAGS_FIXED    (1ull << 1)

#define PTE_P           (1ull << 0)
#define PTE_W           (1ull << 1)
#define PTE_PS          (1ull << 7)

/* Segment access rights: type, S, P in bits 0-7; AVL, L, D/B, G in 12-15. */
#define ACC_CODE        0x009b
#define ACC_DATA        0x0093
#define ACC_LDT         0x0082
#define ACC_TSS_BUSY    0x008b
#define ACC_L           (1 << 13)
#define ACC_D           (1 << 14)
#define ACC_G           (1 << 15)

#define GDT_CODE        0x08
#define GDT_DATA        0x10
#define GDT_ENTRIES     3

#define BOOT_STACK      0x4000ull
#define IDENTITY_SIZE   (4 * GIB)
#define LARGE_PAGE      (2 * MIB)
#define TABLE_ENTRIES   512

/* Real mode: a stack as a BIOS leaves it to a boot sector, this much of it. */
#define REAL_STACK_TOP  0x7c00ull
#define REAL_STACK      0x1000ull

static const struct boot_row {
	uint64_t cr0, cr4, efer;
	struct boot_seg code, data;
	uint16_t idt_limit;
	uint64_t entry_end;             /* the mode can start below it */
	const char *reach;
	unsigned word;                  /* bytes of a return address; 0: real mode, no block */
	unsigned tables;                /* pages of page tables */
} rows[] = {
	[BOOT_REAL] = {
		.cr0 = CR0_ET,
		.code = { .limit = 0xffff, .access = ACC_CODE },
		.data = { .limit = 0xffff, .access = ACC_DATA },
		.idt_limit = 0x3ff,
		.entry_end = MIB, .reach = "real mode starts below 1 MiB",
	},
	[BOOT_PROTECTED] = {
		.cr0 = CR0_PE | CR0_ET,
		.code = { GDT_CODE, 0, 0xffffffff, ACC_CODE | ACC_D | ACC_G },
		.data = { GDT_DATA, 0, 0xffffffff, ACC_DATA | ACC_D | ACC_G },
		.entry_end = 4 * GIB, .reach = "protected mode starts below 4 GiB",
		.word = 4,
	},
	[BOOT_LONG] = {
		.cr0 = CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_PG,
		.cr4 = CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT,
		.efer = EFER_LME | EFER_LMA,
		.code = { GDT_CODE, 0, 0xffffffff, ACC_CODE | ACC_L | ACC_G },
		.data = { GDT_DATA, 0, 0xffffffff, ACC_DATA | ACC_D | ACC_G },
		.entry_end = IDENTITY_SIZE,
		.reach = "long mode starts below 4 GiB, where the identity mapping ends",
		.word = 8, .tables = 2 + IDENTITY_SIZE / LARGE_PAGE / TABLE_ENTRIES,
	},
};

/* What every mode has in TR, LDTR and, in real mode, GDTR: the values of a reset. */
static const struct boot_seg reset_tr = { .limit = 0xffff, .access = ACC_TSS_BUSY };
static const struct boot_seg reset_ldt = { .limit = 0xffff, .access = ACC_LDT };

static void put64(struct gmem *g, uint64_t gpa, uint64_t value)
{
	gmem_write(g, gpa, &value, sizeof(value));
}

/* As it stands in a descriptor table (SDM vol. 3, 3.4.5). */
static uint64_t descriptor(const struct boot_seg *s)
{
	uint64_t limit = s->access & ACC_G ? s->limit >> 12 : s->limit;

	return (limit & 0xffff) | (s->base & 0xffffff) << 16 | (uint64_t)(s->access & 0xff) << 40 |
	       (limit >> 16 & 0xf) << 48 | (uint64_t)(s->access >> 12) << 52 | (s->base >> 24 & 0xff) << 56;
}

/* Maps the first 4 GiB onto themselves with the tables at GPA. */
static void identity_map(struct gmem *g, uint64_t gpa)
{
	uint64_t pdpt = gpa + PAGE_SIZE_4K, pd = pdpt + PAGE_SIZE_4K, i;

	put64(g, gpa, pdpt | PTE_P | PTE_W);
	for (i = 0; i < IDENTITY_SIZE / GIB; i++)
		put64(g, pdpt + i * 8, (pd + i * PAGE_SIZE_4K) | PTE_P | PTE_W);
	for (i = 0; i < IDENTITY_SIZE / LARGE_PAGE; i++)
		put64(g, pd + i * 8, i * LARGE_PAGE | PTE_P | PTE_W | PTE_PS);
}

static int setup_block(const struct boot_row *row, struct layout *l, struct gmem *g, struct boot_state *st,
		       struct err *err)
{
	uint64_t size = BOOT_STACK + PAGE_SIZE_4K * (1 + row->tables), gpa;
	int rc;

	rc = layout_place(l, LOW_START, LOW_END, size, PAGE_SIZE_4K, LAYOUT_HIGHEST,
			  "the boot stack and descriptor tables", &gpa, err);
	if (rc)
		return rc;
	gmem_zero(g, gpa, size);
	st->rsp = gpa + BOOT_STACK - row->word;
	st->gdt_base = gpa + BOOT_STACK;
	st->gdt_limit = GDT_ENTRIES * 8 - 1;
	put64(g, st->gdt_base + GDT_CODE, descriptor(&row->code));
	put64(g, st->gdt_base + GDT_DATA, descriptor(&row->data));
	if (row->tables) {
		st->cr3 = st->gdt_base + PAGE_SIZE_4K;
		identity_map(g, st->cr3);
	}
	return 0;
}

/*
 * CS 0 as a BIOS enters a boot sector, or the 64 KiB segment that ENTRY lies in.  The stack is below 0x7c00
 * where that is free, else another free place in low memory, else 0:0 as after a reset: such an image brings its
 * own.
 */
static void setup_real(uint64_t entry, struct layout *l, struct boot_state *st)
{
	static const struct { uint64_t lo, hi; } places[] = {
		{ REAL_STACK_TOP - REAL_STACK, REAL_STACK_TOP }, { LOW_START, LOW_END }
	};
	uint64_t gpa, base;
	size_t i;

	st->cs.selector = (uint16_t)(entry >> 4 & 0xf000);
	st->cs.base = (uint64_t)st->cs.selector << 4;
	st->rip = entry & 0xffff;
	st->gdt_limit = 0xffff;
	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (layout_place(l, places[i].lo, places[i].hi, REAL_STACK, 16, LAYOUT_HIGHEST, "a stack", &gpa,
				 NULL))
			continue;
		base = gpa + REAL_STACK < 0x10000 ? 0 : gpa;
		st->ss.selector = (uint16_t)(base >> 4);
		st->ss.base = base;
		st->rsp = gpa + REAL_STACK - base;
		return;
	}
}

int boot_setup(enum boot_mode mode, uint64_t entry, struct layout *l, struct gmem *g, struct boot_state *ret,
	       struct err *err)
{
	const struct boot_row *row = &rows[mode];
	struct boot_state st = {
		.mode = mode, .rip = entry, .rflags = RFLAGS_FIXED,
		.cr0 = row->cr0, .cr4 = row->cr4, .efer = row->efer,
		.cs = row->code, .ds = row->data, .es = row->data, .fs = row->data, .gs = row->data,
		.ss = row->data,
		.tr = reset_tr, .ldt = reset_ldt, .idt_limit = row->idt_limit,
	};
	int rc = 0;

	if (entry >= row->entry_end)
		return err_set(err, EINVAL, "cannot start at 0x%" PRIx64 ": %s", entry, row->reach);
	if (!gmem_find(g, entry))
		return err_set(err, EINVAL, "cannot start at 0x%" PRIx64 ": there is no memory", entry);
	if (row->word)
		rc = setup_block(row, l, g, &st, err);
	else
		setup_real(entry, l, &st);
	if (rc)
		return rc;
	*ret = st;
	return 0;
}
