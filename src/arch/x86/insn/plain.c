/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "arch/x86/insn/plain.h"
#include "arch/x86/x86.h"

#include <string.h>

#define CF 0x001u
#define PF 0x004u
#define ZF 0x040u
#define SF 0x080u
#define OF 0x800u
#define ARITHMETIC 0x8d5u       /* and AF */

#define REX_B 1u
#define REX_X 2u
#define REX_R 4u
#define REX_W 8u

struct decoder {
	struct insn_regs r;     /* as they will be */
	const uint8_t *at, *end;
	unsigned rex;           /* 0: none */
	bool small;             /* the operand size prefix */
	unsigned size;          /* of operands, bytes */
	unsigned reg, rm;       /* of the ModRM byte, with REX's bits */
};

/* -- bytes -- */

static bool take(struct decoder *d, unsigned size, uint64_t *ret)
{
	if ((size_t)(d->end - d->at) < size)
		return false;
	*ret = 0;
	memcpy(ret, d->at, size);
	d->at += size;
	return true;
}

static uint64_t sign_extend(uint64_t value, unsigned size)
{
	unsigned shift = 64 - 8 * size;

	return (uint64_t)((int64_t)(value << shift) >> shift);
}

/* An immediate of the operand size, at most 32 bits, with its sign. */
static bool immediate(struct decoder *d, unsigned size, uint64_t *ret)
{
	size = size > 4 ? 4 : size;
	if (!take(d, size, ret))
		return false;
	*ret = sign_extend(*ret, size);
	return true;
}

/* ModRM with a register as its operand. */
static bool registers(struct decoder *d)
{
	uint64_t b;

	if (!take(d, 1, &b) || b < 0xc0)
		return false;
	d->reg = (b >> 3 & 7) | (d->rex & REX_R ? 8 : 0);
	d->rm = (b & 7) | (d->rex & REX_B ? 8 : 0);
	return true;
}

/* -- registers -- */

/* AH to BH are numbers 4 to 7 of bytes, unless there is a REX prefix. */
static bool is_high(const struct decoder *d, unsigned number, unsigned size)
{
	return size == 1 && !d->rex && number >= 4;
}

static uint64_t get(const struct decoder *d, unsigned number, unsigned size)
{
	uint64_t v = is_high(d, number, size) ? d->r.gpr[number - 4] >> 8 : d->r.gpr[number];

	return size == 8 ? v : v & ((1ull << 8 * size) - 1);
}

/* 32 bits clear those above them. */
static void set(struct decoder *d, unsigned number, unsigned size, uint64_t value)
{
	bool high = is_high(d, number, size);
	uint64_t *to = &d->r.gpr[high ? number - 4 : number], mask;

	if (size >= 4) {
		*to = size == 8 ? value : (uint32_t)value;
		return;
	}
	if (high)
		value <<= 8;
	mask = ((1ull << 8 * size) - 1) << (high ? 8 : 0);
	*to = (*to & ~mask) | (value & mask);
}

/* -- arithmetic: by the host's own instructions, so that all flags are right -- */

/* A's and B's low SIZE bytes; CF goes in by *FLAGS, whose arithmetic bits come out new. */
#define ALU(name, text)                                                                                              \
	static uint64_t name(unsigned size, uint64_t a, uint64_t b, uint64_t *flags)                                  \
	{                                                                                                             \
		uint64_t f;                                                                                           \
                                                                                                                      \
		switch (size) {                                                                                       \
		case 1:                                                                                               \
			__asm__("bt $0, %2\n\t" text "b %b3, %b0\n\tseto %%al\n\tlahf"                                \
				: "+&r"(a), "=&a"(f) : "r"(*flags), "r"(b) : "cc");                                   \
			break;                                                                                        \
		case 2:                                                                                               \
			__asm__("bt $0, %2\n\t" text "w %w3, %w0\n\tseto %%al\n\tlahf"                                \
				: "+&r"(a), "=&a"(f) : "r"(*flags), "r"(b) : "cc");                                   \
			break;                                                                                        \
		case 4:                                                                                               \
			__asm__("bt $0, %2\n\t" text "l %k3, %k0\n\tseto %%al\n\tlahf"                                \
				: "+&r"(a), "=&a"(f) : "r"(*flags), "r"(b) : "cc");                                   \
			break;                                                                                        \
		default:                                                                                              \
			__asm__("bt $0, %2\n\t" text "q %3, %0\n\tseto %%al\n\tlahf"                                  \
				: "+&r"(a), "=&a"(f) : "r"(*flags), "r"(b) : "cc");                                   \
			break;                                                                                        \
		}                                                                                                     \
		*flags = (*flags & ~(uint64_t)ARITHMETIC) | (f >> 8 & ARITHMETIC & 0xff) | (f & 1 ? OF : 0);          \
		return a;                                                                                             \
	}

ALU(alu_add, "add")
ALU(alu_or, "or")
ALU(alu_adc, "adc")
ALU(alu_sbb, "sbb")
ALU(alu_and, "and")
ALU(alu_sub, "sub")
ALU(alu_xor, "xor")

/* By the number that instructions have for them; CMP is a SUB that keeps nothing. */
#define ALU_CMP 7
static uint64_t (*const alu[])(unsigned size, uint64_t a, uint64_t b, uint64_t *flags) = {
	alu_add, alu_or, alu_adc, alu_sbb, alu_and, alu_sub, alu_xor, alu_sub,
};

static void operate(struct decoder *d, unsigned operation, unsigned to, unsigned size, uint64_t b)
{
	uint64_t value = alu[operation](size, get(d, to, size), b, &d->r.rflags);

	if (operation != ALU_CMP)
		set(d, to, size, value);
}

static void test(struct decoder *d, unsigned size, uint64_t a, uint64_t b)
{
	alu_and(size, a, b, &d->r.rflags);
}

/* CF stays. */
static void count(struct decoder *d, unsigned number, unsigned size, bool down)
{
	uint64_t carry = d->r.rflags & CF;

	operate(d, down ? 5 : 0, number, size, 1);
	d->r.rflags = (d->r.rflags & ~(uint64_t)CF) | carry;
}

/* -- jumps -- */

static bool condition(const struct decoder *d, unsigned number)
{
	uint64_t f = d->r.rflags;
	bool less = !(f & SF) != !(f & OF), is = false;

	switch (number >> 1) {
	case 0: is = f & OF; break;
	case 1: is = f & CF; break;
	case 2: is = f & ZF; break;
	case 3: is = f & (CF | ZF); break;
	case 4: is = f & SF; break;
	case 5: is = f & PF; break;
	case 6: is = less; break;
	case 7: is = less || (f & ZF); break;
	}
	return is != (number & 1);
}

/* From behind the instruction; in 64-bit code with an operand size prefix processors differ, so that is none of ours. */
static bool jump(struct decoder *d, const uint8_t *bytes, unsigned size, bool taken)
{
	uint64_t by;

	if ((d->r.code_bits == 64 && d->small) || !immediate(d, size, &by))
		return false;
	if (!taken)
		return true;
	by += (uint64_t)(d->at - bytes) + d->r.rip;
	d->r.rip = (d->r.code_bits == 64 ? by : d->size == 2 ? (uint16_t)by : (uint32_t)by) - (uint64_t)(d->at - bytes);
	return true;
}

/* LOOPNE, LOOPE, LOOP, JCXZ: by the address size, which no prefix has changed. */
static bool loop(struct decoder *d, const uint8_t *bytes, unsigned opcode)
{
	unsigned size = d->r.code_bits / 8;
	uint64_t left = get(d, INSN_RCX, size) - (opcode != 0xe3);
	bool zero = !(size == 8 ? left : left & ((1ull << 8 * size) - 1)), taken = !zero;

	if (opcode == 0xe3)
		taken = zero;
	else if (opcode != 0xe2)
		taken = !zero && !(d->r.rflags & ZF) == (opcode == 0xe0);
	if (!jump(d, bytes, 1, taken))
		return false;
	if (opcode != 0xe3)
		set(d, INSN_RCX, size, left);
	return true;
}

/* -- addresses: LEA, and NOPs that have one -- */

/* The address's offset, for addresses of the code's own size; 16-bit ones are none of ours but for their length. */
static bool address(struct decoder *d, const uint8_t *bytes, uint64_t *ret, bool *ret_by_rip)
{
	uint64_t b, sib, disp = 0;
	unsigned mod, rm, size = 0;

	*ret = 0;
	*ret_by_rip = false;
	if (!take(d, 1, &b) || b >= 0xc0)
		return false;
	mod = (unsigned)(b >> 6);
	rm = b & 7;
	d->reg = (b >> 3 & 7) | (d->rex & REX_R ? 8 : 0);
	if (d->r.code_bits == 16) {
		size = mod == 1 ? 1 : mod == 2 || rm == 6 ? 2 : 0;
		return take(d, size, &disp);
	}
	size = mod == 1 ? 1 : mod == 2 ? 4 : 0;
	if (rm == 4) {
		unsigned base, index;

		if (!take(d, 1, &sib))
			return false;
		base = sib & 7;
		index = (sib >> 3 & 7) | (d->rex & REX_X ? 8 : 0);
		if (base == 5 && !mod)
			size = 4;
		else
			*ret += d->r.gpr[base | (d->rex & REX_B ? 8 : 0)];
		if (index != INSN_RSP)
			*ret += d->r.gpr[index] << (sib >> 6);
	} else if (rm == 5 && !mod) {
		size = 4;
		*ret_by_rip = d->r.code_bits == 64;
	} else {
		*ret += d->r.gpr[rm | (d->rex & REX_B ? 8 : 0)];
	}
	if (!take(d, size, &disp))
		return false;
	*ret += sign_extend(disp, size ? size : 8);
	if (*ret_by_rip)
		*ret += d->r.rip + (uint64_t)(d->at - bytes);
	if (d->r.code_bits == 32)
		*ret = (uint32_t)*ret;
	return true;
}

static bool lea(struct decoder *d, const uint8_t *bytes)
{
	uint64_t at;
	bool by_rip;

	if (d->r.code_bits == 16 || !address(d, bytes, &at, &by_rip))
		return false;
	set(d, d->reg, d->size, at);
	return true;
}

/* -- opcodes -- */

static bool two_bytes(struct decoder *d, const uint8_t *bytes)
{
	uint64_t op, at;
	unsigned from;
	bool by_rip;

	if (!take(d, 1, &op))
		return false;
	if (op == 0x1f) {
		const uint8_t *modrm = d->at;

		if (address(d, bytes, &at, &by_rip))
			return !(d->reg & 7);
		d->at = modrm;
		return registers(d) && !(d->reg & 7);
	}
	if (op >= 0x80 && op <= 0x8f)
		return jump(d, bytes, d->size == 2 ? 2 : 4, condition(d, op & 0xf));
	if (op == 0xb6 || op == 0xb7 || op == 0xbe || op == 0xbf) {
		if (!registers(d))
			return false;
		from = op & 1 ? 2 : 1;
		at = get(d, d->rm, from);
		/* The byte may be AH to BH, what it goes to is not. */
		set(d, d->reg, d->size, op & 8 ? sign_extend(at, from) : at);
		return true;
	}
	return false;
}

static bool group_one(struct decoder *d, unsigned op)
{
	unsigned size = op == 0x80 ? 1 : d->size;
	uint64_t b;

	if (!registers(d) || !immediate(d, op == 0x81 ? size : 1, &b))
		return false;
	operate(d, d->reg & 7, d->rm, size, b);
	return true;
}

/* ADD to CMP: between registers, or AL to RAX and a number. */
static bool arithmetic(struct decoder *d, unsigned op)
{
	unsigned size = op & 1 ? d->size : 1;
	uint64_t b;

	switch (op & 7) {
	case 0:
	case 1:
		if (!registers(d))
			return false;
		operate(d, op >> 3, d->rm, size, get(d, d->reg, size));
		return true;
	case 2:
	case 3:
		if (!registers(d))
			return false;
		operate(d, op >> 3, d->reg, size, get(d, d->rm, size));
		return true;
	case 4:
	case 5:
		if (!immediate(d, size, &b))
			return false;
		operate(d, op >> 3, INSN_RAX, size, b);
		return true;
	default:
		return false;
	}
}

static bool move(struct decoder *d, unsigned op)
{
	unsigned size = op & 1 ? d->size : 1;

	if (!registers(d))
		return false;
	if (op & 2)
		set(d, d->reg, size, get(d, d->rm, size));
	else
		set(d, d->rm, size, get(d, d->reg, size));
	return true;
}

static bool move_number(struct decoder *d, unsigned op)
{
	unsigned size = op & 8 ? d->size : 1;
	uint64_t value;

	if (!take(d, size, &value))
		return false;
	set(d, (op & 7) | (d->rex & REX_B ? 8 : 0), size, value);
	return true;
}

static bool one_byte(struct decoder *d, const uint8_t *bytes, unsigned op)
{
	unsigned size = op & 1 ? d->size : 1;
	uint64_t b;

	if (op == 0x0f)
		return two_bytes(d, bytes);
	if (op < 0x40)
		return arithmetic(d, op);
	if (op < 0x50) {        /* REX prefixes in 64-bit code: the caller has taken them */
		count(d, op & 7, d->size, op & 8);
		return d->r.code_bits != 64;
	}
	if ((op & 0xf0) == 0x70)
		return jump(d, bytes, 1, condition(d, op & 0xf));
	if ((op & 0xf0) == 0xb0)
		return move_number(d, op);
	switch (op) {
	case 0x80: case 0x81: case 0x83:
		return group_one(d, op);
	case 0x84: case 0x85:
		if (!registers(d))
			return false;
		test(d, size, get(d, d->rm, size), get(d, d->reg, size));
		return true;
	case 0xa8: case 0xa9:
		if (!immediate(d, size, &b))
			return false;
		test(d, size, get(d, INSN_RAX, size), b);
		return true;
	case 0x88: case 0x89: case 0x8a: case 0x8b:
		return move(d, op);
	case 0x8d:
		return lea(d, bytes);
	case 0x90:
		return !d->rex;
	case 0xc6: case 0xc7:
		if (!registers(d) || (d->reg & 7) || !immediate(d, size, &b))
			return false;
		set(d, d->rm, size, b);
		return true;
	case 0xe0: case 0xe1: case 0xe2: case 0xe3:
		return loop(d, bytes, op);
	case 0xe9:
		return jump(d, bytes, d->size == 2 ? 2 : 4, true);
	case 0xeb:
		return jump(d, bytes, 1, true);
	case 0xfe: case 0xff:
		if (!registers(d) || (d->reg & 7) > 1)
			return false;
		count(d, d->rm, size, d->reg & 1);
		return true;
	default:
		return false;
	}
}

/* ENDBR32 and ENDBR64 do nothing where control flow is not enforced, as with no guest of ours. */
static bool is_endbr(const uint8_t *bytes, size_t n)
{
	return n >= 4 && bytes[0] == 0xf3 && bytes[1] == 0x0f && bytes[2] == 0x1e && (bytes[3] == 0xfa || bytes[3] == 0xfb);
}

bool insn_plain(struct insn_regs *r, const uint8_t *bytes, size_t n)
{
	struct decoder d = { .r = *r, .at = bytes, .end = bytes + (n < INSN_BYTES_MAX ? n : INSN_BYTES_MAX) };
	uint64_t op;

	if (is_endbr(bytes, n)) {
		d.at += 4;
	} else {
		if (!take(&d, 1, &op))
			return false;
		if (op == 0x66) {
			d.small = true;
			if (!take(&d, 1, &op))
				return false;
		}
		if (r->code_bits == 64 && (op & 0xf0) == 0x40) {
			d.rex = (unsigned)op;
			if (!take(&d, 1, &op))
				return false;
		}
		d.size = d.rex & REX_W ? 8 : (r->code_bits == 16) == d.small ? 4 : 2;
		if (!one_byte(&d, bytes, (unsigned)op))
			return false;
	}
	d.r.rip += (uint64_t)(d.at - bytes);
	d.r.rflags &= ~RFLAGS_RF;
	*r = d.r;
	return true;
}
