/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Breakpoints, watchpoints and catchpoints as a user sees them.  The operations are in api/machine.h. */
#ifndef GV_API_BREAKS_H
#define GV_API_BREAKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Who asked; a place may have several owners and goes when the last one leaves. */
enum break_owner { BREAK_OWNER_GDB = 1 << 0, BREAK_OWNER_MONITOR = 1 << 1 };

#define BREAK_OWNERS 2

enum break_kind {
	BREAK_SOFT,             /* any number: a trap byte in guest memory, or whatever else does it */
	BREAK_HARD,             /* a debug register, and guest memory is never changed for it */
};

#define BREAK_ANY_SPACE UINT64_MAX

/* Kind, gva and space together are a breakpoint's identity. */
struct break_spec {
	enum break_kind kind;
	uint64_t gva;
	/*
	 * BREAK_ANY_SPACE: found through the page tables that CPU has now, and hit under any.  Else an address space's root (on
	 * x86 the address bits of its cr3, see arch_desc.space): found through those tables, and only a hit under them counts.
	 */
	uint64_t space;
	unsigned cpu;
};

struct break_info {
	struct break_spec spec; /* cpu: the one it was set from */
	bool resolved;          /* a byte of memory was found for it: gpa */
	bool in_register;       /* a debug register stands for it (also beside a trap byte) */
	uint64_t gpa;
	unsigned owners;
	uint64_t hits;          /* reported ones */
};

enum watch_kind { WATCH_WRITE, WATCH_READ, WATCH_ACCESS };

/* Kind, gva and size together are a watchpoint's identity. */
struct watch_spec {
	enum watch_kind kind;
	uint64_t gva, size;     /* bytes, at least 1 */
	bool every;             /* WATCH_WRITE: also writes that leave the value as it was */
	unsigned cpu;           /* whose page tables find it */
};

#define WATCH_SIZE_MAX (1ull << 30)     /* bytes */

struct watch_info {
	struct watch_spec spec;
	bool in_registers;      /* by debug registers; else by slots */
	uint64_t pages;         /* pages of it that memory was found for, when by slots */
	unsigned owners;
	uint64_t hits;
	uint64_t misses;        /* accesses that exited for its pages and touched nothing watched */
};

/* What an access that hit a watchpoint did. */
struct watch_hit {
	struct watch_spec spec; /* of the watchpoint */
	bool write;
	uint64_t gva;           /* first watched byte that was touched */
	unsigned size;          /* bytes from there on, as far as one access goes; at most 8 */
	uint64_t old, now;      /* little-endian, SIZE bytes; equal for a read */
	bool at_known;          /* whether AT is the instruction that did it, or only where the vCPU is now */
	uint64_t at;            /* its pc */
};

/* Events that stop the guest without a place of their own.  They are the monitor's. */
enum catch_kind {
	CATCH_PORT,             /* START to END are ports */
	CATCH_MMIO,             /* gpas that no slot holds */
	CATCH_SPECIAL,              /* numbers of special registers */
	CATCH_EXCEPTION,        /* vectors 0 to 255: the handler's first instruction; interrupts too */
	CATCH_UNCLAIMED,        /* a port or MMIO access no device answers */
	CATCH_RESET,            /* the guest asks for a reset: before it is done */
	CATCH_HALT,             /* HLT with interrupts off */
	CATCH_PANIC,            /* a Linux kernel calls panic(); needs its symbols */
	CATCH_OOPS,             /* it has found itself at fault: __die() */
	CATCH_KERNEL,           /* a packed Linux kernel's first instruction; its symbols are moved to where it is */
	CATCH_KINDS
};

enum catch_dir { CATCH_READ = 1, CATCH_WRITE = 2 };

struct catch_spec {
	enum catch_kind kind;
	uint64_t start, end;    /* inclusive; 0 and 0 for kinds without a range */
	unsigned dir;           /* mask of enum catch_dir; for kinds without accesses 0 */
};

struct catch_info {
	unsigned id;            /* from 1; never given twice */
	struct catch_spec spec;
	uint64_t hits;
};

/* An exit from the guest. */
struct exit_record {
	uint64_t number;        /* from 0, of this machine */
	uint64_t time_ns;       /* CLOCK_MONOTONIC */
	unsigned cpu;
	uint64_t pc;            /* as KVM left it */
	const char *reason;     /* "io", "mmio", "debug", ...; static text */
	char detail[48];        /* "out 0x3f8 1", ... */
};

#define EXIT_RECORDS 4096       /* so many of the last exits are kept */

/* How often something was done in KVM's stead, by what it was: "int3", "xsave", ... */
struct assist_count {
	const char *name;       /* static text */
	uint64_t count;
};

#endif
