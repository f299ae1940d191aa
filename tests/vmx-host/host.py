#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""
A Linux host whose KVM has all of Intel's VMX, on a machine that may have none: Bochs emulates the processor, with EPT,
unrestricted guest and debug registers, and in it a stock Debian kernel with kvm-intel runs what it is given.

usage: host.py DIRECTORY [SECONDS]
  runs DIRECTORY/run.sh there as root, by busybox's sh in /payload, and ends with its status; 124: not within SECONDS (600).
  Programs in DIRECTORY bring the shared libraries along that they have here.

Packages: bochs bochsbios vgabios grub-pc-bin grub-common xorriso mtools busybox-static.  The kernel is that of
linux-image-cloud-amd64 where that is installed, else apt-get downloads it, once, to $XDG_CACHE_HOME/gdbvisor-vmx.
"""

import contextlib
import ctypes
import fcntl
import glob
import gzip
import lzma
import os
import resource
import select
import shutil
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
import visor

MODULES = ("irqbypass", "kvm", "kvm-intel")
CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "gdbvisor-vmx")
TOOLS = {"bochs": "bochs", "grub-mkrescue": "grub-common", "xorriso": "xorriso", "mformat": "mtools",
	 "busybox": "busybox-static", "ldd": "libc-bin", "strip": "binutils"}
FILES = {"/usr/share/bochs/BIOS-bochs-latest": "bochsbios", "/usr/share/bochs/VGABIOS-lgpl-latest": "vgabios",
	 "/usr/lib/grub/i386-pc": "grub-pc-bin"}

BOCHSRC = """\
config_interface: textconfig
display_library: rfb, options="timeout=0"
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
cpu: model=corei7_haswell_4770, count=1, ips=50000000, reset_on_triple_fault=0, ignore_bad_msrs=1
memory: guest=1024, host=1024
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=cdrom, path={work}/host.iso, status=inserted
boot: cdrom
com1: enabled=1, mode=socket-client, dev=localhost:{com1}
com2: enabled=1, mode=socket-client, dev=localhost:{com2}
log: {work}/bochs.log
panic: action=report
error: action=ignore
info: action=ignore
clock: sync=none
"""
GRUB = """\
set timeout=0
linux /boot/vmlinuz console=ttyS0,115200 panic=-1 mitigations=off quiet
initrd /boot/initramfs
boot
"""


class HostError(Exception):
	"""Why there is no such host."""


def run_tool(argv, cwd="/"):
	"""The output of a program that is to do what it is told."""
	try:
		status, out, err = visor.run(argv, timeout=300, cwd=cwd)
	except OSError as e:
		raise HostError("%s: %s" % (argv[0], e.strerror))
	if status != 0:
		raise HostError("%s: %s" % (argv[0], err.strip()[-400:] or "status %s" % status))
	return out


def missing():
	"""Names of the packages that are not there."""
	return sorted({p for t, p in TOOLS.items() if not shutil.which(t)} |
		      {p for f, p in FILES.items() if not os.path.exists(f)})


def _complete(release, root):
	"""The kernel RELEASE and its modules below ROOT, if all of it is there."""
	kernel = "%s/boot/vmlinuz-%s" % (root, release)
	found = [glob.glob("%s/lib/modules/%s/**/%s.ko*" % (root, release, m), recursive=True) for m in MODULES]
	return [kernel] + [f[0] for f in found] if os.access(kernel, os.R_OK) and all(found) else None


def _kernels(root):
	for path in sorted(glob.glob(root + "/lib/modules/*-cloud-amd64"), reverse=True):
		files = _complete(os.path.basename(path), root)
		if files:
			yield files


def _download():
	"""Debian's kernel from its archive to CACHE."""
	os.makedirs(CACHE, exist_ok=True)
	with tempfile.TemporaryDirectory(dir=CACHE) as d, open(CACHE + "/lock", "w") as lock:
		fcntl.flock(lock, fcntl.LOCK_EX)
		if any(_kernels(CACHE + "/root")):
			return
		said = run_tool(["apt-cache", "depends", "linux-image-cloud-amd64"])
		names = [line.split()[1] for line in said.splitlines() if "Depends: linux-image" in line]
		if not names:
			raise HostError("apt-cache knows no linux-image-cloud-amd64")
		run_tool(["apt-get", "download", "-q", names[0]], cwd=d)
		run_tool(["dpkg", "-x", *glob.glob(d + "/*.deb"), d + "/root"])
		shutil.rmtree(CACHE + "/root", ignore_errors=True)
		os.rename(d + "/root", CACHE + "/root")


def kernel():
	"""Paths: the kernel, then each of MODULES."""
	for root in ("", CACHE + "/root"):
		for files in _kernels(root):
			return files
	_download()
	for files in _kernels(CACHE + "/root"):
		return files
	raise HostError("Debian's kernel has not what was looked for")


class Cpio:
	"""A RAM disk in the making: "newc" archives, as Documentation/driver-api/early-userspace/buffer-format.rst has them."""

	def __init__(self):
		self.data, self.names = bytearray(), set()

	def _entry(self, name, mode, content):
		fields = (0, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0)
		self.data += b"070701" + b"".join(b"%08X" % f for f in fields) + name.encode() + b"\0"
		self.data += bytes(-len(self.data) % 4) + content
		self.data += bytes(-len(self.data) % 4)

	def directory(self, name):
		if name and name not in self.names:
			self.directory(os.path.dirname(name))
			self.names.add(name)
			self._entry(name, stat.S_IFDIR | 0o755, b"")

	def file(self, name, content, mode=0o755):
		if name not in self.names:
			self.directory(os.path.dirname(name))
			self.names.add(name)
			self._entry(name, stat.S_IFREG | mode, content)

	def done(self):
		self._entry("TRAILER!!!", 0, b"")
		return bytes(self.data)


def _read(path):
	with (lzma.open if path.endswith(".xz") else open)(path, "rb") as f:
		return f.read()


def libraries(program):
	"""Paths of the shared libraries of a program, and of what loads them; none for what is no such program."""
	return [word for line in visor.run(["ldd", program], cwd="/")[1].splitlines()
		for word in line.split() if word.startswith("/")]


def ramdisk(payload, modules):
	disk = Cpio()
	for d in ("bin", "dev", "proc", "sys", "tmp"):
		disk.directory(d)
	disk.file("init", _read(HERE + "/init"))
	disk.file("bin/busybox", _read(shutil.which("busybox")))
	for m, path in zip(MODULES, modules):
		disk.file("modules/%s.ko" % m, _read(path), 0o644)
	for where, _, names in os.walk(payload):
		for name in names:
			path = os.path.join(where, name)
			content = _read(path)
			disk.file(os.path.join("payload", os.path.relpath(path, payload)), content, os.stat(path).st_mode & 0o777)
			for library in libraries(path) if content.startswith(b"\x7fELF") else ():
				disk.file(library.lstrip("/"), _read(library))
	return gzip.compress(disk.done(), 1)


def _own_network():
	"""
	A loopback of our own for this thread and what it starts, where the kernel lets us: Bochs's display listens on a port
	that cannot be chosen, for everybody.
	"""
	libc = ctypes.CDLL(None, use_errno=True)
	newuser, newnet = 0x10000000, 0x40000000
	uid, gid = os.getuid(), os.getgid()
	if libc.unshare(newnet):
		if libc.unshare(newuser | newnet):
			return
		for name, text in (("setgroups", "deny"), ("uid_map", "%d %d 1" % (uid, uid)), ("gid_map", "%d %d 1" % (gid, gid))):
			with contextlib.suppress(OSError), open("/proc/self/" + name, "w") as f:
				f.write(text)
	siocsifflags, iff_up = 0x8914, 1
	with socket.socket() as s:
		fcntl.ioctl(s, siocsifflags, struct.pack("16sH22x", b"lo", iff_up))


def _listen():
	s = socket.create_server(("127.0.0.1", 0))
	s.settimeout(visor.DEADLINE)
	return s


def _child():
	visor.in_child()
	# Bochs's textconfig goes through all descriptors that there could be.
	resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))


class Host:
	"""
	The emulated host, running: `with Host(payload, seconds) as h`.  h.line() is its console, h.com2 the socket that its
	second serial port, ttyS1, comes by, h.status the status of run.sh or None.  Nothing of it outlives SECONDS or the `with`.
	"""

	def __init__(self, payload, seconds):
		lacking = missing()
		if lacking:
			raise HostError("not installed: " + " ".join(lacking))
		files = kernel()
		_own_network()
		self.end = time.monotonic() + seconds
		self.status = self.process = self.com1 = self.com2 = None
		self._rest, self._work = b"", tempfile.mkdtemp(prefix="gv-vmx-")
		try:
			self._start(payload, files)
		except BaseException:
			self.close()
			raise

	def _start(self, payload, files):
		os.makedirs(self._work + "/iso/boot/grub")
		shutil.copy(files[0], self._work + "/iso/boot/vmlinuz")
		with open(self._work + "/iso/boot/initramfs", "wb") as f:
			f.write(ramdisk(payload, files[1:]))
		with open(self._work + "/iso/boot/grub/grub.cfg", "w") as f:
			f.write(GRUB)
		run_tool(["grub-mkrescue", "-o", self._work + "/host.iso", self._work + "/iso"])
		with _listen() as com1, _listen() as com2, open(self._work + "/bochs.out", "w") as out:
			with open(self._work + "/bochsrc", "w") as f:
				f.write(BOCHSRC.format(work=self._work, com1=com1.getsockname()[1], com2=com2.getsockname()[1]))
			with open(self._work + "/go", "w") as f:
				f.write("c\n")		# for the debugger in Debian's Bochs, which waits otherwise
			self.process = subprocess.Popen(
				["bochs", "-q", "-f", self._work + "/bochsrc", "-unlock", "-rc", self._work + "/go"],
				stdin=subprocess.DEVNULL, stdout=out, stderr=out, preexec_fn=_child, start_new_session=True, cwd=self._work,
				env={"PATH": os.environ["PATH"], "HOME": self._work})
			try:
				self.com1, self.com2 = com1.accept()[0], com2.accept()[0]
			except socket.timeout:
				raise HostError("Bochs does not start: " + self.said())

	def said(self):
		"""What Bochs itself said last."""
		with open(self._work + "/bochs.out", errors="replace") as f:
			return f.read()[-1000:]

	def spent(self):
		"""
		Seconds of processor time that Bochs has had: a limit by these is the same on a busy machine.  It has no idle time,
		whatever runs in it.
		"""
		try:
			with open("/proc/%d/stat" % self.process.pid) as f:
				user, system = f.read().rpartition(")")[2].split()[11:13]
		except (OSError, ValueError):
			return 0
		return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

	def late(self, until=None):
		"""Whether the time for the whole is over, or what spent() says UNTIL."""
		return time.monotonic() >= self.end or (until is not None and self.spent() >= until)

	def line(self, until=None):
		"""The next line of the console; None when the host is off, or late(UNTIL)."""
		while b"\n" not in self._rest:
			if self.late(until):
				return None
			if not select.select([self.com1], [], [], 1)[0]:
				continue
			try:
				more = self.com1.recv(65536)
			except OSError:
				more = b""
			if not more:
				return None
			self._rest += more
		line, _, self._rest = self._rest.partition(b"\n")
		line = line.decode(errors="replace").rstrip("\r")
		if line.startswith("vmx-host: exit "):
			self.status = int(line.split()[2])
		return line

	def close(self):
		if self.process:
			self.process.kill()
			self.process.wait()
		for s in (self.com1, self.com2):
			if s:
				s.close()
		shutil.rmtree(self._work, ignore_errors=True)

	def __enter__(self):
		return self

	def __exit__(self, *what):
		self.close()


def main(argv):
	if len(argv) not in (2, 3) or not os.path.isfile(argv[1] + "/run.sh"):
		print("usage: host.py DIRECTORY [SECONDS]    (DIRECTORY/run.sh is what is run)", file=sys.stderr)
		return 2
	try:
		with Host(argv[1], float(argv[2]) if len(argv) == 3 else 600) as h:
			while (line := h.line()) is not None:
				print(line, flush=True)
			if h.status is None:
				print("host.py: run.sh did not end: %s" % h.said().strip(), file=sys.stderr)
			return 124 if h.status is None else h.status
	except HostError as e:
		print("host.py: %s" % e, file=sys.stderr)
		return 2


if __name__ == "__main__":
	sys.exit(main(sys.argv))
