#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The 16-bit unwinder: the right frames at every instruction of every kind of function; finish, up, next."""

import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lib
import visor
from lib import session

CALLS = {"image": "tests/guests/calls16.bin", "symbols": "tests/guests/calls16.elf"}
SCRIPT = visor.source("gdbstub/gdbvisor.py")
TURN = 400              # no turn of the guest's loop takes as many instructions


def frames(gdb):
	"""The pc of each frame, the innermost first."""
	found, frame = [], gdb.newest_frame()
	while frame is not None and len(found) < 30:
		found.append(frame.pc())
		frame = frame.older()
	return found


def follow(t, upto, count=TURN):
	"""
	Steps until UPTO(pc); before each step the frames are compared with what calls and returns have been seen.  The
	steps, and the differences.
	"""
	import gdb
	returns, wrong, steps = [], [], 0
	while steps < count:
		pc = t.where()
		got, wanted = frames(gdb), [pc] + returns[::-1]
		if got != wanted:
			wrong.append("at %#x: %s, wanted %s" % (pc, [hex(a) for a in got], [hex(a) for a in wanted]))
		if steps and upto(pc):
			break
		insn = gdb.newest_frame().architecture().disassemble(pc)[0]
		name = insn["asm"].split()[0]
		t.x("stepi")
		steps += 1
		if name in ("call", "lcall", "callw", "lcallw", "int"):
			returns.append(pc + insn["length"])
		elif re.match(r"l?i?ret", name) and returns:
			returns.pop()
	return steps, wrong


def turn(t):
	t.x("source " + SCRIPT)
	t.x("break *&main_loop")
	t.equal(t.go("continue"), "breakpoint 1", "the loop is reached")
	t.x("delete")


@session(**CALLS)
def every_instruction(t):
	turn(t)
	top = t.where()
	for n in range(2):
		steps, wrong = follow(t, lambda pc: pc == top)
		t.ok(40 < steps < TURN, "turn %d is walked" % n, steps)
		t.equal(wrong, [], "the frames are right at each of its instructions")


@session(image=CALLS["image"])
def without_symbols(t):
	turn_at = visor.symbols(visor.built(CALLS["symbols"]))["main_loop"][0]
	t.x("source " + SCRIPT)
	t.x("break *%#x" % turn_at)
	t.x("continue")
	steps, wrong = follow(t, lambda pc: pc == turn_at)
	t.ok(40 < steps < TURN, "a turn is walked", steps)
	t.equal(wrong, [], "the frames are right without a symbol")


@session(**CALLS)
def finish_and_up(t):
	t.x("source " + SCRIPT)
	for name, back in (("leaf", "leaf_back"), ("leaf_end - 3", "leaf_back"), ("framed + 4", "framed_back"),
			   ("forked + 1", "forked_back"), ("saver + 4", "saver_back"), ("pascal + 1", "pascal_back"),
			   ("outer + 6", "outer_back"), ("distant", "distant_back"), ("distant + 3", "distant_back"),
			   ("handler + 1", "handler_back"), ("pushed + 1", "pushed_back")):
		t.x("tbreak *(%s)" % name.replace(name.split()[0], "(char *)&" + name.split()[0]))
		t.x("continue")
		t.x("finish")
		t.equal(t.where(), t.value("&" + back), "finish at %s" % name)
	t.x("tbreak *&leaf")
	t.x("continue")
	sp = t.value("$esp")
	t.x("up")
	t.equal(t.where(), t.value("&leaf_back"), "up from a leaf")
	t.equal(t.value("$esp"), sp + 2, "its stack pointer is as after the return")
	t.equal(t.value("$ip"), t.value("&leaf_back") - t.value("$cs_base"), "ip goes with pc")
	t.x("up")
	t.equal(t.where(), t.value("&framed_back"), "up again")
	t.equal(t.value("*(unsigned short *)($ss_base + $ebp + 4)"), 5, "bp is that frame's: its first argument")
	t.x("tbreak *(char *)&distant + 4")
	t.x("continue")
	t.equal(t.value("$cs"), 0x7c0, "a far function")
	t.x("up")
	t.equal((t.value("$cs"), t.value("$cs_base")), (0, 0), "its caller's cs")


@session(**CALLS)
def saved_registers(t):
	turn(t)
	t.x("set $esi = 0x5a5a")
	t.x("set $edi = 0x11223344")
	t.x("tbreak *&forked")
	t.x("continue")
	t.equal((t.value("$esi & 0xffff"), t.value("$ds")), (0x1234, 0), "the function has registers of its own")
	t.x("up 2")
	t.equal(t.where(), t.value("&saver_back"), "its caller is selected")
	t.equal(t.value("$esi & 0xffff"), 0x5a5a, "whose registers are those that will be popped")
	t.equal(t.value("$edi"), 0x11223344, "32 bits of them if that is what was pushed")


@session(**CALLS)
def next_goes_over(t):
	turn(t)
	calls = ("outer_back", "distant_back", "handler_back", "pushed_back")
	wanted = [t.value("&" + name) for name in calls]
	seen = []
	for n in range(12):
		t.x("next")
		seen.append(t.where())
	t.ok(all(a in seen for a in wanted), "next goes over calls, far calls and interrupts", [hex(a) for a in seen])
	low, high = t.value("&outer"), t.value("&far_stuck")
	t.ok(not any(low <= a < high for a in seen), "and into none of them", [hex(a) for a in seen])
	t.x("tbreak *&outer")
	t.x("continue")
	seen = []
	while len(seen) < 20 and t.where() != t.value("&outer_back"):
		t.x("next")
		seen.append(t.where())
	for name in ("framed_back", "saver_back", "pascal_back", "outer_back"):
		t.ok(t.value("&" + name) in seen, "next in a function with a frame comes to %s" % name, seen)
	t.ok(not any(t.value("&outer_end") <= a for a in seen), "and stays in it", [hex(a) for a in seen])
	for name in ("saver", "pascal"):
		t.x("tbreak *&" + name)
		t.x("continue")
	t.x("nexti 3")
	t.x("stepi 3")
	t.equal(t.where(), t.value("&pascal_back"), "and steps lead out of a function")


@session(**CALLS)
def the_outermost(t):
	turn(t)
	text = t.x("backtrace")
	t.match(r"^#0 .*main_loop \(\)", text, "a backtrace where nobody has called")
	t.ok("#1" not in text and "corrupt" not in text, "ends there without a complaint", text)
	t.match("outermost", t.refused("finish"), "finish is refused there")
	t.match("cannot go up", t.refused("up"), "and so is up")
	t.x("tbreak *&leaf")
	t.x("continue")
	text = t.x("backtrace")
	t.match(r"^#3 .*outer_back", text, "a backtrace of four")
	t.ok("#4" not in text and "corrupt" not in text, "ends there without a complaint", text)
	t.match("cannot go up", t.refused("up 9") or t.refused("up"), "up goes no further")


@session(**CALLS)
def code_that_never_returns(t):
	turn(t)
	t.x("set {char}&go_stuck = 1")
	t.x("tbreak *((char *)&stuck + 1)")
	t.x("continue")
	wanted = [t.where(), t.value("&stuck_back"), t.value("&stuck_far_back")]
	import gdb
	for n in range(4):
		got = frames(gdb)
		t.equal(got[1:], wanted[1:], "is found on the stack, near and far (%d)" % n)
		t.x("stepi")


@session(**CALLS)
def nonsense(t):
	turn(t)
	t.x("tbreak *&leaf")
	t.x("continue")
	import gdb
	for stack in (0xffff, 0xfffe, 0x7fe, 1):
		t.x("frame 0")
		t.x("set $esp = %#x" % stack)
		t.x("frame 0")
		t.x("set $ebp = %#x" % (stack ^ 2))
		t.ok(len(frames(gdb)) == 1, "a stack pointer of %#x has one frame" % stack, t.x("backtrace"))
	t.x("frame 0")
	t.x("set $esp = 0x700")
	t.x("frame 0")
	t.x("set $ebp = 0x700")
	for offset in range(0, 0x100, 4):
		t.x("set {int}($ss_base + 0x700 + %d) = %#x" % (offset, 0x07040704 + offset * 0x10001))
	t.ok(len(frames(gdb)) == 1, "a stack of words that are no return addresses ends there", t.x("backtrace"))


lib.main(__file__)
