#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""
A full disk, files that are cut under mapped memory, and every limit that a host sets: what cannot be done is refused in one line,
at the start and later, and all is as before when there is room again.
"""

import os
import re
import resource
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import rig
import visor

ROOM = 4 << 20                # bytes of the small disk
MAPPED = 0x40000000
INFINITE = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


def small_disk():
	"""What puts a program before a disk of ROOM bytes at {dir}/small, which nobody else sees; None where that is not allowed."""
	try:
		subprocess.run(["unshare", "-Urm", "mount", "-t", "tmpfs", "none", "/tmp"], check=True, capture_output=True, timeout=visor.DEADLINE)
	except (OSError, subprocess.SubprocessError):
		return None
	return ("unshare", "-Urm", "sh", "-c", 'mkdir {dir}/small && mount -t tmpfs -o size=%d none {dir}/small && exec "$@"' % ROOM, "sh")


class Disk:
	def __init__(self, s):
		self.seen = s.v.path("small")           # by the program
		self.ours = "/proc/%d/root%s" % (s.pid, self.seen)

	def path(self, name):
		return os.path.join(self.seen, name)

	def there(self, name):
		return os.path.exists(os.path.join(self.ours, name))

	def write(self, name, data):
		with open(os.path.join(self.ours, name), "wb") as f:
			f.write(data)

	def read(self, name):
		with open(os.path.join(self.ours, name), "rb") as f:
			return f.read()

	def remove(self, name):
		os.unlink(os.path.join(self.ours, name))

	def fill(self):
		fd = os.open(os.path.join(self.ours, "fill"), os.O_WRONLY | os.O_CREAT)
		try:
			while os.write(fd, b"f" * 4096):
				pass
		except OSError:
			pass
		os.close(fd)


def one_line(text):
	return text.count("\n") == 1 and text.startswith("error: ")


def stopped(s, *lines):
	"""What the monitor says to LINES while the guest stands still."""
	with s.client() as c:
		c.ask(b"?")
		said = [s.say(line) for line in lines]
		c.ask(b"D")
	return said


def full_disk(tap, s):
	d = Disk(s)
	saved, = stopped(s, "slot save 0 " + d.path("first"))
	tap.ok(saved == "" and d.there("first"), "a slot is saved while there is room", saved)
	first = d.read("first")
	d.remove("first")
	d.write("hole", b"")
	os.truncate(os.path.join(d.ours, "hole"), 1 << 20)
	tap.equal(stopped(s, "slot add 5 0x%x 1M backing=file:%s shared" % (MAPPED, d.path("hole")), "dirty start 0"), ["", ""],
		  "a slot whose file is a hole, and a log")
	d.fill()
	for command in ("slot save 0 ", "dirty peek 0 pgm ", "dirty peek 0 svg ", "dirty heat 0 svg "):
		said, = stopped(s, command + d.path("second"))
		tap.ok(one_line(said) and "No space left" in said, command.strip() + " with the disk full: one line, and it says so", said)
		tap.ok(not d.there("second"), "and no half of a file stays")
	with s.client() as c:
		c.ask(b"?")
		mark = len(s.v.text)
		said = say(c, "xp/1xw 0x%x" % MAPPED)
		tap.ok("0x00000000" in said, "a page whose file has no room for it is zeros", said)
		tap.ok(s.v.wait_text("cut short, or its disk is full", start=mark), "and a line says so", s.v.text[mark:])
		tap.equal(c.ask(b"D"), b"OK", "detached")
	tap.ok(s.goes_on() and not s.look(), "the guest goes on with a full disk", s.look())
	# the file goes altogether
	os.truncate(os.path.join(d.ours, "hole"), 0)
	with s.client() as c:
		c.ask(b"?")
		mark = len(s.v.text)
		said = say(c, "xp/1xw 0x%x" % (MAPPED + 0x8000))
		tap.ok("0x00000000" in said, "memory whose file was cut is zeros", said)
		tap.ok(s.v.wait_text("cut short, or its disk is full", start=mark), "which a line says", s.v.text[mark:])
		c.ask(b"D")
	d.remove("fill")
	d.remove("hole")
	tap.equal(stopped(s, "slot remove 5", "dirty stop 0"), ["", ""], "slot and log are taken away")
	saved, = stopped(s, "slot save 0 " + d.path("third"))
	third = d.read("third")
	at = rig.SCRATCH
	tap.ok(saved == "" and len(third) == len(first) and third[at:at + rig.SIZE] == first[at:at + rig.SIZE] == s.pattern,
	       "when there is room again it is saved, with what it holds", saved)
	s.well("with room again")


def say(c, line):
	c.send(b"qRcmd," + line.encode().hex().encode())
	text = b""
	while (reply := c.receive())[:1] == b"O" and reply != b"OK":
		text += bytes.fromhex(reply[1:].decode())
	return text.decode()


def file_size(tap, s):
	"""Without care it is a signal, which ends the program."""
	path = s.v.path("big")
	resource.prlimit(s.pid, resource.RLIMIT_FSIZE, (65536, resource.RLIM_INFINITY))
	said, = stopped(s, "slot save 0 " + path)
	resource.prlimit(s.pid, resource.RLIMIT_FSIZE, INFINITE)
	tap.ok(one_line(said) and "File too large" in said and not os.path.exists(path), "a limit of a file's size is an error like others", said)
	tap.equal(stopped(s, "slot save 0 " + path), [""], "without the limit it is saved")
	os.unlink(path)
	s.well("after a limit of a file's size")


def unlimited(s):
	for limit in (resource.RLIMIT_AS, resource.RLIMIT_FSIZE):
		resource.prlimit(s.pid, limit, INFINITE)
	_, hard = resource.prlimit(s.pid, resource.RLIMIT_NOFILE)
	resource.prlimit(s.pid, resource.RLIMIT_NOFILE, (hard, hard))


def descriptors(tap, s):
	"""Whoever comes when no descriptor is left is sent away, rather than kept waiting, and the loop does not turn for ever."""
	used = max(int(fd) for fd in os.listdir("/proc/%d/fd" % s.pid)) + 1
	hard = resource.prlimit(s.pid, resource.RLIMIT_NOFILE)[1]
	mark = len(s.v.text)
	turned_away = answered = 0
	with s.client() as c:
		c.ask(b"?")
		for more in range(2, -1, -1):
			resource.prlimit(s.pid, resource.RLIMIT_NOFILE, (used + more, hard))
			for path in (s.v.target, s.v.path("mon")):
				one = visor.connect(path)
				try:
					one.sendall(rig.client.frame(b"qC") if path == s.v.target else b"print 6*7\n")
					good = bool(one.recv(100))
				except (BrokenPipeError, ConnectionResetError):
					good = False
				answered += good
				turned_away += not good
				one.close()
			c.send(b"vCont;s:1")
			c.stop()
		unlimited(s)
		c.ask(b"D")
	tap.ok(turned_away >= 2, "with no descriptor left new clients are sent away, and the one there steps on", (answered, turned_away))
	tap.ok(s.v.wait_text("a gdb client was sent away: Too many open files", start=mark), "which a line says", s.v.text[mark:])
	s.well("after a limit of descriptors")


def serial_line(tap):
	"""The same on the guest's serial line."""
	with visor.Visor("-s", "unix:{dir}/serial", visor.built(rig.HELLO)) as v:
		soft, hard = resource.prlimit(v.child.pid, resource.RLIMIT_NOFILE)
		resource.prlimit(v.child.pid, resource.RLIMIT_NOFILE, (max(int(fd) for fd in os.listdir("/proc/%d/fd" % v.child.pid)) + 1, hard))
		with visor.connect(v.path("serial")) as line:
			try:
				said = line.recv(100)
			except ConnectionResetError:
				said = b""
		tap.equal(said, b"", "who comes to the serial line when no descriptor is left is sent away")
		resource.prlimit(v.child.pid, resource.RLIMIT_NOFILE, (soft, hard))
		with visor.connect(v.path("serial")) as line, rig.Client(v.target) as c:
			c.send(b"vCont;c")
			tap.equal(line.recv(5), b"hello", "and with one is served")


def address_space(tap, s):
	"""What needs memory is refused; what needs none goes on."""
	if rig.SANITIZED:
		tap.skip("a limit of memory", "a sanitizer ends the program there")
		return
	with open("/proc/%d/status" % s.pid) as f:
		size = int(re.search(r"^VmSize:\s*(\d+)", f.read(), re.M).group(1)) << 10
	wrong, refused = [], 0
	with s.client() as c:
		c.ask(b"?")
		for more in (4096 << 10, 1024 << 10, 256 << 10, 0):
			resource.prlimit(s.pid, resource.RLIMIT_AS, (size + more, resource.RLIM_INFINITY))
			said = say(c, "slot add 6 0x50000000 64M")
			refused += (one := "memory" in said)
			if not one or said.count("\n") != 1:
				wrong.append(said)
			for path in (s.v.target, s.v.path("mon")):
				for _ in range(4):
					try:
						with visor.connect(path) as o:
							o.sendall(rig.client.frame(b"?") if path == s.v.target else b"info slots\nhelp\n")
							o.recv(100)
					except (BrokenPipeError, ConnectionResetError):
						refused += 1
			c.send(b"vCont;s:1")
			if c.stop()[0] != 5 or c.memory(rig.SCRATCH, 0x1000) != s.pattern[:0x1000]:
				wrong.append("it does not go on with %d more bytes" % more)
		unlimited(s)
		c.ask(b"D")
	tap.ok(not wrong and refused, "with no memory left slots and clients are refused, and the client there goes on", wrong)
	s.well("after a limit of memory")


def run_with(limit, *args):
	return visor.run(["sh", "-c", "ulimit %s; exec \"$@\"" % limit, "sh", visor.GDBVISOR, *args])


def at_the_start(tap):
	"""Either it begins, or one line says what is missing and its status is one of those that are documented."""
	hello = visor.built(rig.HELLO)
	kinds = [("-n", range(3, rig.share(40, 64), rig.share(3, 1)), "descriptors")]
	if not rig.SANITIZED:
		kinds.append(("-v", range(4096, 400000, rig.share(33000, 4099)), "KiB of memory"))
	tried = 0
	for option, values, what in kinds:
		wrong, began = [], None
		for value in values:
			status, out, err = run_with("%s %d" % (option, value), "-g", "unix:" + os.path.join(visor.tempfile.gettempdir(), "gv-%d-sock" % os.getpid()),
						    "-e", "echo well", "-e", "quit", hello)
			tried += 1
			if status == 0 and "well" in out:
				began = began or value
				continue
			lines = err.splitlines()
			if began or not lines or not (status in (64, 66, 70, 72, 74, 76) and re.match("gdbvisor: ", lines[-1]) and len(lines) == 1 or
						      status == 127 and "loading shared libraries" in err):
				wrong.append((value, status, out, err))
		tap.ok(began and not wrong, "%s at the start: refused in one line, and from %s on it begins" % (what, began),
		       "\n".join(repr(w) for w in wrong))
	for option in ("-l 0", "-c 0", "-f 0"):
		status, out, err = run_with(option, "-e", "echo well", "-e", "quit", hello)
		tried += 1
		tap.ok(status == 0 and "well" in out, "ulimit %s is no hindrance" % option, (status, out, err))
	rig.numbers("starts under a limit", tried)


def main():
	visor.need_kvm()
	tap = visor.Tap()
	at_the_start(tap)
	serial_line(tap)
	before = small_disk()
	for functions, args in (((file_size, descriptors, address_space), {}), ((full_disk,), {"before": before})):
		if functions == (full_disk,) and not before:
			tap.skip("a full disk", "no disk can be mounted here")
			continue
		with rig.Subject(tap, **args) as s:
			for f in functions:
				try:
					f(tap, s)
				except (rig.client.ProtocolError, OSError) as e:
					tap.ok(False, f.__name__, "%r\n%s" % (e, s.v.text[-2000:]))
					unlimited(s)
			s.leave()
	tap.done()


main()
