/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Intel SDM vol. 1, 3.4.3 (eflags), 10.2.3 (mxcsr), 13.3 (xcr0); vol. 3, 2.5 (control registers), 2.2.1 (efer), 11.4.4 (APIC
 * base), 12.12.2 (PAT), 17.2 (debug registers), 24.4.1 (what segment registers hide); AMD APM vol. 2, 3.1.7 (efer).
 */
#include "arch/x86/x86_regs.h"

#define BIT(name, bit) { name, bit, bit }

static const struct reg_field eflags[] = {
	BIT("CF", 0), BIT("PF", 2), BIT("AF", 4), BIT("ZF", 6), BIT("SF", 7), BIT("TF", 8), BIT("IF", 9), BIT("DF", 10),
	BIT("OF", 11), { "IOPL", 12, 13 }, BIT("NT", 14), BIT("RF", 16), BIT("VM", 17), BIT("AC", 18), BIT("VIF", 19),
	BIT("VIP", 20), BIT("ID", 21),
};

static const struct reg_field mxcsr[] = {
	BIT("IE", 0), BIT("DE", 1), BIT("ZE", 2), BIT("OE", 3), BIT("UE", 4), BIT("PE", 5), BIT("DAZ", 6), BIT("IM", 7),
	BIT("DM", 8), BIT("ZM", 9), BIT("OM", 10), BIT("UM", 11), BIT("PM", 12), { "RC", 13, 14 }, BIT("FZ", 15),
};

static const struct reg_field cr0[] = {
	BIT("PE", 0), BIT("MP", 1), BIT("EM", 2), BIT("TS", 3), BIT("ET", 4), BIT("NE", 5), BIT("WP", 16), BIT("AM", 18),
	BIT("NW", 29), BIT("CD", 30), BIT("PG", 31),
};

static const struct reg_field cr4[] = {
	BIT("VME", 0), BIT("PVI", 1), BIT("TSD", 2), BIT("DE", 3), BIT("PSE", 4), BIT("PAE", 5), BIT("MCE", 6), BIT("PGE", 7),
	BIT("PCE", 8), BIT("OSFXSR", 9), BIT("OSXMMEXCPT", 10), BIT("UMIP", 11), BIT("LA57", 12), BIT("VMXE", 13),
	BIT("SMXE", 14), BIT("FSGSBASE", 16), BIT("PCIDE", 17), BIT("OSXSAVE", 18), BIT("SMEP", 20), BIT("SMAP", 21),
	BIT("PKE", 22), BIT("CET", 23), BIT("PKS", 24),
};

static const struct reg_field efer[] = {
	BIT("SCE", 0), BIT("LME", 8), BIT("LMA", 10), BIT("NXE", 11), BIT("SVME", 12), BIT("LMSLE", 13), BIT("FFXSR", 14),
	BIT("TCE", 15), BIT("AUTOIBRS", 21),
};

static const struct reg_field dr6[] = {
	BIT("B0", 0), BIT("B1", 1), BIT("B2", 2), BIT("B3", 3), BIT("BLD", 11), BIT("BD", 13), BIT("BS", 14), BIT("BT", 15),
	BIT("RTM", 16),
};

static const struct reg_field dr7[] = {
	BIT("L0", 0), BIT("G0", 1), BIT("L1", 2), BIT("G1", 3), BIT("L2", 4), BIT("G2", 5), BIT("L3", 6), BIT("G3", 7),
	BIT("LE", 8), BIT("GE", 9), BIT("RTM", 11), BIT("GD", 13), { "RW0", 16, 17 }, { "LEN0", 18, 19 },
	{ "RW1", 20, 21 }, { "LEN1", 22, 23 }, { "RW2", 24, 25 }, { "LEN2", 26, 27 }, { "RW3", 28, 29 },
	{ "LEN3", 30, 31 },
};

static const struct reg_field attr[] = {
	{ "type", 0, 3 }, BIT("S", 4), { "DPL", 5, 6 }, BIT("P", 7), BIT("AVL", 12), BIT("L", 13), BIT("DB", 14), BIT("G", 15),
	BIT("unusable", 16),
};

static const struct reg_field xcr0[] = {
	BIT("x87", 0), BIT("SSE", 1), BIT("AVX", 2), BIT("BNDREGS", 3), BIT("BNDCSR", 4), BIT("opmask", 5),
	BIT("ZMM_Hi256", 6), BIT("Hi16_ZMM", 7), BIT("PKRU", 9), BIT("TILECFG", 17), BIT("TILEDATA", 18),
};

static const struct reg_field pat[] = {
	{ "PA0", 0, 2 }, { "PA1", 8, 10 }, { "PA2", 16, 18 }, { "PA3", 24, 26 }, { "PA4", 32, 34 }, { "PA5", 40, 42 },
	{ "PA6", 48, 50 }, { "PA7", 56, 58 },
};

static const struct reg_field apic_base[] = { BIT("BSP", 8), BIT("EXTD", 10), BIT("EN", 11) };

#define FIELDS(array) array, sizeof(array) / sizeof((array)[0])

const struct reg_bits x86_bits[X86_BITS_COUNT] = {
	{ "i386_eflags", RF_CORE, true, FIELDS(eflags) },
	{ "i386_mxcsr", RF_SSE, true, FIELDS(mxcsr) },
	{ "x86_cr0", RF_SYSTEM, false, FIELDS(cr0) },
	{ "x86_cr4", RF_SYSTEM, false, FIELDS(cr4) },
	{ "x86_efer", RF_SYSTEM, false, FIELDS(efer) },
	{ "x86_dr6", RF_SYSTEM, false, FIELDS(dr6) },
	{ "x86_dr7", RF_SYSTEM, false, FIELDS(dr7) },
	{ "x86_attr", RF_SYSTEM, false, FIELDS(attr) },
	{ "x86_xcr0", RF_SYSTEM, false, FIELDS(xcr0) },
	{ "x86_pat", RF_SYSTEM, false, FIELDS(pat) },
	{ "x86_apic_base", RF_SYSTEM, false, FIELDS(apic_base) },
};
