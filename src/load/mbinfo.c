/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The Multiboot information structure (Multiboot Specification 0.6.96, 3.3) and all it points to, as one block. */
#include "load/parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HAS_MEMORY      (1u << 0)
#define HAS_CMDLINE     (1u << 2)
#define HAS_MODULES     (1u << 3)
#define HAS_MMAP        (1u << 6)
#define HAS_LOADER_NAME (1u << 9)

#define LOADER_NAME     "gdbvisor"

/* The hole that every PC has there: video memory and ROMs. */
#define HOLE_START      (640 * KIB)
#define HOLE_END        MIB

enum { MMAP_RAM = 1, MMAP_RESERVED = 2 };

struct info {
	uint32_t flags, mem_lower, mem_upper, boot_device, cmdline, mods_count, mods_addr, syms[4];
	uint32_t mmap_length, mmap_addr, drives_length, drives_addr, config_table, boot_loader_name, apm_table;
	uint8_t vbe_and_framebuffer[44];
};
_Static_assert(sizeof(struct info) == 116, "the information structure has 116 bytes");

struct module {
	uint32_t start, end, string, reserved;
};

struct mmap_entry {
	uint32_t size;          /* of what follows it */
	uint64_t base, length;
	uint32_t type;
} __attribute__((packed));

struct map {
	struct mmap_entry *entry;
	size_t n;
};

static void map_add(struct map *m, uint64_t start, uint64_t end, uint32_t type)
{
	struct mmap_entry *last = m->n ? &m->entry[m->n - 1] : NULL;

	if (last && last->type == type && last->base + last->length == start)
		last->length = end - last->base;
	else
		m->entry[m->n++] = (struct mmap_entry){ sizeof(*last) - sizeof(last->size), start, end - start,
							type };
}

/* Guest memory as a map: RAM but for the hole, and ROM as reserved. */
static int map_new(const struct gmem *g, struct map *ret, struct err *err)
{
	static const struct { uint64_t start, end; bool hole; } parts[] = {
		{ 0, HOLE_START, false }, { HOLE_START, HOLE_END, true }, { HOLE_END, UINT64_MAX, false },
	};
	const size_t nparts = sizeof(parts) / sizeof(parts[0]);
	const struct gmem_region *r;
	size_t i, k, count = 0;
	struct map m = { 0 };

	while (gmem_at(g, count))
		count++;
	m.entry = calloc(count * nparts + 1, sizeof(*m.entry));
	if (!m.entry)
		return err_errno(err, ENOMEM, "memory map");
	for (i = 0; (r = gmem_at(g, i)); i++)
		for (k = 0; k < nparts; k++) {
			uint64_t start = r->gpa, end = r->gpa + r->size;

			if (start < parts[k].start)
				start = parts[k].start;
			if (end > parts[k].end)
				end = parts[k].end;
			if (start < end)
				map_add(&m, start, end, parts[k].hole || r->readonly ? MMAP_RESERVED : MMAP_RAM);
		}
	*ret = m;
	return 0;
}

/* KiB of RAM that begin at START; 0 when there are none. */
static uint32_t map_kib(const struct map *m, uint64_t start)
{
	size_t i;

	for (i = 0; i < m->n; i++)
		if (m->entry[i].base == start && m->entry[i].type == MMAP_RAM) {
			uint64_t kib = m->entry[i].length / KIB;

			return kib > UINT32_MAX ? UINT32_MAX : (uint32_t)kib;
		}
	return 0;
}

/* The block as it grows; with BYTES NULL it only counts. */
struct block {
	uint8_t *bytes;
	uint64_t gpa;
	size_t len;
};

/* Appends LEN bytes and returns their address in the guest. */
static uint32_t append(struct block *b, const void *data, size_t len)
{
	uint32_t gpa = (uint32_t)(b->gpa + b->len);

	if (b->bytes && len)
		memcpy(b->bytes + b->len, data, len);
	b->len += len;
	return gpa;
}

/* Appends "PATH" or "PATH ARGS". */
static uint32_t append_line(struct block *b, const char *path, const char *args)
{
	uint32_t gpa = append(b, path, strlen(path));

	if (args) {
		append(b, " ", 1);
		append(b, args, strlen(args));
	}
	append(b, "", 1);
	return gpa;
}

/* Everything in order: the structure, module list and map, which hold numbers, then strings. */
static void fill(struct block *b, const struct image *im, const struct load_opts *opts, const uint64_t *module_gpa,
		 const struct map *map)
{
	struct info info = {
		.flags = HAS_MEMORY | HAS_CMDLINE | HAS_MODULES | HAS_MMAP | HAS_LOADER_NAME,
		.mem_lower = map_kib(map, 0), .mem_upper = map_kib(map, HOLE_END),
		.mods_count = (uint32_t)opts->nmodules,
		.mmap_length = (uint32_t)(map->n * sizeof(*map->entry)),
	};
	struct module mod = { 0 };
	size_t i, mods;

	append(b, &info, sizeof(info));
	mods = b->len;
	info.mods_addr = (uint32_t)(b->gpa + mods);
	for (i = 0; i < opts->nmodules; i++)
		append(b, &mod, sizeof(mod));
	info.mmap_addr = append(b, map->entry, map->n * sizeof(*map->entry));
	info.cmdline = append_line(b, im->file.path, opts->append);
	info.boot_loader_name = append_line(b, LOADER_NAME, NULL);
	for (i = 0; i < opts->nmodules; i++) {
		const struct blob *f = &opts->modules[i];

		mod.start = (uint32_t)module_gpa[i];
		mod.end = (uint32_t)(module_gpa[i] + f->size);
		mod.string = append_line(b, f->path, f->args);
		if (b->bytes)
			memcpy(b->bytes + mods + i * sizeof(mod), &mod, sizeof(mod));
	}
	if (b->bytes)
		memcpy(b->bytes, &info, sizeof(info));
}

int mbinfo_build(const struct image *im, const struct load_opts *opts, const uint64_t *module_gpa,
		 struct layout *l, struct gmem *g, uint64_t *ret_gpa, struct err *err)
{
	struct block b = { 0 };
	struct map map = { 0 };
	int rc;

	rc = map_new(g, &map, err);
	if (rc)
		return rc;
	fill(&b, im, opts, module_gpa, &map);
	rc = layout_place(l, LOW_START, LOW_END, b.len, 8, LAYOUT_HIGHEST, "the Multiboot information", &b.gpa,
			  err);
	if (rc)
		goto out;
	b.bytes = malloc(b.len);
	if (!b.bytes) {
		rc = err_errno(err, ENOMEM, "Multiboot information");
		goto out;
	}
	b.len = 0;
	fill(&b, im, opts, module_gpa, &map);
	gmem_write(g, b.gpa, b.bytes, b.len);
	*ret_gpa = b.gpa;
out:
	free(b.bytes);
	free(map.entry);
	return rc;
}
