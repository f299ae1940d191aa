/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which devices the machine has, and the members of the ops table that show or use them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dev/fw_cfg.h"
#include "dev/i8042.h"
#include "dev/ide.h"
#include "dev/pc.h"
#include "dev/vga.h"
#include "arch/x86/irqchip.h"
#include "arch/x86/board.h"
#include "arch/x86/machine_x86.h"
#include "arch/x86/regs.h"
#include "load/acpi.h"
#include "load/bios.h"

#define SECOND_CHANNEL 2u       /* its first drive */

/* The drives as firmware names them (Open Firmware device paths). */
static const char *const boot_path[IDE_DRIVES] = {
	"/pci@i0cf8/ide@1,1/drive@0/disk@0", "/pci@i0cf8/ide@1,1/drive@0/disk@1",
	"/pci@i0cf8/ide@1,1/drive@1/disk@0", "/pci@i0cf8/ide@1,1/drive@1/disk@1",
};

#define LINES 24u               /* of KVM's interrupt controllers */

static int open_disk(struct machine_kvm *k, const struct disk_spec *spec, struct err *err)
{
	unsigned at = spec->cdrom ? SECOND_CHANNEL : 0, i;

	for (i = 0; i < IDE_DRIVES; i++, at = (at + 1) % IDE_DRIVES)
		if (!k->vm.arch->disk[at])
			break;
	if (i == IDE_DRIVES)
		return err_set(err, EINVAL, "%s: there are places for %u disks and CDs", spec->path, IDE_DRIVES);
	if (!disk_open(spec, k->dev_host.wake, k, &k->vm.arch->disk[at], err)) {
		k->vm.arch->boot_order[k->vm.arch->ndisks++] = boot_path[at];
		return 0;
	}
	/* So that the caller can tell whose fault it is. */
	err->code = EBADF;
	return -EBADF;
}

static int open_virtio_disk(struct machine_kvm *k, const struct disk_spec *spec, struct err *err)
{
	unsigned at = 0;

	while (at < VIRTIO_DISKS && k->vm.arch->virtio_disk[at])
		at++;
	if (at == VIRTIO_DISKS)
		return err_set(err, EINVAL, "%s: there are places for %u virtio disks", spec->path, VIRTIO_DISKS);
	if (!disk_open(spec, k->dev_host.wake, k, &k->vm.arch->virtio_disk[at], err))
		return 0;
	err->code = EBADF;
	return -EBADF;
}

/*
 * How firmware counts cylinders.  By LBA it takes 16 heads of 63 sectors for granted, and finds none on a disk that has
 * not so many.
 */
static uint8_t translation(const struct machine_kvm *k)
{
	uint8_t bits = 0;

	for (unsigned i = 0; i < IDE_DRIVES; i++)
		if (k->vm.arch->disk[i] && disk_info(k->vm.arch->disk[i])->size >= 16 * 63 * 512)
			bits |= CMOS_BY_LBA << (2 * i);
	return bits;
}

static int add_chipset(struct machine_kvm *k, struct err *err)
{
	struct pci_function *bridge;
	int r = pci_attach(k->vm.bus, &k->vm.arch->pci, err);

	if (!r)
		r = i440fx_attach(k->vm.arch->pci, &bridge, err);
	if (!r)
		r = piix3_attach(k->vm.arch->pci, err);
	if (!r)
		r = ide_attach(k->vm.arch->pci, k->vm.arch->disk, err);
	if (!r)
		r = piix4_pm_attach(k->vm.arch->pci, err);
	if (!r)
		r = i8042_attach(k->vm.bus, &k->vm.arch->keyboard, err);
	if (!r)
		r = vga_attach(k->vm.bus, &k->vm.arch->vga, err);
	if (!r)
		board_set_bridge(k->vm.arch->board, bridge);
	return r;
}

static int add_virtio(struct machine_kvm *k, const struct machine_config *c, struct err *err)
{
	int r = c->virtio_console ? virtio_console_attach(k->vm.arch->pci, &k->vm.console, err) : 0;

	if (!r && c->rng)
		r = virtio_rng_attach(k->vm.arch->pci, err);
	for (unsigned i = 0; i < VIRTIO_DISKS && k->vm.arch->virtio_disk[i] && !r; i++)
		r = virtio_blk_attach(k->vm.arch->pci, i, k->vm.arch->virtio_disk[i], err);
	return r;
}

/*
 * SeaBIOS makes tables by itself; OVMF is given them, and puts what they speak of elsewhere than we would: power management, and PCI's
 * memory, above 2 GiB.
 */
static int uefi_tables(struct machine_kvm *k, const struct machine_config *c, struct acpi_files *ret, struct err *err)
{
	uint64_t low = c->memory < PC_RAM_LOW_MAX ? c->memory : PC_RAM_LOW_MAX;
	const struct acpi_spec spec = {
		.cpus = k->info.cpus, .no_apic = c->user_irqchip, .pm_base = 0xb000,
		.pci_base = low < 0x80000000u ? 0x80000000u : (uint32_t)low,
	};

	return acpi_files_new(&spec, ret, err);
}

static int add_firmware_devices(struct machine_kvm *k, const struct machine_config *c, struct err *err)
{
	struct fw_cfg_spec spec = {
		.ram_size = k->info.ram_size,
		.cpus = k->info.cpus,
		.boot_order = k->vm.arch->boot_order,
		.nboot_order = k->vm.arch->ndisks,
		.vga_bios = c->vga_bios ? c->vga_bios->data : NULL,
		.vga_bios_size = c->vga_bios ? c->vga_bios->size : 0,
	};
	struct acpi_files acpi = { 0 };
	int r = bios_is_uefi(&k->image.file) ? uefi_tables(k, c, &acpi, err) : 0;

	spec.acpi_rsdp = (struct fw_cfg_file){ acpi.rsdp, acpi.rsdp_size };
	spec.acpi_tables = (struct fw_cfg_file){ acpi.tables, acpi.tables_size };
	spec.acpi_loader = (struct fw_cfg_file){ acpi.loader, acpi.loader_size };
	if (!r)
		r = fw_cfg_attach(k->vm.bus, &spec, err);
	acpi_files_done(&acpi);
	if (!r)
		r = debugport_attach(k->vm.bus, err);
	return r ? r : nvram_attach(k, c->nvram, err);
}

int devices_new(struct machine_kvm *k, const struct machine_config *c, struct err *err)
{
	bool firmware = k->image.kind == IMAGE_BIOS;
	bool chipset = firmware || k->image.wants_tables || c->ndisks || c->nvirtio_disks || c->rng ||
		       c->virtio_console;
	int r;

	/* Message interrupts are for local APICs. */
	if (c->user_irqchip)
		k->dev_host.msi = NULL;
	r = bus_new(&k->dev_host, &k->vm.bus, err);
	for (size_t i = 0; i < c->ndisks && !r; i++)
		r = open_disk(k, &c->disks[i], err);
	for (size_t i = 0; i < c->nvirtio_disks && !r; i++)
		r = open_virtio_disk(k, &c->virtio_disks[i], err);
	if (!r)
		r = uart_attach(k->vm.bus, &k->vm.uart, err);
	if (!r)
		r = debugcon_attach(k->vm.bus, err);
	if (!r)
		r = exitport_attach(k->vm.bus, err);
	if (!r && !chipset)
		r = resetctl_attach(k->vm.bus, err);
	if (!r)
		r = cmos_attach(k->vm.bus, k->info.ram_size, k->info.cpus, translation(k), err);
	if (!r && chipset)
		r = add_chipset(k, err);
	if (!r && chipset)
		r = add_virtio(k, c, err);
	if (!r && firmware)
		r = add_firmware_devices(k, c, err);
	if (!r && c->user_irqchip)
		r = irqchip_new(&k->vm, err);
	return r;
}

void devices_free(struct machine_kvm *k)
{
	if (!k->vm.arch)
		return;
	nvram_sync(k);
	bus_free(k->vm.bus);
	irqchip_free(k->vm.arch->irqchip);
	disk_close(k->vm.arch->nvram);
	for (unsigned i = 0; i < IDE_DRIVES; i++)
		disk_close(k->vm.arch->disk[i]);
	for (unsigned i = 0; i < VIRTIO_DISKS; i++)
		disk_close(k->vm.arch->virtio_disk[i]);
}

bool x86_pci_list(struct machine_kvm *k, size_t index, struct pci_info *ret)
{
	struct pci_bus *pci = k->vm.arch->pci;

	return pci && pci_describe(pci, index, ret);
}

int x86_screen(struct machine_kvm *k, struct screen *ret, struct err *err)
{
	uint8_t text[VGA_TEXT_BYTES] = { 0 };

	if (!k->vm.arch->vga)
		return err_set(err, ENODEV, "this machine has no screen (give it --bios, --disk or --cdrom)");
	gmem_read(k->vm.gmem, VGA_TEXT_GPA, text, sizeof(text));
	vga_screen(k->vm.bus, k->vm.arch->vga, text, ret);
	return 0;
}

int x86_key_text(struct machine_kvm *k, const char *text, size_t len, struct err *err)
{
	if (!k->vm.arch->keyboard)
		return err_set(err, ENODEV, "this machine has no keyboard (give it --bios, --disk or --cdrom)");
	return i8042_type(k->vm.bus, k->vm.arch->keyboard, text, len, err);
}

/* Exceptions that push an error code: SDM vol. 3, table 6-1. */
static bool has_code(unsigned vector)
{
	return vector < 32 && (1u << vector & (1u << 8 | 0x1fu << 10 | 1u << 17 | 1u << 21));
}

static int inject_exception(struct vcpu *v, const struct injection *i, struct err *err)
{
	struct kvm_vcpu_events ev;
	bool pushes = has_code(i->number) && regs_has_codes(v);
	int r;

	if (i->number > 31 || i->number == 2)
		return err_set(err, EINVAL, "%u is no exception's vector (0 to 31; 2 is the NMI)", i->number);
	if (i->has_code && !pushes)
		return err_set(err, EINVAL, "exception %u has no error code%s", i->number,
			       has_code(i->number) ? " in real mode" : "");
	r = kvm_ioctl(v->fd, KVM_GET_VCPU_EVENTS, &ev);
	if (!r) {
		ev.exception.injected = 1;
		ev.exception.nr = (uint8_t)i->number;
		ev.exception.has_error_code = pushes;
		ev.exception.error_code = i->code;
		ev.exception.pending = 0;
		r = vcpu_set_events(v, &ev);
	}
	return r ? err_errno(err, -r, "injecting exception %u", i->number) : 0;
}

static int inject_irq(struct machine_kvm *k, unsigned line, struct err *err)
{
	unsigned lines = k->vm.arch->irqchip ? IRQCHIP_LINES : LINES;

	if (line >= lines)
		return err_set(err, EINVAL, "there is no interrupt line %u (0 to %u)", line, lines - 1);
	bus_lock(k->vm.bus);
	k->dev_host.irq(k, line, true);
	k->dev_host.irq(k, line, false);
	bus_unlock(k->vm.bus);
	return 0;
}

int x86_inject(struct machine_kvm *k, const struct injection *i, struct err *err)
{
	int r;

	if (i->kind == INJECT_IRQ)
		return inject_irq(k, i->number, err);
	if (i->kind == INJECT_EXCEPTION)
		return inject_exception(k->vm.cpus[i->cpu], i, err);
	k->vm.cpus[i->cpu]->arch->events_known = false;
	r = kvm_ioctl_num(k->vm.cpus[i->cpu]->fd, KVM_NMI, 0);
	return r ? err_errno(err, -r, "KVM_NMI") : 0;
}
