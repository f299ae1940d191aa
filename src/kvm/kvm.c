/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kvm/kvm.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where Intel hosts without unrestricted guests keep their TSS and identity map: out of RAM and of the BIOS. */
#define IDENTITY_MAP 0xfeffc000ul
#define TSS_ADDR     0xfeffd000ul

#define CPUID_ENTRIES 256

int kvm_ioctl(int fd, unsigned long request, void *arg)
{
	int r = ioctl(fd, request, arg);

	return r < 0 ? -errno : r;
}

int kvm_ioctl_num(int fd, unsigned long request, unsigned long arg)
{
	int r = ioctl(fd, request, arg);

	return r < 0 ? -errno : r;
}

static const struct capability {
	unsigned cap;
	const char *name;
	int need;               /* 0: only shown; else every bit of it must be in the answer (1: any answer above 0) */
	const char *meaning;
} caps[] = {
#define CAP(name, need, meaning) { KVM_CAP_##name, "KVM_CAP_" #name, need, meaning }
	CAP(USER_MEMORY, 1, "memory slots"),
	CAP(NR_MEMSLOTS, 1, "how many memory slots a VM may have"),
	CAP(NR_VCPUS, 0, "recommended number of vCPUs"),
	CAP(MAX_VCPUS, 0, "largest number of vCPUs"),
	CAP(IRQCHIP, 1, "interrupt controllers in the kernel"),
	CAP(PIT2, 1, "interval timer in the kernel"),
	CAP(SET_GUEST_DEBUG, 1, "single-step and breakpoints"),
	CAP(SET_GUEST_DEBUG2, 0, "which debug flags are taken (bit 20: interrupts held off while stepping)"),
	CAP(DEBUGREGS, 1, "the guest's own debug registers can be read and written"),
	CAP(VCPU_EVENTS, 1, "pending exceptions can be read and written"),
	CAP(MP_STATE, 1, "whether a vCPU is halted or waits to be started"),
	CAP(XSAVE, 1, "x87, SSE and AVX registers can be read and written"),
	CAP(XCRS, 1, "XCR0 can be read and written"),
	CAP(IMMEDIATE_EXIT, 1, "a vCPU can be stopped without a race"),
	CAP(SYNC_REGS, KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS | KVM_SYNC_X86_EVENTS, "registers come with each exit (1 general, 2 system, 4 events)"),
	CAP(SET_TSS_ADDR, 0, "the place of the TSS page can be chosen"),
	CAP(SET_IDENTITY_MAP_ADDR, 0, "the place of the identity map can be chosen"),
	CAP(SYNC_MMU, 0, "changes to the backing of memory show in the guest at once"),
	CAP(READONLY_MEM, 0, "read-only memory slots"),
	CAP(MANUAL_DIRTY_LOG_PROTECT2, 0, "dirty logs cleared page by page (2: initially all set)"),
	CAP(DIRTY_LOG_RING, 0, "dirty log as a ring: its largest size in bytes"),
	CAP(DIRTY_LOG_RING_ACQ_REL, 0, "the same, for hosts of any order of memory accesses"),
	CAP(MULTI_ADDRESS_SPACE, 0, "number of address spaces (2: system management mode apart)"),
	CAP(X86_USER_SPACE_MSR, 0, "model-specific register accesses can be seen"),
	CAP(TSC_CONTROL, 0, "the time stamp counter's rate can be set"),
#undef CAP
};

static int cap_value(int fd, unsigned cap)
{
	int r = kvm_ioctl_num(fd, KVM_CHECK_EXTENSION, cap);

	return r < 0 ? 0 : r;
}

bool kvm_fact(const struct kvm *k, size_t index, struct host_fact *ret)
{
	const struct capability *c = &caps[index];
	int v;

	if (index >= sizeof(caps) / sizeof(caps[0]))
		return false;
	v = cap_value(k->vm_fd, c->cap);
	ret->name = c->name;
	ret->meaning = c->meaning;
	snprintf(ret->value, sizeof(ret->value), v > 0xffff ? "0x%x" : "%d", v);
	return true;
}

static int open_device(struct kvm *k, struct err *err)
{
	struct stat st;
	struct group *g;
	int e;

	k->sys_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (k->sys_fd >= 0)
		return 0;
	e = errno;
	if (e == EACCES || e == EPERM) {
		g = stat("/dev/kvm", &st) == 0 ? getgrgid(st.st_gid) : NULL;
		return err_set(err, EACCES, "/dev/kvm: permission denied; it belongs to group %s (usermod -aG %s YOU)",
			       g ? g->gr_name : "kvm", g ? g->gr_name : "kvm");
	}
	if (e == ENOENT || e == ENODEV || e == ENXIO)
		return err_set(err, e, "/dev/kvm: %s; is virtualization on and the kvm module loaded?", strerror(e));
	return err_errno(err, e, "/dev/kvm");
}

static int check_caps(const struct kvm *k, struct err *err)
{
	for (size_t i = 0; i < sizeof(caps) / sizeof(caps[0]); i++) {
		int v = cap_value(k->sys_fd, caps[i].cap);

		if (caps[i].need == 1 ? v <= 0 : (v & caps[i].need) != caps[i].need)
			return err_set(err, ENOTSUP, "this host's KVM lacks %s (%s)", caps[i].name, caps[i].meaning);
	}
	return 0;
}

const struct kvm_cpuid_entry2 *kvm_cpuid(const struct kvm *k, uint32_t function, uint32_t index)
{
	for (unsigned i = 0; i < k->cpuid->nent; i++)
		if (k->cpuid->entries[i].function == function && k->cpuid->entries[i].index == index)
			return &k->cpuid->entries[i];
	return NULL;
}

static int read_cpuid(struct kvm *k, struct err *err)
{
	const struct kvm_cpuid_entry2 *e;
	uint32_t components;
	int r;

	k->cpuid = calloc(1, sizeof(*k->cpuid) + CPUID_ENTRIES * sizeof(k->cpuid->entries[0]));
	if (!k->cpuid)
		return err_set(err, ENOMEM, "out of memory");
	k->cpuid->nent = CPUID_ENTRIES;
	r = kvm_ioctl(k->sys_fd, KVM_GET_SUPPORTED_CPUID, k->cpuid);
	if (r < 0)
		return err_errno(err, -r, "KVM_GET_SUPPORTED_CPUID");
	e = kvm_cpuid(k, 0x80000008, 0);
	k->phys_bits = e && (e->eax & 0xff) ? e->eax & 0xff : 36;
	e = kvm_cpuid(k, 0xd, 0);
	components = e ? e->eax : 0;
	for (uint32_t i = 2; i < XSAVE_COMPONENTS; i++) {
		e = components >> i & 1 ? kvm_cpuid(k, 0xd, i) : NULL;
		if (e)
			k->xsave[i] = (struct xsave_component){ e->ebx, e->eax };
	}
	return 0;
}

static int make_vm(struct kvm *k, struct err *err)
{
	uint64_t identity = IDENTITY_MAP;
	int r;

	do
		r = kvm_ioctl_num(k->sys_fd, KVM_CREATE_VM, 0);
	while (r == -EINTR);
	if (r < 0)
		return err_errno(err, -r, "KVM_CREATE_VM");
	k->vm_fd = r;
	if (cap_value(k->vm_fd, KVM_CAP_SET_IDENTITY_MAP_ADDR) > 0) {
		r = kvm_ioctl(k->vm_fd, KVM_SET_IDENTITY_MAP_ADDR, &identity);
		if (r < 0)
			return err_errno(err, -r, "KVM_SET_IDENTITY_MAP_ADDR");
	}
	if (cap_value(k->vm_fd, KVM_CAP_SET_TSS_ADDR) > 0) {
		r = kvm_ioctl_num(k->vm_fd, KVM_SET_TSS_ADDR, TSS_ADDR);
		if (r < 0)
			return err_errno(err, -r, "KVM_SET_TSS_ADDR");
	}
	return 0;
}

int kvm_add_irqchip(const struct kvm *k, struct err *err)
{
	struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };
	int r;

	if (k->user_irqchip)
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

int kvm_open(struct kvm *k, bool user_irqchip, struct err *err)
{
	int r;

	*k = (struct kvm){ .sys_fd = -1, .vm_fd = -1, .user_irqchip = user_irqchip };
	r = open_device(k, err);
	if (r)
		goto fail;
	r = kvm_ioctl_num(k->sys_fd, KVM_GET_API_VERSION, 0);
	if (r != KVM_API_VERSION) {
		r = r < 0 ? err_set(err, ENOTSUP, "/dev/kvm is no KVM device (KVM_GET_API_VERSION: %s)", strerror(-r))
			  : err_set(err, ENOTSUP, "/dev/kvm: API version %d, %d is needed", r, KVM_API_VERSION);
		goto fail;
	}
	r = check_caps(k, err);
	if (r)
		goto fail;
	r = kvm_ioctl_num(k->sys_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (r < (int)sizeof(struct kvm_run)) {
		r = err_set(err, ENOTSUP, "KVM_GET_VCPU_MMAP_SIZE answers %d", r);
		goto fail;
	}
	k->run_size = (size_t)r;
	r = read_cpuid(k, err);
	if (!r)
		r = make_vm(k, err);
	if (r)
		goto fail;
	k->max_slots = (unsigned)cap_value(k->vm_fd, KVM_CAP_NR_MEMSLOTS);
	k->max_cpus = (unsigned)cap_value(k->vm_fd, KVM_CAP_MAX_VCPUS);
	if (!k->max_cpus)
		k->max_cpus = (unsigned)cap_value(k->vm_fd, KVM_CAP_NR_VCPUS);
	if (!k->max_cpus)
		k->max_cpus = 4;        /* api.rst 4.8: what a kernel without either capability takes */
	k->debug_flags = (uint32_t)cap_value(k->vm_fd, KVM_CAP_SET_GUEST_DEBUG2);
	exit_on_failure(k);
	return 0;
fail:
	kvm_close(k);
	return r;
}

void kvm_close(struct kvm *k)
{
	if (k->vm_fd >= 0)
		close(k->vm_fd);
	if (k->sys_fd >= 0)
		close(k->sys_fd);
	free(k->cpuid);
	*k = (struct kvm){ .sys_fd = -1, .vm_fd = -1 };
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

	for (unsigned i = 0; i < k->cpuid->nent; i++)
		take_away(&k->cpuid->entries[i], &gone, 1);
}

int kvm_set_cpuid(const struct kvm *k, int vcpu_fd, unsigned cpu, unsigned ncpus, struct err *err)
{
	struct kvm_cpuid2 *c = calloc(1, sizeof(*c) + (k->cpuid->nent + 3) * sizeof(c->entries[0]));
	bool has_topology = kvm_cpuid(k, 0xb, 0) != NULL;
	int r;

	if (!c)
		return err_set(err, ENOMEM, "out of memory");
	for (unsigned i = 0; i < k->cpuid->nent; i++) {
		c->entries[c->nent] = k->cpuid->entries[i];
		if (k->user_irqchip)
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
