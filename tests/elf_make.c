/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/elf_make.h"

#include <elf.h>
#include <string.h>

#include "tests/unit.h"

static uint8_t *at(uint8_t *buf, size_t cap, size_t off, size_t len)
{
	ck_assert_uint_le(off + len, cap);
	memset(buf + off, 0, len);
	return buf + off;
}

/* The two classes differ in the width and order of fields only. */
#define DEFINE_MAKE(N, default_machine) \
static size_t make_##N(const struct elf_make *m, uint8_t *buf, size_t cap) \
{ \
	static const char names[] = "\0.text\0.data\0.symtab\0.strtab"; \
	Elf##N##_Ehdr eh = { \
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS##N, ELFDATA2LSB, EV_CURRENT }, \
		.e_type = m->type ? m->type : ET_EXEC, .e_machine = m->machine ? m->machine : default_machine, \
		.e_version = EV_CURRENT, .e_entry = m->entry, .e_phoff = m->nseg ? sizeof(eh) : 0, \
		.e_ehsize = sizeof(eh), .e_phentsize = m->nseg ? sizeof(Elf##N##_Phdr) : 0, .e_phnum = m->nseg, \
	}; \
	size_t off = sizeof(eh) + m->nseg * sizeof(Elf##N##_Phdr), i, str; \
	\
	at(buf, cap, 0, off); \
	for (i = 0; i < m->nseg; i++) { \
		const struct elf_seg *s = &m->seg[i]; \
		Elf##N##_Phdr ph = { \
			.p_type = s->type ? s->type : PT_LOAD, .p_offset = off, .p_vaddr = s->vaddr, \
			.p_paddr = s->paddr, .p_filesz = s->size, .p_memsz = s->memsz ? s->memsz : s->size, \
			.p_flags = PF_R | PF_W | PF_X, .p_align = 1, \
		}; \
		memcpy(buf + sizeof(eh) + i * sizeof(ph), &ph, sizeof(ph)); \
		if (s->size) \
			memcpy(at(buf, cap, off, s->size), s->data, s->size); \
		off += s->size; \
	} \
	if (m->sym) { \
		Elf##N##_Shdr sh[5] = { { 0 } }; \
		\
		sh[1] = (Elf##N##_Shdr){ .sh_name = 1, .sh_type = SHT_PROGBITS, .sh_addr = m->text, \
			.sh_size = m->text_size, .sh_flags = SHF_ALLOC }; \
		sh[2] = (Elf##N##_Shdr){ .sh_name = 7, .sh_type = SHT_NOBITS, .sh_addr = m->data, \
			.sh_size = m->data_size, .sh_flags = SHF_ALLOC }; \
		off = (off + 7) & ~(size_t)7; \
		sh[3] = (Elf##N##_Shdr){ .sh_name = 13, .sh_type = SHT_SYMTAB, .sh_offset = off, .sh_link = 4, \
			.sh_size = (m->nsym + 1) * sizeof(Elf##N##_Sym), .sh_entsize = sizeof(Elf##N##_Sym), \
			.sh_info = 1 }; \
		at(buf, cap, off, sh[3].sh_size); \
		str = off + sh[3].sh_size; \
		sh[4] = (Elf##N##_Shdr){ .sh_name = 21, .sh_type = SHT_STRTAB, .sh_offset = str, \
			.sh_size = sizeof(names) }; \
		memcpy(at(buf, cap, str, sizeof(names)), names, sizeof(names)); \
		for (i = 0; i < m->nsym; i++) { \
			const struct elf_sym *y = &m->sym[i]; \
			size_t len = strlen(y->name) + 1; \
			Elf##N##_Sym s = { \
				.st_name = y->name[0] ? sh[4].sh_size : 0, \
				.st_value = y->value, .st_size = y->size, \
				.st_info = y->info, .st_shndx = y->shndx, \
			}; \
			\
			memcpy(buf + off + (i + 1) * sizeof(s), &s, sizeof(s)); \
			memcpy(at(buf, cap, str + sh[4].sh_size, len), y->name, len); \
			sh[4].sh_size += len; \
		} \
		off = (str + sh[4].sh_size + 7) & ~(size_t)7; \
		memcpy(at(buf, cap, off, sizeof(sh)), sh, sizeof(sh)); \
		eh.e_shoff = off; \
		eh.e_shnum = m->wild == 1 ? 0 : 5; \
		eh.e_shentsize = sizeof(sh[0]); \
		eh.e_shstrndx = 4; \
		off += sizeof(sh); \
	} \
	if (m->wild == 2) \
		eh.e_phnum = PN_XNUM; \
	memcpy(buf, &eh, sizeof(eh)); \
	return off; \
}

DEFINE_MAKE(32, EM_386)
DEFINE_MAKE(64, EM_X86_64)

size_t elf_make(const struct elf_make *m, uint8_t *buf, size_t cap)
{
	memset(buf, 0, cap);
	return m->bits == 64 ? make_64(m, buf, cap) : make_32(m, buf, cap);
}
