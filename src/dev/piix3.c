/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The PIIX3's ISA bridge (82371SB, data sheet 290550, chapter 2.3).  Here it routes PCI interrupts; what its other
 * registers decode and time is as if it were always so.
 */
#include "dev/chipset.h"

#include <errno.h>
#include <stdlib.h>

#define PIRQRC          0x60u
#define PIRQRC_OFF      0x80
#define ROUTABLE        0xdef8u         /* interrupts that a PIRQ may be routed to, a bit each */

struct piix3 {
	struct pci_function f;
	bool level[CHIPSET_PIRQS];
	uint8_t route[CHIPSET_PIRQS];   /* as its lines are driven now */
};

static const struct pci_reg regs[] = {
	{ PCI_COMMAND, 2, 0x0007, 0x0108, NULL },
	{ PCI_STATUS, 2, 0x0200, 0, NULL },
	{ 0x4c, 1, 0x4d, 0xff, "IORT" },
	{ 0x4e, 2, 0x0003, 0xffff, "XBCS" },
	{ PIRQRC, 1, PIRQRC_OFF, 0x8f, "PIRQRCA" },
	{ PIRQRC + 1, 1, PIRQRC_OFF, 0x8f, "PIRQRCB" },
	{ PIRQRC + 2, 1, PIRQRC_OFF, 0x8f, "PIRQRCC" },
	{ PIRQRC + 3, 1, PIRQRC_OFF, 0x8f, "PIRQRCD" },
	{ 0x69, 1, 0x02, 0xfe, "TOM" },
	{ 0x6a, 2, 0, 0, "MSTAT" },
	{ 0x70, 1, 0x80, 0xef, "MBIRQ0" },
	{ 0x76, 1, 0x0c, 0x8f, "MBDMA0" },
	{ 0x77, 1, 0x0c, 0x8f, "MBDMA1" },
	{ 0x78, 2, 0x0002, 0xffff, "PCSC" },
	{ 0x80, 1, 0, 0x7f, "APICBASE" },
	{ 0x82, 1, 0, 0x0f, "DLC" },
	{ 0xa0, 1, 0x08, 0x1f, "SMICNTL" },
	{ 0xa2, 2, 0, 0xffff, "SMIEN" },
	{ 0xa4, 4, 0, 0xffffffff, "SEE" },
	{ 0xa8, 1, 0x0f, 0xff, "FTMR" },
	{ 0xac, 1, 0, 0xff, "CTLTMR" },
	{ 0xae, 1, 0, 0xff, "CTHTMR" },
};

#define NREGS (sizeof(regs) / sizeof(regs[0]))

static bool is_routed(uint8_t route)
{
	return !(route & PIRQRC_OFF) && (ROUTABLE >> route & 1);
}

/* Has PIRQ drive the line that it is routed to now instead of the one before. */
static void drive(struct piix3 *p, unsigned pirq)
{
	uint8_t route = p->f.config[PIRQRC + pirq];

	if (route != p->route[pirq] && is_routed(p->route[pirq]))
		pci_drive_line(p->f.pci, p->route[pirq], CHIPSET_PIRQ + pirq, false);
	if (is_routed(route))
		pci_drive_line(p->f.pci, route, CHIPSET_PIRQ + pirq, p->level[pirq]);
	p->route[pirq] = route;
}

static void drive_all(struct piix3 *p)
{
	unsigned i;

	for (i = 0; i < CHIPSET_PIRQS; i++)
		drive(p, i);
}

static void piix3_route(void *arg, unsigned pin, bool level)
{
	struct piix3 *p = arg;

	p->level[pin] = level;
	drive(p, pin);
}

static void piix3_written(struct pci_function *f, unsigned offset, unsigned size)
{
	if (offset < PIRQRC + CHIPSET_PIRQS && offset + size > PIRQRC)
		drive_all((struct piix3 *)f);
}

static void piix3_reset(struct device *d)
{
	struct piix3 *p = (struct piix3 *)d;

	pci_reset(&p->f);
	pci_regs_reset(&p->f, regs, NREGS);
	drive_all(p);
}

/* The levels of the PIRQs are those of the functions' pins, which each of them brings back. */
static int piix3_save(const struct device *d, struct dev_buf *b)
{
	return pci_save((const struct pci_function *)d, b);
}

static int piix3_load(struct device *d, struct dev_buf *b, struct err *err)
{
	return pci_load((struct pci_function *)d, b, err);
}

static void piix3_free(struct device *d)
{
	free(d);
}

static void piix3_show(const struct device *d, const struct dev_show *s)
{
	const struct pci_function *f = (const struct pci_function *)d;

	pci_show(f, s);
	pci_regs_show(f->config, regs, NREGS, s);
}

static const struct dev_ops piix3_ops = {
	.name = "piix3",
	.what = "ISA bridge: routing of PCI interrupts",
	.reset = piix3_reset,
	.save = piix3_save,
	.load = piix3_load,
	.free = piix3_free,
	.show = piix3_show,
};

static const struct pci_spec piix3_spec = {
	.slot = 1,
	.function = 0,
	.vendor = 0x8086,
	.device = 0x7000,
	.subsystem_vendor = 0x1af4,
	.subsystem = 0x1100,
	.class_code = 0x060100,
	.multifunction = true,
	.name = "PIIX3 ISA bridge",
};

int piix3_attach(struct pci_bus *pci, struct err *err)
{
	struct piix3 *p = calloc(1, sizeof(*p));
	unsigned i;
	int r;

	if (!p)
		return err_set(err, ENOMEM, "no memory for the ISA bridge");
	p->f.dev.ops = &piix3_ops;
	p->f.config_written = piix3_written;
	r = pci_add(pci, &p->f, &piix3_spec, err);
	if (r < 0)
		return r;
	pci_regs_reset(&p->f, regs, NREGS);
	for (i = 0; i < CHIPSET_PIRQS; i++)
		p->route[i] = PIRQRC_OFF;
	pci_set_router(pci, piix3_route, p);
	return 0;
}
