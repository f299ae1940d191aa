/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The commands of an ATA disk (ATA/ATAPI-6, chapter 8). */
#include "dev/ide_priv.h"

#include <errno.h>
#include <string.h>

#define SECTOR          512u
#define MULTIPLE_MAX    16u
#define CYLINDERS_MAX   16383u
#define HEADS           16u             /* of the geometry that IDENTIFY gives */
#define TRACK           63u
#define LBA28_MAX       0x0fffffffu

#define READY           (ST_DRDY | ST_DSC)

/* What a command needs and does. */
#define LBA48           0x01
#define DMA             0x02
#define MULTIPLE        0x04
#define SPINS           0x08            /* leaves standby */

struct ata_command {
	uint8_t first, last;            /* opcodes */
	uint8_t flags, kind;
	void (*run)(struct ide_drive *d, const struct ata_command *c);
};

static void succeed(struct ide_drive *d)
{
	drive_end(d, READY, 0, true);
}

static void fail(struct ide_drive *d, uint8_t error)
{
	drive_end(d, READY | ST_ERR, error, true);
}

static uint64_t get_lba28(const struct drive_task *t)
{
	return t->lba_low[0] | t->lba_mid[0] << 8 | t->lba_high[0] << 16 | (uint32_t)(t->device & 0x0f) << 24;
}

static uint64_t get_lba48(const struct drive_task *t)
{
	return t->lba_low[0] | t->lba_mid[0] << 8 | t->lba_high[0] << 16 | (uint64_t)t->lba_low[1] << 24 |
	       (uint64_t)t->lba_mid[1] << 32 | (uint64_t)t->lba_high[1] << 40;
}

/* The place that the registers name, by the current translation if by cylinder; false: there is none such. */
static bool get_place(const struct ide_drive *d, bool lba48, uint64_t *ret)
{
	const struct drive_task *t = &d->s.task;
	const struct drive_settings *set = &d->s.set;
	unsigned cylinder = t->lba_mid[0] | t->lba_high[0] << 8, head = t->device & 0x0f, sector = t->lba_low[0];

	if (lba48) {
		*ret = get_lba48(t);
		return true;
	}
	if (t->device & DEV_LBA) {
		*ret = get_lba28(t);
		return true;
	}
	if (head >= set->heads || !sector || sector > set->sectors)
		return false;
	*ret = ((uint64_t)cylinder * set->heads + head) * set->sectors + sector - 1;
	return true;
}

static void put_lba(struct ide_drive *d, bool lba48, uint64_t lba)
{
	struct drive_task *t = &d->s.task;
	unsigned cylinder;

	if (!lba48 && !(t->device & DEV_LBA)) {
		cylinder = (unsigned)(lba / d->s.set.sectors / d->s.set.heads);
		t->lba_low[0] = (uint8_t)(lba % d->s.set.sectors + 1);
		t->lba_mid[0] = (uint8_t)cylinder;
		t->lba_high[0] = (uint8_t)(cylinder >> 8);
		t->device = (uint8_t)((t->device & 0xf0) | lba / d->s.set.sectors % d->s.set.heads);
		return;
	}
	t->lba_low[0] = (uint8_t)lba;
	t->lba_mid[0] = (uint8_t)(lba >> 8);
	t->lba_high[0] = (uint8_t)(lba >> 16);
	if (lba48) {
		t->lba_low[1] = (uint8_t)(lba >> 24);
		t->lba_mid[1] = (uint8_t)(lba >> 32);
		t->lba_high[1] = (uint8_t)(lba >> 40);
	} else {
		t->device = (uint8_t)((t->device & 0xf0) | (lba >> 24 & 0x0f));
	}
}

static uint32_t get_count(const struct drive_task *t, bool lba48)
{
	uint32_t n = lba48 ? (uint32_t)(t->count[0] | t->count[1] << 8) : t->count[0];

	return n ? n : lba48 ? 0x10000 : 0x100;
}

/* READ, WRITE and VERIFY in all their forms. */
static void run_transfer(struct ide_drive *d, const struct ata_command *c)
{
	struct drive_state *s = &d->s;
	bool lba48 = c->flags & LBA48;
	uint32_t count = get_count(&s->task, lba48);
	uint64_t lba;

	/*
	 * A disk whose jumper or switch forbids writing refuses the command before any data.  ABRT alone: a fixed
	 * disk has no bit that says why; WP is removable media's.
	 */
	if (((c->flags & MULTIPLE) && !s->set.multiple) || (c->kind == KIND_WRITE && disk_info(d->disk)->readonly)) {
		fail(d, ER_ABRT);
		return;
	}
	if (!get_place(d, lba48, &lba) || lba >= d->sectors || count > d->sectors - lba) {
		fail(d, ER_IDNF);
		return;
	}
	s->lba48 = lba48;
	drive_transfer(d, c->kind, c->flags & DMA, lba, count, c->flags & MULTIPLE ? s->set.multiple * SECTOR : SECTOR);
}

static void run_seek(struct ide_drive *d, const struct ata_command *c)
{
	uint64_t lba;

	(void)c;
	if (!get_place(d, false, &lba) || lba >= d->sectors)
		fail(d, ER_IDNF);
	else
		succeed(d);
}

static void run_nothing(struct ide_drive *d, const struct ata_command *c)
{
	(void)c;
	succeed(d);
}

/* NOP is there to be refused. */
static void run_abort(struct ide_drive *d, const struct ata_command *c)
{
	(void)c;
	fail(d, ER_ABRT);
}

static void run_flush(struct ide_drive *d, const struct ata_command *c)
{
	d->s.lba48 = c->flags & LBA48;
	drive_flush(d);
}

static void run_native_max(struct ide_drive *d, const struct ata_command *c)
{
	uint64_t last = d->sectors - 1;
	bool lba48 = c->flags & LBA48;

	d->s.task.device |= DEV_LBA;
	put_lba(d, lba48, !lba48 && last > LBA28_MAX ? LBA28_MAX : last);
	succeed(d);
}

static void run_set_multiple(struct ide_drive *d, const struct ata_command *c)
{
	uint8_t n = d->s.task.count[0];

	(void)c;
	if (n > MULTIPLE_MAX || (n & (n - 1))) {
		fail(d, ER_ABRT);
		return;
	}
	d->s.set.multiple = n;
	succeed(d);
}

static void run_set_translation(struct ide_drive *d, const struct ata_command *c)
{
	uint8_t sectors = d->s.task.count[0];

	(void)c;
	if (!sectors) {
		fail(d, ER_ABRT);
		return;
	}
	d->s.set.heads = (uint8_t)((d->s.task.device & 0x0f) + 1);
	d->s.set.sectors = sectors;
	succeed(d);
}

static void run_power(struct ide_drive *d, const struct ata_command *c)
{
	d->s.power = c->kind;
	succeed(d);
}

static void run_check_power(struct ide_drive *d, const struct ata_command *c)
{
	static const uint8_t answer[POWERS] = { [POWER_ACTIVE] = 0xff, [POWER_IDLE] = 0x80, [POWER_STANDBY] = 0x00 };

	(void)c;
	d->s.task.count[0] = answer[d->s.power];
	succeed(d);
}

static void run_set_features(struct ide_drive *d, const struct ata_command *c)
{
	struct drive_settings *set = &d->s.set;

	(void)c;
	switch (d->s.task.feature[0]) {
	case 0x02:
	case 0x82:
		set->write_cache = d->s.task.feature[0] == 0x02;
		break;
	case 0x03:
		if (!drive_set_mode(d, d->s.task.count[0])) {
			fail(d, ER_ABRT);
			return;
		}
		break;
	case 0xaa:
	case 0x55:
		set->look_ahead = d->s.task.feature[0] == 0xaa;
		break;
	case 0x66:
	case 0xcc:
		set->keep = d->s.task.feature[0] == 0x66;
		break;
	default:
		fail(d, ER_ABRT);
		return;
	}
	succeed(d);
}

static void put_long(struct ide_drive *d, unsigned word, uint64_t value, unsigned words)
{
	for (; words; words--, word++, value >>= 16)
		drive_put_word(d, word, (unsigned)(value & 0xffff));
}

/*
 * COUNT cylinders' worth, but no more than there is; a disk of less than one has one, so that its sectors can be
 * named.
 */
static unsigned count_cylinders(const struct ide_drive *d, unsigned heads, unsigned sectors)
{
	uint64_t n = d->sectors / heads / sectors;

	return n > CYLINDERS_MAX ? CYLINDERS_MAX : n ? (unsigned)n : 1;
}

static void run_identify(struct ide_drive *d, const struct ata_command *c)
{
	const struct drive_settings *set = &d->s.set;
	unsigned cylinders = count_cylinders(d, set->heads, set->sectors), i;
	uint64_t by_chs = (uint64_t)cylinders * set->heads * set->sectors;
	uint8_t sum = 0;

	(void)c;
	memset(d->buf, 0, SECTOR);
	drive_put_word(d, 0, 0x0040);                   /* ATA, fixed */
	drive_put_word(d, 1, count_cylinders(d, HEADS, TRACK));
	drive_put_word(d, 3, HEADS);
	drive_put_word(d, 6, TRACK);
	drive_put_identity(d, "gdbvisor disk");
	drive_put_word(d, 47, 0x8000 | MULTIPLE_MAX);
	drive_put_word(d, 54, cylinders);
	drive_put_word(d, 55, set->heads);
	drive_put_word(d, 56, set->sectors);
	put_long(d, 57, by_chs < d->sectors ? by_chs : d->sectors, 2);
	drive_put_word(d, 59, set->multiple ? 0x0100u | set->multiple : 0);
	put_long(d, 60, d->sectors < LBA28_MAX ? d->sectors : LBA28_MAX, 2);
	/* NOP, look-ahead, write cache, power management; FLUSH (EXT), 48 bits.  Then what of it is on. */
	drive_put_word(d, 82, 0x4068);
	drive_put_word(d, 83, 0x7400);
	drive_put_word(d, 84, 0x4000);
	drive_put_word(d, 85, 0x4008u | (set->look_ahead ? 0x40 : 0) | (set->write_cache ? 0x20 : 0));
	drive_put_word(d, 86, 0x3400);
	drive_put_word(d, 87, 0x4000);
	put_long(d, 100, d->sectors, 4);
	d->buf[510] = 0xa5;
	for (i = 0; i < 511; i++)
		sum = (uint8_t)(sum + d->buf[i]);
	d->buf[511] = (uint8_t)-sum;
	drive_reply(d, false, SECTOR, SECTOR);
}

static const struct ata_command commands[] = {
	{ 0x00, 0x00, 0, 0, run_abort },
	{ 0x10, 0x1f, SPINS, 0, run_nothing },                  /* RECALIBRATE */
	{ 0x20, 0x21, SPINS, KIND_READ, run_transfer },
	{ 0x24, 0x24, SPINS | LBA48, KIND_READ, run_transfer },
	{ 0x25, 0x25, SPINS | LBA48 | DMA, KIND_READ, run_transfer },
	{ 0x27, 0x27, LBA48, 0, run_native_max },
	{ 0x29, 0x29, SPINS | LBA48 | MULTIPLE, KIND_READ, run_transfer },
	{ 0x30, 0x31, SPINS, KIND_WRITE, run_transfer },
	{ 0x34, 0x34, SPINS | LBA48, KIND_WRITE, run_transfer },
	{ 0x35, 0x35, SPINS | LBA48 | DMA, KIND_WRITE, run_transfer },
	{ 0x39, 0x39, SPINS | LBA48 | MULTIPLE, KIND_WRITE, run_transfer },
	{ 0x40, 0x41, SPINS, KIND_VERIFY, run_transfer },
	{ 0x42, 0x42, SPINS | LBA48, KIND_VERIFY, run_transfer },
	{ 0x70, 0x7f, SPINS, 0, run_seek },
	{ 0x91, 0x91, 0, 0, run_set_translation },
	{ 0x94, 0x94, 0, POWER_STANDBY, run_power },            /* 94 to 99: of older disks */
	{ 0x95, 0x95, 0, POWER_IDLE, run_power },
	{ 0x96, 0x96, 0, POWER_STANDBY, run_power },
	{ 0x97, 0x97, 0, POWER_IDLE, run_power },
	{ 0x98, 0x98, 0, 0, run_check_power },
	{ 0x99, 0x99, 0, POWER_SLEEP, run_power },
	{ 0xc4, 0xc4, SPINS | MULTIPLE, KIND_READ, run_transfer },
	{ 0xc5, 0xc5, SPINS | MULTIPLE, KIND_WRITE, run_transfer },
	{ 0xc6, 0xc6, 0, 0, run_set_multiple },
	{ 0xc8, 0xc9, SPINS | DMA, KIND_READ, run_transfer },
	{ 0xca, 0xcb, SPINS | DMA, KIND_WRITE, run_transfer },
	{ 0xe0, 0xe0, 0, POWER_STANDBY, run_power },
	{ 0xe1, 0xe1, 0, POWER_IDLE, run_power },
	{ 0xe2, 0xe2, 0, POWER_STANDBY, run_power },
	{ 0xe3, 0xe3, 0, POWER_IDLE, run_power },
	{ 0xe5, 0xe5, 0, 0, run_check_power },
	{ 0xe6, 0xe6, 0, POWER_SLEEP, run_power },
	{ 0xe7, 0xe7, 0, 0, run_flush },
	{ 0xea, 0xea, LBA48, 0, run_flush },
	{ 0xec, 0xec, 0, 0, run_identify },
	{ 0xef, 0xef, 0, 0, run_set_features },
	{ 0xf8, 0xf8, 0, 0, run_native_max },
};

static void ata_command(struct ide_drive *d, uint8_t opcode)
{
	const struct ata_command *c = commands, *end = commands + sizeof(commands) / sizeof(commands[0]);

	while (c < end && (opcode < c->first || opcode > c->last))
		c++;
	if (c == end) {
		fail(d, ER_ABRT);
		return;
	}
	if (c->flags & SPINS)
		d->s.power = POWER_ACTIVE;
	d->s.status = READY;
	d->s.error = 0;
	c->run(d, c);
}

/* The kinds of error that the host's disk can make of a command: reads find a bad sector, writes a broken drive. */
static void ata_complete(struct ide_drive *d, int result)
{
	struct drive_state *s = &d->s;
	bool reads = s->kind == KIND_READ || s->kind == KIND_VERIFY;

	if (result == 0) {
		/* A guest that reads data itself knows when it has all of it. */
		drive_end(d, READY, 0, s->dma || (s->kind != KIND_READ && s->kind != KIND_REPLY));
		return;
	}
	if (s->kind != KIND_FLUSH)
		put_lba(d, s->lba48, s->lba);
	if (reads)
		fail(d, ER_UNC);
	else
		drive_end(d, READY | ST_DF | ST_ERR, ER_ABRT, true);
}

const struct drive_type ata_type = {
	.status = READY,
	.command = ata_command,
	.complete = ata_complete,
};
