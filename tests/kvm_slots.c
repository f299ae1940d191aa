/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Memory slots on the real KVM, with a guest that uses them: each kind of memory, each change, resets. */
#include "tests/slots_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit.h"

static char path2[64];

static struct slot_info slot(unsigned id)
{
	struct slot_info i;

	for (size_t n = 0; machine_slot_list(m, n, &i); n++)
		if (i.id == id)
			return i;
	ck_abort_msg("there is no slot %u", id);
	return i;
}

static size_t slot_count(void)
{
	struct slot_info i;
	size_t n = 0;

	while (machine_slot_list(m, n, &i))
		n++;
	return n;
}

static uint32_t file_u32(const char *name, off_t at)
{
	int fd = open(name, O_RDONLY);
	uint32_t v = 0;

	ck_assert_int_eq(pread(fd, &v, 4, at), 4);
	close(fd);
	return v;
}

static void teardown(void)
{
	if (*path2)
		unlink(path2);
	slots_rig_done();
}

START_TEST(huge_pages)
{
	struct slot_spec s = { .id = 3, .gpa = AT, .size = 2 << 20, .backing = SLOT_HUGETLB, .huge_size = 2 << 20 };
	int r = machine_slot_add(m, &s, &note, &err);

	if (r) {        /* none reserved on this host */
		ck_assert_int_eq(r, -ENOMEM);
		ck_assert_msg(strstr(err.msg, "/proc/sys/vm/nr_hugepages"), "message: %s", err.msg);
		ck_assert_uint_eq(slot_count(), 1);
	} else {
		run_a_while();
		ck_assert_str_eq(slot(3).backing, "hugetlb:2M");
		ck_assert(slot(3).huge_aligned);
	}
	check_slots();
}
END_TEST

/* Every kind of memory, read and written by the guest. */
START_TEST(backings)
{
	static const bool ro = true;

	ADD(.id = 1, .gpa = AT, .size = 0x5000, .backing = _i ? SLOT_MEMFD : SLOT_ANON);
	ck_assert(slot(1).huge_aligned);
	ck_assert_str_eq(slot(1).backing, _i ? "memfd" : "anon");
	put_u32(AT, 77);
	run_a_while();
	ck_assert_uint_eq(guest_u32(0x500), 77);
	ck_assert_uint_ge(guest_u32(AT + 4), 20);

	/* The same memory twice. */
	ADD(.id = 2, .gpa = OTHER, .size = 0x1000, .backing = SLOT_ALIAS, .alias_of = 1);
	ck_assert_str_eq(slot(2).backing, "alias:1+0x0");
	put_u32(OTHER, 78);
	run_a_while();
	ck_assert_uint_eq(guest_u32(0x500), 78);
	ck_assert_uint_eq(guest_u32(AT + 4), guest_u32(OTHER + 4));
	OK(machine_slot_remove(m, 1, &note, &err));
	ck_assert_uint_eq(guest_u32(OTHER), 78);
	ck_assert_msg(!strcmp(slot(2).backing, "alias (what was slot 1)"), "%s", slot(2).backing);
	check_slots();

	/* Nobody there reads as ones; a new slot as zero. */
	run_a_while();
	ck_assert_uint_eq(guest_u32(0x500), UINT32_MAX);
	ADD(.id = 1, .gpa = AT, .size = 0x5000, .backing = _i ? SLOT_MEMFD : SLOT_ANON);
	run_a_while();
	ck_assert_uint_eq(guest_u32(0x500), 0);

	/* Writes to read-only memory go nowhere. */
	OK(machine_slot_flags(m, 1, NULL, &ro, &err));
	put_u32(AT + 4, 1);
	run_a_while();
	ck_assert_uint_eq(guest_u32(AT + 4), 1);
	check_slots();
}
END_TEST

START_TEST(files)
{
	static const bool rw = false;

	ADD(.id = 1, .gpa = AT, .size = 0x3000, .backing = SLOT_FILE, .path = path, .offset = 0x2000, .shared = true);
	ADD(.id = 2, .gpa = OTHER, .size = 0x3000, .backing = SLOT_FILE, .path = path, .offset = 0x5000);
	ck_assert_ptr_nonnull(strstr(slot(1).backing, "/data@0x2000 shared"));
	ck_assert_ptr_nonnull(strstr(slot(2).backing, "/data@0x5000 private"));
	run_a_while();
	ck_assert_uint_eq(guest_u32(0x500), 0x1002);
	ck_assert_uint_ge(file_u32(path, 0x2004), 20);
	ck_assert_uint_eq(guest_u32(OTHER), 0x1005);
	put_u32(OTHER, 5);
	ck_assert_uint_eq(file_u32(path, 0x5000), 0x1005);

	/* A trap in a shared file is not left there. */
	OK(guest_break(BREAK_OWNER_GDB, BREAK_SOFT, AT + 0x1000));
	OK(machine_slot_remove(m, 1, &note, &err));
	ck_assert_uint_eq(file_u32(path, 0x3000), 0x1003);

	/* One that cannot be written, for a read-only slot; it stays that. */
	ADD(.id = 3, .gpa = AT, .size = 0x1000, .backing = SLOT_FILE, .path = "/proc/self/exe", .shared = true,
	    .readonly = true);
	ck_assert_int_eq(machine_slot_flags(m, 3, NULL, &rw, &err), -EACCES);
	run_a_while();
	ck_assert_uint_eq(guest_u32(0x500), 0x464c457f);
	put_u32(AT, 1);
	check_slots();
}
END_TEST

START_TEST(moves_and_notes)
{
	struct slot_info i;

	ADD(.id = 1, .gpa = OTHER, .size = 3 * MIB, .backing = SLOT_ANON);
	ck_assert_str_eq(note.text, "");
	put_u32(OTHER, 42);
	put_u32(OTHER + 3 * MIB - 4, 43);
	put_u32(OTHER + 0x2000, 0x11223344);
	OK(guest_break(BREAK_OWNER_GDB, BREAK_SOFT, OTHER + 0x2000));
	OK(machine_slot_move(m, 1, OTHER + 0x1000, &note, &err));        /* onto itself, in part */
	ck_assert_ptr_nonnull(strstr(note.text, "no large pages"));
	ck_assert(!slot(1).huge_aligned);
	/* The trap was not moved with it. */
	ck_assert_uint_eq(guest_u32(OTHER + 0x3000), 0x11223344);
	guest_continue();
	for (unsigned n = 0; n < 20; n++) {
		OK(machine_hold(m, &err));
		OK(machine_slot_move(m, 1, n % 2 ? OTHER : AT, &note, &err));
		check_slots();
		machine_release(m);
		machine_poll(m, 0);
	}
	stop_now();
	OK(machine_slot_move(m, 1, AT, &note, &err));
	ck_assert_str_eq(note.text, "");
	run_a_while();
	ck_assert_uint_eq(guest_u32(0x500), 42);
	ck_assert_uint_eq(guest_u32(AT + 3 * MIB - 4), 43);
	i = slot(1);
	ck_assert_uint_eq(i.gpa, AT);
	ck_assert_uint_eq(guest_u32(AT + 0x2000), 0x11223344);
	check_slots();
}
END_TEST

START_TEST(splits_and_sizes)
{
	unsigned high = 0;

	ADD(.id = 1, .gpa = AT, .size = 0x5000, .backing = _i ? SLOT_MEMFD : SLOT_ANON);
	for (unsigned i = 0; i < 5; i++)
		put_u32(AT + i * 0x1000, i + 1);
	OK(machine_slot_split(m, 1, 0x3000, &high, &err));
	ck_assert_uint_eq(high, 2);
	ck_assert_uint_eq(slot(1).size, 0x3000);
	ck_assert_uint_eq(slot(2).gpa, AT + 0x3000);
	ck_assert_uint_eq(slot(2).size, 0x2000);
	OK(machine_slot_move(m, 2, OTHER, &note, &err));
	ck_assert_uint_eq(guest_u32(OTHER + 0x1000), 5);
	check_slots();
	OK(machine_slot_remove(m, 2, &note, &err));

	/* Smaller, then larger: what comes is zero. */
	OK(machine_slot_resize(m, 1, 0x2000, &err));
	run_a_while();
	OK(machine_slot_resize(m, 1, 0x700000, &err));
	check_slots();
	ck_assert_uint_eq(guest_u32(AT), 1);
	ck_assert_uint_eq(guest_u32(AT + 0x1000), 2);
	for (unsigned i = 2; i < 0x700; i++)
		ck_assert_uint_eq(guest_u32(AT + i * 0x1000), 0);
	put_u32(AT, 9);
	run_a_while();
	ck_assert_uint_eq(guest_u32(0x500), 9);
}
END_TEST

START_TEST(discard_and_remap)
{
	ADD(.id = 1, .gpa = AT, .size = 0x5000, .backing = _i ? SLOT_MEMFD : SLOT_ANON);
	put_u32(AT, 1);
	put_u32(AT + 0x1000, 2);
	run_a_while();
	OK(machine_slot_discard(m, 1, 0, 0x1000, &err));
	ck_assert_uint_eq(guest_u32(AT), 0);
	ck_assert_uint_eq(guest_u32(AT + 0x1000), 2);
	run_a_while();
	ck_assert_uint_eq(guest_u32(0x500), 0);
	OK(machine_slot_remap(m, 1, 0, 0x1000, path, 0x7000, &err));
	run_a_while();
	ck_assert_uint_eq(guest_u32(0x500), 0x1007);
	ck_assert_uint_eq(file_u32(path, 0x7004), 0);
	ck_assert_int_eq(machine_slot_resize(m, 1, 0x6000, &err), -ENOTSUP);
	OK(machine_slot_discard(m, 1, 0, 0x5000, &err));
	ck_assert_uint_eq(guest_u32(AT), 0x1007);
	ck_assert_uint_eq(guest_u32(AT + 0x1000), 0);
	check_slots();
}
END_TEST

START_TEST(dirty_pages_survive)
{
	static const bool yes = true;
	struct dirty_map map;
	unsigned high;

	ADD(.id = 1, .gpa = OTHER, .size = 0x5000, .log = true);
	put_u32(OTHER + 0x1000, 1);
	OK(machine_slot_move(m, 1, AT, &note, &err));
	run_a_while();
	put_u32(AT + 0x4000, 1);
	OK(machine_slot_split(m, 1, 0x3000, &high, &err));
	ck_assert(slot(high).log);
	OK(machine_dirty_read(m, 1, DIRTY_USER, true, &map, &err));
	ck_assert_uint_eq(map.pages, 3);
	ck_assert_uint_eq(map.bits[0], 3);      /* the guest's, and ours */
	free(map.bits);
	OK(machine_dirty_read(m, high, DIRTY_USER, true, &map, &err));
	ck_assert_uint_eq(map.bits[0], 2);
	free(map.bits);
	/* What the guest wrote before a change is not lost by it. */
	run_a_while();
	OK(machine_slot_flags(m, 1, NULL, &yes, &err));
	OK(machine_slot_resize(m, 1, 0x2000, &err));
	OK(machine_dirty_read(m, 1, DIRTY_USER, true, &map, &err));
	ck_assert_uint_eq(map.pages, 2);
	ck_assert_uint_eq(map.bits[0], 1);
	free(map.bits);
	/* What is thrown away has changed. */
	OK(machine_slot_discard(m, 1, 0x1000, 0x1000, &err));
	OK(machine_dirty_read(m, 1, DIRTY_USER, true, &map, &err));
	ck_assert_uint_eq(map.bits[0], 2);
	free(map.bits);
	check_slots();
}
END_TEST

START_TEST(running_code_removed)
{
	OK(machine_slot_remove(m, 0, &note, &err));
	ck_assert_msg(strstr(note.text, "pc 0x7c00"), "note: %s", note.text);
	ck_assert_uint_eq(slot_count(), 0);
	check_slots();
	guest_continue();
	guest_wait();
	ck_assert_msg(stop.reason == STOP_ERROR || stop.reason == STOP_TRIPLE_FAULT, "reason %d", stop.reason);
	ck_assert(*stop.text);

	/* A reset brings back what was. */
	OK(machine_reset(m, &err));
	guest_wait();
	ck_assert_uint_eq(slot(0).size, 16 * MIB);
	run_a_while();
	check_slots();
}
END_TEST

START_TEST(reset_restores)
{
	unsigned high;

	OK(guest_break(BREAK_OWNER_GDB, BREAK_SOFT, 0x7c10));
	put_u32(0x8000, 5);
	OK(machine_slot_split(m, 0, MIB, &high, &err));
	OK(machine_slot_move(m, 0, AT, &note, &err));
	ADD(.id = 7, .gpa = 0, .size = 0x10000, .backing = SLOT_FILE, .path = path, .shared = true);
	OK(machine_reset(m, &err));
	guest_wait();
	ck_assert_uint_eq(slot_count(), 1);
	ck_assert_uint_eq(slot(0).size, 16 * MIB);
	ck_assert_str_eq(slot(0).label, "ram");
	ck_assert_uint_eq(guest_u32(0x8000), 0);
	ck_assert_uint_eq(file_u32(path, 0x7c10 & ~3), 0);
	check_slots();
	guest_continue();
	guest_wait();
	ck_assert_uint_eq(stop.reason, STOP_BREAKPOINT);
	ck_assert_uint_eq(stop.pc, 0x7c10);
}
END_TEST

/* RAM that was changed beneath is cleared all the same, and its log tells of it. */
START_TEST(reset_clears)
{
	static const bool yes = true;
	struct dirty_map map;

	OK(machine_slot_remap(m, 0, 0x10000, 0x1000, path, 0x7000, &err));
	ck_assert_uint_eq(guest_u32(0x10000), 0x1007);
	OK(machine_reset(m, &err));
	guest_wait();
	ck_assert_uint_eq(guest_u32(0x10000), 0);

	OK(machine_slot_flags(m, 0, &yes, NULL, &err));
	put_u32(0x20000, 1);
	OK(machine_dirty_read(m, 0, DIRTY_USER, true, &map, &err));
	ck_assert_uint_eq(map.dirty, 1);
	free(map.bits);
	OK(machine_reset(m, &err));
	guest_wait();
	ck_assert_uint_eq(guest_u32(0x20000), 0);
	OK(machine_dirty_read(m, 0, DIRTY_USER, true, &map, &err));
	ck_assert_uint_eq(map.dirty, 16 * MIB / 4096);
	free(map.bits);
	check_slots();
}
END_TEST

START_TEST(save)
{
	struct stat st;

	snprintf(path2, sizeof(path2), "%s/saved", dir);
	put_u32(0x7c20, 0x12345678);
	put_u32(0xfffffc, 7);
	OK(guest_break(BREAK_OWNER_GDB, BREAK_SOFT, 0x7c20));
	OK(machine_slot_save(m, 0, path2, &err));
	ck_assert_int_eq(stat(path2, &st), 0);
	ck_assert_uint_eq(st.st_size, 16 * MIB);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	ck_assert_uint_eq(file_u32(path2, 0x7c20), 0x12345678);
	ck_assert_uint_eq(file_u32(path2, 0xfffffc), 7);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("slots");
	TCase *t = tcase_create("slots");

	if (guest_no_kvm())
		return unit_skip_all("/dev/kvm cannot be opened");
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, slots_rig_init, teardown);
	tcase_add_test(t, huge_pages);
	tcase_add_loop_test(t, backings, 0, 2);
	tcase_add_test(t, files);
	tcase_add_test(t, moves_and_notes);
	tcase_add_loop_test(t, splits_and_sizes, 0, 2);
	tcase_add_loop_test(t, discard_and_remap, 0, 2);
	tcase_add_test(t, dirty_pages_survive);
	tcase_add_test(t, running_code_removed);
	tcase_add_test(t, reset_restores);
	tcase_add_test(t, reset_clears);
	tcase_add_test(t, save);
	suite_add_tcase(s, t);
	return unit_main(s);
}
