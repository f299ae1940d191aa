/* SPDX-License-Identifier: GPL-3.0-or-later */
/* x86 instructions as text (Zydis, Intel syntax). */
#ifndef GV_MONITOR_DISAS_H
#define GV_MONITOR_DISAS_H

#include <stddef.h>
#include <stdint.h>

#include "api/machine.h"

#define DISAS_BYTES_MAX 15

struct disas_insn {
	unsigned len;           /* bytes, at least 1 */
	char text[200];         /* "(bad)" where the bytes are no instruction */
};

/*
 * Decodes the instruction in DATA (LEN bytes, at least 1) at linear address ADDR, for CODE_BITS 16, 32 or 64.
 * CS_BASE is what a 16-bit branch target wraps in (linear minus offset); it counts only there.  Absolute addresses
 * get their symbol.  Any thread that may use M's symbols.
 */
void disas_one(struct machine *m, unsigned code_bits, uint64_t cs_base, uint64_t addr, const uint8_t *data,
	       size_t len, struct disas_insn *ret);

#endif
