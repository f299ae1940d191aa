/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The last EXIT_RECORDS exits of all vCPUs.  Noting one takes no lock, allocates nothing and makes no text, so that it
 * may be done for every exit.
 */
#ifndef GV_KVM_EXITLOG_H
#define GV_KVM_EXITLOG_H

#include "kvm/vcpu.h"

struct exitlog;

int exitlog_new(struct exitlog **ret, struct err *err);        /* -ENOMEM */
void exitlog_free(struct exitlog *x);           /* NULL is fine */

/*
 * Notes the exit in V's run page; RET is what KVM_RUN returned (-errno).  V's thread, right after KVM_RUN
 * (vcpu_enter()) and before the exit is handled: reads show no value yet.  Not for a KVM_RUN that only completes I/O
 * and came back with -EINTR.
 */
void exitlog_note(struct exitlog *x, const struct vcpu *v, int ret);

/* The INDEX-th exit, newest first; false past the end.  Every vCPU parked. */
bool exitlog_at(const struct exitlog *x, size_t index, struct exit_record *ret);

#endif
