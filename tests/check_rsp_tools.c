/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What other clients than an old gdb ask for: binary reads, error texts, search and checksum, lldb's packets, QEMU's. */
#include <stdio.h>
#include <string.h>

#include "tests/rsp_rig.h"
#include "tests/unit.h"

static const struct fake_config config = {
	.cpus = 2, .ram_size = 0x100000, .hole = 0x8000, .hole_size = 0x1000, .image_bits = 64, .mode = MODE_LONG,
};

static struct rig r;

static void setup(void)
{
	rig_open(&r, &config);
}

static void teardown(void)
{
	rig_close(&r);
}

static void ask(const char *request, const char *reply)
{
	const char *got = rig_ask(&r, request);

	ck_assert_msg(!strcmp(got, reply), "%s: got %s, not %s", request, got, reply);
}

/* The reply to REQUEST begins with REPLY. */
static void ask_begins(const char *request, const char *reply)
{
	const char *got = rig_ask(&r, request);

	ck_assert_msg(!strncmp(got, reply, strlen(reply)), "%s: got %s, not %s...", request, got, reply);
}

/* -- memory -- */

START_TEST(binary_read)
{
	static const char special[] = "X2000,6:#$}*ab";
	size_t len;

	rig_ask_bytes(&r, special, sizeof(special) - 1);
	ask("x0,0", "b");
	ask("x2000,6", "b#$}*ab");
	ask("x8000,1", "E0e");
	ask("x7ffe,10", "b");           /* two zero bytes: the part before the hole */
	rig_send(&r, "x7ffe,10", 8);
	ck_assert_str_eq(rig_take_raw(&r), "$b");       /* a NUL follows */
	rig_send(&r, "x7ffe,10", 8);
	session_output(r.s, &len);
	ck_assert_uint_eq(len, strlen("$b..#xx"));
	rig_take(&r);
}
END_TEST

/* As much as a packet holds, whatever the bytes are. */
START_TEST(binary_read_escapes)
{
	static uint8_t packet[0x20020];
	size_t len, at = (size_t)sprintf((char *)packet, "X10000,20000:");

	memset(packet + at, _i ? '}' : 'a', 0x20000);
	ck_assert_str_eq(rig_ask_bytes(&r, packet, at + 0x20000), "OK");
	len = strlen(rig_ask(&r, "x10000,20000"));
	/* one escaped byte does not fit beside the "b" */
	ck_assert_uint_eq(len, _i ? 0x20000 : 0x20001);
}
END_TEST

START_TEST(error_texts)
{
	ask("m8000,4", "E0e");
	ask_begins("qSupported:error-message+", "PacketSize=");
	ck_assert_ptr_nonnull(strstr(rig_ask(&r, "qSupported:error-message+"), ";error-message+"));
	ask_begins("m8000,4", "E.");
	ask_begins("x8000,4", "E.");
	ask_begins("M8000,1:00", "E.");
	ask("m8000", "E16");
	ask_begins("qSupported:", "PacketSize=");
	ask("m8000,4", "E0e");
	ask("QEnableErrorStrings", "OK");
	ask_begins("m8000,4", "E0e;");
}
END_TEST

START_TEST(search)
{
	rig_ask(&r, "M2ffe,5:6e6565646c");
	ask("qSearch:memory:2000;2000;needl", "1,2ffe");
	ask("qSearch:memory:2ffe;5;needl", "1,2ffe");
	ask("qSearch:memory:2ffe;4;needl", "0");        /* all of it must be within */
	ask("qSearch:memory:2fff;2000;needl", "0");
	ask("qSearch:memory:2000;8000;absent", "E0e");  /* runs into the hole */
	ask("qSearch:memory:2000;8000;needl", "1,2ffe");
	ask("qSearch:memory:2000;0;needl", "0");
	ask("qSearch:memory:2000;10;", "E16");
	ask("qSearch:memory:ffffffffffffffff;2;a", "E16");
	/* across where one read ends and the next begins */
	rig_ask(&r, "M4fffe,5:6e6565646c");
	ask("qSearch:memory:10000;80000;needl", "1,4fffe");
}
END_TEST

/* The values are gdb's own: CRC-32 with the highest bit first, from all ones, not inverted. */
START_TEST(crc)
{
	rig_ask(&r, "M2000,9:313233343536373839");
	ask("qCRC:2000,9", "C376e6e7");
	ask("qCRC:2000,0", "Cffffffff");
	ask("qCRC:7ff0,20", "E0e");
	ask("qCRC:0,ffffffff", "E1b");
}
END_TEST

START_TEST(physical)
{
	ask("qqemu.PhyMemMode", "0");
	ask("m100000,1", "E06");
	ask("Qqemu.PhyMemMode:1", "OK");
	ask("qqemu.PhyMemMode", "1");
	rig_ask(&r, "M8000,2:abcd");                    /* what no virtual address leads to */
	ask("m8000,2", "abcd");
	ask("Qqemu.PhyMemMode:2", "E16");
	ask("Qqemu.PhyMemMode:0", "OK");
	ask("m8000,2", "E0e");
}
END_TEST

START_TEST(offsets)
{
	const uint64_t up = 0x600000, down = -0x1000ull;

	ask("qOffsets", "");
	machine_sym_slide(&r.f->machine, &up);
	ask("qOffsets", "Text=600000;Data=600000;Bss=600000");
	r.f->info.exec_segments = 1;
	r.f->info.exec_segment[0] = 0x1000;
	ask("qOffsets", "TextSeg=601000");
	r.f->info.exec_segments = 2;
	r.f->info.exec_segment[1] = 0x2000;
	ask("qOffsets", "TextSeg=601000;DataSeg=602000");
	machine_sym_slide(&r.f->machine, &down);
	ask("qOffsets", "TextSeg=0;DataSeg=1000");
	r.f->info.exec_segment[0] = 0;
	ask("qOffsets", "TextSeg=fffffffffffff000;DataSeg=1000");
	r.f->info.image_bits = 32;
	ask("qOffsets", "TextSeg=fffff000;DataSeg=1000");
	ask("qOffsets:1", "");
}
END_TEST

START_TEST(single_step_bits)
{
	ask("qqemu.sstepbits", "ENABLE=1,NOIRQ=2");
	ask("qqemu.sstep", "0x3");
	ask("Qqemu.sstep=1", "OK");
	ck_assert(machine_setting(&r.f->machine, SETTING_STEP_IRQS, NULL));
	ask("qqemu.sstep", "0x1");
	ask("Qqemu.sstep=0x3", "OK");
	ck_assert(!machine_setting(&r.f->machine, SETTING_STEP_IRQS, NULL));
	ask("Qqemu.sstep=0", "E16");
	ask("Qqemu.sstep=7", "E16");
	ask("Qqemu.sstep=", "E16");
	ask("qqemu.sstep", "0x3");
}
END_TEST

/* -- lldb -- */

START_TEST(triples)
{
	static const struct {
		unsigned bits;
		enum cpu_mode mode;
		const char *reply;
	} kinds[] = {
		{ 64, MODE_LONG, "triple:7838365f36342d756e6b6e6f776e2d756e6b6e6f776e;ptrsize:8;endian:little;" },
		{ 32, MODE_PROT32, "triple:693338362d756e6b6e6f776e2d756e6b6e6f776e;ptrsize:4;endian:little;" },
		{ 0, MODE_REAL, "triple:693338362d756e6b6e6f776e2d756e6b6e6f776e2d636f64653136;ptrsize:4;endian:little;" },
	};
	struct fake_config c = { .image_bits = kinds[_i].bits, .mode = kinds[_i].mode };

	rig_open(&r, &c);
	ask_begins("qHostInfo", kinds[_i].reply);
	ck_assert_ptr_nonnull(strstr(rig_ask(&r, "qProcessInfo"), kinds[_i].reply));
	rig_close(&r);
}
END_TEST

START_TEST(thread_suffix)
{
	ask("Hg1", "OK");
	ask("p0;thread:2;", "E16");
	ask("QThreadSuffixSupported", "OK");
	ask("P0=1122334455667788;thread:2;", "OK");
	ask("p0;thread:2;", "1122334455667788");
	ask("p0;thread:1;", "0000000000000000");
	ask("p0", "0000000000000000");
	ask("p0;thread:3;", "E16");
	ask("p0;thread:2", "E16");
	ask_begins("g;thread:2;", "1122334455667788");
	ask("qC", "QC1");
}
END_TEST

START_TEST(stops)
{
	struct stop_event ev = { .reason = STOP_WATCH, .owners = BREAK_OWNER_GDB, .cpu = 1,
				 .watch = { .gva = 0x2010, .size = 4, .spec = { .kind = WATCH_WRITE } } };

	ck_assert_ptr_null(strstr(rig_ask(&r, "?"), "thread-pcs"));
	ask("QListThreadsInStopReply", "OK");
	ck_assert_ptr_nonnull(strstr(rig_ask(&r, "?"), ";threads:1,2;thread-pcs:1000,1000;"));
	rig_send(&r, "vCont;s:1", 9);
	rig_poll(&r);
	ck_assert_ptr_nonnull(strstr(rig_ask(&r, "qThreadStopInfo1"), "reason:trace;"));
	ask_begins("qThreadStopInfo2", "T00thread:2;core:1;");
	rig_ask(&r, "Z0,1005,1");
	rig_send(&r, "vCont;c", 7);
	ck_assert_ptr_nonnull(strstr(rig_poll(&r), "reason:breakpoint;"));
	rig_ask(&r, "z0,1005,1");
	rig_send(&r, "vCont;c", 7);
	fake_inject(r.f, &ev);
	/* "8208 0 8208": where it was set and where it was hit, for lldb to find its own by */
	ck_assert_ptr_nonnull(strstr(rig_poll(&r), "reason:watchpoint;description:383230382030203832303"));
	ask_begins("qThreadStopInfo2", "T05thread:2;core:1;");
	ask("qThreadStopInfo3", "E16");
	ask_begins("jThreadsInfo", "[{\"tid\":1,\"name\":\"CPU#0\",\"registers\":{\"16\":\"");
	ck_assert_ptr_nonnull(strstr(rig_ask(&r, "jThreadsInfo"), "{\"tid\":2,\"name\":\"CPU#1\",\"signal\":5,\"reason\":\"watchpoint\","
								  "\"description\":\"8208 0 8208\",\"registers\":{"));
	rig_send(&r, "vCont;c", 7);
	ev = (struct stop_event){ .reason = STOP_CATCH, .text = "a \"port\"" };
	fake_inject(r.f, &ev);
	ck_assert_ptr_nonnull(strstr(rig_poll(&r), "reason:exception;description:61202770"));
}
END_TEST

START_TEST(regions)
{
	ask("qMemoryRegionInfo:0", "start:0;size:8000;permissions:rwx;");
	ask("qMemoryRegionInfo:7fff", "start:0;size:8000;permissions:rwx;");
	ask("qMemoryRegionInfo:8000", "start:8000;size:1000;");
	ask("qMemoryRegionInfo:9000", "start:9000;size:f7000;permissions:rwx;");
	/* lldb asks on until a region ends at 2^64 - 1 */
	ask("qMemoryRegionInfo:100000", "start:100000;size:ffffffffffefffff;");
	ask("qMemoryRegionInfo:ffffffffffffffff", "start:100000;size:ffffffffffefffff;");
	ask("qMemoryRegionInfo:", "E16");
	ask("qMemoryRegionInfo:0,1", "E16");
}
END_TEST

START_TEST(saved_registers)
{
	ask("QThreadSuffixSupported", "OK");
	ask("P0=0100000000000000;thread:2;", "OK");
	ask("QSaveRegisterState;thread:2;", "1");
	ask("P0=0200000000000000;thread:2;", "OK");
	ask("QSaveRegisterState;thread:2;", "2");
	ask("QRestoreRegisterState:1;thread:1;", "E16");
	ask("QRestoreRegisterState:1;thread:2;", "OK");
	ask("p0;thread:2;", "0100000000000000");
	ask("QRestoreRegisterState:1;thread:2;", "E02");
	/* the oldest make way */
	for (unsigned i = 0; i < 16; i++)
		rig_ask(&r, "QSaveRegisterState;thread:2;");
	ask("QRestoreRegisterState:2;thread:2;", "E02");
	ask("QRestoreRegisterState:3;thread:2;", "OK");
	ask("QRestoreRegisterState:x;thread:2;", "E16");
	ask("QRestoreRegisterState:-1;thread:2;", "E16");
}
END_TEST

START_TEST(speed_test)
{
	ask("qSpeedTest:response_size:3;data:00", "data:aaa");
	ask("qSpeedTest:response_size:0", "data:");
	ask("qSpeedTest:response_size:99999999;", "E16");
	ask("qSpeedTest:response_size:;", "E16");
	ask("qSpeedTest:size:1;", "E16");
}
END_TEST

START_TEST(signals)
{
	ask("QPassSignals:", "OK");
	ask("QPassSignals:e;10;1c", "OK");
	ask("QProgramSignals:0;1", "OK");
	ask("QPassSignals:100", "E16");
	ask("QPassSignals:1,2", "E16");
	/* none of these is known */
	ask("qTStatus", "");
	ask("QTinit", "");
	ask("qTsP", "");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("rsp_tools");
	TCase *t = tcase_create("tools");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, binary_read);
	tcase_add_loop_test(t, binary_read_escapes, 0, 2);
	tcase_add_test(t, error_texts);
	tcase_add_test(t, search);
	tcase_add_test(t, crc);
	tcase_add_test(t, physical);
	tcase_add_test(t, offsets);
	tcase_add_test(t, single_step_bits);
	tcase_add_test(t, thread_suffix);
	tcase_add_test(t, stops);
	tcase_add_test(t, regions);
	tcase_add_test(t, saved_registers);
	tcase_add_test(t, speed_test);
	tcase_add_test(t, signals);
	suite_add_tcase(s, t);
	t = tcase_create("triples");
	tcase_add_loop_test(t, triples, 0, 3);
	suite_add_tcase(s, t);
	return unit_main(s);
}
