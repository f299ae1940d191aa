/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A PowerPC machine on hosts of our making, with guests of a few words. */
#ifndef GV_TESTS_PPC_RIG_H
#define GV_TESTS_PPC_RIG_H

#include <string.h>

#include "arch/ppc/ppc_regs.h"
#include "kvm/machine_priv.h"
#include "tests/fake_ppc.h"
#include "tests/kvm_harness.h"
#include "tests/unit.h"

#define MIB  (1ull << 20)
#define CODE 0x4000u            /* where guests are, and begin */
#define HOLE 0x40000000ull      /* a gpa without memory */

/* Power ISA 3.0 B, book I, 3.3: instructions that fake_ppc.c knows. */
#define INSN(op, rt, ra, si) ((uint32_t)(op) << 26 | (uint32_t)(rt) << 21 | (uint32_t)(ra) << 16 | ((uint32_t)(si) & 0xffff))
#define ADDI(rt, ra, si)  INSN(14, rt, ra, si)
#define ADDIS(rt, ra, si) INSN(15, rt, ra, si)
#define ORI(ra, rs, ui)   INSN(24, rs, ra, ui)
#define LWZ(rt, d, ra)    INSN(32, rt, ra, d)
#define STW(rs, d, ra)    INSN(36, rs, ra, d)
#define B(to)             (18u << 26 | ((uint32_t)(to) & 0x03fffffc))   /* bytes from itself */
#define SC1               0x44000022u

extern const struct fake_host *const ppc_hosts[3];      /* PPC970, POWER7, modern */

/* Makes M of these words on H; MEMORY in bytes. */
void ppc_start(const struct fake_host *h, const uint32_t *code, size_t words, uint64_t memory);
#define PPC_START(h, ...) do {                                                                  \
	static const uint32_t guest_words[] = { __VA_ARGS__ };                                  \
	ppc_start(h, guest_words, sizeof(guest_words) / sizeof(guest_words[0]), 128 * MIB);     \
} while (0)
/* What machine_kvm_new() answers for that and *C, whose image it makes; M is there after 0. */
int ppc_try(const struct fake_host *h, struct machine_config *c);
void ppc_end(void);

/* Resumes, lets it run until vCPU 0 has been in the guest, and stops it. */
void ppc_run_and_stop(void);
/* What one resume of KIND answers. */
int ppc_resume(enum action_kind kind);
/* ERR says TEXT. */
#define SAYS(text) ck_assert_msg(strstr(err.msg, text) != NULL, "it says: %s", err.msg)

#endif
