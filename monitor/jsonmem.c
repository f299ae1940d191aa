/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "monitor/jsonmem.h"

#include <jansson.h>
#include <stdlib.h>

static bool failed;

static void *take(size_t size)
{
	void *p = malloc(size);

	failed |= !p;
	return p;
}

void jsonmem_watch(void)
{
	json_set_alloc_funcs(take, free);
}

void jsonmem_miss(void)
{
	failed = true;
}

bool jsonmem_failed(void)
{
	bool was = failed;

	failed = false;
	return was;
}
