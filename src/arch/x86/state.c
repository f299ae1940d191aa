/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "arch/x86/state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "arch/x86/irqchip.h"
#include "arch/x86/regs.h"

#define IRQCHIPS 3      /* PIC master, PIC slave, I/O APIC */
#define MSRS_MAX 512
#define MSR_TSC  0x10

struct cpu_power_on {
	struct kvm_mp_state mp;
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	struct kvm_xsave xsave;
	struct kvm_xcrs xcrs;
	struct kvm_debugregs debugregs;
	struct kvm_vcpu_events events;
	struct kvm_lapic_state lapic;
	struct kvm_msrs *msrs;
};

struct power_on {
	struct kvm_irqchip irqchip[IRQCHIPS];
	struct kvm_pit_state2 pit;
	unsigned ncpus;
	struct cpu_power_on cpu[];
};

/*
 * The parts of a vCPU, in the order in which they can be put back: the APIC base (in sregs) before the APIC, MSRs that
 * depend on it after, pending events last.
 */
static const struct part {
	const char *name;
	unsigned long get, set;
	size_t offset;
} parts[] = {
#define PART(NAME, field) { "KVM_SET_" #NAME, KVM_GET_##NAME, KVM_SET_##NAME, offsetof(struct cpu_power_on, field) }
	PART(SREGS, sregs), PART(REGS, regs),           PART(XSAVE, xsave),       PART(XCRS, xcrs),
	PART(LAPIC, lapic), PART(DEBUGREGS, debugregs), PART(MP_STATE, mp),       PART(VCPU_EVENTS, events),
#undef PART
};

/* Whether VM has P and its like: what belongs to KVM's interrupt controllers is not there without them. */
static bool has_part(const struct vm *vm, const struct part *p)
{
	return !vm->arch->irqchip || p->get != KVM_GET_LAPIC;
}

/* The chips of VM that are KVM's. */
static unsigned irqchips(const struct vm *vm)
{
	return vm->arch->irqchip ? 0 : IRQCHIPS;
}

#define MSRS_AT_ONCE 64

/*
 * Gets or sets the N MSRs at FROM in few calls, and leaves out those that the kernel refuses: some are listed that this guest's CPUID
 * forbids, some shown that are not taken.  What was got goes to TO, which may be FROM (NULL: nowhere).  Returns how many, or -errno.
 */
static int msrs_io(int vcpu_fd, unsigned long request, const struct kvm_msr_entry *from, unsigned n, struct kvm_msr_entry *to)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry[MSRS_AT_ONCE];
	} some;
	unsigned at = 0, done = 0;

	while (at < n) {
		unsigned count = n - at < MSRS_AT_ONCE ? n - at : MSRS_AT_ONCE;
		int r;

		some.head = (struct kvm_msrs){ .nmsrs = count };
		memcpy(some.entry, from + at, count * sizeof(*from));
		/* Answers how many it did before the first that it refused. */
		r = kvm_ioctl(vcpu_fd, request, &some);
		if (r < 0)
			return r;
		if (to)
			memcpy(to + done, some.entry, (unsigned)r * sizeof(*to));
		done += (unsigned)r;
		at += (unsigned)r < count ? (unsigned)r + 1 : count;
	}
	return (int)done;
}

/* Reads every MSR the host saves and restores. */
static int msrs_save(const struct vm *vm, int vcpu_fd, struct kvm_msrs **ret)
{
	struct kvm_msr_list *list = calloc(1, sizeof(*list) + MSRS_MAX * sizeof(list->indices[0]));
	struct kvm_msrs *m = calloc(1, sizeof(*m) + MSRS_MAX * sizeof(m->entries[0]));
	int r = list && m ? 0 : -ENOMEM;

	if (!r) {
		list->nmsrs = MSRS_MAX;
		r = kvm_ioctl(vm->kvm.sys_fd, KVM_GET_MSR_INDEX_LIST, list);
	}
	for (unsigned i = 0; !r && i < list->nmsrs; i++)
		if (list->indices[i] != MSR_TSC)
			m->entries[m->nmsrs++].index = list->indices[i];
	if (!r)
		r = msrs_io(vcpu_fd, KVM_GET_MSRS, m->entries, m->nmsrs, m->entries);
	free(list);
	if (r < 0) {
		free(m);
		return r;
	}
	m->nmsrs = (unsigned)r;
	*ret = m;
	return 0;
}

static int msrs_restore(int vcpu_fd, const struct kvm_msrs *m)
{
	int r = msrs_io(vcpu_fd, KVM_SET_MSRS, m->entries, m->nmsrs, NULL);

	return r < 0 ? r : 0;
}

void power_on_free(struct power_on *p)
{
	if (!p)
		return;
	for (unsigned i = 0; i < p->ncpus; i++)
		free(p->cpu[i].msrs);
	free(p);
}

int power_on_save(struct vm *vm, struct power_on **ret, struct err *err)
{
	struct power_on *p = calloc(1, sizeof(*p) + vm->ncpus * sizeof(p->cpu[0]));
	int r = 0;

	if (!p)
		return err_set(err, ENOMEM, "out of memory");
	p->ncpus = vm->ncpus;
	for (unsigned i = 0; i < vm->ncpus && !r; i++) {
		uint8_t *cpu = (uint8_t *)&p->cpu[i];

		for (size_t k = 0; k < sizeof(parts) / sizeof(parts[0]) && !r; k++)
			if (has_part(vm, &parts[k]))
				r = kvm_ioctl(vm->cpus[i]->fd, parts[k].get, cpu + parts[k].offset);
		if (!r)
			r = msrs_save(vm, vm->cpus[i]->fd, &p->cpu[i].msrs);
	}
	for (unsigned i = 0; i < irqchips(vm) && !r; i++) {
		p->irqchip[i].chip_id = i;
		r = kvm_ioctl(vm->kvm.vm_fd, KVM_GET_IRQCHIP, &p->irqchip[i]);
	}
	if (!r && !vm->arch->irqchip)
		r = kvm_ioctl(vm->kvm.vm_fd, KVM_GET_PIT2, &p->pit);
	if (r) {
		power_on_free(p);
		return err_errno(err, -r, "reading the power-on state");
	}
	*ret = p;
	return 0;
}

int power_on_restore(struct vm *vm, const struct power_on *p, struct err *err)
{
	const char *what = "KVM_SET_IRQCHIP";
	int r = 0;

	for (unsigned i = 0; i < irqchips(vm) && !r; i++)
		r = kvm_ioctl(vm->kvm.vm_fd, KVM_SET_IRQCHIP, (void *)(uintptr_t)&p->irqchip[i]);
	if (!r && !vm->arch->irqchip) {
		what = "KVM_SET_PIT2";
		r = kvm_ioctl(vm->kvm.vm_fd, KVM_SET_PIT2, (void *)(uintptr_t)&p->pit);
	}
	for (unsigned i = 0; i < vm->ncpus && !r; i++) {
		struct vcpu *v = vm->cpus[i];

		for (size_t k = 0; k < sizeof(parts) / sizeof(parts[0]) && !r; k++) {
			if (!has_part(vm, &parts[k]))
				continue;
			what = parts[k].name;
			r = kvm_ioctl(v->fd, parts[k].set, (uint8_t *)(uintptr_t)&p->cpu[i] + parts[k].offset);
		}
		if (!r) {
			what = "KVM_SET_MSRS";
			r = msrs_restore(v->fd, p->cpu[i].msrs);
		}
		if (!r)
			r = regs_refresh(v, err);
		v->arch->debug_known = v->arch->events_known = false;
		irqchip_reset(v);
		v->has_event = false;
		v->needs_completion = false;
		v->stop_pc_valid = false;
		v->arch->kernel_cr3[0] = v->arch->kernel_cr3[1] = 0;
		v->over = 0;
		v->nwatched = 0;
		v->arch->guest_tf = v->arch->own_hit = v->arch->own_passed = false;
	}
	return r ? err_errno(err, -r, "resetting the machine: %s", what) : 0;
}

static struct kvm_segment segment(const struct boot_seg *b)
{
	return (struct kvm_segment){
		.base = b->base,
		.limit = b->limit,
		.selector = b->selector,
		.type = b->access & 0xf,
		.s = b->access >> 4 & 1,
		.dpl = b->access >> 5 & 3,
		.present = b->access >> 7 & 1,
		.avl = b->access >> 12 & 1,
		.l = b->access >> 13 & 1,
		.db = b->access >> 14 & 1,
		.g = b->access >> 15 & 1,
		.unusable = !(b->access >> 7 & 1),
	};
}

int boot_state_apply(struct vcpu *v, const struct boot_state *b, struct err *err)
{
	struct kvm_regs regs = {
		.rax = b->rax, .rbx = b->rbx, .rcx = b->rcx, .rdx = b->rdx,
		.rsi = b->rsi, .rdi = b->rdi, .rsp = b->rsp, .rbp = b->rbp,
		.rip = b->rip, .rflags = b->rflags | 2,
	};
	struct kvm_sregs s;
	int r = kvm_ioctl(v->fd, KVM_GET_SREGS, &s);

	if (!r) {
		s.cr0 = b->cr0;
		s.cr2 = 0;
		s.cr3 = b->cr3;
		s.cr4 = b->cr4;
		s.efer = b->efer;
		s.cs = segment(&b->cs);
		s.ds = segment(&b->ds);
		s.es = segment(&b->es);
		s.fs = segment(&b->fs);
		s.gs = segment(&b->gs);
		s.ss = segment(&b->ss);
		s.tr = segment(&b->tr);
		s.ldt = segment(&b->ldt);
		s.gdt = (struct kvm_dtable){ .base = b->gdt_base, .limit = b->gdt_limit };
		s.idt = (struct kvm_dtable){ .base = b->idt_base, .limit = b->idt_limit };
		r = kvm_ioctl(v->fd, KVM_SET_SREGS, &s);
	}
	if (!r)
		r = kvm_ioctl(v->fd, KVM_SET_REGS, &regs);
	if (r)
		return err_errno(err, -r, "setting the registers the image starts with");
	return regs_refresh(v, err);
}
