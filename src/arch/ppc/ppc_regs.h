/* SPDX-License-Identifier: GPL-3.0-or-later */
/* PowerPC's register table by name (arch/ppc/regs.def), and the numbers of what else its description lists. */
#ifndef GV_PPC_PPC_REGS_H
#define GV_PPC_PPC_REGS_H

#include "api/arch.h"

enum {
#define REG(id, ...) PPC_##id,
#include "arch/ppc/regs.def"
#undef REG
	PPC_REGS
};

/* arch_desc.features */
enum { PF_CORE, PF_FPU, PF_ALTIVEC, PF_VSX, PF_SYSTEM, PF_COUNT };

/* arch_desc.groups */
enum { PG_GENERAL, PG_FLOAT, PG_VECTOR, PG_VSX, PG_CONTROL, PG_COUNT };

/* arch_desc.choices, behind REG_CHOICE_AUTO */
enum { REG_CHOICE_PPC64 = 1, REG_CHOICE_COUNT };

#endif
