#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What gdb does from outside, over the second serial line of the emulated host, with a gdbvisor in there; run by check.py."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../gdb"))
import lib
from lib import session

HELLO = "examples/hello64.elf"

# (session, what gdbvisor's status may be when it is over): in the order of their functions below.  It ends when a client on
# stdio has gone, with 0, or with the guest, if that is quicker.
STATUSES = (("break step watch", (21 << 1 | 1,)), ("detach", (0, 3 << 1 | 1)))


@session(symbols=HELLO)
def break_step_watch(t):
	host = t.x("monitor info host")
	for what in ("int3 exits", "hardware breakpoints", "hardware watchpoints"):
		t.match(r"^%s +all\b(?! but)" % what, host, "the processor has " + what)
	t.x("break main")
	t.equal(t.go("continue"), "breakpoint 1", "an int3 is hit")
	code = t.x("x/2i $pc").splitlines()
	t.go("stepi")
	t.match(r"0x0*%x\b" % t.where(), code[1], "stepi goes to the next instruction")
	t.go("stepi 10")
	t.match("main|fill|square|put", t.x("backtrace 1"), "and ten of them go on")
	t.x("hbreak square if n == 5")
	t.equal(t.go("continue"), "breakpoint 2", "a debug register is hit")
	t.match(r"square \(n=.*5\)", t.x("backtrace 1"), "when its condition holds")
	t.match("Hardware watchpoint 3", t.x("watch table[9].square"), "a watchpoint in a debug register")
	t.equal(t.go("continue"), "breakpoint 3", "is hit")
	t.equal(t.value("table[9].square"), 81, "by the write")
	t.match("fill_", t.x("backtrace 1"), "where it is made")
	t.x("delete")
	t.x("set var exit_value = 21")
	t.x("set var leave = 1")
	t.equal(t.go("continue"), "exited 43", "the guest goes on to its end")


@session(symbols=HELLO)
def detach(t):
	t.x("hbreak tick")
	t.equal(t.go("continue"), "breakpoint 1", "a second session")
	t.equal(list(t.read(t.value("&table[15]"), 8)), [15, 0, 0, 0, 225, 0, 0, 0], "reads memory")
	# Nothing could stop a guest that spins with interrupts off there.
	t.x("set var exit_value = 3")
	t.x("set var leave = 1")
	t.x("detach")


if __name__ == "__main__":
	lib.main(os.path.abspath(__file__))
