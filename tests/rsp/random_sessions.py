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
RDI, RIP, XMM0, XMMS = 5, 16, 54, 16
BEYOND = 0x800000                       # the same, for more than the model has
TOP = RAM - 0x40                        # the last bytes of RAM, which the guest does not use either
DOCUMENTS = (b"features:read:target.xml", b"memory-map:read:", b"threads:read:", b"exec-file:read:1")
# What is attached to a breakpoint, and when it stops: "odd" where rdi is (agent expressions, gdb's manual, "Bytecode Descriptions").
TRIGGERS = {"always": b"", "odd": b";X7,26000522010f27", "twice": b";X3,220027;X7,26000522010f27", "never": b";X3,220027",
	    "commands": b";cmds:0,X3,220127"}
STOPS = ("always", "odd", "twice")
SETTINGS = (b"QPassSignals:", b"QPassSignals:e;10;14", b"QProgramSignals:0;1;2", b"QThreadEvents:1", b"QThreadEvents:0", b"QNonStop:0",
	    b"Qqemu.sstep=1", b"Qqemu.sstep=0x3", b"Qqemu.PhyMemMode:1", b"Qqemu.PhyMemMode:0", b"QEnableErrorStrings", b"Hg1", b"Hg0", b"Hc1",
	    b"Hc-1", b"Hc0", b"T1", b"!", b"vCtrlC")
QUERIES = (b"?", b"g", b"qC", b"qAttached", b"qfThreadInfo", b"qsThreadInfo", b"qThreadExtraInfo,1", b"qSupported:swbreak+",
	   b"qXfer:features:read:target.xml:0,200", b"qXfer:memory-map:read::0,100", b"qXfer:threads:read::0,80", b"qSymbol::", b"qOffsets",
	   b"qTStatus", b"vCont?", b"vMustReplyEmpty", b"Hg1", b"T1", b"qCRC:600000,100", b"qMemoryRegionInfo:600000", b"p%x" % RIP)
ALPHABET = b"0123456789abcdef,;:=.-+mMxXpP?qgTzZ\x00\x01\x03\x7f\x80\xff "
HARMLESS = b"mxpg?qT"                   # what packets may begin with that are broken by chance: they change nothing


class Mismatch(Exception):
	pass


def number(text):
	"""A number as the protocol has it: None where it is none, or only by good will."""
	return int(text, 16) if re.fullmatch(rb"[0-9a-f]{1,16}", text) else None


def crc(data):
	"""As gdb has it: the highest bit first, from all ones, nothing inverted at the end."""
	value = 0xffffffff
	for byte in data:
		value ^= byte << 24
		for _ in range(8):
			value = (value << 1 ^ (0x04c11db7 if value >> 31 else 0)) & 0xffffffff
	return value


def escape(data):
	return re.sub(rb"[#$}*]", lambda m: b"}" + bytes([m[0][0] ^ 0x20]), data)


def digits(value, size=8):
	return value.to_bytes(size, "little").hex().encode()


class Session:
	def __init__(self, visor_, symbols, rng):
		self.v, self.symbols, self.rng = visor_, symbols, rng
		self.tick, self.ticks = symbols["tick"][0], symbols["ticks"][0]
		# how packets are sent: of its own, as the number of packets may depend on where the guest stops
		self.line = random.Random(rng.random())
		self.memory = bytearray(SIZE)
		self.sent, self.packets = [], 0
		self.counts = {}
		self.vectors = {}               # registers that the guest does not use
		self.connect()
		self.zero()
		self.top = bytes.fromhex(self.ask(b"m%x,40" % TOP).decode())
		n = 0
		while (value := self.ask(b"p%x" % n))[:1] != b"E":
			n += 1
		self.registers = n

	def connect(self):
		self.c = client.NonStop(self.v.target, ack=self.rng.random() < 0.5)
		self.c.sock.settimeout(visor.DEADLINE)
		self.breaks = {}                # of tick(): what is attached to each kind
		self.interrupted = False        # by Ctrl-C, which the next run is to hear of
		self.watches = set()            # kinds, of ticks
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
		self.packets += 1
		frame = client.frame(payload)
		if self.c.ack and self.line.random() < 0.03:
			self.transmit(frame[:-2] + b"%02x" % (int(frame[-2:], 16) ^ 0x11))
			if self.c.acknowledged() != b"-":
				raise Mismatch("a wrong checksum is not answered by a NACK")
			self.count("wrong checksums")
		self.transmit(frame)
		if self.c.ack and (b := self.c.acknowledged()) != b"+":
			raise Mismatch("%r is answered by %r" % (payload[:80], b))

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
		self.saved = []
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
		for i, value in self.vectors.items():
			self.expect(b"p%x" % i, value.hex().encode())
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
			packet = b"X%x,%x:" % (SCRATCH + at, n) + escape(data)
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
			b"T77", b"T", b"vCont;", b"vCont;q", b"vCont;c:77", b"vCont;r1:1", b"m%x,1" % RAM, b"m%x,1" % (1 << 63), b"m", b"m,", b"x", b"x1", b"pz",
			b"vCont;t", b"vStopped", b"vCont;s:1;q", b"vCont;r5,", b"QNonStop:2", b"QThreadEvents:", b"Qqemu.sstep=2", b"Qqemu.PhyMemMode:2",
			b"QRestoreRegisterState:999", b"qXfer:features:read:none.xml:0,10", b"qXfer:memory-map:read::fffffff,1", b"qXfer:threads:read::0",
			b"qSearch:memory:%x;100;" % SCRATCH, b"qSearch:memory:;;a", b"Z0,%x,2" % self.tick, b"Z1,%x,1;X3,22" % self.tick,
			b"Z0,%x,1;X1,00" % self.tick, b"Z0,%x,1;X3,222727;cmds" % self.tick, b"Z1,%x,1;X2,2f27" % self.tick, b"Z0,%x,1;cmds:0,X9,2227" % self.tick,
			b"Z2,%x,0" % SCRATCH, b"Z2,%x,%x" % (SCRATCH, (1 << 64) - 1), b"z0,%x,1;X3,220027" % self.tick, b"C", b"Szz", b"c%xg" % self.tick))
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

	def vector(self):
		"""A register of SSE's, whole; or one of too few bytes, which is refused."""
		i, value = XMM0 + self.rng.randrange(XMMS), self.rng.randbytes(16)
		if self.rng.random() < 0.2:
			self.expect(b"P%x=" % i + value[:self.rng.randrange(16)].hex().encode(), None)
		else:
			self.expect(b"P%x=" % i + value.hex().encode(), b"OK")
			self.vectors[i] = value
		for i in self.rng.sample(sorted(self.vectors), min(len(self.vectors), 2)):
			self.expect(b"p%x" % i, self.vectors[i].hex().encode())

	def same(self):
		"""Any register takes what it has, and nothing of another length."""
		i = self.rng.randrange(self.registers)
		value = self.ask(b"p%x" % i)
		if value[:1] == b"x":
			return
		self.expect(b"P%x=%s" % (i, self.rng.choice((value[2:], value + b"00", value[:-1], b""))), None)
		self.expect(b"P%x=%s" % (i, value), b"OK")
		self.expect(b"p%x" % i, value)

	def all_registers(self):
		"""Some of them by G; or all of a G that has something wrong at its end, which undoes what went before."""
		values = list(self.regs)
		for i in self.rng.sample(range(GPRS), self.rng.randint(0, 5)):
			values[i] = self.rng.getrandbits(64)
		packet = b"G" + b"".join(digits(v) for v in values[:GPRS]) + self.ask(b"g")[16 * GPRS:]
		if self.rng.random() < 0.4:
			at = 1 + 16 * RIP
			bad = (packet[:-1], packet[:-2], packet + b"00", packet[:-2] + b"zz", packet[:at] + digits(1 << 63) + packet[at + 16:])
			self.expect(self.rng.choice(bad), None)
		else:
			self.expect(packet, b"OK")
			self.regs = values
		i = self.rng.randrange(GPRS + 1)
		self.expect(b"p%x" % i, self.predict(b"p%x" % i))

	def put_away(self):
		"""Registers as they were when they were put away, once."""
		if self.saved and self.rng.random() < 0.6:
			one, self.regs = self.saved.pop(self.rng.randrange(len(self.saved)))
			self.expect(b"QRestoreRegisterState:%d" % one, b"OK")
			self.expect(b"QRestoreRegisterState:%d" % one, None)
		else:
			reply = self.ask(b"QSaveRegisterState")
			if not reply.isdigit():
				raise Mismatch("registers put away: %r" % reply)
			self.saved = (self.saved + [(int(reply), list(self.regs))])[-16:]

	def look_through(self):
		at, n = self.place()
		part = bytes(self.memory[at:at + n])
		if self.rng.random() < 0.3:
			self.expect(b"qCRC:%x,%x" % (SCRATCH + at, n), b"C%x" % crc(part))
			return
		if len(part) > 8 and self.rng.random() < 0.5:
			start = self.rng.randrange(len(part) - 4)
			pattern = part[start:start + self.rng.randint(1, 9)]
		else:
			pattern = self.rng.randbytes(self.rng.randint(1, 3))
		found = part.find(pattern)
		self.expect(b"qSearch:memory:%x;%x;" % (SCRATCH + at, n) + escape(pattern), b"0" if found < 0 else b"1,%x" % (SCRATCH + at + found))

	def look_far(self):
		"""More than is looked through at once, up to something that is there once."""
		at, marker = BEYOND + self.rng.choice((self.rng.randrange(1 << 19), (1 << 18) - self.rng.randrange(16))), self.rng.randbytes(8)
		self.expect(b"M%x,8:" % at + marker.hex().encode(), b"OK")
		self.expect(b"qSearch:memory:%x;%x;" % (BEYOND, (1 << 19) + 16) + escape(marker), b"1,%x" % at)
		self.expect(b"M%x,8:" % at + b"00" * 8, b"OK")
		self.expect(b"qSearch:memory:%x;%x;" % (BEYOND, (1 << 19) + 16) + escape(marker), b"0")

	def document(self):
		"""Pieces of one, from anywhere, are those of the whole."""
		name = b"qXfer:" + self.rng.choice(DOCUMENTS)
		whole = b""
		while (reply := self.ask(name + b":%x,%x" % (len(whole), self.rng.choice((1 << 12, 1 << 20)))))[:1] == b"m" and len(reply) > 1:
			whole += reply[1:]
		if reply[:1] != b"l":
			raise Mismatch("%r ends by %r" % (name, reply[:40]))
		whole += reply[1:]
		for _ in range(4):
			at, n = self.rng.randint(1, len(whole)), self.rng.choice((0, 1, 7, 64, 1000))
			self.expect(name + b":%x,%x" % (at, n), (b"m" if at + n < len(whole) else b"l") + whole[at:at + n])
		self.expect(name + b":%x,1" % (len(whole) + 1 + self.rng.getrandbits(40)), None)

	def edge(self):
		"""At RAM's end: what is there is read; what is not, is refused, though the bytes before it are written."""
		n = self.rng.randint(1, 0x40)
		data, beyond = self.rng.randbytes(n), self.rng.randint(1, 0x20)
		if self.rng.random() < 0.5:
			self.expect(b"M%x,%x:" % (RAM - n, n + beyond) + (data + bytes(beyond)).hex().encode(), None)
		else:
			self.expect(b"X%x,%x:" % (RAM - n, n + beyond) + escape(data + bytes(beyond)), None)
		self.expect(b"m%x,%x" % (RAM - n, n + beyond), data.hex().encode())
		self.expect(b"M%x,40:" % TOP + self.top.hex().encode(), b"OK")
		self.expect(b"x%x,%x" % (TOP, 0x40 + beyond), b"b" + self.top)

	def long(self):
		"""A packet about as long as they may be."""
		size = int(re.search(rb"PacketSize=([0-9a-f]+)", self.ask(b"qSupported"))[1], 16)
		length = size + self.rng.randint(-1, 1)
		head = b"X%x,%05x:" % (BEYOND, length - len(b"X%x,00000:" % BEYOND))
		self.expect(head + escape(self.rng.randbytes(1)) * (length - len(head)), b"OK" if length <= size else None)

	def settings(self):
		packet = self.rng.choice(SETTINGS)
		self.expect(packet, b"OK")
		self.interrupted |= packet == b"vCtrlC"
		self.interrupted &= packet != b"QNonStop:0"

	def noise(self):
		"""Bytes between packets, a packet that another one cuts off, and Ctrl-C where nothing runs: nobody answers yet."""
		if self.c.ack and self.rng.random() < 0.4:
			reply = self.ask(b"m%x,20" % SCRATCH)
			self.c.raw(b"-")
			if (again := self.c.receive()) != reply:
				raise Mismatch("what was sent again is %r, was %r" % (again, reply))
			return
		noise = self.rng.choice((b"+", b"\x03", b"\x03\x03\x03", b"noise\n\x00\xff", b"$m600000,4", b"$P0=00}", b"$X600000,4:\x03}\x03", b"$" * 50))
		self.c.raw(noise)
		self.interrupted |= noise[:1] == b"\x03"
		self.expect(b"qC", b"QC1")

	def breakpoint(self):
		kind = self.rng.choice(b"01")
		if kind in self.breaks and self.rng.random() < 0.5:
			self.expect(b"z%c,%x,1" % (kind, self.tick), b"OK")
			del self.breaks[kind]
		else:
			self.breaks[kind] = self.rng.choice(sorted(TRIGGERS))
			self.expect(b"Z%c,%x,1%s" % (kind, self.tick, TRIGGERS[self.breaks[kind]]), b"OK")

	def watch(self):
		kind = self.rng.choice(b"24")
		self.expect((b"z" if kind in self.watches else b"Z") + b"%c,%x,8" % (kind, self.ticks), b"OK")
		self.watches ^= {kind}

	def restore(self):
		"""As the guest left them: it is to go on."""
		for i in range(GPRS):
			value = int.from_bytes(bytes.fromhex(self.home[16 * i:16 * i + 16].decode()), "little")
			if value != self.regs[i]:
				self.expect(b"P%x=" % i + value.to_bytes(8, "little").hex().encode(), b"OK")
		if (now := self.ask(b"g")) != self.home:
			raise Mismatch("registers put back are %r, were %r" % (now, self.home))

	def stopped(self, signal, wanted):
		if signal != wanted:
			raise Mismatch("a stop by %d was to come, not %d" % (wanted, signal))
		self.note()
		if self.regs[RIP] != self.tick or not self.breaks:
			return
		ticks = int.from_bytes(bytes.fromhex(self.ask(b"m%x,8" % self.ticks).decode()), "little")
		if self.regs[RDI] != ticks + 1:
			raise Mismatch("tick %d follows tick %d" % (self.regs[RDI], ticks))
		self.count("ticks")

	def run(self):
		self.restore()
		stops = [w for w in self.breaks.values() if w in STOPS]
		steps = self.rng.random() < 0.5
		if steps:
			pc = self.regs[RIP]
			self.send(self.rng.choice((b"vCont;s:1", b"s", b"vCont;s", b"S05", b"vCont;s:1;c", b"vCont;S05:1;c:1", b"vCont;s:p1.1;c:p1.-1",
						   b"vCont;r%x,%x:1;c" % (pc, pc + 1))))
		elif stops or self.watches:
			self.send(self.rng.choice((b"vCont;c", b"c", b"vCont;c:1", b"vCont;C05:1;s:1", b"C0b", b"vCont;c:1;s")))
		else:
			self.send(self.rng.choice((b"vCont;c", b"vCont;c;s:1", b"c")))
			if not self.interrupted:
				self.c.raw(b"\x03")
		signal, fields = self.c.stop()
		if int(fields[b"thread"], 16) != 1:
			raise Mismatch("a stop of %r" % fields)
		if self.interrupted:
			self.interrupted = False
			# Unless something else came first.
			self.stopped(signal, 5 if signal == 5 and (steps or stops or self.watches) else 2)
			self.count("runs interrupted beforehand" if signal == 2 else "runs interrupted too late")
			return
		self.stopped(signal, 5 if steps or stops or self.watches else 2)
		if not steps and stops and not self.watches:
			if self.regs[RIP] != self.tick:
				raise Mismatch("a breakpoint at %#x stops at %#x" % (self.tick, self.regs[RIP]))
			if "always" not in stops and not self.regs[RDI] & 1:
				raise Mismatch("a condition that rdi is odd holds with %d" % self.regs[RDI])

	def nonstop(self):
		"""A step and a stop in non-stop mode, and back."""
		self.restore()
		self.expect(b"QNonStop:1", b"OK")
		self.interrupted = False
		if self.ask(b"?")[:1] != b"T":
			raise Mismatch("? in non-stop mode")
		self.expect(b"vStopped", b"OK")
		for packet, signals in ((b"vCont;s:1", (5,)), (b"vCont;c", (0, 5))):
			self.expect(packet, b"OK")
			if len(signals) > 1:
				self.expect(b"vCont;t:1", b"OK")
			stops = self.c.wait()
			if len(stops) != 1 or stops[0][0] not in signals or stops[0][1] != 1:
				raise Mismatch("%r is followed by %r" % (packet, stops))
		self.expect(b"QNonStop:0", b"OK")
		self.ask(b"?")
		self.note()

	def part(self):
		"""The client goes in the middle of a packet; another comes."""
		self.restore()
		self.c.raw(self.rng.choice((b"$", b"$m600000,10", b"$M600000,4:00000000#", b"$M600000,4:00000000#0",
					 b"$X600000,ff:\x03}", b"$vCont;c", b"$QNonStop:1#", b"$m600000,10#99$", b"-", b"\x03", b"+", b"")))
		self.c.close()
		self.connect()

	def go(self, packets):
		acts = ((self.read, 20), (self.write, 20), (self.write_wrongly, 15), (self.register, 12), (self.query, 10), (self.broken, 30),
			(self.vector, 6), (self.same, 6), (self.all_registers, 5), (self.put_away, 5), (self.look_through, 8), (self.document, 2),
			(self.edge, 3), (self.long, 0.6), (self.look_far, 1), (self.settings, 6), (self.noise, 4), (self.nonstop, 1), (self.watch, 0.5), (self.breakpoint, 5), (self.run, 5),
			(self.part, 0.3), (self.check, 0.7))
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
		except (Mismatch, client.ProtocolError, OSError, ValueError) as e:
			tap.ok(False, "%d random acts with seed %d" % (PACKETS, SEED), "%s\nsent last: %s" % (
				e or type(e).__name__, "\n".join(repr(p[:100]) for p in s.sent)))
			tap.done()
		print("# NUMBERS: packets of random sessions: %d" % s.packets)
		s.restore()
		s.c.close()             # which takes breakpoints and watchpoints away
		s.connect()
		s.expect(b"M%x,4:01000000" % symbols["leave"][0], b"OK")
		s.send(b"vCont;c")
		s.c.ack = False         # nobody may be there any more to take it
		tap.equal(s.c.receive(), b"W01", "the guest leaves when told")
		tap.equal(v.wait(), 1, "and its status is gdbvisor's")
	tap.done()


main()
