/* SPDX-License-Identifier: GPL-3.0-or-later */
/* COM1's two queues between threads. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "kvm/com1.h"
#include "tests/unit.h"

#define LIMIT 65536

static atomic_bool paused;
static atomic_uint wakes;
static struct com1 *c;
static struct err err;

static void wake(void *arg)
{
	(void)arg;
	atomic_fetch_add(&wakes, 1);
}

static void setup(void)
{
	atomic_store(&paused, false);
	atomic_store(&wakes, 0);
	ck_assert_int_eq(com1_new(4, &paused, wake, NULL, &c, &err), 0);
}

static void teardown(void)
{
	com1_free(c);
}

START_TEST(wakes_once)
{
	uint8_t buf[16];

	com1_put(c, (const uint8_t *)"ab", 2);
	com1_put(c, (const uint8_t *)"cd", 2);
	ck_assert_uint_eq(wakes, 1);
	ck_assert_uint_eq(com1_take(c, buf, 3), 3);
	ck_assert_mem_eq(buf, "abc", 3);
	ck_assert_uint_eq(com1_take(c, buf, 16), 1);
	ck_assert_uint_eq(com1_take(c, buf, 16), 0);
	com1_put(c, (const uint8_t *)"e", 1);
	ck_assert_uint_eq(wakes, 2);
}
END_TEST

/* Who asks how much there is room for hears of it once, when it was none. */
START_TEST(tells_of_room)
{
	static uint8_t block[LIMIT];

	ck_assert_uint_eq(com1_room(c), LIMIT);
	com1_put(c, block, 1000);
	ck_assert_uint_eq(com1_room(c), LIMIT - 1000);
	ck_assert(!com1_room_came(c));
	com1_put(c, block, LIMIT - 1000);
	ck_assert_uint_eq(com1_room(c), 0);
	ck_assert(!com1_room_came(c));
	ck_assert_uint_eq(com1_take(c, block, 10), 10);
	ck_assert(com1_room_came(c));
	ck_assert(!com1_room_came(c));
	ck_assert_uint_eq(com1_room(c), 10);
	ck_assert(!com1_room_came(c));
	/* What went over the limit does not count. */
	com1_put(c, block, 20);
	ck_assert_uint_eq(com1_room(c), 0);
	ck_assert_uint_eq(com1_take(c, block, 10), 10);
	ck_assert(!com1_room_came(c));
	ck_assert_uint_eq(com1_take(c, block, 1), 1);
	ck_assert(com1_room_came(c));
}
END_TEST

static void *writer(void *arg)
{
	uint8_t block[512];

	for (unsigned n = 0; n < 1000; n++) {
		memset(block, (int)(n & 0xff), sizeof(block));
		com1_put(c, block, sizeof(block));
		com1_throttle(c);
	}
	return arg;
}

/* All of a writer's output arrives in order, though it is eight times what the queue holds. */
START_TEST(writer_waits_and_nothing_is_lost)
{
	pthread_t t;
	uint8_t buf[777];
	size_t total = 0, n;

	ck_assert_int_eq(pthread_create(&t, NULL, writer, NULL), 0);
	while (total < 512000) {
		n = com1_take(c, buf, sizeof(buf));
		for (size_t i = 0; i < n; i++)
			ck_assert_uint_eq(buf[i], (total + i) / 512 & 0xff);
		total += n;
	}
	pthread_join(t, NULL);
	ck_assert_uint_eq(com1_take(c, buf, sizeof(buf)), 0);
}
END_TEST

static void *stuck_writer(void *arg)
{
	static uint8_t block[LIMIT + 1];

	com1_put(c, block, sizeof(block));
	com1_throttle(c);
	return arg;
}

START_TEST(a_pause_frees_the_writer)
{
	pthread_t t;

	ck_assert_int_eq(pthread_create(&t, NULL, stuck_writer, NULL), 0);
	atomic_store(&paused, true);
	/* It may not wait yet: whoever pauses calls this once, and must not have to call it again. */
	com1_paused(c);
	pthread_join(t, NULL);
}
END_TEST

static size_t offered;
static char taken[256];
static size_t room;

static size_t offer(void *arg, const uint8_t *data, size_t len)
{
	size_t n = len < room ? len : room;

	(void)arg;
	memcpy(taken + offered, data, n);
	offered += n;
	room -= n;
	return n;
}

START_TEST(input_is_kept_until_taken)
{
	offered = 0;
	room = 3;
	ck_assert_int_eq(com1_queue(c, (const uint8_t *)"hello", 5, &err), 0);
	com1_feed(c, offer, NULL);
	ck_assert_uint_eq(offered, 3);
	room = 100;
	com1_feed(c, offer, NULL);
	ck_assert_uint_eq(offered, 5);
	ck_assert_mem_eq(taken, "hello", 5);
	com1_queue(c, (const uint8_t *)"x", 1, &err);
	com1_reset(c);
	com1_feed(c, offer, NULL);
	ck_assert_uint_eq(offered, 5);
}
END_TEST

START_TEST(input_is_all_or_nothing)
{
	static uint8_t big[LIMIT];

	ck_assert_int_eq(com1_queue(c, big, LIMIT - 1, &err), 0);
	ck_assert_int_eq(com1_queue(c, big, 2, &err), -ENOSPC);
	ck_assert_int_eq(com1_queue(c, big, 1, &err), 0);
	ck_assert_int_eq(com1_queue(c, big, 1, &err), -ENOSPC);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("com1");
	TCase *t = tcase_create("com1");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 30);
	tcase_add_test(t, wakes_once);
	tcase_add_test(t, tells_of_room);
	tcase_add_test(t, writer_waits_and_nothing_is_lost);
	tcase_add_test(t, a_pause_frees_the_writer);
	tcase_add_test(t, input_is_kept_until_taken);
	tcase_add_test(t, input_is_all_or_nothing);
	suite_add_tcase(s, t);
	return unit_main(s);
}
