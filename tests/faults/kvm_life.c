/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A machine's life on the real KVM, from its making to its end, with each allocation, KVM call, mapping, descriptor and thread
 * failing once.  What failed has changed neither slots nor guest memory, and does well when it is asked for again.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "arch/x86/x86_regs.h"
#include "kvm/machine_kvm.h"
#include "tests/faults/sweep.h"

#define AT      0x2000000ull
#define OTHER   0x3000000ull
#define LOW     0x20000u        /* bytes of RAM that are compared: nothing fails in them unseen */
#define SLOTS   16
#define DEADLINE_MS 30000
#define LIFE_CPUS 2

/* For ever: counts at 0x8000, and says so to a port of nobody's; the second vCPU waits to be started. */
extern const unsigned char guest[], guest_end[], rom[], rom_end[];
__asm__(".pushsection .rodata\n guest: .code32\n"
	/* 7c00 */ "1: incl 0x8000\n"
	/* 7c06 */ "nop\n"
	/* 7c07 */ "mov $0x1234, %dx\n"
	/* 7c0b */ "out %al, (%dx)\n"
	/* 7c0c */ "jmp 1b\n"
	"guest_end:\n"
	"rom: .code16\n"
	"1: incw %cs:0\n"
	"jmp 1b\n"
	".org rom + 0xfff0\n"
	"ljmp $0xf000, $0\n"
	".org rom + 0x10000\n"
	"rom_end: .code64\n .popsection\n");

/* The state that a failure must leave alone. */
struct state {
	struct slot_info slot[SLOTS];
	size_t nslots;
	uint8_t low[LOW], there[0x4000];
	size_t there_len;
};

static struct machine *m;
static struct err err;
static struct stop_event stop;
static unsigned stops;
static char dir[] = "/tmp/gv-faults-XXXXXX";
static char data_path[64], save_path[64], disk_path[64];
static struct slot_note note;
static unsigned new_id, catch_id;
static bool again;              /* a step that failed, and may have moved the guest, is tried again */
static bool lacking;            /* a capability that was not there is missing for good: what needs it is not done */

static void on_stop(struct observer *o, const struct stop_event *ev)
{
	(void)o;
	stop = *ev;
	stops++;
}

static void on_reset(struct observer *o)
{
	(void)o;
}

static void on_output(struct observer *o, const uint8_t *data, size_t len)
{
	(void)o;
	(void)data;
	(void)len;
}

static void on_trouble(struct observer *o, const char *line)
{
	(void)o;
	(void)line;
}

static struct observer watcher = {
	.stopped = on_stop, .was_reset = on_reset, .serial_output = on_output, .firmware_output = on_output,
	.device_trouble = on_trouble,
};

static void on_slot_fault(void *arg, const struct slot_fault *f)
{
	wrong("after %s slot %u differs from KVM's: %s", (const char *)arg, f->id, f->text);
}

static void snapshot(struct state *s)
{
	memset(s, 0, sizeof(*s));
	while (s->nslots < SLOTS && machine_slot_list(m, s->nslots, &s->slot[s->nslots]))
		s->nslots++;
	for (size_t i = 0; i < s->nslots; i++)
		s->slot[i].hva = 0;
	if (machine_phys_read(m, 0, s->low, sizeof(s->low), &err) != sizeof(s->low))
		wrong("RAM cannot be read: %s", err.msg);
	s->there_len = machine_phys_read(m, AT, s->there, sizeof(s->there), NULL);
}

static void assert_same(const struct state *was, const char *after)
{
	static struct state is;

	snapshot(&is);
	if (machine_slot_check(m, on_slot_fault, (void *)(uintptr_t)after, &err))
		wrong("slots cannot be checked after %s: %s", after, err.msg);
	if (is.nslots != was->nslots || memcmp(is.slot, was->slot, sizeof(is.slot)))
		wrong("%s failed, and changed the slots", after);
	if (is.there_len != was->there_len || memcmp(is.there, was->there, sizeof(is.there)))
		wrong("%s failed, and changed memory in slots", after);
	if (memcmp(is.low, was->low, sizeof(is.low)))
		wrong("%s failed, and changed RAM", after);
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Waits for a stop; STOP_ERROR is a failure with its text. */
static int wait_stop(unsigned before)
{
	struct pollfd p = { .fd = machine_event_fd(m), .events = POLLIN };
	uint64_t start = now_ms();

	machine_poll(m, 0);
	while (stops == before) {
		if (now_ms() - start > DEADLINE_MS)
			wrong("no stop came");
		poll(&p, 1, 100);
		machine_poll(m, 0);
	}
	return stop.reason == STOP_ERROR ? err_set(&err, EIO, "%s", stop.text) : 0;
}

static int resume(enum action_kind kind)
{
	struct run_action acts[MACHINE_CPUS_MAX] = { [0] = { .kind = kind, .start = 0x7c00, .end = 0x7c0c } };

	return machine_resume(m, acts, &err);
}

static int run(enum action_kind kind)
{
	unsigned before = stops;
	int r = resume(kind);

	if (!r && lacking) {
		machine_poll(m, 0);
		machine_stop(m);
	}
	return r ? r : wait_stop(before);
}

/* Runs to the stop that is due; one for another reason is wrong, but a fault may have ended the run. */
static int run_to(enum action_kind kind, enum stop_reason reason)
{
	int r = run(kind);

	if (!r && stop.reason != reason && !lacking && !(again && stop.reason == STOP_BREAKPOINT))
		wrong("stopped for reason %d, not %d: \"%s\"", (int)stop.reason, (int)reason, stop.text);
	return r;
}

static struct break_spec at(enum break_kind kind, uint64_t gva)
{
	return (struct break_spec){ .kind = kind, .gva = gva, .space = BREAK_ANY_SPACE };
}

static int break_soft(void)
{
	struct break_spec s = at(BREAK_SOFT, 0x7c06);

	return machine_break_insert(m, BREAK_OWNER_GDB, &s, &err);
}

static int unbreak_soft(void)
{
	struct break_spec s = at(BREAK_SOFT, 0x7c06);

	return machine_break_remove(m, BREAK_OWNER_GDB, &s, &err);
}

static int break_hard(void)
{
	struct break_spec s = at(BREAK_HARD, 0x7c07);

	return machine_break_insert(m, BREAK_OWNER_MONITOR, &s, &err);
}

static int unbreak_all(void)
{
	return machine_break_clear(m, BREAK_OWNER_MONITOR, &err);
}

static int hit(void)
{
	return run_to(ACT_CONT, STOP_BREAKPOINT);
}

static int step(void)
{
	return run_to(ACT_STEP, STOP_STEP);
}

static int range(void)
{
	return run_to(ACT_RANGE, STOP_STEP);
}

static const struct watch_spec watched = { .kind = WATCH_WRITE, .gva = 0x8000, .size = 64, .every = true };

static int watch(void)
{
	return machine_watch_insert(m, BREAK_OWNER_GDB, &watched, &err);
}

static int watch_hit(void)
{
	return run_to(ACT_CONT, STOP_WATCH);
}

static int unwatch(void)
{
	return machine_watch_remove(m, BREAK_OWNER_GDB, &watched, &err);
}

static int catch(void)
{
	static const struct catch_spec s = { .kind = CATCH_PORT, .start = 0x1234, .end = 0x1234, .dir = CATCH_WRITE };

	return machine_catch_add(m, &s, &catch_id, &err);
}

static int catch_hit(void)
{
	return run_to(ACT_CONT, STOP_CATCH);
}

static int uncatch(void)
{
	return machine_catch_remove(m, catch_id, &err);
}

static int catch_vector(void)
{
	static const struct catch_spec s = { .kind = CATCH_EXCEPTION, .start = 14, .end = 14 };

	return machine_catch_add(m, &s, &catch_id, &err);
}

static int add(struct slot_spec s)
{
	return machine_slot_add(m, &s, &note, &err);
}

static int add_anon(void)
{
	return add((struct slot_spec){ .id = 5, .gpa = AT, .size = 0x8000, .log = true });
}

static int add_memfd(void)
{
	return add((struct slot_spec){ .id = 6, .gpa = OTHER, .size = 0x4000, .backing = SLOT_MEMFD });
}

static int add_file(void)
{
	return add((struct slot_spec){ .id = 7, .gpa = OTHER + 0x10000, .size = 0x4000, .backing = SLOT_FILE,
				       .path = data_path, .shared = true });
}

static int add_alias(void)
{
	return add((struct slot_spec){ .id = 8, .gpa = OTHER + 0x20000, .size = 0x1000, .backing = SLOT_ALIAS,
				       .alias_of = 6 });
}

static int fill(void)
{
	static uint8_t bytes[0x4000];
	size_t n;

	memset(bytes, 0x5a, sizeof(bytes));
	err = (struct err){ 0 };
	n = machine_phys_write(m, AT, bytes, sizeof(bytes), &err);
	return n == sizeof(bytes) ? 0 : -err.code;
}

static int dirty(bool take)
{
	struct dirty_map map = { 0 };
	int r = machine_dirty_read(m, 5, DIRTY_USER, take, &map, &err);

	if (!r && !take && map.dirty < 4)
		wrong("%" PRIu64 " pages are dirty where 4 were written", map.dirty);
	if (!r)
		free(map.bits);
	else if (map.bits)
		wrong("the dirty map is touched by a failure");
	return r;
}

static int dirty_look(void)
{
	return dirty(false);
}

static int dirty_take(void)
{
	return dirty(true);
}

static bool on_diff(void *arg, uint64_t gpa, const uint8_t *was, const uint8_t *is, size_t len)
{
	(void)arg;
	(void)gpa;
	(void)was;
	(void)is;
	(void)len;
	return true;
}

/* The first time there is nothing to compare with yet. */
static int dirty_diff(void)
{
	int r = machine_dirty_diff(m, 5, on_diff, NULL, &err);

	return r == -EAGAIN ? 0 : r;
}

static int who_on(void)
{
	return machine_dirty_who(m, 5, true, &err);
}

static int who_off(void)
{
	return machine_dirty_who(m, 5, false, &err);
}

static int log_off(void)
{
	return machine_slot_flags(m, 5, &(bool){ false }, NULL, &err);
}

static int log_on(void)
{
	return machine_slot_flags(m, 5, &(bool){ true }, NULL, &err);
}

static int readonly(void)
{
	return machine_slot_flags(m, 5, NULL, &(bool){ true }, &err);
}

static int writable(void)
{
	return machine_slot_flags(m, 5, NULL, &(bool){ false }, &err);
}

static int move(void)
{
	return machine_slot_move(m, 5, AT + 0x100000, &note, &err);
}

static int move_back(void)
{
	return machine_slot_move(m, 5, AT, &note, &err);
}

static int grow(void)
{
	return machine_slot_resize(m, 5, 0xc000, &err);
}

static int shrink(void)
{
	return machine_slot_resize(m, 5, 0x8000, &err);
}

static int split(void)
{
	return machine_slot_split(m, 5, 0x4000, &new_id, &err);
}

static int discard(void)
{
	return machine_slot_discard(m, 5, 0x1000, 0x1000, &err);
}

static int remap(void)
{
	return machine_slot_remap(m, 5, 0x2000, 0x1000, data_path, 0x1000, &err);
}

static int save(void)
{
	int r = machine_slot_save(m, 5, save_path, &err);

	if (!r)
		unlink(save_path);
	else if (!access(save_path, F_OK))
		wrong("saving failed, and left a file");
	return r;
}

static int check(void)
{
	return machine_slot_check(m, on_slot_fault, (void *)(uintptr_t)"nothing", &err);
}

static int drop(unsigned id)
{
	return machine_slot_remove(m, id, &note, &err);
}

static int remove_alias(void)
{
	return drop(8);
}

static int remove_memfd(void)
{
	return drop(6);
}

static int remove_file(void)
{
	return drop(7);
}

static int remove_split(void)
{
	return drop(new_id);
}

static int remove_anon(void)
{
	return drop(5);
}

static int read_regs(void)
{
	uint8_t v[REG_BYTES_MAX];
	int r = 0;

	for (unsigned i = 0; i < X86_REGS && !r; i++)
		if (machine_reg_present(m, i))
			r = machine_reg_read(m, 0, i, v, &err);
	return r;
}

/* Writes each with what it has. */
static int write_regs(void)
{
	uint8_t v[REG_BYTES_MAX];
	int r = 0;

	for (unsigned i = 0; i < X86_REGS && !r; i++)
		if (machine_reg_present(m, i)) {
			r = machine_reg_read(m, 0, i, v, &err);
			if (!r)
				r = machine_reg_write(m, 0, i, v, &err);
		}
	return r;
}

static int msrs(void)
{
	uint64_t v;
	int r = machine_special_read(m, 0, 0x277, &v, &err);

	return r ? r : machine_special_write(m, 0, 0x277, v, &err);
}

static int look_around(void)
{
	struct translation t;
	struct cpu_status s;
	int r = machine_cpu_status(m, 1, &s, &err);

	return r ? r : machine_translate(m, 0, 0x7c00, NULL, &t, &err);
}

static int read_code(void)
{
	uint8_t b[64];

	err = (struct err){ 0 };
	return machine_mem_read(m, 0, 0x7c00, b, sizeof(b), &err) == sizeof(b) ? 0 : -err.code;
}

static int write_code(void)
{
	uint8_t b = 0x90;

	err = (struct err){ 0 };
	return machine_mem_write(m, 0, 0x7c06, &b, 1, &err) == 1 ? 0 : -err.code;
}

/* Runs, is held and let go twice, and stopped; a fault may stop it before. */
static int hold_and_stop(void)
{
	unsigned before = stops;
	int r = resume(ACT_CONT);

	for (int i = 0; i < 2 && !r && machine_state(m) == MACHINE_RUNNING; i++) {
		machine_poll(m, 0);
		r = machine_hold(m, &err);
		if (!r)
			machine_release(m);
	}
	if (machine_state(m) != MACHINE_RUNNING && stops != before)
		return stop.reason == STOP_ERROR ? err_set(&err, EIO, "%s", stop.text) : r;
	machine_stop(m);
	return wait_stop(before) ? -EIO : r;
}

static int inject(void)
{
	static const struct injection i = { .kind = INJECT_NMI };

	return machine_inject(m, &i, &err);
}

static int type(void)
{
	return machine_serial_send(m, (const uint8_t *)"hello", 5, &err);
}

static int reset(void)
{
	int r = machine_reset(m, &err);

	machine_poll(m, 0);
	return r;
}

static int run_a_moment(void)
{
	unsigned before = stops;
	int r = resume(ACT_CONT);

	if (r)
		return r;
	machine_poll(m, 0);
	machine_stop(m);
	return wait_stop(before);
}

#define STEP(name) { #name, name, true }
#define RUNS(name) { #name, name, false }       /* the guest moves; so does memory */

struct step {
	const char *name;
	int (*run)(void);
	bool same;              /* after a failure all is as before */
};

static const struct step small_steps[] = {
	STEP(break_soft), RUNS(hit), STEP(read_code), RUNS(step), RUNS(step), RUNS(range), STEP(break_hard), RUNS(hit), RUNS(hit),
	STEP(unbreak_soft), STEP(unbreak_all),
	STEP(watch), RUNS(watch_hit), STEP(unwatch), STEP(catch), RUNS(catch_hit), STEP(uncatch), STEP(catch_vector),
	RUNS(step), STEP(uncatch), STEP(read_regs), STEP(write_regs), STEP(msrs), STEP(look_around), RUNS(write_code),
	RUNS(hold_and_stop), STEP(type),
	STEP(add_anon), RUNS(fill), STEP(dirty_look), STEP(dirty_diff), STEP(dirty_take), RUNS(fill), STEP(dirty_diff),
	STEP(add_memfd), STEP(add_file), STEP(add_alias), STEP(check),
	STEP(who_on), RUNS(step), STEP(who_off), STEP(log_off), STEP(log_on), STEP(readonly), STEP(writable), STEP(move),
	STEP(move_back), STEP(grow), STEP(shrink), STEP(discard), STEP(remap), STEP(save), STEP(split), STEP(remove_split),
	STEP(break_soft), STEP(remove_alias), STEP(remove_memfd), STEP(remove_file), RUNS(reset), RUNS(hit),
	STEP(unbreak_soft), STEP(inject), RUNS(reset), { 0 }
};

static const struct step pc_steps[] = {
	RUNS(run_a_moment), STEP(read_regs), RUNS(step), STEP(type), RUNS(reset), RUNS(run_a_moment), { 0 }
};

static const struct step ring_steps[] = {
	STEP(add_anon), RUNS(fill), STEP(dirty_look), RUNS(step), STEP(split), STEP(dirty_take), STEP(remove_split), STEP(remove_anon),
	RUNS(reset), { 0 }
};

/* Each step until it has gone well: at most twice. */
static void take_steps(const struct step *s)
{
	static struct state was;

	for (; s->run; s++) {
		int r;

		fault_hold();
		snapshot(&was);
		fault_release();
		r = s->run();
		if ((r && lacking) || !judge_failure(s->name, r, &err))
			continue;
		fault_hold();
		if (s->same)
			assert_same(&was, s->name);
		again = true;
		r = s->run();
		again = false;
		if (r && fault_armed() == FAULT_CAP)
			lacking = true;
		else if (r)
			wrong("%s failed again, without a fault: %d, %s", s->name, r, err.msg);
		fault_release();
	}
}

/* *C is made anew by FILL each time, since the image is taken over. */
static void live(void (*fill_config)(struct machine_config *c), const struct step *steps)
{
	struct machine_config c;
	struct err e;
	int r;

	stops = 0;
	lacking = false;
	for (unsigned tried = 0; tried < 2; tried++) {
		m = NULL;
		fault_hold();
		fill_config(&c);
		fault_release();
		r = machine_kvm_new(&c, &m, &e);
		if (!judge_failure("making the machine", r, &e))
			break;
		if (m)
			wrong("a machine that was not made is returned");
		if (tried)
			wrong("the machine cannot be made again: %s", e.msg);
	}
	machine_observe(m, &watcher);
	take_steps(steps);
	machine_unobserve(m, &watcher);
	machine_kvm_free(m);
}

static void image(struct machine_config *c, const unsigned char *from, const unsigned char *end)
{
	if (blob_copy("guest", from, (size_t)(end - from), &c->image, &err))
		wrong("the image: %s", err.msg);
}

static void small(struct machine_config *c)
{
	*c = (struct machine_config){
		.memory = 4 << 20, .cpus = LIFE_CPUS,
		.load = { .kind = IMAGE_FLAT, .has_load = true, .load = 0x7c00, .has_mode = true, .mode = BOOT_PROTECTED },
	};
	image(c, guest, guest_end);
}

static void ring(struct machine_config *c)
{
	small(c);
	c->cpus = 1;
	c->dirty_ring = 1024;
}

static void pc(struct machine_config *c)
{
	static struct disk_spec disk[2];

	disk[0] = disk[1] = (struct disk_spec){ .path = disk_path };
	disk[1].readonly = disk[0].readonly = true;
	*c = (struct machine_config){
		.memory = 4 << 20, .cpus = 1, .load = { .kind = IMAGE_BIOS },
		.disks = &disk[0], .ndisks = 1, .virtio_disks = &disk[1], .nvirtio_disks = 1, .rng = true, .virtio_console = true,
	};
	image(c, rom, rom_end);
}

static void live_small(void)
{
	live(small, small_steps);
}

static void live_ring(void)
{
	live(ring, ring_steps);
}

static void live_pc(void)
{
	live(pc, pc_steps);
}

#define KINDS (1u << FAULT_IOCTL | 1u << FAULT_CAP | 1u << FAULT_MAP | 1u << FAULT_OPEN | 1u << FAULT_THREAD)

static const struct life lives[] = {
	{ "small machine", live_small, KINDS | 1u << FAULT_ALLOC, 60, 50 },
	{ "dirty rings", live_ring, KINDS | 1u << FAULT_ALLOC, 10, 40 },
	{ "PC", live_pc, KINDS | 1u << FAULT_ALLOC, 10, 60 },
};

static void make_file(char *path, size_t room, const char *name, off_t size)
{
	int fd;

	snprintf(path, room, "%s/%s", dir, name);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
	if (fd < 0 || ftruncate(fd, size))
		wrong("%s: %s", path, strerror(errno));
	close(fd);
}

int main(void)
{
	int r;

	if (access("/dev/kvm", R_OK | W_OK)) {
		puts("1..0 # SKIP /dev/kvm cannot be opened");
		return 0;
	}
	/* What is measured of the host is measured each time. */
	unsetenv("XDG_RUNTIME_DIR");
	unsetenv("XDG_CACHE_HOME");
	unsetenv("HOME");
	if (!mkdtemp(dir))
		wrong("%s: %s", dir, strerror(errno));
	make_file(data_path, sizeof(data_path), "data", 0x8000);
	make_file(disk_path, sizeof(disk_path), "disk", 0x100000);
	snprintf(save_path, sizeof(save_path), "%s/saved", dir);
	r = sweep(lives, sizeof(lives) / sizeof(lives[0]));
	unlink(data_path);
	unlink(disk_path);
	unlink(save_path);
	rmdir(dir);
	return r;
}
