/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Memory slots on the real KVM. */
#include "tests/kvm_harness.h"
#include "tests/unit.h"

GUEST(count_loop, "1: incl 0x500\n sti\n jmp 1b\n");

START_TEST(starts)
{
	struct slot_info i;

	GUEST_START(count_loop, 0x7c00, BOOT_REAL, 1);
	ck_assert(machine_slot_list(m, 0, &i));
	ck_assert_str_eq(i.backing, "anon");
	guest_end();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("slots");
	TCase *t = tcase_create("slots");

	if (guest_no_kvm())
		return unit_skip_all("no /dev/kvm");
	tcase_add_test(t, starts);
	suite_add_tcase(s, t);
	return unit_main(s);
}
