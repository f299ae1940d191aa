/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Random changes of slots against a model of what they must do, compared with the table, gmem and the kernel. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/kvm_harness.h"
#include "tests/unit.h"

#define PAGE       0x1000ull
#define BASE       0x2000000ull /* gpa of the area played with, above the machine's RAM */
#define AREA       64u          /* its pages */
#define SLOTS      12u          /* slot numbers used: 1 to SLOTS */
#define CELLS      4096u        /* pages of memory that the model knows */
#define OPERATIONS 100000u
#define SECONDS    20           /* at most: a slow host does fewer */
#define SEED       20u

GUEST(idle, "1: sti\n jmp 1b\n");

/* A slot's pages stand for cells, each with the number that is written at its start. */
struct model_slot {
	bool used, ro, log, alias;
	unsigned gpa, size;     /* pages; gpa from BASE */
	unsigned cell[AREA];
};

static struct model_slot model[SLOTS + 1];
static uint32_t cell_value[CELLS];
static unsigned cell_refs[CELLS];
static unsigned done_ok, done_refused;
static char what[160];          /* the operation now */

static void on_fault(void *arg, const struct slot_fault *f)
{
	(void)arg;
	ck_abort_msg("after %s: slot %u: %s", what, f->id, f->text);
}

static unsigned pick(unsigned n)
{
	return (unsigned)rand() % n;
}

static unsigned new_cell(void)
{
	unsigned i = 0;

	while (cell_refs[i])
		i++;
	ck_assert_uint_lt(i, CELLS);
	cell_refs[i] = 1;
	cell_value[i] = 0;
	return i;
}

static bool place_free(unsigned gpa, unsigned size, unsigned skip)
{
	for (unsigned i = 1; i <= SLOTS; i++)
		if (i != skip && model[i].used && gpa < model[i].gpa + model[i].size && model[i].gpa < gpa + size)
			return false;
	return size > 0;
}

/* How many slots other than ID show a page of ID's memory, or have taken it over. */
static bool backing_shared(unsigned id, const unsigned *group)
{
	for (unsigned i = 1; i <= SLOTS; i++)
		if (i != id && model[i].used && group[i] == group[id])
			return true;
	return false;
}

static unsigned group[SLOTS + 1], groups;       /* which backing a slot has */

static void drop(unsigned id)
{
	for (unsigned i = 0; i < model[id].size; i++)
		cell_refs[model[id].cell[i]]--;
	model[id].used = false;
}

/* Compares one answer with the one that the model gives. */
static bool agree(int r, bool want)
{
	ck_assert_msg((r == 0) == want, "%s: answers %d (%s)", what, r, r ? err.msg : "done");
	if (r) {
		ck_assert_msg(r < 0 && err.code == -r && *err.msg, "%s: no reason", what);
		done_refused++;
	} else
		done_ok++;
	return want;
}

#define SAY(...) snprintf(what, sizeof(what), __VA_ARGS__)

static void try_add(unsigned id)
{
	static const enum slot_backing kinds[] = { SLOT_ANON, SLOT_MEMFD, SLOT_ALIAS };
	unsigned gpa = pick(AREA), size = pick(10), of = 1 + pick(SLOTS), off = pick(6), kind = pick(3);
	struct slot_spec s = { .id = id, .gpa = BASE + gpa * PAGE, .size = size * PAGE, .backing = kinds[kind],
			       .alias_of = of, .readonly = !pick(4), .log = !pick(4) };
	bool want = !model[id].used && place_free(gpa, size, 0);
	struct model_slot *v = &model[id];
	struct slot_note note;

	if (s.backing == SLOT_ALIAS) {
		s.offset = off * PAGE;
		want = want && model[of].used && !model[of].alias && off + size <= model[of].size;
	}
	SAY("add %u at %u, %u pages, kind %u of %u+%u", id, gpa, size, kind, of, off);
	if (!agree(machine_slot_add(m, &s, &note, &err), want))
		return;
	*v = (struct model_slot){ .used = true, .ro = s.readonly, .log = s.log, .gpa = gpa, .size = size,
				  .alias = s.backing == SLOT_ALIAS };
	group[id] = v->alias ? group[of] : ++groups;
	for (unsigned i = 0; i < size; i++) {
		v->cell[i] = v->alias ? model[of].cell[off + i] : new_cell();
		cell_refs[v->cell[i]] += v->alias;
	}
}

static void try_remove(unsigned id)
{
	struct slot_note note;

	SAY("remove %u", id);
	if (agree(machine_slot_remove(m, id, &note, &err), model[id].used))
		drop(id);
}

static void try_move(unsigned id)
{
	unsigned gpa = pick(AREA);
	struct slot_note note;

	SAY("move %u to %u", id, gpa);
	if (agree(machine_slot_move(m, id, BASE + gpa * PAGE, &note, &err),
		  model[id].used && place_free(gpa, model[id].size, id)))
		model[id].gpa = gpa;
}

static void try_flags(unsigned id)
{
	bool log = pick(2), ro = pick(2), has_log = pick(2), has_ro = pick(2);

	SAY("flags %u", id);
	if (!agree(machine_slot_flags(m, id, has_log ? &log : NULL, has_ro ? &ro : NULL, &err), model[id].used))
		return;
	if (has_log)
		model[id].log = log;
	if (has_ro)
		model[id].ro = ro;
}

static void try_split(unsigned id)
{
	unsigned at = pick(10), high = 0, lowest = 1;
	struct model_slot *v = &model[id];
	bool want = v->used && at && at < v->size;

	while (lowest <= SLOTS && model[lowest].used)
		lowest++;
	if (lowest > SLOTS)
		return;         /* the new number would be one the model does not have */
	SAY("split %u at %u", id, at);
	if (!agree(machine_slot_split(m, id, at * PAGE, &high, &err), want))
		return;
	ck_assert_uint_eq(high, lowest);
	model[high] = *v;
	model[high].gpa += at;
	model[high].size -= at;
	memmove(model[high].cell, v->cell + at, model[high].size * sizeof(v->cell[0]));
	group[high] = group[id];
	v->size = at;
}

static void try_resize(unsigned id)
{
	unsigned size = pick(12);
	struct model_slot *v = &model[id];
	bool want = v->used && place_free(v->gpa, size, id) && (size <= v->size || !backing_shared(id, group));

	SAY("resize %u to %u", id, size);
	if (!agree(machine_slot_resize(m, id, size * PAGE, &err), want))
		return;
	for (; v->size > size; v->size--)
		cell_refs[v->cell[v->size - 1]]--;
	for (; v->size < size; v->size++)
		v->cell[v->size] = new_cell();
}

static void try_discard(unsigned id)
{
	unsigned off = pick(8), n = pick(5);
	struct model_slot *v = &model[id];

	SAY("discard %u at %u, %u pages", id, off, n);
	if (agree(machine_slot_discard(m, id, off * PAGE, n * PAGE, &err), v->used && n && off + n <= v->size))
		for (unsigned i = 0; i < n; i++)
			cell_value[v->cell[off + i]] = 0;
}

static void try_write(unsigned id)
{
	struct model_slot *v = &model[id];
	uint32_t value = (uint32_t)rand();
	unsigned at = pick(8);

	if (!v->used || at >= v->size)
		return;
	SAY("write to %u at %u", id, at);
	ck_assert_uint_eq(machine_phys_write(m, BASE + (v->gpa + at) * PAGE, &value, 4, &err), 4);
	cell_value[v->cell[at]] = value;
}

static void try_take(unsigned id)
{
	struct dirty_map map;

	SAY("take %u", id);
	if (!agree(machine_dirty_read(m, id, DIRTY_USER, true, &map, &err), model[id].used && model[id].log))
		return;
	ck_assert_uint_eq(map.pages, model[id].size);
	free(map.bits);
}

static void (*const tries[])(unsigned id) = {
	try_add, try_add, try_add, try_remove, try_move, try_move, try_flags, try_split, try_resize, try_discard,
	try_write, try_write, try_take,
};

/* The table and what memory holds, against the model. */
static void compare(void)
{
	struct slot_info s;
	size_t n = 0;
	uint32_t v;

	for (unsigned i = 1; i <= SLOTS; i++)
		n += model[i].used;
	for (size_t i = 0; machine_slot_list(m, i, &s); i++) {
		const struct model_slot *w = &model[s.id];

		if (!s.id)
			continue;       /* the machine's RAM */
		ck_assert_msg(s.id <= SLOTS && w->used, "after %s: there is a slot %u", what, s.id);
		ck_assert_msg(s.gpa == BASE + w->gpa * PAGE && s.size == w->size * PAGE && s.readonly == w->ro &&
			      s.log == w->log, "after %s: slot %u is not what it should be", what, s.id);
		for (unsigned p = 0; p < w->size; p++) {
			ck_assert_uint_eq(machine_phys_read(m, s.gpa + p * PAGE, &v, 4, &err), 4);
			ck_assert_msg(v == cell_value[w->cell[p]], "after %s: slot %u page %u holds %x, not %x", what,
				      s.id, p, v, cell_value[w->cell[p]]);
		}
		n--;
	}
	ck_assert_msg(n == 0, "after %s: a slot is missing", what);
}

static time_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

START_TEST(random_changes)
{
	time_t end = now() + SECONDS;
	unsigned n;

	GUEST_START(idle, 0x7c00, BOOT_REAL, 1);
	srand(SEED);
	for (n = 0; n < OPERATIONS && (n % 64 || now() < end); n++) {
		tries[pick(sizeof(tries) / sizeof(tries[0]))](1 + pick(SLOTS));
		compare();
		if (n % 16 == 0)
			ck_assert_int_eq(machine_slot_check(m, on_fault, NULL, &err), 0);
	}
	/* Not a sequence that only ever fails. */
	ck_assert_uint_gt(done_ok, n / 10);
	ck_assert_uint_gt(done_refused, n / 10);
	guest_end();
	printf("# %u operations, %u done and %u refused, seed %u\n", n, done_ok, done_refused, SEED);
	fflush(stdout);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("slots, random changes");
	TCase *t = tcase_create("slots, random changes");

	if (guest_no_kvm())
		return unit_skip_all("/dev/kvm cannot be opened");
	tcase_set_timeout(t, 120);
	tcase_add_test(t, random_changes);
	suite_add_tcase(s, t);
	return unit_main(s);
}
