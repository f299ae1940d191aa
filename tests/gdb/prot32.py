#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A 32-bit kernel with gdb: source-level work in flat protected mode."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lib
from lib import session

NEST = {"image": "tests/guests/nest32.elf", "symbols": "tests/guests/nest32.elf"}


@session(**NEST)
def source_level(t):
	t.match("i386", t.x("show architecture"), "gdb sees a 32-bit machine")
	t.equal(t.where(), t.value("&start"), "starts at its entry")
	t.match(r"mov\s+\$0x[0-9a-f]+,%esp", t.x("x/i $pc"), "32-bit code")
	t.equal(t.value("$cr0.value & 0x80000001"), 1, "protected mode without paging")
	t.x("break main")
	t.equal(t.go("continue"), "breakpoint 1", "break main")
	t.x("tbreak inner")
	t.x("continue")
	t.match(r"inner \(n=(n@entry=)?1\)", t.x("frame"), "the innermost function, with its argument")
	t.match(r"(?s)#0\s+inner.*#1.*middle.*#2.*outer.*#3.*main", t.x("backtrace"), "backtrace shows all four")
	t.x("finish")
	t.equal(t.value("$"), 3, "finish gives the value")
	t.match(r"middle \(", t.x("frame"), "and is in the caller")
	t.x("next")
	t.match(r"middle \(.*nest.c:2[34]", t.x("frame"), "next goes a line on")
	t.x("finish")
	t.match(r"outer \(", t.x("frame"), "finish again")
	t.equal(t.value("scale"), 2, "a variable can be printed")
	t.x("set var scale = 5")
	t.x("tbreak inner")
	t.x("continue")
	t.x("finish")
	t.equal(t.value("$"), 11, "and set: the guest computes with it")
	t.x("tbreak outer")
	t.x("continue")
	while " outer (" in t.x("frame"):
		t.x("step")
	t.match(r"middle \(", t.x("frame"), "step goes into a call")


@session(same=True, symbols="tests/guests/nest32.elf")
def registers(t):
	t.match(r"eip\s+0x10[0-9a-f]+", t.x("info registers eip"), "info registers")
	before = t.value("$edi")
	t.x("set $edi = 0x12345678")
	t.equal(t.value("$edi"), 0x12345678, "a register can be written")
	t.x("set $edi = %d" % before)
	t.match(r"\[.*\]", t.x("info registers eflags"), "eflags shows its bits")
	shown = t.x("info all-registers")
	for name in ("eax", "eip", "gs", "st7", "fop", "[xyz]mm7", "mxcsr", "cs_base", "cr0", "efer"):
		t.match("^" + name, shown, "info all-registers shows " + name)
	t.x("set var leave = 1")
	t.equal(t.go("continue"), "exited 15", "it leaves with 7, status 15")


lib.main(__file__)
