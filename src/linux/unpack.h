/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How a bzImage unpacks itself (Linux, arch/x86/boot/compressed/head_64.S): its 64-bit entry copies all of it to where
 * it is out of the way, and jumps there by a register; the copy unpacks the kernel, moves it, and jumps to its first
 * instruction, by a register again.  Pure.
 */
#ifndef GV_LINUX_UNPACK_H
#define GV_LINUX_UNPACK_H

#include <stddef.h>
#include <stdint.h>

#include "api/err.h"
#include "arch/x86/insn/insn.h"

/* Offsets are from the beginning of the protected-mode code. */
struct unpacker {
	const uint8_t *code;    /* in the file; all of it is loaded together */
	size_t size;
	uint32_t jump;          /* of the jump to the copy */
	uint32_t copied;        /* where that leads to in the copy */
	uint32_t start;         /* of the jump to the kernel, which the copy executes */
	enum insn_gpr jump_gpr, start_gpr;      /* what they jump by */
};

/* FILE is a bzImage, and must outlive *RET.  -ENOEXEC: its code is not as described. */
int unpacker_find(const uint8_t *file, size_t size, struct unpacker *ret, struct err *err);

#endif
