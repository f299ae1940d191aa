/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Multiboot kernels, of both versions. */
#include "fuzz/loader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = { data, size };

	loader_run(&in, IMAGE_MULTIBOOT);
	return 0;
}
