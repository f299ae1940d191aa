/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The controller's state as it is saved.  A command that waits for its disk is saved as such, with what it is to
 * write, and a load begins its request anew: what was read into the buffer so far, or written to the file, is read
 * and written once more.
 */
#include "dev/ide_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum drive_tag { TAG_NONE, TAG_DISK, TAG_CDROM };

static const struct dev_field channel_fields[] = {
	DEV_FIELD(struct ide_channel, control, CTL_NIEN | CTL_SRST | CTL_HOB),
	DEV_FIELD(struct ide_channel, selected, 1),
	DEV_FIELD(struct ide_channel, bm.command, UINT8_MAX),
	DEV_FIELD(struct ide_channel, bm.status, UINT8_MAX),
	DEV_FIELD(struct ide_channel, bm.table, UINT32_MAX),
	DEV_FIELD(struct ide_channel, bm.entry, UINT32_MAX),
	DEV_FIELD(struct ide_channel, bm.at, UINT32_MAX),
	DEV_FIELD(struct ide_channel, bm.left, UINT32_MAX),
	DEV_FIELD(struct ide_channel, bm.last, 1),
};

static const struct dev_field drive_fields[] = {
	DEV_BYTES(struct drive_state, task.feature),
	DEV_BYTES(struct drive_state, task.count),
	DEV_BYTES(struct drive_state, task.lba_low),
	DEV_BYTES(struct drive_state, task.lba_mid),
	DEV_BYTES(struct drive_state, task.lba_high),
	DEV_FIELD(struct drive_state, task.device, UINT8_MAX),
	DEV_FIELD(struct drive_state, error, UINT8_MAX),
	DEV_FIELD(struct drive_state, status, UINT8_MAX),
	DEV_FIELD(struct drive_state, intrq, 1),
	DEV_FIELD(struct drive_state, phase, PHASES - 1),
	DEV_FIELD(struct drive_state, kind, KINDS - 1),
	DEV_FIELD(struct drive_state, dma, 1),
	DEV_FIELD(struct drive_state, lba48, 1),
	DEV_FIELD(struct drive_state, power, POWERS - 1),
	DEV_FIELD(struct drive_state, set.multiple, 16),
	DEV_FIELD(struct drive_state, set.heads, 16),
	DEV_FIELD(struct drive_state, set.sectors, UINT8_MAX),
	DEV_FIELD(struct drive_state, set.mode, UINT8_MAX),
	DEV_FIELD(struct drive_state, set.write_cache, 1),
	DEV_FIELD(struct drive_state, set.look_ahead, 1),
	DEV_FIELD(struct drive_state, set.keep, 1),
	DEV_FIELD(struct drive_state, lba, UINT64_MAX),
	DEV_FIELD(struct drive_state, left, UINT32_MAX),
	DEV_FIELD(struct drive_state, len, DISK_REQUEST_MAX),
	DEV_FIELD(struct drive_state, pos, DISK_REQUEST_MAX),
	DEV_FIELD(struct drive_state, stop, DISK_REQUEST_MAX),
	DEV_FIELD(struct drive_state, block, DISK_REQUEST_MAX),
	DEV_FIELD(struct drive_state, in_packet, 1),
	DEV_BYTES(struct drive_state, packet),
	DEV_FIELD(struct drive_state, packet_len, sizeof(((struct drive_state *)0)->packet) - 2),
	DEV_FIELD(struct drive_state, sense_key, 15),
	DEV_FIELD(struct drive_state, asc, UINT8_MAX),
	DEV_FIELD(struct drive_state, ascq, UINT8_MAX),
	DEV_FIELD(struct drive_state, tray_open, 1),
	DEV_FIELD(struct drive_state, tray_locked, 1),
	DEV_FIELD(struct drive_state, medium_changed, 1),
};

#define COUNT(table)    (sizeof(table) / sizeof((table)[0]))

/* What is to become of a channel when all of the state has been found good. */
struct loaded {
	struct ide_channel channel;     /* its registers; the drives' states */
	uint8_t *buf[2];                /* owned */
};

static enum drive_tag tag_of(const struct ide_drive *d)
{
	if (!drive_is_present(d))
		return TAG_NONE;
	return d->type == &ata_type ? TAG_DISK : TAG_CDROM;
}

/* How many bytes of the buffer mean anything. */
static uint32_t bytes_held(const struct drive_state *s)
{
	switch (s->phase) {
	case PHASE_PIO_IN:
	case PHASE_DMA_IN:
		return s->len;
	case PHASE_PIO_OUT:
	case PHASE_DMA_OUT:
		return s->pos;
	case PHASE_DISK:
		return s->kind == KIND_WRITE ? s->len : 0;
	}
	return 0;
}

static int save_drive(const struct ide_drive *d, struct dev_buf *b)
{
	struct drive_state s = d->s;
	uint32_t i;
	int r = dev_put(b, tag_of(d), 1);

	if (!drive_is_present(d))
		return r;
	/* The disk will be idle when this is loaded. */
	if (s.phase == PHASE_RESET)
		s.phase = PHASE_IDLE;
	if (r == 0)
		r = dev_put(b, d->sectors, 8);
	if (r == 0)
		r = dev_fields_save(&s, drive_fields, COUNT(drive_fields), b);
	for (i = 0; r == 0 && i < bytes_held(&s); i++)
		r = dev_put(b, d->buf[i], 1);
	return r;
}

int ide_save(const struct device *dev, struct dev_buf *b)
{
	const struct ide *ide = (const struct ide *)dev;
	const struct ide_channel *c;
	int r = 0;

	for (c = ide->channel; r == 0 && c < ide->channel + 2; c++) {
		r = dev_fields_save(c, channel_fields, COUNT(channel_fields), b);
		if (r == 0)
			r = save_drive(&c->drive[0], b);
		if (r == 0)
			r = save_drive(&c->drive[1], b);
	}
	return r == 0 ? pci_save(&ide->pci, b) : r;
}

/* Whether the sectors that a transfer speaks of are there, and the buffer holds whole ones of them. */
static bool sectors_exist(const struct ide_drive *d, const struct drive_state *s)
{
	return s->len && s->len % d->sector == 0 && s->lba < d->sectors &&
	       (uint64_t)s->len / d->sector + s->left <= d->sectors - s->lba;
}

static bool writes_possible(const struct ide_drive *d, const struct drive_state *s)
{
	return d->type == &ata_type && !disk_info(d->disk)->readonly && s->block && s->block % d->sector == 0;
}

static bool transfer_is_valid(const struct ide_drive *d, const struct drive_state *s)
{
	switch (s->kind) {
	case KIND_REPLY:
		return s->len && !s->lba && !s->left && s->block;
	case KIND_READ:
		return sectors_exist(d, s) && s->block;
	case KIND_WRITE:
		return sectors_exist(d, s) && writes_possible(d, s);
	case KIND_VERIFY:
		return sectors_exist(d, s) && d->type == &ata_type;
	case KIND_FLUSH:
		return d->type == &ata_type;
	}
	return true;
}

static bool phase_is_valid(const struct ide_drive *d, const struct drive_state *s)
{
	bool to_guest = s->kind == KIND_REPLY || s->kind == KIND_READ;
	bool nothing = !s->len && !s->lba && !s->left && !s->block;

	switch (s->phase) {
	case PHASE_IDLE:
		return s->kind == KIND_NONE && nothing;
	case PHASE_PACKET:
		return s->kind == KIND_NONE && nothing && d->type == &atapi_type && s->in_packet;
	case PHASE_DISK:
		if (s->kind == KIND_FLUSH)
			return nothing;
		if (s->kind == KIND_WRITE)
			return s->pos == s->len;
		return (s->kind == KIND_READ || s->kind == KIND_VERIFY) && !s->pos && !s->stop;
	case PHASE_PIO_IN:
		return to_guest && !s->dma && s->pos < s->stop;
	case PHASE_PIO_OUT:
		return s->kind == KIND_WRITE && !s->dma && s->pos < s->stop && !(s->pos & 1) && !(s->stop % d->sector);
	case PHASE_DMA_IN:
		return to_guest && s->dma && s->pos < s->len;
	case PHASE_DMA_OUT:
		return s->kind == KIND_WRITE && s->dma && s->pos < s->len;
	}
	return false;
}

static bool settings_are_valid(const struct drive_settings *set)
{
	struct ide_drive probe = { 0 };

	return !(set->multiple & (set->multiple - 1)) && set->heads && set->sectors &&
	       drive_set_mode(&probe, set->mode);
}

static bool drive_is_valid(const struct ide_drive *d, const struct drive_state *s)
{
	/* By DMA `stop` has no meaning. */
	bool ordered = s->stop <= s->len && s->pos <= s->len && (s->dma || s->pos <= s->stop);
	bool packet = d->type == &atapi_type || (!s->in_packet && !s->tray_open && !s->medium_changed);

	return !(s->status & ~(ST_DRDY | ST_DF | ST_DSC | ST_ERR)) && ordered && packet && !(s->packet_len & 1) &&
	       settings_are_valid(&s->set) && transfer_is_valid(d, s) && phase_is_valid(d, s);
}

static int load_drive(const struct ide_drive *d, struct drive_state *ret, uint8_t **ret_buf, struct dev_buf *b,
		      const char *name, struct err *err)
{
	struct drive_state s = { 0 };
	uint64_t tag, sectors;
	uint32_t n;
	int r;

	if (dev_get(b, 1, &tag) < 0)
		return err_set(err, EINVAL, "%s: its saved state is truncated", name);
	if (tag != tag_of(d))
		return err_set(err, EINVAL, "%s: its saved state has another drive %u", name, d->unit);
	if (!drive_is_present(d))
		return 0;
	if (dev_get(b, 8, &sectors) < 0)
		return err_set(err, EINVAL, "%s: its saved state is truncated", name);
	if (sectors != d->sectors)
		return err_set(err, EINVAL, "%s: its saved state is of a drive %u with %llu sectors, not %llu", name,
			       d->unit, (unsigned long long)sectors, (unsigned long long)d->sectors);
	r = dev_fields_load(&s, drive_fields, COUNT(drive_fields), b, name, err);
	if (r < 0)
		return r;
	if (!drive_is_valid(d, &s))
		return err_set(err, EINVAL, "%s: its saved state of drive %u contradicts itself", name, d->unit);
	n = bytes_held(&s);
	if (b->len - b->pos < n)
		return err_set(err, EINVAL, "%s: its saved state is truncated", name);
	*ret_buf = malloc(n ? n : 1);
	if (!*ret_buf)
		return err_set(err, ENOMEM, "%s: no memory for its state", name);
	memcpy(*ret_buf, b->data + b->pos, n);
	b->pos += n;
	*ret = s;
	return 0;
}

static int load_channel(const struct ide_channel *c, struct loaded *ret, struct dev_buf *b, const char *name,
			struct err *err)
{
	unsigned i;
	int r = dev_fields_load(&ret->channel, channel_fields, COUNT(channel_fields), b, name, err);

	if (r < 0)
		return r;
	if (!bm_is_valid(&ret->channel.bm))
		return err_set(err, EINVAL, "%s: its saved state of bus master %u contradicts itself", name, c->number);
	for (i = 0; r == 0 && i < 2; i++)
		r = load_drive(&c->drive[i], &ret->channel.drive[i].s, &ret->buf[i], b, name, err);
	return r;
}

static void take_drive(struct ide_drive *d, const struct drive_state *s, const uint8_t *buf)
{
	if (!drive_is_present(d))
		return;
	disk_settle(d->disk);
	d->s = *s;
	memcpy(d->buf, buf, bytes_held(s));
}

static void take_channel(struct ide_channel *c, const struct loaded *l)
{
	c->control = l->channel.control;
	c->selected = l->channel.selected;
	c->bm = l->channel.bm;
	take_drive(&c->drive[0], &l->channel.drive[0].s, l->buf[0]);
	take_drive(&c->drive[1], &l->channel.drive[1].s, l->buf[1]);
	ide_update_irq(c);
}

int ide_load(struct device *dev, struct dev_buf *b, struct err *err)
{
	struct ide *ide = (struct ide *)dev;
	struct loaded l[2] = { 0 };
	unsigned i;
	int r = 0;

	ide->settling = true;
	for (i = 0; r == 0 && i < 2; i++)
		r = load_channel(&ide->channel[i], &l[i], b, dev->ops->name, err);
	/* Last, since it takes at once what it finds good. */
	if (r == 0)
		r = pci_load(&ide->pci, b, err);
	for (i = 0; r == 0 && i < 2; i++)
		take_channel(&ide->channel[i], &l[i]);
	ide->settling = false;
	for (i = 0; r == 0 && i < IDE_DRIVES; i++)
		drive_restart(&ide->channel[i / 2].drive[i % 2]);
	for (i = 0; i < IDE_DRIVES; i++)
		free(l[i / 2].buf[i % 2]);
	return r;
}

static void show_drive(const struct ide_drive *d, const struct dev_show *s)
{
	static const char *const phases[PHASES] = {
		[PHASE_IDLE] = "idle", [PHASE_DISK] = "at its disk", [PHASE_PIO_IN] = "data to the guest",
		[PHASE_PIO_OUT] = "data from the guest", [PHASE_PACKET] = "waits for a packet",
		[PHASE_DMA_IN] = "DMA to the guest", [PHASE_DMA_OUT] = "DMA from the guest", [PHASE_RESET] = "in reset",
	};
	const struct drive_state *st = &d->s;
	const struct drive_task *t = &st->task;
	char name[32], text[96];
	unsigned i;
	const struct {
		const char *name;
		unsigned bits;
		uint64_t value;
		const char *text;
	} reg[] = {
		{ "STATUS", 8, drive_status(d), phases[st->phase] },
		{ "ERROR", 8, st->error, NULL },
		{ "FEATURE", 16, (unsigned)(t->feature[1] << 8 | t->feature[0]), NULL },
		{ "COUNT", 16, (unsigned)(t->count[1] << 8 | t->count[0]), NULL },
		{ "LBALOW", 16, (unsigned)(t->lba_low[1] << 8 | t->lba_low[0]), NULL },
		{ "LBAMID", 16, (unsigned)(t->lba_mid[1] << 8 | t->lba_mid[0]), NULL },
		{ "LBAHIGH", 16, (unsigned)(t->lba_high[1] << 8 | t->lba_high[0]), NULL },
		{ "DEVICE", 8, t->device, NULL },
		{ "SECTOR", 64, st->lba, st->len ? text : NULL },
	};

	if (!drive_is_present(d))
		return;
	snprintf(text, sizeof(text), "%u of %u bytes, %u sectors follow", st->pos, st->len, st->left);
	for (i = 0; i < COUNT(reg); i++) {
		snprintf(name, sizeof(name), "DRIVE%u.%s", d->unit, reg[i].name);
		s->reg(s->arg, name, reg[i].bits, reg[i].value, reg[i].text);
	}
}

void ide_show_channel(const struct ide_channel *c, const struct dev_show *s)
{
	char name[32];

	snprintf(name, sizeof(name), "CONTROL%u", c->number);
	s->reg(s->arg, name, 8, c->control, c->selected ? "slave selected" : "master selected");
	snprintf(name, sizeof(name), "BMIC%u", c->number);
	s->reg(s->arg, name, 8, c->bm.command, c->bm.command & BM_TO_MEMORY ? "to memory" : "from memory");
	snprintf(name, sizeof(name), "BMIS%u", c->number);
	s->reg(s->arg, name, 8, c->bm.status, c->bm.status & BM_ACTIVE ? "active" : "idle");
	snprintf(name, sizeof(name), "BMIDTP%u", c->number);
	s->reg(s->arg, name, 32, c->bm.table, NULL);
	show_drive(&c->drive[0], s);
	show_drive(&c->drive[1], s);
}
