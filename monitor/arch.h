/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What of the monitor is of the architecture that this build is for: monitor/NAME/arch.c has it.  Every member is required.
 * Loop thread, every vCPU parked.
 */
#ifndef GV_MONITOR_ARCH_H
#define GV_MONITOR_ARCH_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/machine.h"
#include "api/out.h"
#include "monitor/cmd.h"
#include "monitor/stack.h"

#define DISAS_BYTES_MAX 16      /* no architecture has longer instructions */

struct disas_insn {
	unsigned len;           /* bytes, at least 1 */
	char text[200];         /* "(bad)" where the bytes are no instruction */
};

/* What the architecture has its own words for, in place of a row's. */
struct cmd_words {
	const char *name;       /* of the command */
	const char *args, *brief, *help;        /* as in struct cmd; NULL: the row's */
};

struct vector_name {
	uint8_t vector;
	char name[4];
};

struct monitor_arch {
	/* Its own commands. */
	const struct cmd_group *const *groups;
	size_t ngroups;
	const struct cmd_words *words;
	size_t nwords;

	/*
	 * Decodes the instruction in DATA (LEN bytes, at least 1) at ADDR, as code of CODE_BITS whose offsets are from CODE_BASE
	 * (cpu_status).  Absolute addresses get their symbol.  Any thread that may use M's symbols.
	 */
	void (*disas)(struct machine *m, unsigned code_bits, uint64_t code_base, uint64_t addr, const uint8_t *data, size_t len,
		      struct disas_insn *ret);

	/* As stack_walk(). */
	size_t (*stack_walk)(struct machine *m, unsigned cpu, struct stack_frame *ret, size_t max);
	/* Where vCPU CPU's stack begins, and in units of how many bytes; false: the vCPU cannot be looked at. */
	bool (*stack_top)(struct machine *m, unsigned cpu, struct stack_top *ret);

	/* Adds to OBJ what people say of the place that vCPU CPU, whose status is *S, is at, beside its address. */
	void (*add_place)(json_t *obj, struct machine *m, unsigned cpu, const struct cpu_status *s);
	/* Writes that, with a space behind it, or nothing. */
	void (*render_place)(const json_t *obj, struct out *o);

	/* What `catch` takes: the last port, special register, exception and interrupt.  0: there are none of these. */
	uint64_t port_max, special_max, exception_max, interrupt_max;
	const char *special;    /* the word for special registers there */
	const struct vector_name *vectors;
	size_t nvectors;

	/* A register of gdb's type TYPE, VALUE, as a decimal number in RET (SIZE bytes); false: that says nothing to people. */
	bool (*decimal)(const char *type, const uint8_t *value, char *ret, size_t size);
};

extern const struct monitor_arch monitor_arch;

#endif
