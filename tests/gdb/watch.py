#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Watchpoints, pending breakpoints and the monitor's catchpoints with gdb."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lib
from lib import session

HELLO = {"image": "examples/hello64.elf", "symbols": "examples/hello64.elf"}


@session(**HELLO)
def one_variable(t):
	t.match("Hardware watchpoint 1", t.x("watch ticks"), "watch is a hardware watchpoint")
	for n in (1, 2, 3):
		t.equal(t.go("continue"), "breakpoint 1", "it is hit")
		t.equal(t.value("ticks"), n, "by every change")
	t.match("tick", t.x("backtrace 1"), "where it is written")
	t.x("condition 1 ticks == 9")
	t.equal(t.go("continue"), "breakpoint 1", "with gdb's condition, too")
	t.equal(t.value("ticks"), 9, "when it holds")
	t.x("delete")
	t.ok(" gdb" not in t.x("monitor info breakpoints"), "deleted, the machine has none")
	t.x("tbreak tick")
	t.x("continue")
	t.equal(t.value("ticks"), 9, "and the guest goes on")


@session(**HELLO)
def reads_and_accesses(t):
	t.match("Hardware read watchpoint 1", t.x("rwatch table[3].square"), "rwatch")
	t.equal(t.go("continue"), "breakpoint 1", "is hit")
	t.match("sum_table", t.x("backtrace 1"), "by the first read, and by no write before it")
	t.equal(t.value("table[3].square"), 9, "of what was written")
	t.x("delete")
	t.match("Hardware access .* 2", t.x("awatch table[15].square"), "awatch")
	t.equal(t.go("continue"), "breakpoint 2", "is hit")
	t.match("sum_table", t.x("backtrace 1"), "by a read")


@session(**HELLO)
def location(t):
	t.x("break fill_entry if n == 2")
	t.x("continue")
	t.x("watch -l e->square")
	t.equal(t.go("continue"), "breakpoint 2", "watch -l is hit")
	t.equal(t.value("table[2].square"), 4, "when that place is written, whatever has become of the expression")


@session(**HELLO)
def forty(t):
	t.x("set breakpoint always-inserted on")
	for n in range(16):
		t.x("watch table[%d].square" % n)
		t.x("awatch table[%d].number" % n)
	for n in range(8):
		t.x("rwatch table[%d].square" % n)
	t.x("break main")
	t.x("continue")
	t.equal(t.x("monitor info breakpoints").count(" gdb"), 41, "the machine has forty, and the breakpoint")
	hits = set()
	for _ in range(80):
		event = t.go("continue")
		if not event or not event.startswith("breakpoint "):
			t.ok(False, "a hit", event)
			break
		if "tick" in t.x("frame"):
			break
		hits.add(event)
		if t.value("table[15].square") == 225:
			break
	t.ok(len(hits) >= 30, "forty watchpoints are hit, each by its own", sorted(hits))


@session(**HELLO)
def a_large_one(t):
	t.x("set breakpoint always-inserted on")
	t.x("watch *(char (*)[65536])&table")
	t.x("break main")
	t.x("continue")
	t.match("65536", t.x("monitor info breakpoints"), "64 KiB")
	t.equal(t.go("continue"), "breakpoint 1", "is hit")
	t.match("fill_|square", t.x("backtrace 1"), "by the first that writes there")


@session(image="examples/hello64.elf", symbols="examples/hello64.elf")
def by_the_monitor(t):
	t.match("catchpoint 1: port 0x3f8 write", t.x("monitor catch port 0x3f8 write"), "monitor catch")
	t.equal(t.go("continue"), "stopped", "is a plain stop for gdb")
	t.match("catchpoint 1: .*0x3f8", t.x("monitor info status"), "that the monitor can explain")
	t.x("monitor delete 1")
	t.x("monitor watch ticks if *(u64)ticks == 4")
	t.equal(t.go("continue"), "stopped", "so is the monitor's watchpoint")
	t.equal(t.value("ticks"), 4, "where its condition holds")
	t.match(r"watchpoint 2: write of 8 bytes at 0x[0-9a-f]+ <ticks>: 0x3 -> 0x4, by", t.x("monitor info status"),
		"with the values")
	t.x("monitor delete")
	t.x("monitor tbreak tick cpu=0")
	t.equal(t.go("continue"), "stopped", "and its temporary breakpoint")
	t.ok("no breakpoints" in t.x("monitor info breakpoints"), "which is gone afterwards")


@session(**HELLO)
def what_is_refused(t):
	t.x("watch *(char *)0x800000000000")
	t.match("not insert|Could not|aborted|Cannot|failed", t.refused("stepi"), "a watchpoint that is not canonical")
	t.x("delete")
	t.x("break *0xffff800000000000")
	t.x("stepi")
	t.equal(t.where(), t.value("(unsigned long)&start + 7"), "a breakpoint without memory waits for it")


lib.main(__file__)
