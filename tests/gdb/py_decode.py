#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The unwinder's decoder beside objdump: the length of every 16-bit instruction, with random operands; hostile code."""

import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import visor

sys.dont_write_bytecode = True
sys.path.insert(0, visor.source("gdbstub"))
import gv_real16 as real16

PREFIXES = (0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3)
GAP = b"\x90" * 15      # what lets objdump come back in step


def image(rng):
	data = bytearray()
	for prefix in (b"", b"\x66", b"\x67"):
		for op in range(256):
			if op not in PREFIXES and op not in (0x0f, 0x9b):
				data += prefix + bytes([op]) + rng.randbytes(9) + GAP
			data += prefix + bytes([0x0f, op]) + rng.randbytes(9) + GAP
	return bytes(data[:0xff00])


def differences(data):
	"""How many lengths were compared, and which are not objdump's."""
	with tempfile.NamedTemporaryFile() as f:
		f.write(data)
		f.flush()
		text = subprocess.run(["objdump", "-D", "-b", "binary", "-m", "i8086", "--insn-width=16", f.name],
				      stdout=subprocess.PIPE, text=True, check=True).stdout
	code = real16.Code(lambda at, size: (data + bytes(64))[at:at + size].ljust(size, b"\0"))
	count, wrong = 0, []
	for found in re.finditer(r"^\s*([0-9a-f]+):\t((?:[0-9a-f]{2} )+)\s*\t?(\S.*)$", text, re.M):
		name = found.group(3)
		# undefined ones, and what came after real mode
		if "(bad)" in name or name.startswith((".byte", "v", "{", "data", "addr")):
			continue
		at, length = int(found.group(1), 16), len(found.group(2).split())
		count += 1
		if real16.decode(code, at, 0).length != length:
			wrong.append("%s %s" % (found.group(2), name))
	return count, wrong


def hostile(rng):
	"""Unwinds through random bytes."""
	for _ in range(20):
		data = rng.randbytes(0x1000)

		def fetch(at, size):
			if at + size > len(data):
				raise real16.Unreadable
			return data[at:at + size]

		registers = {name: rng.randrange(0x10000) for name in real16.GENERAL + real16.SEGMENTS}
		registers.update(ip=rng.randrange(0x1000), sp=rng.randrange(0x1000), bp=rng.randrange(0x1000))
		real16.caller(real16.Code(fetch), registers, 0, 0)


def followed(tap):
	"""What the fallbacks would make up for in a session: calls that take more off the stack than they put on it."""
	memory = bytearray(0x1000)
	for at, code in ((0x100, "e80d00"),                             # call 110
			 (0x110, "5053 e81b00 0e e82700 8ec0 c3"),      # push ax, bx; call 130; push cs; call 140; ret
			 (0x130, "c20400"), (0x140, "90cb"),            # ret 4; retf
			 (0x800, "0301")):
		code = bytes.fromhex(code)
		memory[at:at + len(code)] = code
	registers = dict.fromkeys(real16.GENERAL + real16.SEGMENTS, 0)
	registers.update(ip=0x110, sp=0x800)
	found = real16.way_out(real16.Code(lambda at, size: bytes(memory[at:at + size])), registers, 0, 0)
	tap.ok(found is not None, "a way out past calls that pop")
	if found:
		tap.equal((found.kind, found.registers["ip"], found.registers["sp"]), ("ret", 0x103, 0x802),
			  "to the caller")
	memory[0x131] = 2
	tap.ok(real16.way_out(real16.Code(lambda at, size: bytes(memory[at:at + size])), registers, 0, 0) is None,
	       "none when they pop something else")


def main():
	tap = visor.Tap()
	followed(tap)
	if shutil.which("objdump"):
		for seed in range(3):
			count, wrong = differences(image(random.Random(seed)))
			tap.ok(count > 5000, "instructions are compared (%d)" % seed, count)
			tap.equal(wrong, [], "their lengths are objdump's (%d)" % seed)
	else:
		tap.skip("their lengths are objdump's", "no objdump")
	hostile(random.Random(1))
	tap.ok(True, "random code has an end")
	tap.done()


main()
