/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The dirty log's members of the ops table; contracts in api/machine.h. */
#include <errno.h>

#include "kvm/dirty.h"
#include "kvm/machine_priv.h"

/* Slot ID, when it may be looked at now. */
static int find_slot(struct machine_kvm *k, unsigned id, struct slot **ret, struct err *err)
{
	struct slot *s;
	int r = run_check_parked(k, err);

	if (r)
		return r;
	s = slots_get(k->slots, id);
	if (!s)
		return err_set(err, ENOENT, "no slot %s", slot_name(id).text);
	*ret = s;
	return 0;
}

int op_dirty_read(struct machine *m, unsigned id, enum dirty_consumer who, bool take, struct dirty_map *ret,
		  struct err *err)
{
	struct machine_kvm *k = machine_priv(m);
	struct slot *s = NULL;
	int r = find_slot(k, id, &s, err);

	if (r)
		return r;
	return dirty_log_read(k->slots, s, k->vm.breaks, who, take, ret, err);
}

int op_dirty_diff(struct machine *m, unsigned id, dirty_diff_fn *each, void *arg, struct err *err)
{
	struct machine_kvm *k = machine_priv(m);
	struct slot *s = NULL;
	int r = find_slot(k, id, &s, err);

	if (r)
		return r;
	return dirty_log_diff(k->slots, s, k->vm.breaks, each, arg, err);
}

/* What was recorded stays to be listed when it ends, until it begins again or the slot goes. */
int op_dirty_who(struct machine *m, unsigned id, bool on, struct err *err)
{
	struct machine_kvm *k = machine_priv(m);
	struct slot *s = NULL;
	int r = find_slot(k, id, &s, err);

	if (r || s->watched == on)
		return r;
	/* Where its exit is looked up, a gpa is one of address space 0. */
	if (slot_space(id))
		return err_set(err, ENOTSUP, "slot %s: writers are recorded in address space 0 alone",
			       slot_name(id).text);
	r = slots_watch(k->slots, id, on, err);
	if (r || !on)
		return r;
	r = dirty_who_begin(k->vm.who, id, err);
	if (r)
		slots_watch(k->slots, id, false, NULL);
	return r;
}

bool op_dirty_writer(struct machine *m, unsigned id, size_t index, struct dirty_writer *ret)
{
	return dirty_who_at(machine_priv(m)->vm.who, id, index, ret);
}
