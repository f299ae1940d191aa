/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Calls nested three deep, for backtraces, finish and next; built for 32 and for 64 bit. */
#define NOINLINE __attribute__((noinline))

volatile int leave, rounds, result;
int scale = 2;

int main(void);
int outer(int n);
int middle(int n);
int inner(int n);

NOINLINE int inner(int n)
{
	result = n;
	return n * scale + 1;
}

NOINLINE int middle(int n)
{
	int x = inner(n);

	result = x;
	return x + 10;
}

NOINLINE int outer(int n)
{
	int y = middle(n);

	return y + 100;
}

int main(void)
{
	int sum = 0;

	while (!leave) {
		rounds++;
		sum = outer(rounds);
		result = sum;
	}
	return 7;
}
