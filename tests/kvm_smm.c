/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The address space of system management mode on the real KVM.  A host whose KVM has one address space is to refuse a
 * second; each test's name says which of the two it is about.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kvm/kvm.h"
#include "tests/kvm_harness.h"
#include "tests/unit.h"

#define SMRAM   0x30000ull
#define SECOND  slot_id(1, 0)

GUEST(user, ".code32\n 1: jmp 1b\n");

static struct slot_note note;

static unsigned address_spaces(void)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC), n;

	n = kvm_ioctl_num(fd, KVM_CHECK_EXTENSION, KVM_CAP_MULTI_ADDRESS_SPACE);
	close(fd);
	return n > 0 ? (unsigned)n : 0;
}

static void on_fault(void *arg, const struct slot_fault *f)
{
	(void)arg;
	ck_abort_msg("slot %s: %s", slot_name(f->id).text, f->text);
}

static size_t slot_count(void)
{
	struct slot_info i;
	size_t n = 0;

	while (machine_slot_list(m, n, &i))
		n++;
	return n;
}

static struct slot_info slot(unsigned id)
{
	struct slot_info i;

	for (size_t n = 0; machine_slot_list(m, n, &i); n++)
		if (i.id == id)
			return i;
	ck_abort_msg("there is no slot %s", slot_name(id).text);
	return i;
}

#define OK(call) ck_assert_msg((call) == 0, "%s", err.msg)

static void add_spec(struct slot_spec spec)
{
	OK(machine_slot_add(m, &spec, &note, &err));
}
#define ADD(...) add_spec((struct slot_spec){ __VA_ARGS__ })

#define REFUSED(rc, part, ...) do { \
	ck_assert_int_eq(machine_slot_add(m, &(struct slot_spec){ __VA_ARGS__ }, &note, &err), rc); \
	ck_assert_msg(strstr(err.msg, part), "'%s' is not in: %s", part, err.msg); \
} while (0)

/* The bytes of slot ID at OFFSET: what no gpa that a person can name leads to. */
static uint8_t *bytes(unsigned id, uint64_t offset)
{
	return (uint8_t *)(uintptr_t)slot(id).hva + offset;
}

static void setup(void)
{
	GUEST_START(user, 0x7c00, BOOT_PROTECTED, 1);
}

static void check_slots(void)
{
	OK(machine_slot_check(m, on_fault, NULL, &err));
}

/* -- where there is one address space -- */

START_TEST(one_space_refuses)
{
	REFUSED(-ENOTSUP, "slot 1:0: this host's KVM has one address space (KVM_CAP_MULTI_ADDRESS_SPACE is",
		.id = SECOND, .gpa = SMRAM, .size = 0x1000);
	REFUSED(-ENOTSUP, "slot 7:3: this host's KVM has one address space", .id = slot_id(7, 3), .gpa = 1ull << 30,
		.size = 0x1000);
	ck_assert_int_eq(machine_slot_move(m, SECOND, SMRAM, &note, &err), -ENOENT);
	ck_assert_msg(strstr(err.msg, "no slot 1:0"), "%s", err.msg);
	ck_assert_uint_eq(slot_count(), 1);
	check_slots();
}
END_TEST

/* -- where there are two -- */

START_TEST(two_spaces_are_apart)
{
	unsigned upper;

	REFUSED(-ENOTSUP, "KVM_CAP_MULTI_ADDRESS_SPACE", .id = slot_id(2, 0), .gpa = SMRAM, .size = 0x1000);
	ADD(.id = SECOND, .gpa = SMRAM, .size = 0x10000);
	REFUSED(-EEXIST, "slot 1:9: 0x30000-0x30fff overlaps slot 1:0 at 0x30000-0x3ffff", .id = slot_id(1, 9),
		.gpa = SMRAM, .size = 0x1000);
	REFUSED(-EEXIST, "slot 1:9: 0xfee00000-0xfee00fff overlaps", .id = slot_id(1, 9), .gpa = 0xfee00000,
		.size = 0x1000);
	REFUSED(-EINVAL, "slots 0 to", .id = slot_id(1, 0xffff), .gpa = 0, .size = 0x1000);
	check_slots();

	/* What a person writes at the same gpa goes to the first space. */
	ck_assert_uint_eq(machine_phys_write(m, SMRAM, "\1", 1, &err), 1);
	ck_assert_uint_eq(*bytes(SECOND, 0), 0);
	*bytes(SECOND, 0) = 7;

	/* Every change keeps to its space, and the contents. */
	OK(machine_slot_split(m, SECOND, 0x8000, &upper, &err));
	ck_assert_uint_eq(upper, slot_id(1, 1));
	OK(machine_slot_move(m, SECOND, 0x100000, &note, &err));
	OK(machine_slot_flags(m, upper, NULL, &(bool){ true }, &err));
	OK(machine_slot_resize(m, upper, 0x4000, &err));
	ck_assert_uint_eq(slot(SECOND).gpa, 0x100000);
	ck_assert_uint_eq(*bytes(SECOND, 0), 7);
	ck_assert(slot(upper).readonly);
	ck_assert_uint_eq(slot(upper).size, 0x4000);
	ck_assert_int_eq(machine_dirty_who(m, SECOND, true, &err), -ENOTSUP);
	check_slots();

	/* An alias of the first space's memory, and the highest number. */
	ADD(.id = slot_id(1, 100), .gpa = 0x200000, .size = 0x1000, .backing = SLOT_ALIAS, .alias_of = 0,
	    .offset = SMRAM);
	ck_assert_uint_eq(*bytes(slot_id(1, 100), 0), 1);
	ck_assert_str_eq(slot(slot_id(1, 100)).backing, "alias:0+0x30000");
	ADD(.id = 100, .gpa = 0x4000000, .size = 0x1000);
	check_slots();
	OK(machine_slot_remove(m, upper, &note, &err));
	check_slots();
	ck_assert_uint_eq(slot_count(), 4);

	/* A reset leaves what the machine was made with. */
	OK(machine_reset(m, &err));
	guest_wait();
	ck_assert_uint_eq(slot_count(), 1);
	check_slots();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("smm");
	TCase *t = tcase_create("smm");

	if (guest_no_kvm())
		return unit_skip_all("/dev/kvm cannot be opened");
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, guest_end);
	if (address_spaces() > 1)
		tcase_add_test(t, two_spaces_are_apart);
	else
		tcase_add_test(t, one_space_refuses);
	suite_add_tcase(s, t);
	return unit_main(s);
}
