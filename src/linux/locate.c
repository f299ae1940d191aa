/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where a kernel runs. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "linux/kernel.h"
#include "linux/priv.h"

#define STEP   (2ull << 20)             /* what a kernel is moved by multiples of */
#define REACH  (1ull << 30)             /* less than so much */
#define BANNER "Linux version "
#define TARGETS 3

/* Pointers that a kernel is built with, and to what: they move with it. */
static const struct {
	const char *pointer, *target[TARGETS];
} witnesses[] = {
	/* The second one when other CPUs were started. */
	{ "initial_code", { "x86_64_start_kernel", "start_secondary" } },
	{ "sys_call_table", { "__x64_sys_read", "sys_read" } },
	{ "kallsyms_relative_base", { "_text" } },
};

#define NWITNESSES (sizeof(witnesses) / sizeof(witnesses[0]))

/* The same of what a vCPU has: names that an entry's code had in time. */
static const struct {
	unsigned vector;
	const char *name[TARGETS];
} entries[] = {
	{ KERNEL_SYSCALL, { "entry_SYSCALL_64", "system_call" } },
	{ 14, { "asm_exc_page_fault", "page_fault", "async_page_fault" } },
	{ 13, { "asm_exc_general_protection", "general_protection" } },
	{ 6, { "asm_exc_invalid_op", "invalid_op" } },
};

#define NENTRIES (sizeof(entries) / sizeof(entries[0]))

static bool symbol(struct kernel *k, const char *name, uint64_t *ret)
{
	return name && k->s.symbol(k->s.arg, name, ret);
}

/* The text in RET up to the line's end. */
static void cut(char *ret)
{
	ret[strcspn(ret, "\n")] = '\0';
	kernel_clean(ret);
}

static void read_file(struct kernel *k)
{
	size_t n = k->s.linked(k->s.arg, k->banner, k->file, sizeof(k->file) - 1);

	k->file[n < sizeof(k->file) ? n : 0] = '\0';
	cut(k->file);
	if (strncmp(k->file, BANNER, sizeof(BANNER) - 1))
		k->file[0] = '\0';
}

bool kernel_known(struct kernel *k)
{
	if (k->symbols == SYMBOLS_UNKNOWN) {
		k->symbols = SYMBOLS_NONE;
		if (symbol(k, "linux_banner", &k->banner) &&
		    (symbol(k, "_text", &k->text) || symbol(k, "_stext", &k->text)) &&
		    k->banner >> 63 && k->text >> 63 && k->text <= k->banner) {
			k->symbols = SYMBOLS_KERNEL;
			if (!symbol(k, "_end", &k->end) || k->end < k->text || k->end - k->text > REACH)
				k->end = k->text;
			read_file(k);
		}
	}
	return k->symbols == SYMBOLS_KERNEL;
}

/* The bytes at an address, which is physical or not, up to SIZE - 1. */
static size_t peek(struct kernel *k, bool phys, uint64_t at, void *ret, size_t size)
{
	return phys ? k->s.read_phys(k->s.arg, at, ret, size) : k->s.read(k->s.arg, at, ret, size);
}

/* A banner at AT, as far as it can be read: false: there is none. */
static bool read_banner(struct kernel *k, bool phys, uint64_t at, char ret[sizeof(k->info.banner)])
{
	const size_t size = sizeof(k->info.banner);
	size_t n;

	if (peek(k, phys, at, ret, sizeof(BANNER) - 1) != sizeof(BANNER) - 1 || memcmp(ret, BANNER, sizeof(BANNER) - 1))
		return false;
	n = peek(k, phys, at, ret, size - 1);
	ret[n < size ? n : size - 1] = '\0';
	cut(ret);
	return true;
}

/* Votes of pointers for a slide. */
struct votes {
	unsigned asked, agreed;
	uint64_t slide;         /* of the first that could be read */
};

/* Reads the witnesses of a kernel that SLIDE or, with PHYS, whose text's place GPA tells. */
static struct votes ask_witnesses(struct kernel *k, bool phys, uint64_t slide, uint64_t gpa)
{
	struct votes v = { 0 };
	uint64_t at, value, target;

	for (size_t i = 0; i < NWITNESSES; i++) {
		bool known = false, agrees = false;

		if (!symbol(k, witnesses[i].pointer, &at))
			continue;
		at = phys ? at - k->text + gpa : at + slide;
		if (peek(k, phys, at, &value, sizeof(value)) != sizeof(value))
			continue;
		for (unsigned n = 0; n < TARGETS; n++) {
			if (!symbol(k, witnesses[i].target[n], &target))
				continue;
			known = true;
			/* In physical memory the pointers tell the slide. */
			if (phys && !v.agreed && !((value - target) % STEP) && value - target < REACH)
				v.slide = slide = value - target;
			agrees |= value == target + slide;
		}
		v.asked += known;
		v.agreed += agrees;
	}
	return v;
}

/* How many of the places that a vCPU enters the kernel by go with SLIDE. */
static unsigned count_entries(struct kernel *k, uint64_t slide)
{
	uint64_t at, linked;
	unsigned n = 0;

	for (size_t i = 0; i < NENTRIES; i++)
		for (unsigned j = 0; j < TARGETS; j++)
			if (k->s.entry(k->s.arg, entries[i].vector, &at) && symbol(k, entries[i].name[j], &linked) &&
			    at - linked == slide) {
				n++;
				break;
			}
	return n;
}

static bool found(struct kernel *k, uint64_t slide, bool mapped, uint64_t gpa, const char *banner)
{
	k->info = (struct kernel_info){ .linked = k->text, .slide = slide, .mapped = mapped, .gpa = gpa };
	snprintf(k->info.banner, sizeof(k->info.banner), "%s", banner);
	k->located = true;
	return true;
}

/* Whether BANNER may be that of the symbols' kernel. */
static bool is_ours(const struct kernel *k, const char *banner)
{
	return !k->file[0] || !strcmp(banner, k->file);
}

/* OTHER gets the banner of another kernel. */
static bool try_slide(struct kernel *k, uint64_t slide, char other[sizeof(k->info.banner)])
{
	char banner[sizeof(k->info.banner)];
	struct votes v;
	uint8_t byte;

	if (!read_banner(k, false, k->banner + slide, banner)) {
		/* Not its banner, or, where user code runs with page tables of its own, not to be read. */
		if (k->s.read(k->s.arg, k->banner + slide, &byte, 1) || count_entries(k, slide) < 2)
			return false;
		return found(k, slide, true, 0, k->file);
	}
	if (!is_ours(k, banner)) {
		memcpy(other, banner, sizeof(banner));
		return false;
	}
	v = ask_witnesses(k, false, slide, 0);
	return (!v.asked || v.agreed) && found(k, slide, true, 0, banner);
}

static bool try_gpa(struct kernel *k, uint64_t gpa)
{
	char banner[sizeof(k->info.banner)];
	struct votes v;

	if (!read_banner(k, true, k->banner - k->text + gpa, banner) || !is_ours(k, banner))
		return false;
	v = ask_witnesses(k, true, 0, gpa);
	return v.agreed && found(k, v.slide, false, gpa, banner);
}

static bool search(struct kernel *k, uint64_t hint, char other[sizeof(k->info.banner)])
{
	uint64_t known = k->info.slide, at, linked;
	bool was = k->located && k->info.mapped;

	k->located = false;
	if ((was && try_slide(k, known, other)) || try_slide(k, hint, other))
		return true;
	for (size_t i = 0; i < NENTRIES; i++)
		for (unsigned j = 0; j < TARGETS; j++)
			if (k->s.entry(k->s.arg, entries[i].vector, &at) && symbol(k, entries[i].name[j], &linked) &&
			    !((at - linked) % STEP) && try_slide(k, at - linked, other))
				return true;
	for (uint64_t slide = 0; slide < REACH; slide += STEP)
		if (try_slide(k, slide, other))
			return true;
	for (uint64_t gpa = 0; gpa < k->s.phys_end; gpa += STEP)
		if (try_gpa(k, gpa))
			return true;
	return false;
}

int kernel_locate(struct kernel *k, uint64_t hint, struct err *err)
{
	char other[sizeof(k->info.banner)] = "";

	if (!kernel_known(k))
		return err_set(err, ENOENT, "there are no symbols of a Linux kernel (--symbols=vmlinux gives them)");
	if (search(k, hint, other))
		return 0;
	if (other[0])
		return err_set(err, ENOEXEC, "the guest runs another kernel than the symbols are of: %s", other);
	return err_set(err, EAGAIN, "the kernel does not run yet, or is not the one that the symbols are of");
}

int kernel_unpacked(struct kernel *k, uint64_t gpa, uint64_t *ret_slide, struct err *err)
{
	char banner[sizeof(k->info.banner)];
	uint64_t first, text;
	struct votes v;

	if (!kernel_known(k))
		return err_set(err, ENOENT, "there are no symbols of a Linux kernel (--symbols=vmlinux gives them)");
	text = symbol(k, "startup_64", &first) ? gpa - (first - k->text) : gpa;
	if (!read_banner(k, true, k->banner - k->text + text, banner) || !is_ours(k, banner))
		return err_set(err, ENOENT, "this kernel is another than the symbols are of");
	v = ask_witnesses(k, true, 0, text);
	if (!v.agreed)
		return err_set(err, ENOENT, "the symbols have nothing that tells how far the kernel is moved");
	*ret_slide = v.slide;
	return 0;
}

const struct kernel_info *kernel_place(const struct kernel *k)
{
	return k->located ? &k->info : NULL;
}
