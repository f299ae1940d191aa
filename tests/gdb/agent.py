#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Conditions and commands that gdb leaves to the machine: agent expressions."""

import os
import re
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lib
from lib import session

HELLO = {"image": "examples/hello64.elf", "symbols": "examples/hello64.elf"}
SMP = {"image": "examples/smp4.elf", "args": ["-c", "4"], "symbols": "examples/smp4.elf"}


def on_target(t):
	t.x("set breakpoint condition-evaluation target")
	t.match("target", t.x("show breakpoint condition-evaluation"), "conditions are evaluated by the machine")


def hits(t, number=1):
	found = re.search(r"already hit (\d+) time", t.x("info breakpoints %d" % number))
	return int(found.group(1)) if found else 0


def run_to(t, command="continue"):
	"""Runs on; what the machine has gdb print meanwhile, and how it ended."""
	t.event = None
	return t.x(command), t.event


@session(**HELLO)
def conditions(t):
	on_target(t)
	t.x("break tick if ticks == 40")
	t.equal(t.go("continue"), "breakpoint 1", "one that comes true is hit")
	t.equal(t.value("ticks"), 40, "when it is true")
	t.match(r"stop only if ticks == 40 \(target evals\)", t.x("info breakpoints"), "gdb says who evaluates")
	t.equal(hits(t), 1, "gdb heard of that hit alone")
	t.x("condition 1 (ticks > 40 && (ticks & 7) == 5) || ticks == 60")
	wanted = [n for n in range(41, 100) if n % 8 == 5 or n == 60][:4]
	for n in wanted:
		t.equal(t.go("continue"), "breakpoint 1", "a compound one is hit")
		t.equal(t.value("ticks"), n, "where it should")
	t.x("condition 1 $rip != 0 && 5 - (long)ticks < 0 && ticks % 9 == 7 && ticks / 9 == 7")
	t.equal(t.go("continue"), "breakpoint 1", "one with arithmetic and a register")
	t.equal(t.value("ticks"), 70, "comes true")
	t.x("condition 1")
	t.equal(t.go("continue"), "breakpoint 1", "without a condition")
	t.equal(t.value("ticks"), 71, "it is hit at once")
	t.x("delete")
	t.x("hbreak tick if ticks == 80")
	t.equal(t.go("continue"), "breakpoint 2", "a hardware breakpoint has conditions, too")
	t.equal(t.value("ticks"), 80, "that hold")


@session(same=True, symbols="examples/hello64.elf")
def several(t):
	on_target(t)
	start = t.value("ticks")
	t.x("break tick if ticks == %d" % (start + 30))
	t.x("break tick if ticks == %d" % (start + 20))
	t.x("continue")
	t.equal(t.value("ticks"), start + 20, "of two at one place the second comes true first")
	t.equal((hits(t, 1), hits(t, 2)), (0, 1), "which is what gdb counts")
	t.x("continue")
	t.equal(t.value("ticks"), start + 30, "and then the other")
	t.equal((hits(t, 1), hits(t, 2)), (1, 1), "each was hit once")
	t.x("break tick")
	t.x("continue")
	t.equal(t.value("ticks"), start + 31, "one without a condition beside them is hit always")


@session(same=True, symbols="examples/hello64.elf")
def errors(t):
	on_target(t)
	start = t.value("ticks")
	t.x("break tick if *(int *)0xdead0000000 == 1")
	text, event = run_to(t)
	t.match(r"the condition of the breakpoint at 0x\w+: 4 bytes at 0xdead0000000 cannot be read", text, "an error is told")
	t.equal(event, "breakpoint 1", "and the breakpoint is hit")
	# attaching may have stopped the guest at that very place
	at = t.value("ticks")
	t.ok(at in (start, start + 1), "at once", (start, at))
	t.x("condition 1 10 / (ticks - ticks) == 3")
	t.match("division by zero", run_to(t)[0], "a division by zero, too")
	t.equal(t.value("ticks"), at + 1, "stops")


@session(same=True, symbols="examples/hello64.elf")
def on_the_hosts_side(t):
	t.x("set remote conditional-breakpoints-packet off")
	t.match("host", t.x("show breakpoint condition-evaluation"), "without the packet gdb evaluates itself")
	start = t.value("ticks")
	t.x("break tick if ticks == %d" % (start + 5))
	t.equal(t.go("continue"), "breakpoint 1", "with the same outcome")
	t.equal(t.value("ticks"), start + 5, "at the same time")
	t.ok("target evals" not in t.x("info breakpoints"), "and says so")


@session(same=True, symbols="examples/hello64.elf")
def ten_thousand(t):
	on_target(t)
	start = t.value("ticks")
	t.x("break tick if ticks == %d" % (start + 10000))
	begin = time.monotonic()
	t.equal(t.go("continue"), "breakpoint 1", "after 10,000 hits that were false")
	seconds = time.monotonic() - begin
	t.equal(t.value("ticks"), start + 10000, "the one that was not")
	t.equal(hits(t), 1, "is all that gdb counts")
	t.ok(seconds < 60, "in less than a minute", seconds)


@session(**SMP)
def four_at_once(t):
	on_target(t)
	t.x("break tick if c->n % 512 == 511")
	seen = {}
	for _ in range(40):
		t.equal(t.go("continue"), "breakpoint 1", "hit")
		n = t.value("c->n")
		t.equal(n % 512, 511, "the condition is the vCPU's own")
		seen.setdefault(t.value("(char *)c - (char *)counters") // 64, []).append(n)
	t.equal(hits(t), 40, "each of them was reported once")
	for cpu, counts in seen.items():
		t.equal(counts, [511 + 512 * i for i in range(len(counts))], "CPU %d has left none out" % cpu)
	t.x("delete")
	t.x("set var leave = 1")
	t.equal(t.go("continue"), "exited 1", "and all is well afterwards")


@session(**HELLO)
def agent_dprintf(t):
	t.x("set dprintf-style agent")
	t.x('dprintf fill_entry,"n=%u 5d=%5d e=%p %c %%%lx\\n", n, n, e, 65 + n, (unsigned long)n << 40')
	t.x("break sum_table")
	text, event = run_to(t)
	t.equal(event, "breakpoint 2", "the guest goes on over them")
	table = t.value("&table")
	wanted = ["n=%u 5d=%5d e=%#x %c %%%x" % (n, n, table + 8 * n, 65 + n, n << 40) for n in range(16)]
	t.equal([line for line in text.splitlines() if line.startswith("n=")], wanted, "each line has been printed, in order")
	t.x("delete")


@session(same=True, symbols="examples/hello64.elf")
def conditional_dprintf(t):
	start = t.value("ticks")
	t.x("set dprintf-style agent")
	t.x('dprintf tick,"ticks is %lu\\n", ticks')
	t.match("agent-printf", t.x("info breakpoints"), "the machine is to print")
	t.x("condition 1 ticks >= %d && ticks < %d" % (start + 100, start + 103))
	t.x("break *&tick + 7 if ticks == %d" % (start + 200))
	text, _ = run_to(t)
	t.equal(t.value("ticks"), start + 200, "up to another breakpoint")
	t.equal([line for line in text.splitlines() if line.startswith("ticks")],
		["ticks is %d" % (start + n) for n in (100, 101, 102)], "it has printed when its condition held")


@session(dies=True, **HELLO)
def strings(t):
	t.x("set dprintf-style agent")
	t.x("tbreak main")
	t.go("continue")
	t.x('set var *(char (*)[12])0x200000 = "hello there"')
	t.x('dprintf fill_entry,"<%s> <%.5s>\\n", (char *)0x200000, (char *)0x200000')
	t.x("break sum_table")
	t.match("^<hello there> <hello>$", run_to(t)[0], "strings are read from the guest")
	t.x('dprintf tick,"%s\\n", (char *)0xdead0000000')
	t.x("break *&tick + 7 if ticks == 3")
	text, _ = run_to(t)
	t.equal(text.count("a command of the breakpoint"), 3, "what cannot be read is told")
	t.equal(t.value("ticks"), 3, "and the guest goes on")
	t.x("delete")
	# without a client what it prints is dropped, but it is there still
	t.x("set disconnected-dprintf on")
	t.x('dprintf tick,"on %lu\\n", ticks')
	t.x("break *&tick + 7 if ticks == 6")
	t.match("^on 4$", run_to(t)[0], "before the client goes")
	t.x("delete 5")
	# the client dies while the guest runs; gdb sends a breakpoint's commands before it says continue
	t.x("set breakpoint always-inserted on")
	t.x("break *&tick + 7 if ticks == 9")
	t.x("continue")
	t.dying()
	os.kill(os.getpid(), signal.SIGKILL)


@session(same=True, symbols="examples/hello64.elf")
def left_behind(t):
	t.match("gdb", t.x("monitor info breakpoints"), "a dprintf that outlives its client is there for the next")
	ticks = t.value("ticks")
	t.ok(ticks > 6, "the guest went on meanwhile", ticks)
	t.x("break *&tick + 7 if ticks == %d" % (ticks + 3))
	t.match("^on %d$" % (ticks + 1), run_to(t)[0], "who reads what it prints")
	t.x("set dprintf-style agent")
	t.x("set disconnected-dprintf off")
	t.x('dprintf tick,"off\\n"')
	t.x("condition 1 ticks == %d" % (ticks + 6))
	t.match("^off$", run_to(t)[0], "it can be replaced")


@session(same=True, symbols="examples/hello64.elf")
def all_gone(t):
	t.ok(" gdb" not in t.x("monitor info breakpoints"), "one that does not outlive it goes with its client")


lib.main(__file__)
