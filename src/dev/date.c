/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dev/date.h"

#include <stdbool.h>

static bool is_leap(unsigned year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static unsigned month_days(unsigned year, unsigned month)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days from the first day of year 1 to that of YEAR, which is at least 1. */
static uint64_t days_before(unsigned year)
{
	uint64_t y = year - 1;

	return y * 365 + y / 4 - y / 100 + y / 400;
}

void date_from_seconds(uint64_t t, struct date *ret)
{
	uint64_t days = t / DATE_DAY_SECONDS + days_before(1970);
	unsigned year = 1970 + (unsigned)(t / DATE_DAY_SECONDS / 366), month = 1, rest = (unsigned)(t % DATE_DAY_SECONDS);

	ret->weekday = (unsigned)((days + 1) % 7) + 1;  /* year 1 began on a Monday */
	while (days_before(year + 1) <= days)
		year++;
	days -= days_before(year);
	for (; days >= month_days(year, month); month++)
		days -= month_days(year, month);
	ret->year = year;
	ret->month = month;
	ret->day = (unsigned)days + 1;
	ret->hour = rest / 3600;
	ret->minute = rest / 60 % 60;
	ret->second = rest % 60;
}

uint64_t date_to_seconds(const struct date *d)
{
	unsigned months = (d->year + DATE_CYCLE_YEARS) * 12 + d->month + 11, year = months / 12 - 1, m;
	uint64_t days = days_before(year) - days_before(1970) + d->day - 1;

	for (m = 1; m <= months % 12; m++)
		days += month_days(year, m);
	return (days * DATE_DAY_SECONDS + d->hour * 3600ull + d->minute * 60ull + d->second) % DATE_CYCLE_SECONDS;
}
