/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Memory slots: members of the ops table.  Traps are out of memory while it changes, and then put into what is there. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kvm/dirty.h"
#include "arch/arch.h"
#include "kvm/machine_priv.h"

#define SAVE_CHUNK (1u << 20)

/* The machine's slots, ready for a change, or NULL (-EBUSY) while a vCPU may run. */
static struct slots *change_begin(struct machine *m, struct err *err)
{
	struct machine_kvm *k = machine_priv(m);

	if (run_check_parked(k, err))
		return NULL;
	breaks_suspend(k);
	return k->slots;
}

static int change_end(struct machine *m, int r)
{
	breaks_resume(machine_priv(m));
	return r;
}

bool op_slot_list(struct machine *m, size_t index, struct slot_info *ret)
{
	return slots_at(machine_priv(m)->slots, index, ret);
}

int op_slot_add(struct machine *m, const struct slot_spec *spec, struct slot_note *ret_note, struct err *err)
{
	struct slots *s = change_begin(m, err);

	return s ? change_end(m, slots_add(s, spec, "user", ret_note, err)) : -EBUSY;
}

/* Says in RET whether a vCPU needs slot V to go on. */
static void note_use(struct machine_kvm *k, const struct slot *v, struct slot_note *ret)
{
	for (unsigned i = 0; i < k->vm.ncpus; i++) {
		struct vcpu *cpu = k->vm.cpus[i];
		struct translation t;
		uint64_t top;
		char root[40];

		if (!arch.translate_by(cpu, NULL, arch.pc(cpu), &t, NULL) && t.gpa - v->gpa < v->size) {
			snprintf(ret->text, sizeof(ret->text), "slot %s held the code that vCPU %u runs (pc 0x%" PRIx64
				 "): it will fault or stop", slot_name(v->id).text, i, arch.pc(cpu));
			return;
		}
		if (arch.tables(cpu, &top, root, sizeof(root)) && top - v->gpa < v->size) {
			snprintf(ret->text, sizeof(ret->text), "slot %s held the page tables of vCPU %u (%s): it will fault or stop",
				 slot_name(v->id).text, i, root);
			return;
		}
	}
}

int op_slot_remove(struct machine *m, unsigned id, struct slot_note *ret_note, struct err *err)
{
	struct machine_kvm *k = machine_priv(m);
	struct slots *s = change_begin(m, err);
	struct slot_note note = { "" };
	const struct slot *v;
	int r;

	if (!s)
		return -EBUSY;
	v = slots_get(s, id);
	/* What a vCPU runs from is looked up in address space 0. */
	if (v && !slot_space(id))
		note_use(k, v, &note);
	r = slots_remove(s, id, err);
	if (!r) {
		dirty_who_forget(k->vm.who, id);
		*ret_note = note;
	}
	return change_end(m, r);
}

int op_slot_move(struct machine *m, unsigned id, uint64_t gpa, struct slot_note *ret_note, struct err *err)
{
	struct slots *s = change_begin(m, err);

	return s ? change_end(m, slots_move(s, id, gpa, ret_note, err)) : -EBUSY;
}

int op_slot_flags(struct machine *m, unsigned id, const bool *log, const bool *readonly, struct err *err)
{
	struct slots *s = change_begin(m, err);

	return s ? change_end(m, slots_flags(s, id, log, readonly, err)) : -EBUSY;
}

int op_slot_split(struct machine *m, unsigned id, uint64_t offset, unsigned *ret_id, struct err *err)
{
	struct slots *s = change_begin(m, err);

	return s ? change_end(m, slots_split(s, id, offset, ret_id, err)) : -EBUSY;
}

int op_slot_resize(struct machine *m, unsigned id, uint64_t size, struct err *err)
{
	struct slots *s = change_begin(m, err);

	return s ? change_end(m, slots_resize(s, id, size, err)) : -EBUSY;
}

int op_slot_discard(struct machine *m, unsigned id, uint64_t offset, uint64_t size, struct err *err)
{
	struct slots *s = change_begin(m, err);

	return s ? change_end(m, slots_discard(s, id, offset, size, err)) : -EBUSY;
}

int op_slot_remap(struct machine *m, unsigned id, uint64_t offset, uint64_t size, const char *path,
		  uint64_t file_offset, struct err *err)
{
	struct slots *s = change_begin(m, err);

	return s ? change_end(m, slots_remap(s, id, offset, size, path, file_offset, err)) : -EBUSY;
}

int op_slot_check(struct machine *m, void (*each)(void *arg, const struct slot_fault *f), void *arg,
		  struct err *err)
{
	struct slots *s = change_begin(m, err);

	return s ? change_end(m, slots_check(s, each, arg, err)) : -EBUSY;
}

static bool all_zero(const uint8_t *p, size_t n)
{
	return !n || (!p[0] && !memcmp(p, p + 1, n - 1));
}

/* What is zero stays a hole. */
static int write_at(int fd, const uint8_t *p, size_t n, uint64_t at)
{
	ssize_t w;

	if (all_zero(p, n))
		return 0;
	for (; n; p += w, n -= (size_t)w, at += (uint64_t)w) {
		do
			w = pwrite(fd, p, n, (off_t)at);
		while (w < 0 && errno == EINTR);
		if (w < 0)
			return -errno;
	}
	return 0;
}

int op_slot_save(struct machine *m, unsigned id, const char *path, struct err *err)
{
	struct machine_kvm *k = machine_priv(m);
	int r = run_check_parked(k, err), fd;
	const struct slot *v;
	uint8_t *buf;

	if (r)
		return r;
	v = slots_get(k->slots, id);
	if (!v)
		return err_set(err, ENOENT, "there is no slot %s", slot_name(id).text);
	buf = malloc(SAVE_CHUNK);
	if (!buf)
		return err_set(err, ENOMEM, "out of memory");
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0) {
		r = err_errno(err, errno, "%s", path);
		free(buf);
		return r;
	}
	if (ftruncate(fd, (off_t)v->size))
		r = -errno;
	for (uint64_t at = 0; at < v->size && !r; at += SAVE_CHUNK) {
		size_t n = v->size - at < SAVE_CHUNK ? (size_t)(v->size - at) : SAVE_CHUNK;

		break_copy(k->vm.breaks, v->hva + at, buf, n);
		r = write_at(fd, buf, n, at);
	}
	if (close(fd) && !r)
		r = -errno;
	free(buf);
	if (!r)
		return 0;
	unlink(path);
	return err_errno(err, -r, "%s: writing it", path);
}
