/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Changes of memory slots that are refused, by us and by the real KVM: all is as it was, and a guest uses it. */
#include "tests/slots_rig.h"

#include <errno.h>
#include <string.h>

#include "kvm/kvm.h"
#include "tests/ioctl_own.h"
#include "tests/unit.h"

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

static void setup(void)
{
	fail_at = -1;
	slots_rig_init();
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

int main(void)
{
	Suite *s = suite_create("slots, refused");
	TCase *t = tcase_create("slots, refused");

	if (guest_no_kvm())
		return unit_skip_all("/dev/kvm cannot be opened");
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, slots_rig_done);
	tcase_add_loop_test(t, add_refusals, 0, sizeof(refused) / sizeof(refused[0]));
	tcase_add_test(t, change_refusals);
	tcase_add_loop_test(t, failures_undo, 0, 10);
	suite_add_tcase(s, t);
	return unit_main(s);
}
