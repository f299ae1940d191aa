/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A guest that does to devices what an input's bytes say: port and memory accesses, string I/O, time that passes, resets,
 * host inputs, memory changed under DMA, and states loaded that somebody has tampered with.  A state that is refused must
 * have changed nothing; one that is taken must be good enough for whatever follows.
 */
#ifndef GV_FUZZ_DEVICE_H
#define GV_FUZZ_DEVICE_H

#include "fuzz/fuzz.h"
#include "tests/disk_env.h"
#include "tests/fake_pc.h"

struct fuzz_range {
	enum bus_space space;
	uint64_t base;
	uint32_t size;          /* bytes, 64 KiB at most */
};

struct device_fuzz {
	struct fake_pc *pc;
	void *arg;
	const struct fuzz_range *range;       /* where accesses go: at least one; ports, memory, or both */
	unsigned nranges;
	/* Something only this target's devices know; takes what it needs.  NULL: nothing. */
	void (*special)(void *arg, struct bytes *in);
	/* Work of other threads comes to an end, and is taken.  NULL: there is none. */
	void (*settle)(void *arg);
};

/* Until IN is empty. */
void device_fuzz_run(const struct device_fuzz *d, struct bytes *in);

/*
 * For devices that are made once: *CLEAN, empty at first, becomes the state they have now; afterwards they are put back to
 * it, and guest memory, clock and counts to how fake_pc_init() left them.
 */
void device_fuzz_renew(struct fake_pc *pc, struct dev_buf *clean);

/* Takes the names of E's files away: they live as long as the process, however that ends. */
void device_fuzz_unname(struct disk_env *e);

#endif
