/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "util/spare.h"

#include <stdlib.h>
#include <string.h>

/* A sanitizer is to see the use of what was given back: nothing is kept. */
#ifdef __SANITIZE_ADDRESS__
#define KEEPS 0
#else
#define KEEPS 1
#endif

struct spare_piece {
	struct spare_piece *next;
};

void *spare_take(struct spare *s, size_t size)
{
	struct spare_piece *p = s->first;

	if (!p)
		return calloc(1, size);
	s->first = p->next;
	s->kept--;
	return memset(p, 0, size);
}

void spare_give(struct spare *s, void *piece)
{
	struct spare_piece *p = piece;

	if (!p || !KEEPS || s->kept == SPARE_MAX) {
		free(p);
		return;
	}
	p->next = s->first;
	s->first = p;
	s->kept++;
}

void spare_done(struct spare *s)
{
	struct spare_piece *next;

	for (struct spare_piece *p = s->first; p; p = next) {
		next = p->next;
		free(p);
	}
	*s = (struct spare){ 0 };
}
