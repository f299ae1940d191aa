#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# What is not of an architecture compiles without one: a copy of it in which src/arch is not there, with this host's compiler and
# with those for other architectures that are installed (Debian: gcc-powerpc64le-linux-gnu, gcc-aarch64-linux-gnu).  What src/api is
# told of an architecture, its desc.c, does so everywhere, too: unit tests of the stub run with it on any host.
top=$(cd "${srcdir:-.}" && pwd)
build=$(cd "${builddir:-.}" && pwd)
CC=${CC:-gcc}
scratch=$(mktemp -d) || exit 99
trap 'rm -rf "$scratch"' EXIT
count=0

# Of libraries these alone: the rest of the host's headers are not the other architecture's.
LIBRARIES="jansson.h jansson_config.h uv.h uv readline"

copy=$scratch/tree
mkdir -p "$copy/src" "$copy/monitor" "$scratch/include"
for dir in api util break mem; do
	cp -R "$top/src/$dir" "$copy/src/$dir" || exit 99
done
cp -R "$top/gdbstub" "$copy/gdbstub" || exit 99
cp "$top"/monitor/*.[ch] "$copy/monitor/" || exit 99
for name in $LIBRARIES; do
	for dir in /usr/local/include /usr/include /usr/include/*-linux-gnu; do
		[ -e "$dir/$name" ] && [ ! -e "$scratch/include/$name" ] && ln -s "$dir/$name" "$scratch/include/$name"
	done
done
# shellcheck disable=SC2046  # file names of the tree hold no blanks
set -- $(cd "$copy" && find src/api src/util src/break gdbstub monitor -name '*.c' | sort)

# compile COMPILER FILE...: what is wrong with them
compile() {
	compiler=$1
	shift
	# shellcheck disable=SC2086  # it may hold options
	(cd "$copy" && $compiler -std=gnu11 -D_GNU_SOURCE -Isrc -I. -I"$build" -idirafter "$scratch/include" -Wall -Wextra -Werror \
		-fsyntax-only "$@" 2>&1) || echo "($compiler)"
}

# The code of the files, without comments, where it has a word that only one architecture knows.
words() {
	for file; do
		$CC -fpreprocessed -dD -E -P -x c "$copy/$file" 2>&1 |
			grep -nE '\b(X86_[A-Z0-9_]+|PPC_[A-Z0-9_]+|cr[0348]|[re]ip|[re]sp|[re]bp|cpl|efer|srr[01]|msr_[a-z]+)\b' |
			sed "s|^|$file: |"
	done
}

# point NAME WHAT-IS-WRONG
point() {
	count=$((count + 1))
	if [ -z "$2" ]; then
		echo "ok $count - $1"
	else
		echo "not ok $count - $1"
		echo "$2" | head -40 | sed 's/^/# /'
	fi
}

point "$# files, among them some of each part" "$([ $# -gt 100 ] || echo "$@")"
point "no code there has a word of one architecture's" "$(words "$@" $(cd "$copy" && find src/api src/break gdbstub monitor -name '*.h'))"
for compiler in "$CC" powerpc64le-linux-gnu-gcc aarch64-linux-gnu-gcc; do
	if [ "$compiler" != "$CC" ] && ! command -v "$compiler" >/dev/null; then
		count=$((count + 1))
		echo "ok $count - compiles with $compiler # SKIP $compiler IS NOT INSTALLED: nothing was compiled with it"
		continue
	fi
	point "compiles without src/arch with $compiler" "$(compile "$compiler" "$@")"

	point "each architecture's description compiles with $compiler" "$(compile "$compiler" -I"$top/src" "$top"/src/arch/*/desc.c \
		$(find "$top/src/arch" -name regbits.c))"

	# the test itself: files that break the rule are seen
	bad=monitor/bad.c
	for line in '#include "arch/x86/x86_regs.h"' '#include "arch/x86/insn/insn.h"' 'int bad = X86_RIP;'; do
		printf '#include "api/machine.h"\n%s\n' "$line" >"$copy/$bad"
		point "$compiler: '$line' would be seen" "$([ -n "$(compile "$compiler" $bad)" ] || echo "it was not")"
	done
	rm "$copy/$bad"
done
printf 'int f(int cr3) { return cr3; }\n/* rip */\n' >"$copy/monitor/bad.c"
point "a word would be seen, and not in a comment" "$([ "$(words monitor/bad.c | wc -l)" = 1 ] || words monitor/bad.c)"
echo "1..$count"
