/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Registers and memory of a real vCPU. */
#include <errno.h>
#include <string.h>

#include "tests/kvm_harness.h"
#include "tests/unit.h"

GUEST(spin, "jmp .\n");

/* Long mode: cr3 and the mode come from the loader. */
GUEST(spin64, ".code64\n nop\n jmp .\n");

static void *bytes_of(unsigned cpu, reg_id reg, uint8_t buf[REG_BYTES_MAX])
{
	memset(buf, 0, REG_BYTES_MAX);
	ck_assert_msg(machine_reg_read(m, cpu, reg, buf, &err) == 0, "%s", err.msg);
	return buf;
}

/* Every register a client may write takes a value and shows it; all others stay as they were. */
START_TEST(round_trips)
{
	uint8_t before[X86_REGS][REG_BYTES_MAX], now[REG_BYTES_MAX], value[REG_BYTES_MAX];

	GUEST_START(spin64, 0x100000, BOOT_LONG, 1);
	for (unsigned reg = 0; reg < X86_REGS; reg++) {
		const struct reg_info *info = &arch_desc.regs[reg];
		size_t size = info->view[RL_X86_64].bits / 8u;

		if (!machine_reg_present(m, reg))
			continue;
		/* Control registers, segments, eflags, x87 control and the pc do not take any value: below. */
		if (info->group == RG_CONTROL || info->group == RG_DEBUG || info->group == RG_TABLES || info->group == RG_MSR ||
		    reg == X86_EFLAGS || reg == X86_RIP || reg == X86_MXCSR ||
		    (reg >= X86_CS && reg <= X86_GS) || (reg >= X86_FCTRL && reg <= X86_FOP) || reg == X86_IP ||
		    (info->group == RG_SEGMENT && reg != X86_K_GS_BASE))
			continue;
		for (unsigned i = 0; i < X86_REGS; i++)
			if (machine_reg_present(m, i))
				bytes_of(0, i, before[i]);
		for (size_t i = 0; i < sizeof(value); i++)
			value[i] = (uint8_t)(reg * 3 + i * 17 + 1);
		if (reg == X86_K_GS_BASE)
			memset(value + 5, 0, 3);        /* canonical */
		ck_assert_msg(machine_reg_write(m, 0, reg, value, &err) == 0, "%s: %s", info->view[0].name, err.msg);
		for (unsigned i = 0; i < X86_REGS; i++) {
			if (!machine_reg_present(m, i) || i == X86_FTAG)
				continue;
			bytes_of(0, i, now);
			ck_assert_msg(!memcmp(now, i == reg ? value : before[i], i == reg ? size : REG_BYTES_MAX),
				      "%s after writing %s", reg_full(i)->name, info->view[0].name);
		}
	}
	guest_end();
}
END_TEST

/* What was written is what the processor runs with. */
START_TEST(written_values_survive_a_step)
{
	uint8_t xmm[REG_BYTES_MAX] = { 1, 2, 3, 4 }, ymm[REG_BYTES_MAX] = { 9, 8, 7 }, buf[REG_BYTES_MAX];

	GUEST_START(spin64, 0x100000, BOOT_LONG, 1);
	guest_set_reg(0, X86_R13, 0x1122334455667788);
	guest_set_reg(0, X86_GS_BASE, 0xffff800000001000);
	guest_set_reg(0, X86_FCTRL, 0x27f);
	ck_assert_int_eq(machine_reg_write(m, 0, X86_XMM5, xmm, &err), 0);
	if (machine_reg_present(m, X86_YMM5H))
		ck_assert_int_eq(machine_reg_write(m, 0, X86_YMM5H, ymm, &err), 0);
	guest_step(0);
	guest_wait();
	ck_assert_uint_eq(stop.pc, 0x100001);
	ck_assert_uint_eq(guest_reg(0, X86_R13), 0x1122334455667788);
	ck_assert_uint_eq(guest_reg(0, X86_GS_BASE), 0xffff800000001000);
	ck_assert_uint_eq(guest_reg(0, X86_FCTRL), 0x27f);
	ck_assert_mem_eq(bytes_of(0, X86_XMM5, buf), xmm, 16);
	if (machine_reg_present(m, X86_YMM5H))
		ck_assert_mem_eq(bytes_of(0, X86_YMM5H, buf), ymm, 16);
	guest_end();
}
END_TEST

/* What the hardware would not take is refused, and nothing has changed. */
START_TEST(refusals)
{
	static const struct {
		reg_id reg;
		uint64_t value;
	} bad[] = {
		{ X86_CR0, 0x80000000 },                /* paging without protection */
		{ X86_CR4, 0 },                         /* PAE off in long mode */
		{ X86_CR4, 1ull << 63 },
		{ X86_EFER, 0 },                        /* long mode off with paging on */
		{ X86_EFLAGS, 0x8000 },
		{ X86_RIP, 0x800000000000 },
		{ X86_MXCSR, 0x10000 },
		{ X86_CS, 0 },
		{ X86_CS, 0xfff8 },
		{ X86_DR0, 0x800000000000 },
		{ X86_DR3, 0xff7fffffffffffff },
		{ X86_DR6, 1ull << 32 },
		{ X86_DR7, 1ull << 63 },
		{ X86_DR7, 0x20401 },                   /* ports without cr4.DE */
		{ X86_DR7, 0xc00004c0 },                /* execution, longer than a byte */
	};
	uint8_t before[X86_REGS][REG_BYTES_MAX], now[REG_BYTES_MAX], value[REG_BYTES_MAX];

	GUEST_START(spin64, 0x100000, BOOT_LONG, 1);
	for (unsigned i = 0; i < X86_REGS; i++)
		if (machine_reg_present(m, i))
			bytes_of(0, i, before[i]);
	for (size_t k = 0; k < sizeof(bad) / sizeof(bad[0]); k++) {
		memset(value, 0, sizeof(value));
		memcpy(value, &bad[k].value, 8);
		ck_assert_msg(machine_reg_write(m, 0, bad[k].reg, value, &err) < 0, "%s took 0x%llx",
			      reg_full(bad[k].reg)->name, (unsigned long long)bad[k].value);
		ck_assert_uint_gt(strlen(err.msg), 0);
		for (unsigned i = 0; i < X86_REGS; i++)
			if (machine_reg_present(m, i))
				ck_assert_msg(!memcmp(bytes_of(0, i, now), before[i], REG_BYTES_MAX), "%s changed",
					      reg_full(i)->name);
	}
	guest_step(0);
	guest_wait();
	ck_assert_uint_eq(stop.reason, STOP_STEP);
	guest_end();
}
END_TEST

START_TEST(real_mode_pc_is_linear)
{
	struct cpu_status st;

	GUEST_START(spin, 0x7c00, BOOT_REAL, 1);
	guest_set_reg(0, X86_CS, 0x7c0);
	ck_assert_uint_eq(guest_reg(0, X86_CS_BASE), 0x7c00);
	guest_set_reg(0, X86_RIP, 0x7c00);
	ck_assert_uint_eq(guest_reg(0, X86_IP), 0);
	ck_assert_int_eq(machine_cpu_status(m, 0, &st, &err), 0);
	ck_assert_str_eq(st.mode, "real");
	ck_assert_uint_eq(st.code_bits, 16);
	ck_assert_uint_eq(st.code_base, 0x7c00);
	ck_assert_uint_eq(st.pc - st.code_base, 0);
	ck_assert_uint_eq(st.pc, 0x7c00);
	/* Beyond 64 KiB of cs. */
	ck_assert_int_eq(machine_reg_write(m, 0, X86_RIP, &(uint64_t){ 0x7c00 + 0x10000 }, &err), -EINVAL);
	ck_assert_int_eq(machine_reg_write(m, 0, X86_RIP, &(uint64_t){ 0x7bff }, &err), -EINVAL);
	guest_step(0);
	guest_wait();
	ck_assert_uint_eq(stop.pc, 0x7c00);
	guest_end();
}
END_TEST

START_TEST(segments_load_their_descriptors)
{
	GUEST_START(spin, 0x7c00, BOOT_PROTECTED, 1);
	/* The loader's own data selector, through the table it left in memory. */
	uint64_t ds = guest_reg(0, X86_DS);

	guest_set_reg(0, X86_ES, 0);
	ck_assert_uint_eq(guest_reg(0, X86_ES), 0);
	guest_set_reg(0, X86_ES, ds);
	ck_assert_uint_eq(guest_reg(0, X86_ES), ds);
	ck_assert_uint_eq(guest_reg(0, X86_ES_BASE), 0);
	ck_assert_int_eq(machine_reg_write(m, 0, X86_DS, &(uint64_t){ guest_reg(0, X86_CS) | 0xff00 }, &err), -EINVAL);
	guest_end();
}
END_TEST

START_TEST(mode_is_told)
{
	static const struct {
		enum boot_mode boot;
		enum cpu_mode mode;
		unsigned bits;
		bool paging;
	} t[] = {
		{ BOOT_REAL, MODE_REAL, 16, false },
		{ BOOT_PROTECTED, MODE_PROT32, 32, false },
		{ BOOT_LONG, MODE_LONG, 64, true },
	};
	struct cpu_status st;

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		GUEST_START(spin, 0x7c00, t[i].boot, 1);
		ck_assert_int_eq(machine_cpu_status(m, 0, &st, &err), 0);
		ck_assert_str_eq(st.mode, x86_modes[t[i].mode].name);
		ck_assert_uint_eq(st.code_bits, t[i].bits);
		ck_assert_uint_eq(st.paging, t[i].paging);
		ck_assert_uint_eq(st.privilege, 0);
		guest_end();
	}
}
END_TEST

START_TEST(memory)
{
	uint8_t buf[8192];
	struct translation t;

	GUEST_START(spin64, 0x100000, BOOT_LONG, 1);
	/* RAM is 16 MiB, identity paging reaches 4 GiB: the first bytes are read, the rest is an error. */
	memset(buf, 0x5a, sizeof(buf));
	ck_assert_uint_eq(machine_mem_write(m, 0, 0xfff000, buf, sizeof(buf), &err), 4096);
	ck_assert_int_eq(err.code, ENXIO);
	ck_assert_uint_eq(machine_mem_read(m, 0, 0xffff00, buf, sizeof(buf), &err), 256);
	ck_assert_uint_eq(machine_phys_read(m, 0xffff00, buf, sizeof(buf), &err), 256);
	ck_assert_uint_eq(buf[255], 0x5a);
	ck_assert_uint_eq(machine_mem_read(m, 0, 0x200000000, buf, 1, &err), 0);
	ck_assert_int_eq(err.code, EFAULT);
	ck_assert_uint_eq(machine_mem_read(m, 0, 0x8000000000000000, buf, 1, &err), 0);
	ck_assert_uint_eq(machine_mem_read(m, 0, ~0ull, buf, 16, &err), 0);
	ck_assert_uint_eq(machine_mem_read(m, 1, 0, buf, 1, &err), 0);
	ck_assert_int_eq(machine_translate(m, 0, 0x123456, NULL, &t, &err), 0);
	ck_assert(t.present && t.gpa == 0x123456 && t.slot == 0 && t.hva);
	ck_assert_uint_eq(t.page_size, 0x200000);
	ck_assert_uint_eq(t.nlevels, 3);
	ck_assert_int_eq(machine_translate(m, 0, 0x200000000, NULL, &t, &err), 0);
	ck_assert(!t.present);
	ck_assert_int_eq(machine_translate(m, 0, 0x1000, &(uint64_t){ 0xfffffffff000 }, &t, &err), 0);
	ck_assert(!t.present);
	guest_end();
}
END_TEST

START_TEST(slots)
{
	struct slot_info s;

	GUEST_START(spin, 0x7c00, BOOT_REAL, 1);
	ck_assert(machine_slot_list(m, 0, &s));
	ck_assert_uint_eq(s.gpa, 0);
	ck_assert_uint_eq(s.size, 16 << 20);
	ck_assert(s.huge_aligned);
	ck_assert_uint_eq(s.hva % 0x200000, 0);
	ck_assert(!machine_slot_list(m, 1, &s));
	guest_end();
}
END_TEST

START_TEST(too_much)
{
	struct machine_config c = { .memory = 1ull << 52, .cpus = 1, .load.kind = IMAGE_FLAT };

	m = NULL;
	ck_assert_int_eq(blob_copy("test", spin, 2, &c.image, &err), 0);
	ck_assert_int_lt(machine_kvm_new(&c, &m, &err), 0);
	c.memory = 1ull << 46;
	ck_assert_int_eq(blob_copy("test", spin, 2, &c.image, &err), 0);
	ck_assert_int_lt(machine_kvm_new(&c, &m, &err), 0);
	c.memory = 1 << 20;
	c.cpus = 0;
	ck_assert_int_eq(blob_copy("test", spin, 2, &c.image, &err), 0);
	ck_assert_int_eq(machine_kvm_new(&c, &m, &err), -EINVAL);
	ck_assert_ptr_null(m);
}
END_TEST

/* Each of its own debug registers into general ones, then others back. */
GUEST(debugregs64, ".code64\n mov %dr0, %rax\n mov %dr3, %rbx\n mov %dr6, %rcx\n mov %dr7, %rdx\n"
		   " mov $0x12345, %esi\n mov %rsi, %dr1\n mov $0x30408, %esi\n mov %rsi, %dr7\n nop\n jmp .\n");

/* The guest has what we wrote, and we read what it wrote. */
START_TEST(debug_registers)
{
	GUEST_START(debugregs64, 0x100000, BOOT_LONG, 1);
	ck_assert_uint_eq(guest_reg(0, X86_DR6), 0xffff0ff0);
	ck_assert_uint_eq(guest_reg(0, X86_DR7), 0x400);
	guest_set_reg(0, X86_DR0, 0xffff800000001234);
	guest_set_reg(0, X86_DR3, 0x7fffffffffff);
	/* What is fixed stays so, and breakpoints that are disabled may be anything. */
	guest_set_reg(0, X86_DR6, 0x4001);
	ck_assert_uint_eq(guest_reg(0, X86_DR6), 0xffff4ff1);
	guest_set_reg(0, X86_DR7, 0xd040d800);
	ck_assert_uint_eq(guest_reg(0, X86_DR7), 0xd0400400);
	guest_set_reg(0, X86_DR7, 0x90000480);  /* the last: 8 bytes, to be written */
	for (int i = 0; i < 8; i++) {
		guest_step(0);
		guest_wait();
		ck_assert_uint_eq(stop.reason, STOP_STEP);
	}
	ck_assert_uint_eq(guest_reg(0, X86_RAX), 0xffff800000001234);
	ck_assert_uint_eq(guest_reg(0, X86_RBX), 0x7fffffffffff);
	ck_assert_uint_eq(guest_reg(0, X86_RCX) & 0x1, 0x1);
	ck_assert_uint_eq(guest_reg(0, X86_RDX), 0x90000480);
	ck_assert_uint_eq(guest_reg(0, X86_DR0), 0xffff800000001234);
	ck_assert_uint_eq(guest_reg(0, X86_DR1), 0x12345);
	ck_assert_uint_eq(guest_reg(0, X86_DR7), 0x30408);
	ck_assert_int_eq(machine_reset(m, &err), 0);
	ck_assert_uint_eq(guest_reg(0, X86_DR0), 0);
	ck_assert_uint_eq(guest_reg(0, X86_DR7), 0x400);
	guest_end();
}
END_TEST

/* Its own MSRs into general registers, then others back. */
GUEST(msrs64, ".code64\n mov $0xc0000082, %ecx\n rdmsr\n mov %rax, %rbx\n mov %rdx, %rsi\n mov $0x176, %ecx\n rdmsr\n"
	      " mov $0xc0000081, %ecx\n mov $0x230010, %edx\n mov $0x1234, %eax\n wrmsr\n sgdt 0x8000\n nop\n jmp .\n");

START_TEST(msrs)
{
	struct err e;
	uint64_t v;

	GUEST_START(msrs64, 0x100000, BOOT_LONG, 1);
	guest_set_reg(0, X86_LSTAR, 0xffff800012345678);
	guest_set_reg(0, X86_GDTR_LIMIT, 0x7f);
	ck_assert_int_eq(machine_special_write(m, 0, 0x176, 0x1122334455, &err), 0);
	ck_assert_uint_eq(guest_reg(0, X86_SYSENTER_EIP), 0x1122334455);
	for (int i = 0; i < 12; i++) {
		guest_step(0);
		guest_wait();
		ck_assert_uint_eq(stop.reason, STOP_STEP);
	}
	ck_assert_uint_eq(guest_reg(0, X86_RBX), 0x12345678);
	ck_assert_uint_eq(guest_reg(0, X86_RSI), 0xffff8000);
	ck_assert_uint_eq(guest_u32(0x8000) & 0xffff, 0x7f);
	ck_assert_uint_eq(guest_reg(0, X86_STAR), 0x23001000001234);
	ck_assert_int_eq(machine_special_read(m, 0, 0xc0000081, &v, &err), 0);
	ck_assert_uint_eq(v, 0x23001000001234);
	/* Those among the system registers are checked, and kept, as those. */
	ck_assert_int_eq(machine_special_write(m, 0, 0xc0000080, 0, &e), -EINVAL);
	ck_assert_int_eq(machine_special_write(m, 0, 0xc0000100, 0xffff800000001000, &err), 0);
	ck_assert_uint_eq(guest_reg(0, X86_FS_BASE), 0xffff800000001000);
	ck_assert_int_eq(machine_special_write(m, 0, 0xc0000100, 1ull << 47, &e), -EINVAL);
	ck_assert_int_eq(machine_special_write(m, 0, 0x277, 2, &e), -EINVAL);
	ck_assert_int_eq(machine_special_read(m, 0, 0x12345678, &v, &e), -EINVAL);
	ck_assert_uint_gt(strlen(e.msg), 0);
	ck_assert_int_eq(machine_special_read(m, 1, 0x10, &v, &e), -EINVAL);
	guest_end();
}
END_TEST

/* xcr0 keeps together what goes together, and what it can switch on holds over a step. */
START_TEST(extended_state)
{
	uint8_t zmm[REG_BYTES_MAX] = { 1, 2, 3 }, buf[REG_BYTES_MAX];
	uint64_t all = 0xe7;

	GUEST_START(spin64, 0x100000, BOOT_LONG, 1);
	ck_assert_uint_eq(guest_reg(0, X86_XCR0) & 1, 1);
	ck_assert_int_eq(machine_reg_write(m, 0, X86_XCR0, &(uint64_t){ 0 }, &err), -EINVAL);
	ck_assert_int_eq(machine_reg_write(m, 0, X86_XCR0, &(uint64_t){ 5 }, &err), -EINVAL);
	ck_assert_int_eq(machine_reg_write(m, 0, X86_XCR0, &(uint64_t){ 0x67 }, &err), -EINVAL);
	ck_assert_int_eq(machine_reg_write(m, 0, X86_XCR0, &(uint64_t){ 1ull << 63 | 1 }, &err), -EINVAL);
	if (machine_reg_present(m, X86_ZMM17H)) {
		guest_set_reg(0, X86_XCR0, all);
		ck_assert_uint_eq(guest_reg(0, X86_XCR0), all);
		ck_assert_int_eq(machine_reg_write(m, 0, X86_ZMM17H, zmm, &err), 0);
		ck_assert_int_eq(machine_reg_write(m, 0, X86_XMM31, zmm, &err), 0);
		guest_set_reg(0, X86_K7, 0x123456789);
		guest_step(0);
		guest_wait();
		ck_assert_mem_eq(bytes_of(0, X86_ZMM17H, buf), zmm, 32);
		ck_assert_mem_eq(bytes_of(0, X86_XMM31, buf), zmm, 16);
		ck_assert_uint_eq(guest_reg(0, X86_K7), 0x123456789);
		memset(zmm, 0, sizeof(zmm));
		ck_assert_mem_eq(bytes_of(0, X86_YMM17H, buf), zmm, 16);
	}
	guest_end();
}
END_TEST

/* 8 bytes are for long mode; ports are for CR4.DE. */
START_TEST(debug_registers_by_mode)
{
	uint64_t eight = 0x90402, ports = 0x20402;

	GUEST_START(spin, 0x7c00, BOOT_REAL, 1);
	ck_assert_int_eq(machine_reg_write(m, 0, X86_DR7, &eight, &err), -EINVAL);
	ck_assert_msg(strstr(err.msg, "long mode") != NULL, "%s", err.msg);
	ck_assert_int_eq(machine_reg_write(m, 0, X86_DR7, &ports, &err), -EINVAL);
	ck_assert_msg(strstr(err.msg, "cr4.DE") != NULL, "%s", err.msg);
	ck_assert_uint_eq(guest_reg(0, X86_DR7), 0x400);
	guest_set_reg(0, X86_CR4, guest_reg(0, X86_CR4) | 8);
	guest_set_reg(0, X86_DR7, ports);
	ck_assert_uint_eq(guest_reg(0, X86_DR7), ports);
	guest_end();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("regs");
	TCase *c = tcase_create("regs");

	if (guest_no_kvm())
		return unit_skip_all("/dev/kvm cannot be opened");
	tcase_set_timeout(c, 60);
	tcase_add_test(c, round_trips);
	tcase_add_test(c, written_values_survive_a_step);
	tcase_add_test(c, refusals);
	tcase_add_test(c, debug_registers);
	tcase_add_test(c, debug_registers_by_mode);
	tcase_add_test(c, msrs);
	tcase_add_test(c, extended_state);
	tcase_add_test(c, real_mode_pc_is_linear);
	tcase_add_test(c, segments_load_their_descriptors);
	tcase_add_test(c, mode_is_told);
	tcase_add_test(c, memory);
	tcase_add_test(c, slots);
	tcase_add_test(c, too_much);
	suite_add_tcase(s, c);
	return unit_main(s);
}
