/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files that commands write: always new ones, so that a slip of a name costs nobody a file. */
#ifndef GV_MONITOR_NEWFILE_H
#define GV_MONITOR_NEWFILE_H

#include <stddef.h>

#include "api/err.h"

/*
 * Writes LEN bytes to a new file PATH.  -EEXIST: there is one, which is left alone; other codes are what the
 * system said, and what had been written of the file is gone again.
 */
int newfile_write(const char *path, const void *data, size_t len, struct err *err);
/* Writes LEN more bytes to FD, all of them.  0 or the errno. */
int newfile_append(int fd, const void *data, size_t len);

#endif
