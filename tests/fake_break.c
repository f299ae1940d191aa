/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The fake machine's breakpoints, watchpoints, catchpoints, filters, settings and exit records. */
#include "tests/fake_machine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fake_parts.h"

/* -- filters -- */

bool fake_wanted(struct fake_machine *f, struct stop_event *ev)
{
	unsigned owners = ev->reason == STOP_CATCH ? BREAK_OWNER_MONITOR : ev->owners;
	bool was_in = f->in_filter;

	if ((ev->reason != STOP_BREAKPOINT && ev->reason != STOP_WATCH && ev->reason != STOP_CATCH) || !owners)
		return true;
	f->in_filter = true;
	for (unsigned i = 0; i < BREAK_OWNERS; i++)
		if ((owners >> i & 1) && f->filter[i] && !f->filter[i](f->filter_arg[i], &f->machine, ev))
			owners &= ~(1u << i);
	f->in_filter = was_in;
	if (ev->reason != STOP_CATCH)
		ev->owners = owners;
	return owners;
}

static void op_break_filter(struct machine *m, enum break_owner owner, stop_filter_fn *filter, void *arg)
{
	struct fake_machine *f = fake(m);
	unsigned i = owner == BREAK_OWNER_GDB ? 0 : 1;

	f->filter[i] = filter;
	f->filter_arg[i] = arg;
}

/* -- breakpoints -- */

static bool before(const struct break_spec *a, const struct break_spec *b)
{
	if (a->gva != b->gva)
		return a->gva < b->gva;
	return a->kind != b->kind ? a->kind < b->kind : a->space < b->space;
}

/* Where SPEC stands in the list, or belongs. */
static size_t break_place(const struct fake_machine *f, const struct break_spec *spec)
{
	size_t low = 0, high = f->nbrk;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (before(&f->brk[mid].spec, spec))
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

size_t fake_break_from(const struct fake_machine *f, uint64_t gva)
{
	return break_place(f, &(struct break_spec){ .gva = gva });
}

static bool break_is(const struct fake_machine *f, size_t i, const struct break_spec *spec)
{
	return i < f->nbrk && !before(spec, &f->brk[i].spec);
}

static int op_break_insert(struct machine *m, enum break_owner owner, const struct break_spec *spec, struct err *err)
{
	struct fake_machine *f = fake(m);
	size_t i = break_place(f, spec), hard = 0;
	int r = fake_need_parked(f, spec->cpu, err);

	f->calls.break_insert++;
	if (r)
		return r;
	if (f->fail_break)
		return err_set(err, f->fail_break, "breakpoint refused");
	if (!fake_canonical(spec->gva))
		return err_set(err, EFAULT, "0x%llx is not canonical", (unsigned long long)spec->gva);
	if (break_is(f, i, spec)) {
		f->brk[i].owners |= owner;
		return 0;
	}
	for (size_t k = 0; spec->kind == BREAK_HARD && k < f->nbrk; k++)
		hard += f->brk[k].spec.kind == BREAK_HARD;
	if (hard == FAKE_HARD_MAX)
		return err_set(err, ENOSPC, "all %u debug registers are in use", FAKE_HARD_MAX);
	if (f->nbrk == f->brk_cap) {
		f->brk_cap = f->brk_cap ? f->brk_cap * 2 : 64;
		f->brk = realloc(f->brk, f->brk_cap * sizeof(f->brk[0]));
		if (!f->brk)
			abort();
	}
	memmove(f->brk + i + 1, f->brk + i, (f->nbrk - i) * sizeof(f->brk[0]));
	f->brk[i] = (struct break_info){ .spec = *spec, .owners = owner, .in_register = spec->kind == BREAK_HARD };
	f->brk[i].resolved = spec->kind == BREAK_SOFT && fake_has_ram(f, spec->gva);
	f->brk[i].gpa = f->brk[i].resolved ? spec->gva : 0;
	f->nbrk++;
	return 0;
}

static void break_drop(struct fake_machine *f, size_t i, enum break_owner owner)
{
	f->brk[i].owners &= ~(unsigned)owner;
	if (f->brk[i].owners)
		return;
	f->nbrk--;
	memmove(f->brk + i, f->brk + i + 1, (f->nbrk - i) * sizeof(f->brk[0]));
}

static int op_break_remove(struct machine *m, enum break_owner owner, const struct break_spec *spec, struct err *err)
{
	struct fake_machine *f = fake(m);
	size_t i = break_place(f, spec);
	int r = fake_need_parked(f, 0, err);

	f->calls.break_remove++;
	if (r)
		return r;
	if (f->fail_unbreak)
		return err_set(err, f->fail_unbreak, "removal refused");
	if (!break_is(f, i, spec) || !(f->brk[i].owners & owner))
		return err_set(err, ENOENT, "no breakpoint at 0x%llx", (unsigned long long)spec->gva);
	break_drop(f, i, owner);
	return 0;
}

static bool op_break_list(struct machine *m, size_t index, struct break_info *ret)
{
	if (index >= fake(m)->nbrk)
		return false;
	*ret = fake(m)->brk[index];
	return true;
}

/* -- watchpoints -- */

static size_t watch_find(const struct fake_machine *f, const struct watch_spec *spec)
{
	size_t i = 0;

	while (i < f->nwatch && (f->watch[i].spec.gva != spec->gva || f->watch[i].spec.kind != spec->kind ||
				 f->watch[i].spec.size != spec->size))
		i++;
	return i;
}

static int watch_check(const struct fake_machine *f, const struct watch_spec *spec, struct err *err)
{
	if (f->fail_break)
		return err_set(err, f->fail_break, "watchpoint refused");
	if (!spec->size || spec->size > WATCH_SIZE_MAX || spec->gva + spec->size - 1 < spec->gva)
		return err_set(err, EINVAL, "%llu bytes cannot be watched", (unsigned long long)spec->size);
	if (!fake_canonical(spec->gva) || !fake_canonical(spec->gva + spec->size - 1))
		return err_set(err, EFAULT, "0x%llx is not canonical", (unsigned long long)spec->gva);
	return 0;
}

static int op_watch_insert(struct machine *m, enum break_owner owner, const struct watch_spec *spec, struct err *err)
{
	struct fake_machine *f = fake(m);
	size_t i = watch_find(f, spec);
	int r = fake_need_parked(f, spec->cpu, err);

	f->calls.watch_insert++;
	if (!r)
		r = watch_check(f, spec, err);
	if (r)
		return r;
	if (i < f->nwatch) {
		f->watch[i].owners |= owner;
		f->watch[i].spec.every = spec->every;
		return 0;
	}
	if (f->nwatch == FAKE_WATCHES)
		return err_set(err, ENOSPC, "KVM has no more slots");
	for (i = 0; i < f->nwatch && f->watch[i].spec.gva <= spec->gva; i++)
		;
	memmove(f->watch + i + 1, f->watch + i, (f->nwatch - i) * sizeof(f->watch[0]));
	f->watch[i] = (struct watch_info){ .spec = *spec, .owners = owner, .in_registers = spec->size <= 8,
					   .pages = spec->size <= 8 ? 0 : (spec->size + 4095) / 4096 };
	f->nwatch++;
	return 0;
}

static void watch_drop(struct fake_machine *f, size_t i, enum break_owner owner)
{
	f->watch[i].owners &= ~(unsigned)owner;
	if (f->watch[i].owners)
		return;
	f->nwatch--;
	memmove(f->watch + i, f->watch + i + 1, (f->nwatch - i) * sizeof(f->watch[0]));
}

static int op_watch_remove(struct machine *m, enum break_owner owner, const struct watch_spec *spec, struct err *err)
{
	struct fake_machine *f = fake(m);
	size_t i = watch_find(f, spec);
	int r = fake_need_parked(f, 0, err);

	f->calls.watch_remove++;
	if (r)
		return r;
	if (f->fail_unbreak)
		return err_set(err, f->fail_unbreak, "removal refused");
	if (i == f->nwatch || !(f->watch[i].owners & owner))
		return err_set(err, ENOENT, "no watchpoint at 0x%llx", (unsigned long long)spec->gva);
	watch_drop(f, i, owner);
	return 0;
}

static bool op_watch_list(struct machine *m, size_t index, struct watch_info *ret)
{
	if (index >= fake(m)->nwatch)
		return false;
	*ret = fake(m)->watch[index];
	return true;
}

static int op_break_clear(struct machine *m, enum break_owner owner, struct err *err)
{
	struct fake_machine *f = fake(m);
	int r = fake_need_parked(f, 0, err);

	f->calls.break_clear++;
	if (r)
		return r;
	for (size_t i = f->nbrk; i-- > 0;)
		break_drop(f, i, owner);
	for (size_t i = f->nwatch; i-- > 0;)
		watch_drop(f, i, owner);
	return 0;
}

/* -- catchpoints -- */

static int op_catch_add(struct machine *m, const struct catch_spec *spec, unsigned *ret_id, struct err *err)
{
	struct fake_machine *f = fake(m);
	int r = fake_need_parked(f, 0, err);

	f->calls.catch_add++;
	if (r)
		return r;
	if (f->fail_break)
		return err_set(err, f->fail_break, "catchpoint refused");
	if (spec->start > spec->end || spec->kind >= CATCH_KINDS)
		return err_set(err, EINVAL, "not a range");
	if (f->ncaught == FAKE_WATCHES)
		return err_set(err, ENOMEM, "too many catchpoints");
	f->caught[f->ncaught++] = (struct catch_info){ .id = ++f->last_catch, .spec = *spec };
	*ret_id = f->last_catch;
	return 0;
}

static int op_catch_remove(struct machine *m, unsigned id, struct err *err)
{
	struct fake_machine *f = fake(m);
	int r = fake_need_parked(f, 0, err);
	size_t i = 0;

	f->calls.catch_remove++;
	if (r)
		return r;
	if (f->fail_unbreak)
		return err_set(err, f->fail_unbreak, "removal refused");
	while (i < f->ncaught && f->caught[i].id != id)
		i++;
	if (i == f->ncaught)
		return err_set(err, ENOENT, "there is no catchpoint %u", id);
	f->ncaught--;
	memmove(f->caught + i, f->caught + i + 1, (f->ncaught - i) * sizeof(f->caught[0]));
	return 0;
}

static bool op_catch_list(struct machine *m, size_t index, struct catch_info *ret)
{
	if (index >= fake(m)->ncaught)
		return false;
	*ret = fake(m)->caught[index];
	return true;
}

/* -- the rest -- */

static bool op_setting(struct machine *m, enum machine_setting which, const bool *value)
{
	if (value && fake_need_parked(fake(m), 0, NULL))
		abort();
	if (value)
		fake(m)->setting[which] = *value;
	return fake(m)->setting[which];
}

static bool op_exit_record(struct machine *m, size_t index, struct exit_record *ret)
{
	if (index >= fake(m)->nexits)
		return false;
	*ret = fake(m)->exits[index];
	return true;
}

static bool op_assist_count(struct machine *m, size_t index, struct assist_count *ret)
{
	if (index >= fake(m)->nassists)
		return false;
	*ret = fake(m)->assists[index];
	return true;
}

void fake_break_ops(struct machine_ops *ops)
{
	ops->break_insert = op_break_insert;
	ops->break_remove = op_break_remove;
	ops->break_clear = op_break_clear;
	ops->break_list = op_break_list;
	ops->watch_insert = op_watch_insert;
	ops->watch_remove = op_watch_remove;
	ops->watch_list = op_watch_list;
	ops->break_filter = op_break_filter;
	ops->catch_add = op_catch_add;
	ops->catch_remove = op_catch_remove;
	ops->catch_list = op_catch_list;
	ops->setting = op_setting;
	ops->exit_record = op_exit_record;
	ops->assist_count = op_assist_count;
}
