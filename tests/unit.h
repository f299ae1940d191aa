/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What every libcheck program shares: one suite, TAP on standard output. */
#ifndef GV_TESTS_UNIT_H
#define GV_TESTS_UNIT_H

#include <check.h>

/* Runs S and prints TAP; returns 0 (the TAP driver judges). */
int unit_main(Suite *s);
/* Prints "1..0 # SKIP reason"; for a host without /dev/kvm. */
int unit_skip_all(const char *reason);

#endif
