#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The main job as a user types it: one gdb command line over a pipe, a unix socket and TCP.

gdb is given no file: it reads the symbols from the image that gdbvisor serves."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import visor

ELF = visor.built("examples/hello64.elf")


def session(tap, what, target):
	status, out, err = visor.run([
		visor.GDB, "-nx", "-batch", "-ex", "target remote " + target, "-ex", "break main",
		"-ex", "continue", "-ex", "stepi 3", "-ex", "info registers rip", "-ex", "detach"])
	main = visor.symbols(ELF)["main"][0]
	tap.equal(status, 0, what + ": gdb ends well", out + err)
	tap.match(r"^Breakpoint 1 at 0x%x" % main, out, what + ": break main")
	tap.match(r"^Breakpoint 1, main \(\)", out, what + ": continue")
	rip = tap.match(r"^rip +0x[0-9a-f]+ +0x[0-9a-f]+ <main\+[0-9]+>", out, what + ": stepi 3, info registers rip")
	tap.match(r"^\[Inferior 1 \(.*\) detached\]", out, what + ": detach")
	return rip


def main():
	visor.need_kvm()
	tap = visor.Tap()
	session(tap, "pipe", "| %s -g stdio %s" % (visor.GDBVISOR, ELF))
	for what, address in (("unix", "unix:{dir}/gdb"), ("tcp", "tcp:0"), ("tcp, host given", "tcp:127.0.0.1:0"),
			      ("tcp, port alone", "0")):
		with visor.Visor(ELF, address=address) as v:
			if tap.ok(v.target, what + ": says where it listens", v.text):
				session(tap, what, v.target)
	tap.done()


main()
