/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bzImages: the setup header, the code behind the real-mode setup, and the kernel that is packed in it. */
#include "load/linux.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "load/decompress.h"

#define SECTOR          512u
#define DEFAULT_SECTS   4u
#define LENGTH_FROM     0x202u          /* what the header's length counts from */
#define MAGIC_OFFSET    0x202u
#define BOOT_FLAG_OFFSET 0x1feu
#define LOAD_HIGH       0x100000ull     /* where protocols before 2.10 have it */

#define VERSION_MIN     0x206u
#define VERSION_PAYLOAD 0x208u
#define VERSION_PREF    0x20au
#define VERSION_XLOAD   0x20cu

/* Where the header of each protocol ends, at the least. */
static const struct {
	unsigned version;
	size_t end;
} ends[] = {
	{ VERSION_PREF, 0x264 }, { 0x209, 0x258 }, { VERSION_PAYLOAD, 0x250 }, { 0x207, 0x248 }, { VERSION_MIN, 0x23c },
};

bool bzimage_probe(const struct blob *file)
{
	uint32_t magic;
	uint16_t flag;

	if (file->size < MAGIC_OFFSET + sizeof(magic))
		return false;
	memcpy(&magic, file->data + MAGIC_OFFSET, sizeof(magic));
	memcpy(&flag, file->data + BOOT_FLAG_OFFSET, sizeof(flag));
	return magic == SETUP_MAGIC && flag == SETUP_BOOT_FLAG;
}

/* Kernels in forms that no PC starts, by what they have at an offset. */
static const struct {
	size_t at;
	uint32_t magic;
	const char *what;
} foreign[] = {
	{ 0x38, 0x644d5241, "a Linux kernel for AArch64 (Image)" },
	{ 0x38, 0x05435352, "a Linux kernel for RISC-V (Image)" },
	{ 0x24, 0x016f2818, "a Linux kernel for ARM (zImage)" },
	{ 0, 0x56190527, "an image for U-Boot (uImage)" },
};

const char *linux_foreign(const struct blob *file)
{
	uint32_t magic;
	size_t i;

	for (i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		if (file->size < foreign[i].at + sizeof(magic))
			continue;
		memcpy(&magic, file->data + foreign[i].at, sizeof(magic));
		if (magic == foreign[i].magic)
			return foreign[i].what;
	}
	return NULL;
}

/* Says what FILE is instead of a bzImage. */
static int no_bzimage(const struct blob *file, struct err *err)
{
	const char *what = linux_foreign(file), *format = decompress_format(file->data, file->size);

	if (what)
		return err_set(err, ENOEXEC, "%s, not for x86", what);
	if (format)
		return err_set(err, ENOEXEC, "compressed with %s, and no bzImage: unpack it first", format);
	return err_set(err, ENOEXEC, "neither a bzImage (no \"HdrS\" at 0x202) nor an ELF file");
}

static size_t least_end(unsigned version)
{
	size_t i;

	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (version >= ends[i].version)
			return ends[i].end;
	return 0;
}

/* Reads the header as far as it goes. */
static int read_header(const struct blob *file, struct bzimage *b, struct err *err)
{
	const size_t version_end = offsetof(struct setup_header, version) + sizeof(b->h.version) + SETUP_HEADER;
	size_t end, least;

	if (!bzimage_probe(file))
		return no_bzimage(file, err);
	if (file->size < version_end)
		return err_set(err, ENOEXEC, "truncated: %zu bytes end inside the setup header", file->size);
	memcpy(&b->h, file->data + SETUP_HEADER, version_end - SETUP_HEADER);
	if (b->h.version < VERSION_MIN)
		return err_set(err, ENOEXEC, "boot protocol %u.%02u is too old: 2.06 or later is needed",
			       b->h.version >> 8, b->h.version & 0xff);
	end = LENGTH_FROM + b->h.length;
	least = least_end(b->h.version);
	if (end < least)
		return err_set(err, ENOEXEC, "the setup header says that it ends at 0x%zx, where protocol %u.%02u has 0x%zx "
			       "at least", end, b->h.version >> 8, b->h.version & 0xff, least);
	if (end > SETUP_HEADER_END)
		end = SETUP_HEADER_END;
	if (file->size < end)
		return err_set(err, ENOEXEC, "truncated: %zu bytes end inside the setup header", file->size);
	b->header_size = end - SETUP_HEADER;
	memcpy(&b->h, file->data + SETUP_HEADER, b->header_size < sizeof(b->h) ? b->header_size : sizeof(b->h));
	if (b->h.version < VERSION_XLOAD)
		b->h.xloadflags = 0;
	return 0;
}

static int check_header(const struct bzimage *b, struct err *err)
{
	uint64_t end;

	if (!(b->h.loadflags & LOADED_HIGH))
		return err_set(err, ENOEXEC, "a zImage, which is loaded low; only bzImages can be started");
	if (b->h.version < VERSION_PREF)
		return 0;
	if (b->h.relocatable_kernel && (!b->h.kernel_alignment || b->h.kernel_alignment & (b->h.kernel_alignment - 1)))
		return err_set(err, ENOEXEC, "the setup header's kernel_alignment 0x%x is no power of two",
			       b->h.kernel_alignment);
	if (__builtin_add_overflow(b->h.pref_address, b->h.init_size, &end) || end > 4 * GIB ||
	    b->h.pref_address < LOAD_HIGH)
		return err_set(err, ENOEXEC, "the setup header's pref_address 0x%" PRIx64 " (init_size 0x%x) does not lie "
			       "between 1 MiB and 4 GiB", b->h.pref_address, b->h.init_size);
	if (b->h.relocatable_kernel && b->h.pref_address & (b->h.kernel_alignment - 1))
		return err_set(err, ENOEXEC, "the setup header's pref_address 0x%" PRIx64 " is no multiple of its "
			       "kernel_alignment 0x%x", b->h.pref_address, b->h.kernel_alignment);
	return 0;
}

int bzimage_open(const struct blob *file, struct bzimage *ret, struct err *err)
{
	struct bzimage b = { 0 };
	uint64_t said;
	size_t rest;
	int rc;

	rc = read_header(file, &b, err);
	if (!rc)
		rc = check_header(&b, err);
	if (rc)
		return rc;
	b.setup_size = ((b.h.setup_sects ? b.h.setup_sects : DEFAULT_SECTS) + 1u) * SECTOR;
	if (file->size <= b.setup_size)
		return err_set(err, ENOEXEC, "truncated: the setup code's %zu bytes are all there is, or more than the file's "
			       "%zu", b.setup_size, file->size);
	rest = file->size - b.setup_size;
	said = b.h.syssize * 16ull;
	if (said <= ENTRY_64)
		return err_set(err, ENOEXEC, "the setup header's syssize says %" PRIu64 " bytes, which is no kernel", said);
	/* It is rounded up, and the file need not be. */
	if (said > rest + 15)
		return err_set(err, ENOEXEC, "truncated: the setup header says %" PRIu64 " bytes of kernel, and the file has "
			       "%zu", said, rest);
	b.code = file->data + b.setup_size;
	b.code_size = said < rest ? (size_t)said : rest;
	if (b.h.version >= VERSION_PAYLOAD &&
	    (b.h.payload_offset > b.code_size || b.h.payload_length > b.code_size - b.h.payload_offset))
		return err_set(err, ENOEXEC, "the setup header's payload (0x%x bytes at 0x%x) does not lie in the kernel's "
			       "0x%zx bytes", b.h.payload_length, b.h.payload_offset, b.code_size);
	*ret = b;
	return 0;
}

uint64_t bzimage_load_address(const struct bzimage *b)
{
	return b->h.version >= VERSION_PREF && b->h.relocatable_kernel ? b->h.pref_address : LOAD_HIGH;
}

int bzimage_place(const struct bzimage *b, uint64_t address, struct layout *l, struct gmem *g, struct err *err)
{
	uint64_t end = address + b->code_size;
	int rc;

	/* Where it moves to, unless it is there. */
	if (b->h.version >= VERSION_PREF && b->h.pref_address + b->h.init_size > end)
		end = b->h.pref_address + b->h.init_size;
	rc = layout_add(l, address, end - address, "the kernel, with what it unpacks to", err);
	if (!rc)
		gmem_write(g, address, b->code, b->code_size);
	return rc;
}

int bzimage_unpack(const struct bzimage *b, uint64_t limit, struct blob *ret, struct err *err)
{
	uint32_t off = b->h.payload_offset, len = b->h.payload_length, want;
	const char *format;
	uint8_t *data;
	int rc;

	if (b->h.version < VERSION_PAYLOAD || !len)
		return err_set(err, ENOEXEC, "the setup header does not say where the compressed kernel is (--decompress)");
	if (len <= sizeof(want))
		return err_set(err, ENOEXEC, "the setup header's payload has %u bytes, which is no kernel (--decompress)", len);
	/* The last four bytes are the size; for gzip they are part of the stream. */
	memcpy(&want, b->code + off + len - sizeof(want), sizeof(want));
	format = decompress_format(b->code + off, len);
	/* It unpacks itself into that; and without a bound a little data could become as much as we would wait for. */
	if (format && b->h.version >= VERSION_PREF && want > b->h.init_size)
		return err_set(err, ENOEXEC, "--decompress: the kernel would have %u bytes, more than its init_size 0x%x", want,
			       b->h.init_size);
	if (format && want > limit)
		return err_set(err, ENOSPC, "--decompress: the kernel has %u bytes, more than guest RAM (more memory: -m)",
			       want);
	if (format && strcmp(format, "gzip"))
		len -= (uint32_t)sizeof(want);
	rc = decompress(b->code + off, len, want, &data, err);
	if (rc)
		return err_prefix(err, rc, "--decompress");
	*ret = (struct blob){ .data = data, .size = want };
	return 0;
}
