/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/load_env.h"

#include <stdlib.h>
#include <string.h>

uint8_t ram[RAM_SIZE], file[65536];
struct gmem *g;
struct err load_err;

void add_region(uint64_t gpa, uint64_t size, uint8_t *hva, bool readonly)
{
	struct gmem_region r = { .gpa = gpa, .size = size, .hva = hva, .readonly = readonly };

	ck_assert_int_eq(gmem_add(g, &r, NULL), 0);
}

void setup(void)
{
	memset(ram, 0, sizeof(ram));
	memset(&load_err, 0, sizeof(load_err));
	ck_assert_int_eq(gmem_new(&g, NULL), 0);
	add_region(0, RAM_SIZE, ram, false);
}

void teardown(void)
{
	gmem_free(g);
}

uint32_t ram32(uint64_t gpa)
{
	uint32_t v;

	ck_assert_uint_le(gpa, RAM_SIZE - sizeof(v));
	memcpy(&v, ram + gpa, sizeof(v));
	return v;
}

uint64_t ram64(uint64_t gpa)
{
	return ram32(gpa) | (uint64_t)ram32(gpa + 4) << 32;
}

int init(struct image *im, const void *data, size_t size, enum image_kind kind)
{
	struct blob b;
	int rc;

	ck_assert_int_eq(blob_copy("kernel", data, size, &b, NULL), 0);
	rc = image_init(im, &b, kind, &load_err);
	ck_assert((b.data == NULL) == (rc == 0));
	blob_done(&b);
	return rc;
}

int load(const void *data, size_t size, enum image_kind kind, const struct load_opts *opts,
	 struct boot_state *ret)
{
	static const struct load_opts none;
	struct image im;
	int rc;

	memset(&load_err, 0, sizeof(load_err));
	rc = init(&im, data, size, kind);
	if (rc)
		return rc;
	rc = image_load(&im, opts ? opts : &none, g, ret, &load_err);
	image_done(&im);
	return rc;
}

void expect_error(int rc, int code, const char *says)
{
	ck_assert_msg(rc == -code, "%d instead of -%d, %s", rc, code, load_err.msg);
	ck_assert_int_eq(load_err.code, code);
	ck_assert_msg(strstr(load_err.msg, says) != NULL, "%s: not in: %s", says, load_err.msg);
	ck_assert_msg(!strncmp(load_err.msg, "kernel: ", 8), "no path: %s", load_err.msg);
}

void check_block(const struct boot_state *st, uint64_t size)
{
	uint64_t word = st->mode == BOOT_LONG ? 8 : 4, start = st->gdt_base - 0x4000, gpa;

	ck_assert_uint_eq(start & 0xfff, 0);
	ck_assert_uint_ge(start, 0x1000);
	ck_assert_uint_le(start + size, 0x9f000);
	ck_assert_uint_eq(st->rsp, st->gdt_base - word);
	for (gpa = start; gpa < st->gdt_base; gpa += 8)
		ck_assert(!ram64(gpa));
	ck_assert_uint_eq(st->gdt_limit, 23);
	ck_assert_uint_eq(st->cs.selector, 8);
	ck_assert_uint_eq(st->ss.selector, 16);
	ck_assert_uint_eq(st->ds.selector, 16);
	ck_assert_uint_eq(st->ds.limit, 0xffffffff);
	ck_assert_uint_eq(ram64(st->gdt_base), 0);
	ck_assert_uint_eq(ram64(st->gdt_base + 16), 0x00cf93000000ffff);
	ck_assert_uint_eq(st->ds.access, 0xc093);
	ck_assert_uint_eq(st->idt_limit, 0);
	ck_assert_uint_eq(st->rflags, 2);
}

void survive(size_t size)
{
	static const enum image_kind tried[] = { IMAGE_AUTO, IMAGE_ELF, IMAGE_MULTIBOOT };
	struct blob mod = { .path = (char *)"mod", .data = file, .size = 100 };
	struct load_opts o = { 0 }, with = { .append = "a b", .modules = &mod, .nmodules = 1 };
	struct boot_state st;
	size_t i;

	for (i = 0; i < 3; i++) {
		int rc = load(file, size, tried[i], tried[i] == IMAGE_MULTIBOOT ? &with : &o, &st);

		if (rc)
			ck_assert_msg(load_err.code == -rc && load_err.msg[0], "%d without a message", rc);
		else
			ck_assert_ptr_nonnull(gmem_find(g, st.cs.base + st.rip));
	}
}

void survive_damage(size_t size, unsigned seed)
{
	static uint8_t clean[sizeof(file)];
	size_t round, k;

	memcpy(clean, file, size);
	srand(seed);
	for (round = 0; round < 1500; round++) {
		memcpy(file, clean, size);
		for (k = (unsigned)rand() % 4 + 1; k; k--) {
			/* Headers are where it hurts. */
			size_t at = (unsigned)rand() % (rand() % 2 && size > 0xb0 ? 0xb0 : size);

			file[at] = rand() % 2 ? (uint8_t)rand() : rand() % 2 ? 0xff : 0;
		}
		survive(size);
	}
}
