#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A 64-bit kernel with gdb: source-level work, hardware breakpoints, bad memory, Ctrl-C, paging, monitor."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lib
from lib import session

NEST = {"image": "tests/guests/nest64.elf", "symbols": "tests/guests/nest64.elf"}
HELLO = {"image": "examples/hello64.elf", "symbols": "examples/hello64.elf"}
HIGH = 0xffff800000000000


@session(**NEST)
def source_level(t):
	t.equal(t.where(), t.value("&start"), "starts at its entry")
	t.match(r"lea\s+0x[0-9a-f]+\(%rip\),%rsp", t.x("x/i $pc"), "64-bit code")
	t.x("break main")
	t.equal(t.go("continue"), "breakpoint 1", "break main")
	before = t.where()
	t.x("stepi 3")
	t.ok(before < t.where() < before + 32, "stepi 3", hex(t.where()))
	t.x("tbreak inner")
	t.x("continue")
	t.match(r"inner \(n=(n@entry=)?1\)", t.x("frame"), "the innermost function, with its argument")
	t.match(r"(?s)#0\s+inner.*#1.*middle.*#2.*outer.*#3.*main", t.x("backtrace"), "backtrace shows all four")
	t.x("finish")
	t.equal(t.value("$"), 3, "finish gives the value")
	t.x("finish")
	t.match(r"outer \(", t.x("frame"), "finish again")
	t.equal(t.value("scale"), 2, "a variable can be printed")
	t.x("set var scale = 5")
	t.x("tbreak inner")
	t.x("continue")
	t.x("finish")
	t.equal(t.value("$"), 11, "and set: the guest computes with it")
	t.x("tbreak outer")
	t.x("continue")
	while " outer (" in t.x("frame"):
		t.x("step")
	t.match(r"middle \(", t.x("frame"), "step goes into a call")
	t.x("delete")
	t.x("break inner if n == 50")
	t.x("continue")
	t.equal(t.value("n"), 50, "a condition is kept")
	t.x("delete")
	t.x("set var leave = 1")
	t.equal(t.go("continue"), "exited 15", "it leaves with 7, status 15")


@session(**NEST)
def hardware_breakpoints(t):
	for place in ("inner", "middle", "outer", "main"):
		t.match("Hardware assisted", t.x("hbreak *%s" % place), "hbreak *%s is taken" % place)
	for place in ("main", "outer", "middle", "inner", "outer", "middle", "inner"):
		t.x("continue")
		t.equal(t.where(), t.value("(unsigned long)&%s" % place), "%s is hit in its turn" % place)
	t.x("delete")
	rounds = t.value("rounds")
	t.x("tbreak outer")
	t.x("continue")
	t.equal(t.value("rounds"), rounds + 1, "deleted, they are gone")


@session(**NEST)
def registers(t):
	for name in ("rax", "rbx", "r8", "r15"):
		t.x("set $%s = 0x1122334455667788" % name)
		t.equal(t.value("$" + name), 0x1122334455667788, "%s can be written and read" % name)
	t.x("set $eflags = 0x46")
	t.match(r"\[.*(PF.*ZF|ZF.*PF).*\]", t.x("info registers eflags"), "eflags too, shown by its bits")
	t.x("set $st0 = 1.5")
	t.match(r"1\.5", t.x("print $st0"), "an x87 register")
	t.x("set $xmm3.v4_int32 = {1, 2, 3, 4}")
	t.match(r"{1, 2, 3, 4}", t.x("print $xmm3.v4_int32"), "an SSE register")
	shown = t.x("info all-registers")
	for name in ("rax", "r15", "rip", "gs", "st7", "fop", "[xyz]mm15", "mxcsr", "fs_base", "cr0", "cr8", "efer"):
		t.match("^" + name, shown, "info all-registers shows " + name)
	t.equal(t.value("$efer.value & 0x500"), 0x500, "efer says long mode")
	t.ok(t.value("$cr3") != 0, "cr3 points to tables")
	t.x("set $dr3 = 0xffff800000001230")
	t.x("set $dr7.value = 0xc0")
	t.equal(t.value("$dr3"), 0xffff800000001230, "dr3 can be written and read")
	t.equal(t.value("$dr7.value"), 0x4c0, "dr7 too, with the bit that is fixed")
	t.x("set $dr7.value = 0")
	t.x("set $rip = main")
	t.equal(t.where(), t.value("(unsigned long)&main"), "rip can be set")
	t.x("stepi")
	t.ok(t.where() > t.value("(unsigned long)&main"), "and the guest runs from there")


@session(**HELLO)
def bad_memory(t):
	for address in (0x8000000000000000, 0xffff800000000000, 0xfffffffffffffff8):
		t.match("Cannot access memory", t.refused("x/gx %#x" % address), "reading %#x fails" % address)
		t.match("Cannot access memory", t.refused("set {long}%#x = 1" % address), "writing %#x fails" % address)
	end = 128 << 20
	t.x("x/gx %#x" % (end - 8))
	t.match("Cannot access memory", t.refused("x/gx %#x" % end), "nothing can be read behind RAM")
	t.match("Cannot access memory", t.refused("x/2gx %#x" % (end - 8)), "a read over its end says where")
	t.x("break *0x800000000000")
	t.match("Cannot access memory|aborted", t.refused("stepi"), "a breakpoint that is not canonical is refused")
	t.equal(t.where(), t.value("(unsigned long)&start"), "and nothing has run")
	t.x("delete")
	t.x("stepi")
	t.equal(t.where(), t.value("(unsigned long)&start + 7"), "the session goes on")


@session(interrupt="ticking until leave is set", **HELLO)
def ctrl_c(t):
	t.equal(t.go("continue"), "SIGINT", "Ctrl-C stops the running guest")
	t.match(r"main \(\)", t.x("backtrace"), "in its loop")
	ticks = t.value("ticks")
	t.x("tbreak tick")
	t.x("continue")
	t.ok(t.value("ticks") >= ticks, "it can be continued")
	t.equal(t.value("table[5].square"), 25, "memory is as it should be")


@session(same=True, symbols="examples/hello64.elf")
def monitor_commands(t):
	t.match(r"(?i)rip", t.x("monitor info registers"), "monitor info registers")
	t.match(r"stopped|breakpoint", t.x("monitor info status"), "monitor info status")
	t.match(r"tick", t.x("monitor disas tick"), "monitor disas knows the symbols")
	t.match(r"(?i)kvm", t.x("monitor info host"), "monitor info host")
	t.match(r"hello", t.x("monitor echo hello"), "monitor echo")
	t.match(r"[0-9]", t.x("monitor info slots"), "monitor info slots")
	t.match(r"\S", t.x("monitor help"), "monitor help")
	said = t.refused("monitor nonsense")
	t.match(r"nonsense|error|fail", said or t.x("monitor nonsense"), "a command there is not is an error")
	t.x("set var leave = 1")
	t.equal(t.go("continue"), "exited 1", "and the guest leaves when told")


@session("tests/guests/paging.elf", symbols="tests/guests/paging.elf")
def paging(t):
	t.x("break *&low")
	t.x("continue")
	t.equal(t.where(), t.value("(unsigned long)&low"), "the guest has its own tables")
	high = HIGH + t.value("(unsigned long)&high")
	t.x("break *%#x" % high)
	t.x("continue")
	t.equal(t.where(), high, "a breakpoint in the upper half is hit")
	t.x("continue")
	t.equal(t.where(), high, "and hit again")
	t.equal(t.value("*(long *)&counter"), 1, "after one turn")
	shared = t.value("(unsigned long)&shared")
	for alias in (0x8000000000, 0x8000001000, 0x8000002000, HIGH + shared):
		t.equal(t.value("*(unsigned long *)%#x" % alias), 1, "%#x shows the shared page" % alias)
	t.x("set {long}0x8000000000 = 100")
	t.equal(t.value("*(unsigned long *)0x8000002000"), 100, "a read-only page can be written by the debugger")
	t.match("Cannot access memory", t.refused("x/gx 0x5000"), "a page that is not present cannot be read")
	t.match("Cannot access memory", t.refused("x/gx 0xffff800000200000"), "nor beyond the upper half's page")
	t.ok(b"\xcc" not in t.read(HIGH + t.value("(unsigned long)&high"), 16), "the breakpoint's byte does not show")
	t.ok(b"\xcc" not in t.read(t.value("(unsigned long)&high"), 16), "nor through the other mapping")


lib.main(__file__)
