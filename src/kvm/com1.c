/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kvm/com1.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define OUT_SIZE 65536
#define IN_SIZE  65536
/* One exit's worth a vCPU: KVM moves at most a page of string I/O at once. */
#define OUT_SLACK 4096

struct com1 {
	pthread_mutex_t lock;
	pthread_cond_t room;
	const atomic_bool *pause;
	void (*wake)(void *arg);
	void *arg;
	uint8_t *out;
	size_t out_len, out_cap;
	atomic_bool full;       /* more than OUT_SIZE waits: who adds to it is to wait */
	atomic_uint waiters;
	bool room_wanted;       /* com1_room() said that there is none */
	pthread_mutex_t in_lock;
	uint8_t in[IN_SIZE];
	size_t in_pos, in_len;
};

int com1_new(unsigned max_cpus, const atomic_bool *pause, void (*wake)(void *arg), void *arg, struct com1 **ret,
	     struct err *err)
{
	struct com1 *c = calloc(1, sizeof(*c));

	if (c) {
		c->out_cap = OUT_SIZE + (size_t)max_cpus * OUT_SLACK;
		c->out = malloc(c->out_cap);
	}
	if (!c || !c->out) {
		free(c);
		return err_set(err, ENOMEM, "out of memory");
	}
	pthread_mutex_init(&c->lock, NULL);
	pthread_mutex_init(&c->in_lock, NULL);
	pthread_cond_init(&c->room, NULL);
	c->pause = pause;
	c->wake = wake;
	c->arg = arg;
	*ret = c;
	return 0;
}

void com1_free(struct com1 *c)
{
	if (!c)
		return;
	pthread_mutex_destroy(&c->lock);
	pthread_mutex_destroy(&c->in_lock);
	pthread_cond_destroy(&c->room);
	free(c->out);
	free(c);
}

void com1_paused(struct com1 *c)
{
	if (!atomic_load(&c->waiters))
		return;
	pthread_mutex_lock(&c->lock);
	pthread_cond_broadcast(&c->room);
	pthread_mutex_unlock(&c->lock);
}

void com1_put(struct com1 *c, const uint8_t *data, size_t len)
{
	bool was_empty;

	pthread_mutex_lock(&c->lock);
	was_empty = !c->out_len;
	if (len > c->out_cap - c->out_len)
		len = c->out_cap - c->out_len;
	memcpy(c->out + c->out_len, data, len);
	c->out_len += len;
	atomic_store(&c->full, c->out_len > OUT_SIZE);
	pthread_mutex_unlock(&c->lock);
	if (was_empty && len)
		c->wake(c->arg);
}

bool com1_full(struct com1 *c)
{
	return atomic_load(&c->full);
}

void com1_throttle(struct com1 *c)
{
	pthread_mutex_lock(&c->lock);
	atomic_fetch_add(&c->waiters, 1);
	while (c->out_len > OUT_SIZE && !atomic_load(c->pause))
		pthread_cond_wait(&c->room, &c->lock);
	atomic_fetch_sub(&c->waiters, 1);
	pthread_mutex_unlock(&c->lock);
}

size_t com1_take(struct com1 *c, uint8_t *ret, size_t len)
{
	pthread_mutex_lock(&c->lock);
	if (len > c->out_len)
		len = c->out_len;
	memcpy(ret, c->out, len);
	memmove(c->out, c->out + len, c->out_len - len);
	c->out_len -= len;
	atomic_store(&c->full, c->out_len > OUT_SIZE);
	pthread_cond_broadcast(&c->room);
	pthread_mutex_unlock(&c->lock);
	return len;
}

size_t com1_room(struct com1 *c)
{
	size_t room;

	pthread_mutex_lock(&c->lock);
	room = c->out_len < OUT_SIZE ? OUT_SIZE - c->out_len : 0;
	if (!room)
		c->room_wanted = true;
	pthread_mutex_unlock(&c->lock);
	return room;
}

bool com1_room_came(struct com1 *c)
{
	bool came;

	pthread_mutex_lock(&c->lock);
	came = c->room_wanted && c->out_len < OUT_SIZE;
	if (came)
		c->room_wanted = false;
	pthread_mutex_unlock(&c->lock);
	return came;
}

int com1_queue(struct com1 *c, const uint8_t *data, size_t len, struct err *err)
{
	int r = 0;

	pthread_mutex_lock(&c->in_lock);
	if (len > IN_SIZE - c->in_len)
		r = err_set(err, ENOSPC, "the guest has not read what was sent before (%zu bytes wait)", c->in_len);
	for (size_t i = 0; !r && i < len; i++)
		c->in[(c->in_pos + c->in_len++) % IN_SIZE] = data[i];
	pthread_mutex_unlock(&c->in_lock);
	return r;
}

void com1_feed(struct com1 *c, size_t (*offer)(void *arg, const uint8_t *data, size_t len), void *arg)
{
	size_t n;

	pthread_mutex_lock(&c->in_lock);
	do {
		size_t run = IN_SIZE - c->in_pos < c->in_len ? IN_SIZE - c->in_pos : c->in_len;

		n = run ? offer(arg, c->in + c->in_pos, run) : 0;
		c->in_pos = (c->in_pos + n) % IN_SIZE;
		c->in_len -= n;
	} while (n);
	pthread_mutex_unlock(&c->in_lock);
}

void com1_reset(struct com1 *c)
{
	pthread_mutex_lock(&c->in_lock);
	c->in_pos = c->in_len = 0;
	pthread_mutex_unlock(&c->in_lock);
}
