/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Moving an ELF kernel.  What has to change is listed in one of two ways:
 *
 * Behind the ELF in a bzImage, for its decompressor (arch/x86/boot/compressed/misc.c, handle_relocations): words of
 * 32 bits, each the lower half of a linked virtual address, in up to three lists, each with a zero before it.  The last
 * has places of 32-bit addresses; before it 64-bit kernels have those of 32-bit values that shrink by the slide (not
 * since Linux 6.15), and before that those of 64-bit addresses.
 *
 * In the ELF, when linked with --emit-relocs: arch/x86/tools/relocs.c makes these lists of them.  What is relative to
 * the instruction needs nothing, unless it refers to the per-CPU section: that is linked at address 0 up to Linux 6.14,
 * stays there, and is reached from code that moves.  What refers to it by its own address stays as it is.  Absolute
 * symbols are numbers, but for those that linkers made of labels, which lie in the kernel.
 */
#include "load/linux.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define WORD            sizeof(uint32_t)

struct job {
	const struct elf_file *f;
	const struct blob *file;
	const struct layout *l;
	struct gmem *g;
	struct linux_move move;
	struct elf_span span;           /* as linked */
	uint64_t left;                  /* relocations that may come yet: more there is no room for */
	/* The per-CPU section that is linked at 0: its index (0: there is none), and where it is. */
	size_t percpu;
	uint64_t percpu_gpa;
};

enum patch { PATCH_64, PATCH_32, PATCH_SHRINK };

/* The place is at GPA in a kernel that has not moved, and called PLACE. */
static int patch(struct job *j, enum patch how, uint64_t gpa, uint64_t place, struct err *err)
{
	size_t size = how == PATCH_64 ? 8 : 4;
	uint64_t v = 0;

	if (!j->left--)
		return err_set(err, ENOEXEC, "--kaslr: the kernel has more relocations than there is room for");
	gpa += j->move.physical;
	if (!layout_holds(j->l, gpa, size))
		return err_set(err, ENOEXEC, "--kaslr: a relocation at 0x%" PRIx64 " lies outside the kernel", place);
	gmem_read(j->g, gpa, &v, size);
	v += how == PATCH_SHRINK ? 0 - j->move.virtual : j->move.virtual;
	gmem_write(j->g, gpa, &v, size);
	return 0;
}

static int patch_linked(struct job *j, enum patch how, uint64_t gva, struct err *err)
{
	return patch(j, how, gva - j->span.high, gva, err);
}

/* ---- The lists behind the ELF ---- */

static uint64_t later(uint64_t end, uint64_t offset, uint64_t size)
{
	return size > UINT64_MAX - offset ? UINT64_MAX : offset + size > end ? offset + size : end;
}

/* Where the ELF ends in its file, or beyond the file. */
static uint64_t file_end(const struct elf_file *f)
{
	uint64_t end = later(0, f->eh.e_phoff, (uint64_t)f->eh.e_phnum * f->eh.e_phentsize);
	Elf_Scn *scn = NULL;
	GElf_Phdr ph;
	GElf_Shdr sh;
	int i;

	end = later(end, f->eh.e_shoff, (uint64_t)f->eh.e_shnum * f->eh.e_shentsize);
	for (i = 0; i < f->eh.e_phnum; i++)
		if (gelf_getphdr(f->elf, i, &ph))
			end = later(end, ph.p_offset, ph.p_filesz);
	while ((scn = elf_nextscn(f->elf, scn)))
		if (gelf_getshdr(scn, &sh) && sh.sh_type != SHT_NOBITS)
			end = later(end, sh.sh_offset, sh.sh_size);
	return end;
}

static uint32_t list_word(const struct blob *file, size_t words, size_t i)
{
	uint32_t v;

	memcpy(&v, file->data + file->size - (words - i) * WORD, WORD);
	return v;
}

/* The last WORDS words of the file; they begin with a zero. */
static int patch_lists(struct job *j, size_t words, struct err *err)
{
	static const enum patch kinds[][3] = {
		{ PATCH_32 }, { PATCH_64, PATCH_32 }, { PATCH_64, PATCH_SHRINK, PATCH_32 },
	};
	const size_t least = j->f->bits == 64 ? 2 : 1, most = j->f->bits == 64 ? 3 : 1;
	size_t lists = 0, n = 0, i;
	uint32_t v;
	int rc = 0;

	for (i = 0; i < words; i++)
		lists += !list_word(j->file, words, i);
	if (list_word(j->file, words, 0) || lists < least || lists > most)
		return err_set(err, ENOEXEC, "--kaslr: what follows the kernel's ELF is no list of relocations");
	for (i = 0; i < words && !rc; i++) {
		v = list_word(j->file, words, i);
		if (!v)
			n++;
		else
			rc = patch_linked(j, kinds[lists - 1][n - 1],
					  j->f->bits == 64 ? (uint64_t)(int64_t)(int32_t)v : v, err);
	}
	return rc;
}

/* ---- The ELF's own ---- */

static const void *file_at(const struct job *j, const GElf_Shdr *sh, uint64_t at, uint64_t size)
{
	const struct blob *file = j->file;

	if (sh->sh_type == SHT_NOBITS || sh->sh_offset > file->size || sh->sh_size > file->size - sh->sh_offset ||
	    at > sh->sh_size || size > sh->sh_size - at)
		return NULL;
	return file->data + sh->sh_offset + at;
}

/* The name in the string table at index LINK is TEXT, or begins with it. */
static bool is_named(const struct job *j, size_t link, uint64_t name, const char *text, bool whole)
{
	Elf_Scn *scn = elf_getscn(j->f->elf, link);
	size_t len = strlen(text) + whole;
	const char *have;
	GElf_Shdr sh;

	have = scn && gelf_getshdr(scn, &sh) ? file_at(j, &sh, name, len) : NULL;
	return have && !memcmp(have, text, len);
}

static void find_percpu(struct job *j)
{
	Elf_Scn *scn = NULL;
	GElf_Phdr ph;
	GElf_Shdr sh;
	size_t names;
	int i;

	if (elf_getshdrstrndx(j->f->elf, &names))
		return;
	while ((scn = elf_nextscn(j->f->elf, scn)))
		if (gelf_getshdr(scn, &sh) && !sh.sh_addr && (sh.sh_flags & SHF_ALLOC) &&
		    is_named(j, names, sh.sh_name, ".data..percpu", true))
			break;
	for (i = 0; scn && i < j->f->eh.e_phnum; i++)
		if (gelf_getphdr(j->f->elf, i, &ph) && ph.p_type == PT_LOAD && !ph.p_vaddr) {
			j->percpu = elf_ndxscn(scn);
			j->percpu_gpa = ph.p_paddr;
			return;
		}
}

/* In the per-CPU section, but for what stands there for an address outside. */
static bool is_percpu(const struct job *j, const GElf_Shdr *symbols, const Elf64_Sym *s)
{
	static const struct { const char *text; bool whole; } outside[] = {
		{ "__init_begin", true }, { "__per_cpu_load", true }, { "init_per_cpu_", false },
	};
	size_t i;

	if (!j->percpu || s->st_shndx != j->percpu)
		return false;
	for (i = 0; i < sizeof(outside) / sizeof(outside[0]); i++)
		if (is_named(j, symbols->sh_link, s->st_name, outside[i].text, outside[i].whole))
			return false;
	return true;
}

static bool moves(const struct job *j, const Elf64_Sym *s)
{
	return s->st_shndx != SHN_ABS || (s->st_value >= j->span.start + j->span.high &&
					  s->st_value <= j->span.end + j->span.high);
}

static int patch_rela(struct job *j, const Elf64_Rela *r, const Elf64_Sym *s, bool in_percpu, bool of_percpu,
		      struct err *err)
{
	uint64_t gpa = in_percpu ? j->percpu_gpa + r->r_offset : r->r_offset - j->span.high;
	unsigned type = (unsigned)ELF64_R_TYPE(r->r_info);

	switch (type) {
	case R_X86_64_NONE:
		return 0;
	case R_X86_64_PC32:
	case R_X86_64_PLT32:
		return of_percpu ? patch(j, PATCH_SHRINK, gpa, r->r_offset, err) : 0;
	case R_X86_64_PC64:
		if (!of_percpu)
			return 0;
		break;
	case R_X86_64_32:
	case R_X86_64_32S:
	case R_X86_64_64:
		if (of_percpu || !moves(j, s))
			return 0;
		return patch(j, type == R_X86_64_64 ? PATCH_64 : PATCH_32, gpa, r->r_offset, err);
	}
	return err_set(err, ENOEXEC, "--kaslr: the relocation at 0x%" PRIx64 " is of type %u, which kernels do not have there",
		       r->r_offset, type);
}

/* One section of them; *RET_ANY is set when it belongs to what is loaded. */
static int patch_section(struct job *j, const GElf_Shdr *sh, bool *ret_any, struct err *err)
{
	GElf_Shdr symbols, target;
	uint64_t at;
	int rc = 0;

	if (!gelf_getshdr(elf_getscn(j->f->elf, sh->sh_info), &target) || !(target.sh_flags & SHF_ALLOC) ||
	    target.sh_type == SHT_NOTE)
		return 0;
	if (!gelf_getshdr(elf_getscn(j->f->elf, sh->sh_link), &symbols) || symbols.sh_type != SHT_SYMTAB ||
	    !file_at(j, sh, 0, sh->sh_size))
		return err_set(err, ENOEXEC, "--kaslr: the ELF's relocations or their symbols do not lie in the file");
	*ret_any = true;
	for (at = 0; sh->sh_size - at >= sizeof(Elf64_Rela) && !rc; at += sizeof(Elf64_Rela)) {
		const void *sym_at;
		Elf64_Rela r;
		Elf64_Sym s;

		memcpy(&r, file_at(j, sh, at, sizeof(r)), sizeof(r));
		sym_at = file_at(j, &symbols, ELF64_R_SYM(r.r_info) * sizeof(s), sizeof(s));
		if (!sym_at)
			return err_set(err, ENOEXEC, "--kaslr: the relocation at 0x%" PRIx64 " names no symbol", r.r_offset);
		memcpy(&s, sym_at, sizeof(s));
		/* Weak, and nowhere defined. */
		if (s.st_shndx == SHN_UNDEF)
			continue;
		rc = patch_rela(j, &r, &s, j->percpu && sh->sh_info == j->percpu, is_percpu(j, &symbols, &s), err);
	}
	return rc;
}

static int patch_elf(struct job *j, bool *ret_any, struct err *err)
{
	uint64_t room = j->file->size;
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;
	int rc = 0;

	find_percpu(j);
	while ((scn = elf_nextscn(j->f->elf, scn)) && !rc) {
		if (!gelf_getshdr(scn, &sh) || sh.sh_type != SHT_RELA)
			continue;
		/* They do not share bytes, and if they pretend to, they shall not keep us busy. */
		if (sh.sh_size > room)
			return err_set(err, ENOEXEC, "--kaslr: the ELF's relocations have more bytes than the file");
		room -= sh.sh_size;
		rc = patch_section(j, &sh, ret_any, err);
	}
	return rc;
}

int linux_relocate(const struct elf_file *f, const struct blob *file, const struct linux_move *move,
		   const struct layout *l, struct gmem *g, struct err *err)
{
	struct job j = { .f = f, .file = file, .l = l, .g = g, .move = *move };
	bool any = false;
	uint64_t end;
	int rc = 0;

	elf_kernel_span(f, &j.span);
	/* No two of them can be at one place. */
	j.left = (j.span.end - j.span.start) / WORD;
	if (f->bits == 64)
		rc = patch_elf(&j, &any, err);
	if (rc || any)
		return rc;
	end = file_end(f);
	if (end <= file->size && file->size - end >= WORD)
		return patch_lists(&j, (file->size - end) / WORD, err);
	return err_set(err, ENOEXEC, "--kaslr: the kernel brings no relocations (CONFIG_RELOCATABLE, CONFIG_RANDOMIZE_BASE), "
		       "or was stripped of them");
}
