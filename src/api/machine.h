/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The one interface through which the gdb stub and the monitor drive the machine.
 *
 * Threads: everything here is called on the loop thread (the thread that called machine creation), and every
 * observer is called there, from machine_poll() only.  All-stop: the machine is running or stopped as a whole;
 * while it runs, a vCPU may be parked because its action was ACT_STAY.
 *
 * State: operations on registers, virtual memory, translation and breakpoints need every vCPU parked: the
 * machine is stopped, or the caller holds it (machine_hold).  Otherwise they answer -EBUSY.
 *
 * Addresses: gva is a guest-virtual address (x86: a linear one), gpa a guest-physical one.  Lengths are bytes.
 */
#ifndef GV_API_MACHINE_H
#define GV_API_MACHINE_H

#include "api/machine_ops.h"

static inline const struct machine_info *machine_info(struct machine *m)
{
	return m->ops->info(m);
}

static inline enum machine_state machine_state(struct machine *m)
{
	return m->ops->state(m);
}

/* The stop reported last, STOP_ENTRY at first; valid until the next one. */
static inline const struct stop_event *machine_last_stop(struct machine *m)
{
	return m->ops->last_stop(m);
}

/*
 * Resumes: ACTS holds one action a vCPU.  A vCPU at a breakpoint it has already stopped at (its pc was not
 * written since) steps over it first.  Events that other vCPUs had pending are reported before anything runs;
 * those whose breakpoint has gone are dropped.  The outcome always arrives by observer->stopped, never
 * before this returns.  After STOP_TRIPLE_FAULT a resume resets the machine and runs it from its start.
 * The caller sees to it that machine_poll() is called before anybody waits: that may be where the guest begins to run.
 * -EBUSY: running already; -EINVAL: every action is ACT_STAY; -ESHUTDOWN: MACHINE_ENDED.
 */
static inline int machine_resume(struct machine *m, const struct run_action *acts, struct err *err)
{
	return m->ops->resume(m, acts, err);
}

/*
 * For a debugger that stops vCPUs one by one: gives some of them other actions, while those at ACT_KEEP go on with theirs and lose
 * nothing that came meanwhile, the end of a step included.  On a running machine, which the caller holds, nobody is told, and it
 * goes on with the last release; every action may then be ACT_STAY, and only machine_stop() ends that.  A stopped machine
 * is resumed as machine_resume() would.  -EBUSY: running and not held; -EINVAL: stopped, and nothing is to run; -ESHUTDOWN.
 */
static inline int machine_redirect(struct machine *m, const struct run_action *acts, struct err *err)
{
	return m->ops->redirect(m, acts, err);
}

/* Asks a running machine to stop; STOP_REQUEST (or an event that came first) is reported later.  No-op when stopped. */
static inline void machine_stop(struct machine *m)
{
	m->ops->stop(m);
}

/*
 * Back to the state right after loading: RAM cleared and loaded again, devices and vCPUs reset, breakpoints
 * kept.  Ends stopped, with was_reset and then STOP_ENTRY reported.  Stops a running machine first.
 */
static inline int machine_reset(struct machine *m, struct err *err)
{
	return m->ops->reset(m, err);
}

/*
 * Parks every vCPU without reporting a stop, so that state can be looked at or changed while the guest "runs";
 * nests; release undoes one hold and the last one resumes what was running (events that came meanwhile
 * are reported).  On a stopped machine it only counts.  -ETIMEDOUT: a vCPU could not be brought out of the guest.
 */
static inline int machine_hold(struct machine *m, struct err *err)
{
	return m->ops->hold(m, err);
}

static inline void machine_release(struct machine *m)
{
	m->ops->release(m);
}

/* Readable when machine_poll() has something to do. */
static inline int machine_event_fd(struct machine *m)
{
	return m->ops->event_fd(m);
}

/*
 * Delivers what happened to the observers.  After a resume it may run the guest itself, for up to two milliseconds.  SPIN_US > 0: first busy-waits up to that many microseconds for a
 * running machine to stop, which spares a scheduler wake-up on steps and quick hits.
 */
static inline void machine_poll(struct machine *m, unsigned spin_us)
{
	m->ops->poll(m, spin_us);
}

/* O stays the caller's and must stay valid until machine_unobserve(); its callbacks may be NULL.  Either may be called from an observer. */
static inline void machine_observe(struct machine *m, struct observer *o)
{
	m->ops->observe(m, o);
}

static inline void machine_unobserve(struct machine *m, struct observer *o)
{
	m->ops->unobserve(m, o);
}

static inline int machine_cpu_status(struct machine *m, unsigned cpu, struct cpu_status *ret, struct err *err)
{
	return m->ops->cpu_status(m, cpu, ret, err);
}

/* Whether this machine's processor has the register at all (AVX may be missing).  Constant for a machine. */
static inline bool machine_reg_present(struct machine *m, reg_id reg)
{
	return m->ops->reg_present(m, reg);
}

/*
 * Reads a register in full width (reg_full(reg)->bits / 8 bytes, little-endian) into RET.
 * -EBUSY, -EINVAL (no such vCPU), -ENOTSUP (not present), -EIO.
 */
static inline int machine_reg_read(struct machine *m, unsigned cpu, reg_id reg, void *ret, struct err *err)
{
	return m->ops->reg_read(m, cpu, reg, ret, err);
}

/* Writes one in full width.  Additionally -EINVAL for a value the processor would not take; nothing changed then. */
static inline int machine_reg_write(struct machine *m, unsigned cpu, reg_id reg, const void *value,
				    struct err *err)
{
	return m->ops->reg_write(m, cpu, reg, value, err);
}

/*
 * Any special register by its number (arch_desc.special is what they are called), also those that the register table has.  -EBUSY;
 * -EINVAL: no such vCPU, none of that number that can be read, or a value it does not take: nothing changed then.
 */
static inline int machine_special_read(struct machine *m, unsigned cpu, uint32_t index, uint64_t *ret, struct err *err)
{
	return m->ops->special_read(m, cpu, index, ret, err);
}

static inline int machine_special_write(struct machine *m, unsigned cpu, uint32_t index, uint64_t value,
					struct err *err)
{
	return m->ops->special_write(m, cpu, index, value, err);
}

/*
 * Virtual memory of a vCPU, as a kernel's code would see it, without its protection bits; breakpoints' traps
 * never show.  Returns how many bytes were done from GVA on; fewer than LEN with *ERR set where the page is
 * not mapped (EFAULT), the address not canonical (EFAULT), or no RAM is behind it (ENXIO).  A write that cannot be
 * done whole still leaves its first bytes written.
 */
static inline size_t machine_mem_read(struct machine *m, unsigned cpu, uint64_t gva, void *ret, size_t len,
				      struct err *err)
{
	return m->ops->mem_read(m, cpu, gva, ret, len, err);
}

static inline size_t machine_mem_write(struct machine *m, unsigned cpu, uint64_t gva, const void *data, size_t len,
				       struct err *err)
{
	return m->ops->mem_write(m, cpu, gva, data, len, err);
}

/* The same for physical memory; needs no vCPU and works at any time. */
static inline size_t machine_phys_read(struct machine *m, uint64_t gpa, void *ret, size_t len, struct err *err)
{
	return m->ops->phys_read(m, gpa, ret, len, err);
}

static inline size_t machine_phys_write(struct machine *m, uint64_t gpa, const void *data, size_t len,
					struct err *err)
{
	return m->ops->phys_write(m, gpa, data, len, err);
}

/*
 * Walks GVA through the vCPU's page tables, or through those of the address space *ROOT, as in
 * break_spec.space, when not NULL.  Returns 0 and fills *RET
 * also for a page that is not present (ret->present false, the levels read so far given); -EBUSY, -EINVAL.
 */
static inline int machine_translate(struct machine *m, unsigned cpu, uint64_t gva, const uint64_t *root,
				    struct translation *ret, struct err *err)
{
	return m->ops->translate(m, cpu, gva, root, ret, err);
}

/* Calls EACH for every mapped range in ascending order until it answers false.  -EBUSY, -EINVAL. */
static inline int machine_mem_ranges(struct machine *m, unsigned cpu,
				     bool (*each)(void *arg, const struct mem_range *r), void *arg, struct err *err)
{
	return m->ops->mem_ranges(m, cpu, each, arg, err);
}

/*
 * Sets an execution breakpoint for OWNER, on all vCPUs.  Where no page is mapped yet, or no memory is there, it waits until
 * there is: machine_break_list() says which do.  Setting it twice is fine.  -EFAULT: gva is not canonical; -ENOSPC: no debug
 * register left (BREAK_HARD); -ENOMEM; -EBUSY.
 */
static inline int machine_break_insert(struct machine *m, enum break_owner owner, const struct break_spec *spec,
				       struct err *err)
{
	return m->ops->break_insert(m, owner, spec, err);
}

/* Takes it away for OWNER (spec->cpu does not matter).  -ENOENT: OWNER has none there.  What the guest has written there since stays. */
static inline int machine_break_remove(struct machine *m, enum break_owner owner, const struct break_spec *spec,
				       struct err *err)
{
	return m->ops->break_remove(m, owner, spec, err);
}

/* Takes away all of OWNER's breakpoints and watchpoints.  -EBUSY. */
static inline int machine_break_clear(struct machine *m, enum break_owner owner, struct err *err)
{
	return m->ops->break_clear(m, owner, err);
}

/* Fills *RET with the INDEX-th breakpoint, ascending by gva; false past the end.  Works at any time. */
static inline bool machine_break_list(struct machine *m, size_t index, struct break_info *ret)
{
	return m->ops->break_list(m, index, ret);
}

/*
 * Sets a watchpoint for OWNER: any number, any length up to WATCH_SIZE_MAX, by debug registers where they do it, else by
 * taking the rights to its pages from the guest.  Pages that are not mapped yet are watched when they are.  Setting it twice
 * is fine; `every` counts as the last one said.  -EINVAL: size 0 or too large, or it wraps; -EFAULT: not canonical; -ENOSPC: KVM
 * has no more slots; -ENOTSUP: neither means works here; -ENOMEM, -EBUSY.
 */
static inline int machine_watch_insert(struct machine *m, enum break_owner owner, const struct watch_spec *spec,
				       struct err *err)
{
	return m->ops->watch_insert(m, owner, spec, err);
}

/* Takes it away for OWNER.  -ENOENT. */
static inline int machine_watch_remove(struct machine *m, enum break_owner owner, const struct watch_spec *spec,
				       struct err *err)
{
	return m->ops->watch_remove(m, owner, spec, err);
}

/* The INDEX-th watchpoint, ascending by gva; false past the end. */
static inline bool machine_watch_list(struct machine *m, size_t index, struct watch_info *ret)
{
	return m->ops->watch_list(m, index, ret);
}

/* Has FILTER decide for OWNER from now on; NULL: it wants every stop.  Loop thread, every vCPU parked. */
static inline void machine_break_filter(struct machine *m, enum break_owner owner, stop_filter_fn *filter, void *arg)
{
	m->ops->break_filter(m, owner, filter, arg);
}

/* -EINVAL: a range or direction that the kind does not have; -ENOTSUP: this KVM cannot (the capability is named); -ENOMEM, -EBUSY. */
static inline int machine_catch_add(struct machine *m, const struct catch_spec *spec, unsigned *ret_id, struct err *err)
{
	return m->ops->catch_add(m, spec, ret_id, err);
}

/* -ENOENT, -EBUSY. */
static inline int machine_catch_remove(struct machine *m, unsigned id, struct err *err)
{
	return m->ops->catch_remove(m, id, err);
}

/* The INDEX-th catchpoint, ascending by id; false past the end. */
static inline bool machine_catch_list(struct machine *m, size_t index, struct catch_info *ret)
{
	return m->ops->catch_list(m, index, ret);
}

/* The setting as it is; with VALUE not NULL it becomes that first.  Every vCPU parked for a change; at any time to look. */
static inline bool machine_setting(struct machine *m, enum machine_setting which, const bool *value)
{
	return m->ops->setting(m, which, value);
}

/* The INDEX-th of the last exits, newest first; false past the end.  Every vCPU parked, or what runs may be torn. */
static inline bool machine_exit_record(struct machine *m, size_t index, struct exit_record *ret)
{
	return m->ops->exit_record(m, index, ret);
}

/* The INDEX-th kind of instruction that was carried out in KVM's stead, with its count; false past the end. */
static inline bool machine_assist_count(struct machine *m, size_t index, struct assist_count *ret)
{
	return m->ops->assist_count(m, index, ret);
}

/* The INDEX-th slot, ascending by address space and gpa; false past the end. */
static inline bool machine_slot_list(struct machine *m, size_t index, struct slot_info *ret)
{
	return m->ops->slot_list(m, index, ret);
}

/*
 * Changing slots.  All need every vCPU parked (-EBUSY), and either happen whole or change nothing: the table, the kernel
 * and the guest's memory are then as before.  What KVM would refuse, or accept and should not, is refused here, with a
 * line that names the slot and range in the way: -EINVAL (alignment, width, size, slot number), -EEXIST (slot in use,
 * overlap), -ENOENT (no such slot), -ENOTSUP (the host lacks a capability, named), -EBUSY (aliased by another slot), or
 * what opening and mapping the backing said.  NOTE is always filled on success.
 */
static inline int machine_slot_add(struct machine *m, const struct slot_spec *spec, struct slot_note *ret_note,
				   struct err *err)
{
	return m->ops->slot_add(m, spec, ret_note, err);
}

/* Deletes a slot; breakpoints in it stay, and count again when memory is there again.  Removing what a vCPU runs from is allowed, and noted. */
static inline int machine_slot_remove(struct machine *m, unsigned id, struct slot_note *ret_note, struct err *err)
{
	return m->ops->slot_remove(m, id, ret_note, err);
}

/* Moves it to GPA, contents and flags with it; breakpoints stay at their gpa, where the guest's page tables lead. */
static inline int machine_slot_move(struct machine *m, unsigned id, uint64_t gpa, struct slot_note *ret_note,
				    struct err *err)
{
	return m->ops->slot_move(m, id, gpa, ret_note, err);
}

/* Sets the flags that are not NULL.  Log alone is the kernel's own change of flags; read-only is delete and create. */
static inline int machine_slot_flags(struct machine *m, unsigned id, const bool *log, const bool *readonly,
				     struct err *err)
{
	return m->ops->slot_flags(m, id, log, readonly, err);
}

/* Cuts a slot in two at OFFSET (bytes): the upper part gets the lowest free number of its address space,
 * returned in *RET_ID. */
static inline int machine_slot_split(struct machine *m, unsigned id, uint64_t offset, unsigned *ret_id,
				     struct err *err)
{
	return m->ops->slot_split(m, id, offset, ret_id, err);
}

/* Gives it another size by delete and create, contents kept (KVM cannot resize); what is new reads as zero. */
static inline int machine_slot_resize(struct machine *m, unsigned id, uint64_t size, struct err *err)
{
	return m->ops->slot_resize(m, id, size, err);
}

/* Throws pages away by madvise, or maps a file over them; the guest sees it at once (KVM_CAP_SYNC_MMU, else -ENOTSUP). */
static inline int machine_slot_discard(struct machine *m, unsigned id, uint64_t offset, uint64_t size, struct err *err)
{
	return m->ops->slot_discard(m, id, offset, size, err);
}

static inline int machine_slot_remap(struct machine *m, unsigned id, uint64_t offset, uint64_t size, const char *path,
				     uint64_t file_offset, struct err *err)
{
	return m->ops->slot_remap(m, id, offset, size, path, file_offset, err);
}

/* Writes a slot's memory, without traps of ours, to a new file (-EEXIST). */
static inline int machine_slot_save(struct machine *m, unsigned id, const char *path, struct err *err)
{
	return m->ops->slot_save(m, id, path, err);
}

/* Compares the table with what the kernel does and calls EACH for every difference.  0 also when there are some. */
static inline int machine_slot_check(struct machine *m, void (*each)(void *arg, const struct slot_fault *f), void *arg,
				     struct err *err)
{
	return m->ops->slot_check(m, each, arg, err);
}

/*
 * The pages of slot ID written since WHO last took them, by the guest or by us; TAKE clears them for WHO alone.
 * -EINVAL: logging is off; -ENOENT, -ENOMEM, -EBUSY.
 */
static inline int machine_dirty_read(struct machine *m, unsigned id, enum dirty_consumer who, bool take,
				     struct dirty_map *ret, struct err *err)
{
	return m->ops->dirty_read(m, id, who, take, ret, err);
}

/*
 * Reports the bytes that differ, run by run, in pages dirtied since DIRTY_USER's last take, from what they were then.  The
 * first call on a slot only remembers the contents (-EAGAIN, with a line that says so).  Clears nothing.
 */
static inline int machine_dirty_diff(struct machine *m, unsigned id, dirty_diff_fn *each, void *arg, struct err *err)
{
	return m->ops->dirty_diff(m, id, each, arg, err);
}

/*
 * Begins or ends recording who writes to the slot: its writes exit, are recorded, and carried out.  -ENOTSUP also for one of
 * the second address space.
 */
static inline int machine_dirty_who(struct machine *m, unsigned id, bool on, struct err *err)
{
	return m->ops->dirty_who(m, id, on, err);
}

/* The INDEX-th writer recorded, most frequent first; false past the end. */
static inline bool machine_dirty_writer(struct machine *m, unsigned id, size_t index, struct dirty_writer *ret)
{
	return m->ops->dirty_writer(m, id, index, ret);
}

/* The INDEX-th fact about this host; false past the end. */
static inline bool machine_host_fact(struct machine *m, size_t index, struct host_fact *ret)
{
	return m->ops->host_fact(m, index, ret);
}

/*
 * Symbols: of the file in machine_info, at the addresses where the program runs.  They may be looked up at any time.
 * -ENOENT when there is none of that NAME.
 */
static inline int machine_sym_find(struct machine *m, const char *name, size_t len, uint64_t *ret_addr)
{
	return m->ops->sym_find(m, name, len, ret_addr);
}

/* The symbol that covers ADDR and the offset in it; NULL: none.  The name lives until other symbols are loaded. */
static inline const char *machine_sym_at(struct machine *m, uint64_t addr, uint64_t *ret_offset)
{
	return m->ops->sym_at(m, addr, ret_offset);
}

/* The INDEX-th symbol name, for completion; NULL past the end. */
static inline const char *machine_sym_next(struct machine *m, size_t index)
{
	return m->ops->sym_next(m, index);
}

/* The line of source that the code at GVA is of; its file's name lives until other symbols are loaded.  -ENOENT. */
static inline int machine_sym_line(struct machine *m, uint64_t gva, struct source_line *ret)
{
	return m->ops->sym_line(m, gva, ret);
}

/*
 * The addresses, MAX at most and ascending, at which the code of line *LINE of PATH (LEN bytes, a path's end) begins, in
 * each function it is in; a line without code stands for the next one with some, and *LINE becomes that.  Returns how
 * many.  -ENOENT: no such file, or no code there; -ENOMEM.
 */
static inline int machine_sym_places(struct machine *m, const char *path, size_t len, unsigned *line, uint64_t *ret,
				     size_t max, struct err *err)
{
	return m->ops->sym_places(m, path, len, line, ret, max, err);
}

/*
 * How far the program runs from where its symbols are linked, modulo 2^64; with VALUE not NULL it becomes that first (every vCPU
 * parked).  Loading the image anew makes it what the loader did.  Breakpoints stay where they are.
 */
static inline uint64_t machine_sym_slide(struct machine *m, const uint64_t *value)
{
	return m->ops->sym_slide(m, value);
}

/*
 * Takes the symbols of the ELF file at PATH in place of those there are; the slide stays.  Every vCPU parked.  Names, lines and what
 * machine_info() says of them are others then.  -ENOEXEC: no ELF file, or one without any symbols; -EBUSY, -ENOMEM; what reading it
 * said.
 */
static inline int machine_sym_load(struct machine *m, const char *path, struct err *err)
{
	return m->ops->sym_load(m, path, err);
}

/* Queues bytes for the guest's COM1, which takes them as its FIFO drains.  -ENOSPC: 64 KiB wait already; none taken then. */
static inline int machine_serial_send(struct machine *m, const uint8_t *data, size_t len, struct err *err)
{
	return m->ops->serial_send(m, data, len, err);
}

/* The INDEX-th device; false past the end.  Works at any time, as the two after it. */
static inline bool machine_device_list(struct machine *m, size_t index, struct device_info *ret)
{
	return m->ops->device_list(m, index, ret);
}

/* Calls EACH for every register of the INDEX-th device, without side effects on it.  EACH must not call the machine. */
static inline void machine_device_regs(struct machine *m, size_t index,
				       void (*each)(void *arg, const struct device_reg *r), void *arg)
{
	m->ops->device_regs(m, index, each, arg);
}

/* The INDEX-th function on the PCI bus, ascending; false past the end, and on a machine without PCI. */
static inline bool machine_pci_list(struct machine *m, size_t index, struct pci_info *ret)
{
	return m->ops->pci_list(m, index, ret);
}

/* What the guest's screen shows.  Works at any time.  -ENODEV: the machine has none. */
static inline int machine_screen(struct machine *m, struct screen *ret, struct err *err)
{
	return m->ops->screen(m, ret, err);
}

/*
 * Types TEXT on the guest's keyboard: ASCII, or between < and > the name of a key ("<enter>", "<ctrl-alt-del>", "<f1>", "<lt>").
 * -EINVAL: a key that a PC's keyboard has not got (named, with the place), and none is typed; -ENOSPC: the guest has not read what was
 * typed before; -ENODEV: no keyboard.
 */
static inline int machine_key_text(struct machine *m, const char *text, size_t len, struct err *err)
{
	return m->ops->key_text(m, text, len, err);
}

/*
 * Makes an interrupt happen.  An exception is delivered before the next instruction; NMI and IRQ when the guest takes
 * them.  -EBUSY: a vCPU runs; -EINVAL: no such vCPU, line or vector, or a code that the vector has not (or lacks).
 */
static inline int machine_inject(struct machine *m, const struct injection *i, struct err *err)
{
	return m->ops->inject(m, i, err);
}

/*
 * Firmware's debug text from byte *FROM on (counted from the machine's start; what is older than 64 KiB is gone): copies up to
 * SIZE bytes to RET, and moves *FROM behind them.  Returns how many; 0: no more yet.
 */
static inline size_t machine_firmware_log(struct machine *m, uint64_t *from, char *ret, size_t size)
{
	return m->ops->firmware_log(m, from, ret, size);
}

/*
 * What of a Linux kernel in the guest can be seen by its symbols: where it runs.  Every vCPU parked, as for those after it.  One line
 * says why not: -ENOENT: there are no symbols of a kernel; -EAGAIN: it does not run yet, or not so far; -ENOEXEC: it is another
 * than the symbols are of; -ENOTSUP: they lack DWARF, or what is needed in it; -EBADMSG: its memory makes no sense; -EBUSY,
 * -ENOMEM.  Without symbols of a kernel nothing is read of the guest.
 */
static inline int machine_kernel_info(struct machine *m, struct kernel_info *ret, struct err *err)
{
	return m->ops->kernel_info(m, ret, err);
}

/* The task that vCPU CPU runs.  Also -EINVAL: no such vCPU. */
static inline int machine_kernel_current(struct machine *m, unsigned cpu, struct kernel_task *ret, struct err *err)
{
	return m->ops->kernel_current(m, cpu, ret, err);
}

/*
 * Calls EACH, which must not call the machine, for every thread, until it answers false; what vCPUs run is marked.  After -EBADMSG
 * it was called for those that could be read.
 */
static inline int machine_kernel_tasks(struct machine *m, bool (*each)(void *arg, const struct kernel_task *t),
				       void *arg, struct err *err)
{
	return m->ops->kernel_tasks(m, each, arg, err);
}

/* The same of modules. */
static inline int machine_kernel_modules(struct machine *m, bool (*each)(void *arg, const struct kernel_module *mod),
					 void *arg, struct err *err)
{
	return m->ops->kernel_modules(m, each, arg, err);
}

/* The same of the kernel's messages from number FROM on, oldest first. */
static inline int machine_kernel_log(struct machine *m, uint64_t from,
				     bool (*each)(void *arg, const struct kernel_message *msg), void *arg,
				     struct err *err)
{
	return m->ops->kernel_log(m, from, each, arg, err);
}

#endif
