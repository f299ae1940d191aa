/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "monitor/filter.h"

static void emit(struct filter *f, struct out *o, char c)
{
	out_write(o, &c, 1);
	f->mid_line = c != '\n';
}

static void csi_byte(struct filter *f, struct out *o, char c)
{
	if (f->csi_len < sizeof(f->csi))
		f->csi[f->csi_len++] = c;
	if (c >= 0x20 && c < 0x40)
		return;
	f->state = FILTER_TEXT;
	if (c == 'm' && f->csi_len < sizeof(f->csi)) {
		out_puts(o, "\033[");
		out_write(o, f->csi, f->csi_len);
	}
}

static void text_byte(struct filter *f, struct out *o, char c)
{
	if (c == '\r')
		f->state = FILTER_CR;
	else if (c == 0x1b)
		f->state = FILTER_ESC;
	else if (c == '\n' || c == '\t' || (unsigned char)c >= 0x80 || (c >= 0x20 && c < 0x7f))
		emit(f, o, c);
}

void filter_write(struct filter *f, const uint8_t *data, size_t len, struct out *o)
{
	for (size_t i = 0; i < len; i++) {
		char c = (char)data[i];

		switch (f->state) {
		case FILTER_CR:
			f->state = FILTER_TEXT;
			/* On its own it would overwrite the line; the prompt stands there. */
			if (c != '\n' && f->mid_line)
				emit(f, o, '\n');
			text_byte(f, o, c);
			break;
		case FILTER_ESC:
			f->state = c == '[' ? FILTER_CSI : FILTER_TEXT;
			f->csi_len = 0;
			break;
		case FILTER_CSI:
			csi_byte(f, o, c);
			break;
		case FILTER_TEXT:
			text_byte(f, o, c);
			break;
		}
	}
}
