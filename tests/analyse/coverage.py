#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""
coverage.py SOURCES BUILD: what gcov counted in BUILD, as BUILD/coverage.txt (percent per directory and source, functions that were
not called) and BUILD/errors.txt (lines of error paths that were not come by).  Prints the directories, and the two numbers.
"""

import collections
import concurrent.futures
import json
import os
import re
import subprocess
import sys

PARTS = ("src/", "gdbstub/", "monitor/")
# A line that says or passes on an error.
SAYS = re.compile(r"\b(err_(set|errno|prefix|printf)|task_(malformed|fail)|strerror)\s*\(|\breturn -E[A-Z0-9]+\b|\breturn (r|ret|rc|-errno);"
		  r"|= -E[A-Z0-9]+;|\bgoto (fail|out|undo|unlock|bad)\w*;|\breturn (fail|refuse|refused|say|bad|broken|wrong)\w*\(")
LABEL = re.compile(r"^(fail|undo|bad|broken)\w*:")


def gcov(notes):
	"""The files that gcov tells of, of one object."""
	p = subprocess.run(["gcov", "--json-format", "--stdout", os.path.basename(notes)], cwd=os.path.dirname(notes),
			   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
	return [f for line in p.stdout.splitlines() if line for f in json.loads(line)["files"]]


def objects(build):
	for part in PARTS:
		for where, _, names in os.walk(os.path.join(build, part)):
			yield from (os.path.join(where, n) for n in sorted(names) if n.endswith(".gcno"))


def count(sources, build):
	"""{file: {line: times}}, {file: {function: times}}; of a header, the sum of all that include it."""
	lines = collections.defaultdict(collections.Counter)
	functions = collections.defaultdict(collections.Counter)
	with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
		for files in pool.map(gcov, objects(build)):
			for f in files:
				name = os.path.relpath(os.path.join(build, f["file"]), sources)
				if not name.startswith(PARTS):
					continue
				for l in f["lines"]:
					lines[name][l["line_number"]] += l["count"]
				for fn in f["functions"]:
					functions[name][fn["name"], fn["start_line"]] += fn["execution_count"]
	return lines, functions


def error_lines(text):
	"""Numbers of the lines of TEXT (a list) that belong to error paths."""
	at_end = False
	for number, line in enumerate(text, 1):
		at_end = bool(LABEL.match(line)) or at_end and not line.startswith("}")
		if at_end or SAYS.search(line):
			yield number


def percent(done, of):
	return "%5.1f %%  %6d of %6d" % (100.0 * done / of if of else 100.0, done, of)


def main():
	sources, build = (os.path.abspath(p) for p in sys.argv[1:3])
	lines, functions = count(sources, build)
	if not lines:
		sys.exit("coverage: nothing was counted below " + build)
	per = collections.defaultdict(lambda: [0, 0])
	report, errors, of_errors = [], [], 0
	for name in sorted(lines):
		got, of = sum(1 for n in lines[name].values() if n), len(lines[name])
		for where in os.path.dirname(name), "all":
			per[where][0] += got
			per[where][1] += of
		report.append("%s  %s\n" % (percent(got, of), name))
		report += ["\t%s:%d: %s() is not called\n" % (name, line, fn)
			   for (fn, line), n in sorted(functions[name].items(), key=lambda f: f[0][1]) if not n]
		with open(os.path.join(sources, name), errors="replace") as f:
			text = f.read().splitlines()
		for number in error_lines(text):
			if number in lines[name]:
				of_errors += 1
				if not lines[name][number]:
					errors.append("%s:%d: %s\n" % (name, number, text[number - 1].strip()))
	table = ["%s  %s\n" % (percent(*per[where]), where) for where in sorted(per, key=lambda w: (w == "all", w))]
	with open(os.path.join(build, "coverage.txt"), "w") as f:
		f.writelines(table + ["\n"] + report)
	with open(os.path.join(build, "errors.txt"), "w") as f:
		f.writelines(errors)
	sys.stdout.writelines(table)
	print("coverage: %s and %s have the rest; error paths have %d lines" %
	      (os.path.join(build, "coverage.txt"), os.path.join(build, "errors.txt"), of_errors))
	print("# NUMBERS: lines covered: %d of %d" % tuple(per["all"]))
	print("# NUMBERS: error-path lines untested: %d" % len(errors))


main()
