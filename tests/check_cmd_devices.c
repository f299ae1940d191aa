/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The monitor's commands about devices, the PCI bus and what is injected, against a fake machine. */
#include <string.h>

#include "monitor/complete.h"
#include "monitor/render.h"
#include "tests/monitor_rig.h"
#include "tests/unit.h"

static struct rig rig;

static void set_up(void)
{
	rig_init(&rig, &rig_long64, false);
}

static void tear_down(void)
{
	rig_done(&rig);
}

/* -- info devices -- */

START_TEST(devices_listed)
{
	json_t *v, *row;

	ck_assert_str_eq(rig_ok(&rig, "info devices"),
			 "uart   serial line COM1        ports 0x3f8-0x3ff\n"
			 "uart2  serial line COM2\n"
			 "ide0   IDE channel, primary    ports 0x1f0-0x1f7, 0x3f6, 0xc040-0xc047\n"
			 "ide1   IDE channel, secondary  ports 0x170-0x177, 0x376\n"
			 "vga    VGA, text modes         ports 0x3c0-0x3df, memory 0xb8000-0xbffff\n");
	v = rig_result(&rig, "info devices -j");
	row = json_array_get(json_object_get(v, "devices"), 4);
	ck_assert_str_eq(data_str(row, "name"), "vga");
	row = json_array_get(json_object_get(row, "ranges"), 1);
	ck_assert_str_eq(data_str(row, "kind"), "memory");
	ck_assert_uint_eq(data_u64(row, "last"), 0xbffff);
	json_decref(v);
}
END_TEST

START_TEST(device_registers)
{
	json_t *v, *row;

	ck_assert_str_eq(rig_ok(&rig, "info devices uart"), "uart: serial line COM1\n"
							    "  ports 0x3f8-0x3ff\n"
							    "  ier      0x05    receiver, line status\n"
							    "  divisor  0x000c\n");
	/* The beginning of a name, in any case. */
	ck_assert_str_eq(rig_ok(&rig, "info devices IDE0"), "ide0: IDE channel, primary\n"
							    "  ports 0x1f0-0x1f7, 0x3f6, 0xc040-0xc047\n"
							    "  status  0x50            ready, seek done\n"
							    "  lba48   0x00123456789a\n");
	/* Many without a meaning stand beside each other. */
	ck_assert_str_eq(rig_ok(&rig, "info dev ide1"),
			 "ide1: IDE channel, secondary\n"
			 "  ports 0x170-0x177, 0x376\n"
			 "  r0      0x01                r1      0x0002              longer  0x0000000000000003\n"
			 "  r3      0x1\n");
	ck_assert_str_eq(rig_ok(&rig, "info dev uart2"), "uart2: serial line COM2\n  no registers\n");
	/* What a guest may have had a hand in leaves the terminal alone; an empty meaning is none. */
	ck_assert_str_eq(rig_ok(&rig, "info devices v"), "vga: VGA, text modes\n"
							 "  ports 0x3c0-0x3df, memory 0xb8000-0xbffff\n"
							 "  start    0xb8000             with ? and \\xff in it\n"
							 "  enabled  0x1\n"
							 "  base     0x00000000fee00000\n");
	v = rig_result(&rig, "info devices v -j");
	row = json_array_get(json_object_get(v, "registers"), 2);
	ck_assert_str_eq(data_str(row, "value"), "0xfee00000");
	ck_assert_uint_eq(data_u64(row, "bits"), 64);
	ck_assert_ptr_null(json_object_get(row, "text"));
	json_decref(v);
}
END_TEST

START_TEST(devices_refused)
{
	static const struct refusal bad[] = {
		{ "info devices ide", "'ide' could be ide0, ide1" },
		{ "info devices ua", "could be uart, uart2" },
		{ "info devices nosuch", "there is no device 'nosuch' (info devices lists them)" },
		{ "info devices ide00", "there is no device 'ide00'" },
		{ "info devices uart vga", "usage: info devices [NAME]" },
	};

	RIG_REFUSES_ALL(&rig, bad);
}
END_TEST

/* Many ranges go on below each other. */
START_TEST(long_ranges_wrap)
{
	json_t *v = json_pack("{s:[{s:s, s:s, s:[]}]}", "devices", "name", "x", "what", "many", "ranges");
	json_t *ranges = json_object_get(json_array_get(json_object_get(v, "devices"), 0), "ranges");
	const struct cmd *c = NULL;
	struct out_buf b;
	size_t used;

	for (unsigned i = 0; i < 12; i++)
		json_array_append_new(ranges, json_pack("{s:s, s:s, s:s}", "kind", "ports", "first", "0x1000", "last",
							"0x10ff"));
	ck_assert_int_eq(cmd_find("info devices", 12, &used, &c, NULL), 0);
	out_buf_init(&b);
	c->render(v, &b.out);
	for (const char *line = b.text; *line; line = strchr(line, '\n') + 1)
		ck_assert_uint_le(strcspn(line, "\n"), 100);
	rig_has(b.text, "x  many  ports 0x1000-0x10ff, 0x1000-0x10ff");
	rig_has(b.text, ",\n         0x1000-0x10ff");
	out_buf_done(&b);
	json_decref(v);
}
END_TEST

/* -- info pci -- */

START_TEST(pci_listed)
{
	json_t *v, *row;

	ck_assert_str_eq(rig_ok(&rig, "info pci"),
			 "00:00.0  8086:1237  host bridge    440FX host bridge (revision 02)\n"
			 "00:01.1  8086:7010  IDE interface  PIIX3 IDE\n"
			 "         BAR0 ports 0x1f0-0x1f7, off\n"
			 "         BAR4 ports 0xc040-0xc04f\n"
			 "01:1f.7  1af4:1000  class 0xff01   something else\n"
			 "         BAR1 memory 0xfebc0000-0xfebdffff, 128K\n"
			 "         interrupt INTB, line 10\n");
	v = rig_result(&rig, "info pci -j");
	row = json_array_get(json_object_get(v, "functions"), 1);
	ck_assert_str_eq(data_str(row, "place"), "00:01.1");
	ck_assert_str_eq(data_str(row, "class"), "0x010180");
	row = json_array_get(json_object_get(row, "bars"), 1);
	ck_assert_uint_eq(data_u64(row, "base"), 0xc040);
	ck_assert(data_true(row, "enabled"));
	json_decref(v);
}
END_TEST

START_TEST(pci_function)
{
	static const char *const names[] = { "info pci 00:01.1", "info pci 1.1", "info pci 0:1.1", "info pci 00:1.1" };
	const char *text = rig_ok(&rig, "info pci 1:1F.7");

	rig_has(text, "01:1f.7  1af4:1000  class 0xff01  something else\n"
		      "  class     0xff0102\n"
		      "  command   0x0005  I/O master\n"
		      "  status    0x2280  fast got-master-abort\n"
		      "  BAR1      memory 0xfebc0000-0xfebdffff, 128K\n"
		      "  interrupt INTB, line 10\n"
		      "  00: f4 1a 00 10 05 00 80 22 00 00 01 ff 00 00 00 00\n");
	rig_has(text, "\n  f0: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 5a\n");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		rig_has(rig_ok(&rig, names[i]), "00:01.1  8086:7010  IDE interface  PIIX3 IDE\n");
}
END_TEST

START_TEST(pci_refused)
{
	static const struct refusal bad[] = {
		{ "info pci 00:02.0", "nothing is at 00:02.0 (info pci lists what there is)" },
		{ "info pci 00:1f.7", "nothing is at 00:1f.7" },
		{ "info pci 1", "'1' is no place on the PCI bus" },
		{ "info pci 1.8", "no place" },
		{ "info pci 20.0", "no place" },
		{ "info pci 100:0.0", "no place" },
		{ "info pci 00:01.1x", "no place" },
		{ "info pci :1.1", "no place" },
		{ "info pci 0:0:1.1", "no place" },
		{ "info pci .", "no place" },
		{ "info pci 1.", "no place" },
		{ "info pci 00000000001.1 2", "usage: info pci" },
	};

	RIG_REFUSES_ALL(&rig, bad);
}
END_TEST

/* -- inject -- */

static void check_injected(enum inject_kind kind, unsigned cpu, unsigned number, bool has_code, uint32_t code)
{
	const struct injection *i = &rig.f->injected;

	ck_assert_int_eq(i->kind, kind);
	if (kind != INJECT_IRQ)
		ck_assert_uint_eq(i->cpu, cpu);
	if (kind != INJECT_NMI)
		ck_assert_uint_eq(i->number, number);
	ck_assert_int_eq(i->has_code, has_code);
	ck_assert_uint_eq(i->code, code);
}

START_TEST(injected)
{
	ck_assert_str_eq(rig_ok(&rig, "inject nmi"), "cpu 0: an NMI comes\n");
	check_injected(INJECT_NMI, 0, 0, false, 0);
	ck_assert_str_eq(rig_ok(&rig, "inject irq 2 + 2"), "interrupt line 4 was raised and lowered\n");
	check_injected(INJECT_IRQ, 0, 4, false, 0);
	rig_ok(&rig, "cpu 1");
	ck_assert_str_eq(rig_ok(&rig, "inject exception 6"),
			 "cpu 1: exception 6 (ud) comes before the next instruction\n");
	check_injected(INJECT_EXCEPTION, 1, 6, false, 0);
	ck_assert_str_eq(rig_ok(&rig, "inject exception pf 0x12"),
			 "cpu 1: exception 14 (pf), code 0x12, comes before the next instruction\n");
	check_injected(INJECT_EXCEPTION, 1, 14, true, 0x12);
	rig_ok(&rig, "inject exception 12+1 0xffffffff");
	check_injected(INJECT_EXCEPTION, 1, 13, true, 0xffffffff);
	ck_assert_str_eq(rig_ok(&rig, "inject exception 8 0 -j"),
			 "{\"command\":\"inject\",\"result\":{\"kind\":\"exception\",\"cpu\":1,\"number\":8,"
			 "\"name\":\"df\",\"code\":\"0x0\"}}\n");
}
END_TEST

/* A guest that runs is held for it. */
START_TEST(injected_while_running)
{
	rig_ok(&rig, "continue");
	rig_ok(&rig, "inject nmi");
	ck_assert_uint_eq(rig.f->calls.hold, rig.f->calls.release);
	ck_assert_uint_eq(rig.f->calls.inject, 1);
	ck_assert_int_eq(machine_state(&rig.f->machine), MACHINE_RUNNING);
}
END_TEST

START_TEST(injection_refused)
{
	static const struct refusal bad[] = {
		{ "inject", "usage: inject nmi|irq N|exception N [CODE]" },
		{ "inject smi", "usage" },
		{ "inject nmi 1", "unexpected '1'" },
		{ "inject irq", "usage" },
		{ "inject irq 0x10000", "is no interrupt line" },
		{ "inject irq 4 5", "unexpected '5'" },
		{ "inject exception", "usage" },
		{ "inject exception 32", "0x20 is no vector of an exception: the last is 0x1f" },
		{ "inject exception xx", "xx" },
		{ "inject exception pf 1<<32", "is no error code" },
		{ "inject exception pf 1 2", "unexpected '2'" },
	};

	RIG_REFUSES_ALL(&rig, bad);
	ck_assert_uint_eq(rig.f->calls.inject, 0);
	rig_refuses(&rig, "inject irq 24", "there is no interrupt line 24");
	rig_refuses(&rig, "inject exception pf", "exception 14 has an error code");
	rig_refuses(&rig, "inject exception ud 0", "exception 6 has no error code");
	ck_assert(!rig.malformed);
}
END_TEST

/* -- trouble -- */

START_TEST(trouble_told)
{
	fake_device_trouble(rig.f, "virtio-blk0: queue 0: descriptor 3 is outside memory");
	rig_settle(&rig);
	ck_assert_str_eq(rig_said(&rig), "virtio-blk0: queue 0: descriptor 3 is outside memory\n");
	rig_done(&rig);
	rig_init(&rig, &rig_long64, true);
	fake_device_trouble(rig.f, "virtio-rng: queue 0 was enabled twice");
	rig_settle(&rig);
	ck_assert_str_eq(rig_said(&rig), "{\"event\":\"trouble\",\"text\":\"virtio-rng: queue 0 was enabled twice\"}\n");
}
END_TEST

/* -- a machine without any of it -- */

START_TEST(nothing_there)
{
	rig_done(&rig);
	rig_init(&rig, &(struct fake_config){ .bare = true }, false);
	ck_assert_str_eq(rig_ok(&rig, "info devices"), "there are no devices\n");
	ck_assert_str_eq(rig_ok(&rig, "info pci"), "there is no PCI bus\n");
	rig_refuses(&rig, "screen", "this machine has no screen");
	rig_refuses(&rig, "sendkey a", "this machine has no keyboard");
}
END_TEST

static bool offers(const char *line, const char *text, const char *name)
{
	bool file, found = false;
	char **names = complete_line(&rig.f->machine, line, strlen(line), text, &file);

	for (size_t i = 0; names && names[i]; i++)
		found |= !strcmp(names[i], name);
	complete_free(names);
	return found;
}

START_TEST(completed)
{
	ck_assert(offers("info devices ", "i", "ide1"));
	ck_assert(!offers("info devices ", "i", "vga"));
	ck_assert(!offers("info devices uart ", "", "vga"));
	ck_assert(offers("inject ", "", "exception"));
	ck_assert(!offers("inject irq ", "", "nmi"));
	ck_assert(offers("log ", "o", "off"));
	ck_assert(offers("info ", "p", "pci"));
}
END_TEST

/* A guest that powers off has said so in words; one that leaves by its port, with a status. */
START_TEST(power_off)
{
	struct stop_event off = { .reason = STOP_EXIT, .text = "the guest switched itself off" };

	rig_ok(&rig, "continue");
	fake_inject(rig.f, &off);
	rig_ok(&rig, "wait 10");
	ck_assert_str_eq(rig_ok(&rig, "info status"), "ended: elf64 image fake.img, 1M of memory, 2 vCPUs\n"
						      "cpu 0: the guest switched itself off\n");
	rig_refuses(&rig, "continue", "the guest has ended");
}
END_TEST

START_TEST(power_off_told)
{
	struct stop_event off = { .reason = STOP_EXIT, .text = "the guest switched itself off" };

	rig_ok(&rig, "continue");
	fake_inject(rig.f, &off);
	rig_settle(&rig);
	ck_assert_str_eq(rig_said(&rig), "cpu 0: the guest switched itself off\n");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("devices");
	TCase *c = tcase_create("monitor");

	tcase_add_checked_fixture(c, set_up, tear_down);
	tcase_add_test(c, devices_listed);
	tcase_add_test(c, device_registers);
	tcase_add_test(c, devices_refused);
	tcase_add_test(c, long_ranges_wrap);
	tcase_add_test(c, pci_listed);
	tcase_add_test(c, pci_function);
	tcase_add_test(c, pci_refused);
	tcase_add_test(c, injected);
	tcase_add_test(c, injected_while_running);
	tcase_add_test(c, injection_refused);
	tcase_add_test(c, trouble_told);
	tcase_add_test(c, nothing_there);
	tcase_add_test(c, completed);
	tcase_add_test(c, power_off);
	tcase_add_test(c, power_off_told);
	suite_add_tcase(s, c);
	return unit_main(s);
}
