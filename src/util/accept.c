/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "util/accept.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

/* A duplicate: nothing has to be opened for it. */
void accept_prepare(int fd, int *spare)
{
	if (*spare < 0)
		*spare = fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

static int accept_now(int fd)
{
	int client = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	return client < 0 ? -errno : client;
}

int accept_client(int fd, int *spare)
{
	int client, r;

	accept_prepare(fd, spare);
	r = accept_now(fd);
	if (r != -EMFILE && r != -ENFILE)
		return r;
	accept_done(spare);
	client = accept_now(fd);
	if (client >= 0)
		close(client);
	accept_prepare(fd, spare);
	return r;
}

void accept_done(int *spare)
{
	if (*spare >= 0)
		close(*spare);
	*spare = -1;
}
