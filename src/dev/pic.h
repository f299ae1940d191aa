/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What KVM's irqchip otherwise does, for --irqchip=user: two 8259A interrupt controllers (0x20, 0xa0, ELCR
 * 0x4d0/0x4d1) and an 8254 interval timer (0x40 to 0x43, port 0x61; GSI 0).  Intel 8259A and 8254 data sheets.
 */
#ifndef GV_DEV_PIC_H
#define GV_DEV_PIC_H

#include "dev/bus.h"

/* INTR(ARG, LEVEL) is told when the line to the processor changes.  Under the bus lock. */
int pic_attach(struct bus *b, void (*intr)(void *arg, bool level), void *arg, struct device **ret, struct err *err);
/* Sets the level of input LINE, 0 to 15 (2 is the cascade: ignored).  Under the bus lock. */
void pic_set_irq(struct device *pic, unsigned line, bool level);
/* The processor acknowledges: which vector it is to take.  Spurious interrupts are IR7's.  Takes the bus lock. */
uint8_t pic_acknowledge(struct bus *b, struct device *pic);

/* Counts by host->clock; counter 0's output is GSI 0. */
int pit_attach(struct bus *b, struct err *err);

#endif
