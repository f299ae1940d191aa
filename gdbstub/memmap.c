/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "gdbstub/memmap.h"

/* Whether a linear address is the physical one, on every vCPU. */
static bool is_linear(struct machine *m)
{
	bool linear = true;

	if (machine_hold(m, NULL))
		return false;
	for (unsigned i = 0; linear && i < machine_info(m)->cpus; i++) {
		struct cpu_status st;

		linear = !machine_cpu_status(m, i, &st, NULL) && !st.paging;
	}
	machine_release(m);
	return linear;
}

/* FIRST to LAST, both included. */
static void write_piece(struct out *o, const char *type, uint64_t first, uint64_t last)
{
	const uint64_t half = 1ULL << 63;

	/* A length of 2^64 is none that gdb can read. */
	if (last - first == UINT64_MAX) {
		write_piece(o, type, first, half - 1);
		first = half;
	}
	out_printf(o, "<memory type=\"%s\" start=\"0x%llx\" length=\"0x%llx\"/>\n", type, (unsigned long long)first,
		   (unsigned long long)(last - first + 1));
}

void memmap_write(struct machine *m, struct out *o)
{
	struct slot_info s;
	uint64_t next = 0;

	out_puts(o, "<?xml version=\"1.0\"?>\n"
		    "<!DOCTYPE memory-map PUBLIC \"+//IDN gnu.org//DTD GDB Memory Map V1.0//EN\" "
		    "\"http://sourceware.org/gdb/gdb-memory-map.dtd\">\n<memory-map>\n");
	if (is_linear(m)) {
		for (size_t i = 0; machine_slot_list(m, i, &s); i++) {
			/* gdb sees address space 0. */
			if (!s.readonly || slot_space(s.id))
				continue;
			if (s.gpa > next)
				write_piece(o, "ram", next, s.gpa - 1);
			write_piece(o, "rom", s.gpa, s.gpa + s.size - 1);
			next = s.gpa + s.size;
		}
	}
	/* Slots end far below 2^64. */
	write_piece(o, "ram", next, UINT64_MAX);
	out_puts(o, "</memory-map>\n");
}
