#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What check-ci makes of its stages: counts and numbers, one that fails, hangs, says nothing, or is late."""

import contextlib
import io
import os
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..")]
import visor

SUMMARY = "echo '# TOTAL: 6'; echo '# PASS:  3'; echo '# SKIP:  1'; echo '# XFAIL: 0'; echo '# FAIL:  %d'; echo '# ERROR: %d'"
# What orphans a process that does not hear SIGTERM, writes its id to $PIDS, and does not end.
HANG = "(trap '' TERM; sh -c 'trap \"\" TERM; echo $$ >pid; while :; do sleep 1; done' & ) ; trap '' TERM; while :; do sleep 1; done"


def is_gone(pid):
	try:
		with open("/proc/%d/stat" % pid) as f:
			return f.read().rpartition(")")[2].split()[0] == "Z"
	except OSError:
		return True


def main():
	tap = visor.Tap()
	with tempfile.TemporaryDirectory(prefix="gv-ci-") as d:
		os.chdir(d)
		import stages           # it takes the directory for the build's
		os.mkdir("ci")
		os.mkdir("sub")
		with open("sub/t.log", "w") as f:
			f.write("ok 1\n# NUMBERS: things done: 40 (a 30, b 10)\n# NUMBERS: kinds: 3 of 4\n")
		stages.GRACE, stages.BEGAN, stages.BUDGET = 1, time.monotonic(), 55 * 60
		good = stages.Stage("good", 1, 0, 1, "echo 'PASS: t.py 1 - fine'; echo '# NUMBERS: things done: 2 (c 2)';"
				    "echo 'SKIP: u 2 - hard # SKIP no such host';" + SUMMARY % (0, 0), place="sub")
		with open("f.log", "w") as f:
			f.write("ok 1 - good\nnot ok 2 - wrong\n# got 1, wanted 2\nok 3 - good\n" + "not ok 4 - many\n" * 20)
		bad = stages.Stage("bad", 1, 0, 1, "echo 'FAIL: f.py 2 - the reason'; echo '   gdbvisor 0.1.0: ci/bad-suite.log';" + SUMMARY % (1, 1) +
				   "; echo 'Testsuite summary for gdbvisor 0.1.0';" + SUMMARY % (1, 1) + "; exit 2")
		silent = stages.Stage("silent", 1, 0, 1, "true")
		ended = stages.Stage("ended", 1, 0, 1, SUMMARY % (0, 0) + "; exit 3")
		plain = stages.Stage("plain", 1, 0, 1, "echo 'tool: 0 findings'; echo 'plain: SKIP other: absent'",
				     point="^tool: 0")
		hung = stages.Stage("hung", 1, 0, 0.02, HANG)
		late = stages.Stage("late", 1, 10000, 20000, "true")
		second = stages.Stage("second", 1, 0, 1, "test -e first.is.over && " + SUMMARY % (0, 0), after="first")
		first = stages.Stage("first", 1, 0, 1, "sleep 1; >first.is.over;" + SUMMARY % (0, 0))
		wide = stages.Stage("wide", 1000, 0, 1, SUMMARY % (0, 0))
		every = [good, bad, silent, ended, plain, hung, late, second, first, wide]
		out = io.StringIO()
		with contextlib.redirect_stdout(out):
			stages.run(every)
			stages.report(every)
		said = out.getvalue()

		def is_counted(stage, wanted, text):
			tap.equal((stage.passed, stage.failed, stage.skipped), wanted, text, said)
		is_counted(good, (3, 0, 1), "results are those of the summary")
		tap.equal(good.numbers, {"things done": "40 (a 30, b 10)", "kinds": "3 of 4"}, "numbers come from tests' logs, and none twice")
		is_counted(bad, (3, 2, 1), "failures and errors are counted, of a suite that make shows twice")
		tap.ok("FAIL: f.py 2 - the reason" in said, "a stage that failed is shown", said)
		table = said.index("\nstage  ")
		tap.ok("what failed in bad, at first:\nf: not ok 2 - wrong\n    # got 1, wanted 2\nf: not ok 4 - many\n" in said[:table],
		       "and its points that failed once more, before the table", said)
		tap.equal(said.count("f: not ok 4 - many"), stages.TOLD_POINTS - 1, "not all of very many")
		is_counted(silent, (0, 1, 0), "a stage without results has failed")
		is_counted(ended, (3, 1, 1), "so has one with a status and no failure")
		is_counted(plain, (1, 0, 1), "results of what does not speak TAP")
		is_counted(hung, (0, 1, 0), "one that hangs is ended, and has failed")
		with open("pid") as f:
			pid = int(f.read())
		tap.ok(is_gone(pid), "with what it orphaned")
		is_counted(late, (0, 0, 1), "what has no time left is skipped")
		tap.ok("late is SKIPPED: 55 minutes" in said or "late is SKIPPED: 54 minutes" in said, "and that is said", said)
		is_counted(wide, (3, 0, 1), "what is wider than there is room runs")
		is_counted(second, (3, 0, 1), "a stage waits for the one that it shares tests with")
		tap.equal(said.splitlines()[-1], "19 passed, 5 failed, 8 skipped", "one line of counts over all", said)
	tap.done()


if __name__ == "__main__":
	main()
