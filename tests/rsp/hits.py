#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""
A breakpoint that four vCPUs run into all the time: every pass is reported, and once.  The guest counts its passes
itself, in the function's first instructions behind the breakpoint, so reports and passes can be compared.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import client
import visor

CPUS = 4
HITS = 1000             # more, until each CPU had one: on a busy host one may come late for long
HITS_MOST = 20000


def count_hits(tap, c, symbols, kind):
	tick, size = symbols["tick"]
	counters = symbols["counters"][0]

	def passes():
		data = c.memory(counters, 64 * CPUS)
		return [int.from_bytes(data[64 * i:64 * i + 8], "little") for i in range(CPUS)]

	def pcs():
		return [c.pc(i + 1) for i in range(CPUS)]

	what = "Z%c: " % kind
	# a CPU that already stands there, or is past it but not yet counted, may count once without a report
	slack = [1 if tick <= pc < tick + size else 0 for pc in pcs()]
	base, hits, wrong, lost, strange = passes(), [0] * CPUS, [], [], []
	tap.equal(c.ask(b"Z%c,%x,1" % (kind, tick)), b"OK", what + "set at tick")
	n = 0
	while n < HITS or (not all(hits) and n < HITS_MOST):
		n += 1
		c.send(b"vCont;c")
		number, fields = c.stop()
		cpu = int(fields[b"thread"], 16) - 1
		if number != 5 or c.pc(cpu + 1) != tick:
			strange.append((n, number, fields))
		hits[cpu] += 1
		for i, (now, at) in enumerate(zip(passes(), pcs())):
			done = now - base[i]
			if done - slack[i] > hits[i]:
				lost.append((n, i, done, hits[i]))
			if hits[i] > done + (1 if tick <= at < tick + size else 0):
				wrong.append((n, i, done, hits[i]))
	tap.equal(strange[:1], [], what + "each stop is at the breakpoint, on its own CPU")
	tap.equal(lost[:1], [], what + "no CPU passes unreported")
	tap.equal(wrong[:1], [], what + "no pass is reported twice")
	tap.ok(all(hits), what + "all four hit it", hits)
	tap.equal(c.ask(b"z%c,%x,1" % (kind, tick)), b"OK", what + "taken away")


def one_steps(tap, c, symbols):
	counters = symbols["counters"][0]
	for thread in range(1, CPUS + 1):
		others = [i for i in range(1, CPUS + 1) if i != thread]
		before = [(c.pc(i), c.number(counters + 64 * (i - 1), 8)) for i in others]
		was = c.pc(thread)
		moved = False
		for _ in range(3):
			c.send(b"vCont;s:%x" % thread)
			number, fields = c.stop()
			moved |= c.pc(thread) != was
			if number != 5 or int(fields[b"thread"], 16) != thread:
				tap.ok(False, "a step ends as one of thread %d" % thread, (number, fields))
		tap.ok(moved, "thread %d steps" % thread)
		tap.equal([(c.pc(i), c.number(counters + 64 * (i - 1), 8)) for i in others], before,
			  "the others stay parked")


def main():
	visor.need_kvm()
	tap = visor.Tap()
	symbols = visor.symbols(visor.built("examples/smp4.elf"))
	with visor.Visor("-c", str(CPUS), visor.built("examples/smp4.elf")) as v:
		c = client.Client(v.target)
		c.send(b"vCont;c")
		tap.ok(v.wait_text("cpus: 4"), "four CPUs come up", v.text)
		c.raw(b"\x03")
		c.stop()
		try:
			count_hits(tap, c, symbols, ord("0"))
			one_steps(tap, c, symbols)
			count_hits(tap, c, symbols, ord("1"))
			c.ask(b"M%x,4:01000000" % symbols["leave"][0])
			tap.equal(c.ask(b"vCont;c"), b"W01", "clean of breakpoints, the guest leaves when told")
		except (client.ProtocolError, OSError) as e:
			tap.ok(False, "the protocol is kept", e)
	tap.done()


main()
