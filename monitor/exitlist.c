/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "monitor/exitlist.h"

#include <inttypes.h>
#include <string.h>

#include "monitor/render.h"

/* NEWEST is the time of the newest. */
static json_t *exit_data(struct machine *m, const struct exit_record *e, uint64_t newest)
{
	json_t *row = data_place(m, e->pc);

	json_object_set_new(row, "number", json_integer((json_int_t)e->number));
	json_object_set_new(row, "ns_ago", json_integer((json_int_t)(newest - e->time_ns)));
	json_object_set_new(row, "cpu", json_integer(e->cpu));
	json_object_set_new(row, "reason", json_string(e->reason));
	json_object_set_new(row, "detail", data_text(e->detail, strnlen(e->detail, sizeof(e->detail))));
	return row;
}

json_t *exitlist(struct machine *m, uint64_t count)
{
	json_t *list = json_array();
	uint64_t newest = 0;
	struct exit_record e;

	for (size_t i = 0; i < count && machine_exit_record(m, i, &e); i++) {
		if (!i)
			newest = e.time_ns;
		json_array_insert_new(list, 0, exit_data(m, &e, newest));
	}
	return list;
}

void exitlist_render(const json_t *list, struct out *o)
{
	const json_t *row;
	size_t i;

	json_array_foreach((json_t *)list, i, row) {
		uint64_t ns = data_u64(row, "ns_ago");

		out_printf(o, "%-8" PRIu64 " -%" PRIu64 ".%06" PRIu64 "s  cpu %" PRIu64 "  %-9s ",
			   data_u64(row, "number"), ns / 1000000000, ns / 1000 % 1000000, data_u64(row, "cpu"),
			   data_str(row, "reason"));
		render_place(row, o);
		out_printf(o, "%s%s\n", *data_str(row, "detail") ? "  " : "", data_str(row, "detail"));
	}
}
