/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The machine on KVM: what implements api/machine.h. */
#ifndef GV_KVM_MACHINE_KVM_H
#define GV_KVM_MACHINE_KVM_H

#include "api/machine.h"
#include "dev/disk.h"
#include "load/load.h"

#define MACHINE_DIRTY_RING 16384u       /* entries of a dirty ring that are a fair choice */

struct machine_config {
	uint64_t memory;        /* bytes, a multiple of the page size */
	unsigned cpus;          /* 1 to MACHINE_CPUS_MAX */
	/* Host CPUs that vCPUs' threads are put on, the first on the first and so on in turn; NULL: the host chooses. */
	const unsigned *affinity;
	size_t naffinity;
	unsigned dirty_ring;    /* entries of each vCPU's dirty ring, a power of two; 0: dirty logs are bitmaps */
	struct blob image;      /* taken over, also on failure */
	struct blob symbols;    /* an ELF file, in place of what the image has; taken over, also on failure; empty: none */
	struct load_opts load;  /* its strings and modules must outlive the machine */
	/*
	 * IMAGE_BIOS makes a whole PC of it, and so do Linux and Multiboot 2, with tables in firmware's place, and disks, without a PC's memory
	 * map.  The first disks take the places of the IDE
	 * channels in order; CDs the first that is left from the second channel on.  IDE_DRIVES at most; paths must outlive it.
	 */
	const struct disk_spec *disks;
	size_t ndisks;
	const struct disk_spec *virtio_disks;   /* on virtio, VIRTIO_DISKS at most; these and the next two make a PC of it, too */
	size_t nvirtio_disks;
	bool rng;               /* a virtio device for random numbers */
	bool virtio_console;    /* COM1's line has a virtio console on it, too */
	const struct blob *vga_bios;    /* an option ROM for firmware; must outlive the machine; NULL: none */
	/* UEFI's variables, for flash memory below IMAGE_BIOS; never readonly; its path must outlive the machine; NULL: none. */
	const struct disk_spec *nvram;
	bool user_irqchip;      /* PIC and PIT are ours, not KVM's: one vCPU */
};

/*
 * Makes a machine with the image loaded, stopped at its first instruction.  The calling thread becomes the loop thread.
 * -ENOENT, -EACCES, -ENOTSUP: see kvm_open(); -ENOEXEC, -ENOSPC: see image_load(); -EINVAL, -ENOMEM.  -EBADF: a disk or the variables
 * cannot be opened, whatever the reason in ERR.
 */
int machine_kvm_new(struct machine_config *c, struct machine **ret, struct err *err);
/*
 * Makes what would be made at its first use with rights that a sandbox takes away: executable pages, for a host that lets us have some.
 * The loop thread's, before the first resume.
 */
void machine_kvm_prepare(struct machine *m);
/* Stops the vCPUs and frees everything; NULL is fine.  Observers must have left. */
void machine_kvm_free(struct machine *m);

#endif
