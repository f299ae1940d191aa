/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/ide_rig.h"

#include <errno.h>
#include <string.h>

#include "tests/unit.h"

static const uint16_t command_port[] = { 0x1f0, 0x170 }, control_port[] = { 0x3f6, 0x376 };
static const unsigned gsi[] = { 14, 15 };

#define IDE_ADDRESS     0x80000900u     /* 00:01.1 */

void ide_rig_init_env(struct ide_rig *r)
{
	*r = (struct ide_rig){ 0 };
	disk_env_init(&r->env);
	fake_pc_init(&r->pc);
}

void ide_rig_attach(struct ide_rig *r, const struct disk_spec spec[IDE_DRIVES])
{
	struct err err = { 0 };
	unsigned i;

	ck_assert_int_eq(pci_attach(r->pc.bus, &r->pci, NULL), 0);
	for (i = 0; i < IDE_DRIVES; i++)
		if (spec[i].path)
			r->disk[i] = disk_env_open(&r->env, &spec[i]);
	ck_assert_msg(ide_attach(r->pci, r->disk, &err) == 0, "%s", err.msg);
}

void ide_rig_init(struct ide_rig *r)
{
	struct disk_spec spec[IDE_DRIVES] = { { 0 } };

	ide_rig_init_env(r);
	spec[0].path = disk_env_file(&r->env, 'a', RIG_SECTORS * 512);
	spec[2].path = disk_env_file(&r->env, 'c', RIG_CD_SECTORS * 2048);
	spec[2].cdrom = true;
	spec[3].path = disk_env_file(&r->env, 'd', RIG_RO_SECTORS * 512);
	spec[3].readonly = true;
	ide_rig_attach(r, spec);
}

void ide_rig_done(struct ide_rig *r)
{
	unsigned i;

	fake_pc_done(&r->pc);
	for (i = 0; i < IDE_DRIVES; i++)
		disk_close(r->disk[i]);
	disk_env_done(&r->env);
}

uint8_t ide_get(struct ide_rig *r, unsigned c, unsigned reg)
{
	return inb(&r->pc, (uint16_t)(command_port[c] + reg));
}

void ide_put(struct ide_rig *r, unsigned c, unsigned reg, uint8_t value)
{
	outb(&r->pc, (uint16_t)(command_port[c] + reg), value);
}

uint8_t ide_alt(struct ide_rig *r, unsigned c)
{
	return inb(&r->pc, control_port[c]);
}

void ide_control(struct ide_rig *r, unsigned c, uint8_t value)
{
	outb(&r->pc, control_port[c], value);
}

bool ide_irq(const struct ide_rig *r, unsigned c)
{
	return r->pc.level[gsi[c]];
}

void ide_command(struct ide_rig *r, unsigned c, uint8_t device, uint32_t lba, unsigned count, uint8_t opcode)
{
	ide_put(r, c, DEVICE, (uint8_t)(device | LBA | (lba >> 24 & 0x0f)));
	ide_put(r, c, COUNT, (uint8_t)count);
	ide_put(r, c, LBA_LOW, (uint8_t)lba);
	ide_put(r, c, LBA_MID, (uint8_t)(lba >> 8));
	ide_put(r, c, LBA_HIGH, (uint8_t)(lba >> 16));
	ide_put(r, c, COMMAND, opcode);
}

void ide_command48(struct ide_rig *r, unsigned c, uint8_t device, uint64_t lba, unsigned count, uint8_t opcode)
{
	ide_put(r, c, DEVICE, device | LBA);
	ide_put(r, c, COUNT, (uint8_t)(count >> 8));
	ide_put(r, c, LBA_LOW, (uint8_t)(lba >> 24));
	ide_put(r, c, LBA_MID, (uint8_t)(lba >> 32));
	ide_put(r, c, LBA_HIGH, (uint8_t)(lba >> 40));
	ide_put(r, c, COUNT, (uint8_t)count);
	ide_put(r, c, LBA_LOW, (uint8_t)lba);
	ide_put(r, c, LBA_MID, (uint8_t)(lba >> 8));
	ide_put(r, c, LBA_HIGH, (uint8_t)(lba >> 16));
	ide_put(r, c, COMMAND, opcode);
}

static void wait_done(struct ide_rig *r)
{
	while (sem_wait(&r->env.done) < 0)
		ck_assert_int_eq(errno, EINTR);
	bus_poll(r->pc.bus);
}

uint8_t ide_wait(struct ide_rig *r, unsigned c)
{
	bus_poll(r->pc.bus);
	while (ide_alt(r, c) & BSY)
		wait_done(r);
	return ide_alt(r, c);
}

static bool any_busy(const struct ide_rig *r)
{
	unsigned i;

	for (i = 0; i < IDE_DRIVES; i++)
		if (r->disk[i] && disk_busy(r->disk[i]))
			return true;
	return false;
}

void ide_settle(struct ide_rig *r)
{
	bus_poll(r->pc.bus);
	while (any_busy(r))
		wait_done(r);
	bus_poll(r->pc.bus);
}

void ide_data_in(struct ide_rig *r, unsigned c, unsigned size, void *data, size_t len)
{
	bus_io(r->pc.bus, command_port[c], false, size, (unsigned)(len / size), data);
}

void ide_data_out(struct ide_rig *r, unsigned c, unsigned size, const void *data, size_t len)
{
	bus_io(r->pc.bus, command_port[c], true, size, (unsigned)(len / size), (uint8_t *)data);
}

void ide_expect_pattern(const uint8_t *data, uint64_t at, size_t len)
{
	size_t i;

	/* An assertion a byte would take its time. */
	for (i = 0; i < len; i++)
		if (data[i] != disk_env_byte(at + i))
			ck_abort_msg("byte %llu (%zu of %zu) is 0x%02x, not 0x%02x",
				     (unsigned long long)(at + i), i, len, data[i], disk_env_byte(at + i));
}

void pci_config_write(struct ide_rig *r, unsigned offset, unsigned size, uint32_t value)
{
	pc_out(&r->pc, 0xcf8, 4, IDE_ADDRESS | (offset & 0xfc));
	pc_out(&r->pc, (uint16_t)(0xcfc + (offset & 3)), size, value);
}

uint32_t pci_config_read(struct ide_rig *r, unsigned offset, unsigned size)
{
	pc_out(&r->pc, 0xcf8, 4, IDE_ADDRESS | (offset & 0xfc));
	return pc_in(&r->pc, (uint16_t)(0xcfc + (offset & 3)), size);
}

void bm_place(struct ide_rig *r)
{
	pci_config_write(r, 0x20, 4, BM_PORT);
	pci_config_write(r, 0x04, 2, 0x0005);
}

uint8_t bm_status(struct ide_rig *r, unsigned c)
{
	return inb(&r->pc, (uint16_t)(BM_PORT + 8 * c + 2));
}

void bm_clear(struct ide_rig *r, unsigned c)
{
	outb(&r->pc, (uint16_t)(BM_PORT + 8 * c), 0);
	outb(&r->pc, (uint16_t)(BM_PORT + 8 * c + 2), 0x06);
}

void bm_start(struct ide_rig *r, unsigned c, uint32_t table, bool to_memory)
{
	pc_out(&r->pc, (uint16_t)(BM_PORT + 8 * c + 4), 4, table);
	outb(&r->pc, (uint16_t)(BM_PORT + 8 * c), to_memory ? 0x08 : 0x00);
	outb(&r->pc, (uint16_t)(BM_PORT + 8 * c), to_memory ? 0x09 : 0x01);
}

void bm_entry(struct ide_rig *r, uint32_t table, unsigned index, uint32_t gpa, uint32_t count, bool last)
{
	uint32_t word[2] = { gpa, count | (last ? 0x80000000u : 0) };

	memcpy(r->pc.mem + table + 8 * index, word, sizeof(word));
}

void cd_packet(struct ide_rig *r, const uint8_t packet[12], unsigned limit, bool dma)
{
	ide_put(r, 1, DEVICE, MASTER);
	ide_put(r, 1, FEATURE, dma);
	ide_put(r, 1, LBA_MID, (uint8_t)limit);
	ide_put(r, 1, LBA_HIGH, (uint8_t)(limit >> 8));
	ide_put(r, 1, COMMAND, 0xa0);
	ck_assert_uint_eq(ide_alt(r, 1), DRDY | DRQ);
	ck_assert_uint_eq(ide_get(r, 1, COUNT), 0x01);
	ide_data_out(r, 1, 2, packet, 12);
}

int cd_run(struct ide_rig *r, const uint8_t packet[12], unsigned limit, uint8_t *data, size_t room)
{
	size_t done = 0, n, padded;
	uint8_t status;

	cd_packet(r, packet, limit, false);
	for (;;) {
		status = ide_wait(r, 1);
		ck_assert(ide_irq(r, 1));
		ck_assert_uint_eq(ide_get(r, 1, STATUS), status);
		ck_assert(!ide_irq(r, 1));
		if (!(status & DRQ))
			break;
		ck_assert_uint_eq(ide_get(r, 1, COUNT), 0x02);
		n = ide_get(r, 1, LBA_MID) | (size_t)ide_get(r, 1, LBA_HIGH) << 8;
		padded = (n + 1) & ~1ul;
		ck_assert_uint_gt(n, 0);
		ck_assert_uint_le(n, limit);
		ck_assert_uint_le(done + padded, room);
		ide_data_in(r, 1, 2, data + done, padded);
		done += n;
	}
	ck_assert_uint_eq(ide_get(r, 1, COUNT), 0x03);
	return status & ERR ? -1 : (int)done;
}
