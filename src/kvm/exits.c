/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a vCPU's exits from the guest mean. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "dev/pc.h"
#include "dev/virtio.h"
#include "arch/x86/board.h"
#include "arch/x86/assist_kvm.h"
#include "kvm/catch.h"
#include "kvm/debug.h"
#include "kvm/guest_mem.h"
#include "arch/x86/regs.h"
#include "kvm/ring.h"
#include "kvm/slots.h"
#include "kvm/watch_kvm.h"

#define INT3 0xcc

/* An event that needs a person: KVM cannot go on. */
static bool fail(struct vcpu *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static bool fail(struct vcpu *v, const char *fmt, ...)
{
	struct stop_event ev = { .reason = STOP_ERROR };
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(ev.text, sizeof(ev.text), fmt, ap);
	va_end(ap);
	vcpu_event(v, &ev);
	return false;
}

static size_t offer_input(void *arg, const uint8_t *data, size_t len)
{
	struct vm *vm = arg;
	size_t taken;

	if (vm->console && virtio_console_input(vm->bus, vm->console, data, len, &taken))
		return taken;
	return uart_input(vm->bus, vm->uart, data, len);
}

void vm_feed_com1(struct vm *vm)
{
	com1_feed(vm->com1, offer_input, vm);
}

void vm_feed_wanted(struct vm *vm)
{
	if (atomic_exchange(&vm->input_wanted, false))
		vm_feed_com1(vm);
}

/* Stops for the catchpoints that A, which has been carried out, matches.  The filter sees the registers as it left them. */
static void catch_it(struct vcpu *v, const struct catch_access *a)
{
	struct stop_event ev = { 0 };
	bool completed = false;

	while (catch_match(v->vm->catches, a, &ev)) {
		if (!completed)
			vcpu_complete_io(v);
		completed = true;
		v->stepped = !v->has_event;
		ev.owners = BREAK_OWNER_MONITOR;
		if (!stop_wanted(v, &ev))
			continue;
		vcpu_event(v, &ev);
		return;
	}
}

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
	if (com1_full(v->vm->com1)) {
		vcpu_waits_for_loop(v);
		com1_throttle(v->vm->com1);
	}
	catch_it(v, &a);
	return !v->has_event;
}

/* Carries out A; whether it was one of a device, or of nobody: not a write to memory that may not be written. */
static bool serve_mmio(struct vcpu *v, struct catch_access *a, uint8_t *data)
{
	bool memory = gmem_find(v->vm->gmem, a->addr) && !(a->write && board_is_flash(v->vm->board, a->addr));

	vcpu_lock(v);
	a->claimed = a->write && board_write(v->vm->board, a->addr, a->data, a->size);
	if (memory && !a->write)
		memset(data, 0xff, a->size);
	else if (!memory && !a->claimed)
		a->claimed = bus_mmio(v->vm->bus, a->addr, a->write, a->size, data);
	vcpu_unlock(v);
	return !memory;
}

static bool exit_mmio(struct vcpu *v)
{
	struct kvm_run *run = v->run;
	struct catch_access a = {
		.kind = CATCH_MMIO,
		.addr = run->mmio.phys_addr,
		.write = run->mmio.is_write,
		.size = run->mmio.len,
		.count = 1,
		.data = run->mmio.data,
	};

	/* A hit is told of when the instruction is done. */
	if (watch_mmio(v)) {
		if (a.write && !v->over)
			debug_owe_trap(v);
		return !v->nwatched && !v->over && !v->has_event;
	}
	v->needs_completion = true;
	if (serve_mmio(v, &a, run->mmio.data)) {
		vm_feed_wanted(v->vm);
		catch_it(v, &a);
	}
	return !v->has_event;
}

static bool exit_msr(struct vcpu *v)
{
	struct catch_access a;

	catch_do_msr(v, &a);
	catch_it(v, &a);
	return !v->has_event;
}

/* Room for what the guest dirties next.  Other vCPUs go on meanwhile, and may be doing the same. */
static bool exit_ring_full(struct vcpu *v)
{
	unsigned count = 0;
	struct err err;

	if (!v->vm->rings)
		return fail(v, "KVM speaks of a dirty ring where there is none");
	if (rings_collect_cpu(v->vm->rings, v->id, &count, &err))
		return fail(v, "%s", err.msg);
	/* It would be full for ever. */
	return count || fail(v, "the dirty ring is full, and has no entries");
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
		return fail(v, "KVM internal error %u (data 0x%" PRIx64 ")", run->internal.suberror,
			    (uint64_t)(run->internal.ndata ? run->internal.data[0] : 0));
	/* The guest's own int3 reaches its handler also with the assist off. */
	if (!v->vm->assist && debug_byte_at_pc(v, INT3))
		return debug_give_bp(v, true);
	assist_try(v, !v->vm->assist, &out);
	if (!out.done)
		return !watch_blames_page(v) && fail(v, "%s", out.text);
	/* What is only to be delivered yet has not been the step. */
	v->stepped = !out.event && (v->debug.control & KVM_GUESTDBG_SINGLESTEP);
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
	v->halted = true;
	v->stepped = v->debug.control & KVM_GUESTDBG_SINGLESTEP;
	return !v->stepped;
}

static bool handle(struct vcpu *v, int ret)
{
	if (ret == -EINTR || ret == -EAGAIN)
		return true;            /* kicked: vcpu_enter() looks at `pause` */
	if (ret == -EFAULT)
		return fail(v, "the host memory behind an address the guest used is gone (EFAULT)");
	if (ret < 0)
		return fail(v, "KVM_RUN: %s", strerror(-ret));

	switch (v->run->exit_reason) {
	case KVM_EXIT_IO:
		return exit_io(v);
	case KVM_EXIT_MMIO:
		return exit_mmio(v);
	case KVM_EXIT_DEBUG:
		return debug_exit(v);
	case KVM_EXIT_DIRTY_RING_FULL:
		return exit_ring_full(v);
	case KVM_EXIT_INTERNAL_ERROR:
		return exit_internal_error(v);
	case KVM_EXIT_X86_RDMSR:
	case KVM_EXIT_X86_WRMSR:
		return exit_msr(v);
	case KVM_EXIT_SHUTDOWN:
		return exit_shutdown(v);
	case KVM_EXIT_FAIL_ENTRY:
		return fail(v, "the processor refused to enter the guest (reason 0x%" PRIx64 ")",
			    (uint64_t)v->run->fail_entry.hardware_entry_failure_reason);
	case KVM_EXIT_HLT:
		return exit_halt(v);
	case KVM_EXIT_INTR:
	case KVM_EXIT_IRQ_WINDOW_OPEN:
	case KVM_EXIT_SET_TPR:
		return true;
	default:
		return fail(v, "KVM exit %u, which this program does not know", v->run->exit_reason);
	}
}

bool vcpu_handle_exit(struct vcpu *v, int ret)
{
	bool enter = handle(v, ret);

	/* The guest was entered, and what was pending then has come. */
	if (ret >= 0)
		v->late = false;
	/* Guests change their interrupt tables without an exit: the next one shows it. */
	if (enter && catch_stale(v->vm->catches, v))
		vm_pause(v->vm);
	return enter;
}
