/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A machine on the real /dev/kvm for a test: made from code bytes, observed, waited for with a deadline. */
#ifndef GV_TESTS_KVM_HARNESS_H
#define GV_TESTS_KVM_HARNESS_H

#include "api/machine.h"
#ifdef __x86_64__
#include "arch/x86/x86_regs.h"
#endif
#include "kvm/machine_kvm.h"
#include "tests/watched.h"

extern unsigned guest_dirty_ring;       /* entries of the dirty rings of machines made from now on; 0: bitmaps */

/* Assembled with the test; the symbols stand around a piece of guest code. */
#define GUEST(name, code)                                                                                       \
	extern const unsigned char name[], name##_end[];                                                        \
	__asm__(".pushsection .rodata\n.globl " #name "\n" #name ":\n.code16\n" code "\n.globl " #name "_end\n"  \
		#name "_end:\n.code64\n.popsection\n")

/* Makes M with the code loaded at LOAD, in MODE, with CPUS vCPUs; fails the test when that does not work. */
void guest_start(const unsigned char *code, const unsigned char *end, uint64_t load, enum boot_mode mode,
		 unsigned cpus);
#define GUEST_START(name, load, mode, cpus) guest_start(name, name##_end, load, mode, cpus)
/* Makes M as *C says, taking its image over. */
void guest_start_machine(struct machine_config *c);
/* Makes M a PC with the code, at offset 0 of 64 KiB, as its firmware: it is jumped to at f000:0000.  *C: what else there is. */
void guest_start_firmware(const unsigned char *code, const unsigned char *end, struct machine_config *c);
void guest_end(void);

/* Resumes all vCPUs, or CPU alone with one step. */
void guest_continue(void);
void guest_step(unsigned cpu);
/* Waits for a stop that has not been waited for yet; fails the test after ten seconds. */
void guest_wait(void);
/* Lets the machine run until LEN bytes have come on COM1, with the same deadline. */
void guest_poll_serial(size_t len);

/* machine_break_insert() and machine_break_remove() for any address space, from vCPU 0; ERR says why not. */
int guest_break(enum break_owner owner, enum break_kind kind, uint64_t gva);
int guest_unbreak(enum break_owner owner, enum break_kind kind, uint64_t gva);

uint64_t guest_reg(unsigned cpu, reg_id reg);
void guest_set_reg(unsigned cpu, reg_id reg, uint64_t value);
uint32_t guest_u32(uint64_t gpa);
/*
 * Between two looks at the memory of a guest that runs: each holds it, and one that is looked at all the time comes to nothing where
 * KVM is slow to be entered.  It has some milliseconds to itself, or until something happens.
 */
void guest_run_on(void);

/* Whether there is no KVM to test on. */
bool guest_no_kvm(void);
/* Whether this KVM can log dirty pages in rings. */
bool guest_has_rings(void);

#endif
