/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a machine is asked for in its life, in order. */
#include "tests/faults/kvm_life.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arch/x86/x86_regs.h"
#include "tests/faults/sweep.h"
#include "tests/watched.h"

#define OTHER   0x3000000ull
#define DEADLINE_MS 30000

static struct slot_note note;
static unsigned new_id, catch_id;

/* Waits for the stop behind those that there were; STOP_ERROR is a failure with its text. */
static int wait_stop(unsigned before)
{
	if (!watched_until(watched_stops, before + 1, 0, DEADLINE_MS))
		wrong("no stop came");
	return stop.reason == STOP_ERROR ? err_set(&err, EIO, "%s", stop.text) : 0;
}

static int resume(enum action_kind kind)
{
	struct run_action acts[MACHINE_CPUS_MAX] = { [0] = { .kind = kind, .start = 0x7c00, .end = 0x7c0c } };

	return machine_resume(m, acts, &err);
}

static int run(enum action_kind kind)
{
	unsigned before = stops;
	int r = resume(kind);

	if (!r && life_lacking) {
		machine_poll(m, 0);
		machine_stop(m);
	}
	return r ? r : wait_stop(before);
}

/* Runs to the stop that is due; one for another reason is wrong, but a fault may have ended the run. */
static int run_to(enum action_kind kind, enum stop_reason reason)
{
	int r = run(kind);

	if (!r && stop.reason != reason && !life_lacking && !(life_again && stop.reason == STOP_BREAKPOINT))
		wrong("stopped for reason %d, not %d: \"%s\"", (int)stop.reason, (int)reason, stop.text);
	return r;
}

static struct break_spec at(enum break_kind kind, uint64_t gva)
{
	return (struct break_spec){ .kind = kind, .gva = gva, .space = BREAK_ANY_SPACE };
}

static int break_soft(void)
{
	struct break_spec s = at(BREAK_SOFT, 0x7c06);

	return machine_break_insert(m, BREAK_OWNER_GDB, &s, &err);
}

static int unbreak_soft(void)
{
	struct break_spec s = at(BREAK_SOFT, 0x7c06);

	return machine_break_remove(m, BREAK_OWNER_GDB, &s, &err);
}

static int break_hard(void)
{
	struct break_spec s = at(BREAK_HARD, 0x7c07);

	return machine_break_insert(m, BREAK_OWNER_MONITOR, &s, &err);
}

static int unbreak_all(void)
{
	return machine_break_clear(m, BREAK_OWNER_MONITOR, &err);
}

static int hit(void)
{
	return run_to(ACT_CONT, STOP_BREAKPOINT);
}

static int step(void)
{
	return run_to(ACT_STEP, STOP_STEP);
}

static int range(void)
{
	return run_to(ACT_RANGE, STOP_STEP);
}

static const struct watch_spec watched_spec = { .kind = WATCH_WRITE, .gva = 0x8000, .size = 64, .every = true };

static int watch(void)
{
	return machine_watch_insert(m, BREAK_OWNER_GDB, &watched_spec, &err);
}

static int watch_hit(void)
{
	return run_to(ACT_CONT, STOP_WATCH);
}

static int unwatch(void)
{
	return machine_watch_remove(m, BREAK_OWNER_GDB, &watched_spec, &err);
}

static int catch(void)
{
	static const struct catch_spec s = { .kind = CATCH_PORT, .start = 0x1234, .end = 0x1234, .dir = CATCH_WRITE };

	return machine_catch_add(m, &s, &catch_id, &err);
}

static int catch_hit(void)
{
	return run_to(ACT_CONT, STOP_CATCH);
}

static int uncatch(void)
{
	return machine_catch_remove(m, catch_id, &err);
}

static int catch_vector(void)
{
	static const struct catch_spec s = { .kind = CATCH_EXCEPTION, .start = 14, .end = 14 };

	return machine_catch_add(m, &s, &catch_id, &err);
}

static int add(struct slot_spec s)
{
	return machine_slot_add(m, &s, &note, &err);
}

static int add_anon(void)
{
	return add((struct slot_spec){ .id = 5, .gpa = AT, .size = 0x8000, .log = true });
}

static int add_memfd(void)
{
	return add((struct slot_spec){ .id = 6, .gpa = OTHER, .size = 0x4000, .backing = SLOT_MEMFD });
}

static int add_file(void)
{
	return add((struct slot_spec){ .id = 7, .gpa = OTHER + 0x10000, .size = 0x4000, .backing = SLOT_FILE,
				       .path = life_files.data, .shared = true });
}

static int add_alias(void)
{
	return add((struct slot_spec){ .id = 8, .gpa = OTHER + 0x20000, .size = 0x1000, .backing = SLOT_ALIAS,
				       .alias_of = 6 });
}

static int fill(void)
{
	static uint8_t bytes[0x4000];
	size_t n;

	memset(bytes, 0x5a, sizeof(bytes));
	err = (struct err){ 0 };
	n = machine_phys_write(m, AT, bytes, sizeof(bytes), &err);
	return n == sizeof(bytes) ? 0 : -err.code;
}

static int dirty(bool take)
{
	struct dirty_map map = { 0 };
	int r = machine_dirty_read(m, 5, DIRTY_USER, take, &map, &err);

	if (!r && !take && map.dirty < 4)
		wrong("%" PRIu64 " pages are dirty where 4 were written", map.dirty);
	if (!r)
		free(map.bits);
	else if (map.bits)
		wrong("the dirty map is touched by a failure");
	return r;
}

static int dirty_look(void)
{
	return dirty(false);
}

static int dirty_take(void)
{
	return dirty(true);
}

static bool on_diff(void *arg, uint64_t gpa, const uint8_t *was, const uint8_t *is, size_t len)
{
	(void)arg;
	(void)gpa;
	(void)was;
	(void)is;
	(void)len;
	return true;
}

/* The first time there is nothing to compare with yet. */
static int dirty_diff(void)
{
	int r = machine_dirty_diff(m, 5, on_diff, NULL, &err);

	return r == -EAGAIN ? 0 : r;
}

static int who_on(void)
{
	return machine_dirty_who(m, 5, true, &err);
}

static int who_off(void)
{
	return machine_dirty_who(m, 5, false, &err);
}

static int log_off(void)
{
	return machine_slot_flags(m, 5, &(bool){ false }, NULL, &err);
}

static int log_on(void)
{
	return machine_slot_flags(m, 5, &(bool){ true }, NULL, &err);
}

static int readonly(void)
{
	return machine_slot_flags(m, 5, NULL, &(bool){ true }, &err);
}

static int writable(void)
{
	return machine_slot_flags(m, 5, NULL, &(bool){ false }, &err);
}

static int move(void)
{
	return machine_slot_move(m, 5, AT + 0x100000, &note, &err);
}

static int move_back(void)
{
	return machine_slot_move(m, 5, AT, &note, &err);
}

static int grow(void)
{
	return machine_slot_resize(m, 5, 0xc000, &err);
}

static int shrink(void)
{
	return machine_slot_resize(m, 5, 0x8000, &err);
}

static int split(void)
{
	return machine_slot_split(m, 5, 0x4000, &new_id, &err);
}

static int discard(void)
{
	return machine_slot_discard(m, 5, 0x1000, 0x1000, &err);
}

static int remap(void)
{
	return machine_slot_remap(m, 5, 0x2000, 0x1000, life_files.data, 0x1000, &err);
}

static int save(void)
{
	char path[sizeof(life_files.dir) + 32];
	int r;

	/* Other processes live at the same time. */
	snprintf(path, sizeof(path), "%s/saved-%d", life_files.dir, (int)getpid());
	r = machine_slot_save(m, 5, path, &err);
	if (!r)
		unlink(path);
	else if (!access(path, F_OK))
		wrong("saving failed, and left a file");
	return r;
}

static int check(void)
{
	return machine_slot_check(m, life_slot_fault, (void *)(uintptr_t)"nothing", &err);
}

static int drop(unsigned id)
{
	return machine_slot_remove(m, id, &note, &err);
}

static int remove_alias(void)
{
	return drop(8);
}

static int remove_memfd(void)
{
	return drop(6);
}

static int remove_file(void)
{
	return drop(7);
}

static int remove_split(void)
{
	return drop(new_id);
}

static int remove_anon(void)
{
	return drop(5);
}

static int read_regs(void)
{
	uint8_t v[REG_BYTES_MAX];
	int r = 0;

	for (unsigned i = 0; i < X86_REGS && !r; i++)
		if (machine_reg_present(m, i))
			r = machine_reg_read(m, 0, i, v, &err);
	return r;
}

/* Writes each with what it has. */
static int write_regs(void)
{
	uint8_t v[REG_BYTES_MAX];
	int r = 0;

	for (unsigned i = 0; i < X86_REGS && !r; i++)
		if (machine_reg_present(m, i)) {
			r = machine_reg_read(m, 0, i, v, &err);
			if (!r)
				r = machine_reg_write(m, 0, i, v, &err);
		}
	return r;
}

static int msrs(void)
{
	uint64_t v;
	int r = machine_special_read(m, 0, 0x277, &v, &err);

	return r ? r : machine_special_write(m, 0, 0x277, v, &err);
}

static int look_around(void)
{
	struct translation t;
	struct cpu_status s;
	int r = machine_cpu_status(m, 1, &s, &err);

	return r ? r : machine_translate(m, 0, 0x7c00, NULL, &t, &err);
}

static int read_code(void)
{
	uint8_t b[64];

	err = (struct err){ 0 };
	return machine_mem_read(m, 0, 0x7c00, b, sizeof(b), &err) == sizeof(b) ? 0 : -err.code;
}

static int write_code(void)
{
	uint8_t b = 0x90;

	err = (struct err){ 0 };
	return machine_mem_write(m, 0, 0x7c06, &b, 1, &err) == 1 ? 0 : -err.code;
}

/* Runs, is held and let go twice, and stopped; a fault may stop it before. */
static int hold_and_stop(void)
{
	unsigned before = stops;
	int r = resume(ACT_CONT);

	for (int i = 0; i < 2 && !r && machine_state(m) == MACHINE_RUNNING; i++) {
		machine_poll(m, 0);
		r = machine_hold(m, &err);
		if (!r)
			machine_release(m);
	}
	if (machine_state(m) != MACHINE_RUNNING && stops != before)
		return stop.reason == STOP_ERROR ? err_set(&err, EIO, "%s", stop.text) : r;
	machine_stop(m);
	return wait_stop(before) ? -EIO : r;
}

static int inject(void)
{
	static const struct injection i = { .kind = INJECT_NMI };

	return machine_inject(m, &i, &err);
}

static int type(void)
{
	return machine_serial_send(m, (const uint8_t *)"hello", 5, &err);
}

static int reset(void)
{
	int r = machine_reset(m, &err);

	machine_poll(m, 0);
	return r;
}

static int run_a_moment(void)
{
	unsigned before = stops;
	int r = resume(ACT_CONT);

	if (r)
		return r;
	machine_poll(m, 0);
	machine_stop(m);
	return wait_stop(before);
}

#define STEP(name) { #name, name, true }
#define RUNS(name) { #name, name, false }       /* the guest moves; so does memory */

const struct step small_steps[] = {
	STEP(break_soft), RUNS(hit), STEP(read_code), RUNS(step), RUNS(step), RUNS(range), STEP(break_hard), RUNS(hit), RUNS(hit),
	STEP(unbreak_soft), STEP(unbreak_all),
	STEP(watch), RUNS(watch_hit), STEP(unwatch), STEP(catch), RUNS(catch_hit), STEP(uncatch), STEP(catch_vector),
	RUNS(step), STEP(uncatch), STEP(read_regs), STEP(write_regs), STEP(msrs), STEP(look_around), RUNS(write_code),
	RUNS(hold_and_stop), STEP(type),
	STEP(add_anon), RUNS(fill), STEP(dirty_look), STEP(dirty_diff), STEP(dirty_take), RUNS(fill), STEP(dirty_diff),
	STEP(add_memfd), STEP(add_file), STEP(add_alias), STEP(check),
	STEP(who_on), RUNS(step), STEP(who_off), STEP(log_off), STEP(log_on), STEP(readonly), STEP(writable), STEP(move),
	STEP(move_back), STEP(grow), STEP(shrink), STEP(discard), STEP(remap), STEP(save), STEP(split), STEP(remove_split),
	STEP(break_soft), STEP(remove_alias), STEP(remove_memfd), STEP(remove_file), RUNS(reset), RUNS(hit),
	STEP(unbreak_soft), STEP(inject), RUNS(reset), { 0 }
};

const struct step pc_steps[] = {
	RUNS(run_a_moment), STEP(read_regs), RUNS(step), STEP(type), RUNS(reset), RUNS(run_a_moment), { 0 }
};

const struct step ring_steps[] = {
	STEP(add_anon), RUNS(fill), STEP(dirty_look), RUNS(step), STEP(split), STEP(dirty_take), STEP(remove_split), STEP(remove_anon),
	RUNS(reset), { 0 }
};
