/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Catchpoints of two vCPUs over plain memory, with run pages made by hand and a KVM that only notes what it is asked. */
#ifndef GV_TESTS_CATCH_RIG_H
#define GV_TESTS_CATCH_RIG_H

#include "arch/x86/catch_x86.h"
#include "arch/x86/vcpu_x86.h"
#include "kvm/catch.h"

#define SIZE  0x10000
#define NCPUS 2
#define ANY   (CATCH_READ | CATCH_WRITE)

extern struct kvm_fake {
	int cap;                        /* answer to KVM_CHECK_EXTENSION */
	int filter_error;               /* answer to KVM_X86_SET_MSR_FILTER */
	unsigned filters;               /* how often it was set */
	struct kvm_msr_filter filter;
	uint64_t exit_reasons;          /* KVM_CAP_X86_USER_SPACE_MSR's argument */
	unsigned mp_state[NCPUS];
	uint32_t msr;                   /* the only one there is */
	uint64_t value;
} kvm;

extern uint8_t ram[SIZE];
extern struct vm vm;
extern struct vcpu cpu[NCPUS];
extern struct catch_table *t;
extern struct stop_event ev;
extern struct err err;
extern unsigned id;             /* of what add() added last; 0: nothing yet */

void setup(void);
void teardown(void);

/* What catch_add() answers; and where it must succeed. */
int add(enum catch_kind kind, uint64_t start, uint64_t end, unsigned dir);
void must_add(enum catch_kind kind, uint64_t start, uint64_t end, unsigned dir);

#endif
