/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/catch_rig.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"

struct kvm_fake kvm;

#define CPU_FD 1000

/* The linker puts these in the place of src/kvm/kvm.c's. */
int __wrap_kvm_ioctl(int fd, unsigned long request, void *arg);
int __wrap_kvm_ioctl_num(int fd, unsigned long request, unsigned long arg);

static int msrs(struct kvm_msrs *m, bool set)
{
	if (m->nmsrs != 1 || m->entries[0].index != kvm.msr)
		return 0;
	if (set)
		kvm.value = m->entries[0].data;
	else
		m->entries[0].data = kvm.value;
	return 1;
}

int __wrap_kvm_ioctl(int fd, unsigned long request, void *arg)
{
	switch (request) {
	case KVM_GET_MP_STATE:
		((struct kvm_mp_state *)arg)->mp_state = kvm.mp_state[fd - CPU_FD];
		return 0;
	case KVM_ENABLE_CAP:
		ck_assert_uint_eq(((struct kvm_enable_cap *)arg)->cap, KVM_CAP_X86_USER_SPACE_MSR);
		kvm.exit_reasons = ((struct kvm_enable_cap *)arg)->args[0];
		return 0;
	case KVM_X86_SET_MSR_FILTER:
		if (kvm.filter_error)
			return kvm.filter_error;
		kvm.filter = *(struct kvm_msr_filter *)arg;
		kvm.filters++;
		return 0;
	case KVM_GET_MSRS:
	case KVM_SET_MSRS:
		return msrs(arg, request == KVM_SET_MSRS);
	}
	return -ENOTTY;
}

int __wrap_kvm_ioctl_num(int fd, unsigned long request, unsigned long arg)
{
	(void)fd, (void)arg;
	return request == KVM_CHECK_EXTENSION ? kvm.cap : -ENOTTY;
}

uint8_t ram[SIZE];
struct vm vm;
static struct arch_vm arch_vm;
static struct arch_vcpu arch_cpu[NCPUS];
struct vcpu cpu[NCPUS];
static struct vcpu *cpus[NCPUS];
struct catch_table *t;
struct stop_event ev;
struct err err;
unsigned id;

void setup(void)
{
	struct gmem_region r = { .gpa = 0, .size = SIZE, .hva = ram };

	memset(ram, 0, sizeof(ram));
	vm = (struct vm){ .arch = &arch_vm };
	arch_vm = (struct arch_vm){ 0 };
	memset(arch_cpu, 0, sizeof(arch_cpu));
	memset(cpu, 0, sizeof(cpu));
	kvm = (struct kvm_fake){ .cap = 1 };
	ck_assert_int_eq(gmem_new(&vm.gmem, &err), 0);
	ck_assert_int_eq(gmem_add(vm.gmem, &r, &err), 0);
	ck_assert_int_eq(break_new(vm.gmem, &(struct break_trap){ 1, { 0xcc } }, NULL, NULL, &vm.breaks, &err), 0);
	vm.kvm.phys_bits = 36;
	for (unsigned i = 0; i < NCPUS; i++) {
		cpus[i] = &cpu[i];
		cpu[i] = (struct vcpu){ .vm = &vm, .arch = &arch_cpu[i], .id = i, .fd = CPU_FD + (int)i };
		cpu[i].run = calloc(1, sizeof(*cpu[i].run));
		ck_assert_ptr_nonnull(cpu[i].run);
		cpu[i].run->s.regs.sregs.idt.limit = 0x3ff;
	}
	vm.cpus = cpus;
	vm.ncpus = NCPUS;
	ck_assert_int_eq(catch_new(&vm, &t, &err), 0);
	ev = (struct stop_event){ 0 };
	id = 0;
}

void teardown(void)
{
	catch_free(t);
	break_free(vm.breaks);
	gmem_free(vm.gmem);
	for (unsigned i = 0; i < NCPUS; i++)
		free(cpu[i].run);
}

int add(enum catch_kind kind, uint64_t start, uint64_t end, unsigned dir)
{
	err.msg[0] = '\0';
	return catch_add(t, &(struct catch_spec){ .kind = kind, .start = start, .end = end, .dir = dir }, &id, &err);
}

void must_add(enum catch_kind kind, uint64_t start, uint64_t end, unsigned dir)
{
	ck_assert_msg(add(kind, start, end, dir) == 0, "%s", err.msg);
}
