#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every command line of README.md's "Debug your own kernel in two minutes" does what is shown below it."""

import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import visor

TITLE = "## Debug your own kernel in two minutes\n"


def commands():
	"""Each command line there, and the lines shown below it."""
	with open(visor.source("README.md")) as f:
		section = f.read().split(TITLE)[1].split("\n## ")[0]
	section = section.replace("\\\n", "")
	found = []
	for line in section.splitlines():
		if line.startswith("    $ "):
			found.append((re.sub(" +", " ", line[6:]), []))
		elif line.startswith("    "):
			found[-1][1].append(line[4:])
	return found


def main():
	visor.need_kvm()
	tap = visor.Tap()
	found = commands()
	kernel = visor.small_linux()
	tap.ok(len(found) >= 10 and all(shown or "objcopy" in line for line, shown in found),
	       "README.md has command lines, and what they show", found)
	with tempfile.TemporaryDirectory(prefix="gv-") as directory:
		for name in ("gdbvisor", "examples"):
			os.symlink(visor.built(name), os.path.join(directory, name))
		if kernel:
			for path in kernel:
				os.symlink(path, os.path.join(directory, os.path.basename(path)))
			with open(os.path.join(directory, "initrd.cpio"), "wb") as f:
				f.write(b"070701" * 100)
		for line, shown in found:
			what = line if len(line) < 100 else line[:96] + " ..."
			if "bzImage" in line and not kernel:
				tap.skip(what, "no Linux was built here (make check-kernel)")
				continue
			# as at a terminal, whose user leaves gdb at once
			line = re.sub("^gdb ", "%s -nx -iex 'set auto-load off' -ex 'set pagination off' " % visor.GDB, line)
			p = subprocess.run(["bash", "-c", line], cwd=directory, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
					   stderr=subprocess.STDOUT, timeout=visor.DEADLINE, text=True, errors="replace")
			visor.heed_sanitizers(p.stdout)
			missing = [s for s in shown if s not in p.stdout]
			tap.ok(not missing, what, "not shown: %r in:\n%s" % (missing, p.stdout))
	tap.done()


main()
