/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a Multiboot 2 header asks for (Multiboot2 Specification 2.0, 3.1): its tags, a row each. */
#include "load/multiboot.h"

#include <errno.h>
#include <string.h>

#define FIXED           16u             /* magic, architecture, length, checksum */
#define TAG_HEAD        8u              /* type, flags, size */
#define TAG_ALIGN       8u
#define OPTIONAL        0x1u            /* flags */
#define ARCH_I386       0u
#define LOAD_WHOLE      UINT32_MAX      /* load_addr: from the file's beginning */

#define REQUEST_LAST    21u             /* the last type of boot information that the specification has */

struct tag {
	unsigned type, flags;
	uint32_t size;
	const uint8_t *data;            /* behind the head, size - TAG_HEAD bytes */
};

static uint32_t word(const struct tag *t, size_t index)
{
	uint32_t v;

	memcpy(&v, t->data + index * sizeof(v), sizeof(v));
	return v;
}

static int end_tag(const struct tag *t, struct mb2_header *h, struct err *err)
{
	(void)t;
	(void)h;
	(void)err;
	return 0;
}

/* What the machine has none of, of what a kernel can ask to be told. */
static const char *never_told(uint32_t type)
{
	switch (type) {
	case 11: case 12: case 17: case 18: case 19: case 20:
		return "of EFI, and the machine has none";
	default:
		return type > REQUEST_LAST ? "of a type that is not known" : NULL;
	}
}

static int information_request(const struct tag *t, struct mb2_header *h, struct err *err)
{
	size_t i, n = (t->size - TAG_HEAD) / sizeof(uint32_t);

	(void)h;
	for (i = 0; i < n && !(t->flags & OPTIONAL); i++)
		if (never_told(word(t, i)))
			return err_set(err, ENOEXEC, "the Multiboot 2 header requires information %s (%u)",
				       never_told(word(t, i)), word(t, i));
	return 0;
}

static int address(const struct tag *t, struct mb2_header *h, struct err *err)
{
	(void)err;
	h->has_addresses = true;
	h->addr.header_addr = word(t, 0);
	h->addr.load_addr = word(t, 1);
	h->addr.load_end_addr = word(t, 2);
	h->addr.bss_end_addr = word(t, 3);
	if (h->addr.load_addr == LOAD_WHOLE)
		h->addr.load_addr = h->addr.header_addr - (uint32_t)h->at;
	return 0;
}

static int entry_address(const struct tag *t, struct mb2_header *h, struct err *err)
{
	(void)err;
	h->has_entry = true;
	h->addr.entry_addr = word(t, 0);
	return 0;
}

static int refused(const struct tag *t, const char *what, struct err *err)
{
	return t->flags & OPTIONAL ? 0 : err_set(err, ENOEXEC, "the Multiboot 2 header requires %s (tag %u)", what, t->type);
}

/* There is a text screen; that something can be shown at all is always so. */
static int console(const struct tag *t, struct mb2_header *h, struct err *err)
{
	(void)t;
	(void)h;
	(void)err;
	return 0;
}

/* Text of 80 columns and 25 lines is all there is, and a depth of 0 means text. */
static int framebuffer(const struct tag *t, struct mb2_header *h, struct err *err)
{
	(void)h;
	return word(t, 2) ? refused(t, "a graphical screen, and the machine has a text screen", err) : 0;
}

static int efi(const struct tag *t, struct mb2_header *h, struct err *err)
{
	(void)h;
	return refused(t, "EFI, and the machine has none", err);
}

static int relocatable(const struct tag *t, struct mb2_header *h, struct err *err)
{
	h->relocatable = true;
	h->min_addr = word(t, 0);
	h->max_addr = word(t, 1);
	h->align = word(t, 2) ? word(t, 2) : 1;
	h->preference = word(t, 3) == 1 ? MB2_LOWEST : word(t, 3) == 2 ? MB2_HIGHEST : MB2_ANYWHERE;
	if (h->align & (h->align - 1))
		return err_set(err, ENOEXEC, "the Multiboot 2 header's relocation align 0x%x is no power of two", h->align);
	if (h->min_addr > h->max_addr)
		return err_set(err, ENOEXEC, "the Multiboot 2 header's relocation min_addr 0x%x is above its max_addr 0x%x",
			       h->min_addr, h->max_addr);
	return 0;
}

static const struct row {
	unsigned type;
	uint32_t size;                  /* at the least */
	int (*take)(const struct tag *t, struct mb2_header *h, struct err *err);
} rows[] = {
	{ 0, 8, end_tag },
	{ 1, 8, information_request },
	{ 2, 24, address },
	{ 3, 12, entry_address },
	{ 4, 12, console },
	{ 5, 20, framebuffer },
	{ 6, 8, end_tag },              /* modules are page-aligned always */
	{ 7, 8, efi },
	{ 8, 12, efi },
	{ 9, 12, efi },
	{ 10, 24, relocatable },
};

static int take_tag(const struct tag *t, struct mb2_header *h, struct err *err)
{
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].type != t->type)
			continue;
		if (t->size < rows[i].size)
			return err_set(err, ENOEXEC, "the Multiboot 2 header's tag %u has %u bytes; it should have %u", t->type,
				       t->size, rows[i].size);
		return rows[i].take(t, h, err);
	}
	return refused(t, "what is not known", err);
}

static int read_tags(const struct blob *file, struct mb2_header *h, struct err *err)
{
	size_t at = h->at + FIXED, end = h->at + h->size;
	uint16_t half[2];
	struct tag t;
	int rc;

	for (;;) {
		if (at > end || end - at < TAG_HEAD)
			return err_set(err, ENOEXEC, "the Multiboot 2 header's tags have no end");
		memcpy(half, file->data + at, sizeof(half));
		memcpy(&t.size, file->data + at + sizeof(half), sizeof(t.size));
		t = (struct tag){ half[0], half[1], t.size, file->data + at + TAG_HEAD };
		if (t.size < TAG_HEAD || t.size > end - at)
			return err_set(err, ENOEXEC, "the Multiboot 2 header's tag %u says it has %u bytes, and the header ends "
				       "after %zu", t.type, t.size, end - at);
		rc = take_tag(&t, h, err);
		if (rc || !t.type)
			return rc;
		at += ((size_t)t.size + TAG_ALIGN - 1) & ~(size_t)(TAG_ALIGN - 1);
	}
}

int mb2_header_read(const struct blob *file, size_t at, struct mb2_header *ret, struct err *err)
{
	struct mb2_header h = { .at = at, .addr.at = at };
	uint32_t fixed[FIXED / sizeof(uint32_t)];
	int rc;

	memcpy(fixed, file->data + at, sizeof(fixed));
	if (fixed[1] != ARCH_I386)
		return err_set(err, ENOEXEC, "the Multiboot 2 header is for architecture %u%s, not for i386 (0)", fixed[1],
			       fixed[1] == 4 ? ", MIPS" : "");
	h.size = fixed[2];
	if (h.size < FIXED + TAG_HEAD)
		return err_set(err, ENOEXEC, "the Multiboot 2 header says it has %zu bytes, and the least is %u", h.size,
			       FIXED + TAG_HEAD);
	if (h.size > file->size - at)
		return err_set(err, ENOEXEC, "truncated: the file ends inside the Multiboot 2 header");
	rc = read_tags(file, &h, err);
	if (rc)
		return rc;
	if (h.has_addresses && !h.has_entry)
		return err_set(err, ENOEXEC, "the Multiboot 2 header gives addresses and no entry address");
	*ret = h;
	return 0;
}
