/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The pieces replies are made of: the builder, the queue, the argument reader. */
#include <errno.h>
#include <string.h>

#include "gdbstub/cursor.h"
#include "gdbstub/queue.h"
#include "gdbstub/reply.h"
#include "tests/unit.h"

static uint8_t buf[64];
static struct reply reply;

static const char *text(void)
{
	static char s[sizeof(buf) + 1];

	memcpy(s, buf, reply.len);
	s[reply.len] = '\0';
	return s;
}

START_TEST(test_numbers)
{
	static const struct {
		uint64_t value;
		const char *text;
	} numbers[] = {
		{ 0, "0" }, { 9, "9" }, { 0x10, "10" }, { 0xff, "ff" }, { 0x100, "100" }, { 0x40000, "40000" },
		{ UINT64_MAX, "ffffffffffffffff" }, { 1ull << 60, "1000000000000000" },
	};

	reply_init(&reply, buf, sizeof(buf));
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		reply_reset(&reply);
		reply_number(&reply, numbers[i].value);
		ck_assert_str_eq(text(), numbers[i].text);
	}
	reply_reset(&reply);
	reply_hex8(&reply, 5);
	reply_hex(&reply, "\xab\x01", 2);
	reply_fill(&reply, 'x', 3);
	ck_assert_str_eq(text(), "05ab01xxx");
}
END_TEST

START_TEST(test_escapes)
{
	reply_init(&reply, buf, sizeof(buf));
	reply_escaped(&reply, "a#$}*b\n", 7);
	ck_assert_str_eq(text(), "a}\x03}\x04}\x5d}\x0a" "b\n");
}
END_TEST

START_TEST(test_errors)
{
	reply_init(&reply, buf, sizeof(buf));
	reply_text(&reply, "half a reply");
	reply_error(&reply, -EFAULT);
	ck_assert_str_eq(text(), "E0e");
	reply_error(&reply, -255);
	ck_assert_str_eq(text(), "Eff");
	reply_error(&reply, -4096);
	ck_assert_str_eq(text(), "Eff");
	reply_error(&reply, 0);
	ck_assert_str_eq(text(), "Eff");
	reply_ok(&reply);
	ck_assert_str_eq(text(), "OK");
}
END_TEST

/* What does not fit whole is left out, and said. */
START_TEST(test_bound)
{
	reply_init(&reply, buf, 5);
	memset(buf, 0x55, sizeof(buf));
	reply_text(&reply, "abc");
	ck_assert(!reply.full);
	reply_hex(&reply, "\x01\x02", 2);
	ck_assert(reply.full);
	ck_assert_uint_eq(reply.len, 3);
	reply_hex(&reply, buf, SIZE_MAX / 2 + 2);
	reply_fill(&reply, 'x', SIZE_MAX);
	reply_escaped(&reply, "****", 4);
	ck_assert_uint_le(reply.len, 5);
	ck_assert_uint_eq(buf[5], 0x55);
	reply_reset(&reply);
	ck_assert(!reply.full);
	reply_text(&reply, "abcde");
	ck_assert(!reply.full);
	reply_fill(&reply, 'x', 1);
	ck_assert(reply.full);
}
END_TEST

static void put(struct queue *q, uint8_t c, size_t len)
{
	uint8_t *p = queue_reserve(q, len);

	ck_assert_ptr_nonnull(p);
	memset(p, c, len);
	queue_commit(q, len);
}

START_TEST(test_queue)
{
	struct queue q;

	ck_assert_int_eq(queue_init(&q, 16, 64), 0);
	put(&q, 'a', 10);
	queue_drop(&q, 7);
	put(&q, 'b', 10);               /* moves down */
	ck_assert_uint_eq(q.cap, 16);
	put(&q, 'c', 20);               /* grows */
	ck_assert_uint_eq(q.len, 33);
	ck_assert_int_eq(memcmp(q.buf + q.head, "aaabbbbbbbbbbcccccccccccccccccccc", 33), 0);
	ck_assert_ptr_null(queue_reserve(&q, 32));
	ck_assert_ptr_null(queue_reserve(&q, SIZE_MAX));
	ck_assert_uint_eq(q.len, 33);
	put(&q, 'd', 31);
	queue_drop(&q, 64);
	ck_assert_uint_eq(q.head + q.len, 0);
	put(&q, 'e', 64);
	queue_done(&q);
}
END_TEST

START_TEST(test_cursor)
{
	uint8_t data[] = "12,fFff:zz", hex[] = "0aFF", odd[] = "abc", bad[] = "0g";
	struct cursor c = { data, 10 }, got;
	uint64_t n = 1;
	uint8_t byte = 1;
	int thread = 7;

	ck_assert(!cursor_byte(&c, ','));
	ck_assert(cursor_number(&c, &n) && n == 0x12);
	ck_assert(!cursor_number(&c, &n) && n == 0x12);
	ck_assert(cursor_byte(&c, ','));
	got = cursor_field(&c, ':');
	ck_assert_uint_eq(got.len, 4);
	ck_assert(cursor_is(&got, "fFff") && !cursor_is(&got, "fFf") && !cursor_is(&got, "fFfff"));
	ck_assert(cursor_hex8(&got, &byte) && byte == 0xff);
	ck_assert(cursor_byte(&c, ':'));
	ck_assert(!cursor_hex8(&c, &byte) && !cursor_thread(&c, 4, &thread) && thread == 7 && c.len == 2);
	got = cursor_field(&c, ';');
	ck_assert(cursor_is(&got, "zz") && cursor_end(&c));

	c = (struct cursor){ hex, 4 };
	ck_assert(cursor_hex_rest(&c, &got) && got.len == 2 && !memcmp(got.p, "\x0a\xff", 2) && cursor_end(&c));
	c = (struct cursor){ odd, 3 };
	ck_assert(!cursor_hex_rest(&c, &got) && c.len == 3);
	c = (struct cursor){ bad, 2 };
	ck_assert(!cursor_hex_rest(&c, &got));
	c = (struct cursor){ (uint8_t *)"00000000000000000000012", 23 };
	ck_assert(cursor_number(&c, &n) && n == 0x12);
	c = (struct cursor){ (uint8_t *)"10000000000000000", 17 };
	ck_assert(!cursor_number(&c, &n) && c.len == 17);
	c = (struct cursor){ (uint8_t *)"-1", 2 };
	ck_assert(cursor_thread(&c, 4, &thread) && thread == THREAD_ALL);
	c = (struct cursor){ (uint8_t *)"4", 1 };
	ck_assert(cursor_thread(&c, 4, &thread) && thread == 4);
	c = (struct cursor){ (uint8_t *)"5", 1 };
	ck_assert(!cursor_thread(&c, 4, &thread) && thread == 4);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("reply");
	TCase *t = tcase_create("pieces");

	tcase_add_test(t, test_numbers);
	tcase_add_test(t, test_escapes);
	tcase_add_test(t, test_errors);
	tcase_add_test(t, test_bound);
	tcase_add_test(t, test_queue);
	tcase_add_test(t, test_cursor);
	suite_add_tcase(s, t);
	return unit_main(s);
}
