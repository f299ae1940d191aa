/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "arch/x86/insn/plain.h"
#include "arch/x86/debug.h"
#include "arch/x86/regs.h"
#include "arch/x86/regs_priv.h"
#include "arch/x86/step_priv.h"
#include "arch/x86/access.h"
#include "arch/x86/x86.h"

#define PTE_A (1ull << 5)

/* Nothing would come before the instruction, or instead of it. */
static bool is_quiet(const struct vcpu *v)
{
	const struct kvm_vcpu_events *e = &v->run->s.regs.events;

	return v->arch->events_known && !e->exception.injected && !e->exception.pending && !e->interrupt.injected &&
	       !e->interrupt.shadow && !e->nmi.injected && !e->nmi.pending && !e->smi.pending && !e->smi.smm;
}

/* Whether KVM fetches the instruction at PC without a fault, and without a bit to set in a page table. */
static bool is_fetched(const struct vcpu *v, uint64_t pc)
{
	const struct access_by by = { .rflags = v->run->s.regs.regs.rflags };
	struct translation t;
	struct paging p;
	uint32_t code;

	regs_paging(v, &p);
	translate(v->vm->gmem, &p, pc, &t, NULL);
	if (access_check(&p, &t, ACCESS_FETCH, &by, &code) || t.slot < 0)
		return false;
	for (unsigned i = 0; i < t.nlevels; i++)
		if (!(t.level[i].entry & PTE_A))
			return false;
	return true;
}

static bool in_segment(const struct kvm_sregs *s, unsigned bits, uint64_t rip)
{
	return bits == 64 ? regs_canonical(s, rip) : rip <= s->cs.limit;
}

bool step_plain(struct vcpu *v, const struct step_before *b)
{
	const struct vm *vm = v->vm;
	const struct kvm_sregs *s = &v->run->s.regs.sregs;
	const struct kvm_regs *g = &v->run->s.regs.regs;
	struct insn_regs r;
	struct kvm_regs after;

	if (vm->arch->steps_by_flag || vm->step_irqs || vm->arch->irqchip || !v->arch->debug_known ||
	    (v->arch->debug.control & KVM_GUESTDBG_SINGLESTEP) || (v->over & OVER_OPEN) || !is_quiet(v))
		return false;
	if (b->class != INSN_OTHER || b->user || s->ss.dpl || (g->rflags & (RFLAGS_TF | RFLAGS_VM)))
		return false;
	regs_insn(v, &r);
	if (!insn_plain(&r, b->code, b->n) || !in_segment(s, r.code_bits, r.rip))
		return false;
	/* So much was looked at, and lies in front of the segment's end, on pages that are fetched from. */
	if (!in_segment(s, r.code_bits, g->rip + b->n - 1) || !is_fetched(v, b->pc) || !is_fetched(v, b->pc + b->n - 1) ||
	    !debug_own_idle(v))
		return false;
	after = regs_from_insn(&r);
	regs_set_later(v, &after);
	v->arch->events_known = false;
	return true;
}
