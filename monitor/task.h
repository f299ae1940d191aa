/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sessions, and the commands they run.  A session is where lines come from and results go to: the terminal, a
 * socket client, a script, gdb.  A task is one command under way; most end within task_run(), some wait for the
 * guest.  Loop thread.
 */
#ifndef GV_MONITOR_TASK_H
#define GV_MONITOR_TASK_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/err.h"
#include "api/machine.h"
#include "api/out.h"
#include "monitor/cmd.h"
#include "monitor/format.h"

#define LINE_MAX_BYTES 16384

struct follower;
struct monitor;
struct script;
struct task;

enum session_kind { SESSION_TERMINAL, SESSION_CLIENT, SESSION_SCRIPT, SESSION_GDB };

struct session {
	struct monitor *mon;
	struct session *next;
	enum session_kind kind;
	struct out *out;
	bool from_gdb;          /* gdb's, or a script that gdb started */
	bool notices;           /* is told of stops */
	unsigned cpu;           /* the selected vCPU; follows the stops */
	struct format x_format; /* of the last x or xp, and where it ended */
	uint64_t x_next;
	char *list_file;        /* what `list` has shown: owned; NULL: nothing */
	unsigned list_line;     /* behind that */
	uint64_t list_pc;       /* where the vCPU was */
	char *repeat;           /* what an empty line runs; NULL: nothing */
	struct script *script;  /* SESSION_SCRIPT: the script it belongs to */
	struct follower *follower;      /* of firmware's text; NULL: it is not told */
	struct hook *collect;   /* the lines up to `end` are a breakpoint's commands; NULL: they are not */
};

/* Adds S (zeroed but for kind, out, notices, from_gdb) to MON's sessions. */
void session_open(struct session *s, struct monitor *mon);
/* Cancels its tasks and takes it out. */
void session_close(struct session *s);

/* What a waiting command does; a member that is NULL: nothing. */
struct task_wait {
	/* The machine stopped.  True: this stop is within the command and nobody is to be told. */
	bool (*stopped)(struct task *t, const struct stop_event *ev);
	bool passes;            /* not told of a stop whose breakpoint's commands resume the guest */
	/* The loop came round after a monitor_kick(), or task->again has come. */
	void (*advance)(struct task *t);
	/* Its time is over; NULL needs a wait without time limit. */
	void (*timeout)(struct task *t);
	/* Ctrl-C. */
	void (*interrupt)(struct task *t);
	/* Frees task->data. */
	void (*drop)(struct task *t);
};

/* Called once: T has ended and its output is written.  T goes when this returns. */
typedef void task_done_fn(void *arg, struct task *t);

struct task {
	struct task *next;
	struct session *s;
	struct out *out;
	const struct cmd *cmd;  /* NULL: there was none of that name */
	char *line;             /* owned */
	const char *args;       /* in line, no leading space */
	struct format format;   /* /NFU as typed */
	bool json;
	bool by_symbol;         /* an expression of it has named a symbol */
	bool malformed;         /* it failed because the line is wrong, not because of what it met */
	json_t *result;
	int status;             /* 0 or -errno, err set then */
	struct err err;

	const struct task_wait *wait;
	void *data;
	uint64_t deadline;      /* uv_now() milliseconds, 0: none */
	uint64_t again;         /* when advance() is called in any case, likewise */
	bool finished, pumped;
	task_done_fn *done;
	void *arg;
};

/*
 * Runs LINE (LEN bytes) in S; output goes to OUT.  DONE comes exactly once, before return or later.  Returns the
 * task, or NULL when DONE has been called.  A blank line is a command that does nothing.
 */
struct task *task_run(struct session *s, const char *line, size_t len, struct out *out, task_done_fn *done,
		      void *arg);
/* The same for a line somebody typed: an empty one repeats the last step or x. */
struct task *task_run_typed(struct session *s, const char *line, size_t len, task_done_fn *done, void *arg);
/* Ends T without a report: DONE is called with -EINTR. */
void task_cancel(struct task *t);
/* Ctrl-C for T: it ends soon, or does not care. */
void task_interrupt(struct task *t);

/* For exec: T waits as W says, DATA is W's, TIMEOUT_MS at most (0: any time).  Call it before the guest starts. */
int task_wait(struct task *t, const struct task_wait *w, void *data, uint64_t timeout_ms);
/* For task_wait: T ends with STATUS; task->err is set when that is negative. */
void task_finish(struct task *t, int status);

/* From the loop: tasks that can go on do, those that have ended go. */
void task_pump(struct monitor *mon);

/* -- what handlers share -- */

/* -EINVAL with T's usage in ERR. */
int task_usage(struct task *t, struct err *err);
/* Marks T's line as malformed and returns CODE: for a message of one's own. */
int task_malformed(struct task *t, int code);
/* The expression at *P, which moves behind it. */
int task_expr(struct task *t, const char **p, uint64_t *ret, struct err *err);
/* The same for a place in code: gdb's `*EXPR` is EXPR there, while `*(u32)EXPR` is what stands in memory. */
int task_expr_place(struct task *t, const char **p, uint64_t *ret, struct err *err);
/* The same, or FILE:LINE where that is one place. */
int task_place(struct task *t, const char **p, uint64_t *ret, struct err *err);
/* All of FROM to TO, within T's line, is one expression. */
int task_expr_to(struct task *t, const char *from, const char *to, uint64_t *ret, struct err *err);
/* The rest of the line at *P as a condition, to be evaluated later; *RET becomes the caller's. */
int task_condition(struct task *t, const char **p, char **ret, struct err *err);
/* Nothing but space may be left at P. */
int task_end(struct task *t, const char *p, struct err *err);
/* The next word at *P (*P moves behind it and the space after); length 0 at the end. */
const char *task_word(const char **p, size_t *ret_len);
/* NAME=EXPR at *P: moves behind the =, at EXPR; false: something else is there. */
bool task_option(const char **p, const char *name);
/* Whether WORD is TEXT. */
bool word_is(const char *word, size_t len, const char *text);
/* -EBUSY unless the guest is stopped. */
int task_need_stopped(struct task *t, struct err *err);

#endif
