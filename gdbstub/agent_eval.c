/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>

#include "gdbstub/agent_op.h"

/* Top is sp[-1].  The verifier has seen to the depth. */
struct stack {
	uint64_t *sp;
};

static uint64_t pop(struct stack *s)
{
	return *--s->sp;        /* NOLINT(clang-analyzer-core.uninitialized.UndefReturn): the verifier has counted */
}

static void push(struct stack *s, uint64_t value)
{
	*s->sp++ = value;
}

static int64_t shift_right_signed(int64_t a, uint64_t b)
{
	return a >> (b < 64 ? b : 63);
}

/* The one quotient that does not fit is as the bits have it. */
static int divide(enum agent_opcode op, uint64_t a, uint64_t b, uint64_t *ret, struct err *err)
{
	bool overflows = a == (uint64_t)INT64_MIN && b == UINT64_MAX;

	if (!b)
		return err_set(err, EDOM, "division by zero");
	switch (op) {
	case AX_DIV_S: *ret = overflows ? a : (uint64_t)((int64_t)a / (int64_t)b); break;
	case AX_REM_S: *ret = overflows ? 0 : (uint64_t)((int64_t)a % (int64_t)b); break;
	case AX_DIV_U: *ret = a / b; break;
	default:       *ret = a % b; break;
	}
	return 0;
}

static int two_operands(enum agent_opcode op, uint64_t a, uint64_t b, uint64_t *ret, struct err *err)
{
	switch (op) {
	case AX_ADD:    *ret = a + b; break;
	case AX_SUB:    *ret = a - b; break;
	case AX_MUL:    *ret = a * b; break;
	case AX_LSH:    *ret = b < 64 ? a << b : 0; break;
	case AX_RSH_S:  *ret = (uint64_t)shift_right_signed((int64_t)a, b); break;
	case AX_RSH_U:  *ret = b < 64 ? a >> b : 0; break;
	case AX_AND:    *ret = a & b; break;
	case AX_OR:     *ret = a | b; break;
	case AX_XOR:    *ret = a ^ b; break;
	case AX_EQUAL:  *ret = a == b; break;
	case AX_LESS_S: *ret = (int64_t)a < (int64_t)b; break;
	case AX_LESS_U: *ret = a < b; break;
	default:        return divide(op, a, b, ret, err);
	}
	return 0;
}

static uint64_t extend(uint64_t a, unsigned bits, bool is_signed)
{
	unsigned spare = bits < 64 ? 64 - bits : 0;

	return is_signed ? (uint64_t)((int64_t)(a << spare) >> spare) : a << spare >> spare;
}

static int fetch(const struct agent_env *env, uint64_t *value, unsigned bytes, struct err *err)
{
	uint8_t data[8];
	int r = env->mem(env->arg, *value, data, bytes, err);

	if (r)
		return r;
	*value = 0;
	while (bytes--)
		*value = *value << 8 | data[bytes];
	return 0;
}

/* The function and the channel are on top, then the arguments, the first one first. */
static int print(struct stack *s, const uint8_t *operand, const struct agent_env *env, struct err *err)
{
	uint64_t args[AGENT_STACK_MAX];
	unsigned n = operand[0];

	s->sp -= AGENT_PRINTF_EXTRA;
	for (unsigned i = 0; i < n; i++)
		args[i] = pop(s);
	return agent_format((const char *)operand + AGENT_PRINTF_HEAD, args, env, err);
}

static void rotate(uint64_t *top)
{
	uint64_t c = top[-1];

	top[-1] = top[-2];
	top[-2] = top[-3];
	top[-3] = c;
}

/* Carries out the instruction at CODE[*AT] and moves *AT on; `end` is the caller's. */
static int carry_out(struct stack *s, const uint8_t *code, size_t *at, const struct agent_env *env, struct err *err)
{
	enum agent_opcode op = code[*at];
	const uint8_t *operand = code + *at + 1;
	uint64_t a;

	*at += 1;
	switch (op) {
	case AX_LOG_NOT:
		s->sp[-1] = !s->sp[-1];
		return 0;
	case AX_NOT:
		s->sp[-1] = ~s->sp[-1];
		return 0;
	case AX_EXT:
	case AX_ZERO_EXT:
		s->sp[-1] = extend(s->sp[-1], operand[0], op == AX_EXT);
		*at += 1;
		return 0;
	case AX_REF8:
	case AX_REF16:
	case AX_REF32:
	case AX_REF64:
		return fetch(env, &s->sp[-1], 1u << (op - AX_REF8), err);
	case AX_IF_GOTO:
		*at = pop(s) ? agent_operand(operand, 2) : *at + 2;
		return 0;
	case AX_GOTO:
		*at = agent_operand(operand, 2);
		return 0;
	case AX_CONST8:
	case AX_CONST16:
	case AX_CONST32:
	case AX_CONST64:
		push(s, agent_operand(operand, 1u << (op - AX_CONST8)));
		*at += 1u << (op - AX_CONST8);
		return 0;
	case AX_REG:
		*at += 2;
		return env->reg(env->arg, (unsigned)agent_operand(operand, 2), s->sp++, err);
	case AX_DUP:
		push(s, s->sp[-1]);
		return 0;
	case AX_POP:
		s->sp--;
		return 0;
	case AX_SWAP:
		a = s->sp[-1];
		s->sp[-1] = s->sp[-2];
		s->sp[-2] = a;
		return 0;
	case AX_GETV:
		*at += 2;
		return env->var_get(env->arg, (unsigned)agent_operand(operand, 2), s->sp++, err);
	case AX_SETV:
		*at += 2;
		return env->var_set(env->arg, (unsigned)agent_operand(operand, 2), s->sp[-1], err);
	case AX_PICK:
		*at += 1;
		push(s, s->sp[-1 - (int)operand[0]]);
		return 0;
	case AX_ROT:
		rotate(s->sp);
		return 0;
	case AX_PRINTF:
		*at += AGENT_PRINTF_HEAD + agent_operand(operand + 1, 2);
		return print(s, operand, env, err);
	default:
		a = pop(s);
		return two_operands(op, s->sp[-1], a, &s->sp[-1], err);
	}
}

int agent_eval(const uint8_t *code, size_t len, const struct agent_env *env, uint64_t *ret, struct err *err)
{
	uint64_t value[AGENT_STACK_MAX];
	struct stack s = { value };
	size_t at = 0;

	(void)len;      /* no way leads past it */
	for (unsigned steps = 0; code[at] != AX_END; steps++) {
		int r;

		if (steps == AGENT_STEPS_MAX)
			return err_set(err, ELOOP, "more than %d steps", AGENT_STEPS_MAX);
		r = carry_out(&s, code, &at, env, err);
		if (r)
			return r;
	}
	if (ret)
		*ret = s.sp > value ? s.sp[-1] : 0;
	return 0;
}
