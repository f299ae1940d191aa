#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""gv kaslr with a kernel that moves itself: found by its handlers, by its banner, unmoved, not at all."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lib
import visor
from lib import session

SCRIPT = visor.source("gdbstub/gdbvisor.py")
IMAGE = "tests/guests/kaslr.elf"
VMLINUX = visor.built(IMAGE)
LINKED = {name: at for name, (at, _) in visor.symbols(VMLINUX).items()} if os.path.exists(VMLINUX) else {}


def run(t, distance, hidden=False, before="working"):
	"""Runs the kernel at DISTANCE until it works; its symbols are for where it was linked."""
	t.x("source " + SCRIPT)
	t.x("set {long}%#x = %d" % (LINKED["distance"], distance))
	t.x("set {char}%#x = %d" % (LINKED["hidden"], hidden))
	t.x("hbreak *%#x" % (LINKED[before] + distance))
	t.go("continue")
	t.x("delete")
	t.equal(t.where(), LINKED[before] + distance, "the kernel has moved by %#x" % distance)


def moved(t, distance, command, how):
	said = t.x(command)
	where = "+%#x from where" % distance if distance else "where"
	t.match(r"^The kernel is %s .*kaslr\.elf is linked, by %s\.$" % (where.replace("+", r"\+"), how),
		said, "it is found")
	t.equal(t.value("(long)&working"), LINKED["working"] + distance, "symbols are where it is")
	t.match("<working>:", t.x("x/i %#x" % (LINKED["working"] + distance)), "and addresses have names")


@session(IMAGE, symbols=IMAGE)
def by_handlers(t):
	run(t, 0x600000)
	t.ok("<working" not in t.x("x/i $pc"), "before, its code has no names")
	moved(t, 0x600000, "gv kaslr", "7 of 7 handlers")
	t.x("break *&working")
	t.equal(t.go("continue"), "breakpoint 2", "a breakpoint by name is hit")
	moved(t, 0x600000, "gv kaslr", "7 of 7 handlers")


@session(IMAGE, symbols=IMAGE)
def the_machine_is_told(t):
	t.x("monitor break working")
	t.x("monitor break *%#x" % (LINKED["working"] + 1))
	run(t, 0x600000)
	moved(t, 0x600000, "gv kaslr", "7 of 7 handlers")
	t.match(r"the program is \+0x600000 from where", t.x("monitor symbols slide"), "the monitor has the offset")
	t.match(r"%#x <working>, .*kaslr\.S:\d+, linked at %#x" % (LINKED["working"] + 0x600000, LINKED["working"]),
		t.x("monitor symbol working"), "and its symbols are there")
	said = t.x("monitor info breakpoints")
	t.match("(?m)^1 +soft +%#x <working>" % (LINKED["working"] + 0x600000), said, "a breakpoint by name went along")
	t.match("(?m)^2 +soft +%#x " % (LINKED["working"] + 1), said, "and one at an address did not")
	t.x("monitor symbols slide -0x1000")
	t.match(r"the program is -0x1000 from where", t.x("monitor symbols"), "downwards, too")
	moved(t, 0x600000, "gv kaslr", "7 of 7 handlers")
	t.match(r"\+0x600000", t.x("monitor symbols slide"), "found again")


@session(IMAGE, symbols=IMAGE)
def gdb_learns_it_when_it_connects(t):
	t.x("monitor symbols slide 0x600000")
	t.equal(t.value("(long)&working"), LINKED["working"], "this gdb was there before")
	t.x("disconnect")
	t.x("target remote " + t.target)
	t.equal(t.value("(long)&working"), LINKED["working"] + 0x600000, "code is where it is now")
	t.equal(t.value("(long)&linux_banner"), LINKED["linux_banner"] + 0x600000, "and data")
	t.x("monitor symbols slide 0")
	t.x("disconnect")
	t.x("symbol-file " + VMLINUX)
	t.x("target remote " + t.target)
	t.equal(t.value("(long)&working"), LINKED["working"], "nor is it moved when nothing was")


@session(IMAGE)
def with_the_file_named(t):
	run(t, 0x1234000)
	moved(t, 0x1234000, "gv kaslr " + VMLINUX, "7 of 7 handlers")
	t.x("symbol-file " + VMLINUX)
	moved(t, 0x1234000, "gv kaslr " + VMLINUX, "7 of 7 handlers")


@session(IMAGE)
def with_what_the_stub_serves(t):
	run(t, 0x200000)
	moved(t, 0x200000, "gv kaslr", "7 of 7 handlers")
	moved(t, 0x200000, "gv kaslr", "7 of 7 handlers")


@session(IMAGE, symbols=IMAGE)
def not_moved(t):
	run(t, 0)
	moved(t, 0, "gv kaslr", "7 of 7 handlers")


@session(IMAGE, symbols=IMAGE)
def by_the_banner(t):
	run(t, 0xc00000, hidden=True)
	moved(t, 0xc00000, "gv kaslr", "its banner")


@session(IMAGE, symbols=IMAGE)
def by_lstar_against_a_stray_gate(t):
	run(t, 0x600000)
	gate = LINKED["idt"] + 0x600000
	t.x("set {short}%#x = 0x1000" % gate)
	moved(t, 0x600000, "gv kaslr", "6 of 7 handlers")


@session(IMAGE)
def none(t):
	run(t, 0x600000, hidden=True)
	t.x("set {char}%#x = 0" % (LINKED["linux_banner"] + 0x600000))
	t.match("No kernel was found", t.refused("gv kaslr " + VMLINUX), "no kernel, no offset")
	t.x("symbol-file " + VMLINUX)
	t.match("No kernel was found", t.refused("gv kaslr"), "nor by the symbols loaded")
	t.equal(t.value("(long)&working"), LINKED["working"], "symbols stay")
	t.match("No such file", t.refused("gv kaslr /nonexistent/vmlinux"), "a file that is not there")
	t.match("no 64-bit ELF", t.refused("gv kaslr " + SCRIPT), "a file that is no ELF")
	t.match("none of a kernel's symbols", t.refused("gv kaslr " + visor.built("examples/hello64.elf")),
		"no kernel's file")
	t.match("Usage", t.refused("gv kaslr a b"), "two files")
	t.x("symbol-file")
	t.match("No symbols are loaded|named|none of", t.refused("gv kaslr"), "no symbols at all")


@session("tests/guests/real.bin")
def in_real_mode(t):
	t.x("source " + SCRIPT)
	t.match("not in long mode", t.refused("gv kaslr " + VMLINUX), "real mode has no such kernel")


lib.main(__file__)
