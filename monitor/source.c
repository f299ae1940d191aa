/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "monitor/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "monitor/core.h"
#include "monitor/render.h"
#include "monitor/text.h"
#include "util/num.h"

#define FILE_MAX        (16 << 20)      /* bytes of a file that is read */
#define TEXT_MAX        400             /* bytes of a line that are shown */

static int open_source(const char *path, FILE **ret, struct err *err)
{
	/* The name is the debugging information's: a FIFO or a terminal must not hold us up. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), r = 0;
	struct stat st;
	FILE *f;

	if (fd < 0)
		return err_errno(err, errno, "%s", path);
	if (fstat(fd, &st))
		r = err_errno(err, errno, "%s", path);
	else if (!S_ISREG(st.st_mode))
		r = err_set(err, EINVAL, "%s: not a regular file", path);
	else if (st.st_size > FILE_MAX)
		r = err_set(err, EFBIG, "%s: larger than %d MiB", path, FILE_MAX >> 20);
	f = r ? NULL : fdopen(fd, "r");
	if (!r && !f)
		r = err_errno(err, errno, "%s", path);
	if (r) {
		close(fd);
		return r;
	}
	*ret = f;
	return 0;
}

int source_read(const char *path, unsigned first, unsigned last, json_t **ret, struct err *err)
{
	json_t *list;
	char *line = NULL;
	size_t cap = 0, len;
	unsigned n = 0;
	FILE *f = NULL;
	int r = open_source(path, &f, err);

	if (r)
		return r;
	list = json_array();
	/* It may grow meanwhile. */
	while (n < last && ftello(f) <= FILE_MAX && getline(&line, &cap, f) > 0)
		if (++n >= first) {
			len = strcspn(line, "\r\n");
			json_array_append_new(list, json_pack("{s:I, s:o}", "line", (json_int_t)n, "text",
							      data_text(line, len < TEXT_MAX ? len : TEXT_MAX)));
		}
	free(line);
	fclose(f);
	if (!json_array_size(list)) {
		json_decref(list);
		return err_set(err, ENOENT, "%s ends before line %u: it has %u", path, first, n);
	}
	*ret = list;
	return 0;
}

bool source_named(const char **p, const char **ret_file, size_t *ret_len, unsigned *ret_line)
{
	size_t len = strcspn(*p, " \t");
	const char *colon = memrchr(*p, ':', len);
	uint64_t line;

	/* An expression has a colon only behind a question mark. */
	if (!colon || colon == *p || memchr(*p, '?', len) || !(colon[1] >= '0' && colon[1] <= '9') ||
	    num_parse(colon + 1, (size_t)(*p + len - colon - 1), &line) || !line || line > INT32_MAX)
		return false;
	*ret_file = *p;
	*ret_len = (size_t)(colon - *p);
	*ret_line = (unsigned)line;
	*p += len;
	*p += strspn(*p, " \t");
	return true;
}

int source_places(struct task *t, const char **p, uint64_t *ret, bool *ret_moves, struct err *err)
{
	const char *file;
	unsigned line;
	size_t len;
	int r;

	if (source_named(p, &file, &len, &line)) {
		r = machine_sym_places(task_machine(t), file, len, &line, ret, SOURCE_PLACES_MAX, err);
		if (r > 0)
			*ret_moves = true;
		return r;
	}
	t->by_symbol = false;
	r = task_expr_place(t, p, ret, err);
	if (r)
		return r;
	*ret_moves = t->by_symbol;
	return 1;
}
