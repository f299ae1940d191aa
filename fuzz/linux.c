/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Linux: bzImages, vmlinux files and PVH notes, as they are or unpacked. */
#include "fuzz/loader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = { data, size };

	loader_run(&in, IMAGE_LINUX);
	return 0;
}
