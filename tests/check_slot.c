/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The monitor's slot and dirty commands against a fake machine: arguments, results, files, pictures. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "monitor/cmd.h"
#include "monitor/complete.h"
#include "monitor/heat.h"
#include "monitor/map.h"
#include "monitor/newfile.h"
#include "monitor/render.h"
#include "monitor/svg.h"
#include "tests/monitor_rig.h"
#include "tests/unit.h"

static struct rig rig;
static char dir[64], path[80], line[160];

static void set_up(void)
{
	rig_init(&rig, &rig_long64, false);
	snprintf(dir, sizeof(dir), "/tmp/check_slot.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/a file", dir);
}

static void tear_down(void)
{
	unlink(path);
	ck_assert_int_eq(rmdir(dir), 0);
	rig_done(&rig);
}

static struct slot_info slot(unsigned id)
{
	struct slot_info s;

	for (size_t i = 0; machine_slot_list(&rig.f->machine, i, &s); i++)
		if (s.id == id)
			return s;
	ck_abort_msg("there is no slot %u", id);
}

/* -- slots -- */

START_TEST(add_and_change)
{
	ck_assert_str_eq(rig_ok(&rig, "slot add 1+1 0x10000000 4*1M log ro"), "");
	ck_assert_uint_eq(slot(2).gpa, 0x10000000);
	ck_assert_uint_eq(slot(2).size, 4 << 20);
	ck_assert(slot(2).log && slot(2).readonly && slot(2).kind == SLOT_ANON);
	rig_ok(&rig, "slot flags 2 nolog rw");
	ck_assert(!slot(2).log && !slot(2).readonly);
	rig_ok(&rig, "slot flags 2 log");
	ck_assert(slot(2).log && !slot(2).readonly);
	rig_ok(&rig, "slot move 2 0x20000000");
	ck_assert_uint_eq(slot(2).gpa, 0x20000000);
	ck_assert_str_eq(rig_ok(&rig, "slot split 2 1M"), "slot 3 is the upper part\n");
	ck_assert_uint_eq(slot(3).gpa, 0x20100000);
	rig_ok(&rig, "slot resize 3 8M");
	ck_assert_uint_eq(slot(3).size, 8 << 20);
	rig_ok(&rig, "slot remove 3");
	rig_has(rig_ok(&rig, "slot list"), "slot 2  0x20000000-0x200fffff  1M  ");
	ck_assert_ptr_null(strstr(rig_ok(&rig, "slot list"), "slot 3"));
	/* While the guest runs it is held for the change, and runs on. */
	rig_ok(&rig, "continue");
	rig_ok(&rig, "slot add 4 0x40000000 4K");
	ck_assert_int_eq(machine_state(&rig.f->machine), MACHINE_RUNNING);
}
END_TEST

START_TEST(backings)
{
	static const struct {
		const char *words;
		enum slot_backing kind;
		const char *text;
	} rows[] = {
		{ "backing=anon", SLOT_ANON, "" }, { "backing=memfd log", SLOT_MEMFD, "" },
		{ "backing=hugetlb", SLOT_HUGETLB, "" }, { "ro backing=hugetlb:2M log", SLOT_HUGETLB, "" },
		{ "backing=hugetlb:1G", SLOT_HUGETLB, "" }, { "backing=alias:0", SLOT_ALIAS, "alias:0" },
		{ "backing=alias:0+4K log", SLOT_ALIAS, "0x1000" },
		{ "backing=file:/etc/passwd", SLOT_FILE, "/etc/passwd" },
		{ "backing=file:a@b@4K+4K shared", SLOT_FILE, "a@b@0x2000 shared" },
		{ "backing=file:a@b private", SLOT_FILE, "a@b@0x0" },
		{ "backing=file:\"a file\"@4K ro", SLOT_FILE, "a file@0x1000" },
	};

	ck_assert_int_eq(chdir(dir), 0);
	ck_assert_int_eq(newfile_write("a file", "", 0, NULL), 0);
	ck_assert_int_eq(newfile_write("a@b", "", 0, NULL), 0);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(line, sizeof(line), "slot add 9 0x40000000 1G %s", rows[i].words);
		if (rows[i].kind == SLOT_ALIAS)
			snprintf(line, sizeof(line), "slot add 9 0x40000000 4K %s", rows[i].words);
		rig_ok(&rig, line);
		ck_assert_msg(slot(9).kind == rows[i].kind, "%s", line);
		rig_has(slot(9).backing, rows[i].text);
		ck_assert_int_eq(slot(9).log, !!strstr(line, " log"));
		ck_assert_int_eq(slot(9).readonly, !!strstr(line, " ro"));
		rig_ok(&rig, "slot remove 9");
	}
	unlink("a@b");
}
END_TEST

START_TEST(bad_arguments)
{
	static const struct {
		const char *line, *part;
	} rows[] = {
		{ "slot add", "usage: slot add ID GPA SIZE" }, { "slot add 2", "usage:" },
		{ "slot add 2 0", "usage:" },
		{ "slot add 2 0x10000000 1M shiny", "'shiny' is no flag here" },
		{ "slot add 2 0x10000000 1M log log", "'log' says for a second time" },
		{ "slot add 2 0x10000000 1M nolog", "'nolog' is no flag here" },
		{ "slot add 2 0x10000000 1M shared", "shared and private are for backing=file" },
		{ "slot add 2 0x10000000 1M backing=file:/x shared private", "'private' says for a second time" },
		{ "slot add 2 0x10000000 1M backing=tape", "'tape' is no backing" },
		{ "slot add 2 0x10000000 1M backing=", "is no backing" },
		{ "slot add 2 0x10000000 1M backing=anon backing=memfd", "one backing" },
		{ "slot add 2 0x10000000 1M backing=anon:3", "unexpected ':3'" },
		{ "slot add 2 0x10000000 1M backing=file", "file:PATH" },
		{ "slot add 2 0x10000000 1M backing=file:", "needs a path" },
		{ "slot add 2 0x10000000 1M backing=file:\"/x", "closing quote" },
		{ "slot add 2 0x10000000 1M backing=file:\"/x\"y", "unexpected 'y'" },
		{ "slot add 2 0x10000000 1M backing=file:/x@4Kz", "column 42" },
		{ "slot add 2 0x10000000 1M backing=hugetlb:4K", "2M or 1G" },
		{ "slot add 2 0x10000000 1M backing=alias", "alias:ID" },
		{ "slot add 2 0x10000000 1M backing=alias:x", "no slot's number" },
		{ "slot add 2 0x10000000 1M backing=alias:1:70000", "no slot's number" },
		{ "slot add 1:70000 0x10000000 1M", "'1:70000' is no slot's number" },
		{ "slot add 40000:1 0x10000000 1M", "'40000:1' is no slot's number" },
		{ "slot add 1:2x 0x10000000 1M", "'1:2x' is no slot's number" },
		{ "slot add 1: 0x10000000 1M", "'1:' is no slot's number" },
		{ "slot add 2 0x10000000 1M as=0x8000", "0x8000 is no address space" },
		{ "slot add 1:2 0x10000000 1M as=0", "slot 1:2 is not in address space 0" },
		{ "slot add 2 0x10000000 1M as=1 as=1", "one address space" },
		{ "slot add 2 0x10000000 1M backing=alias:99999999999999999999", "no slot's number" },
		{ "slot add 2 0x10000000 1M backing=rma", "lacks KVM_CAP_PPC_RMA" },
		{ "slot add -1 0x10000000 1M", "is no slot's number" }, { "slot add 2 0 1M", "slot 0" },
		{ "slot move 1", "usage: slot move ID GPA" }, { "slot move 1 2 3", "unexpected '3'" },
		{ "slot move 7 0x10000000", "no slot 7" }, { "slot flags 0", "usage: slot flags" },
		{ "slot flags 0 shared", "no flag here" }, { "slot flags 0 log nolog", "second time" },
		{ "slot remove", "usage: slot remove ID" }, { "slot split 0", "usage:" },
		{ "slot resize 0", "usage:" },
		{ "slot discard 0 0", "usage:" }, { "slot remap 0 0 4K", "usage:" },
		{ "slot remap 0 0 4K x", "usage:" },
		{ "slot remap 0 0 4K file:/x y", "unexpected 'y'" }, { "slot save 0", "usage: slot save ID FILE" },
		{ "slot", "slot: one of list, add, move" }, { "dirty", "dirty: one of start, stop, peek" },
		{ "dirty start", "usage:" }, { "dirty start 9", "no slot 9" },
		{ "dirty take", "no slot is logged" },
		{ "dirty take 0", "slot 0 is not logged: dirty start 0" }, { "dirty take 9", "no slot 9" },
		{ "dirty take 0 flowers", "not logged" }, { "dirty diff 0", "not logged" },
		{ "dirty heat 0", "not logged" }, { "dirty heat 0 pgm x", "usage:" },
		{ "dirty rate 0 1", "usage:" }, { "dirty rate 0 1 2", "not logged" },
		{ "dirty rate 0 x 2", "no interval" },
		{ "dirty rate 0 1 0", "1 to 10000 lines" }, { "dirty who 0 off", "are not recorded" },
		{ "dirty who 0 0x1000", "not recorded: dirty who 0" }, { "dirty who 0 1 2 3", "unexpected '3'" },
		{ "dirty who 0 1 0", "no range" },
	};
	char *before = strdup(rig_ok(&rig, "slot list"));

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		rig_refuses(&rig, rows[i].line, rows[i].part);
	ck_assert_str_eq(rig_ok(&rig, "slot list"), before);
	free(before);
	rig_has(rig_ok(&rig, "help slot resize"), "KVM cannot resize a slot");
}
END_TEST

START_TEST(check)
{
	ck_assert_str_eq(rig_ok(&rig, "slot check"), "the kernel has what the table says: 2 slots\n");
	rig.f->fault[0] = (struct slot_fault){ .id = 1, .text = "is not there" };
	rig.f->nfault = 1;
	ck_assert_str_eq(rig_run(&rig, "slot check"),
			 "slot 1: is not there\nerror: 1 difference between the table and the kernel\n");
	ck_assert_int_eq(rig.status, -EIO);
}
END_TEST

/* -- logs -- */

START_TEST(peek_and_take)
{
	rig_ok(&rig, "dirty start 0");
	ck_assert(slot(0).log);
	ck_assert_str_eq(rig_ok(&rig, "dirty peek"), "slot 0: 0 of 256 pages dirty\n");
	fake_dirty(rig.f, 0, 3);
	for (uint64_t i = 62; i < 67; i++)
		fake_dirty(rig.f, 0, i);
	fake_dirty(rig.f, 0, 255);
	for (int i = 0; i < 2; i++)
		ck_assert_str_eq(rig_ok(&rig, i ? "dirty take 0" : "dirty peek"),
				 i ? "slot 0: 7 of 256 pages dirty, taken\n  0x3000-0x3fff  1 page\n"
				     "  0x3e000-0x42fff  5 pages\n  0xff000-0xfffff  1 page\n"
				   : "slot 0: 7 of 256 pages dirty\n  0x3000-0x3fff  1 page\n"
				     "  0x3e000-0x42fff  5 pages\n  0xff000-0xfffff  1 page\n");
	ck_assert_str_eq(rig_ok(&rig, "dirty take"), "slot 0: 0 of 256 pages dirty, taken\n");
	fake_dirty(rig.f, 0, 64);
	fake_dirty(rig.f, 0, 66);
	ck_assert_str_eq(rig_ok(&rig, "dirty peek 0 pages"),
			 "slot 0: 2 of 256 pages dirty\n  0x40000 0x42000\n");
	ck_assert_str_eq(rig_ok(&rig, "dirty peek bitmap"), "slot 0: 2 of 256 pages dirty\n  0x40000      "
			 "#.#.............................................................\n");
	rig_has(rig_ok(&rig, "translate 0x40010"), ", dirty\n");
	rig_has(rig_ok(&rig, "translate 0x41010"), ", clean\n");
	rig_has(rig_ok(&rig, "info slots"), "dirty 0.8%\n");
	rig_ok(&rig, "dirty stop 0");
	ck_assert_ptr_null(strstr(rig_ok(&rig, "translate 0x41010"), "clean"));
}
END_TEST

START_TEST(pictures_in_files)
{
	static const struct {
		const char *line, *head;
	} rows[] = {
		{ "dirty take 0 pgm", "P5\n" }, { "dirty take svg", "<svg " }, { "dirty heat 0 svg", "<svg " },
	};
	char text[16];
	FILE *f;

	rig_ok(&rig, "slot flags 0 log");
	for (size_t i = 0; i < 3; i++) {
		fake_dirty(rig.f, 0, 5);
		rig_refuses(&rig, rows[i].line, "usage:");
		snprintf(line, sizeof(line), "%s %s", rows[i].line, path);
		rig_has(rig_ok(&rig, line), path);
		f = fopen(path, "rb");
		ck_assert(f && fread(text, 1, sizeof(text), f) == sizeof(text) && !fclose(f));
		ck_assert(!memcmp(text, rows[i].head, strlen(rows[i].head)));
		fake_dirty(rig.f, 0, 6);
		rig_refuses(&rig, line, "exists: it is not written over");
		unlink(path);
	}
	/* What could not be written has not been taken. */
	rig_ok(&rig, "dirty take 0");
	fake_dirty(rig.f, 0, 7);
	rig_refuses(&rig, "dirty take 0 svg /nonexistent/x", "No such file");
	rig_has(rig_ok(&rig, "dirty take 0"), "1 of 256 pages dirty, taken");
	rig_ok(&rig, "slot flags 1 log");
	snprintf(line, sizeof(line), "dirty peek svg %s", path);
	rig_refuses(&rig, line, "2 slots are logged");
	ck_assert_int_eq(newfile_write("/dev/full/x", "a", 1, NULL), -ENOTDIR);
}
END_TEST

START_TEST(heat_fades)
{
	static const char rest[] = "...............................................................\n";
	const char *text;
	json_t *v;

	rig_ok(&rig, "dirty start 0");
	fake_dirty(rig.f, 0, 64);
	text = rig_ok(&rig, "dirty heat 0");
	rig_has(text, "slot 0 from 0x0 on: a cell is 4K, a row 256K; take 1, heat halves in 4 takes\n");
	snprintf(line, sizeof(line), "     0x40000  #%s", rest);
	rig_has(text, line);
	rig_has(text, "  cold .-:=+*%@# hot: 1.0 pages a take at 0x40000\n");
	for (int i = 0; i < 4; i++)
		rig_ok(&rig, "dirty heat 0");
	fake_dirty(rig.f, 0, 0);
	v = json_loads(rig_ok(&rig, "dirty heat 0 -j"), 0, NULL);
	ck_assert_uint_eq(data_u64(json_object_get(v, "result"), "calls"), 6);
	ck_assert_int_eq(json_integer_value(json_array_get(json_object_get(json_object_get(v, "result"), "heat"),
							   0)),
			 1000);
	ck_assert_int_eq(json_integer_value(json_array_get(json_object_get(json_object_get(v, "result"), "heat"),
							   64)),
			 420);
	json_decref(v);
	/* Its takes are nobody else's. */
	rig_has(rig_ok(&rig, "dirty peek 0"), "2 of 256 pages");
	/* With another size it begins anew. */
	rig_ok(&rig, "slot add 2 0x10000000 4M log");
	rig_ok(&rig, "dirty heat 2");
	rig_ok(&rig, "slot resize 2 8M");
	rig_has(rig_ok(&rig, "dirty heat 2"), "take 1,");
}
END_TEST

START_TEST(heat_styles)
{
	static const struct {
		const char *term, *no_colour, *lang;
		enum heat_style style;
	} rows[] = {
		{ "xterm", NULL, "C.UTF-8", HEAT_COLOUR }, { "xterm", "", "C.UTF-8", HEAT_COLOUR },
		{ "xterm", "1", "C.utf8", HEAT_BLOCKS }, { "dumb", NULL, "C.UTF-8", HEAT_PLAIN },
		{ NULL, NULL, "C.UTF-8", HEAT_PLAIN }, { "xterm", NULL, "C", HEAT_PLAIN },
	};
	struct heat *list = NULL, *h;
	uint64_t bit = 2;
	struct dirty_map map = { .pages = 3, .dirty = 1, .bits = &bit };
	struct out_buf b;
	json_t *v;

	unsetenv("LC_ALL");
	unsetenv("LC_CTYPE");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		setenv("LANG", rows[i].lang, 1);
		rows[i].term ? setenv("TERM", rows[i].term, 1) : unsetenv("TERM");
		rows[i].no_colour ? setenv("NO_COLOR", rows[i].no_colour, 1) : unsetenv("NO_COLOR");
		ck_assert_int_eq(heat_style_of(true), rows[i].style);
		ck_assert_int_eq(heat_style_of(false), HEAT_PLAIN);
	}
	h = heat_of(&list, &map);
	heat_add(h, &map);
	for (enum heat_style s = HEAT_PLAIN; s <= HEAT_COLOUR; s++) {
		v = heat_json(h, s);
		out_buf_init(&b);
		heat_render(v, &b.out);
		rig_has(b.text, s == HEAT_PLAIN ? "0  .#.\n" : s == HEAT_BLOCKS ? "0  ·█·\n" :
		    "\033[38;5;226m█\033[38;5;240m·\033[0m\n");
		out_buf_done(&b);
		json_decref(v);
	}
	heat_free_all(&list);
	ck_assert_ptr_null(list);
}
END_TEST

START_TEST(rate)
{
	const char *text;
	json_t *v;

	rig_ok(&rig, "dirty start 0");
	rig_refuses(&rig, "dirty rate 0 0.01 2", "the guest is stopped");
	rig_ok(&rig, "continue");
	fake_dirty(rig.f, 0, 1);
	/* What was there before is not counted; what comes while the loop waits is. */
	rig_start(&rig, "dirty rate 0 0.01 2");
	fake_dirty(rig.f, 0, 1);
	fake_dirty(rig.f, 0, 2);
	rig_until(&rig, &rig.done);
	ck_assert_int_eq(rig.status, 0);
	text = rig_said(&rig);
	rig_has(text, " s         2 pages  ");
	rig_has(text, " s         0 pages         0.0 MiB/s\n");
	rig_start(&rig, "dirty rate 0 0.01 1 -j");
	rig_until(&rig, &rig.done);
	v = json_loads(rig_said(&rig), 0, NULL);
	ck_assert_uint_eq(json_array_size(json_object_get(json_object_get(v, "result"), "samples")), 1);
	json_decref(v);
	/* It ends with the guest, by Ctrl-C, and with its slot. */
	rig_start(&rig, "dirty rate 0 1000 2");
	machine_stop(&rig.f->machine);
	rig_until(&rig, &rig.done);
	rig_has(rig_said(&rig), "the guest has stopped\n");
	rig_ok(&rig, "continue");
	task_interrupt(rig_start(&rig, "dirty rate 0 1000 2"));
	rig_until(&rig, &rig.done);
	rig_has(rig_said(&rig), "error: interrupted\n");
	rig_start(&rig, "dirty rate 0 0.01 1000");
	ck_assert(!machine_hold(&rig.f->machine, NULL));
	ck_assert(!machine_slot_flags(&rig.f->machine, 0, &(bool){ false }, NULL, NULL));
	machine_release(&rig.f->machine);
	rig_until(&rig, &rig.done);
	ck_assert_int_lt(rig.status, 0);
	rig_said(&rig);
}
END_TEST

/* -- pictures -- */

START_TEST(cells)
{
	struct cells c;
	uint64_t n[CELLS_MAX];
	uint64_t *bits = calloc(1, (100000 + 63) / 64 * 8);
	struct dirty_map m = { .gpa = 0x1000, .pages = 100000, .bits = bits };
	struct page_run run;
	uint64_t sum = 0;

	for (uint64_t i = 100; i < 300; i++)
		bits[i / 64] |= 1ULL << i % 64;
	bits[99999 / 64] |= 1ULL << 99999 % 64;
	c = cells_of(m.gpa, m.pages);
	ck_assert_uint_eq(c.each, 128);
	ck_assert_uint_eq(c.n, 782);
	cells_count(&c, &m, n);
	ck_assert(n[0] == 28 && n[1] == 128 && n[2] == 44 && n[3] == 0 && n[781] == 1);
	ck_assert_uint_eq(cells_pages(&c, 781), 100000 - 781 * 128);
	ck_assert_uint_eq(cells_gpa(&c, 1), 0x1000 + 128 * 4096);
	for (size_t i = 0; i < c.n; i++)
		sum += n[i];
	ck_assert_uint_eq(sum, 201);
	ck_assert(pages_run(&m, 0, &run) && run.first == 100 && run.pages == 200);
	ck_assert(pages_run(&m, 150, &run) && run.first == 150 && run.pages == 150);
	ck_assert(pages_run(&m, 300, &run) && run.first == 99999 && run.pages == 1);
	ck_assert(!pages_run(&m, 100000, &run));
	/* Bits behind the end are nobody's. */
	m.pages = 99990;
	ck_assert(!pages_run(&m, 300, &run));
	free(bits);
	ck_assert_uint_eq(cells_of(0, CELLS_MAX).each, 1);
	ck_assert_uint_eq(cells_of(0, CELLS_MAX + 1).each, 2);
	ck_assert_uint_le(cells_of(0, 1ULL << 40).n, CELLS_MAX);
}
END_TEST

static size_t lines_of(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += *s == '\n';
	return n;
}

START_TEST(map)
{
	json_t *slots = json_array(), *v;
	struct out_buf b;
	char *text = strdup(rig_ok(&rig, "info slots"));

	rig_has(text, "a bar's width is 4G");
	rig_has(text, "         0x0  slot 0             1M |#                               | ram  anon  rw  huge\n");
	rig_has(text, "    0x100000  hole");
	rig_has(text, "  0xfec00000  mmio               4K |                               =| I/O APIC\n");
	rig_has(text, "  0xffff0000  slot 1            64K |                               o| rom  anon  ro  small "
	    "pages\n");
	ck_assert_uint_eq(lines_of(text), 8);
	free(text);
	/* Thousands of slots are summed up, the largest keeps its line. */
	for (int i = 0; i < 5000; i++)
		json_array_append_new(slots, json_pack("{s:i, s:o, s:I, s:s, s:s}", "id", i, "gpa",
						       data_hex((uint64_t)i << 20), "size",
						       (json_int_t)(i == 2222 ? 0x80000 : 0x1000), "label", "user",
						       "backing", "anon"));
	v = json_pack("{s:o, s:[]}", "slots", slots, "mmio");
	out_buf_init(&b);
	map_render(v, &b.out);
	ck_assert_uint_le(lines_of(b.text), MAP_LINES);
	rig_has(b.text, "slot 2222        512K");
	/* The largest, the 8 lowest of the others, and those between them. */
	rig_has(b.text, "2214 slots ");
	rig_has(b.text, "2777 slots ");
	rig_has(b.text, "a bar's width is 5G");
	out_buf_done(&b);
	json_decref(v);
	v = json_pack("{s:[], s:[]}", "slots", "mmio");
	out_buf_init(&b);
	map_render(v, &b.out);
	ck_assert_uint_eq(lines_of(b.text), 1);
	rig_has(b.text, "a bar's width is 4G");
	out_buf_done(&b);
	json_decref(v);
}
END_TEST

/* -- who and diff -- */

START_TEST(diff)
{
	static const uint8_t was[20] = { 1, 2 }, is[20] = { 0xff, 0x20 };

	rig_ok(&rig, "dirty start 0");
	rig.f->diff[0] = (struct fake_diff){ .id = 0, .gpa = 0x2004, .was = was, .is = is, .len = 2 };
	rig.f->diff[1] = (struct fake_diff){ .id = 0, .gpa = 0x3000, .was = was, .is = is, .len = 20 };
	rig.f->ndiff = 2;
	/* To begin is no failure. */
	ck_assert_uint_eq(lines_of(rig_ok(&rig, "dirty diff 0")), 1);
	ck_assert_str_eq(rig_ok(&rig, "dirty diff 0"),
			 "0x2004  2 bytes  0102 -> ff20\n"
			 "0x3000  20 bytes  01020000000000000000000000000000 -> ff200000000000000000000000000000 "
			 "...\n"
			 "slot 0: 22 bytes changed in 2 runs\n");
}
END_TEST

START_TEST(who)
{
	static const struct fake_writer writers[] = {
		{ 0, { .cpu = 1, .pc = 0x1014, .gpa = 0x5000, .count = 9 } },
		{ 0, { .cpu = 0, .pc = 0x1030, .gpa = 0x7000, .count = 7 } },
		{ 0, { .cpu = 1, .pc = 0x1014, .gpa = 0x6000, .count = 3 } },
		{ 0, { .cpu = 1, .pc = 0x1014, .gpa = 0x8000, .count = 1 } },
	};

	rig_ok(&rig, "dirty start 0");
	ck_assert_str_eq(rig_ok(&rig, "dirty who 0"), "slot 0: its writers are now recorded\n");
	ck_assert(slot(0).watched);
	rig_has(rig_ok(&rig, "info slots"), " who  ");
	ck_assert_str_eq(rig_ok(&rig, "dirty who 0"), "nobody has written there\n");
	memcpy(rig.f->writer, writers, sizeof(writers));
	rig.f->nwriter = 4;
	ck_assert_str_eq(rig_ok(&rig, "dirty who 0"),
			 "cpu 1  0x1014 <main+4>  0x5000-0x6fff  12 writes\n"
			 "cpu 0  0x1030 <loop>  0x7000-0x7fff  7 writes\n"
			 "cpu 1  0x1014 <main+4>  0x8000-0x8fff  1 write\n");
	ck_assert_str_eq(rig_ok(&rig, "dirty who 0 0x6123"), "cpu 1  0x1014 <main+4>  0x6000-0x6fff  3 writes\n");
	ck_assert_uint_eq(lines_of(rig_ok(&rig, "dirty who 0 0x6000 8K+1")), 3);
	ck_assert_str_eq(rig_ok(&rig, "dirty who 0 off"), "slot 0: its writers are no longer recorded\n");
	ck_assert(!slot(0).watched);
}
END_TEST

/* Slots of the second address space are named so wherever one is given or shown. */
START_TEST(second_space)
{
	const char *text;
	char **names;
	bool file;

	rig_ok(&rig, "slot add 5 0 1M log as=1 ro");
	ck_assert_uint_eq(slot(1 << 16 | 5).size, 1 << 20);
	ck_assert(slot(1 << 16 | 5).readonly);
	rig_refuses(&rig, "slot add 1:6 0x1000 4K", "slot 1:6: overlaps slot 1:5 at 0x0-0xfffff");
	rig_ok(&rig, "slot move 1:5 0x40000000");
	rig_ok(&rig, "slot flags 1:5 rw");
	ck_assert(!slot(1 << 16 | 5).readonly);
	rig_ok(&rig, "slot add 1:7 0x50000000 4K backing=alias:1:5+4K");
	ck_assert_str_eq(rig_ok(&rig, "slot split 1:5 512K"), "slot 1:0 is the upper part\n");
	rig_has(rig_ok(&rig, "slot list"), "slot 1:0  0x40080000-0x400fffff  512K  ");
	rig_has(rig_ok(&rig, "dirty take 1:5"), "slot 1:5: ");
	rig_has(rig_ok(&rig, "dirty take 65541"), "slot 1:5: ");
	rig_refuses(&rig, "dirty take 1:7", "slot 1:7 is not logged: dirty start 1:7");
	rig_refuses(&rig, "dirty take 1:9", "there is no slot 1:9");
	text = rig_ok(&rig, "info slots");
	rig_has(text, "guest-physical memory, a bar's");
	rig_has(text, "guest-physical memory of address space 1, system management mode's, a bar's");
	text = strstr(text, "of address space 1");
	rig_has(text, "  0x40000000  slot 1:5");
	rig_has(text, "  0x50000000  slot 1:7");
	ck_assert_ptr_null(strstr(text, "slot 0 "));

	names = complete_line(&rig.f->machine, "slot move 1:", strlen("slot move 1:"), "", &file);
	ck_assert_str_eq(names[0], "5");
	ck_assert_str_eq(names[1], "0");
	ck_assert_str_eq(names[2], "7");
	ck_assert_ptr_null(names[3]);
	complete_free(names);
	rig_ok(&rig, "slot remove 1:7");
	rig_ok(&rig, "slot remove 1:5");
	rig_ok(&rig, "slot remove 1:0");
	ck_assert_ptr_null(strstr(rig_ok(&rig, "info slots"), "address space"));
}
END_TEST

START_TEST(completion)
{
	static const struct {
		const char *line, *text, *names;
		bool file;
	} rows[] = {
		{ "slot ", "re", "remove resize remap ", false }, { "slot move ", "", "0 1 ", false },
		{ "slot flags 0 ", "", "log nolog ro rw ", false }, { "slot flags 0 log ", "r", "ro rw ", false },
		{ "slot add 2 0 4K ", "", "backing= shared private log ro as= ", false },
		{ "slot add 2 0 4K backing=", "", "anon memfd file: hugetlb alias: rma ", false },
		{ "slot add 2 0 4K backing=", "me", "memfd ", false },
		{ "dirty take ", "", "0 1 runs bitmap pages pgm svg ", false },
		{ "dirty take 0 ", "p", "pages pgm ", false },
		{ "dirty take 0 svg ", "", "", true }, { "slot save 0 ", "", "", true },
		{ "dirty heat 0 ", "", "svg ", false },
		{ "dirty who 0 ", "", "off ", false }, { "slot remap 0 0 4K ", "", "file: ", false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char all[200] = "";
		bool file;
		char **names = complete_line(&rig.f->machine, rows[i].line, strlen(rows[i].line), rows[i].text,
					     &file);

		for (size_t k = 0; names && names[k]; k++) {
			strcat(all, names[k]);
			strcat(all, " ");
		}
		complete_free(names);
		ck_assert_msg(!strcmp(all, rows[i].names) && file == rows[i].file, "%s|%s: %s", rows[i].line,
			      rows[i].text, all);
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		add_and_change, backings, bad_arguments, check, peek_and_take, pictures_in_files, heat_fades,
		heat_styles,
		rate, cells, map, diff, who, second_space, completion,
	};
	Suite *s = suite_create("slot");
	TCase *t = tcase_create("slot");

	tcase_add_checked_fixture(t, set_up, tear_down);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(t, tests[i]);
	tcase_set_timeout(t, 60);
	suite_add_tcase(s, t);
	return unit_main(s);
}
