#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Linux to a shell on the serial line, with one processor and with four, packed and unpacked on the host."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lx
import visor

visor.need_kvm()
tap = visor.Tap()


def boots(name, cpus, **more):
	with lx.Guest(*lx.args(cpus=cpus, **more), run=True) as g:
		took = g.shell()
		if not tap.ok(took is not None, "%s: a shell's prompt comes" % name, g.text[-4000:]):
			return
		print("# %s: %.1f s to the prompt" % (name, took))
		found, took = g.command("echo $((6 * 7)) is the answer", r"^42 is the answer\r?$")
		tap.ok(found, "%s: it answers" % name, g.text[-4000:])
		print("# %s: %.1f s to the answer" % (name, took))
		found, took = g.command("ls -d /sys/devices/system/cpu/cpu[0-9]*; echo e''nd", r"^end\r?$")
		tap.equal(len(set(visor.re.findall(r"/cpu/cpu\d+", g.text))), cpus, "%s: all processors are there" % name)


# What is long where KVM emulates kernel code: key exchanges and signatures tried out, and the watchdog that complains of it.
DEBIAN = "nowatchdog cryptomgr.notests " + lx.slow_clock()

small = lx.BZIMAGE
debian = lx.debian()
chosen = sys.argv[1:]
for name, cpus, more in (
	("unpacked, 1 CPU", 1, {}),
	("unpacked, 4 CPUs", 4, {}),
	("packed, 1 CPU", 1, {"unpack": False}),
	("packed, 4 CPUs", 4, {"unpack": False}),
	("Debian's, 1 CPU", 1, {"kernel": debian, "append": DEBIAN, "memory": "256M"}),
	("Debian's, 4 CPUs", 4, {"kernel": debian, "append": DEBIAN, "memory": "256M"}),
):
	if chosen and name not in chosen:
		continue
	if more.get("kernel", small):
		boots(name, cpus, **more)
	else:
		tap.skip(name, "no linux-image-cloud-amd64 is installed")
tap.done()
