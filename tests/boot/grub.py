#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""GRUB with gdb: from its boot sector to its prompt, with the names that GRUB's kernel has for its own functions."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import boot
import images
import lib
from lib import session

boot.need("seabios", *images.GRUB_NEEDS)

CONFIG = """serial --unit=0 --speed=115200
terminal_input serial
terminal_output serial
echo hello from grub.cfg
"""
DISK = boot.image("grub.img", images.grub_disk, CONFIG, [("hello.txt", b"a file\n")])
NAMES = images.grub_symbols()
BASE = images.GRUB_KERNEL
ELF = boot.image("grub.elf", images.symbol_file, NAMES, BASE, max(a for a, _ in NAMES.values()) + 16 - BASE)


def said(tap, v):
	tap.match(r"GRUB loading", v.text, "boot.img's text is on the serial line")
	# SeaBIOS sends the screen's text late, and a cleared screen's last character not at all.
	tap.match(r"Welcome to GRUB", v.text, "and the kernel's")
	tap.match(r"hello from grub\.cfg", v.text, "GRUB has read its configuration from the disk")


@session(args=["-b", images.path("seabios"), "-d", DISK], interrupt=["grub> "], after=said)
def to_the_prompt(t):
	with open(DISK, "rb") as f:
		boot_img, diskboot = f.read(images.SECTOR), f.read(images.SECTOR)
	t.x("break *0x7c00")
	t.equal(t.go("continue"), "breakpoint 1", "stops in boot.img")
	t.equal(t.read(0x7c00, 0x5a), boot_img[:0x5a], "which is there")
	t.match(r"jmp", t.x("x/i $pc"), "and is 16-bit code")
	t.x("tbreak *0x8000")
	t.equal(t.go("continue"), "breakpoint 2", "stops in diskboot")
	t.equal(t.where(), 0x8000, "at 0x8000")
	t.equal(t.read(0x8000, 0x1f0), diskboot[:0x1f0], "which is there")
	t.x("add-symbol-file %s -s .text 0x%x" % (ELF, BASE))
	t.x("set architecture i386")
	# What is there now is compressed code, in which a trap byte would be read as data.
	t.x("thbreak grub_disk_open")
	t.equal(t.go("continue"), "breakpoint 3", "stops in the kernel, by the name of a function")
	t.equal(t.where(), NAMES["grub_disk_open"][0], "at the function's address")
	t.match(r"<grub_disk_open>", t.x("x/i $pc"), "which gdb names")
	t.match(r"\bPE\b", t.x("info registers cr0"), "in protected mode")
	t.match(r'"hd0', t.x("x/s $eax"), "its argument is the disk's name")
	t.equal(t.go("continue"), "SIGINT", "it reaches its prompt")


def listed(tap, v):
	tap.match(r"^\W*boot/ hello\.txt", v.text, "ls of the partition shows its files")


# At its prompt GRUB reads what is typed; before that, while it asks the BIOS for a disk, the BIOS may have it for a keyboard.
@session(same=True, interrupt=[r"\(hd0\) \(hd0,msdos1\)[\s\S]*?grub> ", r"hello\.txt[\s\S]*?grub> "], after=listed)
def commands(t):
	t.x("add-symbol-file %s -s .text 0x%x" % (ELF, BASE))
	t.x("set architecture i386")
	t.x("tbreak grub_device_iterate")
	t.x("monitor serial send ls\\r")
	t.equal(t.go("continue"), "breakpoint 1", "ls is stopped where it looks for devices")
	t.equal(t.go("continue"), "SIGINT", "and shows the disk and its partition")
	t.x("monitor serial send ls (hd0,msdos1)/\\r")
	t.equal(t.go("continue"), "SIGINT", "and the file there")
	t.x("hbreak *0xfffffff0")
	t.x("monitor serial send reboot\\r")
	t.equal(t.go("continue"), "breakpoint 2", "reboot comes to the reset vector")


lib.main(__file__)
