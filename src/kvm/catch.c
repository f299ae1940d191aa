/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kvm/catch.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "kvm/catch_priv.h"

#define SHOWN 8         /* values of string I/O in a text */

/* What each kind takes. */
static const struct {
	const char *name;       /* NULL: arch_desc.specials has the word */
	uint64_t last;          /* of a range; 0: it has none */
	bool dir;               /* one is needed */
	bool any_dir;           /* none is every one */
} kinds[CATCH_KINDS] = {
	[CATCH_PORT] = { "ports", UINT16_MAX, .dir = true },
	[CATCH_MMIO] = { "addresses", UINT64_MAX, .dir = true },
	[CATCH_SPECIAL] = { NULL, UINT32_MAX, .dir = true },
	[CATCH_EXCEPTION] = { "vectors", 255 },
	[CATCH_UNCLAIMED] = { .any_dir = true },
};

int catch_new(struct vm *vm, struct catch_table **ret, struct err *err)
{
	struct catch_table *t = calloc(1, sizeof(*t));

	if (!t)
		return err_set(err, ENOMEM, "no memory for catchpoints");
	t->vm = vm;
	*ret = t;
	return 0;
}

void catch_free(struct catch_table *t)
{
	if (!t)
		return;
	if (arch.catch_free)
		arch.catch_free(t);
	free(t->info);
	free(t);
}

static int check(const struct catch_spec *s, struct err *err)
{
	if ((unsigned)s->kind >= CATCH_KINDS)
		return err_set(err, EINVAL, "catchpoints have no kind %d", (int)s->kind);
	if (!kinds[s->kind].last && (s->start || s->end))
		return err_set(err, EINVAL, "this kind of catchpoint has no range");
	if (s->start > s->end)
		return err_set(err, EINVAL, "the range 0x%" PRIx64 " to 0x%" PRIx64 " ends before it begins", s->start,
			       s->end);
	if (s->end > kinds[s->kind].last)
		return err_set(err, EINVAL, "there are no %s above 0x%" PRIx64,
			       kinds[s->kind].name ? kinds[s->kind].name : arch_desc.specials, kinds[s->kind].last);
	if ((s->dir & ~(unsigned)(CATCH_READ | CATCH_WRITE)) ||
	    (kinds[s->kind].dir ? !s->dir : s->dir && !kinds[s->kind].any_dir))
		return err_set(err, EINVAL, "this kind of catchpoint has no direction 0x%x", s->dir);
	return arch.catch_check ? arch.catch_check(s, err) : 0;
}

static void count_kinds(struct catch_table *t)
{
	t->kinds = 0;
	for (size_t i = 0; i < t->n; i++)
		t->kinds |= 1u << t->info[i].spec.kind;
}

/* Has KVM and the break table follow a change of KIND's catchpoints. */
static int changed(struct catch_table *t, enum catch_kind kind, struct err *err)
{
	count_kinds(t);
	return arch.catch_changed ? arch.catch_changed(t, kind, err) : 0;
}

int catch_add(struct catch_table *t, const struct catch_spec *spec, unsigned *ret_id, struct err *err)
{
	struct catch_info *more;
	int r = check(spec, err);

	if (r)
		return r;
	if (t->n == CATCH_MAX)
		return err_set(err, ENOSPC, "there are %u catchpoints, and no more can be", CATCH_MAX);
	if (t->n == t->cap) {
		more = realloc(t->info, (t->cap ? 2 * t->cap : 16) * sizeof(*more));
		if (!more)
			return err_set(err, ENOMEM, "no memory for another catchpoint");
		t->info = more;
		t->cap = t->cap ? 2 * t->cap : 16;
	}
	t->info[t->n++] = (struct catch_info){ .id = t->last_id + 1, .spec = *spec };
	r = changed(t, spec->kind, err);
	if (r) {
		t->n--;
		changed(t, spec->kind, NULL);
		return r;
	}
	*ret_id = ++t->last_id;
	return 0;
}

static struct catch_info *find(const struct catch_table *t, unsigned id)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->info[i].id == id)
			return &t->info[i];
	return NULL;
}

int catch_remove(struct catch_table *t, unsigned id, struct err *err)
{
	struct catch_info *c = find(t, id);
	enum catch_kind kind;

	if (!c)
		return err_set(err, ENOENT, "there is no catchpoint %u", id);
	kind = c->spec.kind;
	memmove(c, c + 1, (size_t)(t->info + t->n - c - 1) * sizeof(*c));
	t->n--;
	/*
	 * It is gone whatever comes of this: an MSR filter that could not be made smaller shows accesses that nobody
	 * asked for, which are carried out all the same, and breakpoints are tried again when the guest goes on.
	 */
	changed(t, kind, NULL);
	return 0;
}

bool catch_list(const struct catch_table *t, size_t index, struct catch_info *ret)
{
	if (index >= t->n)
		return false;
	*ret = t->info[index];
	return true;
}

void catch_count(struct catch_table *t, unsigned id)
{
	struct catch_info *c = find(t, id);

	if (c)
		c->hits++;
	if (c && arch.catch_told)
		arch.catch_told(t, c->spec.kind);
}

bool catch_exists(const struct catch_table *t, unsigned id)
{
	return find(t, id);
}

bool catch_has(const struct catch_table *t, enum catch_kind kind)
{
	return t->kinds & 1u << kind;
}

const struct catch_info *catch_next(const struct catch_table *t, enum catch_kind kind, unsigned after)
{
	if (!catch_has(t, kind))
		return NULL;
	for (size_t i = 0; i < t->n; i++)
		if (t->info[i].id > after && t->info[i].spec.kind == kind)
			return &t->info[i];
	return NULL;
}

void catch_say(struct stop_event *ev, unsigned id, const char *fmt, ...)
{
	va_list ap;

	*ev = (struct stop_event){ .reason = STOP_CATCH, .catch_id = id };
	va_start(ap, fmt);
	vsnprintf(ev->text, sizeof(ev->text), fmt, ap);
	va_end(ap);
}

static bool matches(const struct catch_info *c, const struct catch_access *a)
{
	uint64_t last = a->addr + a->size - 1;

	if (c->spec.dir && !(c->spec.dir & (a->write ? CATCH_WRITE : CATCH_READ)))
		return false;
	if (c->spec.kind == CATCH_UNCLAIMED)
		return !a->claimed && a->kind != CATCH_SPECIAL;
	if (a->kind == CATCH_SPECIAL)       /* one number, however many bytes */
		last = a->addr;
	if (last < a->addr)
		last = UINT64_MAX;
	return c->spec.kind == a->kind && c->spec.start <= last && c->spec.end >= a->addr;
}

/* The values, as many as are shown; little-endian. */
static void show_values(char *to, size_t size, const struct catch_access *a)
{
	unsigned n = a->count < SHOWN ? a->count : SHOWN;
	int len = 0;

	*to = '\0';
	for (unsigned i = 0; i < n; i++) {
		uint64_t value = 0;

		memcpy(&value, a->data + (size_t)i * a->size, a->size < sizeof(value) ? a->size : sizeof(value));
		len += snprintf(to + len, size - (size_t)len, " 0x%" PRIx64, value);
	}
	if (a->count > n)
		snprintf(to + len, size - (size_t)len, " ...");
}

static void say_access(struct stop_event *ev, const struct catch_info *c, const struct catch_access *a)
{
	static const char *const verbs[][2] = { [CATCH_PORT] = { "in", "out" }, [CATCH_MMIO] = { "read", "write" } };
	const char *unclaimed = c->spec.kind == CATCH_UNCLAIMED ? "unclaimed " : "";
	const char *verb = (a->kind == CATCH_SPECIAL ? arch_desc.special_verbs : verbs[a->kind])[a->write];
	char times[24] = "", values[SHOWN * 19 + 8];

	show_values(values, sizeof(values), a);
	if (a->kind == CATCH_SPECIAL) {
		catch_say(ev, c->id, "%s 0x%" PRIx64 "%s%s%s", verb, a->addr, a->write || !a->refused ? ":" : "",
			  a->write || !a->refused ? values : "", a->refused ? arch_desc.special_refused : "");
		return;
	}
	if (a->count > 1)
		snprintf(times, sizeof(times), ", %u times", a->count);
	catch_say(ev, c->id, "%s%s 0x%" PRIx64 ", %u byte%s%s:%s", unclaimed, verb, a->addr, a->size,
		  a->size == 1 ? "" : "s", times, values);
}

bool catch_match(struct catch_table *t, const struct catch_access *a, struct stop_event *ev)
{
	if (!(t->kinds & (1u << a->kind | 1u << CATCH_UNCLAIMED)))
		return false;
	for (size_t i = 0; i < t->n; i++) {
		if (t->info[i].id <= ev->catch_id || !matches(&t->info[i], a))
			continue;
		say_access(ev, &t->info[i], a);
		return true;
	}
	return false;
}

bool catch_reset(struct catch_table *t, const char *by, struct stop_event *ev)
{
	const struct catch_info *c = catch_next(t, CATCH_RESET, ev->catch_id);

	if (c)
		catch_say(ev, c->id, "the guest asks for a reset by %.60s", by);
	return c;
}

/* Whether V is halted for good, as far as interrupts go; forgets who was told of an earlier halt. */
static bool still_halted(struct catch_table *t, struct vcpu *v)
{
	struct halt *h = &t->halt[v->id];
	bool halted = arch.halted_for_good(v);

	if (!halted || h->pc != arch.pc(v))
		*h = (struct halt){ .pc = arch.pc(v) };
	return halted;
}

bool catch_halt(struct catch_table *t, struct vcpu *v, struct stop_event *ev)
{
	struct halt *h = &t->halt[v->id];
	const struct catch_info *c;

	if (!catch_has(t, CATCH_HALT) || !still_halted(t, v))
		return false;
	c = catch_next(t, CATCH_HALT, ev->catch_id > h->told ? ev->catch_id : h->told);
	if (!c)
		return false;
	h->told = c->id;
	catch_say(ev, c->id, "halted with interrupts off");
	return true;
}

static void catch_halts_follow(struct catch_table *t)
{
	for (unsigned i = 0; i < t->vm->ncpus; i++)
		if (t->halt[i].told)
			still_halted(t, t->vm->cpus[i]);
}

bool catch_wants_tick(const struct catch_table *t)
{
	return catch_has(t, CATCH_HALT) || (arch.catch_wants_tick && arch.catch_wants_tick(t));
}

void catch_follow(struct catch_table *t)
{
	catch_halts_follow(t);
	if (arch.catch_follow)
		arch.catch_follow(t);
}

void catch_loaded(struct catch_table *t)
{
	if (arch.catch_reset)
		arch.catch_reset(t);
}
