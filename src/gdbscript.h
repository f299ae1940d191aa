/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where gdb's side of the program, a script in Python, is. */
#ifndef GV_GDBSCRIPT_H
#define GV_GDBSCRIPT_H

#include <stddef.h>

/*
 * Writes the script's path to BUF (SIZE bytes): where it is installed, or for a program that runs in its build tree the
 * source.  -ENOENT: it is not there.  -ENAMETOOLONG: it is longer than BUF.
 */
int gdbscript_path(char *buf, size_t size);

#endif
