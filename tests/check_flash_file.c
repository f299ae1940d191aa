/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The file that keeps flash memory: what is written to it and when, and one that fails. */
#include "tests/flash_rig.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/disk_env.h"
#include "tests/unit.h"

static struct disk_env env;
static struct disk *disk;

static void setup(void)
{
	disk_env_init(&env);
	disk = disk_env_open(&env, &(struct disk_spec){ .path = disk_env_file(&env, 'a', SIZE) });
	flash_rig_init(disk);
}

static void teardown(void)
{
	flash_rig_done();
	disk_close(disk);
	disk_env_done(&env);
}

static void expect_file(uint32_t at, uint32_t len)
{
	static uint8_t in_file[SIZE];

	disk_env_read_file(&env, 'a', at, in_file, len);
	flash_view(flash, view, true);
	ck_assert_mem_eq(in_file, view + at, len);
}

/* As the loop does it: what the worker says, until the file owes nothing. */
static uint64_t owed;

static void note_owed(void *arg, const char *name, unsigned bits, uint64_t value, const char *text)
{
	(void)arg;
	(void)bits;
	(void)text;
	if (!strcmp(name, "owed"))
		owed = value;
}

static uint64_t how_many_owed(void)
{
	flash->ops->show(flash, &(struct dev_show){ NULL, note_owed });
	return owed;
}

static void wait_one(void)
{
	while (sem_wait(&env.done) < 0)
		ck_assert_int_eq(errno, EINTR);
	bus_poll(pc.bus);
}

static void erase_all(void)
{
	for (uint32_t at = 0; at < SIZE; at += FLASH_BLOCK) {
		put(at, 1, ERASE);
		put(at, 1, CONFIRM);
	}
}

START_TEST(the_file_follows)
{
	put(0x3004, 1, PROGRAM);
	put(0x3004, 4, 0);
	/* While it is programmed, nothing is written; then a block. */
	ck_assert_uint_eq(how_many_owed(), 1);
	command(ARRAY);
	wait_one();
	ck_assert_uint_eq(how_many_owed(), 0);
	expect_file(0, SIZE);
	/* What comes while it is busy is not lost: the worker's turn is over only with the second. */
	erase_all();
	command(ARRAY);
	put(0, 1, PROGRAM);
	put(0, 1, 0x12);
	command(ARRAY);
	while (how_many_owed())
		wait_one();
	expect_file(0, SIZE);
	ck_assert_uint_eq(view[0], 0x12);
	/* Without anybody's poll. */
	put(8, 1, PROGRAM);
	put(8, 1, 0x34);
	ck_assert_int_eq(flash_sync(flash, &err), 0);
	ck_assert_uint_eq(how_many_owed(), 0);
	expect_file(0, SIZE);
	ck_assert_uint_eq(view[8], 0x34);
}
END_TEST

START_TEST(a_loaded_state_goes_to_the_file)
{
	struct dev_buf b = { 0 };

	ck_assert_int_eq(bus_save(pc.bus, &b), 0);
	put(0x9000, 1, ERASE);
	put(0x9000, 1, CONFIRM);
	ck_assert_int_eq(flash_sync(flash, &err), 0);
	ck_assert_int_eq(bus_load(pc.bus, &b, &err), 0);
	ck_assert_int_eq(flash_sync(flash, &err), 0);
	expect_file(0, SIZE);
	ck_assert_mem_eq(view, first, SIZE);
	free(b.data);
}
END_TEST

/* Somebody shrinks it: said once, shown to the guest, and made good when it can be. */
START_TEST(a_file_that_fails)
{
	ck_assert_int_eq(truncate(disk_env_path(&env, 'a'), SIZE - 1), 0);
	put(SIZE - 1, 1, PROGRAM);
	put(SIZE - 1, 1, 0);
	command(ARRAY);
	wait_one();
	ck_assert_uint_eq(how_many_owed(), 1);
	ck_assert_uint_eq(pc.troubles, 1);
	ck_assert_ptr_nonnull(strstr(pc.trouble, "cannot be written: Input/output error"));
	ck_assert_ptr_nonnull(strstr(pc.trouble, disk_env_path(&env, 'a')));
	command(STATUS);
	ck_assert_uint_eq(get(0, 1), READY | FAILED);
	ck_assert_int_eq(flash_sync(flash, &err), -EIO);
	ck_assert_ptr_nonnull(strstr(err.msg, disk_env_path(&env, 'a')));
	ck_assert_uint_eq(how_many_owed(), 1);
	ck_assert_int_eq(truncate(disk_env_path(&env, 'a'), SIZE), 0);
	ck_assert_int_eq(flash_sync(flash, &err), 0);
	expect_file(SIZE - FLASH_BLOCK, FLASH_BLOCK);
	ck_assert_uint_eq(view[SIZE - 1], 0);
}
END_TEST

START_TEST(refused)
{
	static const size_t sizes[] = { 0, 1, FLASH_BLOCK - 1, FLASH_BLOCK + 1, FLASH_MAX + FLASH_BLOCK };
	struct device *none = NULL;

	for (size_t i = 0; i < COUNT(sizes); i++)
		ck_assert_int_eq(flash_attach(pc.bus, &(struct flash_spec){ .gpa = GPA, .data = first, .size = sizes[i] }, &none,
					      &err), -EINVAL);
	ck_assert_int_eq(flash_attach(pc.bus, &(struct flash_spec){ .gpa = GPA, .data = first, .size = FLASH_BLOCK, .disk = disk },
				      &none, &err), -EINVAL);
	ck_assert_ptr_nonnull(strstr(err.msg, disk_env_path(&env, 'a')));
	ck_assert_ptr_null(none);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("flash_file");
	TCase *f = tcase_create("file");

	tcase_add_checked_fixture(f, setup, teardown);
	tcase_add_test(f, the_file_follows);
	tcase_add_test(f, a_loaded_state_goes_to_the_file);
	tcase_add_test(f, a_file_that_fails);
	tcase_add_test(f, refused);
	tcase_set_timeout(f, 60);
	suite_add_tcase(s, f);
	return unit_main(s);
}
