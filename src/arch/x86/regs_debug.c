/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "arch/x86/regs_debug.h"

#include <errno.h>
#include <inttypes.h>

#include "arch/x86/x86.h"

#define CR4_DE     (1ull << 3)
#define CR4_LA57   (1ull << 12)

/* Bits that read as one, and those that a write changes. */
#define DR6_ONES   0xffff0ff0ull
#define DR6_OPEN   0xe00full
#define DR7_ONES   0x400ull
#define DR7_OPEN   0xffff23ffull

int regs_debug_fetch(struct vcpu *v, struct err *err)
{
	int r;

	if (v->arch->own_known)
		return 0;
	r = kvm_ioctl(v->fd, KVM_GET_DEBUGREGS, &v->arch->own);
	if (r)
		return err_errno(err, -r, "vCPU %u: KVM_GET_DEBUGREGS", v->id);
	v->arch->own_known = true;
	return 0;
}

/* Where a register is in D. */
static __u64 *place(struct kvm_debugregs *d, unsigned index)
{
	return index == DEBUG_REG_DR6 ? &d->dr6 : index == DEBUG_REG_DR7 ? &d->dr7 : &d->db[index];
}

int regs_debug_read(struct vcpu *v, unsigned index, uint64_t *ret, struct err *err)
{
	int r = regs_debug_fetch(v, err);

	if (!r)
		*ret = *place(&v->arch->own, index);
	return r;
}

static int check_address(const struct kvm_sregs *s, unsigned index, uint64_t value, struct err *err)
{
	unsigned spare = s->cr4 & CR4_LA57 ? 7 : 16;    /* bits above a canonical address */

	if ((int64_t)(value << spare) >> spare != (int64_t)value)
		return err_set(err, EINVAL, "dr%u: 0x%" PRIx64 " is not a canonical address", index, value);
	return 0;
}

/* Breakpoint N of DR7, where it is enabled. */
static int check_breakpoint(const struct kvm_sregs *s, uint64_t dr7, unsigned n, struct err *err)
{
	unsigned kind = dr7 >> (16 + 4 * n) & 3, len = dr7 >> (18 + 4 * n) & 3;

	if (!(dr7 >> (2 * n) & 3))
		return 0;
	if (kind == 0 && len)
		return err_set(err, EINVAL, "dr7: breakpoint %u is on execution, and longer than one byte", n);
	if (kind == 2 && !(s->cr4 & CR4_DE))
		return err_set(err, EINVAL, "dr7: breakpoint %u is on ports, which needs cr4.DE", n);
	if (len == 2 && !(s->efer & EFER_LMA))
		return err_set(err, EINVAL, "dr7: breakpoint %u is 8 bytes long, which needs long mode", n);
	return 0;
}

int regs_debug_write(struct vcpu *v, unsigned index, uint64_t value, struct err *err)
{
	const struct kvm_sregs *s = &v->run->s.regs.sregs;
	struct kvm_debugregs own;
	int r = regs_debug_fetch(v, err);

	if (!r && index < DEBUG_REG_DR6)
		r = check_address(s, index, value, err);
	else if (!r && value >> 32)
		r = err_set(err, EINVAL, "dr%u: bits 32 to 63 must be zero", index == DEBUG_REG_DR6 ? 6 : 7);
	if (!r && index == DEBUG_REG_DR6)
		value = (value & DR6_OPEN) | DR6_ONES;
	if (!r && index == DEBUG_REG_DR7) {
		value = (value & DR7_OPEN) | DR7_ONES;
		for (unsigned n = 0; n < 4 && !r; n++)
			r = check_breakpoint(s, value, n, err);
	}
	if (r)
		return r;
	own = v->arch->own;
	own.flags = 0;
	*place(&own, index) = value;
	r = kvm_ioctl(v->fd, KVM_SET_DEBUGREGS, &own);
	if (r)
		return err_errno(err, -r, "vCPU %u: KVM_SET_DEBUGREGS", v->id);
	v->arch->own = own;
	/* They may share the real ones with ours. */
	v->arch->debug_known = false;
	return 0;
}
