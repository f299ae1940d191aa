/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Instructions that only compute, run by the host's own processor (native.h): x87, MMX, SSE, AVX, AVX-512 and what works on general
 * registers alone.  Why that is sound:
 *
 * - What is run is listed, by the instruction sets that Zydis sorts them into, and the host's processor has the set.
 * - Operands are looked at besides: registers that belong to the guest alone, and at most one in memory that is named.  That one becomes
 *   a buffer, at a general register which the instruction leaves alone; what is accessed, and whether it may be, is ours to say.
 * - So none can fault.  What would raise #NM, #UD, #GP, #MF or #PF is checked before, by the guest's own control registers and memory;
 *   exceptions of SSE (#XM) are masked meanwhile, and read from MXCSR; those of x87 wait for a next x87 instruction.
 *
 * The guest's registers change when the instruction and its accesses are done, or not at all.
 */
#include "arch/x86/insn/assist_priv.h"

#include <string.h>

#include "arch/x86/hostid.h"
#include "arch/x86/insn/native.h"
#include "util/le.h"

#define CR4_OSXMMEXCPT  (1ull << 10)
#define XCR0_AVX        0x6ull
#define XCR0_AVX512     0xe6ull
#define MXCSR_FLAGS     0x3fu
#define MXCSR_MASKS     0x1f80u
#define MXCSR_MASK_BITS 7       /* from a flag to what masks it */
#define VECTOR_XM       19
#define REAL_STATE_SHORT 94u    /* bytes of an x87 state with 16-bit operands, and of its environment */
#define REAL_ENV_SHORT  14u

/* What kind of registers an instruction needs. */
enum kind { KIND_NONE, KIND_INTEGER, KIND_X87, KIND_MMX, KIND_SSE, KIND_AVX, KIND_AVX512 };

/* The host's features, each a bit of assist_cpu.host. */
enum feature {
	F_NONE, F_X87, F_CMOV, F_MMX, F_SSE, F_SSE2, F_SSE3, F_SSSE3, F_SSE41, F_SSE42, F_AES, F_PCLMUL, F_SHA, F_GFNI, F_AVX, F_F16C, F_FMA,
	F_AVX2, F_VAES, F_VPCLMUL, F_AVX_VNNI, F_BMI1, F_BMI2, F_LZCNT, F_ADX, F_512F, F_512VL, F_512BW, F_512DQ, F_512CD, F_512IFMA,
	F_512VBMI, F_512VBMI2, F_512VNNI, F_512BITALG, F_512POPCNT, F_512BF16, FEATURES,
};

enum { EAX = HOSTID_EAX, EBX = HOSTID_EBX, ECX = HOSTID_ECX, EDX = HOSTID_EDX };

static const struct {
	uint32_t leaf, sub;
	uint8_t reg, bit;
} cpuid_bits[FEATURES] = {
	[F_X87] = { 1, 0, EDX, 0 },       [F_CMOV] = { 1, 0, EDX, 15 },     [F_MMX] = { 1, 0, EDX, 23 },
	[F_SSE] = { 1, 0, EDX, 25 },      [F_SSE2] = { 1, 0, EDX, 26 },     [F_SSE3] = { 1, 0, ECX, 0 },
	[F_SSSE3] = { 1, 0, ECX, 9 },     [F_SSE41] = { 1, 0, ECX, 19 },    [F_SSE42] = { 1, 0, ECX, 20 },
	[F_AES] = { 1, 0, ECX, 25 },      [F_PCLMUL] = { 1, 0, ECX, 1 },    [F_SHA] = { 7, 0, EBX, 29 },
	[F_GFNI] = { 7, 0, ECX, 8 },      [F_AVX] = { 1, 0, ECX, 28 },      [F_F16C] = { 1, 0, ECX, 29 },
	[F_FMA] = { 1, 0, ECX, 12 },      [F_AVX2] = { 7, 0, EBX, 5 },      [F_VAES] = { 7, 0, ECX, 9 },
	[F_VPCLMUL] = { 7, 0, ECX, 10 },  [F_AVX_VNNI] = { 7, 1, EAX, 4 },  [F_BMI1] = { 7, 0, EBX, 3 },
	[F_BMI2] = { 7, 0, EBX, 8 },      [F_LZCNT] = { 0x80000001, 0, ECX, 5 }, [F_ADX] = { 7, 0, EBX, 19 },
	[F_512F] = { 7, 0, EBX, 16 },     [F_512VL] = { 7, 0, EBX, 31 },    [F_512BW] = { 7, 0, EBX, 30 },
	[F_512DQ] = { 7, 0, EBX, 17 },    [F_512CD] = { 7, 0, EBX, 28 },    [F_512IFMA] = { 7, 0, EBX, 21 },
	[F_512VBMI] = { 7, 0, ECX, 1 },   [F_512VBMI2] = { 7, 0, ECX, 6 },  [F_512VNNI] = { 7, 0, ECX, 11 },
	[F_512BITALG] = { 7, 0, ECX, 12 }, [F_512POPCNT] = { 7, 0, ECX, 14 }, [F_512BF16] = { 7, 1, EAX, 5 },
};

#define SIZES(set, feature)                                                                                     \
	[ZYDIS_ISA_SET_##set##_128] = { feature, KIND_AVX512 }, [ZYDIS_ISA_SET_##set##_256] = { feature, KIND_AVX512 }, \
	[ZYDIS_ISA_SET_##set##_512] = { feature, KIND_AVX512 }

static const struct set {
	uint8_t feature, kind;
} sets[ZYDIS_ISA_SET_MAX_VALUE + 1] = {
	[ZYDIS_ISA_SET_X87] = { F_X87, KIND_X87 },
	[ZYDIS_ISA_SET_FCMOV] = { F_CMOV, KIND_X87 },
	[ZYDIS_ISA_SET_SSE3X87] = { F_SSE3, KIND_X87 },
	[ZYDIS_ISA_SET_PENTIUMMMX] = { F_MMX, KIND_MMX },
	[ZYDIS_ISA_SET_SSE2MMX] = { F_SSE2, KIND_MMX },
	[ZYDIS_ISA_SET_SSSE3MMX] = { F_SSSE3, KIND_MMX },
	[ZYDIS_ISA_SET_SSE] = { F_SSE, KIND_SSE },
	[ZYDIS_ISA_SET_SSE2] = { F_SSE2, KIND_SSE },
	[ZYDIS_ISA_SET_SSE3] = { F_SSE3, KIND_SSE },
	[ZYDIS_ISA_SET_SSSE3] = { F_SSSE3, KIND_SSE },
	[ZYDIS_ISA_SET_SSE4] = { F_SSE41, KIND_SSE },
	[ZYDIS_ISA_SET_SSE42] = { F_SSE42, KIND_SSE },
	[ZYDIS_ISA_SET_AES] = { F_AES, KIND_SSE },
	[ZYDIS_ISA_SET_PCLMULQDQ] = { F_PCLMUL, KIND_SSE },
	[ZYDIS_ISA_SET_SHA] = { F_SHA, KIND_SSE },
	[ZYDIS_ISA_SET_GFNI] = { F_GFNI, KIND_SSE },
	[ZYDIS_ISA_SET_AVX] = { F_AVX, KIND_AVX },
	[ZYDIS_ISA_SET_AVX2] = { F_AVX2, KIND_AVX },
	[ZYDIS_ISA_SET_AVXAES] = { F_AES, KIND_AVX },
	[ZYDIS_ISA_SET_AVX_GFNI] = { F_GFNI, KIND_AVX },
	[ZYDIS_ISA_SET_AVX_VNNI] = { F_AVX_VNNI, KIND_AVX },
	[ZYDIS_ISA_SET_F16C] = { F_F16C, KIND_AVX },
	[ZYDIS_ISA_SET_FMA] = { F_FMA, KIND_AVX },
	[ZYDIS_ISA_SET_VAES] = { F_VAES, KIND_AVX },
	[ZYDIS_ISA_SET_VPCLMULQDQ] = { F_VPCLMUL, KIND_AVX },
	[ZYDIS_ISA_SET_BMI1] = { F_BMI1, KIND_INTEGER },
	[ZYDIS_ISA_SET_BMI2] = { F_BMI2, KIND_INTEGER },
	[ZYDIS_ISA_SET_LZCNT] = { F_LZCNT, KIND_INTEGER },
	[ZYDIS_ISA_SET_ADOX_ADCX] = { F_ADX, KIND_INTEGER },
	SIZES(AVX512F, F_512F), SIZES(AVX512BW, F_512BW), SIZES(AVX512DQ, F_512DQ), SIZES(AVX512CD, F_512CD),
	SIZES(AVX512_IFMA, F_512IFMA), SIZES(AVX512_VBMI, F_512VBMI), SIZES(AVX512_VBMI2, F_512VBMI2),
	SIZES(AVX512_VNNI, F_512VNNI), SIZES(AVX512_BITALG, F_512BITALG), SIZES(AVX512_VPOPCNTDQ, F_512POPCNT),
	SIZES(AVX512_BF16, F_512BF16), SIZES(AVX512_VAES, F_VAES), SIZES(AVX512_GFNI, F_GFNI),
	SIZES(AVX512_VPCLMULQDQ, F_VPCLMUL),
	[ZYDIS_ISA_SET_AVX512F_128N] = { F_512F, KIND_AVX512 },
	[ZYDIS_ISA_SET_AVX512F_SCALAR] = { F_512F, KIND_AVX512 },
	[ZYDIS_ISA_SET_AVX512F_KOP] = { F_512F, KIND_AVX512 },
	[ZYDIS_ISA_SET_AVX512BW_128N] = { F_512BW, KIND_AVX512 },
	[ZYDIS_ISA_SET_AVX512BW_KOP] = { F_512BW, KIND_AVX512 },
	[ZYDIS_ISA_SET_AVX512DQ_128N] = { F_512DQ, KIND_AVX512 },
	[ZYDIS_ISA_SET_AVX512DQ_SCALAR] = { F_512DQ, KIND_AVX512 },
	[ZYDIS_ISA_SET_AVX512DQ_KOP] = { F_512DQ, KIND_AVX512 },
};

uint64_t assist_host_features(void)
{
	struct hostid host = { 0 };
	uint64_t have = 0;

	for (unsigned f = 1; f < FEATURES; f++)
		if (hostid_leaf(&host, cpuid_bits[f].leaf, cpuid_bits[f].sub)[cpuid_bits[f].reg] >> cpuid_bits[f].bit & 1)
			have |= 1ull << f;
	return have;
}

/* Some stand in a set that says little about them. */
static const struct set *set_of(const struct decoded *d)
{
	static const struct set crc32 = { F_SSE42, KIND_INTEGER }, compare = { F_CMOV, KIND_X87 }, fisttp = { F_SSE3, KIND_X87 };

	switch (d->insn.mnemonic) {
	case ZYDIS_MNEMONIC_CRC32:
		return &crc32;
	case ZYDIS_MNEMONIC_FCOMI:
	case ZYDIS_MNEMONIC_FCOMIP:
	case ZYDIS_MNEMONIC_FUCOMI:
	case ZYDIS_MNEMONIC_FUCOMIP:
		return &compare;
	case ZYDIS_MNEMONIC_FISTTP:
		return &fisttp;
	default:
		return &sets[d->insn.meta.isa_set];
	}
}

static enum kind kind_of(const struct decoded *d)
{
	return (enum kind)set_of(d)->kind;
}

/* -- whether it can be run -- */

/* Only what belongs to the guest; of the rest, the stack pointer is ours meanwhile. */
static bool register_fits(ZydisRegister reg)
{
	switch (ZydisRegisterGetClass(reg)) {
	case ZYDIS_REGCLASS_GPR8:
	case ZYDIS_REGCLASS_GPR16:
	case ZYDIS_REGCLASS_GPR32:
	case ZYDIS_REGCLASS_GPR64:
		return insn_gpr_number(reg) != INSN_RSP;
	case ZYDIS_REGCLASS_X87:
	case ZYDIS_REGCLASS_MMX:
	case ZYDIS_REGCLASS_XMM:
	case ZYDIS_REGCLASS_YMM:
	case ZYDIS_REGCLASS_ZMM:
	case ZYDIS_REGCLASS_MASK:
	case ZYDIS_REGCLASS_FLAGS:
		return true;
	default:
		return reg == ZYDIS_REGISTER_X87CONTROL || reg == ZYDIS_REGISTER_X87STATUS || reg == ZYDIS_REGISTER_X87TAG ||
		       reg == ZYDIS_REGISTER_MXCSR;
	}
}

static bool masked(const struct decoded *d)
{
	return d->insn.encoding == ZYDIS_INSTRUCTION_ENCODING_EVEX && d->insn.avx.mask.reg != ZYDIS_REGISTER_NONE &&
	       d->insn.avx.mask.reg != ZYDIS_REGISTER_K0;
}

/* Those whose mask says what memory they access. */
static bool conditional(ZydisMnemonic m)
{
	return m == ZYDIS_MNEMONIC_VMASKMOVPS || m == ZYDIS_MNEMONIC_VMASKMOVPD || m == ZYDIS_MNEMONIC_VPMASKMOVD ||
	       m == ZYDIS_MNEMONIC_VPMASKMOVQ;
}

static bool fits(const struct assist *a)
{
	const struct decoded *d = a->d;
	unsigned memory = 0;

	for (unsigned i = 0; i < d->insn.operand_count; i++) {
		const ZydisDecodedOperand *op = &d->op[i];

		if (op->type == ZYDIS_OPERAND_TYPE_REGISTER && !register_fits(op->reg.value))
			return false;
		if (op->type == ZYDIS_OPERAND_TYPE_POINTER)
			return false;
		if (op->type != ZYDIS_OPERAND_TYPE_MEMORY)
			continue;
		memory++;
		if (op->mem.type != ZYDIS_MEMOP_TYPE_MEM || op->visibility != ZYDIS_OPERAND_VISIBILITY_EXPLICIT || memory > 1 ||
		    op->size / 8 > NATIVE_MEMORY || a->insn.naccess != 1 || masked(d) || conditional(d->insn.mnemonic))
			return false;
	}
	/* Legacy encodings mean the same in 64-bit code, which they are run as, but where 16-bit code has other sizes. */
	if (a->cpu->regs.code_bits == 64)
		return true;
	return d->insn.encoding == ZYDIS_INSTRUCTION_ENCODING_LEGACY &&
	       (a->cpu->regs.code_bits == 32 || kind_of(d) != KIND_INTEGER);
}

/* -- the guest's rules -- */

static bool waits(ZydisMnemonic m)
{
	switch (m) {
	case ZYDIS_MNEMONIC_FNINIT:
	case ZYDIS_MNEMONIC_FNCLEX:
	case ZYDIS_MNEMONIC_FNSTSW:
	case ZYDIS_MNEMONIC_FNSTCW:
	case ZYDIS_MNEMONIC_FNSAVE:
	case ZYDIS_MNEMONIC_FNSTENV:
	case ZYDIS_MNEMONIC_FNOP:
		return m == ZYDIS_MNEMONIC_FNOP;
	default:
		return true;
	}
}

static bool uses_mmx(const struct decoded *d)
{
	for (unsigned i = 0; i < d->insn.operand_count; i++)
		if (d->op[i].type == ZYDIS_OPERAND_TYPE_REGISTER &&
		    ZydisRegisterGetClass(d->op[i].reg.value) == ZYDIS_REGCLASS_MMX)
			return true;
	return d->insn.mnemonic == ZYDIS_MNEMONIC_EMMS;
}

static int check_avx(struct assist *a, uint64_t xcr0)
{
	const struct insn_regs *r = &a->cpu->regs;

	if (!(r->cr4 & CR4_OSXSAVE) || (r->xcr0 & xcr0) != xcr0)
		return assist_raise(a, VECTOR_UD);
	return r->cr0 & CR0_TS ? assist_raise(a, VECTOR_NM) : 0;
}

static int check_kind(struct assist *a, enum kind kind)
{
	uint64_t cr0 = a->cpu->regs.cr0;
	bool mmx = kind == KIND_MMX || uses_mmx(a->d);

	if (kind == KIND_INTEGER)
		return 0;
	if (kind == KIND_AVX || kind == KIND_AVX512)
		return check_avx(a, kind == KIND_AVX ? XCR0_AVX : XCR0_AVX512);
	if (kind == KIND_X87 && (cr0 & (CR0_EM | CR0_TS)))
		return assist_raise(a, VECTOR_NM);
	if (kind != KIND_X87 && ((cr0 & CR0_EM) || (kind == KIND_SSE && !(a->cpu->regs.cr4 & CR4_OSFXSR))))
		return assist_raise(a, VECTOR_UD);
	if (cr0 & CR0_TS)
		return assist_raise(a, VECTOR_NM);
	return (kind == KIND_X87 && waits(a->d->insn.mnemonic)) || mmx ? assist_pending_x87(a) : 0;
}

/* The multiple that the memory operand's address has to be (SDM vol. 1, 14.9). */
static unsigned alignment(const struct assist *a)
{
	bool vex = a->d->insn.encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY;
	unsigned size = a->insn.access[0].size;

	switch (a->d->insn.mnemonic) {
	case ZYDIS_MNEMONIC_VMOVAPS:
	case ZYDIS_MNEMONIC_VMOVAPD:
	case ZYDIS_MNEMONIC_VMOVDQA:
	case ZYDIS_MNEMONIC_VMOVDQA32:
	case ZYDIS_MNEMONIC_VMOVDQA64:
	case ZYDIS_MNEMONIC_VMOVNTPS:
	case ZYDIS_MNEMONIC_VMOVNTPD:
	case ZYDIS_MNEMONIC_VMOVNTDQ:
	case ZYDIS_MNEMONIC_VMOVNTDQA:
		return size;
	case ZYDIS_MNEMONIC_MOVUPS:
	case ZYDIS_MNEMONIC_MOVUPD:
	case ZYDIS_MNEMONIC_MOVDQU:
	case ZYDIS_MNEMONIC_LDDQU:
	case ZYDIS_MNEMONIC_PCMPESTRI:
	case ZYDIS_MNEMONIC_PCMPESTRM:
	case ZYDIS_MNEMONIC_PCMPISTRI:
	case ZYDIS_MNEMONIC_PCMPISTRM:
		return 1;
	default:
		return !vex && size == 16 ? size : 1;
	}
}

/* -- the instruction to be run -- */

/* A general register that it leaves alone, of those that address memory without more bytes. */
static unsigned free_register(const struct decoded *d)
{
	static const uint8_t good[] = { INSN_RDI, INSN_RSI, INSN_RBX, INSN_RCX, INSN_RDX, INSN_RAX };
	unsigned used = 0, i = 0;

	for (unsigned k = 0; k < d->insn.operand_count; k++)
		if (d->op[k].type == ZYDIS_OPERAND_TYPE_REGISTER && insn_gpr_number(d->op[k].reg.value) >= 0)
			used |= 1u << insn_gpr_number(d->op[k].reg.value);
	while (i + 1 < sizeof(good) && (used >> good[i] & 1))
		i++;
	return good[i];
}

/* Whether the x87 state or environment at its memory operand is of the short kind. */
static bool short_image(const struct assist *a)
{
	unsigned size = a->insn.naccess ? a->insn.access[0].size : 0;

	return size == REAL_STATE_SHORT || size == REAL_ENV_SHORT;
}

/*
 * A prefix that says where the operand is, or is of no account.  A REX prefix with another behind it is: without that one it would
 * come into force.  The one that counts is encode()'s own affair.
 */
static bool drop_prefix(const struct assist *a, unsigned i)
{
	switch (a->d->insn.raw.prefixes[i].value) {
	case 0x40 ... 0x4f:
	case 0x26:
	case 0x2e:
	case 0x36:
	case 0x3e:
	case 0x64:
	case 0x65:
	case 0x67:
	case 0xf0:
		return true;
	case 0x66:
		return kind_of(a->d) == KIND_X87;
	default:
		return false;
	}
}

/* The instruction with its memory operand at BASE, which is one of the first eight registers. */
static size_t encode(const struct assist *a, const uint8_t *bytes, unsigned base, uint8_t ret[NATIVE_CODE_MAX + 1])
{
	const ZydisDecodedInstruction *insn = &a->d->insn;
	bool memory = a->insn.naccess;
	size_t n = 0, at = 0, opcode_end = memory ? insn->raw.modrm.offset : insn->length;

	if (kind_of(a->d) == KIND_X87 && short_image(a))
		ret[n++] = 0x66;
	for (; at < insn->raw.prefix_count; at++)
		if (!drop_prefix(a, (unsigned)at) && !(insn->attributes & ZYDIS_ATTRIB_HAS_REX && at == insn->raw.rex.offset))
			ret[n++] = bytes[at];
	if (insn->attributes & ZYDIS_ATTRIB_HAS_REX) {
		at = insn->raw.rex.offset + 1u;
		ret[n++] = memory ? bytes[at - 1] & 0xfc : bytes[at - 1];       /* without X and B */
	}
	for (size_t first = at; at < opcode_end; at++) {
		bool extends = at == first + 1 && (bytes[first] == 0xc4 || bytes[first] == 0x62) && memory &&
			       insn->encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY;

		ret[n++] = extends ? bytes[at] | 0x60 : bytes[at];              /* the same, inverted */
	}
	if (!memory)
		return n;
	ret[n++] = (uint8_t)(insn->raw.modrm.reg << 3 | base);
	at = insn->raw.modrm.offset + 1u + (insn->raw.sib.offset ? 1u : 0u) + insn->raw.disp.size / 8u;
	for (; at < insn->length; at++)
		ret[n++] = bytes[at];
	return n;
}

/* Flags have a name for each size of code. */
static bool same_register(ZydisRegister a, ZydisRegister b)
{
	return a == b || (ZydisRegisterGetClass(a) == ZYDIS_REGCLASS_FLAGS && ZydisRegisterGetClass(b) == ZYDIS_REGCLASS_FLAGS);
}

/*
 * Whether CODE, where it will be run, is the instruction that was looked at, with its memory operand at BASE and nowhere else: bytes of a
 * guest's are run as this program, so encode() is not trusted alone.
 */
static bool as_meant(const struct assist *a, const uint8_t *code, size_t len, unsigned base)
{
	static const struct insn_regs here = { .code_bits = 64, .stack_bits = 64, .cr0 = CR0_PE };
	const ZydisDecodedOperand *op;
	struct decoded d;

	if (insn_zydis(&here, code, len, &d) || d.insn.length != len || d.insn.mnemonic != a->d->insn.mnemonic ||
	    d.insn.operand_count != a->d->insn.operand_count)
		return false;
	for (unsigned i = 0; i < d.insn.operand_count; i++) {
		op = &d.op[i];
		if (op->type != a->d->op[i].type)
			return false;
		if (op->type == ZYDIS_OPERAND_TYPE_REGISTER && !same_register(op->reg.value, a->d->op[i].reg.value))
			return false;
		if (op->type == ZYDIS_OPERAND_TYPE_MEMORY &&
		    (op->mem.type != ZYDIS_MEMOP_TYPE_MEM || op->mem.base != (ZydisRegister)(ZYDIS_REGISTER_RAX + base) ||
		     op->mem.index != ZYDIS_REGISTER_NONE || op->mem.disp.value || op->mem.segment != ZYDIS_REGISTER_DS ||
		     op->size != a->d->op[i].size))
			return false;
	}
	return true;
}

/* -- running it -- */

/* The guest's state, made fit to be loaded here. */
static void state_in(const struct assist_cpu *cpu, uint8_t *state, size_t size, uint64_t components)
{
	memcpy(state, cpu->xsave, size);
	memset(state + XS_HEADER, 0, XS_EXTENDED - XS_HEADER);
	le_put(state + XS_HEADER, 8, assist_in_use(cpu) & components);
	le_put(state + XS_MXCSR, 4, (le_get(state + XS_MXCSR, 4) & ~MXCSR_FLAGS & 0xffff) | MXCSR_MASKS);
}

static void state_out(struct assist_cpu *cpu, const uint8_t *state, size_t size, uint64_t components)
{
	uint64_t used = assist_in_use(cpu) & ~components, now;

	memcpy(&now, state + XS_HEADER, sizeof(now));
	memcpy(cpu->xsave, state, XS_MXCSR_MASK);
	memcpy(cpu->xsave + XS_ST, state + XS_ST, XS_LEGACY_END - XS_ST);
	memcpy(cpu->xsave + XS_EXTENDED, state + XS_EXTENDED, size - XS_EXTENDED);
	le_put(cpu->xsave + XS_HEADER, 8, used | now);
	cpu->xsave_changed = true;
}

/* What SSE's exceptions come to: the guest's flags, or #XM with the result thrown away. */
static int simd_exceptions(struct assist *a, uint8_t *state)
{
	uint32_t was = le_get(a->cpu->xsave + XS_MXCSR, 4), raised = le_get(state + XS_MXCSR, 4) & MXCSR_FLAGS;

	le_put(state + XS_MXCSR, 4, was | raised);
	if (!(raised & ~(was >> MXCSR_MASK_BITS)))
		return 0;
	if (!(a->cpu->regs.cr4 & CR4_OSXMMEXCPT))
		return assist_raise(a, VECTOR_UD);
	le_put(a->cpu->xsave + XS_MXCSR, 4, was | raised);
	a->cpu->xsave_changed = true;
	return assist_raise(a, VECTOR_XM);
}

/* Where x87 remembers our code and buffer, it is to remember the guest's. */
static void x87_pointers(const struct assist *a, uint8_t *state, uint64_t code, uint64_t memory)
{
	uint64_t fip, fdp;

	memcpy(&fip, state + XS_FIP, sizeof(fip));
	memcpy(&fdp, state + XS_FDP, sizeof(fdp));
	if (fip == code)
		le_put(state + XS_FIP, 8, a->cpu->regs.rip);
	if (fdp == memory)
		le_put(state + XS_FDP, 8, a->insn.naccess ? assist_address(a) : 0);
}

static int run_native(struct assist *a)
{
	struct assist_cpu *cpu = a->cpu;
	enum kind kind = kind_of(a->d);
	uint64_t components = kind == KIND_INTEGER ? 0 : kind <= KIND_SSE ? NATIVE_LEGACY : cpu->regs.xcr0 & NATIVE_COMPONENTS;
	uint8_t state[NATIVE_AREA] __attribute__((aligned(64))), code[NATIVE_CODE_MAX + 1], *memory;
	const struct insn_access *m = a->insn.naccess ? &a->insn.access[0] : NULL;
	unsigned base = 0;
	struct native_regs r;
	size_t size, len;
	int e;

	if (!cpu->native || !(cpu->host >> set_of(a->d)->feature & 1) || (kind == KIND_AVX512 && !(cpu->host >> F_512VL & 1)) || !fits(a))
		return NOT_OURS;
	e = check_kind(a, kind);
	if (e)
		return e;
	size = native_area(cpu->native, components);
	if (components && (!size || size > cpu->xsave_size))
		return NOT_OURS;
	memory = native_memory(cpu->native);
	if (m && assist_address(a) % alignment(a))
		return assist_raise_code(a, VECTOR_GP, 0);
	if (m && m->read)
		e = assist_mem(a, assist_address(a), memory, m->size, false);
	if (e)
		return e;
	memcpy(r.gpr, cpu->regs.gpr, sizeof(r.gpr));
	r.rflags = cpu->regs.rflags;
	if (m) {
		base = free_register(a->d);
		r.gpr[base] = (uintptr_t)memory;
	}
	len = encode(a, a->bytes, base, code);
	if (len > NATIVE_CODE_MAX || !as_meant(a, code, len, base))
		return NOT_OURS;
	if (components)
		state_in(cpu, state, size, components);
	native_run(cpu->native, code, len, &r, components ? state : NULL, components);
	if (components)
		e = simd_exceptions(a, state);
	if (!e && m && m->write)
		e = assist_mem(a, assist_address(a), memory, m->size, true);
	if (e)
		return e;
	if (kind == KIND_X87)
		x87_pointers(a, state, native_code(cpu->native, code, len), (uintptr_t)memory);
	if (components)
		state_out(cpu, state, size, components);
	if (m)
		r.gpr[base] = cpu->regs.gpr[base];
	memcpy(cpu->regs.gpr, r.gpr, sizeof(r.gpr));
	cpu->regs.rflags = (cpu->regs.rflags & ~RFLAGS_ARITH) | r.rflags;
	return 0;
}

static const struct assist_op native_ops[] = {
	[KIND_INTEGER] = { 0, ASSIST_INTEGER, 0, run_native, 0 },
	[KIND_X87] = { 0, ASSIST_X87, 0, run_native, 0 },
	[KIND_MMX] = { 0, ASSIST_X87, 0, run_native, 0 },
	[KIND_SSE] = { 0, ASSIST_SSE_OP, 0, run_native, 0 },
	[KIND_AVX] = { 0, ASSIST_AVX_OP, 0, run_native, 0 },
	[KIND_AVX512] = { 0, ASSIST_AVX_OP, 0, run_native, 0 },
};

const struct assist_op *assist_native_op(const struct decoded *d)
{
	enum kind kind = kind_of(d);

	return kind == KIND_NONE ? NULL : &native_ops[kind];
}
