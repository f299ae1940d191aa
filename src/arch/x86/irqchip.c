/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "arch/x86/irqchip.h"

#include <errno.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "dev/pic.h"

#define RFLAGS_IF        (1ull << 9)
#define APIC_BASE_ENABLE (1ull << 11)

struct irqchip {
	struct vm *vm;
	struct device *pic;
	atomic_bool intr;               /* the line from the controllers to the processor */
	atomic_uint wakes;              /* a futex: how often there was reason to look again */
};

void irqchip_wake(struct irqchip *c)
{
	atomic_fetch_add(&c->wakes, 1);
	syscall(SYS_futex, &c->wakes, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void on_intr(void *arg, bool level)
{
	struct irqchip *c = arg;

	atomic_store(&c->intr, level);
	if (!level)
		return;
	/* It is in the guest, or halted, or about to be either. */
	vcpu_kick(c->vm->cpus[0]);
	irqchip_wake(c);
}

/* What CPUID says of the APIC follows its base register, whether there is one or not. */
static int disable_apic(struct vcpu *v, struct err *err)
{
	struct kvm_sregs sregs;
	int r = kvm_ioctl(v->fd, KVM_GET_SREGS, &sregs);

	if (!r) {
		sregs.apic_base &= ~APIC_BASE_ENABLE;
		r = kvm_ioctl(v->fd, KVM_SET_SREGS, &sregs);
	}
	return r ? err_errno(err, -r, "vCPU %u: switching its APIC off", v->id) : 0;
}

int irqchip_new(struct vm *vm, struct err *err)
{
	struct irqchip *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return err_set(err, ENOMEM, "out of memory");
	c->vm = vm;
	r = disable_apic(vm->cpus[0], err);
	if (!r)
		r = pit_attach(vm->bus, err);
	if (!r)
		r = pic_attach(vm->bus, on_intr, c, &c->pic, err);
	if (r)
		free(c);
	else
		vm->arch->irqchip = c;
	return r;
}

void irqchip_free(struct irqchip *c)
{
	free(c);
}

void irqchip_set_line(struct irqchip *c, unsigned gsi, bool level)
{
	pic_set_irq(c->pic, gsi, level);
}

static bool stepping(const struct vcpu *v)
{
	return v->arch->debug.control & KVM_GUESTDBG_SINGLESTEP;
}

static bool interruptible(const struct vcpu *v)
{
	return v->run->s.regs.regs.rflags & RFLAGS_IF;
}

static bool has_interrupt(const struct vcpu *v)
{
	return v->arch->owed_vector >= 0 || atomic_load(&v->vm->arch->irqchip->intr);
}

/* Has KVM say anew whether V could take an interrupt now. */
static void look_ready(struct vcpu *v)
{
	__atomic_store_n(&v->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
	if (kvm_ioctl_num(v->fd, KVM_RUN, 0) != -EINTR)
		v->run->ready_for_interrupt_injection = 0;
}

void irqchip_resumed(struct vcpu *v)
{
	struct kvm_vcpu_events ev;

	v->run->ready_for_interrupt_injection = 0;
	/* A step is over before the window that it would wait for opens. */
	if (v->act.kind != ACT_CONT && v->vm->step_irqs && has_interrupt(v))
		look_ready(v);
	if (!v->arch->halted || kvm_ioctl(v->fd, KVM_GET_VCPU_EVENTS, &ev))
		return;
	v->arch->halted = !ev.nmi.pending && !ev.nmi.injected && !ev.exception.pending && !ev.exception.injected;
}

void irqchip_reset(struct vcpu *v)
{
	v->arch->halted = false;
	v->arch->owed_vector = v->arch->given_vector = -1;
}

bool irqchip_awake(struct vcpu *v)
{
	if (stepping(v) || (interruptible(v) && has_interrupt(v)))
		v->arch->halted = false;
	return !v->arch->halted;
}

void irqchip_wait(struct vcpu *v)
{
	struct irqchip *c = v->vm->arch->irqchip;
	unsigned seen = atomic_load(&c->wakes);

	if (!atomic_load(&v->vm->ctl.pause) && !irqchip_awake(v))
		syscall(SYS_futex, &c->wakes, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
}

void irqchip_enter(struct vcpu *v)
{
	struct irqchip *c = v->vm->arch->irqchip;
	struct kvm_interrupt irq;

	/* There is no local APIC to keep it: KVM takes it from here. */
	v->run->cr8 = v->run->s.regs.sregs.cr8;
	v->run->request_interrupt_window = 0;
	if ((stepping(v) && !v->vm->step_irqs) || !has_interrupt(v))
		return;
	if (!v->run->ready_for_interrupt_injection || !interruptible(v)) {
		v->run->request_interrupt_window = 1;
		return;
	}
	if (v->arch->owed_vector < 0)
		v->arch->owed_vector = pic_acknowledge(v->vm->bus, c->pic);
	irq.irq = (uint32_t)v->arch->owed_vector;
	if (!kvm_ioctl(v->fd, KVM_INTERRUPT, &irq)) {
		v->arch->given_vector = v->arch->owed_vector;
		v->arch->owed_vector = -1;
	}
	v->run->request_interrupt_window = has_interrupt(v);
}

/* A kick may have come before the guest was entered: who steps it then must not find an interrupt in KVM. */
static void take_back(struct vcpu *v)
{
	struct kvm_vcpu_events ev;

	if (kvm_ioctl(v->fd, KVM_GET_VCPU_EVENTS, &ev) || !ev.interrupt.injected || ev.interrupt.nr != v->arch->given_vector)
		return;
	ev.interrupt.injected = 0;
	if (kvm_ioctl(v->fd, KVM_SET_VCPU_EVENTS, &ev))
		return;
	v->arch->owed_vector = v->arch->given_vector;
	v->run->s.regs.sregs.interrupt_bitmap[v->arch->given_vector / 64] &= ~(1ull << v->arch->given_vector % 64);
}

void irqchip_left(struct vcpu *v)
{
	/* Delivery takes IF away. */
	if (v->arch->given_vector >= 0 && interruptible(v))
		take_back(v);
	v->arch->given_vector = -1;
}
