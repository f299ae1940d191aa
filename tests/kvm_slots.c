/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Memory slots on the real KVM, with a guest that uses them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kvm/kvm.h"
#include "tests/ioctl_own.h"
#include "tests/kvm_harness.h"
#include "tests/unit.h"

#define AT    0x2000000ull      /* where the guest below reads and writes */
#define OTHER 0x3000000ull
#define MIB   0x100000ull

/* For ever: copies what is at AT to 0x500, counts at AT + 4, and counts its rounds at 0x504. */
GUEST(user, /* 7c00 */ ".code32\n 1: mov 0x2000000, %eax\n"
	    /* 7c05 */ "mov %eax, 0x500\n"
	    /* 7c0a */ "incl 0x2000004\n"
	    /* 7c10 */ "incl 0x504\n"
	    /* 7c16 */ "xor %eax, %eax\n cpuid\n jmp 1b\n");    /* exits: an emulated host hears nothing else of a guest with IF=0 */

/* The FAIL_AT-th change of a slot from now on (0 the next) fails, if that is not negative. */
static int fail_at = -1;
static bool failed;

int ioctl_judge(unsigned long request, const void *arg)
{
	(void)arg;
	if (request != KVM_SET_USER_MEMORY_REGION || fail_at < 0 || fail_at-- > 0)
		return 0;
	failed = true;
	return ENOMEM;
}

static struct slot_note note;
static char dir[] = "/tmp/kvm_slots_XXXXXX";
static char path[64], path2[64];

static void on_fault(void *arg, const struct slot_fault *f)
{
	(void)arg;
	ck_abort_msg("slot %u: %s", f->id, f->text);
}

static void check_slots(void)
{
	ck_assert_int_eq(machine_slot_check(m, on_fault, NULL, &err), 0);
}

static struct slot_info slot(unsigned id)
{
	struct slot_info i;

	for (size_t n = 0; machine_slot_list(m, n, &i); n++)
		if (i.id == id)
			return i;
	ck_abort_msg("there is no slot %u", id);
	return i;
}

static size_t slot_count(void)
{
	struct slot_info i;
	size_t n = 0;

	while (machine_slot_list(m, n, &i))
		n++;
	return n;
}

/* Gives the n-th slot's facts, those that must not change when something fails. */
static size_t snapshot(struct slot_info ret[16])
{
	size_t n = 0;

	memset(ret, 0, 16 * sizeof(*ret));
	while (n < 16 && machine_slot_list(m, n, &ret[n]))
		ret[n++].hva = 0;
	return n;
}

static void assert_same(const struct slot_info was[16], const char *after)
{
	struct slot_info is[16];
	size_t n = snapshot(is);

	for (size_t i = 0; i < n || was[i].size; i++)
		ck_assert_msg(was[i].id == is[i].id && was[i].gpa == is[i].gpa && was[i].size == is[i].size &&
			      was[i].readonly == is[i].readonly && was[i].log == is[i].log &&
			      !strcmp(was[i].backing, is[i].backing), "after %s slot %u is not as it was", after, was[i].id);
}

#define OK(call) ck_assert_msg((call) == 0, "%s", err.msg)

static void add_spec(struct slot_spec spec)
{
	OK(machine_slot_add(m, &spec, &note, &err));
}
#define ADD(...) add_spec((struct slot_spec){ __VA_ARGS__ })

static void put_u32(uint64_t gpa, uint32_t v)
{
	ck_assert_uint_eq(machine_phys_write(m, gpa, &v, sizeof(v), &err), sizeof(v));
}

static void stop_now(void)
{
	machine_stop(m);
	guest_wait();
}

/* Lets the guest run until it has gone round several times. */
static void run_a_while(void)
{
	uint32_t was = guest_u32(0x504);

	guest_continue();
	while (guest_u32(0x504) - was < 20)
		guest_run_on();
	stop_now();
	ck_assert_uint_eq(stop.reason, STOP_REQUEST);
}

static void make_file(char *name, const char *last, size_t size)
{
	int fd;

	snprintf(name, 64, "%s/%s", dir, last);
	fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
	ck_assert_int_ge(fd, 0);
	for (size_t i = 0; i < size / 4096; i++)
		ck_assert_int_eq(pwrite(fd, &(uint32_t){ 0x1000 + (uint32_t)i }, 4, (off_t)(i * 4096)), 4);
	ck_assert_int_eq(ftruncate(fd, (off_t)size), 0);
	close(fd);
}

static uint32_t file_u32(const char *name, off_t at)
{
	int fd = open(name, O_RDONLY);
	uint32_t v = 0;

	ck_assert_int_eq(pread(fd, &v, 4, at), 4);
	close(fd);
	return v;
}

static void setup(void)
{
	fail_at = -1;
	strcpy(dir + strlen(dir) - 6, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	make_file(path, "data", 16 * 4096);
	GUEST_START(user, 0x7c00, BOOT_PROTECTED, 1);
}

static void teardown(void)
{
	guest_end();
	unlink(path);
	if (*path2)
		unlink(path2);
	rmdir(dir);
}

#define S(id_, gpa_, size_, kind, ...) { .id = id_, .gpa = gpa_, .size = size_, .backing = kind, __VA_ARGS__ }

/* Beside RAM at 0-0xffffff (slot 0): slot 5 at AT, four pages, and slot 6, its alias at OTHER. */
static const struct {
	struct slot_spec spec;
	int rc;
	const char *says;
} refused[] = {
	{ S(7, AT + 0x10000, 0x800, SLOT_ANON), -EINVAL, "multiples" },
	{ S(7, AT + 0x10800, 0x1000, SLOT_ANON), -EINVAL, "multiples" },
	{ S(7, AT + 0x10000, 0, SLOT_ANON), -EINVAL, "multiples" },
	{ S(7, UINT64_MAX - 0xfff, 0x1000, SLOT_ANON), -EINVAL, "address bits" },
	{ S(7, UINT64_MAX - 0xfff, 0x2000, SLOT_ANON), -EINVAL, "address bits" },
	{ S(7, 1ull << 62, 0x1000, SLOT_ANON), -EINVAL, "address bits" },
	{ S(40000, OTHER + 0x10000, 0x1000, SLOT_ANON), -EINVAL, "slots 0 to" },
	{ S(UINT32_MAX, OTHER + 0x10000, 0x1000, SLOT_ANON), -ENOTSUP, "KVM_CAP_MULTI_ADDRESS_SPACE" },
	{ S(5, OTHER + 0x10000, 0x1000, SLOT_ANON), -EEXIST, "slot 5 is in use (0x2000000-0x2003fff)" },
	{ S(7, AT, 0x1000, SLOT_ANON), -EEXIST, "slot 5 at 0x2000000-0x2003fff" },
	{ S(7, AT + 0x3000, 0x2000, SLOT_ANON), -EEXIST, "slot 5 at 0x2000000" },
	{ S(7, AT - 0x1000, 0x100000, SLOT_ANON), -EEXIST, "slot 5 at 0x2000000" },
	{ S(7, 0xfff000, 0x2000, SLOT_ANON), -EEXIST, "slot 0 at 0x0-0xffffff" },
	{ S(7, 0xfee00000, 0x1000, SLOT_ANON), -EEXIST, "local APIC" },
	{ S(7, 0xfec00000, 0x1000, SLOT_ANON), -EEXIST, "I/O APIC" },
	{ S(7, 0xfeffd000, 0x1000, SLOT_ANON), -EEXIST, "TSS" },
	{ S(7, 0xf0000000, 0x10000000, SLOT_ANON), -EEXIST, "0xfec00000-0xfec00fff" },
	{ S(7, AT + 0x10000, 0x1000, SLOT_ALIAS, .alias_of = 9), -ENOENT, "no slot 9" },
	{ S(7, AT + 0x10000, 0x1000, SLOT_ALIAS, .alias_of = 6), -EINVAL, "slot 6 is an alias itself" },
	{ S(7, AT + 0x10000, 0x2000, SLOT_ALIAS, .alias_of = 5, .offset = 0x3000), -EINVAL, "not all in slot 5" },
	{ S(7, AT + 0x10000, 0x1000, SLOT_ALIAS, .alias_of = 5, .offset = UINT64_MAX - 0xfff), -EINVAL, "not all in" },
	{ S(7, AT + 0x10000, 0x1000, SLOT_ALIAS, .alias_of = 5, .offset = 0x800), -EINVAL, "multiple" },
	{ S(7, AT + 0x10000, 0x1000, SLOT_HUGETLB, .huge_size = 2 << 20), -EINVAL, "multiple of the huge page" },
	{ S(7, 0x40000000, 0x200000, SLOT_HUGETLB, .huge_size = 1 << 30), -EINVAL, "multiple of the huge page" },
	{ S(7, 0x40000000, 0x200000, SLOT_HUGETLB, .huge_size = 1 << 21 | 1), -EINVAL, "2 MiB or 1 GiB" },
	{ S(7, AT + 0x10000, 0x1000, SLOT_FILE, .path = "/nonexistent/x"), -ENOENT, "/nonexistent/x" },
	{ S(7, AT + 0x10000, 0x1000, SLOT_FILE, .path = "/"), -EINVAL, "a directory" },
	{ S(7, AT + 0x10000, 0x1000, SLOT_FILE, .path = "/dev/zero"), -EINVAL, "a device" },
	{ S(7, AT + 0x10000, 0x11000, SLOT_FILE, .path = path), -EINVAL, "has 0x10000 bytes" },
	{ S(7, AT + 0x10000, 0x1000, SLOT_FILE, .path = path, .offset = 0x10000), -EINVAL, "has 0x10000 bytes" },
	{ S(7, AT + 0x10000, 0x1000, SLOT_FILE, .path = path, .offset = 0x2000000000000000), -EINVAL, "has 0x10000 bytes" },
	{ S(7, AT + 0x10000, 0x1000, SLOT_FILE, .path = path, .offset = 0x800), -EINVAL, "multiple" },
	/* A program that runs cannot be written, by root neither. */
	{ S(7, AT + 0x10000, 0x1000, SLOT_FILE, .path = "/proc/self/exe", .shared = true), -ETXTBSY, "file it can write" },
};

START_TEST(add_refusals)
{
	struct slot_info was[16];
	struct slot_note n = { "kept" };

	ADD(.id = 5, .gpa = AT, .size = 0x4000);
	ADD(.id = 6, .gpa = OTHER, .size = 0x4000, .backing = SLOT_ALIAS, .alias_of = 5);
	snapshot(was);
	fail_at = 0;    /* whatever reaches the kernel is seen */
	ck_assert_int_eq(machine_slot_add(m, &refused[_i].spec, &n, &err), refused[_i].rc);
	ck_assert_int_eq(fail_at, 0);
	ck_assert_msg(strstr(err.msg, refused[_i].says), "message: %s", err.msg);
	ck_assert_str_eq(n.text, "kept");
	fail_at = -1;
	assert_same(was, "a refused add");
	check_slots();
}
END_TEST

START_TEST(change_refusals)
{
	static const bool yes = true;
	struct slot_info was[16];
	unsigned id = 77;

	ADD(.id = 5, .gpa = AT, .size = 0x4000);
	ADD(.id = 6, .gpa = OTHER, .size = 0x4000, .backing = SLOT_ALIAS, .alias_of = 5);
	snapshot(was);
	fail_at = 0;
#define REFUSED(rc, says, call)                                                                                  \
	do {                                                                                                     \
		ck_assert_int_eq(call, rc);                                                                      \
		ck_assert_msg(strstr(err.msg, says), "message: %s", err.msg);                                    \
	} while (0)
	REFUSED(-ENOENT, "no slot 9", machine_slot_remove(m, 9, &note, &err));
	REFUSED(-ENOENT, "no slot 9", machine_slot_move(m, 9, 0, &note, &err));
	REFUSED(-ENOENT, "no slot 9", machine_slot_flags(m, 9, &yes, NULL, &err));
	REFUSED(-ENOENT, "no slot 9", machine_slot_split(m, 9, 0x1000, &id, &err));
	REFUSED(-ENOENT, "no slot 9", machine_slot_resize(m, 9, 0x1000, &err));
	REFUSED(-ENOENT, "no slot 9", machine_slot_discard(m, 9, 0, 0x1000, &err));
	REFUSED(-ENOENT, "no slot 9", machine_slot_remap(m, 9, 0, 0x1000, path, 0, &err));
	REFUSED(-ENOENT, "no slot 9", machine_slot_save(m, 9, "/nonexistent/x", &err));
	REFUSED(-EEXIST, "slot 6 at 0x3000000-0x3003fff", machine_slot_move(m, 5, OTHER + 0x1000, &note, &err));
	REFUSED(-EEXIST, "local APIC", machine_slot_move(m, 5, 0xfedfd000, &note, &err));
	REFUSED(-EINVAL, "multiples", machine_slot_move(m, 5, AT + 4, &note, &err));
	REFUSED(-EINVAL, "address bits", machine_slot_move(m, 5, 1ull << 60, &note, &err));
	REFUSED(-EINVAL, "can be cut", machine_slot_split(m, 5, 0, &id, &err));
	REFUSED(-EINVAL, "can be cut", machine_slot_split(m, 5, 0x4000, &id, &err));
	REFUSED(-EINVAL, "can be cut", machine_slot_split(m, 5, 0x1800, &id, &err));
	REFUSED(-EINVAL, "multiples", machine_slot_resize(m, 5, 0, &err));
	REFUSED(-EEXIST, "slot 6", machine_slot_resize(m, 5, OTHER - AT + 0x1000, &err));
	REFUSED(-EBUSY, "shares its memory", machine_slot_resize(m, 5, 0x5000, &err));
	REFUSED(-EINVAL, "not all in", machine_slot_discard(m, 5, 0x3000, 0x2000, &err));
	REFUSED(-EINVAL, "multiples", machine_slot_discard(m, 5, 0x800, 0x1000, &err));
	REFUSED(-EINVAL, "multiples", machine_slot_discard(m, 5, 0, 0, &err));
	REFUSED(-EINVAL, "not all in", machine_slot_remap(m, 5, UINT64_MAX - 0xfff, 0x2000, path, 0, &err));
	REFUSED(-EINVAL, "has 0x10000 bytes", machine_slot_remap(m, 5, 0, 0x4000, path, 0xd000, &err));
	REFUSED(-EINVAL, "a directory", machine_slot_remap(m, 5, 0, 0x4000, dir, 0, &err));
	REFUSED(-EEXIST, "exists", machine_slot_save(m, 5, path, &err));
	REFUSED(-ENOENT, "/nonexistent/x", machine_slot_save(m, 5, "/nonexistent/x", &err));
	ck_assert_int_eq(fail_at, 0);
	fail_at = -1;
	ck_assert_uint_eq(id, 77);
	assert_same(was, "refused changes");
	check_slots();

	/* Not while it runs; but while it is held. */
	guest_continue();
	REFUSED(-EBUSY, "", machine_slot_remove(m, 5, &note, &err));
	OK(machine_hold(m, &err));
	OK(machine_slot_remove(m, 5, &note, &err));
	machine_release(m);
	stop_now();
	check_slots();
}
END_TEST

START_TEST(huge_pages)
{
	struct slot_spec s = { .id = 3, .gpa = AT, .size = 2 << 20, .backing = SLOT_HUGETLB, .huge_size = 2 << 20 };
	int r = machine_slot_add(m, &s, &note, &err);

	if (r) {        /* none reserved on this host */
		ck_assert_int_eq(r, -ENOMEM);
		ck_assert_msg(strstr(err.msg, "/proc/sys/vm/nr_hugepages"), "message: %s", err.msg);
		ck_assert_uint_eq(slot_count(), 1);
	} else {
		run_a_while();
		ck_assert_str_eq(slot(3).backing, "hugetlb:2M");
		ck_assert(slot(3).huge_aligned);
	}
	check_slots();
}
END_TEST

/* Every kind of memory, read and written by the guest. */
START_TEST(backings)
{
	static const bool ro = true;

	ADD(.id = 1, .gpa = AT, .size = 0x5000, .backing = _i ? SLOT_MEMFD : SLOT_ANON);
	ck_assert(slot(1).huge_aligned);
	ck_assert_str_eq(slot(1).backing, _i ? "memfd" : "anon");
	put_u32(AT, 77);
	run_a_while();
	ck_assert_uint_eq(guest_u32(0x500), 77);
	ck_assert_uint_ge(guest_u32(AT + 4), 20);

	/* The same memory twice. */
	ADD(.id = 2, .gpa = OTHER, .size = 0x1000, .backing = SLOT_ALIAS, .alias_of = 1);
	ck_assert_str_eq(slot(2).backing, "alias:1+0x0");
	put_u32(OTHER, 78);
	run_a_while();
	ck_assert_uint_eq(guest_u32(0x500), 78);
	ck_assert_uint_eq(guest_u32(AT + 4), guest_u32(OTHER + 4));
	OK(machine_slot_remove(m, 1, &note, &err));
	ck_assert_uint_eq(guest_u32(OTHER), 78);
	ck_assert_msg(!strcmp(slot(2).backing, "alias (what was slot 1)"), "%s", slot(2).backing);
	check_slots();

	/* Nobody there reads as ones; a new slot as zero. */
	run_a_while();
	ck_assert_uint_eq(guest_u32(0x500), UINT32_MAX);
	ADD(.id = 1, .gpa = AT, .size = 0x5000, .backing = _i ? SLOT_MEMFD : SLOT_ANON);
	run_a_while();
	ck_assert_uint_eq(guest_u32(0x500), 0);

	/* Writes to read-only memory go nowhere. */
	OK(machine_slot_flags(m, 1, NULL, &ro, &err));
	put_u32(AT + 4, 1);
	run_a_while();
	ck_assert_uint_eq(guest_u32(AT + 4), 1);
	check_slots();
}
END_TEST

START_TEST(files)
{
	static const bool rw = false;

	ADD(.id = 1, .gpa = AT, .size = 0x3000, .backing = SLOT_FILE, .path = path, .offset = 0x2000, .shared = true);
	ADD(.id = 2, .gpa = OTHER, .size = 0x3000, .backing = SLOT_FILE, .path = path, .offset = 0x5000);
	ck_assert_ptr_nonnull(strstr(slot(1).backing, "/data@0x2000 shared"));
	ck_assert_ptr_nonnull(strstr(slot(2).backing, "/data@0x5000 private"));
	run_a_while();
	ck_assert_uint_eq(guest_u32(0x500), 0x1002);
	ck_assert_uint_ge(file_u32(path, 0x2004), 20);
	ck_assert_uint_eq(guest_u32(OTHER), 0x1005);
	put_u32(OTHER, 5);
	ck_assert_uint_eq(file_u32(path, 0x5000), 0x1005);

	/* A trap in a shared file is not left there. */
	OK(guest_break(BREAK_OWNER_GDB, BREAK_SOFT, AT + 0x1000));
	OK(machine_slot_remove(m, 1, &note, &err));
	ck_assert_uint_eq(file_u32(path, 0x3000), 0x1003);

	/* One that cannot be written, for a read-only slot; it stays that. */
	ADD(.id = 3, .gpa = AT, .size = 0x1000, .backing = SLOT_FILE, .path = "/proc/self/exe", .shared = true,
	    .readonly = true);
	ck_assert_int_eq(machine_slot_flags(m, 3, NULL, &rw, &err), -EACCES);
	run_a_while();
	ck_assert_uint_eq(guest_u32(0x500), 0x464c457f);
	put_u32(AT, 1);
	check_slots();
}
END_TEST

START_TEST(moves_and_notes)
{
	struct slot_info i;

	ADD(.id = 1, .gpa = OTHER, .size = 3 * MIB, .backing = SLOT_ANON);
	ck_assert_str_eq(note.text, "");
	put_u32(OTHER, 42);
	put_u32(OTHER + 3 * MIB - 4, 43);
	put_u32(OTHER + 0x2000, 0x11223344);
	OK(guest_break(BREAK_OWNER_GDB, BREAK_SOFT, OTHER + 0x2000));
	OK(machine_slot_move(m, 1, OTHER + 0x1000, &note, &err));        /* onto itself, in part */
	ck_assert_ptr_nonnull(strstr(note.text, "no large pages"));
	ck_assert(!slot(1).huge_aligned);
	/* The trap was not moved with it. */
	ck_assert_uint_eq(guest_u32(OTHER + 0x3000), 0x11223344);
	guest_continue();
	for (unsigned n = 0; n < 20; n++) {
		OK(machine_hold(m, &err));
		OK(machine_slot_move(m, 1, n % 2 ? OTHER : AT, &note, &err));
		check_slots();
		machine_release(m);
		machine_poll(m, 0);
	}
	stop_now();
	OK(machine_slot_move(m, 1, AT, &note, &err));
	ck_assert_str_eq(note.text, "");
	run_a_while();
	ck_assert_uint_eq(guest_u32(0x500), 42);
	ck_assert_uint_eq(guest_u32(AT + 3 * MIB - 4), 43);
	i = slot(1);
	ck_assert_uint_eq(i.gpa, AT);
	ck_assert_uint_eq(guest_u32(AT + 0x2000), 0x11223344);
	check_slots();
}
END_TEST

START_TEST(splits_and_sizes)
{
	unsigned high = 0;

	ADD(.id = 1, .gpa = AT, .size = 0x5000, .backing = _i ? SLOT_MEMFD : SLOT_ANON);
	for (unsigned i = 0; i < 5; i++)
		put_u32(AT + i * 0x1000, i + 1);
	OK(machine_slot_split(m, 1, 0x3000, &high, &err));
	ck_assert_uint_eq(high, 2);
	ck_assert_uint_eq(slot(1).size, 0x3000);
	ck_assert_uint_eq(slot(2).gpa, AT + 0x3000);
	ck_assert_uint_eq(slot(2).size, 0x2000);
	OK(machine_slot_move(m, 2, OTHER, &note, &err));
	ck_assert_uint_eq(guest_u32(OTHER + 0x1000), 5);
	check_slots();
	OK(machine_slot_remove(m, 2, &note, &err));

	/* Smaller, then larger: what comes is zero. */
	OK(machine_slot_resize(m, 1, 0x2000, &err));
	run_a_while();
	OK(machine_slot_resize(m, 1, 0x700000, &err));
	check_slots();
	ck_assert_uint_eq(guest_u32(AT), 1);
	ck_assert_uint_eq(guest_u32(AT + 0x1000), 2);
	for (unsigned i = 2; i < 0x700; i++)
		ck_assert_uint_eq(guest_u32(AT + i * 0x1000), 0);
	put_u32(AT, 9);
	run_a_while();
	ck_assert_uint_eq(guest_u32(0x500), 9);
}
END_TEST

START_TEST(discard_and_remap)
{
	ADD(.id = 1, .gpa = AT, .size = 0x5000, .backing = _i ? SLOT_MEMFD : SLOT_ANON);
	put_u32(AT, 1);
	put_u32(AT + 0x1000, 2);
	run_a_while();
	OK(machine_slot_discard(m, 1, 0, 0x1000, &err));
	ck_assert_uint_eq(guest_u32(AT), 0);
	ck_assert_uint_eq(guest_u32(AT + 0x1000), 2);
	run_a_while();
	ck_assert_uint_eq(guest_u32(0x500), 0);
	OK(machine_slot_remap(m, 1, 0, 0x1000, path, 0x7000, &err));
	run_a_while();
	ck_assert_uint_eq(guest_u32(0x500), 0x1007);
	ck_assert_uint_eq(file_u32(path, 0x7004), 0);
	ck_assert_int_eq(machine_slot_resize(m, 1, 0x6000, &err), -ENOTSUP);
	OK(machine_slot_discard(m, 1, 0, 0x5000, &err));
	ck_assert_uint_eq(guest_u32(AT), 0x1007);
	ck_assert_uint_eq(guest_u32(AT + 0x1000), 0);
	check_slots();
}
END_TEST

/* Whichever call to the kernel fails: everything is as before. */
START_TEST(failures_undo)
{
	static const bool yes = true, no = false;
	static const char *const names[] = { "add", "remove", "move", "log", "ro", "both", "split", "shrink", "grow", "nolog" };
	struct slot_spec spec = { .id = 9, .gpa = OTHER, .size = 0x1000, .log = true };
	struct slot_info was[16];
	unsigned n, id;
	int r;

	ADD(.id = 1, .gpa = AT, .size = 0x5000, .backing = SLOT_MEMFD, .log = _i == 9 || _i == 8);
	for (n = 0;; n++) {
		put_u32(AT, 1000 + n);
		put_u32(AT + 0x4000, 2000 + n);
		snapshot(was);
		fail_at = (int)n;
		failed = false;
		switch (_i) {
		case 0: r = machine_slot_add(m, &spec, &note, &err); break;
		case 1: r = machine_slot_remove(m, 1, &note, &err); break;
		case 2: r = machine_slot_move(m, 1, OTHER, &note, &err); break;
		case 3: r = machine_slot_flags(m, 1, &yes, NULL, &err); break;
		case 4: r = machine_slot_flags(m, 1, NULL, &yes, &err); break;
		case 5: r = machine_slot_flags(m, 1, &yes, &yes, &err); break;
		case 6: r = machine_slot_split(m, 1, 0x2000, &id, &err); break;
		case 7: r = machine_slot_resize(m, 1, 0x2000, &err); break;
		case 8: r = machine_slot_resize(m, 1, 0x9000, &err); break;
		default: r = machine_slot_flags(m, 1, &no, NULL, &err); break;
		}
		fail_at = -1;
		if (!failed)
			break;
		ck_assert_msg(r < 0, "%s succeeded although call %u failed", names[_i], n);
		ck_assert_msg(strstr(err.msg, "KVM_SET_USER_MEMORY_REGION"), "message: %s", err.msg);
		assert_same(was, names[_i]);
		check_slots();
		ck_assert_uint_eq(guest_u32(AT), 1000 + n);
		ck_assert_uint_eq(guest_u32(AT + 0x4000), 2000 + n);
		run_a_while();
		ck_assert_uint_eq(guest_u32(0x500), 1000 + n);
	}
	ck_assert_msg(r == 0, "%s", err.msg);
	ck_assert_uint_ge(n, 1);
	check_slots();
}
END_TEST

START_TEST(dirty_pages_survive)
{
	static const bool yes = true;
	struct dirty_map map;
	unsigned high;

	ADD(.id = 1, .gpa = OTHER, .size = 0x5000, .log = true);
	put_u32(OTHER + 0x1000, 1);
	OK(machine_slot_move(m, 1, AT, &note, &err));
	run_a_while();
	put_u32(AT + 0x4000, 1);
	OK(machine_slot_split(m, 1, 0x3000, &high, &err));
	ck_assert(slot(high).log);
	OK(machine_dirty_read(m, 1, DIRTY_USER, true, &map, &err));
	ck_assert_uint_eq(map.pages, 3);
	ck_assert_uint_eq(map.bits[0], 3);      /* the guest's, and ours */
	free(map.bits);
	OK(machine_dirty_read(m, high, DIRTY_USER, true, &map, &err));
	ck_assert_uint_eq(map.bits[0], 2);
	free(map.bits);
	/* What the guest wrote before a change is not lost by it. */
	run_a_while();
	OK(machine_slot_flags(m, 1, NULL, &yes, &err));
	OK(machine_slot_resize(m, 1, 0x2000, &err));
	OK(machine_dirty_read(m, 1, DIRTY_USER, true, &map, &err));
	ck_assert_uint_eq(map.pages, 2);
	ck_assert_uint_eq(map.bits[0], 1);
	free(map.bits);
	/* What is thrown away has changed. */
	OK(machine_slot_discard(m, 1, 0x1000, 0x1000, &err));
	OK(machine_dirty_read(m, 1, DIRTY_USER, true, &map, &err));
	ck_assert_uint_eq(map.bits[0], 2);
	free(map.bits);
	check_slots();
}
END_TEST

START_TEST(running_code_removed)
{
	OK(machine_slot_remove(m, 0, &note, &err));
	ck_assert_msg(strstr(note.text, "pc 0x7c00"), "note: %s", note.text);
	ck_assert_uint_eq(slot_count(), 0);
	check_slots();
	guest_continue();
	guest_wait();
	ck_assert_msg(stop.reason == STOP_ERROR || stop.reason == STOP_TRIPLE_FAULT, "reason %d", stop.reason);
	ck_assert(*stop.text);

	/* A reset brings back what was. */
	OK(machine_reset(m, &err));
	guest_wait();
	ck_assert_uint_eq(slot(0).size, 16 * MIB);
	run_a_while();
	check_slots();
}
END_TEST

START_TEST(reset_restores)
{
	unsigned high;

	OK(guest_break(BREAK_OWNER_GDB, BREAK_SOFT, 0x7c10));
	put_u32(0x8000, 5);
	OK(machine_slot_split(m, 0, MIB, &high, &err));
	OK(machine_slot_move(m, 0, AT, &note, &err));
	ADD(.id = 7, .gpa = 0, .size = 0x10000, .backing = SLOT_FILE, .path = path, .shared = true);
	OK(machine_reset(m, &err));
	guest_wait();
	ck_assert_uint_eq(slot_count(), 1);
	ck_assert_uint_eq(slot(0).size, 16 * MIB);
	ck_assert_str_eq(slot(0).label, "ram");
	ck_assert_uint_eq(guest_u32(0x8000), 0);
	ck_assert_uint_eq(file_u32(path, 0x7c10 & ~3), 0);
	check_slots();
	guest_continue();
	guest_wait();
	ck_assert_uint_eq(stop.reason, STOP_BREAKPOINT);
	ck_assert_uint_eq(stop.pc, 0x7c10);
}
END_TEST

/* RAM that was changed beneath is cleared all the same, and its log tells of it. */
START_TEST(reset_clears)
{
	static const bool yes = true;
	struct dirty_map map;

	OK(machine_slot_remap(m, 0, 0x10000, 0x1000, path, 0x7000, &err));
	ck_assert_uint_eq(guest_u32(0x10000), 0x1007);
	OK(machine_reset(m, &err));
	guest_wait();
	ck_assert_uint_eq(guest_u32(0x10000), 0);

	OK(machine_slot_flags(m, 0, &yes, NULL, &err));
	put_u32(0x20000, 1);
	OK(machine_dirty_read(m, 0, DIRTY_USER, true, &map, &err));
	ck_assert_uint_eq(map.dirty, 1);
	free(map.bits);
	OK(machine_reset(m, &err));
	guest_wait();
	ck_assert_uint_eq(guest_u32(0x20000), 0);
	OK(machine_dirty_read(m, 0, DIRTY_USER, true, &map, &err));
	ck_assert_uint_eq(map.dirty, 16 * MIB / 4096);
	free(map.bits);
	check_slots();
}
END_TEST

START_TEST(save)
{
	struct stat st;

	snprintf(path2, sizeof(path2), "%s/saved", dir);
	put_u32(0x7c20, 0x12345678);
	put_u32(0xfffffc, 7);
	OK(guest_break(BREAK_OWNER_GDB, BREAK_SOFT, 0x7c20));
	OK(machine_slot_save(m, 0, path2, &err));
	ck_assert_int_eq(stat(path2, &st), 0);
	ck_assert_uint_eq(st.st_size, 16 * MIB);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	ck_assert_uint_eq(file_u32(path2, 0x7c20), 0x12345678);
	ck_assert_uint_eq(file_u32(path2, 0xfffffc), 7);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("slots");
	TCase *t = tcase_create("slots");

	if (guest_no_kvm())
		return unit_skip_all("/dev/kvm cannot be opened");
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, add_refusals, 0, sizeof(refused) / sizeof(refused[0]));
	tcase_add_test(t, change_refusals);
	tcase_add_test(t, huge_pages);
	tcase_add_loop_test(t, backings, 0, 2);
	tcase_add_test(t, files);
	tcase_add_test(t, moves_and_notes);
	tcase_add_loop_test(t, splits_and_sizes, 0, 2);
	tcase_add_loop_test(t, discard_and_remap, 0, 2);
	tcase_add_loop_test(t, failures_undo, 0, 10);
	tcase_add_test(t, dirty_pages_survive);
	tcase_add_test(t, running_code_removed);
	tcase_add_test(t, reset_restores);
	tcase_add_test(t, reset_clears);
	tcase_add_test(t, save);
	suite_add_tcase(s, t);
	return unit_main(s);
}
