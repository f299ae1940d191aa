#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Non-stop mode with gdb: four vCPUs stopped, stepped and resumed one by one while the others run."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import typed
import visor

CPUS = 4
IMAGE = "examples/smp4.elf"
R, S = True, False              # running, stopped


def counts(g):
	return [g.value("counters[%d].n" % i) for i in range(CPUS)]


def run_control(tap, v, g):
	tap.match("0x|main|start", g.x("target remote " + v.target), "gdb attaches")
	g.wait_text(r'Thread 4 "[^\n]* stopped')
	tap.equal(g.threads(), [S] * CPUS, "all four threads stand")
	g.x("continue -a &")
	tap.ok(v.wait_text("cpus: 4"), "four CPUs come up", v.text)
	tap.equal(g.threads(), [R] * CPUS, "all four run")

	at = len(g.text)
	g.x("thread 2")
	g.x("interrupt")
	tap.ok(g.wait_text(r'Thread 2 "[^\n]* stopped', start=at), "interrupt stops the current thread", g.text[at:])
	tap.equal(g.threads(), [R, S, R, R], "and only that")
	before = counts(g)
	tap.ok(all(n is not None for n in before), "its registers and memory are read while others run", before)
	pcs = []
	for _ in range(20):
		g.x("stepi")
		pcs.append(g.value("$pc"))
	tap.ok(len(set(pcs)) > 2, "it steps", pcs)
	tap.equal(g.threads(), [R, S, R, R], "while the others run")
	g.x("set $r12 = 0x1234")
	tap.equal(g.value("$r12"), 0x1234, "its registers can be written")
	after = counts(g)
	tap.ok(all(after[i] > before[i] for i in (0, 2, 3)), "the others count meanwhile", (before, after))
	tap.equal([n - before[1] <= 10 for n in after[1:2]], [True], "and it hardly does")
	g.x("continue &")
	tap.equal(g.threads(), [R] * CPUS, "it runs again")


def breakpoints(tap, v, g):
	at = len(g.text)
	tap.match("Breakpoint", g.x("break tick"), "a breakpoint is set while all run")
	for n in range(1, CPUS + 1):
		tap.ok(g.wait_text(r'Thread %d "[^\n]* hit Breakpoint' % n, start=at), "thread %d hits it" % n,
		       g.text[at:])
	tap.equal(g.threads(), [S] * CPUS, "all four stand there")
	for n in range(1, CPUS + 1):
		g.x("thread %d" % n)
		tap.equal(g.value("$pc == (unsigned long)tick || (char *)c == (char *)&counters[%d]" % (n - 1)), 1,
			  "thread %d is at it" % n)
	# one goes on by itself, and comes round to it
	before = counts(g)
	g.x("thread 3")
	for _ in range(5):
		at = len(g.text)
		g.x("continue")
		if not g.wait_text(r'Thread 3 "[^\n]* hit Breakpoint', start=at):
			tap.ok(False, "thread 3 comes round", g.text[at:])
	tap.equal(counts(g), [before[0], before[1], before[2] + 5, before[3]],
		  "it comes round five times, and counts five; the others stand")
	g.x("delete")
	g.x("continue -a &")
	tap.equal(g.threads(), [R] * CPUS, "without the breakpoint all run")


def all_at_once(tap, v, g):
	for _ in range(10):
		at = len(g.text)
		g.x("interrupt -a")
		for n in range(1, CPUS + 1):
			g.wait_text(r'Thread %d "[^\n]* stopped' % n, start=at)
		if g.threads() != [S] * CPUS:
			tap.ok(False, "interrupt -a stops all", g.text[at:])
			return
		g.x("continue -a &")
	tap.ok(True, "interrupt -a and continue -a, ten times")
	at = len(g.text)
	g.x("interrupt -a")
	for n in range(1, CPUS + 1):
		g.wait_text(r'Thread %d "[^\n]* stopped' % n, start=at)
	tap.match("single-step|registers|cpu", g.x("monitor info host"), "monitor commands answer")
	g.x("set var leave = 1")
	at = len(g.text)
	g.x("continue -a &")
	tap.ok(g.wait_text("exited with code 01", start=at), "the guest's end is told", g.text[at:])
	tap.equal(v.wait(), 1, "and its status is gdbvisor's")


def main():
	visor.need_kvm()
	tap = visor.Tap()
	with visor.Visor("-c", str(CPUS), visor.built(IMAGE)) as v:
		g = typed.Gdb(visor.built(IMAGE), ("non-stop on",))
		try:
			for part in (run_control, breakpoints, all_at_once):
				part(tap, v, g)
		finally:
			if os.environ.get("GV_TEST_VERBOSE"):
				sys.stderr.write(g.text)
			g.close()
	tap.done()


main()
