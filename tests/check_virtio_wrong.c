/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Drivers that break virtio's rules: the device stops, says why, and can be revived. */
#include <stdio.h>
#include <stdlib.h>
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

static void idx_jumps(void)
{
	vr_set_idx(&rig, 0, 17);
	vr_notify(&rig, 0);
}

static void idx_goes_back(void)
{
	vr_set_idx(&rig, 0, 0xffff);
	vr_notify(&rig, 0);
}

static void head_too_high(void)
{
	vr_offer(&rig, 0, 16);
	vr_notify(&rig, 0);
}

static void next_too_high(void)
{
	vr_desc(&rig, 0, 0, RIG_DATA, 16, D_WRITE | D_NEXT, 99);
	go();
}

static void loops(void)
{
	vr_desc(&rig, 0, 0, RIG_DATA, 16, D_WRITE | D_NEXT, 1);
	vr_desc(&rig, 0, 1, RIG_DATA, 16, D_WRITE | D_NEXT, 0);
	go();
}

static void loops_at_itself(void)
{
	vr_desc(&rig, 0, 0, RIG_DATA, 16, D_WRITE | D_NEXT, 0);
	go();
}

static void is_outside(void)
{
	vr_desc(&rig, 0, 0, FAKE_PC_MEM, 16, D_WRITE, 0);
	go();
}

static void is_half_outside(void)
{
	vr_desc(&rig, 0, 0, FAKE_PC_MEM - 8, 16, D_WRITE, 0);
	go();
}

static void is_beyond_the_end(void)
{
	vr_desc(&rig, 0, 0, UINT64_MAX - 3, 16, D_WRITE, 0);
	go();
}

static void is_empty(void)
{
	vr_desc(&rig, 0, 0, RIG_DATA, 0, D_WRITE, 0);
	go();
}

static void is_in_disorder(void)
{
	vr_desc(&rig, 0, 0, RIG_DATA, 16, D_WRITE | D_NEXT, 3);
	vr_desc(&rig, 0, 3, RIG_DATA, 16, 0, 0);
	go();
}

static void has_no_room(void)
{
	vr_desc(&rig, 0, 0, RIG_DATA, 16, 0, 0);
	go();
}

static void indirect(uint32_t len, uint16_t flags, uint16_t inner, uint16_t next)
{
	vr_desc(&rig, 0, 0, RIG_DATA, len, flags, 1);
	vr_desc_at(&rig, RIG_DATA, 0, RIG_DATA + 0x1000, 16, inner, next);
	go();
}

static void indirect_in_indirect(void)
{
	indirect(16, D_INDIRECT, D_INDIRECT, 0);
}

static void indirect_with_next(void)
{
	indirect(16, D_INDIRECT | D_NEXT, D_WRITE, 0);
}

static void indirect_of_odd_size(void)
{
	indirect(24, D_INDIRECT, D_WRITE, 0);
}

static void indirect_of_nothing(void)
{
	indirect(0, D_INDIRECT, D_WRITE, 0);
}

static void indirect_too_long(void)
{
	indirect(17 * 16, D_INDIRECT, D_WRITE, 0);
}

static void indirect_leads_out(void)
{
	indirect(16, D_INDIRECT, D_WRITE | D_NEXT, 1);
}

static void indirect_loops(void)
{
	indirect(16, D_INDIRECT, D_WRITE | D_NEXT, 0);
}

/* Each table is short enough, and both together are not. */
static void one_too_many(void)
{
	vr_desc(&rig, 0, 0, RIG_DATA, 4, D_WRITE | D_NEXT, 5);
	vr_desc(&rig, 0, 5, RIG_DATA + 0x100, 16 * 16, D_INDIRECT, 0);
	for (unsigned i = 0; i < 16; i++)
		vr_desc_at(&rig, RIG_DATA + 0x100, i, RIG_DATA + 0x1000, 4, D_WRITE | (i < 15 ? D_NEXT : 0),
			   (uint16_t)(i + 1));
	go();
}

static void indirect_outside(void)
{
	vr_desc(&rig, 0, 0, FAKE_PC_MEM - 8, 16, D_INDIRECT, 0);
	go();
}

static void indirect_not_agreed(void)
{
	vr_start(&rig, FEATURE_1, 1, 16);
	indirect(16, D_INDIRECT, D_WRITE, 0);
}

static void enabled_twice(void)
{
	vr_write(&rig, VC_ENABLE, 2, 1);
}

static void disabled(void)
{
	vr_write(&rig, VC_ENABLE, 2, 0);
}

static void moved(void)
{
	vr_write(&rig, VC_DESC, 4, 0x20000);
}

static void resized(void)
{
	vr_write(&rig, VC_SIZE, 2, 8);
}

static void absent_queue(void)
{
	vr_notify(&rig, 1);
}

static void absent_queue_far(void)
{
	vr_write(&rig, RIG_NOTIFY + 0xffc, 4, 0);
}

/* From here on the queue is set up wrongly. */
static void set_up(uint64_t desc, uint64_t avail, uint64_t used, uint16_t size)
{
	vr_agree(&rig, FEATURE_1);
	vr_write(&rig, VC_SIZE, 2, size);
	vr_write(&rig, VC_DESC, 8, desc);
	vr_write(&rig, VC_DRIVER, 8, avail);
	vr_write(&rig, VC_DEVICE, 8, used);
	vr_write(&rig, VC_ENABLE, 2, 1);
	vr_write(&rig, VC_STATUS, 1, READY);
	vr_notify(&rig, 0);
}

static void size_not_power_of_two(void)
{
	set_up(RIG_DESC(0), RIG_AVAIL(0), RIG_USED(0), 12);
}

static void size_zero(void)
{
	set_up(RIG_DESC(0), RIG_AVAIL(0), RIG_USED(0), 0);
}

static void size_too_large(void)
{
	set_up(RIG_DESC(0), RIG_AVAIL(0), RIG_USED(0), 512);
}

static void desc_not_aligned(void)
{
	set_up(RIG_DESC(0) + 8, RIG_AVAIL(0), RIG_USED(0), 16);
}

static void avail_not_aligned(void)
{
	set_up(RIG_DESC(0), RIG_AVAIL(0) + 1, RIG_USED(0), 16);
}

static void used_not_aligned(void)
{
	set_up(RIG_DESC(0), RIG_AVAIL(0), RIG_USED(0) + 2, 16);
}

static void used_beyond_the_end(void)
{
	set_up(RIG_DESC(0), RIG_AVAIL(0), UINT64_MAX - 3, 16);
}

static void avail_outside(void)
{
	set_up(RIG_DESC(0), 0x200000, RIG_USED(0), 16);
}

static void desc_outside(void)
{
	set_up(0x200000, RIG_AVAIL(0), RIG_USED(0), 16);
	vr_offer(&rig, 0, 0);
	vr_notify(&rig, 0);
}

static void used_outside(void)
{
	set_up(RIG_DESC(0), RIG_AVAIL(0), 0x200000, 16);
	vr_offer(&rig, 0, 0);
	vr_notify(&rig, 0);
}

static void not_enabled(void)
{
	vr_agree(&rig, FEATURE_1);
	vr_write(&rig, VC_STATUS, 1, READY);
	vr_notify(&rig, 0);
}

static void ready_without_features(void)
{
	vr_write(&rig, VC_STATUS, 1, 0);
	vr_write(&rig, VC_STATUS, 1, ST_ACK | ST_DRIVER | ST_READY);
}

static const struct {
	void (*act)(void);
	const char *says;
	bool before;                    /* DRIVER_OK: no interrupt */
} wrongs[] = {
	{ idx_jumps, "queue 0: its available index went from 0 to 17, further than its size of 16", false },
	{ idx_goes_back, "queue 0: its available index went from 0 to 65535, further than its size of 16", false },
	{ head_too_high, "queue 0: a chain goes on at descriptor 16 of 16", false },
	{ next_too_high, "queue 0: a chain goes on at descriptor 99 of 16", false },
	{ loops, "queue 0: the chain at descriptor 0 has more descriptors than the queue, or loops", false },
	{ loops_at_itself, "queue 0: the chain at descriptor 0 has more descriptors than the queue, or loops", false },
	{ is_outside, "queue 0: descriptor 0 is outside memory", false },
	{ is_half_outside, "queue 0: descriptor 0 is outside memory", false },
	{ is_beyond_the_end, "queue 0: descriptor 0 goes beyond the last address", false },
	{ is_empty, "queue 0: descriptor 0 has no bytes", false },
	{ is_in_disorder, "queue 0: descriptor 3 is to be read, after one that is to be written", false },
	{ has_no_room, "queue 0: descriptor 0 has no room to write to", false },
	{ indirect_in_indirect, "queue 0: descriptor 0 of an indirect table is indirect", false },
	{ indirect_with_next, "queue 0: descriptor 0 is indirect and has a next one", false },
	{ indirect_of_odd_size, "queue 0: descriptor 0 has an indirect table of 24 bytes", false },
	{ indirect_of_nothing, "queue 0: descriptor 0 has an indirect table of 0 bytes", false },
	{ indirect_too_long, "queue 0: descriptor 0 has an indirect table of 272 bytes", false },
	{ indirect_leads_out, "queue 0: a chain goes on at descriptor 1 of 1", false },
	{ indirect_loops, "queue 0: the chain at descriptor 0 has more descriptors than the queue, or loops", false },
	{ one_too_many, "queue 0: the chain at descriptor 0 has more descriptors than the queue, or loops", false },
	{ indirect_outside, "queue 0: the table of descriptor 0, at 0xffff8, is outside memory", false },
	{ indirect_not_agreed, "queue 0: descriptor 0 is indirect, which was not negotiated", false },
	{ enabled_twice, "queue 0 was enabled twice", false },
	{ disabled, "queue 0: 0 is no way to enable it", false },
	{ moved, "queue 0 was changed while it was enabled", false },
	{ resized, "queue 0 was changed while it was enabled", false },
	{ absent_queue, "queue 1 was notified, and there are 1", false },
	{ absent_queue_far, "queue 1023 was notified, and there are 1", false },
	{ size_not_power_of_two, "queue 0: its size of 12 is no power of two up to 256", true },
	{ size_zero, "queue 0: its size of 0 is no power of two up to 256", true },
	{ size_too_large, "queue 0: its size of 512 is no power of two up to 256", true },
	{ desc_not_aligned, "queue 0: its descriptor table at 0x10008 is not aligned to 16 bytes", true },
	{ avail_not_aligned, "queue 0: its driver area at 0x14001 is not aligned to 2 bytes", true },
	{ used_not_aligned, "queue 0: its device area at 0x18002 is not aligned to 4 bytes", true },
	{ used_beyond_the_end, "queue 0: its device area at 0xfffffffffffffffc goes beyond the last address", true },
	{ avail_outside, "queue 0: its driver area at 0x200000 is outside memory", false },
	{ desc_outside, "queue 0: the table of descriptor 0, at 0x200000, is outside memory", false },
	{ used_outside, "queue 0: its device area at 0x200000 is outside memory", false },
	{ not_enabled, "queue 0 was notified without being enabled", false },
	{ ready_without_features, "the driver says that it is ready before features have been agreed on", true },
};

static char state_text[200];
static uint64_t state_value;

static void find_state(void *arg, const char *name, unsigned bits, uint64_t value, const char *text)
{
	(void)arg;
	(void)bits;
	ck_assert(!text || *text);
	if (strcmp(name, "state") != 0)
		return;
	state_value = value;
	strcpy(state_text, text);
}

static void look_at_state(const char *device)
{
	static const struct dev_show show = { NULL, find_state };
	const struct device *d;

	for (size_t i = 0; (d = bus_device(rig.pc.bus, i)); i++)
		if (strcmp(d->ops->name, device) == 0)
			d->ops->show(d, &show);
}

START_TEST(stops_and_says_why)
{
	char line[200];
	uint8_t *before;

	start_rng();
	wrongs[_i].act();
	snprintf(line, sizeof(line), "virtio-rng: %s", wrongs[_i].says);
	ck_assert_uint_eq(rig.pc.troubles, 1);
	ck_assert_str_eq(rig.pc.trouble, line);
	look_at_state("virtio-rng");
	ck_assert_uint_eq(state_value, 1);
	ck_assert_str_eq(state_text, wrongs[_i].says);
	ck_assert(vr_status(&rig) & ST_NEEDS_RESET);
	ck_assert_int_eq(vr_intx(&rig), !wrongs[_i].before);
	ck_assert_uint_eq(vr_isr(&rig), wrongs[_i].before ? 0 : 2);
	/* It does nothing more, whatever is written, and takes nothing. */
	before = malloc(FAKE_PC_MEM);
	vr_desc(&rig, 0, 0, RIG_DATA, 16, D_WRITE, 0);
	vr_set_idx(&rig, 0, 1);
	memcpy(before, rig.pc.mem, FAKE_PC_MEM);
	vr_notify(&rig, 0);
	vr_notify(&rig, 7);
	vr_write(&rig, VC_ENABLE, 2, 1);
	vr_write(&rig, VC_QUEUE, 2, 5);
	vr_write(&rig, VC_STATUS, 1, 0xff);
	bus_poll(rig.pc.bus);
	ck_assert_mem_eq(before, rig.pc.mem, FAKE_PC_MEM);
	free(before);
	ck_assert_uint_eq(rig.pc.troubles, 1);
	ck_assert(!vr_intx(&rig));
	ck_assert_uint_eq(vr_read(&rig, VC_QUEUE, 2), 0);
	fake_pc_round_trip(&rig.pc);
	look_at_state("virtio-rng");
	ck_assert_str_eq(state_text, wrongs[_i].says);
	/* Its reset revives it. */
	start_rng();
	look_at_state("virtio-rng");
	ck_assert_uint_eq(state_value, 0);
	ck_assert_str_eq(state_text, "running");
	go();
	ck_assert_uint_eq(vr_used_idx(&rig, 0), 1);
	ck_assert_uint_eq(vr_used_len(&rig, 0, 0), 16);
}
END_TEST

/* Who loops over his mistake is not listened to for ever. */
START_TEST(says_so_some_times)
{
	for (unsigned i = 0; i < 100; i++) {
		start_rng();
		idx_jumps();
	}
	ck_assert_uint_eq(rig.pc.troubles, 8);
	ck_assert_ptr_nonnull(strstr(rig.pc.trouble, "(and no more is said of it before the next reset)"));
	bus_reset(rig.pc.bus);
	start_rng();
	idx_jumps();
	ck_assert_uint_eq(rig.pc.troubles, 9);
}
END_TEST

/* An indirect table as it should be, behind a descriptor, as long as the queue. */
START_TEST(indirect_table)
{
	start_rng();
	vr_desc(&rig, 0, 0, RIG_DATA, 4, D_WRITE | D_NEXT, 5);
	vr_desc(&rig, 0, 5, RIG_DATA + 0x100, 16 * 15, D_INDIRECT, 0);
	for (unsigned i = 0; i < 15; i++)
		vr_desc_at(&rig, RIG_DATA + 0x100, i, RIG_DATA + 0x1000 + 16 * i, 4, D_WRITE | (i < 14 ? D_NEXT : 0),
			   (uint16_t)(i + 1));
	go();
	ck_assert_uint_eq(rig.pc.troubles, 0);
	ck_assert_uint_eq(vr_used_len(&rig, 0, 0), 64);
	ck_assert_uint_eq(rig.pc.mem[RIG_DATA], 11);
	for (unsigned i = 1; i < 16; i++)
		ck_assert_uint_eq(rig.pc.mem[RIG_DATA + 0x1000 + 16 * (i - 1)], (uint8_t)(4 * i * 37 + 11));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("virtio_wrong");
	TCase *t = tcase_create("virtio_wrong");

	tcase_set_timeout(t, 120);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, stops_and_says_why, 0, COUNT(wrongs));
	tcase_add_test(t, says_so_some_times);
	tcase_add_test(t, indirect_table);
	suite_add_tcase(s, t);
	return unit_main(s);
}
