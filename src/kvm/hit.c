/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What was hit, and who wants to hear of it. */
#include "arch/arch.h"
#include "kvm/catch.h"
#include "kvm/debug.h"

struct break_site *debug_site_at_pc(struct vcpu *v)
{
	struct translation t;

	if (!break_sites(v->vm->breaks) || arch.translate_by(v, NULL, arch.pc(v), &t, NULL))
		return NULL;
	return break_site_at(v->vm->breaks, t.gpa);
}

bool stop_wanted(struct vcpu *v, struct stop_event *ev)
{
	struct vm *vm = v->vm;
	unsigned keep = 0;

	ev->cpu = v->id;
	ev->pc = arch.pc(v);
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
	return spec->space == BREAK_ANY_SPACE || spec->space == arch.space(v);
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
	while (arch.catch_hit(v->vm->catches, v, b->spec.gva, &one)) {
		one.owners = BREAK_OWNER_MONITOR;
		if (stop_wanted(v, &one)) {
			*ev = one;
			return;
		}
	}
}

bool debug_hit(struct vcpu *v, const struct break_site *site)
{
	struct break_table *t = v->vm->breaks;
	uint64_t pc = arch.pc(v);
	struct stop_event ev = { 0 };
	struct breakpoint *b = break_first(t, pc);

	if (!site && !b)
		return false;
	if (arch.hit_repaired && arch.hit_repaired(v))
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
	else if (!arch.pass || !arch.pass(v))
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
	return break_first(v->vm->breaks, arch.pc(v)) || debug_site_at_pc(v);
}

bool debug_hit_valid(struct vcpu *v, const struct stop_event *ev)
{
	struct break_spec spec = { .kind = ev->kind, .gva = ev->place, .space = ev->space };
	const struct breakpoint *b = break_find(v->vm->breaks, &spec);

	return b && (b->owners & ev->owners) && arch.pc(v) == ev->pc;
}
