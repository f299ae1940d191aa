/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Stepping user code where KVM does not: the trap goes to the guest's own handler, and is taken back from there. */
#include "arch/x86/step_priv.h"

#include <string.h>

#include "arch/x86/debug.h"
#include "kvm/guest_mem.h"
#include "arch/x86/regs.h"
#include "arch/x86/x86.h"

#define RFLAGS_FIXED  2ull
#define RFLAGS_NT     (1ull << 14)
#define RFLAGS_LOADED 0x3d7ed5ull       /* of what IRET loads, all but TF, which is looked after apart */
#define USER          3

static const struct kvm_regs *gp(const struct vcpu *v)
{
	return &v->run->s.regs.regs;
}

static const struct kvm_sregs *sys(const struct vcpu *v)
{
	return &v->run->s.regs.sregs;
}

bool step_undo_trap(struct vcpu *v, const struct insn_regs *r, const struct step_before *b)
{
	unsigned size = r->efer & EFER_LMA ? 8 : 4;
	struct kvm_regs regs = *gp(v);
	uint64_t frame[5] = { 0 };
	uint8_t bytes[sizeof(frame)];

	if (guest_mem_read(v, insn_linear(r, INSN_SS, r->gpr[INSN_RSP]), bytes, 5 * size, NULL) != 5 * size)
		return false;
	for (unsigned i = 0; i < 5; i++)
		memcpy(&frame[i], bytes + i * size, size);
	if ((uint16_t)frame[1] != b->cs || (uint16_t)frame[4] != b->ss)
		return false;
	regs.rip = frame[0];
	regs.rflags = frame[2] & ~RFLAGS_TF;
	/* Its own, from now on: our flag goes with the registers that are set. */
	if ((b->class == INSN_POPF || b->class == INSN_IRET) && b->image_tf)
		regs.rflags |= RFLAGS_TF;
	regs.rsp = frame[3];
	if (regs_set_all(v, &regs, &b->sregs))
		return false;
	debug_forget_trap(v);
	return true;
}

/* Loads SEG with a user segment, from SELECTOR's descriptor.  False: it would not be loaded without a fault. */
static bool load_segment(struct vcpu *v, struct kvm_segment *seg, uint16_t selector, bool code)
{
	uint64_t table = selector & 4 ? sys(v)->ldt.base : sys(v)->gdt.base, d;
	uint32_t limit = selector & 4 ? sys(v)->ldt.limit : sys(v)->gdt.limit;

	if ((selector & 3) != USER || (selector | 7u) > limit || guest_mem_read(v, table + (selector & ~7u), &d, 8, NULL) != 8)
		return false;
	*seg = (struct kvm_segment){
		.base = (d >> 16 & 0xffffff) | d >> 56 << 24,
		.limit = (uint32_t)((d & 0xffff) | (d >> 32 & 0xf0000)),
		.selector = selector,
		.type = (d >> 40 & 0xf) | 1,
		.s = d >> 44 & 1,
		.dpl = d >> 45 & 3,
		.present = d >> 47 & 1,
		.avl = d >> 52 & 1,
		.l = d >> 53 & 1,
		.db = d >> 54 & 1,
		.g = d >> 55 & 1,
	};
	if (seg->g)
		seg->limit = seg->limit << 12 | 0xfff;
	return seg->s && seg->present && seg->dpl == USER && (code ? seg->type & 8 : (seg->type & 10) == 2);
}

bool step_enter_user(struct vcpu *v, const struct step_before *b)
{
	struct kvm_sregs sregs = *sys(v);
	struct kvm_regs regs = *gp(v);
	struct kvm_vcpu_events events = { 0 };
	uint8_t masked;
	int r;

	if (v->vm->arch->user_steps || b->class != INSN_IRET || b->size != 8 || (b->image[1] & 3) != 3 || sregs.ss.dpl == 3 ||
	    (b->rflags & RFLAGS_NT) || (int64_t)(b->image[0] << 16) >> 16 != (int64_t)b->image[0])
		return false;
	if (!load_segment(v, &sregs.cs, (uint16_t)b->image[1], true) ||
	    !load_segment(v, &sregs.ss, (uint16_t)b->image[4], false))
		return false;
	regs.rip = b->image[0];
	regs.rflags = (b->image[2] & RFLAGS_LOADED) | RFLAGS_FIXED;
	regs.rsp = b->image[3];
	/* It ends a handler of NMIs. */
	r = kvm_ioctl(v->fd, KVM_GET_VCPU_EVENTS, &events);
	masked = events.nmi.masked;
	events.nmi.masked = 0;
	if (!r && masked)
		r = vcpu_set_events(v, &events);
	if (r) {
		vcpu_failed(v, "an IRET cannot be stepped", r);
		return false;
	}
	if (regs_set_all(v, &regs, &sregs)) {
		events.nmi.masked = masked;
		if (masked)
			vcpu_set_events(v, &events);
		return false;
	}
	v->stepped = true;
	return true;
}
