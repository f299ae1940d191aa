/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The keyboard controller, as firmware, bootloaders and kernels drive it, with any accesses, and its state. */
#include "dev/i8042.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dev/pc.h"
#include "tests/i8042_rig.h"
#include "tests/unit.h"

#define KBD_GSI 1
#define AUX_GSI 12

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void setup_without(void)
{
	fake_pc_init(&pc);
	ck_assert_int_eq(resetctl_attach(pc.bus, NULL), 0);
}

START_TEST(starts_as_firmware_leaves_it)
{
	ck_assert_uint_eq(inb(&pc, 0x64), 0x14);
	command(0x20);
	EXPECT(0x45);
	ck_assert_uint_eq(inb(&pc, 0x92), 0x02);
}
END_TEST

static const struct {
	uint8_t code, answer;
} answers[] = {
	{ 0xaa, 0x55 }, { 0xab, 0x00 }, { 0xa9, 0x00 }, { 0xa4, 0xf1 }, { 0xc0, 0x80 }, { 0xd0, 0xcf }, { 0x20, 0x45 },
};

START_TEST(controller_answers)
{
	size_t i;

	for (i = 0; i < COUNT(answers); i++) {
		command(answers[i].code);
		ck_assert_uint_eq(inb(&pc, 0x64), 0x1d);
		EXPECT(answers[i].answer);
		/* The byte stays to be read once more. */
		ck_assert_uint_eq(inb(&pc, 0x60), answers[i].answer);
	}
	set_cb(0x00);
	ck_assert_uint_eq(inb(&pc, 0x64), 0x10);
	command(0xaa);
	EXPECT(0x55);
	command(0x20);
	EXPECT(0x04);
}
END_TEST

START_TEST(command_byte_switches)
{
	static const struct { uint8_t code, want; } steps[] = {
		{ 0xad, 0x57 }, { 0xa7, 0x77 }, { 0xae, 0x67 }, { 0xa8, 0x47 },
	};
	size_t i;

	set_cb(0x47);
	for (i = 0; i < COUNT(steps); i++) {
		command(steps[i].code);
		command(0x20);
		EXPECT(steps[i].want);
	}
}
END_TEST

/* SeaBIOS's and U-Boot's order of things. */
START_TEST(firmware_sets_it_up)
{
	command(0xaa);
	EXPECT(0x55);
	command(0xab);
	EXPECT(0x00);
	command(0xad);
	command(0xa7);
	set_cb(0x30);
	command(0xae);
	set_cb(0x20);
	outb(&pc, 0x60, 0xff);
	EXPECT(0xfa, 0xaa);
	outb(&pc, 0x60, 0xf5);
	EXPECT(0xfa);
	outb(&pc, 0x60, 0xf0);
	EXPECT(0xfa);
	outb(&pc, 0x60, 0x02);
	EXPECT(0xfa);
	set_cb(0x61);
	outb(&pc, 0x60, 0xf4);
	ck_assert(pc.level[KBD_GSI]);
	EXPECT(0xfa);
	ck_assert(!pc.level[KBD_GSI]);
	type("a");
	EXPECT(0x1e, 0x9e);
	ck_assert_uint_eq(pc.resets, 0);
}
END_TEST

START_TEST(each_byte_is_an_edge)
{
	unsigned before = pc.irqs;

	type("a");
	ck_assert(pc.level[KBD_GSI]);
	ck_assert_uint_eq(pc.irqs - before, 1);
	ck_assert_uint_eq(inb(&pc, 0x60), 0x1e);
	/* Down and up. */
	ck_assert(pc.level[KBD_GSI]);
	ck_assert_uint_eq(pc.irqs - before, 3);
	inb(&pc, 0x64);
	ck_assert_uint_eq(pc.irqs - before, 3);
	ck_assert_uint_eq(inb(&pc, 0x60), 0x9e);
	ck_assert(!pc.level[KBD_GSI]);
	ck_assert_uint_eq(pc.irqs - before, 4);
	/* Only if it is enabled, and as soon as it is. */
	set_cb(0x44);
	type("b");
	ck_assert(!pc.level[KBD_GSI]);
	set_cb(0x45);
	ck_assert(pc.level[KBD_GSI]);
	bus_reset(pc.bus);
	ck_assert(!pc.level[KBD_GSI]);
	expect_nothing();
}
END_TEST

/* A20 routines switch the keyboard off, ask, and switch it on: no interrupt, and no key is lost. */
START_TEST(switched_off_keyboard_waits)
{
	command(0xad);
	type("a");
	expect_nothing();
	command(0xd0);
	ck_assert(!pc.level[KBD_GSI]);
	EXPECT(0xcf);
	command(0xae);
	ck_assert(pc.level[KBD_GSI]);
	EXPECT(0x1e, 0x9e);
	/* A command for it switches it on. */
	command(0xad);
	outb(&pc, 0x60, 0xee);
	EXPECT(0xee);
	command(0x20);
	EXPECT(0x45);
}
END_TEST

START_TEST(answers_go_before_keys)
{
	type("ab");
	command(0xd0);
	/* What is in the buffer already stays there. */
	EXPECT(0x1e, 0xcf, 0x9e, 0x30, 0xb0);
	type("ab");
	outb(&pc, 0x60, 0xee);
	EXPECT(0x1e, 0xee, 0x9e, 0x30, 0xb0);
	/* Nobody read: the last answer is there. */
	command(0xab);
	command(0xaa);
	command(0x20);
	EXPECT(0x00, 0x45);
}
END_TEST

/* What was there before leaves no trace in the state. */
START_TEST(equal_states_save_equal)
{
	struct dev_buf a = { 0 }, b = { 0 };

	type("a");
	outb(&pc, 0x60, 0xee);
	EXPECT(0x1e, 0xee, 0x9e);
	fake_pc_save(&pc, &a);
	type("bcda");
	outb(&pc, 0x60, 0xf2);
	outb(&pc, 0x60, 0xee);
	EXPECT(0x30, 0xfa, 0xab, 0x41, 0xee, 0xb0, 0x2e, 0xae, 0x20, 0xa0, 0x1e, 0x9e);
	fake_pc_save(&pc, &b);
	ck_assert_mem_eq(a.data, b.data, a.len);
	type("xyza");
	outb(&pc, 0x60, 0xf4);
	EXPECT(0x2d, 0xfa);
	type("a");
	EXPECT(0x1e, 0x9e);
	fake_pc_save(&pc, &b);
	ck_assert_mem_eq(a.data, b.data, a.len);
	free(a.data);
	free(b.data);
}
END_TEST

/* Linux looks for the auxiliary port by loopback and its test, and gives up at the first timeout. */
START_TEST(auxiliary_port_is_unconnected)
{
	set_cb(0x47);
	command(0xd3);
	outb(&pc, 0x60, 0x5a);
	ck_assert_uint_eq(inb(&pc, 0x64) & 0x61, 0x21);
	ck_assert(pc.level[AUX_GSI] && !pc.level[KBD_GSI]);
	EXPECT(0x5a);
	ck_assert(!pc.level[AUX_GSI]);
	command(0xa7);
	command(0xd4);
	outb(&pc, 0x60, 0xf2);
	ck_assert_uint_eq(inb(&pc, 0x64) & 0x61, 0x61);
	ck_assert(pc.level[AUX_GSI]);
	fake_pc_round_trip(&pc);
	ck_assert(pc.level[AUX_GSI]);
	EXPECT(0xfe);
	ck_assert_uint_eq(inb(&pc, 0x64) & 0x60, 0);
	command(0x20);
	EXPECT(0x47);
	set_cb(0x45);
	command(0xd4);
	outb(&pc, 0x60, 0xf2);
	ck_assert(!pc.level[AUX_GSI]);
	EXPECT(0xfe);
	/* As if from the keyboard. */
	command(0xd2);
	outb(&pc, 0x60, 0xab);
	ck_assert(pc.level[KBD_GSI]);
	ck_assert_uint_eq(inb(&pc, 0x64) & 0x61, 0x01);
	EXPECT(0xab);
}
END_TEST

START_TEST(without_keyboard)
{
	ck_assert_uint_eq(inb(&pc, 0x64), 0x14);
	command(0x20);
	EXPECT(0x04);
	outb(&pc, 0x60, 0xff);
	ck_assert_uint_eq(inb(&pc, 0x64) & 0x61, 0x41);
	EXPECT(0xfe);
	command(0xd4);
	outb(&pc, 0x60, 0xff);
	ck_assert_uint_eq(inb(&pc, 0x64) & 0x61, 0x61);
	EXPECT(0xfe);
	ck_assert_uint_eq(pc.irqs, 0);
	fake_pc_round_trip(&pc);
}
END_TEST

START_TEST(words_at_0x60_and_0xcf8)
{
	/* The other byte of a word is for nobody else. */
	command(0xaa);
	ck_assert_uint_eq(pc_in(&pc, 0x60, 2), 0xff55);
	outb(&pc, 0xcf9, 0x02);
	pc_out(&pc, 0xcf8, 4, 0x80000600);
	ck_assert_uint_eq(pc.resets, 0);
	outb(&pc, 0xcf9, 0x06);
	ck_assert_uint_eq(pc.resets, 1);
	ck_assert_str_eq(pc.reset_by, "port 0xcf9");
}
END_TEST

START_TEST(resets_and_a20)
{
	command(0xfe);
	ck_assert_uint_eq(pc.resets, 1);
	ck_assert_str_eq(pc.reset_by, "the keyboard controller");
	command(0xff);
	ck_assert_uint_eq(pc.resets, 1);
	command(0xd1);
	outb(&pc, 0x60, 0xdd);
	ck_assert_uint_eq(inb(&pc, 0x92), 0);
	command(0xd1);
	outb(&pc, 0x60, 0xdf);
	ck_assert_uint_eq(inb(&pc, 0x92), 2);
	command(0xd1);
	outb(&pc, 0x60, 0xde);
	ck_assert_uint_eq(pc.resets, 2);
	outb(&pc, 0x92, 1);
	ck_assert_uint_eq(pc.resets, 3);
	command(0xd0);
	EXPECT(0xdd);
}
END_TEST

/* Each state in between is complete: break codes, translation, replies and keys. */
START_TEST(state_is_whole)
{
	static const uint8_t want[] = { 0xfa, 0xab, 0x41, 0x2a, 0x1e, 0x9e, 0xaa, 0xe0, 0x48, 0xe0, 0xc8 };
	size_t i;

	command(0xad);
	type("A<up>");
	command(0xae);
	ck_assert_uint_eq(inb(&pc, 0x60), want[3]);
	outb(&pc, 0x60, 0xf2);
	/* The make of the letter had moved into the buffer already. */
	ck_assert_uint_eq(get(), want[4]);
	for (i = 0; i < 3; i++) {
		fake_pc_round_trip(&pc);
		ck_assert_uint_eq(get(), want[i]);
	}
	for (i = 5; i < COUNT(want); i++) {
		fake_pc_round_trip(&pc);
		ck_assert(pc.level[KBD_GSI]);
		ck_assert_uint_eq(get(), want[i]);
	}
	expect_nothing();
}
END_TEST

/* Where the state of the only device begins in a bus_save() buffer. */
#define STATE (1 + 5 + 4)
#define KBD_STATE (STATE + 14)

static const struct {
	unsigned at;
	uint8_t value;
} bad_states[] = {
	{ STATE + 0, 2 }, { STATE + 1, 0x02 }, { STATE + 2, 0x01 }, { STATE + 4, 0x01 }, { STATE + 4, 0x02 },
	{ STATE + 5, 0xd0 }, { STATE + 7, 2 }, { STATE + 8, 2 }, { STATE + 9, 0x01 }, { STATE + 11, 0x10 },
	{ STATE + 12, 1 }, { STATE + 13, 2 }, { KBD_STATE, 0 }, { KBD_STATE, 3 }, { KBD_STATE + 3, 2 },
	{ KBD_STATE + 4, 0xf4 }, { KBD_STATE + 4, 0x01 }, { KBD_STATE + 6, 17 }, { KBD_STATE + 7 + 16 + 1, 0x11 },
	{ KBD_STATE + 7, 1 }, { KBD_STATE + 7 + 16 + 2 + I8042_KEYS_MAX - 1, 1 },
};

START_TEST(load_refuses_nonsense)
{
	struct dev_buf buf = { 0 }, before = { 0 }, after = { 0 };
	struct err err = { 0 };

	fake_pc_save(&pc, &buf);
	type("abc");
	fake_pc_save(&pc, &before);
	buf.data[bad_states[_i].at] = bad_states[_i].value;
	ck_assert_int_eq(bus_load(pc.bus, &buf, &err), -EINVAL);
	ck_assert_msg(strncmp(err.msg, "i8042: its saved ", 17) == 0, "%s", err.msg);
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
	(void)text;
	shown++;
	ck_assert_uint_gt(strlen(name), 0);
	ck_assert_uint_eq(value >> bits, 0);
	if (strcmp(name, "command_byte") == 0)
		ck_assert_str_eq(text, "keyboard on with IRQ 1, auxiliary port on, translated to set 1");
	if (strcmp(name, "keyboard_keys") == 0)
		ck_assert_uint_eq(value, 5);
	if (strcmp(name, "keyboard_leds") == 0)
		ck_assert_uint_eq(value, 3);
	if (strcmp(name, "keyboard_rate") == 0)
		ck_assert_uint_eq(value, 0x20);
}

START_TEST(shows_its_registers)
{
	struct dev_buf a = { 0 }, b = { 0 };
	const struct dev_show s = { .reg = note_reg };

	outb(&pc, 0x60, 0xed);
	outb(&pc, 0x60, 0x03);
	outb(&pc, 0x60, 0xf3);
	outb(&pc, 0x60, 0x20);
	EXPECT(0xfa, 0xfa, 0xfa, 0xfa);
	type("ab");
	fake_pc_save(&pc, &a);
	shown = 0;
	kbd->ops->show(kbd, &s);
	ck_assert_uint_eq(shown, 16);
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

/* Whatever a guest does: no crash, no line set twice (fake_pc looks), and at any point the state is complete. */
START_TEST(random_accesses)
{
	static const uint16_t ports[] = { 0x60, 0x60, 0x60, 0x64, 0x64, 0x92, 0xcf9 };
	static const char *const keys[] = { "a", "Q<ctrl-alt-del>", "<up>", "hello world\n" };
	uint64_t seed = 0x9e3779b97f4a7c15ull + (uint64_t)_i;
	unsigned n, typed = 0;
	uint16_t port;
	uint32_t r;

	for (n = 0; n < 100000; n++) {
		r = rand32(&seed);
		port = ports[(r >> 8) % COUNT(ports)];
		if (r % 32 == 0)
			typed += i8042_type(pc.bus, kbd, keys[(r >> 8) % 4], strlen(keys[(r >> 8) % 4]), NULL) == 0;
		else if (r % 2)
			outb(&pc, port, r & 4 ? (uint8_t)(r >> 16) : (uint8_t)(0xd0 + (r >> 16) % 48));
		else
			inb(&pc, port);
		if (r % 256 == 4)
			fake_pc_round_trip(&pc);
	}
	ck_assert_uint_gt(typed, 100);
}
END_TEST

/* Random bytes as a state are refused or make a device that saves and loads, and can be read to its end. */
START_TEST(random_states)
{
	uint64_t seed = 0xd1b54a32d192ed03ull;
	struct dev_buf good = { 0 }, cut;
	unsigned n, k, loaded = 0;
	uint8_t *copy;

	type("something");
	fake_pc_save(&pc, &good);
	copy = malloc(good.len);
	for (n = 0; n < 20000; n++) {
		memcpy(copy, good.data, good.len);
		for (k = rand32(&seed) % 4; k; k--)
			copy[rand32(&seed) % (rand32(&seed) % 8 ? STATE + 64 : good.len)] = (uint8_t)rand32(&seed);
		cut = good;
		cut.data = copy;
		if (rand32(&seed) % 4 == 0)
			cut.len = rand32(&seed) % good.len;
		if (bus_load(pc.bus, &cut, NULL) < 0)
			continue;
		loaded++;
		fake_pc_round_trip(&pc);
		if (n % 16)
			continue;
		command(0xae);
		for (k = 0; k < 2 * I8042_KEYS_MAX && (inb(&pc, 0x64) & 1); k++)
			inb(&pc, 0x60);
		expect_nothing();
	}
	ck_assert_uint_gt(loaded, 1000);
	free(copy);
	free(good.data);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("i8042");
	TCase *t = tcase_create("i8042"), *none = tcase_create("resetctl"), *f = tcase_create("random");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, starts_as_firmware_leaves_it);
	tcase_add_test(t, controller_answers);
	tcase_add_test(t, command_byte_switches);
	tcase_add_test(t, firmware_sets_it_up);
	tcase_add_test(t, each_byte_is_an_edge);
	tcase_add_test(t, switched_off_keyboard_waits);
	tcase_add_test(t, answers_go_before_keys);
	tcase_add_test(t, equal_states_save_equal);
	tcase_add_test(t, auxiliary_port_is_unconnected);
	tcase_add_test(t, words_at_0x60_and_0xcf8);
	tcase_add_test(t, resets_and_a20);
	tcase_add_test(t, state_is_whole);
	tcase_add_loop_test(t, load_refuses_nonsense, 0, COUNT(bad_states));
	tcase_add_test(t, shows_its_registers);
	suite_add_tcase(s, t);

	tcase_add_checked_fixture(none, setup_without, teardown);
	tcase_add_test(none, without_keyboard);
	suite_add_tcase(s, none);

	tcase_set_timeout(f, 60);
	tcase_add_checked_fixture(f, setup, teardown);
	tcase_add_loop_test(f, random_accesses, 0, 2);
	tcase_add_test(f, random_states);
	suite_add_tcase(s, f);
	return unit_main(s);
}
