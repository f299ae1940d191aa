#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples work: each guest with its monitor script and its gdb script, called as their first lines say."""

import os
import re
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import visor

GUESTS = (
	("boot", "boot.bin", (), "symbol-file"),
	("hello64", "hello64.elf", (), "file"),
	("smp4", "smp4.elf", ("-c", "4"), "file"),
	("mbhello", "mbhello.elf", ("-a", "one two", "-i", "examples/boot.bin its arguments"), "file"),
	("mb2hello", "mb2hello.elf", ("-a", "one two", "-i", "examples/boot.bin its arguments"), "file"),
	("high32", "high32.elf", (), "file"),
	("high64", "high64.elf", (), "file"),
)


def monitor_script(tap, name, image, args, cwd=None):
	script = os.path.abspath(visor.source("examples/%s.gv" % name))
	status, out, err = visor.run([visor.GDBVISOR, *args, "-x", script, image], cwd=cwd)
	plan = re.search(r"^1\.\.([0-9]+)$", out, re.M)
	points = len(re.findall(r"^ok ", out, re.M))
	tap.ok(plan and points == int(plan.group(1)), "%s.gv: as many test points as planned" % name, out + err)
	tap.ok(not re.search(r"^not ok|^Bail out", out, re.M), "%s.gv: all of them good" % name, out + err)
	tap.equal(status, 0, "%s.gv: the exit status" % name, out + err)


def slots(tap):
	"""This one writes files, so it has a directory of its own."""
	with tempfile.TemporaryDirectory() as directory:
		image = os.path.join(visor.BUILDDIR, "examples/slots64.elf")
		monitor_script(tap, "slots64", image, (), directory)
		tap.equal(sorted(os.listdir(directory)), ["heat.svg", "slot.bin", "slot.pgm", "slot.svg"],
			  "slots64.gv: the files it writes")


def gdb_script(tap, name, image, args, load, symbols=None):
	words = " ".join('"%s"' % a if " " in a else a for a in args)
	status, out, err = visor.run([
		visor.GDB, "-nx", "-batch", "-ex", "%s %s" % (load, symbols or "examples/%s.elf" % name),
		"-ex", "target remote | %s -g stdio %s %s" % (visor.GDBVISOR, words, image),
		"-x", visor.source("examples/%s.gdb" % name)])
	tap.equal(status, 0, "%s.gdb: the exit status" % name, out + err)
	tap.match(r"^%s: as expected$" % name, out, "%s.gdb: comes to its end" % name)


def own_linux(tap):
	"""The sessions for a Linux of one's own, with one that was built here."""
	files = visor.small_linux()
	if not files:
		tap.skip("linux", "no Linux was built here (make check-kernel)")
		return
	vmlinux, image = files
	with tempfile.TemporaryDirectory() as directory:
		initrd = os.path.join(directory, "initrd.cpio")
		with open(initrd, "wb") as f:
			f.write(b"070701" * 100)
		args = ("-m", "512M", "--decompress", "-i", initrd, "-a", "console=ttyS0 earlyprintk=serial")
		monitor_script(tap, "linux", image, (*args, "--symbols=" + vmlinux))
		gdb_script(tap, "linux", image, args, "file", vmlinux)


def pages_32():
	"""Whether this host's KVM runs guests with 32-bit paging; one that emulates kernel code may not."""
	_, out, err = visor.run([visor.GDBVISOR, "-e", "continue", "-e", "wait 10", "examples/high32.elf"])
	return not re.search(r"triple fault\n=> 0x[0-9a-f]+:\s+mov cr0, eax", out + err)


def main():
	visor.need_kvm()
	tap = visor.Tap()
	for name, image, args, load in GUESTS:
		if name == "high32" and not pages_32():
			tap.skip(name, "a guest cannot turn 32-bit paging on under this host's KVM")
			continue
		monitor_script(tap, name, "examples/" + image, args)
		gdb_script(tap, name, "examples/" + image, args, load)
	slots(tap)
	own_linux(tap)
	tap.done()


main()
