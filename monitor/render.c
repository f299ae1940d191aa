/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "monitor/render.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

json_t *data_hex(uint64_t v)
{
	return json_sprintf("0x%" PRIx64, v);
}

json_t *data_text(const char *s, size_t len)
{
	json_t *v = json_stringn(s, len);
	struct out_buf b;

	if (v)
		return v;
	out_buf_init(&b);
	for (size_t i = 0; i < len; i++)
		if (s[i] & 0x80)
			out_printf(&b.out, "\\x%02x", (unsigned char)s[i]);
		else
			out_write(&b.out, s + i, 1);
	v = json_stringn(b.text ? b.text : "", b.len);
	out_buf_done(&b);
	return v;
}

json_t *data_symbol(struct machine *m, uint64_t addr)
{
	uint64_t offset = 0;
	const char *name = machine_sym_at(m, addr, &offset);
	char text[300];

	if (!name)
		return json_null();
	if (offset)
		snprintf(text, sizeof(text), "%.256s+%" PRIu64, name, offset);
	else
		snprintf(text, sizeof(text), "%.256s", name);
	return data_text(text, strlen(text));
}

json_t *data_place(struct machine *m, uint64_t addr)
{
	return json_pack("{s:o, s:o}", "address", data_hex(addr), "symbol", data_symbol(m, addr));
}

void data_add_line(json_t *obj, struct machine *m, uint64_t addr)
{
	struct source_line l;

	if (machine_sym_line(m, addr, &l))
		return;
	json_object_set_new(obj, "file", data_text(l.file, strlen(l.file)));
	json_object_set_new(obj, "line", json_integer(l.line));
}

json_t *data_code(struct machine *m, uint64_t addr)
{
	json_t *obj = data_place(m, addr);

	data_add_line(obj, m, addr);
	return obj;
}

const char *data_str(const json_t *obj, const char *key)
{
	const char *s = json_string_value(json_object_get(obj, key));

	return s ? s : "";
}

uint64_t data_u64(const json_t *obj, const char *key)
{
	const json_t *v = json_object_get(obj, key);

	if (json_is_string(v))
		return strtoull(json_string_value(v), NULL, 16);
	return (uint64_t)json_integer_value(v);
}

bool data_true(const json_t *obj, const char *key)
{
	return json_is_true(json_object_get(obj, key));
}

void render_address(const json_t *obj, struct out *o)
{
	const char *symbol = data_str(obj, "symbol");

	out_puts(o, data_str(obj, "address"));
	if (*symbol)
		out_printf(o, " <%s>", symbol);
}

void render_line(const json_t *obj, struct out *o)
{
	const char *file = data_str(obj, "file"), *from = file + strlen(file);

	if (!*file)
		return;
	/* Its last two parts. */
	for (unsigned slashes = 0; from > file && (from[-1] != '/' || ++slashes < 2);)
		from--;
	render_clean(from, o);
	out_printf(o, ":%" PRIu64, data_u64(obj, "line"));
}

void render_place(const json_t *obj, struct out *o)
{
	render_address(obj, o);
	if (*data_str(obj, "file")) {
		out_puts(o, " ");
		render_line(obj, o);
	}
}

void render_size(uint64_t size, struct out *o)
{
	static const char suffixes[] = " KMGT";
	unsigned i = 0;

	while (size && i < 4 && !(size & 1023)) {
		size >>= 10;
		i++;
	}
	out_printf(o, "%" PRIu64, size);
	if (i)
		out_write(o, &suffixes[i], 1);
}

void render_json(const json_t *v, struct out *o)
{
	char *text = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);

	if (text) {
		out_puts(o, text);
		out_puts(o, "\n");
	}
	free(text);
}

void render_clean(const char *text, struct out *o)
{
	while (text && *text) {
		size_t n = 0;

		while ((unsigned char)text[n] >= ' ' ? text[n] != 0x7f : text[n] == '\t')
			n++;
		out_write(o, text, n);
		text += n;
		if (*text) {
			out_puts(o, "?");
			text++;
		}
	}
}

bool render_in_colour(bool terminal)
{
	const char *term = getenv("TERM"), *no_colour = getenv("NO_COLOR");

	return terminal && term && *term && strcmp(term, "dumb") && !(no_colour && *no_colour);
}

void render_text(const json_t *data, struct out *o)
{
	const char *text = data_str(data, "text");

	if (*text)
		out_printf(o, "%s\n", text);
}
