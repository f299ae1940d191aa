/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/monitor_rig.h"

#include <check.h>
#include <string.h>

const struct fake_config rig_long64 = {
	.cpus = 2, .mode = MODE_LONG, .image_bits = 64, .hole = 0x80000, .hole_size = 0x1000,
};

static char said[4 << 20];

static void on_events(uv_poll_t *h, int status, int events)
{
	struct rig *r = h->data;

	(void)status;
	(void)events;
	machine_poll(&r->f->machine, 0);
}

static void on_quit(void *arg)
{
	struct rig *r = arg;

	r->quits++;
}

static void on_script(void *arg, int status)
{
	struct rig *r = arg;

	r->script_status = status;
	r->done = true;
}

void rig_init(struct rig *r, const struct fake_config *config, bool json)
{
	struct monitor_events ev = { .arg = r, .quit = on_quit, .script_done = on_script };

	memset(r, 0, sizeof(*r));
	r->script_status = -1;
	uv_loop_init(&r->loop);
	r->f = fake_new(config);
	uv_poll_init(&r->loop, &r->events, machine_event_fd(&r->f->machine));
	r->events.data = r;
	uv_poll_start(&r->events, UV_READABLE, on_events);
	uv_timer_init(&r->loop, &r->deadline);
	r->deadline.data = r;
	ck_assert_int_eq(monitor_new(&r->loop, &r->f->machine, &ev, json, &r->mon, NULL), 0);
	out_buf_init(&r->out);
	r->s = (struct session){ .kind = SESSION_CLIENT, .out = &r->out.out, .notices = true };
	session_open(&r->s, r->mon);
}

void rig_done(struct rig *r)
{
	session_close(&r->s);
	monitor_free(r->mon);
	uv_close((uv_handle_t *)&r->events, NULL);
	uv_close((uv_handle_t *)&r->deadline, NULL);
	uv_run(&r->loop, UV_RUN_DEFAULT);
	ck_assert_int_eq(uv_loop_close(&r->loop), 0);
	ck_assert_uint_eq(r->f->holds, 0);
	ck_assert_ptr_null(r->f->observers);
	fake_free(r->f);
	out_buf_done(&r->out);
}

static void on_deadline(uv_timer_t *t)
{
	(void)t;
	ck_abort_msg("nothing came in two minutes");
}

void rig_until(struct rig *r, const bool *flag)
{
	uv_timer_start(&r->deadline, on_deadline, 120000, 0);
	while (!*flag)
		uv_run(&r->loop, UV_RUN_ONCE);
	uv_timer_stop(&r->deadline);
}

void rig_settle(struct rig *r)
{
	/* Idle handles and the machine's descriptor are ready at once; whatever takes longer is not waited for. */
	for (int quiet = 0; quiet < 3;) {
		struct fake_calls before = r->f->calls;

		uv_run(&r->loop, UV_RUN_NOWAIT);
		quiet = memcmp(&before, &r->f->calls, sizeof(before)) || uv_is_active((uv_handle_t *)&r->mon->idle)
			? 0 : quiet + 1;
	}
}

static void on_done(void *arg, struct task *t)
{
	struct rig *r = arg;

	r->status = t->status;
	r->malformed = t->malformed;
	r->ended++;
	r->done = true;
}

struct task *rig_start(struct rig *r, const char *line)
{
	r->done = false;
	return task_run_typed(&r->s, line, strlen(line), on_done, r);
}

const char *rig_said(struct rig *r)
{
	said[0] = '\0';
	if (r->out.text) {
		ck_assert_uint_lt(r->out.len, sizeof(said));
		memcpy(said, r->out.text, r->out.len + 1);
	}
	out_buf_done(&r->out);
	return said;
}

const char *rig_run(struct rig *r, const char *line)
{
	unsigned before = r->ended;

	rig_start(r, line);
	rig_until(r, &r->done);
	ck_assert_uint_eq(r->ended, before + 1);
	ck_assert_uint_eq(r->f->holds, 0);
	return rig_said(r);
}

const char *rig_ok(struct rig *r, const char *line)
{
	const char *text = rig_run(r, line);

	ck_assert_msg(!r->status, "'%s' failed: %s", line, text);
	return text;
}

const char *rig_bad(struct rig *r, const char *line)
{
	const char *text = rig_run(r, line);
	size_t len = strlen(text);

	ck_assert_msg(r->status < 0, "'%s' went well: %s", line, text);
	ck_assert_msg(!strncmp(text, "error: ", 7) && strchr(text, '\n') == text + len - 1, "'%s': %s", line,
		      text);
	said[len - 1] = '\0';
	return text + 7;
}

void rig_refuses(struct rig *r, const char *line, const char *part)
{
	const char *text = rig_bad(r, line);

	ck_assert_msg(strstr(text, part), "%s: '%s' is not in: %s", line, part, text);
}

void rig_refuses_rows(struct rig *r, const struct refusal *bad, size_t n)
{
	for (size_t i = 0; i < n; i++)
		rig_refuses(r, bad[i].line, bad[i].part);
}

json_t *rig_result(struct rig *r, const char *line)
{
	json_t *all = json_loads(rig_ok(r, line), 0, NULL), *result = json_incref(json_object_get(all, "result"));

	ck_assert_ptr_nonnull(result);
	json_decref(all);
	return result;
}

void rig_has(const char *text, const char *part)
{
	ck_assert_msg(strstr(text, part), "'%s' is not in: %s", part, text);
}

void rig_gdb_break(struct rig *r, uint64_t gva)
{
	struct break_spec spec = { .gva = gva, .space = BREAK_ANY_SPACE };

	ck_assert_int_eq(machine_break_insert(&r->f->machine, BREAK_OWNER_GDB, &spec, NULL), 0);
}
