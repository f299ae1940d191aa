#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""1,000 rounds of Ctrl-C and continue on four vCPUs: one stop each, nothing is lost or moves."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import client
import visor

ROUNDS = 1000
CPUS = 4


def main():
	visor.need_kvm()
	tap = visor.Tap()
	symbols = visor.symbols(visor.built("examples/smp4.elf"))
	counters = symbols["counters"][0]
	with visor.Visor("-c", str(CPUS), visor.built("examples/smp4.elf")) as v:
		c = client.Client(v.target)

		def counts():
			data = c.memory(counters, 64 * CPUS)
			return [int.from_bytes(data[64 * i:64 * i + 8], "little") for i in range(CPUS)]

		c.send(b"vCont;c")
		tap.ok(v.wait_text("cpus: 4"), "four CPUs come up", v.text)
		first, last, signals, strays, moved, done = None, [0] * CPUS, set(), [], [], 0
		try:
			for done in range(1, ROUNDS + 1):
				c.raw(b"\x03")
				number, _ = c.stop()
				signals.add(number)
				now = counts()
				first = first or now
				# a second stop reply would come before these answers
				if c.ask(b"qC")[:2] != b"QC":
					strays.append(done)
				if counts() != now or any(a < b for a, b in zip(now, last)):
					moved.append((done, last, now))
				last = now
				c.send(b"vCont;c")
			tap.ok(True, "%d rounds come to their end" % ROUNDS)
		except (client.ProtocolError, OSError) as e:
			tap.ok(False, "%d rounds come to their end" % ROUNDS, "in round %d: %s" % (done, e))
			tap.done()
		tap.equal(signals, {2}, "each stop is a SIGINT")
		tap.equal(strays, [], "each is reported once")
		tap.equal(moved[:1], [], "nothing runs while stopped, nothing goes back")
		tap.ok(all(a > b for a, b in zip(last, first)), "every CPU went on", "%s to %s" % (first, last))
		c.raw(b"\x03")
		c.stop()
		c.ask(b"M%x,4:01000000" % symbols["leave"][0])
		tap.equal(c.ask(b"vCont;c"), b"W01", "the guest leaves when told")
		tap.equal(v.wait(), 1, "and its status is gdbvisor's")
	tap.done()


main()
