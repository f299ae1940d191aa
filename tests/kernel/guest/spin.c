// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A program that stays in user mode, for ever: spin_count grows.  With an argument it calls sched_yield() each time
 * round, which takes it through the scheduler, and ends after ROUNDS times.  Without the C library, so that starting it is
 * cheap.
 */
#define ROUNDS 10000

volatile unsigned long spin_count;

static long syscall3(long number, long a, long b, long c)
{
	long ret;

	__asm__ volatile("syscall" : "=a"(ret) : "0"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
	return ret;
}

static void say(const char *text, long len)
{
	syscall3(1, 1, (long)text, len);
}

#define SAY(text) say(text, sizeof(text) - 1)

__attribute__((noinline)) void spin_round(void)
{
	spin_count++;
}

__attribute__((noinline, used)) void spin(long argc)
{
	SAY("spin: ready\n");
	for (;;) {
		spin_round();
		if (argc < 2)
			continue;
		syscall3(24, 0, 0, 0);
		if (spin_count == ROUNDS) {
			SAY("spin: done\n");
			syscall3(60, 0, 0, 0);
		}
	}
}

__asm__(".globl _start; _start: mov (%rsp), %rdi; call spin");
