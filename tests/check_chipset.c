/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/chipset_rig.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"

#define NS 1000000000ull

static struct chipset_rig rig;

static void setup(void)
{
	rig_init(&rig);
}

static void teardown(void)
{
	rig_done(&rig);
}

/* What each register is after a reset, and when ones and then zeros were written. */
static const struct {
	unsigned function, offset;
	uint32_t reset, ones, zeros;
} config[] = {
	{ HOST_BRIDGE, 0x00, 0x12378086, 0x12378086, 0x12378086 },
	{ HOST_BRIDGE, 0x04, 0x02800006, 0x02800146, 0x02800006 },
	{ HOST_BRIDGE, 0x08, 0x06000002, 0x06000002, 0x06000002 },
	{ HOST_BRIDGE, 0x0c, 0x00000000, 0x0000f8ff, 0x00000000 },
	{ HOST_BRIDGE, 0x10, 0x00000000, 0x00000000, 0x00000000 },
	{ HOST_BRIDGE, 0x2c, 0x11001af4, 0x11001af4, 0x11001af4 },
	{ HOST_BRIDGE, 0x3c, 0x00000000, 0x000000ff, 0x00000000 },
	{ HOST_BRIDGE, 0x50, 0x80000000, 0xffffffff, 0x00000000 },
	{ HOST_BRIDGE, 0x58, 0x00000010, 0x333330ff, 0x00000000 },
	{ HOST_BRIDGE, 0x5c, 0x00000000, 0x33333333, 0x00000000 },
	{ HOST_BRIDGE, 0x60, 0x01010101, 0xffffffff, 0x00000000 },
	{ HOST_BRIDGE, 0x70, 0x00021000, 0x003affff, 0x00120000 },      /* SMRAM locks itself */
	{ HOST_BRIDGE, 0x90, 0x00000000, 0x000000ff, 0x00000000 },
	{ HOST_BRIDGE, 0xf8, 0x00000000, 0x00000000, 0x00000000 },
	{ ISA_BRIDGE, 0x00, 0x70008086, 0x70008086, 0x70008086 },
	{ ISA_BRIDGE, 0x04, 0x02000007, 0x0200010f, 0x02000007 },
	{ ISA_BRIDGE, 0x08, 0x06010000, 0x06010000, 0x06010000 },
	{ ISA_BRIDGE, 0x0c, 0x00800000, 0x0080f8ff, 0x00800000 },
	{ ISA_BRIDGE, 0x4c, 0x0003004d, 0xffff00ff, 0x00000000 },
	{ ISA_BRIDGE, 0x60, 0x80808080, 0x8f8f8f8f, 0x00000000 },
	{ ISA_BRIDGE, 0x68, 0x00000200, 0x0000fe00, 0x00000000 },
	{ ISA_BRIDGE, 0x70, 0x00000080, 0x000000ef, 0x00000000 },
	{ ISA_BRIDGE, 0x74, 0x0c0c0000, 0x8f8f0000, 0x00000000 },
	{ ISA_BRIDGE, 0x78, 0x00000002, 0x0000ffff, 0x00000000 },
	{ ISA_BRIDGE, 0xa0, 0x00000008, 0xffff001f, 0x00000000 },
	{ ISA_BRIDGE, 0xa8, 0x0000000f, 0x000000ff, 0x00000000 },
	{ PM, 0x00, 0x71138086, 0x71138086, 0x71138086 },
	{ PM, 0x04, 0x02800000, 0x02800001, 0x02800000 },
	{ PM, 0x08, 0x06800003, 0x06800003, 0x06800003 },
	{ PM, 0x3c, 0x00000100, 0x000001ff, 0x00000100 },
	{ PM, 0x40, 0x00000001, 0x0000ffc1, 0x00000001 },
	{ PM, 0x58, 0x02000000, 0xffffffff, 0x00000000 },
	{ PM, 0x64, 0x08000000, 0xffffffff, 0x00000000 },
	{ PM, 0x80, 0x00000000, 0x00000001, 0x00000000 },
	{ PM, 0x90, 0x00000001, 0x0000fff1, 0x00000001 },
	{ PM, 0xd0, 0x00000000, 0x000f0000, 0x00000000 },
};

START_TEST(configuration_registers)
{
	unsigned f = config[_i].function, offset = config[_i].offset;

	ck_assert_uint_eq(rig_get(&rig, f, offset, 4), config[_i].reset);
	rig_put(&rig, f, offset, 4, 0xffffffff);
	ck_assert_uint_eq(rig_get(&rig, f, offset, 4), config[_i].ones);
	fake_pc_round_trip(&rig.pc);
	ck_assert_uint_eq(rig_get(&rig, f, offset, 4), config[_i].ones);
	rig_put(&rig, f, offset, 4, 0);
	ck_assert_uint_eq(rig_get(&rig, f, offset, 4), config[_i].zeros);
	bus_reset(rig.pc.bus);
	ck_assert_uint_eq(rig_get(&rig, f, offset, 4), config[_i].reset);
}
END_TEST

START_TEST(attaching_twice_fails)
{
	struct pci_function *again = NULL;
	struct err err = { 0 };

	ck_assert_int_eq(i440fx_attach(rig.pci, &again, &err), -EEXIST);
	ck_assert_ptr_null(again);
	ck_assert_int_eq(piix3_attach(rig.pci, &err), -EEXIST);
	ck_assert_int_eq(piix4_pm_attach(rig.pci, &err), -EEXIST);
	ck_assert_str_eq(err.msg, "piix4_pm: port 0xb2 belongs to piix4_pm");
}
END_TEST

/* Which register and which four bits of it are each segment's. */
static const struct {
	unsigned reg, shift;
	uint32_t gpa, size;
} pam[PAM_SEGMENTS] = {
	{ 0x5a, 0, 0xc0000, 0x4000 }, { 0x5a, 4, 0xc4000, 0x4000 }, { 0x5b, 0, 0xc8000, 0x4000 },
	{ 0x5b, 4, 0xcc000, 0x4000 }, { 0x5c, 0, 0xd0000, 0x4000 }, { 0x5c, 4, 0xd4000, 0x4000 },
	{ 0x5d, 0, 0xd8000, 0x4000 }, { 0x5d, 4, 0xdc000, 0x4000 }, { 0x5e, 0, 0xe0000, 0x4000 },
	{ 0x5e, 4, 0xe4000, 0x4000 }, { 0x5f, 0, 0xe8000, 0x4000 }, { 0x5f, 4, 0xec000, 0x4000 },
	{ 0x59, 4, 0xf0000, 0x10000 },
};

START_TEST(pam_registers_say_what_is_where)
{
	struct pam_segment s;
	unsigned i, bits;

	for (bits = 1; bits <= 3; bits++) {
		rig_put(&rig, HOST_BRIDGE, pam[_i].reg, 1, bits << pam[_i].shift);
		ck_assert_uint_eq(rig.pc.remaps, bits);
		for (i = 0; i < PAM_SEGMENTS; i++) {
			s = i440fx_pam(rig.bridge, i);
			ck_assert_uint_eq(s.gpa, pam[i].gpa);
			ck_assert_uint_eq(s.size, pam[i].size);
			ck_assert(s.read_ram == ((int)i == _i && (bits & 1)));
			ck_assert(s.write_ram == ((int)i == _i && (bits & 2)));
		}
	}
	/* The same again is no change. */
	rig_put(&rig, HOST_BRIDGE, pam[_i].reg, 1, 3 << pam[_i].shift);
	rig_put(&rig, HOST_BRIDGE, 0x58, 1, 0xff);
	rig_put(&rig, HOST_BRIDGE, 0x60, 4, 0);
	rig_put(&rig, HOST_BRIDGE, pam[_i].reg, 1, 0xcc | 3 << pam[_i].shift);
	ck_assert_uint_eq(rig.pc.remaps, 3);
	bus_reset(rig.pc.bus);
	ck_assert_uint_eq(rig.pc.remaps, 4);
	s = i440fx_pam(rig.bridge, (unsigned)_i);
	ck_assert(!s.read_ram && !s.write_ram);
	bus_reset(rig.pc.bus);
	ck_assert_uint_eq(rig.pc.remaps, 4);
}
END_TEST

START_TEST(pam_registers_are_written_together_and_loaded)
{
	struct dev_buf buf = { 0 };
	unsigned i;

	rig_put(&rig, HOST_BRIDGE, 0x58, 4, 0x33333010);
	ck_assert_uint_eq(rig.pc.remaps, 1);
	rig_put(&rig, HOST_BRIDGE, 0x5c, 4, 0x33333333);
	ck_assert_uint_eq(rig.pc.remaps, 2);
	for (i = 0; i < PAM_SEGMENTS; i++)
		ck_assert(i440fx_pam(rig.bridge, i).read_ram && i440fx_pam(rig.bridge, i).write_ram);
	fake_pc_save(&rig.pc, &buf);
	ck_assert_int_eq(bus_load(rig.pc.bus, &buf, NULL), 0);
	ck_assert_uint_eq(rig.pc.remaps, 2);
	rig_put(&rig, HOST_BRIDGE, 0x59, 1, 0x10);
	buf.pos = 0;
	ck_assert_int_eq(bus_load(rig.pc.bus, &buf, NULL), 0);
	ck_assert_uint_eq(rig.pc.remaps, 4);
	ck_assert(i440fx_pam(rig.bridge, 12).write_ram);
	free(buf.data);
}
END_TEST

START_TEST(smram_locks)
{
	struct dev_buf open = { 0 };

	ck_assert_uint_eq(rig_get(&rig, HOST_BRIDGE, 0x72, 1), 0x02);
	rig_put(&rig, HOST_BRIDGE, 0x72, 1, 0x48);
	ck_assert_uint_eq(rig_get(&rig, HOST_BRIDGE, 0x72, 1), 0x4a);
	fake_pc_save(&rig.pc, &open);
	/* The lock closes it, and only a reset opens it again. */
	rig_put(&rig, HOST_BRIDGE, 0x72, 1, 0x58);
	ck_assert_uint_eq(rig_get(&rig, HOST_BRIDGE, 0x72, 1), 0x1a);
	rig_put(&rig, HOST_BRIDGE, 0x70, 4, 0x00480000);
	ck_assert_uint_eq(rig_get(&rig, HOST_BRIDGE, 0x72, 1), 0x1a);
	fake_pc_round_trip(&rig.pc);
	rig_put(&rig, HOST_BRIDGE, 0x72, 1, 0x40);
	ck_assert_uint_eq(rig_get(&rig, HOST_BRIDGE, 0x72, 1), 0x12);
	/* A state from before the lock is as it was. */
	ck_assert_int_eq(bus_load(rig.pc.bus, &open, NULL), 0);
	ck_assert_uint_eq(rig_get(&rig, HOST_BRIDGE, 0x72, 1), 0x4a);
	rig_put(&rig, HOST_BRIDGE, 0x72, 1, 0x10);
	bus_reset(rig.pc.bus);
	rig_put(&rig, HOST_BRIDGE, 0x72, 1, 0x40);
	ck_assert_uint_eq(rig_get(&rig, HOST_BRIDGE, 0x72, 1), 0x42);
	rig_put(&rig, HOST_BRIDGE, 0x72, 1, 0x00);
	ck_assert_uint_eq(rig_get(&rig, HOST_BRIDGE, 0x72, 1), 0x02);
	ck_assert_uint_eq(rig.pc.remaps, 0);
	free(open.data);
}
END_TEST

START_TEST(pirqs_are_routed)
{
	struct pci_function *f = _i == 2 ? rig.card : rig_add_card(&rig, (unsigned)_i + 5);
	unsigned value, want;

	ck_assert_uint_eq(rig_lines(&rig), 0);
	pci_set_intx(f, true);
	ck_assert_uint_eq(rig_lines(&rig), 0);
	for (value = 0; value < 256; value++) {
		rig_put(&rig, ISA_BRIDGE, 0x60 + (unsigned)_i, 1, value);
		want = value & 0x80 ? 0 : 1u << (value & 15) & 0xdef8;
		ck_assert_msg(rig_lines(&rig) == want, "0x%x: lines 0x%x", value, rig_lines(&rig));
	}
	rig_put(&rig, ISA_BRIDGE, 0x60 + (unsigned)_i, 1, 11);
	pci_set_intx(f, false);
	ck_assert_uint_eq(rig_lines(&rig), 0);
	pci_set_intx(f, true);
	ck_assert_uint_eq(rig_lines(&rig), 1 << 11);
	bus_reset(rig.pc.bus);
	ck_assert_uint_eq(rig_lines(&rig), 0);
}
END_TEST

START_TEST(routed_lines_are_shared)
{
	struct pci_function *second = rig_add_card(&rig, 4);      /* PIRQD */

	rig_put(&rig, ISA_BRIDGE, 0x60, 4, 0x0b0b8080);
	pci_set_intx(rig.card, true);
	pci_set_intx(second, true);
	pci_set_intx(rig.card, false);
	ck_assert_uint_eq(rig_lines(&rig), 1 << 11);
	ck_assert_uint_eq(rig.pc.irqs, 1);
	rig_put(&rig, ISA_BRIDGE, 0x63, 1, 0x80);
	ck_assert_uint_eq(rig_lines(&rig), 0);
	/* Also with the SCI. */
	rig_enable_pm(&rig);
	rig_put(&rig, ISA_BRIDGE, 0x63, 1, SCI);
	ck_assert_uint_eq(rig_lines(&rig), 1 << SCI);
	outb(&rig.pc, 0xb2, 0xf1);
	pc_out(&rig.pc, RIG_PMBASE + 2, 2, 1);
	fake_pc_run_to(&rig.pc, 3 * NS);
	pci_set_intx(second, false);
	ck_assert_uint_eq(rig_lines(&rig), 1 << SCI);
	pc_out(&rig.pc, RIG_PMBASE, 2, 1);
	ck_assert_uint_eq(rig_lines(&rig), 0);
}
END_TEST

START_TEST(levels_come_back)
{
	struct dev_buf buf = { 0 };

	rig_put(&rig, ISA_BRIDGE, 0x60, 4, 0x0a0b8080);
	pci_set_intx(rig.card, true);
	fake_pc_round_trip(&rig.pc);
	ck_assert_uint_eq(rig_lines(&rig), 1 << 11);
	fake_pc_save(&rig.pc, &buf);
	rig_put(&rig, ISA_BRIDGE, 0x60, 4, 0x0b058080);
	ck_assert_uint_eq(rig_lines(&rig), 1 << 5);
	ck_assert_int_eq(bus_load(rig.pc.bus, &buf, NULL), 0);
	ck_assert_uint_eq(rig_lines(&rig), 1 << 11);
	pci_set_intx(rig.card, false);
	ck_assert_uint_eq(rig_lines(&rig), 0);
	free(buf.data);
}
END_TEST

static const struct {
	const char *name;
	unsigned at;
	uint8_t value;
} bad[] = {
	{ "i440fx", 0x00, 0 }, { "i440fx", 0x02, 0x36 }, { "i440fx", 0x04, 0x07 }, { "i440fx", 0x59, 0x01 },
	{ "i440fx", 0x5a, 0x04 }, { "i440fx", 0x72, 0x03 }, { "i440fx", 0x72, 0x52 }, { "i440fx", 0x91, 1 },
	{ "i440fx", 0x100, 1 },
	{ "piix3", 0x0e, 0 }, { "piix3", 0x60, 0x70 }, { "piix3", 0x40, 1 }, { "piix3", 0x100, 1 },
	{ "card", 0x00, 0 }, { "card", 0x100, 2 },
};

START_TEST(nonsense_changes_nothing)
{
	struct dev_buf state = { 0 };
	unsigned remaps;

	fake_pc_save(&rig.pc, &state);
	rig_put(&rig, HOST_BRIDGE, 0x58, 4, 0x33333010);
	rig_put(&rig, ISA_BRIDGE, 0x60, 4, 0x0b0b0a0a);
	pci_set_intx(rig.card, true);
	remaps = rig.pc.remaps;
	rig_refuses(&rig, &state, bad[_i].name, bad[_i].at, bad[_i].value);
	ck_assert_uint_eq(rig_lines(&rig), 1 << 11);
	ck_assert(i440fx_pam(rig.bridge, 0).read_ram);
	/* When others had been loaded by then, the host has heard of both ways. */
	ck_assert_uint_eq(rig.pc.remaps - remaps, strcmp(bad[_i].name, "i440fx") ? 2 : 0);
	free(state.data);
}
END_TEST

START_TEST(truncated_states_are_refused)
{
	struct dev_buf buf = { 0 }, cut;
	struct err err;
	size_t i;

	fake_pc_save(&rig.pc, &buf);
	for (i = 0; i < buf.len; i++) {
		cut = buf;
		cut.len = i;
		err.msg[0] = '\0';
		ck_assert_int_eq(bus_load(rig.pc.bus, &cut, &err), -EINVAL);
		ck_assert(err.msg[0]);
	}
	free(buf.data);
}
END_TEST

/* Some port: of configuration, of a window wherever it was put, of a fixed range, or any. */
static uint16_t random_port(uint64_t *seed)
{
	uint32_t r = rig_random(seed);

	switch (r >> 8 & 7) {
	case 0: case 1:
		return (uint16_t)(0xcf8 + (r >> 16) % 8);
	case 2:
		return (uint16_t)((rig_get(&rig, PM, 0x40, 2) & 0xffc0) + (r >> 16) % 0x44);
	case 3:
		return (uint16_t)((rig_get(&rig, PM, 0x90, 2) & 0xfff0) + (r >> 16) % 0x14);
	case 4:
		return (uint16_t)(0xb1 + (r >> 16) % 4);
	case 5:
		return (uint16_t)(0xafdf + (r >> 16) % 6);
	}
	return (uint16_t)(r >> 16);
}

/* Whatever a guest does, all of it can be saved and comes back, with its lines and its timer. */
START_TEST(hostile_guest)
{
	static const unsigned function[] = { HOST_BRIDGE, ISA_BRIDGE, PM, CARD };
	uint64_t seed = 0x9e3779b97f4a7c15ull + (uint64_t)_i, deadline;
	struct dev_buf a = { 0 }, b = { 0 };
	unsigned before;
	uint32_t r;
	int n;

	for (n = 0; n < 150000; n++) {
		r = rig_random(&seed);
		if (r % 8 == 0)
			fake_pc_run_to(&rig.pc, rig.pc.clock + (r >> 4));
		else if (r % 8 == 1)
			pci_set_intx(rig.card, r & 64);
		else if (r % 512 == 2)
			bus_reset(rig.pc.bus);
		else if (r % 512 == 4)
			rig_enable_pm(&rig);
		else if (r % 2)
			rig_put(&rig, function[r >> 8 & 3], r >> 16 & 0xff, 1u << (r >> 24) % 3, rig_random(&seed));
		else if (r & 64)
			pc_out(&rig.pc, random_port(&seed), 1u << (r >> 8) % 3, rig_random(&seed));
		else
			pc_in(&rig.pc, random_port(&seed), 1u << (r >> 8) % 3);
		if (r % 256 != 3)
			continue;
		fake_pc_save(&rig.pc, &a);
		before = rig_lines(&rig);
		deadline = rig.pc.deadline;
		bus_reset(rig.pc.bus);
		pc_out(&rig.pc, random_port(&seed), 4, rig_random(&seed));
		ck_assert_int_eq(bus_load(rig.pc.bus, &a, NULL), 0);
		fake_pc_save(&rig.pc, &b);
		ck_assert_uint_eq(a.len, b.len);
		ck_assert_mem_eq(a.data, b.data, a.len);
		ck_assert_uint_eq(rig_lines(&rig), before);
		ck_assert(rig.pc.deadline == deadline);
	}
	ck_assert_uint_gt(rig.pc.remaps, 100);
	ck_assert_uint_gt(rig.pc.irqs, 100);
	ck_assert_uint_gt(rig.pc.power_offs, 0);
	free(a.data);
	free(b.data);
}
END_TEST

/* Random bytes as a state are refused or make devices that save and load. */
START_TEST(hostile_states)
{
	uint64_t seed = 0xd1b54a32d192ed03ull;
	struct dev_buf good = { 0 }, cut;
	unsigned n, k, changed, loaded = 0;
	uint8_t *copy;

	rig_enable_pm(&rig);
	fake_pc_save(&rig.pc, &good);
	copy = malloc(good.len);
	ck_assert_ptr_nonnull(copy);
	for (n = 0; n < 20000; n++) {
		memcpy(copy, good.data, good.len);
		changed = rig_random(&seed) % 4;
		for (k = 0; k < changed; k++)
			copy[rig_random(&seed) % good.len] = (uint8_t)rig_random(&seed);
		cut = good;
		cut.data = copy;
		if (rig_random(&seed) % 4 == 0)
			cut.len = rig_random(&seed) % good.len;
		if (bus_load(rig.pc.bus, &cut, NULL) == 0)
			loaded++;
		if (n % 64 == 0) {
			fake_pc_round_trip(&rig.pc);
			fake_pc_run_to(&rig.pc, rig.pc.clock + NS);
		}
	}
	ck_assert_uint_gt(loaded, 1000);
	free(copy);
	free(good.data);
}
END_TEST

#define COUNT(a) (int)(sizeof(a) / sizeof((a)[0]))

int main(void)
{
	Suite *s = suite_create("chipset");
	TCase *t = tcase_create("chipset"), *f = tcase_create("hostile");

	tcase_set_timeout(t, 30);       /* a busy host */
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, configuration_registers, 0, COUNT(config));
	tcase_add_test(t, attaching_twice_fails);
	tcase_add_loop_test(t, pam_registers_say_what_is_where, 0, COUNT(pam));
	tcase_add_test(t, pam_registers_are_written_together_and_loaded);
	tcase_add_test(t, smram_locks);
	tcase_add_loop_test(t, pirqs_are_routed, 0, CHIPSET_PIRQS);
	tcase_add_test(t, routed_lines_are_shared);
	tcase_add_test(t, levels_come_back);
	tcase_add_loop_test(t, nonsense_changes_nothing, 0, COUNT(bad));
	tcase_add_test(t, truncated_states_are_refused);
	suite_add_tcase(s, t);

	tcase_set_timeout(f, 120);
	tcase_add_checked_fixture(f, setup, teardown);
	tcase_add_loop_test(f, hostile_guest, 0, 2);
	tcase_add_test(f, hostile_states);
	suite_add_tcase(s, f);
	return unit_main(s);
}
