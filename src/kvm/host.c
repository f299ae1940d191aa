/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What devices ask of the machine (struct dev_host), and the host inputs that they get: timers, and work that other threads have
 * done for them.  These come only while the guest runs: a stopped one sees nothing move.
 */
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "arch/arch.h"
#include "dev/pc.h"
#include "kvm/machine_priv.h"
#include "util/clock.h"

static void host_irq(void *arg, unsigned gsi, bool level)
{
	struct machine_kvm *k = arg;

	arch.irq_line(&k->vm, gsi, level);
}

static void host_reset(void *arg, const char *by)
{
	struct machine_kvm *k = arg;

	k->reset_by = by;
	atomic_store(&k->reset_asked, true);
	vm_pause(&k->vm);
}

static void host_exit(void *arg, int status)
{
	(void)arg;
	vcpu_event(vcpu_self(), &(struct stop_event){ .reason = STOP_EXIT, .exit_status = status,
						      .text = "the guest left by its exit port" });
}

static void host_power_off(void *arg, const char *by)
{
	(void)arg;
	(void)by;
	vcpu_event(vcpu_self(), &(struct stop_event){ .reason = STOP_EXIT, .text = "the guest switched itself off" });
}

static void host_output(void *arg, const uint8_t *data, size_t len)
{
	struct machine_kvm *k = arg;

	com1_put(k->vm.com1, data, len);
}

static void host_input_wanted(void *arg)
{
	struct machine_kvm *k = arg;

	atomic_store(&k->vm.input_wanted, true);
}

static uint64_t host_now(void *arg)
{
	(void)arg;
	return (uint64_t)time(NULL);
}

/* `ran` and `since` change only while every vCPU is parked. */
static uint64_t host_clock(void *arg)
{
	struct machine_kvm *k = arg;

	return k->clock.since ? k->clock.ran + (clock_ns() - k->clock.since) : k->clock.ran;
}

static void set_timer(struct machine_kvm *k, uint64_t at)
{
	struct itimerspec t = { 0 };
	uint64_t abs;

	if (at != DEV_NEVER && k->clock.since) {
		abs = k->clock.since + (at > k->clock.ran ? at - k->clock.ran : 0);
		/* Zero would switch it off, and what cannot be said is never reached. */
		t.it_value.tv_sec = (time_t)(abs / 1000000000u);
		t.it_value.tv_nsec = (long)(abs % 1000000000u);
		if (abs < k->clock.since)
			t.it_value = (struct timespec){ 0 };
	}
	atomic_store(&k->timer_set, t.it_value.tv_sec || t.it_value.tv_nsec);
	timerfd_settime(k->device_timer_fd, TFD_TIMER_ABSTIME, &t, NULL);
}

static void host_deadline(void *arg, uint64_t at)
{
	set_timer(arg, at);
}

/* As a write by the guest: what goes to read-only memory is lost, and done. */
static size_t write_guest(struct machine_kvm *k, uint64_t gpa, const uint8_t *data, size_t len)
{
	const struct gmem_region *r;
	size_t done = 0, n;

	for (; done < len; done += n) {
		r = gmem_find(k->vm.gmem, gpa + done);
		if (!r)
			break;
		n = len - done;
		if (n > r->gpa + r->size - (gpa + done))
			n = (size_t)(r->gpa + r->size - (gpa + done));
		if (!r->readonly)
			break_write(k->vm.breaks, gpa + done, data + done, n);
	}
	return done;
}

/* Lock order: over_lock before the bus's, which the caller has: everybody who may get here took it before. */
static size_t host_dma(void *arg, uint64_t gpa, void *data, size_t len, bool to_guest)
{
	struct machine_kvm *k = arg;

	return to_guest ? write_guest(k, gpa, data, len) : break_read(k->vm.breaks, gpa, data, len);
}

static void host_remap(void *arg)
{
	struct machine_kvm *k = arg;

	atomic_store(&k->remap_asked, true);
	vm_pause(&k->vm);
}

static void host_log(void *arg, const uint8_t *data, size_t len)
{
	struct machine_kvm *k = arg;

	logring_put(&k->firmware_log, data, len);
	if (!atomic_exchange(&k->log_news, true))
		vm_notify(&k->vm);
}

static void host_trouble(void *arg, const char *line)
{
	struct machine_kvm *k = arg;

	pthread_mutex_lock(&k->trouble.lock);
	/* More than anybody reads would be lost on people: those that do not fit are. */
	if (k->trouble.n < TROUBLES_MAX)
		snprintf(k->trouble.line[k->trouble.n++], TROUBLE_BYTES, "%s", line);
	pthread_mutex_unlock(&k->trouble.lock);
	vm_notify(&k->vm);
}

bool host_next_trouble(struct machine_kvm *k, char ret[TROUBLE_BYTES])
{
	bool is_there;

	pthread_mutex_lock(&k->trouble.lock);
	is_there = k->trouble.n > 0;
	if (is_there) {
		memcpy(ret, k->trouble.line[0], TROUBLE_BYTES);
		memmove(k->trouble.line[0], k->trouble.line[1], --k->trouble.n * sizeof(k->trouble.line[0]));
	}
	pthread_mutex_unlock(&k->trouble.lock);
	return is_there;
}

static size_t host_output_room(void *arg)
{
	struct machine_kvm *k = arg;

	return com1_room(k->vm.com1);
}

static void host_random(void *arg, void *data, size_t len)
{
	(void)arg;
	/* Up to 256 bytes come whole, unless the host has not started up yet. */
	while (getrandom(data, len, 0) != (ssize_t)len)
		;
}

static void host_msi(void *arg, uint64_t address, uint32_t data)
{
	struct machine_kvm *k = arg;
	struct kvm_msi msi = {
		.address_lo = (uint32_t)address,
		.address_hi = (uint32_t)(address >> 32),
		.data = data,
	};

	/* Fails for what no local APIC takes: it is lost, as on a bus. */
	kvm_ioctl(k->vm.kvm.vm_fd, KVM_SIGNAL_MSI, &msi);
}

static void host_wake(void *arg)
{
	struct machine_kvm *k = arg;

	atomic_store(&k->device_news, true);
	vm_notify(&k->vm);
}

void host_init(struct machine_kvm *k)
{
	k->dev_host = (struct dev_host){
		.arg = k,
		.irq = host_irq,
		.reset = host_reset,
		.exit = host_exit,
		.output = host_output,
		.input_wanted = host_input_wanted,
		.now = host_now,
		.clock = host_clock,
		.deadline = host_deadline,
		.dma = host_dma,
		.power_off = host_power_off,
		.remap = host_remap,
		.log = host_log,
		.trouble = host_trouble,
		.output_room = host_output_room,
		.random = host_random,
		.msi = host_msi,
		.wake = host_wake,
	};
}

void host_clock_run(struct machine_kvm *k, bool on)
{
	if (on == (k->clock.since != 0))
		return;
	if (on) {
		uint64_t at = bus_deadline(k->vm.bus);

		k->clock.since = clock_ns();
		arch.time_resume(&k->vm, &k->clock.stopped, k->clock.since);
		if (at != DEV_NEVER)
			set_timer(k, at);
	} else {
		arch.time_stop(&k->clock.stopped, clock_ns());
		k->clock.ran += k->clock.stopped.ns - k->clock.since;
		k->clock.since = 0;
	}
}

void host_inputs(struct machine_kvm *k)
{
	uint64_t times;
	bool due;

	/* Also while stopped, or it would be readable for good; it is set again when the guest goes on. */
	if (atomic_load(&k->timer_set) && read(k->device_timer_fd, &times, sizeof(times)) == sizeof(times))
		atomic_store(&k->timer_set, false);
	if (!k->clock.since)
		return;
	due = bus_deadline(k->vm.bus) <= host_clock(k);
	if (!due && !atomic_load(&k->device_news))
		return;
	pthread_mutex_lock(&k->vm.ctl.over_lock);
	if (atomic_exchange(&k->device_news, false))
		bus_poll(k->vm.bus);
	if (due)
		bus_timers(k->vm.bus, host_clock(k));
	pthread_mutex_unlock(&k->vm.ctl.over_lock);
	vm_feed_wanted(&k->vm);
}
