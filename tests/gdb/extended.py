#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Extended mode with gdb: run is the machine's reset; kill, detach and attach leave gdb and the machine there."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lib
from lib import session

SMP = {"image": "examples/smp4.elf", "args": ["-c", "4"], "symbols": "examples/smp4.elf"}


@session(connect=False, **SMP)
def run_again(t):
	t.x("target extended-remote " + t.target)
	start = t.where()
	t.x("break tick")
	t.equal(t.go("continue"), "breakpoint 1", "a breakpoint is hit")
	t.ok(t.value("cpus_up") >= 1 and t.where() != start, "the guest has run")
	t.go("run")
	t.equal(t.event, "breakpoint 1", "run begins anew, and comes to the breakpoint")
	t.equal(t.value("counters[0].n + counters[1].n + counters[2].n + counters[3].n") < 4, True, "memory is as at first")
	t.x("kill")
	t.match("not being run|No thread|no process", t.refused("stepi") or t.x("info program"), "killed, there is none")
	t.go("run")
	t.equal(t.event, "breakpoint 1", "and run begins again")
	t.x("delete")
	for _ in range(1000):
		t.x("detach")
		t.x("attach 1")
		if t.value("counters[0].n"):
			break
	t.ok(t.value("counters[0].n") > 0, "detached it runs on; attached again it is there")
	t.x("set remote exec-file /bin/true")
	t.match("/bin/true.* failed", t.refused("run"), "another program is refused")
	t.x("set remote exec-file " + lib.visor.built("examples/smp4.elf"))
	t.x("tbreak main")
	t.go("run")
	t.match("in main|main \\(", t.x("frame"), "the image by its name is not")


@session(connect=False, same=True, symbols="examples/smp4.elf")
def the_guests_end(t):
	t.x("target extended-remote " + t.target)
	t.x("set var leave = 1")
	t.equal(t.go("continue"), "exited 1", "the guest's own end")


lib.main(__file__)
