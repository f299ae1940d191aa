/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Catching exceptions and interrupts: hidden breakpoints on the handlers that the vCPUs' interrupt tables name.  No
 * exit tells of LIDT or of a write to a gate, so the tables are compared with what they were.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "break/break.h"
#include "arch/x86/catch_x86.h"
#include "arch/x86/regs.h"
#include "arch/x86/idt.h"
#include "arch/x86/x86.h"

#define EFER_SCE   1ull
#define GATE_MAX   16u
#define PAGE_BYTES 4096u
#define PAGE_FAULT 14u

/* A vCPU's tables as they were last looked at. */
struct tables {
	bool known;             /* false for one that waits to be started: it has none yet */
	enum idt_kind kind;
	struct idt_table gdt;   /* IDT_PROT */
	uint8_t gates[IDT_VECTORS * GATE_MAX];  /* those from the first vector caught to the last, as memory has them */
};

struct place {
	uint64_t gva;
	unsigned cpu;
};

struct vectors {
	bool caught[IDT_VECTORS];
	unsigned first, last;   /* caught; first > last: none */
	bool retry;             /* a breakpoint could not be set */
	bool changed;           /* other vectors are caught than at the last look */
	struct place *place;    /* ascending by gva: where the hidden breakpoints are */
	size_t n;
	struct place *wanted;   /* to be filled, as large as all vCPUs' tables; place is another such */
	struct tables cpu[];
};

/* Memory of a vCPU, for idt_find(). */
struct view {
	struct vm *vm;
	struct paging paging;
};

/* With traps of ours, as the processor sees it. */
static bool read_raw(void *arg, uint64_t gva, void *ret, size_t len)
{
	const struct view *w = arg;

	return vmem_read(w->vm->gmem, &w->paging, gva, ret, len, NULL) == len;
}

/* Without them: loop thread. */
static bool read_own(void *arg, uint64_t gva, void *ret, size_t len)
{
	const struct view *w = arg;
	struct translation t;

	for (size_t done = 0, n; done < len; done += n) {
		n = PAGE_BYTES - (gva + done) % PAGE_BYTES;
		if (n > len - done)
			n = len - done;
		if (translate(w->vm->gmem, &w->paging, gva + done, &t, NULL) ||
		    break_read(w->vm->breaks, t.gpa, (uint8_t *)ret + done, n) != n)
			return false;
	}
	return true;
}

static void get_idt(const struct vcpu *v, idt_read_fn *read, struct view *ret_view, struct idt *ret)
{
	const struct kvm_sregs *s = &v->run->s.regs.sregs;

	ret_view->vm = v->vm;
	regs_paging(v, &ret_view->paging);
	*ret = (struct idt){
		.kind = !(s->cr0 & CR0_PE) ? IDT_REAL : s->efer & EFER_LMA ? IDT_LONG : IDT_PROT,
		.idt = { s->idt.base, s->idt.limit },
		.gdt = { s->gdt.base, s->gdt.limit },
		.ldt = { s->ldt.base, s->ldt.limit },
		.has_ldt = !s->ldt.unusable && s->ldt.present,
		.read = read,
		.arg = ret_view,
	};
}

/* Reads the gates of all vectors caught, and of those between them; zeros for what is not there. */
static size_t read_gates(const struct vectors *x, const struct idt *t, uint8_t *ret)
{
	size_t size = idt_gate_size(t->kind), len = (x->last - x->first + 1) * size;
	uint64_t gva;

	memset(ret, 0, len);
	if (idt_gate_place(t, x->last, &gva) && idt_gate_place(t, x->first, &gva) && t->read(t->arg, gva, ret, len))
		return len;
	for (unsigned i = x->first; i <= x->last; i++)
		if (idt_gate_place(t, i, &gva) && !t->read(t->arg, gva, ret + (i - x->first) * size, size))
			memset(ret + (i - x->first) * size, 0, size);
	return len;
}

/* Whether the tables lead where those in S did, wherever they are; if not, puts them there when UPDATE. */
static bool compare(const struct vectors *x, const struct idt *t, struct tables *s, bool update)
{
	uint8_t gates[sizeof(s->gates)];
	size_t len = read_gates(x, t, gates);
	bool same = s->known && s->kind == t->kind && !memcmp(gates, s->gates, len) &&
		    (t->kind != IDT_PROT || (s->gdt.base == t->gdt.base && s->gdt.limit == t->gdt.limit));

	if (!same && update) {
		s->known = true;
		s->kind = t->kind;
		s->gdt = t->gdt;
		memcpy(s->gates, gates, len);
	}
	return same;
}

/* V may go to user mode, and make system calls there that are to be repaired. */
static bool makes_syscalls(const struct vcpu *v)
{
	return v->vm->arch->repairs_syscalls && (v->run->s.regs.sregs.efer & EFER_SCE) && (v->run->s.regs.sregs.efer & EFER_LMA);
}

bool catch_stale(struct catch_table *t, const struct vcpu *v)
{
	struct view w;
	struct idt idt;

	if (!catch_has(t, CATCH_EXCEPTION) && !t->vm->arch->page_faults)
		return makes_syscalls(v);
	get_idt(v, read_raw, &w, &idt);
	return !compare(t->vectors, &idt, &t->vectors->cpu[v->id], false) || (!t->vm->arch->page_faults && makes_syscalls(v));
}

/* One that has not been started has whatever its registers were reset to for a table, and uses none. */
static bool started(const struct vcpu *v)
{
	struct kvm_mp_state mp;

	return !kvm_ioctl(v->fd, KVM_GET_MP_STATE, &mp) &&
	       (mp.mp_state == KVM_MP_STATE_RUNNABLE || mp.mp_state == KVM_MP_STATE_HALTED);
}

/* Looks at every vCPU's tables; returns whether breakpoints may have to move. */
static bool look(const struct catch_table *t)
{
	struct vectors *x = t->vectors;
	bool differ = false;
	struct view w;
	struct idt idt;

	for (unsigned i = 0; i < t->vm->ncpus; i++) {
		struct tables *s = &x->cpu[i];

		if (started(t->vm->cpus[i])) {
			get_idt(t->vm->cpus[i], read_raw, &w, &idt);
			/* What a segment's base is may have changed without its gate. */
			differ |= !compare(x, &idt, s, true) || idt.kind == IDT_PROT;
		} else {
			differ |= s->known;
			s->known = false;
		}
	}
	return differ;
}

static int place_order(const void *a, const void *b)
{
	const struct place *p = a, *q = b;

	return p->gva < q->gva ? -1 : p->gva > q->gva;
}

/* In real mode vector 14 is another thing. */
static bool wanted(const struct catch_table *t, const struct idt *idt, unsigned vector)
{
	return t->vectors->caught[vector] || (t->vm->arch->page_faults && vector == PAGE_FAULT && idt->kind == IDT_LONG);
}

/* Fills x->wanted with the handlers of what is caught, each once; returns how many. */
static size_t collect(const struct catch_table *t)
{
	struct vectors *x = t->vectors;
	struct idt_gate gate;
	size_t n = 0, k = 0;
	struct view w;
	struct idt idt;

	for (unsigned i = 0; i < t->vm->ncpus; i++) {
		if (!x->cpu[i].known)
			continue;
		get_idt(t->vm->cpus[i], read_own, &w, &idt);
		for (unsigned vec = x->first; vec <= x->last; vec++)
			if (wanted(t, &idt, vec) && !idt_find(&idt, vec, &gate, NULL))
				x->wanted[n++] = (struct place){ gate.handler, i };
	}
	qsort(x->wanted, n, sizeof(*x->wanted), place_order);
	for (size_t i = 0; i < n; i++)
		if (!k || x->wanted[k - 1].gva != x->wanted[i].gva)
			x->wanted[k++] = x->wanted[i];
	return k;
}

static struct break_spec spec_at(const struct place *p)
{
	return (struct break_spec){ .kind = BREAK_SOFT, .gva = p->gva, .space = BREAK_ANY_SPACE, .cpu = p->cpu };
}

/* Makes the breakpoints those of x->wanted: both are ascending. */
static int move_breaks(struct catch_table *t, size_t wanted, struct err *err)
{
	struct vectors *x = t->vectors;
	struct place *old = x->place;
	size_t i = 0, j = 0, n = 0;
	int r = 0;

	while (i < x->n || j < wanted) {
		struct break_spec spec;
		struct place p;
		int s = 0;

		if (j == wanted || (i < x->n && old[i].gva < x->wanted[j].gva)) {
			spec = spec_at(&old[i++]);
			break_del(t->vm->breaks, BREAK_OWNER_CATCH, &spec, NULL);
			continue;
		}
		p = x->wanted[j++];
		spec = spec_at(&p);
		if (i < x->n && old[i].gva == p.gva)
			i++;
		else
			s = break_add(t->vm->breaks, BREAK_OWNER_CATCH, &spec, r ? NULL : err);
		if (s)
			r = r ? r : s;
		else
			x->wanted[n++] = p;     /* never ahead of what is still to be read */
	}
	x->place = x->wanted;
	x->wanted = old;
	x->n = n;
	x->retry = r;
	return r;
}

int catch_vectors_follow(struct catch_table *t, struct err *err)
{
	struct vectors *x = t->vectors;
	bool more = false;
	int r;

	for (unsigned i = 0; i < t->vm->ncpus && !t->vm->arch->page_faults; i++)
		more |= makes_syscalls(t->vm->cpus[i]);
	if (more) {
		t->vm->arch->page_faults = true;
		r = catch_vectors_changed(t, err);
		t->vm->arch->page_faults = t->vectors;
		return r;
	}
	if (!x || (x->first > x->last && !x->n))
		return 0;
	if (x->first > x->last)
		return move_breaks(t, 0, err);
	if (!look(t) && !x->retry && !x->changed)
		return 0;
	x->changed = false;
	return move_breaks(t, collect(t), err);
}

static int make(struct catch_table *t, struct err *err)
{
	size_t n = (size_t)t->vm->ncpus * IDT_VECTORS;
	struct vectors *x = calloc(1, sizeof(*x) + t->vm->ncpus * sizeof(x->cpu[0]));

	if (x) {
		x->place = calloc(n ? n : 1, sizeof(*x->place));
		x->wanted = calloc(n ? n : 1, sizeof(*x->wanted));
	}
	if (!x || !x->place || !x->wanted) {
		catch_vectors_free(x);
		return err_set(err, ENOMEM, "no memory for catching vectors");
	}
	t->vectors = x;
	return 0;
}

void catch_vectors_free(struct vectors *x)
{
	if (!x)
		return;
	free(x->place);
	free(x->wanted);
	free(x);
}

int catch_vectors_changed(struct catch_table *t, struct err *err)
{
	int r = t->vectors ? 0 : make(t, err);
	struct vectors *x = t->vectors;

	if (r)
		return r;
	memset(x->caught, 0, sizeof(x->caught));
	x->first = IDT_VECTORS;
	x->last = 0;
	x->changed = true;
	for (size_t i = 0; i < t->n; i++) {
		const struct catch_spec *s = &t->info[i].spec;

		if (s->kind != CATCH_EXCEPTION)
			continue;
		memset(x->caught + s->start, true, s->end - s->start + 1);
		x->first = s->start < x->first ? (unsigned)s->start : x->first;
		x->last = s->end > x->last ? (unsigned)s->end : x->last;
	}
	if (t->vm->arch->page_faults) {
		x->first = x->first > PAGE_FAULT ? PAGE_FAULT : x->first;
		x->last = x->last < PAGE_FAULT ? PAGE_FAULT : x->last;
	}
	return catch_vectors_follow(t, err);
}

/* How many vectors lead to HANDLER. */
static unsigned sharers(const struct idt *t, uint64_t handler)
{
	struct idt_gate gate;
	unsigned n = 0;

	for (unsigned vec = 0; vec < IDT_VECTORS; vec++)
		n += !idt_find(t, vec, &gate, NULL) && gate.handler == handler;
	return n;
}

/* What delivery left on V's stack. */
static bool read_frame(const struct vcpu *v, const struct idt *t, unsigned vector, unsigned width,
		       struct idt_frame *ret)
{
	const struct kvm_segment *ss = &v->run->s.regs.sregs.ss;
	uint64_t sp = v->run->s.regs.regs.rsp, words[4] = { 0 };
	uint8_t bytes[4 * 8];

	if (t->kind != IDT_LONG)
		sp = (uint32_t)(ss->base + (t->kind == IDT_PROT && ss->db ? (uint32_t)sp : (uint16_t)sp));
	if (!t->read(t->arg, sp, bytes, 4 * (size_t)width))
		return false;
	for (unsigned i = 0; i < 4; i++)
		memcpy(&words[i], bytes + i * width, width);
	idt_frame(t->kind, vector, sp, words, ret);
	return true;
}

static void say_vector(const struct vcpu *v, const struct idt *t, unsigned id, unsigned vector,
		       const struct idt_gate *gate, struct stop_event *ev)
{
	/* In real mode the vectors from 8 on are as well a BIOS's services, and its interrupts. */
	bool exception = t->kind == IDT_REAL ? vector < 8 : vector < 32;
	const char *name = exception ? idt_vector_name(vector) : NULL;
	char from[64] = "its frame cannot be read", code[32] = "", cr2[32] = "";
	unsigned n = sharers(t, gate->handler);
	struct idt_frame f = { 0 };

	if (read_frame(v, t, vector, gate->width, &f)) {
		if (t->kind == IDT_LONG)
			snprintf(from, sizeof(from), "from 0x%" PRIx64, f.ip);
		else
			snprintf(from, sizeof(from), "from 0x%" PRIx64 ":0x%" PRIx64, f.cs, f.ip);
	}
	if (f.has_code)
		snprintf(code, sizeof(code), ", error code 0x%" PRIx64, f.code);
	if (vector == PAGE_FAULT && f.has_code)
		snprintf(cr2, sizeof(cr2), ", cr2 0x%" PRIx64, (uint64_t)v->run->s.regs.sregs.cr2);
	catch_say(ev, id, "%s %u%s%s%s%s%s%s, %s", exception ? "exception" : "interrupt", vector, name ? " (" : "",
		  name ? name : "", name ? ")" : "", n > 1 ? " or another of this handler" : "", code, cr2, from);
}

bool catch_vector(struct catch_table *t, struct vcpu *v, uint64_t gva, struct stop_event *ev)
{
	const struct catch_info *c = catch_next(t, CATCH_EXCEPTION, ev->catch_id);
	struct idt_gate gate;
	struct view w;
	struct idt idt;

	if (!c)
		return false;
	/* As the tables are now: they may have changed since the breakpoint was set. */
	get_idt(v, read_raw, &w, &idt);
	for (; c; c = catch_next(t, CATCH_EXCEPTION, c->id))
		for (uint64_t vec = c->spec.start; vec <= c->spec.end; vec++)
			if (!idt_find(&idt, (unsigned)vec, &gate, NULL) && gate.handler == gva) {
				say_vector(v, &idt, c->id, (unsigned)vec, &gate, ev);
				return true;
			}
	return false;
}

bool catch_handler(const struct vcpu *v, unsigned vector, uint64_t *ret)
{
	struct idt_gate gate;
	struct view view;
	struct idt idt;

	get_idt(v, read_raw, &view, &idt);
	if (idt_find(&idt, vector, &gate, NULL))
		return false;
	*ret = gate.handler;
	return true;
}
