/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kvm/probe.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE   4096
#define CODE   0x800           /* gpa of the code: an int3 and a hlt */
#define INT3   0xcc
#define ICEBP  0xf1
#define HLT    0xf4

struct scratch {
	int vm_fd, cpu_fd;
	uint8_t *page;          /* gpa 0: the interrupt vectors, and the code */
	struct kvm_run *run;
	size_t run_size;
};

static void scratch_done(struct scratch *s)
{
	if (s->run)
		munmap(s->run, s->run_size);
	if (s->cpu_fd >= 0)
		close(s->cpu_fd);
	if (s->vm_fd >= 0)
		close(s->vm_fd);
	if (s->page)
		munmap(s->page, PAGE);
}

/* A VM with one page and one vCPU, about to run CODE in real mode. */
static int scratch_init(const struct kvm *k, struct scratch *s)
{
	struct kvm_userspace_memory_region region = { .memory_size = PAGE };
	struct kvm_regs regs = { .rip = CODE, .rsp = PAGE - 16, .rflags = 2 };
	struct kvm_sregs sregs;
	void *p;
	int r;

	*s = (struct scratch){ .vm_fd = -1, .cpu_fd = -1, .run_size = k->run_size };
	s->vm_fd = kvm_ioctl_num(k->sys_fd, KVM_CREATE_VM, 0);
	if (s->vm_fd < 0)
		return s->vm_fd;
	p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return -errno;
	s->page = p;
	region.userspace_addr = (uintptr_t)s->page;
	r = kvm_ioctl(s->vm_fd, KVM_SET_USER_MEMORY_REGION, &region);
	if (r)
		return r;
	s->cpu_fd = kvm_ioctl_num(s->vm_fd, KVM_CREATE_VCPU, 0);
	if (s->cpu_fd < 0)
		return s->cpu_fd;
	p = mmap(NULL, s->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, s->cpu_fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	s->run = p;
	r = kvm_ioctl(s->cpu_fd, KVM_GET_SREGS, &sregs);
	if (r)
		return r;
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	r = kvm_ioctl(s->cpu_fd, KVM_SET_SREGS, &sregs);
	return r ? r : kvm_ioctl(s->cpu_fd, KVM_SET_REGS, &regs);
}

int probe_host(const struct kvm *k, struct probe *ret, struct err *err)
{
	struct kvm_guest_debug debug = { .control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP };
	struct scratch s;
	int r = scratch_init(k, &s);

	if (!r) {
		s.page[CODE] = INT3;
		s.page[CODE + 1] = HLT;
		/* The guest's own handler, should the int3 reach it: a hlt ends the run as well. */
		memcpy(s.page + 4 * 3, &(uint16_t){ CODE + 1 }, 2);
		r = kvm_ioctl(s.cpu_fd, KVM_SET_GUEST_DEBUG, &debug);
	}
	if (!r) {
		do
			r = kvm_ioctl_num(s.cpu_fd, KVM_RUN, 0);
		while (r == -EINTR);
	}
	if (!r) {
		ret->int3_exits = s.run->exit_reason == KVM_EXIT_DEBUG;
		ret->trap_byte = ret->int3_exits ? INT3 : ICEBP;
	}
	scratch_done(&s);
	return r ? err_errno(err, -r, "trying out KVM in a scratch machine") : 0;
}
