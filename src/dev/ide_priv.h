/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the files of the IDE controller share.  ide.c: registers, selection, interrupts; ide_bm.c: the bus master;
 * ide_drive.c: a drive's transfers between disk, buffer and guest; ide_state.c: saving and showing; ata.c and
 * atapi.c: the commands.  All under the bus lock.
 *
 * A drive never waits for its file: a request leaves it busy (PHASE_DISK), and drive_poll() goes on when it is done.
 * One event moves at most a buffer (DISK_REQUEST_MAX).
 */
#ifndef GV_DEV_IDE_PRIV_H
#define GV_DEV_IDE_PRIV_H

#include "dev/ide.h"

/* Status register. */
#define ST_ERR          0x01    /* ATAPI: CHK */
#define ST_DRQ          0x08
#define ST_DSC          0x10
#define ST_DF           0x20
#define ST_DRDY         0x40
#define ST_BSY          0x80

/* Error register; in its upper half ATAPI has the sense key. */
#define ER_ABRT         0x04
#define ER_IDNF         0x10
#define ER_UNC          0x40

/* Device register. */
#define DEV_SLAVE       0x10
#define DEV_LBA         0x40
#define DEV_ONES        0xa0    /* obsolete bits that read as ones */

/* Device control register. */
#define CTL_NIEN        0x02
#define CTL_SRST        0x04
#define CTL_HOB         0x80

/* Bus master: command and status. */
#define BM_START        0x01
#define BM_TO_MEMORY    0x08
#define BM_ACTIVE       0x01
#define BM_ERROR        0x02
#define BM_INTR         0x04
#define BM_DRIVES       0x60    /* "drive can do DMA": storage for drivers */

enum ide_phase {
	PHASE_IDLE,             /* no command under way */
	PHASE_DISK,             /* busy: a disk request */
	PHASE_PIO_IN,           /* DRQ: the guest reads buf[pos] to buf[stop] */
	PHASE_PIO_OUT,          /* DRQ: it writes it */
	PHASE_PACKET,           /* DRQ: it writes a command packet */
	PHASE_DMA_IN,           /* DRQ: the bus master takes buf[pos] to buf[len] */
	PHASE_DMA_OUT,          /* DRQ: it fills it */
	PHASE_RESET,            /* busy: reset, but the disk is still at a request from before */
	PHASES
};

enum ide_kind {
	KIND_NONE,
	KIND_REPLY,             /* bytes in the buffer go to the guest */
	KIND_READ,
	KIND_WRITE,
	KIND_VERIFY,            /* read, for its result */
	KIND_FLUSH,
	KINDS
};

enum ide_power { POWER_ACTIVE, POWER_IDLE, POWER_STANDBY, POWER_SLEEP, POWERS };

/* What a soft reset brings back unless SET FEATURES 66h said not to. */
struct drive_settings {
	uint8_t multiple;               /* sectors of a DRQ block, 0: READ and WRITE MULTIPLE are off */
	uint8_t heads, sectors;         /* of the current translation, 1 to 16 and 1 to 255 */
	uint8_t mode;                   /* transfer mode, as SET FEATURES 03h had it */
	uint8_t write_cache, look_ahead;        /* 0 or 1 */
	uint8_t keep;                   /* 66h was said */
};

/* Registers that remember what they held before: [0] now, [1] then, for LBA48's upper bytes. */
struct drive_task {
	uint8_t feature[2], count[2], lba_low[2], lba_mid[2], lba_high[2];
	uint8_t device;
};

struct drive_state {
	struct drive_task task;
	uint8_t error;
	uint8_t status;                 /* without BSY and DRQ, which follow from the phase */
	uint8_t intrq;                  /* 0 or 1 */
	uint8_t phase, kind;
	uint8_t dma;                    /* 0 or 1: the data goes by the bus master */
	uint8_t lba48;                  /* 0 or 1: the command has 48-bit addresses */
	uint8_t power;
	struct drive_settings set;
	/* The transfer: the buffer holds (or gets) LEN bytes, the sectors from LBA on; LEFT sectors follow those. */
	uint64_t lba;
	uint32_t left;
	uint32_t len, pos, stop;        /* pos <= stop <= len */
	uint32_t block;                 /* bytes of a DRQ block at most */
	/* ATAPI. */
	uint8_t in_packet;              /* 0 or 1: the command is PACKET */
	uint8_t packet[12], packet_len;
	uint8_t sense_key, asc, ascq;
	uint8_t tray_open, tray_locked, medium_changed;        /* 0 or 1 */
};

struct ide_channel;
struct ide_drive;

/* What is different between disks and CD-ROMs. */
struct drive_type {
	uint8_t signature_mid, signature_high;
	uint8_t status;                 /* after a reset */
	/* The command register was written while the drive was idle. */
	void (*command)(struct ide_drive *d, uint8_t opcode);
	/*
	 * A DRQ block of N bytes for the guest to read or write is about to begin: tells it so by registers.  May be
	 * NULL.
	 */
	void (*tell_block)(struct ide_drive *d, uint32_t n);
	/* The command has ended, RESULT (-errno) is the disk's: status, error and interrupt are to be set. */
	void (*complete)(struct ide_drive *d, int result);
};

struct ide_drive {
	struct ide_channel *channel;
	const struct drive_type *type;
	struct disk *disk;              /* NULL: nothing is there, and nothing below is valid */
	unsigned unit;                  /* 0 to IDE_DRIVES - 1 */
	unsigned sector;                /* bytes */
	uint64_t sectors;               /* as many as addresses can say */
	uint8_t *buf;                   /* DISK_REQUEST_MAX bytes, the worker's in PHASE_DISK and PHASE_RESET */
	struct drive_state s;
};

struct bm_state {
	uint8_t command, status;
	uint32_t table;                 /* gpa of the PRD table */
	uint32_t entry;                 /* gpa of the next entry */
	uint32_t at, left;              /* the entry under way: gpa and bytes */
	uint8_t last;                   /* 0 or 1: it is the table's last */
};

struct ide_channel {
	struct ide *ide;
	unsigned number;
	struct ide_drive drive[2];
	uint8_t control;                /* device control register */
	uint8_t selected;               /* 0 or 1 */
	bool irq;                       /* the level the host knows */
	struct bm_state bm;
};

struct ide {
	struct pci_function pci;        /* first */
	struct ide_channel channel[2];
	bool settling;                  /* reset and load: nothing may move meanwhile */
};

/* ide.c */
void ide_update_irq(struct ide_channel *c);

/* ide_bm.c */
uint8_t bm_read(const struct ide_channel *c, unsigned offset);
void bm_write(struct ide_channel *c, unsigned offset, uint8_t value);
/*
 * Moves up to LEN bytes between DATA and the guest as far as the table and the registers let it, and returns how
 * many.  What is wrong with the table ends the transfer with the error bit.
 */
size_t bm_move(struct ide_channel *c, uint8_t *data, size_t len, bool to_guest);
/* The bus master may have been let go: drives that wait for it go on. */
void bm_kick(struct ide_channel *c);
/* Whether STATE is one that can be. */
bool bm_is_valid(const struct bm_state *s);

/* ide_drive.c */
static inline bool drive_is_present(const struct ide_drive *d)
{
	return d->disk != NULL;
}

uint8_t drive_status(const struct ide_drive *d);
/* Power-on: the disk is idle by then. */
void drive_power_on(struct ide_drive *d);
/* Soft reset: ends what is under way and shows the signature; busy until the disk is idle. */
void drive_reset(struct ide_drive *d);
/* Ends a command: STATUS and ERROR as given, with an interrupt or without. */
void drive_end(struct ide_drive *d, uint8_t status, uint8_t error, bool interrupt);
/*
 * Transfers of COUNT sectors from LBA on, which are there, in DRQ blocks of BLOCK bytes.  KIND_READ, KIND_WRITE or
 * KIND_VERIFY.
 */
void drive_transfer(struct ide_drive *d, enum ide_kind kind, bool dma, uint64_t lba, uint32_t count, uint32_t block);
/* Sends LEN bytes of buf. */
void drive_reply(struct ide_drive *d, bool dma, uint32_t len, uint32_t block);
void drive_flush(struct ide_drive *d);
/* The data register, a word. */
uint16_t drive_read_data(struct ide_drive *d);
void drive_write_data(struct ide_drive *d, uint16_t value);
/* The bus master moves what it can. */
void drive_move_dma(struct ide_drive *d);
/* Goes on when the disk has finished. */
void drive_poll(struct ide_drive *d);
/* Begins the disk request that the state speaks of: after a load. */
void drive_restart(struct ide_drive *d);
/* Sets a transfer mode as SET FEATURES 03h has it; false: there is no such. */
bool drive_set_mode(struct ide_drive *d, uint8_t mode);
/* IDENTIFY's words are at buf: both kinds of drive share these. */
void drive_put_word(struct ide_drive *d, unsigned word, unsigned value);
void drive_put_identity(struct ide_drive *d, const char *model);

/* ata.c, atapi.c */
extern const struct drive_type ata_type, atapi_type;
/* What a packet's twelve bytes ask for, in s.packet. */
void atapi_packet(struct ide_drive *d);

/* ide_state.c: dev_ops' functions, and what one channel shows. */
int ide_save(const struct device *dev, struct dev_buf *b);
int ide_load(struct device *dev, struct dev_buf *b, struct err *err);
void ide_show_channel(const struct ide_channel *c, const struct dev_show *s);

#endif
