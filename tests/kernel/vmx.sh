#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Makes a directory of what the sessions of check-kernel need on another host: usage: vmx.sh BUILD-DIRECTORY DIRECTORY.  Its
# run.sh, run there as root, says how long gdbvisor needs to a shell, with 1 and 4 processors.  Debian's kernel is in it if it
# is installed here.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=${1:?usage: vmx.sh BUILD-DIRECTORY DIRECTORY}
to=${2:?usage: vmx.sh BUILD-DIRECTORY DIRECTORY}
kernel=${GV_KERNEL:-$("$here/build.sh")}

mkdir -p "$to"
cp "$build/gdbvisor" "$to"
cp -L "$kernel/bzImage" "$kernel/initramfs.cpio" "$to"
debian=$(ls /boot/vmlinuz-6.*-cloud-amd64 2> /dev/null | tail -n 1)
[ -z "$debian" ] || cp "$debian" "$to/debian"
cat > "$to/run.sh" <<'RUN'
cd "$(dirname "$0")"
boot() {
	name=$1 cpus=$2
	shift 2
	before=$(cut -d ' ' -f 1 /proc/uptime)
	{ echo continue; echo 'expect "gv# " 900'; echo 'serial send echo $((6*7)) answered\n'
	  echo 'expect "42 answered" 100'; echo 'quit'; } > script
	if ./gdbvisor -g none -s file:serial -k linux -m 256M -c "$cpus" -i initramfs.cpio -x script "$@" > said 2>&1; then
		after=$(cut -d ' ' -f 1 /proc/uptime)
		echo "$name, $cpus CPU: $(echo "$before $after" | awk '{ print $2 - $1 }') s to a shell's answer"
	else
		echo "$name, $cpus CPU: no shell: $(tail -n 1 said)"
		tail -n 5 serial
	fi
}
for cpus in 1 4; do
	boot small $cpus -a "console=ttyS0" --decompress bzImage
	boot packed $cpus -a "console=ttyS0" bzImage
	[ ! -e debian ] || boot debian $cpus -a "console=ttyS0 nowatchdog" --decompress debian
done
RUN
