/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The kernel's log: since 5.10 a ring of descriptors, and another of text that they lead to; from 3.5 on records one
 * behind the other.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "linux/kernel.h"
#include "linux/priv.h"

#define COUNT_BITS_MAX 24u      /* of descriptors: 2^24 */
#define SIZE_BITS_MAX  32u      /* of text */
#define STRUCT_MAX     4096u    /* bytes of a structure */
#define ID_BITS        62       /* of a descriptor's state; the rest is its state */
#define COMMITTED      1u
#define FINALIZED      2u
#define BLOCK_HEAD     8u       /* a text block begins with its descriptor's number */

struct reader {
	struct kernel *k;
	uint64_t from;
	bool (*each)(void *arg, const struct kernel_message *m);
	void *arg;
	bool ended;
	char text[KERNEL_TEXT_MAX];
};

/* False: the text cannot be read. */
static bool tell(struct reader *x, struct kernel_message *m, uint64_t text)
{
	if (m->number < x->from)
		return true;
	if (m->len > sizeof(x->text))
		m->len = sizeof(x->text);
	if (m->len && !kernel_read(x->k, text, x->text, m->len))
		return false;
	m->text = x->text;
	x->ended = !x->each(x->arg, m);
	return true;
}

/* -- the ring -- */

struct ring {
	uint64_t count_bits, size_bits, descs, infos, data, head, tail, desc_size, info_size;
};

static int read_ring(struct kernel *k, struct ring *ret, struct err *err)
{
	struct ring g = { 0 };
	uint64_t at;
	int r = kernel_fields(k, LOG_COUNT_BITS, INFO_LEVEL, err);

	if (!r)
		r = kernel_size_of(k, "prb_desc", STRUCT_MAX, &g.desc_size, err);
	if (!r)
		r = kernel_size_of(k, "printk_info", STRUCT_MAX, &g.info_size, err);
	if (r)
		return r;
	if (kernel_symbol(k, "prb", &at, NULL) || !kernel_pointer(k, at, &at) ||
	    !kernel_get(k, at, LOG_COUNT_BITS, &g.count_bits) || !kernel_get(k, at, LOG_SIZE_BITS, &g.size_bits) ||
	    !kernel_get(k, at, LOG_DESCS, &g.descs) || !kernel_get(k, at, LOG_INFOS, &g.infos) ||
	    !kernel_get(k, at, LOG_DATA, &g.data) || !kernel_get(k, at, LOG_HEAD, &g.head) ||
	    !kernel_get(k, at, LOG_TAIL, &g.tail) || g.count_bits > COUNT_BITS_MAX || g.size_bits > SIZE_BITS_MAX)
		return err_set(err, EBADMSG, "the kernel's log buffer makes no sense");
	*ret = g;
	return 0;
}

/* Where the text of a record is, and how much it can be at most; 0: it has none. */
static uint64_t find_text(const struct ring *g, uint64_t begin, uint64_t next, uint64_t *ret_size)
{
	uint64_t size = 1ull << g->size_bits, at = begin & (size - 1), n;

	*ret_size = 0;
	if (begin & 1)          /* an empty line, or there was no room for it */
		return 0;
	if (begin >> g->size_bits == next >> g->size_bits && begin < next) {
		n = next - begin;
	} else if ((begin + size) >> g->size_bits == next >> g->size_bits) {
		at = 0;         /* it did not fit before the end: all of it is at the start */
		n = next & (size - 1);
	} else {
		return 0;
	}
	if (n <= BLOCK_HEAD)
		return 0;
	*ret_size = n - BLOCK_HEAD;
	return g->data + at + BLOCK_HEAD;
}

/* The record of descriptor ID; false: it is broken. */
static bool ring_record(struct reader *x, const struct ring *g, uint64_t id)
{
	uint64_t index = id & ((1ull << g->count_bits) - 1), desc = g->descs + index * g->desc_size;
	uint64_t info = g->infos + index * g->info_size, state, begin, next, len, level, text, room;
	struct kernel_message m = { 0 };

	if (!kernel_get(x->k, desc, DESC_STATE, &state))
		return false;
	/* Being written, or not in use; or the head has moved on since. */
	if ((state ^ id) << (64 - ID_BITS) || (state >> ID_BITS != COMMITTED && state >> ID_BITS != FINALIZED))
		return true;
	if (!kernel_get(x->k, desc, DESC_BEGIN, &begin) || !kernel_get(x->k, desc, DESC_NEXT, &next) ||
	    !kernel_get(x->k, info, INFO_SEQ, &m.number) || !kernel_get(x->k, info, INFO_TIME, &m.time_ns) ||
	    !kernel_get(x->k, info, INFO_LENGTH, &len) || !kernel_get(x->k, info, INFO_LEVEL, &level))
		return false;
	text = find_text(g, begin, next, &room);
	m.len = len < room ? len : room;
	m.level = (unsigned)level & 7;
	return tell(x, &m, text);
}

static int read_new(struct reader *x, struct err *err)
{
	struct ring g = { 0 };
	uint64_t n;
	int r = read_ring(x->k, &g, err);

	if (r)
		return r;
	n = ((g.head - g.tail) & ((1ull << ID_BITS) - 1)) + 1;
	if (n > 1ull << g.count_bits)
		return err_set(err, EBADMSG, "the kernel's log buffer makes no sense");
	/* Of more, which a kernel may have and a hostile guest likes to say it has, the newest. */
	for (uint64_t i = n > KERNEL_RECORDS_MAX ? n - KERNEL_RECORDS_MAX : 0; i < n && !x->ended; i++)
		if (!ring_record(x, &g, g.tail + i))
			return err_set(err, EBADMSG, "the kernel's log is broken after %" PRIu64 " records", i);
	return 0;
}

/* -- records -- */

/* A variable of SIZE bytes, 8 at most. */
static bool variable(struct kernel *k, const char *name, size_t size, uint64_t *ret)
{
	uint64_t at, value = 0;

	if (kernel_symbol(k, name, &at, NULL) || !kernel_read(k, at, &value, size))
		return false;
	*ret = value;
	return true;
}

static int read_old(struct reader *x, struct err *err)
{
	uint64_t buf, size, at, end, number, head, len, text_len, level;
	struct kernel *k = x->k;
	int r = kernel_fields(k, RECORD_TIME, RECORD_LEVEL, err);

	if (!r && kernel_size_of(k, "printk_log", STRUCT_MAX, &head, NULL))
		r = kernel_size_of(k, "log", STRUCT_MAX, &head, err);
	if (r)
		return r;
	if (!variable(k, "log_buf", 8, &buf) || !variable(k, "log_buf_len", 4, &size) ||
	    !variable(k, "log_first_idx", 4, &at) || !variable(k, "log_next_idx", 4, &end) ||
	    !variable(k, "log_first_seq", 8, &number) || at >= size || end > size)
		return err_set(err, EBADMSG, "the kernel's log buffer makes no sense");
	for (unsigned n = 0; at != end && !x->ended; n++) {
		struct kernel_message m = { .number = number };

		if (n == KERNEL_RECORDS_MAX || at >= size || !kernel_get(k, buf + at, RECORD_LENGTH, &len))
			return err_set(err, EBADMSG, "the kernel's log is broken after %u records", n);
		if (!len) {             /* the rest did not fit: it goes on at the start */
			if (end > at)
				return err_set(err, EBADMSG, "the kernel's log is broken after %u records", n);
			at = 0;
			continue;
		}
		if (len < head || !kernel_get(k, buf + at, RECORD_TIME, &m.time_ns) ||
		    !kernel_get(k, buf + at, RECORD_TEXT_LENGTH, &text_len) ||
		    !kernel_get(k, buf + at, RECORD_LEVEL, &level))
			return err_set(err, EBADMSG, "the kernel's log is broken after %u records", n);
		m.len = text_len < len - head ? text_len : len - head;
		m.level = (unsigned)level & 7;
		if (!tell(x, &m, buf + at + head))
			return err_set(err, EBADMSG, "the kernel's log is broken after %u records", n);
		at += len;
		number++;
	}
	return 0;
}

int kernel_log(struct kernel *k, uint64_t from, bool (*each)(void *arg, const struct kernel_message *m), void *arg,
	       struct err *err)
{
	struct reader *x = malloc(sizeof(*x));
	uint64_t at;
	int r;

	if (!x)
		return err_set(err, ENOMEM, "no memory for reading the kernel's log");
	x->k = k;
	x->from = from;
	x->each = each;
	x->arg = arg;
	x->ended = false;
	r = kernel_symbol(k, "prb", &at, NULL) ? read_old(x, err) : read_new(x, err);
	free(x);
	return r;
}
