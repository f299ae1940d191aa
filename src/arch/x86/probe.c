/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "arch/x86/probe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "arch/x86/probe_cache.h"
#include "arch/x86/x86.h"

/* The scratch machine's memory. */
#define VECTORS    0x0000       /* real mode's */
#define CODE       0x0800
#define PML4       0x1000
#define PDPT       0x2000
#define PAGE_DIR   0x3000
#define GDT        0x4000
#define TSS        0x4100
#define IDT32      0x4800
#define IDT64      0x5000
#define HANDLERS   0x5800       /* a hlt for each vector: where it ended says which */
#define STACK      0x6ff0       /* of whatever is tried */
#define DATA       0x7000
#define KERNEL_SP  0x7ff0       /* for what comes from user mode */
#define MEMORY     0x8000
#define NVECTORS   32

/* Out of the way, as for the machine itself: Intel hosts without unrestricted guests need the page. */
#define TSS_PAGE   0xfeffd000ul

#define CS_KERNEL  0x08
#define DS_KERNEL  0x10
#define DS_USER    0x1b
#define CS_USER    0x23
#define TR         0x30

#define INT3       0xcc
#define ICEBP      0xf1
#define EFLAGS_TF  0x100u
#define DR6_BD     (1u << 13)
#define DR7_FIXED  0x400u
#define DR7_GD     (1u << 13)
#define EFER_SCE   1u
#define MSR_STAR   0xc0000081u
#define MSR_FMASK  0xc0000084u

/* A step may end before its instruction, once for each of the tables and pages it is the first to need. */
#define STEP_TRIES 16

struct scratch {
	int vm_fd, cpu_fd;
	uint8_t *mem;
	struct kvm_run *run;
	size_t run_size;
	uint32_t debug_flags;   /* what KVM_SET_GUEST_DEBUG takes */
	struct kvm_sregs reset;
	struct kvm_vcpu_events quiet;
	struct kvm_regs at;     /* where the vCPU is */
	bool armed;             /* what debugs it was set since it last ran */
	int error;              /* of the first call that failed */
};

const struct probe_field probe_fields[] = {
#define FIELD(name, max) { #name, offsetof(struct probe, name), max }
	FIELD(steps, PROBE_ALL),
	FIELD(int3s, PROBE_ALL),
	FIELD(execs, PROBE_ALL),
	FIELD(watches, PROBE_ALL),
	FIELD(trap_byte, 255),
	FIELD(int3_exits, 1),
	FIELD(blocks_irqs, 1),
	FIELD(shows_flag, 1),
	FIELD(delivery_stops, 1),
	FIELD(hlt_exits, 1),
	FIELD(out_stops, 1),
	FIELD(rep_stops, 255),
	FIELD(own_execs, 1),
	FIELD(own_watches, 1),
	FIELD(own_beside, 1),
	FIELD(guards, 1),
	FIELD(hypercalls, 1),
	FIELD(syscalls, 1),
#undef FIELD
};

const size_t probe_field_count = sizeof(probe_fields) / sizeof(probe_fields[0]);

/* Nothing is tried any more once something has failed. */
static bool call(struct scratch *s, int fd, unsigned long request, void *arg)
{
	if (!s->error)
		s->error = kvm_ioctl(fd, request, arg);
	return !s->error;
}

static void put64(struct scratch *s, uint32_t at, uint64_t value)
{
	memcpy(s->mem + at, &value, sizeof(value));
}

static void put32(struct scratch *s, uint32_t at, uint32_t value)
{
	memcpy(s->mem + at, &value, sizeof(value));
}

/* Page tables that map the first 2 MiB to themselves, descriptor tables, and a handler for each vector in each mode. */
static void fill_memory(struct scratch *s)
{
	put64(s, PML4, PDPT | 7);
	put64(s, PDPT, PAGE_DIR | 7);
	put64(s, PAGE_DIR, 0xe7);
	put64(s, GDT + CS_KERNEL, 0x00af9b000000ffff);
	put64(s, GDT + DS_KERNEL, 0x00cf93000000ffff);
	put64(s, GDT + (DS_USER & ~3u), 0x00cff3000000ffff);
	put64(s, GDT + (CS_USER & ~3u), 0x00affb000000ffff);
	put64(s, TSS + 4, KERNEL_SP);
	for (uint32_t i = 0; i < NVECTORS; i++) {
		uint32_t handler = HANDLERS + i;

		put32(s, VECTORS + 4 * i, handler);
		put64(s, IDT32 + 8 * i, handler | CS_KERNEL << 16 | 0x8e00ull << 32);
		put64(s, IDT64 + 16 * i, handler | CS_KERNEL << 16 | 0xee00ull << 32);
		s->mem[handler] = 0xf4;
	}
}

static void scratch_done(struct scratch *s)
{
	if (s->run)
		munmap(s->run, s->run_size);
	if (s->cpu_fd >= 0)
		close(s->cpu_fd);
	if (s->vm_fd >= 0)
		close(s->vm_fd);
	if (s->mem)
		munmap(s->mem, MEMORY);
}

static int scratch_init(const struct kvm *k, struct scratch *s, struct err *err)
{
	struct kvm_userspace_memory_region region = { .memory_size = MEMORY };
	void *p;
	int r;

	*s = (struct scratch){ .vm_fd = -1, .cpu_fd = -1, .run_size = k->run_size, .debug_flags = k->debug_flags };
	s->vm_fd = kvm_ioctl_num(k->sys_fd, KVM_CREATE_VM, 0);
	if (s->vm_fd < 0)
		return err_errno(err, -s->vm_fd, "KVM_CREATE_VM");
	kvm_ioctl_num(s->vm_fd, KVM_SET_TSS_ADDR, TSS_PAGE);
	p = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return err_errno(err, errno, "memory for a scratch machine");
	s->mem = p;
	fill_memory(s);
	region.userspace_addr = (uintptr_t)s->mem;
	r = kvm_ioctl(s->vm_fd, KVM_SET_USER_MEMORY_REGION, &region);
	if (r)
		return err_errno(err, -r, "KVM_SET_USER_MEMORY_REGION");
	s->cpu_fd = kvm_ioctl_num(s->vm_fd, KVM_CREATE_VCPU, 0);
	if (s->cpu_fd < 0)
		return err_errno(err, -s->cpu_fd, "KVM_CREATE_VCPU");
	p = mmap(NULL, s->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, s->cpu_fd, 0);
	if (p == MAP_FAILED)
		return err_errno(err, errno, "a vCPU's run page");
	s->run = p;
	s->run->kvm_valid_regs = KVM_SYNC_X86_REGS;
	r = kvm_set_cpuid(k, s->cpu_fd, 0, 1, err);
	if (r)
		return r;
	call(s, s->cpu_fd, KVM_GET_SREGS, &s->reset);
	call(s, s->cpu_fd, KVM_GET_VCPU_EVENTS, &s->quiet);
	/* Nothing waits in it, and that is to be said of everything that could. */
	s->quiet.flags = KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SHADOW;
	return s->error ? err_errno(err, -s->error, "a scratch vCPU's state") : 0;
}

static struct kvm_segment segment(uint16_t selector, bool code, enum probe_mode mode)
{
	bool wide = code && mode != PROBE_PROT32;

	return (struct kvm_segment){
		.limit = 0xffffffff, .selector = selector, .type = code ? 11 : 3, .present = 1, .dpl = selector & 3, .s = 1, .g = 1,
		.db = !wide, .l = wide,
	};
}

static void make_sregs(const struct scratch *s, enum probe_mode mode, struct kvm_sregs *ret)
{
	*ret = s->reset;
	ret->cs.base = 0;
	ret->cs.selector = 0;
	if (mode == PROBE_REAL)
		return;
	ret->cs = segment(mode == PROBE_USER ? CS_USER : CS_KERNEL, true, mode);
	ret->ss = segment(mode == PROBE_USER ? DS_USER : DS_KERNEL, false, mode);
	ret->ds = ret->es = ret->fs = ret->gs = ret->ss;
	ret->tr = (struct kvm_segment){ .base = TSS, .limit = 0x67, .selector = TR, .type = 11, .present = 1 };
	ret->gdt = (struct kvm_dtable){ .base = GDT, .limit = 0x3f };
	ret->idt = (struct kvm_dtable){ .base = IDT32, .limit = 8 * NVECTORS - 1 };
	ret->cr0 = 0x31;        /* PE, ET, NE */
	if (mode == PROBE_PROT32)
		return;
	ret->idt = (struct kvm_dtable){ .base = IDT64, .limit = 16 * NVECTORS - 1 };
	ret->cr0 |= 1u << 31;
	ret->cr3 = PML4;
	ret->cr4 = 0x20;        /* PAE */
	ret->efer = 0x500;      /* LME, LMA */
}

/* Makes the vCPU ready to run the LEN bytes at INSNS in MODE, its own debug registers idle and DEBUG set for it. */
static bool arrange(struct scratch *s, enum probe_mode mode, const char *insns, size_t len,
		    struct kvm_guest_debug *debug)
{
	struct kvm_regs regs = { .rip = CODE, .rsp = STACK, .rflags = 2, .rbx = DATA, .rsi = DATA, .rdi = DATA, .rcx = 3 };
	struct kvm_debugregs own = { .dr6 = 0xffff0ff0, .dr7 = DR7_FIXED };
	struct kvm_sregs sregs;

	memset(s->mem + CODE, 0xf4, 16);
	memcpy(s->mem + CODE, insns, len);
	make_sregs(s, mode, &sregs);
	s->at = regs;
	s->armed = call(s, s->cpu_fd, KVM_SET_SREGS, &sregs) && call(s, s->cpu_fd, KVM_SET_REGS, &regs) &&
		   call(s, s->cpu_fd, KVM_SET_VCPU_EVENTS, &s->quiet) && call(s, s->cpu_fd, KVM_SET_DEBUGREGS, &own) &&
		   call(s, s->cpu_fd, KVM_SET_GUEST_DEBUG, debug);
	return s->armed;
}

/* Runs to the next exit: its reason, and where it left the vCPU. */
static unsigned run_once(struct scratch *s, struct kvm_regs *ret)
{
	int r;

	*ret = (struct kvm_regs){ 0 };
	if (s->error)
		return KVM_EXIT_UNKNOWN;
	do
		r = kvm_ioctl_num(s->cpu_fd, KVM_RUN, 0);
	while (r == -EINTR);
	s->armed = false;
	if (r < 0) {
		s->error = r;
		return KVM_EXIT_UNKNOWN;
	}
	*ret = s->at = s->run->s.regs.regs;
	return s->run->exit_reason;
}

/* One step by DEBUG, from where the vCPU is. */
static unsigned step_once(struct scratch *s, struct kvm_guest_debug *debug, struct kvm_regs *ret)
{
	const struct kvm_regs before = s->at;
	unsigned reason = KVM_EXIT_UNKNOWN;

	for (int i = 0; i < STEP_TRIES; i++) {
		if (!s->armed)
			call(s, s->cpu_fd, KVM_SET_GUEST_DEBUG, debug);
		reason = run_once(s, ret);
		if (reason != KVM_EXIT_DEBUG || memcmp(&before, ret, sizeof(before)))
			break;
	}
	return reason;
}

#define CODE_OF(insns) (insns), sizeof(insns) - 1

static struct kvm_guest_debug stepping(const struct scratch *s)
{
	return (struct kvm_guest_debug){
		.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP | (s->debug_flags & KVM_GUESTDBG_BLOCKIRQ),
	};
}

static struct kvm_guest_debug in_register(uint64_t address, uint64_t dr7)
{
	return (struct kvm_guest_debug){
		.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP,
		.arch.debugreg = { [0] = address, [7] = DR7_FIXED | dr7 },
	};
}

/* Runs INSNS in MODE; whether a debug exit came first, and that at AT. */
static bool stops_at(struct scratch *s, enum probe_mode mode, const char *insns, size_t len,
		     struct kvm_guest_debug debug, uint64_t at)
{
	struct kvm_regs regs;

	return arrange(s, mode, insns, len, &debug) && run_once(s, &regs) == KVM_EXIT_DEBUG && regs.rip == at;
}

static void try_mode(struct scratch *s, enum probe_mode mode, struct probe *p)
{
	struct kvm_guest_debug debug = stepping(s), soft = { .control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP };
	uint8_t bit = (uint8_t)(1u << mode);
	struct kvm_regs regs;

	if (stops_at(s, mode, CODE_OF("\xcc"), soft, CODE))
		p->int3s |= bit;
	if (arrange(s, mode, CODE_OF("\x90\x90"), &debug) && step_once(s, &debug, &regs) == KVM_EXIT_DEBUG &&
	    regs.rip == CODE + 1)
		p->steps |= bit;
	if (stops_at(s, mode, CODE_OF("\x90\x90"), in_register(CODE + 1, 2), CODE + 1))
		p->execs |= bit;
	/* mov %al, (%bx), or (%rdi) */
	if (stops_at(s, mode, CODE_OF("\x88\x07\x90"), in_register(DATA, 2 | 1 << 16), CODE + 2))
		p->watches |= bit;
}

static void try_stepping(struct scratch *s, struct probe *p)
{
	struct kvm_guest_debug debug = stepping(s);
	struct kvm_regs regs;
	uint64_t flags = 0;

	/* pushf */
	if (arrange(s, PROBE_LONG, CODE_OF("\x9c"), &debug)) {
		step_once(s, &debug, &regs);
		memcpy(&flags, s->mem + STACK - 8, sizeof(flags));
		p->shows_flag = flags & EFLAGS_TF;
	}
	/* ud2: its handler's hlt ends it in any case */
	if (arrange(s, PROBE_LONG, CODE_OF("\x0f\x0b"), &debug))
		p->delivery_stops = step_once(s, &debug, &regs) == KVM_EXIT_DEBUG && regs.rip >= HANDLERS;
	if (arrange(s, PROBE_LONG, CODE_OF("\xf4"), &debug))
		p->hlt_exits = step_once(s, &debug, &regs) == KVM_EXIT_HLT;
	/* out %al, $0x80; nop */
	if (arrange(s, PROBE_LONG, CODE_OF("\xe6\x80\x90"), &debug) && step_once(s, &debug, &regs) == KVM_EXIT_IO) {
		call(s, s->cpu_fd, KVM_SET_GUEST_DEBUG, &debug);
		p->out_stops = run_once(s, &regs) == KVM_EXIT_DEBUG && regs.rip == CODE + 2;
	}
	/* vmcall */
	if (arrange(s, PROBE_LONG, CODE_OF("\x0f\x01\xc1"), &debug))
		p->hypercalls = step_once(s, &debug, &regs) == KVM_EXIT_DEBUG && regs.rip == CODE + 3;
	/* rep movsb */
	if (arrange(s, PROBE_LONG, CODE_OF("\xf3\xa4"), &debug)) {
		do {
			if (step_once(s, &debug, &regs) != KVM_EXIT_DEBUG)
				break;
			p->rep_stops++;
		} while (regs.rip == CODE && p->rep_stops < STEP_TRIES);
	}
}

/* Whether the guest's own breakpoint, DR7 in its registers, reaches its handler for vector 1 while DEBUG is in force. */
static bool own_fires(struct scratch *s, const char *insns, size_t len, uint64_t address, uint64_t dr7,
		      struct kvm_guest_debug debug)
{
	struct kvm_debugregs own = { .db = { address }, .dr6 = 0xffff0ff0, .dr7 = DR7_FIXED | dr7 };
	struct kvm_regs regs;

	return arrange(s, PROBE_LONG, insns, len, &debug) && call(s, s->cpu_fd, KVM_SET_DEBUGREGS, &own) &&
	       run_once(s, &regs) == KVM_EXIT_HLT && regs.rip == HANDLERS + 1 + 1;
}

static void try_own(struct scratch *s, struct probe *p)
{
	struct kvm_guest_debug none = { .control = 0 };

	p->own_execs = own_fires(s, CODE_OF("\x90\x90"), CODE + 1, 2, none);
	p->own_watches = own_fires(s, CODE_OF("\x88\x07\x90"), DATA, 2 | 1 << 16, none);
	p->own_beside = own_fires(s, CODE_OF("\x90\x90"), CODE + 1, 2, in_register(DATA, 2));
	/* mov %dr7, %rbx */
	p->guards = stops_at(s, PROBE_LONG, CODE_OF("\x0f\x21\xfb"), in_register(DATA, DR7_GD), CODE) &&
		    s->run->debug.arch.dr6 & DR6_BD;
}

/* A handler's hlt is the kernel's entry; user mode may not halt, and a fetch there is not refused, so it ends at vector 13's. */
static void try_syscall(struct scratch *s, struct probe *p)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry[3];
	} msrs = {
		.head.nmsrs = 3,
		.entry = {
			{ .index = MSR_STAR, .data = (uint64_t)(DS_KERNEL | 3) << 48 | (uint64_t)CS_KERNEL << 32 },
			{ .index = MSR_LSTAR, .data = HANDLERS },
			{ .index = MSR_FMASK },
		},
	};
	struct kvm_guest_debug none = { .control = 0 };
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	if (!arrange(s, PROBE_USER, CODE_OF("\x0f\x05"), &none) || !call(s, s->cpu_fd, KVM_GET_SREGS, &sregs))
		return;
	sregs.efer |= EFER_SCE;
	/* It answers how many were set. */
	if (call(s, s->cpu_fd, KVM_SET_SREGS, &sregs) && kvm_ioctl_num(s->cpu_fd, KVM_SET_MSRS, (uintptr_t)&msrs) == 3)
		p->syscalls = run_once(s, &regs) == KVM_EXIT_HLT && regs.rip == HANDLERS + 1;
}

/* To be the last: an NMI that has been held off may come all the same once nothing holds it. */
static void try_interrupt(struct scratch *s, struct probe *p)
{
	struct kvm_guest_debug debug = stepping(s);
	struct kvm_regs regs;

	if ((s->debug_flags & KVM_GUESTDBG_BLOCKIRQ) && arrange(s, PROBE_LONG, CODE_OF("\x90\x90"), &debug) &&
	    call(s, s->cpu_fd, KVM_NMI, NULL))
		p->blocks_irqs = step_once(s, &debug, &regs) == KVM_EXIT_DEBUG && regs.rip == CODE + 1;
}

int probe_measure(const struct kvm *k, struct probe *ret, struct err *err)
{
	struct probe p = { 0 };
	struct scratch s;
	int r = scratch_init(k, &s, err);

	if (!r) {
		for (unsigned mode = 0; mode < PROBE_MODES; mode++)
			try_mode(&s, mode, &p);
		try_own(&s, &p);
		try_stepping(&s, &p);
		try_syscall(&s, &p);
		try_interrupt(&s, &p);
		p.int3_exits = p.int3s & 1u << PROBE_REAL;
		p.trap_byte = p.int3_exits ? INT3 : ICEBP;
		if (s.error)
			r = err_errno(err, -s.error, "trying out KVM in a scratch machine");
		else
			*ret = p;
	} else
		err_prefix(err, r, "a scratch machine");
	scratch_done(&s);
	return r;
}

int probe_host(const struct kvm *k, struct probe *ret, struct err *err)
{
	int r;

	if (probe_cache_load(ret))
		return 0;
	r = probe_measure(k, ret, err);
	if (!r)
		probe_cache_store(ret);
	return r;
}

static void show_modes(uint8_t value, char *ret, size_t size)
{
	static const char *const names[PROBE_MODES] = { "real", "32-bit", "64-bit", "user" };
	size_t n = 0;

	snprintf(ret, size, "%s", !value ? "none" : value == PROBE_ALL ? "all" : "all but user");
	if (value == PROBE_ALL || value == (PROBE_ALL & ~(1u << PROBE_USER)))
		return;
	for (unsigned mode = 0; mode < PROBE_MODES; mode++)
		if (value >> mode & 1)
			n += (size_t)snprintf(ret + n, size - n, "%s%s", n ? ", " : "", names[mode]);
}

static void show_bool(uint8_t value, char *ret, size_t size)
{
	snprintf(ret, size, "%s", value ? "yes" : "no");
}

static void show_number(uint8_t value, char *ret, size_t size)
{
	snprintf(ret, size, "%u", value);
}

static void show_byte(uint8_t value, char *ret, size_t size)
{
	snprintf(ret, size, "0x%02x", value);
}

static const struct {
	const char *name;
	size_t offset;
	void (*show)(uint8_t value, char *ret, size_t size);
	const char *meaning;
} facts[] = {
#define FACT(name, field, show, meaning) { name, offsetof(struct probe, field), show, meaning }
	FACT("single-step", steps, show_modes, "which code KVM single-steps for us"),
	FACT("int3 exits", int3s, show_modes, "whose int3 KVM shows us"),
	FACT("hardware breakpoints", execs, show_modes, "in which code debug registers find an instruction"),
	FACT("hardware watchpoints", watches, show_modes, "in which code debug registers find a store"),
	FACT("breakpoint byte", trap_byte, show_byte, "what stands in memory for a breakpoint"),
	FACT("steps without interrupts", blocks_irqs, show_bool, "interrupts can be held off while stepping"),
	FACT("pushf shows stepping", shows_flag, show_bool, "a stepped pushf stores the trap flag, which is then taken out"),
	FACT("steps into handlers", delivery_stops, show_bool, "a step that faults ends in the guest's handler"),
	FACT("stepped hlt exits", hlt_exits, show_bool, "a stepped hlt is reported as a halt"),
	FACT("stepped out stops", out_stops, show_bool, "a stepped out is followed by a debug stop of its own"),
	FACT("stops of rep movsb", rep_stops, show_number, "debug stops for three bytes moved"),
	FACT("guest's breakpoints", own_execs, show_bool, "the guest's own hardware breakpoints work"),
	FACT("guest's watchpoints", own_watches, show_bool, "the guest's own hardware watchpoints work"),
	FACT("guest's beside ours", own_beside, show_bool, "the guest's own go on working while debug registers are ours"),
	FACT("hypercalls", hypercalls, show_bool, "the guest's kernel can make hypercalls; else it is told of none"),
	FACT("system calls", syscalls, show_bool, "SYSCALL in user mode reaches the guest's kernel by itself"),
	FACT("guarded debug registers", guards, show_bool, "the guest's own accesses to its debug registers can be seen"),
#undef FACT
};

const size_t probe_fact_count = sizeof(facts) / sizeof(facts[0]);

bool probe_fact(const struct probe *p, size_t index, struct host_fact *ret)
{
	if (index >= probe_fact_count)
		return false;
	*ret = (struct host_fact){ .name = facts[index].name, .meaning = facts[index].meaning };
	facts[index].show(((const uint8_t *)p)[facts[index].offset], ret->value, sizeof(ret->value));
	return true;
}
