/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What handling an exit takes, for the files that do: exits.c, and the architecture's.  The vCPU's own thread. */
#ifndef GV_KVM_EXITS_H
#define GV_KVM_EXITS_H

#include "kvm/catch.h"
#include "kvm/vcpu.h"

/* An event that needs a person: KVM cannot go on.  Returns false, for V does not re-enter. */
bool exit_fail(struct vcpu *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Stops for the catchpoints that A, which has been carried out, matches.  The filter sees the registers as it left them. */
void exit_catch(struct vcpu *v, const struct catch_access *a);
/* Waits until people have room for what the guest sent on its serial line. */
void exit_throttle(struct vcpu *v);

#endif
