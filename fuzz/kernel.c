/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A Linux kernel seen from outside, whose memory says what the input says.  It begins with structures as a kernel has them, of
 * one generation or another, so that what is written over them is read; then come questions.  Whatever is there, they end after a
 * bounded number of reads, with an answer or one line, and what they show can be shown.
 */
#include "linux/kernel.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "tests/kernel_image.h"

#define INIT        (IMG_TEXT + 0x10000)
#define TASK(n)     (IMG_HEAP + 0x1000 + (n) * 0x400ull)
#define SIGNAL(n)   (IMG_HEAP + 0x6000 + (n) * 0x40ull)
#define MODULE      (IMG_HEAP + 0x8000)
#define RING        (IMG_TEXT + 0x1000)
#define LOG         (IMG_HEAP + 0x10000)
#define TEXTS       (IMG_HEAP + 0x20000)
#define PERCPU      (IMG_HEAP + 0x30000)
#define READS_MAX   (8u << 20)          /* of one question: the log has up to 2^20 records, of seven reads each */
#define STEPS_MAX   64u
#define SYMBOLS_MAX 4096u

enum { AGE_OLD_LOG = 1, AGE_OLD_TASKS = 2, AGE_MODULE_ARRAY = 4, AGE_ONE_CPU = 8, AGE_WRAPS = 16, AGE_LOADED = 32, AGE_MOVED = 64 };

static const struct {
	const char *path;
	uint16_t offset;
	uint8_t size, unless;   /* bytes; a mask of AGE */
} members[] = {
	{ "task_struct.tasks", 0x100, 16, 0 }, { "task_struct.comm", 0x240, 16, 0 }, { "task_struct.pid", 0x200, 4, 0 },
	{ "task_struct.tgid", 0x204, 4, 0 }, { "task_struct.real_parent", 0x208, 8, 0 }, { "task_struct.flags", 0x2c, 4, 0 },
	{ "task_struct.signal", 0x260, 8, 0 }, { "task_struct.__state", 0x18, 4, AGE_OLD_TASKS }, { "task_struct.state", 0x18, 8, 0 },
	{ "task_struct.exit_state", 0x300, 4, AGE_OLD_TASKS }, { "task_struct.thread_node", 0x270, 16, AGE_OLD_TASKS },
	{ "signal_struct.thread_head", 0x10, 16, 0 }, { "task_struct.thread_info.cpu", 0x14, 4, AGE_OLD_TASKS },
	{ "task_struct.cpu", 0x14, 4, 0 },
	{ "module.list", 8, 16, 0 }, { "module.name", 0x18, 56, 0 }, { "module.state", 0, 4, 0 },
	{ "module.core_layout.base", 0x108, 8, AGE_MODULE_ARRAY }, { "module.core_layout.size", 0x100, 4, AGE_MODULE_ARRAY },
	{ "module.mem", 0x100, 0, 0 }, { "module_memory.base", 8, 8, 0 }, { "module_memory.size", 0, 4, 0 },
	{ "module.kallsyms", 0x120, 8, 0 }, { "mod_kallsyms.symtab", 0, 8, 0 }, { "mod_kallsyms.num_symtab", 8, 4, 0 },
	{ "mod_kallsyms.strtab", 16, 8, 0 },
	{ "printk_ringbuffer.desc_ring.count_bits", 0, 4, 0 }, { "printk_ringbuffer.desc_ring.descs", 8, 8, 0 },
	{ "printk_ringbuffer.desc_ring.infos", 16, 8, 0 }, { "printk_ringbuffer.desc_ring.head_id", 24, 8, 0 },
	{ "printk_ringbuffer.desc_ring.tail_id", 32, 8, 0 }, { "printk_ringbuffer.text_data_ring.size_bits", 48, 4, 0 },
	{ "printk_ringbuffer.text_data_ring.data", 56, 8, 0 }, { "prb_desc.state_var", 0, 8, 0 },
	{ "prb_desc.text_blk_lpos.begin", 8, 8, 0 }, { "prb_desc.text_blk_lpos.next", 16, 8, 0 }, { "printk_info.seq", 0, 8, 0 },
	{ "printk_info.ts_nsec", 8, 8, 0 }, { "printk_info.text_len", 16, 2, 0 }, { "printk_info.level", 19, 1, 0 },
	{ "printk_log.ts_nsec", 0, 8, 0 }, { "printk_log.len", 8, 2, 0 }, { "printk_log.text_len", 10, 2, 0 },
	{ "printk_log.level", 15, 1, 0 },
};

#define NMEMBERS (sizeof(members) / sizeof(members[0]))

static struct kernel_image *x;

static void put_list(uint64_t head, uint64_t entry)
{
	image_put(x, head, entry, 8);
	image_put(x, head + 8, entry, 8);
	image_put(x, entry, head, 8);
	image_put(x, entry + 8, head, 8);
}

static void put_task(uint64_t gva, unsigned pid, uint64_t signal, const char *comm)
{
	image_put(x, gva + 0x200, pid, 4);
	image_put(x, gva + 0x204, pid, 4);
	image_put(x, gva + 0x208, INIT + x->slide, 8);
	image_put(x, gva + 0x260, signal, 8);
	image_text(x, gva + 0x240, comm);
	if (signal)
		put_list(signal + 0x10, gva + 0x270);
}

/* init_task, one more, and what two CPUs run. */
static void put_tasks(void)
{
	uint64_t init = INIT + x->slide, offsets = IMG_TEXT + 0x8000 + x->slide;

	put_task(init, 0, 0, "swapper/0");
	put_task(TASK(0), 1, SIGNAL(0), "init");
	put_task(TASK(1), 0, 0, "swapper/1");
	put_list(init + 0x100, TASK(0) + 0x100);
	for (unsigned i = 0; i < 2; i++) {
		image_put(x, offsets + 8 * i, PERCPU + 0x1000 * i, 8);
		image_put(x, PERCPU + 0x1000 * i + 0x140, TASK(i), 8);
		x->gs[i][i] = PERCPU + 0x1000 * i;
	}
	x->ncpus = 2;
}

static void put_module(void)
{
	uint64_t head = IMG_TEXT + 0x9000 + x->slide, kallsyms = MODULE + 0x400, table = MODULE + 0x500, strings = MODULE + 0x600;

	put_list(head, MODULE + 8);
	image_text(x, MODULE + 0x18, "e1000");
	image_put(x, MODULE + 0x100, 0x8000, 4);
	image_put(x, MODULE + 0x108, 0xffffffffc0000000, 8);
	image_put(x, MODULE + 0x120, kallsyms, 8);
	image_put(x, kallsyms, table, 8);
	image_put(x, kallsyms + 8, 2, 4);
	image_put(x, kallsyms + 16, strings, 8);
	for (unsigned i = 0; i < 2; i++) {
		image_put(x, table + 24 * i, 1 + 8 * i, 4);
		image_put(x, table + 24 * i + 4, 2, 1);
		image_put(x, table + 24 * i + 6, 1, 2);
		image_put(x, table + 24 * i + 8, 0xffffffffc0000010, 8);
	}
	image_text(x, strings + 1, "probe");
	image_text(x, strings + 9, "remove");
}

/* Eight descriptors and 256 bytes of text with two records in them; and two of those that were before. */
static void put_log(void)
{
	uint64_t ring = RING + x->slide, text = IMG_TEXT + x->slide;

	image_put(x, text + 0x800, ring, 8);
	image_put(x, ring, 3, 4);
	image_put(x, ring + 8, LOG, 8);
	image_put(x, ring + 16, LOG + 0x1000, 8);
	image_put(x, ring + 24, 1, 8);
	image_put(x, ring + 48, 8, 4);
	image_put(x, ring + 56, TEXTS, 8);
	for (unsigned i = 0; i < 2; i++) {
		image_put(x, LOG + 24 * i, i | 2ull << 62, 8);
		image_put(x, LOG + 24 * i + 8, 24 * i, 8);
		image_put(x, LOG + 24 * i + 16, 24 * (i + 1), 8);
		image_put(x, LOG + 0x1000 + 88 * i, i, 8);
		image_put(x, LOG + 0x1000 + 88 * i + 16, 6, 2);
		image_text(x, TEXTS + 24 * i + 8, "booted");
		image_put(x, LOG + 0x2000 + 32 * i + 8, 32, 2);
		image_put(x, LOG + 0x2000 + 32 * i + 10, 6, 2);
		image_text(x, LOG + 0x2000 + 32 * i + 16, "booted");
	}
	image_put(x, text + 0x808, LOG + 0x2000, 8);
	image_put(x, text + 0x810, 0x100, 4);
	image_put(x, text + 0x81c, 64, 4);
}

static void make(unsigned age)
{
	static const struct {
		const char *name;
		uint64_t addr;
	} symbols[] = {
		{ "init_task", INIT }, { "current_task", 0x140 }, { "modules", IMG_TEXT + 0x9000 }, { "log_buf", IMG_TEXT + 0x808 },
		{ "log_buf_len", IMG_TEXT + 0x810 }, { "log_first_idx", IMG_TEXT + 0x814 }, { "log_next_idx", IMG_TEXT + 0x81c },
		{ "log_first_seq", IMG_TEXT + 0x820 }, { "initial_code", IMG_TEXT + 0x900 }, { "x86_64_start_kernel", IMG_TEXT + 0x2000 },
		{ "entry_SYSCALL_64", IMG_TEXT + 0x2100 }, { "asm_exc_page_fault", IMG_TEXT + 0x2200 },
		{ "asm_exc_invalid_op", IMG_TEXT + 0x2300 }, { "startup_64", IMG_TEXT + 0x40 },
	};

	x = image_new();
	x->slide = age & AGE_MOVED ? 0x12e00000 : 0;
	x->wraps = age & AGE_WRAPS;
	for (size_t i = 0; i < NMEMBERS; i++)
		if (!(members[i].unless & age))
			image_member(x, members[i].path, members[i].offset, members[i].size);
	x->member[x->nmembers - 5].m.bit = 5;
	x->member[x->nmembers - 5].m.bits = 3;
	image_type(x, "prb_desc", 24);
	image_type(x, "printk_info", 88);
	image_type(x, "printk_log", 16);
	for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++)
		image_symbol(x, symbols[i].name, symbols[i].addr);
	if (!(age & AGE_ONE_CPU))
		image_symbol(x, "__per_cpu_offset", IMG_TEXT + 0x8000);
	if (!(age & AGE_OLD_LOG))
		image_symbol(x, "prb", IMG_TEXT + 0x800);
	image_pointer(x, IMG_TEXT + 0x900, IMG_TEXT + 0x2000);
	put_tasks();
	put_module();
	put_log();
	if (age & AGE_LOADED) {
		x->loaded = true;
		x->mapped = false;
		x->gpa = 0x1000000;
	}
}

/* A pointer as lists have them, a number, or bytes. */
static void write_something(struct bytes *in)
{
	static const uint64_t bases[] = { IMG_HEAP, IMG_TEXT, TASK(0), MODULE, LOG, TEXTS, PERCPU, 0 };
	unsigned how = (unsigned)take(in, 1);
	uint64_t at = bases[how & 7] + take(in, 2) * (how & 0x80 ? 1 : 8), value;
	uint8_t *p = at - IMG_HEAP < IMG_HEAP_SIZE ? x->heap + (at - IMG_HEAP) : x->image + at % IMG_SIZE;
	size_t room = at - IMG_HEAP < IMG_HEAP_SIZE ? IMG_HEAP_SIZE - (size_t)(at - IMG_HEAP) : IMG_SIZE - (size_t)(at % IMG_SIZE), len;
	const uint8_t *data;

	if (how & 0x40) {
		data = take_span(in, take(in, 1) % 64, &len);
	} else {
		value = how & 0x20 ? take(in, 8) : bases[how >> 3 & 3] + take(in, 2) * 8;
		data = (const uint8_t *)&value;
		len = sizeof(value);
	}
	if (len)
		memcpy(p, data, len < room ? len : room);
}

/* Its DWARF says something else. */
static void change_member(struct bytes *in)
{
	struct dwarf_member *m = &x->member[take(in, 1) % x->nmembers].m;
	unsigned how = (unsigned)take(in, 1);

	m->offset = how & 1 ? take(in, 8) : take(in, 2);
	m->size = take(in, 1);
	m->bit = how & 2 ? (unsigned)take(in, 1) : 0;
	m->bits = how & 2 ? (unsigned)take(in, 1) : 0;
	if (how & 4)
		x->type[take(in, 1) % x->ntypes].size = take(in, 2);
	if (how & 8)
		x->symbol[take(in, 1) % x->nsymbols].addr = how & 16 ? take(in, 8) : IMG_TEXT + take(in, 2);
	if (how & 32)
		x->symbol[take(in, 1) % x->nsymbols].name = "";
	if (how & 64 && x->nentries < 4) {
		x->entry[x->nentries].vector = (unsigned)take(in, 1) & 1 ? 14 : KERNEL_SYSCALL;
		x->entry[x->nentries++].at = IMG_TEXT + 0x2000 + take(in, 4);
	}
	if (how & 128) {
		memcpy(x->file + IMG_BANNER + 14, "another", 7);
		x->gs[0][0] = take(in, 8);
		x->ncpus = (unsigned)take(in, 1) % 4;
	}
}

static void check_shown(const char *text, size_t size)
{
	size_t len = strnlen(text, size);

	ck_assert_uint_lt(len, size);
	for (size_t i = 0; i < len; i++)
		ck_assert_msg((unsigned char)text[i] >= ' ' && text[i] != 0x7f, "byte %02x at %zu", text[i], i);
}

static unsigned told, tell_max;

static bool on_task(void *arg, const struct kernel_task *t)
{
	(void)arg;
	check_shown(t->comm, sizeof(t->comm));
	ck_assert_msg(t->state && strchr("RSDTtXZPI?", t->state), "state %d", t->state);
	ck_assert(!t->running || t->cpu >= 0);
	return ++told < tell_max;
}

static struct kernel_module last;

static bool on_module(void *arg, const struct kernel_module *m)
{
	(void)arg;
	check_shown(m->name, sizeof(m->name));
	ck_assert(m->state && m->state[0]);
	last = *m;
	return ++told < tell_max;
}

static bool on_symbol(void *arg, const char *name, uint64_t addr, uint64_t size)
{
	const struct kernel_module *m = arg;

	(void)size;
	check_shown(name, 512);
	ck_assert(name[0] && addr - m->gva < m->size);
	return ++told < tell_max;
}

static bool on_message(void *arg, const struct kernel_message *m)
{
	uint8_t sum = 0;

	ck_assert_uint_ge(m->number, *(uint64_t *)arg);
	ck_assert_uint_le(m->len, KERNEL_TEXT_MAX);
	ck_assert_uint_le(m->level, 7);
	for (size_t i = 0; i < m->len; i++)
		sum = (uint8_t)(sum + m->text[i]);
	*(volatile uint8_t *)&sum = sum;
	return ++told < tell_max;
}

static uint64_t give_arg(void *args, unsigned index)
{
	return index & 1 ? TEXTS + 8 : *(uint64_t *)args + index;
}

static void format_something(struct kernel *k, struct bytes *in)
{
	char text[200];
	size_t size = 1 + (size_t)take(in, 1) % sizeof(text);
	uint64_t at = IMG_HEAP + take(in, 3) % (IMG_HEAP_SIZE + 0x100), arg = take(in, 8);
	char *room = malloc(size);

	ck_assert_ptr_nonnull(room);
	kernel_format(k, at, give_arg, &arg, room, size);
	check_shown(room, size);
	if (kernel_string(k, at, room, size))
		check_shown(room, size);
	free(room);
}

static void ask(struct kernel *k, struct bytes *in)
{
	static const unsigned most[8] = { 0, KERNEL_TASKS_MAX + 64, 1, KERNEL_MODULES_MAX, SYMBOLS_MAX, KERNEL_RECORDS_MAX };
	unsigned what = (unsigned)take(in, 1);
	struct err err = { 0 };
	struct kernel_task t;
	uint64_t from = 0, slide;
	int rc = 0;

	x->reads = told = 0;
	/* A list that goes round is noticed, and not only because somebody has had enough. */
	tell_max = what & 0x80 ? 1 + what : 2 * KERNEL_RECORDS_MAX;
	switch (what & 7) {
	case 0:
		rc = kernel_locate(k, what & 0x40 ? x->slide : 0, &err);
		break;
	case 1:
		rc = kernel_tasks(k, on_task, NULL, &err);
		break;
	case 2:
		rc = kernel_current(k, what >> 3 & 3, &t, &err);
		if (!rc)
			on_task(NULL, &t);
		break;
	case 3:
		rc = kernel_modules(k, on_module, NULL, &err);
		break;
	case 4:
		rc = kernel_module_symbols(k, &last, SYMBOLS_MAX, on_symbol, &last, &err);
		break;
	case 5:
		from = what & 0x40 ? take(in, 2) : 0;
		rc = kernel_log(k, from, on_message, &from, &err);
		break;
	case 6:
		format_something(k, in);
		break;
	default:
		rc = kernel_unpacked(k, x->gpa + (what & 0x40 ? 0x40 : 0), &slide, &err);
		break;
	}
	check_answer(rc, &err);
	ck_assert_uint_le(told, tell_max);
	ck_assert_uint_le(told, most[what & 7]);
	ck_assert_msg(x->reads <= READS_MAX, "%u reads", x->reads);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = { data, size };
	unsigned age = (unsigned)take(&in, 1), n = (unsigned)take(&in, 1);
	struct kernel *k;

	make(age);
	for (unsigned i = n & 7; i; i--)
		change_member(&in);
	for (unsigned i = n >> 3; i; i--)
		write_something(&in);
	k = image_kernel(x);
	last = (struct kernel_module){ .object = MODULE, .gva = 0xffffffffc0000000, .size = 0x8000, .name = "last" };
	/* Its other functions need to know where it is. */
	if (!kernel_locate(k, x->slide, NULL) && kernel_place(k)) {
		check_shown(kernel_place(k)->banner, sizeof(kernel_place(k)->banner));
		for (unsigned i = 0; i < STEPS_MAX && in.len && kernel_place(k); i++) {
			if (in.p[0] & 0x20)
				write_something(&in);
			ask(k, &in);
		}
	}
	kernel_free(k);
	return 0;
}
