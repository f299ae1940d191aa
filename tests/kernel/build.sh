#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Builds the small Linux of check-kernel, and what runs on it, and prints the directory that it is in:
#
#     vmlinux, vmlinux-gdb.py, bzImage, initramfs.cpio, spin, gvmod.ko
#
# The kernel is built once for each of its configuration, sources and compiler, in ${GV_KERNEL_CACHE:-$XDG_CACHE_HOME/
# gdbvisor-kernel}, where it needs 2 GB; the rest in seconds, whenever its sources have changed.  GV_KERNEL_SOURCE names
# another tarball of Linux 6.1 than Debian's linux-source-6.1, GV_KERNEL_JOBS how many jobs make runs.
set -eu -o pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=${GV_KERNEL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/gdbvisor-kernel}
tarball=${GV_KERNEL_SOURCE:-/usr/src/linux-source-6.1.tar.xz}
jobs=${GV_KERNEL_JOBS:-2}

fail() {
	echo "build.sh: $*" >&2
	exit 1
}

[ -r "$tarball" ] || fail "$tarball: not there (install linux-source-6.1, or set GV_KERNEL_SOURCE)"
for tool in gcc make flex bison bc perl lz4c busybox readelf; do
	command -v $tool > /dev/null || fail "$tool: not installed"
done
busybox=$(command -v busybox)
if readelf -l "$busybox" | grep -q INTERP; then
	fail "$busybox: not linked statically (install busybox-static)"
fi

mkdir -p "$cache"
exec 9> "$cache/lock"
flock 9

# What the kernel depends on: a number here is to be raised when the commands below change.
key=$({ echo 1; cat "$here/config"; stat -c '%s %Y' "$tarball"; gcc -dumpfullversion -dumpmachine; } | sha256sum | cut -c 1-12)
src=$cache/source-$(stat -c '%s-%Y' "$tarball")
out=$cache/linux-$key
log=$out.log

export KBUILD_BUILD_TIMESTAMP=2020-01-01 KBUILD_BUILD_USER=gdbvisor KBUILD_BUILD_HOST=gdbvisor

if [ ! -e "$src/.complete" ]; then
	rm -rf "$src"
	mkdir -p "$src"
	tar -xf "$tarball" -C "$src" --strip-components=1
	touch "$src/.complete"
fi
if [ ! -e "$out/.complete" ]; then
	mkdir -p "$out"
	{
		make -C "$src" O="$out" KCONFIG_ALLCONFIG="$here/config" allnoconfig
		while read -r line; do
			case $line in
			CONFIG_*)	grep -qxF "$line" "$out/.config" ;;
			"# CONFIG_"*)	! grep -q "^$(echo "$line" | cut -d ' ' -f 2)=" "$out/.config" ;;
			esac || fail "this Linux has it otherwise: $line"
		done < "$here/config"
		nice -n 5 make -C "$src" O="$out" -j "$jobs" all
	} > "$log" 2>&1 < /dev/null || fail "Linux is not built: $(tail -n 3 "$log" | tr '\n' ' ') (see $log)"
	ln -sf arch/x86/boot/bzImage "$out/bzImage"
	touch "$out/.complete"
fi

guest=$out/guest
stamp=$(cat "$here"/build.sh "$here"/guest/* "$busybox" | sha256sum)
if [ "$(cat "$guest/stamp" 2> /dev/null)" != "$stamp" ]; then
	rm -rf "$guest"
	mkdir -p "$guest"
	{
		cp "$here"/guest/* "$guest"
		echo "obj-m := gvmod.o" > "$guest/Kbuild"
		make -C "$out" M="$guest" modules
		gcc -O1 -g -static -nostdlib -fno-pie -no-pie -fno-stack-protector -fcf-protection=none \
			-o "$guest/spin" "$guest/spin.c"
		GUEST=$guest BUSYBOX=$busybox "$out/usr/gen_init_cpio" "$guest/files" > "$guest/initramfs.cpio"
	} > "$guest/log" 2>&1 < /dev/null || fail "the guest's files are not built: $(tail -n 3 "$guest/log" | tr '\n' ' ')"
	ln -sf guest/initramfs.cpio guest/spin guest/gvmod.ko "$out"
	echo "$stamp" > "$guest/stamp"
fi
echo "$out"
