/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/counts/pump.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#define DEADLINE_MS 60000       /* for a reply, on a busy host */

/* Sends a frame and takes its reply; false: it is an error, or does not come. */
static bool exchange(struct pump *p, const uint8_t *frame, size_t len)
{
	struct pollfd news = { .fd = machine_event_fd(p->m), .events = POLLIN };
	const uint8_t *reply;
	bool good;

	session_input(p->s, frame, len);
	while (reply = session_output(p->s, &len), !len && session_end(p->s) == SESSION_ON) {
		if (poll(&news, 1, DEADLINE_MS) <= 0)
			return false;
		machine_poll(p->m, 0);
	}
	good = len > 4 && reply[0] == '$' && reply[1] != 'E' && reply[1] != 'W' && reply[1] != 'X';
	session_sent(p->s, len);
	return good;
}

static size_t make_frame(const char *payload, uint8_t *to, size_t room)
{
	unsigned sum = 0;

	for (const char *c = payload; *c; c++)
		sum += (uint8_t)*c;
	return (size_t)snprintf((char *)to, room, "$%s#%02x", payload, sum & 0xff);
}

bool pump_say(struct pump *p, const char *const packets[PUMP_PACKETS])
{
	uint8_t frame[sizeof(p->frames[0])];

	for (unsigned i = 0; i < PUMP_PACKETS && packets[i]; i++)
		if (!exchange(p, frame, make_frame(packets[i], frame, sizeof(frame)))) {
			p->wrong = packets[i];
			return false;
		}
	return true;
}

void pump_load(struct pump *p, const struct op *op)
{
	for (unsigned i = 0; i < PUMP_PACKETS && op->packets[i]; i++)
		p->len[i] = make_frame(op->packets[i], p->frames[i], sizeof(p->frames[i]));
}

bool pump_turn(struct pump *p, const struct op *op)
{
	for (unsigned i = 0; i < PUMP_PACKETS && op->packets[i]; i++)
		if (!exchange(p, p->frames[i], p->len[i])) {
			p->wrong = op->packets[i];
			return false;
		}
	return true;
}

static void hear(void *arg)
{
	(void)arg;      /* output is looked for after each poll */
}

bool pump_open(struct pump *p, struct machine *m)
{
	static const char begin[] = "$QStartNoAckMode#b0", ok[] = "+$OK#9a";
	const struct session_owner owner = { .output = hear, .left = hear };
	struct err err;
	const uint8_t *reply;
	size_t len;
	bool good;

	*p = (struct pump){ .m = m };
	if (session_new(m, NULL, &owner, &p->s, &err))
		return false;
	session_input(p->s, (const uint8_t *)begin, strlen(begin));
	reply = session_output(p->s, &len);
	good = len == strlen(ok) && !memcmp(reply, ok, len);
	session_sent(p->s, len);
	session_input(p->s, (const uint8_t *)"+", 1);
	return good;
}

void pump_close(struct pump *p)
{
	session_free(p->s);
}
