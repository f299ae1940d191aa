/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A PC with nothing but the keyboard controller and its keyboard. */
#ifndef GV_TESTS_I8042_RIG_H
#define GV_TESTS_I8042_RIG_H

#include "dev/i8042.h"
#include "tests/fake_pc.h"

extern struct fake_pc pc;
extern struct device *kbd;

/* Fixture. */
void setup(void);
void teardown(void);

/* Types TEXT, which must be taken. */
void type(const char *text);
/* A command for the controller; its command byte. */
void command(uint8_t code);
void set_cb(uint8_t value);

/* The next byte, which must be there. */
uint8_t get(void);
void expect_nothing(void);
/* These bytes, and then no more. */
void expect(const uint8_t *want, size_t n);

#define EXPECT(...) expect((const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

#endif
