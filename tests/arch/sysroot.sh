#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# sysroot.sh ARCH DIR: Debian's libraries for ARCH (ppc64el, arm64: dpkg's names), unpacked in DIR/root, to compile and to run against.
# Nothing is installed, no architecture is added to the machine, and root is not needed: apt has state of its own in DIR.  What is
# there stays until the list below changes.  Status 77, with one line that says why, where it cannot be had.
set -u
arch=$1
dir=$2
packages="libc6-dev linux-libc-dev libuv1-dev libreadline-dev libelf-dev libdw-dev libzydis-dev libjansson-dev zlib1g-dev
	libzstd-dev liblzma-dev liblz4-dev libseccomp-dev check libsubunit-dev"
# Those who made it, and what of: another list makes it anew.
key="$arch 1 $(echo $packages)"

skip() {
	echo "$*"
	exit 77
}

mkdir -p "$dir" || exit 99
dir=$(cd "$dir" && pwd)
[ "$(cat "$dir/made" 2>/dev/null)" = "$key" ] && exit 0
for tool in apt-get dpkg-deb realpath; do
	command -v $tool >/dev/null || skip "no $tool here"
done

rm -rf "$dir/made" "$dir/root" "$dir/debs"
mkdir -p "$dir/root" "$dir/lists/partial" "$dir/cache" "$dir/debs/partial" || exit 99
: >"$dir/status"
apt() {
	apt-get -qq -o APT::Architecture="$arch" -o APT::Architectures::="$arch" -o APT::Sandbox::User="$(id -un)" \
		-o APT::Get::List-Cleanup=false -o Acquire::http::Timeout=20 -o Acquire::Retries=1 -o Acquire::Languages=none \
		-o Dir::State="$dir" -o Dir::State::Lists="$dir/lists" -o Dir::State::status="$dir/status" \
		-o Dir::Cache="$dir/cache" -o Dir::Cache::Archives="$dir/debs" -o Debug::NoLocking=1 "$@" </dev/null >"$dir/log" 2>&1
}
# A source that is of another architecture alone is no reason to give up: whether the packages are there, install says.
apt update
# shellcheck disable=SC2086  # a list
apt install -y --no-install-recommends --download-only $packages ||
	skip "no packages for $arch: $(grep -m1 '^E:' "$dir/log" || tail -n 1 "$dir/log")"
for deb in "$dir"/debs/*.deb; do
	dpkg-deb -x "$deb" "$dir/root" || skip "$deb cannot be unpacked"
done
# Links to /lib/... are to the machine's own files until they are relative.
find "$dir/root" -type l -lname '/*' | while IFS= read -r link; do
	ln -sfn "$(realpath -m --relative-to="${link%/*}" "$dir/root$(readlink "$link")")" "$link" || exit 99
done || exit 99
rm -rf "$dir/debs" "$dir/lists" "$dir/cache"
echo "$key" >"$dir/made"
