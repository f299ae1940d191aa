#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""gv and the convenience functions: each with right and wrong arguments, its completion, and with another's remote."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lib
import visor
from lib import session

SCRIPT = visor.source("gdbstub/gdbvisor.py")
HELLO = {"image": "examples/hello64.elf", "symbols": "examples/hello64.elf"}


def begin(t):
	t.x("source " + SCRIPT)
	t.x("tbreak main")
	t.go("continue")


@session(**HELLO)
def commands(t):
	begin(t)
	main = t.value("(long)&main")
	t.match(r"^slot 0 +0x0-", t.x("gv slots"), "gv slots")
	t.match(r"^slot 0 +0x0-", t.x("gv slot list"), "gv slot list")
	t.match(r"rwx?", t.x("gv mem"), "gv mem")
	t.match(r"debug", t.x("gv exits 2"), "gv exits")
	t.match(r"rip +%#x|rip.*%x" % (main, main), t.x("gv regs"), "gv regs")
	t.match(r"cr4", t.x("gv regs cr4"), "gv regs NAME")
	t.match(r"^stopped: elf64", t.x("gv status"), "gv status")
	t.match(r"0 +long", t.x("gv cpus"), "gv cpus")
	t.x("gv break tick")
	t.match(r"tick", t.x("gv breaks"), "gv break and gv breaks")
	t.x("gv watch ticks")
	t.match(r"write", t.x("gv info breakpoints"), "gv watch and gv info breakpoints")
	t.x("gv catch port 0xf4")
	t.match(r"0xf4", t.x("gv breaks"), "gv catch")
	t.x("gv dirty start 0")
	t.match(r"log", t.x("gv slots"), "gv dirty start")
	t.x("gv dirty stop 0")
	t.x("gv delete")
	t.match("none|^$", t.x("gv breaks").replace("no breakpoints", "none"), "gv delete")
	t.match(r"run control", t.x("gv"), "gv alone is its help")
	t.match(r"run control", t.x("gv help"), "what gdb does not know goes to the monitor")
	t.ok(t.refused("gv nonsense"), "what nobody knows is an error")
	t.ok(t.refused("gv slot remove 99"), "a wrong argument is an error")
	t.ok(t.refused("gv slot"), "half a command is an error")


@session(**HELLO)
def walks(t):
	begin(t)
	main = t.value("(long)&main")
	text = t.x("gv walk main")
	t.match(r"^%#x <main>$" % main, text, "gv walk names the address")
	t.match(r"^  PML4\[0\] at gpa 0x\w+: 0x\w+$", text, "then its entries")
	t.match(r"^    PDPT\[0\] at gpa", text, "one by one")
	t.match(r"^  -> gpa %#x, 2048K page, rwx supervisor, slot 0$" % main, text, "and where they lead")
	t.equal(t.x("gv walk &main"), text, "an expression of gdb's")
	t.match(r"PDPT\[1\] ", t.x("gv walk 0x40000000"), "an index is the address's")
	text = t.x("gv walk 0x5000000000")
	t.match(r"PDPT\[320\].*0x0, not present", text, "an entry that is not present")
	t.match(r"not mapped", text, "leads nowhere")
	t.match("missing", t.refused("gv walk"), "no address")
	t.ok(t.refused("gv walk no_such_symbol"), "no such symbol")
	t.match(r"gva %#x -> gpa %#x, " % (main, main), t.x("gv translate main"), "gv translate")
	t.match(r"gva 0x1000 -> ", t.x("gv translate 0x1000 cr3=$cr3"), "gv translate with other page tables")
	t.ok(t.refused("gv translate"), "no address")


@session(**HELLO)
def physical_memory(t):
	begin(t)
	t.x("set {long}0x200000 = 0x1122334455667788")
	t.x("set {long}0x200008 = 0x4000000000000000")
	t.x("set {long}0x200010 = (long)&main")
	t.equal(t.x("gv xp/2gx 0x200000"), "0x200000:\t0x1122334455667788\t0x4000000000000000\n", "gv xp/2gx")
	t.equal(t.x("gv xp/2wd 0x200000"), "0x200000:\t1432778632\t287454020\n", "gv xp/2wd")
	t.equal(t.x("gv xp/3bx 0x200001"), "0x200001:\t0x77\t0x66\t0x55\n", "gv xp/3bx")
	t.equal(t.x("gv xp/fg 0x200008"), "0x200008:\t2\n", "gv xp/fg")
	t.match(r"^0x200000:\t-120 '\\210'", t.x("gv xp/c 0x200000"), "gv xp/c")
	t.match(r"<main>", t.x("gv xp/a 0x200010"), "gv xp/a")
	t.x("set {char [6]}0x200020 = \"hello\"")
	t.equal(t.x("gv xp/s 0x200020"), '0x200020:\t"hello"\n', "gv xp/s")
	t.match(r"push", t.x("gv xp/2i $gpa(main)"), "gv xp/i")
	t.equal(len(t.x("gv xp/100gx 0x200000").splitlines()), 50, "more than one row")
	t.equal(len(t.x("gv xp/4097bx 0x200000").splitlines()), 513, "more than one answer")
	for bad in ("gv xp", "gv xp/", "gv xp/q 0", "gv xp/99999999gx 0", "gv xp/0x 0", "gv xp/x no_such_symbol",
		    "gv xp/-1x 0", "gv xp/fb 0", "gv xp/x 0xfffffffffffffff8 1"):
		t.ok(t.refused(bad), "%s is refused" % bad)
	t.match("no memory", t.refused("gv xp/gx 0xffff00000000"), "where no memory is, it says so")


@session(**HELLO)
def functions(t):
	begin(t)
	t.x("set {long}0x200000 = 0x8877665544332211")
	t.equal(t.value("$phys(0x200000)"), 0x8877665544332211, "$phys(addr)")
	for size, wanted in ((1, 0x11), (2, 0x2211), (4, 0x44332211), (8, 0x8877665544332211)):
		t.equal(t.value("$phys(0x200000, %d)" % size), wanted, "$phys(addr, %d)" % size)
	t.equal(t.value("$gpa(main)"), t.value("(long)&main"), "$gpa(function)")
	t.equal(t.value("$gpa(&table[1])"), t.value("(long)&table[1]"), "$gpa(&object)")
	t.equal(t.value("$msr(0xc0000080)"), 0x500, "$msr(EFER)")
	t.equal(t.value("$cpu()"), 0, "$cpu()")
	t.x("break square")
	t.go("continue")
	t.go("continue")
	number = t.event.split()[1]
	t.equal(t.value("$hits(%s)" % number), 2, "$hits(gdb's)")
	t.x("tbreak tick if $phys($gpa(&table[3].square), 4) == 9")
	t.x("delete " + number)
	t.match("breakpoint", t.go("continue"), "and they work in a condition")
	for bad, why in (("$phys()", ""), ("$phys(0x200000, 3)", "not 1, 2, 4 or 8"),
			 ("$phys(0xffff00000000)", "no memory"),
			 ("$gpa(0x5000000000)", "not mapped"), ("$msr(0x12345678)", ""), ("$msr()", ""),
			 ("$cpu(1)", ""),
			 ("$hits(77)", "No breakpoint"), ("$hits(-1)", "No breakpoint"), ("$phys(1, 2, 3)", "")):
		said = t.refused("print " + bad)
		t.ok(said and why in said, "%s is refused" % bad, said)
	t.ok(t.refused("print $phys(-1)"), "an address past the end is refused")


@session(**HELLO)
def completion_and_help(t):
	begin(t)
	for line, wanted in (("gv sl", "gv slots"), ("gv dirty ta", "gv dirty take"),
			     ("gv slot flags 0 nol", "gv slot flags 0 nolog"),
			     ("gv slot remove 0", "gv slot remove 0"), ("gv catch mm", "gv catch mmio"),
			     ("gv walk squ", "gv walk square"),
			     ("gv info ho", "gv info host")):
		t.ok(wanted in t.x("complete " + line).splitlines(), "%s is completed" % line, t.x("complete " + line))
	t.match("gv kaslr", t.x("help gv"), "help gv lists them")
	t.match(r"^Usage: gv dirty take \[ID\]", t.x("help gv dirty take"), "the monitor's have its usage")
	t.match("Usage: gv walk ADDRESS", t.x("help gv walk"), "and so have gdb's")
	for name in ("phys", "msr", "gpa", "cpu", "hits"):
		t.match(r"Usage: \$%s \(" % name, t.x("help function " + name), "$%s has help" % name)


@session("examples/smp4.elf", args=("-c", "4"), symbols="examples/smp4.elf")
def several_cpus(t):
	t.x("source " + SCRIPT)
	t.x("break tick")
	t.go("continue")
	for thread in (3, 1, 4):
		t.x("thread %d" % thread)
		t.equal(t.value("$cpu()"), thread - 1, "$cpu() is the selected thread's")
		t.match(r"^\* %d" % (thread - 1), t.x("gv cpus"), "and gv's commands are about it")
		t.match(r"%x" % t.value("$rsp"), t.x("gv regs rsp"), "down to its registers")


@session("tests/guests/real.bin", connect=False)
def another_remote(t):
	log = os.environ["GV_TEST_RESULTS"] + ".packets"
	t.x("source " + SCRIPT)
	t.match("not a gdbvisor", t.refused("gv status"), "without a target gv says so")
	t.match("not a gdbvisor", t.refused("print $phys(0)"), "and so do the functions")
	said = t.x("target remote | %s %s %s" % (os.environ.get("PYTHON3") or "python3",
						 visor.source("tests/gdb/other_remote.py"), log))
	t.ok("gdbvisor" not in said.replace(log, ""), "another remote is connected to in silence", said)
	for n in range(3):
		t.x("stepi")
	t.equal(t.value("$rip"), 0, "it is debugged as ever")
	for command in ("gv status", "gv walk 0", "gv xp/x 0", "gv kaslr", "gv translate 0", "gv nonsense"):
		t.match("not a gdbvisor", t.refused(command), "%s is refused" % command)
	for function in ("$phys(0)", "$gpa(0)", "$msr(0)", "$cpu()", "$hits(5)"):
		t.match("not a gdbvisor", t.refused("print " + function), "%s is refused" % function)
	with open(log) as f:
		asked = [line for line in f if line.startswith("qRcmd")]
	t.equal(len(asked), 1, "it has been asked what it is once")
	t.x("disconnect")
	os.unlink(log)
	t.connect()
	t.match("^stopped:", t.x("gv status"), "a gdbvisor after it is one")


@session("tests/guests/real.bin")
def a_gdbvisor_that_is_there_already(t):
	t.x("source " + SCRIPT)
	t.match("gv dirty take", t.x("complete gv dirty ta"), "the monitor's commands are known at once")
	t.x("source " + SCRIPT)
	t.match("^stopped:", t.x("gv status"), "the script can be read twice")


@session("tests/guests/real.bin", connect=False)
def with_commands_traced(t):
	t.x("source " + SCRIPT)
	t.x("set trace-commands on")
	t.connect()
	t.match("^stopped:", t.x("gv status"), "traced commands are not taken for answers")
	t.match("not mapped|-> gpa 0x7c00", t.x("gv walk $pc"), "nor in the monitor's JSON")


lib.main(__file__)
