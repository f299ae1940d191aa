/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the notes of an ELF kernel say of how to start it. */
#include "load/linux.h"

#include <string.h>

/* More than any kernel has, and little enough to read whatever a file says. */
#define SEGMENTS_MAX            16
#define NOTES_SIZE_MAX          (64 * KIB)

#define NOTE_XEN_PHYS32_ENTRY   18      /* Xen, public/elfnote.h: a 32-bit address, in 4 or 8 bytes */

static bool named(const Elf_Data *d, size_t at, const GElf_Nhdr *n, const char *name)
{
	size_t len = strlen(name) + 1;

	return n->n_namesz == len && !memcmp((const uint8_t *)d->d_buf + at, name, len);
}

static void read_notes(const struct elf_file *f, const GElf_Phdr *ph, struct linux_notes *ret)
{
	Elf_Data *d = elf_getdata_rawchunk(f->elf, (int64_t)ph->p_offset, ph->p_filesz,
					   ph->p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);
	size_t at = 0, name, desc;
	GElf_Nhdr n;

	while (d && (at = gelf_getnote(d, at, &n, &name, &desc)) > 0) {
		if (named(d, name, &n, "Linux"))
			ret->is_linux = true;
		if (named(d, name, &n, "Xen") && n.n_type == NOTE_XEN_PHYS32_ENTRY && n.n_descsz >= 4 &&
		    n.n_descsz <= sizeof(ret->pvh_entry)) {
			ret->pvh_entry = 0;
			memcpy(&ret->pvh_entry, (const uint8_t *)d->d_buf + desc, n.n_descsz);
			ret->has_pvh = true;
		}
	}
}

void linux_notes_read(const struct elf_file *f, struct linux_notes *ret)
{
	GElf_Phdr ph;
	int i, n = 0;

	*ret = (struct linux_notes){ 0 };
	for (i = 0; i < f->eh.e_phnum && n < SEGMENTS_MAX; i++) {
		if (!gelf_getphdr(f->elf, i, &ph) || ph.p_type != PT_NOTE || ph.p_filesz > NOTES_SIZE_MAX)
			continue;
		read_notes(f, &ph, ret);
		n++;
	}
}

bool linux_elf_probe(const struct blob *file)
{
	struct linux_notes notes;
	struct elf_file f;

	if (!elf_magic(file->data, file->size) || elf_file_open(file->data, file->size, &f, NULL))
		return false;
	linux_notes_read(&f, &notes);
	elf_file_done(&f);
	return notes.is_linux || notes.has_pvh;
}
