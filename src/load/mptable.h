/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The MP floating pointer structure and configuration table (Intel MultiProcessor Specification 1.4, chapter 4),
 * for kernels without ACPI: a processor per vCPU, an ISA and a PCI bus, one I/O APIC.  Interrupts are as in
 * load/acpi.h, and PCI's are where pcboot_program() (dev/pcboot.h) routes them.
 */
#ifndef GV_LOAD_MPTABLE_H
#define GV_LOAD_MPTABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "api/err.h"
#include "mem/gmem.h"

#define MPTABLE_BYTES_MAX 0xc00u        /* enough for any spec */

struct mptable_spec {
	unsigned cpus;                  /* 1 to MACHINE_CPUS_MAX; their APIC ids are 0, 1, ... */
	uint32_t cpu_signature;         /* CPUID leaf 1, EAX; 0 will do */
	uint32_t cpu_features;          /* and EDX */
	/*
	 * RAM reserved for both, GPA a multiple of 16, below 1 MiB.  Kernels look for the pointer in the first KiB
	 * of the EBDA, in the last KiB of base memory and between 0xf0000 and 0xfffff.
	 */
	uint64_t gpa, size;
};

/*
 * Writes both into G, the floating pointer at spec->gpa, which is also *RET_GPA.  Same SPEC, same bytes.  Failure
 * changes nothing.
 * -EINVAL: no such number of vCPUs, or no such place; -ENOSPC: SIZE is too small, or not all of it is RAM.
 */
int mptable_build(const struct mptable_spec *spec, struct gmem *g, uint64_t *ret_gpa, struct err *err);

#endif
