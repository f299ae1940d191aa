/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/rsp_rig.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gdbstub/frame.h"
#include "tests/unit.h"

static char taken[4 << 20];

/* -- the monitor's place -- */

static void *command_run(struct commander *c, const char *line, size_t len, struct out *out, command_done_fn *done,
			 void *arg)
{
	struct rig *r = (struct rig *)c;

	if (len > 5 && !memcmp(line, "echo ", 5)) {
		out_printf(out, "%.*s\n", (int)len - 5, line + 5);
	} else if (len == 4 && !memcmp(line, "fail", 4)) {
		out_puts(out, "no such thing\n");
		done(arg, -EINVAL);
		return NULL;
	} else if (len == 3 && !memcmp(line, "big", 3)) {
		for (unsigned i = 0; i < 10; i++) {
			static char text[100000];

			memset(text, 'a' + (int)i, sizeof(text));
			out_write(out, text, sizeof(text));
		}
	} else if (len == 4 && !memcmp(line, "wait", 4)) {
		r->done = done;
		r->done_arg = arg;
		r->command_out = out;
		return r;
	}
	done(arg, 0);
	return NULL;
}

const char *rig_skip_registers(const char *text)
{
	while (isxdigit((unsigned char)text[0]) && isxdigit((unsigned char)text[1]) && text[2] == ':')
		text = strchr(text, ';') + 1;
	return text;
}

void rig_finish(struct rig *r, int status)
{
	command_done_fn *done = r->done;

	ck_assert_ptr_nonnull(done);
	r->done = NULL;
	done(r->done_arg, status);
}

static void command_cancel_token(struct commander *c, void *token)
{
	struct rig *r = (struct rig *)c;

	ck_assert_ptr_eq(token, r);
	r->cancels++;
	rig_finish(r, -EINTR);
}

/* -- the server's place -- */

static void on_output(void *arg)
{
	((struct rig *)arg)->output_calls++;
}

static void on_left(void *arg)
{
	((struct rig *)arg)->left++;
}

void rig_attach(struct rig *r, const struct fake_config *config)
{
	const struct session_owner owner = { .arg = r, .output = on_output, .left = on_left };
	struct err err;

	if (!r->f)
		r->f = fake_new(config);
	r->commander.run = command_run;
	r->commander.cancel = command_cancel_token;
	ck_assert_int_eq(session_new(&r->f->machine, &r->commander, &owner, &r->s, &err), 0);
	r->acks = true;
}

void rig_open(struct rig *r, const struct fake_config *config)
{
	*r = (struct rig){ 0 };
	rig_attach(r, config);
	ck_assert_str_eq(rig_ask(r, "QStartNoAckMode"), "OK");
	rig_send_raw(r, "+");
	r->acks = false;
}

void rig_close(struct rig *r)
{
	session_free(r->s);
	ck_assert_uint_eq(r->f->holds, 0);
	ck_assert_ptr_null(r->f->observers);
	fake_free(r->f);
	*r = (struct rig){ 0 };
}

void rig_part(struct rig *r)
{
	session_leave(r->s);
	r->f->fail_hold = 0;
	machine_poll(&r->f->machine, 0);
	ck_assert(session_leave(r->s));
	ck_assert_uint_eq(r->f->nbrk, 0);
	ck_assert_uint_eq(r->f->nwatch, 0);
	rig_close(r);
}

/* -- the client's place -- */

size_t rig_frame(const void *payload, size_t len, uint8_t *ret)
{
	const uint8_t *d = payload;
	uint8_t *p = ret, sum = 0;

	*p++ = '$';
	for (size_t i = 0; i < len; i++) {
		bool special = d[i] == '$' || d[i] == '#' || d[i] == '}';

		if (special)
			*p++ = '}';
		*p++ = special ? d[i] ^ 0x20 : d[i];
	}
	for (const uint8_t *q = ret + 1; q < p; q++)
		sum = (uint8_t)(sum + *q);
	return (size_t)(p - ret) + (size_t)sprintf((char *)p, "#%02x", sum);
}

/* One packet at P, of LEN bytes at most: its payload to TO; returns its whole length. */
static size_t unframe(const uint8_t *p, size_t len, char **to)
{
	uint8_t sum = 0;
	char *begin = *to;
	size_t i;

	ck_assert(p[0] == '$' || p[0] == '%');
	if (p[0] == '%')
		*(*to)++ = '%';
	for (i = 1; i < len && p[i] != '#'; i++) {
		uint8_t c = p[i];

		sum = (uint8_t)(sum + c);
		if (c == '*') {
			c = p[++i];
			sum = (uint8_t)(sum + c);
			ck_assert_ptr_ne(*to, begin);
			for (int k = c - 29; k > 0; k--, (*to)++)
				**to = (*to)[-1];
			continue;
		}
		if (c == '}') {
			sum = (uint8_t)(sum + p[++i]);
			c = p[i] ^ 0x20;
		}
		*(*to)++ = (char)c;
	}
	ck_assert_uint_le(i + 3, len);
	ck_assert_uint_eq(strtoul((char[]){ (char)p[i + 1], (char)p[i + 2], 0 }, NULL, 16), sum);
	return i + 3;
}

const char *rig_take(struct rig *r)
{
	size_t len, used = 0;
	const uint8_t *p = session_output(r->s, &len);
	char *to = taken;

	ck_assert_uint_lt(len, sizeof(taken) / 2);
	while (used < len) {
		if (r->acks && p[used] == '+') {
			used++;
			continue;
		}
		if (to != taken)
			*to++ = '|';
		used += unframe(p + used, len - used, &to);
	}
	*to = '\0';
	session_sent(r->s, len);
	return taken;
}

const char *rig_take_raw(struct rig *r)
{
	size_t len;
	const uint8_t *p = session_output(r->s, &len);

	ck_assert_uint_lt(len, sizeof(taken));
	memcpy(taken, p, len);
	taken[len] = '\0';
	session_sent(r->s, len);
	return taken;
}

const char *rig_poll(struct rig *r)
{
	machine_poll(&r->f->machine, 0);
	return rig_take(r);
}

void rig_send_raw(struct rig *r, const char *bytes)
{
	session_input(r->s, (const uint8_t *)bytes, strlen(bytes));
}

void rig_send(struct rig *r, const void *payload, size_t len)
{
	uint8_t *frame = malloc(2 * len + FRAME_OVERHEAD + 1);

	ck_assert_ptr_nonnull(frame);
	session_input(r->s, frame, rig_frame(payload, len, frame));
	free(frame);
}

const char *rig_ask_bytes(struct rig *r, const void *payload, size_t len)
{
	rig_send(r, payload, len);
	return rig_take(r);
}

const char *rig_ask(struct rig *r, const char *payload)
{
	return rig_ask_bytes(r, payload, strlen(payload));
}

void rig_compare(const char *got, const char *want, const char *request)
{
	size_t n = strlen(want);
	bool same = n && want[n - 1] == '~' ? !strncmp(got, want, n - 1) : !strcmp(got, want);

	ck_assert_msg(same, "%s: got %.200s, not %s", request, got, want);
}

char *rig_document(struct rig *r, const char *object, unsigned len)
{
	static char doc[65536];
	size_t n = 0;
	char packet[128];
	const char *reply;

	do {
		sprintf(packet, "qXfer:%s:%zx,%x", object, n, len);
		reply = rig_ask(r, packet);
		ck_assert(reply[0] == 'm' || reply[0] == 'l');
		ck_assert_uint_le(strlen(reply), len + 1);
		strcpy(doc + n, reply + 1);
		n += strlen(reply + 1);
	} while (reply[0] == 'm');
	return doc;
}

void rig_monitor_break(struct rig *r, uint64_t gva)
{
	struct break_spec spec = { .gva = gva, .space = BREAK_ANY_SPACE };

	ck_assert_int_eq(machine_break_insert(&r->f->machine, BREAK_OWNER_MONITOR, &spec, NULL), 0);
}
