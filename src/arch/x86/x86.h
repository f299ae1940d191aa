/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bits and numbers of the architecture that many files need (Intel SDM vol. 1, 3.4.3; vol. 3, 2.2.1 and 2.5; vol. 4). */
#ifndef GV_X86_X86_H
#define GV_X86_X86_H

#define RFLAGS_TF       (1ull << 8)
#define RFLAGS_RF       (1ull << 16)
#define RFLAGS_VM       (1ull << 17)
#define CR0_PE          (1ull << 0)
#define CR0_PG          (1ull << 31)
#define EFER_LMA        (1ull << 10)
#define MSR_LSTAR       0xc0000082u

#endif
