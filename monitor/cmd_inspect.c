/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Looking: x, xp, print, translate, disas. */
#include "monitor/arch.h"
#include "monitor/cmd.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "monitor/core.h"
#include "monitor/pages.h"
#include "monitor/render.h"
#include "monitor/text.h"

#define STRING_MAX 256          /* bytes of an x/s that finds no NUL */
#define DISAS_COUNT 10
#define DISAS_COUNT_MAX 4096

/* Where bytes come from: the selected vCPU's virtual memory, or physical memory. */
struct source {
	struct task *t;
	bool physical;
};

static size_t source_read(const struct source *s, uint64_t addr, void *ret, size_t len, struct err *err)
{
	if (s->physical)
		return machine_phys_read(task_machine(s->t), addr, ret, len, err);
	return machine_mem_read(task_machine(s->t), s->t->s->cpu, addr, ret, len, err);
}

/* -- one unit each: takes it off ADDR, puts it in LIST; how many bytes it had, or -errno -- */

static json_t *item_at(const struct source *s, uint64_t addr)
{
	return s->physical ? json_pack("{s:o}", "address", data_hex(addr)) : data_place(task_machine(s->t), addr);
}

static int take_value(const struct source *s, const struct format *f, uint64_t addr, json_t *list, struct err *err)
{
	uint64_t value = 0;
	char text[FORMAT_TEXT_MAX];
	json_t *item;

	if (source_read(s, addr, &value, f->size, err) < f->size)
		return -err->code;
	format_value(text, f->letter, f->size, value, 1);
	item = item_at(s, addr);
	json_object_set_new(item, "value", data_hex(value));
	json_object_set_new(item, "text", json_string(text));
	if (f->letter == 'a')
		json_object_set_new(item, "points_to", data_symbol(task_machine(s->t), value));
	json_array_append_new(list, item);
	return (int)f->size;
}

static int take_string(const struct source *s, uint64_t addr, json_t *list, struct err *err)
{
	char bytes[STRING_MAX];
	size_t got = source_read(s, addr, bytes, sizeof(bytes), err), len = strnlen(bytes, got);
	struct out_buf text;
	json_t *item;

	if (!got)
		return -err->code;
	out_buf_init(&text);
	out_puts(&text.out, "\"");
	text_escape(&text.out, bytes, len, '"');
	out_puts(&text.out, len < got ? "\"" : "\"...");
	item = item_at(s, addr);
	json_object_set_new(item, "length", json_integer((json_int_t)len));
	json_object_set_new(item, "text", data_text(text.text, text.len));
	json_array_append_new(list, item);
	out_buf_done(&text);
	return (int)(len + (len < got));
}

static int take_instruction(const struct source *s, const struct cpu_status *cpu, uint64_t addr, json_t *list,
			    struct err *err)
{
	uint8_t bytes[DISAS_BYTES_MAX];
	size_t got = source_read(s, addr, bytes, sizeof(bytes), err);
	char hex[2 * DISAS_BYTES_MAX + 1] = "";
	struct disas_insn insn;
	json_t *item;

	if (!got)
		return -err->code;
	monitor_arch.disas(task_machine(s->t), cpu->code_bits, cpu->code_base, addr, bytes, got, &insn);
	for (unsigned i = 0; i < insn.len; i++) {
		hex[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
		hex[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
	}
	item = item_at(s, addr);
	if (!s->physical)
		data_add_line(item, task_machine(s->t), addr);
	json_object_set_new(item, "bytes", json_string(hex));
	json_object_set_new(item, "text", data_text(insn.text, strlen(insn.text)));
	json_object_set_new(item, "current", json_boolean(!s->physical && addr == cpu->pc));
	json_array_append_new(list, item);
	return (int)insn.len;
}

/*
 * COUNT units from *ADDR on, which moves behind them, become T's result.  When one cannot be read those before it
 * are shown.
 */
static int show(const struct source *s, const struct format *f, uint64_t *addr, struct err *err)
{
	struct task *t = s->t;
	json_t *list = json_array();
	struct cpu_status cpu = { 0 };
	int n = 0;

	if (f->letter == 'i')
		n = machine_cpu_status(task_machine(t), t->s->cpu, &cpu, err);
	for (uint32_t i = 0; n >= 0 && i < f->count; i++) {
		if (f->letter == 'i')
			n = take_instruction(s, &cpu, *addr, list, err);
		else if (f->letter == 's')
			n = take_string(s, *addr, list, err);
		else
			n = take_value(s, f, *addr, list, err);
		if (n > 0)
			*addr += (unsigned)n;
	}
	if (json_array_size(list))
		t->result = json_pack("{s:s#, s:i, s:o}", "format", &f->letter, 1, "unit", (int)f->size, "items",
				      json_incref(list));
	json_decref(list);
	return n < 0 ? n : 0;
}

static void render_instructions(const json_t *items, struct out *o)
{
	const json_t *item, *before = NULL;
	size_t i;

	json_array_foreach(items, i, item) {
		/* The source's line, where another one begins. */
		if (*data_str(item, "file") && (data_u64(before, "line") != data_u64(item, "line") ||
						strcmp(data_str(before, "file"), data_str(item, "file")))) {
			render_line(item, o);
			out_puts(o, ":\n");
		}
		before = item;
		out_puts(o, data_true(item, "current") ? "=> " : "   ");
		render_address(item, o);
		out_printf(o, ":  %-20s  %s\n", data_str(item, "bytes"), data_str(item, "text"));
	}
}

static void render_memory(const json_t *result, struct out *o)
{
	const json_t *items = json_object_get(result, "items"), *item;
	char letter = data_str(result, "format")[0];
	uint64_t unit = data_u64(result, "unit");
	size_t i, row;

	if (letter == 'i') {
		render_instructions(items, o);
		return;
	}
	row = letter == 's' || letter == 'a' ? 1 : letter == 't' ? 8 / unit : unit > 2 ? 16 / unit : 8;
	row = row ? row : 1;
	json_array_foreach(items, i, item) {
		if (i % row == 0) {
			render_place(item, o);
			out_puts(o, ":");
		}
		out_printf(o, "%s%s", i % row ? "  " : "  ", data_str(item, "text"));
		if (*data_str(item, "points_to"))
			out_printf(o, " <%s>", data_str(item, "points_to"));
		if (i % row == row - 1 || i + 1 == json_array_size(items))
			out_puts(o, "\n");
	}
}

/* What was not typed is as in the last x; an address is as wide as the vCPU's, a character a byte. */
static int complete_format(struct task *t, struct format *f, struct err *err)
{
	const struct format *last = &t->s->x_format;
	struct cpu_status cpu;
	int r;

	if (!f->letter)
		f->letter = last->letter ? last->letter : 'x';
	if (!f->count)
		f->count = 1;
	if (f->letter == 'a') {
		r = machine_cpu_status(task_machine(t), t->s->cpu, &cpu, err);
		if (r)
			return r;
		f->size = cpu.code_bits / 8;
	}
	if (!f->size && f->letter == 'c')
		f->size = 1;
	if (!f->size)
		f->size = last->size ? last->size : 4;
	return 0;
}

static int examine(struct task *t, bool physical, struct err *err)
{
	const struct source s = { .t = t, .physical = physical };
	struct session *session = t->s;
	struct format f = t->format;
	const char *p = t->args;
	uint64_t addr;
	int r;

	if (*p) {
		r = task_expr(t, &p, &addr, err);
		if (!r)
			r = task_end(t, p, err);
		if (r)
			return r;
	} else if (session->x_format.letter) {
		addr = session->x_next;
		if (!f.count && !f.letter && !f.size)
			f = session->x_format;
	} else {
		return task_usage(t, err);
	}
	r = complete_format(t, &f, err);
	if (r)
		return r;
	r = show(&s, &f, &addr, err);
	if (t->result) {
		session->x_format = f;
		session->x_next = addr;
	}
	return r;
}

static int exec_x(struct task *t, struct err *err)
{
	return examine(t, false, err);
}

static int exec_xp(struct task *t, struct err *err)
{
	return examine(t, true, err);
}

static int exec_disas(struct task *t, struct err *err)
{
	const struct source s = { .t = t };
	struct format f = { .count = DISAS_COUNT, .letter = 'i', .size = 1 };
	const char *p = t->args;
	struct cpu_status cpu;
	uint64_t addr, n;
	int r;

	r = machine_cpu_status(task_machine(t), t->s->cpu, &cpu, err);
	addr = r ? 0 : cpu.pc;
	if (!r && *p)
		r = task_expr(t, &p, &addr, err);
	if (!r && *p) {
		r = task_expr(t, &p, &n, err);
		if (!r)
			r = task_end(t, p, err);
		if (!r && (!n || n > DISAS_COUNT_MAX))
			r = task_malformed(t, err_set(err, EINVAL, "1 to %d instructions can be shown at once",
						      DISAS_COUNT_MAX));
		f.count = (uint32_t)n;
	}
	return r ? r : show(&s, &f, &addr, err);
}

/* -- print -- */

static int exec_print(struct task *t, struct err *err)
{
	char letter = t->format.letter ? t->format.letter : 'x', text[FORMAT_TEXT_MAX];
	unsigned size = t->format.size ? t->format.size : 8;
	const char *p = t->args;
	uint64_t value;
	int r;

	if (!*p)
		return task_usage(t, err);
	if (t->format.count || letter == 's' || letter == 'i')
		return task_malformed(t, err_set(err, EINVAL,
					 "print takes one of /x /d /u /o /t /c /a and a size"));
	r = task_expr(t, &p, &value, err);
	if (!r)
		r = task_end(t, p, err);
	if (r)
		return r;
	format_value(text, letter, size, value, 0);
	t->result = json_pack("{s:o, s:s}", "value", data_hex(value), "text", text);
	if (!t->format.letter)
		json_object_set_new(t->result, "decimal", json_sprintf("%" PRIu64, value));
	if (!t->format.letter || letter == 'a')
		json_object_set_new(t->result, "symbol", data_symbol(task_machine(t), value));
	return 0;
}

static void render_print(const json_t *result, struct out *o)
{
	const char *decimal = data_str(result, "decimal"), *symbol = data_str(result, "symbol");

	out_puts(o, data_str(result, "text"));
	if (*decimal)
		out_printf(o, " = %s", decimal);
	if (*symbol)
		out_printf(o, " <%s>", symbol);
	out_puts(o, "\n");
}

/* -- translate -- */

static const char *level_name(unsigned level)
{
	return level < arch_desc.nlevels ? arch_desc.levels[level] : "";
}

static json_t *translation_json(const struct translation *tr)
{
	json_t *walk = json_array(), *obj;

	for (unsigned i = 0; i < tr->nlevels && i < sizeof(tr->level) / sizeof(tr->level[0]); i++)
		json_array_append_new(walk, json_pack("{s:s, s:o, s:o}", "level", level_name(tr->level[i].level),
						      "entry_gpa", data_hex(tr->level[i].entry_gpa), "entry",
						      data_hex(tr->level[i].entry)));
	obj = json_pack("{s:o, s:b, s:o}", "gva", data_hex(tr->gva), "present", (int)tr->present, "walk", walk);
	if (!tr->present)
		return obj;
	json_object_set_new(obj, "gpa", data_hex(tr->gpa));
	json_object_set_new(obj, "page_size", json_integer((json_int_t)tr->page_size));
	json_object_set_new(obj, "writable", json_boolean(tr->writable));
	json_object_set_new(obj, "user", json_boolean(tr->user));
	json_object_set_new(obj, "executable", json_boolean(tr->executable));
	json_object_set_new(obj, "global", json_boolean(tr->global));
	if (tr->slot >= 0) {
		json_object_set_new(obj, "slot", json_integer(tr->slot));
		json_object_set_new(obj, "hva", data_hex(tr->hva));
	}
	return obj;
}

/* Whether the page was written since `dirty take`, when its slot is logged. */
static int add_dirty_bit(struct task *t, const struct translation *tr, struct err *err)
{
	struct dirty_map map;
	struct slot_info s = { 0 };
	int r;

	for (size_t i = 0; machine_slot_list(task_machine(t), i, &s); i++)
		if ((int)s.id == tr->slot)
			break;
	if ((int)s.id != tr->slot || !s.log)
		return 0;
	r = machine_dirty_read(task_machine(t), s.id, DIRTY_USER, false, &map, err);
	if (r)
		return r;
	json_object_set_new(t->result, "dirty", json_boolean(pages_dirty(&map, (tr->gpa - map.gpa) / DIRTY_PAGE)));
	free(map.bits);
	return 0;
}

static int exec_translate(struct task *t, struct err *err)
{
	struct translation tr;
	const char *p = t->args;
	uint64_t gva, space;
	bool own = true;
	int r;

	if (!*p)
		return task_usage(t, err);
	r = task_expr(t, &p, &gva, err);
	if (!r && task_option(&p, arch_desc.space)) {
		own = false;
		r = task_expr(t, &p, &space, err);
	}
	if (!r)
		r = task_end(t, p, err);
	if (!r)
		r = machine_translate(task_machine(t), t->s->cpu, gva, own ? NULL : &space, &tr, err);
	if (!r)
		t->result = translation_json(&tr);
	return !r && tr.present && tr.slot >= 0 ? add_dirty_bit(t, &tr, err) : r;
}

static void render_translate(const json_t *result, struct out *o)
{
	const json_t *walk = json_object_get(result, "walk"), *row;
	uint64_t page = data_u64(result, "page_size");
	size_t i;

	out_printf(o, "gva %s -> ", data_str(result, "gva"));
	if (!data_true(result, "present")) {
		out_puts(o, "not present\n");
	} else {
		out_printf(o, "gpa %s", data_str(result, "gpa"));
		if (page >= 1 << 30)
			out_printf(o, ", %" PRIu64 "G page", page >> 30);
		else if (page >= 1 << 20)
			out_printf(o, ", %" PRIu64 "M page", page >> 20);
		else if (page)
			out_printf(o, ", %" PRIu64 "K page", page >> 10);
		out_printf(o, " r%c%c %s%s", data_true(result, "writable") ? 'w' : '-',
			   data_true(result, "executable") ? 'x' : '-',
			   data_true(result, "user") ? "user" : "supervisor",
			   data_true(result, "global") ? " global" : "");
		if (json_object_get(result, "slot"))
			out_printf(o, ", slot %s, hva %s%s\n", slot_name((unsigned)data_u64(result, "slot")).text,
				   data_str(result, "hva"), !json_object_get(result, "dirty") ? "" :
				   data_true(result, "dirty") ? ", dirty" : ", clean");
		else
			out_puts(o, ", no slot\n");
	}
	json_array_foreach(walk, i, row)
		out_printf(o, "  %-4s entry at %s: %s\n", data_str(row, "level"), data_str(row, "entry_gpa"),
			   data_str(row, "entry"));
}

static const struct cmd rows[] = {
	{ "x", NULL, "[/NFU] [EXPR]", "show virtual memory at EXPR, or go on after the last",
	  "N units, 1 if not given; format F: x hex, d signed, u unsigned, o octal, t binary, c character,\n"
	  "a address, s string, i instruction; unit U: b, h, w, g for 1, 2, 4, 8 bytes.  F and U stay for\n"
	  "the next time.  An empty line goes on.", CMD_PARKED | CMD_FORMAT | CMD_REPEAT, COMPLETE_EXPR, exec_x,
	  render_memory },
	{ "xp", NULL, "[/NFU] [EXPR]", "show physical memory at EXPR, or go on after the last", "As x.",
	  CMD_PARKED | CMD_FORMAT | CMD_REPEAT, COMPLETE_EXPR, exec_xp, render_memory },
	{ "print", "p", "[/FU] EXPR", "evaluate EXPR",
	  "C's operators on unsigned 64-bit numbers: 31744 0x7c00 4K 'a', $pc, symbols, *EXPR (64 bits),\n"
	  "*(u8)EXPR *(u16)EXPR *(u32)EXPR *(u64)EXPR, ?: || && | ^ & == != < <= > >= << >> + - * / % ~ !\n"
	  "F is one of xduotca; U (b h w g) cuts the value to 1, 2, 4 or 8 bytes first.",
	  CMD_PARKED | CMD_FORMAT, COMPLETE_EXPR, exec_print, render_print },
	{ "translate", NULL, "GVA [SPACE=EXPR]", "walk the page tables for address GVA",
	  "Shows every level's entry, the physical address, the rights, the slot that holds it, and whether the\n"
	  "page was written since `dirty take`, when the slot is logged.\n"
	  "SPACE=EXPR, by the architecture's word for it, takes other page tables than the selected vCPU's.", CMD_PARKED, COMPLETE_EXPR, exec_translate,
	  render_translate },
	{ "disas", NULL, "[EXPR [N]]", "disassemble N instructions (10) at EXPR, or where the vCPU is",
	  "As the selected vCPU's mode has it.", CMD_PARKED, COMPLETE_EXPR, exec_disas,
	  render_memory },
};

const struct cmd_group cmd_inspect_group = { "inspect", rows, sizeof(rows) / sizeof(rows[0]) };
