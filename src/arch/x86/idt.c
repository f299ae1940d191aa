/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "arch/x86/idt.h"

#include <errno.h>

#include "util/le.h"

#define PRESENT         0x80u           /* in a gate's or descriptor's byte 5 */
#define NOT_SYSTEM      0x10u
#define IS_CODE         0x08u
#define SEL_LDT         0x4u

/* A gate's type; below 8 those of the 286, which push words. */
#define GATE_TASK       5u
#define GATE_INT16      6u
#define GATE_TRAP16     7u
#define GATE_INT32      14u
#define GATE_TRAP32     15u

/* #DF, #TS, #NP, #SS, #GP, #PF, #AC, #CP, #VC, #SX */
#define WITH_CODE       (1u << 8 | 0x1fu << 10 | 1u << 17 | 1u << 21 | 3u << 29)

#define FLAGS_ONE       0x2ull          /* always set, always clear */
#define FLAGS_ZERO      (~0x3fffffull | 1ull << 3 | 1ull << 5 | 1ull << 15)

unsigned idt_gate_size(enum idt_kind kind)
{
	return kind == IDT_REAL ? 4 : kind == IDT_PROT ? 8 : 16;
}

bool idt_gate_place(const struct idt *t, unsigned vector, uint64_t *ret_gva)
{
	unsigned size = idt_gate_size(t->kind);
	uint64_t gva = t->idt.base + (uint64_t)vector * size;

	if (vector >= IDT_VECTORS || (uint64_t)vector * size + size - 1 > t->idt.limit)
		return false;
	*ret_gva = t->kind == IDT_LONG ? gva : (uint32_t)gva;
	return true;
}

/* The base of the code segment SELECTOR, by its descriptor (SDM vol. 3, 3.4.5). */
static int code_base(const struct idt *t, unsigned selector, uint32_t *ret, struct err *err)
{
	const struct idt_table *from = selector & SEL_LDT ? &t->ldt : &t->gdt;
	unsigned offset = selector & ~7u;
	uint8_t d[8];

	if (!(selector & ~3u) || (from == &t->ldt && !t->has_ldt) || offset + 7 > from->limit)
		return err_set(err, EINVAL, "the gate's selector 0x%x is not in its table", selector);
	if (!t->read(t->arg, (uint32_t)(from->base + offset), d, sizeof(d)))
		return err_set(err, EFAULT, "the descriptor of selector 0x%x cannot be read", selector);
	if ((d[5] & (PRESENT | NOT_SYSTEM | IS_CODE)) != (PRESENT | NOT_SYSTEM | IS_CODE))
		return err_set(err, EINVAL, "the gate's selector 0x%x is no code segment", selector);
	*ret = (uint32_t)(le_get(d + 2, 3) | le_get(d + 7, 1) << 24);
	return 0;
}

static int find_real(unsigned vector, const uint8_t *g, struct idt_gate *ret, struct err *err)
{
	if (!le_get(g, 4))
		return err_set(err, ENOENT, "vector %u is not set", vector);
	*ret = (struct idt_gate){ .handler = (le_get(g + 2, 2) << 4) + le_get(g, 2), .width = 2 };
	return 0;
}

static int find_gate(const struct idt *t, unsigned vector, const uint8_t *g, struct idt_gate *ret, struct err *err)
{
	unsigned type = g[5] & 0xf, selector = (unsigned)le_get(g + 2, 2);
	bool narrow = type == GATE_INT16 || type == GATE_TRAP16;
	uint64_t offset = le_get(g, 2);
	uint32_t base = 0;
	int r;

	if (!(g[5] & PRESENT))
		return err_set(err, ENOENT, "the gate of vector %u is not present", vector);
	if ((g[5] & NOT_SYSTEM) || (type != GATE_TASK && type != GATE_INT32 && type != GATE_TRAP32 && !narrow) ||
	    (t->kind == IDT_LONG && type != GATE_INT32 && type != GATE_TRAP32))
		return err_set(err, EINVAL, "vector %u has no interrupt or trap gate", vector);
	if (type == GATE_TASK)
		return err_set(err, ENOTSUP, "vector %u has a task gate, which has no handler's address", vector);
	if (!narrow)
		offset |= le_get(g + 6, 2) << 16;
	if (t->kind == IDT_LONG) {
		*ret = (struct idt_gate){ .handler = offset | le_get(g + 8, 4) << 32, .width = 8 };
		return 0;
	}
	r = code_base(t, selector, &base, err);
	if (r)
		return r;
	*ret = (struct idt_gate){ .handler = (uint32_t)(base + offset), .width = narrow ? 2 : 4 };
	return 0;
}

int idt_find(const struct idt *t, unsigned vector, struct idt_gate *ret, struct err *err)
{
	uint8_t g[16];
	uint64_t gva;

	if (!idt_gate_place(t, vector, &gva))
		return err_set(err, ENOENT, "vector %u is beyond the table's limit 0x%x", vector, t->idt.limit);
	if (!t->read(t->arg, gva, g, idt_gate_size(t->kind)))
		return err_set(err, EFAULT, "the entry of vector %u cannot be read", vector);
	return t->kind == IDT_REAL ? find_real(vector, g, ret, err) : find_gate(t, vector, g, ret, err);
}

/* Whether a frame without an error code may begin at W. */
static bool plausible(const uint64_t *w)
{
	return w[1] <= 0xffff && (w[2] & FLAGS_ONE) && !(w[2] & FLAGS_ZERO);
}

void idt_frame(enum idt_kind kind, unsigned vector, uint64_t sp, const uint64_t words[4], struct idt_frame *ret)
{
	bool code;

	/* Long mode aligns the stack before it pushes five things or six (SDM vol. 3, 6.14.2). */
	if (kind == IDT_LONG)
		code = sp % 16 == 0;
	else
		code = kind == IDT_PROT && vector < 32 && (WITH_CODE >> vector & 1);
	if (kind != IDT_REAL && !plausible(words + code) && plausible(words + !code))
		code = !code;
	*ret = (struct idt_frame){
		.has_code = code,
		.code = code ? words[0] & UINT32_MAX : 0,
		.ip = words[code],
		.cs = words[code + 1] & UINT16_MAX,
	};
}

const char *idt_vector_name(unsigned vector)
{
	/* SDM vol. 3, table 6-1; 28 to 30 are AMD's (APM vol. 2, table 8-1). */
	static const char *const names[32] = {
		"#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM",
		"#DF", NULL,  "#TS", "#NP", "#SS", "#GP", "#PF", NULL,
		"#MF", "#AC", "#MC", "#XM", "#VE", "#CP", NULL,  NULL,
		NULL,  NULL,  NULL,  NULL,  "#HV", "#VC", "#SX", NULL,
	};

	return vector < 32 ? names[vector] : NULL;
}
