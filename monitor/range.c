/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "monitor/range.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "monitor/core.h"
#include "monitor/text.h"

/* The two dots of a range that begins at P; NULL: there are none.  A condition's text does not count. */
static const char *find_dots(const char *p)
{
	const char *dots = strstr(p, ".."), *cond = strstr(p, " if");

	return dots && (!cond || dots < cond) ? dots : NULL;
}

/* LAST is the last byte of what begins at START. */
static int set_last(struct task *t, uint64_t start, uint64_t last, struct range *ret, struct err *err)
{
	if (last < start)
		return task_malformed(t, err_set(err, EINVAL, "the range ends before it begins"));
	if (last - start == UINT64_MAX)
		return task_malformed(t, err_set(err, EINVAL, "the range is everything"));
	*ret = (struct range){ start, last - start + 1 };
	return 0;
}

static int set_size(struct task *t, uint64_t start, uint64_t size, struct range *ret, struct err *err)
{
	if (!size)
		return task_malformed(t, err_set(err, EINVAL, "a range of nothing"));
	if (size - 1 > UINT64_MAX - start)
		return task_malformed(t, err_set(err, EINVAL, "%" PRIu64 " from 0x%" PRIx64 " on do not fit 64 bits",
						 size, start));
	*ret = (struct range){ start, size };
	return 0;
}

int range_parse(struct task *t, const char **p, uint64_t size, struct range *ret, struct err *err)
{
	const char *dots = find_dots(*p);
	uint64_t start, last;
	int r;

	if (dots) {
		r = task_expr_to(t, *p, dots, &start, err);
		*p = dots + 2;
		if (!r)
			r = task_expr(t, p, &last, err);
		return r ? r : set_last(t, start, last, ret, err);
	}
	r = task_expr(t, p, &start, err);
	if (!r && **p == ',') {
		++*p;
		r = task_expr(t, p, &size, err);
	}
	return r ? r : set_size(t, start, size, ret, err);
}

/* The bytes a `*(u32)` at P stands for, 0: there is none; *P moves behind it. */
static uint64_t pointed_size(const char **p)
{
	static const struct {
		const char *text;
		uint64_t size;
	} sizes[] = { { "*(u8)", 1 }, { "*(u16)", 2 }, { "*(u32)", 4 }, { "*(u64)", 8 } };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		if (!strncmp(*p, sizes[i].text, strlen(sizes[i].text))) {
			*p += strlen(sizes[i].text);
			return sizes[i].size;
		}
	return 0;
}

static bool covers(struct machine *m, const char *name, uint64_t addr, uint64_t offset)
{
	uint64_t found;
	const char *at = machine_sym_at(m, addr + offset, &found);

	return at && found == offset && !strcmp(at, name);
}

/* How many bytes the symbol that begins at ADDR covers; 0: more than RANGE_SYMBOL_MAX, or no symbol begins there. */
static uint64_t symbol_size(struct machine *m, uint64_t addr)
{
	uint64_t offset, low = 0, high = RANGE_SYMBOL_MAX;
	const char *name = machine_sym_at(m, addr, &offset);

	if (!name || offset || covers(m, name, addr, high))
		return 0;
	/* It covers LOW, and does not cover HIGH. */
	while (high - low > 1) {
		uint64_t mid = low + (high - low) / 2;

		if (covers(m, name, addr, mid))
			low = mid;
		else
			high = mid;
	}
	return high;
}

/* Whether the range at P is one name and nothing else. */
static bool name_alone(const char *p)
{
	size_t n = strcspn(p, " \t,+-*/%&|^<>=!?:()$~'");

	return n && !(*p >= '0' && *p <= '9') && (!p[n] || text_space(p[n])) && !find_dots(p);
}

int range_parse_watch(struct task *t, const char **p, struct range *ret, struct err *err)
{
	const char *start = *p;
	uint64_t size = pointed_size(p);
	struct range range;
	int r;

	r = range_parse(t, p, size ? size : 8, &range, err);
	if (r)
		return r;
	if (name_alone(start)) {
		size = symbol_size(task_machine(t), range.start);
		if (size)
			range.size = size;
	}
	*ret = range;
	return 0;
}
