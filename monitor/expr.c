/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "monitor/expr.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "monitor/text.h"
#include "util/num.h"

/* Parentheses, unary operators and ?: nest at most this deep, so that no input can exhaust the stack. */
#define DEPTH_MAX 64

struct parser {
	const char *s;
	size_t pos, len, column;
	const struct expr_env *env;
	unsigned depth;
	unsigned skip;          /* > 0: read on, but evaluate nothing */
	bool names;             /* look names up also then */
	struct err *err;
};

enum op { OP_OR, OP_AND, OP_BOR, OP_XOR, OP_BAND, OP_EQ, OP_NE, OP_LE, OP_GE, OP_LT, OP_GT, OP_SHL, OP_SHR,
	  OP_ADD, OP_SUB, OP_MUL, OP_DIV, OP_REM };

/* Longer ones first where one begins like another. */
static const struct binary {
	char text[3];
	enum op op;
	unsigned prec;
} binaries[] = {
	{ "||", OP_OR, 1 },  { "&&", OP_AND, 2 }, { "==", OP_EQ, 6 },   { "!=", OP_NE, 6 },  { "<=", OP_LE, 7 },
	{ ">=", OP_GE, 7 },  { "<<", OP_SHL, 8 }, { ">>", OP_SHR, 8 },  { "|", OP_BOR, 3 },  { "^", OP_XOR, 4 },
	{ "&", OP_BAND, 5 }, { "<", OP_LT, 7 },   { ">", OP_GT, 7 },    { "+", OP_ADD, 9 },  { "-", OP_SUB, 9 },
	{ "*", OP_MUL, 10 }, { "/", OP_DIV, 10 }, { "%", OP_REM, 10 },
};

static int parse_ternary(struct parser *p, uint64_t *ret);

static bool name_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.';
}

static bool name_char(char c)
{
	return name_start(c) || (c >= '0' && c <= '9') || c == '@';
}

static void skip_space(struct parser *p)
{
	while (p->pos < p->len && text_space(p->s[p->pos]))
		p->pos++;
}

static char peek(struct parser *p)
{
	skip_space(p);
	return p->pos < p->len ? p->s[p->pos] : 0;
}

static int fail(struct parser *p, size_t at, int code, const char *what)
{
	return err_set(p->err, code, "column %zu: %s", p->column + at, what);
}

static int unexpected(struct parser *p)
{
	char c = peek(p);

	if (!c && p->pos >= p->len)
		return fail(p, p->pos, EINVAL, "the expression ends too early");
	return err_set(p->err, EINVAL, "column %zu: unexpected '%c'", p->column + p->pos, c);
}

/* -EINVAL is kept for what is malformed, whatever the environment says. */
static int from_env(struct parser *p, size_t at, int r)
{
	if (!r)
		return 0;
	err_prefix(p->err, r, "column %zu", p->column + at);
	return r == -EINVAL ? -EIO : r;
}

static size_t name_length(struct parser *p)
{
	size_t n = 0;

	while (p->pos + n < p->len && name_char(p->s[p->pos + n]))
		n++;
	return n;
}

static int parse_number(struct parser *p, uint64_t *ret)
{
	size_t n = name_length(p);
	int r = num_parse(p->s + p->pos, n, ret);

	if (r)
		return err_set(p->err, EINVAL, "column %zu: '%.*s' %s", p->column + p->pos, n < 40 ? (int)n : 40,
			       p->s + p->pos, r == -ERANGE ? "does not fit 64 bits" : "is not a number");
	p->pos += n;
	return 0;
}

static int parse_char(struct parser *p, uint64_t *ret)
{
	size_t at = p->pos++, used = 0;
	uint8_t c = 0;

	if (p->pos < p->len && p->s[p->pos] != '\'')
		used = text_char(p->s + p->pos, p->len - p->pos, &c);
	p->pos += used;
	if (!used || p->pos >= p->len || p->s[p->pos] != '\'')
		return fail(p, at, EINVAL, "not a character constant");
	p->pos++;
	*ret = c;
	return 0;
}

static int parse_name(struct parser *p, bool is_reg, uint64_t *ret)
{
	size_t at = p->pos, n;
	const char *name;

	if (is_reg)
		p->pos++;
	n = name_length(p);
	name = p->s + p->pos;
	if (!n)
		return fail(p, at, EINVAL, "a register name should follow '$'");
	p->pos += n;
	*ret = 0;
	if (p->skip && !p->names)
		return 0;
	return from_env(p, at, (is_reg ? p->env->reg : p->env->sym)(p->env->arg, name, n, ret, p->err));
}

/* The `(u8)` ... `(u64)` after a dereferencing star; 8 bytes without one. */
static unsigned parse_size(struct parser *p)
{
	static const struct {
		const char *text;
		unsigned size;
	} sizes[] = { { "u8", 1 }, { "u16", 2 }, { "u32", 4 }, { "u64", 8 } };
	size_t start = p->pos, n;
	const char *word;

	if (peek(p) == '(') {
		p->pos++;
		skip_space(p);
		word = p->s + p->pos;
		n = name_length(p);
		p->pos += n;
		if (peek(p) == ')')
			for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
				if (strlen(sizes[i].text) == n && !memcmp(sizes[i].text, word, n)) {
					p->pos++;
					return sizes[i].size;
				}
	}
	p->pos = start;
	return 8;
}

static int parse_primary(struct parser *p, uint64_t *ret)
{
	char c = peek(p);
	int r;

	if (c >= '0' && c <= '9')
		return parse_number(p, ret);
	if (c == '\'')
		return parse_char(p, ret);
	if (c == '$' || name_start(c))
		return parse_name(p, c == '$', ret);
	if (c != '(')
		return unexpected(p);
	p->pos++;
	r = parse_ternary(p, ret);
	if (r)
		return r;
	if (peek(p) != ')')
		return unexpected(p);
	p->pos++;
	return 0;
}

static int deref(struct parser *p, size_t at, unsigned size, uint64_t *value)
{
	uint64_t gva = *value;

	*value = 0;
	return p->skip ? 0 : from_env(p, at, p->env->mem(p->env->arg, gva, size, value, p->err));
}

static int parse_unary(struct parser *p, uint64_t *ret)
{
	char c = peek(p);
	size_t at = p->pos;
	unsigned size = 0;
	int r;

	if (!c || !strchr("-+~!*", c))
		return parse_primary(p, ret);
	if (p->depth == DEPTH_MAX)
		return fail(p, at, EINVAL, "nested too deeply");
	p->pos++;
	if (c == '*')
		size = parse_size(p);
	p->depth++;
	r = parse_unary(p, ret);
	p->depth--;
	if (r)
		return r;
	switch (c) {
	case '-': *ret = -*ret; break;
	case '~': *ret = ~*ret; break;
	case '!': *ret = !*ret; break;
	case '*': return deref(p, at, size, ret);
	}
	return 0;
}

static const struct binary *peek_binary(struct parser *p)
{
	skip_space(p);
	for (size_t i = 0; i < sizeof(binaries) / sizeof(binaries[0]); i++) {
		size_t n = strlen(binaries[i].text);

		if (n <= p->len - p->pos && !memcmp(p->s + p->pos, binaries[i].text, n))
			return &binaries[i];
	}
	return NULL;
}

static int apply(struct parser *p, size_t at, enum op op, uint64_t *a, uint64_t b)
{
	if ((op == OP_DIV || op == OP_REM) && !b) {
		*a = 0;
		return p->skip ? 0 : fail(p, at, EDOM, "division by zero");
	}
	switch (op) {
	case OP_OR:   *a = *a || b; break;
	case OP_AND:  *a = *a && b; break;
	case OP_BOR:  *a |= b; break;
	case OP_XOR:  *a ^= b; break;
	case OP_BAND: *a &= b; break;
	case OP_EQ:   *a = *a == b; break;
	case OP_NE:   *a = *a != b; break;
	case OP_LE:   *a = *a <= b; break;
	case OP_GE:   *a = *a >= b; break;
	case OP_LT:   *a = *a < b; break;
	case OP_GT:   *a = *a > b; break;
	case OP_SHL:  *a = b < 64 ? *a << b : 0; break;
	case OP_SHR:  *a = b < 64 ? *a >> b : 0; break;
	case OP_ADD:  *a += b; break;
	case OP_SUB:  *a -= b; break;
	case OP_MUL:  *a *= b; break;
	case OP_DIV:  *a /= b; break;
	case OP_REM:  *a %= b; break;
	}
	return 0;
}

static int parse_binary(struct parser *p, unsigned min_prec, uint64_t *ret)
{
	const struct binary *b;
	uint64_t rhs;
	bool skip;
	size_t at;
	int r;

	r = parse_unary(p, ret);
	while (!r && (b = peek_binary(p)) && b->prec >= min_prec) {
		at = p->pos;
		p->pos += strlen(b->text);
		skip = (b->op == OP_AND && !*ret) || (b->op == OP_OR && *ret);
		p->skip += skip;
		r = parse_binary(p, b->prec + 1, &rhs);
		p->skip -= skip;
		if (!r)
			r = apply(p, at, b->op, ret, rhs);
	}
	return r;
}

static int parse_branch(struct parser *p, bool taken, uint64_t *ret)
{
	int r;

	p->skip += !taken;
	r = parse_ternary(p, ret);
	p->skip -= !taken;
	return r;
}

static int parse_ternary(struct parser *p, uint64_t *ret)
{
	uint64_t yes = 0, no = 0;
	bool cond;
	int r;

	if (p->depth == DEPTH_MAX)
		return fail(p, p->pos, EINVAL, "nested too deeply");
	p->depth++;
	r = parse_binary(p, 1, ret);
	if (!r && peek(p) == '?') {
		p->pos++;
		cond = *ret;
		r = parse_branch(p, cond, &yes);
		if (!r && peek(p) != ':')
			r = unexpected(p);
		if (!r) {
			p->pos++;
			r = parse_branch(p, !cond, &no);
		}
		if (!r)
			*ret = cond ? yes : no;
	}
	p->depth--;
	return r;
}

/* The whole text has to have been one. */
static int at_end(struct parser *p)
{
	if (peek(p))
		return unexpected(p);
	return p->pos < p->len ? fail(p, p->pos, EINVAL, "unexpected NUL byte") : 0;
}

int expr_eval(const char *text, size_t len, size_t column, const struct expr_env *env, size_t *ret_used,
	      uint64_t *ret, struct err *err)
{
	struct parser p = { .s = text, .len = len, .column = column, .env = env, .err = err };
	uint64_t value;
	int r;

	r = parse_ternary(&p, &value);
	if (!r && !ret_used)
		r = at_end(&p);
	if (r)
		return r;
	if (ret_used)
		*ret_used = p.pos;
	*ret = value;
	return 0;
}

int expr_check(const char *text, size_t len, size_t column, const struct expr_env *env, struct err *err)
{
	struct parser p = { .s = text, .len = len, .column = column, .env = env, .err = err, .skip = 1,
			    .names = true };
	uint64_t value;
	int r;

	r = parse_ternary(&p, &value);
	return r ? r : at_end(&p);
}
