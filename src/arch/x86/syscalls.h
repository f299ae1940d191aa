/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A KVM that runs user code on the processor and emulates the kernel's may leave SYSCALL half done: rcx, r11, rflags and rip
 * are as they should be, but CS and SS are still user mode's (struct probe: syscalls).  The fetch at the kernel's entry then is a
 * page fault, which the guest gets.  Where that is so, catch_follow() keeps a hidden breakpoint on the page fault handlers, and
 * what was a system call goes on as one (SDM vol. 2, SYSCALL).
 *
 * What stays: the frame on the stack that the TSS names for CPL 0, and CR2.
 */
#ifndef GV_X86_SYSCALLS_H
#define GV_X86_SYSCALLS_H

#include "arch/x86/vcpu_x86.h"

/*
 * V stands at a breakpoint: if it is its page fault handler, and the fault that of a system call, V is now at the kernel's entry, at
 * CPL 0.  False: it is not, and nothing has changed.  V's thread.
 */
bool syscalls_repair(struct vcpu *v);

#endif
