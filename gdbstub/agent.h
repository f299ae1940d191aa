/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Agent expressions: what a client sends to be evaluated where the guest is (gdb manual, appendix "The GDB Agent Expression
 * Mechanism").  A stack machine of 64-bit integers; operands in the code are big-endian.  Code is verified once, when it
 * comes, so that evaluating it needs no checks but those of what the guest has.
 *
 * Nothing here allocates, locks or keeps anything: any thread.
 */
#ifndef GV_GDBSTUB_AGENT_H
#define GV_GDBSTUB_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/err.h"

#define AGENT_CODE_MAX  4096    /* bytes of an expression */
#define AGENT_STACK_MAX 64      /* values on the stack */
#define AGENT_STEPS_MAX 100000  /* instructions that one evaluation may take */
#define AGENT_PRINT_MAX 1024    /* bytes that one printf makes; what is longer is cut */

/* What an expression is evaluated in.  Functions answer 0 or a -errno with a line in ERR, which ends the evaluation. */
struct agent_env {
	void *arg;
	/* A register by the number the client knows it by. */
	int (*reg)(void *arg, unsigned num, uint64_t *ret, struct err *err);
	/* LEN bytes of guest memory, all of them. */
	int (*mem)(void *arg, uint64_t gva, void *ret, size_t len, struct err *err);
	/* A trace state variable. */
	int (*var_get)(void *arg, unsigned num, uint64_t *ret, struct err *err);
	int (*var_set)(void *arg, unsigned num, uint64_t value, struct err *err);
	/* What a printf made, whole. */
	void (*print)(void *arg, const char *text, size_t len);
};

/*
 * Whether CODE may be evaluated: known opcodes with their operands, jumps to instructions, a stack that is as deep by whatever way
 * an instruction is reached and never too short or too deep, no way past the last byte, formats that fit their arguments.  VALUE: it
 * must leave one too, as a condition does.  Opcodes that record for tracepoints, and those of floating-point numbers, are
 * refused.  -EINVAL, -E2BIG.
 */
int agent_verify(const uint8_t *code, size_t len, bool value, struct err *err);

/*
 * Evaluates CODE, which agent_verify() has passed; *RET, which may be NULL, is the value on top, or 0 when none is left.  -EDOM:
 * a division by zero; -ELOOP: too many steps; or what ENV said.  What was printed and set before an error stays so.
 */
int agent_eval(const uint8_t *code, size_t len, const struct agent_env *env, uint64_t *ret, struct err *err);

#endif
