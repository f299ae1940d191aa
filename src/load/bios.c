/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "load/bios.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ROM_UNIT        (4u << 10)      /* bytes */
#define ROM_MIN         (64u << 10)
#define RESET_VECTOR    16u             /* bytes before the end: what is there is run first */
#define OPTION_ROM_UNIT 512u            /* bytes */

#define CR0_RESET       0x60000010ull   /* CD, NW, ET */
#define RFLAGS_FIXED    0x2ull
#define EDX_FAMILY_6    0x600ull
#define ACC_CODE        0x9b
#define ACC_DATA        0x93
#define ACC_TSS_BUSY    0x8b
#define ACC_LDT         0x82

static const char *const places[] = {
	"/usr/share/seabios/bios.bin", "/usr/share/seabios/bios-256k.bin",
	"/usr/share/qemu/bios.bin", "/usr/share/qemu/bios-256k.bin",
	NULL
};

/* An erased part of a ROM is all ones, a hole in a file zeros. */
static bool is_blank(const uint8_t *data, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (data[i] != 0xff && data[i] != 0)
			return false;
	return true;
}

/* A firmware volume's header: where its kind, its length and its signature are. */
#define VOLUME_KIND     16u
#define VOLUME_LENGTH   32u
#define VOLUME_SIGNATURE 40u

/* The kind that keeps variables: fff12b8d-7696-4c8b-a985-2747075b4f50. */
static const uint8_t variables_kind[16] = {
	0x8d, 0x2b, 0xf1, 0xff, 0x96, 0x76, 0x8b, 0x4c, 0xa9, 0x85, 0x27, 0x47, 0x07, 0x5b, 0x4f, 0x50
};

bool bios_is_uefi(const struct blob *f)
{
	return !memcmp(f->data + VOLUME_SIGNATURE, "_FVH", 4);
}

/* The length that a volume of variables at the beginning says it has; 0: there is none.  F has ROM_MIN bytes. */
static uint64_t variables_said(const struct blob *f)
{
	uint64_t n;

	if (!bios_is_uefi(f) || memcmp(f->data + VOLUME_KIND, variables_kind, sizeof(variables_kind)) != 0)
		return 0;
	memcpy(&n, f->data + VOLUME_LENGTH, sizeof(n));
	return le64toh(n);
}

int bios_check(const struct blob *f, struct err *err)
{
	uint64_t variables;

	if (f->size > BIOS_MAX)
		return err_set(err, ENOEXEC, "no firmware: its size, %zu bytes, is more than 16M", f->size);
	if (f->size < ROM_MIN)
		return err_set(err, ENOEXEC, "no firmware: its size, %zu bytes, is less than 64K", f->size);
	if (f->size % ROM_UNIT)
		return err_set(err, ENOEXEC, "no firmware: its size, %zu bytes, is no multiple of 4K", f->size);
	if (is_blank(f->data + f->size - RESET_VECTOR, RESET_VECTOR))
		return err_set(err, ENOEXEC, "no firmware: nothing is at its reset vector, 16 bytes before its end");
	variables = variables_said(f);
	if (variables % ROM_UNIT || variables >= f->size)
		return err_set(err, ENOEXEC, "firmware whose variables say that they have %llu bytes, and it has %zu",
			       (unsigned long long)variables, f->size);
	return 0;
}

size_t bios_variables(const struct blob *f)
{
	return (size_t)variables_said(f);
}

int option_rom_check(const struct blob *f, struct err *err)
{
	size_t said, i;
	uint8_t sum = 0;

	if (f->size > OPTION_ROM_MAX)
		return err_set(err, ENOEXEC, "%s: no option ROM: its size, %zu bytes, is more than 128K", f->path, f->size);
	if (f->size < OPTION_ROM_UNIT || f->data[0] != 0x55 || f->data[1] != 0xaa)
		return err_set(err, ENOEXEC, "%s: no option ROM: it does not begin with 55 aa", f->path);
	said = f->data[2] * OPTION_ROM_UNIT;
	if (!said || said > f->size)
		return err_set(err, ENOEXEC, "%s: an option ROM that says it has %zu bytes, and has %zu", f->path, said,
			       f->size);
	for (i = 0; i < said; i++)
		sum = (uint8_t)(sum + f->data[i]);
	return sum ? err_set(err, ENOEXEC, "%s: an option ROM whose checksum is wrong", f->path) : 0;
}

int bios_find_in(const char *const *paths, struct blob *ret, struct err *err)
{
	char list[512];
	size_t at = 0, i;
	int r;

	for (i = 0; paths[i]; i++) {
		r = blob_read(paths[i], ret, err);
		if (r != -ENOENT && r != -ENOTDIR)
			return r;
		if (at < sizeof(list))
			at += (size_t)snprintf(list + at, sizeof(list) - at, "%s%s", at ? ", " : "", paths[i]);
	}
	return err_set(err, ENOENT, "no firmware is installed: install seabios, or name a file with --bios (not there: %s)",
		       list);
}

int bios_find(struct blob *ret, struct err *err)
{
	return bios_find_in(places, ret, err);
}

void bios_boot_state(struct boot_state *ret)
{
	static const struct boot_seg data = { .limit = 0xffff, .access = ACC_DATA };

	*ret = (struct boot_state){
		.mode = BOOT_REAL,
		.rdx = EDX_FAMILY_6,
		.rip = 0xfff0, .rflags = RFLAGS_FIXED, .cr0 = CR0_RESET,
		.cs = { .selector = 0xf000, .base = 0xffff0000, .limit = 0xffff, .access = ACC_CODE },
		.ds = data, .es = data, .fs = data, .gs = data, .ss = data,
		.tr = { .limit = 0xffff, .access = ACC_TSS_BUSY },
		.ldt = { .limit = 0xffff, .access = ACC_LDT },
		.gdt_limit = 0xffff, .idt_limit = 0xffff,
	};
}
