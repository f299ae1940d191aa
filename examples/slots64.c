/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A 64-bit kernel whose memory is worth watching: it sweeps over an arena, writes some of its pages much more
 * often, and tells what it reads in a window where there is no memory until somebody adds a slot.  Setting `leave`
 * from a debugger ends it.
 */
#include "guest.h"

#define PAGE 4096UL
#define ARENA ((volatile unsigned char *)0x1000000)     /* 16 MiB */
#define ARENA_PAGES 1024UL
#define HOT_PAGE 300UL          /* of the arena: this one and those behind it are the hot ones */
#define HOT_PAGES 24UL
#define WINDOW ((volatile unsigned int *)0x20000000)    /* 512 MiB: all ones while nothing is there */
#define NOINLINE __attribute__((noinline))

volatile unsigned int window;   /* what the guest last read there */
volatile unsigned long rounds;
volatile int leave;

int main(void);
void heat_up(unsigned long round);
void sweep(unsigned long round);

NOINLINE void heat_up(unsigned long round)
{
	ARENA[(HOT_PAGE + round % HOT_PAGES) * PAGE + 8] = (unsigned char)round;
}

NOINLINE void sweep(unsigned long round)
{
	ARENA[round / 64 % ARENA_PAGES * PAGE] = (unsigned char)round;
}

/* Says so when the window shows something else than before. */
static NOINLINE void look(void)
{
	unsigned int now = *WINDOW;

	if (now == window)
		return;
	window = now;
	put_text("window ");
	put_hex(now, 8);
	put_text("\r\n");
}

int main(void)
{
	put_text("writing until leave is set\r\n");
	for (; !leave; rounds++) {
		heat_up(rounds);
		sweep(rounds);
		look();
	}
	put_text("goodbye\r\n");
	return 0;
}
