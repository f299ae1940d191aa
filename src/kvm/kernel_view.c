/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kvm/kernel_view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "kvm/catch.h"
#include "kvm/guest_mem.h"
#include "kvm/kernel_priv.h"
#include "kvm/machine_priv.h"
#include "load/parts.h"

#define SEEK_MAX      1024u                     /* calls between two tries */

/* -- what src/linux asks -- */

/* By the tables of the vCPU that asks, or of any: the kernel is in all of them, once they are there. */
static size_t source_read(void *arg, uint64_t gva, void *ret, size_t len)
{
	struct kernel_view *w = arg;
	struct vm *vm = &w->k->vm;
	size_t n = 0;

	if (vcpu_self())
		return arch.kernel_mode(vcpu_self()) ? guest_mem_read(vcpu_self(), gva, ret, len, NULL) : 0;
	for (unsigned i = 0; i < vm->ncpus && n < len; i++) {
		unsigned cpu = (w->cpu + i) % vm->ncpus;
		size_t got = arch.kernel_mode(vm->cpus[cpu]) ? guest_mem_read(vm->cpus[cpu], gva, ret, len, NULL) : 0;

		if (got == len)
			w->cpu = cpu;
		n = got > n ? got : n;
	}
	return n;
}

static size_t source_read_phys(void *arg, uint64_t gpa, void *ret, size_t len)
{
	struct kernel_view *w = arg;
	struct vcpu *v = vcpu_self();
	size_t n;

	if (v)
		vcpu_lock(v);
	n = break_read(w->k->vm.breaks, gpa, ret, len);
	if (v)
		vcpu_unlock(v);
	return n;
}

static bool source_symbol(void *arg, const char *name, uint64_t *ret)
{
	struct kernel_view *w = arg;
	uint64_t at;

	if (symbols_find(w->k->symbols, name, strlen(name), &at))
		return false;
	/* Those of a CPU's own data are not moved. */
	*ret = at >> 63 ? at - symbols_slide(w->k->symbols) : at;
	return true;
}

static size_t source_linked(void *arg, uint64_t addr, void *ret, size_t len)
{
	const struct machine_info *i = &((struct kernel_view *)arg)->k->info;
	struct elf_file f;
	GElf_Phdr ph;
	size_t n = 0;

	if (!i->exec_data || elf_file_open(i->exec_data, i->exec_size, &f, NULL))
		return 0;
	for (int p = 0; p < f.eh.e_phnum && !n; p++) {
		if (!gelf_getphdr(f.elf, p, &ph) || ph.p_type != PT_LOAD || addr - ph.p_vaddr >= ph.p_filesz ||
		    ph.p_offset > i->exec_size || ph.p_filesz > i->exec_size - ph.p_offset)
			continue;
		n = ph.p_filesz - (addr - ph.p_vaddr);
		n = n < len ? n : len;
		memcpy(ret, i->exec_data + ph.p_offset + (addr - ph.p_vaddr), n);
	}
	elf_file_done(&f);
	return n;
}

static int source_member(void *arg, const char *path, struct dwarf_member *ret, struct err *err)
{
	struct dwarf *d = symbols_dwarf(((struct kernel_view *)arg)->k->symbols);

	return d ? dwarf_member(d, path, ret, err) : err_set(err, ENOENT, "there is no DWARF");
}

static int source_size_of(void *arg, const char *type, uint64_t *ret, struct err *err)
{
	struct dwarf *d = symbols_dwarf(((struct kernel_view *)arg)->k->symbols);

	return d ? dwarf_sizeof(d, type, ret, err) : err_set(err, ENOENT, "there is no DWARF");
}

static bool source_entry(void *arg, unsigned vector, uint64_t *ret)
{
	struct vm *vm = &((struct kernel_view *)arg)->k->vm;

	for (unsigned i = 0; i < vm->ncpus; i++) {
		struct vcpu *v = vm->cpus[i];

		if (arch.kernel_mode(v) && arch.kernel_entry(v, vector, ret))
			return true;
	}
	return false;
}

static bool source_gs(void *arg, unsigned cpu, uint64_t ret[2])
{
	struct vm *vm = &((struct kernel_view *)arg)->k->vm;

	if (cpu >= vm->ncpus)
		return false;
	return arch.kernel_percpu(vm->cpus[cpu], ret);
}

/* -- making it -- */

int kernel_view_new(struct machine_kvm *k, struct kernel_view **ret, struct err *err)
{
	struct kernel_view *w = calloc(1, sizeof(*w));
	struct kernel_source s = {
		.arg = w,
		.read = source_read,
		.read_phys = source_read_phys,
		.symbol = source_symbol,
		.linked = source_linked,
		.member = source_member,
		.size_of = source_size_of,
		.entry = source_entry,
		.gs = source_gs,
	};
	int r;

	if (!w)
		return err_set(err, ENOMEM, "no memory for what is known of the kernel");
	w->k = k;
	w->stale = w->modules.stale = true;
	/* Up to the end of RAM, however it is split at the hole below 4 GiB. */
	s.phys_end = k->info.ram_size + (k->info.ram_size >> 32 ? 1ull << 32 : 0);
	r = kernel_new(&s, &w->kernel, err);
	if (r) {
		free(w);
		return r;
	}
	*ret = w;
	return 0;
}

void kernel_view_free(struct kernel_view *w)
{
	if (!w)
		return;
	kernel_modules_done(&w->modules);
	kernel_free(w->kernel);
	free(w);
}

void kernel_view_changed(struct kernel_view *w)
{
	kernel_changed(w->kernel);
	w->asked = false;
	kernel_view_reset(w);
}

void kernel_view_stale(struct kernel_view *w)
{
	w->stale = w->modules.stale = true;
}

void kernel_view_reset(struct kernel_view *w)
{
	kernel_view_stale(w);
	w->found = false;
	w->wait = w->waited = 0;
}

/* -- finding it -- */

bool kernel_view_known(struct kernel_view *w)
{
	if (!w->asked) {
		w->known = kernel_known(w->kernel);
		w->asked = true;
	}
	return w->known;
}

void kernel_view_move(struct kernel_view *w, uint64_t slide)
{
	if (slide != symbols_slide(w->k->symbols))
		machine_sym_slide(&w->k->base, &slide);
}

static int find(struct kernel_view *w, struct kernel **ret, struct err *err)
{
	if (w->stale) {
		w->result = kernel_locate(w->kernel, symbols_slide(w->k->symbols), &w->err);
		w->stale = false;
		if (!w->result && kernel_place(w->kernel)->mapped) {
			w->found = true;
			kernel_view_move(w, kernel_place(w->kernel)->slide);
		}
	}
	if (w->result && err)
		*err = w->err;
	if (!w->result)
		*ret = w->kernel;
	return w->result;
}

int kernel_view_find(struct kernel_view *w, struct kernel **ret, struct err *err)
{
	int r = kernel_view_known(w) ? run_check_parked(w->k, err) : kernel_locate(w->kernel, 0, err);

	return r ? r : find(w, ret, err);
}

/* Whether a vCPU is in a kernel's text, or was told where to enter it. */
static bool kernel_runs(const struct kernel_view *w)
{
	const struct vm *vm = &w->k->vm;
	uint64_t at;

	for (unsigned i = 0; i < vm->ncpus; i++)
		if (arch.kernel_mode(vm->cpus[i]) && (arch.pc(vm->cpus[i]) >= arch.kernel_half ||
						      (arch.kernel_entry(vm->cpus[i], KERNEL_SYSCALL, &at) &&
						       at >= arch.kernel_half)))
			return true;
	return false;
}

void kernel_view_seek(struct kernel_view *w)
{
	struct kernel *k;

	if (w->found || !kernel_view_known(w) || !kernel_runs(w) || w->waited++ < w->wait)
		return;
	w->waited = 0;
	w->wait = w->wait < SEEK_MAX ? 2 * w->wait + 1 : SEEK_MAX;
	kernel_view_stale(w);
	/* The guest runs, in so far as it is about to. */
	find(w, &k, NULL);
}

bool kernel_view_seeks(struct kernel_view *w)
{
	return !w->found && w->wait < SEEK_MAX && kernel_view_known(w);
}

int kernel_view_unpacked(struct kernel_view *w, uint64_t gpa, uint64_t *ret_slide, struct err *err)
{
	return kernel_view_known(w) ? kernel_unpacked(w->kernel, gpa, ret_slide, err)
				    : err_set(err, ENOENT, "there are no symbols of a Linux kernel");
}

/* -- calls -- */

struct call {
	struct vcpu *v;
	unsigned first;         /* arguments before those that are asked for */
};

static uint64_t call_arg(void *args, unsigned index)
{
	const struct call *c = args;
	uint64_t value = 0;

	arch.call_argument(c->v, c->first + index, &value);
	return value;
}

void kernel_view_format(struct kernel_view *w, struct vcpu *v, unsigned named, char *ret, size_t size)
{
	struct call format = { v, named - 1 }, rest = { v, named };

	kernel_format(w->kernel, call_arg(&format, 0), call_arg, &rest, ret, size);
}

bool kernel_view_string(struct kernel_view *w, struct vcpu *v, uint64_t gva, char *ret, size_t size)
{
	return arch.kernel_mode(v) && kernel_string(w->kernel, gva, ret, size);
}

/* -- the operations -- */

int op_kernel_info(struct machine *m, struct kernel_info *ret, struct err *err)
{
	struct kernel *k;
	int r = kernel_view_find(machine_priv(m)->kernel, &k, err);

	if (!r)
		*ret = *kernel_place(k);
	return r;
}

int op_kernel_current(struct machine *m, unsigned cpu, struct kernel_task *ret, struct err *err)
{
	struct kernel *k;
	int r = kernel_view_find(machine_priv(m)->kernel, &k, err);

	return r ? r : kernel_current(k, cpu, ret, err);
}

int op_kernel_tasks(struct machine *m, bool (*each)(void *arg, const struct kernel_task *t), void *arg, struct err *err)
{
	struct kernel *k;
	int r = kernel_view_find(machine_priv(m)->kernel, &k, err);

	return r ? r : kernel_tasks(k, each, arg, err);
}

int op_kernel_modules(struct machine *m, bool (*each)(void *arg, const struct kernel_module *mod), void *arg,
		      struct err *err)
{
	struct kernel *k;
	int r = kernel_view_find(machine_priv(m)->kernel, &k, err);

	return r ? r : kernel_modules(k, each, arg, err);
}

int op_kernel_log(struct machine *m, uint64_t from, bool (*each)(void *arg, const struct kernel_message *msg),
		  void *arg, struct err *err)
{
	struct kernel *k;
	int r = kernel_view_find(machine_priv(m)->kernel, &k, err);

	return r ? r : kernel_log(k, from, each, arg, err);
}
