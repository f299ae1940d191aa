#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Memory slots under gdb: what it reads after they change, the memory map, and what breakpoints become."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lib
from lib import session

HELLO = {"image": "examples/hello64.elf", "symbols": "examples/hello64.elf"}
REAL = {"image": "tests/guests/real.bin", "symbols": "tests/guests/real.elf"}
HERE, THERE = 0x20000000, 0x30000000
NONE = "Cannot access memory"


@session(**HELLO)
def reads_are_right(t):
	t.match(NONE, t.refused("x/gx %#x" % HERE), "nothing is there at first")
	t.x("monitor slot add 5 %#x 64K" % HERE)
	t.equal(t.value("*(long *)%#x" % HERE), 0, "an added slot reads as zeros")
	t.x("set {long}%#x = 0x1122334455667788" % (HERE + 0x100))
	t.x("monitor slot move 5 %#x" % THERE)
	t.equal(t.value("*(long *)%#x" % (THERE + 0x100)), 0x1122334455667788, "moved, its contents are at the new place")
	t.match(NONE, t.refused("x/gx %#x" % (HERE + 0x100)), "and no longer at the old one")
	t.x("monitor slot add 6 %#x 64K backing=alias:5" % HERE)
	t.equal(t.value("*(long *)%#x" % (HERE + 0x100)), 0x1122334455667788, "an alias shows them there")
	t.x("set {long}%#x = 7" % (HERE + 0x100))
	t.equal(t.value("*(long *)%#x" % (THERE + 0x100)), 7, "what is written by one is read by the other")
	t.x("monitor slot remove 6")
	t.x("monitor slot remove 5")
	for place in (HERE, THERE):
		t.match(NONE, t.refused("x/gx %#x" % (place + 0x100)), "removed, nothing is at %#x" % place)
	t.x("monitor slot add 5 %#x 64K" % THERE)
	t.equal(t.value("*(long *)%#x" % (THERE + 0x100)), 0, "added again, it reads as zeros")


@session(**HELLO)
def map_is_all_ram(t):
	shown = t.x("info mem")
	t.match("provided by the target", shown, "gdb has our map")
	t.match(r"y\s+0x0+ 0x8000000000000000 rw", shown, "its lower half")
	t.match(r"y\s+0x8000000000000000 0x10000000000000000 rw", shown, "and its upper half can be written")
	t.x("set breakpoint always-inserted on")
	t.x("break main")
	t.match(r" soft  0x[0-9a-f]+ <main>", t.x("monitor info breakpoints"), "breakpoints are software breakpoints")
	t.x("monitor slot add 5 %#x 64K" % HERE)
	t.x("monitor slot move 5 %#x" % THERE)
	t.equal(t.go("continue"), "breakpoint 1", "and hit, with slots changed meanwhile")


@session(**REAL)
def read_only_is_rom(t):
	t.x("monitor slot add 5 %#x 64K ro" % HERE)
	t.x("disconnect")
	t.connect()
	t.match(r"y\s+0x20000000 0x20010000 ro", t.x("info mem"), "a read-only slot is read-only to a new connection")
	t.x("set breakpoint always-inserted on")
	t.x("break *%#x" % (HERE + 0x10))
	t.match(r" hard  0x20000010", t.x("monitor info breakpoints"), "a breakpoint there is a hardware breakpoint")
	t.x("delete")
	t.x("break *$pc")
	t.match(r" soft  ", t.x("monitor info breakpoints"), "elsewhere it is none")


lib.main(__file__)
