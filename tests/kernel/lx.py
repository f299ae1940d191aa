# SPDX-License-Identifier: GPL-3.0-or-later
"""
What the sessions with Linux share: the kernel that build.sh has made, a guest with a shell, and a deadline that a host
which emulates kernel code can keep.
"""

import glob
import os

import subprocess
import sys
import time

# Seconds for whatever is waited for, the whole of a session included.
os.environ.setdefault("GV_DEADLINE", "900")

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
sys.path.insert(0, os.path.join(HERE, "..", "gdb"))
import visor


def build():
	"""The directory that the small Linux is in; it is built if need be, which takes minutes, and is not said to be."""
	known = os.environ.get("GV_KERNEL")
	if known:
		return known
	try:
		known = subprocess.run([os.path.join(HERE, "build.sh")], check=True, stdout=subprocess.PIPE,
				       universal_newlines=True).stdout.strip()
	except subprocess.CalledProcessError:
		print("Bail out! the small Linux cannot be built")
		sys.exit(1)
	os.environ["GV_KERNEL"] = known
	return known


def debian():
	"""Debian's kernel for clouds, the newest one; None: there is none."""
	found = sorted(glob.glob("/boot/vmlinuz-6.*-cloud-amd64"))
	return found[-1] if found else None


KERNEL = build()
VMLINUX = os.path.join(KERNEL, "vmlinux")
BZIMAGE = os.path.join(KERNEL, "bzImage")
INITRAMFS = os.path.join(KERNEL, "initramfs.cpio")
SPIN = os.path.join(KERNEL, "spin")
PROMPT = r"^gv# "

# Where KVM emulates kernel code, what Linux thinks the fastest ways to move bytes go byte by byte.
APPEND = "console=ttyS0 clearcpuid=erms,fsrm"


def args(kernel=BZIMAGE, cpus=1, append="", unpack=True, initramfs=INITRAMFS, memory="64M", extra=()):
	"""Arguments for gdbvisor, whose standard output is then the serial line."""
	return ["-k", "linux", "-m", memory, "-c", str(cpus), "-i", initramfs, "-s", "stdio",
		"-a", (APPEND + " " + append).strip(), *(["--decompress"] if unpack else []), *extra, kernel]


def slow_clock(times=10):
	"""
	What has Linux's time go TIMES slower than the host's: it takes the time stamp counter to be so much faster.  Where KVM
	emulates kernel code, four processors on two do not get through a tick before the next one is due.
	"""
	with open("/proc/cpuinfo") as f:
		mhz = float(visor.re.search(r"^cpu MHz\s*: ([\d.]+)", f.read(), visor.re.M).group(1))
	# Linux programs its timer in eighths of the counter, a second of which has 32 bits
	return "no-kvmclock tsc=reliable tsc_early_khz=%d" % min(mhz * 1000 * times, 34e6)


class Guest(visor.Visor):
	"""A Linux whose serial line is at hand.  ARGS as of args(); RUN: it does not wait for a debugger."""

	def __init__(self, *argv, run=False):
		self.began = time.monotonic()
		super().__init__(*(["-r"] if run else []), *argv, stdin=subprocess.PIPE)

	def type(self, text):
		self.child.stdin.write(text.encode() + b"\n")
		self.child.stdin.flush()

	def shell(self):
		"""Seconds until the shell's prompt; None: it does not come.  Says every minute what came last."""
		while True:
			left = self.began + visor.DEADLINE - time.monotonic()
			found = self.wait_text(PROMPT + r"|Kernel panic|^gdbvisor: vCPU \d+ ", timeout=max(0, min(60, left)))
			if found or self.ended or left <= 60:
				break
			print("# after %d s: %s" % (time.monotonic() - self.began, self.text.rstrip().rpartition("\n")[2]), flush=True)
		return time.monotonic() - self.began if found and found.group() == "gv# " else None

	def command(self, text, pattern):
		"""Types a command line; the match of PATTERN in what comes after it, and the seconds it took."""
		start, began = len(self.text), time.monotonic()
		self.type(text)
		return self.wait_text(pattern, start=start), time.monotonic() - began
