#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""
Signals at random moments: the program's end leaves nothing behind, wherever it was; a gdb that is killed in the middle of anything
harms nobody; a terminal is given back as it was, at the end, at Ctrl-Z, and may vanish.
"""

import os
import pty
import random
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import rig
import visor

ENDS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
STARTS = rig.share(60, 500)
GDBS = rig.share(6, 60)
STORM = rig.share(200, 2000)


def moment(rng, longest):
	"""Not to wait for anything: this is what is tried."""
	time.sleep(rng.random() * longest)


def left_behind(directory):
	"""All but what is remembered of the host from one start to the next."""
	keep = (os.path.join(".", "gdbvisor"), os.path.join("gdbvisor", "probe"))
	return sorted(os.path.join(os.path.relpath(at, directory), name) for at, dirs, names in os.walk(directory) for name in dirs + names
		      if os.path.join(os.path.relpath(at, directory), name) not in keep)


# -- the program itself is ended --

def ended_at_any_moment(tap):
	"""From its first instruction on; now and then twice, or with a client that is in the middle of something."""
	rng = random.Random(rig.SEED)
	wrong, sent, began = [], 0, 0
	home = tempfile.mkdtemp(prefix="gv-")
	env = dict(os.environ, XDG_RUNTIME_DIR=home)
	for i in range(STARTS):
		number = rng.choice(ENDS)
		v = visor.Process([visor.GDBVISOR, "-M", "unix:%s/mon" % home, "-s", "unix:%s/serial" % home, *(["-r"] if rng.random() < 0.5 else []),
				   visor.built(rig.HELLO)], env=env)
		late = rng.random() < 0.4
		s = None
		if late and (ready := v.wait_text(r"^gdb: target remote (.*)$")):
			began += 1
			s = visor.connect(ready.group(1))
			s.sendall(rng.choice((b"", b"$m600000,", rig.client.frame(b"?"), rig.client.frame(b"?") + b"+" + rig.client.frame(b"vCont;c"),
					      rig.client.frame(b"x600000,3f000") * 30)))
			moment(rng, 0.003)
		else:
			moment(rng, 0.04)
		for _ in range(rng.choice((1, 1, 1, 2, 3))):
			try:
				v.signal(number)
				sent += 1
			except ProcessLookupError:
				pass
		status = v.wait()
		left = left_behind(home)
		if status != -number or left:
			wrong.append("start %d, %s%s: status %r, left %s\n%s" % (i, number.name, " with a client" if late else "", status, left, v.text[-300:]))
			shutil.rmtree(home)
			os.mkdir(home)
		if s:
			s.close()
		v.close()
	shutil.rmtree(home)
	tap.ok(not wrong, "%d programs are ended at any moment by SIGTERM, SIGHUP and SIGINT: each by that signal, and nothing of it stays" % STARTS,
	       "\n".join(wrong[:5]))
	return sent


def killed(tap):
	"""By SIGKILL sockets stay; the next one takes their place."""
	home = tempfile.mkdtemp(prefix="gv-")
	args = [visor.GDBVISOR, "-M", "unix:%s/mon" % home, "-s", "unix:%s/serial" % home, "-g", "unix:%s/gdb" % home, visor.built(rig.HELLO)]
	for number in (signal.SIGKILL, signal.SIGTERM):
		v = visor.Process(args)
		tap.ok(v.wait_text("^gdb: target remote"), "it begins" if number == signal.SIGKILL else "and again, where one was killed", v.text)
		v.signal(number)
		tap.equal(v.wait(), -number, "ended by %s" % number.name)
		v.close()
	tap.equal(left_behind(home), [], "nothing stays")
	shutil.rmtree(home)
	return 2


def hangup_ignored(tap):
	with visor.Visor(visor.built(rig.HELLO), before=("nohup",)) as v:
		v.signal(signal.SIGHUP)
		with rig.Client(v.target) as c:
			tap.equal(c.ask(b"qC")[:2], b"QC", "SIGHUP that was ignored at the start stays ignored, as by nohup")
	return 1


# -- gdb is killed --

GDB_WORK = (
	("continues", "continue"),
	("steps", "while 1\nstepi\nend"),
	("reads memory", "while 1\ndump binary memory /dev/null 0x100000 0x300000\nend"),
	("writes memory", "while 1\nset var *(long *)0x700000 = 1\nend"),
	("is hit", "hbreak tick\nwhile 1\ncontinue\nend"),
	("is hit by a condition", "break tick if $_hits > 1000\nset $_hits = 0\ncontinue"),
	("watches", "watch *(long *)&ticks\nwhile 1\ncontinue\nend"),
	("asks the monitor", "while 1\nmonitor info registers all\nend"),
)


def gdb_killed(tap, s):
	rng = random.Random(rig.SEED)
	if not shutil.which(visor.GDB):
		tap.skip("a gdb that is killed", "there is no gdb")
		return 0
	sent, wrong = 0, []
	for i in range(GDBS):
		what, commands = GDB_WORK[i % len(GDB_WORK)]
		number = rng.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGTERM))
		script = s.v.path("script")
		with open(script, "w") as f:
			f.write("set pagination off\nset confirm off\ntarget remote %s\necho attached\\n\n%s\n" % (s.v.target, commands))
		g = visor.Process([visor.GDB, "-nx", "-q", "-x", script, visor.built(rig.HELLO)], stdin=subprocess.PIPE)
		if not g.wait_text("^attached"):
			wrong.append("gdb does not attach: " + g.text[-500:])
		moment(rng, 0.15)
		g.signal(number)
		sent += 1
		# a script of gdb's may not hear of SIGTERM
		if g.wait(2) is None:
			g.signal(signal.SIGKILL)
		g.close()
		trouble = s.look()
		if trouble:
			wrong.append("gdb %s, %s: %s" % (what, number.name, trouble))
	tap.ok(not wrong, "%d gdbs are killed at random moments: the next client finds all in order" % GDBS, "\n".join(wrong[:5]))
	s.well("after gdbs that were killed")
	return sent


# -- the terminal --

class Seat:
	"""The program as a shell starts it on a terminal."""

	def __init__(self, *args):
		self.home = tempfile.mkdtemp(prefix="gv-")
		self.master, slave = pty.openpty()
		self.modes = termios.tcgetattr(slave)
		self.slave = slave
		self.said = b""
		self.told = ""
		self.line, theirs = socket.socketpair()
		self.line.settimeout(visor.DEADLINE)
		env = dict(os.environ, HOME=self.home, XDG_RUNTIME_DIR=self.home, XDG_STATE_HOME=self.home, TERM="xterm", INPUTRC="/dev/null")
		self.child = subprocess.Popen([sys.executable, os.path.join(rig.HERE, "leader.py"), str(theirs.fileno()), visor.GDBVISOR,
					       "-g", "unix:%s/gdb" % self.home, *args, visor.built(rig.HELLO)], stdin=slave, stdout=slave, stderr=slave,
					      env=env, pass_fds=[theirs.fileno()], start_new_session=True, preexec_fn=visor.in_child)
		theirs.close()
		self.pid = int(self.wait_told(r"pid (\d+)").group(1))

	def wait_told(self, pattern):
		"""What is said on the terminal meanwhile is read: a program that cannot say it hears no signal either."""
		until = time.monotonic() + visor.DEADLINE
		while not (found := re.search(pattern, self.told)):
			here = select.select([self.line] + [self.master] * (self.master >= 0), [], [], max(0, until - time.monotonic()))[0]
			if not here:
				raise TimeoutError("the shell says no more than %r; on the terminal: %r" % (self.told, self.said[-500:]))
			if self.master in here:
				try:
					self.said += os.read(self.master, 65536)
				except OSError:         # nobody has it any more
					time.sleep(0.001)
			if self.line not in here:
				continue
			chunk = self.line.recv(1000)
			if not chunk:
				raise ConnectionResetError("the shell says no more than %r; on the terminal: %r" % (self.told, self.said[-500:]))
			self.told += chunk.decode()
		self.told = self.told[found.end():]
		return found

	def wait_said(self, pattern):
		until = time.monotonic() + visor.DEADLINE
		while not (found := re.search(pattern, self.said)):
			if time.monotonic() > until or not select.select([self.master], [], [], 1)[0] and time.monotonic() > until:
				raise TimeoutError("the terminal shows no %r: %r" % (pattern, self.said[-1000:]))
			if select.select([self.master], [], [], 0)[0]:
				self.said += os.read(self.master, 65536)
		self.said = self.said[found.end():]
		return found

	def type(self, text):
		os.write(self.master, text)

	def now(self):
		return termios.tcgetattr(self.slave)

	def signal(self, number):
		os.kill(self.pid, number)

	def answers(self):
		self.type(b"print 6*7\r")
		return bool(self.wait_said(rb"= 42"))

	def hang_up(self):
		os.close(self.slave)
		os.close(self.master)
		self.master = self.slave = -1

	def __enter__(self):
		return self

	def __exit__(self, *_):
		self.line.close()
		self.child.kill()
		self.child.wait()
		try:
			os.kill(self.pid, signal.SIGKILL)
		except ProcessLookupError:
			pass
		if self.master >= 0:
			self.hang_up()
		shutil.rmtree(self.home, ignore_errors=True)

	def sockets(self):
		return [name for name in os.listdir(self.home) if name == "gdb"]


SEATS = (("with its monitor on it", [], rb"\(gv\) "), ("with the guest on it", ["-M", "none", "-r"], b"ticking until"))


def terminal_given_back(tap):
	sent = 0
	for what, args, ready in SEATS:
		for number in ENDS:
			if number == signal.SIGINT and not args:
				continue        # the guest's end, not the program's
			with Seat(*args) as t:
				t.wait_said(ready)
				begun = t.now() != t.modes
				t.signal(number)
				sent += 1
				status = int(t.wait_told(r"ended (-?\d+)").group(1))
				tap.ok(begun and status == -number and t.now() == t.modes and not t.sockets(),
				       "a terminal %s is given back by %s" % (what, number.name), (begun, status, t.now() == t.modes, t.sockets()))
	return sent


def suspended(tap):
	"""As by Ctrl-Z; what others did to the terminal meanwhile is of no consequence."""
	sent = 0
	for what, args, ready in SEATS:
		with Seat(*args) as t:
			t.wait_said(ready)
			modes = t.now()
			for round_ in range(3):
				if args or round_:
					t.signal(signal.SIGTSTP)
				else:
					t.type(b"\x1a")
				t.wait_told("stopped")
				good = t.now() == t.modes
				t.line.sendall(b"c")
				t.wait_told("continued")
				sent += 1
				back = rig.until(lambda: t.now() == modes)
				tap.ok(good and back, "stopped like a shell's job, a terminal %s is as it was, and then ours again" % what, (good, back))
			t.signal(signal.SIGSTOP)
			t.wait_told("stopped")
			termios.tcsetattr(t.slave, termios.TCSANOW, t.modes)
			t.line.sendall(b"c")
			t.wait_told("continued")
			tap.ok(rig.until(lambda: t.now() == modes), "after SIGSTOP, too")
			if not args:
				tap.ok(t.answers(), "the monitor answers")
			with rig.Client(os.path.join(t.home, "gdb")) as c:
				tap.equal(c.ask(b"?")[:3], b"T05" if not args else b"T02", "and gdb is answered")
	return sent


def storm(tap):
	"""Windows that change their size, stops and wake-ups, while commands run."""
	rng = random.Random(rig.SEED)
	with Seat() as t:
		t.wait_said(rb"\(gv\) ")
		modes = t.now()
		for i in range(STORM):
			number = rng.choice((signal.SIGWINCH, signal.SIGWINCH, signal.SIGTSTP, signal.SIGCONT, signal.SIGSTOP, signal.SIGINT))
			t.signal(number)
			if number in (signal.SIGTSTP, signal.SIGSTOP):
				t.wait_told("stopped")
				t.line.sendall(b"c")
				t.wait_told("continued")
			if rng.random() < 0.2:
				termios.tcsetwinsize(t.slave, (rng.randrange(0, 200), rng.randrange(0, 500)))
			if rng.random() < 0.3:
				t.type(rng.choice((b"stepi\r", b"continue\r", b"\x03", b"info registers\r", b"pri", b"\t", b"x/20i $rip\r")))
			while select.select([t.master], [], [], 0)[0]:
				t.said = t.said[-10000:] + os.read(t.master, 65536)
		# whatever stands in the line, and whether it runs
		termios.tcsetwinsize(t.slave, (24, 80))
		t.type(b"\x03\x15\rstop\rwait\r")
		tap.ok(t.answers() and rig.until(lambda: t.now() == modes), "after %d signals in a row the monitor answers" % STORM, t.said[-500:])
		t.type(b"quit\r")
		tap.equal(t.wait_told(r"ended (-?\d+)").group(1), "0", "and ends when told")
		tap.ok(t.now() == t.modes, "the terminal is given back")
	return STORM


def vanished(tap):
	for what, args, ready in SEATS:
		with Seat(*args) as t:
			t.wait_said(ready)
			t.hang_up()
			status = int(t.wait_told(r"ended (-?\d+)").group(1))
			tap.ok(status in (-signal.SIGHUP, 0) and not t.sockets(), "a terminal %s vanishes: an orderly end" % what, (status, t.sockets()))
	# who has no shell is told by end of file alone
	for what, args, goes_on in (("with a monitor ends with it", ["-M", "stdio"], False), ("without one goes on", ["-M", "none", "-r"], True)):
		master, slave = pty.openpty()
		home = tempfile.mkdtemp(prefix="gv-")
		child = subprocess.Popen([visor.GDBVISOR, "-g", "unix:%s/gdb" % home, *args, visor.built(rig.HELLO)], stdin=slave, stdout=slave, stderr=slave,
					 preexec_fn=visor.in_child, start_new_session=True, env=dict(os.environ, TERM="xterm", XDG_STATE_HOME=home))
		os.close(slave)
		said = b""
		while (b"(gv) " if not goes_on else b"ticking") not in said and select.select([master], [], [], visor.DEADLINE)[0]:
			said += os.read(master, 65536)
		os.close(master)
		if goes_on:
			with rig.Client(home + "/gdb") as c:
				good = c.ask(b"?")[:1] == b"T" and c.ask(b"vCont;s:1")[:1] == b"T"
			child.terminate()
			status = child.wait(visor.DEADLINE)
			good &= status == -signal.SIGTERM
		else:
			status = child.wait(visor.DEADLINE)
			good = status == 0
		tap.ok(good and not os.path.exists(home + "/gdb"), "a terminal that only says that it ended: who is on it %s" % what, (status, said[-300:]))
		shutil.rmtree(home)
	return 0


def main():
	visor.need_kvm()
	tap = visor.Tap()
	sent = 0
	for f in (ended_at_any_moment, killed, hangup_ignored, terminal_given_back, suspended, storm, vanished):
		try:
			sent += f(tap)
		except (rig.client.ProtocolError, OSError, subprocess.TimeoutExpired) as e:
			tap.ok(False, f.__name__.replace("_", " "), repr(e))
	with rig.Subject(tap) as s:
		sent += gdb_killed(tap, s)
		s.leave()
	rig.numbers("signals sent at random moments", sent)
	tap.done()


main()
