/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lldb's packets that tell it what it debugs, and all about threads at once. */
#include "gdbstub/lldb.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config.h"

static void put_hex_item(struct reply *r, const char *key, const char *text)
{
	reply_text(r, key);
	reply_hex(r, text, strlen(text));
	reply_text(r, ";");
}

static void put_number_item(struct reply *r, const char *key, uint64_t value)
{
	reply_text(r, key);
	reply_number(r, value);
	reply_text(r, ";");
}

static void put_triple(struct session *s)
{
	put_hex_item(&s->reply, "triple:", s->tdesc.as->triple);
	put_number_item(&s->reply, "ptrsize:", s->tdesc.as->pointer);
	reply_text(&s->reply, "endian:little;");
}

int pkt_host_info(struct session *s, struct cursor *args)
{
	(void)args;
	put_triple(s);
	reply_text(&s->reply, "ostype:unknown;watchpoint_exceptions_received:after;");
	return PACKET_REPLY;
}

/* Here numbers are in hex. */
int pkt_process_info(struct session *s, struct cursor *args)
{
	(void)args;
	reply_text(&s->reply, "pid:1;parent-pid:0;");
	put_triple(s);
	reply_text(&s->reply, "ostype:unknown;");
	return PACKET_REPLY;
}

int pkt_server_version(struct session *s, struct cursor *args)
{
	(void)args;
	reply_text(&s->reply, "name:gdbvisor;version:" PACKAGE_VERSION ";");
	return PACKET_REPLY;
}

int pkt_thread_suffix(struct session *s, struct cursor *args)
{
	(void)args;
	s->thread_suffix = true;
	return packet_ok(s);
}

int pkt_list_threads(struct session *s, struct cursor *args)
{
	(void)args;
	s->list_threads = true;
	return packet_ok(s);
}

int pkt_error_strings(struct session *s, struct cursor *args)
{
	(void)args;
	s->error_strings = true;
	return packet_ok(s);
}

/* ":response_size:N;" (N in decimal) and anything behind it. */
int pkt_speed_test(struct session *s, struct cursor *args)
{
	static const char word[] = ":response_size:";
	const size_t len = sizeof(word) - 1, room = s->reply.cap - sizeof("data:");
	size_t n = 0, i = len;

	if (args->len < len || memcmp(args->p, word, len))
		return -EINVAL;
	for (; i < args->len && args->p[i] >= '0' && args->p[i] <= '9' && n <= room; i++)
		n = 10 * n + (args->p[i] - '0');
	if (i == len || n > room || (i < args->len && args->p[i] != ';'))
		return -EINVAL;
	reply_text(&s->reply, "data:");
	reply_fill(&s->reply, 'a', n);
	return PACKET_REPLY;
}

/* -- stops -- */

/* NULL: nothing more than the signal says.  lldb looks for what it has set itself, so the others' stops are exceptions to it. */
static const char *reason_word(const struct stop_event *ev)
{
	bool own = ev->owners & BREAK_OWNER_GDB;

	switch (ev->reason) {
	case STOP_STEP:
		return "trace";
	case STOP_BREAKPOINT:
		return own && !ev->alias ? "breakpoint" : "exception";
	case STOP_WATCH:
		return own ? "watchpoint" : "exception";
	case STOP_CATCH:
	case STOP_TRIPLE_FAULT:
	case STOP_ERROR:
		return "exception";
	default:
		return NULL;
	}
}

/* For a watchpoint "ADDR INDEX HIT-ADDR", by which lldb finds its own; else text for people.  "": none. */
static void describe(const struct stop_event *ev, char *ret, size_t size)
{
	unsigned long long hit = ev->watch.gva;

	if (ev->reason == STOP_WATCH && (ev->owners & BREAK_OWNER_GDB))
		snprintf(ret, size, "%llu 0 %llu", hit, hit);
	else if (ev->text[0] || ev->reason == STOP_STEP)
		snprintf(ret, size, "%s", ev->text);
	else
		snprintf(ret, size, "%s", ev->owners & BREAK_OWNER_GDB ? "" : "stopped by the monitor");
	/* it is also put between quotes */
	for (; *ret; ret++)
		if (*ret == '"' || *ret == '\\')
			*ret = '\'';
}

static uint64_t pc_of(struct session *s, unsigned cpu)
{
	struct cpu_status st;

	return machine_cpu_status(s->machine, cpu, &st, NULL) ? 0 : st.pc;
}

void lldb_stop(struct session *s, const struct stop_event *ev)
{
	struct reply *r = &s->reply;
	const char *reason = ev ? reason_word(ev) : NULL;
	char text[sizeof(ev->text)];

	if (!s->list_threads)
		return;
	for (unsigned i = 0; i < session_cpus(s); i++) {
		reply_text(r, i ? "," : "threads:");
		put_thread(s, r, i);
	}
	for (unsigned i = 0; i < session_cpus(s); i++) {
		reply_text(r, i ? "," : ";thread-pcs:");
		reply_number(r, pc_of(s, i));
	}
	reply_text(r, ";");
	if (!reason)
		return;
	reply_text(r, "reason:");
	reply_text(r, reason);
	reply_text(r, ";");
	describe(ev, text, sizeof(text));
	if (text[0])
		put_hex_item(r, "description:", text);
}

static const struct stop_event *stop_of(struct session *s, unsigned cpu)
{
	const struct stop_event *ev = machine_last_stop(s->machine);

	return ev->cpu == cpu ? ev : NULL;
}

/* "T": a stop reply for that thread; signal 0 for those that were only parked. */
int pkt_thread_stop(struct session *s, struct cursor *args)
{
	unsigned current = s->cpu;
	int thread;

	if (!cursor_thread(args, session_cpus(s), &thread) || thread <= 0 || !cursor_end(args))
		return -EINVAL;
	stop_reply_thread(s, (unsigned)thread - 1, stop_of(s, (unsigned)thread - 1));
	s->cpu = current;
	return PACKET_REPLY;
}

/* -- jThreadsInfo -- */

/* JSON in a packet: '}' is the protocol's escape, so the text is escaped whole. */
static void put_json(struct session *s, const char *text)
{
	reply_escaped(&s->reply, text, strlen(text));
}

static void put_json_registers(struct session *s, unsigned cpu)
{
	const reg_id ids[] = { arch_desc.pc, arch_desc.sp, arch_desc.fp };
	const char *sep = "";

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		const struct reg_view *v;
		uint8_t value[REG_BYTES_MAX];
		char key[16];

		if (ids[i] == REG_NONE || machine_reg_read(s->machine, cpu, ids[i], value, NULL))
			continue;
		v = &arch_desc.regs[ids[i]].view[s->tdesc.layout];
		snprintf(key, sizeof(key), "%s\"%d\":\"", sep, v->num);
		put_json(s, key);
		reply_hex(&s->reply, value, v->bits / 8u);
		put_json(s, "\"");
		sep = ",";
	}
}

int pkt_threads_info(struct session *s, struct cursor *args)
{
	(void)args;
	put_json(s, "[");
	for (unsigned i = 0; i < session_cpus(s); i++) {
		const struct stop_event *ev = stop_of(s, i);
		const char *reason = ev ? reason_word(ev) : NULL;
		char text[sizeof(ev->text)];

		snprintf(text, sizeof(text), "%s{\"tid\":%u,\"name\":\"CPU#%u\",", i ? "," : "", i + 1, i);
		put_json(s, text);
		if (ev) {
			snprintf(text, sizeof(text), "\"signal\":%u,", stop_signal(ev));
			put_json(s, text);
		}
		if (reason) {
			put_json(s, "\"reason\":\"");
			put_json(s, reason);
			put_json(s, "\",\"description\":\"");
			describe(ev, text, sizeof(text));
			put_json(s, text);
			put_json(s, "\",");
		}
		put_json(s, "\"registers\":{");
		put_json_registers(s, i);
		put_json(s, "}}");
	}
	put_json(s, "]");
	return PACKET_REPLY;
}
