/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What goes sixteen bytes at a time, against plain code that goes byte by byte: digits, frames both ways and escapes,
 * at all alignments and many lengths.  Every buffer ends where its allocation does: a sanitizer sees a byte too many.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gdbstub/frame.h"
#include "gdbstub/hex.h"
#include "gdbstub/reply.h"
#include "tests/unit.h"

#define LENGTHS         140     /* several times sixteen, and a run's greatest length */
#define ALIGNMENTS      17
#define ROUNDS          30000

/* SIZE bytes that begin OFFSET bytes into an allocation and end with it. */
static uint8_t *end_at(void **ret_base, size_t offset, size_t size)
{
	uint8_t *base = malloc(offset + size + !(offset + size));

	ck_assert_ptr_nonnull(base);
	*ret_base = base;
	return base + offset;
}

static unsigned below(unsigned n)
{
	return (unsigned)lrand48() % n;
}

/* Bytes from one of several alphabets, in runs more often than chance has it. */
static void fill(uint8_t *p, size_t len)
{
	static const char *const alphabets[] = { "0123456789abcdef", "0000f", "#$}*", "ab}", "0#*}$azx", "a" };
	const char *from = alphabets[below(sizeof(alphabets) / sizeof(alphabets[0]))];
	size_t count = strlen(from), i = 0;
	bool any = below(3) == 0;

	while (i < len) {
		uint8_t c = any ? (uint8_t)below(256) : (uint8_t)from[below((unsigned)count)];
		unsigned run = below(4) ? 1 : 1 + below(120);

		while (run-- && i < len)
			p[i++] = c;
	}
}

/* -- digits -- */

START_TEST(test_hex_encode)
{
	for (size_t len = 0; len < LENGTHS; len++)
		for (size_t at = 0; at < ALIGNMENTS; at++) {
			void *base, *out_base;
			uint8_t *data = end_at(&base, at, len), *out = end_at(&out_base, 16 - at % 16, 2 * len);
			char want[2 * LENGTHS + 1] = "";

			for (size_t i = 0; i < len; i++) {
				data[i] = (uint8_t)(i * 7 + len * 31 + at * 3);
				sprintf(want + 2 * i, "%02x", data[i]);
			}
			hex_encode(out, data, len);
			ck_assert_int_eq(memcmp(out, want, 2 * len), 0);
			/* spread over the whole from its upper half */
			memcpy(out + len, data, len);
			hex_encode(out, out + len, len);
			ck_assert_int_eq(memcmp(out, want, 2 * len), 0);
			free(base);
			free(out_base);
		}
}
END_TEST

static int plain_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

START_TEST(test_hex_decode)
{
	static const char digits[] = "0123456789abcdefABCDEF";

	for (size_t len = 0; len < LENGTHS; len++)
		for (size_t at = 0; at < ALIGNMENTS; at++) {
			void *base, *out_base;
			uint8_t *src = end_at(&base, at, 2 * len), *out = end_at(&out_base, 16 - at % 16, len);
			uint8_t want[LENGTHS];

			for (size_t i = 0; i < 2 * len; i++)
				src[i] = (uint8_t)digits[below(sizeof(digits) - 1)];
			for (size_t i = 0; i < len; i++)
				want[i] = (uint8_t)(plain_digit(src[2 * i]) << 4 | plain_digit(src[2 * i + 1]));
			ck_assert(hex_decode(out, src, len));
			ck_assert_int_eq(memcmp(out, want, len), 0);
			ck_assert(hex_decode(src, src, len));
			ck_assert_int_eq(memcmp(src, want, len), 0);
			free(base);
			free(out_base);
		}
}
END_TEST

/* Every byte, at every place of a vector and behind it, is a digit or is refused. */
START_TEST(test_hex_digits)
{
	for (unsigned c = 0; c < 256; c++)
		for (unsigned at = 0; at < 70; at++) {
			uint8_t src[70], out[35];

			memset(src, '0', sizeof(src));
			src[at] = (uint8_t)c;
			ck_assert_int_eq(hex_decode(out, src, sizeof(out)), plain_digit((uint8_t)c) >= 0);
			if (plain_digit((uint8_t)c) >= 0)
				ck_assert_uint_eq(out[at / 2], (unsigned)plain_digit((uint8_t)c) << (at % 2 ? 0 : 4));
		}
}
END_TEST

/* -- frames to the client -- */

/* As frame_encode() says: greedy, a run of three to 97 repeats, their count neither '#' nor '$', none from an escape. */
static size_t plain_encode(const uint8_t *payload, size_t len, uint8_t *ret)
{
	uint8_t *p = ret, sum = 0;
	char digits[3];

	*p++ = '$';
	for (size_t i = 0, n; i < len; i += n + 1) {
		n = 0;
		while (n < 97 && i + n + 1 < len && payload[i + n + 1] == payload[i])
			n++;
		if (n == 6 || n == 7)
			n = 5;
		if (n < 3 || payload[i] == '}' || (i && payload[i - 1] == '}'))
			n = 0;
		*p++ = payload[i];
		if (n) {
			*p++ = '*';
			*p++ = (uint8_t)(n + 29);
		}
	}
	for (const uint8_t *q = ret + 1; q < p; q++)
		sum = (uint8_t)(sum + *q);
	*p++ = '#';
	sprintf(digits, "%02x", sum);
	memcpy(p, digits, 2);
	return (size_t)(p + 2 - ret);
}

START_TEST(test_frame_encode)
{
	srand48(20260801);
	for (unsigned round = 0; round < ROUNDS; round++) {
		size_t len = below(3) ? below(LENGTHS) : below(1000), n;
		void *base, *out_base;
		uint8_t *payload = end_at(&base, below(ALIGNMENTS), len);
		uint8_t *out = end_at(&out_base, below(ALIGNMENTS), len + FRAME_OVERHEAD), want[1000 + FRAME_OVERHEAD];

		fill(payload, len);
		n = frame_encode(payload, len, out);
		ck_assert_uint_eq(n, plain_encode(payload, len, want));
		ck_assert_int_eq(memcmp(out, want, n), 0);
		free(base);
		free(out_base);
	}
}
END_TEST

/* -- frames from the client -- */

START_TEST(test_frame_feed)
{
	srand48(20260802);
	for (unsigned round = 0; round < ROUNDS; round++) {
		size_t len = below(LENGTHS), cap = below(8) ? LENGTHS : below(LENGTHS), step = 1 + below(40);
		size_t n = 0, used = 0;
		uint8_t want[LENGTHS], bytes[2 * LENGTHS + 4], sum = 0;
		enum frame_event ev = FRAME_MORE;
		struct frame_in f;
		void *buf, *data_base;
		uint8_t *data;

		fill(want, len);
		bytes[n++] = '$';
		for (size_t i = 0; i < len; i++) {
			bool escape = strchr("#$}", want[i]) && want[i] ? true : !below(30);

			if (escape && strchr("\x03\x04]", want[i]) && want[i])
				escape = false;         /* it would become one of those */
			if (escape)
				bytes[n++] = '}';
			bytes[n++] = escape ? want[i] ^ 0x20 : want[i];
		}
		for (size_t i = 1; i < n; i++)
			sum = (uint8_t)(sum + bytes[i]);
		bytes[n++] = '#';
		hex_byte(bytes + n, sum);
		n += 2;
		frame_init(&f, end_at(&buf, 0, cap), cap);
		while (used < n) {
			size_t piece = n - used < step ? n - used : step, k;

			data = end_at(&data_base, below(ALIGNMENTS), piece);
			memcpy(data, bytes + used, piece);
			k = frame_feed(&f, data, piece, &ev);
			ck_assert_uint_eq(k, piece);
			used += k;
			free(data_base);
			ck_assert_int_eq(ev == FRAME_MORE, used < n);
		}
		ck_assert_int_eq(ev, len > cap ? FRAME_REFUSED : FRAME_PACKET);
		if (len <= cap) {
			ck_assert_uint_eq(f.len, len);
			ck_assert_int_eq(memcmp(f.buf, want, len), 0);
		}
		free(buf);
	}
}
END_TEST

/* -- escapes -- */

/* As many as fit; how many that were, and *RET_LEN what became of them. */
static size_t plain_escape(const uint8_t *data, size_t len, size_t room, uint8_t *ret, size_t *ret_len)
{
	size_t n = 0, i = 0;

	for (; i < len; i++) {
		bool special = data[i] && strchr("#$}*", data[i]);

		if (n + 1 + special > room)
			break;
		if (special)
			ret[n++] = '}';
		ret[n++] = special ? data[i] ^ 0x20 : data[i];
	}
	*ret_len = n;
	return i;
}

START_TEST(test_escape)
{
	srand48(20260803);
	for (unsigned round = 0; round < ROUNDS; round++) {
		size_t spare = below(3) ? below(2 * LENGTHS) : below(4), before = below(20), len = below(LENGTHS);
		size_t want_len, want_n;
		uint8_t data[LENGTHS], want[3 * LENGTHS];
		struct reply r;
		void *base;

		reply_init(&r, end_at(&base, 0, before + len + spare), before + len + spare);
		reply_fill(&r, '}', before);
		fill(data, len);
		memcpy(r.buf + before, data, len);
		want_n = plain_escape(data, len, len + spare, want, &want_len);
		ck_assert_uint_eq(reply_escape(&r, len), want_n);
		ck_assert_uint_eq(r.len, before + want_len);
		ck_assert_int_eq(memcmp(r.buf + before, want, want_len), 0);
		for (size_t i = 0; i < before; i++)
			ck_assert_uint_eq(r.buf[i], '}');
		free(base);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("wide");
	TCase *t = tcase_create("wide");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, test_hex_encode);
	tcase_add_test(t, test_hex_decode);
	tcase_add_test(t, test_hex_digits);
	tcase_add_test(t, test_frame_encode);
	tcase_add_test(t, test_frame_feed);
	tcase_add_test(t, test_escape);
	suite_add_tcase(s, t);
	return unit_main(s);
}
