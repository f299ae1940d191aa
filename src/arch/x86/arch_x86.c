/* SPDX-License-Identifier: GPL-3.0-or-later */
/* x86's table for src/kvm: vCPUs, registers and addresses.  The PC around them is machine_x86.c. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "arch/x86/catch_x86.h"
#include "arch/x86/debug.h"
#include "arch/x86/exits_x86.h"
#include "arch/x86/guest_time.h"
#include "arch/x86/host_x86.h"
#include "arch/x86/irqchip.h"
#include "arch/x86/machine_x86.h"
#include "arch/x86/regs.h"
#include "arch/x86/space.h"
#include "arch/x86/syscalls.h"
#include "arch/x86/watch_kvm.h"
#include "arch/x86/x86.h"
#include "kvm/guest_mem.h"
#include "linux/kernel.h"

#define CR3_ADDR      0xffffffffff000ull
#define CR4_LA57      (1ull << 12)
#define RFLAGS_IF     (1ull << 9)
#define MSR_KERNEL_GS 0xc0000102u
#define KERNEL_HALF   0xffffffff80000000ull
#define STACK_ARG     6u        /* the first argument that is not in a register */

static const struct arch_reserved reserved[] = {
	{ 0xfec00000, 0x1000, "the I/O APIC" },
	{ 0xfee00000, 0x1000, "the local APIC" },
	{ 0xfeffc000, 0x4000, "the TSS and identity map pages" },
};

/* -- a vCPU -- */

static int cpu_new(struct vcpu *v, struct err *err)
{
	struct arch_vcpu *a = calloc(1, sizeof(*a));
	int r;

	v->arch = a;
	if (!a)
		return err_set(err, ENOMEM, "out of memory");
	a->owed_vector = a->given_vector = -1;
	a->xsave = calloc(1, sizeof(*a->xsave));
	a->trial = watch_trial_new();
	if (!a->xsave || !a->trial)
		return err_set(err, ENOMEM, "out of memory");
	v->run->kvm_valid_regs = KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS | KVM_SYNC_X86_EVENTS;
	r = kvm_set_cpuid(&v->vm->kvm, v->fd, v->id, v->vm->ncpus, err);
	if (!r && v->id == 0)
		regs_probe(v);
	return r;
}

static void cpu_free(struct vcpu *v)
{
	if (!v->arch)
		return;
	free(v->arch->xsave);
	watch_trial_free(v->arch->trial);
	free(v->arch);
}

static void resumed(struct vcpu *v)
{
	v->arch->xsave_valid = false;
	v->arch->own_known = false;
	v->arch->landings_known = false;
	if (v->vm->arch->irqchip)
		irqchip_resumed(v);
}

static bool awake(struct vcpu *v)
{
	return !v->vm->arch->irqchip || irqchip_awake(v);
}

/*
 * One that has its interrupts from the loop thread would wait for it; and a KVM that emulates the guest forgets at a signal that the
 * window for one was asked for.
 */
static bool own_thread(const struct vcpu *v)
{
	return v->vm->arch->irqchip;
}

static void wake(struct vm *vm)
{
	if (vm->arch->irqchip)
		irqchip_wake(vm->arch->irqchip);
}

static void enter(struct vcpu *v)
{
	if (v->vm->arch->irqchip)
		irqchip_enter(v);
}

static void left(struct vcpu *v, int ret)
{
	v->arch->xsave_valid = false;
	/* What a step does to them is known. */
	v->arch->own_known &= !!(v->arch->debug.control & KVM_GUESTDBG_SINGLESTEP);
	v->arch->events_known =
		ret == 0 && (v->run->exit_reason == KVM_EXIT_DEBUG || v->run->exit_reason == KVM_EXIT_INTERNAL_ERROR);
	space_note(v);
	if (v->vm->arch->irqchip)
		irqchip_left(v);
}

static void handled(struct vcpu *v, int ret, bool goes_on)
{
	/* The guest was entered, and what was pending then has come. */
	if (ret >= 0)
		v->arch->late = false;
	/* Guests change their interrupt tables without an exit: the next one shows it. */
	if (goes_on && catch_stale(v->vm->catches, v))
		vm_pause(v->vm);
}

static void prepare_run(struct vcpu *v)
{
	debug_prepare(v, DEBUG_RUN);
}

static void debug_note(const struct kvm_run *run, uint64_t *ret_a, uint64_t *ret_b)
{
	*ret_a = run->debug.arch.exception;
	*ret_b = run->debug.arch.dr6;
}

static void debug_text(uint64_t exception, uint64_t dr6, char *ret, size_t size)
{
	snprintf(ret, size, "exception %" PRIu64 " dr6 0x%" PRIx64, exception, dr6);
}

static bool halted_for_good(struct vcpu *v)
{
	struct kvm_mp_state mp;
	bool halted = v->arch->halted ||
		      (!kvm_ioctl(v->fd, KVM_GET_MP_STATE, &mp) && mp.mp_state == KVM_MP_STATE_HALTED);

	return halted && !(v->run->s.regs.regs.rflags & RFLAGS_IF);
}

/* -- addresses -- */

static uint64_t space(const struct vcpu *v)
{
	return v->run->s.regs.sregs.cr3 & CR3_ADDR;
}

static int translate_by(const struct vcpu *v, const uint64_t *root, uint64_t gva, struct translation *ret, struct err *err)
{
	struct paging p;

	regs_paging(v, &p);
	if (root)
		p.cr3 = *root;
	return translate(v->vm->gmem, &p, gva, ret, err);
}

static void ranges(const struct vcpu *v, bool (*each)(void *arg, const struct mem_range *r), void *arg)
{
	struct paging p;

	regs_paging(v, &p);
	translate_ranges(v->vm->gmem, &p, each, arg);
}

static int check_gva(const struct vcpu *v, uint64_t gva, struct err *err)
{
	struct paging p;
	unsigned spare;

	regs_paging(v, &p);
	spare = p.cr4 & CR4_LA57 ? 7 : 16;
	if ((int64_t)(gva << spare) >> spare != (int64_t)gva)
		return err_set(err, EFAULT, "0x%" PRIx64 " is not canonical", gva);
	return 0;
}

/* Whether any of the SIZE bytes at GVA, as V has them, lie in the page at GPA. */
static bool in_page(struct vm *vm, const struct vcpu *v, uint64_t gva, uint64_t size, uint64_t gpa)
{
	struct translation t;
	struct paging p;

	regs_paging(v, &p);
	for (uint64_t at = gva; at - gva < size; at = (at | (GMEM_PAGE - 1)) + 1)
		if (!translate(vm->gmem, &p, at, &t, NULL) && (t.gpa & ~(uint64_t)(GMEM_PAGE - 1)) == gpa)
			return true;
	return false;
}

/* Bytes of a table with LIMIT of which the processor uses MAX at most. */
static uint64_t used(uint64_t limit, uint64_t max)
{
	return limit + 1 < max ? limit + 1 : max;
}

/*
 * Whether a vCPU needs the page at GPA for going on at all: KVM does not exit when it cannot read a descriptor or a page table
 * itself, it fails.
 */
static bool needs_page(struct vm *vm, uint64_t gpa)
{
	for (unsigned i = 0; i < vm->ncpus; i++) {
		const struct kvm_sregs *s = &vm->cpus[i]->run->s.regs.sregs;

		if ((s->cr0 & CR0_PG) && (s->cr3 & 0xffffffffff000ull) == gpa)
			return true;
		if (in_page(vm, vm->cpus[i], s->idt.base, used(s->idt.limit, s->cr0 & CR0_PE ? 256 * 16 : 256 * 4), gpa))
			return true;
		if ((s->cr0 & CR0_PE) && (in_page(vm, vm->cpus[i], s->gdt.base, s->gdt.limit + 1ull, gpa) ||
					  in_page(vm, vm->cpus[i], s->tr.base, s->tr.limit + 1ull, gpa)))
			return true;
	}
	return false;
}

static bool tables(const struct vcpu *v, uint64_t *ret_gpa, char *ret, size_t size)
{
	const struct kvm_sregs *s = &v->run->s.regs.sregs;

	if (!(s->cr0 & CR0_PG))
		return false;
	*ret_gpa = s->cr3 & CR3_ADDR;
	snprintf(ret, size, "cr3 0x%" PRIx64, (uint64_t)s->cr3);
	return true;
}

/* -- a kernel -- */

static bool kernel_mode(const struct vcpu *v)
{
	return v->run->s.regs.sregs.efer & EFER_LMA;
}

static bool kernel_entry(struct vcpu *v, unsigned vector, uint64_t *ret)
{
	return vector == KERNEL_SYSCALL ? !regs_msr(v, MSR_LSTAR, ret) && *ret : catch_handler(v, vector, ret);
}

static bool kernel_percpu(struct vcpu *v, uint64_t ret[2])
{
	ret[0] = v->run->s.regs.sregs.gs.base;
	if (regs_msr(v, MSR_KERNEL_GS, &ret[1]))
		ret[1] = 0;
	return true;
}

/* System V ABI for x86-64, 3.2.3. */
static bool call_argument(struct vcpu *v, unsigned index, uint64_t *ret)
{
	const struct kvm_regs *r = &v->run->s.regs.regs;
	const uint64_t in_registers[STACK_ARG] = { r->rdi, r->rsi, r->rdx, r->rcx, r->r8, r->r9 };

	if (index < STACK_ARG) {
		*ret = in_registers[index];
		return true;
	}
	return guest_mem_read(v, r->rsp + 8 + 8ull * (index - STACK_ARG), ret, sizeof(*ret), NULL) == sizeof(*ret);
}

const struct arch arch = {
	.caps = x86_caps,
	.ncaps = X86_NCAPS,
	.reserved = reserved,
	.nreserved = sizeof(reserved) / sizeof(reserved[0]),
	.host_open = x86_host_open,
	.vm_made = x86_vm_made,
	.host_close = x86_host_close,
	.check_config = x86_check_config,
	.board_new = x86_board_new,
	.board_free = x86_board_free,
	.devices_new = devices_new,
	.devices_free = devices_free,
	.ready = x86_ready,
	.load = x86_load,
	.remap = x86_remap,
	.before_sandbox = x86_before_sandbox,
	.nfacts = &probe_fact_count,
	.host_fact = x86_host_fact,
	.assist_count = x86_assist_count,
	.pci_list = x86_pci_list,
	.screen = x86_screen,
	.key_text = x86_key_text,
	.inject = x86_inject,
	.time_stop = guest_time_stop,
	.time_resume = guest_time_resume,
	.irq_line = x86_irq_line,
	.cpu_new = cpu_new,
	.cpu_free = cpu_free,
	.resumed = resumed,
	.awake = awake,
	.wait = irqchip_wait,
	.own_thread = own_thread,
	.wake = wake,
	.enter = enter,
	.left = left,
	.settle = regs_settle,
	.exit = x86_exit,
	.debug_exit = debug_exit,
	.handled = handled,
	.watched_mmio = x86_watched_mmio,
	.board_write = x86_board_write,
	.board_is_device = x86_board_is_device,
	.prepare_run = prepare_run,
	.run_steps = debug_run_steps,
	.step_alone = debug_step_alone,
	.settle_watches = watch_settle,
	.hit_repaired = syscalls_repair,
	.pass = debug_pass,
	.debug_note = debug_note,
	.debug_text = debug_text,
	.pc = regs_pc,
	.reg_present = regs_present,
	.reg_read = regs_read,
	.reg_write = regs_write,
	.special_read = regs_msr_read,
	.special_write = regs_msr_write,
	.status = regs_status,
	.space = space,
	.translate = space_translate,
	.translate_by = translate_by,
	.ranges = ranges,
	.check_gva = check_gva,
	.needs_page = needs_page,
	.tables = tables,
	.halted_for_good = halted_for_good,
	.catch_check = x86_catch_check,
	.catch_changed = x86_catch_changed,
	.catch_follow = x86_catch_follow,
	.catch_wants_tick = x86_catch_wants_tick,
	.catch_reset = catch_kernel_reset,
	.catch_hit = x86_catch_hit,
	.catch_told = x86_catch_told,
	.catch_free = x86_catch_free,
	.kernel_half = KERNEL_HALF,
	.kernel_mode = kernel_mode,
	.kernel_entry = kernel_entry,
	.kernel_percpu = kernel_percpu,
	.call_argument = call_argument,
};
