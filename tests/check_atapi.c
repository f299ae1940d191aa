/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dev/ide.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/ide_rig.h"
#include "tests/unit.h"

#define SECTOR          2048u
#define TABLE           0x1000u         /* gpa */
#define DATA_GPA        0x20000u
#define BM_INTR         0x04

static struct ide_rig rig;
static uint8_t buf[RIG_CD_SECTORS * SECTOR + 64];

static void setup(void)
{
	ide_rig_init(&rig);
	bm_place(&rig);
}

static void teardown(void)
{
	ide_rig_done(&rig);
}

static uint32_t be(const uint8_t *p, unsigned n)
{
	return n ? be(p, n - 1) << 8 | p[n - 1] : 0;
}

/* A packet that sends what it has to send: how much. */
static int run(const uint8_t packet[12])
{
	memset(buf, 0xee, sizeof(buf));
	return cd_run(&rig, packet, 0xfffe, buf, sizeof(buf));
}

#define RUN(...) run((const uint8_t[12]){ __VA_ARGS__ })

/* The last packet ended in this, which is asked for and then gone. */
static void expect_sense(unsigned key, unsigned asc, unsigned ascq)
{
	ck_assert_uint_eq(ide_get(&rig, 1, ERROR_), key << 4);
	ck_assert_int_eq(RUN(0x03, 0, 0, 0, 18), 18);
	ck_assert_uint_eq(buf[0], 0x70);
	ck_assert_uint_eq(buf[2], key);
	ck_assert_uint_eq(buf[7], 10);
	ck_assert_uint_eq(buf[12], asc);
	ck_assert_uint_eq(buf[13], ascq);
	ck_assert_int_eq(RUN(0x03, 0, 0, 0, 18), 18);
	ck_assert_uint_eq(buf[2], 0);
}

static void read_packet(uint8_t packet[12], uint32_t lba, uint32_t count, bool twelve)
{
	const uint8_t ten[12] = { 0x28, 0, (uint8_t)(lba >> 24), (uint8_t)(lba >> 16), (uint8_t)(lba >> 8),
				  (uint8_t)lba, 0, (uint8_t)(count >> 8), (uint8_t)count };
	const uint8_t more[12] = { 0xa8, 0, ten[2], ten[3], ten[4], ten[5], (uint8_t)(count >> 24),
				   (uint8_t)(count >> 16), (uint8_t)(count >> 8), (uint8_t)count };

	memcpy(packet, twelve ? more : ten, 12);
}

START_TEST(identify)
{
	ide_command(&rig, 1, MASTER, 0, 1, 0xa1);
	ck_assert_uint_eq(ide_wait(&rig, 1), DRDY | DRQ);
	ck_assert(ide_irq(&rig, 1));
	ide_data_in(&rig, 1, 2, buf, 512);
	ck_assert_uint_eq(ide_get(&rig, 1, STATUS), DRDY);
	ck_assert(!ide_irq(&rig, 1));
	ck_assert_uint_eq(buf[0] | buf[1] << 8, 0x85c0);
	ck_assert_mem_eq(buf + 54, "dgvbsiroC -DOR M", 16);
	ck_assert_mem_eq(buf + 20, "VG0000 3", 8);
	ck_assert_uint_eq(buf[98] | buf[99] << 8, 0x0b00);
	/* One after a reset has everything that is needed at once. */
	ck_assert_int_eq(RUN(0x00), 0);
}
END_TEST

static const uint8_t of_disks[] = { 0x20, 0xec };

START_TEST(says_that_it_is_no_disk)
{
	ide_put(&rig, 1, LBA_MID, 0);
	ide_put(&rig, 1, LBA_HIGH, 0);
	ide_command(&rig, 1, MASTER, 0, 5, of_disks[_i]);
	ck_assert_uint_eq(ide_alt(&rig, 1), DRDY | ERR);
	ck_assert(ide_irq(&rig, 1));
	ck_assert_uint_eq(ide_get(&rig, 1, ERROR_), 0x04);
	ck_assert_uint_eq(ide_get(&rig, 1, COUNT), 1);
	ck_assert_uint_eq(ide_get(&rig, 1, LBA_LOW), 1);
	ck_assert_uint_eq(ide_get(&rig, 1, LBA_MID), 0x14);
	ck_assert_uint_eq(ide_get(&rig, 1, LBA_HIGH), 0xeb);
}
END_TEST

static const uint8_t refused[] = { 0x00, 0x21, 0x24, 0x30, 0xc8, 0xca, 0xe7, 0xf8, 0xff };

START_TEST(other_commands_abort)
{
	ide_command(&rig, 1, MASTER, 0, 1, refused[_i]);
	ck_assert_uint_eq(ide_alt(&rig, 1), DRDY | ERR);
	ck_assert(ide_irq(&rig, 1));
	ck_assert_uint_eq(ide_get(&rig, 1, ERROR_), 0x04);
}
END_TEST

START_TEST(device_reset)
{
	uint8_t p[12];

	/* In the middle of data, without an interrupt, and also while it is busy. */
	read_packet(p, 0, 3, false);
	cd_packet(&rig, p, SECTOR, false);
	ide_wait(&rig, 1);
	ide_put(&rig, 1, COMMAND, 0x08);
	ck_assert_uint_eq(ide_wait(&rig, 1), 0);
	ck_assert_uint_eq(ide_get(&rig, 1, LBA_MID), 0x14);
	ck_assert(!ide_irq(&rig, 1));
	cd_packet(&rig, p, SECTOR, false);
	ide_put(&rig, 1, COMMAND, 0x08);
	ck_assert_uint_eq(ide_wait(&rig, 1), 0);
	read_packet(p, 7, 1, false);
	ck_assert_int_eq(run(p), (int)SECTOR);
	ide_expect_pattern(buf, 7 * SECTOR, SECTOR);
}
END_TEST

/* Byte count limits, each for whole reads. */
static const struct {
	unsigned lba, count, limit;
	bool twelve;
} reads[] = {
	{ 0, 1, 2048, false }, { 16, 1, 0xfffe, true }, { 5, 3, 2048, false }, { 5, 100, 0xfffe, true },
	{ 0, RIG_CD_SECTORS, 0xffff, true },
	{ 9, 2, 512, false }, { 9, 70, 3000, false }, { 9, 2, 3001, false }, { 1, 1, 2, false }, { 1, 65, 4097, true },
	{ RIG_CD_SECTORS - 1, 1, 2048, false },
};

START_TEST(reads_by_pio)
{
	int len = (int)(reads[_i].count * SECTOR);
	uint8_t p[12];

	read_packet(p, reads[_i].lba, reads[_i].count, reads[_i].twelve);
	ck_assert_int_eq(cd_run(&rig, p, reads[_i].limit, buf, sizeof(buf)), len);
	ide_expect_pattern(buf, reads[_i].lba * SECTOR, (size_t)len);
	ck_assert_uint_eq(ide_alt(&rig, 1), DRDY);
}
END_TEST

START_TEST(reads_by_dma)
{
	uint32_t len = reads[_i].count * SECTOR, at = 0, n, i = 0;
	uint8_t p[12];

	for (; at < len; at += n) {
		n = len - at < 0x10000 ? len - at : 0x10000;
		bm_entry(&rig, TABLE, i++, DATA_GPA + at, n & 0xffff, at + n == len);
	}
	bm_start(&rig, 1, TABLE, true);
	/* The byte count has no meaning here. */
	read_packet(p, reads[_i].lba, reads[_i].count, reads[_i].twelve);
	cd_packet(&rig, p, _i % 2 ? 0 : reads[_i].limit, true);
	ck_assert_uint_eq(ide_wait(&rig, 1), DRDY);
	ck_assert(ide_irq(&rig, 1));
	ck_assert_uint_eq(bm_status(&rig, 1), BM_INTR);
	ck_assert_uint_eq(ide_get(&rig, 1, COUNT), 0x03);
	ide_expect_pattern(rig.pc.mem + DATA_GPA, reads[_i].lba * SECTOR, len);
}
END_TEST

START_TEST(reply_by_dma)
{
	static const uint8_t inquiry[12] = { 0x12, 0, 0, 0, 35 };

	/* An odd number of bytes, into two regions. */
	bm_entry(&rig, TABLE, 0, DATA_GPA, 8, false);
	bm_entry(&rig, TABLE, 1, DATA_GPA + 0x100, 28, true);
	bm_start(&rig, 1, TABLE, true);
	cd_packet(&rig, inquiry, 0, true);
	ck_assert_uint_eq(ide_wait(&rig, 1), DRDY);
	ck_assert_mem_eq(rig.pc.mem + DATA_GPA + 0x100, "gdbvisorCD-ROM", 14);
	ck_assert_uint_eq(rig.pc.mem[DATA_GPA + 0x100 + 26], '0');
	ck_assert_uint_eq(rig.pc.mem[DATA_GPA + 0x100 + 27], 0);
}
END_TEST

static const struct {
	uint32_t lba, count;
	bool twelve;
} beyond[] = {
	{ RIG_CD_SECTORS, 1, false }, { RIG_CD_SECTORS - 1, 2, false }, { 0xffffffff, 1, false },
	{ 0, RIG_CD_SECTORS + 1, true },
	{ 1, 0xffffffff, true }, { 0xffffffff, 0xffffffff, true }, { RIG_CD_SECTORS, 0, false },
};

START_TEST(bad_addresses)
{
	uint8_t p[12];

	read_packet(p, beyond[_i].lba, beyond[_i].count, beyond[_i].twelve);
	ck_assert_int_eq(run(p), -1);
	expect_sense(5, 0x21, 0);
	ck_assert(!disk_busy(rig.disk[2]));
}
END_TEST

START_TEST(nothing_to_read)
{
	uint8_t p[12];

	read_packet(p, 3, 0, true);
	ck_assert_int_eq(run(p), 0);
	ck_assert_int_eq(RUN(0x2b, 0, 0, 0, 0, 9), 0);
	ck_assert_int_eq(RUN(0x2b, 0, 0, 0, 0, RIG_CD_SECTORS), -1);
	expect_sense(5, 0x21, 0);
}
END_TEST

START_TEST(no_byte_count)
{
	static const uint8_t inquiry[12] = { 0x12, 0, 0, 0, 36 };
	uint8_t p[12];

	/* Without DMA there must be one, if there is data. */
	cd_packet(&rig, inquiry, 0, false);
	ck_assert_uint_eq(ide_alt(&rig, 1), DRDY | ERR);
	ck_assert_uint_eq(ide_get(&rig, 1, ERROR_), 0x04);
	read_packet(p, 0, 1, false);
	cd_packet(&rig, p, 1, false);
	ck_assert_uint_eq(ide_alt(&rig, 1), DRDY | ERR);
	ck_assert_int_eq(cd_run(&rig, (const uint8_t[12]){ 0 }, 0, buf, 0), 0);
}
END_TEST

START_TEST(inquiry)
{
	ck_assert_int_eq(RUN(0x12, 0, 0, 0, 36), 36);
	ck_assert_uint_eq(buf[0], 0x05);
	ck_assert_uint_eq(buf[1], 0x80);
	ck_assert_uint_eq(buf[4], 31);
	ck_assert_mem_eq(buf + 8, "gdbvisorCD-ROM          1.0 ", 28);
	/* As much as there is room for, also an odd number. */
	ck_assert_int_eq(RUN(0x12, 0, 0, 0, 5), 5);
	ck_assert_int_eq(RUN(0x12, 0, 0, 0, 35), 35);
	ck_assert_uint_eq(buf[34], '0');
	ck_assert_uint_eq(buf[35], 0);
	ck_assert_int_eq(RUN(0x12, 0, 0, 0, 0), 0);
	ck_assert_int_eq(RUN(0x12, 0, 0, 0, 255), 36);
	ck_assert_int_eq(RUN(0x12, 1, 0, 0, 255), -1);
	expect_sense(5, 0x24, 0);
}
END_TEST

START_TEST(capacity)
{
	ck_assert_int_eq(RUN(0x25), 8);
	ck_assert_uint_eq(be(buf, 4), RIG_CD_SECTORS - 1);
	ck_assert_uint_eq(be(buf + 4, 4), SECTOR);
}
END_TEST

START_TEST(toc)
{
	ck_assert_int_eq(RUN(0x43, 0, 0, 0, 0, 0, 0, 0x10, 0), 20);
	ck_assert_uint_eq(be(buf, 2), 18);
	ck_assert_uint_eq(be(buf + 2, 2), 0x0101);
	ck_assert_uint_eq(be(buf + 4, 4), 0x00140100);
	ck_assert_uint_eq(be(buf + 8, 4), 0);
	ck_assert_uint_eq(be(buf + 12, 4), 0x0014aa00);
	ck_assert_uint_eq(be(buf + 16, 4), RIG_CD_SECTORS);
	/* By minutes, from the lead-out on: 300 frames with the lead-in's 150 are 4 seconds. */
	ck_assert_int_eq(RUN(0x43, 2, 0, 0, 0, 0, 0xaa, 0, 20), 12);
	ck_assert_uint_eq(be(buf + 8, 4), 0x00000400);
	/* Sessions, named in either place. */
	ck_assert_int_eq(RUN(0x43, 2, 1, 0, 0, 0, 0, 0, 20), 12);
	ck_assert_uint_eq(be(buf + 4, 4), 0x00140100);
	ck_assert_uint_eq(be(buf + 8, 4), 0x00000200);
	ck_assert_int_eq(RUN(0x43, 0, 0, 0, 0, 0, 0, 0, 20, 0x40), 12);
	ck_assert_int_eq(RUN(0x43, 0, 0, 0, 0, 0, 0, 0, 3), 3);
	ck_assert_int_eq(RUN(0x43, 0, 0, 0, 0, 0, 2, 0, 20), -1);
	expect_sense(5, 0x24, 0);
	ck_assert_int_eq(RUN(0x43, 0, 2, 0, 0, 0, 0, 0, 20), -1);
	expect_sense(5, 0x24, 0);
}
END_TEST

START_TEST(mode_sense)
{
	ck_assert_int_eq(RUN(0x5a, 0, 0x2a, 0, 0, 0, 0, 0, 200), 28);
	ck_assert_uint_eq(be(buf, 2), 26);
	ck_assert_uint_eq(be(buf + 8, 2), 0x2a12);
	ck_assert_uint_eq(buf[8 + 6], 0x29);
	ck_assert_int_eq(RUN(0x5a, 0, 0x01, 0, 0, 0, 0, 0, 200), 16);
	ck_assert_uint_eq(be(buf + 8, 2), 0x0106);
	ck_assert_int_eq(RUN(0x5a, 0, 0x3f, 0, 0, 0, 0, 1, 0), 36);
	ck_assert_int_eq(RUN(0x5a, 0, 0x6a, 0, 0, 0, 0, 1, 0), 28);
	ck_assert_uint_eq(buf[8 + 6], 0);
	ck_assert_int_eq(RUN(0x5a, 0, 0x2a, 0, 0, 0, 0, 0, 8), 8);
	ck_assert_int_eq(RUN(0x5a, 0, 0x05, 0, 0, 0, 0, 0, 8), -1);
	expect_sense(5, 0x24, 0);
	ck_assert_int_eq(RUN(0x5a, 0, 0xea, 0, 0, 0, 0, 0, 8), -1);
	expect_sense(5, 0x39, 0);
}
END_TEST

START_TEST(configuration)
{
	int all = RUN(0x46, 0, 0, 0, 0, 0, 0, 1, 0);

	ck_assert_int_eq(all, 8 + 12 + 8 + 8 + 12 + 8 + 8);
	ck_assert_uint_eq(be(buf, 4), (unsigned)all - 4);
	ck_assert_uint_eq(be(buf + 6, 2), 0x0008);
	/* The profiles, of which that of a CD is current. */
	ck_assert_uint_eq(be(buf + 8, 4), 0x00000308);
	ck_assert_uint_eq(be(buf + 12, 4), 0x00100000);
	ck_assert_uint_eq(be(buf + 16, 4), 0x00080100);
	/* Those that are current, from 3 on; then a single one; none. */
	ck_assert_int_eq(RUN(0x46, 1, 0, 3, 0, 0, 0, 1, 0), 8 + 8 + 12 + 8);
	ck_assert_int_eq(RUN(0x46, 2, 0, 0x10, 0, 0, 0, 1, 0), 8 + 12);
	ck_assert_uint_eq(be(buf + 8, 4), 0x00100108);
	ck_assert_uint_eq(be(buf + 12, 4), SECTOR);
	ck_assert_int_eq(RUN(0x46, 2, 0x77, 0x77, 0, 0, 0, 1, 0), 8);
	ck_assert_int_eq(RUN(0x46, 3, 0, 0, 0, 0, 0, 1, 0), -1);
	expect_sense(5, 0x24, 0);
}
END_TEST

START_TEST(subchannel)
{
	ck_assert_int_eq(RUN(0x42, 0, 0, 0, 0, 0, 0, 0, 100), 4);
	ck_assert_uint_eq(be(buf, 4), 0);
	ck_assert_int_eq(RUN(0x42, 0, 0x40, 1, 0, 0, 0, 0, 100), 16);
	ck_assert_uint_eq(be(buf + 2, 2), 12);
	ck_assert_int_eq(RUN(0x42, 0, 0x40, 2, 0, 0, 0, 0, 100), 24);
	ck_assert_uint_eq(buf[8] & 0x80, 0);
	ck_assert_int_eq(RUN(0x42, 0, 0x40, 4, 0, 0, 0, 0, 100), -1);
	expect_sense(5, 0x24, 0);
	ck_assert_int_eq(RUN(0xbd, 0, 0, 0, 0, 0, 0, 0, 0, 8), 8);
	ck_assert_uint_eq(buf[1], 0);
}
END_TEST

START_TEST(tray)
{
	uint8_t p[12];

	/* Locked, it stays where it is. */
	ck_assert_int_eq(RUN(0x1e, 0, 0, 0, 1), 0);
	ck_assert_int_eq(RUN(0x1b, 0, 0, 0, 2), -1);
	expect_sense(5, 0x53, 2);
	ck_assert_int_eq(RUN(0x00), 0);
	ck_assert_int_eq(RUN(0x5a, 0, 0x2a, 0, 0, 0, 0, 0, 200), 28);
	ck_assert_uint_eq(buf[8 + 6], 0x2b);
	ck_assert_int_eq(RUN(0x1e, 0, 0, 0, 0), 0);
	ck_assert_int_eq(RUN(0x1b, 0, 0, 0, 2), 0);
	/* Open, there is nothing to read. */
	ck_assert_int_eq(RUN(0x00), -1);
	expect_sense(2, 0x3a, 2);
	read_packet(p, 0, 1, false);
	ck_assert_int_eq(run(p), -1);
	ck_assert_int_eq(RUN(0x25), -1);
	ck_assert_int_eq(RUN(0x12, 0, 0, 0, 36), 36);
	ck_assert_int_eq(RUN(0xbd, 0, 0, 0, 0, 0, 0, 0, 0, 8), 8);
	ck_assert_uint_eq(buf[1], 0x10);
	ck_assert_int_eq(RUN(0x46, 1, 0, 0, 0, 0, 0, 1, 0), 8 + 12 + 8 + 8);
	ck_assert_uint_eq(be(buf + 6, 2), 0);
	/* Closed, it says once that the medium may be another. */
	ck_assert_int_eq(RUN(0x1b, 0, 0, 0, 3), 0);
	ck_assert_int_eq(RUN(0x12, 0, 0, 0, 36), 36);
	ck_assert_int_eq(RUN(0x00), -1);
	expect_sense(6, 0x28, 0);
	ck_assert_int_eq(RUN(0x00), 0);
	/* REQUEST SENSE is told as well. */
	ck_assert_int_eq(RUN(0x1b, 0, 0, 0, 2), 0);
	ck_assert_int_eq(RUN(0x1b, 0, 0, 0, 3), 0);
	ck_assert_int_eq(RUN(0x03, 0, 0, 0, 18), 18);
	ck_assert_uint_eq(buf[2], 6);
	ck_assert_uint_eq(buf[12], 0x28);
	ck_assert_int_eq(RUN(0x00), 0);
	/* A machine's reset leaves it closed, a soft one as it is. */
	ck_assert_int_eq(RUN(0x1b, 0, 0, 0, 2), 0);
	ide_control(&rig, 1, SRST);
	ide_control(&rig, 1, 0);
	ck_assert_int_eq(RUN(0x00), -1);
	bus_reset(rig.pc.bus);
	ck_assert_int_eq(RUN(0x00), 0);
}
END_TEST

static const uint8_t unknown_packets[] = { 0x01, 0x04, 0x08, 0x0a, 0x2a, 0x4a, 0x51, 0x55, 0xad, 0xbe, 0xff };

START_TEST(unknown_packets_are_refused)
{
	ck_assert_int_eq(RUN(unknown_packets[_i], 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), -1);
	expect_sense(5, 0x20, 0);
	/* Sense that nobody asked for is gone with the next packet. */
	ck_assert_int_eq(RUN(unknown_packets[_i]), -1);
	ck_assert_int_eq(RUN(0x00), 0);
	ck_assert_int_eq(RUN(0x03, 0, 0, 0, 18), 18);
	ck_assert_uint_eq(buf[2], 0);
}
END_TEST

START_TEST(file_shrunk)
{
	uint8_t p[12];

	ck_assert_int_eq(truncate(disk_env_path(&rig.env, 'c'), 10 * SECTOR), 0);
	read_packet(p, 9, 1, false);
	ck_assert_int_eq(run(p), (int)SECTOR);
	read_packet(p, 9, 2, false);
	ck_assert_int_eq(run(p), -1);
	expect_sense(3, 0x11, 0);
}
END_TEST

START_TEST(dvd)
{
	struct disk_spec spec[IDE_DRIVES] = { { 0 } };

	ide_rig_done(&rig);
	ide_rig_init_env(&rig);
	spec[2].path = disk_env_file(&rig.env, 'c', SECTOR);
	spec[2].cdrom = true;
	ck_assert_int_eq(truncate(spec[2].path, 4700000000ll), 0);
	ide_rig_attach(&rig, spec);
	ck_assert_int_eq(RUN(0x25), 8);
	ck_assert_uint_eq(be(buf, 4), 4700000000ull / SECTOR - 1);
	ck_assert_int_eq(RUN(0x46, 1, 0, 0x11, 0, 0, 0, 1, 0), 8 + 8);
	ck_assert_uint_eq(be(buf + 6, 2), 0x0010);
	ck_assert_uint_eq(be(buf + 8, 2), 0x001f);
	ck_assert_int_eq(RUN(0x43, 2, 0, 0, 0, 0, 0xaa, 0, 20), 12);
	ck_assert_uint_eq(buf[9], 255);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("atapi");
	TCase *t = tcase_create("cdrom");
	const int n = sizeof(reads) / sizeof(reads[0]);

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, identify);
	tcase_add_loop_test(t, says_that_it_is_no_disk, 0, sizeof(of_disks));
	tcase_add_loop_test(t, other_commands_abort, 0, sizeof(refused));
	tcase_add_test(t, device_reset);
	tcase_add_loop_test(t, reads_by_pio, 0, n);
	tcase_add_loop_test(t, reads_by_dma, 0, n);
	tcase_add_test(t, reply_by_dma);
	tcase_add_loop_test(t, bad_addresses, 0, sizeof(beyond) / sizeof(beyond[0]));
	tcase_add_test(t, nothing_to_read);
	tcase_add_test(t, no_byte_count);
	tcase_add_test(t, inquiry);
	tcase_add_test(t, capacity);
	tcase_add_test(t, toc);
	tcase_add_test(t, mode_sense);
	tcase_add_test(t, configuration);
	tcase_add_test(t, subchannel);
	tcase_add_test(t, tray);
	tcase_add_loop_test(t, unknown_packets_are_refused, 0, sizeof(unknown_packets));
	tcase_add_test(t, file_shrunk);
	tcase_add_test(t, dvd);
	suite_add_tcase(s, t);
	return unit_main(s);
}
