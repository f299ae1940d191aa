/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Between the files that step (step.c, step_user.c).  The vCPU's own thread. */
#ifndef GV_X86_STEP_PRIV_H
#define GV_X86_STEP_PRIV_H

#include "arch/x86/insn/insn.h"
#include "arch/x86/vcpu_x86.h"

#define OPCODE_MAX 8            /* bytes that tell the class: prefixes and opcode */

/* What of a vCPU's state a step is judged by. */
struct step_before {
	enum insn_class class;
	bool ints;              /* INT, or one that takes an INT behind it along; then */
	unsigned vector;        /* its number, */
	bool int1;              /* and whether it is the INT of one byte for that */
	uint64_t pc, rip, rsp, rcx, rflags;
	uint16_t cs, ss;
	bool image_tf;          /* POPF, IRET: the trap flag in what it loads */
	unsigned size;          /* PUSHF, POPF, IRET: bytes of what is pushed or loaded */
	uint64_t image[5];      /* IRET: rip, cs, flags, and in 64-bit code rsp and ss */
	uint8_t code[OPCODE_MAX];       /* the instruction's first bytes */
	size_t n;               /* how many of them could be read */
	bool halts;             /* HLT, without prefixes */
	bool user;              /* CPL 3, where this host cannot step */
	struct kvm_sregs sregs; /* then */
};

/*
 * The trap of a step in user code went to the guest's own handler: the delivery is undone, as if it had not been.  Its frame stays
 * below the stack of a kernel that was not running.  False: that is not what happened.
 */
bool step_undo_trap(struct vcpu *v, const struct insn_regs *r, const struct step_before *b);
/*
 * Where user code cannot be stepped, an IRET to there would run on in it: it is carried out here, up to the first instruction.
 * False: it is none of those, or will fault, and nothing was done.
 */
bool step_enter_user(struct vcpu *v, const struct step_before *b);
/*
 * Takes the step without KVM, which for one step is to be told twice and to run once: if the instruction touches registers only, nothing
 * else can come of it, and this KVM would have emulated it, too.  Once after each exit: steps that follow each other
 * are KVM's, and what it has pending comes in them.  False: nothing was done.
 */
bool step_plain(struct vcpu *v, const struct step_before *b);

#endif
