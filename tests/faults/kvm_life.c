/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A machine's life on the real KVM, from its making to its end, with each allocation, KVM call, mapping, descriptor and thread
 * failing once.  What failed has changed neither slots nor guest memory, and does well when it is asked for again.
 */
#include "tests/faults/kvm_life.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kvm/machine_kvm.h"
#include "tests/faults/sweep.h"
#include "tests/watched.h"

#define LOW     0x20000u        /* bytes of RAM that are compared: nothing fails in them unseen */
#define SLOTS   16
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

bool life_again, life_lacking;
struct life_files life_files = { .dir = "/tmp/gv-faults-XXXXXX" };

void life_slot_fault(void *arg, const struct slot_fault *f)
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
	if (machine_slot_check(m, life_slot_fault, (void *)(uintptr_t)after, &err))
		wrong("slots cannot be checked after %s: %s", after, err.msg);
	if (is.nslots != was->nslots || memcmp(is.slot, was->slot, sizeof(is.slot)))
		wrong("%s failed, and changed the slots", after);
	if (is.there_len != was->there_len || memcmp(is.there, was->there, sizeof(is.there)))
		wrong("%s failed, and changed memory in slots", after);
	if (memcmp(is.low, was->low, sizeof(is.low)))
		wrong("%s failed, and changed RAM", after);
}

/* Each step until it has gone well: at most twice. */
static void take_steps(const struct step *s)
{
	static struct state was;

	for (; s->run; s++) {
		int r;

		fault_hold();
		snapshot(&was);
		fault_release();
		fault_phase((uintptr_t)s);
		r = s->run();
		if ((r && life_lacking) || !judge_failure(s->name, r, &err))
			continue;
		fault_hold();
		if (s->same)
			assert_same(&was, s->name);
		life_again = true;
		r = s->run();
		life_again = false;
		if (r && fault_armed() == FAULT_CAP)
			life_lacking = true;
		else if (r)
			wrong("%s failed again, without a fault: %d, %s", s->name, r, err.msg);
		fault_release();
	}
}

/* *C is made anew by FILL each time, since the image is taken over. */
static void live(void (*fill_config)(struct machine_config *c), const struct step *steps)
{
	struct machine *made = NULL;
	struct machine_config c;
	struct err e;
	int r;

	life_lacking = false;
	for (unsigned tried = 0; tried < 2; tried++) {
		fault_hold();
		fill_config(&c);
		fault_release();
		r = machine_kvm_new(&c, &made, &e);
		if (!judge_failure("making the machine", r, &e))
			break;
		if (made)
			wrong("a machine that was not made is returned");
		if (tried)
			wrong("the machine cannot be made again: %s", e.msg);
	}
	watched_begin(made);
	take_steps(steps);
	fault_phase(0);
	watched_end();
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

	disk[0] = disk[1] = (struct disk_spec){ .path = life_files.disk };
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
	if (!mkdtemp(life_files.dir))
		wrong("%s: %s", life_files.dir, strerror(errno));
	sweep_file(life_files.data, sizeof(life_files.data), life_files.dir, "data", NULL, 0, 0x8000);
	sweep_file(life_files.disk, sizeof(life_files.disk), life_files.dir, "disk", NULL, 0, 0x100000);
	r = sweep(lives, sizeof(lives) / sizeof(lives[0]));
	unlink(life_files.data);
	unlink(life_files.disk);
	rmdir(life_files.dir);
	return r;
}
