/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What firmware is told by ports, states good and bad, any accesses; and firmware's debug text. */
#include "tests/fw_cfg_rig.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"

static uint64_t number(uint16_t key, unsigned size)
{
	uint8_t bytes[8] = { 0 };
	uint64_t value = 0;
	unsigned i;

	read_ports(key, bytes, size);
	for (i = size; i-- > 0;)
		value = value << 8 | bytes[i];
	/* And there it ends. */
	ck_assert_uint_eq(inb(&pc, DATA), 0);
	return value;
}

/* ---- Items ---- */

START_TEST(numbers)
{
	char sig[4];

	read_ports(KEY_SIGNATURE, sig, 4);
	ck_assert_mem_eq(sig, "QEMU", 4);
	ck_assert_uint_eq(number(0x01, 4), 3);
	ck_assert_uint_eq(number(0x03, 8), 128 * MIB);
	ck_assert_uint_eq(number(0x05, 2), 4);
	ck_assert_uint_eq(number(0x0f, 2), 4);
	ck_assert_uint_eq(number(0x8002, 1), 0);
	/* No menu, no NUMA nodes, no tables of ACPI and SMBIOS: firmware makes its own. */
	ck_assert_uint_eq(number(0x0e, 2) | number(0x0d, 8) | number(0x8000, 2) | number(0x8001, 2), 0);
}
END_TEST

START_TEST(the_timer_may_be_elsewhere)
{
	attach(&(struct fw_cfg_spec){ .ram_size = 5 * GIB, .cpus = 64, .irq0_override = true });
	ck_assert_uint_eq(number(0x8002, 1), 1);
	ck_assert_uint_eq(number(0x03, 8), 5 * GIB);
	ck_assert_uint_eq(number(0x05, 2), 64);
	ck_assert_uint_eq(number(0x0f, 2), 64);
}
END_TEST

START_TEST(keys_for_writing_read_the_same)
{
	ck_assert_uint_eq(number(0x4003, 8), 128 * MIB);
	ck_assert_uint_eq(number(0xc003, 8), 0);
	ck_assert_uint_eq(number(0x8003, 8), 0);
	/* Data ports have not been written for long. */
	select_key(0x4003);
	outb(&pc, DATA, 0x55);
	ck_assert_uint_eq(number(3, 8), 128 * MIB);
}
END_TEST

START_TEST(the_directory_is_sorted)
{
	uint8_t head[4], entry[64];
	char before[56] = "";
	uint32_t i, n;
	size_t k;

	read_ports(KEY_DIRECTORY, head, 4);
	n = be(head, 4);
	ck_assert_uint_eq(n, 5);
	for (i = 0; i < n; i++) {
		for (k = 0; k < sizeof(entry); k++)
			entry[k] = inb(&pc, DATA);
		ck_assert_uint_eq(be(entry + 4, 2), 0x20 + i);
		ck_assert_uint_eq(be(entry + 6, 2), 0);
		ck_assert_ptr_nonnull(memchr(entry + 8, 0, 56));
		ck_assert_int_lt(strcmp(before, (char *)entry + 8), 0);
		memcpy(before, entry + 8, 56);
	}
	ck_assert_uint_eq(inb(&pc, DATA), 0);
}
END_TEST

START_TEST(files)
{
	static const char lines[] = "/pci@i0cf8/ide@1,1/drive@1/disk@0\n/a\nHALT";
	uint8_t data[VGA_BIOS_SIZE];
	uint32_t size = 0;
	uint16_t key;

	key = find_file("etc/sercon-port", &size);
	ck_assert_uint_eq(size, 2);
	ck_assert_uint_eq(number(key, 2), 0x3f8);
	key = find_file("etc/boot-menu-wait", &size);
	ck_assert_uint_eq(size, 2);
	ck_assert_uint_eq(number(key, 2), 0);

	key = find_file("bootorder", &size);
	ck_assert_uint_eq(size, sizeof(lines));
	read_ports(key, data, size);
	ck_assert_mem_eq(data, lines, sizeof(lines));

	key = find_file("vgaroms/vgabios.bin", &size);
	ck_assert_uint_eq(size, VGA_BIOS_SIZE);
	read_ports(key, data, size);
	ck_assert_mem_eq(data, vga_bios, size);
	ck_assert_uint_eq(find_file("etc/table-loader", &size), 0);
}
END_TEST

START_TEST(files_that_are_not_wanted)
{
	uint32_t size;

	attach(&(struct fw_cfg_spec){ .ram_size = MIB, .cpus = 1 });
	ck_assert_uint_eq(find_file("bootorder", &size), 0);
	ck_assert_uint_eq(find_file("vgaroms/vgabios.bin", &size), 0);
	ck_assert_uint_eq(find_file("etc/acpi/rsdp", &size), 0);
	ck_assert_uint_eq(find_file("etc/boot-menu-wait", &size), 0x20);
	ck_assert_uint_eq(find_file("etc/sercon-port", &size), 0x22);
}
END_TEST

/* Given separately, and copied; where the others are, the directory is still in order. */
START_TEST(tables_for_firmware)
{
	uint8_t given[3] = { 1, 2, 3 }, data[3];
	struct fw_cfg_spec spec = {
		.ram_size = MIB, .cpus = 1, .acpi_rsdp = { given, 3 }, .acpi_tables = { given + 1, 2 }, .acpi_loader = { given + 2, 1 },
	};
	static const struct { const char *name; uint32_t size; uint8_t first; } wanted[] = {
		{ "etc/acpi/rsdp", 3, 1 }, { "etc/acpi/tables", 2, 2 }, { "etc/table-loader", 1, 3 },
	};
	uint16_t key = 0, last = 0;
	uint32_t size;

	attach(&spec);
	memset(given, 0x55, sizeof(given));
	for (size_t i = 0; i < 3; i++, last = key) {
		key = find_file(wanted[i].name, &size);
		ck_assert_uint_gt(key, last);
		ck_assert_uint_eq(size, wanted[i].size);
		read_ports(key, data, size);
		ck_assert_uint_eq(data[0], wanted[i].first);
	}
}
END_TEST

static const struct {
	uint64_t ram, low, high;
} rams[] = {
	{ MIB, MIB, 0 }, { 128 * MIB, 128 * MIB, 0 }, { 3 * GIB - MIB, 3 * GIB - MIB, 0 }, { 3 * GIB, 3 * GIB, 0 },
	{ 3 * GIB + 4096, 3 * GIB, 4096 }, { 8 * GIB, 3 * GIB, 5 * GIB },
};

START_TEST(ram_as_e820_has_it)
{
	struct { uint64_t gpa, size; uint32_t kind; } __attribute__((packed)) entry[2];
	uint32_t size = 0;
	uint16_t key;

	attach(&(struct fw_cfg_spec){ .ram_size = rams[_i].ram, .cpus = 1 });
	key = find_file("etc/e820", &size);
	ck_assert_uint_eq(size, rams[_i].high ? 40 : 20);
	read_ports(key, entry, sizeof(entry));
	ck_assert_uint_eq(entry[0].gpa, 0);
	ck_assert_uint_eq(entry[0].size, rams[_i].low);
	ck_assert_uint_eq(entry[0].kind, 1);
	if (rams[_i].high) {
		ck_assert_uint_eq(entry[1].gpa, 4 * GIB);
		ck_assert_uint_eq(entry[1].size, rams[_i].high);
		ck_assert_uint_eq(entry[1].kind, 1);
	}
}
END_TEST

/* ---- Ports ---- */

START_TEST(wide_and_string_reads)
{
	uint8_t data[6];

	select_key(KEY_SIGNATURE);
	ck_assert_uint_eq(pc_in(&pc, DATA, 2), 'Q' | 'E' << 8);
	ck_assert_uint_eq(pc_in(&pc, DATA, 4), 'M' | 'U' << 8);
	select_key(KEY_SIGNATURE);
	ck_assert_uint_eq(pc_in(&pc, DATA, 4), 'Q' | 'E' << 8 | 'M' << 16 | 'U' << 24);
	select_key(KEY_SIGNATURE);
	bus_io(pc.bus, DATA, false, 1, 6, data);
	ck_assert_mem_eq(data, "QEMU\0", 6);
	select_key(KEY_SIGNATURE);
	bus_io(pc.bus, DATA, false, 2, 3, data);
	ck_assert_mem_eq(data, "QEMU\0", 6);
}
END_TEST

START_TEST(a_selection_begins_anew)
{
	select_key(KEY_SIGNATURE);
	ck_assert_uint_eq(inb(&pc, DATA), 'Q');
	ck_assert_uint_eq(inb(&pc, DATA), 'E');
	select_key(KEY_SIGNATURE);
	ck_assert_uint_eq(inb(&pc, DATA), 'Q');
	/* Halves and doubles of the register are nothing. */
	outb(&pc, SELECTOR, 3);
	pc_out(&pc, SELECTOR, 4, 3);
	ck_assert_uint_eq(inb(&pc, DATA), 'E');
	/* Nor can it be read; that takes no data. */
	ck_assert_uint_eq(pc_in(&pc, SELECTOR, 2), 0xffff);
	ck_assert_uint_eq(inb(&pc, SELECTOR), 0xff);
	ck_assert_uint_eq(pc_in(&pc, 0x512, 2), 0xffff);
	ck_assert_uint_eq(inb(&pc, DATA), 'M');
	select_key(KEY_NOBODYS);
	ck_assert_uint_eq(pc_in(&pc, DATA, 4), 0);
	bus_reset(pc.bus);
	ck_assert_uint_eq(inb(&pc, DATA), 'Q');
}
END_TEST

/* ---- State ---- */

START_TEST(states_go_round)
{
	struct dev_buf b = { 0 };

	fake_pc_round_trip(&pc);
	select_key(0x4005);
	inb(&pc, DATA);
	pc_out(&pc, DMA_HIGH, 4, swapped(1));
	fake_pc_round_trip(&pc);
	fake_pc_save(&pc, &b);
	bus_reset(pc.bus);
	ck_assert_int_eq(bus_load(pc.bus, &b, &err), 0);
	put_descriptor(DESC, SELECT | READ, 4, TARGET);
	pc_out(&pc, DMA_LOW, 4, swapped(DESC));
	ck_assert_uint_eq(be(pc.mem + TARGET, 4), 0);
	bus_reset(pc.bus);
	pc_out(&pc, DMA_LOW, 4, swapped(DESC));
	ck_assert_mem_eq(pc.mem + TARGET, "QEMU", 4);
	free(b.data);
}
END_TEST

static const struct {
	uint16_t key;
	uint32_t offset;
	bool good;
} states[] = {
	{ 0, 0, true }, { 0, 4, true }, { 0, 5, false }, { 0, UINT32_MAX, false }, { 0x4000, 4, true }, { 0x4000, 5, false },
	{ 0x8000, 0, true }, { 0x8000, 1, false }, { KEY_NOBODYS, 0, true }, { KEY_NOBODYS, 1, false },
	{ KEY_DIRECTORY, 4 + 5 * 64, true }, { KEY_DIRECTORY, 4 + 5 * 64 + 1, false },
	{ 0x24, VGA_BIOS_SIZE, true }, { 0x24, VGA_BIOS_SIZE + 1, false }, { 0x25, 1, false },
};

START_TEST(states_that_contradict_themselves)
{
	struct dev_buf before = { 0 }, b = { 0 }, after = { 0 };
	size_t at = 1 + strlen("fw_cfg") + 4, i;

	fake_pc_save(&pc, &b);
	b.data[at] = (uint8_t)states[_i].key;
	b.data[at + 1] = (uint8_t)(states[_i].key >> 8);
	for (i = 0; i < 4; i++)
		b.data[at + 2 + i] = (uint8_t)(states[_i].offset >> (8 * i));
	select_key(0x05);
	inb(&pc, DATA);
	fake_pc_save(&pc, &before);
	ck_assert_int_eq(bus_load(pc.bus, &b, &err), states[_i].good ? 0 : -EINVAL);
	fake_pc_save(&pc, &after);
	if (!states[_i].good) {
		ck_assert_str_eq(err.msg, "fw_cfg: its saved state is past the end of an item");
		ck_assert_mem_eq(after.data, before.data, before.len);
	}
	inb(&pc, DATA);
	free(before.data);
	free(after.data);
	free(b.data);
}
END_TEST

static void note_reg(void *arg, const char *name, unsigned bits, uint64_t value, const char *text)
{
	char *line = arg;

	snprintf(line + strlen(line), 200 - strlen(line), "%s:%u=%llx(%s) ", name, bits, (unsigned long long)value,
		 text ? text : "");
}

START_TEST(it_shows_what_is_selected)
{
	const struct device *d = bus_device(pc.bus, 0);
	char line[200] = "";
	struct dev_show show = { line, note_reg };

	select_key(0x20);
	inb(&pc, DATA);
	pc_out(&pc, DMA_HIGH, 4, swapped(7));
	d->ops->show(d, &show);
	ck_assert_str_eq(line, "selector:16=20(bootorder) offset:32=1() dma-high:32=7() ");
	select_key(0x4005);
	line[0] = '\0';
	d->ops->show(d, &show);
	ck_assert_str_eq(line, "selector:16=4005(CPUs) offset:32=0() dma-high:32=7() ");
	select_key(KEY_NOBODYS);
	line[0] = '\0';
	d->ops->show(d, &show);
	ck_assert_str_eq(line, "selector:16=1234(none) offset:32=0() dma-high:32=7() ");
}
END_TEST

START_TEST(it_is_there_once)
{
	ck_assert_int_eq(fw_cfg_attach(pc.bus, &(struct fw_cfg_spec){ .cpus = 1 }, &err), -EEXIST);
	ck_assert_str_eq(err.msg, "fw_cfg: port 0x510 belongs to fw_cfg");
}
END_TEST

/* ---- Random accesses ---- */

START_TEST(random_accesses)
{
	static const uint16_t keys[] = { 0, 1, 3, 5, 0x19, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x8002, 0x4005, KEY_NOBODYS };
	static const uint64_t places[] = { 0, DESC, TARGET, FAKE_PC_MEM - 8, FAKE_PC_MEM, UINT64_MAX - 5 };
	static const uint32_t lengths[] = { 0, 1, 4, 64, 4096, 0xa000, FAKE_PC_MEM, UINT32_MAX };
	unsigned seed = (unsigned)_i + 1, i;
	uint8_t data[64];

	srandom(seed);
	for (i = 0; i < 20000; i++) {
		unsigned size = 1u << (random() % 3), count = 1 + (unsigned)random() % (64 / size);
		size_t k;

		for (k = 0; k < sizeof(data); k++)
			data[k] = (uint8_t)random();
		switch (random() % 4) {
		case 0:
			select_key(keys[(size_t)random() % (sizeof(keys) / sizeof(keys[0]))]);
			break;
		case 1:
			put_descriptor(DESC, (uint32_t)random() % 32 |
				       (uint32_t)keys[(size_t)random() % (sizeof(keys) / sizeof(keys[0]))] << 16,
				       lengths[(size_t)random() % (sizeof(lengths) / sizeof(lengths[0]))],
				       places[(size_t)random() % (sizeof(places) / sizeof(places[0]))]);
			start_dma(random() % 4 ? DESC : places[(size_t)random() % (sizeof(places) / sizeof(places[0]))]);
			break;
		default:
			bus_io(pc.bus, (uint16_t)(0x50c + random() % 20), random() % 2, size, count, data);
		}
		if (i % 1000 == 0)
			fake_pc_round_trip(&pc);
	}
	ck_assert_uint_eq(number(3, 8), 128 * MIB);
}
END_TEST

/* ---- The debug port ---- */

START_TEST(debug_text)
{
	uint8_t text[] = "Found 4 cpu(s)\n";

	ck_assert_int_eq(debugport_attach(pc.bus, &err), 0);
	ck_assert_uint_eq(inb(&pc, 0x402), 0xe9);
	bus_io(pc.bus, 0x402, true, 1, sizeof(text) - 1, text);
	outb(&pc, 0x402, '!');
	ck_assert_str_eq(pc.log, "Found 4 cpu(s)\n!");
	ck_assert_uint_eq(pc.output_len, 0);
	fake_pc_round_trip(&pc);
	ck_assert_int_eq(debugport_attach(pc.bus, &err), -EEXIST);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("fw_cfg");
	TCase *t = tcase_create("fw_cfg"), *bare = tcase_create("bare");

	tcase_add_checked_fixture(t, fw_cfg_rig_init, fw_cfg_rig_done);
	tcase_add_test(t, numbers);
	tcase_add_test(t, keys_for_writing_read_the_same);
	tcase_add_test(t, the_directory_is_sorted);
	tcase_add_test(t, files);
	tcase_add_test(t, wide_and_string_reads);
	tcase_add_test(t, a_selection_begins_anew);
	tcase_add_test(t, states_go_round);
	tcase_add_loop_test(t, states_that_contradict_themselves, 0, COUNT(states));
	tcase_add_test(t, it_shows_what_is_selected);
	tcase_add_test(t, it_is_there_once);
	tcase_add_loop_test(t, random_accesses, 0, 3);
	tcase_add_test(t, debug_text);
	suite_add_tcase(s, t);

	tcase_add_checked_fixture(bare, fw_cfg_rig_init_bare, fw_cfg_rig_done);
	tcase_add_test(bare, the_timer_may_be_elsewhere);
	tcase_add_test(bare, files_that_are_not_wanted);
	tcase_add_test(bare, tables_for_firmware);
	tcase_add_loop_test(bare, ram_as_e820_has_it, 0, COUNT(rams));
	suite_add_tcase(s, bare);
	return unit_main(s);
}
