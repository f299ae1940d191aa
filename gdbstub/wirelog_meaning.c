/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What packets say, in words.  Nothing here trusts them: what does not read as expected has no meaning. */
#include "gdbstub/wirelog.h"

#include <stdio.h>
#include <string.h>

#include "gdbstub/cursor.h"
#include "gdbstub/hex.h"

typedef void meaning_fn(struct cursor args, char *ret);

static void say(char *ret, const char *text)
{
	snprintf(ret, WIRELOG_MEANING, "%s", text);
}

/* Text of the client's or the guest's, as far as it can be shown. */
static void say_text(char *ret, const char *what, const uint8_t *text, size_t len)
{
	size_t n = (size_t)snprintf(ret, WIRELOG_MEANING, "%s ", what);

	for (size_t i = 0; i < len && n + 1 < WIRELOG_MEANING; i++)
		ret[n++] = text[i] >= ' ' && text[i] <= '~' ? (char)text[i] : '.';
	ret[n] = '\0';
}

/* The same of hex digits; an end that is cut off is left out. */
static void say_hex_text(char *ret, const char *what, struct cursor digits)
{
	uint8_t text[WIRELOG_MEANING];
	size_t len = digits.len / 2 < sizeof(text) ? digits.len / 2 : sizeof(text);

	if (hex_decode(text, digits.p, len))
		say_text(ret, what, text, len);
}

/* -- from the client -- */

static void range(struct cursor args, const char *verb, char sep, char *ret)
{
	uint64_t addr, len;

	if (cursor_number(&args, &addr) && cursor_byte(&args, sep) && cursor_number(&args, &len))
		snprintf(ret, WIRELOG_MEANING, "%s %llu bytes at 0x%llx", verb, (unsigned long long)len, (unsigned long long)addr);
}

static void mean_read(struct cursor args, char *ret)
{
	range(args, "read", ',', ret);
}

static void mean_write(struct cursor args, char *ret)
{
	range(args, "write", ',', ret);
}

static void mean_search(struct cursor args, char *ret)
{
	range(args, "search", ';', ret);
}

static void mean_crc(struct cursor args, char *ret)
{
	range(args, "checksum of", ',', ret);
}

static void mean_reg(struct cursor args, const char *verb, char *ret)
{
	uint64_t num;

	if (cursor_number(&args, &num))
		snprintf(ret, WIRELOG_MEANING, "%s register %llu", verb, (unsigned long long)num);
}

static void mean_reg_read(struct cursor args, char *ret)
{
	mean_reg(args, "read", ret);
}

static void mean_reg_write(struct cursor args, char *ret)
{
	mean_reg(args, "write", ret);
}

static void mean_break(struct cursor args, const char *verb, char *ret)
{
	static const char *const kinds[] = {
		"breakpoint", "hardware breakpoint", "write watchpoint", "read watchpoint", "access watchpoint",
	};
	uint64_t kind, addr;

	if (cursor_number(&args, &kind) && kind < sizeof(kinds) / sizeof(kinds[0]) && cursor_byte(&args, ',') &&
	    cursor_number(&args, &addr))
		snprintf(ret, WIRELOG_MEANING, "%s %s at 0x%llx", verb, kinds[kind], (unsigned long long)addr);
}

static void mean_insert(struct cursor args, char *ret)
{
	mean_break(args, "set", ret);
}

static void mean_remove(struct cursor args, char *ret)
{
	mean_break(args, "remove", ret);
}

/* By the first action, which is the one that matters. */
static void mean_vcont(struct cursor args, char *ret)
{
	static const struct {
		char letter;
		const char *word;
	} actions[] = {
		{ 'c', "continue" }, { 'C', "continue" }, { 's', "step" }, { 'S', "step" }, { 't', "stop" }, { 'r', "step in a range" },
	};

	char what[40];

	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (cursor_byte(&args, actions[i].letter)) {
			struct cursor one = cursor_field(&args, ';');

			cursor_field(&one, ':');
			snprintf(what, sizeof(what), "%s thread", actions[i].word);
			if (cursor_byte(&one, ':'))
				say_text(ret, what, one.p, one.len);
			else
				say(ret, actions[i].word);
			return;
		}
}

static void mean_command(struct cursor args, char *ret)
{
	say_hex_text(ret, "monitor", args);
}

static void mean_document(struct cursor args, char *ret)
{
	struct cursor object = cursor_field(&args, ':');

	say_text(ret, "document", object.p, object.len);
}

/* The first row whose name the packet begins with. */
static const struct {
	const char *name;
	meaning_fn *fn;
	const char *word;       /* when there is no fn */
} packets[] = {
	{ "m", mean_read, NULL },
	{ "x", mean_read, NULL },
	{ "M", mean_write, NULL },
	{ "X", mean_write, NULL },
	{ "qSearch:memory:", mean_search, NULL },
	{ "qCRC:", mean_crc, NULL },
	{ "g", NULL, "read registers" },
	{ "G", NULL, "write registers" },
	{ "p", mean_reg_read, NULL },
	{ "P", mean_reg_write, NULL },
	{ "Z", mean_insert, NULL },
	{ "z", mean_remove, NULL },
	{ "vCont?", NULL, "which actions?" },
	{ "vCont;", mean_vcont, NULL },
	{ "vCtrlC", NULL, "interrupt" },
	{ "c", NULL, "continue" },
	{ "C", NULL, "continue" },
	{ "s", NULL, "step" },
	{ "S", NULL, "step" },
	{ "?", NULL, "why stopped?" },
	{ "D", NULL, "detach" },
	{ "k", NULL, "kill" },
	{ "vKill", NULL, "kill" },
	{ "R", NULL, "restart" },
	{ "vRun", NULL, "restart" },
	{ "qRcmd,", mean_command, NULL },
	{ "qXfer:", mean_document, NULL },
	{ "H", NULL, "choose thread" },
	{ "T", NULL, "is the thread there?" },
	{ "\x03", NULL, "interrupt" },
};

/* -- to the client -- */

/* The value of the first register of a stop reply, which is the pc, lowest byte first. */
static bool read_pc(struct cursor digits, uint64_t *ret)
{
	uint8_t bytes[8];
	size_t len = digits.len / 2;
	uint64_t pc = 0;

	if (!len || len > sizeof(bytes) || !hex_decode(bytes, digits.p, len))
		return false;
	while (len--)
		pc = pc << 8 | bytes[len];
	*ret = pc;
	return true;
}

static const struct {
	const char *key, *word;
} reasons[] = {
	{ "swbreak", "breakpoint" }, { "hwbreak", "hardware breakpoint" }, { "watch", "write watchpoint" },
	{ "rwatch", "read watchpoint" }, { "awatch", "access watchpoint" },
};

static void mean_stop(struct cursor args, char *ret)
{
	const char *reason = NULL;
	uint64_t core = 0, pc = 0, number;
	bool has_pc = false;
	uint8_t signal;

	if (!cursor_hex8(&args, &signal))
		return;
	while (!cursor_end(&args)) {
		struct cursor value = cursor_field(&args, ';'), key = cursor_field(&value, ':');

		cursor_byte(&args, ';');
		if (!cursor_byte(&value, ':'))
			continue;
		for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
			if (cursor_is(&key, reasons[i].key))
				reason = reasons[i].word;
		if (cursor_is(&key, "core"))
			cursor_number(&value, &core);
		else if (!has_pc && cursor_number(&key, &number) && cursor_end(&key))
			has_pc = read_pc(value, &pc);
	}
	snprintf(ret, WIRELOG_MEANING, "stop: %s cpu %llu at 0x%llx", reason ? reason : signal == 2 ? "interrupt" :
		 signal == 5 ? "trap" : signal == 0 ? "none" : "fault", (unsigned long long)core, (unsigned long long)pc);
}

static void mean_error(struct cursor args, char *ret)
{
	uint8_t code;

	if (cursor_byte(&args, '.'))
		say_text(ret, "error:", args.p, args.len);
	else if (cursor_hex8(&args, &code) && cursor_end(&args))
		say_text(ret, "error:", (const uint8_t *)strerror(code), strlen(strerror(code)));
}

/* Only what cannot be a document, memory or registers. */
static void mean_reply(const uint8_t *payload, size_t len, char *ret)
{
	struct cursor args = { .p = (uint8_t *)payload + (len ? 1 : 0), .len = len ? len - 1 : 0 };
	uint8_t code;

	if (!len)
		say(ret, "not supported");
	else if (payload[0] == 'T')
		mean_stop(args, ret);
	else if (payload[0] == 'E' && len > 1 && (payload[1] == '.' || len == 3))
		mean_error(args, ret);
	else if (payload[0] == 'O' && len > 2)
		say_hex_text(ret, "console:", args);
	else if (payload[0] == 'W' && cursor_hex8(&args, &code))
		snprintf(ret, WIRELOG_MEANING, "the guest has ended, status %u", code);
}

void wirelog_meaning(enum wire_dir dir, const uint8_t *payload, size_t len, char *ret)
{
	ret[0] = '\0';
	if (dir != WIRE_IN) {
		/* "Stop:T05..." */
		bool note = dir == WIRE_NOTE && len > 5 && !memcmp(payload, "Stop:", 5);

		mean_reply(payload + (note ? 5 : 0), len - (note ? 5 : 0), ret);
		return;
	}
	for (size_t i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
		size_t n = strlen(packets[i].name);
		struct cursor args;

		if (len < n || memcmp(payload, packets[i].name, n))
			continue;
		args = (struct cursor){ .p = (uint8_t *)payload + n, .len = len - n };
		if (packets[i].fn)
			packets[i].fn(args, ret);
		else
			say(ret, packets[i].word);
		return;
	}
}
