/* SPDX-License-Identifier: GPL-3.0-or-later */
/* QSaveRegisterState and QRestoreRegisterState: lldb puts a thread's registers away around what it has the guest do. */
#include "gdbstub/lldb.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAVED_MAX 16            /* of a session; the oldest goes first */

struct saved {
	struct saved *next;     /* older */
	unsigned id, cpu;
	unsigned layout;
	unsigned count;
	uint8_t value[][REG_BYTES_MAX];
};

static void drop_oldest(struct session *s)
{
	struct saved **at = &s->saved;

	for (unsigned i = 0; *at && i < SAVED_MAX - 1; i++)
		at = &(*at)->next;
	while (*at) {
		struct saved *v = *at;

		*at = v->next;
		free(v);
	}
}

void lldb_saved_free(struct session *s)
{
	while (s->saved) {
		struct saved *v = s->saved;

		s->saved = v->next;
		free(v);
	}
}

/* The registers of a `g`; the answer is a number, in decimal. */
int pkt_save_registers(struct session *s, struct cursor *args)
{
	unsigned count = reg_g_count(s->tdesc.layout);
	struct saved *v;
	char text[16];
	int r = 0;

	if (!cursor_end(args))
		return -EINVAL;
	v = calloc(1, sizeof(*v) + count * sizeof(v->value[0]));
	if (!v)
		return err_set(&s->error, ENOMEM, "no memory for the registers");
	v->cpu = s->cpu;
	v->layout = s->tdesc.layout;
	v->count = count;
	for (unsigned num = 0; !r && num < count; num++)
		r = machine_reg_read(s->machine, s->cpu, (reg_id)reg_by_num(v->layout, num), v->value[num], &s->error);
	if (r) {
		free(v);
		return r;
	}
	drop_oldest(s);
	v->id = ++s->last_saved;
	v->next = s->saved;
	s->saved = v;
	snprintf(text, sizeof(text), "%u", v->id);
	reply_text(&s->reply, text);
	return PACKET_REPLY;
}

/* Only what differs is written: a write to the pc says that the vCPU is elsewhere.  After a failure all is as it was. */
static int restore(struct session *s, const struct saved *v)
{
	uint8_t now[REG_MAX][REG_BYTES_MAX] = { { 0 } };
	unsigned done;
	int r = 0;

	for (unsigned num = 0; !r && num < v->count; num++)
		r = machine_reg_read(s->machine, s->cpu, (reg_id)reg_by_num(v->layout, num), now[num], &s->error);
	for (done = 0; !r && done < v->count; done++)
		if (memcmp(now[done], v->value[done], sizeof(now[0])))
			r = machine_reg_write(s->machine, s->cpu, (reg_id)reg_by_num(v->layout, done), v->value[done],
					      &s->error);
	/* the last one tried was refused, which changed nothing */
	for (unsigned num = 0; r && num + 1 < done; num++)
		if (memcmp(now[num], v->value[num], sizeof(now[0])))
			machine_reg_write(s->machine, s->cpu, (reg_id)reg_by_num(v->layout, num), now[num], NULL);
	return r;
}

/* ":ID" in decimal; what was saved is used up when it could be restored. */
int pkt_restore_registers(struct session *s, struct cursor *args)
{
	struct saved **at = &s->saved;
	char text[16] = "";
	unsigned long id;
	char *end;
	int r;

	if (!cursor_byte(args, ':') || !args->len || args->len >= sizeof(text))
		return -EINVAL;
	memcpy(text, args->p, args->len);
	id = strtoul(text, &end, 10);
	if (*end || end == text || text[0] < '0' || text[0] > '9')
		return -EINVAL;
	while (*at && (*at)->id != id)
		at = &(*at)->next;
	if (!*at)
		return err_set(&s->error, ENOENT, "no registers were saved under that number");
	if ((*at)->cpu != s->cpu)
		return err_set(&s->error, EINVAL, "these are the registers of another thread");
	r = restore(s, *at);
	if (!r) {
		struct saved *v = *at;

		*at = v->next;
		free(v);
	}
	return r ? r : packet_ok(s);
}
