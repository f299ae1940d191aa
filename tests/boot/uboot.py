#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""U-Boot as the machine's firmware, with gdb: from the reset vector to its prompt, and a command there."""

import os
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import boot
import images
import lib
from lib import session

boot.need("uboot")
ROM = images.path("uboot")


def said(tap, v):
	tap.match(r"^U-Boot 20\d\d\.", v.text, "U-Boot says its version")
	tap.match(r"^DRAM: +128 MiB", v.text, "and has learnt how much memory there is")


@session(args=["-b", ROM], interrupt=["Hit any key", "=> "], after=said)
def to_the_prompt(t):
	t.equal(t.where(), 0xfffffff0, "the machine starts at the reset vector")
	with open(ROM, "rb") as f:
		rom = f.read()
	with open(os.path.join(os.path.dirname(ROM), "uboot.elf"), "rb") as f:
		elf_header = f.read(52)
	t.equal(t.read(0xfffffff0, 16), rom[-16:], "which is in the ROM")
	t.equal(t.read(0x100000000 - len(rom), 64), rom[:64], "all of which is below 4 GiB")
	t.x("stepi 2")
	t.match(r"jmp", t.x("x/i $pc"), "two steps on is the jump")
	entry, = struct.unpack_from("<I", elf_header, 24)
	t.x("break *0x%x" % entry)
	t.equal(t.go("continue"), "breakpoint 1", "a breakpoint at the ELF file's entry is hit, in the ROM")
	t.match(r"\bPE\b", t.x("info registers cr0"), "in protected mode")
	t.equal(t.go("continue"), "SIGINT", "it asks for a key")
	t.x("monitor serial send \\x20")
	t.equal(t.go("continue"), "SIGINT", "and gives its prompt")


@session(same=True, interrupt=[r"fffffff0: fa"])
def a_command(t):
	t.x("monitor serial send md.b 0xfffffff0 10\\r")
	t.equal(t.go("continue"), "SIGINT", "a command shows the reset vector's bytes")


lib.main(__file__)
