/* SPDX-License-Identifier: GPL-3.0-or-later */
/* catch: events that have no place of their own. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/arch.h"
#include "monitor/cmd_break.h"
#include "monitor/core.h"
#include "monitor/range.h"
#include "monitor/render.h"
#include "util/num.h"

const char *catch_vector_name(uint64_t vector)
{
	for (size_t i = 0; i < monitor_arch.nvectors; i++)
		if (monitor_arch.vectors[i].vector == vector)
			return monitor_arch.vectors[i].name;
	return NULL;
}

/* -- arguments -- */

/* [read|write]; both when neither is there. */
static unsigned parse_dir(const char **p)
{
	const char *rest = *p, *word;
	size_t len;

	word = task_word(&rest, &len);
	if (!word_is(word, len, "read") && !word_is(word, len, "write"))
		return CATCH_READ | CATCH_WRITE;
	*p = rest;
	return *word == 'r' ? CATCH_READ : CATCH_WRITE;
}

static int parse_accesses(struct task *t, const char **p, struct catch_spec *spec, uint64_t max, struct err *err)
{
	struct range range;
	int r;

	if (!**p)
		return task_usage(t, err);
	r = range_parse(t, p, 1, &range, err);
	if (r)
		return r;
	spec->start = range.start;
	spec->end = range.start + range.size - 1;
	if (spec->end > max)
		return task_malformed(t, err_set(err, EINVAL, "0x%" PRIx64 " is beyond the last %s, 0x%" PRIx64,
						 spec->end, catch_name(spec->kind), max));
	spec->dir = parse_dir(p);
	return 0;
}

bool catch_vector_number(const char *word, size_t len, uint64_t *ret)
{
	for (size_t i = 0; i < monitor_arch.nvectors; i++)
		if (word_is(word, len, monitor_arch.vectors[i].name)) {
			*ret = monitor_arch.vectors[i].vector;
			return true;
		}
	return !num_parse(word, len, ret);
}

/* N, N-M or a name. */
static int parse_vectors(struct task *t, const char **p, struct catch_spec *spec, uint64_t max, struct err *err)
{
	const char *word, *dash;
	size_t len, first;

	word = task_word(p, &len);
	dash = memchr(word, '-', len);
	first = dash ? (size_t)(dash - word) : len;
	if (!catch_vector_number(word, first, &spec->start) ||
	    (dash && !catch_vector_number(dash + 1, len - first - 1, &spec->end)))
		return task_malformed(t, err_set(err, EINVAL, "'%.*s' is no vector", len < 40 ? (int)len : 40, word));
	if (!dash)
		spec->end = spec->start;
	if (spec->end > max || spec->start > spec->end)
		return task_malformed(t, err_set(err, EINVAL, "'%.*s': vectors go from 0 to %" PRIu64,
						 len < 40 ? (int)len : 40, word, max));
	return 0;
}

static bool is_if(const char *p)
{
	return p[0] == 'i' && p[1] == 'f' && (!p[2] || p[2] == ' ' || p[2] == '\t');
}

static int parse_exception(struct task *t, const char **p, struct catch_spec *spec, uint64_t max, struct err *err)
{
	spec->end = max;
	return !**p || is_if(*p) ? 0 : parse_vectors(t, p, spec, max, err);
}

static int parse_interrupt(struct task *t, const char **p, struct catch_spec *spec, uint64_t max, struct err *err)
{
	return **p ? parse_vectors(t, p, spec, max, err) : task_usage(t, err);
}

/* -- the kinds -- */

static const uint64_t everything = UINT64_MAX;

static const struct kind {
	const char *name;       /* NULL: monitor_arch.special */
	enum catch_kind kind;
	const uint64_t *max;    /* of its range; NULL: it has none.  0: not on this architecture */
	int (*parse)(struct task *t, const char **p, struct catch_spec *spec, uint64_t max, struct err *err);
} kinds[] = {
	{ "port", CATCH_PORT, &monitor_arch.port_max, parse_accesses },
	{ "mmio", CATCH_MMIO, &everything, parse_accesses },
	{ NULL, CATCH_SPECIAL, &monitor_arch.special_max, parse_accesses },
	{ "exception", CATCH_EXCEPTION, &monitor_arch.exception_max, parse_exception },
	{ "interrupt", CATCH_EXCEPTION, &monitor_arch.interrupt_max, parse_interrupt },
	{ "unclaimed", CATCH_UNCLAIMED, NULL, NULL },
	{ "reset", CATCH_RESET, NULL, NULL },
	{ "halt", CATCH_HALT, NULL, NULL },
	{ "panic", CATCH_PANIC, NULL, NULL },
	{ "oops", CATCH_OOPS, NULL, NULL },
	{ "kernel", CATCH_KERNEL, NULL, NULL },
};

#define NKINDS (sizeof(kinds) / sizeof(kinds[0]))

static const char *name_of(const struct kind *k)
{
	return k->name ? k->name : monitor_arch.special;
}

const char *catch_name(enum catch_kind kind)
{
	for (size_t i = 0; i < NKINDS; i++)
		if (kinds[i].kind == kind)
			return name_of(&kinds[i]);
	return "unknown";
}

static const struct kind *find_kind(const char *word, size_t len)
{
	for (size_t i = 0; i < NKINDS; i++)
		if ((!kinds[i].max || *kinds[i].max) && word_is(word, len, name_of(&kinds[i])))
			return &kinds[i];
	return NULL;
}

int catch_exec(struct task *t, struct err *err)
{
	struct brk what = { .type = BRK_CATCH, .cpu = -1 };
	const char *p = t->args, *word;
	const struct kind *kind;
	size_t len;
	int r = 0;

	word = task_word(&p, &len);
	if (word_is(word, len, "shutdown") && !*p) {
		t->result = json_pack("{s:s}", "text",
				      "triple faults and internal errors always stop the guest: nothing to set");
		return 0;
	}
	kind = find_kind(word, len);
	if (!kind)
		return task_usage(t, err);
	what.caught = (struct catch_spec){ .kind = kind->kind };
	if (kind->parse)
		r = kind->parse(t, &p, &what.caught, *kind->max, err);
	if (!r)
		r = brk_parse_tail(t, p, 0, &what, err);
	return r ? r : brk_add(t, &what, err);
}

void catch_render(const json_t *result, struct out *o)
{
	if (json_object_get(result, "text"))
		render_text(result, o);
	else
		brk_render(result, o);
}
