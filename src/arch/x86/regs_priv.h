/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the parts of regs.c share: where a register of the table lives, and who reads and writes it there.  Threads: as arch/x86/regs.h. */
#ifndef GV_X86_REGS_PRIV_H
#define GV_X86_REGS_PRIV_H

#include "arch/x86/regs.h"
#include "arch/x86/x86_regs.h"

enum reg_home {
	HOME_REGS, HOME_SREGS, HOME_PC, HOME_DEBUG, HOME_ATTR,
	HOME_MSR, HOME_XCR,
	/* in the XSAVE area */
	HOME_ST, HOME_FCTL, HOME_XMM, HOME_MXCSR, HOME_YMMH,
	HOME_OPMASK, HOME_ZMMH, HOME_XMMX, HOME_YMMXH, HOME_ZMMXH, HOME_PKRU,
};

struct reg_place {
	enum reg_home home;
	uint32_t offset;        /* in the home; an index, for those in the XSAVE area; an MSR's number */
	uint16_t bits;          /* width there */
};

extern const struct reg_place reg_places[X86_REGS];

/* Rows in the XSAVE area.  Whether it has room for REG at all; reading, into REG_BYTES_MAX bytes; and writing. */
bool regs_xsave_has(const struct kvm *k, reg_id reg);
int regs_xsave_read(struct vcpu *v, reg_id reg, uint8_t *ret, struct err *err);
/* -EINVAL: reserved bits of mxcsr. */
int regs_xsave_write(struct vcpu *v, reg_id reg, const uint8_t *value, struct err *err);

/* An MSR as KVM has it, which checks.  -EINVAL. */
int regs_msr_access(struct vcpu *v, uint32_t index, uint64_t *value, bool write, struct err *err);

int regs_xcr0_read(struct vcpu *v, uint64_t *ret, struct err *err);
/* As XSETBV (SDM vol. 1, 13.3).  -EINVAL. */
int regs_xcr0_write(struct vcpu *v, uint64_t value, struct err *err);

/* Whether ADDRESS is canonical (SDM vol. 1, 3.3.7.1). */
bool regs_canonical(const struct kvm_sregs *s, uint64_t address);

/*
 * Whether the processor would go on with *NOW, and *REGS as they are, in place of *OLD, as by MOV to the control registers, and by what VM
 * entry demands of segments (SDM vol. 3, 2.5, 4.1 and 26.3.1): what was amiss before may stay so.  Puts right what follows from
 * the rest, efer.LMA.  -EINVAL.  Pure.
 */
int regs_check(const struct kvm *k, const struct kvm_regs *regs, const struct kvm_sregs *old, struct kvm_sregs *now,
	       struct err *err);

#endif
