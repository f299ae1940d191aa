/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "monitor/hits.h"

#include <stdio.h>
#include <string.h>

#include "monitor/expr.h"
#include "monitor/names.h"

/* A condition that cannot say counts as true, and the stop tells why. */
static bool condition_holds(struct breaks *b, const struct brk *k, struct machine *m, unsigned cpu)
{
	struct names names = { .m = m, .cpu = cpu };
	const struct expr_env env = names_env(&names);
	struct err err = { 0 };
	uint64_t value = 0;

	if (!expr_eval(k->condition, strlen(k->condition), 1, &env, NULL, &value, &err))
		return value;
	snprintf(b->why[cpu], sizeof(b->why[cpu]), "the condition of %u has no value: %.140s", k->number, err.msg);
	return true;
}

static bool wants(struct breaks *b, struct brk *k, struct machine *m, unsigned cpu)
{
	if (k->cpu >= 0 && (unsigned)k->cpu != cpu)
		return false;
	if (k->condition && !condition_holds(b, k, m, cpu))
		return false;
	k->hits++;
	if (k->ignore) {
		k->ignore--;
		return false;
	}
	k->wanted_by |= 1ull << cpu;
	return true;
}

bool hits_wanted(void *arg, struct machine *m, const struct stop_event *ev)
{
	struct breaks *b = arg;
	struct brk *k = brks_match(b, ev, NULL);
	bool wanted = !k;       /* what nobody here knows of is not for us to hide */

	b->why[ev->cpu][0] = '\0';
	for (; k; k = brks_match(b, ev, k))
		wanted |= wants(b, k, m, ev->cpu);
	return wanted;
}
