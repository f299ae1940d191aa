/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "monitor/vgatext.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/render.h"

#define ORDINARY 0x07           /* grey on black: the terminal's own colours */

/* Unicode's mapping of code page 437, with IBM's pictures for the control characters. */
static const uint16_t low[32] = {
	0x0020, 0x263a, 0x263b, 0x2665, 0x2666, 0x2663, 0x2660, 0x2022, 0x25d8, 0x25cb, 0x25d9, 0x2642, 0x2640, 0x266a,
	0x266b, 0x263c, 0x25ba, 0x25c4, 0x2195, 0x203c, 0x00b6, 0x00a7, 0x25ac, 0x21a8, 0x2191, 0x2193, 0x2192, 0x2190,
	0x221f, 0x2194, 0x25b2, 0x25bc,
};

/* From 0x7f on; the last one is a no-break space, shown as a space. */
static const uint16_t high[129] = {
	0x2302, 0x00c7, 0x00fc, 0x00e9, 0x00e2, 0x00e4, 0x00e0, 0x00e5, 0x00e7, 0x00ea, 0x00eb, 0x00e8, 0x00ef, 0x00ee,
	0x00ec, 0x00c4, 0x00c5, 0x00c9, 0x00e6, 0x00c6, 0x00f4, 0x00f6, 0x00f2, 0x00fb, 0x00f9, 0x00ff, 0x00d6, 0x00dc,
	0x00a2, 0x00a3, 0x00a5, 0x20a7, 0x0192, 0x00e1, 0x00ed, 0x00f3, 0x00fa, 0x00f1, 0x00d1, 0x00aa, 0x00ba, 0x00bf,
	0x2310, 0x00ac, 0x00bd, 0x00bc, 0x00a1, 0x00ab, 0x00bb, 0x2591, 0x2592, 0x2593, 0x2502, 0x2524, 0x2561, 0x2562,
	0x2556, 0x2555, 0x2563, 0x2551, 0x2557, 0x255d, 0x255c, 0x255b, 0x2510, 0x2514, 0x2534, 0x252c, 0x251c, 0x2500,
	0x253c, 0x255e, 0x255f, 0x255a, 0x2554, 0x2569, 0x2566, 0x2560, 0x2550, 0x256c, 0x2567, 0x2568, 0x2564, 0x2565,
	0x2559, 0x2558, 0x2552, 0x2553, 0x256b, 0x256a, 0x2518, 0x250c, 0x2588, 0x2584, 0x258c, 0x2590, 0x2580, 0x03b1,
	0x00df, 0x0393, 0x03c0, 0x03a3, 0x03c3, 0x00b5, 0x03c4, 0x03a6, 0x0398, 0x03a9, 0x03b4, 0x221e, 0x03c6, 0x03b5,
	0x2229, 0x2261, 0x00b1, 0x2265, 0x2264, 0x2320, 0x2321, 0x00f7, 0x2248, 0x00b0, 0x2219, 0x00b7, 0x221a, 0x207f,
	0x00b2, 0x25a0, 0x0020,
};

static unsigned unicode(uint8_t c)
{
	return c < 0x20 ? low[c] : c < 0x7f ? c : high[c - 0x7f];
}

static void put_char(struct out *o, uint8_t c)
{
	unsigned u = unicode(c);
	char utf8[3];
	size_t n = 0;

	if (u < 0x80) {
		utf8[n++] = (char)u;
	} else if (u < 0x800) {
		utf8[n++] = (char)(0xc0 | u >> 6);
		utf8[n++] = (char)(0x80 | (u & 0x3f));
	} else {
		utf8[n++] = (char)(0xe0 | u >> 12);
		utf8[n++] = (char)(0x80 | (u >> 6 & 0x3f));
		utf8[n++] = (char)(0x80 | (u & 0x3f));
	}
	out_write(o, utf8, n);
}

static const uint16_t *row_of(const struct screen *s, unsigned row)
{
	return s->cell + row * s->columns;
}

static void put_row(const struct screen *s, unsigned row, struct out *o)
{
	const uint16_t *cell = row_of(s, row);
	unsigned n = s->columns;

	while (n && unicode((uint8_t)cell[n - 1]) == ' ')
		n--;
	for (unsigned i = 0; i < n; i++)
		put_char(o, (uint8_t)cell[i]);
}

void vgatext_lines(const struct screen *s, struct out *o)
{
	for (unsigned row = 0; s->text && row < s->rows; row++) {
		put_row(s, row, o);
		out_puts(o, "\n");
	}
}

static json_t *line_json(const struct screen *s, unsigned row)
{
	struct out_buf b;
	json_t *v;

	out_buf_init(&b);
	put_row(s, row, &b.out);
	v = data_text(b.text ? b.text : "", b.len);
	out_buf_done(&b);
	return v;
}

static json_t *colours_json(const struct screen *s, unsigned row)
{
	const uint16_t *cell = row_of(s, row);
	json_t *runs = json_array();

	for (unsigned i = 0, n; i < s->columns; i += n) {
		for (n = 1; i + n < s->columns && cell[i + n] >> 8 == cell[i] >> 8;)
			n++;
		json_array_append_new(runs, json_pack("[i, o]", (int)n, json_sprintf("0x%02x", cell[i] >> 8)));
	}
	return runs;
}

json_t *vgatext_json(const struct screen *s, bool colour)
{
	json_t *lines, *colours;

	if (!s->text)
		return json_pack("{s:b}", "text", 0);
	lines = json_array();
	colours = json_array();
	for (unsigned row = 0; row < s->rows; row++) {
		json_array_append_new(lines, line_json(s, row));
		json_array_append_new(colours, colours_json(s, row));
	}
	return json_pack("{s:b, s:i, s:i, s:{s:b, s:i, s:i}, s:o, s:o, s:s}", "text", 1, "columns", (int)s->columns,
			 "rows", (int)s->rows, "cursor", "shown", (int)s->cursor_shown, "row", (int)s->cursor_row,
			 "column", (int)s->cursor_column, "lines", lines, "colours", colours, "style",
			 colour ? "colour" : "plain");
}

/* -- drawn -- */

/* A VGA attribute is bright << 3 | red << 2 | green << 1 | blue; bits 4 to 6 are the ground, and bit 7 has it blink. */
static unsigned ansi(unsigned vga)
{
	return (vga & 1) << 2 | (vga & 2) | (vga >> 2 & 1);
}

static void put_attribute(struct out *o, unsigned attribute, bool cursor)
{
	out_puts(o, "\033[0");
	if (attribute != ORDINARY)
		out_printf(o, ";%u;%u", (attribute & 8 ? 90 : 30) + ansi(attribute), 40 + ansi(attribute >> 4));
	if (attribute & 0x80)
		out_puts(o, ";5");
	if (cursor)
		out_puts(o, ";7");
	out_puts(o, "m");
}

static unsigned attribute_at(const json_t *runs, unsigned column)
{
	const json_t *run;
	size_t i;

	json_array_foreach(runs, i, run) {
		unsigned n = (unsigned)json_integer_value(json_array_get(run, 0));
		const char *text = json_string_value(json_array_get(run, 1));

		if (column < n)
			return (unsigned)strtoul(text ? text : "", NULL, 16);
		column -= n;
	}
	return ORDINARY;
}

static bool continues(char c)
{
	return (c & 0xc0) == 0x80;
}

/* CURSOR is its column, -1: not in this row. */
static void draw_row(const char *line, const json_t *runs, unsigned columns, int cursor, struct out *o)
{
	unsigned width = 0, shown = ORDINARY;

	for (const char *p = line; *p; p++)
		width += !continues(*p);
	for (unsigned i = width; i < columns; i++)
		if ((int)i == cursor || attribute_at(runs, i) & 0x70)
			width = i + 1;
	for (unsigned i = 0; i < width; i++) {
		unsigned attribute = attribute_at(runs, i) | ((int)i == cursor ? 0x100 : 0);
		size_t n = *line != '\0';

		if (attribute != shown)
			put_attribute(o, attribute & 0xff, attribute & 0x100);
		shown = attribute;
		while (n && continues(line[n]))
			n++;
		out_write(o, n ? line : " ", n ? n : 1);
		line += n;
	}
	if (shown != ORDINARY)
		out_puts(o, "\033[0m");
}

static bool row_shows(const char *line, const json_t *runs, bool colour)
{
	const json_t *run;
	size_t i;

	if (*line)
		return true;
	json_array_foreach(runs, i, run) {
		const char *text = json_string_value(json_array_get(run, 1));

		if (colour && text && strtoul(text, NULL, 16) & 0x70)
			return true;
	}
	return false;
}

static const char *line_at(const json_t *v, size_t row)
{
	const char *text = json_string_value(json_array_get(json_object_get(v, "lines"), row));

	return text ? text : "";
}

void vgatext_render(const json_t *v, struct out *o)
{
	const json_t *colours = json_object_get(v, "colours"), *cursor = json_object_get(v, "cursor");
	uint64_t rows = data_u64(v, "rows"), columns = data_u64(v, "columns"), last = 0;
	bool colour = !strcmp(data_str(v, "style"), "colour"), has_cursor = data_true(cursor, "shown");

	if (!data_true(v, "text")) {
		out_puts(o, "the guest's screen is off, or in a graphics mode\n");
		return;
	}
	for (uint64_t row = 0; row < rows; row++)
		if (row_shows(line_at(v, row), json_array_get(colours, row), colour) ||
		    (colour && has_cursor && row == data_u64(cursor, "row")))
			last = row + 1;
	for (uint64_t row = 0; row < last; row++) {
		bool here = has_cursor && row == data_u64(cursor, "row");

		if (colour)
			draw_row(line_at(v, row), json_array_get(colours, row), (unsigned)columns,
				 here ? (int)data_u64(cursor, "column") : -1, o);
		else
			out_puts(o, line_at(v, row));
		out_puts(o, "\n");
	}
	out_printf(o, "[%" PRIu64 "x%" PRIu64 "%s, ", columns, rows, last ? "" : ", blank");
	if (has_cursor)
		out_printf(o, "cursor at row %" PRIu64 ", column %" PRIu64 ", from 0]\n", data_u64(cursor, "row"),
			   data_u64(cursor, "column"));
	else
		out_puts(o, "no cursor]\n");
}
