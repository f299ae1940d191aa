/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Changing: set, write. */
#include "monitor/cmd.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/core.h"
#include "monitor/render.h"
#include "monitor/text.h"

/* -- set $reg = EXPR -- */

/* Whether V fits BITS, as an unsigned or as a negative number. */
static bool fits(uint64_t v, unsigned bits)
{
	uint64_t top = bits < 64 ? v >> (bits - 1) : 0;

	return bits >= 64 || v >> bits == 0 || top == UINT64_MAX >> (bits - 1);
}

static int set_register(struct task *t, reg_id reg, unsigned bits, uint64_t value, struct err *err)
{
	uint8_t bytes[REG_BYTES_MAX] = { 0 };
	uint64_t old, mask = bits < 64 ? (1ULL << bits) - 1 : UINT64_MAX;
	int r;

	/* A part of a register leaves the rest of it as it is. */
	r = machine_reg_read(task_machine(t), t->s->cpu, reg, bytes, err);
	if (r)
		return r;
	memcpy(&old, bytes, sizeof(old));
	old = (old & ~mask) | (value & mask);
	memcpy(bytes, &old, sizeof(old));
	return machine_reg_write(task_machine(t), t->s->cpu, reg, bytes, err);
}

static int exec_set(struct task *t, struct err *err)
{
	const char *p = t->args, *name = *p == '$' ? p + 1 : p;
	size_t len = strcspn(name, " \t=");
	unsigned bits;
	uint64_t value;
	int id, r;

	if (name == p || !len)
		return task_usage(t, err);
	id = reg_by_name(name, len, &bits);
	if (id < 0)
		return err_set(err, ENOENT, "there is no register $%.*s", len < 40 ? (int)len : 40, name);
	p = name + len;
	p += strspn(p, " \t");
	if (*p != '=')
		return task_usage(t, err);
	p++;
	r = task_expr(t, &p, &value, err);
	if (!r)
		r = task_end(t, p, err);
	if (r)
		return r;
	if (bits > 64)
		return err_set(err, ENOTSUP, "$%.*s has %u bits, expressions have 64", (int)len, name, bits);
	if (!fits(value, bits))
		return err_set(err, ERANGE, "0x%" PRIx64 " does not fit $%.*s, which has %u bits", value, (int)len,
			       name, bits);
	r = set_register(t, (reg_id)id, bits, value, err);
	if (!r)
		t->result = json_pack("{s:i, s:s#, s:o}", "cpu", (int)t->s->cpu, "register", name, (int)len,
				      "value", data_hex(bits < 64 ? value & ((1ULL << bits) - 1) : value));
	return r;
}

/* -- write GVA VALUE... -- */

/* The next word; white space within parentheses or quotes does not end it. */
static size_t value_length(const char *p)
{
	unsigned depth = 0;
	size_t i = 0;

	for (; p[i] && (depth || !text_space(p[i])); i++) {
		size_t quoted = p[i] == '"' || p[i] == '\'' ? text_quoted(p + i, strlen(p + i)) : 0;

		if (quoted)
			i += quoted - 1;
		else if (p[i] == '(')
			depth++;
		else if (p[i] == ')' && depth)
			depth--;
	}
	return i;
}

/* Cuts the next argument off at *P, in the task's own copy of the line. */
static char *take_value(char **p)
{
	char *start = *p + strspn(*p, " \t"), *end;

	end = start + value_length(start);
	*p = end + (*end != '\0');
	*end = '\0';
	return start;
}

static int put_value(struct task *t, const char *arg, unsigned size, struct out_buf *data, struct err *err)
{
	size_t len = strlen(arg), n;
	const char *p = arg;
	uint64_t value;
	char *text;
	int r;

	if (*arg == '"') {
		if (text_quoted(arg, len) != len)
			return task_malformed(t, err_set(err, EINVAL, "a string's closing quote is missing"));
		text = malloc(len);
		if (!text)
			return err_set(err, ENOMEM, "out of memory");
		r = text_unescape(arg + 1, len - 2, text, &n, err);
		if (r)
			task_malformed(t, r);
		else
			out_write(&data->out, text, n);
		free(text);
		return r;
	}
	r = task_expr(t, &p, &value, err);
	if (!r)
		r = task_end(t, p, err);
	if (r)
		return r;
	if (!fits(value, size * 8))
		return err_set(err, ERANGE, "0x%" PRIx64 " does not fit %u byte%s: write/%c takes more", value,
			       size, size > 1 ? "s" : "", format_unit(size * 2));
	out_write(&data->out, (const char *)&value, size);
	return 0;
}

/* First looks whether all of it is there, so that a refusal changes nothing. */
static int write_bytes(struct task *t, uint64_t gva, const struct out_buf *data, struct err *err)
{
	char *probe;
	size_t n;

	if (data->failed || !(probe = malloc(data->len + 1)))
		return err_set(err, ENOMEM, "out of memory");
	n = machine_mem_read(task_machine(t), t->s->cpu, gva, probe, data->len, err);
	free(probe);
	if (n < data->len)
		return -err->code;
	n = machine_mem_write(task_machine(t), t->s->cpu, gva, data->text, data->len, err);
	if (n == data->len)
		return 0;
	return n ? err_prefix(err, -err->code, "only %zu bytes written", n) : -err->code;
}

static int exec_write(struct task *t, struct err *err)
{
	unsigned size = t->format.size ? t->format.size : 1;
	char *p = t->line + (t->args - t->line);
	struct out_buf data;
	const char *address;
	uint64_t gva;
	int r;

	if (t->format.letter || t->format.count)
		return task_malformed(t, err_set(err, EINVAL, "write takes /b, /h, /w or /g"));
	address = take_value(&p);
	if (!*address || !*(p += strspn(p, " \t")))
		return task_usage(t, err);
	r = task_expr(t, &address, &gva, err);
	if (!r)
		r = task_end(t, address, err);
	out_buf_init(&data);
	while (!r && *(p += strspn(p, " \t")))
		r = put_value(t, take_value(&p), size, &data, err);
	if (!r)
		r = write_bytes(t, gva, &data, err);
	if (!r)
		t->result = json_pack("{s:o, s:I}", "address", data_hex(gva), "bytes", (json_int_t)data.len);
	out_buf_done(&data);
	return r;
}

static const struct cmd rows[] = {
	{ "set", NULL, "$REG = EXPR", "set a register of the selected vCPU",
	  "A part of a register leaves the rest of it as it is.  EXPR has to fit, as an unsigned\n"
	  "or a negative number.", CMD_PARKED, COMPLETE_EXPR, exec_set, NULL },
	{ "write", NULL, "[/b|/h|/w|/g] GVA VALUE...", "write values to virtual memory",
	  "Each VALUE is an expression of 1, 2, 4 or 8 bytes (b, the default, h, w, g), or a \"string\" with C's\n"
	  "escapes, without a NUL at its end.  Spaces separate them: one within an expression needs parentheses.",
	  CMD_PARKED | CMD_FORMAT, COMPLETE_EXPR, exec_write, NULL },
};

const struct cmd_group cmd_change_group = { "change", rows, sizeof(rows) / sizeof(rows[0]) };
