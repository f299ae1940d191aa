/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "arch/x86/watch_kvm.h"

#include <stdlib.h>
#include <string.h>

#include "arch/x86/insn/insn.h"
#include "arch/x86/board.h"
#include "arch/x86/debug.h"
#include "kvm/dirty.h"
#include "kvm/guest_mem.h"
#include "arch/x86/regs.h"
#include "kvm/slots.h"
#include "arch/x86/translate.h"
#include "arch/x86/x86.h"

#define PAGE 4096u

/* A page as it was before a step that may touch it. */
struct trial_page {
	uint8_t *host;
	uint8_t was[PAGE];
};

struct watch_trial {
	struct insn insn;
	bool decoded;
	uint64_t pc;
	unsigned n;
	struct trial_page page[VCPU_OPEN_MAX];
	uint64_t last_pc, last_gpa;     /* of the last MMIO read, and how often in a row: some instructions never end so */
	unsigned again;
};

#define READS_IN_A_ROW 64

struct watch_trial *watch_trial_new(void)
{
	return calloc(1, sizeof(struct watch_trial));
}

void watch_trial_free(struct watch_trial *t)
{
	free(t);
}

/* -- what was hit -- */

/* Notes every watchpoint that A hits, for watch_settle().  AT: the instruction that does it; 0 when that is to be found. */
static void note(struct vcpu *v, const struct watch_access *a, uint64_t at)
{
	struct watchpoint *w;
	struct watch_hit hit;

	for (size_t i = 0; watch_check(v->vm->watches, a, i, &w, &hit); i++) {
		bool known = false;

		/* An instruction of several accesses tells of each watchpoint once. */
		for (unsigned k = 0; k < v->nwatched; k++)
			known |= v->watched[k].spec.gva == hit.spec.gva && v->watched[k].spec.size == hit.spec.size &&
				 v->watched[k].spec.kind == hit.spec.kind;
		if (known || v->nwatched == VCPU_WATCHED_MAX)
			continue;
		hit.at = at;
		hit.at_known = at;
		v->watched[v->nwatched] = hit;
		v->watched_owners[v->nwatched++] = w->owners;
	}
}

/* An instruction that accessed something, and how. */
struct culprit {
	uint64_t at;            /* linear pc */
	bool reads, writes;
	bool exact;             /* its operands are where the access was, by the registers as they are now */
};

/* What INSN does to GVA; registers that have changed since may have it elsewhere: then what it does at all. */
static void directions(const struct insn *insn, uint64_t gva, struct culprit *ret)
{
	for (int exact = 1; exact >= 0 && !ret->reads && !ret->writes; exact--)
		for (unsigned i = 0; i < insn->naccess; i++) {
			const struct insn_access *a = &insn->access[i];

			if (exact && gva - a->gva >= a->size)
				continue;
			ret->reads |= a->read;
			ret->writes |= a->write;
			ret->exact |= exact;
		}
}

/* The instruction of the N bytes before the pc that ended there and read or wrote SIZE bytes at GVA; false: there is no telling. */
static bool ended_here(const struct insn_regs *after, const uint8_t *bytes, size_t n, uint64_t gva, unsigned size, bool write,
		       struct culprit *ret)
{
	struct insn_regs r = *after;
	struct insn insn;
	unsigned len;

	if (!n || insn_find_access(after, bytes, n, gva, size, write, &len))
		return false;
	*ret = (struct culprit){ .at = ret->at - len };
	r.rip -= len;
	if (!insn_decode(&r, bytes + n - len, len, &insn))
		directions(&insn, gva, ret);
	return true;
}

/* Who has just accessed GVA; WRITE is the direction that seems likelier. */
static bool find_culprit(struct vcpu *v, uint64_t gva, unsigned size, bool write, struct culprit *ret)
{
	uint8_t bytes[INSN_BYTES_MAX];
	struct culprit other = { .at = regs_pc(v) };
	struct insn_regs r;
	size_t n = sizeof(bytes);
	struct insn insn;
	unsigned len;
	bool found;

	*ret = other;
	regs_insn(v, &r);
	/* A REP that is not done has not moved. */
	len = (unsigned)guest_mem_read(v, ret->at, bytes, sizeof(bytes), NULL);
	if ((r.rflags & RFLAGS_RF) && !insn_decode(&r, bytes, len, &insn) && insn.rep && insn.count) {
		directions(&insn, gva, ret);
		return true;
	}
	while (n && guest_mem_read(v, ret->at - n, bytes, n, NULL) < n)
		n--;
	found = ended_here(&r, bytes, n, gva, size, write, ret);
	/* One that was exactly there is better than one that would have gone the right way. */
	if ((!found || !ret->exact) && ended_here(&r, bytes, n, gva, size, !write, &other) && (!found || other.exact)) {
		*ret = other;
		found = true;
	}
	return found;
}

void watch_settle(struct vcpu *v)
{
	unsigned n = v->nwatched;

	v->nwatched = 0;
	for (unsigned i = 0; i < n && !v->has_event; i++) {
		struct culprit c;
		struct stop_event ev = {
			.reason = STOP_WATCH,
			.owners = v->watched_owners[i],
			.watch = v->watched[i],
		};

		if (!ev.watch.at_known) {
			vcpu_lock(v);
			ev.watch.at_known = find_culprit(v, ev.watch.gva, ev.watch.size, ev.watch.write, &c);
			ev.watch.at = c.at;
			vcpu_unlock(v);
		}
		if (stop_wanted(v, &ev))
			vcpu_event(v, &ev);
	}
}

/* -- accesses that exit -- */

bool watch_mmio(struct vcpu *v)
{
	struct vm *vm = v->vm;
	struct kvm_run *run = v->run;
	uint64_t gpa = run->mmio.phys_addr;
	struct watch_trial *t = v->arch->trial;
	const struct gmem_region *r;
	struct watch_access a;
	uint8_t old[8] = { 0 };
	size_t len = run->mmio.len;
	bool overrun = false;

	/* In system management mode the address is one of the other address space, where nothing is watched. */
	if ((run->flags & KVM_RUN_X86_SMM) || len > sizeof(old))
		return false;
	/* Most machines watch nothing, and their MMIO need not pay for a look-up. */
	if (!slots_restricted(vm->slots) && !gmem_watching(vm->gmem))
		return false;
	r = gmem_find(vm->gmem, gpa);
	if (!r || (!r->watched && slots_rights(vm->slots, gpa) == PAGE_ALL))
		return false;
	/* A command to a device, which changes nothing there by itself. */
	if (run->mmio.is_write && board_is_flash(vm->arch->board, gpa))
		return false;
	vcpu_lock(v);
	break_read(vm->breaks, gpa, old, len);
	a = (struct watch_access){ .host = r->hva + (gpa - r->gpa), .len = len, .write = run->mmio.is_write, .old = old, .now = old };
	if (run->mmio.is_write) {
		if (r->watched)
			dirty_who_note(vm->who, (unsigned)r->slot, v->id, regs_pc(v), gpa);
		if (!r->readonly) {
			break_write(vm->breaks, gpa, run->mmio.data, len);
			a.now = run->mmio.data;
			note(v, &a, 0);
			overrun = watch_guard_written(vm->watches, a.host);
		}
	} else {
		memcpy(run->mmio.data, old, len);
		note(v, &a, regs_pc(v));
	}
	vcpu_unlock(v);
	v->needs_completion = true;
	if (overrun) {
		atomic_store(&vm->guard_overrun, true);
		vm_pause(vm);
	}
	/* KVM takes some instructions up again and again. */
	if (run->mmio.is_write || t->last_pc != regs_pc(v) || t->last_gpa != gpa)
		t->again = 0;
	else if (++t->again >= READS_IN_A_ROW) {
		t->again = 0;
		v->nopen = 0;
		vcpu_want_alone(v, OVER_OPEN);
	}
	t->last_pc = regs_pc(v);
	t->last_gpa = gpa;
	return true;
}

/*
 * A register that watches reads tells no difference between them and writes: the instruction does, or what it changed.  False: it
 * is not what a watchpoint of KIND asks for.
 */
static bool tell_direction(struct vcpu *v, const struct hw_point *p, enum watch_kind kind, struct watch_hit *hit)
{
	struct culprit c;

	hit->write = true;
	if (!p->reads)
		return true;
	hit->at_known = find_culprit(v, p->gva, p->size, hit->old != hit->now, &c);
	hit->at = c.at;
	hit->write = hit->old != hit->now || (hit->at_known && c.writes && !c.reads);
	return kind == WATCH_ACCESS || (hit->at_known ? c.reads : !hit->write);
}

void watch_register_hit(struct vcpu *v, const struct hw_point *p)
{
	struct watchpoint *w;

	vcpu_lock(v);
	for (size_t i = 0; (w = watch_at(v->vm->watches, i)); i++) {
		struct watch_hit hit = { .spec = w->spec, .gva = p->gva, .size = p->size };
		uint8_t now[WATCH_REGISTER_BYTES] = { 0 };
		size_t at = p->gva - w->spec.gva;

		if (!w->in_registers || p->gva < w->spec.gva || at >= w->spec.size || p->reads != (w->spec.kind != WATCH_WRITE))
			continue;
		guest_mem_read(v, w->spec.gva, now, w->spec.size, NULL);
		memcpy(&hit.old, w->last + at, p->size);
		memcpy(&hit.now, now + at, p->size);
		memcpy(w->last, now, sizeof(now));
		if (!tell_direction(v, p, w->spec.kind, &hit) ||
		    (w->spec.kind == WATCH_WRITE && !w->spec.every && hit.old == hit.now)) {
			atomic_fetch_add_explicit(&w->misses, 1, memory_order_relaxed);
			continue;
		}
		if (v->nwatched == VCPU_WATCHED_MAX)
			break;
		v->watched[v->nwatched] = hit;
		v->watched_owners[v->nwatched++] = w->owners;
	}
	vcpu_unlock(v);
}

/* -- steps with pages open -- */

static void add_page(struct vcpu *v, uint64_t gva)
{
	struct translation t;
	struct paging p;
	uint64_t gpa;

	regs_paging(v, &p);
	if (translate(v->vm->gmem, &p, gva, &t, NULL))
		return;
	gpa = t.gpa & ~(uint64_t)(PAGE - 1);
	if (slots_rights(v->vm->slots, gpa) == PAGE_ALL)
		return;
	for (unsigned i = 0; i < v->nopen; i++)
		if (v->open[i] == gpa)
			return;
	if (v->nopen < VCPU_OPEN_MAX)
		v->open[v->nopen++] = gpa;
}

static void decode(struct vcpu *v, struct watch_trial *t)
{
	t->pc = regs_pc(v);
	t->decoded = debug_insn_at_pc(v, &t->insn);
}

bool watch_blames_page(struct vcpu *v)
{
	struct watch_trial *t = v->arch->trial;

	/* With every page open already none is to blame. */
	if (!slots_restricted(v->vm->slots) || ((v->over & OVER_OPEN) && !v->nopen))
		return false;
	if (v->over & OVER_OPEN) {
		v->nopen = 0;
		return true;
	}
	vcpu_lock(v);
	decode(v, t);
	v->nopen = 0;
	add_page(v, t->pc);
	add_page(v, t->pc + INSN_BYTES_MAX - 1);
	for (unsigned i = 0; t->decoded && i < t->insn.naccess; i++) {
		add_page(v, t->insn.access[i].gva);
		add_page(v, t->insn.access[i].gva + t->insn.access[i].size - 1);
	}
	vcpu_unlock(v);
	/* An instruction that touches none of them itself may still need one: a stack, a table.  Then all are opened. */
	vcpu_want_alone(v, OVER_OPEN);
	return true;
}

/* Remembers what the watched pages that the instruction touches hold. */
static void remember(struct vcpu *v, struct watch_trial *t, uint64_t gpa)
{
	size_t n = PAGE;
	uint8_t *host = gmem_span(v->vm->gmem, gpa & ~(uint64_t)(PAGE - 1), &n);

	if (!host || n < PAGE || !watch_on_page(v->vm->watches, host) || t->n == VCPU_OPEN_MAX)
		return;
	for (unsigned i = 0; i < t->n; i++)
		if (t->page[i].host == host)
			return;
	t->page[t->n].host = host;
	memcpy(t->page[t->n++].was, host, PAGE);
}

static void remember_gva(struct vcpu *v, struct watch_trial *t, uint64_t gva)
{
	struct translation tr;
	struct paging p;

	regs_paging(v, &p);
	if (!translate(v->vm->gmem, &p, gva, &tr, NULL))
		remember(v, t, tr.gpa);
}

void watch_assist_begin(struct vcpu *v)
{
	struct watch_trial *t = v->arch->trial;

	t->n = 0;
	if (!watch_count(v->vm->watches))
		return;
	decode(v, t);
	for (unsigned i = 0; t->decoded && i < t->insn.naccess; i++) {
		remember_gva(v, t, t->insn.access[i].gva);
		remember_gva(v, t, t->insn.access[i].gva + t->insn.access[i].size - 1);
	}
}

static struct trial_page *page_with(struct watch_trial *t, const uint8_t *host)
{
	for (unsigned i = 0; i < t->n; i++)
		if (host >= t->page[i].host && host < t->page[i].host + PAGE)
			return &t->page[i];
	return NULL;
}

/* The part of the access at GVA that one page holds; returns its bytes. */
static size_t look_at(struct vcpu *v, struct watch_trial *t, uint64_t gva, size_t len, bool write)
{
	size_t n = PAGE - gva % PAGE;
	const struct trial_page *page = NULL;
	struct watch_access a;
	struct translation tr;
	struct paging p;

	if (n > len)
		n = len;
	regs_paging(v, &p);
	if (!translate(v->vm->gmem, &p, gva, &tr, NULL)) {
		size_t one = n;

		a.host = gmem_span(v->vm->gmem, tr.gpa, &one);
		page = a.host ? page_with(t, a.host) : NULL;
	}
	if (!page)
		return n;
	a.len = n;
	a.write = write;
	a.old = page->was + (a.host - page->host);
	a.now = write ? a.host : a.old;
	note(v, &a, t->pc);
	return n;
}

/* What changed without an operand that says so: the frame of an event, say. */
static void look_at_changes(struct vcpu *v, struct watch_trial *t, const struct trial_page *page)
{
	for (size_t i = 0, end; i < PAGE; i = end) {
		struct watch_access a;

		end = i + 1;
		if (page->was[i] == page->host[i])
			continue;
		while (end < PAGE && page->was[end] != page->host[end])
			end++;
		a = (struct watch_access){ page->host + i, end - i, true, page->was + i, page->host + i };
		note(v, &a, t->pc);
	}
}

void watch_assist_end(struct vcpu *v)
{
	struct watch_trial *t = v->arch->trial;

	for (unsigned i = 0; t->n && t->decoded && i < t->insn.naccess; i++) {
		const struct insn_access *a = &t->insn.access[i];
		size_t at, n;

		for (at = 0; a->write && at < a->size; at += n)
			n = look_at(v, t, a->gva + at, a->size - at, true);
		for (at = 0; a->read && at < a->size; at += n)
			n = look_at(v, t, a->gva + at, a->size - at, false);
	}
	for (unsigned i = 0; i < t->n; i++)
		look_at_changes(v, t, &t->page[i]);
	t->n = 0;
}

void watch_trial_begin(struct vcpu *v)
{
	struct watch_trial *t = v->arch->trial;

	watch_assist_begin(v);
	for (unsigned i = 0; i < v->nopen; i++)
		remember(v, t, v->open[i]);
	slots_open(v->vm->slots, v->open, v->nopen);
}

void watch_trial_end(struct vcpu *v, bool done)
{
	slots_close(v->vm->slots);
	if (done)
		watch_assist_end(v);
	v->arch->trial->n = 0;
}
