/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Errors: every fallible function returns 0 or -errno and describes the failure in the caller's buffer. */
#ifndef GV_API_ERR_H
#define GV_API_ERR_H

struct err {
	int code;       /* positive errno value of the failure, 0 when none */
	char msg[240];  /* one line, printable as it stands, no newline */
};

/*
 * Describes a failure in *E (which may be NULL) and returns -CODE, so that a caller writes
 * `return err_set(err, EINVAL, "...")`.  CODE is a positive errno value.  Control characters in the
 * formatted text become '?', so that what a guest or a file supplied cannot disturb a terminal.
 * Any thread, on an E of its own.
 */
int err_set(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* As err_set(), with ": strerror(CODE)" appended. */
int err_errno(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Puts "PREFIX: " before the text in *E (NULL is fine) and returns CODE unchanged (a -errno). */
int err_prefix(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
