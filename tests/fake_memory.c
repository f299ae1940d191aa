/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/fake_machine.h"

#include <errno.h>
#include <string.h>

#include "tests/fake_parts.h"

bool fake_canonical(uint64_t gva)
{
	return (uint64_t)((int64_t)(gva << 16) >> 16) == gva;
}

/* How many bytes from GVA on are RAM, at most LEN; ERR is set when that is less than LEN. */
static size_t span(const struct fake_machine *f, uint64_t gva, size_t len, bool is_virtual, struct err *err)
{
	const struct fake_config *c = &f->config;
	uint64_t end = c->ram_size, at;
	bool in_hole = is_virtual && gva - c->hole < c->hole_size;

	if (is_virtual && c->hole_size && gva < c->hole)
		end = c->hole;
	if (in_hole)
		end = gva;
	if (gva < end && len <= end - gva)
		return len;
	at = gva < end ? end : gva;
	if (is_virtual && at - c->hole < c->hole_size)
		err_set(err, EFAULT, "0x%llx is not mapped", (unsigned long long)at);
	else if (is_virtual && !fake_canonical(at))
		err_set(err, EFAULT, "0x%llx is not canonical", (unsigned long long)at);
	else
		err_set(err, ENXIO, "no memory at 0x%llx", (unsigned long long)at);
	return gva < end ? end - gva : 0;
}

bool fake_has_ram(const struct fake_machine *f, uint64_t gva)
{
	return span(f, gva, 1, true, NULL) == 1;
}

static size_t op_mem_read(struct machine *m, unsigned cpu, uint64_t gva, void *ret, size_t len, struct err *err)
{
	struct fake_machine *f = fake(m);

	f->calls.mem_read++;
	if (fake_need_parked(f, cpu, err))
		return 0;
	len = span(f, gva, len, true, err);
	if (len)
		memcpy(ret, f->ram + gva, len);
	return len;
}

static size_t op_mem_write(struct machine *m, unsigned cpu, uint64_t gva, const void *data, size_t len,
			   struct err *err)
{
	struct fake_machine *f = fake(m);

	f->calls.mem_write++;
	if (fake_need_parked(f, cpu, err))
		return 0;
	len = span(f, gva, len, true, err);
	if (len) {
		memcpy(f->ram + gva, data, len);
		fake_slots_written(f, gva, len);
	}
	return len;
}

static size_t op_phys_read(struct machine *m, uint64_t gpa, void *ret, size_t len, struct err *err)
{
	len = span(fake(m), gpa, len, false, err);
	if (len)
		memcpy(ret, fake(m)->ram + gpa, len);
	return len;
}

static size_t op_phys_write(struct machine *m, uint64_t gpa, const void *data, size_t len, struct err *err)
{
	len = span(fake(m), gpa, len, false, err);
	if (len) {
		memcpy(fake(m)->ram + gpa, data, len);
		fake_slots_written(fake(m), gpa, len);
	}
	return len;
}

static int op_translate(struct machine *m, unsigned cpu, uint64_t gva, const uint64_t *cr3,
			struct translation *ret, struct err *err)
{
	struct fake_machine *f = fake(m);
	int r = fake_need_parked(f, cpu, err);

	if (r)
		return r;
	*ret = (struct translation){ .gva = gva, .gpa = gva, .page_size = 4096, .nlevels = 4, .slot = -1 };
	for (unsigned i = 0; i < 4; i++)
		ret->level[i] = (struct walk_level){
			.level = 4 - i,
			.entry_gpa = (cr3 ? *cr3 : fake_reg(f, cpu, X86_CR3)) + 0x1000 * i,
			.entry = (i < 3 ? 0x1000 * (i + 1) : gva & ~0xfffULL) | 3,
		};
	ret->present = fake_canonical(gva) && gva - f->config.hole >= f->config.hole_size;
	ret->writable = ret->executable = ret->present;
	if (!ret->present)
		ret->level[3].entry = 0;
	if (gva < f->config.ram_size) {
		ret->slot = 0;
		ret->hva = (uint64_t)(uintptr_t)f->ram + gva;
	}
	return 0;
}

static int op_mem_ranges(struct machine *m, unsigned cpu, bool (*each)(void *arg, const struct mem_range *r),
			 void *arg, struct err *err)
{
	struct fake_machine *f = fake(m);
	const struct fake_config *c = &f->config;
	struct mem_range r = { .writable = true, .executable = true, .page_size = 4096 };
	int e = fake_need_parked(f, cpu, err);

	if (e)
		return e;
	r.size = c->hole_size ? c->hole : c->ram_size;
	if (r.size && !each(arg, &r))
		return 0;
	if (c->hole_size && c->hole + c->hole_size < c->ram_size) {
		r.gva = c->hole + c->hole_size;
		r.size = c->ram_size - r.gva;
		each(arg, &r);
	}
	return 0;
}

void fake_memory_ops(struct machine_ops *ops)
{
	ops->mem_read = op_mem_read;
	ops->mem_write = op_mem_write;
	ops->phys_read = op_phys_read;
	ops->phys_write = op_phys_write;
	ops->translate = op_translate;
	ops->mem_ranges = op_mem_ranges;
}
