/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What KVM is told: single-step, and whose addresses stand in the debug registers. */
#include "arch/x86/debug.h"

#include <string.h>

#include "break/watch.h"
#include "arch/x86/regs.h"
#include "arch/x86/regs_debug.h"
#include "arch/x86/x86.h"

#define USER      3
#define VECTOR_DB 1
#define VECTOR_BP 3
#define DR6_TRAPS 0xfull        /* B0 to B3 */
#define DR6_BS    (1ull << 14)
#define DR7_FIXED 0x400ull      /* bit 10 reads as one */
#define DR7_ENABLED 0xffull      /* L0, G0 to G3 */
#define DR7_GD    (1ull << 13)  /* MOV to and from debug registers traps */
#define DR7_CONTROL_SHIFT 16    /* R/W and LEN, four bits a register */

/* False: they cannot be had, and V has stopped. */
static bool own_fetch(struct vcpu *v)
{
	int r = regs_debug_fetch(v, NULL);

	if (r)
		vcpu_failed(v, "KVM_GET_DEBUGREGS", r);
	return !r;
}

static bool own_store(struct vcpu *v)
{
	int r;

	v->arch->own.flags = 0;
	r = kvm_ioctl(v->fd, KVM_SET_DEBUGREGS, &v->arch->own);
	if (!r)
		return true;
	v->arch->own_known = false;
	vcpu_failed(v, "KVM_SET_DEBUGREGS", r);
	return false;
}

bool debug_own_idle(struct vcpu *v)
{
	return !regs_debug_fetch(v, NULL) && !(v->arch->own.dr7 & (DR7_ENABLED | DR7_GD));
}

static void put(struct kvm_guest_debug *d, unsigned i, uint64_t gva, uint64_t control)
{
	d->arch.debugreg[i] = gva;
	d->arch.debugreg[7] |= 2ull << (2 * i) | control << (DR7_CONTROL_SHIFT + 4 * i);
}

static void put_ours(struct vcpu *v, struct kvm_guest_debug *d, unsigned i, const struct hw_point *p)
{
	/* LEN by size - 1: 8 bytes are 2 (Intel SDM vol. 3, 17.2.4). */
	static const uint8_t len[9] = { [1] = 0, [2] = 1, [4] = 3, [8] = 2 };

	v->arch->hw[i] = *p;
	v->arch->hw_guest[i] = 0;
	put(d, i, p->gva, p->size ? (p->reads ? 3u : 1u) | (unsigned)len[p->size] << 2 : 0);
}

static void put_landing(struct vcpu *v, struct kvm_guest_debug *d, unsigned i, uint64_t gva)
{
	v->arch->hw_guest[i] = HW_LANDING;
	put(d, i, gva, 0);
}

/* What the instruction at the pc does, looked at when it is asked for. */
struct next {
	bool looked, decoded;
	struct insn insn;
};

/* Whether what is decoded of it is all that it accesses, and it ends where it does. */
static bool is_told(const struct insn *i)
{
	switch (i->class) {
	case INSN_OTHER: case INSN_PUSHF: case INSN_POPF: case INSN_STI: case INSN_CLI: case INSN_HLT: case INSN_READ_DR: case INSN_WRITE_DR:
		return !i->partial;
	default:
		return false;
	}
}

/* Whether it may access SIZE bytes at GVA.  An event's frame, and the tables that are looked at for it, are not thought of. */
static bool may_access(struct vcpu *v, struct next *x, uint64_t gva, unsigned size)
{
	if (!x->looked)
		x->decoded = debug_insn_at_pc(v, &x->insn) && is_told(&x->insn);
	x->looked = true;
	for (unsigned i = 0; x->decoded && i < x->insn.naccess; i++)
		if (gva - x->insn.access[i].gva < x->insn.access[i].size || x->insn.access[i].gva - gva < size)
			return true;
	return !x->decoded;
}

/* Whether the guest's own register G is on, and one that a step, if it is one, may meet: it ends at the next instruction. */
static bool own_matters(struct vcpu *v, struct next *x, unsigned g, enum debug_use use)
{
	static const unsigned sizes[] = { 1, 2, 8, 4 };         /* by LEN */
	uint64_t dr7 = v->arch->own.dr7, control = dr7 >> (DR7_CONTROL_SHIFT + 4 * g);
	unsigned size = sizes[control >> 2 & 3];

	if (!(dr7 >> (2 * g) & 3))
		return false;
	if (use == DEBUG_RUN)
		return true;
	if (!(control & 3))
		return v->arch->own.db[g] == regs_pc(v);
	return may_access(v, x, v->arch->own.db[g] & ~(uint64_t)(size - 1), size);
}

/*
 * Fills the debug registers: what needs one first; then where a step is sure to land; then those that the guest itself uses, on hosts
 * where ours displace them; then what has a trap byte besides; then where a step may land.
 */
static unsigned fill(struct vcpu *v, enum debug_use use, struct kvm_guest_debug *d)
{
	unsigned nfirst = use != DEBUG_RUN ? v->arch->nfirst : 0;
	struct next x = { 0 };
	const struct vm *vm = v->vm;
	unsigned n = 0;

	for (unsigned i = 0; i < vm->nhw; i++)
		if (!vm->hw[i].spare && (vm->hw[i].size || use != DEBUG_STEP_OVER))
			put_ours(v, d, n++, &vm->hw[i]);
	if (nfirst && n < BREAK_REGISTERS && v->arch->landing[0] != regs_pc(v))
		put_landing(v, d, n++, v->arch->landing[0]);
	/* With none of ours, and no need to see its traps, the guest's stay where they are. */
	if (!vm->arch->own_registers && (n || v->arch->late || (vm->nhw && use != DEBUG_STEP_OVER) || (v->arch->nlandings && use != DEBUG_RUN)) &&
	    own_fetch(v))
		for (unsigned g = 0; g < BREAK_REGISTERS && n < BREAK_REGISTERS; g++) {
			if (!own_matters(v, &x, g, use))
				continue;
			v->arch->hw_guest[n] = (uint8_t)(g + 1);
			put(d, n++, v->arch->own.db[g], v->arch->own.dr7 >> (DR7_CONTROL_SHIFT + 4 * g) & 0xf);
		}
	/* A step passes few places: what stands in for a byte is not worth what registers cost to load. */
	for (unsigned i = 0; i < vm->nhw && n < BREAK_REGISTERS && use == DEBUG_RUN; i++)
		if (vm->hw[i].spare)
			put_ours(v, d, n++, &vm->hw[i]);
	for (unsigned i = nfirst; i < v->arch->nlandings && n < BREAK_REGISTERS && use != DEBUG_RUN; i++)
		/* A step from there would not begin. */
		if (v->arch->landing[i] != regs_pc(v))
			put_landing(v, d, n++, v->arch->landing[i]);
	return n;
}

void debug_prepare(struct vcpu *v, enum debug_use use)
{
	struct vm *vm = v->vm;
	struct kvm_guest_debug d = { 0 };
	/* What KVM was told last; registers that were set since bring a trap flag of their own. */
	bool in_step = v->arch->debug.control & KVM_GUESTDBG_SINGLESTEP, was_step = v->arch->debug_known && in_step;
	bool by_flag = vm->arch->steps_by_flag || (!vm->arch->user_steps && v->run->s.regs.sregs.ss.dpl == USER);
	unsigned n;
	int r;

	if (use != DEBUG_RUN) {
		r = regs_settle(v);     /* KVM remembers where the step begins */
		if (r)
			vcpu_failed(v, "KVM_SET_REGS", r);
		d.control |= KVM_GUESTDBG_SINGLESTEP;
		if (!vm->step_irqs)
			d.control |= vm->kvm.debug_flags & KVM_GUESTDBG_BLOCKIRQ;
	}
	/* While we step, KVM shows no trap flag, whoever set it. */
	if (!was_step && (in_step || use != DEBUG_RUN))
		v->arch->guest_tf = v->run->s.regs.regs.rflags & RFLAGS_TF;
	if (break_sites(vm->breaks))
		d.control |= KVM_GUESTDBG_USE_SW_BP;
	/*
	 * Where an exit came in the middle of a stepped instruction, its trap may still be pending in the processor.  Without the
	 * registers KVM would hand it to the guest.
	 */
	if (use != DEBUG_RUN)
		v->arch->late = false;
	else if (in_step && vm->arch->steps_by_flag) {
		v->arch->late = true;
		v->arch->late_pc = regs_pc(v);
	}
	n = vm->nhw || use != DEBUG_RUN || v->arch->late ? fill(v, use, &d) : 0;
	if (n || v->arch->late) {
		d.control |= KVM_GUESTDBG_USE_HW_BP;
		d.arch.debugreg[7] |= DR7_FIXED;
		/* Where the guest's registers are among ours, changes of them must be seen. */
		if (!vm->arch->own_registers && use != DEBUG_STEP_OVER)
			d.arch.debugreg[7] |= DR7_GD;
	}
	if (d.control)
		d.control |= KVM_GUESTDBG_ENABLE;
	/*
	 * Hardware steps by the trap flag, which instructions that load the flags and KVM's own emulation of others take away:
	 * the kernel puts it back when it is told again.
	 */
	if (v->arch->debug_known && !memcmp(&d, &v->arch->debug, sizeof(d)) && (use == DEBUG_RUN || !by_flag))
		return;
	r = kvm_ioctl(v->fd, KVM_SET_GUEST_DEBUG, &d);
	v->arch->debug_known = !r;
	v->arch->debug = d;
	if (r)
		vcpu_failed(v, "KVM_SET_GUEST_DEBUG", r);
	/* The guest's own trap flag went with ours. */
	if (in_step && use == DEBUG_RUN && v->arch->guest_tf) {
		struct kvm_regs regs = v->run->s.regs.regs;

		regs.rflags |= RFLAGS_TF;
		regs_set_later(v, &regs);
	}
}

void debug_given(struct vcpu *v, unsigned vector)
{
	v->arch->event_given = true;
	v->arch->event_vector = vector;
}

/* An exception that could not be given back is a stop. */
static bool give(struct vcpu *v, unsigned vector, bool advance)
{
	struct err err;

	debug_given(v, vector);
	if (!regs_inject(v, vector, advance, &err))
		return true;
	vcpu_event(v, &(struct stop_event){ .reason = STOP_ERROR,
					    .text = "the guest's own debug exception could not be delivered" });
	return false;
}

/* The delivery of a #DB switches DR7.GD off; but not KVM's, of what it was told to inject. */
bool debug_give_db(struct vcpu *v, uint64_t bits)
{
	if (!own_fetch(v))
		return false;
	v->arch->own.dr6 = (v->arch->own.dr6 & ~DR6_TRAPS) | bits;
	v->arch->own.dr7 &= ~DR7_GD;
	return own_store(v) && give(v, VECTOR_DB, false);
}

void debug_forget_trap(struct vcpu *v)
{
	v->arch->own_known = false;
	if (!own_fetch(v) || !(v->arch->own.dr6 & DR6_BS))
		return;
	v->arch->own.dr6 &= ~DR6_BS;
	own_store(v);
}

void debug_owe_trap(struct vcpu *v)
{
	if (v->vm->arch->steps_by_flag || (v->arch->debug.control & KVM_GUESTDBG_SINGLESTEP) || !(v->run->s.regs.regs.rflags & RFLAGS_TF))
		return;
	vcpu_complete_io(v);
	if (!v->has_event)
		debug_give_db(v, DR6_BS);
}

bool debug_give_int1(struct vcpu *v)
{
	if (!own_fetch(v))
		return false;
	if (v->arch->own.dr7 & DR7_GD) {
		v->arch->own.dr7 &= ~DR7_GD;
		if (!own_store(v))
			return false;
	}
	/* As it is when an instruction has been done. */
	v->run->s.regs.regs.rflags &= ~RFLAGS_RF;
	return give(v, VECTOR_DB, true);
}

bool debug_give_bp(struct vcpu *v, bool advance)
{
	return give(v, VECTOR_BP, advance);
}
