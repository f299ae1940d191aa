/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What firmware would have told a kernel of the machine. */
#include "load/parts.h"

#include <string.h>

#include "load/acpi.h"
#include "load/mptable.h"

int boot_tables_put(const struct load_opts *opts, struct gmem *g, uint64_t *ret_rsdp, struct err *err)
{
	const struct acpi_spec acpi = {
		.cpus = opts->table_cpus, .no_apic = opts->no_apic,
		.gpa = LINUX_TABLES_GPA, .size = LINUX_TABLES_SIZE / 2,
	};
	const struct mptable_spec mp = {
		.cpus = opts->table_cpus,
		.gpa = LINUX_TABLES_GPA + LINUX_TABLES_SIZE / 2, .size = LINUX_TABLES_SIZE / 2,
	};
	uint64_t gpa;
	int rc;

	if (!opts->table_cpus)
		return 0;
	rc = acpi_build(&acpi, g, ret_rsdp, err);
	if (rc || opts->no_apic)
		return rc;
	return mptable_build(&mp, g, &gpa, err);
}

/* ACPI 6.4, 5.2.5.3, 5.2.6: offsets in the RSDP and in the header that every table begins with. */
#define RSDP_CHECKSUM   8u
#define RSDP_REVISION   15u
#define RSDP_RSDT       16u
#define RSDP_XSDT       24u
#define TABLE_LENGTH    4u
#define TABLE_REVISION  8u
#define TABLE_CHECKSUM  9u
#define TABLE_HEADER    36u
#define ENTRIES_MAX     32u

/* Behind what acpi_build() may take. */
#define RSDT_GPA        (LINUX_TABLES_GPA + ACPI_BYTES_MAX)
_Static_assert(ACPI_BYTES_MAX + TABLE_HEADER + 4 * ENTRIES_MAX <= LINUX_TABLES_SIZE / 2, "the RSDT has room");

static void seal(uint8_t *table, size_t size, size_t checksum)
{
	uint8_t sum = 0;
	size_t i;

	table[checksum] = 0;
	for (i = 0; i < size; i++)
		sum = (uint8_t)(sum + table[i]);
	table[checksum] = (uint8_t)-sum;
}

bool boot_tables_old(struct gmem *g, uint64_t rsdp, uint8_t ret[RSDP_OLD_SIZE])
{
	uint8_t root[RSDP_XSDT + 8], table[TABLE_HEADER + 4 * ENTRIES_MAX];
	uint32_t length, gpa = RSDT_GPA, i, n;
	uint64_t xsdt, entry;

	if (gmem_read(g, rsdp, root, sizeof(root)) != sizeof(root))
		return false;
	memcpy(&xsdt, root + RSDP_XSDT, sizeof(xsdt));
	if (gmem_read(g, xsdt, table, TABLE_HEADER) != TABLE_HEADER || memcmp(table, "XSDT", 4))
		return false;
	memcpy(&length, table + TABLE_LENGTH, sizeof(length));
	n = length < TABLE_HEADER ? 0 : (length - TABLE_HEADER) / 8;
	if (n > ENTRIES_MAX)
		return false;
	/* All of them are below 4 GiB. */
	for (i = 0; i < n; i++) {
		gmem_read(g, xsdt + TABLE_HEADER + 8 * i, &entry, sizeof(entry));
		memcpy(table + TABLE_HEADER + 4 * i, &entry, 4);
	}
	length = TABLE_HEADER + 4 * n;
	memcpy(table, "RSDT", 4);
	memcpy(table + TABLE_LENGTH, &length, sizeof(length));
	table[TABLE_REVISION] = 1;
	seal(table, length, TABLE_CHECKSUM);
	if (gmem_write(g, gpa, table, length) != length)
		return false;
	root[RSDP_REVISION] = 0;
	memcpy(root + RSDP_RSDT, &gpa, sizeof(gpa));
	seal(root, RSDP_OLD_SIZE, RSDP_CHECKSUM);
	memcpy(ret, root, RSDP_OLD_SIZE);
	return true;
}
