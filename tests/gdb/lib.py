# SPDX-License-Identifier: GPL-3.0-or-later
"""
Sessions with the real gdb.  A test file is run twice: by python3, where main() starts a gdbvisor for each session and
a gdb beside it, and inside that gdb (gdb -nx -q -batch -x FILE), where it runs the session's function.  What the
function finds goes to a results file, whose last line says that the function came to its end.
"""

import json
import os
import re
import signal
import sys
import threading
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import visor

INSIDE = "GV_TEST_SESSION" in os.environ
if INSIDE:
	import gdb

SESSIONS = []


class Session:
	def __init__(self, function, image, args, symbols, connect, same, dies, interrupt, after):
		self.function, self.image, self.args, self.symbols = function, image, args, symbols
		self.connect, self.same, self.dies, self.interrupt, self.after = connect, same, dies, interrupt, after
		self.name = function.__name__.replace("_", " ")


def session(image=None, args=(), symbols=None, connect=True, same=False, dies=False, interrupt=None, after=None):
	"""
	Marks a session: FUNCTION(t) runs in gdb.  IMAGE (None: none) with ARGS is what gdbvisor runs, below the build tree;
	SYMBOLS an ELF for gdb; CONNECT: connected before the function starts; SAME: against the gdbvisor of the session
	before; DIES: the function ends gdb itself, having called t.dying(); INTERRUPT: what the guest prints when the
	test is to press Ctrl-C (a list: one after the other, each behind the one before); AFTER(tap, visor) runs outside
	once gdb has gone.
	"""
	def mark(function):
		SESSIONS.append(Session(function, image, args, symbols, connect, same, dies, interrupt, after))
		return function
	return mark


class Inside:
	"""What a session's function gets: gdb, and test points."""

	def __init__(self, results):
		self.results = results
		self.target = os.environ["GV_TEST_TARGET"]
		self.event = None
		gdb.events.stop.connect(self._stopped)
		gdb.events.exited.connect(self._exited)

	def _stopped(self, event):
		if isinstance(event, gdb.BreakpointEvent):
			self.event = "breakpoint %d" % event.breakpoints[0].number
		elif isinstance(event, gdb.SignalEvent):
			self.event = event.stop_signal
		else:
			self.event = "stopped"

	def _exited(self, event):
		self.event = "exited %d" % event.exit_code if hasattr(event, "exit_code") else "exited"

	def _put(self, **record):
		self.results.write(json.dumps(record) + "\n")
		self.results.flush()

	def ok(self, good, text, detail=""):
		self._put(ok=bool(good), text=text, detail=str(detail))
		return good

	def equal(self, got, wanted, text):
		return self.ok(got == wanted, text, "got %r, wanted %r" % (got, wanted))

	def match(self, pattern, got, text):
		return self.ok(re.search(pattern, got, re.M), text, "no match for %s in:\n%s" % (pattern, got))

	def x(self, command):
		"""Runs a gdb command; its output."""
		return gdb.execute(command, False, True)

	def go(self, command):
		"""
		Runs a gdb command that lets the guest run; how that ended: "breakpoint N", a signal's name, "stopped",
		"exited N".  (What gdb prints of it goes past gdb.execute().)
		"""
		self.event = None
		gdb.execute(command, False, True)
		return self.event

	def refused(self, command):
		"""The error a gdb command ends with, or an empty text."""
		try:
			self.x(command)
		except gdb.error as e:
			return str(e)
		return ""

	def value(self, expression):
		"""An expression as an unsigned integer."""
		return int(gdb.parse_and_eval("(unsigned long long)(%s)" % expression))

	def read(self, address, length):
		return bytes(gdb.selected_inferior().read_memory(address, length))

	def where(self):
		return self.value("$pc")

	def connect(self):
		return self.x("target remote " + self.target)

	def dying(self):
		self._put(end=True)


def _inside(path):
	chosen = SESSIONS[int(os.environ["GV_TEST_SESSION"])]
	with open(os.environ["GV_TEST_RESULTS"], "a") as results:
		t = Inside(results)
		for setting in ("pagination off", "confirm off", "width 0", "height 0"):
			t.x("set " + setting)
		try:
			if chosen.symbols:
				t.x("symbol-file " + visor.built(chosen.symbols))
			if chosen.connect:
				t.connect()
			chosen.function(t)
		except Exception:
			t.ok(False, "no error", traceback.format_exc())
		t.dying()


def _report(tap, s, path, process, status, beside):
	records = []
	if os.path.exists(path):
		with open(path) as f:
			records = [json.loads(line) for line in f]
		os.unlink(path)
	for r in records:
		if "ok" in r:
			tap.ok(r["ok"], "%s: %s" % (s.name, r["text"]), r["detail"])
	ended = bool(records) and "end" in records[-1]
	if status is None:
		tap.ok(False, s.name + ": gdb ends in time", process.text[-4000:] + beside())
	elif not ended or (status != 0 and not s.dies):
		tap.ok(False, s.name + ": comes to its end", "gdb's status %s\n%s" % (status, process.text[-4000:] + beside()))
	else:
		tap.ok(True, s.name + ": comes to its end")


def _press_ctrl_c(s, v, process, start, pressed):
	for pattern in [s.interrupt] if isinstance(s.interrupt, str) else s.interrupt:
		found = v.wait_text(pattern, start=start)
		if not found:
			return
		start = found.end()
		process.signal(signal.SIGINT)
		pressed.append(pattern)


def run(tap, path, i, target, results, started=None, timeout=visor.DEADLINE, beside=str):
	"""
	Runs session I of the test file PATH in a gdb, against what listens at TARGET, with the file RESULTS between the two;
	STARTED(process) is called once there is one, and after TIMEOUT seconds it has failed; BESIDE() is what else is shown then.
	"""
	env = dict(os.environ, GV_TEST_SESSION=str(i), GV_TEST_TARGET=target, GV_TEST_RESULTS=results)
	process = visor.Process([visor.GDB, "-nx", "-q", "-batch", "-x", path], env=env)
	if started:
		started(process)
	status = process.wait(timeout)
	process.close()
	_report(tap, SESSIONS[i], results, process, status, beside)


def _outside(path):
	visor.need_kvm()
	tap = visor.Tap()
	v = None
	try:
		for i, s in enumerate(SESSIONS):
			if not s.same:
				if v:
					v.close()
				v = visor.Visor(*s.args, *([visor.built(s.image)] if s.image else []))
			if not v.target:
				tap.ok(False, s.name + ": gdbvisor says it is ready", v.text)
				continue
			start, pressed = len(v.text), []
			run(tap, path, i, v.target, v.path("results"), lambda process: s.interrupt and threading.Thread(
				target=_press_ctrl_c, args=(s, v, process, start, pressed), daemon=True).start(),
			    beside=lambda: "\nCtrl-C was pressed at %r; gdbvisor's:\n%s" % (pressed, v.text[start:][-2000:]))
			if s.after:
				s.after(tap, v)
	finally:
		if v:
			v.close()
	tap.done()


def main(path):
	if INSIDE:
		_inside(path)
	else:
		_outside(os.path.abspath(path))
