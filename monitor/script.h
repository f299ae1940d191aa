/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Scripts: files of commands, run line by line; a line that waits holds up only its script.  It stops at the first
 * line that fails.  With `plan N` it prints TAP: each assert and expect is a test point, all else a diagnostic.
 * Loop thread.
 */
#ifndef GV_MONITOR_SCRIPT_H
#define GV_MONITOR_SCRIPT_H

#include <stdbool.h>

#include "api/err.h"
#include "api/out.h"

struct monitor;
struct script;

/* The exit statuses of cli.md. */
enum script_status { SCRIPT_OK = 0, SCRIPT_USAGE = 64, SCRIPT_INPUT = 66, SCRIPT_FAILED = 72 };

/* S has ended with STATUS; MESSAGE is "FILE:LINE: ..." or "" when all was well.  S goes when this returns. */
typedef void script_done_fn(void *arg, struct script *s, int status, const char *message);

/*
 * An empty script whose output goes to OUT.  FROM_GDB: gdb started it.  NOTICES: it shows stops.  It begins to run
 * from the loop and ends by DONE, which is not called by script_free().  -ENOMEM.
 */
int script_new(struct monitor *mon, struct out *out, bool from_gdb, bool notices, script_done_fn *done, void *arg,
	       struct script **ret, struct err *err);
void script_free(struct script *s);

/* Adds what is to run after all that S has to run.  -errno: the file cannot be opened, -ENOMEM. */
int script_add_file(struct script *s, const char *file, struct err *err);
int script_add_command(struct script *s, const char *cmd, struct err *err);
/* Adds the lines of TEXT; NAME stands for a file's name in messages. */
int script_add_text(struct script *s, const char *name, const char *text, struct err *err);
/* Has S run even if nothing was added: it ends at once then. */
void script_start(struct script *s);
/* Puts FILE before the rest of S.  -ELOOP: nested too deeply. */
int script_push_file(struct script *s, const char *file, struct err *err);

/* `plan`: N test points.  -EEXIST: S has a plan. */
int script_plan(struct script *s, unsigned n, struct err *err);
bool script_prints_tap(const struct script *s);
/* `quit`: S ends with STATUS after the line that runs. */
void script_quit(struct script *s, int status);
/* Whether S came from the command line, so that its end may be the program's. */
bool script_is_run(const struct script *s);
/* Where S's output goes: as diagnostics when it prints TAP. */
struct out *script_out(struct script *s);

/* From the loop: scripts that can go on do. */
void script_pump(struct monitor *mon);

#endif
