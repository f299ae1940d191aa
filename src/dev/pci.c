/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dev/pci.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ADDRESS_PORT    0xcf8
#define DATA_PORT       0xcfc
#define PORTS_EACH      4u
enum { RANGE_ADDRESS, RANGE_DATA };

#define ADDRESS_ON      0x80000000u
#define ADDRESS_BITS    0x80fffffcu

#define SLOTS           32u
#define FUNCTIONS       8u              /* of a slot */
#define PINS            4u
#define LINES           16u             /* GSIs that several may drive */
#define LINE_SOURCES    8u

#define WINDOW_OF_BAR   16u
#define BAR_IO          0x01u
#define IO_SIZE_MAX     256u            /* PCI 3.0, 6.2.5.1 */
#define MEMORY_SIZE_MAX 0x80000000u
#define MULTIFUNCTION   0x80

/* What can be changed in every function's command register; of parity and system errors there are none to report. */
#define COMMAND_WRITABLE (PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | 0x0140u | PCI_COMMAND_NO_INTX)
#define LATENCY_WRITABLE 0xf8

struct pci_bus {
	struct device dev;
	uint32_t address;                       /* the last write to 0xcf8 */
	struct pci_function *fn[SLOTS * FUNCTIONS];
	void (*route)(void *arg, unsigned pin, bool level);
	void *route_arg;
	bool pin[PINS];                         /* levels, rotated */
	uint8_t line[LINES];                    /* who drives it, a bit each */
};

static struct pci_function *selected(const struct pci_bus *pci)
{
	if (!(pci->address & ADDRESS_ON) || (pci->address >> 16 & 0xff))
		return NULL;
	return pci->fn[pci->address >> 8 & 0xff];
}

static uint16_t command_of(const struct pci_function *f)
{
	return pci_get16(f, PCI_COMMAND);
}

/* A byte as the guest reads it: the level of the pin is no stored bit. */
static uint8_t config_byte(const struct pci_function *f, unsigned offset)
{
	return f->config[offset] | (offset == PCI_STATUS && f->intx ? PCI_STATUS_INTX : 0);
}

static uint32_t bar_base(const struct pci_function *f, unsigned i)
{
	return pci_get32(f, PCI_BAR + 4 * i) & ~(f->bar[i].size - 1);
}

static bool bar_enabled(const struct pci_function *f, unsigned i)
{
	uint16_t bit = f->bar[i].memory ? PCI_COMMAND_MEMORY : PCI_COMMAND_IO;

	return (command_of(f) & bit) && bar_base(f, i);
}

static void place_bars(struct pci_function *f)
{
	unsigned i;

	for (i = 0; i < PCI_BARS; i++)
		if (f->bar[i].present)
			bus_set_window(&f->dev, f->bar[i].window, bar_base(f, i),
				       bar_enabled(f, i) ? f->bar[i].size : 0);
}

/* Boards rotate the pins so that slots spread over the four lines: on this one INTA of slot 1 is the first. */
static unsigned line_of_pin(const struct pci_function *f)
{
	return (f->slot + PINS - 1 + f->config[PCI_IRQ_PIN] - 1u) % PINS;
}

static bool asserts_intx(const struct pci_function *f)
{
	return f->intx && !(command_of(f) & PCI_COMMAND_NO_INTX);
}

static void update_intx(struct pci_function *f)
{
	struct pci_bus *pci = f->pci;
	unsigned pin = line_of_pin(f), i;
	bool level = false;

	for (i = 0; i < SLOTS * FUNCTIONS && !level; i++)
		level = pci->fn[i] && pci->fn[i]->config[PCI_IRQ_PIN] && line_of_pin(pci->fn[i]) == pin &&
			asserts_intx(pci->fn[i]);
	if (pci->pin[pin] == level)
		return;
	pci->pin[pin] = level;
	if (pci->route)
		pci->route(pci->route_arg, pin, level);
}

static uint64_t pci_read(struct device *d, unsigned range, uint64_t offset, unsigned size)
{
	const struct pci_bus *pci = (const struct pci_bus *)d;
	struct pci_function *f = selected(pci);
	unsigned at = (pci->address & 0xfc) + (unsigned)offset, i;
	uint64_t value = 0;

	if (range == RANGE_ADDRESS)
		return size == PORTS_EACH ? pci->address : UINT64_MAX;
	if (!f)
		return UINT64_MAX;
	if (f->config_read)
		f->config_read(f, at, size);
	for (i = 0; i < size; i++)
		value |= (uint64_t)config_byte(f, at + i) << (8 * i);
	return value;
}

static void config_write(struct pci_function *f, unsigned at, unsigned size, uint64_t value)
{
	unsigned i;

	for (i = at; i < at + size; i++, value >>= 8)
		f->config[i] = (uint8_t)((f->config[i] & ~f->writable[i]) | ((uint8_t)value & f->writable[i]));
	if (at < PCI_HEADER_BYTES) {
		place_bars(f);
		update_intx(f);
	}
	if (f->config_written)
		f->config_written(f, at, size);
}

static void pci_write(struct device *d, unsigned range, uint64_t offset, unsigned size, uint64_t value)
{
	struct pci_bus *pci = (struct pci_bus *)d;
	struct pci_function *f = selected(pci);

	if (range == RANGE_DATA) {
		if (f)
			config_write(f, (pci->address & 0xfc) + (unsigned)offset, size, value);
	} else if (size == PORTS_EACH) {
		pci->address = (uint32_t)value & ADDRESS_BITS;
	}
}

/* Functions are devices of their own, with resets of their own. */
static void pci_bus_reset(struct device *d)
{
	((struct pci_bus *)d)->address = 0;
}

static int pci_bus_save(const struct device *d, struct dev_buf *b)
{
	return dev_put(b, ((const struct pci_bus *)d)->address, 4);
}

static int pci_bus_load(struct device *d, struct dev_buf *b, struct err *err)
{
	uint64_t address;

	if (dev_get(b, 4, &address) < 0)
		return err_set(err, EINVAL, "%s: its saved state is truncated", d->ops->name);
	if (address & ~(uint64_t)ADDRESS_BITS)
		return err_set(err, EINVAL, "%s: its saved state is out of range", d->ops->name);
	((struct pci_bus *)d)->address = (uint32_t)address;
	return 0;
}

static void pci_bus_free(struct device *d)
{
	free(d);
}

static void pci_bus_show(const struct device *d, const struct dev_show *s)
{
	const struct pci_bus *pci = (const struct pci_bus *)d;
	char text[64] = "off";
	unsigned a = pci->address, pin;

	if (a & ADDRESS_ON)
		snprintf(text, sizeof(text), "%02x:%02x.%u register 0x%02x%s", a >> 16 & 0xff, a >> 11 & 31, a >> 8 & 7,
			 a & 0xfc, selected(pci) ? "" : ", nothing there");
	s->reg(s->arg, "CONFADD", 32, a, text);
	for (pin = 0; pin < PINS; pin++) {
		snprintf(text, sizeof(text), "PIRQ%c", 'A' + pin);
		s->reg(s->arg, text, 1, pci->pin[pin], pci->pin[pin] ? "asserted" : "idle");
	}
}

static const struct dev_ops pci_ops = {
	.name = "pci",
	.what = "PCI configuration mechanism 1",
	.reset = pci_bus_reset,
	.save = pci_bus_save,
	.load = pci_bus_load,
	.free = pci_bus_free,
	.read = pci_read,
	.write = pci_write,
	.show = pci_bus_show,
};

int pci_attach(struct bus *b, struct pci_bus **ret, struct err *err)
{
	struct pci_bus *pci = calloc(1, sizeof(*pci));
	int r;

	if (!pci)
		return err_set(err, ENOMEM, "no memory for the PCI bus");
	pci->dev.ops = &pci_ops;
	r = bus_attach(b, &pci->dev, ADDRESS_PORT, PORTS_EACH, err);
	if (r == 0)
		r = bus_attach(b, &pci->dev, DATA_PORT, PORTS_EACH, err);
	if (r == 0)
		*ret = pci;
	return r;
}

struct bus *pci_bus_of(const struct pci_bus *pci)
{
	return pci->dev.bus;
}

/* Sets SIZE bytes of the header, also as a reset leaves them, and which of their bits can be changed. */
static void set_header(struct pci_function *f, unsigned offset, unsigned size, uint32_t value, uint32_t writable)
{
	for (; size; size--, offset++, value >>= 8, writable >>= 8) {
		f->config[offset] = f->header[offset] = (uint8_t)value;
		f->writable[offset] = (uint8_t)writable;
	}
}

static void make_header(struct pci_function *f, const struct pci_spec *spec)
{
	memset(f->config, 0, PCI_HEADER_BYTES);
	memset(f->writable, 0, PCI_HEADER_BYTES);
	memset(f->header, 0, PCI_HEADER_BYTES);
	set_header(f, 0, 4, spec->vendor | (uint32_t)spec->device << 16, 0);
	set_header(f, PCI_COMMAND, 2, 0, COMMAND_WRITABLE);
	set_header(f, PCI_REVISION, 4, spec->revision | spec->class_code << 8, 0);
	set_header(f, PCI_CACHE_LINE, 1, 0, UINT8_MAX);
	set_header(f, PCI_LATENCY, 1, 0, LATENCY_WRITABLE);
	set_header(f, PCI_HEADER_TYPE, 1, spec->multifunction ? MULTIFUNCTION : 0, 0);
	set_header(f, PCI_SUBSYSTEM_VENDOR, 4, spec->subsystem_vendor | (uint32_t)spec->subsystem << 16, 0);
	set_header(f, PCI_IRQ_LINE, 1, 0, UINT8_MAX);
	set_header(f, PCI_IRQ_PIN, 1, spec->irq_pin, 0);
}

int pci_add(struct pci_bus *pci, struct pci_function *f, const struct pci_spec *spec, struct err *err)
{
	unsigned at = spec->slot * FUNCTIONS + spec->function;
	bool attached = f->dev.bus;
	int r;

	if (spec->slot >= SLOTS || spec->function >= FUNCTIONS || spec->irq_pin > PINS) {
		r = err_set(err, EINVAL, "%s: there is no PCI function %02x.%u with pin %u", f->dev.ops->name,
			    spec->slot, spec->function, spec->irq_pin);
		goto fail;
	}
	if (pci->fn[at]) {
		r = err_set(err, EEXIST, "%s: PCI function %02x.%u is %s", f->dev.ops->name, spec->slot, spec->function,
			    pci->fn[at]->dev.ops->name);
		goto fail;
	}
	if (!attached) {
		r = bus_attach_bare(pci->dev.bus, &f->dev, err);
		if (r < 0)
			return r;
	}
	f->pci = pci;
	f->name = spec->name;
	f->slot = spec->slot;
	f->function = spec->function;
	make_header(f, spec);
	pci->fn[at] = f;
	return 0;
fail:
	if (!attached)
		f->dev.ops->free(&f->dev);
	return r;
}

int pci_add_bar(struct pci_function *f, unsigned index, bool memory, uint32_t size, struct err *err)
{
	uint32_t least = memory ? 16 : 4, most = memory ? MEMORY_SIZE_MAX : IO_SIZE_MAX;
	int r;

	if (index >= PCI_BARS || f->bar[index].present || (size & (size - 1)) || size < least || size > most)
		return err_set(err, EINVAL, "%s: it cannot have %u bytes at base address register %u", f->dev.ops->name,
			       size, index);
	r = bus_add_window(f->dev.bus, &f->dev, memory ? BUS_MEMORY : BUS_PORTS, WINDOW_OF_BAR + index, err);
	if (r < 0)
		return r;
	f->bar[index].present = true;
	f->bar[index].memory = memory;
	f->bar[index].size = size;
	f->bar[index].window = WINDOW_OF_BAR + index;
	set_header(f, PCI_BAR + 4 * index, 4, memory ? 0 : BAR_IO, ~(size - 1));
	return 0;
}

void pci_reset(struct pci_function *f)
{
	memcpy(f->config, f->header, PCI_HEADER_BYTES);
	f->intx = false;
	place_bars(f);
	update_intx(f);
}

void pci_regs_reset(struct pci_function *f, const struct pci_reg *reg, size_t n)
{
	unsigned i;

	for (; n; n--, reg++) {
		for (i = 0; i < reg->size; i++) {
			f->config[reg->offset + i] = (uint8_t)(reg->reset >> (8 * i));
			f->writable[reg->offset + i] = (uint8_t)(reg->writable >> (8 * i));
		}
	}
}

int pci_save(const struct pci_function *f, struct dev_buf *b)
{
	unsigned i;
	int r = 0;

	for (i = 0; r == 0 && i < PCI_CONFIG_BYTES; i++)
		r = dev_put(b, f->config[i], 1);
	return r == 0 ? dev_put(b, f->intx, 1) : r;
}

int pci_load(struct pci_function *f, struct dev_buf *b, struct err *err)
{
	uint8_t config[PCI_CONFIG_BYTES];
	uint64_t value = 0;
	unsigned i;

	for (i = 0; i < PCI_CONFIG_BYTES; i++) {
		if (dev_get(b, 1, &value) < 0)
			return err_set(err, EINVAL, "%s: its saved state is truncated", f->dev.ops->name);
		config[i] = (uint8_t)value;
		if ((config[i] ^ f->config[i]) & ~f->writable[i])
			return err_set(err, EINVAL, "%s: its saved configuration space is not its own at 0x%02x",
				       f->dev.ops->name, i);
	}
	if (dev_get(b, 1, &value) < 0)
		return err_set(err, EINVAL, "%s: its saved state is truncated", f->dev.ops->name);
	if (value > (config[PCI_IRQ_PIN] != 0))
		return err_set(err, EINVAL, "%s: its saved state is out of range", f->dev.ops->name);
	memcpy(f->config, config, sizeof(config));
	f->intx = value;
	place_bars(f);
	update_intx(f);
	if (f->config_written)
		f->config_written(f, 0, PCI_CONFIG_BYTES);
	return 0;
}

static void show_bar(const struct pci_function *f, unsigned i, const struct dev_show *s)
{
	char name[8], text[64];

	snprintf(name, sizeof(name), "BAR%u", i);
	snprintf(text, sizeof(text), "0x%x bytes of %s at 0x%x%s", f->bar[i].size,
		 f->bar[i].memory ? "memory" : "ports", bar_base(f, i), bar_enabled(f, i) ? "" : ", off");
	s->reg(s->arg, name, 32, pci_get32(f, PCI_BAR + 4 * i), text);
}

void pci_show(const struct pci_function *f, const struct dev_show *s)
{
	uint16_t command = command_of(f);
	char text[64];
	unsigned i;

	snprintf(text, sizeof(text), "%s%s%s%s", command & PCI_COMMAND_IO ? "ports " : "",
		 command & PCI_COMMAND_MEMORY ? "memory " : "", command & PCI_COMMAND_MASTER ? "master " : "",
		 command & PCI_COMMAND_NO_INTX ? "no-interrupt " : "");
	text[text[0] ? strlen(text) - 1 : 0] = '\0';
	s->reg(s->arg, "COMMAND", 16, command, text[0] ? text : NULL);
	s->reg(s->arg, "STATUS", 16, pci_get16(f, PCI_STATUS) | (f->intx ? PCI_STATUS_INTX : 0), NULL);
	for (i = 0; i < PCI_BARS; i++)
		if (f->bar[i].present)
			show_bar(f, i, s);
	if (!f->config[PCI_IRQ_PIN])
		return;
	snprintf(text, sizeof(text), "INT%c, PIRQ%c, %s", 'A' + f->config[PCI_IRQ_PIN] - 1, 'A' + line_of_pin(f),
		 f->intx ? "asserted" : "idle");
	s->reg(s->arg, "IRQ_LINE", 8, f->config[PCI_IRQ_LINE], text);
}

void pci_regs_show(const uint8_t *byte, const struct pci_reg *reg, size_t n, const struct dev_show *s)
{
	uint32_t value;
	unsigned i;

	for (; n; n--, reg++) {
		if (!reg->name)
			continue;
		for (value = 0, i = reg->size; i-- > 0;)
			value = value << 8 | byte[reg->offset + i];
		s->reg(s->arg, reg->name, reg->size * 8u, value, NULL);
	}
}

void pci_set_intx(struct pci_function *f, bool level)
{
	if (!f->config[PCI_IRQ_PIN])
		return;
	f->intx = level;
	update_intx(f);
}

bool pci_is_master(const struct pci_function *f)
{
	return command_of(f) & PCI_COMMAND_MASTER;
}

void pci_set_router(struct pci_bus *pci, void (*route)(void *arg, unsigned pin, bool level), void *arg)
{
	pci->route = route;
	pci->route_arg = arg;
}

void pci_drive_line(struct pci_bus *pci, unsigned gsi, unsigned source, bool level)
{
	uint8_t before = pci->line[gsi], bit = (uint8_t)(1u << source);

	pci->line[gsi] = level ? before | bit : before & (uint8_t)~bit;
	if (!before != !pci->line[gsi])
		pci->dev.host->irq(pci->dev.host->arg, gsi, level);
}

const struct pci_function *pci_at(const struct pci_bus *pci, size_t index)
{
	unsigned i;

	for (i = 0; i < SLOTS * FUNCTIONS; i++)
		if (pci->fn[i] && index-- == 0)
			return pci->fn[i];
	return NULL;
}

static void describe(const struct pci_function *f, struct pci_info *ret)
{
	unsigned i;

	*ret = (struct pci_info){
		.slot = f->slot,
		.function = f->function,
		.vendor = pci_get16(f, 0),
		.device = pci_get16(f, 2),
		.class_code = pci_get32(f, PCI_REVISION) >> 8,
		.revision = f->config[PCI_REVISION],
		.irq_pin = f->config[PCI_IRQ_PIN],
		.irq_line = f->config[PCI_IRQ_LINE],
		.name = f->name,
	};
	for (i = 0; i < PCI_BARS; i++) {
		if (f->bar[i].present)
			ret->bar[i] = (struct pci_bar){ .present = true, .memory = f->bar[i].memory,
				.enabled = bar_enabled(f, i), .base = bar_base(f, i), .size = f->bar[i].size };
	}
	for (i = 0; i < PCI_CONFIG_BYTES; i++)
		ret->config[i] = config_byte(f, i);
}

bool pci_describe(struct pci_bus *pci, size_t index, struct pci_info *ret)
{
	const struct pci_function *f;

	bus_lock(pci->dev.bus);
	f = pci_at(pci, index);
	if (f)
		describe(f, ret);
	bus_unlock(pci->dev.bus);
	return f;
}
