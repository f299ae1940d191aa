/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The bytes under our traps. */
#include <string.h>

#include "break/break_priv.h"
#include "util/icache.h"

static uint64_t byte_key(const uint8_t *byte)
{
	return (uintptr_t)byte;
}

static uint64_t page_key(const uint8_t *byte)
{
	return (uintptr_t)byte / GMEM_PAGE;
}

static struct break_page *page_of(const struct break_table *t, const uint8_t *byte)
{
	return HTAB_ENTRY(htab_find(&t->by_page, page_key(byte)), struct break_page, by_page);
}

static struct break_site *site_of(const struct break_table *t, const uint8_t *byte)
{
	return HTAB_ENTRY(htab_find(&t->by_byte, byte_key(byte)), struct break_site, by_byte);
}

struct break_site *break_site_at(const struct break_table *t, uint64_t gpa)
{
	size_t one = 1;
	uint8_t *byte = t->by_byte.count ? gmem_span(t->gmem, gpa, &one) : NULL;

	return byte ? site_of(t, byte) : NULL;
}

/* The site that HOST is a byte of. */
static struct break_site *site_over(const struct break_table *t, const uint8_t *host)
{
	return site_of(t, host - (uintptr_t)host % t->trap.len);
}

/* Whether the trap is at BYTE: the loop thread looks while a vCPU lifts one, so it is looked at whole. */
static bool holds_trap(const struct break_table *t, const uint8_t *byte)
{
	const struct break_trap *trap = &t->trap;
	uint32_t want;

	if (trap->len == 1)
		return __atomic_load_n(byte, __ATOMIC_RELAXED) == trap->bytes[0];
	memcpy(&want, trap->bytes, sizeof(want));
	return __atomic_load_n((const uint32_t *)(const void *)byte, __ATOMIC_RELAXED) == want;
}

static void poke(const struct break_table *t, uint8_t *byte, const uint8_t *value)
{
	uint32_t word;

	if (t->trap.len == 1)
		__atomic_store_n(byte, *value, __ATOMIC_RELAXED);
	else {
		memcpy(&word, value, sizeof(word));
		__atomic_store_n((uint32_t *)(void *)byte, word, __ATOMIC_RELAXED);
	}
	icache_sync(byte, t->trap.len);
}

void break_lift(struct break_table *t, struct break_site *s)
{
	if (s->lifted)
		return;
	s->lifted = true;
	if (holds_trap(t, s->byte))
		poke(t, s->byte, s->saved);
	/* Anything else was written by the guest and stays. */
}

void break_plant(struct break_table *t, struct break_site *s)
{
	if (!s->lifted)
		return;
	memcpy(s->saved, s->byte, t->trap.len);
	poke(t, s->byte, t->trap.bytes);
	s->lifted = false;
}

static struct break_site *site_new(struct break_table *t, uint8_t *byte)
{
	struct break_page *p = page_of(t, byte), *fresh = NULL;
	struct break_site *s = spare_take(&t->sites, sizeof(*s));

	if (!s)
		return NULL;
	if (!p) {
		p = fresh = spare_take(&t->pages, sizeof(*p));
		if (!p || htab_add(&t->by_page, &p->by_page, page_key(byte)))
			goto fail;
	}
	if (htab_add(&t->by_byte, &s->by_byte, byte_key(byte))) {
		if (fresh)
			htab_del(&t->by_page, &fresh->by_page);
		goto fail;
	}
	s->byte = byte;
	s->next = p->first;
	if (s->next)
		s->next->prev = s;
	p->first = s;
	s->lifted = true;
	break_plant(t, s);
	return s;
fail:
	spare_give(&t->pages, fresh);
	spare_give(&t->sites, s);
	return NULL;
}

static void site_forget(struct break_table *t, struct break_site *s)
{
	struct break_page *p = page_of(t, s->byte);

	*(s->prev ? &s->prev->next : &p->first) = s->next;
	if (s->next)
		s->next->prev = s->prev;
	if (!p->first) {
		htab_del(&t->by_page, &p->by_page);
		spare_give(&t->pages, p);
	}
	htab_del(&t->by_byte, &s->by_byte);
	spare_give(&t->sites, s);
}

bool site_attach(struct break_table *t, struct breakpoint *b)
{
	size_t one = 1;
	/* Where no instruction can lie nothing is put. */
	uint8_t *byte = b->gpa % t->trap.len ? NULL : gmem_span(t->gmem, b->gpa, &one);
	struct break_site *s = byte ? site_of(t, byte) : NULL;

	if (byte && !s)
		s = site_new(t, byte);
	if (!s)
		return false;
	b->site = s;
	b->on_site = s->first;
	s->first = b;
	return true;
}

void site_detach(struct break_table *t, struct breakpoint *b)
{
	struct break_site *s = b->site;
	struct breakpoint **p = &s->first;

	while (*p != b)
		p = &(*p)->on_site;
	*p = b->on_site;
	b->site = NULL;
	if (s->first)
		return;
	break_lift(t, s);
	site_forget(t, s);
}

/* Calls FN for every site; it may free the one it is given. */
static void each_site(struct break_table *t, void (*fn)(struct break_table *t, struct break_site *s))
{
	struct htab_link *link, *next;

	for (size_t i = 0; i < t->by_byte.buckets; i++)
		for (link = t->by_byte.bucket[i]; link; link = next) {
			next = link->next;
			fn(t, HTAB_ENTRY(link, struct break_site, by_byte));
		}
}

void site_free_all(struct break_table *t)
{
	each_site(t, site_forget);
}

void break_pages(const struct break_table *t, void (*each)(void *arg, uint8_t *page), void *arg)
{
	for (size_t i = 0; i < t->by_page.buckets; i++)
		for (struct htab_link *link = t->by_page.bucket[i]; link; link = link->next) {
			uint8_t *byte = HTAB_ENTRY(link, struct break_page, by_page)->first->byte;

			each(arg, byte - (uintptr_t)byte % GMEM_PAGE);
		}
}

size_t break_page_count(const struct break_table *t)
{
	return t->by_page.count;
}

void break_suspend(struct break_table *t)
{
	t->suspended = true;
	each_site(t, break_lift);
}

bool break_overwritten(struct break_table *t, size_t budget)
{
	size_t seen = 0, buckets = t->by_byte.buckets;

	for (size_t n = 0; n < buckets && seen < budget && !t->suspended; n++) {
		for (const struct htab_link *link = t->by_byte.bucket[t->round & (buckets - 1)]; link; link = link->next, seen++) {
			/* The key has most answers, without the site being looked at. */
			if (!holds_trap(t, (const uint8_t *)(uintptr_t)link->key) &&
			    !HTAB_ENTRY(link, const struct break_site, by_byte)->lifted)
				return true;
		}
		t->round++;
	}
	return false;
}

size_t break_verify(struct break_table *t, size_t budget)
{
	size_t lost = 0, seen = 0, buckets = t->by_byte.buckets;

	for (size_t n = 0; n < buckets && seen < budget && !t->suspended; n++) {
		for (struct htab_link *link = t->by_byte.bucket[t->round & (buckets - 1)]; link; link = link->next, seen++) {
			struct break_site *s = HTAB_ENTRY(link, struct break_site, by_byte);

			if (holds_trap(t, s->byte))
				continue;
			s->lifted = true;
			break_plant(t, s);
			lost++;
		}
		t->round++;
	}
	return lost;
}

/* -- memory as a person sees it -- */

/* How many of the N bytes at BYTE lie in its page of host memory. */
static size_t in_host_page(const uint8_t *byte, size_t n)
{
	size_t left = GMEM_PAGE - (uintptr_t)byte % GMEM_PAGE;

	return n < left ? n : left;
}

/* Whether any byte of S is among the N at HOST. */
static bool in_range(const struct break_table *t, const struct break_site *s, const uint8_t *host, size_t n)
{
	return !s->lifted && s->byte + t->trap.len > host && s->byte < host + n;
}

/* In OUT, LEN bytes that are HOST's, the guest's own for those of S that are among them. */
static void show_saved(const struct break_table *t, const struct break_site *s, const uint8_t *host, uint8_t *out, size_t len)
{
	for (unsigned i = 0; i < t->trap.len; i++)
		if (s->byte + i >= host && s->byte + i < host + len)
			out[s->byte + i - host] = s->saved[i];
}

void break_copy(const struct break_table *t, const uint8_t *host, void *ret, size_t len)
{
	uint8_t *out = ret;

	memcpy(out, host, len);
	for (size_t at = 0, n; at < len && t->by_page.count; at += n) {
		const struct break_page *p = page_of(t, host + at);

		n = in_host_page(host + at, len - at);
		for (const struct break_site *s = p ? p->first : NULL; s; s = s->next)
			if (in_range(t, s, host + at, n) && holds_trap(t, s->byte))
				show_saved(t, s, host, out, len);
	}
}

size_t break_read(struct break_table *t, uint64_t gpa, void *ret, size_t len)
{
	size_t done = 0, n;

	if (!t->by_page.count)
		return gmem_read(t->gmem, gpa, ret, len);
	for (; done < len; done += n) {
		const uint8_t *host;

		n = len - done;
		host = gmem_span(t->gmem, gpa + done, &n);
		if (!host)
			break;
		break_copy(t, host, (uint8_t *)ret + done, n);
	}
	return done;
}

/* Beneath the traps among the N bytes at TO; those stay in memory all the while. */
static void write_beneath(struct break_table *t, uint8_t *to, const uint8_t *data, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct break_site *s = site_over(t, to + i);
		size_t at = (uintptr_t)(to + i) % t->trap.len;

		if (!s || s->lifted) {
			to[i] = data[i];
			continue;
		}
		s->saved[at] = data[i];
		/* The guest may have overwritten the trap: what it wrote there is gone now. */
		to[i] = t->trap.bytes[at];
	}
}

size_t break_write(struct break_table *t, uint64_t gpa, const void *data, size_t len)
{
	size_t done = 0, n;

	if (!t->by_page.count)
		return gmem_write(t->gmem, gpa, data, len);
	while (done < len) {
		const uint8_t *from = (const uint8_t *)data + done;
		struct break_page *p;
		struct break_site *s;
		uint8_t *to;

		n = len - done;
		to = gmem_span(t->gmem, gpa + done, &n);
		if (!to)
			break;
		n = in_host_page(to, n);
		p = page_of(t, to);
		s = p ? p->first : NULL;
		while (s && !in_range(t, s, to, n))
			s = s->next;
		if (s) {
			write_beneath(t, to, from, n);
			gmem_touch(t->gmem, gpa + done, n);
		} else
			gmem_write(t->gmem, gpa + done, from, n);
		done += n;
	}
	return done;
}
