/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "gdbstub/trigger.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gdbstub/agent.h"
#include "gdbstub/textring.h"
#include "util/htab.h"

struct expr {
	const uint8_t *code;    /* in the same memory as its trigger */
	size_t len;
};

/* Conditions first, then commands. */
struct trigger {
	struct htab_link link;
	enum break_kind kind;
	unsigned layout;
	bool persist;           /* commands run without a client */
	unsigned nconds, nexprs;
	struct expr expr[TRIGGER_EXPRS_MAX];
};

struct triggers {
	struct machine *machine;
	void (*wake)(void *arg);
	void *arg;
	struct htab table;      /* by gva */
	bool filtering;
	struct textring ring;
};

static struct trigger *of_link(struct htab_link *l)
{
	return HTAB_ENTRY(l, struct trigger, link);
}

static struct trigger *find(const struct triggers *t, enum break_kind kind, uint64_t gva)
{
	struct trigger *g = of_link(htab_find(&t->table, gva));

	while (g && g->kind != kind)
		g = of_link(htab_again(&g->link));
	return g;
}

/* -- evaluating, on a vCPU's thread -- */

struct place {
	struct triggers *triggers;
	const struct trigger *trigger;
	unsigned cpu;
};

static int env_reg(void *arg, unsigned num, uint64_t *ret, struct err *err)
{
	const struct place *p = arg;
	uint8_t value[REG_BYTES_MAX] = { 0 };
	int reg = reg_by_num(p->trigger->layout, num), r;
	unsigned bits;

	if (reg < 0)
		return err_set(err, EINVAL, "there is no register %u", num);
	bits = arch_desc.regs[reg].view[p->trigger->layout].bits;
	if (bits > 64)
		return err_set(err, EINVAL, "%s is wider than 64 bits", arch_desc.regs[reg].view[p->trigger->layout].name);
	r = machine_reg_read(p->triggers->machine, p->cpu, (reg_id)reg, value, err);
	if (r)
		return r;
	*ret = 0;
	memcpy(ret, value, bits / 8);
	return 0;
}

static int env_mem(void *arg, uint64_t gva, void *ret, size_t len, struct err *err)
{
	const struct place *p = arg;

	if (machine_mem_read(p->triggers->machine, p->cpu, gva, ret, len, NULL) == len)
		return 0;
	return err_set(err, EFAULT, "%zu bytes at 0x%" PRIx64 " cannot be read", len, gva);
}

/* They belong to tracepoints, which can define some. */
static int env_var_get(void *arg, unsigned num, uint64_t *ret, struct err *err)
{
	(void)arg;
	(void)ret;
	return err_set(err, ENOENT, "there is no trace state variable %u", num);
}

static int env_var_set(void *arg, unsigned num, uint64_t value, struct err *err)
{
	return env_var_get(arg, num, &value, err);
}

static void env_print(void *arg, const char *text, size_t len)
{
	struct triggers *t = ((const struct place *)arg)->triggers;

	if (textring_put(&t->ring, text, len) && t->wake)
		t->wake(t->arg);
}

static void tell(struct place *p, const char *what, const struct err *err)
{
	char line[sizeof(err->msg) + 80];
	int n = snprintf(line, sizeof(line), "%s of the breakpoint at 0x%" PRIx64 ": %s\n", what, p->trigger->link.key,
			 err->msg);

	env_print(p, line, (size_t)n);
}

/* Whether any condition holds, or cannot be evaluated, which is for a person to see. */
static bool holds(struct place *p, const struct agent_env *env, bool *ret_failed)
{
	const struct trigger *g = p->trigger;
	uint64_t value;
	struct err err;

	for (unsigned i = 0; i < g->nconds; i++) {
		if (agent_eval(g->expr[i].code, g->expr[i].len, env, &value, &err)) {
			tell(p, "the condition", &err);
			*ret_failed = true;
			return true;
		}
		if (value)
			return true;
	}
	return !g->nconds;
}

static bool stop_wanted(void *arg, struct machine *m, const struct stop_event *ev)
{
	struct triggers *t = arg;
	struct place p = { .triggers = t, .cpu = ev->cpu };
	const struct agent_env env = { &p, env_reg, env_mem, env_var_get, env_var_set, env_print };
	bool failed = false;
	struct err err;

	(void)m;
	if (ev->reason != STOP_BREAKPOINT)
		return true;
	p.trigger = find(t, ev->kind, ev->place);
	if (!p.trigger)
		return true;
	if (!holds(&p, &env, &failed))
		return false;
	if (failed || p.trigger->nconds == p.trigger->nexprs)
		return true;
	for (unsigned i = p.trigger->nconds; i < p.trigger->nexprs; i++)
		if (agent_eval(p.trigger->expr[i].code, p.trigger->expr[i].len, &env, NULL, &err))
			tell(&p, "a command", &err);
	return false;
}

/* -- reading them from a packet -- */

/* Whether there is another expression; gdb puts a ';' before the first one only. */
static bool at_expression(struct cursor *args)
{
	struct cursor c = *args;

	cursor_byte(&c, ';');
	if (!cursor_byte(&c, 'X'))
		return false;
	*args = c;
	return true;
}

static int take_expression(struct cursor *args, struct trigger *g, bool condition, struct err *err)
{
	struct cursor digits, code;
	uint64_t len;
	int r;

	if (g->nexprs == TRIGGER_EXPRS_MAX)
		return err_set(err, E2BIG, "more than %d conditions and commands", TRIGGER_EXPRS_MAX);
	if (!cursor_number(args, &len) || !cursor_byte(args, ',') || len > args->len / 2)
		return err_set(err, EINVAL, "an agent expression is cut short");
	digits = (struct cursor){ .p = args->p, .len = 2 * len };
	if (!cursor_hex_rest(&digits, &code))
		return err_set(err, EINVAL, "an agent expression is not in hex");
	args->p += 2 * len;
	args->len -= 2 * len;
	r = agent_verify(code.p, code.len, condition, err);
	if (r)
		return r;
	g->expr[g->nexprs++] = (struct expr){ code.p, code.len };
	g->nconds += condition;
	return 0;
}

static int take_all(struct cursor *args, struct trigger *g, struct err *err)
{
	uint64_t persist;
	int r = 0;

	while (!r && at_expression(args))
		r = take_expression(args, g, true, err);
	if (r || cursor_end(args))
		return r;
	for (const char *p = ";cmds:"; *p; p++)
		if (!cursor_byte(args, *p))
			return err_set(err, EINVAL, "neither conditions nor commands");
	if (!cursor_number(args, &persist) || persist > 1 || !cursor_byte(args, ','))
		return err_set(err, EINVAL, "commands without a word on how long they last");
	g->persist = persist;
	while (!r && at_expression(args))
		r = take_expression(args, g, false, err);
	if (!r && (!cursor_end(args) || g->nconds == g->nexprs))
		r = err_set(err, EINVAL, "commands that are none");
	return r;
}

int trigger_parse(struct cursor *args, unsigned layout, struct trigger **ret, struct err *err)
{
	struct trigger found = { .layout = layout }, *g;
	size_t bytes = 0;
	uint8_t *code;
	int r;

	if (cursor_end(args)) {
		*ret = NULL;
		return 0;
	}
	r = take_all(args, &found, err);
	if (r)
		return r;
	for (unsigned i = 0; i < found.nexprs; i++)
		bytes += found.expr[i].len;
	g = malloc(sizeof(*g) + bytes);
	if (!g)
		return err_set(err, ENOMEM, "no memory for a condition");
	*g = found;
	code = (uint8_t *)(g + 1);
	for (unsigned i = 0; i < g->nexprs; i++) {
		g->expr[i].code = memcpy(code, found.expr[i].code, found.expr[i].len);
		code += found.expr[i].len;
	}
	*ret = g;
	return 0;
}

void trigger_free(struct trigger *g)
{
	free(g);
}

/* -- the table -- */

int triggers_set(struct triggers *t, enum break_kind kind, uint64_t gva, struct trigger *g, struct trigger **ret_old,
		 struct err *err)
{
	struct trigger *old = find(t, kind, gva);

	if (g) {
		g->kind = kind;
		if (htab_add(&t->table, &g->link, gva))
			return err_set(err, ENOMEM, "no memory for a condition");
		if (!t->filtering)
			machine_break_filter(t->machine, BREAK_OWNER_GDB, stop_wanted, t);
		t->filtering = true;
	}
	if (old)
		htab_del(&t->table, &old->link);
	if (ret_old)
		*ret_old = old;
	else
		trigger_free(old);
	return 0;
}

/* All but those that persist, or all. */
static void sweep(struct triggers *t, bool all)
{
	for (size_t i = 0; i < t->table.buckets; i++)
		for (struct htab_link *l = t->table.bucket[i], *next; l; l = next) {
			struct trigger *g = of_link(l);

			next = l->next;
			if (all || !g->persist) {
				htab_del(&t->table, l);
				trigger_free(g);
			}
		}
}

void triggers_leave(struct triggers *t)
{
	sweep(t, false);
	for (size_t i = 0; i < t->table.buckets; i++)
		for (struct htab_link *l = t->table.bucket[i]; l; l = l->next) {
			const struct trigger *g = of_link(l);
			struct break_spec spec = { .kind = g->kind, .gva = l->key, .space = BREAK_ANY_SPACE };

			/* One that is refused now prints nothing; its trigger waits for nothing and harms nobody. */
			machine_break_insert(t->machine, BREAK_OWNER_GDB, &spec, NULL);
		}
}

size_t triggers_take(struct triggers *t, char *ret, size_t cap)
{
	return textring_take(&t->ring, ret, cap);
}

int triggers_new(struct machine *m, void (*wake)(void *arg), void *arg, struct triggers **ret, struct err *err)
{
	struct triggers *t = calloc(1, sizeof(*t));

	if (!t)
		return err_set(err, ENOMEM, "no memory for breakpoint conditions");
	t->machine = m;
	t->wake = wake;
	t->arg = arg;
	*ret = t;
	return 0;
}

void triggers_free(struct triggers *t)
{
	if (!t)
		return;
	if (t->filtering) {
		/* A guest that cannot be held may call the filter still: better to lose the memory. */
		if (machine_hold(t->machine, NULL)) {
			t->wake = NULL;
			return;
		}
		machine_break_filter(t->machine, BREAK_OWNER_GDB, NULL, NULL);
		machine_release(t->machine);
	}
	sweep(t, true);
	htab_done(&t->table);
	free(t);
}
