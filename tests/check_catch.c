/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Catchpoints: which there may be, and which ports, memory, MSRs, resets and halts they catch. */
#include "tests/catch_rig.h"

#include <errno.h>
#include <string.h>

#include "tests/unit.h"

START_TEST(ids_are_never_given_twice)
{
	struct catch_info info;

	must_add(CATCH_PORT, 0x80, 0x80, ANY);
	ck_assert_uint_eq(id, 1);
	must_add(CATCH_RESET, 0, 0, 0);
	must_add(CATCH_MMIO, 0xd0000000, 0xd0000fff, CATCH_READ);
	ck_assert_uint_eq(id, 3);
	ck_assert_int_eq(catch_remove(t, 3, &err), 0);
	must_add(CATCH_HALT, 0, 0, 0);
	ck_assert_uint_eq(id, 4);
	ck_assert_int_eq(catch_remove(t, 1, &err), 0);
	ck_assert_int_eq(catch_remove(t, 1, &err), -ENOENT);
	ck_assert_str_eq(err.msg, "there is no catchpoint 1");
	ck_assert_int_eq(catch_remove(t, 0, &err), -ENOENT);
	ck_assert(catch_list(t, 0, &info));
	ck_assert_uint_eq(info.id, 2);
	ck_assert_int_eq(info.spec.kind, CATCH_RESET);
	ck_assert(catch_list(t, 1, &info));
	ck_assert_uint_eq(info.id, 4);
	ck_assert(!catch_list(t, 2, &info));
	ck_assert(!catch_has(t, CATCH_PORT) && !catch_has(t, CATCH_MMIO) && catch_has(t, CATCH_RESET));
	ck_assert(catch_exists(t, 2) && !catch_exists(t, 3));
}
END_TEST

START_TEST(as_many_as_4096)
{
	for (unsigned i = 0; i < CATCH_MAX; i++)
		must_add(CATCH_PORT, i + 0x1000, i + 0x1000, CATCH_WRITE);
	ck_assert_int_eq(add(CATCH_PORT, 0, 0, CATCH_WRITE), -ENOSPC);
	ck_assert_int_eq(catch_remove(t, 17, &err), 0);
	must_add(CATCH_PORT, 0, 0, CATCH_WRITE);
	ck_assert_uint_eq(id, CATCH_MAX + 1);
}
END_TEST

START_TEST(bad_specs)
{
	static const struct { struct catch_spec s; int code; const char *text; } bad[] = {
		{ { CATCH_KINDS, 0, 0, 0 }, -EINVAL, "catchpoints have no kind 10" },
		{ { (enum catch_kind)-1, 0, 0, 0 }, -EINVAL, "catchpoints have no kind -1" },
		{ { CATCH_PORT, 2, 1, ANY }, -EINVAL, "the range 0x2 to 0x1 ends before it begins" },
		{ { CATCH_PORT, 0, 0x10000, ANY }, -EINVAL, "there are no ports above 0xffff" },
		{ { CATCH_PORT, 0, 0, 0 }, -EINVAL, "this kind of catchpoint has no direction 0x0" },
		{ { CATCH_PORT, 0, 0, 4 | CATCH_READ }, -EINVAL, "this kind of catchpoint has no direction 0x5" },
		{ { CATCH_MMIO, 0, 0, 0 }, -EINVAL, NULL },
		{ { CATCH_SPECIAL, 0, 0, 0 }, -EINVAL, NULL },
		{ { CATCH_SPECIAL, 0, 0x100000000, ANY }, -EINVAL, "there are no MSRs above 0xffffffff" },
		{ { CATCH_SPECIAL, 0x10000, 0x12000, ANY }, -EINVAL, "a catchpoint takes at most 0x2000 MSRs" },
		{ { CATCH_SPECIAL, 0x7ff, 0x800, ANY }, -ENOTSUP,
		  "KVM does not show accesses to the x2APIC's MSRs, 0x800 to 0x8ff" },
		{ { CATCH_SPECIAL, 0x8ff, 0x900, ANY }, -ENOTSUP, NULL },
		{ { CATCH_SPECIAL, 0, 0x1fff, ANY }, -ENOTSUP, NULL },
		{ { CATCH_SPECIAL, 0xffffffff, 0xffffffff, ANY }, -ENOTSUP,
		  "KVM does not show accesses to MSR 0xffffffff" },
		{ { CATCH_EXCEPTION, 0, 256, 0 }, -EINVAL, "there are no vectors above 0xff" },
		{ { CATCH_EXCEPTION, 0, 0, ANY }, -EINVAL, NULL },
		{ { CATCH_UNCLAIMED, 0, 1, ANY }, -EINVAL, "this kind of catchpoint has no range" },
		{ { CATCH_UNCLAIMED, 0, 0, 8 }, -EINVAL, NULL },
		{ { CATCH_RESET, 1, 1, 0 }, -EINVAL, NULL },
		{ { CATCH_RESET, 0, 0, CATCH_READ }, -EINVAL, NULL },
		{ { CATCH_HALT, 0, 0, CATCH_READ }, -EINVAL, NULL },
		{ { CATCH_PORT, 0x20, 0x20, ANY }, -ENOTSUP,
		  "KVM's own interrupt controller answers there, and shows no access to it" },
		{ { CATCH_PORT, 0x40, 0x43, ANY }, -ENOTSUP,
		  "KVM's own timer answers there, and shows no access to it" },
		{ { CATCH_MMIO, 0xfee00300, 0xfee00303, ANY }, -ENOTSUP, NULL },
	};
	struct catch_info info;

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_int_eq(catch_add(t, &bad[i].s, &id, &err), bad[i].code);
		if (bad[i].text)
			ck_assert_str_eq(err.msg, bad[i].text);
		ck_assert(!catch_list(t, 0, &info));
		ck_assert_uint_eq(id, 0);
	}
	ck_assert_uint_eq(kvm.filters, 0);
	/* Their edges are fine. */
	must_add(CATCH_PORT, 0, 0xffff, ANY);
	must_add(CATCH_PORT, 0x1f, 0x20, ANY);
	must_add(CATCH_MMIO, 0, UINT64_MAX, CATCH_READ);
	must_add(CATCH_SPECIAL, 0x10000, 0x11fff, ANY);
	must_add(CATCH_SPECIAL, 0x7ff, 0x7ff, ANY);
	must_add(CATCH_SPECIAL, 0x900, 0x900, ANY);
	must_add(CATCH_SPECIAL, 0xfffffffe, 0xfffffffe, ANY);
	must_add(CATCH_EXCEPTION, 0, 255, 0);
	must_add(CATCH_UNCLAIMED, 0, 0, 0);
	must_add(CATCH_UNCLAIMED, 0, 0, CATCH_READ);
	ck_assert_uint_eq(id, 10);
}
END_TEST

/* Carries out an access with VALUE and returns the id of what catches it first; 0: nothing. */
static unsigned hit(enum catch_kind kind, bool write, uint64_t addr, unsigned size, uint64_t value, bool claimed)
{
	struct catch_access a;
	uint8_t data[8];

	memcpy(data, &value, sizeof(data));
	ev = (struct stop_event){ 0 };
	a = (struct catch_access){ .kind = kind, .addr = addr, .write = write, .size = size, .count = 1, .data = data,
				   .claimed = claimed };
	return catch_match(t, &a, &ev) ? ev.catch_id : 0;
}

START_TEST(port_ranges_and_directions)
{
	ck_assert_uint_eq(hit(CATCH_PORT, true, 0x3f8, 1, 0, true), 0);
	must_add(CATCH_PORT, 0x3f8, 0x3ff, CATCH_WRITE);
	ck_assert_uint_eq(hit(CATCH_PORT, true, 0x3f8, 1, 0x41, true), 1);
	ck_assert_int_eq(ev.reason, STOP_CATCH);
	ck_assert_str_eq(ev.text, "out 0x3f8, 1 byte: 0x41");
	ck_assert_uint_eq(hit(CATCH_PORT, true, 0x3ff, 1, 0, true), 1);
	ck_assert_uint_eq(hit(CATCH_PORT, true, 0x3f7, 1, 0, true), 0);
	ck_assert_uint_eq(hit(CATCH_PORT, true, 0x400, 1, 0, true), 0);
	/* Accesses that only reach into it. */
	ck_assert_uint_eq(hit(CATCH_PORT, true, 0x3f7, 2, 0x1234, true), 1);
	ck_assert_str_eq(ev.text, "out 0x3f7, 2 bytes: 0x1234");
	ck_assert_uint_eq(hit(CATCH_PORT, true, 0x3f4, 4, 0, true), 0);
	ck_assert_uint_eq(hit(CATCH_PORT, true, 0x3f5, 4, 0, true), 1);
	ck_assert_uint_eq(hit(CATCH_PORT, false, 0x3f8, 1, 0, true), 0);
	ck_assert_uint_eq(hit(CATCH_MMIO, true, 0x3f8, 1, 0, true), 0);
	must_add(CATCH_PORT, 0x3f8, 0x3f8, CATCH_READ);
	ck_assert_uint_eq(hit(CATCH_PORT, false, 0x3f8, 4, 0x77665544, true), 2);
	ck_assert_str_eq(ev.text, "in 0x3f8, 4 bytes: 0x77665544");
	must_add(CATCH_PORT, 0x60, 0x60, ANY);
	ck_assert_uint_eq(hit(CATCH_PORT, false, 0x60, 1, 0, true), 3);
	ck_assert_uint_eq(hit(CATCH_PORT, true, 0x60, 1, 0, true), 3);
}
END_TEST

START_TEST(strings)
{
	uint8_t data[512];
	struct catch_access a = { .kind = CATCH_PORT, .addr = 0x1f0, .size = 2, .count = 3, .data = data };

	for (unsigned i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)i;
	must_add(CATCH_PORT, 0x1f1, 0x1f1, ANY);
	ck_assert(catch_match(t, &a, &ev));
	ck_assert_str_eq(ev.text, "in 0x1f0, 2 bytes, 3 times: 0x100 0x302 0x504");
	a.count = 256;
	ev.catch_id = 0;
	ck_assert(catch_match(t, &a, &ev));
	ck_assert_str_eq(ev.text, "in 0x1f0, 2 bytes, 256 times: 0x100 0x302 0x504 0x706 0x908 0xb0a 0xd0c 0xf0e ...");
	a.count = 0;
	ev.catch_id = 0;
	ck_assert(catch_match(t, &a, &ev));
}
END_TEST

START_TEST(mmio_up_to_the_end)
{
	must_add(CATCH_MMIO, UINT64_MAX - 3, UINT64_MAX, CATCH_READ);
	ck_assert_uint_eq(hit(CATCH_MMIO, false, UINT64_MAX - 7, 4, 0, true), 0);
	ck_assert_uint_eq(hit(CATCH_MMIO, false, UINT64_MAX - 7, 8, UINT64_MAX, true), 1);
	ck_assert_str_eq(ev.text, "read 0xfffffffffffffff8, 8 bytes: 0xffffffffffffffff");
	ck_assert_uint_eq(hit(CATCH_MMIO, false, UINT64_MAX, 4, 0, true), 1);
	ck_assert_uint_eq(hit(CATCH_MMIO, false, 0, 8, 0, true), 0);
	must_add(CATCH_MMIO, 0xd0000000, 0xd0000000, CATCH_WRITE);
	ck_assert_uint_eq(hit(CATCH_MMIO, true, 0xd0000000, 4, 0x1234, true), 2);
	ck_assert_str_eq(ev.text, "write 0xd0000000, 4 bytes: 0x1234");
}
END_TEST

START_TEST(unclaimed)
{
	must_add(CATCH_UNCLAIMED, 0, 0, 0);
	ck_assert_uint_eq(hit(CATCH_PORT, true, 0x80, 1, 5, true), 0);
	ck_assert_uint_eq(hit(CATCH_PORT, true, 0x80, 1, 5, false), 1);
	ck_assert_str_eq(ev.text, "unclaimed out 0x80, 1 byte: 0x5");
	ck_assert_uint_eq(hit(CATCH_MMIO, false, 0xd0000000, 4, 0xffffffff, false), 1);
	ck_assert_str_eq(ev.text, "unclaimed read 0xd0000000, 4 bytes: 0xffffffff");
	ck_assert_uint_eq(hit(CATCH_SPECIAL, false, 0x10, 8, 0, false), 0);
	ck_assert_int_eq(catch_remove(t, 1, &err), 0);
	must_add(CATCH_UNCLAIMED, 0, 0, CATCH_WRITE);
	ck_assert_uint_eq(hit(CATCH_PORT, false, 0x80, 1, 5, false), 0);
	ck_assert_uint_eq(hit(CATCH_PORT, true, 0x80, 1, 5, false), 2);
}
END_TEST

/* The caller asks on when a filter has no use for one. */
START_TEST(all_that_match_in_turn)
{
	uint8_t b = 0;
	struct catch_access a = { .kind = CATCH_PORT, .addr = 0x80, .write = true, .size = 1, .count = 1, .data = &b };
	struct catch_info info;

	must_add(CATCH_PORT, 0, 0xff, CATCH_WRITE);
	must_add(CATCH_PORT, 0, 0xff, CATCH_READ);
	must_add(CATCH_UNCLAIMED, 0, 0, 0);
	must_add(CATCH_PORT, 0x80, 0x80, ANY);
	for (unsigned want = 1; want <= 4; want += want == 1 ? 2 : 1) {
		ck_assert(catch_match(t, &a, &ev));
		ck_assert_uint_eq(ev.catch_id, want);
	}
	ck_assert(!catch_match(t, &a, &ev));
	ck_assert_uint_eq(ev.catch_id, 4);
	catch_count(t, 4);
	catch_count(t, 4);
	catch_count(t, 99);
	catch_list(t, 3, &info);
	ck_assert_uint_eq(info.hits, 2);
	catch_list(t, 0, &info);
	ck_assert_uint_eq(info.hits, 0);
}
END_TEST

static void filter_is(unsigned i, uint32_t base, uint32_t count, unsigned flags)
{
	const struct kvm_msr_filter_range *r = &kvm.filter.ranges[i];

	ck_assert_uint_eq(r->base, base);
	ck_assert_uint_eq(r->nmsrs, count);
	ck_assert_uint_eq(r->flags, flags);
	for (unsigned n = 0; n < (count + 7) / 8; n++)
		ck_assert_uint_eq(r->bitmap[n], 0);
}

START_TEST(msr_filters)
{
	must_add(CATCH_SPECIAL, 0xc0000080, 0xc0000084, CATCH_WRITE);
	ck_assert_uint_eq(kvm.filters, 1);
	ck_assert_uint_eq(kvm.filter.flags, KVM_MSR_FILTER_DEFAULT_ALLOW);
	ck_assert_uint_eq(kvm.exit_reasons, KVM_MSR_EXIT_REASON_FILTER);
	filter_is(0, 0xc0000080, 5, KVM_MSR_FILTER_WRITE);
	ck_assert_uint_eq(kvm.filter.ranges[1].nmsrs, 0);
	/* Overlapping and adjacent ones of a direction come together; others do not. */
	must_add(CATCH_SPECIAL, 0xc0000083, 0xc0000090, CATCH_WRITE);
	must_add(CATCH_SPECIAL, 0xc0000091, 0xc0000091, CATCH_WRITE);
	must_add(CATCH_SPECIAL, 0xc0000081, 0xc0000082, CATCH_WRITE);
	must_add(CATCH_SPECIAL, 0xc0000093, 0xc0000093, CATCH_WRITE);
	must_add(CATCH_SPECIAL, 0xc0000092, 0xc0000092, CATCH_READ);
	must_add(CATCH_SPECIAL, 0x10, 0x10, ANY);
	filter_is(0, 0xc0000092, 1, KVM_MSR_FILTER_READ);
	filter_is(1, 0xc0000080, 0x12, KVM_MSR_FILTER_WRITE);
	filter_is(2, 0xc0000093, 1, KVM_MSR_FILTER_WRITE);
	filter_is(3, 0x10, 1, KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE);
	ck_assert_uint_eq(kvm.filter.ranges[4].nmsrs, 0);
	for (unsigned i = 1; i <= 7; i++)
		ck_assert_int_eq(catch_remove(t, i, &err), 0);
	ck_assert_uint_eq(kvm.filter.ranges[0].nmsrs, 0);
	ck_assert_uint_eq(kvm.exit_reasons, 0);
}
END_TEST

/* What comes together stays within one of KVM's bitmaps. */
START_TEST(msr_filters_are_bounded)
{
	for (unsigned i = 0; i < 5; i++)
		must_add(CATCH_SPECIAL, 0x10000 + i * 0x2000, 0x10000 + i * 0x2000 + 0x1fff, CATCH_READ);
	for (unsigned i = 0; i < 5; i++)
		filter_is(i, 0x10000 + i * 0x2000, 0x2000, KVM_MSR_FILTER_READ);
	must_add(CATCH_SPECIAL, 0x11000, 0x12fff, CATCH_READ);
	filter_is(0, 0x10000, 0x3000, KVM_MSR_FILTER_READ);
	filter_is(1, 0x12000, 0x2000, KVM_MSR_FILTER_READ);
}
END_TEST

START_TEST(msr_ranges_run_out)
{
	struct catch_info info;

	for (unsigned i = 0; i < CATCH_MSR_RANGES; i++)
		must_add(CATCH_SPECIAL, 0x100 + 2 * i, 0x100 + 2 * i, CATCH_READ);
	ck_assert_int_eq(add(CATCH_SPECIAL, 0x200, 0x200, CATCH_READ), -ENOSPC);
	ck_assert_str_eq(err.msg, "KVM filters at most 16 ranges of MSRs");
	ck_assert(!catch_list(t, CATCH_MSR_RANGES, &info));
	filter_is(15, 0x100 + 30, 1, KVM_MSR_FILTER_READ);
	/* One between two others makes them one. */
	must_add(CATCH_SPECIAL, 0x101, 0x101, CATCH_READ);
	ck_assert_uint_eq(id, 17);
	ck_assert_uint_eq(kvm.filter.ranges[15].nmsrs, 0);
	must_add(CATCH_SPECIAL, 0x200, 0x200, CATCH_READ);
	filter_is(15, 0x200, 1, KVM_MSR_FILTER_READ);
	/* Without it they would be one too many: KVM goes on showing what nobody asks for. */
	ck_assert_int_eq(catch_remove(t, 17, &err), 0);
	ck_assert(!catch_exists(t, 17));
	filter_is(0, 0x100, 3, KVM_MSR_FILTER_READ);
	ck_assert_int_eq(catch_remove(t, 1, &err), 0);
	filter_is(0, 0x102, 1, KVM_MSR_FILTER_READ);
}
END_TEST

START_TEST(msrs_without_kvm)
{
	struct catch_info info;

	kvm.cap = 0;
	ck_assert_int_eq(add(CATCH_SPECIAL, 0x10, 0x10, ANY), -ENOTSUP);
	ck_assert_str_eq(err.msg, "this host's KVM lacks KVM_CAP_X86_USER_SPACE_MSR, so MSR accesses cannot be caught");
	kvm.cap = 1;
	kvm.filter_error = -EINVAL;
	ck_assert_int_eq(add(CATCH_SPECIAL, 0x10, 0x10, ANY), -EINVAL);
	ck_assert(!catch_list(t, 0, &info));
	ck_assert(!catch_has(t, CATCH_SPECIAL));
}
END_TEST

static struct catch_access msr_exit(bool write, uint32_t index, uint64_t value)
{
	struct catch_access a;
	struct kvm_run *run = cpu[0].run;

	run->exit_reason = write ? KVM_EXIT_X86_WRMSR : KVM_EXIT_X86_RDMSR;
	run->msr.index = index;
	run->msr.data = value;
	run->msr.error = 1;
	cpu[0].needs_completion = false;
	catch_do_msr(&cpu[0], &a);
	ck_assert(cpu[0].needs_completion);
	ev = (struct stop_event){ 0 };
	return a;
}

START_TEST(msr_accesses)
{
	struct catch_access a;

	kvm.msr = 0x174;
	kvm.value = 0x1122334455667788;
	must_add(CATCH_SPECIAL, 0x174, 0x174, ANY);
	must_add(CATCH_SPECIAL, 0x176, 0x176, CATCH_READ);
	a = msr_exit(false, 0x174, 0);
	ck_assert_uint_eq(cpu[0].run->msr.data, kvm.value);
	ck_assert_uint_eq(cpu[0].run->msr.error, 0);
	ck_assert(catch_match(t, &a, &ev));
	ck_assert_str_eq(ev.text, "rdmsr 0x174: 0x1122334455667788");
	a = msr_exit(true, 0x174, 0x10);
	ck_assert_uint_eq(kvm.value, 0x10);
	ck_assert_uint_eq(cpu[0].run->msr.error, 0);
	ck_assert(catch_match(t, &a, &ev));
	ck_assert_str_eq(ev.text, "wrmsr 0x174: 0x10");
	/* An MSR is not eight numbers. */
	a = msr_exit(false, 0x173, 0);
	ck_assert(!catch_match(t, &a, &ev));
	a = msr_exit(false, 0x176, 0);
	ck_assert_uint_eq(cpu[0].run->msr.error, 1);
	ck_assert(catch_match(t, &a, &ev));
	ck_assert_str_eq(ev.text, "rdmsr 0x176, refused with #GP");
	a = msr_exit(true, 0x176, 0);
	ck_assert(!catch_match(t, &a, &ev));
}
END_TEST

START_TEST(resets)
{
	ck_assert(!catch_reset(t, "port 0x92", &ev));
	must_add(CATCH_RESET, 0, 0, 0);
	ck_assert(catch_reset(t, "port 0x92", &ev));
	ck_assert_str_eq(ev.text, "the guest asks for a reset by port 0x92");
	ck_assert(!catch_reset(t, "port 0x92", &ev));
	ck_assert(!catch_wants_tick(t));
}
END_TEST

START_TEST(halts_are_told_once)
{
	struct kvm_regs *r = &cpu[1].run->s.regs.regs;

	kvm.mp_state[1] = KVM_MP_STATE_HALTED;
	ck_assert(!catch_halt(t, &cpu[1], &ev));
	ck_assert(!catch_wants_tick(t));
	must_add(CATCH_HALT, 0, 0, 0);
	ck_assert(catch_wants_tick(t));
	/* Not this one; nor with interrupts on. */
	ck_assert(!catch_halt(t, &cpu[0], &ev));
	r->rflags = 0x202;
	ck_assert(!catch_halt(t, &cpu[1], &ev));
	r->rflags = 2;
	ck_assert(catch_halt(t, &cpu[1], &ev));
	ck_assert_str_eq(ev.text, "halted with interrupts off");
	for (unsigned i = 0; i < 3; i++) {
		ev = (struct stop_event){ 0 };
		ck_assert(!catch_halt(t, &cpu[1], &ev));
	}
	/* A second catchpoint has not heard of it yet. */
	must_add(CATCH_HALT, 0, 0, 0);
	ck_assert(catch_halt(t, &cpu[1], &ev));
	ck_assert_uint_eq(ev.catch_id, 2);
	/* A halt somewhere else, one after having run, and one after a reset are others. */
	r->rip = 0x10;
	ev = (struct stop_event){ 0 };
	ck_assert(catch_halt(t, &cpu[1], &ev));
	ck_assert_uint_eq(ev.catch_id, 1);
	ck_assert(catch_halt(t, &cpu[1], &ev));
	ck_assert_uint_eq(ev.catch_id, 2);
	ck_assert(!catch_halt(t, &cpu[1], &ev));
	ev = (struct stop_event){ 0 };
	kvm.mp_state[1] = KVM_MP_STATE_RUNNABLE;
	ck_assert(!catch_halt(t, &cpu[1], &ev));
	kvm.mp_state[1] = KVM_MP_STATE_HALTED;
	ck_assert(catch_halt(t, &cpu[1], &ev));
	kvm.mp_state[1] = KVM_MP_STATE_RUNNABLE;
	ck_assert_int_eq(catch_vectors_follow(t, &err), 0);
	kvm.mp_state[1] = KVM_MP_STATE_HALTED;
	ev = (struct stop_event){ 0 };
	ck_assert(catch_halt(t, &cpu[1], &ev));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("catch");
	TCase *c = tcase_create("catch");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, ids_are_never_given_twice);
	tcase_add_test(c, as_many_as_4096);
	tcase_add_test(c, bad_specs);
	tcase_add_test(c, port_ranges_and_directions);
	tcase_add_test(c, strings);
	tcase_add_test(c, mmio_up_to_the_end);
	tcase_add_test(c, unclaimed);
	tcase_add_test(c, all_that_match_in_turn);
	tcase_add_test(c, msr_filters);
	tcase_add_test(c, msr_filters_are_bounded);
	tcase_add_test(c, msr_ranges_run_out);
	tcase_add_test(c, msrs_without_kvm);
	tcase_add_test(c, msr_accesses);
	tcase_add_test(c, resets);
	tcase_add_test(c, halts_are_told_once);
	suite_add_tcase(s, c);
	return unit_main(s);
}
