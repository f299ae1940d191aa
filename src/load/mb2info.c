/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The boot information of Multiboot 2 (Multiboot2 Specification 2.0, 3.6): tags at multiples of 8, as one block. */
#include "load/multiboot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "load/linux.h"

#define LOADER_NAME     "gdbvisor"
#define TAG_ALIGN       8u

enum tag_type {
	TAG_END, TAG_COMMAND_LINE, TAG_LOADER_NAME, TAG_MODULE, TAG_MEMORY, TAG_MAP = 6, TAG_FRAMEBUFFER = 8,
	TAG_ELF_SECTIONS = 9, TAG_ACPI_OLD = 14, TAG_ACPI_NEW, TAG_LOAD_BASE = 21,
};

struct map_entry {
	uint64_t base, length;
	uint32_t type, zero;
};

/* Text, as the machine's screen has it after a reset. */
struct framebuffer {
	uint64_t addr;
	uint32_t pitch, width, height;
	uint8_t bpp, type;
	uint16_t reserved;
};
static const struct framebuffer text_screen = {
	.addr = 0xb8000, .pitch = 160, .width = 80, .height = 25, .bpp = 16, .type = 2,
};

struct elf_head {
	uint32_t num, entsize, shndx;
};

/* The block as it grows; with BYTES NULL it only counts. */
struct block {
	uint8_t *bytes;
	size_t len;
	size_t tag;             /* where the open tag begins */
};

static void append(struct block *b, const void *data, size_t len)
{
	if (b->bytes && len)
		memcpy(b->bytes + b->len, data, len);
	b->len += len;
}

static void append_text(struct block *b, const char *text)
{
	append(b, text ? text : "", text ? strlen(text) + 1 : 1);
}

static void open_tag(struct block *b, enum tag_type type)
{
	uint32_t head[] = { type, 0 };

	b->tag = b->len;
	append(b, head, sizeof(head));
}

/* Its size counts without what follows to align the next. */
static void close_tag(struct block *b)
{
	static const uint8_t zeros[TAG_ALIGN];
	uint32_t size = (uint32_t)(b->len - b->tag);

	if (b->bytes)
		memcpy(b->bytes + b->tag + sizeof(uint32_t), &size, sizeof(size));
	append(b, zeros, -b->len & (TAG_ALIGN - 1));
}

static void tag(struct block *b, enum tag_type type, const void *data, size_t len)
{
	open_tag(b, type);
	append(b, data, len);
	close_tag(b);
}

static void text_tag(struct block *b, enum tag_type type, const char *text)
{
	open_tag(b, type);
	append_text(b, text);
	close_tag(b);
}

/* As GRUB has it: what follows the file's name, on the command line as with modules. */
static void modules(struct block *b, const struct mb2_parts *p)
{
	size_t i;

	for (i = 0; i < p->opts->nmodules; i++) {
		const struct blob *m = &p->opts->modules[i];
		uint32_t at[] = { (uint32_t)p->module_gpa[i], (uint32_t)(p->module_gpa[i] + m->size) };

		open_tag(b, TAG_MODULE);
		append(b, at, sizeof(at));
		append_text(b, m->args);
		close_tag(b);
	}
}

/* KiB of RAM that begin at START; 0 when there are none. */
static uint32_t map_kib(const struct linux_map *m, uint64_t start)
{
	unsigned i;

	for (i = 0; i < m->n; i++)
		if (m->e[i].gpa == start && m->e[i].type == LINUX_MAP_RAM)
			return m->e[i].size / KIB > UINT32_MAX ? UINT32_MAX : (uint32_t)(m->e[i].size / KIB);
	return 0;
}

static void memory(struct block *b, const struct linux_map *map)
{
	const uint32_t kib[] = { map_kib(map, 0), map_kib(map, MIB) }, head[] = { sizeof(struct map_entry), 0 };
	unsigned i;

	tag(b, TAG_MEMORY, kib, sizeof(kib));
	open_tag(b, TAG_MAP);
	append(b, head, sizeof(head));
	for (i = 0; i < map->n; i++) {
		struct map_entry e = { map->e[i].gpa, map->e[i].size, map->e[i].type, 0 };

		append(b, &e, sizeof(e));
	}
	close_tag(b);
}

/* ---- ELF sections ---- */

/* Is in the file and in no segment, or so its address says. */
static bool apart(const struct image *im, const GElf_Shdr *sh)
{
	return sh->sh_type != SHT_NULL && sh->sh_type != SHT_NOBITS && !sh->sh_addr && sh->sh_size &&
	       sh->sh_offset <= im->file.size && sh->sh_size <= im->file.size - sh->sh_offset;
}

#define SECTION_ALIGN   16u

/* What those that are apart have together; 0 as well when they have more than the file, because they lie. */
static uint64_t apart_size(const struct mb2_parts *p)
{
	Elf_Scn *scn = NULL;
	uint64_t sum = 0, bytes = 0;
	GElf_Shdr sh;

	while ((scn = elf_nextscn(p->elf->elf, scn))) {
		if (!gelf_getshdr(scn, &sh) || !apart(p->im, &sh))
			continue;
		bytes += sh.sh_size;
		if (bytes > p->im->file.size)
			return 0;
		sum += (sh.sh_size + SECTION_ALIGN - 1) & ~(uint64_t)(SECTION_ALIGN - 1);
	}
	return sum;
}

/* The header as the file has it, in its class, with its address ADDR if that is not 0. */
static void append_section(struct block *b, const struct mb2_parts *p, size_t index, uint64_t addr)
{
	uint8_t raw[sizeof(Elf64_Shdr)];
	size_t size = p->elf->eh.e_shentsize, off = offsetof(Elf64_Shdr, sh_addr), len = 8;

	if (p->elf->bits == 32) {
		off = offsetof(Elf32_Shdr, sh_addr);
		len = 4;
	}
	memcpy(raw, p->im->file.data + p->elf->eh.e_shoff + index * size, size);
	if (addr)
		memcpy(raw + off, &addr, len);
	append(b, raw, size);
}

/* FROM: where those that are apart go, one behind the other; 0: nowhere. */
static void sections(struct block *b, const struct mb2_parts *p, uint64_t from, struct gmem *g)
{
	struct elf_head head = { .num = p->elf->eh.e_shnum, .entsize = p->elf->eh.e_shentsize };
	size_t names = 0, i;
	GElf_Shdr sh;

	if (elf_getshdrstrndx(p->elf->elf, &names))
		names = 0;
	head.shndx = (uint32_t)names;
	open_tag(b, TAG_ELF_SECTIONS);
	append(b, &head, sizeof(head));
	for (i = 0; i < head.num; i++) {
		bool moves = from && gelf_getshdr(elf_getscn(p->elf->elf, i), &sh) && apart(p->im, &sh);

		append_section(b, p, i, moves ? from : 0);
		if (!moves)
			continue;
		if (b->bytes)
			gmem_write(g, from, p->im->file.data + sh.sh_offset, sh.sh_size);
		from += (sh.sh_size + SECTION_ALIGN - 1) & ~(uint64_t)(SECTION_ALIGN - 1);
	}
	close_tag(b);
}

/* ---- All of it ---- */

static void fill(struct block *b, const struct mb2_parts *p, const struct linux_map *map, uint64_t sections_gpa,
		 struct gmem *g)
{
	static const uint32_t head[2];
	uint8_t rsdp[36], old[RSDP_OLD_SIZE];
	uint32_t size;

	append(b, head, sizeof(head));
	text_tag(b, TAG_COMMAND_LINE, p->opts->append);
	text_tag(b, TAG_LOADER_NAME, LOADER_NAME);
	modules(b, p);
	memory(b, map);
	if (gmem_find(g, text_screen.addr))
		tag(b, TAG_FRAMEBUFFER, &text_screen, sizeof(text_screen));
	if (p->elf && p->elf->eh.e_shnum)
		sections(b, p, sections_gpa, g);
	if (p->rsdp_gpa && boot_tables_old(g, p->rsdp_gpa, old))
		tag(b, TAG_ACPI_OLD, old, sizeof(old));
	if (p->rsdp_gpa && gmem_read(g, p->rsdp_gpa, rsdp, sizeof(rsdp)) == sizeof(rsdp))
		tag(b, TAG_ACPI_NEW, rsdp, sizeof(rsdp));
	if (p->has_base)
		tag(b, TAG_LOAD_BASE, &p->base, sizeof(p->base));
	tag(b, TAG_END, NULL, 0);
	size = (uint32_t)b->len;
	if (b->bytes)
		memcpy(b->bytes, &size, sizeof(size));
}

int mb2info_build(const struct mb2_parts *p, struct layout *l, struct gmem *g, uint64_t *ret_gpa, struct err *err)
{
	uint64_t gpa, sections_gpa = 0, size = p->elf ? apart_size(p) : 0;
	struct block b = { 0 };
	struct linux_map map;
	int rc;

	rc = linux_map_make(g, &map, err);
	if (rc)
		return rc;
	/* Without room for them the kernel runs as well. */
	if (size && layout_place(l, MIB, MB_ADDRESS_LIMIT, size, SECTION_ALIGN, LAYOUT_LOWEST, "sections",
				 &sections_gpa, NULL))
		sections_gpa = 0;
	fill(&b, p, &map, sections_gpa, g);
	rc = layout_place(l, LOW_START, LOW_END, b.len, TAG_ALIGN, LAYOUT_HIGHEST, "the Multiboot 2 information", &gpa, err);
	if (rc)
		return rc;
	b.bytes = malloc(b.len);
	if (!b.bytes)
		return err_errno(err, ENOMEM, "Multiboot 2 information");
	b.len = 0;
	fill(&b, p, &map, sections_gpa, g);
	gmem_write(g, gpa, b.bytes, b.len);
	free(b.bytes);
	*ret_gpa = gpa;
	return 0;
}
