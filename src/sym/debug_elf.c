/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * libdw would unpack compressed sections by itself, but changes section headers in the caller's memory then, and
 * knows no zstd before version 0.189.  So what is compressed is unpacked to the end of a copy, whose headers say so.
 */
#include "sym/debug_elf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "load/decompress.h"

#define COMPRESS_ZSTD   2               /* ELFCOMPRESS_ZSTD */
#define UNPACKED_MAX    (4ull << 30)    /* bytes of all sections together */
#define ZLIB_RATIO_MAX  1100            /* zlib makes no more of a byte */

struct unpacked {
	size_t header;          /* where the section's header is in the file */
	uint8_t *data;          /* owned */
	size_t size;
};

static const char *section_name(const struct elf_file *f, const GElf_Shdr *sh)
{
	const char *name;
	size_t strings;

	if (elf_getshdrstrndx(f->elf, &strings))
		return "";
	name = elf_strptr(f->elf, strings, sh->sh_name);
	return name ? name : "";
}

bool debug_elf_has_dwarf(const struct elf_file *f)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;

	while ((scn = elf_nextscn(f->elf, scn)))
		if (gelf_getshdr(scn, &sh) && sh.sh_type != SHT_NOBITS && sh.sh_size &&
		    !strcmp(section_name(f, &sh), ".debug_info"))
			return true;
	return false;
}

/* Also those of the old kind, which nothing here reads, and libdw would write to. */
static bool is_compressed(const struct elf_file *f, const GElf_Shdr *sh)
{
	return (sh->sh_flags & SHF_COMPRESSED) || !strncmp(section_name(f, sh), ".zdebug", 7);
}

static bool read_chdr(const struct elf_file *f, const uint8_t *data, size_t size, uint32_t *ret_type,
		      uint64_t *ret_want, size_t *ret_header)
{
	Elf32_Chdr c32;
	Elf64_Chdr c64;

	if (size < (f->bits == 64 ? sizeof(c64) : sizeof(c32)))
		return false;
	if (f->bits == 64) {
		memcpy(&c64, data, sizeof(c64));
		*ret_type = c64.ch_type;
		*ret_want = c64.ch_size;
		*ret_header = sizeof(c64);
	} else {
		memcpy(&c32, data, sizeof(c32));
		*ret_type = c32.ch_type;
		*ret_want = c32.ch_size;
		*ret_header = sizeof(c32);
	}
	return true;
}

static uint8_t *unzlib(const uint8_t *data, size_t size, size_t want)
{
	uLongf got = want;
	uint8_t *out;

	if (want / ZLIB_RATIO_MAX > size)
		return NULL;
	out = malloc(want);
	if (out && (uncompress(out, &got, data, size) != Z_OK || got != want)) {
		free(out);
		return NULL;
	}
	return out;
}

/* Fills *RET with the section's content, or with none. */
static void unpack(const struct elf_file *f, const uint8_t *data, size_t size, uint64_t room, struct unpacked *ret)
{
	size_t header;
	uint64_t want;
	uint32_t type;

	if (!read_chdr(f, data, size, &type, &want, &header) || !want || want > room)
		return;
	data += header;
	size -= header;
	if (type == ELFCOMPRESS_ZLIB)
		ret->data = unzlib(data, size, (size_t)want);
	else if (type == COMPRESS_ZSTD && decompress(data, size, (size_t)want, &ret->data, NULL))
		ret->data = NULL;
	if (ret->data)
		ret->size = (size_t)want;
}

/* The section header at AT of COPY now speaks of SIZE plain bytes at OFFSET. */
static void set_header(const struct elf_file *f, uint8_t *copy, size_t at, uint64_t offset, uint64_t size)
{
	Elf32_Shdr s32;
	Elf64_Shdr s64;

	if (f->bits == 64) {
		memcpy(&s64, copy + at, sizeof(s64));
		s64.sh_flags &= ~(Elf64_Xword)SHF_COMPRESSED;
		s64.sh_offset = offset;
		s64.sh_size = size;
		s64.sh_addralign = 1;
		memcpy(copy + at, &s64, sizeof(s64));
	} else {
		memcpy(&s32, copy + at, sizeof(s32));
		s32.sh_flags &= ~(Elf32_Word)SHF_COMPRESSED;
		s32.sh_offset = (Elf32_Off)offset;
		s32.sh_size = (Elf32_Word)size;
		s32.sh_addralign = 1;
		memcpy(copy + at, &s32, sizeof(s32));
	}
}

/* Unpacks F's sections into LIST, which has room for all; returns how many. */
static size_t unpack_all(const struct elf_file *f, const uint8_t *data, size_t size, struct unpacked *list)
{
	uint64_t room = f->bits == 64 ? UNPACKED_MAX : UINT32_MAX - size;
	size_t n = 0, i = 0;
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;

	while ((scn = elf_nextscn(f->elf, scn)) && ++i < f->eh.e_shnum) {
		if (!gelf_getshdr(scn, &sh) || !is_compressed(f, &sh))
			continue;
		list[n] = (struct unpacked){ .header = f->eh.e_shoff + i * f->eh.e_shentsize };
		if ((sh.sh_flags & SHF_COMPRESSED) && sh.sh_type != SHT_NOBITS && sh.sh_offset < size &&
		    sh.sh_size <= size - sh.sh_offset)
			unpack(f, data + sh.sh_offset, sh.sh_size, room, &list[n]);
		room -= list[n].size;
		n++;
	}
	return n;
}

/* The file in DATA with the N sections in LIST, which are freed, at its end. */
static uint8_t *put_together(const struct elf_file *f, const uint8_t *data, size_t size, struct unpacked *list,
			     size_t n, size_t *ret_size)
{
	size_t total = size, at = size;
	uint8_t *copy;

	for (size_t i = 0; i < n; i++)
		total += list[i].size;
	copy = malloc(total);
	if (copy)
		memcpy(copy, data, size);
	for (size_t i = 0; i < n; i++) {
		if (copy) {
			memcpy(copy + at, list[i].data ? list[i].data : copy, list[i].size);
			set_header(f, copy, list[i].header, at, list[i].size);
		}
		at += list[i].size;
		free(list[i].data);
	}
	*ret_size = total;
	return copy;
}

static bool any_compressed(const struct elf_file *f)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;

	while ((scn = elf_nextscn(f->elf, scn)))
		if (gelf_getshdr(scn, &sh) && is_compressed(f, &sh))
			return true;
	return false;
}

int debug_elf_open(const uint8_t *data, size_t size, struct debug_elf *ret, struct err *err)
{
	struct debug_elf d = { 0 };
	struct unpacked *list;
	int r = elf_file_open(data, size, &d.f, err);
	size_t n, total = 0;

	if (r)
		return r;
	if (any_compressed(&d.f)) {
		list = calloc(d.f.eh.e_shnum, sizeof(*list));
		n = list ? unpack_all(&d.f, data, size, list) : 0;
		d.copy = list ? put_together(&d.f, data, size, list, n, &total) : NULL;
		free(list);
		elf_file_done(&d.f);
		r = d.copy ? elf_file_open(d.copy, total, &d.f, err) :
			     err_errno(err, ENOMEM, "unpacking debug sections");
		if (r) {
			free(d.copy);
			return r;
		}
	}
	*ret = d;
	return 0;
}

void debug_elf_done(struct debug_elf *d)
{
	elf_file_done(&d->f);
	free(d->copy);
	*d = (struct debug_elf){ 0 };
}
