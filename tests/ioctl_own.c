/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/ioctl_own.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int ioctl(int fd, unsigned long request, ...)
{
	va_list ap;
	void *arg;
	int r;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	r = ioctl_judge(request, arg);
	if (r) {
		errno = r;
		return -1;
	}
	return (int)syscall(SYS_ioctl, fd, request, arg);
}
