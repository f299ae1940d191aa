/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuzz/cpu.h"

#define CR0_PE    1ull
#define CR0_NE    (1ull << 5)
#define CR0_PG    (1ull << 31)
#define RFLAGS_VM (1ull << 17)

/* Numbers that code has in registers, and those at which it changes its mind. */
static uint64_t take_value(struct bytes *in)
{
	unsigned how = (unsigned)take(in, 1);

	switch (how >> 6) {
	case 0:
		return 0x10000 + (how & 63) * 0x40;
	case 1:
		return (how & 1 ? UINT64_MAX : 1ull << (how & 62)) - (how >> 1 & 3);
	case 2:
		return take(in, 8);
	default:
		return 0x10000 + take(in, 2);
	}
}

void cpu_take(struct bytes *in, struct insn_regs *ret)
{
	static const unsigned bits[] = { 64, 32, 16, 64 };
	static const uint64_t xcr0s[] = { 7, 1, 3, 0xe7 };
	unsigned how = (unsigned)take(in, 1), n = (unsigned)take(in, 1);
	struct insn_regs r = {
		.rip = 0x1000, .rflags = 2, .code_bits = bits[how & 3], .stack_bits = how & 4 ? 16 : 32, .xsave_size = 576,
		.cr0 = CR0_PE | CR0_NE | CR0_PG, .cr4 = 0x40600, .efer = 0x500, .xcr0 = 7, .cpl = how & 8 ? 3 : 0,
	};

	for (unsigned i = 0; i < INSN_GPRS; i++)
		r.gpr[i] = 0x10000 + 0x100 * i;
	for (unsigned i = n & 15; i; i--) {
		unsigned which = (unsigned)take(in, 1) & 15;

		r.gpr[which] = take_value(in);
	}
	if (n & 0x10)
		r.rflags = (take(in, 4) & 0x3f7fd5) | 2;
	if (n & 0x20)
		r.rip = take_value(in);
	if (n & 0x40) {
		r.base[INSN_FS] = take_value(in);
		r.base[INSN_GS] = take_value(in);
	}
	if (n & 0x80) {
		r.cr0 ^= take(in, 1) & 0x2e;
		r.cr4 ^= take(in, 3);
		r.xcr0 = xcr0s[take(in, 1) & 3];
		r.xsave_size = (unsigned)take(in, 2) % 4096;
	}
	if (r.code_bits == 64) {
		r.stack_bits = 64;
		r.rflags &= ~RFLAGS_VM;
	} else {
		r.efer = 0;
		r.rip = (uint32_t)r.rip;
		for (unsigned i = 0; i < INSN_GPRS; i++)
			r.gpr[i] = i < 8 ? (uint32_t)r.gpr[i] : 0;
	}
	if (r.code_bits == 16) {
		r.rip = (uint16_t)r.rip;
		if (how & 0x10)
			r.cr0 &= ~(CR0_PE | CR0_PG);
	} else {
		r.rflags &= ~RFLAGS_VM;
	}
	if (!(r.cr0 & CR0_PE)) {
		r.cpl = 0;
		r.rflags &= ~RFLAGS_VM;
	}
	if (r.rflags & RFLAGS_VM)
		r.cpl = 3;
	*ret = r;
}
