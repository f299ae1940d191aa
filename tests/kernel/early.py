#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""start_kernel of a packed Linux, and of one that runs elsewhere than it was linked for, by breakpoints set at the start."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lx
import lib
import visor
from lib import session

LINKED = {name: at for name, (at, _) in visor.symbols(lx.VMLINUX).items()}
SLIDE = 0x2000000
SYMBOLS = "--symbols=" + lx.VMLINUX


def marks(argv, **more):
	return session(args=argv[:-1], image=argv[-1], symbols=lx.VMLINUX, **more)


def at_start_kernel(t, slide, breakpoint):
	t.equal(t.go("continue"), "breakpoint %d" % breakpoint, "start_kernel's is hit")
	t.equal(t.where(), LINKED["start_kernel"] + slide, "where the kernel is")
	t.equal(t.value("&start_kernel"), LINKED["start_kernel"] + slide, "and its symbols")
	t.match(r"^#0 +start_kernel \(\)[^\n]*\n(.*\n)*.* x86_64_start_kernel ", t.x("backtrace"), "with its callers")
	t.equal(gdb.parse_and_eval("init_task.comm").string(), "swapper", "and its data")


@marks(lx.args(append="nokaslr", unpack=False))
def packed(t):
	t.x("break start_kernel")
	at_start_kernel(t, 0, 1)


@marks(lx.args(extra=("--kaslr=%#x" % SLIDE, SYMBOLS)))
def moved_by_the_host(t):
	t.equal(t.value("&start_kernel"), LINKED["start_kernel"] + SLIDE, "gdb is told how far, before anything runs")
	t.x("break start_kernel")
	at_start_kernel(t, SLIDE, 1)


@marks(lx.args(unpack=False, extra=(SYMBOLS,)))
def moved_by_itself(t):
	t.x("source " + visor.source("gdbstub/gdbvisor.py"))
	t.x("monitor catch kernel")
	t.go("continue")
	t.x("gv kaslr")
	slide = t.value("&start_kernel") - LINKED["start_kernel"]
	t.ok(slide % (2 << 20) == 0 and abs(slide) < 1 << 30, "catch kernel stops where the kernel is unpacked", hex(slide))
	t.x("break start_kernel")
	at_start_kernel(t, slide, 1)


lib.main(__file__)
