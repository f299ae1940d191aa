/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The IDE controller with a disk, a CD and a read-only disk. */
#include "fuzz/device.h"
#include "tests/ide_rig.h"

static const struct fuzz_range ranges[] = {
	{ BUS_PORTS, 0x1f0, 8 }, { BUS_PORTS, 0x170, 8 }, { BUS_PORTS, 0x1f0, 1 }, { BUS_PORTS, 0x170, 1 }, { BUS_PORTS, 0x3f6, 1 },
	{ BUS_PORTS, 0x376, 1 }, { BUS_PORTS, BM_PORT, 16 }, { BUS_PORTS, 0xcf8, 8 },
};

static void special(void *arg, struct bytes *in)
{
	struct ide_rig *r = arg;
	unsigned what = (unsigned)take(in, 1), c = what & 1, i;
	uint8_t device = what & 2 ? SLAVE : MASTER, packet[12];
	uint32_t table, gpa, count;

	switch (what >> 2 & 7) {
	case 0:
	case 1:
		gpa = (uint32_t)take(in, 3);
		count = (uint32_t)take(in, 2);
		ide_command(r, c, device, gpa, count, (uint8_t)take(in, 1));
		break;
	case 2:
		gpa = (uint32_t)take(in, 4);
		count = (uint32_t)take(in, 2);
		ide_command48(r, c, device, gpa, count, (uint8_t)take(in, 1));
		break;
	case 3:
	case 4:
		ide_put(r, c, DEVICE, device);
		ide_put(r, c, FEATURE, what >> 7);
		ide_put(r, c, LBA_MID, (uint8_t)take(in, 1));
		ide_put(r, c, LBA_HIGH, (uint8_t)take(in, 1));
		ide_put(r, c, COMMAND, 0xa0);
		for (i = 0; i < sizeof(packet); i++)
			packet[i] = (uint8_t)take(in, 1);
		ide_data_out(r, c, 2, packet, sizeof(packet));
		break;
	case 5:
		table = (uint32_t)take(in, 1) << 12;
		gpa = (uint32_t)take(in, 3);
		count = (uint32_t)take(in, 2);
		bm_entry(r, table, what >> 5 & 3, gpa, count, what >> 7);
		bm_start(r, c, table, what & 2);
		break;
	case 6:
		bm_place(r);
		break;
	default:
		pci_config_write(r, (unsigned)take(in, 1), 1, (uint32_t)take(in, 1));
		break;
	}
}

static void settle(void *arg)
{
	ide_settle(arg);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ide_rig r;
	static struct dev_buf clean;
	struct bytes in = { data, size };
	const struct device_fuzz d = {
		.pc = &r.pc, .arg = &r, .range = ranges, .nranges = sizeof(ranges) / sizeof(ranges[0]), .special = special,
		.settle = settle,
	};

	/* Files and their threads are made once. */
	if (!clean.data) {
		ide_rig_init(&r);
		device_fuzz_unname(&r.env);
		bm_place(&r);
	}
	device_fuzz_renew(&r.pc, &clean);
	device_fuzz_run(&d, &in);
	return 0;
}
