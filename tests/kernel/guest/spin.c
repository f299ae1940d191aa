// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * A program that stays in user mode, for ever: spin_count grows.  With an argument it calls sched_yield() each time
 * round, which takes it through the scheduler.  Without the C library, so that starting it is cheap.
 */

volatile unsigned long spin_count;

static long syscall3(long number, long a, long b, long c)
{
	long ret;

	__asm__ volatile("syscall" : "=a"(ret) : "0"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
	return ret;
}

__attribute__((noinline)) void spin_round(void)
{
	spin_count++;
}

__attribute__((noinline, used)) void spin(long argc)
{
	static const char ready[] = "spin ready\n";

	syscall3(1, 1, (long)ready, sizeof ready - 1);
	for (;;) {
		spin_round();
		if (argc > 1)
			syscall3(24, 0, 0, 0);
	}
}

__asm__(".globl _start; _start: mov (%rsp), %rdi; call spin");
