/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The 16-bit entry: the setup code in real mode, and something that answers when it calls the BIOS. */
#include "load/linux.h"

#include <errno.h>
#include <string.h>

/* The segment that the setup code has for itself (boot.rst, "Memory layout"). */
#define SEGMENT_SIZE    0x10000u
#define HEAP_END        0xe000u         /* also where the stack begins */
#define SETUP_MAX       0x8000u
#define SETUP_ENTRY     0x20u           /* paragraphs: CS:0 is here */
#define MODE_CURRENT    0x0f04u         /* vid_mode: leave the screen as it is */

/* The page of the stand-in: code, then the map as INT 15h, E820 gives it. */
#define CODE_UNUSED     0x00u
#define CODE_INT15      0x01u
#define CODE_MISSING    0x4eu
#define MAP_COUNT       0x59u
#define MAP_AT          0x80u
#define MAP_ENTRY       20u
#define VECTORS         256u

static const uint8_t bios_code[] = {
	0xcf,                                           /* 00 unused:  iret */
	0x66, 0x3d, 0x20, 0xe8, 0x00, 0x00,             /* 01 int15:   cmp eax, 0xe820 */
	0x75, 0x45,                                     /* 07          jne missing */
	0x66, 0x81, 0xfa, 0x50, 0x41, 0x4d, 0x53,       /* 09          cmp edx, "SMAP" */
	0x75, 0x3c,                                     /* 10          jne missing */
	0x2e, 0x3b, 0x1e, MAP_COUNT, 0x00,              /* 12          cmp bx, cs:[count] */
	0x73, 0x35,                                     /* 17          jae missing */
	0x1e, 0x56, 0x57,                               /* 19          push ds, si, di */
	0x0e, 0x1f,                                     /* 1c          push cs; pop ds */
	0x6b, 0xf3, MAP_ENTRY,                          /* 1e          imul si, bx, 20 */
	0x81, 0xc6, MAP_AT, 0x00,                       /* 21          add si, map */
	0xb9, MAP_ENTRY, 0x00,                          /* 25          mov cx, 20 */
	0xfc, 0xf3, 0xa4,                               /* 28          cld; rep movsb */
	0x5f, 0x5e, 0x1f,                               /* 2b          pop di, si, ds */
	0x43,                                           /* 2e          inc bx */
	0x2e, 0x3b, 0x1e, MAP_COUNT, 0x00,              /* 2f          cmp bx, cs:[count] */
	0x72, 0x03,                                     /* 34          jb more */
	0x66, 0x31, 0xdb,                               /* 36          xor ebx, ebx */
	0x66, 0xb8, 0x50, 0x41, 0x4d, 0x53,             /* 39 more:    mov eax, "SMAP" */
	0x66, 0xb9, MAP_ENTRY, 0x00, 0x00, 0x00,        /* 3f          mov ecx, 20 */
	0x55, 0x89, 0xe5,                               /* 45          push bp; mov bp, sp */
	0x80, 0x66, 0x06, 0xfe,                         /* 48          and byte [bp + 6], ~CF */
	0x5d, 0xcf,                                     /* 4c          pop bp; iret */
	0x55, 0x89, 0xe5,                               /* 4e missing: push bp; mov bp, sp */
	0x80, 0x4e, 0x06, 0x01,                         /* 51          or byte [bp + 6], CF */
	0x5d, 0xb4, 0x86, 0xcf,                         /* 55          pop bp; mov ah, 0x86; iret */
};
_Static_assert(sizeof(bios_code) == MAP_COUNT, "the count is behind the code");

/* Where vector V leads: exceptions and hardware interrupts come unasked, and must leave no trace. */
static unsigned target(unsigned v)
{
	if (v == 0x15)
		return CODE_INT15;
	return v < 0x10 || (v >= 0x70 && v < 0x78) ? CODE_UNUSED : CODE_MISSING;
}

static int put_bios(const struct linux_map *map, struct layout *l, struct gmem *g, struct err *err)
{
	uint8_t page[PAGE_SIZE_4K] = { 0 };
	uint32_t vectors[VECTORS];
	uint64_t gpa;
	unsigned i;
	int rc;

	_Static_assert(MAP_AT + LINUX_MAP_MAX * MAP_ENTRY <= PAGE_SIZE_4K, "the map fits the page");
	rc = layout_add(l, 0, sizeof(vectors), "the interrupt vectors", err);
	if (!rc)
		rc = layout_place(l, LOW_START, LOW_END, sizeof(page), PAGE_SIZE_4K, LAYOUT_HIGHEST, "the stand-in for a BIOS",
				  &gpa, err);
	if (rc)
		return rc;
	memcpy(page, bios_code, sizeof(bios_code));
	page[MAP_COUNT] = (uint8_t)map->n;
	for (i = 0; i < map->n; i++) {
		uint32_t type = map->e[i].type;
		uint8_t *at = page + MAP_AT + i * MAP_ENTRY;

		memcpy(at, &map->e[i].gpa, 8);
		memcpy(at + 8, &map->e[i].size, 8);
		memcpy(at + 16, &type, 4);
	}
	for (i = 0; i < VECTORS; i++)
		vectors[i] = (uint32_t)(gpa >> 4 << 16 | target(i));
	gmem_write(g, gpa, page, sizeof(page));
	gmem_write(g, 0, vectors, sizeof(vectors));
	return 0;
}

static void set_segment(struct boot_seg *s, uint64_t base)
{
	s->selector = (uint16_t)(base >> 4);
	s->base = base;
}

int linux_start_real(const struct bzimage *b, const struct blob *file, uint64_t code_gpa, const struct linux_parts *p,
		     struct layout *l, struct gmem *g, struct boot_state *ret, struct err *err)
{
	struct setup_header h = b->h;
	struct boot_state st;
	uint64_t gpa;
	int rc;

	if (b->setup_size > SETUP_MAX)
		return err_set(err, ENOEXEC, "setup code of %zu bytes; real mode takes %u at most (try --entry=32)",
			       b->setup_size, SETUP_MAX);
	rc = layout_place(l, LOW_START, LOW_END, SEGMENT_SIZE, 16, LAYOUT_LOWEST, "the setup code", &gpa, err);
	if (!rc)
		rc = put_bios(&p->map, l, g, err);
	if (!rc)
		rc = boot_setup(BOOT_REAL, gpa, l, g, &st, err);
	if (rc)
		return rc;
	linux_fill_header(&h, p);
	h.vid_mode = MODE_CURRENT;
	h.loadflags = (uint8_t)((h.loadflags & ~KASLR_FLAG) | CAN_USE_HEAP);
	h.heap_end_ptr = HEAP_END - 0x200;
	h.code32_start = (uint32_t)code_gpa;
	gmem_zero(g, gpa, SEGMENT_SIZE);
	gmem_write(g, gpa, file->data, b->setup_size);
	gmem_write(g, gpa + SETUP_HEADER, &h, b->header_size < sizeof(h) ? b->header_size : sizeof(h));
	set_segment(&st.cs, gpa + SETUP_ENTRY * 16);
	set_segment(&st.ds, gpa);
	st.es = st.fs = st.gs = st.ss = st.ds;
	st.rip = 0;
	st.rsp = HEAP_END;
	*ret = st;
	return 0;
}
