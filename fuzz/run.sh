#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# make fuzz: builds the fuzz targets with clang and runs each, with its corpus.
#
#   run.sh SOURCES BUILD    both absolute; BUILD is a build directory of its own, made when missing
#
# FUZZ_SECONDS (60) for each target, FUZZ_JOBS (one a processor) targets at once, FUZZERS (all) which, CLANG (clang).  What a
# run finds worth keeping stays in BUILD/found/TARGET, from which the next one goes on; an input that crashes is kept in
# BUILD/crashes, and the status is 1.  Without a clang that has libFuzzer nothing is done, and said so: status 0, or with
# FUZZ_NEEDED set 1.
set -eu

sources=$1
build=$2
seconds=${FUZZ_SECONDS:-60}
jobs=${FUZZ_JOBS:-$(getconf _NPROCESSORS_ONLN)}
make=${MAKE:-make}

# Bytes of the longest input: where much does not fit into little.
max_len() {
	case $1 in
	session | monitor | unpack) echo 4096 ;;
	elf | multiboot | symbols) echo 16384 ;;
	linux | decompress) echo 32768 ;;
	*) echo 1024 ;;
	esac
}

# Sets clang, or missing: what there is not.
find_clang() {
	missing="no clang"
	for clang in "${CLANG:-clang}" clang-19 clang-18 clang-17 clang-16 clang-15 clang-14; do
		command -v "$clang" >/dev/null || continue
		missing="$clang has no libFuzzer with ASan and UBSan (see $build/probe.log)"
		if printf 'int LLVMFuzzerTestOneInput(const char *d, long n);
				int LLVMFuzzerTestOneInput(const char *d, long n) { return d && n < 0; }\n' |
				"$clang" -fsanitize=fuzzer,address,undefined -x c -o "$build/probe" - 2>"$build/probe.log"; then
			return 0
		fi
	done
	return 1
}

mkdir -p "$build"
if ! find_clang; then
	result="SKIPPED"
	[ -z "${FUZZ_NEEDED-}" ] || result="FAILED (FUZZ_NEEDED is set)"
	echo "fuzz: $result, NOTHING WAS FUZZED: $missing; it needs Debian's packages clang and libclang-rt-dev" >&2
	[ -z "${FUZZ_NEEDED-}" ]
	exit
fi

cd "$build"
if [ ! -e Makefile ]; then
	"$sources/configure" -q CC="$clang" CFLAGS='-g -O1' --enable-sanitizers=fuzzer-no-link,address,undefined
fi
# In a recursive make's place: neither its options nor its job server.
env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL "$make" -s -j"$jobs" fuzz-programs

# Runs one target; its log's last lines say how it went.
run_one() {
	t=$1
	mkdir -p "found/$t" crashes logs
	status=0
	# Not more than this, whatever happens to libFuzzer's own clock.
	timeout -k 10 $((seconds * 2 + 120)) "fuzz/$t" -max_total_time="$seconds" -max_len="$(max_len "$t")" -rss_limit_mb=512 \
		-malloc_limit_mb=1200 -timeout=10 -print_final_stats=1 -artifact_prefix="$build/crashes/$t-" ${FUZZ_FLAGS-} \
		"found/$t" "$sources/fuzz/corpus/$t" >"logs/$t.log" 2>&1 || status=$?
	echo "$status" >"logs/$t.status"
	sed -n 's/^stat::number_of_executed_units: *//p' "logs/$t.log" >"logs/$t.count"
}

ASAN_OPTIONS=quarantine_size_mb=16:allocator_may_return_null=1
UBSAN_OPTIONS=print_stacktrace=1
export ASAN_OPTIONS UBSAN_OPTIONS
ulimit -c 0
started=0
for t in $FUZZERS; do
	rm -f "logs/$t.status" "logs/$t.count"
done
for t in $FUZZERS; do
	run_one "$t" &
	started=$((started + 1))
	[ $((started % jobs)) -ne 0 ] || wait
done
wait

total=0
bad=
for t in $FUZZERS; do
	count=$(cat "logs/$t.count")
	status=$(cat "logs/$t.status")
	edges=$(sed -n 's/.* cov: \([0-9]*\).*/\1/p' "logs/$t.log" | tail -n 1)
	printf 'fuzz: %-14s %10s executions, %6s edges\n' "$t" "${count:-?}" "${edges:-?}"
	total=$((total + ${count:-0}))
	if [ "$status" -ne 0 ] || [ "${count:-0}" -eq 0 ]; then
		bad="$bad $t"
		tail -n 40 "logs/$t.log"
	fi
done
echo "# NUMBERS: fuzz executions: $total"
echo "# NUMBERS: fuzz targets: $(echo "$FUZZERS" | wc -w)"
if [ -n "$bad" ]; then
	echo "fuzz: $total executions, FAILED:$bad; inputs in $build/crashes, logs in $build/logs"
	echo "fuzz: to see one again: $build/fuzz/TARGET $build/crashes/TARGET-..."
	exit 1
fi
echo "fuzz: $total executions of $(echo "$FUZZERS" | wc -w) targets, $seconds s each, no crash"
