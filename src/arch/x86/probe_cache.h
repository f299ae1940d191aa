/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What was measured about the host, kept in gdbvisor/probe, in the first of $XDG_RUNTIME_DIR, $XDG_CACHE_HOME and ~/.cache that is a
 * directory of ours, until the host boots anew or gets another kernel.  The file is private: a file or directory that belongs to somebody else, or that others may enter, is as good
 * as none.
 */
#ifndef GV_X86_PROBE_CACHE_H
#define GV_X86_PROBE_CACHE_H

#include "arch/x86/probe.h"

/* A member of struct probe by name, and the largest value that it can have. */
struct probe_field {
	const char *name;
	size_t offset;
	uint8_t max;
};

/* Every member (probe.c). */
extern const struct probe_field probe_fields[];
extern const size_t probe_field_count;

/* Whether there is a whole, well-formed record of this boot and kernel; *RET is untouched if not. */
bool probe_cache_load(struct probe *ret);

/* Remembers P, all or nothing; where that cannot be done, nothing is remembered. */
void probe_cache_store(const struct probe *p);

#endif
