/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The addresses that --gdb, --monitor and --serial take. */
#ifndef GV_UTIL_ADDR_H
#define GV_UTIL_ADDR_H

#include <stdbool.h>
#include <stdint.h>

#include "api/err.h"

/* A bit each, so that a set of them says what an option allows. */
enum addr_kind {
	ADDR_NONE = 1 << 0,
	ADDR_STDIO = 1 << 1,
	ADDR_UNIX = 1 << 2,             /* a unix socket at path */
	ADDR_TCP = 1 << 3,              /* host and port */
	ADDR_FILE = 1 << 4,             /* a file at path */
	ADDR_PTY = 1 << 5,
};

/* What each option takes. */
#define ADDR_FOR_GDB            (ADDR_UNIX | ADDR_TCP | ADDR_STDIO | ADDR_NONE)
#define ADDR_FOR_MONITOR        (ADDR_UNIX | ADDR_STDIO | ADDR_NONE)
#define ADDR_FOR_SERIAL         (ADDR_UNIX | ADDR_FILE | ADDR_STDIO | ADDR_PTY | ADDR_NONE)

struct addr {
	enum addr_kind kind;
	char *path;                     /* owned; NULL where the kind has none */
	char *host;                     /* owned; a name or a number, an IPv6 one without brackets */
	uint16_t port;                  /* 0: any free one */
	bool exposed;                   /* host is not this machine's loopback: others can reach it */
};

/*
 * Reads TEXT as an address of one of the kinds in the set KINDS.  Where they allow TCP, a bare port or ":PORT" is
 * 127.0.0.1's; where they allow a unix socket but no file, so is an absolute path.  -EINVAL: none of them;
 * -ENAMETOOLONG: more than a unix socket's name holds; -ENOMEM.  Looks nothing up.
 */
int addr_parse(const char *text, unsigned kinds, struct addr *ret, struct err *err);
/* Frees what *A owns and zeroes it. */
void addr_done(struct addr *a);

#endif
