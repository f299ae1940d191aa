/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kvm/slots.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define HUGE_SIZE 0x200000ull

/* What hardware itself puts into the physical map; a slot there would hide it (or be hidden by it). */
static const struct {
	uint64_t gpa, size;
	const char *what;
} reserved[] = {
	{ 0xfec00000, 0x1000, "the I/O APIC" },
	{ 0xfee00000, 0x1000, "the local APIC" },
	{ 0xfeffc000, 0x4000, "the TSS and identity map pages" },
};

struct slot {
	unsigned id;
	uint64_t gpa, size;
	uint8_t *hva;
	const char *label;
};

struct slots {
	const struct kvm *kvm;
	struct gmem *gmem;      /* orders them by gpa */
	struct slot *v;         /* by slot number; size 0: free */
	size_t n;
};

int slots_new(const struct kvm *k, struct slots **ret, struct err *err)
{
	struct slots *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return err_set(err, ENOMEM, "out of memory");
	s->kvm = k;
	r = gmem_new(&s->gmem, err);
	if (r) {
		free(s);
		return r;
	}
	*ret = s;
	return 0;
}

void slots_free(struct slots *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].size)
			munmap(s->v[i].hva, s->v[i].size);
	free(s->v);
	gmem_free(s->gmem);
	free(s);
}

static int check_range(const struct slots *s, unsigned id, uint64_t gpa, uint64_t size, struct err *err)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), width = s->kvm->phys_bits;

	if (id >= s->kvm->max_slots)
		return err_set(err, EINVAL, "slot %u: this host has slots 0 to %u", id, s->kvm->max_slots - 1);
	if (id < s->n && s->v[id].size)
		return err_set(err, EEXIST, "slot %u is in use (gpa 0x%" PRIx64 ", 0x%" PRIx64 " bytes)", id,
			       s->v[id].gpa, s->v[id].size);
	if (!size || (gpa | size) % page)
		return err_set(err, EINVAL,
			       "slot %u: gpa 0x%" PRIx64 " and size 0x%" PRIx64 " must be multiples of 0x%" PRIx64
			       ", the size not 0", id, gpa, size, page);
	if (gpa + size < gpa || (width < 64 && (gpa + size - 1) >> width))
		return err_set(err, EINVAL,
			       "slot %u: gpa 0x%" PRIx64 " + 0x%" PRIx64 " is beyond the guest's %" PRIu64 " address bits",
			       id, gpa, size, width);
	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		if (gpa < reserved[i].gpa + reserved[i].size && reserved[i].gpa < gpa + size)
			return err_set(err, EEXIST, "slot %u: gpa 0x%" PRIx64 " belongs to %s", id, reserved[i].gpa,
				       reserved[i].what);
	return 0;
}

/* Anonymous memory whose address agrees with GPA in its low 21 bits, so that huge pages can map it. */
static uint8_t *map_aligned(uint64_t gpa, uint64_t size)
{
	uint64_t want = gpa % HUGE_SIZE, span = size + HUGE_SIZE, skip;
	uint8_t *p;

	if (span < size || span > SIZE_MAX)
		return NULL;
	p = mmap(NULL, span, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	skip = (want - (uintptr_t)p % HUGE_SIZE + HUGE_SIZE) % HUGE_SIZE;
	if (skip)
		munmap(p, skip);
	if (span - skip - size)
		munmap(p + skip + size, span - skip - size);
	madvise(p + skip, size, MADV_HUGEPAGE);         /* a host without huge pages does as well */
	return p + skip;
}

/* Room for slot number ID in the table. */
static int table_grow(struct slots *s, unsigned id, struct err *err)
{
	struct slot *v;

	if (id < s->n)
		return 0;
	v = reallocarray(s->v, id + 1, sizeof(*v));
	if (!v)
		return err_set(err, ENOMEM, "out of memory");
	for (size_t i = s->n; i <= id; i++)
		v[i] = (struct slot){ 0 };
	s->v = v;
	s->n = id + 1;
	return 0;
}

int slots_add_anon(struct slots *s, unsigned id, uint64_t gpa, uint64_t size, const char *label, struct err *err)
{
	struct kvm_userspace_memory_region kr = { .slot = id, .guest_phys_addr = gpa, .memory_size = size };
	struct gmem_region gr = { .gpa = gpa, .size = size, .slot = (int)id };
	uint8_t *hva;
	int r;

	r = check_range(s, id, gpa, size, err);
	if (!r)
		r = table_grow(s, id, err);
	if (r)
		return r;
	hva = map_aligned(gpa, size);
	if (!hva)
		return err_set(err, ENOMEM, "the host cannot map 0x%" PRIx64 " bytes of guest memory", size);
	gr.hva = hva;
	r = gmem_add(s->gmem, &gr, err);
	if (r)
		goto fail;
	kr.userspace_addr = (uintptr_t)hva;
	r = kvm_ioctl(s->kvm->vm_fd, KVM_SET_USER_MEMORY_REGION, &kr);
	if (r < 0) {
		gmem_remove(s->gmem, gpa);
		r = err_errno(err, -r, "slot %u: KVM_SET_USER_MEMORY_REGION", id);
		goto fail;
	}
	s->v[id] = (struct slot){ .id = id, .gpa = gpa, .size = size, .hva = hva, .label = label };
	return 0;
fail:
	munmap(hva, size);
	return r;
}

int slots_clear(struct slots *s, struct err *err)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].size && madvise(s->v[i].hva, s->v[i].size, MADV_DONTNEED))
			return err_errno(err, errno, "slot %zu: clearing its memory", i);
	return 0;
}

struct gmem *slots_gmem(struct slots *s)
{
	return s->gmem;
}

bool slots_at(const struct slots *s, size_t index, struct slot_info *ret)
{
	const struct gmem_region *g = gmem_at(s->gmem, index);
	const struct slot *v;

	if (!g)
		return false;
	v = &s->v[g->slot];
	*ret = (struct slot_info){
		.id = v->id,
		.gpa = v->gpa,
		.size = v->size,
		.hva = (uintptr_t)v->hva,
		.huge_aligned = v->gpa % HUGE_SIZE == (uintptr_t)v->hva % HUGE_SIZE,
		.backing = "anon",
		.label = v->label,
	};
	return true;
}
