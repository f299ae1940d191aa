/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Virtio: the input's first byte selects the device, and whether a driver has set it up already; the rest is what a driver
 * that went mad, or is hostile, does to registers and rings.
 */
#include "fuzz/device.h"
#include "tests/virtio_rig.h"

static const struct fuzz_range ranges[] = {
	{ BUS_MEMORY, RIG_BAR, VC_END }, { BUS_MEMORY, RIG_BAR + RIG_CONFIG, 64 }, { BUS_MEMORY, RIG_BAR + RIG_NOTIFY, 16 },
	{ BUS_MEMORY, RIG_MSIX, 64 }, { BUS_MEMORY, RIG_BAR, 0x4000 }, { BUS_MEMORY, RIG_MSIX, 0x1000 }, { BUS_PORTS, 0xcf8, 8 },
};

static void special(void *arg, struct bytes *in)
{
	struct virtio_rig *r = arg;
	unsigned what = (unsigned)take(in, 1), q = what & 1, index;
	uint64_t gpa;
	uint32_t len;
	uint16_t flags;
	const uint8_t *data;
	size_t n, taken = 0;

	switch (what >> 1 & 7) {
	case 0:
	case 1:
		index = (unsigned)take(in, 1) % 32;
		gpa = take(in, 3) | (what & 0x80 ? take(in, 1) << 56 : 0);
		len = (uint32_t)take(in, 2) | (what & 0x40 ? (uint32_t)take(in, 1) << 24 : 0);
		flags = (uint16_t)take(in, 1);
		vr_desc(r, q, index, gpa, len, flags, (uint16_t)take(in, 1));
		break;
	case 2:
		vr_offer(r, q, (uint16_t)take(in, what & 0x80 ? 2 : 1));
		vr_notify(r, q);
		break;
	case 3:
		vr_notify(r, q);
		break;
	case 4:
		vr_set_idx(r, q, (uint16_t)take(in, 2));
		vr_notify(r, q);
		break;
	case 5:
		index = (unsigned)take(in, 1) % 8 * 3;
		gpa = take(in, 2);
		vr_request(r, index, what >> 6, gpa, RIG_DATA, (uint32_t)take(in, 2), what & 0x20);
		vr_notify(r, 0);
		break;
	case 6:
		data = take_span(in, take(in, 1) % 64, &n);
		virtio_console_input(r->pc.bus, r->console, data, n, &taken);
		ck_assert_uint_le(taken, n);
		break;
	default:
		r->pc.room = what & 0x80 ? SIZE_MAX : what >> 4;
		break;
	}
}

static void settle(void *arg)
{
	vr_settle(arg);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned slots[] = { VIRTIO_SLOT_DISK, VIRTIO_SLOT_DISK + 1, VIRTIO_SLOT_CONSOLE, VIRTIO_SLOT_RNG };
	static struct virtio_rig r;
	static struct dev_buf clean;
	struct bytes in = { data, size };
	unsigned how = (unsigned)take(&in, 1);
	const struct device_fuzz d = {
		.pc = &r.pc, .arg = &r, .range = ranges, .nranges = sizeof(ranges) / sizeof(ranges[0]), .special = special,
		.settle = settle,
	};

	/* As in dev_ide.c. */
	if (!clean.data) {
		virtio_rig_init(&r);
		device_fuzz_unname(&r.env);
		vr_config_write(&r, 0x04, 2, 0);        /* nowhere, as the others */
	}
	device_fuzz_renew(&r.pc, &clean);
	r.slot = 0;
	r.size = 16;
	virtio_rig_select(&r, slots[how & 3]);
	if (how & 4)
		vr_start(&r, FEATURE_1 | (how & 8 ? FEATURE_INDIRECT : 0) | (how & 16 ? FEATURE_EVENT : 0),
			 r.slot == VIRTIO_SLOT_CONSOLE ? 2 : 1, 16);
	device_fuzz_run(&d, &in);
	return 0;
}
