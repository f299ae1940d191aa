/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The interrupt controllers and the timer in this program instead of in KVM (--irqchip=user): the devices of
 * dev/pic.h, and how their interrupts reach the one vCPU (api.rst 4.16 and 5: KVM_INTERRUPT, request_interrupt_window,
 * KVM_EXIT_HLT).
 *
 * A vector is acknowledged when the guest can take it and not before; while a vCPU is stepped, only with `step_irqs`.
 * A halted vCPU waits here, out of the guest.  Whoever gives the guest an event of its own clears
 * ready_for_interrupt_injection in the run page.  The vCPU's own thread, unless it says else.
 */
#ifndef GV_X86_IRQCHIP_H
#define GV_X86_IRQCHIP_H

#include "arch/x86/vcpu_x86.h"

struct irqchip;

/*
 * Attaches the devices to VM's bus, after those that have interrupt lines, so that they are loaded last, switches the
 * APIC of its one vCPU off and sets VM->irqchip.  Before that vCPU runs.
 */
int irqchip_new(struct vm *vm, struct err *err);
void irqchip_free(struct irqchip *c);           /* after the bus; NULL is fine */

#define IRQCHIP_LINES 16u
/* The level of interrupt line GSI; those that are none are ignored.  Any thread, under the bus lock. */
void irqchip_set_line(struct irqchip *c, unsigned gsi, bool level);
/* A halted vCPU looks at `pause` again.  Any thread. */
void irqchip_wake(struct irqchip *c);

/* Before V runs again: its registers and events may be others than when it left the guest, and an event ends a halt. */
void irqchip_resumed(struct vcpu *v);
/* Forgets what was on its way.  V parked, its events reset. */
void irqchip_reset(struct vcpu *v);
/* Whether V may enter the guest: it is not halted, or no longer, or is to be stepped. */
bool irqchip_awake(struct vcpu *v);
/* Waits until that may have changed, or a pause. */
void irqchip_wait(struct vcpu *v);
/*
 * Just before KVM_RUN, when every kick from now on ends it: gives V the interrupt that is due, or asks KVM to say when
 * it can take it.
 */
void irqchip_enter(struct vcpu *v);
/* Just after it. */
void irqchip_left(struct vcpu *v);

#endif
