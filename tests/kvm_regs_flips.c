/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * No value that is accepted for a register leaves a vCPU that cannot be entered, and none that is refused changes anything:
 * every single bit of every register, in each mode, followed by a step.
 */
#include <errno.h>
#include <string.h>

#include "tests/kvm_harness.h"
#include "tests/unit.h"

GUEST(flips16, ".rept 64\n nop\n .endr\n jmp flips16\n");
GUEST(flips64, ".code64\n .rept 64\n nop\n .endr\n jmp flips64\n");

struct registers {
	uint8_t reg[X86_REGS][REG_BYTES_MAX];
};

static void take(struct registers *ret)
{
	memset(ret, 0, sizeof(*ret));
	for (unsigned i = 0; i < X86_REGS; i++)
		if (machine_reg_present(m, i))
			ck_assert_msg(!machine_reg_read(m, 0, i, ret->reg[i], &err), "%s", err.msg);
}

static void same(const struct registers *a, const struct registers *b, const char *name, unsigned bit)
{
	for (unsigned i = 0; i < X86_REGS; i++)
		ck_assert_msg(!memcmp(a->reg[i], b->reg[i], REG_BYTES_MAX), "%s changed: bit %u of %s was refused",
			      reg_full(i)->name, bit, name);
}

/* The vCPU can be entered: it steps, or goes on to a fault of its own; KVM never fails. */
static void enter(const char *name, unsigned bit)
{
	guest_step(0);
	guest_wait();
	ck_assert_msg(stop.reason == STOP_STEP || stop.reason == STOP_TRIPLE_FAULT ||
			      (stop.reason == STOP_ERROR && !strstr(stop.text, "entry")),
		      "bit %u of %s: %s", bit, name, stop.text);
}

/* Bytes beyond the first 8 are all alike: registers that hold data. */
static unsigned bits_of(reg_id reg)
{
	unsigned bits = reg_full(reg)->bits;

	return bits < 64 ? bits : 64;
}

/* Everything as it was, by writing; false when that did not do it. */
static bool put_back(reg_id flipped, const struct registers *before)
{
	struct registers now;

	if (stop.reason != STOP_STEP || machine_reg_write(m, 0, flipped, before->reg[flipped], &err))
		return false;
	take(&now);
	for (unsigned i = 0; i < X86_REGS; i++)
		if (memcmp(now.reg[i], before->reg[i], REG_BYTES_MAX))
			machine_reg_write(m, 0, i, before->reg[i], &err);
	take(&now);
	return !memcmp(&now, before, sizeof(now));
}

static void flip(reg_id reg, unsigned bit, unsigned *ret_taken)
{
	const char *name = reg_full(reg)->name;
	uint8_t value[REG_BYTES_MAX];
	struct registers before, after;
	int r;

	take(&before);
	memcpy(value, before.reg[reg], sizeof(value));
	value[bit / 8] ^= (uint8_t)(1 << bit % 8);
	r = machine_reg_write(m, 0, reg, value, &err);
	if (r) {
		ck_assert_int_eq(r, -EINVAL);
		ck_assert_msg(*err.msg, "%s", name);
		take(&after);
		same(&before, &after, name, bit);
		return;
	}
	++*ret_taken;
	enter(name, bit);
	if (put_back(reg, &before))
		return;
	/* a reset costs much more */
	ck_assert_msg(machine_reset(m, &err) == 0, "bit %u of %s: %s", bit, name, err.msg);
	guest_wait();
}

static const struct {
	enum boot_mode mode;
	uint64_t load;
} modes[] = { { BOOT_REAL, 0x7c00 }, { BOOT_PROTECTED, 0x7c00 }, { BOOT_LONG, 0x100000 } };

/* Those that decide how the processor runs. */
static bool decides(reg_id reg)
{
	switch (arch_desc.regs[reg].group) {
	case RG_SEGMENT:
	case RG_CONTROL:
	case RG_DEBUG:
	case RG_TABLES:
	case RG_MSR:
		return true;
	default:
		return reg == X86_EFLAGS || reg == X86_RIP || reg == X86_IP || reg == X86_MXCSR || reg == X86_RSP;
	}
}

START_TEST(every_bit)
{
	unsigned taken;

	if (modes[_i].mode == BOOT_LONG)
		GUEST_START(flips64, modes[_i].load, BOOT_LONG, 1);
	else
		GUEST_START(flips16, modes[_i].load, modes[_i].mode, 1);
	for (unsigned reg = 0; reg < X86_REGS; reg++) {
		if (!decides(reg) || !machine_reg_present(m, reg))
			continue;
		taken = 0;
		for (unsigned bit = 0; bit < bits_of(reg); bit++)
			flip(reg, bit, &taken);
	}
	guest_end();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("regs_flips");
	TCase *c = tcase_create("flips");

	if (guest_no_kvm())
		return unit_skip_all("/dev/kvm cannot be opened");
	tcase_set_timeout(c, 300);
	tcase_add_loop_test(c, every_bit, 0, sizeof(modes) / sizeof(modes[0]));
	suite_add_tcase(s, c);
	return unit_main(s);
}
