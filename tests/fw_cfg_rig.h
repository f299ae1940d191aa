/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A bus with fw_cfg alone, which the test asks as firmware does: by ports and by descriptors in memory. */
#ifndef GV_TESTS_FW_CFG_RIG_H
#define GV_TESTS_FW_CFG_RIG_H

#include "dev/fw_cfg.h"
#include "tests/fake_pc.h"

#define COUNT(a) (int)(sizeof(a) / sizeof((a)[0]))

#define MIB             (1ull << 20)
#define GIB             (1ull << 30)

enum { SELECTOR = 0x510, DATA = 0x511, DMA_HIGH = 0x514, DMA_LOW = 0x518 };
enum { ERROR = 1, READ = 2, SKIP = 4, SELECT = 8, WRITE = 16 };
enum { KEY_SIGNATURE = 0, KEY_DIRECTORY = 0x19, KEY_NOBODYS = 0x1234 };

#define DESC            0x1000u         /* gpa: where descriptors are */
#define TARGET          0x2000u         /* gpa: where they point */
#define VGA_BIOS_SIZE   0x9a00u

extern struct fake_pc pc;
extern struct err err;
extern uint8_t vga_bios[VGA_BIOS_SIZE];         /* what fw_cfg_rig_init() gives it */

/* For a PC with 128 MiB, four processors, a boot order and a BIOS of the VGA. */
void fw_cfg_rig_init(void);
/* Without fw_cfg, which the test attaches. */
void fw_cfg_rig_init_bare(void);
void fw_cfg_rig_done(void);
void attach(const struct fw_cfg_spec *spec);

void select_key(uint16_t key);
void read_ports(uint16_t key, void *ret, size_t len);
/* The key of a file and its size; 0: there is none. */
uint16_t find_file(const char *name, uint32_t *ret_size);

/* A big-endian number of SIZE bytes; what is written to a register for V, since the DMA address is big-endian too. */
uint32_t be(const uint8_t *p, unsigned size);
uint32_t swapped(uint32_t v);
/* Writes a descriptor at GPA, if there is memory. */
void put_descriptor(uint64_t gpa, uint32_t control, uint32_t length, uint64_t address);
void start_dma(uint64_t gpa);

#endif
