/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What of a vCPU and of the machine is x86's alone: the members `arch` of struct vcpu and struct vm. */
#ifndef GV_X86_VCPU_X86_H
#define GV_X86_VCPU_X86_H

#include "arch/x86/probe.h"
#include "dev/ide.h"
#include "dev/virtio.h"
#include "kvm/vcpu.h"

#define HW_LANDING 0xff

struct assister;
struct board;
struct disk;
struct irqchip;
struct pci_bus;
struct power_on;
struct watch_trial;

struct arch_vm {
	struct irqchip *irqchip;        /* irqchip.h; NULL: KVM has its own */
	struct board *board;
	struct assister *assister;
	struct probe probe;
	struct power_on *power_on;      /* state.h */
	/* The PC's devices: devices.c. */
	struct pci_bus *pci;            /* NULL: the machine has no chipset, nor what follows */
	struct device *keyboard, *vga;
	struct device *flash;           /* NULL: none */
	struct disk *nvram;             /* its file; NULL: none */
	struct disk *disk[IDE_DRIVES];
	const char *boot_order[IDE_DRIVES];     /* in the order in which they were given */
	unsigned ndisks;
	struct disk *virtio_disk[VIRTIO_DISKS];
	bool steps_by_flag;             /* see struct probe */
	bool user_steps;                /* code at CPL 3 can be stepped; else its trap goes to the guest's own handler */
	bool repairs_syscalls;          /* user code's SYSCALL does not reach the kernel: syscalls.h */
	bool page_faults;               /* the handlers have breakpoints for that; changed while all are parked */
	bool own_registers;             /* the guest's own debug registers work beside ours: else they share the real ones */
};

/* Belongs to whom the vCPU belongs to (vcpu.h). */
struct arch_vcpu {
	/*
	 * CR3 at its last exit out of code at CPL 0, and the one before that: a kernel has a user's for its last instructions.  0: not
	 * known.
	 */
	uint64_t kernel_cr3[2];

	bool debug_known;               /* `debug` is what the kernel has */
	struct kvm_guest_debug debug;
	struct hw_point hw[BREAK_REGISTERS];    /* what each real register holds for us; gva 0 and size 8: nothing */
	/* What it holds besides: number of the guest's own register + 1, or HW_LANDING; 0: ours. */
	uint8_t hw_guest[BREAK_REGISTERS];
	/*
	 * Handlers that the instruction to be stepped may end in: delivery takes the trap flag away, so that a step would go on to
	 * the handler's end.
	 */
	uint64_t landing[BREAK_REGISTERS];
	unsigned nlandings;
	unsigned nfirst;                /* of these: where the step ends for sure, if it does not fault */
	bool landings_known, landings_user;     /* found since the vCPU was resumed; for code at CPL 3 */
	bool landed;                    /* the step has ended at one */
	bool late;                      /* a trap of the last step may be pending still, at LATE_PC */
	uint64_t late_pc;
	/* Where the guest was given a #DB of an execution breakpoint of its own, and its stack then: it returns there with RF set. */
	bool own_hit;
	bool own_passed;                /* and there it met our trap byte, which used RF up */
	uint64_t own_hit_pc, own_hit_rsp;
	/* The run page has what KVM holds for the guest, as the last exit left it: that of code which is running, not halted or waiting. */
	bool events_known;
	bool event_given;               /* the guest is about to get an exception that we gave it, */
	unsigned event_vector;          /* this one */
	bool own_known;                 /* `own` are the guest's debug registers */
	struct kvm_debugregs own;
	bool guest_tf;                  /* the guest single-steps itself, which KVM hides from us while we step */

	/* irqchip.h; with KVM's own chips unused. */
	bool halted;                    /* waits for an interrupt */
	int owed_vector;                /* acknowledged, and the guest has not got it; -1: none */
	int given_vector;               /* queued for this entry; -1: none */

	struct watch_trial *trial;      /* watch_kvm.h */
	bool xsave_valid;               /* read since the vCPU last ran */
	struct kvm_xsave *xsave;
};

/* KVM_SET_VCPU_EVENTS.  V's thread, or the loop thread while V is parked.  -errno. */
static inline int vcpu_set_events(struct vcpu *v, const struct kvm_vcpu_events *e)
{
	v->arch->events_known = false;
	return kvm_ioctl(v->fd, KVM_SET_VCPU_EVENTS, (void *)(uintptr_t)e);
}

#endif
