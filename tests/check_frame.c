/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gdbstub/frame.h"
#include "tests/unit.h"

#define CAP 64

/* Feeds DATA in pieces of STEP bytes and writes down what comes out: "P<payload>", "REFUSED n", "BAD", "+", ... */
static const char *feed(const void *data, size_t len, size_t step)
{
	static const char *const names[] = {
		[FRAME_BAD_SUM] = "BAD", [FRAME_ACK] = "+", [FRAME_NACK] = "-", [FRAME_INTERRUPT] = "^C",
	};
	static char log[4096];
	uint8_t buf[CAP];
	struct frame_in f;
	const uint8_t *p = data;
	size_t n = 0;

	frame_init(&f, buf, sizeof(buf));
	log[0] = '\0';
	while (len) {
		size_t piece = len < step ? len : step, used = 0;

		while (used < piece) {
			enum frame_event ev;
			size_t k = frame_feed(&f, p + used, piece - used, &ev);

			ck_assert_uint_gt(k + (ev != FRAME_MORE), 0);
			used += k;
			if (ev == FRAME_MORE)
				ck_assert_uint_eq(used, piece);
			else if (ev == FRAME_PACKET)
				n += (size_t)sprintf(log + n, "P%.*s ", (int)f.len, (char *)f.buf);
			else if (ev == FRAME_REFUSED)
				n += (size_t)sprintf(log + n, "REFUSED %d ", f.error);
			else
				n += (size_t)sprintf(log + n, "%s ", names[ev]);
		}
		p += piece;
		len -= piece;
	}
	return log;
}

static const struct {
	const char *bytes, *log;
} inputs[] = {
	{ "$g#67", "Pg " },
	{ "$#00", "P " },
	{ "+$g#67", "+ Pg " },
	{ "$g#67$p0#a0", "Pg Pp0 " },
	{ "$g#67+$?#3f-", "Pg + P? - " },
	{ "$qC#B4", "PqC " },                   /* digits in either case */
	{ "$g#68", "BAD " },
	{ "$g#6", "" },
	{ "$g#zz$g#67", "BAD Pg " },            /* what follows a broken checksum is not lost */
	{ "$g#6$g#67", "BAD Pg " },
	{ "$g#$g#67", "BAD Pg " },
	{ "$m1000,$g#67", "Pg " },              /* a packet cut off by the next one */
	{ "\x03", "^C " },
	{ "\x03$g#67\x03", "^C Pg ^C " },
	{ "$a\x03z#de", "Pa\x03z " },           /* 0x03 in a payload is data */
	{ "$g#6\x03", "BAD " },
	{ "noise\r\n$g#67", "Pg " },
	{ "$a}\x03" "b#43", "Pa#b " },
	{ "$}\x04}]#5b", "P$} " },
	{ "$}\x0a#87", "P* " },
	{ "$*#2a", "P* " },                     /* a client does not run-length encode */
	{ "$a}#de", "REFUSED 74 " },            /* EBADMSG */
	{ "", "" },
};

START_TEST(test_input)
{
	const char *bytes = inputs[_i].bytes;
	size_t len = strlen(bytes);

	for (size_t step = 1; step <= len; step++)
		ck_assert_str_eq(feed(bytes, len, step), inputs[_i].log);
}
END_TEST

START_TEST(test_any_byte)
{
	for (unsigned c = 0; c < 256; c++) {
		uint8_t bytes[] = { '$', 'x', (uint8_t)c, '#', 0, 0 }, buf[CAP];
		enum frame_event ev;
		struct frame_in f;
		char sum[3];

		if (strchr("$#}", (int)c) && c)
			continue;
		sprintf(sum, "%02x", ('x' + c) & 0xff);
		memcpy(bytes + 4, sum, 2);
		frame_init(&f, buf, sizeof(buf));
		ck_assert_uint_eq(frame_feed(&f, bytes, sizeof(bytes), &ev), sizeof(bytes));
		ck_assert_int_eq(ev, FRAME_PACKET);
		ck_assert_uint_eq(f.len, 2);
		ck_assert_uint_eq(buf[1], c);
	}
}
END_TEST

/* A payload of LEN times 'a' with a right checksum, then a good packet. */
static const char *feed_long(size_t len, size_t step)
{
	char bytes[2 * CAP + 16];

	bytes[0] = '$';
	memset(bytes + 1, 'a', len);
	sprintf(bytes + 1 + len, "#%02x$g#67", (unsigned)(len * 'a') & 0xff);
	return feed(bytes, strlen(bytes), step);
}

START_TEST(test_oversize)
{
	char whole[CAP + 1] = "", want[CAP + 16];

	memset(whole, 'a', CAP);
	for (size_t step = 1; step < 2 * CAP; step++) {
		sprintf(want, "P%s Pg ", whole);
		ck_assert_str_eq(feed_long(CAP, step), want);
		sprintf(want, "REFUSED %d Pg ", EMSGSIZE);
		ck_assert_str_eq(feed_long(CAP + 1, step), want);
		ck_assert_str_eq(feed_long(2 * CAP, step), want);
	}
}
END_TEST

/* -- output -- */

static const struct {
	const char *payload, *frame;
} outputs[] = {
	{ "", "$#00" },
	{ "OK", "$OK#9a" },
	{ "aaa", "$aaa#23" },                   /* two repeats are not worth it */
	{ "aaaa", "$a* #ab" },
	{ "0000000", "$0*\"0#ac" },             /* six repeats: the count would be '#' */
	{ "00000000", "$0*\"00#dc" },           /* seven: '$' */
	{ "000000000", "$0*%#7f" },
	{ "a}]]]]]b", "$a}]]* b#44" },
};

START_TEST(test_output)
{
	uint8_t frame[128];
	size_t n = frame_encode((const uint8_t *)outputs[_i].payload, strlen(outputs[_i].payload), frame);

	frame[n] = '\0';
	ck_assert_str_eq((char *)frame, outputs[_i].frame);
	ck_assert_uint_le(n, strlen(outputs[_i].payload) + FRAME_OVERHEAD);
}
END_TEST

/* Undoes run lengths as gdb does, checking what gdb would refuse. */
static size_t expand(const uint8_t *frame, size_t len, uint8_t *ret)
{
	uint8_t sum = 0;
	size_t n = 0;
	char end[4];

	ck_assert_uint_ge(len, 4);
	ck_assert_int_eq(frame[0], '$');
	for (size_t i = 1; i < len - 3; i++) {
		sum = (uint8_t)(sum + frame[i]);
		ck_assert_int_ne(frame[i], '#');
		ck_assert_int_ne(frame[i], '$');
		if (frame[i] != '*') {
			ret[n++] = frame[i];
			continue;
		}
		i++;
		sum = (uint8_t)(sum + frame[i]);
		ck_assert_uint_gt(n, 0);
		ck_assert(frame[i] >= ' ' && frame[i] <= '~' && frame[i] != '#' && frame[i] != '$');
		for (int k = frame[i] - 29; k > 0; k--, n++)
			ret[n] = ret[n - 1];
	}
	sprintf(end, "#%02x", sum);
	ck_assert_int_eq(memcmp(frame + len - 3, end, 3), 0);
	return n;
}

START_TEST(test_round_trip_runs)
{
	uint8_t payload[400], frame[400 + FRAME_OVERHEAD], back[400];

	for (size_t len = 0; len < sizeof(payload); len++) {
		memset(payload, '0', len);
		ck_assert_uint_eq(expand(frame, frame_encode(payload, len, frame), back), len);
		ck_assert_int_eq(memcmp(payload, back, len), 0);
	}
}
END_TEST

START_TEST(test_round_trip_random)
{
	static const uint8_t alphabet[] = "0000000ffffabcxyzE;:,\x01\xff";
	uint8_t payload[300], frame[300 + FRAME_OVERHEAD], back[300];

	srand48(20260729);
	for (unsigned round = 0; round < 20000; round++) {
		size_t len = (size_t)(lrand48() % (long)sizeof(payload)), i = 0;

		while (i < len) {
			uint8_t c = alphabet[lrand48() % (long)(sizeof(alphabet) - 1)];
			size_t run = (size_t)(lrand48() % 4 ? 1 : lrand48() % 120);

			if (lrand48() % 8 == 0 && i + 2 <= len) {
				payload[i++] = '}';
				payload[i++] = (uint8_t)"\x03\x04\x5d\x0a"[lrand48() % 4];
				continue;
			}
			while (run-- && i < len)
				payload[i++] = c;
		}
		ck_assert_uint_eq(expand(frame, frame_encode(payload, len, frame), back), len);
		ck_assert_int_eq(memcmp(payload, back, len), 0);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("frame");
	TCase *t = tcase_create("input");

	tcase_add_loop_test(t, test_input, 0, (int)(sizeof(inputs) / sizeof(inputs[0])));
	tcase_add_test(t, test_any_byte);
	tcase_add_test(t, test_oversize);
	suite_add_tcase(s, t);
	t = tcase_create("output");
	tcase_set_timeout(t, 30);
	tcase_add_loop_test(t, test_output, 0, (int)(sizeof(outputs) / sizeof(outputs[0])));
	tcase_add_test(t, test_round_trip_runs);
	tcase_add_test(t, test_round_trip_random);
	suite_add_tcase(s, t);
	return unit_main(s);
}
