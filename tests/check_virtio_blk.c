/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The virtio disk: requests of all kinds, large ones, several, wrong ones, and resets in the middle of them. */
#include <string.h>
#include <unistd.h>

#include "tests/unit.h"
#include "tests/virtio_rig.h"

enum { T_IN = 0, T_OUT = 1, T_FLUSH = 4, T_GET_ID = 8, T_DISCARD = 11, T_WRITE_ZEROES = 13 };
#define COMMON (FEATURE_1 | FEATURE_EVENT | FEATURE_INDIRECT)

enum { S_OK, S_IOERR, S_UNSUPP, S_NONE = 0xee };

static struct virtio_rig rig;
static uint8_t file[RIG_SECTORS * 512];

static void setup(void)
{
	virtio_rig_init(&rig);
	vr_start(&rig, vr_offered(&rig), 1, 256);
}

static void teardown(void)
{
	virtio_rig_done(&rig);
}

static uint8_t status_of(unsigned head)
{
	return rig.pc.mem[VR_STATUS(head)];
}

static void expect_file(const uint8_t *data, uint64_t at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (data[i] != disk_env_byte(at + i))
			ck_abort_msg("byte %zu of %zu is 0x%02x, not 0x%02x", i, len, data[i], disk_env_byte(at + i));
}

static uint8_t pattern(size_t i)
{
	return (uint8_t)(i * 7 ^ i >> 8);
}

/* The file as it was but for LEN bytes at AT, which are ZERO or the pattern. */
static void expect_written(uint64_t at, size_t len, bool zero)
{
	disk_env_read_file(&rig.env, 'a', 0, file, sizeof(file));
	expect_file(file, 0, at);
	for (size_t i = 0; i < len; i++)
		if (file[at + i] != (zero ? 0 : pattern(i)))
			ck_abort_msg("byte %zu of %zu was not written", i, len);
	expect_file(file + at + len, at + len, sizeof(file) - at - len);
}

/* One request from beginning to end; returns its status. */
static uint8_t run(uint32_t type, uint64_t sector, uint32_t data, uint32_t len, bool write)
{
	uint16_t until = (uint16_t)(vr_used_idx(&rig, 0) + 1);

	vr_request(&rig, 0, type, sector, data, len, write);
	vr_notify(&rig, 0);
	vr_wait(&rig, until);
	return status_of(0);
}

static uint32_t last_len(void)
{
	return vr_used_len(&rig, 0, (uint16_t)(vr_used_idx(&rig, 0) - 1));
}

START_TEST(says_what_it_is)
{
	ck_assert_uint_eq(vr_offered(&rig), COMMON | 1u << 14 | 1u << 9 | 1u << 6 | 1u << 2);
	ck_assert_uint_eq(vr_read(&rig, RIG_CONFIG, 8), RIG_SECTORS);
	ck_assert_uint_eq(vr_read(&rig, RIG_CONFIG + 12, 4), 254);
	ck_assert_uint_eq(vr_read(&rig, RIG_CONFIG + 20, 4), 512);
	ck_assert_uint_eq(vr_read(&rig, RIG_CONFIG + 52, 4), 1);
	ck_assert_uint_eq(run(T_GET_ID, 0, RIG_DATA, 20, true), S_OK);
	ck_assert_str_eq((char *)rig.pc.mem + RIG_DATA, "gdbvisor-0");
	ck_assert_uint_eq(last_len(), 21);
	virtio_rig_select(&rig, VIRTIO_SLOT_DISK + 1);
	ck_assert_uint_eq(vr_offered(&rig), COMMON | 1u << 9 | 1u << 6 | 1u << 5 | 1u << 2);
	ck_assert_uint_eq(vr_read(&rig, RIG_CONFIG, 8), RIG_RO_SECTORS);
}
END_TEST

START_TEST(reads)
{
	ck_assert_uint_eq(run(T_IN, 17, RIG_DATA, 3 * 512, true), S_OK);
	expect_file(rig.pc.mem + RIG_DATA, 17 * 512, 3 * 512);
	ck_assert_uint_eq(rig.pc.mem[RIG_DATA + 3 * 512], 0);
	ck_assert_uint_eq(last_len(), 3 * 512 + 1);
	ck_assert(vr_intx(&rig));
	ck_assert_uint_eq(run(T_IN, RIG_SECTORS - 1, RIG_DATA, 512, true), S_OK);
	expect_file(rig.pc.mem + RIG_DATA, (RIG_SECTORS - 1) * 512, 512);
	ck_assert_uint_eq(rig.pc.troubles, 0);
}
END_TEST

START_TEST(writes)
{
	for (size_t i = 0; i < 5 * 512; i++)
		rig.pc.mem[RIG_DATA + i] = pattern(i);
	ck_assert_uint_eq(run(T_OUT, 1990, RIG_DATA, 5 * 512, false), S_OK);
	ck_assert_uint_eq(last_len(), 1);
	ck_assert_uint_eq(run(T_FLUSH, 0, 0, 0, false), S_OK);
	ck_assert_uint_eq(last_len(), 1);
	expect_written(1990 * 512, 5 * 512, false);
}
END_TEST

/* More than the disk does at once, and the header, data and status cut anyhow (2.7.4). */
START_TEST(large_and_cut)
{
	static const uint32_t cut[] = { 1, 511, 4096, 100000, 200001, 3, 44060 };
	uint32_t at = RIG_DATA, all = 0, type = T_OUT;
	unsigned n = 2;

	for (size_t i = 0; i < 348800; i++)
		rig.pc.mem[RIG_DATA + i] = pattern(i);
	vr_request(&rig, 0, T_OUT, 100, RIG_DATA, 1, false);
	vr_desc(&rig, 0, 0, VR_HEADER(0), 5, D_NEXT, 1);
	vr_desc(&rig, 0, 1, VR_HEADER(0) + 5, 11, D_NEXT, 2);
	for (unsigned i = 0; i < 7; i++, n++) {
		vr_desc(&rig, 0, n, at, cut[i], D_NEXT, (uint16_t)(n + 1));
		at += cut[i];
		all += cut[i];
	}
	ck_assert_uint_eq(all, 681 * 512);
	vr_desc(&rig, 0, n, VR_STATUS(0), 1, D_WRITE, 0);
	vr_notify(&rig, 0);
	vr_wait(&rig, 1);
	ck_assert_uint_eq(status_of(0), S_OK);
	expect_written(100 * 512, all, false);
	/* And back, with the status behind data in one descriptor. */
	type = T_IN;
	memcpy(rig.pc.mem + VR_HEADER(0), &type, 4);
	memset(rig.pc.mem + RIG_DATA, 0, 400000);
	vr_desc(&rig, 0, 0, VR_HEADER(0), 16, D_NEXT, 1);
	vr_desc(&rig, 0, 1, RIG_DATA, 777, D_NEXT | D_WRITE, 2);
	vr_desc(&rig, 0, 2, RIG_DATA + 777, all - 777 + 1, D_WRITE, 0);
	rig.pc.mem[RIG_DATA + all] = S_NONE;
	vr_offer(&rig, 0, 0);
	vr_notify(&rig, 0);
	vr_wait(&rig, 2);
	ck_assert_uint_eq(rig.pc.mem[RIG_DATA + all], S_OK);
	ck_assert_uint_eq(last_len(), all + 1);
	for (size_t i = 0; i < all; i++)
		if (rig.pc.mem[RIG_DATA + i] != pattern(i))
			ck_abort_msg("byte %zu was not read", i);
}
END_TEST

/* Several wait; each is answered, in order. */
START_TEST(many_at_once)
{
	for (unsigned i = 0; i < 60; i++)
		vr_request(&rig, 3 * i, T_IN, 30 * i, RIG_DATA + 1024 * i, 1024, true);
	vr_notify(&rig, 0);
	vr_wait(&rig, 60);
	for (unsigned i = 0; i < 60; i++) {
		ck_assert_uint_eq(status_of(3 * i), S_OK);
		ck_assert_uint_eq(vr_used_head(&rig, 0, (uint16_t)i), 3 * i);
		expect_file(rig.pc.mem + RIG_DATA + 1024 * i, 30 * 512 * i, 1024);
	}
}
END_TEST

static const struct {
	uint32_t type;
	uint64_t sector;
	uint32_t len;
	bool write;
	uint8_t status;
} wrongs[] = {
	{ T_IN, RIG_SECTORS, 512, true, S_IOERR },
	{ T_IN, RIG_SECTORS - 1, 1024, true, S_IOERR },
	{ T_IN, UINT64_MAX, 512, true, S_IOERR },
	{ T_IN, UINT64_MAX / 512, 512, true, S_IOERR },
	{ T_IN, 1ull << 55, 512, true, S_IOERR },
	{ T_IN, 0, 511, true, S_IOERR },
	{ T_OUT, RIG_SECTORS, 512, false, S_IOERR },
	{ T_OUT, 1, 700, false, S_IOERR },
	{ T_DISCARD, 0, 16, false, S_UNSUPP },
	{ 2, 0, 512, true, S_UNSUPP },
	{ UINT32_MAX, 0, 512, true, S_UNSUPP },
	{ T_IN, 0, 0, true, S_OK },
	{ T_OUT, RIG_SECTORS, 0, false, S_OK },
	{ T_WRITE_ZEROES, 0, 0, false, S_IOERR },
	{ T_WRITE_ZEROES, 0, 32, false, S_IOERR },
};

START_TEST(refuses)
{
	memset(rig.pc.mem + RIG_DATA, 0x5a, 4096);
	ck_assert_uint_eq(run(wrongs[_i].type, wrongs[_i].sector, RIG_DATA, wrongs[_i].len, wrongs[_i].write),
			  wrongs[_i].status);
	for (unsigned i = 0; i < 4096; i++)
		ck_assert_uint_eq(rig.pc.mem[RIG_DATA + i], 0x5a);
	/* The status is behind data that was not written: none counts. */
	ck_assert_uint_eq(last_len(), wrongs[_i].write && wrongs[_i].len ? 0 : 1);
	expect_written(0, 0, false);
	ck_assert_uint_eq(rig.pc.troubles, 0);
}
END_TEST

static uint8_t write_zeroes(uint64_t sector, uint32_t count, uint32_t flags)
{
	memcpy(rig.pc.mem + RIG_DATA, &sector, 8);
	memcpy(rig.pc.mem + RIG_DATA + 8, &count, 4);
	memcpy(rig.pc.mem + RIG_DATA + 12, &flags, 4);
	return run(T_WRITE_ZEROES, 0, RIG_DATA, 16, false);
}

START_TEST(zeroes)
{
	ck_assert_uint_eq(write_zeroes(RIG_SECTORS - 10, 11, 0), S_IOERR);
	ck_assert_uint_eq(write_zeroes(0, 65537, 0), S_IOERR);
	ck_assert_uint_eq(write_zeroes(0, 1, 2), S_UNSUPP);
	ck_assert_uint_eq(write_zeroes(5, 0, 0), S_OK);
	expect_written(0, 0, true);
	ck_assert_uint_eq(write_zeroes(300, 700, 1), S_OK);
	expect_written(300 * 512, 700 * 512, true);
	/* What follows is data again. */
	for (size_t i = 0; i < 512; i++)
		rig.pc.mem[RIG_DATA + i] = (uint8_t)disk_env_byte(300 * 512 + i);
	ck_assert_uint_eq(run(T_OUT, 300, RIG_DATA, 512, false), S_OK);
	expect_written(301 * 512, 699 * 512, true);
}
END_TEST

START_TEST(readonly)
{
	virtio_rig_select(&rig, VIRTIO_SLOT_DISK + 1);
	vr_start_plain(&rig);
	ck_assert_uint_eq(run(T_OUT, 0, RIG_DATA, 512, false), S_IOERR);
	ck_assert_uint_eq(write_zeroes(0, 1, 0), S_IOERR);
	ck_assert_uint_eq(run(T_FLUSH, 0, 0, 0, false), S_OK);
	ck_assert_uint_eq(run(T_IN, RIG_RO_SECTORS - 1, RIG_DATA, 512, true), S_OK);
	expect_file(rig.pc.mem + RIG_DATA, (RIG_RO_SECTORS - 1) * 512, 512);
}
END_TEST

/* The host's file has lost its end. */
START_TEST(disk_fails)
{
	ck_assert_int_eq(truncate(disk_env_path(&rig.env, 'a'), 400 * 512), 0);
	ck_assert_uint_eq(run(T_IN, 399, RIG_DATA, 2 * 512, true), S_IOERR);
	ck_assert_uint_eq(last_len(), 0);
	ck_assert_uint_eq(run(T_IN, 0, RIG_DATA, 500 * 512, true), S_IOERR);
	/* The first piece had come. */
	ck_assert_uint_eq(last_len(), DISK_REQUEST_MAX);
	expect_file(rig.pc.mem + RIG_DATA, 0, DISK_REQUEST_MAX);
	ck_assert_uint_eq(run(T_OUT, 500, RIG_DATA, 512, false), S_IOERR);
	ck_assert_uint_eq(run(T_IN, 399, RIG_DATA, 512, true), S_OK);
}
END_TEST

/* --- requests that stop the device --- */

static void short_header(void)
{
	vr_request(&rig, 4, T_IN, 0, RIG_DATA, 512, true);
	vr_desc(&rig, 0, 4, VR_HEADER(4), 15, D_NEXT, 5);
}

static void no_header(void)
{
	vr_desc(&rig, 0, 4, RIG_DATA, 512, D_WRITE, 0);
	vr_offer(&rig, 0, 4);
}

static void no_status(void)
{
	vr_desc(&rig, 0, 4, RIG_DATA, 512, 0, 0);
	vr_offer(&rig, 0, 4);
}

static void header_outside(void)
{
	vr_request(&rig, 4, T_IN, 0, RIG_DATA, 512, true);
	vr_desc(&rig, 0, 4, FAKE_PC_MEM, 16, D_NEXT, 5);
}

static void data_outside(void)
{
	vr_request(&rig, 4, T_IN, 0, FAKE_PC_MEM - 256, 512, true);
}

static void write_data_outside(void)
{
	vr_request(&rig, 4, T_OUT, 0, FAKE_PC_MEM - 256, 512, false);
}

static void status_outside(void)
{
	vr_request(&rig, 4, T_IN, 0, RIG_DATA, 512, true);
	vr_desc(&rig, 0, 6, FAKE_PC_MEM, 1, D_WRITE, 0);
}

static void id_outside(void)
{
	vr_request(&rig, 4, T_GET_ID, 0, FAKE_PC_MEM, 20, true);
}

static void range_outside(void)
{
	vr_request(&rig, 4, T_WRITE_ZEROES, 0, FAKE_PC_MEM, 16, false);
}

/* The second piece of a write. */
static void later_data_outside(void)
{
	vr_request(&rig, 4, T_OUT, 0, RIG_DATA, DISK_REQUEST_MAX, false);
	vr_desc(&rig, 0, 5, RIG_DATA, DISK_REQUEST_MAX, D_NEXT, 7);
	vr_desc(&rig, 0, 7, FAKE_PC_MEM, 512, D_NEXT, 6);
}

static const struct {
	void (*offer)(void);
	const char *says;
} stops[] = {
	{ short_header, "virtio-blk0: queue 0: the request at descriptor 4 has a header of 15 bytes, not 16" },
	{ no_header, "virtio-blk0: queue 0: the request at descriptor 4 has a header of 0 bytes, not 16" },
	{ no_status, "virtio-blk0: queue 0: the request at descriptor 4 has no room for its status" },
	{ header_outside, "virtio-blk0: queue 0: descriptor 4 is outside memory" },
	{ data_outside, "virtio-blk0: queue 0: descriptor 5 is outside memory" },
	{ write_data_outside, "virtio-blk0: queue 0: descriptor 5 is outside memory" },
	{ status_outside, "virtio-blk0: queue 0: descriptor 6 is outside memory" },
	{ id_outside, "virtio-blk0: queue 0: descriptor 5 is outside memory" },
	{ range_outside, "virtio-blk0: queue 0: descriptor 5 is outside memory" },
	{ later_data_outside, "virtio-blk0: queue 0: descriptor 7 is outside memory" },
};

START_TEST(stops_and_says_why)
{
	stops[_i].offer();
	vr_request(&rig, 0, T_IN, 0, RIG_DATA, 512, true);
	vr_notify(&rig, 0);
	vr_settle(&rig);
	ck_assert_str_eq(rig.pc.trouble, stops[_i].says);
	ck_assert(vr_status(&rig) & ST_NEEDS_RESET);
	ck_assert_uint_eq(vr_isr(&rig) & 2, 2);
	/* The one behind it is not begun. */
	ck_assert_uint_eq(status_of(0), S_NONE);
	ck_assert_uint_eq(vr_used_idx(&rig, 0), 0);
	vr_start_plain(&rig);
	ck_assert_uint_eq(run(T_IN, 999, RIG_DATA, 512, true), S_OK);
	expect_file(rig.pc.mem + RIG_DATA, 999 * 512, 512);
}
END_TEST

/* The request is gone, its data too; what the disk is still at delays the next and does it no harm. */
START_TEST(reset_on_the_way)
{
	for (unsigned i = 0; i < 50; i++) {
		vr_request(&rig, 0, T_IN, 200, RIG_DATA + 0x20000, 200 * 512, true);
		vr_notify(&rig, 0);
		memset(rig.pc.mem + RIG_DATA + 0x20000, 0x5a, 200 * 512);
		if (i & 1)
			bus_reset(rig.pc.bus);
		else
			vr_write(&rig, VC_STATUS, 1, 0);
		virtio_rig_select(&rig, VIRTIO_SLOT_DISK);
		vr_start_plain(&rig);
		/* A driver that is early does not meet what has been ended. */
		while (disk_busy(rig.disk[0]))
			sem_wait(&rig.env.done);
		vr_notify(&rig, 0);
		ck_assert_uint_eq(vr_used_idx(&rig, 0), 0);
		ck_assert_uint_eq(run(T_IN, i, RIG_DATA, 512, true), S_OK);
		expect_file(rig.pc.mem + RIG_DATA, 512 * i, 512);
		for (unsigned j = 0; j < 200 * 512; j += 512)
			ck_assert_uint_eq(rig.pc.mem[RIG_DATA + 0x20000 + j], 0x5a);
		ck_assert_uint_eq(vr_used_idx(&rig, 0), 1);
	}
}
END_TEST

/* A finished request waits while memory may not be reached. */
START_TEST(loses_the_bus)
{
	vr_request(&rig, 0, T_IN, 3, RIG_DATA, 512, true);
	vr_notify(&rig, 0);
	vr_config_write(&rig, 4, 2, 2);
	vr_settle(&rig);
	ck_assert_uint_eq(vr_used_idx(&rig, 0), 0);
	vr_config_write(&rig, 4, 2, 6);
	ck_assert_uint_eq(vr_used_idx(&rig, 0), 1);
	expect_file(rig.pc.mem + RIG_DATA, 3 * 512, 512);
}
END_TEST

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

int main(void)
{
	Suite *s = suite_create("virtio_blk");
	TCase *t = tcase_create("virtio_blk");

	tcase_set_timeout(t, 120);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, says_what_it_is);
	tcase_add_test(t, reads);
	tcase_add_test(t, writes);
	tcase_add_test(t, large_and_cut);
	tcase_add_test(t, many_at_once);
	tcase_add_loop_test(t, refuses, 0, COUNT(wrongs));
	tcase_add_test(t, zeroes);
	tcase_add_test(t, readonly);
	tcase_add_test(t, disk_fails);
	tcase_add_loop_test(t, stops_and_says_why, 0, COUNT(stops));
	tcase_add_test(t, reset_on_the_way);
	tcase_add_test(t, loses_the_bus);
	suite_add_tcase(s, t);
	return unit_main(s);
}
