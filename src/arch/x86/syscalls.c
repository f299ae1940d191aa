/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "arch/x86/syscalls.h"

#include <string.h>

#include "arch/x86/catch_x86.h"
#include "kvm/guest_mem.h"
#include "arch/x86/regs.h"
#include "arch/x86/x86.h"

#define EFER_SCE     1ull
#define MSR_STAR     0xc0000081u
#define MSR_FMASK    0xc0000084u
#define RFLAGS_FIXED 2ull
#define VECTOR_PF    14
#define PF_USER      4ull
#define SYSCALL_LEN  2

/* As delivery in 64-bit mode leaves it (SDM vol. 3, 6.14.2). */
struct frame {
	uint64_t code, rip, cs, rflags, rsp, ss;
};

/* Flat, as SYSCALL makes them. */
static struct kvm_segment segment(uint16_t selector, bool code)
{
	return (struct kvm_segment){
		.limit = 0xffffffff, .selector = selector, .type = code ? 11 : 3, .present = 1, .s = 1, .g = 1,
		.l = code, .db = !code,
	};
}

/* Whether F is of a fetch by user code at an address that SYSCALL has led to; with its MSRs. */
static bool is_syscall(struct vcpu *v, const struct frame *f, uint64_t *ret_star)
{
	static const uint8_t syscall[SYSCALL_LEN] = { 0x0f, 0x05 };
	const struct kvm_regs *g = &v->run->s.regs.regs;
	uint64_t handler, lstar, fmask;
	uint8_t there[SYSCALL_LEN];

	if (!(f->code & PF_USER) || (f->cs & 3) != 3 || f->rip != v->run->s.regs.sregs.cr2)
		return false;
	if (regs_msr(v, MSR_LSTAR, &lstar) || lstar != f->rip || regs_msr(v, MSR_FMASK, &fmask) ||
	    regs_msr(v, MSR_STAR, ret_star))
		return false;
	return (f->rflags & ~RFLAGS_RF) == ((g->r11 & ~fmask) | RFLAGS_FIXED) && catch_handler(v, VECTOR_PF, &handler) &&
	       handler == g->rip && guest_mem_read(v, g->rcx - SYSCALL_LEN, there, SYSCALL_LEN, NULL) == SYSCALL_LEN &&
	       !memcmp(there, syscall, SYSCALL_LEN);
}

bool syscalls_repair(struct vcpu *v)
{
	struct kvm_sregs s = v->run->s.regs.sregs;
	struct kvm_regs g = v->run->s.regs.regs;
	struct frame f;
	uint64_t star;

	if (!v->vm->arch->repairs_syscalls || !(s.efer & EFER_SCE) || !(s.efer & EFER_LMA) || s.ss.dpl ||
	    guest_mem_read(v, g.rsp, &f, sizeof(f), NULL) != sizeof(f) || !is_syscall(v, &f, &star))
		return false;
	s.cs = segment(star >> 32 & 0xfffc, true);
	s.ss = segment((uint16_t)((star >> 32 & 0xfffc) + 8), false);
	g.rip = f.rip;
	g.rsp = f.rsp;
	g.rflags = f.rflags & ~RFLAGS_RF;
	return !regs_set_all(v, &g, &s);
}
