/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "gdbscript.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool in_build_tree(void)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *slash;

	if (n < 0)
		return false;
	path[n] = '\0';
	slash = strrchr(path, '/');
	if (slash)
		*slash = '\0';
	return !strcmp(path, GV_BUILD_DIR);
}

int gdbscript_path(char *buf, size_t size)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/gdbvisor.py", in_build_tree() ? GV_SOURCE_DIR : GV_DATA_DIR);

	if (n >= (int)sizeof(path) || (size_t)n >= size)
		return -ENAMETOOLONG;
	if (access(path, R_OK))
		return -ENOENT;
	memcpy(buf, path, (size_t)n + 1);
	return 0;
}
