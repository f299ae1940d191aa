/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The log of exits: run pages made by hand. */
#include "kvm/exitlog.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"

#define RUN_BYTES 8192

static struct exitlog *x;
static struct vcpu cpu = { .id = 3 };
static struct kvm_run *run;
static struct exit_record rec;

static void setup(void)
{
	ck_assert_int_eq(exitlog_new(&x, NULL), 0);
	run = calloc(1, RUN_BYTES);
	ck_assert_ptr_nonnull(run);
	cpu.run = run;
	run->s.regs.sregs.cs.base = 0x7c00;
	run->s.regs.regs.rip = 0x12;
}

static void teardown(void)
{
	exitlog_free(x);
	free(run);
}

/* Notes what is in the run page and reads it back. */
static void note(unsigned reason, int ret)
{
	run->exit_reason = reason;
	exitlog_note(x, &cpu, ret);
	ck_assert(exitlog_at(x, 0, &rec));
}

static void is(const char *reason, const char *detail)
{
	ck_assert_str_eq(rec.reason, reason);
	ck_assert_str_eq(rec.detail, detail);
}

static void io(bool out, uint16_t port, unsigned size, unsigned count, uint32_t value)
{
	run->io.direction = out ? KVM_EXIT_IO_OUT : KVM_EXIT_IO_IN;
	run->io.port = port;
	run->io.size = (uint8_t)size;
	run->io.count = count;
	run->io.data_offset = 4096;
	memcpy((uint8_t *)run + 4096, &value, sizeof(value));
	note(KVM_EXIT_IO, 0);
}

START_TEST(ports)
{
	io(true, 0x3f8, 1, 1, 0xffffff41);
	is("io", "out 0x3f8 1 byte 0x41");
	ck_assert_uint_eq(rec.cpu, 3);
	ck_assert_uint_eq(rec.pc, 0x7c12);
	io(false, 0x60, 1, 1, 0x1c);
	is("io", "in 0x60 1 byte");
	io(true, 0xcf8, 4, 1, 0x80000010);
	is("io", "out 0xcf8 4 bytes 0x80000010");
	io(true, 0xffff, 4, UINT32_MAX, UINT32_MAX);
	is("io", "out 0xffff 4 bytes 0xffffffff x 4294967295");
	io(false, 0x1f0, 2, 256, 0);
	is("io", "in 0x1f0 2 bytes x 256");
}
END_TEST

static void mmio(bool write, uint64_t gpa, unsigned len, uint64_t value)
{
	run->mmio.phys_addr = gpa;
	run->mmio.is_write = write;
	run->mmio.len = len;
	memcpy(run->mmio.data, &value, sizeof(value));
	note(KVM_EXIT_MMIO, 0);
}

START_TEST(memory)
{
	mmio(false, 0xfee00000, 4, 0x99);
	is("mmio", "read 0xfee00000 4");
	mmio(true, 0xfed00000, 4, 0xdeadbeef12345678);
	is("mmio", "write 0xfed00000 4 0x12345678");
	mmio(true, 0xfffffffffffffff0, 8, UINT64_MAX);
	is("mmio", "write 0xfffffffffffffff0 8 0xffffffffffffffff");
}
END_TEST

START_TEST(other_reasons)
{
	static const struct { unsigned reason; const char *name; } plain[] = {
		{ KVM_EXIT_HLT, "hlt" }, { KVM_EXIT_SHUTDOWN, "shutdown" }, { KVM_EXIT_INTR, "interrupted" },
		{ KVM_EXIT_IRQ_WINDOW_OPEN, "interrupt window" }, { KVM_EXIT_DIRTY_RING_FULL, "dirty ring full" },
	};

	for (unsigned i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		note(plain[i].reason, 0);
		is(plain[i].name, "");
	}
	run->debug.arch.exception = 1;
	run->debug.arch.dr6 = 0xffff4ff0;
	note(KVM_EXIT_DEBUG, 0);
	is("debug", "exception 1 dr6 0xffff4ff0");
	run->msr.index = 0xc0000080;
	run->msr.data = 0x500;
	note(KVM_EXIT_X86_RDMSR, 0);
	is("rdmsr", "rdmsr 0xc0000080");
	note(KVM_EXIT_X86_WRMSR, 0);
	is("wrmsr", "wrmsr 0xc0000080 0x500");
	run->fail_entry.hardware_entry_failure_reason = 0x80000021;
	note(KVM_EXIT_FAIL_ENTRY, 0);
	is("failed entry", "reason 0x80000021");
	note(999, 0);
	is("other", "KVM exit 999");
	note(KVM_EXIT_S390_SIEIC, 0);
	is("other", "KVM exit 13");
	note(KVM_EXIT_IO, -EINTR);
	is("interrupted", "");
	note(KVM_EXIT_IO, -EFAULT);
	is("failed", "Bad address");
}
END_TEST

START_TEST(internal_errors)
{
	static const uint8_t insn[15] = { 0x66, 0x0f, 0x6f, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 };

	run->internal.suberror = KVM_INTERNAL_ERROR_DELIVERY_EV;
	note(KVM_EXIT_INTERNAL_ERROR, 0);
	is("internal error", "suberror 3");
	run->internal.suberror = KVM_INTERNAL_ERROR_EMULATION;
	note(KVM_EXIT_INTERNAL_ERROR, 0);
	is("internal error", "suberror 1");
	run->emulation_failure.ndata = 3;
	run->emulation_failure.flags = KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES;
	run->emulation_failure.insn_size = 2;
	memcpy(run->emulation_failure.insn_bytes, insn, sizeof(insn));
	note(KVM_EXIT_INTERNAL_ERROR, 0);
	is("internal error", "suberror 1 660f");
	/* No more than there can be, whatever it says. */
	run->emulation_failure.insn_size = 255;
	note(KVM_EXIT_INTERNAL_ERROR, 0);
	is("internal error", "suberror 1 660f6f0102030405060708090a0b0c");
	/* Without the flag the bytes are none. */
	run->emulation_failure.flags = 0;
	note(KVM_EXIT_INTERNAL_ERROR, 0);
	is("internal error", "suberror 1");
}
END_TEST

START_TEST(newest_first_and_no_more_than_are_kept)
{
	uint64_t time = 0;

	ck_assert(!exitlog_at(x, 0, &rec));
	for (unsigned i = 0; i < 10; i++)
		io(true, (uint16_t)i, 1, 1, 0);
	for (unsigned i = 0; i < 10; i++) {
		ck_assert(exitlog_at(x, i, &rec));
		ck_assert_uint_eq(rec.number, 9 - i);
		ck_assert(!time || rec.time_ns <= time);
		time = rec.time_ns;
	}
	ck_assert(!exitlog_at(x, 10, &rec));
	for (unsigned i = 10; i < 2 * EXIT_RECORDS + 100; i++)
		io(true, 0x80, 1, 1, (uint8_t)i);
	ck_assert(exitlog_at(x, EXIT_RECORDS - 1, &rec));
	ck_assert_uint_eq(rec.number, EXIT_RECORDS + 100);
	ck_assert(!exitlog_at(x, EXIT_RECORDS, &rec));
	ck_assert(!exitlog_at(x, SIZE_MAX, &rec));
}
END_TEST

/* No more in all than are kept: one that falls far behind would write over what came later. */
#define NOTES (EXIT_RECORDS / 2)

static void *noter(void *arg)
{
	for (unsigned i = 0; i < NOTES; i++)
		exitlog_note(x, arg, 0);
	return NULL;
}

/* Every exit gets a number of its own, whichever thread it is noted on. */
START_TEST(threads)
{
	struct vcpu other = cpu;
	pthread_t t;

	other.id = 7;
	run->exit_reason = KVM_EXIT_HLT;
	ck_assert_int_eq(pthread_create(&t, NULL, noter, &other), 0);
	noter(&cpu);
	pthread_join(t, NULL);
	for (size_t i = 0; i < 2 * NOTES; i++) {
		ck_assert(exitlog_at(x, i, &rec));
		ck_assert_uint_eq(rec.number, 2 * NOTES - 1 - i);
		ck_assert(rec.cpu == 3 || rec.cpu == 7);
		ck_assert_str_eq(rec.reason, "hlt");
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("exitlog");
	TCase *c = tcase_create("exitlog");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, ports);
	tcase_add_test(c, memory);
	tcase_add_test(c, other_reasons);
	tcase_add_test(c, internal_errors);
	tcase_add_test(c, newest_first_and_no_more_than_are_kept);
	tcase_add_test(c, threads);
	suite_add_tcase(s, c);
	return unit_main(s);
}
