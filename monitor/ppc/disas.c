/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where code goes, by the instructions themselves (Power ISA 3.0 B, book I, 2.4). */
#include "monitor/ppc/parts.h"

#include <inttypes.h>
#include <stdio.h>

#define BRANCH_ABSOLUTE 2u
#define BRANCH_LINK     1u

static const struct {
	uint32_t word;
	const char *text;
} known[] = {
	{ 0x60000000, "nop" },   { 0x4e800020, "blr" },    { 0x4e800420, "bctr" },  { 0x4e800421, "bctrl" },
	{ 0x44000002, "sc" },    { 0x44000022, "sc 1" },   { 0x4c000024, "rfid" },  { 0x4c00012c, "isync" },
	{ 0x7c0004ac, "sync" },  { 0x7c2004ac, "lwsync" }, { 0x7c0006ac, "eieio" }, { 0x7fe00008, "trap" },
};

static void place(struct machine *m, const char *verb, uint64_t to, struct disas_insn *ret)
{
	uint64_t offset = 0;
	const char *name = machine_sym_at(m, to, &offset);

	if (name && offset)
		snprintf(ret->text, sizeof(ret->text), "%s 0x%" PRIx64 " <%.100s+%" PRIu64 ">", verb, to, name, offset);
	else if (name)
		snprintf(ret->text, sizeof(ret->text), "%s 0x%" PRIx64 " <%.100s>", verb, to, name);
	else
		snprintf(ret->text, sizeof(ret->text), "%s 0x%" PRIx64, verb, to);
}

/* The low BITS of VALUE as a signed number. */
static uint64_t extend(uint32_t value, unsigned bits)
{
	return (uint64_t)((int64_t)((uint64_t)value << (64 - bits)) >> (64 - bits));
}

void ppc_disas(struct machine *m, unsigned code_bits, uint64_t code_base, uint64_t addr, const uint8_t *data, size_t len,
	       struct disas_insn *ret)
{
	static const char *const verbs[] = { "b", "bl", "ba", "bla" };
	uint32_t word;

	(void)code_bits;
	(void)code_base;
	if (len < 4) {
		ret->len = (unsigned)len;
		snprintf(ret->text, sizeof(ret->text), "(bad)");
		return;
	}
	ret->len = 4;
	word = data[0] | data[1] << 8 | data[2] << 16 | (uint32_t)data[3] << 24;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].word == word) {
			snprintf(ret->text, sizeof(ret->text), "%s", known[i].text);
			return;
		}
	if (word >> 26 == 18) {
		place(m, verbs[word & (BRANCH_ABSOLUTE | BRANCH_LINK)],
		      extend(word & 0x03fffffc, 26) + (word & BRANCH_ABSOLUTE ? 0 : addr), ret);
	} else if (word >> 26 == 16) {
		char verb[24];

		snprintf(verb, sizeof(verb), "bc%s %u,%u,", verbs[word & (BRANCH_ABSOLUTE | BRANCH_LINK)] + 1,
			 word >> 21 & 31, word >> 16 & 31);
		place(m, verb, extend(word & 0xfffc, 16) + (word & BRANCH_ABSOLUTE ? 0 : addr), ret);
	} else
		snprintf(ret->text, sizeof(ret->text), ".long 0x%08" PRIx32, word);
}
