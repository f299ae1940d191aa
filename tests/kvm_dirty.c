/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dirty logs of a guest that runs: nothing is lost, each consumer has its own, ours are in, and who wrote what. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/kvm_harness.h"
#include "tests/unit.h"

#define PAGE 4096u

#define ID    7
#define GPA   0x2000000ull      /* beyond the machine's own memory */
#define SEED  0x500             /* gpas of what the guest is told, and tells */
#define PAGES 0x504
#define COUNT 0x508

/* Writes to pages of a pseudo-random sequence, and counts them afterwards. */
GUEST(scribble, ".code32\n mov 0x500, %eax\n sti\n"
		"1: imul $1664525, %eax, %eax\n add $1013904223, %eax\n"
		"mov %eax, %ecx\n shr $16, %ecx\n imul 0x504, %ecx\n shr $16, %ecx\n shl $12, %ecx\n"
		"mov %eax, 0x2000000(%ecx)\n"
		"incl 0x508\n jmp 1b\n");

/* Writes in different ways; the symbols stand behind the instructions. */
GUEST(ways, ".code32\n mov $0x2000000, %ebx\n"
	    "movb $1, (%ebx)\n"
	    ".globl ways_byte\n ways_byte:\n"
	    "movl $0x11223344, 0x1ffe(%ebx)\n"
	    ".globl ways_across\n ways_across:\n"
	    "mov $5, %ecx\n"
	    "1: addl $2, 0x3004(%ebx)\n"
	    ".globl ways_add\n ways_add:\n"
	    "loop 1b\n"
	    "lea 0x4000(%ebx), %edi\n mov $0x5a, %al\n mov $16, %ecx\n cld\n"
	    ".globl ways_rep\n ways_rep:\n"
	    "rep stosb\n"
	    ".globl ways_rep_end\n ways_rep_end:\n"
	    "lea 0x6000(%ebx), %esp\n pushl $0x77\n"
	    ".globl ways_push\n ways_push:\n"
	    "mov 0x3004(%ebx), %edx\n mov $'.', %al\n out %al, $0xe9\n sti\n jmp .\n");
extern const unsigned char ways_byte[], ways_across[], ways_add[], ways_rep[], ways_rep_end[], ways_push[];
#define AT(symbol) (0x7c00 + (uint64_t)((symbol) - ways))

/* The first vCPU starts the second by INIT and SIPI through the x2APIC; each counts in a cell of its own. */
GUEST(two, "ljmp $0, $0x8005\n"
	   "mov $1, %eax\n cpuid\n shr $24, %ebx\n"
	   "test %ebx, %ebx\n jnz 1f\n"
	   "mov $0x1b, %ecx\n rdmsr\n or $0xc00, %eax\n wrmsr\n"
	   "xor %edx, %edx\n mov $0x830, %ecx\n"
	   "mov $0xc4500, %eax\n wrmsr\n mov $0xc4608, %eax\n wrmsr\n"
	   "1: shl $6, %ebx\n sti\n"
	   "2: incl 0x9000(%bx)\n"
	   ".globl two_inc\n two_inc:\n"
	   "jmp 2b\n");
extern const unsigned char two_inc[];

#define RING      4096          /* entries */
#define EACH      0x9400        /* gpas: pages a vCPU, and the round they are to do */
#define ROUND     0x9404
#define ROUNDS(n) (0x9000 + 64ull * (n))

/* Every vCPU writes to each of its pages once when ROUND changes, then sets its own cell to it. */
GUEST(flood, "ljmp $0, $0x8005\n"
	     "mov $1, %eax\n cpuid\n shr $24, %ebx\n mov %ebx, %ebp\n test %ebx, %ebx\n jnz 1f\n"
	     "mov $0x1b, %ecx\n rdmsr\n or $0xc00, %eax\n wrmsr\n"
	     "xor %edx, %edx\n mov $0x830, %ecx\n"
	     "mov $0xc4500, %eax\n wrmsr\n mov $0xc4608, %eax\n wrmsr\n"
	     "1: lgdtl 0x8218\n mov %cr0, %eax\n or $1, %al\n mov %eax, %cr0\n ljmpl $8, $0x8100\n"
	     ".org flood + 0x100\n .code32\n"
	     "mov $16, %eax\n mov %eax, %ds\n mov %eax, %es\n mov %eax, %ss\n sti\n"
	     "mov %ebp, %esi\n shl $6, %esi\n"
	     "1: pause\n mov 0x9404, %eax\n cmp 0x9000(%esi), %eax\n je 1b\n"
	     "mov 0x9400, %ecx\n mov %ecx, %edx\n imul %ebp, %edx\n shl $12, %edx\n"
	     "2: incl 0x2000000(%edx)\n add $0x1000, %edx\n loop 2b\n"
	     "mov %eax, 0x9000(%esi)\n jmp 1b\n"
	     ".org flood + 0x200\n"
	     ".quad 0, 0x00cf9a000000ffff, 0x00cf92000000ffff\n .word 23\n .long 0x8200\n");

static struct dirty_map map;

static void ok(int r)
{
	ck_assert_msg(r == 0, "%s", err.msg);
}

static void add_slot(unsigned id, uint64_t gpa, uint64_t pages, bool log)
{
	struct slot_spec spec = { .id = id, .gpa = gpa, .size = pages * PAGE, .backing = SLOT_ANON, .log = log };
	struct slot_note note;

	ok(machine_slot_add(m, &spec, &note, &err));
}

static void log_on(unsigned id)
{
	bool on = true;

	ok(machine_slot_flags(m, id, &on, NULL, &err));
}

static bool is_set(uint64_t page)
{
	return page < map.pages && map.bits[page / 64] >> page % 64 & 1;
}

/* What WHO has of slot ID goes to `map`, checked for what every map must be. */
static void look(unsigned id, enum dirty_consumer who, bool take)
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

static void put(uint64_t gpa, const void *data, size_t len)
{
	ck_assert_uint_eq(machine_phys_write(m, gpa, data, len, &err), len);
}

static void put_page(uint64_t page)
{
	put(GPA + page * PAGE + 8, "x", 1);
}

/* Exactly the pages in the list, which ends with -1. */
static void expect(const int *pages)
{
	unsigned n;

	for (n = 0; pages[n] >= 0; n++)
		ck_assert_msg(is_set((uint64_t)pages[n]), "page %d is missing", pages[n]);
	ck_assert_uint_eq(map.dirty, n);
}
#define EXPECT(...) expect((const int[]){ __VA_ARGS__, -1 })

static void fresh(uint64_t pages)
{
	GUEST_START(scribble, 0x7c00, BOOT_PROTECTED, 1);
	add_slot(ID, GPA, pages, true);
}

static void end(void)
{
	free(map.bits);
	map.bits = NULL;
	guest_end();
}

static uint32_t advance(uint32_t x, uint32_t *ret_page, uint32_t pages)
{
	x = x * 1664525 + 1013904223;
	*ret_page = (x >> 16) * pages >> 16;
	return x;
}

/*
 * One run: takes while the guest writes; each must hold what was written since the one before, and nothing else but the page that is
 * next: KVM logs it when it lets the guest write there, and a guest that is parked may not have.
 */
static void scribble_run(uint32_t seed, uint32_t pages, unsigned takes)
{
	static bool written[1 << 12];
	uint32_t x = seed, count = 0, page = 0, next;
	bool early = false;     /* the write after those counted was done before the last take */

	ck_assert_uint_lt(pages, sizeof(written));
	fresh(pages);
	put(SEED, &seed, 4);
	put(PAGES, &pages, 4);
	guest_continue();
	for (unsigned n = 0; n < takes; n++) {
		uint32_t now = count;

		/* Each look parks the guest somewhere else. */
		for (unsigned tries = 0; now == count && tries < 100000; tries++) {
			machine_poll(m, 0);
			now = guest_u32(COUNT);
		}
		ck_assert_uint_ne(now, count);
		memset(written, 0, sizeof(written));
		ok(machine_hold(m, &err));
		look(ID, DIRTY_USER, true);
		for (now = guest_u32(COUNT); count < now; count++, early = false) {
			x = advance(x, &page, pages);
			if (!early)
				written[page] = true;
		}
		/* The next one may have been written and not counted. */
		early = advance(x, &next, pages) == guest_u32(GPA + (uint64_t)next * PAGE);
		if (early)
			written[next] = true;
		machine_release(m);
		ck_assert_uint_eq(map.pages, pages);
		for (uint32_t p = 0; p < pages; p++)
			ck_assert_msg(is_set(p) == written[p] || (p == next && is_set(p)),
				      "take %u of seed %u: page %u of %u %s", n, seed, p, pages,
				      written[p] ? "is lost" : "was not written");
	}
	end();
}

/* A hundred runs, most with page counts that are no multiple of 64. */
START_TEST(nothing_is_lost)
{
	for (unsigned run = 0; run < 25; run++) {
		unsigned i = _i * 25 + run;

		scribble_run(i * 2654435761u, 1 + i * 41 % 1500, 6);
	}
}
END_TEST

START_TEST(consumers_are_apart)
{
	fresh(130);
	for (unsigned c = 0; c < DIRTY_CONSUMERS; c++) {
		look(ID, (enum dirty_consumer)c, false);
		ck_assert_uint_eq(map.dirty, 0);
	}
	put_page(0);
	put_page(63);
	look(ID, DIRTY_USER, true);
	ck_assert_uint_eq(map.gpa, GPA);
	ck_assert_uint_eq(map.pages, 130);
	EXPECT(0, 63);
	put_page(129);
	look(ID, DIRTY_USER, false);
	EXPECT(129);
	look(ID, DIRTY_USER, false);
	EXPECT(129);
	look(ID, DIRTY_RATE, true);
	EXPECT(0, 63, 129);
	look(ID, DIRTY_RATE, true);
	ck_assert_uint_eq(map.dirty, 0);
	look(ID, DIRTY_USER, true);
	EXPECT(129);
	look(ID, DIRTY_HEAT, true);
	EXPECT(0, 63, 129);
	end();
}
END_TEST

START_TEST(refusals)
{
	bool off = false;

	fresh(3);
	add_slot(8, 2 * GPA, 1, false);
	map.id = 99;
	ck_assert_int_eq(machine_dirty_read(m, 8, DIRTY_USER, true, &map, &err), -EINVAL);
	ck_assert_msg(strstr(err.msg, "slot 8") && strstr(err.msg, "off"), "%s", err.msg);
	ck_assert_int_eq(machine_dirty_diff(m, 8, NULL, NULL, &err), -EINVAL);
	ck_assert_int_eq(machine_dirty_read(m, 9, DIRTY_USER, true, &map, &err), -ENOENT);
	ck_assert_int_eq(machine_dirty_diff(m, 9, NULL, NULL, &err), -ENOENT);
	ck_assert_int_eq(machine_dirty_who(m, 9, true, &err), -ENOENT);
	guest_continue();
	ck_assert_int_eq(machine_dirty_read(m, ID, DIRTY_USER, true, &map, &err), -EBUSY);
	ck_assert_int_eq(machine_dirty_diff(m, ID, NULL, NULL, &err), -EBUSY);
	ck_assert_int_eq(machine_dirty_who(m, ID, true, &err), -EBUSY);
	machine_stop(m);
	guest_wait();
	ck_assert_uint_eq(map.id, 99);
	/* What was off begins clean. */
	put_page(1);
	ok(machine_slot_flags(m, ID, &off, NULL, &err));
	put_page(2);
	log_on(ID);
	look(ID, DIRTY_USER, false);
	ck_assert_uint_eq(map.dirty, 0);
	end();
}
END_TEST

START_TEST(own_writes_are_in)
{
	static const uint8_t bytes[2 * PAGE];

	fresh(70);
	put(GPA + 3 * PAGE - 1, "xy", 2);
	look(ID, DIRTY_USER, true);
	EXPECT(2, 3);
	ck_assert_uint_eq(machine_mem_write(m, 0, GPA + 66 * PAGE + 1, bytes, sizeof(bytes), &err),
			  sizeof(bytes));
	look(ID, DIRTY_USER, true);
	EXPECT(66, 67, 68);
	ck_assert_uint_eq(machine_phys_read(m, GPA, &map.id, 4, &err), 4);
	look(ID, DIRTY_USER, true);
	ck_assert_uint_eq(map.dirty, 0);
	/* A reset's: memory is cleared, and the image loaded into page 7. */
	log_on(0);
	look(0, DIRTY_USER, true);
	ck_assert_uint_eq(map.dirty, 0);
	ok(machine_reset(m, &err));
	look(0, DIRTY_USER, true);
	ck_assert(is_set(7));
	ck_assert_uint_eq(map.dirty, map.pages);
	end();
}
END_TEST

START_TEST(traps_are_not)
{
	fresh(1);
	log_on(0);
	/* At the jump's target: the guest comes by it, and is stepped over it. */
	ok(guest_break(BREAK_OWNER_GDB, BREAK_SOFT, 0x7c06));
	for (unsigned i = 0; i < 4; i++) {
		guest_continue();
		guest_wait();
		ck_assert_uint_eq(stop.reason, STOP_BREAKPOINT);
		/* With hardware's tables KVM takes a page that is touched for the first time for a dirty one. */
		if (!i)
			look(0, DIRTY_USER, true);
	}
	ok(guest_unbreak(BREAK_OWNER_GDB, BREAK_SOFT, 0x7c06));
	look(0, DIRTY_USER, true);
	ck_assert(is_set(0));           /* the guest's own count */
	ck_assert(!is_set(7));
	ok(guest_break(BREAK_OWNER_GDB, BREAK_SOFT, 0x7c06));
	put(0x7c06, "\x90", 1);
	look(0, DIRTY_USER, true);
	EXPECT(7);
	end();
}
END_TEST

START_TEST(survives_changes)
{
	struct slot_note note;
	unsigned high;
	bool on = true;

	fresh(200);
	put_page(5);
	put_page(100);
	put_page(199);
	look(ID, DIRTY_RATE, true);
	ok(machine_slot_move(m, ID, 2 * GPA, &note, &err));
	look(ID, DIRTY_USER, false);
	ck_assert_uint_eq(map.gpa, 2 * GPA);
	EXPECT(5, 100, 199);
	put(2 * GPA + 6 * PAGE, "x", 1);
	ok(machine_slot_move(m, ID, GPA, &note, &err));
	look(ID, DIRTY_USER, false);
	EXPECT(5, 6, 100, 199);
	/* Read-only to the guest and back. */
	ok(machine_slot_flags(m, ID, NULL, &on, &err));
	put_page(7);
	on = false;
	ok(machine_slot_flags(m, ID, NULL, &on, &err));
	look(ID, DIRTY_USER, false);
	EXPECT(5, 6, 7, 100, 199);
	/* Cut where no word ends. */
	ok(machine_slot_split(m, ID, 99 * PAGE, &high, &err));
	look(ID, DIRTY_USER, false);
	ck_assert_uint_eq(map.pages, 99);
	EXPECT(5, 6, 7);
	look(high, DIRTY_RATE, false);
	ck_assert_uint_eq(map.pages, 101);
	ck_assert_uint_eq(map.dirty, 0);
	look(high, DIRTY_USER, false);
	EXPECT(1, 100);
	put_page(98);
	put_page(99);
	look(ID, DIRTY_USER, false);
	EXPECT(5, 6, 7, 98);
	look(high, DIRTY_USER, false);
	EXPECT(0, 1, 100);
	ok(machine_slot_resize(m, ID, 7 * PAGE, &err));
	look(ID, DIRTY_USER, false);
	EXPECT(5, 6);
	ok(machine_slot_remove(m, high, &note, &err));
	end();
}
END_TEST

START_TEST(survives_growth)
{
	fresh(63);
	put_page(62);
	ok(machine_slot_resize(m, ID, 150 * PAGE, &err));
	look(ID, DIRTY_USER, false);
	ck_assert_uint_eq(map.pages, 150);
	EXPECT(62);
	put_page(149);
	look(ID, DIRTY_USER, true);
	EXPECT(62, 149);
	end();
}
END_TEST

/* What the guest does between two changes, with its writes logged by the kernel, is not lost by the change. */
START_TEST(guest_writes_survive)
{
	uint32_t seed = 5, pages = 300, count, x = seed, page;
	static bool must[300];
	struct slot_note note;

	fresh(pages);
	put(SEED, &seed, 4);
	put(PAGES, &pages, 4);
	guest_continue();
	do {
		ok(machine_hold(m, &err));
		ok(machine_slot_move(m, ID, 2 * GPA, &note, &err));
		ok(machine_slot_move(m, ID, GPA, &note, &err));
		count = guest_u32(COUNT);
		machine_release(m);
		machine_poll(m, 0);
	} while (count < 200);
	machine_stop(m);
	guest_wait();
	ck_assert_msg(stop.reason == STOP_REQUEST, "%s", stop.text);
	count = guest_u32(COUNT);
	look(ID, DIRTY_USER, true);
	for (uint32_t i = 0; i < count; i++) {
		x = advance(x, &page, pages);
		must[page] = true;
	}
	for (page = 0; page < pages; page++)
		ck_assert_msg(!must[page] || is_set(page), "page %u is lost", page);
	end();
}
END_TEST

static struct {
	uint64_t gpa;
	size_t len;
	uint8_t was[16], is[16];
} diffs[8];
static unsigned ndiffs;

static bool on_diff(void *arg, uint64_t gpa, const uint8_t *was, const uint8_t *is, size_t len)
{
	ck_assert_ptr_eq(arg, &ndiffs);
	ck_assert_uint_lt(ndiffs, 8);
	ck_assert_uint_le(len, 16);
	diffs[ndiffs].gpa = gpa;
	diffs[ndiffs].len = len;
	memcpy(diffs[ndiffs].was, was, len);
	memcpy(diffs[ndiffs++].is, is, len);
	return true;
}

static void diff(unsigned want)
{
	ndiffs = 0;
	ok(machine_dirty_diff(m, ID, on_diff, &ndiffs, &err));
	ck_assert_uint_eq(ndiffs, want);
}

START_TEST(differences)
{
	struct slot_note note;
	unsigned high;

	fresh(100);
	put(GPA + 10, "before", 6);
	ck_assert_int_eq(machine_dirty_diff(m, ID, on_diff, &ndiffs, &err), -EAGAIN);
	ck_assert_msg(*err.msg, "no message");
	diff(0);
	put(GPA + 10, "beFOre", 6);
	put(GPA + 99 * PAGE, "\1", 1);
	diff(2);
	ck_assert_uint_eq(diffs[0].gpa, GPA + 12);
	ck_assert_uint_eq(diffs[0].len, 2);
	ck_assert_mem_eq(diffs[0].was, "fo", 2);
	ck_assert_mem_eq(diffs[0].is, "FO", 2);
	ck_assert_uint_eq(diffs[1].gpa, GPA + 99 * PAGE);
	/* Others' takes leave it alone; a person's makes what is there what was. */
	look(ID, DIRTY_RATE, true);
	diff(2);
	look(ID, DIRTY_USER, true);
	diff(0);
	put(GPA + 10, "before", 6);
	diff(1);
	ck_assert_mem_eq(diffs[0].was, "FO", 2);
	ck_assert_mem_eq(diffs[0].is, "fo", 2);
	/* It goes with the slot. */
	ok(machine_slot_move(m, ID, 2 * GPA, &note, &err));
	diff(1);
	ck_assert_uint_eq(diffs[0].gpa, 2 * GPA + 12);
	ok(machine_slot_resize(m, ID, 120 * PAGE, &err));
	put(2 * GPA + 110 * PAGE, "\2", 1);
	diff(2);
	ok(machine_slot_split(m, ID, 50 * PAGE, &high, &err));
	diff(1);
	ok(machine_dirty_diff(m, high, on_diff, &ndiffs, &err));
	ck_assert_uint_eq(ndiffs, 2);
	ck_assert_uint_eq(diffs[1].gpa, 2 * GPA + 110 * PAGE);
	ck_assert_uint_eq(diffs[1].was[0], 0);
	ck_assert_uint_eq(diffs[1].is[0], 2);
	end();
}
END_TEST

/* What a file has beyond a slot that grows over it was no change by anybody; new zeros are none either. */
START_TEST(growth_is_no_difference)
{
	char path[] = "/tmp/gdbvisor-dirty-XXXXXX";
	struct slot_spec spec = { .id = ID, .gpa = GPA, .size = 2 * PAGE, .backing = SLOT_FILE, .path = path,
				  .log = true };
	struct slot_note note;
	static uint8_t data[4 * PAGE];
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	memset(data, 'f', sizeof(data));
	ck_assert_int_eq(write(fd, data, sizeof(data)), sizeof(data));
	close(fd);
	GUEST_START(scribble, 0x7c00, BOOT_PROTECTED, 1);
	ok(machine_slot_add(m, &spec, &note, &err));
	unlink(path);
	ck_assert_int_eq(machine_dirty_diff(m, ID, on_diff, &ndiffs, &err), -EAGAIN);
	ok(machine_slot_resize(m, ID, 4 * PAGE, &err));
	put(GPA + 3 * PAGE, "x", 1);
	diff(1);
	ck_assert_uint_eq(diffs[0].len, 1);
	ck_assert_uint_eq(diffs[0].was[0], 'f');
	end();
}
END_TEST

static void run_ways(void)
{
	serial_len = 0;
	guest_continue();
	guest_poll_serial(1);
	machine_stop(m);
	guest_wait();
	ck_assert_msg(stop.reason == STOP_REQUEST, "%s", stop.text);
}

static uint64_t writes(uint64_t rip, uint64_t page)
{
	struct dirty_writer w;

	for (size_t i = 0; machine_dirty_writer(m, ID, i, &w); i++) {
		ck_assert_uint_eq(w.cpu, 0);
		if (w.pc == rip && w.gpa == GPA + page * PAGE)
			return w.count;
	}
	return 0;
}

static void expect_writers(void)
{
	struct dirty_writer w;
	uint64_t last = UINT64_MAX, sum = 0;

	ck_assert_uint_eq(writes(AT(ways_byte), 0), 1);
	ck_assert_uint_eq(writes(AT(ways_across), 1), 1);
	ck_assert_uint_eq(writes(AT(ways_across), 2), 1);
	ck_assert_uint_eq(writes(AT(ways_add), 3), 5);
	ck_assert_uint_eq(writes(AT(ways_rep), 4) + writes(AT(ways_rep_end), 4), 16);
	ck_assert_uint_eq(writes(AT(ways_push), 5), 1);
	for (size_t i = 0; machine_dirty_writer(m, ID, i, &w); i++) {
		ck_assert_uint_le(w.count, last);
		last = w.count;
		sum += w.count;
	}
	ck_assert_uint_eq(sum, 25);
}

START_TEST(who_writes)
{
	static const uint8_t fives[16] = { [0 ... 15] = 0x5a };
	struct dirty_writer w;
	uint8_t got[17];
	struct slot_info info = { 0 };

	GUEST_START(ways, 0x7c00, BOOT_PROTECTED, 1);
	add_slot(ID, GPA, 70, true);
	put(GPA + 0x3004, "\x20", 1);
	look(ID, DIRTY_USER, true);
	ck_assert(!machine_dirty_writer(m, ID, 0, &w));
	ok(machine_dirty_who(m, ID, true, &err));
	ok(machine_dirty_who(m, ID, true, &err));
	ck_assert(machine_slot_list(m, 1, &info));
	ck_assert(info.id == ID && info.watched && !info.readonly);
	run_ways();
	expect_writers();
	/* Each write was carried out, reads saw it, and it is in the log. */
	ck_assert_uint_eq(guest_u32(GPA), 1);
	ck_assert_uint_eq(guest_u32(GPA + 0x1ffe), 0x11223344);
	ck_assert_uint_eq(guest_u32(GPA + 0x3004), 0x2a);
	ck_assert_uint_eq(guest_reg(0, X86_RDX), 0x2a);
	ck_assert_uint_eq(machine_phys_read(m, GPA + 0x4000, got, 17, &err), 17);
	ck_assert_mem_eq(got, fives, 16);
	ck_assert_uint_eq(got[16], 0);
	ck_assert_uint_eq(guest_u32(GPA + 0x5ffc), 0x77);
	look(ID, DIRTY_USER, true);
	EXPECT(0, 1, 2, 3, 4, 5);
	/* What was found stays to be read; what comes after is not recorded, but logged. */
	ok(machine_dirty_who(m, ID, false, &err));
	guest_set_reg(0, X86_RIP, 0x7c00);
	run_ways();
	expect_writers();
	look(ID, DIRTY_USER, true);
	EXPECT(0, 1, 2, 3, 4, 5);
	ck_assert_uint_eq(guest_u32(GPA + 0x3004), 0x34);
	ok(machine_dirty_who(m, ID, true, &err));
	ck_assert(!machine_dirty_writer(m, ID, 0, &w));
	end();
}
END_TEST

/* Writes to what is read-only to the guest are recorded as well, and change nothing. */
START_TEST(who_tries_to_write)
{
	bool on = true;

	GUEST_START(ways, 0x7c00, BOOT_PROTECTED, 1);
	add_slot(ID, GPA, 6, true);
	ok(machine_slot_flags(m, ID, NULL, &on, &err));
	ok(machine_dirty_who(m, ID, true, &err));
	run_ways();
	expect_writers();
	ck_assert_uint_eq(guest_u32(GPA), 0);
	ck_assert_uint_eq(guest_u32(GPA + 0x3004), 0);
	look(ID, DIRTY_USER, true);
	ck_assert_uint_eq(map.dirty, 0);
	end();
}
END_TEST

/* The memory that both vCPUs run in: every write of either is counted under its name. */
START_TEST(who_of_two)
{
	struct dirty_writer w;
	uint64_t seen[2] = { 0 };

	GUEST_START(two, 0x8000, BOOT_REAL, 2);
	ok(machine_dirty_who(m, 0, true, &err));
	guest_continue();
	for (unsigned i = 0; i < 2; i++)
		while (guest_u32(0x9000 + 64 * i) < 100)
			guest_run_on();
	machine_stop(m);
	guest_wait();
	for (size_t i = 0; machine_dirty_writer(m, 0, i, &w); i++)
		if (w.pc == 0x8000 + (uint64_t)(two_inc - two)) {
			ck_assert_uint_lt(w.cpu, 2);
			ck_assert_uint_eq(w.gpa, 0x9000);
			seen[w.cpu] = w.count;
		}
	ck_assert_uint_eq(seen[0], guest_u32(0x9000));
	ck_assert_uint_eq(seen[1], guest_u32(0x9040));
	end();
}
END_TEST

/* More pages than the rings hold between two takes; the logs of two slots, the second of which begins amid a ring. */
static void flood_run(unsigned cpus)
{
	const uint32_t each = 3 * RING + 7, all = each * cpus;

	if (guest_dirty_ring)
		guest_dirty_ring = RING;
	GUEST_START(flood, 0x8000, BOOT_REAL, cpus);
	add_slot(ID, GPA, all / 2, true);
	add_slot(ID + 1, GPA + all / 2 * (uint64_t)PAGE, all - all / 2, true);
	put(EACH, &each, 4);
	for (uint32_t round = 1; round <= 4; round++) {
		put(ROUND, &round, 4);
		guest_continue();
		for (unsigned i = 0; i < cpus; i++)
			while (guest_u32(ROUNDS(i)) != round && machine_state(m) == MACHINE_RUNNING)
				guest_run_on();
		machine_stop(m);
		guest_wait();
		ck_assert_msg(stop.reason == STOP_REQUEST, "%s", stop.text);
		look(ID, DIRTY_USER, true);
		ck_assert_uint_eq(map.dirty, all / 2);
		look(ID + 1, DIRTY_USER, true);
		ck_assert_uint_eq(map.dirty, all - all / 2);
		look(ID, DIRTY_USER, true);
		ck_assert_uint_eq(map.dirty, 0);
	}
	for (uint32_t page = 0; page < all; page++)
		ck_assert_uint_eq(guest_u32(GPA + (uint64_t)page * PAGE), 4);
	end();
}

START_TEST(floods_of_one)
{
	flood_run(1);
}
END_TEST

START_TEST(floods_of_four)
{
	flood_run(4);
}
END_TEST

/* What a ring says of a slot that is gone, or that did not log yet, is no news of the one that has its number now. */
START_TEST(old_news)
{
	uint32_t each = 700, round = 1;
	struct slot_note note;
	bool off = false;

	GUEST_START(flood, 0x8000, BOOT_REAL, 1);
	add_slot(ID, GPA, each, true);
	put(EACH, &each, 4);
	for (; round <= 3; round++) {
		put(ROUND, &round, 4);
		guest_continue();
		while (guest_u32(ROUNDS(0)) != round && machine_state(m) == MACHINE_RUNNING)
			guest_run_on();
		machine_stop(m);
		guest_wait();
		ck_assert_msg(stop.reason == STOP_REQUEST, "%s", stop.text);
		if (round == 3)
			break;
		if (round == 1) {
			ok(machine_slot_remove(m, ID, &note, &err));
			add_slot(ID, GPA, each, true);
		} else {
			ok(machine_slot_flags(m, ID, &off, NULL, &err));
			log_on(ID);
		}
		look(ID, DIRTY_USER, false);
		ck_assert_uint_eq(map.dirty, 0);
	}
	/* A shorter one there: the pages that it lacks are dropped. */
	ok(machine_slot_remove(m, ID, &note, &err));
	add_slot(ID + 1, GPA, each, false);
	add_slot(ID, 2 * GPA, 1, true);
	look(ID, DIRTY_USER, false);
	ck_assert_uint_eq(map.dirty, 0);
	end();
}
END_TEST

static void no_fault(void *arg, const struct slot_fault *f)
{
	(void)arg;
	ck_abort_msg("slot %u: %s", f->id, f->text);
}

START_TEST(check_finds_nothing)
{
	fresh(70);
	add_slot(ID + 1, 2 * GPA, 70, false);
	ok(machine_slot_check(m, no_fault, NULL, &err));
	end();
}
END_TEST

/* A size that is no ring's is refused, and leaves nothing behind. */
START_TEST(impossible_rings)
{
	static const struct {
		unsigned entries;
		int code;
	} bad[] = { { 1 << 27, -ENOTSUP }, { 3000, -EINVAL }, { 1, -EINVAL } };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct machine_config c = {
			.memory = 16 << 20,
			.cpus = 1,
			.dirty_ring = bad[i].entries,
			.load = { .kind = IMAGE_FLAT },
		};

		ck_assert_int_eq(blob_copy("test", scribble, (size_t)(scribble_end - scribble), &c.image, &err), 0);
		ck_assert_int_eq(machine_kvm_new(&c, &m, &err), bad[i].code);
		ck_assert_msg(strstr(err.msg, "KVM_CAP_DIRTY_LOG_RING"), "%s", err.msg);
	}
}
END_TEST

static void use_rings(void)
{
	guest_dirty_ring = MACHINE_DIRTY_RING;
}

/* What holds whether the kernel keeps bitmaps or rings. */
static void add_both(Suite *s, const char *log, const char *who, void (*setup)(void))
{
	TCase *l = tcase_create(log), *w = tcase_create(who);

	tcase_set_timeout(l, 120);
	tcase_set_timeout(w, 60);
	tcase_add_checked_fixture(l, setup, NULL);
	tcase_add_checked_fixture(w, setup, NULL);
	tcase_add_loop_test(l, nothing_is_lost, 0, 4);
	tcase_add_test(l, consumers_are_apart);
	tcase_add_test(l, refusals);
	tcase_add_test(l, own_writes_are_in);
	tcase_add_test(l, traps_are_not);
	tcase_add_test(l, survives_changes);
	tcase_add_test(l, survives_growth);
	tcase_add_test(l, guest_writes_survive);
	tcase_add_test(l, differences);
	tcase_add_test(l, growth_is_no_difference);
	tcase_add_test(l, floods_of_one);
	tcase_add_test(l, floods_of_four);
	tcase_add_test(l, old_news);
	tcase_add_test(l, check_finds_nothing);
	tcase_add_test(w, who_writes);
	tcase_add_test(w, who_tries_to_write);
	tcase_add_test(w, who_of_two);
	suite_add_tcase(s, l);
	suite_add_tcase(s, w);
}

int main(void)
{
	Suite *s = suite_create("kvm dirty log");
	TCase *r = tcase_create("rings");

	if (page_bytes() != PAGE)
		return unit_skip_all("this host's pages have not 4096 bytes, which the test counts by");
	if (guest_no_kvm())
		return unit_skip_all("no /dev/kvm here");
	add_both(s, "log", "who", NULL);
	if (guest_has_rings()) {
		add_both(s, "log by rings", "who by rings", use_rings);
		tcase_add_test(r, impossible_rings);
	}
	suite_add_tcase(s, r);
	return unit_main(s);
}
