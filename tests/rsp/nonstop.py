#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""
Non-stop mode on four vCPUs that run into one breakpoint: each stops by itself and is told of once; the passes that the guest
counts and the reports agree, while vCPUs are stopped, stepped and resumed by chance.
"""

import os
import random
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import client
import visor

CPUS = 4
TURNS = 600


def begin(tap, c):
	tap.equal(c.ask(b"QNonStop:1"), b"OK", "non-stop mode")
	seen = [c.ask(b"?")[:3], c.ask(b"vStopped")]
	seen += [s[0] for s in c.wait()]
	tap.equal(seen, [b"T05", b"OK"] + [0] * (CPUS - 1), "? tells of one, notifications of the others")


def by_chance(tap, c, symbols):
	tick, size = symbols["tick"]
	counters = symbols["counters"][0]
	rng = random.Random(5)
	stopped, stepping, hits = set(range(1, CPUS + 1)), set(), [0] * CPUS
	strange, lost, wrong, frozen = [], [], [], []

	def passes():
		data = c.memory(counters, 64 * CPUS)
		return [int.from_bytes(data[64 * i:64 * i + 8], "little") for i in range(CPUS)]

	def take(stops):
		for number, thread, fields in stops:
			if thread in stopped:
				strange.append((number, thread, "stopped twice"))
			stopped.add(thread)
			pc = int.from_bytes(bytes.fromhex(fields[b"10"].decode()), "little")
			if b"hwbreak" in fields:
				hits[thread - 1] += 1
				if pc != tick or number != 5:
					strange.append((number, thread, pc))
			elif number == 5 and thread not in stepping:
				strange.append((number, thread, "a step that nobody asked for"))
			if b"hwbreak" not in fields and pc == tick:
				# stopped or stepped to the very place: it goes on from there without a hit
				slack[thread - 1] += 1
			stepping.discard(thread)

	slack = [1 if tick <= c.pc(i + 1) < tick + size else 0 for i in range(CPUS)]
	base = passes()
	tap.equal(c.ask(b"Z1,%x,1" % tick), b"OK", "a breakpoint that all run into")
	for turn in range(TURNS):
		running = [i for i in range(1, CPUS + 1) if i not in stopped]
		choice = rng.random()
		if stopped and (choice < 0.6 or not running):
			some = rng.sample(sorted(stopped), rng.randint(1, len(stopped)))
			actions = b""
			for thread in some:
				step = rng.random() < 0.3
				actions += b";" + (b"s" if step else b"c") + b":%x" % thread
				stopped.discard(thread)
				if step:
					stepping.add(thread)
			if c.ask(b"vCont" + actions) != b"OK":
				strange.append((turn, actions))
		elif running and choice < 0.7:
			thread = rng.choice(running)
			if c.ask(b"vCont;t:%x" % thread) != b"OK":
				strange.append((turn, "t"))
		elif running and choice < 0.9:
			take(c.wait())
		take(c.acknowledge())
		for thread in list(stopped):
			pc = c.pc(thread)
			if turn % 8 == 0 and c.pc(thread) != pc:
				frozen.append((turn, thread))
		for i, now in enumerate(passes()):
			done = now - base[i]
			if i + 1 in stopped and done - slack[i] > hits[i]:
				lost.append((turn, i, done, hits[i]))
			if hits[i] > done + 1:
				wrong.append((turn, i, done, hits[i]))
	tap.equal(strange[:2], [], "every stop is one that can be")
	tap.equal(lost[:1], [], "no vCPU passes unreported")
	tap.equal(wrong[:1], [], "no pass is reported twice")
	tap.equal(frozen[:1], [], "what is stopped stays where it is")
	tap.ok(all(hits), "all four hit it", hits)
	running = [i for i in range(1, CPUS + 1) if i not in stopped]
	c.ask(b"vCont;t")
	while len(stopped) < CPUS:
		take(c.acknowledge() or c.wait())
	tap.equal(c.ask(b"z1,%x,1" % tick), b"OK", "taken away")


def runs_on(tap, c, symbols):
	"""Three run while one is looked at and stepped."""
	counters = symbols["counters"][0]
	c.ask(b"vCont;c")
	c.acknowledge()
	tap.equal(c.ask(b"vCont;t:2"), b"OK", "one is stopped")
	tap.equal([(s[0], s[1]) for s in c.wait()], [(0, 2)], "and told of, with signal 0")
	first = [c.number(counters + 64 * i, 8) for i in range(CPUS)]
	steps = []
	for _ in range(50):
		c.ask(b"vCont;s:2")
		steps += [(s[0], s[1]) for s in c.acknowledge() or c.wait()]
	tap.equal(steps, [(5, 2)] * 50, "it steps 50 times, and nothing else is told of")
	while True:
		last = [c.number(counters + 64 * i, 8) for i in range(CPUS)]
		if all(last[i] > first[i] for i in (0, 2, 3)):
			break
	tap.ok(last[1] - first[1] <= 25, "the others run meanwhile", (first, last))
	tap.equal(c.ask(b"vCtrlC"), b"OK", "vCtrlC")
	tap.equal([s[0] for s in c.acknowledge() or c.wait()], [2], "stops one, with SIGINT")


def main():
	visor.need_kvm()
	tap = visor.Tap()
	symbols = visor.symbols(visor.built("examples/smp4.elf"))
	with visor.Visor("-c", str(CPUS), visor.built("examples/smp4.elf")) as v:
		c = client.NonStop(v.target)
		try:
			c.ask(b"qSupported:swbreak+;hwbreak+")
			begin(tap, c)
			c.ask(b"vCont;c")
			tap.ok(v.wait_text("cpus: 4"), "four CPUs come up", v.text)
			c.ask(b"vCont;t")
			tap.equal(sorted(s[1] for s in c.wait()), [1, 2, 3, 4], "vCont;t stops all")
			by_chance(tap, c, symbols)
			runs_on(tap, c, symbols)
			c.ask(b"M%x,4:01000000" % symbols["leave"][0])
			c.ask(b"vCont;c")
			if not c.heard:
				c.notification(c.byte())
			tap.equal(list(c.news), [b"W01"], "the guest leaves when told")
		except (client.ProtocolError, OSError) as e:
			tap.ok(False, "the protocol is kept", repr(e))
	tap.done()


main()
