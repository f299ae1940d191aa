/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ATA disks by programmed I/O. */
#include "dev/ide.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/ide_rig.h"
#include "tests/unit.h"

#define MEGA    (1u << 20)

static struct ide_rig rig;
static uint8_t buf[MEGA], file[MEGA];

static void setup(void)
{
	ide_rig_init(&rig);
}

static void teardown(void)
{
	ide_rig_done(&rig);
}

static uint16_t word(unsigned i)
{
	return (uint16_t)(buf[2 * i] | buf[2 * i + 1] << 8);
}

static uint64_t words(unsigned i, unsigned n)
{
	return n ? word(i) | words(i + 1, n - 1) << 16 : 0;
}

/* The text in words FIRST to FIRST + N - 1, without the spaces behind it. */
static const char *text(unsigned first, unsigned n)
{
	static char s[64];
	unsigned i;

	for (i = 0; i < 2 * n; i++)
		s[i] = (char)buf[(2 * first + i) ^ 1];
	for (s[i] = 0; i && s[i - 1] == ' '; i--)
		s[i - 1] = 0;
	return s;
}

static void identify(unsigned c, uint8_t device)
{
	ide_command(&rig, c, device, 0, 0, 0xec);
	ck_assert_uint_eq(ide_wait(&rig, c), DRDY | DSC | DRQ);
	ck_assert(ide_irq(&rig, c));
	ide_data_in(&rig, c, 2, buf, 512);
	ck_assert_uint_eq(ide_alt(&rig, c), DRDY | DSC);
}

/* Ends with ERROR: the registers say so, with an interrupt. */
static void expect_error(unsigned c, uint8_t error)
{
	ck_assert_uint_eq(ide_wait(&rig, c), DRDY | DSC | ERR);
	ck_assert(ide_irq(&rig, c));
	ck_assert_uint_eq(ide_get(&rig, c, ERROR_), error);
	ck_assert_uint_eq(ide_get(&rig, c, STATUS), DRDY | DSC | ERR);
	ck_assert(!ide_irq(&rig, c));
}

static void expect_success(unsigned c)
{
	ck_assert_uint_eq(ide_wait(&rig, c), DRDY | DSC);
	ck_assert(ide_irq(&rig, c));
	ck_assert_uint_eq(ide_get(&rig, c, STATUS), DRDY | DSC);
	ck_assert(!ide_irq(&rig, c));
}

START_TEST(identify_contents)
{
	unsigned i;
	uint8_t sum = 0;

	identify(0, MASTER);
	for (i = 0; i < 512; i++)
		sum = (uint8_t)(sum + buf[i]);
	ck_assert_uint_eq(sum, 0);
	ck_assert_uint_eq(word(255) & 0xff, 0xa5);
	ck_assert_uint_eq(word(0), 0x0040);
	ck_assert_uint_eq(word(1), 1);
	ck_assert_uint_eq(word(3), 16);
	ck_assert_uint_eq(word(6), 63);
	ck_assert_str_eq(text(27, 20), "gdbvisor disk");
	ck_assert_str_eq(text(10, 10), "GV00001");
	ck_assert_str_eq(text(23, 4), "1.0");
	ck_assert_uint_eq(word(47), 0x8010);
	ck_assert_uint_eq(word(49), 0x0b00);
	ck_assert_uint_eq(word(53), 7);
	ck_assert_uint_eq(words(57, 2), 1008);
	ck_assert_uint_eq(word(59), 0x0110);
	ck_assert_uint_eq(words(60, 2), RIG_SECTORS);
	ck_assert_uint_eq(word(63), 0x0007);
	ck_assert_uint_eq(word(83) & 0xc400, 0x4400);
	ck_assert_uint_eq(word(86) & 0x3400, 0x3400);
	ck_assert_uint_eq(word(88), 0x003f);
	ck_assert_uint_eq(words(100, 4), RIG_SECTORS);
	identify(1, SLAVE);
	ck_assert_str_eq(text(10, 10), "GV00004");
	ck_assert_uint_eq(words(60, 2), RIG_RO_SECTORS);
	/* Less than a cylinder is one. */
	ck_assert_uint_eq(word(1), 1);
	ck_assert_uint_eq(words(57, 2), RIG_RO_SECTORS);
}
END_TEST

START_TEST(identify_says_what_was_set)
{
	ide_put(&rig, 0, FEATURE, 0x03);
	ide_command(&rig, 0, MASTER, 0, 0x45, 0xef);
	expect_success(0);
	ide_command(&rig, 0, MASTER, 0, 8, 0xc6);
	expect_success(0);
	ide_put(&rig, 0, FEATURE, 0x82);
	ide_command(&rig, 0, MASTER, 0, 0, 0xef);
	expect_success(0);
	/* 4 heads of 32 sectors. */
	ide_put(&rig, 0, DEVICE, MASTER | 3);
	ide_put(&rig, 0, COUNT, 32);
	ide_put(&rig, 0, COMMAND, 0x91);
	expect_success(0);
	identify(0, MASTER);
	ck_assert_uint_eq(word(88), 0x203f);
	ck_assert_uint_eq(word(63), 0x0007);
	ck_assert_uint_eq(word(59), 0x0108);
	ck_assert_uint_eq(word(85) & 0x20, 0);
	ck_assert_uint_eq(word(54), RIG_SECTORS / 128);
	ck_assert_uint_eq(word(55), 4);
	ck_assert_uint_eq(word(56), 32);
	ck_assert_uint_eq(words(57, 2), RIG_SECTORS / 128 * 128);
	ide_put(&rig, 0, FEATURE, 0x03);
	ide_command(&rig, 0, MASTER, 0, 0x22, 0xef);
	expect_success(0);
	identify(0, MASTER);
	ck_assert_uint_eq(word(88), 0x003f);
	ck_assert_uint_eq(word(63), 0x0407);
}
END_TEST

static const uint8_t bad_features[][2] = {
	{ 0x03, 0x02 }, { 0x03, 0x0d }, { 0x03, 0x10 }, { 0x03, 0x23 }, { 0x03, 0x46 }, { 0x03, 0xff }, { 0x00, 0 },
	{ 0x05, 1 },
};

START_TEST(refuses_features)
{
	ide_put(&rig, 0, FEATURE, bad_features[_i][0]);
	ide_command(&rig, 0, MASTER, 0, bad_features[_i][1], 0xef);
	expect_error(0, 0x04);
}
END_TEST

/* Commands that read by PIO: opcode, whether of 48 bits, sectors of a block. */
static const struct {
	uint8_t opcode;
	bool lba48;
	unsigned block, size, lba, count;
} reads[] = {
	{ 0x20, false, 1, 2, 0, 1 }, { 0x21, false, 1, 4, 7, 3 }, { 0x20, false, 1, 2, 100, 256 },
	{ 0xc4, false, 16, 2, 5, 40 },
	{ 0xc4, false, 16, 4, 1000, 256 }, { 0x24, true, 1, 2, 1, 5 }, { 0x24, true, 1, 4, 3, 700 },
	{ 0x29, true, 16, 4, 9, 600 },
	{ 0x20, false, 1, 2, RIG_SECTORS - 1, 1 }, { 0x24, true, 1, 2, RIG_SECTORS - 300, 300 },
};

START_TEST(pio_reads)
{
	unsigned done = 0, n, count = reads[_i].count;

	if (reads[_i].lba48)
		ide_command48(&rig, 0, MASTER, reads[_i].lba, count, reads[_i].opcode);
	else
		ide_command(&rig, 0, MASTER, reads[_i].lba, count, reads[_i].opcode);
	while (done < count) {
		n = count - done < reads[_i].block ? count - done : reads[_i].block;
		ck_assert_uint_eq(ide_wait(&rig, 0), DRDY | DSC | DRQ);
		/* An interrupt a block. */
		ck_assert(ide_irq(&rig, 0));
		ck_assert_uint_eq(ide_get(&rig, 0, STATUS), DRDY | DSC | DRQ);
		ck_assert(!ide_irq(&rig, 0));
		ide_data_in(&rig, 0, reads[_i].size, buf + done * 512, n * 512);
		done += n;
	}
	/* And none at the end. */
	ck_assert_uint_eq(ide_wait(&rig, 0), DRDY | DSC);
	ck_assert(!ide_irq(&rig, 0));
	ide_expect_pattern(buf, reads[_i].lba * 512, count * 512);
	ck_assert_uint_eq(pc_in(&rig.pc, 0x1f0, 2), 0);
}
END_TEST

static const struct {
	uint8_t opcode;
	bool lba48, cached;
	unsigned block, size, lba, count;
} writes[] = {
	{ 0x30, false, true, 1, 2, 0, 1 }, { 0x31, false, true, 1, 4, 7, 3 }, { 0x30, false, true, 1, 2, 100, 256 },
	{ 0xc5, false, true, 16, 4, 5, 40 }, { 0x34, true, true, 1, 2, 1, 5 }, { 0x34, true, false, 1, 4, 3, 700 },
	{ 0x39, true, true, 16, 4, 9, 600 }, { 0x30, false, false, 1, 2, RIG_SECTORS - 1, 1 },
};

START_TEST(pio_writes)
{
	unsigned done = 0, n, i, count = writes[_i].count, at = writes[_i].lba * 512;

	if (!writes[_i].cached) {
		ide_put(&rig, 0, FEATURE, 0x82);
		ide_command(&rig, 0, MASTER, 0, 0, 0xef);
		expect_success(0);
	}
	srand(_i);
	for (i = 0; i < count * 512; i++)
		buf[i] = (uint8_t)rand();
	if (writes[_i].lba48)
		ide_command48(&rig, 0, MASTER, writes[_i].lba, count, writes[_i].opcode);
	else
		ide_command(&rig, 0, MASTER, writes[_i].lba, count, writes[_i].opcode);
	/* The first block is awaited without an interrupt. */
	ck_assert(!ide_irq(&rig, 0));
	while (done < count) {
		n = count - done < writes[_i].block ? count - done : writes[_i].block;
		ck_assert_uint_eq(ide_wait(&rig, 0), DRDY | DSC | DRQ);
		ck_assert(ide_irq(&rig, 0) == (done > 0));
		ck_assert_uint_eq(ide_get(&rig, 0, STATUS), DRDY | DSC | DRQ);
		ide_data_out(&rig, 0, writes[_i].size, buf + done * 512, n * 512);
		done += n;
	}
	expect_success(0);
	disk_env_read_file(&rig.env, 'a', 0, file, RIG_SECTORS * 512);
	ck_assert_mem_eq(file + at, buf, count * 512);
	ide_expect_pattern(file, 0, at);
	ide_expect_pattern(file + at + count * 512, at + count * 512, RIG_SECTORS * 512 - at - count * 512);
}
END_TEST

/* How many requests of the host's disk a sector's write takes. */
static unsigned count_requests(void)
{
	unsigned n = 0;

	ide_command(&rig, 0, MASTER, 0, 1, 0x30);
	ide_data_out(&rig, 0, 2, buf, 512);
	for (; ide_alt(&rig, 0) & BSY; n++) {
		while (sem_wait(&rig.env.done) < 0)
			;
		bus_poll(rig.pc.bus);
	}
	return n;
}

START_TEST(without_a_cache_writes_are_flushed)
{
	ck_assert_uint_eq(count_requests(), 1);
	ide_put(&rig, 0, FEATURE, 0x82);
	ide_command(&rig, 0, MASTER, 0, 0, 0xef);
	ck_assert_uint_eq(count_requests(), 2);
	expect_success(0);
	ide_put(&rig, 0, FEATURE, 0x02);
	ide_command(&rig, 0, MASTER, 0, 0, 0xef);
	ck_assert_uint_eq(count_requests(), 1);
}
END_TEST

START_TEST(byte_access_moves_a_word)
{
	ide_command(&rig, 0, MASTER, 2, 1, 0x20);
	ide_wait(&rig, 0);
	ck_assert_uint_eq(ide_get(&rig, 0, DATA), disk_env_byte(1024));
	ck_assert_uint_eq(ide_get(&rig, 0, DATA), disk_env_byte(1026));
	ck_assert_uint_eq(pc_in(&rig.pc, 0x1f0, 2), disk_env_byte(1028) | disk_env_byte(1029) << 8);
	ide_data_in(&rig, 0, 2, buf, 506);
	ck_assert_uint_eq(ide_alt(&rig, 0), DRDY | DSC);
	ide_expect_pattern(buf, 1030, 506);
	ide_command(&rig, 0, MASTER, 2, 1, 0x30);
	ide_put(&rig, 0, DATA, 0xab);
	pc_out(&rig.pc, 0x1f0, 2, 0x1234);
	memset(buf, 0x55, 508);
	ide_data_out(&rig, 0, 2, buf, 508);
	expect_success(0);
	disk_env_read_file(&rig.env, 'a', 1024, file, 512);
	ck_assert_uint_eq(file[0] | file[1] << 8, 0x00ab);
	ck_assert_uint_eq(file[2] | file[3] << 8, 0x1234);
	ck_assert_mem_eq(file + 4, buf, 508);
}
END_TEST

/* A read of COUNT sectors at cylinder, head and sector; the sector that must come, or -1. */
static const struct {
	unsigned cylinder, head, sector, count;
	long lba;
} places[] = {
	{ 0, 0, 1, 1, 0 }, { 0, 0, 63, 1, 62 }, { 0, 1, 1, 1, 63 }, { 1, 0, 1, 1, 1008 }, { 1, 15, 47, 1, 1999 },
	{ 0, 0, 0, 1, -1 }, { 0, 0, 64, 1, -1 }, { 1, 15, 48, 1, -1 }, { 1, 15, 47, 2, -1 }, { 65535, 15, 63, 1, -1 },
};

START_TEST(chs)
{
	ide_put(&rig, 0, DEVICE, (uint8_t)(MASTER | places[_i].head));
	ide_put(&rig, 0, COUNT, (uint8_t)places[_i].count);
	ide_put(&rig, 0, LBA_LOW, (uint8_t)places[_i].sector);
	ide_put(&rig, 0, LBA_MID, (uint8_t)places[_i].cylinder);
	ide_put(&rig, 0, LBA_HIGH, (uint8_t)(places[_i].cylinder >> 8));
	ide_put(&rig, 0, COMMAND, 0x20);
	if (places[_i].lba < 0) {
		expect_error(0, 0x10);
		return;
	}
	ide_wait(&rig, 0);
	ide_data_in(&rig, 0, 2, buf, 512);
	ide_expect_pattern(buf, (uint64_t)places[_i].lba * 512, 512);
}
END_TEST

START_TEST(chs_by_another_translation)
{
	ide_put(&rig, 0, DEVICE, MASTER | 3);
	ide_put(&rig, 0, COUNT, 32);
	ide_put(&rig, 0, COMMAND, 0x91);
	expect_success(0);
	ide_put(&rig, 0, DEVICE, MASTER | 2);
	ide_put(&rig, 0, COUNT, 1);
	ide_put(&rig, 0, LBA_LOW, 5);
	ide_put(&rig, 0, LBA_MID, 3);
	ide_put(&rig, 0, COMMAND, 0x20);
	ide_wait(&rig, 0);
	ide_data_in(&rig, 0, 2, buf, 512);
	ide_expect_pattern(buf, ((3 * 4 + 2) * 32 + 4) * 512, 512);
	/* A head that it does not have. */
	ide_put(&rig, 0, DEVICE, MASTER | 4);
	ide_put(&rig, 0, COMMAND, 0x20);
	expect_error(0, 0x10);
	/* No sectors are no translation. */
	ide_put(&rig, 0, COUNT, 0);
	ide_put(&rig, 0, COMMAND, 0x91);
	expect_error(0, 0x04);
}
END_TEST

static const struct {
	uint8_t opcode;
	bool lba48;
	uint64_t lba;
	unsigned count;
} beyond[] = {
	{ 0x20, false, RIG_SECTORS, 1 }, { 0x20, false, RIG_SECTORS - 1, 2 }, { 0x20, false, RIG_SECTORS - 255, 0 },
	{ 0x20, false, 0x0fffffff, 1 }, { 0x30, false, RIG_SECTORS, 1 }, { 0x40, false, RIG_SECTORS - 5, 6 },
	{ 0x70, false, RIG_SECTORS, 1 }, { 0xc4, false, RIG_SECTORS, 1 }, { 0xc5, false, RIG_SECTORS - 1, 2 },
	{ 0xc8, false, RIG_SECTORS, 1 }, { 0xca, false, RIG_SECTORS - 1, 2 }, { 0x24, true, RIG_SECTORS, 1 },
	{ 0x24, true, 0, 0 }, { 0x24, true, 1ull << 24, 1 }, { 0x24, true, 1ull << 32, 1 },
	{ 0x24, true, 1ull << 40, 1 },
	{ 0x24, true, 0xffffffffffff, 0 }, { 0x34, true, 0xffffffffffff, 1 }, { 0x25, true, 0xffffff000000, 0xffff },
	{ 0x35, true, RIG_SECTORS - 1, 2 }, { 0x42, true, 1ull << 47, 1 }, { 0x29, true, RIG_SECTORS, 1 },
};

START_TEST(bad_addresses)
{
	if (beyond[_i].lba48)
		ide_command48(&rig, 0, MASTER, beyond[_i].lba, beyond[_i].count, beyond[_i].opcode);
	else
		ide_command(&rig, 0, MASTER, (uint32_t)beyond[_i].lba, beyond[_i].count, beyond[_i].opcode);
	expect_error(0, 0x10);
	ck_assert(!disk_busy(rig.disk[0]));
}
END_TEST

static const uint8_t unknown[] = { 0x00, 0x01, 0x08, 0x22, 0x50, 0x92, 0xa0, 0xa1, 0xb0, 0xc0, 0xe4, 0xf1, 0xff };

START_TEST(unknown_commands_abort)
{
	ide_command(&rig, 0, MASTER, 0, 1, unknown[_i]);
	expect_error(0, 0x04);
	/* The next one is as if nothing had been. */
	identify(0, MASTER);
	ck_assert_uint_eq(ide_get(&rig, 0, ERROR_), 0);
}
END_TEST

START_TEST(high_bytes)
{
	ide_command48(&rig, 0, MASTER, 0x665544332211, 0x8877, 0x24);
	expect_error(0, 0x10);
	ck_assert_uint_eq(ide_get(&rig, 0, COUNT), 0x77);
	ck_assert_uint_eq(ide_get(&rig, 0, LBA_LOW), 0x11);
	ck_assert_uint_eq(ide_get(&rig, 0, LBA_MID), 0x22);
	ck_assert_uint_eq(ide_get(&rig, 0, LBA_HIGH), 0x33);
	ide_control(&rig, 0, HOB);
	ck_assert_uint_eq(ide_get(&rig, 0, COUNT), 0x88);
	ck_assert_uint_eq(ide_get(&rig, 0, LBA_LOW), 0x44);
	ck_assert_uint_eq(ide_get(&rig, 0, LBA_MID), 0x55);
	ck_assert_uint_eq(ide_get(&rig, 0, LBA_HIGH), 0x66);
	/* A write to any register ends that. */
	ide_put(&rig, 0, FEATURE, 0);
	ck_assert_uint_eq(ide_get(&rig, 0, LBA_LOW), 0x11);
	ide_command(&rig, 0, MASTER, 0, 0, 0x27);
	expect_success(0);
	ck_assert_uint_eq(ide_get(&rig, 0, LBA_LOW), (RIG_SECTORS - 1) & 0xff);
	ck_assert_uint_eq(ide_get(&rig, 0, LBA_MID), (RIG_SECTORS - 1) >> 8);
	ide_control(&rig, 0, HOB);
	ck_assert_uint_eq(ide_get(&rig, 0, LBA_HIGH), 0);
}
END_TEST

/* A sparse image beyond what 28 bits can name. */
START_TEST(beyond_28_bits)
{
	static const uint64_t sectors = (1ull << 32) + 1000, at = (1ull << 32) + 5;
	struct disk_spec spec[IDE_DRIVES] = { { 0 } };
	int fd;

	ide_rig_done(&rig);
	ide_rig_init_env(&rig);
	spec[0].path = disk_env_file(&rig.env, 'a', 512);
	fd = open(spec[0].path, O_RDWR | O_CLOEXEC);
	ck_assert_int_eq(ftruncate(fd, (off_t)(sectors * 512)), 0);
	memset(buf, 0xa7, 512);
	ck_assert_int_eq(pwrite(fd, buf, 512, (off_t)(at * 512)), 512);
	close(fd);
	ide_rig_attach(&rig, spec);
	identify(0, MASTER);
	ck_assert_uint_eq(word(1), 16383);
	ck_assert_uint_eq(words(60, 2), 0x0fffffff);
	ck_assert_uint_eq(words(100, 4), sectors);
	ide_command(&rig, 0, MASTER, 0, 0, 0xf8);
	expect_success(0);
	ck_assert_uint_eq(ide_get(&rig, 0, DEVICE) & 0x0f, 0x0f);
	ck_assert_uint_eq(ide_get(&rig, 0, LBA_HIGH), 0xff);
	ide_command48(&rig, 0, MASTER, at, 1, 0x24);
	ide_wait(&rig, 0);
	ide_data_in(&rig, 0, 2, file, 512);
	memset(buf, 0xa7, 512);
	ck_assert_mem_eq(file, buf, 512);
	ide_command48(&rig, 0, MASTER, sectors - 1, 2, 0x24);
	expect_error(0, 0x10);
	/* By 28 bits the high bytes do not count. */
	ide_command(&rig, 0, MASTER, 0, 1, 0x20);
	ide_wait(&rig, 0);
	ide_data_in(&rig, 0, 2, file, 512);
	ide_expect_pattern(file, 0, 512);
}
END_TEST

START_TEST(multiple)
{
	static const uint8_t counts[] = { 3, 17, 32, 255 };
	unsigned i;

	for (i = 0; i < sizeof(counts); i++) {
		ide_command(&rig, 0, MASTER, 0, counts[i], 0xc6);
		expect_error(0, 0x04);
	}
	ide_command(&rig, 0, MASTER, 0, 4, 0xc6);
	expect_success(0);
	ide_command(&rig, 0, MASTER, 20, 6, 0xc4);
	ck_assert_uint_eq(ide_wait(&rig, 0), DRDY | DSC | DRQ);
	ide_get(&rig, 0, STATUS);
	ide_data_in(&rig, 0, 4, buf, 4 * 512 - 4);
	ck_assert(!ide_irq(&rig, 0));
	ide_data_in(&rig, 0, 4, buf + 4 * 512 - 4, 4);
	ck_assert(ide_irq(&rig, 0));
	ide_data_in(&rig, 0, 4, buf + 4 * 512, 2 * 512);
	ide_expect_pattern(buf, 20 * 512, 6 * 512);
	ck_assert_uint_eq(ide_alt(&rig, 0), DRDY | DSC);
	/* 0 turns it off. */
	ide_command(&rig, 0, MASTER, 0, 0, 0xc6);
	expect_success(0);
	ide_command(&rig, 0, MASTER, 20, 6, 0xc4);
	expect_error(0, 0x04);
	ide_command(&rig, 0, MASTER, 20, 6, 0xc5);
	expect_error(0, 0x04);
}
END_TEST

static const uint8_t plain[] = { 0x10, 0x1f, 0x70, 0x40, 0x42, 0xe7, 0xea, 0xe0, 0xe1, 0xe2, 0xe3, 0x94, 0x97, 0x41 };

START_TEST(commands_without_data)
{
	ide_command48(&rig, 0, MASTER, 10, 100, plain[_i]);
	expect_success(0);
}
END_TEST

START_TEST(power_modes)
{
	ide_command(&rig, 0, MASTER, 0, 0, 0xe5);
	expect_success(0);
	ck_assert_uint_eq(ide_get(&rig, 0, COUNT), 0xff);
	ide_command(&rig, 0, MASTER, 0, 0, 0xe1);
	ide_get(&rig, 0, STATUS);
	ide_command(&rig, 0, MASTER, 0, 0, 0xe5);
	ck_assert_uint_eq(ide_get(&rig, 0, COUNT), 0x80);
	ide_command(&rig, 0, MASTER, 0, 0, 0xe0);
	ide_command(&rig, 0, MASTER, 0, 0x55, 0xe5);
	ck_assert_uint_eq(ide_get(&rig, 0, COUNT), 0);
	/* A command that needs the medium wakes it. */
	ide_command(&rig, 0, MASTER, 0, 1, 0x40);
	ide_wait(&rig, 0);
	ide_command(&rig, 0, MASTER, 0, 0, 0x98);
	ck_assert_uint_eq(ide_get(&rig, 0, COUNT), 0xff);
	/* Asleep, only a reset does. */
	ide_command(&rig, 0, MASTER, 0, 0, 0xe6);
	expect_success(0);
	ide_command(&rig, 0, MASTER, 0, 0x55, 0xe5);
	ck_assert_uint_eq(ide_get(&rig, 0, COUNT), 0x55);
	ide_control(&rig, 0, SRST);
	ide_control(&rig, 0, 0);
	ide_command(&rig, 0, MASTER, 0, 0, 0xe5);
	ck_assert_uint_eq(ide_get(&rig, 0, COUNT), 0xff);
}
END_TEST

static const struct {
	uint8_t opcode;
	bool lba48;
} write_opcodes[] = {
	{ 0x30, false }, { 0x31, false }, { 0xc5, false }, { 0xca, false }, { 0x34, true }, { 0x35, true },
	{ 0x39, true },
};

START_TEST(read_only_disk)
{
	if (write_opcodes[_i].lba48)
		ide_command48(&rig, 1, SLAVE, 0, 1, write_opcodes[_i].opcode);
	else
		ide_command(&rig, 1, SLAVE, 0, 1, write_opcodes[_i].opcode);
	expect_error(1, 0x04);
	ide_command(&rig, 1, SLAVE, 3, 1, 0x20);
	ide_wait(&rig, 1);
	ide_data_in(&rig, 1, 2, buf, 512);
	ide_expect_pattern(buf, 3 * 512, 512);
	ide_command(&rig, 1, SLAVE, 0, 0, 0xe7);
	expect_success(1);
}
END_TEST

/* What the host's file does to commands. */
START_TEST(file_shrunk)
{
	ck_assert_int_eq(truncate(disk_env_path(&rig.env, 'a'), 100 * 512), 0);
	ide_command(&rig, 0, MASTER, 99, 1, 0x20);
	ck_assert_uint_eq(ide_wait(&rig, 0), DRDY | DSC | DRQ);
	ide_data_in(&rig, 0, 2, buf, 512);
	ide_expect_pattern(buf, 99 * 512, 512);
	ide_command(&rig, 0, MASTER, 100, 1, 0x20);
	expect_error(0, 0x40);
	ide_command(&rig, 0, MASTER, 100, 10, 0x40);
	expect_error(0, 0x40);
	ide_command48(&rig, 0, MASTER, 1000, 10, 0x24);
	expect_error(0, 0x40);
	ck_assert_uint_eq(ide_get(&rig, 0, LBA_LOW), 1000 & 0xff);
	ck_assert_uint_eq(ide_get(&rig, 0, LBA_MID), 1000 >> 8);
	ide_command(&rig, 0, MASTER, 101, 1, 0x30);
	ck_assert_uint_eq(ide_wait(&rig, 0), DRDY | DSC | DRQ);
	ide_data_out(&rig, 0, 2, buf, 512);
	ck_assert_uint_eq(ide_wait(&rig, 0), DRDY | DSC | DF | ERR);
	ck_assert(ide_irq(&rig, 0));
	ck_assert_uint_eq(ide_get(&rig, 0, ERROR_), 0x04);
	ck_assert_uint_eq(ide_get(&rig, 0, LBA_LOW), 101);
	/* The next command is none the worse. */
	ide_command(&rig, 0, MASTER, 0, 1, 0x20);
	ck_assert_uint_eq(ide_wait(&rig, 0), DRDY | DSC | DRQ);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ide");
	TCase *t = tcase_create("ata");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, identify_contents);
	tcase_add_test(t, identify_says_what_was_set);
	tcase_add_loop_test(t, refuses_features, 0, sizeof(bad_features) / sizeof(bad_features[0]));
	tcase_add_loop_test(t, pio_reads, 0, sizeof(reads) / sizeof(reads[0]));
	tcase_add_loop_test(t, pio_writes, 0, sizeof(writes) / sizeof(writes[0]));
	tcase_add_test(t, without_a_cache_writes_are_flushed);
	tcase_add_test(t, byte_access_moves_a_word);
	tcase_add_loop_test(t, chs, 0, sizeof(places) / sizeof(places[0]));
	tcase_add_test(t, chs_by_another_translation);
	tcase_add_loop_test(t, bad_addresses, 0, sizeof(beyond) / sizeof(beyond[0]));
	tcase_add_loop_test(t, unknown_commands_abort, 0, sizeof(unknown));
	tcase_add_test(t, high_bytes);
	tcase_add_test(t, beyond_28_bits);
	tcase_add_test(t, multiple);
	tcase_add_loop_test(t, commands_without_data, 0, sizeof(plain));
	tcase_add_test(t, power_modes);
	tcase_add_loop_test(t, read_only_disk, 0, sizeof(write_opcodes) / sizeof(write_opcodes[0]));
	tcase_add_test(t, file_shrunk);
	suite_add_tcase(s, t);
	return unit_main(s);
}
