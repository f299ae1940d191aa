/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an instruction is and which memory it touches, from its bytes and the registers it runs with.  Pure: knows neither
 * KVM nor guest memory.  Any thread.
 */
#ifndef GV_INSN_INSN_H
#define GV_INSN_INSN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INSN_BYTES_MAX    15
#define INSN_ACCESSES_MAX 8

/* By their numbers in instructions. */
enum insn_gpr { INSN_RAX, INSN_RCX, INSN_RDX, INSN_RBX, INSN_RSP, INSN_RBP, INSN_RSI, INSN_RDI, INSN_GPRS = 16 };
enum insn_seg { INSN_ES, INSN_CS, INSN_SS, INSN_DS, INSN_FS, INSN_GS, INSN_SEGS };

struct insn_regs {
	uint64_t gpr[INSN_GPRS];        /* by enum insn_gpr; r8 to r15 follow rdi */
	uint64_t rip, rflags;           /* rip: offset in cs */
	uint64_t base[INSN_SEGS];       /* in 64-bit code those of es, cs, ss and ds do not count */
	unsigned code_bits, stack_bits; /* 16, 32 or 64; stack_bits is 64 in 64-bit code and never elsewhere */
	uint64_t cr0, cr4, efer, xcr0;
	unsigned cpl;                   /* 3 in virtual-8086 mode */
	unsigned xsave_size;            /* bytes of an XSAVE area for xcr0 (CPUID 0xd, ebx); 0 counts as 576 */
};

enum insn_class {
	INSN_OTHER,
	INSN_PUSHF, INSN_POPF, INSN_IRET,
	INSN_INT,                       /* int n, int3, int1, into: `number` is the vector */
	INSN_SYSCALL, INSN_SYSENTER, INSN_SYSRET, INSN_SYSEXIT,
	INSN_MOV_SS,                    /* MOV SS and POP SS: interrupts and single-step traps wait for one instruction */
	INSN_STI, INSN_CLI, INSN_HLT,
	INSN_IN, INSN_OUT, INSN_INS, INSN_OUTS,
	INSN_READ_DR, INSN_WRITE_DR,    /* `number`: of the debug register; `gpr`: the other operand */
};

struct insn_access {
	uint64_t gva;                   /* linear, of the first byte */
	unsigned size;                  /* bytes; outside 64-bit code what goes past 4 GiB wraps to 0 */
	bool read, write;               /* both: read, then written */
	bool implicit;                  /* no operand names it: the stack, strings, MASKMOV */
	uint16_t regs;                  /* mask of the general registers (1 << enum insn_gpr) its address is made of */
};

struct insn {
	unsigned len;                   /* bytes */
	enum insn_class class;
	unsigned number, gpr;
	bool lock;                      /* LOCK, or XCHG with memory, which locks by itself */
	bool rep;
	/* With REP: how many elements are left; the accesses are those of the first, and there are none when it is 0. */
	uint64_t count;
	/*
	 * In the order of the operands.  Not among them: descriptor tables, task state segments, and the stack that an event's
	 * delivery pushes to (INT) or a return to another privilege level reads from beyond rip, cs and rflags.
	 */
	struct insn_access access[INSN_ACCESSES_MAX];
	unsigned naccess;
	bool partial;                   /* there are more, which general registers do not tell: gather, scatter */
	uint16_t written;               /* mask of the general registers it writes */
};

/*
 * Decodes the instruction in the N bytes at r->rip.  A conditional access (REP, CMPXCHG, a mask) counts as one, in full size.
 * -EINVAL: not an instruction; -EFAULT: N bytes are not all of it.
 */
int insn_decode(const struct insn_regs *r, const uint8_t *bytes, size_t n, struct insn *ret);

/*
 * The class alone, from the opcode, in nanoseconds; INSN_OTHER also when N bytes do not tell.  What is no instruction at all
 * (`pop ss` in 64-bit code, say) may have a class.
 */
enum insn_class insn_classify(const uint8_t *bytes, size_t n, unsigned code_bits);


/*
 * Which instruction, of those that may end at after->rip, accessed SIZE bytes at GVA (a part of what it touched will do):
 * BEFORE are the N bytes in front of after->rip (the last 15 of them count), AFTER the registers when it was done.  Matching
 * addresses go first, then the direction and size, where the instruction overwrote its own address.  Of several equally good
 * ones that is taken which decoding from further back leads to.  Sets *RET_LEN.  -ENOENT: none; -ENOTUNIQ: no telling which.
 */
int insn_find_access(const struct insn_regs *after, const uint8_t *before, size_t n, uint64_t gva, unsigned size,
		     bool write, unsigned *ret_len);

/* The linear address of an offset in SEG, with these registers' rules. */
uint64_t insn_linear(const struct insn_regs *r, enum insn_seg seg, uint64_t offset);

/* Writes "0f ae 2f  xrstor [rdi]" into TEXT (SIZE > 0 bytes, cut short if need be); what does not decode is bytes and "(bad)". */
void insn_text(const struct insn_regs *r, const uint8_t *bytes, size_t n, char *text, size_t size);

#endif
