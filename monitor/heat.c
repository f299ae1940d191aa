/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "monitor/heat.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "monitor/render.h"
#include "monitor/svg.h"

#define FADE 0.8408964152537145         /* 2 to the power of -1 / HEAT_HALF_LIFE */
#define COLD 0.01                       /* pages: less than this is nothing */
#define LEVELS 8u

void heat_forget(struct heat **list, unsigned id)
{
	struct heat *h;

	while (*list && (*list)->id != id)
		list = &(*list)->next;
	h = *list;
	if (h)
		*list = h->next;
	free(h);
}

struct heat *heat_of(struct heat **list, const struct dirty_map *map)
{
	struct heat *h = *list;

	while (h && h->id != map->id)
		h = h->next;
	if (h && h->cells.gpa == map->gpa && h->cells.pages == map->pages)
		return h;
	heat_forget(list, map->id);
	h = calloc(1, sizeof(*h));
	if (!h)
		return NULL;
	h->id = map->id;
	h->cells = cells_of(map->gpa, map->pages);
	h->next = *list;
	*list = h;
	return h;
}

void heat_add(struct heat *h, const struct dirty_map *map)
{
	uint64_t dirty[CELLS_MAX];

	cells_count(&h->cells, map, dirty);
	for (size_t i = 0; i < h->cells.n; i++) {
		h->heat[i] = h->heat[i] * FADE + (double)dirty[i];
		if (h->heat[i] < COLD)
			h->heat[i] = 0;
	}
	h->calls++;
}

void heat_free_all(struct heat **list)
{
	while (*list)
		heat_forget(list, (*list)->id);
}

static bool speaks_utf8(void)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *v = getenv(names[i]);

		if (v && *v)
			return strcasestr(v, "utf-8") || strcasestr(v, "utf8");
	}
	return false;
}

enum heat_style heat_style_of(bool terminal)
{
	const char *term = getenv("TERM");

	if (!terminal || !term || !*term || !strcmp(term, "dumb") || !speaks_utf8())
		return HEAT_PLAIN;
	return render_in_colour(terminal) ? HEAT_COLOUR : HEAT_BLOCKS;
}

static const char *const styles[] = { [HEAT_PLAIN] = "plain", [HEAT_BLOCKS] = "blocks", [HEAT_COLOUR] = "colour" };

json_t *heat_json(const struct heat *h, enum heat_style style)
{
	json_t *list = json_array();

	for (size_t i = 0; i < h->cells.n; i++)
		json_array_append_new(list, json_integer((json_int_t)(h->heat[i] * 1000)));
	return json_pack("{s:I, s:o, s:I, s:I, s:I, s:i, s:s, s:o}", "id", (json_int_t)h->id, "gpa",
			 data_hex(h->cells.gpa), "pages", (json_int_t)h->cells.pages, "cell_pages",
			 (json_int_t)h->cells.each, "calls", (json_int_t)h->calls, "half_life_calls",
			 HEAT_HALF_LIFE,
			 "style", styles[style], "heat", list);
}

/* -- drawn with characters -- */

static uint64_t heat_at(const json_t *list, size_t i)
{
	return (uint64_t)json_integer_value(json_array_get(list, i));
}

/* 0 for a cold cell, else 1 to LEVELS, as a part of the hottest one's MAX. */
static unsigned level_of(uint64_t heat, uint64_t max)
{
	return heat ? 1 + (unsigned)((double)heat / (double)max * (LEVELS - 0.001)) : 0;
}

static void put_cell(unsigned level, enum heat_style style, struct out *o)
{
	static const char plain[] = ".-:=+*%@#";
	static const char *const blocks[] = { "·", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
	static const int colours[] = { 240, 52, 88, 124, 160, 196, 202, 208, 226 };

	if (style == HEAT_PLAIN)
		out_write(o, &plain[level], 1);
	else if (style == HEAT_BLOCKS)
		out_puts(o, blocks[level]);
	else
		out_printf(o, "\033[38;5;%dm%s", colours[level], blocks[level]);
}

static enum heat_style style_named(const char *name)
{
	for (size_t i = 0; i < sizeof(styles) / sizeof(styles[0]); i++)
		if (!strcmp(name, styles[i]))
			return (enum heat_style)i;
	return HEAT_PLAIN;
}

/* What turns a cell's heat after so many takes into pages a take. */
static double per_take(uint64_t calls)
{
	double weight = 0;

	for (uint64_t i = 0; i < calls && i < 20 * HEAT_HALF_LIFE; i++)
		weight = weight * FADE + 1;
	return weight > 0 ? 1 / weight : 0;
}

static void render_head(const json_t *v, const struct cells *c, struct out *o)
{
	out_printf(o, "slot %s from 0x%" PRIx64 " on: a cell is ",
		   slot_name((unsigned)data_u64(v, "id")).text, c->gpa);
	render_size(c->each * DIRTY_PAGE, o);
	out_puts(o, ", a row ");
	render_size(c->each * DIRTY_PAGE * CELL_COLUMNS, o);
	out_printf(o, "; take %" PRIu64 ", heat halves in %" PRIu64 " takes\n", data_u64(v, "calls"),
		   data_u64(v, "half_life_calls"));
}

void heat_render(const json_t *v, struct out *o)
{
	const json_t *list = json_object_get(v, "heat");
	struct cells c = { .gpa = data_u64(v, "gpa"), .pages = data_u64(v, "pages"),
			   .each = data_u64(v, "cell_pages"), .n = json_array_size(list) };
	enum heat_style style = style_named(data_str(v, "style"));
	size_t hottest = 0;
	uint64_t max;
	char gpa[20];

	for (size_t i = 1; i < c.n; i++)
		if (heat_at(list, i) > heat_at(list, hottest))
			hottest = i;
	max = heat_at(list, hottest);
	render_head(v, &c, o);
	for (size_t i = 0; i < c.n; i++) {
		if (i % CELL_COLUMNS == 0) {
			snprintf(gpa, sizeof(gpa), "0x%" PRIx64, cells_gpa(&c, i));
			out_printf(o, "%12s  ", gpa);
		}
		put_cell(level_of(heat_at(list, i), max), style, o);
		if (i % CELL_COLUMNS == CELL_COLUMNS - 1 || i + 1 == c.n)
			out_puts(o, style == HEAT_COLOUR ? "\033[0m\n" : "\n");
	}
	out_puts(o, "  cold ");
	for (unsigned i = 0; i <= LEVELS; i++)
		put_cell(i, style, o);
	out_puts(o, style == HEAT_COLOUR ? "\033[0m hot" : " hot");
	if (max)
		out_printf(o, ": %.1f pages a take at 0x%" PRIx64, (double)max / 1000 *
			   per_take(data_u64(v, "calls")), cells_gpa(&c, hottest));
	out_puts(o, "\n");
}

/* -- drawn as SVG -- */

static void hover(void *arg, size_t first, size_t last, struct out *o)
{
	const struct heat *h = arg;

	out_printf(o, "0x%" PRIx64 "-0x%" PRIx64 ": ", cells_gpa(&h->cells, first),
		   cells_gpa(&h->cells, last) + cells_pages(&h->cells, last) * DIRTY_PAGE - 1);
	if (h->heat[first] <= 0)
		out_puts(o, "cold");
	else
		out_printf(o, "heat %.2f", h->heat[first]);
}

void heat_svg(const struct heat *h, struct out *o)
{
	double value[CELLS_MAX], max = 0;
	char title[120], note[160];
	struct out_buf size;

	for (size_t i = 0; i < h->cells.n; i++)
		max = h->heat[i] > max ? h->heat[i] : max;
	for (size_t i = 0; i < h->cells.n; i++)
		value[i] = max > 0 ? h->heat[i] / max : 0;
	out_buf_init(&size);
	render_size(h->cells.each * DIRTY_PAGE, &size.out);
	snprintf(title, sizeof(title), "Where slot %s is written: heat after %" PRIu64 " take%s",
		 slot_name(h->id).text, h->calls,
		 h->calls == 1 ? "" : "s");
	snprintf(note, sizeof(note),
		 "a cell is %s; heat is dirty pages a take, summed up, and halves in %d takes; the "
		 "hottest has %.1f", size.text ? size.text : "?", HEAT_HALF_LIFE, max);
	out_buf_done(&size);
	svg_write(&(struct svg){ .title = title, .note = note, .low = "cool", .high = "hot", .cells = h->cells,
				 .value = value, .hover = hover, .arg = (void *)h }, o);
}
