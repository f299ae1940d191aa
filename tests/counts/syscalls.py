#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""
What a debugger's operations cost in system calls, of the real program on the real KVM: counted by strace, and held against
tests/counts/bounds.  Marks in the protocol say in the trace where a round of operations begins and ends, so all is one run; a round
of none is subtracted.  Of several rounds, those count in which no timer went off, and of these the median: how many calls time
brings is the host's affair.
"""

import collections
import os
import re
import shutil
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "rsp")]
import client
import gate
import visor

ROUNDS = 25
TIMES = 6               # operations a round
SLACK = 0.25            # what else may come by in the median round; what comes with each operation is 1 at least
FALSE = b"X3,220027"    # an agent expression: constant 0
GUEST = "tests/counts/loop"
MARK = re.compile(r"\$qCountMark:([^#]*)#")
CALL = re.compile(r"\d+\s+(\w+)\((.*)")
FILE = re.compile(r"\d+<(?:anon_inode:)?(\[?[\w-]+)")
TIMER = re.compile(r"\d+\s+read\(\d+<anon_inode:\[timerfd\]>.* = 8$")


def named(call, rest):
	"""A call's name, with what tells it from others of that name."""
	words = rest.split(", ")
	if call in ("ioctl", "futex") and len(words) > 1:
		return words[1].split(" ")[0].rstrip(")")
	file = FILE.match(rest) if call in ("read", "write", "poll") else None
	return call + " " + file.group(1).strip("[]").lower() if file else call


def read_trace(path):
	"""(operation, round) -> the calls between its marks, by name; and those rounds in which a timer went off."""
	found, now, ticked = {}, None, set()
	with open(path, errors="replace") as f:
		for line in f:
			mark = MARK.search(line)
			call = CALL.match(line)
			if mark:
				now = None
				if mark.group(1) != "end":
					name, turn = mark.group(1).rsplit(":", 1)
					at = name, int(turn)
					now = found.setdefault(at, collections.Counter())
			elif now is not None and call:
				now[named(*call.groups())] += 1
				if TIMER.match(line):
					ticked.add(at)
			elif now is not None and re.match(r"\d+\s+--- SIG", line):
				now["signal"] += 1
	return found, ticked


class Rounds:
	"""Operations between marks."""

	def __init__(self, c, symbols):
		self.c, self.symbols = c, symbols
		self.names = {}         # -> how many operations a round has more than the one before it

	def mark(self, text):
		if self.c.ask(b"qCountMark:" + text.encode()) != b"":
			raise client.ProtocolError("qCountMark has a meaning")

	def say(self, packet):
		reply = self.c.ask(packet)
		if reply != b"OK":
			raise client.ProtocolError("%r: %r" % (packet, reply))

	def run(self, packet, where=None):
		"""To the next stop, at the guest's symbol WHERE unless any place will do."""
		self.c.send(packet)
		number, _ = self.c.stop()
		if number != 5 or where and self.pc() != self.symbols[where]:
			raise client.ProtocolError("%r stopped by %d at %#x" % (packet, number, self.pc()))

	def pc(self):
		return int.from_bytes(bytes.fromhex(self.c.ask(b"p8").decode()), "little")

	def passes(self, n):
		"""Passes of the guest's inner loop from now on."""
		self.say(b"M%x,2:%s" % (self.symbols["passes"], n.to_bytes(2, "little").hex().encode()))

	def times(self, name, operation):
		"""Rounds of none and of TIMES operations."""
		self.names[name] = TIMES
		for turn in range(2 * ROUNDS):
			self.mark("%s:%d" % (name, turn))
			for _ in range(turn % 2 * TIMES):
				operation()
			self.mark("end")

	def sizes(self, name, each, operation):
		"""Rounds of one operation that does EACH things a pass, for few and many passes."""
		self.names[name] = each * TIMES
		for turn in range(2 * ROUNDS):
			self.passes(TIMES * (1 + turn % 2))
			operation("%s:%d" % (name, turn))
		self.passes(1)

	def judge(self, tap, bounds, trace, ticked):
		for name, more in self.names.items():
			turns = [((name, turn), (name, turn + 1)) for turn in range(0, 2 * ROUNDS, 2)]
			quiet = [pair for pair in turns if not ticked.intersection(pair)] or turns
			rounds = [(trace[none], trace[some]) for none, some in quiet]
			calls = set().union(*(some for _, some in rounds))

			def median(of):
				return statistics.median((of(some) - of(none)) / more for none, some in rounds)

			parts = sorted(((call, median(lambda r: r[call])) for call in calls), key=lambda p: (-p[1], p[0]))
			bounds.check(tap, name, median(lambda r: r.total()), SLACK, [p for p in parts if abs(p[1]) > 0.005])


def memory(r, largest):
	loop = r.symbols["start"]
	r.times("g", lambda: r.c.ask(b"g"))
	r.times("p", lambda: r.c.ask(b"p8"))
	r.times("P", lambda: r.say(b"P2=34120000"))
	r.times("m-1k", lambda: r.c.memory(0x1000, 0x400))
	r.times("m-largest", lambda: r.c.memory(0x10000, largest))
	r.times("M", lambda: r.say(b"M%x,4:01000000" % r.symbols["count"]))
	r.times("x-1k", lambda: r.c.ask(b"x%x,400" % loop))


def steps(r):
	def step():
		r.run(b"vCont;s:1")

	def and_registers():
		step()
		r.c.ask(b"g")

	def through_range(mark):
		to = r.symbols["range"]
		r.say(b"Z1,%x,1" % to)
		r.run(b"vCont;c:1", "range")
		r.say(b"z1,%x,1" % to)
		r.mark(mark)
		r.run(b"vCont;r%x,%x:1" % (to, r.symbols["range_end"]))
		r.mark("end")
		if r.pc() != r.symbols["range_end"]:
			raise client.ProtocolError("the range ends at %#x" % r.pc())

	r.times("step", step)
	r.times("step-g", and_registers)
	r.sizes("range-step", 2, through_range)


def hits(r, kind, name):
	insert, remove = ((b"%c%c,%x,1" % (z, kind, r.symbols["hit"])) for z in b"Zz")
	maybe, no_more = ((b"%c%c,%x,1" % (z, kind, r.symbols["range"])) for z in b"Zz")

	def change():
		r.say(insert)
		r.say(remove)

	def as_gdb_does():
		r.say(insert)
		r.run(b"vCont;c:1")
		r.c.ask(b"g")
		r.say(remove)
		r.run(b"vCont;s:1")

	def false_ones(mark):
		r.mark(mark)
		r.run(b"vCont;c:1")
		r.mark("end")

	r.times("Z-z-" + name, change)
	r.times("hit-%s-gdb" % name, as_gdb_does)
	r.say(insert)
	r.run(b"vCont;c:1", "hit")
	r.times("hit-" + name, lambda: r.run(b"vCont;c:1"))
	r.say(maybe + b";" + FALSE)
	r.sizes("false-" + name, 1, false_ones)
	r.say(no_more)
	r.run(b"vCont;c:1", "hit")
	r.say(remove)


def packet_size(c):
	return int(re.search(rb"PacketSize=([0-9a-f]+)", c.ask(b"qSupported:swbreak+;hwbreak+;xmlRegisters=i386")).group(1), 16)


def main():
	visor.need_kvm()
	if gate.sanitized():
		gate.skip("sanitizers make system calls of their own")
	if not shutil.which("strace"):
		gate.skip("strace is not installed: no system call is counted")
	tried = visor.run(["strace", "-o", "/dev/null", "true"])
	if tried[0] != 0:
		gate.skip("strace is not permitted here: no system call is counted: " + tried[2].strip().splitlines()[-1])
	tap, bounds = visor.Tap(), gate.Bounds("syscalls")
	symbols = {name: at for name, (at, _) in visor.symbols(visor.built(GUEST + ".elf")).items()}
	# a tracer that is gdbvisor's grandchild leaves the process that a Visor is its own
	tracer = ["strace", "-D", "-f", "-y", "-qq", "-s", "64", "-o", "{dir}/trace"]
	with visor.Visor("-s", "none", visor.built(GUEST + ".bin"), before=tracer) as v:
		c = client.Client(v.target)
		r = Rounds(c, symbols)
		largest = packet_size(c) // 2
		try:
			r.run(b"vCont;s:1")
			steps(r)
			memory(r, largest)
			hits(r, ord("1"), "hard")
			hits(r, ord("0"), "soft")
			tap.ok(True, "all operations do what they should")
		except (client.ProtocolError, OSError) as e:
			tap.ok(False, "all operations do what they should", e)
			tap.done()
		c.close()
		v.signal(15)
		v.wait()
		r.judge(tap, bounds, *read_trace(v.path("trace")))
	bounds.done(tap)


main()
