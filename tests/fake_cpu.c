/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/fake_machine.h"

#include <errno.h>
#include <string.h>

#include "tests/fake_parts.h"

uint64_t fake_reg(const struct fake_machine *f, unsigned cpu, reg_id reg)
{
	uint64_t v;

	memcpy(&v, f->cpu[cpu].reg[reg], sizeof(v));
	return v;
}

void fake_set_reg(struct fake_machine *f, unsigned cpu, reg_id reg, uint64_t value)
{
	memcpy(f->cpu[cpu].reg[reg], &value, sizeof(value));
}

uint64_t fake_pc_of(const struct fake_machine *f, unsigned cpu)
{
	return fake_reg(f, cpu, X86_RIP);
}

void fake_set_pc(struct fake_machine *f, unsigned cpu, uint64_t pc)
{
	fake_set_reg(f, cpu, X86_RIP, pc);
	fake_set_reg(f, cpu, X86_IP, pc - fake_reg(f, cpu, X86_CS_BASE));
}

static int op_cpu_status(struct machine *m, unsigned cpu, struct cpu_status *ret, struct err *err)
{
	struct fake_machine *f = fake(m);
	int r = fake_need_parked(f, cpu, err);

	if (r)
		return r;
	*ret = (struct cpu_status){
		.mode = x86_modes[f->cpu[cpu].mode].name,
		.code_bits = x86_modes[f->cpu[cpu].mode].code_bits,
		.pc = fake_pc_of(f, cpu),
		.code_base = fake_pc_of(f, cpu) - fake_reg(f, cpu, X86_IP),
		.paging = fake_reg(f, cpu, X86_CR0) >> 31 & 1,
		.activity = f->state == MACHINE_RUNNING && f->cpu[cpu].action.kind != ACT_STAY ? "running" : f->cpu[cpu].activity,
	};
	return 0;
}

static bool op_reg_present(struct machine *m, reg_id reg)
{
	unsigned f = arch_desc.regs[reg].feature;

	return !(fake(m)->config.no_avx && (f == RF_AVX || f == RF_AVX512 || f == RF_PKEYS));
}

static int need_reg(struct machine *m, unsigned cpu, reg_id reg, struct err *err)
{
	if (!op_reg_present(m, reg))
		return err_set(err, ENOTSUP, "this processor has no %s", reg_full(reg)->name);
	return fake_need_parked(fake(m), cpu, err);
}

static int op_reg_read(struct machine *m, unsigned cpu, reg_id reg, void *ret, struct err *err)
{
	struct fake_machine *f = fake(m);
	int r = need_reg(m, cpu, reg, err);

	f->calls.reg_read++;
	if (!r)
		memcpy(ret, f->cpu[cpu].reg[reg], reg_full(reg)->bits / 8);
	return r;
}

static int op_reg_write(struct machine *m, unsigned cpu, reg_id reg, const void *value, struct err *err)
{
	struct fake_machine *f = fake(m);
	size_t bytes = reg_full(reg)->bits / 8;
	uint64_t v = 0;
	int r = need_reg(m, cpu, reg, err);

	f->calls.reg_write++;
	if (r)
		return r;
	memcpy(&v, value, bytes < sizeof(v) ? bytes : sizeof(v));
	if (reg == X86_IP)
		v += fake_reg(f, cpu, X86_CS_BASE);
	if (reg == X86_RIP || reg == X86_IP) {
		if (!fake_canonical(v) || (f->cpu[cpu].mode == MODE_REAL && v - fake_reg(f, cpu, X86_CS_BASE) > 0xffff))
			return err_set(err, EINVAL, "0x%llx cannot be a pc in this mode", (unsigned long long)v);
		fake_set_pc(f, cpu, v);
		f->cpu[cpu].stepping_over = false;
		return 0;
	}
	if (reg == X86_CR0 && (v & 0x80000001) == 0x80000000)
		return err_set(err, EINVAL, "cr0: paging needs protected mode");
	if ((reg == X86_DR6 || reg == X86_DR7) && v >> 32)
		return err_set(err, EINVAL, "dr%d: bits 32 to 63 must be zero", reg == X86_DR6 ? 6 : 7);
	memcpy(f->cpu[cpu].reg[reg], value, bytes);
	if (reg == X86_DR7)
		fake_set_reg(f, cpu, reg, v | 0x400);
	return 0;
}

/* Where MSR INDEX is; NULL: nowhere. */
static void *msr_place(struct fake_machine *f, unsigned cpu, uint32_t index)
{
	switch (index) {
	case FAKE_MSR:
		return &f->cpu[cpu].msr;
	case 0xc0000080:
		return f->cpu[cpu].reg[X86_EFER];
	case 0xc0000082:
		return f->cpu[cpu].reg[X86_LSTAR];
	default:
		return NULL;
	}
}

static int op_special_read(struct machine *m, unsigned cpu, uint32_t index, uint64_t *ret, struct err *err)
{
	struct fake_machine *f = fake(m);
	int r = fake_need_parked(f, cpu, err);
	void *p = r ? NULL : msr_place(f, cpu, index);

	if (!p)
		return r ? r : err_set(err, EINVAL, "there is no MSR 0x%x that can be read", index);
	memcpy(ret, p, sizeof(*ret));
	return 0;
}

static int op_special_write(struct machine *m, unsigned cpu, uint32_t index, uint64_t value, struct err *err)
{
	struct fake_machine *f = fake(m);
	int r = fake_need_parked(f, cpu, err);
	void *p = r ? NULL : msr_place(f, cpu, index);

	if (!p || (index == FAKE_MSR && value >> 32))
		return r ? r : err_set(err, EINVAL, "MSR 0x%x does not take 0x%llx", index, (unsigned long long)value);
	memcpy(p, &value, sizeof(value));
	return 0;
}

void fake_cpu_ops(struct machine_ops *ops)
{
	ops->cpu_status = op_cpu_status;
	ops->reg_present = op_reg_present;
	ops->reg_read = op_reg_read;
	ops->reg_write = op_reg_write;
	ops->special_read = op_special_read;
	ops->special_write = op_special_write;
}
