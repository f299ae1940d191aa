/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The exits that only PowerPC has: hypercalls (PAPR 2.9, chapter 14), device control registers; and the end. */
#include <string.h>

#include "arch/ppc/parts.h"
#include "kvm/exits.h"
#include "kvm/machine_priv.h"

#define H_SUCCESS       0
#define H_FUNCTION      (-2)            /* there is no such call */
#define H_PARAMETER     (-4)
#define H_GET_TERM_CHAR 0x54u
#define H_PUT_TERM_CHAR 0x58u
#define TERM_BYTES      16u             /* in two registers, the first byte in the highest bits */

static void to_registers(const uint8_t *data, __u64 ret[2])
{
	ret[0] = ret[1] = 0;
	for (unsigned i = 0; i < TERM_BYTES; i++)
		ret[i / 8] |= (uint64_t)data[i] << (56 - 8 * (i % 8));
}

static void of_registers(const __u64 from[2], uint8_t *ret)
{
	for (unsigned i = 0; i < TERM_BYTES; i++)
		ret[i] = (uint8_t)(from[i / 8] >> (56 - 8 * (i % 8)));
}

/* H_PUT_TERM_CHAR: terminal, length, 16 bytes. */
static int64_t put_chars(struct vcpu *v, __u64 *args)
{
	uint8_t data[TERM_BYTES];

	if (args[1] > TERM_BYTES)
		return H_PARAMETER;
	of_registers(&args[2], data);
	com1_put(v->vm->com1, data, (size_t)args[1]);
	return H_SUCCESS;
}

struct taken {
	uint8_t data[TERM_BYTES];
	size_t len;
};

static size_t take(void *arg, const uint8_t *data, size_t len)
{
	struct taken *t = arg;
	size_t room = TERM_BYTES - t->len, n = len < room ? len : room;

	memcpy(t->data + t->len, data, n);
	t->len += n;
	return n;
}

/* H_GET_TERM_CHAR: terminal; answers a length and 16 bytes. */
static int64_t get_chars(struct vcpu *v, __u64 *args)
{
	struct taken t = { .len = 0 };

	com1_feed(v->vm->com1, take, &t);
	args[0] = t.len;
	to_registers(t.data, &args[1]);
	return H_SUCCESS;
}

static const struct {
	uint64_t number;
	int64_t (*call)(struct vcpu *v, __u64 *args);
} hcalls[] = {
	{ H_GET_TERM_CHAR, get_chars },
	{ H_PUT_TERM_CHAR, put_chars },
};

static bool exit_hcall(struct vcpu *v)
{
	struct kvm_run *run = v->run;
	int64_t r = H_FUNCTION;

	for (size_t i = 0; i < sizeof(hcalls) / sizeof(hcalls[0]); i++)
		if (hcalls[i].number == run->papr_hcall.nr)
			r = hcalls[i].call(v, run->papr_hcall.args);
	run->papr_hcall.ret = (uint64_t)r;
	v->needs_completion = true;
	exit_throttle(v);
	return true;
}

/* There are no such registers: they read as 0. */
static bool exit_dcr(struct vcpu *v)
{
	if (!v->run->dcr.is_write)
		v->run->dcr.data = 0;
	v->needs_completion = true;
	return true;
}

static bool exit_system(struct vcpu *v)
{
	struct machine_kvm *m = machine_priv(v->vm->machine);

	switch (v->run->system_event.type) {
	case KVM_SYSTEM_EVENT_SHUTDOWN:
		vcpu_event(v, &(struct stop_event){ .reason = STOP_EXIT, .text = "the guest switched itself off" });
		return false;
	case KVM_SYSTEM_EVENT_RESET:
		m->dev_host.reset(m, "a hypercall");
		return true;
	default:
		return exit_fail(v, "the guest has given up (system event %u)", v->run->system_event.type);
	}
}

bool ppc_exit(struct vcpu *v)
{
	switch (v->run->exit_reason) {
	case KVM_EXIT_PAPR_HCALL:
		return exit_hcall(v);
	case KVM_EXIT_DCR:
		return exit_dcr(v);
	case KVM_EXIT_EPR:
		v->run->epr.epr = 0;    /* no interrupt is pending */
		v->needs_completion = true;
		return true;
	case KVM_EXIT_SYSTEM_EVENT:
		return exit_system(v);
	case KVM_EXIT_INTERNAL_ERROR:
		return exit_fail(v, "KVM internal error %u", v->run->internal.suberror);
	case KVM_EXIT_NMI:
		return exit_fail(v, "machine check");
	default:
		return exit_fail(v, "KVM exit %u, which this program does not know", v->run->exit_reason);
	}
}
