/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ELF kernels: PT_LOAD segments go to their physical addresses, and the start is in the mode that the class needs.
 *
 * A kernel linked high (virtual addresses other than physical ones) starts at the physical place of its entry
 * point: nothing but the identity mapping exists yet.
 */
#include "load/parts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

bool elf_magic(const uint8_t *data, size_t size)
{
	return size >= SELFMAG && !memcmp(data, ELFMAG, SELFMAG);
}

/* The two classes' headers in the wider type. */
#define WIDEN(to, from) do { \
	(to)->e_type = (from)->e_type; \
	(to)->e_machine = (from)->e_machine; \
	(to)->e_entry = (from)->e_entry; \
	(to)->e_phoff = (from)->e_phoff; \
	(to)->e_shoff = (from)->e_shoff; \
	(to)->e_phentsize = (from)->e_phentsize; \
	(to)->e_phnum = (from)->e_phnum; \
	(to)->e_shentsize = (from)->e_shentsize; \
	(to)->e_shnum = (from)->e_shnum; \
} while (0)

static int read_header(const uint8_t *data, size_t size, struct elf_file *f, struct err *err)
{
	Elf32_Ehdr h32;
	Elf64_Ehdr h64;

	if (!elf_magic(data, size))
		return err_set(err, ENOEXEC, "not an ELF file");
	if (size < EI_NIDENT)
		return err_set(err, ENOEXEC, "truncated: %zu bytes end inside the ELF header", size);
	if (data[EI_CLASS] != ELFCLASS32 && data[EI_CLASS] != ELFCLASS64)
		return err_set(err, ENOEXEC, "ELF class %u is neither 32-bit nor 64-bit", data[EI_CLASS]);
	if (data[EI_DATA] == ELFDATA2MSB)
		return err_set(err, ENOEXEC, "a big-endian ELF file; %s is little-endian", load_arch.name);
	if (data[EI_DATA] != ELFDATA2LSB)
		return err_set(err, ENOEXEC, "ELF byte order %u is unknown", data[EI_DATA]);
	if (data[EI_VERSION] != EV_CURRENT)
		return err_set(err, ENOEXEC, "ELF version %u is unknown", data[EI_VERSION]);
	f->bits = data[EI_CLASS] == ELFCLASS64 ? 64 : 32;
	if (size < (f->bits == 64 ? sizeof(h64) : sizeof(h32)))
		return err_set(err, ENOEXEC, "truncated: %zu bytes end inside the ELF header", size);
	if (f->bits == 64) {
		memcpy(&h64, data, sizeof(h64));
		WIDEN(&f->eh, &h64);
	} else {
		memcpy(&h32, data, sizeof(h32));
		WIDEN(&f->eh, &h32);
	}
	return 0;
}

/* A table of COUNT headers must have the size we know and lie inside the file. */
static int check_table(const char *what, uint64_t off, uint64_t count, uint64_t each, uint64_t known, size_t size,
		       struct err *err)
{
	if (!count)
		return 0;
	if (each != known)
		return err_set(err, ENOEXEC, "ELF %s headers of %" PRIu64 " bytes; they should have %" PRIu64,
			       what, each,
			       known);
	if (off > size || count * each > size - off)
		return err_set(err, ENOEXEC, "truncated: %" PRIu64 " ELF %s headers at offset 0x%" PRIx64
			       " end beyond the file's %zu bytes", count, what, off, size);
	return 0;
}

int elf_file_open(const uint8_t *data, size_t size, struct elf_file *ret, struct err *err)
{
	struct elf_file f = { 0 };
	bool wide;
	int rc;

	rc = read_header(data, size, &f, err);
	if (rc)
		return rc;
	wide = f.bits == 64;
	/*
	 * Counts of more than 16 bits stand in section 0.  No kernel needs them, and without them what libelf
	 * allocates stays small.
	 */
	if (f.eh.e_phnum == PN_XNUM || (!f.eh.e_shnum && f.eh.e_shoff))
		return err_set(err, ENOEXEC, "an ELF file with extended numbering, which is not supported");
	rc = check_table("program", f.eh.e_phoff, f.eh.e_phnum, f.eh.e_phentsize,
			 wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr), size, err);
	if (!rc)
		rc = check_table("section", f.eh.e_shoff, f.eh.e_shnum, f.eh.e_shentsize,
				 wide ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr), size, err);
	if (rc)
		return rc;
	elf_version(EV_CURRENT);
	/* libelf only reads what it is given this way, in spite of the type. */
	f.elf = elf_memory((char *)(uintptr_t)data, size);
	if (!f.elf)
		return err_set(err, ENOEXEC, "not a valid ELF file: %s", elf_errmsg(-1));
	*ret = f;
	return 0;
}

void elf_file_done(struct elf_file *f)
{
	elf_end(f->elf);
	f->elf = NULL;
}

static const struct {
	unsigned machine;
	const char *name;
} machines[] = {
	{ EM_386, "x86" }, { EM_X86_64, "x86-64" }, { EM_ARM, "ARM" }, { EM_AARCH64, "AArch64" },
	{ EM_RISCV, "RISC-V" }, { EM_PPC, "PowerPC" }, { EM_PPC64, "64-bit PowerPC" }, { EM_MIPS, "MIPS" },
	{ EM_S390, "S/390" }, { EM_SPARC, "SPARC" }, { EM_SPARCV9, "64-bit SPARC" }, { EM_68K, "m68k" },
	{ EM_IA_64, "Itanium" }, { EM_SH, "SuperH" }, { EM_BPF, "BPF" }, { EM_ALPHA, "Alpha" },
};

static int wrong_machine(const struct elf_file *f, struct err *err)
{
	size_t i;

	for (i = 0; i < sizeof(machines) / sizeof(machines[0]); i++)
		if (machines[i].machine == f->eh.e_machine)
			return err_set(err, ENOEXEC,
				       "a %u-bit ELF for %s; %s can run here",
				       f->bits, machines[i].name, load_arch.runs);
	return err_set(err, ENOEXEC, "an ELF for machine %u, not for %s", f->eh.e_machine, load_arch.name);
}

static int wrong_type(const struct elf_file *f, struct err *err)
{
	static const char *const types[] = {
		[ET_NONE] = "of no type",
		[ET_REL] = "a relocatable object: link it first",
		[ET_CORE] = "a core dump",
	};
	unsigned t = f->eh.e_type;

	if (t < sizeof(types) / sizeof(types[0]) && types[t])
		return err_set(err, ENOEXEC, "an ELF file, but %s", types[t]);
	return err_set(err, ENOEXEC, "an ELF file of type %u, which is no executable", t);
}

/* The next PT_LOAD that takes memory, from index *POS on; afterwards *POS is behind it. */
static bool next_segment(const struct elf_file *f, int *pos, GElf_Phdr *ret)
{
	while (*pos < f->eh.e_phnum)
		if (gelf_getphdr(f->elf, (*pos)++, ret) && ret->p_type == PT_LOAD && ret->p_memsz)
			return true;
	return false;
}

static int check_segment(const struct elf_file *f, int index, const GElf_Phdr *ph, size_t size, struct err *err)
{
	uint64_t end = f->bits == 64 ? UINT64_MAX : 4 * GIB;

	if (ph->p_filesz > ph->p_memsz)
		return err_set(err, ENOEXEC,
			       "segment %d has more bytes in the file (0x%" PRIx64 ") than in memory (0x%"
			       PRIx64 ")", index, ph->p_filesz, ph->p_memsz);
	if (ph->p_filesz && (ph->p_offset > size || ph->p_filesz > size - ph->p_offset))
		return err_set(err, ENOEXEC, "truncated: segment %d (offset 0x%" PRIx64 ", 0x%" PRIx64
			       " bytes) ends beyond the file's %zu bytes", index, ph->p_offset, ph->p_filesz,
			       size);
	if (ph->p_memsz > end - ph->p_paddr)
		return err_set(err, ENOEXEC, "segment %d (0x%" PRIx64 " bytes at 0x%" PRIx64
			       ") wraps past the end of the address space", index, ph->p_memsz, ph->p_paddr);
	return 0;
}

int elf_kernel_open(const struct blob *file, struct elf_file *ret, struct err *err)
{
	struct elf_file f;
	GElf_Phdr ph;
	unsigned machine;
	int rc, pos = 0, found = 0;

	rc = elf_file_open(file->data, file->size, &f, err);
	if (rc)
		return rc;
	machine = f.bits == 64 ? load_arch.machine64 : load_arch.machine32;
	if (machine == EM_NONE || f.eh.e_machine != machine)
		rc = wrong_machine(&f, err);
	else if (f.eh.e_type != ET_EXEC && f.eh.e_type != ET_DYN)
		rc = wrong_type(&f, err);
	while (!rc && next_segment(&f, &pos, &ph)) {
		rc = check_segment(&f, pos - 1, &ph, file->size, err);
		found++;
	}
	if (!rc && !found)
		rc = err_set(err, ENOEXEC, "an ELF file without a segment to load");
	if (rc) {
		elf_file_done(&f);
		return rc;
	}
	*ret = f;
	return 0;
}

void elf_kernel_span(const struct elf_file *f, struct elf_span *ret)
{
	struct elf_span s = { .start = UINT64_MAX };
	GElf_Phdr ph;
	int pos = 0;

	while (next_segment(f, &pos, &ph)) {
		if (s.start == UINT64_MAX)
			s.high = ph.p_vaddr - ph.p_paddr;
		if (ph.p_paddr < s.start)
			s.start = ph.p_paddr;
		if (ph.p_paddr + ph.p_memsz > s.end)
			s.end = ph.p_paddr + ph.p_memsz;
	}
	*ret = s;
}

int elf_kernel_place(const struct elf_file *f, uint64_t moved, uint64_t limit, struct layout *l, struct err *err)
{
	GElf_Phdr ph;
	char what[32];
	int rc, pos = 0;

	while (next_segment(f, &pos, &ph)) {
		uint64_t start = ph.p_paddr + moved;

		snprintf(what, sizeof(what), "segment %d", pos - 1);
		if (start > limit || ph.p_memsz > limit - start)
			return err_set(err, ENOSPC,
				       "%s (0x%" PRIx64 "-0x%" PRIx64 ") does not lie below 0x%" PRIx64, what,
				       start, start + ph.p_memsz - 1, limit);
		rc = layout_add(l, start, ph.p_memsz, what, err);
		if (rc)
			return rc;
	}
	/* Overlaps are no sense, and thousands of them would keep us busy for hours. */
	return layout_check(l, err);
}

int elf_kernel_entry(const struct elf_file *f, uint64_t *ret, struct err *err)
{
	GElf_Phdr ph;
	int pos = 0;

	while (next_segment(f, &pos, &ph)) {
		if (f->eh.e_entry < ph.p_vaddr || f->eh.e_entry - ph.p_vaddr >= ph.p_memsz)
			continue;
		*ret = ph.p_paddr + (f->eh.e_entry - ph.p_vaddr);
		return 0;
	}
	return err_set(err, ENOEXEC, "the entry point 0x%" PRIx64 " lies in no segment", f->eh.e_entry);
}

void elf_kernel_copy(const struct elf_file *f, const struct blob *file, uint64_t moved, struct gmem *g)
{
	GElf_Phdr ph;
	int pos = 0;

	while (next_segment(f, &pos, &ph)) {
		if (ph.p_filesz)
			gmem_write(g, ph.p_paddr + moved, file->data + ph.p_offset, ph.p_filesz);
		gmem_zero(g, ph.p_paddr + moved + ph.p_filesz, ph.p_memsz - ph.p_filesz);
	}
}

int elf_check(struct image *im, struct err *err)
{
	struct elf_file f;
	int rc;

	rc = elf_kernel_open(&im->file, &f, err);
	if (rc)
		return rc;
	im->bits = f.bits;
	im->kind_name = f.bits == 64 ? "elf64" : "elf32";
	elf_file_done(&f);
	return 0;
}

int elf_load(const struct image *im, const struct load_opts *opts, struct gmem *g, struct boot_state *ret,
	     struct err *err)
{
	uint64_t entry = opts->entry;
	struct elf_file f;
	struct layout l;
	int rc;

	rc = elf_kernel_open(&im->file, &f, err);
	if (rc)
		return rc;
	layout_init(&l, g);
	if (!opts->has_entry)
		rc = elf_kernel_entry(&f, &entry, err);
	if (!rc)
		rc = elf_kernel_place(&f, 0, UINT64_MAX, &l, err);
	if (!rc)
		rc = load_arch.boot_setup(load_arch.mode_of(f.bits), entry, &l, g, ret, err);
	if (!rc)
		elf_kernel_copy(&f, &im->file, 0, g);
	layout_done(&l);
	elf_file_done(&f);
	return rc;
}
