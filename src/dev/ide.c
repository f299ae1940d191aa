/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Registers as the guest sees them.  The two drives of a channel both hear what is written to the command block; the
 * one that is selected answers.  Where a slave is missing its master answers for it, with a status of 0 and its own
 * registers (ATA/ATAPI-6, 9.16.1); where a master is missing, or both, nobody does, and the bus floats.
 */
#include "dev/ide_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SLOT            1
#define FUNCTION        1
#define BM_BAR          4
#define BM_BYTES        16u
#define BM_CHANNEL      8u
#define LINE_SOURCE     7               /* for pci_drive_line(): enum chipset_source has others */
#define TIMING          0x40            /* IDETIM, a word each channel */
#define TIMING_DECODES  0x8000u
#define LBA48_SECTORS   (1ull << 48)
#define CD_SECTORS      (1ull << 32)
#define FLOATING        0x7f            /* hosts pull DD7 down, so that where nobody is nobody is busy */

enum { REG_DATA, REG_ERROR, REG_COUNT, REG_LBA_LOW, REG_LBA_MID, REG_LBA_HIGH, REG_DEVICE, REG_STATUS, REGS };

#define COMMAND_DEVICE_RESET    0x08
#define COMMAND_DIAGNOSE        0x90

/* Ranges as bus_attach() numbers them: by ascending ports. */
static const struct {
	uint16_t port;
	uint8_t count, channel;
	bool control;
} ranges[] = {
	{ 0x170, REGS, 1, false }, { 0x1f0, REGS, 0, false }, { 0x376, 1, 1, true }, { 0x3f6, 1, 0, true },
};

#define NRANGES         (sizeof(ranges) / sizeof(ranges[0]))

static const unsigned gsi[] = { 14, 15 };

/* At a reset as firmware leaves it, for guests that start without: the channels are there. */
static const struct pci_reg regs[] = {
	{ TIMING, 2, TIMING_DECODES, 0xffff, "IDETIM0" },
	{ TIMING + 2, 2, TIMING_DECODES, 0xffff, "IDETIM1" },
	{ TIMING + 4, 1, 0, 0xff, "SIDETIM" },
};

#define NREGS           (sizeof(regs) / sizeof(regs[0]))

static struct ide_drive *selected(struct ide_channel *c)
{
	return &c->drive[c->selected];
}

void ide_update_irq(struct ide_channel *c)
{
	const struct ide_drive *d = selected(c);
	bool level = drive_is_present(d) && d->s.intrq && !(c->control & CTL_NIEN);

	if (level == c->irq)
		return;
	c->irq = level;
	if (level && !c->ide->settling)
		c->bm.status |= BM_INTR;
	pci_drive_line(c->ide->pci.pci, gsi[c->number], LINE_SOURCE, level);
}

/* Whether the chip passes accesses on to the channel. */
static bool is_decoded(const struct ide_channel *c)
{
	return pci_get16(&c->ide->pci, TIMING + 2 * c->number) & TIMING_DECODES;
}

static bool is_busy(const struct ide_channel *c, const struct ide_drive *d)
{
	return (c->control & CTL_SRST) || (drive_status(d) & ST_BSY);
}

/* Who answers when the selected drive is asked; NULL: nobody. */
static struct ide_drive *answering(struct ide_channel *c)
{
	if (!is_decoded(c))
		return NULL;
	if (drive_is_present(selected(c)))
		return selected(c);
	return c->selected && drive_is_present(&c->drive[0]) ? &c->drive[0] : NULL;
}

static uint8_t read_status(struct ide_channel *c)
{
	const struct ide_drive *d = answering(c);

	if (!d)
		return FLOATING;
	if (d != selected(c))
		return 0;
	return c->control & CTL_SRST ? ST_BSY : drive_status(d);
}

/* The status register, whose reading takes the interrupt back. */
static uint8_t take_status(struct ide_channel *c)
{
	uint8_t value = read_status(c);

	if (answering(c) == selected(c)) {
		selected(c)->s.intrq = 0;
		ide_update_irq(c);
	}
	return value;
}

static uint8_t read_reg(struct ide_channel *c, unsigned reg)
{
	const struct ide_drive *d = answering(c);
	const struct drive_task *t;
	unsigned then = c->control & CTL_HOB ? 1 : 0;

	if (!d)
		return FLOATING;
	t = &d->s.task;
	switch (reg) {
	case REG_ERROR:
		return d->s.error;
	case REG_COUNT:
		return t->count[then];
	case REG_LBA_LOW:
		return t->lba_low[then];
	case REG_LBA_MID:
		return t->lba_mid[then];
	case REG_LBA_HIGH:
		return t->lba_high[then];
	case REG_DEVICE:
		return (uint8_t)((t->device & ~DEV_SLAVE) | DEV_ONES | (c->selected ? DEV_SLAVE : 0));
	}
	return take_status(c);
}

static void push(uint8_t reg[2], uint8_t value)
{
	reg[1] = reg[0];
	reg[0] = value;
}

static void write_task(struct drive_task *t, unsigned reg, uint8_t value)
{
	switch (reg) {
	case REG_ERROR:
		push(t->feature, value);
		break;
	case REG_COUNT:
		push(t->count, value);
		break;
	case REG_LBA_LOW:
		push(t->lba_low, value);
		break;
	case REG_LBA_MID:
		push(t->lba_mid, value);
		break;
	case REG_LBA_HIGH:
		push(t->lba_high, value);
		break;
	case REG_DEVICE:
		t->device = value;
		break;
	}
}

static void reset_drives(struct ide_channel *c)
{
	unsigned i;

	for (i = 0; i < 2; i++)
		if (drive_is_present(&c->drive[i]))
			drive_reset(&c->drive[i]);
	c->selected = 0;
	ide_update_irq(c);
}

/* Both drives do it, whichever is selected, and drive 0 tells. */
static void diagnose(struct ide_channel *c)
{
	reset_drives(c);
	if (drive_is_present(&c->drive[0]))
		c->drive[0].s.intrq = 1;
	ide_update_irq(c);
}

static void write_command(struct ide_channel *c, uint8_t value)
{
	struct ide_drive *d = answering(c);
	uint8_t device;

	if (!d || (c->control & CTL_SRST))
		return;
	if (value == COMMAND_DEVICE_RESET && d == selected(c) && d->type == &atapi_type) {
		device = d->s.task.device;
		drive_reset(d);
		d->s.task.device = device & DEV_SLAVE;
		ide_update_irq(c);
		return;
	}
	if ((drive_status(d) & (ST_BSY | ST_DRQ)) || d->s.power == POWER_SLEEP)
		return;
	if (value == COMMAND_DIAGNOSE) {
		diagnose(c);
		return;
	}
	if (d != selected(c))
		return;
	d->s.intrq = 0;
	ide_update_irq(c);
	d->type->command(d, value);
}

static void write_reg(struct ide_channel *c, unsigned reg, uint8_t value)
{
	unsigned i;

	if (!is_decoded(c))
		return;
	c->control &= (uint8_t)~CTL_HOB;
	if (reg == REG_STATUS) {
		write_command(c, value);
		return;
	}
	for (i = 0; i < 2; i++) {
		struct ide_drive *d = &c->drive[i];

		if (drive_is_present(d) && !is_busy(c, d) && !(drive_status(d) & ST_DRQ))
			write_task(&d->s.task, reg, value);
	}
	if (reg == REG_DEVICE && !(c->control & CTL_SRST)) {
		c->selected = value & DEV_SLAVE ? 1 : 0;
		ide_update_irq(c);
	}
}

static void write_control(struct ide_channel *c, uint8_t value)
{
	bool rises = ~c->control & value & CTL_SRST;

	if (!is_decoded(c))
		return;
	c->control = value & (CTL_NIEN | CTL_SRST | CTL_HOB);
	if (rises)
		reset_drives(c);
	ide_update_irq(c);
}

/* The data register has 16 bits: of a byte's access the upper ones are lost, one of 32 bits is two. */
static uint64_t read_data(struct ide_channel *c, unsigned size)
{
	uint64_t value = 0;
	unsigned i;

	if (answering(c) != selected(c))
		return answering(c) ? 0 : UINT64_MAX;
	for (i = 0; i < size; i += 2)
		value |= (uint64_t)drive_read_data(selected(c)) << (8 * i);
	return value;
}

static void write_data(struct ide_channel *c, unsigned size, uint64_t value)
{
	unsigned i;

	if (answering(c) != selected(c) || !drive_is_present(selected(c)))
		return;
	if (size == 1)
		value &= 0xff;
	for (i = 0; i < size; i += 2, value >>= 16)
		drive_write_data(selected(c), (uint16_t)value);
}

static uint8_t read_byte(struct ide *ide, unsigned range, unsigned offset)
{
	if (range >= NRANGES)
		return bm_read(&ide->channel[offset / BM_CHANNEL], offset % BM_CHANNEL);
	if (ranges[range].control)
		return read_status(&ide->channel[ranges[range].channel]);
	return read_reg(&ide->channel[ranges[range].channel], offset);
}

static uint64_t ide_read(struct device *dev, unsigned range, uint64_t offset, unsigned size)
{
	struct ide *ide = (struct ide *)dev;
	uint64_t value = 0;
	unsigned i;

	if (range < NRANGES && !ranges[range].control && offset == REG_DATA)
		return read_data(&ide->channel[ranges[range].channel], size);
	for (i = 0; i < size; i++)
		value |= (uint64_t)read_byte(ide, range, (unsigned)offset + i) << (8 * i);
	return value;
}

static void write_byte(struct ide *ide, unsigned range, unsigned offset, uint8_t value)
{
	if (range >= NRANGES)
		bm_write(&ide->channel[offset / BM_CHANNEL], offset % BM_CHANNEL, value);
	else if (ranges[range].control)
		write_control(&ide->channel[ranges[range].channel], value);
	else
		write_reg(&ide->channel[ranges[range].channel], offset, value);
}

static void ide_write(struct device *dev, unsigned range, uint64_t offset, unsigned size, uint64_t value)
{
	struct ide *ide = (struct ide *)dev;
	unsigned i;

	if (range < NRANGES && !ranges[range].control && offset == REG_DATA) {
		write_data(&ide->channel[ranges[range].channel], size, value);
		return;
	}
	for (i = 0; i < size; i++, value >>= 8)
		write_byte(ide, range, (unsigned)offset + i, (uint8_t)value);
}

static void ide_poll(struct device *dev)
{
	struct ide *ide = (struct ide *)dev;
	unsigned i;

	for (i = 0; i < IDE_DRIVES; i++)
		drive_poll(&ide->channel[i / 2].drive[i % 2]);
}

/* Bus mastering may have been switched on. */
static void config_written(struct pci_function *f, unsigned offset, unsigned size)
{
	struct ide *ide = (struct ide *)f;

	(void)offset;
	(void)size;
	bm_kick(&ide->channel[0]);
	bm_kick(&ide->channel[1]);
}

static void ide_reset(struct device *dev)
{
	struct ide *ide = (struct ide *)dev;
	unsigned i;

	ide->settling = true;
	pci_reset(&ide->pci);
	pci_regs_reset(&ide->pci, regs, NREGS);
	for (i = 0; i < IDE_DRIVES; i++)
		if (drive_is_present(&ide->channel[i / 2].drive[i % 2]))
			drive_power_on(&ide->channel[i / 2].drive[i % 2]);
	for (i = 0; i < 2; i++) {
		ide->channel[i].control = 0;
		ide->channel[i].selected = 0;
		ide->channel[i].bm = (struct bm_state){ 0 };
		ide_update_irq(&ide->channel[i]);
	}
	ide->settling = false;
}

static void ide_free(struct device *dev)
{
	struct ide *ide = (struct ide *)dev;
	unsigned i;

	for (i = 0; i < IDE_DRIVES; i++) {
		struct ide_drive *d = &ide->channel[i / 2].drive[i % 2];

		/* The worker may be at the buffer. */
		if (drive_is_present(d))
			disk_settle(d->disk);
		free(d->buf);
	}
	free(ide);
}

static void ide_show(const struct device *dev, const struct dev_show *s)
{
	const struct ide *ide = (const struct ide *)dev;

	pci_show(&ide->pci, s);
	pci_regs_show(ide->pci.config, regs, NREGS, s);
	ide_show_channel(&ide->channel[0], s);
	ide_show_channel(&ide->channel[1], s);
}

static const struct dev_ops ide_ops = {
	.name = "ide",
	.what = "PIIX3 IDE: ATA disks and CD-ROMs",
	.reset = ide_reset,
	.save = ide_save,
	.load = ide_load,
	.free = ide_free,
	.read = ide_read,
	.write = ide_write,
	.poll = ide_poll,
	.show = ide_show,
};

static int add_drive(struct ide_channel *c, unsigned unit, struct disk *disk, struct err *err)
{
	struct ide_drive *d = &c->drive[unit % 2];
	const struct disk_info *info;
	uint64_t most;

	d->channel = c;
	d->unit = unit;
	if (!disk)
		return 0;
	d->buf = calloc(1, DISK_REQUEST_MAX);
	if (!d->buf)
		return err_set(err, ENOMEM, "no memory for a drive");
	info = disk_info(disk);
	most = info->cdrom ? CD_SECTORS : LBA48_SECTORS;
	d->type = info->cdrom ? &atapi_type : &ata_type;
	d->sector = info->sector;
	d->sectors = info->size / info->sector < most ? info->size / info->sector : most;
	d->disk = disk;
	return 0;
}

static int attach_ports(struct bus *b, struct ide *ide, struct err *err)
{
	unsigned i;
	int r;

	for (i = 0; i < NRANGES; i++) {
		r = bus_attach(b, &ide->pci.dev, ranges[i].port, ranges[i].count, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int ide_attach(struct pci_bus *pci, struct disk *const drive[IDE_DRIVES], struct err *err)
{
	static const struct pci_spec spec = {
		.slot = SLOT,
		.function = FUNCTION,
		.vendor = 0x8086,
		.device = 0x7010,
		.class_code = 0x010180,         /* IDE, at ISA's places, bus master */
		.name = "Intel PIIX3 IDE",
	};
	struct ide *ide = calloc(1, sizeof(*ide));
	unsigned i;
	int r;

	if (!ide)
		return err_set(err, ENOMEM, "no memory for the IDE controller");
	ide->pci.dev.ops = &ide_ops;
	ide->pci.config_written = config_written;
	for (i = 0; i < 2; i++) {
		ide->channel[i].ide = ide;
		ide->channel[i].number = i;
	}
	for (i = 0; i < IDE_DRIVES; i++) {
		r = add_drive(&ide->channel[i / 2], i, drive[i], err);
		if (r < 0) {
			ide_free(&ide->pci.dev);
			return r;
		}
	}
	r = attach_ports(pci_bus_of(pci), ide, err);
	if (r < 0)
		return r;
	r = pci_add(pci, &ide->pci, &spec, err);
	if (r < 0)
		return r;
	r = pci_add_bar(&ide->pci, BM_BAR, false, BM_BYTES, err);
	if (r < 0)
		return r;
	ide_reset(&ide->pci.dev);
	return 0;
}
