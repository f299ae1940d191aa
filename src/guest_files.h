/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a machine is made from: the command line's values, and the files that it names. */
#ifndef GV_GUEST_FILES_H
#define GV_GUEST_FILES_H

#include <stddef.h>

#include "api/err.h"
#include "kvm/machine_kvm.h"
#include "opt.h"

/* What must outlive the machine; begins zeroed. */
struct guest_files {
	struct blob *modules;
	size_t nmodules;
	struct blob vga_bios;
	struct disk_spec *disks;        /* those on IDE, then those on virtio */
	struct disk_spec nvram;
};

/*
 * Reads them, and fills C, which points into O and F; its image and symbols are the caller's, to be handed on with it.
 * DEMO, of DEMO_SIZE bytes, is the image of --demo; it is copied.
 * 0, or -errno: then C has nothing of its own, and F what guest_files_done() frees.  Any thread.
 */
int guest_files_read(struct guest_files *f, const struct options *o, const void *demo, size_t demo_size, struct machine_config *c,
		     struct err *err);
/* After the machine has gone. */
void guest_files_done(struct guest_files *f);

#endif
