/* SPDX-License-Identifier: GPL-3.0-or-later */
/* symbol, symbols, list: what the symbols say, which they are, and the source. */
#include "monitor/cmd.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/core.h"
#include "monitor/render.h"
#include "monitor/slide.h"
#include "monitor/source.h"

#define LINES_SHOWN     10
#define LINES_BEFORE    5

/* -- symbol -- */

/* Whether what is at ADDR was moved there with the program; per-CPU data and the like are not. */
static bool was_moved(struct machine *m, uint64_t addr)
{
	const uint64_t slide = machine_sym_slide(m, NULL), none = 0;
	uint64_t offset;
	const char *here = machine_sym_at(m, addr, &offset), *there;

	machine_sym_slide(m, &none);
	there = machine_sym_at(m, addr - slide, &offset);
	machine_sym_slide(m, &slide);
	return slide && here == there;
}

static int exec_symbol(struct task *t, struct err *err)
{
	struct machine *m = task_machine(t);
	const char *p = t->args;
	uint64_t addr;
	json_t *place;
	int r;

	if (!*p)
		return task_usage(t, err);
	r = task_place(t, &p, &addr, err);
	if (!r)
		r = task_end(t, p, err);
	if (r)
		return r;
	place = data_code(m, addr);
	if (json_is_null(json_object_get(place, "symbol")) && !json_object_get(place, "file")) {
		json_decref(place);
		return err_set(err, ENOENT, "0x%" PRIx64 " is in no symbol, nor of a known line", addr);
	}
	if (was_moved(m, addr))
		json_object_set_new(place, "linked", data_hex(addr - machine_sym_slide(m, NULL)));
	t->result = place;
	return 0;
}

static void render_symbol(const json_t *result, struct out *o)
{
	render_address(result, o);
	if (*data_str(result, "file")) {
		out_puts(o, ", ");
		render_clean(data_str(result, "file"), o);
		out_printf(o, ":%" PRIu64, data_u64(result, "line"));
	}
	if (json_object_get(result, "linked"))
		out_printf(o, ", linked at %s", data_str(result, "linked"));
	out_puts(o, "\n");
}

/* -- symbols -- */

static int take_slide(struct task *t, const char *p, struct err *err)
{
	uint64_t slide;
	int r;

	if (!*p)
		return 0;
	r = task_expr(t, &p, &slide, err);
	if (!r)
		r = task_end(t, p, err);
	if (!r)
		machine_sym_slide(task_machine(t), &slide);
	return r;
}

static int exec_symbols(struct task *t, struct err *err)
{
	struct machine *m = task_machine(t);
	const struct machine_info *info = machine_info(m);
	const char *p = t->args, *word;
	size_t len;
	int r = 0;

	word = task_word(&p, &len);
	if (word_is(word, len, "slide"))
		r = take_slide(t, p, err);
	else if (*t->args)
		r = machine_sym_load(m, t->args, err);
	if (r)
		return r;
	t->result = json_pack("{s:o, s:b, s:o}", "file",
			      info->exec_file ? data_text(info->exec_file, strlen(info->exec_file)) : json_null(),
			      "lines", (int)info->exec_lines, "slide", data_hex(machine_sym_slide(m, NULL)));
	return 0;
}

static void render_symbols(const json_t *result, struct out *o)
{
	uint64_t slide = data_u64(result, "slide");

	if (!*data_str(result, "file")) {
		out_puts(o, "no symbols\n");
		return;
	}
	out_puts(o, "symbols of ");
	render_clean(data_str(result, "file"), o);
	out_printf(o, "%s; the program is ", data_true(result, "lines") ? ", with source lines" : "");
	if (slide) {
		slide_write(slide, o);
		out_puts(o, " from where they were linked\n");
	} else {
		out_puts(o, "where they were linked\n");
	}
}

/* -- list -- */

/* What is to be shown: the file, to be freed, and the line in its middle. */
struct wanted_lines {
	char *file;
	unsigned first, marked; /* marked: the vCPU's, 0: none */
};

static int lines_at(struct task *t, uint64_t addr, struct wanted_lines *ret, struct err *err)
{
	struct source_line l;

	if (machine_sym_line(task_machine(t), addr, &l))
		return err_set(err, ENOENT, "no line of source is known for 0x%" PRIx64, addr);
	ret->file = strdup(l.file);
	ret->first = l.line > LINES_BEFORE ? l.line - LINES_BEFORE : 1;
	return ret->file ? 0 : err_set(err, ENOMEM, "out of memory");
}

/* FILE:LINE may have no code, but then its file must be told from one that has. */
static int lines_named(struct task *t, const char *file, size_t len, unsigned line, struct wanted_lines *ret,
		       struct err *err)
{
	unsigned found = line;
	uint64_t place;
	int r = machine_sym_places(task_machine(t), file, len, &found, &place, 1, err);

	if (r < 0) {
		found = 1;
		r = machine_sym_places(task_machine(t), file, len, &found, &place, 1, NULL);
	}
	if (r < 0)
		return r;
	r = lines_at(t, place, ret, err);
	ret->first = line > LINES_BEFORE ? line - LINES_BEFORE : 1;
	return r;
}

static int choose_lines(struct task *t, struct wanted_lines *ret, struct err *err)
{
	const struct session *s = t->s;
	const char *p = t->args, *file;
	struct cpu_status cpu;
	struct source_line l;
	unsigned line;
	uint64_t addr;
	size_t len;
	int r = machine_cpu_status(task_machine(t), s->cpu, &cpu, err);

	if (r)
		return r;
	if (!*p && s->list_file && s->list_pc == cpu.pc) {
		ret->file = strdup(s->list_file);
		ret->first = s->list_line;
		r = ret->file ? 0 : err_set(err, ENOMEM, "out of memory");
	} else if (!*p) {
		r = lines_at(t, cpu.pc, ret, err);
	} else if (source_named(&p, &file, &len, &line)) {
		r = task_end(t, p, err);
		if (!r)
			r = lines_named(t, file, len, line, ret, err);
	} else {
		r = task_place(t, &p, &addr, err);
		if (!r)
			r = task_end(t, p, err);
		if (!r)
			r = lines_at(t, addr, ret, err);
	}
	if (!r && !machine_sym_line(task_machine(t), cpu.pc, &l) && !strcmp(l.file, ret->file))
		ret->marked = l.line;
	t->s->list_pc = cpu.pc;
	return r;
}

static int exec_list(struct task *t, struct err *err)
{
	struct wanted_lines w = { 0 };
	struct session *s = t->s;
	json_t *list;
	int r = choose_lines(t, &w, err);

	if (!r)
		r = source_read(w.file, w.first, w.first + LINES_SHOWN - 1, &list, err);
	if (r) {
		free(w.file);
		return r;
	}
	t->result = json_pack("{s:o, s:o}", "file", data_text(w.file, strlen(w.file)), "lines", list);
	if (w.marked)
		json_object_set_new(t->result, "current", json_integer(w.marked));
	free(s->list_file);
	s->list_file = w.file;
	s->list_line = w.first + (unsigned)json_array_size(list);
	return 0;
}

static void render_list(const json_t *result, struct out *o)
{
	const json_t *list = json_object_get(result, "lines"), *row;
	uint64_t current = data_u64(result, "current");
	size_t i;

	json_array_foreach((json_t *)list, i, row) {
		uint64_t line = data_u64(row, "line");

		out_printf(o, "%s%-6" PRIu64 " ", line == current ? "=> " : "   ", line);
		render_clean(data_str(row, "text"), o);
		out_puts(o, "\n");
	}
}

static const struct cmd rows[] = {
	{ "symbol", NULL, "EXPR|FILE:LINE", "the symbol, file and line of the code at address EXPR",
	  "And the address it was linked for, when the program runs elsewhere.", CMD_PARKED, COMPLETE_EXPR, exec_symbol,
	  render_symbol },
	{ "symbols", NULL, "[FILE | slide [EXPR]]", "whose symbols there are, and how far the program was moved",
	  "FILE, an ELF file such as a vmlinux, gives its symbols and source lines in place of those there are.\n"
	  "slide EXPR: the program runs so far from where its symbols are linked, as a kernel does that moved itself\n"
	  "(-EXPR: below).  Breakpoints set by name go with it.", CMD_PARKED, COMPLETE_FILE, exec_symbols,
	  render_symbols },
	{ "list", "l", "[EXPR|FILE:LINE]", "the source around address EXPR, or where the vCPU is",
	  "If the file is on this host, where the compiler had it.  Again, or an empty line, goes on.",
	  CMD_PARKED | CMD_REPEAT | CMD_GOES_ON, COMPLETE_EXPR, exec_list, render_list },
};

const struct cmd_group cmd_symbols_group = { "symbols", rows, sizeof(rows) / sizeof(rows[0]) };
