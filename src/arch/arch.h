/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an architecture is for the part of the program that speaks to KVM: one table, of which a build has the one of its host,
 * since KVM runs no other guests.  src/kvm calls it, and knows nothing of what is behind it; src/api/arch.h is the same for
 * who looks at the machine from outside.  Every member is required, unless it says that it may be NULL.
 *
 * Threads: "V's thread" is the vCPU's own or, while it is parked, the loop thread; what has no word of it is the loop thread's, with
 * every vCPU parked.
 */
#ifndef GV_ARCH_ARCH_H
#define GV_ARCH_ARCH_H

#include "api/machine.h"
#include "kvm/kvm.h"

struct catch_table;
struct guest_time;
struct machine_config;
struct machine_kvm;
struct vcpu;
struct vm;

/* Guest-physical addresses that hardware itself takes: no slot may be there. */
struct arch_reserved {
	uint64_t gpa, size;
	const char *what;
};

/* What a debugger may ask of KVM that not every host has. */
enum arch_debug { ARCH_SOFT, ARCH_HARD, ARCH_WATCH, ARCH_STEP };

struct arch {
	/* -- the host and the VM: kvm.c -- */
	const struct kvm_cap *caps;     /* besides those that every architecture has */
	size_t ncaps;
	const struct arch_reserved *reserved;
	size_t nreserved;
	/* Finds out what the host's processor has: K->arch and K->phys_bits.  -ENOMEM, or what KVM says. */
	int (*host_open)(struct kvm *k, struct err *err);
	/* K has its VM now. */
	int (*vm_made)(struct kvm *k, struct err *err);
	void (*host_close)(struct kvm *k);      /* also of one that was not opened */

	/* -- the machine around the vCPUs: machine_kvm.c -- */
	/* What this architecture cannot do of C: -EINVAL.  NULL: it can all of it. */
	int (*check_config)(const struct machine_config *c, struct err *err);
	/* M->vm.arch, RAM, what was found out of the host, and what else must be there before the first vCPU. */
	int (*board_new)(struct machine_kvm *m, const struct machine_config *c, struct err *err);
	void (*board_free)(struct machine_kvm *m);
	/* The bus and what is on it; the vCPUs exist, and none has run. */
	int (*devices_new)(struct machine_kvm *m, const struct machine_config *c, struct err *err);
	void (*devices_free)(struct machine_kvm *m);
	/* All is made: remembers what the vCPUs are when they are switched on. */
	int (*ready)(struct machine_kvm *m, struct err *err);
	/* The machine is switched on, its slots and devices as they are then: the image into RAM, the vCPUs.  *RET_SLIDE: the image's. */
	int (*load)(struct machine_kvm *m, uint64_t *ret_slide, struct err *err);
	/* Memory that the guest's chipset has moved; NULL: there is no such thing. */
	int (*remap)(struct machine_kvm *m, struct err *err);
	/* Makes what a sandbox would not let it make later; NULL: nothing. */
	void (*before_sandbox)(struct machine_kvm *m);
	/* What was measured, for `info host`: the INDEX-th of NFACTS. */
	const size_t *nfacts;
	bool (*host_fact)(struct machine_kvm *m, size_t index, struct host_fact *ret);
	/* As machine_assist_count().  NULL: nothing is assisted. */
	bool (*assist_count)(struct machine_kvm *m, size_t index, struct assist_count *ret);
	/* Members of the ops table (api/machine.h) for devices that not every board has.  NULL: there are none; but for inject. */
	bool (*pci_list)(struct machine_kvm *m, size_t index, struct pci_info *ret);
	int (*screen)(struct machine_kvm *m, struct screen *ret, struct err *err);
	int (*key_text)(struct machine_kvm *m, const char *text, size_t len, struct err *err);
	int (*inject)(struct machine_kvm *m, const struct injection *i, struct err *err);
	/* The clocks that KVM keeps for the guest: it stops, it goes on. */
	void (*time_stop)(struct guest_time *ret, uint64_t now_ns);
	void (*time_resume)(const struct vm *vm, const struct guest_time *since, uint64_t now_ns);
	/* A device's interrupt line; any thread, under the bus lock. */
	void (*irq_line)(struct vm *vm, unsigned line, bool level);

	/* -- a vCPU: vcpu.c, run.c -- */
	/* V has its descriptor and run page: V->arch, what it is told of its processor.  Undone by cpu_free, also when it failed. */
	int (*cpu_new)(struct vcpu *v, struct err *err);
	void (*cpu_free)(struct vcpu *v);
	/* It is about to run again: what was read of it before is stale.  V's thread. */
	void (*resumed)(struct vcpu *v);
	/* Whether it may enter the guest: it does not wait for an interrupt that we bring.  Else wait() waits for that, or a pause. */
	bool (*awake)(struct vcpu *v);
	void (*wait)(struct vcpu *v);
	/* Whether it must not run on the loop thread.  NULL: it may. */
	bool (*own_thread)(const struct vcpu *v);
	/* Whoever waits looks at `pause` again.  Any thread. */
	void (*wake)(struct vm *vm);
	/* Around KVM_RUN, which answered RET; from enter() on every kick ends it.  V's thread. */
	void (*enter)(struct vcpu *v);
	void (*left)(struct vcpu *v, int ret);
	/* KVM has finished an instruction whose I/O was served: what was read of V before is stale.  NULL: that is always seen. */
	void (*io_completed)(struct vcpu *v);
	/* Has KVM take registers that were kept back.  -errno: it takes them at the next entry.  V's thread. */
	int (*settle)(struct vcpu *v);
	/* -ENOTSUP: this host lacks what WHAT takes; the message names the capability.  Loop thread.  NULL: it has all of it. */
	int (*debug_check)(const struct vm *vm, enum arch_debug what, struct err *err);
	/* An exit that exits.c does not know: whether V may re-enter.  V's thread, like those that follow. */
	bool (*exit)(struct vcpu *v);
	/* KVM_EXIT_DEBUG, likewise. */
	bool (*debug_exit)(struct vcpu *v);
	/* KVM_RUN's answer RET has been handled; ENTER: V may go on. */
	void (*handled)(struct vcpu *v, int ret, bool enter);
	/* KVM_EXIT_MMIO: false: it is no page of ours, and nothing was done.  *RET_ENTER: whether V may re-enter.  NULL: never. */
	bool (*watched_mmio)(struct vcpu *v, bool *ret_enter);
	/* A write to GPA, which a slot holds, that the board carries out; and whether one there goes to a device.  NULL: never. */
	bool (*board_write)(struct vm *vm, uint64_t gpa, const void *data, size_t size);
	bool (*board_is_device)(struct vm *vm, uint64_t gpa);
	/* V is about to run on with breakpoints armed; to step until its action is done; to take the step that V->over asks for. */
	void (*prepare_run)(struct vcpu *v);
	void (*run_steps)(struct vcpu *v, bool stepped);
	bool (*step_alone)(struct vcpu *v);
	/* The instruction is done: watchpoints that it hit are told of. */
	void (*settle_watches)(struct vcpu *v);
	/* V stands at a trap or a debug register of ours: true: that was no hit at all, and has been dealt with.  NULL: always one. */
	bool (*hit_repaired)(struct vcpu *v);
	/* Nobody wants the hit: carries out the instruction there if that is simpler than a step alone.  False: it was not.  NULL: never. */
	bool (*pass)(struct vcpu *v);

	/* What KVM_EXIT_DEBUG's part of the run page comes to in two numbers, and how that is shown.  Any thread. */
	void (*debug_note)(const struct kvm_run *run, uint64_t *ret_a, uint64_t *ret_b);
	void (*debug_text)(uint64_t a, uint64_t b, char *ret, size_t size);

	/* -- registers and addresses.  V's thread -- */
	uint64_t (*pc)(const struct vcpu *v);   /* linear */
	bool (*reg_present)(const struct kvm *k, reg_id reg);
	int (*reg_read)(struct vcpu *v, reg_id reg, void *ret, struct err *err);
	int (*reg_write)(struct vcpu *v, reg_id reg, const void *value, struct err *err);
	/* Special registers by number, as machine_special_read() and _write(). */
	int (*special_read)(struct vcpu *v, uint32_t index, uint64_t *ret, struct err *err);
	int (*special_write)(struct vcpu *v, uint32_t index, uint64_t value, struct err *err);
	/* RET->activity is NULL for a vCPU that has only to be resumed. */
	void (*status)(struct vcpu *v, struct cpu_status *ret);
	/* The address space V is in: what a breakpoint's `space` is compared with. */
	uint64_t (*space)(const struct vcpu *v);
	/*
	 * Where GVA is: for a person, who means a kernel's memory too while user code runs; and strictly by V's own tables, or with
	 * those at *ROOT in their place.  0 or -EFAULT, with RET filled in either way.
	 */
	int (*translate)(const struct vcpu *v, uint64_t gva, struct translation *ret, struct err *err);
	int (*translate_by)(const struct vcpu *v, const uint64_t *root, uint64_t gva, struct translation *ret, struct err *err);
	void (*ranges)(const struct vcpu *v, bool (*each)(void *arg, const struct mem_range *r), void *arg);
	/* -EFAULT: no code of V's can be at GVA. */
	int (*check_gva)(const struct vcpu *v, uint64_t gva, struct err *err);
	/* Whether a vCPU cannot go on at all when the page at GPA is taken from it. */
	bool (*needs_page)(struct vm *vm, uint64_t gpa);
	/* Where V's page tables begin; false: it has none.  RET gets that as people write it, "cr3 0x1000". */
	bool (*tables)(const struct vcpu *v, uint64_t *ret_gpa, char *ret, size_t size);
	/* V waits for interrupts and has them off. */
	bool (*halted_for_good)(struct vcpu *v);

	/* -- catchpoints: catch.c.  NULL: nothing of the kind -- */
	/* Whether accesses that SPEC is about come out of KVM at all.  -ENOTSUP, -EINVAL. */
	int (*catch_check)(const struct catch_spec *spec, struct err *err);
	/* KIND's catchpoints are others now: takes up what they need.  On failure nothing has changed. */
	int (*catch_changed)(struct catch_table *t, enum catch_kind kind, struct err *err);
	/* Follows what the guest has changed since; before anything runs. */
	void (*catch_follow)(struct catch_table *t);
	bool (*catch_wants_tick)(const struct catch_table *t);
	void (*catch_reset)(struct catch_table *t);
	/* V is at a breakpoint of BREAK_OWNER_CATCH at GVA: which catchpoint that is; as catch_match().  V's thread. */
	bool (*catch_hit)(struct catch_table *t, struct vcpu *v, uint64_t gva, struct stop_event *ev);
	/* One of KIND was reported. */
	void (*catch_told)(struct catch_table *t, enum catch_kind kind);
	void (*catch_free)(struct catch_table *t);

	/* -- a kernel in the guest: kernel_view.c -- */
	uint64_t kernel_half;           /* gva from which on its text may be, at any slide */
	/* Whether V runs code in a mode that a kernel of this architecture's has.  V's thread, like those that follow. */
	bool (*kernel_mode)(const struct vcpu *v);
	/* Where VECTOR (or KERNEL_SYSCALL) leads to.  False: nowhere. */
	bool (*kernel_entry)(struct vcpu *v, unsigned vector, uint64_t *ret);
	/* Where a CPU's own data may begin. */
	bool (*kernel_percpu)(struct vcpu *v, uint64_t ret[2]);
	/* The INDEX-th argument of the call that V has just come to.  False: not readable. */
	bool (*call_argument)(struct vcpu *v, unsigned index, uint64_t *ret);
};

extern const struct arch arch;

#endif
