/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What firmware would have told a kernel of the machine. */
#include "load/parts.h"

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
