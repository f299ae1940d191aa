/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bits and numbers of the architecture that many files need (Power ISA 3.0 B, book III). */
#ifndef GV_PPC_PPC_H
#define GV_PPC_PPC_H

/* The machine state register: book III, 4.2.1. */
#define MSR_SF          (1ull << 63)    /* 64-bit mode */
#define MSR_PR          (1ull << 14)    /* problem state */
#define MSR_IR          (1ull << 5)     /* instructions are translated */
#define MSR_DR          (1ull << 4)     /* data are */
#define MSR_LE          (1ull << 0)

#define INSN_BYTES      4u
#define TRAP_BOOK3S     0x00dddd00u     /* what Linux stops at there (arch/powerpc/include/asm/kvm_book3s.h) */

#endif
