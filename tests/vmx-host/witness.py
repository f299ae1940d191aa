# SPDX-License-Identifier: GPL-3.0-or-later
"""
A guest that attacks its own processor, on the emulated host: by itself and under a debugger it sees the same exceptions.  The same
firmware and acts as in tests/attack/storms.py, which has them on this host's KVM; over a serial line, so there are few.
"""

import os
import random
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../attack"), os.path.join(HERE, "../rsp"), os.path.join(HERE, "..")]
import client
import storms
import visor

NAME, GUEST = "hostile guests", storms.ROM
ARGUMENTS = "-b %s -m 16M --tdesc=x86-64 -s none" % os.path.basename(GUEST)
# (how, acts, how many of them, seeds).
WITNESSES = (
	(storms.Witness, "debug", 60, (1, 2)), (storms.Stepped, "debug", 60, (1, 2, 3, 4, 5)), (storms.Witness, "user", 30, (1,)),
	(storms.Stepped, "user", 20, (1,)), (storms.Witness, "code", 20, (1,)),
)


class Line(client.Client):
	"""Over a line that is there already."""

	def __init__(self, sock):
		self.sock, self.buffer, self.ack = sock, b"", True
		if self.ask(b"QStartNoAckMode") != b"OK":
			raise client.ProtocolError("the session does not begin")
		self.raw(b"+")
		self.ack = False


class Bench(storms.Bench):
	"""One machine for all; what it prints, and how large it is, is not seen from here."""

	def __init__(self, sock):
		symbols = visor.symbols(visor.built(storms.ELF))
		self.symbols, self.cpus, self.sum, self.rng = symbols, 1, None, random.Random(storms.SEED)
		self.meet(Line(sock))

	def is_ready(self, start):
		return True

	def printed(self):
		return 0

	def size(self):
		return 0, 0

	def guard(self):
		"""Nothing is: what would be written takes the line ten seconds."""


def run(tap, sock):
	"""The gdbvisor at the other end of SOCK has ended afterwards."""
	counts = {}

	def count(what, n=1):
		counts[what] = counts.get(what, 0) + n

	sock.settimeout(visor.DEADLINE)
	try:
		bench = Bench(sock)
		for how, scenario, limit, seeds in WITNESSES:
			for seed in seeds:
				seen = counts.get("guests that saw no debugger", 0)
				what = "%s: %s, seed %d, sees no debugger%s" % (NAME, scenario, seed, " that steps it" if how is storms.Stepped else "")
				try:
					how(bench, scenario, seed, limit, count).go()
					tap.ok(counts.get("guests that saw no debugger", 0) > seen, what, counts)
				except storms.Broken as e:
					tap.ok(False, what, e)
		bench.c.send(b"k")
	except (client.ProtocolError, OSError, ValueError) as e:
		tap.ok(False, NAME + ": the protocol is kept", "%s: %s" % (type(e).__name__, e))
	finally:
		sock.settimeout(None)
