/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The commands of an ATAPI CD-ROM: PACKET (ATA/ATAPI-6, chapter 9.12) and what packets say (SPC-3, MMC-3).  There is
 * one medium, and it may be taken out and put back.
 *
 * After a reset the first command is carried out, without the unit attention that a drive may give then: there is only
 * this one medium, and small loaders give up at the first error.
 */
#include "dev/ide_priv.h"

#include <string.h>

#define SECTOR          2048u
#define IDENTITY_BYTES  512u
#define CD_SECTORS_MAX  445500u         /* 99 minutes: what is longer must be a DVD */

#define READY           ST_DRDY

/* Interrupt reason, in the sector count register. */
#define REASON_COMMAND  0x01
#define REASON_STATUS   0x03
#define REASON_DATA_IN  0x02

enum sense_key { NOT_READY = 2, MEDIUM_ERROR = 3, ILLEGAL_REQUEST = 5, UNIT_ATTENTION = 6 };

#define ASC_UNREADABLE          0x11
#define ASC_INVALID_OPCODE      0x20
#define ASC_OUT_OF_RANGE        0x21
#define ASC_INVALID_FIELD       0x24
#define ASC_MEDIUM_CHANGED      0x28
#define ASC_NO_SAVED_PAGES      0x39
#define ASC_NO_MEDIUM           0x3a
#define ASC_LOCKED              0x53

#define NEEDS_MEDIUM    0x01
#define BEFORE_OTHERS   0x02            /* carried out although a unit attention waits */

struct packet_command {
	uint8_t opcode, flags;
	void (*run)(struct ide_drive *d, const uint8_t *p);
};

static void finish(struct ide_drive *d)
{
	d->s.task.count[0] = REASON_STATUS;
	d->s.in_packet = 0;
	drive_end(d, READY, 0, true);
}

/* Ends the packet with CHECK CONDITION; ASCQ << 8 | ASC in CODE. */
static void check(struct ide_drive *d, enum sense_key key, unsigned code)
{
	d->s.sense_key = (uint8_t)key;
	d->s.asc = (uint8_t)code;
	d->s.ascq = (uint8_t)(code >> 8);
	d->s.task.count[0] = REASON_STATUS;
	d->s.in_packet = 0;
	drive_end(d, READY | ST_ERR, (uint8_t)(key << 4), true);
}

static void abort_command(struct ide_drive *d)
{
	d->s.in_packet = 0;
	drive_end(d, READY | ST_ERR, ER_ABRT, true);
}

static uint32_t get16(const uint8_t *p)
{
	return (uint32_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
	return get16(p) << 16 | get16(p + 2);
}

static void put16(uint8_t *p, uint32_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static void put32(uint8_t *p, uint32_t value)
{
	put16(p, value >> 16);
	put16(p + 2, value);
}

/*
 * How many of TOTAL bytes the guest wants at a time: the byte count registers, which without DMA may not be 0.  A
 * block that is not the last has an even number.
 */
static uint32_t get_limit(const struct ide_drive *d, uint32_t total)
{
	uint32_t limit = d->s.task.lba_mid[0] | (uint32_t)d->s.task.lba_high[0] << 8;

	if (d->s.dma)
		return DISK_REQUEST_MAX;
	return limit < total || limit == 0xffff ? limit & ~1u : limit;
}

/* N bytes of buf, of which the guest has room for ALLOCATED. */
static void reply(struct ide_drive *d, uint32_t n, uint32_t allocated)
{
	uint32_t len = n < allocated ? n : allocated, limit = get_limit(d, len);

	if (!len)
		finish(d);
	else if (!limit)
		abort_command(d);
	else
		drive_reply(d, d->s.dma, len, limit);
}

static void run_test_ready(struct ide_drive *d, const uint8_t *p)
{
	(void)p;
	finish(d);
}

static void run_request_sense(struct ide_drive *d, const uint8_t *p)
{
	struct drive_state *s = &d->s;

	if (!s->sense_key && s->medium_changed) {
		s->medium_changed = 0;
		s->sense_key = UNIT_ATTENTION;
		s->asc = ASC_MEDIUM_CHANGED;
	}
	memset(d->buf, 0, 18);
	d->buf[0] = 0x70;
	d->buf[2] = s->sense_key;
	d->buf[7] = 10;
	d->buf[12] = s->asc;
	d->buf[13] = s->ascq;
	s->sense_key = s->asc = s->ascq = 0;
	reply(d, 18, p[4]);
}

static void run_inquiry(struct ide_drive *d, const uint8_t *p)
{
	static const char names[] = "gdbvisorCD-ROM          1.0 ";

	if (p[1] & 1 || p[2]) {
		check(d, ILLEGAL_REQUEST, ASC_INVALID_FIELD);
		return;
	}
	memset(d->buf, 0, 8);
	d->buf[0] = 0x05;               /* CD-ROM */
	d->buf[1] = 0x80;               /* removable */
	d->buf[3] = 0x21;               /* ATAPI */
	d->buf[4] = 31;
	memcpy(d->buf + 8, names, 28);
	reply(d, 36, p[4]);
}

static void run_start_stop(struct ide_drive *d, const uint8_t *p)
{
	struct drive_state *s = &d->s;
	bool start = p[4] & 1, load = p[4] & 2;

	if (load && !start && s->tray_locked) {
		check(d, ILLEGAL_REQUEST, 0x02 << 8 | ASC_LOCKED);
		return;
	}
	if (load && start && s->tray_open)
		s->medium_changed = 1;
	if (load)
		s->tray_open = !start;
	finish(d);
}

static void run_prevent(struct ide_drive *d, const uint8_t *p)
{
	d->s.tray_locked = p[4] & 1;
	finish(d);
}

static void run_read_capacity(struct ide_drive *d, const uint8_t *p)
{
	(void)p;
	put32(d->buf, (uint32_t)(d->sectors - 1));
	put32(d->buf + 4, SECTOR);
	reply(d, 8, 8);
}

static void read_sectors(struct ide_drive *d, uint32_t lba, uint32_t count)
{
	uint32_t limit = get_limit(d, DISK_REQUEST_MAX);

	if (lba >= d->sectors || count > d->sectors - lba)
		check(d, ILLEGAL_REQUEST, ASC_OUT_OF_RANGE);
	else if (!count)
		finish(d);
	else if (!limit)
		abort_command(d);
	else
		drive_transfer(d, KIND_READ, d->s.dma, lba, count, limit);
}

static void run_read10(struct ide_drive *d, const uint8_t *p)
{
	read_sectors(d, get32(p + 2), get16(p + 7));
}

static void run_read12(struct ide_drive *d, const uint8_t *p)
{
	read_sectors(d, get32(p + 2), get32(p + 6));
}

static void run_seek(struct ide_drive *d, const uint8_t *p)
{
	if (get32(p + 2) >= d->sectors)
		check(d, ILLEGAL_REQUEST, ASC_OUT_OF_RANGE);
	else
		finish(d);
}

/* An address as a track's: minutes, seconds and frames from the lead-in on, or a sector's number. */
static void put_address(uint8_t *p, bool msf, uint32_t lba)
{
	uint64_t frame = (uint64_t)lba + 150;

	if (!msf) {
		put32(p, lba);
		return;
	}
	p[0] = 0;
	p[1] = (uint8_t)(frame / 75 / 60 > 255 ? 255 : frame / 75 / 60);
	p[2] = (uint8_t)(frame / 75 % 60);
	p[3] = (uint8_t)(frame % 75);
}

#define TRACK_BYTES     8u
#define LEAD_OUT        0xaa
#define DATA_TRACK      0x14

static uint32_t put_track(uint8_t *p, uint8_t track, bool msf, uint32_t lba)
{
	p[0] = 0;
	p[1] = DATA_TRACK;
	p[2] = track;
	p[3] = 0;
	put_address(p + 4, msf, lba);
	return TRACK_BYTES;
}

static void run_read_toc(struct ide_drive *d, const uint8_t *p)
{
	bool msf = p[1] & 2;
	/* Older drives have the format in the last byte. */
	unsigned format = p[2] & 0x0f ? p[2] & 0x0fu : p[9] >> 6;
	uint32_t n = 4;

	if (format > 1 || (!format && p[6] > 1 && p[6] != LEAD_OUT)) {
		check(d, ILLEGAL_REQUEST, ASC_INVALID_FIELD);
		return;
	}
	d->buf[2] = d->buf[3] = 1;      /* first and last track, or session */
	if (format || p[6] <= 1)
		n += put_track(d->buf + n, 1, msf, 0);
	if (!format)
		n += put_track(d->buf + n, LEAD_OUT, msf, (uint32_t)d->sectors);
	put16(d->buf, n - 2);
	reply(d, n, get16(p + 7));
}

/* No audio is played, and there is neither a catalogue number nor a code of a track. */
static void run_read_subchannel(struct ide_drive *d, const uint8_t *p)
{
	static const uint8_t bytes[] = { 0, 16, 24, 24 };
	uint8_t format = p[3], n = 4;

	if (p[2] & 0x40) {
		if (!format || format >= sizeof(bytes)) {
			check(d, ILLEGAL_REQUEST, ASC_INVALID_FIELD);
			return;
		}
		n = bytes[format];
	}
	memset(d->buf, 0, n);
	put16(d->buf + 2, n - 4u);
	if (n > 4) {
		d->buf[4] = format;
		d->buf[5] = DATA_TRACK;
		d->buf[6] = 1;
	}
	if (format == 1 && n > 4) {
		d->buf[7] = 1;
		put_address(d->buf + 8, p[1] & 2, 0);
		put_address(d->buf + 12, p[1] & 2, 0);
	}
	reply(d, n, get16(p + 7));
}

static void run_mechanism_status(struct ide_drive *d, const uint8_t *p)
{
	memset(d->buf, 0, 8);
	d->buf[1] = d->s.tray_open ? 0x10 : 0;
	reply(d, 8, get16(p + 8));
}

#define PAGE_ERRORS     0x01
#define PAGE_ABILITIES  0x2a
#define PAGE_ALL        0x3f
#define PAGE_CHANGEABLE 1
#define PAGE_SAVED      3

static uint32_t put_page(struct ide_drive *d, uint32_t at, uint8_t page, uint8_t bytes)
{
	uint8_t *p = d->buf + at;

	memset(p, 0, bytes);
	p[0] = page;
	p[1] = (uint8_t)(bytes - 2);
	return at + bytes;
}

static void run_mode_sense(struct ide_drive *d, const uint8_t *p)
{
	uint8_t page = p[2] & 0x3f, control = p[2] >> 6, *ability;
	uint32_t n = 8;

	if (control == PAGE_SAVED) {
		check(d, ILLEGAL_REQUEST, ASC_NO_SAVED_PAGES);
		return;
	}
	if (page != PAGE_ERRORS && page != PAGE_ABILITIES && page != PAGE_ALL) {
		check(d, ILLEGAL_REQUEST, ASC_INVALID_FIELD);
		return;
	}
	memset(d->buf, 0, n);
	d->buf[2] = d->s.tray_open ? 0x71 : 0x01;       /* open, or a data disc of 120 mm */
	if (page != PAGE_ABILITIES)
		n = put_page(d, n, PAGE_ERRORS, 8);
	if (page != PAGE_ERRORS) {
		ability = d->buf + n;
		n = put_page(d, n, PAGE_ABILITIES, 20);
		if (control != PAGE_CHANGEABLE) {
			ability[6] = d->s.tray_locked ? 0x2b : 0x29;    /* a tray, ejects, can be locked */
			put16(ability + 8, 706);                        /* kB/s */
			put16(ability + 12, DISK_REQUEST_MAX / 1024);
			put16(ability + 14, 706);
		}
	}
	put16(d->buf, n - 2);
	reply(d, n, get16(p + 7));
}

#define PROFILE_CD      0x08
#define PROFILE_DVD     0x10

/* MMC-3, 5.3.  One that is CURRENT by its medium is so only for that medium: a profile, or 0 for any. */
static const struct feature {
	uint16_t code;
	bool always;
	uint8_t profile, bytes, data[8];
} features[] = {
	{ 0x0000, true, 0, 8, { 0, PROFILE_DVD, 0, 0, 0, PROFILE_CD, 0, 0 } },
	{ 0x0001, true, 0, 4, { 0, 0, 0, 2 } },                         /* core: ATAPI */
	{ 0x0003, true, 0, 4, { 0x29, 0, 0, 0 } },                      /* removable medium: tray, ejects, locks */
	{ 0x0010, false, 0, 8, { 0, 0, SECTOR >> 8, 0, 0, 1, 0, 0 } },  /* random readable */
	{ 0x001e, false, PROFILE_CD, 4, { 0 } },                        /* CD read */
	{ 0x001f, false, PROFILE_DVD, 4, { 0 } },                       /* DVD read */
};

static uint8_t find_profile(const struct ide_drive *d)
{
	if (d->s.tray_open)
		return 0;
	return d->sectors > CD_SECTORS_MAX ? PROFILE_DVD : PROFILE_CD;
}

static uint32_t put_feature(struct ide_drive *d, uint32_t at, const struct feature *f, bool current)
{
	uint8_t *p = d->buf + at;

	put16(p, f->code);
	p[2] = (uint8_t)((f->always ? 2 : 0) | (current ? 1 : 0));
	p[3] = f->bytes;
	memcpy(p + 4, f->data, f->bytes);
	if (!f->code) {
		p[6] = find_profile(d) == PROFILE_DVD;
		p[10] = find_profile(d) == PROFILE_CD;
	}
	return at + 4 + f->bytes;
}

static void run_get_configuration(struct ide_drive *d, const uint8_t *p)
{
	enum { ALL, CURRENT, ONE };
	unsigned which = p[1] & 3, from = get16(p + 2), i;
	uint8_t profile = find_profile(d);
	uint32_t n = 8;

	if (which > ONE) {
		check(d, ILLEGAL_REQUEST, ASC_INVALID_FIELD);
		return;
	}
	memset(d->buf, 0, n);
	d->buf[7] = profile;
	for (i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
		const struct feature *f = &features[i];
		bool current = f->always || (profile && (!f->profile || f->profile == profile));

		if (which == ONE ? f->code != from : f->code < from || (which == CURRENT && !current))
			continue;
		n = put_feature(d, n, f, current);
	}
	put32(d->buf, n - 4);
	reply(d, n, get16(p + 7));
}

static const struct packet_command packets[] = {
	{ 0x00, NEEDS_MEDIUM, run_test_ready },
	{ 0x03, BEFORE_OTHERS, run_request_sense },
	{ 0x12, BEFORE_OTHERS, run_inquiry },
	{ 0x1b, 0, run_start_stop },
	{ 0x1e, 0, run_prevent },
	{ 0x25, NEEDS_MEDIUM, run_read_capacity },
	{ 0x28, NEEDS_MEDIUM, run_read10 },
	{ 0x2b, NEEDS_MEDIUM, run_seek },
	{ 0x42, NEEDS_MEDIUM, run_read_subchannel },
	{ 0x43, NEEDS_MEDIUM, run_read_toc },
	{ 0x46, BEFORE_OTHERS, run_get_configuration },
	{ 0x5a, 0, run_mode_sense },
	{ 0xa8, NEEDS_MEDIUM, run_read12 },
	{ 0xbd, 0, run_mechanism_status },
};

void atapi_packet(struct ide_drive *d)
{
	const struct packet_command *c = packets, *end = packets + sizeof(packets) / sizeof(packets[0]);
	struct drive_state *s = &d->s;
	const uint8_t *p = s->packet;

	while (c < end && c->opcode != p[0])
		c++;
	if (s->medium_changed && (c == end || !(c->flags & BEFORE_OTHERS))) {
		s->medium_changed = 0;
		check(d, UNIT_ATTENTION, ASC_MEDIUM_CHANGED);
		return;
	}
	if (p[0] != 0x03)
		s->sense_key = s->asc = s->ascq = 0;
	if (c == end)
		check(d, ILLEGAL_REQUEST, ASC_INVALID_OPCODE);
	else if ((c->flags & NEEDS_MEDIUM) && s->tray_open)
		check(d, NOT_READY, 0x02 << 8 | ASC_NO_MEDIUM);
	else
		c->run(d, p);
}

static void begin_packet(struct ide_drive *d)
{
	struct drive_state *s = &d->s;

	s->in_packet = 1;
	s->dma = s->task.feature[0] & 1;
	memset(s->packet, 0, sizeof(s->packet));
	s->packet_len = 0;
	s->task.count[0] = REASON_COMMAND;
	s->phase = PHASE_PACKET;
}

static void identify(struct ide_drive *d)
{
	memset(d->buf, 0, IDENTITY_BYTES);
	drive_put_word(d, 0, 0x85c0);           /* ATAPI CD-ROM, removable, DRQ within 50 us, packets of 12 bytes */
	drive_put_identity(d, "gdbvisor CD-ROM");
	/* DEVICE RESET, PACKET, power management, NOP. */
	drive_put_word(d, 82, 0x4218);
	drive_put_word(d, 83, 0x4000);
	drive_put_word(d, 84, 0x4000);
	drive_put_word(d, 85, 0x4218);
	drive_put_word(d, 87, 0x4000);
	d->s.dma = 0;
	drive_reply(d, false, IDENTITY_BYTES, IDENTITY_BYTES);
}

/* A command of disks: refused with the registers saying who is here. */
static void refuse_as_disk(struct ide_drive *d)
{
	struct drive_task *t = &d->s.task;

	t->count[0] = t->lba_low[0] = 1;
	t->lba_mid[0] = d->type->signature_mid;
	t->lba_high[0] = d->type->signature_high;
	abort_command(d);
}

static void set_features(struct ide_drive *d)
{
	bool known = true;

	switch (d->s.task.feature[0]) {
	case 0x03:
		known = drive_set_mode(d, d->s.task.count[0]);
		break;
	case 0x66:
	case 0xcc:
		d->s.set.keep = d->s.task.feature[0] == 0x66;
		break;
	default:
		known = false;
	}
	if (known)
		drive_end(d, READY, 0, true);
	else
		abort_command(d);
}

static void to_standby(struct ide_drive *d)
{
	d->s.power = POWER_STANDBY;
	drive_end(d, READY, 0, true);
}

static void to_idle(struct ide_drive *d)
{
	d->s.power = POWER_IDLE;
	drive_end(d, READY, 0, true);
}

static void to_sleep(struct ide_drive *d)
{
	d->s.power = POWER_SLEEP;
	drive_end(d, READY, 0, true);
}

static void check_power(struct ide_drive *d)
{
	d->s.task.count[0] = d->s.power == POWER_ACTIVE ? 0xff : d->s.power == POWER_IDLE ? 0x80 : 0;
	drive_end(d, READY, 0, true);
}

static const struct {
	uint8_t opcode;
	void (*run)(struct ide_drive *d);
} commands[] = {
	{ 0x20, refuse_as_disk },
	{ 0xa0, begin_packet },
	{ 0xa1, identify },
	{ 0xe0, to_standby },
	{ 0xe1, to_idle },
	{ 0xe5, check_power },
	{ 0xe6, to_sleep },
	{ 0xec, refuse_as_disk },
	{ 0xef, set_features },
};

static void atapi_command(struct ide_drive *d, uint8_t opcode)
{
	size_t i;

	d->s.status = READY;
	d->s.error = 0;
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (commands[i].opcode == opcode) {
			commands[i].run(d);
			return;
		}
	}
	abort_command(d);
}

static void atapi_tell_block(struct ide_drive *d, uint32_t n)
{
	struct drive_task *t = &d->s.task;

	if (!d->s.in_packet)
		return;
	t->count[0] = REASON_DATA_IN;
	t->lba_mid[0] = (uint8_t)n;
	t->lba_high[0] = (uint8_t)(n >> 8);
}

static void atapi_complete(struct ide_drive *d, int result)
{
	if (result < 0)
		check(d, MEDIUM_ERROR, ASC_UNREADABLE);
	else if (d->s.in_packet)
		finish(d);
	else
		drive_end(d, READY, 0, false);          /* IDENTIFY has been read */
}

const struct drive_type atapi_type = {
	.signature_mid = 0x14,
	.signature_high = 0xeb,
	.command = atapi_command,
	.tell_block = atapi_tell_block,
	.complete = atapi_complete,
};
