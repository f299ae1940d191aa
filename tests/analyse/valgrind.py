#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""
make check-valgrind: the unit tests that need no KVM, each under valgrind's memcheck, in one process (CK_FORK=no) so that what
is lost at the end is seen.  Wrong use of memory, and blocks that nothing points to any more, are failures.  Cases that libcheck has
the tag "long" of are not run: they take minutes here.
$GV_VALGRIND_PROGRAMS: of which those tests/check_*; $JOBS: how many at once (one a processor).
"""

import concurrent.futures
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
import visor

# What is not run, and why.
LEFT_OUT = {
	"tests/check_sandbox": "valgrind knows no seccomp(2)",
	"tests/check_backing": "valgrind 3.19 does not take what mremap(2) has grown for memory that is there",
	"tests/check_assist": "it runs instructions as this processor has them, which valgrind translates and does not know all of",
	"tests/check_native": "likewise", "tests/check_sys": "likewise",
	"tests/check_serial": "its tests want a process each, and have one together here (CK_FORK=no)",
	"tests/check_server": "likewise", "tests/check_server_clients": "likewise", "tests/check_stdio": "likewise",
	"tests/check_slot_faults": "it counts the process's mappings, of which valgrind has its own",
}
# Random sessions that were not at their end after CPU_SECONDS.
TOO_LONG = ("check_flash", "check_ide_state", "check_load", "check_wide", "check_wide_plain")
LEFT_OUT.update(("tests/" + p, "it takes longer than there is") for p in TOO_LONG)
CPU_SECONDS = 25        # of a processor's time for one program: what takes longer is skipped, and named
DEADLINE = 600          # of ours, for one that waits
FOUND = 99
TAIL = 60               # lines that are shown of what is wrong


def valgrind(log):
	return ["valgrind", "-q", "--error-exitcode=%d" % FOUND, "--leak-check=full", "--show-leak-kinds=definite",
		"--errors-for-leak-kinds=definite", "--num-callers=20", "--log-file=" + log,
		"--suppressions=" + os.path.join(HERE, "valgrind.supp"), "--"]


def limit():
	resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 5))


def judge(program, directory):
	"""(tests, what is wrong of it: lines; None: it takes too long)."""
	log = os.path.join(directory, os.path.basename(program) + ".%p")
	env = dict(os.environ, CK_FORK="no", CK_EXCLUDE_TAGS="long")
	try:
		p = subprocess.run(valgrind(log) + [visor.built(program)], env=env, stdin=subprocess.DEVNULL,
				   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=DEADLINE, preexec_fn=limit)
		said, status = p.stdout.decode("utf-8", "replace"), p.returncode
	except subprocess.TimeoutExpired as e:
		said, status = (e.stdout or b"").decode("utf-8", "replace"), "none: it was not at its end after %d s" % DEADLINE
	if status in (-signal.SIGXCPU, -signal.SIGKILL):
		return 0, None
	lines = said.splitlines()
	plan = re.search(r"^1\.\.(\d+)", said, re.M)
	passed = [line for line in lines if line.startswith("ok ")]
	wrong = [line for line in lines if line.startswith("not ok ")]
	for name in sorted(os.listdir(directory)):
		if name.startswith(os.path.basename(program) + "."):
			with open(os.path.join(directory, name), errors="replace") as f:
				wrong += f.read().splitlines()
	if not plan or len(passed) != int(plan.group(1)):
		wrong += ["%d tests passed, planned: %s" % (len(passed), plan.group(0) if plan else "nothing")] + lines[-10:]
	if status != 0:
		wrong.append("the program's status: %s" % status)
	return len(passed), wrong


def main():
	programs = sorted(p for p in os.environ.get("GV_VALGRIND_PROGRAMS", "").split() if p.startswith("tests/check_"))
	if not programs:
		print("1..0 # SKIP no unit tests are built: libcheck is not there")
		return
	if not shutil.which("valgrind"):
		print("1..0 # SKIP valgrind is not installed")
		return
	tap = visor.Tap()
	run = [p for p in programs if p not in LEFT_OUT]
	total = 0
	with tempfile.TemporaryDirectory(prefix="gv-valgrind-") as directory, \
			concurrent.futures.ThreadPoolExecutor(int(os.environ.get("JOBS") or os.cpu_count() or 1)) as pool:
		for program, (tests, wrong) in zip(run, pool.map(lambda p: judge(p, directory), run)):
			if wrong is None:
				tap.skip(program, "it is not at its end after %d seconds of a processor's time" % CPU_SECONDS)
				continue
			tap.ok(not wrong, "%s: %d tests under valgrind" % (program, tests), "\n".join(wrong[:TAIL]))
			total += tests
	for program in programs:
		if program in LEFT_OUT:
			tap.skip(program, LEFT_OUT[program])
	print("# NUMBERS: unit tests under valgrind: %d" % total)
	tap.done()


main()
