/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Instruction assist at work: what KVM's emulator gave up on is carried out by insn/assist.h on the vCPU's registers and
 * memory.  The vCPU's own thread, unless it says else.
 */
#ifndef GV_X86_ASSIST_KVM_H
#define GV_X86_ASSIST_KVM_H

#include "arch/x86/vcpu_x86.h"

struct assister;

/* What the guest's processor has, and the counts.  K must outlive it.  -ENOMEM. */
int assister_new(const struct kvm *k, struct assister **ret, struct err *err);
void assister_free(struct assister *a);         /* NULL is fine */
/* Makes the executable pages of the vCPUs 0 to NCPUS - 1, else made at their first use.  Before the vCPUs run; without, where the host refuses. */
void assister_prepare(struct assister *a, unsigned ncpus);
/* As machine_assist_count().  Any thread. */
bool assister_count(const struct assister *a, size_t index, struct assist_count *ret);

struct assist_outcome {
	/*
	 * The instruction is behind V, or has faulted; V may re-enter.  Its registers, also those in the run page, are as it left
	 * them, and what it did to watched memory has been noted (watch_settle()).
	 */
	bool done;
	bool event;             /* with done: an exception or interrupt of the guest's is to be delivered at the next entry */
	uint8_t vector;
	char text[140];         /* not done: "KVM cannot emulate 0f ae 2f  xrstor [rdi]" */
};

/*
 * Carries out the instruction at V's pc.  DRY: only says what it is (the setting is off).
 *
 * A #BP, #OF or INT n is injected with rip past the instruction, which is right where KVM emulates kernel code; where the
 * processor steps by its trap flag it runs them itself, and they are refused.
 */
void assist_try(struct vcpu *v, bool dry, struct assist_outcome *ret);

#endif
