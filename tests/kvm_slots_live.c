/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Memory slots and dirty logs under a guest that runs, on one vCPU and on four: the behaviours that the kernel's
 * own selftests (set_memory_region_test, memslot_perf_test, memslot_modification_stress_test, dirty_log_test) pin
 * down, through our operations.
 */
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/kvm_harness.h"
#include "tests/unit.h"

/*
 * Every vCPU starts at 0x8000, the first as the image's entry, the others by INIT and SIPI as in kvm_smp.c; goes to
 * flat protected mode, on to compatibility mode when it is given page tables, says 'c' and works for ever, interrupts
 * on.  Watching: reads the dword at its place and counts what it saw.  Walking: writes its round into one page after
 * the other.
 */
GUEST(live, "ljmp $0, $0x8005\n"
	    "mov $1, %eax\n cpuid\n shr $24, %ebx\n mov %ebx, %ebp\n"
	    "test %ebx, %ebx\n jnz 1f\n"
	    "mov $0x1b, %ecx\n rdmsr\n or $0xc00, %eax\n wrmsr\n"
	    "xor %edx, %edx\n mov $0x830, %ecx\n"
	    "mov $0xc4500, %eax\n wrmsr\n mov $0xc4608, %eax\n wrmsr\n"
	    "1: lgdtl 0x8318\n"
	    "mov %cr0, %eax\n or $1, %al\n mov %eax, %cr0\n"
	    "ljmpl $8, $0x8100\n"
	    ".org live + 0x100\n .code32\n"
	    "mov $16, %eax\n mov %eax, %ds\n mov %eax, %es\n mov %eax, %ss\n"
	    "shl $6, %ebp\n"
	    "mov 0x9414, %eax\n test %eax, %eax\n jz 1f\n"
	    "mov %eax, %cr3\n mov %cr4, %eax\n or $0x20, %eax\n mov %eax, %cr4\n"
	    "mov $0xc0000080, %ecx\n rdmsr\n or $0x100, %eax\n wrmsr\n"
	    "mov %cr0, %eax\n or $0x80000000, %eax\n mov %eax, %cr0\n"
	    "1: mov $'c', %al\n out %al, $0xe9\n sti\n"
	    "2: cmpl $0, 0x9400\n jne 5f\n"
	    "mov 0x9404, %esi\n mov (%esi), %eax\n"
	    "cmp 0x9408, %eax\n je 3f\n cmp 0x940c, %eax\n je 3f\n cmp $-1, %eax\n je 4f\n"
	    "mov %eax, 0x9010(%ebp)\n incl 0x900c(%ebp)\n"
	    "incl 0x9000(%ebp)\n jmp 2b\n"
	    "3: incl 0x9004(%ebp)\n incl 0x9000(%ebp)\n jmp 2b\n"
	    "4: incl 0x9008(%ebp)\n incl 0x9000(%ebp)\n jmp 2b\n"
	    "5: mov 0x9000(%ebp), %eax\n mov %eax, %edi\n xor %edx, %edx\n divl 0x9410\n"
	    "shl $12, %edx\n add 0x9404, %edx\n mov %edi, (%edx, %ebp)\n"
	    "incl 0x9000(%ebp)\n jmp 2b\n"
	    ".org live + 0x300\n"
	    ".quad 0, 0x00cf9a000000ffff, 0x00cf92000000ffff\n"
	    ".word 23\n .long 0x8300\n");
#define CODE_END 0x8300

/* What the guest is told, gpas. */
#define WALKS   0x9400          /* 0: watches */
#define PLACE   0x9404
#define OLD     0x9408          /* values that are fine to see */
#define NEW     0x940c
#define PAGES   0x9410          /* walking: how many from PLACE on, 64 bytes on for each vCPU */
#define TABLES  0x9414          /* PML4; 0: no paging */

/* What a vCPU counts, from 0x9000 + 64 * cpu on. */
enum { ROUNDS = 0, FINE = 4, ONES = 8, BAD = 12, BAD_VALUE = 16 };

#define HERE    0x2000000u      /* gpas without memory at first */
#define THERE   0x2800000u
#define ID      10
#define PAGE    DIRTY_PAGE
#define MOST_PAGES 8003         /* of a slot: more than are written between two takes */

static unsigned cpus;
static struct slot_note note;

static uint32_t cell(unsigned cpu, unsigned what)
{
	return guest_u32(0x9000 + 64 * cpu + what);
}

static void put(uint64_t gpa, uint32_t value)
{
	ck_assert_uint_eq(machine_phys_write(m, gpa, &value, sizeof(value), &err), sizeof(value));
}

/* Fills pages with a value in every dword. */
static void fill(uint64_t gpa, uint64_t size, uint32_t value)
{
	uint32_t page[PAGE / 4];

	for (size_t i = 0; i < PAGE / 4; i++)
		page[i] = value;
	for (uint64_t at = 0; at < size; at += PAGE)
		ck_assert_uint_eq(machine_phys_write(m, gpa + at, page, PAGE, &err), PAGE);
}

static void begin(int which)
{
	cpus = which ? 4 : 1;
	GUEST_START(live, 0x8000, BOOT_REAL, cpus);
}

static void run(void)
{
	guest_continue();
	guest_poll_serial(cpus);
}

static void finish(void)
{
	machine_stop(m);
	guest_wait();
	ck_assert_uint_eq(stop.reason, STOP_REQUEST);
	for (unsigned i = 0; i < cpus; i++)
		ck_assert_msg(!cell(i, BAD), "vCPU %u saw 0x%x", i, cell(i, BAD_VALUE));
	guest_end();
}

/* Lets every vCPU come round twice: it has then begun a round after now. */
static void wait_rounds(void)
{
	time_t deadline = time(NULL) + 20;
	uint32_t was[4];

	for (unsigned i = 0; i < cpus; i++)
		was[i] = cell(i, ROUNDS);
	for (unsigned i = 0; i < cpus; i++)
		while (cell(i, ROUNDS) - was[i] < 2) {
			ck_assert_msg(time(NULL) < deadline, "vCPU %u stands still", i);
			machine_poll(m, 0);
			ck_assert_msg(machine_state(m) == MACHINE_RUNNING, "vCPU %u stopped at 0x%llx: %s", stop.cpu,
				      (unsigned long long)stop.pc, stop.text);
			sched_yield();
		}
}

static void hold(void)
{
	ck_assert_msg(machine_hold(m, &err) == 0, "%s", err.msg);
}

static void add(unsigned id, uint64_t gpa, uint64_t size, bool log)
{
	const struct slot_spec spec = { .id = id, .gpa = gpa, .size = size, .backing = SLOT_ANON, .log = log };

	ck_assert_msg(machine_slot_add(m, &spec, &note, &err) == 0, "%s", err.msg);
}

static void drop(unsigned id)
{
	ck_assert_msg(machine_slot_remove(m, id, &note, &err) == 0, "%s", err.msg);
}

static void move(unsigned id, uint64_t gpa)
{
	ck_assert_msg(machine_slot_move(m, id, gpa, &note, &err) == 0, "%s", err.msg);
}

/* Whether each vCPU has counted more of WHAT since its count was WAS. */
static void all_more(unsigned what, const uint32_t *was)
{
	for (unsigned i = 0; i < cpus; i++)
		ck_assert_msg(cell(i, what) > was[i], "vCPU %u saw none of the %s", i,
			      what == ONES ? "all ones" : "values");
}

static void all_counts(unsigned what, uint32_t *ret)
{
	for (unsigned i = 0; i < cpus; i++)
		ret[i] = cell(i, what);
}

START_TEST(no_slots_at_all)
{
	struct slot_info s;

	begin(_i);
	while (machine_slot_list(m, 0, &s))
		drop(s.id);
	guest_continue();
	guest_wait();
	ck_assert_msg(stop.reason == STOP_ERROR || stop.reason == STOP_TRIPLE_FAULT, "reason %d: %s", stop.reason,
		      stop.text);
	ck_assert_str_ne(stop.text, "");
	/* A reset brings memory and image back. */
	ck_assert_msg(machine_reset(m, &err) == 0, "%s", err.msg);
	guest_wait();
	ck_assert_uint_eq(stop.reason, STOP_ENTRY);
	put(PLACE, 0x9500);
	run();
	wait_rounds();
	finish();
}
END_TEST

/* There and back: the guest sees its slot's value or nothing, never what stands beside the slot. */
START_TEST(move_in_use)
{
	uint32_t seen[4];

	begin(_i);
	add(ID, HERE, 4 * PAGE, false);
	add(ID + 1, HERE + 4 * PAGE, 4 * PAGE, false);
	add(ID + 2, THERE + 4 * PAGE, 4 * PAGE, false);
	fill(HERE, 4 * PAGE, 0x600d600d);
	fill(HERE + 4 * PAGE, 4 * PAGE, 0xbad1bad1);
	fill(THERE + 4 * PAGE, 4 * PAGE, 0xbad2bad2);
	put(PLACE, HERE + PAGE);
	put(OLD, 0x600d600d);
	put(NEW, 0x600d600d);
	run();
	for (unsigned n = 0; n < 20; n++) {
		hold();
		move(ID, THERE);
		all_counts(ONES, seen);
		machine_release(m);
		wait_rounds();
		all_more(ONES, seen);
		hold();
		move(ID, HERE);
		put(HERE + PAGE, 0x600d0000 + n);
		put(OLD, guest_u32(NEW));
		put(NEW, 0x600d0000 + n);
		all_counts(FINE, seen);
		machine_release(m);
		wait_rounds();
		all_more(FINE, seen);
	}
	finish();
}
END_TEST

START_TEST(delete_and_create_in_use)
{
	uint32_t seen[4];

	begin(_i);
	add(ID, HERE, 3 * PAGE, false);
	fill(HERE, 3 * PAGE, 0x600d600d);
	put(PLACE, HERE + 2 * PAGE + 8);
	put(OLD, 0x600d600d);
	put(NEW, 0);
	run();
	wait_rounds();
	for (unsigned n = 0; n < 20; n++) {
		hold();
		drop(ID);
		all_counts(ONES, seen);
		machine_release(m);
		wait_rounds();
		all_more(ONES, seen);
		hold();
		add(ID, HERE, 3 * PAGE, false);
		put(OLD, 0);    /* from here on: zeros */
		all_counts(FINE, seen);
		machine_release(m);
		wait_rounds();
		all_more(FINE, seen);
		hold();
		put(HERE + 2 * PAGE + 8, 0x600d0000 + n);
		put(OLD, 0x600d0000 + n);
		machine_release(m);
		wait_rounds();
	}
	finish();
}
END_TEST

/* The death of the guest, where it died, and that the machine can be had again. */
static void dies(void)
{
	guest_wait();
	ck_assert_msg(stop.reason == STOP_ERROR || stop.reason == STOP_TRIPLE_FAULT, "reason %d: %s", stop.reason,
		      stop.text);
	ck_assert_msg(stop.pc >= 0x8000 && stop.pc < CODE_END, "pc 0x%llx", (unsigned long long)stop.pc);
	ck_assert_str_ne(stop.text, "");
	guest_end();
}

START_TEST(delete_the_code)
{
	begin(_i);
	put(PLACE, 0x9500);
	run();
	hold();
	drop(0);
	ck_assert_str_ne(note.text, "");
	machine_release(m);
	dies();
}
END_TEST

START_TEST(delete_the_page_tables)
{
	begin(_i);
	add(ID, HERE, 3 * PAGE, false);
	put(HERE, (HERE + PAGE) | 3);
	put(HERE + PAGE, (HERE + 2 * PAGE) | 3);
	put(HERE + 2 * PAGE, 0x83);             /* 0 to 2 MiB as they are */
	put(TABLES, HERE);
	put(PLACE, 0x9500);
	run();
	wait_rounds();
	hold();
	drop(ID);
	machine_release(m);
	dies();
}
END_TEST

/* A slot's coming and going beside the one in use is nothing the guest could tell. */
START_TEST(neighbour_comes_and_goes)
{
	begin(_i);
	add(ID, HERE, 5 * PAGE, false);
	fill(HERE, 5 * PAGE, 0x600d600d);
	put(PLACE, HERE + 4 * PAGE + 0xffc);
	put(OLD, 0x600d600d);
	put(NEW, 0x600d600d);
	run();
	for (unsigned n = 0; n < 200; n++) {
		hold();
		add(ID + 1, HERE + 5 * PAGE, (1 + n % 70) * PAGE, n % 2);
		machine_release(m);
		machine_poll(m, 0);
		hold();
		drop(ID + 1);
		machine_release(m);
		machine_poll(m, 0);
		if (n % 20 == 0)
			wait_rounds();
	}
	wait_rounds();
	ck_assert_uint_eq(stops, 0);
	for (unsigned i = 0; i < cpus; i++)
		ck_assert_uint_eq(cell(i, ONES), 0);
	finish();
}
END_TEST

static bool bit(const struct dirty_map *map, uint64_t page)
{
	return map->bits[page / 64] >> page % 64 & 1;
}

static void take(struct dirty_map *ret)
{
	ck_assert_msg(machine_dirty_read(m, ID, DIRTY_USER, true, ret, &err) == 0, "%s", err.msg);
}

/* Takes: what was written between two is in the second, and nothing else but what each vCPU is about to count. */
static void takes_are_exact(uint32_t pages, unsigned takes)
{
	uint32_t was[4], now[4];
	struct dirty_map map;

	hold();
	take(&map);
	free(map.bits);
	all_counts(ROUNDS, was);
	machine_release(m);
	for (unsigned n = 0; n < takes; n++) {
		uint8_t must[MOST_PAGES] = { 0 }, may[MOST_PAGES] = { 0 };
		uint64_t count = 0;

		wait_rounds();
		hold();
		take(&map);
		all_counts(ROUNDS, now);
		machine_release(m);
		ck_assert_uint_eq(map.pages, pages);
		for (unsigned i = 0; i < cpus; i++) {
			/* The write of a round comes before its count: the first may be in the take before. */
			for (uint32_t k = was[i]; k != now[i] && k - was[i] <= pages; k++) {
				if (k != was[i])
					must[k % pages] = 1;
				may[k % pages] = 1;
			}
			may[now[i] % pages] = 1;
			was[i] = now[i];
		}
		for (uint32_t p = 0; p < pages; p++) {
			ck_assert_msg(!must[p] || bit(&map, p), "take %u of %u pages: page %u is lost", n, pages, p);
			ck_assert_msg(may[p] || !bit(&map, p), "take %u of %u pages: page %u was not written", n, pages,
				      p);
			count += bit(&map, p);
		}
		ck_assert_uint_eq(map.dirty, count);
		for (uint64_t p = pages; p < (pages + 63) / 64 * 64; p++)
			ck_assert(!bit(&map, p));
		free(map.bits);
	}
}

START_TEST(no_written_page_is_lost)
{
	static const uint32_t sizes[] = { 1, 63, 64, 65, 131, MOST_PAGES };

	for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
		begin(_i);
		add(ID, HERE, sizes[k] * PAGE, true);
		put(WALKS, 1);
		put(PLACE, HERE);
		put(PAGES, sizes[k]);
		run();
		takes_are_exact(sizes[k], 20);
		finish();
	}
}
END_TEST

/* The log goes on through a move, and through having been off. */
START_TEST(log_survives_changes)
{
	const bool on = true, off = false;
	struct dirty_map map;

	begin(_i);
	add(ID, HERE, 67 * PAGE, false);
	put(WALKS, 1);
	put(PLACE, HERE);
	put(PAGES, 67);
	run();
	wait_rounds();
	hold();
	ck_assert_int_lt(machine_dirty_read(m, ID, DIRTY_USER, true, &map, &err), 0);
	ck_assert_msg(machine_slot_flags(m, ID, &on, NULL, &err) == 0, "%s", err.msg);
	machine_release(m);
	takes_are_exact(67, 5);
	wait_rounds();
	hold();
	move(ID, THERE);
	take(&map);
	ck_assert_uint_ge(map.dirty, 1);        /* from before the move */
	ck_assert_uint_eq(map.gpa, THERE);
	free(map.bits);
	put(PLACE, THERE);
	machine_release(m);
	wait_rounds();
	takes_are_exact(67, 5);
	hold();
	ck_assert_msg(machine_slot_flags(m, ID, &off, NULL, &err) == 0, "%s", err.msg);
	ck_assert_msg(machine_slot_flags(m, ID, &on, NULL, &err) == 0, "%s", err.msg);
	machine_release(m);
	takes_are_exact(67, 5);
	finish();
}
END_TEST

/* An access over the end of memory: its head is memory, its tail reads as ones. */
START_TEST(access_over_the_end)
{
	const uint32_t size = 3 * PAGE, last = HERE + 3 * PAGE - 2;
	uint32_t seen[4], done;
	uint16_t head;

	begin(_i);
	add(ID, HERE, size, false);
	fill(HERE, size, 0x600d1234);
	put(PLACE, last);
	put(OLD, 0xffff600d);
	put(NEW, 0xffff600d);
	put(PAGES, 1);
	run();
	all_counts(FINE, seen);
	wait_rounds();
	all_more(FINE, seen);
	for (unsigned i = 0; i < cpus; i++)
		ck_assert_uint_eq(cell(i, ONES), 0);
	finish();

	/* Anew, lest one that still reads sees what another writes already: the first writes over the end, the others behind it. */
	begin(_i);
	add(ID, HERE, size, false);
	fill(HERE, size, 0x600d1234);
	put(WALKS, 1);
	put(PLACE, last);
	put(PAGES, 1);
	run();
	wait_rounds();
	hold();
	done = cell(0, ROUNDS);
	ck_assert_uint_eq(machine_phys_read(m, last, &head, sizeof(head), &err), sizeof(head));
	ck_assert_msg(head == (uint16_t)done || head == (uint16_t)(done - 1), "0x%x after round 0x%x", head, done);
	ck_assert_uint_eq(guest_u32(last - 4), 0x600d1234 >> 16 | 0x1234u << 16);
	machine_release(m);
	finish();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("slots_live");
	TCase *c = tcase_create("slots_live");

	if (guest_no_kvm())
		return unit_skip_all("/dev/kvm cannot be opened");
	tcase_set_timeout(c, 120);
	tcase_add_loop_test(c, no_slots_at_all, 0, 2);
	tcase_add_loop_test(c, move_in_use, 0, 2);
	tcase_add_loop_test(c, delete_and_create_in_use, 0, 2);
	tcase_add_loop_test(c, delete_the_code, 0, 2);
	tcase_add_loop_test(c, delete_the_page_tables, 0, 2);
	tcase_add_loop_test(c, neighbour_comes_and_goes, 0, 2);
	tcase_add_loop_test(c, no_written_page_is_lost, 0, 2);
	tcase_add_loop_test(c, log_survives_changes, 0, 2);
	tcase_add_loop_test(c, access_over_the_end, 0, 2);
	suite_add_tcase(s, c);
	return unit_main(s);
}
