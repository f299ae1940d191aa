/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/carve_rig.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "break/break.h"
#include "kvm/dirty.h"
#include "kvm/ring.h"
#include "tests/ioctl_own.h"
#include "tests/unit.h"

#define RING     4096u

struct kvm k;
struct slots *s;
static struct rings *rings;
static int vcpu = -1;
static struct kvm_run *run;
unsigned exits;

int fail_at = -1;
bool fail_memory;
bool failed;
unsigned changes;

int ioctl_judge(unsigned long request, const void *arg)
{
	const struct kvm_userspace_memory_region *region = arg;

	if (request != KVM_SET_USER_MEMORY_REGION)
		return 0;
	changes++;
	if (failed && fail_memory && region->memory_size)
		return ENOMEM;
	if (fail_at < 0 || fail_at-- > 0)
		return 0;
	failed = true;
	return ENOMEM;
}

static struct break_table *no_traps;    /* for reading memory, where it is asked for */

void ok(int r)
{
	ck_assert_msg(r == 0, "%d: %s", r, err.msg);
}

static void on_fault(void *arg, const struct slot_fault *f)
{
	(void)arg;
	ck_abort_msg("slot %u: %s", f->id, f->text);
}

void check_slots(void)
{
	const struct pieces *p = carve_pieces(s, ID);
	unsigned slot = 0;
	uint64_t gpa = 0;

	ok(slots_check(s, on_fault, NULL, &err));
	for (size_t i = 0; p && i < p->n; i++)
		ck_assert(carve_owner(s, p->v[i].id, &slot, &gpa) && slot == ID && gpa == p->v[i].gpa);
}

void add(unsigned id, uint64_t gpa, uint64_t pages, bool log)
{
	const struct slot_spec spec = { .id = id, .gpa = gpa, .size = pages * PAGE, .backing = SLOT_ANON, .log = log };

	ok(slots_add(s, &spec, "user", NULL, &err));
}

/* Two pieces of code in slot 0: each does one access and ends with an exit of its own. */
void load(void)
{
	static const uint8_t reads[] = { 0x8b, 0x03, 0xe6, 0x80 };      /* mov (%ebx), %eax; out %al, $0x80 */
	static const uint8_t writes[] = { 0x89, 0x0b, 0xe6, 0x80 };     /* mov %ecx, (%ebx); out %al, $0x80 */

	gmem_write(slots_gmem(s), READS, reads, sizeof(reads));
	gmem_write(slots_gmem(s), WRITES, writes, sizeof(writes));
}

void begin(bool with_rings, unsigned max_slots)
{
	struct kvm_sregs sr;

	k = (struct kvm){ .sys_fd = -1, .vm_fd = -1 };
	ok(kvm_open(&k, &err));
	if (max_slots)
		k.max_slots = max_slots;
	ok(slots_new(&k, &s, &err));
	ok(break_new(slots_gmem(s), &(struct break_trap){ 1, { 0xcc } }, NULL, NULL, &no_traps, &err));
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

void end(void)
{
	munmap(run, k.run_size);
	close(vcpu);
	rings_free(rings);
	break_free(no_traps);
	slots_free(s);
	kvm_close(&k);
}

uint32_t guest_access(uint64_t rip, uint64_t gpa, uint32_t value)
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

void expect(uint64_t gpa, enum page_rights want)
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

void set(uint64_t page, enum page_rights rights)
{
	ok(slots_set_rights(s, BASE + page * PAGE, rights, &err));
}

void carve(void)
{
	ok(slots_carve(s, &err));
}

void expect_all(const char *want)
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

void set_all(const char *want)
{
	for (unsigned i = 0; want[i]; i++)
		set(i, want[i] == '.' ? PAGE_ALL : want[i] == 'r' ? PAGE_NO_WRITE : PAGE_NO_ACCESS);
	carve();
}

struct dirty_map map;

void take(unsigned id)
{
	free(map.bits);
	map.bits = NULL;
	ok(dirty_log_read(s, slots_get(s, id), no_traps, DIRTY_USER, true, &map, &err));
}

void write_page(unsigned page)
{
	guest_access(WRITES, BASE + page * PAGE, 1);
	ck_assert_uint_eq(exits, 0);
}
