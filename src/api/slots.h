/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Memory slots and their dirty logs, as a user sees them.  The operations are in api/machine.h. */
#ifndef GV_API_SLOTS_H
#define GV_API_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "api/err.h"
#include "util/page.h"

/*
 * A slot's number, wherever one is given: its address space << 16 | its number there, as api.rst 4.35 has it.  Space 0 is
 * what the processor sees, space 1 what it sees in system management mode.
 */
#define SLOT_SPACE_SHIFT 16
#define SLOT_SPACE_MAX  0x7fffu         /* so that a number is a positive int */

#define SLOT_INDEX_MAX  0xffffu

static inline unsigned slot_id(unsigned space, unsigned index)
{
	return space << SLOT_SPACE_SHIFT | index;
}

static inline unsigned slot_space(unsigned id)
{
	return id >> SLOT_SPACE_SHIFT;
}

/* The number in its space. */
static inline unsigned slot_index(unsigned id)
{
	return id & SLOT_INDEX_MAX;
}

/* As a person names it: "5", "1:5". */
struct slot_name {
	char text[16];
};

static inline struct slot_name slot_name(unsigned id)
{
	struct slot_name n;

	if (slot_space(id))
		snprintf(n.text, sizeof(n.text), "%u:%u", slot_space(id), slot_index(id));
	else
		snprintf(n.text, sizeof(n.text), "%u", id);
	return n;
}

enum slot_backing {
	SLOT_ANON,              /* anonymous memory */
	SLOT_MEMFD,             /* a memfd of its own */
	SLOT_FILE,              /* an ordinary file at an offset, shared or private */
	SLOT_HUGETLB,           /* explicit huge pages of 2 MiB or 1 GiB */
	SLOT_ALIAS,             /* another slot's memory, at a second gpa */
	SLOT_RMA,               /* powerpc's Real Mode Area, which KVM gives: at gpa 0, of its own size */
};

/* What `slot add` asks for. */
struct slot_spec {
	unsigned id;            /* KVM's slot number, with the address space in its upper half */
	uint64_t gpa, size;     /* bytes */
	enum slot_backing backing;
	const char *path;       /* SLOT_FILE */
	uint64_t offset;        /* bytes: into the file, or into the slot that is aliased */
	uint64_t huge_size;     /* SLOT_HUGETLB: bytes a page */
	unsigned alias_of;      /* SLOT_ALIAS */
	bool shared;            /* SLOT_FILE: the guest's writes reach the file */
	bool log, readonly;
};

struct slot_info {
	unsigned id;
	uint64_t gpa;           /* bytes, page-aligned */
	uint64_t size;          /* bytes, a multiple of the page size */
	uint64_t hva;           /* where the backing is mapped in this process */
	bool readonly;          /* guest writes exit as MMIO */
	bool log;               /* dirty logging is on */
	bool watched;           /* `dirty who` records its writers: read-only in the kernel for now */
	bool huge_aligned;      /* gpa and hva agree in their low 21 bits: large pages are possible */
	enum slot_backing kind;
	char backing[64];       /* "anon", "file:PATH@OFF shared", "alias:0+0x1000", ...: shortened to fit */
	const char *label;      /* "ram", "user"; static text */
};

/* Something worth telling that is no error: large pages lost, the running code's slot removed.  "" for nothing. */
struct slot_note {
	char text[200];
};

/* One difference that `slot check` found between our table and what the kernel does. */
struct slot_fault {
	unsigned id;
	char text[160];
};

/* Whose view of a dirty log: each is cleared by its own takes only. */
enum dirty_consumer { DIRTY_USER, DIRTY_RATE, DIRTY_HEAT, DIRTY_CONSUMERS };

#define DIRTY_PAGE page_bytes() /* bytes a bit stands for */

struct dirty_map {
	unsigned id;
	uint64_t gpa;           /* of the slot */
	uint64_t pages;         /* bits */
	uint64_t dirty;         /* how many are set */
	uint64_t *bits;         /* (pages + 63) / 64 words, bit 0 the first page; the caller's to free() */
};

/* A run of bytes that differ from what they were: old and new bytes, LEN of them, valid during the call. */
typedef bool dirty_diff_fn(void *arg, uint64_t gpa, const uint8_t *was, const uint8_t *is, size_t len);

/* Who wrote where, how often. */
struct dirty_writer {
	unsigned cpu;
	/* Linear pc as KVM leaves it: the end of the writing instruction (where a call goes to), its beginning while a REP goes on. */
	uint64_t pc;
	uint64_t gpa;           /* of the page (DIRTY_PAGE) written */
	uint64_t count;
};

#endif
