/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dirty logs: dirty start, stop, peek, take; the table of all of them. */
#include "monitor/cmd.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/cmd_dirty.h"
#include "monitor/core.h"
#include "monitor/newfile.h"
#include "monitor/pages.h"
#include "monitor/render.h"
#include "monitor/slotarg.h"
#include "monitor/svg.h"

#define ITEMS_MAX 65536u        /* runs, pages or words of bits in one answer */

int dirty_need_log(const struct slot_info *s, struct err *err)
{
	const struct slot_name name = slot_name(s->id);

	return s->log ? 0 : err_set(err, EINVAL, "slot %s is not logged: dirty start %s", name.text, name.text);
}

/* -- start, stop -- */

static int set_log(struct task *t, bool on, struct err *err)
{
	const char *p = t->args;
	unsigned id;
	int r = slotarg_id(t, &p, &id, err);

	if (!r)
		r = task_end(t, p, err);
	return r ? r : machine_slot_flags(task_machine(t), id, &on, NULL, err);
}

static int exec_start(struct task *t, struct err *err)
{
	return set_log(t, true, err);
}

static int exec_stop(struct task *t, struct err *err)
{
	return set_log(t, false, err);
}

/* -- peek and take: a form each -- */

/* Says in FILE what the picture is, or puts rows into LIST; *MORE is set when there are more. */
struct form {
	const char *name;
	void (*list)(const struct dirty_map *m, json_t *list, bool *more);
	void (*draw)(const struct dirty_map *m, struct out *o);         /* this one writes a file */
};

static json_t *gpa_of(const struct dirty_map *m, uint64_t page)
{
	return data_hex(m->gpa + page * DIRTY_PAGE);
}

static json_t *run_json(const struct dirty_map *m, const struct page_run *run)
{
	return json_pack("{s:o, s:o, s:I}", "gpa", gpa_of(m, run->first), "last",
			 data_hex(m->gpa + (run->first + run->pages) * DIRTY_PAGE - 1), "pages",
			 (json_int_t)run->pages);
}

static void list_runs(const struct dirty_map *m, json_t *list, bool *more)
{
	struct page_run run = { 0 };

	while (!*more && pages_run(m, run.first + run.pages, &run)) {
		*more = json_array_size(list) == ITEMS_MAX;
		if (!*more)
			json_array_append_new(list, run_json(m, &run));
	}
}

static void list_pages(const struct dirty_map *m, json_t *list, bool *more)
{
	struct page_run run = { 0 };

	while (!*more && pages_run(m, run.first + run.pages, &run))
		for (uint64_t i = 0; !*more && i < run.pages; i++) {
			*more = json_array_size(list) == ITEMS_MAX;
			if (!*more)
				json_array_append_new(list, gpa_of(m, run.first + i));
		}
}

/* 64 pages a row, those without a dirty one left out. */
static void list_bitmap(const struct dirty_map *m, json_t *list, bool *more)
{
	for (uint64_t page = 0; !*more && page < m->pages; page += 64) {
		char row[65] = "";

		if (!m->bits[page / 64])
			continue;
		for (unsigned i = 0; i < 64 && page + i < m->pages; i++)
			row[i] = pages_dirty(m, page + i) ? '#' : '.';
		*more = json_array_size(list) == ITEMS_MAX;
		if (!*more)
			json_array_append_new(list, json_pack("{s:o, s:s}", "gpa", gpa_of(m, page), "bits", row));
	}
}

struct share {
	struct cells cells;
	uint64_t dirty[CELLS_MAX];
};

static void hover(void *arg, size_t first, size_t last, struct out *o)
{
	const struct share *s = arg;

	out_printf(o, "0x%" PRIx64 "-0x%" PRIx64 ": ", cells_gpa(&s->cells, first),
		   cells_gpa(&s->cells, last) + cells_pages(&s->cells, last) * DIRTY_PAGE - 1);
	if (s->dirty[first])
		out_printf(o, "%" PRIu64 " of %" PRIu64 " pages dirty", s->dirty[first],
			   cells_pages(&s->cells, first));
	else
		out_puts(o, "clean");
}

static void draw_svg(const struct dirty_map *m, struct out *o)
{
	struct share s = { .cells = cells_of(m->gpa, m->pages) };
	char title[120], note[120];
	double value[CELLS_MAX];
	struct out_buf size;

	cells_count(&s.cells, m, s.dirty);
	for (size_t i = 0; i < s.cells.n; i++)
		value[i] = (double)s.dirty[i] / (double)cells_pages(&s.cells, i);
	out_buf_init(&size);
	render_size(s.cells.each * DIRTY_PAGE, &size.out);
	snprintf(title, sizeof(title), "Slot %s: %" PRIu64 " of %" PRIu64 " pages dirty", slot_name(m->id).text,
		 m->dirty, m->pages);
	snprintf(note, sizeof(note),
		 "a cell is %s (%" PRIu64 " page%s); its colour is the share of them that is dirty",
		 size.text ? size.text : "?", s.cells.each, s.cells.each == 1 ? "" : "s");
	out_buf_done(&size);
	svg_write(&(struct svg){ .title = title, .note = note, .low = "few", .high = "all pages", .cells = s.cells,
				 .value = value, .hover = hover, .arg = &s }, o);
}

static void draw_pgm(const struct dirty_map *m, struct out *o)
{
	struct cells c = cells_of(m->gpa, m->pages);
	uint64_t dirty[CELLS_MAX];

	cells_count(&c, m, dirty);
	pgm_write(&c, dirty, o);
}

static const struct form forms[] = {
	{ "runs", list_runs, NULL }, { "bitmap", list_bitmap, NULL }, { "pages", list_pages, NULL },
	{ "pgm", NULL, draw_pgm }, { "svg", NULL, draw_svg },
};

static const struct form *form_named(const char *word, size_t len)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (word_is(word, len, forms[i].name))
			return &forms[i];
	return NULL;
}

static int draw_file(const struct form *f, const struct dirty_map *m, const char *path, json_t *row,
		     struct err *err)
{
	struct out_buf b;
	int r;

	out_buf_init(&b);
	f->draw(m, &b.out);
	r = b.failed ? err_set(err, ENOMEM, "out of memory") : newfile_write(path, b.text, b.len, err);
	if (!r) {
		json_object_set_new(row, "file", data_text(path, strlen(path)));
		json_object_set_new(row, "bytes", json_integer((json_int_t)b.len));
	}
	out_buf_done(&b);
	return r;
}

/*
 * The vCPUs are parked, so a peek is what a take would give: it is taken only when it has become a result, or a
 * file that cannot be written would cost the log.
 */
static int read_slot(struct task *t, unsigned id, const struct form *f, const char *path, bool take, json_t *list,
		     struct err *err)
{
	struct dirty_map m, taken;
	json_t *row, *items;
	bool more = false;
	int r = machine_dirty_read(task_machine(t), id, DIRTY_USER, false, &m, err);

	if (r)
		return r;
	row = json_pack("{s:I, s:o, s:I, s:I}", "id", (json_int_t)m.id, "gpa", data_hex(m.gpa), "pages",
			(json_int_t)m.pages, "dirty", (json_int_t)m.dirty);
	if (f->draw) {
		r = draw_file(f, &m, path, row, err);
	} else {
		items = json_array();
		f->list(&m, items, &more);
		json_object_set_new(row, "items", items);
		json_object_set_new(row, "truncated", json_boolean(more));
	}
	free(m.bits);
	if (!r && take) {
		r = machine_dirty_read(task_machine(t), id, DIRTY_USER, true, &taken, err);
		if (!r)
			free(taken.bits);
	}
	if (r)
		json_decref(row);
	else
		json_array_append_new(list, row);
	return r;
}

/* Every logged slot, for lack of a number. */
static int read_all(struct task *t, const struct form *f, const char *path, bool take, json_t *list,
		    struct err *err)
{
	struct slot_info s;
	size_t logged = 0;
	int r = 0;

	for (size_t i = 0; machine_slot_list(task_machine(t), i, &s); i++)
		logged += s.log;
	if (!logged)
		return err_set(err, EINVAL, "no slot is logged: dirty start ID");
	if (f->draw && logged > 1)
		return err_set(err, EINVAL, "%zu slots are logged: a picture is of one, so give its number",
			       logged);
	for (size_t i = 0; !r && machine_slot_list(task_machine(t), i, &s); i++)
		if (s.log)
			r = read_slot(t, s.id, f, path, take, list, err);
	return r;
}

static int read_log(struct task *t, bool take, struct err *err)
{
	const char *p = t->args, *word, *path = NULL, *after = p;
	const struct form *f;
	struct slot_info s;
	bool one = false;
	json_t *list;
	size_t len;
	int r = 0;

	word = task_word(&after, &len);
	if (len && !form_named(word, len)) {
		one = true;
		r = slotarg_slot(t, &p, &s, err);
		if (!r)
			r = dirty_need_log(&s, err);
	}
	if (r)
		return r;
	word = task_word(&p, &len);
	f = len ? form_named(word, len) : &forms[0];
	if (!f)
		return task_usage(t, err);
	r = f->draw ? slotarg_path(t, p, &path, err) : task_end(t, p, err);
	if (r)
		return r;
	list = json_array();
	r = one ? read_slot(t, s.id, f, path, take, list, err) : read_all(t, f, path, take, list, err);
	if (r)
		json_decref(list);
	else
		t->result = json_pack("{s:s, s:b, s:o}", "form", f->name, "taken", (int)take, "slots", list);
	return r;
}

static int exec_peek(struct task *t, struct err *err)
{
	return read_log(t, false, err);
}

static int exec_take(struct task *t, struct err *err)
{
	return read_log(t, true, err);
}

static void render_items(const json_t *row, struct out *o)
{
	const json_t *list = json_object_get(row, "items"), *v;
	size_t i;

	json_array_foreach(list, i, v)
		if (json_is_string(v))
			out_printf(o, "%s%s%s", i % 6 ? " " : "  ", json_string_value(v),
				   i % 6 == 5 || i + 1 == json_array_size(list) ? "\n" : "");
		else if (*data_str(v, "bits"))
			out_printf(o, "  %-12s %s\n", data_str(v, "gpa"), data_str(v, "bits"));
		else
			out_printf(o, "  %s-%s  %" PRIu64 " page%s\n", data_str(v, "gpa"), data_str(v, "last"),
				   data_u64(v, "pages"), data_u64(v, "pages") == 1 ? "" : "s");
	if (data_true(row, "truncated"))
		out_printf(o, "  ... and more: %u are shown\n", ITEMS_MAX);
}

static void render_log(const json_t *result, struct out *o)
{
	const json_t *row;
	size_t i;

	json_array_foreach(json_object_get(result, "slots"), i, row) {
		out_printf(o, "slot %s: %" PRIu64 " of %" PRIu64 " pages dirty%s",
			   slot_name((unsigned)data_u64(row, "id")).text,
			   data_u64(row, "dirty"), data_u64(row, "pages"),
			   data_true(result, "taken") ? ", taken" : "");
		if (*data_str(row, "file"))
			out_printf(o, ", drawn in %s", data_str(row, "file"));
		out_puts(o, "\n");
		render_items(row, o);
	}
}

#define FORMS_HELP \
	"Without ID, of every logged slot.  runs, the default: ranges of pages; bitmap: a character a page;\n" \
	"pages: their addresses; pgm and svg: a picture in a new FILE, which is all that follows."

static const struct cmd rows[] = {
	{ "dirty start", NULL, "ID", "log which pages of a slot are written", "The same as `slot flags ID log`.",
	  CMD_PARKED, COMPLETE_SLOT, exec_start, NULL },
	{ "dirty stop", NULL, "ID", "end a slot's log", "The same as `slot flags ID nolog`.", CMD_PARKED,
	  COMPLETE_SLOT,
	  exec_stop, NULL },
	{ "dirty peek", NULL, "[ID] [runs|bitmap|pages|pgm FILE|svg FILE]",
	  "show pages written since `dirty take`",
	  FORMS_HELP, CMD_PARKED, COMPLETE_SLOT, exec_peek, render_log },
	{ "dirty take", NULL, "[ID] [runs|bitmap|pages|pgm FILE|svg FILE]", "show them, and begin anew",
	  FORMS_HELP "\nTakes for heat and rate are their own: neither disturbs the other.", CMD_PARKED,
	  COMPLETE_SLOT,
	  exec_take, render_log },
	{ "dirty diff", NULL, "ID", "show which bytes changed, old and new, since `dirty take`",
	  "The first time it remembers the contents, to compare with.", CMD_PARKED, COMPLETE_SLOT, dirty_diff_exec,
	  dirty_diff_render },
	{ "dirty rate", NULL, "ID INTERVAL COUNT", "measure how fast a running guest dirties pages",
	  "A line every INTERVAL seconds (0.5 is half of one), COUNT times; ends early when the guest stops.",
	  CMD_PARKED, COMPLETE_SLOT, dirty_rate_exec, dirty_rate_render },
	{ "dirty heat", NULL, "ID [svg FILE]", "draw where a slot is written again and again",
	  "Each call takes the log and adds it to a map that fades: what was dirty four calls ago counts half.\n"
	  "In colour on a terminal that has it, unless NO_COLOR is set; or as SVG in a new FILE.", CMD_PARKED,
	  COMPLETE_SLOT, dirty_heat_exec, dirty_heat_render },
	{ "dirty who", NULL, "ID [off | GPA [SIZE]]", "record who writes to a slot",
	  "The first time it begins: the slot's writes exit, are recorded and carried out, which is slow.  After\n"
	  "that it lists vCPU, place, pages and how often; GPA and SIZE (one page) choose pages.  off ends it.",
	  CMD_PARKED, COMPLETE_SLOT, dirty_who_exec, dirty_who_render },
};

const struct cmd_group cmd_dirty_group = { "dirty log", rows, sizeof(rows) / sizeof(rows[0]) };
