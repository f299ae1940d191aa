/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which addresses stand in the debug registers: whoever needs one most. */
#include "break/watch.h"
#include "kvm/debug.h"

static unsigned registers(const struct vm *vm)
{
	return BREAK_REGISTERS - vm->lacking_registers;
}

static unsigned plan_watches(struct vm *vm)
{
	struct watch_piece piece[4];
	const struct watchpoint *w;
	unsigned n = 0;

	for (size_t i = 0; (w = watch_at(vm->watches, i)); i++) {
		unsigned pieces = w->in_registers ? watch_pieces(&w->spec, piece) : 0;

		for (unsigned k = 0; k < pieces && n < registers(vm); k++)
			vm->hw[n++] = (struct hw_point){ piece[k].gva, piece[k].size, w->spec.kind != WATCH_WRITE, false };
	}
	return n;
}

void debug_plan(struct vm *vm)
{
	struct breakpoint *b[BREAK_REGISTERS];
	unsigned n, more;

	if (vm->hw_breaks == break_generation(vm->breaks) && vm->hw_watches == watch_generation(vm->watches))
		return;
	n = plan_watches(vm);
	more = break_registers(vm->breaks, registers(vm) - n, b);
	for (unsigned i = 0; i < more; i++)
		vm->hw[n++] = (struct hw_point){ b[i]->spec.gva, 0, false, b[i]->site };
	vm->nhw = n;
	vm->hw_breaks = break_generation(vm->breaks);
	vm->hw_watches = watch_generation(vm->watches);
}

unsigned debug_breakpoint_registers(struct vm *vm)
{
	unsigned used;

	if (!watch_registers(vm->watches))
		return registers(vm);
	used = plan_watches(vm);
	/* The plan's memory was used for counting. */
	vm->hw_watches = ~watch_generation(vm->watches);
	return registers(vm) - used;
}

unsigned debug_free_registers(struct vm *vm)
{
	struct breakpoint *b[BREAK_REGISTERS];
	unsigned n = break_registers(vm->breaks, registers(vm), b), used = plan_watches(vm);

	for (unsigned i = 0; i < n; i++)
		used += b[i]->spec.kind == BREAK_HARD;
	/* The plan's memory was used for counting. */
	vm->hw_watches = ~watch_generation(vm->watches);
	return used < registers(vm) ? registers(vm) - used : 0;
}
