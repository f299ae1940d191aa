/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A driver for virtio's console, random numbers and disk, as small as can be: it polls.  Finds them on PCI bus 0, speaks by
 * the console, reads sector 1 and writes sector 2, has a line typed, and then leads the disk astray.  The entry is nest.S's.
 */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;

#define BAR     0xe0000000u             /* + slot * 64 KiB: where registers are put */
#define SIZE    8u                      /* of all queues */

/* Common configuration: virtio 1.2, 4.1.4.3. */
enum {
	ACCEPTED_SELECT = 8, ACCEPTED = 12, STATUS = 20, QUEUE = 22, QSIZE = 24, ENABLE = 28, DESC = 32, DRIVER = 40,
	DEVICE = 48,
};
enum { PAGE_NOTIFY = 0x3000 };
enum { NEXT = 1, WRITE = 2 };

struct desc {
	u32 gpa, gpa_high, len;
	u16 flags, next;
};

struct queue {
	struct desc desc[SIZE];
	u16 avail_flags, avail_idx, avail[SIZE], used_event, pad;
	u16 used_flags, used_idx;
	struct {
		u32 head, len;
	} used[SIZE];
	u32 avail_event;
};

static volatile struct queue rx __attribute__((aligned(16))), tx __attribute__((aligned(16)));
static volatile struct queue random __attribute__((aligned(16))), disk __attribute__((aligned(16)));
static volatile u8 sector[512], bytes[16], status;
static volatile char line[64];
static volatile struct {
	u32 type, reserved, sector, sector_high;
} header;

int main(void);

static void out32(u16 port, u32 value)
{
	__asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static u32 in32(u16 port)
{
	u32 value;

	__asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static u32 config(u32 slot, u32 offset)
{
	out32(0xcf8, 0x80000000u | slot << 11 | offset);
	return in32(0xcfc);
}

static void set_config(u32 slot, u32 offset, u32 value)
{
	out32(0xcf8, 0x80000000u | slot << 11 | offset);
	out32(0xcfc, value);
}

static volatile u8 *reg(u32 slot, u32 offset)
{
	return (volatile u8 *)(BAR + (slot << 16) + offset);
}

static void put16(u32 slot, u32 offset, u16 value)
{
	*(volatile u16 *)reg(slot, offset) = value;
}

static void put32(u32 slot, u32 offset, u32 value)
{
	*(volatile u32 *)reg(slot, offset) = value;
}

/* The slot of the function with this device ID, its registers in place; 0: there is none. */
static u32 find(u32 device)
{
	for (u32 slot = 1; slot < 32; slot++) {
		if (config(slot, 0) != (device << 16 | 0x1af4))
			continue;
		set_config(slot, 0x10, BAR + (slot << 16));
		set_config(slot, 4, 6);
		*reg(slot, STATUS) = 0;
		*reg(slot, STATUS) = 1;
		*reg(slot, STATUS) = 3;
		put32(slot, ACCEPTED_SELECT, 1);
		put32(slot, ACCEPTED, 1);       /* VERSION_1 */
		*reg(slot, STATUS) = 11;
		return slot;
	}
	return 0;
}

static void enable(u32 slot, u16 number, volatile struct queue *q)
{
	put16(slot, QUEUE, number);
	put16(slot, QSIZE, SIZE);
	put32(slot, DESC, (u32)q->desc);
	put32(slot, DESC + 4, 0);
	put32(slot, DRIVER, (u32)&q->avail_flags);
	put32(slot, DRIVER + 4, 0);
	put32(slot, DEVICE, (u32)&q->used_flags);
	put32(slot, DEVICE + 4, 0);
	put16(slot, ENABLE, 1);
}

static void describe(volatile struct queue *q, u32 i, volatile void *at, u32 len, u16 flags)
{
	q->desc[i].gpa = (u32)at;
	q->desc[i].gpa_high = 0;
	q->desc[i].len = len;
	q->desc[i].flags = flags;
	q->desc[i].next = (u16)(i + 1);
}

/* Makes the chain at descriptor 0 available. */
static void offer(u32 slot, u32 number, volatile struct queue *q)
{
	q->avail[q->avail_idx % SIZE] = 0;
	q->avail_idx++;
	put16(slot, PAGE_NOTIFY + 4 * number, (u16)number);
}

/* Until it has been used; how many bytes were written. */
static u32 await(volatile struct queue *q)
{
	while (q->used_idx != q->avail_idx)
		__asm__ volatile("pause");
	return q->used[(u16)(q->used_idx - 1) % SIZE].len;
}

static u32 console;

static void say(const volatile char *text, u32 len)
{
	describe(&tx, 0, (volatile void *)text, len, 0);
	offer(console, 1, &tx);
	await(&tx);
}

#define SAY(text) say(text, sizeof(text) - 1)

static u8 request(u32 slot, u32 type, u32 at)
{
	header.type = type;
	header.sector = at;
	status = 0xff;
	describe(&disk, 0, &header, 16, NEXT);
	describe(&disk, 1, sector, 512, type ? NEXT : NEXT | WRITE);
	describe(&disk, 2, &status, 1, WRITE);
	if (type == 4)
		disk.desc[0].next = 2;
	offer(slot, 0, &disk);
	await(&disk);
	return status;
}

static void use_disk(u32 slot)
{
	static const char text[] = "written by the guest\n";

	enable(slot, 0, &disk);
	*reg(slot, STATUS) = 15;
	if (request(slot, 0, 1))
		SAY("the disk cannot be read\n");
	for (u32 n = 0; n < 64; n++)
		if (sector[n] == '\n') {
			say((const volatile char *)sector, n + 1);
			break;
		}
	for (u32 n = 0; n < sizeof(text); n++)
		sector[n] = (u8)text[n];
	if (request(slot, 1, 2) || request(slot, 4, 0))
		SAY("the disk cannot be written\n");
}

static void use_random(u32 slot)
{
	u8 any = 0;

	enable(slot, 0, &random);
	*reg(slot, STATUS) = 15;
	describe(&random, 0, bytes, 16, WRITE);
	offer(slot, 0, &random);
	if (await(&random) == 16)
		for (u32 i = 0; i < 16; i++)
			any |= bytes[i];
	if (any)
		SAY("random bytes\n");
}

/* A line that somebody types, a piece at a time. */
static void take_line(void)
{
	u32 n = 0;

	describe(&rx, 0, line, sizeof(line), WRITE);
	offer(console, 0, &rx);
	SAY("type: ");
	for (;;) {
		n += await(&rx);
		if (n == sizeof(line) || line[n - 1] == '\n')
			break;
		describe(&rx, 0, line + n, sizeof(line) - n, WRITE);
		offer(console, 0, &rx);
	}
	SAY("typed: ");
	say(line, n);
}

/* A header where there is no memory. */
static void go_astray(u32 slot)
{
	describe(&disk, 0, (void *)0xd0000000u, 16, NEXT);
	describe(&disk, 1, &status, 1, WRITE);
	offer(slot, 0, &disk);
	if (!(*reg(slot, STATUS) & 64))
		SAY("the disk goes on\n");
	else
		SAY("the disk has stopped\n");
}

int main(void)
{
	u32 slot;

	console = find(0x1043);
	if (!console)
		return 1;
	enable(console, 0, &rx);
	enable(console, 1, &tx);
	*reg(console, STATUS) = 15;
	SAY("console\n");
	slot = find(0x1044);
	if (slot)
		use_random(slot);
	slot = find(0x1042);
	if (slot)
		use_disk(slot);
	take_line();
	if (slot)
		go_astray(slot);
	return 0;
}
