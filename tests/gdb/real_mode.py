#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real mode with gdb: natural 16-bit disassembly, linear pc whatever CS is, and a guest that changes modes."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lib
import visor
from lib import session

REAL = {"image": "tests/guests/real.bin", "symbols": "tests/guests/real.elf"}


@session(**REAL)
def boot_sector(t):
	count, counter = t.value("&count"), t.value("&counter")
	t.equal(t.where(), 0x7c00, "starts at 0x7c00")
	t.match(r"xor\s+%ax,%ax", t.x("x/i $pc"), "the first instruction is 16-bit code")
	t.equal(t.value("$edx & 0xff"), 0x80, "DL names the first disk")
	t.x("break *&count")
	t.equal(t.go("continue"), "breakpoint 1", "the breakpoint is hit")
	t.equal(t.where(), count, "pc is the breakpoint's")
	t.equal(t.value("$ebx & 0xffff"), 0x1234, "a register the guest set")
	t.equal(t.value("(unsigned long)$esp & 0xffff"), 0x7c00, "the stack pointer")
	code = t.x("x/3i $pc")
	t.match(r"incl\s+0x7d00", code, "x/i shows incl with its 16-bit address")
	t.match(r"cmpb\s+\$0x0,0x7d08", code, "and the cmpb behind it")
	t.x("stepi")
	t.equal(t.where(), count + 5, "stepi goes one instruction on")
	t.equal(t.value("*(unsigned int *)&counter"), 1, "which has counted")
	t.x("set {unsigned int}&counter = 0x1000")
	t.equal(t.read(counter, 4), b"\0\x10\0\0", "memory can be written")
	t.x("continue")
	t.x("stepi")
	t.equal(t.value("*(unsigned int *)&counter"), 0x1001, "and the guest goes on from there")
	t.x("set $ebx = 0xabcd")
	t.x("stepi")
	t.equal(t.value("$ebx"), 0xabcd, "a register can be written")
	t.ok(b"\xcc" not in t.read(count, 12), "a planted breakpoint does not show in memory")


@session(**REAL)
def hardware_breakpoint(t):
	t.match("Hardware assisted breakpoint", t.x("hbreak *&count"), "hbreak is taken")
	t.equal(t.go("continue"), "breakpoint 1", "and is hit")
	t.equal(t.where(), t.value("&count"), "at its address")
	t.x("continue")
	t.equal(t.where(), t.value("&count"), "and again, a loop later")
	t.equal(t.value("*(unsigned int *)&counter"), 1, "without losing a turn")
	t.x("delete")
	t.x("tbreak *(&count + 0)")
	t.x("continue")
	t.equal(t.value("*(unsigned int *)&counter"), 2, "deleted, it leaves a software one alone")


@session(**REAL)
def other_segment(t):
	far, far_count = t.value("&far"), t.value("&far_count")
	t.x("set {unsigned char}&go_far = 1")
	t.x("break *&far_count")
	t.equal(t.go("continue"), "breakpoint 1", "a breakpoint is hit where CS is not 0")
	t.equal(t.where(), far_count, "pc is linear")
	t.equal(t.value("$cs"), 0x7c0, "CS is the guest's")
	t.equal(t.value("$cs_base"), 0x7c00, "cs_base is its base")
	t.equal(t.value("$ip"), far_count - 0x7c00, "ip is the offset")
	t.match(r"incl\s+0x7d04", t.x("x/i $pc"), "x/i $pc disassembles the right bytes")
	t.x("stepi")
	t.x("stepi")
	t.equal(t.where(), far_count, "two steps are a turn of the loop")
	t.equal(t.value("*(unsigned int *)&far_counter"), 1, "which has counted once")
	t.x("set $pc = %#x" % far)
	t.equal(t.where(), far, "pc can be set inside the segment")
	t.x("set $ebx = 0")
	t.x("stepi")
	t.equal(t.value("$ebx & 0xffff"), 0x5678, "and the guest runs from there")
	t.ok(t.refused("set $pc = 0x123456"), "a pc out of the segment's reach is refused")
	t.x("continue")
	t.equal(t.where(), far_count, "and nothing was changed by that")


@session(**REAL)
def patched_code(t):
	count = t.value("&count")
	t.x("break *&count")
	t.x("continue")
	# incl becomes decl (66 ff 0e), under the breakpoint
	t.x("set {unsigned char}%#x = 0x0e" % (count + 2))
	t.match(r"decl", t.x("x/i $pc"), "code can be changed under a breakpoint")
	t.x("set {int}&counter = 10")
	t.x("continue")
	t.equal(t.value("*(int *)&counter"), 9, "and the guest runs the new code")
	t.x("delete")
	t.equal(t.read(count, 3), b"\x66\xff\x0e", "the change outlives the breakpoint")


@session("tests/guests/modes.bin")
def through_the_modes(t):
	symbols = visor.symbols(visor.built("tests/guests/modes.elf"))
	for label in ("in16", "in32", "in64"):
		t.x("break *%#x" % symbols[label][0])
	for label in ("in16", "in32", "in64"):
		t.x("continue")
		t.equal(t.where(), symbols[label][0], "the breakpoint at %s is hit" % label)
		t.x("stepi")
		t.ok(t.where() > symbols[label][0], "and a step leads on")
	t.x("detach")


@session(same=True)
def attached_in_long_mode(t):
	symbols = visor.symbols(visor.built("tests/guests/modes.elf"))
	t.match("x86-64", t.x("show architecture"), "gdb now sees a 64-bit machine")
	t.equal(t.value("$r15"), 0x1122334455667788, "with 64-bit registers")
	start, size = symbols["loop64"][0], 32
	t.ok(start <= t.where() < start + size, "running its 64-bit loop", hex(t.where()))
	t.match(r"incq?\s+|cmpb\s+|je\s+", t.x("x/i $pc"), "x/i $pc is 64-bit code")
	t.equal(t.value("$cr0.value & 0x80000001"), 0x80000001, "paging and protection are on")
	t.equal(t.value("$efer.value & 0x400"), 0x400, "long mode is active")
	t.x("set {unsigned char}%#x = 1" % symbols["leave"][0])
	t.equal(t.go("continue"), "exited 1", "it leaves when told")


lib.main(__file__)
