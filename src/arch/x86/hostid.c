/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "arch/x86/hostid.h"

#include <cpuid.h>
#include <string.h>

const uint32_t *hostid_leaf(struct hostid *h, uint32_t leaf, uint32_t sub)
{
	unsigned i = 0;
	uint32_t *r;

	while (i < h->n && (h->seen[i].leaf != leaf || h->seen[i].sub != sub))
		i++;
	if (i < h->n)
		return h->seen[i].r;
	if (h->n < HOSTID_LEAVES)
		h->n++;
	i = h->n - 1;
	r = h->seen[i].r;
	h->seen[i].leaf = leaf;
	h->seen[i].sub = sub;
	if (!__get_cpuid_count(leaf, sub, &r[HOSTID_EAX], &r[HOSTID_EBX], &r[HOSTID_ECX], &r[HOSTID_EDX]))
		memset(r, 0, sizeof(h->seen[i].r));
	return r;
}
