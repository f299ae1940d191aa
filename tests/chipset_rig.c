/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/chipset_rig.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"

static void card_reset(struct device *d)
{
	pci_reset((struct pci_function *)d);
}

static int card_save(const struct device *d, struct dev_buf *b)
{
	return pci_save((const struct pci_function *)d, b);
}

static int card_load(struct device *d, struct dev_buf *b, struct err *err)
{
	return pci_load((struct pci_function *)d, b, err);
}

static void card_free(struct device *d)
{
	free(d);
}

static const struct dev_ops card_ops = {
	.name = "card", .reset = card_reset, .save = card_save, .load = card_load, .free = card_free,
};

struct pci_function *rig_add_card(struct chipset_rig *r, unsigned slot)
{
	struct pci_spec spec = { .slot = slot, .vendor = 0x1234, .device = 1, .irq_pin = 1, .name = "card" };
	struct pci_function *f = calloc(1, sizeof(*f));

	ck_assert_ptr_nonnull(f);
	f->dev.ops = &card_ops;
	ck_assert_int_eq(pci_add(r->pci, f, &spec, NULL), 0);
	return f;
}

void rig_init(struct chipset_rig *r)
{
	fake_pc_init(&r->pc);
	ck_assert_int_eq(pci_attach(r->pc.bus, &r->pci, NULL), 0);
	ck_assert_int_eq(i440fx_attach(r->pci, &r->bridge, NULL), 0);
	ck_assert_int_eq(piix3_attach(r->pci, NULL), 0);
	ck_assert_int_eq(piix4_pm_attach(r->pci, NULL), 0);
	r->card = rig_add_card(r, CARD >> 11);
}

void rig_done(struct chipset_rig *r)
{
	fake_pc_done(&r->pc);
}

uint32_t rig_get(struct chipset_rig *r, unsigned function, unsigned offset, unsigned size)
{
	pc_out(&r->pc, 0xcf8, 4, 0x80000000u | function | (offset & 0xfc));
	return pc_in(&r->pc, (uint16_t)(0xcfc + offset % 4), size);
}

void rig_put(struct chipset_rig *r, unsigned function, unsigned offset, unsigned size, uint32_t value)
{
	pc_out(&r->pc, 0xcf8, 4, 0x80000000u | function | (offset & 0xfc));
	pc_out(&r->pc, (uint16_t)(0xcfc + offset % 4), size, value);
}

void rig_enable_pm(struct chipset_rig *r)
{
	rig_put(r, PM, 0x40, 4, RIG_PMBASE | 1);
	rig_put(r, PM, 0x80, 1, 1);
	rig_put(r, PM, 0x90, 4, RIG_SMBBA | 1);
	rig_put(r, PM, 0xd2, 1, 0x09);
	rig_put(r, PM, 0x04, 2, 0x0103);
}

unsigned rig_lines(const struct chipset_rig *r)
{
	unsigned i, n = 0;

	for (i = 0; i < sizeof(r->pc.level); i++)
		n |= (unsigned)r->pc.level[i] << i;
	return n;
}

void rig_refuses(struct chipset_rig *r, const struct dev_buf *state, const char *name, unsigned at, uint8_t value)
{
	uint8_t *p = memmem(state->data, state->len, name, strlen(name));
	struct dev_buf buf = *state, before = { 0 }, after = { 0 };
	struct err err = { 0 };
	uint8_t good;

	ck_assert_ptr_nonnull(p);
	p += strlen(name) + 4 + at;
	good = *p;
	*p = value;
	fake_pc_save(&r->pc, &before);
	ck_assert_msg(bus_load(r->pc.bus, &buf, &err) == -EINVAL, "%s byte 0x%x was taken as 0x%x", name, at, value);
	ck_assert_msg(strncmp(err.msg, name, strlen(name)) == 0, "%s", err.msg);
	fake_pc_save(&r->pc, &after);
	ck_assert_uint_eq(before.len, after.len);
	ck_assert_mem_eq(before.data, after.data, before.len);
	*p = good;
	free(before.data);
	free(after.data);
}

uint32_t rig_random(uint64_t *state)
{
	/* xorshift64* */
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (uint32_t)(*state * 0x2545f4914f6cdd1dull >> 32);
}
