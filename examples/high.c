/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A kernel in the higher half, 32 or 64 bit: says where it runs. */
#include "guest.h"

#define NOINLINE __attribute__((noinline))

volatile unsigned int paces;

int main(void);

static NOINLINE unsigned int pace(unsigned int n)
{
	paces += n;
	return paces;
}

int main(void)
{
	unsigned int i;

	put_text("hello from ");
	put_hex((unsigned long)&main >> 20 << 20, 2 * sizeof(long));
	put_text("\r\n");
	for (i = 1; i <= 4; i++)
		pace(i);
	put_text("done\r\n");
	return 0;
}
