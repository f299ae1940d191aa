#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""
make check-ci: everything that is tested, in stages that run beside each other, in the build directory; then what each
stage did, and one line of counts over all of them.  The status is 1 when anything failed.

GV_CI_MINUTES (55) is the time for all of it, of which GV_CI_SPENT seconds are over; what could not begin in time is
skipped, and said so.  The stages' own limits grow and shrink with it.  GV_CI_STAGES="asan fuzz" runs those alone.  FUZZERS, from make, are the names of the fuzz targets.
What a stage writes is in ci/NAME.log.
"""

import ctypes
import os
import re
import select
import signal
import subprocess
import sys
import time

BUILD = os.getcwd()
LOGS = os.path.join(BUILD, "ci")
PROCESSORS = len(os.sched_getaffinity(0))
# One more than there are processors: tests wait, for each other and for guests.
ROOM = PROCESSORS + 1
BUDGET = 60 * float(os.environ.get("GV_CI_MINUTES") or 55)
BEGAN = time.monotonic() - float(os.environ.get("GV_CI_SPENT") or 0)
GRACE = 30              # seconds between asking a stage to end and ending it
SHOWN = 400             # lines of a stage that failed
TOLD = 30               # of each point that failed, and
TOLD_POINTS = 12        # of each stage, at the very end: logs are cut off at their beginning


class Stage:
	"""
	NAME; WIDTH, processors that it keeps busy; USUAL minutes when it has them (with less left it does not begin), at most
	LIMIT; a shell COMMAND; PLACE, the build directory that its tests' logs are in, below ours; POINT, where it does not speak
	TAP: a line of its output that says that something passed; AFTER, a stage that runs some of the same tests in the same
	place, and so not beside it.
	"""

	def __init__(self, name, width, usual, limit, command, place=".", point=None, after=None):
		self.name, self.width, self.usual, self.limit, self.command = name, width, usual, limit, command
		self.place, self.point, self.after = os.path.join(BUILD, place), point, after
		self.log = os.path.join(LOGS, name + ".log")
		self.child = self.why = None    # why: what is wrong, or why it was skipped
		self.began = self.until = self.minutes = self.cpu = 0
		self.killed = False
		self.passed = self.failed = self.skipped = 0
		self.numbers, self.skips, self.told = {}, [], []


def fuzz_seconds():
	"""A fifth of the time there is, for all targets, on one processor; not more than a minute for each."""
	return max(5, min(60, int(BUDGET / 5 / max(1, len(os.environ.get("FUZZERS", "").split())))))


# Each in a suite log of its own: what runs at the same time in one build directory shares nothing.
MAKE = "make -s -k -j%d VERBOSE=1 TEST_SUITE_LOG=ci/{name}-suite.log {target}"


def tap(name, width, usual, limit, target=None, jobs=1, before="", **more):
	return Stage(name, width, usual, limit,
		     before + MAKE.format(name=name, target=target or "check-" + name) % jobs, **more)


# Every program is built before anything else begins.
BUILDING = Stage("build", PROCESSORS, 1, 20, "make -s -j%d check TESTS=" % PROCESSORS, point="^# TOTAL: ")
# In the order in which they begin, as there is room.
STAGES = [
	tap("check", PROCESSORS, 6, 25, target="check", jobs=PROCESSORS),
	tap("vmx", 1, 6, 30),
	tap("asan", 1, 8, 40, place="asan-build", before="SANITIZE_JOBS=%d " % PROCESSORS),
	tap("faults", 1, 3, 20, after="check"),
	Stage("fuzz", 1, 5, 30, "FUZZ_JOBS=1 FUZZ_SECONDS=%d make -s fuzz" % fuzz_seconds(),
	      point=r"^fuzz: \S+ +[1-9]\d* executions"),
	Stage("analyse", 1, 7, 30, "JOBS=1 make -s analyse", point="^analyse: .*: 0 findings"),
	tap("valgrind", 1, 8, 40, before="JOBS=1 "),
	Stage("arch", 1, 8, 30, "JOBS=1 make -s check-arch", point=r"ok \d+ (?!.* # SKIP )", after="check"),
	tap("load", 1, 4, 20, after="check"),
	tap("attack", 1, 4, 20, after="check"),
	tap("tsan", 1, 3, 20, place="tsan-build", before="SANITIZE_JOBS=%d " % PROCESSORS),
]
RESULT = re.compile(r"^(PASS|XFAIL|SKIP|FAIL|XPASS|ERROR): (\S+)")
TOTAL = re.compile(r"^# (PASS|XFAIL|SKIP|FAIL|XPASS|ERROR): +(\d+)")
COLUMN = {"PASS": "passed", "XFAIL": "passed", "SKIP": "skipped", "FAIL": "failed", "XPASS": "failed", "ERROR": "failed"}
NUMBERS = re.compile(r"^# NUMBERS: (.*?): *(.*)")
COUNT = re.compile(r"(\d+)(?: \((.*)\))?$")


def say(text):
	print("==> " + text, flush=True)


def left():
	"""Seconds."""
	return BUDGET - (time.monotonic() - BEGAN)


def in_child():
	"""Between fork and exec: a stage has what its tests orphan, and does not outlive us."""
	libc = ctypes.CDLL(None)
	libc.prctl(36, 1)               # PR_SET_CHILD_SUBREAPER
	libc.prctl(1, signal.SIGTERM)   # PR_SET_PDEATHSIG


def start(stage):
	stage.began = time.monotonic()
	# Who gives more time in all has a slower machine.
	stage.until = stage.began + min(60 * stage.limit * BUDGET / 3300, left())
	env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "FUZZERS", "MAKEOVERRIDES")}
	# For what should take a few seconds, or libcheck's four: other stages run beside it.
	env.setdefault("GV_DEADLINE", "300")
	env.setdefault("CK_TIMEOUT_MULTIPLIER", "10")
	with open(stage.log, "wb") as log:
		stage.child = subprocess.Popen(["/bin/sh", "-c", stage.command], stdin=subprocess.DEVNULL, stdout=log,
					       stderr=subprocess.STDOUT, cwd=BUILD, env=env, start_new_session=True,
					       preexec_fn=in_child)
	say("%s begins: %s" % (stage.name, stage.command))


def descendants(pid):
	"""PID and all below it; of processes that come and go, those that are seen."""
	children = {}
	for entry in os.listdir("/proc"):
		if entry.isdigit():
			try:
				with open("/proc/%s/stat" % entry) as f:
					parent = int(f.read().rpartition(")")[2].split()[1])
				children.setdefault(parent, []).append(int(entry))
			except (OSError, IndexError, ValueError):
				pass
	found = [pid]
	for p in found:
		found += children.get(p, ())
	return found


def signal_all(stage, number):
	for pid in descendants(stage.child.pid):
		try:
			os.kill(pid, number)
		except OSError:
			pass


def wait(stages, until):
	"""Waits for one of them to end, to UNTIL at most."""
	poll = select.poll()
	fds = [os.pidfd_open(s.child.pid) for s in stages]
	try:
		for fd in fds:
			poll.register(fd, select.POLLIN)
		poll.poll(max(0, 1000 * (until - time.monotonic())))
	finally:
		for fd in fds:
			os.close(fd)


def is_over(stage, flags=os.WNOHANG):
	"""Whether it has ended; then its status and times are taken."""
	if stage.child.returncode is None:
		pid, status, usage = os.wait4(stage.child.pid, flags)
		if pid == 0:
			return False
		stage.child.returncode = os.waitstatus_to_exitcode(status)
		stage.minutes = (time.monotonic() - stage.began) / 60
		stage.cpu = (usage.ru_utime + usage.ru_stime) / 60
	return True


def stop(stage):
	"""Ends a stage that runs."""
	if is_over(stage):
		return
	signal_all(stage, signal.SIGTERM)
	wait([stage], time.monotonic() + GRACE)
	if not is_over(stage):
		signal_all(stage, signal.SIGKILL)
		is_over(stage, 0)


def watch(stage):
	"""Whether it has come to its end; the watchdog."""
	if not is_over(stage):
		if time.monotonic() < stage.until:
			return False
		stage.killed = True
		stop(stage)
	return True


def number(stage, line):
	"""Adds what a "# NUMBERS: " line says; counts of one thing are added up, and what is in brackets behind them kept."""
	found = NUMBERS.match(line)
	if not found:
		return
	what, value = found.groups()
	old, new = COUNT.match(stage.numbers.get(what, "")), COUNT.match(value)
	if old and new:
		details = "; ".join(m.group(2) for m in (old, new) if m.group(2))
		value = str(int(old.group(1)) + int(new.group(1))) + (" (%s)" % details if details else "")
	stage.numbers[what] = value


def failures(test, log):
	"""The points of TEST that failed, with the beginning of what is said of each."""
	told = []
	for i, line in enumerate(log):
		if line.startswith(("not ok ", "Bail out!")):
			told.append("%s: %s" % (test, line))
			for more in log[i + 1:i + 1 + TOLD]:
				if re.match(r"(not )?ok |1\.\.", more):
					break
				told.append("    " + more)
	return told


def judge(stage):
	"""Counts what a stage that has ended did."""
	with open(stage.log, errors="replace") as f:
		lines = f.read().splitlines()
	tests, heard, repeated = {}, False, False
	for line in lines:
		result, total = RESULT.match(line), TOTAL.match(line)
		# make shows a suite's log, which has its totals, too, ahead of the summary
		if re.match(r" +\S+ \S+: \S+\.log$|Testsuite summary for ", line):
			repeated = line.startswith(" ")
		if total and not repeated:
			heard = True
			setattr(stage, COLUMN[total.group(1)], getattr(stage, COLUMN[total.group(1)]) + int(total.group(2)))
		elif result:
			tests[re.sub(r"\.(sh|py)$", "", result.group(2))] = True
		if re.match(r"SKIP: |\w+: SKIP", line) or (stage.point and re.match(r"ok \d+ .* # SKIP ", line)):
			stage.skips.append(line)
		# A test that failed is shown with its log, which is read below.
		if stage.point:
			number(stage, line)
	for test in tests:
		try:
			with open(os.path.join(stage.place, test + ".log"), errors="replace") as f:
				log = f.read().splitlines()
		except OSError:
			continue
		for line in log:
			number(stage, line)
		stage.told += failures(test, log)
	if stage.point:
		stage.passed = sum(bool(re.match(stage.point, line)) for line in lines)
		stage.skipped = len(stage.skips)
		heard = stage.passed + stage.skipped > 0
	if stage.killed:
		stage.why = "it was not at its end after %d minutes" % stage.minutes
	elif stage.failed:
		stage.why = "%d failed" % stage.failed
	elif stage.child.returncode:
		stage.why = "status %d" % stage.child.returncode
	elif not heard:
		stage.why = "it said nothing about results"
	if stage.why:
		stage.failed = max(stage.failed, 1)
	say("%s: %s, %.1f minutes" % (stage.name, counts(stage), stage.minutes))
	if stage.why:
		shown = [line for line in lines if not re.match(r"PASS: |ok \d| +(CC|CCLD|GEN|AR) ", line)]
		print("\n".join(shown[-SHOWN:]))
		say("%s FAILED: %s; all of it is in %s" % (stage.name, stage.why, stage.log))


def counts(stages):
	if isinstance(stages, Stage):
		stages = [stages]
	return ", ".join("%d %s" % (sum(getattr(s, c) for s in stages), c) for c in ("passed", "failed", "skipped"))


def skip(stage, why):
	stage.why, stage.skipped = why, 1
	say("%s is SKIPPED: %s" % (stage.name, why))


def run(stages):
	"""Runs them, beside each other as far as there is room; a stage that is wider than that has it alone."""
	waiting, running = list(stages), []
	try:
		while waiting or running:
			for stage in list(waiting):
				if left() < 60 * stage.usual:
					skip(stage, "%d minutes were left, it takes %d" % (max(0, left()) // 60, stage.usual))
				elif stage.after in [s.name for s in waiting + running]:
					continue
				elif sum(s.width for s in running) + min(stage.width, ROOM) <= ROOM:
					start(stage)
					running.append(stage)
				else:
					continue
				waiting.remove(stage)
			if running:
				wait(running, min(s.until for s in running))
			for stage in list(running):
				if watch(stage):
					running.remove(stage)
					judge(stage)
	finally:
		for stage in running:
			stop(stage)


def report(stages):
	skips = sorted({line for s in stages for line in s.skips})
	if skips:
		print("\n".join(skips))
	for s in stages:
		told, points = [], 0
		for line in s.told:
			points += not line.startswith(" ")
			if points <= TOLD_POINTS:
				told.append(line)
		if told:
			print("==> what failed in %s%s" % (s.name, ", at first:" if points > TOLD_POINTS else ":"))
			print("\n".join(told))
	rows = [("stage", "minutes", "of cpu", "passed", "failed", "skipped", "")]
	for s in stages:
		numbers = ["%s: %s" % item for item in s.numbers.items()]
		if s.why:
			numbers.insert(0, ("SKIPPED: " if s.child is None else "FAILED: ") + s.why)
		rows.append((s.name, "%.1f" % s.minutes, "%.1f" % s.cpu, s.passed, s.failed, s.skipped, numbers[0] if numbers else ""))
		rows += [("", "", "", "", "", "", n) for n in numbers[1:]]
	for name, *middle, last in rows:
		print(("%-10s" % name + "".join("%9s" % m for m in middle) + "   " + last).rstrip())
	print("%.1f minutes of %d, on %d processors" % ((time.monotonic() - BEGAN) / 60, BUDGET / 60, PROCESSORS))
	print(counts(stages), flush=True)


def main():
	signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))         # by way of `finally`
	chosen = os.environ.get("GV_CI_STAGES", "").split()
	unknown = set(chosen) - {s.name for s in STAGES}
	if unknown:
		sys.exit("check-ci: no stage is called " + " ".join(sorted(unknown)))
	stages = [s for s in STAGES if not chosen or s.name in chosen]
	os.makedirs(LOGS, exist_ok=True)
	run([BUILDING])
	if BUILDING.failed or BUILDING.child is None:
		for s in stages:
			skip(s, "there is no build")
	else:
		run(stages)
	stages.insert(0, BUILDING)
	report(stages)
	sys.exit(any(s.failed for s in stages))


if __name__ == "__main__":
	main()
