/* SPDX-License-Identifier: GPL-3.0-or-later */
/* PCI's configuration space, the 440FX and PIIX functions, power management. */
#include "fuzz/device.h"
#include "tests/chipset_rig.h"

static const struct fuzz_range ranges[] = {
	{ BUS_PORTS, 0xcf8, 8 }, { BUS_PORTS, 0xcfc, 4 }, { BUS_PORTS, RIG_PMBASE, 0x40 }, { BUS_PORTS, RIG_SMBBA, 0x10 },
	{ BUS_PORTS, 0xb2, 2 }, { BUS_PORTS, 0x4d0, 2 }, { BUS_PORTS, 0x80, 1 }, { BUS_PORTS, 0, 0x1000 },
};

static void set_pin(struct chipset_rig *r, bool level)
{
	bus_lock(r->pc.bus);
	pci_set_intx(r->card, level);
	bus_unlock(r->pc.bus);
}

static void special(void *arg, struct bytes *in)
{
	static const unsigned functions[] = { HOST_BRIDGE, ISA_BRIDGE, PM, CARD };
	struct chipset_rig *r = arg;
	unsigned what = (unsigned)take(in, 1), offset = (unsigned)take(in, 1), size = 1u << (what >> 2) % 3;

	if (what & 0x80)
		rig_enable_pm(r);
	else if (what & 0x40)
		rig_get(r, functions[what & 3], offset & ~(size - 1), size);
	else if (what & 0x20)
		set_pin(r, what & 4);
	else
		rig_put(r, functions[what & 3], offset & ~(size - 1), size, (uint32_t)take(in, size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct chipset_rig r;
	struct bytes in = { data, size };
	const struct device_fuzz d = {
		.pc = &r.pc, .arg = &r, .range = ranges, .nranges = sizeof(ranges) / sizeof(ranges[0]), .special = special,
	};

	rig_init(&r);
	device_fuzz_run(&d, &in);
	rig_done(&r);
	return 0;
}
