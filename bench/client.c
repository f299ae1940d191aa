/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Measures a stub whose guest is guest.S.
 *
 *	client ADDRESS                  unix:PATH or tcp:HOST:PORT; commands come on standard input, see "commands" below
 *	client start N VIA PROGRAM...   how long from exec until the first packet is answered, N times, as JSON; VIA is
 *	                                "stdio" (the protocol is on PROGRAM's standard input and output) or the address
 *	                                it will listen at
 *
 * What the guest did is compared with what the stub said it did: its loops count.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench/guest.h"
#include "bench/meter.h"
#include "bench/rsp.h"

#define MAX_READ  (1u << 20)    /* bytes; memory that was filled */
#define FILL_STEP 0x400
#define MAX_STOPS 1000
#define START_S   60            /* how long a program may take to answer */

static struct rsp stub;
static struct meter meter;
static uint8_t filled[MAX_READ];

/* -- the guest -- */

static uint32_t guest_u32(unsigned address)
{
	uint8_t b[4];
	char packet[40];
	const char *p;
	size_t len;

	snprintf(packet, sizeof(packet), "m%x,4", address);
	p = rsp_ask(&stub, packet, &len);
	if (rsp_unhex(p, len, b, 4) != 4)
		die("%s is answered by \"%.40s\"", packet, p);
	return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static void insert(int kind, unsigned address)
{
	char packet[40];

	snprintf(packet, sizeof(packet), "Z%d,%x,1", kind, address);
	rsp_ok(&stub, packet);
}

static void take_out(int kind, unsigned address)
{
	char packet[40];

	snprintf(packet, sizeof(packet), "z%d,%x,1", kind, address);
	rsp_ok(&stub, packet);
}

/* Has the guest go to ADDRESS, which is on its way. */
static void run_to(unsigned address)
{
	insert(1, address);
	rsp_stop(&stub, "vCont;c");
	take_out(1, address);
}

static void set_next(unsigned address)
{
	char packet[40];

	snprintf(packet, sizeof(packet), "M%x,2:%02x%02x", GUEST_NEXT, address & 0xff, address >> 8);
	rsp_ok(&stub, packet);
}

/* Dies unless the guest's loop went through as often as WANTED, give or take SLACK, since the counter was WAS. */
static void check_counted(uint32_t was, uint64_t wanted, unsigned slack)
{
	uint32_t count = guest_u32(GUEST_COUNTER) - was;

	if (count + slack < wanted || count > wanted + slack)
		die("the guest went round %u times, not %llu", count, (unsigned long long)wanted);
}

/* Digits of the registers that a stop reply came with. */
static size_t expedited(const char *reply)
{
	size_t digits = 0;

	for (const char *p = reply + 3; *p; p = strchr(p, ';') + 1) {
		const char *end = strchr(p, ';'), *colon = strchr(p, ':');

		if (colon && end && colon < end && strspn(p, "0123456789abcdef") == (size_t)(colon - p))
			digits += (size_t)(end - colon - 1);
		if (!end)
			break;
	}
	return digits;
}

/* -- what is measured -- */

static void begin(char **args)
{
	(void)args;
	run_to(GUEST_START);
	run_to(GUEST_HOT);
	printf("{\"packet_size\": %zu, \"no_ack\": %s, \"binary\": %s, \"conditions\": %s}\n", stub.packet_size,
	       stub.no_ack ? "true" : "false", stub.binary ? "true" : "false", stub.conditions ? "true" : "false");
}

/* Sends PACKET, as it is; prints the answer. */
static void ask(char **args)
{
	double start = meter_now_us();
	const char *p = rsp_ask(&stub, args[0], NULL);

	printf("{\"us\": %.2f, \"reply\": \"", meter_now_us() - start);
	for (; *p; p++)
		if (*p < ' ' || *p > '~' || *p == '"' || *p == '\\')
			printf("\\u%04x", (uint8_t)*p);
		else
			putchar(*p);
	puts("\"}");
}

static void registers(char **args)
{
	char extra[64];
	size_t len = 0;

	meter_start(&meter, args[0]);
	while (meter_more(&meter)) {
		const char *p = rsp_ask(&stub, "g", &len);

		if (len < 16)
			die("g is answered by \"%.40s\"", p);
		meter_did(&meter, 1);
	}
	snprintf(extra, sizeof(extra), "\"bytes\": %zu", len / 2);
	meter_print(&meter, extra);
}

static void step(char **args)
{
	uint32_t was = guest_u32(GUEST_COUNTER);

	meter_start(&meter, args[0]);
	while (meter_more(&meter)) {
		rsp_stop(&stub, "vCont;s:1");
		meter_did(&meter, 1);
	}
	check_counted(was, meter.ops / 2, 1);
	meter_print(&meter, "");
}

/* Registers as gdb gets them: by g, unless they came with the stop. */
static bool get_registers(const char *stop, size_t size)
{
	if (expedited(stop) >= size)
		return false;
	rsp_ask(&stub, "g", NULL);
	return true;
}

static void step_registers(char **args)
{
	uint32_t was = guest_u32(GUEST_COUNTER);
	uint64_t asked = 0;
	char extra[64];
	size_t size;

	rsp_ask(&stub, "g", &size);
	meter_start(&meter, args[0]);
	while (meter_more(&meter)) {
		asked += get_registers(rsp_stop(&stub, "vCont;s:1"), size);
		meter_did(&meter, 1);
	}
	check_counted(was, meter.ops / 2, 1);
	snprintf(extra, sizeof(extra), "\"asked\": %llu", (unsigned long long)asked);
	meter_print(&meter, extra);
}

static void range(char **args)
{
	const char *known = rsp_ask(&stub, "vCont?", NULL);
	char packet[64];
	uint32_t was;

	if (!strstr(known, ";r")) {
		puts("{\"unsupported\": \"vCont;r\"}");
		return;
	}
	snprintf(packet, sizeof(packet), "vCont;r%x,%x:1", GUEST_RANGE, GUEST_RANGE_END);
	set_next(GUEST_RANGE);
	run_to(GUEST_RANGE);
	was = guest_u32(GUEST_COUNTER);
	meter_start(&meter, args[0]);
	while (meter_more(&meter)) {
		rsp_stop(&stub, packet);
		meter_did(&meter, GUEST_RANGE_STEPS);
		rsp_stop(&stub, "vCont;s:1");
		rsp_stop(&stub, "vCont;s:1");
		meter_skip(&meter);
	}
	check_counted(was, meter.ops / GUEST_RANGE_STEPS, 0);
	set_next(GUEST_HOT);
	run_to(GUEST_HOT);
	meter_print(&meter, "");
}

/*
 * KIND of breakpoint, as in Z packets.  Not every stub gets past a breakpoint that stands where it continues:
 * "moved" is how often the guest went on.
 */
static void hits(char **args)
{
	int kind = (int)meter_number(args[1]);
	char extra[64];
	uint32_t was;

	run_to(GUEST_HOT);
	was = guest_u32(GUEST_COUNTER);
	insert(kind, GUEST_HOT);
	meter_start(&meter, args[0]);
	while (meter_more(&meter)) {
		rsp_stop(&stub, "vCont;c");
		meter_did(&meter, 1);
	}
	take_out(kind, GUEST_HOT);
	snprintf(extra, sizeof(extra), "\"moved\": %u", guest_u32(GUEST_COUNTER) - was);
	meter_print(&meter, extra);
}

/* As gdb does: out, step, in, continue, look. */
static void gdb_hits(char **args)
{
	uint64_t asked = 0;
	char extra[64];
	uint32_t was;
	size_t size;

	run_to(GUEST_HOT);
	was = guest_u32(GUEST_COUNTER);
	rsp_ask(&stub, "g", &size);
	meter_start(&meter, args[0]);
	while (meter_more(&meter)) {
		rsp_stop(&stub, "vCont;s:1");
		insert(1, GUEST_HOT);
		asked += get_registers(rsp_stop(&stub, "vCont;c"), size);
		take_out(1, GUEST_HOT);
		meter_did(&meter, 1);
	}
	check_counted(was, meter.ops, 0);
	snprintf(extra, sizeof(extra), "\"asked\": %llu", (unsigned long long)asked);
	meter_print(&meter, extra);
}

/* Hits that the stub finds false by itself: breakpoints of KIND, until the guest has counted enough for the time. */
static void false_hits(char **args)
{
	int kind = (int)meter_number(args[1]);
	uint32_t count = 100;
	char packet[80];

	if (!stub.conditions) {
		puts("{\"unsupported\": \"ConditionalBreakpoints\"}");
		return;
	}
	meter_start(&meter, args[0]);
	while (meter_more(&meter)) {
		uint32_t was;
		double start;

		run_to(GUEST_HOT);
		was = guest_u32(GUEST_COUNTER);
		/* const16 COUNTER, ref32, const32 WAS + COUNT, equal, end */
		snprintf(packet, sizeof(packet), "Z%d,%x,1;Xb,23%04x1924%08x1327", kind, GUEST_HOT, GUEST_COUNTER,
			 was + count);
		rsp_ok(&stub, packet);
		meter_skip(&meter);
		start = meter_now_us();
		rsp_stop(&stub, "vCont;c");
		start = meter_now_us() - start;
		meter_did(&meter, count);
		take_out(kind, GUEST_HOT);
		check_counted(was, count, 0);
		/* Some 50 ms a time, so that one stop counts for nothing. */
		if (start < 25000 && count < 1u << 20)
			count *= 2;
		meter_skip(&meter);
	}
	meter_print(&meter, "");
}

/* Packet Z or z, as LETTER says, for KIND at COUNT addresses from FIRST on, STRIDE apart. */
static void breakpoints(char **args)
{
	uint64_t at = meter_number(args[2]), stride = meter_number(args[4]);
	char packet[64];

	meter_start(&meter, "60");
	for (uint64_t left = meter_number(args[3]); left; left--, at += stride) {
		const char *p;

		snprintf(packet, sizeof(packet), "%.1s%.1s,%llx,1", args[0], args[1], (unsigned long long)at);
		p = rsp_ask(&stub, packet, NULL);
		if (strcmp(p, "OK")) {
			printf("{\"unsupported\": \"%s: %.3s\", \"ops\": %llu}\n", packet, p, (unsigned long long)meter.ops);
			return;
		}
		meter_did(&meter, 1);
	}
	meter_print(&meter, "");
}

/* Bytes that do not repeat. */
static void fill_memory(char **args)
{
	const unsigned to = (unsigned)meter_number(args[0]);
	uint64_t x = 88172645463325252;
	char packet[64 + 2 * FILL_STEP];
	size_t part = FILL_STEP;

	while (2 * part + 64 > stub.packet_size)
		part /= 2;
	for (size_t i = 0; i < MAX_READ; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		filled[i] = (uint8_t)(x >> 24);
	}
	for (size_t i = 0; i < MAX_READ; i += part) {
		int n = snprintf(packet, sizeof(packet), "M%x,%x:", to + (unsigned)i, (unsigned)part);

		for (size_t k = 0; k < part; k++)
			n += sprintf(packet + n, "%02x", filled[i + k]);
		rsp_ok(&stub, packet);
	}
	puts("{\"filled\": true}");
}

/*
 * Reads of SIZE bytes, or of what fits the largest packet for 0, from the memory that was filled at ADDRESS, by
 * "binary" (x, where the stub has it) or by "hex".  Operations are bytes.
 */
static void read_memory(char **args)
{
	const bool binary = stub.binary && !strcmp(args[3], "binary");
	unsigned at = (unsigned)meter_number(args[1]), offset = 0;
	size_t size = meter_number(args[2]);
	static uint8_t got[MAX_READ];
	char packet[64], extra[64];

	if (!size)      /* of random bytes one in 64 is escaped */
		size = binary ? stub.packet_size * 30 / 31 - 64 : stub.packet_size / 2;
	if (size > MAX_READ)
		size = MAX_READ;
	meter_start(&meter, args[0]);
	while (meter_more(&meter)) {
		const char *p;
		size_t len, n;

		if (offset + size > MAX_READ)
			offset = 0;
		snprintf(packet, sizeof(packet), "%c%x,%zx", binary ? 'x' : 'm', at + offset, size);
		p = rsp_ask(&stub, packet, &len);
		meter_did(&meter, size);
		if (binary)
			n = len && *p == 'b' ? rsp_unescape(p + 1, len - 1, got, size) : 0;
		else
			n = rsp_unhex(p, len, got, size);
		if (!n || memcmp(got, filled + offset, n))
			die("%s is answered by %zu bytes that are not the memory's: %.20s", packet, n, p);
		offset += (unsigned)n;
		meter.ops -= size - n;
		/* What a client does with the bytes is not the stub's time. */
		meter_skip(&meter);
	}
	snprintf(extra, sizeof(extra), "\"packet\": %zu, \"binary\": %s", size, binary ? "true" : "false");
	meter_print(&meter, extra);
}

/* Continues, has the guest run for some NS, and stops it; microseconds from Ctrl-C to the stop. */
static double stop_running(long ns)
{
	double start;

	rsp_send(&stub, "vCont;c");
	nanosleep(&(struct timespec){ .tv_nsec = ns }, NULL);
	start = meter_now_us();
	rsp_byte(&stub, RSP_CTRL_C);
	if (*rsp_receive(&stub, NULL) != 'T')
		die("Ctrl-C is not answered by a stop");
	return meter_now_us() - start;
}

/* Continues until each of the further vCPUs has counted since it was at WAS. */
static void let_all_run(unsigned cpus, const uint32_t *was)
{
	double until = meter_now_us() + START_S * 1e6;

	for (unsigned i = 1; i < cpus; i++)
		while (guest_u32(GUEST_CPUS + 4 * i) == was[i]) {
			if (meter_now_us() > until)
				die("vCPU %u does not run", i);
			stop_running(5000000);
		}
}

/*
 * From Ctrl-C to the stop, COUNT times, in a guest all of whose vCPUs run; every time is told, for percentiles of many
 * rounds.
 */
static void interrupt(char **args)
{
	const unsigned count = (unsigned)meter_number(args[0]), cpus = (unsigned)meter_number(args[1]);
	static char extra[32 + 16 * MAX_STOPS];
	uint32_t was[16] = { 0 };
	unsigned seed = 1;
	int n;

	if (!count || count > MAX_STOPS || !cpus || cpus > 16)
		die("%u times with %u vCPUs", count, cpus);
	let_all_run(cpus, was);
	for (unsigned i = 1; i < cpus; i++)
		was[i] = guest_u32(GUEST_CPUS + 4 * i);
	meter_start(&meter, "1");
	n = sprintf(extra, "\"all_us\": [");
	for (unsigned i = 0; i < count; i++) {
		double us;

		seed = seed * 1103515245 + 12345;
		us = stop_running(500000 + (long)(seed / 65536 % 1000) * 1000);
		meter_rewind(&meter, us);
		meter_did(&meter, 1);
		n += snprintf(extra + n, sizeof(extra) - (size_t)n, "%s%.1f", i ? ", " : "", us);
	}
	strcpy(extra + n, "]");
	let_all_run(cpus, was);
	meter_print(&meter, extra);
}

static const struct meter_command commands[] = {
	{ "begin", 0, begin },                  /* first: takes the guest to its loop */
	{ "ask", 1, ask },                      /* PACKET */
	{ "registers", 1, registers },          /* SECONDS, here and below */
	{ "step", 1, step },
	{ "step-registers", 1, step_registers },
	{ "range", 1, range },
	{ "hits", 2, hits },                    /* KIND */
	{ "gdb-hits", 1, gdb_hits },
	{ "false-hits", 2, false_hits },        /* KIND */
	{ "breakpoints", 5, breakpoints },      /* LETTER KIND FIRST COUNT STRIDE */
	{ "fill", 1, fill_memory },             /* ADDRESS */
	{ "read", 4, read_memory },             /* ADDRESS SIZE binary|hex */
	{ "interrupt", 2, interrupt },          /* COUNT CPUS */
};

/* -- starting -- */

/* The program's end of its standard input and output in the child. */
static pid_t start_program(char **argv, int fd)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (fd < 0)
		fd = open("/dev/null", O_RDWR);
	dup2(fd, 0);
	dup2(fd, 1);
	execvp(argv[0], argv);
	_exit(127);
}

/* A connection to what PID, if that is not 0, will listen at. */
static int connect_soon(const char *address, pid_t pid)
{
	double until = meter_now_us() + START_S * 1e6;
	int fd;

	while ((fd = rsp_connect(address)) < 0) {
		if (pid && waitpid(pid, NULL, WNOHANG) == pid)
			die("the program has ended");
		if (meter_now_us() > until)
			die("nobody listens at %s", address);
		nanosleep(&(struct timespec){ .tv_nsec = 50000 }, NULL);
	}
	return fd;
}

static int start(unsigned n, const char *via, char **argv)
{
	const bool stdio = !strcmp(via, "stdio");

	meter_start(&meter, "1");
	for (unsigned i = 0; i < n; i++) {
		int ends[2] = { -1, -1 };
		pid_t pid;

		if (!strncmp(via, "unix:", 5))
			unlink(via + 5);
		if (stdio && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
			die("socketpair: %s", strerror(errno));
		meter_skip(&meter);
		pid = start_program(argv, ends[1]);
		if (pid < 0)
			die("fork: %s", strerror(errno));
		close(ends[1]);
		rsp_open(&stub, stdio ? ends[0] : connect_soon(via, pid));
		rsp_ask(&stub, "?", NULL);
		meter_did(&meter, 1);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		rsp_close(&stub);
	}
	meter_print(&meter, "");
	return 0;
}

int main(int argc, char **argv)
{
	if (argc >= 5 && !strcmp(argv[1], "start")) {
		uint64_t n = meter_number(argv[2]);

		if (!n || n > 10000)
			die("%s times", argv[2]);
		return start((unsigned)n, argv[3], argv + 4);
	}
	if (argc != 2)
		die("usage: client ADDRESS | client start N VIA PROGRAM...");
	rsp_open(&stub, connect_soon(argv[1], 0));
	rsp_hello(&stub);
	meter_serve(commands, sizeof(commands) / sizeof(commands[0]));
	rsp_ask(&stub, "D", NULL);
	rsp_close(&stub);
	return 0;
}
