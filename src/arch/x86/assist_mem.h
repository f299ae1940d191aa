/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Guest memory as an instruction has it that we carry out ourselves: with the rights of the guest's code, accessed and dirty bits, what is
 * watched noted, and beneath the traps.  The vCPU's own thread, which holds over_lock.
 */
#ifndef GV_X86_ASSIST_MEM_H
#define GV_X86_ASSIST_MEM_H

#include "arch/x86/insn/assist.h"

/* Both have a struct vcpu for ARG; their registers are those in its run page. */
assist_access_fn assist_mem_access;
/*
 * One access also to vCPUs that are in the guest, except where it crosses a cache line, which processors do by stopping the
 * others' buses, and where a trap byte of ours lies in it: those are one access to whoever comes by over_lock.
 */
assist_cmpxchg_fn assist_mem_cmpxchg;

#endif
