#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""
Clients that say nothing, half of something or far too much, that read nothing, or that are too many.  What they cost is
bounded, others are served, and when they have gone nothing is left of them.
"""

import os
import select
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import rig
import visor
from client import frame

PEERS = 16                      # clients at a time, of either kind
PACKET = 0x40000
QUEUE = 16 << 10                # KiB that wait for a client at the most
CHUNK = b"a" * (1 << 16)
LIMIT = 120 << 20               # bytes; four bytes of nonsense are answered by one


def push(s, data, limit):
	"""Sends DATA again and again, LIMIT bytes in all: how many were taken, and whether the other end has hung up."""
	s.setblocking(False)
	sent = 0
	while sent < limit:
		if not select.select([], [s], [], visor.DEADLINE)[1]:
			return sent, False
		try:
			sent += s.send(data[:limit - sent])
		except BlockingIOError:
			pass
		except (BrokenPipeError, ConnectionResetError):
			return sent, True
	return sent, False


def silent(tap, s):
	"""The first of them drives, and so the guest is stopped; they go, and it runs."""
	some = [s.socket() for _ in range(PEERS - 1)]
	with s.client() as c:
		c.ask(b"?")
		tap.equal(c.ask(b"g")[:1] != b"E", True, "beside %d clients that say nothing another is answered" % len(some))
		tap.ok("0x2a = 42\n" in s.say("print 6*7"), "and the monitor")
	for one in some:
		one.close()
	rig.numbers("clients that say nothing", len(some))
	s.well("after clients that said nothing")


def slow(tap, s):
	"""A byte at a time, by turns."""
	packets = [frame(b"m%x,%x" % (rig.SCRATCH + i, i + 1)) for i in range(PEERS - 1)]
	with s.client() as c:
		c.ask(b"?")             # it has stopped
		some = [s.socket() for _ in packets]
		for at in range(max(len(p) for p in packets)):
			for one, packet in zip(some, packets):
				one.sendall(packet[at:at + 1])
		wrong = []
		for i, one in enumerate(some):
			got = b""
			while got[-3:-2] != b"#" and (chunk := one.recv(1)):
				got += chunk
			# a run length may stand for digits
			if got != b"+" + frame(s.pattern[i:2 * i + 1].hex().encode()) and b"*" not in got:
				wrong.append((i, got))
			one.sendall(packets[i][:5])
		tap.equal(wrong, [], "packets that come a byte at a time, %d at once, are answered" % len(some))
		c.ask(b"qC")
	for one in some:
		one.close()
	s.well("after packets by the byte and by the half")


def endless(tap, s):
	"""100 MiB without an end are refused in little memory, and the client may go on."""
	size = 100 << 20
	rig.restart_peak(s.pid)
	with s.client() as c:
		c.ask(b"?")
		c.raw(b"$")
		for _ in range(size // len(CHUNK)):
			c.raw(CHUNK)
		c.raw(b"#00")
		reply = c.receive()
		tap.equal(reply[:1], b"E", "a packet of 100 MiB is refused")
		tap.equal(c.ask(b"qC")[:2], b"QC", "and the next is answered")
		for _ in range(size // len(CHUNK) // 10):
			c.raw(CHUNK)
		tap.equal(c.ask(b"qC")[:2], b"QC", "what is no packet is passed over")
		c.raw(frame(b"qRcmd," + b"41" * (PACKET // 2 - 100)))
		tap.ok(c.receive(), "the longest command is answered")
	peak = s.vitals().peak
	tap.ok(rig.SANITIZED or peak < s.before.rss + 4 * 1024, "in a few MiB of memory", (peak, s.before.rss))
	rig.numbers("MiB of endless packets", 110)
	s.well("after packets without an end")


def monitor_lines(tap, s):
	rig.restart_peak(s.pid)
	with visor.connect(s.v.path("mon")) as m:
		sent, over = push(m, CHUNK, 100 << 20)
		if not over:
			m.setblocking(True)
			m.settimeout(visor.DEADLINE)
			m.sendall(b"\nprint 6*7\n")
			text = b""
			while b"42\n" not in text and (chunk := m.recv(65536)):
				text += chunk
			tap.ok(b"42\n" in text, "a line of 100 MiB is passed over, and the next one heard", text[-200:])
		else:
			tap.ok(sent, "a line of 100 MiB is too much")
	tap.ok(rig.SANITIZED or s.vitals().peak < s.before.rss + 4 * 1024, "in a few MiB of memory", s.vitals())
	s.well("after a line without an end")


def never_reads(tap, s):
	"""They are dropped, before what waits for them has grown without end."""
	requests = {"g": frame(b"g"), "m": frame(b"m%x,1f000" % rig.SCRATCH), "x": frame(b"x%x,3f000" % rig.SCRATCH), "T": frame(b"T1"),
		    "qXfer": frame(b"qXfer:features:read:target.xml:0,ffff"), "qRcmd": frame(b"qRcmd," + b"help".hex().encode()),
		    "bad sums": b"$g#00"}
	for name, packet in requests.items():
		rig.restart_peak(s.pid)
		with s.socket() as deaf:
			sent, over = push(deaf, packet * 1000, LIMIT)
			with s.client() as c:
				good = c.ask(b"qC")[:2] == b"QC"
			peak = s.vitals().peak
			# twice: a queue that grows is copied
			bound = s.before.rss + 2 * QUEUE + rig.SLACK
			tap.ok(good and over and (rig.SANITIZED or peak < bound), "%s asked for without end, and nothing read: dropped in time" % name,
			       "%d bytes sent, over: %s, %d KiB, bound %d\n%s" % (sent, over, peak, bound, s.v.text[-300:]))
	s.well("after clients that do not read")


def monitor_that_never_reads(tap, s):
	rig.restart_peak(s.pid)
	with visor.connect(s.v.path("mon")) as deaf:
		sent, over = push(deaf, b"help\n" * 10000, LIMIT)
		peak = s.vitals().peak
		bound = s.before.rss + 2 * QUEUE + rig.SLACK
		tap.ok(over and (rig.SANITIZED or peak < bound), "a monitor's client that does not read: dropped in time",
		       "%d bytes sent, over: %s, %d KiB, bound %d" % (sent, over, peak, bound))
		tap.ok("0x2a = 42\n" in s.say("print 6*7"), "another one is answered")
	s.well("after it")


def crowd(tap, s):
	"""200 at once, of both kinds: some are served, the others sent away, nobody is kept waiting."""
	some = []
	for path in (s.v.target, s.v.path("mon")):
		for _ in range(100):
			some.append(visor.connect(path))
	served = refused = 0
	for i, one in enumerate(some):
		try:
			one.sendall(frame(b"qC") if i < 100 else b"print 6*7\n")
			reply = one.recv(100)
		except (BrokenPipeError, ConnectionResetError):
			reply = b""
		served += bool(reply)
		refused += not reply
	tap.equal((served, refused), (2 * PEERS, 200 - 2 * PEERS), "of 200 clients as many are served as there is room for, the others sent away")
	for one in some:
		one.close()
	rig.numbers("clients at once", 200)
	s.well("after 200 clients at once")


rig.tests([silent, slow, endless, monitor_lines, never_reads, monitor_that_never_reads, crowd])
