/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What control and segment registers the processor goes on with.  KVM_SET_SREGS takes more than VM entry does, and
 * some that entry takes MOV would not; a value that comes through here is neither a dead guest nor a surprise.
 */
#include "arch/x86/regs_priv.h"

#include <errno.h>
#include <inttypes.h>

#include "arch/x86/x86.h"

#define CR0_ET          (1ull << 4)
#define CR0_WP          (1ull << 16)
#define CR0_NW          (1ull << 29)
#define CR0_CD          (1ull << 30)
#define CR0_KNOWN       0xe005003full
#define CR3_PCID        0xfffull
#define CR3_LAM         (3ull << 61)
#define CR4_PAE         (1ull << 5)
#define CR4_LA57        (1ull << 12)
#define CR4_PCIDE       (1ull << 17)
#define CR4_CET         (1ull << 23)
#define EFER_LME        (1ull << 8)

enum seg { SEG_CS, SEG_SS, SEG_DS, SEG_ES, SEG_FS, SEG_GS, SEG_TR, SEG_LDTR, SEGS };

struct cpu_state {
	const struct kvm *kvm;
	const struct kvm_sregs *s;
	const struct kvm_regs *g;
};

static bool has_cpuid(const struct kvm *k, uint32_t leaf, uint32_t index, char reg, unsigned bit)
{
	const struct kvm_cpuid_entry2 *e = kvm_cpuid(k, leaf, index);

	return e && (reg == 'a' ? e->eax : reg == 'c' ? e->ecx : e->edx) >> bit & 1;
}

/* EFER's bits, and CPUID's bit of leaf 0x80000001 (0x80000021: AutoIBRS) that brings each (AMD APM vol. 2, 3.1.7). */
static uint64_t efer_known(const struct kvm *k)
{
	static const struct {
		uint64_t bits;
		uint32_t leaf;
		char reg;
		uint8_t bit;
	} t[] = {
		{ 1 << 0, 0x80000001, 'd', 11 },  { EFER_LME | EFER_LMA, 0x80000001, 'd', 29 },
		{ 1 << 11, 0x80000001, 'd', 20 }, { 1 << 12, 0x80000001, 'c', 2 },
		{ 1 << 14, 0x80000001, 'd', 25 }, { 1 << 15, 0x80000001, 'c', 17 },
		{ 1 << 21, 0x80000021, 'a', 8 },
	};
	uint64_t known = 0;

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		if (has_cpuid(k, t[i].leaf, 0, t[i].reg, t[i].bit))
			known |= t[i].bits;
	return known;
}

bool regs_canonical(const struct kvm_sregs *s, uint64_t address)
{
	unsigned spare = s->cr4 & CR4_LA57 ? 7 : 16;    /* bits above a canonical address */

	return (int64_t)(address << spare) >> spare == (int64_t)address;
}

static uint64_t cr3_known(const struct kvm *k)
{
	return ((1ull << k->phys_bits) - 1) | (has_cpuid(k, 7, 1, 'a', 26) ? CR3_LAM : 0);
}

/* -- of the whole -- */

static bool paged_unprotected(const struct cpu_state *c)
{
	return (c->s->cr0 & (CR0_PG | CR0_PE)) == CR0_PG;
}

static bool nw_alone(const struct cpu_state *c)
{
	return (c->s->cr0 & (CR0_NW | CR0_CD)) == CR0_NW;
}

static bool cr0_reserved(const struct cpu_state *c)
{
	return c->s->cr0 & ~CR0_KNOWN;
}

static bool cr3_reserved(const struct cpu_state *c)
{
	return c->s->cr3 & ~cr3_known(c->kvm);
}

static bool cr8_wide(const struct cpu_state *c)
{
	return c->s->cr8 > 0xf;
}

static bool efer_reserved(const struct cpu_state *c)
{
	return c->s->efer & ~efer_known(c->kvm);
}

static bool long_unextended(const struct cpu_state *c)
{
	return (c->s->efer & EFER_LMA) && !(c->s->cr4 & CR4_PAE);
}

static bool long_unpaged(const struct cpu_state *c)
{
	return (c->s->efer & EFER_LMA) && !(c->s->cr0 & CR0_PG);
}

static bool pcid_outside(const struct cpu_state *c)
{
	return (c->s->cr4 & CR4_PCIDE) && !(c->s->efer & EFER_LMA);
}

static bool cet_unprotected(const struct cpu_state *c)
{
	return (c->s->cr4 & CR4_CET) && !(c->s->cr0 & CR0_WP);
}

static bool code64_outside(const struct cpu_state *c)
{
	return c->s->cs.l && !(c->s->efer & EFER_LMA);
}

static bool code64_sized(const struct cpu_state *c)
{
	return c->s->cs.l && c->s->cs.db && (c->s->efer & EFER_LMA);
}

static bool rip_wide(const struct cpu_state *c)
{
	return !c->s->cs.l && c->g->rip >> 32;
}

static bool gdt_base(const struct cpu_state *c)
{
	return !regs_canonical(c->s, c->s->gdt.base);
}

static bool idt_base(const struct cpu_state *c)
{
	return !regs_canonical(c->s, c->s->idt.base);
}

static bool code_privilege(const struct cpu_state *c)
{
	const struct kvm_segment *cs = &c->s->cs, *ss = &c->s->ss;

	if (c->g->rflags & RFLAGS_VM)
		return false;
	if (cs->type == 3)
		return cs->dpl != 0;
	return cs->type & 4 ? cs->dpl > ss->dpl : cs->dpl != ss->dpl;
}

static bool stack_privilege(const struct cpu_state *c)
{
	return !(c->g->rflags & RFLAGS_VM) && (!(c->s->cr0 & CR0_PE) || c->s->cs.type == 3) && c->s->ss.dpl;
}

static const struct {
	bool (*amiss)(const struct cpu_state *c);
	const char *text;
} rules[] = {
	{ paged_unprotected, "cr0.PG needs cr0.PE" },
	{ nw_alone, "cr0.NW needs cr0.CD" },
	{ cr0_reserved, "cr0 has reserved bits set" },
	{ cr3_reserved, "cr3 has bits set above the processor's physical addresses" },
	{ cr8_wide, "cr8 has 4 bits" },
	{ efer_reserved, "efer has bits set that this processor does not know" },
	{ long_unextended, "long mode needs cr4.PAE" },
	{ long_unpaged, "long mode needs cr0.PG" },
	{ pcid_outside, "cr4.PCIDE needs long mode" },
	{ cet_unprotected, "cr4.CET needs cr0.WP" },
	{ code64_outside, "cs.L needs long mode" },
	{ code64_sized, "cs.L and cs.DB exclude each other" },
	{ rip_wide, "the pc is beyond 4 GiB, which needs cs.L" },
	{ gdt_base, "gdtr's base is not canonical" },
	{ idt_base, "idtr's base is not canonical" },
	{ code_privilege, "cs's privilege level does not fit ss's" },
	{ stack_privilege, "ss has privilege level 0 in real mode" },
};

#define NRULES (sizeof(rules) / sizeof(rules[0]))

/* -- of each segment register -- */

static const struct kvm_segment *segment(const struct kvm_sregs *s, enum seg which)
{
	const struct kvm_segment *const all[SEGS] = {
		[SEG_CS] = &s->cs, [SEG_SS] = &s->ss, [SEG_DS] = &s->ds, [SEG_ES] = &s->es,
		[SEG_FS] = &s->fs, [SEG_GS] = &s->gs, [SEG_TR] = &s->tr, [SEG_LDTR] = &s->ldt,
	};
	return all[which];
}

static bool seg_type(const struct cpu_state *c, enum seg which, const struct kvm_segment *s)
{
	switch (which) {
	case SEG_CS:
		return (s->type & 9) != 9 && s->type != 3;
	case SEG_SS:
		return s->type != 3 && s->type != 7;
	case SEG_TR:
		return s->type != 11 && (s->type != 3 || (c->s->efer & EFER_LMA));
	case SEG_LDTR:
		return s->type != 2;
	default:
		return !(s->type & 1) || ((s->type & 8) && !(s->type & 2));
	}
}

static bool seg_system(const struct cpu_state *c, enum seg which, const struct kvm_segment *s)
{
	(void)c;
	return s->s != (which < SEG_TR);
}

static bool seg_absent(const struct cpu_state *c, enum seg which, const struct kvm_segment *s)
{
	(void)c, (void)which;
	return !s->present;
}

static bool seg_limit(const struct cpu_state *c, enum seg which, const struct kvm_segment *s)
{
	(void)c, (void)which;
	return ((s->limit & 0xfff) != 0xfff && s->g) || (s->limit >> 20 && !s->g);
}

static bool seg_base(const struct cpu_state *c, enum seg which, const struct kvm_segment *s)
{
	return which >= SEG_FS ? !regs_canonical(c->s, s->base) : s->base >> 32 != 0;
}

static bool seg_local(const struct cpu_state *c, enum seg which, const struct kvm_segment *s)
{
	(void)c;
	return which >= SEG_TR && (s->selector & 4);
}

static bool seg_unusable(const struct cpu_state *c, enum seg which, const struct kvm_segment *s)
{
	(void)c;
	return s->unusable && (which == SEG_CS || which == SEG_TR);
}

/* Virtual-8086 mode has its segments from their selectors. */
static bool seg_vm86(const struct cpu_state *c, enum seg which, const struct kvm_segment *s)
{
	return (c->g->rflags & RFLAGS_VM) && which < SEG_TR &&
	       (s->base != (uint64_t)s->selector << 4 || s->limit != 0xffff || s->type != 3 || s->dpl != 3 || !s->s ||
		!s->present || s->db || s->l || s->g || s->unusable);
}

static const struct {
	bool (*amiss)(const struct cpu_state *c, enum seg which, const struct kvm_segment *s);
	bool even_unusable;     /* matters for a register that is marked not usable, too */
	const char *text;
} seg_rules[] = {
	{ seg_unusable, true, "segment cannot be unusable" },
	{ seg_type, false, "type is none it can have here" },
	{ seg_system, false, "descriptor is of the wrong kind (S)" },
	{ seg_absent, false, "segment is not present (P)" },
	{ seg_limit, false, "limit does not fit its granularity (G)" },
	{ seg_base, false, "base is not canonical, or beyond 4 GiB" },
	{ seg_local, false, "selector is of the local table" },
	{ seg_vm86, true, "hidden part follows from its selector in virtual-8086 mode" },
};

#define NSEG_RULES (sizeof(seg_rules) / sizeof(seg_rules[0]))

/* FS and GS have their bases in 64-bit mode also when they are not usable; CS and TR always count. */
static bool seg_amiss(const struct cpu_state *c, size_t rule, enum seg which)
{
	const struct kvm_segment *s = segment(c->s, which);

	if (s->unusable && which != SEG_CS && which != SEG_TR && !seg_rules[rule].even_unusable &&
	    !(seg_rules[rule].amiss == seg_base && (which == SEG_FS || which == SEG_GS)))
		return false;
	return seg_rules[rule].amiss(c, which, s);
}

static const char *const seg_names[SEGS] = {
	[SEG_CS] = "cs", [SEG_SS] = "ss", [SEG_DS] = "ds", [SEG_ES] = "es",
	[SEG_FS] = "fs", [SEG_GS] = "gs", [SEG_TR] = "tr", [SEG_LDTR] = "ldtr",
};

/* -- changes -- */

/* What MOV to a control register, or WRMSR, would refuse (SDM vol. 2, MOV to CR; vol. 3, 4.1, 10.8.5); NULL: nothing. */
static const char *change_fault(const struct kvm_sregs *old, const struct kvm_sregs *now)
{
	uint64_t cr0 = old->cr0 ^ now->cr0, cr4 = old->cr4 ^ now->cr4;
	bool lme = now->efer & EFER_LME, on = now->cr0 & CR0_PG;

	if (((old->efer ^ now->efer) & EFER_LME) && on)
		return "efer.LME cannot change while cr0.PG is on";
	if ((cr0 & CR0_PG) && on && lme && now->cs.l)
		return "cr0.PG cannot go on with efer.LME while cs.L is on";
	if ((cr0 & CR0_PG) && !on && (old->efer & EFER_LMA) && now->cs.l)
		return "cr0.PG cannot go off in 64-bit code";
	if ((cr0 & CR0_PG) && !on && (now->cr4 & CR4_PCIDE))
		return "cr0.PG cannot go off while cr4.PCIDE is on";
	if ((cr4 & CR4_LA57) && (old->efer & EFER_LMA))
		return "cr4.LA57 cannot change in long mode";
	if ((cr4 & CR4_PAE) && (old->efer & EFER_LMA))
		return "cr4.PAE cannot change in long mode";
	if ((cr4 & CR4_PCIDE) && (now->cr4 & CR4_PCIDE) && (now->cr3 & CR3_PCID))
		return "cr4.PCIDE cannot go on while cr3's low 12 bits are not zero";
	return NULL;
}

int regs_check(const struct kvm *k, const struct kvm_regs *regs, const struct kvm_sregs *old, struct kvm_sregs *now,
	       struct err *err)
{
	struct cpu_state before = { k, old, regs }, after = { k, now, regs };
	const char *fault;

	now->cr0 |= CR0_ET;
	now->efer &= ~EFER_LMA;
	if ((now->efer & EFER_LME) && (now->cr0 & CR0_PG))
		now->efer |= EFER_LMA;
	fault = change_fault(old, now);
	for (size_t i = 0; !fault && i < NRULES; i++)
		if (rules[i].amiss(&after) && !rules[i].amiss(&before))
			fault = rules[i].text;
	if (fault)
		return err_set(err, EINVAL, "%s", fault);
	for (size_t i = 0; i < NSEG_RULES; i++)
		for (enum seg which = 0; which < SEGS; which++)
			if (seg_amiss(&after, i, which) && !seg_amiss(&before, i, which))
				return err_set(err, EINVAL, "%s's %s", seg_names[which], seg_rules[i].text);
	return 0;
}
