/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/ide_fuzz.h"

#include "tests/unit.h"

#define TABLE   0x10000u        /* gpa */

static struct ide_rig *rig;     /* during ide_fuzz() */
static uint8_t buf[40000 * 4];

static uint32_t state;

void ide_fuzz_seed(uint32_t seed)
{
	state = seed;
}

uint32_t rnd(uint32_t n)
{
	state = state * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)(state ^ state >> 15) * n >> 32);
}

static const uint16_t ports[] = {
	0x1f0, 0x1f1, 0x1f2, 0x1f3, 0x1f4, 0x1f5, 0x1f6, 0x1f7, 0x1f7, 0x3f6, 0x170, 0x171, 0x172, 0x173, 0x174,
	0x175, 0x176, 0x177,
	0x177, 0x376, BM_PORT, BM_PORT + 2, BM_PORT + 4, BM_PORT + 5, BM_PORT + 6, BM_PORT + 7, BM_PORT + 8,
	BM_PORT + 10,
	BM_PORT + 12, BM_PORT + 13, BM_PORT + 14, BM_PORT + 15, BM_PORT + 1, BM_PORT + 3,
};

static const uint8_t opcodes[] = {
	0x20, 0x24, 0x25, 0x29, 0x30, 0x34, 0x35, 0x39, 0x40, 0x42, 0x90, 0x91, 0xa0, 0xa0, 0xa0, 0xa1, 0xc4, 0xc5,
	0xc6, 0xc8, 0xca,
	0xe7, 0xec, 0xef, 0x08, 0xf8, 0x27, 0x10, 0xe0, 0xc8, 0xca,
};

static const uint8_t packet_opcodes[] = {
	0x00, 0x03, 0x12, 0x1b, 0x1e, 0x25, 0x28, 0x28, 0x2b, 0x42, 0x43, 0x46, 0x5a, 0xa8, 0xa8, 0xbd,
};

static void fuzz_table(void)
{
	uint32_t table = rnd(8) ? TABLE & ~3u : rnd(FAKE_PC_MEM - 64) & ~3u, i;

	for (i = 0; i < 4; i++)
		bm_entry(rig, table, i, rnd(4) ? rnd(FAKE_PC_MEM) : rnd(UINT32_MAX),
			 rnd(3) ? rnd(4096) : rnd(UINT32_MAX), rnd(2));
	bm_start(rig, rnd(2), rnd(8) ? table : rnd(UINT32_MAX), rnd(2));
}

static void fuzz_command(void)
{
	unsigned c = rnd(2);
	uint8_t packet[12], i;
	uint8_t device = rnd(2) ? MASTER : SLAVE;

	if (rnd(2)) {
		ide_command48(rig, c, device, rnd(16) ? rnd(RIG_SECTORS) : rnd(UINT32_MAX),
			      rnd(3) ? rnd(40) : rnd(0x10000), opcodes[rnd(sizeof(opcodes))]);
		return;
	}
	ide_put(rig, c, DEVICE, device);
	ide_put(rig, c, FEATURE, (uint8_t)rnd(4));
	ide_put(rig, c, LBA_MID, (uint8_t)rnd(256));
	ide_put(rig, c, LBA_HIGH, (uint8_t)rnd(256));
	ide_put(rig, c, COMMAND, 0xa0);
	for (i = 0; i < 12; i++)
		packet[i] = rnd(3) ? 0 : (uint8_t)rnd(256);
	packet[0] = packet_opcodes[rnd(sizeof(packet_opcodes))];
	packet[8] = (uint8_t)rnd(256);
	ide_data_out(rig, c, 2, packet, 12);
}

static void fuzz_data(void)
{
	unsigned c = rnd(2), size = 1u << rnd(3);

	if (rnd(2))
		ide_data_in(rig, c, size, buf, size * rnd(rnd(4) ? 600 : 40000));
	else
		ide_data_out(rig, c, size, buf, size * rnd(rnd(4) ? 600 : 40000));
}

static void fuzz_access(void)
{
	uint16_t port = ports[rnd(sizeof(ports) / sizeof(ports[0]))];
	unsigned size = 1u << rnd(3);

	if (rnd(3))
		size = 1;
	if (rnd(2))
		pc_in(&rig->pc, port, size);
	else
		pc_out(&rig->pc, port, size, rnd(3) ? rnd(256) : rnd(UINT32_MAX));
}

void ide_fuzz(struct ide_rig *r, unsigned steps)
{
	unsigned i, what;

	rig = r;
	for (i = 0; i < steps; i++) {
		what = rnd(1000);
		if (what < 60)
			fuzz_command();
		else if (what < 120)
			fuzz_data();
		else if (what < 150)
			fuzz_table();
		else if (what < 160)
			pci_config_write(rig, rnd(256), 1, rnd(256));
		else if (what < 170)
			bm_place(rig);
		else if (what < 173)
			pci_config_write(rig, 0x40, 4, 0x80008000);
		else if (what < 176)
			fake_pc_round_trip(&rig->pc);
		else if (what < 178)
			ide_settle(rig);
		else if (what < 179)
			bus_reset(rig->pc.bus);
		else if (what < 260)
			bus_poll(rig->pc.bus);
		else if (what < 280)
			ide_control(rig, rnd(2), 0);
		else
			fuzz_access();
	}
}
