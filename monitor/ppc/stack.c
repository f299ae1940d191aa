/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Frames by the back chain that every function with a frame keeps (64-bit ELF V2 ABI, 2.2.2). */
#include "monitor/ppc/parts.h"

#include "arch/ppc/ppc_regs.h"

#define ALIGNMENT 16u
#define LR_SAVE   16u   /* offset in the caller's frame where a function keeps its link register */

static uint64_t reg_value(struct machine *m, unsigned cpu, reg_id reg)
{
	uint64_t value = 0;

	machine_reg_read(m, cpu, reg, &value, NULL);
	return value;
}

bool ppc_stack_top(struct machine *m, unsigned cpu, struct stack_top *ret)
{
	struct cpu_status s;

	if (machine_cpu_status(m, cpu, &s, NULL))
		return false;
	*ret = (struct stack_top){ .mask = UINT64_MAX, .sp = reg_value(m, cpu, PPC_R1), .width = 8 };
	return true;
}

size_t ppc_stack_walk(struct machine *m, unsigned cpu, struct stack_frame *ret, size_t max)
{
	struct stack_top top;
	uint64_t at, next, lr;
	size_t n = 1;

	if (!ppc_stack_top(m, cpu, &top))
		return 0;
	ret[0] = (struct stack_frame){ .pc = reg_value(m, cpu, PPC_PC) };
	for (at = top.sp; n < max && stack_word(m, cpu, &top, at, &next) && next > at && next % ALIGNMENT == 0; at = next) {
		if (!stack_word(m, cpu, &top, next + LR_SAVE, &lr) || !lr || lr % 4)
			break;
		ret[n++] = (struct stack_frame){ .pc = lr, .at = next + LR_SAVE };
	}
	/* Without a frame of its own there may still be somebody to return to. */
	lr = reg_value(m, cpu, PPC_LR);
	if (n == 1 && max > 1 && lr && lr % 4 == 0)
		ret[n++] = (struct stack_frame){ .pc = lr, .guessed = true };
	return n;
}
