/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The IDE controller saved and loaded in the middle of things, hostile states, and guests that write anything
 * anywhere.
 */
#include "dev/ide.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/ide_fuzz.h"
#include "tests/unit.h"

#define TABLE           0x10000u        /* gpa */
#define DATA_GPA        0x20000u
#define BM_INTR         0x04
#define CD_SECTOR       2048u

static struct ide_rig rig;
static uint8_t buf[1u << 20], file[RIG_SECTORS * 512];

static void setup(void)
{
	ide_rig_init(&rig);
	bm_place(&rig);
}

static void teardown(void)
{
	ide_rig_done(&rig);
}

static uint8_t pattern(uint32_t i)
{
	return (uint8_t)(i * 5 ^ i >> 8);
}

static void expect_written(uint32_t lba, uint32_t len)
{
	uint32_t i;

	disk_env_read_file(&rig.env, 'a', 0, file, sizeof(file));
	for (i = 0; i < len; i++)
		if (file[lba * 512 + i] != pattern(i))
			ck_abort_msg("byte %u was not written", i);
	ide_expect_pattern(file, 0, lba * 512);
	ide_expect_pattern(file + lba * 512 + len, lba * 512 + len, sizeof(file) - lba * 512 - len);
}

static void fill(uint8_t *p, uint32_t len)
{
	uint32_t i;

	for (i = 0; i < len; i++)
		p[i] = pattern(i);
}

/* Something that is begun, saved, lost, loaded, and brought to its end. */
struct situation {
	void (*begin)(void);
	void (*end)(void);
};

static void begin_settings(void)
{
	ide_command(&rig, 0, MASTER, 0, 8, 0xc6);
	ide_get(&rig, 0, STATUS);
	ide_control(&rig, 0, NIEN | HOB);
	ide_put(&rig, 1, DEVICE, SLAVE);
	outb(&rig.pc, BM_PORT + 2, 0x60);
}

static void end_settings(void)
{
	ck_assert_uint_eq(inb(&rig.pc, BM_PORT + 2), 0x60 | BM_INTR);
	ck_assert_uint_eq(ide_get(&rig, 1, DEVICE), SLAVE);
	ide_command(&rig, 0, MASTER, 0, 0, 0xec);
	ck_assert(!ide_irq(&rig, 0));
	ide_data_in(&rig, 0, 2, buf, 512);
	ck_assert_uint_eq(buf[118], 8);
}

static void begin_pio_read(void)
{
	ide_command48(&rig, 0, MASTER, 30, 700, 0x29);
	ide_wait(&rig, 0);
	ide_data_in(&rig, 0, 2, buf, 256 * 512);
	ide_wait(&rig, 0);
	ide_data_in(&rig, 0, 2, buf + 256 * 512, 44 * 512 + 122);
	ck_assert(ide_irq(&rig, 0));
}

static void end_pio_read(void)
{
	unsigned at = 300 * 512 + 122, n;

	ck_assert(ide_irq(&rig, 0));
	while (at < 700 * 512) {
		ck_assert_uint_eq(ide_wait(&rig, 0), DRDY | DSC | DRQ);
		/* To the end of the buffer, where the next request begins. */
		n = 256 * 512 - at % (256 * 512);
		n = n < 700 * 512 - at ? n : 700 * 512 - at;
		ide_data_in(&rig, 0, 2, buf + at, n);
		at += n;
	}
	ck_assert_uint_eq(ide_alt(&rig, 0), DRDY | DSC);
	ide_expect_pattern(buf, 30 * 512, 700 * 512);
}

static void begin_read_at_disk(void)
{
	ide_command(&rig, 0, MASTER, 77, 20, 0x20);
}

static void end_read_at_disk(void)
{
	ck_assert_uint_eq(ide_wait(&rig, 0), DRDY | DSC | DRQ);
	ck_assert(ide_irq(&rig, 0));
	ide_data_in(&rig, 0, 4, buf, 20 * 512);
	ide_expect_pattern(buf, 77 * 512, 20 * 512);
}

static void begin_pio_write(void)
{
	fill(buf, 300 * 512);
	ide_command48(&rig, 0, MASTER, 9, 300, 0x34);
	ide_data_out(&rig, 0, 2, buf, 100 * 512 + 66);
}

static void end_pio_write(void)
{
	/* The buffer was lost here; the controller has it. */
	fill(buf, 300 * 512);
	ide_data_out(&rig, 0, 2, buf + 100 * 512 + 66, 156 * 512 - 66);
	ck_assert_uint_eq(ide_wait(&rig, 0), DRDY | DSC | DRQ);
	ide_data_out(&rig, 0, 2, buf + 256 * 512, 44 * 512);
	ck_assert_uint_eq(ide_wait(&rig, 0), DRDY | DSC);
	expect_written(9, 300 * 512);
}

static void begin_write_at_disk(void)
{
	fill(buf, 3 * 512);
	ide_command(&rig, 0, MASTER, 9, 3, 0x30);
	ide_data_out(&rig, 0, 2, buf, 3 * 512);
}

static void end_write_at_disk(void)
{
	ck_assert_uint_eq(ide_wait(&rig, 0), DRDY | DSC);
	ck_assert(ide_irq(&rig, 0));
	expect_written(9, 3 * 512);
}

static void begin_flush(void)
{
	ide_command(&rig, 0, MASTER, 0, 0, 0xe7);
}

static void begin_verify(void)
{
	ide_command48(&rig, 0, MASTER, 0, 1000, 0x42);
}

static void end_without_data(void)
{
	ck_assert_uint_eq(ide_wait(&rig, 0), DRDY | DSC);
	ck_assert(ide_irq(&rig, 0));
}

static void begin_dma_read(void)
{
	bm_entry(&rig, TABLE, 0, DATA_GPA, 1000, false);
	bm_entry(&rig, TABLE, 1, DATA_GPA + 1000, 900, true);
	bm_start(&rig, 0, TABLE, true);
	ide_command(&rig, 0, MASTER, 5, 8, 0xc8);
	ide_wait(&rig, 0);
}

static void end_dma_read(void)
{
	bm_clear(&rig, 0);
	bm_entry(&rig, TABLE, 0, DATA_GPA + 1900, 4096 - 1900, true);
	bm_start(&rig, 0, TABLE, true);
	ck_assert_uint_eq(bm_status(&rig, 0), BM_INTR);
	ide_expect_pattern(rig.pc.mem + DATA_GPA, 5 * 512, 4096);
}

/* The second buffer of a read, in the middle of an entry of the table. */
static void begin_dma_at_disk(void)
{
	unsigned i;

	for (i = 0; i < 8; i++)
		bm_entry(&rig, TABLE, i, DATA_GPA + i * 60000, 60000, i == 7);
	bm_start(&rig, 0, TABLE, true);
	ide_command48(&rig, 0, MASTER, 50, 800, 0x25);
	while (sem_wait(&rig.env.done) < 0)
		ck_assert_int_eq(errno, EINTR);
	bus_poll(rig.pc.bus);
	ck_assert_uint_eq(ide_alt(&rig, 0) & BSY, BSY);
}

static void end_dma_at_disk(void)
{
	ck_assert_uint_eq(ide_wait(&rig, 0), DRDY | DSC);
	ck_assert_uint_eq(bm_status(&rig, 0) & BM_INTR, BM_INTR);
	ide_expect_pattern(rig.pc.mem + DATA_GPA, 50 * 512, 800 * 512);
}

static void begin_dma_write(void)
{
	fill(rig.pc.mem + DATA_GPA, 4096);
	bm_entry(&rig, TABLE, 0, DATA_GPA, 1000, true);
	ide_command(&rig, 0, MASTER, 5, 8, 0xca);
	bm_start(&rig, 0, TABLE, false);
}

static void end_dma_write(void)
{
	bm_clear(&rig, 0);
	bm_entry(&rig, TABLE, 0, DATA_GPA + 1000, 4096 - 1000, true);
	bm_start(&rig, 0, TABLE, false);
	ck_assert_uint_eq(ide_wait(&rig, 0), DRDY | DSC);
	expect_written(5, 4096);
}

static const uint8_t cd_read[12] = { 0x28, 0, 0, 0, 0, 3, 0, 0, 4 };

static void begin_packet(void)
{
	ide_put(&rig, 1, DEVICE, MASTER);
	ide_put(&rig, 1, LBA_MID, 0);
	ide_put(&rig, 1, LBA_HIGH, 0x20);
	ide_put(&rig, 1, COMMAND, 0xa0);
	ide_data_out(&rig, 1, 2, cd_read, 6);
}

static void end_packet(void)
{
	ide_data_out(&rig, 1, 2, cd_read + 6, 6);
	ck_assert_uint_eq(ide_wait(&rig, 1), DRDY | DRQ);
	ide_data_in(&rig, 1, 2, buf, 4 * CD_SECTOR);
	ide_expect_pattern(buf, 3 * CD_SECTOR, 4 * CD_SECTOR);
}

static void begin_cd_data(void)
{
	cd_packet(&rig, cd_read, 3000, false);
	ide_wait(&rig, 1);
	ide_data_in(&rig, 1, 2, buf, 3002);
}

static void end_cd_data(void)
{
	ide_data_in(&rig, 1, 2, buf + 3002, 4 * CD_SECTOR - 3002);
	ide_expect_pattern(buf, 3 * CD_SECTOR, 4 * CD_SECTOR);
	ck_assert_uint_eq(ide_get(&rig, 1, STATUS), DRDY);
	ck_assert_uint_eq(ide_get(&rig, 1, COUNT), 3);
}

static void begin_cd_at_disk(void)
{
	cd_packet(&rig, cd_read, 0xfffe, false);
}

static void end_cd_at_disk(void)
{
	ck_assert_uint_eq(ide_wait(&rig, 1), DRDY | DRQ);
	ide_data_in(&rig, 1, 2, buf, 4 * CD_SECTOR);
	ide_expect_pattern(buf, 3 * CD_SECTOR, 4 * CD_SECTOR);
}

static void begin_reply(void)
{
	static const uint8_t inquiry[12] = { 0x12, 0, 0, 0, 35 };

	cd_packet(&rig, inquiry, 35, false);
	ide_data_in(&rig, 1, 2, buf, 10);
}

static void end_reply(void)
{
	ide_data_in(&rig, 1, 2, buf + 10, 26);
	ck_assert_mem_eq(buf + 8, "gdbvisorCD-ROM          1.0", 27);
	ck_assert_uint_eq(ide_get(&rig, 1, STATUS), DRDY);
}

static void begin_check(void)
{
	static const uint8_t bad[12] = { 0xff };

	ck_assert_int_eq(cd_run(&rig, bad, 0, buf, 0), -1);
}

static void end_check(void)
{
	static const uint8_t sense[12] = { 0x03, 0, 0, 0, 18 };

	ck_assert_int_eq(cd_run(&rig, sense, 0xfffe, buf, 18), 18);
	ck_assert_uint_eq(buf[2], 5);
	ck_assert_uint_eq(buf[12], 0x20);
}

static void begin_reset(void)
{
	ide_command(&rig, 0, MASTER, 0, 100, 0x20);
	ide_control(&rig, 0, SRST);
	ide_control(&rig, 0, 0);
}

static void end_reset(void)
{
	ck_assert_uint_eq(ide_wait(&rig, 0), DRDY | DSC);
	ck_assert_uint_eq(ide_get(&rig, 0, ERROR_), 1);
	ck_assert(!ide_irq(&rig, 0));
}

static const struct situation situations[] = {
	{ begin_settings, end_settings },
	{ begin_pio_read, end_pio_read },
	{ begin_read_at_disk, end_read_at_disk },
	{ begin_pio_write, end_pio_write },
	{ begin_write_at_disk, end_write_at_disk },
	{ begin_flush, end_without_data },
	{ begin_verify, end_without_data },
	{ begin_dma_read, end_dma_read },
	{ begin_dma_at_disk, end_dma_at_disk },
	{ begin_dma_write, end_dma_write },
	{ begin_packet, end_packet },
	{ begin_cd_data, end_cd_data },
	{ begin_cd_at_disk, end_cd_at_disk },
	{ begin_reply, end_reply },
	{ begin_check, end_check },
	{ begin_reset, end_reset },
};

#define SITUATIONS (sizeof(situations) / sizeof(situations[0]))

START_TEST(saved_and_loaded)
{
	situations[_i].begin();
	fake_pc_round_trip(&rig.pc);
	situations[_i].end();
}
END_TEST

/* The state is taken back from quite another one, and by a controller that is at something else. */
START_TEST(loaded_over_another)
{
	struct dev_buf a = { 0 }, b = { 0 };
	struct err err = { 0 };
	unsigned other = (unsigned)_i % SITUATIONS;

	/* With what begin_*() read before: buf. */
	situations[other].begin();
	fake_pc_save(&rig.pc, &a);
	bus_reset(rig.pc.bus);
	bm_place(&rig);
	ide_command48(&rig, 0, MASTER, 1500, 300, 0x24);
	cd_packet(&rig, cd_read, 64, false);
	ck_assert_msg(bus_load(rig.pc.bus, &a, &err) == 0, "%s", err.msg);
	fake_pc_save(&rig.pc, &b);
	ck_assert_uint_eq(a.len, b.len);
	ck_assert_mem_eq(a.data, b.data, a.len);
	situations[other].end();
	free(a.data);
	free(b.data);
}
END_TEST

START_TEST(truncated_states)
{
	struct dev_buf a = { 0 }, before = { 0 }, after = { 0 };
	size_t len, step;

	situations[_i].begin();
	fake_pc_save(&rig.pc, &a);
	bus_reset(rig.pc.bus);
	fake_pc_save(&rig.pc, &before);
	len = a.len;
	step = len > 4000 ? len / 500 : 1;
	for (a.len = 0; a.len < len; a.len += step) {
		a.pos = 0;
		ck_assert_int_eq(bus_load(rig.pc.bus, &a, NULL), -EINVAL);
	}
	fake_pc_save(&rig.pc, &after);
	ck_assert_uint_eq(before.len, after.len);
	ck_assert_mem_eq(before.data, after.data, after.len);
	free(a.data);
	free(before.data);
	free(after.data);
}
END_TEST

START_TEST(loading_moves_no_data)
{
	struct dev_buf a = { 0 };
	unsigned i;

	/* A drive has data for a bus master that may not master, until the state that is loaded says it may. */
	fake_pc_save(&rig.pc, &a);
	pci_config_write(&rig, 0x04, 2, 0x0001);
	bm_entry(&rig, TABLE, 0, DATA_GPA, 512, true);
	bm_start(&rig, 0, TABLE, true);
	ide_command(&rig, 0, MASTER, 1, 1, 0xc8);
	ck_assert_uint_eq(ide_wait(&rig, 0), DRDY | DSC | DRQ);
	ck_assert_int_eq(bus_load(rig.pc.bus, &a, NULL), 0);
	ck_assert_uint_eq(ide_alt(&rig, 0), DRDY | DSC);
	for (i = 0; i < 512; i++)
		ck_assert_uint_eq(rig.pc.mem[DATA_GPA + i], 0);
	free(a.data);
}
END_TEST

/* The controller still does what it is there for. */
static void expect_sane(void)
{
	bus_reset(rig.pc.bus);
	ide_command(&rig, 1, SLAVE, 11, 1, 0x20);
	ck_assert_uint_eq(ide_wait(&rig, 1), DRDY | DSC | DRQ);
	ck_assert(ide_irq(&rig, 1));
	ide_data_in(&rig, 1, 2, buf, 512);
	ide_expect_pattern(buf, 11 * 512, 512);
	ck_assert_int_eq(cd_run(&rig, cd_read, 0xfffe, buf, sizeof(buf)), 4 * (int)CD_SECTOR);
	ide_expect_pattern(buf, 3 * CD_SECTOR, 4 * CD_SECTOR);
	/* Neither the CD nor the read-only disk was written. */
	disk_env_read_file(&rig.env, 'c', 0, file, RIG_CD_SECTORS * CD_SECTOR);
	ide_expect_pattern(file, 0, RIG_CD_SECTORS * CD_SECTOR);
	disk_env_read_file(&rig.env, 'd', 0, file, RIG_RO_SECTORS * 512);
	ide_expect_pattern(file, 0, RIG_RO_SECTORS * 512);
}

START_TEST(any_accesses)
{
	uint32_t i;

	ide_fuzz_seed((uint32_t)_i * 7919 + 1);
	for (i = 0; i < FAKE_PC_MEM; i++)
		rig.pc.mem[i] = (uint8_t)rnd(256);
	ide_fuzz(&rig, 40000);
	expect_sane();
}
END_TEST

/* A transfer in a saved state: its first sector, and how many follow those in the buffer. */
static const struct {
	uint64_t lba;
	uint32_t left;
	int r;
} transfers[] = {
	{ 30, 444, 0 }, { 30, RIG_SECTORS - 30 - 256, 0 }, { 30, RIG_SECTORS - 30 - 255, -EINVAL },
	{ 30, UINT32_MAX, -EINVAL }, { RIG_SECTORS, 0, -EINVAL }, { RIG_SECTORS - 255, 0, -EINVAL },
	{ UINT64_MAX, 0, -EINVAL }, { UINT64_MAX - 255, 0, -EINVAL }, { 1ull << 55, 1, -EINVAL },
};

START_TEST(states_beyond_the_disk)
{
	static const uint8_t known[12] = { 30, 0, 0, 0, 0, 0, 0, 0, 444 & 0xff, 444 >> 8 };
	struct dev_buf a = { 0 };
	uint8_t *at;

	ide_command48(&rig, 0, MASTER, 30, 700, 0x24);
	ide_wait(&rig, 0);
	fake_pc_save(&rig.pc, &a);
	at = memmem(a.data, a.len, known, sizeof(known));
	ck_assert_ptr_nonnull(at);
	memcpy(at, &transfers[_i].lba, 8);
	memcpy(at + 8, &transfers[_i].left, 4);
	ck_assert_int_eq(bus_load(rig.pc.bus, &a, NULL), transfers[_i].r);
	free(a.data);
}
END_TEST

/* Bytes of a good state changed: it is refused and nothing has changed, or it is one that a guest goes on from. */
START_TEST(hostile_states)
{
	struct dev_buf a = { 0 }, b = { 0 }, before = { 0 }, after = { 0 };
	unsigned i, j, head, accepted = 0, refused = 0;
	struct err err;

	ide_fuzz_seed((uint32_t)_i + 17);
	situations[_i].begin();
	fake_pc_save(&rig.pc, &a);
	head = a.len < 700 ? (uint32_t)a.len : 700;
	b.data = malloc(a.len);
	for (i = 0; i < 600; i++) {
		memcpy(b.data, a.data, a.len);
		b.len = b.cap = a.len;
		b.pos = 0;
		/* The heads of states, not the data in buffers, for the most part. */
		for (j = 0; j <= rnd(3); j++)
			b.data[rnd(rnd(4) ? head : (uint32_t)a.len)] ^= (uint8_t)(1u << rnd(8));
		fake_pc_save(&rig.pc, &before);
		if (bus_load(rig.pc.bus, &b, &err) == 0) {
			accepted++;
			ide_fuzz(&rig, 20);
			continue;
		}
		refused++;
		fake_pc_save(&rig.pc, &after);
		ck_assert_uint_eq(before.len, after.len);
		ck_assert(!memcmp(before.data, after.data, after.len));
	}
	ck_assert_uint_gt(accepted, 0);
	ck_assert_uint_gt(refused, 0);
	expect_sane();
	free(a.data);
	free(b.data);
	free(before.data);
	free(after.data);
}
END_TEST

static unsigned shown;
static uint64_t shown_status;

static void note_reg(void *arg, const char *name, unsigned bits, uint64_t value, const char *text)
{
	ck_assert_ptr_null(arg);
	ck_assert(bits == 64 || value < 1ull << bits);
	if (!strcmp(name, "DRIVE0.STATUS")) {
		shown_status = value;
		ck_assert_str_eq(text, "data to the guest");
	}
	ck_assert_ptr_null(strstr(name, "DRIVE1."));
	shown++;
}

START_TEST(shows_its_registers)
{
	const struct dev_show show = { .reg = note_reg };
	const struct device *d = NULL;
	struct dev_buf a = { 0 }, b = { 0 };
	size_t i;

	begin_pio_read();
	fake_pc_save(&rig.pc, &a);
	for (i = 0; (d = bus_device(rig.pc.bus, i)) && strcmp(d->ops->name, "ide"); i++)
		;
	ck_assert_ptr_nonnull(d);
	d->ops->show(d, &show);
	ck_assert_uint_eq(shown_status, DRDY | DSC | DRQ);
	ck_assert_uint_gt(shown, 30);
	fake_pc_save(&rig.pc, &b);
	ck_assert_mem_eq(a.data, b.data, a.len);
	free(a.data);
	free(b.data);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ide_state");
	TCase *t = tcase_create("state");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, saved_and_loaded, 0, SITUATIONS);
	tcase_add_loop_test(t, loaded_over_another, 0, SITUATIONS);
	tcase_add_test(t, loading_moves_no_data);
	tcase_add_loop_test(t, truncated_states, 0, SITUATIONS);
	tcase_add_loop_test(t, states_beyond_the_disk, 0, sizeof(transfers) / sizeof(transfers[0]));
	tcase_add_loop_test(t, hostile_states, 0, SITUATIONS);
	tcase_add_loop_test(t, any_accesses, 0, 4);
	tcase_add_test(t, shows_its_registers);
	suite_add_tcase(s, t);
	return unit_main(s);
}
