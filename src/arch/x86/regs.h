/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A vCPU's registers by the table (arch/x86/regs.def), with KVM behind it.  Reads come from the run page, where the kernel leaves
 * the general and system registers at every exit; rarer groups are fetched once a stop.  Writes go to the kernel at once,
 * which checks them.
 *
 * The vCPU's own thread, or the loop thread while the vCPU is parked.
 */
#ifndef GV_X86_REGS_H
#define GV_X86_REGS_H

#include "arch/x86/insn/insn.h"
#include "arch/x86/vcpu_x86.h"
#include "arch/x86/translate.h"
#include "arch/x86/x86_regs.h"

/* Fetches general and system registers into the run page; needed before the first run and after they were set whole. */
int regs_refresh(struct vcpu *v, struct err *err);

/* The linear pc: rip in 64-bit code, else cs.base + eip. */
uint64_t regs_pc(const struct vcpu *v);
void regs_paging(const struct vcpu *v, struct paging *ret);
/* ret->activity is NULL for a vCPU that has only to be resumed. */
void regs_status(struct vcpu *v, struct cpu_status *ret);

/* Operand and address size of the code at the pc: 16, 32 or 64. */
unsigned regs_code_bits(const struct vcpu *v);
/* Whether exceptions push error codes: not in real mode (SDM vol. 3, 20.1.4). */
bool regs_has_codes(const struct vcpu *v);
/* What decoding needs; not xsave_size. */
void regs_insn(const struct vcpu *v, struct insn_regs *ret);
/* The general registers, rip and rflags of R as KVM has them. */
struct kvm_regs regs_from_insn(const struct insn_regs *r);
/* Sets all general registers, rip and rflags at once, as *REGS has them.  -EIO. */
int regs_set_general(struct vcpu *v, const struct kvm_regs *regs);
/* The same with the system registers. */
int regs_set_all(struct vcpu *v, const struct kvm_regs *regs, const struct kvm_sregs *sregs);
/*
 * The same at V's next entry, which spares a call of KVM's; an exception that KVM has pending goes, and the interrupt shadow stays.
 * Until then V's thread calls regs_settle() before it does what KVM's own copy matters to, and before it parks.
 */
void regs_set_later(struct vcpu *v, const struct kvm_regs *regs);
/* -errno: KVM has not got them, and gets them at the next entry. */
int regs_settle(struct vcpu *v);
/* Fetches the XSAVE area into V->xsave, unless it is there.  -EIO and what KVM says. */
int regs_xsave(struct vcpu *v, struct err *err);
/* Reads MSR INDEX.  -errno. */
int regs_msr(struct vcpu *v, uint32_t index, uint64_t *ret);
/* Finds out which of the MSRs in the table this host has, for regs_present(); V is the first vCPU, with its CPUID. */
void regs_probe(struct vcpu *v);

/* As machine_special_read/write. */
int regs_msr_read(struct vcpu *v, uint32_t index, uint64_t *ret, struct err *err);
int regs_msr_write(struct vcpu *v, uint32_t index, uint64_t value, struct err *err);

/* As machine_reg_present/read/write. */
bool regs_present(const struct kvm *k, reg_id reg);
int regs_read(struct vcpu *v, reg_id reg, void *ret, struct err *err);
int regs_write(struct vcpu *v, reg_id reg, const void *value, struct err *err);

/* Makes exception VECTOR (without an error code) pending, as the next thing the guest sees; ADVANCE moves rip past a one-byte instruction first. */
int regs_inject(struct vcpu *v, unsigned vector, bool advance, struct err *err);

#endif
