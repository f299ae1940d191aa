#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""
Clients that come and go by the thousand, politely and otherwise, to gdb's socket and the monitor's: nothing of them is left,
and the guest never notices.

	GV_LOAD=all     10,000 of them
	GV_SEED=N       another order
"""

import contextlib
import os
import random
import socket
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import rig
import visor
from client import frame

CYCLES = rig.share(700, 10000)
PARTS = 10


def at_once(s, _):
	"""Nothing is said."""
	s.socket().close()


def politely(s, _):
	with s.client() as c:
		c.ask(b"?")
		if c.ask(b"D") != b"OK":
			raise rig.client.ProtocolError("D is refused")


def vanishes(s, rng):
	"""While the guest is stopped, maybe with a reply on its way."""
	with s.client(ack=rng.random() < 0.3) as c:
		c.ask(b"?")
		if rng.random() < 0.5:
			c.raw(frame(b"m%x,1000" % rig.SCRATCH))


def steps(s, rng):
	with s.client() as c:
		c.ask(b"?")
		c.send(b"vCont;s:1")
		if rng.random() < 0.5:
			c.stop()


def runs(s, rng):
	"""Goes while the guest runs, or stops it first."""
	with s.client() as c:
		c.ask(b"?")
		c.send(b"vCont;c")
		if rng.random() < 0.5:
			c.raw(b"\x03")
			if c.stop()[0] != 2:
				raise rig.client.ProtocolError("Ctrl-C does not stop it")


def with_a_breakpoint(s, rng):
	"""Leaves it there: whoever goes takes it along."""
	with s.client() as c:
		c.ask(b"?")
		if c.ask(b"Z%c,%x,1" % (rng.choice(b"01"), s.symbols["tick"][0])) != b"OK":
			raise rig.client.ProtocolError("Z is refused")
		for _ in range(rng.randrange(3)):
			c.send(b"vCont;c")
			if c.stop()[0] != 5:
				raise rig.client.ProtocolError("the breakpoint is not hit")
		if rng.random() < 0.5:
			c.send(b"vCont;c")


def non_stop(s, rng):
	with contextlib.closing(rig.client.NonStop(s.v.target)) as c:
		c.ask(b"QNonStop:1")
		c.ask(b"?")
		if rng.random() < 0.5:
			c.ask(b"vStopped")
		if rng.random() < 0.5:
			c.send(b"vCont;c")


def half_a_packet(s, rng):
	with s.socket() as c:
		packet = frame(b"m%x,1000" % rig.SCRATCH)
		c.sendall(packet[:rng.randrange(1, len(packet))])


def rudely(s, rng):
	"""By a reset, in the middle."""
	with s.socket() as c:
		c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
		c.sendall(frame(b"?") * rng.randrange(1, 50))


def two_at_once(s, _):
	"""The first one goes, and the second one drives."""
	with s.client() as a, s.client() as b:
		a.ask(b"?")
		b.ask(b"?")
		a.close()
		b.ask(b"g")


def a_command(s, _):
	# it is told of stops as well
	if "0x2a = 42\n" not in (text := s.say("print 6*7")):
		raise rig.client.ProtocolError("print says %r" % text)


def half_a_command(s, rng):
	with visor.connect(s.v.path("mon")) as m:
		m.sendall(rng.choice((b"", b"pri", b"info registers\n", b"wait 100\n", b"stop\nwait\nx/4i $rip\ncontinue\n")))


KINDS = ((at_once, 3), (politely, 4), (vanishes, 4), (steps, 2), (runs, 3), (with_a_breakpoint, 3), (non_stop, 2), (half_a_packet, 2),
	 (rudely, 2), (two_at_once, 1), (a_command, 2), (half_a_command, 2))


def cycles(tap, s):
	rng = random.Random(rig.SEED)
	counts, rss = {}, []
	for part in range(PARTS):
		for i in range(CYCLES // PARTS):
			kind, = rng.choices([k for k, _ in KINDS], [n for _, n in KINDS])
			try:
				kind(s, rng)
			except (rig.client.ProtocolError, OSError) as e:
				tap.ok(False, "cycle %d, %s" % (part * CYCLES // PARTS + i, kind.__name__), repr(e) + "\n" + s.v.text[-1000:])
				return
			counts[kind.__name__] = counts.get(kind.__name__, 0) + 1
		# whoever has been stopped by the monitor goes on
		s.say("continue")
		s.settle(s.before)
		rss.append(s.vitals().rss)
		# what is hurt is seen where it was
		if part in (0, PARTS // 2) and not s.well("after %d cycles with seed %d" % ((part + 1) * CYCLES // PARTS, rig.SEED)):
			return
	s.well("after %d cycles" % CYCLES)
	tap.ok(rig.SANITIZED or rss[-1] <= rss[0] + 1024, "resident memory does not grow with them", rss)
	print("# " + ", ".join("%s %d" % i for i in sorted(counts.items())))
	print("# resident KiB by tenths: %s" % rss)
	rig.numbers("attach/detach cycles", sum(counts.values()))


rig.tests([cycles])
