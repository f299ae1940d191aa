/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The other half of one.c. */
#include "types.h"
#include "inlined.h"

struct sym_elsewhere {
	long skipped[3];
	int found;
};

struct sym_elsewhere sym_elsewhere_object;
enum sym_far_away { SYM_FAR = 1234567 } sym_far_object;
int sym_other(int n);

#line 50
int sym_other(int n)
{
	sym_count(n);
	sym_elsewhere_object.found = n;
	return n;
}
