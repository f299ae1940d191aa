/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a breakpoint's condition costs when it is false, against a bare exit and the step over the breakpoint, which has to be
 * taken whoever evaluates; and stepping through a range against a loop of KVM_RUN.  A line each: name, value, bound, and whether it
 * was kept.  What is compared is measured by turns, and the least counts: everything else that the host does only adds.  Bounds
 * are ratios of two values from this run.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include "gdbstub/session.h"
#include "kvm/machine_priv.h"
/* After the others: its names are short. */
#include "bench/rig.h"

#define STORES "7c20"
#define ROUNDS 25
#define TURNS  500              /* of a loop */
#define STEPS  (3 * TURNS)

/* cx times: nothing to exit for; a store; a port write that nobody answers. */
extern const unsigned char guest[], guest_end[];
__asm__(".pushsection .rodata\n guest: .code16\n"
	/* 7c00 */ "1: inc %dx\n dec %cx\n jnz 1b\n"
	/* 7c04 */ "hlt\n"
	".org guest + 0x20\n"
	/* 7c20 */ "1: mov %al, 0x5000\n dec %cx\n jnz 1b\n"
	/* 7c26 */ "hlt\n"
	".org guest + 0x30\n"
	/* 7c30 */ "1: out %al, $0x99\n dec %cx\n jnz 1b\n"
	/* 7c35 */ "hlt\n"
	"guest_end: .code64\n .popsection\n");

static struct session *session;
static unsigned stops;

static void stopped(struct observer *o, const struct stop_event *ev)
{
	(void)o;
	(void)ev;
	stops++;
}

static struct observer observer = { .stopped = stopped };

/* Microseconds that the guest runs for, from PC with CX turns to go, to the breakpoint or the end of the range at END. */
static double run(const struct run_action *act, uint64_t pc, uint64_t end)
{
	struct pollfd p = { .fd = machine_event_fd(m), .events = POLLIN };
	uint64_t turns = TURNS, at;
	unsigned before = stops;
	double start;

	need(machine_reg_write(m, 0, X86_RIP, &pc, &err));
	need(machine_reg_write(m, 0, X86_RCX, &turns, &err));
	start = now_us();
	need(machine_resume(m, act, &err));
	machine_poll(m, 50);
	while (stops == before) {
		poll(&p, 1, 10000);
		machine_poll(m, 0);
	}
	start = now_us() - start;
	need(machine_reg_read(m, 0, X86_RIP, &at, &err));
	if (at != end) {
		fprintf(stderr, "bench: stopped at 0x%llx\n", (unsigned long long)at);
		exit(1);
	}
	return start;
}

/* Microseconds a turn of the loop at PC. */
static double loop(uint64_t pc, uint64_t end)
{
	return run(&(struct run_action){ .kind = ACT_CONT }, pc, end) / TURNS;
}

static double range_step(void)
{
	return run(&(struct run_action){ .kind = ACT_RANGE, .start = 0x7c00, .end = 0x7c04 }, 0x7c00, 0x7c04) / STEPS;
}

static void debug(int fd, bool step)
{
	struct kvm_guest_debug d = { .control = step ? KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP : 0 };

	need(ioctl(fd, KVM_SET_GUEST_DEBUG, &d));
}

/*
 * Microseconds a step by nothing but the system calls it takes.  OVER: as over a breakpoint, with stepping switched on and off
 * around each.
 */
static double raw_step(bool over)
{
	struct vcpu *v = machine_priv(m)->vm.cpus[0];
	struct kvm_regs regs;
	double start;

	need(ioctl(v->fd, KVM_GET_REGS, &regs));
	regs.rip = 0x7c00;
	regs.rcx = TURNS;
	need(ioctl(v->fd, KVM_SET_REGS, &regs));
	start = now_us();
	debug(v->fd, true);
	for (unsigned i = 0; i < STEPS - 1; i++) {
		if (over && i)
			debug(v->fd, true);
		v->run->immediate_exit = 0;
		if (ioctl(v->fd, KVM_RUN, 0) || v->run->exit_reason != KVM_EXIT_DEBUG) {
			fprintf(stderr, "bench: a step ended by exit %u\n", v->run->exit_reason);
			exit(1);
		}
		if (over)
			debug(v->fd, false);
	}
	debug(v->fd, false);
	return (now_us() - start) / (STEPS - 1);
}

static void least(double *min, double value)
{
	if (!*min || value < *min)
		*min = value;
}

static void send_packet(const char *packet)
{
	char text[200];
	uint8_t sum = 0;
	size_t len;
	int n;

	for (const char *p = packet; *p; p++)
		sum = (uint8_t)(sum + *p);
	n = snprintf(text, sizeof(text), "+$%s#%02x", packet, sum);
	session_input(session, (const uint8_t *)text, (size_t)n);
	if (strncmp((const char *)session_output(session, &len), "+$OK", 4)) {
		fprintf(stderr, "bench: %s is refused\n", packet);
		exit(1);
	}
	session_sent(session, len);
}

int main(void)
{
	struct machine_config c = { .cpus = 1, .memory = 64 << 20 };
	const struct session_owner owner = { 0 };
	static const uint64_t ends[] = { 0x7c26, 0x7c35 };
	double store = 0, out = 0, over = 0, raw = 0, range = 0, unmet = 0;

	need(blob_copy("bench", guest, (size_t)(guest_end - guest), &c.image, &err));
	c.load = (struct load_opts){ .kind = IMAGE_FLAT, .load = 0x7c00, .entry = 0x7c00, .mode = BOOT_REAL };
	need(machine_kvm_new(&c, &m, &err));
	machine_observe(m, &observer);
	need(session_new(m, NULL, &owner, &session, &err));
	for (unsigned i = 0; i < 2; i++) {
		struct break_spec s = { .kind = BREAK_SOFT, .gva = ends[i], .space = BREAK_ANY_SPACE };

		need(machine_break_insert(m, BREAK_OWNER_MONITOR, &s, &err));
	}
	for (unsigned i = 0; i < ROUNDS; i++) {
		least(&store, loop(0x7c20, 0x7c26));
		least(&out, loop(0x7c30, 0x7c35));
		least(&over, raw_step(true));
		/* *(int *)0x5000 == 500 */
		send_packet("Z0," STORES ",1;Xb,2350001916202301f41327");
		least(&unmet, loop(0x7c20, 0x7c26));
		send_packet("z0," STORES ",1");
		least(&raw, raw_step(false));
		least(&range, range_step());
	}
	out -= store;
	unmet -= store;
	line("a bare exit: OUT to a port nobody answers", out, "us", 0);
	line("a step over by itself: KVM_RUN with stepping put on and off", over, "us", 0);
	line("a hit whose condition is false", unmet, "us", 0);
	line("a false condition, in bare exits, step over apart", (unmet - over) / out, "x", 1.5);
	line("a step by KVM_RUN alone", raw, "us", 0);
	line("a step through a range, as a ratio", range / raw, "x", 1 / 0.7);
	session_free(session);
	machine_unobserve(m, &observer);
	machine_kvm_free(m);
	return missed;
}
