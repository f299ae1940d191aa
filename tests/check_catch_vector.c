/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Exceptions and interrupts caught at their handlers: traps that follow the vectors' gates, and what is told of their frames. */
#include "tests/catch_rig.h"

#include <inttypes.h>
#include <string.h>

#include "tests/unit.h"

static void put(uint64_t at, uint64_t value, unsigned n)
{
	memcpy(ram + at, &value, n);
}

/* The traps in memory are at PLACES, 0-terminated, and nowhere else above what tables hold. */
static void traps_are(const uint64_t *places)
{
	size_t n = 0;

	for (; places[n]; n++)
		ck_assert_msg(ram[places[n]] == 0xcc, "no trap at 0x%" PRIx64, places[n]);
	ck_assert_uint_eq(break_sites(vm.breaks), n);
	for (uint64_t i = 0x8000; i < SIZE; i++)
		n -= ram[i] == 0xcc;
	ck_assert_uint_eq(n, 0);
}

#define TRAPS(...) traps_are((const uint64_t[]){ __VA_ARGS__ __VA_OPT__(,) 0 })

static void follow(void)
{
	ck_assert_msg(catch_vectors_follow(t, &err) == 0, "%s", err.msg);
}

START_TEST(handlers_are_followed)
{
	struct kvm_sregs *s = &cpu[0].run->s.regs.sregs;

	kvm.mp_state[1] = KVM_MP_STATE_UNINITIALIZED;
	put(4 * 6, 0x08000100, 4);
	put(4 * 13, 0x09000000, 4);
	must_add(CATCH_EXCEPTION, 6, 6, 0);
	ck_assert(catch_wants_tick(t));
	TRAPS(0x8100);
	ck_assert(!catch_stale(t, &cpu[0]));
	/* A gate written. */
	put(4 * 6, 0x08000200, 4);
	ck_assert(catch_stale(t, &cpu[0]));
	follow();
	TRAPS(0x8200);
	ck_assert(!catch_stale(t, &cpu[0]));
	/* One that is not caught. */
	put(4 * 7, 0x0a000000, 4);
	ck_assert(!catch_stale(t, &cpu[0]));
	/* Another table: LIDT. */
	put(0x1000 + 4 * 6, 0x0b000000, 4);
	s->idt.base = 0x1000;
	ck_assert(catch_stale(t, &cpu[0]));
	follow();
	TRAPS(0xb000);
	s->idt.limit = 4 * 7 - 2;
	ck_assert(catch_stale(t, &cpu[0]));
	follow();
	TRAPS();
	s->idt.limit++;
	follow();
	TRAPS(0xb000);
	/* More vectors, with ones between them that are not caught; they may share a handler. */
	s->idt = (struct kvm_dtable){ .limit = 0x3ff };
	must_add(CATCH_EXCEPTION, 13, 14, 0);
	TRAPS(0x8200, 0x9000);
	put(4 * 14, 0x08000200, 4);
	follow();
	TRAPS(0x8200, 0x9000);
	/* One between those, whose gates are known. */
	must_add(CATCH_EXCEPTION, 7, 7, 0);
	TRAPS(0x8200, 0x9000, 0xa000);
	ck_assert_int_eq(catch_remove(t, 3, &err), 0);
	TRAPS(0x8200, 0x9000);
	ck_assert_int_eq(catch_remove(t, 1, &err), 0);
	TRAPS(0x8200, 0x9000);
	ck_assert_int_eq(catch_remove(t, 2, &err), 0);
	TRAPS();
	ck_assert(!catch_stale(t, &cpu[0]));
	ck_assert(!catch_wants_tick(t));
}
END_TEST

START_TEST(each_cpu_has_tables)
{
	struct kvm_sregs *s = &cpu[1].run->s.regs.sregs;

	put(4 * 3, 0x08000100, 4);
	put(0x2000 + 4 * 3, 0x08000300, 4);
	must_add(CATCH_EXCEPTION, 3, 3, 0);
	TRAPS(0x8100);
	s->idt.base = 0x2000;
	ck_assert(catch_stale(t, &cpu[1]));
	ck_assert(!catch_stale(t, &cpu[0]));
	follow();
	TRAPS(0x8100, 0x8300);
	/* What one's handler is, is not the other's. */
	ck_assert(catch_vector(t, &cpu[0], 0x8100, &ev));
	ev = (struct stop_event){ 0 };
	ck_assert(!catch_vector(t, &cpu[0], 0x8300, &ev));
	ck_assert(catch_vector(t, &cpu[1], 0x8300, &ev));
	kvm.mp_state[0] = KVM_MP_STATE_INIT_RECEIVED;
	follow();
	TRAPS(0x8300);
}
END_TEST

/* A handler that stands in a table: its trap is not taken for part of the gate. */
START_TEST(traps_in_tables)
{
	put(4 * 3, 0x0000001c, 4);      /* 0:1c, in vector 7's entry */
	put(4 * 7, 0x08000100, 4);
	must_add(CATCH_EXCEPTION, 3, 7, 0);
	ck_assert_uint_eq(ram[4 * 7], 0xcc);
	for (unsigned i = 0; i < 3; i++) {
		follow();
		ck_assert_uint_eq(break_sites(vm.breaks), 2);
	}
	ck_assert_uint_eq(ram[0x8100], 0xcc);
	ck_assert(!catch_stale(t, &cpu[0]));
	ck_assert_int_eq(catch_remove(t, 1, &err), 0);
	ck_assert_uint_eq(ram[4 * 7], 0);
}
END_TEST

START_TEST(real_mode_vectors)
{
	struct kvm_sregs *s = &cpu[0].run->s.regs.sregs;

	put(4 * 3, 0x08000100, 4);
	put(4 * 8, 0x08000200, 4);
	must_add(CATCH_EXCEPTION, 0, 255, 0);
	s->ss.base = 0x7000;

	put(0x7000 + 0xffa, 0x020207c07c12, 6);
	cpu[0].run->s.regs.regs.rsp = 0xaaaa0ffa;
	ck_assert(catch_vector(t, &cpu[0], 0x8100, &ev));
	ck_assert_uint_eq(ev.catch_id, 1);
	ck_assert_str_eq(ev.text, "exception 3 (#BP), from 0x7c0:0x7c12");
	ck_assert(!catch_vector(t, &cpu[0], 0x8100, &ev));
	ev = (struct stop_event){ 0 };
	ck_assert(catch_vector(t, &cpu[0], 0x8200, &ev));
	ck_assert_str_eq(ev.text, "interrupt 8, from 0x7c0:0x7c12");
	ev = (struct stop_event){ 0 };
	ck_assert(!catch_vector(t, &cpu[0], 0x8300, &ev));
	s->ss.base = 0x100000;
	ck_assert(catch_vector(t, &cpu[0], 0x8200, &ev));
	ck_assert_str_eq(ev.text, "interrupt 8, its frame cannot be read");
}
END_TEST

/* Also of vectors that nobody catches. */
START_TEST(handlers)
{
	uint64_t gva = 7;

	put(0x2000 + 4 * 13, 0x08000100, 4);
	ck_assert(!catch_handler(&cpu[1], 13, &gva));
	cpu[1].run->s.regs.sregs.idt.base = 0x2000;
	ck_assert(!catch_handler(&cpu[0], 13, &gva));
	ck_assert(!catch_handler(&cpu[1], 256, &gva));
	ck_assert_uint_eq(gva, 7);
	ck_assert(catch_handler(&cpu[1], 13, &gva));
	ck_assert_uint_eq(gva, 0x8100);
}
END_TEST

START_TEST(long_mode_vectors)
{
	struct kvm_sregs *s = &cpu[0].run->s.regs.sregs;
	uint64_t frame[6] = { 2, 0x401000, 8, 0x10202, 0x8000, 0x10 };

	kvm.mp_state[1] = KVM_MP_STATE_UNINITIALIZED;
	s->cr0 = 1;
	s->efer = 1 << 10;
	s->cr2 = 0x1234;
	s->idt = (struct kvm_dtable){ .base = 0x2000, .limit = 0xfff };
	put(0x2000 + 16 * 14, 0x00008e0000088100, 8);
	put(0x2000 + 16 * 13, 0x00008e0000088200, 8);
	put(0x2000 + 16 * 12, 0x00008e0000088200, 8);
	put(0x2000 + 16 * 32, 0x00008e0000088300, 8);
	memcpy(ram + 0x7000, frame, sizeof(frame));
	must_add(CATCH_EXCEPTION, 14, 14, 0);
	must_add(CATCH_EXCEPTION, 13, 32, 0);
	TRAPS(0x8100, 0x8200, 0x8300);
	cpu[0].run->s.regs.regs.rsp = 0x7000;
	ck_assert(catch_vector(t, &cpu[0], 0x8100, &ev));
	ck_assert_str_eq(ev.text, "exception 14 (#PF), error code 0x2, cr2 0x1234, from 0x401000");
	ck_assert(catch_vector(t, &cpu[0], 0x8100, &ev));
	ck_assert_uint_eq(ev.catch_id, 2);
	ck_assert(!catch_vector(t, &cpu[0], 0x8100, &ev));
	ev = (struct stop_event){ 0 };
	ck_assert(catch_vector(t, &cpu[0], 0x8200, &ev));
	ck_assert_str_eq(ev.text, "exception 13 (#GP) or another of this handler, error code 0x2, from 0x401000");
	cpu[0].run->s.regs.regs.rsp = 0x7008;
	ev = (struct stop_event){ 0 };
	ck_assert(catch_vector(t, &cpu[0], 0x8300, &ev));
	ck_assert_str_eq(ev.text, "interrupt 32, from 0x401000");
}
END_TEST

START_TEST(protected_mode_vectors)
{
	struct kvm_sregs *s = &cpu[0].run->s.regs.sregs;
	uint32_t frame[4] = { 0x10, 0x401000, 8, 0x10202 };

	kvm.mp_state[1] = KVM_MP_STATE_UNINITIALIZED;
	s->cr0 = 1;
	s->idt = (struct kvm_dtable){ .base = 0x2000, .limit = 0x7ff };
	s->gdt = (struct kvm_dtable){ .base = 0x3000, .limit = 0xf };
	s->ss.db = 1;
	put(0x3008, 0x00cf9a008000ffff, 8);
	put(0x2000 + 8 * 13, 0x00008e0000080100, 8);
	memcpy(ram + 0x7000, frame, sizeof(frame));
	must_add(CATCH_EXCEPTION, 13, 13, 0);
	TRAPS(0x8100);
	cpu[0].run->s.regs.regs.rsp = 0x7000;
	ck_assert(catch_vector(t, &cpu[0], 0x8100, &ev));
	ck_assert_str_eq(ev.text, "exception 13 (#GP), error code 0x10, from 0x8:0x401000");
	/* The segment's base moves, its gate does not. */
	put(0x3008, 0x00cf9a009000ffff, 8);
	follow();
	TRAPS(0x9100);
	/* A 286's gate pushes words, on a 16-bit stack. */
	put(0x2000 + 8 * 13, 0x0000860000080100, 8);
	put(0x7000, 0x0202000812340010, 8);
	s->ss.db = 0;
	cpu[0].run->s.regs.regs.rsp = 0x17000;
	follow();
	ev = (struct stop_event){ 0 };
	ck_assert(catch_vector(t, &cpu[0], 0x9100, &ev));
	ck_assert_str_eq(ev.text, "exception 13 (#GP), error code 0x10, from 0x8:0x1234");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("catch vector");
	TCase *c = tcase_create("vector");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, handlers_are_followed);
	tcase_add_test(c, each_cpu_has_tables);
	tcase_add_test(c, traps_in_tables);
	tcase_add_test(c, real_mode_vectors);
	tcase_add_test(c, handlers);
	tcase_add_test(c, long_mode_vectors);
	tcase_add_test(c, protected_mode_vectors);
	suite_add_tcase(s, c);
	return unit_main(s);
}
