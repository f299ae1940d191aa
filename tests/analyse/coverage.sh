#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# make coverage: a build of its own with gcc's --coverage, the tests named, and what they did not come by.
#
#   coverage.sh SOURCES BUILD TEST...    both absolute; BUILD is a build directory of its own, made when missing
#
# Of the tests these are run: all but gdb's sessions, which take long and reach little more, boots, and gates by counts and time.
#
# $JOBS: how many tests at once (one a processor).  BUILD/coverage.txt has percent per directory and source, BUILD/errors.txt the
# lines of error paths that no test came by.  Counts are those of this run alone.  A test that failed is said, and the status; the
# report is made all the same.
set -eu

sources=$1
build=$2
shift 2
jobs=${JOBS:-$(getconf _NPROCESSORS_ONLN)}
make=${MAKE:-make}

if ! command -v gcov >/dev/null; then
	echo "coverage: SKIPPED: no gcov here"
	exit 0
fi
mkdir -p "$build"
cd "$build"
tests=
for t; do
	case $t in
	*.sh | tests/cli/bench.py | tests/cli/start.py | tests/cli/sandbox.py | tests/cli/readme.py) ;;
	tests/check_* | tests/kvm_* | tests/faults/* | tests/rsp/* | tests/monitor/* | tests/cli/*) tests="$tests $t" ;;
	esac
done
# Not with the sandbox: gcov opens its files at a process's end.  The tests of faults end theirs by _exit(), and dump first.
[ -e Makefile ] || "$sources/configure" -q --without-seccomp --disable-hardening CFLAGS='-g -O0 --coverage' \
	LDFLAGS='-Wl,-u,__gcov_dump'
# In a recursive make's place: neither its options nor its job server.
unset MAKEFLAGS MFLAGS MAKELEVEL
"$make" -s -j"$jobs" check TESTS=
find . -name '*.gcda' -delete
# -O0 and counting take their time.
CK_TIMEOUT_MULTIPLIER=10
export CK_TIMEOUT_MULTIPLIER
status=0
"$make" -s -j"$jobs" check TESTS="$tests" >check.log 2>&1 || status=$?
grep -E '^# (TOTAL|PASS|SKIP|FAIL|ERROR):|^(FAIL|ERROR):' check.log || tail -n 20 check.log
"${PYTHON3:-python3}" "$sources/tests/analyse/coverage.py" "$sources" "$build"
[ "$status" -eq 0 ] || echo "coverage: tests failed, see $build/check.log"
exit "$status"
