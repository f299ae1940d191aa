#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The man page has the options of `gdbvisor --help` and no others, and the monitor's commands.
top=${srcdir:-.}
gdbvisor=${builddir:-.}/gdbvisor
man=$top/gdbvisor.1
scratch=$(mktemp -d) || exit 99
trap 'rm -rf "$scratch"' EXIT

# The options at the beginning of the lines of standard input, each once.
options() {
	sed -n 's/^ *\(-[^ ].*\)$/\1/p' | sed 's/  .*//' | grep -oE -- '(^|[ ,])--?[A-Za-z][a-z-]*' | tr -d ' ,' | sort -u
}

# The entry lines (after .TP) of a section of the man page, without its markup.
entries() {
	awk -v section="$1" '
		/^\.SH/ { here = ($0 == ".SH " section) }
		entry && here { print }
		{ entry = /^\.TP/ }' "$man" |
		sed -e 's/^\.[BIR]* *//' -e 's/\\f[BIRP]//g' -e 's/\\-/-/g' -e 's/"//g' -e 's/ , */, /g'
}

point() {
	if [ "$1" -eq 0 ]; then
		echo "ok $2 - $3"
	else
		echo "not ok $2 - $3"
		sed 's/^/# /' "$scratch/difference"
	fi
}

echo 1..5
"$gdbvisor" --help >"$scratch/help" 2>&1
options <"$scratch/help" >"$scratch/offered"
entries OPTIONS | options >"$scratch/written"
[ "$(wc -l <"$scratch/offered")" -ge 10 ] || cp "$scratch/help" "$scratch/difference"
[ "$(wc -l <"$scratch/offered")" -ge 10 ]
point $? 1 "--help lists options"
comm -23 "$scratch/offered" "$scratch/written" >"$scratch/difference"
[ ! -s "$scratch/difference" ]
point $? 2 "every option of --help stands in the man page"
comm -13 "$scratch/offered" "$scratch/written" >"$scratch/difference"
[ ! -s "$scratch/difference" ]
point $? 3 "every option of the man page stands in --help"
echo nothing >"$scratch/difference"
printf '  -z, --zebra=NAME  stripes\n' | options | tr '\n' ' ' | grep -q '^--zebra -z $'
point $? 4 "an option would be seen"
awk '/^ *--?[a-z]/ { next } length > 100 { print FILENAME ": " FNR ": " length " columns" }' "$scratch/help" \
	>"$scratch/difference"
[ ! -s "$scratch/difference" ]
point $? 5 "--help fits a terminal"
