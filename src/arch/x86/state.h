/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The processors' and interrupt controllers' state as a whole: what it was at power-on, and how a boot state is put in. */
#ifndef GV_X86_STATE_H
#define GV_X86_STATE_H

#include "arch/x86/vcpu_x86.h"
#include "load/load.h"

struct power_on;

/* Remembers the state of all vCPUs (none has run yet), interrupt controllers and PIT, for power_on_restore().  -ENOMEM, -EIO. */
int power_on_save(struct vm *vm, struct power_on **ret, struct err *err);
/* Puts everything back.  Loop thread, every vCPU parked. */
int power_on_restore(struct vm *vm, const struct power_on *p, struct err *err);
void power_on_free(struct power_on *p);         /* NULL is fine */

/* Gives the vCPU the registers an image starts with. */
int boot_state_apply(struct vcpu *v, const struct boot_state *b, struct err *err);

#endif
