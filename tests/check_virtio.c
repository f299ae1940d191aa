/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Virtio's transport: capabilities, registers, the way to a device that runs, interrupts. */
#include <string.h>

#include "tests/unit.h"
#include "tests/virtio_rig.h"

static struct virtio_rig rig;

static void setup(void)
{
	virtio_rig_init(&rig);
}

static void teardown(void)
{
	virtio_rig_done(&rig);
}

#define READY (ST_ACK | ST_DRIVER | ST_FEATURES | ST_READY)
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* --- what a driver finds --- */

static const struct {
	unsigned slot, device, class_code, config_len, queues;
} devices[] = {
	{ VIRTIO_SLOT_CONSOLE, 0x1043, 0x078000, 12, 2 },
	{ VIRTIO_SLOT_RNG, 0x1044, 0x00ff00, 0, 1 },
	{ VIRTIO_SLOT_DISK, 0x1042, 0x010000, 60, 1 },
	{ VIRTIO_SLOT_DISK + 1, 0x1042, 0x010000, 60, 1 },
};

START_TEST(is_what_its_ids_say)
{
	virtio_rig_select(&rig, devices[_i].slot);
	ck_assert_uint_eq(vr_config_read(&rig, 0, 2), 0x1af4);
	ck_assert_uint_eq(vr_config_read(&rig, 2, 2), devices[_i].device);
	ck_assert_uint_eq(vr_config_read(&rig, 8, 1), 1);
	ck_assert_uint_eq(vr_config_read(&rig, 8, 4) >> 8, devices[_i].class_code);
	ck_assert_uint_eq(vr_config_read(&rig, 0x3d, 1), 1);
	ck_assert_uint_eq(vr_read(&rig, VC_QUEUES, 2), devices[_i].queues);
}
END_TEST

/* Walks the list as 4.1.4 has it. */
START_TEST(has_capabilities)
{
	unsigned at, seen = 0, n = 0;

	virtio_rig_select(&rig, devices[_i].slot);
	ck_assert(vr_config_read(&rig, 6, 2) & 0x10);
	for (at = vr_config_read(&rig, 0x34, 1); at; at = vr_config_read(&rig, at + 1, 1)) {
		static const struct {
			uint32_t len, offset, length;
		} want[] = {
			[1] = { 16, RIG_COMMON, VC_END }, [2] = { 20, RIG_NOTIFY, 0x1000 }, [3] = { 16, RIG_ISR, 1 },
			[4] = { 16, RIG_CONFIG, 0 }, [5] = { 20, 0, 0 },
		};
		unsigned type = vr_config_read(&rig, at + 3, 1);

		ck_assert_uint_ge(at, 0x40);
		ck_assert_uint_eq(at % 4, 0);
		ck_assert_uint_lt(n++, 8);
		if (vr_config_read(&rig, at, 1) == 0x11) {
			ck_assert_uint_eq(vr_config_read(&rig, at + 2, 2), devices[_i].queues);
			ck_assert_uint_eq(vr_config_read(&rig, at + 4, 4), 1);
			ck_assert_uint_eq(vr_config_read(&rig, at + 8, 4), 0x801);
			seen |= 1;
			continue;
		}
		ck_assert_uint_eq(vr_config_read(&rig, at, 1), 0x09);
		ck_assert(type >= 1 && type <= 5);
		seen |= 1u << type;
		ck_assert_uint_eq(vr_config_read(&rig, at + 2, 1), want[type].len);
		ck_assert_uint_eq(vr_config_read(&rig, at + 4, 1), 0);
		ck_assert_uint_eq(vr_config_read(&rig, at + 8, 4), want[type].offset);
		ck_assert_uint_eq(vr_config_read(&rig, at + 12, 4),
				  type == 4 ? devices[_i].config_len : want[type].length);
		if (type == 2)
			ck_assert_uint_eq(vr_config_read(&rig, at + 16, 4), 4);
	}
	ck_assert_uint_eq(seen, devices[_i].config_len ? 0x3f : 0x2f);
}
END_TEST

START_TEST(registers_by_any_width)
{
	static const uint8_t bytes[] = { 1, 2, 4, 8 };

	vr_write(&rig, VC_QUEUE, 2, 0);
	vr_write(&rig, VC_DESC, 8, 0x1122334455667788);
	vr_write(&rig, VC_DRIVER, 8, 0x99aabbccddeeff00);
	for (unsigned i = 0; i < COUNT(bytes); i++)
		for (uint32_t at = 0; at + bytes[i] <= 0x40; at++) {
			uint64_t whole = 0;

			for (unsigned j = bytes[i]; j-- > 0;)
				whole = whole << 8 | vr_read(&rig, at + j, 1);
			ck_assert_uint_eq(vr_read(&rig, at, bytes[i]), whole);
		}
	for (unsigned j = 0; j < 8; j++)
		vr_write(&rig, VC_DEVICE + j, 1, 0xa0 + j);
	ck_assert_uint_eq(vr_read(&rig, VC_DEVICE, 8), 0xa7a6a5a4a3a2a1a0);
	/* Two at once. */
	vr_write(&rig, VC_DESC + 4, 8, 0x0102030405060708);
	ck_assert_uint_eq(vr_read(&rig, VC_DESC, 8), 0x0506070855667788);
	ck_assert_uint_eq(vr_read(&rig, VC_DRIVER, 8), 0x99aabbcc01020304);
	/* What cannot be written stays. */
	vr_write(&rig, VC_QUEUES, 2, 0xffff);
	vr_write(&rig, VC_NOTIFY_OFF, 2, 0xffff);
	vr_write(&rig, VC_OFFERED, 4, 0);
	ck_assert_uint_eq(vr_read(&rig, VC_QUEUES, 2), 1);
	ck_assert_uint_eq(vr_read(&rig, VC_NOTIFY_OFF, 2), 0);
	ck_assert(vr_offered(&rig) & FEATURE_1);
	/* Beyond the registers there is nothing. */
	ck_assert_uint_eq(vr_read(&rig, VC_END, 8), 0);
	vr_write(&rig, 0xff8, 8, UINT64_MAX);
	vr_write(&rig, RIG_CONFIG, 8, UINT64_MAX);
	ck_assert_uint_eq(vr_read(&rig, RIG_CONFIG, 8), RIG_SECTORS);
	ck_assert_uint_eq(rig.pc.troubles, 0);
}
END_TEST

/* 4.1.4.9: the registers by way of configuration space. */
START_TEST(window_in_config_space)
{
	unsigned at = vr_config_read(&rig, 0x34, 1);

	while (vr_config_read(&rig, at + 3, 1) != 5)
		at = vr_config_read(&rig, at + 1, 1);
	vr_config_write(&rig, 4, 2, 0);         /* also without memory accesses */
	vr_config_write(&rig, at + 8, 4, VC_STATUS);
	vr_config_write(&rig, at + 12, 4, 1);
	vr_config_write(&rig, at + 16, 4, 0xffffff00 | ST_ACK);
	ck_assert_uint_eq(vr_config_read(&rig, at + 16, 1), ST_ACK);
	vr_config_write(&rig, at + 8, 4, VC_QUEUES);
	vr_config_write(&rig, at + 12, 4, 2);
	ck_assert_uint_eq(vr_config_read(&rig, at + 16, 2), 1);
	vr_config_write(&rig, at + 8, 4, RIG_CONFIG);
	vr_config_write(&rig, at + 12, 4, 4);
	ck_assert_uint_eq(vr_config_read(&rig, at + 16, 4), RIG_SECTORS);
	/* What is no such access is none: the last data stay. */
	vr_config_write(&rig, at + 8, 4, 0x4000);
	ck_assert_uint_eq(vr_config_read(&rig, at + 16, 4), RIG_SECTORS);
	vr_config_write(&rig, at + 8, 4, 0xfffffffe);
	ck_assert_uint_eq(vr_config_read(&rig, at + 16, 4), RIG_SECTORS);
	vr_config_write(&rig, at + 8, 4, VC_QUEUES);
	ck_assert_uint_eq(vr_config_read(&rig, at + 16, 4), RIG_SECTORS);
	vr_config_write(&rig, at + 12, 4, 3);
	ck_assert_uint_eq(vr_config_read(&rig, at + 16, 4), RIG_SECTORS);
	vr_config_write(&rig, at + 12, 4, 2);
	vr_config_write(&rig, at + 4, 1, 1);
	ck_assert_uint_eq(vr_config_read(&rig, at + 16, 4), RIG_SECTORS);
}
END_TEST

/* --- the way to a device that runs --- */

START_TEST(features_are_agreed_on)
{
	uint64_t offered = vr_offered(&rig);

	ck_assert_uint_eq(offered & (FEATURE_1 | FEATURE_INDIRECT | FEATURE_EVENT),
			  FEATURE_1 | FEATURE_INDIRECT | FEATURE_EVENT);
	vr_write(&rig, VC_OFFERED_SELECT, 4, 2);
	ck_assert_uint_eq(vr_read(&rig, VC_OFFERED, 4), 0);
	/* Old drivers, and ones that take what is not there. */
	vr_agree(&rig, FEATURE_INDIRECT);
	ck_assert_uint_eq(vr_status(&rig), ST_ACK | ST_DRIVER);
	vr_agree(&rig, FEATURE_1 | 1ull << 40);
	ck_assert_uint_eq(vr_status(&rig), ST_ACK | ST_DRIVER);
	vr_agree(&rig, offered);
	ck_assert_uint_eq(vr_status(&rig), ST_ACK | ST_DRIVER | ST_FEATURES);
	/* Settled. */
	vr_write(&rig, VC_ACCEPTED_SELECT, 4, 0);
	vr_write(&rig, VC_ACCEPTED, 4, 0);
	ck_assert_uint_eq(vr_read(&rig, VC_ACCEPTED, 4), (uint32_t)offered);
	/* Bits are cleared by a reset alone. */
	vr_write(&rig, VC_STATUS, 1, ST_ACK | ST_NEEDS_RESET);
	ck_assert_uint_eq(vr_status(&rig), ST_ACK | ST_DRIVER | ST_FEATURES);
	vr_write(&rig, VC_STATUS, 1, ST_FAILED);
	ck_assert_uint_eq(vr_status(&rig), ST_ACK | ST_DRIVER | ST_FEATURES | ST_FAILED);
	vr_write(&rig, VC_STATUS, 1, 0);
	ck_assert_uint_eq(vr_status(&rig), 0);
	ck_assert_uint_eq(vr_read(&rig, VC_ACCEPTED, 4), 0);
}
END_TEST

START_TEST(queues_are_set_up)
{
	vr_agree(&rig, FEATURE_1);
	vr_write(&rig, VC_QUEUE, 2, 0);
	ck_assert_uint_eq(vr_read(&rig, VC_SIZE, 2), 256);
	ck_assert_uint_eq(vr_read(&rig, VC_ENABLE, 2), 0);
	vr_queue(&rig, 0, 8);
	ck_assert_uint_eq(vr_read(&rig, VC_SIZE, 2), 8);
	ck_assert_uint_eq(vr_read(&rig, VC_ENABLE, 2), 1);
	ck_assert_uint_eq(vr_read(&rig, VC_DESC, 8), RIG_DESC(0));
	ck_assert_uint_eq(vr_read(&rig, VC_DRIVER, 8), RIG_AVAIL(0));
	ck_assert_uint_eq(vr_read(&rig, VC_DEVICE, 8), RIG_USED(0));
	/* One that is not there. */
	vr_write(&rig, VC_QUEUE, 2, 1);
	ck_assert_uint_eq(vr_read(&rig, VC_SIZE, 2), 0);
	vr_write(&rig, VC_SIZE, 2, 8);
	vr_write(&rig, VC_ENABLE, 2, 1);
	ck_assert_uint_eq(vr_read(&rig, VC_ENABLE, 2), 0);
	vr_write(&rig, VC_STATUS, 1, 0);
	vr_write(&rig, VC_QUEUE, 2, 0);
	ck_assert_uint_eq(vr_read(&rig, VC_SIZE, 2), 256);
	ck_assert_uint_eq(vr_read(&rig, VC_ENABLE, 2), 0);
	ck_assert_uint_eq(rig.pc.troubles, 0);
}
END_TEST

/* Nothing is taken before DRIVER_OK, nor without bus mastering; then it is, without another notification. */
START_TEST(waits_until_it_may)
{
	virtio_rig_select(&rig, VIRTIO_SLOT_RNG);
	vr_agree(&rig, FEATURE_1);
	vr_queue(&rig, 0, 8);
	vr_desc(&rig, 0, 0, RIG_DATA, 64, D_WRITE, 0);
	vr_offer(&rig, 0, 0);
	vr_notify(&rig, 0);
	vr_notify(&rig, 9);
	ck_assert_uint_eq(vr_used_idx(&rig, 0), 0);
	ck_assert_uint_eq(vr_status(&rig), ST_ACK | ST_DRIVER | ST_FEATURES);
	vr_write(&rig, VC_STATUS, 1, READY);
	ck_assert_uint_eq(vr_used_idx(&rig, 0), 1);
	vr_config_write(&rig, 4, 2, 2);
	vr_offer(&rig, 0, 0);
	vr_notify(&rig, 0);
	ck_assert_uint_eq(vr_used_idx(&rig, 0), 1);
	vr_config_write(&rig, 4, 2, 6);
	ck_assert_uint_eq(vr_used_idx(&rig, 0), 2);
}
END_TEST

/* --- interrupts --- */

static void rng_buffer(uint16_t head)
{
	vr_desc(&rig, 0, head, RIG_DATA + 256u * head, 16, D_WRITE, 0);
	vr_offer(&rig, 0, head);
}

START_TEST(pin_and_isr)
{
	virtio_rig_select(&rig, VIRTIO_SLOT_RNG);
	vr_start_plain(&rig);
	ck_assert(!vr_intx(&rig));
	rng_buffer(0);
	vr_notify(&rig, 0);
	ck_assert(vr_intx(&rig));
	ck_assert_uint_eq(vr_isr(&rig), 1);
	ck_assert(!vr_intx(&rig));
	ck_assert_uint_eq(vr_isr(&rig), 0);
	/* The driver wants none. */
	vr_put16(&rig, RIG_AVAIL(0), 1);
	rng_buffer(1);
	vr_notify(&rig, 0);
	ck_assert_uint_eq(vr_used_idx(&rig, 0), 2);
	ck_assert(!vr_intx(&rig));
	/* A reset takes it back. */
	vr_put16(&rig, RIG_AVAIL(0), 0);
	rng_buffer(2);
	vr_notify(&rig, 0);
	ck_assert(vr_intx(&rig));
	vr_write(&rig, VC_STATUS, 1, 0);
	ck_assert(!vr_intx(&rig));
	ck_assert_uint_eq(vr_isr(&rig), 0);
}
END_TEST

/* 2.7.10 and 2.7.7.2: interrupts where the driver asks for them, notifications where the device does. */
START_TEST(event_index)
{
	uint16_t i;

	virtio_rig_select(&rig, VIRTIO_SLOT_RNG);
	vr_start(&rig, FEATURE_1 | FEATURE_EVENT, 1, 8);
	vr_put16(&rig, RIG_AVAIL(0) + 4 + 2 * 8, 3);            /* used_event */
	for (i = 0; i < 20; i++) {
		ck_assert_uint_eq(vr_get16(&rig, RIG_USED(0) + 4 + 8 * 8), i);  /* avail_event */
		rng_buffer(i % 8);
		vr_notify(&rig, 0);
		ck_assert_uint_eq(vr_used_idx(&rig, 0), i + 1);
		ck_assert_int_eq(vr_isr(&rig), i == 3);
	}
	/* What has been asked for once is not written again. */
	vr_put16(&rig, RIG_USED(0) + 4 + 8 * 8, 0x5a5a);
	bus_poll(rig.pc.bus);
	ck_assert_uint_eq(vr_get16(&rig, RIG_USED(0) + 4 + 8 * 8), 0x5a5a);
	/* Several at once pass it. */
	vr_put16(&rig, RIG_AVAIL(0) + 4 + 2 * 8, 22);
	for (i = 0; i < 5; i++)
		rng_buffer(i);
	vr_notify(&rig, 0);
	ck_assert_uint_eq(vr_isr(&rig), 1);
}
END_TEST

/* Indices go round at 65536. */
START_TEST(indices_wrap)
{
	virtio_rig_select(&rig, VIRTIO_SLOT_RNG);
	vr_start(&rig, FEATURE_1 | FEATURE_EVENT, 1, 4);
	for (unsigned i = 0; i < 65536 + 10; i++) {
		rng_buffer(i % 4);
		vr_notify(&rig, 0);
		if (vr_used_idx(&rig, 0) != (uint16_t)(i + 1))
			ck_abort_msg("stuck at %u", i);
	}
	ck_assert_uint_eq(rig.pc.troubles, 0);
}
END_TEST

static void msix_entry(unsigned vector, uint32_t address, uint32_t data, uint32_t control)
{
	uint32_t word[] = { address, 0, data, control };

	for (unsigned i = 0; i < 4; i++)
		bus_mmio(rig.pc.bus, RIG_MSIX + 16 * vector + 4 * i, true, 4, (uint8_t *)&word[i]);
}

static uint32_t msix_read32(uint32_t offset)
{
	uint32_t value = 0;

	bus_mmio(rig.pc.bus, RIG_MSIX + offset, false, 4, (uint8_t *)&value);
	return value;
}

#define MSIX_CONTROL 0x9a               /* message control, at the capability's offset 2 */

START_TEST(messages)
{
	virtio_rig_select(&rig, VIRTIO_SLOT_RNG);
	ck_assert_uint_eq(msix_read32(12), 1);
	msix_entry(0, 0xfee00000, 0x31, 0);
	msix_entry(1, 0xfee01000, 0x32, 0);
	ck_assert_uint_eq(msix_read32(16), 0xfee01000);
	ck_assert_uint_eq(msix_read32(24), 0x32);
	vr_config_write(&rig, MSIX_CONTROL, 2, 0x8000);
	ck_assert_uint_eq(vr_config_read(&rig, MSIX_CONTROL, 2), 0x8001);
	vr_agree(&rig, FEATURE_1);
	vr_queue(&rig, 0, 8);
	ck_assert_uint_eq(vr_read(&rig, VC_VECTOR, 2), 0xffff);
	vr_write(&rig, VC_VECTOR, 2, 2);                /* there is none */
	ck_assert_uint_eq(vr_read(&rig, VC_VECTOR, 2), 0xffff);
	vr_write(&rig, VC_VECTOR, 2, 1);
	vr_write(&rig, VC_CONFIG_VECTOR, 2, 0);
	ck_assert_uint_eq(vr_read(&rig, VC_VECTOR, 2), 1);
	vr_write(&rig, VC_STATUS, 1, READY);
	rng_buffer(0);
	vr_notify(&rig, 0);
	ck_assert_uint_eq(rig.pc.msis, 1);
	ck_assert_uint_eq(rig.pc.msi_address, 0xfee01000);
	ck_assert_uint_eq(rig.pc.msi_data, 0x32);
	ck_assert(!vr_intx(&rig));
	/* Masked: it waits, once. */
	msix_entry(1, 0xfee01000, 0x33, 1);
	rng_buffer(1);
	rng_buffer(2);
	vr_notify(&rig, 0);
	ck_assert_uint_eq(rig.pc.msis, 1);
	ck_assert_uint_eq(msix_read32(0x800), 2);
	msix_entry(1, 0xfee01000, 0x33, 0);
	ck_assert_uint_eq(rig.pc.msis, 2);
	ck_assert_uint_eq(rig.pc.msi_data, 0x33);
	ck_assert_uint_eq(msix_read32(0x800), 0);
	/* All of them masked. */
	vr_config_write(&rig, MSIX_CONTROL, 2, 0xc000);
	rng_buffer(3);
	vr_notify(&rig, 0);
	ck_assert_uint_eq(rig.pc.msis, 2);
	fake_pc_round_trip(&rig.pc);
	vr_config_write(&rig, MSIX_CONTROL, 2, 0x8000);
	ck_assert_uint_eq(rig.pc.msis, 3);
	/* A message is a write to memory, for masters. */
	msix_entry(1, 0xfee01000, 0x34, 1);
	rng_buffer(4);
	vr_notify(&rig, 0);
	vr_config_write(&rig, 4, 2, 2);
	msix_entry(1, 0xfee01000, 0x34, 0);
	ck_assert_uint_eq(rig.pc.msis, 3);
	vr_config_write(&rig, 4, 2, 6);
	ck_assert_uint_eq(rig.pc.msis, 4);
	/* The configuration's. */
	vr_notify(&rig, 5);
	ck_assert_uint_eq(rig.pc.msis, 5);
	ck_assert_uint_eq(rig.pc.msi_data, 0x31);
	/* The driver's reset leaves the table as it is. */
	vr_write(&rig, VC_STATUS, 1, 0);
	ck_assert_uint_eq(msix_read32(16), 0xfee01000);
	ck_assert_uint_eq(vr_read(&rig, VC_VECTOR, 2), 0xffff);
	bus_reset(rig.pc.bus);
	virtio_rig_select(&rig, VIRTIO_SLOT_RNG);
	ck_assert_uint_eq(msix_read32(16), 0);
	ck_assert_uint_eq(msix_read32(28), 1);
	ck_assert_uint_eq(vr_config_read(&rig, MSIX_CONTROL, 2), 1);
}
END_TEST

static void start_rng(void)
{
	virtio_rig_select(&rig, VIRTIO_SLOT_RNG);
	vr_start(&rig, FEATURE_1 | FEATURE_INDIRECT, 1, 16);
	vr_desc(&rig, 0, 0, RIG_DATA, 16, D_WRITE, 0);
}

static void go(void)
{
	vr_offer(&rig, 0, 0);
	vr_notify(&rig, 0);
}

/* One notification takes so much, and the rest comes by the timer. */
START_TEST(takes_a_batch_at_a_time)
{
	virtio_rig_select(&rig, VIRTIO_SLOT_RNG);
	vr_start(&rig, FEATURE_1, 1, 256);
	for (uint16_t i = 0; i < 200; i++)
		rng_buffer(i);
	vr_notify(&rig, 0);
	ck_assert_uint_eq(vr_used_idx(&rig, 0), 64);
	ck_assert_uint_eq(bus_deadline(rig.pc.bus), rig.pc.clock);
	ck_assert(vr_intx(&rig));
	fake_pc_run_to(&rig.pc, rig.pc.clock);
	ck_assert_uint_eq(vr_used_idx(&rig, 0), 200);
	ck_assert_uint_eq(bus_deadline(rig.pc.bus), DEV_NEVER);
}
END_TEST

/* The device of random numbers gives as much as it was asked for, up to 256 bytes. */
START_TEST(random_bytes)
{
	start_rng();
	vr_desc(&rig, 0, 0, RIG_DATA, 1000, D_WRITE, 0);
	go();
	ck_assert_uint_eq(vr_used_len(&rig, 0, 0), 256);
	for (unsigned i = 0; i < 256; i++)
		ck_assert_uint_eq(rig.pc.mem[RIG_DATA + i], (uint8_t)(i * 37 + 11));
	ck_assert_uint_eq(rig.pc.mem[RIG_DATA + 256], 0);
	vr_desc(&rig, 0, 0, RIG_DATA + 512, 3, D_WRITE, 0);
	go();
	ck_assert_uint_eq(vr_used_len(&rig, 0, 1), 3);
	ck_assert_uint_eq(rig.pc.mem[RIG_DATA + 512], (uint8_t)(256 * 37 + 11));
	ck_assert_uint_eq(rig.pc.mem[RIG_DATA + 515], 0);
}
END_TEST

/* Where the controllers take no messages nothing speaks of them. */
START_TEST(no_messages)
{
	struct virtio_rig r = { .slot = 0 };
	unsigned at;

	fake_pc_init(&r.pc);
	r.pc.host.msi = NULL;
	ck_assert_int_eq(pci_attach(r.pc.bus, &r.pci, NULL), 0);
	ck_assert_int_eq(virtio_rng_attach(r.pci, NULL), 0);
	virtio_rig_select(&r, VIRTIO_SLOT_RNG);
	for (at = vr_config_read(&r, 0x34, 1); at; at = vr_config_read(&r, at + 1, 1))
		ck_assert_uint_eq(vr_config_read(&r, at, 1), 0x09);
	ck_assert_uint_eq(vr_config_read(&r, 0x14, 4), 0);
	vr_config_write(&r, MSIX_CONTROL, 2, 0x8000);
	vr_start_plain(&r);
	vr_write(&r, VC_VECTOR, 2, 0);
	ck_assert_uint_eq(vr_read(&r, VC_VECTOR, 2), 0xffff);
	vr_desc(&r, 0, 0, RIG_DATA, 16, D_WRITE, 0);
	vr_offer(&r, 0, 0);
	vr_notify(&r, 0);
	ck_assert(vr_intx(&r));
	fake_pc_round_trip(&r.pc);
	fake_pc_done(&r.pc);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("virtio");
	TCase *t = tcase_create("virtio");

	tcase_set_timeout(t, 120);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, is_what_its_ids_say, 0, COUNT(devices));
	tcase_add_loop_test(t, has_capabilities, 0, COUNT(devices));
	tcase_add_test(t, registers_by_any_width);
	tcase_add_test(t, window_in_config_space);
	tcase_add_test(t, features_are_agreed_on);
	tcase_add_test(t, queues_are_set_up);
	tcase_add_test(t, waits_until_it_may);
	tcase_add_test(t, pin_and_isr);
	tcase_add_test(t, event_index);
	tcase_add_test(t, indices_wrap);
	tcase_add_test(t, messages);
	tcase_add_test(t, takes_a_batch_at_a_time);
	tcase_add_test(t, random_bytes);
	tcase_add_test(t, no_messages);
	suite_add_tcase(s, t);
	return unit_main(s);
}
