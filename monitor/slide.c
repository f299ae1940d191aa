/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "monitor/slide.h"

#include <inttypes.h>
#include <string.h>

#include "monitor/core.h"
#include "monitor/render.h"

void slide_write(uint64_t slide, struct out *o)
{
	out_printf(o, "%c0x%" PRIx64, slide >> 63 ? '-' : '+', slide >> 63 ? -slide : slide);
}

static void tell(size_t n, uint64_t delta, const struct err *err, struct out *o)
{
	out_printf(o, "%zu breakpoint%s moved by ", n, n == 1 ? "" : "s");
	slide_write(delta, o);
	out_printf(o, ", as the symbols did%s%s\n", err->code ? "; not all could be set: " : "",
		   err->code ? err->msg : "");
}

static void tell_json(size_t n, uint64_t slide, const struct err *err, struct out *o)
{
	json_t *event = json_pack("{s:s, s:I, s:o}", "event", "moved", "breakpoints", (json_int_t)n, "slide",
				  data_hex(slide));

	if (err->code)
		json_object_set_new(event, "error", data_text(err->msg, strlen(err->msg)));
	render_json(event, o);
	json_decref(event);
}

void slide_follow(struct monitor *mon)
{
	uint64_t slide = machine_sym_slide(mon->m, NULL), delta = slide - mon->slide;
	struct err err = { 0 };
	struct out_buf b;
	size_t n;

	if (!delta || machine_hold(mon->m, NULL))
		return;
	mon->slide = slide;
	n = brks_move(&mon->breaks, delta, &err);
	machine_release(mon->m);
	if (!n)
		return;
	out_buf_init(&b);
	if (mon->json)
		tell_json(n, slide, &err, &b.out);
	else
		tell(n, delta, &err, &b.out);
	out_write(&mon->everyone, b.text, b.len);
	out_buf_done(&b);
}
