/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Virtio devices on PCI (virtio 1.2, OASIS, 1 July 2022), modern ones only: block (5.2), entropy (5.4), console (5.3).
 *
 * A driver that breaks the rules stops its device: it asks for a reset by its status and an interrupt, says why to
 * people (dev_host.trouble) and in its registers, and does nothing more until the driver resets it.
 */
#ifndef GV_DEV_VIRTIO_H
#define GV_DEV_VIRTIO_H

#include "dev/disk.h"
#include "dev/pci.h"

#define VIRTIO_DISKS 8u

/* Where each of them is on PCI bus 0; disks from the first on. */
enum { VIRTIO_SLOT_CONSOLE = 3, VIRTIO_SLOT_RNG, VIRTIO_SLOT_DISK };

/*
 * The disk number INDEX (0 to VIRTIO_DISKS - 1), of 512-byte sectors.  DISK stays the caller's and must outlive the
 * device.
 */
int virtio_blk_attach(struct pci_bus *pci, unsigned index, struct disk *disk, struct err *err);
/* Random numbers, from dev_host.random. */
int virtio_rng_attach(struct pci_bus *pci, struct err *err);
/* A console with one port.  Output goes to dev_host.output, as much as dev_host.output_room says. */
int virtio_console_attach(struct pci_bus *pci, struct device **ret, struct err *err);
/*
 * Host input: offers LEN bytes for the guest; *RET_TAKEN: how many the console's queue had room for.  The caller keeps
 * the rest until host->input_wanted.  They reach the guest by bus_poll().  False, and nothing taken: no driver has the
 * console open, with a buffer to receive.  Takes the bus lock itself.  Any thread.
 */
bool virtio_console_input(struct bus *b, struct device *console, const uint8_t *data, size_t len, size_t *ret_taken);

#endif
