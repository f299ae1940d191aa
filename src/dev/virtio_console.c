/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The console (virtio 1.2, 5.3) with its first port alone.  What it sends waits in the driver's buffer while the host
 * has no room; what comes for it waits in a queue of its own until the driver gives a buffer.
 */
#include "dev/virtio_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RECEIVE, TRANSMIT, QUEUES };

#define INPUT_BYTES     4096u
#define PIECE           1024u
#define PIECES_A_RUN    64u             /* of output, then the rest is left for a timer */

struct console_state {
	uint8_t sends;                  /* 0 or 1: `out` is under way, up to `pos` */
	uint64_t pos;
	struct vq_chain out;
	uint8_t open;                   /* 0 or 1: the driver has given a buffer to receive */
	uint16_t input_len;
	uint8_t input[INPUT_BYTES];     /* oldest first; 0 beyond input_len */
};

struct console {
	struct virtio v;                /* first */
	struct console_state s;
	struct console_state loaded;    /* between load() and take() */
};

static const uint8_t config[12];        /* cols, rows, max_nr_ports, emerg_wr: none of them is offered */

static struct console *of(struct virtio *v)
{
	return (struct console *)v;
}

/* One piece of the buffer that is being sent.  False: the host has no room, or the device has stopped. */
static bool send_piece(struct console *c)
{
	const struct dev_host *host = c->v.pci.dev.host;
	struct console_state *s = &c->s;
	uint64_t n = s->out.read_bytes - s->pos;
	uint8_t data[PIECE];
	size_t room;

	if (n) {
		room = host->output_room(host->arg);
		n = n < room ? n : room;
		n = n < PIECE ? n : PIECE;
		if (!n || !virtio_copy(&c->v, TRANSMIT, &s->out, s->pos, data, (size_t)n, false))
			return false;
		host->output(host->arg, data, (size_t)n);
		s->pos += n;
	}
	if (s->pos == s->out.read_bytes) {
		s->sends = 0;
		s->pos = 0;
		virtio_push(&c->v, TRANSMIT, s->out.head, 0);
	}
	return true;
}

static void transmit(struct console *c)
{
	unsigned n;

	for (n = 0; n < PIECES_A_RUN; n++) {
		if (!c->s.sends) {
			if (!virtio_pop(&c->v, TRANSMIT, &c->s.out))
				break;
			c->s.sends = 1;
			c->s.pos = 0;
		}
		if (!send_piece(c))
			break;
	}
	virtio_flush(&c->v, TRANSMIT);
	if (n == PIECES_A_RUN)
		virtio_later(&c->v);
}

static void drop_input(struct console_state *s, size_t n)
{
	s->input_len = (uint16_t)(s->input_len - n);
	memmove(s->input, s->input + n, s->input_len);
	memset(s->input + s->input_len, 0, INPUT_BYTES - s->input_len);
}

static void receive(struct console *c)
{
	const struct dev_host *host = c->v.pci.dev.host;
	struct console_state *s = &c->s;
	bool wants = false;
	struct vq_chain in;
	unsigned turns = 0;
	size_t n;

	/* What waits for the other line is this one's from now on. */
	if (!s->open && virtio_peek(&c->v, RECEIVE))
		s->open = wants = true;
	while (s->input_len && turns++ < VIRTIO_BATCH && virtio_pop(&c->v, RECEIVE, &in)) {
		if (!in.write_bytes) {
			virtio_break(&c->v, "queue 0: descriptor %u has no room to write to", in.head);
			return;
		}
		n = in.write_bytes < s->input_len ? (size_t)in.write_bytes : s->input_len;
		if (!virtio_copy(&c->v, RECEIVE, &in, 0, s->input, n, true))
			return;
		virtio_push(&c->v, RECEIVE, in.head, n);
		drop_input(s, n);
		wants = true;
	}
	virtio_flush(&c->v, RECEIVE);
	if (turns > VIRTIO_BATCH)
		virtio_later(&c->v);
	if (wants)
		host->input_wanted(host->arg);
}

static void run(struct virtio *v)
{
	receive(of(v));
	transmit(of(v));
}

static void reset(struct virtio *v, bool machine)
{
	(void)machine;
	memset(&of(v)->s, 0, sizeof(of(v)->s));
}

static const struct dev_field fields[] = {
	DEV_FIELD(struct console_state, sends, 1),
	DEV_FIELD(struct console_state, pos, UINT64_MAX),
	DEV_FIELD(struct console_state, open, 1),
	DEV_FIELD(struct console_state, input_len, INPUT_BYTES),
};

#define NFIELDS (sizeof(fields) / sizeof(fields[0]))

static int save(const struct virtio *v, struct dev_buf *b)
{
	const struct console_state *s = &((const struct console *)v)->s;
	int r = dev_fields_save(s, fields, NFIELDS, b);

	for (unsigned i = 0; r == 0 && i < s->input_len; i++)
		r = dev_put(b, s->input[i], 1);
	return r == 0 && s->sends ? vq_chain_save(&s->out, b) : r;
}

static int load(struct virtio *v, struct dev_buf *b, struct err *err)
{
	struct console_state *s = &of(v)->loaded;
	uint64_t byte = 0;
	int r;

	memset(s, 0, sizeof(*s));
	r = dev_fields_load(s, fields, NFIELDS, b, v->name, err);
	for (unsigned i = 0; r == 0 && i < s->input_len; i++) {
		if (dev_get(b, 1, &byte) < 0)
			return err_set(err, EINVAL, "%s: its saved state is truncated", v->name);
		s->input[i] = (uint8_t)byte;
	}
	if (r == 0 && s->sends)
		r = vq_chain_load(&s->out, b, v->name, err);
	if (r == 0 && s->pos > s->out.read_bytes)
		r = err_set(err, EINVAL, "%s: its saved state contradicts itself", v->name);
	return r;
}

static void take(struct virtio *v)
{
	of(v)->s = of(v)->loaded;
}

static void drop(struct virtio *v)
{
	(void)v;
}

static void show(const struct virtio *v, const struct dev_show *sh)
{
	const struct console_state *s = &((const struct console *)v)->s;

	sh->reg(sh->arg, "input", 16, s->input_len, s->open ? "bytes wait" : "closed");
	sh->reg(sh->arg, "sent", 64, s->pos, s->sends ? "bytes of a buffer" : "no buffer");
}

static const struct virtio_type console_type = {
	.id = 3,
	.class_code = 0x078000,
	.what = "console, virtio",
	.pci_name = "Virtio console",
	.nqueues = QUEUES,
	.run = run,
	.reset = reset,
	.save = save,
	.load = load,
	.take = take,
	.drop = drop,
	.show = show,
};

int virtio_console_attach(struct pci_bus *pci, struct device **ret, struct err *err)
{
	struct console *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return err_set(err, ENOMEM, "no memory for the console");
	c->v.type = &console_type;
	c->v.config = config;
	c->v.config_len = sizeof(config);
	snprintf(c->v.name, sizeof(c->v.name), "virtio-console");
	r = virtio_attach(pci, &c->v, VIRTIO_SLOT_CONSOLE, err);
	if (r == 0)
		*ret = &c->v.pci.dev;
	return r;
}

bool virtio_console_input(struct bus *b, struct device *console, const uint8_t *data, size_t len, size_t *ret_taken)
{
	struct console *c = (struct console *)console;
	struct console_state *s = &c->s;
	bool open;

	bus_lock(b);
	open = s->open && virtio_is_running(&c->v);
	if (open) {
		if (len > INPUT_BYTES - s->input_len)
			len = INPUT_BYTES - s->input_len;
		memcpy(s->input + s->input_len, data, len);
		s->input_len = (uint16_t)(s->input_len + len);
		*ret_taken = len;
		/* Guest memory is not for this thread: it gets there by bus_poll(). */
		console->host->wake(console->host->arg);
	}
	bus_unlock(b);
	return open;
}
