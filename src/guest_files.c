/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "guest_files.h"

#include "load/bios.h"

/* What the guest begins with: an image, the built-in one, or firmware, which disks alone ask for too. */
static int read_image(const struct options *o, const void *demo, size_t demo_size, struct machine_config *c, struct err *err)
{
	if (o->demo)
		return blob_copy("(built-in demo)", demo, demo_size, &c->image, err);
	if (o->image)
		return blob_read(o->image, &c->image, err);
	c->load.kind = IMAGE_BIOS;
	return o->bios ? blob_read(o->bios, &c->image, err) : bios_find(&c->image, err);
}

/* The disks that are on virtio, or those that are not, to AT on; returns how many. */
static size_t put_disks(const struct options *o, bool virtio, struct disk_spec *at)
{
	size_t n = 0;

	for (size_t i = 0; i < o->ndisks; i++) {
		const struct option_disk *d = &o->disks[i];

		if (d->virtio == virtio)
			at[n++] = (struct disk_spec){ .path = d->path, .readonly = d->readonly, .snapshot = d->snapshot,
						      .cdrom = d->cdrom };
	}
	return n;
}

static int list_disks(struct guest_files *f, const struct options *o, struct machine_config *c, struct err *err)
{
	f->disks = calloc(o->ndisks + 1, sizeof(*f->disks));
	if (!f->disks)
		return err_set(err, ENOMEM, "out of memory");
	c->disks = f->disks;
	c->ndisks = put_disks(o, false, f->disks);
	c->virtio_disks = f->disks + c->ndisks;
	c->nvirtio_disks = put_disks(o, true, f->disks + c->ndisks);
	f->nvram = (struct disk_spec){ .path = o->nvram.path, .snapshot = o->nvram.snapshot };
	c->nvram = o->nvram.path ? &f->nvram : NULL;
	return 0;
}

static int read_modules(struct guest_files *f, const struct options *o, struct err *err)
{
	f->modules = calloc(o->nmodules + 1, sizeof(*f->modules));
	if (!f->modules)
		return err_set(err, ENOMEM, "out of memory");
	for (; f->nmodules < o->nmodules; f->nmodules++) {
		const char *args = o->modules[f->nmodules].args;
		struct blob b = { 0 };
		int r = blob_read(o->modules[f->nmodules].path, &b, err);

		if (r)
			return r;
		b.args = args ? strdup(args) : NULL;
		if (args && !b.args) {
			blob_done(&b);
			return err_set(err, ENOMEM, "out of memory");
		}
		f->modules[f->nmodules] = b;
	}
	return 0;
}

static int read_vga_bios(struct guest_files *f, const struct options *o, struct machine_config *c, struct err *err)
{
	int r;

	if (!o->vga_bios)
		return 0;
	r = blob_read(o->vga_bios, &f->vga_bios, err);
	if (!r)
		r = option_rom_check(&f->vga_bios, err);
	c->vga_bios = &f->vga_bios;
	return r;
}

int guest_files_read(struct guest_files *f, const struct options *o, const void *demo, size_t demo_size, struct machine_config *c,
		     struct err *err)
{
	int r;

	*c = (struct machine_config){
		.memory = o->memory,
		.cpus = o->cpus,
		.affinity = o->affinity,
		.naffinity = o->naffinity,
		.dirty_ring = o->dirty_ring ? MACHINE_DIRTY_RING : 0,
		.user_irqchip = o->user_irqchip,
		.rng = o->rng,
		.virtio_console = o->virtio_console,
		.load = {
			.kind = o->kind,
			.has_load = o->has_load,
			.load = o->load,
			.has_entry = o->has_entry,
			.entry = o->entry,
			.entry_pvh = o->entry_pvh,
			.decompress = o->decompress,
			.kaslr = o->kaslr,
			.slide = o->slide,
			.has_mode = o->has_mode,
			.mode = o->mode,
			.append = o->append,
			.nmodules = o->nmodules,
		},
	};
	r = read_modules(f, o, err);
	c->load.modules = f->modules;
	if (!r)
		r = list_disks(f, o, c, err);
	if (!r)
		r = read_vga_bios(f, o, c, err);
	if (!r && o->symbols)
		r = blob_read(o->symbols, &c->symbols, err);
	if (!r)
		r = read_image(o, demo, demo_size, c, err);
	if (r)
		blob_done(&c->symbols);
	return r;
}

void guest_files_done(struct guest_files *f)
{
	for (size_t i = 0; i < f->nmodules; i++)
		blob_done(&f->modules[i]);
	free(f->modules);
	free(f->disks);
	blob_done(&f->vga_bios);
	*f = (struct guest_files){ 0 };
}
