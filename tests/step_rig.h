/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Guests that say themselves where stepping through them leads: places are marked in the code, in the order that they come in, and
 * the handlers of vectors likewise.  One prologue a mode, on tables that the rig writes.
 */
#ifndef GV_TESTS_STEP_RIG_H
#define GV_TESTS_STEP_RIG_H

#include "tests/kvm_harness.h"

#define LOAD 0x8000u            /* where programs stand */
#define DATA 0x500u             /* theirs to use; "0x500" in their code */
#define IDT 0x5000u
#define GDT 0x6000u
#define TSS 0x6100u
#define IDTR 0x6fe0u
#define GDTR 0x6ff0u
#define KERNEL_STACK 0x7800u    /* of what comes from user mode; the kernel's own, elsewhere, ends at 0x7f00 */

/* The N-th place, from 0, where stepping is to begin. */
#define P(n) "777:\n.subsection 2 + " #n "\n.long 777b - 1000b\n.subsection 0\n"
/* The handler of a vector. */
#define H(vector) "777:\n.subsection 8001\n.long " #vector ", 777b - 1000b\n.subsection 0\n"
/* The linear address of a numeric label, for code loaded at LOAD. */
#define AT(label) "(" #label " - 1000b + 0x8000)"

#define PROGRAM(name, code)                                                                                        \
	extern const unsigned char name[], name##_end[];                                                           \
	extern const uint32_t name##_places[], name##_gates[], name##_gates_end[];                                 \
	__asm__(".pushsection .rodata." #name ", \"a\", @progbits\n.globl " #name ", " #name "_end, " #name "_places, " \
		#name "_gates, " #name "_gates_end\n" #name ":\n1000:\n" code #name "_end:\n.code64\n"              \
		".subsection 1\n.balign 4\n" #name "_places:\n.subsection 8000\n" #name "_gates:\n"                  \
		".subsection 8002\n" #name "_gates_end:\n.subsection 0\n.popsection\n")

#define REAL ".code16\n xor %ax, %ax\n mov %ax, %ds\n mov %ax, %es\n mov %ax, %ss\n mov $0x7f00, %sp\n"
#define TABLES "lgdt 0x6ff0\n lidt 0x6fe0\n mov $0x10, %ax\n mov %ax, %ss\n mov $0x30, %ax\n ltr %ax\n mov $0x7f00, %esp\n"
#define PROT ".code32\n" TABLES
#define LONG ".code64\n" TABLES
/* On to ring 3 at a numeric label, with these flags; its stack ends at 0x7000. */
#define TO_USER(label, flags) "pushq $0x1b\n pushq $0x7000\n pushq $" #flags "\n pushq $0x23\n pushq $" AT(label) "\n iretq\n"

struct program {
	const unsigned char *code, *end;
	const uint32_t *places, *gates, *gates_end;
	enum boot_mode mode;
};

#define PARTS(name, mode) { name, name##_end, name##_places, name##_gates, name##_gates_end, mode }
#define THE(name, mode) (&(struct program)PARTS(name, mode))

/* Makes M with P in it, its tables written, every page open to user mode, and runs it to place 0 (if there is any). */
void rig_start(const struct program *p, unsigned cpus);
/* Place N, linear. */
uint64_t rig_place(unsigned n);
unsigned rig_places(void);
/* One step of vCPU 0, which must lead to PC. */
void rig_step(uint64_t pc);
/* Steps from place FROM to all that follow, up to the last. */
void rig_walk(unsigned from);
/* Continues to a stop of REASON at PC. */
void rig_continue(enum stop_reason reason, uint64_t pc);
/* Steps until PC, of which there may be MAX; returns how many it took. */
unsigned rig_step_until(uint64_t pc, unsigned max);
void rig_watch(enum watch_kind kind, uint64_t gva, uint64_t size);
void rig_unwatch(enum watch_kind kind, uint64_t gva, uint64_t size);
void rig_break(enum break_kind kind, uint64_t gva);
void rig_unbreak(enum break_kind kind, uint64_t gva);

/* What this host was measured to do (src/arch/x86/probe.h), as `info host` shows it. */
bool host_says(const char *fact, const char *value);
/* Says on standard output why a test is not for this host. */
void not_here(const char *test, const char *why);

#endif
