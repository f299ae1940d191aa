/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What x86 adds to the table of catchpoints, put together. */
#include "arch/x86/catch_x86.h"

#include <errno.h>

/* What KVM's interrupt controllers and timer answer in the kernel. */
static const struct {
	enum catch_kind kind;
	uint64_t start, end;
	const char *name;
} inside[] = {
	{ CATCH_PORT, 0x20, 0x21, "interrupt controller" },
	{ CATCH_PORT, 0x40, 0x43, "timer" },
	{ CATCH_PORT, 0x61, 0x61, "timer" },
	{ CATCH_PORT, 0xa0, 0xa1, "interrupt controller" },
	{ CATCH_PORT, 0x4d0, 0x4d1, "interrupt controller" },
	{ CATCH_MMIO, 0xfec00000, 0xfec000ff, "I/O APIC" },
	{ CATCH_MMIO, 0xfee00000, 0xfee00fff, "local APIC" },
};

int x86_catch_check(const struct catch_spec *s, struct err *err)
{
	for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++)
		if (inside[i].kind == s->kind && s->start >= inside[i].start && s->end <= inside[i].end)
			return err_set(err, ENOTSUP, "KVM's own %s answers there, and shows no access to it",
				       inside[i].name);
	return s->kind == CATCH_SPECIAL ? catch_msrs_check(s->start, s->end, err) : 0;
}

int x86_catch_changed(struct catch_table *t, enum catch_kind kind, struct err *err)
{
	switch (kind) {
	case CATCH_SPECIAL:
		return catch_msrs_set(t, err);
	case CATCH_EXCEPTION:
		return catch_vectors_changed(t, err);
	case CATCH_PANIC:
	case CATCH_OOPS:
	case CATCH_KERNEL:
		return catch_kernel_changed(t, kind, err);
	default:
		return 0;
	}
}

void x86_catch_follow(struct catch_table *t)
{
	catch_vectors_follow(t, NULL);
	catch_kernel_follow(t, NULL);
}

bool x86_catch_wants_tick(const struct catch_table *t)
{
	return catch_has(t, CATCH_EXCEPTION) || catch_kernel_wants_tick(t);
}

bool x86_catch_hit(struct catch_table *t, struct vcpu *v, uint64_t gva, struct stop_event *ev)
{
	return catch_vector(t, v, gva, ev) || catch_kernel_hit(t, v, gva, ev);
}

void x86_catch_told(struct catch_table *t, enum catch_kind kind)
{
	if (kind == CATCH_KERNEL)
		catch_kernel_told(t);
}

void x86_catch_free(struct catch_table *t)
{
	catch_vectors_free(t->vectors);
	catch_kernel_free(t->kernel);
}
