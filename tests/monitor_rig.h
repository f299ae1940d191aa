/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A monitor on a fake machine with its loop, for unit tests: runs a line and says what came of it. */
#ifndef GV_TESTS_MONITOR_RIG_H
#define GV_TESTS_MONITOR_RIG_H

#include <uv.h>

#include "api/out.h"
#include "monitor/core.h"
#include "tests/fake_machine.h"

struct rig {
	uv_loop_t loop;
	uv_poll_t events;
	uv_timer_t deadline;
	struct fake_machine *f;
	struct monitor *mon;
	struct session s;       /* an interactive one; its output is in out */
	struct out_buf out;
	int status;             /* of the last command: 0 or -errno */
	bool malformed, done;
	unsigned ended;         /* how many commands have */
	unsigned quits;         /* events->quit calls */
	int script_status;      /* of the command line's script; -1: still runs */
};

/* Two vCPUs in long mode, a 64-bit image, and no memory in 0x80000 to 0x80fff. */
extern const struct fake_config rig_long64;

/* CONFIG as for fake_new(). */
void rig_init(struct rig *r, const struct fake_config *config, bool json);
void rig_done(struct rig *r);

/* Runs the loop until *FLAG; fails the test when that takes two minutes. */
void rig_until(struct rig *r, const bool *flag);
/* Runs the loop as long as something happens at once. */
void rig_settle(struct rig *r);

/* Starts LINE; the loop does not run. */
struct task *rig_start(struct rig *r, const char *line);
/* Runs LINE to its end; returns what was said since the last call ("" when nothing was), valid until the next. */
const char *rig_run(struct rig *r, const char *line);
/* The same; the command must end well. */
const char *rig_ok(struct rig *r, const char *line);
/* The same; it must fail, and with exactly one line, which is returned without "error: ". */
const char *rig_bad(struct rig *r, const char *line);
/* The same; PART is in its line. */
void rig_refuses(struct rig *r, const char *line, const char *part);
/* The same for every row of BAD, an array. */
struct refusal {
	const char *line, *part;
};
void rig_refuses_rows(struct rig *r, const struct refusal *bad, size_t n);
#define RIG_REFUSES_ALL(r, bad) rig_refuses_rows(r, bad, sizeof(bad) / sizeof((bad)[0]))
/* Runs LINE, which has -j and must end well; returns its result, whose json_decref() is the caller's. */
json_t *rig_result(struct rig *r, const char *line);
/* PART is in TEXT. */
void rig_has(const char *text, const char *part);
/* What was said since the last call. */
const char *rig_said(struct rig *r);

/* gdb sets a breakpoint. */
void rig_gdb_break(struct rig *r, uint64_t gva);

#endif
