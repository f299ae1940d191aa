/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/pci_rig.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"

struct fake_pc pc;
struct pci_bus *pci;
struct toy *a, *b;
unsigned freed;

unsigned routed, routed_pin;
bool routed_level;

static uint64_t toy_read(struct device *d, unsigned range, uint64_t offset, unsigned size)
{
	struct toy *t = (struct toy *)d;

	t->reads++;
	t->range = range;
	t->offset = (unsigned)offset;
	t->size = size;
	return t->value;
}

static void toy_write(struct device *d, unsigned range, uint64_t offset, unsigned size, uint64_t value)
{
	struct toy *t = (struct toy *)d;

	toy_read(d, range, offset, size);
	t->reads--;
	t->writes++;
	t->value = value;
}

static void toy_written(struct pci_function *f, unsigned offset, unsigned size)
{
	struct toy *t = (struct toy *)f;

	t->written++;
	t->written_offset = offset;
	t->written_size = size;
}

static void toy_reset(struct device *d)
{
	pci_reset((struct pci_function *)d);
}

static int toy_save(const struct device *d, struct dev_buf *buf)
{
	return pci_save((const struct pci_function *)d, buf);
}

static int toy_load(struct device *d, struct dev_buf *buf, struct err *err)
{
	return pci_load((struct pci_function *)d, buf, err);
}

static void toy_free(struct device *d)
{
	freed++;
	free(d);
}

static void toy_show(const struct device *d, const struct dev_show *s)
{
	pci_show((const struct pci_function *)d, s);
}

#define TOY_OPS(text) { \
	.name = text, .reset = toy_reset, .save = toy_save, .load = toy_load, .free = toy_free, .read = toy_read, \
	.write = toy_write, .show = toy_show }

const struct dev_ops ops_a = TOY_OPS("toy a"), ops_b = TOY_OPS("toy b"), ops_c = TOY_OPS("toy c"), ops_d = TOY_OPS("toy d");

const struct pci_spec spec_a = {
	.slot = 3, .function = 0, .vendor = 0x1234, .device = 0x5678, .subsystem_vendor = 0x9abc, .subsystem = 0xdef0,
	.class_code = 0x010203, .revision = 4, .irq_pin = 1, .multifunction = true, .name = "the first toy",
};
static const struct pci_spec spec_b = {
	.slot = 31, .function = 7, .vendor = 0x4321, .device = 0x8765, .irq_pin = 2, .name = "the second toy",
};

static void note_route(void *arg, unsigned pin, bool level)
{
	ck_assert_ptr_eq(arg, &routed);
	routed++;
	routed_pin = pin;
	routed_level = level;
}

struct toy *new_toy(const struct dev_ops *ops)
{
	struct toy *t = calloc(1, sizeof(*t));

	ck_assert_ptr_nonnull(t);
	t->f.dev.ops = ops;
	t->f.config_written = toy_written;
	return t;
}

struct toy *add(const struct dev_ops *ops, const struct pci_spec *spec)
{
	struct toy *t = new_toy(ops);

	ck_assert_int_eq(pci_add(pci, &t->f, spec, NULL), 0);
	ck_assert_int_eq(pci_add_bar(&t->f, BAR_PORTS, false, 16, NULL), 0);
	ck_assert_int_eq(pci_add_bar(&t->f, BAR_MEMORY, true, 4096, NULL), 0);
	ck_assert_int_eq(pci_add_bar(&t->f, BAR_WIDE, false, 256, NULL), 0);
	return t;
}

void pci_rig_init(void)
{
	freed = routed = 0;
	fake_pc_init(&pc);
	ck_assert_int_eq(pci_attach(pc.bus, &pci, NULL), 0);
	pci_set_router(pci, note_route, &routed);
	a = add(&ops_a, &spec_a);
	b = add(&ops_b, &spec_b);
}

void pci_rig_done(void)
{
	fake_pc_done(&pc);
}

uint32_t address(const struct toy *t, unsigned offset)
{
	return 0x80000000u | t->f.slot << 11 | t->f.function << 8 | (offset & 0xfc);
}

uint32_t get(const struct toy *t, unsigned offset, unsigned size)
{
	pc_out(&pc, 0xcf8, 4, address(t, offset));
	return pc_in(&pc, (uint16_t)(0xcfc + offset % 4), size);
}

void put(const struct toy *t, unsigned offset, unsigned size, uint32_t value)
{
	pc_out(&pc, 0xcf8, 4, address(t, offset));
	pc_out(&pc, (uint16_t)(0xcfc + offset % 4), size, value);
}

uint64_t mmio(uint64_t gpa, bool is_write, unsigned len, uint64_t value)
{
	uint8_t data[8];

	memcpy(data, &value, 8);
	bus_mmio(pc.bus, gpa, is_write, len, data);
	value = 0;
	memcpy(&value, data, len);
	return value;
}
