/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Every packet of the table, valid and in every broken form, to a fake machine: all answered, none fatal, and the next packet
 * is served.  What a packet does is tested elsewhere; here it is that nothing about its arguments can do harm.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gdbstub/internal.h"
#include "tests/rsp_rig.h"
#include "tests/unit.h"

#define CASES_MAX 128
#define LONG      (1u << 20)    /* bytes of arguments that no packet has */

struct packet_case {
	char name[40];
	uint8_t valid[80];
	size_t valid_len;
	char expect[40];
};

static struct packet_case cases[CASES_MAX];
static size_t ncases;

static void read_cases(void)
{
	const char *dir = getenv("srcdir");
	char path[512], line[256], valid[100];
	FILE *f;

	snprintf(path, sizeof(path), "%s/tests/rsp/packets.txt", dir ? dir : ".");
	f = fopen(path, "r");
	if (!f) {
		perror(path);
		exit(1);
	}
	while (fgets(line, sizeof(line), f)) {
		struct packet_case *c = &cases[ncases];

		if (line[0] == '#')
			continue;
		if (ncases == CASES_MAX || sscanf(line, "%39s %79s %39s", c->name, valid, c->expect) != 3) {
			fprintf(stderr, "%s: not a case, or one too many: %s", path, line);
			exit(1);
		}
		for (const char *p = valid; *p;) {
			unsigned byte;

			if (sscanf(p, "\\x%2x", &byte) == 1) {
				c->valid[c->valid_len++] = (uint8_t)byte;
				p += 4;
			} else {
				c->valid[c->valid_len++] = (uint8_t)*p++;
			}
		}
		ncases++;
	}
	fclose(f);
}

/* -- a session -- */

static const struct fake_config config = {
	.cpus = 2, .ram_size = 0x10000, .hole = 0x8000, .hole_size = 0x1000, .image_bits = 64, .mode = MODE_LONG,
};

static struct rig r;
static const struct packet_case *now;   /* of which */
static const char *how;                 /* and what was made of it */

static void setup(void)
{
	rig_open(&r, &config);
	/* what search is to find */
	rig_ask_bytes(&r, "X2000,4:a\x03" "b\1", 12);
}

static void teardown(void)
{
	rig_close(&r);
}

/* The guest stops if it runs; what came of it goes into the next take(). */
static void stop_guest(void)
{
	if (r.done)
		rig_finish(&r, 0);
	for (unsigned i = 0; i < 3; i++) {
		machine_poll(&r.f->machine, 0);
		machine_stop(&r.f->machine);
	}
	machine_poll(&r.f->machine, 0);
}

/* The client goes on as if nothing had been: it is served, or its session has ended as the packet said. */
static void check_alive(void)
{
	stop_guest();
	rig_take(&r);
	if (session_end(r.s) != SESSION_ON) {
		ck_assert_msg(session_end(r.s) != SESSION_BROKEN, "%s %s: the session broke", now->name, how);
		return;
	}
	ck_assert_msg(!strncmp(rig_ask(&r, "qGDBServerVersion"), "name:", 5), "%s %s: the next packet is not served", now->name, how);
	ck_assert_msg(!r.f->holds, "%s %s: a hold is left", now->name, how);
}

/* Sends a payload; something must come back unless it let the guest run, or the reply is the empty one. */
static void send_broken(const char *what, const void *payload, size_t len)
{
	size_t before;

	how = what;
	setup();
	session_output(r.s, &before);
	rig_send(&r, payload, len);
	stop_guest();
	if (session_end(r.s) == SESSION_ON && r.f->state != MACHINE_RUNNING) {
		size_t after;

		session_output(r.s, &after);
		ck_assert_msg(after > before || now->expect[0] == '-', "%s %s: no answer", now->name, what);
	}
	check_alive();
	teardown();
}

static size_t join(uint8_t *ret, const char *a, const char *b)
{
	return (size_t)sprintf((char *)ret, "%s%s", a, b);
}

/* -- the forms -- */

/* expect: what the answer begins with, or one of its letters where it has several. */
static void check_expected(const char *got)
{
	const char *e = now->expect;
	bool stop = !strcmp(e, "stop");
	/* a list of digits, or of OK and E: any of them */
	bool any = !strncmp(e, "0123", 4) || !strcmp(e, "OKE");

	if (!strcmp(e, "-"))
		return;
	if (stop)
		ck_assert_msg(strstr(got, "T0") || strstr(got, "N"), "%s: %s is no stop reply", now->name, got);
	else if (any)
		ck_assert_msg(*got && strchr(e, *got), "%s: %s", now->name, got);
	else
		ck_assert_msg(!strncmp(got, e, strlen(e)), "%s: %s, not %s", now->name, got, e);
}

START_TEST(valid)
{
	now = &cases[_i];
	how = "valid";
	setup();
	rig_send(&r, now->valid, now->valid_len);
	stop_guest();
	check_expected(rig_take(&r));
	check_alive();
	teardown();
}
END_TEST

START_TEST(arguments)
{
	static const char *const tails[] = {
		"", ":", ";", ",", "::", ":,", ";;", ",,", "=",                                        /* none */
		":1,2;3:4,5;6", ",1,2,3,4,5,6,7", ";1;2;3;4", "1,2,3,4:5;6", "1:1:1:1:1",              /* too many */
		"ffffffffffffffff", ":ffffffffffffffff,ffffffffffffffff", ",ffffffffffffffff,ffffffffffffffff",
		"ffffffffffffffff,ffffffffffffffff", ":ffffffffffffffff;ffffffffffffffff;ff", "fffffffffffffffff",
		":fffffffffffffffff,fffffffffffffffff", ",fffffffffffffffff", "0,40000", ":0,40000", ":0,ffffffff",
		":99999999999999999999999999", ":response_size:99999999999999999999;", "p99.1", "p1.99", "-2", "-",
		":abc", ",abc", "abc", "=abc", ":0=abc", ":0,4:abc", "0,2:abc", "0=0", ";zz", ":zz,zz", ",zz", "zz", /* odd */
		";thread:1;", ";thread:99;", ";thread:", ";thread:1", ";thread:-1;", "0;thread:1;", ":;thread:;;", /* suffixes */
	};

	now = &cases[_i];
	for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
		uint8_t payload[200];

		send_broken(tails[i], payload, join(payload, now->name, tails[i]));
		memcpy(payload, now->valid, now->valid_len);
		send_broken(tails[i], payload, now->valid_len + join(payload + now->valid_len, "", tails[i]));
	}
}
END_TEST

START_TEST(garbage)
{
	static const char seps[] = ":;,=0";
	uint8_t payload[512];

	now = &cases[_i];
	for (unsigned round = 0; round < 20; round++) {
		size_t n = join(payload, now->name, "");
		uint32_t x = 0x9e3779b9u * (round + 1) + (uint32_t)_i;

		payload[n++] = (uint8_t)seps[round % 5];
		while (n < sizeof(payload) - round * 20) {
			x = x * 1664525 + 1013904223;
			payload[n++] = (uint8_t)(x >> 24);
		}
		send_broken("garbage", payload, n);
	}
}
END_TEST

START_TEST(too_long)
{
	static const char fill[] = { 'f', '0', ';', ',', '}', 0x03 };
	uint8_t *payload = malloc(LONG);

	ck_assert_ptr_nonnull(payload);
	now = &cases[_i];
	memset(payload, fill[_i % 6], LONG);
	memcpy(payload, now->valid, now->valid_len);
	send_broken("1 MiB", payload, LONG);
	/* as long as one may be */
	send_broken("256 KiB", payload, SESSION_PACKET_SIZE);
	free(payload);
}
END_TEST

/* A wire image fed in pieces; what comes must be the same. */
START_TEST(pieces)
{
	uint8_t wire[300];
	char whole[4096];
	size_t len;

	now = &cases[_i];
	how = "one byte at a time";
	len = rig_frame(now->valid, now->valid_len, wire);
	setup();
	session_input(r.s, wire, len);
	stop_guest();
	snprintf(whole, sizeof(whole), "%.4000s", rig_take(&r));
	teardown();
	setup();
	for (size_t i = 0; i < len; i++)
		session_input(r.s, wire + i, 1);
	stop_guest();
	ck_assert_msg(!strncmp(rig_take(&r), whole, 4000), "%s: another answer than whole", now->name);
	check_alive();
	teardown();

	how = "glued";
	len += rig_frame("qGDBServerVersion", 17, wire + len);
	setup();
	session_input(r.s, wire, len);
	stop_guest();
	if (session_end(r.s) == SESSION_ON)
		ck_assert_msg(strstr(rig_take(&r), "name:gdbvisor") != NULL, "%s: what is glued to it is lost", now->name);
	check_alive();
	teardown();

	how = "cut by disconnect";
	for (size_t cut = 1; cut < 12; cut++) {
		setup();
		session_input(r.s, wire, cut);
		session_leave(r.s);
		stop_guest();
		teardown();
	}
}
END_TEST

/* 0x03 within a packet is one of its bytes, and interrupts nothing. */
START_TEST(control_c_inside)
{
	uint8_t payload[200];
	unsigned stops;
	size_t len;

	now = &cases[_i];
	how = "0x03 inside";
	len = join(payload, now->name, ":\x03\x03");
	setup();
	rig_ask(&r, "vCont;c");
	stops = r.f->calls.stop;
	/* these ask for a stop by themselves */
	if (!strchr("?kDvR", now->name[0]) && strcmp(now->name, "QNonStop")) {
		rig_send(&r, payload, len);
		ck_assert_msg(r.f->calls.stop == stops, "%s: stopped the guest", now->name);
	}
	check_alive();
	teardown();
}
END_TEST

/* A packet in the table is in the file too, and the other way round. */
START_TEST(complete)
{
	for (size_t i = 0; dispatch_name(i); i++) {
		size_t k = 0;

		while (k < ncases && strcmp(cases[k].name, dispatch_name(i)))
			k++;
		ck_assert_msg(k < ncases, "tests/rsp/packets.txt does not have %s", dispatch_name(i));
	}
	for (size_t k = 0; k < ncases; k++) {
		size_t i = 0;

		while (dispatch_name(i) && strcmp(cases[k].name, dispatch_name(i)))
			i++;
		ck_assert_msg(dispatch_name(i) != NULL, "gdbstub/dispatch.c does not have %s", cases[k].name);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("rsp_table");
	TCase *t = tcase_create("table");

	read_cases();
	tcase_set_timeout(t, 60);
	tcase_add_test(t, complete);
	tcase_add_loop_test(t, valid, 0, (int)ncases);
	tcase_add_loop_test(t, arguments, 0, (int)ncases);
	tcase_add_loop_test(t, garbage, 0, (int)ncases);
	tcase_add_loop_test(t, too_long, 0, (int)ncases);
	tcase_add_loop_test(t, pieces, 0, (int)ncases);
	tcase_add_loop_test(t, control_c_inside, 0, (int)ncases);
	suite_add_tcase(s, t);
	return unit_main(s);
}
