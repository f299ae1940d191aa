/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kvm/kvm.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arch/arch.h"

/* Linux 3.2 to 3.19: virt/kvm/api.txt, 4.58 there. */
static const char *const rma_meanings[] = {
	"no Real Mode Area (backing=rma): no powerpc processor that has one",
	"a VM may have a Real Mode Area (backing=rma) at gpa 0",
	"every VM must have a Real Mode Area (backing=rma) at gpa 0: RAM is made of it",
	NULL,
};

/* What is needed of KVM, and what `info host` shows of it, on every architecture; arch.caps go on from there. */
static const struct kvm_cap caps[] = {
	KVM_CAP_ROW(USER_MEMORY, 1, "memory slots"),
	KVM_CAP_ROW(NR_MEMSLOTS, 1, "how many memory slots a VM may have"),
	KVM_CAP_ROW(NR_VCPUS, 0, "recommended number of vCPUs"),
	KVM_CAP_ROW(MAX_VCPUS, 0, "largest number of vCPUs"),
	KVM_CAP_ROW(SYNC_MMU, 0, "changes to the backing of memory show in the guest at once"),
	KVM_CAP_ROW(READONLY_MEM, 0, "read-only memory slots"),
	KVM_CAP_ROW(MANUAL_DIRTY_LOG_PROTECT2, 0, "dirty logs cleared page by page (2: initially all set)"),
	KVM_CAP_ROW(DIRTY_LOG_RING, 0, "dirty log as a ring: its largest size in bytes"),
	KVM_CAP_ROW(DIRTY_LOG_RING_ACQ_REL, 0, "the same, for hosts of any order of memory accesses"),
	{ KVM_CAP_PPC_RMA, "KVM_CAP_PPC_RMA", 0, "memory that powerpc reaches with translation off", rma_meanings },
	KVM_CAP_ROW(MULTI_ADDRESS_SPACE, 0, "number of address spaces (2: system management mode apart)"),
};

#define NCAPS (sizeof(caps) / sizeof(caps[0]))

static const struct kvm_cap *capability(size_t index)
{
	if (index < NCAPS)
		return &caps[index];
	return index - NCAPS < arch.ncaps ? &arch.caps[index - NCAPS] : NULL;
}

static int cap_value(int fd, unsigned cap)
{
	int r = kvm_ioctl_num(fd, KVM_CHECK_EXTENSION, cap);

	return r < 0 ? 0 : r;
}

bool kvm_fact(const struct kvm *k, size_t index, struct host_fact *ret)
{
	const struct kvm_cap *c = capability(index);
	int v;

	if (!c)
		return false;
	v = cap_value(k->vm_fd, c->cap);
	ret->name = c->name;
	ret->meaning = c->meaning;
	for (int i = 0; c->by_value && c->by_value[i] && i <= v; i++)
		ret->meaning = c->by_value[i];
	snprintf(ret->value, sizeof(ret->value), v > 0xffff ? "0x%x" : "%d", v);
	return true;
}

static int open_device(struct kvm *k, struct err *err)
{
	struct stat st;
	struct group *g;
	int e;

	k->sys_fd = kvm_device_open();
	if (k->sys_fd >= 0)
		return 0;
	e = -k->sys_fd;
	k->sys_fd = -1;
	if (e == EACCES || e == EPERM) {
		g = stat("/dev/kvm", &st) == 0 ? getgrgid(st.st_gid) : NULL;
		return err_set(err, EACCES, "/dev/kvm: permission denied; it belongs to group %s (usermod -aG %s YOU)",
			       g ? g->gr_name : "kvm", g ? g->gr_name : "kvm");
	}
	if (e == ENOENT || e == ENODEV || e == ENXIO)
		return err_set(err, e, "/dev/kvm: %s; is virtualization on and the kvm module loaded?", strerror(e));
	return err_errno(err, e, "/dev/kvm");
}

static int check_caps(const struct kvm *k, struct err *err)
{
	const struct kvm_cap *c;

	for (size_t i = 0; (c = capability(i)); i++) {
		int v = cap_value(k->sys_fd, c->cap);

		if (c->need == 1 ? v <= 0 : (v & c->need) != c->need)
			return err_set(err, ENOTSUP, "this host's KVM lacks %s (%s)", c->name, c->meaning);
	}
	return 0;
}

static int make_vm(struct kvm *k, struct err *err)
{
	int r;

	do
		r = kvm_ioctl_num(k->sys_fd, KVM_CREATE_VM, 0);
	while (r == -EINTR);
	if (r < 0)
		return err_errno(err, -r, "KVM_CREATE_VM");
	k->vm_fd = r;
	return arch.vm_made(k, err);
}

int kvm_open(struct kvm *k, struct err *err)
{
	int r;

	*k = (struct kvm){ .sys_fd = -1, .vm_fd = -1, .phys_bits = 64 };
	r = open_device(k, err);
	if (r)
		goto fail;
	r = kvm_ioctl_num(k->sys_fd, KVM_GET_API_VERSION, 0);
	if (r != KVM_API_VERSION) {
		r = r < 0 ? err_set(err, ENOTSUP, "/dev/kvm is no KVM device (KVM_GET_API_VERSION: %s)", strerror(-r))
			  : err_set(err, ENOTSUP, "/dev/kvm: API version %d, %d is needed", r, KVM_API_VERSION);
		goto fail;
	}
	r = check_caps(k, err);
	if (r)
		goto fail;
	r = kvm_ioctl_num(k->sys_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (r < (int)sizeof(struct kvm_run)) {
		r = err_set(err, ENOTSUP, "KVM_GET_VCPU_MMAP_SIZE answers %d", r);
		goto fail;
	}
	k->run_size = (size_t)r;
	r = arch.host_open(k, err);
	if (!r)
		r = make_vm(k, err);
	if (r)
		goto fail;
	k->max_slots = (unsigned)cap_value(k->vm_fd, KVM_CAP_NR_MEMSLOTS);
	k->max_cpus = (unsigned)cap_value(k->vm_fd, KVM_CAP_MAX_VCPUS);
	if (!k->max_cpus)
		k->max_cpus = (unsigned)cap_value(k->vm_fd, KVM_CAP_NR_VCPUS);
	if (!k->max_cpus)
		k->max_cpus = 4;        /* api.rst 4.8: what a kernel without either capability takes */
	k->immediate_exit = cap_value(k->vm_fd, KVM_CAP_IMMEDIATE_EXIT) > 0;
	k->debug_flags = (uint32_t)cap_value(k->vm_fd, KVM_CAP_SET_GUEST_DEBUG2);
	return 0;
fail:
	kvm_close(k);
	return r;
}

void kvm_close(struct kvm *k)
{
	if (k->vm_fd >= 0)
		close(k->vm_fd);
	if (k->sys_fd >= 0)
		close(k->sys_fd);
	arch.host_close(k);
	*k = (struct kvm){ .sys_fd = -1, .vm_fd = -1 };
}
