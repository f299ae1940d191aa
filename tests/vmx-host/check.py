#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""
make check-vmx: tests with KVM on an emulated host whose KVM has all of VMX, and gdb from outside; see host.py.  Each test
of theirs is a test point here; a program that does not come to its end is one that failed.
"""

import collections
import contextlib
import glob
import os
import re
import select
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, ".."), os.path.join(HERE, "../gdb")]
import host
import lib
import sessions
import visor
import witness

# Seconds of the emulated host's own time that a program may take: some times what it does.
PROGRAMS = {
	"tests/kvm_probe": 60, "tests/kvm_regs": 60, "tests/kvm_run": 120, "tests/kvm_step": 120, "tests/kvm_break": 120,
	"tests/kvm_watch": 60, "tests/kvm_catch": 60, "tests/kvm_assist": 60, "tests/kvm_smp": 120, "tests/kvm_debugregs": 60,
	"tests/kvm_slots": 60, "tests/kvm_slots_refused": 60, "tests/kvm_plain": 300, "tests/kvm_slow": 60,
	"tests/kvm_slot_check": 60, "tests/kvm_space": 60, "tests/kvm_smm": 60, "tests/kvm_syscalls": 60, "tests/kvm_time": 60,
	"tests/kvm_flash": 100, "tests/counts/allocs": 60, "tests/kvm_linux": 60, "tests/kvm_board": 100, "tests/kvm_carve": 100,
	"tests/kvm_refused": 60, "tests/kvm_fake": 60, "tests/kvm_irqchip": 100, "tests/kvm_slots_random": 60,
	"tests/kvm_ports": 100, "tests/kvm_exits": 60, "tests/kvm_dirty_writes": 60, "tests/kvm_carve_many": 240,
	"tests/kvm_wrong_calls": 60, "tests/kvm_break_random": 120,
}
TRIAL = 900             # the same, for one that is asked for by name, but not run else
# What is not run there, and why.
KNOWN_NOT = {
	"tests/kvm_slots_live": "it passes, by name; but takes 200 seconds of a processor",
	"tests/kvm_dirty": "it passes, by name; but takes 210 seconds of a processor",
	"tests/kvm_regs_flips": "ten thousand flips of a bit: it was not at its end after 75 seconds of the processor's",
}
SESSION_SECONDS = 120   # of gdb, for a machine with nothing else to do
BUSY = 5                # times that is what gdb may take

BOOT = 200              # seconds of Bochs's processor time: until the first program begins, and between two
LEAVING = 40            # and until a gdbvisor has ended whose session is over
PATIENCE = 3            # of those for each second of the emulated host's, which may hang with its clock
WHOLE = 1700            # of our time, for all of it
SHOWN = os.environ.get("GV_VMX_SHOWN")          # all of the console is, besides
TAIL = 40               # lines of the console that are shown when something is wrong


# (name, a file for it, gdbvisor's arguments, what its status may be).
SESSIONS = (
	*((name, guest, os.path.basename(guest), wanted) for name, guest, wanted in sessions.TABLE),
	(witness.NAME, witness.GUEST, witness.ARGUMENTS, (0,)),
)


class Program:
	"""What a program that is run there says."""

	def __init__(self, name, h):
		self.name, self.said = name, []
		self.plan = self.status = self.theirs = None    # theirs: seconds that passed there
		self.good = self.bad = 0
		self.begun = h.spent()

	def take(self, tap, line):
		point = re.match(r"(not )?ok \d+ (?:- )?(.*)", line)
		plan = re.match(r"1\.\.(\d+)", line)
		if point:
			skipped = re.search("# SKIP (.*)", point.group(2))
			# libcheck: file:case:test: message, the file being where it was last
			text = "%s: %s" % (self.name, re.sub(r"^\S*?\.c:|: Passed$", "", point.group(2)))
			if skipped:
				tap.skip(text.split(" # SKIP")[0], skipped.group(1))
			else:
				tap.ok(not point.group(1), text)
			self.bad += bool(point.group(1))
			self.good += not point.group(1)
		elif plan:
			self.plan = int(plan.group(1))
		elif line:
			self.said.append(line)

	def close(self, tap, h, why):
		"""The point for the program itself; WHY there is no status, if there is none."""
		counts = "%d passed, %d failed, %d seconds" % (self.good, self.bad, h.spent() - self.begun)
		if self.theirs is not None:
			counts += ", %d there" % self.theirs
		if self.status is None:
			ends = why
		elif self.status:
			ends = "status %d%s" % (self.status, " (its time was up)" if self.status == 137 else "")
		elif not self.plan or self.plan != self.good + self.bad:
			ends = "it planned %s" % self.plan
		else:
			ends = None
		tap.ok(not ends, "%s: comes to its end (%s)" % (self.name, counts), "\n".join([ends or ""] + self.said[-TAIL:]))


def relay(server, line, over):
	"""Whoever connects to SERVER talks with LINE, until it has gone or OVER is set."""
	try:
		client = server.accept()[0]
	except OSError:
		return
	with client, contextlib.suppress(OSError):
		client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
		while not over.is_set():
			for s in select.select([client, line], [], [], 1)[0]:
				data = s.recv(65536)
				if not data:
					return
				(line if s is client else client).sendall(data)


def gdb_outside(tap, h, i, where):
	"""Session I: gdb, by a port of our own, with what is at the other end of ttyS1."""
	over = threading.Event()
	with socket.create_server(("127.0.0.1", 0)) as server:
		server.settimeout(SESSION_SECONDS * BUSY)
		thread = threading.Thread(target=relay, args=(server, h.com2, over))
		thread.start()
		lib.run(tap, os.path.join(HERE, "sessions.py"), i, "127.0.0.1:%d" % server.getsockname()[1],
			os.path.join(where, "results"), timeout=SESSION_SECONDS * BUSY)
		over.set()
		server.shutdown(socket.SHUT_RDWR)
		thread.join()


def pack(where, programs):
	"""The payload: programs without what only debuggers read, and what says which are to run."""
	for path in [*programs, "gdbvisor"]:
		host.run_tool(["strip", "-o", os.path.join(where, os.path.basename(path)), visor.built(path)])
	for path in [os.path.join(HERE, "run.sh"), *(visor.built(guest) for _, guest, _, _ in SESSIONS)]:
		shutil.copy(path, where)
	with open(where + "/programs", "w") as f:
		f.writelines("%d %s\n" % (programs[p], os.path.basename(p)) for p in programs)
	with open(where + "/sessions", "w") as f:
		# Their clock leaps ahead while they wait for gdb, so that it is our limit that counts.
		f.writelines("%d %s\n" % (100 * SESSION_SECONDS * BUSY, arguments) for _, _, arguments, _ in SESSIONS)


class Check:
	"""What came of it all."""

	def __init__(self, tap, programs, scratch):
		self.tap, self.scratch = tap, scratch
		self.waiting = [os.path.basename(p) for p in programs]
		self.limits = {os.path.basename(p): seconds for p, seconds in programs.items()}
		self.now = None                 # the program that runs
		self.sessions = 0               # how many began
		self.attached = False           # the last one's gdbvisor has not ended
		self.points = 0                 # of the programs
		self.until = BOOT               # Bochs's processor time, see Host.spent()
		self.console = collections.deque(maxlen=TAIL)

	def _leave(self, h, why):
		"""The program that runs has ended, or WHY it has not."""
		self.now.close(self.tap, h, why)
		self.points += self.now.good + self.now.bad
		self.now = None

	def heard(self, h, line):
		"""A line of the console."""
		self.console.append(line)
		if SHOWN:
			print("# " + line)
		begin, end = re.match("vmx: begin (.*)", line), re.match(r"vmx: end \S+ (\d+) ([\d.]+) ([\d.]+)$", line)
		if begin and begin.group(1) in self.waiting:
			self.now = Program(begin.group(1), h)
			self.waiting.remove(begin.group(1))
			self.until = h.spent() + self.limits[begin.group(1)] * PATIENCE
		elif end and self.now:
			self.now.status = int(end.group(1))
			self.now.theirs = float(end.group(3)) - float(end.group(2))
			self._leave(h, None)
			self.until = h.spent() + BOOT
		elif self.now:
			self.now.take(self.tap, line)
		elif line == "vmx: gdb" and self.sessions < len(SESSIONS):
			self.sessions += 1
			if self.sessions <= len(sessions.TABLE):
				gdb_outside(self.tap, h, self.sessions - 1, self.scratch)
			else:
				witness.run(self.tap, h.com2)
			self.attached = True
			self.until = h.spent() + LEAVING
		elif line.startswith("vmx: detached ") and self.sessions:
			self.attached = False
			self.until = h.spent() + BOOT
			name, _, _, wanted = SESSIONS[self.sessions - 1]
			self.tap.ok(int(line.split()[2]) in wanted, name + ": the gdbvisor ends as it should", line)

	def insist(self, h):
		"""Nothing more comes; whether that can be helped: a gdbvisor whose gdb went in the middle does not see that."""
		if not self.attached or h.late():
			return False
		self.attached = False
		self.until = h.spent() + LEAVING
		with contextlib.suppress(OSError):
			h.com2.sendall(b"\x03$k#6b")
		return True

	def close(self, h):
		"""When nothing more comes."""
		late = h.late(self.until)
		why = "nothing more came from the host, and it was shut down" if late else "the host went off"
		if self.now:
			self._leave(h, why)
		for name in self.waiting:
			self.tap.ok(False, name + ": runs", why + " before")
		for name, _, _, _ in SESSIONS[self.sessions:]:
			self.tap.ok(False, name + ": runs", why + " before")
		self.tap.ok(h.status == 0, "the host comes to its end", "\n".join([why, h.said(), *self.console]))


def main():
	signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))   # by way of all that is to be put away
	lacking = host.missing()
	if lacking:
		print("1..0 # SKIP not installed: " + " ".join(lacking))
		return
	tap, begun = visor.Tap(), time.monotonic()
	chosen = os.environ.get("GV_VMX_PROGRAMS", "").split() or list(PROGRAMS)
	# What is asked for by name is tried, whatever is known of it.
	programs = {p: PROGRAMS.get(p, TRIAL) for p in (*PROGRAMS, *KNOWN_NOT) if p in chosen and os.access(visor.built(p), os.X_OK)}
	for p in chosen:
		if p not in PROGRAMS and p not in KNOWN_NOT:
			tap.ok(False, p + ": is in a table of check.py")
		elif p not in programs:
			tap.skip(p, "it is not built: libcheck is missing")
	for p, reason in KNOWN_NOT.items():
		if p not in programs:
			tap.skip(p, reason)
	for path in sorted(glob.glob(visor.built("tests/kvm_*"))):
		name = "tests/" + os.path.basename(path)
		if "." not in name and name not in PROGRAMS and name not in KNOWN_NOT:
			tap.ok(False, name + ": is in a table of check.py")
	try:
		with tempfile.TemporaryDirectory(prefix="gv-vmx-") as payload, tempfile.TemporaryDirectory() as scratch:
			pack(payload, programs)
			with host.Host(payload, WHOLE) as h:
				check = Check(tap, programs, scratch)
				while (line := h.line(check.until)) is not None or check.insist(h):
					if line is not None:
						check.heard(h, line)
				check.close(h)
				print("# NUMBERS: tests on the VMX host: %d" % check.points)
				print("# NUMBERS: sessions on the VMX host: %d" % check.sessions)
				print("# NUMBERS: processor seconds of the VMX host: %d" % h.spent())
	except host.HostError as e:
		tap.ok(False, "there is an emulated host", e)
	print("# %d seconds in all" % (time.monotonic() - begun))
	tap.done()


if __name__ == "__main__":
	main()
