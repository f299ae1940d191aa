/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit.h"

#include <stdio.h>

int unit_main(Suite *s)
{
	SRunner *r = srunner_create(s);

	srunner_set_tap(r, "-");
	srunner_run_all(r, CK_SILENT);
	srunner_free(r);
	return 0;
}

int unit_skip_all(const char *reason)
{
	printf("1..0 # SKIP %s\n", reason);
	return 0;
}
