/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuzz/loader.h"

#include <string.h>
#include <sys/mman.h>

#define GUARD   (1u << 20)      /* bytes before and behind RAM that must not be touched */

static uint8_t *ram;
static struct gmem *g;

static void init(void)
{
	struct gmem_region r = { .size = LOADER_RAM };

	if (g)
		return;
	ram = mmap(NULL, LOADER_RAM + 2 * GUARD, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ck_assert_ptr_ne(ram, MAP_FAILED);
	ram += GUARD;
	ck_assert_int_eq(mprotect(ram, LOADER_RAM, PROT_READ | PROT_WRITE), 0);
	ck_assert_int_eq(gmem_new(&g, NULL), 0);
	r.hva = ram;
	ck_assert_int_eq(gmem_add(g, &r, NULL), 0);
}

static void choose(unsigned how, unsigned more, struct load_opts *o, const struct blob *mod)
{
	static const unsigned entries[] = { 16, 32, 64, 0x100000 };

	if (how & LOADER_APPEND)
		o->append = "console=ttyS0 nokaslr a=b";
	if (how & LOADER_MODULES) {
		o->modules = mod;
		o->nmodules = 1 + (more & 1);
	}
	if (how & LOADER_TABLES)
		o->table_cpus = 2;
	if (how & LOADER_ENTRY) {
		o->has_entry = true;
		o->entry_pvh = more & 2;
		o->entry = o->entry_pvh ? 0 : entries[more >> 2 & 3];
	}
	o->decompress = how & LOADER_UNPACK;
	if (how & LOADER_KASLR)
		o->kaslr = more & 16 ? KASLR_ON : KASLR_OFF;
	if (how & LOADER_SLIDE) {
		o->kaslr = KASLR_SLIDE;
		o->slide = (uint64_t)(more >> 5) << 21;
	}
	o->seed = more;
}

static int load_once(const struct image *im, const struct load_opts *o, struct boot_state *st)
{
	struct err err = { 0 };
	int rc;

	/* Reads as zero again. */
	ck_assert_int_eq(madvise(ram, LOADER_RAM, MADV_DONTNEED), 0);
	rc = image_load(im, o, g, st, &err);
	check_answer(rc, &err);
	if (rc)
		ck_assert_msg(!strncmp(err.msg, "kernel: ", 8), "no path: %s", err.msg);
	else
		ck_assert_ptr_nonnull(gmem_find(g, st->cs.base + st->rip));
	return rc;
}

static bool same_segment(const struct boot_seg *a, const struct boot_seg *b)
{
	return a->selector == b->selector && a->base == b->base && a->limit == b->limit && a->access == b->access;
}

/* Member by member: what is between them may be anything. */
static void check_same(const struct boot_state *a, const struct boot_state *b)
{
	ck_assert(a->mode == b->mode && a->slide == b->slide);
	ck_assert_mem_eq(&a->rax, &b->rax, offsetof(struct boot_state, cs) - offsetof(struct boot_state, rax));
	ck_assert(same_segment(&a->cs, &b->cs) && same_segment(&a->ds, &b->ds) && same_segment(&a->es, &b->es) &&
		  same_segment(&a->fs, &b->fs) && same_segment(&a->gs, &b->gs) && same_segment(&a->ss, &b->ss) &&
		  same_segment(&a->tr, &b->tr) && same_segment(&a->ldt, &b->ldt));
	ck_assert(a->gdt_base == b->gdt_base && a->idt_base == b->idt_base && a->gdt_limit == b->gdt_limit &&
		  a->idt_limit == b->idt_limit);
}

void loader_run(struct bytes *in, enum image_kind kind)
{
	static const uint8_t modules[2][100] = { "070701", "070701" };
	unsigned how = (unsigned)take(in, 1), more = (unsigned)take(in, 1);
	struct blob file, mod[2] = { { .path = (char *)"mod", .args = (char *)"x=1", .data = (uint8_t *)modules[0], .size = 100 },
				     { .path = (char *)"two", .data = (uint8_t *)modules[1], .size = 100 } };
	struct boot_state st = { 0 }, again = { 0 };
	struct load_opts o = { 0 };
	struct err err = { 0 };
	struct image im;
	struct blob unpacked = { 0 };
	int rc;

	if (!in->len)
		return;
	init();
	choose(how, more, &o, mod);
	ck_assert_int_eq(blob_copy("kernel", in->p, in->len, &file, NULL), 0);
	rc = image_init(&im, &file, how & LOADER_AUTO ? IMAGE_AUTO : kind, &err);
	check_answer(rc, &err);
	blob_done(&file);
	if (rc) {
		ck_assert_msg(!strncmp(err.msg, "kernel: ", 8), "no path: %s", err.msg);
		return;
	}
	rc = load_once(&im, &o, &st);
	ck_assert_int_eq(load_once(&im, &o, &again), rc);
	if (!rc)
		check_same(&st, &again);
	if (how & LOADER_UNPACK) {
		err = (struct err){ 0 };
		rc = image_unpack(&im, &unpacked, &err);
		check_answer(rc, &err);
		if (!rc)
			blob_done(&unpacked);
	}
	image_done(&im);
}
