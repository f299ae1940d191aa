/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A Multiboot 1 kernel: prints what its loader told it, the command line, the memory map and the modules. */
#include "guest.h"

#define LOADER_MAGIC 0x2badb002
#define NOINLINE __attribute__((noinline))

enum { HAS_MEMORY = 1 << 0, HAS_COMMAND_LINE = 1 << 2, HAS_MODULES = 1 << 3, HAS_MAP = 1 << 6 };

struct module {
	unsigned int start, end, text, reserved;
};

struct map_entry {
	unsigned int size;              /* of what follows */
	unsigned long long base, length;
	unsigned int type;              /* 1: RAM */
} __attribute__((packed));

/* Multiboot specification 0.6.96, section 3.3, as far as it is used here. */
struct info {
	unsigned int flags, mem_lower, mem_upper, boot_device, command_line, module_count, modules, symbols[4];
	unsigned int map_length, map;
};

const struct info *boot_info;
volatile unsigned int module_count;

int main(unsigned int magic, const struct info *info);

static NOINLINE void show_map(const struct info *info)
{
	unsigned int at = info->map;

	while (at < info->map + info->map_length) {
		const struct map_entry *e = (const struct map_entry *)at;

		put_text("  ");
		put_hex(e->base, 16);
		put_text(" ");
		put_hex(e->length, 16);
		put_text(e->type == 1 ? " RAM\r\n" : " reserved\r\n");
		at += e->size + sizeof(e->size);
	}
}

static NOINLINE void show_module(const struct module *m)
{
	put_text("module ");
	put_hex(m->start, 8);
	put_text(" ");
	put_number(m->end - m->start);
	put_text(" bytes: ");
	put_text((const char *)m->text);
	put_text("\r\n");
}

int main(unsigned int magic, const struct info *info)
{
	boot_info = info;
	if (magic != LOADER_MAGIC) {
		put_text("not started by a Multiboot loader\r\n");
		return 1;
	}
	if (info->flags & HAS_COMMAND_LINE) {
		put_text("command line: ");
		put_text((const char *)info->command_line);
		put_text("\r\n");
	}
	if (info->flags & HAS_MEMORY) {
		put_text("memory: ");
		put_number(info->mem_lower);
		put_text(" KiB low, ");
		put_number(info->mem_upper);
		put_text(" KiB high\r\n");
	}
	if (info->flags & HAS_MAP)
		show_map(info);
	if (info->flags & HAS_MODULES) {
		for (module_count = 0; module_count < info->module_count; module_count++)
			show_module((const struct module *)info->modules + module_count);
	}
	put_text("done\r\n");
	return 0;
}
