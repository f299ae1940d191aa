/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The monitor's expressions: C's operators and precedence on unsigned 64-bit numbers.
 *
 *   numbers     31744 0x7c00 4K 'a' '\n'
 *   names       $rax $pc (registers)  main  .text.start (symbols)
 *   memory      *EXPR (64 bits)  *(u8)EXPR *(u16)EXPR *(u32)EXPR *(u64)EXPR
 *   operators   ?: || && | ^ & == != < <= > >= << >> + - * / % unary - + ~ ! and parentheses
 *
 * Comparisons, / % and >> are unsigned; a shift by 64 or more gives 0.  As in C, the side of && || ?: that does
 * not count is not evaluated, so it may hold an address that cannot be read.
 */
#ifndef GV_MONITOR_EXPR_H
#define GV_MONITOR_EXPR_H

#include <stddef.h>
#include <stdint.h>

#include "api/err.h"

/* Where names and memory come from.  Each returns 0 or -errno with ERR set. */
struct expr_env {
	void *arg;
	int (*reg)(void *arg, const char *name, size_t len, uint64_t *ret, struct err *err);
	int (*sym)(void *arg, const char *name, size_t len, uint64_t *ret, struct err *err);
	/* SIZE bytes (1, 2, 4 or 8) at virtual address GVA, little-endian. */
	int (*mem)(void *arg, uint64_t gva, unsigned size, uint64_t *ret, struct err *err);
};

/*
 * Evaluates the expression that begins at TEXT (LEN bytes, need not be NUL-terminated).  With RET_USED it may be
 * followed by something else: the longest expression is taken and *RET_USED is where it ends; with RET_USED NULL
 * the whole text has to be one.  COLUMN is the number of TEXT's first character in the line it comes from, for
 * messages.  -EINVAL: malformed; any other code: well formed, but it has no value (-ENOENT unknown name, -EDOM
 * division by zero, what the environment answered).  Any thread.
 */
int expr_eval(const char *text, size_t len, size_t column, const struct expr_env *env, size_t *ret_used,
	      uint64_t *ret, struct err *err);

/*
 * Reads the whole of TEXT as an expression without evaluating it: no memory is read, and every name is looked up
 * (both sides of && and the like), its value not used.  Errors as above.  Any thread.
 */
int expr_check(const char *text, size_t len, size_t column, const struct expr_env *env, struct err *err);

#endif
