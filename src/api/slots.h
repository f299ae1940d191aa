/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Memory slots as a user sees them. */
#ifndef GV_API_SLOTS_H
#define GV_API_SLOTS_H

#include <stdbool.h>
#include <stdint.h>

struct slot_info {
	unsigned id;            /* KVM's slot number */
	uint64_t gpa;           /* bytes, page-aligned */
	uint64_t size;          /* bytes, a multiple of the page size */
	uint64_t hva;           /* where the backing is mapped in this process */
	bool readonly;          /* guest writes exit as MMIO */
	bool log;               /* dirty logging is on */
	bool huge_aligned;      /* gpa and hva agree in their low 21 bits */
	const char *backing;    /* "anon", ...; static text */
	const char *label;      /* "ram", ...; static text */
};

#endif
