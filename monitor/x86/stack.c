/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "monitor/x86/parts.h"

#include <string.h>

#include "arch/x86/x86_regs.h"

#define SCANNED         4096u   /* bytes of stack */
#define CALL_MAX        7u      /* bytes of the longest near call that compilers make */

/* A vCPU's stack as its code addresses it. */
struct stack {
	struct machine *m;
	unsigned cpu, bits;             /* 16, 32 or 64: of code, and so of what a call pushes */
	struct stack_top top;
	uint64_t cs_base;               /* linear */
	uint64_t pc, bp;                /* pc linear; bp an offset */
};

static uint64_t reg_value(struct machine *m, unsigned cpu, reg_id reg)
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
	uint64_t mask;

	if (machine_cpu_status(m, cpu, &s, NULL))
		return false;
	mask = s.code_bits == 64 ? UINT64_MAX : (1ull << s.code_bits) - 1;
	*ret = (struct stack){
		.m = m,
		.cpu = cpu,
		.bits = s.code_bits,
		.top.mask = mask,
		.top.base = s.code_bits == 64 ? 0 : reg_value(m, cpu, X86_SS_BASE),
		.top.sp = reg_value(m, cpu, X86_RSP) & mask,
		.top.width = s.code_bits / 8,
		.cs_base = s.code_base,
		.pc = s.pc,
		.bp = reg_value(m, cpu, X86_RBP) & mask,
	};
	return true;
}

bool x86_stack_top(struct machine *m, unsigned cpu, struct stack_top *ret)
{
	struct stack s;

	if (!open_stack(m, cpu, &s))
		return false;
	*ret = s.top;
	return true;
}

static unsigned width(const struct stack *s)
{
	return s->top.width;
}

static bool read_word(const struct stack *s, uint64_t offset, uint64_t *ret)
{
	return stack_word(s->m, s->cpu, &s->top, offset, ret);
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
		x86_disas(s->m, s->bits, s->cs_base, pc - len, at, len, &insn);
		if (insn.len == len && !strncmp(insn.text, "call", 4))
			return true;
	}
	return false;
}

static void add(const struct stack *s, struct stack_frame *ret, size_t *n, uint64_t value, uint64_t at, bool guessed)
{
	ret[(*n)++] = (struct stack_frame){
		.pc = s->bits == 64 ? value : s->cs_base + value,
		.at = stack_address(&s->top, at),
		.guessed = guessed,
	};
}

/* In a function's first instructions the caller's frame pointer is still, or again, in its register. */
static void before_frame(const struct stack *s, struct stack_frame *ret, size_t *n)
{
	uint64_t value, at = s->top.sp, offset = 1;
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
	uint64_t bp = s->bp, least = s->top.sp, value, next;

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
	size_t got = machine_mem_read(s->m, s->cpu, stack_address(&s->top, s->top.sp), bytes, sizeof(bytes), NULL);

	for (size_t at = 0; at + width(s) <= got && *n < max; at += width(s)) {
		uint64_t value = 0;

		memcpy(&value, bytes + at, width(s));
		if (behind_call(s, value))
			add(s, ret, n, value, s->top.sp + at, true);
	}
}

size_t x86_stack_walk(struct machine *m, unsigned cpu, struct stack_frame *ret, size_t max)
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
