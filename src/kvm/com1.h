/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The bytes between the guest's COM1 (served on vCPU threads) and the loop thread: two bounded queues.  The guest waits when
 * nobody takes its output, but never past a pause, so that a stop is always possible.
 */
#ifndef GV_KVM_COM1_H
#define GV_KVM_COM1_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/err.h"

struct com1;

/*
 * WAKE is called on a vCPU thread when output arrives in an empty queue.  PAUSE ends a vCPU's wait for room; whoever sets it
 * calls com1_paused().  MAX_CPUS bounds what may be added past the limit during a pause.
 */
int com1_new(unsigned max_cpus, const atomic_bool *pause, void (*wake)(void *arg), void *arg, struct com1 **ret,
	     struct err *err);
void com1_free(struct com1 *c);                 /* NULL is fine */
void com1_paused(struct com1 *c);

/* Output: vCPU threads put, the loop thread takes at most LEN bytes; returns how many. */
void com1_put(struct com1 *c, const uint8_t *data, size_t len);
/* Whether too much output is queued.  Any thread. */
bool com1_full(struct com1 *c);
/* Waits while it is; a vCPU thread calls it after each port access, with no lock held. */
void com1_throttle(struct com1 *c);
size_t com1_take(struct com1 *c, uint8_t *ret, size_t len);
/* How much may be put without being too much; who is told 0 is to come again when com1_room_came(). */
size_t com1_room(struct com1 *c);
/* Whether somebody was told that there is no room, and there is some now: once.  Loop thread. */
bool com1_room_came(struct com1 *c);

/* Input: the loop thread queues all or nothing (-ENOSPC). */
int com1_queue(struct com1 *c, const uint8_t *data, size_t len, struct err *err);
/* Offers what is queued to OFFER, which returns how many bytes it took, until it takes none.  Any thread, one at a time. */
void com1_feed(struct com1 *c, size_t (*offer)(void *arg, const uint8_t *data, size_t len), void *arg);
/* Forgets queued input, for a reset. */
void com1_reset(struct com1 *c);

#endif
