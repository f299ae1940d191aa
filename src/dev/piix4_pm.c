/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Power management of the PIIX4 (82371AB, data sheet 290562, chapters 7 and 11; ACPI 1.0, 4.7).  Its timer is the
 * host's clock, looked at when the guest accesses the registers, or when an overflow is to interrupt.
 */
#include "dev/chipset.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SCI_GSI         9u

/* Ranges and windows. */
enum { RANGE_APM, RANGE_GPE, WINDOW_PM = 32, WINDOW_SMB };
#define APM_BASE        0xb2
#define APM_BYTES       2u
#define GPE_BASE        0xafe0
#define GPE_BYTES       4u
#define PM_BYTES        64u
#define SMB_BYTES       16u

/* Of configuration space. */
#define PMBASE          0x40u
#define PMREGMISC       0x80u
#define SMBBA           0x90u
#define SMBHSTCFG       0xd2u
#define ENABLE          0x01            /* in the last three; in the bases it says that they are ports */
#define BASE_BITS       0xffffu

#define APMC_ACPI_ON    0xf1
#define APMC_ACPI_OFF   0xf0

/* Of the power management ports. */
enum { PMSTS = 0x00, PMEN = 0x02, PMCNTRL = 0x04, PMTMR = 0x08 };
#define PMSTS_TMROF     0x01
#define PMEN_TMROF      0x01
#define PMCNTRL_SCI     0x01
#define PMCNTRL_TYPE    0x1c            /* of its upper byte */
#define PMCNTRL_SUSPEND 0x20
#define TYPE_OFF        0x00

#define GPE_ENABLE      2u              /* the upper half; the lower is status, of which there is never any */

/* Of the SMBus's ports. */
enum { SMB_STATUS = 0x00, SMB_CONTROL = 0x02 };
#define SMB_DEVICE_ERROR 0x04
#define SMB_START       0x40            /* reads as 0 */

#define TIMER_HZ        3579545u
#define TIMER_BITS      24
#define HALF_BITS       (TIMER_BITS - 1)        /* the timer overflows each time its highest bit changes */
#define NS              1000000000u

struct pm_state {
	uint8_t io[PM_BYTES];           /* but for the timer */
	uint8_t smb[SMB_BYTES];
	uint8_t apm[APM_BYTES];
	uint8_t gpe_enable[GPE_BYTES - GPE_ENABLE];
	uint64_t half;                  /* the timer's half rounds whose overflows have been noticed */
};

struct pm {
	struct pci_function f;
	struct pm_state s;
	bool sci;
};

static const struct pci_reg config_regs[] = {
	{ PCI_COMMAND, 2, 0, PCI_COMMAND_IO, NULL },
	{ PCI_STATUS, 2, 0x0280, 0, NULL },
	{ PMBASE, 4, 0x00000001, 0x0000ffc0, "PMBASE" },
	{ 0x44, 4, 0, 0xffffffff, "CNTA" },
	{ 0x48, 4, 0, 0xffffffff, "CNTB" },
	{ 0x4c, 4, 0, 0xffffffff, "GPICTL" },
	{ 0x50, 3, 0, 0xffffff, "DEVRESD" },
	{ 0x54, 4, 0, 0xffffffff, "DEVACTA" },
	{ 0x58, 4, 0x02000000, 0xffffffff, "DEVACTB" },         /* APMC_EN: writes to 0xb2 interrupt */
	{ 0x5c, 4, 0, 0xffffffff, "DEVRESA" },
	{ 0x60, 4, 0, 0xffffffff, "DEVRESB" },
	{ 0x64, 4, 0x08000000, 0xffffffff, "DEVRESC" },         /* there is a COM1: the DSDT asks */
	{ 0x68, 3, 0, 0xffffff, "DEVRESE" },
	{ 0x6c, 4, 0, 0xffffffff, "DEVRESF" },
	{ 0x70, 3, 0, 0xffffff, "DEVRESG" },
	{ 0x74, 4, 0, 0xffffffff, "DEVRESH" },
	{ 0x78, 4, 0, 0xffffffff, "DEVRESI" },
	{ 0x7c, 4, 0, 0xffffffff, "DEVRESJ" },
	{ PMREGMISC, 1, 0, ENABLE, "PMREGMISC" },
	{ SMBBA, 4, 0x00000001, 0x0000fff0, "SMBBA" },
	{ SMBHSTCFG, 1, 0, 0x0f, "SMBHSTCFG" },
	{ 0xd4, 1, 0, 0xff, "SMBSLVC" },
	{ 0xd5, 1, 0, 0xff, "SMBSHDW1" },
	{ 0xd6, 1, 0, 0xff, "SMBSHDW2" },
};

/*
 * Status registers read as 0 where there is nothing to report; level registers (PLVL2, PLVL3) leave the processor as
 * it is.
 */
static const struct pci_reg io_regs[] = {
	{ PMSTS, 2, 0, 0, "PMSTS" },
	{ PMEN, 2, 0, 0x0521, "PMEN" },
	{ PMCNTRL, 2, 0, 0x1c03, "PMCNTRL" },
	{ 0x0c, 2, 0, 0, "GPSTS" },
	{ 0x0e, 2, 0, 0x0f03, "GPEN" },
	{ 0x10, 4, 0, 0x0003fe3f, "PCNTRL" },
	{ 0x18, 2, 0, 0, "GLBSTS" },
	{ 0x1c, 4, 0, 0, "DEVSTS" },
	{ 0x20, 2, 0, 0x0dff, "GLBEN" },
	{ 0x28, 4, 0, 0x0700ff07, "GLBCTL" },
	{ 0x2c, 4, 0, 0x3fffffff, "DEVCTL" },
	{ 0x30, 3, 0, 0, "GPIREG" },
	{ 0x34, 4, 0x7fffbfff, 0x7fffffff, "GPOREG" },
};

static const struct pci_reg smb_regs[] = {
	{ SMB_STATUS, 1, 0, 0, "SMBHSTSTS" },
	{ SMB_CONTROL, 1, 0, 0x1f, "SMBHSTCNT" },
	{ 0x03, 1, 0, 0xff, "SMBHSTCMD" },
	{ 0x04, 1, 0, 0xff, "SMBHSTADD" },
	{ 0x05, 1, 0, 0xff, "SMBHSTDAT0" },
	{ 0x06, 1, 0, 0xff, "SMBHSTDAT1" },
	{ 0x07, 1, 0, 0xff, "SMBBLKDAT" },
	{ 0x08, 1, 0, 0x0f, "SMBSLVCNT" },
	{ 0x0a, 2, 0, 0xffff, "SMBSLVEVT" },
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct dev_field fields[] = {
	DEV_BYTES(struct pm_state, io),
	DEV_BYTES(struct pm_state, smb),
	DEV_BYTES(struct pm_state, apm),
	DEV_BYTES(struct pm_state, gpe_enable),
	DEV_FIELD(struct pm_state, half, UINT64_MAX),
};

static uint64_t ticks_at(uint64_t ns)
{
	return ns / NS * TIMER_HZ + ns % NS * TIMER_HZ / NS;
}

/* The first nanosecond at which half round HALF has begun; DEV_NEVER: the clock ends before. */
static uint64_t half_begins(uint64_t half)
{
	uint64_t ticks;

	if (half > ticks_at(UINT64_MAX) >> HALF_BITS)
		return DEV_NEVER;
	ticks = half << HALF_BITS;
	return ticks / TIMER_HZ * NS + (ticks % TIMER_HZ * NS + TIMER_HZ - 1) / TIMER_HZ;
}

/* The register of N in REG that has byte AT, and in *SHIFT where; NULL: none. */
static const struct pci_reg *reg_at(const struct pci_reg *reg, size_t n, unsigned at, unsigned *shift)
{
	for (; n; n--, reg++) {
		if (at < reg->offset || at - reg->offset >= reg->size)
			continue;
		*shift = 8 * (at - reg->offset);
		return reg;
	}
	return NULL;
}

static uint8_t mask_at(const struct pci_reg *reg, size_t n, unsigned at)
{
	unsigned shift;

	reg = reg_at(reg, n, at, &shift);
	return reg ? (uint8_t)(reg->writable >> shift) : 0;
}

static uint8_t reset_at(const struct pci_reg *reg, size_t n, unsigned at)
{
	unsigned shift;

	reg = reg_at(reg, n, at, &shift);
	return reg ? (uint8_t)(reg->reset >> shift) : 0;
}

static void state_reset(struct pm_state *s)
{
	unsigned i;

	memset(s, 0, sizeof(*s));
	for (i = 0; i < PM_BYTES; i++)
		s->io[i] = reset_at(io_regs, COUNT(io_regs), i);
}

/* Notices an overflow that is past at NS. */
static void catch_up(struct pm_state *s, uint64_t ns)
{
	uint64_t half = ticks_at(ns) >> HALF_BITS;

	if (half != s->half)
		s->io[PMSTS] |= PMSTS_TMROF;
	s->half = half;
}

/* SCI follows from status and enables; a timer is set when an overflow would raise it. */
static void update_sci(struct pm *p)
{
	const uint8_t *io = p->s.io;
	bool on = io[PMCNTRL] & PMCNTRL_SCI, wanted = on && (io[PMEN] & PMEN_TMROF), now = io[PMSTS] & PMSTS_TMROF;

	dev_timer(&p->f.dev, wanted && !now ? half_begins(p->s.half + 1) : DEV_NEVER);
	if (p->sci == (wanted && now))
		return;
	p->sci = !p->sci;
	pci_drive_line(p->f.pci, SCI_GSI, CHIPSET_SCI, p->sci);
}

static void pm_timer(struct device *d, uint64_t clock)
{
	struct pm *p = (struct pm *)d;

	catch_up(&p->s, clock);
	update_sci(p);
}

static uint8_t pm_byte(const struct pm_state *s, unsigned at, uint64_t ticks)
{
	if (at >= PMTMR && at < PMTMR + 4)
		return (uint8_t)((ticks & ((1u << TIMER_BITS) - 1)) >> (8 * (at - PMTMR)));
	return s->io[at];
}

static void write_pm(struct pm *p, unsigned at, uint8_t value)
{
	uint8_t mask = mask_at(io_regs, COUNT(io_regs), at);

	p->s.io[at] = (uint8_t)((p->s.io[at] & ~mask) | (value & mask));
	if (at == PMSTS)
		p->s.io[PMSTS] &= (uint8_t)~(value & PMSTS_TMROF);
	/* Other ways to sleep need somebody to wake up by. */
	if (at == PMCNTRL + 1 && (value & PMCNTRL_SUSPEND) && (value & PMCNTRL_TYPE) == TYPE_OFF)
		p->f.dev.host->power_off(p->f.dev.host->arg, "the ACPI control register");
}

static void write_smb(struct pm_state *s, unsigned at, uint8_t value)
{
	uint8_t mask = mask_at(smb_regs, COUNT(smb_regs), at);

	s->smb[at] = (uint8_t)((s->smb[at] & ~mask) | (value & mask));
	if (at == SMB_STATUS)
		s->smb[SMB_STATUS] &= (uint8_t)~value;
	if (at == SMB_CONTROL && (value & SMB_START))
		s->smb[SMB_STATUS] |= SMB_DEVICE_ERROR;
}

static void write_apm(struct pm_state *s, unsigned at, uint8_t value)
{
	s->apm[at] = value;
	if (at)
		return;
	if (value == APMC_ACPI_ON)
		s->io[PMCNTRL] |= PMCNTRL_SCI;
	else if (value == APMC_ACPI_OFF)
		s->io[PMCNTRL] &= (uint8_t)~PMCNTRL_SCI;
}

static uint64_t pm_read(struct device *d, unsigned range, uint64_t offset, unsigned size)
{
	struct pm *p = (struct pm *)d;
	uint64_t ns = dev_clock(d), value = 0;
	unsigned i, at = (unsigned)offset;
	uint8_t byte;

	catch_up(&p->s, ns);
	update_sci(p);
	for (i = 0; i < size; i++, at++) {
		if (range == WINDOW_PM)
			byte = pm_byte(&p->s, at, ticks_at(ns));
		else if (range == WINDOW_SMB)
			byte = p->s.smb[at];
		else if (range == RANGE_APM)
			byte = p->s.apm[at];
		else
			byte = at < GPE_ENABLE ? 0 : p->s.gpe_enable[at - GPE_ENABLE];
		value |= (uint64_t)byte << (8 * i);
	}
	return value;
}

static void pm_write(struct device *d, unsigned range, uint64_t offset, unsigned size, uint64_t value)
{
	struct pm *p = (struct pm *)d;
	unsigned i, at = (unsigned)offset;

	catch_up(&p->s, dev_clock(d));
	for (i = 0; i < size; i++, at++, value >>= 8) {
		if (range == WINDOW_PM)
			write_pm(p, at, (uint8_t)value);
		else if (range == WINDOW_SMB)
			write_smb(&p->s, at, (uint8_t)value);
		else if (range == RANGE_APM)
			write_apm(&p->s, at, (uint8_t)value);
		else if (at >= GPE_ENABLE)
			p->s.gpe_enable[at - GPE_ENABLE] = (uint8_t)value;
	}
	update_sci(p);
}

static unsigned window_base(const struct pci_function *f, unsigned reg, unsigned bytes)
{
	return pci_get16(f, reg) & BASE_BITS & ~(bytes - 1);
}

static void place_windows(struct pci_function *f)
{
	unsigned pm = window_base(f, PMBASE, PM_BYTES), smb = window_base(f, SMBBA, SMB_BYTES);
	bool smb_on = (f->config[SMBHSTCFG] & ENABLE) && (pci_get16(f, PCI_COMMAND) & PCI_COMMAND_IO);

	bus_set_window(&f->dev, WINDOW_PM, pm, pm && (f->config[PMREGMISC] & ENABLE) ? PM_BYTES : 0);
	bus_set_window(&f->dev, WINDOW_SMB, smb, smb && smb_on ? SMB_BYTES : 0);
}

static void pm_written(struct pci_function *f, unsigned offset, unsigned size)
{
	(void)offset;
	(void)size;
	place_windows(f);
}

static void pm_reset(struct device *d)
{
	struct pm *p = (struct pm *)d;

	pci_reset(&p->f);
	pci_regs_reset(&p->f, config_regs, COUNT(config_regs));
	place_windows(&p->f);
	state_reset(&p->s);
	p->s.half = ticks_at(dev_clock(d)) >> HALF_BITS;
	update_sci(p);
}

static int pm_save(const struct device *d, struct dev_buf *b)
{
	const struct pm *p = (const struct pm *)d;
	int r = dev_fields_save(&p->s, fields, COUNT(fields), b);

	return r == 0 ? pci_save(&p->f, b) : r;
}

/* Whether each byte of a block has no bit that could not have come to be there: EXTRA at its first byte can. */
static bool is_possible(const uint8_t *byte, unsigned bytes, const struct pci_reg *reg, size_t n, uint8_t extra)
{
	unsigned i;

	for (i = 0; i < bytes; i++, extra = 0)
		if ((byte[i] ^ reset_at(reg, n, i)) & ~(mask_at(reg, n, i) | extra))
			return false;
	return true;
}

static int pm_load(struct device *d, struct dev_buf *b, struct err *err)
{
	struct pm *p = (struct pm *)d;
	struct pm_state s;
	int r = dev_fields_load(&s, fields, COUNT(fields), b, d->ops->name, err);

	if (r < 0)
		return r;
	if (!is_possible(s.io, PM_BYTES, io_regs, COUNT(io_regs), PMSTS_TMROF) ||
	    !is_possible(s.smb, SMB_BYTES, smb_regs, COUNT(smb_regs), SMB_DEVICE_ERROR) ||
	    s.half > ticks_at(UINT64_MAX) >> HALF_BITS)
		return err_set(err, EINVAL, "%s: its saved state is out of range", d->ops->name);
	r = pci_load(&p->f, b, err);
	if (r < 0)
		return r;
	p->s = s;
	update_sci(p);
	return 0;
}

static void pm_free(struct device *d)
{
	free(d);
}

static void pm_show(const struct device *d, const struct dev_show *s)
{
	const struct pm *p = (const struct pm *)d;
	struct pm_state now = p->s;
	uint64_t ns = dev_clock(d);

	catch_up(&now, ns);
	pci_show(&p->f, s);
	pci_regs_show(p->f.config, config_regs, COUNT(config_regs), s);
	pci_regs_show(now.io, io_regs, COUNT(io_regs), s);
	s->reg(s->arg, "PMTMR", TIMER_BITS, ticks_at(ns) & ((1u << TIMER_BITS) - 1), NULL);
	s->reg(s->arg, "GPE0_EN", 16, now.gpe_enable[0] | (unsigned)now.gpe_enable[1] << 8, NULL);
	s->reg(s->arg, "APMC", 8, now.apm[0], NULL);
	s->reg(s->arg, "APMS", 8, now.apm[1], NULL);
	pci_regs_show(now.smb, smb_regs, COUNT(smb_regs), s);
	s->reg(s->arg, "SCI", 1, p->sci, p->sci ? "asserted" : "idle");
}

static const struct dev_ops pm_ops = {
	.name = "piix4_pm",
	.what = "power management, ACPI timer, SMBus",
	.reset = pm_reset,
	.save = pm_save,
	.load = pm_load,
	.free = pm_free,
	.read = pm_read,
	.write = pm_write,
	.timer = pm_timer,
	.show = pm_show,
};

static const struct pci_spec pm_spec = {
	.slot = 1,
	.function = 3,
	.vendor = 0x8086,
	.device = 0x7113,
	.subsystem_vendor = 0x1af4,
	.subsystem = 0x1100,
	.class_code = 0x068000,
	.revision = 3,
	.irq_pin = 1,
	.name = "PIIX4 power management",
};

int piix4_pm_attach(struct pci_bus *pci, struct err *err)
{
	struct pm *p = calloc(1, sizeof(*p));
	struct bus *b = pci_bus_of(pci);
	int r;

	if (!p)
		return err_set(err, ENOMEM, "no memory for power management");
	p->f.dev.ops = &pm_ops;
	p->f.config_written = pm_written;
	state_reset(&p->s);
	r = bus_attach(b, &p->f.dev, APM_BASE, APM_BYTES, err);
	if (r < 0)
		return r;
	r = bus_attach(b, &p->f.dev, GPE_BASE, GPE_BYTES, err);
	if (r == 0)
		r = pci_add(pci, &p->f, &pm_spec, err);
	if (r == 0)
		r = bus_add_window(b, &p->f.dev, BUS_PORTS, WINDOW_PM, err);
	if (r == 0)
		r = bus_add_window(b, &p->f.dev, BUS_PORTS, WINDOW_SMB, err);
	if (r == 0)
		pci_regs_reset(&p->f, config_regs, COUNT(config_regs));
	return r;
}
