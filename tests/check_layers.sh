#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The layering: gdbstub/ and monitor/ reach the machine through src/api/ alone, never each other, never KVM; src/
# knows neither of them, src/main.c apart.  Proved from what the compiler says each file includes.  What is
# of the architecture has its places: src/arch/, and monitor/NAME/, which may know src/arch/NAME's register table.
top=$(cd "${srcdir:-.}" && pwd)
CC=${CC:-gcc}
scratch=$(mktemp -d) || exit 99
trap 'rm -rf "$scratch"' EXIT
count=0

# The headers that the source files $@ reach, each once: those of the tree by their path in it, and KVM's.
headers() {
	for file; do
		# shellcheck disable=SC2086  # CC may hold options
		$CC -std=gnu11 -D_GNU_SOURCE -M -I"$top/src" -I"$top" -I"${builddir:-.}" "$file" || echo "unreadable: $file"
	done | tr -s '\134[:blank:]' '[\n*]' | sed -n -e 's/:$//' -e "s|^$top/||p" -e 's|^.*/\(linux/kvm\.h\)$|\1|p' \
		-e '/^unreadable/p' | grep -v '\.c$' | sort -u
}

# point NAME OFFENDERS
point() {
	count=$((count + 1))
	if [ -z "$2" ]; then
		echo "ok $count - $1"
	else
		echo "not ok $count - $1"
		echo "$2" | sed 's/^/# /'
	fi
}

# outside PATTERN FILE...: the headers of the files that PATTERN does not allow
outside() {
	allowed=$1
	shift
	headers "$@" | grep -Ev "^($allowed)" || true
}

sources() {
	find "$top/$1" -name '*.c' ! -path "$top/src/main.c" | sort
}

neutral_monitor() {
	find "$top/monitor" -maxdepth 1 -name '*.c' | sort
}

# shellcheck disable=SC2046  # file names of the tree hold no blanks
{
	point "gdbstub/ includes its own headers, src/api/ and src/util/ only" \
		"$(outside 'gdbstub/|src/api/|src/util/' $(sources gdbstub))"
	point "monitor/ includes its own headers, src/api/ and src/util/ only, and no architecture's" \
		"$(outside 'monitor/[a-z_]*\.h|src/api/|src/util/' $(neutral_monitor))"
	point "monitor/x86/ includes src/arch/x86's register table, too, and no more of it" \
		"$(outside 'monitor/|src/api/|src/util/|src/arch/x86/(x86_regs\.h|regs\.def)$' $(sources monitor/x86))"
	point "src/ includes neither gdbstub/ nor monitor/" "$(outside 'src/|linux/kvm\.h' $(sources src))"
}

# the test itself: files that break the rule are seen
bad=$scratch/bad.c
for include in 'monitor/monitor.h' 'gdbstub/gdbstub.h' 'mem/gmem.h' 'arch/x86/x86_regs.h' 'linux/kvm.h'; do
	echo "#include <$include>" >"$bad"
	seen=$(outside 'src/api/|src/util/' "$bad" | grep -F "$include")
	point "a file that includes $include would be seen" "$([ -n "$seen" ] || echo "it was not")"
done
echo "1..$count"
