/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A PC with nothing but an IDE controller and drives with real files, driven through its ports. */
#ifndef GV_TESTS_IDE_RIG_H
#define GV_TESTS_IDE_RIG_H

#include "dev/ide.h"
#include "tests/disk_env.h"
#include "tests/fake_pc.h"

/* Sectors of the drives that ide_rig_init() makes: a disk, nothing, a CD, a read-only disk; files "a", "c" and "d". */
#define RIG_SECTORS     2000u
#define RIG_CD_SECTORS  150u
#define RIG_RO_SECTORS  600u

#define BM_PORT         0xc000u         /* where the bus master's registers are put */

enum { DATA, ERROR_, COUNT, LBA_LOW, LBA_MID, LBA_HIGH, DEVICE, STATUS, FEATURE = ERROR_, COMMAND = STATUS };
enum { MASTER = 0xa0, SLAVE = 0xb0, LBA = 0x40 };
enum { ERR = 0x01, DRQ = 0x08, DSC = 0x10, DF = 0x20, DRDY = 0x40, BSY = 0x80 };
enum { NIEN = 0x02, SRST = 0x04, HOB = 0x80 };

struct ide_rig {
	struct disk_env env;
	struct fake_pc pc;
	struct pci_bus *pci;
	struct disk *disk[IDE_DRIVES];
};

void ide_rig_init(struct ide_rig *r);
/* With the drives given, whose path is a file of R's environment or NULL: none. */
void ide_rig_init_env(struct ide_rig *r);
void ide_rig_attach(struct ide_rig *r, const struct disk_spec spec[IDE_DRIVES]);
void ide_rig_done(struct ide_rig *r);

/* Ports of channel C (0 or 1). */
uint8_t ide_get(struct ide_rig *r, unsigned c, unsigned reg);
void ide_put(struct ide_rig *r, unsigned c, unsigned reg, uint8_t value);
uint8_t ide_alt(struct ide_rig *r, unsigned c);
void ide_control(struct ide_rig *r, unsigned c, uint8_t value);
bool ide_irq(const struct ide_rig *r, unsigned c);

/* Puts a 28-bit address, a count and a command into the registers. */
void ide_command(struct ide_rig *r, unsigned c, uint8_t device, uint32_t lba, unsigned count, uint8_t opcode);
/* The same with 48 bits, and a count of 16. */
void ide_command48(struct ide_rig *r, unsigned c, uint8_t device, uint64_t lba, unsigned count, uint8_t opcode);
/* Lets disks finish until the selected drive of C is not busy; returns its alternate status. */
uint8_t ide_wait(struct ide_rig *r, unsigned c);
/* Lets every request that is under way finish, and the controller hear of it. */
void ide_settle(struct ide_rig *r);

/* String I/O at the data port: LEN bytes in units of SIZE (2 or 4). */
void ide_data_in(struct ide_rig *r, unsigned c, unsigned size, void *data, size_t len);
void ide_data_out(struct ide_rig *r, unsigned c, unsigned size, const void *data, size_t len);
void ide_expect_pattern(const uint8_t *data, uint64_t at, size_t len);

/* The bus master of channel C. */
void bm_place(struct ide_rig *r);               /* BAR 4 at BM_PORT, bus mastering on */
uint8_t bm_status(struct ide_rig *r, unsigned c);
void bm_clear(struct ide_rig *r, unsigned c);   /* stops it and clears error and interrupt */
void bm_start(struct ide_rig *r, unsigned c, uint32_t table, bool to_memory);
/* Writes entry INDEX of the table at gpa TABLE. */
void bm_entry(struct ide_rig *r, uint32_t table, unsigned index, uint32_t gpa, uint32_t count, bool last);
void pci_config_write(struct ide_rig *r, unsigned offset, unsigned size, uint32_t value);
uint32_t pci_config_read(struct ide_rig *r, unsigned offset, unsigned size);

/* Sends a packet to the CD (channel 1, master) with the byte count LIMIT; leaves it where the drive goes with it. */
void cd_packet(struct ide_rig *r, const uint8_t packet[12], unsigned limit, bool dma);
/* A packet by PIO with all that it sends: returns how many bytes, or -1 when it ends in a check condition. */
int cd_run(struct ide_rig *r, const uint8_t packet[12], unsigned limit, uint8_t *data, size_t room);

#endif
