/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kvm/machine_kvm.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "arch/arch.h"
#include "kvm/catch.h"
#include "kvm/dirty.h"
#include "kvm/kernel_view.h"
#include "kvm/machine_priv.h"
#include "kvm/ring.h"
#include "kvm/threads.h"

static void output_arrived(void *arg)
{
	vm_notify(arg);
}

static int add_cpus(struct machine_kvm *k, unsigned ncpus, struct err *err)
{
	int r = 0;

	if (!ncpus || ncpus > MACHINE_CPUS_MAX || ncpus > k->vm.kvm.max_cpus)
		return err_set(err, EINVAL, "%u vCPUs: this host takes 1 to %u", ncpus,
			       k->vm.kvm.max_cpus < MACHINE_CPUS_MAX ? k->vm.kvm.max_cpus : MACHINE_CPUS_MAX);
	k->vm.cpus = calloc(ncpus, sizeof(*k->vm.cpus));
	if (!k->vm.cpus)
		return err_set(err, ENOMEM, "out of memory");
	k->vm.ncpus = ncpus;
	for (unsigned i = 0; i < ncpus && !r; i++)
		r = vcpu_new(&k->vm, i, &k->vm.cpus[i], err);
	return r;
}

int machine_load(struct machine_kvm *k, struct err *err)
{
	uint64_t slide;
	int r;

	/* Out of what stays behind, such as a file that a slot shares. */
	breaks_suspend(k);
	r = slots_restore(k->slots, err);
	if (!r)
		bus_reset(k->vm.bus);
	if (!r)
		r = arch.load(k, &slide, err);
	breaks_resume(k);
	if (r)
		return r;
	k->info.slide = slide;
	op_sym_slide(&k->base, &slide);
	kernel_view_reset(k->kernel);
	catch_loaded(k->vm.catches);
	com1_reset(k->vm.com1);
	atomic_store(&k->remap_asked, false);
	return 0;
}

/* What the loop waits for: the vCPUs' news, and the timer that start() sets. */
static int make_events(struct machine_kvm *k, struct err *err)
{
	struct epoll_event ev = { .events = EPOLLIN };

	k->vm.ctl.event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	k->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	k->device_timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	k->poll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (k->vm.ctl.event_fd < 0 || k->timer_fd < 0 || k->device_timer_fd < 0 || k->poll_fd < 0 ||
	    epoll_ctl(k->poll_fd, EPOLL_CTL_ADD, k->vm.ctl.event_fd, &ev) ||
	    epoll_ctl(k->poll_fd, EPOLL_CTL_ADD, k->timer_fd, &ev) ||
	    epoll_ctl(k->poll_fd, EPOLL_CTL_ADD, k->device_timer_fd, &ev))
		return err_errno(err, errno, "making the descriptors to wait on");
	return 0;
}

int machine_kvm_new(struct machine_config *c, struct machine **ret, struct err *err)
{
	struct machine_kvm *k = calloc(1, sizeof(*k));
	int r;

	if (!k) {
		blob_done(&c->image);
		blob_done(&c->symbols);
		return err_set(err, ENOMEM, "out of memory");
	}
	k->base.ops = &machine_kvm_ops;
	k->vm.kvm = (struct kvm){ .sys_fd = -1, .vm_fd = -1 };
	k->vm.machine = &k->base;
	k->vm.ctl.event_fd = k->timer_fd = k->device_timer_fd = k->poll_fd = -1;
	k->vm.ctl.host_cpus = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
	pthread_mutex_init(&k->vm.ctl.over_lock, NULL);
	logring_init(&k->firmware_log);
	pthread_mutex_init(&k->trouble.lock, NULL);
	host_init(k);
	k->load = c->load;
	r = arch.check_config ? arch.check_config(c, err) : 0;
	if (r)
		goto fail;
	k->info = (struct machine_info){ .cpus = c->cpus, .ram_size = c->memory };
	r = threads_check(c->affinity, c->naffinity, err);
	if (!r)
		r = make_events(k, err);
	if (!r)
		r = here_new(&k->here, err);
	if (!r)
		r = image_init(&k->image, &c->image, c->load.kind, err);
	if (r)
		goto fail;
	k->load.table_cpus = c->cpus;
	k->load.no_apic = c->user_irqchip;
	k->info.image = k->image.file.path;
	k->info.image_kind = k->image.kind_name;
	k->info.image_bits = k->image.bits;
	r = sym_open(k, &c->symbols, err);
	if (!r)
		r = kernel_view_new(k, &k->kernel, err);
	if (!r)
		r = kvm_open(&k->vm.kvm, err);
	if (!r)
		r = slots_new(&k->vm.kvm, &k->slots, err);
	if (r)
		goto fail;
	k->vm.gmem = slots_gmem(k->slots);
	k->vm.slots = k->slots;
	if (c->dirty_ring)
		r = rings_new(k->slots, c->dirty_ring, &k->vm.rings, err);
	if (r)
		goto fail;
	slots_use_rings(k->slots, k->vm.rings);
	r = arch.board_new(k, c, err);
	if (!r)
		r = breaks_init(k, err);
	if (!r)
		r = dirty_who_new(&k->vm.who, err);
	if (!r)
		r = add_cpus(k, c->cpus, err);
	if (!r)
		r = arch.devices_new(k, c, err);
	if (!r)
		r = com1_new(k->vm.ncpus, &k->vm.ctl.pause, output_arrived, &k->vm, &k->vm.com1, err);
	if (!r)
		r = arch.ready(k, err);
	if (!r)
		r = machine_load(k, err);
	for (unsigned i = 0; i < k->vm.ncpus && !r; i++) {
		r = vcpu_start(k->vm.cpus[i], err);
		if (!r && c->naffinity)
			r = threads_pin(k->vm.cpus[i]->thread, c->affinity[i % c->naffinity], err);
	}
	if (r)
		goto fail;
	threads_prompt();
	k->last_stop = (struct stop_event){ .reason = STOP_ENTRY, .pc = arch.pc(k->vm.cpus[0]) };
	*ret = &k->base;
	return 0;
fail:
	/* Empty where they were taken over. */
	blob_done(&c->image);
	blob_done(&c->symbols);
	machine_kvm_free(&k->base);
	return r;
}

void machine_kvm_prepare(struct machine *m)
{
	struct machine_kvm *k = machine_priv(m);

	if (arch.before_sandbox)
		arch.before_sandbox(k);
}

void machine_kvm_free(struct machine *m)
{
	struct machine_kvm *k = machine_priv(m);

	if (!m)
		return;
	run_end(k);
	for (unsigned i = 0; i < k->vm.ncpus; i++)
		vcpu_free(k->vm.cpus[i]);
	free(k->vm.cpus);
	here_free(k->here);
	arch.devices_free(k);
	com1_free(k->vm.com1);
	breaks_done(k);
	dirty_who_free(k->vm.who);
	rings_free(k->vm.rings);
	kvm_close(&k->vm.kvm);
	arch.board_free(k);
	slots_free(k->slots);
	kernel_view_free(k->kernel);
	sym_close(k);
	image_done(&k->image);
	if (k->vm.ctl.event_fd >= 0)
		close(k->vm.ctl.event_fd);
	if (k->timer_fd >= 0)
		close(k->timer_fd);
	if (k->device_timer_fd >= 0)
		close(k->device_timer_fd);
	if (k->poll_fd >= 0)
		close(k->poll_fd);
	pthread_mutex_destroy(&k->vm.ctl.over_lock);
	logring_done(&k->firmware_log);
	pthread_mutex_destroy(&k->trouble.lock);
	free(k);
}
