#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""ISOLINUX from a CD with gdb: El Torito's boot image, its prompt, and what is typed there."""

import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import boot
import images
import lib
from lib import session

boot.need("seabios", *images.ISOLINUX_NEEDS)

CONFIG = """SAY isolinux.cfg says hello
PROMPT 1
TIMEOUT 0
LABEL nothing
  LINUX /nothing
"""
CD = boot.image("isolinux.iso", images.isolinux_cd, CONFIG)


def shown(text):
	"""
	A pattern for TEXT as SeaBIOS tells COM1 of the screen.  ISOLINUX puts a character there in one call and moves the cursor behind it
	in another; when SeaBIOS's timer tells COM1 in between, the line goes on at the beginning of the next.
	"""
	return r"\s*".join(re.escape(c) for c in text if c != " ")


def said(tap, v):
	tap.match(r"Booting from DVD/CD", v.text, "SeaBIOS boots the CD")
	tap.match(r"ISOLINUX 6\.\d+ .*ETCD", v.text, "ISOLINUX has been loaded by El Torito")
	tap.match(shown("isolinux.cfg says hello"), v.text, "and has read its configuration")


@session(args=["-b", images.path("seabios"), "--cdrom", CD], interrupt=[shown("boot:")], after=said)
def to_the_prompt(t):
	t.x("hbreak *0x7c00")
	t.equal(t.go("continue"), "breakpoint 1", "stops at the boot image's first instruction")
	with open(images.path("isolinux"), "rb") as f:
		t.equal(t.read(0x7c40, 1984), f.read(2048)[64:], "which is isolinux.bin")
	t.ok(t.value("$edx & 0xff") >= 0x80, "DL names the drive")
	t.equal(t.go("continue"), "SIGINT", "it reaches its prompt")


@session(same=True, interrupt=[shown("No such file")])
def a_name_typed(t):
	t.x("monitor serial send nosuch\\r")
	t.equal(t.go("continue"), "SIGINT", "a name typed is looked for on the CD")


lib.main(__file__)
