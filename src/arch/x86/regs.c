/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "arch/x86/regs.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "arch/x86/regs_debug.h"
#include "arch/x86/regs_priv.h"
#include "arch/x86/x86.h"

#define CR4_LA57     (1ull << 12)
#define RFLAGS_FIXED (1ull << 1)
/* Bits 3, 5, 15 and those above ID read as zero. */
#define RFLAGS_KNOWN 0x3f7fd7ull

const struct reg_place reg_places[X86_REGS] = {
#define REG(id, n64, num64, bits64, t64, n32, num32, bits32, t32, feat, grp, home, off, hbits)                  \
	[X86_##id] = { HOME_##home, off, hbits },
#include "arch/x86/regs.def"
#undef REG
};

int regs_refresh(struct vcpu *v, struct err *err)
{
	int r = kvm_ioctl(v->fd, KVM_GET_REGS, &v->run->s.regs.regs);

	if (!r)
		r = kvm_ioctl(v->fd, KVM_GET_SREGS, &v->run->s.regs.sregs);
	v->arch->xsave_valid = false;
	v->arch->own_known = false;
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

	if (v->arch->halted)
		return names[KVM_MP_STATE_HALTED];
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
		.mode = x86_modes[mode].name,
		.code_bits = regs_code_bits(v),
		.pc = regs_pc(v),
		.code_base = regs_pc(v) - gp(v)->rip,
		.privilege = mode == MODE_REAL ? 0 : mode == MODE_VM86 ? 3 : s->ss.dpl,
		.paging = s->cr0 & CR0_PG,
		.activity = activity(v),
	};
}

bool regs_has_codes(const struct vcpu *v)
{
	return v->run->s.regs.sregs.cr0 & CR0_PE;
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

struct kvm_regs regs_from_insn(const struct insn_regs *r)
{
	struct kvm_regs g = { .rip = r->rip, .rflags = r->rflags };

	g.rax = r->gpr[INSN_RAX];
	g.rcx = r->gpr[INSN_RCX];
	g.rdx = r->gpr[INSN_RDX];
	g.rbx = r->gpr[INSN_RBX];
	g.rsp = r->gpr[INSN_RSP];
	g.rbp = r->gpr[INSN_RBP];
	g.rsi = r->gpr[INSN_RSI];
	g.rdi = r->gpr[INSN_RDI];
	memcpy(&g.r8, &r->gpr[INSN_RDI + 1], 8 * sizeof(g.r8));
	return g;
}

bool regs_present(const struct kvm *k, reg_id reg)
{
	if (reg_places[reg].home >= HOME_ST)
		return regs_xsave_has(k, reg);
	return !k->arch->missing[reg];
}

void regs_probe(struct vcpu *v)
{
	uint64_t value;

	for (unsigned i = 0; i < X86_REGS; i++)
		if (reg_places[i].home == HOME_MSR || reg_places[i].home == HOME_XCR)
			v->vm->kvm.arch->missing[i] = regs_read(v, (reg_id)i, &value, NULL) != 0;
}

/*
 * What a segment register hides, as bits 40 to 55 of its descriptor with the limit's four left out, and bit 16: not
 * usable (SDM vol. 3, 24.4.1).
 */
#define ATTR_KNOWN 0x1f0ffull

static uint32_t get_attr(const struct kvm_segment *s)
{
	return s->type | (uint32_t)s->s << 4 | (uint32_t)s->dpl << 5 | (uint32_t)s->present << 7 |
	       (uint32_t)s->avl << 12 | (uint32_t)s->l << 13 | (uint32_t)s->db << 14 | (uint32_t)s->g << 15 |
	       (uint32_t)(s->unusable ? 1 : 0) << 16;
}

static void set_attr(struct kvm_segment *s, uint64_t attr)
{
	s->type = attr & 0xf;
	s->s = attr >> 4 & 1;
	s->dpl = attr >> 5 & 3;
	s->present = attr >> 7 & 1;
	s->avl = attr >> 12 & 1;
	s->l = attr >> 13 & 1;
	s->db = attr >> 14 & 1;
	s->g = attr >> 15 & 1;
	s->unusable = attr >> 16 & 1;
}

int regs_read(struct vcpu *v, reg_id reg, void *ret, struct err *err)
{
	size_t size = reg_full(reg)->bits / 8u, home_size = reg_places[reg].bits / 8u;
	uint8_t buf[REG_BYTES_MAX] = { 0 };
	uint64_t value = 0;
	int r = 0;

	if (!regs_present(&v->vm->kvm, reg))
		return err_set(err, ENOTSUP, "this processor has no %s", reg_full(reg)->name);
	switch (reg_places[reg].home) {
	case HOME_REGS:
		memcpy(buf, (const uint8_t *)gp(v) + reg_places[reg].offset, home_size);
		break;
	case HOME_SREGS:
		memcpy(buf, (const uint8_t *)sys(v) + reg_places[reg].offset, home_size);
		break;
	case HOME_PC:
		value = regs_pc(v);
		memcpy(buf, &value, sizeof(value));
		break;
	case HOME_MSR:
		r = regs_msr_access(v, reg_places[reg].offset, &value, false, err);
		memcpy(buf, &value, sizeof(value));
		break;
	case HOME_XCR:
		r = regs_xcr0_read(v, &value, err);
		memcpy(buf, &value, sizeof(value));
		break;
	case HOME_ATTR:
		value = get_attr((const struct kvm_segment *)((const uint8_t *)sys(v) + reg_places[reg].offset));
		memcpy(buf, &value, sizeof(value));
		break;
	case HOME_DEBUG:
		r = regs_debug_read(v, reg_places[reg].offset, &value, err);
		memcpy(buf, &value, sizeof(value));
		break;
	default:
		r = regs_xsave_read(v, reg, buf, err);
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
		r = vcpu_set_events(v, &events);
	v->arch->debug_known = false;
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

void regs_set_later(struct vcpu *v, const struct kvm_regs *regs)
{
	v->run->s.regs.regs = *regs;
	v->run->kvm_dirty_regs |= KVM_SYNC_X86_REGS;
}

int regs_settle(struct vcpu *v)
{
	int r;

	if (!v->run->kvm_dirty_regs)
		return 0;
	r = kvm_ioctl(v->fd, KVM_SET_REGS, &v->run->s.regs.regs);
	if (r)
		return r;
	v->run->kvm_dirty_regs = 0;
	/* The trap flag of a step went. */
	if (v->arch->debug.control & KVM_GUESTDBG_SINGLESTEP)
		v->arch->debug_known = false;
	return 0;
}

int regs_set_all(struct vcpu *v, const struct kvm_regs *regs, const struct kvm_sregs *sregs)
{
	return set_whole(v, regs, sregs);
}

int regs_msr(struct vcpu *v, uint32_t index, uint64_t *ret)
{
	*ret = 0;
	return regs_msr_access(v, index, ret, false, NULL);
}

static int write_gp(struct vcpu *v, reg_id reg, uint64_t value, struct err *err)
{
	struct kvm_regs regs = *gp(v);
	int r;

	if (reg == X86_EFLAGS) {
		if (value & ~RFLAGS_KNOWN)
			return err_set(err, EINVAL, "eflags 0x%" PRIx64 " has reserved bits set", value);
		/* MOV and POPF cannot change it either: the segment registers are other ones then. */
		if ((value ^ regs.rflags) & RFLAGS_VM)
			return err_set(err, EINVAL, "eflags.VM changes only by a task switch or iret");
		value |= RFLAGS_FIXED;
	}
	memcpy((uint8_t *)&regs + reg_places[reg].offset, &value, sizeof(value));
	r = set_whole(v, &regs, NULL);
	return r ? err_errno(err, -r, "vCPU %u: KVM_SET_REGS", v->id) : 0;
}

/* Outside 64-bit code: the last offset that code can run at. */
static uint64_t ip_limit(const struct vcpu *v)
{
	return sys(v)->cs.db && !real_mode(v) ? 0xffffffff : 0xffff;
}

static int write_ip(struct vcpu *v, uint64_t ip, struct err *err)
{
	unsigned spare = sys(v)->cr4 & CR4_LA57 ? 7 : 16;       /* bits above a canonical address */

	if (code64(v) && (int64_t)(ip << spare) >> spare != (int64_t)ip)
		return err_set(err, EINVAL, "pc 0x%" PRIx64 " is not canonical", ip);
	if (!code64(v) && ip > ip_limit(v))
		return err_set(err, EINVAL, "ip 0x%" PRIx64 " is beyond 0x%" PRIx64, ip, ip_limit(v));
	return write_gp(v, X86_IP, ip, err);
}

static int write_pc(struct vcpu *v, uint64_t pc, struct err *err)
{
	uint64_t base = sys(v)->cs.base;

	if (code64(v))
		return write_ip(v, pc, err);
	if (pc < base || pc - base > ip_limit(v))
		return err_set(err, EINVAL, "pc 0x%" PRIx64 " is out of reach of cs (base 0x%" PRIx64 ")", pc, base);
	return write_gp(v, X86_IP, pc - base, err);
}

/* The segment register of a selector row; NULL for other rows. */
static struct kvm_segment *segment_of(struct kvm_sregs *s, reg_id reg)
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

static int write_sys(struct vcpu *v, reg_id reg, uint64_t value, struct err *err)
{
	const char *name = reg_full(reg)->name;
	const struct reg_place *place = &reg_places[reg];
	struct kvm_sregs sregs = *sys(v);
	struct kvm_segment *seg = segment_of(&sregs, reg);
	int r;

	if (place->bits < 64 && value >> place->bits)
		return err_set(err, EINVAL, "%s has %u bits", name, place->bits);
	if (place->home == HOME_ATTR && (value & ~ATTR_KNOWN))
		return err_set(err, EINVAL, "%s = 0x%" PRIx64 " has reserved bits set", name, value);
	if (seg) {
		r = load_segment(v, &sregs, seg, (uint16_t)value, err);
		if (r)
			return r;
	} else if (place->home == HOME_ATTR)
		set_attr((struct kvm_segment *)((uint8_t *)&sregs + place->offset), value);
	else
		memcpy((uint8_t *)&sregs + place->offset, &value, place->bits / 8u);
	r = regs_check(&v->vm->kvm, gp(v), sys(v), &sregs, err);
	if (r)
		return err_prefix(err, r, "%s = 0x%" PRIx64, name, value);
	r = set_whole(v, NULL, &sregs);
	if (!r)
		return 0;
	/* KVM may have taken a part. */
	kvm_ioctl(v->fd, KVM_SET_SREGS, &v->run->s.regs.sregs);
	return err_set(err, EINVAL, "%s = 0x%" PRIx64 ": the processor does not take this value here", name, value);
}

int regs_write(struct vcpu *v, reg_id reg, const void *new_value, struct err *err)
{
	size_t size = reg_full(reg)->bits / 8u;
	uint8_t old[REG_BYTES_MAX];
	uint64_t value = 0, pc = regs_pc(v);
	int r = regs_read(v, reg, old, err);

	/* Clients write whole register sets to change one. */
	if (r || !memcmp(old, new_value, size))
		return r;
	memcpy(&value, new_value, size < 8 ? size : 8);
	switch (reg_places[reg].home) {
	case HOME_REGS:
		r = reg == X86_IP ? write_ip(v, value, err) : write_gp(v, reg, value, err);
		break;
	case HOME_PC:
		r = write_pc(v, value, err);
		break;
	case HOME_SREGS:
	case HOME_ATTR:
		r = write_sys(v, reg, value, err);
		break;
	case HOME_MSR:
		return regs_msr_access(v, reg_places[reg].offset, &value, true, err);
	case HOME_XCR:
		return regs_xcr0_write(v, value, err);
	case HOME_DEBUG:
		return regs_debug_write(v, reg_places[reg].offset, value, err);
	default:
		return regs_xsave_write(v, reg, new_value, err);
	}
	/* At another pc than it stopped at, a breakpoint there is news. */
	if (!r && v->stop_pc != regs_pc(v))
		v->stop_pc_valid = false;
	/* A step that is owed is the instruction's that was there. */
	if (!r && pc != regs_pc(v))
		v->over = 0;
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
		v->run->ready_for_interrupt_injection = 0;
		r = vcpu_set_events(v, &events);
	}
	return r ? err_errno(err, -r, "vCPU %u: KVM_SET_VCPU_EVENTS", v->id) : 0;
}
