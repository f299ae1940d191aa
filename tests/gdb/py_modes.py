#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""One session from real through protected to long mode: gdb's idea of the machine goes along by itself."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lib
import visor
from lib import session

SCRIPT = visor.source("gdbstub/gdbvisor.py")
MODES = {"image": "tests/guests/modes.bin", "symbols": "tests/guests/modes.elf"}


def architecture():
	import gdb
	return gdb.newest_frame().architecture().name()


@session(**MODES, connect=False)
def through_the_modes(t):
	t.x("source " + SCRIPT)
	t.connect()
	t.equal(architecture(), "i8086", "it begins as 16-bit code")
	for label in ("in16", "in32", "loop64"):
		t.x("break *&" + label)
	t.equal(t.go("continue"), "breakpoint 1", "a breakpoint in real mode")
	t.match(r"incl\s+0x7d80", t.x("x/i $pc"), "16-bit disassembly")
	t.equal(t.go("continue"), "breakpoint 2", "one in protected mode")
	t.equal(architecture(), "i386", "gdb follows")
	t.match(r"mov\s+\$0x10,%eax", t.x("x/i $pc"), "32-bit disassembly")
	t.x("stepi 5")
	t.equal(t.value("$esp"), 0x7c00, "its registers are read")
	t.equal(t.go("continue"), "breakpoint 3", "one in long mode")
	t.equal(architecture(), "i386:x86-64", "gdb follows")
	t.equal(t.value("$r15"), 0x1122334455667788, "with 64-bit registers")
	t.match(r"incq?\s+0x\w+\(%rip\)", t.x("x/i $pc"), "64-bit disassembly")
	t.equal(t.go("continue"), "breakpoint 3", "breakpoints are still hit")
	t.equal(t.read(t.value("(long)&count64"), 8), b"\1" + 7 * b"\0", "the loop has counted")
	t.equal(t.x("show architecture").count("auto"), 1, "the architecture is gdb's own choice still")
	# back to real mode
	t.x("delete")
	t.x("break *&in16")
	t.x("monitor reset")
	t.x("maintenance flush register-cache")
	t.equal(t.go("stepi"), "stopped", "a step after a reset")
	t.equal(architecture(), "i8086", "gdb is back at 16-bit code")
	t.equal(t.go("continue"), "breakpoint 4", "where a breakpoint is hit")


@session(**MODES)
def stepping_over_the_change(t):
	t.x("source " + SCRIPT)
	t.x("tbreak *&in16")
	t.x("continue")
	seen = []
	for n in range(8):
		t.x("stepi")
		seen.append(architecture())
	t.equal(seen[:2] + seen[-1:], ["i8086", "i8086", "i386"], "steps lead from one to the other")
	t.equal(sorted(set(seen)), ["i386", "i8086"], "and gdb with them")


@session(**MODES)
def told_in_one_line(t):
	t.x("source " + SCRIPT)
	t.x("tbreak *&in32")
	text = t.x("continue")
	t.equal(text.count("gdbvisor"), 1, "the change is told once")
	t.match(r"^\[gdbvisor: the vCPU is in prot32 mode now; architecture i386\]$", text, "in one line")


@session(**MODES)
def left_alone_with_an_architecture_set(t):
	t.x("source " + SCRIPT)
	t.x("set architecture i8086")
	t.x("tbreak *&in32")
	t.x("continue")
	t.equal(architecture(), "i8086", "an architecture the user has set stays")
	t.match("i8086", t.x("show architecture"), "and so does the setting")


@session("tests/guests/modes.bin", connect=False)
def left_alone_with_an_executable(t):
	t.x("file " + visor.built("tests/guests/modes.elf"))
	t.x("source " + SCRIPT)
	t.connect()
	t.x("tbreak *&in32")
	t.x("continue")
	t.equal(architecture(), "i386", "a 32-bit executable goes with 32-bit code")
	t.x("hbreak *&loop64")
	t.x("continue")
	t.equal(architecture(), "i386", "and is not taken for 64-bit code, which gdb refuses")


lib.main(__file__)
