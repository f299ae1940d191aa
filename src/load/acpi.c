/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "load/acpi.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "api/machine.h"
#include "dev/pc.h"
#include "dev/pcboot.h"
#include "load/dsdt.h"

#define PACKED __attribute__((packed))

#define OEM             "GDBVSR"
#define OEM_TABLE       "GDBVISOR"
#define CREATOR         "GDBV"

#define GPA_ALIGN       16u
#define FACS_ALIGN      64u
#define GPA_END         (1ull << 32)

/* ACPI 6.4: 5.2.5.3 */
struct rsdp {
	char signature[8];
	uint8_t checksum;               /* of the first 20 bytes */
	char oem[6];
	uint8_t revision;
	uint32_t rsdt;
	uint32_t length;
	uint64_t xsdt;
	uint8_t whole_checksum, reserved[3];
} PACKED;

#define RSDP_FIRST 20u

/* 5.2.6 */
struct header {
	char signature[4];
	uint32_t length;
	uint8_t revision, checksum;
	char oem[6], oem_table[8];
	uint32_t oem_revision;
	char creator[4];
	uint32_t creator_revision;
} PACKED;

/* A register's address, 5.2.3.2. */
struct gas {
	uint8_t space, bits, offset, access;
	uint64_t address;
} PACKED;

#define SPACE_PORTS 1
#define PORT(width, unit, at) { .space = SPACE_PORTS, .bits = (width), .access = (unit), .address = (at) }
enum { BY_BYTE = 1, BY_WORD, BY_DWORD };

/* 5.2.9, as revision 5 has it */
struct fadt {
	struct header h;
	uint32_t facs, dsdt;
	uint8_t model, profile;
	uint16_t sci;
	uint32_t smi_cmd;
	uint8_t acpi_enable, acpi_disable, s4bios, pstate;
	uint32_t pm1a_evt, pm1b_evt, pm1a_cnt, pm1b_cnt, pm2_cnt, pm_tmr, gpe0, gpe1;
	uint8_t pm1_evt_len, pm1_cnt_len, pm2_cnt_len, pm_tmr_len, gpe0_len, gpe1_len, gpe1_base, cst_cnt;
	uint16_t c2_latency, c3_latency, flush_size, flush_stride;
	uint8_t duty_offset, duty_width, day_alarm, month_alarm, century;
	uint16_t boot_arch;
	uint8_t reserved;
	uint32_t flags;
	struct gas reset;
	uint8_t reset_value;
	uint16_t arm_boot_arch;
	uint8_t minor;
	uint64_t x_facs, x_dsdt;
	struct gas x_pm1a_evt, x_pm1b_evt, x_pm1a_cnt, x_pm1b_cnt, x_pm2_cnt, x_pm_tmr, x_gpe0, x_gpe1;
	struct gas sleep_control, sleep_status;
} PACKED;

_Static_assert(sizeof(struct fadt) == 268, "the FADT of ACPI 5.0");

#define PROFILE_DESKTOP 1
#define SCI_LINE        9
#define GPE0_BASE       0xafe0u
#define NO_LATENCY_C2   101             /* us: more than the greatest there may be, so there is no such state */
#define NO_LATENCY_C3   1001
#define CMOS_CENTURY    0x32
#define BOOT_LEGACY     0x01
#define BOOT_8042       0x02
#define FLAG_WBINVD     (1u << 0)
#define FLAG_C1         (1u << 2)
#define FLAG_NO_POWER_BUTTON (1u << 4)  /* not among the fixed events: nor is the next, nor does the RTC wake */
#define FLAG_NO_SLEEP_BUTTON (1u << 5)
#define FLAG_NO_RTC_WAKE (1u << 6)
#define FLAG_RESET      (1u << 10)
#define RESET_PORT      0xcf9
#define RESET_VALUE     0x06            /* a hard reset, and now */

/* 5.2.10 */
struct facs {
	char signature[4];
	uint32_t length, hardware, waking, lock, flags;
	uint64_t x_waking;
	uint8_t version, reserved[31];
} PACKED;

_Static_assert(sizeof(struct facs) == 64, "the FACS");

/* 5.2.12 */
struct madt {
	struct header h;
	uint32_t local_apic, flags;
} PACKED;

#define LOCAL_APIC_GPA  0xfee00000u
#define IOAPIC_GPA      0xfec00000u
#define MADT_PICS       1               /* there are two 8259s as well */
#define MADT_LOCAL      0
#define MADT_IOAPIC     1
#define MADT_OVERRIDE   2
#define MADT_LOCAL_NMI  4
#define LOCAL_ENABLED   1
#define ALL_PROCESSORS  0xff
#define NMI_PIN         1
#define LEVEL_HIGH      0x0d

/* Interrupts that are not an edge's as ISA's are: SCI, and those that PCI may have. */
static const uint8_t level_lines[] = { 5, SCI_LINE, 10, 11 };

/* What is being built: N bytes of the SIZE at GPA. */
struct tables {
	uint8_t *data;
	size_t n;
	uint64_t gpa;
};

static uint8_t checksum(const void *data, size_t size)
{
	const uint8_t *byte = data;
	uint8_t sum = 0;

	while (size--)
		sum += *byte++;
	return (uint8_t)-sum;
}

static struct header header(const char *signature, uint8_t revision)
{
	struct header h = { .revision = revision, .oem_revision = 1, .creator_revision = 1 };

	memcpy(h.signature, signature, sizeof(h.signature));
	memcpy(h.oem, OEM, sizeof(h.oem));
	memcpy(h.oem_table, OEM_TABLE, sizeof(h.oem_table));
	memcpy(h.creator, CREATOR, sizeof(h.creator));
	return h;
}

static void append(struct tables *t, const void *data, size_t size)
{
	memcpy(t->data + t->n, data, size);
	t->n += size;
}

/* Ends the table that began at byte AT; returns its gpa. */
static uint64_t finish(struct tables *t, size_t at)
{
	struct header *h = (struct header *)(t->data + at);

	h->length = (uint32_t)(t->n - at);
	h->checksum = checksum(h, h->length);
	t->n = (t->n + GPA_ALIGN - 1) & ~(size_t)(GPA_ALIGN - 1);
	return t->gpa + at;
}

static uint16_t pm_base(const struct acpi_spec *spec)
{
	return spec->pm_base ? spec->pm_base : PCBOOT_PM_BASE;
}

static uint64_t add_dsdt(struct tables *t, const struct acpi_spec *spec)
{
	struct header h = header("DSDT", 2);
	size_t at = t->n;
	struct aml a;

	append(t, &h, sizeof(h));
	aml_init(&a, t->data + t->n, ACPI_BYTES_MAX - t->n);
	dsdt_contents(&a, spec->no_apic ? 0 : spec->cpus, pm_base(spec),
		      spec->pci_base ? spec->pci_base : (uint32_t)PC_RAM_LOW_MAX);
	t->n += aml_done(&a);
	return finish(t, at);
}

static uint64_t add_facs(struct tables *t)
{
	struct facs f = { .signature = { 'F', 'A', 'C', 'S' }, .length = sizeof(f), .version = 2 };
	size_t at;

	t->n += -(t->gpa + t->n) & (FACS_ALIGN - 1);
	at = t->n;
	append(t, &f, sizeof(f));
	return t->gpa + at;
}

static uint64_t add_fadt(struct tables *t, uint16_t pm, uint64_t facs, uint64_t dsdt)
{
	struct fadt f = {
		.h = header("FACP", 5),
		.facs = (uint32_t)facs,
		.dsdt = (uint32_t)dsdt,
		.x_dsdt = dsdt,
		.profile = PROFILE_DESKTOP,
		.sci = SCI_LINE,
		.smi_cmd = 0xb2,
		.acpi_enable = 0xf1,
		.acpi_disable = 0xf0,
		.pm1a_evt = pm,
		.pm1a_cnt = pm + 4u,
		.pm_tmr = pm + 8u,
		.gpe0 = GPE0_BASE,
		.pm1_evt_len = 4,
		.pm1_cnt_len = 2,
		.pm_tmr_len = 4,
		.gpe0_len = 4,
		.c2_latency = NO_LATENCY_C2,
		.c3_latency = NO_LATENCY_C3,
		.century = CMOS_CENTURY,
		.boot_arch = BOOT_LEGACY | BOOT_8042,
		.flags = FLAG_WBINVD | FLAG_C1 | FLAG_NO_POWER_BUTTON | FLAG_NO_SLEEP_BUTTON | FLAG_NO_RTC_WAKE |
			 FLAG_RESET,
		.reset = PORT(8, BY_BYTE, RESET_PORT),
		.reset_value = RESET_VALUE,
		.x_pm1a_evt = PORT(32, BY_WORD, pm),
		.x_pm1a_cnt = PORT(16, BY_WORD, pm + 4u),
		.x_pm_tmr = PORT(32, BY_DWORD, pm + 8u),
		.x_gpe0 = PORT(32, BY_BYTE, GPE0_BASE),
	};
	size_t at = t->n;

	append(t, &f, sizeof(f));
	return finish(t, at);
}

static uint64_t add_madt(struct tables *t, unsigned cpus)
{
	struct madt m = { .h = header("APIC", 3), .local_apic = LOCAL_APIC_GPA, .flags = MADT_PICS };
	struct {
		uint8_t type, length, id, reserved;
		uint32_t gpa, first_line;
	} PACKED ioapic = { MADT_IOAPIC, sizeof(ioapic), 0, 0, IOAPIC_GPA, 0 };
	struct {
		uint8_t type, length, processor;
		uint16_t flags;
		uint8_t pin;
	} PACKED nmi = { MADT_LOCAL_NMI, sizeof(nmi), ALL_PROCESSORS, 0, NMI_PIN };
	size_t at = t->n;

	append(t, &m, sizeof(m));
	for (unsigned i = 0; i < cpus; i++) {
		struct {
			uint8_t type, length, processor, id;
			uint32_t flags;
		} PACKED local = { MADT_LOCAL, sizeof(local), (uint8_t)i, (uint8_t)i, LOCAL_ENABLED };

		append(t, &local, sizeof(local));
	}
	append(t, &ioapic, sizeof(ioapic));
	for (size_t i = 0; i < sizeof(level_lines); i++) {
		struct {
			uint8_t type, length, bus, line;
			uint32_t pin;
			uint16_t flags;
		} PACKED over = { MADT_OVERRIDE, sizeof(over), 0, level_lines[i], level_lines[i], LEVEL_HIGH };

		append(t, &over, sizeof(over));
	}
	append(t, &nmi, sizeof(nmi));
	return finish(t, at);
}

static uint64_t add_xsdt(struct tables *t, const uint64_t *table, size_t n)
{
	struct header h = header("XSDT", 1);
	size_t at = t->n;

	append(t, &h, sizeof(h));
	append(t, table, n * sizeof(*table));
	return finish(t, at);
}

static void build(struct tables *t, const struct acpi_spec *spec)
{
	struct rsdp r = {
		.signature = { 'R', 'S', 'D', ' ', 'P', 'T', 'R', ' ' },
		.revision = 2,
		.length = sizeof(r),
	};
	uint64_t facs, table[2];
	size_t n = 0;

	t->n = (sizeof(r) + GPA_ALIGN - 1) & ~(size_t)(GPA_ALIGN - 1);
	facs = add_facs(t);
	table[n++] = add_fadt(t, pm_base(spec), facs, add_dsdt(t, spec));
	if (!spec->no_apic)
		table[n++] = add_madt(t, spec->cpus);
	r.xsdt = add_xsdt(t, table, n);
	memcpy(r.oem, OEM, sizeof(r.oem));
	r.checksum = checksum(&r, RSDP_FIRST);
	r.whole_checksum = checksum(&r, sizeof(r));
	memcpy(t->data, &r, sizeof(r));
}

static int check_spec(const struct acpi_spec *spec, struct err *err)
{
	if (!spec->cpus || spec->cpus > MACHINE_CPUS_MAX)
		return err_set(err, EINVAL, "ACPI tables: %u vCPUs (there may be 1 to %u)", spec->cpus,
			       MACHINE_CPUS_MAX);
	if (spec->gpa % GPA_ALIGN || spec->gpa >= GPA_END || spec->size > GPA_END - spec->gpa)
		return err_set(err, EINVAL, "ACPI tables: 0x%llx is no place for them", (unsigned long long)spec->gpa);
	return 0;
}

int acpi_build(const struct acpi_spec *spec, struct gmem *g, uint64_t *ret_rsdp_gpa, struct err *err)
{
	struct tables t = { .gpa = spec->gpa };
	uint8_t *before = NULL;
	int r = check_spec(spec, err);

	if (r < 0)
		return r;
	t.data = calloc(1, ACPI_BYTES_MAX);
	before = malloc(ACPI_BYTES_MAX);
	if (!t.data || !before) {
		r = err_errno(err, ENOMEM, "ACPI tables");
		goto fail;
	}
	build(&t, spec);
	if (t.n > spec->size) {
		r = err_set(err, ENOSPC, "ACPI tables: they need %zu bytes at 0x%llx, where there are %llu", t.n,
			    (unsigned long long)spec->gpa, (unsigned long long)spec->size);
		goto fail;
	}
	/* A look first: a write that meets a hole would leave a part of them. */
	if (gmem_read(g, spec->gpa, before, t.n) != t.n) {
		r = err_set(err, ENOSPC, "ACPI tables: no RAM for %zu bytes at 0x%llx", t.n,
			    (unsigned long long)spec->gpa);
		goto fail;
	}
	gmem_write(g, spec->gpa, t.data, t.n);
	*ret_rsdp_gpa = spec->gpa;
	r = 0;
fail:
	free(before);
	free(t.data);
	return r;
}

/* ---- For firmware that places them: QEMU's table loader (OVMF's AcpiPlatformDxe, SeaBIOS's romfile_loader) ---- */

#define FILE_NAME       56u
#define RSDP_FILE       "etc/acpi/rsdp"
#define TABLES_FILE     "etc/acpi/tables"

enum { LOADER_ALLOCATE = 1, LOADER_POINTER, LOADER_CHECKSUM };
enum { ZONE_HIGH = 1, ZONE_F_SEGMENT };

/* A command: 128 bytes, whatever it needs. */
struct command {
	uint32_t code;
	union {
		struct {
			char file[FILE_NAME];
			uint32_t align;
			uint8_t zone;
		} PACKED allocate;
		struct {
			char file[FILE_NAME], to[FILE_NAME];
			uint32_t offset;
			uint8_t size;
		} PACKED pointer;
		struct {
			char file[FILE_NAME];
			uint32_t offset, start, length;
		} PACKED checksum;
		uint8_t bytes[124];
	};
} PACKED;

_Static_assert(sizeof(struct command) == 128, "a command of the table loader");

/* Two allocations, a checksum and at most two pointers a table, three of the FADT, the RSDP's pointer and checksums. */
#define COMMANDS_MAX 32u

struct loader {
	struct command command[COMMANDS_MAX];
	size_t n;
	uint8_t *tables;
};

static struct command *add(struct loader *l, uint32_t code)
{
	l->command[l->n].code = code;
	return &l->command[l->n++];
}

static void allocate(struct loader *l, const char *file, uint32_t align, uint8_t zone)
{
	struct command *c = add(l, LOADER_ALLOCATE);

	strcpy(c->allocate.file, file);
	c->allocate.align = align;
	c->allocate.zone = zone;
}

static void point(struct loader *l, const char *file, size_t offset, uint8_t size)
{
	struct command *c = add(l, LOADER_POINTER);

	strcpy(c->pointer.file, file);
	strcpy(c->pointer.to, TABLES_FILE);
	c->pointer.offset = (uint32_t)offset;
	c->pointer.size = size;
}

/* The byte at OFFSET of DATA, which is FILE's, is what makes LENGTH bytes from START on sum up to 0. */
static void sum_up(struct loader *l, const char *file, uint8_t *data, size_t offset, size_t start, size_t length)
{
	struct command *c = add(l, LOADER_CHECKSUM);

	strcpy(c->checksum.file, file);
	c->checksum.offset = (uint32_t)offset;
	c->checksum.start = (uint32_t)start;
	c->checksum.length = (uint32_t)length;
	data[offset] = 0;
}

static void sum_table(struct loader *l, size_t at)
{
	const struct header *h = (const struct header *)(l->tables + at);

	sum_up(l, TABLES_FILE, l->tables, at + offsetof(struct header, checksum), at, h->length);
}

/* What the tables that build() put at 0 need done to them elsewhere. */
static void relocate(struct loader *l)
{
	struct rsdp *r = (struct rsdp *)l->tables;
	size_t xsdt = (size_t)r->xsdt, end = xsdt + ((struct header *)(l->tables + xsdt))->length;
	uint64_t at;

	allocate(l, RSDP_FILE, GPA_ALIGN, ZONE_F_SEGMENT);
	allocate(l, TABLES_FILE, FACS_ALIGN, ZONE_HIGH);
	for (size_t entry = xsdt + sizeof(struct header); entry < end; entry += sizeof(at)) {
		memcpy(&at, l->tables + entry, sizeof(at));
		if (!memcmp(l->tables + at, "FACP", 4)) {
			struct fadt *f = (struct fadt *)(l->tables + at);

			sum_table(l, f->dsdt);
			point(l, TABLES_FILE, (size_t)at + offsetof(struct fadt, facs), 4);
			point(l, TABLES_FILE, (size_t)at + offsetof(struct fadt, dsdt), 4);
			point(l, TABLES_FILE, (size_t)at + offsetof(struct fadt, x_dsdt), 8);
		}
		sum_table(l, (size_t)at);
		point(l, TABLES_FILE, entry, sizeof(at));
	}
	sum_table(l, xsdt);
	point(l, RSDP_FILE, offsetof(struct rsdp, xsdt), 8);
	sum_up(l, RSDP_FILE, l->tables, offsetof(struct rsdp, checksum), 0, RSDP_FIRST);
	sum_up(l, RSDP_FILE, l->tables, offsetof(struct rsdp, whole_checksum), 0, sizeof(struct rsdp));
}

int acpi_files_new(const struct acpi_spec *spec, struct acpi_files *ret, struct err *err)
{
	struct acpi_spec at_zero = *spec;
	struct tables t = { 0 };
	struct loader l = { 0 };
	struct acpi_files f = { .rsdp_size = sizeof(struct rsdp) };
	int r;

	at_zero.gpa = 0;
	at_zero.size = ACPI_BYTES_MAX;
	r = check_spec(&at_zero, err);
	if (r < 0)
		return r;
	f.tables = t.data = l.tables = calloc(1, ACPI_BYTES_MAX);
	if (!f.tables)
		return err_errno(err, ENOMEM, "ACPI tables");
	build(&t, &at_zero);
	relocate(&l);
	f.tables_size = t.n;
	f.loader_size = l.n * sizeof(l.command[0]);
	f.rsdp = malloc(f.rsdp_size);
	f.loader = malloc(f.loader_size);
	if (!f.rsdp || !f.loader) {
		acpi_files_done(&f);
		return err_errno(err, ENOMEM, "ACPI tables");
	}
	memcpy(f.rsdp, f.tables, f.rsdp_size);
	memcpy(f.loader, l.command, f.loader_size);
	*ret = f;
	return 0;
}

void acpi_files_done(struct acpi_files *f)
{
	free(f->rsdp);
	free(f->tables);
	free(f->loader);
	*f = (struct acpi_files){ 0 };
}
