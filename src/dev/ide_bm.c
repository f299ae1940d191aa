/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The bus master (SFF-8038i; PIIX3 data sheet, 2.7): a table of physical region descriptors, 8 bytes each: address,
 * count (0: 64 KiB), end of table in the last one's bit 31.
 *
 * A table that is wrong can do no harm: it may not leave the 64 KiB it begins in, as the data sheet says, so it has
 * at most 8,192 entries; each is read when it is needed, and what names no memory, or leaves 32 bits, ends the
 * transfer with the error bit.
 */
#include "dev/ide_priv.h"
#include "util/le.h"

#define ENTRY_BYTES     8u
#define COUNT_MASK      0xfffeu
#define COUNT_MAX       0x10000u
#define END_OF_TABLE    0x80000000u
#define TABLE_MASK      0xfffffffcu
#define SEGMENT_SHIFT   16

enum { BM_COMMAND, BM_STATUS = 2, BM_TABLE = 4 };

static void fail(struct bm_state *s)
{
	s->status = (uint8_t)((s->status & ~BM_ACTIVE) | BM_ERROR);
	s->at = s->left = 0;
	s->last = 0;
}

static void start(struct ide_channel *c)
{
	struct bm_state *s = &c->bm;

	s->entry = s->table;
	s->at = s->left = 0;
	s->last = 0;
	s->status |= BM_ACTIVE;
	bm_kick(c);
}

static void write_command(struct ide_channel *c, uint8_t value)
{
	struct bm_state *s = &c->bm;
	uint8_t before = s->command;

	s->command = value & (BM_START | BM_TO_MEMORY);
	if (~before & s->command & BM_START)
		start(c);
	else if (!(s->command & BM_START))
		s->status &= (uint8_t)~BM_ACTIVE;
}

uint8_t bm_read(const struct ide_channel *c, unsigned offset)
{
	const struct bm_state *s = &c->bm;

	if (offset == BM_COMMAND)
		return s->command;
	if (offset == BM_STATUS)
		return s->status;
	return offset >= BM_TABLE ? (uint8_t)(s->table >> (8 * (offset - BM_TABLE))) : 0;
}

void bm_write(struct ide_channel *c, unsigned offset, uint8_t value)
{
	struct bm_state *s = &c->bm;
	unsigned shift = 8 * (offset - BM_TABLE);

	if (offset == BM_COMMAND)
		write_command(c, value);
	else if (offset == BM_STATUS)
		s->status = (uint8_t)((s->status & ~BM_DRIVES & ~(value & (BM_ERROR | BM_INTR))) | (value & BM_DRIVES));
	else if (offset >= BM_TABLE)
		s->table = ((s->table & ~(0xffu << shift)) | (uint32_t)value << shift) & TABLE_MASK;
}

/* Takes the next entry of the table. */
static bool next_entry(struct ide_channel *c)
{
	const struct dev_host *host = c->ide->pci.dev.host;
	struct bm_state *s = &c->bm;
	uint8_t e[ENTRY_BYTES];
	uint32_t count;

	/* An entry that begins in the next 64 KiB ends there too. */
	if (((s->entry + ENTRY_BYTES - 1) ^ s->table) >> SEGMENT_SHIFT)
		return false;
	if (host->dma(host->arg, s->entry, e, sizeof(e), false) != sizeof(e))
		return false;
	count = le_get(e + 4, 4) & COUNT_MASK;
	s->at = le_get(e, 4) & ~1u;
	s->left = count ? count : COUNT_MAX;
	s->last = (le_get(e + 4, 4) & END_OF_TABLE) != 0;
	s->entry += ENTRY_BYTES;
	return s->left - 1 <= UINT32_MAX - s->at;
}

size_t bm_move(struct ide_channel *c, uint8_t *data, size_t len, bool to_guest)
{
	const struct dev_host *host = c->ide->pci.dev.host;
	struct bm_state *s = &c->bm;
	size_t done = 0, n, moved;

	if (!(s->status & BM_ACTIVE) || !pci_is_master(&c->ide->pci))
		return 0;
	if (((s->command & BM_TO_MEMORY) != 0) != to_guest) {
		fail(s);
		return 0;
	}
	while (done < len) {
		if (!s->left && s->last)
			break;
		if (!s->left && !next_entry(c)) {
			fail(s);
			return done;
		}
		n = len - done < s->left ? len - done : s->left;
		moved = host->dma(host->arg, s->at, data + done, n, to_guest);
		done += moved;
		s->at += (uint32_t)moved;
		s->left -= (uint32_t)moved;
		if (moved < n) {
			fail(s);
			return done;
		}
	}
	/* The table is used up: no longer active, whether or not the drive has more. */
	if (!s->left && s->last)
		s->status &= (uint8_t)~BM_ACTIVE;
	return done;
}

void bm_kick(struct ide_channel *c)
{
	if (c->ide->settling)
		return;
	drive_move_dma(&c->drive[0]);
	drive_move_dma(&c->drive[1]);
}

bool bm_is_valid(const struct bm_state *s)
{
	bool started = s->command & BM_START, active = s->status & BM_ACTIVE;

	if ((s->command & ~(BM_START | BM_TO_MEMORY)) || (s->status & ~(BM_ACTIVE | BM_ERROR | BM_INTR | BM_DRIVES)) ||
	    (s->table & ~TABLE_MASK) || (s->entry & ~TABLE_MASK) || s->left > COUNT_MAX)
		return false;
	return (started || !active) && (!s->left || s->left - 1 <= UINT32_MAX - s->at);
}
