/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The monitor on a terminal: readline in callback mode, so that the loop never waits for a key.  What others print
 * appears above the prompt, and the half-typed line stays as it was.  readline's state is global: one a process.
 * Loop thread.
 */
#ifndef GV_MONITOR_TERM_H
#define GV_MONITOR_TERM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/err.h"

struct monitor;
struct task;
struct term;

/* Becomes mon->term and shows the prompt.  -EBUSY, -ENOMEM, -errno. */
int term_new(struct monitor *mon, struct err *err);
/* Restores the terminal and saves the history.  NULL is fine. */
void term_free(struct term *t);

/* Whole lines of the monitor's. */
void term_text(struct term *t, const char *text, size_t len);
/*
 * What the guest sent.  Colours pass, other control sequences do not: they would ruin the prompt.  In console
 * mode everything passes.
 */
void term_serial(struct term *t, const uint8_t *data, size_t len);

/* For `console`: until Ctrl-] the keyboard is COM1's; then TASK is finished.  -errno. */
int term_console(struct term *t, struct task *task, struct err *err);
bool term_raw(const struct term *t);

/* monitor_let_go(), monitor_take_up() */
void term_let_go(struct term *t);
void term_take_up(struct term *t);

#endif
