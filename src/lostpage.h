/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Memory whose file is gone from under it: cut short by somebody, or on a disk without room for a hole that is
 * written.  Linux says so by SIGBUS at the access.  A page of zeros takes its place, and everything goes on; what is
 * written there is not in the file.
 */
#ifndef GV_LOSTPAGE_H
#define GV_LOSTPAGE_H

#include <stddef.h>
#include <uv.h>

#include "api/err.h"

struct lostpage;

/*
 * From now on lost pages are replaced, whichever thread finds them, and LOST is told on the loop's thread: how many
 * there were since it was told last.  One a process.  The loop is not kept alive by it.
 */
int lostpage_watch(uv_loop_t *loop, void (*lost)(void *arg, size_t pages), void *arg, struct err *err);
/* Nobody is told any more. */
void lostpage_unwatch(void);

#endif
