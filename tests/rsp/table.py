#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every packet of the table, valid and in every broken form, to a real guest: all answered, none fatal."""

import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import client
import visor

MARKER = b"qSpeedTest:response_size:7;"
TAILS = (b"", b":", b";", b",", b"::", b",,", b"=", b":1,2;3:4,5;6", b",1,2,3,4,5,6,7", b"1,2,3,4:5;6",
	 b"ffffffffffffffff,ffffffffffffffff", b":ffffffffffffffff,ffffffffffffffff", b":ffffffffffffffff;ffffffffffffffff;ff",
	 b",fffffffffffffffff,fffffffffffffffff", b"0,40000", b":0,ffffffff", b":99999999999999999999", b":abc", b"=abc", b"0,2:abc",
	 b":zz,zz", b"zz", b";thread:1;", b";thread:99;", b"p99.1", b"-2")

ENDINGS = (b"k", b"vKill")      # the program ends by these


def cases():
	"""[(name, valid, how an answer begins)]"""
	found = []
	with open(os.path.join(HERE, "packets.txt"), "rb") as f:
		for line in f:
			if not line.startswith(b"#"):
				name, valid, expect = line.split()
				valid = re.sub(rb"\\x(..)", lambda m: bytes([int(m.group(1), 16)]), valid)
				found.append((name, valid, expect))
	return found


def escaped(payload):
	out = bytearray()
	for b in payload:
		out += bytes((0x7d, b ^ 0x20)) if b in b"#$}*" else bytes((b,))
	return bytes(out)


def frame(payload):
	return client.frame(escaped(payload))


class Lenient(client.Client):
	"""Notifications are passed over."""

	def receive(self):
		while (b := self.byte()) == b"%":
			while self.byte() != b"#":
				pass
			self.byte()
			self.byte()
		self.buffer = b + self.buffer
		return super().receive()


class Session:
	def __init__(self):
		self.visor = None
		self.client = None

	def open(self):
		if self.visor is not None:
			try:
				self.client = Lenient(self.visor.target)
			except (ConnectionRefusedError, FileNotFoundError):
				# a packet has ended the program, as it should
				self.visor.wait()
				self.visor.close()
				self.visor = None
		if self.visor is None:
			self.visor = visor.Visor(visor.built("examples/smp4.elf"), "-c", "2", "-s", "none")
			self.client = Lenient(self.visor.target)
		self.client.ask(b"?")

	def shut(self):
		if self.client is not None:
			self.client.close()
			self.client = None

	def until_marker(self, got):
		self.client.raw(frame(MARKER))
		while (reply := self.client.receive()) != b"data:aaaaaaa":
			got.append(reply)

	def answers(self, wire):
		"""(what came for WIRE, with None at the end when the session is over; the stop after it)"""
		got, late = [], []
		if self.client is None:
			self.open()
		try:
			self.client.raw(wire + b"\x03")
			self.until_marker(got)
			# the guest may run still, and its stop reply be to come: it is this one, or before this one
			self.client.raw(frame(b"?"))
			late.append(self.client.receive())
			self.until_marker(late)
			return got, late
		except (ConnectionError, BrokenPipeError):
			# it may have answered before it closed, and this end have been writing still
			try:
				while True:
					got.append(self.client.receive())
			except (ConnectionError, client.ProtocolError):
				pass
			self.shut()
			return got + [None], late


def fits(expect, got, late):
	if expect == b"-":
		return True
	if expect == b"stop":
		return any(g and g[:1] in b"TN" for g in got + late)
	first = got[0] if got else None
	if first is None:
		return False
	if expect in (b"0123456789abcdef", b"0123456789abcdefx", b"OKE"):
		return first != b"" and first[:1] in expect
	return first.startswith(expect)


def main():
	visor.need_kvm()
	tap = visor.Tap()
	s = Session()
	for name, valid, expect in cases():
		title = name.decode()
		s.shut()
		s.open()
		s.answers(frame(b"X2000,4:a\x03b\x01"))
		got, late = s.answers(frame(valid))
		tap.ok(fits(expect, got, late), "%s is answered" % title, got)
		bad = []
		forms = [name + t for t in TAILS] + [valid + t for t in TAILS]
		forms += [name + sep + bytes((i * 37 + len(name)) & 0xff for i in range(256)) for sep in (b"", b":", b",")]
		for form in forms:
			got, late = s.answers(frame(form))
			if not got and not late:
				bad.append((form, "no answer"))
			if s.visor.child.poll() is not None and name not in ENDINGS:
				bad.append((form, "the program ended"))
				break
		tap.ok(not bad, "%s with broken arguments is answered, and goes on" % title, bad[:3])
		got, late = s.answers(frame(valid + b"f" * (1 << 20)))
		tap.ok(got and got[0] is not None and got[0][:1] == b"E", "%s of 1 MiB is refused" % title, got[:1])

		# one byte at a time, two at once, and cut off
		for b in frame(valid):
			if s.client is None:
				s.open()
			s.client.raw(bytes((b,)))
		got, late = s.answers(frame(valid))
		tap.ok(got or late, "%s byte by byte, and a second behind it" % title, got)
		s.shut()
		for cut in (1, 3, len(frame(valid)) - 1):
			s.open()
			s.client.raw(frame(valid)[:cut])
			s.shut()
		s.open()
		tap.equal(s.client.ask(b"qC")[:2], b"QC", "%s cut off by a disconnect leaves nothing" % title)
	s.shut()
	s.visor.close()
	tap.done()


main()
