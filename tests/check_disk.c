/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dev/disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/disk_env.h"
#include "tests/unit.h"

#define SIZE    (64 * 512u)

static struct disk_env env;
static uint8_t buf[DISK_REQUEST_MAX];

static void setup(void)
{
	disk_env_init(&env);
}

static void teardown(void)
{
	disk_env_done(&env);
}

static struct disk *open_a(const struct disk_spec *how)
{
	struct disk_spec spec = *how;

	spec.path = disk_env_path(&env, 'a');
	return disk_env_open(&env, &spec);
}

static const struct disk_spec rw = { 0 }, ro = { .readonly = true }, snap = { .snapshot = true };
static const struct disk_spec cd = { .cdrom = true };

/* Opens file NAME, which must fail with CODE, and gives back the text. */
static const char *refused(char name, const struct disk_spec *how, int code)
{
	static struct err err;
	struct disk_spec spec = *how;
	struct disk *d = NULL;

	err = (struct err){ 0 };
	spec.path = disk_env_path(&env, name);
	ck_assert_int_eq(disk_open(&spec, disk_env_post, &env, &d, &err), -code);
	ck_assert_ptr_null(d);
	ck_assert_int_eq(err.code, code);
	ck_assert_ptr_nonnull(strstr(err.msg, spec.path));
	return err.msg;
}

static void expect_pattern(const uint8_t *data, uint64_t at, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (data[i] != disk_env_byte(at + i))
			ck_abort_msg("byte %llu is 0x%02x", (unsigned long long)(at + i), data[i]);
}

START_TEST(says_what_it_is)
{
	const struct disk_info *info;
	struct disk *d;

	disk_env_file(&env, 'a', SIZE);
	d = open_a(&rw);
	info = disk_info(d);
	ck_assert_str_eq(info->path, disk_env_path(&env, 'a'));
	ck_assert_uint_eq(info->size, SIZE);
	ck_assert_uint_eq(info->sector, 512);
	ck_assert(!info->readonly && !info->snapshot && !info->cdrom);
	disk_close(d);
	d = open_a(&snap);
	ck_assert(disk_info(d)->snapshot && !disk_info(d)->readonly);
	disk_close(d);
	/* A CD's last, incomplete sector is none. */
	disk_env_file(&env, 'a', 5 * 2048 + 100);
	d = open_a(&cd);
	info = disk_info(d);
	ck_assert_uint_eq(info->size, 5 * 2048);
	ck_assert_uint_eq(info->sector, 2048);
	ck_assert(info->readonly && info->cdrom);
	disk_close(d);
}
END_TEST

START_TEST(refuses_what_is_no_image)
{
	const char *text;

	refused('a', &rw, ENOENT);
	disk_env_file(&env, 'a', 0);
	refused('a', &rw, EINVAL);
	refused('a', &cd, EINVAL);
	disk_env_file(&env, 'a', 1000);
	text = refused('a', &rw, EINVAL);
	ck_assert_ptr_nonnull(strstr(text, "1000"));
	ck_assert_ptr_nonnull(strstr(text, "1024"));
	disk_env_file(&env, 'a', 2047);
	refused('a', &cd, EINVAL);
	refused('a', &ro, EINVAL);
	/* Nobody waits for a FIFO's other end. */
	ck_assert_int_eq(mkfifo(disk_env_path(&env, 'b'), 0600), 0);
	refused('b', &rw, EINVAL);
	refused('b', &ro, EINVAL);
	ck_assert_int_eq(mkdir(disk_env_path(&env, 'c'), 0700), 0);
	refused('c', &rw, EISDIR);
	refused('c', &ro, EINVAL);
	ck_assert_int_eq(rmdir(disk_env_path(&env, 'c')), 0);
	ck_assert_int_eq(symlink("/dev/zero", disk_env_path(&env, 'd')), 0);
	refused('d', &ro, EINVAL);
}
END_TEST

START_TEST(names_the_way_out)
{
	/* On a file system that is read-only, or as a user that may not, the answer is the same. */
	disk_env_file(&env, 'a', SIZE);
	ck_assert_int_eq(chmod(disk_env_path(&env, 'a'), 0444), 0);
	if (geteuid() != 0)
		ck_assert_ptr_nonnull(strstr(refused('a', &rw, EACCES), ",ro"));
	disk_close(open_a(&ro));
	disk_close(open_a(&snap));
}
END_TEST

static const struct {
	const struct disk_spec *first, *second;
	bool together;
} sharing[] = {
	{ &rw, &rw, false }, { &rw, &ro, false }, { &ro, &rw, false }, { &rw, &snap, false }, { &snap, &rw, false },
	{ &ro, &ro, true }, { &snap, &snap, true }, { &ro, &snap, true }, { &cd, &rw, false }, { &cd, &cd, true },
};

START_TEST(one_file_has_one_writer)
{
	struct disk_spec spec = *sharing[_i].second;
	struct disk *d;

	disk_env_file(&env, 'a', SIZE);
	d = open_a(sharing[_i].first);
	/* By another name it is the same file. */
	ck_assert_int_eq(symlink(disk_env_path(&env, 'a'), disk_env_path(&env, 'b')), 0);
	spec.path = disk_env_path(&env, 'b');
	if (sharing[_i].together)
		disk_close(disk_env_open(&env, &spec));
	else
		refused('b', &spec, EBUSY);
	disk_close(d);
	/* Closed, it is free. */
	disk_close(disk_env_open(&env, &spec));
}
END_TEST

START_TEST(another_process_has_it)
{
	int ready[2], go[2], fd, status;
	pid_t pid;
	char c = 0;

	disk_env_file(&env, 'a', SIZE);
	ck_assert_int_eq(pipe(ready), 0);
	ck_assert_int_eq(pipe(go), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (!pid) {
		fd = open(disk_env_path(&env, 'a'), O_RDWR);
		if (fd < 0 || flock(fd, LOCK_EX) < 0 || write(ready[1], &c, 1) != 1)
			_exit(1);
		close(go[1]);
		if (read(go[0], &c, 1) < 0)
			_exit(1);
		_exit(0);
	}
	ck_assert_int_eq(read(ready[0], &c, 1), 1);
	refused('a', &rw, EBUSY);
	refused('a', &ro, EBUSY);
	close(go[1]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	disk_close(open_a(&rw));
	close(go[0]);
	close(ready[0]);
	close(ready[1]);
}
END_TEST

START_TEST(reads_and_writes)
{
	struct disk *d;
	size_t i;

	disk_env_file(&env, 'a', SIZE);
	d = open_a(&rw);
	ck_assert_int_eq(disk_env_run(&env, d, DISK_READ, 512, buf, 1024), 0);
	expect_pattern(buf, 512, 1024);
	ck_assert_int_eq(disk_env_run(&env, d, DISK_READ, 0, buf, SIZE), 0);
	expect_pattern(buf, 0, SIZE);
	for (i = 0; i < 1024; i++)
		buf[i] = (uint8_t)(i * 7);
	ck_assert_int_eq(disk_env_run(&env, d, DISK_WRITE, SIZE - 1024, buf, 1024), 0);
	ck_assert_int_eq(disk_env_run(&env, d, DISK_FLUSH, 0, NULL, 0), 0);
	disk_env_read_file(&env, 'a', SIZE - 1024, buf + 1024, 1024);
	ck_assert_mem_eq(buf, buf + 1024, 1024);
	disk_env_read_file(&env, 'a', 0, buf, SIZE - 1024);
	expect_pattern(buf, 0, SIZE - 1024);
	disk_close(d);
}
END_TEST

static const struct {
	enum disk_op op;
	uint64_t offset;
	size_t len;
	int r;
} bad[] = {
	{ DISK_READ, 0, 0, -EINVAL }, { DISK_READ, 0, 511, -EINVAL }, { DISK_READ, 1, 512, -EINVAL },
	{ DISK_READ, SIZE, 512, -EINVAL }, { DISK_READ, SIZE - 512, 1024, -EINVAL }, { DISK_WRITE, SIZE, 512, -EINVAL },
	{ DISK_READ, UINT64_MAX - 511, 512, -EINVAL }, { DISK_READ, UINT64_MAX - 511, 1024, -EINVAL },
	{ DISK_READ, 0, DISK_REQUEST_MAX + 512, -EINVAL },
};

START_TEST(refuses_bad_requests)
{
	struct disk *d;
	int r = 1;

	disk_env_file(&env, 'a', SIZE);
	d = open_a(&rw);
	ck_assert_int_eq(disk_begin(d, bad[_i].op, bad[_i].offset, buf, bad[_i].len), bad[_i].r);
	ck_assert(!disk_busy(d));
	ck_assert(!disk_finished(d, &r));
	ck_assert_int_eq(r, 1);
	disk_close(d);
	d = open_a(&ro);
	ck_assert_int_eq(disk_begin(d, DISK_WRITE, 0, buf, 512), -EROFS);
	ck_assert_int_eq(disk_env_run(&env, d, DISK_FLUSH, 0, NULL, 0), 0);
	disk_close(d);
}
END_TEST

START_TEST(one_request_at_a_time)
{
	struct disk *d;
	unsigned i;
	int r = 1;

	disk_env_file(&env, 'a', SIZE);
	d = open_a(&rw);
	ck_assert_int_eq(disk_begin(d, DISK_READ, 0, buf, 512), 0);
	/* Under way, or done and not taken: both are one too many. */
	ck_assert_int_eq(disk_begin(d, DISK_READ, 0, buf, 512), -EBUSY);
	ck_assert_int_eq(sem_wait(&env.done), 0);
	ck_assert_int_eq(disk_begin(d, DISK_READ, 0, buf, 512), -EBUSY);
	ck_assert(disk_finished(d, &r));
	ck_assert_int_eq(r, 0);
	ck_assert(!disk_finished(d, &r));
	/* Settled, all of it is there, and nothing is left of it. */
	for (i = 0; i < 100; i++) {
		memset(buf, 0, SIZE);
		ck_assert_int_eq(disk_begin(d, DISK_READ, 0, buf, SIZE), 0);
		disk_settle(d);
		expect_pattern(buf, 0, SIZE);
	}
	ck_assert(!disk_busy(d));
	ck_assert(!disk_finished(d, &r));
	disk_settle(d);
	/* Closed while it is under way, it is carried out. */
	memset(buf, 0x5a, 512);
	ck_assert_int_eq(disk_begin(d, DISK_WRITE, 0, buf, 512), 0);
	disk_close(d);
	disk_env_read_file(&env, 'a', 0, buf + 512, 512);
	ck_assert_mem_eq(buf, buf + 512, 512);
}
END_TEST

START_TEST(shrunk_while_open)
{
	struct disk *d;
	struct stat st;

	disk_env_file(&env, 'a', SIZE);
	d = open_a(&rw);
	ck_assert_int_eq(truncate(disk_env_path(&env, 'a'), 1000), 0);
	ck_assert_int_eq(disk_env_run(&env, d, DISK_READ, 0, buf, 512), 0);
	ck_assert_int_eq(disk_env_run(&env, d, DISK_READ, 512, buf, 512), -EIO);
	ck_assert_int_eq(disk_env_run(&env, d, DISK_READ, 4096, buf, 512), -EIO);
	ck_assert_int_eq(disk_env_run(&env, d, DISK_WRITE, 4096, buf, 512), -EIO);
	/* It has not grown again. */
	ck_assert_int_eq(stat(disk_env_path(&env, 'a'), &st), 0);
	ck_assert_int_eq(st.st_size, 1000);
	ck_assert_int_eq(disk_env_run(&env, d, DISK_WRITE, 0, buf, 512), 0);
	ck_assert_uint_eq(disk_info(d)->size, SIZE);
	disk_close(d);
	/* A snapshot reads what it has itself. */
	disk_env_file(&env, 'a', SIZE);
	d = open_a(&snap);
	memset(buf, 0x11, 8192);
	ck_assert_int_eq(disk_env_run(&env, d, DISK_WRITE, 4096, buf, 4096), 0);
	ck_assert_int_eq(truncate(disk_env_path(&env, 'a'), 512), 0);
	ck_assert_int_eq(disk_env_run(&env, d, DISK_READ, 4096, buf, 4096), 0);
	ck_assert_int_eq(disk_env_run(&env, d, DISK_READ, 4096, buf, 4096 + 512), -EIO);
	ck_assert_int_eq(disk_env_run(&env, d, DISK_WRITE, 8192, buf, 512), -EIO);
	ck_assert_int_eq(disk_env_run(&env, d, DISK_READ, 8192, buf, 512), -EIO);
	disk_close(d);
}
END_TEST

START_TEST(removed_while_open)
{
	struct disk *d;

	disk_env_file(&env, 'a', SIZE);
	d = open_a(&rw);
	ck_assert_int_eq(unlink(disk_env_path(&env, 'a')), 0);
	ck_assert_int_eq(disk_env_run(&env, d, DISK_READ, 512, buf, 512), 0);
	expect_pattern(buf, 512, 512);
	memset(buf, 0x33, 512);
	ck_assert_int_eq(disk_env_run(&env, d, DISK_WRITE, 512, buf, 512), 0);
	ck_assert_int_eq(disk_env_run(&env, d, DISK_READ, 512, buf + 512, 512), 0);
	ck_assert_mem_eq(buf, buf + 512, 512);
	disk_close(d);
}
END_TEST

/* 40 KiB and a half block: the last block of a snapshot is not whole. */
#define SNAP_SECTORS    84u

START_TEST(snapshots_keep_writes)
{
	static uint8_t model[SNAP_SECTORS * 512], file[SNAP_SECTORS * 512];
	struct disk *d;
	unsigned i, j, at, n;
	size_t len;

	srand(4711);
	disk_env_file(&env, 'a', sizeof(model));
	for (i = 0; i < sizeof(model); i++)
		model[i] = disk_env_byte(i);
	d = open_a(&snap);
	for (i = 0; i < 400; i++) {
		at = (unsigned)rand() % SNAP_SECTORS;
		n = 1 + (unsigned)rand() % (SNAP_SECTORS - at);
		if (i % 3)
			n = 1 + n % 3 > SNAP_SECTORS - at ? 1 : 1 + n % 3;
		len = n * 512;
		if (rand() & 1) {
			for (j = 0; j < len; j++)
				model[at * 512 + j] = buf[j] = (uint8_t)rand();
			ck_assert_int_eq(disk_env_run(&env, d, DISK_WRITE, at * 512, buf, len), 0);
		} else {
			memset(buf, 0, len);
			ck_assert_int_eq(disk_env_run(&env, d, DISK_READ, at * 512, buf, len), 0);
			ck_assert_mem_eq(buf, model + at * 512, len);
		}
	}
	ck_assert_int_eq(disk_env_run(&env, d, DISK_FLUSH, 0, NULL, 0), 0);
	disk_close(d);
	disk_env_read_file(&env, 'a', 0, file, sizeof(file));
	expect_pattern(file, 0, sizeof(file));
}
END_TEST

static unsigned count_entries(const char *path)
{
	DIR *dir = opendir(path);
	unsigned n = 0;

	ck_assert_ptr_nonnull(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

START_TEST(leaves_nothing_behind)
{
	unsigned fds, tasks, i;

	disk_env_file(&env, 'a', SIZE);
	disk_env_file(&env, 'b', 100);
	disk_close(open_a(&rw));
	fds = count_entries("/proc/self/fd");
	tasks = count_entries("/proc/self/task");
	for (i = 0; i < 50; i++) {
		struct disk *d = open_a(i & 1 ? &snap : &rw);

		refused('b', &rw, EINVAL);
		if (!(i & 1))
			refused('a', &rw, EBUSY);
		ck_assert_int_eq(disk_begin(d, DISK_WRITE, 0, buf, 8192), 0);
		disk_close(d);
	}
	ck_assert_uint_eq(count_entries("/proc/self/fd"), fds);
	/* A thread that has been joined is seen there for a moment longer: now, and perhaps when they were counted first. */
	for (i = 0; i < 1000000 && count_entries("/proc/self/task") > tasks; i++)
		sched_yield();
	ck_assert_uint_le(count_entries("/proc/self/task"), tasks);
	disk_close(NULL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("disk");
	TCase *t = tcase_create("disk");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, says_what_it_is);
	tcase_add_test(t, refuses_what_is_no_image);
	tcase_add_test(t, names_the_way_out);
	tcase_add_loop_test(t, one_file_has_one_writer, 0, sizeof(sharing) / sizeof(sharing[0]));
	tcase_add_test(t, another_process_has_it);
	tcase_add_test(t, reads_and_writes);
	tcase_add_loop_test(t, refuses_bad_requests, 0, sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(t, one_request_at_a_time);
	tcase_add_test(t, shrunk_while_open);
	tcase_add_test(t, removed_while_open);
	tcase_add_test(t, snapshots_keep_writes);
	tcase_add_test(t, leaves_nothing_behind);
	suite_add_tcase(s, t);
	return unit_main(s);
}
