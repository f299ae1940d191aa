/* SPDX-License-Identifier: GPL-3.0-or-later */
/* 64-bit PowerPC, little-endian, as a debugger's user sees it (gdb manual, G.5.12: PowerPC features). */
#include "api/arch.h"

#include "arch/ppc/ppc_regs.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct reg_info regs[] = {
#define REG(id, name_, num_, bits_, type_, feat, grp, home, off, hbits)                                         \
	[PPC_##id] = { .view = { { name_, bits_, num_ } }, .type = { type_ }, .feature = PF_##feat, .group = PG_##grp },
#include "arch/ppc/regs.def"
#undef REG
};

_Static_assert(COUNT(regs) == PPC_REGS && PPC_REGS <= REG_MAX, "the neutral bound of rows");
_Static_assert(REG_CHOICE_COUNT <= ARCH_CHOICES_MAX, "the neutral bound of choices");

static const struct reg_alias aliases[] = {
	{ "sp", PPC_R1, 64 }, { "fp", PPC_R31, 64 }, { "flags", PPC_CR, 32 }, { "toc", PPC_R2, 64 },
};

/* The views gdb gives of a vector register. */
#define VEC128                                                          \
	"<vector id=\"v4f\" type=\"ieee_single\" count=\"4\"/>\n"       \
	"<vector id=\"v4i32\" type=\"int32\" count=\"4\"/>\n"           \
	"<vector id=\"v8i16\" type=\"int16\" count=\"8\"/>\n"           \
	"<vector id=\"v16i8\" type=\"int8\" count=\"16\"/>\n"           \
	"<union id=\"vec128\">\n"                                       \
	"<field name=\"uint128\" type=\"uint128\"/>\n"                  \
	"<field name=\"v4_float\" type=\"v4f\"/>\n"                     \
	"<field name=\"v4_int32\" type=\"v4i32\"/>\n"                   \
	"<field name=\"v8_int16\" type=\"v8i16\"/>\n"                   \
	"<field name=\"v16_int8\" type=\"v16i8\"/>\n</union>\n"

static const struct arch_feature features[PF_COUNT] = {
	[PF_CORE] = { "org.gnu.gdb.power.core", NULL, { PF_CORE } },
	[PF_FPU] = { "org.gnu.gdb.power.fpu", NULL, { PF_FPU } },
	[PF_ALTIVEC] = { "org.gnu.gdb.power.altivec", VEC128, { PF_ALTIVEC } },
	[PF_VSX] = { "org.gnu.gdb.power.vsx", NULL, { PF_VSX } },
	[PF_SYSTEM] = { "org.gdbvisor.power.system", NULL, { PF_SYSTEM } },
};

static const struct arch_group groups[PG_COUNT] = {
	[PG_GENERAL] = { "general", 3, true, false },
	[PG_FLOAT] = { "float", 5, false, false },
	[PG_VECTOR] = { "vector", 6, false, false },
	[PG_VSX] = { "vsx", 5, false, false },
	[PG_CONTROL] = { "control", 5, true, false },
};

static const struct arch_choice choices[REG_CHOICE_COUNT] = {
	[REG_CHOICE_AUTO] = { .name = "auto" },
	[REG_CHOICE_PPC64] = { "powerpc64", 0, "powerpc:common64", "powerpc64le-unknown-unknown", 8 },
};

/* All tables are a guest's own here: none is walked. */
static const char *const levels[] = { "" };

static unsigned choose(unsigned image_bits, unsigned code_bits)
{
	(void)image_bits;
	(void)code_bits;
	return REG_CHOICE_PPC64;
}

static const char *set(const struct reg_info *r, unsigned feature)
{
	(void)r;
	switch (feature) {
	case PF_FPU:
		return "float";
	case PF_ALTIVEC:
	case PF_VSX:
		return "vector";
	case PF_SYSTEM:
		return "system";
	default:
		return "general";
	}
}

const struct arch_desc arch_desc = {
	.regs = regs,
	.nregs = PPC_REGS,
	.nlayouts = 1,
	.g_count = { 71 },
	.aliases = aliases,
	.naliases = COUNT(aliases),
	.pc = PPC_PC,
	.sp = PPC_R1,
	.fp = PPC_R31,
	.flags = PPC_CR,
	.special = "SPR",
	.specials = "SPRs",
	.special_verbs = { "mfspr", "mtspr" },
	.special_refused = ", refused with a program interrupt",
	.privilege = "pr",
	.space = "pid",
	.space_mask = UINT64_MAX,
	.levels = levels,
	.nlevels = COUNT(levels),
	.trap_size = 4,
	.features = features,
	.nfeatures = PF_COUNT,
	.groups = groups,
	.ngroups = PG_COUNT,
	.set = set,
	.choices = choices,
	.nchoices = REG_CHOICE_COUNT,
	.choose = choose,
};
