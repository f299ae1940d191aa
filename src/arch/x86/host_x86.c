/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What of the host's KVM and of the VM is x86's: capabilities, CPUID, the interrupt controllers in the kernel. */
#include "arch/x86/host_x86.h"

#include <errno.h>
#include <stdlib.h>

/* Where Intel hosts without unrestricted guests keep their TSS and identity map: out of RAM and of the BIOS. */
#define IDENTITY_MAP 0xfeffc000ul
#define TSS_ADDR     0xfeffd000ul

#define CPUID_ENTRIES 256

const struct kvm_cap x86_caps[X86_NCAPS] = {
	KVM_CAP_ROW(SET_GUEST_DEBUG, 1, "single-step and breakpoints"),
	KVM_CAP_ROW(SET_GUEST_DEBUG2, 0, "which debug flags are taken (bit 20: interrupts held off while stepping)"),
	KVM_CAP_ROW(MP_STATE, 1, "whether a vCPU is halted or waits to be started"),
	KVM_CAP_ROW(IMMEDIATE_EXIT, 1, "a vCPU can be stopped without a race"),
	KVM_CAP_ROW(IRQCHIP, 1, "interrupt controllers in the kernel"),
	KVM_CAP_ROW(PIT2, 1, "interval timer in the kernel"),
	KVM_CAP_ROW(DEBUGREGS, 1, "the guest's own debug registers can be read and written"),
	KVM_CAP_ROW(VCPU_EVENTS, 1, "pending exceptions can be read and written"),
	KVM_CAP_ROW(XSAVE, 1, "x87, SSE and AVX registers can be read and written"),
	KVM_CAP_ROW(XCRS, 1, "XCR0 can be read and written"),
	KVM_CAP_ROW(SYNC_REGS, KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS | KVM_SYNC_X86_EVENTS,
		    "registers come with each exit (1 general, 2 system, 4 events)"),
	KVM_CAP_ROW(SET_TSS_ADDR, 0, "the place of the TSS page can be chosen"),
	KVM_CAP_ROW(SET_IDENTITY_MAP_ADDR, 0, "the place of the identity map can be chosen"),
	KVM_CAP_ROW(X86_USER_SPACE_MSR, 0, "model-specific register accesses can be seen"),
	KVM_CAP_ROW(TSC_CONTROL, 0, "the time stamp counter's rate can be set"),
};

const struct kvm_cpuid_entry2 *kvm_cpuid(const struct kvm *k, uint32_t function, uint32_t index)
{
	for (unsigned i = 0; i < k->arch->cpuid->nent; i++)
		if (k->arch->cpuid->entries[i].function == function && k->arch->cpuid->entries[i].index == index)
			return &k->arch->cpuid->entries[i];
	return NULL;
}

int x86_host_open(struct kvm *k, struct err *err)
{
	const struct kvm_cpuid_entry2 *e;
	uint32_t components;
	int r;

	k->arch = calloc(1, sizeof(*k->arch));
	if (!k->arch)
		return err_set(err, ENOMEM, "out of memory");
	k->arch->cpuid = calloc(1, sizeof(*k->arch->cpuid) + CPUID_ENTRIES * sizeof(k->arch->cpuid->entries[0]));
	if (!k->arch->cpuid)
		return err_set(err, ENOMEM, "out of memory");
	k->arch->cpuid->nent = CPUID_ENTRIES;
	r = kvm_ioctl(k->sys_fd, KVM_GET_SUPPORTED_CPUID, k->arch->cpuid);
	if (r < 0)
		return err_errno(err, -r, "KVM_GET_SUPPORTED_CPUID");
	e = kvm_cpuid(k, 0x80000008, 0);
	k->phys_bits = e && (e->eax & 0xff) ? e->eax & 0xff : 36;
	e = kvm_cpuid(k, 0xd, 0);
	components = e ? e->eax : 0;
	for (uint32_t i = 2; i < XSAVE_COMPONENTS; i++) {
		e = components >> i & 1 ? kvm_cpuid(k, 0xd, i) : NULL;
		if (e)
			k->arch->xsave[i] = (struct xsave_component){ e->ebx, e->eax };
	}
	return 0;
}

void x86_host_close(struct kvm *k)
{
	if (k->arch)
		free(k->arch->cpuid);
	free(k->arch);
	k->arch = NULL;
}

int kvm_add_irqchip(const struct kvm *k, struct err *err)
{
	struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };
	int r;

	if (k->arch->user_irqchip)
		return 0;
	r = kvm_ioctl_num(k->vm_fd, KVM_CREATE_IRQCHIP, 0);
	if (r < 0)
		return err_errno(err, -r, "KVM_CREATE_IRQCHIP");
	r = kvm_ioctl(k->vm_fd, KVM_CREATE_PIT2, &pit);
	return r < 0 ? err_errno(err, -r, "KVM_CREATE_PIT2") : 0;
}

/*
 * What KVM cannot emulate is ours to do, at any privilege level: without this it gives the guest a #UD, or leaves one behind.
 * A host that lacks it does so only in kernel code.
 */
static void exit_on_failure(const struct kvm *k)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_EXIT_ON_EMULATION_FAILURE, .args = { 1 } };

	kvm_ioctl(k->vm_fd, KVM_ENABLE_CAP, &cap);
}

int x86_vm_made(struct kvm *k, struct err *err)
{
	uint64_t identity = IDENTITY_MAP;
	int r;

	if (kvm_ioctl_num(k->vm_fd, KVM_CHECK_EXTENSION, KVM_CAP_SET_IDENTITY_MAP_ADDR) > 0) {
		r = kvm_ioctl(k->vm_fd, KVM_SET_IDENTITY_MAP_ADDR, &identity);
		if (r < 0)
			return err_errno(err, -r, "KVM_SET_IDENTITY_MAP_ADDR");
	}
	if (kvm_ioctl_num(k->vm_fd, KVM_CHECK_EXTENSION, KVM_CAP_SET_TSS_ADDR) > 0) {
		r = kvm_ioctl_num(k->vm_fd, KVM_SET_TSS_ADDR, TSS_ADDR);
		if (r < 0)
			return err_errno(err, -r, "KVM_SET_TSS_ADDR");
	}
	exit_on_failure(k);
	return 0;
}

/* Bits needed to number N things. */
static unsigned bits_for(unsigned n)
{
	unsigned b = 0;

	while ((1u << b) < n)
		b++;
	return b;
}

/* Leaf 0xb as the host gives it may lack levels: it is made whole here (level 0 threads, 1 cores, 2 none). */
static void add_topology(struct kvm_cpuid2 *c, unsigned cpu, unsigned ncpus)
{
	for (uint32_t level = 0; level < 3; level++)
		c->entries[c->nent++] = (struct kvm_cpuid_entry2){
			.function = 0xb,
			.index = level,
			.flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
			.eax = level == 1 ? bits_for(ncpus) : 0,
			.ebx = level == 0 ? 1 : level == 1 ? ncpus : 0,
			.ecx = level | (level < 2 ? (level + 1) << 8 : 0),
			.edx = cpu,
		};
}

/* Turns one of the host's entries into vCPU CPU's; false: leave it out. */
static bool adapt_entry(struct kvm_cpuid_entry2 *e, unsigned cpu, unsigned ncpus)
{
	unsigned shift = bits_for(ncpus);

	switch (e->function) {
	case 1:         /* one package of NCPUS single-threaded cores */
		e->ebx = (e->ebx & 0xffff) | ncpus << 16 | cpu << 24;
		e->ecx |= 1u << 31;     /* a hypervisor's leaves are there: not every KVM says so by itself */
		e->edx = ncpus > 1 ? e->edx | 1u << 28 : e->edx & ~(1u << 28);
		break;
	case 4:         /* caches: cores in the package; every level below the third is a core's own */
		if (e->eax & 0x1f)
			e->eax = (e->eax & 0x3fff) | ((1u << shift) - 1) << 26 |
				 ((e->eax >> 5 & 7) >= 3 ? ((1u << shift) - 1) << 14 : 0);
		break;
	case 0xb:
	case 0x1f:
		return false;
	case 0x80000007:        /* the counter is no clock to rely on: it may stand still while the guest is stopped */
		e->edx &= ~(1u << 8);
		break;
	case 0x80000008:        /* AMD: cores, and the APIC id's bits for them */
		e->ecx = (e->ecx & ~0xf0ffu) | (ncpus - 1) | shift << 12;
		break;
	case 0x8000001e:
		e->eax = cpu;
		e->ebx = cpu & 0xff;
		break;
	}
	return true;
}

/* Bits of CPUID that are taken away. */
struct gone {
	uint32_t function, index, eax, ebx, ecx, edx;
};

static void take_away(struct kvm_cpuid_entry2 *e, const struct gone *gone, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (e->function == gone[i].function && e->index == gone[i].index) {
			e->eax &= ~gone[i].eax;
			e->ebx &= ~gone[i].ebx;
			e->ecx &= ~gone[i].ecx;
			e->edx &= ~gone[i].edx;
		}
}

/* What a processor without a local APIC does not have, and what KVM offers that needs one. */
static void remove_apic(struct kvm_cpuid_entry2 *e)
{
	static const struct gone gone[] = {
		{ 1, .ecx = 1u << 21 | 1u << 24, .edx = 1u << 9 },      /* x2APIC, TSC deadline; APIC */
		{ 6, .eax = 1u << 2 },                                  /* its timer always runs */
		{ 0x80000001, .ecx = 1u << 3, .edx = 1u << 9 },         /* AMD: its extended space; APIC */
		/* Asynchronous page faults, end of interrupt, IPIs */
		{ 0x40000001, .eax = 1u << 4 | 1u << 6 | 1u << 7 | 1u << 10 | 1u << 11 | 1u << 13 | 1u << 14 | 1u << 15 },
	};

	take_away(e, gone, sizeof(gone) / sizeof(gone[0]));
}

void kvm_hide_hypercalls(struct kvm *k)
{
	/* PV_UNHALT, PV_SEND_IPI, PV_SCHED_YIELD, HC_MAP_GPA_RANGE (Linux, virt/kvm/x86/cpuid.rst) */
	static const struct gone gone = { 0x40000001, .eax = 1u << 7 | 1u << 11 | 1u << 13 | 1u << 16 };

	for (unsigned i = 0; i < k->arch->cpuid->nent; i++)
		take_away(&k->arch->cpuid->entries[i], &gone, 1);
}

int kvm_set_cpuid(const struct kvm *k, int vcpu_fd, unsigned cpu, unsigned ncpus, struct err *err)
{
	struct kvm_cpuid2 *c = calloc(1, sizeof(*c) + (k->arch->cpuid->nent + 3) * sizeof(c->entries[0]));
	bool has_topology = kvm_cpuid(k, 0xb, 0) != NULL;
	int r;

	if (!c)
		return err_set(err, ENOMEM, "out of memory");
	for (unsigned i = 0; i < k->arch->cpuid->nent; i++) {
		c->entries[c->nent] = k->arch->cpuid->entries[i];
		if (k->arch->user_irqchip)
			remove_apic(&c->entries[c->nent]);
		if (adapt_entry(&c->entries[c->nent], cpu, ncpus))
			c->nent++;
	}
	if (has_topology)
		add_topology(c, cpu, ncpus);
	r = kvm_ioctl(vcpu_fd, KVM_SET_CPUID2, c);
	free(c);
	return r < 0 ? err_errno(err, -r, "KVM_SET_CPUID2") : 0;
}
