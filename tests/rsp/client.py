# SPDX-License-Identifier: GPL-3.0-or-later
"""A strict client of the remote protocol: one reply a request, nothing unasked for, all within a deadline."""

import collections
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import visor


class ProtocolError(Exception):
	pass


def frame(payload):
	return b"$" + payload + b"#%02x" % (sum(payload) & 0xff)


class Client:
	def __init__(self, path, ack=False):
		self.ack = True
		# while the client before has not been seen to leave, another is closed at once
		until = time.monotonic() + visor.DEADLINE
		while True:
			self.sock = visor.connect(path)
			self.buffer = b""
			try:
				if self.ask(b"QStartNoAckMode" if not ack else b"qC")[:1] not in b"OQ":
					raise ProtocolError("the session does not begin")
				break
			except ConnectionError:
				self.sock.close()
				if time.monotonic() > until:
					raise
		if not ack:
			self.sock.sendall(b"+")
			self.ack = False

	def close(self):
		self.sock.close()

	def raw(self, data):
		self.sock.sendall(data)

	def byte(self):
		while not self.buffer:
			chunk = self.sock.recv(65536)
			if not chunk:
				raise ConnectionResetError("the connection was closed")
			self.buffer = chunk
		b, self.buffer = self.buffer[:1], self.buffer[1:]
		return b

	def acknowledged(self):
		"""What is said to a packet, where packets are acknowledged: + or -."""
		return self.byte()

	def send(self, payload):
		self.raw(frame(payload))
		if self.ack and (b := self.acknowledged()) != b"+":
			raise ProtocolError("no acknowledgement of %r but %r" % (payload, b))

	def receive(self):
		"""The next packet's payload, run lengths and escapes undone."""
		b = self.byte()
		if b != b"$":
			raise ProtocolError("a packet should begin, not %r" % b)
		body, total = bytearray(), 0
		while (b := self.byte()) != b"#":
			total += b[0]
			if b == b"*":
				n = self.byte()
				total += n[0]
				body += body[-1:] * (n[0] - 29)
			elif b == b"}":
				n = self.byte()
				total += n[0]
				body.append(n[0] ^ 0x20)
			else:
				body += b
		if int(self.byte() + self.byte(), 16) != total & 0xff:
			raise ProtocolError("wrong checksum after %r" % bytes(body))
		if self.ack:
			self.raw(b"+")
		return bytes(body)

	def ask(self, payload):
		self.send(payload)
		return self.receive()

	def stop(self):
		"""The next stop reply: (signal, fields); output packets on the way are passed over."""
		while True:
			reply = self.receive()
			if reply[:1] != b"O":
				break
		if reply[:1] != b"T":
			raise ProtocolError("a stop reply should come, not %r" % reply)
		fields = dict(f.split(b":", 1) for f in reply[3:].split(b";") if f)
		return int(reply[1:3], 16), fields

	def memory(self, address, length):
		reply = self.ask(b"m%x,%x" % (address, length))
		if reply[:1] == b"E" or len(reply) != 2 * length:
			raise ProtocolError("reading %#x: %r" % (address, reply))
		return bytes.fromhex(reply.decode())

	def number(self, address, length):
		return int.from_bytes(self.memory(address, length), "little")

	def pc(self, thread):
		"""The pc of a thread under the x86-64 layout."""
		if self.ask(b"Hg%x" % thread) != b"OK":
			raise ProtocolError("Hg%x refused" % thread)
		return int.from_bytes(bytes.fromhex(self.ask(b"p10").decode()), "little")


class NonStop(Client):
	"""Takes notifications apart from replies."""

	def __init__(self, path, ack=False):
		self.news = collections.deque()
		self.heard = 0          # notifications that were not acknowledged
		super().__init__(path, ack)

	def acknowledged(self):
		while (b := self.byte()) == b"%":
			self.notification(b)
		return b

	def receive(self):
		while not (b := self.byte()) == b"$":
			self.notification(b)
		self.buffer = b + self.buffer
		return super().receive()

	def notification(self, b):
		if b != b"%":
			raise ProtocolError("a packet should begin, not %r" % b)
		self.buffer = b"$" + self.buffer
		text = super().receive()
		if not text.startswith(b"Stop:") or self.heard:
			raise ProtocolError("notified of %r with %d not acknowledged" % (text, self.heard))
		self.heard += 1
		self.news.append(text[5:])

	def acknowledge(self):
		"""All that is to be told now; in stops of (signal, thread, fields)."""
		if self.heard:
			while (reply := self.ask(b"vStopped")) != b"OK":
				self.news.append(reply)
			self.heard = 0
		stops = []
		while self.news:
			reply = self.news.popleft()
			if reply[:1] != b"T":
				raise ProtocolError("a stop reply should come, not %r" % reply)
			fields = dict(f.split(b":", 1) for f in reply[3:].split(b";") if f)
			stops.append((int(reply[1:3], 16), int(fields[b"thread"], 16), fields))
		return stops

	def wait(self):
		"""Waits for a notification; see acknowledge()."""
		if not self.heard:
			self.notification(self.byte())
		return self.acknowledge()
