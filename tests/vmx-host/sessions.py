#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What gdb does from outside, over the second serial line of the emulated host, with a gdbvisor in there; run by check.py."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../gdb"))
import lib
from lib import session

HELLO = "examples/hello64.elf"
USER = "tests/vmx-host/user.elf"

# (session, its guest, what gdbvisor's status may be when it is over): in the order of their functions below.  It ends when a client
# on stdio has gone, with 0, or with the guest, if that is quicker.
TABLE = (
	("break step watch", HELLO, (21 << 1 | 1,)), ("user mode", USER, (21 << 1 | 1,)), ("detach", HELLO, (0, 3 << 1 | 1)),
)


def connect(t):
	# On a busy machine the first answer is late, and two questions would have two.
	t.x("set remotetimeout 600")
	t.connect()


@session(symbols=HELLO, connect=False)
def break_step_watch(t):
	connect(t)
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


def variable(name):
	"""One of user.S, whose symbols have no types."""
	return "*(unsigned long *)&" + name


@session(symbols=USER, connect=False)
def user_mode(t):
	def at(symbol, level, text):
		t.equal((t.where(), t.value("$cs") & 3), (t.value("(long)&%s" % symbol), level), text)

	connect(t)
	t.x("break *user_work")
	t.equal(t.go("continue"), "breakpoint 1", "an int3 in user code is hit")
	at("user_work", 3, "in user mode")
	t.go("stepi 3")
	at("user_square", 3, "steps go on in it")
	t.equal(t.value(variable("square")), 1, "and do their work")
	t.x("tbreak *user_call")
	t.equal(t.go("continue"), "breakpoint 2", "so does the guest")
	t.go("stepi")
	at("syscall_entry", 0, "a step over SYSCALL leads to the kernel")
	t.go("stepi 5")
	at("user_back", 3, "and SYSRET back")
	t.go("stepi 3")
	at("user_trap", 3, "pushf and popf are steps like others")
	t.go("stepi")
	at("int3_handler", 0, "an int3 of the guest's own leads to its handler")
	t.go("stepi 6")
	at("user_trap + 1", 3, "and IRET back")
	t.x("delete")
	# (A symbol of a section with code in it is read once too often by gdb's own bytecode.)
	t.x("break *user_work if *(unsigned long *)%d == 40" % t.value("(long)&rounds"))
	t.equal(t.go("continue"), "breakpoint 3", "its own int3 stops nobody, and a condition holds once")
	t.equal((t.value(variable("rounds")), t.value(variable("int3s"))), (40, 39), "when it should")
	t.x("delete")
	t.match("Hardware watchpoint 4", t.x("watch " + variable("square")), "a watchpoint on what user code writes")
	t.equal(t.go("continue"), "breakpoint 4", "is hit")
	at("user_square", 3, "behind the write")
	t.equal(t.value(variable("square")), 1600, "which has been done")
	t.x("delete")
	t.x("hbreak *syscall_entry")
	t.x("hbreak *user_back")
	t.equal((t.go("continue"), t.go("continue")), ("breakpoint 5", "breakpoint 6"), "debug registers in both modes")
	at("user_back", 3, "are hit in their order")
	t.x("delete")
	# It ends with another status when a flag of ours was ever to be seen.
	t.x("set var %s = 21" % variable("exit_value"))
	t.x("set var %s = 1" % variable("leave"))
	t.equal(t.go("continue"), "exited 43", "neither the program nor its kernel saw a trap flag")


@session(symbols=HELLO, connect=False)
def detach(t):
	connect(t)
	t.x("hbreak tick")
	t.equal(t.go("continue"), "breakpoint 1", "a second session")
	t.equal(list(t.read(t.value("&table[15]"), 8)), [15, 0, 0, 0, 225, 0, 0, 0], "reads memory")
	# Nothing could stop a guest that spins with interrupts off there.
	t.x("set var exit_value = 3")
	t.x("set var leave = 1")
	t.x("detach")


if __name__ == "__main__":
	lib.main(os.path.abspath(__file__))
