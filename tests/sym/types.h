/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Types that check_dwarf.c asks debugging information about, and knows from here itself. */
#ifndef GV_TESTS_SYM_TYPES_H
#define GV_TESTS_SYM_TYPES_H

struct sym_inner {
	int a;
	struct {
		short b, c;
	} named;
	union {
		long d;
		char e[3];
	};
};

/* Its definition is in two.c alone. */
struct sym_elsewhere;

struct sym_outer {
	char first;
	struct sym_inner in;
	struct sym_outer *next;
	unsigned f : 3, g : 7;
	unsigned long long h : 40;
	struct {
		char before;
		struct {
			char deep;
		};
	};
	struct sym_elsewhere *far;
	int table[4][5];
	char text[16];
	const volatile struct sym_inner fixed;
	int open[];
};

typedef struct sym_outer sym_outer_t;
typedef const sym_outer_t sym_again_t;
typedef struct {
	int pad, only;
} sym_unnamed_t;

union sym_both {
	int number;
	struct {
		char low, high;
	} part;
};

enum sym_colour { SYM_RED = -1, SYM_GREEN = 7, SYM_BIG = 0x7fffffff };

#endif
