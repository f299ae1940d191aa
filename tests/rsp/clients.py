#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""
Several clients at once: one drives, the others look; taking over, leaving, dying, and not reading.  Nothing that one does keeps
the guest or another client waiting.
"""

import os
import socket
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import client
import visor

CPUS = 4


def say(c, line):
	"""A monitor command: (the reply, what was printed)."""
	c.send(b"qRcmd," + line.encode().hex().encode())
	text = b""
	while (reply := c.receive())[:1] == b"O" and reply != b"OK":
		text += bytes.fromhex(reply[1:].decode())
	return reply, text.decode()


def observing(tap, v, symbols, a):
	c = client.Client(v.target)
	tap.equal(c.ask(b"?")[:3], b"T05", "a second client is told of the stop")
	tap.equal(c.ask(b"g"), a.ask(b"g"), "and reads the registers")
	counters = symbols["counters"][0]
	tap.equal(c.memory(counters, 64), a.memory(counters, 64), "and memory")
	tap.equal(c.ask(b"qfThreadInfo"), b"m1,2,3,4", "and threads")
	reply, text = say(c, "info status")
	tap.ok(reply == b"OK" and text, "and what the monitor shows", (reply, text))
	rip = a.ask(b"p10")
	for packet in (b"vCont;c", b"vCont;s:1", b"c", b"s", b"G" + b"00" * 8, b"P10=0000000000000000", b"M%x,1:00" % counters,
		       b"X%x,1:a" % counters, b"Z0,1000,1", b"Z2,1000,8", b"vRun;", b"vKill;1", b"R00", b"QNonStop:1"):
		reply = c.ask(packet)
		if reply[:1] != b"E" or (reply[:2] == b"E." and b"client 1 drives" not in reply):
			tap.ok(False, "%r is refused" % packet, reply)
	tap.match(b"E.gdb client 1 drives".decode(), c.ask(b"vCont;c").decode(), "with who drives")
	tap.equal(c.ask(b"z0,1000,1"), b"OK", "it has no breakpoints to take away")
	for command in ("continue", "stepi", "set $rax = 1", "write 0x1000 1", "reset", "quit", "slot remove 0", "infox"):
		tap.match("client 1 drives", say(c, command)[1], "monitor %s is refused" % command)
	tap.equal(a.ask(b"p10"), rip, "nothing has moved")
	# while it runs
	a.send(b"vCont;c")
	tap.ok(v.wait_text("cpus: 4"), "four CPUs come up", v.text)
	tap.equal(c.ask(b"g")[:1], b"E", "while it runs, reads are refused")
	c.raw(b"\x03")
	c.ask(b"qC")
	tap.equal(c.ask(b"g")[:1], b"E", "and an observer's Ctrl-C does not stop it")
	c.send(b"?")
	a.raw(b"\x03")
	tap.equal(a.stop()[0], 2, "the driver's does")
	tap.equal(c.stop()[0], 2, "and who asked ? meanwhile hears of it")
	return c


def taking_over(tap, v, symbols, a, c):
	tick = symbols["tick"][0]
	tap.equal(a.ask(b"Z1,%x,1" % tick), b"OK", "the driver sets a breakpoint")
	a.send(b"vCont;c")
	a.stop()
	tap.equal(a.ask(b"z1,%x,1" % tick), b"OK", "which is hit, and taken away")
	tap.equal(a.ask(b"Z1,%x,1" % tick), b"OK", "set again")
	reply, text = say(c, "takeover")
	tap.match("drives now", text, "monitor takeover")
	tap.match("client 2 drives", a.ask(b"vCont;c").decode(), "the one before is refused now")
	tap.match("drives already", say(c, "takeover")[1], "again: no change")
	c.send(b"vCont;c")
	tap.match("guest is running|E10", a.ask(b"m1000,1").decode(), "the new one has it running, without the other's breakpoint")
	say(a, "takeover")
	tap.equal(a.ask(b"g")[:1] != b"E", True, "taken over while it runs it has stopped")
	tap.equal(c.stop()[0], 2, "of which the other one hears")


def leaving(tap, v, symbols, a, c):
	a.close()
	while c.ask(b"P10=" + c.ask(b"p10")) != b"OK":
		pass
	tap.ok(True, "when the driver has gone the next one drives")
	c.send(b"vCont;s:1")
	tap.equal(c.stop()[0], 5, "and steps")


def deaf(tap, v, symbols, c):
	"""Clients that ask for much and read nothing, and such that die amid it."""
	big = client.frame(b"m%x,20000" % (1 << 20))
	some = []
	for i in range(3):
		s = visor.connect(v.target)
		s.setblocking(False)
		try:
			while True:
				s.send(big)
		except (BlockingIOError, BrokenPipeError, ConnectionResetError):
			pass
		some.append(s)
	tap.equal(c.memory(1 << 20, 0x10000), c.memory(1 << 20, 0x10000), "others are answered beside some that do not read")
	c.send(b"vCont;s:1")
	tap.equal(c.stop()[0], 5, "and step")
	for s in some:
		s.close()
	s = visor.connect(v.target)
	s.sendall(b"$m1000,4")
	s.close()
	s = visor.connect(v.target)
	s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
	s.sendall(client.frame(b"?") * 100)
	s.close()
	tap.equal(c.ask(b"qC")[:2], b"QC", "clients that die in a packet, or unheard, disturb nobody")
	# one that reads slowly gets it all
	s = client.Client(v.target)
	s.send(b"m%x,20000" % (1 << 20))
	tap.equal(len(s.receive()), 0x40000, "a slow reader gets its 128 KiB")
	s.close()


def main():
	visor.need_kvm()
	tap = visor.Tap()
	symbols = visor.symbols(visor.built("examples/smp4.elf"))
	with visor.Visor("-c", str(CPUS), visor.built("examples/smp4.elf")) as v:
		try:
			a = client.Client(v.target)
			a.ask(b"?")
			c = observing(tap, v, symbols, a)
			taking_over(tap, v, symbols, a, c)
			leaving(tap, v, symbols, a, c)
			deaf(tap, v, symbols, c)
			c.ask(b"M%x,4:01000000" % symbols["leave"][0])
			tap.equal(c.ask(b"vCont;c"), b"W01", "the guest leaves when told")
		except (client.ProtocolError, OSError) as e:
			tap.ok(False, "the protocol is kept", repr(e))
	tap.done()


main()
