/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The members of struct arch (arch/arch.h), by file; what each has to do stands there. */
#ifndef GV_PPC_PARTS_H
#define GV_PPC_PARTS_H

#include "arch/arch.h"
#include "arch/ppc/vcpu_ppc.h"

/* -- host.c -- */
#define PPC_NCAPS 15u
extern const struct kvm_cap ppc_caps[PPC_NCAPS];
int ppc_host_open(struct kvm *k, struct err *err);
int ppc_vm_made(struct kvm *k, struct err *err);
void ppc_host_close(struct kvm *k);
/* The instruction that this host's KVM stops at for us.  K has its VM.  -errno of what KVM says. */
int ppc_trap(const struct kvm *k, struct break_trap *ret, struct err *err);

/* -- machine.c -- */
int ppc_check_config(const struct machine_config *c, struct err *err);
int ppc_board_new(struct machine_kvm *m, const struct machine_config *c, struct err *err);
void ppc_board_free(struct machine_kvm *m);
int ppc_devices_new(struct machine_kvm *m, const struct machine_config *c, struct err *err);
void ppc_devices_free(struct machine_kvm *m);
int ppc_ready(struct machine_kvm *m, struct err *err);
int ppc_load(struct machine_kvm *m, uint64_t *ret_slide, struct err *err);

/* -- debug.c -- */
int ppc_debug_check(const struct vm *vm, enum arch_debug what, struct err *err);
void ppc_prepare_run(struct vcpu *v);
void ppc_run_steps(struct vcpu *v, bool stepped);
bool ppc_step_alone(struct vcpu *v);
bool ppc_debug_exit(struct vcpu *v);

/* -- exits.c -- */
bool ppc_exit(struct vcpu *v);

#endif
