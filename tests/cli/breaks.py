#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The monitor's breakpoints, watchpoints and catchpoints by a script, and what of them it refuses."""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import visor

IMAGE = "examples/hello64.elf"

# A command, and what the one line about it says.
REFUSED = (
	("break 0x8000000000000000", "not canonical"),
	("break start if 1 +", "column|expected"),
	("break start cpu=7", "vCPU|cpu"),
	("watch 0x1000,0", "range of nothing"),
	("watch 0,0x8000000000000000", "MiB|1G|reach"),
	("watch 0xfffffffffffffff8,16", "do not fit"),
	("catch port 0x10000 write", "port|range|0x"),
	("catch exception 32", "vector|exception|31"),
	("catch nothing", "usage|port|no"),
	("delete 99", "99"),
	("ignore 99 1", "99"),
	("condition 99 1", "99"),
	("commands 99 echo", "99"),
)


def main():
	visor.need_kvm()
	tap = visor.Tap()
	status, out, err = visor.run([visor.GDBVISOR, "-x", visor.source("tests/cli/breaks.gv"), IMAGE])
	tap.equal(status, 0, "a script with breakpoints of every kind", out + err)
	tap.equal(re.findall(r"^ok (\d+)", out, re.M), [str(n) for n in range(1, 9)], "each of its test points", out + err)
	tap.match(r"^# its commands ran\n# 0x3 = 3$", out, "commands run at the hit, in their order")
	tap.match(r"write of 4 bytes at 0x[0-9a-f]+ <table\+28>: 0x0 -> 0x9, by 0x[0-9a-f]+ <fill_entry\+", out,
		  "a watchpoint tells the values and the writer")
	for command, why in REFUSED:
		status, out, err = visor.run([visor.GDBVISOR, "-e", command, "-e", "info breakpoints", IMAGE])
		tap.ok(status != 0 and re.search(why, err) and err.count("\n") == 1, "refused in one line: " + command, out + err)
	hard = [word for n in range(5) for word in ("-e", "hbreak start+%d" % n)]
	status, out, err = visor.run([visor.GDBVISOR, *hard, IMAGE])
	tap.match("all 4 debug registers are in use", err, "a fifth hardware breakpoint")
	tap.equal(out.count("hardware breakpoint"), 4, "after four")
	tap.done()


main()
