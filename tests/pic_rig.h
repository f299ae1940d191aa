/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A PC with nothing but its two 8259As, initialised for vectors from 0x20 on. */
#ifndef GV_TESTS_PIC_RIG_H
#define GV_TESTS_PIC_RIG_H

#include "dev/pic.h"
#include "tests/fake_pc.h"

#define MASTER          0x20
#define SLAVE           0xa0
#define ELCR            0x4d0

#define EOI             0x20
#define READ_IRR        0x0a
#define READ_ISR        0x0b
#define POLL            0x0c
#define SMM_ON          0x68
#define SMM_OFF         0x48

extern struct fake_pc pc;
extern struct device *pic;
extern bool intr;               /* the processor's line */
extern unsigned told;           /* calls of note_intr() */

/* Fixture. */
void setup(void);
void teardown(void);

/* What pic_attach() is given: checks that each call changes INTR. */
void note_intr(void *arg, bool level);

/* Sets input N, 8 and up the slave's; lets it rise and fall; the processor's acknowledge, which gets the vector. */
void line(unsigned n, bool level);
void pulse(unsigned n);
unsigned ack(void);

/* ICW1 to ICW4 for edges and a cascade. */
void init_chip(uint16_t port, uint8_t base, uint8_t icw3, uint8_t icw4);
/* These registers of the chip at PORT, which is left at reading them. */
unsigned irr(uint16_t port);
unsigned isr(uint16_t port);

#endif
