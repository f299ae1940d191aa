/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * vCPUs for the KVM of our making (fake_kvm.h): PowerPCs in real mode that know addi, addis, ori, b, lwz, stw and sc 1, with
 * KVM's ways to their registers, to stop them, and to debug them.  One thread a vCPU may run it.
 */
#ifndef GV_TESTS_FAKE_PPC_H
#define GV_TESTS_FAKE_PPC_H

#include "tests/fake_kvm.h"

#define FAKE_PPC_TRAP 0x7fff003fu       /* not the oldest one: it has to be asked for */

extern const struct fake_cpus fake_ppc;

#endif
