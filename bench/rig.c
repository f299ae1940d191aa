/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bench/rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct machine *m;
struct err err;
bool missed;

void need(int r)
{
	if (!r)
		return;
	fprintf(stderr, "bench: %s\n", err.msg);
	exit(1);
}

double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double median(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), compare);
	return v[n / 2];
}

void line(const char *name, double value, const char *unit, double bound)
{
	bool kept = !bound || value <= bound;

	if (bound)
		printf("%-64s %10.2f %-3s  %6.2f  %s\n", name, value, unit, bound, kept ? "ok" : "MISSED");
	else
		printf("%-64s %10.2f %-3s\n", name, value, unit);
	fflush(stdout);
	missed |= !kept;
}
