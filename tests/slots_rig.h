/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A machine on the real KVM with a guest that reads and writes where slots are put, and a file for them. */
#ifndef GV_TESTS_SLOTS_RIG_H
#define GV_TESTS_SLOTS_RIG_H

#include "tests/kvm_harness.h"

#define AT    0x2000000ull      /* where the guest reads and writes */
#define OTHER 0x3000000ull
#define MIB   0x100000ull

extern struct slot_note note;   /* of the last change */
extern char dir[];              /* of the test's own */
extern char path[64];           /* a file of 16 pages there, each with 0x1000 and its number at its start */

/* RAM at 0-0xffffff (slot 0), and the guest, which copies what is at AT to 0x500, counts at AT + 4, and counts its rounds at 0x504. */
void slots_rig_init(void);
void slots_rig_done(void);

#define OK(call) ck_assert_msg((call) == 0, "%s", err.msg)

void add_spec(struct slot_spec spec);
#define ADD(...) add_spec((struct slot_spec){ __VA_ARGS__ })

/* slot check finds nothing. */
void check_slots(void);
void put_u32(uint64_t gpa, uint32_t v);
void stop_now(void);
/* Lets the guest run until it has gone round several times. */
void run_a_while(void);

#endif
