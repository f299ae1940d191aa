/* SPDX-License-Identifier: GPL-3.0-or-later */
/* dirty rate and dirty heat: the log over time. */
#include "monitor/cmd_dirty.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/core.h"
#include "monitor/heat.h"
#include "monitor/newfile.h"
#include "monitor/render.h"
#include "monitor/slotarg.h"
#include "monitor/text.h"

#define COUNT_MAX 10000

/* -- rate: between the lines the loop does other things, and the guest runs -- */

struct rate {
	unsigned id;
	uint64_t interval_ms, left;
	uint64_t since;         /* uv_hrtime() of the last take */
};

static int take(struct machine *m, unsigned id, uint64_t *ret_dirty, struct err *err)
{
	struct dirty_map map;
	int r = machine_dirty_read(m, id, DIRTY_RATE, true, &map, err);

	if (r)
		return r;
	*ret_dirty = map.dirty;
	free(map.bits);
	return 0;
}

static void render_sample(const json_t *row, struct out *o)
{
	out_printf(o, "%" PRIu64 ".%03" PRIu64 " s  %8" PRIu64 " pages  %10.1f MiB/s\n",
		   data_u64(row, "ms") / 1000,
		   data_u64(row, "ms") % 1000, data_u64(row, "pages"),
		   json_number_value(json_object_get(row, "mib_per_second")));
}

static void sample(struct task *t, uint64_t dirty)
{
	struct rate *s = t->data;
	uint64_t now = uv_hrtime(), ns = now - s->since;
	double mib = (double)dirty * DIRTY_PAGE / (1 << 20) / ((double)(ns ? ns : 1) / 1e9);
	json_t *row = json_pack("{s:I, s:I, s:f}", "ms", (json_int_t)((ns + 500000) / 1000000), "pages",
				(json_int_t)dirty, "mib_per_second", mib);
	struct out_buf line;

	s->since = now;
	json_array_append_new(json_object_get(t->result, "samples"), row);
	if (t->json)
		return;
	out_buf_init(&line);
	render_sample(row, &line.out);
	out_write(t->out, line.text, line.len);
	out_buf_done(&line);
}

static void rate_timeout(struct task *t)
{
	struct machine *m = task_machine(t);
	struct rate *s = t->data;
	uint64_t dirty;
	int r = machine_hold(m, &t->err);

	if (!r) {
		r = take(m, s->id, &dirty, &t->err);
		machine_release(m);
	}
	/* Releasing may have brought a stop, and with it the end. */
	if (t->finished)
		return;
	if (r) {
		task_finish(t, r);
		return;
	}
	sample(t, dirty);
	uv_update_time(t->s->mon->loop);
	if (--s->left)
		t->deadline = uv_now(t->s->mon->loop) + s->interval_ms;
	else
		task_finish(t, 0);
}

static bool rate_stopped(struct task *t, const struct stop_event *ev)
{
	(void)ev;
	json_object_set_new(t->result, "stopped", json_true());
	task_finish(t, 0);
	return false;
}

static void rate_interrupt(struct task *t)
{
	task_finish(t, err_set(&t->err, EINTR, "interrupted"));
}

static void rate_drop(struct task *t)
{
	free(t->data);
}

static const struct task_wait sampling = {
	.stopped = rate_stopped, .timeout = rate_timeout, .interrupt = rate_interrupt, .drop = rate_drop,
};

int dirty_rate_exec(struct task *t, struct err *err)
{
	const char *p = t->args, *word;
	uint64_t ms, count, dirty;
	struct slot_info s;
	struct rate *rate;
	size_t len;
	int r = slotarg_slot(t, &p, &s, err);

	if (r)
		return r;
	word = task_word(&p, &len);
	if (!len || !*p)
		return task_usage(t, err);
	if (text_seconds(word, len, &ms) || !ms)
		return task_malformed(t, err_set(err, EINVAL, "'%.*s' is no interval: seconds, as in 0.5",
						 len < 40 ? (int)len : 40, word));
	r = task_expr(t, &p, &count, err);
	if (!r)
		r = task_end(t, p, err);
	if (!r && (!count || count > COUNT_MAX))
		r = task_malformed(t, err_set(err, EINVAL, "1 to %d lines can be had", COUNT_MAX));
	if (!r)
		r = dirty_need_log(&s, err);
	if (!r && machine_state(task_machine(t)) != MACHINE_RUNNING)
		r = err_set(err, EBUSY, "the guest is stopped and dirties nothing: continue first");
	/* What was dirtied before now does not count. */
	if (!r)
		r = take(task_machine(t), s.id, &dirty, err);
	if (r)
		return r;
	rate = calloc(1, sizeof(*rate));
	if (!rate)
		return err_set(err, ENOMEM, "out of memory");
	/* The loop's clock stood still while commands before this one ran. */
	uv_update_time(t->s->mon->loop);
	*rate = (struct rate){ .id = s.id, .interval_ms = ms, .left = count, .since = uv_hrtime() };
	t->result = json_pack("{s:I, s:[]}", "id", (json_int_t)s.id, "samples");
	return task_wait(t, &sampling, rate, ms);
}

/* The samples' lines have been printed as they came. */
void dirty_rate_render(const json_t *result, struct out *o)
{
	if (data_true(result, "stopped"))
		out_puts(o, "the guest has stopped\n");
}

/* -- heat -- */

static int write_svg(const struct heat *h, const char *path, struct err *err)
{
	struct out_buf b;
	int r;

	out_buf_init(&b);
	heat_svg(h, &b.out);
	r = b.failed ? err_set(err, ENOMEM, "out of memory") : newfile_write(path, b.text, b.len, err);
	out_buf_done(&b);
	return r;
}

int dirty_heat_exec(struct task *t, struct err *err)
{
	const char *p = t->args, *word, *path = NULL;
	struct monitor *mon = t->s->mon;
	struct dirty_map map;
	struct slot_info s;
	struct heat *h;
	size_t len;
	int r = slotarg_slot(t, &p, &s, err);

	if (r)
		return r;
	word = task_word(&p, &len);
	if (len && !word_is(word, len, "svg"))
		return task_usage(t, err);
	r = len ? slotarg_path(t, p, &path, err) : 0;
	if (!r)
		r = dirty_need_log(&s, err);
	if (!r)
		r = machine_dirty_read(mon->m, s.id, DIRTY_HEAT, true, &map, err);
	if (r)
		return r;
	h = heat_of(&mon->heats, &map);
	if (h)
		heat_add(h, &map);
	free(map.bits);
	if (!h)
		return err_set(err, ENOMEM, "out of memory");
	/* Taken it stays: a file that cannot be written leaves the map for the next call. */
	r = path ? write_svg(h, path, err) : 0;
	if (r)
		return r;
	t->result = heat_json(h, heat_style_of(t->s->kind == SESSION_TERMINAL));
	if (path)
		json_object_set_new(t->result, "file", data_text(path, strlen(path)));
	return 0;
}

void dirty_heat_render(const json_t *result, struct out *o)
{
	if (*data_str(result, "file"))
		out_printf(o, "slot %s: drawn in %s\n", slot_name((unsigned)data_u64(result, "id")).text,
			   data_str(result, "file"));
	else
		heat_render(result, o);
}
