#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Memory in bulk under gdb: find, compare-sections, load, dump and restore, and QEMU's packets."""

import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lib
from lib import session

HELLO = {"image": "examples/hello64.elf", "symbols": "examples/hello64.elf"}
PLACE = 0x400000


@session(**HELLO)
def finds(t):
	t.x('set {char[6]}%#x = "needl"' % (PLACE + 0xfffe))
	t.x('set {char[6]}%#x = "needl"' % (PLACE + 0x20001))
	t.match("%#x" % (PLACE + 0xfffe), t.x("find %#x, +0x100000, 'n', 'e', 'e', 'd', 'l'" % PLACE), "find")
	t.match("2 patterns found", t.x("find %#x, +0x100000, 'n', 'e', 'e', 'd', 'l'" % PLACE), "all there are")
	t.match("1 pattern found", t.x("find /1 %#x, +0x100000, 'n', 'e', 'e', 'd', 'l'" % PLACE), "as many as asked for")
	t.match("not found", t.x("find %#x, +0x1000, 'n', 'e', 'e', 'd', 'l'" % PLACE), "none in the wrong place")
	t.match("not found|Unable", t.x("find 0x7fff000, +0x10000, 0x12345678"), "memory that ends ends the search")
	t.match("currently enabled", t.x("show remote search-memory-packet"), "by the packet")


@session(**HELLO)
def compares(t):
	shown = t.x("compare-sections")
	t.match(r"\.text.*: matched", shown, "compare-sections, of the code as loaded")
	t.ok("MIS" not in shown, "and of all else", shown)
	t.x("set {char}main = 0")
	t.match(r"\.text.*MIS-MATCHED", t.x("compare-sections .text"), "and of a byte changed")
	t.x("load")
	shown = t.x("compare-sections")
	t.match(r"\.text.*: matched", shown, "load puts it right")
	t.x("break main")
	t.equal(t.go("continue"), "breakpoint 1", "and what was loaded runs")


@session(**HELLO)
def dumps(t):
	size = 0x60000          # more than a packet holds
	with tempfile.TemporaryDirectory() as d:
		path = os.path.join(d, "memory")
		data = bytes((i * 7 + i // 251) & 0xff for i in range(size))
		with open(path, "wb") as f:
			f.write(data)
		t.x("restore %s binary %#x" % (path, PLACE))
		t.ok(t.read(PLACE, size) == data, "restore, every byte there is", "not the same")
		t.x("dump binary memory %s.out %#x %#x" % (path, PLACE, PLACE + size))
		with open(path + ".out", "rb") as f:
			t.ok(f.read() == data, "dump", "not the same")
		t.x("set remote X-packet off")
		t.x("restore %s binary %#x" % (path, PLACE + 0x100000))
		t.ok(t.read(PLACE + 0x100000, size) == data, "the same in digits", "not the same")
	t.match("Cannot access memory", t.refused("x/x 0x7fffffff"), "what is not there is refused")
	t.equal(len(t.read(0x7fffff0, 16)), 16, "up to the last byte")


@session(**HELLO)
def speaks_qemu(t):
	t.match("ENABLE=1,NOIRQ=2", t.x("maintenance packet qqemu.sstepbits"), "the bits of a step")
	t.match("0x3", t.x("maintenance packet qqemu.sstep"), "all set at first")
	t.match("OK", t.x("maintenance packet Qqemu.sstep=0x1"), "and to be changed")
	t.match("0x1", t.x("maintenance packet qqemu.sstep"), "which lasts")
	t.x("maintenance packet Qqemu.sstep=0x3")
	t.match("OK", t.x("maintenance packet Qqemu.PhyMemMode:1"), "memory by physical address")
	t.match('"1"', t.x("maintenance packet qqemu.PhyMemMode"), "which lasts too")
	t.x("maintenance flush dcache")
	t.x("set {int}0x7ff0000 = 0x1234")
	t.equal(t.value("*(int *)0x7ff0000"), 0x1234, "written and read")
	t.match("Cannot access memory", t.refused("x/x 0x100000000"), "none is beyond the RAM")
	t.match("OK", t.x("maintenance packet Qqemu.PhyMemMode:0"), "and back")


lib.main(__file__)
