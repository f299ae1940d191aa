/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a debug exit means, and who wants to hear of it. */
#include <string.h>

#include "kvm/catch.h"
#include "kvm/debug.h"
#include "kvm/guest_mem.h"
#include "arch/x86/regs.h"
#include "arch/x86/syscalls.h"
#include "kvm/watch_kvm.h"
#include "arch/x86/translate.h"
#include "arch/x86/x86.h"

#define VECTOR_BP 3
#define INT1      0xf1
#define RFLAGS_AC (1ull << 18)
#define CR4_SMAP  (1ull << 21)
#define DR6_REGISTERS 0xfull
#define DR6_BD    (1ull << 13)  /* a MOV of a debug register, before it is done */
#define DR6_BS    (1ull << 14)  /* single-step */
#define CR3_ADDR  0xffffffffff000ull

struct break_site *debug_site_at_pc(struct vcpu *v)
{
	struct translation t;
	struct paging p;

	if (!break_sites(v->vm->breaks))
		return NULL;
	regs_paging(v, &p);
	if (translate(v->vm->gmem, &p, regs_pc(v), &t, NULL))
		return NULL;
	return break_site_at(v->vm->breaks, t.gpa);
}

bool stop_wanted(struct vcpu *v, struct stop_event *ev)
{
	struct vm *vm = v->vm;
	unsigned keep = 0;

	ev->cpu = v->id;
	ev->pc = regs_pc(v);
	vcpu_lock(v);
	for (unsigned i = 0; i < BREAK_OWNERS; i++)
		if ((ev->owners & 1u << i) && (!vm->filter[i].fn || vm->filter[i].fn(vm->filter[i].arg, vm->machine, ev)))
			keep |= 1u << i;
	vcpu_unlock(v);
	ev->owners = keep;
	return keep;
}

/* -- breakpoints -- */

static bool in_space(const struct vcpu *v, const struct break_spec *spec)
{
	return spec->space == BREAK_ANY_SPACE || spec->space == (v->run->s.regs.sregs.cr3 & CR3_ADDR);
}

/* Whether B, of the address V is at, is hit there: SITE is what lies under the pc. */
static bool is_here(const struct vcpu *v, const struct breakpoint *b, const struct break_site *site)
{
	/* One whose memory is known is not hit in other memory that another address space has there. */
	return in_space(v, &b->spec) && (!b->site || b->site == site);
}

/* Adds what the owners of B want to EV. */
static void ask(struct vcpu *v, const struct breakpoint *b, bool alias, struct stop_event *ev)
{
	struct stop_event one = {
		.reason = STOP_BREAKPOINT,
		.kind = b->spec.kind,
		.space = b->spec.space,
		.place = b->spec.gva,
		.alias = alias,
		.owners = b->owners & ~BREAK_OWNER_CATCH,
	};

	if (one.owners && stop_wanted(v, &one)) {
		if (!ev->owners)
			*ev = one;
		ev->owners |= one.owners;
	}
}

static void ask_catch(struct vcpu *v, const struct breakpoint *b, struct stop_event *ev)
{
	struct stop_event one = { 0 };

	if (!(b->owners & BREAK_OWNER_CATCH) || ev->owners)
		return;
	while (catch_vector(v->vm->catches, v, b->spec.gva, &one) ||
	       catch_kernel_hit(v->vm->catches, v, b->spec.gva, &one)) {
		one.owners = BREAK_OWNER_MONITOR;
		if (stop_wanted(v, &one)) {
			*ev = one;
			return;
		}
	}
}

/*
 * Handlers begin with what does next to nothing, and a step over a breakpoint parks everybody: so that is carried out here.  False:
 * it is something else, and nothing was done.
 */
static bool pass(struct vcpu *v)
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

bool debug_hit(struct vcpu *v, const struct break_site *site)
{
	struct break_table *t = v->vm->breaks;
	uint64_t pc = regs_pc(v);
	struct stop_event ev = { 0 };
	struct breakpoint *b = break_first(t, pc);

	if (!site && !b)
		return false;
	if (syscalls_repair(v))
		return true;
	for (; b; b = break_next(b))
		if (is_here(v, b, site)) {
			ask(v, b, false, &ev);
			ask_catch(v, b, &ev);
		}
	for (b = site && v->vm->alias_hits ? site->first : NULL; b; b = b->on_site)
		if (b->spec.gva != pc && in_space(v, &b->spec))
			ask(v, b, true, &ev);
	if (ev.owners)
		vcpu_event(v, &ev);
	else if (!pass(v))
		vcpu_want_alone(v, OVER_BREAK);
	return true;
}

bool debug_trap_hit(struct vcpu *v)
{
	const struct break_site *site;

	/* Beneath a trap of ours that is out of memory for a step may be one of the guest's. */
	if (v->alone && (v->over & OVER_BREAK))
		return false;
	site = debug_site_at_pc(v);
	return site && debug_hit(v, site);
}

bool debug_at_breakpoint(struct vcpu *v)
{
	return break_first(v->vm->breaks, regs_pc(v)) || debug_site_at_pc(v);
}

bool debug_hit_valid(struct vcpu *v, const struct stop_event *ev)
{
	struct break_spec spec = { .kind = ev->kind, .gva = ev->place, .space = ev->space };
	const struct breakpoint *b = break_find(v->vm->breaks, &spec);

	return b && (b->owners & ev->owners) && regs_pc(v) == ev->pc;
}

/* -- exits -- */

/* A debug register of ours that stands for execution matched at the pc. */
static bool register_here(const struct vcpu *v)
{
	for (unsigned i = 0; i < BREAK_REGISTERS; i++)
		if (!v->hw_guest[i] && !v->hw[i].size && v->hw[i].gva == regs_pc(v) &&
		    (v->debug.arch.debugreg[7] >> (2 * i) & 3))
			return true;
	return false;
}

/* Which of the guest's own registers DR6 speaks of; what ours saw is noted. */
static uint64_t sort_registers(struct vcpu *v, uint64_t dr6)
{
	bool ours = v->debug.control & KVM_GUESTDBG_USE_HW_BP;
	uint64_t guest = 0;

	for (unsigned i = 0; i < BREAK_REGISTERS; i++) {
		if (!(dr6 >> i & 1))
			continue;
		if (!ours)
			guest |= 1ull << i;
		else if (!(v->debug.arch.debugreg[7] >> (2 * i) & 3))
			continue;       /* the processor may set the bit of one that is off */
		else if (v->hw_guest[i] == HW_LANDING)
			v->landed |= v->debug.arch.debugreg[i] == regs_pc(v);
		else if (v->hw_guest[i])
			guest |= 1ull << (v->hw_guest[i] - 1);
		else if (v->hw[i].size)
			watch_register_hit(v, &v->hw[i]);
	}
	return guest;
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
	return v->late && regs_pc(v) == v->late_pc && !(v->run->s.regs.regs.rflags & RFLAGS_TF);
}

bool debug_exit(struct vcpu *v)
{
	const struct kvm_debug_exit_arch *d = &v->run->debug.arch;
	bool ours = v->debug.control & KVM_GUESTDBG_USE_HW_BP;
	uint64_t guest;

	if (d->exception == VECTOR_BP) {
		v->own_passed = v->own_hit && v->own_hit_pc == regs_pc(v) && v->own_hit_rsp == v->run->s.regs.regs.rsp;
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
	if (v->debug.control & KVM_GUESTDBG_SINGLESTEP)
		v->stepped = (d->dr6 & DR6_BS) || v->landed || !guest;
	else if ((d->dr6 & DR6_BS) && !is_late(v))
		guest |= DR6_BS;
	if ((guest & DR6_REGISTERS) && !(d->dr6 & DR6_BS)) {
		v->own_hit = true;
		v->own_hit_pc = regs_pc(v);
		v->own_hit_rsp = v->run->s.regs.regs.rsp;
	}
	if (guest && !debug_give_db(v, guest))
		return false;
	return !v->stepped && !v->nwatched;
}
