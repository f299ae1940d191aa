#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""
Page tables that loop, lead outside memory, to devices and to themselves, in every paging mode, while a debugger reads through them: each
read is answered, at once, by what a walker of the test's own finds there, or by an error.

	GV_SEED=N       the first seed (1)
	GV_STORMS=N     how many times as many tables (1)
"""

import os
import random
import struct
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "rsp"), os.path.join(HERE, "..")]
import client
import visor

SEED = int(os.environ.get("GV_SEED", 1))
STORMS = int(os.environ.get("GV_STORMS", 1))
ROUNDS, READS = 6, 60
RAM = 16 << 20
POOL, TABLES = 0x600000, 16             # where tables are, and how many
HOLES = (RAM, 0x80000000, 0xfee00000, 0xfec00000, 0xfffff000, 0x40000000)
PRESENT, LARGE = 0x67, 0x80


class Mode:
	"""LEVELS of page tables with entries of SIZE bytes; how the machine comes into it and, for what is physical, out of it."""

	def __init__(self, name, boot, levels, size, on, off):
		self.name, self.boot, self.levels, self.size, self.on, self.off = name, boot, levels, size, on, off
		self.bits = 10 if size == 4 else 9

	def indexed(self, level):
		"""How many bits of an address the table of LEVEL (1: the last) is indexed by."""
		return 2 if self.size == 8 and self.levels == 3 and level == 3 else self.bits

	def shift(self, level):
		return 12 + self.bits * (level - 1)

	def address(self, rng):
		top = self.shift(self.levels) + self.indexed(self.levels)
		at = rng.getrandbits(top) & ~7
		if self.boot == "long" and at >> (top - 1):
			at |= (1 << 64) - (1 << top)
		return at


MODES = (
	Mode("32-bit", "protected", 2, 4, ("$cr4 = 0x10", "$cr3 = %#x" % POOL, "$cr0 = 0x80000011"), ("$cr0 = 0x11",)),
	Mode("PAE", "protected", 3, 8, ("$cr4 = 0x20", "$cr3 = %#x" % POOL, "$cr0 = 0x80000011"), ("$cr0 = 0x11",)),
	Mode("4 levels", "long", 4, 8, ("$cr3 = %#x" % POOL,), ("$cr3 = HOME",)),
	Mode("5 levels", "long", 5, 8, ("$cr3 = %#x" % POOL, "$cr4 = $cr4 | 0x1000"), ("$cr4 = $cr4 & ~0x1000", "$cr3 = HOME")),
)


class Session:
	def __init__(self, v, mode, rng):
		self.c, self.mode, self.rng = client.Client(v.target), mode, rng
		self.c.ask(b"?")
		self.home = self.monitor("print $cr3").split()[0]
		self.memory = bytearray(RAM)
		for at in range(POOL, POOL + 0x20000, 8):
			self.memory[at:at + 8] = rng.randbytes(8)

	def monitor(self, line):
		self.c.send(b"qRcmd," + line.encode().hex().encode())
		text = b""
		while (reply := self.c.receive())[:1] == b"O" and reply != b"OK":
			text += bytes.fromhex(reply[1:].decode())
		return text.decode()

	def switch(self, settings):
		"""What refused to be set, or None."""
		for setting in settings:
			said = self.monitor("set " + setting.replace("HOME", self.home))
			if said:
				return said
		return None

	def entry(self, level):
		r, size = self.rng, self.mode.size
		page = r.choice((POOL + r.randrange(TABLES) * 0x1000, POOL + r.randrange(TABLES) * 0x1000, POOL, r.randrange(RAM) & ~0xfff,
				 r.choice(HOLES), r.randrange(1 << 32) & ~0xfff))
		if not r.randrange(5):
			return r.getrandbits(8 * size) & ~1
		# the entries of PAE's first level have neither rights nor sizes
		if size == 8 and self.mode.levels == 3 and level == 3:
			return page | 1
		if level == 2 and not r.randrange(4):
			return (page & ~((1 << self.mode.shift(2)) - 1)) | PRESENT | LARGE
		return page | PRESENT

	def fill(self):
		"""The first table is the top; each is used at any level, so that size bits turn up where they are none: only level 2 may have some."""
		size = self.mode.size
		for table in range(TABLES):
			for i in range(0x1000 // size):
				level = self.mode.levels if not table else self.rng.randint(1, self.mode.levels - 1)
				at = POOL + table * 0x1000 + i * size
				self.memory[at:at + size] = self.entry(level).to_bytes(size, "little")
		for at in range(POOL, POOL + 0x20000, 0x800):
			if self.c.ask(b"M%x,800:" % at + self.memory[at:at + 0x800].hex().encode()) != b"OK":
				raise AssertionError("memory cannot be written at %#x" % at)

	def walk(self, gva):
		"""The 8 bytes there; None: nothing is; False: what they are is for the processor to say (reserved bits)."""
		m, table = self.mode, POOL
		for level in range(m.levels, 0, -1):
			at = table + (gva >> m.shift(level) & ((1 << m.indexed(level)) - 1)) * m.size
			if at + m.size > RAM:
				return None
			e = int.from_bytes(self.memory[at:at + m.size], "little")
			if not e & 1:
				return None
			if e & LARGE and level > 2 or e >> 32 or e & 0x1e0000 and e & LARGE and level == 2:
				return False
			table = e & ~0xfff
			if e & LARGE and level == 2:
				table = (e & ~((1 << m.shift(2)) - 1)) | (gva & ((1 << m.shift(2)) - 1) & ~0xfff)
				break
		at = table + (gva & 0xfff)
		return bytes(self.memory[at:at + 8]) if at + 8 <= RAM else None

	def read(self, gva):
		got = self.c.ask(b"m%x,8" % gva)
		wanted = self.walk(gva)
		if wanted is False:
			return None
		if got[:1] == b"E" if wanted is None else got == wanted.hex().encode():
			return wanted is not None
		# a device, or the ROM: whatever it says
		if wanted is None and self.outside(gva):
			return False
		raise AssertionError("%#x reads as %r, not %r: %s" % (gva, got, wanted and wanted.hex(), self.monitor("translate %#x" % gva)))

	def region(self, gva):
		"""Is told of at once, however many there are in front of it."""
		told = dict(f.split(b":") for f in self.c.ask(b"qMemoryRegionInfo:%x" % gva).split(b";") if f)
		start, size = int(told[b"start"], 16), int(told[b"size"], 16)
		if not start <= gva <= start + size or self.walk(gva) and b"permissions" not in told:
			raise AssertionError("%#x is in a region %r" % (gva, told))

	def outside(self, gva):
		where = self.monitor("translate %#x" % gva)
		return "no slot" not in where and "slot 0" not in where

	def go(self):
		counts = {True: 0, False: 0, None: 0}
		for _ in range(ROUNDS * STORMS):
			if self.switch(self.mode.off):
				raise AssertionError("paging cannot be left")
			self.fill()
			if said := self.switch(self.mode.on):
				return said
			for _ in range(READS):
				counts[self.read(self.mode.address(self.rng))] += 1
			for _ in range(4):
				self.region(self.mode.address(self.rng))
			for line in ("slot check", "info registers", "backtrace", "x/4i $pc"):
				self.monitor(line)
			for packet in (b"qSearch:memory:%x;%x;no such thing" % (self.mode.address(self.rng), 1 << 24), b"qCRC:%x,%x" % (
					self.mode.address(self.rng), 1 << 20), b"Z0,%x,1" % (
					at := self.mode.address(self.rng)), b"z0,%x,1" % at, b"m%x,4000" % self.mode.address(self.rng), b"g"):
				self.c.ask(packet)
		self.monitor("info mem")
		return counts


def main():
	visor.need_kvm()
	tap = visor.Tap()
	reads = 0
	with tempfile.TemporaryDirectory() as where:
		image = os.path.join(where, "loop")
		with open(image, "wb") as f:
			f.write(b"\xeb\xfe")
		for mode in MODES:
			with visor.Visor("-k", "flat", "--mode=" + mode.boot, "-m", "16M", "--tdesc=x86-64", image) as v:
				what = "%s, seed %d" % (mode.name, SEED)
				if not tap.ok(v.target, what + ": starts", v.text):
					continue
				try:
					s = Session(v, mode, random.Random("%s %d" % (mode.name, SEED)))
					counts = s.go()
				except (AssertionError, client.ProtocolError, OSError) as e:
					tap.ok(False, what, "%s: %s" % (type(e).__name__, e))
					continue
				if isinstance(counts, str):
					tap.skip(what, counts.strip())
					continue
				reads += sum(counts.values())
				tap.ok(counts[True] > 5 and counts[False] > 5, "%s: %d read, %d refused, %d for the processor to judge" % (
					what, counts[True], counts[False], counts[None]))
	print("# NUMBERS: reads through hostile page tables: %d" % reads)
	tap.done()


main()
