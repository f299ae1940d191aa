/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Catching what a Linux kernel does: hidden breakpoints at places of it.
 *
 * Panics and oopses are calls of functions, wherever the symbols have these; they follow when the kernel is found to be
 * elsewhere.
 *
 * A kernel that unpacks itself may be anywhere in the end, so its first instruction is come by in steps, each a
 * breakpoint: the jump of the code that was loaded to its copy, which it makes where there is room; the copy's jump to
 * the kernel; and that.  They stand in debug registers if these are free, as the code is copied.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "break/break.h"
#include "arch/x86/catch_x86.h"
#include "kvm/guest_mem.h"
#include "kvm/kernel_view.h"
#include "kvm/machine_priv.h"
#include "arch/x86/regs.h"
#include "linux/unpack.h"

#define OPTIONS      3
#define LOAD_LOW     0x100000u          /* where kernels are loaded, or at multiples of LOAD_STEP */
#define LOAD_STEP    0x200000u
#define COMPARED     64u                /* bytes of code, up to the jump */
#define PT_REGS_IP   0x80u              /* struct pt_regs of x86-64 (Linux, arch/x86/include/uapi/asm/ptrace.h) */
#define TEXT_MAX     120u

static void say_panic(struct catch_table *t, struct vcpu *v, unsigned id, struct stop_event *ev);
static void say_oops(struct catch_table *t, struct vcpu *v, unsigned id, struct stop_event *ev);

/* Calls: the first of the functions that there is. */
static const struct {
	enum catch_kind kind;
	const char *function[OPTIONS];
	void (*say)(struct catch_table *t, struct vcpu *v, unsigned id, struct stop_event *ev);
} calls[] = {
	{ CATCH_PANIC, { "panic" }, say_panic },
	{ CATCH_OOPS, { "__die", "die", "oops_enter" }, say_oops },
};

#define NCALLS (sizeof(calls) / sizeof(calls[0]))

enum stage {
	STAGE_NONE,             /* the code is to be looked for in memory */
	STAGE_JUMP,             /* to the copy */
	STAGE_START,            /* the copy's jump to the kernel */
	STAGE_FIRST,            /* the kernel's first instruction */
	STAGE_OVER,
};

struct catch_kernel {
	struct hidden {
		bool set;
		struct break_spec spec;
	} call[NCALLS], step;
	struct unpacker unpacker;
	enum stage stage;
	atomic_bool arrived;    /* a vCPU has come to the step's place: the next one is at `next` */
	uint64_t next;
	bool slide_known;
	uint64_t slide;
};

static struct machine_kvm *machine_of(const struct catch_table *t)
{
	return machine_priv(t->vm->machine);
}

static struct kernel_view *view_of(const struct catch_table *t)
{
	return machine_of(t)->kernel;
}

/* -- places -- */

static void take_out(struct catch_table *t, struct hidden *h)
{
	if (h->set)
		break_del(t->vm->breaks, BREAK_OWNER_CATCH, &h->spec, NULL);
	h->set = false;
}

static int put_in(struct catch_table *t, struct hidden *h, enum break_kind kind, uint64_t gva, struct err *err)
{
	int r;

	h->spec = (struct break_spec){ .kind = kind, .gva = gva, .space = BREAK_ANY_SPACE };
	r = break_add(t->vm->breaks, BREAK_OWNER_CATCH, &h->spec, err);
	h->set = !r;
	return r;
}

static bool find_call(const struct catch_table *t, size_t i, uint64_t *ret)
{
	struct machine *m = t->vm->machine;

	for (unsigned n = 0; n < OPTIONS && calls[i].function[n]; n++)
		if (!machine_sym_find(m, calls[i].function[n], strlen(calls[i].function[n]), ret))
			return true;
	return false;
}

static int follow_calls(struct catch_table *t, struct err *err)
{
	struct catch_kernel *x = t->kernel;
	int r = 0;

	/* The symbols move when it is found. */
	if (catch_has(t, CATCH_PANIC) || catch_has(t, CATCH_OOPS))
		kernel_view_seek(view_of(t));
	for (size_t i = 0; i < NCALLS; i++) {
		uint64_t gva = 0;
		bool wanted = catch_has(t, calls[i].kind) && find_call(t, i, &gva);

		if (!wanted || x->call[i].spec.gva != gva)
			take_out(t, &x->call[i]);
		if (wanted && !x->call[i].set && !r)
			r = put_in(t, &x->call[i], BREAK_SOFT, gva, err);
	}
	return r;
}

/* -- unpacking -- */

/* Whether the code that unpacks the kernel was loaded at GPA. */
static bool code_at(const struct catch_table *t, const struct unpacker *u, uint64_t gpa)
{
	uint8_t there[COMPARED];
	size_t n = u->jump < COMPARED ? u->jump : COMPARED;

	return break_read(t->vm->breaks, gpa + u->jump - n, there, n) == n &&
	       !memcmp(there, u->code + u->jump - n, n);
}

static bool find_code(const struct catch_table *t, const struct unpacker *u, uint64_t *ret)
{
	uint64_t end = machine_of(t)->info.ram_size;

	if (code_at(t, u, LOAD_LOW)) {
		*ret = LOAD_LOW;
		return true;
	}
	for (uint64_t gpa = LOAD_STEP; gpa < end; gpa += LOAD_STEP)
		if (code_at(t, u, gpa)) {
			*ret = gpa;
			return true;
		}
	return false;
}

static int follow_steps(struct catch_table *t, struct err *err)
{
	struct catch_kernel *x = t->kernel;
	uint64_t gpa;

	if (!catch_has(t, CATCH_KERNEL) || x->stage == STAGE_OVER) {
		take_out(t, &x->step);
		return 0;
	}
	if (atomic_exchange(&x->arrived, false)) {
		take_out(t, &x->step);
		x->stage++;
		x->step.spec.gva = x->next;
	}
	if (x->stage == STAGE_NONE && find_code(t, &x->unpacker, &gpa)) {
		x->stage = STAGE_JUMP;
		x->step.spec.gva = gpa + x->unpacker.jump;
	}
	if (x->stage == STAGE_NONE || x->step.set)
		return 0;
	return put_in(t, &x->step, BREAK_HARD, x->step.spec.gva, NULL) ?
	       put_in(t, &x->step, BREAK_SOFT, x->step.spec.gva, err) : 0;
}

int catch_kernel_follow(struct catch_table *t, struct err *err)
{
	int r, s;

	if (!t->kernel)
		return 0;
	r = follow_calls(t, err);
	s = follow_steps(t, r ? NULL : err);
	return r ? r : s;
}

void catch_kernel_reset(struct catch_table *t)
{
	struct catch_kernel *x = t->kernel;

	if (!x)
		return;
	take_out(t, &x->step);
	x->stage = STAGE_NONE;
	x->slide_known = false;
	atomic_store(&x->arrived, false);
}

bool catch_kernel_wants_tick(const struct catch_table *t)
{
	return (catch_has(t, CATCH_PANIC) || catch_has(t, CATCH_OOPS)) && kernel_view_seeks(view_of(t));
}

/* -- adding -- */

static int check_steps(struct catch_table *t, struct err *err)
{
	const struct machine_kvm *k = machine_of(t);

	if (k->image.kind != IMAGE_LINUX)
		return err_set(err, EINVAL, "only a Linux kernel that the machine starts itself can be caught");
	if (k->image.is_elf || k->load.decompress)
		return err_set(err, EINVAL, "this kernel is not packed: the guest starts with its first instruction");
	return unpacker_find(k->image.file.data, k->image.file.size, &t->kernel->unpacker, err);
}

static int check_call(struct catch_table *t, enum catch_kind kind, struct err *err)
{
	uint64_t at;

	if (!kernel_view_known(view_of(t)))
		return err_set(err, ENOENT, "there are no symbols of a Linux kernel (--symbols=vmlinux gives them)");
	for (size_t i = 0; i < NCALLS; i++)
		if (calls[i].kind == kind && !find_call(t, i, &at))
			return err_set(err, ENOENT, "the symbols have no %s", calls[i].function[0]);
	return 0;
}

int catch_kernel_changed(struct catch_table *t, enum catch_kind kind, struct err *err)
{
	int r = 0;

	if (!t->kernel)
		t->kernel = calloc(1, sizeof(*t->kernel));
	if (!t->kernel)
		return err_set(err, ENOMEM, "no memory for catching a kernel");
	if (catch_has(t, kind))
		r = kind == CATCH_KERNEL ? check_steps(t, err) : check_call(t, kind, err);
	return r ? r : catch_kernel_follow(t, err);
}

void catch_kernel_free(struct catch_kernel *x)
{
	free(x);
}

/* -- hits -- */

static void say_panic(struct catch_table *t, struct vcpu *v, unsigned id, struct stop_event *ev)
{
	char text[TEXT_MAX];

	kernel_view_format(view_of(t), v, 1, text, sizeof(text));
	catch_say(ev, id, "panic: %s", text);
}

/* __die(what, registers, error code). */
static void say_oops(struct catch_table *t, struct vcpu *v, unsigned id, struct stop_event *ev)
{
	const struct kvm_regs *r = &v->run->s.regs.regs;
	char what[TEXT_MAX / 2], from[32] = "", place[TEXT_MAX / 2] = "";
	uint64_t ip, offset;
	const char *name;

	if (!kernel_view_string(view_of(t), v, r->rdi, what, sizeof(what))) {
		catch_say(ev, id, "oops");
		return;
	}
	if (guest_mem_read(v, r->rsi + PT_REGS_IP, &ip, sizeof(ip), NULL) == sizeof(ip)) {
		name = machine_sym_at(t->vm->machine, ip, &offset);
		snprintf(from, sizeof(from), ", from 0x%" PRIx64, ip);
		if (name && offset)
			snprintf(place, sizeof(place), " <%.32s+%" PRIu64 ">", name, offset);
		else if (name)
			snprintf(place, sizeof(place), " <%.32s>", name);
	}
	catch_say(ev, id, "oops: %s (0x%x)%s%s", what, (unsigned)r->rdx, from, place);
}

static uint64_t gpr(const struct vcpu *v, enum insn_gpr which)
{
	struct insn_regs r;

	regs_insn(v, &r);
	return r.gpr[which];
}

/* At a step's place: whether that is the last. */
static bool step_done(struct catch_table *t, struct vcpu *v)
{
	struct catch_kernel *x = t->kernel;
	const struct unpacker *u = &x->unpacker;

	switch (x->stage) {
	case STAGE_JUMP:
		x->next = gpr(v, u->jump_gpr) - u->copied + u->start;
		break;
	case STAGE_START:
		x->next = gpr(v, u->start_gpr);
		break;
	default:
		return true;
	}
	/* The table changes while all are parked: by catch_follow(), before this one goes on. */
	atomic_store(&x->arrived, true);
	vm_pause(t->vm);
	return false;
}

static void say_first(struct catch_table *t, struct vcpu *v, unsigned id, struct stop_event *ev)
{
	struct catch_kernel *x = t->kernel;
	struct err err;

	x->slide_known = !kernel_view_unpacked(view_of(t), regs_pc(v), &x->slide, &err);
	if (!x->slide_known)
		catch_say(ev, id, "the kernel's first instruction (%.100s)", err.msg);
	else if (x->slide)
		catch_say(ev, id, "the kernel's first instruction, moved by 0x%" PRIx64, x->slide);
	else
		catch_say(ev, id, "the kernel's first instruction");
}

bool catch_kernel_hit(struct catch_table *t, struct vcpu *v, uint64_t gva, struct stop_event *ev)
{
	struct catch_kernel *x = t->kernel;
	const struct catch_info *c;

	if (!x)
		return false;
	for (size_t i = 0; i < NCALLS; i++) {
		c = catch_next(t, calls[i].kind, ev->catch_id);
		if (c && x->call[i].set && x->call[i].spec.gva == gva) {
			calls[i].say(t, v, c->id, ev);
			return true;
		}
	}
	c = catch_next(t, CATCH_KERNEL, ev->catch_id);
	if (!c || !x->step.set || x->step.spec.gva != gva || !step_done(t, v))
		return false;
	say_first(t, v, c->id, ev);
	return true;
}

void catch_kernel_told(struct catch_table *t)
{
	struct catch_kernel *x = t->kernel;

	if (!x || x->stage != STAGE_FIRST)
		return;
	x->stage = STAGE_OVER;
	if (x->slide_known)
		kernel_view_move(view_of(t), x->slide);
}
