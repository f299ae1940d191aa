/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Virtio devices saved and loaded in the middle of things, hostile states, and drivers that do anything anywhere. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"
#include "tests/virtio_rig.h"

enum { T_IN = 0, T_OUT = 1, T_FLUSH = 4, T_WRITE_ZEROES = 13 };

static struct virtio_rig rig;
static uint8_t file[RIG_SECTORS * 512];

static void setup(void)
{
	virtio_rig_init(&rig);
}

static void teardown(void)
{
	virtio_rig_done(&rig);
}

static uint32_t state;

/* A number below N, or 0. */
static uint32_t rnd(uint32_t n)
{
	state = state * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)(state ^ state >> 15) * n >> 32);
}

static uint8_t pattern(size_t i)
{
	return (uint8_t)(i * 7 ^ i >> 8);
}

/* --- something that is begun, saved, lost, loaded, and brought to its end --- */

static void begin_setting_up(void)
{
	vr_agree(&rig, FEATURE_1 | FEATURE_EVENT);
	vr_write(&rig, VC_OFFERED_SELECT, 4, 1);
	vr_write(&rig, VC_QUEUE, 2, 0);
	vr_write(&rig, VC_SIZE, 2, 32);
	vr_write(&rig, VC_DRIVER, 8, 0x123456789abcdef0);
}

static void end_setting_up(void)
{
	ck_assert_uint_eq(vr_status(&rig), ST_ACK | ST_DRIVER | ST_FEATURES);
	ck_assert_uint_eq(vr_read(&rig, VC_OFFERED, 4), 1);
	ck_assert_uint_eq(vr_read(&rig, VC_SIZE, 2), 32);
	ck_assert_uint_eq(vr_read(&rig, VC_DRIVER, 8), 0x123456789abcdef0);
}

static void begin_read(void)
{
	vr_start_plain(&rig);
	vr_request(&rig, 0, T_IN, 50, RIG_DATA, 600 * 512, true);
	vr_request(&rig, 3, T_IN, 7, RIG_DATA + 0x60000, 512, true);
	vr_notify(&rig, 0);
	memset(rig.pc.mem + RIG_DATA, 0, 0x80000);
}

static void end_read(void)
{
	vr_wait(&rig, 2);
	for (size_t i = 0; i < 600 * 512; i++)
		if (rig.pc.mem[RIG_DATA + i] != disk_env_byte(50 * 512 + i))
			ck_abort_msg("byte %zu is another", i);
	ck_assert_uint_eq(rig.pc.mem[VR_STATUS(0)], 0);
	ck_assert_uint_eq(rig.pc.mem[RIG_DATA + 0x60000], disk_env_byte(7 * 512));
	ck_assert_uint_eq(vr_used_head(&rig, 0, 1), 3);
}

static void begin_write(void)
{
	vr_start_plain(&rig);
	for (size_t i = 0; i < 300 * 512; i++)
		rig.pc.mem[RIG_DATA + i] = pattern(i);
	vr_request(&rig, 0, T_OUT, 9, RIG_DATA, 300 * 512, false);
	vr_notify(&rig, 0);
	/* What has been taken is not read again. */
	memset(rig.pc.mem + RIG_DATA, 0, 1000);
}

static void end_write(void)
{
	vr_wait(&rig, 1);
	ck_assert_uint_eq(rig.pc.mem[VR_STATUS(0)], 0);
	disk_env_read_file(&rig.env, 'a', 0, file, sizeof(file));
	for (size_t i = 0; i < 300 * 512; i++)
		if (file[9 * 512 + i] != pattern(i))
			ck_abort_msg("byte %zu was not written", i);
}

static void begin_zeroes(void)
{
	uint64_t sector = 20;
	uint32_t count = 400;

	vr_start_plain(&rig);
	memset(rig.pc.mem + RIG_DATA, 0, 16);
	memcpy(rig.pc.mem + RIG_DATA, &sector, 8);
	memcpy(rig.pc.mem + RIG_DATA + 8, &count, 4);
	vr_request(&rig, 0, T_WRITE_ZEROES, 0, RIG_DATA, 16, false);
	vr_notify(&rig, 0);
}

static void end_zeroes(void)
{
	vr_wait(&rig, 1);
	ck_assert_uint_eq(rig.pc.mem[VR_STATUS(0)], 0);
	disk_env_read_file(&rig.env, 'a', 0, file, sizeof(file));
	for (size_t i = 0; i < 400 * 512; i++)
		ck_assert(!file[20 * 512 + i]);
	ck_assert_uint_eq(file[420 * 512], disk_env_byte(420 * 512));
}

static void begin_flush(void)
{
	vr_start_plain(&rig);
	vr_request(&rig, 0, T_FLUSH, 0, 0, 0, false);
	vr_notify(&rig, 0);
}

static void end_flush(void)
{
	vr_wait(&rig, 1);
	ck_assert_uint_eq(rig.pc.mem[VR_STATUS(0)], 0);
	ck_assert(vr_intx(&rig));
}

/* A timer that was to go on is made again. */
static void begin_batch(void)
{
	virtio_rig_select(&rig, VIRTIO_SLOT_RNG);
	vr_start(&rig, FEATURE_1, 1, 256);
	for (uint16_t i = 0; i < 100; i++) {
		vr_desc(&rig, 0, i, RIG_DATA, 8, D_WRITE, 0);
		vr_offer(&rig, 0, i);
	}
	vr_notify(&rig, 0);
	ck_assert_uint_eq(vr_used_idx(&rig, 0), 64);
}

static void end_batch(void)
{
	ck_assert(vr_intx(&rig));
	fake_pc_run_to(&rig.pc, rig.pc.clock);
	ck_assert_uint_eq(vr_used_idx(&rig, 0), 100);
}

static void begin_console(void)
{
	size_t taken;

	virtio_rig_select(&rig, VIRTIO_SLOT_CONSOLE);
	vr_start_plain(&rig);
	vr_desc(&rig, 0, 0, RIG_DATA, 3, D_WRITE, 0);
	vr_offer(&rig, 0, 0);
	vr_notify(&rig, 0);
	ck_assert(virtio_console_input(rig.pc.bus, rig.console, (const uint8_t *)"input", 5, &taken));
	memcpy(rig.pc.mem + RIG_DATA + 256, "output", 6);
	vr_desc(&rig, 1, 0, RIG_DATA + 256, 6, 0, 0);
	vr_offer(&rig, 1, 0);
	rig.pc.room = 2;
	vr_config_write(&rig, 4, 2, 2);
	vr_notify(&rig, 1);
	vr_config_write(&rig, 4, 2, 6);
	ck_assert_uint_eq(rig.pc.output_len, 2);
	vr_offer(&rig, 0, 0);
	rig.pc.room = SIZE_MAX;
}

static void end_console(void)
{
	bus_poll(rig.pc.bus);
	ck_assert_uint_eq(rig.pc.output_len, 4);
	ck_assert_mem_eq(rig.pc.output, "tput", 4);
	ck_assert_uint_eq(vr_used_idx(&rig, 0), 2);
	ck_assert_uint_eq(vr_used_len(&rig, 0, 1), 2);
	ck_assert_mem_eq(rig.pc.mem + RIG_DATA, "ut", 2);
}

static void begin_trouble(void)
{
	vr_start_plain(&rig);
	vr_notify(&rig, 9);
}

static void end_trouble(void)
{
	ck_assert(vr_status(&rig) & ST_NEEDS_RESET);
	ck_assert_uint_eq(vr_isr(&rig), 2);
	/* It is told of once. */
	ck_assert_uint_eq(rig.pc.troubles, 1);
}

static const struct {
	void (*begin)(void);
	void (*end)(void);
} situations[] = {
	{ begin_setting_up, end_setting_up }, { begin_read, end_read }, { begin_write, end_write },
	{ begin_zeroes, end_zeroes }, { begin_flush, end_flush }, { begin_batch, end_batch },
	{ begin_console, end_console }, { begin_trouble, end_trouble },
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

START_TEST(saved_and_loaded)
{
	struct dev_buf b = { 0 }, again = { 0 };
	uint8_t *mem = malloc(FAKE_PC_MEM);
	struct err err = { 0 };

	situations[_i].begin();
	fake_pc_save(&rig.pc, &b);
	memcpy(mem, rig.pc.mem, FAKE_PC_MEM);
	vr_settle(&rig);
	bus_reset(rig.pc.bus);
	memcpy(rig.pc.mem, mem, FAKE_PC_MEM);
	rig.pc.output_len = 0;
	ck_assert_msg(bus_load(rig.pc.bus, &b, &err) == 0, "%s", err.msg);
	fake_pc_save(&rig.pc, &again);
	ck_assert_uint_eq(again.len, b.len);
	ck_assert_mem_eq(again.data, b.data, b.len);
	situations[_i].end();
	free(mem);
	free(again.data);
	free(b.data);
}
END_TEST

/* Every byte of a state made another: it is refused, and all is as before, or it is a state that can be. */
START_TEST(hostile_states)
{
	struct dev_buf good = { 0 }, bad = { 0 }, after = { 0 };
	unsigned refused = 0;

	state = 7 + (uint32_t)_i;
	situations[_i].begin();
	fake_pc_save(&rig.pc, &good);
	bad.data = malloc(good.len);
	/* Data of a write may be anything. */
	for (size_t i = 0; i < good.len; i += i > 4000 ? 997 : 1) {
		memcpy(bad.data, good.data, good.len);
		bad.data[i] = (uint8_t)(rnd(2) ? bad.data[i] ^ 1u << rnd(8) : rnd(256));
		bad.len = good.len;
		bad.pos = 0;
		good.pos = 0;
		ck_assert_int_eq(bus_load(rig.pc.bus, &good, NULL), 0);
		if (bus_load(rig.pc.bus, &bad, NULL) == 0) {
			vr_notify(&rig, 0);
			vr_settle(&rig);
			bus_timers(rig.pc.bus, rig.pc.clock);
			continue;
		}
		refused++;
		fake_pc_save(&rig.pc, &after);
		ck_assert_uint_eq(after.len, good.len);
		ck_assert_mem_eq(after.data, good.data, good.len);
	}
	ck_assert_uint_gt(refused, 100);
	for (size_t len = 0; len < good.len; len += len > 4000 ? 997 : 1) {
		bad.len = len;
		bad.pos = 0;
		ck_assert_int_eq(bus_load(rig.pc.bus, &bad, NULL), -EINVAL);
	}
	free(good.data);
	free(bad.data);
	free(after.data);
}
END_TEST

/* A byte of the first disk's record, which is idle with its driver ready, and what it becomes. */
static const struct {
	unsigned at;
	uint8_t value;
} lies[] = {
	{ 15, 0x01 },           /* a feature that is not offered */
	{ 12, 0x00 },           /* VERSION_1 was not agreed on */
	{ 16, 0x4f },           /* needs a reset, and does not say why */
	{ 16, 0x07 },           /* ready without features */
	{ 16, 0x1f },           /* a status bit that there is not */
	{ 17, 0x04 },           /* an interrupt that there is not */
	{ 20, 'x' },            /* says why, and needs none */
	{ 140, 0x02 },          /* a vector beyond the last */
	{ 146, 0x08 },          /* a message pending beyond the last */
	{ 159, 0x02 },          /* a mask of more than a bit */
	{ 195, 12 },            /* a queue of 12 */
	{ 197, 2 },             /* enabled more than once */
	{ 197, 0 },             /* not enabled, and used */
	{ 198, 1 },             /* not aligned */
	{ 222, 40 },            /* more under way than it holds */
	{ 231, 1 },             /* another disk */
	{ 239, 1 },             /* a request, and nothing of it */
	{ 239, 4 },             /* of no kind */
	{ 240, 1 },             /* zeroes, and no request */
	{ 242, 2 },             /* a place, and no request */
	{ 250, 2 },             /* bytes, and no request */
};

START_TEST(lies_are_refused)
{
	static const char name[] = "virtio-blk0";
	struct dev_buf b = { 0 }, after = { 0 };
	struct err err = { 0 };
	uint8_t *record;

	vr_start_plain(&rig);
	vr_request(&rig, 0, T_IN, 0, RIG_DATA, 512, true);
	vr_notify(&rig, 0);
	vr_wait(&rig, 1);
	vr_isr(&rig);
	fake_pc_save(&rig.pc, &b);
	record = memmem(b.data, b.len, name, strlen(name));
	ck_assert_ptr_nonnull(record);
	record += strlen(name) + 4;
	ck_assert_uint_eq(record[16], 0x0f);
	ck_assert_uint_eq(record[195], 16);
	ck_assert_uint_eq(record[222], 1);
	ck_assert_uint_eq(record[231] | record[232] << 8 | record[233] << 16, RIG_SECTORS * 512);
	ck_assert_uint_ne(record[lies[_i].at], lies[_i].value);
	record[lies[_i].at] = lies[_i].value;
	ck_assert_int_eq(bus_load(rig.pc.bus, &b, &err), -EINVAL);
	ck_assert_msg(strncmp(err.msg, name, strlen(name)) == 0, "%s", err.msg);
	fake_pc_save(&rig.pc, &after);
	ck_assert_uint_eq(after.len, b.len);
	free(b.data);
	free(after.data);
	ck_assert_uint_eq(vr_status(&rig), 0x0f);
}
END_TEST

/* --- drivers that do anything --- */

static unsigned count_queues(void)
{
	return rig.slot == VIRTIO_SLOT_CONSOLE ? 2 : 1;
}

static uint64_t fuzz_gpa(void)
{
	switch (rnd(8)) {
	case 0:
		return FAKE_PC_MEM - rnd(64);
	case 1:
		return (uint64_t)rnd(UINT32_MAX) << rnd(33);
	case 2:
		return UINT64_MAX - rnd(4096);
	default:
		return rnd(FAKE_PC_MEM);
	}
}

static void fuzz_descs(void)
{
	unsigned q = rnd(count_queues());

	for (unsigned i = 0; i < 8; i++) {
		bool wild = !rnd(16);

		vr_desc(&rig, q, rnd(16), wild ? fuzz_gpa() : RIG_DATA + rnd(0x40000),
			wild ? rnd(UINT32_MAX) : 1 + rnd(600) * (rnd(2) ? 1 : 512),
			(uint16_t)(wild ? rnd(8) : rnd(2) | (rnd(3) ? 0 : D_WRITE)), (uint16_t)(wild ? rnd(65536) : rnd(16)));
	}
	vr_offer(&rig, q, (uint16_t)(rnd(40) ? rnd(16) : rnd(65536)));
}

static void fuzz_request(void)
{
	static const uint32_t types[] = { T_IN, T_IN, T_OUT, T_FLUSH, 8, T_WRITE_ZEROES, 11 };
	uint32_t type = types[rnd(COUNT(types))], len = rnd(10) ? 512 * rnd(700) : rnd(70000);

	vr_request(&rig, rnd(13), type, rnd(10) ? rnd(RIG_SECTORS) : rnd(UINT32_MAX), RIG_DATA + rnd(0x10000), len,
		   type == T_IN);
}

static void fuzz_write(void)
{
	static const uint32_t pages[] = { RIG_COMMON, RIG_COMMON, RIG_COMMON, RIG_ISR, RIG_CONFIG, RIG_NOTIFY };
	uint32_t at = pages[rnd(COUNT(pages))] + (rnd(8) ? rnd(64) : rnd(4096));
	unsigned size = 1u << rnd(4);

	if (rnd(2))
		vr_read(&rig, at, size);
	else
		vr_write(&rig, at, size, rnd(3) ? rnd(300) : (uint64_t)rnd(UINT32_MAX) << rnd(33));
}

static void fuzz_start(void)
{
	static const unsigned slots[] = {
		VIRTIO_SLOT_CONSOLE, VIRTIO_SLOT_RNG, VIRTIO_SLOT_DISK, VIRTIO_SLOT_DISK, VIRTIO_SLOT_DISK + 1,
	};

	virtio_rig_select(&rig, slots[rnd(COUNT(slots))]);
	vr_agree(&rig, FEATURE_1 | (rnd(2) ? FEATURE_INDIRECT : 0) | (rnd(2) ? FEATURE_EVENT : 0));
	for (unsigned q = 0; q < count_queues(); q++)
		vr_queue(&rig, q, 16);
	vr_write(&rig, VC_STATUS, 1, ST_ACK | ST_DRIVER | ST_FEATURES | ST_READY);
}

static void fuzz_msix(void)
{
	uint64_t value = rnd(UINT32_MAX);

	if (rnd(3) == 0)
		vr_config_write(&rig, 0x9a, 2, rnd(65536));
	else
		bus_mmio(rig.pc.bus, RIG_MSIX + rnd(rnd(4) ? 64 : 4096), rnd(2), 1u << rnd(4), (uint8_t *)&value);
}

static void fuzz_input(void)
{
	static const uint8_t text[700];
	size_t taken;

	rig.pc.room = rnd(3) ? SIZE_MAX : rnd(3000);
	virtio_console_input(rig.pc.bus, rig.console, text, rnd(700), &taken);
}

static void fuzz_step(void)
{
	unsigned what = rnd(1000);

	if (what < 250)
		fuzz_descs();
	else if (what < 400)
		fuzz_request();
	else if (what < 500)
		vr_notify(&rig, rnd(20) ? rnd(count_queues()) : rnd(1024));
	else if (what < 560)
		fuzz_start();
	else if (what < 570)
		vr_set_idx(&rig, rnd(count_queues()), (uint16_t)rnd(65536));
	else if (what < 600)
		fuzz_msix();
	else if (what < 640)
		fuzz_input();
	else if (what < 650)
		vr_config_write(&rig, rnd(256), 1u << rnd(3), rnd(UINT32_MAX));
	else if (what < 660)
		rig.pc.mem[RIG_DESC(0) + rnd(0x10000)] = (uint8_t)rnd(256);
	else if (what < 670)
		fake_pc_round_trip(&rig.pc);
	else if (what < 672)
		bus_reset(rig.pc.bus);
	else if (what < 690)
		vr_settle(&rig);
	else if (what < 730)
		bus_timers(rig.pc.bus, rig.pc.clock);
	else if (what < 800)
		bus_poll(rig.pc.bus);
	else
		fuzz_write();
}

START_TEST(anything_anywhere)
{
	state = 1000u * (unsigned)_i + 1;
	fuzz_start();
	for (unsigned i = 0; i < 4000; i++)
		fuzz_step();
	/* After all that a driver can use it. */
	vr_settle(&rig);
	bus_reset(rig.pc.bus);
	virtio_rig_select(&rig, VIRTIO_SLOT_DISK);
	vr_start_plain(&rig);
	vr_request(&rig, 0, T_IN, 0, RIG_DATA, 512, true);
	vr_notify(&rig, 0);
	vr_wait(&rig, 1);
	ck_assert_uint_eq(rig.pc.mem[VR_STATUS(0)], 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("virtio_state");
	TCase *t = tcase_create("virtio_state"), *hostile = tcase_create("hostile states");

	tcase_set_timeout(t, 120);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, saved_and_loaded, 0, COUNT(situations));
	tcase_add_loop_test(t, lies_are_refused, 0, COUNT(lies));
	tcase_add_loop_test(t, anything_anywhere, 0, 20);
	suite_add_tcase(s, t);
	tcase_set_timeout(hostile, 120);
	tcase_add_checked_fixture(hostile, setup, teardown);
	tcase_set_tags(hostile, "long");
	tcase_add_loop_test(hostile, hostile_states, 0, COUNT(situations));
	suite_add_tcase(s, hostile);
	return unit_main(s);
}
