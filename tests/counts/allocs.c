/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is done at every step, stop and packet takes no memory: a session on the machine without KVM and on one with it, in this
 * program, where all that asks the C library for memory, on any thread, comes through here and is counted.
 */
#include <errno.h>
#include <execinfo.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "kvm/machine_kvm.h"
#include "tests/counts/pump.h"
#include "tests/fake_machine.h"
#include "tests/libc_own.h"

#define TURNS  50       /* of each operation, after as many to come to rest in */
#define FRAMES 16

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1     /* these have their own in this place */
#else
#define SANITIZED 0
#endif

static atomic_uint asked, freed;
static atomic_bool counting;

/* Who asked first, as addresses for addr2line. */
static void *first[FRAMES];
static int nfirst;

#if !SANITIZED
static void note(void)
{
	if (atomic_load(&counting) && !atomic_fetch_add(&asked, 1))
		nfirst = backtrace(first, FRAMES);
}

void *malloc(size_t size)
{
	note();
	return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	note();
	return __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
	note();
	return __libc_realloc(p, size);
}

void *aligned_alloc(size_t align, size_t size)
{
	note();
	return __libc_memalign(align, size);
}

int posix_memalign(void **ret, size_t align, size_t size)
{
	void *p;

	note();
	p = __libc_memalign(align, size);
	if (!p)
		return ENOMEM;
	*ret = p;
	return 0;
}

void free(void *p)
{
	if (p && atomic_load(&counting))
		atomic_fetch_add(&freed, 1);
	__libc_free(p);
}
#endif

/* What asks and changes while the guest is stopped. */
#define STOPPED_OPS                                                             \
	{ "g", .packets = { "g" } },                                            \
	{ "p", .packets = { "p0" } },                                           \
	{ "m-1k", .packets = { "m1000,400" } },                                 \
	{ "m-largest", .packets = { "m1000,20000" } },                          \
	{ "x-1k", .packets = { "x1000,400" } },                                 \
	{ "M", .packets = { "M2000,4:01020304" } },                             \
	{ "X", .packets = { "X2000,4:abcd" } },                                 \
	{ "?", .packets = { "?" } },                                            \
	{ "H", .packets = { "Hg1" } },                                          \
	{ "T", .packets = { "T1" } },                                           \
	{ "Z1 again", { "Z1,7c05,1" }, { "Z1,7c05,1" }, { "z1,7c05,1" } },      \
	{ "Z0 again", { "Z0,7c05,1" }, { "Z0,7c05,1" }, { "z0,7c05,1" } },      \
	{ "Z1, z1", .packets = { "Z1,7c05,1", "z1,7c05,1" } },                  \
	{ "Z0, z0", .packets = { "Z0,7c05,1", "z0,7c05,1" } }

static const struct op fake_ops[] = { STOPPED_OPS };

/* As gdb hits a breakpoint. */
#define GDB_HIT(kind) { "Z" kind ",7c05,1", "vCont;c:1", "g", "z" kind ",7c05,1", "vCont;s:1" }
#define FALSE ";X3,220027"      /* constant 0 */

static const struct op kvm_ops[] = {
	STOPPED_OPS,
	{ "P", .packets = { "P1=01020304" } },
	{ "step", .packets = { "vCont;s:1" } },
	{ "step, g", .packets = { "vCont;s:1", "g" } },
	{ "Z1 hit", { "Z1,7c05,1" }, { "vCont;c:1" }, { "z1,7c05,1" } },
	{ "Z0 hit", { "Z0,7c05,1" }, { "vCont;c:1" }, { "z0,7c05,1" } },
	{ "Z1 hit by gdb", .packets = GDB_HIT("1") },
	{ "Z0 hit by gdb", .packets = GDB_HIT("0") },
	{ "Z1 false", { "Z1,7c05,1" FALSE, "Z1,7c06,1" }, { "vCont;c:1" }, { "z1,7c05,1", "z1,7c06,1" } },
	{ "Z0 false", { "Z0,7c05,1" FALSE, "Z1,7c06,1" }, { "vCont;c:1" }, { "z0,7c05,1", "z1,7c06,1" } },
	{ "range, Z1 hit", { "Z1,7c05,1", "vCont;c:1" }, { "vCont;r7c05,7c07:1", "vCont;c:1" }, { "z1,7c05,1" } },
	{ "Z2 hit", { "Z2,7d00,2" }, { "vCont;c:1" }, { "z2,7d00,2" } },
};

/* A loop with a counter for data, and breakpoints behind its first instruction. */
extern const unsigned char guest[], guest_end[];
__asm__(".pushsection .rodata\n guest: .code16\n"
	/* 7c00 */ "1: incw %cs:0x7d00\n"
	/* 7c05 */ "nop\n"
	/* 7c06 */ "nop\n"
	/* 7c07 */ "jmp 1b\n"
	".org guest + 0x200\n"
	"guest_end: .code64\n .popsection\n");

static unsigned points;

static void judge(const char *machine, const struct pump *p, const struct op *op, bool good)
{
	char **names = NULL;

	if (!good) {
		printf("not ok %u - %s: %s\n# \"%s\" is not answered as it should be\n", ++points, machine, op->name, p->wrong);
	} else if (asked || freed) {
		printf("not ok %u - %s: %s\n# memory was asked for %u times and freed %u times in %d turns; the first time by\n",
		       ++points, machine, op->name, asked, freed, TURNS);
		names = backtrace_symbols(first, nfirst);
	} else
		printf("ok %u - %s: %s\n", ++points, machine, op->name);
	for (int i = 0; names && i < nfirst; i++)
		printf("# %s\n", names[i]);
	free(names);
}

static void measure(const char *machine, struct machine *m, const struct op *ops, size_t n)
{
	struct pump p;
	bool good = pump_open(&p, m);

	if (!good)
		printf("not ok %u - %s: a session begins\n", ++points, machine);
	for (; good && n; ops++, n--) {
		pump_load(&p, ops);
		good = pump_say(&p, ops->before);
		for (unsigned i = 0; i < TURNS; i++)
			good = good && pump_turn(&p, ops);
		atomic_store(&asked, 0);
		atomic_store(&freed, 0);
		nfirst = 0;
		atomic_store(&counting, true);
		for (unsigned i = 0; i < TURNS; i++)
			good = good && pump_turn(&p, ops);
		atomic_store(&counting, false);
		judge(machine, &p, ops, good);
		good = good && pump_say(&p, ops->after);
	}
	pump_close(&p);
}

static void measure_fake(void)
{
	struct fake_machine *f = fake_new(NULL);

	measure("without KVM", &f->machine, fake_ops, sizeof(fake_ops) / sizeof(fake_ops[0]));
	fake_free(f);
}

static void measure_kvm(void)
{
	struct machine_config c = {
		.memory = 16 << 20, .cpus = 1,
		.load = { .kind = IMAGE_FLAT, .has_load = true, .load = 0x7c00, .has_mode = true, .mode = BOOT_REAL },
	};
	struct machine *m;
	struct err err;
	int r;

	if (access("/dev/kvm", R_OK | W_OK)) {
		printf("ok %u - on KVM # SKIP /dev/kvm cannot be opened\n", ++points);
		return;
	}
	r = blob_copy("guest", guest, (size_t)(guest_end - guest), &c.image, &err);
	if (!r)
		r = machine_kvm_new(&c, &m, &err);
	if (r) {
		printf("not ok %u - on KVM\n# %s\n", ++points, err.msg);
		return;
	}
	measure("on KVM", m, kvm_ops, sizeof(kvm_ops) / sizeof(kvm_ops[0]));
	machine_kvm_free(m);
}

int main(void)
{
	if (SANITIZED) {
		puts("1..0 # SKIP a sanitizer stands where memory is asked for");
		return 0;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	/* The first time it looks for what it needs. */
	nfirst = backtrace(first, FRAMES);
	measure_fake();
	measure_kvm();
	printf("1..%u\n", points);
	return 0;
}
