#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtio's devices with a driver of their own: console, random numbers, disk; and a driver that goes astray."""

import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import visor

GUEST = "tests/guests/virtio.elf"
SAYS = b"console\nrandom bytes\nsector one speaks\ntype: typed: abc\nthe disk has stopped\n"
BIOS = "/usr/share/seabios/bios.bin"
# Says V on port 0xe9 and leaves by 0xf4.
SECTOR = bytes.fromhex("b056 e6e9 b000 e6f4 f4 ebfd").ljust(510, b"\0") + b"\x55\xaa"
TROUBLE = "virtio-blk0: queue 0: descriptor 0 is outside memory"
SCRIPT = """continue
expect "type: " 100
stop
wait 100
info devices virtio-console
info devices virtio-blk0
info pci
reset
echo anew
info devices virtio-console
continue
expect "type: " 100
"""


def disk(path):
	with open(path, "wb") as f:
		f.write(bytes(512) + b"sector one speaks\n".ljust(512, b"\0") + bytes(62 * 512))
	return path


def talk(tap, where, how, what):
	"""The guest from beginning to end, with a disk that is opened HOW; returns the disk's sector 2 then."""
	path = disk(os.path.join(where, "disk"))
	with visor.Visor("-r", "-m", "16M", "-s", "unix:{dir}/serial", "--console=virtio", "--rng", "--disk=" + path + how,
			 GUEST) as v:
		if not tap.ok(v.target, what + ": starts", v.text):
			return None
		s = visor.connect(v.path("serial"))
		got = b""
		while not got.endswith(b"type: ") and (more := s.recv(4096)):
			got += more
		s.sendall(b"abc\n")
		while more := s.recv(4096):
			got += more
		tap.equal(got, SAYS, what + ": reads, says and hears what it should", v.text)
		tap.equal(v.wait(), 1, what + ": leaves", v.text)
		tap.equal(v.text.count(TROUBLE), 1, what + ": the mistake is told of, once", v.text)
	with open(path, "rb") as f:
		return f.read()[1024:1536]


def boot(tap, where):
	"""Firmware, which has a driver of its own, boots from a virtio disk."""
	what = "SeaBIOS boots from it"
	if not os.path.exists(BIOS):
		tap.skip(what, BIOS + " is not here")
		return
	path = os.path.join(where, "boot")
	with open(path, "wb") as f:
		f.write(SECTOR + bytes(2047 * 512))
	status, out, err = visor.run([visor.GDBVISOR, "-r", "-M", "none", "-g", "none", "-b", BIOS, "-d", path + ",virtio,ro"])
	tap.ok(status == 1 and "V" in out.partition("Booting from Hard Disk")[2], what, "status %s\n%s%s" % (status, out, err))


def main():
	visor.need_kvm()
	tap = visor.Tap()
	with tempfile.TemporaryDirectory() as where:
		tap.equal(talk(tap, where, ",virtio", "a disk")[:21], b"written by the guest\n", "the file was written")
		tap.equal(talk(tap, where, ",virtio,snapshot", "a snapshot"), bytes(512), "the file was not")
		script = os.path.join(where, "s.gv")
		with open(script, "w", encoding="ascii") as f:
			f.write(SCRIPT)
		status, out, err = visor.run([visor.GDBVISOR, "-m", "16M", "-g", "none", "-s", "none", "--console=virtio", "--rng",
					      "-d", disk(os.path.join(where, "d")) + ",virtio", "-x", script, GUEST])
		boot(tap, where)
	tap.equal(status, 0, "the script meets its expectations", out + err)
	tap.match(r"^virtio-console: console, virtio$", out, "info devices shows the console")
	tap.match(r"^  state +0x0 +running$", out, "that it runs")
	tap.match(r"^  input +0x0000 +bytes wait$", out, "and that it is open")
	tap.match(r"^  q0.taken +0x0003 +0 under way$", out, "the disk, with what it has done")
	tap.match(r"^  offered +0x\w+ +seg-max blk-size flush write-zeroes indirect event-idx version-1$", out, "what it offers")
	tap.match(r"^  capacity +0x0*40 +sectors of .*/d$", out, "and its file")
	tap.match(r"1af4:1042", out, "info pci shows the disk")
	tap.match(r"anew\n(.*\n)*  status +0x00", out, "a reset takes all of it back, and the driver begins anew")
	tap.done()


main()
