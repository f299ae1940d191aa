/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/insn_host.h"

#include <cpuid.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/unit.h"

/* -- the processor that runs the test -- */

/* Loads the state, runs what is put between the two pieces, and stores what came of it. */
extern const unsigned char thunk_before[], thunk_between[], thunk_after[];
__asm__(".pushsection .rodata\n.intel_syntax noprefix\n"
	"thunk_before:\n"
	" push rbx\n push r12\n mov r12, rdi\n"
	" mov rax, [r12 + 32]\n mov rdx, rax\n shr rdx, 32\n"
	" mov rbx, [r12]\n xsave64 [rbx]\n mov rbx, [r12 + 8]\n xrstor64 [rbx]\n"
	" push qword ptr [r12 + 64]\n popfq\n"
	" mov rdi, [r12 + 24]\n mov rdx, [r12 + 48]\n mov rcx, [r12 + 56]\n mov rax, [r12 + 40]\n"
	" mov rbx, [r12 + 72]\n mov rsi, [r12 + 80]\n mov r8, [r12 + 88]\n mov r9, [r12 + 96]\n"
	"thunk_between:\n"
	" mov [r12 + 40], rax\n mov [r12 + 48], rdx\n mov [r12 + 56], rcx\n pushfq\n pop qword ptr [r12 + 64]\n"
	" mov [r12 + 72], rbx\n mov [r12 + 80], rsi\n mov [r12 + 88], r8\n mov [r12 + 96], r9\n"
	" mov rax, [r12 + 32]\n mov rdx, rax\n shr rdx, 32\n"
	" mov rbx, [r12 + 16]\n xsave64 [rbx]\n mov rbx, [r12]\n xrstor64 [rbx]\n"
	" pop r12\n pop rbx\n ret\n"
	"thunk_after:\n.att_syntax\n.popsection\n");

static uint8_t *code;
uint64_t host_xcr0;
unsigned host_features;
struct assist_component components[ASSIST_COMPONENTS];

static uint8_t keep[AREA] __attribute__((aligned(64))), state[AREA] __attribute__((aligned(64)));
uint8_t out[AREA] __attribute__((aligned(64)));
uint8_t *mem;

static uint32_t seed;

uint32_t rnd(void)
{
	seed = seed * 1664525u + 1013904223u;
	return seed >> 8;
}

void fill(uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)rnd();
}

void read_host(void)
{
	static const struct { unsigned leaf, sub, reg, bit, feature; } bits[] = {
		{ 1, 0, 3, 24, ASSIST_FXSR },   { 1, 0, 3, 25, ASSIST_SSE },       { 1, 0, 3, 26, ASSIST_SSE2 },
		{ 1, 0, 2, 0, ASSIST_SSE3 },    { 1, 0, 2, 19, ASSIST_SSE41 },     { 1, 0, 2, 23, ASSIST_POPCNT },
		{ 1, 0, 2, 27, ASSIST_XSAVE },  { 1, 0, 2, 28, ASSIST_AVX },       { 7, 0, 1, 5, ASSIST_AVX2 },
		{ 13, 1, 0, 0, ASSIST_XSAVEOPT }, { 13, 1, 0, 1, ASSIST_XSAVEC },
	};
	unsigned r[4], lo, hi;

	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++)
		if (__get_cpuid_count(bits[i].leaf, bits[i].sub, &r[0], &r[1], &r[2], &r[3]) &&
		    (r[bits[i].reg] >> bits[i].bit & 1))
			host_features |= bits[i].feature;
	__get_cpuid_count(1, 0, &r[0], &r[1], &r[2], &r[3]);
	if (!(r[2] >> 27 & 1)) {
		host_features = 0;
		return;
	}
	__asm__("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	host_xcr0 = (lo | (uint64_t)hi << 32) & COMPONENTS;
	for (unsigned i = 2; i < ASSIST_COMPONENTS; i++)
		if (host_xcr0 >> i & 1 && __get_cpuid_count(13, i, &r[0], &r[1], &r[2], &r[3]))
			components[i] = (struct assist_component){ r[1], r[0], r[2] >> 1 & 1 };
}

uint64_t get64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

void put(uint8_t *p, uint64_t v, size_t n)
{
	memcpy(p, &v, n);
}

void random_state(uint8_t *s, uint64_t bv)
{
	memset(s, 0, AREA);
	put(s, 0x37f, 2);
	put(s + 2, rnd() & 0x3800, 2);
	s[4] = (uint8_t)rnd();
	for (unsigned i = 0; i < 8; i++)
		fill(s + 32 + 16 * i, 10);
	put(s + 24, 0x1f80 | (rnd() & 0x603f), 4);
	fill(s + 160, 256);
	for (unsigned i = 2; i < ASSIST_COMPONENTS; i++)
		if (components[i].size)
			fill(s + components[i].offset, components[i].size);
	put(s + 512, bv & host_xcr0, 8);
}

/* -- the model -- */

struct assist_cpu cpu;
struct assist_result res;
uint8_t xsave[AREA] __attribute__((aligned(64)));
uint64_t fault_at, fault_size;
unsigned writes;

static int on_access(void *arg, uint64_t gva, void *data, size_t len, bool write, struct assist_fault *ret)
{
	(void)arg;
	if (gva < fault_at + fault_size && gva + len > fault_at) {
		*ret = (struct assist_fault){ .code = write ? 2 : 0, .gva = gva < fault_at ? fault_at : gva };
		return -EFAULT;
	}
	if (gva < (uintptr_t)mem || gva + len > (uintptr_t)mem + AREA)
		ck_abort_msg("an access to 0x%lx", gva);
	if (write)
		memcpy((void *)(uintptr_t)gva, data, len);
	else
		memcpy(data, (void *)(uintptr_t)gva, len);
	writes += write;
	return 0;
}

void fresh_cpu(void)
{
	cpu = (struct assist_cpu){
		.regs = { .code_bits = 64, .stack_bits = 64, .rip = 0x1000, .rflags = 2, .cr0 = 0x80000001, .cr4 =
			  CR4_OSFXSR | CR4_OSXSAVE, .efer = 0x500, .xcr0 = host_xcr0 },
		.features = ALL_FEATURES,
		.xsave = xsave,
		.xsave_size = sizeof(xsave),
		.access = on_access,
	};
	memcpy(cpu.component, components, sizeof(components));
	cpu.regs.gpr[INSN_RDI] = (uintptr_t)mem;
	random_state(xsave, host_xcr0);
	fault_size = 0;
	writes = 0;
}

unsigned hex(const char *text, uint8_t *ret)
{
	unsigned n = 0;
	char *end;

	for (const char *p = text; *p; p = *end ? end + 1 : end)
		ret[n++] = (uint8_t)strtoul(p, &end, 16);
	return n;
}

void run(const char *text)
{
	uint8_t bytes[15];

	assist_run(&cpu, bytes, hex(text, bytes), &res);
}

void run_host(const char *text, struct host *h)
{
	size_t before = (size_t)(thunk_between - thunk_before), after = (size_t)(thunk_after - thunk_between);
	uint8_t bytes[15];
	unsigned n = hex(text, bytes);

	memcpy(state, xsave, AREA);
	memset(out, 0, AREA);
	*h = (struct host){ .keep = keep, .state = state, .out = out, .mem = (void *)(uintptr_t)cpu.regs.gpr[INSN_RDI],
			    .mask = host_xcr0, .rax = cpu.regs.gpr[INSN_RAX], .rdx = cpu.regs.gpr[INSN_RDX],
			    .rcx = cpu.regs.gpr[INSN_RCX], .rflags = (cpu.regs.rflags & 0x8d5) | 0x202,
			    .rbx = cpu.regs.gpr[INSN_RBX], .rsi = cpu.regs.gpr[INSN_RSI], .r8 = cpu.regs.gpr[8], .r9 = cpu.regs.gpr[9] };
	memcpy(code, thunk_before, before);
	memcpy(code + before, bytes, n);
	memcpy(code + before + n, thunk_between, after);
	((void (*)(struct host *))(uintptr_t)code)(h);
}

void registers(const uint8_t *area, uint8_t *ret)
{
	uint64_t bv = get64(area + 512);

	memset(ret, 0, AREA);
	put(ret, 0x37f, 2);
	if (bv & 1)
		memcpy(ret, area, 24);
	if (bv & 1)
		memcpy(ret + 32, area + 32, 128);
	memcpy(ret + 24, area + 24, 4);
	if (bv & 2)
		memcpy(ret + 160, area + 160, 256);
	for (unsigned i = 2; i < ASSIST_COMPONENTS; i++)
		if (components[i].size && (bv >> i & 1))
			memcpy(ret + components[i].offset, area + components[i].offset, components[i].size);
}

static void same_registers(const char *text)
{
	uint8_t ours[AREA], theirs[AREA];

	registers(xsave, ours);
	registers(out, theirs);
	/* An assertion is a system call, also one that holds. */
	for (unsigned i = 0; i < AREA && memcmp(ours, theirs, AREA); i++)
		ck_assert_msg(ours[i] == theirs[i], "%s: byte %u of the state is %02x, not %02x", text, i, ours[i], theirs[i]);
}

void setup(void)
{
	seed = 7;
	code = mmap(NULL, AREA, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mem = mmap(NULL, AREA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	ck_assert(code != MAP_FAILED && mem != MAP_FAILED);
	fresh_cpu();
}

void teardown(void)
{
	munmap(code, AREA);
	munmap(mem, AREA);
}

static void same_general(const char *text, const struct host *h)
{
	const struct {
		const char *name;
		uint64_t ours, theirs;
	} rows[] = {
		{ "rax", cpu.regs.gpr[INSN_RAX], h->rax }, { "rdx", cpu.regs.gpr[INSN_RDX], h->rdx },
		{ "rcx", cpu.regs.gpr[INSN_RCX], h->rcx }, { "rbx", cpu.regs.gpr[INSN_RBX], h->rbx },
		{ "rsi", cpu.regs.gpr[INSN_RSI], h->rsi }, { "r8", cpu.regs.gpr[8], h->r8 }, { "r9", cpu.regs.gpr[9], h->r9 },
		{ "rflags", cpu.regs.rflags & 0x8d5, h->rflags & 0x8d5 }, { "rdi", cpu.regs.gpr[INSN_RDI], (uintptr_t)mem },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].ours != rows[i].theirs)
			ck_abort_msg("%s: %s is 0x%lx, not 0x%lx", text, rows[i].name, rows[i].ours, rows[i].theirs);
}

void compare(const char *text)
{
	uint8_t start[AREA], host_mem[AREA];
	struct host h;

	memcpy(start, mem, AREA);
	run_host(text, &h);
	memcpy(host_mem, mem, AREA);
	memcpy(mem, start, AREA);
	run(text);
	ck_assert_msg(res.kind == ASSIST_DONE, "%s: kind %d, vector %u, %s", text, res.kind, res.vector, res.text);
	for (unsigned i = 0; i < AREA && memcmp(mem, host_mem, AREA); i++)
		ck_assert_msg(mem[i] == host_mem[i], "%s: byte %u of memory is %02x, not %02x", text, i, mem[i], host_mem[i]);
	same_general(text, &h);
	same_registers(text);
}
