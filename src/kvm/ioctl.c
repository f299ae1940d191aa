/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The one place that speaks to /dev/kvm, in a file of its own: tests put a KVM of their making in its place. */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>

#include "kvm/kvm.h"

int kvm_device_open(void)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int kvm_ioctl(int fd, unsigned long request, void *arg)
{
	int r = ioctl(fd, request, arg);

	return r < 0 ? -errno : r;
}

int kvm_ioctl_num(int fd, unsigned long request, unsigned long arg)
{
	int r = ioctl(fd, request, arg);

	return r < 0 ? -errno : r;
}
