/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "load/mptable.h"

#include <errno.h>
#include <string.h>

#include "api/machine.h"
#include "dev/pcboot.h"

#define PACKED __attribute__((packed))

#define GPA_ALIGN       16u
#define GPA_END         0x100000u
#define SPEC_REVISION   4               /* 1.4 */
#define LOCAL_APIC_GPA  0xfee00000u
#define IOAPIC_GPA      0xfec00000u
#define LOCAL_VERSION   0x14
#define IOAPIC_VERSION  0x11
#define IOAPIC_ID       0               /* as its own register says; local APICs' ids are others' */

#define SLOTS           32u
#define PINS            4u
#define ISA_LINES       16u
#define CASCADE         2u              /* the second 8259's, nobody's else */
#define SCI_LINE        9u

/* 4.1 */
struct pointer {
	char signature[4];
	uint32_t config;
	uint8_t length;                 /* in 16 bytes */
	uint8_t revision, checksum;
	uint8_t features[5];            /* no default configuration, no IMCR */
} PACKED;

/* 4.2 */
struct config {
	char signature[4];
	uint16_t length;
	uint8_t revision, checksum;
	char oem[8], product[12];
	uint32_t oem_table;
	uint16_t oem_size, entries;
	uint32_t local_apic;
	uint16_t extended_length;
	uint8_t extended_checksum, reserved;
} PACKED;

/* 4.3, in the order they must have. */
enum { ENTRY_CPU, ENTRY_BUS, ENTRY_IOAPIC, ENTRY_IRQ, ENTRY_LOCAL_IRQ };
enum { BUS_PCI, BUS_ISA };
enum { IRQ_INT, IRQ_NMI, IRQ_SMI, IRQ_EXTINT };
#define CPU_ENABLED     0x01
#define CPU_BOOT        0x02
#define IOAPIC_ENABLED  0x01
#define AS_BUS          0x00            /* polarity and trigger mode */
#define LEVEL_HIGH      0x0d
#define EVERY_APIC      0xff

struct cpu {
	uint8_t type, id, version, flags;
	uint32_t signature, features, reserved[2];
} PACKED;

struct bus_entry {
	uint8_t type, id;
	char name[6];
} PACKED;

struct ioapic {
	uint8_t type, id, version, flags;
	uint32_t gpa;
} PACKED;

struct irq {
	uint8_t type, kind;
	uint16_t flags;
	uint8_t bus, source, apic, pin;
} PACKED;

struct table {
	uint8_t data[MPTABLE_BYTES_MAX];
	size_t n;
	uint16_t entries;
};

_Static_assert(sizeof(struct pointer) + sizeof(struct config) + MACHINE_CPUS_MAX * sizeof(struct cpu) +
	       2 * sizeof(struct bus_entry) + sizeof(struct ioapic) +
	       (ISA_LINES + SLOTS * PINS + 2) * sizeof(struct irq) <= MPTABLE_BYTES_MAX, "all entries there can be");

static uint8_t checksum(const void *data, size_t size)
{
	const uint8_t *byte = data;
	uint8_t sum = 0;

	while (size--)
		sum += *byte++;
	return (uint8_t)-sum;
}

static void add(struct table *t, const void *entry, size_t size)
{
	memcpy(t->data + t->n, entry, size);
	t->n += size;
	t->entries++;
}

static void add_irq(struct table *t, unsigned flags, unsigned bus, unsigned source, unsigned line)
{
	struct irq i = { ENTRY_IRQ, IRQ_INT, (uint16_t)flags, (uint8_t)bus, (uint8_t)source, IOAPIC_ID, (uint8_t)line };

	add(t, &i, sizeof(i));
}

static bool is_pci_line(unsigned line)
{
	for (unsigned pirq = 0; pirq < 4; pirq++)
		if (PCBOOT_PIRQ_LINE(pirq) == line)
			return true;
	return false;
}

static void add_irqs(struct table *t)
{
	static const struct irq local[] = {
		{ ENTRY_LOCAL_IRQ, IRQ_EXTINT, AS_BUS, BUS_ISA, 0, 0, 0 },      /* the 8259s', at the boot processor */
		{ ENTRY_LOCAL_IRQ, IRQ_NMI, AS_BUS, BUS_ISA, 0, EVERY_APIC, 1 },
	};
	unsigned i;

	/* A source on a PCI bus is a slot and a pin (D.3). */
	for (i = 0; i < SLOTS * PINS; i++)
		add_irq(t, LEVEL_HIGH, BUS_PCI, i, PCBOOT_PIRQ_LINE(PCBOOT_PIRQ(i / PINS, i % PINS)));
	for (i = 0; i < ISA_LINES; i++)
		if (i != CASCADE && !is_pci_line(i))
			add_irq(t, i == SCI_LINE ? LEVEL_HIGH : AS_BUS, BUS_ISA, i, i);
	for (i = 0; i < sizeof(local) / sizeof(local[0]); i++)
		add(t, &local[i], sizeof(local[i]));
}

static void add_entries(struct table *t, const struct mptable_spec *spec)
{
	static const struct bus_entry buses[] = {
		{ ENTRY_BUS, BUS_PCI, { 'P', 'C', 'I', ' ', ' ', ' ' } },
		{ ENTRY_BUS, BUS_ISA, { 'I', 'S', 'A', ' ', ' ', ' ' } },
	};
	static const struct ioapic ioapic = { ENTRY_IOAPIC, IOAPIC_ID, IOAPIC_VERSION, IOAPIC_ENABLED, IOAPIC_GPA };

	for (unsigned i = 0; i < spec->cpus; i++) {
		struct cpu c = {
			.type = ENTRY_CPU,
			.id = (uint8_t)i,
			.version = LOCAL_VERSION,
			.flags = CPU_ENABLED | (i ? 0 : CPU_BOOT),
			.signature = spec->cpu_signature,
			.features = spec->cpu_features,
		};

		add(t, &c, sizeof(c));
	}
	add(t, &buses[0], sizeof(buses[0]));
	add(t, &buses[1], sizeof(buses[1]));
	add(t, &ioapic, sizeof(ioapic));
	add_irqs(t);
}

static void build(struct table *t, const struct mptable_spec *spec)
{
	struct pointer p = {
		.signature = { '_', 'M', 'P', '_' },
		.config = (uint32_t)spec->gpa + sizeof(p),
		.length = sizeof(p) / 16,
		.revision = SPEC_REVISION,
	};
	struct config c = {
		.signature = { 'P', 'C', 'M', 'P' },
		.revision = SPEC_REVISION,
		.oem = { 'G', 'D', 'B', 'V', 'I', 'S', 'O', 'R' },
		.product = { 'P', 'C', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ' },
		.local_apic = LOCAL_APIC_GPA,
	};

	t->n = sizeof(p) + sizeof(c);
	add_entries(t, spec);
	c.length = (uint16_t)(t->n - sizeof(p));
	c.entries = t->entries;
	memcpy(t->data + sizeof(p), &c, sizeof(c));
	c.checksum = checksum(t->data + sizeof(p), c.length);
	memcpy(t->data + sizeof(p), &c, sizeof(c));
	p.checksum = checksum(&p, sizeof(p));
	memcpy(t->data, &p, sizeof(p));
}

int mptable_build(const struct mptable_spec *spec, struct gmem *g, uint64_t *ret_gpa, struct err *err)
{
	struct table t = { .n = 0 };
	uint8_t before[MPTABLE_BYTES_MAX];

	if (!spec->cpus || spec->cpus > MACHINE_CPUS_MAX)
		return err_set(err, EINVAL, "MP table: %u vCPUs (there may be 1 to %u)", spec->cpus, MACHINE_CPUS_MAX);
	if (spec->gpa % GPA_ALIGN || spec->gpa >= GPA_END || spec->size > GPA_END - spec->gpa)
		return err_set(err, EINVAL, "MP table: 0x%llx is no place for it", (unsigned long long)spec->gpa);
	build(&t, spec);
	if (t.n > spec->size)
		return err_set(err, ENOSPC, "MP table: it needs %zu bytes at 0x%llx, where there are %llu", t.n,
			       (unsigned long long)spec->gpa, (unsigned long long)spec->size);
	/* A look first: a write that meets a hole would leave a part of it. */
	if (gmem_read(g, spec->gpa, before, t.n) != t.n)
		return err_set(err, ENOSPC, "MP table: no RAM for %zu bytes at 0x%llx", t.n,
			       (unsigned long long)spec->gpa);
	gmem_write(g, spec->gpa, t.data, t.n);
	*ret_gpa = spec->gpa;
	return 0;
}
