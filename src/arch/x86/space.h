/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A kernel's memory while user code runs: kernels that keep their own page tables from user code (Linux's page-table isolation)
 * leave hardly anything of themselves in those that the vCPU has then.
 */
#ifndef GV_X86_SPACE_H
#define GV_X86_SPACE_H

#include "arch/x86/vcpu_x86.h"
#include "arch/x86/translate.h"

/* Remembers V's page tables if its last exit was out of code at CPL 0.  V's thread, behind every KVM_RUN. */
static inline void space_note(struct vcpu *v)
{
	const struct kvm_sregs *s = &v->run->s.regs.sregs;

	if (!s->ss.dpl && s->cr0 >> 31 & 1 && s->cr3 != v->arch->kernel_cr3[0]) {
		v->arch->kernel_cr3[1] = v->arch->kernel_cr3[0];
		v->arch->kernel_cr3[0] = s->cr3;
	}
}

/*
 * As translate() by V's own tables; and where these have nothing, by the kernel's: those of the last exits out of it, or the
 * half that Linux pairs with a user's (bit 12 of CR3).  Tables are believed only if there is an IDT and they have it at the
 * same gpa, for the last ones seen may have been given back since.  V's thread, or the loop thread while V is parked.
 */
int space_translate(const struct vcpu *v, uint64_t gva, struct translation *ret, struct err *err);

#endif
