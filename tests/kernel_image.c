/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/kernel_image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The bytes at GVA, and how many there are from there on. */
static uint8_t *find(struct kernel_image *x, uint64_t gva, size_t *ret)
{
	uint64_t base = IMG_TEXT + x->slide;

	if (x->mapped && gva - base < IMG_SIZE) {
		*ret = IMG_SIZE - (size_t)(gva - base);
		return x->image + (gva - base);
	}
	if (gva - IMG_HEAP < IMG_HEAP_SIZE || x->wraps) {
		*ret = IMG_HEAP_SIZE - (size_t)((gva - IMG_HEAP) % IMG_HEAP_SIZE);
		return x->heap + (gva - IMG_HEAP) % IMG_HEAP_SIZE;
	}
	return NULL;
}

static size_t source_read(void *arg, uint64_t gva, void *ret, size_t len)
{
	struct kernel_image *x = arg;
	size_t n = 0;
	const uint8_t *p = find(x, gva, &n);

	x->reads++;
	n = n < len ? n : len;
	if (p)
		memcpy(ret, p, n);
	return p ? n : 0;
}

static size_t source_read_phys(void *arg, uint64_t gpa, void *ret, size_t len)
{
	struct kernel_image *x = arg;
	size_t n;

	if (gpa >= IMG_RAM)
		return 0;
	n = gpa - x->gpa < IMG_SIZE ? IMG_SIZE - (size_t)(gpa - x->gpa) : 0;
	n = n < len ? n : len;
	memset(ret, 0, len);
	if (x->loaded && n)
		memcpy(ret, x->image + (gpa - x->gpa), n);
	return len;
}

static bool source_symbol(void *arg, const char *name, uint64_t *ret)
{
	struct kernel_image *x = arg;

	for (size_t i = 0; i < x->nsymbols; i++)
		if (!strcmp(x->symbol[i].name, name)) {
			*ret = x->symbol[i].addr;
			return true;
		}
	return false;
}

static size_t source_linked(void *arg, uint64_t addr, void *ret, size_t len)
{
	struct kernel_image *x = arg;
	size_t n = addr - IMG_TEXT < IMG_SIZE ? IMG_SIZE - (size_t)(addr - IMG_TEXT) : 0;

	n = n < len ? n : len;
	if (n)
		memcpy(ret, x->file + (addr - IMG_TEXT), n);
	return n;
}

static int source_member(void *arg, const char *path, struct dwarf_member *ret, struct err *err)
{
	struct kernel_image *x = arg;

	for (size_t i = 0; i < x->nmembers; i++)
		if (!strcmp(x->member[i].path, path)) {
			*ret = x->member[i].m;
			return 0;
		}
	return err_set(err, ENOENT, "no %s", path);
}

static int source_size_of(void *arg, const char *type, uint64_t *ret, struct err *err)
{
	struct kernel_image *x = arg;

	for (size_t i = 0; i < x->ntypes; i++)
		if (!strcmp(x->type[i].type, type)) {
			*ret = x->type[i].size;
			return 0;
		}
	return err_set(err, ENOENT, "no %s", type);
}

static bool source_entry(void *arg, unsigned vector, uint64_t *ret)
{
	struct kernel_image *x = arg;

	for (size_t i = 0; i < x->nentries; i++)
		if (x->entry[i].vector == vector) {
			*ret = x->entry[i].at;
			return true;
		}
	return false;
}

static bool source_gs(void *arg, unsigned cpu, uint64_t ret[2])
{
	struct kernel_image *x = arg;

	if (cpu >= x->ncpus)
		return false;
	memcpy(ret, x->gs[cpu], sizeof(x->gs[cpu]));
	return true;
}

struct kernel_image *image_new(void)
{
	static struct kernel_image image;
	struct kernel_image *x = &image;

	memset(x, 0, sizeof(*x));
	x->mapped = true;
	image_symbol(x, "_text", IMG_TEXT);
	image_symbol(x, "_end", IMG_TEXT + IMG_SIZE);
	image_symbol(x, "linux_banner", IMG_TEXT + IMG_BANNER);
	memcpy(x->file + IMG_BANNER, BANNER_TEXT, sizeof(BANNER_TEXT));
	memcpy(x->image + IMG_BANNER, BANNER_TEXT, sizeof(BANNER_TEXT));
	return x;
}

struct kernel *image_kernel(struct kernel_image *x)
{
	const struct kernel_source s = {
		.arg = x,
		.read = source_read,
		.read_phys = source_read_phys,
		.phys_end = IMG_RAM,
		.symbol = source_symbol,
		.linked = source_linked,
		.member = source_member,
		.size_of = source_size_of,
		.entry = source_entry,
		.gs = source_gs,
	};
	struct kernel *k;

	if (kernel_new(&s, &k, NULL))
		abort();
	return k;
}

void image_symbol(struct kernel_image *x, const char *name, uint64_t addr)
{
	if (x->nsymbols == IMG_NAMES)
		abort();
	x->symbol[x->nsymbols].name = name;
	x->symbol[x->nsymbols++].addr = addr;
}

void image_forget_symbol(struct kernel_image *x, const char *name)
{
	for (size_t i = 0; i < x->nsymbols; i++)
		if (!strcmp(x->symbol[i].name, name))
			x->symbol[i].name = "";
}

void image_member(struct kernel_image *x, const char *path, uint64_t offset, uint64_t size)
{
	if (x->nmembers == IMG_NAMES)
		abort();
	x->member[x->nmembers].path = path;
	x->member[x->nmembers++].m = (struct dwarf_member){ .offset = offset, .size = size };
}

void image_forget_member(struct kernel_image *x, const char *path)
{
	for (size_t i = 0; i < x->nmembers; i++)
		if (!strcmp(x->member[i].path, path))
			x->member[i].path = "";
}

void image_type(struct kernel_image *x, const char *type, uint64_t size)
{
	x->type[x->ntypes].type = type;
	x->type[x->ntypes++].size = size;
}

void image_put(struct kernel_image *x, uint64_t gva, uint64_t value, unsigned size)
{
	size_t n = 0;
	uint8_t *p = find(x, gva, &n);

	if (!p || n < size)
		abort();
	memcpy(p, &value, size);
}

void image_text(struct kernel_image *x, uint64_t gva, const char *text)
{
	size_t n = 0;
	uint8_t *p = find(x, gva, &n);

	if (!p || n <= strlen(text))
		abort();
	strcpy((char *)p, text);
}

void image_pointer(struct kernel_image *x, uint64_t linked, uint64_t target)
{
	uint64_t moved = target + x->slide;

	memcpy(x->file + (linked - IMG_TEXT), &target, sizeof(target));
	memcpy(x->image + (linked - IMG_TEXT), &moved, sizeof(moved));
}
