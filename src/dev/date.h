/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dates as a clock's registers have them, and seconds since 1970.  Pure. */
#ifndef GV_DEV_DATE_H
#define GV_DEV_DATE_H

#include <stdint.h>

#define DATE_DAY_SECONDS   86400u
/* The calendar repeats, weekdays too, after 400 years.  Time is kept modulo 25 times that: it never runs out. */
#define DATE_CYCLE_YEARS   10000u
#define DATE_CYCLE_SECONDS (3652425ull * DATE_DAY_SECONDS)

struct date {
	unsigned year, month, day;      /* month and day from 1 */
	unsigned hour, minute, second;
	unsigned weekday;               /* 1 is Sunday */
};

/* T, which is below DATE_CYCLE_SECONDS, as a date from 1970 on. */
void date_from_seconds(uint64_t t, struct date *ret);
/*
 * The reverse, modulo DATE_CYCLE_SECONDS.  A guest may have set anything: members (each below 2^16) out of range carry
 * over.  The weekday does not count.
 */
uint64_t date_to_seconds(const struct date *d);

#endif
