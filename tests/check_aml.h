/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The encoder's tests, a part of check_acpi. */
#ifndef GV_TESTS_CHECK_AML_H
#define GV_TESTS_CHECK_AML_H

#include <check.h>

TCase *aml_case(void);

#endif
