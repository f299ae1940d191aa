/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The machine around the vCPU: RAM from 0 on, and a console by hypercalls.  There are no firmware and no devices. */
#include <errno.h>
#include <stdlib.h>

#include "arch/ppc/parts.h"
#include "arch/ppc/regs.h"
#include "kvm/machine_priv.h"
#include "kvm/rma.h"

#define RAM_SLOT 0u

int ppc_check_config(const struct machine_config *c, struct err *err)
{
	/* What starts the others is firmware. */
	if (c->cpus > 1)
		return err_set(err, EINVAL, "%u vCPUs: a powerpc machine has one here, as nothing in it starts others", c->cpus);
	if (c->ndisks || c->nvirtio_disks || c->rng || c->virtio_console || c->nvram || c->vga_bios)
		return err_set(err, EINVAL, "disks, firmware and virtio devices: a powerpc machine has none here");
	if (c->user_irqchip)
		return err_set(err, EINVAL, "a powerpc machine has no interrupt controllers here (--irqchip)");
	return 0;
}

int ppc_board_new(struct machine_kvm *m, const struct machine_config *c, struct err *err)
{
	unsigned breaks = m->vm.kvm.arch->breaks;
	int r;

	m->vm.arch = calloc(1, sizeof(*m->vm.arch));
	if (!m->vm.arch)
		return err_set(err, ENOMEM, "out of memory");
	m->vm.lacking_registers = breaks < BREAK_REGISTERS ? BREAK_REGISTERS - breaks : 0;
	r = rma_add_ram(m->slots, RAM_SLOT, c->memory, "ram", err);
	if (!r)
		r = slots_mark_initial(m->slots, err);
	return r ? r : ppc_trap(&m->vm.kvm, &m->vm.trap, err);
}

void ppc_board_free(struct machine_kvm *m)
{
	if (!m->vm.arch)
		return;
	power_on_free(m->vm.arch->power_on);
	free(m->vm.arch);
}

int ppc_devices_new(struct machine_kvm *m, const struct machine_config *c, struct err *err)
{
	(void)c;
	return bus_new(&m->dev_host, &m->vm.bus, err);
}

void ppc_devices_free(struct machine_kvm *m)
{
	bus_free(m->vm.bus);
}

int ppc_ready(struct machine_kvm *m, struct err *err)
{
	return power_on_save(&m->vm, &m->vm.arch->power_on, err);
}

int ppc_load(struct machine_kvm *m, uint64_t *ret_slide, struct err *err)
{
	struct boot_state boot = { 0 };
	int r = image_load(&m->image, &m->load, m->vm.gmem, &boot, err);

	if (!r)
		r = power_on_restore(&m->vm, m->vm.arch->power_on, err);
	if (!r)
		r = power_on_start(m->vm.cpus[0], boot.rip, err);
	if (!r)
		*ret_slide = boot.slide;
	return r;
}
