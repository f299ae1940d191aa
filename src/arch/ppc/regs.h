/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A vCPU's registers.  V's thread; the general ones are read from KVM once after each run.  What a vCPU is when it is switched
 * on: loop thread, every vCPU parked.
 */
#ifndef GV_PPC_REGS_H
#define GV_PPC_REGS_H

#include "arch/ppc/vcpu_ppc.h"

/* Its general registers, or NULL with what KVM says in *ERR (may be NULL). */
const struct kvm_regs *regs_general(const struct vcpu *v, struct err *err);
/* What was read of V is stale. */
void regs_forget(struct vcpu *v);
/* Finds out which rows this host has.  The first vCPU's. */
void regs_probe(struct vcpu *v);

/* As the members of struct arch that are called so. */
uint64_t regs_pc(const struct vcpu *v);
bool regs_present(const struct kvm *k, reg_id reg);
int regs_read(struct vcpu *v, reg_id reg, void *ret, struct err *err);
int regs_write(struct vcpu *v, reg_id reg, const void *value, struct err *err);
int spr_read(struct vcpu *v, uint32_t index, uint64_t *ret, struct err *err);
int spr_write(struct vcpu *v, uint32_t index, uint64_t value, struct err *err);

/* -EIO, -ENOMEM; the caller frees it by power_on_free(), NULL is fine. */
int power_on_save(struct vm *vm, struct power_on **ret, struct err *err);
int power_on_restore(struct vm *vm, const struct power_on *p, struct err *err);
void power_on_free(struct power_on *p);
/* The state that V begins in, at ENTRY. */
int power_on_start(struct vcpu *v, uint64_t entry, struct err *err);

#endif
