/* SPDX-License-Identifier: GPL-3.0-or-later */
/* FXSAVE, XSAVE and what belongs to them (SDM vol. 1, chapter 13). */
#include "arch/x86/insn/assist_priv.h"

#include <string.h>

#include "util/le.h"

#define XCOMP_COMPACTED (1ull << 63)
#define FCW_INIT        0x37f
#define PF_WRITE        2u              /* page-fault error code: by a write */

/* Variants of XSAVE. */
enum { HOW_ALL, HOW_OPT, HOW_COMPACT, HOW_SUPERVISOR };

uint64_t assist_in_use(const struct assist_cpu *cpu)
{
	return le_get(cpu->xsave + XS_HEADER, 8);
}

uint8_t *assist_component(const struct assist_cpu *cpu, unsigned i)
{
	const struct assist_component *c = &cpu->component[i];

	if (i >= ASSIST_COMPONENTS || !c->size || c->offset > cpu->xsave_size || c->size > cpu->xsave_size - c->offset)
		return NULL;
	return cpu->xsave + c->offset;
}

void assist_use(struct assist_cpu *cpu, uint64_t components)
{
	uint64_t fresh = components & ~assist_in_use(cpu);

	if (fresh & XS_X87) {
		memset(cpu->xsave, 0, XS_MXCSR);
		memset(cpu->xsave + XS_ST, 0, XS_XMM - XS_ST);
		cpu->xsave[0] = FCW_INIT & 0xff;
		cpu->xsave[1] = FCW_INIT >> 8;
	}
	if (fresh & XS_SSE)
		memset(cpu->xsave + XS_XMM, 0, XS_LEGACY_END - XS_XMM);
	for (unsigned i = 2; i < ASSIST_COMPONENTS; i++)
		if ((fresh >> i & 1) && assist_component(cpu, i))
			memset(assist_component(cpu, i), 0, cpu->component[i].size);
	le_put(cpu->xsave + XS_HEADER, 8, assist_in_use(cpu) | components);
	cpu->xsave_changed = true;
}

void assist_write_out(struct assist_cpu *cpu, uint64_t components)
{
	uint64_t used = assist_in_use(cpu);
	bool changed = cpu->xsave_changed;

	assist_use(cpu, components & ~used);
	le_put(cpu->xsave + XS_HEADER, 8, used);
	cpu->xsave_changed = changed;
}

/* How many of the sixteen registers code of this size reaches. */
static unsigned vectors(const struct assist *a)
{
	return a->cpu->regs.code_bits == 64 ? 16 : 8;
}

static bool rex_w(const struct assist *a)
{
	return a->d->insn.raw.rex.W && a->cpu->regs.code_bits == 64;
}

static uint32_t mxcsr_mask(const struct assist_cpu *cpu)
{
	uint32_t mask = le_get(cpu->xsave + XS_MXCSR_MASK, 4);

	return mask ? mask : MXCSR_MASK_OLD;
}

/* The x87 part between registers (64-bit pointers) and memory, where only REX.W makes the pointers 64 bits wide. */
static void x87_image(const struct assist *a, uint8_t image[XS_MXCSR])
{
	memcpy(image, a->cpu->xsave, XS_MXCSR);
	if (!rex_w(a)) {
		le_put(image + XS_FIP + 4, 4, 0);
		le_put(image + XS_FDP + 4, 4, 0);
	}
}

/* An exception that is not masked; ES and B only say so, and the processor sets them by this when it loads a state. */
static bool x87_unmasked(const uint8_t *x)
{
	return x[XS_FSW] & ~x[XS_FCW] & FSW_EXCEPTIONS;
}

static void x87_load(struct assist *a, const uint8_t *area)
{
	uint8_t *x = a->cpu->xsave;

	memcpy(x, area, XS_MXCSR);
	le_put(x + XS_FSW, 2, (le_get(x + XS_FSW, 2) & ~(FSW_ES | FSW_B)) | (x87_unmasked(x) ? FSW_ES | FSW_B : 0));
	x[5] = 0;               /* reserved, beside the tags */
	memcpy(x + XS_ST, area + XS_ST, XS_XMM - XS_ST);
	/* What is behind each 80-bit register is reserved, and not state. */
	for (unsigned i = 0; i < 8; i++)
		memset(x + XS_ST + 16 * i + 10, 0, 6);
	if (!rex_w(a)) {
		le_put(x + XS_FIP + 4, 4, 0);
		le_put(x + XS_FDP + 4, 4, 0);
	}
}

static int save_x87(struct assist *a, uint64_t gva)
{
	uint8_t image[XS_MXCSR];
	int r;

	x87_image(a, image);
	r = assist_mem(a, gva, image, sizeof(image), true);
	return r ? r : assist_mem(a, gva + XS_ST, a->cpu->xsave + XS_ST, XS_XMM - XS_ST, true);
}

static int save_mxcsr(struct assist *a, uint64_t gva)
{
	uint8_t image[8];

	le_put(image, 4, le_get(a->cpu->xsave + XS_MXCSR, 4));
	le_put(image + 4, 4, mxcsr_mask(a->cpu));
	return assist_mem(a, gva + XS_MXCSR, image, sizeof(image), true);
}

static int save_xmm(struct assist *a, uint64_t gva)
{
	return assist_mem(a, gva + XS_XMM, a->cpu->xsave + XS_XMM, 16 * vectors(a), true);
}

/* Whether FXSAVE and FXRSTOR leave the XMM registers out: without OSFXSR, and by AMD's EFER.FFXSR. */
static bool fx_without_xmm(const struct assist *a)
{
	const struct insn_regs *r = &a->cpu->regs;

	return !(r->cr4 & CR4_OSFXSR) || ((r->efer & EFER_FFXSR) && !r->cpl && r->code_bits == 64);
}

static int check_fx(struct assist *a)
{
	if (a->cpu->regs.cr0 & (CR0_EM | CR0_TS))
		return assist_raise(a, VECTOR_NM);
	if (a->cpu->xsave_size < XS_EXTENDED)
		return NOT_OURS;
	return assist_address(a) & 15 ? assist_raise_code(a, VECTOR_GP, 0) : 0;
}

static int run_fxsave(struct assist *a)
{
	uint64_t gva = assist_address(a);
	int r = check_fx(a);

	if (r)
		return r;
	assist_write_out(a->cpu, XS_X87 | XS_SSE);
	r = save_x87(a, gva);
	if (!r)
		r = save_mxcsr(a, gva);
	if (!r && !fx_without_xmm(a))
		r = save_xmm(a, gva);
	return r;
}

static int run_fxrstor(struct assist *a)
{
	uint8_t area[XS_LEGACY_END];
	int r = check_fx(a);

	if (!r)
		r = assist_mem(a, assist_address(a), area, sizeof(area), false);
	if (r)
		return r;
	if (le_get(area + XS_MXCSR, 4) & ~mxcsr_mask(a->cpu))
		return assist_raise_code(a, VECTOR_GP, 0);
	assist_use(a->cpu, XS_X87 | XS_SSE);
	x87_load(a, area);
	memcpy(a->cpu->xsave + XS_MXCSR, area + XS_MXCSR, 4);
	if (!fx_without_xmm(a))
		memcpy(a->cpu->xsave + XS_XMM, area + XS_XMM, 16 * vectors(a));
	return 0;
}

/* The components that the instruction names. */
static uint64_t mask_of(const struct insn_regs *r)
{
	return (uint64_t)(uint32_t)r->gpr[INSN_RDX] << 32 | (uint32_t)r->gpr[INSN_RAX];
}

/* Those that XCR0 allows. */
static uint64_t requested(const struct assist *a)
{
	return a->cpu->regs.xcr0 & mask_of(&a->cpu->regs);
}

static int check_xsave(struct assist *a)
{
	const struct insn_regs *r = &a->cpu->regs;
	uint64_t xss = 0;

	if (!(r->cr4 & CR4_OSXSAVE))
		return assist_raise(a, VECTOR_UD);
	if (r->cr0 & CR0_TS)
		return assist_raise(a, VECTOR_NM);
	if ((a->op->how == HOW_SUPERVISOR && r->cpl) || (assist_address(a) & 63))
		return assist_raise_code(a, VECTOR_GP, 0);
	/* Supervisor components, which KVM's area has no place for.  A KVM without the register has none of them. */
	if (a->op->how == HOW_SUPERVISOR && a->cpu->read_msr)
		a->cpu->read_msr(a->cpu->arg, MSR_XSS, &xss);
	if (xss & mask_of(r))
		return NOT_OURS;
	if (a->cpu->xsave_size < XS_EXTENDED || requested(a) >> ASSIST_COMPONENTS)
		return NOT_OURS;
	for (unsigned i = 2; i < ASSIST_COMPONENTS; i++)
		if ((requested(a) >> i & 1) && !assist_component(a->cpu, i))
			return NOT_OURS;
	return 0;
}

/* Where component I is in an area whose compacted form holds COMPONENTS; in the standard form that is 0. */
static uint32_t place(const struct assist_cpu *cpu, uint64_t components, unsigned i)
{
	uint32_t at = XS_EXTENDED;

	if (!components)
		return cpu->component[i].offset;
	for (unsigned k = 2; k < i; k++) {
		if (!(components >> k & 1))
			continue;
		if (cpu->component[k].aligned)
			at = (at + 63) & ~63u;
		at += cpu->component[k].size;
	}
	return cpu->component[i].aligned ? (at + 63) & ~63u : at;
}

/* How much of component I code of this size reads and writes. */
static uint32_t extent(const struct assist *a, unsigned i)
{
	return i == 2 && vectors(a) == 8 ? 128 : a->cpu->component[i].size;
}

static int save_header(struct assist *a, uint64_t gva, uint64_t rfbm, uint64_t used, bool compact)
{
	uint8_t header[16] = { 0 };
	int r = compact ? 0 : assist_mem(a, gva, header, 8, false);

	if (r) {
		/* The processor reads it to write it. */
		if (a->result->vector == VECTOR_PF)
			a->result->code |= PF_WRITE;
		return r;
	}
	le_put(header, 8, (le_get(header, 8) & ~rfbm) | used);
	le_put(header + 8, 8, rfbm | XCOMP_COMPACTED);
	return assist_mem(a, gva, header, compact ? 16 : 8, true);
}

static int run_xsave(struct assist *a)
{
	uint64_t gva = assist_address(a), rfbm, used, save;
	bool compact = a->op->how >= HOW_COMPACT;
	int r = check_xsave(a);

	if (r)
		return r;
	rfbm = requested(a);
	used = assist_in_use(a->cpu);
	/* MXCSR is state of SSE too, in the compacted form alone. */
	if (compact && le_get(a->cpu->xsave + XS_MXCSR, 4) != MXCSR_INIT)
		used |= XS_SSE;
	save = a->op->how == HOW_ALL ? rfbm : rfbm & used;
	assist_write_out(a->cpu, rfbm);
	if (save & XS_X87)
		r = save_x87(a, gva);
	if (!r && (compact ? save & XS_SSE : rfbm & (XS_SSE | XS_AVX)))
		r = save_mxcsr(a, gva);
	if (!r && (save & XS_SSE))
		r = save_xmm(a, gva);
	for (unsigned i = 2; i < ASSIST_COMPONENTS && !r; i++)
		if (save >> i & 1)
			r = assist_mem(a, gva + place(a->cpu, compact ? rfbm : 0, i), assist_component(a->cpu, i),
				       extent(a, i), true);
	return r ? r : save_header(a, gva + XS_HEADER, rfbm, rfbm & used, compact);
}

static bool zeros(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

/* SDM vol. 1, 13.8.2: the header's faults.  HEADER begins at XS_HEADER. */
static bool header_good(const struct assist *a, const uint8_t *header)
{
	uint64_t bv = le_get(header, 8), comp = le_get(header + 8, 8), xcr0 = a->cpu->regs.xcr0;

	if (!(comp & XCOMP_COMPACTED))
		return a->op->how != HOW_SUPERVISOR && !(bv & ~xcr0) && zeros(header + 8, 16);
	comp &= ~XCOMP_COMPACTED;
	return (a->cpu->features & (ASSIST_XSAVEC | ASSIST_XSAVES)) && !(comp & ~xcr0) && !(bv & ~comp) && zeros(header + 16, 48);
}

/* Component I from memory into DATA, or its initial value, which is 0 for all but the first two. */
static int load_component(struct assist *a, unsigned i, uint64_t compacted, bool stored, uint8_t *data)
{
	if (stored)
		return assist_mem(a, assist_address(a) + place(a->cpu, compacted, i), data, extent(a, i), false);
	memset(data, 0, extent(a, i));
	return 0;
}

static void load_legacy(struct assist *a, const uint8_t *area, uint64_t rfbm, uint64_t load, bool compact)
{
	static const uint8_t x87_init[XS_LEGACY_END] = { FCW_INIT & 0xff, FCW_INIT >> 8 };
	uint8_t *x = a->cpu->xsave;

	if (rfbm & XS_X87)
		x87_load(a, load & XS_X87 ? area : x87_init);
	if (compact ? load & XS_SSE : rfbm & (XS_SSE | XS_AVX))
		memcpy(x + XS_MXCSR, area + XS_MXCSR, 4);
	else if (rfbm & XS_SSE)
		le_put(x + XS_MXCSR, 4, MXCSR_INIT);
	if (load & XS_SSE)
		memcpy(x + XS_XMM, area + XS_XMM, 16 * vectors(a));
	else if (rfbm & XS_SSE)
		memset(x + XS_XMM, 0, 16 * vectors(a));
}

static int run_xrstor(struct assist *a)
{
	uint8_t area[XS_EXTENDED], fresh[XS_EXTENDED + 4096];
	uint64_t gva = assist_address(a), rfbm, load, compacted;
	const uint8_t *header = area + XS_HEADER;
	int r = check_xsave(a);

	if (!r && a->cpu->xsave_size > sizeof(fresh))
		return NOT_OURS;
	if (!r)
		r = assist_mem(a, gva, area, sizeof(area), false);
	if (r)
		return r;
	if (!header_good(a, header))
		return assist_raise_code(a, VECTOR_GP, 0);
	rfbm = requested(a);
	compacted = le_get(header + 8, 8);
	load = rfbm & le_get(header, 8);
	if ((compacted ? load & XS_SSE : rfbm & (XS_SSE | XS_AVX)) &&
	    (le_get(area + XS_MXCSR, 4) & ~mxcsr_mask(a->cpu)))
		return assist_raise_code(a, VECTOR_GP, 0);
	/* What may fault comes first: the registers change together. */
	for (unsigned i = 2; i < ASSIST_COMPONENTS && !r; i++)
		if (rfbm >> i & 1)
			r = load_component(a, i, compacted, load >> i & 1, fresh + a->cpu->component[i].offset);
	if (r)
		return r;
	assist_use(a->cpu, rfbm);
	for (unsigned i = 2; i < ASSIST_COMPONENTS; i++)
		if (rfbm >> i & 1)
			memcpy(assist_component(a->cpu, i), fresh + a->cpu->component[i].offset, extent(a, i));
	load_legacy(a, area, rfbm, load, compacted);
	/* In 64-bit mode, what is not loaded is in its initial state as a whole; elsewhere half of the registers remain. */
	if (vectors(a) == 16)
		le_put(a->cpu->xsave + XS_HEADER, 8, assist_in_use(a->cpu) & ~(rfbm & ~load));
	return 0;
}

/* SDM vol. 1, 8.7. */
int assist_pending_x87(struct assist *a)
{
	if (a->cpu->xsave_size < XS_EXTENDED)
		return NOT_OURS;
	if (!(assist_in_use(a->cpu) & XS_X87) || !x87_unmasked(a->cpu->xsave))
		return 0;
	/* Without NE the exception is an interrupt of the PC's. */
	return a->cpu->regs.cr0 & CR0_NE ? assist_raise(a, VECTOR_MF) : NOT_OURS;
}

static int run_fwait(struct assist *a)
{
	uint64_t cr0 = a->cpu->regs.cr0;

	if ((cr0 & CR0_MP) && (cr0 & CR0_TS))
		return assist_raise(a, VECTOR_NM);
	return assist_pending_x87(a);
}

const struct assist_op assist_xsave_ops[] = {
	{ ZYDIS_MNEMONIC_FWAIT, ASSIST_FWAIT, 0, run_fwait, 0 },
	{ ZYDIS_MNEMONIC_FXSAVE, ASSIST_FXSAVE, ASSIST_FXSR, run_fxsave, 0 },
	{ ZYDIS_MNEMONIC_FXSAVE64, ASSIST_FXSAVE, ASSIST_FXSR, run_fxsave, 0 },
	{ ZYDIS_MNEMONIC_FXRSTOR, ASSIST_FXRSTOR, ASSIST_FXSR, run_fxrstor, 0 },
	{ ZYDIS_MNEMONIC_FXRSTOR64, ASSIST_FXRSTOR, ASSIST_FXSR, run_fxrstor, 0 },
	{ ZYDIS_MNEMONIC_XSAVE, ASSIST_XSAVE_OP, ASSIST_XSAVE, run_xsave, HOW_ALL },
	{ ZYDIS_MNEMONIC_XSAVE64, ASSIST_XSAVE_OP, ASSIST_XSAVE, run_xsave, HOW_ALL },
	{ ZYDIS_MNEMONIC_XSAVEOPT, ASSIST_XSAVE_OP, ASSIST_XSAVEOPT, run_xsave, HOW_OPT },
	{ ZYDIS_MNEMONIC_XSAVEOPT64, ASSIST_XSAVE_OP, ASSIST_XSAVEOPT, run_xsave, HOW_OPT },
	{ ZYDIS_MNEMONIC_XSAVEC, ASSIST_XSAVE_OP, ASSIST_XSAVEC, run_xsave, HOW_COMPACT },
	{ ZYDIS_MNEMONIC_XSAVEC64, ASSIST_XSAVE_OP, ASSIST_XSAVEC, run_xsave, HOW_COMPACT },
	{ ZYDIS_MNEMONIC_XSAVES, ASSIST_XSAVE_OP, ASSIST_XSAVES, run_xsave, HOW_SUPERVISOR },
	{ ZYDIS_MNEMONIC_XSAVES64, ASSIST_XSAVE_OP, ASSIST_XSAVES, run_xsave, HOW_SUPERVISOR },
	{ ZYDIS_MNEMONIC_XRSTORS, ASSIST_XRSTOR, ASSIST_XSAVES, run_xrstor, HOW_SUPERVISOR },
	{ ZYDIS_MNEMONIC_XRSTORS64, ASSIST_XRSTOR, ASSIST_XSAVES, run_xrstor, HOW_SUPERVISOR },
	{ ZYDIS_MNEMONIC_XRSTOR, ASSIST_XRSTOR, ASSIST_XSAVE, run_xrstor, 0 },
	{ ZYDIS_MNEMONIC_XRSTOR64, ASSIST_XRSTOR, ASSIST_XSAVE, run_xrstor, 0 },
	{ 0 }
};
