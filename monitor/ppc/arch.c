/* SPDX-License-Identifier: GPL-3.0-or-later */
/* PowerPC in the monitor: what its commands say. */
#include "monitor/ppc/parts.h"

#include <stdio.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define LAST_SPR 1023

static const struct cmd_words words[] = {
	{ "disas", NULL, NULL, "Branches and some more by name; what else there is as the words it is." },
	{ "info registers", NULL, NULL,
	  "Without argument: general and control registers.  GROUP is general, float, vector, vsx or control.  NAME is\n"
	  "any register's, as in expressions but without $." },
};

/* Its pc is all there is to say. */
static void add_place(json_t *obj, struct machine *m, unsigned cpu, const struct cpu_status *s)
{
	(void)obj;
	(void)m;
	(void)cpu;
	(void)s;
}

static void render_place_before(const json_t *obj, struct out *o)
{
	(void)obj;
	(void)o;
}

static bool decimal(const char *type, const uint8_t *value, char *ret, size_t size)
{
	double number;

	if (strcmp(type, "ieee_double"))
		return false;
	memcpy(&number, value, sizeof(number));
	snprintf(ret, size, "%.17g", number);
	return true;
}

const struct monitor_arch monitor_arch = {
	.words = words,
	.nwords = COUNT(words),
	.disas = ppc_disas,
	.stack_walk = ppc_stack_walk,
	.stack_top = ppc_stack_top,
	.add_place = add_place,
	.render_place = render_place_before,
	.special_max = LAST_SPR,
	.special = "spr",
	.decimal = decimal,
};
