#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# make check-asan, make check-tsan: tests with sanitizers watching the program, in a build directory of its own.
#
#   run.sh KIND SOURCES BUILD TEST...
#
# KIND is asan (with UBSan and the leak detector) or tsan; SOURCES and BUILD are absolute, the build is BUILD/KIND-build.  What
# sanitizers report is a failed test: a program ends at the first one.  SANITIZE_JOBS (one a processor) tests at once;
# SANITIZE_TESTS in place of the table's.  Where the compiler has no such sanitizer nothing is done, and said so.
set -eu
kind=$1 sources=$2 build=$3/$1-build
shift 3
jobs=${SANITIZE_JOBS:-$(getconf _NPROCESSORS_ONLN)}

# Tests without it: a pattern and the reason.
left_out() {
	case $kind in
	asan) cat <<-'TABLE' ;;
		tests/check_docs.sh     no program runs
		tests/check_layers.sh   no program runs
		tests/counts/*          sanitizers change what is counted
		tests/cli/bench.py      what it runs is not the program
		tests/ci/*              no program runs
		tests/lldb/sessions.py  lldb does not wait for four vCPUs that a busy host and ASan make slow
		tests/boot/loops.py     measures resident memory over minutes of boots, and sanitizers change it
		tests/check_sandbox     such a build has none
	TABLE
	esac
}

# TSan: whatever has threads, which is what knows KVM, the server, the terminal, disks.
threaded="tests/kvm_* tests/check_disk tests/check_server tests/check_server_clients tests/check_serial
	tests/rsp/* tests/cli/breaks.py tests/cli/devices.py tests/cli/virtio.py tests/gdb/smp.py tests/gdb/nonstop.py"

matches() {
	# shellcheck disable=SC2254 # a pattern
	case $1 in $2) return 0 ;; esac
	return 1
}

wanted() {
	if [ "$kind" = tsan ]; then
		set -f
		for p in $threaded; do
			! matches "$1" "$p" || return 0
		done
		return 1
	fi
	! left_out | while read -r p reason; do
		! matches "$1" "$p" || echo "$reason"
	done | grep -q .
}

case $kind in
asan) flags=address,undefined ;;
tsan) flags=thread ;;
*) echo "usage: run.sh asan|tsan SOURCES BUILD TEST..." >&2; exit 64 ;;
esac

# ThreadSanitizer knows fewer layouts of memory than kernels make.
steady=
[ "$kind" = asan ] || ! setarch -R true 2>/dev/null || steady="setarch -R"

mkdir -p "$build"
cd "$build"
if ! printf 'int main(void) { return 0; }\n' | ${CC:-cc} -fsanitize=$flags -x c -o probe - 2>probe.log || ! $steady ./probe 2>>probe.log
then
	echo "$kind: SKIPPED, no program runs with -fsanitize=$flags here: $(tail -n 1 probe.log)"
	exit
fi

tests=${SANITIZE_TESTS-}
if [ -z "$tests" ]; then
	for t; do
		! wanted "$t" || tests="$tests $t"
	done
fi
[ -e Makefile ] || "$sources/configure" -q CC="${CC:-cc}" CFLAGS='-g -O1' --enable-sanitizers=$flags

ASAN_OPTIONS=detect_stack_use_after_return=1:check_initialization_order=1
UBSAN_OPTIONS=print_stacktrace=1
TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1
# For anything that should take a few seconds, or libcheck's four.
GV_DEADLINE=${GV_DEADLINE:-300}
CK_TIMEOUT_MULTIPLIER=${CK_TIMEOUT_MULTIPLIER:-10}
export ASAN_OPTIONS UBSAN_OPTIONS TSAN_OPTIONS GV_DEADLINE CK_TIMEOUT_MULTIPLIER
ulimit -c 0
# In a recursive make's place: neither its options nor its job server.
exec env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL $steady "${MAKE:-make}" -s -k -j"$jobs" VERBOSE=1 check TESTS="$tests"
