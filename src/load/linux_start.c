/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The zero page, the PVH start structure, and the registers that go with them. */
#include "load/linux.h"

#include <errno.h>
#include <string.h>

/* What the zero page holds where (zero-page.rst). */
#define ZERO_PAGE_SIZE  4096u
#define EXT_MEM_K       0x002u          /* KiB above 1 MiB, for those that do not read the map */
#define VIDEO_MODE      0x006u
#define VIDEO_COLS      0x007u
#define VIDEO_LINES     0x00eu
#define VIDEO_IS_VGA    0x00fu
#define VIDEO_POINTS    0x010u
#define ACPI_RSDP_ADDR  0x070u
#define ALT_MEM_K       0x1e0u
#define E820_ENTRIES    0x1e8u
#define E820_TABLE      0x2d0u
#define E820_SIZE       20u

/* Linux's own selectors, which it has from its loader. */
#define BOOT_CS         0x10u
#define BOOT_DS         0x18u
#define BOOT_GDT_LIMIT  (BOOT_DS + 7)

#define PVH_MAGIC       0x336ec578u
#define PVH_VERSION     1u

/* Xen's hvm_start_info, hvm_modlist_entry and hvm_memmap_table_entry. */
struct pvh_info {
	uint32_t magic, version, flags, nr_modules;
	uint64_t modlist_paddr, cmdline_paddr, rsdp_paddr, memmap_paddr;
	uint32_t memmap_entries, reserved;
};

struct pvh_module {
	uint64_t paddr, size, cmdline_paddr, reserved;
};

struct pvh_memory {
	uint64_t addr, size;
	uint32_t type, reserved;
};

struct pvh_block {
	struct pvh_info info;
	struct pvh_module module;
	struct pvh_memory memory[LINUX_MAP_MAX];
};

static uint32_t kib_above_1m(const struct linux_map *m)
{
	unsigned i;

	for (i = 0; i < m->n; i++)
		if (m->e[i].gpa == MIB && m->e[i].type == LINUX_MAP_RAM)
			return m->e[i].size / KIB > UINT32_MAX ? UINT32_MAX : (uint32_t)(m->e[i].size / KIB);
	return 0;
}

void linux_fill_header(struct setup_header *h, const struct linux_parts *p)
{
	h->type_of_loader = LOADER_UNKNOWN;
	h->cmd_line_ptr = (uint32_t)p->cmdline_gpa;
	h->ramdisk_image = (uint32_t)p->initrd_gpa;
	h->ramdisk_size = (uint32_t)p->initrd_size;
	h->setup_data = 0;
}

static void fill_zero_page(uint8_t *page, const struct linux_parts *p)
{
	uint32_t kib = kib_above_1m(&p->map);
	uint16_t kib16 = kib > UINT16_MAX ? UINT16_MAX : (uint16_t)kib, points = 16;
	struct setup_header h = p->h;
	unsigned i;

	linux_fill_header(&h, p);
	if (p->header)
		memcpy(page + SETUP_HEADER, p->header, p->header_size);
	memcpy(page + SETUP_HEADER, &h, p->header_size < sizeof(h) ? p->header_size : sizeof(h));
	memcpy(page + EXT_MEM_K, &kib16, sizeof(kib16));
	memcpy(page + ALT_MEM_K, &kib, sizeof(kib));
	memcpy(page + ACPI_RSDP_ADDR, &p->rsdp_gpa, sizeof(p->rsdp_gpa));
	page[VIDEO_MODE] = 3;
	page[VIDEO_COLS] = 80;
	page[VIDEO_LINES] = 25;
	page[VIDEO_IS_VGA] = 1;
	memcpy(page + VIDEO_POINTS, &points, sizeof(points));
	page[E820_ENTRIES] = (uint8_t)p->map.n;
	for (i = 0; i < p->map.n; i++) {
		const struct linux_map_entry *e = &p->map.e[i];
		uint32_t type = e->type;
		uint8_t *at = page + E820_TABLE + i * E820_SIZE;

		memcpy(at, &e->gpa, 8);
		memcpy(at + 8, &e->size, 8);
		memcpy(at + 16, &type, 4);
	}
}

/* Descriptors and selectors as Linux has them, in boot_setup()'s own table. */
static void use_linux_selectors(struct gmem *g, struct boot_state *st)
{
	uint64_t code, data;
	struct boot_seg *const segs[] = { &st->ds, &st->es, &st->fs, &st->gs, &st->ss };
	size_t i;

	gmem_read(g, st->gdt_base + st->cs.selector, &code, sizeof(code));
	gmem_read(g, st->gdt_base + st->ds.selector, &data, sizeof(data));
	gmem_write(g, st->gdt_base + BOOT_CS, &code, sizeof(code));
	gmem_write(g, st->gdt_base + BOOT_DS, &data, sizeof(data));
	gmem_zero(g, st->gdt_base + 8, 8);
	st->gdt_limit = BOOT_GDT_LIMIT;
	st->cs.selector = BOOT_CS;
	for (i = 0; i < sizeof(segs) / sizeof(segs[0]); i++)
		segs[i]->selector = BOOT_DS;
}

int linux_start_zero_page(enum boot_mode mode, uint64_t entry, const struct linux_parts *p, struct layout *l,
			  struct gmem *g, struct boot_state *ret, struct err *err)
{
	uint8_t page[ZERO_PAGE_SIZE] = { 0 };
	struct boot_state st;
	uint64_t gpa;
	int rc;

	rc = boot_setup(mode, entry, l, g, &st, err);
	if (!rc)
		rc = layout_place(l, LOW_START, LOW_END, sizeof(page), PAGE_SIZE_4K, LAYOUT_HIGHEST, "the zero page", &gpa, err);
	if (rc)
		return rc;
	fill_zero_page(page, p);
	gmem_write(g, gpa, page, sizeof(page));
	use_linux_selectors(g, &st);
	st.rsi = gpa;
	*ret = st;
	return 0;
}

int linux_start_pvh(uint64_t entry, const struct linux_parts *p, struct layout *l, struct gmem *g,
		    struct boot_state *ret, struct err *err)
{
	struct pvh_block b = {
		.info = {
			.magic = PVH_MAGIC, .version = PVH_VERSION, .nr_modules = p->initrd_size > 0,
			.cmdline_paddr = p->cmdline_gpa, .rsdp_paddr = p->rsdp_gpa, .memmap_entries = p->map.n,
		},
		.module = { .paddr = p->initrd_gpa, .size = p->initrd_size },
	};
	struct boot_state st;
	uint64_t gpa;
	unsigned i;
	int rc;

	rc = boot_setup(BOOT_PROTECTED, entry, l, g, &st, err);
	if (!rc)
		rc = layout_place(l, LOW_START, LOW_END, sizeof(b), 16, LAYOUT_HIGHEST, "the PVH start information", &gpa, err);
	if (rc)
		return rc;
	if (b.info.nr_modules)
		b.info.modlist_paddr = gpa + offsetof(struct pvh_block, module);
	b.info.memmap_paddr = gpa + offsetof(struct pvh_block, memory);
	for (i = 0; i < p->map.n; i++)
		b.memory[i] = (struct pvh_memory){ p->map.e[i].gpa, p->map.e[i].size, p->map.e[i].type, 0 };
	gmem_write(g, gpa, &b, sizeof(b));
	st.rbx = gpa;
	*ret = st;
	return 0;
}
