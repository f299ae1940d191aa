# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of bounds, and how a count is held against its line."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
import visor


class Bounds:
	"""The lines of tests/counts/bounds that begin with KIND: `KIND NAME MOST`."""

	def __init__(self, kind):
		self.kind = kind
		self.most = {}
		with open(os.path.join(HERE, "bounds")) as f:
			for line in f:
				words = line.split("#")[0].split()
				if words and words[0] == kind:
					self.most[words[1]] = float(words[2])
		self.unused = set(self.most)

	def check(self, tap, name, count, slack, parts):
		"""COUNT is SLACK above its bound at most.  PARTS: what it is made of, the most first, shown in any case."""
		most = self.most.get(name)
		self.unused.discard(name)
		if most is None:
			tap.ok(False, "%s: %s" % (name, number(count)), "no line for it in tests/counts/bounds")
		else:
			tap.ok(count <= most + slack, "%s: %s, at most %s" % (name, number(count), number(most)),
			       "%s more than tests/counts/bounds allows" % number(count - most))
		print("# " + ", ".join("%s %s" % (part, number(n)) for part, n in parts))

	def skip(self, tap, name, reason):
		self.unused.discard(name)
		tap.skip(name, reason)

	def done(self, tap):
		tap.equal(sorted(self.unused), [], "every line of the table has been used")
		tap.done()


def number(n):
	return ("%.2f" % n).rstrip("0").rstrip(".")


def sanitized():
	"""Whether the program was built with sanitizers, which do other things beside; by make's word."""
	return bool(os.environ.get("SANITIZE_FLAGS"))


def skip(reason):
	print("1..0 # SKIP " + reason)
	sys.exit(0)
