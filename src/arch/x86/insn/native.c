/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "arch/x86/insn/native.h"

#include <cpuid.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FLAGS_ARITH   0x8d5ull  /* CF, PF, AF, ZF, SF and OF */
#define FLAGS_FIXED   0x202ull
#define OSXSAVE       (1u << 27)
#define XS_EXTENDED   576u

#define SLOT          32u       /* bytes: the instruction and its return */
#define SLOTS         256u
#define RET           0xc3

/* The offsets are in the assembler below. */
struct frame {
	struct native_regs r;   /* 0 */
	uint64_t components;    /* 136 */
	uint8_t *state, *keep;  /* 144, 152 */
	const uint8_t *code;    /* 160 */
};

_Static_assert(offsetof(struct frame, components) == 136, "a frame as the assembler has it");
_Static_assert(offsetof(struct frame, state) == 144, "a frame as the assembler has it");
_Static_assert(offsetof(struct frame, keep) == 152, "a frame as the assembler has it");
_Static_assert(offsetof(struct frame, code) == 160, "a frame as the assembler has it");

struct native {
	uint8_t memory[NATIVE_MEMORY] __attribute__((aligned(64)));
	uint8_t keep[NATIVE_AREA] __attribute__((aligned(64)));
	uint8_t *write;         /* the code's pages, to be written, */
	const uint8_t *run;     /* and to be run */
	uint64_t components;    /* that the host has, of NATIVE_COMPONENTS */
	size_t end[64];         /* of components in an area */
	struct slot {
		uint8_t len, code[NATIVE_CODE_MAX];
	} slots[SLOTS];
};

/*
 * native_enter(struct frame *): the general registers are all the instruction's, so the frame is found by the stack alone.  The state of
 * this program that is exchanged is put back whole before any compiled code runs.
 */
void native_enter(struct frame *f);
__asm__(".pushsection .text\n.globl native_enter\n.hidden native_enter\n.type native_enter, @function\n"
	"native_enter:\n"
	" push %rbx\n push %rbp\n push %r12\n push %r13\n push %r14\n push %r15\n"
	" cmpq $0, 144(%rdi)\n je 1f\n"
	" mov 136(%rdi), %rax\n mov %rax, %rdx\n shr $32, %rdx\n"
	" mov 152(%rdi), %rcx\n xsave64 (%rcx)\n mov 144(%rdi), %rcx\n xrstor64 (%rcx)\n"
	"1: push %rdi\n pushq 160(%rdi)\n pushq 128(%rdi)\n popfq\n"
	" mov 0(%rdi), %rax\n mov 8(%rdi), %rcx\n mov 16(%rdi), %rdx\n mov 24(%rdi), %rbx\n mov 40(%rdi), %rbp\n"
	" mov 48(%rdi), %rsi\n mov 64(%rdi), %r8\n mov 72(%rdi), %r9\n mov 80(%rdi), %r10\n mov 88(%rdi), %r11\n"
	" mov 96(%rdi), %r12\n mov 104(%rdi), %r13\n mov 112(%rdi), %r14\n mov 120(%rdi), %r15\n mov 56(%rdi), %rdi\n"
	" call *(%rsp)\n"
	" xchg %rdi, 8(%rsp)\n"
	" mov %rax, 0(%rdi)\n mov %rcx, 8(%rdi)\n mov %rdx, 16(%rdi)\n mov %rbx, 24(%rdi)\n mov %rbp, 40(%rdi)\n"
	" mov %rsi, 48(%rdi)\n mov %r8, 64(%rdi)\n mov %r9, 72(%rdi)\n mov %r10, 80(%rdi)\n mov %r11, 88(%rdi)\n"
	" mov %r12, 96(%rdi)\n mov %r13, 104(%rdi)\n mov %r14, 112(%rdi)\n mov %r15, 120(%rdi)\n"
	" pushfq\n popq 128(%rdi)\n cld\n pop %rax\n pop %rax\n mov %rax, 56(%rdi)\n"
	" cmpq $0, 144(%rdi)\n je 2f\n"
	" mov 136(%rdi), %rax\n mov %rax, %rdx\n shr $32, %rdx\n"
	" mov 144(%rdi), %rcx\n xsave64 (%rcx)\n mov 152(%rdi), %rcx\n xrstor64 (%rcx)\n"
	"2: pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbp\n pop %rbx\n ret\n"
	".size native_enter, . - native_enter\n.popsection\n");

/* What the host's XSAVE areas look like; false: it has none. */
static bool read_host(struct native *n)
{
	uint32_t a, b, c, d, low, high;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & OSXSAVE))
		return false;
	__asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	n->components = (low | (uint64_t)high << 32) & NATIVE_COMPONENTS;
	for (unsigned i = 2; i < 64; i++)
		if ((n->components >> i & 1) && __get_cpuid_count(0xd, i, &a, &b, &c, &d))
			n->end[i] = (size_t)a + b;
	return (n->components & NATIVE_LEGACY) == NATIVE_LEGACY;
}

static int map_code(struct native *n)
{
	int fd = memfd_create("native", MFD_CLOEXEC), r = -ENOTSUP;
	void *write, *run;

	if (fd < 0 || ftruncate(fd, SLOT * SLOTS))
		goto out;
	write = mmap(NULL, SLOT * SLOTS, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (write == MAP_FAILED)
		goto out;
	n->write = write;
	run = mmap(NULL, SLOT * SLOTS, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
	if (run == MAP_FAILED)
		goto out;
	n->run = run;
	r = 0;
out:
	if (fd >= 0)
		close(fd);
	return r;
}

int native_new(struct native **ret, struct err *err)
{
	struct native *n = aligned_alloc(64, sizeof(*n));
	int r;

	if (!n)
		return err_set(err, ENOMEM, "out of memory");
	memset(n, 0, sizeof(*n));
	if (!read_host(n)) {
		r = err_set(err, ENOTSUP, "this processor has no XSAVE");
		goto fail;
	}
	r = map_code(n);
	if (r) {
		err_set(err, -r, "this host lets nobody map code");
		goto fail;
	}
	*ret = n;
	return 0;
fail:
	native_free(n);
	return r;
}

void native_free(struct native *n)
{
	if (!n)
		return;
	if (n->write)
		munmap(n->write, SLOT * SLOTS);
	if (n->run)
		munmap((void *)(uintptr_t)n->run, SLOT * SLOTS);
	free(n);
}

size_t native_area(const struct native *n, uint64_t components)
{
	size_t size = XS_EXTENDED;

	if ((n->components & components) != components)
		return 0;
	for (unsigned i = 2; i < 64; i++)
		if ((components >> i & 1) && n->end[i] > size)
			size = n->end[i];
	return size <= NATIVE_AREA ? size : 0;
}

uint8_t *native_memory(struct native *n)
{
	return n->memory;
}

static unsigned slot_of(const uint8_t *code, size_t len)
{
	uint32_t hash = 2166136261u;    /* FNV-1a */

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ code[i]) * 16777619u;
	return (hash ^ hash >> 16) % SLOTS;
}

uint64_t native_code(struct native *n, const uint8_t *code, size_t len)
{
	return (uintptr_t)n->run + SLOT * slot_of(code, len);
}

static const uint8_t *place(struct native *n, const uint8_t *code, size_t len)
{
	unsigned i = slot_of(code, len), a, b, c, d;
	struct slot *s = &n->slots[i];

	if (s->len != len || memcmp(s->code, code, len)) {
		memcpy(n->write + SLOT * i, code, len);
		n->write[SLOT * i + len] = RET;
		s->len = (uint8_t)len;
		memcpy(s->code, code, len);
		/* Code written by way of another address is sure to be seen behind a serializing instruction (SDM vol. 3, 9.1.3). */
		__cpuid(0, a, b, c, d);
		(void)a, (void)b, (void)c, (void)d;
	}
	return n->run + SLOT * i;
}

void native_run(struct native *n, const uint8_t *code, size_t len, struct native_regs *r, uint8_t *state, uint64_t components)
{
	struct frame f = { .r = *r, .components = components, .state = state, .keep = n->keep, .code = place(n, code, len) };

	f.r.rflags = (r->rflags & FLAGS_ARITH) | FLAGS_FIXED;
	native_enter(&f);
	f.r.gpr[4] = r->gpr[4];
	*r = f.r;
	r->rflags &= FLAGS_ARITH;
}
