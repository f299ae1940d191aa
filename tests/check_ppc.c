/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A PowerPC machine, on three hosts of our making: running, stopping, registers, hypercalls, memory. */
#include <errno.h>
#include <stdlib.h>

#include "arch/ppc/ppc.h"
#include "tests/elf_make.h"
#include "tests/ppc_rig.h"

#define COUNTING ADDI(5, 5, 1), B(-4)

START_TEST(begins)
{
	PPC_START(ppc_hosts[_i], COUNTING);
	ck_assert_int_eq(machine_last_stop(m)->reason, STOP_ENTRY);
	ck_assert_uint_eq(guest_reg(0, PPC_PC), CODE);
	ck_assert_uint_eq(guest_reg(0, PPC_MSR), MSR_SF | MSR_LE);
	ck_assert_uint_eq(guest_reg(0, PPC_R3), 0);
	ck_assert_uint_eq(guest_u32(CODE), ADDI(5, 5, 1));
	ppc_end();
}
END_TEST

/* With immediate_exit and by the blocked signal: every stop comes, and what ran before goes on. */
START_TEST(stopped)
{
	uint64_t before = 0, now;

	PPC_START(ppc_hosts[_i], COUNTING);
	for (unsigned i = 0; i < 50; i++) {
		ppc_run_and_stop();
		ck_assert_int_eq(stop.reason, STOP_REQUEST);
		ck_assert_uint_le(stop.pc - CODE, 4);
		now = guest_reg(0, PPC_R5);
		ck_assert_uint_ge(now, before);
		before = now;
	}
	/* A kick that has been seen does not keep it from going on. */
	do
		ppc_run_and_stop();
	while (guest_reg(0, PPC_R5) == before);
	ppc_end();
}
END_TEST

/* A hold parks it, and lets it go on unnoticed. */
START_TEST(holds)
{
	uint64_t at;

	PPC_START(ppc_hosts[_i], COUNTING);
	ck_assert_int_eq(ppc_resume(ACT_CONT), 0);
	machine_poll(m, 0);
	for (unsigned i = 0; i < 20; i++) {
		ck_assert_msg(machine_hold(m, &err) == 0, "%s", err.msg);
		at = guest_reg(0, PPC_R5);
		ck_assert_uint_eq(guest_reg(0, PPC_R5), at);
		machine_release(m);
		machine_poll(m, 0);
	}
	machine_stop(m);
	guest_wait();
	ck_assert_uint_eq(stops, 1);
	ppc_end();
}
END_TEST

/* A load where nothing is: carried out, and complete when the guest stops for it. */
START_TEST(mmio)
{
	struct catch_spec spec = { .kind = CATCH_MMIO, .start = HOLE, .end = HOLE + 4, .dir = CATCH_READ | CATCH_WRITE };
	unsigned id;

	PPC_START(ppc_hosts[_i], ADDIS(6, 0, HOLE >> 16), LWZ(4, 0, 6), STW(4, 4, 6), B(0));
	ck_assert_msg(machine_catch_add(m, &spec, &id, &err) == 0, "%s", err.msg);
	guest_continue();
	guest_wait();
	ck_assert_msg(stop.reason == STOP_CATCH, "it stops for: %s", stop.text);
	ck_assert_uint_eq(stop.pc, CODE + 8);
	ck_assert_uint_eq(guest_reg(0, PPC_R4), 0xffffffff);
	guest_continue();
	guest_wait();
	ck_assert_int_eq(stop.reason, STOP_CATCH);
	ck_assert_uint_eq(stop.pc, CODE + 12);
	/* What was left of the load does not come twice. */
	guest_set_reg(0, PPC_R4, 5);
	ppc_run_and_stop();
	ck_assert_uint_eq(guest_reg(0, PPC_R4), 5);
	ppc_end();
}
END_TEST

/* "Hi, there" by two calls, whose registers hold the first byte highest; an unknown call; what was typed. */
START_TEST(hypercalls)
{
	static const char typed[] = "abc";

	PPC_START(&fake_modern,
		  ADDI(3, 0, 0x58), ADDI(4, 0, 0), ADDI(5, 0, 9), SC1,          /* r6 and r7 are set below */
		  ADDI(3, 0, 0x7c), SC1, ORI(20, 3, 0),
		  ADDI(3, 0, 0x54), ADDI(4, 0, 0), SC1, B(0));
	guest_set_reg(0, PPC_R6, 0x48692c2074686572ull);
	guest_set_reg(0, PPC_R7, 0x6500000000000000ull);
	ck_assert_int_eq(machine_serial_send(m, (const uint8_t *)typed, 3, &err), 0);
	guest_continue();
	guest_poll_serial(9);
	ck_assert_int_eq(memcmp(serial, "Hi, there", 9), 0);
	while (machine_hold(m, &err) == 0 && guest_reg(0, PPC_PC) != CODE + 40) {
		machine_release(m);
		machine_poll(m, 0);
	}
	ck_assert_uint_eq(guest_reg(0, PPC_R20), (uint64_t)-2);
	ck_assert_uint_eq(guest_reg(0, PPC_R3), 0);
	ck_assert_uint_eq(guest_reg(0, PPC_R4), 3);
	ck_assert_uint_eq(guest_reg(0, PPC_R5), 0x6162630000000000ull);
	machine_release(m);
	ppc_end();
}
END_TEST

START_TEST(too_long)
{
	PPC_START(&fake_modern, ADDI(3, 0, 0x58), ADDI(5, 0, 17), SC1, LWZ(9, 0, 8), B(0));
	guest_set_reg(0, PPC_R8, HOLE);
	ck_assert_int_eq(machine_catch_add(m, &(struct catch_spec){ .kind = CATCH_UNCLAIMED }, &(unsigned){ 0 }, &err), 0);
	guest_continue();
	guest_wait();
	ck_assert_uint_eq(guest_reg(0, PPC_R3), (uint64_t)-4);
	ck_assert_uint_eq(serial_len, 0);
	ppc_end();
}
END_TEST

/* -- registers -- */

START_TEST(read_back)
{
	PPC_START(&fake_modern, B(0));
	for (reg_id i = 0; i < PPC_REGS; i++) {
		uint8_t value[REG_BYTES_MAX] = { 0 }, now[REG_BYTES_MAX] = { 0 };
		size_t size = reg_full(i)->bits / 8u;

		ck_assert_msg(machine_reg_present(m, i), "%s", reg_full(i)->name);
		if (i == PPC_PVR || i == PPC_MSR)
			continue;
		for (size_t k = 0; k < size; k++)
			value[k] = (uint8_t)(i * 4 + 16 * k);
		ck_assert_msg(machine_reg_write(m, 0, i, value, &err) == 0, "%s", err.msg);
		ck_assert_int_eq(machine_reg_read(m, 0, i, now, &err), 0);
		ck_assert_msg(!memcmp(value, now, size), "%s", reg_full(i)->name);
	}
	/* All are still what they were made, but for none. */
	for (reg_id i = 0; i < PPC_REGS; i++)
		if (i != PPC_PVR && i != PPC_MSR)
			ck_assert_msg((guest_reg(0, i) & 0xff) == (i * 4 & 0xff), "%s", reg_full(i)->name);
	/* The run takes them from KVM, and leaves them there. */
	guest_set_reg(0, PPC_PC, CODE);
	ppc_run_and_stop();
	ck_assert_uint_eq(guest_reg(0, PPC_PC), CODE);
	ck_assert_uint_eq(guest_reg(0, PPC_R31) & 0xff, PPC_R31 * 4);
	ppc_end();
}
END_TEST

START_TEST(refused_values)
{
	uint64_t value = CODE + 2, msr;

	PPC_START(&fake_modern, B(0));
	ck_assert_int_eq(machine_reg_write(m, 0, PPC_PC, &value, &err), -EINVAL);
	SAYS("multiples of 4");
	ck_assert_uint_eq(guest_reg(0, PPC_PC), CODE);
	msr = guest_reg(0, PPC_MSR);
	value = msr | 1ull << 60;
	ck_assert_int_eq(machine_reg_write(m, 0, PPC_MSR, &value, &err), -EINVAL);
	SAYS("msr");
	ck_assert_uint_eq(guest_reg(0, PPC_MSR), msr);
	value = 1;
	ck_assert_int_eq(machine_reg_write(m, 0, PPC_PVR, &value, &err), -EINVAL);
	ck_assert_int_eq(machine_special_write(m, 0, 9, 0x1234567890ull, &err), 0);
	ck_assert_uint_eq(guest_reg(0, PPC_CTR), 0x1234567890ull);
	ck_assert_int_eq(machine_special_read(m, 0, 9, &value, &err), 0);
	ck_assert_uint_eq(value, 0x1234567890ull);
	ck_assert_int_eq(machine_special_write(m, 0, 1, 1ull << 32, &err), -EINVAL);
	ck_assert_int_eq(machine_special_write(m, 0, 815, 77, &err), 0);
	ck_assert_int_eq(machine_special_read(m, 0, 815, &value, &err), 0);
	ck_assert_uint_eq(value, 77);
	ck_assert_int_eq(machine_special_read(m, 0, 1022, &value, &err), -EINVAL);
	SAYS("SPR 1022");
	ck_assert_uint_eq(value, 77);
	ppc_end();
}
END_TEST

/* Registers that this host's KVM does not give are not there, and the others are. */
START_TEST(without_one_reg)
{
	uint64_t value;

	PPC_START(&fake_ppc970, B(0));
	ck_assert(machine_reg_present(m, PPC_R0));
	ck_assert(machine_reg_present(m, PPC_PVR));
	ck_assert(!machine_reg_present(m, PPC_F0));
	ck_assert(!machine_reg_present(m, PPC_VS0H));
	ck_assert_int_eq(machine_reg_read(m, 0, PPC_F0, &value, &err), -ENOTSUP);
	ppc_end();
}
END_TEST

START_TEST(reset)
{
	PPC_START(ppc_hosts[_i], ADDI(5, 5, 1), STW(5, 0x100, 0), B(-8));
	guest_set_reg(0, PPC_R31, 31);
	if (_i)
		guest_set_reg(0, PPC_F7, 7);
	guest_set_reg(0, PPC_LR, 8);
	ppc_run_and_stop();
	ck_assert_int_eq(machine_reset(m, &err), 0);
	guest_wait();
	ck_assert_int_eq(stop.reason, STOP_ENTRY);
	ck_assert_uint_eq(resets, 1);
	ck_assert_uint_eq(guest_reg(0, PPC_PC), CODE);
	ck_assert_uint_eq(guest_reg(0, PPC_R31), 0);
	ck_assert_uint_eq(guest_reg(0, PPC_R5), 0);
	ck_assert_uint_eq(guest_reg(0, PPC_LR), 0);
	if (_i)
		ck_assert_uint_eq(guest_reg(0, PPC_F7), 0);
	ck_assert_uint_eq(guest_u32(0x100), 0);
	ck_assert_uint_eq(guest_u32(CODE), ADDI(5, 5, 1));
	ppc_end();
}
END_TEST

/* -- memory -- */

START_TEST(real_mode_area)
{
	struct fake_slot f;

	PPC_START(ppc_hosts[_i], B(0));
	ck_assert(fake_kvm_slot(0, &f));
	ck_assert_uint_eq(f.gpa, 0);
	ck_assert_uint_eq(f.size, _i ? 128 * MIB : 64 * MIB);
	ck_assert_int_eq(fake_kvm_is_rma(f.hva), !_i);
	ck_assert_int_eq(fake_kvm_slot(1, &f), !_i);
	ppc_run_and_stop();
	ck_assert_int_eq(stop.reason, STOP_REQUEST);
	/* Without it nothing runs where it must be. */
	ck_assert_int_eq(machine_slot_remove(m, 0, &(struct slot_note){ 0 }, &err), 0);
	ck_assert_int_eq(ppc_resume(ACT_CONT), _i ? 0 : -ENOTSUP);
	if (_i) {
		guest_wait();
		ck_assert_int_eq(stop.reason, STOP_ERROR);
	} else
		SAYS("KVM_CAP_PPC_RMA is 2");
	ppc_end();
}
END_TEST

START_TEST(area_too_large)
{
	struct machine_config c = { .memory = 32 * MIB };

	ck_assert_int_eq(ppc_try(&fake_ppc970, &c), -EINVAL);
	SAYS("0x4000000");
	fake_kvm_end();
}
END_TEST

START_TEST(dirty_log)
{
	const bool on = true;
	struct dirty_map map;

	PPC_START(ppc_hosts[_i], ADDIS(6, 0, 0x10), STW(5, 0, 6), B(-4));
	ck_assert_msg(machine_slot_flags(m, 0, &on, NULL, &err) == 0, "%s", err.msg);
	ck_assert_int_eq(machine_dirty_read(m, 0, DIRTY_USER, true, &map, &err), 0);
	free(map.bits);
	do
		ppc_run_and_stop();
	while (guest_reg(0, PPC_PC) == CODE || guest_reg(0, PPC_PC) == CODE + 4);
	ck_assert_int_eq(machine_dirty_read(m, 0, DIRTY_USER, true, &map, &err), 0);
	ck_assert_uint_eq(map.dirty, 1);
	ck_assert_uint_eq(map.bits[0x100000 / DIRTY_PAGE / 64] >> (0x100000 / DIRTY_PAGE % 64) & 1, 1);
	free(map.bits);
	ppc_end();
}
END_TEST

START_TEST(addresses)
{
	const uint64_t top = 0xc000000000000000ull;
	struct translation t;
	uint32_t word = 0;

	PPC_START(&fake_modern, ADDI(5, 5, 1), B(0));
	/* In real mode the first bits do not count. */
	ck_assert_int_eq(machine_translate(m, 0, top | CODE, NULL, &t, &err), 0);
	ck_assert_uint_eq(t.gpa, CODE);
	ck_assert_int_eq(t.slot, 0);
	ck_assert_uint_eq(machine_mem_read(m, 0, top | CODE, &word, 4, &err), 4);
	ck_assert_uint_eq(word, ADDI(5, 5, 1));
	guest_set_reg(0, PPC_MSR, guest_reg(0, PPC_MSR) | MSR_DR);
	ck_assert_uint_eq(machine_mem_read(m, 0, CODE, &word, 4, &err), 0);
	ck_assert_int_eq(err.code, EFAULT);
	SAYS("hash and radix");
	ck_assert_uint_eq(machine_phys_read(m, CODE, &word, 4, &err), 4);
	ppc_end();
}
END_TEST

/* -- what it begins with -- */

START_TEST(elf)
{
	static const uint32_t code[] = { ADDI(5, 0, 7), B(0) };
	const struct elf_seg seg = { .vaddr = 0xc000000000010000ull, .paddr = 0x10000, .data = code, .size = sizeof(code) };
	struct elf_make e = { .bits = 64, .machine = 21, .entry = 0xc000000000010004ull, .seg = &seg, .nseg = 1 };
	struct machine_config c = { .cpus = 1 };
	uint8_t file[4096];
	size_t size = elf_make(&e, file, sizeof(file));

	ck_assert_int_eq(blob_copy("kernel", file, size, &c.image, &err), 0);
	ck_assert_msg(ppc_try(&fake_modern, &c) == 0, "%s", err.msg);
	ck_assert_uint_eq(guest_reg(0, PPC_PC), 0x10004);
	ck_assert_uint_eq(guest_u32(0x10000), ADDI(5, 0, 7));
	ck_assert_str_eq(machine_info(m)->image_kind, "elf64");
	machine_kvm_free(m);
	fake_kvm_end();
	e.machine = 62;
	size = elf_make(&e, file, sizeof(file));
	ck_assert_int_eq(blob_copy("kernel", file, size, &c.image, &err), 0);
	ck_assert_int_eq(ppc_try(&fake_modern, &c), -ENOEXEC);
	SAYS("64-bit ELF for x86-64; 64-bit little-endian PowerPC can run here");
	fake_kvm_end();
}
END_TEST

START_TEST(not_had)
{
	const struct {
		struct machine_config c;
		int error;
		const char *says;
	} rows[] = {
		{ { .cpus = 2 }, -EINVAL, "2 vCPUs" },
		{ { .rng = true }, -EINVAL, "virtio" },
		{ { .user_irqchip = true }, -EINVAL, "--irqchip" },
		{ { .load = { .kind = IMAGE_FLAT, .has_entry = true, .entry = 2 } }, -EINVAL, "multiples of 4" },
		{ { .load = { .kind = IMAGE_FLAT, .has_entry = true, .entry = HOLE } }, -EINVAL, "no memory" },
		{ { .load = { .kind = IMAGE_FLAT, .has_mode = true } }, -EINVAL, "--mode" },
		{ { .load = { .kind = IMAGE_LINUX } }, -ENOEXEC, "no kind of image that powerpc64le has" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct machine_config c = rows[i].c;

		ck_assert_int_eq(ppc_try(&fake_modern, &c), rows[i].error);
		SAYS(rows[i].says);
		fake_kvm_end();
	}
}
END_TEST

/* KVM fails, at each of what a machine is made with: one line, and nothing stays. */
START_TEST(fails)
{
	static const unsigned long requests[] = {
		KVM_CREATE_VM, KVM_CREATE_VCPU, KVM_GET_SREGS, KVM_GET_REGS, KVM_SET_REGS, KVM_ENABLE_CAP,
		KVM_SET_USER_MEMORY_REGION, KVM_SET_SREGS, KVM_SET_SIGNAL_MASK,
	};

	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		const struct fake_host *h = requests[i] == KVM_SET_SIGNAL_MASK ? &fake_power7 : &fake_modern;
		struct machine_config c = { .cpus = 1 };
		int r;

		fake_kvm_host(h);
		fake_kvm_cpus(&fake_ppc);
		ck_assert_int_eq(blob_copy("test", &(uint32_t){ B(0) }, 4, &c.image, &err), 0);
		c.memory = 128 * MIB;
		fake_kvm_fail(requests[i], 0, ENXIO, true);
		memset(&err, 0, sizeof(err));
		r = machine_kvm_new(&c, &m, &err);
		ck_assert_msg(r < 0 && err.msg[0], "request %zu: %d", i, r);
		fake_kvm_end();
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ppc");
	TCase *c = tcase_create("ppc");

	tcase_set_timeout(c, 60);
	tcase_add_loop_test(c, begins, 0, 3);
	tcase_add_loop_test(c, stopped, 0, 3);
	tcase_add_loop_test(c, holds, 0, 3);
	tcase_add_loop_test(c, mmio, 0, 3);
	tcase_add_test(c, hypercalls);
	tcase_add_test(c, too_long);
	tcase_add_test(c, read_back);
	tcase_add_test(c, refused_values);
	tcase_add_test(c, without_one_reg);
	tcase_add_loop_test(c, reset, 0, 3);
	tcase_add_loop_test(c, real_mode_area, 0, 3);
	tcase_add_test(c, area_too_large);
	tcase_add_loop_test(c, dirty_log, 0, 3);
	tcase_add_test(c, addresses);
	tcase_add_test(c, elf);
	tcase_add_test(c, not_had);
	tcase_add_test(c, fails);
	suite_add_tcase(suite, c);
	return unit_main(suite);
}
