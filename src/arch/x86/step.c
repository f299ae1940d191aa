/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Single-stepping.  The processor, and KVM with it, steps by the trap flag, which must not show: what the guest pushes, and what
 * it loads, is looked at around the step.
 */
#include <string.h>

#include "arch/x86/insn/insn.h"
#include "arch/x86/catch_x86.h"
#include "arch/x86/debug.h"
#include "kvm/guest_mem.h"
#include "arch/x86/regs.h"
#include "arch/x86/step_priv.h"
#include "arch/x86/watch_kvm.h"
#include "arch/x86/x86.h"

#define VECTOR_DB  1
#define DR6_BS     (1ull << 14)
#define MSR_FMASK  0xc0000084u
#define FRAME_WORDS 24          /* how far from the top of the stack a handler's first instruction may have moved it */
#define HLT        0xf4

static const struct kvm_regs *gp(const struct vcpu *v)
{
	return &v->run->s.regs.regs;
}

static const struct kvm_sregs *sys(const struct vcpu *v)
{
	return &v->run->s.regs.sregs;
}

/* The operand size of a PUSHF, POPF or IRET, bytes. */
static unsigned flags_size(const uint8_t *code, unsigned bits, enum insn_class class)
{
	bool wide = bits == 32;

	for (unsigned i = 0; i < OPCODE_MAX; i++) {
		if (code[i] == 0x66)
			wide = !wide;
		else if (bits == 64 && (code[i] & 0xf8) == 0x48)
			return 8;
		else if (code[i] == 0x9c || code[i] == 0x9d || code[i] == 0xcf)
			break;
	}
	/* IRET's default in 64-bit code is 32 bits, that of the others 64. */
	if (bits == 64)
		return wide ? 2 : class == INSN_IRET ? 4 : 8;
	return wide ? 4 : 2;
}

/*
 * A halt is over when it is stepped on from: interrupts are held off, so that nothing else would end it.  Until then the vCPU
 * stays halted, and a continue waits for the interrupt.  False: V has stopped, since KVM refused that.
 */
static bool leave_halt(struct vcpu *v)
{
	struct kvm_mp_state mp;
	const char *call = "KVM_GET_MP_STATE";
	int r = kvm_ioctl(v->fd, KVM_GET_MP_STATE, &mp);

	if (!r && mp.mp_state == KVM_MP_STATE_HALTED) {
		mp.mp_state = KVM_MP_STATE_RUNNABLE;
		call = "KVM_SET_MP_STATE";
		r = kvm_ioctl(v->fd, KVM_SET_MP_STATE, &mp);
	}
	if (r)
		vcpu_failed(v, call, r);
	else
		v->arch->halted = false;
	return !r;
}

/* The instruction's first bytes, as many as could be read; *RET_HALT: the one in front of it may have been a HLT. */
static size_t fetch(struct vcpu *v, uint64_t pc, uint8_t *ret, bool *ret_halt)
{
	uint8_t bytes[1 + OPCODE_MAX] = { 0 };
	size_t n = guest_mem_read(v, pc - 1, bytes, sizeof(bytes), NULL);

	*ret_halt = n && bytes[0] == HLT;
	if (n < 2)
		return guest_mem_read(v, pc, ret, OPCODE_MAX, NULL);
	memcpy(ret, bytes + 1, n - 1);
	return n - 1;
}

/* The INT instruction in CODE. */
static void look_at_int(const uint8_t *code, struct step_before *b)
{
	unsigned i = 0;

	while (i < OPCODE_MAX - 2 && code[i] != 0xcc && code[i] != 0xce && code[i] != 0xf1 && code[i] != 0xcd)
		i++;
	b->ints = true;
	b->int1 = code[i] == 0xf1;
	b->vector = b->int1 ? 1 : code[i] == 0xce ? 4 : code[i] == 0xcd ? code[i + 1] : 3;
}

/* A load of the stack segment holds the trap off, so that the next instruction is of the same step. */
static void look_behind(struct vcpu *v, struct step_before *b)
{
	uint8_t code[OPCODE_MAX] = { 0 };
	struct insn insn;
	size_t n;

	if (!debug_insn_at_pc(v, &insn))
		return;
	n = guest_mem_read(v, b->pc + insn.len, code, sizeof(code), NULL);
	if (insn_classify(code, n, regs_code_bits(v)) == INSN_INT)
		look_at_int(code, b);
}

/*
 * Where the instruction may end but behind itself.  As many as there are free registers; the tables are looked at once for
 * every run of steps.
 */
static void find_landings(struct vcpu *v, const struct step_before *b)
{
	static const uint8_t faults[] = { 14, 13, 6, 7 };
	/* A KVM that emulates IRET does so together with the instruction behind it. */
	bool iret = b->class == INSN_IRET && b->size == 8 && !v->vm->arch->steps_by_flag;
	bool special = iret || b->ints || v->arch->event_given;
	unsigned n = 0;

	if (v->arch->landings_known && v->arch->landings_user == b->user && !special)
		return;
	/* The step before may have been left when an event of its was to be delivered; that comes before the instruction. */
	if (v->arch->event_given && catch_handler(v, v->arch->event_vector, &v->arch->landing[n]))
		n++;
	else if (b->ints && catch_handler(v, b->vector, &v->arch->landing[n]))
		n++;
	v->arch->nfirst = n;
	if (iret)
		v->arch->landing[n++] = b->image[0];
	/* Where the trap of a step goes to the guest. */
	if ((b->user || v->arch->guest_tf || !v->vm->arch->own_registers) && catch_handler(v, 1, &v->arch->landing[n]))
		n++;
	for (unsigned i = 0; i < sizeof(faults) && n < BREAK_REGISTERS; i++)
		if (catch_handler(v, faults[i], &v->arch->landing[n]))
			n++;
	v->arch->nlandings = n;
	v->arch->landings_known = !special;
	v->arch->landings_user = b->user;
}

/* What POPF or IRET will load, and how much PUSHF will store. */
static void look_at_image(struct vcpu *v, struct step_before *b)
{
	uint8_t bytes[sizeof(b->image)] = { 0 };
	struct insn_regs r;

	b->image_tf = false;
	memset(b->image, 0, sizeof(b->image));
	if (b->class != INSN_POPF && b->class != INSN_IRET && b->class != INSN_PUSHF)
		return;
	b->size = flags_size(b->code, regs_code_bits(v), b->class);
	if (b->class == INSN_PUSHF)
		return;
	regs_insn(v, &r);
	guest_mem_read(v, insn_linear(&r, INSN_SS, r.gpr[INSN_RSP]), bytes, (b->class == INSN_IRET ? 5 : 1) * b->size, NULL);
	for (unsigned i = 0; i < 5; i++)
		memcpy(&b->image[i], bytes + i * b->size, b->size);
	b->image_tf = b->image[b->class == INSN_IRET ? 2 : 0] & RFLAGS_TF;
}

/* False: V has stopped. */
static bool look(struct vcpu *v, struct step_before *b)
{
	bool halt;

	memset(b->code, 0, sizeof(b->code));
	b->pc = regs_pc(v);
	b->rip = gp(v)->rip;
	b->rsp = gp(v)->rsp;
	b->rcx = gp(v)->rcx;
	b->rflags = gp(v)->rflags;
	b->cs = sys(v)->cs.selector;
	b->ss = sys(v)->ss.selector;
	b->n = fetch(v, b->pc, b->code, &halt);
	if (halt && !leave_halt(v))
		return false;
	b->class = insn_classify(b->code, b->n, regs_code_bits(v));
	b->halts = b->class == INSN_HLT && b->code[0] == HLT;
	b->user = !v->vm->arch->user_steps && (sys(v)->cr0 & 1) && sys(v)->ss.dpl == 3;
	if (b->user)
		b->sregs = *sys(v);
	look_at_image(v, b);
	b->ints = b->int1 = false;
	b->vector = 0;
	if (b->class == INSN_INT)
		look_at_int(b->code, b);
	else if (b->class == INSN_MOV_SS)
		look_behind(v, b);
	return true;
}

/* Makes the flags at stack offset OFFSET (from the top), SIZE bytes, show the guest's own trap flag. */
static void clean_image(struct vcpu *v, const struct insn_regs *r, uint64_t offset, unsigned size, bool tf)
{
	uint64_t at = insn_linear(r, INSN_SS, r->gpr[INSN_RSP] + offset), image = 0, want;

	if (guest_mem_read(v, at, &image, size, NULL) != size)
		return;
	want = tf ? image | RFLAGS_TF : image & ~RFLAGS_TF;
	if (want != image)
		guest_mem_write(v, at, &want, size, NULL);
}

/* Whether the words at the top of the stack hold the frame of an event that came at B; *RET_FLAGS is where its flags are. */
static bool find_frame(struct vcpu *v, const struct insn_regs *r, const struct step_before *b, unsigned size, uint64_t *ret_flags)
{
	uint8_t bytes[FRAME_WORDS * 8];
	uint64_t mask = size == 8 ? UINT64_MAX : (1ull << (8 * size)) - 1;
	size_t n = guest_mem_read(v, insn_linear(r, INSN_SS, r->gpr[INSN_RSP]), bytes, FRAME_WORDS * size, NULL) / size;

	for (size_t i = 0; i + 2 < n; i++) {
		uint64_t w[3] = { 0 };

		for (unsigned k = 0; k < 3; k++)
			memcpy(&w[k], bytes + (i + k) * size, size);
		if (((w[0] - b->rip) & mask) > INSN_BYTES_MAX || (uint16_t)w[1] != b->cs ||
		    ((w[2] ^ b->rflags) & mask & ~(RFLAGS_TF | RFLAGS_RF)))
			continue;
		*ret_flags = (i + 2) * size;
		return true;
	}
	return false;
}

/* An event was delivered instead of, or by, the instruction: its frame must not show our trap flag.  False: there was none. */
static bool clean_frame(struct vcpu *v, const struct insn_regs *r, const struct step_before *b)
{
	static const unsigned sizes[] = { 8, 4, 2 };
	uint64_t flags;

	for (unsigned i = 0; i < 3; i++) {
		if ((sizes[i] == 8) != !!(r->efer & EFER_LMA))
			continue;
		if (find_frame(v, r, b, sizes[i], &flags)) {
			clean_image(v, r, flags, sizes[i], v->arch->guest_tf);
			return true;
		}
	}
	return false;
}

/*
 * Whether an event may have been delivered.  A guest that builds a frame of its own, word by word, is none of it: what would pass
 * for one is on the stack then too.
 */
static bool may_be_event(const struct vcpu *v, const struct step_before *b)
{
	int64_t down = (int64_t)(b->rsp - gp(v)->rsp), least = sys(v)->efer & EFER_LMA ? 40 : sys(v)->cr0 & CR0_PE ? 12 : 6;

	if (b->class == INSN_INT)
		return true;
	if (b->class == INSN_IRET && gp(v)->rip == b->image[0])
		return false;
	if (v->arch->landed || sys(v)->cs.selector != b->cs || sys(v)->ss.selector != b->ss)
		return true;
	return regs_pc(v) - b->pc > INSN_BYTES_MAX && (down >= least || down < -256);
}

static void hide_syscall(struct vcpu *v)
{
	struct kvm_regs regs = *gp(v);
	uint64_t mask = 0;

	if (!v->arch->guest_tf && (regs.r11 & RFLAGS_TF)) {
		regs.r11 &= ~RFLAGS_TF;
		regs_set_general(v, &regs);
	}
	if (!regs_msr(v, MSR_FMASK, &mask) && (mask & RFLAGS_TF))
		v->arch->guest_tf = false;
}

static bool at_trap_handler(const struct vcpu *v)
{
	uint64_t handler;

	return v->arch->landed && catch_handler(v, VECTOR_DB, &handler) && regs_pc(v) == handler;
}

/* After a step: nothing of it shows, and the guest's own trap flag has its effect. */
static void settle(struct vcpu *v, const struct step_before *b)
{
	bool trap = v->arch->guest_tf, event;
	struct insn_regs r;

	event = may_be_event(v, b);
	/* Which are the guest's to change, also in a handler. */
	if (event || b->class == INSN_WRITE_DR)
		v->arch->own_known = false;
	if (b->class == INSN_PUSHF || event || v->arch->landed)
		regs_insn(v, &r);
	if (b->user && trap && at_trap_handler(v)) {
		/* It is the guest's as well, and its frame is as it would be. */
		v->arch->guest_tf = false;
		return;
	}
	/* What the guest loaded into its flags came with the frame. */
	if (b->user && at_trap_handler(v) && b->vector != VECTOR_DB && step_undo_trap(v, &r, b)) {
		v->arch->guest_tf = gp(v)->rflags & RFLAGS_TF;
		if (b->class == INSN_PUSHF) {
			regs_insn(v, &r);
			clean_image(v, &r, 0, b->size, false);
		}
		return;
	}
	/* An event that was pending comes before the instruction. */
	if (event && clean_frame(v, &r, b))
		trap = v->arch->guest_tf = false;
	else if (b->class == INSN_PUSHF)
		clean_image(v, &r, 0, b->size, v->arch->guest_tf);
	else if (b->class == INSN_POPF || b->class == INSN_IRET)
		v->arch->guest_tf = b->image_tf;
	else if (b->class == INSN_SYSCALL)
		hide_syscall(v);
	/* An element of a REP traps, too. */
	if (trap && (regs_pc(v) != b->pc || gp(v)->rcx != b->rcx))
		debug_give_db(v, DR6_BS);
	if (v->arch->guest_tf)
		v->run->s.regs.regs.rflags |= RFLAGS_TF;
}

/* RF comes with a trap that the processor took before the instruction; TF goes from view when a step is the first. */
static bool has_changed(const struct kvm_regs *before, const struct kvm_regs *after)
{
	struct kvm_regs b = *before, a = *after;

	b.rflags |= RFLAGS_RF | RFLAGS_TF;
	a.rflags |= RFLAGS_RF | RFLAGS_TF;
	return memcmp(&b, &a, sizeof(b)) != 0;
}

/*
 * A KVM that emulates an event's delivery comes to the landing by itself, and tells of it only when it has entered the guest there:
 * a signal that ends KVM_RUN in between, as of a pause, would let the next step begin at the landing.
 */
static void come_by_a_signal(struct vcpu *v, const struct kvm_regs *before)
{
	if (v->vm->arch->steps_by_flag || v->stepped || v->run->exit_reason != KVM_EXIT_INTR || !has_changed(before, gp(v)))
		return;
	for (unsigned i = 0; i < v->arch->nlandings; i++)
		v->arch->landed |= v->arch->landing[i] == regs_pc(v);
	v->stepped = v->arch->landed;
}

/*
 * Takes one step from BEFORE.  False: a pause or an event came first.  An access that we served ends its instruction without a debug
 * exit on some hosts, so it is finished here and counts as the step: string I/O is then stepped element by element.
 */
static bool step_once(struct vcpu *v, const struct kvm_regs *before)
{
	bool enter;

	v->stepped = false;
	do {
		bool given = v->arch->event_given;

		v->arch->event_given = false;
		enter = vcpu_enter(v);
		if (v->needs_completion) {
			vcpu_complete_io(v);
			v->stepped = !v->has_event;
		}
		come_by_a_signal(v, before);
		v->arch->event_given |= given && !v->stepped;
	} while (enter && !v->stepped && !v->has_event);
	return v->stepped;
}

/*
 * VMX ends a step before its instruction for every page that it finds the host's tables for only then, which is all of them after
 * a change of slots: nothing has changed then, and it is tried again.  An instruction that really changes nothing, a jump to
 * itself, is none the worse for being run more than once.
 */
#define STEP_TRIES 16

static bool has_event(const struct kvm_vcpu_events *e)
{
	return e->exception.injected || e->exception.pending || e->interrupt.injected || e->nmi.injected || e->nmi.pending;
}

/* Halts V with AFTER, in place of BEFORE, with nothing of E pending; -errno: all is as before. */
static int halt_behind(struct vcpu *v, const struct kvm_regs *after, const struct kvm_regs *before, struct kvm_vcpu_events *e)
{
	struct kvm_mp_state halted = { .mp_state = KVM_MP_STATE_HALTED };
	uint8_t shadow = e->interrupt.shadow;
	int r = regs_set_general(v, after);

	if (r)
		return r;
	/* Else what STI holds off would be so for good. */
	if (shadow) {
		e->interrupt.shadow = 0;
		e->flags |= KVM_VCPUEVENT_VALID_SHADOW;
		r = vcpu_set_events(v, e);
	}
	if (!r && !v->vm->arch->irqchip)
		r = kvm_ioctl(v->fd, KVM_SET_MP_STATE, &halted);
	if (!r) {
		v->arch->halted = v->vm->arch->irqchip;
		return 0;
	}
	regs_set_general(v, before);
	if (shadow) {
		e->interrupt.shadow = shadow;
		vcpu_set_events(v, e);
	}
	return r;
}

/*
 * A KVM that emulates HLT forgets to halt when it is stepped, and does so behind the next instruction instead, be that the first of
 * a handler with interrupts off.  So HLT is carried out here.  False: it is not that, and nothing was done.
 */
static bool step_halt(struct vcpu *v, const struct step_before *b)
{
	struct kvm_regs was = *gp(v), regs = was;
	struct kvm_vcpu_events e;
	unsigned bits = regs_code_bits(v);
	int r;

	if (!b->halts || v->vm->arch->steps_by_flag || sys(v)->ss.dpl)
		return false;
	r = kvm_ioctl(v->fd, KVM_GET_VCPU_EVENTS, &e);
	if (!r && has_event(&e))
		return false;
	regs.rip = bits == 64 ? regs.rip + 1 : (regs.rip + 1) & ((1ull << bits) - 1);
	regs.rflags &= ~RFLAGS_RF;
	if (!r)
		r = halt_behind(v, &regs, &was, &e);
	if (r) {
		vcpu_failed(v, "a halt cannot be stepped", r);
		return false;
	}
	v->stepped = true;
	return true;
}

static bool step_instruction(struct vcpu *v, enum debug_use use)
{
	struct kvm_regs regs;
	struct step_before b;

	if (!look(v, &b))
		return false;
	if (step_plain(v, &b)) {
		v->arch->landed = v->arch->event_given = false;
		v->stepped = true;
		return true;
	}
	find_landings(v, &b);
	debug_prepare(v, use);
	if (v->has_event)
		return false;
	/* A stepped INT1 exits like a step that has not moved. */
	if (b.class == INSN_INT && b.int1 && v->vm->arch->steps_by_flag && (v->alone || !debug_site_at_pc(v)) && !debug_give_int1(v))
		return false;
	v->arch->landed = false;
	for (unsigned i = 0; i < STEP_TRIES && !step_enter_user(v, &b) && !step_halt(v, &b); i++) {
		regs = *gp(v);
		if (!step_once(v, &regs))
			return false;
		if (has_changed(&regs, gp(v)))
			break;
	}
	settle(v, &b);
	return true;
}

void debug_run_steps(struct vcpu *v, bool stepped)
{
	const struct run_action *a = &v->act;
	uint64_t pc;

	do {
		if (!stepped) {
			if (!step_instruction(v, DEBUG_STEP))
				return;
		}
		stepped = false;
		watch_settle(v);
		if (v->has_event)
			return;
		pc = regs_pc(v);
		if (a->kind != ACT_RANGE || pc < a->start || pc >= a->end) {
			vcpu_event(v, &(struct stop_event){ .reason = STOP_STEP });
			return;
		}
	} while (!atomic_load(&v->vm->ctl.pause));
}

/*
 * The guest has had its own breakpoint at the pc, and came back with RF set; which our trap there has used up.  Without it the
 * guest would get that #DB again at each step over.
 */
static void pass_own_breakpoint(struct vcpu *v)
{
	struct kvm_regs regs = *gp(v);
	bool passed = v->arch->own_passed && v->arch->own_hit_rsp == regs.rsp;

	/* Its handler may have steps alone of its own. */
	if (!v->arch->own_hit || v->arch->own_hit_pc != regs_pc(v))
		return;
	v->arch->own_hit = v->arch->own_passed = false;
	if (!passed || !v->vm->arch->steps_by_flag)
		return;
	regs.rflags |= RFLAGS_RF;
	regs_set_general(v, &regs);
}

/* More reasons to be alone may turn up on the way: the trap lies in a page that must be opened, say. */
#define ALONE_TRIES 4

bool debug_step_alone(struct vcpu *v)
{
	struct break_site *s = NULL;
	unsigned tries = 0;
	bool done;

	do {
		unsigned over = v->over;

		if ((over & OVER_BREAK) && !s) {
			s = debug_site_at_pc(v);
			if (s)
				break_lift(v->vm->breaks, s);
		}
		if (over & OVER_BREAK)
			pass_own_breakpoint(v);
		if (over & OVER_OPEN)
			watch_trial_begin(v);
		done = step_instruction(v, over & OVER_BREAK ? DEBUG_STEP_OVER : DEBUG_STEP);
		if (over & OVER_OPEN)
			watch_trial_end(v, done);
	} while (!done && !v->has_event && ++tries < ALONE_TRIES && !atomic_load(&v->vm->ctl.pause));
	if (s)
		break_plant(v->vm->breaks, s);
	/* Its registers may have been among those it changed. */
	v->arch->own_known = false;
	return done;
}
