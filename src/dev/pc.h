/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The devices of the machine.  One file each; they know the bus and nothing else. */
#ifndef GV_DEV_PC_H
#define GV_DEV_PC_H

#include "dev/bus.h"

/* 16550A at 0x3f8, GSI 4. */
int uart_attach(struct bus *b, struct device **ret, struct err *err);
/*
 * Host input: offers LEN bytes to the receiver and returns how many its FIFO (16 bytes; 1 with FIFOs off) took.
 * The caller keeps the rest until host->input_wanted.  Takes the bus lock itself.  Any thread.
 */
size_t uart_input(struct bus *b, struct device *uart, const uint8_t *data, size_t len);

/* Debug console, port 0xe9: a write is output, a read answers 0xe9 (as Bochs and QEMU do). */
int debugcon_attach(struct bus *b, struct err *err);
/*
 * Exit port 0xf4 to 0xf7 (as QEMU's isa-debug-exit, iosize 1, 2 or 4): a write of V ends the machine with
 * (V << 1 | 1) & 0xff.  V is the byte that goes to 0xf4; what a wider write puts above it is ignored.
 * Reads answer 0.
 */
int exitport_attach(struct bus *b, struct err *err);
/*
 * Port 0x92 (A20, fast reset), the keyboard controller's reset and A20 commands on 0x60/0x64, and 0xcf9: for a machine without
 * a keyboard.
 */
int resetctl_attach(struct bus *b, struct err *err);
/* The same with a whole 8042 and a keyboard (GSI 1, with an unconnected auxiliary port) in its place: see dev/i8042.h. */

/* RAM that does not fit below this gpa continues at 4 GiB; CMOS reports it so. */
#define PC_RAM_LOW_MAX 0xc0000000ull

/*
 * CMOS and RTC, 0x70/0x71, GSI 8: time registers in BCD or binary, alarm, update and periodic interrupts, memory sizes,
 * the number of CPUs and a boot order (hard disk, CD) at their usual indices, the shutdown byte.  RAM_SIZE in bytes.
 * TRANSLATION is for index 0x39, how firmware is to count a disk's cylinders: two bits a disk, CMOS_BY_...
 */
enum { CMOS_BY_ITSELF, CMOS_BY_LBA };
int cmos_attach(struct bus *b, uint64_t ram_size, unsigned cpus, uint8_t translation, struct err *err);

#endif
