/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The monitor's inside, for its own files. */
#ifndef GV_MONITOR_CORE_H
#define GV_MONITOR_CORE_H

#include "monitor/breaks.h"
#include "monitor/monitor.h"
#include "monitor/sharedout.h"
#include "monitor/task.h"
#include "monitor/window.h"

struct heat;
struct listener;
struct pipe_client;
struct term;

struct monitor {
	uv_loop_t *loop;
	struct machine *m;
	struct monitor_events ev;
	bool json;
	struct observer observer;
	struct session *sessions;
	struct task *tasks;             /* those that wait */
	struct breaks breaks;
	uint64_t slide;                 /* of the symbols, as the breakpoints know it */
	json_t *hit;                    /* what of the last stop was whose; NULL: nothing */
	struct out everyone;            /* all who are told of stops */
	unsigned hooks;                 /* breakpoints' commands that run */
	unsigned gdbs;                  /* gdb clients that are attached */
	bool resuming, ours;            /* a resume by a command has not been heard of yet; the last one was by a command */
	bool stop_asked;                /* by a command; nothing has stopped yet */
	struct window window;           /* serial output that expect has not taken yet */
	struct sharedout shared;        /* standard output */

	struct commander commander;
	struct session gdb;
	struct term *term;
	struct pipe_client *pipe;
	struct listener *listener;
	struct script *scripts;         /* all that run */
	struct heat *heats;             /* of `dirty heat`, a slot each */
	struct script *run;             /* the command line's -x and -e; NULL: none */

	uv_idle_t idle;                 /* active when there is something to do at once */
	uv_timer_t timer;               /* the next deadline of a task */
	unsigned handles;               /* idle, timer: open ones */
	bool quit, quit_told;
};

static inline struct machine *task_machine(const struct task *t)
{
	return t->s->mon->m;
}

/* Makes the loop come round to the tasks and scripts that can go on. */
void monitor_kick(struct monitor *mon);
/* Sets the timer to the earliest deadline. */
void monitor_set_timer(struct monitor *mon);
/* The program is to end: tells the caller, from the loop. */
void monitor_quit(struct monitor *mon);

#endif
