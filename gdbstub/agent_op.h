/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The opcodes of agent expressions, and the formats of their printf: between agent.c, agent_eval.c and agent_print.c. */
#ifndef GV_GDBSTUB_AGENT_OP_H
#define GV_GDBSTUB_AGENT_OP_H

#include "gdbstub/agent.h"

enum agent_opcode {
	AX_ADD = 0x02, AX_SUB, AX_MUL, AX_DIV_S, AX_DIV_U, AX_REM_S, AX_REM_U, AX_LSH, AX_RSH_S, AX_RSH_U, AX_TRACE,
	AX_TRACE_QUICK, AX_LOG_NOT, AX_AND, AX_OR, AX_XOR, AX_NOT, AX_EQUAL, AX_LESS_S, AX_LESS_U, AX_EXT, AX_REF8,
	AX_REF16, AX_REF32, AX_REF64,
	AX_IF_GOTO = 0x20, AX_GOTO, AX_CONST8, AX_CONST16, AX_CONST32, AX_CONST64, AX_REG, AX_END, AX_DUP, AX_POP,
	AX_ZERO_EXT, AX_SWAP, AX_GETV, AX_SETV, AX_TRACEV, AX_TRACENZ, AX_TRACE16,
	AX_PICK = 0x32, AX_ROT, AX_PRINTF,
	AX_COUNT
};

/* printf's operands before its text: the number of arguments, and the text's length in two bytes. */
#define AGENT_PRINTF_HEAD 3
/* What printf takes off the stack before its arguments: a function to call and a channel, which mean nothing here. */
#define AGENT_PRINTF_EXTRA 2

static inline uint64_t agent_operand(const uint8_t *p, size_t bytes)
{
	uint64_t value = 0;

	while (bytes--)
		value = value << 8 | *p++;
	return value;
}

/*
 * FORMAT, LEN bytes with the zero that ends it, is a C source text: escapes are undone here.  -EINVAL: a conversion that is none of
 * d i u x X o c p s with h, l, ll, z, t, j; a width too large; or it wants another number than NARGS.
 */
int agent_format_check(const char *format, size_t len, unsigned nargs, struct err *err);

/* Prints ARGS, the first one first, by a FORMAT that was checked.  What ENV's memory says. */
int agent_format(const char *format, const uint64_t *args, const struct agent_env *env, struct err *err);

#endif
