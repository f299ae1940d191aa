/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "arch/x86/assist_kvm.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/x86/insn/assist.h"
#include "arch/x86/insn/native.h"
#include "arch/x86/assist_mem.h"
#include "arch/x86/board.h"
#include "arch/x86/debug.h"
#include "kvm/guest_mem.h"
#include "arch/x86/regs.h"
#include "arch/x86/space.h"
#include "arch/x86/watch_kvm.h"
#include "arch/x86/hostid.h"

#define VECTOR_DB 1
#define VECTOR_PF 14
#define DR6_BS    (1ull << 14)
#define XCR0      0
#define CR4_PGE   (1ull << 7)

struct assister {
	unsigned features;
	uint64_t host;          /* assist_host_features() */
	struct {
		struct native *runs;
		bool tried;             /* runs is NULL where the host does not let us */
	} native[MACHINE_CPUS_MAX];     /* made by each vCPU's thread when it first needs it */
	struct assist_component component[ASSIST_COMPONENTS];
	atomic_ullong count[ASSIST_NAMES];
};

static const struct kvm_cpuid_entry2 *cpuid_find(const struct kvm *k, uint32_t function, uint32_t index)
{
	for (unsigned i = 0; i < k->arch->cpuid->nent; i++)
		if (k->arch->cpuid->entries[i].function == function && k->arch->cpuid->entries[i].index == index)
			return &k->arch->cpuid->entries[i];
	return NULL;
}

int assister_new(const struct kvm *k, struct assister **ret, struct err *err)
{
	enum { EAX = HOSTID_EAX, EBX = HOSTID_EBX, ECX = HOSTID_ECX, EDX = HOSTID_EDX };
	static const struct {
		uint32_t function, index;
		unsigned reg, bit, feature;
	} bits[] = {
		{ 1, 0, EDX, 24, ASSIST_FXSR },    { 1, 0, EDX, 25, ASSIST_SSE },     { 1, 0, EDX, 26, ASSIST_SSE2 },
		{ 1, 0, ECX, 0, ASSIST_SSE3 },     { 1, 0, ECX, 19, ASSIST_SSE41 },   { 1, 0, ECX, 23, ASSIST_POPCNT },
		{ 1, 0, ECX, 26, ASSIST_XSAVE },   { 1, 0, ECX, 28, ASSIST_AVX },     { 7, 0, EBX, 5, ASSIST_AVX2 },
		{ 1, 0, EDX, 8, ASSIST_CX8 },      { 1, 0, ECX, 13, ASSIST_CX16 },
		{ 7, 0, EBX, 20, ASSIST_SMAP },    { 0xd, 1, EAX, 0, ASSIST_XSAVEOPT }, { 0xd, 1, EAX, 1, ASSIST_XSAVEC },
		{ 0xd, 1, EAX, 2, ASSIST_XGETBV1 }, { 0xd, 1, EAX, 3, ASSIST_XSAVES },
	};
	struct assister *a = calloc(1, sizeof(*a));
	struct hostid host = { 0 };

	if (!a)
		return err_set(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
		const struct kvm_cpuid_entry2 *e = cpuid_find(k, bits[i].function, bits[i].index);
		/*
		 * A KVM without hardware virtualization says less than what its guests' CPUID shows, and than what runs when
		 * they are in user mode: the processor's own.
		 */
		const uint32_t *value = hostid_leaf(&host, bits[i].function, bits[i].index);
		uint32_t kvms[4] = { 0 };

		if (e)
			memcpy(kvms, (uint32_t[]){ e->eax, e->ebx, e->ecx, e->edx }, sizeof(kvms));
		if ((value[bits[i].reg] | kvms[bits[i].reg]) >> bits[i].bit & 1)
			a->features |= bits[i].feature;
	}
	for (unsigned i = 2; i < ASSIST_COMPONENTS; i++) {
		const struct kvm_cpuid_entry2 *e = cpuid_find(k, 0xd, i);

		/* ECX bit 0: a component of IA32_XSS, which has no place in the standard form. */
		if (e && !(e->ecx & 1))
			a->component[i] = (struct assist_component){ e->ebx, e->eax, e->ecx >> 1 & 1 };
	}
	a->host = assist_host_features();
	*ret = a;
	return 0;
}

void assister_free(struct assister *a)
{
	for (unsigned i = 0; a && i < MACHINE_CPUS_MAX; i++)
		native_free(a->native[i].runs);
	free(a);
}

static struct native *native_of(struct assister *a, unsigned cpu)
{
	if (!a->native[cpu].tried)
		native_new(&a->native[cpu].runs, NULL);
	a->native[cpu].tried = true;
	return a->native[cpu].runs;
}

void assister_prepare(struct assister *a, unsigned ncpus)
{
	for (unsigned i = 0; i < ncpus; i++)
		native_of(a, i);
}

bool assister_count(const struct assister *a, size_t index, struct assist_count *ret)
{
	if (index >= ASSIST_NAMES)
		return false;
	*ret = (struct assist_count){ assist_name((enum assist_name)index), atomic_load(&a->count[index]) };
	return true;
}

/* -- its registers -- */

static int load_state(struct vcpu *v, struct assist_cpu *cpu, bool xcr0)
{
	struct kvm_xcrs xcrs = { .nr_xcrs = 0 };
	int r = regs_xsave(v, NULL);

	if (!r && xcr0)
		r = kvm_ioctl(v->fd, KVM_GET_XCRS, &xcrs);
	if (r)
		return r;
	for (unsigned i = 0; i < xcrs.nr_xcrs; i++)
		if (xcrs.xcrs[i].xcr == XCR0)
			cpu->regs.xcr0 = xcrs.xcrs[i].value;
	cpu->xsave = (uint8_t *)v->arch->xsave->region;
	cpu->xsave_size = sizeof(v->arch->xsave->region);
	memcpy(cpu->component, v->vm->arch->assister->component, sizeof(cpu->component));
	return 0;
}

static int set_special(struct vcpu *v, struct kvm_sregs s)
{
	int r = kvm_ioctl(v->fd, KVM_SET_SREGS, &s);

	if (!r)
		v->run->s.regs.sregs = s;
	return r;
}

static int set_cr2(struct vcpu *v, uint64_t cr2)
{
	struct kvm_sregs s = v->run->s.regs.sregs;

	s.cr2 = cr2;
	return set_special(v, s);
}

static int on_read_msr(void *arg, uint32_t index, uint64_t *ret)
{
	return regs_msr(arg, index, ret);
}

/* KVM drops what it remembers of translations when a bit of CR4 changes that is about them. */
static int flush_translations(struct vcpu *v)
{
	struct kvm_sregs s = v->run->s.regs.sregs, other = s;
	int r;

	other.cr4 ^= CR4_PGE;
	r = kvm_ioctl(v->fd, KVM_SET_SREGS, &other);
	return r ? r : kvm_ioctl(v->fd, KVM_SET_SREGS, &s);
}

static int set_cs(struct vcpu *v, const struct assist_code_segment *cs)
{
	struct kvm_sregs s = v->run->s.regs.sregs;

	s.cs = (struct kvm_segment){
		.base = cs->base, .limit = cs->limit, .selector = cs->selector, .type = cs->type, .present = 1, .dpl = cs->dpl,
		.db = cs->big, .s = 1, .g = cs->coarse, .avl = cs->spare,
	};
	return set_special(v, s);
}

/*
 * What is pending for the guest from now on.  A failed emulation may have left an exception of KVM's own (#UD), which goes; so
 * does the interrupt shadow of the instruction before.
 */
static int store_events(struct vcpu *v, const struct assist_result *res)
{
	struct kvm_vcpu_events e;
	int r = kvm_ioctl(v->fd, KVM_GET_VCPU_EVENTS, &e);

	if (r)
		return r;
	memset(&e.exception, 0, sizeof(e.exception));
	if (res->unmask_nmi)
		e.nmi.masked = 0;
	if (res->kind != ASSIST_EXCEPTION) {
		e.flags |= KVM_VCPUEVENT_VALID_SHADOW;
		e.interrupt.shadow = 0;
	}
	if (res->kind == ASSIST_EXCEPTION) {
		e.exception.injected = 1;
		e.exception.nr = res->vector;
		e.exception.has_error_code = res->has_code;
		e.exception.error_code = res->code;
	} else if (res->kind == ASSIST_SOFT_INT) {
		e.interrupt.injected = 1;
		e.interrupt.soft = 1;
		e.interrupt.nr = res->vector;
	}
	v->run->ready_for_interrupt_injection = 0;
	return vcpu_set_events(v, &e);
}

/* Whether interrupts wait behind the instruction before that at the pc: behind sti, mov ss and pop ss. */
static bool shadowed(struct vcpu *v)
{
	uint8_t code[2];

	if (guest_mem_read(v, regs_pc(v) - sizeof(code), code, sizeof(code), NULL) != sizeof(code))
		return true;
	return insn_classify(code + 1, 1, regs_code_bits(v)) == INSN_STI ||
	       insn_classify(code + 1, 1, regs_code_bits(v)) == INSN_MOV_SS ||
	       insn_classify(code, 2, regs_code_bits(v)) == INSN_MOV_SS;
}

static int store(struct vcpu *v, const struct assist_cpu *cpu, struct assist_result *res)
{
	struct kvm_regs g = regs_from_insn(&cpu->regs);
	bool plain = res->kind == ASSIST_DONE && !res->trap && !res->unmask_nmi && !(v->arch->debug.control & KVM_GUESTDBG_SINGLESTEP);
	int r = 0;

	if (cpu->xsave_changed)
		r = kvm_ioctl(v->fd, KVM_SET_XSAVE, v->arch->xsave);
	if (!r && res->kind == ASSIST_EXCEPTION && res->vector == VECTOR_PF)
		r = set_cr2(v, res->cr2);
	if (!r && res->flush)
		r = flush_translations(v);
	if (!r && cpu->cs.changed)
		r = set_cs(v, &cpu->cs);
	/* Most instructions, at one call of KVM's less for the registers and two for the events. */
	if (!r && plain && !shadowed(v)) {
		regs_set_later(v, &g);
		return 0;
	}
	if (!r)
		r = regs_set_general(v, &g);
	res->has_code &= regs_has_codes(v);
	return r ? r : store_events(v, res);
}

/* Those that the processor delivers itself where it can; what KVM would then inject has the wrong return address. */
static bool refused(const struct vcpu *v, const struct assist_result *res, const struct assist_cpu *cpu)
{
	return v->vm->arch->steps_by_flag &&
	       (res->kind == ASSIST_SOFT_INT || (res->kind == ASSIST_EXCEPTION && cpu->regs.rip != v->run->s.regs.regs.rip));
}

static void say(struct assist_outcome *ret, const char *fmt, const struct insn_regs *r, const uint8_t *bytes, size_t n)
{
	char text[80];

	insn_text(r, bytes, n, text, sizeof(text));
	snprintf(ret->text, sizeof(ret->text), fmt, text);
}

/* Whether it runs from flash memory, which has code only while it shows its array. */
static bool in_flash(struct vcpu *v)
{
	struct translation t;

	return !space_translate(v, regs_pc(v), &t, NULL) && board_is_flash(v->vm->arch->board, t.gpa);
}

void assist_try(struct vcpu *v, bool dry, struct assist_outcome *ret)
{
	struct assist_cpu cpu = { .features = v->vm->arch->assister->features, .access = assist_mem_access,
				  .cmpxchg = assist_mem_cmpxchg, .read_msr = on_read_msr, .arg = v,
				  .native = native_of(v->vm->arch->assister, v->id), .host = v->vm->arch->assister->host };
	const struct kvm_sregs *s = &v->run->s.regs.sregs;
	uint8_t bytes[INSN_BYTES_MAX];
	struct assist_result res;
	struct insn_regs before;
	enum assist_needs needs;
	size_t n;
	int r = 0;

	*ret = (struct assist_outcome){ 0 };
	regs_insn(v, &cpu.regs);
	cpu.gdt = (struct assist_table){ s->gdt.base, s->gdt.limit };
	cpu.ldt = (struct assist_table){ s->ldt.base, s->ldt.unusable ? 0 : s->ldt.limit };
	n = guest_mem_read(v, regs_pc(v), bytes, sizeof(bytes), NULL);
	if (!n) {
		snprintf(ret->text, sizeof(ret->text), "KVM cannot fetch an instruction at 0x%" PRIx64 "%s", regs_pc(v),
			 in_flash(v) ? ", in flash memory that does not show its array" : "");
		return;
	}
	before = cpu.regs;
	if (dry) {
		say(ret, "KVM cannot emulate %s (and assist is off)", &before, bytes, n);
		return;
	}
	needs = assist_needs(&cpu.regs, bytes, n);
	if (needs)
		r = load_state(v, &cpu, needs == ASSIST_NEEDS_XCR0);
	vcpu_lock(v);
	watch_assist_begin(v);
	if (!r) {
		assist_run(&cpu, bytes, n, &res);
		if (res.kind == ASSIST_UNKNOWN || refused(v, &res, &cpu)) {
			say(ret, "KVM cannot emulate %s", &before, bytes, n);
			goto out;
		}
		r = store(v, &cpu, &res);
	}
	if (r) {
		say(ret, "KVM does not take the registers after %s", &before, bytes, n);
		v->arch->xsave_valid = false;
		goto out;
	}
	atomic_fetch_add_explicit(&v->vm->arch->assister->count[res.name], 1, memory_order_relaxed);
	ret->done = true;
	ret->event = res.kind != ASSIST_DONE || res.trap;
	ret->vector = res.kind == ASSIST_DONE ? VECTOR_DB : res.vector;
	/* The guest steps itself: this was a step of its. */
	if (res.trap && !debug_give_db(v, DR6_BS))
		ret->event = false;
	if (res.kind == ASSIST_DONE)
		watch_assist_end(v);
out:
	vcpu_unlock(v);
}
