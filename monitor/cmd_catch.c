/* SPDX-License-Identifier: GPL-3.0-or-later */
/* catch: events that have no place of their own. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/cmd_break.h"
#include "monitor/core.h"
#include "monitor/range.h"
#include "monitor/render.h"
#include "util/num.h"

static const struct {
	uint8_t vector;
	char name[4];
} vectors[] = {
	{ 0, "de" }, { 1, "db" }, { 2, "nmi" }, { 3, "bp" }, { 4, "of" }, { 5, "br" }, { 6, "ud" }, { 7, "nm" },
	{ 8, "df" }, { 10, "ts" }, { 11, "np" }, { 12, "ss" }, { 13, "gp" }, { 14, "pf" }, { 16, "mf" }, { 17, "ac" },
	{ 18, "mc" }, { 19, "xm" },
};

#define NVECTORS (sizeof(vectors) / sizeof(vectors[0]))

const char *catch_vector_name(uint64_t vector)
{
	for (size_t i = 0; i < NVECTORS; i++)
		if (vectors[i].vector == vector)
			return vectors[i].name;
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
	for (size_t i = 0; i < NVECTORS; i++)
		if (word_is(word, len, vectors[i].name)) {
			*ret = vectors[i].vector;
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

static const struct kind {
	const char *name;
	enum catch_kind kind;
	uint64_t max;           /* of its range */
	int (*parse)(struct task *t, const char **p, struct catch_spec *spec, uint64_t max, struct err *err);
} kinds[] = {
	{ "port", CATCH_PORT, 0xffff, parse_accesses },
	{ "mmio", CATCH_MMIO, UINT64_MAX, parse_accesses },
	{ "msr", CATCH_MSR, 0xffffffff, parse_accesses },
	{ "exception", CATCH_EXCEPTION, 31, parse_exception },
	{ "interrupt", CATCH_EXCEPTION, 255, parse_interrupt },
	{ "unclaimed", CATCH_UNCLAIMED, 0, NULL },
	{ "reset", CATCH_RESET, 0, NULL },
	{ "halt", CATCH_HALT, 0, NULL },
	{ "panic", CATCH_PANIC, 0, NULL },
	{ "oops", CATCH_OOPS, 0, NULL },
	{ "kernel", CATCH_KERNEL, 0, NULL },
};

#define NKINDS (sizeof(kinds) / sizeof(kinds[0]))

const char *catch_name(enum catch_kind kind)
{
	for (size_t i = 0; i < NKINDS; i++)
		if (kinds[i].kind == kind)
			return kinds[i].name;
	return "unknown";
}

static const struct kind *find_kind(const char *word, size_t len)
{
	for (size_t i = 0; i < NKINDS; i++)
		if (word_is(word, len, kinds[i].name))
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
		r = kind->parse(t, &p, &what.caught, kind->max, err);
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
