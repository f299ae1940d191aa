#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the program begins: what it holds and does before the first packet, and where its threads run."""

import ctypes
import os
import re
import shutil
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, ".."), os.path.join(HERE, "..", "rsp")]
import client
import visor

GUEST = visor.built("tests/guests/real.bin")
OURS_KIB = 6144                 # the program, its libraries as far as they have been used, and the guest's first pages: 4.8 MiB on Debian 12
SANITIZED = bool(os.environ.get("SANITIZE_FLAGS"))
ROOM_KIB = 512                  # what one run has more than another
STARTS = 450                    # calls from the first of KVM to the end of the start, with the host still to be tried out: 380 on Debian 12
NOTHING_REMEMBERED = ("-u", "XDG_RUNTIME_DIR", "-u", "XDG_CACHE_HOME", "-u", "HOME")
SCHED_SETATTR, SCHED_GETATTR = 314, 315         # x86-64
SLICE_NS = 100000


def stopped(v):
	"""Asks the first question and hears that the guest is stopped."""
	c = client.Client(v.path("gdb"))
	said = c.ask(b"?")
	c.close()
	return said


def resident(v):
	"""KiB of the process in memory, guest and all."""
	with open("/proc/%d/smaps_rollup" % v.child.pid) as f:
		return int(re.search(r"^Rss:\s+(\d+) kB", f.read(), re.M).group(1))


def tasks(v):
	"""The threads, in the order they were made, without those that are the kernel's: KVM has one that recovers large pages."""
	found = []
	for tid in sorted(map(int, os.listdir("/proc/%d/task" % v.child.pid))):
		with open("/proc/%d/task/%d/comm" % (v.child.pid, tid)) as f:
			if f.read().strip() == os.path.basename(visor.GDBVISOR):
				found.append(tid)
	return found


def allowed(v, tid):
	with open("/proc/%d/task/%d/status" % (v.child.pid, tid)) as f:
		return re.search(r"^Cpus_allowed_list:\s+(\S+)", f.read(), re.M).group(1)


def attributes(tid):
	"""sched_getattr(2) of thread TID: size, policy, flags, nice, priority, runtime, deadline, period."""
	buf = ctypes.create_string_buffer(48)
	if visor.LIBC.syscall(SCHED_GETATTR, tid, buf, len(buf), 0):
		return None
	return list(struct.unpack("=IIQiIQQQ", buf.raw))


def takes_slices():
	"""Whether this host's scheduler lets a thread choose its slice: tried in a child."""
	pid = os.fork()
	if not pid:
		a = attributes(0)
		if not a or a[1]:
			os._exit(1)
		a[5] = SLICE_NS
		visor.LIBC.syscall(SCHED_SETATTR, 0, struct.pack("=IIQiIQQQ", *a), 0)
		os._exit(attributes(0)[5] != SLICE_NS)
	return os.waitpid(pid, 0)[1] == 0


def memory(tap):
	found = {}
	for size in ("128M", "16G"):
		with visor.Visor("-m", size, "-s", "none", GUEST) as v:
			tap.ok(stopped(v).startswith(b"T05"), size + ": stopped at the first instruction")
			found[size] = resident(v)
	if SANITIZED:
		tap.skip("resident memory", "built with sanitizers")
		return
	tap.ok(found["128M"] <= OURS_KIB, "resident with 128 MiB of guest memory: %d KiB, at most %d" % (found["128M"], OURS_KIB))
	tap.ok(found["16G"] <= found["128M"] + ROOM_KIB, "and with 16 GiB: %d KiB" % found["16G"])


def calls(tap):
	if not shutil.which("strace") or SANITIZED:
		tap.skip("system calls of a start", "no strace, or built with sanitizers")
		return
	with visor.Visor("-s", "none", GUEST, before=("env", *NOTHING_REMEMBERED, "strace", "-f", "-o", "{dir}/trace")) as v:
		stopped(v)
		with open(v.path("trace"), errors="replace") as f:
			lines = f.readlines()
	begin = next(i for i, line in enumerate(lines) if '"/dev/kvm"' in line)
	end = next(i for i, line in enumerate(lines) if " listen(" in line)
	tap.ok(end - begin <= STARTS, "%d calls of a start, at most %d" % (end - begin, STARTS))
	vm = re.search(r" = (\d+)", next(line for line in lines if "KVM_CREATE_VM" in line)).group(1)
	order = [call for call in re.findall(r"ioctl\(%s, (KVM_SET_USER_MEMORY_REGION|KVM_CREATE_IRQCHIP|KVM_CREATE_PIT2|"
					     r"KVM_CREATE_VCPU)" % vm, "".join(lines[begin:end]))]
	tap.equal(order, ["KVM_SET_USER_MEMORY_REGION", "KVM_CREATE_IRQCHIP", "KVM_CREATE_PIT2", "KVM_CREATE_VCPU"],
		  "memory is there before the interrupt controllers, whose registration it would wait for")


def affinity(tap):
	here = sorted(os.sched_getaffinity(0))
	with visor.Visor("-c", "3", "-s", "none", GUEST) as v:
		everywhere = allowed(v, v.child.pid)
		tap.equal([allowed(v, t) for t in tasks(v)], [everywhere] * 4, "vCPUs run anywhere by default")
	pair = [here[-1], here[0]]
	with visor.Visor("-c", "3", "--affinity=%d,%d" % tuple(pair), "-s", "none", GUEST) as v:
		tap.ok(stopped(v).startswith(b"T05"), "--affinity: the guest begins")
		main, *cpus = tasks(v)
		tap.equal([allowed(v, t) for t in cpus], [str(pair[0]), str(pair[1]), str(pair[0])],
			  "--affinity: vCPUs are on the host CPUs of the list, in turn")
		tap.equal(allowed(v, main), everywhere, "--affinity: the program's own thread is not")
	for text, said in (("%d" % (here[-1] + 4000), "this host has no CPU"), ("", "not a list of host CPUs"), ("0-", "not a list"),
			   ("1-0", "no range"), ("9999", "at most")):
		status, _, err = visor.run([visor.GDBVISOR, "--affinity=" + text, "-e", "quit", GUEST])
		tap.ok(status == 64 and err.count("\n") == 1 and said in err, "--affinity=%s is refused" % text, "%s\n%s" % (status, err))
	if len(here) < 2:
		tap.skip("--affinity of a CPU that is not allowed", "one host CPU")
		return
	status, _, err = visor.run(["taskset", "-c", str(here[0]), visor.GDBVISOR, "--affinity=%d" % here[-1], "-e", "quit", GUEST])
	tap.ok(status == 64 and err.count("\n") == 1 and "may not run on host CPU %d" % here[-1] in err,
	       "--affinity of a CPU that is not allowed is refused", "%s\n%s" % (status, err))


def slices(tap):
	if not takes_slices():
		tap.skip("the program's own thread begins soon", "no slices of one's own on this host")
		return
	with visor.Visor("-c", "2", "-s", "none", GUEST) as v:
		main, *cpus = tasks(v)
		tap.equal(attributes(main)[5], SLICE_NS, "the program's own thread begins soon after it has been woken")
		tap.ok(all(attributes(t)[5] > SLICE_NS for t in cpus), "and vCPUs' threads as any other")


def main():
	visor.need_kvm()
	tap = visor.Tap()
	memory(tap)
	calls(tap)
	affinity(tap)
	slices(tap)
	tap.done()


main()
