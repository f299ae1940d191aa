#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every exit status there is, and that scripts drive a guest."""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import visor

HELLO = "examples/hello64.elf"
EXIT = "tests/guests/exit.bin"
TRIPLE = "tests/guests/triple.elf"

SCRIPT = """\
plan 3
break main
continue
wait 20
assert $rip == main "stopped at main"
delete
continue
expect "add up to 1240" 20
stop
wait 20
assert *(u32)(table + 12) == 1 "the table is filled"
"""


def status(tap, wanted, what, *args, stdin=b"", said=None):
	got, out, err = visor.run([visor.GDBVISOR, *args], stdin)
	tap.equal(got, wanted, "%d: %s" % (wanted, what), out + err)
	if said:
		tap.match(said, out + err, "%d: %s: says so" % (wanted, what))
	return out, err


def scripts(tap, directory):
	def write(name, text):
		path = os.path.join(directory, name)
		with open(path, "w") as f:
			f.write(text)
		return path

	good = write("good.gv", SCRIPT)
	out, err = status(tap, 0, "a script that meets all expectations", "-x", good, HELLO)
	tap.equal(re.findall(r"^(?:not )?ok \d+", out, re.M), ["ok 1", "ok 2", "ok 3"], "its test points", out + err)
	tap.match(r"^1\.\.3$", out, "its plan")
	tap.ok(all(re.match(r"(ok|not ok|1\.\.|#|$)", line) for line in out.splitlines()), "nothing but TAP", out)
	status(tap, 0, "the same from standard input", "-x", "-", HELLO, stdin=SCRIPT.encode())

	bad = write("bad.gv", "plan 1\nassert $rip == 1 \"never\"\n")
	out, _ = status(tap, 72, "an assert that fails", "-x", bad, HELLO, said=r"bad\.gv:2")
	tap.match(r"^not ok 1", out, "72: its test point")
	status(tap, 72, "an assert that fails, by -e", "-e", "assert 0", HELLO)
	status(tap, 72, "an expect that is not met", "-e", "continue", "-e", "expect \"never printed\" 1", HELLO)
	status(tap, 72, "an expect on a guest that stands still", "-e", "expect \"hello\" 100", HELLO)
	unknown = write("unknown.gv", "echo one\n\n# a comment\nfrobnicate 1\n")
	status(tap, 66, "an unknown command in a script", "-x", unknown, HELLO, said=r"unknown\.gv:4: .*frobnicate")
	malformed = write("malformed.gv", "echo one\nassert (1 +\n")
	status(tap, 66, "a malformed line in a script", "-x", malformed, HELLO, said=r"malformed\.gv:2: ")
	status(tap, 66, "a script that is not there", "-x", os.path.join(directory, "none.gv"), HELLO, said="none.gv")
	status(tap, 64, "an unknown command, by -e", "-e", "frobnicate", HELLO, said="frobnicate")


def main():
	visor.need_kvm()
	tap = visor.Tap()
	directory = visor.tempfile.mkdtemp(prefix="gv-")
	try:
		status(tap, 0, "--help", "--help", said="--memory")
		status(tap, 0, "--version", "--version", said=r"gdbvisor [0-9]")
		status(tap, 0, "quit", "-e", "quit", HELLO)
		status(tap, 9, "quit with a status", "-e", "quit 9", HELLO)
		status(tap, 43, "the guest's own", "-r", EXIT)
		with open(visor.built(EXIT), "rb") as f:
			image = bytearray(f.read())
		for value, wanted in ((0, 1), (127, 255), (128, 1)):
			image[0x10] = value
			other = os.path.join(directory, "exit%d" % value)
			with open(other, "wb") as f:
				f.write(image)
			status(tap, wanted, "the guest's own, value %d" % value, "-r", other)
		status(tap, 64, "an unknown option", "--nonsense", said="nonsense")
		status(tap, 64, "no image", said="(?i)image")
		status(tap, 66, "an image that is not there", "/nonexistent/image", said="/nonexistent/image")
		status(tap, 70, "a guest that dies unattended", "-r", TRIPLE, said="(?i)triple fault")
		status(tap, 74, "a file for the serial line that cannot be made", "-s", "file:/nonexistent/dir/x", HELLO,
		       said="/nonexistent/dir/x")
		scripts(tap, directory)
	finally:
		visor.shutil.rmtree(directory)
	tap.done()


main()
