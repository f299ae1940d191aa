/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A life on the real KVM: what it consists of (kvm_steps.c), and how it is lived with one fault (kvm_life.c). */
#ifndef GV_TESTS_FAULTS_KVM_LIFE_H
#define GV_TESTS_FAULTS_KVM_LIFE_H

#include "api/machine.h"

#define AT      0x2000000ull    /* where most of what is added is put */

struct step {
	const char *name;
	int (*run)(void);       /* -errno, with its line in `err`, of tests/watched.h */
	bool same;              /* after a failure all is as before */
};

/* Each ends with an empty row. */
extern const struct step small_steps[], pc_steps[], ring_steps[];

extern bool life_again;         /* a step that failed, and may have moved the guest, is tried again */
extern bool life_lacking;       /* a capability that was not there is missing for good: what needs it is not done */

extern struct life_files {
	char dir[32];
	char data[64], disk[64];        /* files in it, with zeroes */
} life_files;

/* For machine_slot_check(): that is wrong.  ARG: what was done before, a string. */
void life_slot_fault(void *arg, const struct slot_fault *f);

#endif
