/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Looking at the machine and changing it: the members of the ops table that run nothing. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "arch/arch.h"
#include "kvm/exitlog.h"
#include "kvm/guest_mem.h"
#include "kvm/machine_priv.h"

static bool op_exit_record(struct machine *m, size_t index, struct exit_record *ret)
{
	return exitlog_at(machine_priv(m)->vm.exits, index, ret);
}

static bool op_assist_count(struct machine *m, size_t index, struct assist_count *ret)
{
	return arch.assist_count && arch.assist_count(machine_priv(m), index, ret);
}

static const struct machine_info *op_info(struct machine *m)
{
	return &machine_priv(m)->info;
}

/* The vCPU, if it exists and every vCPU is parked. */
static struct vcpu *parked_cpu(struct machine *m, unsigned cpu, struct err *err)
{
	struct machine_kvm *k = machine_priv(m);

	if (cpu >= k->vm.ncpus) {
		err_set(err, EINVAL, "no vCPU %u (there are %u)", cpu, k->vm.ncpus);
		return NULL;
	}
	/* Its own thread, in a filter, sees it as it is. */
	return vcpu_self() != k->vm.cpus[cpu] && run_check_parked(k, err) ? NULL : k->vm.cpus[cpu];
}

static int no_cpu(struct machine *m, unsigned cpu)
{
	return cpu < machine_priv(m)->vm.ncpus ? -EBUSY : -EINVAL;
}

static int op_cpu_status(struct machine *m, unsigned cpu, struct cpu_status *ret, struct err *err)
{
	struct vcpu *v = parked_cpu(m, cpu, err);

	if (!v)
		return no_cpu(m, cpu);
	arch.status(v, ret);
	/* A vCPU that could run does not while the machine is stopped. */
	if (!ret->activity)
		ret->activity = machine_priv(m)->state == MACHINE_RUNNING &&
				machine_priv(m)->vm.cpus[cpu]->act.kind != ACT_STAY ? "running" : "stopped";
	return 0;
}

static bool op_reg_present(struct machine *m, reg_id reg)
{
	return arch.reg_present(&machine_priv(m)->vm.kvm, reg);
}

static int op_reg_read(struct machine *m, unsigned cpu, reg_id reg, void *ret, struct err *err)
{
	struct vcpu *v = parked_cpu(m, cpu, err);

	return v ? arch.reg_read(v, reg, ret, err) : no_cpu(m, cpu);
}

static int op_reg_write(struct machine *m, unsigned cpu, reg_id reg, const void *value, struct err *err)
{
	struct vcpu *v = parked_cpu(m, cpu, err);

	return v ? arch.reg_write(v, reg, value, err) : no_cpu(m, cpu);
}

static int op_special_read(struct machine *m, unsigned cpu, uint32_t index, uint64_t *ret, struct err *err)
{
	struct vcpu *v = parked_cpu(m, cpu, err);

	return v ? arch.special_read(v, index, ret, err) : no_cpu(m, cpu);
}

static int op_special_write(struct machine *m, unsigned cpu, uint32_t index, uint64_t value, struct err *err)
{
	struct vcpu *v = parked_cpu(m, cpu, err);

	return v ? arch.special_write(v, index, value, err) : no_cpu(m, cpu);
}

static size_t op_mem_read(struct machine *m, unsigned cpu, uint64_t gva, void *ret, size_t len, struct err *err)
{
	struct vcpu *v = parked_cpu(m, cpu, err);

	return v ? guest_mem_read(v, gva, ret, len, err) : 0;
}

static size_t op_mem_write(struct machine *m, unsigned cpu, uint64_t gva, const void *data, size_t len,
			   struct err *err)
{
	struct vcpu *v = parked_cpu(m, cpu, err);

	return v ? guest_mem_write(v, gva, data, len, err) : 0;
}

/* A vCPU that steps over a breakpoint changes bytes and bookkeeping: not while that may happen. */
static size_t phys_access(struct machine *m, uint64_t gpa, void *ret, const void *data, size_t len, struct err *err)
{
	struct machine_kvm *k = machine_priv(m);
	size_t done;

	/* A filter, on a vCPU's thread, has the lock that keeps others from it. */
	if (!vcpu_self() && run_hold(m, err))
		return 0;
	done = data ? break_write(k->vm.breaks, gpa, data, len) : break_read(k->vm.breaks, gpa, ret, len);
	if (!vcpu_self())
		run_release(m);
	if (done < len)
		err_set(err, ENXIO, "no memory at gpa 0x%" PRIx64, gpa + done);
	return done;
}

static size_t op_phys_read(struct machine *m, uint64_t gpa, void *ret, size_t len, struct err *err)
{
	return phys_access(m, gpa, ret, NULL, len, err);
}

static size_t op_phys_write(struct machine *m, uint64_t gpa, const void *data, size_t len, struct err *err)
{
	return phys_access(m, gpa, NULL, data, len, err);
}

static int op_translate(struct machine *m, unsigned cpu, uint64_t gva, const uint64_t *root,
			struct translation *ret, struct err *err)
{
	struct vcpu *v = parked_cpu(m, cpu, err);

	if (!v)
		return no_cpu(m, cpu);
	arch.translate_by(v, root, gva, ret, NULL);
	return 0;
}

static int op_mem_ranges(struct machine *m, unsigned cpu, bool (*each)(void *arg, const struct mem_range *r),
			 void *arg, struct err *err)
{
	struct vcpu *v = parked_cpu(m, cpu, err);

	if (!v)
		return no_cpu(m, cpu);
	arch.ranges(v, each, arg);
	return 0;
}

static bool op_host_fact(struct machine *m, size_t index, struct host_fact *ret)
{
	struct machine_kvm *k = machine_priv(m);

	if (index < *arch.nfacts)
		return arch.host_fact(k, index, ret);
	return kvm_fact(&k->vm.kvm, index - *arch.nfacts, ret);
}

static int op_serial_send(struct machine *m, const uint8_t *data, size_t len, struct err *err)
{
	struct machine_kvm *k = machine_priv(m);
	int r = com1_queue(k->vm.com1, data, len, err);

	if (!r)
		vm_feed_com1(&k->vm);
	return r;
}

const struct machine_ops machine_kvm_ops = {
	.info = op_info,
	.state = run_state,
	.last_stop = run_last_stop,
	.resume = run_resume,
	.redirect = run_redirect,
	.stop = run_stop,
	.reset = run_reset,
	.hold = run_hold,
	.release = run_release,
	.event_fd = run_event_fd,
	.poll = run_poll,
	.observe = run_observe,
	.unobserve = run_unobserve,
	.cpu_status = op_cpu_status,
	.reg_present = op_reg_present,
	.reg_read = op_reg_read,
	.reg_write = op_reg_write,
	.special_read = op_special_read,
	.special_write = op_special_write,
	.mem_read = op_mem_read,
	.mem_write = op_mem_write,
	.phys_read = op_phys_read,
	.phys_write = op_phys_write,
	.translate = op_translate,
	.mem_ranges = op_mem_ranges,
	.break_insert = op_break_insert,
	.break_remove = op_break_remove,
	.break_clear = op_break_clear,
	.break_list = op_break_list,
	.watch_insert = op_watch_insert,
	.watch_remove = op_watch_remove,
	.watch_list = op_watch_list,
	.break_filter = op_break_filter,
	.catch_add = op_catch_add,
	.catch_remove = op_catch_remove,
	.catch_list = op_catch_list,
	.setting = op_setting,
	.exit_record = op_exit_record,
	.assist_count = op_assist_count,
	.slot_list = op_slot_list,
	.slot_add = op_slot_add,
	.slot_remove = op_slot_remove,
	.slot_move = op_slot_move,
	.slot_flags = op_slot_flags,
	.slot_split = op_slot_split,
	.slot_resize = op_slot_resize,
	.slot_discard = op_slot_discard,
	.slot_remap = op_slot_remap,
	.slot_save = op_slot_save,
	.slot_check = op_slot_check,
	.dirty_read = op_dirty_read,
	.dirty_diff = op_dirty_diff,
	.dirty_who = op_dirty_who,
	.dirty_writer = op_dirty_writer,
	.host_fact = op_host_fact,
	.sym_find = op_sym_find,
	.sym_at = op_sym_at,
	.sym_next = op_sym_next,
	.sym_line = op_sym_line,
	.sym_places = op_sym_places,
	.sym_slide = op_sym_slide,
	.sym_load = op_sym_load,
	.serial_send = op_serial_send,
	.device_list = op_device_list,
	.device_regs = op_device_regs,
	.pci_list = op_pci_list,
	.screen = op_screen,
	.key_text = op_key_text,
	.inject = op_inject,
	.firmware_log = op_firmware_log,
	.kernel_info = op_kernel_info,
	.kernel_current = op_kernel_current,
	.kernel_tasks = op_kernel_tasks,
	.kernel_modules = op_kernel_modules,
	.kernel_log = op_kernel_log,
};
