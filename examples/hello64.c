/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A 64-bit kernel to try a debugger on (gdbvisor --demo): greets on COM1, fills a table, then ticks until a
 * debugger sets `leave`.  Its exit status is then (exit_value << 1) | 1.
 */
#include "guest.h"

#define ENTRIES 16
#define NOINLINE __attribute__((noinline))

struct entry {
	unsigned int number, square;
};

struct entry table[ENTRIES];
volatile unsigned long ticks;
volatile int leave;
volatile int exit_value;

int main(void);

static NOINLINE unsigned int square(unsigned int n)
{
	unsigned int sum = 0;

	for (unsigned int i = 0; i < n; i++)
		sum += n;
	return sum;
}

static NOINLINE void fill_entry(struct entry *e, unsigned int n)
{
	e->number = n;
	e->square = square(n);
}

static NOINLINE void fill_table(void)
{
	for (unsigned int i = 0; i < ENTRIES; i++)
		fill_entry(&table[i], i);
}

static NOINLINE unsigned int sum_table(void)
{
	unsigned int sum = 0;

	for (unsigned int i = 0; i < ENTRIES; i++)
		sum += table[i].square;
	return sum;
}

static NOINLINE void tick(unsigned long n)
{
	ticks = n;
}

int main(void)
{
	put_text("hello from 64-bit code\r\n");
	fill_table();
	put_text("the squares add up to ");
	put_number(sum_table());
	put_text("\r\nticking until leave is set\r\n");
	for (unsigned long n = 1; !leave; n++)
		tick(n);
	put_text("goodbye\r\n");
	return exit_value;
}
