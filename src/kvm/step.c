/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Single-stepping.  The processor, and KVM with it, steps by the trap flag, which must not show: what the guest pushes, and what
 * it loads, is looked at around the step.
 */
#include <string.h>

#include "insn/insn.h"
#include "kvm/catch.h"
#include "kvm/debug.h"
#include "kvm/guest_mem.h"
#include "kvm/regs.h"
#include "kvm/watch_kvm.h"

#define RFLAGS_TF  (1ull << 8)
#define RFLAGS_RF  (1ull << 16)
#define DR6_BS     (1ull << 14)
#define EFER_LMA   (1ull << 10)
#define MSR_FMASK  0xc0000084u
#define FRAME_WORDS 24          /* how far from the top of the stack a handler's first instruction may have moved it */
#define OPCODE_MAX 8            /* bytes that tell the class: prefixes and opcode */

/* What of a vCPU's state a step is judged by. */
struct before {
	enum insn_class class;
	uint64_t pc, rip, rsp, rflags;
	uint16_t cs, ss;
	bool image_tf;          /* POPF, IRET: the trap flag in what it loads */
	bool user;              /* CPL 3, where this host cannot step */
	struct kvm_sregs sregs; /* then */
};

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

/* The vector of the INT instruction in CODE. */
static unsigned int_vector(const uint8_t *code)
{
	for (unsigned i = 0; i < OPCODE_MAX - 1; i++)
		switch (code[i]) {
		case 0xcc: return 3;
		case 0xce: return 4;
		case 0xf1: return 1;
		case 0xcd: return code[i + 1];
		default: break;
		}
	return 3;
}

/*
 * Where the instruction may end but behind itself.  As many as there are free registers; the tables are looked at once for
 * every run of steps.
 */
static void find_landings(struct vcpu *v, const struct before *b, const uint8_t *code)
{
	static const uint8_t faults[] = { 14, 13, 6, 7 };
	unsigned n = 0;

	if (b->class == INSN_INT) {
		v->nlandings = catch_handler(v, int_vector(code), &v->landing[0]);
		v->landings_known = false;
		return;
	}
	if (v->landings_known && v->landings_user == b->user)
		return;
	/* Where the trap of a step goes to the guest, and where one that is its own does. */
	if ((b->user || v->guest_tf || !v->vm->own_registers) && catch_handler(v, 1, &v->landing[n]))
		n++;
	for (unsigned i = 0; i < sizeof(faults) && n < BREAK_REGISTERS; i++)
		if (catch_handler(v, faults[i], &v->landing[n]))
			n++;
	v->nlandings = n;
	v->landings_known = true;
	v->landings_user = b->user;
}

static void look(struct vcpu *v, struct before *b, unsigned *ret_size)
{
	uint8_t code[OPCODE_MAX] = { 0 };
	struct insn_regs r;
	uint64_t image = 0;
	size_t n;

	b->pc = regs_pc(v);
	b->rip = gp(v)->rip;
	b->rsp = gp(v)->rsp;
	b->rflags = gp(v)->rflags;
	b->cs = sys(v)->cs.selector;
	b->ss = sys(v)->ss.selector;
	n = guest_mem_read(v, b->pc, code, sizeof(code), NULL);
	b->class = insn_classify(code, n, regs_code_bits(v));
	b->user = !v->vm->user_steps && (sys(v)->cr0 & 1) && sys(v)->ss.dpl == 3;
	if (b->user)
		b->sregs = *sys(v);
	find_landings(v, b, code);
	b->image_tf = false;
	if (b->class != INSN_POPF && b->class != INSN_IRET && b->class != INSN_PUSHF)
		return;
	*ret_size = flags_size(code, regs_code_bits(v), b->class);
	if (b->class == INSN_PUSHF)
		return;
	regs_insn(v, &r);
	guest_mem_read(v, insn_linear(&r, INSN_SS, r.gpr[INSN_RSP] + (b->class == INSN_IRET ? 2 * *ret_size : 0)), &image,
		       *ret_size, NULL);
	b->image_tf = image & RFLAGS_TF;
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
static bool find_frame(struct vcpu *v, const struct insn_regs *r, const struct before *b, unsigned size, uint64_t *ret_flags)
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
static bool clean_frame(struct vcpu *v, const struct insn_regs *r, const struct before *b)
{
	static const unsigned sizes[] = { 8, 4, 2 };
	uint64_t flags;

	for (unsigned i = 0; i < 3; i++) {
		if ((sizes[i] == 8) != !!(r->efer & EFER_LMA))
			continue;
		if (find_frame(v, r, b, sizes[i], &flags)) {
			clean_image(v, r, flags, sizes[i], v->guest_tf);
			return true;
		}
	}
	return false;
}

/* Whether the stack went further than an instruction takes it, or to another place: an event may have been delivered. */
static bool stack_jumped(const struct vcpu *v, const struct before *b)
{
	int64_t down = (int64_t)(b->rsp - gp(v)->rsp);

	return b->class == INSN_INT || sys(v)->cs.selector != b->cs || sys(v)->ss.selector != b->ss || down > 4 || down < -256;
}

/*
 * The trap of a step in user code went to the guest's own handler: the delivery is undone, as if it had not been.  Its frame stays
 * below the stack of a kernel that was not running.  False: that is not what happened.
 */
static bool undo_trap(struct vcpu *v, const struct insn_regs *r, const struct before *b)
{
	unsigned size = r->efer & EFER_LMA ? 8 : 4;
	struct kvm_regs regs = *gp(v);
	uint64_t frame[5] = { 0 };
	uint8_t bytes[sizeof(frame)];

	if (guest_mem_read(v, insn_linear(r, INSN_SS, r->gpr[INSN_RSP]), bytes, 5 * size, NULL) != 5 * size)
		return false;
	for (unsigned i = 0; i < 5; i++)
		memcpy(&frame[i], bytes + i * size, size);
	if ((uint16_t)frame[1] != b->cs || (uint16_t)frame[4] != b->ss)
		return false;
	regs.rip = frame[0];
	regs.rflags = frame[2] & ~RFLAGS_TF;
	regs.rsp = frame[3];
	if (regs_set_all(v, &regs, &b->sregs))
		return false;
	debug_forget_trap(v);
	return true;
}

static void hide_syscall(struct vcpu *v)
{
	struct kvm_regs regs = *gp(v);
	uint64_t mask = 0;

	if (!v->guest_tf && (regs.r11 & RFLAGS_TF)) {
		regs.r11 &= ~RFLAGS_TF;
		regs_set_general(v, &regs);
	}
	if (!regs_msr(v, MSR_FMASK, &mask) && (mask & RFLAGS_TF))
		v->guest_tf = false;
}

/* After a step: nothing of it shows, and the guest's own trap flag has its effect. */
static void settle(struct vcpu *v, const struct before *b, unsigned size)
{
	bool trap = v->guest_tf;
	struct insn_regs r;

	if (b->class == INSN_PUSHF || stack_jumped(v, b))
		regs_insn(v, &r);
	if (b->user && v->landed && v->nlandings && regs_pc(v) == v->landing[0] && undo_trap(v, &r, b)) {
		/* What the guest loaded into its flags came with the frame. */
		if (b->class == INSN_POPF)
			v->guest_tf = b->image_tf;
		return;
	}
	if (b->class == INSN_PUSHF)
		clean_image(v, &r, 0, size, v->guest_tf);
	else if (b->class == INSN_POPF || (b->class == INSN_IRET && !stack_jumped(v, b)))
		v->guest_tf = b->image_tf;
	else if (b->class == INSN_SYSCALL)
		hide_syscall(v);
	else if (stack_jumped(v, b)) {
		if (clean_frame(v, &r, b))
			trap = v->guest_tf = false;
		else if (b->class == INSN_IRET)
			v->guest_tf = b->image_tf;
	}
	if (trap && regs_pc(v) != b->pc)
		debug_give_db(v, DR6_BS);
	if (v->guest_tf)
		v->run->s.regs.regs.rflags |= RFLAGS_TF;
}

/*
 * Takes one step.  False: a pause or an event came first.  An access that we served ends its instruction without a debug
 * exit on some hosts, so it is finished here and counts as the step: string I/O is then stepped element by element.
 */
static bool step_once(struct vcpu *v)
{
	bool enter;

	v->stepped = false;
	do {
		enter = vcpu_enter(v);
		if (v->needs_completion) {
			vcpu_complete_io(v);
			v->stepped = !v->has_event;
		}
	} while (enter && !v->stepped && !v->has_event);
	return v->stepped;
}

/*
 * VMX ends a step before its instruction for every page that it finds the host's tables for only then, which is all of them after
 * a change of slots: nothing has changed then, and it is tried again.  An instruction that really changes nothing, a jump to
 * itself, is none the worse for being run more than once.
 */
#define STEP_TRIES 16

static bool step_instruction(struct vcpu *v, enum debug_use use)
{
	struct kvm_regs regs;
	struct before b;
	unsigned size = 0;

	look(v, &b, &size);
	debug_prepare(v, use);
	v->landed = false;
	for (unsigned i = 0; i < STEP_TRIES; i++) {
		regs = *gp(v);
		if (!step_once(v))
			return false;
		if (memcmp(&regs, gp(v), sizeof(regs)))
			break;
	}
	settle(v, &b, size);
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
		if (over & OVER_OPEN)
			watch_trial_begin(v);
		done = step_instruction(v, over & OVER_BREAK ? DEBUG_STEP_OVER : DEBUG_STEP);
		if (over & OVER_OPEN)
			watch_trial_end(v, done);
	} while (!done && !v->has_event && ++tries < ALONE_TRIES && !atomic_load(&v->vm->ctl.pause));
	if (s)
		break_plant(v->vm->breaks, s);
	/* Its registers may have been among those it changed. */
	v->own_known = false;
	return done;
}
