/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kvm/threads.h"

#include <errno.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define HOST_CPUS   8192u       /* as many as Linux can be built for */
#define SLICE_NS    100000u     /* the shortest that the scheduler takes */
#define RESET_ON_FORK 1u        /* SCHED_FLAG_RESET_ON_FORK */

typedef struct {
	unsigned long bits[HOST_CPUS / (8 * sizeof(unsigned long))];
} host_cpus;

#define SET(c) ((cpu_set_t *)(c)->bits)

/* <linux/sched/types.h>, which glibc's headers do not go together with. */
struct attributes {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

int threads_check(const unsigned *list, size_t n, struct err *err)
{
	host_cpus allowed = { { 0 } };

	if (!n)
		return 0;
	if (sched_getaffinity(0, sizeof(allowed), SET(&allowed)))
		return err_errno(err, errno, "the host CPUs this process may run on");
	for (size_t i = 0; i < n; i++) {
		if (list[i] < HOST_CPUS && CPU_ISSET_S(list[i], sizeof(allowed), SET(&allowed)))
			continue;
		if (list[i] >= (unsigned long)sysconf(_SC_NPROCESSORS_CONF))
			return err_set(err, EINVAL, "--affinity: this host has no CPU %u", list[i]);
		return err_set(err, EINVAL, "--affinity: this process may not run on host CPU %u", list[i]);
	}
	return 0;
}

int threads_pin(pthread_t thread, unsigned cpu, struct err *err)
{
	host_cpus one = { { 0 } };
	int r;

	CPU_SET_S(cpu, sizeof(one), SET(&one));
	r = pthread_setaffinity_np(thread, sizeof(one), SET(&one));
	return r ? err_set(err, EINVAL, "--affinity: host CPU %u: %s", cpu, strerror(r)) : 0;
}

void threads_prompt(void)
{
	struct attributes a = { .size = sizeof(a) };

	if (syscall(SYS_sched_getattr, 0, &a, sizeof(a), 0) || a.policy != SCHED_OTHER || a.runtime <= SLICE_NS)
		return;
	a.runtime = SLICE_NS;
	a.flags |= RESET_ON_FORK;
	syscall(SYS_sched_setattr, 0, &a, 0);
}
