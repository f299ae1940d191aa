/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dev/pci.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fake_pc.h"
#include "tests/unit.h"

/* A function with a BAR of 16 ports, one of 4 KiB of memory and one of 256 ports; notes what came. */
struct toy {
	struct pci_function f;
	unsigned reads, writes, range, offset, size;
	uint64_t value;
	unsigned written, written_offset, written_size;
};

enum { BAR_PORTS = 0, BAR_MEMORY = 1, BAR_WIDE = 5 };

static unsigned freed;

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

static int toy_save(const struct device *d, struct dev_buf *b)
{
	return pci_save((const struct pci_function *)d, b);
}

static int toy_load(struct device *d, struct dev_buf *b, struct err *err)
{
	return pci_load((struct pci_function *)d, b, err);
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

static const struct dev_ops ops_a = TOY_OPS("toy a"), ops_b = TOY_OPS("toy b");

static const struct pci_spec spec_a = {
	.slot = 3, .function = 0, .vendor = 0x1234, .device = 0x5678, .subsystem_vendor = 0x9abc, .subsystem = 0xdef0,
	.class_code = 0x010203, .revision = 4, .irq_pin = 1, .multifunction = true, .name = "the first toy",
};
static const struct pci_spec spec_b = {
	.slot = 31, .function = 7, .vendor = 0x4321, .device = 0x8765, .irq_pin = 2, .name = "the second toy",
};

static struct fake_pc pc;
static struct pci_bus *pci;
static struct toy *a, *b;

/* What reached the router. */
static unsigned routed, routed_pin;
static bool routed_level;

static void note_route(void *arg, unsigned pin, bool level)
{
	ck_assert_ptr_eq(arg, &routed);
	routed++;
	routed_pin = pin;
	routed_level = level;
}

static struct toy *new_toy(const struct dev_ops *ops)
{
	struct toy *t = calloc(1, sizeof(*t));

	ck_assert_ptr_nonnull(t);
	t->f.dev.ops = ops;
	t->f.config_written = toy_written;
	return t;
}

static struct toy *add(const struct dev_ops *ops, const struct pci_spec *spec)
{
	struct toy *t = new_toy(ops);

	ck_assert_int_eq(pci_add(pci, &t->f, spec, NULL), 0);
	ck_assert_int_eq(pci_add_bar(&t->f, BAR_PORTS, false, 16, NULL), 0);
	ck_assert_int_eq(pci_add_bar(&t->f, BAR_MEMORY, true, 4096, NULL), 0);
	ck_assert_int_eq(pci_add_bar(&t->f, BAR_WIDE, false, 256, NULL), 0);
	return t;
}

static void setup(void)
{
	freed = routed = 0;
	fake_pc_init(&pc);
	ck_assert_int_eq(pci_attach(pc.bus, &pci, NULL), 0);
	pci_set_router(pci, note_route, &routed);
	a = add(&ops_a, &spec_a);
	b = add(&ops_b, &spec_b);
}

static void teardown(void)
{
	fake_pc_done(&pc);
}

static uint32_t address(const struct toy *t, unsigned offset)
{
	return 0x80000000u | t->f.slot << 11 | t->f.function << 8 | (offset & 0xfc);
}

static uint32_t get(const struct toy *t, unsigned offset, unsigned size)
{
	pc_out(&pc, 0xcf8, 4, address(t, offset));
	return pc_in(&pc, (uint16_t)(0xcfc + offset % 4), size);
}

static void put(const struct toy *t, unsigned offset, unsigned size, uint32_t value)
{
	pc_out(&pc, 0xcf8, 4, address(t, offset));
	pc_out(&pc, (uint16_t)(0xcfc + offset % 4), size, value);
}

static uint64_t mmio(uint64_t gpa, bool is_write, unsigned len, uint64_t value)
{
	uint8_t data[8];

	memcpy(data, &value, 8);
	bus_mmio(pc.bus, gpa, is_write, len, data);
	value = 0;
	memcpy(&value, data, len);
	return value;
}

START_TEST(addresses_are_dwords)
{
	ck_assert_uint_eq(pc_in(&pc, 0xcf8, 4), 0);
	pc_out(&pc, 0xcf8, 4, 0xffffffff);
	ck_assert_uint_eq(pc_in(&pc, 0xcf8, 4), 0x80fffffc);
	pc_out(&pc, 0xcf8, 4, 0x80001804);
	/* Narrower accesses are not the register's. */
	pc_out(&pc, 0xcf8, 1, 0xff);
	pc_out(&pc, 0xcf8, 2, 0xffff);
	pc_out(&pc, 0xcf9, 1, 0xff);
	pc_out(&pc, 0xcfa, 2, 0xffff);
	pc_out(&pc, 0xcfb, 1, 0xff);
	ck_assert_uint_eq(pc_in(&pc, 0xcf8, 4), 0x80001804);
	ck_assert_uint_eq(pc_in(&pc, 0xcf8, 1), 0xff);
	ck_assert_uint_eq(pc_in(&pc, 0xcf8, 2), 0xffff);
	ck_assert_uint_eq(pc_in(&pc, 0xcfb, 1), 0xff);
	/* One that begins there and ends in the data is cut: the two bytes of data count. */
	put(a, 0x04, 2, 0);
	pc_out(&pc, 0xcfa, 4, 0x0003ffff);
	ck_assert_uint_eq(pc_in(&pc, 0xcf8, 4), 0x80001804);
	ck_assert_uint_eq(get(a, 0x04, 2), 3);
	ck_assert_uint_eq(pc_in(&pc, 0xcfa, 4), 0x0003ffff);
}
END_TEST

START_TEST(header_is_what_the_spec_says)
{
	static const struct { unsigned offset, size; uint32_t value; } want[] = {
		{ 0x00, 4, 0x56781234 }, { 0x00, 2, 0x1234 }, { 0x02, 2, 0x5678 }, { 0x01, 1, 0x12 },
		{ 0x01, 2, 0x7812 }, { 0x04, 4, 0 }, { 0x08, 4, 0x01020304 }, { 0x09, 1, 3 }, { 0x0b, 1, 1 },
		{ 0x0e, 1, 0x80 },
		{ 0x2c, 4, 0xdef09abc }, { 0x2f, 1, 0xde }, { 0x30, 4, 0 }, { 0x34, 4, 0 }, { 0x3c, 2, 0x0100 },
		{ 0x10, 4, 1 }, { 0x14, 4, 0 }, { 0x18, 4, 0 }, { 0x24, 4, 1 }, { 0xfc, 4, 0 },
		/* What does not fit the four ports is nobody's. */
		{ 0x03, 4, 0xffffff56 }, { 0x02, 4, 0xffff5678 }, { 0x03, 2, 0xff56 },
	};
	size_t i;

	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		ck_assert_msg(get(a, want[i].offset, want[i].size) == want[i].value, "0x%x: 0x%x", want[i].offset,
			      get(a, want[i].offset, want[i].size));
	ck_assert_uint_eq(get(b, 0x0e, 1), 0);
	ck_assert_uint_eq(get(b, 0x00, 4), 0x87654321);
	/* Written over with ones, only what may be has changed. */
	for (i = 0; i < 256; i += 4)
		put(a, (unsigned)i, 4, 0xffffffff);
	ck_assert_uint_eq(get(a, 0x00, 4), 0x56781234);
	ck_assert_uint_eq(get(a, 0x04, 4), 0x0547);
	ck_assert_uint_eq(get(a, 0x08, 4), 0x01020304);
	ck_assert_uint_eq(get(a, 0x0c, 4), 0x0080f8ff);
	ck_assert_uint_eq(get(a, 0x18, 4), 0);
	ck_assert_uint_eq(get(a, 0x2c, 4), 0xdef09abc);
	ck_assert_uint_eq(get(a, 0x30, 4), 0);
	ck_assert_uint_eq(get(a, 0x3c, 4), 0x01ff);
	for (i = 0x40; i < 256; i += 4)
		ck_assert_uint_eq(get(a, (unsigned)i, 4), 0);
}
END_TEST

START_TEST(nobody_answers_with_ones)
{
	static const uint32_t elsewhere[] = {
		0x80000000, 0x80001000, 0x80001900, 0x8000f000, 0x8000f800, 0x80011800, 0x80ffff00, 0x00001800, 0,
	};
	struct dev_buf before = { 0 }, after = { 0 };
	size_t i;

	fake_pc_save(&pc, &before);
	for (i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++) {
		pc_out(&pc, 0xcf8, 4, elsewhere[i]);
		ck_assert_uint_eq(pc_in(&pc, 0xcfc, 4), 0xffffffff);
		ck_assert_uint_eq(pc_in(&pc, 0xcfd, 1), 0xff);
		ck_assert_uint_eq(pc_in(&pc, 0xcfe, 2), 0xffff);
		pc_out(&pc, 0xcfc, 4, 0);
	}
	pc_out(&pc, 0xcf8, 4, 0);
	fake_pc_save(&pc, &after);
	ck_assert_mem_eq(before.data, after.data, before.len);
	free(before.data);
	free(after.data);
}
END_TEST

START_TEST(writes_have_widths)
{
	memset(a->f.writable + 0x40, 0xff, 4);
	a->f.writable[0x42] = 0x0f;
	put(a, 0x40, 4, 0x44332211);
	ck_assert_uint_eq(get(a, 0x40, 4), 0x44032211);
	ck_assert_uint_eq(a->written, 1);
	ck_assert_uint_eq(a->written_offset, 0x40);
	ck_assert_uint_eq(a->written_size, 4);
	put(a, 0x41, 1, 0xaabbccdd);
	ck_assert_uint_eq(get(a, 0x40, 4), 0x4403dd11);
	ck_assert_uint_eq(a->written_offset, 0x41);
	ck_assert_uint_eq(a->written_size, 1);
	put(a, 0x42, 2, 0x1234);
	ck_assert_uint_eq(get(a, 0x40, 4), 0x1204dd11);
	ck_assert_uint_eq(a->written_size, 2);
	/* Over the end of the ports: the byte inside counts, and the register behind is another's. */
	put(a, 0x43, 4, 0x99887766);
	ck_assert_uint_eq(get(a, 0x40, 4), 0x6604dd11);
	ck_assert_uint_eq(get(a, 0x44, 4), 0);
}
END_TEST

static const struct {
	unsigned bar;
	uint32_t sized, base, command, at;
} bars[] = {
	{ BAR_PORTS, 0xfffffff1, 0xc001, 1, 0xc000 },
	{ BAR_WIDE, 0xffffff01, 0xc101, 1, 0xc100 },
	{ BAR_MEMORY, 0xfffff000, 0xfebf1000, 2, 0xfebf1000 },
};

/* A byte at AT, in the space that the tested BAR is of. */
static uint8_t probe(int i, uint32_t at)
{
	return (uint8_t)(bars[i].bar == BAR_MEMORY ? mmio(at, false, 1, 0) : pc_in(&pc, (uint16_t)at, 1));
}

START_TEST(bars_tell_their_size_and_move)
{
	unsigned bar = bars[_i].bar, reg = 0x10 + 4 * bar;
	struct pci_info info;

	put(a, reg, 4, 0xffffffff);
	ck_assert_uint_eq(get(a, reg, 4), bars[_i].sized);
	put(a, reg, 4, bars[_i].base | 0x6);
	ck_assert_uint_eq(get(a, reg, 4), bars[_i].base);
	a->value = 0x11;
	/* The command register lets accesses in, each bit those of its space. */
	ck_assert_uint_eq(probe(_i, bars[_i].at), 0xff);
	put(a, 0x04, 2, bars[_i].command ^ 3);
	ck_assert_uint_eq(probe(_i, bars[_i].at), 0xff);
	ck_assert(pci_describe(pci, 0, &info));
	ck_assert(info.bar[bar].present && !info.bar[bar].enabled);
	put(a, 0x04, 2, bars[_i].command);
	ck_assert_uint_eq(probe(_i, bars[_i].at), 0x11);
	ck_assert_uint_eq(a->reads, 1);
	ck_assert_uint_eq(a->range, 16 + bar);
	ck_assert(pci_describe(pci, 0, &info));
	ck_assert(info.bar[bar].enabled);
	ck_assert_uint_eq(info.bar[bar].base, bars[_i].at);
	/* Off again, and at 0: nowhere. */
	put(a, 0x04, 2, 0);
	ck_assert_uint_eq(probe(_i, bars[_i].at), 0xff);
	put(a, 0x04, 2, 3);
	put(a, reg, 4, 0);
	ck_assert_uint_eq(probe(_i, 0), 0xff);
	/* A reset takes it away, and the base with it. */
	put(a, reg, 4, bars[_i].base);
	bus_reset(pc.bus);
	ck_assert_uint_eq(get(a, reg, 4), bar != BAR_MEMORY);
	ck_assert_uint_eq(probe(_i, bars[_i].at), 0xff);
	put(a, 0x04, 2, 3);
	ck_assert_uint_eq(probe(_i, bars[_i].at), 0xff);
	ck_assert_uint_eq(a->reads, 1);
}
END_TEST

START_TEST(windows_see_offsets_and_widths)
{
	put(a, 0x10, 4, 0xc001);
	put(a, 0x14, 4, 0xe0000000);
	put(a, 0x04, 2, 3);
	pc_out(&pc, 0xc004, 4, 0x12345678);
	ck_assert_uint_eq(a->offset, 4);
	ck_assert_uint_eq(a->size, 4);
	ck_assert_uint_eq(a->value, 0x12345678);
	pc_out(&pc, 0xc00f, 2, 0xbbaa);         /* the second byte is outside */
	ck_assert_uint_eq(a->offset, 15);
	ck_assert_uint_eq(a->size, 1);
	ck_assert_uint_eq(a->value, 0xaa);
	ck_assert_uint_eq(a->writes, 2);
	pc_out(&pc, 0xbfff, 2, 0xddcc);
	ck_assert_uint_eq(a->offset, 0);
	ck_assert_uint_eq(a->value, 0xdd);
	mmio(0xe0000ff8, true, 8, 0x1122334455667788);
	ck_assert_uint_eq(a->range, 16 + BAR_MEMORY);
	ck_assert_uint_eq(a->offset, 0xff8);
	ck_assert_uint_eq(a->size, 8);
	ck_assert(a->value == 0x1122334455667788);
	mmio(0xe0000ffe, true, 4, 0xddccbbaa);
	ck_assert_uint_eq(a->offset, 0xfff);
	ck_assert_uint_eq(a->value, 0xbb);
	a->value = 0x7f;
	ck_assert_uint_eq(mmio(0xe0000fff, false, 2, 0), 0xff7f);
	/* Ports end at 0xffff: a base beyond is nowhere. */
	put(a, 0x10, 4, 0x1c001);
	ck_assert_uint_eq(pc_in(&pc, 0xc000, 4), 0xffffffff);
	put(a, 0x24, 4, 0xff01);
	ck_assert_uint_eq(pc_in(&pc, 0xffff, 1), 0x7f);
	ck_assert_uint_eq(a->offset, 0xff);
	ck_assert_uint_eq(a->range, 16 + BAR_WIDE);
}
END_TEST

START_TEST(windows_may_lie_on_each_other)
{
	put(a, 0x04, 2, 3);
	put(b, 0x04, 2, 3);
	a->value = 0xaa;
	b->value = 0xbb;
	/* The one made first wins, whoever came there first. */
	put(b, 0x10, 4, 0xc000);
	put(a, 0x24, 4, 0xc000);
	ck_assert_uint_eq(pc_in(&pc, 0xc00f, 1), 0xaa);
	put(a, 0x24, 4, 0xd000);
	ck_assert_uint_eq(pc_in(&pc, 0xc00f, 1), 0xbb);
	put(a, 0x10, 4, 0xc000);
	put(a, 0x24, 4, 0xc000);
	pc_in(&pc, 0xc000, 1);
	ck_assert_uint_eq(a->range, 16);
	pc_in(&pc, 0xc010, 1);
	ck_assert_uint_eq(a->range, 16 + BAR_WIDE);
	/* Fixed ports stay whose they are: configuration can always move it away again. */
	put(a, 0x24, 4, 0x0c00);
	ck_assert_uint_eq(pc_in(&pc, 0xcf0, 1), 0xaa);
	ck_assert_uint_eq(pc_in(&pc, 0xcf8, 4), address(a, 0x24));
	ck_assert_uint_eq(get(a, 0x24, 4), 0x0c01);
	put(a, 0x24, 4, 0xd000);
	ck_assert_uint_eq(pc_in(&pc, 0xcf0, 1), 0xff);
	put(a, 0x14, 4, 0xe0000000);
	put(b, 0x14, 4, 0xe0000000);
	ck_assert_uint_eq(mmio(0xe0000000, false, 1, 0), 0xaa);
	put(a, 0x04, 2, 0);
	ck_assert_uint_eq(mmio(0xe0000000, false, 1, 0), 0xbb);
}
END_TEST

START_TEST(pins_are_shared_and_rotated)
{
	/* INTA of slot 3 and INTB of slot 31 are the same line: (3 - 1 + 0) % 4, (31 - 1 + 1) % 4 is not. */
	pci_set_intx(&a->f, true);
	ck_assert_uint_eq(routed, 1);
	ck_assert_uint_eq(routed_pin, 2);
	ck_assert(routed_level);
	ck_assert_uint_eq(get(a, 0x06, 2), 0x0008);
	pci_set_intx(&a->f, true);
	ck_assert_uint_eq(routed, 1);
	pci_set_intx(&b->f, true);
	ck_assert_uint_eq(routed, 2);
	ck_assert_uint_eq(routed_pin, 3);
	pci_set_intx(&b->f, false);
	/* The command register can keep it back; status shows it all the same. */
	put(a, 0x04, 2, 0x400);
	ck_assert_uint_eq(routed, 4);
	ck_assert_uint_eq(routed_pin, 2);
	ck_assert(!routed_level);
	ck_assert_uint_eq(get(a, 0x06, 2), 0x0008);
	put(a, 0x04, 2, 0);
	ck_assert_uint_eq(routed, 5);
	ck_assert(routed_level);
	bus_reset(pc.bus);
	ck_assert_uint_eq(routed, 6);
	ck_assert(!routed_level);
	ck_assert_uint_eq(get(a, 0x06, 2), 0);
}
END_TEST

START_TEST(a_line_is_high_while_anybody_drives_it)
{
	static const struct pci_spec same = { .slot = 2, .irq_pin = 2, .vendor = 1, .name = "same line" };
	static const struct pci_spec none = { .slot = 4, .vendor = 1, .name = "no pin" };
	static const struct dev_ops ops_c = TOY_OPS("toy c"), ops_d = TOY_OPS("toy d");
	struct toy *c = add(&ops_c, &same), *d = add(&ops_d, &none);

	pci_set_intx(&a->f, true);
	pci_set_intx(&c->f, true);
	pci_set_intx(&a->f, false);
	ck_assert_uint_eq(routed, 1);
	pci_set_intx(&c->f, false);
	ck_assert_uint_eq(routed, 2);
	ck_assert(!routed_level);
	pci_set_intx(&d->f, true);
	ck_assert_uint_eq(routed, 2);
	ck_assert_uint_eq(get(d, 0x06, 2), 0);

	pci_drive_line(pci, 11, 0, true);
	pci_drive_line(pci, 11, 4, true);
	ck_assert_uint_eq(pc.irqs, 1);
	pci_drive_line(pci, 11, 0, false);
	pci_drive_line(pci, 11, 0, false);
	ck_assert(pc.level[11]);
	pci_drive_line(pci, 11, 4, false);
	ck_assert(!pc.level[11]);
	ck_assert_uint_eq(pc.irqs, 2);
}
END_TEST

START_TEST(bus_master)
{
	ck_assert(!pci_is_master(&a->f));
	put(a, 0x04, 1, 4);
	ck_assert(pci_is_master(&a->f));
	ck_assert(!pci_is_master(&b->f));
}
END_TEST

START_TEST(functions_are_listed)
{
	struct pci_info info;

	ck_assert_ptr_eq(pci_at(pci, 0), &a->f);
	ck_assert_ptr_eq(pci_at(pci, 1), &b->f);
	ck_assert_ptr_null(pci_at(pci, 2));
	put(a, 0x3c, 1, 11);
	put(a, 0x14, 4, 0xfebf0000);
	put(a, 0x04, 2, 2);
	pci_set_intx(&a->f, true);
	ck_assert(pci_describe(pci, 0, &info));
	ck_assert_uint_eq(info.bus, 0);
	ck_assert_uint_eq(info.slot, 3);
	ck_assert_uint_eq(info.function, 0);
	ck_assert_uint_eq(info.vendor, 0x1234);
	ck_assert_uint_eq(info.device, 0x5678);
	ck_assert_uint_eq(info.class_code, 0x010203);
	ck_assert_uint_eq(info.revision, 4);
	ck_assert_uint_eq(info.irq_pin, 1);
	ck_assert_uint_eq(info.irq_line, 11);
	ck_assert_str_eq(info.name, "the first toy");
	ck_assert(info.bar[1].present && info.bar[1].memory && info.bar[1].enabled);
	ck_assert_uint_eq(info.bar[1].base, 0xfebf0000);
	ck_assert_uint_eq(info.bar[1].size, 4096);
	ck_assert(info.bar[0].present && !info.bar[0].memory && !info.bar[0].enabled);
	ck_assert_uint_eq(info.bar[0].size, 16);
	ck_assert(!info.bar[2].present);
	ck_assert_uint_eq(info.config[0x3c], 11);
	ck_assert_uint_eq(info.config[0x06], 0x08);
	ck_assert_uint_eq(info.config[0x03], 0x56);
	ck_assert(pci_describe(pci, 1, &info));
	ck_assert_uint_eq(info.slot, 31);
	ck_assert_uint_eq(info.function, 7);
	ck_assert(!pci_describe(pci, 2, &info));
	ck_assert_uint_eq(info.slot, 31);
}
END_TEST

/* Collects what show() says as "NAME=value TEXT" lines. */
static char shown[2048];

static void note_reg(void *arg, const char *name, unsigned bits, uint64_t value, const char *text)
{
	size_t n = strlen(shown);

	(void)arg;
	snprintf(shown + n, sizeof(shown) - n, "%s/%u=0x%llx %s\n", name, bits, (unsigned long long)value,
		 text ? text : "-");
}

static const struct dev_show show = { .reg = note_reg };

START_TEST(registers_are_shown)
{
	put(a, 0x10, 4, 0xc000);
	put(a, 0x04, 2, 5);
	put(a, 0x3c, 1, 10);
	pci_set_intx(&a->f, true);
	shown[0] = '\0';
	pci_show(&a->f, &show);
	ck_assert_str_eq(shown,
		"COMMAND/16=0x5 ports master\n"
		"STATUS/16=0x8 -\n"
		"BAR0/32=0xc001 0x10 bytes of ports at 0xc000\n"
		"BAR1/32=0x0 0x1000 bytes of memory at 0x0, off\n"
		"BAR5/32=0x1 0x100 bytes of ports at 0x0, off\n"
		"IRQ_LINE/8=0xa INTA, PIRQC, asserted\n");
	shown[0] = '\0';
	put(b, 0x04, 2, 0);
	pci_show(&b->f, &show);
	ck_assert_ptr_nonnull(strstr(shown, "COMMAND/16=0x0 -\n"));
	shown[0] = '\0';
	bus_device(pc.bus, 0)->ops->show(bus_device(pc.bus, 0), &show);
	ck_assert_str_eq(shown, "CONFADD/32=0x8000ff04 00:1f.7 register 0x04\nPIRQA/1=0x0 idle\nPIRQB/1=0x0 idle\n"
			 "PIRQC/1=0x1 asserted\nPIRQD/1=0x0 idle\n");
	pc_out(&pc, 0xcf8, 4, 0x80010000);
	shown[0] = '\0';
	bus_device(pc.bus, 0)->ops->show(bus_device(pc.bus, 0), &show);
	ck_assert_ptr_nonnull(strstr(shown, "01:00.0 register 0x00, nothing there\n"));
}
END_TEST

static int try_add(unsigned slot, unsigned function, unsigned pin, struct err *err)
{
	struct pci_spec spec = { .slot = slot, .function = function, .irq_pin = (uint8_t)pin, .name = "x" };

	return pci_add(pci, &new_toy(&ops_b)->f, &spec, err);
}

START_TEST(wrong_places_are_refused)
{
	struct err err = { 0 };
	struct toy *t;

	ck_assert_int_eq(try_add(3, 0, 0, &err), -EEXIST);
	ck_assert_str_eq(err.msg, "toy b: PCI function 03.0 is toy a");
	ck_assert_int_eq(try_add(32, 0, 0, &err), -EINVAL);
	ck_assert_int_eq(try_add(0, 8, 0, &err), -EINVAL);
	ck_assert_int_eq(try_add(0, 0, 5, &err), -EINVAL);
	ck_assert_uint_eq(freed, 4);
	/* One that has ports of its own stays with the bus. */
	t = new_toy(&ops_b);
	ck_assert_int_eq(bus_attach(pc.bus, &t->f.dev, 0x1f0, 8, NULL), 0);
	ck_assert_int_eq(pci_add(pci, &t->f, &spec_a, &err), -EEXIST);
	ck_assert_uint_eq(freed, 4);
	ck_assert_ptr_eq(pci_bus_of(pci), pc.bus);
	ck_assert_int_eq(pci_attach(pc.bus, &pci, &err), -EEXIST);
}
END_TEST

/* Whatever is full first, the bus or PCI: what was added stays, and what was not is gone. */
START_TEST(functions_run_out)
{
	unsigned at, added = 2, refused = 0;
	int r;

	for (at = 0; at < 256; at++) {
		r = try_add(at / 8, at % 8, 0, NULL);
		ck_assert(r == 0 || r == -EEXIST || r == -ENOSPC);
		added += r == 0;
		refused += r < 0;
	}
	ck_assert_uint_eq(freed, refused);
	ck_assert_ptr_nonnull(pci_at(pci, added - 1));
	ck_assert_ptr_null(pci_at(pci, added));
	fake_pc_done(&pc);
	ck_assert_uint_eq(freed, refused + added);
	fake_pc_init(&pc);
}
END_TEST

START_TEST(wrong_bars_are_refused)
{
	static const struct { unsigned index; bool memory; uint32_t size; } bad[] = {
		{ 6, true, 16 }, { 0, true, 16 }, { 2, true, 8 }, { 2, true, 0 }, { 2, true, 48 }, { 2, false, 2 },
		{ 2, false, 512 }, { 2, false, 24 }, { UINT32_MAX, false, 16 },
	};
	struct err err = { 0 };
	unsigned i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_int_eq(pci_add_bar(&a->f, bad[i].index, bad[i].memory, bad[i].size, &err), -EINVAL);
	ck_assert_uint_eq(get(a, 0x18, 4), 0);
	ck_assert_int_eq(pci_add_bar(&a->f, 2, true, 0x80000000, &err), 0);
	ck_assert_int_eq(pci_add_bar(&a->f, 3, true, 16, &err), 0);
	ck_assert_int_eq(pci_add_bar(&a->f, 4, false, 4, &err), 0);
	put(a, 0x18, 4, 0xffffffff);
	ck_assert_uint_eq(get(a, 0x18, 4), 0x80000000);
	put(a, 0x20, 4, 0xffffffff);
	ck_assert_uint_eq(get(a, 0x20, 4), 0xfffffffd);
}
END_TEST

static void fill(void)
{
	put(a, 0x10, 4, 0xc000);
	put(a, 0x14, 4, 0xe0000000);
	put(a, 0x04, 2, 7);
	put(b, 0x24, 4, 0xd000);
	put(b, 0x04, 2, 1);
	pci_set_intx(&a->f, true);
}

START_TEST(state_comes_back)
{
	struct dev_buf buf = { 0 };
	unsigned written;

	fill();
	fake_pc_round_trip(&pc);
	fake_pc_save(&pc, &buf);
	a->value = 0x5a;
	b->value = 0xa5;
	bus_reset(pc.bus);
	ck_assert_uint_eq(pc_in(&pc, 0xc000, 1), 0xff);
	ck_assert(!routed_level);
	written = a->written;
	ck_assert_int_eq(bus_load(pc.bus, &buf, NULL), 0);
	ck_assert_uint_eq(a->written, written + 1);
	ck_assert_uint_eq(a->written_offset, 0);
	ck_assert_uint_eq(a->written_size, 256);
	/* The address, windows and pins too. */
	ck_assert_uint_eq(pc_in(&pc, 0xcf8, 4), address(b, 0x04));
	ck_assert_uint_eq(pc_in(&pc, 0xc000, 1), 0x5a);
	ck_assert_uint_eq(mmio(0xe0000000, false, 1, 0), 0x5a);
	ck_assert_uint_eq(pc_in(&pc, 0xd0ff, 1), 0xa5);
	ck_assert(routed_level);
	ck_assert_uint_eq(routed_pin, 2);
	free(buf.data);
}
END_TEST

/* Where NAME's state begins in a bus_save() buffer. */
static size_t find_state(const struct dev_buf *buf, const char *name)
{
	uint8_t *p = memmem(buf->data, buf->len, name, strlen(name));

	ck_assert_ptr_nonnull(p);
	return (size_t)(p - buf->data) + strlen(name) + 4;
}

static const struct {
	const char *name;
	unsigned at;
	uint8_t flip;
} bad[] = {
	{ "pci", 0, 1 }, { "pci", 0, 2 }, { "pci", 3, 0x01 }, { "pci", 3, 0x40 },
	{ "toy a", 0x00, 1 }, { "toy a", 0x03, 0x80 }, { "toy a", 0x05, 0x80 }, { "toy a", 0x06, 0x08 },
	{ "toy a", 0x0b, 1 }, { "toy a", 0x0e, 0x80 }, { "toy a", 0x10, 0x01 }, { "toy a", 0x10, 0x08 },
	{ "toy a", 0x14, 0x01 }, { "toy a", 0x15, 0x08 }, { "toy a", 0x18, 0x10 }, { "toy a", 0x3d, 2 },
	{ "toy a", 0xff, 1 }, { "toy a", 0x100, 2 }, { "toy b", 0x2c, 1 }, { "toy b", 0x100, 0x80 },
};

START_TEST(nonsense_changes_nothing)
{
	struct dev_buf buf = { 0 }, before = { 0 }, after = { 0 };
	struct err err = { 0 };

	fake_pc_save(&pc, &buf);
	fill();
	fake_pc_save(&pc, &before);
	buf.data[find_state(&buf, bad[_i].name) + bad[_i].at] ^= bad[_i].flip;
	ck_assert_int_eq(bus_load(pc.bus, &buf, &err), -EINVAL);
	ck_assert_msg(strncmp(err.msg, bad[_i].name, strlen(bad[_i].name)) == 0, "%s", err.msg);
	fake_pc_save(&pc, &after);
	ck_assert_uint_eq(before.len, after.len);
	ck_assert_mem_eq(before.data, after.data, before.len);
	a->value = 0x5a;
	ck_assert_uint_eq(pc_in(&pc, 0xc000, 1), 0x5a);
	ck_assert(routed_level);
	free(buf.data);
	free(before.data);
	free(after.data);
}
END_TEST

#define COUNT(a) (int)(sizeof(a) / sizeof((a)[0]))

int main(void)
{
	Suite *s = suite_create("pci");
	TCase *t = tcase_create("pci");

	tcase_set_timeout(t, 30);       /* a busy host */
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, addresses_are_dwords);
	tcase_add_test(t, header_is_what_the_spec_says);
	tcase_add_test(t, nobody_answers_with_ones);
	tcase_add_test(t, writes_have_widths);
	tcase_add_loop_test(t, bars_tell_their_size_and_move, 0, COUNT(bars));
	tcase_add_test(t, windows_see_offsets_and_widths);
	tcase_add_test(t, windows_may_lie_on_each_other);
	tcase_add_test(t, pins_are_shared_and_rotated);
	tcase_add_test(t, a_line_is_high_while_anybody_drives_it);
	tcase_add_test(t, bus_master);
	tcase_add_test(t, functions_are_listed);
	tcase_add_test(t, registers_are_shown);
	tcase_add_test(t, wrong_places_are_refused);
	tcase_add_test(t, functions_run_out);
	tcase_add_test(t, wrong_bars_are_refused);
	tcase_add_test(t, state_comes_back);
	tcase_add_loop_test(t, nonsense_changes_nothing, 0, COUNT(bad));
	suite_add_tcase(s, t);
	return unit_main(s);
}
