#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What gdb is given of --symbols and `symbols FILE` when it has no file of its own."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lib
import visor
from lib import session

KASLR = visor.built("tests/guests/kaslr.elf")


@session("examples/boot.bin", args=("--symbols=examples/boot.elf",))
def a_flat_image(t):
	t.match(r"boot\.S.*start", t.x("info line *0x7c00"), "gdb has lines of code that has none itself")
	t.match(r"count in section .text", t.x("info symbol 0x7c20"), "and symbols")
	t.x("break count")
	t.equal(t.go("continue"), "breakpoint 1", "a breakpoint by name is hit")


@session("tests/guests/kaslr.elf")
def moved_before_gdb_comes(t):
	t.x("monitor symbols slide 0x600000")
	t.x("disconnect")
	t.x("file")
	t.x("target remote " + t.target)
	at = int(visor.symbols(KASLR)["working"][0]) + 0x600000
	t.equal(t.value("(long)&working"), at, "the file that is offered is where the program is")


lib.main(__file__)
