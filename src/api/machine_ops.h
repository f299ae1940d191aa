/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an implementation of the machine fills and tells.  Who uses one includes api/machine.h, which says what each operation does, when
 * it may be called and what it answers.
 */
#ifndef GV_API_MACHINE_OPS_H
#define GV_API_MACHINE_OPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/arch.h"
#include "api/breaks.h"
#include "api/devices.h"
#include "api/err.h"
#include "api/kernel.h"
#include "api/slots.h"

#define MACHINE_CPUS_MAX 64

enum machine_state {
	MACHINE_STOPPED,        /* every vCPU parked, a stop has been reported */
	MACHINE_RUNNING,
	MACHINE_ENDED,          /* the guest left by its exit port: nothing runs again */
};

enum action_kind {
	ACT_STAY,               /* remain parked */
	ACT_CONT,
	ACT_STEP,               /* one guest instruction */
	ACT_RANGE,              /* step while start <= pc < end; stops at the first pc outside, or at an event */
	ACT_KEEP,               /* machine_redirect() only: what it was doing */
};

struct run_action {
	enum action_kind kind;
	uint64_t start, end;    /* ACT_RANGE, gva */
};

enum stop_reason {
	STOP_ENTRY,             /* machine made or reset; nothing has run yet */
	STOP_REQUEST,           /* machine_stop() */
	STOP_STEP,              /* ACT_STEP or ACT_RANGE done */
	STOP_BREAKPOINT,
	STOP_WATCH,             /* a watchpoint; the access has been done */
	STOP_CATCH,             /* a catchpoint: text says what */
	STOP_TRIPLE_FAULT,      /* the vCPU shut down; a resume resets the machine, as hardware would */
	STOP_ERROR,             /* KVM could not go on (internal error, failed entry): text says why */
	STOP_EXIT,              /* the guest wrote its exit port: exit_status holds (value << 1) | 1 */
};

struct stop_event {
	enum stop_reason reason;
	unsigned cpu;           /* the vCPU it concerns */
	uint64_t pc;            /* its linear pc; for a breakpoint the breakpoint's own address */
	unsigned owners;        /* STOP_BREAKPOINT, STOP_WATCH: mask of enum break_owner, those that want the stop */
	enum break_kind kind;   /* STOP_BREAKPOINT */
	uint64_t space;         /* STOP_BREAKPOINT: as its break_spec has it */
	/* STOP_BREAKPOINT: by way of another mapping than that of `place`, where the breakpoint was set; pc is where the vCPU is. */
	bool alias;
	uint64_t place;         /* STOP_BREAKPOINT: gva of the breakpoint */
	struct watch_hit watch; /* STOP_WATCH */
	unsigned catch_id;      /* STOP_CATCH */
	int exit_status;        /* STOP_EXIT: 0 to 255 */
	char text[160];         /* one line for people: what happened, without the location */
};

/* How code on a vCPU is to be decoded and addressed now. */
struct cpu_status {
	const char *mode;       /* the architecture's name for it; static text */
	unsigned code_bits;     /* 16, 32 or 64: default operand size, for a disassembler */
	uint64_t pc;            /* gva */
	uint64_t code_base;     /* gva that offsets in code are from; 0 where addresses are all there is */
	unsigned privilege;     /* as the architecture numbers it: arch_desc.privilege is its word */
	bool paging;
	const char *activity;   /* "running", "halted", "waiting for SIPI", "stopped"; static text */
};

struct walk_level {
	unsigned level;         /* 1: the last; arch_desc.levels has their names */
	uint64_t entry_gpa, entry;
};

struct translation {
	uint64_t gva, gpa;
	uint64_t page_size;     /* bytes; 0 without paging */
	bool present, writable, user, executable, global;
	unsigned nlevels;       /* entries of level[] that were read, top first; also when not present */
	struct walk_level level[5];
	int slot;               /* slot that holds gpa, -1: none */
	uint64_t hva;           /* 0 when slot is -1 */
};

/* A run of virtual pages with equal rights, contiguous in gva. */
struct mem_range {
	uint64_t gva, size;     /* size 0 means 2^64 */
	bool writable, user, executable, global;
	uint64_t page_size;     /* of the first page */
};

struct machine_info {
	unsigned cpus;
	uint64_t ram_size;      /* bytes */
	const char *image;      /* path, or "(built-in demo)" */
	const char *image_kind; /* "flat", "elf32", "elf64", "multiboot", "linux", "bios" */
	unsigned image_bits;    /* the image's class for a debugger: 64, 32, or 0 when it follows the vCPU's mode */
	/* The ELF file that symbols are from: the absolute name to offer it under, and its bytes; none: NULL and 0. */
	const char *exec_file;
	const uint8_t *exec_data;
	size_t exec_size;
	bool exec_lines;        /* it has DWARF, and source lines with that */
	/* Where its first segments to load are linked: two at most. */
	uint64_t exec_segment[2];
	unsigned exec_segments;
	uint64_t slide;         /* bytes that the loader has moved the image from where its symbols have it; 0: none */
};

/* One line of `info host`. */
struct host_fact {
	const char *name;       /* KVM_CAP_..., or what was measured */
	char value[40];
	const char *meaning;    /* one short sentence */
};

struct observer {
	/* A stop to be reported; every vCPU is parked. */
	void (*stopped)(struct observer *o, const struct stop_event *ev);
	/* Somebody resumed the machine. */
	void (*resumed)(struct observer *o);
	/* The machine was reset: by a person (STOP_ENTRY follows), or by the guest (it runs on). */
	void (*was_reset)(struct observer *o);
	/* Text that firmware wrote for its developers, to port 0x402. */
	void (*firmware_output)(struct observer *o, const uint8_t *data, size_t len);
	/* A driver in the guest has broken a device's rules: one line, which begins with the device's name. */
	void (*device_trouble)(struct observer *o, const char *line);
	/* What the guest sent on COM1, or wrote to the debug console port (which is shown with it). */
	void (*serial_output)(struct observer *o, const uint8_t *data, size_t len);
	struct observer *next;  /* the machine's */
};

struct machine;

/*
 * Asked whether OWNER wants the stop EV, a breakpoint, watchpoint or catchpoint of its own; false: the guest goes on, and
 * nobody hears of it.  Called on the thread of vCPU ev->cpu while other vCPUs may run, by one vCPU at a time.  It may call
 * machine_reg_read, machine_mem_read, machine_cpu_status and machine_translate for that vCPU, machine_phys_read and the
 * machine_sym_ functions; no other.  Conditions that cannot be evaluated should answer true.
 */
typedef bool stop_filter_fn(void *arg, struct machine *m, const struct stop_event *ev);

enum machine_setting {
	SETTING_ALIAS_HITS,     /* breakpoints reached through another mapping of their byte stop too; on at first */
	SETTING_STEP_IRQS,      /* interrupts may be delivered while a vCPU is single-stepped; off at first */
	SETTING_ASSIST,         /* instructions that KVM cannot emulate are carried out by us; on at first */
};

/* Every member is required. */
struct machine_ops {
	const struct machine_info *(*info)(struct machine *m);
	enum machine_state (*state)(struct machine *m);
	const struct stop_event *(*last_stop)(struct machine *m);

	int (*resume)(struct machine *m, const struct run_action *acts, struct err *err);
	int (*redirect)(struct machine *m, const struct run_action *acts, struct err *err);
	void (*stop)(struct machine *m);
	int (*reset)(struct machine *m, struct err *err);
	int (*hold)(struct machine *m, struct err *err);
	void (*release)(struct machine *m);

	int (*event_fd)(struct machine *m);
	void (*poll)(struct machine *m, unsigned spin_us);
	void (*observe)(struct machine *m, struct observer *o);
	void (*unobserve)(struct machine *m, struct observer *o);

	int (*cpu_status)(struct machine *m, unsigned cpu, struct cpu_status *ret, struct err *err);
	bool (*reg_present)(struct machine *m, reg_id reg);
	int (*reg_read)(struct machine *m, unsigned cpu, reg_id reg, void *ret, struct err *err);
	int (*reg_write)(struct machine *m, unsigned cpu, reg_id reg, const void *value, struct err *err);
	int (*special_read)(struct machine *m, unsigned cpu, uint32_t index, uint64_t *ret, struct err *err);
	int (*special_write)(struct machine *m, unsigned cpu, uint32_t index, uint64_t value, struct err *err);

	size_t (*mem_read)(struct machine *m, unsigned cpu, uint64_t gva, void *ret, size_t len, struct err *err);
	size_t (*mem_write)(struct machine *m, unsigned cpu, uint64_t gva, const void *data, size_t len,
			    struct err *err);
	size_t (*phys_read)(struct machine *m, uint64_t gpa, void *ret, size_t len, struct err *err);
	size_t (*phys_write)(struct machine *m, uint64_t gpa, const void *data, size_t len, struct err *err);
	int (*translate)(struct machine *m, unsigned cpu, uint64_t gva, const uint64_t *root,
			 struct translation *ret, struct err *err);
	int (*mem_ranges)(struct machine *m, unsigned cpu, bool (*each)(void *arg, const struct mem_range *r),
			  void *arg, struct err *err);

	int (*break_insert)(struct machine *m, enum break_owner owner, const struct break_spec *spec, struct err *err);
	int (*break_remove)(struct machine *m, enum break_owner owner, const struct break_spec *spec, struct err *err);
	int (*break_clear)(struct machine *m, enum break_owner owner, struct err *err);
	bool (*break_list)(struct machine *m, size_t index, struct break_info *ret);
	int (*watch_insert)(struct machine *m, enum break_owner owner, const struct watch_spec *spec, struct err *err);
	int (*watch_remove)(struct machine *m, enum break_owner owner, const struct watch_spec *spec, struct err *err);
	bool (*watch_list)(struct machine *m, size_t index, struct watch_info *ret);
	void (*break_filter)(struct machine *m, enum break_owner owner, stop_filter_fn *filter, void *arg);
	int (*catch_add)(struct machine *m, const struct catch_spec *spec, unsigned *ret_id, struct err *err);
	int (*catch_remove)(struct machine *m, unsigned id, struct err *err);
	bool (*catch_list)(struct machine *m, size_t index, struct catch_info *ret);
	bool (*setting)(struct machine *m, enum machine_setting which, const bool *value);
	bool (*exit_record)(struct machine *m, size_t index, struct exit_record *ret);
	bool (*assist_count)(struct machine *m, size_t index, struct assist_count *ret);

	bool (*slot_list)(struct machine *m, size_t index, struct slot_info *ret);
	int (*slot_add)(struct machine *m, const struct slot_spec *spec, struct slot_note *ret_note, struct err *err);
	int (*slot_remove)(struct machine *m, unsigned id, struct slot_note *ret_note, struct err *err);
	int (*slot_move)(struct machine *m, unsigned id, uint64_t gpa, struct slot_note *ret_note, struct err *err);
	int (*slot_flags)(struct machine *m, unsigned id, const bool *log, const bool *readonly, struct err *err);
	int (*slot_split)(struct machine *m, unsigned id, uint64_t offset, unsigned *ret_id, struct err *err);
	int (*slot_resize)(struct machine *m, unsigned id, uint64_t size, struct err *err);
	int (*slot_discard)(struct machine *m, unsigned id, uint64_t offset, uint64_t size, struct err *err);
	int (*slot_remap)(struct machine *m, unsigned id, uint64_t offset, uint64_t size, const char *path,
			  uint64_t file_offset, struct err *err);
	int (*slot_save)(struct machine *m, unsigned id, const char *path, struct err *err);
	int (*slot_check)(struct machine *m, void (*each)(void *arg, const struct slot_fault *f), void *arg,
			  struct err *err);
	int (*dirty_read)(struct machine *m, unsigned id, enum dirty_consumer who, bool take, struct dirty_map *ret,
			  struct err *err);
	int (*dirty_diff)(struct machine *m, unsigned id, dirty_diff_fn *each, void *arg, struct err *err);
	int (*dirty_who)(struct machine *m, unsigned id, bool on, struct err *err);
	bool (*dirty_writer)(struct machine *m, unsigned id, size_t index, struct dirty_writer *ret);
	bool (*host_fact)(struct machine *m, size_t index, struct host_fact *ret);

	int (*sym_find)(struct machine *m, const char *name, size_t len, uint64_t *ret_addr);
	const char *(*sym_at)(struct machine *m, uint64_t addr, uint64_t *ret_offset);
	const char *(*sym_next)(struct machine *m, size_t index);
	int (*sym_line)(struct machine *m, uint64_t gva, struct source_line *ret);
	int (*sym_places)(struct machine *m, const char *file, size_t len, unsigned *line, uint64_t *ret, size_t max,
			  struct err *err);
	uint64_t (*sym_slide)(struct machine *m, const uint64_t *value);
	int (*sym_load)(struct machine *m, const char *path, struct err *err);

	int (*serial_send)(struct machine *m, const uint8_t *data, size_t len, struct err *err);

	bool (*device_list)(struct machine *m, size_t index, struct device_info *ret);
	void (*device_regs)(struct machine *m, size_t index, void (*each)(void *arg, const struct device_reg *r), void *arg);
	bool (*pci_list)(struct machine *m, size_t index, struct pci_info *ret);
	int (*screen)(struct machine *m, struct screen *ret, struct err *err);
	int (*key_text)(struct machine *m, const char *text, size_t len, struct err *err);
	int (*inject)(struct machine *m, const struct injection *i, struct err *err);
	size_t (*firmware_log)(struct machine *m, uint64_t *from, char *ret, size_t size);

	int (*kernel_info)(struct machine *m, struct kernel_info *ret, struct err *err);
	int (*kernel_current)(struct machine *m, unsigned cpu, struct kernel_task *ret, struct err *err);
	int (*kernel_tasks)(struct machine *m, bool (*each)(void *arg, const struct kernel_task *t), void *arg,
			    struct err *err);
	int (*kernel_modules)(struct machine *m, bool (*each)(void *arg, const struct kernel_module *mod), void *arg,
			      struct err *err);
	int (*kernel_log)(struct machine *m, uint64_t from, bool (*each)(void *arg, const struct kernel_message *msg),
			  void *arg, struct err *err);
};

/* An implementation embeds this as its first member. */
struct machine {
	const struct machine_ops *ops;
};

#endif
