/* SPDX-License-Identifier: GPL-3.0-or-later */
/* info pci.  Layout and class codes: PCI Local Bus Specification 3.0, chapter 6 and appendix D. */
#include "monitor/cmd_devices.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "monitor/core.h"
#include "monitor/render.h"

#define ANY 0xff                /* of the sub-classes */

static const struct {
	uint8_t base, sub;
	const char *name;
} classes[] = {
	{ 0x00, 0x01, "VGA device" },
	{ 0x00, ANY, "unclassified device" },
	{ 0x01, 0x00, "SCSI controller" },
	{ 0x01, 0x01, "IDE interface" },
	{ 0x01, 0x02, "floppy controller" },
	{ 0x01, 0x06, "SATA controller" },
	{ 0x01, 0x08, "NVMe controller" },
	{ 0x01, ANY, "storage controller" },
	{ 0x02, 0x00, "Ethernet controller" },
	{ 0x02, ANY, "network controller" },
	{ 0x03, 0x00, "VGA controller" },
	{ 0x03, ANY, "display controller" },
	{ 0x04, ANY, "multimedia controller" },
	{ 0x05, 0x00, "RAM" },
	{ 0x05, ANY, "memory controller" },
	{ 0x06, 0x00, "host bridge" },
	{ 0x06, 0x01, "ISA bridge" },
	{ 0x06, 0x04, "PCI bridge" },
	{ 0x06, ANY, "bridge" },
	{ 0x07, 0x00, "serial controller" },
	{ 0x07, ANY, "communication controller" },
	{ 0x08, ANY, "system peripheral" },
	{ 0x09, ANY, "input controller" },
	{ 0x0c, 0x03, "USB controller" },
	{ 0x0c, 0x05, "SMBus" },
	{ 0x0c, ANY, "serial bus controller" },
};

static void class_name(uint32_t code, char *ret, size_t size)
{
	uint8_t base = (uint8_t)(code >> 16), sub = (uint8_t)(code >> 8);

	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		if (classes[i].base == base && (classes[i].sub == sub || classes[i].sub == ANY)) {
			snprintf(ret, size, "%s", classes[i].name);
			return;
		}
	snprintf(ret, size, "class 0x%02x%02x", base, sub);
}

struct bit {
	unsigned bit;
	const char *name;
};

static const struct bit command_bits[] = {
	{ 0, "I/O" }, { 1, "memory" }, { 2, "master" }, { 3, "special" }, { 4, "MWI" }, { 5, "snoop" }, { 6, "parity" },
	{ 8, "SERR" }, { 9, "fast" }, { 10, "INTx-off" },
};

static const struct bit status_bits[] = {
	{ 3, "INTx" }, { 4, "capabilities" }, { 5, "66MHz" }, { 7, "fast" }, { 8, "parity" }, { 11, "target-abort" },
	{ 12, "got-target-abort" }, { 13, "got-master-abort" }, { 14, "SERR" }, { 15, "parity-seen" },
};

#define NBITS(table) (sizeof(table) / sizeof((table)[0]))

static json_t *bits_json(unsigned value, const struct bit *bits, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		if (value >> bits[i].bit & 1)
			json_array_append_new(list, json_string(bits[i].name));
	return list;
}

/* -- data -- */

static json_t *bars_json(const struct pci_info *f)
{
	json_t *list = json_array();

	for (int i = 0; i < PCI_BARS; i++)
		if (f->bar[i].present)
			json_array_append_new(list, json_pack("{s:i, s:s, s:b, s:o, s:I}", "bar", i, "kind",
							      f->bar[i].memory ? "memory" : "ports", "enabled",
							      (int)f->bar[i].enabled, "base", data_hex(f->bar[i].base),
							      "size", (json_int_t)f->bar[i].size));
	return list;
}

static json_t *function_json(const struct pci_info *f)
{
	char name[40], place[16], pin[8];
	json_t *v;

	class_name(f->class_code, name, sizeof(name));
	snprintf(place, sizeof(place), "%02x:%02x.%x", f->bus & 0xff, f->slot & 0x1f, f->function & 7);
	v = json_pack("{s:s, s:o, s:o, s:o, s:s, s:s, s:i, s:o}", "place", place, "vendor",
		      json_sprintf("0x%04x", f->vendor), "device", json_sprintf("0x%04x", f->device), "class",
		      json_sprintf("0x%06x", f->class_code & 0xffffff), "class_name", name, "name",
		      f->name ? f->name : "", "revision", (int)f->revision, "bars", bars_json(f));
	snprintf(pin, sizeof(pin), "INT%c", 'A' + (f->irq_pin - 1) % 4);
	if (f->irq_pin)
		json_object_set_new(v, "interrupt", json_pack("{s:s, s:i}", "pin", pin, "line", (int)f->irq_line));
	return v;
}

static unsigned config_word(const struct pci_info *f, unsigned at)
{
	return f->config[at] | (unsigned)f->config[at + 1] << 8;
}

static void add_details(json_t *v, const struct pci_info *f)
{
	unsigned command = config_word(f, 4), status = config_word(f, 6);
	json_t *rows = json_array();
	char text[3 * 16 + 1];

	json_object_set_new(v, "command", json_sprintf("0x%04x", command));
	json_object_set_new(v, "command_bits", bits_json(command, command_bits, NBITS(command_bits)));
	json_object_set_new(v, "status", json_sprintf("0x%04x", status));
	json_object_set_new(v, "status_bits", bits_json(status, status_bits, NBITS(status_bits)));
	for (unsigned at = 0; at < sizeof(f->config); at += 16) {
		for (unsigned i = 0; i < 16; i++)
			snprintf(text + 3 * i, 4, "%02x ", f->config[at + i]);
		text[3 * 16 - 1] = '\0';
		json_array_append_new(rows, json_string(text));
	}
	json_object_set_new(v, "config", rows);
}

/* -- its argument -- */

static bool hex_field(const char **p, const char *end, unsigned max, unsigned *ret)
{
	static const char digits[] = "0123456789abcdef";
	const char *from = *p, *digit;
	unsigned value = 0;

	while (*p < end && (digit = memchr(digits, **p | (**p >= 'A' && **p <= 'F' ? 0x20 : 0), 16))) {
		value = value << 4 | (unsigned)(digit - digits);
		++*p;
		if (value > max)
			return false;
	}
	*ret = value;
	return *p > from;
}

static bool parse_place(const char *word, size_t len, unsigned *bus, unsigned *slot, unsigned *function)
{
	const char *p = word, *end = word + len, *colon = memchr(word, ':', len);

	*bus = 0;
	if (colon && (!hex_field(&p, end, 0xff, bus) || p++ != colon))
		return false;
	return hex_field(&p, end, 0x1f, slot) && p < end && *p++ == '.' && hex_field(&p, end, 7, function) && p == end;
}

static int exec_place(struct task *t, const char *word, size_t len, struct err *err)
{
	unsigned bus, slot, function;
	struct pci_info f;

	if (!parse_place(word, len, &bus, &slot, &function))
		return task_malformed(t, err_set(err, EINVAL, "'%.*s' is no place on the PCI bus: 00:01.1 is one",
						 len < 40 ? (int)len : 40, word));
	for (size_t i = 0; machine_pci_list(task_machine(t), i, &f); i++)
		if (f.bus == bus && f.slot == slot && f.function == function) {
			t->result = function_json(&f);
			add_details(t->result, &f);
			return 0;
		}
	return task_malformed(t, err_set(err, ENOENT, "nothing is at %02x:%02x.%x (info pci lists what there is)", bus,
					 slot, function));
}

int pci_exec(struct task *t, struct err *err)
{
	const char *p = t->args, *word;
	struct pci_info f;
	json_t *list;
	size_t len;

	word = task_word(&p, &len);
	if (*p)
		return task_usage(t, err);
	if (len)
		return exec_place(t, word, len, err);
	list = json_array();
	for (size_t i = 0; machine_pci_list(task_machine(t), i, &f); i++)
		json_array_append_new(list, function_json(&f));
	t->result = json_pack("{s:o}", "functions", list);
	return 0;
}

/* -- as text -- */

/* LABEL is how wide what stands in front is. */
static void render_bar(const json_t *bar, int label, struct out *o)
{
	uint64_t base = data_u64(bar, "base"), size = data_u64(bar, "size");
	bool enabled = data_true(bar, "enabled"), placed = base || enabled;
	const char *kind = data_str(bar, "kind");

	out_printf(o, "BAR%-*" PRIu64 " %s ", label - 3, data_u64(bar, "bar"), kind);
	if (placed)
		out_printf(o, "0x%" PRIx64 "-0x%" PRIx64, base, base + size - 1);
	else
		out_puts(o, "nowhere yet");
	/* How many ports there are is plain to see. */
	if (!placed || strcmp(kind, "ports")) {
		out_puts(o, ", ");
		render_size(size, o);
	}
	out_puts(o, placed && !enabled ? ", off\n" : "\n");
}

static void render_resources(const json_t *f, int indent, int label, struct out *o)
{
	const json_t *interrupt = json_object_get(f, "interrupt"), *bar;
	uint64_t line = data_u64(interrupt, "line");
	size_t i;

	json_array_foreach(json_object_get(f, "bars"), i, bar) {
		out_printf(o, "%*s", indent, "");
		render_bar(bar, label, o);
	}
	if (!interrupt)
		return;
	out_printf(o, "%*sinterrupt %s", indent, "", data_str(interrupt, "pin"));
	/* What the firmware left there; 0 and 255 say that it left nothing. */
	if (line && line != 0xff)
		out_printf(o, ", line %" PRIu64, line);
	out_puts(o, "\n");
}

static void render_head(const json_t *f, int class_width, struct out *o)
{
	out_printf(o, "%s  %s:%s  %-*s  %s", data_str(f, "place"), data_str(f, "vendor") + 2, data_str(f, "device") + 2,
		   class_width, data_str(f, "class_name"), data_str(f, "name"));
	if (data_u64(f, "revision"))
		out_printf(o, " (revision %02" PRIx64 ")", data_u64(f, "revision"));
	out_puts(o, "\n");
}

static void render_bits(const json_t *f, const char *name, const char *bits, struct out *o)
{
	const json_t *list = json_object_get(f, bits), *bit;
	size_t i;

	out_printf(o, "  %-9s %s", name, data_str(f, name));
	json_array_foreach(list, i, bit)
		out_printf(o, "%s%s", i ? " " : "  ", json_string_value(bit));
	out_puts(o, "\n");
}

static void render_details(const json_t *f, struct out *o)
{
	const json_t *row;
	size_t i;

	render_head(f, 0, o);
	out_printf(o, "  class     %s\n", data_str(f, "class"));
	render_bits(f, "command", "command_bits", o);
	render_bits(f, "status", "status_bits", o);
	render_resources(f, 2, 9, o);
	json_array_foreach(json_object_get(f, "config"), i, row)
		out_printf(o, "  %02zx: %s\n", 16 * i, json_string_value(row));
}

void pci_render(const json_t *result, struct out *o)
{
	const json_t *list = json_object_get(result, "functions"), *f;
	size_t i, width = 0;

	if (!list) {
		render_details(result, o);
		return;
	}
	json_array_foreach(list, i, f)
		if (strlen(data_str(f, "class_name")) > width)
			width = strlen(data_str(f, "class_name"));
	json_array_foreach(list, i, f) {
		render_head(f, (int)width, o);
		render_resources(f, 9, 4, o);
	}
	if (!json_array_size(list))
		out_puts(o, "there is no PCI bus\n");
}
