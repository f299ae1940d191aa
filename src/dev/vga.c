/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dev/vga.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Ports relative to the first range's. */
#define VGA_BASE        0x3b4
#define PORT(n)         (0x ## n - VGA_BASE)
#define MONO_TO_COLOUR  0x20            /* 0x3b4, 0x3b5 and 0x3ba are 0x3d4, 0x3d5 and 0x3da with other addressing */

#define MISC_COLOUR     0x01

#define STATUS_IN_RETRACE 0x01          /* input status 1: horizontal or vertical */
#define STATUS_VERTICAL   0x08

#define ATTR_INDEX_BITS 0x3f
#define ATTR_PAS        0x20            /* the palette is the screen's, else the host's and the screen is blank */
#define ATTR_REGISTER   0x1f

enum { SEQ_CLOCKING = 1, SEQ_REGS = 5 };
#define SEQ_SCREEN_OFF  0x20

enum { GC_MISC = 6, GC_REGS = 9 };
#define GC_GRAPHICS     0x01

enum {
	CRTC_DISPLAYED = 0x01,          /* columns less 1 */
	CRTC_OVERFLOW = 0x07,
	CRTC_SCAN = 0x09,
	CRTC_CURSOR_START = 0x0a,
	CRTC_CURSOR_END = 0x0b,
	CRTC_START_HIGH = 0x0c,
	CRTC_START_LOW = 0x0d,
	CRTC_CURSOR_HIGH = 0x0e,
	CRTC_CURSOR_LOW = 0x0f,
	CRTC_PROTECT = 0x11,
	CRTC_LINES = 0x12,              /* displayed, less 1; bits 8 and 9 in the overflow register */
	CRTC_OFFSET = 0x13,             /* from one row to the next, in units of 2 cells */
	CRTC_REGS = 0x19,
};

#define OVERFLOW_LINE_8         0x02
#define OVERFLOW_COMPARE_8      0x10    /* the one bit of registers 0 to 7 that CRTC_PROTECT leaves open */
#define OVERFLOW_LINE_9         0x40
#define SCAN_LINES              0x1f    /* of a row, less 1 */
#define SCAN_DOUBLE             0x80    /* each line is shown twice */
#define CURSOR_OFF              0x20
#define CURSOR_LINE             0x1f
#define PROTECT_0_TO_7          0x80

#define ATTR_REGS       0x15
#define DAC_ENTRIES     256
#define DAC_BITS        0x3f

#define CELLS           (VGA_TEXT_BYTES / 2)

struct vga_state {
	uint8_t misc, feature, enable;
	uint8_t crtc_index, seq_index, gc_index, attr_index;
	bool attr_data;                 /* the next write to 0x3c0 is data */
	uint8_t dac_mask;
	uint8_t dac_index, dac_part;    /* the entry, and which of its colours is next */
	bool dac_reading;               /* 0x3c7 was written last, not 0x3c8 */
	uint8_t dac_new[2];             /* red and green, until blue comes */
	uint8_t beam;                   /* where it is: an index of beam_status[] */
	uint8_t crtc[CRTC_REGS], seq[SEQ_REGS], gc[GC_REGS], attr[ATTR_REGS];
	uint8_t dac[DAC_ENTRIES * 3];
};

struct vga {
	struct device dev;
	struct vga_state s;
};

/*
 * Each read of input status 1 finds the beam elsewhere, so that loops that wait for a retrace to begin or to end
 * come to their end.  Three places: a loop that reads twice a round sees them all, too.
 */
static const uint8_t beam_status[] = { 0, STATUS_IN_RETRACE, STATUS_IN_RETRACE | STATUS_VERTICAL };

static const struct dev_field fields[] = {
	DEV_FIELD(struct vga_state, misc, UINT8_MAX),
	DEV_FIELD(struct vga_state, feature, UINT8_MAX),
	DEV_FIELD(struct vga_state, enable, UINT8_MAX),
	DEV_FIELD(struct vga_state, crtc_index, UINT8_MAX),
	DEV_FIELD(struct vga_state, seq_index, UINT8_MAX),
	DEV_FIELD(struct vga_state, gc_index, UINT8_MAX),
	DEV_FIELD(struct vga_state, attr_index, ATTR_INDEX_BITS),
	DEV_FIELD(struct vga_state, attr_data, 1),
	DEV_FIELD(struct vga_state, dac_mask, UINT8_MAX),
	DEV_FIELD(struct vga_state, dac_index, UINT8_MAX),
	DEV_FIELD(struct vga_state, dac_part, 2),
	DEV_FIELD(struct vga_state, dac_reading, 1),
	{ offsetof(struct vga_state, dac_new), 1, 2, DAC_BITS },
	DEV_FIELD(struct vga_state, beam, COUNT(beam_status) - 1),
	DEV_BYTES(struct vga_state, crtc),
	DEV_BYTES(struct vga_state, seq),
	DEV_BYTES(struct vga_state, gc),
	DEV_BYTES(struct vga_state, attr),
	{ offsetof(struct vga_state, dac), 1, DAC_ENTRIES * 3, DAC_BITS },
};

/* Mode 3 as IBM's BIOS sets it: 80 x 25 characters of 9 x 16 dots, a cursor of two lines. */
static const struct vga_state mode_3 = {
	.misc = 0x67,
	.enable = 0x01,
	.attr_index = ATTR_PAS,
	.dac_mask = 0xff,
	.crtc = { 0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0x00, 0x4f, 0x0d, 0x0e, 0x00, 0x00, 0x00, 0x00,
		  0x9c, 0x8e, 0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff },
	.seq = { 0x03, 0x00, 0x03, 0x00, 0x02 },
	.gc = { 0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x0e, 0x0f, 0xff },
	.attr = { 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14, 0x07, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f,
		  0x0c, 0x00, 0x0f, 0x08, 0x00 },
};

/* The first 64 entries: EGA's colours, two bits each of red, green and blue. */
static void power_on(struct vga_state *s)
{
	unsigned i, colour;

	*s = mode_3;
	for (i = 0; i < 64; i++)
		for (colour = 0; colour < 3; colour++)
			s->dac[i * 3 + colour] = (uint8_t)((i >> (2 - colour) & 1) * 0x2a + (i >> (5 - colour) & 1) * 0x15);
}

/* What a register of the SIZE at REGS shows; those beyond are not there. */
static uint8_t read_indexed(const uint8_t *regs, size_t size, uint8_t index)
{
	return index < size ? regs[index] : 0;
}

/* Bits that a register keeps; those that are not named keep all. */
static const uint8_t seq_bits[SEQ_REGS] = { 0x03, 0x3d, 0x0f, 0x3f, 0x0e };
static const uint8_t gc_bits[GC_REGS] = { 0x0f, 0x0f, 0x0f, 0x1f, 0x03, 0x7b, 0x0f, 0x0f, 0xff };
static const uint8_t attr_bits[ATTR_REGS] = {
	0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f,
	0xef, 0xff, 0x3f, 0x0f, 0x0f,
};

static void write_indexed(uint8_t *regs, const uint8_t *bits, size_t size, uint8_t index, uint8_t value)
{
	if (index < size)
		regs[index] = value & bits[index];
}

static void write_crtc(struct vga_state *s, uint8_t value)
{
	uint8_t index = s->crtc_index;

	if (index >= CRTC_REGS)
		return;
	if (index <= CRTC_OVERFLOW && (s->crtc[CRTC_PROTECT] & PROTECT_0_TO_7)) {
		if (index != CRTC_OVERFLOW)
			return;
		value = (value & OVERFLOW_COMPARE_8) | (s->crtc[CRTC_OVERFLOW] & (uint8_t)~OVERFLOW_COMPARE_8);
	}
	s->crtc[index] = value;
}

static void write_attr(struct vga_state *s, uint8_t value)
{
	if (s->attr_data)
		write_indexed(s->attr, attr_bits, ATTR_REGS, s->attr_index & ATTR_REGISTER, value);
	else
		s->attr_index = value & ATTR_INDEX_BITS;
	s->attr_data = !s->attr_data;
}

static void start_dac(struct vga_state *s, uint8_t index, bool reading)
{
	s->dac_index = index;
	s->dac_part = 0;
	s->dac_reading = reading;
}

static void next_dac(struct vga_state *s)
{
	s->dac_part = (s->dac_part + 1) % 3;
	s->dac_index += !s->dac_part;
}

/* An entry changes as a whole. */
static void write_dac(struct vga_state *s, uint8_t value)
{
	uint8_t *entry = s->dac + s->dac_index * 3;

	value &= DAC_BITS;
	if (s->dac_part < 2) {
		s->dac_new[s->dac_part] = value;
	} else {
		entry[0] = s->dac_new[0];
		entry[1] = s->dac_new[1];
		entry[2] = value;
	}
	next_dac(s);
}

static uint8_t read_dac(struct vga_state *s)
{
	uint8_t value = s->dac[s->dac_index * 3 + s->dac_part];

	next_dac(s);
	return value;
}

static uint8_t read_status(struct vga_state *s)
{
	s->attr_data = false;
	s->beam = (uint8_t)((s->beam + 1) % COUNT(beam_status));
	return beam_status[s->beam];
}

/* Makes colour addresses of those that are chosen; at the others is nothing. */
static unsigned find_port(const struct vga_state *s, unsigned port)
{
	bool both = port >= PORT(3c0) && port <= PORT(3cf);

	return both || (s->misc & MISC_COLOUR) ? port : port + MONO_TO_COLOUR;
}

static uint8_t vga_in(struct device *d, unsigned port)
{
	struct vga_state *s = &((struct vga *)d)->s;

	switch (find_port(s, port)) {
	case PORT(3c0): return s->attr_index;
	case PORT(3c1): return read_indexed(s->attr, ATTR_REGS, s->attr_index & ATTR_REGISTER);
	case PORT(3c2): return 0;       /* input status 0: no interrupt, no switch */
	case PORT(3c3): return s->enable;
	case PORT(3c4): return s->seq_index;
	case PORT(3c5): return read_indexed(s->seq, SEQ_REGS, s->seq_index);
	case PORT(3c6): return s->dac_mask;
	case PORT(3c7): return s->dac_reading ? 3 : 0;
	case PORT(3c8): return s->dac_index;
	case PORT(3c9): return read_dac(s);
	case PORT(3ca): return s->feature;
	case PORT(3cc): return s->misc;
	case PORT(3ce): return s->gc_index;
	case PORT(3cf): return read_indexed(s->gc, GC_REGS, s->gc_index);
	case PORT(3d4): return s->crtc_index;
	case PORT(3d5): return read_indexed(s->crtc, CRTC_REGS, s->crtc_index);
	case PORT(3da): return read_status(s);
	}
	return 0xff;
}

static void vga_out(struct device *d, unsigned port, uint8_t value)
{
	struct vga_state *s = &((struct vga *)d)->s;

	switch (find_port(s, port)) {
	case PORT(3c0): write_attr(s, value); break;
	case PORT(3c2): s->misc = value; break;
	case PORT(3c3): s->enable = value; break;
	case PORT(3c4): s->seq_index = value; break;
	case PORT(3c5): write_indexed(s->seq, seq_bits, SEQ_REGS, s->seq_index, value); break;
	case PORT(3c6): s->dac_mask = value; break;
	case PORT(3c7): start_dac(s, value, true); break;
	case PORT(3c8): start_dac(s, value, false); break;
	case PORT(3c9): write_dac(s, value); break;
	case PORT(3ce): s->gc_index = value; break;
	case PORT(3cf): write_indexed(s->gc, gc_bits, GC_REGS, s->gc_index, value); break;
	case PORT(3d4): s->crtc_index = value; break;
	case PORT(3d5): write_crtc(s, value); break;
	case PORT(3da): s->feature = value; break;
	}
}

/* How a text mode's screen lies in memory. */
struct layout {
	unsigned columns, rows;
	unsigned row_lines;             /* scan lines */
	unsigned start, pitch;          /* cells */
};

static unsigned bound(unsigned value, unsigned max)
{
	return value < 1 ? 1 : value > max ? max : value;
}

static void find_layout(const struct vga_state *s, struct layout *ret)
{
	const uint8_t *c = s->crtc;
	unsigned lines = c[CRTC_LINES] | (c[CRTC_OVERFLOW] & OVERFLOW_LINE_8 ? 0x100 : 0) |
			 (c[CRTC_OVERFLOW] & OVERFLOW_LINE_9 ? 0x200 : 0);

	ret->row_lines = (c[CRTC_SCAN] & SCAN_LINES) + 1u;
	ret->rows = bound((lines + 1) / (c[CRTC_SCAN] & SCAN_DOUBLE ? 2 * ret->row_lines : ret->row_lines), SCREEN_ROWS_MAX);
	ret->columns = bound(c[CRTC_DISPLAYED] + 1u, SCREEN_COLUMNS_MAX);
	ret->start = (unsigned)c[CRTC_START_HIGH] << 8 | c[CRTC_START_LOW];
	ret->pitch = c[CRTC_OFFSET] * 2u;
}

static void place_cursor(const struct vga_state *s, const struct layout *l, struct screen *ret)
{
	const uint8_t *c = s->crtc;
	unsigned at = (unsigned)c[CRTC_CURSOR_HIGH] << 8 | c[CRTC_CURSOR_LOW], first = c[CRTC_CURSOR_START] & CURSOR_LINE;
	unsigned row, column;

	if ((c[CRTC_CURSOR_START] & CURSOR_OFF) || first > (c[CRTC_CURSOR_END] & CURSOR_LINE) || first >= l->row_lines)
		return;
	at = (at - l->start) % CELLS;
	row = l->pitch ? at / l->pitch : 0;
	column = l->pitch ? at % l->pitch : at;
	if (row >= l->rows || column >= l->columns)
		return;
	ret->cursor_shown = true;
	ret->cursor_row = row;
	ret->cursor_column = column;
}

/* With the palette away from the screen, or the sequencer told so, it is dark. */
static bool shows_text(const struct vga_state *s)
{
	return !(s->gc[GC_MISC] & GC_GRAPHICS) && (s->attr_index & ATTR_PAS) && !(s->seq[SEQ_CLOCKING] & SEQ_SCREEN_OFF);
}

void vga_screen(struct bus *b, const struct device *vga, const uint8_t *memory, struct screen *ret)
{
	struct vga_state s;
	struct layout l;
	unsigned row, column;
	size_t at;

	bus_lock(b);
	s = ((const struct vga *)vga)->s;
	bus_unlock(b);
	memset(ret, 0, sizeof(*ret));
	if (!shows_text(&s))
		return;
	find_layout(&s, &l);
	ret->text = true;
	ret->columns = l.columns;
	ret->rows = l.rows;
	for (row = 0; row < l.rows; row++) {
		for (column = 0; column < l.columns; column++) {
			at = (l.start + row * l.pitch + column) % CELLS * 2;
			ret->cell[row * l.columns + column] = (uint16_t)(memory[at] | memory[at + 1] << 8);
		}
	}
	place_cursor(&s, &l, ret);
}

static void vga_reset(struct device *d)
{
	power_on(&((struct vga *)d)->s);
}

static int vga_save(const struct device *d, struct dev_buf *b)
{
	return dev_fields_save(&((const struct vga *)d)->s, fields, COUNT(fields), b);
}

static bool has_only(const uint8_t *regs, const uint8_t *bits, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (regs[i] & ~bits[i])
			return false;
	return true;
}

static int vga_load(struct device *d, struct dev_buf *b, struct err *err)
{
	struct vga *v = (struct vga *)d;
	struct vga_state s = v->s;
	int r = dev_fields_load(&s, fields, COUNT(fields), b, d->ops->name, err);

	if (r < 0)
		return r;
	if (!has_only(s.seq, seq_bits, SEQ_REGS) || !has_only(s.gc, gc_bits, GC_REGS) ||
	    !has_only(s.attr, attr_bits, ATTR_REGS))
		return err_set(err, EINVAL, "%s: its saved state contradicts itself", d->ops->name);
	v->s = s;
	return 0;
}

static void show_group(const struct dev_show *sh, const char *group, const uint8_t *regs, size_t n)
{
	char name[32];
	size_t i;

	for (i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "%s%02zx", group, i);
		sh->reg(sh->arg, name, 8, regs[i], NULL);
	}
}

static void vga_show(const struct device *d, const struct dev_show *sh)
{
	const struct vga_state *s = &((const struct vga *)d)->s;
	struct layout l;
	char text[64];

	find_layout(s, &l);
	if (shows_text(s))
		snprintf(text, sizeof(text), "text, %u x %u, row by row %u", l.columns, l.rows, l.pitch);
	else
		snprintf(text, sizeof(text), "%s", s->gc[GC_MISC] & GC_GRAPHICS ? "graphics" : "the screen is off");
	sh->reg(sh->arg, "misc", 8, s->misc, s->misc & MISC_COLOUR ? "CRTC at 0x3d4" : "CRTC at 0x3b4");
	sh->reg(sh->arg, "start", 16, l.start, text);
	sh->reg(sh->arg, "crtc_index", 8, s->crtc_index, NULL);
	show_group(sh, "crtc", s->crtc, CRTC_REGS);
	sh->reg(sh->arg, "seq_index", 8, s->seq_index, NULL);
	show_group(sh, "seq", s->seq, SEQ_REGS);
	sh->reg(sh->arg, "gc_index", 8, s->gc_index, NULL);
	show_group(sh, "gc", s->gc, GC_REGS);
	sh->reg(sh->arg, "attr_index", 8, s->attr_index, s->attr_data ? "its data is next" : "an index is next");
	show_group(sh, "attr", s->attr, ATTR_REGS);
	sh->reg(sh->arg, "dac_mask", 8, s->dac_mask, NULL);
	sh->reg(sh->arg, "dac_index", 8, s->dac_index, s->dac_reading ? "reading" : "writing");
	sh->reg(sh->arg, "feature", 8, s->feature, NULL);
	sh->reg(sh->arg, "enable", 8, s->enable, NULL);
}

static void vga_free(struct device *d)
{
	free(d);
}

static const struct dev_ops vga_ops = {
	.name = "vga",
	.what = "VGA registers, text modes",
	.reset = vga_reset,
	.save = vga_save,
	.load = vga_load,
	.free = vga_free,
	.in = vga_in,
	.out = vga_out,
	.show = vga_show,
};

int vga_attach(struct bus *b, struct device **ret, struct err *err)
{
	static const struct { uint16_t base; unsigned count; } ranges[] = {
		{ 0x3b4, 2 }, { 0x3ba, 1 }, { 0x3c0, 16 }, { 0x3d4, 2 }, { 0x3da, 1 },
	};
	struct vga *v = calloc(1, sizeof(*v));
	size_t i;
	int r = 0;

	if (!v)
		return err_set(err, ENOMEM, "no memory for the VGA");
	v->dev.ops = &vga_ops;
	power_on(&v->s);
	for (i = 0; r == 0 && i < COUNT(ranges); i++)
		r = bus_attach(b, &v->dev, ranges[i].base, ranges[i].count, err);
	if (r < 0)
		return r;
	*ret = &v->dev;
	return 0;
}
