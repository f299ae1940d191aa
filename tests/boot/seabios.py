#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""SeaBIOS with gdb: from the reset vector to a boot sector, on a PC with four processors."""

import os
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import boot
import images
import lib
import visor
from lib import session

boot.need("seabios")
SECOND = bytes(range(256)) * 2


def sector_disk(where):
	with open(visor.built("tests/boot/sector.bin"), "rb") as f:
		images.boot_sector(where, f.read(510))
	with open(where, "r+b") as f:
		f.seek(images.SECTOR)
		f.write(SECOND)


DISK = boot.image("sector.img", sector_disk)
READY = "boot sector here: "


def text_of_boot(tap, v):
	tap.match(r"SeaBIOS \(version ", v.text, "SeaBIOS says its name on the serial line")
	tap.match(r"Booting from Hard Disk", v.text, "and where it boots from")


def entries(t):
	count = t.value("*(unsigned short *)&map_size")
	raw = t.read(t.value("&map"), 20 * count)
	return [struct.unpack_from("<QQI", raw, 20 * i) for i in range(count)]


@session(args=["-c", "4", "-d", DISK, "-b", images.path("seabios")], symbols="tests/boot/sector.elf",
	 interrupt=[READY, " done"], after=text_of_boot)
def four_processors(t):
	t.equal(t.where(), 0xfffffff0, "the machine starts at the reset vector")
	t.match(r"ljmp +\$0xf000,\$0xe05b", t.x("x/i $pc"), "which is SeaBIOS's far jump")
	t.equal(t.read(0xffff0, 16), t.read(0xfffffff0, 16), "the firmware is below 1 MiB too")
	t.x("stepi")
	t.equal(t.where(), 0xfe05b, "a step takes the jump")
	t.x("break *0xfffffff0")
	t.x("break *0x7c00")
	t.equal(t.go("continue"), "breakpoint 2", "the breakpoint at 0x7c00 is hit")
	t.equal(t.where(), 0x7c00, "at 0x7c00")
	t.equal(t.value("$edx & 0xff"), 0x80, "DL names the first disk")
	with open(DISK, "rb") as f:
		t.equal(t.read(0x7c00, 512), f.read(512), "the disk's first sector is there")
	t.match(r"Found 4 cpu\(s\)", t.x("monitor log 1000"), "SeaBIOS has counted four processors")

	t.equal(t.go("continue"), "SIGINT", "the boot sector prints its line")
	t.equal(t.value("*(unsigned short *)&low_kib"), 639, "INT 12h")
	ram = [(base, size) for base, size, kind in entries(t) if kind == 1]
	t.equal(ram[0], (0, 0x9fc00), "E820: low memory")
	t.ok(len(ram) == 2 and ram[1][0] == 0x100000 and 120 << 20 < sum(ram[1]) <= 128 << 20, "E820: the rest of 128 MiB",
	     ram)
	t.x("monitor sendkey d")
	t.equal(t.go("continue"), "SIGINT", "a key typed at the keyboard reaches the BIOS")
	t.equal(t.value("*(unsigned char *)&status"), 0, "INT 13h reads a sector")
	t.equal(t.read(t.value("&block"), 512), SECOND, "which is the disk's second")


# The boot sector waits for a key meanwhile.
@session(same=True, symbols="tests/boot/sector.elf", interrupt=READY)
def guest_reset(t):
	t.x("hbreak *0xfffffff0")
	t.x("hbreak *0x7c00")
	t.x("monitor serial send r")
	t.equal(t.go("continue"), "breakpoint 1", "a reset of the guest's comes to the reset vector")
	t.equal(t.where(), 0xfffffff0, "at 0xfffffff0")
	t.equal(t.value("$cs"), 0xf000, "in segment 0xf000")
	t.equal(t.go("continue"), "breakpoint 2", "and to the boot sector again")
	t.equal(t.go("continue"), "SIGINT", "which runs")


@session(same=True, symbols="tests/boot/sector.elf")
def power_off(t):
	t.x("monitor serial send p")
	t.match("exited", t.go("continue") or "", "APM powers the machine off")


lib.main(__file__)
