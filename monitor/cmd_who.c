/* SPDX-License-Identifier: GPL-3.0-or-later */
/* dirty diff and dirty who: what was written, and by whom. */
#include "monitor/cmd_dirty.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/core.h"
#include "monitor/pages.h"
#include "monitor/render.h"
#include "monitor/slotarg.h"

#define DIFFS_MAX 64u           /* runs that are shown */
#define DIFF_BYTES 16u          /* bytes of each */
#define WRITERS_MAX 65536u      /* records that are looked at */
#define WRITERS_SHOWN 100u

/* -- diff -- */

struct diffs {
	json_t *list;
	uint64_t runs, bytes;
};

static json_t *hex_bytes(const uint8_t *v, size_t len)
{
	char text[2 * DIFF_BYTES + 1];

	for (size_t i = 0; i < len; i++) {
		text[2 * i] = "0123456789abcdef"[v[i] >> 4];
		text[2 * i + 1] = "0123456789abcdef"[v[i] & 15];
	}
	return json_stringn(text, 2 * len);
}

static bool add_diff(void *arg, uint64_t gpa, const uint8_t *was, const uint8_t *is, size_t len)
{
	struct diffs *d = arg;
	size_t shown = len < DIFF_BYTES ? len : DIFF_BYTES;

	d->bytes += len;
	if (d->runs++ < DIFFS_MAX)
		json_array_append_new(d->list, json_pack("{s:o, s:I, s:o, s:o}", "gpa", data_hex(gpa), "length",
							 (json_int_t)len, "was", hex_bytes(was, shown), "is",
							 hex_bytes(is, shown)));
	return true;
}

int dirty_diff_exec(struct task *t, struct err *err)
{
	struct diffs d = { 0 };
	const char *p = t->args;
	struct slot_info s;
	int r = slotarg_slot(t, &p, &s, err);

	if (!r)
		r = task_end(t, p, err);
	if (!r)
		r = dirty_need_log(&s, err);
	if (r)
		return r;
	d.list = json_array();
	r = machine_dirty_diff(task_machine(t), s.id, add_diff, &d, err);
	/* To have begun is no failure. */
	if (r == -EAGAIN) {
		json_decref(d.list);
		t->result = json_pack("{s:I, s:o}", "id", (json_int_t)s.id, "text",
				      data_text(err->msg, strlen(err->msg)));
		*err = (struct err){ 0 };
		return 0;
	}
	if (r)
		json_decref(d.list);
	else
		t->result = json_pack("{s:I, s:I, s:I, s:o}", "id", (json_int_t)s.id, "runs", (json_int_t)d.runs,
				      "bytes",
				      (json_int_t)d.bytes, "changes", d.list);
	return r;
}

void dirty_diff_render(const json_t *result, struct out *o)
{
	const json_t *row;
	uint64_t runs = data_u64(result, "runs"), bytes = data_u64(result, "bytes");
	size_t i;

	if (json_object_get(result, "text")) {
		render_text(result, o);
		return;
	}
	json_array_foreach(json_object_get(result, "changes"), i, row)
		out_printf(o, "%s  %" PRIu64 " byte%s  %s -> %s%s\n", data_str(row, "gpa"),
			   data_u64(row, "length"),
			   data_u64(row, "length") == 1 ? "" : "s", data_str(row, "was"), data_str(row, "is"),
			   data_u64(row, "length") > DIFF_BYTES ? " ..." : "");
	if (runs > DIFFS_MAX)
		out_printf(o, "... and %" PRIu64 " more\n", runs - DIFFS_MAX);
	out_printf(o, "slot %s: %" PRIu64 " byte%s changed in %" PRIu64 " run%s\n",
		   slot_name((unsigned)data_u64(result, "id")).text, bytes, bytes == 1 ? "" : "s", runs,
		   runs == 1 ? "" : "s");
}

/* -- who -- */

/* Pages that follow each other and were written from one place by one vCPU. */
struct writers {
	struct dirty_writer first;
	uint64_t pages;
};

static int by_place(const void *a, const void *b)
{
	const struct dirty_writer *x = &((const struct writers *)a)->first;
	const struct dirty_writer *y = &((const struct writers *)b)->first;

	if (x->cpu != y->cpu)
		return x->cpu < y->cpu ? -1 : 1;
	if (x->pc != y->pc)
		return x->pc < y->pc ? -1 : 1;
	return x->gpa < y->gpa ? -1 : x->gpa > y->gpa;
}

static int by_count(const void *a, const void *b)
{
	const struct writers *x = a, *y = b;

	return x->first.count != y->first.count ? (x->first.count < y->first.count ? 1 : -1) : by_place(a, b);
}

/* Those of slot ID with a page that touches FROM to LAST.  The caller's to free(); NULL: no memory. */
static struct writers *collect(struct machine *m, unsigned id, uint64_t from, uint64_t last, size_t *ret_n)
{
	struct dirty_writer w;
	struct writers *v = malloc(sizeof(*v)), *grown;
	size_t n = 0, cap = 1, out = 0;

	for (size_t i = 0; v && i < WRITERS_MAX && machine_dirty_writer(m, id, i, &w); i++) {
		if (w.gpa > last || w.gpa + (DIRTY_PAGE - 1) < from)
			continue;
		if (n == cap) {
			cap *= 2;
			grown = realloc(v, cap * sizeof(*v));
			if (!grown) {
				free(v);
				return NULL;
			}
			v = grown;
		}
		v[n++] = (struct writers){ .first = w, .pages = 1 };
	}
	if (!v)
		return NULL;
	qsort(v, n, sizeof(*v), by_place);
	for (size_t i = 0; i < n; i++) {
		struct writers *g = out ? &v[out - 1] : NULL;

		if (g && g->first.cpu == v[i].first.cpu && g->first.pc == v[i].first.pc &&
		    g->first.gpa + g->pages * DIRTY_PAGE == v[i].first.gpa) {
			g->pages++;
			g->first.count += v[i].first.count;
		} else {
			v[out++] = v[i];
		}
	}
	qsort(v, out, sizeof(*v), by_count);
	*ret_n = out;
	return v;
}

static int list_writers(struct task *t, unsigned id, uint64_t from, uint64_t last, struct err *err)
{
	json_t *list, *row;
	size_t n;
	struct writers *v = collect(task_machine(t), id, from, last, &n);

	if (!v)
		return err_set(err, ENOMEM, "out of memory");
	list = json_array();
	for (size_t i = 0; i < n && i < WRITERS_SHOWN; i++) {
		row = data_place(task_machine(t), v[i].first.pc);
		json_object_set_new(row, "cpu", json_integer(v[i].first.cpu));
		json_object_set_new(row, "gpa", data_hex(v[i].first.gpa));
		json_object_set_new(row, "last", data_hex(v[i].first.gpa + v[i].pages * DIRTY_PAGE - 1));
		json_object_set_new(row, "pages", json_integer((json_int_t)v[i].pages));
		json_object_set_new(row, "count", json_integer((json_int_t)v[i].first.count));
		json_array_append_new(list, row);
	}
	free(v);
	t->result = json_pack("{s:I, s:b, s:I, s:o}", "id", (json_int_t)id, "on", 1, "total", (json_int_t)n,
			      "writers",
			      list);
	return 0;
}

int dirty_who_exec(struct task *t, struct err *err)
{
	uint64_t from = 0, last = UINT64_MAX, size = DIRTY_PAGE;
	const char *p = t->args, *word, *after;
	struct slot_info s;
	bool range, off;
	size_t len;
	int r = slotarg_slot(t, &p, &s, err);

	if (r)
		return r;
	after = p;
	word = task_word(&after, &len);
	off = word_is(word, len, "off");
	range = len && !off;
	if (off)
		p = after;
	if (range) {
		r = task_expr(t, &p, &from, err);
		if (!r && *p)
			r = task_expr(t, &p, &size, err);
		else
			from -= from % DIRTY_PAGE;      /* its page */
	}
	if (!r)
		r = task_end(t, p, err);
	if (!r && range && (!size || from + (size - 1) < from))
		r = task_malformed(t, err_set(err, EINVAL, "0x%" PRIx64 " bytes at 0x%" PRIx64 " are no range",
					      size,
					      from));
	if (r)
		return r;
	if (range)
		last = from + (size - 1);
	if (off && !s.watched)
		return err_set(err, EINVAL, "slot %s's writers are not recorded", slot_name(s.id).text);
	if (s.watched && !off)
		return list_writers(t, s.id, from, last, err);
	if (range)
		return err_set(err, EINVAL, "slot %s's writers are not recorded: dirty who %s",
			       slot_name(s.id).text, slot_name(s.id).text);
	r = machine_dirty_who(task_machine(t), s.id, !off, err);
	if (!r)
		t->result = json_pack("{s:I, s:b}", "id", (json_int_t)s.id, "on", (int)!off);
	return r;
}

void dirty_who_render(const json_t *result, struct out *o)
{
	const json_t *list = json_object_get(result, "writers"), *row;
	uint64_t total = data_u64(result, "total");
	size_t i;

	if (!list) {
		out_printf(o, "slot %s: its writers are %s recorded\n",
			   slot_name((unsigned)data_u64(result, "id")).text,
			   data_true(result, "on") ? "now" : "no longer");
		return;
	}
	json_array_foreach(list, i, row) {
		out_printf(o, "cpu %" PRIu64 "  ", data_u64(row, "cpu"));
		render_place(row, o);
		out_printf(o, "  %s-%s  %" PRIu64 " write%s\n", data_str(row, "gpa"), data_str(row, "last"),
			   data_u64(row, "count"), data_u64(row, "count") == 1 ? "" : "s");
	}
	if (total > json_array_size(list))
		out_printf(o, "... and %" PRIu64 " more\n", total - json_array_size(list));
	if (!total)
		out_puts(o, "nobody has written there\n");
}
