/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/fake_machine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "tests/fake_parts.h"

enum note_kind { NOTE_RESUMED, NOTE_RESET, NOTE_ENTRY, NOTE_SERIAL, NOTE_FIRMWARE, NOTE_TROUBLE };

struct fake_note {
	struct fake_note *next;
	enum note_kind kind;
	size_t len;
	uint8_t data[];
};

static void kick(struct fake_machine *f)
{
	if (eventfd_write(f->event_fd, 1))
		abort();
}

static void note(struct fake_machine *f, enum note_kind kind, const void *data, size_t len)
{
	struct fake_note *n = calloc(1, sizeof(*n) + len);

	if (!n)
		abort();
	n->kind = kind;
	n->len = len;
	if (len)
		memcpy(n->data, data, len);
	*f->notes_tail = n;
	f->notes_tail = &n->next;
	kick(f);
}

int fake_need_parked(const struct fake_machine *f, unsigned cpu, struct err *err)
{
	if (cpu >= f->config.cpus)
		return err_set(err, EINVAL, "there is no vCPU %u", cpu);
	if (f->state == MACHINE_RUNNING && !f->holds && !f->in_filter)
		return err_set(err, EBUSY, "the machine is running");
	return 0;
}

/* Registers and RAM as after loading. */
static void load(struct fake_machine *f)
{
	memset(f->ram, 0, f->config.ram_size);
	if (f->config.code_len)
		memcpy(f->ram + FAKE_ENTRY, f->config.code, f->config.code_len);
	for (unsigned i = 0; i < f->config.cpus; i++) {
		f->cpu[i] = (struct fake_cpu){ .mode = f->config.mode, .activity = "stopped" };
		fake_set_reg(f, i, X86_EFLAGS, 2);
		fake_set_reg(f, i, X86_RSP, 0x8000 - 0x100 * i);
		fake_set_reg(f, i, X86_FCTRL, 0x37f);
		fake_set_reg(f, i, X86_FTAG, 0xffff);
		fake_set_reg(f, i, X86_MXCSR, 0x1f80);
		fake_set_reg(f, i, X86_DR6, 0xffff0ff0);
		fake_set_reg(f, i, X86_DR7, 0x400);
		fake_set_pc(f, i, FAKE_ENTRY);
	}
	fake_slots_reset(f);
	f->npending = 0;
	f->stop_wanted = false;
}

/* -- execution -- */

static const struct break_info *break_at(const struct fake_machine *f, uint64_t gva)
{
	size_t i = fake_break_from(f, gva);

	return i < f->nbrk && f->brk[i].spec.gva == gva ? &f->brk[i] : NULL;
}

/* Ticks until CPU meets a breakpoint, the exit instruction or the end of its action; UINT64_MAX: never. */
static uint64_t ticks_to_event(const struct fake_machine *f, unsigned cpu)
{
	const struct fake_cpu *c = &f->cpu[cpu];
	uint64_t pc = fake_pc_of(f, cpu), best = UINT64_MAX;
	size_t i = fake_break_from(f, c->stepping_over ? pc + 1 : pc);
	const uint8_t *op = NULL;

	if (pc < f->config.ram_size)
		op = memchr(f->ram + pc, FAKE_OP_EXIT, f->config.ram_size - pc);
	if (op)
		best = (uint64_t)(op - (f->ram + pc));
	if (i < f->nbrk && f->brk[i].spec.gva - pc < best)
		best = f->brk[i].spec.gva - pc;
	if (c->action.kind == ACT_STEP && best > 1)
		best = 1;
	if (c->action.kind == ACT_RANGE) {
		uint64_t left = pc - c->action.start < c->action.end - c->action.start ? c->action.end - pc : 1;

		if (best > left)
			best = left;
	}
	return best;
}

static void add_pending(struct fake_machine *f, const struct stop_event *ev)
{
	if (f->npending < sizeof(f->pending) / sizeof(f->pending[0]))
		f->pending[f->npending++] = *ev;
}

/* What CPU has come to; false: a breakpoint that nobody wants. */
static bool event_at_pc(struct fake_machine *f, unsigned cpu, bool moved, struct stop_event *ev)
{
	const struct fake_cpu *c = &f->cpu[cpu];
	uint64_t pc = fake_pc_of(f, cpu);
	bool wanted = false;

	*ev = (struct stop_event){ .reason = STOP_STEP, .cpu = cpu, .pc = pc };
	if (moved && (c->action.kind == ACT_STEP ||
		      (c->action.kind == ACT_RANGE && pc - c->action.start >= c->action.end - c->action.start)))
		return true;
	if (!break_at(f, pc) || (c->stepping_over && !moved)) {
		ev->reason = STOP_EXIT;
		ev->exit_status = (int)((fake_reg(f, cpu, X86_RAX) << 1 | 1) & 0xff);
		strcpy(ev->text, "the guest left by its exit port");
		return true;
	}
	ev->reason = STOP_BREAKPOINT;
	for (size_t i = fake_break_from(f, pc); i < f->nbrk && f->brk[i].spec.gva == pc; i++) {
		const struct break_spec *spec = &f->brk[i].spec;
		struct stop_event one = { .reason = STOP_BREAKPOINT, .cpu = cpu, .pc = pc, .place = pc,
					  .kind = spec->kind, .space = spec->space, .owners = f->brk[i].owners };

		if (!fake_wanted(f, &one))
			continue;
		f->brk[i].hits++;
		one.owners |= ev->owners;
		if (wanted)
			ev->owners = one.owners;
		else
			*ev = one;
		wanted = true;
	}
	return wanted;
}

/* All vCPUs advance to the first event of any; false: there is none. */
static bool advance(struct fake_machine *f)
{
	uint64_t left[MACHINE_CPUS_MAX], first = UINT64_MAX;
	struct stop_event ev;

	for (unsigned i = 0; i < f->config.cpus; i++) {
		left[i] = f->cpu[i].action.kind == ACT_STAY ? UINT64_MAX : ticks_to_event(f, i);
		if (left[i] < first)
			first = left[i];
	}
	if (first == UINT64_MAX)
		return false;
	for (unsigned i = 0; i < f->config.cpus; i++) {
		bool unwanted = false;

		if (f->cpu[i].action.kind == ACT_STAY)
			continue;
		fake_set_pc(f, i, fake_pc_of(f, i) + first);
		if (left[i] == first) {
			unwanted = !event_at_pc(f, i, first > 0, &ev);
			if (!unwanted)
				add_pending(f, &ev);
		}
		if (first)
			f->cpu[i].stepping_over = false;
		f->cpu[i].stepping_over |= unwanted;
	}
	return true;
}

/* Runs a running machine to its next events, if there are any. */
static void execute(struct fake_machine *f)
{
	if (f->state != MACHINE_RUNNING || f->holds || f->stop_wanted)
		return;
	while (!f->npending && advance(f))
		;
	if (f->npending)
		kick(f);
}

static void drop_stale(struct fake_machine *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->npending; i++)
		if (f->pending[i].reason != STOP_BREAKPOINT || break_at(f, f->pending[i].pc))
			f->pending[n++] = f->pending[i];
	f->npending = n;
}

static void take_actions(struct fake_machine *f, const struct run_action *acts)
{
	for (unsigned i = 0; i < f->config.cpus; i++)
		if (acts[i].kind != ACT_KEEP)
			f->cpu[i].action = acts[i];
}

static int resume_stopped(struct fake_machine *f, const struct run_action *acts, struct err *err)
{
	bool any = false;

	if (f->fail_resume)
		return err_set(err, f->fail_resume, "resume refused");
	if (f->state == MACHINE_ENDED)
		return err_set(err, ESHUTDOWN, "the guest has ended");
	for (unsigned i = 0; i < f->config.cpus; i++)
		any |= (acts[i].kind == ACT_KEEP ? f->cpu[i].action.kind : acts[i].kind) != ACT_STAY;
	if (!any)
		return err_set(err, EINVAL, "no vCPU is to run");
	if (f->last.reason == STOP_TRIPLE_FAULT) {
		load(f);
		note(f, NOTE_RESET, NULL, 0);
	}
	take_actions(f, acts);
	drop_stale(f);
	f->state = MACHINE_RUNNING;
	note(f, NOTE_RESUMED, NULL, 0);
	execute(f);
	return 0;
}

static int op_resume(struct machine *m, const struct run_action *acts, struct err *err)
{
	struct fake_machine *f = fake(m);

	f->calls.resume++;
	if (f->state == MACHINE_RUNNING && !f->fail_resume)
		return err_set(err, EBUSY, "running already");
	return resume_stopped(f, acts, err);
}

static int op_redirect(struct machine *m, const struct run_action *acts, struct err *err)
{
	struct fake_machine *f = fake(m);

	f->calls.redirect++;
	if (f->state != MACHINE_RUNNING)
		return resume_stopped(f, acts, err);
	if (!f->holds)
		return err_set(err, EBUSY, "running and not held");
	take_actions(f, acts);
	return 0;
}

static void op_stop(struct machine *m)
{
	struct fake_machine *f = fake(m);

	f->calls.stop++;
	if (f->state == MACHINE_RUNNING) {
		f->stop_wanted = true;
		kick(f);
	}
}

static int op_reset(struct machine *m, struct err *err)
{
	struct fake_machine *f = fake(m);

	f->calls.reset++;
	if (f->state == MACHINE_ENDED)
		return err_set(err, ESHUTDOWN, "the guest has ended");
	load(f);
	f->state = MACHINE_STOPPED;
	note(f, NOTE_RESET, NULL, 0);
	note(f, NOTE_ENTRY, NULL, 0);
	return 0;
}

static int op_hold(struct machine *m, struct err *err)
{
	struct fake_machine *f = fake(m);

	f->calls.hold++;
	if (f->fail_hold)
		return err_set(err, f->fail_hold, "hold refused");
	f->holds++;
	return 0;
}

static void op_release(struct machine *m)
{
	struct fake_machine *f = fake(m);

	f->calls.release++;
	if (!f->holds)
		abort();
	if (--f->holds)
		return;
	drop_stale(f);
	execute(f);
	kick(f);
}

/* -- delivery -- */

static int op_event_fd(struct machine *m)
{
	return fake(m)->event_fd;
}

static void tell(struct fake_machine *f, const struct fake_note *n, const struct stop_event *ev)
{
	for (struct observer *o = f->observers; o; o = f->next_observer) {
		f->next_observer = o->next;
		if (ev && o->stopped)
			o->stopped(o, ev);
		if (!n)
			continue;
		if (n->kind == NOTE_RESUMED && o->resumed)
			o->resumed(o);
		if (n->kind == NOTE_RESET && o->was_reset)
			o->was_reset(o);
		if (n->kind == NOTE_SERIAL && o->serial_output)
			o->serial_output(o, n->data, n->len);
		if (n->kind == NOTE_FIRMWARE && o->firmware_output)
			o->firmware_output(o, n->data, n->len);
		if (n->kind == NOTE_TROUBLE && o->device_trouble)
			o->device_trouble(o, (const char *)n->data);
	}
	f->next_observer = NULL;
}

static void report(struct fake_machine *f, const struct stop_event *ev)
{
	f->last = *ev;
	f->state = ev->reason == STOP_EXIT ? MACHINE_ENDED : MACHINE_STOPPED;
	f->stop_wanted = false;
	for (unsigned i = 0; i < f->config.cpus; i++)
		f->cpu[i].stepping_over |= i == ev->cpu;
	tell(f, NULL, &f->last);
}

static void op_poll(struct machine *m, unsigned spin_us)
{
	struct fake_machine *f = fake(m);
	struct stop_event ev = { .reason = STOP_ENTRY };
	eventfd_t count;

	(void)spin_us;
	f->calls.poll++;
	if (f->polling)
		return;
	f->polling = true;
	(void)eventfd_read(f->event_fd, &count);
	while (f->notes) {
		struct fake_note *n = f->notes;

		f->notes = n->next;
		if (!f->notes)
			f->notes_tail = &f->notes;
		if (n->kind == NOTE_ENTRY) {
			ev.pc = fake_pc_of(f, 0);
			report(f, &ev);
		} else {
			tell(f, n, NULL);
		}
		free(n);
	}
	if (f->state == MACHINE_RUNNING && !f->holds && (f->npending || f->stop_wanted)) {
		if (f->npending) {
			ev = f->pending[0];
			f->npending--;
			memmove(f->pending, f->pending + 1, f->npending * sizeof(f->pending[0]));
		} else {
			ev = (struct stop_event){ .reason = STOP_REQUEST };
			for (unsigned i = f->config.cpus; i-- > 0;)
				if (f->cpu[i].action.kind != ACT_STAY) {
					fake_set_pc(f, i, fake_pc_of(f, i) + 1);
					f->cpu[i].stepping_over = false;
					ev.cpu = i;
				}
			ev.pc = fake_pc_of(f, ev.cpu);
		}
		report(f, &ev);
	}
	f->polling = false;
}

static void op_observe(struct machine *m, struct observer *o)
{
	o->next = fake(m)->observers;
	fake(m)->observers = o;
}

static void op_unobserve(struct machine *m, struct observer *o)
{
	struct fake_machine *f = fake(m);

	for (struct observer **p = &f->observers; *p; p = &(*p)->next)
		if (*p == o) {
			*p = o->next;
			break;
		}
	if (f->next_observer == o)
		f->next_observer = o->next;
}

/* -- looking and changing -- */

static const struct machine_info *op_info(struct machine *m)
{
	return &fake(m)->info;
}

static enum machine_state op_state(struct machine *m)
{
	return fake(m)->state;
}

static const struct stop_event *op_last_stop(struct machine *m)
{
	return &fake(m)->last;
}

/* -- what is fixed -- */

static bool op_host_fact(struct machine *m, size_t index, struct host_fact *ret)
{
	static const struct host_fact facts[] = {
		{ "KVM_CAP_NR_MEMSLOTS", "32764", "memory slots a machine may have" },
		{ "single-step", "yes", "the processor stops after one guest instruction" },
		{ "int3", "no", "a patched int3 leaves the guest as a debug exit" },
	};

	(void)m;
	if (index >= sizeof(facts) / sizeof(facts[0]))
		return false;
	*ret = facts[index];
	return true;
}

static const struct {
	const char *name;
	uint64_t addr, size;
} symbols[] = {
	{ "_start", 0x1000, 0x10 },
	{ "counter", 0x2000, 8 },
	{ "loop", 0x1030, 0x20 },
	{ "main", 0x1010, 0x20 },
};

#define NSYMBOLS (sizeof(symbols) / sizeof(symbols[0]))

static int op_sym_find(struct machine *m, const char *name, size_t len, uint64_t *ret_addr)
{
	for (size_t i = 0; i < NSYMBOLS; i++)
		if (strlen(symbols[i].name) == len && !memcmp(symbols[i].name, name, len)) {
			*ret_addr = symbols[i].addr + fake(m)->slide;
			return 0;
		}
	return -ENOENT;
}

static const char *op_sym_at(struct machine *m, uint64_t addr, uint64_t *ret_offset)
{
	addr -= fake(m)->slide;
	for (size_t i = 0; i < NSYMBOLS; i++)
		if (addr - symbols[i].addr < symbols[i].size) {
			*ret_offset = addr - symbols[i].addr;
			return symbols[i].name;
		}
	return NULL;
}

static const char *op_sym_next(struct machine *m, size_t index)
{
	(void)m;
	return index < NSYMBOLS ? symbols[index].name : NULL;
}

/* Line 10 of main.c begins main, and each instruction is the next one's; line 20 is in loop and in main, inlined. */
static int op_sym_line(struct machine *m, uint64_t gva, struct source_line *ret)
{
	gva -= fake(m)->slide;
	if (!fake(m)->source || gva < 0x1010 || gva >= 0x1030)
		return -ENOENT;
	*ret = (struct source_line){ .file = fake(m)->source, .line = 10 + (unsigned)(gva - 0x1010) };
	return 0;
}

static int op_sym_places(struct machine *m, const char *file, size_t len, unsigned *line, uint64_t *ret, size_t max,
			 struct err *err)
{
	static const uint64_t twice[] = { 0x101a, 0x1034 };
	int n = 0;

	if (len != 6 || memcmp(file, "main.c", 6))
		return err_set(err, ENOENT, "there is no source file '%.*s'", (int)len, file);
	if (*line > 41)
		return err_set(err, ENOENT, "no code comes from line %u of 'main.c' or after it", *line);
	if (*line < 10)
		*line = 10;
	if (*line != 20) {
		ret[0] = 0x1010 + (*line - 10) + fake(m)->slide;
		return 1;
	}
	for (; n < 2 && (size_t)n < max; n++)
		ret[n] = twice[n] + fake(m)->slide;
	return n;
}

static uint64_t op_sym_slide(struct machine *m, const uint64_t *value)
{
	if (value)
		fake(m)->slide = *value;
	return fake(m)->slide;
}

static int op_sym_load(struct machine *m, const char *path, struct err *err)
{
	struct fake_machine *f = fake(m);

	if (strcmp(path, "/fake.sym"))
		return err_errno(err, ENOENT, "%s", path);
	f->info.exec_file = "/fake.sym";
	return 0;
}

static int op_serial_send(struct machine *m, const uint8_t *data, size_t len, struct err *err)
{
	struct fake_machine *f = fake(m);

	f->calls.serial_send++;
	if (len > FAKE_SERIAL_MAX - f->serial_in_len)
		return err_set(err, ENOSPC, "the guest has not read its input yet");
	memcpy(f->serial_in + f->serial_in_len, data, len);
	f->serial_in_len += len;
	return 0;
}

static void own_ops(struct machine_ops *ops)
{
	ops->info = op_info;
	ops->state = op_state;
	ops->last_stop = op_last_stop;
	ops->resume = op_resume;
	ops->redirect = op_redirect;
	ops->stop = op_stop;
	ops->reset = op_reset;
	ops->hold = op_hold;
	ops->release = op_release;
	ops->event_fd = op_event_fd;
	ops->poll = op_poll;
	ops->observe = op_observe;
	ops->unobserve = op_unobserve;
	ops->host_fact = op_host_fact;
	ops->sym_find = op_sym_find;
	ops->sym_at = op_sym_at;
	ops->sym_next = op_sym_next;
	ops->sym_line = op_sym_line;
	ops->sym_places = op_sym_places;
	ops->sym_slide = op_sym_slide;
	ops->sym_load = op_sym_load;
	ops->serial_send = op_serial_send;
}

/* -- for the tests -- */

bool fake_inject(struct fake_machine *f, const struct stop_event *ev)
{
	struct stop_event e = *ev;

	e.pc = fake_pc_of(f, e.cpu);
	if (f->npending == sizeof(f->pending) / sizeof(f->pending[0]))
		return false;
	if (!fake_wanted(f, &e))
		return false;
	memmove(f->pending + 1, f->pending, f->npending * sizeof(f->pending[0]));
	f->npending++;
	f->pending[0] = e;
	kick(f);
	return true;
}

void fake_serial_output(struct fake_machine *f, const void *data, size_t len)
{
	note(f, NOTE_SERIAL, data, len);
}

void fake_firmware_output(struct fake_machine *f, const void *data, size_t len)
{
	fake_firmware_log(f, data, len);
	note(f, NOTE_FIRMWARE, data, len);
}

void fake_device_trouble(struct fake_machine *f, const char *line)
{
	note(f, NOTE_TROUBLE, line, strlen(line) + 1);
}

struct fake_machine *fake_new(const struct fake_config *config)
{
	struct fake_machine *f = calloc(1, sizeof(*f));

	if (!f)
		abort();
	own_ops(&f->ops);
	fake_cpu_ops(&f->ops);
	fake_memory_ops(&f->ops);
	fake_slot_ops(&f->ops);
	fake_break_ops(&f->ops);
	fake_device_ops(&f->ops);
	fake_kernel_ops(&f->ops);
	f->machine.ops = &f->ops;
	f->notes_tail = &f->notes;
	f->setting[SETTING_ALIAS_HITS] = f->setting[SETTING_ASSIST] = true;
	if (config)
		f->config = *config;
	if (!f->config.cpus)
		f->config.cpus = 1;
	if (!f->config.ram_size)
		f->config.ram_size = 1 << 20;
	f->ram = malloc(f->config.ram_size);
	f->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (!f->ram || f->event_fd < 0)
		abort();
	f->info = (struct machine_info){
		.cpus = f->config.cpus,
		.ram_size = f->config.ram_size,
		.image = "fake.img",
		.image_kind = f->config.image_bits == 64 ? "elf64" : f->config.image_bits ? "elf32" : "flat",
		.image_bits = f->config.image_bits,
	};
	if (f->config.image_bits) {
		f->info.exec_file = "/fake.elf";
		f->info.exec_data = (const uint8_t *)FAKE_EXEC;
		f->info.exec_size = sizeof(FAKE_EXEC) - 1;
	}
	load(f);
	f->last = (struct stop_event){ .reason = STOP_ENTRY, .pc = FAKE_ENTRY };
	return f;
}

void fake_free(struct fake_machine *f)
{
	if (!f)
		return;
	while (f->notes) {
		struct fake_note *n = f->notes;

		f->notes = n->next;
		free(n);
	}
	fake_slots_free(f);
	close(f->event_fd);
	free(f->brk);
	free(f->ram);
	free(f);
}
