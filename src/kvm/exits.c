/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a vCPU's exits from the guest mean. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "arch/arch.h"
#include "dev/pc.h"
#include "dev/virtio.h"
#include "kvm/catch.h"
#include "kvm/debug.h"
#include "kvm/exits.h"
#include "kvm/ring.h"

bool exit_fail(struct vcpu *v, const char *fmt, ...)
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
	/* A console that is no device takes it when the guest asks. */
	return vm->uart ? uart_input(vm->bus, vm->uart, data, len) : 0;
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

void exit_catch(struct vcpu *v, const struct catch_access *a)
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

/* Carries out A; whether it was one of a device, or of nobody: not a write to memory that may not be written. */
static bool serve_mmio(struct vcpu *v, struct catch_access *a, uint8_t *data)
{
	struct vm *vm = v->vm;
	bool memory = gmem_find(vm->gmem, a->addr) && !(a->write && arch.board_is_device && arch.board_is_device(vm, a->addr));

	vcpu_lock(v);
	a->claimed = a->write && arch.board_write && arch.board_write(vm, a->addr, a->data, a->size);
	if (memory && !a->write)
		memset(data, 0xff, a->size);
	else if (!memory && !a->claimed)
		a->claimed = bus_mmio(vm->bus, a->addr, a->write, a->size, data);
	vcpu_unlock(v);
	return !memory;
}

void exit_throttle(struct vcpu *v)
{
	if (com1_full(v->vm->com1)) {
		vcpu_waits_for_loop(v);
		com1_throttle(v->vm->com1);
	}
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
	bool enter;

	if (arch.watched_mmio && arch.watched_mmio(v, &enter))
		return enter;
	v->needs_completion = true;
	if (serve_mmio(v, &a, run->mmio.data)) {
		vm_feed_wanted(v->vm);
		exit_catch(v, &a);
	}
	return !v->has_event;
}

/* Room for what the guest dirties next.  Other vCPUs go on meanwhile, and may be doing the same. */
static bool exit_ring_full(struct vcpu *v)
{
	unsigned count = 0;
	struct err err;

	if (!v->vm->rings)
		return exit_fail(v, "KVM speaks of a dirty ring where there is none");
	if (rings_collect_cpu(v->vm->rings, v->id, &count, &err))
		return exit_fail(v, "%s", err.msg);
	/* It would be full for ever. */
	return count || exit_fail(v, "the dirty ring is full, and has no entries");
}

static bool handle(struct vcpu *v, int ret)
{
	if (ret == -EINTR || ret == -EAGAIN)
		return true;            /* kicked: vcpu_enter() looks at `pause` */
	if (ret == -EFAULT)
		return exit_fail(v, "the host memory behind an address the guest used is gone (EFAULT)");
	if (ret < 0)
		return exit_fail(v, "KVM_RUN: %s", strerror(-ret));

	switch (v->run->exit_reason) {
	case KVM_EXIT_MMIO:
		return exit_mmio(v);
	case KVM_EXIT_DEBUG:
		return arch.debug_exit(v);
	case KVM_EXIT_DIRTY_RING_FULL:
		return exit_ring_full(v);
	case KVM_EXIT_FAIL_ENTRY:
		return exit_fail(v, "the processor refused to enter the guest (reason 0x%" PRIx64 ")",
				 (uint64_t)v->run->fail_entry.hardware_entry_failure_reason);
	case KVM_EXIT_INTR:
		return true;
	default:
		return arch.exit(v);
	}
}

bool vcpu_handle_exit(struct vcpu *v, int ret)
{
	bool enter = handle(v, ret);

	arch.handled(v, ret, enter);
	return enter;
}
