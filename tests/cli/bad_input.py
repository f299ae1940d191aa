#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input: each one clear line and the right exit status, on hosts without a usable KVM too."""

import os
import re
import shutil
import socket
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import visor

HELLO = "examples/hello64.elf"
MULTIBOOT = "examples/mbhello.elf"
CAP_USER_MEMORY, CAP_MAX_VCPUS = 3, 66


class Bench:
	def __init__(self, tap):
		self.tap = tap
		self.dir = visor.tempfile.mkdtemp(prefix="gv-")

	def path(self, name):
		return os.path.join(self.dir, name)

	def write(self, name, data):
		with open(self.path(name), "wb") as f:
			f.write(data)
		return self.path(name)

	def refuses(self, wanted, said, what, *args, env=None, before=()):
		"""gdbvisor ARGS ends with status WANTED and one line on standard error that matches SAID."""
		full = dict(os.environ, **env) if env else None
		status, out, err = visor.run([*before, visor.GDBVISOR, "-M", "none", "-e", "quit", *args], env=full)
		lines = [line for line in err.splitlines() if line]
		self.tap.ok(status == wanted and len(lines) == 1 and re.search(said, lines[0]), what,
			    "status %s (wanted %s), wanted %s in one line of:\n%s\nstandard output:\n%s"
			    % (status, wanted, said, err, out))


def elf64(segments, machine=62, entry=0x100000):
	"""A small ELF64: SEGMENTS are (physical address, file size, memory size)."""
	head = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", 2, machine, 1, entry, 64, 0, 0, 64, 56, len(segments),
			   64, 0, 0)
	table = b"".join(struct.pack("<IIQQQQQQ", 1, 5, 0x1000, address, address, filesz, memsz, 0x1000)
			 for address, filesz, memsz in segments)
	return (head + table).ljust(0x1000, b"\0") + b"\xf4" * 0x100


def images(b):
	b.refuses(66, "/nonexistent", "image missing", "/nonexistent")
	b.refuses(66, "empty", "image empty", b.write("empty", b""))
	b.refuses(66, re.escape(b.dir), "image is a directory", b.dir)
	with open(visor.built(HELLO), "rb") as f:
		hello = f.read()
	for size in (4, 20, 63, 100, 0x1010):
		b.refuses(66, "(?i)truncated|short|beyond|outside|past|not .*ELF", "image truncated to %d bytes" % size,
			  "-k", "elf", b.write("short", hello[:size]))
	b.refuses(66, "(?i)aarch64|machine", "ELF for another machine", b.write("arm", elf64([(0x100000, 16, 16)], 183)))
	b.refuses(66, "(?i)RAM|memory", "ELF segment outside RAM", b.write("far", elf64([(0x100000, 16, 16),
											  (0x40000000, 16, 16)])))
	b.refuses(66, "(?i)wrap|overflow|RAM|memory", "ELF segment that wraps",
		  b.write("wrap", elf64([(0x100000, 16, 16), (0xfffffffffffff000, 16, 0x2000)])))
	b.refuses(66, "(?i)segment|load", "ELF with nothing to load", b.write("none", elf64([])))
	b.refuses(66, "(?i)entry", "ELF whose entry is in no segment",
		  b.write("entry", elf64([(0x100000, 16, 16)], entry=0x200000)))
	# a Multiboot header with address fields (flag 16) that lie
	for what, said, load, end, bss, entry in (
			("load_addr above header_addr", "load_addr|header_addr", 0x100010, 0, 0, 0x100000),
			("load_end_addr below load_addr", "load_end", 0x100000, 0xff000, 0, 0x100000),
			("bss_end_addr below load_end_addr", "bss_end", 0x100000, 0x100040, 0x100020, 0x100000),
			("an image outside RAM", "(?i)RAM|memory|load_end|bss_end", 0x100000, 0, 0xf0000000, 0x100000)):
		flags = 1 << 16
		header = struct.pack("<8I", 0x1badb002, flags, -(0x1badb002 + flags) & 0xffffffff, 0x100000, load, end,
				     bss, entry)
		b.refuses(66, said, "Multiboot address fields: " + what, b.write("mb", header + b"\xf4" * 0x100))
	b.refuses(66, "(?i)multiboot", "a flat file as Multiboot", "-k", "multiboot",
		  visor.built("tests/guests/exit.bin"))
	b.refuses(66, "HdrS", "a flat file as Linux", "-k", "linux", visor.built("tests/guests/exit.bin"))
	b.refuses(66, "/nonexistent", "a module that is not there", "-i", "/nonexistent", MULTIBOOT)


def firmware(b):
	rom = b.write("rom", b"\x90" * 65536)
	for what, data, said in (
			("3 bytes", b"\x90" * 3, "rom.*: no firmware: .* 3 bytes"),
			("an odd size", b"\x90" * 65537, "no firmware: .* 65537 bytes"),
			("32 MiB", b"\x90" * (32 << 20), "no firmware: .* more than 16M"),
			("nothing at all", b"", "empty"),
			("all ones", b"\xff" * 131072, "no firmware: .*reset vector")):
		b.refuses(66, said, "firmware of " + what, "-b", b.write("badrom", data))
	b.refuses(66, "/nonexistent", "firmware missing", "-b", "/nonexistent")
	b.refuses(66, re.escape(b.dir), "firmware is a directory", "-k", "bios", b.dir)
	b.refuses(66, "/nonexistent", "UEFI variables missing", "-b", rom, "--nvram=/nonexistent")
	b.refuses(66, "do not go with firmware", "UEFI variables of no such size", "-b", rom,
		  "--nvram=" + b.write("vars", bytes(4096)))
	b.refuses(66, "/nonexistent", "a VGA BIOS missing", "-b", rom, "--vga-bios=/nonexistent")
	b.refuses(66, "/nonexistent", "a disk missing", "-b", rom, "-d", "/nonexistent,ro")
	b.refuses(66, "/nonexistent", "a virtio disk missing", "-d", "/nonexistent,virtio", HELLO)
	b.refuses(66, "(?i)no whole sectors", "a virtio disk of no whole sectors", "-d", b.write("odd", bytes(700)) + ",virtio",
		  HELLO)
	b.refuses(66, "/nonexistent", "a CD missing", "-b", rom, "--cdrom=/nonexistent")


def options(b):
	for args, said in (
			(("-m", "0", HELLO), "-m 0|0"), (("-m", "1Z", HELLO), "1Z"), (("-m", "", HELLO), "(?i)size"),
			(("-m", "99999999999999999999", HELLO), "9999"), (("-c", "0", HELLO), "0"),
			(("-c", "65", HELLO), "65"), (("-c", "four", HELLO), "four"), (("-c", "-1", HELLO), "-1"),
			(("-k", "zip", HELLO), "zip"), (("--mode", "virtual", HELLO), "virtual"),
			(("--load", "here", HELLO), "here"), (("-g", "tcp:99999", HELLO), "99999"),
			(("-g", "carrier:pigeon", HELLO), "pigeon"), (("-g", "unix:" + "x" * 200, HELLO), "(?i)long"),
			(("-s", "nowhere", HELLO), "nowhere"), (("--frobnicate", HELLO), "frobnicate"), (("-m",), "(?i)-m|argument"),
			((HELLO, HELLO), "(?i)image"), (("--demo", HELLO), "(?i)demo"), ((), "(?i)image|demo"),
			(("-d", ",ro"), "no file"), (("-d", "1", "-d", "2", "-d", "3", "-d", "4", "--cdrom=5"), "more than 4"),
			(("-b", "rom", HELLO), "--bios=rom.*IMAGE"), (("-b", "rom", "--mode=long"), "--mode.*firmware"),
			(("--vga-bios=rom", HELLO), "--vga-bios.*firmware"), (("--irqchip=apic", HELLO), "kvm, user")):
		b.refuses(64, said, "usage: " + " ".join(args)[:60], *args)
	b.refuses(64, "(?i)module", "a module for a kind without", "-i", "examples/boot.bin", HELLO)
	b.refuses(64, "(?i)--mode|flat", "--mode for an ELF", "--mode", "real", HELLO)


def memory(b):
	b.refuses(64, "(?i)memory|RAM", "more RAM than the host can map", "-m", "200000G", HELLO)


def addresses(b):
	path = b.path("used")
	with socket.socket(socket.AF_UNIX) as s:
		s.bind(path)
		s.listen()
		b.refuses(74, "used", "gdb's unix socket in use", "-g", "unix:" + path, HELLO)
	b.tap.ok(os.path.exists(path), "which is left where it is")
	b.write("file", b"precious")
	b.refuses(74, "file", "a file where gdb's unix socket should go", "-g", "unix:" + b.path("file"), HELLO)
	with open(b.path("file"), "rb") as f:
		b.tap.equal(f.read(), b"precious", "which is left as it is")
	with socket.socket(socket.AF_INET) as s:
		s.bind(("127.0.0.1", 0))
		s.listen()
		port = s.getsockname()[1]
		b.refuses(74, str(port), "gdb's TCP port in use", "-g", "tcp:%d" % port, HELLO)
	status, out, err = visor.run([visor.GDBVISOR, "-M", "none", "-g", "tcp:0.0.0.0:0", "-e", "quit", HELLO])
	b.tap.ok(status == 0 and re.search(r"(?i)warning.*0\.0\.0\.0|0\.0\.0\.0.*anyone|anyone.*guest", err),
		 "a host that is not loopback draws a warning", "status %s\n%s%s" % (status, out, err))


def other_hosts(b):
	shim = visor.built("tests/cli/kvm_shim.so")

	def env(**more):
		return dict(more, LD_PRELOAD=shim, ASAN_OPTIONS="verify_asan_link_order=0:detect_leaks=0")

	b.refuses(76, "version", "a wrong KVM API version", HELLO, env=env(GV_KVM_VERSION="11"))
	b.refuses(76, "KVM_CAP_USER_MEMORY", "a missing capability", HELLO, env=env(GV_KVM_CAP="%d:0" % CAP_USER_MEMORY))
	b.refuses(64, "vCPU", "more vCPUs than KVM allows", "-c", "4", HELLO,
		  env=env(GV_KVM_CAP="%d:2" % CAP_MAX_VCPUS))


def without_kvm(b):
	inside = ("unshare", "-m") if os.geteuid() == 0 else ("unshare", "-r", "-m")
	if not shutil.which("unshare") or subprocess.run([*inside, "true"], stderr=subprocess.DEVNULL).returncode:
		for what in ("no /dev/kvm", "/dev/kvm is no KVM device", "no permission for /dev/kvm"):
			b.tap.skip(what, "no private mount namespace can be had here")
		return
	dev = b.path("dev")
	os.mkdir(dev)
	commands = ["set -e"]
	for name in ("null", "urandom", "zero"):
		b.write("dev/" + name, b"")
		commands.append("mount --bind /dev/%s %s/%s" % (name, dev, name))
	empty = "; ".join(commands + ["mount --rbind %s /dev" % dev, 'exec "$@"'])
	b.refuses(76, "/dev/kvm", "no /dev/kvm", HELLO, before=(*inside, "sh", "-c", empty, "sh"))
	b.refuses(76, "/dev/kvm|KVM", "/dev/kvm is no KVM device", HELLO,
		  before=(*inside, "sh", "-c", 'mount --bind /dev/null /dev/kvm && exec "$@"', "sh"))
	if os.geteuid() != 0 or not shutil.which("setpriv"):
		if os.access("/dev/kvm", os.R_OK | os.W_OK):
			b.tap.skip("no permission for /dev/kvm", "only root can give its rights away")
			return
	# where another user can reach them, wherever the build tree is
	os.chmod(b.dir, 0o755)
	shutil.copy(visor.GDBVISOR, b.path("gdbvisor"))
	shutil.copy(visor.built(HELLO), b.path("hello64.elf"))
	b.write("kvm", b"")
	os.chmod(b.path("kvm"), 0)
	visible = b.path("gdbvisor")
	hidden = ('mount --bind "%s" /dev/kvm && exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"'
		  % b.path("kvm"))
	status, out, err = visor.run([*inside, "sh", "-c", hidden, "sh", visible, "-M", "none", "-e", "quit",
				      b.path("hello64.elf")], cwd=b.dir)
	lines = [line for line in err.splitlines() if line]
	b.tap.ok(status == 76 and len(lines) == 1 and re.search("(?i)permission.*group", lines[0]),
		 "no permission for /dev/kvm names the group", "status %s\n%s%s" % (status, out, err))


def main():
	visor.need_kvm()
	tap = visor.Tap()
	b = Bench(tap)
	try:
		for part in (images, firmware, options, memory, addresses, other_hosts, without_kvm):
			part(b)
	finally:
		shutil.rmtree(b.dir)
	tap.done()


main()
