/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Instruction assist beside the processor that runs the test: a guest's registers and memory, an instruction carried out for it,
 * and the same bytes run here.
 */
#ifndef GV_TESTS_INSN_HOST_H
#define GV_TESTS_INSN_HOST_H

#include "arch/x86/insn/assist.h"

#define ALL_FEATURES UINT32_MAX
#define AREA         4096     /* bytes */
/* x87, SSE, AVX and AVX-512: what a program may load at random without losing its memory (PKRU). */
#define COMPONENTS   0xe7ull

#define CR0_PE       (1ull << 0)
#define CR0_EM       (1ull << 2)
#define CR0_TS       (1ull << 3)
#define CR4_OSFXSR   (1ull << 9)
#define CR4_OSXSAVE  (1ull << 18)

/* What the processor gets and gives; mem is rdi. */
struct host {
	void *keep, *state, *out, *mem;
	uint64_t mask, rax, rdx, rcx, rflags, rbx, rsi, r8, r9;
};

extern uint64_t host_xcr0;
extern unsigned host_features;
extern struct assist_component components[ASSIST_COMPONENTS];
extern uint8_t out[AREA];               /* the processor's state behind the instruction */
extern uint8_t *mem;                    /* AREA bytes in reach of 32-bit code, where rdi points */

/* The model. */
extern struct assist_cpu cpu;
extern struct assist_result res;
extern uint8_t xsave[AREA];
extern uint64_t fault_at, fault_size;   /* a page that is not there */
extern unsigned writes;

/* Once, before the tests. */
void read_host(void);
/* Around each test. */
void setup(void);
void teardown(void);

uint32_t rnd(void);
void fill(uint8_t *p, size_t n);
uint64_t get64(const uint8_t *p);
void put(uint8_t *p, uint64_t v, size_t n);

/* A state that XRSTOR takes: random contents, with pointers and exceptions of x87 out of it, which processors treat apart. */
void random_state(uint8_t *s, uint64_t bv);
void fresh_cpu(void);
/* TEXT: bytes in hexadecimal. */
unsigned hex(const char *text, uint8_t *ret);
void run(const char *text);
/* Runs TEXT's bytes on the processor, from the model's state and registers. */
void run_host(const char *text, struct host *h);
/* Component by component, the bytes of AREA as registers have them, whatever stands for an initial one. */
void registers(const uint8_t *area, uint8_t *ret);
/* Runs it both ways from the same beginning; memory, registers and arithmetic flags must come out the same. */
void compare(const char *text);

#endif
