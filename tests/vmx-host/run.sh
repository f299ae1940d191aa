#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# What check.py has the emulated host run: a gdbvisor on ttyS1 for each line of `sessions` (seconds, arguments), then each line of
# `programs` (seconds, name).  The lines with "vmx:" tell check.py where it is.
export CK_TIMEOUT_MULTIPLIER=20
# Of tests that go on for as long as they are told.
export GV_OPERATIONS=2000
while read -r seconds arguments; do
	stty -F /dev/ttyS1 115200 raw -echo
	echo "vmx: gdb"
	# shellcheck disable=SC2086
	timeout -s KILL "$seconds" ./gdbvisor -g stdio $arguments </dev/ttyS1 >/dev/ttyS1 2>/tmp/said
	echo "vmx: detached $?"
	tail -n 5 /tmp/said
done <sessions
while read -r seconds name; do
	echo "vmx: begin $name"
	read -r begun _ </proc/uptime
	timeout -s KILL "$seconds" "./$name" </dev/null 2>&1
	status=$?
	read -r ended _ </proc/uptime
	echo "vmx: end $name $status $begun $ended"
	# libcheck runs each test in a child of its own, which would outlive it
	killall -q -KILL "$name"
done <programs
exit 0
