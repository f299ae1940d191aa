/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Arguments of the slot and dirty commands. */
#ifndef GV_MONITOR_SLOTARG_H
#define GV_MONITOR_SLOTARG_H

#include "monitor/task.h"

/* A slot's number at *P: an expression, or SPACE:N in plain numbers.  It need not exist. */
int slotarg_id(struct task *t, const char **p, unsigned *ret, struct err *err);
/* The same, and what it is.  -ENOENT: there is no such slot. */
int slotarg_slot(struct task *t, const char **p, struct slot_info *ret, struct err *err);
/*
 * PATH[@OFF] at *P, PATH in quotes when it has spaces; an @ counts when a digit follows it.  *RET_PATH is the
 * caller's to free().
 */
int slotarg_file(struct task *t, const char **p, char **ret_path, uint64_t *ret_offset, struct err *err);
/* All that is left at P as the name of a file; -EINVAL when nothing is. */
int slotarg_path(struct task *t, const char *p, const char **ret, struct err *err);
/*
 * What follows ID in `slot add`: SPEC's backing, flags, and address space, which goes into SPEC->id.  SPEC->path is the
 * caller's to free(), also on failure.
 */
int slotarg_spec(struct task *t, const char **p, struct slot_spec *spec, struct err *err);
/* [log|nolog] [ro|rw] to the end of P: those given are set and *RET_LOG, *RET_RO point to LOG and RO. */
int slotarg_flags(struct task *t, const char *p, bool *log, bool *ro, const bool **ret_log, const bool **ret_ro,
		  struct err *err);

#endif
