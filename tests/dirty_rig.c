/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/dirty_rig.h"

#include <stdlib.h>

GUEST(scribble, ".code32\n mov 0x500, %eax\n sti\n"
		"1: imul $1664525, %eax, %eax\n add $1013904223, %eax\n"
		"mov %eax, %ecx\n shr $16, %ecx\n imul 0x504, %ecx\n shr $16, %ecx\n shl $12, %ecx\n"
		"mov %eax, 0x2000000(%ecx)\n"
		"incl 0x508\n jmp 1b\n");

struct dirty_map map;

void ok(int r)
{
	ck_assert_msg(r == 0, "%s", err.msg);
}

void add_slot(unsigned id, uint64_t gpa, uint64_t pages, bool log)
{
	struct slot_spec spec = { .id = id, .gpa = gpa, .size = pages * PAGE, .backing = SLOT_ANON, .log = log };
	struct slot_note note;

	ok(machine_slot_add(m, &spec, &note, &err));
}

bool is_set(uint64_t page)
{
	return page < map.pages && map.bits[page / 64] >> page % 64 & 1;
}

void look(unsigned id, enum dirty_consumer who, bool take)
{
	uint64_t n = 0;

	free(map.bits);
	map.bits = NULL;
	ok(machine_dirty_read(m, id, who, take, &map, &err));
	ck_assert_uint_eq(map.id, id);
	for (uint64_t p = 0; p < (map.pages + 63) / 64 * 64; p++)
		n += map.bits[p / 64] >> p % 64 & 1;
	ck_assert_uint_eq(map.dirty, n);
	if (map.pages % 64)
		ck_assert_uint_eq(map.bits[map.pages / 64] >> map.pages % 64, 0);
}

void put(uint64_t gpa, const void *data, size_t len)
{
	ck_assert_uint_eq(machine_phys_write(m, gpa, data, len, &err), len);
}

void expect(const int *pages)
{
	unsigned n;

	for (n = 0; pages[n] >= 0; n++)
		ck_assert_msg(is_set((uint64_t)pages[n]), "page %d is missing", pages[n]);
	ck_assert_uint_eq(map.dirty, n);
}

void fresh(uint64_t pages)
{
	GUEST_START(scribble, 0x7c00, BOOT_PROTECTED, 1);
	add_slot(ID, GPA, pages, true);
}

void end(void)
{
	free(map.bits);
	map.bits = NULL;
	guest_end();
}

static void use_rings(void)
{
	guest_dirty_ring = MACHINE_DIRTY_RING;
}

TCase *dirty_case(Suite *s, const char *name, bool rings, double timeout)
{
	TCase *c = tcase_create(name);

	tcase_set_timeout(c, timeout);
	if (rings)
		tcase_add_checked_fixture(c, use_rings, NULL);
	suite_add_tcase(s, c);
	return c;
}

int dirty_main(Suite *s, void (*add)(Suite *s, bool rings))
{
	if (page_bytes() != PAGE)
		return unit_skip_all("this host's pages have not 4096 bytes, which the test counts by");
	if (guest_no_kvm())
		return unit_skip_all("no /dev/kvm here");
	add(s, false);
	if (guest_has_rings())
		add(s, true);
	return unit_main(s);
}
