/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Decompression of kernels: each format whole, truncated anywhere, damaged, and with a size that lies. */
#include "load/decompress.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bzimage_make.h"
#include "tests/unit.h"

#define PLAIN   5000u

static const struct {
	const char *name;
	size_t (*make)(const void *data, size_t size, uint8_t *buf, size_t cap);
} formats[] = {
	{ "gzip", make_gzip }, { "zstd", make_zstd }, { "xz", make_xz }, { "lz4", make_lz4 },
};

#define FORMATS (sizeof(formats) / sizeof(formats[0]))

static uint8_t plain[PLAIN], packed[3 * PLAIN];

static size_t make(size_t i)
{
	size_t k;

	for (k = 0; k < PLAIN; k++)
		plain[k] = (uint8_t)(k * k / 7 + k % 13);
	return formats[i].make(plain, PLAIN, packed, sizeof(packed));
}

static void refused(size_t size, size_t want, const char *says)
{
	struct err err = { 0 };
	uint8_t *out = packed;

	ck_assert_int_eq(decompress(packed, size, want, &out, &err), -ENOEXEC);
	ck_assert_ptr_eq(out, packed);
	ck_assert_msg(strstr(err.msg, says) != NULL, "%s: not in: %s", says, err.msg);
}

START_TEST(whole)
{
	size_t n = make((size_t)_i);
	struct err err = { 0 };
	uint8_t *out;

	ck_assert_str_eq(decompress_format(packed, n), formats[_i].name);
	ck_assert_msg(!decompress(packed, n, PLAIN, &out, &err), "%s", err.msg);
	ck_assert_mem_eq(out, plain, PLAIN);
	free(out);
	/* What follows a stream that knows its end does not matter. */
	if (formats[_i].make == make_lz4)
		return;
	memset(packed + n, 0xa5, 100);
	ck_assert_msg(!decompress(packed, n + 100, PLAIN, &out, &err), "%s", err.msg);
	ck_assert_mem_eq(out, plain, PLAIN);
	free(out);
}
END_TEST

START_TEST(sizes_that_lie)
{
	size_t n = make((size_t)_i);

	refused(n, PLAIN - 1, formats[_i].make == make_lz4 ? "damaged" : "more bytes than its size says");
	refused(n, PLAIN + 1, "gives 5000 bytes, where its size says 5001");
	refused(n, 0, "no kernel's size");
	refused(n, DECOMPRESS_MAX + 1ull, "no kernel's size");
}
END_TEST

START_TEST(truncated)
{
	size_t n = make((size_t)_i), k;
	struct err err = { 0 };
	uint8_t *out = NULL;

	for (k = 0; k < n; k++) {
		int rc = decompress(packed, k, PLAIN, &out, &err);

		ck_assert_msg(rc == -ENOEXEC && err.msg[0], "%zu of %zu bytes: %d", k, n, rc);
	}
	refused(n - 1, PLAIN, "truncated");
}
END_TEST

START_TEST(damaged)
{
	size_t n = make((size_t)_i), round;
	uint8_t clean[sizeof(packed)];

	memcpy(clean, packed, n);
	srand(1);
	for (round = 0; round < 2000; round++) {
		struct err err = { 0 };
		uint8_t *out;
		int rc;

		memcpy(packed, clean, n);
		packed[(unsigned)rand() % n] ^= (uint8_t)(1u << rand() % 8);
		packed[(unsigned)rand() % n] = (uint8_t)rand();
		rc = decompress(packed, n, PLAIN, &out, &err);
		if (!rc)
			free(out);
		else
			ck_assert_msg((rc == -ENOEXEC || rc == -ENOMEM) && err.msg[0], "%d", rc);
	}
}
END_TEST

START_TEST(two_frames)
{
	size_t n = make(3);
	uint8_t *out;

	/* Lz4's frames may follow each other, each with its magic number. */
	memcpy(packed + n, packed, n);
	ck_assert_int_eq(decompress(packed, 2 * n, 2 * PLAIN, &out, NULL), 0);
	ck_assert_mem_eq(out + PLAIN, plain, PLAIN);
	free(out);
}
END_TEST

START_TEST(unknown)
{
	memcpy(packed, "BZh91AY", 8);
	ck_assert_str_eq(decompress_format(packed, 8), "bzip2");
	refused(8, 10, "compressed with bzip2; gzip, zstd, xz and lz4 can be");
	memcpy(packed, "\x7f" "ELF...", 8);
	ck_assert_ptr_null(decompress_format(packed, 8));
	refused(8, 10, "compressed with nothing known");
	refused(0, 10, "compressed with nothing known");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("decompress");
	TCase *t = tcase_create("decompress");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, whole, 0, FORMATS);
	tcase_add_loop_test(t, sizes_that_lie, 0, FORMATS);
	tcase_add_loop_test(t, truncated, 0, FORMATS);
	tcase_add_loop_test(t, damaged, 0, FORMATS);
	tcase_add_test(t, two_frames);
	tcase_add_test(t, unknown);
	suite_add_tcase(s, t);
	return unit_main(s);
}
