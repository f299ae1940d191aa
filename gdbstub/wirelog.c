/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "gdbstub/wirelog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/clock.h"

#define COLUMN 48       /* how wide a payload is made, so that meanings stand in a column */

struct wirelog {
	int fd;                 /* -1 once it has failed */
	uint64_t start_us;
	char *path;
	void (*failed)(void *arg, const char *text);
	void *arg;
};

int wirelog_open(const char *path, void (*failed)(void *arg, const char *text), void *arg, struct wirelog **ret,
		 struct err *err)
{
	struct wirelog *l = calloc(1, sizeof(*l));
	int r;

	if (!l)
		return err_set(err, ENOMEM, "no memory for a log of packets");
	l->fd = -1;
	l->path = strdup(path);
	if (!l->path) {
		r = err_set(err, ENOMEM, "no memory for a log of packets");
		goto fail;
	}
	/* not to wait for the reader of a pipe, now or later */
	l->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600);
	if (l->fd < 0) {
		r = err_errno(err, errno, "%s", path);
		goto fail;
	}
	l->start_us = clock_ns() / 1000;
	l->failed = failed;
	l->arg = arg;
	*ret = l;
	return 0;
fail:
	wirelog_close(l);
	return r;
}

void wirelog_close(struct wirelog *l)
{
	if (!l)
		return;
	if (l->fd >= 0)
		close(l->fd);
	free(l->path);
	free(l);
}

/* The payload, what is not printable as \xNN, cut where it becomes long, and ended by a 0. */
static void put_payload(char *ret, const uint8_t *payload, size_t len)
{
	size_t n = 0, i = 0;

	for (; i < len && n + 4 <= WIRELOG_PAYLOAD; i++) {
		bool plain = payload[i] >= ' ' && payload[i] <= '~' && payload[i] != '\\';

		n += (size_t)(plain ? sprintf(ret + n, "%c", payload[i]) : sprintf(ret + n, "\\x%02x", payload[i]));
	}
	if (i < len)
		n += (size_t)sprintf(ret + n, "...+%zu", len - i);
	ret[n] = '\0';
}

static void write_line(struct wirelog *l, const char *line, size_t len)
{
	char text[400];
	ssize_t n;

	do
		n = write(l->fd, line, len);
	while (n < 0 && errno == EINTR);
	if (n == (ssize_t)len)
		return;
	snprintf(text, sizeof(text), "%.256s: %s: packets are not logged any more", l->path,
		 n < 0 ? strerror(errno) : "not written whole");
	close(l->fd);
	l->fd = -1;
	if (l->failed)
		l->failed(l->arg, text);
}

void wirelog_packet(struct wirelog *l, unsigned client, enum wire_dir dir, const uint8_t *payload, size_t len)
{
	static const char *const arrows[] = { [WIRE_IN] = "<", [WIRE_OUT] = ">", [WIRE_NOTE] = "%" };
	char shown[WIRELOG_PAYLOAD + 32], meaning[WIRELOG_MEANING], line[sizeof(shown) + sizeof(meaning) + 64];
	uint64_t us;
	int n;

	if (l->fd < 0)
		return;
	us = clock_ns() / 1000 - l->start_us;
	put_payload(shown, payload, len);
	wirelog_meaning(dir, payload, len, meaning);
	n = snprintf(line, sizeof(line), "%8llu.%06llu %u %s %-*s%s%s", (unsigned long long)(us / 1000000),
		     (unsigned long long)(us % 1000000), client, arrows[dir], COLUMN, shown, meaning[0] ? "  " : "", meaning);
	while (n > 0 && line[n - 1] == ' ')
		n--;
	line[n++] = '\n';
	write_line(l, line, (size_t)n);
}
