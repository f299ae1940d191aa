/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "util/addr.h"

#include <errno.h>
#include <string.h>

#include "tests/unit.h"

static const struct {
	const char *text;
	unsigned kinds;
	enum addr_kind kind;
	const char *path, *host;
	unsigned port;
	bool exposed;
} good[] = {
	{ "stdio", ADDR_FOR_GDB, ADDR_STDIO, NULL, NULL, 0, false },
	{ "none", ADDR_FOR_GDB, ADDR_NONE, NULL, NULL, 0, false },
	{ "pty", ADDR_FOR_SERIAL, ADDR_PTY, NULL, NULL, 0, false },
	{ "file:out.txt", ADDR_FOR_SERIAL, ADDR_FILE, "out.txt", NULL, 0, false },
	{ "file:/a:b", ADDR_FOR_SERIAL, ADDR_FILE, "/a:b", NULL, 0, false },
	{ "unix:sock", ADDR_FOR_GDB, ADDR_UNIX, "sock", NULL, 0, false },
	{ "unix:/run/x", ADDR_FOR_MONITOR, ADDR_UNIX, "/run/x", NULL, 0, false },
	{ "/run/x", ADDR_FOR_GDB, ADDR_UNIX, "/run/x", NULL, 0, false },
	{ "tcp:1234", ADDR_FOR_GDB, ADDR_TCP, NULL, "127.0.0.1", 1234, false },
	{ "tcp::1234", ADDR_FOR_GDB, ADDR_TCP, NULL, "127.0.0.1", 1234, false },
	{ "1234", ADDR_FOR_GDB, ADDR_TCP, NULL, "127.0.0.1", 1234, false },
	{ ":65535", ADDR_FOR_GDB, ADDR_TCP, NULL, "127.0.0.1", 65535, false },
	{ "tcp:0", ADDR_FOR_GDB, ADDR_TCP, NULL, "127.0.0.1", 0, false },
	{ "tcp:127.9.8.7:1", ADDR_FOR_GDB, ADDR_TCP, NULL, "127.9.8.7", 1, false },
	{ "tcp:localhost:1", ADDR_FOR_GDB, ADDR_TCP, NULL, "localhost", 1, false },
	{ "tcp:[::1]:1", ADDR_FOR_GDB, ADDR_TCP, NULL, "::1", 1, false },
	{ "tcp:[::]:1", ADDR_FOR_GDB, ADDR_TCP, NULL, "::", 1, true },
	{ "tcp:0.0.0.0:1", ADDR_FOR_GDB, ADDR_TCP, NULL, "0.0.0.0", 1, true },
	{ "tcp:192.168.1.2:1", ADDR_FOR_GDB, ADDR_TCP, NULL, "192.168.1.2", 1, true },
	{ "tcp:host.example:1", ADDR_FOR_GDB, ADDR_TCP, NULL, "host.example", 1, true },
	{ "tcp:127.0.0.1.evil.example:1", ADDR_FOR_GDB, ADDR_TCP, NULL, "127.0.0.1.evil.example", 1, true },
};

#define LIST_GDB "not an address (unix:PATH, tcp:[HOST:]PORT, stdio, none)"
#define LIST_MONITOR "not an address (unix:PATH, stdio, none)"
#define LIST_SERIAL "not an address (unix:PATH, file:PATH, stdio, pty, none)"
#define NOT_PORT "not a port (0 to 65535)"

static const struct {
	const char *text;
	unsigned kinds;
	const char *msg;
} bad[] = {
	{ "", ADDR_FOR_GDB, LIST_GDB },
	{ ":", ADDR_FOR_GDB, LIST_GDB },
	{ "stdio:", ADDR_FOR_GDB, LIST_GDB },
	{ "stdi", ADDR_FOR_GDB, LIST_GDB },
	{ "nonesuch", ADDR_FOR_GDB, LIST_GDB },
	{ "pty", ADDR_FOR_GDB, LIST_GDB },
	{ "file:x", ADDR_FOR_GDB, LIST_GDB },
	{ "12a", ADDR_FOR_GDB, LIST_GDB },
	{ "host:1234", ADDR_FOR_GDB, LIST_GDB },
	{ "./x", ADDR_FOR_GDB, LIST_GDB },
	{ "tcp:1234", ADDR_FOR_MONITOR, LIST_MONITOR },
	{ "1234", ADDR_FOR_MONITOR, LIST_MONITOR },
	{ "1234", ADDR_FOR_SERIAL, LIST_SERIAL },
	{ "/dev/null", ADDR_FOR_SERIAL, LIST_SERIAL },
	{ "unix:", ADDR_FOR_GDB, "a path is missing" },
	{ "file:", ADDR_FOR_SERIAL, "a path is missing" },
	{ "tcp:", ADDR_FOR_GDB, NOT_PORT },
	{ "tcp:host", ADDR_FOR_GDB, NOT_PORT },
	{ "tcp:host:", ADDR_FOR_GDB, NOT_PORT },
	{ "tcp:65536", ADDR_FOR_GDB, NOT_PORT },
	{ "65536", ADDR_FOR_GDB, NOT_PORT },
	{ "99999999999999999999999", ADDR_FOR_GDB, NOT_PORT },
	{ "tcp:1K", ADDR_FOR_GDB, NOT_PORT },
	{ "tcp:0x50", ADDR_FOR_GDB, NOT_PORT },
	{ "tcp:-1", ADDR_FOR_GDB, NOT_PORT },
	{ "tcp: 1", ADDR_FOR_GDB, NOT_PORT },
	{ "tcp:::1:5", ADDR_FOR_GDB, "an IPv6 host stands in brackets: tcp:[::1]:PORT" },
	{ "tcp:[]:5", ADDR_FOR_GDB, "no host between the brackets" },
	{ "tcp:[::1]", ADDR_FOR_GDB, "not [HOST]:PORT" },
	{ "tcp:[::1]x:5", ADDR_FOR_GDB, "not [HOST]:PORT" },
	{ "tcp:[", ADDR_FOR_GDB, "not [HOST]:PORT" },
};

static void expect_text(const char *what, const char *is, const char *want)
{
	ck_assert_msg(is == want || (is && want && strcmp(is, want) == 0), "%s is %s, not %s", what,
		      is ? is : "NULL", want ? want : "NULL");
}

START_TEST(takes_addresses)
{
	struct addr a = { 0 };
	struct err err = { 0 };

	ck_assert_msg(addr_parse(good[_i].text, good[_i].kinds, &a, &err) == 0, "%s", err.msg);
	ck_assert_int_eq(a.kind, good[_i].kind);
	expect_text("path", a.path, good[_i].path);
	expect_text("host", a.host, good[_i].host);
	ck_assert_uint_eq(a.port, good[_i].port);
	ck_assert_int_eq(a.exposed, good[_i].exposed);
	addr_done(&a);
	ck_assert_ptr_null(a.path);
	addr_done(&a);
}
END_TEST

START_TEST(refuses_the_rest)
{
	struct addr a = { .port = 7 };
	struct err err = { 0 };

	ck_assert_int_eq(addr_parse(bad[_i].text, bad[_i].kinds, &a, &err), -EINVAL);
	ck_assert_str_eq(err.msg, bad[_i].msg);
	ck_assert_uint_eq(a.port, 7);
	ck_assert_int_eq(a.kind, 0);
}
END_TEST

START_TEST(socket_paths_are_bounded)
{
	char text[5 + 108 + 1] = "unix:";
	struct addr a = { 0 };
	struct err err = { 0 };

	memset(text + 5, 'x', 107);
	ck_assert_int_eq(addr_parse(text, ADDR_FOR_GDB, &a, &err), 0);
	addr_done(&a);
	text[5 + 107] = 'x';
	ck_assert_int_eq(addr_parse(text, ADDR_FOR_GDB, &a, &err), -ENAMETOOLONG);
	ck_assert_str_eq(err.msg, "the path is 108 bytes long, a unix socket's name holds 107");
	text[5] = '/';
	ck_assert_int_eq(addr_parse(text + 5, ADDR_FOR_GDB, &a, &err), -ENAMETOOLONG);
	/* A file's may be longer. */
	memcpy(text, "file:", 5);
	ck_assert_int_eq(addr_parse(text, ADDR_FOR_SERIAL, &a, &err), 0);
	addr_done(&a);
}
END_TEST

#define COUNT(a) (int)(sizeof(a) / sizeof((a)[0]))

int main(void)
{
	Suite *s = suite_create("addr");
	TCase *t = tcase_create("addr");

	tcase_add_loop_test(t, takes_addresses, 0, COUNT(good));
	tcase_add_loop_test(t, refuses_the_rest, 0, COUNT(bad));
	tcase_add_test(t, socket_paths_are_bounded);
	suite_add_tcase(s, t);
	return unit_main(s);
}
