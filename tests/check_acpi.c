/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ACPI tables, found and read as a kernel does it. */
#include "load/acpi.h"

#include <errno.h>
#include <string.h>

#include "dev/pcboot.h"
#include "tests/check_aml.h"
#include "tests/table_env.h"

#define HEADER 36u

static struct acpi_spec spec(unsigned cpus)
{
	return (struct acpi_spec){ .cpus = cpus, .gpa = TABLE_GPA, .size = ACPI_BYTES_MAX };
}

static void make(const struct acpi_spec *s)
{
	uint64_t at = 0;

	memset(table_ram, TABLE_FILL, sizeof(table_ram));
	ck_assert_int_eq(acpi_build(s, table_mem, &at, &table_err), 0);
	ck_assert_uint_eq(at, s->gpa);
}

/* Where the RSDP is: at a multiple of 16, both sums 0. */
static uint64_t find_rsdp(void)
{
	for (uint64_t at = TABLE_GPA; at < TABLE_GPA + TABLE_BYTES; at += 16)
		if (!memcmp(table_at(at), "RSD PTR ", 8) && !table_sum(at, 20) && !table_sum(at, 36))
			return at;
	ck_abort_msg("there is no RSDP");
	return 0;
}

static void check_header(uint64_t at, const char *signature)
{
	ck_assert_mem_eq(table_at(at), signature, 4);
	ck_assert_uint_eq(table_sum(at, table_get(at + 4, 4)), 0);
	ck_assert_mem_eq(table_at(at + 10), "GDBVSRGDBVISOR", 14);
}

/* The table of that name the XSDT has; 0: none. */
static uint64_t find(const char *signature)
{
	uint64_t rsdp = find_rsdp(), xsdt = table_get(rsdp + 24, 8), at;

	ck_assert_uint_eq(table_get(rsdp + 15, 1), 2);
	ck_assert_uint_eq(table_get(rsdp + 20, 4), 36);
	check_header(xsdt, "XSDT");
	for (unsigned i = HEADER; i < table_get(xsdt + 4, 4); i += 8) {
		at = table_get(xsdt + i, 8);
		if (memcmp(table_at(at), signature, 4))
			continue;
		check_header(at, signature);
		return at;
	}
	return 0;
}

/* Where the last table ends. */
static uint64_t end_of_tables(void)
{
	uint64_t xsdt = table_get(find_rsdp() + 24, 8);

	return (xsdt + table_get(xsdt + 4, 4) + 15) & ~15ull;
}

START_TEST(fixed_hardware)
{
	static const struct {
		unsigned offset, size;
		uint64_t value;
	} field[] = {
		{ 4, 4, 268 }, { 8, 1, 5 }, { 46, 2, 9 }, { 48, 4, 0xb2 }, { 52, 1, 0xf1 }, { 53, 1, 0xf0 },
		{ 56, 4, PCBOOT_PM_BASE }, { 64, 4, PCBOOT_PM_BASE + 4 }, { 76, 4, PCBOOT_PM_BASE + 8 },
		{ 80, 4, 0xafe0 },
		{ 60, 4, 0 }, { 68, 4, 0 }, { 72, 4, 0 }, { 84, 4, 0 },
		{ 88, 1, 4 }, { 89, 1, 2 }, { 90, 1, 0 }, { 91, 1, 4 }, { 92, 1, 4 }, { 93, 1, 0 },
		{ 96, 2, 101 }, { 98, 2, 1001 }, { 108, 1, 0x32 }, { 109, 2, 3 }, { 112, 4, 0x475 },
		{ 116, 4, 0x01000801 }, { 120, 8, 0xcf9 }, { 128, 1, 6 }, { 132, 8, 0 },
		{ 148, 4, 0x02002001 }, { 152, 8, PCBOOT_PM_BASE }, { 172, 4, 0x02001001 },
		{ 176, 8, PCBOOT_PM_BASE + 4 },
		{ 208, 4, 0x03002001 }, { 212, 8, PCBOOT_PM_BASE + 8 }, { 220, 4, 0x01002001 }, { 224, 8, 0xafe0 },
	};
	struct acpi_spec s = spec(1);
	uint64_t fadt, facs;

	make(&s);
	fadt = find("FACP");
	ck_assert_uint_ne(fadt, 0);
	for (unsigned i = 0; i < sizeof(field) / sizeof(field[0]); i++)
		ck_assert_msg(table_get(fadt + field[i].offset, field[i].size) == field[i].value, "FADT, offset %u",
			      field[i].offset);
	facs = table_get(fadt + 36, 4);
	ck_assert_uint_eq(facs % 64, 0);
	ck_assert_mem_eq(table_at(facs), "FACS\x40\0\0", 8);
	check_header(table_get(fadt + 40, 4), "DSDT");
	ck_assert_uint_eq(table_get(fadt + 140, 8), table_get(fadt + 40, 4));
}
END_TEST

START_TEST(processors_and_interrupts)
{
	static const unsigned count[] = { 1, 2, 4, 64 };
	static const char over[4][11] = {
		"\2\x0a\0\5\5\0\0\0\x0d", "\2\x0a\0\x09\x09\0\0\0\x0d",
		"\2\x0a\0\x0a\x0a\0\0\0\x0d", "\2\x0a\0\x0b\x0b\0\0\0\x0d",
	};

	for (unsigned i = 0; i < sizeof(count) / sizeof(count[0]); i++) {
		struct acpi_spec s = spec(count[i]);
		unsigned cpus = 0, ioapics = 0, overrides = 0, nmis = 0;
		uint64_t madt, at, end;

		make(&s);
		madt = find("APIC");
		ck_assert_uint_eq(table_get(madt + 36, 4), 0xfee00000);
		ck_assert_uint_eq(table_get(madt + 40, 4), 1);
		end = madt + table_get(madt + 4, 4);
		for (at = madt + 44; at < end; at += table_get(at + 1, 1)) {
			switch (table_get(at, 1)) {
			case 0:
				ck_assert_uint_eq(table_get(at + 1, 1), 8);
				ck_assert_uint_eq(table_get(at + 2, 1), cpus);
				ck_assert_uint_eq(table_get(at + 3, 1), cpus++);
				ck_assert_uint_eq(table_get(at + 4, 4), 1);
				break;
			case 1:
				ck_assert_mem_eq(table_at(at), "\1\x0c\0\0\0\0\xc0\xfe\0\0\0\0", 12);
				ioapics++;
				break;
			case 2:
				/* None for the timer: line 0 is pin 0. */
				ck_assert_uint_lt(overrides, 4);
				ck_assert_mem_eq(table_at(at), over[overrides++], 10);
				break;
			default:
				ck_assert_mem_eq(table_at(at), "\4\6\xff\0\0\1", 6);
				nmis++;
			}
		}
		ck_assert_uint_eq(at, end);
		ck_assert_uint_eq(cpus, count[i]);
		ck_assert_uint_eq(ioapics, 1);
		ck_assert_uint_eq(overrides, 4);
		ck_assert_uint_eq(nmis, 1);
	}
}
END_TEST

/* How often LEN bytes of TEXT are in the DSDT. */
static unsigned in_dsdt(const char *text, size_t len)
{
	uint64_t dsdt = table_get(find("FACP") + 40, 4), at, end = dsdt + table_get(dsdt + 4, 4) - len;
	unsigned n = 0;

	for (at = dsdt + HEADER; at <= end; at++)
		n += !memcmp(table_at(at), text, len);
	return n;
}

#define IN_DSDT(text) in_dsdt(text, sizeof(text) - 1)

/* One block that follows another, from AT on; returns where it ends. */
static uint64_t block_end(uint64_t at)
{
	unsigned first = (unsigned)table_get(at, 1), more = first >> 6;
	uint64_t length = first & (more ? 0xf : 0x3f);

	for (unsigned i = 0; i < more; i++)
		length |= table_get(at + 1 + i, 1) << (4 + 8 * i);
	return at + length;
}

START_TEST(differentiated_table)
{
	static const unsigned count[] = { 1, 64 };

	for (unsigned i = 0; i < sizeof(count) / sizeof(count[0]); i++) {
		struct acpi_spec s = spec(count[i]);
		uint64_t dsdt, at;

		make(&s);
		dsdt = table_get(find("FACP") + 40, 4);
		ck_assert_uint_eq(table_get(dsdt + 8, 1), 2);
		/* \_SB, and after it nothing but _S5. */
		at = dsdt + HEADER;
		ck_assert_uint_eq(table_get(at, 1), 0x10);
		at = block_end(at + 1);
		ck_assert_mem_eq(table_at(at), "\x08_S5_\x12\6\4\0\0\0\0", 12);
		ck_assert_uint_eq(at + 12, dsdt + table_get(dsdt + 4, 4));
		ck_assert_uint_eq(IN_DSDT("\x08_HID\x0d" "ACPI0007\0\x08_UID"), count[i]);
	}
	ck_assert_uint_eq(IN_DSDT("C03F\x08_HID\x0d" "ACPI0007\0\x08_UID\x0a\x3f"), 1);
	ck_assert_uint_eq(IN_DSDT("COM1\x08_HID\x0c\x41\xd0\x05\x01"
				  "\x08_CRS\x11\x10\x0a\x0d\x47\1\xf8\3\xf8\3\1\x08\x22\x10\0"), 1);
	ck_assert_uint_eq(IN_DSDT("RTC_\x08_HID\x0c\x41\xd0\x0b\x00"
				  "\x08_CRS\x11\x10\x0a\x0d\x47\1\x70\0\x70\0\1\2\x22\0\1"), 1);
	ck_assert_uint_eq(IN_DSDT("\x47\1\x64\0\x64\0\1\1\x22\2\0\x79"), 1);
	ck_assert_uint_eq(IN_DSDT("PCI0\x08_HID\x0c\x41\xd0\x0a\x03"), 1);
	ck_assert_uint_eq(IN_DSDT("\x5b\x80PIRQ\2\x0a\x60\x0a\4"), 1);
	ck_assert_uint_eq(IN_DSDT("\x08_HID\x0c\x41\xd0\x0c\x0f"), 4);
}
END_TEST

START_TEST(interrupt_routing)
{
	struct acpi_spec s = spec(1);
	unsigned slot, pin;

	make(&s);
	ck_assert_uint_eq(IN_DSDT("_PRT\x12"), 1);
	for (slot = 1; slot < 32; slot++) {
		for (pin = 0; pin < 4; pin++) {
			char row[32] = { 0x0c, (char)0xff, (char)0xff, (char)slot, 0 };
			size_t n = 5;

			if (pin > 1)
				row[n++] = 0x0a;
			row[n++] = (char)pin;
			memcpy(row + n, "LNK", 3);
			row[n + 3] = (char)('A' + (slot + pin - 1) % 4);
			ck_assert_msg(in_dsdt(row, n + 4) == 1, "slot %u, pin %u", slot, pin);
		}
	}
}
END_TEST

START_TEST(without_apics)
{
	struct acpi_spec s = spec(1);

	s.no_apic = true;
	make(&s);
	ck_assert_uint_eq(find("APIC"), 0);
	ck_assert_uint_ne(find("FACP"), 0);
	ck_assert_uint_eq(IN_DSDT("ACPI0007"), 0);
}
END_TEST

START_TEST(somewhere_else)
{
	static uint8_t first[TABLE_BYTES];
	struct acpi_spec s = spec(4);
	unsigned i;

	for (i = 0; i < 64; i += 16) {
		s.gpa = TABLE_GPA + 0x8000 + i;
		make(&s);
		ck_assert_uint_eq(find_rsdp(), s.gpa);
		ck_assert_uint_eq(table_get(find("FACP") + 36, 4) % 64, 0);
		ck_assert_uint_ne(find("APIC"), 0);
		table_untouched_but(s.gpa, end_of_tables() - s.gpa);
	}
	/* Same spec, same bytes. */
	memcpy(first, table_ram, sizeof(first));
	make(&s);
	ck_assert_mem_eq(first, table_ram, sizeof(first));
}
END_TEST

static uint64_t get(const uint8_t *p, unsigned size)
{
	uint64_t value = 0;

	while (size)
		value = value << 8 | p[--size];
	return value;
}

/* What firmware does by the loader's commands: RSDP and TABLES are where it has put the files. */
static void load_files(const struct acpi_files *f, uint8_t *rsdp, uint8_t *tables, uint64_t tables_gpa)
{
	bool allocated[2] = { false };

	ck_assert_uint_eq(f->loader_size % 128, 0);
	for (const uint8_t *c = f->loader; c < f->loader + f->loader_size; c += 128) {
		bool of_rsdp = !strcmp((const char *)c + 4, "etc/acpi/rsdp");
		size_t size = of_rsdp ? f->rsdp_size : f->tables_size, offset, n;
		uint8_t *file = of_rsdp ? rsdp : tables;
		uint64_t value;

		ck_assert(of_rsdp || !strcmp((const char *)c + 4, "etc/acpi/tables"));
		switch (get(c, 4)) {
		case 1:
			ck_assert(!allocated[of_rsdp]);
			allocated[of_rsdp] = true;
			ck_assert_uint_eq(get(c + 60, 4), of_rsdp ? 16 : 64);
			ck_assert_uint_eq(c[64], of_rsdp ? 2 : 1);
			memcpy(file, of_rsdp ? f->rsdp : f->tables, size);
			break;
		case 2:
			ck_assert(allocated[false] && allocated[true]);
			ck_assert_str_eq((const char *)c + 60, "etc/acpi/tables");
			offset = get(c + 116, 4);
			n = c[120];
			ck_assert((n == 4 || n == 8) && offset + n <= size);
			value = get(file + offset, (unsigned)n);
			ck_assert_uint_lt(value, f->tables_size);
			value += tables_gpa;
			memcpy(file + offset, &value, n);
			break;
		case 3:
			offset = get(c + 60, 4);
			value = get(c + 64, 4);
			n = get(c + 68, 4);
			ck_assert(n && value + n <= size && offset >= value && offset < value + n);
			ck_assert_uint_eq(file[offset], 0);
			for (size_t i = 0; i < n; i++)
				file[offset] = (uint8_t)(file[offset] - (value + i == offset ? 0 : file[value + i]));
			break;
		default:
			ck_abort_msg("command %llu", (unsigned long long)get(c, 4));
		}
	}
	ck_assert(allocated[false] && allocated[true]);
}

/* Firmware that puts them somewhere has the tables that are made for that place. */
START_TEST(files_for_firmware)
{
	static const unsigned cpus[] = { 1, 4, 64 };
	static uint8_t ours[ACPI_BYTES_MAX], rsdp[64];

	for (unsigned round = 0; round < 6; round++) {
		struct acpi_spec s = spec(cpus[round / 2]);
		struct acpi_files f = { 0 };
		uint64_t size;

		s.gpa = TABLE_GPA + 0x4000;
		s.no_apic = round % 2;
		s.pm_base = 0xb000;
		s.pci_base = 0x80000000;
		make(&s);
		size = end_of_tables() - s.gpa;
		ck_assert_uint_eq(table_get(find("FACP") + 56, 4), 0xb000);
		ck_assert_uint_eq(IN_DSDT("\x47\1\x00\xb0\x00\xb0\x01\x40"), 1);
		ck_assert_int_eq(acpi_files_new(&s, &f, &table_err), 0);
		ck_assert_uint_eq(f.rsdp_size, 36);
		ck_assert_uint_eq(f.tables_size, size);
		memset(ours, 0, sizeof(ours));
		load_files(&f, rsdp, ours, s.gpa);
		ck_assert_mem_eq(rsdp, table_at(s.gpa), 36);
		/* Where build() has the RSDP, there is what was made of it for its file. */
		ck_assert_mem_eq(ours + 36, table_at(s.gpa) + 36, size - 36);
		acpi_files_done(&f);
		ck_assert_ptr_null(f.tables);
	}
}
END_TEST

START_TEST(no_files)
{
	struct acpi_files f = { .tables_size = 77 };
	struct acpi_spec s = spec(65);

	ck_assert_int_eq(acpi_files_new(&s, &f, &table_err), -EINVAL);
	ck_assert_uint_eq(f.tables_size, 77);
}
END_TEST

static void refused(const struct acpi_spec *s, int code, const char *says)
{
	uint64_t at = 77;

	table_expect_error(acpi_build(s, table_mem, &at, &table_err), code, says);
	ck_assert_uint_eq(at, 77);
}

START_TEST(bad_specs)
{
	struct acpi_spec s = spec(0);

	refused(&s, EINVAL, "0 vCPUs");
	s.cpus = 65;
	refused(&s, EINVAL, "65 vCPUs");
	s = spec(1);
	s.gpa += 8;
	refused(&s, EINVAL, "no place");
	s.gpa = 1ull << 32;
	refused(&s, EINVAL, "no place");
	s.gpa = (1ull << 32) - 0x1000;
	refused(&s, EINVAL, "no place");
	s.gpa = UINT64_MAX & ~15ull;
	s.size = UINT64_MAX;
	refused(&s, EINVAL, "no place");
}
END_TEST

START_TEST(no_room)
{
	struct acpi_spec s = spec(64);
	struct gmem_region r = { .gpa = TABLE_GPA, .hva = table_ram };
	uint64_t need, at;

	make(&s);
	need = end_of_tables() - TABLE_GPA;
	ck_assert_uint_le(need, ACPI_BYTES_MAX);
	memset(table_ram, TABLE_FILL, sizeof(table_ram));
	for (s.size = 0; s.size < need; s.size += 239)
		refused(&s, ENOSPC, "they need");
	s.size = need - 1;
	refused(&s, ENOSPC, "they need");
	/* Memory ends before they do. */
	r.size = need - 1;
	ck_assert_int_eq(gmem_remove(table_mem, TABLE_GPA), 0);
	ck_assert_int_eq(gmem_add(table_mem, &r, &table_err), 0);
	s.size = ACPI_BYTES_MAX;
	refused(&s, ENOSPC, "no RAM");
	r.size = need;
	ck_assert_int_eq(gmem_remove(table_mem, TABLE_GPA), 0);
	ck_assert_int_eq(gmem_add(table_mem, &r, &table_err), 0);
	s.size = need;
	ck_assert_int_eq(acpi_build(&s, table_mem, &at, &table_err), 0);
	table_untouched_but(TABLE_GPA, need);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("acpi");
	TCase *t = tcase_create("tables");

	tcase_add_checked_fixture(t, table_setup, table_teardown);
	tcase_add_test(t, fixed_hardware);
	tcase_add_test(t, processors_and_interrupts);
	tcase_add_test(t, differentiated_table);
	tcase_add_test(t, interrupt_routing);
	tcase_add_test(t, without_apics);
	tcase_add_test(t, somewhere_else);
	tcase_add_test(t, files_for_firmware);
	tcase_add_test(t, no_files);
	tcase_add_test(t, bad_specs);
	tcase_add_test(t, no_room);
	suite_add_tcase(s, t);
	suite_add_tcase(s, aml_case());
	return unit_main(s);
}
