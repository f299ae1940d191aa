#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Analyses the program's sources by whichever of gcc, cppcheck and clang-tidy there is; `make analyse`.  What is not there is said.
# $srcdir: the tree; $builddir: where config.h is; $CC; $JOBS: how many at once (2).  Status 1: something was found.
set -u
cd "${srcdir:-.}" || exit 2
build=${builddir:-.}
jobs=${JOBS:-2}
flags="-std=gnu11 -D_GNU_SOURCE -Isrc -I. -I$build"
# Where the scripts are, as the makefile has it: some string.
flags="$flags -DGV_BUILD_DIR=__FILE__ -DGV_SOURCE_DIR=__FILE__ -DGV_DATA_DIR=__FILE__"
tools=0 found=0

# Prints what FILE holds, of tool NAME, and counts it.
judge() {
	n=$(grep -cE '(warning|error|portability|performance): ' "$2")
	[ "$n" -eq 0 ] || cat "$2"
	echo "analyse: $1: $n findings, $(($(date +%s) - began)) s"
	tools=$((tools + 1)) found=$((found + n))
	rm -f "$2"
	began=$(date +%s)
}

# Those of another architecture are compiled by make check-arch alone.
sources() {
	find src gdbstub monitor -name '*.c' ! -path '*/ppc/*' | sort
}

skip() {
	echo "analyse: SKIP $1: $2"
}

log=$(mktemp) || exit 2
began=$(date +%s)
# What gcc 12 says in vain here: it loses what goes into a list or table by another function (leaks: tests/faults counts them), what
# another function fills (uninitialized), that a look-up cannot miss (NULL), and what a vector's element is promoted to (shifts).
gcc_not="-Wno-analyzer-malloc-leak -Wno-analyzer-use-of-uninitialized-value -Wno-analyzer-null-dereference"
gcc_not="$gcc_not -Wno-analyzer-possible-null-dereference -Wno-analyzer-null-argument -Wno-analyzer-shift-count-overflow"

if ${CC:-gcc} -fanalyzer -x c -c -o /dev/null /dev/null 2>/dev/null; then
	sources | grep -v '^src/util/err.c$' |
		xargs -P"$jobs" -n1 ${CC:-gcc} $flags -include tests/analyse/err.h -O1 -fanalyzer $gcc_not -c -o /dev/null >"$log" 2>&1
	judge "gcc -fanalyzer" "$log"
else
	skip "gcc -fanalyzer" "${CC:-gcc} has none"
fi

if command -v cppcheck >/dev/null; then
	# Its configuration has no jansson; these are its macros.
	cppcheck -q -j"$jobs" --std=c11 --enable=warning,performance,portability --inline-suppr \
		--suppressions-list=tests/analyse/cppcheck.txt -Isrc -I. -D_GNU_SOURCE -D__x86_64__ -D__linux__ \
		--include=tests/analyse/jansson.h \
		--template='{file}:{line}: {severity}: {message} [{id}]' -i src/arch/ppc -i monitor/ppc src gdbstub monitor >"$log" 2>&1
	judge cppcheck "$log"
else
	skip cppcheck "not installed"
fi

if command -v clang-tidy >/dev/null; then
	sources | grep -v '^src/util/err.c$' |
		xargs -P"$jobs" -n4 sh -c 'clang-tidy --quiet "$@" -- -include tests/analyse/err.h '"$flags" clang-tidy >"$log" 2>/dev/null
	judge clang-tidy "$log"
else
	skip clang-tidy "not installed"
fi
rm -f "$log"
echo "analyse: $found findings by $tools of 3 analysers"
echo "# NUMBERS: analysers: $tools"
echo "# NUMBERS: findings of analysers: $found"
[ "$found" -eq 0 ]
