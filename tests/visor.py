# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the whole program share: TAP, where things are, a running gdbvisor, symbols."""

import ctypes
import glob
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
BUILDDIR = os.path.abspath(os.environ.get("builddir", "."))
SRCDIR = os.path.abspath(os.environ.get("srcdir", os.path.join(HERE, "..")))
GDBVISOR = os.path.join(BUILDDIR, "gdbvisor")
GDB = os.environ.get("GDB") or "gdb"
DEADLINE = int(os.environ.get("GV_DEADLINE", 120))      # seconds for anything that should take a few: a sanitizer build on a busy host is slow


def built(path):
	return os.path.join(BUILDDIR, path)


def source(path):
	return os.path.join(SRCDIR, path)


class Tap:
	"""Test points on standard output."""

	def __init__(self):
		self.count = 0

	def ok(self, good, text, detail=""):
		self.count += 1
		print("%sok %d - %s" % ("" if good else "not ", self.count, text.replace("#", "")), flush=True)
		if not good:
			for line in str(detail).splitlines():
				print("# " + line)
		return good

	def equal(self, got, wanted, text, detail=""):
		return self.ok(got == wanted, text, "got %r, wanted %r\n%s" % (got, wanted, detail))

	def match(self, pattern, got, text):
		return self.ok(re.search(pattern, got, re.M), text, "no match for %s in:\n%s" % (pattern, got))

	def skip(self, text, reason):
		self.count += 1
		print("ok %d - %s # SKIP %s" % (self.count, text, reason))

	def done(self):
		print("1..%d" % self.count)
		sys.exit(0)


def small_linux():
	"""vmlinux and bzImage of the small Linux, if it was built before; else None."""
	cache = os.environ.get("GV_KERNEL_CACHE") or os.path.join(
		os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache"), "gdbvisor-kernel")
	for done in sorted(glob.glob(os.path.join(glob.escape(cache), "linux-*", ".complete"))):
		files = [os.path.join(os.path.dirname(done), name) for name in ("vmlinux", "arch/x86/boot/bzImage")]
		if all(os.access(f, os.R_OK) for f in files):
			return files
	return None


def need_kvm():
	"""Ends the test as skipped, with the reason, on a host without KVM."""
	try:
		os.close(os.open("/dev/kvm", os.O_RDWR))
	except OSError as e:
		print("1..0 # SKIP /dev/kvm: %s" % e.strerror)
		sys.exit(0)


def connect(path):
	"""Waits while too many others wait there, too: with a time limit connect() does not."""
	s = socket.socket(socket.AF_UNIX)
	s.settimeout(DEADLINE)
	until = time.monotonic() + DEADLINE
	while True:
		try:
			s.connect(path)
			return s
		except BlockingIOError:
			if time.monotonic() > until:
				raise
			time.sleep(0.005)


def symbols(path):
	"""The symbols of an ELF file, 32 or 64 bit: name -> (address, size)."""
	with open(path, "rb") as f:
		data = f.read()
	wide = data[4] == 2
	if wide:
		shoff, shentsize, shnum = struct.unpack_from("<Q", data, 40)[0], *struct.unpack_from("<HH", data, 58)
	else:
		shoff, shentsize, shnum = struct.unpack_from("<I", data, 32)[0], *struct.unpack_from("<HH", data, 46)
	sections = []
	for i in range(shnum):
		at = shoff + i * shentsize
		kind, = struct.unpack_from("<I", data, at + 4)
		if wide:
			offset, size, link = struct.unpack_from("<QQI", data, at + 24)
		else:
			offset, size, link = struct.unpack_from("<III", data, at + 16)
		sections.append((kind, offset, size, link))
	found = {}
	for kind, offset, size, link in sections:
		if kind != 2:
			continue
		strings = sections[link][1]
		for at in range(offset, offset + size, 24 if wide else 16):
			if wide:
				name, _, _, _, value, length = struct.unpack_from("<IBBHQQ", data, at)
			else:
				name, value, length = struct.unpack_from("<III", data, at)
			text = data[strings + name:data.index(b"\0", strings + name)].decode()
			if text:
				found[text] = (value, length)
	return found


def heed_sanitizers(text):
	"""Ends the test when a sanitizer said something; exit statuses alone can look like the guest's."""
	found = re.search(r"(==\d+==ERROR: |WARNING: ThreadSanitizer|runtime error:)", text)
	if found:
		for line in text[found.start():found.start() + 6000].splitlines():
			print("# " + line)
		print("Bail out! a sanitizer reports: " + text[found.start():].splitlines()[0])
		sys.stdout.flush()
		os._exit(1)


PR_SET_PDEATHSIG = 1
CONTROL = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|[ -/]*[0-~])")
CONTROL_BEGUN = re.compile(r"\x1b(\[[0-?]*[ -/]*|[ -/]*)\Z")
LIBC = ctypes.CDLL(None)


def in_child():
	"""
	Between fork and exec: a test that is killed leaves no guest running; and signals that are ignored where the test was
	begun, by nohup or in a script's background, are not by what it begins.
	"""
	LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
	for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
		signal.signal(number, signal.SIG_DFL)


class Process:
	"""A child in a session of its own whose output is collected as it comes."""

	def __init__(self, argv, stdin=subprocess.DEVNULL, env=None, cwd=None):
		self.text = ""          # without control sequences for terminals, which firmware sends in the middle of words
		self.raw = ""           # the beginning of one
		self.ended = False
		self.changed = threading.Condition()
		self.child = subprocess.Popen(argv, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
					      env=env, cwd=cwd or BUILDDIR, start_new_session=True,
					      preexec_fn=in_child)
		self.reader = threading.Thread(target=self._read, daemon=True)
		self.reader.start()

	def _read(self):
		while True:
			chunk = os.read(self.child.stdout.fileno(), 65536)
			with self.changed:
				self.raw += chunk.decode("utf-8", "replace")
				half = CONTROL_BEGUN.search(self.raw) if chunk else None
				end = half.start() if half else len(self.raw)
				self.text += CONTROL.sub("", self.raw[:end])
				self.raw = self.raw[end:]
				self.ended = not chunk
				self.changed.notify_all()
			if not chunk:
				return

	def wait_text(self, pattern, timeout=DEADLINE, start=0):
		"""The match of PATTERN in the output from START on, or None when it ends or time is up first."""
		until = time.monotonic() + timeout
		with self.changed:
			while True:
				found = re.compile(pattern, re.M).search(self.text, start)
				left = until - time.monotonic()
				if found or self.ended or left <= 0:
					return found
				self.changed.wait(left)

	def wait(self, timeout=DEADLINE):
		"""The exit status (negative: the signal), or None when it does not end in time."""
		try:
			status = self.child.wait(timeout)
		except subprocess.TimeoutExpired:
			return None
		self.reader.join(timeout)
		return status

	def signal(self, number):
		self.child.send_signal(number)

	def close(self):
		if self.child.poll() is None:
			self.child.terminate()
			try:
				self.child.wait(10)
			except subprocess.TimeoutExpired:
				pass
		try:
			os.killpg(self.child.pid, signal.SIGKILL)
		except ProcessLookupError:
			pass
		self.child.wait()
		self.reader.join(10)


class Visor(Process):
	"""
	A gdbvisor that has said that gdb may come; self.target is what `target remote` takes.  {dir} in ARGS is a
	directory of its own, in BEFORE, too: what stands before the program on its command line.
	"""

	def __init__(self, *args, address="unix:{dir}/gdb", stdin=subprocess.DEVNULL, before=()):
		self.dir = tempfile.mkdtemp(prefix="gv-")
		self.target = None
		super().__init__([a.replace("{dir}", self.dir)
				  for a in (*before, GDBVISOR, "-M", "none", "-g", address, *args)], stdin=stdin)
		ready = self.wait_text(r"^gdb: target remote (.*)$")
		if ready:
			self.target = ready.group(1).strip()

	def path(self, name):
		return os.path.join(self.dir, name)

	def close(self):
		super().close()
		shutil.rmtree(self.dir, ignore_errors=True)
		heed_sanitizers(self.text)

	def __enter__(self):
		return self

	def __exit__(self, *what):
		self.close()


def run(argv, stdin=b"", timeout=DEADLINE, env=None, cwd=None):
	"""Runs to the end: (status or None when it had to be killed, standard output, standard error)."""
	child = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env,
				 cwd=cwd or BUILDDIR, start_new_session=True, preexec_fn=in_child)
	try:
		out, err = child.communicate(stdin, timeout)
		status = child.returncode
	except subprocess.TimeoutExpired:
		os.killpg(child.pid, signal.SIGKILL)
		out, err = child.communicate()
		status = None
	out, err = out.decode("utf-8", "replace"), err.decode("utf-8", "replace")
	heed_sanitizers(err)
	return status, out, err
