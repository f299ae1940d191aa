/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What needs no KVM, with each allocation failing once: loaders, symbols, gdb's packets and the monitor's commands on the machine
 * without KVM.  That machine, the test itself and libuv's beginning are spared.
 */
#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gdbstub/session.h"
#include "load/load.h"
#include "sym/symbols.h"
#include "tests/bzimage_make.h"
#include "tests/elf_make.h"
#include "tests/faults/sweep.h"
#include "tests/monitor_rig.h"

#define RAM_SIZE 0x400000u

static struct err err;

/* What libcheck's assertions call, in the parts that are shared with its tests: this is none of those. */
void _mark_point(const char *file, int line)
{
	(void)file;
	(void)line;
}

void _ck_assert_failed(const char *file, int line, const char *expr, const char *msg, ...)
{
	(void)msg;
	wrong("%s:%d: %s", file, line, expr);
}

/* -- loaders -- */

static uint8_t ram[RAM_SIZE], module_data[5000];

struct file {
	const char *name;
	enum image_kind kind;
	struct load_opts opts;
	uint8_t data[16384];
	size_t size;
};

static struct file files[12];
static unsigned nfiles;

static struct file *new_file(const char *name, enum image_kind kind)
{
	struct file *f = &files[nfiles++];

	f->name = name;
	f->kind = kind;
	return f;
}

static void make_elf(struct file *f, unsigned bits, const uint8_t *code, size_t size)
{
	struct elf_seg seg = { .vaddr = 0x100000, .paddr = 0x100000, .data = code, .size = size };
	struct elf_sym sym[] = { { .name = "start", .value = 0x100000, .size = 4, .info = 2, .shndx = 1 },
				 { .name = "middle", .value = 0x100010, .size = 4, .info = 2, .shndx = 1 } };
	struct elf_make e = { .bits = bits, .entry = 0x100000, .seg = &seg, .nseg = 1, .sym = sym, .nsym = 2,
			      .text = 0x100000, .text_size = size };

	f->size = elf_make(&e, f->data, sizeof(f->data));
}

static void make_files(void)
{
	static const struct {
		const char *name;
		size_t (*make)(const void *data, size_t size, uint8_t *buf, size_t cap);
	} packed[] = { { "gzip", make_gzip }, { "zstd", make_zstd }, { "xz", make_xz }, { "lz4", make_lz4 } };
	static const uint32_t mb1[] = { 0x1badb002, 3, (uint32_t)-(0x1badb002 + 3) };
	static struct blob module = { .path = (char *)(uintptr_t)"module", .args = (char *)(uintptr_t)"a b",
				      .data = module_data, .size = 5000 };
	static struct blob initrd = { .path = (char *)(uintptr_t)"initrd", .data = module_data, .size = 5000 };
	static uint8_t code[256], kernel[4096];
	struct file *f;
	size_t n;

	if (nfiles)
		return;
	f = new_file("flat", IMAGE_FLAT);
	f->size = 512;
	make_elf(f = new_file("elf64", IMAGE_AUTO), 64, code, sizeof(code));
	memcpy(kernel, f->data, n = f->size);
	make_elf(new_file("elf32", IMAGE_AUTO), 32, code, sizeof(code));
	memcpy(code, mb1, sizeof(mb1));
	make_elf(f = new_file("multiboot", IMAGE_AUTO), 32, code, sizeof(code));
	f->opts = (struct load_opts){ .modules = &module, .nmodules = 1, .append = "one two" };
	for (unsigned i = 0; i < sizeof(packed) / sizeof(packed[0]); i++) {
		uint8_t out[8192 + 4];
		size_t len = packed[i].make(kernel, n, out, sizeof(out) - 4);

		/* The size that comes out is behind it. */
		put32(out, len, (uint32_t)n);
		f = new_file(packed[i].name, IMAGE_AUTO);
		f->size = bzimage_make(out, len + 4, f->data, sizeof(f->data));
		f->opts = (struct load_opts){ .append = "quiet", .modules = &initrd, .nmodules = 1, .table_cpus = 2 };
	}
}

static int load_one(const struct file *f)
{
	struct gmem_region region = { .gpa = 0, .size = RAM_SIZE, .hva = ram, .slot = 0 };
	struct boot_state boot;
	struct blob blob = { 0 };
	struct gmem *g = NULL;
	struct image im = { 0 };
	bool ready = false;
	int r = gmem_new(&g, &err);

	memset(ram, 0, sizeof(ram));
	if (!r)
		r = gmem_add(g, &region, &err);
	if (!r)
		r = blob_copy("kernel", f->data, f->size, &blob, &err);
	if (!r) {
		r = image_init(&im, &blob, f->kind, &err);
		ready = !r;
	}
	if (!r)
		r = image_load(&im, &f->opts, g, &boot, &err);
	if (!r && im.kind == IMAGE_LINUX) {
		struct blob inner = { 0 };

		r = image_unpack(&im, &inner, &err);
		if (!r && (inner.size < 64 || memcmp(inner.data, "\177ELF", 4)))
			wrong("%s: unpacked to something else", f->name);
		blob_done(&inner);
	}
	if (ready)
		image_done(&im);
	blob_done(&blob);
	gmem_free(g);
	return r;
}

static void live_loaders(void)
{
	for (unsigned i = 0; i < nfiles; i++) {
		int r;

		fault_phase(i + 1);
		r = load_one(&files[i]);

		if (!judge_failure(files[i].name, r, &err))
			continue;
		if (load_one(&files[i]))
			wrong("%s: cannot be loaded afterwards: %s", files[i].name, err.msg);
	}
}

/* -- symbols -- */

static struct blob elves[4];

static const char *const elf_names[] = { "d2", "d5", "zlib", "zstd" };

static void read_elves(void)
{
	const char *dir = getenv("builddir");
	char path[4096];

	for (unsigned i = 0; i < sizeof(elf_names) / sizeof(elf_names[0]); i++) {
		snprintf(path, sizeof(path), "%s/tests/sym/%s.elf", dir ? dir : ".", elf_names[i]);
		if (!elves[i].data && blob_read(path, &elves[i], &err))
			wrong("%s", err.msg);
	}
}

/* Everything that can be asked of an ELF file; -ENOENT also where memory ran out, which says no more than that. */
static int ask(const struct blob *b)
{
	struct source_line line = { 0 };
	struct dwarf_member member;
	uint64_t addr = 0, size, places[4], offset;
	struct symbols *s = NULL;
	unsigned number;
	int r = symbols_new(b->data, b->size, &s, &err);

	if (r)
		return r;
	r = symbols_find(s, "sym_start", 9, &addr);
	if (r || !symbols_at(s, addr, &offset))
		r = err_set(&err, ENOENT, "sym_start is not found");
	if (!r && symbols_line(s, addr, &line))
		r = err_set(&err, ENOENT, "no line");
	number = line.line;
	if (!r) {
		r = symbols_places(s, "one.c", 5, &number, places, 4, &err);
		r = r > 0 ? 0 : r;
	}
	if (!r)
		r = dwarf_member(symbols_dwarf(s), "sym_outer.in.named.c", &member, &err);
	if (!r)
		r = dwarf_sizeof(symbols_dwarf(s), "sym_outer", &size, &err);
	symbols_free(s);
	return r;
}

static void live_symbols(void)
{
	for (unsigned i = 0; i < sizeof(elves) / sizeof(elves[0]); i++) {
		fault_phase(i + 1);
		if (!judge_failure(elf_names[i], ask(&elves[i]), &err))
			continue;
		if (ask(&elves[i]))
			wrong("%s: cannot be read afterwards: %s", elf_names[i], err.msg);
	}
}

/* -- gdb's packets -- */

static const char *const packets[] = {
	"qSupported:multiprocess+;swbreak+;hwbreak+;vContSupported+;QThreadEvents+;ConditionalBreakpoints+;xmlRegisters=i386",
	"QStartNoAckMode", "?", "qXfer:features:read:target.xml:0,ffb", "qXfer:features:read:target.xml:100,ffb",
	"qXfer:threads:read::0,1000", "qXfer:memory-map:read::0,1000", "Hg1", "Hc1", "qfThreadInfo", "qsThreadInfo", "g",
	"p0", "m1000,40", "x1000,40", "M2000,4:01020304", "X2000,4:abcd", "Z0,1004,1", "Z1,1008,1", "Z0,1010,1;X3,220027",
	"z0,1010,1", "vCont?", "vCont;s:1", "vCont;c", "z0,1004,1", "Z2,3000,4", "z2,3000,4", "qOffsets", "qAttached", "qC",
	"qMemTags:0,0:0", "qSearch:memory:1000;100;abcd", "qCRC:1000,100", "vFile:setfs:0", "qSymbol::", "QNonStop:1", "?",
	"QNonStop:0", "vMustReplyEmpty", "D",
};

static struct session_owner *owner(void)
{
	static struct session_owner o;

	return &o;
}

static void hear(void *arg)
{
	(void)arg;
}

static struct session_state {
	struct fake_machine *f;
	struct session *s;
} gdb;

static void open_session(void)
{
	*owner() = (struct session_owner){ .output = hear, .left = hear };
	for (int again = 0;; again++) {
		int r = session_new(&gdb.f->machine, NULL, owner(), &gdb.s, &err);

		if (!judge_failure("session", r, &err))
			return;
		if (again)
			wrong("no session can be made: %s", err.msg);
	}
}

/* Sends one packet; its reply's first payload byte, 0 when it is empty; -1: the session broke for want of memory. */
static int say(const char *payload)
{
	uint8_t frame[512];
	const uint8_t *out;
	unsigned sum = 0;
	size_t len;
	int first = -1;

	for (const char *c = payload; *c; c++)
		sum += (uint8_t)*c;
	session_input(gdb.s, frame, (size_t)snprintf((char *)frame, sizeof(frame), "$%s#%02x", payload, sum & 0xff));
	machine_poll(&gdb.f->machine, 0);
	out = session_output(gdb.s, &len);
	if (session_end(gdb.s) == SESSION_BROKEN)
		return -1;
	while (len && *out == '+')
		out++, len--;
	if (len < 4 || *out != '$')
		wrong("%s: no reply", payload);
	first = out[1] == '#' ? 0 : out[1];
	session_output(gdb.s, &len);
	session_sent(gdb.s, len);
	return first;
}

static void live_session(void)
{
	static int usual[sizeof(packets) / sizeof(packets[0])];
	static const struct fake_config config = { .cpus = 2, .mode = MODE_LONG, .image_bits = 64 };

	gdb.f = fake_new(&config);
	open_session();
	for (unsigned i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
		int r;

		fault_phase(i + 1);
		r = say(packets[i]);
		if (r < 0) {
			/* The client is told by the end of its connection, and comes anew. */
			if (!fault_happened())
				wrong("%s: the session broke without a fault", packets[i]);
			session_leave(gdb.s);
			machine_poll(&gdb.f->machine, 0);
			session_free(gdb.s);
			break;
		}
		if (!fault_happened())
			usual[i] = r;
		else if (r != usual[i] && r == 'E')
			r = say(packets[i]);
		if (r != usual[i])
			wrong("%s: answered %c where it is %c", packets[i], r, usual[i]);
	}
	if (session_end(gdb.s) == SESSION_DETACHED)
		session_leave(gdb.s), session_free(gdb.s);
	fake_free(gdb.f);
}

/* -- the monitor's commands -- */

static const char *const commands[] = {
	"info registers", "info cpus", "info machine", "info slots", "info devices", "info pci", "registers all", "x/8 0x1000",
	"x/4i 0x1000", "print 1 + 2 * $rip", "print -j $pc", "break main", "break 0x1008 if $rax == 1", "hbreak loop",
	"commands 1 print 3; echo hello", "condition 1 $rax == 4", "info breaks", "info breaks -j", "disable 1", "enable 1", "delete",
	"watch counter", "catch port 0x60 read", "delete", "set $rax 5", "write 0x2000 1 2 3", "find 0x1000 0x100 0x90", "fill 0x3000 16 7",
	"translate 0x1000", "slots", "slots -j", "slot add 5 0x2000000 64K", "slot move 5 0x3000000", "slot remove 5", "map",
	"dirty start 0", "dirty peek 0", "dirty peek 0 pages", "dirty peek bitmap", "dirty take 0", "dirty heat 0", "dirty stop 0",
	"step", "step 3", "stepi", "bt", "disas main", "symbols", "screen", "help", "help break", "history", "exits", "assist",
	"log", "set-option", "sendkey a", "serial hello", "cpu 1", "cpu 0", "expr 1", "dmesg", "ps", "lsmod", "host", "source", "debugregs",
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

/* What each says, and how it ends, when nothing fails. */
static struct {
	char *text;
	int status;
} usual[COMMANDS];

/* Where they say it: it takes no memory, so that what is lost was not lost here. */
static struct {
	struct out out;
	char text[1 << 20];
	size_t len;
} said;

static void on_write(struct out *o, const char *text, size_t len)
{
	(void)o;
	if (len >= sizeof(said.text) - said.len)
		wrong("a command says more than %zu bytes", sizeof(said.text));
	memcpy(said.text + said.len, text, len);
	said.len += len;
	said.text[said.len] = '\0';
}

static const char *run_line(struct rig *rig, const char *line)
{
	said.text[said.len = 0] = '\0';
	rig_run(rig, line);
	return said.text;
}

/* Whether the last line of TEXT is an error, for people or as JSON. */
static bool tells_error(const char *text)
{
	size_t len = strlen(text), at = len - 1;

	if (!len || text[at] != '\n')
		return false;
	while (at && text[at - 1] != '\n')
		at--;
	return !strncmp(text + at, "error: ", 7) || (text[at] == '{' && strstr(text + at, "\"error\":"));
}

static void live_monitor(void)
{
	static struct rig rig;

	fault_hold();
	rig_init(&rig, &rig_long64, false);
	said.out.write = on_write;
	rig.s.out = &said.out;
	fault_release();
	for (size_t i = 0; i < COMMANDS; i++) {
		bool before = fault_happened();
		const char *text;

		fault_phase(i + 1);
		text = run_line(&rig, commands[i]);
		if (!usual[i].text) {
			fault_hold();
			usual[i].text = strdup(text);
			usual[i].status = rig.status;
			fault_release();
		}
		/* Once it has failed, numbers are others. */
		if (before || !fault_happened())
			continue;
		if (rig.status == usual[i].status && strcmp(text, usual[i].text) && !strstr(text, "out of memory"))
			wrong("'%s' ends as ever, and says\n# %s# in place of\n# %s", commands[i], text, usual[i].text);
		if (rig.status != usual[i].status) {
			if (!tells_error(text))
				wrong("'%s' ends with %d, and says '%s'", commands[i], rig.status, text);
			text = run_line(&rig, commands[i]);
			/* It may have been done, but not told. */
			if (rig.status != usual[i].status && rig.status != -EEXIST && rig.status != -ENOENT)
				wrong("'%s' ends with %d afterwards: %s", commands[i], rig.status, text);
		}
	}
	fault_hold();
	rig_done(&rig);
	fault_release();
}

int main(void)
{
	static const struct life lives[] = {
		{ "loaders", live_loaders, 1u << FAULT_ALLOC, 150, 100 },
		{ "symbols", live_symbols, 1u << FAULT_ALLOC, 150, 100 },
		{ "packets", live_session, 1u << FAULT_ALLOC, 150, 100 },
		{ "commands", live_monitor, 1u << FAULT_ALLOC, 100, 100 },
	};

	if (!fault_sees_memory()) {
		puts("1..0 # SKIP a sanitizer stands where memory is asked for");
		return 0;
	}
	/* 0.188 reads what it could not allocate, or ends the process. */
	fault_spare_library("libdw");
	make_files();
	read_elves();
	return sweep(lives, sizeof(lives) / sizeof(lives[0]));
}
