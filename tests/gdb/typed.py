# SPDX-License-Identifier: GPL-3.0-or-later
"""A gdb that is typed at, as by a person: between commands it hears of what the guest does meanwhile."""

import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import visor


class Gdb(visor.Process):
	def __init__(self, symbols=None, settings=()):
		super().__init__([visor.GDB, "-nx", "-q"] + ([symbols] if symbols else []), stdin=subprocess.PIPE)
		self.turn = 0
		for setting in ("pagination off", "confirm off", "width 0", "height 0", *settings):
			self.x("set " + setting)

	def type(self, line):
		self.child.stdin.write(line.encode() + b"\n")
		self.child.stdin.flush()

	def x(self, command):
		"""Types a command; what was printed until its end."""
		self.turn += 1
		start, mark = len(self.text), "end of command %d;" % self.turn
		self.type(command)
		self.type("echo %s\\n" % mark)
		found = self.wait_text(mark, start=start)
		return self.text[start:found.start()] if found else self.text[start:] + "[gdb does not answer]"

	def value(self, expression):
		"""An expression as an unsigned integer; None: an error."""
		# what the guest does meanwhile may be told between
		found = re.search(r"value (\d+);", self.x('printf "value %%lu;\\n", (unsigned long)(%s)' % expression))
		return int(found.group(1)) if found else None

	def threads(self):
		"""Of each thread, in order of numbers: whether it runs."""
		found = {}
		for line in self.x("info threads").splitlines():
			words = line.replace("(gdb) ", "").lstrip("* ").split()
			if len(words) > 1 and words[0].isdigit() and words[1] == "Thread":
				found[int(words[0])] = line.rstrip().endswith("(running)")
		return [found[n] for n in sorted(found)]

	def close(self):
		self.child.stdin.close()
		super().close()
