/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where registers live in KVM: KVM_GET_REGS, KVM_GET_SREGS, and KVM_GET_ONE_REG for what came later (api.rst 4.68). */
#include "arch/ppc/regs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "arch/ppc/ppc.h"

enum home { HOME_REGS, HOME_SREGS, HOME_ONE, HOME_VSR_LOW };

static const struct place {
	uint8_t home;
	uint8_t bytes;          /* there; at least as many as the row has */
	uint64_t at;            /* offset in the structure, or KVM's number of the register */
} places[] = {
#define REG(id, name, num, bits, type, feat, grp, home_, off, hbits) [PPC_##id] = { HOME_##home_, (hbits) / 8, off },
#include "arch/ppc/regs.def"
#undef REG
};

/* A vector-scalar register as KVM has it: the first doubleword is that of the floating-point register of its number. */
struct vsr {
	uint64_t fpr, low;
};

static int one_get(const struct vcpu *v, uint64_t id, void *ret)
{
	struct kvm_one_reg one = { .id = id, .addr = (uintptr_t)ret };

	return kvm_ioctl(v->fd, KVM_GET_ONE_REG, &one);
}

static int one_set(const struct vcpu *v, uint64_t id, const void *value)
{
	struct kvm_one_reg one = { .id = id, .addr = (uintptr_t)value };

	return kvm_ioctl(v->fd, KVM_SET_ONE_REG, &one);
}

const struct kvm_regs *regs_general(const struct vcpu *v, struct err *err)
{
	struct arch_vcpu *a = v->arch;
	int r = a->known ? 0 : kvm_ioctl(v->fd, KVM_GET_REGS, &a->regs);

	if (r) {
		err_errno(err, -r, "KVM_GET_REGS");
		return NULL;
	}
	a->known = true;
	return &a->regs;
}

void regs_forget(struct vcpu *v)
{
	v->arch->known = false;
}

uint64_t regs_pc(const struct vcpu *v)
{
	const struct kvm_regs *r = regs_general(v, NULL);

	return r ? r->pc : 0;
}

bool regs_present(const struct kvm *k, reg_id reg)
{
	return reg < PPC_REGS && !k->arch->missing[reg];
}

static int get(struct vcpu *v, reg_id reg, void *ret, struct err *err)
{
	const struct place *p = &places[reg];
	size_t size = reg_full(reg)->bits / 8u;
	const struct kvm_regs *general;
	struct kvm_sregs sregs;
	uint8_t whole[16] = { 0 };
	struct vsr vsr;
	int r;

	switch (p->home) {
	case HOME_REGS:
		general = regs_general(v, err);
		if (!general)
			return -EIO;
		memcpy(whole, (const uint8_t *)general + p->at, p->bytes);
		break;
	case HOME_SREGS:
		r = kvm_ioctl(v->fd, KVM_GET_SREGS, &sregs);
		if (r)
			return err_errno(err, -r, "KVM_GET_SREGS");
		memcpy(whole, (const uint8_t *)&sregs + p->at, p->bytes);
		break;
	case HOME_ONE:
		r = one_get(v, p->at, whole);
		if (r)
			return err_errno(err, -r, "reading %s", reg_full(reg)->name);
		break;
	default:
		r = one_get(v, p->at, &vsr);
		if (r)
			return err_errno(err, -r, "reading %s", reg_full(reg)->name);
		memcpy(whole, &vsr.low, sizeof(vsr.low));
		break;
	}
	memcpy(ret, whole, size);
	return 0;
}

static int put(struct vcpu *v, reg_id reg, const void *value)
{
	const struct place *p = &places[reg];
	size_t size = reg_full(reg)->bits / 8u;
	struct kvm_sregs sregs;
	struct kvm_regs regs;
	uint8_t whole[16] = { 0 };
	struct vsr vsr;
	int r;

	memcpy(whole, value, size);
	switch (p->home) {
	case HOME_REGS:
		if (!regs_general(v, NULL))
			return -EIO;
		regs = v->arch->regs;
		memcpy((uint8_t *)&regs + p->at, whole, p->bytes);
		r = kvm_ioctl(v->fd, KVM_SET_REGS, &regs);
		/* KVM keeps some bits of MSR as they are. */
		regs_forget(v);
		return r;
	case HOME_SREGS:
		r = kvm_ioctl(v->fd, KVM_GET_SREGS, &sregs);
		memcpy((uint8_t *)&sregs + p->at, whole, p->bytes);
		return r ? r : kvm_ioctl(v->fd, KVM_SET_SREGS, &sregs);
	case HOME_ONE:
		return one_set(v, p->at, whole);
	default:
		r = one_get(v, p->at, &vsr);
		memcpy(&vsr.low, whole, sizeof(vsr.low));
		return r ? r : one_set(v, p->at, &vsr);
	}
}

static int check(const struct vcpu *v, reg_id reg, struct err *err)
{
	if (reg >= PPC_REGS)
		return err_set(err, EINVAL, "no such register");
	if (!regs_present(&v->vm->kvm, reg))
		return err_set(err, ENOTSUP, "this host's KVM does not give %s", reg_full(reg)->name);
	return 0;
}

int regs_read(struct vcpu *v, reg_id reg, void *ret, struct err *err)
{
	int r = check(v, reg, err);

	return r ? r : get(v, reg, ret, err);
}

int regs_write(struct vcpu *v, reg_id reg, const void *value, struct err *err)
{
	uint8_t old[REG_BYTES_MAX], now[REG_BYTES_MAX];
	size_t size;
	uint64_t pc;
	int r = check(v, reg, err);

	if (!r)
		r = get(v, reg, old, err);
	if (r)
		return r;
	size = reg_full(reg)->bits / 8u;
	/* Clients write whole register sets to change one. */
	if (!memcmp(old, value, size))
		return 0;
	pc = regs_pc(v);
	if (reg == PPC_PC && *(const uint8_t *)value % INSN_BYTES)
		return err_set(err, EINVAL, "pc: instructions are at multiples of %u", INSN_BYTES);
	r = put(v, reg, value);
	if (r)
		return err_set(err, EINVAL, "%s: KVM does not take this value (%s)", reg_full(reg)->name, strerror(-r));
	/* KVM says of some registers that it took what it left as it was. */
	if (!get(v, reg, now, NULL) && !memcmp(old, now, size))
		return err_set(err, EINVAL, "%s: this host's KVM does not let it be changed so", reg_full(reg)->name);
	/* At another pc than it stopped at, a breakpoint is news; and a step that is owed is that of what was there. */
	if (v->stop_pc != regs_pc(v))
		v->stop_pc_valid = false;
	if (pc != regs_pc(v))
		v->over = 0;
	return 0;
}

void regs_probe(struct vcpu *v)
{
	uint8_t value[REG_BYTES_MAX];

	for (reg_id i = 0; i < PPC_REGS; i++)
		v->vm->kvm.arch->missing[i] = get(v, i, value, NULL) != 0;
}

/* -- special-purpose registers (Power ISA 3.0 B, book III, 5.4.4) -- */

#define ROW(number, id) { number, PPC_##id, 0 }
#define ONE(number, id) { number, 0, KVM_REG_PPC_##id }

static const struct spr {
	uint16_t number;
	uint16_t row;           /* of the register table, when `one` is 0 */
	uint64_t one;
} sprs[] = {
	ROW(1, XER),        ONE(3, DSCR),      ROW(8, LR),        ROW(9, CTR),       ONE(13, AMR),      ONE(17, DSCR),
	ROW(18, DSISR),     ROW(19, DAR),      ROW(25, SDR1),     ROW(26, SRR0),     ROW(27, SRR1),     ONE(29, AMR),
	ROW(48, PID),       ONE(61, IAMR),     ONE(128, TFHAR),   ONE(129, TFIAR),   ONE(130, TEXASR),  ONE(144, TIDR),
	ONE(153, FSCR),     ONE(157, UAMOR),   ONE(159, PSPB),    ONE(176, DPDES),   ONE(180, DAWR),    ONE(187, CIABR),
	ONE(188, DAWRX),    ROW(256, VRSAVE),  ROW(272, SPRG0),   ROW(273, SPRG1),   ROW(274, SPRG2),   ROW(275, SPRG3),
	ROW(287, PVR),      ONE(308, SPURR),   ONE(309, PURR),    ROW(318, LPCR),    ONE(784, SIER),    ONE(785, MMCR2),
	ONE(786, MMCRA),    ONE(787, PMC1),    ONE(788, PMC2),    ONE(789, PMC3),    ONE(790, PMC4),    ONE(791, PMC5),
	ONE(792, PMC6),     ONE(795, MMCR0),   ONE(796, SIAR),    ONE(797, SDAR),    ONE(798, MMCR1),   ONE(804, EBBHR),
	ONE(805, EBBRR),    ONE(806, BESCR),   ONE(815, TAR),     ONE(848, IC),      ONE(849, VTB),     ONE(855, PSSCR),
	ONE(896, PPR),      ONE(1013, DABR),
};

/* NULL: KVM has none of that number. */
static const struct spr *spr_find(uint32_t number)
{
	for (size_t i = 0; i < sizeof(sprs) / sizeof(sprs[0]); i++)
		if (sprs[i].number == number)
			return &sprs[i];
	return NULL;
}

static size_t spr_bytes(const struct spr *s)
{
	if (s->one)
		return (size_t)1 << ((s->one & KVM_REG_SIZE_MASK) >> KVM_REG_SIZE_SHIFT);
	return reg_full(s->row)->bits / 8u;
}

int spr_read(struct vcpu *v, uint32_t index, uint64_t *ret, struct err *err)
{
	const struct spr *s = spr_find(index);
	uint64_t value = 0;
	int r = s ? s->one ? one_get(v, s->one, &value) : regs_read(v, s->row, &value, NULL) : -EINVAL;

	if (r)
		return err_set(err, EINVAL, "SPR %u: KVM gives none of that number", index);
	*ret = value;
	return 0;
}

int spr_write(struct vcpu *v, uint32_t index, uint64_t value, struct err *err)
{
	const struct spr *s = spr_find(index);
	int r;

	if (!s)
		return err_set(err, EINVAL, "SPR %u: KVM gives none of that number", index);
	if (spr_bytes(s) < sizeof(value) && value >> 8 * spr_bytes(s))
		return err_set(err, EINVAL, "SPR %u has %zu bits", index, 8 * spr_bytes(s));
	if (!s->one)
		return regs_write(v, s->row, &value, err);
	r = one_set(v, s->one, &value);
	return r ? err_set(err, EINVAL, "SPR %u: KVM does not take this value (%s)", index, strerror(-r)) : 0;
}

/* -- when it is switched on -- */

struct power_on {
	unsigned ncpus;
	struct cpu_power_on {
		struct kvm_sregs sregs;
		uint8_t value[PPC_REGS][16];
	} cpu[];
};

void power_on_free(struct power_on *p)
{
	free(p);
}

int power_on_save(struct vm *vm, struct power_on **ret, struct err *err)
{
	struct power_on *p = calloc(1, sizeof(*p) + vm->ncpus * sizeof(p->cpu[0]));
	int r = 0;

	if (!p)
		return err_set(err, ENOMEM, "out of memory");
	p->ncpus = vm->ncpus;
	for (unsigned i = 0; i < vm->ncpus && !r; i++) {
		r = kvm_ioctl(vm->cpus[i]->fd, KVM_GET_SREGS, &p->cpu[i].sregs);
		if (r)
			err_errno(err, -r, "KVM_GET_SREGS");
		for (reg_id k = 0; k < PPC_REGS && !r; k++)
			if (regs_present(&vm->kvm, k))
				r = get(vm->cpus[i], k, p->cpu[i].value[k], err);
	}
	if (r) {
		power_on_free(p);
		return r;
	}
	*ret = p;
	return 0;
}

static int restore_cpu(struct vcpu *v, const struct cpu_power_on *p, struct err *err)
{
	struct kvm_sregs sregs = p->sregs;
	uint8_t now[16];
	int r = kvm_ioctl(v->fd, KVM_SET_SREGS, &sregs);

	if (r)
		return err_errno(err, -r, "resetting the machine: KVM_SET_SREGS");
	for (reg_id i = 0; i < PPC_REGS; i++) {
		if (!regs_present(&v->vm->kvm, i) || places[i].home == HOME_SREGS)
			continue;
		if (!get(v, i, now, NULL) && !memcmp(now, p->value[i], reg_full(i)->bits / 8u))
			continue;
		r = put(v, i, p->value[i]);
		if (r)
			return err_errno(err, -r, "resetting the machine: %s", reg_full(i)->name);
	}
	return 0;
}

int power_on_restore(struct vm *vm, const struct power_on *p, struct err *err)
{
	int r = 0;

	for (unsigned i = 0; i < vm->ncpus && !r; i++) {
		struct vcpu *v = vm->cpus[i];

		r = restore_cpu(v, &p->cpu[i], err);
		v->has_event = false;
		v->needs_completion = false;
		v->stop_pc_valid = false;
		v->over = 0;
		v->nwatched = 0;
	}
	return r;
}

int power_on_start(struct vcpu *v, uint64_t entry, struct err *err)
{
	struct kvm_regs regs;
	int r;

	if (!regs_general(v, err))
		return -EIO;
	regs = v->arch->regs;
	regs.pc = entry;
	regs.msr = MSR_SF | MSR_LE;
	regs.gpr[3] = 0;
	r = kvm_ioctl(v->fd, KVM_SET_REGS, &regs);
	regs_forget(v);
	return r ? err_errno(err, -r, "KVM_SET_REGS") : 0;
}
