/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What this host's KVM can do. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arch/ppc/parts.h"
#include "arch/ppc/ppc.h"

#define REAL_BITS 60u   /* Power ISA 3.0 B, book III, 5.7.3: what real mode takes of an effective address */

/* None is needed: hosts of Linux 3.x, which have a Real Mode Area, run guests without most of them. */
const struct kvm_cap ppc_caps[PPC_NCAPS] = {
	KVM_CAP_ROW(IMMEDIATE_EXIT, 0, "a vCPU can be stopped without a race (0: by a signal that waits for KVM_RUN)"),
	KVM_CAP_ROW(ONE_REG, 0, "registers can be read and written one by one: floating point, vectors, SPRs"),
	KVM_CAP_ROW(PPC_SEGSTATE, 0, "segments can be read and written"),
	KVM_CAP_ROW(SET_GUEST_DEBUG, 0, "breakpoints"),
	KVM_CAP_ROW(PPC_GUEST_DEBUG_SSTEP, 0, "single-step"),
	KVM_CAP_ROW(GUEST_DEBUG_HW_BPS, 0, "how many breakpoints stand in registers"),
	KVM_CAP_ROW(GUEST_DEBUG_HW_WPS, 0, "how many watchpoints do"),
	KVM_CAP_ROW(PPC_PAPR, 0, "hypercalls come to us: a console"),
	KVM_CAP_ROW(PPC_SMT, 0, "threads of a core"),
	KVM_CAP_ROW(PPC_GET_SMMU_INFO, 0, "page sizes can be asked for"),
	KVM_CAP_ROW(PPC_ALLOC_HTAB, 0, "the guest's page table can be sized"),
	KVM_CAP_ROW(PPC_MMU_RADIX, 0, "guests may have radix tables"),
	KVM_CAP_ROW(PPC_MMU_HASH_V3, 0, "guests may have POWER9's hash tables"),
	KVM_CAP_ROW(PPC_ENABLE_HCALL, 0, "which hypercalls the kernel takes can be chosen"),
	KVM_CAP_ROW(PPC_HTM, 0, "guests may have transactional memory"),
};

static unsigned cap(const struct kvm *k, unsigned number)
{
	int r = kvm_ioctl_num(k->vm_fd, KVM_CHECK_EXTENSION, number);

	return r > 0 ? (unsigned)r : 0;
}

int ppc_host_open(struct kvm *k, struct err *err)
{
	k->arch = calloc(1, sizeof(*k->arch));
	if (!k->arch)
		return err_set(err, ENOMEM, "out of memory");
	k->phys_bits = REAL_BITS;
	return 0;
}

int ppc_vm_made(struct kvm *k, struct err *err)
{
	(void)err;
	k->arch->debugs = cap(k, KVM_CAP_SET_GUEST_DEBUG);
	k->arch->steps = cap(k, KVM_CAP_PPC_GUEST_DEBUG_SSTEP);
	k->arch->breaks = cap(k, KVM_CAP_GUEST_DEBUG_HW_BPS);
	return 0;
}

void ppc_host_close(struct kvm *k)
{
	free(k->arch);
}

/* Asks a vCPU of a VM of its own: the machine's is not there yet. */
int ppc_trap(const struct kvm *k, struct break_trap *ret, struct err *err)
{
	uint32_t insn = TRAP_BOOK3S;
	struct kvm_one_reg one = { .id = KVM_REG_PPC_DEBUG_INST, .addr = (uintptr_t)&insn };
	int vm = kvm_ioctl_num(k->sys_fd, KVM_CREATE_VM, 0), cpu;

	if (vm < 0)
		return err_errno(err, -vm, "KVM_CREATE_VM");
	cpu = kvm_ioctl_num(vm, KVM_CREATE_VCPU, 0);
	if (cpu < 0) {
		close(vm);
		return err_errno(err, -cpu, "KVM_CREATE_VCPU");
	}
	/* A host that does not say has the oldest. */
	if (kvm_ioctl(cpu, KVM_GET_ONE_REG, &one))
		insn = TRAP_BOOK3S;
	close(cpu);
	close(vm);
	*ret = (struct break_trap){ .len = INSN_BYTES };
	for (unsigned i = 0; i < INSN_BYTES; i++)
		ret->bytes[i] = (uint8_t)(insn >> 8 * i);
	return 0;
}
