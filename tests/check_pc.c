/* SPDX-License-Identifier: GPL-3.0-or-later */
/* All devices of a PC on one bus, with windows that move over each other. */
#include "dev/pc.h"

#include <stdlib.h>
#include <string.h>

#include "dev/chipset.h"
#include "dev/fw_cfg.h"
#include "dev/i8042.h"
#include "dev/ide.h"
#include "dev/pic.h"
#include "dev/vga.h"
#include "tests/fake_pc.h"
#include "tests/unit.h"

#define RAM_SIZE        (128ull << 20)

static struct fake_pc pc;
static struct pci_bus *pci;
static struct device *uart, *keyboard;
static unsigned shown;

static void note_intr(void *arg, bool level)
{
	*(bool *)arg = level;
}

static void setup(void)
{
	static struct disk *const drive[IDE_DRIVES];
	static const struct fw_cfg_spec spec = { .ram_size = RAM_SIZE, .cpus = 4 };
	static bool intr;
	struct pci_function *bridge;
	struct device *d;

	fake_pc_init(&pc);
	ck_assert_int_eq(uart_attach(pc.bus, &uart, NULL), 0);
	ck_assert_int_eq(debugcon_attach(pc.bus, NULL), 0);
	ck_assert_int_eq(exitport_attach(pc.bus, NULL), 0);
	ck_assert_int_eq(cmos_attach(pc.bus, RAM_SIZE, 4, 0, NULL), 0);
	ck_assert_int_eq(pci_attach(pc.bus, &pci, NULL), 0);
	ck_assert_int_eq(i440fx_attach(pci, &bridge, NULL), 0);
	ck_assert_int_eq(piix3_attach(pci, NULL), 0);
	ck_assert_int_eq(ide_attach(pci, drive, NULL), 0);
	ck_assert_int_eq(piix4_pm_attach(pci, NULL), 0);
	ck_assert_int_eq(i8042_attach(pc.bus, &keyboard, NULL), 0);
	ck_assert_int_eq(vga_attach(pc.bus, &d, NULL), 0);
	ck_assert_int_eq(fw_cfg_attach(pc.bus, &spec, NULL), 0);
	ck_assert_int_eq(debugport_attach(pc.bus, NULL), 0);
	ck_assert_int_eq(pic_attach(pc.bus, note_intr, &intr, &d, NULL), 0);
	ck_assert_int_eq(pit_attach(pc.bus, NULL), 0);
}

static void teardown(void)
{
	fake_pc_done(&pc);
}

/* As `info pci` of a PC with this chipset has always been. */
START_TEST(functions)
{
	static const struct { unsigned slot, function; uint32_t id, class_code; } want[] = {
		{ 0, 0, 0x12378086, 0x060000 }, { 1, 0, 0x70008086, 0x060100 }, { 1, 1, 0x70108086, 0x010180 },
		{ 1, 3, 0x71138086, 0x068000 },
	};
	struct pci_info info;
	size_t i;

	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		ck_assert(pci_describe(pci, i, &info));
		ck_assert_uint_eq(info.slot, want[i].slot);
		ck_assert_uint_eq(info.function, want[i].function);
		ck_assert_uint_eq(info.vendor | (uint32_t)info.device << 16, want[i].id);
		ck_assert_uint_eq(info.class_code, want[i].class_code);
	}
	ck_assert(!pci_describe(pci, i, &info));
}
END_TEST

/* The reset control register lies in the middle of PCI's address, and each is left alone by the other. */
START_TEST(reset_control_and_pci_share_a_dword)
{
	pc_out(&pc, 0xcf8, 4, 0x80000604);
	ck_assert_uint_eq(pc.resets, 0);
	ck_assert_uint_eq(inb(&pc, 0xcf9), 0);
	outb(&pc, 0xcf9, 0x02);
	ck_assert_uint_eq(pc_in(&pc, 0xcf8, 4), 0x80000604);
	outb(&pc, 0xcf9, 0x06);
	ck_assert_uint_eq(pc.resets, 1);
	ck_assert_uint_eq(pc_in(&pc, 0xcf8, 4), 0x80000604);
}
END_TEST

/* The bus master's window put over the serial line and the disk's own ports: those stay what they are. */
START_TEST(windows_do_not_hide_fixed_ports)
{
	static const uint16_t at[] = { 0x3f9, 0x3ff, 0x1f7, 0x170, 0x61, 0x64, 0x21, 0x71, 0x3d5 };
	uint32_t before;
	size_t i;

	pc_out(&pc, 0xcf8, 4, 0x80000904);
	pc_out(&pc, 0xcfc, 2, 1);
	pc_out(&pc, 0xcf8, 4, 0x80000920);
	for (i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		pc_out(&pc, 0xcfc, 4, 0xc000);
		before = inb(&pc, at[i]);
		pc_out(&pc, 0xcfc, 4, at[i] & 0xfff0u);
		ck_assert_msg(inb(&pc, at[i]) == before, "port 0x%x changed hands", at[i]);
	}
	/* Nor does it hide what moves it. */
	pc_out(&pc, 0xcfc, 4, 0x0cf0);
	ck_assert_uint_eq(pc_in(&pc, 0xcfc, 4), 0x0cf1);
	ck_assert_uint_eq(pc_in(&pc, 0xcf8, 4), 0x80000920);
}
END_TEST

static uint32_t rand32(uint64_t *state)
{
	/* xorshift64* */
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (uint32_t)(*state * 0x2545f4914f6cdd1dull >> 32);
}

/* A port of some device, wherever it is now, or next to one; seldom any. */
static uint16_t random_port(uint64_t *seed)
{
	uint32_t r = rand32(seed);
	const struct device *d = bus_device(pc.bus, r >> 8 & 15);
	enum bus_space space;
	uint64_t base, size;
	bool found;

	if (!d || r % 32 == 0)
		return (uint16_t)(r >> 16);
	bus_lock(pc.bus);
	found = bus_device_range(pc.bus, d, r >> 12 & 7, &space, &base, &size) ||
		bus_device_range(pc.bus, d, 0, &space, &base, &size);
	bus_unlock(pc.bus);
	return (uint16_t)(found ? base - 1 + (r >> 16) % (size + 2) : 0xcf8 + (r >> 16) % 8);
}

/* Any register of one of the chipset's functions; wide ones get bases and masks. */
static void random_config(uint64_t *seed)
{
	static const uint32_t function[] = { 0x0000, 0x0800, 0x0900, 0x0b00 };
	uint32_t r = rand32(seed);

	pc_out(&pc, 0xcf8, 4, 0x80000000 | function[r & 3] | (r >> 8 & 0xfc));
	pc_out(&pc, (uint16_t)(0xcfc + (r >> 16 & 3)), 1u << (r >> 20) % 3, rand32(seed));
}

static void note_reg(void *arg, const char *name, unsigned bits, uint64_t value, const char *text)
{
	(void)arg;
	(void)text;
	ck_assert(name && bits && bits <= 64);
	ck_assert_msg(bits == 64 || value >> bits == 0, "%s has more than %u bits", name, bits);
	shown++;
}

static void show_all(void)
{
	static const struct dev_show show = { .reg = note_reg };
	const struct device *d;
	size_t i;

	bus_lock(pc.bus);
	for (i = 0; (d = bus_device(pc.bus, i)); i++)
		if (d->ops->show)
			d->ops->show(d, &show);
	bus_unlock(pc.bus);
}

static void step(uint64_t *seed)
{
	uint32_t r = rand32(seed), data[5];
	size_t i;

	for (i = 0; i < sizeof(data) / sizeof(data[0]); i++)
		data[i] = rand32(seed);
	switch (r % 16) {
	case 0:
		fake_pc_run_to(&pc, pc.clock + (r >> 12));
		break;
	case 1:
		pc.now += r >> 20;
		uart_input(pc.bus, uart, (uint8_t *)data, r >> 8 & 15);
		break;
	case 2:
		i8042_type(pc.bus, keyboard, "a<f1>", r & 64 ? 5 : 1, NULL);
		break;
	case 3:
		bus_poll(pc.bus);
		break;
	case 4: case 5: case 6:
		random_config(seed);
		break;
	default:
		bus_io(pc.bus, random_port(seed), r & 64, 1u << (r >> 8) % 3, (r >> 16) % 5, (uint8_t *)data);
	}
}

/* At any point all of it can be looked at, which changes nothing, and saved, and comes back, with lines and timers. */
START_TEST(hostile_guest)
{
	uint64_t seed = 0x9e3779b97f4a7c15ull + (uint64_t)_i, deadline;
	struct dev_buf a = { 0 }, b = { 0 };
	bool level[24];
	unsigned n, k;

	for (n = 0; n < 1000; n++) {
		for (k = 0; k < 100; k++)
			step(&seed);
		fake_pc_run_to(&pc, pc.clock);
		if (n % 8 == 7)
			bus_reset(pc.bus);
		fake_pc_save(&pc, &a);
		show_all();
		memcpy(level, pc.level, sizeof(level));
		deadline = bus_deadline(pc.bus);
		bus_reset(pc.bus);
		for (k = 0; k < 4; k++)
			random_config(&seed);
		ck_assert_int_eq(bus_load(pc.bus, &a, NULL), 0);
		fake_pc_save(&pc, &b);
		ck_assert_uint_eq(a.len, b.len);
		ck_assert_mem_eq(a.data, b.data, a.len);
		ck_assert_mem_eq(level, pc.level, sizeof(level));
		ck_assert(bus_deadline(pc.bus) == deadline);
	}
	ck_assert_uint_gt(pc.irqs, 100);
	ck_assert_uint_gt(pc.remaps, 100);
	ck_assert_uint_gt(shown, 100000);
	free(a.data);
	free(b.data);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("pc");
	TCase *t = tcase_create("pc"), *f = tcase_create("hostile");

	tcase_set_timeout(t, 30);       /* a busy host */
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, functions);
	tcase_add_test(t, reset_control_and_pci_share_a_dword);
	tcase_add_test(t, windows_do_not_hide_fixed_ports);
	suite_add_tcase(s, t);

	tcase_set_timeout(f, 120);
	tcase_add_checked_fixture(f, setup, teardown);
	tcase_add_loop_test(f, hostile_guest, 0, 2);
	suite_add_tcase(s, f);
	return unit_main(s);
}
