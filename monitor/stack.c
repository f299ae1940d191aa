/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "monitor/stack.h"

#include "monitor/arch.h"
#include "monitor/render.h"

bool stack_word(struct machine *m, unsigned cpu, const struct stack_top *s, uint64_t offset, uint64_t *ret)
{
	uint64_t value = 0;

	if (machine_mem_read(m, cpu, stack_address(s, offset), &value, s->width, NULL) < s->width)
		return false;
	*ret = value;
	return true;
}

size_t stack_walk(struct machine *m, unsigned cpu, struct stack_frame *ret, size_t max)
{
	return monitor_arch.stack_walk(m, cpu, ret, max);
}

json_t *stack_words(struct machine *m, unsigned cpu, unsigned count)
{
	struct stack_top s;
	uint64_t value;
	json_t *list;

	if (!monitor_arch.stack_top(m, cpu, &s))
		return NULL;
	list = json_array();
	for (unsigned i = 0; i < count && stack_word(m, cpu, &s, s.sp + i * s.width, &value); i++) {
		json_t *row = data_place(m, value);

		json_object_set_new(row, "at", data_hex(stack_address(&s, s.sp + i * s.width)));
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
