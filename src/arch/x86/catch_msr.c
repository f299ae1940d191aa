/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Catching MSR accesses: KVM denies those its filter names and asks us instead (api.rst, KVM_X86_SET_MSR_FILTER and
 * KVM_CAP_X86_USER_SPACE_MSR).
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "arch/x86/catch_x86.h"

/* "x2APIC MSR accesses cannot be filtered." */
#define X2APIC_FIRST 0x800u
#define X2APIC_LAST  0x8ffu
/* MSRs that one bitmap has bits for. */
#define BITMAP_MSRS (8u * KVM_MSR_FILTER_MAX_BITMAP_SIZE)

_Static_assert(CATCH_MSR_SPAN <= BITMAP_MSRS && CATCH_MSR_RANGES == KVM_MSR_FILTER_MAX_RANGES, "KVM's limits");

int catch_msrs_check(uint64_t start, uint64_t end, struct err *err)
{
	if (end - start >= CATCH_MSR_SPAN)
		return err_set(err, EINVAL, "a catchpoint takes at most 0x%x MSRs", CATCH_MSR_SPAN);
	if (start <= X2APIC_LAST && end >= X2APIC_FIRST)
		return err_set(err, ENOTSUP, "KVM does not show accesses to the x2APIC's MSRs, 0x%x to 0x%x",
			       X2APIC_FIRST, X2APIC_LAST);
	/* A range's end is one more, in 32 bits. */
	if (end == UINT32_MAX)
		return err_set(err, ENOTSUP, "KVM does not show accesses to MSR 0x%" PRIx64, end);
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct catch_spec *x = a, *y = b;

	if (x->dir != y->dir)
		return x->dir < y->dir ? -1 : 1;
	return x->start < y->start ? -1 : x->start > y->start;
}

/* Lets R grow to END, when that needs no more than one bitmap. */
static bool grow(struct catch_msr_range *r, const struct catch_spec *s)
{
	if (s->dir != r->dir || s->start > (uint64_t)r->base + r->count || s->end - r->base >= BITMAP_MSRS)
		return false;
	if (s->end >= (uint64_t)r->base + r->count)
		r->count = (uint32_t)(s->end - r->base + 1);
	return true;
}

int catch_msrs_make(const struct catch_info *info, size_t n, struct catch_msrs *ret, struct err *err)
{
	struct catch_spec *spec = calloc(n ? n : 1, sizeof(*spec));
	struct catch_msrs m = { 0 };
	size_t k = 0;
	int r = 0;

	if (!spec)
		return err_set(err, ENOMEM, "no memory for the MSR filter");
	for (size_t i = 0; i < n; i++)
		if (info[i].spec.kind == CATCH_SPECIAL)
			spec[k++] = info[i].spec;
	/* Neighbours of one direction come together, and become one range. */
	qsort(spec, k, sizeof(*spec), compare);
	for (size_t i = 0; i < k && !r; i++) {
		if (m.n && grow(&m.range[m.n - 1], &spec[i]))
			continue;
		if (m.n == CATCH_MSR_RANGES)
			r = err_set(err, ENOSPC, "KVM filters at most %u ranges of MSRs", CATCH_MSR_RANGES);
		else
			m.range[m.n++] = (struct catch_msr_range){
				.base = (uint32_t)spec[i].start,
				.count = (uint32_t)(spec[i].end - spec[i].start + 1),
				.dir = spec[i].dir,
			};
	}
	free(spec);
	if (!r)
		*ret = m;
	return r;
}

static int check_caps(const struct vm *vm, struct err *err)
{
	static const struct { unsigned cap; const char *name; } caps[] = {
		{ KVM_CAP_X86_USER_SPACE_MSR, "KVM_CAP_X86_USER_SPACE_MSR" },
		{ KVM_CAP_X86_MSR_FILTER, "KVM_CAP_X86_MSR_FILTER" },
	};

	for (size_t i = 0; i < sizeof(caps) / sizeof(caps[0]); i++)
		if (kvm_ioctl_num(vm->kvm.vm_fd, KVM_CHECK_EXTENSION, caps[i].cap) <= 0)
			return err_set(err, ENOTSUP, "this host's KVM lacks %s, so MSR accesses cannot be caught",
				       caps[i].name);
	return 0;
}

int catch_msrs_set(const struct catch_table *t, struct err *err)
{
	/* Nothing allowed.  The kernel only reads it. */
	static uint8_t deny[KVM_MSR_FILTER_MAX_BITMAP_SIZE];
	struct kvm_msr_filter filter = { .flags = KVM_MSR_FILTER_DEFAULT_ALLOW };
	struct kvm_enable_cap cap = { .cap = KVM_CAP_X86_USER_SPACE_MSR };
	struct catch_msrs m;
	int r = catch_msrs_make(t->info, t->n, &m, err);

	if (!r)
		r = check_caps(t->vm, err);
	if (r)
		return r;
	for (unsigned i = 0; i < m.n; i++)
		filter.ranges[i] = (struct kvm_msr_filter_range){
			.flags = (m.range[i].dir & CATCH_READ ? KVM_MSR_FILTER_READ : 0) |
				 (m.range[i].dir & CATCH_WRITE ? KVM_MSR_FILTER_WRITE : 0),
			.base = m.range[i].base,
			.nmsrs = m.range[i].count,
			.bitmap = deny,
		};
	cap.args[0] = m.n ? KVM_MSR_EXIT_REASON_FILTER : 0;
	r = kvm_ioctl(t->vm->kvm.vm_fd, KVM_ENABLE_CAP, &cap);
	if (r)
		return err_errno(err, -r, "KVM_CAP_X86_USER_SPACE_MSR");
	r = kvm_ioctl(t->vm->kvm.vm_fd, KVM_X86_SET_MSR_FILTER, &filter);
	return r ? err_errno(err, -r, "KVM_X86_SET_MSR_FILTER") : 0;
}

void catch_do_msr(struct vcpu *v, struct catch_access *ret)
{
	struct kvm_run *run = v->run;
	bool write = run->exit_reason == KVM_EXIT_X86_WRMSR;
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry;
	} one = { .head.nmsrs = 1, .entry = { .index = run->msr.index, .data = run->msr.data } };
	int r = kvm_ioctl(v->fd, write ? KVM_SET_MSRS : KVM_GET_MSRS, &one);
	bool done = r == 1;

	if (done && !write)
		run->msr.data = one.entry.data;
	run->msr.error = !done;
	/* Not the processor's refusal; the guest gets the same exception, and whoever debugs it is told. */
	if (r < 0)
		vcpu_failed(v, write ? "KVM_SET_MSRS" : "KVM_GET_MSRS", r);
	v->needs_completion = true;
	*ret = (struct catch_access){
		.kind = CATCH_SPECIAL,
		.addr = run->msr.index,
		.write = write,
		.size = sizeof(run->msr.data),
		.count = 1,
		.data = (const uint8_t *)&run->msr.data,
		.claimed = true,
		.refused = !done,
	};
}
