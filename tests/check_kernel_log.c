/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The kernel's log, in either form, whole and broken. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/kernel_image.h"
#include "tests/unit.h"

static struct kernel_image *x;
static struct kernel *k;
static struct err err;
static char seen[4096];         /* "number level time text;" of each */
static unsigned nseen, stop_at;

static void setup(void)
{
	x = image_new();
	k = image_kernel(x);
	nseen = stop_at = 0;
	seen[0] = '\0';
}

static void teardown(void)
{
	kernel_free(k);
}

static bool see(void *arg, const struct kernel_message *m)
{
	size_t n = strlen(seen);

	(void)arg;
	snprintf(seen + n, sizeof(seen) - n, "%llu %u %llu %.*s;", (unsigned long long)m->number, m->level,
		 (unsigned long long)m->time_ns, (int)m->len, m->text);
	return ++nseen != stop_at;
}

/* -- the ring: 8 descriptors, 256 bytes of text -- */

#define RING   (IMG_TEXT + 0x1000)
#define DESCS  (IMG_HEAP + 0x1000)
#define INFOS  (IMG_HEAP + 0x2000)
#define DATA   (IMG_HEAP + 0x3000)
#define DESC_BYTES 24
#define INFO_BYTES 88
#define COUNT  8u
#define SIZE   256u
#define TOP    (1ull << 62)

static uint64_t data_head;

static void make_ring(void)
{
	static const struct {
		const char *path;
		uint64_t offset, size;
	} members[] = {
		{ "printk_ringbuffer.desc_ring.count_bits", 0, 4 }, { "printk_ringbuffer.desc_ring.descs", 8, 8 },
		{ "printk_ringbuffer.desc_ring.infos", 16, 8 }, { "printk_ringbuffer.desc_ring.head_id", 24, 8 },
		{ "printk_ringbuffer.desc_ring.tail_id", 32, 8 }, { "printk_ringbuffer.text_data_ring.size_bits", 48, 4 },
		{ "printk_ringbuffer.text_data_ring.data", 56, 8 }, { "prb_desc.state_var", 0, 8 },
		{ "prb_desc.text_blk_lpos.begin", 8, 8 }, { "prb_desc.text_blk_lpos.next", 16, 8 },
		{ "printk_info.seq", 0, 8 }, { "printk_info.ts_nsec", 8, 8 }, { "printk_info.text_len", 16, 2 },
		{ "printk_info.level", 19, 1 },
	};

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		image_member(x, members[i].path, members[i].offset, members[i].size);
	x->member[x->nmembers - 1].m.bit = 5;
	x->member[x->nmembers - 1].m.bits = 3;
	image_type(x, "prb_desc", DESC_BYTES);
	image_type(x, "printk_info", INFO_BYTES);
	image_symbol(x, "prb", IMG_TEXT + 0x800);
	image_put(x, IMG_TEXT + 0x800, RING, 8);
	image_put(x, RING, 3, 4);
	image_put(x, RING + 8, DESCS, 8);
	image_put(x, RING + 16, INFOS, 8);
	image_put(x, RING + 48, 8, 4);
	image_put(x, RING + 56, DATA, 8);
	ck_assert_int_eq(kernel_locate(k, 0, &err), 0);
}

/* Descriptor ID with STATE and TEXT (NULL: none, by an odd place). */
static void put_record(uint64_t id, unsigned state, uint64_t seq, const char *text)
{
	uint64_t desc = DESCS + id % COUNT * DESC_BYTES, info = INFOS + id % COUNT * INFO_BYTES, begin = 1, next = 1, at;
	size_t len = text ? strlen(text) : 0, size = (8 + len + 7) & ~7ull;

	if (text) {
		begin = data_head;
		next = begin + size;
		at = begin % SIZE;
		if (begin / SIZE != next / SIZE) {      /* as the kernel does: all of it at the start, ending there */
			image_put(x, DATA + at, id, 8);
			next = (begin / SIZE + 1) * SIZE + size;
			at = 0;
		}
		image_put(x, DATA + at, id, 8);
		image_text(x, DATA + at + 8, text);
		data_head = next;
	}
	image_put(x, desc, (id & (TOP - 1)) | (uint64_t)state << 62, 8);
	image_put(x, desc + 8, begin, 8);
	image_put(x, desc + 16, next, 8);
	image_put(x, info, seq, 8);
	image_put(x, info + 8, seq * 1000, 8);
	image_put(x, info + 16, len, 2);
	image_put(x, info + 19, 6 << 5 | 0x1f, 1);
}

static void put_ends(uint64_t tail, uint64_t head)
{
	image_put(x, RING + 24, head & (TOP - 1), 8);
	image_put(x, RING + 32, tail & (TOP - 1), 8);
}

START_TEST(ring_reads)
{
	/* Descriptors count on past their width's end. */
	const uint64_t id = _i ? TOP - 2 : 5;

	make_ring();
	data_head = 0;
	put_record(id, 2, 10, "one");
	put_record(id + 1, 1, 11, "two\nlines");
	put_record(id + 2, 2, 12, "");
	put_record(id + 3, 2, 13, NULL);
	put_record(id + 4, 0, 14, "being written");
	put_record(id + 5, 3, 15, "not in use");
	put_record(id + 6, 2, 16, "last");
	put_ends(id, id + 6);
	ck_assert_int_eq(kernel_log(k, 0, see, NULL, &err), 0);
	ck_assert_str_eq(seen, "10 6 10000 one;11 6 11000 two\nlines;12 6 12000 ;13 6 13000 ;16 6 16000 last;");
	seen[0] = '\0';
	ck_assert_int_eq(kernel_log(k, 13, see, NULL, &err), 0);
	ck_assert_str_eq(seen, "13 6 13000 ;16 6 16000 last;");
	seen[0] = '\0';
	nseen = 0;
	stop_at = 2;
	ck_assert_int_eq(kernel_log(k, 0, see, NULL, &err), 0);
	ck_assert_str_eq(seen, "10 6 10000 one;11 6 11000 two\nlines;");
}
END_TEST

/* Text that does not fit before the end of the buffer is at its start. */
START_TEST(ring_wraps)
{
	make_ring();
	data_head = SIZE * 7 + SIZE - 24;
	put_record(8, 2, 1, "before");
	put_record(9, 2, 2, "all of this stands at the start");
	put_record(10, 2, 3, "behind it");
	put_ends(8, 10);
	ck_assert_int_eq(kernel_log(k, 0, see, NULL, &err), 0);
	ck_assert_str_eq(seen, "1 6 1000 before;2 6 2000 all of this stands at the start;3 6 3000 behind it;");
}
END_TEST

/* One whose descriptor has been taken for another since the head was read. */
START_TEST(ring_descriptor_reused)
{
	make_ring();
	data_head = 0;
	put_record(8, 2, 1, "one");
	put_record(17, 2, 2, "of the next round");
	put_record(10, 2, 3, "three");
	put_ends(8, 10);
	ck_assert_int_eq(kernel_log(k, 0, see, NULL, &err), 0);
	ck_assert_str_eq(seen, "1 6 1000 one;3 6 3000 three;");
}
END_TEST

/* A kernel's ring before its first message: the one descriptor it begins with is nobody's. */
START_TEST(ring_empty)
{
	const uint64_t id = -(uint64_t)(COUNT + 1) & (TOP - 1);

	make_ring();
	image_put(x, DESCS + id % COUNT * DESC_BYTES, id | 3ull << 62, 8);
	put_ends(id, id);
	ck_assert_int_eq(kernel_log(k, 0, see, NULL, &err), 0);
	ck_assert_uint_eq(nseen, 0);
}
END_TEST

START_TEST(ring_broken)
{
	static const struct {
		uint64_t at, value;
		unsigned size;
		bool quiet;             /* what is wrong is in one record's text, of which nothing is shown */
		const char *line;
	} cases[] = {
		{ IMG_TEXT + 0x800, 0x1000, 8, false, "makes no sense" },
		{ RING, 25, 4, false, "makes no sense" },
		{ RING + 48, 33, 4, false, "makes no sense" },
		{ RING + 24, 1000, 8, false, "makes no sense" },
		{ RING + 32, TOP - 1, 8, false, "makes no sense" },
		{ RING + 8, 0x10, 8, false, "broken after 0" },
		{ RING + 16, 0x10, 8, false, "broken after 0" },
		{ RING + 56, 0x10, 8, false, "broken after 0" },
		{ DESCS + 8, 1 << 20, 8, true, "1 6 1000 ;2 6 2000 two;" },
		{ DESCS + 16, 1ull << 63, 8, true, "1 6 1000 ;2 6 2000 two;" },
		{ DESCS + 16, 4, 8, true, "1 6 1000 ;2 6 2000 two;" },
		{ INFOS + 16, 0xffff, 2, true, "1 6 1000 one" },
	};

	make_ring();
	data_head = 0;
	put_record(8, 2, 1, "one");
	put_record(9, 2, 2, "two");
	put_ends(8, 9);
	image_put(x, cases[_i].at, cases[_i].value, cases[_i].size);
	if (cases[_i].quiet) {
		ck_assert_int_eq(kernel_log(k, 0, see, NULL, &err), 0);
		ck_assert_int_eq(strncmp(seen, cases[_i].line, strlen(cases[_i].line)), 0);
		return;
	}
	ck_assert_int_eq(kernel_log(k, 0, see, NULL, &err), -EBADMSG);
	ck_assert_ptr_nonnull(strstr(err.msg, cases[_i].line));
	ck_assert_uint_eq(nseen, 0);
}
END_TEST

/* A log that says it has 2^24 records, in memory that has them all, is looked at from behind, and not for ever. */
START_TEST(ring_huge)
{
	make_ring();
	image_put(x, RING, 24, 4);
	put_ends(8, (1ull << 24) + 7);
	x->wraps = true;
	x->reads = 0;
	kernel_log(k, 0, see, NULL, &err);
	ck_assert_uint_gt(x->reads, KERNEL_RECORDS_MAX);
	ck_assert_uint_le(x->reads, KERNEL_RECORDS_MAX * 8);
}
END_TEST

START_TEST(ring_lacks_types)
{
	make_ring();
	x->ntypes = 0;
	ck_assert_int_eq(kernel_log(k, 0, see, NULL, &err), -ENOTSUP);
	ck_assert_ptr_nonnull(strstr(err.msg, "prb_desc"));
	image_forget_member(x, "prb_desc.state_var");
	kernel_changed(k);
	ck_assert_int_eq(kernel_locate(k, 0, &err), 0);
	ck_assert_int_eq(kernel_log(k, 0, see, NULL, &err), -ENOTSUP);
	ck_assert_ptr_nonnull(strstr(err.msg, "prb_desc.state_var"));
}
END_TEST

/* -- records -- */

#define LOG      (IMG_HEAP + 0x4000)
#define LOG_SIZE 0x200u
#define HEAD     16u

static void make_log(unsigned first, unsigned next)
{
	static const struct {
		const char *path;
		uint64_t offset, size;
	} members[] = {
		{ "printk_log.ts_nsec", 0, 8 }, { "printk_log.len", 8, 2 }, { "printk_log.text_len", 10, 2 },
		{ "printk_log.level", 15, 1 },
	};
	static const char *const names[] = { "log_buf", "log_buf_len", "log_first_idx", "log_next_idx", "log_first_seq" };
	const uint64_t values[] = { LOG, LOG_SIZE, first, next, 40 };

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		image_member(x, members[i].path, members[i].offset, members[i].size);
	x->member[x->nmembers - 1].m.bit = 5;
	x->member[x->nmembers - 1].m.bits = 3;
	image_type(x, "printk_log", HEAD);
	for (size_t i = 0; i < 5; i++) {
		image_symbol(x, names[i], IMG_TEXT + 0x900 + 8 * i);
		image_put(x, IMG_TEXT + 0x900 + 8 * i, values[i], 8);
	}
	ck_assert_int_eq(kernel_locate(k, 0, &err), 0);
}

/* Returns where the next one goes. */
static unsigned put_old(unsigned at, const char *text)
{
	unsigned len = (HEAD + (unsigned)strlen(text) + 7) & ~7u;

	image_put(x, LOG + at, 5000, 8);
	image_put(x, LOG + at + 8, len, 2);
	image_put(x, LOG + at + 10, strlen(text), 2);
	image_put(x, LOG + at + 15, 4 << 5, 1);
	image_text(x, LOG + at + HEAD, text);
	return at + len;
}

START_TEST(records_read)
{
	unsigned end;

	/* Two before the end, then the mark that it goes on at the start. */
	end = put_old(put_old(0x180, "one"), "two");
	image_put(x, LOG + end + 8, 0, 2);
	end = put_old(0, "three");
	make_log(0x180, end);
	ck_assert_int_eq(kernel_log(k, 0, see, NULL, &err), 0);
	ck_assert_str_eq(seen, "40 4 5000 one;41 4 5000 two;42 4 5000 three;");
	seen[0] = '\0';
	ck_assert_int_eq(kernel_log(k, 42, see, NULL, &err), 0);
	ck_assert_str_eq(seen, "42 4 5000 three;");
}
END_TEST

START_TEST(records_broken)
{
	unsigned end = put_old(put_old(0, "one"), "two");

	make_log(0, end);
	switch (_i) {
	case 0:         /* a length that leads past the end */
		image_put(x, LOG + 8, 0xfff0, 2);
		break;
	case 1:         /* one that is less than a record's head */
		image_put(x, LOG + 8, 8, 2);
		break;
	case 2:         /* goes on at the start, for ever */
		image_put(x, LOG + 8, 0, 2);
		break;
	case 3:         /* never meets the end */
		image_put(x, IMG_TEXT + 0x900 + 24, 0x1ff, 4);
		break;
	case 4:         /* begins outside */
		image_put(x, IMG_TEXT + 0x900 + 16, LOG_SIZE, 4);
		break;
	case 5:         /* is nowhere */
		image_put(x, IMG_TEXT + 0x900, 0x5000, 8);
		break;
	}
	ck_assert_int_eq(kernel_log(k, 0, see, NULL, &err), -EBADMSG);
	ck_assert_uint_le(nseen, 64);
}
END_TEST

START_TEST(records_lack_symbols)
{
	ck_assert_int_eq(kernel_locate(k, 0, &err), 0);
	ck_assert_int_eq(kernel_log(k, 0, see, NULL, &err), -ENOTSUP);
	ck_assert_ptr_nonnull(strstr(err.msg, "DWARF"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("kernel log");
	TCase *t = tcase_create("ring");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, ring_reads, 0, 2);
	tcase_add_test(t, ring_wraps);
	tcase_add_test(t, ring_descriptor_reused);
	tcase_add_test(t, ring_empty);
	tcase_add_loop_test(t, ring_broken, 0, 12);
	tcase_add_test(t, ring_huge);
	tcase_add_test(t, ring_lacks_types);
	suite_add_tcase(s, t);

	t = tcase_create("records");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, records_read);
	tcase_add_loop_test(t, records_broken, 0, 6);
	tcase_add_test(t, records_lack_symbols);
	suite_add_tcase(s, t);
	return unit_main(s);
}
