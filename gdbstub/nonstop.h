/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Non-stop mode (gdb manual, "Remote Non-Stop"): each vCPU stops by itself and is told of by a notification, of which one at a
 * time is on its way.  The machine beneath is all-stop: what stops for one vCPU's sake goes on at once, with those that the
 * client has stopped parked.
 */
#ifndef GV_GDBSTUB_NONSTOP_H
#define GV_GDBSTUB_NONSTOP_H

#include <stdbool.h>

#include "api/machine.h"

struct nonstop;
struct session;

/* What vCont asks of a vCPU. */
struct nonstop_wish {
	bool wanted;            /* an action names it; else the rest is not used */
	struct run_action act;  /* ACT_STAY: it is to stop ("t") */
};

/* Goes over to non-stop mode; the vCPUs are stopped or running for the client as the machine is.  -ENOMEM. */
int nonstop_begin(struct session *s);
/* Back to all-stop: what is still running is asked to stop, silently.  No-op without a nonstop_begin(). */
void nonstop_end(struct session *s);
/* Gives up what nonstop_begin() made, and lets go of the machine; nothing is stopped or resumed. */
void nonstop_free(struct session *s);

/* Every vCPU is for the client as the machine has it now, and what has not been told is forgotten. */
void nonstop_quiet(struct session *s);

/*
 * `?`: replies with one of the stopped vCPUs, OK when there is none.  The others are notified of as soon as that is heard: gdb 13
 * dies of an internal error when it finds more than one at the start.
 */
int nonstop_status(struct session *s);
/* Whether vStopped is to come. */
bool nonstop_told(const struct session *s);
/* vStopped: what was told has been heard.  Replies with the next stop or OK. */
int nonstop_next(struct session *s);
/* vCont, a wish a vCPU.  A vCPU that runs takes "t" only.  Replies OK; on failure nothing has changed. */
int nonstop_resume(struct session *s, const struct nonstop_wish *wish);
/* Stops a vCPU that runs, with a SIGINT; no-op when none does.  REPLY: this answers a packet, by OK. */
int nonstop_interrupt(struct session *s, bool reply);

/*
 * In non-stop mode what a vCPU is doing can be asked while others run: whether the machine is held now, to be released by the
 * caller.
 */
bool nonstop_look(struct session *s);

/* The observer's side: a stop of the machine; somebody has resumed it. */
void nonstop_stopped(struct session *s, const struct stop_event *ev);
void nonstop_resumed(struct session *s);

#endif
