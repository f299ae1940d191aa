/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A PC's memory map: RAM around the hole below 1 MiB, the text screen, the firmware's ROM below 4 GiB, and between 0xc0000 and 1 MiB
 * what the host bridge's PAM registers say.  These places are memory slots that are made anew when they change: nothing is copied.
 * Loop thread, every vCPU parked, unless it says else.
 */
#ifndef GV_X86_BOARD_H
#define GV_X86_BOARD_H

#include "dev/chipset.h"
#include "kvm/slots.h"
#include "load/load.h"

struct board;

enum board_kind {
	BOARD_FLAT,             /* all RAM from gpa 0 on, and the board does nothing more */
	BOARD_FIRMWARE,         /* as a PC has it, firmware in its ROM */
	BOARD_TABLES,           /* a PC's map with RAM for LINUX_TABLES_SIZE bytes at LINUX_TABLES_GPA instead: PAM does nothing */
};

/*
 * Makes RAM of SIZE bytes (a multiple of the page size), as KIND says.  FIRMWARE is copied, and NULL for the other kinds.
 * -EINVAL: too little RAM for a PC; -ENOMEM.  S must outlive the board.
 */
int board_new(struct slots *s, uint64_t size, enum board_kind kind, const struct blob *firmware, struct board **ret,
	      struct err *err);
void board_free(struct board *b);       /* NULL is fine */
/* Whose PAM registers count; NULL at first: all of it is ROM. */
void board_set_bridge(struct board *b, const struct pci_function *bridge);
/*
 * Flash memory of SIZE bytes (whole pages) at GPA, below the firmware, or in place of its beginning: a read-only slot
 * while it shows its array, and nothing in its other modes.  Before the machine is reset first; not owned, must outlive
 * the board.  -ENOMEM.
 */
int board_set_flash(struct board *b, struct device *flash, uint64_t gpa, uint64_t size, struct err *err);

/* After slots_restore(): the ROM as it was and in its place, shadow RAM zero; what flash memory has stays. */
int board_reset(struct board *b, struct err *err);
/*
 * Brings the slots up to date with the PAM registers and the flash memory's mode.  -EEXIST: a slot that a person added is in the way; that place is then without
 * memory; what KVM says.
 */
int board_remap(struct board *b, struct err *err);
/*
 * A write by the guest to GPA that is no writable slot: whether it went to RAM all the same, as PAM has it for a place whose
 * reads go to the ROM.  Any thread; no slot changes meanwhile, the bus lock is not held.
 */
bool board_write(struct board *b, uint64_t gpa, const void *data, size_t len);
/* Whether what the guest writes to GPA is for a device, also while it reads memory there.  Any thread. */
bool board_is_flash(const struct board *b, uint64_t gpa);

#endif
