#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# make check-arch: the neutral parts built for other architectures and their unit tests run there by qemu-user; then, on this host, what
# holds the seam together: neutral code without src/arch (tests/check_neutral.sh), memory slots on the fake hosts.  Speaks TAP; what
# cannot be had is skipped with its reason.  Below arch-build/ in the build directory, where the next run finds what is up to date.
# Takes srcdir, builddir and MAKE from the environment; ARCHES="aarch64" builds that alone, JOBS at once (one a processor).
top=$(cd "${srcdir:-.}" && pwd)
build=$(cd "${builddir:-.}" && pwd)
MAKE=${MAKE:-make}
JOBS=${JOBS:-$(nproc)}
ARCHES=${ARCHES:-powerpc64le aarch64}
here=$build/arch-build
count=0
bad=0
numbers=

# The PC's devices are compiled elsewhere, and nothing there has them; their tests have long random sessions.
PC=" check_flash check_flash_file check_i8042 check_ps2kbd check_vga check_pic check_pic_state check_pit check_pit_modes check_chipset \
check_pm check_pc check_cmos check_fw_cfg check_fw_cfg_dma check_ide check_ide_channel check_ide_dma check_ide_state check_atapi \
check_bios check_pcboot "

# point NAME WHAT-IS-WRONG
point() {
	count=$((count + 1))
	if [ -z "$2" ]; then
		echo "ok $count - $1"
	else
		bad=$((bad + 1))
		echo "not ok $count - $1"
		printf '%s\n' "$2" | tail -n 30 | sed 's/^/# /'
	fi
}

skip() {
	count=$((count + 1))
	echo "ok $count - $1 # SKIP $2"
	numbers="$numbers# NUMBERS: $1: none, SKIPPED: $2
"
}

# What of an architecture has another name elsewhere: Debian's, and qemu's.
debian_name() { case $1 in powerpc64le) echo ppc64el ;; aarch64) echo arm64 ;; esac; }
qemu_name() { case $1 in powerpc64le) echo qemu-ppc64le ;; *) echo "qemu-$1" ;; esac; }

# The results of the tests whose .trs files stand in DIRECTORY: a point a program, and their sum in $ran.
results() {
	ran=0
	for program in $2; do
		trs=$1/$program.trs
		passed=$(grep -c '^:test-result: PASS' "$trs" 2>/dev/null)
		wrong=$(grep -E '^:test-result: (FAIL|ERROR|XPASS)' "$trs" 2>/dev/null)
		skipped=$(grep -m1 '^:test-result: SKIP' "$trs" 2>/dev/null)
		[ -e "$trs" ] || wrong="it did not run"
		if [ -z "$wrong" ] && [ "${passed:-0}" = 0 ]; then
			[ -n "$skipped" ] && skip "$3: $program" "${skipped#:test-result: SKIP}" && continue
			wrong="it ran no test"
		fi
		[ -z "$wrong" ] || wrong="$wrong
$(grep -A3 '^not ok' "$1/$program.log" 2>/dev/null)"
		point "$3: $program, ${passed:-0} tests" "$wrong"
		ran=$((ran + ${passed:-0}))
	done
}

# The value of a variable of DIRECTORY's Makefile.
value_of() {
	(cd "$1" && $MAKE -s Makefile >/dev/null 2>&1)
	printf 'include Makefile\ngv-value:\n\t@echo $(%s)\n' "$2" | (cd "$1" && $MAKE -s -f - gv-value)
}

foreign() {
	cpu=$1
	what="tests on $cpu under qemu"
	tuple=$cpu-linux-gnu
	qemu=$(qemu_name "$cpu")
	for tool in "$tuple-gcc" "$qemu"; do
		command -v "$tool" >/dev/null && continue
		skip "$what" "$tool is not installed (Debian: gcc-$tuple, qemu-user)"
		return
	done
	dir=$here/$cpu
	mkdir -p "$dir/build" || exit 99
	reason=$(sh "$top/tests/arch/sysroot.sh" "$(debian_name "$cpu")" "$dir/sysroot")
	case $? in
	0) ;;
	77) skip "$what" "$reason"; return ;;
	*) point "libraries for $cpu" "${reason:-sysroot.sh failed}"; return ;;
	esac
	root=$dir/sysroot/root
	if [ ! -e "$dir/build/Makefile" ]; then
		wrong=$(cd "$dir/build" && "$top/configure" -q --enable-werror --host="$tuple" CC="$tuple-gcc --sysroot=$root" 2>&1 >/dev/null) ||
			{ rm -f "$dir/build/Makefile"; point "configure for $cpu" "${wrong:-it failed}"; return; }
	fi
	log=$dir/build.log
	(cd "$dir/build" && $MAKE -k -j"$JOBS" all; $MAKE -k -j"$JOBS" $(value_of . check_PROGRAMS)) >"$log" 2>&1
	point "everything builds for $cpu" "$(grep -E 'error:|undefined|\*\*\*' "$log")"
	programs=$(value_of "$dir/build" bin_PROGRAMS)
	for program in $programs; do
		point "$cpu: $program starts" "$("$qemu" -L "$root" "$dir/build/$program" --version 2>&1 >/dev/null || echo "status $?")"
	done
	[ -n "$programs" ] || echo "# $cpu has no src/arch: its build has no program"
	tests=
	for program in $(value_of "$dir/build" TESTS); do
		case $PC in *" ${program##*/} "*) ;; *) tests="$tests $program" ;; esac
	done
	(cd "$dir/build" && find tests -name '*.trs' -delete &&
		CK_EXCLUDE_TAGS=long CK_TIMEOUT_MULTIPLIER=10 $MAKE -k -j"$JOBS" check-TESTS TESTS="$tests" LOG_COMPILER="$qemu -L $root") >"$dir/check.log" 2>&1
	results "$dir/build" "$tests" "$cpu"
	numbers="$numbers# NUMBERS: $what: $ran
"
}

for cpu in $ARCHES; do
	foreign "$cpu"
done

native="tests/check_neutral.sh tests/check_rma tests/check_slot_faults tests/kvm_fake"
for test in $native; do
	rm -f "$build/${test%.sh}.trs"
done
(cd "$build" && $MAKE -k -j"$JOBS" check-TESTS TESTS="$native") >"$here/native.log" 2>&1
results "$build" "$(echo "$native" | sed 's/\.sh//')" "this host"
numbers="$numbers# NUMBERS: tests of the seam on this host: $ran
"
printf '%s' "$numbers"
echo "1..$count"
[ $bad = 0 ]
