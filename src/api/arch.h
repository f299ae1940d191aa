/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the stub and the monitor are told of the architecture that this build is for: data and pure functions, without KVM.
 * src/arch/NAME/desc.c has it, and links on any host.
 */
#ifndef GV_API_ARCH_H
#define GV_API_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/regbits.h"
#include "api/regs.h"

/* Another name that people type for a register, or for its lowest BITS. */
struct reg_alias {
	const char *name;
	reg_id reg;
	unsigned bits;
};

/* What gdb has registers described under. */
struct arch_feature {
	const char *name;       /* as in <feature name="..."> */
	const char *types;      /* what must stand before its registers, beside named bits; XML; NULL: nothing */
	/* By layout: the feature that such a row is described under there, mostly this one. */
	uint8_t in[REG_LAYOUTS_MAX];
};

/* How `info registers` has them. */
struct arch_group {
	const char *name;
	int width;              /* columns that names take in its table */
	bool usual;             /* shown when nothing was asked for by name */
	bool bases;             /* NAME_base stands beside NAME */
};

/* Which description of its registers a client is given. */
struct arch_choice {
	const char *name;       /* as people say it */
	unsigned layout;
	const char *gdb;        /* gdb's name of the architecture: <architecture> */
	const char *triple;     /* lldb's */
	unsigned pointer;       /* bytes of an address */
};

#define ARCH_CHOICES_MAX 8

#define REG_CHOICE_AUTO 0       /* by the image's class; where it has none, by the vCPU's mode */

struct arch_desc {
	const struct reg_info *regs;
	unsigned nregs;         /* at most REG_MAX */
	unsigned nlayouts;      /* at most REG_LAYOUTS_MAX */
	unsigned g_count[REG_LAYOUTS_MAX];      /* registers in a `g` reply */
	const struct reg_alias *aliases;
	size_t naliases;
	const struct reg_bits *bits;
	size_t nbits;

	/* Rows that every layout has; fp and flags may be REG_NONE. */
	reg_id pc, sp, fp, flags;

	/* Words for people. */
	const char *special;    /* what numbered special registers are: "MSR" */
	const char *specials;   /* several of them: "MSRs" */
	const char *special_verbs[2];   /* instructions that read and write one: "rdmsr", "wrmsr" */
	const char *special_refused;    /* what follows such a one that does not succeed: ", refused with #GP" */
	const char *privilege;  /* what cpu_status.privilege is: "cpl" */
	const char *space;      /* what names an address space's root: "cr3" */
	uint64_t space_mask;    /* the bits of that which say where its tables are */
	const char *const *levels;      /* of page tables, by walk_level.level: [0] is "" */
	unsigned nlevels;       /* with [0] */

	unsigned trap_size;     /* bytes of a trap instruction, the kind in Z0 */

	const struct arch_feature *features;
	unsigned nfeatures;
	const struct arch_group *groups;
	unsigned ngroups;
	/* The set lldb is to show R in, which is described under FEATURE: "general", "float", "vector" or another word. */
	const char *(*set)(const struct reg_info *r, unsigned feature);

	/* Row REG_CHOICE_AUTO has a name and no more. */
	const struct arch_choice *choices;
	unsigned nchoices;      /* at most ARCH_CHOICES_MAX */
	/*
	 * The row of choices for an image of IMAGE_BITS (machine_info) and code of CODE_BITS (cpu_status): where the image has
	 * none (0) by the code, and where that is not known (0) the widest.
	 */
	unsigned (*choose)(unsigned image_bits, unsigned code_bits);
};

extern const struct arch_desc arch_desc;

/* REG's name, width and number in layout 0. */
static inline const struct reg_view *reg_full(reg_id reg)
{
	return &arch_desc.regs[reg].view[0];
}

#endif
