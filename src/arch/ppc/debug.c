/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Guest debug (api.rst 4.87, KVM_SET_GUEST_DEBUG): what KVM is told, what its exits mean, and single steps.  The pc of an exit
 * at a trap is the trap's: there is nothing to set back.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "arch/ppc/parts.h"
#include "arch/ppc/regs.h"
#include "kvm/debug.h"
#include "kvm/exits.h"

enum use { USE_RUN, USE_STEP, USE_STEP_OVER };

int ppc_debug_check(const struct vm *vm, enum arch_debug what, struct err *err)
{
	const struct arch_kvm *k = vm->kvm.arch;

	if (what == ARCH_WATCH)
		return err_set(err, ENOTSUP, "this host's KVM lacks KVM_CAP_GUEST_DEBUG_HW_WPS, which watchpoints need");
	if (!k->debugs)
		return err_set(err, ENOTSUP, "this host's KVM lacks KVM_CAP_SET_GUEST_DEBUG, which breakpoints and steps need");
	/* Whoever has stopped at a breakpoint wants to step over it. */
	if (!k->steps)
		return err_set(err, ENOTSUP, "this host's KVM lacks KVM_CAP_PPC_GUEST_DEBUG_SSTEP, which breakpoints and steps need");
	if (what == ARCH_HARD && !k->breaks)
		return err_set(err, ENOTSUP, "this host's KVM lacks KVM_CAP_GUEST_DEBUG_HW_BPS, which breakpoints in registers need");
	return 0;
}

static void prepare(struct vcpu *v, enum use use)
{
	const struct vm *vm = v->vm;
	struct kvm_guest_debug d = { 0 };
	int r;

	if (use != USE_RUN)
		d.control |= KVM_GUESTDBG_SINGLESTEP;
	if (break_sites(vm->breaks))
		d.control |= KVM_GUESTDBG_USE_SW_BP;
	for (unsigned i = 0; i < vm->nhw && use != USE_STEP_OVER; i++) {
		d.control |= KVM_GUESTDBG_USE_HW_BP;
		d.arch.bp[i].addr = vm->hw[i].gva;
		d.arch.bp[i].type = KVMPPC_DEBUG_BREAKPOINT;
	}
	if (d.control)
		d.control |= KVM_GUESTDBG_ENABLE;
	if (v->arch->debug_known && !memcmp(&d, &v->arch->debug, sizeof(d)))
		return;
	r = kvm_ioctl(v->fd, KVM_SET_GUEST_DEBUG, &d);
	v->arch->debug_known = !r;
	v->arch->debug = d;
	/* Without that it would run into traps of ours, or away: it does not enter the guest. */
	if (r)
		exit_fail(v, "KVM_SET_GUEST_DEBUG: %s", strerror(-r));
}

void ppc_prepare_run(struct vcpu *v)
{
	prepare(v, USE_RUN);
}

/* Takes one instruction; false: a pause or an event came first. */
static bool step_instruction(struct vcpu *v, enum use use)
{
	v->arch->step_from = regs_pc(v);
	v->stepped = false;
	prepare(v, use);
	while (!v->stepped && !v->has_event && vcpu_enter(v)) {
		/* What we have carried out is done when KVM has taken its outcome: it would go on to the end of the next one. */
		if (!v->needs_completion)
			continue;
		vcpu_complete_io(v);
		v->stepped |= !v->has_event && regs_pc(v) != v->arch->step_from;
	}
	return v->stepped && !v->has_event;
}

void ppc_run_steps(struct vcpu *v, bool stepped)
{
	const struct run_action *a = &v->act;
	uint64_t pc;

	do {
		if (!stepped && !step_instruction(v, USE_STEP))
			return;
		stepped = false;
		pc = regs_pc(v);
		if (a->kind != ACT_RANGE || pc < a->start || pc >= a->end) {
			vcpu_event(v, &(struct stop_event){ .reason = STOP_STEP });
			return;
		}
	} while (!atomic_load(&v->vm->ctl.pause));
}

bool ppc_step_alone(struct vcpu *v)
{
	struct break_site *s = debug_site_at_pc(v);
	bool done;

	if (s)
		break_lift(v->vm->breaks, s);
	done = step_instruction(v, USE_STEP_OVER);
	if (s)
		break_plant(v->vm->breaks, s);
	return done;
}

bool ppc_debug_exit(struct vcpu *v)
{
	const struct kvm_debug_exit_arch *d = &v->run->debug.arch;
	bool step = v->arch->debug.control & KVM_GUESTDBG_SINGLESTEP;

	if ((v->arch->debug.control & KVM_GUESTDBG_USE_HW_BP) && (d->status & KVMPPC_DEBUG_BREAKPOINT) &&
	    debug_hit(v, debug_site_at_pc(v)))
		return false;
	/* A step ends at the next instruction, which has not been met yet, whatever stands there. */
	if ((!step || regs_pc(v) == v->arch->step_from) && debug_trap_hit(v))
		return false;
	v->stepped = step;
	return !step && exit_fail(v, "the guest has that instruction itself by which KVM stops for a debugger");
}
