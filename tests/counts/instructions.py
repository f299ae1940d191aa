#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""
What packets cost in instructions, from the bytes that came to the bytes that go: counted by callgrind in tests/counts/packets, and
held against tests/counts/bounds.  The figures are those of one compiler at one level of optimization; others make others.
"""

import collections
import glob
import os
import re
import shlex
import shutil
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import gate
import visor

COMPILER = r"12\.\d+\.\d+"              # gcc's, as it calls itself (clang calls itself otherwise); Debian 12
PROGRAM = "tests/counts/packets"
FUNCTION = re.compile(r"(c?)fn=\((\d+)\)(?: (.*))?$")
SHOWN = 5


def read_dump(path):
	"""Instructions by function, without those called, of one of callgrind's dumps."""
	names, selfs, now, called = {}, collections.Counter(), None, False
	with open(path) as f:
		for line in f:
			function = FUNCTION.match(line)
			if function:
				called_one, number, name = function.groups()
				if name:
					names[number] = name
				if not called_one:
					now = names[number]
			elif line.startswith("calls="):
				called = True           # the line that follows is what the callee took
			elif now and re.match(r"[+*\d-]", line):
				if not called:
					selfs[now] += int(line.split()[1])
				called = False
	return selfs


def main():
	flags = shlex.split(os.environ.get("GV_CFLAGS", ""))
	level = [f for f in flags if re.match(r"-O", f)]
	if gate.sanitized() or level[-1:] != ["-O2"]:
		gate.skip("bounds on instructions are for -O2 without sanitizers, not for '%s'"
			  % " ".join(flags + shlex.split(os.environ.get("SANITIZE_FLAGS", ""))))
	if not shutil.which("valgrind"):
		gate.skip("valgrind is not installed: no instruction is counted")
	tap, bounds = visor.Tap(), gate.Bounds("instructions")
	with tempfile.TemporaryDirectory(prefix="gv-") as d:
		status, out, complaints = visor.run(["valgrind", "--tool=callgrind", "--toggle-collect=counted",
			"--dump-after=counted", "--callgrind-out-file=" + os.path.join(d, "out"), visor.built(PROGRAM)])
		compiler = re.search(r"^compiler: (.*)$", out, re.M)
		if compiler and not re.fullmatch(COMPILER, compiler.group(1)):
			gate.skip("bounds on instructions are for gcc 12, not for the compiler " + compiler.group(1))
		if not tap.equal(status, 0, "every packet is answered as it should be", out + complaints):
			tap.done()
		done = re.findall(r"^(\S+) (\d+)$", out, re.M)
		dumps = [read_dump(os.path.join(d, "out.%d" % i)) for i in range(1, len(done) + 1)]
	for (name, few), (_, many), less, more in zip(done[::2], done[1::2], dumps[::2], dumps[1::2]):
		turns = int(many) - int(few)
		parts = sorted(((f, (n - less[f]) / turns) for f, n in more.items()), key=lambda p: (-p[1], p[0]))
		bounds.check(tap, name, (more.total() - less.total()) / turns, 0, parts[:SHOWN])
	bounds.done(tap)


main()
