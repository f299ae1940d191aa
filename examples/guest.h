/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the example kernels share: ports, COM1, the exit port.  Freestanding, 32 or 64 bit. */
#ifndef GV_EXAMPLES_GUEST_H
#define GV_EXAMPLES_GUEST_H

#define COM1 0x3f8
#define COM1_LSR (COM1 + 5)
#define LSR_THR_EMPTY 0x20
#define EXIT_PORT 0xf4

static inline void outb(unsigned short port, unsigned char value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline unsigned char inb(unsigned short port)
{
	unsigned char value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

static inline void put_char(char c)
{
	while (!(inb(COM1_LSR) & LSR_THR_EMPTY))
		;
	outb(COM1, (unsigned char)c);
}

static inline void put_text(const char *s)
{
	while (*s)
		put_char(*s++);
}

/* The low DIGITS hexadecimal digits of VALUE. */
static inline void put_hex(unsigned long long value, int digits)
{
	while (digits-- > 0)
		put_char("0123456789abcdef"[(unsigned long)(value >> (4 * digits)) & 15]);
}

static inline void put_number(unsigned long value)
{
	char digits[20];
	int n = 0;

	do
		digits[n++] = (char)('0' + value % 10);
	while (value /= 10);
	while (n > 0)
		put_char(digits[--n]);
}

#endif
