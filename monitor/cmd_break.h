/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the commands about breakpoints, watchpoints and catchpoints share; their rows are in cmd_break.c. */
#ifndef GV_MONITOR_CMD_BREAK_H
#define GV_MONITOR_CMD_BREAK_H

#include "monitor/breaks.h"
#include "monitor/task.h"

/* What may follow a place. */
enum tail { TAIL_SPACE = 1 << 0, TAIL_CPU = 1 << 1, TAIL_EVERY = 1 << 2 };

/* The rest of the line at P: what of TAIL is there, and `if EXPR`.  Fills *WHAT; its condition becomes the caller's. */
int brk_parse_tail(struct task *t, const char *p, unsigned tail, struct brk *what, struct err *err);
/* Adds WHAT, whose condition is taken in any case, and has T's result say so. */
int brk_add(struct task *t, struct brk *what, struct err *err);

/* What and where K is: {"number", "type", "kind", "address", ...}. */
json_t *brk_data(struct machine *m, const struct brk *k);
/* The kind and place: "soft", "write", "port"; "0x1010 <main>", "0x3f8-0x3ff", "14 (pf)". */
void brk_render_place(const json_t *row, struct out *o);
/* " cpu 1 if $rax == 2": what else brk_data() says. */
void brk_render_extra(const json_t *row, struct out *o);
/* As a line of its own, for what has been set. */
void brk_render(const json_t *row, struct out *o);

/* -- catch, in cmd_catch.c -- */

int catch_exec(struct task *t, struct err *err);
void catch_render(const json_t *result, struct out *o);
/* "port", "exception", ... */
const char *catch_name(enum catch_kind kind);
/* "pf"; NULL: VECTOR has no name. */
const char *catch_vector_name(uint64_t vector);
/* A vector's number from its name, or as num_parse() takes it; false: WORD is neither. */
bool catch_vector_number(const char *word, size_t len, uint64_t *ret);

/* -- the list, in cmd_breaks.c -- */

int brk_delete_exec(struct task *t, struct err *err);
int brk_enable_exec(struct task *t, struct err *err);
int brk_disable_exec(struct task *t, struct err *err);
int brk_ignore_exec(struct task *t, struct err *err);
int brk_condition_exec(struct task *t, struct err *err);
int brk_commands_exec(struct task *t, struct err *err);
int brk_info_exec(struct task *t, struct err *err);
void brk_info_render(const json_t *result, struct out *o);

#endif
