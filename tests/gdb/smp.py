#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Four vCPUs with gdb: threads, breakpoints hit by all, one stepped while the others stay."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lib
from lib import session

SMP = {"image": "examples/smp4.elf", "args": ["-c", "4"], "symbols": "examples/smp4.elf"}


def thread_lines(text):
	return [line for line in text.splitlines() if line.lstrip("* ").split(" ")[0].isdigit()]


@session(interrupt="cpus: 4", **SMP)
def four_threads(t):
	t.equal(len(thread_lines(t.x("info threads"))), 4, "info threads shows four before anything ran")
	t.equal(t.go("continue"), "SIGINT", "Ctrl-C stops all")
	t.equal(len(thread_lines(t.x("info threads"))), 4, "info threads shows four")
	shown = t.x("thread apply all x/i $pc")
	t.equal(shown.count("=> 0x"), 4, "thread apply all x/i $pc shows an instruction each")
	t.equal(t.value("cpus_up"), 4, "all came up")
	seen = [t.value("counters[%d].n" % i) for i in range(4)]
	t.equal([t.value("counters[%d].n" % i) for i in range(4)], seen, "nothing runs while stopped")
	t.ok(all(seen), "each has counted", seen)


@session(same=True, symbols="examples/smp4.elf")
def hit_by_all(t):
	import gdb
	hits, stops = {}, 0
	t.x("break tick")
	# on a busy host one CPU may come late for long
	while stops < 200 or (len(hits) < 4 and stops < 5000):
		t.x("continue")
		stops += 1
		number = gdb.selected_thread().num
		if t.value("(char *)c - (char *)counters") != 64 * (number - 1):
			t.ok(False, "the stop is reported for the CPU that hit", number)
		hits[number] = hits.get(number, 0) + 1
	t.equal(sorted(hits), [1, 2, 3, 4], "all four hit the breakpoint")
	t.match("already hit %d times" % stops, t.x("info breakpoints"), "gdb counted each stop once")
	t.x("delete")


@session(same=True, symbols="examples/smp4.elf")
def one_steps(t):
	for number in (1, 2, 3, 4):
		t.x("thread %d" % number)
		others = [n for n in (1, 2, 3, 4) if n != number]

		def state():
			pcs = []
			for n in others:
				t.x("thread %d" % n)
				pcs.append((t.where(), t.value("counters[%d].n" % (n - 1))))
			t.x("thread %d" % number)
			return pcs
		before, pc = state(), t.where()
		t.x("stepi")
		t.ok(t.where() != pc or "pause" in t.x("x/i $pc"), "thread %d steps" % number)
		t.equal(state(), before, "and the others stay where they are")


@session(same=True, symbols="examples/smp4.elf")
def registers_of_each(t):
	for number in (1, 2, 3, 4):
		t.x("thread %d" % number)
		t.x("set $r12 = %d" % (0x100 + number))
	for number in (1, 2, 3, 4):
		t.x("thread %d" % number)
		t.equal(t.value("$r12"), 0x100 + number, "thread %d has registers of its own" % number)
	t.x("set var leave = 1")
	t.equal(t.go("continue"), "exited 1", "the guest leaves when told")


lib.main(__file__)
