/* SPDX-License-Identifier: GPL-3.0-or-later */
/* VGA registers as drivers use them, and the screen they make of memory. */
#include "dev/vga.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fake_pc.h"
#include "tests/unit.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define CELLS (VGA_TEXT_BYTES / 2)

static struct fake_pc pc;
static struct device *vga;
static struct screen screen;
/* On the heap, of that very size, for the sanitizer. */
static uint8_t *memory;

static void setup(void)
{
	unsigned i;

	fake_pc_init(&pc);
	ck_assert_int_eq(vga_attach(pc.bus, &vga, NULL), 0);
	memory = malloc(VGA_TEXT_BYTES);
	/* Each cell says which it is. */
	for (i = 0; i < CELLS; i++) {
		memory[2 * i] = (uint8_t)i;
		memory[2 * i + 1] = (uint8_t)(i >> 8);
	}
}

static void teardown(void)
{
	fake_pc_done(&pc);
	free(memory);
}

static void look(void)
{
	memset(&screen, 0xa5, sizeof(screen));
	vga_screen(pc.bus, vga, memory, &screen);
}

static void put(uint16_t index_port, uint8_t index, uint8_t value)
{
	pc_out(&pc, index_port, 2, index | value << 8);
}

static uint8_t get(uint16_t index_port, uint8_t index)
{
	outb(&pc, index_port, index);
	return inb(&pc, index_port + 1);
}

static void put_attr(uint8_t index, uint8_t value)
{
	inb(&pc, 0x3da);
	outb(&pc, 0x3c0, index);
	outb(&pc, 0x3c0, value);
}

static void expect_cell(unsigned row, unsigned column, unsigned want)
{
	unsigned got = screen.cell[row * screen.columns + column];

	ck_assert_msg(got == want % CELLS, "cell %u,%u is %u, not %u", row, column, got, want % CELLS);
}

START_TEST(starts_in_mode_3)
{
	look();
	ck_assert(screen.text);
	ck_assert_uint_eq(screen.columns, 80);
	ck_assert_uint_eq(screen.rows, 25);
	ck_assert(screen.cursor_shown);
	ck_assert_uint_eq(screen.cursor_column, 0);
	ck_assert_uint_eq(screen.cursor_row, 0);
	expect_cell(0, 0, 0);
	expect_cell(0, 79, 79);
	expect_cell(1, 0, 80);
	expect_cell(24, 79, 1999);
	ck_assert_uint_eq(inb(&pc, 0x3cc), 0x67);
	ck_assert_uint_eq(pc.irqs, 0);
}
END_TEST

static const struct {
	uint8_t index, value;
	unsigned columns, rows;
} sizes[] = {
	{ 0x01, 0x27, 40, 25 }, { 0x01, 0x83, 132, 25 }, { 0x01, 0xff, 132, 25 }, { 0x01, 0x00, 1, 25 },
	{ 0x09, 0x47, 80, 50 }, { 0x09, 0x48, 80, 44 }, { 0x09, 0x40, 80, 60 }, { 0x09, 0x5f, 80, 12 },
	{ 0x09, 0xc7, 80, 25 }, { 0x09, 0xdf, 80, 6 },
	{ 0x12, 0xdf, 80, 30 }, { 0x12, 0x00, 80, 16 },
	/* Bits 8 and 9 of the lines. */
	{ 0x07, 0x1d, 80, 9 }, { 0x07, 0x5d, 80, 41 }, { 0x07, 0x5f, 80, 57 }, { 0x07, 0xa0, 80, 9 },
};

START_TEST(size_comes_from_the_crtc)
{
	put(0x3d4, 0x11, 0x0e);
	put(0x3d4, sizes[_i].index, sizes[_i].value);
	look();
	ck_assert_uint_eq(screen.columns, sizes[_i].columns);
	ck_assert_uint_eq(screen.rows, sizes[_i].rows);
	expect_cell(screen.rows - 1, screen.columns - 1, (screen.rows - 1) * 80 + screen.columns - 1);
}
END_TEST

START_TEST(fewer_lines_than_a_row)
{
	put(0x3d4, 0x11, 0x0e);
	put(0x3d4, 0x07, 0x00);
	put(0x3d4, 0x12, 0x00);
	look();
	ck_assert(screen.text);
	ck_assert_uint_eq(screen.rows, 1);
}
END_TEST

START_TEST(start_and_offset)
{
	put(0x3d4, 0x0c, 0x01);
	put(0x3d4, 0x0d, 0x40);
	put(0x3d4, 0x13, 0x32);
	look();
	expect_cell(0, 0, 0x140);
	expect_cell(2, 3, 0x140 + 200 + 3);
	/* Memory goes round. */
	put(0x3d4, 0x0c, 0xff);
	put(0x3d4, 0x0d, 0xff);
	look();
	expect_cell(0, 0, CELLS - 1);
	expect_cell(0, 1, 0);
	put(0x3d4, 0x13, 0xff);
	look();
	expect_cell(24, 79, CELLS - 1 + 24 * 510 + 79);
	put(0x3d4, 0x13, 0x00);
	look();
	expect_cell(24, 5, 4);
}
END_TEST

static const struct {
	uint16_t at;
	uint8_t start_line, end_line;
	bool shown;
	unsigned row, column;
} cursors[] = {
	{ 0, 13, 14, true, 0, 0 }, { 79, 0, 15, true, 0, 79 }, { 80, 13, 13, true, 1, 0 }, { 1999, 13, 14, true, 24, 79 },
	{ 2000, 13, 14, false, 0, 0 }, { 0xffff, 13, 14, false, 0, 0 }, { 80, 0x2d, 14, false, 0, 0 },
	{ 80, 14, 13, false, 0, 0 }, { 80, 16, 31, false, 0, 0 }, { 80, 15, 0xff, true, 1, 0 }, { 80, 0xcd, 0x6e, true, 1, 0 },
};

START_TEST(cursor)
{
	put(0x3d4, 0x0a, cursors[_i].start_line);
	put(0x3d4, 0x0b, cursors[_i].end_line);
	put(0x3d4, 0x0e, (uint8_t)(cursors[_i].at >> 8));
	put(0x3d4, 0x0f, (uint8_t)cursors[_i].at);
	look();
	ck_assert(screen.cursor_shown == cursors[_i].shown);
	ck_assert_uint_eq(screen.cursor_row, cursors[_i].row);
	ck_assert_uint_eq(screen.cursor_column, cursors[_i].column);
	/* It scrolls along. */
	put(0x3d4, 0x0d, 0xa0);
	put(0x3d4, 0x0f, (uint8_t)(cursors[_i].at + 0xa0));
	put(0x3d4, 0x0e, (uint8_t)((cursors[_i].at + 0xa0) >> 8));
	look();
	ck_assert(screen.cursor_shown == cursors[_i].shown);
	ck_assert_uint_eq(screen.cursor_row, cursors[_i].row);
}
END_TEST

START_TEST(cursor_without_offset)
{
	put(0x3d4, 0x13, 0);
	put(0x3d4, 0x0f, 79);
	look();
	ck_assert(screen.cursor_shown);
	ck_assert_uint_eq(screen.cursor_column, 79);
	put(0x3d4, 0x0f, 80);
	look();
	ck_assert(!screen.cursor_shown);
	/* Between the rows' ends and the next ones' beginnings. */
	put(0x3d4, 0x13, 50);
	look();
	ck_assert(!screen.cursor_shown);
}
END_TEST

static void expect_no_text(void)
{
	static const struct screen nothing;

	look();
	ck_assert(!screen.text);
	ck_assert_mem_eq(&screen, &nothing, sizeof(screen));
}

START_TEST(graphics_or_dark)
{
	put(0x3ce, 0x06, 0x05);
	expect_no_text();
	put(0x3ce, 0x06, 0x0e);
	look();
	ck_assert(screen.text);
	put(0x3c4, 0x01, 0x20);
	expect_no_text();
	put(0x3c4, 0x01, 0x00);
	inb(&pc, 0x3da);
	outb(&pc, 0x3c0, 0x00);
	expect_no_text();
	inb(&pc, 0x3da);
	outb(&pc, 0x3c0, 0x20);
	look();
	ck_assert(screen.text);
}
END_TEST

START_TEST(indexed_registers)
{
	/* Those of the standard have their bits, and others are not there. */
	static const uint8_t seq[] = { 0x03, 0x3d, 0x0f, 0x3f, 0x0e, 0x00 };
	static const uint8_t gc[] = { 0x0f, 0x0f, 0x0f, 0x1f, 0x03, 0x7b, 0x0f, 0x0f, 0xff, 0x00 };
	unsigned i;

	for (i = 0; i < COUNT(seq); i++) {
		put(0x3c4, (uint8_t)i, 0xff);
		ck_assert_uint_eq(get(0x3c4, (uint8_t)i), seq[i]);
	}
	for (i = 0; i < COUNT(gc); i++) {
		put(0x3ce, (uint8_t)i, 0xff);
		ck_assert_uint_eq(get(0x3ce, (uint8_t)i), gc[i]);
	}
	put(0x3d4, 0x11, 0x0e);
	for (i = 0; i < 256; i++) {
		put(0x3d4, (uint8_t)i, (uint8_t)(i == 0x11 ? 0x5a : 0xa5 ^ i));
		ck_assert_uint_eq(get(0x3d4, (uint8_t)i), i > 0x18 ? 0 : i == 0x11 ? 0x5a : 0xa5 ^ i);
		ck_assert_uint_eq(inb(&pc, 0x3d4), i);
	}
	fake_pc_round_trip(&pc);
	ck_assert_uint_eq(get(0x3d4, 0x18), 0xa5 ^ 0x18);
	bus_reset(pc.bus);
	ck_assert_uint_eq(get(0x3d4, 0x18), 0xff);
}
END_TEST

START_TEST(crtc_write_protection)
{
	/* Mode 3 leaves it on. */
	put(0x3d4, 0x01, 0x27);
	ck_assert_uint_eq(get(0x3d4, 0x01), 0x4f);
	put(0x3d4, 0x07, 0x00);
	ck_assert_uint_eq(get(0x3d4, 0x07), 0x0f);
	put(0x3d4, 0x07, 0xff);
	ck_assert_uint_eq(get(0x3d4, 0x07), 0x1f);
	put(0x3d4, 0x08, 0x05);
	ck_assert_uint_eq(get(0x3d4, 0x08), 0x05);
	put(0x3d4, 0x11, 0x0e);
	put(0x3d4, 0x01, 0x27);
	ck_assert_uint_eq(get(0x3d4, 0x01), 0x27);
}
END_TEST

START_TEST(attribute_controller)
{
	put_attr(0x05, 0xff);
	put_attr(0x13, 0xff);
	put_attr(0x1f, 0xff);
	inb(&pc, 0x3da);
	outb(&pc, 0x3c0, 0x05);
	ck_assert_uint_eq(inb(&pc, 0x3c0), 0x05);
	ck_assert_uint_eq(inb(&pc, 0x3c1), 0x3f);
	/* Reading its data leaves the flip-flop: this is data, and the next an index. */
	outb(&pc, 0x3c0, 0x2a);
	ck_assert_uint_eq(inb(&pc, 0x3c1), 0x2a);
	outb(&pc, 0x3c0, 0xf3);
	ck_assert_uint_eq(inb(&pc, 0x3c0), 0x33);
	ck_assert_uint_eq(inb(&pc, 0x3c1), 0x0f);
	fake_pc_round_trip(&pc);
	outb(&pc, 0x3c0, 0x01);
	ck_assert_uint_eq(inb(&pc, 0x3c1), 0x01);
	outb(&pc, 0x3c0, 0x3f);
	ck_assert_uint_eq(inb(&pc, 0x3c1), 0x00);
	/* A read of the status begins anew. */
	inb(&pc, 0x3da);
	outb(&pc, 0x3c0, 0x05);
	ck_assert_uint_eq(inb(&pc, 0x3c1), 0x2a);
}
END_TEST

START_TEST(dac)
{
	static const uint8_t rgb[] = { 1, 2, 3, 0x3f, 0x3e, 0x3d };
	size_t i;

	ck_assert_uint_eq(inb(&pc, 0x3c6), 0xff);
	outb(&pc, 0x3c8, 0xff);
	for (i = 0; i < COUNT(rgb); i++)
		outb(&pc, 0x3c9, rgb[i] | 0xc0);
	ck_assert_uint_eq(inb(&pc, 0x3c7), 0);
	ck_assert_uint_eq(inb(&pc, 0x3c8), 1);
	/* Entry 255, then 0. */
	outb(&pc, 0x3c7, 0xff);
	ck_assert_uint_eq(inb(&pc, 0x3c7), 3);
	for (i = 0; i < COUNT(rgb); i++) {
		fake_pc_round_trip(&pc);
		ck_assert_uint_eq(inb(&pc, 0x3c9), rgb[i]);
	}
	/* An entry that was not written whole stays. */
	outb(&pc, 0x3c8, 0);
	outb(&pc, 0x3c9, 9);
	outb(&pc, 0x3c9, 9);
	outb(&pc, 0x3c7, 0);
	ck_assert_uint_eq(inb(&pc, 0x3c9), 0x3f);
	bus_reset(pc.bus);
	/* Brown, light red: EGA's colours. */
	outb(&pc, 0x3c7, 0x14);
	ck_assert_uint_eq(inb(&pc, 0x3c9), 0x2a);
	ck_assert_uint_eq(inb(&pc, 0x3c9), 0x15);
	ck_assert_uint_eq(inb(&pc, 0x3c9), 0x00);
	outb(&pc, 0x3c7, 0x3c);
	ck_assert_uint_eq(inb(&pc, 0x3c9), 0x3f);
	ck_assert_uint_eq(inb(&pc, 0x3c9), 0x15);
	ck_assert_uint_eq(inb(&pc, 0x3c9), 0x15);
}
END_TEST

START_TEST(mono_or_colour_addresses)
{
	ck_assert_uint_eq(inb(&pc, 0x3b5), 0xff);
	ck_assert_uint_eq(inb(&pc, 0x3ba), 0xff);
	put(0x3b4, 0x0a, 0x11);
	ck_assert_uint_eq(get(0x3d4, 0x0a), 0x0d);
	outb(&pc, 0x3c2, 0x66);
	ck_assert_uint_eq(inb(&pc, 0x3cc), 0x66);
	ck_assert_uint_eq(inb(&pc, 0x3d5), 0xff);
	ck_assert_uint_eq(inb(&pc, 0x3da), 0xff);
	ck_assert_uint_eq(get(0x3b4, 0x0a), 0x0d);
	put(0x3b4, 0x0a, 0x11);
	ck_assert_uint_eq(get(0x3b4, 0x0a), 0x11);
	outb(&pc, 0x3ba, 0x03);
	ck_assert_uint_eq(inb(&pc, 0x3ca), 0x03);
}
END_TEST

/* Waits for each of the bits to be each value, by one or more reads a round. */
START_TEST(retrace_loops_end)
{
	static const uint8_t bits[] = { 0x01, 0x08 };
	unsigned i, n, reads, want;
	uint8_t status = 0;

	for (i = 0; i < 16; i++) {
		for (reads = 1; reads <= 2; reads++) {
			want = i & 1 ? bits[i >> 1 & 1] : 0;
			for (n = 0; n < 8; n++) {
				for (unsigned k = 0; k < reads; k++)
					status = inb(&pc, 0x3da);
				if ((status & bits[i >> 1 & 1]) == want)
					break;
			}
			ck_assert_uint_lt(n, 8);
		}
	}
	for (n = 0; n < 32; n++) {
		i = inb(&pc, 0x3da);
		ck_assert_uint_ne(i, inb(&pc, 0x3da));
		/* Vertical retrace is retrace. */
		ck_assert(!(i & 0x08) || (i & 0x01));
	}
	ck_assert_uint_eq(inb(&pc, 0x3c2), 0);
}
END_TEST

/* Where the state of the only device begins in a bus_save() buffer. */
#define STATE (1 + 3 + 4)

static const struct {
	unsigned at;
	uint8_t value;
} bad_states[] = {
	{ STATE + 6, 0x40 }, { STATE + 7, 2 }, { STATE + 10, 3 }, { STATE + 11, 2 }, { STATE + 12, 0x40 }, { STATE + 14, 3 },
	{ STATE + 15 + 25, 0xff }, { STATE + 15 + 25 + 5, 0xff }, { STATE + 15 + 25 + 5 + 9, 0xff },
	{ STATE + 15 + 25 + 5 + 9 + 21 + 767, 0x40 },
};

START_TEST(load_refuses_nonsense)
{
	struct dev_buf buf = { 0 }, before = { 0 }, after = { 0 };
	struct err err = { 0 };

	fake_pc_save(&pc, &buf);
	put(0x3d4, 0x0a, 0x05);
	fake_pc_save(&pc, &before);
	buf.data[bad_states[_i].at] = bad_states[_i].value;
	ck_assert_int_eq(bus_load(pc.bus, &buf, &err), -EINVAL);
	ck_assert_msg(strncmp(err.msg, "vga: its saved state ", 21) == 0, "%s", err.msg);
	fake_pc_save(&pc, &after);
	ck_assert_mem_eq(before.data, after.data, before.len);
	free(buf.data);
	free(before.data);
	free(after.data);
}
END_TEST

static unsigned shown;

static void note_reg(void *arg, const char *name, unsigned bits, uint64_t value, const char *text)
{
	(void)arg;
	shown++;
	ck_assert_uint_eq(value >> bits, 0);
	if (strcmp(name, "crtc07") == 0)
		ck_assert_uint_eq(value, 0x1f);
	if (strcmp(name, "start") == 0)
		ck_assert_str_eq(text, "text, 80 x 25, row by row 80");
}

START_TEST(shows_its_registers)
{
	const struct dev_show s = { .reg = note_reg };
	struct dev_buf a = { 0 }, b = { 0 };

	fake_pc_save(&pc, &a);
	shown = 0;
	vga->ops->show(vga, &s);
	ck_assert_uint_eq(shown, 25 + 5 + 9 + 21 + 10);
	fake_pc_save(&pc, &b);
	ck_assert_mem_eq(a.data, b.data, a.len);
	free(a.data);
	free(b.data);
}
END_TEST

static uint32_t rand32(uint64_t *state)
{
	/* xorshift64* */
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (uint32_t)(*state * 0x2545f4914f6cdd1dull >> 32);
}

static void expect_bounded_screen(void)
{
	look();
	if (!screen.text)
		return;
	ck_assert_uint_le(screen.columns - 1, SCREEN_COLUMNS_MAX - 1);
	ck_assert_uint_le(screen.rows - 1, SCREEN_ROWS_MAX - 1);
	ck_assert_uint_lt(screen.cursor_row, screen.rows);
	ck_assert_uint_lt(screen.cursor_column, screen.columns);
}

/* Whatever a guest writes, there is some screen, and the state is complete. */
START_TEST(random_accesses)
{
	static const uint16_t ports[] = { 0x3d4, 0x3d5, 0x3ce, 0x3cf, 0x3c4, 0x3c5, 0x3c0, 0x3c1, 0x3c9 };
	uint64_t seed = 0x9e3779b97f4a7c15ull + (uint64_t)_i;
	unsigned n, texts = 0;
	uint8_t data[16];
	uint16_t port;
	uint32_t r;

	for (n = 0; n < 200000; n++) {
		r = rand32(&seed);
		port = r & 1 ? ports[(r >> 8) % COUNT(ports)] : (uint16_t)(0x3b0 + (r >> 8) % 0x30);
		memcpy(data, &r, 4);
		memcpy(data + 4, &r, 4);
		/* Indices of registers that there are, mostly. */
		if (r & 2)
			data[0] %= 0x20;
		if (port == 0x3c2 && r & 4)
			data[0] |= 1;
		bus_io(pc.bus, port, r & 8, 1u << (r >> 4) % 3, 1 + (r >> 6) % 2, data);
		if (r % 64 == 9) {
			expect_bounded_screen();
			texts += screen.text;
		}
		if (r % 1024 == 10)
			fake_pc_round_trip(&pc);
		if (r % 8192 == 11)
			bus_reset(pc.bus);
	}
	ck_assert_uint_gt(texts, 100);
}
END_TEST

/* Random bytes as a state are refused or make a screen. */
START_TEST(random_states)
{
	uint64_t seed = 0xd1b54a32d192ed03ull;
	struct dev_buf good = { 0 }, cut;
	unsigned n, k, loaded = 0;
	uint8_t *copy;

	fake_pc_save(&pc, &good);
	copy = malloc(good.len);
	for (n = 0; n < 20000; n++) {
		memcpy(copy, good.data, good.len);
		for (k = rand32(&seed) % 8; k; k--)
			copy[rand32(&seed) % (rand32(&seed) % 8 ? STATE + 40 : good.len)] = (uint8_t)rand32(&seed);
		cut = good;
		cut.data = copy;
		if (rand32(&seed) % 8 == 0)
			cut.len = rand32(&seed) % good.len;
		if (bus_load(pc.bus, &cut, NULL) < 0)
			continue;
		loaded++;
		fake_pc_round_trip(&pc);
		expect_bounded_screen();
	}
	ck_assert_uint_gt(loaded, 1000);
	free(copy);
	free(good.data);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vga");
	TCase *t = tcase_create("vga"), *f = tcase_create("random");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, starts_in_mode_3);
	tcase_add_loop_test(t, size_comes_from_the_crtc, 0, COUNT(sizes));
	tcase_add_test(t, fewer_lines_than_a_row);
	tcase_add_test(t, start_and_offset);
	tcase_add_loop_test(t, cursor, 0, COUNT(cursors));
	tcase_add_test(t, cursor_without_offset);
	tcase_add_test(t, graphics_or_dark);
	tcase_add_test(t, indexed_registers);
	tcase_add_test(t, crtc_write_protection);
	tcase_add_test(t, attribute_controller);
	tcase_add_test(t, dac);
	tcase_add_test(t, mono_or_colour_addresses);
	tcase_add_test(t, retrace_loops_end);
	tcase_add_loop_test(t, load_refuses_nonsense, 0, COUNT(bad_states));
	tcase_add_test(t, shows_its_registers);
	suite_add_tcase(s, t);

	tcase_set_timeout(f, 60);
	tcase_add_checked_fixture(f, setup, teardown);
	tcase_add_loop_test(f, random_accesses, 0, 2);
	tcase_add_test(f, random_states);
	suite_add_tcase(s, f);
	return unit_main(s);
}
