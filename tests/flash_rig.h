/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A bus with flash memory alone, and what a slot would show of it. */
#ifndef GV_TESTS_FLASH_RIG_H
#define GV_TESTS_FLASH_RIG_H

#include "dev/flash.h"
#include "tests/fake_pc.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define GPA     0xffc00000u
#define BLOCKS  40u                     /* more than one request writes */
#define SIZE    (BLOCKS * FLASH_BLOCK)

enum { ARRAY = 0xff, STATUS = 0x70, CLEAR = 0x50, ID = 0x90, QUERY = 0x98, PROGRAM = 0x40, PROGRAM_TOO = 0x10, ERASE = 0x20,
       CONFIRM = 0xd0, BUFFER = 0xe8, LOCK = 0x60 };
enum { READY = 0x80, FAILED = 0x10, BAD_SEQUENCE = 0xb0 };

extern struct fake_pc pc;
extern struct device *flash;
extern struct err err;
extern uint8_t first[SIZE], view[SIZE];         /* what it holds at first; what a slot was to show last */

/* DISK: the file that keeps it, or NULL. */
void flash_rig_init(struct disk *disk);
void flash_rig_done(void);

uint64_t get(uint32_t at, unsigned size);
void put(uint32_t at, unsigned size, uint64_t value);
/* One that means the same wherever it is written. */
void command(uint8_t code);

#endif
