#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The monitor's commands about devices on a PC that boots: what they show is what the guest has done with them."""

import json
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import visor

BIOS = "/usr/share/seabios/bios.bin"
VGA_BIOS = "/usr/share/seabios/vgabios-isavga.bin"
# Shows a B (INT 10h), waits for a key (INT 16h), shows it, and switches off by the power management's PMCNTRL, 0xb004.
CODE = bytes.fromhex("b8420e 31db cd10  31c0 cd16 b40e cd10  ba04b0 b80020 ef f4 ebfd")
SCRIPT = """hbreak 0x7c00
continue
wait 100
delete
%s
echo those were they
info pci 00:01.1
log 1
inject nmi
continue
expect screen /^B$/ 100
log 1
sendkey k
wait 100
echo the end
screen
info status
"""


def devices(pc):
	"""The names of the machine's devices."""
	status, out, err = visor.run([visor.GDBVISOR, *pc, "-e", "info devices -j"])
	if status:
		raise RuntimeError(out + err)
	return [row["name"] for row in json.loads(out)["result"]["devices"]]


def main():
	visor.need_kvm()
	for path in BIOS, VGA_BIOS:
		if not os.path.exists(path):
			print("1..0 # SKIP %s is not here (package seabios)" % path)
			sys.exit(0)
	tap = visor.Tap()
	with tempfile.TemporaryDirectory() as where:
		disk, script = os.path.join(where, "disk.img"), os.path.join(where, "s.gv")
		with open(disk, "wb") as f:
			f.write(CODE.ljust(510, b"\0") + b"\x55\xaa" + bytes(2047 * 512))
		pc = ["--bios", BIOS, "--vga-bios", VGA_BIOS, "--disk", disk, "-g", "none", "-s", "none"]
		names = devices(pc)
		tap.ok(len(names) > 8 and len(set(names)) == len(names), "a PC has devices, each with a name of its own", names)
		with open(script, "w", encoding="ascii") as f:
			f.write(SCRIPT % "\n".join("info devices %s -j" % n for n in names))
		status, out, err = visor.run([visor.GDBVISOR, *pc, "-x", script])
	tap.equal(status, 0, "the script meets its expectations", out + err)
	shown, _, rest = out.partition("those were they\n")
	rows = [json.loads(line)["result"] for line in shown.splitlines() if line.startswith("{")]
	tap.equal([row["name"] for row in rows], names, "each device is shown by its name")
	regs = [reg for row in rows for reg in row["registers"]]
	tap.ok(len(regs) > 100 and all(0 < reg["bits"] <= 64 and not int(reg["value"], 16) >> reg["bits"] for reg in regs),
	       "values fit their registers", regs)
	tap.match(r"8086:7010  IDE interface ", rest, "the firmware's IDE controller")
	tap.match(r"command +0x\w+  .*I/O", rest, "which it has switched on")
	tap.match(r"^Booting from 0000:7c00$", rest, "the firmware's last line for its developers")
	tap.match(r"^handle_02$", rest, "and what it says to an NMI")
	tap.match(r"^cpu 0: the guest switched itself off$", rest, "the guest's end is told in words")
	tap.match(r"^the end\n(.*\n)*Bk\n", rest, "the screen shows what was typed")
	tap.match(r"^ended: bios image ", rest, "the machine has ended")
	tap.done()


main()
