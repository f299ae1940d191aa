#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""
What a debugger's operations cost in system calls, of the real program on the real KVM: counted by strace, and held against
tests/counts/bounds.  Marks in the protocol say in the trace where a round of operations begins and ends, so all is one run; a round
of none is subtracted.  Of many rounds the one with the fewest calls counts: what the host does beside, and timers that go off while
strace is busy, only add to others.
"""

import collections
import math
import os
import re
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "rsp")]
import client
import gate
import visor

ROUNDS = 60
ATTEMPTS = 4            # on a host that is slow for a moment
TIMES = 2               # operations a round
FEW, MANY = 100, 400    # passes of the guest's loop
SLACK = 0.1             # a stray call among those passes
FALSE = b"X3,220027"    # an agent expression: constant 0
GUEST = "tests/counts/loop"
MARK = re.compile(r"\$qCountMark:([^#]*)#")
LINE = re.compile(r"(\d+) +(\d+\.\d+) (.*)")
CALL = re.compile(r"(\w+)\((.*)")
STOP = re.compile(r"\bKVM_RUN\b|<\.\.\. ioctl resumed>|\"\$T05")    # as late as the trace knows that something still ran
LONG_STOP = 0.004       # seconds: a millisecond less than a stop that the guest's clocks leave out (src/arch/x86/guest_time.c)
FILE = re.compile(r"\d+<(?:anon_inode:)?(\[?[\w-]+)")
BUSY = re.compile(r"\bsched_yield\(|\bpoll\(.*\}\], 1, 0\b|\btimer_settime\(")
EXPIRED = re.compile(r", 8\) += 8$")            # a read of eight bytes
BROKEN = re.compile(r"= (-1 EINTR|\? ERESTART)")


def named(call, rest):
	"""A call's name, with what tells it from others of that name."""
	words = rest.split(", ")
	if call in ("ioctl", "futex") and len(words) > 1:
		return words[1].split(" ")[0].rstrip(")")
	file = FILE.match(rest) if call in ("read", "write", "poll") else None
	return call + " " + file.group(1).strip("[]").lower() if file else call


class Round:
	"""The calls between two marks."""

	def __init__(self):
		self.calls = collections.Counter()
		self.sent_off = False           # the vCPU ran on its own thread, after a run had taken too long for the loop thread
		self.slow = False               # a stop was so long that clocks were set, or a descriptor's timer went off

	def counts(self, long):
		"""Whether its calls are those of its operations; LONG ones are sent off, and what else time brings is little among many."""
		return long or not (self.sent_off or self.slow)

	def total(self):
		return self.calls.total()


class Trace:
	"""
	What strace wrote, by rounds.  What a timer brings is time's and not the operation's: its signal, the return from the handler, the
	call that was broken off to be made again; or its descriptor's news, and having waited for them.  So is putting on the timer of
	runs on its thread.  How long the client takes is the client's: the looks at it before the loop sleeps (gdbstub/client.c), and a
	sleep that its packet ends.  A host that is slow makes stops long, and timers go off in them: that costs calls before the next run.
	"""

	def __init__(self, path):
		self.rounds = {}        # (operation, turn) -> Round
		self.now = Round()
		self.loop = None        # the thread that reads packets
		self.ticks = 0          # between the last packet and its reply
		self.sent_off = False   # the second one sends a vCPU to its own thread (src/kvm/here.h), where it may stay
		self.stood = math.inf   # since when no vCPU has run
		self.last = {}          # thread -> its last two calls
		self.broken, self.handler = set(), set()        # threads whose call was broken off, and which are in a handler
		with open(path, errors="replace") as f:
			for line in f:
				if found := LINE.match(line):
					self.feed(found.group(3), found.group(1), float(found.group(2)))

	def feed(self, line, thread, now):
		mark, call = MARK.search(line), CALL.match(line)
		if STOP.search(line):
			self.stood = now
		self.now.slow |= "KVM_SET_CLOCK" in line and now - self.stood > LONG_STOP
		if call and not BUSY.search(line):
			self.call(thread, named(*call.groups()))
		elif "--- SIG" in line:
			self.signal(line, thread)
		if EXPIRED.search(line) and self.last.get(thread) == ["epoll_wait", "read timerfd"]:
			self.now.calls.subtract(self.last[thread])
			self.now.slow = True
		self.broken.discard(thread)
		if BROKEN.search(line):
			self.broken.add(thread)
		if mark:
			self.now = Round()
			if mark.group(1) != "end":
				name, turn = mark.group(1).rsplit(":", 1)
				self.rounds[name, int(turn)] = self.now

	def call(self, thread, name):
		before = self.last.get(thread, [None])[-1]
		self.last[thread] = [before, name]
		if name == "read socket":
			self.loop, self.ticks = thread, 0
			self.now.calls["epoll_wait"] -= before == "epoll_wait"
		elif name == "sendto":
			self.ticks = -math.inf
		elif name == "KVM_RUN" and thread != self.loop:
			self.now.sent_off |= self.sent_off
		if name != "rt_sigreturn" or thread not in self.handler:
			self.now.calls[name] += 1
		self.handler.discard(thread)

	def signal(self, line, thread):
		if "SI_TIMER" not in line:
			self.now.calls["signal"] += 1
			return
		if thread in self.broken:
			self.now.calls[self.last[thread][-1]] -= 1
		self.handler.add(thread)
		self.ticks += 1
		self.sent_off |= self.ticks >= 2


class Rounds:
	"""Operations between marks."""

	def __init__(self, c, symbols):
		self.c, self.symbols = c, symbols
		self.names = {}         # -> how many operations a round has more than the one before it, and whether it runs for long

	def mark(self, text):
		if self.c.ask(b"qCountMark:" + text.encode()) != b"":
			raise client.ProtocolError("qCountMark has a meaning")

	def say(self, packet):
		reply = self.c.ask(packet)
		if reply != b"OK":
			raise client.ProtocolError("%r: %r" % (packet, reply))

	def much(self, packet):
		"""Like say(), for a large reply, not looked into."""
		reply = b""
		self.c.send(packet)
		while reply[-3:-2] != b"#":
			reply += self.c.sock.recv(1 << 20) or b"#no reply"
		if reply[:2] in (b"$E", b"$#", b"#n"):
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
		self.names[name] = TIMES, False
		for turn in range(2 * ROUNDS):
			self.mark("%s:%d" % (name, turn))
			for _ in range(turn % 2 * TIMES):
				operation()
			self.mark("end")

	def sizes(self, name, each, operation):
		"""Rounds of one operation that does EACH things a pass."""
		self.names[name] = each * (MANY - FEW), True
		for turn in range(ROUNDS // 5):
			self.passes((FEW, MANY)[turn % 2])
			operation("%s:%d" % (name, turn))
		self.passes(1)

	def found(self, trace):
		"""What TRACE tells: name -> calls an operation, and what they are; without those that this host was too slow for."""
		counts = {}
		for name, (more, long) in self.names.items():
			rounds = [trace.rounds[at] for at in sorted(trace.rounds) if at[0] == name]
			pair = [[r for r in rounds[which::2] if r.counts(long)] for which in (0, 1)]
			if all(pair):
				less, much = (min(rounds, key=Round.total) for rounds in pair)
				parts = sorted(((call, (n - less.calls[call]) / more) for call, n in much.calls.items()),
					       key=lambda part: (-part[1], part[0]))
				counts[name] = (much.total() - less.total()) / more, [part for part in parts if part[1] > 0.005]
		return counts


def memory(r, largest):
	loop = r.symbols["start"]
	r.times("g", lambda: r.c.ask(b"g"))
	r.times("p", lambda: r.c.ask(b"p8"))
	r.times("P", lambda: r.say(b"P2=34120000"))
	r.times("m-1k", lambda: r.c.memory(0x1000, 0x400))
	r.times("m-largest", lambda: r.much(b"m10000,%x" % largest))
	r.times("M", lambda: r.say(b"M%x,4:01000000" % r.symbols["count"]))
	r.times("x-1k", lambda: r.c.ask(b"x%x,400" % loop))


def steps(r):
	def step():
		r.run(b"vCont;s:1")

	def and_registers():
		step()
		r.c.ask(b"g")

	r.times("step", step)
	r.times("step-g", and_registers)


def changes(r, kind, symbol):
	return [b"%c%c,%x,1" % (z, kind, r.symbols[symbol]) for z in b"Zz"]


def hits(r, kind, name):
	insert, remove = changes(r, kind, "hit")

	def change():
		r.say(insert)
		r.say(remove)

	def as_gdb_does():
		r.say(insert)
		r.run(b"vCont;c:1")
		r.c.ask(b"g")
		r.say(remove)
		r.run(b"vCont;s:1")

	r.times("Z-z-" + name, change)
	r.times("hit-%s-gdb" % name, as_gdb_does)
	r.say(insert)
	r.run(b"vCont;c:1", "hit")
	r.times("hit-" + name, lambda: r.run(b"vCont;c:1"))
	r.say(remove)


def range_steps(r):
	insert, remove = changes(r, ord("1"), "range")

	def through_it(mark):
		r.say(insert)
		r.run(b"vCont;c:1", "range")
		r.say(remove)
		r.mark(mark)
		r.run(b"vCont;r%x,%x:1" % (r.symbols["range"], r.symbols["range_end"]))
		r.mark("end")
		if r.pc() != r.symbols["range_end"]:
			raise client.ProtocolError("the range ends at %#x" % r.pc())

	r.sizes("range-step", 2, through_it)


def false_hits(r, kind, name):
	insert, remove = changes(r, ord("1"), "hit")
	insert_false, remove_false = changes(r, kind, "range")

	def to_a_true_one(mark):
		r.mark(mark)
		r.run(b"vCont;c:1")
		r.mark("end")

	r.say(insert)
	r.run(b"vCont;c:1", "hit")
	r.say(insert_false + b";" + FALSE)
	r.sizes("false-" + name, 1, to_a_true_one)
	r.run(b"vCont;c:1", "hit")
	r.say(remove_false)
	r.say(remove)


def packet_size(c):
	return int(re.search(rb"PacketSize=([0-9a-f]+)", c.ask(b"qSupported:swbreak+;hwbreak+;xmlRegisters=i386")).group(1), 16)


def measure(tap):
	"""All operations in one gdbvisor: their names, and what was found of them."""
	symbols = {name: at for name, (at, _) in visor.symbols(visor.built(GUEST + ".elf")).items()}
	# a tracer that is gdbvisor's grandchild leaves the process that a Visor is its own
	tracer = ["strace", "-D", "-f", "-y", "-ttt", "-qq", "-s", "64", "-o", "{dir}/trace"]
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
			# the long ones last: a vCPU that they send to its own thread may stay there
			range_steps(r)
			false_hits(r, ord("1"), "hard")
			false_hits(r, ord("0"), "soft")
		except (client.ProtocolError, OSError) as e:
			tap.ok(False, "all operations do what they should", e)
			tap.done()
		# while the guest stands still
		c.send(b"k")
		v.wait()
		return list(r.names), r.found(Trace(v.path("trace")))


def main():
	visor.need_kvm()
	if gate.sanitized():
		gate.skip("sanitizers make system calls of their own")
	if not shutil.which("strace"):
		gate.skip("strace is not installed: no system call is counted")
	tried = visor.run(["strace", "-o", "/dev/null", "true"])
	if tried[0] != 0:
		gate.skip("strace is not permitted here: no system call is counted: " + tried[2].strip().splitlines()[-1])
	tap, bounds, counts = visor.Tap(), gate.Bounds("syscalls"), {}
	for _ in range(ATTEMPTS):
		names, found = measure(tap)
		counts = {**found, **counts}
		if len(counts) == len(names):
			break
	tap.ok(True, "all operations do what they should")
	for name in names:
		if name in counts:
			bounds.check(tap, name, counts[name][0], SLACK, counts[name][1])
		else:
			bounds.skip(tap, name, "under strace each took so long on this host that timers went off, or the vCPU did not stay on the loop thread")
	bounds.done(tap)


main()
