#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""iPXE, booted by ISOLINUX, with gdb: its prompt, and a command there."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import boot
import images
import lib
import visor
from lib import session

boot.need("seabios", "ipxe", *images.ISOLINUX_NEEDS)
if not lib.INSIDE:
	visor.need_kvm()
	status, _, err = visor.run([visor.GDBVISOR, "-M", "none", "-g", "none", "-r", "tests/boot/stack.bin"])
	if status == 3:
		print("1..0 # SKIP this host's KVM pushes the frames of interrupts without the stack segment's base, where iPXE"
		      " does not find them")
		sys.exit(0)

CONFIG = """SERIAL 0 115200
PROMPT 0
DEFAULT ipxe
LABEL ipxe
  LINUX /ipxe
"""
CD = boot.image("ipxe.iso", images.isolinux_cd, CONFIG, [("ipxe", images.path("ipxe"))])


def said(tap, v):
	tap.match(r"iPXE 1\.\d+", v.text, "iPXE says its version")
	tap.match(r"Features:", v.text, "and its features")


@session(args=["-b", images.path("seabios"), "--cdrom", CD], interrupt=["Press Ctrl-B", "iPXE> "], after=said)
def to_the_prompt(t):
	t.x("hbreak *0x7c00")
	t.equal(t.go("continue"), "breakpoint 1", "the CD's boot image is loaded")
	t.x("delete")
	t.equal(t.go("continue"), "SIGINT", "iPXE asks for Ctrl-B")
	t.x("monitor serial send \\x02")
	t.equal(t.go("continue"), "SIGINT", "and gives its prompt")


@session(same=True, interrupt=[r"of [1-9]\d* bytes|memory|ifstat"])
def a_command(t):
	t.x("monitor serial send help\\r")
	t.equal(t.go("continue"), "SIGINT", "help lists its commands")


lib.main(__file__)
