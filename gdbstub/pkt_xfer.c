/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * qXfer: documents read in pieces.  A document is made when it is read at offset 0 and stays so until then again,
 * so that the pieces fit together; for the target description that is when the register layout may change.
 */
#include "gdbstub/internal.h"

#include <errno.h>

#include "gdbstub/memmap.h"
#include "gdbstub/nonstop.h"

/* The reply's letter, and room for each byte to be escaped. */
#define PIECE_MAX ((SESSION_PACKET_SIZE - 1) / 2)

static void make_target(struct session *s, struct out *o)
{
	s->tdesc = tdesc_choose(s->machine, s->cpu, &s->wish);
	tdesc_write_target(s->machine, &s->tdesc, o);
}

static void make_threads(struct session *s, struct out *o)
{
	bool held;

	if (s->detached) {
		out_puts(o, "<?xml version=\"1.0\"?>\n<threads>\n</threads>\n");
		return;
	}
	held = nonstop_look(s);
	tdesc_write_threads(s->machine, s->multiprocess ? "p1." : "", o);
	if (held)
		machine_release(s->machine);
}

static void make_exec(struct session *s, struct out *o)
{
	out_puts(o, machine_info(s->machine)->exec_file);
}

static void make_map(struct session *s, struct out *o)
{
	memmap_write(s->machine, o);
}

static const struct {
	const char *annex;              /* NULL: any (a process id: there is one process) */
	void (*make)(struct session *s, struct out *o);
} docs[XFER_COUNT] = {
	[XFER_TARGET] = { "target.xml", make_target },
	[XFER_THREADS] = { "", make_threads },
	[XFER_EXEC] = { NULL, make_exec },
	[XFER_MAP] = { "", make_map },
};

/* ":ANNEX:OFFSET,LENGTH" */
static int read_doc(struct session *s, enum xfer_doc which, struct cursor *args)
{
	struct out_buf *doc = &s->doc[which];
	struct cursor annex;
	uint64_t offset, len;

	if (!cursor_byte(args, ':'))
		return -EINVAL;
	annex = cursor_field(args, ':');
	if (!cursor_byte(args, ':') || !cursor_number(args, &offset) || !cursor_byte(args, ',') ||
	    !cursor_number(args, &len) || !cursor_end(args))
		return -EINVAL;
	if (docs[which].annex && !cursor_is(&annex, docs[which].annex))
		return -ENOENT;
	if (offset == 0) {
		out_buf_done(doc);
		docs[which].make(s, &doc->out);
	}
	if (doc->failed)
		return -ENOMEM;
	if (offset > doc->len)
		return -EINVAL;
	if (len > PIECE_MAX)
		len = PIECE_MAX;
	if (len > doc->len - offset)
		len = doc->len - offset;
	reply_text(&s->reply, offset + len < doc->len ? "m" : "l");
	if (len)
		reply_escaped(&s->reply, doc->text + offset, len);
	return PACKET_REPLY;
}

int pkt_xfer_target(struct session *s, struct cursor *args)
{
	return read_doc(s, XFER_TARGET, args);
}

int pkt_xfer_threads(struct session *s, struct cursor *args)
{
	return read_doc(s, XFER_THREADS, args);
}

int pkt_xfer_exec(struct session *s, struct cursor *args)
{
	return machine_info(s->machine)->exec_file ? read_doc(s, XFER_EXEC, args) : -ENOENT;
}

int pkt_xfer_map(struct session *s, struct cursor *args)
{
	return read_doc(s, XFER_MAP, args);
}
