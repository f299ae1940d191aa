/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A guest's text screen as UTF-8, as data and as lines for a person.  Pure. */
#ifndef GV_MONITOR_VGATEXT_H
#define GV_MONITOR_VGATEXT_H

#include <jansson.h>
#include <stdbool.h>

#include "api/devices.h"
#include "api/out.h"

/* Writes what each row shows, from code page 437, without the blanks behind it and with "\n" after it. */
void vgatext_lines(const struct screen *s, struct out *o);

/*
 * {"text", "columns", "rows", "cursor": {"shown", "row", "column"}, "lines", "colours", "style"}: a line a row, as
 * above; of each row's attributes runs of [how many, "0x07"].  Only "text", false, when S shows none.  COLOUR is for
 * vgatext_render().
 */
json_t *vgatext_json(const struct screen *s, bool colour);

/* The rows up to the last one that shows anything, with ANSI's colours if so asked for, and where the cursor is. */
void vgatext_render(const json_t *v, struct out *o);

#endif
