/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Model-specific registers by number, and XCR0. */
#include "arch/x86/regs_priv.h"

#include <errno.h>
#include <inttypes.h>

#define XCR0_X87     (1ull << 0)
#define XCR0_SSE     (1ull << 1)
#define XCR0_AVX     (1ull << 2)
#define XCR0_BND     (3ull << 3)
#define XCR0_AVX512  (7ull << 5)
#define XCR0_TILE    (3ull << 17)

/* MSRs that are system registers too: written as those, so that what goes together stays so. */
static const struct {
	uint32_t index;
	reg_id reg;
} among_sregs[] = {
	{ 0x1b, X86_APIC_BASE }, { 0xc0000080, X86_EFER }, { 0xc0000100, X86_FS_BASE }, { 0xc0000101, X86_GS_BASE },
};

static int find_sreg(uint32_t index)
{
	for (size_t i = 0; i < sizeof(among_sregs) / sizeof(among_sregs[0]); i++)
		if (among_sregs[i].index == index)
			return (int)among_sregs[i].reg;
	return -1;
}

static bool is_address(const struct kvm_sregs *s, uint64_t value)
{
	return regs_canonical(s, value);
}

static bool is_word(const struct kvm_sregs *s, uint64_t value)
{
	(void)s;
	return !(value >> 32);
}

/* Eight memory types, a byte each: 2 and 3 are none (SDM vol. 3, 12.12.2). */
static bool is_pat(const struct kvm_sregs *s, uint64_t value)
{
	(void)s;
	for (unsigned i = 0; i < 64; i += 8)
		if ((value >> i & 0xff) > 7 || (value >> i & 0xfe) == 2)
			return false;
	return true;
}

/* Those that VM entry, or WRMSR, checks, and not every KVM. */
static const struct {
	uint32_t index;
	bool (*good)(const struct kvm_sregs *s, uint64_t value);
} checked[] = {
	{ 0x175, is_address }, { 0x176, is_address }, { 0x277, is_pat }, { 0xc0000082, is_address },
	{ 0xc0000083, is_address }, { 0xc0000102, is_address }, { 0xc0000103, is_word },
};

static bool takes(const struct vcpu *v, uint32_t index, uint64_t value)
{
	for (size_t i = 0; i < sizeof(checked) / sizeof(checked[0]); i++)
		if (checked[i].index == index)
			return checked[i].good(&v->run->s.regs.sregs, value);
	return true;
}

int regs_msr_access(struct vcpu *v, uint32_t index, uint64_t *value, bool write, struct err *err)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry;
	} m = { .head.nmsrs = 1, .entry = { .index = index, .data = *value } };
	int r = 0;

	if (!write || takes(v, index, *value))
		r = kvm_ioctl(v->fd, write ? KVM_SET_MSRS : KVM_GET_MSRS, &m);
	if (r != 1)
		return write ? err_set(err, r < 0 ? -r : EINVAL, "MSR 0x%x does not take 0x%" PRIx64, index, *value)
			     : err_set(err, r < 0 ? -r : EINVAL, "there is no MSR 0x%x that can be read", index);
	*value = m.entry.data;
	return 0;
}

int regs_msr_read(struct vcpu *v, uint32_t index, uint64_t *ret, struct err *err)
{
	uint64_t value = 0;
	int r = regs_msr_access(v, index, &value, false, err);

	if (!r)
		*ret = value;
	return r;
}

int regs_msr_write(struct vcpu *v, uint32_t index, uint64_t value, struct err *err)
{
	int reg = find_sreg(index);

	return reg >= 0 ? regs_write(v, (reg_id)reg, &value, err) : regs_msr_access(v, index, &value, true, err);
}

int regs_xcr0_read(struct vcpu *v, uint64_t *ret, struct err *err)
{
	struct kvm_xcrs x;
	int r = kvm_ioctl(v->fd, KVM_GET_XCRS, &x);

	for (unsigned i = 0; !r && i < x.nr_xcrs && i < KVM_MAX_XCRS; i++)
		if (x.xcrs[i].xcr == 0) {
			*ret = x.xcrs[i].value;
			return 0;
		}
	return err_set(err, r ? -r : ENOTSUP, "vCPU %u: its xcr0 cannot be read", v->id);
}

/* What is wrong with VALUE (SDM vol. 1, 13.3); NULL: nothing. */
static const char *xcr0_fault(const struct kvm *k, uint64_t value)
{
	const struct kvm_cpuid_entry2 *e = kvm_cpuid(k, 0xd, 0);
	uint64_t known = e ? e->eax | (uint64_t)e->edx << 32 : XCR0_X87 | XCR0_SSE, group;

	if (!(value & XCR0_X87))
		return "x87 cannot be off";
	if (value & ~known)
		return "this processor has no such state components";
	if ((value & XCR0_AVX) && !(value & XCR0_SSE))
		return "AVX needs SSE";
	group = value & XCR0_BND;
	if (group && group != XCR0_BND)
		return "the two of MPX go together";
	group = value & XCR0_AVX512;
	if (group && (group != XCR0_AVX512 || !(value & XCR0_AVX)))
		return "the three of AVX-512 go together, and with AVX";
	group = value & XCR0_TILE;
	if (group && group != XCR0_TILE)
		return "the two of AMX go together";
	return NULL;
}

int regs_xcr0_write(struct vcpu *v, uint64_t value, struct err *err)
{
	struct kvm_xcrs x = { .nr_xcrs = 1, .xcrs[0].value = value };
	const char *fault = xcr0_fault(&v->vm->kvm, value);
	int r;

	if (fault)
		return err_set(err, EINVAL, "xcr0 = 0x%" PRIx64 ": %s", value, fault);
	r = kvm_ioctl(v->fd, KVM_SET_XCRS, &x);
	return r ? err_set(err, EINVAL, "xcr0 = 0x%" PRIx64 ": KVM does not take it", value) : 0;
}
