/* SPDX-License-Identifier: GPL-3.0-or-later */
/* For programs that have some of the kernel's calls fail: ioctl_own.c stands before the C library's ioctl(). */
#ifndef GV_TESTS_IOCTL_OWN_H
#define GV_TESTS_IOCTL_OWN_H

/* The program's own: 0 to have the call made, or the errno that it fails with instead.  On whichever thread makes it. */
int ioctl_judge(unsigned long request, const void *arg);

#endif
