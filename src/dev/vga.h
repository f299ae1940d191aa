/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * VGA registers: CRTC, sequencer, graphics and attribute controllers, DAC, miscellaneous output and input status, at
 * 0x3b4/0x3b5, 0x3ba, 0x3c0 to 0x3cf, 0x3d4/0x3d5, 0x3da.  Enough for text modes; the memory at 0xb8000 is ordinary RAM
 * of the machine.  IBM VGA Technical Reference, chapter "Registers".
 */
#ifndef GV_DEV_VGA_H
#define GV_DEV_VGA_H

#include "api/devices.h"
#include "dev/bus.h"

#define VGA_TEXT_GPA    0xb8000u
#define VGA_TEXT_BYTES  0x8000u

/* At power-on it is in mode 3 (80 x 25), as firmware without a VGA BIOS needs it. */
int vga_attach(struct bus *b, struct device **ret, struct err *err);
/*
 * What the screen shows: size, start address and cursor from the registers, characters from MEMORY, the VGA_TEXT_BYTES
 * at VGA_TEXT_GPA.  Whatever the guest wrote, it has 1 to SCREEN_COLUMNS_MAX columns and 1 to SCREEN_ROWS_MAX rows.
 * Takes the bus lock.  Any thread.
 */
void vga_screen(struct bus *b, const struct device *vga, const uint8_t *memory, struct screen *ret);

#endif
