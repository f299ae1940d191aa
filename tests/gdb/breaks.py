#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Breakpoints with gdb: before their code is there, counted, conditional, and those that are too many."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lib
from lib import session

STAGE = {"image": "tests/guests/stage.bin", "symbols": "tests/guests/stage.elf"}
NEST = {"image": "tests/guests/nest64.elf", "symbols": "tests/guests/nest64.elf"}
HELLO = {"image": "examples/hello64.elf", "symbols": "examples/hello64.elf"}
PLACE = 0x9000


@session(**STAGE)
def second_stage(t):
	t.x("set breakpoint always-inserted on")
	for n in range(6):
		t.x("break *%d" % (PLACE + n))
	t.equal(t.read(PLACE, 6), bytes(6), "nothing is there yet")
	for load, opcode in enumerate((0x40, 0x48, 0x40), 1):
		for n in range(6):
			t.equal(t.go("continue"), "breakpoint %d" % (n + 1), "load %d: hit %d of six" % (load, n + 1))
			t.equal(t.where(), PLACE + n, "load %d: there" % load)
		t.equal(t.read(PLACE, 6), bytes([opcode]) * 6, "load %d: memory shows what was loaded" % load)
		t.equal(t.value("*(unsigned short *)&loads"), load, "load %d: it is that one" % load)
	t.x("delete")
	t.x("break load")
	t.x("continue")
	t.equal(t.value("*(unsigned short *)&sum"), 6, "the stage did what it does without breakpoints")
	t.equal(t.read(PLACE, 6), b"\x40" * 6, "and nothing of them is left")


@session(**STAGE)
def hardware_on_the_second_stage(t):
	for n in range(4):
		t.x("hbreak *%d" % (PLACE + n))
	for load in (1, 2):
		for n in range(4):
			t.equal(t.go("continue"), "breakpoint %d" % (n + 1), "load %d: hardware breakpoint %d" % (load, n + 1))


@session(**NEST)
def five_hardware_breakpoints(t):
	for n, where in enumerate(("inner", "middle", "outer", "main", "*main+4"), 1):
		t.x("hbreak " + where)
	t.ok(t.refused("stepi"), "the fifth is refused")
	t.x("delete 5")
	t.equal(t.go("continue"), "breakpoint 4", "and without it the other four")
	t.equal(t.go("continue"), "breakpoint 3", "are hit")


@session("tests/guests/paging.elf", symbols="tests/guests/paging.elf")
def before_its_page_is_mapped(t):
	high = 0xffff800000000000 + t.value("(unsigned long)&high")
	t.match("Cannot access", t.refused("x/i 0x%x" % high), "the address is not mapped")
	t.x("break *0x%x" % high)
	t.equal(t.go("continue"), "breakpoint 1", "a breakpoint there is hit when it is")
	t.equal(t.where(), high, "at its address, not at the other that the page has")


@session(**NEST)
def counted_and_conditional(t):
	t.x("tbreak inner")
	t.equal(t.go("continue"), "breakpoint 1", "a temporary breakpoint is hit")
	t.match("No breakpoints", t.x("info breakpoints"), "and gone")
	t.x("break inner if n == 7")
	t.equal(t.go("continue"), "breakpoint 2", "a conditional one is hit")
	t.equal(t.value("n"), 7, "where its condition holds")
	t.x("condition 2")
	t.x("ignore 2 4")
	t.equal(t.go("continue"), "breakpoint 2", "with an ignore count, it is hit")
	t.equal(t.value("n"), 12, "after as many")
	t.x("set $sum = 0")
	gdb_commands(t, 2, "silent", "set $sum = $sum + n")
	t.go("continue")
	t.go("continue")
	t.equal(t.value("$sum"), 13 + 14, "its commands run at each hit")
	t.x("disable 2")
	t.x("tbreak main if rounds == 20")
	t.x("tbreak middle if n == 20")
	t.go("continue")
	t.equal(t.value("n"), 20, "disabled, it is passed by")


def gdb_commands(t, number, *lines):
	lib.gdb.breakpoints()[[b.number for b in lib.gdb.breakpoints()].index(number)].commands = "\n".join(lines)


@session(**NEST)
def out_of_functions(t):
	t.x("break inner")
	t.x("continue")
	t.x("delete")
	t.go("finish")
	t.match("middle", t.x("frame"), "finish ends in the caller")
	t.equal(t.value("$rax"), 3, "with what was returned")
	t.go("until")
	t.match("middle", t.x("frame"), "until goes on a line in it")
	t.x("watch result")
	t.go("finish")
	t.match("middle|outer|main", t.x("frame"), "a watchpoint does not lose a finish")
	t.x("delete")
	t.x("tbreak outer")
	t.go("continue")
	t.go("advance middle")
	t.match("middle", t.x("frame"), "advance gets where it is sent")


@session(**HELLO)
def local_variable(t):
	t.x("break fill_entry")
	t.x("continue")
	t.x("delete")
	t.x("watch n")
	t.x("tbreak sum_table")
	for _ in range(3):
		t.go("continue")
		if not any(b.type == lib.gdb.BP_HARDWARE_WATCHPOINT for b in lib.gdb.breakpoints()):
			break
	t.match("fill_table|main", t.x("frame"), "when its function ends, so does the watchpoint of a local")
	t.go("continue")
	t.match("sum_table", t.x("frame"), "and the guest goes on")


lib.main(__file__)
