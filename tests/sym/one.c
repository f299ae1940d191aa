/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A program that never runs: check_dwarf.c reads what compilers say of it.  Lines are numbered by hand. */
#include "types.h"
#include "inlined.h"

volatile int sym_counter;
sym_again_t *sym_object;
sym_unnamed_t *sym_unnamed;
union sym_both *sym_both_object;
enum sym_colour sym_colour_object;
int sym_plain(int x), sym_loop(int n), sym_other(int n);
void sym_start(void);

#line 100
int sym_plain(int x)
{
	sym_counter = x;
	return x + 1;
}

#line 200
int sym_loop(int n)
{
	sym_count(n);
	for (int i = 0; i < sym_counter; i++)
		sym_counter += i * n;
	return n;
}

#line 300
void sym_start(void)
{
	sym_count(3);
	sym_other(sym_loop(sym_plain(4)));
}
