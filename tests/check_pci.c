/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Configuration space as it is read and written, interrupt pins, what is on the bus, and its saved state. */
#include "tests/pci_rig.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"

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

int main(void)
{
	Suite *s = suite_create("pci");
	TCase *t = tcase_create("pci");

	tcase_set_timeout(t, 30);       /* a busy host */
	tcase_add_checked_fixture(t, pci_rig_init, pci_rig_done);
	tcase_add_test(t, addresses_are_dwords);
	tcase_add_test(t, header_is_what_the_spec_says);
	tcase_add_test(t, nobody_answers_with_ones);
	tcase_add_test(t, writes_have_widths);
	tcase_add_test(t, pins_are_shared_and_rotated);
	tcase_add_test(t, a_line_is_high_while_anybody_drives_it);
	tcase_add_test(t, bus_master);
	tcase_add_test(t, functions_are_listed);
	tcase_add_test(t, registers_are_shown);
	tcase_add_test(t, wrong_places_are_refused);
	tcase_add_test(t, functions_run_out);
	tcase_add_test(t, state_comes_back);
	tcase_add_loop_test(t, nonsense_changes_nothing, 0, COUNT(bad));
	suite_add_tcase(s, t);
	return unit_main(s);
}
