/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/fake_machine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/fake_parts.h"

#define PAGE       4096u
#define HUGE_MASK  0x1fffffu
#define GPA_END    (1ULL << 40)
#define ULL(x)     ((unsigned long long)(x))

/* -- the table -- */

static struct fake_slot *slot_get(struct fake_machine *f, unsigned id)
{
	for (size_t i = 0; i < f->nslots; i++)
		if (f->slot[i].info.id == id)
			return &f->slot[i];
	return NULL;
}

/* The slot for a change of it, or NULL with ERR set and its code in *RET. */
static struct fake_slot *slot_change(struct fake_machine *f, unsigned id, int *ret, struct err *err)
{
	struct fake_slot *s = slot_get(f, id);

	*ret = fake_need_parked(f, 0, err);
	if (*ret)
		return NULL;
	if (f->fail_slot)
		*ret = err_set(err, f->fail_slot, "slot %u: refused", id);
	else if (!s)
		*ret = err_set(err, ENOENT, "there is no slot %u", id);
	return *ret ? NULL : s;
}

static void drop_log(struct fake_slot *s)
{
	for (unsigned i = 0; i < DIRTY_CONSUMERS; i++) {
		free(s->dirty[i]);
		s->dirty[i] = NULL;
	}
	s->info.log = s->remembered = false;
}

static size_t words(const struct fake_slot *s)
{
	return (s->info.size / PAGE + 63) / 64;
}

static void start_log(struct fake_slot *s)
{
	for (unsigned i = 0; i < DIRTY_CONSUMERS; i++) {
		s->dirty[i] = calloc(words(s), sizeof(uint64_t));
		if (!s->dirty[i])
			abort();
	}
	s->info.log = true;
}

static bool is_before(const struct slot_info *a, const struct slot_info *b)
{
	return slot_space(a->id) != slot_space(b->id) ? slot_space(a->id) < slot_space(b->id) : a->gpa < b->gpa;
}

/* Sorts a slot that has come or moved into its place. */
static void settle(struct fake_machine *f)
{
	for (size_t i = 1; i < f->nslots; i++)
		for (size_t k = i; k > 0 && is_before(&f->slot[k].info, &f->slot[k - 1].info); k--) {
			struct fake_slot t = f->slot[k];

			f->slot[k] = f->slot[k - 1];
			f->slot[k - 1] = t;
		}
}

static struct fake_slot *append(struct fake_machine *f, const struct slot_info *info)
{
	struct fake_slot *s = &f->slot[f->nslots++];

	*s = (struct fake_slot){ .info = *info };
	s->info.huge_aligned = !((info->gpa ^ info->hva) & HUGE_MASK);
	return s;
}

void fake_slots_free(struct fake_machine *f)
{
	for (size_t i = 0; i < f->nslots; i++)
		drop_log(&f->slot[i]);
	f->nslots = 0;
}

void fake_slots_reset(struct fake_machine *f)
{
	const struct slot_info ram = {
		.id = 0, .size = f->config.ram_size, .hva = (uint64_t)(uintptr_t)f->ram, .backing = "anon",
		.label = "ram",
	};
	const struct slot_info rom = {
		.id = 1, .gpa = 0xffff0000, .size = 0x10000, .hva = 0x7f0000010000, .readonly = true,
		.backing = "anon", .label = "rom",
	};

	fake_slots_free(f);
	append(f, &ram)->info.huge_aligned = true;
	append(f, &rom)->info.huge_aligned = false;
}

/* What is wrong with a place; SELF, if any, may be overlapped. */
static int check_place(const struct fake_machine *f, unsigned id, uint64_t gpa, uint64_t size,
		       const struct fake_slot *self, struct err *err)
{
	if (gpa % PAGE)
		return err_set(err, EINVAL, "slot %u: gpa 0x%llx is not a multiple of 4K", id, ULL(gpa));
	if (!size || size % PAGE)
		return err_set(err, EINVAL, "slot %u: size 0x%llx is not a multiple of 4K", id, ULL(size));
	if (gpa >= GPA_END || size > GPA_END - gpa)
		return err_set(err, EINVAL, "slot %u: 0x%llx and 0x%llx more do not fit in 40 bits", id, ULL(gpa),
			       ULL(size));
	for (size_t i = 0; i < f->nslots; i++) {
		const struct slot_info *o = &f->slot[i].info;

		if (&f->slot[i] != self && slot_space(o->id) == slot_space(id) && gpa < o->gpa + o->size && o->gpa < gpa + size)
			return err_set(err, EEXIST, "slot %s: overlaps slot %s at 0x%llx-0x%llx",
				       slot_name(id).text, slot_name(o->id).text, ULL(o->gpa), ULL(o->gpa + o->size - 1));
	}
	return 0;
}

static int check_inside(const struct fake_slot *s, uint64_t offset, uint64_t size, struct err *err)
{
	if (offset % PAGE || !size || size % PAGE)
		return err_set(err, EINVAL, "slot %u: 0x%llx and 0x%llx more is not whole pages", s->info.id,
			       ULL(offset), ULL(size));
	if (offset >= s->info.size || size > s->info.size - offset)
		return err_set(err, EINVAL, "slot %u: 0x%llx and 0x%llx more is outside it", s->info.id, ULL(offset),
			       ULL(size));
	return 0;
}

static void note_huge(const struct fake_slot *s, struct slot_note *ret)
{
	*ret = (struct slot_note){ 0 };
	if (!s->info.huge_aligned)
		snprintf(ret->text, sizeof(ret->text), "slot %u: gpa and hva differ in their low 21 bits: no large pages",
			 s->info.id);
}

static bool op_slot_list(struct machine *m, size_t index, struct slot_info *ret)
{
	if (index >= fake(m)->nslots)
		return false;
	*ret = fake(m)->slot[index].info;
	return true;
}

/* -- changes -- */

static int check_alias(struct fake_machine *f, const struct slot_spec *spec, struct err *err)
{
	const struct fake_slot *of = slot_get(f, spec->alias_of);

	if (spec->backing != SLOT_ALIAS)
		return 0;
	if (!of)
		return err_set(err, ENOENT, "slot %u: there is no slot %u to alias", spec->id, spec->alias_of);
	if (of->alias)
		return err_set(err, EINVAL, "slot %u: slot %u is an alias itself", spec->id, spec->alias_of);
	return check_inside(of, spec->offset, spec->size, err);
}

static void name_backing(const struct slot_spec *spec, char *ret, size_t size)
{
	switch (spec->backing) {
	case SLOT_ANON:
	case SLOT_RMA:          /* refused before */
		snprintf(ret, size, "anon");
		break;
	case SLOT_MEMFD:
		snprintf(ret, size, "memfd");
		break;
	case SLOT_FILE:
		snprintf(ret, size, "file:%.40s@0x%llx%s", spec->path, ULL(spec->offset),
			 spec->shared ? " shared" : "");
		break;
	case SLOT_HUGETLB:
		snprintf(ret, size, "hugetlb:%s", spec->huge_size == 1 << 30 ? "1G" : "2M");
		break;
	case SLOT_ALIAS:
		snprintf(ret, size, "alias:%u+0x%llx", spec->alias_of, ULL(spec->offset));
		break;
	}
}

static int op_slot_add(struct machine *m, const struct slot_spec *spec, struct slot_note *ret_note,
		       struct err *err)
{
	struct fake_machine *f = fake(m);
	struct slot_info info = {
		.id = spec->id, .gpa = spec->gpa, .size = spec->size, .readonly = spec->readonly, .kind = spec->backing,
		.hva = 0x7e0000000000 + ((uint64_t)spec->id << 32), .label = "user",
	};
	struct fake_slot *s;
	int r = fake_need_parked(f, 0, err);

	f->calls.slot_add++;
	if (!r && f->fail_slot)
		r = err_set(err, f->fail_slot, "slot %u: refused", spec->id);
	if (!r && (slot_index(spec->id) >= FAKE_SLOTS || slot_space(spec->id) > 1 || f->nslots == FAKE_SLOTS))
		r = err_set(err, EINVAL, "slot %u: numbers go to %u", spec->id, FAKE_SLOTS - 1);
	if (!r && slot_get(f, spec->id))
		r = err_set(err, EEXIST, "slot %u: is in use", spec->id);
	if (!r)
		r = check_place(f, spec->id, spec->gpa, spec->size, NULL, err);
	if (!r)
		r = check_alias(f, spec, err);
	if (!r && spec->backing == SLOT_RMA)
		r = err_set(err, ENOTSUP, "slot %u: this host's KVM lacks KVM_CAP_PPC_RMA", spec->id);
	if (!r && spec->backing == SLOT_FILE && access(spec->path, R_OK))
		r = err_set(err, errno, "%s: cannot be opened", spec->path);
	if (r)
		return r;
	name_backing(spec, info.backing, sizeof(info.backing));
	s = append(f, &info);
	s->alias = spec->backing == SLOT_ALIAS;
	s->alias_of = spec->alias_of;
	if (spec->log)
		start_log(s);
	note_huge(s, ret_note);
	settle(f);
	return 0;
}

static int op_slot_remove(struct machine *m, unsigned id, struct slot_note *ret_note, struct err *err)
{
	struct fake_machine *f = fake(m);
	struct slot_note note = { 0 };
	struct fake_slot *s;
	int r;

	f->calls.slot_remove++;
	s = slot_change(f, id, &r, err);
	if (!s)
		return r;
	for (size_t i = 0; i < f->nslots; i++)
		if (f->slot[i].alias && f->slot[i].alias_of == id)
			return err_set(err, EBUSY, "slot %u: slot %u is an alias of it", id, f->slot[i].info.id);
	for (unsigned i = f->config.cpus; i-- > 0;)
		if (fake_reg(f, i, X86_RIP) - s->info.gpa < s->info.size)
			snprintf(note.text, sizeof(note.text), "vCPU %u runs from slot %u", i, id);
	drop_log(s);
	f->nslots--;
	memmove(s, s + 1, (size_t)(&f->slot[f->nslots] - s) * sizeof(*s));
	*ret_note = note;
	return 0;
}

static int op_slot_move(struct machine *m, unsigned id, uint64_t gpa, struct slot_note *ret_note, struct err *err)
{
	struct fake_machine *f = fake(m);
	struct fake_slot *s;
	int r;

	f->calls.slot_move++;
	s = slot_change(f, id, &r, err);
	if (s)
		r = check_place(f, id, gpa, s->info.size, s, err);
	if (r)
		return r;
	s->info.gpa = gpa;
	s->info.huge_aligned = !((gpa ^ s->info.hva) & HUGE_MASK);
	note_huge(s, ret_note);
	settle(f);
	return 0;
}

static int op_slot_flags(struct machine *m, unsigned id, const bool *log, const bool *readonly, struct err *err)
{
	struct fake_machine *f = fake(m);
	struct fake_slot *s;
	int r;

	f->calls.slot_flags++;
	s = slot_change(f, id, &r, err);
	if (!s)
		return r;
	if (log && *log && !s->info.log)
		start_log(s);
	if (log && !*log)
		drop_log(s);
	if (readonly)
		s->info.readonly = *readonly;
	return 0;
}

/* A slot's size is another: its log begins anew. */
static void set_size(struct fake_slot *s, uint64_t size)
{
	bool log = s->info.log;

	drop_log(s);
	s->info.size = size;
	if (log)
		start_log(s);
}

static int op_slot_split(struct machine *m, unsigned id, uint64_t offset, unsigned *ret_id, struct err *err)
{
	struct fake_machine *f = fake(m);
	struct fake_slot *s, *high;
	struct slot_info info;
	unsigned fresh = 0;
	int r;

	f->calls.slot_split++;
	s = slot_change(f, id, &r, err);
	if (!s)
		return r;
	if (!offset || offset >= s->info.size || offset % PAGE)
		return err_set(err, EINVAL, "slot %u: cannot be cut at 0x%llx", id, ULL(offset));
	while (fresh < FAKE_SLOTS && slot_get(f, slot_id(slot_space(id), fresh)))
		fresh++;
	if (fresh == FAKE_SLOTS || f->nslots == FAKE_SLOTS)
		return err_set(err, EINVAL, "slot %u: no number is free", id);
	info = s->info;
	info.id = slot_id(slot_space(id), fresh);
	info.gpa += offset;
	info.hva += offset;
	info.size -= offset;
	info.log = false;
	high = append(f, &info);
	high->alias = s->alias;
	high->alias_of = s->alias_of;
	if (s->info.log)
		start_log(high);
	set_size(s, offset);
	settle(f);
	*ret_id = info.id;
	return 0;
}

static int op_slot_resize(struct machine *m, unsigned id, uint64_t size, struct err *err)
{
	struct fake_machine *f = fake(m);
	struct fake_slot *s;
	int r;

	f->calls.slot_resize++;
	s = slot_change(f, id, &r, err);
	if (s)
		r = check_place(f, id, s->info.gpa, size, s, err);
	if (!r)
		set_size(s, size);
	return r;
}

static int op_slot_discard(struct machine *m, unsigned id, uint64_t offset, uint64_t size, struct err *err)
{
	struct fake_slot *s;
	int r;

	fake(m)->calls.slot_discard++;
	s = slot_change(fake(m), id, &r, err);
	return s ? check_inside(s, offset, size, err) : r;
}

static int op_slot_remap(struct machine *m, unsigned id, uint64_t offset, uint64_t size, const char *path,
			 uint64_t file_offset, struct err *err)
{
	struct fake_slot *s;
	int r;

	fake(m)->calls.slot_remap++;
	s = slot_change(fake(m), id, &r, err);
	if (s)
		r = check_inside(s, offset, size, err);
	if (!r && file_offset % PAGE)
		r = err_set(err, EINVAL, "%s: offset 0x%llx is not a multiple of 4K", path, ULL(file_offset));
	if (!r && access(path, R_OK))
		r = err_set(err, errno, "%s: cannot be opened", path);
	return r;
}

/* What of the slot is RAM is written; the rest of the file is a hole. */
static int op_slot_save(struct machine *m, unsigned id, const char *path, struct err *err)
{
	struct fake_machine *f = fake(m);
	const struct slot_info *s;
	struct fake_slot *slot;
	uint64_t len = 0;
	int r, fd;

	f->calls.slot_save++;
	slot = slot_change(f, id, &r, err);
	if (!slot)
		return r;
	s = &slot->info;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(err, errno, "%s: cannot be made", path);
	if (s->gpa < f->config.ram_size)
		len = s->size < f->config.ram_size - s->gpa ? s->size : f->config.ram_size - s->gpa;
	if (pwrite(fd, f->ram + (len ? s->gpa : 0), len, 0) != (ssize_t)len || ftruncate(fd, (off_t)s->size))
		abort();
	close(fd);
	return 0;
}

static int op_slot_check(struct machine *m, void (*each)(void *arg, const struct slot_fault *fault), void *arg,
			 struct err *err)
{
	struct fake_machine *f = fake(m);
	int r = fake_need_parked(f, 0, err);

	f->calls.slot_check++;
	for (size_t i = 0; !r && i < f->nfault; i++)
		each(arg, &f->fault[i]);
	return r;
}

/* -- dirty logs -- */

static void mark(struct fake_slot *s, uint64_t page)
{
	for (unsigned i = 0; s->info.log && i < DIRTY_CONSUMERS; i++)
		s->dirty[i][page / 64] |= 1ULL << page % 64;
}

void fake_dirty(struct fake_machine *f, unsigned id, uint64_t page)
{
	struct fake_slot *s = slot_get(f, id);

	if (!s || page >= s->info.size / PAGE)
		abort();
	mark(s, page);
}

void fake_slots_written(struct fake_machine *f, uint64_t gpa, uint64_t len)
{
	for (size_t i = 0; i < f->nslots; i++) {
		const struct slot_info *s = &f->slot[i].info;

		for (uint64_t at = gpa & ~(uint64_t)(PAGE - 1); at < gpa + len; at += PAGE)
			if (at - s->gpa < s->size)
				mark(&f->slot[i], (at - s->gpa) / PAGE);
	}
}

static int no_log(const struct fake_slot *s, struct err *err)
{
	return err_set(err, EINVAL, "slot %u: its dirty log is off", s->info.id);
}

static int op_dirty_read(struct machine *m, unsigned id, enum dirty_consumer who, bool take, struct dirty_map *ret,
			 struct err *err)
{
	struct fake_machine *f = fake(m);
	struct dirty_map map = { .id = id };
	struct fake_slot *s;
	int r;

	f->calls.dirty_read++;
	f->calls.dirty_take += take;
	s = slot_change(f, id, &r, err);
	if (!s)
		return r;
	if (!s->info.log)
		return no_log(s, err);
	map.gpa = s->info.gpa;
	map.pages = s->info.size / PAGE;
	map.bits = calloc(words(s), sizeof(uint64_t));
	if (!map.bits)
		abort();
	for (size_t i = 0; i < words(s); i++) {
		map.bits[i] = s->dirty[who][i];
		map.dirty += (uint64_t)__builtin_popcountll(map.bits[i]);
		if (take)
			s->dirty[who][i] = 0;
	}
	*ret = map;
	return 0;
}

static int op_dirty_diff(struct machine *m, unsigned id, dirty_diff_fn *each, void *arg, struct err *err)
{
	struct fake_machine *f = fake(m);
	struct fake_slot *s;
	int r;

	f->calls.dirty_diff++;
	s = slot_change(f, id, &r, err);
	if (!s)
		return r;
	if (!s->info.log)
		return no_log(s, err);
	if (!s->remembered) {
		s->remembered = true;
		return err_set(err, EAGAIN, "slot %u: its contents are remembered from now on", id);
	}
	for (size_t i = 0; i < f->ndiff; i++) {
		const struct fake_diff *d = &f->diff[i];

		if (d->id == id && !each(arg, d->gpa, d->was, d->is, d->len))
			break;
	}
	return 0;
}

static int op_dirty_who(struct machine *m, unsigned id, bool on, struct err *err)
{
	struct fake_slot *s;
	int r;

	fake(m)->calls.dirty_who++;
	s = slot_change(fake(m), id, &r, err);
	if (s)
		s->info.watched = on;
	return r;
}

static bool op_dirty_writer(struct machine *m, unsigned id, size_t index, struct dirty_writer *ret)
{
	const struct fake_machine *f = fake(m);

	for (size_t i = 0; i < f->nwriter; i++)
		if (f->writer[i].id == id && !index--) {
			*ret = f->writer[i].writer;
			return true;
		}
	return false;
}

void fake_slot_ops(struct machine_ops *ops)
{
	ops->slot_list = op_slot_list;
	ops->slot_add = op_slot_add;
	ops->slot_remove = op_slot_remove;
	ops->slot_move = op_slot_move;
	ops->slot_flags = op_slot_flags;
	ops->slot_split = op_slot_split;
	ops->slot_resize = op_slot_resize;
	ops->slot_discard = op_slot_discard;
	ops->slot_remap = op_slot_remap;
	ops->slot_save = op_slot_save;
	ops->slot_check = op_slot_check;
	ops->dirty_read = op_dirty_read;
	ops->dirty_diff = op_dirty_diff;
	ops->dirty_who = op_dirty_who;
	ops->dirty_writer = op_dirty_writer;
}
