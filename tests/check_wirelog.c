/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The log of packets: what they mean, how they are shown, and a disk that is full. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gdbstub/wirelog.h"
#include "tests/rsp_rig.h"
#include "tests/unit.h"

static const struct {
	enum wire_dir dir;
	const char *payload, *meaning;
} meanings[] = {
	{ WIRE_IN, "m1000,40", "read 64 bytes at 0x1000" },
	{ WIRE_IN, "x0,0", "read 0 bytes at 0x0" },
	{ WIRE_IN, "X2000,4:abcd", "write 4 bytes at 0x2000" },
	{ WIRE_IN, "mxyz", "" },
	{ WIRE_IN, "g", "read registers" },
	{ WIRE_IN, "p10", "read register 16" },
	{ WIRE_IN, "P10=00", "write register 16" },
	{ WIRE_IN, "Z0,1010,1", "set breakpoint at 0x1010" },
	{ WIRE_IN, "z2,1010,4", "remove write watchpoint at 0x1010" },
	{ WIRE_IN, "Z9,1010,4", "" },
	{ WIRE_IN, "vCont;c", "continue" },
	{ WIRE_IN, "vCont;s:p1.2;c", "step thread p1.2" },
	{ WIRE_IN, "vCont;r1000,1010:1", "step in a range thread 1" },
	{ WIRE_IN, "vCont?", "which actions?" },
	{ WIRE_IN, "vCont;", "" },
	{ WIRE_IN, "qRcmd,696e666f20637075730a", "monitor info cpus." },
	{ WIRE_IN, "qRcmd,zz", "" },
	{ WIRE_IN, "qXfer:features:read:target.xml:0,fff", "document features" },
	{ WIRE_IN, "qSearch:memory:1000;20;abc", "search 32 bytes at 0x1000" },
	{ WIRE_IN, "qCRC:1000,20", "checksum of 32 bytes at 0x1000" },
	{ WIRE_IN, "\x03", "interrupt" },
	{ WIRE_IN, "qSupported:a+", "" },
	{ WIRE_IN, "", "" },
	{ WIRE_OUT, "", "not supported" },
	{ WIRE_OUT, "OK", "" },
	{ WIRE_OUT, "E0e", "error: Bad address" },
	{ WIRE_OUT, "E.no memory there", "error: no memory there" },
	{ WIRE_OUT, "E0e0", "" },
	{ WIRE_OUT, "T05thread:2;core:1;10:1010000000000000;07:ff;swbreak:;", "stop: breakpoint cpu 1 at 0x1010" },
	{ WIRE_OUT, "T05thread:1;core:0;08:10100000;rwatch:2000;", "stop: read watchpoint cpu 0 at 0x1010" },
	{ WIRE_OUT, "T02thread:1;core:0;10:00", "stop: interrupt cpu 0 at 0x0" },
	{ WIRE_OUT, "Tzz", "" },
	{ WIRE_OUT, "O6869", "console: hi" },
	{ WIRE_OUT, "W03", "the guest has ended, status 3" },
	{ WIRE_NOTE, "Stop:T05thread:2;core:1;10:1010000000000000;hwbreak:;", "stop: hardware breakpoint cpu 1 at 0x1010" },
};

START_TEST(meaning)
{
	char text[WIRELOG_MEANING];

	wirelog_meaning(meanings[_i].dir, (const uint8_t *)meanings[_i].payload, strlen(meanings[_i].payload), text);
	ck_assert_str_eq(text, meanings[_i].meaning);
}
END_TEST

/* Nothing that is sent gets a meaning longer than its place, whatever it is. */
START_TEST(garbage)
{
	static const char letters[] = "mxMXgGpPZzvCcsSTOEWqRH:;,.=0123456789abcdef";
	uint32_t x = 1;

	for (unsigned round = 0; round < 20000; round++) {
		size_t len = round % 300;
		uint8_t *p = malloc(len ? len : 1);
		char text[WIRELOG_MEANING];

		for (size_t i = 0; i < len; i++) {
			x = x * 1664525 + 1013904223;
			p[i] = x >> 31 ? (uint8_t)(x >> 20) : (uint8_t)letters[(x >> 16) % (sizeof(letters) - 1)];
		}
		wirelog_meaning(round % 3, p, len, text);
		ck_assert_ptr_nonnull(memchr(text, 0, sizeof(text)));
		for (const char *c = text; *c; c++)
			ck_assert(*c >= ' ' && *c <= '~');
		free(p);
	}
}
END_TEST

/* -- files -- */

static char path[64], told[400];
static unsigned tellings;

static void on_failed(void *arg, const char *text)
{
	ck_assert_ptr_eq(arg, &tellings);
	snprintf(told, sizeof(told), "%s", text);
	tellings++;
}

/* The whole log. */
static const char *read_log(void)
{
	static char text[1 << 16];
	FILE *f = fopen(path, "r");

	ck_assert_ptr_nonnull(f);
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	return text;
}

static void make_path(void)
{
	int fd;

	snprintf(path, sizeof(path), "/tmp/check_wirelog.XXXXXX");
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	close(fd);
	tellings = 0;
}

static void drop_path(void)
{
	unlink(path);
}

START_TEST(session)
{
	struct wirelog *l;
	struct stat st;
	const char *text;
	uint8_t big[1000];
	struct rig r;

	unlink(path);
	ck_assert_int_eq(wirelog_open(path, on_failed, &tellings, &l, NULL), 0);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	rig_open(&r, NULL);
	session_log(r.s, l, 7);
	rig_ask(&r, "m1000,2");
	session_input(r.s, (const uint8_t *)"\x03", 1);
	memset(big, 0xee, sizeof(big));
	memcpy(big, "X1000,3e0:", 10);
	rig_ask_bytes(&r, big, sizeof(big));
	text = read_log();
	ck_assert_ptr_nonnull(strstr(text, " 7 < m1000,2 "));
	ck_assert_ptr_nonnull(strstr(text, "  read 2 bytes at 0x1000\n"));
	ck_assert_ptr_nonnull(strstr(text, " 7 > 0000\n"));
	ck_assert_ptr_nonnull(strstr(text, " 7 < \\x03 "));
	ck_assert_ptr_nonnull(strstr(text, "\\xee\\xee...+"));
	for (const char *line = text; *line; line = strchr(line, '\n') + 1)
		ck_assert_uint_lt(strcspn(line, "\n"), 300);
	/* none once it is taken away */
	session_log(r.s, NULL, 0);
	rig_ask(&r, "m1000,2");
	ck_assert_uint_eq(strlen(read_log()), strlen(text));
	rig_close(&r);
	wirelog_close(l);
}
END_TEST

START_TEST(full_disk)
{
	struct wirelog *l;
	struct err err;

	ck_assert_int_eq(wirelog_open("/dev/full", on_failed, &tellings, &l, &err), 0);
	for (unsigned i = 0; i < 3; i++)
		wirelog_packet(l, 1, WIRE_OUT, (const uint8_t *)"OK", 2);
	ck_assert_uint_eq(tellings, 1);
	ck_assert_str_eq(told, "/dev/full: No space left on device: packets are not logged any more");
	wirelog_close(l);
}
END_TEST

START_TEST(no_file)
{
	struct wirelog *l = NULL;
	struct err err;

	ck_assert_int_eq(wirelog_open("/nowhere/at/all", on_failed, &tellings, &l, &err), -ENOENT);
	ck_assert_str_eq(err.msg, "/nowhere/at/all: No such file or directory");
	/* nobody reads: not waited for */
	unlink(path);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_eq(wirelog_open(path, on_failed, &tellings, &l, &err), -ENXIO);
	ck_assert_ptr_null(l);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("wirelog");
	TCase *t = tcase_create("meaning");

	tcase_add_loop_test(t, meaning, 0, sizeof(meanings) / sizeof(meanings[0]));
	tcase_add_test(t, garbage);
	suite_add_tcase(s, t);
	t = tcase_create("file");
	tcase_add_checked_fixture(t, make_path, drop_path);
	tcase_add_test(t, session);
	tcase_add_test(t, full_disk);
	tcase_add_test(t, no_file);
	suite_add_tcase(s, t);
	return unit_main(s);
}
