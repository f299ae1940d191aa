/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What firmware is told by DMA, with descriptors as a hostile guest writes them. */
#include "tests/fw_cfg_rig.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"

/* Returns the answer: what the control word holds at the end. */
static uint32_t dma(uint32_t control, uint32_t length, uint64_t address)
{
	put_descriptor(DESC, control, length, address);
	start_dma(DESC);
	return be(pc.mem + DESC, 4);
}

START_TEST(dma_says_that_it_is_there)
{
	ck_assert_uint_eq(swapped(pc_in(&pc, DMA_HIGH, 4)), 0x51454d55);
	ck_assert_uint_eq(swapped(pc_in(&pc, DMA_LOW, 4)), 0x20434647);
	ck_assert_uint_eq(inb(&pc, DMA_HIGH + 1), 'E');
	ck_assert_uint_eq(pc_in(&pc, DMA_LOW + 2, 2), 'F' | 'G' << 8);
}
END_TEST

START_TEST(dma_reads)
{
	static const uint8_t zeros[16];

	memset(pc.mem + TARGET, 0xaa, 64);
	ck_assert_uint_eq(dma(SELECT | READ | KEY_SIGNATURE << 16, 4, TARGET), 0);
	ck_assert_mem_eq(pc.mem + TARGET, "QEMU\xaa", 5);
	/* Behind the end there are zeros. */
	ck_assert_uint_eq(dma(READ, 16, TARGET + 4), 0);
	ck_assert_mem_eq(pc.mem + TARGET + 4, zeros, 16);
	ck_assert_uint_eq(pc.mem[TARGET + 20], 0xaa);
	ck_assert_uint_eq(dma(SELECT | READ | KEY_NOBODYS << 16, 8, TARGET), 0);
	ck_assert_mem_eq(pc.mem + TARGET, zeros, 8);
	/* Both in one. */
	ck_assert_uint_eq(dma(SELECT | READ | 0x05 << 16, 8, TARGET), 0);
	ck_assert_mem_eq(pc.mem + TARGET, "\4\0\0\0\0\0\0\0", 8);
}
END_TEST

START_TEST(dma_and_ports_share_the_offset)
{
	select_key(KEY_SIGNATURE);
	inb(&pc, DATA);
	ck_assert_uint_eq(dma(READ, 2, TARGET), 0);
	ck_assert_mem_eq(pc.mem + TARGET, "EM", 2);
	ck_assert_uint_eq(inb(&pc, DATA), 'U');
	ck_assert_uint_eq(dma(SELECT | SKIP, 3, 0), 0);
	ck_assert_uint_eq(inb(&pc, DATA), 'U');
	/* Select alone. */
	ck_assert_uint_eq(dma(SELECT | 0x05 << 16, 77, UINT64_MAX), 0);
	ck_assert_uint_eq(inb(&pc, DATA), 4);
	/* And nothing at all. */
	ck_assert_uint_eq(dma(0, 77, UINT64_MAX), 0);
	ck_assert_uint_eq(inb(&pc, DATA), 0);
}
END_TEST

START_TEST(dma_of_a_whole_file)
{
	uint32_t size = 0;
	uint16_t key = find_file("vgaroms/vgabios.bin", &size);

	ck_assert_uint_eq(dma((uint32_t)key << 16 | SELECT | READ, VGA_BIOS_SIZE, TARGET), 0);
	ck_assert_mem_eq(pc.mem + TARGET, vga_bios, VGA_BIOS_SIZE);
	ck_assert_uint_eq(dma((uint32_t)key << 16 | SELECT | SKIP, 0x9000, 0), 0);
	ck_assert_uint_eq(dma(READ, 0x10, TARGET), 0);
	ck_assert_mem_eq(pc.mem + TARGET, vga_bios + 0x9000, 0x10);
}
END_TEST

START_TEST(skips_end_with_the_item)
{
	ck_assert_uint_eq(dma(SELECT | SKIP, UINT32_MAX, 0), 0);
	ck_assert_uint_eq(inb(&pc, DATA), 0);
	ck_assert_uint_eq(dma(SKIP, UINT32_MAX, 0), 0);
	ck_assert_uint_eq(dma(SKIP, 5, 0), 0);
	ck_assert_uint_eq(inb(&pc, DATA), 0);
	select_key(KEY_SIGNATURE);
	ck_assert_uint_eq(inb(&pc, DATA), 'Q');
}
END_TEST

START_TEST(nothing_can_be_written)
{
	memcpy(pc.mem + TARGET, "HACK", 4);
	ck_assert_uint_eq(dma(SELECT | WRITE, 4, TARGET), ERROR);
	ck_assert_uint_eq(dma(SELECT | WRITE | 0x4000u << 16, 4, TARGET), ERROR);
	ck_assert_uint_eq(dma(SELECT | WRITE | KEY_NOBODYS << 16, 1, TARGET), ERROR);
	ck_assert_uint_eq(dma(SELECT | WRITE | SKIP, 4, TARGET), ERROR);
	ck_assert_uint_eq(dma(WRITE, 0, TARGET), 0);
	/* Reading comes first. */
	ck_assert_uint_eq(dma(SELECT | READ | WRITE | SKIP, 4, TARGET), 0);
	ck_assert_mem_eq(pc.mem + TARGET, "QEMU", 4);
}
END_TEST

/* The bits of an answer are all gone but the error, whatever was there. */
START_TEST(the_answer_replaces_the_request)
{
	ck_assert_uint_eq(dma(ERROR | 0xffffffe0, 4, TARGET), 0);
	ck_assert_uint_eq(dma(ERROR | SELECT | READ, 4, TARGET), 0);
	ck_assert_mem_eq(pc.mem + TARGET, "QEMU", 4);
	/* Only the control word is written. */
	ck_assert_uint_eq(be(pc.mem + DESC + 4, 4), 4);
}
END_TEST

static const struct {
	uint32_t length;
	uint64_t address;
	uint32_t answer;
} reads[] = {
	{ 0, TARGET, 0 }, { 0, UINT64_MAX, 0 },
	{ 4, FAKE_PC_MEM - 4, 0 }, { 4, FAKE_PC_MEM - 3, ERROR }, { 4, FAKE_PC_MEM, ERROR },
	{ 5, FAKE_PC_MEM - 4, ERROR }, { 1, UINT64_MAX, ERROR }, { 4, UINT64_MAX - 3, ERROR }, { 4, UINT64_MAX - 2, ERROR },
	{ 8, UINT64_MAX - 3, ERROR }, { 4, 1ull << 63, ERROR }, { 0x8000, FAKE_PC_MEM - 0x8000, 0 },
	{ 0x8001, FAKE_PC_MEM - 0x8000, ERROR }, { UINT32_MAX, TARGET, ERROR }, { UINT32_MAX, FAKE_PC_MEM, ERROR },
	{ UINT32_MAX, UINT64_MAX - 1, ERROR }, { 1u << 31, 0, ERROR }, { 0x100000, 0x10000, ERROR },
};

START_TEST(reads_that_do_not_fit)
{
	uint64_t end = reads[_i].address + reads[_i].length;

	memset(pc.mem, 0xaa, FAKE_PC_MEM);
	ck_assert_uint_eq(dma(SELECT | READ, reads[_i].length, reads[_i].address), reads[_i].answer);
	if (!reads[_i].answer && end < FAKE_PC_MEM)
		ck_assert_uint_eq(pc.mem[end], 0xaa);
	if (reads[_i].address && reads[_i].address < FAKE_PC_MEM)
		ck_assert_uint_eq(pc.mem[reads[_i].address - 1], 0xaa);
	/* And it works on. */
	ck_assert_uint_eq(dma(SELECT | READ, 4, TARGET), 0);
	ck_assert_mem_eq(pc.mem + TARGET, "QEMU", 4);
}
END_TEST

static unsigned copies;
static uint64_t copied;

/* All of the address space is memory. */
static size_t count_dma(void *arg, uint64_t gpa, void *data, size_t len, bool to_guest)
{
	struct fake_pc *f = arg;

	ck_assert_uint_le(len, DEV_DMA_MAX);
	ck_assert_uint_ge(len, 1);
	ck_assert_uint_le(len - 1, UINT64_MAX - gpa);
	copies++;
	copied += len;
	if (gpa <= FAKE_PC_MEM - len && to_guest)
		memcpy(f->mem + gpa, data, len);
	else if (gpa <= FAKE_PC_MEM - len)
		memcpy(data, f->mem + gpa, len);
	else if (!to_guest)
		memset(data, 0, len);
	return len;
}

/* Where there is more memory than anybody should wait for. */
START_TEST(long_reads_are_cut_short)
{
	static const uint32_t lengths[] = { UINT32_MAX, 1u << 31, 16u << 20, (1u << 20) + 5 };
	size_t i;

	pc.host.dma = count_dma;
	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		copied = copies = 0;
		ck_assert_uint_eq(dma(SELECT | READ, lengths[i], 4 * GIB), ERROR);
		ck_assert_uint_le(copied, 2 * MIB);
		ck_assert_uint_le(copies, 600);
	}
	copied = 0;
	ck_assert_uint_eq(dma(SELECT | READ, (1u << 20) + 4, 4 * GIB), 0);
	ck_assert_uint_eq(copied, MIB + 4 + 16 + 4);
	/* Up to the last byte there is, and not around it. */
	ck_assert_uint_eq(dma(SELECT | READ, 4, UINT64_MAX - 3), 0);
	ck_assert_uint_eq(dma(SELECT | READ, 8, UINT64_MAX - 7), 0);
	ck_assert_uint_eq(dma(SELECT | READ, 8, UINT64_MAX - 6), ERROR);
	ck_assert_uint_eq(dma(SELECT | READ, 8, UINT64_MAX - 3), ERROR);
	ck_assert_uint_eq(dma(SELECT | READ, 4, UINT64_MAX - 2), ERROR);
}
END_TEST

/* A big item is copied in pieces. */
START_TEST(items_of_many_pieces)
{
	size_t len = 2 * DEV_DMA_MAX + 12345, i;
	uint8_t *rom = malloc(len);
	uint32_t size;
	uint16_t key;

	for (i = 0; i < len; i++)
		rom[i] = (uint8_t)(i >> 12);
	pc.host.dma = count_dma;
	attach(&(struct fw_cfg_spec){ .ram_size = MIB, .cpus = 1, .vga_bios = rom, .vga_bios_size = len });
	key = find_file("vgaroms/vgabios.bin", &size);
	ck_assert_uint_eq(size, len);
	copied = copies = 0;
	ck_assert_uint_eq(dma((uint32_t)key << 16 | SELECT | READ, size, 4 * GIB), 0);
	ck_assert_uint_eq(copied, len + 16 + 4);
	ck_assert_uint_eq(copies, 3 + 1 + 1);
	ck_assert_uint_eq(dma((uint32_t)key << 16 | SELECT | SKIP, 2 * DEV_DMA_MAX, 0), 0);
	ck_assert_uint_eq(dma(READ, 12345, TARGET), 0);
	ck_assert_mem_eq(pc.mem + TARGET, rom + 2 * DEV_DMA_MAX, 12345);
	free(rom);
}
END_TEST

static const uint64_t nowhere[] = {
	FAKE_PC_MEM - 15, FAKE_PC_MEM - 4, FAKE_PC_MEM - 1, FAKE_PC_MEM, 1ull << 40, UINT32_MAX - 15, UINT64_MAX - 15,
	UINT64_MAX - 14, UINT64_MAX,
};

/* A descriptor that is not all memory does nothing; what there is of its control word says so. */
START_TEST(descriptors_that_are_not_there)
{
	uint64_t gpa = nowhere[_i];

	put_descriptor(gpa, SELECT | READ | 0x05 << 16, 4, TARGET);
	start_dma(gpa);
	ck_assert_uint_eq(inb(&pc, DATA), 'Q');
	ck_assert_uint_eq(be(pc.mem + TARGET, 4), 0);
	if (gpa <= FAKE_PC_MEM - 4)
		ck_assert_uint_eq(be(pc.mem + gpa, 4), ERROR);
}
END_TEST

/* The data lands on the descriptor: it has been read by then, and the answer comes last. */
START_TEST(descriptors_that_are_their_own_target)
{
	ck_assert_uint_eq(dma(SELECT | READ, 4, DESC), 0);
	ck_assert_uint_eq(dma(SELECT | READ, 4, DESC + 2), 0);
	ck_assert_mem_eq(pc.mem + DESC + 2, "\0\0MU", 4);
	ck_assert_uint_eq(dma(SELECT | READ | 0x05 << 16, 64, DESC - 8), 0);
	ck_assert_uint_eq(be(pc.mem + DESC - 8, 4), 4u << 24);
	ck_assert_uint_eq(be(pc.mem + DESC + 4, 4), 0);
}
END_TEST

START_TEST(halves_of_the_address)
{
	/* The upper half is used up by what it was written for. */
	put_descriptor(DESC, SELECT | READ, 4, TARGET);
	pc_out(&pc, DMA_HIGH, 4, swapped(1));
	pc_out(&pc, DMA_LOW, 4, swapped(DESC));
	ck_assert_uint_eq(be(pc.mem + TARGET, 4), 0);
	pc_out(&pc, DMA_LOW, 4, swapped(DESC));
	ck_assert_mem_eq(pc.mem + TARGET, "QEMU", 4);
	/* Less than a half is nothing, wherever it would lead. */
	put_descriptor(DESC, SELECT | READ | 0x05 << 16, 4, TARGET);
	put_descriptor(0x10000, SELECT | READ | 0x05 << 16, 4, TARGET);
	put_descriptor(0, SELECT | READ | 0x05 << 16, 4, TARGET);
	pc_out(&pc, DMA_LOW, 2, 0x0100);
	pc_out(&pc, DMA_LOW + 2, 2, DESC << 8 | DESC >> 8);
	outb(&pc, DMA_LOW, 0);
	pc_out(&pc, DMA_HIGH + 2, 4, 0);
	ck_assert_mem_eq(pc.mem + TARGET, "QEMU", 4);
	ck_assert_uint_eq(inb(&pc, DATA), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("fw_cfg_dma");
	TCase *t = tcase_create("fw_cfg_dma"), *bare = tcase_create("bare");

	tcase_add_checked_fixture(t, fw_cfg_rig_init, fw_cfg_rig_done);
	tcase_add_test(t, dma_says_that_it_is_there);
	tcase_add_test(t, dma_reads);
	tcase_add_test(t, dma_and_ports_share_the_offset);
	tcase_add_test(t, dma_of_a_whole_file);
	tcase_add_test(t, skips_end_with_the_item);
	tcase_add_test(t, nothing_can_be_written);
	tcase_add_test(t, the_answer_replaces_the_request);
	tcase_add_loop_test(t, reads_that_do_not_fit, 0, COUNT(reads));
	tcase_add_test(t, long_reads_are_cut_short);
	tcase_add_loop_test(t, descriptors_that_are_not_there, 0, COUNT(nowhere));
	tcase_add_test(t, descriptors_that_are_their_own_target);
	tcase_add_test(t, halves_of_the_address);
	suite_add_tcase(s, t);

	tcase_add_checked_fixture(bare, fw_cfg_rig_init_bare, fw_cfg_rig_done);
	tcase_add_test(bare, items_of_many_pieces);
	suite_add_tcase(s, bare);
	return unit_main(s);
}
