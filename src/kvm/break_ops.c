/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Breakpoints, watchpoints and catchpoints: members of the ops table. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "arch/arch.h"
#include "kvm/catch.h"
#include "kvm/debug.h"
#include "kvm/exitlog.h"
#include "kvm/machine_priv.h"

/* -- finding memory -- */

/* The gpa of GVA under vCPU CPU's tables, or those at SPACE. */
static bool find_gpa(struct vm *vm, unsigned cpu, uint64_t space, uint64_t gva, uint64_t *ret)
{
	const struct vcpu *v = vm->cpus[cpu];
	struct translation t;
	int r = space == BREAK_ANY_SPACE ? arch.translate(v, gva, &t, NULL) : arch.translate_by(v, &space, gva, &t, NULL);

	/* There are no spaces without paging. */
	if (space != BREAK_ANY_SPACE && !t.page_size)
		return false;
	/* An address may be wider than what the vCPU takes of it now: it is one that the guest will have later. */
	if (r || t.gva != gva)
		return false;
	*ret = t.gpa;
	return true;
}

/* First as the vCPU it was set from sees it: another may not have its page tables yet, or no longer. */
static bool find_anywhere(struct vm *vm, unsigned cpu, uint64_t space, uint64_t gva, uint64_t *ret)
{
	if (!vm->cpus || !vm->cpus[vm->ncpus - 1])
		return false;
	if (cpu < vm->ncpus && find_gpa(vm, cpu, space, gva, ret))
		return true;
	for (unsigned i = 0; i < vm->ncpus; i++)
		if (i != cpu && find_gpa(vm, i, space, gva, ret))
			return true;
	return false;
}

static bool resolve_break(void *arg, const struct break_spec *spec, uint64_t *ret)
{
	return find_anywhere(arg, spec->cpu, spec->space, spec->gva, ret);
}

static bool resolve_watch(void *arg, const struct watch_spec *spec, uint64_t gva, uint64_t *ret)
{
	return find_anywhere(arg, spec->cpu, BREAK_ANY_SPACE, gva, ret);
}

static void gpas_of(void *arg, const uint8_t *host, void (*each)(void *each_arg, uint64_t gpa), void *each_arg)
{
	struct vm *vm = arg;

	slots_gpas_of(vm->slots, host, each, each_arg);
}

/* Reads of a system page cannot be watched; writes to it are. */
static int set_rights(void *arg, uint64_t gpa, bool no_write, bool no_read)
{
	struct vm *vm = arg;

	no_read = no_read && !arch.needs_page(vm, gpa);
	return slots_set_rights(vm->slots, gpa, no_read ? PAGE_NO_ACCESS : no_write ? PAGE_NO_WRITE : PAGE_ALL, NULL);
}

int breaks_init(struct machine_kvm *k, struct err *err)
{
	struct vm *vm = &k->vm;
	struct watch_ops ops = { .arg = vm, .resolve = resolve_watch, .gpas = gpas_of, .rights = set_rights };
	int r = break_new(vm->gmem, &vm->trap, resolve_break, vm, &vm->breaks, err);

	if (!r)
		r = watch_new(vm->gmem, &ops, &vm->watches, err);
	if (!r)
		r = catch_new(vm, &vm->catches, err);
	if (!r)
		r = exitlog_new(&vm->exits, err);
	vm->alias_hits = vm->assist = true;
	vm->hw_breaks = vm->hw_watches = UINT64_MAX;
	return r;
}

void breaks_done(struct machine_kvm *k)
{
	if (k->vm.breaks)
		break_suspend(k->vm.breaks);    /* no trap stays behind in a file */
	break_free(k->vm.breaks);
	watch_free(k->vm.watches);
	catch_free(k->vm.catches);
	exitlog_free(k->vm.exits);
}

void breaks_suspend(struct machine_kvm *k)
{
	break_suspend(k->vm.breaks);
	watch_suspend(k->vm.watches);
}

void breaks_resume(struct machine_kvm *k)
{
	break_resume(k->vm.breaks);
	watch_resume(k->vm.watches);
	k->carve_owed = slots_carve(k->slots, NULL);
}

/* -- breakpoints -- */

/* -EBUSY, or -EFAULT for an address that no code of vCPU CPU's can have. */
static int check_place(struct machine_kvm *k, unsigned cpu, uint64_t gva, struct err *err)
{
	int r = run_check_parked(k, err);

	if (r)
		return r;
	if (cpu >= k->vm.ncpus)
		return err_set(err, EINVAL, "no vCPU %u (there are %u)", cpu, k->vm.ncpus);
	return arch.check_gva(k->vm.cpus[cpu], gva, err);
}

static int check_host(const struct vm *vm, enum arch_debug what, struct err *err)
{
	return arch.debug_check ? arch.debug_check(vm, what, err) : 0;
}

int op_break_insert(struct machine *m, enum break_owner owner, const struct break_spec *spec, struct err *err)
{
	struct machine_kvm *k = machine_priv(m);
	int r = check_place(k, spec->cpu, spec->gva, err);

	if (!r)
		r = check_host(&k->vm, spec->kind == BREAK_HARD ? ARCH_HARD : ARCH_SOFT, err);
	if (r)
		return r;
	if (spec->kind == BREAK_HARD && !break_find(k->vm.breaks, spec) && !debug_free_registers(&k->vm))
		return err_set(err, ENOSPC, "all %d debug registers are in use", BREAK_REGISTERS);
	return break_add(k->vm.breaks, owner, spec, err);
}

int op_break_remove(struct machine *m, enum break_owner owner, const struct break_spec *spec, struct err *err)
{
	struct machine_kvm *k = machine_priv(m);
	int r = run_check_parked(k, err);

	return r ? r : break_del(k->vm.breaks, owner, spec, err);
}

int op_break_clear(struct machine *m, enum break_owner owner, struct err *err)
{
	struct machine_kvm *k = machine_priv(m);
	int r = run_check_parked(k, err);

	if (r)
		return r;
	break_del_all(k->vm.breaks, owner);
	watch_del_all(k->vm.watches, owner);
	if (!break_count(k->vm.breaks))
		watch_guards_sweep(k->vm.watches, 0);
	k->carve_owed = slots_carve(k->slots, NULL);
	return 0;
}

bool op_break_list(struct machine *m, size_t index, struct break_info *ret)
{
	struct vm *vm = &machine_priv(m)->vm;
	const struct breakpoint *b = break_at(vm->breaks, index);

	if (!b)
		return false;
	*ret = (struct break_info){
		.spec = b->spec,
		.resolved = b->site || b->in_rom,
		.gpa = b->site ? b->gpa : 0,
		.in_register = b->spec.kind == BREAK_HARD,
		.owners = b->owners & ~BREAK_OWNER_CATCH,
		.hits = atomic_load(&b->hits),
	};
	for (unsigned i = 0; i < vm->nhw; i++)
		ret->in_register |= !vm->hw[i].size && vm->hw[i].gva == b->spec.gva;
	return true;
}

/* -- watchpoints -- */

int op_watch_insert(struct machine *m, enum break_owner owner, const struct watch_spec *spec, struct err *err)
{
	struct machine_kvm *k = machine_priv(m);
	struct watch_piece piece[4];
	bool in_registers, is_new = false;
	int r;

	if (!spec->size)        /* nothing lies at its end */
		return err_set(err, EINVAL, "a watchpoint of no bytes");
	r = check_place(k, spec->cpu, spec->gva, err);
	if (!r)
		r = check_host(&k->vm, ARCH_WATCH, err);
	if (!r && spec->size <= WATCH_SIZE_MAX && spec->gva + (spec->size - 1) >= spec->gva)
		r = check_place(k, spec->cpu, spec->gva + (spec->size - 1), err);
	if (r)
		return r;
	/* Registers do not see what KVM carries out itself, as it does on pages that are watched. */
	in_registers = k->vm.data_watch && !watch_has_pages(k->vm.watches) && spec->size <= WATCH_REGISTER_BYTES &&
		       watch_pieces(spec, piece) <= debug_free_registers(&k->vm);
	r = watch_add(k->vm.watches, owner, spec, in_registers, &is_new, err);
	if (r || in_registers || !is_new)
		return r;
	r = watch_leave_registers(k->vm.watches, err);
	if (!r)
		r = slots_carve(k->slots, err);
	if (!r)
		return 0;
	watch_del(k->vm.watches, owner, spec, NULL);
	k->carve_owed = slots_carve(k->slots, NULL);
	return r;
}

int op_watch_remove(struct machine *m, enum break_owner owner, const struct watch_spec *spec, struct err *err)
{
	struct machine_kvm *k = machine_priv(m);
	int r = run_check_parked(k, err);

	if (!r)
		r = watch_del(k->vm.watches, owner, spec, err);
	if (!r)
		k->carve_owed = slots_carve(k->slots, NULL);
	return r;
}

bool op_watch_list(struct machine *m, size_t index, struct watch_info *ret)
{
	const struct watchpoint *w = watch_at(machine_priv(m)->vm.watches, index);

	if (!w)
		return false;
	*ret = (struct watch_info){
		.spec = w->spec,
		.in_registers = w->in_registers,
		.pages = w->nplaced,
		.owners = w->owners,
		.hits = atomic_load(&w->hits),
		.misses = atomic_load(&w->misses),
	};
	return true;
}

/* -- catchpoints, filters, settings -- */

void op_break_filter(struct machine *m, enum break_owner owner, stop_filter_fn *filter, void *arg)
{
	struct vm *vm = &machine_priv(m)->vm;

	for (unsigned i = 0; i < BREAK_OWNERS; i++)
		if (owner & 1u << i) {
			vm->filter[i].fn = filter;
			vm->filter[i].arg = arg;
		}
}

int op_catch_add(struct machine *m, const struct catch_spec *spec, unsigned *ret_id, struct err *err)
{
	struct machine_kvm *k = machine_priv(m);
	int r = run_check_parked(k, err);

	return r ? r : catch_add(k->vm.catches, spec, ret_id, err);
}

int op_catch_remove(struct machine *m, unsigned id, struct err *err)
{
	struct machine_kvm *k = machine_priv(m);
	int r = run_check_parked(k, err);

	return r ? r : catch_remove(k->vm.catches, id, err);
}

bool op_catch_list(struct machine *m, size_t index, struct catch_info *ret)
{
	return catch_list(machine_priv(m)->vm.catches, index, ret);
}

bool op_setting(struct machine *m, enum machine_setting which, const bool *value)
{
	struct vm *vm = &machine_priv(m)->vm;
	bool *const at[] = {
		[SETTING_ALIAS_HITS] = &vm->alias_hits,
		[SETTING_STEP_IRQS] = &vm->step_irqs,
		[SETTING_ASSIST] = &vm->assist,
	};

	if (value)
		*at[which] = *value;
	return *at[which];
}
