/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Instruction assist: carries out one guest instruction that KVM's emulator does not know, with the faults the processor
 * would raise.  Pure: memory comes by callbacks.  Any thread.
 *
 * What it does not check: segment limits and rights, alignment checks (#AC); but those of a CS that it loads.
 */
#ifndef GV_INSN_ASSIST_H
#define GV_INSN_ASSIST_H

#include "arch/x86/insn/insn.h"

struct native;

/* What the guest's processor has, by CPUID. */
enum assist_feature {
	ASSIST_FXSR = 1 << 0,
	ASSIST_SSE = 1 << 1,
	ASSIST_SSE2 = 1 << 2,
	ASSIST_SSE3 = 1 << 3,
	ASSIST_SSE41 = 1 << 4,
	ASSIST_POPCNT = 1 << 5,
	ASSIST_SMAP = 1 << 6,
	ASSIST_XSAVE = 1 << 7,
	ASSIST_XSAVEOPT = 1 << 8,
	ASSIST_XSAVEC = 1 << 9,
	ASSIST_AVX = 1 << 10,
	ASSIST_AVX2 = 1 << 11,
	ASSIST_CX8 = 1 << 12,
	ASSIST_CX16 = 1 << 13,
	ASSIST_XGETBV1 = 1 << 14,
	ASSIST_XSAVES = 1 << 15,
};

#define ASSIST_COMPONENTS 32

/* A state component of the XSAVE area (CPUID leaf 0xd). */
struct assist_component {
	uint32_t offset, size;  /* bytes, in the standard form; size 0: there is none */
	bool aligned;           /* begins at a multiple of 64 in the compacted form */
};

struct assist_fault {
	uint32_t code;          /* page-fault error code */
	uint64_t gva;           /* for CR2 */
};

/*
 * Reads LEN bytes at the linear address GVA into DATA, or writes them, with the rights of the guest's code.  -EFAULT with *RET
 * filled: a page fault, and nothing was done.
 */
typedef int assist_access_fn(void *arg, uint64_t gva, void *data, size_t len, bool write, struct assist_fault *ret);

/*
 * Compares LEN bytes (8, or 16 at a multiple of 16) at GVA with EXPECTED: equal, they become DESIRED; else EXPECTED becomes what they
 * are.  Nobody else comes in between.  0 with *RET_EQUAL; -EFAULT as above: to the page's rights it is a write either way.
 */
typedef int assist_cmpxchg_fn(void *arg, uint64_t gva, void *expected, const void *desired, size_t len, bool *ret_equal,
			      struct assist_fault *ret);

/* Reads a model-specific register of the guest's.  0, or -errno: it has none. */
typedef int assist_msr_fn(void *arg, uint32_t index, uint64_t *ret);

/* A descriptor table: linear base, and the offset of its last byte. */
struct assist_table {
	uint64_t base;
	uint32_t limit;
};

/* CS as its descriptor has it. */
struct assist_code_segment {
	bool changed;           /* the instruction has loaded it */
	uint16_t selector;
	uint64_t base;
	uint32_t limit;         /* bytes, less one */
	uint8_t type, dpl;
	bool big, coarse, spare;        /* D, G and AVL */
};

struct assist_cpu {
	struct insn_regs regs;          /* in and out: general registers, rip, rflags */
	unsigned features;              /* mask of enum assist_feature */
	/*
	 * In and out: x87, SSE and what else, in the standard form of the XSAVE area, as KVM_GET_XSAVE gives it.  What lies
	 * beyond xsave_size is not known, and instructions that need it are not carried out.
	 */
	uint8_t *xsave;
	size_t xsave_size;
	bool xsave_changed;             /* out */
	struct assist_component component[ASSIST_COMPONENTS];   /* from 2 on */
	struct assist_table gdt, ldt;
	struct assist_code_segment cs;  /* out */
	struct native *native;          /* runs what only computes; NULL: that is not carried out */
	uint64_t host;                  /* with native: assist_host_features() */
	assist_access_fn *access;
	assist_cmpxchg_fn *cmpxchg;     /* NULL: nobody can */
	assist_msr_fn *read_msr;        /* likewise */
	void *arg;
};

enum assist_kind {
	ASSIST_DONE,            /* rip is past it */
	ASSIST_EXCEPTION,       /* to be delivered; rip is at the instruction for faults, past it for int3, into, int1 */
	ASSIST_SOFT_INT,        /* INT n with vector n; rip is past it */
	ASSIST_UNKNOWN,         /* nobody can do it; nothing has changed */
};

/* What was done, for counting; from ASSIST_FXSAVE on with x87 or vector state. */
enum assist_name {
	ASSIST_INT3, ASSIST_INT1, ASSIST_INTO, ASSIST_INT_N, ASSIST_BOUND, ASSIST_CLAC_STAC, ASSIST_POPCNT_OP,
	ASSIST_IRET, ASSIST_CMPXCHG,
	ASSIST_INTEGER, ASSIST_UNDEFINED, ASSIST_RDTSCP, ASSIST_DESCRIPTOR, ASSIST_INVPCID,
	ASSIST_FXSAVE, ASSIST_FWAIT, ASSIST_FXRSTOR, ASSIST_XSAVE_OP, ASSIST_XRSTOR, ASSIST_SSE_MOVE, ASSIST_AVX_MOVE,
	ASSIST_X87, ASSIST_SSE_OP, ASSIST_AVX_OP, ASSIST_XGETBV, ASSIST_PKRU, ASSIST_NAMES
};

struct assist_result {
	enum assist_kind kind;
	enum assist_name name;  /* but for ASSIST_UNKNOWN */
	uint8_t vector;
	bool has_code;
	uint32_t code;
	uint64_t cr2;           /* for vector 14 */
	/* ASSIST_DONE under the guest's own trap flag: a single-step trap is due (#DB with DR6.BS). */
	bool trap;
	bool unmask_nmi;        /* NMIs are no longer held back */
	bool flush;             /* no translation that the processor remembers is to be used any more */
	char text[80];          /* ASSIST_UNKNOWN: the instruction, as insn_text() has it */
};

/* Carries out the instruction whose first N bytes are BYTES, at cpu->regs.rip. */
void assist_run(struct assist_cpu *cpu, const uint8_t *bytes, size_t n, struct assist_result *ret);

/* What that needs besides: else `xsave` and `component`, and regs.xcr0, may be left out. */
enum assist_needs {
	ASSIST_NEEDS_NOTHING,
	ASSIST_NEEDS_STATE,     /* x87 or SSE: `xsave` and `component` */
	ASSIST_NEEDS_XCR0,      /* and regs.xcr0 */
};
enum assist_needs assist_needs(const struct insn_regs *r, const uint8_t *bytes, size_t n);

/* What the processor that this program runs on has, for instructions that it runs itself.  Reads CPUID, which is slow in a VM. */
uint64_t assist_host_features(void);

/* "int3", "xsave", ...; static text. */
const char *assist_name(enum assist_name name);

#endif
