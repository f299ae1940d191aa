/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "gdbstub/agent.h"

#include <errno.h>
#include <string.h>

#include "gdbstub/agent_op.h"

struct op {
	const char *name;       /* NULL: there is none */
	uint8_t operand;        /* bytes that follow the opcode */
	uint8_t pops, pushes;
	const char *refused;    /* why it is not taken */
};

#define TRACING "records for a tracepoint"
#define FLOATS  "is of floating-point numbers"

static const struct op ops[AX_COUNT] = {
	[0x01] = { "float", 0, 0, 0, FLOATS },
	[AX_ADD] = { "add", 0, 2, 1, NULL },
	[AX_SUB] = { "sub", 0, 2, 1, NULL },
	[AX_MUL] = { "mul", 0, 2, 1, NULL },
	[AX_DIV_S] = { "div_signed", 0, 2, 1, NULL },
	[AX_DIV_U] = { "div_unsigned", 0, 2, 1, NULL },
	[AX_REM_S] = { "rem_signed", 0, 2, 1, NULL },
	[AX_REM_U] = { "rem_unsigned", 0, 2, 1, NULL },
	[AX_LSH] = { "lsh", 0, 2, 1, NULL },
	[AX_RSH_S] = { "rsh_signed", 0, 2, 1, NULL },
	[AX_RSH_U] = { "rsh_unsigned", 0, 2, 1, NULL },
	[AX_TRACE] = { "trace", 0, 2, 0, TRACING },
	[AX_TRACE_QUICK] = { "trace_quick", 1, 1, 1, TRACING },
	[AX_LOG_NOT] = { "log_not", 0, 1, 1, NULL },
	[AX_AND] = { "bit_and", 0, 2, 1, NULL },
	[AX_OR] = { "bit_or", 0, 2, 1, NULL },
	[AX_XOR] = { "bit_xor", 0, 2, 1, NULL },
	[AX_NOT] = { "bit_not", 0, 1, 1, NULL },
	[AX_EQUAL] = { "equal", 0, 2, 1, NULL },
	[AX_LESS_S] = { "less_signed", 0, 2, 1, NULL },
	[AX_LESS_U] = { "less_unsigned", 0, 2, 1, NULL },
	[AX_EXT] = { "ext", 1, 1, 1, NULL },
	[AX_REF8] = { "ref8", 0, 1, 1, NULL },
	[AX_REF16] = { "ref16", 0, 1, 1, NULL },
	[AX_REF32] = { "ref32", 0, 1, 1, NULL },
	[AX_REF64] = { "ref64", 0, 1, 1, NULL },
	[0x1b] = { "ref_float", 0, 1, 1, FLOATS },
	[0x1c] = { "ref_double", 0, 1, 1, FLOATS },
	[0x1d] = { "ref_long_double", 0, 1, 1, FLOATS },
	[0x1e] = { "l_to_d", 0, 1, 1, FLOATS },
	[0x1f] = { "d_to_l", 0, 1, 1, FLOATS },
	[AX_IF_GOTO] = { "if_goto", 2, 1, 0, NULL },
	[AX_GOTO] = { "goto", 2, 0, 0, NULL },
	[AX_CONST8] = { "const8", 1, 0, 1, NULL },
	[AX_CONST16] = { "const16", 2, 0, 1, NULL },
	[AX_CONST32] = { "const32", 4, 0, 1, NULL },
	[AX_CONST64] = { "const64", 8, 0, 1, NULL },
	[AX_REG] = { "reg", 2, 0, 1, NULL },
	[AX_END] = { "end", 0, 0, 0, NULL },
	[AX_DUP] = { "dup", 0, 1, 2, NULL },
	[AX_POP] = { "pop", 0, 1, 0, NULL },
	[AX_ZERO_EXT] = { "zero_ext", 1, 1, 1, NULL },
	[AX_SWAP] = { "swap", 0, 2, 2, NULL },
	[AX_GETV] = { "getv", 2, 0, 1, NULL },
	[AX_SETV] = { "setv", 2, 1, 1, NULL },
	[AX_TRACEV] = { "tracev", 2, 0, 0, TRACING },
	[AX_TRACENZ] = { "tracenz", 0, 2, 0, TRACING },
	[AX_TRACE16] = { "trace16", 2, 1, 1, TRACING },
	[AX_PICK] = { "pick", 1, 0, 1, NULL },
	[AX_ROT] = { "rot", 0, 3, 3, NULL },
	[AX_PRINTF] = { "printf", AGENT_PRINTF_HEAD, AGENT_PRINTF_EXTRA, 0, NULL },
};

#define NO_START (-2)           /* no instruction begins here */
#define UNSEEN   (-1)           /* one does; no way to it is known yet */

struct walk {
	const uint8_t *code;
	size_t len;
	int8_t depth[AGENT_CODE_MAX];   /* of the stack before the instruction there */
	uint16_t todo[AGENT_CODE_MAX];  /* instructions that were reached and not looked at */
	size_t ntodo;
	struct err *err;
};

/* The instruction at AT: its length, or -EINVAL. */
static int check_op(const struct walk *w, size_t at)
{
	const uint8_t *p = w->code + at;
	const struct op *op = *p < AX_COUNT ? &ops[*p] : NULL;
	size_t left = w->len - at - 1, text;
	int r;

	if (!op || !op->name)
		return err_set(w->err, EINVAL, "agent expression: 0x%02x at offset %zu is no opcode", *p, at);
	if (op->refused)
		return err_set(w->err, EINVAL, "agent expression: %s at offset %zu %s", op->name, at, op->refused);
	if (left < op->operand)
		return err_set(w->err, EINVAL, "agent expression: %s at offset %zu is cut short", op->name, at);
	if ((*p == AX_EXT || *p == AX_ZERO_EXT) && !p[1])
		return err_set(w->err, EINVAL, "agent expression: %s at offset %zu of no bits", op->name, at);
	if (*p != AX_PRINTF)
		return 1 + op->operand;
	text = agent_operand(p + 2, 2);
	if (left - op->operand < text)
		return err_set(w->err, EINVAL, "agent expression: the format at offset %zu is cut short", at);
	r = agent_format_check((const char *)p + 1 + op->operand, text, p[1], w->err);
	return r ? r : (int)(1 + op->operand + text);
}

/* Finds where instructions begin. */
static int find_starts(struct walk *w)
{
	memset(w->depth, NO_START, sizeof(w->depth));
	for (size_t at = 0; at < w->len;) {
		int n = check_op(w, at);

		if (n < 0)
			return n;
		w->depth[at] = UNSEEN;
		at += (size_t)n;
	}
	return 0;
}

/* The instruction at FROM leads to that at TO, with DEPTH values on the stack. */
static int reach(struct walk *w, size_t from, size_t to, int depth)
{
	if (to >= w->len)
		return err_set(w->err, EINVAL, "agent expression: it runs past its end from offset %zu", from);
	if (w->depth[to] == NO_START)
		return err_set(w->err, EINVAL, "agent expression: the jump at offset %zu is into an instruction", from);
	if (w->depth[to] == UNSEEN) {
		w->depth[to] = (int8_t)depth;
		w->todo[w->ntodo++] = (uint16_t)to;
	} else if (w->depth[to] != depth)
		return err_set(w->err, EINVAL, "agent expression: the stack at offset %zu is not as deep by every way", to);
	return 0;
}

/* Everything that the instruction at AT leads to. */
static int follow(struct walk *w, size_t at, bool value)
{
	const uint8_t *p = w->code + at;
	const struct op *op = &ops[*p];
	int depth = w->depth[at], pops = op->pops, length = check_op(w, at), r;

	if (*p == AX_PRINTF)
		pops += p[1];
	else if (*p == AX_END && value)
		pops = 1;
	if (depth < pops || (*p == AX_PICK && depth <= p[1]))
		return err_set(w->err, EINVAL, "agent expression: too little on the stack for %s at offset %zu", op->name, at);
	if (*p == AX_END)
		return 0;
	depth += op->pushes - pops;
	if (depth > AGENT_STACK_MAX)
		return err_set(w->err, E2BIG, "agent expression: more than %d values on the stack at offset %zu",
			       AGENT_STACK_MAX, at);
	if (*p == AX_GOTO || *p == AX_IF_GOTO) {
		r = reach(w, at, agent_operand(p + 1, 2), depth);
		if (r || *p == AX_GOTO)
			return r;
	}
	return reach(w, at, at + (size_t)length, depth);
}

int agent_verify(const uint8_t *code, size_t len, bool value, struct err *err)
{
	struct walk w;
	int r;

	if (!len)
		return err_set(err, EINVAL, "agent expression: it is empty");
	if (len > AGENT_CODE_MAX)
		return err_set(err, E2BIG, "agent expression: %zu bytes (%d at most)", len, AGENT_CODE_MAX);
	w.code = code;
	w.len = len;
	w.ntodo = 0;
	w.err = err;
	r = find_starts(&w);
	if (!r)
		r = reach(&w, 0, 0, 0);
	/* Each instruction gets into the list once, so it ends, loops or not. */
	while (!r && w.ntodo)
		r = follow(&w, w.todo[--w.ntodo], value);
	return r;
}
