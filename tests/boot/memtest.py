#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""memtest86+, booted by ISOLINUX, with gdb: on the serial line and on the screen."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import boot
import images
import lib
from lib import session

boot.need("seabios", "memtest", *images.ISOLINUX_NEEDS)

CONFIG = """SERIAL 0 115200
PROMPT 0
DEFAULT memtest
LABEL memtest
  LINUX /memtest
  APPEND console=ttyS0,115200
"""
CD = boot.image("memtest.iso", images.isolinux_cd, CONFIG, [("memtest", images.path("memtest"))])


@session(args=["-b", images.path("seabios"), "--cdrom", CD], interrupt="L3 Cache")
def runs(t):
	t.x("hbreak *0x7c00")
	t.equal(t.go("continue"), "breakpoint 1", "the CD's boot image is loaded")
	t.x("delete")
	# It sends its screen to the serial line once it has looked at the processor, for which, on some, it uses the x87 unit.
	t.equal(t.go("continue"), "SIGINT", "memtest86+ has started")
	t.match(r"\bPE\b", t.x("info registers cr0"), "in protected or long mode")
	screen = t.x("monitor screen")
	t.match(r"Memtest86\+ v\d", screen, "the screen shows its name")
	t.match(r"CLK/Temp: *\d+MHz", screen, "the processor's clock")
	t.match(r"Memory *: *128MB", screen, "and how much memory it has found")


lib.main(__file__)
