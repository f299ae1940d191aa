/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Packets and their replies, one by one: what is asked of a stopped machine. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/rsp_rig.h"
#include "tests/unit.h"

#define FEATURES "PacketSize=40000;vContSupported+;QNonStop+;QThreadEvents+;binary-upload+;" \
		 "ConditionalBreakpoints+;BreakpointCommands+;QStartNoAckMode+;" \
		 "qXfer:features:read+;qXfer:threads:read+;" \
		 "qXfer:exec-file:read+;qXfer:memory-map:read+"
#define BAD     "E16"           /* EINVAL */
#define FAULT   "E0e"           /* EFAULT: not mapped */
#define NO_RAM  "E06"           /* ENXIO */

static const uint8_t code[] = { 0x90, 0x90, 0xcc, 0xf1, 0x23, 0x24, 0x7d, 0x2a };

/* Two vCPUs in 64-bit mode; 64 KiB of RAM with a hole at 0x8000. */
static const struct fake_config config64 = {
	.cpus = 2, .ram_size = 0x10000, .hole = 0x8000, .hole_size = 0x1000, .image_bits = 64, .mode = MODE_LONG,
	.code = code, .code_len = sizeof(code),
};

struct row {
	const char *request, *reply;
};

/* Each on a fresh machine. */
static const struct row packets[] = {
	{ "", "" },
	{ "?", "T05thread:1;core:0;10:0010000000000000;07:0080000000000000;06:0000000000000000;11:02000000;~" },
	{ "vMustReplyEmpty", "" },
	{ "vUnknown;1", "" },
	{ "qTStatus", "" },
	{ "qCR:0,10", "" },             /* not a qC */
	{ "qSymbol::", "OK" },
	{ "qSymbolic", "" },
	{ "qAttached", "1" },
	{ "qAttached:1", "1" },
	{ "qSupported", FEATURES },
	{ "qSupported:swbreak+;hwbreak-;xmlRegisters=i386,x;;", FEATURES ";swbreak+" },
	{ "qSupported:multiprocess+;hwbreak+", FEATURES ";hwbreak+;multiprocess+" },
	{ "vCont?", "vCont;c;C;s;S;t;r" },

	/* threads */
	{ "qC", "QC1" },
	{ "qfThreadInfo", "m1,2" },
	{ "qsThreadInfo", "l" },
	{ "qThreadExtraInfo,1", "435055233020" "5b73746f707065645d" },          /* CPU#0 [stopped] */
	{ "T1", "OK" },
	{ "T2", "OK" },
	{ "Hg0", "OK" },
	{ "Hg2", "OK" },
	{ "Hg-1", "OK" },
	{ "Hc-1", "OK" },
	{ "Hc1", "OK" },

	/* memory */
	{ "m1000,4", "9090ccf1" },
	{ "m0000000000001002,1", "cc" },
	{ "m1000,0", "" },
	{ "m7ffe,2", "0000" },
	{ "m7ffe,8", "0000" },          /* as far as it goes */
	{ "m8000,1", FAULT },
	{ "m9000,1", "00" },
	{ "mfffe,4", "0000" },
	{ "m10000,1", NO_RAM },
	{ "m8000000000000000,1", FAULT },
	{ "mffffffffffffffff,1", NO_RAM },
	{ "M1000,2:abCD", "OK" },
	{ "M1000,0:", "OK" },
	{ "X1000,0:", "OK" },
	{ "X1000,3:a*b", "OK" },
	{ "X8000,1:a", FAULT },
	{ "X7fff,2:ab", FAULT },

	/* registers */
	{ "p0", "0000000000000000" },
	{ "p10", "0010000000000000" },
	{ "p11", "02000000" },
	{ "p25", "0000000000000000" },
	{ "p26", "00000000000000000000" },
	{ "p2e", "7f030000" },
	{ "p46", "801f0000" },
	{ "p56", "00000000000000000000000000000000" },
	{ "P0=8877665544332211", "OK" },
	{ "P10=0020000000000000", "OK" },
	{ "P56=000102030405060708090a0b0c0d0e0f", "OK" },

	/* breakpoints */
	{ "Z0,1010,1", "OK" },
	{ "Z1,1010,1", "OK" },
	{ "Z1,10000,1", "OK" },
	{ "z0,1010,1", "OK" },          /* none there: idempotent */
	{ "z1,1010,1", "OK" },
	{ "Z0,8000,1", "OK" },          /* not mapped yet, no memory yet */
	{ "Z0,10000,1", "OK" },
	{ "Z0,8000000000000000,1", FAULT },
	{ "Z1,8000000000000000,1", FAULT },
	{ "Z2,1000,1", "OK" },
	{ "Z2,1001,2a", "OK" },
	{ "Z3,1000,40000000", "OK" },
	{ "Z4,1000,10000", "OK" },
	{ "z2,1000,1", "OK" },          /* none there, the next four, too */
	{ "z3,1000,8", "OK" },
	{ "z4,8000000000000000,8", "OK" },
	{ "z0,8000000000000000,1", "OK" },
	{ "Z2,8000000000000000,8", FAULT },
	{ "Z2,fffffffffffffffc,8", BAD },
	{ "Z5,1000,1", "" },
	{ "z5,1000,1", "" },
	{ "Z9,1000,1", "" },
	{ "Z", "" },
	{ "Z22,1000,1", "" },

	/* documents */
	{ "qXfer:features:read:target.xml:0,5", "m<?xml" },
	{ "qXfer:features:read:target.xml:5,0", "E16" },        /* nothing was read at offset 0 */
	{ "qXfer:features:read:other.xml:0,5", "E02" },
	{ "qXfer:features:read::0,5", "E02" },
	{ "qXfer:threads:read::0,fff",
	  "l<?xml version=\"1.0\"?>\n<threads>\n<thread id=\"1\" core=\"0\" name=\"CPU#0\">stopped</thread>\n"
	  "<thread id=\"2\" core=\"1\" name=\"CPU#1\">stopped</thread>\n</threads>\n" },
	{ "qXfer:threads:read:x:0,fff", "E02" },
	{ "qXfer:auxv:read::0,fff", "" },

	/* commands */
	{ "qRcmd,6563686f206869", "O68690a|OK" },
	{ "qRcmd,6661696c", "O6e6f2073756368207468696e670a|E16" },
	{ "qRcmd,73696c656e74", "OK" },
	{ "qRcmd,", "OK" },
};

START_TEST(test_packet)
{
	struct rig r;

	rig_open(&r, &config64);
	rig_compare(rig_ask(&r, packets[_i].request), packets[_i].reply, packets[_i].request);
	ck_assert_int_eq(session_end(r.s), SESSION_ON);
	rig_close(&r);
}
END_TEST

/* Malformed ones: an E-reply, and nothing has changed. */
static const char *const broken[] = {
	"?x", "gx", "g00",
	"G", "G0", "G00", "Gzz", "Gxx", "G*",
	"p", "pz", "p0z", "pcc", "p-1", "pffff", "p10000000000000000", "p10000",
	"P", "P0", "P0=", "P0=0", "P0=00", "P0=112233445566778", "P0=11223344556677889", "P0=112233445566778899",
	"P0=112233445566778z", "Pcc=00000000", "P=0000000000000000", "P11=0000000000000000", "P0:0000000000000000",
	"m", "m,", "m1000", "m1000,", "m,4", "m1000,4x", "m1000;4", "mxyz,1", "m1000,40001", "m1000,-1",
	"m1000,10000000000000000", "m10000000000000000,1", "m1000,ffffffffffffffff",
	"mffffffffffffffff,2", "mfffffffffffffff0,11",
	"M", "M1000", "M1000,", "M1000,1", "M1000,1:", "M1000,1:a", "M1000,1:zz", "M1000,1:aabb", "M1000,2:aa",
	"M1000,1:aaa", "M1000,40001:aa", "M1000,ffffffffffffffff:aa", "M1000:1,aa", "Mffffffffffffffff,2:aabb",
	"X", "X1000", "X1000,1", "X1000,1:", "X1000,1:ab", "X1000,0:a", "X,1:a", "X1000,100000000000000000:a",
	"Z0", "Z0,", "Z0,1000", "Z0,1000,", "Z0,,1", "Z0,1000,2", "Z0,1000,1x", "Z0,1000,1;X1,00", "Z0;1000,1",
	"Z2,1000,0", "Z3,1000,0", "Z4,1000,0", "z2,1000,0", "Z2,1000,40000001", "Z3,1000,8000000000000000",
	"Z4,1000,ffffffffffffffff", "Z2,1000,10000000000000000", "Z2", "Z2,", "Z2,1000", "Z2,1000,", "Z3,,8", "Z4;1000,8",
	"Z2,1000,8;X1,00", "z3,1000,8x", "z4",
	"Z0,10000000000000000,1", "Z0,1000,10000000000000001", "z0", "z0,1000", "Z1", "Z1,1000", "z1,zz,1",
	"Hg", "Hg3", "Hgz", "Hg1x", "Hg-2", "Hg-", "Hgp1.3", "Hg10000000000000001", "Hc", "Hc3", "Hc1x", "Hcp1.3",
	"T", "T0", "T3", "T-1", "Tz", "T1x", "Tp1.3", "T100000001",
	"qThreadExtraInfo", "qThreadExtraInfo,", "qThreadExtraInfo,0", "qThreadExtraInfo,3", "qThreadExtraInfo:1",
	"qThreadExtraInfo,-1", "qThreadExtraInfo,1z",
	"qSupported;swbreak+", "qSupported,", "qSymbol:", "qSymbol:00:66",
	"vCont", "vCont;", "vCont;c;", "vCont;;c", "vCont;x", "vCont;t", "vCont;c:3", "vCont;c:", "vCont;c:z",
	"vCont;c:p1.3", "vCont;C", "vCont;Cz", "vCont;C5x", "vCont;cc", "vCont;r", "vCont;r1000", "vCont;r1000,",
	"vCont;r,2000", "vCont;r1000,2000x", "vCont;s:1;q", "vCont,c", "vCont:c", "vCont;c:1:2", "vCont;s:-2",
	"c1000x", "cz", "c10000000000000000", "c8000000000000000", "C", "C5", "C5;", "Cz5", "C05;", "C05;z",
	"C05x",	"sz", "S", "S5;", "S05;", "S05;1000x",
	"D;", "kx",
	"qXfer:features:read", "qXfer:features:read:", "qXfer:features:read:target.xml",
	"qXfer:features:read:target.xml:", "qXfer:features:read:target.xml:0", "qXfer:features:read:target.xml:0,",
	"qXfer:features:read:target.xml:,5", "qXfer:features:read:target.xml:0,5x",
	"qXfer:features:read:target.xml:10000000000000000,5", "qXfer:features:read:target.xml:ffffffffffffffff,5",
	"qXfer:threads:read", "qXfer:threads:read:", "qXfer:threads:read:0,fff", "qXfer:threads:read::ffff,ffff",
	"qRcmd", "qRcmd,6", "qRcmd,zz", "qRcmd:6563", "qRcmd;",
};

static uint64_t hash(uint64_t h, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len--)
		h = (h ^ *p++) * 0x100000001b3;
	return h;
}

static uint64_t machine_hash(const struct fake_machine *f)
{
	uint64_t h = hash(14695981039346656037u, f->ram, f->config.ram_size);

	for (unsigned i = 0; i < f->config.cpus; i++)
		h = hash(h, f->cpu[i].reg, sizeof(f->cpu[i].reg));
	h = hash(h, f->brk, f->nbrk * sizeof(f->brk[0]));
	h = hash(h, &f->state, sizeof(f->state));
	return hash(h, &f->calls.resume, sizeof(f->calls.resume));
}

START_TEST(test_broken)
{
	uint64_t before;
	struct rig r;

	rig_open(&r, &config64);
	before = machine_hash(r.f);
	rig_compare(rig_ask(&r, broken[_i]), BAD, broken[_i]);
	ck_assert(machine_hash(r.f) == before);
	ck_assert_int_eq(session_end(r.s), SESSION_ON);
	rig_compare(rig_ask(&r, "qC"), "QC1", "qC");
	rig_close(&r);
}
END_TEST

/* What the processor would not take: gdb of any age shows the text. */
static const struct row refused[] = {
	{ "P10=0000000000000080", "E.0x8000000000000000 cannot be a pc in this mode" },
	{ "P20=0000008000000000", "E.cr0: paging needs protected mode" },
	{ "P5b=0000000001000000", "E.dr6: bits 32 to 63 must be zero" },
};

START_TEST(test_refused)
{
	uint64_t before;
	struct rig r;

	rig_open(&r, &config64);
	before = machine_hash(r.f);
	rig_compare(rig_ask(&r, refused[_i].request), refused[_i].reply, refused[_i].request);
	ck_assert(machine_hash(r.f) == before);
	rig_close(&r);
}
END_TEST

/* Each needs a stopped machine. */
START_TEST(test_while_running)
{
	static const char *const requests[] = {
		"g", "G00", "p0", "P0=0000000000000000", "m1000,1", "M1000,1:00", "X1000,1:a",
		"Z0,1000,1", "z0,1000,1", "Z1,1000,1", "z1,1000,1", "Z2,1000,8", "z2,1000,8", "Z3,1000,8", "z3,1000,8",
		"Z4,1000,8", "z4,1000,8",
	};
	static const char *const fine[] = { "qC", "T1", "Hg1", "qfThreadInfo", "vCont?", "qRcmd,73696c656e74" };
	struct rig r;

	rig_open(&r, &config64);
	rig_compare(rig_ask(&r, "c"), "", "c");
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		rig_compare(rig_ask(&r, requests[i]), "E10", requests[i]);
	for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++) {
		const char *reply = rig_ask(&r, fine[i]);

		ck_assert_msg(*reply && *reply != 'E', "%s: got %s", fine[i], reply);
	}
	rig_compare(rig_ask(&r, "qThreadExtraInfo,2"), "43505523312" "05b72756e6e696e675d", "CPU#1 [running]");
	rig_send_raw(&r, "\x03");
	rig_compare(rig_poll(&r), "T02thread:1;~", "^C");
	rig_close(&r);
}
END_TEST

/* -- what packets do -- */

/* Where a kernel is known threads are told with their tasks; the name is the guest's. */
START_TEST(test_tasks)
{
	struct rig r;

	rig_open(&r, &config64);
	r.f->kernel.known = true;
	r.f->kernel.ntasks = 1;
	r.f->kernel.task[0] = (struct kernel_task){ .pid = 12, .cpu = 1, .running = true, .comm = "a<b&\"\033c" };
	rig_compare(rig_ask(&r, "qThreadExtraInfo,1"), "435055233020" "5b73746f707065645d", "CPU#0 [stopped]");
	/* CPU#1 [stopped, a?b???c (pid 12)] */
	rig_compare(rig_ask(&r, "qThreadExtraInfo,2"),
		    "435055233120" "5b73746f707065642c20" "613f623f3f3f63" "20287069642031" "32295d", "CPU#1 with its task");
	rig_compare(rig_ask(&r, "qXfer:threads:read::0,fff"),
		    "l<?xml version=\"1.0\"?>\n<threads>\n<thread id=\"1\" core=\"0\" name=\"CPU#0\">stopped</thread>\n"
		    "<thread id=\"2\" core=\"1\" name=\"CPU#1\">stopped, a?b???c (pid 12)</thread>\n</threads>\n", "threads");
	rig_close(&r);
}
END_TEST

START_TEST(test_memory)
{
	struct rig r;

	rig_open(&r, &config64);
	ck_assert_str_eq(rig_ask(&r, "M2000,4:deadBEEF"), "OK");
	ck_assert_int_eq(memcmp(r.f->ram + 0x2000, "\xde\xad\xbe\xef", 4), 0);
	ck_assert_str_eq(rig_ask_bytes(&r, "X2000,6:$#}*\0\x03", 14), "OK");
	ck_assert_int_eq(memcmp(r.f->ram + 0x2000, "$#}*\0\x03", 6), 0);
	ck_assert_str_eq(rig_ask(&r, "m2000,6"), "24237d2a0003");
	rig_close(&r);
}
END_TEST

/* The largest that fits either way, and what is beyond. */
START_TEST(test_memory_large)
{
	const struct fake_config c = { .ram_size = 1 << 20, .image_bits = 64 };
	size_t half = SESSION_PACKET_SIZE / 2, data = SESSION_PACKET_SIZE - 32;
	char *packet = calloc(1, SESSION_PACKET_SIZE + 100);
	const char *reply;
	struct rig r;
	int n;

	rig_open(&r, &c);
	for (size_t i = 0; i < 1 << 20; i++)
		r.f->ram[i] = (uint8_t)(i * 7 + (i >> 8));
	reply = rig_ask(&r, "m100,40000");
	ck_assert_uint_eq(strlen(reply), 2 * half);
	for (size_t i = 0; i < half; i++) {
		char byte[3];

		sprintf(byte, "%02x", r.f->ram[0x100 + i]);
		ck_assert_int_eq(memcmp(byte, reply + 2 * i, 2), 0);
	}
	n = sprintf(packet, "X1000,%zx:", data);
	memset(packet + n, '}', data);
	ck_assert_str_eq(rig_ask_bytes(&r, packet, (size_t)n + data), "OK");
	ck_assert_int_eq(r.f->ram[0x1000], '}');
	ck_assert_int_eq(r.f->ram[0x1000 + data - 1], '}');
	ck_assert_int_ne(r.f->ram[0x1000 + data], '}');
	ck_assert_str_eq(rig_ask_bytes(&r, packet, SESSION_PACKET_SIZE + 1), "E5a");
	ck_assert_str_eq(rig_ask(&r, "qC"), "QC1");
	free(packet);
	rig_close(&r);
}
END_TEST

START_TEST(test_breakpoints)
{
	struct break_info b;
	struct rig r;

	rig_open(&r, &config64);
	ck_assert_str_eq(rig_ask(&r, "Z0,1010,1"), "OK");
	ck_assert_str_eq(rig_ask(&r, "Z0,1010,1"), "OK");
	ck_assert_str_eq(rig_ask(&r, "Z1,1020,1"), "OK");
	ck_assert_uint_eq(r.f->nbrk, 2);
	ck_assert(machine_break_list(&r.f->machine, 0, &b));
	ck_assert(b.spec.gva == 0x1010 && b.spec.kind == BREAK_SOFT && b.owners == BREAK_OWNER_GDB);
	ck_assert(machine_break_list(&r.f->machine, 1, &b));
	ck_assert(b.spec.gva == 0x1020 && b.spec.kind == BREAK_HARD && b.owners == BREAK_OWNER_GDB);
	ck_assert_str_eq(rig_ask(&r, "z1,1010,1"), "OK");
	ck_assert_uint_eq(r.f->nbrk, 2);
	ck_assert_str_eq(rig_ask(&r, "z0,1010,1"), "OK");
	ck_assert_str_eq(rig_ask(&r, "z1,1020,1"), "OK");
	ck_assert_uint_eq(r.f->nbrk, 0);
	for (unsigned i = 0; i < FAKE_HARD_MAX; i++) {
		char packet[32];

		sprintf(packet, "Z1,%x,1", 0x2000 + i);
		ck_assert_str_eq(rig_ask(&r, packet), "OK");
	}
	ck_assert_str_eq(rig_ask(&r, "Z1,3000,1"), "E1c");      /* ENOSPC */
	ck_assert_uint_eq(r.f->nbrk, FAKE_HARD_MAX);
	rig_close(&r);
}
END_TEST

START_TEST(test_many_threads)
{
	const struct fake_config c = { .cpus = MACHINE_CPUS_MAX, .image_bits = 64 };
	struct rig r;
	char *doc;

	rig_open(&r, &c);
	rig_compare(rig_ask(&r, "qfThreadInfo"), "m1,2,3,4,5,6,7,8,9,a,b,~", "qfThreadInfo");
	ck_assert_str_eq(strrchr(rig_ask(&r, "qfThreadInfo"), ','), ",40");
	ck_assert_str_eq(rig_ask(&r, "T40"), "OK");
	ck_assert_str_eq(rig_ask(&r, "T41"), BAD);
	ck_assert_str_eq(rig_ask(&r, "Hg40"), "OK");
	ck_assert_str_eq(rig_ask(&r, "qC"), "QC40");
	doc = rig_document(&r, "threads:read:", 100);
	ck_assert_ptr_nonnull(strstr(doc, "<thread id=\"40\" core=\"63\" name=\"CPU#63\">"));
	rig_close(&r);
}
END_TEST

#define COUNT(a) ((int)(sizeof(a) / sizeof((a)[0])))

int main(void)
{
	Suite *s = suite_create("rsp");
	TCase *t = tcase_create("packets");

	tcase_add_loop_test(t, test_packet, 0, COUNT(packets));
	tcase_add_loop_test(t, test_broken, 0, COUNT(broken));
	tcase_add_loop_test(t, test_refused, 0, sizeof(refused) / sizeof(refused[0]));
	tcase_add_test(t, test_while_running);
	tcase_add_test(t, test_tasks);
	tcase_add_test(t, test_memory);
	tcase_add_test(t, test_memory_large);
	tcase_add_test(t, test_breakpoints);
	tcase_add_test(t, test_many_threads);
	suite_add_tcase(s, t);
	return unit_main(s);
}
