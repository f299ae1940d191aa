/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The bus master, with tables as drivers make them and as nobody should. */
#include "dev/ide.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/ide_rig.h"
#include "tests/unit.h"

#define TABLE           0x10000u        /* gpa */
#define DATA_GPA        0x20000u
#define BM_ACTIVE       0x01
#define BM_ERROR        0x02
#define BM_INTR         0x04

static struct ide_rig rig;
static uint8_t file[RIG_SECTORS * 512];

static void setup(void)
{
	ide_rig_init(&rig);
	bm_place(&rig);
}

static void teardown(void)
{
	ide_rig_done(&rig);
}

/* Memory before the data, and behind LEN bytes of it, is as it was: zero, but for the table. */
static void expect_untouched(size_t len)
{
	size_t i;

	for (i = 0; i < FAKE_PC_MEM; i++)
		if (rig.pc.mem[i] && ((i < DATA_GPA && i / 0x10000 != TABLE / 0x10000) || i >= DATA_GPA + len))
			ck_abort_msg("gpa 0x%zx was written", i);
}

START_TEST(registers)
{
	ck_assert_uint_eq(pci_config_read(&rig, 0x20, 4), BM_PORT | 1);
	ck_assert_uint_eq(pc_in(&rig.pc, BM_PORT, 4), 0);
	pc_out(&rig.pc, BM_PORT + 4, 4, 0x12345677);
	ck_assert_uint_eq(pc_in(&rig.pc, BM_PORT + 4, 4), 0x12345674);
	outb(&rig.pc, BM_PORT + 6, 0xab);
	ck_assert_uint_eq(pc_in(&rig.pc, BM_PORT + 4, 4), 0x12ab5674);
	pc_out(&rig.pc, BM_PORT + 12, 2, 0xbeef);
	ck_assert_uint_eq(pc_in(&rig.pc, BM_PORT + 12, 4), 0x0000beec);
	/* What says that drives can do DMA is storage; the rest of the status cannot be set. */
	outb(&rig.pc, BM_PORT + 2, 0xff);
	ck_assert_uint_eq(bm_status(&rig, 0), 0x60);
	ck_assert_uint_eq(bm_status(&rig, 1), 0x00);
	outb(&rig.pc, BM_PORT + 2, 0x20);
	ck_assert_uint_eq(bm_status(&rig, 0), 0x20);
	outb(&rig.pc, BM_PORT, 0xfe);
	ck_assert_uint_eq(inb(&rig.pc, BM_PORT), 0x08);
	ck_assert_uint_eq(inb(&rig.pc, BM_PORT + 1), 0);
	ck_assert_uint_eq(inb(&rig.pc, BM_PORT + 3), 0);
	bus_reset(rig.pc.bus);
	ck_assert_uint_eq(pc_in(&rig.pc, BM_PORT, 4), 0xffffffff);
	bm_place(&rig);
	ck_assert_uint_eq(pc_in(&rig.pc, BM_PORT, 4), 0);
	ck_assert_uint_eq(pc_in(&rig.pc, BM_PORT + 4, 4), 0);
}
END_TEST

/* How a transfer's memory is cut. */
enum cut { WHOLE, SECTORS, TINY, RANDOM, MIXED };

/* Makes a table of LEN bytes from DATA_GPA on. */
static void make_table(enum cut cut, uint32_t len)
{
	uint32_t at = 0, n, i = 0;

	while (at < len) {
		n = cut == WHOLE ? 0x10000 : cut == SECTORS ? 512 : cut == TINY ? 2 : 2 * (1 + (uint32_t)rand() % 3000);
		if (cut == MIXED)
			n = i % 2 ? 0x10000 : 62;
		if (n > len - at)
			n = len - at;
		/* 64 KiB is written as 0, and bit 0 is not there. */
		bm_entry(&rig, TABLE, i++, (DATA_GPA + at) | (cut == RANDOM), (n & 0xffff) | (cut == RANDOM),
			 at + n == len);
		at += n;
	}
}

static const struct {
	uint8_t opcode;
	bool lba48;
	unsigned lba, count;
	enum cut cut;
} transfers[] = {
	{ 0, false, 0, 1, WHOLE }, { 0, false, 5, 256, SECTORS }, { 0, false, 100, 16, TINY },
	{ 1, true, 3, 700, WHOLE },
	{ 1, true, 1, 1000, RANDOM }, { 0, false, RIG_SECTORS - 256, 256, RANDOM }, { 1, true, 0, 300, MIXED },
};

static void issue(unsigned i, bool write)
{
	static const uint8_t opcode[2][2] = { { 0xc8, 0x25 }, { 0xca, 0x35 } };

	if (transfers[i].lba48)
		ide_command48(&rig, 0, MASTER, transfers[i].lba, transfers[i].count, opcode[write][1]);
	else
		ide_command(&rig, 0, MASTER, transfers[i].lba, transfers[i].count, opcode[write][0]);
}

static void expect_done(void)
{
	ck_assert_uint_eq(bm_status(&rig, 0), BM_INTR);
	ck_assert(ide_irq(&rig, 0));
	ck_assert_uint_eq(ide_get(&rig, 0, STATUS), DRDY | DSC);
	ck_assert(!ide_irq(&rig, 0));
	/* Until it is cleared by writing it. */
	ck_assert_uint_eq(bm_status(&rig, 0), BM_INTR);
	bm_clear(&rig, 0);
	ck_assert_uint_eq(bm_status(&rig, 0), 0);
}

START_TEST(reads)
{
	uint32_t len = transfers[_i].count * 512;
	unsigned order;

	/* The command first, the bus master first, or the master when the disk has long finished. */
	for (order = 0; order < 3; order++) {
		memset(rig.pc.mem, 0, FAKE_PC_MEM);
		srand(_i);
		make_table(transfers[_i].cut, len);
		if (order == 0)
			bm_start(&rig, 0, TABLE, true);
		issue(_i, false);
		if (order == 2) {
			ck_assert_uint_eq(ide_wait(&rig, 0), DRDY | DSC | DRQ);
			ck_assert(!ide_irq(&rig, 0));
			expect_untouched(0);
		}
		if (order)
			bm_start(&rig, 0, TABLE, true);
		ck_assert_uint_eq(ide_wait(&rig, 0), DRDY | DSC);
		expect_done();
		ide_expect_pattern(rig.pc.mem + DATA_GPA, transfers[_i].lba * 512, len);
		expect_untouched(len);
	}
}
END_TEST

START_TEST(writes)
{
	uint32_t len = transfers[_i].count * 512, at = transfers[_i].lba * 512, i;
	unsigned order;

	for (order = 0; order < 2; order++) {
		srand(_i);
		make_table(transfers[_i].cut, len);
		for (i = 0; i < len; i++)
			rig.pc.mem[DATA_GPA + i] = (uint8_t)rand();
		if (order == 0)
			bm_start(&rig, 0, TABLE, false);
		issue(_i, true);
		if (order)
			bm_start(&rig, 0, TABLE, false);
		ck_assert_uint_eq(ide_wait(&rig, 0), DRDY | DSC);
		expect_done();
		disk_env_read_file(&rig.env, 'a', 0, file, sizeof(file));
		ck_assert_mem_eq(file + at, rig.pc.mem + DATA_GPA, len);
		ide_expect_pattern(file, 0, at);
		ide_expect_pattern(file + at + len, at + len, sizeof(file) - at - len);
	}
}
END_TEST

START_TEST(table_too_long)
{
	bm_entry(&rig, TABLE, 0, DATA_GPA, 4096, true);
	bm_start(&rig, 0, TABLE, true);
	ide_command(&rig, 0, MASTER, 0, 4, 0xc8);
	ck_assert_uint_eq(ide_wait(&rig, 0), DRDY | DSC);
	/* The drive is done, the bus master would have more room. */
	ck_assert_uint_eq(bm_status(&rig, 0), BM_INTR | BM_ACTIVE);
	ide_expect_pattern(rig.pc.mem + DATA_GPA, 0, 2048);
	expect_untouched(2048);
	bm_clear(&rig, 0);
	ck_assert_uint_eq(bm_status(&rig, 0), 0);
}
END_TEST

START_TEST(table_too_short)
{
	bm_entry(&rig, TABLE, 0, DATA_GPA, 1000, true);
	bm_start(&rig, 0, TABLE, true);
	ide_command(&rig, 0, MASTER, 0, 4, 0xc8);
	/* The drive has more: no error, no interrupt, and not active. */
	ck_assert_uint_eq(ide_wait(&rig, 0), DRDY | DSC | DRQ);
	ck_assert_uint_eq(bm_status(&rig, 0), 0);
	ck_assert(!ide_irq(&rig, 0));
	expect_untouched(1000);
	/* Another table takes the rest. */
	bm_clear(&rig, 0);
	bm_entry(&rig, TABLE, 0, DATA_GPA + 1000, 1048, true);
	bm_start(&rig, 0, TABLE, true);
	expect_done();
	ide_expect_pattern(rig.pc.mem + DATA_GPA, 0, 2048);
	/* Or a reset ends it. */
	bm_entry(&rig, TABLE, 0, DATA_GPA, 1000, true);
	bm_start(&rig, 0, TABLE, true);
	ide_command(&rig, 0, MASTER, 0, 4, 0xc8);
	ide_wait(&rig, 0);
	ide_control(&rig, 0, SRST);
	ide_control(&rig, 0, 0);
	ck_assert_uint_eq(ide_wait(&rig, 0), DRDY | DSC);
}
END_TEST

START_TEST(stopped_in_between)
{
	/* It does not go on by itself when it is stopped before the disk has answered. */
	make_table(WHOLE, 2048);
	bm_start(&rig, 0, TABLE, true);
	ide_command(&rig, 0, MASTER, 0, 4, 0xc8);
	bm_clear(&rig, 0);
	ck_assert_uint_eq(ide_wait(&rig, 0), DRDY | DSC | DRQ);
	expect_untouched(0);
	bm_start(&rig, 0, TABLE, true);
	expect_done();
	ide_expect_pattern(rig.pc.mem + DATA_GPA, 0, 2048);
}
END_TEST

START_TEST(not_master)
{
	make_table(WHOLE, 2048);
	pci_config_write(&rig, 0x04, 2, 0x0001);
	bm_start(&rig, 0, TABLE, true);
	ide_command(&rig, 0, MASTER, 0, 4, 0xc8);
	ck_assert_uint_eq(ide_wait(&rig, 0), DRDY | DSC | DRQ);
	ck_assert_uint_eq(bm_status(&rig, 0), BM_ACTIVE);
	expect_untouched(0);
	/* Let onto the bus it goes on. */
	pci_config_write(&rig, 0x04, 2, 0x0005);
	expect_done();
	ide_expect_pattern(rig.pc.mem + DATA_GPA, 0, 2048);
}
END_TEST

/* What ends a transfer of 512 sectors with the error bit, the bytes that were moved before. */
static const struct {
	uint32_t table;
	struct {
		uint32_t gpa, count;    /* no entry is the last */
	} entry[2];
	bool wrong_way;
	uint32_t moved;
} hostile[] = {
	{ 0xfffffffc, { { 0, 0 } }, false, 0 },                                 /* table outside memory */
	{ FAKE_PC_MEM - 4, { { 0, 0 } }, false, 0 },                            /* half of an entry in it */
	{ 0x80000000, { { 0, 0 } }, false, 0 },
	{ TABLE, { { FAKE_PC_MEM, 512 } }, false, 0 },                          /* data outside */
	{ TABLE, { { 0xfffffffe, 2 }, { 0, 0 } }, false, 0 },
	{ TABLE, { { 0xffff0002, 0 }, { 0, 0 } }, false, 0 },                   /* beyond 32 bits */
	{ TABLE, { { FAKE_PC_MEM - 1024, 0 } }, false, 1024 },                  /* partly outside */
	{ TABLE, { { DATA_GPA, 512 }, { 0xf0000000, 512 } }, false, 512 },
	{ TABLE, { { DATA_GPA, 512 }, { 0, 0 } }, true, 0 },                    /* the other direction */
	{ TABLE + 0xfff8, { { DATA_GPA, 512 }, { 0, 0 } }, false, 512 },        /* leaves its 64 KiB */
	{ TABLE + 0xfffc, { { 0, 0 } }, false, 0 },
};

START_TEST(hostile_tables)
{
	uint32_t table = hostile[_i].table;
	unsigned i;

	for (i = 0; i < 2 && table < FAKE_PC_MEM - 16; i++)
		bm_entry(&rig, table, i, hostile[_i].entry[i].gpa, hostile[_i].entry[i].count, false);
	bm_start(&rig, 0, table, !hostile[_i].wrong_way);
	ide_command48(&rig, 0, MASTER, 0, 512, 0x25);
	ck_assert_uint_eq(ide_wait(&rig, 0), DRDY | DSC | DRQ);
	ck_assert_uint_eq(bm_status(&rig, 0), BM_ERROR);
	ck_assert(!ide_irq(&rig, 0));
	if (hostile[_i].moved)
		ide_expect_pattern(rig.pc.mem + hostile[_i].entry[0].gpa, 0, hostile[_i].moved);
	else
		expect_untouched(0);
	/* The controller is as good as before after a reset. */
	bm_clear(&rig, 0);
	ide_control(&rig, 0, SRST);
	ide_control(&rig, 0, 0);
	ck_assert_uint_eq(ide_wait(&rig, 0), DRDY | DSC);
	make_table(WHOLE, 512);
	bm_start(&rig, 0, TABLE, true);
	ide_command(&rig, 0, MASTER, 9, 1, 0xc8);
	ide_wait(&rig, 0);
	expect_done();
	ide_expect_pattern(rig.pc.mem + DATA_GPA, 9 * 512, 512);
}
END_TEST

static unsigned beyond;

/* Memory up to 4 GiB, and what is moved beyond. */
static size_t dma_anywhere(void *arg, uint64_t gpa, void *data, size_t len, bool to_guest)
{
	ck_assert_ptr_eq(arg, &rig.pc);
	if (gpa + len > 1ull << 32 || (gpa < TABLE && to_guest))
		beyond++;
	if (gpa / 0x10000 == TABLE / 0x10000)
		memcpy(data, rig.pc.mem + gpa, len);
	return len;
}

START_TEST(regions_end_at_4_gib)
{
	rig.pc.host.dma = dma_anywhere;
	bm_entry(&rig, TABLE, 0, 0xfffff000, 4096, false);
	bm_entry(&rig, TABLE, 1, 0xfffff002, 4096, true);
	bm_start(&rig, 0, TABLE, true);
	ide_command(&rig, 0, MASTER, 0, 16, 0xc8);
	ck_assert_uint_eq(ide_wait(&rig, 0), DRDY | DSC | DRQ);
	/* The first was moved, the second is none. */
	ck_assert_uint_eq(bm_status(&rig, 0), BM_ERROR);
	ck_assert_uint_eq(beyond, 0);
}
END_TEST

START_TEST(table_without_end)
{
	unsigned i;

	/* 8,192 entries of 2 bytes: the next one would be in the next 64 KiB. */
	for (i = 0; i < 8192; i++)
		bm_entry(&rig, TABLE, i, DATA_GPA + 2 * i, 2, false);
	bm_start(&rig, 0, TABLE, true);
	ide_command(&rig, 0, MASTER, 0, 100, 0xc8);
	ide_wait(&rig, 0);
	ck_assert_uint_eq(bm_status(&rig, 0), BM_ERROR);
	ide_expect_pattern(rig.pc.mem + DATA_GPA, 0, 16384);
	expect_untouched(16384);
}
END_TEST

START_TEST(table_that_is_written_over)
{
	/* What is read lands on the table itself: its next entries are whatever the disk has. */
	bm_entry(&rig, TABLE, 0, TABLE, 0, false);
	bm_start(&rig, 0, TABLE, true);
	ide_command(&rig, 0, MASTER, 0, 256, 0xc8);
	ide_wait(&rig, 0);
	ck_assert_uint_eq(bm_status(&rig, 0), BM_ERROR);
	ide_expect_pattern(rig.pc.mem + TABLE, 0, 0x10000);
	/* Entries that write the entry after them. */
	bm_clear(&rig, 0);
	ide_control(&rig, 0, SRST);
	ide_control(&rig, 0, 0);
	bm_entry(&rig, TABLE, 0, TABLE + 8, 8, false);
	bm_start(&rig, 0, TABLE, true);
	ide_command(&rig, 0, MASTER, 0, 256, 0xc8);
	ide_wait(&rig, 0);
	ck_assert_uint_eq(bm_status(&rig, 0) & BM_INTR, 0);
}
END_TEST

START_TEST(writes_from_nowhere)
{
	/* Nothing is written of a request that could not be filled. */
	bm_entry(&rig, TABLE, 0, DATA_GPA, 512, false);
	bm_entry(&rig, TABLE, 1, 0xe0000000, 512, true);
	bm_start(&rig, 0, TABLE, false);
	ide_command(&rig, 0, MASTER, 0, 2, 0xca);
	ck_assert_uint_eq(ide_alt(&rig, 0), DRDY | DSC | DRQ);
	ck_assert_uint_eq(bm_status(&rig, 0), BM_ERROR);
	ide_settle(&rig);
	disk_env_read_file(&rig.env, 'a', 0, file, sizeof(file));
	ide_expect_pattern(file, 0, sizeof(file));
}
END_TEST

START_TEST(no_interrupt_while_masked)
{
	make_table(WHOLE, 512);
	ide_control(&rig, 0, NIEN);
	bm_start(&rig, 0, TABLE, true);
	ide_command(&rig, 0, MASTER, 0, 1, 0xc8);
	ide_wait(&rig, 0);
	ck_assert_uint_eq(bm_status(&rig, 0), 0);
	ide_control(&rig, 0, 0);
	ck_assert_uint_eq(bm_status(&rig, 0), BM_INTR);
}
END_TEST

START_TEST(channels_are_two)
{
	/* The secondary's slave by its own bus master, beside the primary's. */
	bm_entry(&rig, TABLE, 0, DATA_GPA, 1024, true);
	bm_entry(&rig, TABLE, 8, DATA_GPA + 1024, 1024, true);
	bm_start(&rig, 0, TABLE, true);
	bm_start(&rig, 1, TABLE + 64, true);
	ide_command(&rig, 0, MASTER, 10, 2, 0xc8);
	ide_command(&rig, 1, SLAVE, 20, 2, 0xc8);
	ck_assert_uint_eq(ide_wait(&rig, 1), DRDY | DSC);
	ck_assert_uint_eq(ide_wait(&rig, 0), DRDY | DSC);
	ck_assert_uint_eq(bm_status(&rig, 0), BM_INTR);
	ck_assert_uint_eq(bm_status(&rig, 1), BM_INTR);
	ide_expect_pattern(rig.pc.mem + DATA_GPA, 10 * 512, 1024);
	ide_expect_pattern(rig.pc.mem + DATA_GPA + 1024, 20 * 512, 1024);
}
END_TEST

START_TEST(host_error)
{
	ck_assert_int_eq(truncate(disk_env_path(&rig.env, 'a'), 512), 0);
	make_table(WHOLE, 2048);
	bm_start(&rig, 0, TABLE, true);
	ide_command(&rig, 0, MASTER, 0, 4, 0xc8);
	ck_assert_uint_eq(ide_wait(&rig, 0), DRDY | DSC | ERR);
	ck_assert_uint_eq(ide_get(&rig, 0, ERROR_), 0x40);
	/* Nothing was moved, and the drive interrupted. */
	ck_assert_uint_eq(bm_status(&rig, 0), BM_ACTIVE | BM_INTR);
	expect_untouched(0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ide_dma");
	TCase *t = tcase_create("dma");
	const int n = sizeof(transfers) / sizeof(transfers[0]);

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, registers);
	tcase_add_loop_test(t, reads, 0, n);
	tcase_add_loop_test(t, writes, 0, n);
	tcase_add_test(t, table_too_long);
	tcase_add_test(t, table_too_short);
	tcase_add_test(t, stopped_in_between);
	tcase_add_test(t, not_master);
	tcase_add_loop_test(t, hostile_tables, 0, sizeof(hostile) / sizeof(hostile[0]));
	tcase_add_test(t, regions_end_at_4_gib);
	tcase_add_test(t, table_without_end);
	tcase_add_test(t, table_that_is_written_over);
	tcase_add_test(t, writes_from_nowhere);
	tcase_add_test(t, no_interrupt_while_masked);
	tcase_add_test(t, channels_are_two);
	tcase_add_test(t, host_error);
	suite_add_tcase(s, t);
	return unit_main(s);
}
