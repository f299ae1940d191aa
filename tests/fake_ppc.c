/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/fake_ppc.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define CPUS_MAX  4
#define LOOKS     32            /* instructions between two looks for signals */
#define ONES_MAX  192
#define REAL_MASK 0x0fffffffffffffffull
#define MSR_HV    (1ull << 60)          /* a guest cannot have it */

struct cpu {
	int fd;
	struct kvm_run *run;
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	struct {
		uint64_t id;
		uint8_t value[16];
	} one[ONES_MAX];
	unsigned nones;
	struct kvm_guest_debug debug;
	bool has_mask;
	uint64_t mask;                  /* while it runs; bit 0 is signal 1 */
	uint32_t exit;                  /* what the next KVM_RUN completes */
	unsigned target;                /* the register that a load is for */
};

static struct cpu cpus[CPUS_MAX];
static unsigned ncpus;
static const struct fake_host *host;

static struct cpu *find(int fd)
{
	/* Numbers of descriptors come again: the newest it is. */
	for (unsigned i = ncpus; i-- > 0;)
		if (cpus[i].fd == fd)
			return &cpus[i];
	return NULL;
}

static int create(const struct fake_host *h)
{
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	struct cpu *c = &cpus[ncpus];

	if (ncpus == CPUS_MAX)
		return -ENOMEM;
	host = h;
	*c = (struct cpu){ .fd = memfd_create("vCPU", MFD_CLOEXEC) };
	if (c->fd < 0 || ftruncate(c->fd, (off_t)size))
		abort();
	c->run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, c->fd, 0);
	if (c->run == MAP_FAILED)
		abort();
	c->sregs.pvr = 0x004b0201;
	c->regs.msr = 1ull << 63;
	c->regs.pc = 0x100;
	ncpus++;
	return c->fd;
}

static void end(void)
{
	while (ncpus)
		munmap(cpus[--ncpus].run, (size_t)sysconf(_SC_PAGESIZE));
}

/* -- registers -- */

static int one_reg(struct cpu *c, const struct kvm_one_reg *r, bool set)
{
	size_t size = (size_t)1 << ((r->id & KVM_REG_SIZE_MASK) >> KVM_REG_SIZE_SHIFT);
	unsigned i = 0;

	if (!host->one_reg || (r->id & KVM_REG_ARCH_MASK) != KVM_REG_PPC || size > 16)
		return -EINVAL;
	if (r->id == KVM_REG_PPC_DEBUG_INST) {
		if (!set)
			*(uint32_t *)(uintptr_t)r->addr = FAKE_PPC_TRAP;
		return set ? -EINVAL : 0;
	}
	while (i < c->nones && c->one[i].id != r->id)
		i++;
	if (i == c->nones) {
		if (i == ONES_MAX)
			return -EINVAL;
		c->one[c->nones++].id = r->id;
	}
	/* The first half of a vector-scalar register is a floating-point register. */
	if (size == 16 && (r->id & 0xff) >= 0x60 && (r->id & 0xff) <= 0x7f) {
		uint64_t *value = (uint64_t *)(uintptr_t)r->addr;
		struct kvm_one_reg fpr = { .id = KVM_REG_PPC_FPR(r->id & 0x1f), .addr = (uintptr_t)value };
		int e = one_reg(c, &fpr, set);

		if (e)
			return e;
		if (set)
			memcpy(c->one[i].value + 8, value + 1, 8);
		else
			memcpy(value + 1, c->one[i].value + 8, 8);
		return 0;
	}
	if (set)
		memcpy(c->one[i].value, (const void *)(uintptr_t)r->addr, size);
	else
		memcpy((void *)(uintptr_t)r->addr, c->one[i].value, size);
	return 0;
}

static int set_mask(struct cpu *c, const struct kvm_signal_mask *m)
{
	if (m->len != 8)
		return -EINVAL;
	memcpy(&c->mask, m->sigset, 8);
	c->has_mask = true;
	return 0;
}

static int set_debug(struct cpu *c, const struct kvm_guest_debug *d)
{
	if (!host->guest_debug || ((d->control & KVM_GUESTDBG_SINGLESTEP) && !host->single_step))
		return -EINVAL;
	c->debug = *d;
	return 0;
}

static int request_of(int fd, unsigned long request, void *arg)
{
	struct cpu *c = find(fd);

	if (!c)
		return -EBADF;
	switch (request) {
	case KVM_GET_REGS:
		memcpy(arg, &c->regs, sizeof(c->regs));
		return 0;
	case KVM_SET_REGS:
		memcpy(&c->regs, arg, sizeof(c->regs));
		c->regs.msr &= ~MSR_HV;
		return 0;
	case KVM_GET_SREGS:
		memcpy(arg, &c->sregs, sizeof(c->sregs));
		return 0;
	case KVM_SET_SREGS:
		if (((const struct kvm_sregs *)arg)->pvr != c->sregs.pvr)
			return -EINVAL;
		memcpy(&c->sregs, arg, sizeof(c->sregs));
		return 0;
	case KVM_GET_ONE_REG:
	case KVM_SET_ONE_REG:
		return one_reg(c, arg, request == KVM_SET_ONE_REG);
	case KVM_SET_SIGNAL_MASK:
		return set_mask(c, arg);
	case KVM_SET_GUEST_DEBUG:
		return set_debug(c, arg);
	case KVM_TRANSLATE:
		return 0;               /* as Linux does without embedded processors' tables: nothing */
	}
	return -ENOTTY;
}

/* -- running: some instructions of the Power ISA 3.0 B, book I -- */

/* A signal that the thread blocks, and this vCPU does not, waits; or immediate_exit. */
static bool kicked(const struct cpu *c)
{
	sigset_t pending;

	if (host->immediate_exit && __atomic_load_n(&c->run->immediate_exit, __ATOMIC_SEQ_CST))
		return true;
	if (!c->has_mask)
		return false;
	sigpending(&pending);
	for (int sig = 1; sig <= 64; sig++)
		if (sigismember(&pending, sig) == 1 && !(c->mask >> (sig - 1) & 1))
			return true;
	return false;
}

static void complete(struct cpu *c)
{
	const struct kvm_run *r = c->run;
	uint32_t word;

	if (c->exit == KVM_EXIT_MMIO && !r->mmio.is_write) {
		memcpy(&word, r->mmio.data, sizeof(word));
		c->regs.gpr[c->target] = word;
	}
	if (c->exit == KVM_EXIT_PAPR_HCALL) {
		c->regs.gpr[3] = r->papr_hcall.ret;
		memcpy(&c->regs.gpr[4], r->papr_hcall.args, sizeof(r->papr_hcall.args));
	}
	c->exit = 0;
}

static int leave(struct cpu *c, uint32_t reason)
{
	c->run->exit_reason = c->exit = reason;
	return 0;
}

static int debug_leave(struct cpu *c, uint32_t status)
{
	c->run->debug.arch = (struct kvm_debug_exit_arch){ .address = c->regs.pc, .status = status };
	return leave(c, KVM_EXIT_DEBUG);
}

/* A load or store of 32 bits; returns whether it stays in the guest. */
static bool access_word(struct cpu *c, uint64_t gpa, unsigned reg, bool write)
{
	uint8_t *at = fake_kvm_memory(gpa, 4);
	uint32_t word = (uint32_t)c->regs.gpr[reg];

	if (!at) {
		c->target = reg;
		c->run->mmio.phys_addr = gpa;
		c->run->mmio.len = 4;
		c->run->mmio.is_write = write;
		memcpy(c->run->mmio.data, &word, sizeof(word));
		leave(c, KVM_EXIT_MMIO);
	} else if (write) {
		__atomic_store_n((uint32_t *)at, word, __ATOMIC_SEQ_CST);
		fake_kvm_write(gpa);
	} else
		c->regs.gpr[reg] = __atomic_load_n((const uint32_t *)at, __ATOMIC_SEQ_CST);
	return at;
}

/* Does one instruction; returns whether it goes on. */
static bool step(struct cpu *c, uint32_t w)
{
	uint64_t *r = (uint64_t *)c->regs.gpr, base = w >> 16 & 31 ? c->regs.gpr[w >> 16 & 31] : 0;
	uint64_t si = (uint64_t)(int64_t)(int16_t)w, next = c->regs.pc + 4;
	unsigned rt = w >> 21 & 31;
	bool stays = true;

	switch (w >> 26) {
	case 14:        /* addi */
		r[rt] = base + si;
		break;
	case 15:        /* addis */
		r[rt] = base + (si << 16);
		break;
	case 17:        /* sc LEV */
		if ((w >> 5 & 0x7f) != 1)
			return leave(c, KVM_EXIT_UNKNOWN);
		c->run->papr_hcall.nr = r[3];
		memcpy(c->run->papr_hcall.args, &r[4], sizeof(c->run->papr_hcall.args));
		leave(c, KVM_EXIT_PAPR_HCALL);
		stays = false;
		break;
	case 18:        /* b */
		next = c->regs.pc + (uint64_t)((int64_t)((uint64_t)(w & 0x03fffffc) << 38) >> 38);
		break;
	case 24:        /* ori */
		r[w >> 16 & 31] = r[rt] | (uint16_t)w;
		break;
	case 32:        /* lwz */
	case 36:        /* stw */
		stays = access_word(c, (base + si) & REAL_MASK, rt, w >> 26 == 36);
		break;
	default:
		return leave(c, KVM_EXIT_UNKNOWN);
	}
	c->regs.pc = next;
	return stays;
}

static bool breaks_here(const struct cpu *c)
{
	for (unsigned i = 0; i < host->hw_breaks && (c->debug.control & KVM_GUESTDBG_USE_HW_BP); i++)
		if (c->debug.arch.bp[i].type == KVMPPC_DEBUG_BREAKPOINT && c->debug.arch.bp[i].addr == c->regs.pc)
			return true;
	return false;
}

static int run(int fd)
{
	struct cpu *c = find(fd);
	const uint8_t *at;
	uint32_t word;
	unsigned n = 0;
	int r;

	if (!c)
		return -EBADF;
	complete(c);
	/* The Real Mode Area is looked for when the guest is entered, after signals. */
	while (n++ % LOOKS || !kicked(c)) {
		r = n == 1 ? fake_kvm_may_run() : 0;
		if (r)
			return r;
		if (breaks_here(c))
			return debug_leave(c, KVMPPC_DEBUG_BREAKPOINT);
		at = fake_kvm_memory(c->regs.pc & REAL_MASK, 4);
		if (!at)
			return leave(c, KVM_EXIT_UNKNOWN);
		word = __atomic_load_n((const uint32_t *)at, __ATOMIC_SEQ_CST);
		if (word == FAKE_PPC_TRAP && (c->debug.control & KVM_GUESTDBG_USE_SW_BP))
			return debug_leave(c, 0);
		if (!step(c, word))
			return 0;
		if (c->debug.control & KVM_GUESTDBG_SINGLESTEP)
			return debug_leave(c, 0);
	}
	c->run->exit_reason = KVM_EXIT_INTR;
	return -EINTR;
}

const struct fake_cpus fake_ppc = { .create = create, .request = request_of, .run = run, .end = end };
