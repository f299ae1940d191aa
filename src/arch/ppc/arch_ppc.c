/* SPDX-License-Identifier: GPL-3.0-or-later */
/* PowerPC's table for src/kvm: vCPUs, registers and addresses.  The machine around them is machine.c. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "arch/ppc/parts.h"
#include "arch/ppc/ppc.h"
#include "arch/ppc/regs.h"
#include "kvm/guest_time.h"
#include "kvm/slots.h"

#define REAL_MASK       0x0fffffffffffffffull   /* book III, 5.7.3: the first four bits of an address do not count */
#define KERNEL_HALF     0xc000000000000000ull
#define ARGUMENTS       8u      /* in registers, from r3 on: ELF V2 ABI, 2.2.4.1 */

/* -- a vCPU -- */

static int cpu_new(struct vcpu *v, struct err *err)
{
	struct kvm_enable_cap papr = { .cap = KVM_CAP_PPC_PAPR };
	int r = 0;

	v->arch = calloc(1, sizeof(*v->arch));
	if (!v->arch)
		return err_set(err, ENOMEM, "out of memory");
	v->arch->debug_known = true;
	if (kvm_ioctl_num(v->vm->kvm.vm_fd, KVM_CHECK_EXTENSION, KVM_CAP_PPC_PAPR) > 0)
		r = kvm_ioctl(v->fd, KVM_ENABLE_CAP, &papr);
	if (r)
		return err_errno(err, -r, "vCPU %u: KVM_CAP_PPC_PAPR", v->id);
	if (!v->id)
		regs_probe(v);
	return 0;
}

static void cpu_free(struct vcpu *v)
{
	free(v->arch);
}

static void resumed(struct vcpu *v)
{
	(void)v;
}

static bool awake(struct vcpu *v)
{
	(void)v;
	return true;
}

static void wait(struct vcpu *v)
{
	(void)v;
}

static void wake(struct vm *vm)
{
	(void)vm;
}

static void enter(struct vcpu *v)
{
	(void)v;
}

static void left(struct vcpu *v, int ret)
{
	(void)ret;
	regs_forget(v);
}

static int settle(struct vcpu *v)
{
	(void)v;
	return 0;
}

static void handled(struct vcpu *v, int ret, bool goes_on)
{
	(void)v;
	(void)ret;
	(void)goes_on;
}

static void settle_watches(struct vcpu *v)
{
	(void)v;
}

static void debug_note(const struct kvm_run *run, uint64_t *ret_a, uint64_t *ret_b)
{
	*ret_a = run->debug.arch.address;
	*ret_b = run->debug.arch.status;
}

static void debug_text(uint64_t address, uint64_t status, char *ret, size_t size)
{
	snprintf(ret, size, "at 0x%" PRIx64 " status 0x%" PRIx64, address, status);
}

static void status(struct vcpu *v, struct cpu_status *ret)
{
	static const struct kvm_regs none;
	const struct kvm_regs *r = regs_general(v, NULL);

	if (!r)
		r = &none;
	*ret = (struct cpu_status){
		.mode = r->msr & (MSR_IR | MSR_DR) ? "virtual" : "real",
		.code_bits = r->msr & MSR_SF ? 64 : 32,
		.pc = r->pc,
		.privilege = r->msr & MSR_PR ? 1 : 0,
		.paging = r->msr & (MSR_IR | MSR_DR),
	};
}

static bool halted_for_good(struct vcpu *v)
{
	(void)v;
	return false;
}

/* -- time and interrupts: the guest's clock is the processor's, and nothing here interrupts it -- */

static void time_stop(struct guest_time *ret, uint64_t now_ns)
{
	*ret = (struct guest_time){ .ns = now_ns };
}

static void time_resume(const struct vm *vm, const struct guest_time *since, uint64_t now_ns)
{
	(void)vm;
	(void)since;
	(void)now_ns;
}

static void irq_line(struct vm *vm, unsigned line, bool level)
{
	(void)vm;
	(void)line;
	(void)level;
}

static int inject(struct machine_kvm *m, const struct injection *i, struct err *err)
{
	(void)m;
	(void)i;
	return err_set(err, ENOTSUP, "interrupts and exceptions cannot be injected on powerpc");
}

/* -- addresses -- */

static uint64_t space(const struct vcpu *v)
{
	const struct kvm_regs *r = regs_general(v, NULL);

	return r ? r->pid : 0;
}

/* KVM_TRANSLATE knows the tables of embedded processors, and leaves the others' as not valid. */
static bool ask_kvm(const struct vcpu *v, struct translation *ret)
{
	struct kvm_translation t = { .linear_address = ret->gva };

	if (kvm_ioctl(v->fd, KVM_TRANSLATE, &t) || !t.valid)
		return false;
	ret->gpa = t.physical_address;
	ret->page_size = GMEM_PAGE;
	ret->writable = t.writeable;
	ret->user = t.usermode;
	return true;
}

static int translate_by(const struct vcpu *v, const uint64_t *root, uint64_t gva, struct translation *ret,
			struct err *err)
{
	const struct kvm_regs *r = regs_general(v, err);
	const struct gmem_region *in;

	*ret = (struct translation){ .gva = gva, .slot = -1 };
	if (!r)
		return -EFAULT;
	if (!root && !(r->msr & (MSR_IR | MSR_DR))) {
		ret->gpa = gva & REAL_MASK;
		ret->writable = ret->user = true;
	} else if (root || !ask_kvm(v, ret)) {
		return err_set(err, EFAULT, "0x%" PRIx64 ": address translation is on, and hash and radix tables are not walked here",
			       gva);
	}
	ret->present = ret->executable = true;
	in = gmem_find(v->vm->gmem, ret->gpa);
	if (in) {
		ret->slot = in->slot;
		ret->hva = (uintptr_t)in->hva + (ret->gpa - in->gpa);
	}
	return 0;
}

static int translate(const struct vcpu *v, uint64_t gva, struct translation *ret, struct err *err)
{
	return translate_by(v, NULL, gva, ret, err);
}

static void ranges(const struct vcpu *v, bool (*each)(void *arg, const struct mem_range *r), void *arg)
{
	const struct kvm_regs *r = regs_general(v, NULL);

	if (r && !(r->msr & (MSR_IR | MSR_DR)))
		each(arg, &(struct mem_range){ .size = REAL_MASK + 1, .writable = true, .user = true, .executable = true });
}

static int check_gva(const struct vcpu *v, uint64_t gva, struct err *err)
{
	(void)v;
	(void)gva;
	(void)err;
	return 0;
}

static bool needs_page(struct vm *vm, uint64_t gpa)
{
	(void)vm;
	(void)gpa;
	return false;
}

static bool tables(const struct vcpu *v, uint64_t *ret_gpa, char *ret, size_t size)
{
	(void)v;
	(void)ret_gpa;
	(void)ret;
	(void)size;
	return false;
}

/* -- catchpoints -- */

static int catch_check(const struct catch_spec *spec, struct err *err)
{
	switch (spec->kind) {
	case CATCH_MMIO:
	case CATCH_UNCLAIMED:
	case CATCH_RESET:
		return 0;
	default:
		return err_set(err, ENOTSUP, "on powerpc there are catchpoints on mmio, unclaimed and reset");
	}
}

/* -- a kernel: none is looked into, as its memory cannot be -- */

static bool kernel_mode(const struct vcpu *v)
{
	(void)v;
	return false;
}

static bool kernel_entry(struct vcpu *v, unsigned vector, uint64_t *ret)
{
	(void)v;
	(void)vector;
	(void)ret;
	return false;
}

static bool kernel_percpu(struct vcpu *v, uint64_t ret[2])
{
	(void)v;
	(void)ret;
	return false;
}

static bool call_argument(struct vcpu *v, unsigned index, uint64_t *ret)
{
	const struct kvm_regs *r = regs_general(v, NULL);

	if (!r || index >= ARGUMENTS)
		return false;
	*ret = r->gpr[3 + index];
	return true;
}

static const size_t no_facts;

const struct arch arch = {
	.caps = ppc_caps,
	.ncaps = PPC_NCAPS,
	.host_open = ppc_host_open,
	.vm_made = ppc_vm_made,
	.host_close = ppc_host_close,
	.check_config = ppc_check_config,
	.board_new = ppc_board_new,
	.board_free = ppc_board_free,
	.devices_new = ppc_devices_new,
	.devices_free = ppc_devices_free,
	.ready = ppc_ready,
	.load = ppc_load,
	.nfacts = &no_facts,
	.inject = inject,
	.time_stop = time_stop,
	.time_resume = time_resume,
	.irq_line = irq_line,
	.cpu_new = cpu_new,
	.cpu_free = cpu_free,
	.resumed = resumed,
	.awake = awake,
	.wait = wait,
	.wake = wake,
	.enter = enter,
	.left = left,
	.io_completed = regs_forget,
	.settle = settle,
	.exit = ppc_exit,
	.debug_check = ppc_debug_check,
	.debug_exit = ppc_debug_exit,
	.handled = handled,
	.prepare_run = ppc_prepare_run,
	.run_steps = ppc_run_steps,
	.step_alone = ppc_step_alone,
	.settle_watches = settle_watches,
	.debug_note = debug_note,
	.debug_text = debug_text,
	.pc = regs_pc,
	.reg_present = regs_present,
	.reg_read = regs_read,
	.reg_write = regs_write,
	.special_read = spr_read,
	.special_write = spr_write,
	.status = status,
	.space = space,
	.translate = translate,
	.translate_by = translate_by,
	.ranges = ranges,
	.check_gva = check_gva,
	.needs_page = needs_page,
	.tables = tables,
	.halted_for_good = halted_for_good,
	.catch_check = catch_check,
	.kernel_half = KERNEL_HALF,
	.kernel_mode = kernel_mode,
	.kernel_entry = kernel_entry,
	.kernel_percpu = kernel_percpu,
	.call_argument = call_argument,
};
