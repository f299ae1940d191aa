/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A client of the remote protocol that is fast enough not to be what is measured ("Overview" and "Packets" of gdb's
 * manual, appendix E).  It undoes run-length encoding, checks every checksum, and uses what the stub offers.
 * Whatever goes wrong ends the program, with a line on standard error and status 2: nothing is worth measuring then.
 */
#ifndef GV_BENCH_RSP_H
#define GV_BENCH_RSP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RSP_CTRL_C 0x03

struct rsp {
	int fd;
	size_t packet_size;     /* the stub's, in bytes; 400 where it does not say */
	bool no_ack;            /* neither side acknowledges */
	bool binary;            /* the stub knows x */
	bool conditions;        /* and conditions of breakpoints */
	unsigned asked_again;   /* packets that came damaged and were sent again */
	uint8_t *in;            /* what has come: from AT to END */
	size_t at, end;
	uint8_t *text;          /* a reply whose encoding was undone */
};

/* Sets up R for FD, a stream socket; says nothing to the stub yet. */
void rsp_open(struct rsp *r, int fd);
void rsp_close(struct rsp *r);
/* A socket to ADDRESS, "unix:PATH" or "tcp:HOST:PORT"; -1 with errno when it cannot connect. */
int rsp_connect(const char *address);
/* Agrees on features: qSupported, and no acknowledgements where offered. */
void rsp_hello(struct rsp *r);
void rsp_send(struct rsp *r, const char *packet);
/* One byte that is no packet. */
void rsp_byte(struct rsp *r, uint8_t byte);
/*
 * The next packet's payload, run lengths undone, escapes not, with a 0 behind; good until the next call.  RET_LEN
 * may be NULL.
 */
const char *rsp_receive(struct rsp *r, size_t *ret_len);
/* Both, passing over console output. */
const char *rsp_ask(struct rsp *r, const char *packet, size_t *ret_len);
/* The same for what is answered by a stop; dies of any other answer. */
const char *rsp_stop(struct rsp *r, const char *packet);
/* Dies of an answer other than OK. */
void rsp_ok(struct rsp *r, const char *packet);

/* Bytes of LEN digits at TEXT, at most SIZE; what is no digit ends them. */
size_t rsp_unhex(const char *text, size_t len, uint8_t *to, size_t size);
/* LEN bytes at TEXT without escapes, at most SIZE. */
size_t rsp_unescape(const char *text, size_t len, uint8_t *to, size_t size);

/* Prints "bench: ..." and ends the program with status 2. */
void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif
