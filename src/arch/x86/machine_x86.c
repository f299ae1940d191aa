/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The PC around the vCPUs: what of making, switching on and ending a machine is x86's. */
#include "arch/x86/machine_x86.h"

#include <errno.h>
#include <stdlib.h>

#include "arch/x86/assist_kvm.h"
#include "arch/x86/board.h"
#include "arch/x86/host_x86.h"
#include "arch/x86/irqchip.h"
#include "arch/x86/state.h"
#include "dev/pcboot.h"

int x86_check_config(const struct machine_config *c, struct err *err)
{
	if (c->user_irqchip && c->cpus > 1)
		return err_set(err, EINVAL, "interrupt controllers that are not KVM's (--irqchip=user) serve one vCPU, not %u",
			       c->cpus);
	return 0;
}

static enum board_kind board_of(const struct image *im)
{
	return im->kind == IMAGE_BIOS ? BOARD_FIRMWARE : im->wants_tables ? BOARD_TABLES : BOARD_FLAT;
}

static void take_probe(struct machine_kvm *k, const struct probe *p)
{
	struct arch_vm *a = k->vm.arch;

	a->steps_by_flag = p->int3_exits;
	a->user_steps = p->steps & 1u << PROBE_USER;
	a->own_registers = p->own_beside;
	a->repairs_syscalls = !p->syscalls;
	k->vm.data_watch = p->watches == PROBE_ALL;
	k->vm.trap = (struct break_trap){ 1, { p->trap_byte } };
	if (!p->hypercalls)
		kvm_hide_hypercalls(&k->vm.kvm);
}

int x86_board_new(struct machine_kvm *k, const struct machine_config *c, struct err *err)
{
	struct arch_vm *a = calloc(1, sizeof(*a));
	int r;

	k->vm.arch = a;
	if (!a)
		return err_set(err, ENOMEM, "out of memory");
	k->vm.kvm.arch->user_irqchip = c->user_irqchip;
	r = board_new(k->slots, c->memory, board_of(&k->image), k->image.kind == IMAGE_BIOS ? &k->image.file : NULL,
		      &a->board, err);
	if (!r)
		r = kvm_add_irqchip(&k->vm.kvm, err);
	if (!r)
		r = probe_host(&k->vm.kvm, &a->probe, err);
	if (r)
		return r;
	take_probe(k, &a->probe);
	return assister_new(&k->vm.kvm, &a->assister, err);
}

void x86_board_free(struct machine_kvm *k)
{
	struct arch_vm *a = k->vm.arch;

	if (!a)
		return;
	power_on_free(a->power_on);
	assister_free(a->assister);
	board_free(a->board);
	free(a);
}

int x86_ready(struct machine_kvm *k, struct err *err)
{
	return power_on_save(&k->vm, &k->vm.arch->power_on, err);
}

int x86_load(struct machine_kvm *k, uint64_t *ret_slide, struct err *err)
{
	struct arch_vm *a = k->vm.arch;
	struct boot_state boot = { 0 };
	int r;

	/* What a kernel is told of the machine is what firmware would have made of it. */
	if (k->image.wants_tables)
		pcboot_program(k->vm.bus);
	r = board_reset(a->board, err);
	if (!r)
		r = image_load(&k->image, &k->load, k->vm.gmem, &boot, err);
	if (!r)
		r = power_on_restore(&k->vm, a->power_on, err);
	if (!r)
		r = boot_state_apply(k->vm.cpus[0], &boot, err);
	if (!r)
		*ret_slide = boot.slide;
	return r;
}

int x86_remap(struct machine_kvm *k, struct err *err)
{
	return board_remap(k->vm.arch->board, err);
}

void x86_before_sandbox(struct machine_kvm *k)
{
	assister_prepare(k->vm.arch->assister, k->vm.ncpus);
}

bool x86_host_fact(struct machine_kvm *k, size_t index, struct host_fact *ret)
{
	return probe_fact(&k->vm.arch->probe, index, ret);
}

bool x86_assist_count(struct machine_kvm *k, size_t index, struct assist_count *ret)
{
	return assister_count(k->vm.arch->assister, index, ret);
}

void x86_irq_line(struct vm *vm, unsigned line, bool level)
{
	struct kvm_irq_level irq = { .irq = line, .level = level };

	if (vm->arch->irqchip)
		irqchip_set_line(vm->arch->irqchip, line, level);
	else    /* Fails only for a line that does not exist. */
		kvm_ioctl(vm->kvm.vm_fd, KVM_IRQ_LINE, &irq);
}

bool x86_board_write(struct vm *vm, uint64_t gpa, const void *data, size_t size)
{
	return board_write(vm->arch->board, gpa, data, size);
}

bool x86_board_is_device(struct vm *vm, uint64_t gpa)
{
	return board_is_flash(vm->arch->board, gpa);
}
