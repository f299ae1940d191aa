/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Registers in the XSAVE area (Intel SDM vol. 1, 13.4): x87, SSE, AVX, AVX-512, protection keys. */
#include "arch/x86/regs_priv.h"

#include <errno.h>
#include <string.h>

#include "util/le.h"

/* Offsets in the area's legacy region (Intel SDM vol. 1, 10.5.1). */
#define XS_FCW       0
#define XS_FSW       2
#define XS_FTW       4
#define XS_FOP       6
#define XS_FIP       8
#define XS_FDP       16
#define XS_MXCSR     24
#define XS_ST        32
#define XS_XMM       160
#define XS_HEADER    512
#define MXCSR_KNOWN  0xffffu

/* State components; the first two have the legacy region. */
enum { XC_X87, XC_SSE, XC_AVX, XC_OPMASK = 5, XC_ZMM_LOW, XC_ZMM_HIGH, XC_PKRU = 9 };

/* Homes in a component: from the component's start, and from one register to the next. */
static const struct xsave_home {
	uint8_t component, size, start, stride;
} in_components[] = {
	[HOME_YMMH] = { XC_AVX, 16, 0, 16 },
	[HOME_OPMASK] = { XC_OPMASK, 8, 0, 8 },
	[HOME_ZMMH] = { XC_ZMM_LOW, 32, 0, 32 },
	[HOME_XMMX] = { XC_ZMM_HIGH, 16, 0, 64 },
	[HOME_YMMXH] = { XC_ZMM_HIGH, 16, 16, 64 },
	[HOME_ZMMXH] = { XC_ZMM_HIGH, 32, 32, 64 },
	[HOME_PKRU] = { XC_PKRU, 4, 0, 4 },
};

static bool has_component(const struct kvm *k, unsigned component)
{
	const struct xsave_component *c = &k->arch->xsave[component];

	return c->size && c->offset + c->size <= sizeof(((struct kvm_xsave *)0)->region);
}

bool regs_xsave_has(const struct kvm *k, reg_id reg)
{
	enum reg_home home = reg_places[reg].home;

	if (home < HOME_YMMH)
		return true;
	if (home == HOME_YMMH || home == HOME_PKRU)
		return has_component(k, in_components[home].component);
	/* Clients want all of AVX-512, and AVX, or none. */
	return has_component(k, XC_AVX) && has_component(k, XC_OPMASK) && has_component(k, XC_ZMM_LOW) &&
	       has_component(k, XC_ZMM_HIGH);
}

static uint8_t *xsave_bytes(struct vcpu *v)
{
	return (uint8_t *)v->arch->xsave->region;
}

int regs_xsave(struct vcpu *v, struct err *err)
{
	int r;

	if (v->arch->xsave_valid)
		return 0;
	r = kvm_ioctl(v->fd, KVM_GET_XSAVE, v->arch->xsave);
	if (r)
		return err_errno(err, -r, "vCPU %u: KVM_GET_XSAVE", v->id);
	v->arch->xsave_valid = true;
	return 0;
}

/*
 * x87's tag word in full, of which the area keeps one bit a register: 0 valid, 1 zero, 2 special, 3 empty (SDM vol. 1,
 * 8.1.7).
 */
static uint32_t full_tags(const uint8_t *x)
{
	unsigned top = le_get(x + XS_FSW, 2) >> 11 & 7;
	uint32_t tags = 0;

	for (unsigned i = 0; i < 8; i++) {
		const uint8_t *st = x + XS_ST + 16 * ((i - top) & 7);
		uint16_t exponent = (uint16_t)(le_get(st + 8, 2) & 0x7fff);
		uint64_t mantissa;
		uint32_t tag;

		memcpy(&mantissa, st, 8);
		if (!(x[XS_FTW] >> i & 1))
			tag = 3;
		else if (!exponent && !mantissa)
			tag = 1;
		else
			tag = exponent && exponent != 0x7fff && mantissa >> 63 ? 0 : 2;
		tags |= tag << (2 * i);
	}
	return tags;
}

static uint8_t abridged_tags(uint32_t tags)
{
	uint8_t bits = 0;

	for (unsigned i = 0; i < 8; i++)
		if ((tags >> (2 * i) & 3) != 3)
			bits |= (uint8_t)(1u << i);
	return bits;
}

/* gdb's eight x87 control registers, in the table's order; the tag word is made, not stored. */
enum { FCTL_CTRL, FCTL_STAT, FCTL_TAG, FCTL_ISEG, FCTL_IOFF, FCTL_OSEG, FCTL_OOFF, FCTL_OP };
static const struct {
	uint8_t offset, size;
} fctl[] = {
	[FCTL_CTRL] = { XS_FCW, 2 },     [FCTL_STAT] = { XS_FSW, 2 }, [FCTL_TAG] = { XS_FTW, 1 },
	[FCTL_ISEG] = { XS_FIP + 4, 2 }, [FCTL_IOFF] = { XS_FIP, 4 }, [FCTL_OSEG] = { XS_FDP + 4, 2 },
	[FCTL_OOFF] = { XS_FDP, 4 },     [FCTL_OP] = { XS_FOP, 2 },
};

/* Where in the XSAVE area a row lives, how many bytes, and the state component that makes it count. */
static uint8_t *xsave_place(struct vcpu *v, reg_id reg, size_t *ret_size, unsigned *ret_component)
{
	enum reg_home home = reg_places[reg].home;
	uint32_t i = reg_places[reg].offset;
	uint8_t *x = xsave_bytes(v);

	*ret_component = home == HOME_ST || home == HOME_FCTL ? XC_X87 : XC_SSE;
	switch (home) {
	case HOME_ST:
		*ret_size = 10;
		return x + XS_ST + 16 * i;
	case HOME_FCTL:
		*ret_size = fctl[i].size;
		return x + fctl[i].offset;
	case HOME_XMM:
		*ret_size = 16;
		return x + XS_XMM + 16 * i;
	case HOME_MXCSR:
		*ret_size = 4;
		return x + XS_MXCSR;
	default:
		*ret_size = in_components[home].size;
		*ret_component = in_components[home].component;
		return x + v->vm->kvm.arch->xsave[*ret_component].offset + in_components[home].start +
		       in_components[home].stride * i;
	}
}

int regs_xsave_read(struct vcpu *v, reg_id reg, uint8_t *ret, struct err *err)
{
	unsigned component;
	uint64_t present;
	uint32_t tags;
	uint8_t *p;
	size_t size;
	int r = regs_xsave(v, err);

	if (r)
		return r;
	p = xsave_place(v, reg, &size, &component);
	memcpy(&present, xsave_bytes(v) + XS_HEADER, 8);
	if (reg == X86_FTAG) {
		tags = full_tags(xsave_bytes(v));
		memcpy(ret, &tags, 4);
	} else if (component >= XC_AVX && !(present >> component & 1))
		memset(ret, 0, size);   /* a component in its initial state may hold anything */
	else
		memcpy(ret, p, size);
	return 0;
}

int regs_xsave_write(struct vcpu *v, reg_id reg, const uint8_t *value, struct err *err)
{
	const struct xsave_component *c;
	struct kvm_xsave before;
	unsigned component;
	uint64_t present;
	uint32_t number;
	uint8_t *p;
	size_t size;
	int r = regs_xsave(v, err);

	if (r)
		return r;
	before = *v->arch->xsave;
	p = xsave_place(v, reg, &size, &component);
	memcpy(&number, value, 4);
	if (reg == X86_MXCSR && (number & ~MXCSR_KNOWN))
		return err_set(err, EINVAL, "mxcsr 0x%x has reserved bits set", number);
	memcpy(&present, xsave_bytes(v) + XS_HEADER, 8);
	if (component >= XC_AVX && !(present >> component & 1)) {
		c = &v->vm->kvm.arch->xsave[component];
		memset(xsave_bytes(v) + c->offset, 0, c->size);
	}
	present |= 1ull << component;
	memcpy(xsave_bytes(v) + XS_HEADER, &present, 8);
	if (reg == X86_FTAG)
		*p = abridged_tags(number);
	else
		memcpy(p, value, size);
	r = kvm_ioctl(v->fd, KVM_SET_XSAVE, v->arch->xsave);
	if (!r)
		return 0;
	*v->arch->xsave = before;
	return err_errno(err, -r, "vCPU %u: KVM_SET_XSAVE", v->id);
}
