# SPDX-License-Identifier: GPL-3.0-or-later
"""
What the tests of load and endurance share: a guest that counts, and what must be true of it and of the program after whatever
was done to them.
"""

import os
import random
import re
import socket
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "rsp"))
import client
import visor

ALL = os.environ.get("GV_LOAD") == "all"        # `make check-load`; the default check takes a share
SEED = int(os.environ.get("GV_SEED", 1))
SANITIZED = bool(os.environ.get("SANITIZE_FLAGS", "").strip())
HELLO = "examples/hello64.elf"
SCRATCH, SIZE = 0x600000, 0x4000                # RAM that the guest does not use
SLACK = 3072                                    # KiB that resident memory may grow by: allocators keep some


def share(default, everything):
	return everything if ALL else default


def numbers(what, n):
	"""For the closing table."""
	print("# NUMBERS: %s: %d" % (what, n))


def until(condition, timeout=visor.DEADLINE):
	"""What CONDITION answers once that is true, or last: for what nobody tells of, as in /proc."""
	end = time.monotonic() + timeout
	while not (answer := condition()) and time.monotonic() < end:
		time.sleep(0.005)
	return answer


class Vitals:
	"""A process as /proc has it: descriptors, threads, KiB of resident memory."""

	def __init__(self, pid):
		self.fds = []
		for fd in os.listdir("/proc/%d/fd" % pid):
			try:
				name = re.sub(r"\d+", "N", os.readlink("/proc/%d/fd/%s" % (pid, fd)))
				# libuv's for the moment when no other is left: first the one, once it was needed the other
				self.fds.append("/dev/null" if name == "/" else name)
			except FileNotFoundError:
				pass
		self.fds.sort()
		with open("/proc/%d/status" % pid) as f:
			status = dict(line.split(":", 1) for line in f)
		self.threads = int(status["Threads"])
		self.rss = int(status["VmRSS"].split()[0])
		self.peak = int(status["VmHWM"].split()[0])

	def __str__(self):
		return "%d descriptors, %d threads, %d KiB, %d at the most" % (len(self.fds), self.threads, self.rss, self.peak)


def restart_peak(pid):
	with open("/proc/%d/clear_refs" % pid, "w") as f:
		f.write("5")


class Subject:
	"""
	hello64 with a pattern in memory that it does not touch, running, and whoever holds it.  well() is what must be true at any
	time.
	"""

	def __init__(self, tap, *args, image=HELLO, memory="16M", **kwargs):
		self.tap = tap
		self.symbols = visor.symbols(visor.built(image))
		self.v = visor.Visor("-m", memory, "-M", "unix:{dir}/mon", *args, visor.built(image), **kwargs)
		self.pattern = random.Random(SEED).randbytes(SIZE)
		self.pid = self.v.child.pid
		self.last = 0
		if not self.v.target:
			raise RuntimeError("gdbvisor does not start: " + self.v.text)
		with self.client() as c:
			c.ask(b"?")
			for at in range(0, SIZE, 0x1000):
				c.ask(b"M%x,1000:" % (SCRATCH + at) + self.pattern[at:at + 0x1000].hex().encode())
			c.send(b"vCont;c")
			if not self.v.wait_text("ticking until"):
				raise RuntimeError("the guest does not tick: " + self.v.text)
		# what the first clients of either kind bring about stays
		for _ in range(3):
			self.look()
			self.say("print 1")
		self.settle(None)
		self.before = self.vitals()

	def client(self, **kwargs):
		c = Client(self.v.target, **kwargs)
		c.sock.settimeout(visor.DEADLINE)
		return c

	def socket(self):
		return visor.connect(self.v.target)

	def say(self, line):
		"""A line to the monitor and what it answers, by a connection of its own."""
		with visor.connect(self.v.path("mon")) as s:
			s.sendall(line.encode() + b"\n")
			s.shutdown(socket.SHUT_WR)
			text = b""
			while chunk := s.recv(65536):
				text += chunk
		return text.decode()

	def vitals(self):
		return Vitals(self.pid)

	def look(self):
		"""A new client attaches, looks, steps, and detaches; what is wrong, in words."""
		with self.client() as c:
			if not re.match(rb"T0[0-9a-f]thread|T0", reply := c.ask(b"?")):
				return "? is answered by %r" % reply
			ticks = c.number(self.symbols["ticks"][0], 8)
			for at in range(0, SIZE, 0x1000):
				if c.memory(SCRATCH + at, 0x1000) != self.pattern[at:at + 0x1000]:
					return "memory has changed at %#x" % (SCRATCH + at)
			if c.number(self.symbols["ticks"][0], 8) != ticks:
				return "it counts while it is stopped"
			pcs = []
			for _ in range(3):
				c.send(b"vCont;s:1")
				number, fields = c.stop()
				if number != 5:
					return "a step ends with signal %d" % number
				pcs.append(fields[b"10"])
			if len(set(pcs)) == 1:
				return "three steps go nowhere"
			if c.ask(b"D") != b"OK":
				return "it does not detach"
		self.last, before = ticks, self.last
		return "" if ticks >= before else "ticks went from %d to %d" % (before, ticks)

	def goes_on(self):
		"""Whether the guest counts while nobody is there."""
		ticks = self.last
		return until(lambda: self.look() or self.last > ticks) is True

	def settle(self, wanted):
		"""Clients that have gone are noticed by the loop in its own time."""
		if wanted:
			until(lambda: self.vitals().fds == wanted.fds and self.vitals().threads == wanted.threads, 20)

	def well(self, what, slack=SLACK):
		"""One test point: the same guest, unharmed, and a program that is as it was."""
		wrong = []
		if self.v.child.poll() is not None:
			return self.tap.ok(False, what + ": all is well", "gdbvisor has ended: %r\n%s" % (self.v.child.poll(), self.v.text[-2000:]))
		try:
			trouble = self.look()
			if trouble:
				wrong.append(trouble)
			elif not self.goes_on():
				wrong.append("the guest does not run: %s" % (self.look() or "%d ticks" % self.last))
		except (client.ProtocolError, OSError) as e:
			wrong.append("a new client fails: %r" % e)
		self.settle(self.before)
		now = self.vitals()
		if now.fds != self.before.fds:
			wrong.append("descriptors: too many %s, missing %s" % (less(now.fds, self.before.fds), less(self.before.fds, now.fds)))
		if now.threads != self.before.threads:
			wrong.append("threads: %d, were %d" % (now.threads, self.before.threads))
		if not SANITIZED and now.rss > self.before.rss + slack:
			wrong.append("resident: %d KiB, were %d" % (now.rss, self.before.rss))
		return self.tap.ok(not wrong, what + ": the guest goes on, and all is as it was", "\n".join(wrong) + "\n" + self.v.text[-1000:])

	def leave(self):
		"""The guest ends when it is told, with its own status."""
		with self.client() as c:
			c.ask(b"?")
			c.ask(b"M%x,4:01000000" % self.symbols["leave"][0])
			c.send(b"vCont;c")
			self.tap.equal(c.receive(), b"W01", "the guest leaves when told")
		self.tap.equal(self.v.wait(), 1, "and its status is gdbvisor's", self.v.text[-1000:])

	def __enter__(self):
		return self

	def __exit__(self, *_):
		self.v.close()


def less(a, b):
	"""What is in list A and not in B, as often."""
	b = list(b)
	return [x for x in a if not (x in b and (b.remove(x) or True))]


class Client(client.Client):
	def __enter__(self):
		return self

	def __exit__(self, *_):
		self.close()


def tests(functions, *args, **kwargs):
	"""The usual main(): one Subject, these done to it, in turn."""
	visor.need_kvm()
	tap = visor.Tap()
	with Subject(tap, *args, **kwargs) as s:
		for f in functions:
			try:
				f(tap, s)
			except (client.ProtocolError, OSError, subprocess.TimeoutExpired) as e:
				tap.ok(False, f.__name__.replace("_", " "), "%r\n%s" % (e, s.v.text[-2000:]))
			if s.v.child.poll() is not None:
				tap.ok(False, f.__name__.replace("_", " ") + ": gdbvisor goes on", "%r\n%s" % (s.v.child.poll(), s.v.text[-2000:]))
				tap.done()
		s.leave()
	tap.done()
