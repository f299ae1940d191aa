/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finding out, in a scratch VM, what this host's KVM does when a guest is debugged: capabilities do not tell. */
#ifndef GV_X86_PROBE_H
#define GV_X86_PROBE_H

#include "arch/x86/host_x86.h"

/* The kinds of guest code that KVM may treat differently. */
enum probe_mode { PROBE_REAL, PROBE_PROT32, PROBE_LONG, PROBE_USER, PROBE_MODES };

#define PROBE_ALL ((1u << PROBE_MODES) - 1)

/* Every member is one byte, so that a table can name them (probe.c) and a file can keep them (probe_cache.c). */
struct probe {
	/* Masks of 1 << enum probe_mode: where KVM exits with KVM_EXIT_DEBUG, at the place that one would expect. */
	uint8_t steps;          /* after a single-stepped instruction */
	uint8_t int3s;          /* at an int3, with KVM_GUESTDBG_USE_SW_BP */
	uint8_t execs;          /* at an execution breakpoint in a debug register */
	uint8_t watches;        /* after a store that a debug register watches */
	/*
	 * The byte a soft breakpoint puts into memory: int3 where KVM shows it to us in real mode; else one that a KVM which
	 * emulates kernel code gives up on, so that it cannot reach the guest's own handler.
	 */
	uint8_t trap_byte;
	/*
	 * KVM_EXIT_DEBUG for an int3 in real mode: code runs on the processor then, which single-steps by its trap flag.  Else
	 * the kernel emulates it, and steps by its own bookkeeping, where telling it anew costs as much as the step.
	 */
	bool int3_exits;
	/* Single-stepping, in 64-bit mode. */
	bool blocks_irqs;       /* KVM_GUESTDBG_BLOCKIRQ holds an NMI off */
	bool shows_flag;        /* PUSHF stores the trap flag that only the stepping has set */
	bool delivery_stops;    /* an instruction that faults stops in the guest's handler, not at the handler's end */
	bool hlt_exits;         /* HLT exits as a halt; else the step ends after it */
	bool out_stops;         /* OUT's own exit is followed by one for the step; else the next one steps its successor */
	uint8_t rep_stops;      /* exits for a REP MOVSB of three bytes, the last one after it */
	/* The guest's own debug registers, in 64-bit mode. */
	bool own_execs;         /* its execution breakpoints reach its handler when KVM_GUESTDBG_USE_HW_BP is off */
	bool own_watches;       /* its watchpoints likewise */
	bool own_beside;        /* its execution breakpoints do so also while ours, at other places, are in use */
	bool guards;            /* DR7.GD in our registers exits before the guest's MOV to or from its own */
	bool hypercalls;        /* VMCALL at CPL 0 is answered; else KVM tries it again for ever */
	bool syscalls;          /* SYSCALL in user mode reaches the kernel; else it stays in user mode, at the kernel's entry */
};

/*
 * What this host does: as remembered since it booted (probe_cache.h), or measured and then remembered where that is
 * possible.  K gives /dev/kvm; its VM is not touched.  -EIO, -ENOMEM, or what KVM said.
 */
int probe_host(const struct kvm *k, struct probe *ret, struct err *err);

/* Measures, which takes a few milliseconds, and neither looks at what is remembered nor changes it. */
int probe_measure(const struct kvm *k, struct probe *ret, struct err *err);

/* The INDEX-th measured fact for `info host`, of probe_fact_count; false past the end. */
extern const size_t probe_fact_count;
bool probe_fact(const struct probe *p, size_t index, struct host_fact *ret);

#endif
