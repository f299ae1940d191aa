/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The page walker: real mode (no paging), 32-bit with 4K and 4M pages (PSE, PSE-36), PAE, 4-level and 5-level with
 * 4K/2M/1G pages (Intel SDM vol. 3, chapter 4).  Reads guest memory through gmem, never sets A or D bits.
 */
#ifndef GV_X86_TRANSLATE_H
#define GV_X86_TRANSLATE_H

#include "api/machine.h"
#include "mem/gmem.h"

/* What of a vCPU's state decides how it translates. */
struct paging {
	uint64_t cr0, cr3, cr4, efer;
	unsigned phys_bits;     /* MAXPHYADDR; entries with address bits above it are treated as not present */
};

/*
 * Walks GVA; without paging and in 32-bit and PAE paging only its low 32 bits count (ret->gva shows them).
 * Always fills *RET, also when the page is not present.  Returns 0 when GVA is mapped (RAM or not), -EFAULT with
 * ERR when it is not present, not canonical, or a table lies outside memory.
 */
int translate(const struct gmem *g, const struct paging *p, uint64_t gva, struct translation *ret,
	      struct err *err);

/*
 * Reports every mapped range of virtual addresses in ascending order, neighbours with equal rights and page size
 * merged, until EACH answers false.  Time is proportional to the tables present, not to the address space.
 * Tables that contain themselves (recursive mappings) are walked like any others.  Without paging: one range of
 * 2^32 bytes with page_size 0.
 */
void translate_ranges(const struct gmem *g, const struct paging *p,
		      bool (*each)(void *arg, const struct mem_range *r), void *arg);

/*
 * Reads virtual memory over translate(): returns bytes done; ERR is set (EFAULT: not mapped; ENXIO: no memory
 * behind it) when fewer than LEN.  An access past the top of the address space goes on at 0, as it does on the
 * processor.
 */
size_t vmem_read(const struct gmem *g, const struct paging *p, uint64_t gva, void *ret, size_t len,
		 struct err *err);

#endif
