/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A machine without KVM, for the unit tests of the stub and the monitor: obeys src/api/machine.h, and every
 * outcome is determined by the calls made.
 *
 * Memory: RAM from 0 on, mapped virtual = physical, less one hole that is not mapped (EFAULT).  Canonical addresses
 * past the RAM are mapped but have none behind (ENXIO).
 *
 * Execution: an instruction is one byte long and does nothing, save FAKE_OP_EXIT, which writes rax to the exit port.
 * vCPUs advance in lockstep; the first tick with an event stops the machine, and several events of one tick are
 * reported one a resume.  A vCPU with no breakpoint or exit before it runs until machine_stop(), which moves it by
 * one.  Nothing happens behind the caller's back: running takes place in resume() and release(), delivery in poll().
 *
 * Breakpoints need no memory: they count as resolved where there is some.  A breakpoint that is reached, and an event
 * that is injected, is put to the filters of those who own it, and does not happen when none of them wants it.
 * Watchpoints and catchpoints are checked and remembered; only a test makes them hit.
 *
 * Slots are a table: 0 the RAM, 1 a ROM at 4 GiB - 64 KiB, numbers below FAKE_SLOTS.  Changes are checked and
 * remembered, but memory stays as it was.  The log of a slot sees our writes to RAM and what fake_dirty() says; what
 * dirty diff, dirty who and slot check find is what a test has put there.  A reset makes the table anew.
 *
 * Devices and the PCI bus are a fixed list; what is typed and injected is remembered.  What a kernel's structures tell is what a
 * test says; a vCPU's task is the one marked as running on it.
 */
#ifndef GV_TESTS_FAKE_MACHINE_H
#define GV_TESTS_FAKE_MACHINE_H

#include "api/machine.h"
#include "arch/x86/x86_regs.h"

#define FAKE_OP_EXIT    0xf4
#define FAKE_EXEC       "the image, with a } and a #"   /* the bytes of an image with image_bits, "/fake.elf" */
#define FAKE_ENTRY      0x1000          /* gva where every vCPU starts; the symbols lie from here on */
#define FAKE_HARD_MAX   4               /* debug registers */
#define FAKE_SERIAL_MAX 65536
#define FAKE_KEYS_MAX   256             /* what the keyboard takes */
#define FAKE_FIRMWARE_MAX 65536         /* of firmware's text, the latest */
#define FAKE_SLOTS      32              /* slot numbers */
#define FAKE_SCRIPT     16              /* of each: diff runs, writers, faults, exits */
#define FAKE_WATCHES    64              /* watchpoints; catchpoints, too */

/* Zero members take the default given. */
struct fake_config {
	unsigned cpus;                  /* 1 */
	uint64_t ram_size;              /* 1 MiB; a multiple of 4 KiB */
	uint64_t hole, hole_size;       /* no hole */
	unsigned image_bits;
	enum cpu_mode mode;             /* of every vCPU; MODE_REAL is 0 */
	bool no_avx;                    /* nor AVX-512 and protection keys */
	bool bare;                      /* no devices, PCI, screen, keyboard */
	const uint8_t *code;            /* loaded at FAKE_ENTRY, after a reset again; not owned */
	size_t code_len;
};

#define FAKE_MSR        0xfa4e          /* an MSR, beside those of the register table, that takes what fits in 32 bits */

struct fake_cpu {
	uint8_t reg[REG_MAX][REG_BYTES_MAX];
	uint64_t msr;                   /* FAKE_MSR */
	enum cpu_mode mode;
	const char *activity;           /* while stopped: "stopped" at first */
	struct run_action action;       /* what it was last resumed with */
	bool stepping_over;             /* has stopped at its pc, which was not written since */
};

/* How often an operation was called, and with what. */
struct fake_calls {
	unsigned resume, redirect, stop, reset, hold, release, poll;
	unsigned reg_read, reg_write, mem_read, mem_write;
	unsigned break_insert, break_remove, break_clear, serial_send;
	unsigned watch_insert, watch_remove, catch_add, catch_remove;
	unsigned slot_add, slot_remove, slot_move, slot_flags, slot_split, slot_resize, slot_discard, slot_remap;
	unsigned slot_save, slot_check, dirty_read, dirty_take, dirty_diff, dirty_who;
	unsigned screen, key_text, inject;
};

struct fake_slot {
	struct slot_info info;
	bool alias;
	unsigned alias_of;              /* another's number, when it is an alias */
	uint64_t *dirty[DIRTY_CONSUMERS];       /* while info.log: a bit a page */
	bool remembered;                /* dirty diff has been asked for */
};

/* What dirty diff finds in a slot. */
struct fake_diff {
	unsigned id;
	uint64_t gpa;
	const uint8_t *was, *is;        /* the test's own */
	size_t len;
};

struct fake_writer {
	unsigned id;
	struct dirty_writer writer;
};

struct fake_note;

struct fake_machine {
	struct machine machine;
	struct machine_ops ops;
	struct fake_config config;
	struct machine_info info;
	enum machine_state state;
	struct stop_event last;
	uint8_t *ram;
	struct fake_cpu cpu[MACHINE_CPUS_MAX];

	struct break_info *brk;         /* ascending by gva, then kind, then space */
	size_t nbrk, brk_cap;
	struct watch_info watch[FAKE_WATCHES];  /* ascending by gva */
	size_t nwatch;
	struct catch_info caught[FAKE_WATCHES]; /* ascending by id */
	size_t ncaught;
	unsigned last_catch;            /* id given out last */
	stop_filter_fn *filter[BREAK_OWNERS];
	void *filter_arg[BREAK_OWNERS];
	bool in_filter;                 /* its thread owns the vCPU */
	bool setting[SETTING_ASSIST + 1];
	uint64_t slide;                         /* of the symbols */
	const char *source;                     /* path of the source; NULL: no lines are known */
	struct exit_record exits[FAKE_SCRIPT];  /* filled by the test, newest first; so is the next */
	struct assist_count assists[FAKE_SCRIPT];
	size_t nexits, nassists;
	struct fake_slot slot[FAKE_SLOTS];      /* ascending by gpa */
	size_t nslots;
	struct fake_diff diff[FAKE_SCRIPT];     /* filled by the test, as the next two */
	struct fake_writer writer[FAKE_SCRIPT]; /* most frequent first */
	struct slot_fault fault[FAKE_SCRIPT];
	size_t ndiff, nwriter, nfault;
	struct stop_event pending[MACHINE_CPUS_MAX + 8];
	size_t npending;
	struct fake_note *notes, **notes_tail;  /* to be delivered before any stop */
	struct observer *observers, *next_observer;
	unsigned holds;                 /* now; a test ends with 0 */
	bool stop_wanted, polling;
	int event_fd;

	uint8_t serial_in[FAKE_SERIAL_MAX];     /* what serial_send() queued */
	size_t serial_in_len;

	struct screen screen;           /* what the guest shows: off at first */
	char keys[FAKE_KEYS_MAX];       /* what key_text() typed */
	size_t keys_len;
	struct injection injected;      /* the last one */
	char firmware[FAKE_FIRMWARE_MAX];
	uint64_t firmware_end;          /* how much it has written */

	/* What is known of a kernel in the guest: nothing at first.  Filled by the test. */
	struct {
		bool known;
		struct kernel_info info;
		struct kernel_task task[FAKE_SCRIPT];
		struct kernel_module module[FAKE_SCRIPT];
		struct kernel_message message[FAKE_SCRIPT];     /* texts are the test's own */
		size_t ntasks, nmodules, nmessages;
		int fail;               /* errno: lists break off with it after what is there; a vCPU's task is not known */
	} kernel;

	struct fake_calls calls;
	/*
	 * Positive errno values: the operation fails with it; 0: works.  fail_slot: all that take a slot's number;
	 * fail_break: setting breakpoints, watchpoints and catchpoints; fail_unbreak: taking them away.
	 */
	int fail_resume, fail_hold, fail_break, fail_unbreak, fail_slot;
};

/* Aborts when memory runs out.  CONFIG may be NULL: all defaults. */
struct fake_machine *fake_new(const struct fake_config *config);
void fake_free(struct fake_machine *f);         /* NULL is fine */

/*
 * Something happens in the guest.  On a running machine it becomes the next stop (ahead of what execution
 * came to); on a stopped one it stays pending until the next resume.  ev->pc is filled in from the vCPU.  False: its
 * owners' filters did not want it, or too many wait.
 */
bool fake_inject(struct fake_machine *f, const struct stop_event *ev);
/* The guest sends bytes on COM1. */
void fake_serial_output(struct fake_machine *f, const void *data, size_t len);
/* Firmware writes for its developers. */
void fake_firmware_output(struct fake_machine *f, const void *data, size_t len);
/* A driver in the guest has broken a device's rules. */
void fake_device_trouble(struct fake_machine *f, const char *line);
/* The guest writes TEXT (code page 437) to its screen, 80 by 25 and blank at first; the cursor is behind it then. */
void fake_screen_text(struct fake_machine *f, unsigned row, unsigned column, uint8_t attribute, const char *text);

/* The guest writes to a page (numbered from the slot's start) of a slot that is there. */
void fake_dirty(struct fake_machine *f, unsigned id, uint64_t page);

/* The low 64 bits of a register, without the rules of the interface. */
uint64_t fake_reg(const struct fake_machine *f, unsigned cpu, reg_id reg);
void fake_set_reg(struct fake_machine *f, unsigned cpu, reg_id reg, uint64_t value);

#endif
