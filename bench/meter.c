/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bench/meter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/rsp.h"

#define MAX_TIMED (1u << 20)

static float times[MAX_TIMED];

double meter_now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

void meter_start(struct meter *m, const char *seconds)
{
	char *end;
	double s = strtod(seconds, &end);

	if (*end || !(s > 0) || s > 3600)
		die("%s is no number of seconds", seconds);
	*m = (struct meter){ .us = times };
	m->begin = m->last = meter_now_us();
	m->until = m->begin + s * 1e6;
}

bool meter_more(const struct meter *m)
{
	return !m->ops || m->last < m->until;
}

void meter_did(struct meter *m, uint64_t ops)
{
	double now = meter_now_us();

	if (m->timed < MAX_TIMED)
		m->us[m->timed++] = (float)(now - m->last);
	m->last = now;
	m->ops += ops;
}

void meter_skip(struct meter *m)
{
	meter_rewind(m, 0);
}

void meter_rewind(struct meter *m, double us)
{
	double skipped = meter_now_us() - us - m->last;

	m->begin += skipped;
	m->until += skipped;
	m->last += skipped;
}

static int compare(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

void meter_print(struct meter *m, const char *extra)
{
	double seconds = (m->last - m->begin) / 1e6;

	if (!m->timed)
		die("nothing was measured");
	qsort(m->us, m->timed, sizeof(*m->us), compare);
	printf("{\"ops\": %llu, \"seconds\": %.6f, \"rate\": %.2f, ", (unsigned long long)m->ops, seconds,
	       (double)m->ops / seconds);
	printf("\"p50_us\": %.2f, \"p99_us\": %.2f, \"least_us\": %.2f%s%s}\n", (double)m->us[m->timed / 2],
	       (double)m->us[m->timed * 99 / 100], (double)m->us[0], *extra ? ", " : "", extra);
}

uint64_t meter_number(const char *text)
{
	char *end;
	unsigned long long v = strtoull(text, &end, 0);

	if (end == text || *end)
		die("%s is no number", text);
	return v;
}

void meter_serve(const struct meter_command *commands, size_t n)
{
	char line[4096];

	while (fgets(line, sizeof(line), stdin)) {
		char *args[METER_ARGS + 1] = { NULL }, *rest = line;
		unsigned count = 0;
		size_t i = 0;

		while (count <= METER_ARGS && (args[count] = strtok_r(rest, " \n", &rest)))
			count++;
		if (!count)
			continue;
		while (i < n && strcmp(args[0], commands[i].name))
			i++;
		if (i == n || count != commands[i].args + 1)
			die("%s: no such command, or not with %u arguments", args[0], count - 1);
		commands[i].run(args + 1);
		fflush(stdout);
	}
}
