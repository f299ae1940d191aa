/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How fast this host's KVM is by itself: steps and hits of the guest that is measured, in a virtual machine of its
 * own, by nothing but the ioctls they take; and its sockets.  Commands come on standard input, see "commands" below.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/guest.h"
#include "bench/meter.h"
#include "bench/rsp.h"

#define MEMORY    0x10000
#define MAX_REPLY (1u << 20)

static uint8_t *memory;
static struct kvm_run *run;
static int cpu;
static struct meter meter;

static int need(int r, const char *what)
{
	if (r < 0)
		die("%s: %s", what, strerror(errno));
	return r;
}

static void set_up(const char *file)
{
	struct kvm_userspace_memory_region slot = { .memory_size = MEMORY };
	struct kvm_sregs sregs;
	int kvm = need(open("/dev/kvm", O_RDWR | O_CLOEXEC), "/dev/kvm");
	int vm = need(ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
	int fd = need(open(file, O_RDONLY | O_CLOEXEC), file), size;

	memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	if (read(fd, memory + GUEST_START, 512) != 512)
		die("%s is no boot sector", file);
	close(fd);
	slot.userspace_addr = (uintptr_t)memory;
	need(ioctl(vm, KVM_SET_TSS_ADDR, 0xfffbd000), "KVM_SET_TSS_ADDR");
	need(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot), "KVM_SET_USER_MEMORY_REGION");
	cpu = need(ioctl(vm, KVM_CREATE_VCPU, 0), "KVM_CREATE_VCPU");
	size = need(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), "KVM_GET_VCPU_MMAP_SIZE");
	run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, cpu, 0);
	if (run == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	need(ioctl(cpu, KVM_GET_SREGS, &sregs), "KVM_GET_SREGS");
	sregs.cs.selector = 0;
	sregs.cs.base = 0;
	need(ioctl(cpu, KVM_SET_SREGS, &sregs), "KVM_SET_SREGS");
}

static void set_loop(uint16_t address)
{
	struct kvm_regs regs = { .rip = address, .rsp = GUEST_START, .rflags = 2 };

	memcpy(memory + GUEST_NEXT, &address, sizeof(address));
	need(ioctl(cpu, KVM_SET_REGS, &regs), "KVM_SET_REGS");
}

static void debug(uint32_t control)
{
	struct kvm_guest_debug d = { .control = control };

	if (control & KVM_GUESTDBG_USE_HW_BP) {
		d.arch.debugreg[0] = GUEST_HOT;
		d.arch.debugreg[7] = 0x402;     /* the first one, for execution */
	}
	need(ioctl(cpu, KVM_SET_GUEST_DEBUG, &d), "KVM_SET_GUEST_DEBUG");
}

static void go(void)
{
	need(ioctl(cpu, KVM_RUN, 0), "KVM_RUN");
	if (run->exit_reason != KVM_EXIT_DEBUG)
		die("KVM_RUN ended by exit %u", run->exit_reason);
}

/* Steps of the loop at ADDRESS; all registers that KVM can give with an exit, if REGISTERS. */
static void steps(const char *seconds, uint16_t address, uint64_t registers)
{
	set_loop(address);
	debug(KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP);
	run->kvm_valid_regs = registers;
	meter_start(&meter, seconds);
	while (meter_more(&meter)) {
		for (unsigned i = 0; i < 50; i++)
			go();
		meter_did(&meter, 50);
	}
	run->kvm_valid_regs = 0;
	debug(0);
	meter_print(&meter, "");
}

static void step(char **args)
{
	steps(args[0], GUEST_HOT, 0);
}

static void step_registers(char **args)
{
	steps(args[0], GUEST_HOT, KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS | KVM_SYNC_X86_EVENTS);
}

static void range(char **args)
{
	steps(args[0], GUEST_RANGE, 0);
}

/* A hit of a debug register, and the step over it. */
static void hits(char **args)
{
	uint32_t count;

	set_loop(GUEST_HOT);
	memcpy(&count, memory + GUEST_COUNTER, sizeof(count));
	meter_start(&meter, args[0]);
	while (meter_more(&meter)) {
		for (unsigned i = 0; i < 10; i++) {
			debug(KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP);
			go();
			if (run->debug.arch.pc != GUEST_HOT)
				die("a hit at 0x%llx", (unsigned long long)run->debug.arch.pc);
			debug(KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP);
			go();
		}
		meter_did(&meter, 10);
	}
	debug(0);
	count += (uint32_t)meter.ops;
	if (memcmp(&count, memory + GUEST_COUNTER, sizeof(count)))
		die("the guest went round otherwise than the hits say");
	meter_print(&meter, "");
}

static void answer_always(int fd, size_t request, size_t reply)
{
	static uint8_t bytes[MAX_REPLY];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (read(fd, bytes, request) == (ssize_t)request && write(fd, bytes, reply) == (ssize_t)reply)
		;
	_exit(0);
}

/* Round trips of REQUEST and REPLY bytes to a process that does nothing else; each counts as OPS. */
static void wire(char **args)
{
	const uint64_t request = meter_number(args[1]), reply = meter_number(args[2]), ops = meter_number(args[3]);
	static uint8_t bytes[MAX_REPLY];
	int ends[2];
	pid_t pid;

	if (!request || request > MAX_REPLY || !reply || reply > MAX_REPLY)
		die("%s and %s bytes", args[1], args[2]);
	need(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), "socketpair");
	pid = need(fork(), "fork");
	if (!pid) {
		close(ends[0]);
		answer_always(ends[1], request, reply);
	}
	close(ends[1]);
	meter_start(&meter, args[0]);
	while (meter_more(&meter)) {
		size_t got = 0;
		ssize_t n = 1;

		if (write(ends[0], bytes, request) != (ssize_t)request)
			die("write: %s", strerror(errno));
		while (got < reply && n > 0) {
			n = read(ends[0], bytes, reply - got);
			got += n > 0 ? (size_t)n : 0;
		}
		if (got < reply)
			die("nobody answers");
		meter_did(&meter, ops);
	}
	close(ends[0]);
	waitpid(pid, NULL, 0);
	meter_print(&meter, "");
}

/* The first argument: SECONDS. */
static const struct meter_command commands[] = {
	{ "step", 1, step },
	{ "step-registers", 1, step_registers },
	{ "range", 1, range },
	{ "hits", 1, hits },
	{ "wire", 4, wire },                    /* REQUEST REPLY OPS */
};

int main(int argc, char **argv)
{
	if (argc != 2)
		die("usage: bare GUEST");
	set_up(argv[1]);
	meter_serve(commands, sizeof(commands) / sizeof(commands[0]));
	return 0;
}
