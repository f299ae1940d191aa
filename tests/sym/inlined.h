/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Code that is in every function that calls it. */
#line 10
static inline __attribute__((always_inline)) void sym_count(int n)
{
	extern volatile int sym_counter;

	sym_counter += n;

	sym_counter ^= 1;
}
