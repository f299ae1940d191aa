#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Boots in a loop leave nothing behind: no descriptor, no thread, no memory, no file."""

import os
import re
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import boot
import images
import visor

AGAIN = "tests/boot/again.bin"
PATIENCE = 1200         # seconds for a loop: where KVM emulates, SeaBIOS takes 3 s a boot and more
GROWTH = 512            # KiB of resident memory that may come in a thousand boots: a page a boot would be more


def status(pid):
	"""What a process holds: descriptors, threads, and memory in KiB."""
	with open("/proc/%d/status" % pid) as f:
		text = f.read()

	def number(name):
		return int(re.search(r"^%s:\s+(\d+)" % name, text, re.M).group(1))
	return {"descriptors": sorted(os.readlink("/proc/%d/fd/%s" % (pid, n)) for n in os.listdir("/proc/%d/fd" % pid)),
		"threads": number("Threads"), "size": number("VmSize"), "resident": number("VmRSS")}


def wait_boots(v, count):
	"""Whether V's guest has said ! COUNT times, before the time is up."""
	until = time.monotonic() + PATIENCE
	with v.changed:
		while v.text.count("!") < count:
			left = until - time.monotonic()
			if v.ended or left <= 0:
				return False
			v.changed.wait(left)
	return True


def told(s, commands, name):
	"""What the monitor S answers to COMMANDS, up to the echo of NAME."""
	s.sendall(commands + b"echo %s\n" % name)
	seen = b""
	while name not in seen:
		more = s.recv(65536)
		if not more:
			break
		seen += more
	return seen


def status_at_reset(v, s, name):
	"""The status of V's process while its guest stands at the reset, where how much memory it has used is no chance."""
	told(s, b"stop\nwait 20\nreset\n", name)
	now = status(v.child.pid)
	s.sendall(b"continue\n")
	return now


def boots(tap, what, warm, count, *args):
	"""A guest that says ! at each boot, and resets; after WARM boots COUNT others are to change nothing."""
	with visor.Visor("-r", "-M", "unix:{dir}/monitor", *args) as v:
		if not tap.ok(v.target, what + ": starts", v.text):
			return
		tap.ok(wait_boots(v, warm), "%s: %d times" % (what, warm), v.text[-400:])
		s = visor.connect(v.path("monitor"))
		before, start = status_at_reset(v, s, b"warmed up"), v.text.count("!")
		tap.ok(wait_boots(v, start + count), "%s: %d times more" % (what, count), v.text[-400:])
		same(tap, what, before, status_at_reset(v, s, b"all done"))
		s.close()


def same(tap, what, before, after):
	for name in ("descriptors", "threads", "size"):
		tap.equal(after[name], before[name], "%s: %s as before" % (what, name))
	tap.ok(after["resident"] <= before["resident"] + GROWTH, "%s: no more memory" % what, "%s, then %s" % (before, after))


def resets(s, count, name):
	"""COUNT resets by the monitor S, each with a breakpoint hit behind it."""
	return told(s, b"reset\nbreak *0x7c05\ncontinue\nwait 20\ndelete\n" * count, name).count(b"=> ")


def monitor_resets(tap):
	with visor.Visor("-M", "unix:{dir}/monitor", AGAIN) as v:
		if not tap.ok(v.target, "monitor: starts", v.text):
			return
		s = visor.connect(v.path("monitor"))
		resets(s, 20, b"warmed up")
		before = status(v.child.pid)
		tap.ok(resets(s, 200, b"all done") >= 200, "monitor: 200 resets, each to a breakpoint")
		same(tap, "monitor", before, status(v.child.pid))
		s.close()


def processes(tap, disk):
	"""Whole processes, one after the other, with a directory of their own for temporary files."""
	where = os.path.join(boot.DIR, "tmp")
	os.mkdir(where)
	env = dict(os.environ, TMPDIR=where)
	for i in range(20):
		code, out, err = visor.run([visor.GDBVISOR, "-M", "none", "-d", disk + ",snapshot", "-e", "stepi 5", "-e", "quit"],
					   env=env)
		if code != 0:
			tap.ok(False, "process %d ends well" % i, out + err)
	tap.equal(os.listdir(where), [], "20 processes leave no file")


def main():
	visor.need_kvm()
	tap = visor.Tap()
	boots(tap, "a boot sector", 100, 1000, AGAIN)
	monitor_resets(tap)
	absent = images.missing("seabios")
	if absent:
		tap.skip("SeaBIOS", absent)
	else:
		disk = boot.image("again.img", again_disk)
		# Seconds each where KVM emulates; what one of them leaves behind is more than a page.
		boots(tap, "SeaBIOS", 3, 30, "-b", images.path("seabios"), "-d", disk)
		processes(tap, disk)
	tap.done()


def again_disk(where):
	with open(visor.built(AGAIN), "rb") as f:
		images.boot_sector(where, f.read(510))


main()
