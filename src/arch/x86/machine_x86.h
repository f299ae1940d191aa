/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The PC around the vCPUs, for the files that make it.  Loop thread, every vCPU parked. */
#ifndef GV_X86_MACHINE_X86_H
#define GV_X86_MACHINE_X86_H

#include "arch/x86/vcpu_x86.h"
#include "kvm/machine_priv.h"

/* nvram.c.  Puts flash memory beside the firmware, if SPEC or the firmware has variables for it.  As devices_new(). */
int nvram_attach(struct machine_kvm *k, const struct disk_spec *spec, struct err *err);
/* The file gets what it has yet to be given: before the bus is freed. */
void nvram_sync(struct machine_kvm *k);

/* devices.c.  Makes the bus and what is on it, opens the disks; frees them. */
int devices_new(struct machine_kvm *k, const struct machine_config *c, struct err *err);
void devices_free(struct machine_kvm *k);
/* machine_x86.c: members of the same names in struct arch. */
int x86_check_config(const struct machine_config *c, struct err *err);
int x86_board_new(struct machine_kvm *k, const struct machine_config *c, struct err *err);
void x86_board_free(struct machine_kvm *k);
int x86_ready(struct machine_kvm *k, struct err *err);
int x86_load(struct machine_kvm *k, uint64_t *ret_slide, struct err *err);
int x86_remap(struct machine_kvm *k, struct err *err);
void x86_before_sandbox(struct machine_kvm *k);
bool x86_host_fact(struct machine_kvm *k, size_t index, struct host_fact *ret);
bool x86_assist_count(struct machine_kvm *k, size_t index, struct assist_count *ret);
void x86_irq_line(struct vm *vm, unsigned line, bool level);
bool x86_board_write(struct vm *vm, uint64_t gpa, const void *data, size_t size);
bool x86_board_is_device(struct vm *vm, uint64_t gpa);

/* devices.c: arch.pci_list, screen, key_text and inject. */
bool x86_pci_list(struct machine_kvm *k, size_t index, struct pci_info *ret);
int x86_screen(struct machine_kvm *k, struct screen *ret, struct err *err);
int x86_key_text(struct machine_kvm *k, const char *text, size_t len, struct err *err);
int x86_inject(struct machine_kvm *k, const struct injection *i, struct err *err);

#endif
