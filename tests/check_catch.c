/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Catchpoints over plain memory, with run pages made by hand and a KVM that only notes what it is asked. */
#include "kvm/catch.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/x86/catch_x86.h"
#include "arch/x86/vcpu_x86.h"
#include "tests/unit.h"

#define SIZE  0x10000
#define NCPUS 2
#define ANY   (CATCH_READ | CATCH_WRITE)

static struct kvm_fake {
	int cap;                        /* answer to KVM_CHECK_EXTENSION */
	int filter_error;               /* answer to KVM_X86_SET_MSR_FILTER */
	unsigned filters;               /* how often it was set */
	struct kvm_msr_filter filter;
	uint64_t exit_reasons;          /* KVM_CAP_X86_USER_SPACE_MSR's argument */
	unsigned mp_state[NCPUS];
	uint32_t msr;                   /* the only one there is */
	uint64_t value;
} kvm;

#define CPU_FD 1000

/* The linker puts these in the place of src/kvm/kvm.c's. */
int __wrap_kvm_ioctl(int fd, unsigned long request, void *arg);
int __wrap_kvm_ioctl_num(int fd, unsigned long request, unsigned long arg);

static int msrs(struct kvm_msrs *m, bool set)
{
	if (m->nmsrs != 1 || m->entries[0].index != kvm.msr)
		return 0;
	if (set)
		kvm.value = m->entries[0].data;
	else
		m->entries[0].data = kvm.value;
	return 1;
}

int __wrap_kvm_ioctl(int fd, unsigned long request, void *arg)
{
	switch (request) {
	case KVM_GET_MP_STATE:
		((struct kvm_mp_state *)arg)->mp_state = kvm.mp_state[fd - CPU_FD];
		return 0;
	case KVM_ENABLE_CAP:
		ck_assert_uint_eq(((struct kvm_enable_cap *)arg)->cap, KVM_CAP_X86_USER_SPACE_MSR);
		kvm.exit_reasons = ((struct kvm_enable_cap *)arg)->args[0];
		return 0;
	case KVM_X86_SET_MSR_FILTER:
		if (kvm.filter_error)
			return kvm.filter_error;
		kvm.filter = *(struct kvm_msr_filter *)arg;
		kvm.filters++;
		return 0;
	case KVM_GET_MSRS:
	case KVM_SET_MSRS:
		return msrs(arg, request == KVM_SET_MSRS);
	}
	return -ENOTTY;
}

int __wrap_kvm_ioctl_num(int fd, unsigned long request, unsigned long arg)
{
	(void)fd, (void)arg;
	return request == KVM_CHECK_EXTENSION ? kvm.cap : -ENOTTY;
}

static uint8_t ram[SIZE];
static struct vm vm;
static struct arch_vm arch_vm;
static struct arch_vcpu arch_cpu[NCPUS];
static struct vcpu cpu[NCPUS], *cpus[NCPUS];
static struct catch_table *t;
static struct stop_event ev;
static struct err err;
static unsigned id;

static void setup(void)
{
	struct gmem_region r = { .gpa = 0, .size = SIZE, .hva = ram };

	memset(ram, 0, sizeof(ram));
	vm = (struct vm){ .arch = &arch_vm };
	arch_vm = (struct arch_vm){ 0 };
	memset(arch_cpu, 0, sizeof(arch_cpu));
	memset(cpu, 0, sizeof(cpu));
	kvm = (struct kvm_fake){ .cap = 1 };
	ck_assert_int_eq(gmem_new(&vm.gmem, &err), 0);
	ck_assert_int_eq(gmem_add(vm.gmem, &r, &err), 0);
	ck_assert_int_eq(break_new(vm.gmem, &(struct break_trap){ 1, { 0xcc } }, NULL, NULL, &vm.breaks, &err), 0);
	vm.kvm.phys_bits = 36;
	for (unsigned i = 0; i < NCPUS; i++) {
		cpus[i] = &cpu[i];
		cpu[i] = (struct vcpu){ .vm = &vm, .arch = &arch_cpu[i], .id = i, .fd = CPU_FD + (int)i };
		cpu[i].run = calloc(1, sizeof(*cpu[i].run));
		ck_assert_ptr_nonnull(cpu[i].run);
		cpu[i].run->s.regs.sregs.idt.limit = 0x3ff;
	}
	vm.cpus = cpus;
	vm.ncpus = NCPUS;
	ck_assert_int_eq(catch_new(&vm, &t, &err), 0);
	ev = (struct stop_event){ 0 };
	id = 0;
}

static void teardown(void)
{
	catch_free(t);
	break_free(vm.breaks);
	gmem_free(vm.gmem);
	for (unsigned i = 0; i < NCPUS; i++)
		free(cpu[i].run);
}

static int add(enum catch_kind kind, uint64_t start, uint64_t end, unsigned dir)
{
	err.msg[0] = '\0';
	return catch_add(t, &(struct catch_spec){ .kind = kind, .start = start, .end = end, .dir = dir }, &id, &err);
}

static void must_add(enum catch_kind kind, uint64_t start, uint64_t end, unsigned dir)
{
	ck_assert_msg(add(kind, start, end, dir) == 0, "%s", err.msg);
}

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

static void put(uint64_t at, uint64_t value, unsigned n)
{
	memcpy(ram + at, &value, n);
}

/* The traps in memory are at PLACES, 0-terminated, and nowhere else above what tables hold. */
static void traps_are(const uint64_t *places)
{
	size_t n = 0;

	for (; places[n]; n++)
		ck_assert_msg(ram[places[n]] == 0xcc, "no trap at 0x%" PRIx64, places[n]);
	ck_assert_uint_eq(break_sites(vm.breaks), n);
	for (uint64_t i = 0x8000; i < SIZE; i++)
		n -= ram[i] == 0xcc;
	ck_assert_uint_eq(n, 0);
}

#define TRAPS(...) traps_are((const uint64_t[]){ __VA_ARGS__ __VA_OPT__(,) 0 })

static void follow(void)
{
	ck_assert_msg(catch_vectors_follow(t, &err) == 0, "%s", err.msg);
}

START_TEST(handlers_are_followed)
{
	struct kvm_sregs *s = &cpu[0].run->s.regs.sregs;

	kvm.mp_state[1] = KVM_MP_STATE_UNINITIALIZED;
	put(4 * 6, 0x08000100, 4);
	put(4 * 13, 0x09000000, 4);
	must_add(CATCH_EXCEPTION, 6, 6, 0);
	ck_assert(catch_wants_tick(t));
	TRAPS(0x8100);
	ck_assert(!catch_stale(t, &cpu[0]));
	/* A gate written. */
	put(4 * 6, 0x08000200, 4);
	ck_assert(catch_stale(t, &cpu[0]));
	follow();
	TRAPS(0x8200);
	ck_assert(!catch_stale(t, &cpu[0]));
	/* One that is not caught. */
	put(4 * 7, 0x0a000000, 4);
	ck_assert(!catch_stale(t, &cpu[0]));
	/* Another table: LIDT. */
	put(0x1000 + 4 * 6, 0x0b000000, 4);
	s->idt.base = 0x1000;
	ck_assert(catch_stale(t, &cpu[0]));
	follow();
	TRAPS(0xb000);
	s->idt.limit = 4 * 7 - 2;
	ck_assert(catch_stale(t, &cpu[0]));
	follow();
	TRAPS();
	s->idt.limit++;
	follow();
	TRAPS(0xb000);
	/* More vectors, with ones between them that are not caught; they may share a handler. */
	s->idt = (struct kvm_dtable){ .limit = 0x3ff };
	must_add(CATCH_EXCEPTION, 13, 14, 0);
	TRAPS(0x8200, 0x9000);
	put(4 * 14, 0x08000200, 4);
	follow();
	TRAPS(0x8200, 0x9000);
	/* One between those, whose gates are known. */
	must_add(CATCH_EXCEPTION, 7, 7, 0);
	TRAPS(0x8200, 0x9000, 0xa000);
	ck_assert_int_eq(catch_remove(t, 3, &err), 0);
	TRAPS(0x8200, 0x9000);
	ck_assert_int_eq(catch_remove(t, 1, &err), 0);
	TRAPS(0x8200, 0x9000);
	ck_assert_int_eq(catch_remove(t, 2, &err), 0);
	TRAPS();
	ck_assert(!catch_stale(t, &cpu[0]));
	ck_assert(!catch_wants_tick(t));
}
END_TEST

START_TEST(each_cpu_has_tables)
{
	struct kvm_sregs *s = &cpu[1].run->s.regs.sregs;

	put(4 * 3, 0x08000100, 4);
	put(0x2000 + 4 * 3, 0x08000300, 4);
	must_add(CATCH_EXCEPTION, 3, 3, 0);
	TRAPS(0x8100);
	s->idt.base = 0x2000;
	ck_assert(catch_stale(t, &cpu[1]));
	ck_assert(!catch_stale(t, &cpu[0]));
	follow();
	TRAPS(0x8100, 0x8300);
	/* What one's handler is, is not the other's. */
	ck_assert(catch_vector(t, &cpu[0], 0x8100, &ev));
	ev = (struct stop_event){ 0 };
	ck_assert(!catch_vector(t, &cpu[0], 0x8300, &ev));
	ck_assert(catch_vector(t, &cpu[1], 0x8300, &ev));
	kvm.mp_state[0] = KVM_MP_STATE_INIT_RECEIVED;
	follow();
	TRAPS(0x8300);
}
END_TEST

/* A handler that stands in a table: its trap is not taken for part of the gate. */
START_TEST(traps_in_tables)
{
	put(4 * 3, 0x0000001c, 4);      /* 0:1c, in vector 7's entry */
	put(4 * 7, 0x08000100, 4);
	must_add(CATCH_EXCEPTION, 3, 7, 0);
	ck_assert_uint_eq(ram[4 * 7], 0xcc);
	for (unsigned i = 0; i < 3; i++) {
		follow();
		ck_assert_uint_eq(break_sites(vm.breaks), 2);
	}
	ck_assert_uint_eq(ram[0x8100], 0xcc);
	ck_assert(!catch_stale(t, &cpu[0]));
	ck_assert_int_eq(catch_remove(t, 1, &err), 0);
	ck_assert_uint_eq(ram[4 * 7], 0);
}
END_TEST

START_TEST(real_mode_vectors)
{
	struct kvm_sregs *s = &cpu[0].run->s.regs.sregs;

	put(4 * 3, 0x08000100, 4);
	put(4 * 8, 0x08000200, 4);
	must_add(CATCH_EXCEPTION, 0, 255, 0);
	s->ss.base = 0x7000;

	put(0x7000 + 0xffa, 0x020207c07c12, 6);
	cpu[0].run->s.regs.regs.rsp = 0xaaaa0ffa;
	ck_assert(catch_vector(t, &cpu[0], 0x8100, &ev));
	ck_assert_uint_eq(ev.catch_id, 1);
	ck_assert_str_eq(ev.text, "exception 3 (#BP), from 0x7c0:0x7c12");
	ck_assert(!catch_vector(t, &cpu[0], 0x8100, &ev));
	ev = (struct stop_event){ 0 };
	ck_assert(catch_vector(t, &cpu[0], 0x8200, &ev));
	ck_assert_str_eq(ev.text, "interrupt 8, from 0x7c0:0x7c12");
	ev = (struct stop_event){ 0 };
	ck_assert(!catch_vector(t, &cpu[0], 0x8300, &ev));
	s->ss.base = 0x100000;
	ck_assert(catch_vector(t, &cpu[0], 0x8200, &ev));
	ck_assert_str_eq(ev.text, "interrupt 8, its frame cannot be read");
}
END_TEST

/* Also of vectors that nobody catches. */
START_TEST(handlers)
{
	uint64_t gva = 7;

	put(0x2000 + 4 * 13, 0x08000100, 4);
	ck_assert(!catch_handler(&cpu[1], 13, &gva));
	cpu[1].run->s.regs.sregs.idt.base = 0x2000;
	ck_assert(!catch_handler(&cpu[0], 13, &gva));
	ck_assert(!catch_handler(&cpu[1], 256, &gva));
	ck_assert_uint_eq(gva, 7);
	ck_assert(catch_handler(&cpu[1], 13, &gva));
	ck_assert_uint_eq(gva, 0x8100);
}
END_TEST

START_TEST(long_mode_vectors)
{
	struct kvm_sregs *s = &cpu[0].run->s.regs.sregs;
	uint64_t frame[6] = { 2, 0x401000, 8, 0x10202, 0x8000, 0x10 };

	kvm.mp_state[1] = KVM_MP_STATE_UNINITIALIZED;
	s->cr0 = 1;
	s->efer = 1 << 10;
	s->cr2 = 0x1234;
	s->idt = (struct kvm_dtable){ .base = 0x2000, .limit = 0xfff };
	put(0x2000 + 16 * 14, 0x00008e0000088100, 8);
	put(0x2000 + 16 * 13, 0x00008e0000088200, 8);
	put(0x2000 + 16 * 12, 0x00008e0000088200, 8);
	put(0x2000 + 16 * 32, 0x00008e0000088300, 8);
	memcpy(ram + 0x7000, frame, sizeof(frame));
	must_add(CATCH_EXCEPTION, 14, 14, 0);
	must_add(CATCH_EXCEPTION, 13, 32, 0);
	TRAPS(0x8100, 0x8200, 0x8300);
	cpu[0].run->s.regs.regs.rsp = 0x7000;
	ck_assert(catch_vector(t, &cpu[0], 0x8100, &ev));
	ck_assert_str_eq(ev.text, "exception 14 (#PF), error code 0x2, cr2 0x1234, from 0x401000");
	ck_assert(catch_vector(t, &cpu[0], 0x8100, &ev));
	ck_assert_uint_eq(ev.catch_id, 2);
	ck_assert(!catch_vector(t, &cpu[0], 0x8100, &ev));
	ev = (struct stop_event){ 0 };
	ck_assert(catch_vector(t, &cpu[0], 0x8200, &ev));
	ck_assert_str_eq(ev.text, "exception 13 (#GP) or another of this handler, error code 0x2, from 0x401000");
	cpu[0].run->s.regs.regs.rsp = 0x7008;
	ev = (struct stop_event){ 0 };
	ck_assert(catch_vector(t, &cpu[0], 0x8300, &ev));
	ck_assert_str_eq(ev.text, "interrupt 32, from 0x401000");
}
END_TEST

START_TEST(protected_mode_vectors)
{
	struct kvm_sregs *s = &cpu[0].run->s.regs.sregs;
	uint32_t frame[4] = { 0x10, 0x401000, 8, 0x10202 };

	kvm.mp_state[1] = KVM_MP_STATE_UNINITIALIZED;
	s->cr0 = 1;
	s->idt = (struct kvm_dtable){ .base = 0x2000, .limit = 0x7ff };
	s->gdt = (struct kvm_dtable){ .base = 0x3000, .limit = 0xf };
	s->ss.db = 1;
	put(0x3008, 0x00cf9a008000ffff, 8);
	put(0x2000 + 8 * 13, 0x00008e0000080100, 8);
	memcpy(ram + 0x7000, frame, sizeof(frame));
	must_add(CATCH_EXCEPTION, 13, 13, 0);
	TRAPS(0x8100);
	cpu[0].run->s.regs.regs.rsp = 0x7000;
	ck_assert(catch_vector(t, &cpu[0], 0x8100, &ev));
	ck_assert_str_eq(ev.text, "exception 13 (#GP), error code 0x10, from 0x8:0x401000");
	/* The segment's base moves, its gate does not. */
	put(0x3008, 0x00cf9a009000ffff, 8);
	follow();
	TRAPS(0x9100);
	/* A 286's gate pushes words, on a 16-bit stack. */
	put(0x2000 + 8 * 13, 0x0000860000080100, 8);
	put(0x7000, 0x0202000812340010, 8);
	s->ss.db = 0;
	cpu[0].run->s.regs.regs.rsp = 0x17000;
	follow();
	ev = (struct stop_event){ 0 };
	ck_assert(catch_vector(t, &cpu[0], 0x9100, &ev));
	ck_assert_str_eq(ev.text, "exception 13 (#GP), error code 0x10, from 0x8:0x1234");
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
	tcase_add_test(c, handlers_are_followed);
	tcase_add_test(c, each_cpu_has_tables);
	tcase_add_test(c, traps_in_tables);
	tcase_add_test(c, real_mode_vectors);
	tcase_add_test(c, handlers);
	tcase_add_test(c, long_mode_vectors);
	tcase_add_test(c, protected_mode_vectors);
	suite_add_tcase(s, c);
	return unit_main(s);
}
