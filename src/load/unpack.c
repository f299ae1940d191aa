/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "load/load.h"

#include <errno.h>

#include "load/decompress.h"
#include "load/linux.h"

int image_unpack(const struct image *im, struct blob *ret, struct err *err)
{
	struct bzimage b;
	int rc;

	if (!bzimage_probe(&im->file))
		return err_set(err, ENOEXEC, "%s: no bzImage", im->file.path);
	rc = bzimage_open(&im->file, &b, err);
	return rc ? rc : bzimage_unpack(&b, DECOMPRESS_MAX, ret, err);
}
