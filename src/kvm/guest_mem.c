/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kvm/guest_mem.h"

#include <errno.h>
#include <inttypes.h>

#include "arch/arch.h"
#include "kvm/vcpu.h"

/* A page at a time, each by way of the breakpoints, so that traps neither show nor get lost. */
static size_t mem_access(struct vcpu *v, uint64_t gva, uint8_t *ret, const uint8_t *data, size_t len, struct err *err)
{
	struct break_table *b = v->vm->breaks;
	size_t done = 0;

	while (done < len) {
		struct translation t;
		size_t n = len - done, got;

		if (arch.translate(v, gva + done, &t, err))
			break;
		if (t.page_size && n > t.page_size - (t.gva & (t.page_size - 1)))
			n = t.page_size - (t.gva & (t.page_size - 1));
		vcpu_lock(v);
		got = data ? break_write(b, t.gpa, data + done, n) : break_read(b, t.gpa, ret + done, n);
		vcpu_unlock(v);
		done += got;
		if (got < n) {
			err_set(err, ENXIO, "no memory at gpa 0x%" PRIx64, t.gpa + got);
			break;
		}
	}
	return done;
}

size_t guest_mem_read(struct vcpu *v, uint64_t gva, void *ret, size_t len, struct err *err)
{
	return mem_access(v, gva, ret, NULL, len, err);
}

size_t guest_mem_write(struct vcpu *v, uint64_t gva, const void *data, size_t len, struct err *err)
{
	return mem_access(v, gva, NULL, data, len, err);
}
