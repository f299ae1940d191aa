#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""
64 vCPUs that count, each for itself, under a random driver: stopped, stepped and resumed singly, together and in groups, in all-stop
and in non-stop mode, with a breakpoint that all run into and without, detached from and attached to.  Every answer is held against
what a model says may come, and the guest's counters against what was let run.

	GV_LOAD=all     more of it
	GV_SEED=N       another course
"""

import collections
import os
import random
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import rig
import visor
from client import NonStop, ProtocolError

CPUS = 64
TURNS = rig.share(80, 500)
NONSTOP_TURNS = rig.share(60, 300)
LINE = 64                       # bytes from a counter to the next
SIGINT, SIGTRAP = 2, 5


class Wrong(Exception):
	pass


class Driver:
	def __init__(self, v, symbols, rng):
		self.v, self.rng = v, rng
		self.tick, self.size = symbols["tick"]
		self.counters = symbols["counters"][0]
		self.leave = symbols["leave"][0]
		self.kind = None                # of the breakpoint there is
		self.counts = collections.Counter()
		self.floor = [0] * CPUS         # counters never go back
		self.code = None
		self.c = None

	def connect(self):
		self.c = NonStop(self.v.target)
		self.kind = None
		self.c.ask(b"qSupported:swbreak+;hwbreak+")

	def passes(self):
		data = self.c.memory(self.counters, LINE * CPUS)
		now = [int.from_bytes(data[LINE * i:LINE * i + 8], "little") for i in range(CPUS)]
		if any(n < f for n, f in zip(now, self.floor)):
			raise Wrong("a counter went back: %s, were %s" % (now, self.floor))
		self.floor = now
		return now

	def moved(self, before, allowed, most=None):
		"""Only the counters of threads ALLOWED, each by MOST at the most, differ from BEFORE."""
		now = self.passes()
		for i in range(CPUS):
			n = now[i] - before[i]
			if n and (i + 1 not in allowed or most is not None and n > most):
				raise Wrong("thread %d counted %d on, and only %s were to run" % (i + 1, n, sorted(allowed)))
		return now

	def some(self, most):
		return self.rng.sample(range(1, CPUS + 1), self.rng.randint(1, most))

	# -- all-stop --

	def heard(self, threads, signals, breaks=False):
		"""A stop of one of THREADS by one of SIGNALS, or BREAKS: also a hit."""
		number, fields = self.c.stop()
		thread = int(fields[b"thread"], 16)
		hit = b"hwbreak" in fields or b"swbreak" in fields
		if hit and not (breaks and self.kind):
			raise Wrong("a hit where there is no breakpoint: %r" % fields)
		if not hit and (number not in signals or thread not in threads):
			raise Wrong("signal %d of thread %d came, not one of %s of %s" % (number, thread, signals, sorted(threads)[:8]))
		if hit and int.from_bytes(bytes.fromhex(fields[b"10"].decode()), "little") != self.tick:
			raise Wrong("a hit elsewhere: %r" % fields)
		return hit

	def step_one(self):
		before, t = self.passes(), self.rng.randint(1, CPUS)
		self.c.send(b"vCont;s:%x" % t)
		self.heard({t}, (SIGTRAP,), True)
		self.moved(before, {t}, 1)

	def step_some(self):
		before, group = self.passes(), self.some(8)
		self.c.send(b"vCont" + b"".join(b";s:%x" % t for t in group))
		self.heard(group, (SIGTRAP,), True)
		self.moved(before, group, 1)

	def step_among_runners(self):
		t = self.rng.randint(1, CPUS)
		self.c.send(b"vCont;s:%x;c" % t)
		self.heard({t}, (SIGTRAP,), True)

	def run_all(self):
		self.c.send(b"vCont;c")
		if not self.kind or self.rng.random() < 0.3:
			self.c.raw(b"\x03")
			hit = self.heard(range(1, CPUS + 1), (SIGINT,), True)
			if hit:
				# the Ctrl-C came when it had stopped, and means nothing then, or stops the next run
				self.c.send(b"vCont;c")
				self.heard(range(1, CPUS + 1), (SIGINT,), True)
		else:
			self.heard((), (), True)

	def run_some(self):
		before, group = self.passes(), self.some(6)
		self.c.send(b"vCont" + b"".join(b";c:%x" % t for t in group))
		if self.kind:
			self.heard((), (), True)
			self.moved(before, group)
		else:
			self.c.raw(b"\x03")
			self.heard(range(1, CPUS + 1), (SIGINT,))
			self.moved(before, group)

	def breakpoint(self):
		if self.kind:
			if self.c.ask(b"z%c,%x,1" % (self.kind, self.tick)) != b"OK":
				raise Wrong("z is refused")
			self.kind = None
		else:
			self.kind = self.rng.choice(b"01")
			if self.c.ask(b"Z%c,%x,1" % (self.kind, self.tick)) != b"OK":
				raise Wrong("Z is refused")

	def look(self):
		"""What stands still stays so, and all are there."""
		first = self.passes()
		names = self.c.ask(b"qfThreadInfo")[1:].split(b",")
		while (more := self.c.ask(b"qsThreadInfo")) != b"l":
			names += more[1:].split(b",")
		if names != [b"%x" % i for i in range(1, CPUS + 1)]:
			raise Wrong("threads: %r" % names)
		for t in self.some(8):
			if self.c.ask(b"T%x" % t) != b"OK" or self.c.pc(t) != self.c.pc(t):
				raise Wrong("thread %d does not stand still" % t)
		if self.passes() != first:
			raise Wrong("it counts while it is stopped")
		if self.c.memory(self.tick, self.size) != self.code:
			raise Wrong("the code shows a trap")

	def detach(self):
		if self.rng.random() < 0.5:
			if self.c.ask(b"D") != b"OK":
				raise Wrong("D is refused")
		elif self.rng.random() < 0.5:
			self.c.send(self.rng.choice((b"vCont;c", b"vCont;s:7;c", b"g", b"vCont;c:3")))
		self.c.close()
		self.connect()
		if self.c.ask(b"?")[:1] != b"T":
			raise Wrong("? is not answered by a stop")
		if self.c.memory(self.tick, self.size) != self.code:
			raise Wrong("a trap was left behind")

	def all_stop(self):
		acts = ((self.step_one, 8), (self.step_some, 6), (self.step_among_runners, 5), (self.run_all, 6), (self.run_some, 6), (self.breakpoint, 5),
			(self.look, 3), (self.detach, 3))
		for _ in range(TURNS):
			act, = self.rng.choices([a for a, _ in acts], [n for _, n in acts])
			self.counts[act.__name__] += 1
			act()
		if self.kind:
			self.breakpoint()

	# -- non-stop --

	def take(self, stops):
		for number, thread, fields in stops:
			if thread in self.stopped:
				raise Wrong("thread %d stopped twice" % thread)
			self.stopped.add(thread)
			hit = b"hwbreak" in fields or b"swbreak" in fields
			pc = int.from_bytes(bytes.fromhex(fields[b"10"].decode()), "little")
			if hit:
				self.hits[thread - 1] += 1
				if pc != self.tick or number != SIGTRAP or not self.kind:
					raise Wrong("a hit that cannot be: %r" % fields)
			elif number == SIGTRAP and thread not in self.stepping or number not in (0, SIGINT, SIGTRAP):
				raise Wrong("signal %d of thread %d, which nobody asked for" % (number, thread))
			if not hit and self.tick <= pc < self.tick + self.size:
				self.slack[thread - 1] += 1
			self.stepping.discard(thread)

	def judge(self, base):
		"""Who is stopped has counted as often as it was told of, but for places that are passed without a hit."""
		now = self.passes()
		for t in self.stopped:
			n = now[t - 1] - base[t - 1]
			if n - self.slack[t - 1] > self.hits[t - 1] or self.hits[t - 1] > n + 1:
				raise Wrong("thread %d counted %d on and was told of %d times (slack %d)" % (t, n, self.hits[t - 1], self.slack[t - 1]))

	def non_stop(self):
		self.c.close()
		self.connect()
		if self.c.ask(b"QNonStop:1") != b"OK":
			raise Wrong("non-stop mode does not begin")
		# what stands still when one comes, or nothing yet
		reply, seen = self.c.ask(b"?"), set()
		while reply[:1] == b"T":
			seen.add(int(dict(f.split(b":", 1) for f in reply[3:].split(b";") if f)[b"thread"], 16))
			reply = self.c.ask(b"vStopped")
		if reply != b"OK" or self.c.ask(b"vCont;t") != b"OK":
			raise Wrong("non-stop mode does not begin: %r" % reply)
		while len(seen) < CPUS:
			seen |= {f[1] for f in self.c.wait()}
		self.stopped, self.stepping = set(range(1, CPUS + 1)), set()
		self.hits = [0] * CPUS
		self.kind = b"1"[0]
		self.slack = [1 if self.tick <= self.c.pc(t) < self.tick + self.size else 0 for t in range(1, CPUS + 1)]
		base = self.passes()
		if self.c.ask(b"Z1,%x,1" % self.tick) != b"OK":
			raise Wrong("Z is refused")
		for turn in range(NONSTOP_TURNS):
			running = [t for t in range(1, CPUS + 1) if t not in self.stopped]
			choice = self.rng.random()
			if self.stopped and (choice < 0.5 or not running):
				group = self.rng.sample(sorted(self.stopped), self.rng.randint(1, min(len(self.stopped), 20)))
				actions = b""
				for t in group:
					step = self.rng.random() < 0.4
					actions += (b";s:%x" if step else b";c:%x") % t
					self.stopped.discard(t)
					if step:
						self.stepping.add(t)
				if self.c.ask(b"vCont" + actions) != b"OK":
					raise Wrong("vCont is refused")
				self.counts["vCont in non-stop mode"] += 1
			elif choice < 0.7:
				if self.c.ask(b"vCont;t:%x" % self.rng.choice(running)) != b"OK":
					raise Wrong("vCont;t is refused")
				self.counts["vCont;t"] += 1
			else:
				self.take(self.c.wait())
				self.counts["waits"] += 1
			self.take(self.c.acknowledge())
			self.judge(base)
		if self.c.ask(b"vCont;t") != b"OK":
			raise Wrong("vCont;t is refused")
		while len(self.stopped) < CPUS:
			self.take(self.c.acknowledge() or self.c.wait())
		self.judge(base)
		if self.c.ask(b"z1,%x,1" % self.tick) != b"OK":
			raise Wrong("z is refused")
		self.kind = None


def main():
	visor.need_kvm()
	tap = visor.Tap()
	image = visor.built("tests/guests/smp64.elf")
	with visor.Visor("-c", str(CPUS), "-m", "16M", image) as v:
		d = Driver(v, visor.symbols(image), random.Random(rig.SEED))
		try:
			d.connect()
			tap.equal(d.c.ask(b"?")[:3], b"T05", "64 vCPUs, stopped at the beginning")
			d.code = d.c.memory(d.tick, d.size)
			d.c.send(b"vCont;c")
			tap.ok(v.wait_text("cpus: 64"), "64 CPUs come up", v.text)
			d.c.raw(b"\x03")
			d.heard(range(1, CPUS + 1), (SIGINT,))
			# KVM makes a thread of its own at the first run
			before = rig.Vitals(v.child.pid)
			for what, phase in (("in all-stop mode", d.all_stop), ("in non-stop mode", d.non_stop)):
				try:
					phase()
					tap.ok(True, "random driving %s with seed %d" % (what, rig.SEED))
				except Wrong as e:
					tap.ok(False, "random driving %s with seed %d" % (what, rig.SEED), "%s\n%s" % (e, d.counts))
					tap.done()
			d.c.close()
			d.connect()
			d.c.ask(b"?")
			d.look()
			first = d.passes()
			for _ in range(1000):
				d.c.send(b"vCont;c")
				d.c.raw(b"\x03")
				d.heard(range(1, CPUS + 1), (SIGINT,))
				if all(n > f for n, f in zip(d.passes(), first)):
					break
			tap.ok(all(n > f for n, f in zip(d.passes(), first)), "all of them go on counting")
			now = rig.Vitals(v.child.pid)
			tap.ok(now.threads == before.threads and now.fds == before.fds and (rig.SANITIZED or now.rss < before.rss + rig.SLACK + 1024),
			       "threads, descriptors and memory are as before", "%s; was %s" % (now, before))
			d.c.ask(b"M%x,4:01000000" % d.leave)
			d.c.send(b"vCont;c")
			tap.equal(d.c.receive(), b"W01", "the guest leaves when told")
		except (ProtocolError, OSError, Wrong) as e:
			tap.ok(False, "the protocol is kept", "%r\n%s\n%s" % (e, d.counts, v.text[-500:]))
		print("# " + ", ".join("%s %d" % i for i in sorted(d.counts.items())))
		rig.numbers("acts on 64 vCPUs", sum(d.counts.values()))
	tap.done()


main()
