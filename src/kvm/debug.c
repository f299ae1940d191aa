/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kvm/debug.h"

#include <string.h>

#include "kvm/regs.h"
#include "mem/translate.h"

#define VECTOR_DB 1
#define VECTOR_BP 3
#define INT3      0xcc
#define DR7_FIXED 0x400         /* bit 10 reads as one */

void debug_prepare(struct vcpu *v, enum debug_use use)
{
	struct kvm_guest_debug d = { 0 };
	uint64_t hard[BREAK_HARD_MAX];
	unsigned n = use == DEBUG_STEP_OVER ? 0 : break_hard(v->vm->breaks, hard);

	if (use != DEBUG_RUN)
		d.control |= KVM_GUESTDBG_SINGLESTEP | (v->vm->kvm.debug_flags & KVM_GUESTDBG_BLOCKIRQ);
	if (break_soft_count(v->vm->breaks))
		d.control |= KVM_GUESTDBG_USE_SW_BP;
	if (n) {
		d.control |= KVM_GUESTDBG_USE_HW_BP;
		d.arch.debugreg[7] = DR7_FIXED;
	}
	for (unsigned i = 0; i < n; i++) {
		d.arch.debugreg[i] = hard[i];
		d.arch.debugreg[7] |= 2ull << (i * 2);  /* global enable; type and length 0: execution */
	}
	if (d.control)
		d.control |= KVM_GUESTDBG_ENABLE;
	/*
	 * Hardware steps by the trap flag, which instructions that load the flags and KVM's own emulation of others take away:
	 * the kernel puts it back when it is told again.
	 */
	if (v->debug_known && !memcmp(&d, &v->debug, sizeof(d)) && (use == DEBUG_RUN || !v->vm->steps_by_flag))
		return;
	v->debug_known = kvm_ioctl(v->fd, KVM_SET_GUEST_DEBUG, &d) == 0;
	v->debug = d;
}

/* The armed site under V's pc, or NULL. */
static struct break_site *site_at_pc(struct vcpu *v)
{
	struct translation t;
	struct paging p;
	struct break_site *s;

	if (!break_soft_count(v->vm->breaks))
		return NULL;
	regs_paging(v, &p);
	if (translate(v->vm->gmem, &p, regs_pc(v), &t, NULL))
		return NULL;
	s = break_site_find(v->vm->breaks, t.gpa);
	return s && s->armed ? s : NULL;
}

bool debug_at_breakpoint(struct vcpu *v)
{
	return break_find(v->vm->breaks, BREAK_HARD, regs_pc(v)) || site_at_pc(v);
}

/*
 * Takes one step.  False: a pause or an event came first.  An access that we served ends its instruction without a debug
 * exit on some hosts, so it is finished here and counts as the step: string I/O is then stepped element by element.
 */
static bool step_once(struct vcpu *v)
{
	bool enter;

	v->stepped = false;
	do {
		enter = vcpu_enter(v);
		if (v->needs_completion) {
			vcpu_complete_io(v);
			v->stepped = !v->has_event;
		}
	} while (enter && !v->stepped && !v->has_event);
	return v->stepped;
}

/*
 * Some hosts end the first step before its instruction: nothing has changed then, and it is tried again.  An instruction that
 * really changes nothing, a jump to itself, is none the worse for being run more than once.
 */
#define STEP_TRIES 8

static bool step_instruction(struct vcpu *v)
{
	struct kvm_regs before;

	for (unsigned i = 0; i < STEP_TRIES; i++) {
		before = v->run->s.regs.regs;
		if (!step_once(v))
			return false;
		if (memcmp(&before, &v->run->s.regs.regs, sizeof(before)))
			break;
	}
	return true;
}

void debug_run_steps(struct vcpu *v, bool stepped)
{
	const struct run_action *a = &v->act;
	uint64_t pc;

	do {
		if (!stepped) {
			debug_prepare(v, DEBUG_STEP);
			if (!step_instruction(v))
				return;
		}
		stepped = false;
		pc = regs_pc(v);
		if (a->kind != ACT_RANGE || pc < a->start || pc >= a->end) {
			vcpu_event(v, &(struct stop_event){ .reason = STOP_STEP });
			return;
		}
	} while (!atomic_load(&v->vm->ctl.pause));
}

bool debug_step_over(struct vcpu *v)
{
	struct break_site *s = site_at_pc(v);
	bool done;

	if (atomic_load(&v->vm->ctl.pause))
		return false;
	if (s)
		break_site_set(v->vm->breaks, s, false);
	debug_prepare(v, DEBUG_STEP_OVER);
	done = step_instruction(v);
	if (s)
		break_site_set(v->vm->breaks, s, true);
	return done;
}

/*
 * Gives the guest an exception of its own that KVM showed us instead.  A #BP is delivered as the instruction's own, so that
 * the guest sees the pc behind it; ADVANCE where KVM does not do that for us.
 */
static bool give_back(struct vcpu *v, unsigned vector, bool advance)
{
	struct err err = { 0 };

	if (!regs_inject(v, vector, advance, &err))
		return true;
	vcpu_event(v, &(struct stop_event){ .reason = STOP_ERROR, .text = "the guest's own debug exception could not be delivered" });
	return false;
}

static void hit(struct vcpu *v, enum break_kind kind, const struct break_site *s)
{
	struct stop_event ev = { .reason = STOP_BREAKPOINT, .kind = kind };
	struct breakpoint *b = break_find(v->vm->breaks, kind, regs_pc(v));

	/* Through another mapping of the byte the pc is not the address the breakpoint was set at. */
	if (kind == BREAK_SOFT && (!b || b->site != s))
		for (size_t i = 0; (b = break_at(v->vm->breaks, i)) && b->site != s; i++)
			;
	if (b) {
		ev.owners = b->owners;
		v->hit_gva = b->gva;
	}
	vcpu_event(v, &ev);
}

bool debug_exit(struct vcpu *v)
{
	const struct kvm_debug_exit_arch *d = &v->run->debug.arch;
	struct break_site *s;

	if (d->exception == VECTOR_BP) {
		s = site_at_pc(v);
		if (!s)
			return give_back(v, VECTOR_BP, false);
		hit(v, BREAK_SOFT, s);
		return false;
	}
	/* A debug register that matches before the instruction outranks the step that led here. */
	if ((d->dr6 & 0xf) && break_find(v->vm->breaks, BREAK_HARD, regs_pc(v)) &&
	    (v->debug.control & KVM_GUESTDBG_USE_HW_BP)) {
		hit(v, BREAK_HARD, NULL);
		return false;
	}
	if (v->debug.control & KVM_GUESTDBG_SINGLESTEP) {
		v->stepped = true;
		return false;
	}
	return give_back(v, VECTOR_DB, false);
}

bool debug_emulation_failure(struct vcpu *v, bool *ret_enter)
{
	struct break_site *s = site_at_pc(v);
	struct paging p;
	uint8_t byte;

	if (s) {
		hit(v, BREAK_SOFT, s);
		*ret_enter = false;
		return true;
	}
	regs_paging(v, &p);
	if (vmem_read(v->vm->gmem, &p, regs_pc(v), &byte, 1, NULL) != 1 || byte != INT3)
		return false;
	*ret_enter = give_back(v, VECTOR_BP, true);
	return true;
}
