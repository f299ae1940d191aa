/* SPDX-License-Identifier: GPL-3.0-or-later */
/* x86 as a debugger's user sees it (gdb manual, G.5.5: i386 features). */
#include "api/arch.h"

#include "arch/x86/x86_regs.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct reg_info regs[] = {
/* NOLINTBEGIN(bugprone-macro-parentheses): a parenthesis around a string is no initializer */
#define REG(id, n64, num64, bits64, t64, n32, num32, bits32, t32, feat, grp, home, off, hbits)                  \
	[X86_##id] = { .view = { [RL_X86_64] = { n64, bits64, num64 }, [RL_I386] = { n32, bits32, num32 } },    \
		       .type = { [RL_X86_64] = t64, [RL_I386] = t32 },                                          \
		       .feature = RF_##feat,                                                                    \
		       .group = RG_##grp },
/* NOLINTEND(bugprone-macro-parentheses) */
#include "arch/x86/regs.def"
#undef REG
};

_Static_assert(COUNT(regs) == X86_REGS && X86_REGS <= REG_MAX, "the neutral bound of rows");
_Static_assert(REG_CHOICE_COUNT <= ARCH_CHOICES_MAX, "the neutral bound of choices");
_Static_assert(RL_COUNT <= REG_LAYOUTS_MAX, "the neutral bound of layouts");

const struct x86_mode x86_modes[MODE_COUNT] = {
	[MODE_REAL] = { "real", 16 },         [MODE_VM86] = { "vm86", 16 },         [MODE_PROT16] = { "prot16", 16 },
	[MODE_PROT32] = { "prot32", 32 },     [MODE_COMPAT16] = { "compat16", 16 }, [MODE_COMPAT32] = { "compat32", 32 },
	[MODE_LONG] = { "long", 64 },
};

static const struct reg_alias aliases[] = {
	{ "pc", X86_RIP, 64 },    { "sp", X86_RSP, 64 }, { "fp", X86_RBP, 64 }, { "flags", X86_EFLAGS, 32 },
	{ "rflags", X86_EFLAGS, 32 }, { "ax", X86_RAX, 16 }, { "bx", X86_RBX, 16 }, { "cx", X86_RCX, 16 },
	{ "dx", X86_RDX, 16 },    { "si", X86_RSI, 16 }, { "di", X86_RDI, 16 }, { "bp", X86_RBP, 16 },
	{ "al", X86_RAX, 8 },     { "bl", X86_RBX, 8 },  { "cl", X86_RCX, 8 },  { "dl", X86_RDX, 8 },
};

/* The views gdb gives of an SSE register. */
#define VEC128                                                          \
	"<vector id=\"v4f\" type=\"ieee_single\" count=\"4\"/>\n"       \
	"<vector id=\"v2d\" type=\"ieee_double\" count=\"2\"/>\n"       \
	"<vector id=\"v16i8\" type=\"int8\" count=\"16\"/>\n"           \
	"<vector id=\"v8i16\" type=\"int16\" count=\"8\"/>\n"           \
	"<vector id=\"v4i32\" type=\"int32\" count=\"4\"/>\n"           \
	"<vector id=\"v2i64\" type=\"int64\" count=\"2\"/>\n"           \
	"<union id=\"vec128\">\n"                                       \
	"<field name=\"v4_float\" type=\"v4f\"/>\n"                     \
	"<field name=\"v2_double\" type=\"v2d\"/>\n"                    \
	"<field name=\"v16_int8\" type=\"v16i8\"/>\n"                   \
	"<field name=\"v8_int16\" type=\"v8i16\"/>\n"                   \
	"<field name=\"v4_int32\" type=\"v4i32\"/>\n"                   \
	"<field name=\"v2_int64\" type=\"v2i64\"/>\n"                   \
	"<field name=\"uint128\" type=\"uint128\"/>\n</union>\n"

/* Intel SDM vol. 3, 4.5: from the page table up. */
static const char *const levels[] = { "", "PT", "PD", "PDPT", "PML4", "PML5" };

static const struct arch_feature features[RF_COUNT] = {
	[RF_CORE] = { "org.gnu.gdb.i386.core", NULL, { RF_CORE, RF_CORE } },
	/* gdb's own segments feature is not valid beside its 32-bit core: those rows are free-form then. */
	[RF_SEGMENTS] = { "org.gnu.gdb.i386.segments", NULL, { [RL_X86_64] = RF_SEGMENTS, [RL_I386] = RF_SYSTEM } },
	[RF_SSE] = { "org.gnu.gdb.i386.sse", VEC128, { RF_SSE, RF_SSE } },
	[RF_AVX] = { "org.gnu.gdb.i386.avx", NULL, { RF_AVX, RF_AVX } },
	[RF_AVX512] = { "org.gnu.gdb.i386.avx512", VEC128 "<vector id=\"v2ui128\" type=\"uint128\" count=\"2\"/>\n",
			{ RF_AVX512, RF_AVX512 } },
	[RF_PKEYS] = { "org.gnu.gdb.i386.pkeys", NULL, { RF_PKEYS, RF_PKEYS } },
	[RF_SYSTEM] = { "org.gdbvisor.i386.system", NULL, { RF_SYSTEM, RF_SYSTEM } },
};

static const struct arch_group groups[RG_COUNT] = {
	[RG_GENERAL] = { "general", 3, true, false },
	[RG_SEGMENT] = { "segment", 2, true, true },
	[RG_CONTROL] = { "control", 4, true, false },
	[RG_X87] = { "x87", 5, false, false },
	[RG_SSE] = { "sse", 5, false, false },
	[RG_AVX] = { "avx", 6, false, false },
	[RG_DEBUG] = { "debug", 3, false, false },
	[RG_TABLES] = { "tables", 10, false, false },
	[RG_MSR] = { "msr", 12, false, false },
	[RG_AVX512] = { "avx512", 6, false, false },
};

/* Real mode must be told to lldb here, the description alone does not do it. */
static const struct arch_choice choices[REG_CHOICE_COUNT] = {
	[REG_CHOICE_AUTO] = { .name = "auto" },
	[REG_CHOICE_I8086] = { "i8086", RL_I386, "i8086", "i386-unknown-unknown-code16", 4 },
	[REG_CHOICE_I386] = { "i386", RL_I386, "i386", "i386-unknown-unknown", 4 },
	[REG_CHOICE_X86_64] = { "x86-64", RL_X86_64, "i386:x86-64", "x86_64-unknown-unknown", 8 },
};

static unsigned choose(unsigned image_bits, unsigned code_bits)
{
	switch (image_bits ? image_bits : code_bits) {
	case 16:
		return REG_CHOICE_I8086;
	case 32:
		return REG_CHOICE_I386;
	default:
		return REG_CHOICE_X86_64;
	}
}

/* gdb goes by names and types on x86, lldb by this. */
static const char *set(const struct reg_info *r, unsigned feature)
{
	if (feature == RF_SYSTEM && r->group != RG_CONTROL && r->group != RG_GENERAL)
		return groups[r->group].name;
	if (feature == RF_SYSTEM || feature == RF_PKEYS)
		return "system";
	if (r->group == RG_X87)
		return "float";
	return feature == RF_SSE || feature == RF_AVX || feature == RF_AVX512 ? "vector" : "general";
}

const struct arch_desc arch_desc = {
	.regs = regs,
	.nregs = X86_REGS,
	.nlayouts = RL_COUNT,
	.g_count = { [RL_X86_64] = 26, [RL_I386] = 18 },
	.aliases = aliases,
	.naliases = COUNT(aliases),
	.bits = x86_bits,
	.nbits = X86_BITS_COUNT,
	.pc = X86_RIP,
	.sp = X86_RSP,
	.fp = X86_RBP,
	.flags = X86_EFLAGS,
	.special = "MSR",
	.specials = "MSRs",
	.special_verbs = { "rdmsr", "wrmsr" },
	.special_refused = ", refused with #GP",
	.privilege = "cpl",
	.space = "cr3",
	.space_mask = 0xffffffffff000, /* without flags or PCID */
	.levels = levels,
	.nlevels = COUNT(levels),
	.trap_size = 1,
	.features = features,
	.nfeatures = RF_COUNT,
	.groups = groups,
	.ngroups = RG_COUNT,
	.set = set,
	.choices = choices,
	.nchoices = REG_CHOICE_COUNT,
	.choose = choose,
};
