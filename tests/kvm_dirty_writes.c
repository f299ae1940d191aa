/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What was written to logged memory: the bytes that differ since the last take, and which instruction of which vCPU wrote. */
#include "tests/dirty_rig.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* What holds whether the kernel keeps bitmaps or rings. */
static void add_writes(Suite *s, bool rings)
{
	TCase *d = dirty_case(s, rings ? "diff by rings" : "diff", rings, 120);
	TCase *w = dirty_case(s, rings ? "who by rings" : "who", rings, 60);

	tcase_add_test(d, differences);
	tcase_add_test(d, growth_is_no_difference);
	tcase_add_test(w, who_writes);
	tcase_add_test(w, who_tries_to_write);
	tcase_add_test(w, who_of_two);
}

int main(void)
{
	return dirty_main(suite_create("kvm dirty writes"), add_writes);
}
