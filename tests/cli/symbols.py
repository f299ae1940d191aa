#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Symbols from another file than the image: --symbols, `symbols FILE`, and what --decompress unpacks."""

import gzip
import os
import re
import struct
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import visor

FLAT, ELF = "examples/boot.bin", "examples/boot.elf"
KERNEL = "tests/guests/nest64.elf"


def bzimage(elf):
	"""A bzImage of one sector of setup code and nothing but the packed ELF in its kernel."""
	packed = gzip.compress(elf)
	payload = packed + struct.pack("<I", len(elf))
	code = bytes(0x400) + payload
	code += bytes(-len(code) % 16)
	head = bytearray(1024)
	for offset, form, value in (
			(0x1f1, "<B", 1), (0x1f4, "<I", len(code) // 16), (0x1fe, "<H", 0xaa55), (0x200, "<H", 0x66eb),
			(0x202, "<4s", b"HdrS"), (0x206, "<H", 0x20f), (0x211, "<B", 1), (0x214, "<I", 0x100000),
			(0x22c, "<I", 0x7fffffff), (0x230, "<I", 0x200000), (0x234, "<B", 1), (0x236, "<H", 1),
			(0x238, "<I", 255), (0x248, "<I", 0x400), (0x24c, "<I", len(payload)), (0x258, "<Q", 0x1000000),
			(0x260, "<I", 0x1000000)):
		struct.pack_into(form, head, offset, value)
	return bytes(head) + code


def run(*args):
	status, out, err = visor.run([visor.GDBVISOR, *args])
	return status, out + err


def said(tap, what, pattern, *args):
	status, text = run(*args)
	tap.equal(status, 0, what + ": runs", text)
	tap.match(pattern, text, what)


def refused(tap, what, wanted, pattern, *args):
	status, text = run(*args)
	tap.equal(status, wanted, "%s: status %d" % (what, wanted), text)
	tap.equal(len(text.splitlines()), 1, what + ": one line", text)
	tap.match(pattern, text, what + ": says why")


def main():
	visor.need_kvm()
	tap = visor.Tap()
	with tempfile.TemporaryDirectory(prefix="gv-") as directory:
		def write(name, data):
			path = os.path.join(directory, name)
			with open(path, "wb") as f:
				f.write(data)
			return path

		with open(visor.built(ELF), "rb") as f:
			elf = f.read()
		line = next(n for n, text in enumerate(open(visor.source("examples/boot.S")), 1) if "incl" in text)
		flat = ("--symbols=" + ELF, FLAT)
		said(tap, "a flat image has names and lines", r"<start> examples/boot\.S:11$", *flat, "-e", "info status")
		said(tap, "code by line", r"(?m)^breakpoint 1 at 0x7c20 <count> examples/boot\.S:%d$" % line, *flat,
		     "-e", "break boot.S:%d" % line)
		said(tap, "the source", r"(?m)^   %d +\tincl\tcounter$" % line, *flat, "-e", "list count")
		said(tap, "firmware too", r"0x7c20 = 31776 <count>", "--symbols=" + ELF, "-b",
		     write("rom", bytes(65520) + b"\xf4" * 16), "-e", "print count")
		said(tap, "none without", "no symbols", FLAT, "-e", "symbols")
		said(tap, "at run time", r"symbols of /.*boot\.elf, with source lines; the program is where", FLAT, "-e",
		     "symbols " + ELF)
		refused(tap, "a file that is not there", 66, "/nonexistent/vmlinux: No such file", "--symbols=/nonexistent/vmlinux",
			FLAT, "-e", "quit")
		refused(tap, "no ELF file", 66, "not an ELF file", "--symbols=" + FLAT, FLAT, "-e", "quit")
		refused(tap, "a truncated one", 66, "truncated", "--symbols=" + write("short", elf[:len(elf) // 2]), FLAT, "-e",
			"quit")
		refused(tap, "one of another machine", 66, "big-endian", "--symbols=" + write("big", elf[:5] + b"\2" + elf[6:]), FLAT,
			"-e", "quit")
		refused(tap, "a directory", 66, "Is a directory", "--symbols=/tmp", FLAT, "-e", "quit")
		with open(visor.built(KERNEL), "rb") as f:
			packed = write("bzImage", bzimage(f.read()))
		linked = visor.symbols(visor.built(KERNEL))["main"][0]
		said(tap, "what was unpacked has names", r"(?m)^0x%x = \d+ <main>$" % linked, "--decompress", packed, "-e",
		     "print main")
		said(tap, "a bzImage has none", "no symbols", packed, "-e", "symbols")
		said(tap, "but for those of its vmlinux", r"(?m)^0x%x = \d+ <main>$" % linked, "--symbols=" + KERNEL, packed, "-e",
		     "print main")
	tap.done()


main()
