/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The exits that only x86 has, and those that mean something of its own there. */
#include <inttypes.h>

#include "arch/x86/assist_kvm.h"
#include "arch/x86/catch_x86.h"
#include "arch/x86/debug.h"
#include "arch/x86/exits_x86.h"
#include "arch/x86/regs.h"
#include "arch/x86/watch_kvm.h"
#include "kvm/exits.h"
#include "kvm/guest_mem.h"
#include "kvm/slots.h"

#define INT3 0xcc

static bool exit_io(struct vcpu *v)
{
	struct kvm_run *run = v->run;
	struct catch_access a = {
		.kind = CATCH_PORT,
		.addr = run->io.port,
		.write = run->io.direction == KVM_EXIT_IO_OUT,
		.size = run->io.size,
		.count = run->io.count,
		.data = (uint8_t *)run + run->io.data_offset,
	};

	/* Devices may reach guest memory, beneath our traps. */
	vcpu_lock(v);
	a.claimed = bus_io(v->vm->bus, run->io.port, a.write, a.size, a.count, (uint8_t *)run + run->io.data_offset);
	vcpu_unlock(v);
	v->needs_completion = true;
	vm_feed_wanted(v->vm);
	exit_throttle(v);
	exit_catch(v, &a);
	return !v->has_event;
}

static bool exit_msr(struct vcpu *v)
{
	struct catch_access a;

	catch_do_msr(v, &a);
	exit_catch(v, &a);
	return !v->has_event;
}

/* An event that is delivered to a stack which was taken from the guest would be lost: its page is opened first. */
static bool delivers(struct vcpu *v)
{
	uint8_t code[4] = { 0 };
	size_t n;

	if (!slots_restricted(v->vm->slots))
		return false;
	n = guest_mem_read(v, regs_pc(v), code, sizeof(code), NULL);
	return insn_classify(code, n, regs_code_bits(v)) == INSN_INT;
}

static bool exit_internal_error(struct vcpu *v)
{
	const struct kvm_run *run = v->run;
	bool emulation = run->internal.suberror == KVM_INTERNAL_ERROR_EMULATION;
	struct assist_outcome out = { .done = false };

	if (emulation && debug_trap_hit(v))
		return false;
	if ((!emulation || delivers(v)) && watch_blames_page(v))
		return false;
	if (!emulation)
		return exit_fail(v, "KVM internal error %u (data 0x%" PRIx64 ")", run->internal.suberror,
			    (uint64_t)(run->internal.ndata ? run->internal.data[0] : 0));
	/* The guest's own int3 reaches its handler also with the assist off. */
	if (!v->vm->assist && debug_byte_at_pc(v, INT3))
		return debug_give_bp(v, true);
	assist_try(v, !v->vm->assist, &out);
	if (!out.done)
		return !watch_blames_page(v) && exit_fail(v, "%s", out.text);
	if (out.event)
		debug_given(v, out.vector);
	/* What is only to be delivered yet has not been the step. */
	v->stepped = !out.event && (v->arch->debug.control & KVM_GUESTDBG_SINGLESTEP);
	return !v->stepped && !v->nwatched && !v->has_event;
}

static bool exit_shutdown(struct vcpu *v)
{
	/* An event whose frame, or table, lies in a page that we took: not the guest's fault. */
	if (watch_blames_page(v))
		return false;
	vcpu_event(v, &(struct stop_event){ .reason = STOP_TRIPLE_FAULT, .text = "triple fault" });
	return false;
}

/* With KVM's interrupt controllers it waits in the kernel. */
static bool exit_halt(struct vcpu *v)
{
	v->arch->halted = true;
	v->stepped = v->arch->debug.control & KVM_GUESTDBG_SINGLESTEP;
	return !v->stepped;
}

bool x86_exit(struct vcpu *v)
{
	switch (v->run->exit_reason) {
	case KVM_EXIT_IO:
		return exit_io(v);
	case KVM_EXIT_INTERNAL_ERROR:
		return exit_internal_error(v);
	case KVM_EXIT_X86_RDMSR:
	case KVM_EXIT_X86_WRMSR:
		return exit_msr(v);
	case KVM_EXIT_SHUTDOWN:
		return exit_shutdown(v);
	case KVM_EXIT_HLT:
		return exit_halt(v);
	case KVM_EXIT_IRQ_WINDOW_OPEN:
	case KVM_EXIT_SET_TPR:
		return true;
	default:
		return exit_fail(v, "KVM exit %u, which this program does not know", v->run->exit_reason);
	}
}

bool x86_watched_mmio(struct vcpu *v, bool *ret_enter)
{
	if (!watch_mmio(v))
		return false;
	/* A hit is told of when the instruction is done. */
	if (v->run->mmio.is_write && !v->over)
		debug_owe_trap(v);
	*ret_enter = !v->nwatched && !v->over && !v->has_event;
	return true;
}
