/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What memory slots and dirty logs cost.  A line each: name, value, bound, and whether it was kept.  Times depend on
 * the host, and on what else it does; ratios are of two times from this run.  Values are medians.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kvm/machine_priv.h"
/* After the others: its names are short. */
#include "bench/rig.h"

#define CPUS     4
#define COUNTERS 0x9000         /* gpa; 64 bytes a vCPU */
#define WALK     0x9400         /* gpa: where the first vCPU is to write, how often (0: not), how far apart */

#define MIB      (1ULL << 20)
#define GIB      (1ULL << 30)
#define X        20             /* slot numbers */
#define NEW      21
#define LOGGED   22
#define FIRST    100            /* of the others */
#define X_GPA    (1 * GIB)
#define LOG_GPA  (2 * GIB)
#define HOLE     0xc0000000u    /* gpa without memory */
#define OTHERS   (8 * GIB)
#define ROUNDS   21

/* Every vCPU counts, interrupts on; the first one, in flat protected mode, also writes to memory when it is told. */
extern const unsigned char guest[], guest_end[];
__asm__(".pushsection .rodata\n guest: .code16\n"
	"ljmp $0, $0x8005\n"
	"mov $1, %eax\n cpuid\n shr $24, %ebx\n test %ebx, %ebx\n jz 2f\n"
	"shl $6, %ebx\n sti\n"
	"1: incl 0x9000(%bx)\n jmp 1b\n"
	"2: mov $0x1b, %ecx\n rdmsr\n or $0xc00, %eax\n wrmsr\n"
	"xor %edx, %edx\n mov $0x830, %ecx\n"
	"mov $0xc4500, %eax\n wrmsr\n mov $0xc4608, %eax\n wrmsr\n"
	"lgdtl 0x8218\n mov %cr0, %eax\n or $1, %al\n mov %eax, %cr0\n ljmpl $8, $0x8100\n"
	".org guest + 0x100\n .code32\n"
	"mov $16, %eax\n mov %eax, %ds\n mov %eax, %es\n mov %eax, %ss\n sti\n"
	"1: incl 0x9000\n mov 0x9404, %ecx\n test %ecx, %ecx\n jz 1b\n"
	"mov 0x9400, %edx\n"
	"2: incl (%edx)\n add 0x9408, %edx\n dec %ecx\n jnz 2b\n"
	"movl $0, 0x9404\n jmp 1b\n"
	".org guest + 0x200\n"
	".quad 0, 0x00cf9a000000ffff, 0x00cf92000000ffff\n .word 23\n .long 0x8200\n"
	"guest_end: .code64\n .popsection\n");

static struct slot_note note;
static double walked_us;        /* how long the last walk took the guest */

static uint32_t guest_u32(uint64_t gpa)
{
	uint32_t v = 0;

	machine_phys_read(m, gpa, &v, sizeof(v), NULL);
	return v;
}

/* Yields until the guest has done what DONE asks; a guest that stopped never will. */
static void wait_for(bool (*done)(const uint32_t *was), const uint32_t *was)
{
	while (!done(was)) {
		machine_poll(m, 0);
		if (machine_state(m) != MACHINE_RUNNING) {
			fprintf(stderr, "bench: the guest stopped: %s\n", machine_last_stop(m)->text);
			exit(1);
		}
		sched_yield();
	}
}

static bool all_counted(const uint32_t *was)
{
	for (unsigned i = 0; i < CPUS; i++)
		if (guest_u32(COUNTERS + 64 * i) == was[i])
			return false;
	return true;
}

static bool has_walked(const uint32_t *was)
{
	(void)was;
	return guest_u32(WALK + 4) == 0;
}

static void let_run(void)
{
	uint32_t was[CPUS];

	for (unsigned i = 0; i < CPUS; i++)
		was[i] = guest_u32(COUNTERS + 64 * i);
	wait_for(all_counted, was);
}

/* Has the guest write COUNT times, from GPA on in strides, and holds it. */
static void walk(uint32_t gpa, uint32_t count, uint32_t stride)
{
	machine_phys_write(m, WALK + 8, &stride, 4, NULL);
	machine_phys_write(m, WALK, &gpa, 4, NULL);
	machine_phys_write(m, WALK + 4, &count, 4, NULL);
	walked_us = now_us();
	wait_for(has_walked, NULL);
	walked_us = now_us() - walked_us;
	need(machine_hold(m, &err));
}

static void add(unsigned id, uint64_t gpa, uint64_t size, bool log)
{
	const struct slot_spec spec = { .id = id, .gpa = gpa, .size = size, .backing = SLOT_ANON, .log = log };

	need(machine_slot_add(m, &spec, &note, &err));
}

static void drop(unsigned id)
{
	need(machine_slot_remove(m, id, &note, &err));
}

static void start(unsigned dirty_ring)
{
	static const struct run_action acts[CPUS] = {
		{ .kind = ACT_CONT }, { .kind = ACT_CONT }, { .kind = ACT_CONT }, { .kind = ACT_CONT },
	};
	struct machine_config c = {
		.memory = 16 * MIB,
		.cpus = CPUS,
		.dirty_ring = dirty_ring,
		.load = { .kind = IMAGE_FLAT, .has_load = true, .load = 0x8000, .has_mode = true, .mode = BOOT_REAL },
	};

	need(blob_copy("bench", guest, (size_t)(guest_end - guest), &c.image, &err));
	need(machine_kvm_new(&c, &m, &err));
	need(machine_resume(m, acts, &err));
	let_run();
}

/* -- the guest's stopped time for a command -- */

static char file[] = "/tmp/gvbench.XXXXXX";

static int do_add(void)
{
	add(NEW, X_GPA + 256 * MIB, 16 * MIB, false);
	return 0;
}

static int do_remove(void)
{
	drop(X);
	return 0;
}

static int do_move(void)
{
	return machine_slot_move(m, X, X_GPA + 256 * MIB, &note, &err);
}

static int do_log(void)
{
	const bool on = true;

	return machine_slot_flags(m, X, &on, NULL, &err);
}

static int do_readonly(void)
{
	const bool on = true;

	return machine_slot_flags(m, X, NULL, &on, &err);
}

static int do_split(void)
{
	unsigned id;

	return machine_slot_split(m, X, 4 * MIB, &id, &err);
}

static int do_resize(void)
{
	return machine_slot_resize(m, X, 32 * MIB, &err);
}

static int do_discard(void)
{
	return machine_slot_discard(m, X, 0, 1 * MIB, &err);
}

static int do_remap(void)
{
	return machine_slot_remap(m, X, 0, 1 * MIB, file, 0, &err);
}

static void ignore_fault(void *arg, const struct slot_fault *f)
{
	(void)arg;
	(void)f;
}

static int do_check(void)
{
	return machine_slot_check(m, ignore_fault, NULL, &err);
}

/* `slot save` is not here: it takes as long as the file. */
static const struct {
	const char *name;
	int (*run)(void);
} commands[] = {
	{ "slot add", do_add },
	{ "slot remove", do_remove },
	{ "slot move", do_move },
	{ "slot flags log", do_log },
	{ "slot flags ro", do_readonly },
	{ "slot split", do_split },
	{ "slot resize", do_resize },
	{ "slot discard", do_discard },
	{ "slot remap", do_remap },
	{ "slot check", do_check },
};

static void drop_user_slots(void)
{
	struct slot_info s;

	for (size_t i = 0; machine_slot_list(m, i, &s);)
		if (!strcmp(s.label, "user"))
			drop(s.id);
		else
			i++;
}

/*
 * From every vCPU parked to the first one released.  Getting there and back is alike for all commands, and depends on the
 * scheduler where vCPUs share processors: it has lines of its own.  What this host cannot do is left out, with the
 * reason.
 */
static void bench_stopped(void)
{
	double us[ROUNDS], holds[ROUNDS], releases[ROUNDS];
	int fd = mkstemp(file);

	if (fd < 0 || ftruncate(fd, (off_t)MIB))
		need(err_errno(&err, errno, "%s", file));
	close(fd);
	for (size_t k = 0; k < sizeof(commands) / sizeof(commands[0]); k++) {
		char name[64];
		int r = 0;

		for (unsigned n = 0; !r && n < ROUNDS; n++) {
			double start;

			need(machine_hold(m, &err));
			add(X, X_GPA, 16 * MIB, false);
			machine_release(m);
			let_run();
			start = now_us();
			need(machine_hold(m, &err));
			holds[n] = now_us() - start;
			start = now_us();
			r = commands[k].run();
			us[n] = now_us() - start;
			start = now_us();
			machine_release(m);
			releases[n] = now_us() - start;
			need(machine_hold(m, &err));
			drop_user_slots();
			machine_release(m);
		}
		if (r) {
			printf("%-44s left out: %s\n", commands[k].name, err.msg);
			continue;
		}
		snprintf(name, sizeof(name), "stopped, %u vCPUs: %s", CPUS, commands[k].name);
		line(name, median(us, ROUNDS), "us", 200);
	}
	unlink(file);
	printf("%-44s %9.2f us, %ld processors\n", "hold, 4 vCPUs", median(holds, ROUNDS),
	       sysconf(_SC_NPROCESSORS_ONLN));
	printf("%-44s %9.2f us\n", "release, 4 vCPUs", median(releases, ROUNDS));
}

/* -- with many others -- */

static double add_remove(void)
{
	double us[ROUNDS * 5];

	for (unsigned n = 0; n < ROUNDS * 5; n++) {
		double start = now_us();

		add(NEW, X_GPA, 16 * MIB, false);
		drop(NEW);
		us[n] = now_us() - start;
	}
	return median(us, ROUNDS * 5);
}

static void bench_many(void)
{
	double few;

	need(machine_hold(m, &err));
	for (unsigned i = 0; i < 10; i++)
		add(FIRST + i, OTHERS + i * 0x2000ULL, 0x1000, false);
	few = add_remove();
	for (unsigned i = 10; i < 4000; i++)
		add(FIRST + i, OTHERS + i * 0x2000ULL, 0x1000, false);
	line("slot add + remove, 4000 others over 10", add_remove() / few, "x", 1.5);
	drop_user_slots();
	machine_release(m);
}

/* Addresses at random, so that nothing is remembered from one to the next. */
static double lookup(unsigned regions)
{
	static uint32_t sink;
	static uint8_t page[4096];
	double us[ROUNDS];
	struct gmem *g;
	uint32_t seed = 1;

	need(gmem_new(&g, &err));
	for (unsigned i = 0; i < regions; i++) {
		const struct gmem_region r = { .gpa = i * 0x2000ULL, .size = 0x1000, .hva = page, .slot = (int)i };

		need(gmem_add(g, &r, &err));
	}
	for (unsigned n = 0; n < ROUNDS; n++) {
		double start = now_us();

		for (unsigned i = 0; i < 1 << 16; i++) {
			seed = seed * 1664525 + 1013904223;
			sink += gmem_find(g, (uint64_t)((uint64_t)seed * regions >> 32) * 0x2000 + 0x800) != NULL;
		}
		us[n] = now_us() - start;
	}
	gmem_free(g);
	return median(us, ROUNDS);
}

/* The same address again and again. */
static double lookup_again(unsigned regions)
{
	static uint32_t sink;
	static uint8_t page[4096];
	double us[ROUNDS];
	struct gmem *g;

	need(gmem_new(&g, &err));
	for (unsigned i = 0; i < regions; i++) {
		const struct gmem_region r = { .gpa = i * 0x2000ULL, .size = 0x1000, .hva = page, .slot = (int)i };

		need(gmem_add(g, &r, &err));
	}
	for (unsigned n = 0; n < ROUNDS; n++) {
		double start = now_us();

		for (unsigned i = 0; i < 1 << 16; i++)
			sink += gmem_find(g, regions / 3 * 0x2000ULL + i % 4096) != NULL;
		us[n] = now_us() - start;
	}
	gmem_free(g);
	return median(us, ROUNDS);
}

/* -- rights to single pages -- */

/* The median of carving one page more out of a slot, and of giving it back. */
static double carve_one(struct slots *s)
{
	const uint64_t gpa = X_GPA + GIB / 2 + DIRTY_PAGE;
	double us[ROUNDS * 2];

	for (unsigned n = 0; n < ROUNDS * 2; n++) {
		double start = now_us();

		need(slots_set_rights(s, gpa, n % 2 ? PAGE_ALL : PAGE_NO_WRITE, &err));
		need(slots_carve(s, &err));
		us[n] = now_us() - start;
	}
	return median(us, ROUNDS * 2);
}

static double open_close(struct slots *s, uint64_t gpa)
{
	double us[ROUNDS];

	for (unsigned n = 0; n < ROUNDS; n++) {
		double start = now_us();

		if (slots_open(s, &gpa, 1) || slots_close(s))
			need(err_set(&err, EIO, "a page could not be opened"));
		us[n] = now_us() - start;
	}
	return median(us, ROUNDS);
}

static void bench_rights(void)
{
	struct slots *s = machine_priv(m)->slots;
	double alone;

	need(machine_hold(m, &err));
	add(X, X_GPA, GIB, false);
	alone = carve_one(s);
	for (unsigned i = 0; i < 1000; i++)
		need(slots_set_rights(s, X_GPA + i * 32ULL * DIRTY_PAGE, i % 2 ? PAGE_NO_ACCESS : PAGE_NO_WRITE, &err));
	need(slots_carve(s, &err));
	line("rights of a page, in 1 GiB", alone, "us", 1000);
	line("the same, 1,000 others over none", carve_one(s) / alone, "x", 3);
	line("a read-only page opened and closed", open_close(s, X_GPA), "us", 200);
	line("a page without access opened and closed", open_close(s, X_GPA + 32ULL * DIRTY_PAGE), "us", 200);
	for (unsigned i = 0; i < 1000; i++)
		need(slots_set_rights(s, X_GPA + i * 32ULL * DIRTY_PAGE, PAGE_ALL, &err));
	need(slots_carve(s, &err));
	drop(X);
	machine_release(m);
}

/* What an access of the guest to no memory costs, in all. */
static double mmio(void)
{
	double us[ROUNDS];

	for (unsigned n = 0; n < ROUNDS; n++) {
		double start = now_us();

		walk(HOLE, 2000, 0);
		us[n] = now_us() - start;
		machine_release(m);
	}
	return median(us, ROUNDS);
}

static void bench_mmio(void)
{
	double few;

	need(machine_hold(m, &err));
	for (unsigned i = 0; i < 10; i++)
		add(FIRST + i, OTHERS + i * 0x2000ULL, 0x1000, false);
	machine_release(m);
	few = mmio();
	need(machine_hold(m, &err));
	for (unsigned i = 10; i < 32000; i++)
		add(FIRST + i, OTHERS + i * 0x2000ULL, 0x1000, false);
	machine_release(m);
	line("MMIO access, 32,000 slots over 10", mmio() / few, "x", 1.2);
	need(machine_hold(m, &err));
	drop_user_slots();
	machine_release(m);
}

/* -- taking a dirty log -- */

#define LOG_PAGES (GIB / DIRTY_PAGE)
#define DIRTIED   10000u

static void dirty_pages(void)
{
	walk((uint32_t)LOG_GPA, DIRTIED, (uint32_t)(LOG_PAGES / DIRTIED) * DIRTY_PAGE);
}

static void expect_dirty(uint64_t n)
{
	if (n == DIRTIED)
		return;
	fprintf(stderr, "bench: %llu pages are dirty, not %u\n", (unsigned long long)n, DIRTIED);
	exit(1);
}

/* What the kernel asks for to read and clear: both ioctls where clearing is manual, one where reading clears. */
static double bare_take(bool manual, uint64_t *bits)
{
	int vm = machine_priv(m)->vm.kvm.vm_fd;
	struct kvm_dirty_log get = { .slot = LOGGED, .dirty_bitmap = bits };
	struct kvm_clear_dirty_log clear = { .slot = LOGGED, .num_pages = LOG_PAGES, .dirty_bitmap = bits };
	double start = now_us();

	if (kvm_ioctl(vm, KVM_GET_DIRTY_LOG, &get) || (manual && kvm_ioctl(vm, KVM_CLEAR_DIRTY_LOG, &clear)))
		need(err_set(&err, EIO, "the dirty log ioctls failed"));
	return now_us() - start;
}

static void bench_take(void)
{
	double bare[ROUNDS], ours[ROUNDS], b;
	uint64_t *bits = calloc(LOG_PAGES / 64, sizeof(*bits));
	struct dirty_map map;
	bool manual;

	if (!bits)
		need(err_errno(&err, ENOMEM, "a bitmap"));
	need(machine_hold(m, &err));
	add(LOGGED, LOG_GPA, GIB, true);
	machine_release(m);
	/* Where reading clears, reading twice finds nothing the second time. */
	dirty_pages();
	bare_take(false, bits);
	bare_take(false, bits);
	manual = bits[0] & 1;
	bare_take(manual, bits);
	machine_release(m);
	for (unsigned n = 0; n < ROUNDS; n++) {
		uint64_t count = 0;
		double start;

		dirty_pages();
		bare[n] = bare_take(manual, bits);
		machine_release(m);
		for (size_t i = 0; i < LOG_PAGES / 64; i++)
			count += (uint64_t)__builtin_popcountll(bits[i]);
		expect_dirty(count);
		dirty_pages();
		start = now_us();
		need(machine_dirty_read(m, LOGGED, DIRTY_USER, true, &map, &err));
		ours[n] = now_us() - start;
		machine_release(m);
		expect_dirty(map.dirty);
		free(map.bits);
	}
	b = median(bare, ROUNDS);
	printf("%-44s %9.2f us\n", "the bare ioctls, 1 GiB, 10,000 pages", b);
	line("dirty take, 1 GiB, 10,000 pages, over bare", median(ours, ROUNDS) / b, "x", 1.3);
	free(bits);
}

/* -- a ring for each vCPU in place of a bitmap for each slot -- */

struct cost {
	double take, write;     /* us: of taking DIRTIED pages; of a write to a page that is clean */
};

/* On a machine with a slot of 1 GiB that is logged. */
static struct cost measure_log(void)
{
	double takes[ROUNDS], writes[ROUNDS];
	struct dirty_map map;

	/* The first round has to find memory for the pages. */
	for (unsigned n = 0; n <= ROUNDS; n++) {
		double start;

		dirty_pages();
		start = now_us();
		need(machine_dirty_read(m, LOGGED, DIRTY_USER, true, &map, &err));
		if (n) {
			takes[n - 1] = now_us() - start;
			writes[n - 1] = walked_us / DIRTIED;
		}
		machine_release(m);
		expect_dirty(map.dirty);
		free(map.bits);
	}
	return (struct cost){ median(takes, ROUNDS), median(writes, ROUNDS) };
}

static void print_cost(const char *kind, const struct cost *c)
{
	char name[64];

	snprintf(name, sizeof(name), "dirty take by %s, 1 GiB, 10,000 pages", kind);
	printf("%-44s %9.2f us\n", name, c->take);
	snprintf(name, sizeof(name), "writes to clean pages, logged by %s", kind);
	printf("%-44s %9.0f /s\n", name, 1e6 / c->write);
}

static void bench_ring(void)
{
	const struct cost bitmap = measure_log();
	struct cost ring;

	if (kvm_ioctl_num(machine_priv(m)->vm.kvm.vm_fd, KVM_CHECK_EXTENSION, KVM_CAP_DIRTY_LOG_RING) <= 0) {
		printf("%-44s left out: no KVM_CAP_DIRTY_LOG_RING\n", "dirty rings");
		return;
	}
	machine_kvm_free(m);
	start(MACHINE_DIRTY_RING);
	need(machine_hold(m, &err));
	add(LOGGED, LOG_GPA, GIB, true);
	machine_release(m);
	ring = measure_log();
	print_cost("bitmap", &bitmap);
	print_cost("ring", &ring);
	printf("%-44s %9.2f x\n", "dirty take, ring over bitmap", ring.take / bitmap.take);
	printf("%-44s %9.2f x\n", "a write to a clean page, ring over bitmap", ring.write / bitmap.write);
}

int main(void)
{
	double few;

	start(0);
	bench_stopped();
	bench_many();
	few = lookup(10);
	line("slot lookup, 32,000 slots over 10", lookup(32000) / few, "x", 1.2);
	few = lookup_again(10);
	line("the same slot again, 32,000 slots over 10", lookup_again(32000) / few, "x", 1.2);
	bench_rights();
	bench_mmio();
	bench_take();
	bench_ring();
	machine_kvm_free(m);
	return missed;
}
