/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kvm/ring.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kvm/dirty.h"

#define RESET_TRIES 1000        /* one does it; more than a few mean that KVM will not */

struct ring {
	struct kvm_dirty_gfn *entry;    /* mapped; NULL: no vCPU yet */
	uint32_t next;                  /* the entry that KVM fills, or has filled, next; wraps by itself */
	bool overrun;                   /* KVM has gone on further than that: `next` has to catch up */
};

struct rings {
	struct slots *slots;
	uint32_t entries;
	struct ring cpu[MACHINE_CPUS_MAX];
};

int rings_new(struct slots *s, unsigned entries, struct rings **ret, struct err *err)
{
	const struct kvm *k = slots_kvm(s);
	size_t bytes = (size_t)entries * sizeof(struct kvm_dirty_gfn);
	struct kvm_enable_cap cap = { .cap = KVM_CAP_DIRTY_LOG_RING_ACQ_REL, .args = { bytes } };
	struct rings *p;
	int max = kvm_ioctl_num(k->vm_fd, KVM_CHECK_EXTENSION, cap.cap), r;

	/* The same under its older name, which promises x86's order of memory accesses. */
	if (max <= 0) {
		cap.cap = KVM_CAP_DIRTY_LOG_RING;
		max = kvm_ioctl_num(k->vm_fd, KVM_CHECK_EXTENSION, cap.cap);
	}
	if (max <= 0)
		return err_set(err, ENOTSUP, "this host's KVM lacks KVM_CAP_DIRTY_LOG_RING (dirty logs as rings)");
	if (bytes > (size_t)max)
		return err_set(err, ENOTSUP, "this host's KVM_CAP_DIRTY_LOG_RING allows rings of %d bytes, not of %zu", max,
			       bytes);
	p = calloc(1, sizeof(*p));
	if (!p)
		return err_set(err, ENOMEM, "out of memory");
	r = kvm_ioctl(k->vm_fd, KVM_ENABLE_CAP, &cap);
	if (r < 0) {
		free(p);
		return err_errno(err, -r, "KVM_CAP_DIRTY_LOG_RING, rings of %zu bytes", bytes);
	}
	p->slots = s;
	p->entries = entries;
	*ret = p;
	return 0;
}

void rings_free(struct rings *r)
{
	if (!r)
		return;
	for (unsigned i = 0; i < MACHINE_CPUS_MAX; i++)
		if (r->cpu[i].entry)
			munmap(r->cpu[i].entry, r->entries * sizeof(*r->cpu[i].entry));
	free(r);
}

int rings_add(struct rings *r, unsigned cpu, int vcpu_fd, struct err *err)
{
	void *p = mmap(NULL, r->entries * sizeof(struct kvm_dirty_gfn), PROT_READ | PROT_WRITE, MAP_SHARED, vcpu_fd,
		       KVM_DIRTY_LOG_PAGE_OFFSET * sysconf(_SC_PAGESIZE));

	if (p == MAP_FAILED)
		return err_errno(err, errno, "vCPU %u: mapping its dirty ring", cpu);
	r->cpu[cpu].entry = p;
	return 0;
}

/* The entry N behind the next one. */
static struct kvm_dirty_gfn *at(const struct rings *r, const struct ring *ring, uint32_t n)
{
	return &ring->entry[(ring->next + n) & (r->entries - 1)];
}

/* What KVM wrote before the flag is read after it. */
static bool is_dirty(const struct kvm_dirty_gfn *e)
{
	return (__atomic_load_n(&e->flags, __ATOMIC_ACQUIRE) & KVM_DIRTY_GFN_F_MASK) == KVM_DIRTY_GFN_F_DIRTY;
}

static void give_back(struct ring *ring, struct kvm_dirty_gfn *e)
{
	__atomic_store_n(&e->flags, KVM_DIRTY_GFN_F_RESET, __ATOMIC_RELEASE);
	ring->next++;
}

/*
 * The entries that KVM filled twice are free now, and it goes on as many behind `next`: those between are given back once more.
 * False: it has come round to `next` again, so that how many is still to be found out.
 */
static bool catch_up(struct rings *r, struct ring *ring)
{
	uint32_t gap = 0;

	if (is_dirty(at(r, ring, 0)))
		return !is_dirty(at(r, ring, r->entries - 1));
	while (gap < r->entries && !is_dirty(at(r, ring, gap)))
		gap++;
	if (gap == r->entries)
		return true;
	ring->overrun = false;
	while (gap--)
		give_back(ring, at(r, ring, 0));
	return true;
}

/* True: every entry is filled, and nobody knows how many KVM has filled twice. */
static bool collect(struct rings *r, struct ring *ring, unsigned *ret_count)
{
	bool in_order = !ring->entry || !ring->overrun || catch_up(r, ring);
	unsigned n = 0;

	for (uint32_t i = 0; ring->entry && i < r->entries; i++) {
		struct kvm_dirty_gfn *e = at(r, ring, 0);

		if (is_dirty(e)) {
			dirty_log_mark(r->slots, e->slot, e->offset);
			n++;
		} else if (in_order)
			break;
		give_back(ring, e);
	}
	*ret_count = n;
	if (n < r->entries)
		return false;
	ring->overrun = true;
	return true;
}

/* Whether KVM has still to take back what was collected last: it goes from the oldest entry to the newest. */
static bool is_owed(const struct rings *r, const struct ring *ring)
{
	return ring->entry && (__atomic_load_n(&at(r, ring, UINT32_MAX)->flags, __ATOMIC_ACQUIRE) & KVM_DIRTY_GFN_F_RESET);
}

/*
 * The pages of N rings from RING on are write-protected anew, and the entries free.  Linux 6.16 and later end this early when
 * a signal is pending, such as a kick, with entries left, and with pages forgotten that it had taken from the ring but not
 * protected yet: what is written to them afterwards would be lost.  So no signal comes through.
 */
static int reset(struct rings *r, const struct ring *ring, unsigned n, struct err *err)
{
	sigset_t all, old;
	int rc = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	for (unsigned i = 0, tries = 0; i < n && rc >= 0; i++)
		while (is_owed(r, &ring[i]) && rc >= 0) {
			rc = kvm_ioctl_num(slots_kvm(r->slots)->vm_fd, KVM_RESET_DIRTY_RINGS, 0);
			if (++tries > RESET_TRIES)
				rc = -EIO;
		}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return rc < 0 ? err_errno(err, -rc, "KVM_RESET_DIRTY_RINGS") : 0;
}

int rings_collect_cpu(struct rings *r, unsigned cpu, unsigned *ret_count, struct err *err)
{
	unsigned n;
	bool overrun = collect(r, &r->cpu[cpu], &n);
	int rc = reset(r, &r->cpu[cpu], 1, err);

	if (!rc && overrun)
		rc = dirty_log_lost(r->slots, err);
	if (!rc)
		*ret_count = n;
	return rc;
}

int rings_collect(struct rings *r, struct err *err)
{
	bool overrun = false;
	unsigned n;
	int rc;

	for (unsigned i = 0; i < MACHINE_CPUS_MAX; i++)
		overrun |= collect(r, &r->cpu[i], &n);
	rc = reset(r, r->cpu, MACHINE_CPUS_MAX, err);
	return !rc && overrun ? dirty_log_lost(r->slots, err) : rc;
}
