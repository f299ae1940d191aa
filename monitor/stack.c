/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "monitor/stack.h"

#include <inttypes.h>
#include <string.h>

#include "monitor/disas.h"
#include "monitor/render.h"

#define SCANNED         4096u   /* bytes of stack */
#define CALL_MAX        7u      /* bytes of the longest near call that compilers make */

/* A vCPU's stack as its code addresses it. */
struct stack {
	struct machine *m;
	unsigned cpu, bits;             /* 16, 32 or 64: of code, and so of what a call pushes */
	uint64_t mask;                  /* of an offset in the stack segment */
	uint64_t base, cs_base;         /* linear */
	uint64_t pc, sp, bp;            /* pc linear; the others offsets */
};

static uint64_t reg_value(struct machine *m, unsigned cpu, enum reg_id reg)
{
	uint8_t bytes[REG_BYTES_MAX] = { 0 };
	uint64_t value;

	machine_reg_read(m, cpu, reg, bytes, NULL);
	memcpy(&value, bytes, sizeof(value));
	return value;
}

static bool open_stack(struct machine *m, unsigned cpu, struct stack *ret)
{
	struct cpu_status s;

	if (machine_cpu_status(m, cpu, &s, NULL))
		return false;
	*ret = (struct stack){
		.m = m,
		.cpu = cpu,
		.bits = s.code_bits,
		.mask = s.code_bits == 64 ? UINT64_MAX : (1ull << s.code_bits) - 1,
		.base = s.code_bits == 64 ? 0 : reg_value(m, cpu, X86_SS_BASE),
		.cs_base = s.pc - s.ip,
		.pc = s.pc,
	};
	ret->sp = reg_value(m, cpu, X86_RSP) & ret->mask;
	ret->bp = reg_value(m, cpu, X86_RBP) & ret->mask;
	return true;
}

static unsigned width(const struct stack *s)
{
	return s->bits / 8;
}

static uint64_t linear(const struct stack *s, uint64_t offset)
{
	return s->base + (offset & s->mask);
}

static uint64_t word_at(const struct stack *s, const uint8_t *bytes)
{
	uint64_t value = 0;

	memcpy(&value, bytes, width(s));
	return value;
}

static bool read_word(const struct stack *s, uint64_t offset, uint64_t *ret)
{
	uint8_t bytes[8];

	if (machine_mem_read(s->m, s->cpu, linear(s, offset), bytes, width(s), NULL) < width(s))
		return false;
	*ret = word_at(s, bytes);
	return true;
}

/* Whether the instruction in front of the code address VALUE is a near call, whatever its length. */
static bool behind_call(const struct stack *s, uint64_t value)
{
	uint64_t pc = s->bits == 64 ? value : s->cs_base + value, offset;
	uint8_t code[CALL_MAX];
	struct disas_insn insn;

	if (value < CALL_MAX || (machine_sym_next(s->m, 0) && !machine_sym_at(s->m, pc - 1, &offset)))
		return false;
	if (machine_mem_read(s->m, s->cpu, pc - CALL_MAX, code, CALL_MAX, NULL) < CALL_MAX)
		return false;
	for (unsigned len = 2; len <= CALL_MAX; len++) {
		const uint8_t *at = code + CALL_MAX - len;

		/* Prefixes aside, which calls hardly have, one is e8 or ff /2. */
		if (*at != 0xe8 && *at != 0xff && (*at & 0xf0) != 0x40)
			continue;
		disas_one(s->m, s->bits, s->cs_base, pc - len, at, len, &insn);
		if (insn.len == len && !strncmp(insn.text, "call", 4))
			return true;
	}
	return false;
}

static void add(const struct stack *s, struct stack_frame *ret, size_t *n, uint64_t value, uint64_t at, bool guessed)
{
	ret[(*n)++] = (struct stack_frame){
		.pc = s->bits == 64 ? value : s->cs_base + value,
		.at = linear(s, at),
		.guessed = guessed,
	};
}

/* In a function's first instructions the caller's frame pointer is still, or again, in its register. */
static void before_frame(const struct stack *s, struct stack_frame *ret, size_t *n)
{
	uint64_t value, at = s->sp, offset = 1;
	uint8_t code[4] = { 0 };
	unsigned push = 0x55;

	if (!machine_sym_at(s->m, s->pc, &offset) || offset > 5)
		return;
	/* At its `push bp` or before it, behind an endbr too; or just behind it. */
	machine_mem_read(s->m, s->cpu, s->pc - 1, code, 1, NULL);
	if (offset && code[0] == push)
		at += width(s);
	if (read_word(s, at, &value) && behind_call(s, value))
		add(s, ret, n, value, at, false);
}

static void follow_pointers(const struct stack *s, struct stack_frame *ret, size_t *n, size_t max)
{
	uint64_t bp = s->bp, least = s->sp, value, next;

	while (*n < max && bp >= least && bp % width(s) == 0) {
		if (!read_word(s, bp, &next) || !read_word(s, bp + width(s), &value) || !behind_call(s, value))
			return;
		add(s, ret, n, value, bp + width(s), false);
		least = bp + 1;
		bp = next;
	}
}

static void scan(const struct stack *s, struct stack_frame *ret, size_t *n, size_t max)
{
	uint8_t bytes[SCANNED];
	size_t got = machine_mem_read(s->m, s->cpu, linear(s, s->sp), bytes, sizeof(bytes), NULL);

	for (size_t at = 0; at + width(s) <= got && *n < max; at += width(s)) {
		uint64_t value = word_at(s, bytes + at);

		if (behind_call(s, value))
			add(s, ret, n, value, s->sp + at, true);
	}
}

size_t stack_walk(struct machine *m, unsigned cpu, struct stack_frame *ret, size_t max)
{
	struct stack s;
	size_t n = 1;

	if (!open_stack(m, cpu, &s))
		return 0;
	ret[0] = (struct stack_frame){ .pc = s.pc };
	if (max > 1)
		before_frame(&s, ret, &n);
	follow_pointers(&s, ret, &n, max);
	if (n == 1)
		scan(&s, ret, &n, max);
	return n;
}

json_t *stack_words(struct machine *m, unsigned cpu, unsigned count)
{
	json_t *list;
	struct stack s;
	uint64_t value;

	if (!open_stack(m, cpu, &s))
		return NULL;
	list = json_array();
	for (unsigned i = 0; i < count && read_word(&s, s.sp + i * width(&s), &value); i++) {
		json_t *row = data_place(m, value);

		json_object_set_new(row, "at", data_hex(linear(&s, s.sp + i * width(&s))));
		json_array_append_new(list, row);
	}
	return list;
}

void stack_render_words(const json_t *words, struct out *o)
{
	const json_t *row;
	size_t i;

	json_array_foreach((json_t *)words, i, row) {
		out_printf(o, "  %s  ", data_str(row, "at"));
		render_place(row, o);
		out_puts(o, "\n");
	}
	if (!json_array_size(words))
		out_puts(o, "  (cannot be read)\n");
}
