/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "arch/x86/board.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dev/flash.h"
#include "dev/pc.h"
#include "dev/vga.h"
#include "kvm/backing.h"
#include "load/bios.h"

#define LOW_RAM         0xa0000u                /* bytes: then the hole for video memory and ROMs */
#define SHADOW_GPA      0xc0000u
#define SHADOW_SIZE     0x40000u
#define LOW_END         0x100000u
#define PC_RAM_MIN      0x200000u               /* bytes: less leaves nothing above the hole */
#define TOP             (1ull << 32)            /* where ROM ends */

enum { SLOT_LOW, SLOT_HIGH, SLOT_ABOVE_4G, SLOT_VGA, SLOT_TABLES };

/* A place that is a slot of the board's. */
struct place {
	uint64_t gpa, size;
	struct backing *backing;                /* NULL: none */
	uint64_t offset;                        /* bytes into it */
	bool readonly;
	const char *label;
	unsigned id;
};

#define PLACES_MAX (PAM_SEGMENTS + 2)

struct board {
	struct slots *slots;
	const struct blob *firmware;
	const struct pci_function *bridge;
	struct backing *rom, *shadow;
	struct device *flash;                   /* NULL: none, nor what follows */
	struct backing *flash_view;
	uint64_t flash_gpa;
	struct place place[PLACES_MAX];
	unsigned nplaces;
};

static int add_ram(struct slots *s, unsigned id, uint64_t gpa, uint64_t size, const char *label, struct err *err)
{
	struct slot_spec spec = { .id = id, .gpa = gpa, .size = size, .backing = SLOT_ANON };

	return size ? slots_add(s, &spec, label, NULL, err) : 0;
}

static int add_all_ram(struct slots *s, uint64_t size, enum board_kind kind, struct err *err)
{
	bool pc = kind != BOARD_FLAT;
	uint64_t low = size < PC_RAM_LOW_MAX ? size : PC_RAM_LOW_MAX;
	int r;

	if (pc && size < PC_RAM_MIN)
		return err_set(err, EINVAL, "a PC needs 2M of memory at least");
	/* First what may be more than there can be; without the hole the number after the first is free. */
	r = add_ram(s, pc ? SLOT_ABOVE_4G : SLOT_HIGH, TOP, size - low, "ram", err);
	if (!r)
		r = add_ram(s, SLOT_LOW, 0, pc ? LOW_RAM : low, "ram", err);
	if (!r && pc)
		r = add_ram(s, SLOT_HIGH, LOW_END, low - LOW_END, "ram", err);
	if (!r && pc)
		r = add_ram(s, SLOT_VGA, VGA_TEXT_GPA, VGA_TEXT_BYTES, "vga", err);
	if (!r && kind == BOARD_TABLES)
		r = add_ram(s, SLOT_TABLES, LINUX_TABLES_GPA, LINUX_TABLES_SIZE, "tables", err);
	return r ? r : slots_mark_initial(s, err);
}

static int make_memory(struct board *b, struct err *err)
{
	struct slot_spec rom = { .gpa = TOP - b->firmware->size, .size = b->firmware->size, .backing = SLOT_ANON };
	struct slot_spec shadow = { .gpa = SHADOW_GPA, .size = SHADOW_SIZE, .backing = SLOT_ANON };
	int r = backing_new(&rom, &b->rom, err);

	return r ? r : backing_new(&shadow, &b->shadow, err);
}

int board_new(struct slots *s, uint64_t size, enum board_kind kind, const struct blob *firmware, struct board **ret,
	      struct err *err)
{
	struct board *b = calloc(1, sizeof(*b));
	int r;

	if (!b)
		return err_set(err, ENOMEM, "out of memory");
	b->slots = s;
	b->firmware = firmware;
	r = add_all_ram(s, size, kind, err);
	if (!r && kind == BOARD_FIRMWARE)
		r = make_memory(b, err);
	if (r)
		board_free(b);
	else
		*ret = b;
	return r;
}

void board_free(struct board *b)
{
	if (!b)
		return;
	backing_put(b->rom);
	backing_put(b->shadow);
	backing_put(b->flash_view);
	free(b);
}

void board_set_bridge(struct board *b, const struct pci_function *bridge)
{
	b->bridge = bridge;
}

int board_set_flash(struct board *b, struct device *flash, uint64_t gpa, uint64_t size, struct err *err)
{
	struct slot_spec spec = { .gpa = gpa, .size = size, .backing = SLOT_ANON };
	int r = backing_new(&spec, &b->flash_view, err);

	if (r)
		return r;
	b->flash = flash;
	b->flash_gpa = gpa;
	return 0;
}

static struct pam_segment segment(const struct board *b, unsigned i)
{
	struct pam_segment s = {
		.gpa = SHADOW_GPA + i * 0x4000,
		.size = i == PAM_SEGMENTS - 1 ? 0x10000 : 0x4000,
	};

	return b->bridge ? i440fx_pam(b->bridge, i) : s;
}

/* What is to be at segment S. */
static struct place place_of(const struct board *b, const struct pam_segment *s)
{
	struct place p = { .gpa = s->gpa, .size = s->size, .readonly = true, .label = "rom" };
	uint64_t low = b->rom->size < BIOS_LOW_MAX ? b->rom->size : BIOS_LOW_MAX;

	if (s->read_ram) {
		p.backing = b->shadow;
		p.label = "shadow";
		p.offset = s->gpa - SHADOW_GPA;
		p.readonly = !s->write_ram;
	} else if (s->gpa >= LOW_END - low) {
		p.backing = b->rom;
		p.offset = b->rom->size - (LOW_END - s->gpa);
	}
	return p;
}

static bool continues(const struct place *a, const struct place *b)
{
	return a->gpa + a->size == b->gpa && a->backing == b->backing && a->offset + a->size == b->offset &&
	       a->readonly == b->readonly;
}

/* The ROM below 4 GiB, without what flash memory takes the place of. */
static struct place rom_place(const struct board *b)
{
	uint64_t gpa = TOP - b->rom->size, taken = 0;

	if (b->flash && b->flash_gpa >= gpa)
		taken = b->flash_gpa + b->flash_view->size - gpa;
	return (struct place){ .gpa = gpa + taken, .size = b->rom->size - taken, .backing = b->rom, .offset = taken,
			       .readonly = true, .label = "rom" };
}

/* All places as they are to be, neighbours that continue each other as one. */
static unsigned plan(const struct board *b, struct place *ret)
{
	unsigned n = 0;

	for (unsigned i = 0; i < PAM_SEGMENTS; i++) {
		const struct pam_segment s = segment(b, i);
		const struct place p = place_of(b, &s);

		if (!p.backing)
			continue;
		if (n && continues(&ret[n - 1], &p))
			ret[n - 1].size += p.size;
		else
			ret[n++] = p;
	}
	if (b->flash && flash_shows_array(b->flash))
		ret[n++] = (struct place){ .gpa = b->flash_gpa, .size = b->flash_view->size, .backing = b->flash_view,
					   .readonly = true, .label = "flash" };
	ret[n++] = rom_place(b);
	return n;
}

static bool same(const struct place *a, const struct place *b)
{
	return a->gpa == b->gpa && a->size == b->size && a->backing == b->backing && a->offset == b->offset &&
	       a->readonly == b->readonly;
}

/* Finds P among N others; NULL. */
static struct place *find_place(struct place *v, unsigned n, const struct place *p)
{
	for (unsigned i = 0; i < n; i++)
		if (same(&v[i], p))
			return &v[i];
	return NULL;
}

/* Whether P still is the slot that was made for it: a person may have removed or changed that. */
static bool is_there(const struct board *b, const struct place *p)
{
	const struct slot *v = slots_get(b->slots, p->id);

	return v && v->gpa == p->gpa && v->size == p->size && v->hva == p->backing->base + p->offset &&
	       v->readonly == p->readonly;
}

static int put_place(struct board *b, struct place *p, struct err *err)
{
	struct slot_spec spec = { .gpa = p->gpa, .size = p->size, .readonly = p->readonly, .offset = p->offset };
	int r = slots_free_id(b->slots, 0, &spec.id, err);

	if (r)
		return r;
	p->id = spec.id;
	return slots_add_backing(b->slots, &spec, p->backing, p->label, err);
}

int board_remap(struct board *b, struct err *err)
{
	struct place want[PLACES_MAX];
	unsigned n, have = b->nplaces;
	int r = 0;

	if (!b->rom)
		return 0;
	if (b->flash)
		flash_view(b->flash, b->flash_view->base, false);
	n = plan(b, want);
	for (unsigned i = 0; i < have; i++) {
		struct place *p = &b->place[i], *stays = find_place(want, n, p);

		if (!is_there(b, p))
			continue;
		if (stays)
			stays->id = p->id;
		else if (!r)
			r = slots_remove(b->slots, p->id, err);
	}
	b->nplaces = 0;
	for (unsigned i = 0; i < n; i++) {
		struct place *was = find_place(b->place, have, &want[i]);
		int one = was && is_there(b, &want[i]) ? 0 : put_place(b, &want[i], r ? NULL : err);

		if (!r)
			r = one;
	}
	for (unsigned i = 0; i < n; i++)
		if (is_there(b, &want[i]))
			b->place[b->nplaces++] = want[i];
	return r;
}

int board_reset(struct board *b, struct err *err)
{
	int r;

	if (!b->rom)
		return 0;
	memcpy(b->rom->base, b->firmware->data, b->rom->size);
	/* Whole: a person may have written to what is only a copy. */
	if (b->flash)
		flash_view(b->flash, b->flash_view->base, true);
	r = backing_discard(b->shadow, 0, b->shadow->size, err);
	return r ? r : board_remap(b, err);
}

bool board_write(struct board *b, uint64_t gpa, const void *data, size_t len)
{
	if (!b->rom || gpa < SHADOW_GPA || gpa >= LOW_END || len > LOW_END - gpa)
		return false;
	for (unsigned i = 0; i < PAM_SEGMENTS; i++) {
		const struct pam_segment s = segment(b, i);

		if (gpa < s.gpa || gpa - s.gpa >= s.size)
			continue;
		if (!s.write_ram || s.read_ram)
			return false;
		memcpy(b->shadow->base + (gpa - SHADOW_GPA), data, len);
		return true;
	}
	return false;
}

bool board_is_flash(const struct board *b, uint64_t gpa)
{
	return b->flash && gpa >= b->flash_gpa && gpa - b->flash_gpa < b->flash_view->size;
}
