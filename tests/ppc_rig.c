/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/ppc_rig.h"

#include <errno.h>
#include <sched.h>

const struct fake_host *const ppc_hosts[3] = { &fake_ppc970, &fake_power7, &fake_modern };

int ppc_try(const struct fake_host *h, struct machine_config *c)
{
	static const uint32_t loop = B(0);

	fake_kvm_host(h);
	fake_kvm_cpus(&fake_ppc);
	if (!c->image.size)
		ck_assert_int_eq(blob_copy("test", &loop, sizeof(loop), &c->image, &err), 0);
	if (!c->memory)
		c->memory = 128 * MIB;
	if (!c->cpus)
		c->cpus = 1;
	memset(&err, 0, sizeof(err));
	return machine_kvm_new(c, &m, &err);
}

void ppc_start(const struct fake_host *h, const uint32_t *code, size_t words, uint64_t memory)
{
	struct machine_config c = {
		.memory = memory,
		.cpus = 1,
		.load = { .kind = IMAGE_FLAT, .has_load = true, .load = CODE },
	};

	fake_kvm_host(h);
	fake_kvm_cpus(&fake_ppc);
	ck_assert_int_eq(blob_copy("test", code, words * sizeof(*code), &c.image, &err), 0);
	guest_start_machine(&c);
}

void ppc_end(void)
{
	guest_end();
	ck_assert_uint_eq(fake_kvm_rmas(), 0);
	fake_kvm_end();
}

int ppc_resume(enum action_kind kind)
{
	const struct run_action act = { .kind = kind };

	memset(&err, 0, sizeof(err));
	return machine_resume(m, &act, &err);
}

void ppc_run_and_stop(void)
{
	fake_kvm_count(KVM_RUN);
	ck_assert_msg(ppc_resume(ACT_CONT) == 0, "%s", err.msg);
	machine_poll(m, 0);
	while (!fake_kvm_count(KVM_RUN))
		sched_yield();
	machine_stop(m);
	guest_wait();
}
