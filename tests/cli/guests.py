#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine as guests see it: interrupts, resets, string I/O, holes, the serial line, faults; with scripts."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import visor


def guest(tap, what, wanted, *args, stdin=b"", said=None):
	status, out, err = visor.run([visor.GDBVISOR, "-M", "none", *args], stdin)
	tap.equal(status, wanted, what, out + err)
	if said:
		tap.match(said, out, what + ": its output")


def serial(tap, image, what, sent, wanted):
	"""A guest that talks on COM1, by a unix socket."""
	with visor.Visor("-r", "-s", "unix:{dir}/serial", image) as v:
		if not tap.ok(v.target, what + ": starts", v.text):
			return
		s = visor.connect(v.path("serial"))
		# its prompt: it has set up its line, which empties the receiver
		got = s.recv(1)
		s.sendall(sent)
		while more := s.recv(4096):
			got += more
		tap.equal(got, b">" + wanted, what + ": sends back what it was sent")
		tap.equal(v.wait(), 1, what + ": leaves on a dot", v.text)


def main():
	visor.need_kvm()
	tap = visor.Tap()
	guest(tap, "the PIT wakes a halted CPU", 1, "-r", "tests/guests/pit.bin")
	guest(tap, "string I/O", 1, "-r", "tests/guests/strio.bin", said="string output(?s:.*)string output")
	guest(tap, "a divide error reaches the guest's handler", 7, "-r", "tests/guests/diverr.bin")
	guest(tap, "resets by 0x64, 0x92 and 0xcf9", 7, "-r", "tests/guests/reset.bin", said="0123")
	guest(tap, "accesses where no RAM is", 1, "-r", "tests/guests/mmio.elf")
	guest(tap, "one CPU where four are wanted", 0, "-e", "continue", "-e", "expect \"cpus: 1\" 60", "-e", "stop",
	      "-e", "wait 20", "-e", "write/b leave 1", "-e", "continue", "-e", "wait 20", "examples/smp4.elf")
	guest(tap, "a breakpoint in a sleeping guest's handler", 0, "-e", "break 0x%x" %
	      visor.symbols(visor.built("tests/guests/pit.elf"))["on_tick"][0],
	      "-e", "continue", "-e", "wait 20", "-e", "assert *(u32)0x7d00 == 0", "-e", "continue", "-e", "wait 20",
	      "-e", "assert *(u32)0x7d00 == 1", "-e", "delete", "-e", "continue", "-e", "wait 20", "tests/guests/pit.bin")
	guest(tap, "a triple fault can be looked at", 0, "-e", "continue", "-e", "wait 20",
	      "-e", "assert *(u32)runs == 1", "-e", "info registers", "tests/guests/triple.elf",
	      said=r"(?is)triple fault at .*<fault>.*its stack:.*the last exits:.*shutdown")
	guest(tap, "and a further continue resets", 0, "-e", "continue", "-e", "wait 20", "-e", "break fault",
	      "-e", "continue", "-e", "wait 20", "-e", "assert $rip == fault", "-e", "assert *(u32)runs == 1",
	      "tests/guests/triple.elf")
	guest(tap, "reset starts all over", 0, "-e", "break main", "-e", "continue", "-e", "wait 20", "-e", "stepi 5",
	      "-e", "reset", "-e", "assert $rip == start", "-e", "continue", "-e", "wait 20", "-e", "assert $rip == main",
	      "tests/guests/nest64.elf")
	serial(tap, "tests/guests/echo.bin", "a polling guest", b"abc" * 500 + b".", b"ABC" * 500)
	serial(tap, "tests/guests/echoirq.elf", "a guest with interrupts", b"abc" * 500 + b".", b"abc" * 500)
	tap.done()


main()
