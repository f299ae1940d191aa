/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dev/ide_priv.h"

#include <string.h>

#define MODE_PIO        0x08
#define MODE_MWDMA      0x20
#define MODE_UDMA       0x40
#define MODE_KIND       0xf8
#define MODE_NUMBER     0x07

#define MULTIPLE_FIRST  16u
#define HEADS_FIRST     16u
#define SECTORS_FIRST   63u

uint8_t drive_status(const struct ide_drive *d)
{
	const struct drive_state *s = &d->s;

	switch (s->phase) {
	case PHASE_IDLE:
		return s->status;
	case PHASE_DISK:
	case PHASE_RESET:
		return ST_BSY | s->status;
	}
	return ST_DRQ | s->status;
}

static void clear_transfer(struct drive_state *s)
{
	s->kind = KIND_NONE;
	s->dma = 0;
	s->lba = 0;
	s->left = s->len = s->pos = s->stop = s->block = 0;
}

void drive_end(struct ide_drive *d, uint8_t status, uint8_t error, bool interrupt)
{
	struct drive_state *s = &d->s;

	clear_transfer(s);
	s->phase = PHASE_IDLE;
	s->status = status;
	s->error = error;
	/* One that the guest has not taken yet stays. */
	s->intrq |= interrupt;
	ide_update_irq(d->channel);
}

void drive_reset(struct ide_drive *d)
{
	struct drive_state *s = &d->s;
	struct drive_settings set = s->set;
	bool at_disk = s->phase == PHASE_DISK || s->phase == PHASE_RESET;
	int ignored;

	*s = (struct drive_state){
		.task = {
			.count = { 1 },
			.lba_low = { 1 },
			.lba_mid = { d->type->signature_mid },
			.lba_high = { d->type->signature_high },
		},
		.error = 1,                             /* diagnostics: nothing is wrong */
		.status = d->type->status,
		/* The buffer is the worker's until then. */
		.phase = at_disk && !disk_finished(d->disk, &ignored) ? PHASE_RESET : PHASE_IDLE,
		.tray_open = s->tray_open,
		.medium_changed = s->medium_changed,
	};
	if (set.keep)
		s->set = set;
	else
		s->set = (struct drive_settings){
			.multiple = MULTIPLE_FIRST,
			.heads = HEADS_FIRST,
			.sectors = SECTORS_FIRST,
			.mode = MODE_PIO,
			.write_cache = 1,
			.look_ahead = 1,
		};
}

void drive_power_on(struct ide_drive *d)
{
	disk_settle(d->disk);
	d->s = (struct drive_state){ 0 };
	drive_reset(d);
}

/* Data for the guest: the next DRQ block, with its interrupt. */
static void offer_block(struct ide_drive *d)
{
	struct drive_state *s = &d->s;
	uint32_t n = s->len - s->pos;

	if (n > s->block)
		n = s->block;
	s->stop = s->pos + n;
	if (d->type->tell_block)
		d->type->tell_block(d, n);
	s->intrq = 1;
	ide_update_irq(d->channel);
}

static void move_in(struct ide_drive *d)
{
	struct drive_state *s = &d->s;

	if (s->dma) {
		s->phase = PHASE_DMA_IN;
		drive_move_dma(d);
		return;
	}
	s->phase = PHASE_PIO_IN;
	offer_block(d);
}

static void begin(struct ide_drive *d, enum disk_op op)
{
	int r;

	d->s.phase = PHASE_DISK;
	r = disk_begin(d->disk, op, d->s.lba * d->sector, d->buf, d->s.len);
	if (r < 0)
		d->type->complete(d, r);
}

/* The next buffer full of a transfer. */
static void next_buffer(struct ide_drive *d)
{
	struct drive_state *s = &d->s;
	uint32_t most = DISK_REQUEST_MAX / d->sector, n = s->left < most ? s->left : most;

	s->len = n * d->sector;
	s->pos = s->stop = 0;
	s->left -= n;
	if (s->kind != KIND_WRITE) {
		begin(d, DISK_READ);
	} else if (s->dma) {
		s->phase = PHASE_DMA_OUT;
		drive_move_dma(d);
	} else {
		s->phase = PHASE_PIO_OUT;
		s->stop = s->block < s->len ? s->block : s->len;
	}
}

/* The buffer has been dealt with. */
static void advance(struct ide_drive *d)
{
	struct drive_state *s = &d->s;

	s->lba += s->len / d->sector;
	s->len = s->pos = s->stop = 0;
	if (s->kind == KIND_WRITE && s->left) {
		next_buffer(d);
		/* The guest may write the next block; it knows of the first one without being told. */
		if (s->phase == PHASE_PIO_OUT) {
			s->intrq = 1;
			ide_update_irq(d->channel);
		}
	} else if (s->left) {
		next_buffer(d);
	} else if (s->kind == KIND_WRITE && !s->set.write_cache) {
		drive_flush(d);
	} else {
		d->type->complete(d, 0);
	}
}

void drive_transfer(struct ide_drive *d, enum ide_kind kind, bool dma, uint64_t lba, uint32_t count, uint32_t block)
{
	struct drive_state *s = &d->s;

	clear_transfer(s);
	s->kind = (uint8_t)kind;
	s->dma = dma;
	s->lba = lba;
	s->left = count;
	s->block = block;
	next_buffer(d);
}

void drive_reply(struct ide_drive *d, bool dma, uint32_t len, uint32_t block)
{
	struct drive_state *s = &d->s;

	clear_transfer(s);
	s->kind = KIND_REPLY;
	s->dma = dma;
	s->len = len;
	s->block = block;
	move_in(d);
}

void drive_flush(struct ide_drive *d)
{
	clear_transfer(&d->s);
	d->s.kind = KIND_FLUSH;
	begin(d, DISK_FLUSH);
}

uint16_t drive_read_data(struct ide_drive *d)
{
	struct drive_state *s = &d->s;
	uint16_t value;

	if (s->phase != PHASE_PIO_IN)
		return 0;
	value = d->buf[s->pos++];
	/* A block of an odd number of bytes is padded. */
	if (s->pos < s->stop)
		value |= (uint16_t)(d->buf[s->pos++] << 8);
	if (s->pos < s->stop)
		return value;
	if (s->pos < s->len)
		offer_block(d);
	else
		advance(d);
	return value;
}

static void write_packet(struct ide_drive *d, uint16_t value)
{
	struct drive_state *s = &d->s;

	s->packet[s->packet_len++] = (uint8_t)value;
	s->packet[s->packet_len++] = (uint8_t)(value >> 8);
	if (s->packet_len == sizeof(s->packet)) {
		s->packet_len = 0;
		atapi_packet(d);
	}
}

void drive_write_data(struct ide_drive *d, uint16_t value)
{
	struct drive_state *s = &d->s;

	if (s->phase == PHASE_PACKET) {
		write_packet(d, value);
		return;
	}
	if (s->phase != PHASE_PIO_OUT)
		return;
	d->buf[s->pos++] = (uint8_t)value;      /* what is written is whole sectors */
	d->buf[s->pos++] = (uint8_t)(value >> 8);
	if (s->pos < s->stop)
		return;
	if (s->pos < s->len)
		offer_block(d);
	else
		begin(d, DISK_WRITE);
}

void drive_move_dma(struct ide_drive *d)
{
	struct drive_state *s = &d->s;
	bool in = s->phase == PHASE_DMA_IN;

	if (!drive_is_present(d) || (!in && s->phase != PHASE_DMA_OUT))
		return;
	s->pos += (uint32_t)bm_move(d->channel, d->buf + s->pos, s->len - s->pos, in);
	if (s->pos < s->len)
		return;
	if (in)
		advance(d);
	else
		begin(d, DISK_WRITE);
}

void drive_poll(struct ide_drive *d)
{
	struct drive_state *s = &d->s;
	int result;

	if (!drive_is_present(d) || (s->phase != PHASE_DISK && s->phase != PHASE_RESET))
		return;
	if (!disk_finished(d->disk, &result))
		return;
	if (s->phase == PHASE_RESET)
		s->phase = PHASE_IDLE;
	else if (result < 0)
		d->type->complete(d, result);
	else if (s->kind == KIND_READ)
		move_in(d);
	else
		advance(d);
}

void drive_restart(struct ide_drive *d)
{
	static const enum disk_op op[KINDS] = {
		[KIND_READ] = DISK_READ, [KIND_VERIFY] = DISK_READ, [KIND_WRITE] = DISK_WRITE,
		[KIND_FLUSH] = DISK_FLUSH,
	};

	if (d->s.phase == PHASE_DISK)
		begin(d, op[d->s.kind]);
}

bool drive_set_mode(struct ide_drive *d, uint8_t mode)
{
	static const struct {
		uint8_t kind, most;
	} modes[] = { { 0, 1 }, { MODE_PIO, 4 }, { MODE_MWDMA, 2 }, { MODE_UDMA, 5 } };
	unsigned i;

	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if ((mode & MODE_KIND) != modes[i].kind || (mode & MODE_NUMBER) > modes[i].most)
			continue;
		d->s.set.mode = mode;
		return true;
	}
	return false;
}

void drive_put_word(struct ide_drive *d, unsigned word, unsigned value)
{
	d->buf[2 * word] = (uint8_t)value;
	d->buf[2 * word + 1] = (uint8_t)(value >> 8);
}

/* Text, padded with spaces; the first character of two is in the word's upper byte. */
static void put_text(struct ide_drive *d, unsigned word, unsigned words, const char *text)
{
	uint8_t *p = d->buf + 2 * word;
	size_t len = strlen(text), i;

	for (i = 0; i < 2 * words; i++)
		p[i ^ 1] = (uint8_t)(i < len ? text[i] : ' ');
}

void drive_put_identity(struct ide_drive *d, const char *model)
{
	uint8_t mode = d->s.set.mode, kind = mode & MODE_KIND;
	unsigned chosen = 0x100u << (mode & MODE_NUMBER);
	char serial[] = "GV00000";

	serial[sizeof(serial) - 2] = (char)('1' + d->unit);
	put_text(d, 10, 10, serial);
	put_text(d, 23, 4, "1.0");
	put_text(d, 27, 20, model);
	drive_put_word(d, 49, 0x0b00);                  /* DMA, LBA, IORDY */
	drive_put_word(d, 51, 0x0200);                  /* PIO mode 2 without flow control */
	drive_put_word(d, 53, 0x0007);                  /* words 54 to 58, 64 to 70 and 88 are valid */
	drive_put_word(d, 63, 0x0007 | (kind == MODE_MWDMA ? chosen : 0));
	drive_put_word(d, 64, 0x0003);                  /* PIO modes 3 and 4 */
	drive_put_word(d, 65, 120);                     /* nanoseconds of a cycle: MWDMA mode 2 */
	drive_put_word(d, 66, 120);
	drive_put_word(d, 67, 120);                     /* PIO mode 4 */
	drive_put_word(d, 68, 120);
	drive_put_word(d, 80, 0x0070);                  /* ATA/ATAPI-4 to -6 */
	drive_put_word(d, 88, 0x003f | (kind == MODE_UDMA ? chosen : 0));
	/* Hardware reset: cable of 80 wires, numbered by jumper, diagnostics passed. */
	drive_put_word(d, 93, d->unit & 1 ? 0x6b00 : 0x600b);
}
