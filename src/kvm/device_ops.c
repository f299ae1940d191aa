/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The members of the ops table that show or use devices. */
#include <errno.h>

#include "arch/arch.h"
#include "kvm/machine_priv.h"

bool op_device_list(struct machine *m, size_t index, struct device_info *ret)
{
	struct bus *b = machine_priv(m)->vm.bus;
	const struct device *d = bus_device(b, index);
	enum bus_space space;

	if (!d)
		return false;
	*ret = (struct device_info){ .name = d->ops->name, .what = d->ops->what ? d->ops->what : "" };
	bus_lock(b);
	while (ret->nranges < DEVICE_RANGES_MAX &&
	       bus_device_range(b, d, ret->nranges, &space, &ret->range[ret->nranges].base,
				&ret->range[ret->nranges].size))
		ret->range[ret->nranges++].memory = space == BUS_MEMORY;
	bus_unlock(b);
	return true;
}

struct shown {
	void (*each)(void *arg, const struct device_reg *r);
	void *arg;
};

static void show_reg(void *arg, const char *name, unsigned bits, uint64_t value, const char *text)
{
	struct shown *s = arg;

	s->each(s->arg, &(struct device_reg){ .name = name, .bits = bits, .value = value, .text = text });
}

void op_device_regs(struct machine *m, size_t index, void (*each)(void *arg, const struct device_reg *r), void *arg)
{
	struct bus *b = machine_priv(m)->vm.bus;
	const struct device *d = bus_device(b, index);
	struct shown s = { each, arg };
	struct dev_show show = { &s, show_reg };

	if (!d || !d->ops->show)
		return;
	bus_lock(b);
	d->ops->show(d, &show);
	bus_unlock(b);
}

bool op_pci_list(struct machine *m, size_t index, struct pci_info *ret)
{
	return arch.pci_list && arch.pci_list(machine_priv(m), index, ret);
}

int op_screen(struct machine *m, struct screen *ret, struct err *err)
{
	return arch.screen ? arch.screen(machine_priv(m), ret, err) : err_set(err, ENODEV, "this machine has no screen");
}

int op_key_text(struct machine *m, const char *text, size_t len, struct err *err)
{
	return arch.key_text ? arch.key_text(machine_priv(m), text, len, err)
			     : err_set(err, ENODEV, "this machine has no keyboard");
}

int op_inject(struct machine *m, const struct injection *i, struct err *err)
{
	struct machine_kvm *k = machine_priv(m);
	int r = run_check_parked(k, err);

	if (r)
		return r;
	if (i->kind != INJECT_IRQ && i->cpu >= k->vm.ncpus)
		return err_set(err, EINVAL, "no vCPU %u (there are %u)", i->cpu, k->vm.ncpus);
	return arch.inject(k, i, err);
}

size_t op_firmware_log(struct machine *m, uint64_t *from, char *ret, size_t size)
{
	return logring_get(&machine_priv(m)->firmware_log, from, ret, size);
}
