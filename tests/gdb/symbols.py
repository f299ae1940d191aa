#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What gdb is given of --symbols and `symbols FILE` when it has no file of its own."""

import os
import subprocess
import sys
import tempfile

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


@session("examples/hello64.elf", connect=False)
def stripped(t):
	whole = visor.built("examples/hello64.elf")
	with tempfile.TemporaryDirectory(prefix="gv-") as directory:
		image = os.path.join(directory, "image")
		subprocess.run(["strip", "-o", image, whole], check=True)
		t.x("symbol-file " + whole)
		t.x("target remote | %s -g stdio -s none %s" % (visor.built("gdbvisor"), image))
		t.match("^main in section .text", t.x("info symbol main"), "an image without symbols is not offered in place of gdb's own")
		t.x("detach")


lib.main(__file__)
