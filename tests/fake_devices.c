/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The fake machine's devices, PCI bus, screen, keyboard and firmware log. */
#include "tests/fake_machine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fake_parts.h"

struct fake_device {
	struct device_info info;
	struct device_reg reg[4];
};

static const struct fake_device devices[] = {
	{
		{ "uart", "serial line COM1", 1, { { false, 0x3f8, 8 } } },
		{ { "ier", 8, 0x05, "receiver, line status" }, { "divisor", 16, 0xc, NULL } },
	}, {
		{ "uart2", "serial line COM2", 0, { { 0 } } }, { { 0 } },
	}, {
		{ "ide0", "IDE channel, primary", 3,
		  { { false, 0x1f0, 8 }, { false, 0x3f6, 1 }, { false, 0xc040, 8 } } },
		{ { "status", 8, 0x50, "ready, seek done" }, { "lba48", 48, 0x123456789a, NULL } },
	}, {
		{ "ide1", "IDE channel, secondary", 2, { { false, 0x170, 8 }, { false, 0x376, 1 } } },
		{ { "r0", 8, 1, NULL }, { "r1", 16, 2, NULL }, { "longer", 64, 3, NULL }, { "r3", 1, 1, NULL } },
	}, {
		{ "vga", "VGA, text modes", 2, { { false, 0x3c0, 32 }, { true, 0xb8000, 0x8000 } } },
		{ { "start", 20, 0xb8000, "with \x01 and \xff in it" }, { "enabled", 1, 1, NULL },
		  { "base", 64, 0xfee00000, "" } },
	},
};

#define NDEVICES (sizeof(devices) / sizeof(devices[0]))

static bool op_device_list(struct machine *m, size_t index, struct device_info *ret)
{
	if (index >= NDEVICES || fake(m)->config.bare)
		return false;
	*ret = devices[index].info;
	return true;
}

static void op_device_regs(struct machine *m, size_t index, void (*each)(void *arg, const struct device_reg *r),
			   void *arg)
{
	(void)m;
	for (size_t i = 0; index < NDEVICES && i < 4 && devices[index].reg[i].name; i++)
		each(arg, &devices[index].reg[i]);
}

/* Numbers as a little-endian configuration space has them. */
static void put16(uint8_t *config, unsigned at, unsigned value)
{
	config[at] = (uint8_t)value;
	config[at + 1] = (uint8_t)(value >> 8);
}

static bool op_pci_list(struct machine *m, size_t index, struct pci_info *ret)
{
	static const struct pci_info functions[] = {
		{
			.vendor = 0x8086, .device = 0x1237, .class_code = 0x060000, .revision = 2,
			.name = "440FX host bridge",
		}, {
			.slot = 1, .function = 1, .vendor = 0x8086, .device = 0x7010, .class_code = 0x010180,
			.name = "PIIX3 IDE",
			.bar[0] = { .present = true, .base = 0x1f0, .size = 8 },
			.bar[4] = { .present = true, .enabled = true, .base = 0xc040, .size = 16 },
		}, {
			.bus = 1, .slot = 31, .function = 7, .vendor = 0x1af4, .device = 0x1000, .class_code = 0xff0102,
			.irq_pin = 2, .irq_line = 10, .name = "something else",
			.bar[1] = {
				.present = true, .enabled = true, .memory = true, .base = 0xfebc0000, .size = 0x20000,
			},
		},
	};

	if (index >= sizeof(functions) / sizeof(functions[0]) || fake(m)->config.bare)
		return false;
	*ret = functions[index];
	put16(ret->config, 0, ret->vendor);
	put16(ret->config, 2, ret->device);
	put16(ret->config, 4, index ? 5 : 0);
	put16(ret->config, 6, 0x2280);
	ret->config[8] = ret->revision;
	put16(ret->config, 0x0a, ret->class_code >> 8);
	ret->config[0xff] = 0x5a;
	return true;
}

static int op_screen(struct machine *m, struct screen *ret, struct err *err)
{
	struct fake_machine *f = fake(m);

	f->calls.screen++;
	if (f->config.bare)
		return err_set(err, ENODEV, "this machine has no screen");
	*ret = f->screen;
	return 0;
}

void fake_screen_text(struct fake_machine *f, unsigned row, unsigned column, uint8_t attribute, const char *text)
{
	struct screen *s = &f->screen;

	if (!s->text) {
		*s = (struct screen){ .text = true, .columns = 80, .rows = 25, .cursor_shown = true };
		for (unsigned i = 0; i < 80 * 25; i++)
			s->cell[i] = 0x0720;
	}
	for (; *text && column < s->columns; text++)
		s->cell[row * s->columns + column++] = (uint16_t)(attribute << 8 | (uint8_t)*text);
	s->cursor_row = row;
	s->cursor_column = column;
}

/* The length of the key's name that TEXT begins with; 0: there is no such key. */
static size_t key_at(const char *text, size_t len)
{
	static const char *const names[] = { "<enter>", "<f1>", "<lt>", "<space>", "<ctrl-alt-del>" };

	if (*text != '<')
		return *text >= ' ' && *text < 0x7f;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i]) <= len && !memcmp(names[i], text, strlen(names[i])))
			return strlen(names[i]);
	return 0;
}

static int op_key_text(struct machine *m, const char *text, size_t len, struct err *err)
{
	struct fake_machine *f = fake(m);

	f->calls.key_text++;
	if (f->config.bare)
		return err_set(err, ENODEV, "this machine has no keyboard");
	for (size_t at = 0, n; at < len; at += n) {
		n = key_at(text + at, len - at);
		if (!n)
			return err_set(err, EINVAL, "character %zu: there is no key '%.8s'", at + 1, text + at);
	}
	if (len > sizeof(f->keys) - f->keys_len)
		return err_set(err, ENOSPC, "the guest has not read what was typed before");
	memcpy(f->keys + f->keys_len, text, len);
	f->keys_len += len;
	return 0;
}

static int op_inject(struct machine *m, const struct injection *i, struct err *err)
{
	struct fake_machine *f = fake(m);
	bool coded = i->number == 8 || i->number == 13 || i->number == 14;
	int r = i->kind == INJECT_IRQ ? 0 : fake_need_parked(f, i->cpu, err);

	f->calls.inject++;
	if (r)
		return r;
	if (i->kind == INJECT_IRQ && i->number > 23)
		return err_set(err, EINVAL, "there is no interrupt line %u: the last is 23", i->number);
	if (i->kind == INJECT_EXCEPTION && coded != i->has_code)
		return err_set(err, EINVAL, "exception %u has %s error code", i->number, coded ? "an" : "no");
	f->injected = *i;
	return 0;
}

static size_t op_firmware_log(struct machine *m, uint64_t *from, char *ret, size_t size)
{
	struct fake_machine *f = fake(m);
	uint64_t at = *from;
	size_t n = 0;

	if (f->firmware_end > FAKE_FIRMWARE_MAX && at < f->firmware_end - FAKE_FIRMWARE_MAX)
		at = f->firmware_end - FAKE_FIRMWARE_MAX;
	/* In pieces, as a ring may give it. */
	for (; at < f->firmware_end && n < size && n < 5000; n++)
		ret[n] = f->firmware[at++ % FAKE_FIRMWARE_MAX];
	*from = at;
	return n;
}

void fake_firmware_log(struct fake_machine *f, const void *data, size_t len)
{
	const char *s = data;

	for (size_t i = 0; i < len; i++)
		f->firmware[f->firmware_end++ % FAKE_FIRMWARE_MAX] = s[i];
}

void fake_device_ops(struct machine_ops *ops)
{
	ops->device_list = op_device_list;
	ops->device_regs = op_device_regs;
	ops->pci_list = op_pci_list;
	ops->screen = op_screen;
	ops->key_text = op_key_text;
	ops->inject = op_inject;
	ops->firmware_log = op_firmware_log;
}
