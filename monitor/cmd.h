/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The command table.  A command is one row; help, usage, completion and dispatch come from it.  Rows stand next to
 * their handlers in cmd_*.c, and cmd.c lists those arrays.
 */
#ifndef GV_MONITOR_CMD_H
#define GV_MONITOR_CMD_H

#include <jansson.h>
#include <stddef.h>

#include "api/err.h"
#include "api/out.h"

struct task;

enum cmd_flags {
	CMD_PARKED = 1 << 0,    /* needs parked vCPUs: runs between machine_hold() and machine_release() */
	CMD_RUN = 1 << 1,       /* run control: refused from gdb, which has its own */
	CMD_REPEAT = 1 << 2,    /* an empty line repeats it */
	CMD_FORMAT = 1 << 3,    /* takes /NFU; repeated without arguments, it goes on where it ended */
	CMD_TEXT = 1 << 4,      /* its argument is text: no comment and no -j in it */
	CMD_SCRIPT = 1 << 5,    /* in scripts only */
	CMD_TERMINAL = 1 << 6,  /* at the terminal only */
	CMD_GOES_ON = 1 << 8,   /* repeated without arguments, it goes on where it ended */
	CMD_POINT = 1 << 7,     /* a test point under `plan` */
};

/* What its arguments are, for completion. */
enum cmd_complete {
	COMPLETE_NONE, COMPLETE_EXPR, COMPLETE_REGS, COMPLETE_FILE, COMPLETE_COMMAND, COMPLETE_SLOT, COMPLETE_DEVICE,
	COMPLETE_WORDS,         /* the first one: a word of its usage */
};

/* From exec: the task goes on; task_finish() will end it. */
#define CMD_WAITING 1

struct cmd {
	const char *name;       /* one word, or two: "info slots" */
	const char *alias;      /* another name of one word, or NULL */
	const char *args;       /* what follows the name in its usage; "" when nothing may */
	const char *brief;      /* one line, no full stop */
	const char *help;       /* more, lines without final newline; NULL: brief says it all */
	unsigned flags;
	enum cmd_complete complete;
	/* Fills task->result.  0, CMD_WAITING, or -errno with ERR set; a result then is what was got before. */
	int (*exec)(struct task *t, struct err *err);
	/* The result as text; NULL: it has none. */
	void (*render)(const json_t *result, struct out *o);
};

struct cmd_group {
	const char *title;
	const struct cmd *rows;
	size_t count;
};

extern const struct cmd_group cmd_run_group, cmd_inspect_group, cmd_info_group, cmd_change_group, cmd_break_group,
	cmd_engine_group, cmd_stack_group, cmd_devices_group, cmd_slot_group, cmd_dirty_group,
	cmd_symbols_group, cmd_kernel_group, cmd_session_group;

/* The INDEX-th group, the architecture's among them; NULL past the end. */
const struct cmd_group *cmd_group_at(size_t index);

/* The INDEX-th row of all groups; NULL past the end. */
const struct cmd *cmd_at(size_t index);

/* What C says of itself, in the architecture's words where it has some; NULL help: brief says it all. */
const char *cmd_args(const struct cmd *c);
const char *cmd_brief(const struct cmd *c);
const char *cmd_help(const struct cmd *c);

/*
 * Finds the command that LINE (LEN bytes, no leading space) begins with: an exact name or alias, or the only one
 * with that prefix, word by word.  *RET_USED is where its name ends.  -ENOENT: there is none; -ENOTUNIQ: there
 * are several, which ERR names.
 */
int cmd_find(const char *line, size_t len, size_t *ret_used, const struct cmd **ret, struct err *err);

/* What WORD (*LEN bytes) stands for whatever else begins so: gdb's "i" is "info". */
const char *cmd_family_word(const char *word, size_t *len);

/* Where the first word of LINE ends: at white space or a slash. */
size_t cmd_word(const char *line, size_t len);

#endif
