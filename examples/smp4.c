/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Four CPUs: the first wakes the others by one INIT and SIPI, then each calls tick() for ever, counting in a cache line
 * of its own.  Setting `leave` from a debugger ends it.
 */
#include "guest.h"

#ifndef CPUS
#define CPUS 4
#endif
#define TRAMPOLINE 0x8000UL             /* below 1 MiB; the SIPI vector is its page number */
#define APIC 0xfee00000UL
#define APIC_SPURIOUS 0x0f0
#define APIC_ICR_LOW 0x300
#define APIC_ENABLE 0x100
#define ICR_INIT 0xc4500                /* to all but oneself: assert, INIT */
#define ICR_STARTUP 0xc4600             /* the same: assert, start-up; vector in the low byte */
#define ICR_PENDING 0x1000
#define PAGE_PRESENT_WRITE 0x3
#define PAGE_LARGE 0x80
#define CYCLES_FOR_THEM (CPUS * 500000000UL)    /* far more than they need to come up; then they are taken as absent */
#define NOINLINE __attribute__((noinline))

struct counter {
	volatile unsigned long n;
} __attribute__((aligned(64)));

struct counter counters[CPUS];
volatile int cpus_up = 1;
volatile int leave;

static volatile int up[CPUS];
static unsigned long pml4[512] __attribute__((aligned(4096)));
static unsigned long pdpt[512] __attribute__((aligned(4096)));
static unsigned long directories[4][512] __attribute__((aligned(4096)));

extern unsigned char trampoline[], trampoline_end[], trampoline_cr3[];

int main(void);
void cpu_main(unsigned int cpu);
void tick(struct counter *c);

NOINLINE void tick(struct counter *c)
{
	c->n++;
}

static void map_4_gib(void)
{
	for (unsigned long i = 0; i < 4 * 512; i++)
		directories[i / 512][i % 512] = i << 21 | PAGE_LARGE | PAGE_PRESENT_WRITE;
	for (int i = 0; i < 4; i++)
		pdpt[i] = (unsigned long)directories[i] | PAGE_PRESENT_WRITE;
	pml4[0] = (unsigned long)pdpt | PAGE_PRESENT_WRITE;
	__asm__ volatile("movq %0, %%cr3" : : "r"(pml4) : "memory");
}

static void put_trampoline(void)
{
	unsigned char *to = (unsigned char *)TRAMPOLINE;
	unsigned long size = (unsigned long)(trampoline_end - trampoline);

	__asm__("" : "+r"(to));
	for (unsigned long i = 0; i < size; i++)
		((volatile unsigned char *)to)[i] = trampoline[i];
	*(volatile unsigned int *)(to + (trampoline_cr3 - trampoline)) = (unsigned int)(unsigned long)pml4;
}

static volatile unsigned int *apic(unsigned long reg)
{
	return (volatile unsigned int *)(APIC + reg);
}

static void send_ipi(unsigned int command)
{
	*apic(APIC_ICR_LOW) = command;
	while (*apic(APIC_ICR_LOW) & ICR_PENDING)
		;
}

static unsigned long cycles(void)
{
	unsigned int low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (unsigned long)high << 32 | low;
}

/* Wakes all others at once; how many have come up, with this one. */
static NOINLINE int wake(void)
{
	unsigned long start = cycles();
	int n = 1;

	send_ipi(ICR_INIT);
	send_ipi(ICR_STARTUP | TRAMPOLINE >> 12);
	for (unsigned int cpu = 1; cpu < CPUS; cpu++) {
		while (!up[cpu] && cycles() - start < CYCLES_FOR_THEM)
			__asm__ volatile("pause");
		n += up[cpu];
	}
	return n;
}

/* A further CPU's life. */
void cpu_main(unsigned int cpu)
{
	tick(&counters[cpu]);
	up[cpu] = 1;
	for (;;)
		tick(&counters[cpu]);
}

int main(void)
{
	map_4_gib();
	put_trampoline();
	*apic(APIC_SPURIOUS) = APIC_ENABLE | 0xff;
	cpus_up = wake();
	tick(&counters[0]);             /* so each has counted when the line below is out */
	put_text("cpus: ");
	put_number((unsigned long)cpus_up);
	put_text("\r\n");
	while (!leave)
		tick(&counters[0]);
	put_text("goodbye\r\n");
	return 0;
}
