/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "util/rawtty.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <termios.h>

/* Global as the terminal is: the exit handler has no argument. */
static struct termios saved, raw;
static int raw_fd = -1;
static bool at_exit;

int rawtty_enter(int fd, struct err *err)
{
	struct termios t;

	if (raw_fd >= 0)
		return err_set(err, EBUSY, "the terminal is in raw mode already");
	if (tcgetattr(fd, &t) < 0)
		return err_errno(err, errno, "the terminal's mode");
	if (!at_exit && atexit(rawtty_restore) != 0)
		return err_set(err, ENOMEM, "no exit handler is left");
	at_exit = true;
	saved = t;
	cfmakeraw(&t);
	t.c_oflag |= saved.c_oflag & OPOST;
	if (tcsetattr(fd, TCSANOW, &t) < 0)
		return err_errno(err, errno, "the terminal's raw mode");
	raw = t;
	raw_fd = fd;
	return 0;
}

void rawtty_restore(void)
{
	if (raw_fd < 0)
		return;
	tcsetattr(raw_fd, TCSANOW, &saved);
	raw_fd = -1;
}

void rawtty_suspend(void)
{
	if (raw_fd >= 0)
		tcsetattr(raw_fd, TCSANOW, &saved);
}

void rawtty_resume(void)
{
	if (raw_fd >= 0)
		tcsetattr(raw_fd, TCSANOW, &raw);
}
