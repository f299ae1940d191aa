/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A Multiboot 2 kernel: prints what its loader told it, tag by tag. */
#include "guest.h"

#define LOADER_MAGIC 0x36d76289
#define NOINLINE __attribute__((noinline))

enum { END, COMMAND_LINE, LOADER_NAME, MODULE, MEMORY, MAP = 6, SECTIONS = 9, ACPI = 15 };

/* Multiboot2 specification 2.0, section 3.6, as far as it is used here. */
struct tag {
	unsigned int type, size;        /* with these two; the next one begins at a multiple of 8 */
	unsigned int value[];
};

struct map_entry {
	unsigned long long base, length;
	unsigned int type;              /* 1: RAM */
	unsigned int reserved;
};

struct info {
	unsigned int size, reserved;
	struct tag first;
};

const struct info *boot_info;
volatile unsigned int tag_count, module_count;

int main(unsigned int magic, const struct info *info);

static NOINLINE void show_map(const struct tag *t)
{
	const struct map_entry *e = (const struct map_entry *)&t->value[2];

	for (; (const char *)e < (const char *)t + t->size; e = (const struct map_entry *)((const char *)e + t->value[0])) {
		put_text("  ");
		put_hex(e->base, 16);
		put_text(" ");
		put_hex(e->length, 16);
		put_text(e->type == 1 ? " RAM\r\n" : " reserved\r\n");
	}
}

static NOINLINE void show_module(const struct tag *t)
{
	module_count++;
	put_text("module ");
	put_hex(t->value[0], 8);
	put_text(" ");
	put_number(t->value[1] - t->value[0]);
	put_text(" bytes: ");
	put_text((const char *)&t->value[2]);
	put_text("\r\n");
}

static void show_text(const char *what, const struct tag *t)
{
	put_text(what);
	put_text((const char *)t->value);
	put_text("\r\n");
}

static NOINLINE void show_tag(const struct tag *t)
{
	switch (t->type) {
	case COMMAND_LINE:
		show_text("command line: ", t);
		break;
	case LOADER_NAME:
		show_text("loader: ", t);
		break;
	case MODULE:
		show_module(t);
		break;
	case MEMORY:
		put_text("memory: ");
		put_number(t->value[0]);
		put_text(" KiB low, ");
		put_number(t->value[1]);
		put_text(" KiB high\r\n");
		break;
	case MAP:
		show_map(t);
		break;
	case SECTIONS:
		put_text("ELF sections: ");
		put_number(t->value[0]);
		put_text("\r\n");
		break;
	case ACPI:
		put_text("ACPI tables\r\n");
		break;
	}
}

int main(unsigned int magic, const struct info *info)
{
	const struct tag *t = &info->first;

	boot_info = info;
	if (magic != LOADER_MAGIC) {
		put_text("not started by a Multiboot 2 loader\r\n");
		return 1;
	}
	for (; t->type != END; t = (const struct tag *)(((unsigned int)t + t->size + 7) & ~7u)) {
		show_tag(t);
		tag_count++;
	}
	put_text("done\r\n");
	return 0;
}
