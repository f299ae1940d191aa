/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "monitor/hits.h"

#include <stdio.h>
#include <string.h>

#include "monitor/expr.h"
#include "monitor/names.h"

/* A condition that has no value counts as true, and W's stop tells why. */
static bool condition_holds(struct wanted *w, const struct brk *k, struct machine *m, unsigned cpu)
{
	struct names names = { .m = m, .cpu = cpu };
	const struct expr_env env = names_env(&names);
	struct err err = { 0 };
	uint64_t value = 0;

	if (!expr_eval(k->condition, strlen(k->condition), 1, &env, NULL, &value, &err))
		return value;
	snprintf(w->why, sizeof(w->why), "the condition of %u has no value: %.140s", k->number, err.msg);
	return true;
}

static bool wants(struct wanted *w, struct brk *k, struct machine *m, unsigned cpu)
{
	if (k->cpu >= 0 && (unsigned)k->cpu != cpu)
		return false;
	if (k->condition && !condition_holds(w, k, m, cpu))
		return false;
	k->hits++;
	if (!k->ignore)
		return true;
	k->ignore--;
	return false;
}

bool hits_wanted(void *arg, struct machine *m, const struct stop_event *ev)
{
	struct breaks *b = arg;
	struct brk *k = brks_match(b, ev, NULL);
	struct wanted *w = brks_hit(b, ev);
	bool wanted = !k;       /* what nobody here knows of is not for us to hide */

	for (; k; k = brks_match(b, ev, k))
		if (wants(w, k, m, ev->cpu)) {
			brks_want(b, k, ev->cpu);
			wanted = true;
		}
	return wanted;
}
