/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dev/flash.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dev/flash_file.h"

#define WINDOW          16u
#define BUFFER          32u             /* bytes that "write to buffer" takes, within as many that are aligned */
#define ERASED          0xff

/* The status register: data sheet, table 17. */
#define SR_READY        0x80
#define SR_ERASE_FAILED 0x20            /* with SR_FAILED: a sequence of commands that there is not */
#define SR_FAILED       0x10
#define SR_BITS         (SR_READY | SR_ERASE_FAILED | SR_FAILED)

#define CONFIRM         0xd0

/* What reads give. */
enum shows { SHOWS_ARRAY, SHOWS_STATUS, SHOWS_ID, SHOWS_QUERY, SHOWS_LAST = SHOWS_QUERY };
/* What the next write is. */
enum next {
	NEXT_COMMAND, NEXT_PROGRAM, NEXT_ERASE, NEXT_COUNT, NEXT_BUFFER, NEXT_BUFFER_END, NEXT_LOCK, NEXT_LAST = NEXT_LOCK,
};

struct state {
	uint8_t shows, next, status;
	/* "Write to buffer": where its first byte goes, how many it is to have, how many have come. */
	uint32_t start;
	uint8_t count, have;
	uint8_t buffer[BUFFER];
};

static const struct dev_field fields[] = {
	DEV_FIELD(struct state, shows, SHOWS_LAST),
	DEV_FIELD(struct state, next, NEXT_LAST),
	DEV_FIELD(struct state, status, UINT8_MAX),
	DEV_FIELD(struct state, start, FLASH_MAX - 1),
	DEV_FIELD(struct state, count, BUFFER),
	DEV_FIELD(struct state, have, BUFFER),
	DEV_BYTES(struct state, buffer),
};

#define NFIELDS (sizeof(fields) / sizeof(fields[0]))

struct flash {
	struct device dev;
	uint8_t *array, *first;         /* the contents now, and as the device was made */
	size_t size;
	struct flash_file *file;        /* NULL: none */
	size_t low, high;               /* what flash_view() has not given yet: from `low` to before `high` */
	struct state s;
};

/* ---- The contents ---- */

static void touch(struct flash *f, size_t offset, size_t len)
{
	if (!len)
		return;
	if (f->low >= f->high) {
		f->low = offset;
		f->high = offset + len;
	}
	if (offset < f->low)
		f->low = offset;
	if (offset + len > f->high)
		f->high = offset + len;
	if (f->file)
		flash_file_touch(f->file, offset, len);
}

/* Programming makes ones zeros, and only that.  What lies beyond the chip's end is dropped. */
static void program(struct flash *f, size_t offset, const uint8_t *data, size_t len)
{
	if (len > f->size - offset)
		len = f->size - offset;
	for (size_t i = 0; i < len; i++)
		f->array[offset + i] &= data[i];
	touch(f, offset, len);
}

static void erase(struct flash *f, size_t offset)
{
	offset -= offset % FLASH_BLOCK;
	memset(f->array + offset, ERASED, FLASH_BLOCK);
	touch(f, offset, FLASH_BLOCK);
}

static void write_file(struct flash *f)
{
	if (f->file)
		flash_file_start(f->file, f->array);
}

/* ---- Commands: data sheet, table 4 ---- */

static void show(struct flash *f, enum shows shows)
{
	bool changes = (f->s.shows == SHOWS_ARRAY) != (shows == SHOWS_ARRAY);

	f->s.shows = (uint8_t)shows;
	if (!changes)
		return;
	f->dev.host->remap(f->dev.host->arg);
	if (shows == SHOWS_ARRAY)
		write_file(f);
}

static void clear_status(struct flash *f)
{
	f->s.status = 0;
}

static const struct command {
	uint8_t code;
	enum shows shows;
	enum next next;
	void (*act)(struct flash *f);           /* NULL: nothing more */
} commands[] = {
	{ 0xff, SHOWS_ARRAY, NEXT_COMMAND, NULL },
	{ 0x10, SHOWS_STATUS, NEXT_PROGRAM, NULL },
	{ 0x40, SHOWS_STATUS, NEXT_PROGRAM, NULL },
	{ 0x20, SHOWS_STATUS, NEXT_ERASE, NULL },
	{ 0xe8, SHOWS_STATUS, NEXT_COUNT, NULL },
	{ 0x60, SHOWS_STATUS, NEXT_LOCK, NULL },
	{ 0x70, SHOWS_STATUS, NEXT_COMMAND, NULL },
	{ 0x50, SHOWS_ARRAY, NEXT_COMMAND, clear_status },
	{ 0x90, SHOWS_ID, NEXT_COMMAND, NULL },
	{ 0x98, SHOWS_QUERY, NEXT_COMMAND, NULL },
};

/* What is no command is no reason to change memory: guests write to ROM by mistake. */
static void do_command(struct flash *f, uint8_t code)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (commands[i].code != code)
			continue;
		f->s.next = (uint8_t)commands[i].next;
		if (commands[i].act)
			commands[i].act(f);
		show(f, commands[i].shows);
		return;
	}
}

/* A command of several writes has come to its end. */
static void finish(struct flash *f, uint8_t errors)
{
	f->s.next = NEXT_COMMAND;
	f->s.status |= SR_READY | errors;
}

static void take_count(struct flash *f, uint8_t value)
{
	if (value >= BUFFER) {
		finish(f, SR_FAILED | SR_ERASE_FAILED);
		return;
	}
	f->s.count = (uint8_t)(value + 1);
	f->s.have = 0;
	memset(f->s.buffer, ERASED, sizeof(f->s.buffer));
	f->s.next = NEXT_BUFFER;
}

/* The first byte says where they begin; all of them go to one aligned piece of BUFFER bytes. */
static void take_buffer(struct flash *f, uint32_t offset, const uint8_t *data, unsigned size)
{
	struct state *s = &f->s;

	if (!s->have)
		s->start = offset;
	if (s->have + size > s->count || offset / BUFFER != s->start / BUFFER || offset % BUFFER + size > BUFFER) {
		finish(f, SR_FAILED | SR_ERASE_FAILED);
		return;
	}
	memcpy(s->buffer + offset % BUFFER, data, size);
	s->have = (uint8_t)(s->have + size);
	if (s->have == s->count)
		s->next = NEXT_BUFFER_END;
}

static void flash_write(struct device *d, unsigned range, uint64_t offset, unsigned size, uint64_t value)
{
	struct flash *f = (struct flash *)d;
	uint32_t at = (uint32_t)offset;
	uint8_t data[sizeof(value)];

	(void)range;
	for (unsigned i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(value >> (8 * i));
	switch (f->s.next) {
	case NEXT_COMMAND:
		do_command(f, data[0]);
		return;
	case NEXT_COUNT:
		take_count(f, data[0]);
		return;
	case NEXT_BUFFER:
		take_buffer(f, at, data, size);
		return;
	case NEXT_PROGRAM:
		program(f, at, data, size);
		break;
	case NEXT_LOCK:         /* no block is locked, whatever is asked for */
		break;
	default:
		if (data[0] != CONFIRM) {
			finish(f, SR_FAILED | SR_ERASE_FAILED);
			return;
		}
		if (f->s.next == NEXT_ERASE)
			erase(f, at);
		else
			program(f, f->s.start - f->s.start % BUFFER, f->s.buffer, BUFFER);
	}
	finish(f, 0);
}

/* ---- Reading ---- */

#define ID_INTEL        0x89
#define ID_28F640J3     0x17
#define QUERY_BLOCKS    0x2d            /* two bytes: their number - 1; that and the size are the device's own */
#define QUERY_SIZE      0x27            /* 2^n */

/* JESD68.01, tables 1 to 4; times are 2^n us and ms. */
static const uint8_t query[] = {
	[0x00] = ID_INTEL, ID_28F640J3,
	[0x10] = 'Q', 'R', 'Y',
	[0x13] = 0x01, 0x00,            /* Intel's command set */
	[0x15] = 0x31, 0x00,            /* where its own table is */
	[0x1b] = 0x27, 0x36, 0, 0,      /* 2.7 to 3.6 V */
	[0x1f] = 7, 7, 10, 0,           /* a byte, a buffer, a block, no erase of the whole chip */
	[0x23] = 4, 4, 4, 0,            /* at most so many times as long */
	[0x28] = 0x00, 0x00,            /* eight bits */
	[0x2a] = 5, 0,                  /* 2^n bytes in a buffer */
	[0x2c] = 1,                     /* regions of blocks of one size */
	[0x2f] = (uint8_t)(FLASH_BLOCK / 256), FLASH_BLOCK / 256 / 256,
	[0x31] = 'P', 'R', 'I', '1', '0', 0, 0, 0, 0,
};

static uint8_t query_byte(const struct flash *f, unsigned at)
{
	size_t blocks = f->size / FLASH_BLOCK - 1;
	uint8_t bits = 0;

	if (at == QUERY_BLOCKS || at == QUERY_BLOCKS + 1)
		return (uint8_t)(blocks >> 8 * (at - QUERY_BLOCKS));
	while (at == QUERY_SIZE && f->size > (size_t)1 << bits)
		bits++;
	return at == QUERY_SIZE ? bits : at < sizeof(query) ? query[at] : 0;
}

static uint8_t read_byte(const struct flash *f, size_t offset)
{
	switch (f->s.shows) {
	case SHOWS_STATUS:
		return f->s.status;
	case SHOWS_ID:
		return (offset & 0xff) < 2 ? query[offset & 0xff] : 0;
	case SHOWS_QUERY:
		return query_byte(f, offset & 0xff);
	default:
		return f->array[offset];
	}
}

static uint64_t flash_read(struct device *d, unsigned range, uint64_t offset, unsigned size)
{
	const struct flash *f = (const struct flash *)d;
	uint64_t value = 0;

	(void)range;
	for (unsigned i = 0; i < size; i++)
		value |= (uint64_t)read_byte(f, (size_t)offset + i) << (8 * i);
	return value;
}

/* ---- The device ---- */

static void flash_reset(struct device *d)
{
	struct flash *f = (struct flash *)d;

	show(f, SHOWS_ARRAY);
	f->s = (struct state){ .status = SR_READY };
}

/* The blocks that are not as they were at first: how many; each one's number, and its bytes. */
static int save_blocks(const struct flash *f, struct dev_buf *b)
{
	size_t n = 0, blocks = f->size / FLASH_BLOCK;
	int r;

	for (size_t i = 0; i < blocks; i++)
		n += memcmp(f->array + i * FLASH_BLOCK, f->first + i * FLASH_BLOCK, FLASH_BLOCK) != 0;
	r = dev_put(b, n, 4);
	for (size_t i = 0; r == 0 && i < blocks; i++) {
		const uint8_t *block = f->array + i * FLASH_BLOCK;

		if (!memcmp(block, f->first + i * FLASH_BLOCK, FLASH_BLOCK))
			continue;
		r = dev_put(b, i, 4);
		for (size_t at = 0; r == 0 && at < FLASH_BLOCK; at++)
			r = dev_put(b, block[at], 1);
	}
	return r;
}

static int load_blocks(const struct flash *f, struct dev_buf *b, uint8_t *ret)
{
	uint64_t n, index, least = 0;

	memcpy(ret, f->first, f->size);
	if (dev_get(b, 4, &n) < 0)
		return -EINVAL;
	for (; n; n--) {
		if (dev_get(b, 4, &index) < 0 || index < least || index >= f->size / FLASH_BLOCK ||
		    b->len - b->pos < FLASH_BLOCK)
			return -EINVAL;
		memcpy(ret + index * FLASH_BLOCK, b->data + b->pos, FLASH_BLOCK);
		b->pos += FLASH_BLOCK;
		least = index + 1;
	}
	return 0;
}

static int flash_save(const struct device *d, struct dev_buf *b)
{
	const struct flash *f = (const struct flash *)d;
	int r = dev_fields_save(&f->s, fields, NFIELDS, b);

	return r ? r : save_blocks(f, b);
}

/* Whether a guest can have brought it there. */
static bool is_state(const struct flash *f, const struct state *s)
{
	bool buffer = s->next == NEXT_BUFFER || s->next == NEXT_BUFFER_END;

	if (s->next != NEXT_COMMAND && s->shows != SHOWS_STATUS)
		return false;
	if (s->start >= f->size || (s->status & ~SR_BITS))
		return false;
	return !buffer || (s->have <= s->count && (s->have == s->count) == (s->next == NEXT_BUFFER_END));
}

static int flash_load(struct device *d, struct dev_buf *b, struct err *err)
{
	struct flash *f = (struct flash *)d;
	struct state s = { 0 };
	uint8_t *array;
	int r = dev_fields_load(&s, fields, NFIELDS, b, d->ops->name, err);

	if (r < 0)
		return r;
	if (!is_state(f, &s))
		return err_set(err, EINVAL, "%s: its saved state contradicts itself", d->ops->name);
	array = malloc(f->size);
	if (!array)
		return err_set(err, ENOMEM, "%s: no memory for its contents", d->ops->name);
	if (load_blocks(f, b, array) < 0) {
		free(array);
		return err_set(err, EINVAL, "%s: its saved contents are malformed", d->ops->name);
	}
	for (size_t at = 0; at < f->size; at += FLASH_BLOCK)
		if (memcmp(array + at, f->array + at, FLASH_BLOCK) != 0)
			touch(f, at, FLASH_BLOCK);
	free(f->array);
	f->array = array;
	f->s = s;
	/* What it shows may have changed, and in the array what is there. */
	f->dev.host->remap(f->dev.host->arg);
	write_file(f);
	return 0;
}

static void flash_poll(struct device *d)
{
	struct flash *f = (struct flash *)d;
	char text[160];
	int r = f->file ? flash_file_poll(f->file, f->array) : 0;

	if (!r)
		return;
	f->s.status |= SR_FAILED;
	snprintf(text, sizeof(text), "flash: %.100s cannot be written: %s", flash_file_path(f->file), strerror(-r));
	f->dev.host->trouble(f->dev.host->arg, text);
}

static void flash_show(const struct device *d, const struct dev_show *s)
{
	static const char *const shows[] = { "the array", "the status", "the identifier", "the query table" };
	static const char *const next[] = {
		"a command", "what is to be programmed", "that a block is to be erased", "how many bytes come",
		"bytes of a buffer", "that the buffer is to be programmed", "a lock",
	};
	const struct flash *f = (const struct flash *)d;
	uint8_t status = f->s.status;
	const char *text = (status & SR_FAILED) && (status & SR_ERASE_FAILED) ? "a sequence that there is not" :
			   status & SR_FAILED ? "the file could not be written" :
			   status & SR_READY ? "ready" : "cleared";

	s->reg(s->arg, "shows", 8, f->s.shows, shows[f->s.shows]);
	s->reg(s->arg, "next", 8, f->s.next, next[f->s.next]);
	s->reg(s->arg, "status", 8, status, text);
	s->reg(s->arg, "buffered", 8, f->s.have, NULL);
	s->reg(s->arg, "owed", 32, f->file ? flash_file_owed(f->file) : 0,
	       f->file ? "blocks that the file has yet to be given" : "in memory alone");
}

static void flash_free(struct device *d)
{
	struct flash *f = (struct flash *)d;

	flash_file_free(f->file);
	free(f->array);
	free(f->first);
	free(f);
}

static const struct dev_ops flash_ops = {
	.name = "flash",
	.what = "flash memory: UEFI variables",
	.reset = flash_reset,
	.save = flash_save,
	.load = flash_load,
	.free = flash_free,
	.read = flash_read,
	.write = flash_write,
	.poll = flash_poll,
	.show = flash_show,
};

static int check_spec(const struct flash_spec *spec, struct err *err)
{
	if (!spec->size || spec->size % FLASH_BLOCK || spec->size > FLASH_MAX)
		return err_set(err, EINVAL, "a flash memory has no %zu bytes: it has blocks of 4K, and 16M at most",
			       spec->size);
	if (spec->disk && disk_info(spec->disk)->size != spec->size)
		return err_set(err, EINVAL, "%s: not %zu bytes long", disk_info(spec->disk)->path, spec->size);
	return 0;
}

int flash_attach(struct bus *b, const struct flash_spec *spec, struct device **ret, struct err *err)
{
	struct flash *f;
	int r = check_spec(spec, err);

	if (r)
		return r;
	f = calloc(1, sizeof(*f));
	if (f) {
		f->dev.ops = &flash_ops;
		f->array = malloc(spec->size);
		f->first = malloc(spec->size);
	}
	if (!f || !f->array || !f->first || (spec->disk && flash_file_new(spec->disk, spec->size, &f->file))) {
		if (f)
			flash_free(&f->dev);
		return err_set(err, ENOMEM, "no memory for the flash memory");
	}
	memcpy(f->array, spec->data, spec->size);
	memcpy(f->first, spec->data, spec->size);
	f->size = f->high = spec->size;
	f->s.status = SR_READY;
	r = bus_attach_bare(b, &f->dev, err);
	if (r)
		return r;
	r = bus_add_window(b, &f->dev, BUS_MEMORY, WINDOW, err);
	if (r)
		return r;
	bus_lock(b);
	bus_set_window(&f->dev, WINDOW, spec->gpa, spec->size);
	bus_unlock(b);
	*ret = &f->dev;
	return 0;
}

bool flash_shows_array(const struct device *d)
{
	return ((const struct flash *)d)->s.shows == SHOWS_ARRAY;
}

void flash_view(struct device *d, uint8_t *view, bool whole)
{
	struct flash *f = (struct flash *)d;

	if (whole)
		memcpy(view, f->array, f->size);
	else if (f->low < f->high)
		memcpy(view + f->low, f->array + f->low, f->high - f->low);
	f->low = f->high = 0;
}

int flash_sync(struct device *d, struct err *err)
{
	struct flash *f = (struct flash *)d;
	int r = 0;

	bus_lock(d->bus);
	if (f->file)
		r = flash_file_sync(f->file, f->array);
	bus_unlock(d->bus);
	return r ? err_errno(err, -r, "%s: cannot be written", flash_file_path(f->file)) : 0;
}
