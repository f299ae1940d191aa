/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "load/aml.h"

#include <string.h>

/* First bytes, ACPI 6.4, 20.2. */
#define ZERO            0x00
#define ONE             0x01
#define BYTE_PREFIX     0x0a
#define WORD_PREFIX     0x0b
#define STRING_PREFIX   0x0d
#define DWORD_PREFIX    0x0c
#define SCOPE           0x10
#define BUFFER          0x11
#define PACKAGE         0x12
#define METHOD          0x14
#define DUAL_NAME       0x2e
#define MULTI_NAME      0x2f
#define EXT             0x5b
#define EXT_REGION      0x80
#define EXT_FIELD       0x81
#define EXT_DEVICE      0x82
#define IF              0xa0

#define METHOD_SERIALIZED 0x08
#define FIELD_BYTES     0x01            /* access by bytes, no lock, preserve */

#define SEG             4u              /* characters of a part of a name */

/* Package lengths, 20.2.4: a first byte, and after it up to three more. */
#define LENGTH_ONE      0x3fu           /* what one byte can say */
#define LENGTH_TWO      0xfffu

/* Resources, 6.4. */
#define RES_IRQ         0x22
#define RES_IO          0x47
#define RES_END         0x79
#define RES_DWORD_SPACE 0x87
#define RES_WORD_SPACE  0x88
#define RES_INTERRUPTS  0x89
#define IO_DECODE_16    0x01
#define INT_CONSUMER    0x01
#define INT_SHARED      0x08
#define SPACE_MEMORY    0
#define SPACE_IO        1
#define SPACE_BUSES     2
#define SPACE_FIXED     0x0c            /* neither end moves */
#define MEMORY_WRITABLE 0x01
#define IO_ENTIRE       0x03

void aml_init(struct aml *a, void *data, size_t size)
{
	*a = (struct aml){ .data = data, .size = size };
}

size_t aml_done(const struct aml *a)
{
	return a->full || a->depth ? 0 : a->n;
}

static void put(struct aml *a, uint32_t value, unsigned bytes)
{
	if (a->full || a->size - a->n < bytes) {
		a->full = true;
		return;
	}
	for (; bytes; bytes--, value >>= 8)
		a->data[a->n++] = (uint8_t)value;
}

void aml_op(struct aml *a, enum aml_op op)
{
	put(a, op, 1);
}

void aml_no_target(struct aml *a)
{
	put(a, ZERO, 1);
}

static void put_seg(struct aml *a, const char *s, size_t len)
{
	for (unsigned i = 0; i < SEG; i++)
		put(a, i < len ? (uint8_t)s[i] : '_', 1);
}

void aml_name(struct aml *a, const char *path)
{
	unsigned parts = 1;
	const char *s;

	if (*path == '\\')
		put(a, (uint8_t)*path++, 1);
	for (s = path; *s; s++)
		parts += *s == '.';
	if (parts == 2) {
		put(a, DUAL_NAME, 1);
	} else if (parts > 2) {
		put(a, MULTI_NAME, 1);
		put(a, parts, 1);
	}
	for (; parts; parts--) {
		size_t len = strcspn(path, ".");

		put_seg(a, path, len);
		path += len + (path[len] == '.');
	}
}

void aml_int(struct aml *a, uint32_t value)
{
	if (value <= 1) {
		put(a, value ? ONE : ZERO, 1);
	} else if (value <= UINT8_MAX) {
		put(a, BYTE_PREFIX, 1);
		put(a, value, 1);
	} else if (value <= UINT16_MAX) {
		put(a, WORD_PREFIX, 1);
		put(a, value, 2);
	} else {
		put(a, DWORD_PREFIX, 1);
		put(a, value, 4);
	}
}

void aml_string(struct aml *a, const char *text)
{
	put(a, STRING_PREFIX, 1);
	do
		put(a, (uint8_t)*text, 1);
	while (*text++);
}

static uint32_t hex(char c)
{
	return (uint32_t)(c <= '9' ? c - '0' : c - 'A' + 10);
}

/* Three letters of 5 bits and four digits, of which the first byte is the highest (ACPI 6.4, 19.6.36). */
void aml_eisa_id(struct aml *a, const char *id)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < 3; i++)
		value = value << 5 | (uint32_t)(id[i] - '@');
	for (unsigned i = 3; i < 7; i++)
		value = value << 4 | hex(id[i]);
	put(a, DWORD_PREFIX, 1);
	put(a, __builtin_bswap32(value), 4);
}

void aml_name_int(struct aml *a, const char *path, uint32_t value)
{
	aml_op(a, AML_NAME);
	aml_name(a, path);
	aml_int(a, value);
}

void aml_name_eisa_id(struct aml *a, const char *path, const char *id)
{
	aml_op(a, AML_NAME);
	aml_name(a, path);
	aml_eisa_id(a, id);
}

static void open_block(struct aml *a, bool sized)
{
	if (a->depth == AML_DEPTH) {
		a->full = true;
		return;
	}
	a->block[a->depth].at = a->n;
	a->block[a->depth++].sized = sized;
}

void aml_open_scope(struct aml *a, const char *path)
{
	put(a, SCOPE, 1);
	open_block(a, false);
	aml_name(a, path);
}

void aml_open_device(struct aml *a, const char *name)
{
	put(a, EXT, 1);
	put(a, EXT_DEVICE, 1);
	open_block(a, false);
	aml_name(a, name);
}

void aml_open_method(struct aml *a, const char *name, unsigned args, bool serialized)
{
	put(a, METHOD, 1);
	open_block(a, false);
	aml_name(a, name);
	put(a, args | (serialized ? METHOD_SERIALIZED : 0), 1);
}

void aml_open_if(struct aml *a)
{
	put(a, IF, 1);
	open_block(a, false);
}

void aml_open_package(struct aml *a, unsigned elements)
{
	put(a, PACKAGE, 1);
	open_block(a, false);
	put(a, elements, 1);
}

void aml_open_template(struct aml *a)
{
	put(a, BUFFER, 1);
	open_block(a, true);
}

void aml_open_field(struct aml *a, const char *region)
{
	put(a, EXT, 1);
	put(a, EXT_FIELD, 1);
	open_block(a, false);
	aml_name(a, region);
	put(a, FIELD_BYTES, 1);
}

/* LENGTH in BYTES (1 to 3): of more than one, the first has the low 4 bits and says how many follow. */
static void put_length(struct aml *a, size_t length, unsigned bytes)
{
	if (bytes == 1) {
		put(a, (uint32_t)length, 1);
		return;
	}
	put(a, (bytes - 1) << 6 | (length & 0xf), 1);
	put(a, (uint32_t)(length >> 4), bytes - 1);
}

static unsigned bytes_of_length(size_t length)
{
	return length <= LENGTH_ONE ? 1 : length <= LENGTH_TWO ? 2 : 3;
}

/* Writes a block's length before its contents, which it counts itself in. */
static void insert_length(struct aml *a, size_t at)
{
	size_t contents = a->n - at;
	unsigned bytes = 1;

	while (bytes_of_length(contents + bytes) > bytes)
		bytes++;
	if (a->size - a->n < bytes) {
		a->full = true;
		return;
	}
	memmove(a->data + at + bytes, a->data + at, contents);
	a->n = at;
	put_length(a, contents + bytes, bytes);
	a->n = at + bytes + contents;
}

/* Writes a buffer's size before its contents. */
static void insert_size(struct aml *a, size_t at)
{
	size_t contents = a->n - at, bytes;

	aml_int(a, (uint32_t)contents);
	if (a->full)
		return;
	bytes = a->n - at - contents;
	if (a->size - a->n < bytes) {
		a->full = true;
		return;
	}
	/* The number stands behind them: by way of the place behind itself to the front. */
	memcpy(a->data + a->n, a->data + at + contents, bytes);
	memmove(a->data + at + bytes, a->data + at, contents);
	memcpy(a->data + at, a->data + a->n, bytes);
}

void aml_close(struct aml *a)
{
	if (a->full || !a->depth) {
		a->full = true;
		return;
	}
	a->depth--;
	if (a->block[a->depth].sized)
		insert_size(a, a->block[a->depth].at);
	if (!a->full)
		insert_length(a, a->block[a->depth].at);
}

void aml_close_template(struct aml *a)
{
	put(a, RES_END, 1);
	put(a, 0, 1);                   /* no checksum */
	aml_close(a);
}

void aml_region(struct aml *a, const char *name, unsigned space, unsigned offset, unsigned bytes)
{
	put(a, EXT, 1);
	put(a, EXT_REGION, 1);
	aml_name(a, name);
	put(a, space, 1);
	aml_int(a, offset);
	aml_int(a, bytes);
}

void aml_field(struct aml *a, const char *name, unsigned bits)
{
	put_seg(a, name, strlen(name));
	put_length(a, bits, bytes_of_length(bits));
}

void aml_io(struct aml *a, uint16_t base, uint8_t bytes)
{
	put(a, RES_IO, 1);
	put(a, IO_DECODE_16, 1);
	put(a, base, 2);
	put(a, base, 2);
	put(a, 1, 1);                   /* alignment */
	put(a, bytes, 1);
}

void aml_irq(struct aml *a, unsigned line)
{
	put(a, RES_IRQ, 1);
	put(a, 1u << line, 2);
}

void aml_link_irqs(struct aml *a, const uint32_t *line, size_t n)
{
	put(a, RES_INTERRUPTS, 1);
	put(a, (uint32_t)(2 + 4 * n), 2);
	put(a, INT_CONSUMER | INT_SHARED, 1);
	put(a, (uint32_t)n, 1);
	for (size_t i = 0; i < n; i++)
		put(a, line[i], 4);
}

/* An address space descriptor whose numbers have BYTES each (6.4.3.5). */
static void put_window(struct aml *a, unsigned tag, unsigned space, unsigned flags, unsigned bytes, uint32_t first,
		       uint32_t last)
{
	put(a, tag, 1);
	put(a, 3 + 5 * bytes, 2);
	put(a, space, 1);
	put(a, SPACE_FIXED, 1);
	put(a, flags, 1);
	put(a, 0, bytes);               /* granularity */
	put(a, first, bytes);
	put(a, last, bytes);
	put(a, 0, bytes);               /* what is added on the other side */
	put(a, last - first + 1, bytes);
}

void aml_window_buses(struct aml *a, uint16_t first, uint16_t last)
{
	put_window(a, RES_WORD_SPACE, SPACE_BUSES, 0, 2, first, last);
}

void aml_window_ports(struct aml *a, uint16_t first, uint16_t last)
{
	put_window(a, RES_WORD_SPACE, SPACE_IO, IO_ENTIRE, 2, first, last);
}

void aml_window_memory(struct aml *a, uint32_t first, uint32_t last)
{
	put_window(a, RES_DWORD_SPACE, SPACE_MEMORY, MEMORY_WRITABLE, 4, first, last);
}
