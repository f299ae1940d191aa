/* SPDX-License-Identifier: GPL-3.0-or-later */
/* slot check, when the kernel really has something else: changed here behind the table's back. */
#include <string.h>

#include "kvm/machine_priv.h"
#include "tests/kvm_harness.h"
#include "tests/unit.h"

#define ID   5
#define GPA  0x4000000ull
#define SIZE 0x200000ull

GUEST(spin, "1: sti\n jmp 1b\n");

static unsigned faults;
static struct slot_fault last;

static void count(void *arg, const struct slot_fault *f)
{
	(void)arg;
	faults++;
	last = *f;
}

static void check(void)
{
	faults = 0;
	ck_assert_int_eq(machine_slot_check(m, count, NULL, &err), 0);
}

/* Sets the slot in the kernel alone. */
static void set_in_kernel(uint64_t gpa, uint64_t size, uint32_t flags)
{
	struct slot_info s;
	struct kvm_userspace_memory_region kr = { .slot = ID, .guest_phys_addr = gpa, .memory_size = size,
						  .flags = flags };

	ck_assert(machine_slot_list(m, 1, &s));
	ck_assert_uint_eq(s.id, ID);
	kr.userspace_addr = s.hva;
	ck_assert_int_eq(kvm_ioctl(machine_priv(m)->vm.kvm.vm_fd, KVM_SET_USER_MEMORY_REGION, &kr), 0);
}

static void setup(void)
{
	struct slot_spec spec = { .id = ID, .gpa = GPA, .size = SIZE, .backing = SLOT_MEMFD };
	struct slot_note note;

	GUEST_START(spin, 0x7c00, BOOT_REAL, 1);
	ck_assert_msg(machine_slot_add(m, &spec, &note, &err) == 0, "%s", err.msg);
	check();
	ck_assert_uint_eq(faults, 0);
}

static void one_fault(const char *text)
{
	check();
	ck_assert_uint_eq(faults, 1);
	ck_assert_uint_eq(last.id, ID);
	ck_assert_msg(strstr(last.text, text), "%s", last.text);
}

START_TEST(deleted)
{
	set_in_kernel(GPA, 0, 0);
	one_fault("no memory at 0x4000000-0x41fffff");
	guest_end();
}
END_TEST

START_TEST(moved)
{
	set_in_kernel(GPA + 0x1000, SIZE, 0);
	one_fault("no memory at");
	guest_end();
}
END_TEST

START_TEST(logged)
{
	set_in_kernel(GPA, SIZE, KVM_MEM_LOG_DIRTY_PAGES);
	one_fault("the kernel keeps a log");
	guest_end();
}
END_TEST

START_TEST(not_logged)
{
	const bool on = true;

	ck_assert_int_eq(machine_slot_flags(m, ID, &on, NULL, &err), 0);
	check();
	ck_assert_uint_eq(faults, 0);
	set_in_kernel(GPA, SIZE, 0);
	one_fault("logging is on");
	guest_end();
}
END_TEST

START_TEST(read_only)
{
	set_in_kernel(GPA, 0, 0);
	set_in_kernel(GPA, SIZE, KVM_MEM_READONLY);
	one_fault("other parameters");
	guest_end();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("slot_check");
	TCase *c = tcase_create("slot_check");

	if (guest_no_kvm())
		return unit_skip_all("/dev/kvm cannot be opened");
	tcase_add_checked_fixture(c, setup, NULL);
	tcase_set_timeout(c, 60);
	tcase_add_test(c, deleted);
	tcase_add_test(c, moved);
	tcase_add_test(c, logged);
	tcase_add_test(c, not_logged);
	tcase_add_test(c, read_only);
	suite_add_tcase(s, c);
	return unit_main(s);
}
