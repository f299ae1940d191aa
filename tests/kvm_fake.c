/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The KVM of our making against this host's: the same changes of memory slots, the same answers. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/fake_kvm.h"
#include "tests/unit.h"

#define STEPS 1200u
#define ROOM  (64u << 12)
#define CALLS 2000000u

static int sys_fd, vm_fd;
static struct kvm k;
static uint8_t *room;
static unsigned seed;

static unsigned pick(unsigned n)
{
	return (unsigned)rand_r(&seed) % n;
}

static void setup(void)
{
	static struct fake_host host;
	int spaces;

	host = fake_modern;
	sys_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	ck_assert_int_ge(sys_fd, 0);
	vm_fd = ioctl(sys_fd, KVM_CREATE_VM, 0);
	ck_assert_int_ge(vm_fd, 0);
	spaces = ioctl(vm_fd, KVM_CHECK_EXTENSION, KVM_CAP_MULTI_ADDRESS_SPACE);
	host.spaces = spaces > 0 ? (unsigned)spaces : 0;
	host.max_slots = (unsigned)ioctl(vm_fd, KVM_CHECK_EXTENSION, KVM_CAP_NR_MEMSLOTS);
	fake_kvm_host(&host);
	fake_kvm_vm(&k);
	room = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert(room != MAP_FAILED);
	seed = getenv("GV_SEED") ? (unsigned)atoi(getenv("GV_SEED")) : (unsigned)getpid();
}

static void teardown(void)
{
	munmap(room, ROOM);
	fake_kvm_end();
	close(vm_fd);
	close(sys_fd);
}

/* Mostly what may be, now and then what may not. */
static struct kvm_userspace_memory_region change(void)
{
	static const uint32_t flags[] = { 0, 0, KVM_MEM_LOG_DIRTY_PAGES, KVM_MEM_READONLY, KVM_MEM_LOG_DIRTY_PAGES | KVM_MEM_READONLY, 8 };
	static const unsigned numbers[] = { 0x10000, 0x10001, 0x20000, 0x7ffe, 0x7fff, 0xffff, 0x10000000 };
	uint64_t bad = pick(20) ? 0 : 1 + pick(4095);

	return (struct kvm_userspace_memory_region){
		.slot = pick(12) ? pick(4) : numbers[pick(sizeof(numbers) / sizeof(numbers[0]))],
		.flags = flags[pick(sizeof(flags) / sizeof(flags[0]))],
		.guest_phys_addr = pick(40) ? (uint64_t)pick(10) << 12 | (pick(2) ? bad : 0) : ~0xfffull,
		.memory_size = pick(4) ? (uint64_t)(1 + pick(3)) << 12 | (pick(2) ? bad : 0) : 0,
		.userspace_addr = pick(40) ? (uintptr_t)room + (pick(3) << 12) + (pick(2) ? bad : 0) : 0xffff800000000000ull,
	};
}

START_TEST(same_answers)
{
	unsigned good = 0;

	for (unsigned i = 0; i < STEPS; i++) {
		struct kvm_userspace_memory_region r = change();
		int real = ioctl(vm_fd, KVM_SET_USER_MEMORY_REGION, &r) ? -errno : 0;
		int fake = kvm_ioctl(k.vm_fd, KVM_SET_USER_MEMORY_REGION, &r);

		ck_assert_msg(real == fake, "seed %u, step %u: slot 0x%x flags %u gpa 0x%llx size 0x%llx hva 0x%llx: the real one %d, ours %d",
			      seed, i, r.slot, r.flags, r.guest_phys_addr, r.memory_size, r.userspace_addr, real, fake);
		good += !real;
	}
	ck_assert_uint_gt(good, STEPS / 20);
}
END_TEST

START_TEST(same_logs)
{
	uint64_t bits[2];

	for (unsigned i = 0; i < STEPS; i++) {
		struct kvm_userspace_memory_region r = change();
		struct kvm_dirty_log d = { .slot = r.slot, .dirty_bitmap = bits };
		int real, fake;

		ioctl(vm_fd, KVM_SET_USER_MEMORY_REGION, &r);
		kvm_ioctl(k.vm_fd, KVM_SET_USER_MEMORY_REGION, &r);
		if (r.slot >> 16 > 1)
			continue;
		real = ioctl(vm_fd, KVM_GET_DIRTY_LOG, &d) ? -errno : 0;
		fake = kvm_ioctl(k.vm_fd, KVM_GET_DIRTY_LOG, &d);
		ck_assert_msg(real == fake, "seed %u, step %u: slot 0x%x: the real one %d, ours %d", seed, i, r.slot, real, fake);
	}
}
END_TEST

static atomic_bool called;

static void *calls(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < CALLS; i++)
		kvm_ioctl_num(k.vm_fd, KVM_CHECK_EXTENSION, KVM_CAP_NR_MEMSLOTS);
	atomic_store(&called, true);
	return NULL;
}

/* A call that another thread makes while they are counted is counted once: tests wait for the first one of a vCPU. */
START_TEST(counts_of_another_thread)
{
	pthread_t thread;
	unsigned sum = 0;
	bool last;

	fake_kvm_count(KVM_CHECK_EXTENSION);
	atomic_store(&called, false);
	ck_assert_int_eq(pthread_create(&thread, NULL, calls, NULL), 0);
	do {
		last = atomic_load(&called);
		sum += fake_kvm_count(KVM_CHECK_EXTENSION);
	} while (!last);
	pthread_join(thread, NULL);
	ck_assert_uint_eq(sum, CALLS);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("fake");
	TCase *c = tcase_create("fake");

	if (access("/dev/kvm", R_OK | W_OK))
		return unit_skip_all("/dev/kvm cannot be used");
	tcase_set_timeout(c, 60);
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, same_answers);
	tcase_add_test(c, same_logs);
	tcase_add_test(c, counts_of_another_thread);
	suite_add_tcase(s, c);
	return unit_main(s);
}
