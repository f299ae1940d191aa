/* SPDX-License-Identifier: GPL-3.0-or-later */
/* glibc's own allocators, for programs that put others before them. */
#ifndef GV_TESTS_LIBC_OWN_H
#define GV_TESTS_LIBC_OWN_H

#include <stddef.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t align, size_t size);
void __libc_free(void *p);

#endif
