/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "arch/x86/assist_mem.h"

#include <errno.h>
#include <string.h>

#include "kvm/dirty.h"
#include "arch/x86/regs.h"
#include "arch/x86/access.h"

#define CACHE_LINE 64u

/* One page's part of an access that is allowed.  Where no memory is, reads find ones and writes are lost, as on a bus nobody answers. */
static void touch(struct vcpu *v, const struct translation *t, uint8_t *data, size_t n, bool write)
{
	struct vm *vm = v->vm;
	const struct gmem_region *r = gmem_find(vm->gmem, t->gpa);
	size_t done = 0;

	if (!write) {
		done = break_read(vm->breaks, t->gpa, data, n);
		memset(data + done, 0xff, n - done);
		return;
	}
	if (r && r->watched)
		dirty_who_note(vm->who, (unsigned)r->slot, v->id, regs_pc(v), t->gpa);
	if (r && !r->readonly)
		break_write(vm->breaks, t->gpa, data, n);
}

static size_t page_part(uint64_t gva, size_t len)
{
	size_t n = GMEM_PAGE - gva % GMEM_PAGE;

	return n < len ? n : len;
}

/* Whether the whole of an access is allowed: else -EFAULT with *RET. */
static int check(struct vcpu *v, const struct paging *p, uint64_t gva, size_t len, bool write, struct assist_fault *ret)
{
	struct access_by by;
	struct insn_regs r;

	regs_insn(v, &r);
	by = (struct access_by){ r.cpl, r.rflags };
	for (size_t done = 0; done < len; done += page_part(gva + done, len - done)) {
		struct translation t;
		uint32_t code;

		translate(v->vm->gmem, p, gva + done, &t, NULL);
		if (!access_check(p, &t, write ? ACCESS_WRITE : ACCESS_READ, &by, &code))
			continue;
		*ret = (struct assist_fault){ .code = code, .gva = t.gva };
		return -EFAULT;
	}
	return 0;
}

/* The access itself, which check() has allowed; a page may have gone since. */
static void carry_out(struct vcpu *v, const struct paging *p, uint64_t gva, uint8_t *data, size_t len, bool write)
{
	for (size_t done = 0, n; done < len; done += n) {
		struct translation t;

		n = page_part(gva + done, len - done);
		if (translate(v->vm->gmem, p, gva + done, &t, NULL))
			continue;
		access_mark(v->vm->gmem, p, &t, write);
		touch(v, &t, data + done, n, write);
	}
}

int assist_mem_access(void *arg, uint64_t gva, void *data, size_t len, bool write, struct assist_fault *ret)
{
	struct vcpu *v = arg;
	struct paging p;
	int r;

	regs_paging(v, &p);
	r = check(v, &p, gva, len, write, ret);
	if (!r)
		carry_out(v, &p, gva, data, len, write);
	return r;
}

/* In assembler: the compiler would call a library for the long one, and takes the short one to be aligned. */
static bool swap64(void *at, void *expected, const void *desired)
{
	uint64_t was, now;
	bool equal;

	memcpy(&was, expected, sizeof(was));
	memcpy(&now, desired, sizeof(now));
	__asm__ volatile("lock cmpxchg %3, %1" : "=@ccz"(equal), "+m"(*(uint8_t (*)[8])at), "+a"(was) : "r"(now) : "memory");
	memcpy(expected, &was, sizeof(was));
	return equal;
}

static bool swap128(void *at, void *expected, const void *desired)
{
	uint64_t was[2], now[2];
	bool equal;

	memcpy(was, expected, sizeof(was));
	memcpy(now, desired, sizeof(now));
	__asm__ volatile("lock cmpxchg16b %1" : "=@ccz"(equal), "+m"(*(uint8_t (*)[16])at), "+a"(was[0]), "+d"(was[1])
			 : "b"(now[0]), "c"(now[1]) : "memory");
	memcpy(expected, was, sizeof(was));
	return equal;
}

/* The host memory that LEN bytes at T are, if they can be changed in place. */
static uint8_t *in_place(struct vcpu *v, const struct translation *t, size_t len)
{
	const struct gmem_region *r = gmem_find(v->vm->gmem, t->gpa);
	size_t n = len;
	uint8_t *host = gmem_span(v->vm->gmem, t->gpa, &n);

	if (!r || r->readonly || !host || n < len || (uintptr_t)host % CACHE_LINE + len > CACHE_LINE ||
	    (len == 16 && (uintptr_t)host % 16))
		return NULL;
	for (size_t i = 0; i < len && break_sites(v->vm->breaks); i++)
		if (break_site_at(v->vm->breaks, t->gpa + i))
			return NULL;
	return host;
}

static bool swap_in_place(struct vcpu *v, const struct translation *t, uint8_t *host, void *expected, const void *desired,
			  size_t len)
{
	const struct gmem_region *r = gmem_find(v->vm->gmem, t->gpa);
	bool equal;

	if (r->watched)
		dirty_who_note(v->vm->who, (unsigned)r->slot, v->id, regs_pc(v), t->gpa);
	equal = len == 16 ? swap128(host, expected, desired) : swap64(host, expected, desired);
	/* The processor writes what it found where they differ. */
	gmem_touch(v->vm->gmem, t->gpa, len);
	return equal;
}

int assist_mem_cmpxchg(void *arg, uint64_t gva, void *expected, const void *desired, size_t len, bool *ret_equal,
		       struct assist_fault *ret)
{
	struct vcpu *v = arg;
	struct translation t;
	uint8_t was[16];
	uint8_t *host;
	struct paging p;
	int r;

	regs_paging(v, &p);
	r = check(v, &p, gva, len, true, ret);
	if (r)
		return r;
	if (page_part(gva, len) == len && !translate(v->vm->gmem, &p, gva, &t, NULL)) {
		host = in_place(v, &t, len);
		if (host) {
			access_mark(v->vm->gmem, &p, &t, true);
			*ret_equal = swap_in_place(v, &t, host, expected, desired, len);
			return 0;
		}
	}
	carry_out(v, &p, gva, was, len, false);
	*ret_equal = !memcmp(was, expected, len);
	memcpy(expected, was, len);
	carry_out(v, &p, gva, *ret_equal ? (uint8_t *)(uintptr_t)desired : was, len, true);
	return 0;
}
