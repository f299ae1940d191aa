/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a debug exit means: a trap of ours, a debug register, a step, or something of the guest's own. */
#include <string.h>

#include "arch/x86/debug.h"
#include "arch/x86/regs.h"
#include "arch/x86/watch_kvm.h"
#include "arch/x86/x86.h"
#include "kvm/guest_mem.h"

#define VECTOR_BP 3
#define INT1      0xf1
#define RFLAGS_AC (1ull << 18)
#define CR4_SMAP  (1ull << 21)
#define DR6_REGISTERS 0xfull
#define DR6_BD    (1ull << 13)  /* a MOV of a debug register, before it is done */
#define DR6_BS    (1ull << 14)  /* single-step */

/*
 * Handlers begin with what does next to nothing, and a step over a breakpoint parks everybody: so that is carried out here.  False:
 * it is something else, and nothing was done.
 */
bool debug_pass(struct vcpu *v)
{
	static const struct {
		uint8_t len, bytes[4];
		uint64_t cleared;       /* of rflags */
		uint64_t cr4;           /* by which it is known to exist */
	} known[] = {
		/* nop, as compilers pad with it */
		{ 1, { 0x90 }, 0, 0 }, { 2, { 0x66, 0x90 }, 0, 0 }, { 3, { 0x0f, 0x1f, 0x00 }, 0, 0 },
		{ 3, { 0x0f, 0x01, 0xca }, RFLAGS_AC, CR4_SMAP },       /* clac */
		{ 4, { 0xf3, 0x0f, 0x1e, 0xfa }, 0, 0 },        /* endbr64: there is no shadow stack to speak of */
	};
	struct kvm_regs regs = v->run->s.regs.regs;
	uint8_t code[4];
	size_t n;

	if (v->act.kind != ACT_CONT || regs_code_bits(v) != 64 || (regs.rflags & RFLAGS_TF) || v->over ||
	    v->run->s.regs.sregs.ss.dpl)
		return false;
	n = guest_mem_read(v, regs.rip, code, sizeof(code), NULL);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (n >= known[i].len && !memcmp(code, known[i].bytes, known[i].len) &&
		    (v->run->s.regs.sregs.cr4 & known[i].cr4) == known[i].cr4) {
			regs.rip += known[i].len;
			regs.rflags &= ~(RFLAGS_RF | known[i].cleared);
			return !regs_set_general(v, &regs);
		}
	return false;
}

/* A debug register of ours that stands for execution matched at the pc. */
static bool register_here(const struct vcpu *v)
{
	for (unsigned i = 0; i < BREAK_REGISTERS; i++)
		if (!v->arch->hw_guest[i] && !v->arch->hw[i].size && v->arch->hw[i].gva == regs_pc(v) &&
		    (v->arch->debug.arch.debugreg[7] >> (2 * i) & 3))
			return true;
	return false;
}

/* Which of the guest's own registers DR6 speaks of; what ours saw is noted. */
static uint64_t sort_registers(struct vcpu *v, uint64_t dr6)
{
	bool ours = v->arch->debug.control & KVM_GUESTDBG_USE_HW_BP;
	uint64_t guest = 0;

	for (unsigned i = 0; i < BREAK_REGISTERS; i++) {
		if (!(dr6 >> i & 1))
			continue;
		if (!ours)
			guest |= 1ull << i;
		else if (!(v->arch->debug.arch.debugreg[7] >> (2 * i) & 3))
			continue;       /* the processor may set the bit of one that is off */
		else if (v->arch->hw_guest[i] == HW_LANDING)
			v->arch->landed |= v->arch->debug.arch.debugreg[i] == regs_pc(v);
		else if (v->arch->hw_guest[i])
			guest |= 1ull << (v->arch->hw_guest[i] - 1);
		else if (v->arch->hw[i].size)
			watch_register_hit(v, &v->arch->hw[i]);
	}
	return guest;
}

bool debug_insn_at_pc(struct vcpu *v, struct insn *ret)
{
	uint8_t code[INSN_BYTES_MAX];
	struct insn_regs r;
	size_t n = guest_mem_read(v, regs_pc(v), code, sizeof(code), NULL);

	regs_insn(v, &r);
	return n && !insn_decode(&r, code, n, ret);
}

bool debug_byte_at_pc(struct vcpu *v, uint8_t byte)
{
	uint8_t there;

	return guest_mem_read(v, regs_pc(v), &there, 1, NULL) == 1 && there == byte;
}

/*
 * Whether a trap is what is left of our last step.  The guest's own comes with its trap flag set, or behind the instruction that
 * cleared it, which is somewhere else.
 */
static bool is_late(const struct vcpu *v)
{
	return v->arch->late && regs_pc(v) == v->arch->late_pc && !(v->run->s.regs.regs.rflags & RFLAGS_TF);
}

bool debug_exit(struct vcpu *v)
{
	const struct kvm_debug_exit_arch *d = &v->run->debug.arch;
	bool ours = v->arch->debug.control & KVM_GUESTDBG_USE_HW_BP;
	uint64_t guest;

	if (d->exception == VECTOR_BP) {
		v->arch->own_passed = v->arch->own_hit && v->arch->own_hit_pc == regs_pc(v) && v->arch->own_hit_rsp == v->run->s.regs.regs.rsp;
		if (debug_trap_hit(v))
			return false;
		return debug_give_bp(v, false);
	}
	if (ours && (d->dr6 & DR6_BD)) {
		vcpu_want_alone(v, OVER_BREAK);
		return false;
	}
	/* INT1, which sets no bits: KVM takes it for something of ours while it uses the debug registers for us. */
	if (!(d->dr6 & (DR6_REGISTERS | DR6_BD | DR6_BS)) && debug_byte_at_pc(v, INT1))
		return debug_give_int1(v);
	/* That a step led onto one is the step; it has not been hit yet. */
	if (ours && (d->dr6 & DR6_REGISTERS) && !(d->dr6 & DR6_BS) && register_here(v)) {
		debug_hit(v, debug_site_at_pc(v));
		return false;
	}
	guest = sort_registers(v, d->dr6);
	/* A register of the guest's that matches at once comes before the step: its handler's first instruction is that. */
	if (v->arch->debug.control & KVM_GUESTDBG_SINGLESTEP)
		v->stepped = (d->dr6 & DR6_BS) || v->arch->landed || !guest;
	else if ((d->dr6 & DR6_BS) && !is_late(v))
		guest |= DR6_BS;
	if ((guest & DR6_REGISTERS) && !(d->dr6 & DR6_BS)) {
		v->arch->own_hit = true;
		v->arch->own_hit_pc = regs_pc(v);
		v->arch->own_hit_rsp = v->run->s.regs.regs.rsp;
	}
	if (guest && !debug_give_db(v, guest))
		return false;
	return !v->stepped && !v->nwatched;
}
