/* SPDX-License-Identifier: GPL-3.0-or-later */
/* UEFI's variables: where they come from, and where they stay. */
#include <errno.h>
#include <stdlib.h>

#include "dev/flash.h"
#include "arch/x86/board.h"
#include "arch/x86/machine_x86.h"
#include "load/bios.h"

#define ROM_END (1ull << 32)    /* gpa */

/* Opens the file of UEFI's variables, and reads it: *RET is the caller's to free. */
static int open_nvram(struct machine_kvm *k, const struct disk_spec *spec, uint8_t **ret, struct err *err)
{
	size_t code = k->image.file.size, size, at, n;
	int r = disk_open(spec, k->dev_host.wake, k, &k->vm.arch->nvram, err);

	if (r == -EACCES)
		return err_set(err, EACCES, "%s: may not be written; with `,snapshot` it need not be", spec->path);
	if (r)
		return r;
	size = disk_info(k->vm.arch->nvram)->size;
	if (bios_variables(&k->image.file))
		return err_set(err, EINVAL, "%s: the firmware, %s, has its variables inside", spec->path,
			       k->image.file.path);
	/* Firmware that is built for another size would not find them, and say nothing. */
	if (size % FLASH_BLOCK || size > BIOS_MAX || ((size + code) & (size + code - 1)))
		return err_set(err, EINVAL, "%s: %zu bytes of variables do not go with firmware of %zu: both make no "
			       "flash memory of 2^n bytes", spec->path, size, code);
	*ret = malloc(size);
	if (!*ret)
		return err_set(err, ENOMEM, "%s: no memory for it", spec->path);
	for (at = 0; at < size && !r; at += n) {
		n = size - at < DISK_REQUEST_MAX ? size - at : DISK_REQUEST_MAX;
		r = disk_begin(k->vm.arch->nvram, DISK_READ, at, *ret + at, n);
		if (!r)
			r = disk_wait(k->vm.arch->nvram);
	}
	if (!r)
		return 0;
	free(*ret);
	*ret = NULL;
	return err_errno(err, -r, "%s", spec->path);
}

/* Flash memory for UEFI's variables: those in the file, or in the firmware, which are then forgotten in the end. */
int nvram_attach(struct machine_kvm *k, const struct disk_spec *nvram, struct err *err)
{
	const struct blob *firmware = &k->image.file;
	struct flash_spec spec = {
		.gpa = ROM_END - firmware->size, .data = firmware->data, .size = bios_variables(firmware),
	};
	uint8_t *data = NULL;
	int r;

	if (nvram && open_nvram(k, nvram, &data, err)) {
		err->code = EBADF;
		return -EBADF;
	}
	if (nvram)
		spec = (struct flash_spec){ .gpa = spec.gpa - disk_info(k->vm.arch->nvram)->size, .data = data,
					    .size = disk_info(k->vm.arch->nvram)->size, .disk = k->vm.arch->nvram };
	if (!spec.size)
		return 0;
	r = flash_attach(k->vm.bus, &spec, &k->vm.arch->flash, err);
	free(data);
	return r ? r : board_set_flash(k->vm.arch->board, k->vm.arch->flash, spec.gpa, spec.size, err);
}

void nvram_sync(struct machine_kvm *k)
{
	/* If the file does not take it, that was said before. */
	if (k->vm.arch->flash)
		flash_sync(k->vm.arch->flash, NULL);
}
