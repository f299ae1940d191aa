/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Accepting connections when no descriptor is left for them: whoever waits is sent away, or the loop would turn for
 * ever about him.  Loop thread.
 */
#ifndef GV_UTIL_ACCEPT_H
#define GV_UTIL_ACCEPT_H

/* Keeps a descriptor in *SPARE, which is -1 if there is none, for the moment when no other is left.  FD listens. */
void accept_prepare(int fd, int *spare);
/*
 * As accept4(FD) with SOCK_NONBLOCK and SOCK_CLOEXEC, or -errno.  -EMFILE, -ENFILE: there was no descriptor, and by the
 * spare one whoever waited has been sent away.
 */
int accept_client(int fd, int *spare);
/* Closes the spare one, as FD is closed: it is FD's duplicate. */
void accept_done(int *spare);

#endif
