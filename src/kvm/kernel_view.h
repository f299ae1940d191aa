/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The Linux kernel in this machine, if the symbols are those of one: src/linux on the machine's memory and registers.
 *
 * Threads: the loop thread while every vCPU is parked, but for what says otherwise.
 */
#ifndef GV_KVM_KERNEL_VIEW_H
#define GV_KVM_KERNEL_VIEW_H

#include "linux/kernel.h"

struct kernel_view;
struct machine_kvm;
struct vcpu;

/* K must outlive the view; its symbols may come and go.  Reads nothing.  -ENOMEM. */
int kernel_view_new(struct machine_kvm *k, struct kernel_view **ret, struct err *err);
void kernel_view_free(struct kernel_view *w);   /* NULL is fine */
/* The machine's symbols are others now. */
void kernel_view_changed(struct kernel_view *w);
/* The guest has run, or memory was loaded: what was found in memory may be another now.  Reads nothing. */
void kernel_view_stale(struct kernel_view *w);
/* The machine was reset: there is no kernel yet. */
void kernel_view_reset(struct kernel_view *w);

/* Whether there are symbols of a kernel.  Any thread. */
bool kernel_view_known(struct kernel_view *w);
/*
 * Finds the kernel, once as long as nothing is stale, and has the symbols move there.  Errors as kernel_locate(), and
 * -EBUSY.
 */
int kernel_view_find(struct kernel_view *w, struct kernel **ret, struct err *err);
/*
 * Looks for it now and then, as often as it is called, once a vCPU is where only a kernel is: for places in it that are
 * waited for.
 */
void kernel_view_seek(struct kernel_view *w);

/* Whether kernel_view_seek() has not given up. */
bool kernel_view_seeks(struct kernel_view *w);

/*
 * The kernel has unpacked itself, and its first instruction is at GPA: how far it is moved from where it is linked.
 * -ENOENT: the symbols are not its.  Also V's own thread, when V is at it.
 */
int kernel_view_unpacked(struct kernel_view *w, uint64_t gpa, uint64_t *ret_slide, struct err *err);
/* Has the symbols move there. */
void kernel_view_move(struct kernel_view *w, uint64_t slide);

/*
 * The name in a loaded module's symbols that covers ADDR, and the offset in it; NULL: none.  Names live as long as the
 * view.  Any thread; the list of modules is looked at anew on the loop thread alone.
 */
const char *kernel_view_module_at(struct kernel_view *w, uint64_t addr, uint64_t *ret_offset);
/* The address of the first of that name.  -ENOENT. */
int kernel_view_module_find(struct kernel_view *w, const char *name, size_t len, uint64_t *ret_addr);

/*
 * For the thread of V, a vCPU that has just come to a call: what printf would make of FMT and the arguments behind the
 * NAMED first.
 */
void kernel_view_format(struct kernel_view *w, struct vcpu *v, unsigned named, char *ret, size_t size);
/* The string at GVA: false: not readable.  V's thread. */
bool kernel_view_string(struct kernel_view *w, struct vcpu *v, uint64_t gva, char *ret, size_t size);

#endif
