/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files that carry out instructions share.  Private to src/insn. */
#ifndef GV_INSN_ASSIST_PRIV_H
#define GV_INSN_ASSIST_PRIV_H

#include "arch/x86/insn/assist.h"
#include "arch/x86/insn/priv.h"
#include "arch/x86/x86.h"

#define CR0_MP          (1ull << 1)
#define CR0_EM          (1ull << 2)
#define CR0_TS          (1ull << 3)
#define CR0_NE          (1ull << 5)
#define CR4_OSFXSR      (1ull << 9)
#define CR4_LA57        (1ull << 12)
#define CR4_OSXSAVE     (1ull << 18)
#define EFER_FFXSR      (1ull << 14)
/* CF, PF, AF, ZF, SF and OF. */
#define RFLAGS_ARITH    0x8d5ull
#define RFLAGS_ZF       (1ull << 6)
#define RFLAGS_OF       (1ull << 11)
#define RFLAGS_AC       (1ull << 18)

enum { VECTOR_DB = 1, VECTOR_BP = 3, VECTOR_OF = 4, VECTOR_BR = 5, VECTOR_UD = 6, VECTOR_NM = 7, VECTOR_NP = 11, VECTOR_SS = 12,
	VECTOR_GP = 13, VECTOR_PF = 14, VECTOR_MF = 16 };

#define MSR_TSC         0x10u
#define MSR_XSS         0xda0u
#define MSR_TSC_AUX     0xc0000103u

/* The XSAVE area (SDM vol. 1, 13.4). */
#define XS_FCW          0
#define XS_FSW          2
#define XS_FIP          8
#define XS_FDP          16
#define XS_MXCSR        24
#define XS_MXCSR_MASK   28
#define XS_ST           32
#define XS_XMM          160
#define XS_LEGACY_END   416     /* of what processors read and write */
#define XS_HEADER       512
#define XS_COMP_BV      520
#define XS_EXTENDED     576
#define XS_X87          (1ull << 0)
#define FSW_EXCEPTIONS  0x3fu
#define FSW_ES          (1u << 7)
#define FSW_B           (1u << 15)
#define XS_SSE          (1ull << 1)
#define XS_AVX          (1ull << 2)
#define XS_ZMM_HI256    6       /* upper halves of zmm0 to zmm15 */
#define MXCSR_INIT      0x1f80u
#define MXCSR_MASK_OLD  0xffbfu         /* of a processor that leaves MXCSR_MASK zero */

/* An instruction being carried out. */
struct assist {
	struct assist_cpu *cpu;
	const struct decoded *d;
	const uint8_t *bytes;
	struct insn insn;
	struct assist_result *result;
	const struct assist_op *op;
};

/*
 * What carries out an instruction: 0, or STOPPED when the result says how it ended, or NOT_OURS for ASSIST_UNKNOWN, or JUMPED when
 * it has set rip and the flags itself.
 */
enum { STOPPED = 1, NOT_OURS = 2, JUMPED = 3 };
typedef int assist_fn(struct assist *a);

struct assist_op {
	ZydisMnemonic mnemonic;
	enum assist_name name;
	unsigned feature;
	assist_fn *run;
	unsigned how;           /* RUN's own */
};

/* The rows of a file, ended by one without `run`. */
extern const struct assist_op assist_xsave_ops[], assist_sse_ops[], assist_iret_ops[], assist_atomic_ops[],
			      assist_sys_ops[];

/* The row for what the host's processor is to run; NULL: none. */
const struct assist_op *assist_native_op(const struct decoded *d);
/* Before an instruction that waits for x87: an exception that is pending there comes first.  0, STOPPED or NOT_OURS. */
int assist_pending_x87(struct assist *a);

/* End the instruction with an exception; all return STOPPED. */
int assist_raise(struct assist *a, unsigned vector);
int assist_raise_code(struct assist *a, unsigned vector, uint32_t code);

/* The guest's memory, with its faults: 0 or STOPPED. */
int assist_mem(struct assist *a, uint64_t gva, void *data, size_t len, bool write);
int assist_cmpxchg(struct assist *a, uint64_t gva, void *expected, const void *desired, size_t len, bool *ret_equal);
/* The address of the memory operand. */
uint64_t assist_address(const struct assist *a);

/* The register operand OP, or the low part that it names, zero-extended; and writing it as instructions do. */
uint64_t assist_gpr(const struct assist *a, const ZydisDecodedOperand *op);
void assist_set_gpr(struct assist *a, const ZydisDecodedOperand *op, uint64_t value);

/* Which components of the state are not in their initial configuration; the bytes of the others may be anything. */
uint64_t assist_in_use(const struct assist_cpu *cpu);
/* Component I (its place in the buffer), or NULL when it is not known. */
uint8_t *assist_component(const struct assist_cpu *cpu, unsigned i);
/* Makes COMPONENTS count, beginning with their initial values where they did not. */
void assist_use(struct assist_cpu *cpu, uint64_t components);
/* Gives the bytes of COMPONENTS the values of the registers also where those are initial, which stays known. */
void assist_write_out(struct assist_cpu *cpu, uint64_t components);

#endif
