/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Firmware images. */
#ifndef GV_LOAD_BIOS_H
#define GV_LOAD_BIOS_H

#include "load/load.h"

#define BIOS_MAX        (16u << 20)     /* bytes */
#define BIOS_LOW_MAX    (128u << 10)    /* of its end, also below 1 MiB */
#define OPTION_ROM_MAX  (128u << 10)

/*
 * Whether F can be firmware: its size a multiple of 4 KiB (a flash memory's block), 64 KiB to BIOS_MAX, and
 * something other than 0xff and 0 at its reset vector, in the 16 bytes before its end; and if it begins with UEFI's
 * variables, there is more than these.  -ENOEXEC; the path is put before the message by image_init().
 */
int bios_check(const struct blob *f, struct err *err);
/*
 * Bytes at the beginning of F, which bios_check() is content with, that are UEFI's variables: a firmware volume of that
 * kind (Platform Initialization 1.7, vol. 3, 3.2.1).  0: it has none.
 */
size_t bios_variables(const struct blob *f);
/* Whether F, likewise, is made of UEFI's firmware volumes. */
bool bios_is_uefi(const struct blob *f);
/*
 * Whether F is an option ROM that firmware will run: its signature, a size that it has, a checksum of 0 (BIOS Boot
 * Specification 1.01, appendix A), at most OPTION_ROM_MAX.  -ENOEXEC with one line that begins with the path.
 */
int option_rom_check(const struct blob *f, struct err *err);
/*
 * Reads the firmware of the seabios package, from where distributions put it, without bios_check().  -ENOENT: none is
 * installed (ERR lists the places, and --bios); as blob_read().
 */
int bios_find(struct blob *ret, struct err *err);
/* The same with PATHS, ended by NULL, for the places: the first that is there is taken, or what reading it gave. */
int bios_find_in(const char *const *paths, struct blob *ret, struct err *err);
/* A processor's registers after RESET#: SDM vol. 3, table 9-1.  Pure. */
void bios_boot_state(struct boot_state *ret);

#endif
