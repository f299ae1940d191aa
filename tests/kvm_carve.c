/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rights to single pages, beneath the slot table: with a vCPU of the test's own, so that each access shows whether it exits.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kvm/dirty.h"
#include "kvm/ring.h"
#include "kvm/slots.h"
#include "kvm/slots_priv.h"
#include "tests/kvm_harness.h"
#include "tests/unit.h"

#define PAGE     0x1000ull
#define BASE     0x200000ull    /* gpa of the area played with */
#define AREA     96u            /* its pages */
#define READS    0x1000u        /* gpas of the code, in slot 0 */
#define WRITES   0x1010u
#define ID       5u
#define RING     4096u

static struct kvm k;
static struct slots *s;
static struct rings *rings;
static int vcpu = -1;
static struct kvm_run *run;
static unsigned exits;                  /* of the last access: those as MMIO */

/* The ioctl that kvm_ioctl() calls: counts changes of slots; the FAIL_AT-th (0 the next) fails, if that is not negative. */
static int fail_at = -1;
static bool failed;
static unsigned changes;

int ioctl(int fd, unsigned long request, ...);
int ioctl(int fd, unsigned long request, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	changes += request == KVM_SET_USER_MEMORY_REGION;
	if (request == KVM_SET_USER_MEMORY_REGION && fail_at >= 0 && fail_at-- == 0) {
		failed = true;
		errno = ENOMEM;
		return -1;
	}
	return (int)syscall(SYS_ioctl, fd, request, arg);
}

static void ok(int r)
{
	ck_assert_msg(r == 0, "%d: %s", r, err.msg);
}

static void on_fault(void *arg, const struct slot_fault *f)
{
	(void)arg;
	ck_abort_msg("slot %u: %s", f->id, f->text);
}

static void check_slots(void)
{
	const struct pieces *p = carve_pieces(s, ID);
	unsigned slot = 0;
	uint64_t gpa = 0;

	ok(slots_check(s, on_fault, NULL, &err));
	for (size_t i = 0; p && i < p->n; i++)
		ck_assert(carve_owner(s, p->v[i].id, &slot, &gpa) && slot == ID && gpa == p->v[i].gpa);
}

static void add(unsigned id, uint64_t gpa, uint64_t pages, bool log)
{
	const struct slot_spec spec = { .id = id, .gpa = gpa, .size = pages * PAGE, .backing = SLOT_ANON, .log = log };

	ok(slots_add(s, &spec, "user", NULL, &err));
}

static void alias(unsigned id, uint64_t gpa, unsigned of, uint64_t first, uint64_t pages)
{
	const struct slot_spec spec = { .id = id, .gpa = gpa, .size = pages * PAGE, .backing = SLOT_ALIAS,
					.alias_of = of, .offset = first * PAGE };

	ok(slots_add(s, &spec, "user", NULL, &err));
}

/* Two pieces of code in slot 0: each does one access and ends with an exit of its own. */
static void load(void)
{
	static const uint8_t reads[] = { 0x8b, 0x03, 0xe6, 0x80 };      /* mov (%ebx), %eax; out %al, $0x80 */
	static const uint8_t writes[] = { 0x89, 0x0b, 0xe6, 0x80 };     /* mov %ecx, (%ebx); out %al, $0x80 */

	gmem_write(slots_gmem(s), READS, reads, sizeof(reads));
	gmem_write(slots_gmem(s), WRITES, writes, sizeof(writes));
}

/* A flat 32-bit vCPU, slot 0, and on this host slots up to MAX_SLOTS (0: as it has them). */
static void begin(bool with_rings, unsigned max_slots)
{
	struct kvm_sregs sr;

	k = (struct kvm){ .sys_fd = -1, .vm_fd = -1 };
	ok(kvm_open(&k, &err));
	if (max_slots)
		k.max_slots = max_slots;
	ok(slots_new(&k, &s, &err));
	rings = NULL;
	if (with_rings) {
		ok(rings_new(s, RING, &rings, &err));
		slots_use_rings(s, rings);
	}
	vcpu = kvm_ioctl_num(k.vm_fd, KVM_CREATE_VCPU, 0);
	ck_assert_int_ge(vcpu, 0);
	run = mmap(NULL, k.run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	ck_assert_ptr_ne(run, MAP_FAILED);
	if (rings)
		ok(rings_add(rings, 0, vcpu, &err));
	ck_assert_int_eq(kvm_ioctl(vcpu, KVM_GET_SREGS, &sr), 0);
	sr.cs.base = 0;
	sr.cs.selector = 8;
	sr.cs.limit = 0xffffffff;
	sr.cs.g = sr.cs.db = 1;
	sr.ds = sr.es = sr.ss = sr.cs;
	sr.cs.type = 11;
	sr.ds.type = sr.es.type = sr.ss.type = 3;
	sr.ds.selector = sr.es.selector = sr.ss.selector = 16;
	sr.cr0 |= 1;
	ck_assert_int_eq(kvm_ioctl(vcpu, KVM_SET_SREGS, &sr), 0);
	add(0, 0, 16, false);
	load();
	fail_at = -1;
}

static void end(void)
{
	munmap(run, k.run_size);
	close(vcpu);
	rings_free(rings);
	slots_free(s);
	kvm_close(&k);
}

/* Runs the code at RIP on GPA until its end; returns eax.  What exits is answered with all ones, or is lost. */
static uint32_t guest_access(uint64_t rip, uint64_t gpa, uint32_t value)
{
	struct kvm_regs regs = { .rip = rip, .rbx = gpa, .rcx = value, .rflags = 0x202, .rsp = 0x8000 };
	unsigned count;

	exits = 0;
	ck_assert_int_eq(kvm_ioctl(vcpu, KVM_SET_REGS, &regs), 0);
	for (;;) {
		int r = kvm_ioctl_num(vcpu, KVM_RUN, 0);

		if (r == -EINTR || r == -EAGAIN)
			continue;
		ck_assert_int_eq(r, 0);
		if (run->exit_reason == KVM_EXIT_DIRTY_RING_FULL) {
			ok(rings_collect_cpu(rings, 0, &count, &err));
			continue;
		}
		if (run->exit_reason == KVM_EXIT_IO)
			break;
		ck_assert_msg(run->exit_reason == KVM_EXIT_MMIO, "exit %u at 0x%llx", run->exit_reason,
			      (unsigned long long)gpa);
		ck_assert_uint_eq(run->mmio.phys_addr, gpa);
		memset(run->mmio.data, 0xff, sizeof(run->mmio.data));
		exits++;
	}
	ck_assert_int_eq(kvm_ioctl(vcpu, KVM_GET_REGS, &regs), 0);
	return (uint32_t)regs.rax;
}

static uint32_t host_u32(uint64_t gpa)
{
	uint32_t v = 0;

	ck_assert_uint_eq(gmem_read(slots_gmem(s), gpa, &v, sizeof(v)), sizeof(v));
	return v;
}

/* Whether the page at GPA takes and refuses what it should, WANT for a slot that refuses nothing. */
static void expect(uint64_t gpa, enum page_rights want)
{
	static uint32_t value = 0x1000;
	uint32_t was = host_u32(gpa + 8), got = guest_access(READS, gpa + 8, 0);

	if (want == PAGE_NO_ACCESS)
		ck_assert_msg(exits == 1, "0x%llx can be read", (unsigned long long)gpa);
	else
		ck_assert_msg(!exits && got == was, "0x%llx reads %x, not %x, with %u exits", (unsigned long long)gpa, got, was,
			      exits);
	guest_access(WRITES, gpa + 8, ++value);
	if (want == PAGE_ALL)
		ck_assert_msg(!exits && host_u32(gpa + 8) == value, "0x%llx was not written, with %u exits",
			      (unsigned long long)gpa, exits);
	else
		ck_assert_msg(exits == 1 && host_u32(gpa + 8) == was, "0x%llx can be written", (unsigned long long)gpa);
}

static void set(uint64_t page, enum page_rights rights)
{
	ok(slots_set_rights(s, BASE + page * PAGE, rights, &err));
}

static void carve(void)
{
	ok(slots_carve(s, &err));
}

/* Each of N pages from BASE on has the rights in WANT: "." all, "r" no write, "x" no access, " " no memory. */
static void expect_all(const char *want)
{
	check_slots();
	for (unsigned i = 0; want[i]; i++) {
		if (want[i] == ' ') {
			guest_access(READS, BASE + i * PAGE, 0);
			ck_assert_uint_eq(exits, 1);
			continue;
		}
		expect(BASE + i * PAGE, want[i] == '.' ? PAGE_ALL : want[i] == 'r' ? PAGE_NO_WRITE : PAGE_NO_ACCESS);
	}
}

static void set_all(const char *want)
{
	for (unsigned i = 0; want[i]; i++)
		set(i, want[i] == '.' ? PAGE_ALL : want[i] == 'r' ? PAGE_NO_WRITE : PAGE_NO_ACCESS);
	carve();
}

START_TEST(by_page)
{
	static const char *const sets[] = { "........", "r.......", ".......x", "xxxxxxxx", "rrrrrrrr", "r.r.x.x.", ".rrxxr..",
					    "...r....", "xr.rx.r.", "........" };

	begin(false, 0);
	add(ID, BASE, 8, false);
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		unsigned n = 0;

		set_all(sets[i]);
		expect_all(sets[i]);
		for (unsigned p = 0; p < 8; p++) {
			n += sets[i][p] != '.';
			ck_assert_uint_eq(slots_rights(s, BASE + p * PAGE + 0x123),
					  sets[i][p] == '.' ? PAGE_ALL : sets[i][p] == 'r' ? PAGE_NO_WRITE : PAGE_NO_ACCESS);
		}
		ck_assert_uint_eq(slots_restricted(s), n);
	}
	ck_assert_ptr_eq(carve_pieces(s, ID), NULL);
	end();
}
END_TEST

/* Rights are a gpa's: the same memory at another is not restricted, and slots_gpas_of() tells both. */
static uint64_t seen[4];
static unsigned nseen;

static void saw(void *arg, uint64_t gpa)
{
	ck_assert_ptr_eq(arg, seen);
	seen[nseen++ % 4] = gpa;
}

START_TEST(aliases)
{
	begin(false, 0);
	add(ID, BASE, 8, false);
	alias(6, BASE + 16 * PAGE, ID, 2, 4);
	set(3, PAGE_NO_ACCESS);
	carve();
	expect_all("...x....");
	expect(BASE + 17 * PAGE, PAGE_ALL);
	nseen = 0;
	slots_gpas_of(s, slots_get(s, ID)->hva + 3 * PAGE + 5, saw, seen);
	ck_assert_uint_eq(nseen, 2);
	ck_assert_uint_eq(seen[0], BASE + 3 * PAGE + 5);
	ck_assert_uint_eq(seen[1], BASE + 17 * PAGE + 5);
	nseen = 0;
	slots_gpas_of(s, slots_get(s, ID)->hva + PAGE, saw, seen);
	ck_assert_uint_eq(nseen, 1);
	end();
}
END_TEST

/* Whatever becomes of the slots, the rights stay where they are. */
START_TEST(slot_changes)
{
	const bool on = true, off = false;
	unsigned high;

	begin(false, 0);
	set_all(".r.x..r.");
	add(ID, BASE, 8, false);
	expect_all(".r.x..r.");
	ok(slots_flags(s, ID, NULL, &on, &err));
	expect_all("rrrxrrrr");
	ck_assert_uint_eq(carve_pieces(s, ID)->n, 3);           /* no more than it takes */
	ok(slots_flags(s, ID, &on, &off, &err));
	expect_all(".r.x..r.");
	ok(slots_watch(s, ID, true, &err));
	expect_all("rrrxrrrr");
	ok(slots_watch(s, ID, false, &err));
	ok(slots_resize(s, ID, 5 * PAGE, &err));
	expect_all(".r.x.   ");
	ok(slots_resize(s, ID, 8 * PAGE, &err));
	expect_all(".r.x..r.");
	ok(slots_split(s, ID, 4 * PAGE, &high, &err));
	expect_all(".r.x..r.");
	ok(slots_remove(s, high, &err));
	expect_all(".r.x    ");
	ok(slots_move(s, ID, BASE + 2 * PAGE, NULL, &err));
	expect_all("  .x..  ");
	ok(slots_move(s, ID, BASE + 0x100000, NULL, &err));
	ck_assert_ptr_eq(carve_pieces(s, ID), NULL);
	ok(slots_move(s, ID, BASE, NULL, &err));
	expect_all(".r.x    ");
	ok(slots_flags(s, ID, &off, NULL, &err));
	expect_all(".r.x    ");
	/* A reset keeps the first slots, and takes away those that a person added. */
	ok(slots_mark_initial(s, &err));
	ok(slots_resize(s, ID, 2 * PAGE, &err));
	ok(slots_restore(s, &err));
	load();
	add(6, BASE + 4 * PAGE, 4, false);
	expect_all(".r.x..r.");
	ck_assert_uint_eq(slots_restricted(s), 3);
	end();
}
END_TEST

static struct dirty_map map;

static void take(unsigned id)
{
	free(map.bits);
	map.bits = NULL;
	ok(dirty_log_read(s, slots_get(s, id), slots_view(s), DIRTY_USER, true, &map, &err));
}

/* Exactly the pages marked 'd' were written. */
static void expect_dirty(unsigned id, const char *want)
{
	take(id);
	ck_assert_uint_eq(map.pages, strlen(want));
	for (unsigned i = 0; want[i]; i++)
		ck_assert_msg((map.bits[i / 64] >> i % 64 & 1) == (want[i] == 'd'), "page %u is%s dirty", i,
			      want[i] == 'd' ? " not" : "");
}

static void write_page(unsigned page)
{
	guest_access(WRITES, BASE + page * PAGE, 1);
	ck_assert_uint_eq(exits, 0);
}

START_TEST(dirty_logs)
{
	const uint64_t two[] = { BASE + 3 * PAGE, BASE + 6 * PAGE };
	unsigned high;

	begin(_i, 0);
	add(ID, BASE, 8, true);
	take(ID);
	write_page(2);
	set_all("...r....");                            /* the whole slot goes, with what was logged */
	write_page(1);
	expect_dirty(ID, ".dd.....");
	write_page(6);
	write_page(1);
	set_all("...rr.x.");                            /* the upper piece goes */
	expect_dirty(ID, ".d....d.");
	expect_dirty(ID, "........");
	write_page(7);
	expect_dirty(ID, ".......d");
	write_page(7);                                  /* logged anew after each take */
	expect_dirty(ID, ".......d");
	expect(BASE + 3 * PAGE, PAGE_NO_WRITE);
	expect(BASE + 6 * PAGE, PAGE_NO_ACCESS);
	expect_dirty(ID, "........");
	ok(slots_open(s, two, 2));
	write_page(3);
	write_page(6);
	ok(slots_close(s));
	expect_dirty(ID, "...d..d.");
	ok(slots_open(s, NULL, 0));
	write_page(4);
	write_page(6);
	ok(slots_close(s));
	write_page(0);
	ck_assert_uint_eq(gmem_write(slots_gmem(s), BASE + 3 * PAGE, "x", 1), 1);      /* and our own */
	expect_dirty(ID, "d..dd.d.");
	write_page(0);
	write_page(7);
	ok(slots_split(s, ID, 4 * PAGE, &high, &err));
	write_page(1);
	expect_dirty(ID, "dd..");
	expect_dirty(high, "...d");
	write_page(5);
	ok(slots_move(s, high, BASE + 8 * PAGE, NULL, &err));
	write_page(11);
	expect_dirty(high, ".d.d");
	write_page(2);
	write_page(8);
	add(k.max_slots - 1, BASE + 0x100000, 1, false);        /* a piece's number */
	expect_dirty(ID, "..d.");
	expect_dirty(high, "d...");
	ok(dirty_log_lost(s, &err));                            /* every page counts as written, and is watched again */
	expect_dirty(ID, "dddd");
	expect_dirty(high, "dddd");
	write_page(2);
	write_page(8);
	set_all("........");
	write_page(3);
	expect_dirty(ID, "..dd");
	expect_dirty(high, "d...");
	check_slots();
	free(map.bits);
	map.bits = NULL;
	end();
}
END_TEST

START_TEST(open_and_close)
{
	uint64_t gpas[CARVE_OPEN_MAX + 1];
	unsigned most = 0;

	begin(false, 0);
	ok(slots_open(s, NULL, 0));
	ok(slots_close(s));
	add(ID, BASE, 8, false);
	set_all("rrrxxx.r");
	for (unsigned set_of = 0; set_of < 256; set_of++) {
		unsigned n = 0;

		for (unsigned i = 0; i < 8; i++)
			if (set_of >> i & 1)
				gpas[n++] = BASE + i * PAGE + 0x10 * set_of;
		if (!n)
			continue;
		/* In any order, one twice. */
		gpas[n] = gpas[0];
		gpas[0] = gpas[n - 1];
		gpas[n - 1] = gpas[n];
		changes = 0;
		ok(slots_open(s, gpas, n + 1));
		most = n == 1 && changes > most ? changes : most;
		ck_assert_int_eq(slots_open(s, gpas, n), -EBUSY);
		for (unsigned i = 0; i < 8; i++)
			expect(BASE + i * PAGE, i == 6 || (set_of >> i & 1) ? PAGE_ALL : i < 3 || i > 6 ? PAGE_NO_WRITE : PAGE_NO_ACCESS);
		ck_assert_int_eq(slots_check(s, on_fault, NULL, &err), -EBUSY);
		ok(slots_close(s));
		ok(slots_close(s));
		expect_all("rrrxxx.r");
	}
	ck_assert_uint_le(most, 4);
	ok(slots_open(s, NULL, 0));
	for (unsigned i = 0; i < 8; i++)
		expect(BASE + i * PAGE, PAGE_ALL);
	/* Nothing changes meanwhile. */
	ck_assert_int_eq(slots_remove(s, ID, &err), -EBUSY);
	set(1, PAGE_ALL);
	ck_assert_int_eq(slots_carve(s, &err), -EBUSY);
	ok(slots_close(s));
	expect_all("rrrxxx.r");
	for (unsigned i = 0; i < CARVE_OPEN_MAX + 1; i++)
		gpas[i] = BASE + i * PAGE;
	ck_assert_int_eq(slots_open(s, gpas, CARVE_OPEN_MAX + 1), -E2BIG);
	ok(slots_open(s, gpas, CARVE_OPEN_MAX));
	ok(slots_close(s));
	expect_all("rrrxxx.r");
	/* All that can be apart. */
	add(6, BASE + 16 * PAGE, 80, false);
	for (unsigned i = 16; i < 96; i++)
		set(i, PAGE_NO_WRITE);
	carve();
	for (unsigned i = 0; i < CARVE_OPEN_MAX; i++)
		gpas[i] = BASE + (17 + 2 * i) * PAGE;
	ok(slots_open(s, gpas, CARVE_OPEN_MAX));
	for (unsigned i = 16; i < 96; i++)
		expect(BASE + i * PAGE, i % 2 && i < 17 + 2 * CARVE_OPEN_MAX ? PAGE_ALL : PAGE_NO_WRITE);
	ok(slots_close(s));
	for (unsigned i = 16; i < 96; i++)
		expect(BASE + i * PAGE, PAGE_NO_WRITE);
	check_slots();
	ck_assert_uint_eq(s->carve.used, 4 + 1);
	end();
}
END_TEST

/* A thousand pages apart; one more is a matter of its neighbours. */
START_TEST(many)
{
	const unsigned n = 1000;

	begin(false, 0);
	add(ID, BASE, 2 * n, false);
	for (unsigned i = 0; i < n; i++)
		set(2 * i, i % 2 ? PAGE_NO_WRITE : PAGE_NO_ACCESS);
	carve();
	check_slots();
	ck_assert_uint_eq(slots_restricted(s), n);
	for (unsigned i = 0; i < 2 * n; i += 1 + (i > 64) * 37)
		expect(BASE + i * PAGE, i % 2 ? PAGE_ALL : i % 4 ? PAGE_NO_WRITE : PAGE_NO_ACCESS);
	changes = 0;
	set(1001, PAGE_NO_WRITE);
	carve();
	ck_assert_uint_le(changes, 4);
	set(1001, PAGE_ALL);
	carve();
	ck_assert_uint_le(changes, 8);
	carve();
	set(500, PAGE_NO_ACCESS);       /* as it is */
	carve();
	ck_assert_uint_le(changes, 8);
	ok(slots_open(s, NULL, 0));
	for (unsigned i = 0; i < 2 * n; i += 37)
		expect(BASE + i * PAGE, PAGE_ALL);
	ok(slots_close(s));
	check_slots();
	for (unsigned i = 0; i < n; i++)
		set(2 * i, PAGE_ALL);
	carve();
	check_slots();
	ck_assert_uint_eq(s->carve.used, 0);
	ck_assert_ptr_eq(carve_pieces(s, ID), NULL);
	end();
}
END_TEST

/* Numbers: the user's slots come first, and when there are none left it is said. */
START_TEST(numbers)
{
	const unsigned max = 48;

	begin(false, max);
	add(ID, BASE, 16, false);
	set_all(".r.r.r.r.r.r.r.r");
	for (unsigned i = 0; i < 10; i++)
		add(max - 1 - i, BASE + (100 + i) * PAGE, 1, false);
	expect_all(".r.r.r.r.r.r.r.r");
	for (unsigned i = 10; i < 40; i++) {
		const struct slot_spec spec = { .id = max - 1 - i, .gpa = BASE + (100 + i) * PAGE, .size = PAGE,
						.backing = SLOT_ANON };
		int r = slots_add(s, &spec, "user", NULL, &err);

		if (r) {
			ck_assert_int_eq(r, -ENOSPC);
			ck_assert_msg(strstr(err.msg, "its number stands for a piece of slot 5"), "%s", err.msg);
			break;
		}
		ck_assert_msg(i < 39, "48 numbers are enough for anything");
	}
	expect_all(".r.r.r.r.r.r.r.r");
	set(0, PAGE_NO_WRITE);
	set(4, PAGE_NO_ACCESS);
	set(12, PAGE_NO_ACCESS);
	set(14, PAGE_NO_ACCESS);
	set(15, PAGE_ALL);
	ok(slots_carve(s, &err));       /* as many pieces as before, or fewer */
	expect_all("rr.rxr.r.r.rxrx.");
	ok(slots_resize(s, ID, 14 * PAGE, &err));
	add(6, BASE + 20 * PAGE, 8, false);
	set(22, PAGE_NO_WRITE);
	ck_assert_int_eq(slots_carve(s, &err), -ENOSPC);
	ck_assert_msg(strstr(err.msg, "too few of this host's 48 slots are free"), "%s", err.msg);
	ck_assert_uint_eq(slots_rights(s, BASE + 22 * PAGE), PAGE_ALL);
	expect_all("rr.rxr.r.r.rxr");
	expect(BASE + 22 * PAGE, PAGE_ALL);
	/* What the user gives back is there for pieces again, but for some numbers that slots_open() needs. */
	for (unsigned i = 0; i < 10; i++)
		ok(slots_remove(s, max - 1 - i, &err));
	ck_assert_uint_ge(s->carve.below, max);
	set(22, PAGE_NO_WRITE);
	ck_assert_int_eq(slots_carve(s, &err), -ENOSPC);
	for (unsigned i = 10; i < 20; i++)
		ok(slots_remove(s, max - 1 - i, &err));
	set(22, PAGE_NO_WRITE);
	carve();
	expect(BASE + 22 * PAGE, PAGE_NO_WRITE);
	check_slots();
	end();
}
END_TEST

/* A refusal of KVM at any point leaves slots, rights and pages as they were. */
enum { F_CARVE, F_MOVE, F_RESIZE, F_GROW, F_SPLIT, F_READONLY, F_REMOVE, F_ADD, F_OPEN, F_OPEN_ALL, F_LOG, FAILURES };

static int do_it(int what)
{
	const bool on = true;
	const uint64_t gpas[] = { BASE + PAGE, BASE + 2 * PAGE, BASE + 10 * PAGE };
	const struct slot_spec spec = { .id = k.max_slots - 2, .gpa = BASE + 30 * PAGE, .size = 8 * PAGE, .backing = SLOT_ANON };
	unsigned high;

	switch (what) {
	case F_CARVE:
		set(3, PAGE_NO_WRITE);
		set(5, PAGE_ALL);
		set(9, PAGE_ALL);
		set(10, PAGE_NO_ACCESS);
		return slots_carve(s, &err);
	case F_MOVE:
		return slots_move(s, ID, BASE + 20 * PAGE, NULL, &err);
	case F_RESIZE:
		return slots_resize(s, ID, 3 * PAGE, &err);
	case F_GROW:
		return slots_resize(s, 6, 5 * PAGE, &err);
	case F_SPLIT:
		return slots_split(s, ID, 4 * PAGE, &high, &err);
	case F_READONLY:
		return slots_flags(s, ID, NULL, &on, &err);
	case F_REMOVE:
		return slots_remove(s, ID, &err);
	case F_ADD:
		return slots_add(s, &spec, "user", NULL, &err);
	case F_OPEN:
		return slots_open(s, gpas, 3);
	case F_OPEN_ALL:
		return slots_open(s, NULL, 0);
	default:
		return slots_flags(s, 6, &on, NULL, &err);
	}
}

START_TEST(failures)
{
	unsigned refused = 0;
	int r = -1;

	begin(false, 0);
	add(ID, BASE, 8, true);
	add(6, BASE + 8 * PAGE, 4, false);
	set_all("rr.xxx.r.r");
	set(31, PAGE_NO_ACCESS);
	carve();
	for (int at = 0; r; at++) {
		unsigned used = s->carve.used;

		failed = false;
		fail_at = at;
		r = do_it(_i);
		fail_at = -1;
		ck_assert_msg((r != 0) == failed, "the %d-th change failed: %d", at, r);
		if (!r)
			break;
		refused++;
		ck_assert_uint_eq(s->carve.used, used);
		expect_all("rr.xxx.r.r..");
		ck_assert_uint_eq(slots_restricted(s), 8);
		write_page(6);
		ck_assert_int_lt(at, 100);
	}
	ck_assert_uint_gt(refused, 0);
	ok(slots_close(s));
	check_slots();
	end();
}
END_TEST

/* Random changes against a model. */
#define IDS      6u             /* slots 1 to IDS */
#define ROUNDS   6000u

static enum page_rights model[AREA];
static bool wrote[IDS + 1][AREA];       /* since the log was taken last */

static unsigned pick(unsigned n)
{
	return (unsigned)rand() % n;
}

/* The rights of AREA's page that the guest finds, of a slot's and its own. */
static enum page_rights guest_rights(const struct gmem_region *g, unsigned page)
{
	return model[page] != PAGE_ALL ? model[page] : g->readonly || g->watched ? PAGE_NO_WRITE : PAGE_ALL;
}

static void probe_page(unsigned page, bool open)
{
	uint64_t gpa = BASE + page * PAGE;
	const struct gmem_region *g = gmem_find(slots_gmem(s), gpa);
	enum page_rights r;

	if (!g) {
		guest_access(READS, gpa, 0);
		ck_assert_uint_eq(exits, 1);
		return;
	}
	r = guest_rights(g, page);
	if (open)
		r = g->readonly || g->watched ? PAGE_NO_WRITE : PAGE_ALL;
	expect(gpa, r);
	if (r == PAGE_ALL)
		wrote[g->slot][(gpa - g->gpa) / PAGE] = true;
}

static void random_rights(void)
{
	unsigned n = 1 + pick(4);

	while (n--) {
		unsigned first = pick(AREA), len = 1 + pick(6), rights = pick(3);

		for (unsigned i = first; i < first + len && i < AREA; i++)
			set(i, model[i] = (enum page_rights)rights);
	}
	carve();
}

static void random_open(void)
{
	uint64_t gpas[8];
	unsigned n = pick(8), page[8];

	for (unsigned i = 0; i < n; i++)
		gpas[i] = BASE + (page[i] = pick(AREA)) * PAGE;
	ok(slots_open(s, gpas, n));
	for (unsigned i = 0; i < n; i++)
		probe_page(page[i], true);
	if (!n)
		probe_page(pick(AREA), true);
	ok(slots_close(s));
}

static void random_slot(unsigned id)
{
	struct slot *v = slots_get(s, id);
	uint64_t gpa = BASE + pick(AREA) * PAGE, size = (1 + pick(24)) * PAGE;
	struct slot_spec spec = { .id = id, .gpa = gpa, .size = size, .backing = pick(3) ? SLOT_ANON : SLOT_ALIAS,
				  .alias_of = 1 + pick(IDS), .log = pick(2), .readonly = !pick(5) };
	bool log = pick(2), ro = pick(2);
	unsigned high;

	if (!v) {
		if (!slots_add(s, &spec, "user", NULL, &err))
			memset(wrote[id], 0, sizeof(wrote[id]));
		return;
	}
	switch (pick(6)) {
	case 0:
		ok(slots_remove(s, id, &err));
		break;
	case 1:
		slots_move(s, id, gpa, NULL, &err);
		break;
	case 2:
		if (!slots_resize(s, id, size, &err))
			for (uint64_t i = size / PAGE; i < AREA; i++)
				wrote[id][i] = false;
		break;
	case 3:
		if (log && !v->log)
			memset(wrote[id], 0, sizeof(wrote[id]));
		slots_flags(s, id, &log, &ro, &err);
		break;
	case 4:
		slots_watch(s, id, ro, &err);
		break;
	default:
		high = 1;
		while (high <= IDS && slots_get(s, high))
			high++;
		if (high > IDS || slots_split(s, id, size, &high, &err))
			break;
		memset(wrote[high], 0, sizeof(wrote[high]));
		for (uint64_t i = size / PAGE; i < AREA; i++) {
			wrote[high][i - size / PAGE] = wrote[id][i];
			wrote[id][i] = false;
		}
	}
}

static void random_take(unsigned id)
{
	struct slot *v = slots_get(s, id);

	if (!v || !v->log)
		return;
	take(id);
	for (unsigned i = 0; i < map.pages; i++)
		ck_assert_msg((map.bits[i / 64] >> i % 64 & 1) == wrote[id][i], "slot %u page %u: %d", id, i, wrote[id][i]);
	memset(wrote[id], 0, sizeof(wrote[id]));
}

START_TEST(random_changes)
{
	begin(_i, 0);
	srand(5);
	memset(model, 0, sizeof(model));
	memset(wrote, 0, sizeof(wrote));
	for (unsigned n = 0; n < ROUNDS / (1 + 2 * (unsigned)_i); n++) {
		unsigned what = pick(8), restricted = 0;

		if (what < 2)
			random_rights();
		else if (what < 3)
			random_open();
		else if (what < 4)
			random_take(1 + pick(IDS));
		else
			random_slot(1 + pick(IDS));
		for (unsigned i = 0; i < 6; i++)
			probe_page(pick(AREA), false);
		if (n % 8 == 0)
			check_slots();
		for (unsigned i = 0; i < AREA; i++)
			restricted += model[i] != PAGE_ALL;
		ck_assert_uint_eq(slots_restricted(s), restricted);
	}
	free(map.bits);
	map.bits = NULL;
	end();
}
END_TEST

/* slot check sees what is wrong with a piece. */
static unsigned faults;
static char fault_text[160];

static void count(void *arg, const struct slot_fault *f)
{
	(void)arg;
	ck_assert_uint_eq(f->id, ID);
	faults++;
	snprintf(fault_text, sizeof(fault_text), "%s", f->text);
}

static void one_fault(const char *text)
{
	faults = 0;
	ok(slots_check(s, count, NULL, &err));
	ck_assert_uint_eq(faults, 1);
	ck_assert_msg(strstr(fault_text, text), "%s", fault_text);
}

static void put_piece(unsigned at, bool deleted, uint32_t flags)
{
	struct kvm_userspace_memory_region kr = carve_region(slots_get(s, ID), &carve_pieces(s, ID)->v[at]);

	kr.flags ^= flags;
	kr.memory_size = deleted ? 0 : kr.memory_size;
	ck_assert_int_eq(kvm_ioctl(k.vm_fd, KVM_SET_USER_MEMORY_REGION, &kr), 0);
}

START_TEST(slot_check)
{
	begin(false, 0);
	add(ID, BASE, 8, false);
	set_all(".rr.xx..");
	check_slots();
	put_piece(1, true, 0);
	one_fault("no memory at 0x201000-0x202fff");
	put_piece(1, false, KVM_MEM_READONLY);
	one_fault("other parameters");
	put_piece(1, true, 0);
	put_piece(1, false, 0);
	check_slots();
	put_piece(0, false, KVM_MEM_LOG_DIRTY_PAGES);
	one_fault("the kernel keeps a log");
	put_piece(0, false, 0);
	put_piece(3, false, 0);                 /* what should not be there at all */
	one_fault("wrongly memory at 0x204000-0x205fff");
	put_piece(3, true, 0);
	check_slots();
	s->carve.of[ID].v[1].rights = PAGE_ALL;
	one_fault("its piece at 0x201000 is not");
	s->carve.of[ID].v[1].rights = PAGE_NO_WRITE;
	check_slots();
	end();
}
END_TEST

START_TEST(no_readonly)
{
	begin(false, 0);
	s->has_readonly = false;
	ck_assert_int_eq(slots_set_rights(s, BASE, PAGE_NO_WRITE, &err), -ENOTSUP);
	ck_assert_msg(strstr(err.msg, "KVM_CAP_READONLY_MEM"), "%s", err.msg);
	ck_assert_uint_eq(slots_restricted(s), 0);
	add(ID, BASE, 2, false);
	set_all(".x");
	expect_all(".x");
	end();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("carve");
	TCase *c = tcase_create("carve");
	int modes = guest_has_rings() ? 2 : 1;

	if (guest_no_kvm())
		return unit_skip_all("/dev/kvm cannot be opened");
	tcase_set_timeout(c, 120);
	tcase_add_test(c, by_page);
	tcase_add_test(c, aliases);
	tcase_add_test(c, slot_changes);
	tcase_add_loop_test(c, dirty_logs, 0, modes);
	tcase_add_test(c, open_and_close);
	tcase_add_test(c, many);
	tcase_add_test(c, numbers);
	tcase_add_loop_test(c, failures, 0, FAILURES);
	tcase_add_loop_test(c, random_changes, 0, modes);
	tcase_add_test(c, slot_check);
	tcase_add_test(c, no_readonly);
	suite_add_tcase(suite, c);
	return unit_main(suite);
}
