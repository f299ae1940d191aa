/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "monitor/svg.h"

#include <inttypes.h>
#include <stdio.h>

#include "monitor/render.h"

#define CELL 14                 /* pixels a side */
#define LEFT 150                /* where the cells begin */
#define TOP 74
#define LEGEND_STEPS 12

/* From nothing to most: the eye reads depth, not hue, so that it works without colour vision, too. */
static const struct {
	double at;
	int r, g, b;
} ramp[] = {
	{ 0.0, 0xfd, 0xe7, 0xa0 }, { 0.35, 0xf5, 0x9b, 0x42 }, { 0.65, 0xd9, 0x3b, 0x3b },
	{ 1.0, 0x4a, 0x10, 0x4f },
};

static void put_colour(double v, struct out *o)
{
	size_t i = 1;
	double f;

	if (v <= 0) {
		out_puts(o, "#e9edf2");
		return;
	}
	while (i + 1 < sizeof(ramp) / sizeof(ramp[0]) && v > ramp[i].at)
		i++;
	f = ((v < 1 ? v : 1) - ramp[i - 1].at) / (ramp[i].at - ramp[i - 1].at);
	out_printf(o, "#%02x%02x%02x", (unsigned)(ramp[i - 1].r + f * (ramp[i].r - ramp[i - 1].r)),
		   (unsigned)(ramp[i - 1].g + f * (ramp[i].g - ramp[i - 1].g)),
		   (unsigned)(ramp[i - 1].b + f * (ramp[i].b - ramp[i - 1].b)));
}

/* As character data: what XML forbids becomes '?'. */
static void put_text(const char *s, struct out *o)
{
	for (; *s; s++)
		switch (*s) {
		case '<':
			out_puts(o, "&lt;");
			break;
		case '>':
			out_puts(o, "&gt;");
			break;
		case '&':
			out_puts(o, "&amp;");
			break;
		default:
			out_write(o, (unsigned char)*s < ' ' || (unsigned char)*s > '~' ? "?" : s, 1);
		}
}

static void put_label(int x, int y, const char *style, const char *text, struct out *o)
{
	out_printf(o, "<text x=\"%d\" y=\"%d\" %s>", x, y, style);
	put_text(text, o);
	out_puts(o, "</text>\n");
}

/* Cells FIRST to LAST, of one row and equal. */
static void put_cells(const struct svg *s, size_t first, size_t last, struct out *o)
{
	struct out_buf hover;

	out_printf(o, "<rect x=\"%zu\" y=\"%zu\" width=\"%zu\" height=\"%d\" fill=\"",
		   LEFT + first % CELL_COLUMNS * CELL, TOP + first / CELL_COLUMNS * CELL,
		   (last - first + 1) * CELL - 1, CELL - 1);
	put_colour(s->value[first], o);
	out_puts(o, "\"><title>");
	out_buf_init(&hover);
	s->hover(s->arg, first, last, &hover.out);
	put_text(hover.text ? hover.text : "", o);
	out_buf_done(&hover);
	out_puts(o, "</title></rect>\n");
}

static void put_rows(const struct svg *s, struct out *o)
{
	size_t n = s->cells.n, last;

	for (size_t i = 0; i < n; i = last + 1) {
		/* Only what is nothing is drawn as one: elsewhere a cell's own hover text counts. */
		for (last = i; s->value[i] <= 0 && last + 1 < n && s->value[last + 1] <= 0 &&
		     (last + 1) % CELL_COLUMNS; last++)
			;
		put_cells(s, i, last, o);
	}
}

/* Addresses at the left of the rows and tick marks above the columns. */
static void put_axes(const struct svg *s, struct out *o)
{
	char text[40];

	for (size_t i = 0; i < s->cells.n; i += CELL_COLUMNS) {
		snprintf(text, sizeof(text), "0x%" PRIx64, cells_gpa(&s->cells, i));
		put_label(LEFT - 10, (int)(TOP + i / CELL_COLUMNS * CELL + CELL - 3), "class=\"a\"", text, o);
	}
	for (size_t i = 0; i < CELL_COLUMNS && i < s->cells.n; i += 16) {
		struct out_buf size;

		out_buf_init(&size);
		out_puts(&size.out, "+");
		render_size(i * s->cells.each * DIRTY_PAGE, &size.out);
		put_label((int)(LEFT + i * CELL), TOP - 7, "class=\"s\"", size.text, o);
		out_buf_done(&size);
	}
}

static void put_legend(const struct svg *s, int y, struct out *o)
{
	int x = LEFT + 8 * CELL;

	out_printf(o, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"12\" fill=\"", LEFT, y, CELL - 1);
	put_colour(0, o);
	out_puts(o, "\"/>\n");
	put_label(LEFT + CELL + 5, y + 10, "class=\"s\"", "none", o);
	for (int i = 0; i < LEGEND_STEPS; i++) {
		out_printf(o, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"12\" fill=\"", x + i * CELL, y, CELL);
		put_colour((i + 0.5) / LEGEND_STEPS, o);
		out_puts(o, "\"/>\n");
	}
	put_label(x - 6, y + 10, "class=\"e\"", s->low, o);
	put_label(x + LEGEND_STEPS * CELL + 6, y + 10, "class=\"s\"", s->high, o);
}

void svg_write(const struct svg *s, struct out *o)
{
	int rows = (int)((s->cells.n + CELL_COLUMNS - 1) / CELL_COLUMNS), bottom = TOP + rows * CELL;
	int width = LEFT + (int)CELL_COLUMNS * CELL + 30, height = bottom + 40;

	out_printf(o, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
		   "viewBox=\"0 0 %d %d\">\n",
		   width, height, width, height);
	out_puts(o, "<title>");
	put_text(s->title, o);
	out_puts(o, "</title>\n<style>text{font:11px monospace;fill:#46505c}.t{font:bold 16px "
		    "sans-serif;fill:#1b2027}"
		    ".n{font:12px sans-serif}.a,.e{text-anchor:end}rect:hover{stroke:#1b2027}</style>\n");
	out_printf(o, "<rect width=\"%d\" height=\"%d\" fill=\"#ffffff\"/>\n", width, height);
	put_label(20, 28, "class=\"t\"", s->title, o);
	put_label(20, 48, "class=\"n\"", s->note, o);
	put_axes(s, o);
	put_rows(s, o);
	put_legend(s, bottom + 14, o);
	out_puts(o, "</svg>\n");
}

void pgm_write(const struct cells *c, const uint64_t *dirty, struct out *o)
{
	size_t rows = (c->n + CELL_COLUMNS - 1) / CELL_COLUMNS;
	uint8_t grey;

	out_printf(o, "P5\n# from 0x%" PRIx64 " on, %" PRIu64 " pages a pixel\n%u %zu\n255\n", c->gpa, c->each,
		   CELL_COLUMNS, rows);
	for (size_t i = 0; i < rows * CELL_COLUMNS; i++) {
		grey = i < c->n ? (uint8_t)((dirty[i] * 255 + cells_pages(c, i) - 1) / cells_pages(c, i)) : 0;
		out_write(o, (const char *)&grey, 1);
	}
}
