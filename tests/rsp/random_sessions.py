#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""
Random sessions with a running guest, and a model of it: registers and a piece of memory as they must be after each packet.
Valid packets must do what the model says, broken ones be refused and change nothing, and each be answered.  The same seed
sends the same packets.

	GV_SEED=N       the seed (1)
	GV_PACKETS=N    how many packets (3000)
"""

import os
import random
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import client
import visor

SEED = int(os.environ.get("GV_SEED", 1))
PACKETS = int(os.environ.get("GV_PACKETS", 3000))
SCRATCH, SIZE = 0x600000, 0x4000        # RAM that the guest does not use
RAM = 0x1000000
GPRS = 16                               # of 64 bits, the first in the x86-64 layout; then rip
RDI, RIP = 5, 16
QUERIES = (b"?", b"g", b"qC", b"qAttached", b"qfThreadInfo", b"qsThreadInfo", b"qThreadExtraInfo,1", b"qSupported:swbreak+",
	   b"qXfer:features:read:target.xml:0,200", b"qXfer:memory-map:read::0,100", b"qXfer:threads:read::0,80", b"qSymbol::", b"qOffsets",
	   b"qTStatus", b"vCont?", b"vMustReplyEmpty", b"Hg1", b"T1", b"qCRC:600000,100", b"qMemoryRegionInfo:600000", b"p%x" % RIP)
ALPHABET = b"0123456789abcdef,;:=.-+mMxXpP?qgTzZ\x00\x01\x7f\x80\xff "
HARMLESS = b"mxpg?qT"                   # what packets may begin with that are broken by chance: they change nothing


class Mismatch(Exception):
	pass


def number(text):
	"""A number as the protocol has it: None where it is none, or only by good will."""
	return int(text, 16) if re.fullmatch(rb"[0-9a-f]{1,16}", text) else None


class Session:
	def __init__(self, visor_, symbols, rng):
		self.v, self.symbols, self.rng = visor_, symbols, rng
		# how packets are sent: of its own, as the number of packets may depend on where the guest stops
		self.line = random.Random(rng.random())
		self.memory = bytearray(SIZE)
		self.sent = []
		self.counts = {}
		self.breaks = set()
		self.connect()
		self.zero()

	def connect(self):
		self.c = client.Client(self.v.target, ack=self.rng.random() < 0.5)
		self.c.sock.settimeout(60)
		self.breaks = set()
		self.ask(b"?")
		self.note()

	def zero(self):
		for at in range(0, SIZE, 0x1000):
			self.expect(b"M%x,1000:" % (SCRATCH + at) + b"00" * 0x1000, b"OK")

	def count(self, what):
		self.counts[what] = self.counts.get(what, 0) + 1

	def transmit(self, data):
		"""In one piece or several."""
		while data:
			n = len(data) if self.line.random() < 0.8 else self.line.randint(1, len(data))
			self.c.raw(data[:n])
			data = data[n:]

	def send(self, payload):
		self.sent = (self.sent + [payload])[-12:]
		frame = client.frame(payload)
		if self.c.ack and self.line.random() < 0.03:
			self.transmit(frame[:-2] + b"%02x" % (int(frame[-2:], 16) ^ 0x11))
			if self.c.byte() != b"-":
				raise Mismatch("a wrong checksum is not answered by a NACK")
			self.count("wrong checksums")
		self.transmit(frame)
		if self.c.ack and (b := self.c.byte()) != b"+":
			raise Mismatch("no acknowledgement but %r" % b)

	def ask(self, payload):
		self.send(payload)
		return self.c.receive()

	def expect(self, payload, wanted):
		"""WANTED: the reply, or None: an error."""
		reply = self.ask(payload)
		if reply[:1] != b"E" if wanted is None else reply != wanted:
			raise Mismatch("%r was answered by %r, not %s" % (payload[:80], reply[:80], "an error" if wanted is None else repr(wanted[:80])))

	# -- the model --

	def note(self):
		"""The machine has stopped: these are its registers."""
		self.home = self.ask(b"g")
		self.regs = [int.from_bytes(bytes.fromhex(self.ask(b"p%x" % i).decode()), "little") for i in range(GPRS + 1)]

	def inside(self, at, length):
		return SCRATCH <= at and at + length <= SCRATCH + SIZE

	def predict(self, payload):
		"""What comes of a packet: a reply, None for an error, or False where the model does not know."""
		kind, rest = payload[:1], payload[1:]
		if kind in b"mx" and kind:
			at, comma, length = rest.partition(b",")
			a, n = number(at), number(length)
			if a is None or n is None:
				return False if re.fullmatch(rb"[0-9a-fA-FxX]+,[0-9a-fA-FxX]+", rest) else None
			if not self.inside(a, n) or not n or n > 0x800:
				return False
			data = bytes(self.memory[a - SCRATCH:a - SCRATCH + n])
			return data.hex().encode() if kind == b"m" else b"b" + data
		if kind == b"p":
			i = number(rest)
			return self.regs[i].to_bytes(8, "little").hex().encode() if i is not None and i <= GPRS else False
		return False

	def check(self):
		"""All of it."""
		for i, value in enumerate(self.regs):
			self.expect(b"p%x" % i, value.to_bytes(8, "little").hex().encode())
		for at in range(0, SIZE, 0x800):
			self.expect(b"m%x,800" % (SCRATCH + at), bytes(self.memory[at:at + 0x800]).hex().encode())

	# -- what happens --

	def place(self):
		n = self.rng.choice((0, 1, 2, 3, 4, 8, 15, 16, 17, 64, 255, 1000))
		return self.rng.randrange(SIZE - n), n

	def read(self):
		at, n = self.place()
		n = max(n, 1)
		packet = b"%c%x,%x" % (self.rng.choice(b"mx"), SCRATCH + at, n)
		self.expect(packet, self.predict(packet))

	def write(self):
		at, n = self.place()
		data = self.rng.randbytes(n)
		if self.rng.random() < 0.5:
			packet = b"M%x,%x:" % (SCRATCH + at, n) + data.hex().encode()
		else:
			packet = b"X%x,%x:" % (SCRATCH + at, n) + re.sub(rb"[#$}*]", lambda m: b"}" + bytes([m[0][0] ^ 0x20]), data)
		self.expect(packet, b"OK")
		self.memory[at:at + n] = data

	def write_wrongly(self):
		at, n = self.place()
		data = self.rng.randbytes(n).hex().encode()
		packet = self.rng.choice((
			b"M%x,%x:%s00" % (SCRATCH + at, n, data), b"M%x,%x:%szz" % (SCRATCH + at, n + 1, data), b"M%x:%s" % (SCRATCH + at, data),
			b"M%x,%x:%s0" % (SCRATCH + at, n + 1, data), b"M%x,%x:%s" % (1 << 40, n + 1, data + b"00"), b"X%x,%x:" % (SCRATCH + at, n + 1),
			b"X%x,ffffffffffffffff:abc" % (SCRATCH + at), b"Mg,1:00", b"M,:", b"M", b"X", b"X:", b"P", b"P1", b"P=", b"P1=", b"P1=zz", b"P0=0011",
			b"Pffff=0000000000000000", b"P%x=00" % RIP, b"G", b"G00", b"Gzz", b"Z0", b"Z0,zz,1", b"Z0,%x,1" % (1 << 63), b"Hg77", b"Hgx",
			b"T77", b"T", b"vCont;", b"vCont;q", b"vCont;c:77", b"vCont;r1:1", b"m%x,1" % RAM, b"m%x,1" % (1 << 63), b"m", b"m,", b"x", b"x1", b"pz"))
		self.expect(packet, None)

	def register(self):
		i, value = self.rng.randrange(GPRS), self.rng.choice((0, 1, (1 << 64) - 1, 1 << 63, self.rng.getrandbits(64)))
		self.expect(b"P%x=" % i + value.to_bytes(8, "little").hex().encode(), b"OK")
		self.regs[i] = value
		i = self.rng.randrange(GPRS + 1)
		self.expect(b"p%x" % i, self.predict(b"p%x" % i))

	def query(self):
		self.ask(self.rng.choice(QUERIES))

	def broken(self):
		"""A packet that changes nothing, whatever a few changes by chance make of it."""
		packet = bytearray(self.rng.choice(QUERIES + (b"m600000,10", b"x600100,4", b"p5", b"m0,0", b"qSearch:memory:600000;100;a")))
		for _ in range(self.rng.randint(1, 4)):
			at = self.rng.randint(0, len(packet))
			how = self.rng.randrange(3)
			if how == 0 or not packet:
				packet.insert(at, self.rng.choice(ALPHABET))
			elif how == 1:
				packet[at - 1] = self.rng.choice(ALPHABET)
			else:
				del packet[at - 1]
		packet = bytes(packet)
		if packet and packet[0] not in HARMLESS:
			packet = b"q" + packet
		wanted = self.predict(packet)
		if wanted is False:
			self.ask(packet)
		else:
			self.expect(packet, wanted)

	def breakpoint(self):
		kind = self.rng.choice(b"01")
		if kind in self.breaks:
			self.expect(b"z%c,%x,1" % (kind, self.symbols["tick"][0]), b"OK")
			self.breaks.discard(kind)
		else:
			self.expect(b"Z%c,%x,1" % (kind, self.symbols["tick"][0]), b"OK")
			self.breaks.add(kind)

	def restore(self):
		"""As the guest left them: it is to go on."""
		for i in range(GPRS):
			value = int.from_bytes(bytes.fromhex(self.home[16 * i:16 * i + 16].decode()), "little")
			if value != self.regs[i]:
				self.expect(b"P%x=" % i + value.to_bytes(8, "little").hex().encode(), b"OK")
		if (now := self.ask(b"g")) != self.home:
			raise Mismatch("registers put back are %r, were %r" % (now, self.home))

	def run(self):
		self.restore()
		tick = self.symbols["tick"][0]
		if self.rng.random() < 0.5:
			self.send(self.rng.choice((b"vCont;s:1", b"s", b"vCont;s")))
			wanted = 5
		elif self.breaks:
			self.send(self.rng.choice((b"vCont;c", b"c", b"vCont;c:1")))
			wanted = 5
		else:
			self.send(b"vCont;c")
			self.c.raw(b"\x03")
			wanted = 2
		signal, fields = self.c.stop()
		if signal != wanted or int(fields[b"thread"], 16) != 1:
			raise Mismatch("a stop by %d was to come, not %d: %r" % (wanted, signal, fields))
		self.note()
		if self.regs[RIP] == tick and self.breaks:
			ticks = int.from_bytes(bytes.fromhex(self.ask(b"m%x,8" % self.symbols["ticks"][0]).decode()), "little")
			if self.regs[RDI] != ticks + 1:
				raise Mismatch("tick %d follows tick %d" % (self.regs[RDI], ticks))
			self.count("ticks")

	def part(self):
		"""The client goes in the middle of a packet; another comes."""
		self.restore()
		self.c.raw(self.rng.choice((b"$", b"$m600000,10", b"$M600000,4:00000000#", b"$M600000,4:00000000#0", b"+", b"")))
		self.c.close()
		self.connect()

	def go(self, packets):
		acts = ((self.read, 20), (self.write, 20), (self.write_wrongly, 15), (self.register, 12), (self.query, 10), (self.broken, 30),
			(self.breakpoint, 4), (self.run, 5), (self.part, 0.3), (self.check, 0.7))
		for _ in range(packets):
			act, = self.rng.choices([a for a, _ in acts], [n for _, n in acts])
			self.count(act.__name__)
			act()
		self.check()
		table = self.ask(b"m%x,80" % self.symbols["table"][0]).decode()
		words = [int.from_bytes(bytes.fromhex(table[i:i + 8]), "little") for i in range(0, len(table), 8)]
		if words != [w for n in range(16) for w in (n, n * n)]:
			raise Mismatch("the guest's table is %r" % words)


def main():
	visor.need_kvm()
	tap = visor.Tap()
	symbols = visor.symbols(visor.built("examples/hello64.elf"))
	with visor.Visor("-m", "16M", visor.built("examples/hello64.elf")) as v:
		c = client.Client(v.target)
		c.send(b"vCont;c")
		tap.ok(v.wait_text("ticking until"), "the guest ticks", v.text)
		c.close()
		s = Session(v, symbols, random.Random(SEED))
		try:
			s.go(PACKETS)
			tap.ok(True, "%d random acts with seed %d: %s" % (PACKETS, SEED, ", ".join("%s %d" % i for i in sorted(s.counts.items()))))
		except (Mismatch, client.ProtocolError, OSError) as e:
			tap.ok(False, "%d random acts with seed %d" % (PACKETS, SEED), "%s\nsent last: %s" % (
				e or type(e).__name__, "\n".join(repr(p[:100]) for p in s.sent)))
			tap.done()
		s.restore()
		for kind in s.breaks:
			s.expect(b"z%c,%x,1" % (kind, symbols["tick"][0]), b"OK")
		s.expect(b"M%x,4:01000000" % symbols["leave"][0], b"OK")
		s.send(b"vCont;c")
		s.c.ack = False         # nobody may be there any more to take it
		tap.equal(s.c.receive(), b"W01", "the guest leaves when told")
		tap.equal(v.wait(), 1, "and its status is gdbvisor's")
	tap.done()


main()
