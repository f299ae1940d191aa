/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/fake_kvm.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SLOTS_MAX 4096
#define RMAS_MAX  64
#define PAGES_MAX 0x7fffffffull         /* KVM_MEM_MAX_NR_PAGES */
#define ALLOCATE_RMA 0xa9               /* its number; the size of its struct is ours to have right */
#define CAP_PPC_RMA  65

const struct fake_host fake_ppc970 = {
	.name = "a PPC970", .rma = 2, .rma_size = 64 << 20, .sync_mmu = false, .spaces = 0, .max_slots = 32,
};
const struct fake_host fake_power7 = {
	.name = "a POWER7", .rma = 1, .rma_size = 128 << 20, .sync_mmu = true, .spaces = 0, .max_slots = 32,
	.one_reg = true, .papr = true,
};
const struct fake_host fake_modern = {
	.name = "a host of today", .readonly = true, .sync_mmu = true, .immediate_exit = true, .manual_log = true, .spaces = 2,
	.max_slots = 512, .one_reg = true, .guest_debug = true, .single_step = true, .papr = true,
};

struct slot {
	struct fake_slot is;
	uint64_t *dirty;        /* while it is logged */
};

static const struct fake_host *host;    /* NULL: none has been chosen */
static struct slot slots[SLOTS_MAX];
static size_t nslots;           /* ascending by number */
static struct {
	dev_t dev;
	ino_t ino;
} rmas[RMAS_MAX];
static unsigned nrmas;
static struct failure {
	unsigned long request;
	unsigned after;
	int error;
	bool always, armed;
} failure;
static struct {
	unsigned long request;
	unsigned n;
} counts[64];
static int vm_fd = -1;
static bool manual;
static const struct fake_cpus *cpus;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;        /* of failure and counts */

static uint64_t page(void)
{
	return (uint64_t)sysconf(_SC_PAGESIZE);
}

static void drop(size_t at)
{
	free(slots[at].dirty);
	memmove(&slots[at], &slots[at + 1], (nslots - at - 1) * sizeof(slots[0]));
	nslots--;
}

void fake_kvm_end(void)
{
	while (nslots)
		drop(nslots - 1);
	if (cpus)
		cpus->end();
	cpus = NULL;
	if (vm_fd >= 0)
		close(vm_fd);
	vm_fd = -1;
	nrmas = 0;
	manual = false;
	failure = (struct failure){ 0 };
	memset(counts, 0, sizeof(counts));
}

void fake_kvm_host(const struct fake_host *h)
{
	fake_kvm_end();
	host = h;
}

void fake_kvm_vm(struct kvm *k)
{
	vm_fd = memfd_create("VM", MFD_CLOEXEC);
	*k = (struct kvm){ .sys_fd = -1, .vm_fd = vm_fd, .max_slots = host->max_slots, .max_cpus = 4, .phys_bits = 40 };
}

void fake_kvm_cpus(const struct fake_cpus *c)
{
	cpus = c;
}

void fake_kvm_fail(unsigned long request, unsigned nth, int error, bool always)
{
	pthread_mutex_lock(&lock);
	failure = (struct failure){ request, nth, error, always, true };
	pthread_mutex_unlock(&lock);
}

/* Counts REQUEST; the errno it is to fail with, or 0. */
static int judge(unsigned long request)
{
	size_t i = 0;
	int error = 0;

	pthread_mutex_lock(&lock);
	while (i < sizeof(counts) / sizeof(counts[0]) - 1 && counts[i].n && counts[i].request != request)
		i++;
	counts[i].request = request;
	counts[i].n++;
	if (failure.armed && failure.request == request && !failure.after) {
		failure.armed = failure.always;
		error = failure.error;
	} else if (failure.armed && failure.request == request)
		failure.after--;
	pthread_mutex_unlock(&lock);
	return error;
}

unsigned fake_kvm_count(unsigned long request)
{
	unsigned n = 0;

	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		if (counts[i].request == request) {
			n = counts[i].n;
			counts[i].n = 0;
		}
	pthread_mutex_unlock(&lock);
	return n;
}

bool fake_kvm_slot(size_t index, struct fake_slot *ret)
{
	if (index >= nslots)
		return false;
	*ret = slots[index].is;
	return true;
}

static bool covers(const struct slot *s, uint64_t gpa)
{
	return !(s->is.id >> 16) && gpa - s->is.gpa < s->is.size;
}

bool fake_kvm_write(uint64_t gpa)
{
	for (size_t i = 0; i < nslots; i++)
		if (covers(&slots[i], gpa)) {
			uint64_t n = (gpa - slots[i].is.gpa) / page();

			if (slots[i].dirty)
				slots[i].dirty[n / 64] |= 1ull << n % 64;
			return true;
		}
	return false;
}

uint8_t *fake_kvm_memory(uint64_t gpa, size_t size)
{
	for (size_t i = 0; i < nslots; i++)
		if (covers(&slots[i], gpa) && size <= slots[i].is.size - (gpa - slots[i].is.gpa))
			return (uint8_t *)(uintptr_t)slots[i].is.hva + (gpa - slots[i].is.gpa);
	return NULL;
}

/* -- the Real Mode Area -- */

static int allocate_rma(uint64_t *ret_size)
{
	struct stat st;
	int fd;

	if (!host->rma)
		return -ENOTTY;
	if (nrmas == RMAS_MAX)
		return -ENOMEM;
	fd = memfd_create("RMA", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, (off_t)host->rma_size) || fstat(fd, &st))
		abort();
	rmas[nrmas].dev = st.st_dev;
	rmas[nrmas++].ino = st.st_ino;
	*ret_size = host->rma_size;
	return fd;
}

/* What /proc says that is mapped at HVA; false: nothing of an RMA. */
static bool mapped_rma(uint64_t hva, uint64_t *ret_start, uint64_t *ret_offset, ino_t *ret_ino)
{
	FILE *f = fopen("/proc/self/maps", "r");
	char line[512];
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f)) {
		unsigned long start, end, offset, ino;
		unsigned major, minor;

		if (sscanf(line, "%lx-%lx %*s %lx %x:%x %lu", &start, &end, &offset, &major, &minor, &ino) != 6)
			continue;
		if (hva < start || hva >= end)
			continue;
		for (unsigned i = 0; i < nrmas; i++)
			found |= rmas[i].ino == ino;
		*ret_start = start;
		*ret_offset = offset;
		*ret_ino = ino;
		break;
	}
	if (f)
		fclose(f);
	return found;
}

bool fake_kvm_is_rma(uint64_t hva)
{
	uint64_t start, offset;
	ino_t ino;

	return mapped_rma(hva, &start, &offset, &ino);
}

unsigned fake_kvm_rmas(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 1024; fd++) {
		struct stat st;

		for (unsigned i = 0; i < nrmas && !fstat(fd, &st); i++)
			n += rmas[i].ino == st.st_ino && rmas[i].dev == st.st_dev;
	}
	return n;
}

int fake_kvm_may_run(void)
{
	uint64_t start, offset;
	ino_t ino;

	if (host->rma < 2)
		return 0;
	for (size_t i = 0; i < nslots; i++)
		if (covers(&slots[i], 0))
			return mapped_rma(slots[i].is.hva, &start, &offset, &ino) && slots[i].is.hva - start + offset == 0 ? 0 : -EPERM;
	return -EINVAL;
}

/* -- memory slots -- */

static size_t find(unsigned id)
{
	size_t i = 0;

	while (i < nslots && slots[i].is.id < id)
		i++;
	return i;
}

static bool is_number(unsigned id)
{
	return id >> 16 < (host->spaces > 1 ? host->spaces : 1) && (id & 0xffff) < host->max_slots;
}

static bool overlaps(const struct kvm_userspace_memory_region *r)
{
	for (size_t i = 0; i < nslots; i++)
		if (slots[i].is.id != r->slot && slots[i].is.id >> 16 == r->slot >> 16 &&
		    r->guest_phys_addr < slots[i].is.gpa + slots[i].is.size &&
		    slots[i].is.gpa < r->guest_phys_addr + r->memory_size)
			return true;
	return false;
}

static void set_log(struct slot *s)
{
	bool on = s->is.flags & KVM_MEM_LOG_DIRTY_PAGES;

	if (on && !s->dirty)
		s->dirty = calloc(s->is.size / page() / 64 + 1, sizeof(uint64_t));
	if (!on) {
		free(s->dirty);
		s->dirty = NULL;
	}
}

static int set_region(const struct kvm_userspace_memory_region *r)
{
	uint32_t known = KVM_MEM_LOG_DIRTY_PAGES | (host->readonly ? (uint32_t)KVM_MEM_READONLY : 0);
	size_t at = find(r->slot);
	bool have = at < nslots && slots[at].is.id == r->slot;
	struct slot *s = &slots[at];

	if ((r->flags & ~known) || ((r->memory_size | r->guest_phys_addr | r->userspace_addr) & (page() - 1)) ||
	    r->userspace_addr >> 47 || (r->userspace_addr + r->memory_size) >> 47 || !is_number(r->slot) ||
	    r->guest_phys_addr + r->memory_size < r->guest_phys_addr ||
	    r->memory_size / page() > PAGES_MAX)
		return -EINVAL;
	if (!r->memory_size) {
		if (!have)
			return -EINVAL;
		drop(at);
		return 0;
	}
	if (have && (s->is.size != r->memory_size || s->is.hva != r->userspace_addr ||
		     ((s->is.flags ^ r->flags) & KVM_MEM_READONLY)))
		return -EINVAL;
	if ((!have || s->is.gpa != r->guest_phys_addr) && overlaps(r))
		return -EEXIST;
	if (!have) {
		if (nslots == SLOTS_MAX)
			return -ENOMEM;
		memmove(s + 1, s, (nslots - at) * sizeof(*s));
		nslots++;
		s->dirty = NULL;
	} else if (s->is.gpa != r->guest_phys_addr) {
		free(s->dirty);         /* a moved slot's log begins anew */
		s->dirty = NULL;
	}
	s->is = (struct fake_slot){ r->slot, r->flags, r->guest_phys_addr, r->memory_size, r->userspace_addr };
	set_log(s);
	return 0;
}

static int get_log(const struct kvm_dirty_log *d)
{
	size_t at = find(d->slot), bytes;
	struct slot *s = &slots[at];

	if (!is_number(d->slot))
		return -EINVAL;
	if (at == nslots || s->is.id != d->slot || !s->dirty)
		return -ENOENT;
	bytes = (s->is.size / page() + 63) / 64 * 8;
	memcpy(d->dirty_bitmap, s->dirty, bytes);
	if (!manual)
		memset(s->dirty, 0, bytes);
	return 0;
}

static int clear_log(const struct kvm_clear_dirty_log *c)
{
	const uint64_t *bits = c->dirty_bitmap;
	size_t at = find(c->slot);
	struct slot *s = &slots[at];
	uint64_t pages;

	if (!is_number(c->slot))
		return -EINVAL;
	if (at == nslots || s->is.id != c->slot || !s->dirty)
		return -ENOENT;
	pages = s->is.size / page();
	if (c->first_page % 64 || c->first_page > pages || c->num_pages > pages - c->first_page ||
	    (c->num_pages % 64 && c->first_page + c->num_pages != pages))
		return -EINVAL;
	for (uint64_t i = 0; i < c->num_pages; i++)
		if (bits[i / 64] >> i % 64 & 1)
			s->dirty[(c->first_page + i) / 64] &= ~(1ull << i % 64);
	return 0;
}

static int enable(const struct kvm_enable_cap *c)
{
	if (c->cap == KVM_CAP_PPC_PAPR)
		return host->papr ? 0 : -EINVAL;
	if (c->cap != KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2 || !host->manual_log)
		return -EINVAL;
	manual = c->args[0];
	return 0;
}

static int capability(unsigned long cap)
{
	switch (cap) {
	case CAP_PPC_RMA: return host->rma;
	case KVM_CAP_READONLY_MEM: return host->readonly;
	case KVM_CAP_SYNC_MMU: return host->sync_mmu;
	case KVM_CAP_IMMEDIATE_EXIT: return host->immediate_exit;
	case KVM_CAP_MULTI_ADDRESS_SPACE: return (int)host->spaces;
	case KVM_CAP_NR_MEMSLOTS: return (int)host->max_slots;
	case KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2: return host->manual_log;
	case KVM_CAP_USER_MEMORY: return 1;
	case KVM_CAP_ONE_REG: return host->one_reg;
	case KVM_CAP_SET_GUEST_DEBUG: return host->guest_debug;
	case KVM_CAP_PPC_GUEST_DEBUG_SSTEP: return host->single_step;
	case KVM_CAP_PPC_PAPR: return host->papr;
	case KVM_CAP_GUEST_DEBUG_HW_BPS: return (int)host->hw_breaks;
	}
	return 0;
}

int kvm_ioctl(int fd, unsigned long request, void *arg)
{
	int r = judge(request);

	if (r)
		return -r;
	if (_IOC_TYPE(request) == KVMIO && _IOC_NR(request) == ALLOCATE_RMA)
		return _IOC_SIZE(request) == sizeof(uint64_t) && _IOC_DIR(request) == _IOC_READ ? allocate_rma(arg) : -ENOTTY;
	switch (request) {
	case KVM_SET_USER_MEMORY_REGION: return set_region(arg);
	case KVM_GET_DIRTY_LOG: return get_log(arg);
	case KVM_CLEAR_DIRTY_LOG: return clear_log(arg);
	case KVM_ENABLE_CAP: return enable(arg);
	}
	return cpus ? cpus->request(fd, request, arg) : -ENOTTY;
}

int kvm_ioctl_num(int fd, unsigned long request, unsigned long arg)
{
	int r = judge(request);

	if (r)
		return -r;
	switch (request) {
	case KVM_CHECK_EXTENSION: return capability(arg);
	case KVM_GET_API_VERSION: return KVM_API_VERSION;
	case KVM_GET_VCPU_MMAP_SIZE: return (int)page();
	case KVM_CREATE_VM: return memfd_create("VM", MFD_CLOEXEC);
	case KVM_CREATE_VCPU: return cpus ? cpus->create(host) : -ENOTTY;
	case KVM_RUN: return cpus ? cpus->run(fd) : -ENOTTY;
	}
	return -ENOTTY;
}

int kvm_device_open(void)
{
	return host ? memfd_create("kvm", MFD_CLOEXEC) : -ENOENT;
}
