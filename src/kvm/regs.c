/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kvm/regs.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "kvm/regs_debug.h"

#define CR0_PE       1ull
#define CR0_PG       (1ull << 31)
#define CR4_LA57     (1ull << 12)
#define EFER_LMA     (1ull << 10)
#define RFLAGS_FIXED (1ull << 1)
#define RFLAGS_VM    (1ull << 17)
/* Bits 3, 5, 15 and those above ID read as zero. */
#define RFLAGS_KNOWN 0x3f7fd7ull

/* Offsets in the XSAVE area's legacy region (Intel SDM vol. 1, 10.5.1). */
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
#define XS_X87       1ull
#define XS_SSE       2ull
#define XS_AVX       4ull
#define MXCSR_KNOWN  0xffffu

enum reg_home { HOME_REGS, HOME_SREGS, HOME_PC, HOME_MSR, HOME_ST, HOME_FCTL, HOME_XMM, HOME_MXCSR, HOME_YMMH, HOME_DEBUG };

static const struct {
	enum reg_home home;
	uint32_t offset;        /* in the home; an index, for those in the XSAVE area */
	uint16_t bits;          /* width there */
} homes[REG_COUNT] = {
#define REG(id, n64, num64, bits64, t64, n32, num32, bits32, t32, feat, grp, home, off, hbits)                  \
	[X86_##id] = { HOME_##home, off, hbits },
#include "kvm/regs.def"
#undef REG
};

int regs_refresh(struct vcpu *v, struct err *err)
{
	int r = kvm_ioctl(v->fd, KVM_GET_REGS, &v->run->s.regs.regs);

	if (!r)
		r = kvm_ioctl(v->fd, KVM_GET_SREGS, &v->run->s.regs.sregs);
	v->xsave_valid = false;
	v->own_known = false;
	return r ? err_errno(err, -r, "vCPU %u: reading its registers", v->id) : 0;
}

static const struct kvm_regs *gp(const struct vcpu *v)
{
	return &v->run->s.regs.regs;
}

static const struct kvm_sregs *sys(const struct vcpu *v)
{
	return &v->run->s.regs.sregs;
}

static bool code64(const struct vcpu *v)
{
	return (sys(v)->efer & EFER_LMA) && sys(v)->cs.l;
}

static bool real_mode(const struct vcpu *v)
{
	return !(sys(v)->cr0 & CR0_PE) || (gp(v)->rflags & RFLAGS_VM);
}

uint64_t regs_pc(const struct vcpu *v)
{
	return code64(v) ? gp(v)->rip : (uint32_t)(sys(v)->cs.base + gp(v)->rip);
}

void regs_paging(const struct vcpu *v, struct paging *ret)
{
	*ret = (struct paging){
		.cr0 = sys(v)->cr0,
		.cr3 = sys(v)->cr3,
		.cr4 = sys(v)->cr4,
		.efer = sys(v)->efer,
		.phys_bits = v->vm->kvm.phys_bits,
	};
}

/* What keeps the vCPU from running; NULL: nothing. */
static const char *activity(struct vcpu *v)
{
	static const char *const names[] = {
		[KVM_MP_STATE_RUNNABLE] = NULL,
		[KVM_MP_STATE_UNINITIALIZED] = "waiting for INIT",
		[KVM_MP_STATE_INIT_RECEIVED] = "waiting for SIPI",
		[KVM_MP_STATE_HALTED] = "halted",
		[KVM_MP_STATE_SIPI_RECEIVED] = "starting",
	};
	struct kvm_mp_state mp;

	if (kvm_ioctl(v->fd, KVM_GET_MP_STATE, &mp) || mp.mp_state >= sizeof(names) / sizeof(names[0]))
		return "unknown";
	return names[mp.mp_state];
}

void regs_status(struct vcpu *v, struct cpu_status *ret)
{
	const struct kvm_sregs *s = sys(v);
	enum cpu_mode mode;

	if (!(s->cr0 & CR0_PE))
		mode = MODE_REAL;
	else if (gp(v)->rflags & RFLAGS_VM)
		mode = MODE_VM86;
	else if (!(s->efer & EFER_LMA))
		mode = s->cs.db ? MODE_PROT32 : MODE_PROT16;
	else
		mode = s->cs.l ? MODE_LONG : s->cs.db ? MODE_COMPAT32 : MODE_COMPAT16;
	*ret = (struct cpu_status){
		.mode = mode,
		.code_bits = regs_code_bits(v),
		.pc = regs_pc(v),
		.cs = s->cs.selector,
		.ip = gp(v)->rip,
		.cpl = mode == MODE_REAL ? 0 : mode == MODE_VM86 ? 3 : s->ss.dpl,
		.paging = s->cr0 & CR0_PG,
		.activity = activity(v),
	};
}

unsigned regs_code_bits(const struct vcpu *v)
{
	if (code64(v))
		return 64;
	return !real_mode(v) && sys(v)->cs.db ? 32 : 16;
}

void regs_insn(const struct vcpu *v, struct insn_regs *ret)
{
	const struct kvm_regs *g = gp(v);
	const struct kvm_sregs *s = sys(v);

	*ret = (struct insn_regs){
		.gpr = { g->rax, g->rcx, g->rdx, g->rbx, g->rsp, g->rbp, g->rsi, g->rdi,
			 g->r8, g->r9, g->r10, g->r11, g->r12, g->r13, g->r14, g->r15 },
		.rip = g->rip,
		.rflags = g->rflags,
		.base = { s->es.base, s->cs.base, s->ss.base, s->ds.base, s->fs.base, s->gs.base },
		.code_bits = regs_code_bits(v),
		.stack_bits = code64(v) ? 64 : !real_mode(v) && s->ss.db ? 32 : 16,
		.cr0 = s->cr0,
		.cr4 = s->cr4,
		.efer = s->efer,
		.cpl = !(s->cr0 & CR0_PE) ? 0 : g->rflags & RFLAGS_VM ? 3 : s->ss.dpl,
	};
}

bool regs_present(const struct kvm *k, enum reg_id reg)
{
	return homes[reg].home != HOME_YMMH || k->avx_offset;
}

static uint8_t *xsave_bytes(struct vcpu *v)
{
	return (uint8_t *)v->xsave->region;
}

int regs_xsave(struct vcpu *v, struct err *err)
{
	int r;

	if (v->xsave_valid)
		return 0;
	r = kvm_ioctl(v->fd, KVM_GET_XSAVE, v->xsave);
	if (r)
		return err_errno(err, -r, "vCPU %u: KVM_GET_XSAVE", v->id);
	v->xsave_valid = true;
	return 0;
}

static uint32_t get_le(const uint8_t *p, unsigned n)
{
	uint32_t value = 0;

	memcpy(&value, p, n);
	return value;
}

/* x87's tag word in full, of which the area keeps one bit a register: 0 valid, 1 zero, 2 special, 3 empty (SDM vol. 1, 8.1.7). */
static uint32_t full_tags(const uint8_t *x)
{
	unsigned top = get_le(x + XS_FSW, 2) >> 11 & 7;
	uint32_t tags = 0;

	for (unsigned i = 0; i < 8; i++) {
		const uint8_t *st = x + XS_ST + 16 * ((i - top) & 7);
		uint16_t exponent = (uint16_t)(get_le(st + 8, 2) & 0x7fff);
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
static uint8_t *xsave_place(struct vcpu *v, enum reg_id reg, size_t *ret_size, uint64_t *ret_component)
{
	uint8_t *x = xsave_bytes(v);
	uint32_t i = homes[reg].offset;

	*ret_size = 16;
	*ret_component = XS_SSE;
	switch (homes[reg].home) {
	case HOME_ST:
		*ret_size = 10;
		*ret_component = XS_X87;
		return x + XS_ST + 16 * i;
	case HOME_FCTL:
		*ret_size = fctl[i].size;
		*ret_component = XS_X87;
		return x + fctl[i].offset;
	case HOME_XMM:
		return x + XS_XMM + 16 * i;
	case HOME_MXCSR:
		*ret_size = 4;
		return x + XS_MXCSR;
	default:
		*ret_component = XS_AVX;
		return x + v->vm->kvm.avx_offset + 16 * i;
	}
}

static int xsave_read(struct vcpu *v, enum reg_id reg, uint8_t *ret, struct err *err)
{
	uint64_t component, present;
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
	} else if (component == XS_AVX && !(present & XS_AVX))
		memset(ret, 0, size);   /* a component in its initial state may hold anything */
	else
		memcpy(ret, p, size);
	return 0;
}

static int xsave_write(struct vcpu *v, enum reg_id reg, const uint8_t *value, struct err *err)
{
	struct kvm_xsave before;
	uint64_t component, present;
	uint32_t number;
	uint8_t *p;
	size_t size;
	int r = regs_xsave(v, err);

	if (r)
		return r;
	before = *v->xsave;
	p = xsave_place(v, reg, &size, &component);
	memcpy(&number, value, 4);
	if (reg == X86_MXCSR && (number & ~MXCSR_KNOWN))
		return err_set(err, EINVAL, "mxcsr 0x%x has reserved bits set", number);
	memcpy(&present, xsave_bytes(v) + XS_HEADER, 8);
	if (component == XS_AVX && !(present & XS_AVX))
		memset(xsave_bytes(v) + v->vm->kvm.avx_offset, 0, 256);
	present |= component;
	memcpy(xsave_bytes(v) + XS_HEADER, &present, 8);
	if (reg == X86_FTAG)
		*p = abridged_tags(number);
	else
		memcpy(p, value, size);
	r = kvm_ioctl(v->fd, KVM_SET_XSAVE, v->xsave);
	if (!r)
		return 0;
	*v->xsave = before;
	return err_errno(err, -r, "vCPU %u: KVM_SET_XSAVE", v->id);
}

static int msr_access(struct vcpu *v, uint32_t index, uint64_t *value, bool write, struct err *err)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry;
	} m = { .head.nmsrs = 1, .entry = { .index = index, .data = *value } };
	int r = kvm_ioctl(v->fd, write ? KVM_SET_MSRS : KVM_GET_MSRS, &m);

	if (r != 1)
		return err_set(err, r < 0 ? -r : EINVAL, "MSR 0x%x does not take this %s", index,
			       write ? "value" : "read");
	*value = m.entry.data;
	return 0;
}

int regs_read(struct vcpu *v, enum reg_id reg, void *ret, struct err *err)
{
	size_t size = reg_table[reg].view[RL_X86_64].bits / 8u, home_size = homes[reg].bits / 8u;
	uint8_t buf[REG_BYTES_MAX] = { 0 };
	uint64_t value = 0;
	int r = 0;

	if (!regs_present(&v->vm->kvm, reg))
		return err_set(err, ENOTSUP, "this processor has no %s", reg_table[reg].view[RL_X86_64].name);
	switch (homes[reg].home) {
	case HOME_REGS:
		memcpy(buf, (const uint8_t *)gp(v) + homes[reg].offset, home_size);
		break;
	case HOME_SREGS:
		memcpy(buf, (const uint8_t *)sys(v) + homes[reg].offset, home_size);
		break;
	case HOME_PC:
		value = regs_pc(v);
		memcpy(buf, &value, sizeof(value));
		break;
	case HOME_MSR:
		r = msr_access(v, homes[reg].offset, &value, false, err);
		memcpy(buf, &value, sizeof(value));
		break;
	case HOME_DEBUG:
		r = regs_debug_read(v, homes[reg].offset, &value, err);
		memcpy(buf, &value, sizeof(value));
		break;
	default:
		r = xsave_read(v, reg, buf, err);
	}
	if (!r)
		memcpy(ret, buf, size);
	return r;
}

/*
 * KVM_SET_REGS and KVM_SET_SREGS drop an exception that is about to be delivered, and the single-step flag: the first is put
 * back here, the second when the vCPU is next resumed.
 */
static int set_whole(struct vcpu *v, const struct kvm_regs *regs, const struct kvm_sregs *sregs)
{
	struct kvm_vcpu_events events;
	int r = kvm_ioctl(v->fd, KVM_GET_VCPU_EVENTS, &events);

	if (!r && sregs)
		r = kvm_ioctl(v->fd, KVM_SET_SREGS, (void *)(uintptr_t)sregs);
	if (!r && regs)
		r = kvm_ioctl(v->fd, KVM_SET_REGS, (void *)(uintptr_t)regs);
	if (!r && (events.exception.injected || events.exception.pending))
		r = kvm_ioctl(v->fd, KVM_SET_VCPU_EVENTS, &events);
	v->debug_known = false;
	if (!r && sregs)
		v->run->s.regs.sregs = *sregs;
	if (!r && regs)
		v->run->s.regs.regs = *regs;
	return r;
}

int regs_set_general(struct vcpu *v, const struct kvm_regs *regs)
{
	return set_whole(v, regs, NULL);
}

int regs_set_all(struct vcpu *v, const struct kvm_regs *regs, const struct kvm_sregs *sregs)
{
	return set_whole(v, regs, sregs);
}

int regs_msr(struct vcpu *v, uint32_t index, uint64_t *ret)
{
	*ret = 0;
	return msr_access(v, index, ret, false, NULL);
}

static int write_gp(struct vcpu *v, enum reg_id reg, uint64_t value, struct err *err)
{
	struct kvm_regs regs = *gp(v);
	int r;

	if (reg == X86_EFLAGS) {
		if (value & ~RFLAGS_KNOWN)
			return err_set(err, EINVAL, "eflags 0x%" PRIx64 " has reserved bits set", value);
		value |= RFLAGS_FIXED;
	}
	memcpy((uint8_t *)&regs + homes[reg].offset, &value, sizeof(value));
	r = set_whole(v, &regs, NULL);
	return r ? err_errno(err, -r, "vCPU %u: KVM_SET_REGS", v->id) : 0;
}

static int write_pc(struct vcpu *v, uint64_t pc, struct err *err)
{
	unsigned spare = sys(v)->cr4 & CR4_LA57 ? 7 : 16;       /* bits above a canonical address */
	uint64_t ip = pc, base = sys(v)->cs.base, limit = sys(v)->cs.db && !real_mode(v) ? 0xffffffff : 0xffff;

	if (!code64(v)) {
		ip = pc - base;
		if (pc < base || ip > limit)
			return err_set(err, EINVAL, "pc 0x%" PRIx64 " is out of reach of cs (base 0x%" PRIx64 ")", pc, base);
	} else if ((int64_t)(pc << spare) >> spare != (int64_t)pc)
		return err_set(err, EINVAL, "pc 0x%" PRIx64 " is not canonical", pc);
	return write_gp(v, X86_IP, ip, err);
}

/* The segment register of a selector row; NULL for other rows. */
static struct kvm_segment *segment_of(struct kvm_sregs *s, enum reg_id reg)
{
	switch (reg) {
	case X86_CS: return &s->cs;
	case X86_SS: return &s->ss;
	case X86_DS: return &s->ds;
	case X86_ES: return &s->es;
	case X86_FS: return &s->fs;
	case X86_GS: return &s->gs;
	default: return NULL;
	}
}

/* Loads a segment register as MOV would: from the descriptor table in protected mode, by the selector alone in real mode. */
static int load_segment(struct vcpu *v, struct kvm_sregs *s, struct kvm_segment *seg, uint16_t selector,
			struct err *err)
{
	uint64_t table = selector & 4 ? s->ldt.base : s->gdt.base, limit = selector & 4 ? s->ldt.limit : s->gdt.limit;
	struct paging p;
	uint64_t d;

	seg->selector = selector;
	if (real_mode(v)) {
		seg->base = (uint64_t)selector << 4;
		return 0;
	}
	if (!(selector & ~3u)) {
		if (seg == &s->cs)
			return err_set(err, EINVAL, "cs cannot hold a null selector");
		seg->unusable = 1;
		return 0;
	}
	regs_paging(v, &p);
	if ((selector | 7u) > limit)
		return err_set(err, EINVAL, "selector 0x%x is beyond its descriptor table", selector);
	if (vmem_read(v->vm->gmem, &p, table + (selector & ~7u), &d, 8, err) != 8)
		return err_prefix(err, -EINVAL, "the descriptor of selector 0x%x", selector);
	if (!(d >> 44 & 1) || !(d >> 47 & 1) || ((d >> 43 & 1) != (seg == &s->cs)))
		return err_set(err, EINVAL, "selector 0x%x names no present %s segment", selector,
			       seg == &s->cs ? "code" : "data");
	seg->base = (d >> 16 & 0xffffff) | (d >> 56) << 24;
	seg->limit = (uint32_t)((d & 0xffff) | (d >> 32 & 0xf0000));
	seg->g = d >> 55 & 1;
	if (seg->g)
		seg->limit = seg->limit << 12 | 0xfff;
	seg->type = (d >> 40 & 0xf) | 1;
	seg->s = 1;
	seg->dpl = d >> 45 & 3;
	seg->present = 1;
	seg->avl = d >> 52 & 1;
	seg->l = d >> 53 & 1;
	seg->db = d >> 54 & 1;
	seg->unusable = 0;
	return 0;
}

static int write_sys(struct vcpu *v, enum reg_id reg, uint64_t value, struct err *err)
{
	struct kvm_sregs sregs = *sys(v);
	struct kvm_segment *seg = segment_of(&sregs, reg);
	int r;

	if (seg) {
		if (value > 0xffff)
			return err_set(err, EINVAL, "a selector has 16 bits");
		r = load_segment(v, &sregs, seg, (uint16_t)value, err);
		if (r)
			return r;
	} else
		memcpy((uint8_t *)&sregs + homes[reg].offset, &value, homes[reg].bits / 8u);
	r = set_whole(v, NULL, &sregs);
	if (r)
		return err_set(err, EINVAL, "%s = 0x%" PRIx64 ": the processor does not take this value here",
			       reg_table[reg].view[RL_X86_64].name, value);
	return 0;
}

int regs_write(struct vcpu *v, enum reg_id reg, const void *new_value, struct err *err)
{
	size_t size = reg_table[reg].view[RL_X86_64].bits / 8u;
	uint8_t old[REG_BYTES_MAX];
	uint64_t value = 0;
	int r = regs_read(v, reg, old, err);

	/* Clients write whole register sets to change one. */
	if (r || !memcmp(old, new_value, size))
		return r;
	memcpy(&value, new_value, size < 8 ? size : 8);
	switch (homes[reg].home) {
	case HOME_REGS:
		r = write_gp(v, reg, value, err);
		break;
	case HOME_PC:
		r = write_pc(v, value, err);
		break;
	case HOME_SREGS:
		r = write_sys(v, reg, value, err);
		break;
	case HOME_MSR:
		return msr_access(v, homes[reg].offset, &value, true, err);
	case HOME_DEBUG:
		return regs_debug_write(v, homes[reg].offset, value, err);
	default:
		return xsave_write(v, reg, new_value, err);
	}
	/* At another pc than it stopped at, a breakpoint there is news. */
	if (!r && v->stop_pc != regs_pc(v))
		v->stop_pc_valid = false;
	return r;
}

int regs_inject(struct vcpu *v, unsigned vector, bool advance, struct err *err)
{
	struct kvm_vcpu_events events;
	struct kvm_regs regs = *gp(v);
	int r = 0;

	if (advance) {
		regs.rip++;
		r = set_whole(v, &regs, NULL);
	}
	if (!r)
		r = kvm_ioctl(v->fd, KVM_GET_VCPU_EVENTS, &events);
	if (!r) {
		events.exception.injected = 1;
		events.exception.nr = (uint8_t)vector;
		events.exception.has_error_code = 0;
		r = kvm_ioctl(v->fd, KVM_SET_VCPU_EVENTS, &events);
	}
	return r ? err_errno(err, -r, "vCPU %u: KVM_SET_VCPU_EVENTS", v->id) : 0;
}
