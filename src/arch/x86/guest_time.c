/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "arch/x86/guest_time.h"

#include <linux/kvm.h>
#include <x86intrin.h>

#define LONG_STOP_NS    5000000u

void guest_time_stop(struct guest_time *ret, uint64_t now_ns)
{
	ret->ns = now_ns;
	ret->ticks = __rdtsc();
}

/* By differences: KVM's clock has another start, and rate, than ours. */
static void set_clock(const struct vm *vm, uint64_t passed_ns)
{
	struct kvm_clock_data clock = { 0 };

	if (kvm_ioctl(vm->kvm.vm_fd, KVM_GET_CLOCK, &clock) || clock.clock < passed_ns)
		return;
	clock = (struct kvm_clock_data){ .clock = clock.clock - passed_ns };
	kvm_ioctl(vm->kvm.vm_fd, KVM_SET_CLOCK, &clock);
}

static void set_counter(const struct vcpu *v, uint64_t passed_ticks)
{
	uint64_t offset = 0;
	struct kvm_device_attr attr = {
		.group = KVM_VCPU_TSC_CTRL,
		.attr = KVM_VCPU_TSC_OFFSET,
		.addr = (uintptr_t)&offset,
	};

	if (kvm_ioctl(v->fd, KVM_GET_DEVICE_ATTR, &attr))
		return;
	offset -= passed_ticks;
	kvm_ioctl(v->fd, KVM_SET_DEVICE_ATTR, &attr);
}

void guest_time_resume(const struct vm *vm, const struct guest_time *since, uint64_t now_ns)
{
	uint64_t ticks;

	if (!since->ns || now_ns - since->ns < LONG_STOP_NS)
		return;
	ticks = __rdtsc() - since->ticks;
	for (unsigned i = 0; i < vm->ncpus; i++)
		set_counter(vm->cpus[i], ticks);
	set_clock(vm, now_ns - since->ns);
	/* EINVAL: that vCPU's kernel has no kvmclock. */
	for (unsigned i = 0; i < vm->ncpus; i++)
		kvm_ioctl_num(vm->cpus[i]->fd, KVM_KVMCLOCK_CTRL, 0);
}
