/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finding the instruction that made an access from the place where it ended: decoding backwards, by what can be checked. */
#include "arch/x86/insn/insn.h"

#include <errno.h>

#include "arch/x86/insn/priv.h"

/* How well a candidate explains the access. */
enum { NO_MATCH, MATCH_SIZE, MATCH_PART, MATCH_EXACT };

static int match(const struct insn *insn, uint16_t lost, uint64_t gva, unsigned size, bool write)
{
	int best = NO_MATCH;

	for (unsigned i = 0; i < insn->naccess; i++) {
		const struct insn_access *a = &insn->access[i];
		int how = NO_MATCH;

		if (!(write ? a->write : a->read))
			continue;
		if (a->regs & lost)
			how = a->size == size ? MATCH_SIZE : NO_MATCH;
		else if (a->gva == gva && a->size == size)
			how = MATCH_EXACT;
		else if (gva - a->gva < a->size && size <= a->size - (gva - a->gva))
			how = MATCH_PART;
		if (how > best)
			best = how;
	}
	return best;
}

/* What the LEN bytes that end at after->rip would have done; NO_MATCH also when they are no instruction of that length. */
static int judge(const struct insn_regs *after, const uint8_t *bytes, size_t len, uint64_t gva, unsigned size,
		 bool write)
{
	struct insn_regs r = *after;
	struct decoded d;
	struct insn insn;
	uint16_t right;

	if (insn_zydis(after, bytes, len, &d) || d.insn.length != len)
		return NO_MATCH;
	r.rip = (after->rip - len) & (after->code_bits == 64 ? UINT64_MAX : after->code_bits == 32 ? 0xffffffff : 0xffff);
	right = insn_unstep(&r, &d);
	insn_describe(&r, &d, bytes, &insn);
	return match(&insn, insn.written & (uint16_t)~right, gva, size, write);
}

/* How many decodings that begin in front of FROM come to an instruction that begins at PLACE. */
static unsigned votes(const uint8_t *len, size_t from, size_t place)
{
	unsigned count = 0;
	size_t at;

	for (size_t start = 0; start < from; start++) {
		for (at = start; at < place && len[at]; at += len[at])
			;
		count += at == place;
	}
	return count;
}

static void lengths(const struct insn_regs *r, const uint8_t *bytes, size_t n, uint8_t *ret)
{
	ZydisDecodedInstruction insn;
	ZydisDecoder decoder;

	if (insn_decoder_init(r, &decoder))
		return;
	for (size_t i = 0; i < n; i++)
		if (ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&decoder, NULL, bytes + i, n - i, &insn)))
			ret[i] = insn.length;
}

int insn_find_access(const struct insn_regs *after, const uint8_t *before, size_t n, uint64_t gva, unsigned size,
		     bool write, unsigned *ret_len)
{
	uint8_t how[INSN_BYTES_MAX + 1] = { 0 }, len[INSN_BYTES_MAX] = { 0 };
	unsigned tied = 0, most = 0, found = 0, count;
	uint8_t best = NO_MATCH;
	size_t longest = 0;

	if (n > INSN_BYTES_MAX) {
		before += n - INSN_BYTES_MAX;
		n = INSN_BYTES_MAX;
	}
	for (size_t l = 1; l <= n; l++) {
		how[l] = (uint8_t)judge(after, before + n - l, l, gva, size, write);
		if (how[l] > best)
			best = how[l];
	}
	if (best == NO_MATCH)
		return -ENOENT;
	for (unsigned l = 1; l <= n; l++)
		if (how[l] == best) {
			tied++;
			found = l;
			longest = l;
		}
	if (tied > 1) {
		lengths(after, before, n, len);
		found = 0;
		for (unsigned l = 1; l <= longest; l++) {
			if (how[l] != best)
				continue;
			count = votes(len, n - longest, n - l);
			if (count == most)
				found = 0;
			else if (count > most) {
				most = count;
				found = l;
			}
		}
	}
	if (!found)
		return -ENOTUNIQ;
	*ret_len = found;
	return 0;
}
