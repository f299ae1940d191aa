/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Preloaded by bad_input.py: makes /dev/kvm answer as on another host.  GV_KVM_VERSION=N is what KVM_GET_API_VERSION
 * returns, GV_KVM_CAP=CAP:VALUE what KVM_CHECK_EXTENSION does for the capability CAP.
 */
#include <linux/kvm.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int ioctl(int fd, unsigned long request, ...);

int ioctl(int fd, unsigned long request, ...)
{
	const char *version = getenv("GV_KVM_VERSION"), *cap = getenv("GV_KVM_CAP");
	unsigned long arg, number;
	int value;
	va_list ap;

	va_start(ap, request);
	arg = va_arg(ap, unsigned long);
	va_end(ap);
	if (request == KVM_GET_API_VERSION && version)
		return atoi(version);
	if (request == KVM_CHECK_EXTENSION && cap && sscanf(cap, "%lu:%d", &number, &value) == 2 && arg == number)
		return value;
	return (int)syscall(SYS_ioctl, fd, request, arg);
}
