/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Agent expressions: what each opcode does, and everything that is wrong with code that came from outside. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gdbstub/agent.h"
#include "gdbstub/textring.h"
#include "tests/unit.h"

/* Memory, from 0x1000 to 0x1fff: each byte holds its address's low byte, where a test has put nothing else. */
#define MEM_START 0x1000u
#define MEM_SIZE  0x1000u

static uint8_t mem[MEM_SIZE];
static uint64_t regs[8];
static char printed[8192];
static size_t nprinted;
static uint64_t vars[4];

static void setup(void)
{
	for (unsigned i = 0; i < MEM_SIZE; i++)
		mem[i] = (uint8_t)i;
	for (unsigned i = 0; i < 8; i++)
		regs[i] = 0x1111111111111111ull * (i + 1);
}

static int get_reg(void *arg, unsigned num, uint64_t *ret, struct err *err)
{
	(void)arg;
	if (num >= 8)
		return err_set(err, ENOENT, "no register %u", num);
	*ret = regs[num];
	return 0;
}

static int get_mem(void *arg, uint64_t gva, void *ret, size_t len, struct err *err)
{
	(void)arg;
	if (gva < MEM_START || gva - MEM_START > MEM_SIZE || len > MEM_SIZE - (gva - MEM_START))
		return err_set(err, EFAULT, "no memory");
	memcpy(ret, mem + (gva - MEM_START), len);
	return 0;
}

static int get_var(void *arg, unsigned num, uint64_t *ret, struct err *err)
{
	(void)arg;
	if (num >= 4)
		return err_set(err, ENOENT, "no variable");
	*ret = vars[num];
	return 0;
}

static int set_var(void *arg, unsigned num, uint64_t value, struct err *err)
{
	(void)arg;
	if (num >= 4)
		return err_set(err, ENOENT, "no variable");
	vars[num] = value;
	return 0;
}

static void print(void *arg, const char *text, size_t len)
{
	(void)arg;
	ck_assert_uint_le(len, AGENT_PRINT_MAX);
	ck_assert_uint_le(nprinted + len, sizeof(printed) - 1);
	memcpy(printed + nprinted, text, len);
	nprinted += len;
	printed[nprinted] = '\0';
}

static const struct agent_env env = { NULL, get_reg, get_mem, get_var, set_var, print };

static uint8_t code[2 * AGENT_CODE_MAX];

static size_t from_hex(const char *hex)
{
	size_t n = 0;

	for (; *hex; hex++) {
		unsigned value;

		if (*hex == ' ')
			continue;
		ck_assert_int_eq(sscanf(hex, "%2x", &value), 1);
		code[n++] = (uint8_t)value;
		hex++;
	}
	return n;
}

static int run(const char *hex, uint64_t *ret)
{
	size_t n = from_hex(hex);
	struct err err = { 0 };
	int r = agent_verify(code, n, true, &err);

	ck_assert_msg(!r, "%s: %s", hex, err.msg);
	nprinted = 0;
	printed[0] = '\0';
	return agent_eval(code, n, &env, ret, &err);
}

static const struct {
	const char *hex;
	uint64_t value;
} values[] = {
	{ "2205 2203 02 27", 8 },
	{ "2205 2203 03 27", 2 },
	{ "2203 2205 03 27", (uint64_t)-2 },
	{ "2205 2203 04 27", 15 },
	{ "22ff1608 22fe1608 04 27", 2 },
	/* -7 / 2, both ways */
	{ "22f9 1608 2202 05 27", (uint64_t)-3 },
	{ "22f9 1608 2202 06 27", 0x7ffffffffffffffcull },
	{ "22f9 1608 2202 07 27", (uint64_t)-1 },
	{ "22f9 1608 2202 08 27", 1 },
	{ "25 8000000000000000 22ff 1608 05 27", 1ull << 63 },
	{ "25 8000000000000000 22ff 1608 07 27", 0 },
	{ "2203 2204 09 27", 0x30 },
	{ "2203 2240 09 27", 0 },
	{ "2203 22ff1608 09 27", 0 },
	{ "2280 1608 2204 0a 27", (uint64_t)-8 },
	{ "2280 1608 2240 0a 27", (uint64_t)-1 },
	{ "2270 2240 0a 27", 0 },
	{ "2280 1608 223c 0b 27", 0xf },
	{ "2280 1608 2240 0b 27", 0 },
	{ "2200 0e 27", 1 },
	{ "2207 0e 27", 0 },
	{ "220c 220a 0f 27", 8 },
	{ "220c 220a 10 27", 0xe },
	{ "220c 220a 11 27", 6 },
	{ "220c 12 27", ~12ull },
	{ "220c 220c 13 27", 1 },
	{ "220c 220d 13 27", 0 },
	{ "22ff1608 2201 14 27", 1 },
	{ "2201 22ff1608 14 27", 0 },
	{ "2201 2201 14 27", 0 },
	{ "22ff1608 2201 15 27", 0 },
	{ "2201 22ff1608 15 27", 1 },
	{ "2201 2201 15 27", 0 },
	{ "2280 1608 27", (uint64_t)-128 },
	{ "227f 1608 27", 0x7f },
	{ "2201 1601 27", (uint64_t)-1 },
	{ "25 8123456789abcdef 1640 27", 0x8123456789abcdefull },
	{ "25 8123456789abcdef 16ff 27", 0x8123456789abcdefull },
	{ "24 ffff8000 1610 27", (uint64_t)-32768 },
	{ "25 8123456789abcdef 2a20 27", 0x89abcdef },
	{ "25 8123456789abcdef 2a40 27", 0x8123456789abcdefull },
	{ "25 8123456789abcdef 2a01 27", 1 },
	{ "23 1081 17 27", 0x81 },
	{ "23 1081 18 27", 0x8281 },
	{ "23 1081 19 27", 0x84838281 },
	{ "23 1081 1a 27", 0x8887868584838281ull },
	{ "23 1fff 17 27", 0xff },
	{ "22ff 27", 0xff },
	{ "23 8001 27", 0x8001 },
	{ "24 80000001 27", 0x80000001 },
	{ "25 8000000000000001 27", 0x8000000000000001ull },
	{ "260003 27", 0x4444444444444444ull },
	{ "2205 28 04 27", 25 },
	{ "2205 2206 29 27", 5 },
	{ "2205 2202 2b 03 27", (uint64_t)-3 },
	{ "2206 2d0002 29 2c0002 27", 6 },
	{ "2206 2d0002 27", 6 },
	/* a b c -> c a b: b on top, then a, then c */
	{ "2201 2202 2203 33 27", 2 },
	{ "2201 2202 2203 33 29 27", 1 },
	{ "2201 2202 2203 33 29 29 27", 3 },
	{ "2201 2202 2203 3200 27", 3 },
	{ "2201 2202 2203 3202 27", 1 },
	{ "2201 2202 2203 3202 29 27", 3 },
	/* forward, over an instruction; taken and not */
	{ "2201 20 0008 2207 27 2209 27", 9 },
	{ "2200 20 0008 2207 27 2209 27", 7 },
	{ "21 0006 2207 27 2209 27", 9 },
	/* ten times round */
	{ "220a 2201 03 28 20 0002 27", 0 },
};

START_TEST(test_values)
{
	uint64_t value = ~values[_i].value;

	ck_assert_msg(!run(values[_i].hex, &value), "%s", values[_i].hex);
	ck_assert_msg(value == values[_i].value, "%s: 0x%llx, not 0x%llx", values[_i].hex, (unsigned long long)value,
		      (unsigned long long)values[_i].value);
}
END_TEST

/* As gdb sends them: i == 500, $rdi == 0x1234, and a dprintf of an int and an unsigned long. */
START_TEST(test_captured)
{
	static const char is_500[] = "26000622100222dc1608021916202301f41327";
	static const char dprintf[] = "26000622100222c81608021a26000622100222dc16080219162022002200"
				      "34020" "00d693d256420753d256c755c6e0027";
	struct err err;
	uint64_t value;
	size_t n;

	regs[6] = 0x1800;
	ck_assert_int_eq(run(is_500, &value), 0);
	ck_assert_uint_eq(value, 0);
	memcpy(&mem[0x7ec], &(int){ 500 }, 4);
	ck_assert_int_eq(run(is_500, &value), 0);
	ck_assert_uint_eq(value, 1);
	ck_assert_int_eq(run("26000516402312341327", &value), 0);
	ck_assert_uint_eq(value, 0);
	regs[5] = 0x1234;
	ck_assert_int_eq(run("26000516402312341327", &value), 0);
	ck_assert_uint_eq(value, 1);

	memcpy(&mem[0x7ec], &(int){ -3 }, 4);
	memcpy(&mem[0x7d8], &(uint64_t){ 1ull << 40 }, 8);
	n = from_hex(dprintf);
	ck_assert_int_eq(agent_verify(code, n, false, &err), 0);
	ck_assert_int_eq(agent_eval(code, n, &env, NULL, &err), 0);
	ck_assert_str_eq(printed, "i=-3 u=1099511627776\n");
	ck_assert_int_eq(agent_verify(code, n, true, &err), -EINVAL);
}
END_TEST

static const struct {
	const char *hex;
	int error;
} failures[] = {
	{ "2205 2200 05 27", -EDOM },
	{ "2205 2200 06 27", -EDOM },
	{ "2205 2200 07 27", -EDOM },
	{ "2205 2200 08 27", -EDOM },
	{ "22ff 17 27", -EFAULT },
	{ "23 0fff 18 27", -EFAULT },
	{ "23 1fff 18 27", -EFAULT },
	{ "23 1ffd 19 27", -EFAULT },
	{ "23 1ff9 1a 27", -EFAULT },
	{ "25 ffffffffffffffff 1a 27", -EFAULT },
	{ "260008 27", -ENOENT },
	{ "26ffff 27", -ENOENT },
	{ "2c0004 27", -ENOENT },
	{ "2201 2d0004 27", -ENOENT },
	{ "21 0000", -ELOOP },
	{ "2201 28 20 0002 27", -ELOOP },
};

START_TEST(test_failures)
{
	uint64_t value = 42;

	ck_assert_msg(run(failures[_i].hex, &value) == failures[_i].error, "%s", failures[_i].hex);
	ck_assert_uint_eq(value, 42);
}
END_TEST

/* -- the verifier -- */

static const char *const refused[] = {
	"", "00", "01 27", "1b 27", "22011c27", "22011d27", "22011e27", "22011f27", "31 27", "35 27", "ff 27",
	/* what records */
	"2201 2201 0c 2201 27", "2201 0d01 27", "2e0001 2201 27", "2201 2201 2f 2201 27", "2201 300001 27",
	/* cut short */
	"22", "23 12", "24 123456", "25 12345678123456", "26 00", "2201 20 00", "21 00", "2201 16", "2201 2a", "2c 00",
	"2201 2d 00", "2201 32", "2201 2200 2200 34", "2201 2200 2200 3400", "2200 2200 340000",
	"2201 2200 2200 34000002 00", "2201 2200 2200 340001",
	/* of no bits */
	"2201 1600 27", "2201 2a00 27",
	/* past the end, with no end at all, and no value */
	"2201", "2201 29", "27", "2201 29 27",
	/* jumps: outside, just behind, into an operand */
	"21 0003", "21 ffff", "2201 20 0007 2201 27"  /* the value's operand */, "21 0001 27", "2201 20 00ff 2201 27",
	/* a stack that depends on the way */
	"2201 20 0007 2205 27", "2201 20 0006 29 27", "2201 20 0002 27", "2201 21 0000",
	"2201 2201 20 000a 2201 21 000a 27",
	/* after an end that nothing leads past, too */
	"2201 27 ff", "2201 27 22",
};

START_TEST(test_refused)
{
	size_t n = from_hex(refused[_i]);
	struct err err = { 0 };
	int r = agent_verify(code, n, true, &err);

	ck_assert_msg(r == -EINVAL, "%s: %d", refused[_i], r);
	ck_assert_str_ne(err.msg, "");
}
END_TEST

/* Each opcode with operands, on a stack that is one value short of what it takes, and on one that is not. */
START_TEST(test_short_stacks)
{
	static const struct {
		const char *op;
		unsigned pops, pushes;
	} ops[] = {
		{ "02", 2, 1 }, { "03", 2, 1 }, { "04", 2, 1 }, { "05", 2, 1 }, { "06", 2, 1 }, { "07", 2, 1 }, { "08", 2, 1 },
		{ "09", 2, 1 }, { "0a", 2, 1 }, { "0b", 2, 1 }, { "0e", 1, 1 }, { "0f", 2, 1 }, { "10", 2, 1 }, { "11", 2, 1 },
		{ "12", 1, 1 }, { "13", 2, 1 }, { "14", 2, 1 }, { "15", 2, 1 }, { "1608", 1, 1 }, { "17", 1, 1 },
		{ "18", 1, 1 }, { "19", 1, 1 }, { "1a", 1, 1 }, { "28", 1, 2 }, { "29", 1, 0 }, { "2a08", 1, 1 },
		{ "2b", 2, 2 }, { "2d0001", 1, 1 }, { "3200", 1, 2 }, { "3203", 4, 5 }, { "32ff", 256, 257 }, { "33", 3, 3 },
		{ "3400000100", 2, 0 }, { "34020005256425 6400", 4, 0 }, { "27", 1, 1 }, { "2203", 0, 1 }, { "260001", 0, 1 },
		{ "2c0001", 0, 1 },
	};

	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		for (unsigned depth = ops[i].pops ? ops[i].pops - 1 : 0; depth <= ops[i].pops; depth++) {
			bool good = depth == ops[i].pops && depth + ops[i].pushes - ops[i].pops <= AGENT_STACK_MAX &&
				    depth <= AGENT_STACK_MAX;
			char hex[2048] = "";
			struct err err;
			size_t n;

			for (unsigned k = 0; k < depth; k++)
				strcat(hex, "2205");
			strcat(hex, ops[i].op);
			strcat(hex, "27");
			n = from_hex(hex);
			ck_assert_msg((agent_verify(code, n, false, &err) == 0) == (good || (!depth && !strcmp(ops[i].op, "27"))),
				      "%s on %u", ops[i].op, depth);
		}
}
END_TEST

START_TEST(test_sizes)
{
	struct err err;
	uint64_t value;

	/* as deep as may be, and one deeper */
	memset(code, 0x28, sizeof(code));
	memcpy(code, "\x22\x01", 2);
	code[1 + AGENT_STACK_MAX] = 0x27;
	ck_assert_int_eq(agent_verify(code, 2 + AGENT_STACK_MAX, true, &err), 0);
	ck_assert_int_eq(agent_eval(code, 2 + AGENT_STACK_MAX, &env, &value, &err), 0);
	ck_assert_uint_eq(value, 1);
	code[1 + AGENT_STACK_MAX] = 0x28;
	code[2 + AGENT_STACK_MAX] = 0x27;
	ck_assert_int_eq(agent_verify(code, 3 + AGENT_STACK_MAX, true, &err), -E2BIG);
	/* as long as may be, and one longer */
	memset(code, 0x0e, sizeof(code));
	memcpy(code, "\x22\x01", 2);
	code[AGENT_CODE_MAX - 1] = 0x27;
	ck_assert_int_eq(agent_verify(code, AGENT_CODE_MAX, true, &err), 0);
	ck_assert_int_eq(agent_eval(code, AGENT_CODE_MAX, &env, &value, &err), 0);
	code[AGENT_CODE_MAX - 1] = 0x0e;
	code[AGENT_CODE_MAX] = 0x27;
	ck_assert_int_eq(agent_verify(code, AGENT_CODE_MAX + 1, true, &err), -E2BIG);
}
END_TEST

/* -- printf -- */

static const struct {
	const char *format;
	uint64_t args[3];
	const char *text;
} prints[] = {
	{ "plain\\n", { 0 }, "plain\n" },
	{ "100%%", { 0 }, "100%" },
	{ "%d %u %x", { (uint64_t)-1, (uint64_t)-1, (uint64_t)-1 }, "-1 4294967295 ffffffff" },
	{ "%ld %lu %lx", { (uint64_t)-1, 1ull << 63, 1ull << 63 }, "-1 9223372036854775808 8000000000000000" },
	{ "%lld %zu %jx", { 5, 6, 7 }, "5 6 7" },
	{ "%hhd %hx %hd", { 0x1ff, 0x12345, 0xffff }, "-1 2345 -1" },
	{ "%i|%o|%X", { 12, 8, 0xabc }, "12|10|ABC" },
	{ "%5d|%-5d|%05d", { 12, 12, 12 }, "   12|12   |00012" },
	{ "%+d|% d|%#x", { 12, 12, 12 }, "+12| 12|0xc" },
	{ "%.3d|%8.3d|%-8.3x|", { 12, 12, 12 }, "012|     012|00c     |" },
	{ "%c%c%c", { 'a', 'b', 0x163 }, "abc" },
	{ "%3c|%-3c|", { 'a', 'b' }, "  a|b  |" },
	{ "%p %p", { 0x1234, 0 }, "0x1234 0x0" },
	{ "%s|", { 0x1f00 }, "guest text|" },
	{ "%.5s|%12s|%-12s|", { 0x1f00, 0x1f00, 0x1f00 }, "guest|  guest text|guest text  |" },
	{ "%.0s|", { 0x1f00 }, "|" },
	{ "%.4s|", { 0x1ffc }, "\xfc\xfd\xfe\xff|" },
	{ "%s|", { 0 }, "(null)|" },
	{ "\\t\\\\\\\"\\a\\e", { 0 }, "\t\\\"\a\033" },
};

/* Code that prints FORMAT of N arguments; its length. */
static size_t print_code(const char *format, const uint64_t *args, unsigned n)
{
	size_t len = 0, text = strlen(format) + 1;

	for (unsigned i = n; i-- > 0;) {
		code[len++] = 0x25;
		for (int shift = 56; shift >= 0; shift -= 8)
			code[len++] = (uint8_t)(args[i] >> shift);
	}
	memcpy(code + len, "\x22\x00\x22\x00\x34", 5);
	len += 5;
	code[len++] = (uint8_t)n;
	code[len++] = (uint8_t)(text >> 8);
	code[len++] = (uint8_t)text;
	memcpy(code + len, format, text);
	len += text;
	code[len++] = 0x27;
	return len;
}

static unsigned conversions(const char *format)
{
	unsigned n = 0;

	for (; (format = strchr(format, '%')); format++) {
		if (format[1] == '%')
			format++;
		else
			n++;
	}
	return n;
}

START_TEST(test_prints)
{
	const char *format = prints[_i].format;
	size_t n = print_code(format, prints[_i].args, conversions(format));
	struct err err = { 0 };

	strcpy((char *)mem + 0xf00, "guest text");
	nprinted = 0;
	ck_assert_msg(!agent_verify(code, n, false, &err), "%s: %s", format, err.msg);
	ck_assert_int_eq(agent_eval(code, n, &env, NULL, &err), 0);
	ck_assert_str_eq(printed, prints[_i].text);
}
END_TEST

static const char *const bad_formats[] = {
	"%n", "%", "%l", "%5", "%.", "%f", "%g", "%a", "%Lf", "%ls", "%lc", "%hs", "%*d", "%.*d", "%y", "%256d", "%.256d",
	"%99999999999999999999d", "\\", "\\q", "\\x41", "%-+ 0#'-+d", "% ", "%hhhd", "%llld",
};

START_TEST(test_bad_formats)
{
	struct err err;

	for (unsigned args = 0; args < 3; args++)
		ck_assert_msg(agent_verify(code, print_code(bad_formats[_i], (uint64_t[3]){ 0 }, args), false, &err) == -EINVAL,
			      "%s", bad_formats[_i]);
}
END_TEST

START_TEST(test_format_arguments)
{
	uint64_t args[4] = { 1, 2, 3, 4 };
	struct err err;

	for (unsigned n = 0; n < 4; n++)
		ck_assert_int_eq(agent_verify(code, print_code("%d %d", args, n), false, &err), n == 2 ? 0 : -EINVAL);
	/* a zero within, and none at the end */
	ck_assert_int_eq(agent_verify(code, from_hex("22002200 34000003 410000 27"), false, &err), -EINVAL);
	ck_assert_int_eq(agent_verify(code, from_hex("22002200 34000002 4141 27"), false, &err), -EINVAL);
	ck_assert_int_eq(agent_verify(code, from_hex("22002200 34000000 27"), false, &err), -EINVAL);
	ck_assert_int_eq(agent_verify(code, from_hex("22002200 34000001 00 27"), false, &err), 0);
}
END_TEST

START_TEST(test_long_prints)
{
	struct err err;
	size_t n;

	/* a string without an end is cut where there is no more room */
	memset(mem, 'x', sizeof(mem));
	n = print_code("%s%s", (uint64_t[2]){ 0x1000, 0x1000 }, 2);
	nprinted = 0;
	ck_assert_int_eq(agent_verify(code, n, false, &err), 0);
	ck_assert_int_eq(agent_eval(code, n, &env, NULL, &err), 0);
	ck_assert_uint_eq(nprinted, AGENT_PRINT_MAX);
	/* fields as wide as may be */
	n = print_code("%255.255d%255d%255s%255c%255p%-255c|", (uint64_t[6]){ 1, 2, 0, 'c', 5, 'd' }, 6);
	ck_assert_int_eq(agent_verify(code, n, false, &err), 0);
	ck_assert_int_eq(agent_eval(code, n, &env, NULL, &err), 0);
	/* one that runs into nothing */
	n = print_code("a%s", (uint64_t[1]){ 0x1ff0 }, 1);
	nprinted = 0;
	ck_assert_int_eq(agent_verify(code, n, false, &err), 0);
	ck_assert_int_eq(agent_eval(code, n, &env, NULL, &err), -EFAULT);
	ck_assert_uint_eq(nprinted, 0);
}
END_TEST

/* -- anything -- */

/* Whether code is refused or not, it is never evaluated beyond its stack or its end: the sanitizers watch. */
START_TEST(test_random)
{
	static const uint8_t likely[] = { 0x22, 0x22, 0x28, 0x26, 0x02, 0x03, 0x17, 0x20, 0x21, 0x27, 0x29, 0x2b, 0x32, 0x33, 0x34 };
	unsigned passed = 0;

	srand(1234);
	for (unsigned round = 0; round < 300000; round++) {
		size_t n = 1 + (size_t)rand() % 12;
		uint8_t *own = malloc(n);
		struct err err = { 0 };
		uint64_t value;

		for (size_t i = 0; i < n; i++)
			own[i] = rand() % 4 ? likely[(size_t)rand() % sizeof(likely)] : (uint8_t)(rand() % 16);
		own[n - 1] = rand() % 4 ? 0x27 : own[n - 1];
		nprinted = 0;
		if (!agent_verify(own, n, true, &err)) {
			passed++;
			agent_eval(own, n, &env, &value, &err);
		} else
			ck_assert_str_ne(err.msg, "");
		free(own);
	}
	ck_assert_uint_gt(passed, 100);
}
END_TEST

/* -- the ring that takes what is printed elsewhere -- */

START_TEST(test_ring)
{
	static struct textring r;
	static char text[TEXTRING_BYTES], got[2 * TEXTRING_BYTES];
	size_t n = 0;

	ck_assert_uint_eq(textring_take(&r, got, sizeof(got)), 0);
	ck_assert(textring_put(&r, "one", 3));
	ck_assert(!textring_put(&r, "two", 3));
	ck_assert_uint_eq(textring_take(&r, got, sizeof(got)), 6);
	ck_assert_mem_eq(got, "onetwo", 6);
	ck_assert(textring_put(&r, "three", 5));
	ck_assert_uint_eq(textring_take(&r, got, 2), 2);
	ck_assert_uint_eq(textring_take(&r, got + 2, 64), 3);
	ck_assert_mem_eq(got, "three", 5);

	/* all of it, across its end; then one too many, and what comes after is lost with it until it was told */
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)(i * 7);
	textring_put(&r, text, sizeof(text));
	textring_put(&r, "x", 1);
	textring_put(&r, "y", 1);
	for (size_t part; n < sizeof(text); n += part) {
		part = textring_take(&r, got + n, 1000);
		ck_assert_uint_gt(part, 0);
		textring_put(&r, "z", 1);
	}
	ck_assert_uint_eq(n, sizeof(text));
	ck_assert_mem_eq(got, text, sizeof(text));
	n = textring_take(&r, got, sizeof(got));
	got[n] = '\0';
	ck_assert_ptr_nonnull(strstr(got, " printed texts were lost]\n"));
	ck_assert_int_eq(strtol(got + 1, NULL, 10), 2 + 66);
	ck_assert_uint_eq(textring_take(&r, got, sizeof(got)), 0);
	textring_put(&r, "again", 5);
	ck_assert_uint_eq(textring_take(&r, got, sizeof(got)), 5);
}
END_TEST

#define LOOP(tc, test, table) tcase_add_loop_test(tc, test, 0, sizeof(table) / sizeof((table)[0]))

int main(void)
{
	Suite *s = suite_create("agent");
	TCase *tc = tcase_create("agent");

	tcase_add_checked_fixture(tc, setup, NULL);
	LOOP(tc, test_values, values);
	tcase_add_test(tc, test_captured);
	LOOP(tc, test_failures, failures);
	LOOP(tc, test_refused, refused);
	tcase_add_test(tc, test_short_stacks);
	tcase_add_test(tc, test_sizes);
	LOOP(tc, test_prints, prints);
	LOOP(tc, test_bad_formats, bad_formats);
	tcase_add_test(tc, test_format_arguments);
	tcase_add_test(tc, test_long_prints);
	tcase_add_test(tc, test_random);
	tcase_add_test(tc, test_ring);
	suite_add_tcase(s, tc);
	return unit_main(s);
}
