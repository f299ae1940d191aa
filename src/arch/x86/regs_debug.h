/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The guest's own debug registers, apart from what stands in the real ones for us.  The vCPU's own thread, or the loop
 * thread while the vCPU is parked.
 */
#ifndef GV_X86_REGS_DEBUG_H
#define GV_X86_REGS_DEBUG_H

#include "arch/x86/vcpu_x86.h"

/* What a register of them is: 0 to 3 DR0 to DR3, then these. */
enum { DEBUG_REG_DR6 = 4, DEBUG_REG_DR7 };

/* Has V->own be the guest's.  -EIO and what KVM says. */
int regs_debug_fetch(struct vcpu *v, struct err *err);
int regs_debug_read(struct vcpu *v, unsigned index, uint64_t *ret, struct err *err);
/*
 * As MOV to it would (Intel SDM vol. 3, 17.2): bits that are fixed in DR6 and DR7 stay as they are.  -EINVAL: a bit above
 * 31 of those, an address that is not canonical, or an enabled breakpoint of a kind or length that the processor has no
 * meaning for.
 */
int regs_debug_write(struct vcpu *v, unsigned index, uint64_t value, struct err *err);

#endif
