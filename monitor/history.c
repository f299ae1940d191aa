/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "monitor/history.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <readline/history.h>

#define LINES_KEPT 1000

static char path[PATH_MAX];     /* empty: there is no file */

static int find_path(void)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	int n = -1;

	/* The base directory specification: a relative path in the variable does not count. */
	if (state && state[0] == '/')
		n = snprintf(path, sizeof(path), "%s/gdbvisor/history", state);
	else if (home && home[0] == '/')
		n = snprintf(path, sizeof(path), "%s/.local/state/gdbvisor/history", home);
	return n > 0 && n < (int)sizeof(path) ? 0 : -1;
}

static void make_directories(void)
{
	for (char *p = path + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		mkdir(path, 0700);
		*p = '/';
	}
}

void history_open(void)
{
	int fd;

	using_history();
	stifle_history(LINES_KEPT);
	if (find_path()) {
		path[0] = '\0';
		return;
	}
	make_directories();
	fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0) {
		path[0] = '\0';
		return;
	}
	close(fd);
	read_history(path);
}

void history_keep(const char *line)
{
	const HIST_ENTRY *last = history_length ? history_get(history_base + history_length - 1) : NULL;

	if (!line[strspn(line, " \t")] || (last && !strcmp(last->line, line)))
		return;
	add_history(line);
	if (path[0])
		append_history(1, path);
}

void history_close(void)
{
	if (path[0])
		history_truncate_file(path, LINES_KEPT);
	clear_history();
}
