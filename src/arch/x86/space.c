/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "arch/x86/space.h"

#include "arch/x86/regs.h"
#include "arch/x86/x86.h"

#define USER_HALF       (1ull << 12)    /* of a pair of top tables, 8 KiB in all (Linux, arch/x86/include/asm/pgtable.h) */
#define TABLE           0x000ffffffffff000ull
#define PCID            0xfffull

/* Whether the tables at CR3 have the IDT where P has it.  Where none was loaded there is nothing to know them by. */
static bool same_idt(const struct vcpu *v, const struct paging *p, uint64_t cr3)
{
	uint64_t idt = v->run->s.regs.sregs.idt.base;
	struct paging other = *p;
	struct translation a, b;

	other.cr3 = cr3;
	return idt && !translate(v->vm->gmem, p, idt, &a, NULL) && !translate(v->vm->gmem, &other, idt, &b, NULL) && a.gpa == b.gpa;
}

int space_translate(const struct vcpu *v, uint64_t gva, struct translation *ret, struct err *err)
{
	uint64_t tables[3] = { v->arch->kernel_cr3[0], v->arch->kernel_cr3[1] };
	struct translation t;
	struct paging p;
	int r;

	regs_paging(v, &p);
	r = translate(v->vm->gmem, &p, gva, ret, err);
	if (!r || !(p.cr0 & CR0_PG))
		return r;
	if (p.cr3 & USER_HALF)
		tables[2] = p.cr3 & ~(USER_HALF | PCID);
	for (unsigned i = 0; i < 3; i++) {
		struct paging kernel = p;

		kernel.cr3 = tables[i];
		if (!tables[i] || !((tables[i] ^ p.cr3) & TABLE))
			continue;
		if (translate(v->vm->gmem, &kernel, gva, &t, NULL) || !same_idt(v, &p, tables[i]))
			continue;
		*ret = t;
		return 0;
	}
	return r;
}
