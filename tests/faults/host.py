#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""
The host fails the whole program: calls of the C library are made to, by host_shim.c.  Each time there is a clear line
and an exit status, or the session goes on; nothing hangs, and a guest that is stopped keeps its memory and registers.
GV_FAULTS=all: more of them.
"""

import concurrent.futures
import errno
import hashlib
import mmap
import os
import re
import struct
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, ".."), os.path.join(HERE, "..", "rsp")]
import client
import visor

SHIM = visor.built("tests/faults/host_shim.so")
GUEST = visor.built("tests/guests/nest64.elf")
ECHO = visor.built("tests/guests/echo.bin")
ALL = os.environ.get("GV_FAULTS") == "all"
AT_ONCE = 4             # starts of the program
DEEP = 40 if ALL else 3 # of the calls that a start makes, as many fail, one at a time
LIBUV_ABORTS = {"pipe2": 1}     # by as many calls: what its signals need, before there is a loop
IMAGE = 0x100000        # what is compared, with all registers
IMAGE_SIZE = 0x4000

# struct entry of the shim.
ENTRY = struct.Struct("20sIiiiII")
KIND, SKIP, LEFT, HOW, COUNTS = 20, 24, 28, 32, 36
ANY, SOCK, REG, ANON = 0xffffffff, 0o140000, 0o100000, 0
SHORT = -1

# Of a start: what fails, and how.
STARTS = {
	"socket": errno.EMFILE, "bind": errno.EADDRNOTAVAIL, "listen": errno.EADDRINUSE, "epoll_create1": errno.EMFILE,
	"epoll_ctl": errno.ENOSPC, "eventfd": errno.ENFILE, "pipe2": errno.EMFILE, "timerfd_create": errno.EMFILE,
	"timer_create": errno.EAGAIN, "memfd_create": errno.EMFILE, "open": errno.EMFILE, "openat": errno.ENFILE,
	"ftruncate": errno.ENOSPC, "read": errno.EIO, "pthread_create": errno.EAGAIN, "getsockname": errno.ENOBUFS,
}
KINDS = {"read": REG}           # of what; others: of anything
ENDS = (64, 66, 74, 76)         # exit statuses that speak of this
hurt = {}


class Control:
	"""What the shim is told, and what it counted."""

	def __init__(self, directory):
		fd, self.path = tempfile.mkstemp(dir=directory, prefix="control-")
		names = sorted({*STARTS, "accept4", "epoll_wait", "write", "pwrite", "send"})
		with os.fdopen(fd, "wb") as f:
			for name in names:
				f.write(ENTRY.pack(name.encode(), ANY, 0, 0, 0, 0, 0))
		with open(self.path, "r+b") as f:
			self.map = mmap.mmap(f.fileno(), 0)
		self.at = {name: i * ENTRY.size for i, name in enumerate(names)}

	def put(self, name, offset, form, value):
		struct.pack_into(form, self.map, self.at[name] + offset, value)

	def arm(self, name, how, times=1, skip=0, kind=ANY):
		self.put(name, LEFT, "i", 0)
		self.put(name, KIND, "I", kind)
		self.put(name, SKIP, "i", skip)
		self.put(name, HOW, "i", how)
		self.before = self.counts(name)[1]
		self.put(name, LEFT, "i", times)

	def disarm(self, name):
		"""How often it has failed."""
		self.put(name, LEFT, "i", 0)
		n = self.failed(name)
		hurt[name] = hurt.get(name, 0) + n
		return n

	def failed(self, name):
		"""How often since arm()."""
		return self.counts(name)[1] - self.before

	def counts(self, name):
		return struct.unpack_from("II", self.map, self.at[name] + COUNTS)

	def env(self):
		return {"LD_PRELOAD": SHIM, "GV_FAULT_CONTROL": self.path,
			"ASAN_OPTIONS": "verify_asan_link_order=0:detect_leaks=0"}


def start(control, directory):
	"""A start with everything that has descriptors, up to the end of its script."""
	where = tempfile.mkdtemp(dir=directory)
	return visor.run([visor.GDBVISOR, "-M", "unix:%s/mon" % where, "-g", "unix:%s/gdb" % where, "-g", "tcp:127.0.0.1:0",
			  "-s", "file:%s/serial" % where, "-c", "2", "-e", "stepi", "-e", "quit", GUEST],
			 env={**os.environ, **control.env()})


def one_start(directory, name, n):
	"""What was wrong with a start whose Nth NAME failed, or None; and whether it did."""
	control = Control(directory)
	control.arm(name, STARTS[name], skip=n, kind=KINDS.get(name, ANY))
	status, out, err = start(control, directory)
	failed = control.disarm(name)
	lines = [line for line in err.splitlines() if line.startswith("gdbvisor: ")]
	what = "%s number %d: status %s\n%s%s" % (name, n, status, out, err)
	if status is None or status < 0:
		return what, failed
	if status and (status not in ENDS or not lines or not failed):
		return what, failed
	return None, failed


def starts(tap, directory):
	control = Control(directory)
	for name, kind in KINDS.items():
		control.put(name, KIND, "I", kind)
	status, out, err = start(control, directory)
	if not tap.equal(status, 0, "a start at which nothing fails", out + err):
		return
	with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
		def numbers(name):
			return range(LIBUV_ABORTS.get(name, 0), min(control.counts(name)[0], DEEP))
		tried = {name: [pool.submit(one_start, directory, name, n) for n in numbers(name)] for name in STARTS}
		for name, runs in tried.items():
			wrong = [r.result()[0] for r in runs if r.result()[0]]
			tap.ok(not wrong, "at a start %s() fails: %d of %d calls, one at a time" %
			       (name, sum(r.result()[1] for r in runs), control.counts(name)[0]), "\n".join(wrong))


class Session:
	"""
	A program with two clients, of which the first one drives; the guest stands still but where a case says else, also
	when that one is gone: then the other drives.
	"""

	def __init__(self, tap, directory):
		self.tap = tap
		self.control = Control(directory)
		self.v = visor.Visor("-s", "none", "-M", "unix:{dir}/mon", GUEST,
				     before=("env", *("%s=%s" % i for i in self.control.env().items())))
		self.c, self.other = self.come(), self.come()
		self.is_known = self.state()

	def state(self):
		data = b"".join(self.c.memory(at, 0x400) for at in range(IMAGE, IMAGE + IMAGE_SIZE, 0x400))
		return hashlib.sha256(data + self.c.ask(b"g")).hexdigest()

	def come(self):
		return client.Client(self.v.path("gdb"))

	def again(self):
		"""The driver is gone, and another client comes."""
		self.c.close()
		self.c, self.other = self.other, self.come()

	def command(self, text):
		reply = self.c.ask(b"qRcmd," + text.encode().hex().encode())
		said = ""
		while reply[:1] == b"O" and reply != b"OK":
			said += bytes.fromhex(reply[1:].decode()).decode()
			reply = self.c.receive()
		return said + (bytes.fromhex(reply[3:].decode()).decode() if reply.startswith(b"E.") else reply.decode())

	def fails(self, what, name, how, do, times=1, kind=ANY, needed=True):
		"""DO, with NAME failing, returns what was wrong, or None; then all is as it was before."""
		self.control.arm(name, how, times, kind=kind)
		try:
			wrong = do()
		except (OSError, client.ProtocolError) as e:
			wrong = repr(e)
		n = self.control.disarm(name)
		try:
			if not wrong and self.state() != self.is_known:
				wrong = "the guest's memory or registers have changed"
		except (OSError, client.ProtocolError) as e:
			wrong = wrong or "afterwards: %r" % e
			self.again()
		if not wrong and needed and not n:
			wrong = "nothing failed"
		self.tap.ok(not wrong, "%s (%s fails %d times)" % (what, name + "()", n), "%s\n%s" % (wrong, self.v.text))

	def talks(self):
		return None if self.state() == self.is_known else "another state"

	def breaks(self):
		"""The session may break; whoever comes next finds everything as it was."""
		try:
			self.state()
		except (OSError, client.ProtocolError):
			pass
		self.again()

	def comes(self):
		self.again()

	def comes_third(self):
		"""Another client comes, and may be sent away; the first one is served."""
		try:
			self.come().close()
		except (OSError, client.ProtocolError):
			pass
		return self.talks()

	def runs(self):
		"""It runs and stops, three times."""
		for _ in range(3):
			self.c.send(b"vCont;c")
			self.c.raw(b"\x03")
			self.c.stop()
		self.is_known = self.state()

	def sleeps(self):
		"""It runs and stops until the loop has slept meanwhile: for a client that is fast it spins."""
		end = time.monotonic() + visor.DEADLINE
		while True:
			self.runs()
			if self.control.failed("epoll_wait") or time.monotonic() > end:
				return

	def monitor(self):
		"""The monitor's socket answers whoever comes, or who comes after those that were sent away."""
		got = b""
		end = time.monotonic() + visor.DEADLINE
		# libuv sends away whoever comes while it has none left for the first of them.
		while time.monotonic() < end:
			try:
				with visor.connect(self.v.path("mon")) as s:
					s.sendall(b"print 40 + 2\n")
					while b"42" not in got and (chunk := s.recv(4096)):
						got += chunk
			except OSError as e:
				got = repr(e).encode()
			if b"42" in got:
				return None
		return "no answer: %r" % got

	def saves(self):
		path = self.v.path("saved")
		said = self.command("slot save 0 " + path)
		if os.path.exists(path):
			return "a file is left, after\n" + said
		if not re.match(r"error: [^\n]*saved[^\n]*: [^\n]+\nE[0-9a-f]{2}\Z", said):
			return "it says\n" + said

	def saves_all_the_same(self):
		path = self.v.path("saved")
		said = self.command("slot save 0 " + path)
		if not os.path.exists(path):
			return said
		with open(path, "rb") as f:
			f.seek(IMAGE)
			data = f.read(0x400)
		os.unlink(path)
		return None if data == self.c.memory(IMAGE, 0x400) else "other memory is saved"

	def run(self):
		e = errno
		for how, text, times in ((e.EINTR, "interrupted", 50), (SHORT, "a byte at a time", 300), (e.EAGAIN, "not ready", 3)):
			self.fails("a client's packets, " + text, "read", how, self.talks, times, SOCK)
			self.fails("replies, " + text, "send", how, self.talks, times, SOCK)
			if how != e.EAGAIN:
				self.fails("the monitor's lines, " + text, "read", how, self.monitor, times, SOCK)
		for how in (e.ECONNRESET, e.EIO, e.ETIMEDOUT):
			self.fails("a client is lost in the middle: %s" % os.strerror(how), "read", how, self.breaks, 1, SOCK)
		for how in (e.EPIPE, e.ECONNRESET, e.ENOBUFS):
			self.fails("a client goes without his reply: %s" % os.strerror(how), "send", how, self.breaks, 1, SOCK)
		for how in (e.EINTR, e.ECONNABORTED, e.ENOMEM, e.EPERM):
			self.fails("a client comes: %s" % os.strerror(how), "accept4", how, self.comes, 3)
		for how in (e.EMFILE, e.ENFILE):
			self.fails("a client comes: %s" % os.strerror(how), "accept4", how, self.comes_third)
			self.tap.match(r"sent away", self.v.text, "a line says that he was sent away")
			self.fails("somebody comes to the monitor: %s" % os.strerror(how), "accept4", how, self.monitor)
		self.fails("the loop cannot wait for a client", "epoll_ctl", e.ENOSPC, self.comes_third, 1, SOCK)
		self.fails("the loop is interrupted", "epoll_wait", e.EINTR, self.sleeps, 200)
		self.fails("the loop's wake-ups are interrupted", "write", e.EINTR, self.runs, 3, ANON, needed=False)
		self.fails("and what they are read by", "read", e.EINTR, self.runs, 3, ANON, needed=False)
		for name, how in (("open", e.EMFILE), ("open", e.ENOSPC), ("ftruncate", e.ENOSPC), ("ftruncate", e.EFBIG),
				  ("pwrite", e.ENOSPC), ("pwrite", e.EIO), ("pwrite", e.EDQUOT)):
			self.fails("a slot cannot be saved: %s" % os.strerror(how), name, how, self.saves)
		for how, text in ((e.EINTR, "interrupted"), (SHORT, "a byte at a time")):
			self.fails("a slot is saved, " + text, "pwrite", how, self.saves_all_the_same, 20)
		self.tap.ok(self.v.child.poll() is None, "the program goes on after all this", self.v.text)
		self.v.signal(15)
		self.tap.equal(self.v.wait(), -15, "and ends when it is told to", self.v.text)


def until(what):
	"""Waits for WHAT() to be true; returns whether it has become so."""
	end = time.monotonic() + visor.DEADLINE
	while not what() and time.monotonic() < end:
		time.sleep(0.01)
	return what()


def output(tap, directory, how):
	"""What the guest prints cannot be written for a while."""
	control = Control(directory)

	def printed():
		with open(v.path("serial")) as f:
			return f.read()

	with visor.Visor("-s", "file:{dir}/serial", "-M", "unix:{dir}/mon", ECHO,
			 before=("env", *("%s=%s" % i for i in control.env().items()))) as v:
		c = client.Client(v.path("gdb"))
		control.arm("write", how, kind=REG)
		c.send(b"vCont;c")
		with visor.connect(v.path("mon")) as mon:
			mon.sendall(b"serial send one\n")
			tap.ok(until(lambda: control.counts("write")[1] > control.before),
			       "the guest's output: %s" % os.strerror(how), v.text)
			control.disarm("write")
			mon.sendall(b"serial send two\n")
			tap.ok(until(lambda: "TWO" in printed()), "what follows is written", printed())
			tap.match("lost", printed(), "and a line in it says what is missing")
		c.raw(b"\x03")
		tap.equal(c.stop()[0], 2, "and the guest stops when it is asked to", v.text)


def main():
	visor.need_kvm()
	tap = visor.Tap()
	with tempfile.TemporaryDirectory(prefix="gv-") as directory:
		starts(tap, directory)
		s = Session(tap, directory)
		with s.v:
			s.run()
		for how in (errno.ENOSPC, errno.EIO, errno.EFBIG):
			output(tap, directory, how)
	print("# NUMBERS: faults of the host injected: %d (%s)" %
	      (sum(hurt.values()), ", ".join("%s %d" % i for i in sorted(hurt.items()) if i[1])))
	tap.done()


if __name__ == "__main__":
	main()
