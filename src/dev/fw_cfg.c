/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dev/fw_cfg.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dev/pc.h"

/*
 * One range, though 0x512 and 0x513 are nothing: so that an access to the data port that is wider than a byte arrives
 * whole, and is as many of the item's bytes.
 */
#define FW_CFG_BASE     0x510
enum { REG_SELECTOR = 0, REG_DATA = 1, REG_DMA_HIGH = 4, REG_DMA_LOW = 8, FW_CFG_PORTS = 12 };

static const uint8_t dma_signature[8] = "QEMU CFG";

enum {
	KEY_SIGNATURE = 0x00, KEY_ID = 0x01, KEY_RAM_SIZE = 0x03, KEY_CPUS = 0x05, KEY_MAX_CPUS = 0x0f,
	KEY_DIRECTORY = 0x19, KEY_FIRST_FILE = 0x20, KEY_WRITE = 0x4000, KEY_IRQ0_OVERRIDE = 0x8002,
};

#define ID_PORTS        (1u << 0)
#define ID_DMA          (1u << 1)

/* A DMA operation's descriptor, big-endian in guest memory. */
struct descriptor {
	uint32_t control;               /* DMA_*, 16 to 31: the key of DMA_SELECT */
	uint32_t length;                /* bytes */
	uint64_t address;               /* gpa */
};

#define DMA_ERROR       (1u << 0)
#define DMA_READ        (1u << 1)
#define DMA_SKIP        (1u << 2)
#define DMA_SELECT      (1u << 3)
#define DMA_WRITE       (1u << 4)

/*
 * Of what an operation reads behind its item's end, so many bytes are zeroed: a length of 4 GiB in one exit would hold
 * everybody up, and touch all of a guest's memory.  More is an error.
 */
#define ZEROED_MAX      (1u << 20)

#define E820_RAM        1u
#define E820_ENTRY      20u             /* bytes: gpa and size (8 each), kind (4) */
#define RAM_ABOVE       (1ull << 32)    /* where RAM goes on that the hole took the place of */
#define DIR_HEAD        4u
#define DIR_ENTRY       64u             /* size (4), key (2), nothing (2), name: big-endian */
#define DIR_NAME        8u
#define COM1            0x3f8u

#define ITEMS_MAX       16u

struct item {
	uint16_t key;
	const char *name;               /* a file's, or what people call it */
	const uint8_t *data;
	uint32_t size;
	uint8_t *owned;                 /* data, unless it is somebody else's */
};

struct fw_cfg {
	struct device dev;
	struct item item[ITEMS_MAX];    /* the files are the last ones, ascending by name, their keys ascending by one */
	unsigned nitems;
	struct state {
		uint16_t key;           /* as it was written */
		uint32_t offset;        /* into the item, at most its size */
		uint32_t dma_high;      /* the half of the address that has been written */
	} s;
};

static const struct dev_field fields[] = {
	DEV_FIELD(struct state, key, UINT16_MAX),
	DEV_FIELD(struct state, offset, UINT32_MAX),
	DEV_FIELD(struct state, dma_high, UINT32_MAX),
};

#define NFIELDS (sizeof(fields) / sizeof(fields[0]))

static const struct item *find_item(const struct fw_cfg *f, uint16_t key)
{
	static const struct item none = { .name = "none", .data = dma_signature };
	unsigned i;

	for (i = 0; i < f->nitems; i++)
		if (f->item[i].key == (key & ~KEY_WRITE))
			return &f->item[i];
	return &none;
}

static void select_item(struct fw_cfg *f, uint16_t key)
{
	f->s.key = key;
	f->s.offset = 0;
}

/* The next SIZE bytes of the item, the first one lowest; behind its end they are 0. */
static uint64_t read_data(struct fw_cfg *f, unsigned size)
{
	const struct item *it = find_item(f, f->s.key);
	uint64_t value = 0;
	unsigned i;

	for (i = 0; i < size && f->s.offset < it->size; i++)
		value |= (uint64_t)it->data[f->s.offset++] << (8 * i);
	return value;
}

/* ---- DMA ---- */

/* Copies LEN bytes to or from guest memory at GPA; false if not all of it is memory. */
static bool copy_guest(struct fw_cfg *f, uint64_t gpa, void *data, uint32_t len, bool to_guest)
{
	const struct dev_host *h = f->dev.host;
	uint32_t n;

	if (len && len - 1 > UINT64_MAX - gpa)
		return false;
	for (; len; gpa += n, data = (uint8_t *)data + n, len -= n) {
		n = len < DEV_DMA_MAX ? len : DEV_DMA_MAX;
		if (h->dma(h->arg, gpa, data, n, to_guest) != n)
			return false;
	}
	return true;
}

static bool zero_guest(struct fw_cfg *f, uint64_t gpa, uint32_t len)
{
	uint8_t zeros[4096] = { 0 };
	uint32_t n;

	if (len > ZEROED_MAX)
		return false;
	for (; len; gpa += n, len -= n) {
		n = len < sizeof(zeros) ? len : sizeof(zeros);
		if (!copy_guest(f, gpa, zeros, n, true))
			return false;
	}
	return true;
}

/* What an operation does, after its item was selected.  Returns whether it could be done. */
static bool transfer(struct fw_cfg *f, const struct descriptor *d)
{
	const struct item *it = find_item(f, f->s.key);
	uint32_t left = it->size - f->s.offset, n = d->length < left ? d->length : left;

	if (d->control & DMA_READ) {
		/* The host only reads from what goes to the guest. */
		if (!copy_guest(f, d->address, (void *)(uintptr_t)(it->data + f->s.offset), n, true))
			return false;
		f->s.offset += n;
		if (d->length == n)
			return true;
		return d->address <= UINT64_MAX - n && zero_guest(f, d->address + n, d->length - n);
	}
	if (d->control & DMA_WRITE)
		return !d->length;              /* no item can be written */
	if (d->control & DMA_SKIP)
		f->s.offset += n;
	return true;
}

/* The descriptor is at GPA; its control word is the answer. */
static void run_dma(struct fw_cfg *f, uint64_t gpa)
{
	struct descriptor d;
	uint32_t answer;
	bool done = false;

	if (copy_guest(f, gpa, &d, sizeof(d), false)) {
		d.control = be32toh(d.control);
		d.length = be32toh(d.length);
		d.address = be64toh(d.address);
		if (d.control & DMA_SELECT)
			select_item(f, (uint16_t)(d.control >> 16));
		done = transfer(f, &d);
	}
	answer = htobe32(done ? 0 : DMA_ERROR);
	copy_guest(f, gpa, &answer, sizeof(answer), true);
}

/* ---- The device ---- */

static uint64_t fw_cfg_read(struct device *d, unsigned range, uint64_t offset, unsigned size)
{
	struct fw_cfg *f = (struct fw_cfg *)d;
	uint64_t value = 0;
	unsigned i;
	uint8_t byte;

	(void)range;
	if (offset == REG_DATA)
		return read_data(f, size);
	for (i = 0; i < size; i++) {
		byte = offset + i >= REG_DMA_HIGH ? dma_signature[offset + i - REG_DMA_HIGH] : 0xff;
		value |= (uint64_t)byte << (8 * i);
	}
	return value;
}

static void fw_cfg_write(struct device *d, unsigned range, uint64_t offset, unsigned size, uint64_t value)
{
	struct fw_cfg *f = (struct fw_cfg *)d;
	uint64_t gpa;

	(void)range;
	if (offset == REG_SELECTOR && size == 2) {
		select_item(f, (uint16_t)value);
	} else if (offset == REG_DMA_HIGH && size == 4) {
		f->s.dma_high = be32toh((uint32_t)value);
	} else if (offset == REG_DMA_LOW && size == 4) {
		gpa = (uint64_t)f->s.dma_high << 32 | be32toh((uint32_t)value);
		f->s.dma_high = 0;
		run_dma(f, gpa);
	}
}

static void fw_cfg_reset(struct device *d)
{
	((struct fw_cfg *)d)->s = (struct state){ 0 };
}

static int fw_cfg_save(const struct device *d, struct dev_buf *b)
{
	return dev_fields_save(&((const struct fw_cfg *)d)->s, fields, NFIELDS, b);
}

static int fw_cfg_load(struct device *d, struct dev_buf *b, struct err *err)
{
	struct fw_cfg *f = (struct fw_cfg *)d;
	struct state s = { 0 };
	int r = dev_fields_load(&s, fields, NFIELDS, b, d->ops->name, err);

	if (r < 0)
		return r;
	if (s.offset > find_item(f, s.key)->size)
		return err_set(err, EINVAL, "%s: its saved state is past the end of an item", d->ops->name);
	f->s = s;
	return 0;
}

static void fw_cfg_show(const struct device *d, const struct dev_show *s)
{
	const struct fw_cfg *f = (const struct fw_cfg *)d;

	s->reg(s->arg, "selector", 16, f->s.key, find_item(f, f->s.key)->name);
	s->reg(s->arg, "offset", 32, f->s.offset, NULL);
	s->reg(s->arg, "dma-high", 32, f->s.dma_high, NULL);
}

static void fw_cfg_free(struct device *d)
{
	struct fw_cfg *f = (struct fw_cfg *)d;
	unsigned i;

	for (i = 0; i < f->nitems; i++)
		free(f->item[i].owned);
	free(f);
}

static const struct dev_ops fw_cfg_ops = {
	.name = "fw_cfg",
	.what = "what firmware is told of the machine",
	.reset = fw_cfg_reset,
	.save = fw_cfg_save,
	.load = fw_cfg_load,
	.free = fw_cfg_free,
	.read = fw_cfg_read,
	.write = fw_cfg_write,
	.show = fw_cfg_show,
};

/* ---- The items ---- */

/* A zeroed item of SIZE bytes, to be filled; NULL without memory. */
static uint8_t *add_item(struct fw_cfg *f, uint16_t key, const char *name, size_t size)
{
	struct item *it = &f->item[f->nitems];

	it->owned = calloc(1, size);
	if (!it->owned)
		return NULL;
	it->key = key;
	it->name = name;
	it->data = it->owned;
	it->size = (uint32_t)size;
	f->nitems++;
	return it->owned;
}

static void put(uint8_t *p, uint64_t value, unsigned size)
{
	for (; size; size--, value >>= 8)
		*p++ = (uint8_t)value;
}

static void put_be(uint8_t *p, uint64_t value, unsigned size)
{
	for (; size; value >>= 8)
		p[--size] = (uint8_t)value;
}

/* An item that is a little-endian number of SIZE bytes. */
static bool add_number(struct fw_cfg *f, uint16_t key, const char *name, uint64_t value, unsigned size)
{
	uint8_t *p = add_item(f, key, name, size);

	if (p)
		put(p, value, size);
	return p;
}

static bool add_numbers(struct fw_cfg *f, const struct fw_cfg_spec *spec)
{
	const struct {
		uint16_t key;
		const char *name;
		unsigned size;
		uint64_t value;
	} rows[] = {
		{ KEY_SIGNATURE, "signature", 4, 'Q' | 'E' << 8 | 'M' << 16 | 'U' << 24 },
		{ KEY_ID, "id", 4, ID_PORTS | ID_DMA },
		{ KEY_RAM_SIZE, "RAM size", 8, spec->ram_size },
		{ KEY_CPUS, "CPUs", 2, spec->cpus },
		{ KEY_MAX_CPUS, "most CPUs", 2, spec->cpus },
		{ KEY_IRQ0_OVERRIDE, "IRQ 0 override", 1, spec->irq0_override },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!add_number(f, rows[i].key, rows[i].name, rows[i].value, rows[i].size))
			return false;
	return true;
}

static bool make_e820(struct fw_cfg *f, const struct fw_cfg_spec *spec, uint16_t key, const char *name)
{
	uint64_t low = spec->ram_size < PC_RAM_LOW_MAX ? spec->ram_size : PC_RAM_LOW_MAX;
	const struct { uint64_t gpa, size; } ram[] = { { 0, low }, { RAM_ABOVE, spec->ram_size - low } };
	unsigned i, n = ram[1].size ? 2 : 1;
	uint8_t *p = add_item(f, key, name, n * E820_ENTRY);

	for (i = 0; p && i < n; i++, p += E820_ENTRY) {
		put(p, ram[i].gpa, 8);
		put(p + 8, ram[i].size, 8);
		put(p + 16, E820_RAM, 4);
	}
	return p;
}

/* A line a device, the last one ended by a NUL. */
static bool make_bootorder(struct fw_cfg *f, const struct fw_cfg_spec *spec, uint16_t key, const char *name)
{
	size_t i, size = 0;
	char *p;

	if (!spec->nboot_order)
		return true;
	for (i = 0; i < spec->nboot_order; i++)
		size += strlen(spec->boot_order[i]) + 1;
	p = (char *)add_item(f, key, name, size);
	for (i = 0; p && i < spec->nboot_order; i++) {
		p = stpcpy(p, spec->boot_order[i]);
		*p++ = i + 1 < spec->nboot_order ? '\n' : '\0';
	}
	return p;
}

static bool make_menu_wait(struct fw_cfg *f, const struct fw_cfg_spec *spec, uint16_t key, const char *name)
{
	(void)spec;
	return add_number(f, key, name, 0, 2);
}

static bool make_sercon(struct fw_cfg *f, const struct fw_cfg_spec *spec, uint16_t key, const char *name)
{
	(void)spec;
	return add_number(f, key, name, COM1, 2);
}

static bool make_vga_bios(struct fw_cfg *f, const struct fw_cfg_spec *spec, uint16_t key, const char *name)
{
	if (spec->vga_bios)
		f->item[f->nitems++] = (struct item){
			.key = key, .name = name, .data = spec->vga_bios, .size = (uint32_t)spec->vga_bios_size,
		};
	return true;
}

static bool add_copy(struct fw_cfg *f, const struct fw_cfg_file *file, uint16_t key, const char *name)
{
	uint8_t *p = file->data ? add_item(f, key, name, file->size) : NULL;

	if (p)
		memcpy(p, file->data, file->size);
	return p || !file->data;
}

static bool make_rsdp(struct fw_cfg *f, const struct fw_cfg_spec *spec, uint16_t key, const char *name)
{
	return add_copy(f, &spec->acpi_rsdp, key, name);
}

static bool make_tables(struct fw_cfg *f, const struct fw_cfg_spec *spec, uint16_t key, const char *name)
{
	return add_copy(f, &spec->acpi_tables, key, name);
}

static bool make_loader(struct fw_cfg *f, const struct fw_cfg_spec *spec, uint16_t key, const char *name)
{
	return add_copy(f, &spec->acpi_loader, key, name);
}

/* Ascending by name, as the directory has them.  What the specification has not got is not made. */
static const struct file {
	const char *name;
	bool (*make)(struct fw_cfg *f, const struct fw_cfg_spec *spec, uint16_t key, const char *name);
} files[] = {
	{ "bootorder", make_bootorder },
	{ "etc/acpi/rsdp", make_rsdp },
	{ "etc/acpi/tables", make_tables },
	{ "etc/boot-menu-wait", make_menu_wait },
	{ "etc/e820", make_e820 },
	{ "etc/sercon-port", make_sercon },
	{ "etc/table-loader", make_loader },
	{ "vgaroms/vgabios.bin", make_vga_bios },
};

static bool add_files(struct fw_cfg *f, const struct fw_cfg_spec *spec)
{
	unsigned first = f->nitems, i, n;
	uint8_t *p;

	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (!files[i].make(f, spec, (uint16_t)(KEY_FIRST_FILE + f->nitems - first), files[i].name))
			return false;
	n = f->nitems - first;
	p = add_item(f, KEY_DIRECTORY, "directory", DIR_HEAD + n * DIR_ENTRY);
	if (!p)
		return false;
	put_be(p, n, DIR_HEAD);
	for (i = 0, p += DIR_HEAD; i < n; i++, p += DIR_ENTRY) {
		put_be(p, f->item[first + i].size, 4);
		put_be(p + 4, f->item[first + i].key, 2);
		strcpy((char *)p + DIR_NAME, f->item[first + i].name);
	}
	return true;
}

int fw_cfg_attach(struct bus *b, const struct fw_cfg_spec *spec, struct err *err)
{
	struct fw_cfg *f = calloc(1, sizeof(*f));

	if (f && add_numbers(f, spec) && add_files(f, spec)) {
		f->dev.ops = &fw_cfg_ops;
		return bus_attach(b, &f->dev, FW_CFG_BASE, FW_CFG_PORTS, err);
	}
	if (f)
		fw_cfg_free(&f->dev);
	return err_set(err, ENOMEM, "no memory for the firmware configuration");
}
