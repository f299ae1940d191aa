/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A firmware that attacks its machine: what its parts share.  storms.py sets `control` where it stands at `begin`. */
#ifndef HOSTILE_H
#define HOSTILE_H

#define KERNEL_CODE     0x10
#define KERNEL_DATA     0x18
#define USER_DATA       0x23
#define USER_CODE       0x2b
#define TASK            0x30
#define TABLES          0x10000         /* page tables: of all, of the first four GiB, and of the window behind them */
#define STACKS          0x40000         /* of eight processors and more */
#define STACK_SHIFT     14
#define STACK_SIZE      0x4000
#define WINDOW          0x100000000     /* gva, 2 MiB, mapped anywhere */
#define ARENA           0x200000        /* for devices to read and write */
#define ARENA_SIZE      0x100000
#define CODE            0x300000        /* what rewrites itself; and a copy of it */
#define CODE_COPY       0x310000
#define CODE_OTHERS     0xe00           /* from here on in that page, what other processors write */
#define WILD_TABLES     0x400000        /* page tables that lead anywhere */
#define USER_STACK      0x500000
#define TRACE           0x600000        /* the last exceptions: act, vector, rip, rflags */
#define TRACED          4096            /* entries */
#define READ_ONLY       0x40000000      /* a slot that nothing in the guest can change */
#define READ_ONLY_SIZE  0x10000

#ifndef __ASSEMBLER__
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;

/* What storms.py reads and writes, by offset. */
struct control {
	u64 scenario, seed, limit;
	u64 ops, faults, traps, interrupts, wrong;      /* counts; wrong: results that cannot be */
	u64 sum;                                        /* of the payload, before anything was done */
	u64 trace;                                      /* of the exceptions, in their order */
};

extern volatile struct control control;

void begin(void);
void finished(void);
void last_act(void);

u64 rnd(void);
static inline u64 below(u64 n)
{
	return rnd() % n;
}
/* A physical address that is worth trying. */
u64 wild(void);
/* Has WINDOW lead to GPA; where GPA is there then. */
volatile u8 *window(u64 gpa);
/* The IDT and the GDT as they should be. */
void tables(void);

/* By whose stack it runs on. */
u32 this_cpu(void);
/* In the scenario `code` other processors write to its page; from this on no more. */
void leave_code(void);
/* What another one does there. */
void write_code(u32 x);

/* Each is one act. */
void port_act(void);
void memory_act(void);
void pci_act(void);
void msr_act(void);
void control_act(void);
void fw_cfg_act(void);
void virtio_act(void);
void ide_act(void);
void code_act(void);
void pages_act(void);
void debug_act(void);
void user_act(void);
void ipi_act(void);
void tick_act(void);
void death_act(void);

/* Before the first act of virtio and PCI: functions decode where they should. */
void pci_setup(void);

static inline void out8(u16 port, u8 value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}
static inline void out16(u16 port, u16 value)
{
	__asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}
static inline void out32(u16 port, u32 value)
{
	__asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}
static inline u32 in32(u16 port)
{
	u32 value;

	__asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}
static inline u8 in8(u16 port)
{
	u8 value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}
static inline volatile u32 *lapic(u32 offset)
{
	return (volatile u32 *)(u64)(0xfee00000u + offset);
}
#endif
#endif
