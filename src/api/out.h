/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where text for a person goes: a terminal, a gdb client's console, a log, a buffer.  Handlers never print. */
#ifndef GV_API_OUT_H
#define GV_API_OUT_H

#include <stdbool.h>
#include <stddef.h>

struct out {
	/* Takes LEN bytes of TEXT; never fails: a sink that cannot keep up or has gone drops them. */
	void (*write)(struct out *o, const char *text, size_t len);
};

void out_write(struct out *o, const char *text, size_t len);
void out_puts(struct out *o, const char *text);
void out_printf(struct out *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A sink that collects into memory.  `text` is always NUL-terminated once anything was written. */
struct out_buf {
	struct out out;
	char *text;     /* owned; NULL while empty */
	size_t len, cap;
	bool failed;    /* memory ran out; what did fit is in text */
};

void out_buf_init(struct out_buf *b);
void out_buf_done(struct out_buf *b);

#endif
