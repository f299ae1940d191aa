#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Coming and going: detach and a lost connection leave the guest running and clean, and another gdb can attach."""

import os
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lib
import visor
from lib import session

ECHO = "tests/guests/echo.elf"


def answers(tap, v, what):
	"""The guest runs: it sends back, in upper case, what it is sent."""
	try:
		s = visor.connect(v.path("serial"))
		s.sendall(b"ping")
		got = b""
		while not got.endswith(b"PING"):
			more = s.recv(100)
			if not more:
				break
			got += more
		s.close()
		tap.ok(got.endswith(b"PING"), what, got)
	except OSError as e:
		tap.ok(False, what, e)


def detached(tap, v):
	answers(tap, v, "after a detach the guest runs")


def dropped(tap, v):
	answers(tap, v, "after a lost connection the guest runs")


@session("tests/guests/echo.bin", args=["-s", "unix:{dir}/serial"], symbols=ECHO, after=detached)
def breaks_and_detaches(t):
	t.x("break *&poll")
	t.x("hbreak *(&poll + 3)")
	t.x("continue")
	t.equal(t.where(), t.value("&poll"), "stopped in its loop")
	t.match("Detaching|detached", t.x("detach"), "detach")


@session(same=True, symbols=ECHO, dies=True, after=dropped)
def attaches_and_is_lost(t):
	poll = t.value("&poll")
	t.ok(b"\xcc" not in t.read(poll, 16), "no breakpoint was left in memory")
	t.equal(t.value("*(int *)&received"), 4, "the guest went on in between")
	t.match("No breakpoints", t.x("info breakpoints"), "and has none set")
	t.ok(" gdb" not in t.x("monitor info breakpoints"), "the machine neither")
	t.x("break *&poll")
	t.x("continue")
	t.equal(t.where(), poll, "it can be stopped again")
	t.dying()
	os.kill(os.getpid(), signal.SIGKILL)


@session(same=True, symbols=ECHO)
def attaches_again(t):
	poll = t.value("&poll")
	t.ok(b"\xcc" not in t.read(poll, 16), "no breakpoint was left in memory")
	t.equal(t.value("*(int *)&received"), 8, "the guest went on in between")
	t.x("break *&poll")
	t.x("continue")
	t.equal(t.where(), poll, "it can be stopped again")
	t.x("disconnect")
	t.connect()
	t.x("delete")
	t.ok(b"\xcc" not in t.read(poll, 16), "disconnect cleans too")


lib.main(__file__)
