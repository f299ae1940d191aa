/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lines of the monitor on a machine without KVM.  The input's first byte says how they are run: one after the other, each
 * given up when it waits, or as a script; and whether answers are JSON.  No file is ever opened: this program is linked
 * with --wrap=open.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "monitor/script.h"
#include "monitor/task.h"
#include "tests/monitor_rig.h"

enum { HOW_JSON = 1, HOW_SCRIPT = 2, HOW_RAN = 4 };

#define LINES_MAX       64      /* of an input */
#define TURNS           16      /* of the loop for a line: a breakpoint's commands may resume the guest for ever */

int __wrap_open(const char *path, int flags, ...);

int __wrap_open(const char *path, int flags, ...)
{
	(void)path;
	(void)flags;
	errno = EACCES;
	return -1;
}

/* As long as *DONE is not yet, but not for ever. */
static void turn(struct rig *r, const bool *done)
{
	for (unsigned i = 0; i < TURNS && !*done; i++)
		uv_run(&r->loop, UV_RUN_NOWAIT);
}

static void run_line(struct rig *r, const uint8_t *line, size_t len)
{
	unsigned before = r->ended;
	char *text = malloc(len + 1);
	struct task *t;
	bool given_up;

	ck_assert_ptr_nonnull(text);
	memcpy(text, line, len);
	text[len] = '\0';
	t = rig_start(r, text);
	free(text);
	turn(r, &r->done);
	given_up = !r->done;
	if (given_up)
		task_cancel(t);
	ck_assert_uint_eq(r->ended, before + 1);
	ck_assert_uint_eq(r->f->holds, 0);
	/* A failure has its line, but for what was given up. */
	if (r->status < 0 && !given_up)
		ck_assert_uint_gt(r->out.len, 0);
	/* What is said can be shown: whatever the line had in it. */
	for (size_t i = 0; i < r->out.len; i++)
		ck_assert_msg(r->out.text[i] != '\033' && r->out.text[i] != '\0', "an escape at %zu", i);
	out_buf_done(&r->out);
}

static void on_end(void *arg, struct script *s, int status, const char *message)
{
	(void)s;
	ck_assert(!status == !message[0] || status > 0);
	*(bool *)arg = true;
}

static void run_script(struct rig *r, const struct bytes *in)
{
	char *text = malloc(in->len + 1);
	struct script *s;
	bool ended = false;

	ck_assert_ptr_nonnull(text);
	memcpy(text, in->p, in->len);
	text[in->len] = '\0';
	ck_assert_int_eq(script_new(r->mon, &r->out.out, false, false, on_end, &ended, &s, NULL), 0);
	ck_assert_int_eq(script_add_text(s, "input", text, NULL), 0);
	script_start(s);
	free(text);
	for (unsigned i = 0; i < LINES_MAX && !ended; i++)
		turn(r, &ended);
	if (!ended)
		script_free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = { data, size };
	unsigned how = (unsigned)take(&in, 1);
	struct rig r;

	rig_init(&r, &rig_long64, how & HOW_JSON);
	if (how & HOW_RAN) {
		fake_set_reg(r.f, 0, REG_RAX, 0x1234);
		fake_serial_output(r.f, "booted\n", 7);
	}
	if (how & HOW_SCRIPT) {
		run_script(&r, &in);
	} else {
		for (unsigned n = 0; in.len && n < LINES_MAX; n++) {
			size_t len;
			const uint8_t *line = take_until(&in, '\n', &len);

			run_line(&r, line, len);
		}
	}
	rig_done(&r);
	return 0;
}
