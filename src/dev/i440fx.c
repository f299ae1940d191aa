/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The 440FX's host bridge (82441FX, data sheet 290549, chapter 3.2).  Of its registers only PAM does something here;
 * those for DRAM and buffers are plain storage, and SMRAM, without SMM, obeys its lock.
 */
#include "dev/chipset.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PAM             0x59u
#define PAM_BYTES       7u
#define PAM_READ        0x1u            /* of a segment's four bits; the upper two are reserved */
#define PAM_WRITE       0x2u
#define PAM_BASE        0xc0000u
#define PAM_SMALL       0x4000u
#define PAM_TOP_BASE    0xf0000u
#define PAM_TOP_SIZE    0x10000u

#define SMRAM           0x72u
#define SMRAM_OPEN      0x40
#define SMRAM_LOCK      0x10
#define SMRAM_RESET     0x02            /* the segment at 0xa0000, always */
#define SMRAM_WRITABLE  0x78

struct i440fx {
	struct pci_function f;
	uint8_t pam[PAM_BYTES];         /* what the host knows */
	uint8_t smram;                  /* before a write */
};

static const struct pci_reg regs[] = {
	{ PCI_COMMAND, 2, 0x0006, 0x0140, NULL },
	{ PCI_STATUS, 2, 0x0280, 0, NULL },
	{ 0x50, 2, 0, 0xffff, "PMCCFG" },
	{ 0x52, 1, 0, 0xff, "DETURBO" },
	{ 0x53, 1, 0x80, 0xff, "DBC" },
	{ 0x54, 1, 0, 0xff, "AXC" },
	{ 0x55, 2, 0, 0xffff, "DRT" },
	{ 0x57, 1, 0x01, 0xff, "DRAMC" },
	{ 0x58, 1, 0x10, 0xff, "DRAMT" },
	{ 0x59, 1, 0, 0x30, "PAM0" },
	{ 0x5a, 1, 0, 0x33, "PAM1" },
	{ 0x5b, 1, 0, 0x33, "PAM2" },
	{ 0x5c, 1, 0, 0x33, "PAM3" },
	{ 0x5d, 1, 0, 0x33, "PAM4" },
	{ 0x5e, 1, 0, 0x33, "PAM5" },
	{ 0x5f, 1, 0, 0x33, "PAM6" },
	{ 0x60, 4, 0x01010101, 0xffffffff, "DRB0-3" },
	{ 0x64, 4, 0x01010101, 0xffffffff, "DRB4-7" },
	{ 0x68, 1, 0, 0xc0, "FDHC" },
	{ 0x70, 1, 0, 0xff, "MTT" },
	{ 0x71, 1, 0x10, 0xff, "CLT" },
	{ SMRAM, 1, SMRAM_RESET, SMRAM_WRITABLE, "SMRAM" },
	{ 0x90, 1, 0, 0xff, "ERRCMD" },
};

#define NREGS (sizeof(regs) / sizeof(regs[0]))

/* Tells the host if PAM registers are not what they were. */
static void notice_pam(struct i440fx *i)
{
	if (memcmp(i->pam, i->f.config + PAM, PAM_BYTES) == 0)
		return;
	memcpy(i->pam, i->f.config + PAM, PAM_BYTES);
	i->f.dev.host->remap(i->f.dev.host->arg);
}

static void i440fx_written(struct pci_function *f, unsigned offset, unsigned size)
{
	struct i440fx *i = (struct i440fx *)f;
	uint8_t *smram = &f->config[SMRAM];

	/* Once locked, it stays so, and closed, until a reset.  What is loaded whole has been checked. */
	if (size < PCI_CONFIG_BYTES && (i->smram & SMRAM_LOCK))
		*smram |= SMRAM_LOCK;
	if (*smram & SMRAM_LOCK)
		*smram &= (uint8_t)~SMRAM_OPEN;
	i->smram = *smram;
	if (offset < PAM + PAM_BYTES && offset + size > PAM)
		notice_pam(i);
}

static void i440fx_reset(struct device *d)
{
	struct i440fx *i = (struct i440fx *)d;

	pci_reset(&i->f);
	pci_regs_reset(&i->f, regs, NREGS);
	i->smram = SMRAM_RESET;
	notice_pam(i);
}

static int i440fx_save(const struct device *d, struct dev_buf *b)
{
	return pci_save((const struct pci_function *)d, b);
}

static int i440fx_load(struct device *d, struct dev_buf *b, struct err *err)
{
	if (b->len - b->pos > SMRAM) {
		uint8_t smram = b->data[b->pos + SMRAM];

		if ((smram & SMRAM_LOCK) && (smram & SMRAM_OPEN))
			return err_set(err, EINVAL, "%s: its saved state contradicts itself", d->ops->name);
	}
	return pci_load((struct pci_function *)d, b, err);
}

static void i440fx_free(struct device *d)
{
	free(d);
}

static void i440fx_show(const struct device *d, const struct dev_show *s)
{
	const struct pci_function *f = (const struct pci_function *)d;

	pci_show(f, s);
	pci_regs_show(f->config, regs, NREGS, s);
}

static const struct dev_ops i440fx_ops = {
	.name = "i440fx",
	.what = "host bridge: PAM",
	.reset = i440fx_reset,
	.save = i440fx_save,
	.load = i440fx_load,
	.free = i440fx_free,
	.show = i440fx_show,
};

static const struct pci_spec i440fx_spec = {
	.slot = 0,
	.function = 0,
	.vendor = 0x8086,
	.device = 0x1237,
	/* By these firmware knows that the machine is virtual, and has a firmware configuration device. */
	.subsystem_vendor = 0x1af4,
	.subsystem = 0x1100,
	.class_code = 0x060000,
	.revision = 2,
	.name = "440FX host bridge",
};

int i440fx_attach(struct pci_bus *pci, struct pci_function **ret, struct err *err)
{
	struct i440fx *i = calloc(1, sizeof(*i));
	int r;

	if (!i)
		return err_set(err, ENOMEM, "no memory for the host bridge");
	i->f.dev.ops = &i440fx_ops;
	i->f.config_written = i440fx_written;
	r = pci_add(pci, &i->f, &i440fx_spec, err);
	if (r < 0)
		return r;
	pci_regs_reset(&i->f, regs, NREGS);
	i->smram = SMRAM_RESET;
	*ret = &i->f;
	return 0;
}

struct pam_segment i440fx_pam(const struct pci_function *bridge, unsigned index)
{
	bool top = index == PAM_SEGMENTS - 1;
	unsigned reg = top ? PAM : PAM + 1 + index / 2, shift = top || index % 2 ? 4 : 0;
	unsigned bits = (unsigned)bridge->config[reg] >> shift;

	return (struct pam_segment){
		.gpa = top ? PAM_TOP_BASE : PAM_BASE + index * PAM_SMALL,
		.size = top ? PAM_TOP_SIZE : PAM_SMALL,
		.read_ram = bits & PAM_READ,
		.write_ram = bits & PAM_WRITE,
	};
}
