/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The fake machine's kernel: what the test has put there. */
#include <errno.h>

#include "tests/fake_parts.h"

static int need_kernel(const struct fake_machine *f, struct err *err)
{
	int r = fake_need_parked(f, 0, err);

	if (r)
		return r;
	if (!f->kernel.known)
		return err_set(err, ENOENT, "there are no symbols of a Linux kernel (--symbols=vmlinux gives them)");
	return 0;
}

static int fails(const struct fake_machine *f, struct err *err)
{
	return f->kernel.fail ? err_set(err, f->kernel.fail, "the fake kernel fails") : 0;
}

static int op_info(struct machine *m, struct kernel_info *ret, struct err *err)
{
	struct fake_machine *f = fake(m);
	int r = need_kernel(f, err);

	if (!r)
		*ret = f->kernel.info;
	return r;
}

static int op_current(struct machine *m, unsigned cpu, struct kernel_task *ret, struct err *err)
{
	struct fake_machine *f = fake(m);
	int r = need_kernel(f, err);

	if (!r)
		r = fails(f, err);
	if (r)
		return r;
	for (size_t i = 0; i < f->kernel.ntasks; i++)
		if (f->kernel.task[i].running && f->kernel.task[i].cpu == (int)cpu) {
			*ret = f->kernel.task[i];
			return 0;
		}
	return err_set(err, EAGAIN, "the kernel has not taken up vCPU %u yet", cpu);
}

static int op_tasks(struct machine *m, bool (*each)(void *arg, const struct kernel_task *t), void *arg, struct err *err)
{
	struct fake_machine *f = fake(m);
	int r = need_kernel(f, err);

	for (size_t i = 0; !r && i < f->kernel.ntasks; i++)
		if (!each(arg, &f->kernel.task[i]))
			return 0;
	return r ? r : fails(f, err);
}

static int op_modules(struct machine *m, bool (*each)(void *arg, const struct kernel_module *mod), void *arg,
		      struct err *err)
{
	struct fake_machine *f = fake(m);
	int r = need_kernel(f, err);

	for (size_t i = 0; !r && i < f->kernel.nmodules; i++)
		if (!each(arg, &f->kernel.module[i]))
			return 0;
	return r ? r : fails(f, err);
}

static int op_log(struct machine *m, uint64_t from, bool (*each)(void *arg, const struct kernel_message *msg), void *arg,
		  struct err *err)
{
	struct fake_machine *f = fake(m);
	int r = need_kernel(f, err);

	for (size_t i = 0; !r && i < f->kernel.nmessages; i++)
		if (f->kernel.message[i].number >= from && !each(arg, &f->kernel.message[i]))
			return 0;
	return r ? r : fails(f, err);
}

void fake_kernel_ops(struct machine_ops *ops)
{
	ops->kernel_info = op_info;
	ops->kernel_current = op_current;
	ops->kernel_tasks = op_tasks;
	ops->kernel_modules = op_modules;
	ops->kernel_log = op_log;
}
