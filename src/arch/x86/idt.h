/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where the processor goes for a vector: the real-mode vector table, and the gates of protected and long mode (Intel
 * SDM vol. 3, 6.10 to 6.14 and 20.1.4).  Pure: memory comes by a function.
 */
#ifndef GV_X86_IDT_H
#define GV_X86_IDT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/err.h"

#define IDT_VECTORS 256u

/* Real mode; protected mode, also with code in virtual-8086 mode; EFER.LMA. */
enum idt_kind { IDT_REAL, IDT_PROT, IDT_LONG };

/* A descriptor table: linear address of its first byte, offset of its last. */
struct idt_table {
	uint64_t base;
	uint32_t limit;
};

/* Reads LEN bytes of linear memory at GVA; false when not all of them can be read. */
typedef bool idt_read_fn(void *arg, uint64_t gva, void *ret, size_t len);

struct idt {
	enum idt_kind kind;
	struct idt_table idt, gdt;      /* gdt and ldt count for IDT_PROT only, whose code segments have bases */
	struct idt_table ldt;
	bool has_ldt;
	idt_read_fn *read;
	void *arg;
};

struct idt_gate {
	uint64_t handler;       /* linear */
	unsigned width;         /* bytes of each thing that delivery pushes: 2, 4 or 8 */
};

/* Bytes of one entry. */
unsigned idt_gate_size(enum idt_kind kind);
/* The linear address of VECTOR's entry; false when the limit cuts it off. */
bool idt_gate_place(const struct idt *t, unsigned vector, uint64_t *ret_gva);
/*
 * Finds the handler of VECTOR.  -ENOENT: beyond the limit, not present, or an unset real-mode vector (0:0); -ENOTSUP: a
 * task gate; -EINVAL: no gate, or its selector names no code segment; -EFAULT: the tables cannot be read.
 */
int idt_find(const struct idt *t, unsigned vector, struct idt_gate *ret, struct err *err);

/* What delivery pushed, as far as it matters: with an error code, or without. */
struct idt_frame {
	bool has_code;
	uint64_t code;
	uint64_t cs, ip;        /* where it came from */
};

/*
 * Makes sense of what SP points to in a handler's first instruction: WORDS holds the first four things there, WIDTH
 * bytes each.  Whether there is an error code follows from the vector, and where a software or external interrupt may
 * have come by the same vector, from the stack itself.
 */
void idt_frame(enum idt_kind kind, unsigned vector, uint64_t sp, const uint64_t words[4], struct idt_frame *ret);

/* "#PF" and so on; NULL: none of the processor's exceptions. */
const char *idt_vector_name(unsigned vector);

#endif
