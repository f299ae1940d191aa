/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a vCPU's exits from the guest mean. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "dev/pc.h"
#include "kvm/debug.h"
#include "kvm/dirty.h"
#include "kvm/regs.h"
#include "kvm/ring.h"
#include "kvm/vcpu.h"

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

static size_t offer_uart(void *arg, const uint8_t *data, size_t len)
{
	struct vm *vm = arg;

	return uart_input(vm->bus, vm->uart, data, len);
}

void vm_feed_com1(struct vm *vm)
{
	com1_feed(vm->com1, offer_uart, vm);
}

static bool exit_io(struct vcpu *v)
{
	struct kvm_run *run = v->run;

	bus_io(v->vm->bus, run->io.port, run->io.direction == KVM_EXIT_IO_OUT, run->io.size, run->io.count,
	       (uint8_t *)run + run->io.data_offset);
	v->needs_completion = true;
	if (atomic_exchange(&v->vm->input_wanted, false))
		vm_feed_com1(v->vm);
	com1_throttle(v->vm->com1);
	return !v->has_event;
}

/*
 * A write to memory that is read-only in the kernel because `dirty who` watches it: recorded, and carried out unless it is
 * read-only to the guest as well.
 */
static void watched_write(struct vcpu *v)
{
	const struct kvm_run *run = v->run;
	uint64_t gpa = run->mmio.phys_addr;
	const struct gmem_region *r = NULL;

	/* In system management mode the address is one of the other address space, where nothing is watched. */
	if (run->flags & KVM_RUN_X86_SMM)
		return;
	/* Most machines watch nothing, and their MMIO need not pay for a look-up. */
	if (gmem_watching(v->vm->gmem))
		r = gmem_find(v->vm->gmem, gpa);
	if (!r || !r->watched)
		return;
	dirty_who_note(v->vm->who, (unsigned)r->slot, v->id, regs_pc(v), gpa);
	if (!r->readonly)
		gmem_write(v->vm->gmem, gpa, run->mmio.data, run->mmio.len);
}

/* No device of this machine has MMIO of its own: reads find all ones, writes are lost, as on a bus nobody answers. */
static bool exit_mmio(struct vcpu *v)
{
	if (v->run->mmio.is_write)
		watched_write(v);
	else
		memset(v->run->mmio.data, 0xff, sizeof(v->run->mmio.data));
	v->needs_completion = true;
	return true;
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

static bool exit_internal_error(struct vcpu *v)
{
	const struct kvm_run *run = v->run;
	char bytes[3 * 15 + 1] = "";
	bool enter;

	if (run->internal.suberror != KVM_INTERNAL_ERROR_EMULATION)
		return fail(v, "KVM internal error %u (data 0x%" PRIx64 ")", run->internal.suberror,
			    (uint64_t)(run->internal.ndata ? run->internal.data[0] : 0));
	if (debug_emulation_failure(v, &enter))
		return enter;
	if (run->internal.ndata >= 3 &&
	    (run->emulation_failure.flags & KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES))
		for (unsigned i = 0; i < run->emulation_failure.insn_size && i < 15; i++)
			sprintf(bytes + 3 * i, " %02x", run->emulation_failure.insn_bytes[i]);
	return fail(v, "KVM cannot emulate the instruction%s%s", *bytes ? " with the bytes" : "", bytes);
}

bool vcpu_handle_exit(struct vcpu *v, int ret)
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
	case KVM_EXIT_SHUTDOWN:
		vcpu_event(v, &(struct stop_event){ .reason = STOP_TRIPLE_FAULT, .text = "triple fault" });
		return false;
	case KVM_EXIT_FAIL_ENTRY:
		return fail(v, "the processor refused to enter the guest (reason 0x%" PRIx64 ")",
			    (uint64_t)v->run->fail_entry.hardware_entry_failure_reason);
	case KVM_EXIT_INTR:
	case KVM_EXIT_IRQ_WINDOW_OPEN:
		return true;
	default:
		return fail(v, "KVM exit %u, which this program does not know", v->run->exit_reason);
	}
}
