/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The hostile firmware's main loop: at `begin` it is told a scenario and a seed, at `finished` it has done that. */
#include "hostile.h"

#define CPUS    16u

typedef void act_fn(void);

/* In the order of storms.py's SCENARIOS. */
static act_fn *const acts[] = {
	port_act, memory_act, pci_act, msr_act, control_act, fw_cfg_act, virtio_act, ide_act, code_act, pages_act,
	debug_act, user_act,
	ipi_act, tick_act, death_act,
};
#define MIXED 10u       /* so many of the first ones by turns: the scenario behind the last */
#define NACTS (sizeof(acts) / sizeof(acts[0]))

struct table_pointer {
	u16 limit;
	u64 base;
} __attribute__((packed));

volatile struct control control = { .limit = 1 };
extern u8 vectors[], payload_size[];
void load_tables(const struct table_pointer *gdt, const struct table_pointer *idt);
int main(void);
void ap_main(void);
void trap(u64 vector, u64 *frame);

static u64 gdt[8], idt[512], state = 1;
static u32 task[26];
static u64 recover[CPUS][5];

u64 rnd(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

u64 wild(void)
{
	switch (below(16)) {
	case 0: case 1: case 2:
		return ARENA + below(ARENA_SIZE);
	case 3:
		return 0x1000000 - 64 + below(128);             /* the end of RAM */
	case 4:
		return 0xa0000 + below(0x20000);
	case 5:
		return 0xc0000 + below(0x40000);
	case 6:
		return 0xfec00000 + below(0x100);
	case 7:
		return 0xfee00000 + below(0x1000);
	case 8:
		return 0xffff0000 + below(0x20000);
	case 9:
		return 0xe0000000 + below(0x200000);
	case 10:
		return READ_ONLY - 64 + below(READ_ONLY_SIZE + 128);
	case 11:
		return 1ul << below(64);
	case 12:
		return -below(0x10000);
	case 13:
		return rnd();
	case 14:
		return rnd() & 0xffffffff;
	default:
		return below(64) ? ARENA + (rnd() & 0xff000) - below(16) : below(0x1000000);
	}
}

volatile u8 *window(u64 gpa)
{
	volatile u64 *entry = (volatile u64 *)(TABLES + 0x6000);

	entry[0] = (gpa & ~0x1ffffful) | 0x87;
	entry[1] = (((gpa & ~0x1ffffful) + 0x200000) & ~0x1ffffful) | 0x87;
	__asm__ volatile("invlpg (%0)" : : "r"(WINDOW) : "memory");
	__asm__ volatile("invlpg (%0)" : : "r"(WINDOW + 0x200000) : "memory");
	return (volatile u8 *)(WINDOW + (gpa & 0x1fffff));
}

u32 this_cpu(void)
{
	return (u32)(((u64)__builtin_frame_address(0) - STACKS) >> STACK_SHIFT) % CPUS;
}

/* Faults end the act; traps, NMIs and interrupts are counted. */
void trap(u64 vector, u64 *frame)
{
	volatile u64 *entry = (volatile u64 *)TRACE + (control.faults + control.traps) % TRACED * 4;

	if (vector >= 32) {
		control.interrupts++;
		out8(0xa0, 0x20);
		out8(0x20, 0x20);
		*lapic(0xb0) = 0;
		return;
	}
	if (vector == 2)
		return;
	entry[0] = control.ops;
	entry[1] = vector;
	entry[2] = frame[0];
	entry[3] = frame[2];
	control.trace = control.trace * 31 + vector + frame[0] + control.ops;
	if (vector == 1 || vector == 3) {
		control.traps++;
		/* Not for ever, and past the breakpoint. */
		if (control.traps & 1)
			frame[2] &= ~0x100ul;
		frame[2] |= 0x10000;
		/* Some KVMs stay at an INT1 of user mode. */
		frame[0] += (frame[1] & 3) && *(volatile u8 *)frame[0] == 0xf1;
		return;
	}
	control.faults++;
	__builtin_longjmp(recover[this_cpu()], 1);
}

static u64 task_entry(u64 base, u64 limit)
{
	return limit | (base & 0xffffff) << 16 | 0x89ul << 40 | (base >> 24 & 0xff) << 56;
}

void tables(void)
{
	struct table_pointer g = { sizeof(gdt) - 1, (u64)gdt }, i = { sizeof(idt) - 1, (u64)idt };

	gdt[2] = 0x00af9b000000ffff;
	gdt[3] = 0x00cf93000000ffff;
	gdt[4] = 0x00cff3000000ffff;
	gdt[5] = 0x00affb000000ffff;
	gdt[6] = task_entry((u64)task, sizeof(task) - 1);
	gdt[7] = (u64)task >> 32;
	task[1] = STACKS + STACK_SIZE - 0x1000;         /* of CPL 0, when it comes from user mode */
	for (u64 n = 0; n < 256; n++) {
		u64 at = (u64)vectors + 16 * n;

		idt[2 * n] = (at & 0xffff) | (u64)KERNEL_CODE << 16 |
			     (n == 3 ? 0xeeul : 0x8eul) << 40 | (at >> 16 & 0xffff) << 48;
		idt[2 * n + 1] = at >> 32;
	}
	load_tables(&g, &i);
	__asm__ volatile("ltr %w0" : : "r"(TASK));
}

/* The others: they bother each other, and rewrite code. */
void ap_main(void)
{
	struct table_pointer g = { sizeof(gdt) - 1, (u64)gdt }, i = { sizeof(idt) - 1, (u64)idt };
	u32 x = this_cpu() * 0x9e3779b9u + 1;

	load_tables(&g, &i);
	__builtin_setjmp(recover[this_cpu()]);
	for (;;) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		__asm__ volatile("lock incq %0" : "+m"(control.interrupts));
		if (acts[control.scenario % NACTS] == code_act) {
			if (x % 128 == 0)
				write_code(x);
		} else if (x % 64 == 0) {
			/* NMI, INIT or start-up to somebody who is not the boot processor. */
			static const u32 command[] = { 0x4400, 0x4400, 0x4500, 0x46fe };

			*lapic(0x310) = (1 + (x >> 8) % 3) << 24;
			*lapic(0x300) = command[x >> 16 & 3];
		} else if (x % 1024 == 1) {
			__asm__ volatile("sti\n hlt\n cli");
		}
		__asm__ volatile("pause");
	}
}

static u64 sum_payload(void)
{
	u64 sum = 0;

	for (const u64 *p = (const u64 *)0xf0000; p < (const u64 *)(0xf0000 + (u64)payload_size); p++)
		sum = (sum << 1 | sum >> 63) ^ *p;
	return sum;
}

static void storm(void)
{
	/* Not in registers: what a fault interrupts is not known. */
	__builtin_setjmp(recover[0]);
	__asm__ volatile("mov %0, %%ss" : : "r"(KERNEL_DATA));
	while (control.ops < control.limit) {
		control.ops++;
		if (control.scenario < NACTS)
			acts[control.scenario]();
		else
			acts[below(MIXED)]();
	}
	leave_code();
}

int main(void)
{
	control.sum = sum_payload();
	tables();
	pci_setup();
	for (const char *p = "ready\n"; *p; p++)
		out8(0x3f8, (u8)*p);
	for (;;) {
		begin();
		state = control.seed * 0x9e3779b97f4a7c15ul | 1;
		control.ops = control.faults = control.traps = control.interrupts = control.wrong = control.trace = 0;
		for (u32 i = 0; i < 8; i++)
			rnd();
		storm();
		finished();
	}
}
