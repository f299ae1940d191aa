#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kernels that cannot be started: truncated, for another machine, too old, lying, too large.  One clear line each."""

import glob
import gzip
import os
import re
import shutil
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import visor

SECTOR, SETUP_SECTS = 512, 3
CODE = (SETUP_SECTS + 1) * SECTOR
PAYLOAD = 0x300
HIGH = 0xffffffff80000000
LINKED = 0x1000000


def elf64(paddr=LINKED, machine=62, data=1, entry=LINKED, filesz=0x100, memsz=0x2000):
	"""A kernel of one segment, linked as Linux is."""
	order = "<" if data == 1 else ">"
	head = struct.pack(order + "16sHHIQQQIHHHHHH", b"\x7fELF\2" + bytes([data]) + b"\1", 2, machine, 1, entry, 64, 0, 0,
			   64, 56, 1, 0, 0, 0)
	table = struct.pack(order + "IIQQQQQQ", 1, 7, 0x1000, HIGH + paddr, paddr, filesz, memsz, 0x200000)
	return (head + table).ljust(0x1000, b"\0") + b"\xf4" * 0x100


def relocations(*lists):
	"""What follows the ELF in a bzImage: places of 64-bit addresses, of those that shrink, of 32-bit ones."""
	return b"".join(struct.pack("<%dI" % (len(places) + 1), 0, *(p & 0xffffffff for p in places)) for places in lists)


def bzimage(payload=None, **fields):
	"""Protocol 2.15, for 16 MiB; FIELDS are changed afterwards."""
	if payload is None:
		payload = gzip.compress(elf64() + relocations((), (), (HIGH + LINKED,)), mtime=0)
	code = (b"\xf4" * PAYLOAD + payload).ljust((PAYLOAD + len(payload) + 15) & ~15, b"\0")
	values = dict(setup_sects=SETUP_SECTS, syssize=len(code) // 16, boot_flag=0xaa55, jump=0xeb, length=0x6a,
		      magic=0x53726448, version=0x20f, loadflags=1, initrd_addr_max=0x7fffffff, kernel_alignment=0x200000,
		      relocatable=1, xloadflags=0x7f, cmdline_size=255, payload_offset=PAYLOAD, payload_length=len(payload),
		      pref_address=LINKED, init_size=0x100000)
	values.update(fields)
	image = bytearray(CODE)
	for name, value in values.items():
		at, kind = FIELDS[name]
		struct.pack_into("<" + kind, image, at, value)
	return bytes(image) + code


FIELDS = dict(setup_sects=(0x1f1, "B"), syssize=(0x1f4, "I"), boot_flag=(0x1fe, "H"), jump=(0x200, "B"), length=(0x201, "B"),
	      magic=(0x202, "I"), version=(0x206, "H"), loadflags=(0x211, "B"), initrd_addr_max=(0x22c, "I"),
	      kernel_alignment=(0x230, "I"), relocatable=(0x234, "B"), xloadflags=(0x236, "H"), cmdline_size=(0x238, "I"),
	      payload_offset=(0x248, "I"), payload_length=(0x24c, "I"), pref_address=(0x258, "Q"), init_size=(0x260, "I"))

GOOD = bzimage()
UNPACK = ("--decompress",)


def magic(at, word):
	return b"\0" * at + struct.pack("<I", word) + b"\0" * 1024


def bomb(size):
	"""A little that says, and is, SIZE bytes of zeros."""
	return gzip.compress(b"\0" * size, mtime=0)


TRUNCATED = (
	(0x100, ("-k", "linux"), "neither a bzImage"), (0x203, ("-k", "linux"), "neither a bzImage"),
	(0x207, (), "truncated: .* inside the setup header"), (0x250, (), "truncated: .* inside the setup header"),
	(0x26c, (), "truncated: the setup code"), (CODE - 1, (), "truncated: the setup code"),
	(CODE, (), "truncated: the setup code"), (CODE + 1, (), "truncated: the setup header says"),
	(CODE + PAYLOAD, (), "truncated: the setup header says"), (len(GOOD) - 16, (), "truncated: the setup header says"),
)

# what is changed, options, exit status, what is said
LIES = (
	(dict(version=0x205), (), 66, r"boot protocol 2\.05 is too old: 2\.06"),
	(dict(version=0x200), (), 66, r"boot protocol 2\.00 is too old"),
	(dict(length=0x10), (), 66, "the setup header says that it ends at 0x212"),
	(dict(magic=0), ("-k", "linux"), 66, "neither a bzImage"),
	(dict(boot_flag=0), ("-k", "linux"), 66, "neither a bzImage"),
	(dict(loadflags=0), (), 66, "a zImage"),
	(dict(setup_sects=255), (), 66, "truncated: the setup code"),
	(dict(syssize=0xffffffff), (), 66, "truncated: the setup header says 68719476720 bytes"),
	(dict(syssize=1), (), 66, "syssize says 16 bytes, which is no kernel"),
	(dict(kernel_alignment=0), (), 66, "kernel_alignment 0x0 is no power of two"),
	(dict(kernel_alignment=3), (), 66, "kernel_alignment 0x3 is no power of two"),
	(dict(kernel_alignment=0x80000000), (), 66, "pref_address 0x1000000 is no multiple of its kernel_alignment"),
	(dict(pref_address=0), (), 66, "pref_address 0x0 .* does not lie between"),
	(dict(pref_address=1 << 63), (), 66, "pref_address 0x8000000000000000 .* does not lie between"),
	(dict(pref_address=(1 << 64) - 0x200000), (), 66, "does not lie between"),
	(dict(init_size=0xffffffff), (), 66, "init_size 0xffffffff.* does not lie between"),
	(dict(init_size=0x80000000), (), 66, "lies outside guest RAM, which ends at 0x8000000: give it more memory"),
	(dict(init_size=0x1000), UNPACK, 66, "more than its init_size 0x1000"),
	(dict(payload_offset=0xffffffff), (), 66, "payload .* does not lie in the kernel"),
	(dict(payload_length=0xffffffff), (), 66, "payload .* does not lie in the kernel"),
	(dict(payload_length=4), UNPACK, 66, "payload has 4 bytes, which is no kernel"),
	(dict(payload_length=0), UNPACK, 66, "does not say where the compressed kernel is"),
	(dict(payload_offset=0), UNPACK, 66, "compressed with nothing known"),
	(dict(initrd_addr_max=0), ("-i", "INITRD"), 66, "initrd_addr_max 0x0 leaves no room"),
	(dict(initrd_addr_max=0x1000ff), ("-i", "INITRD"), 66, "for the initrd"),
	(dict(cmdline_size=0), ("-a", "quiet"), 66, "the command line has 5 bytes, and this kernel takes 0"),
	(dict(xloadflags=0), ("--entry=64",), 64, "--entry=64: this kernel has no such entry"),
)

OTHERS = (
	("an ELF for AArch64", elf64(machine=183), (), 66, "a 64-bit ELF for AArch64"),
	("a big-endian ELF", elf64(data=2), (), 66, "a big-endian ELF file; x86 is little-endian"),
	("a 32-bit ELF that says x86-64", elf64()[:4] + b"\1" + elf64()[5:], ("-k", "linux"), 66, "ELF"),
	("an arm64 Image", magic(0x38, 0x644d5241), (), 66, r"a Linux kernel for AArch64 \(Image\), not for x86"),
	("an arm64 Image as Linux", magic(0x38, 0x644d5241), ("-k", "linux"), 66, r"for AArch64 \(Image\), not for x86"),
	("a RISC-V Image", magic(0x38, 0x05435352), (), 66, r"for RISC-V \(Image\)"),
	("an ARM zImage", magic(0x24, 0x016f2818), (), 66, r"for ARM \(zImage\)"),
	("an image for U-Boot", magic(0, 0x56190527), (), 66, "an image for U-Boot"),
	("a compressed vmlinux", gzip.compress(elf64()), ("-k", "linux"), 66, "compressed with gzip, .* unpack it first"),
	("an ELF cut in its header", elf64()[:40], ("-k", "linux"), 66, "truncated: 40 bytes end inside the ELF header"),
	("an ELF cut in its segments", elf64()[:0x1080], ("-k", "linux"), 66, "truncated: segment 0"),
	("an ELF whose entry is nowhere", elf64(entry=0x5000000), ("-k", "linux"), 66, "entry point 0x5000000 lies in no segment"),
	("an ELF beyond RAM", elf64(paddr=0x10000000, entry=0x10000000), ("-k", "linux"), 66,
	 "lies outside guest RAM.*give it more memory with -m"),
	("too little RAM", GOOD, ("-m", "16M"), 66, "the kernel, with what it unpacks to .* lies outside guest RAM.* -m"),
	("too little RAM for a PC", GOOD, ("-m", "1M"), 64, "a PC needs 2M"),
	("an initrd larger than RAM", GOOD, ("-m", "20M", "-i", "LARGE"), 66, r"for the initrd \(more memory: -m\)"),
	("an initrd with arguments", GOOD, ("-i", "INITRD with arguments"), 64, "an initrd takes no arguments"),
	("a command line too long", GOOD, ("-a", "x" * 256), 66, "the command line has 256 bytes, and this kernel takes 255"),
	("a payload cut short", bzimage(gzip.compress(elf64())[:-40] + struct.pack("<I", 0x1100)), UNPACK, 66,
	 "the gzip data is (damaged|truncated)"),
	("a payload that is no kernel", bzimage(gzip.compress(b"no kernel at all")), UNPACK, 66, "what came out: not an ELF"),
	("a payload for another machine", bzimage(gzip.compress(elf64(machine=183))), UNPACK, 66,
	 "what came out: a 64-bit ELF for AArch64"),
	("a payload larger than it may be", bzimage(bomb(64 << 20)), UNPACK, 66,
	 "would have 67108864 bytes, more than its init_size 0x100000"),
	("a payload larger than RAM", bzimage(bomb(64 << 20), init_size=0x40000000), ("-m", "32M", *UNPACK), 66,
	 "has 67108864 bytes, more than guest RAM"),
	("a payload larger than it says", bzimage(bomb(16 << 20)[:-4] + struct.pack("<I", 0x1000)), UNPACK, 66,
	 "the gzip data gives more bytes than its size says"),
	("--decompress for an ELF", elf64(), ("-k", "linux", *UNPACK), 64, "an ELF file is not compressed"),
	("--kaslr for another kind", elf64(), ("-k", "elf", "--kaslr=on"), 64, r"\(elf64\) takes no --kaslr"),
	("--kaslr of a bzImage by a number", GOOD, ("--kaslr=16M",), 64, "with --decompress it can be moved"),
	("--kaslr by half a page", GOOD, ("--kaslr=0x100800", *UNPACK), 64, "moves by multiples of 0x200000"),
	("--kaslr too far", GOOD, ("--kaslr=1G", *UNPACK), 64, "can be moved by 0x3ee00000 at most"),
	("--kaslr and nokaslr", GOOD, ("--kaslr=on", "-a", "quiet nokaslr"), 64, "says nokaslr"),
	("--kaslr of an ELF without relocations", elf64(), ("-k", "linux", "--kaslr=16M"), 66, "brings no relocations"),
	("--kaslr with relocations outside", bzimage(gzip.compress(elf64() + relocations((), (), (HIGH + 4,)))),
	 ("--kaslr=16M", *UNPACK), 66, "a relocation at 0xffffffff80000004 lies outside the kernel"),
	("--kaslr with nonsense for relocations", bzimage(gzip.compress(elf64() + b"nonsense")), ("--kaslr=16M", *UNPACK), 66,
	 "what follows the kernel's ELF is no list of relocations"),
	("Multiboot 2 for MIPS", struct.pack("<IIIIII", 0xe85250d6, 4, 24, -(0xe85250d6 + 28) & 0xffffffff, 0, 8), (), 66,
	 "for architecture 4, MIPS"),
	("Multiboot 2 that requires EFI", struct.pack("<IIIIIIII", 0xe85250d6, 0, 32, -(0xe85250d6 + 32) & 0xffffffff, 7, 8, 0, 8),
	 (), 66, "requires EFI"),
)


class Bench:
	def __init__(self, tap):
		self.tap = tap
		self.dir = visor.tempfile.mkdtemp(prefix="gv-")
		with open(self.path("INITRD"), "wb") as f:
			f.write(b"070701" * 100)
		with open(self.path("LARGE"), "wb") as f:
			f.truncate(64 << 20)

	def path(self, name):
		return os.path.join(self.dir, name)

	def start(self, data, args):
		with open(self.path("kernel"), "wb") as f:
			f.write(data)
		args = [re.sub("^(INITRD|LARGE)", lambda m: self.path(m.group(0)), a) for a in args]
		return visor.run([visor.GDBVISOR, "-M", "none", "-e", "quit", *args, self.path("kernel")])

	def refuses(self, what, data, args, wanted, said):
		status, out, err = self.start(data, args)
		lines = [line for line in err.splitlines() if line]
		self.tap.ok(status == wanted and len(lines) == 1 and re.search(said, lines[0]), what,
			    "status %s (wanted %s), wanted %s in one line of:\n%s\nstandard output:\n%s"
			    % (status, wanted, said, err, out))

	def takes(self, what, data, *args):
		status, out, err = self.start(data, args)
		self.tap.ok(status == 0, what, "status %s\n%s%s" % (status, out, err))


def moved(b):
	"""By chance, and after a reset to the same place; a script sees where."""
	with open(b.path("moved"), "wb") as f:
		f.write(GOOD)
	args = (*UNPACK, "--kaslr=on", "-e", "info status", "-e", "reset", "-e", "info status", b.path("moved"))
	status, out, err = visor.run([visor.GDBVISOR, "-M", "none", *args])
	said = re.findall("kernel(?: was|:) moved by (0x[0-9a-f]+) from where it is linked", err + out)
	starts = set(re.findall("at the start, (0x[0-9a-f]+)", out))
	b.tap.ok(status == 0 and len(said) == 3 and len(set(said)) == 1 and
		 starts == {hex(LINKED + int(said[0], 16))}, "moved by chance, told of, and the same after a reset", err + out)


def real(b):
	"""What a distribution has installed, cut and unpacked."""
	kernels = sorted(k for k in glob.glob("/boot/vmlinuz-*") if os.access(k, os.R_OK))
	if not kernels:
		b.tap.skip("a kernel that is installed here", "there is none in /boot")
		return
	with open(kernels[0], "rb") as f:
		data = f.read()
	large = ("-m", "256M")
	b.takes("a kernel that is installed here", data, *large)
	b.takes("unpacked here", data, *large, *UNPACK)
	for part in (1, 2, 3):
		b.refuses("%d quarters of it" % part, data[:len(data) * part // 4], large, 66, "truncated: the setup header says")
	middle = len(data) // 2
	b.refuses("unpacked here, with damage in its middle", data[:middle] + b"\xff\0" * 64 + data[middle + 128:],
		  (*large, *UNPACK), 66, "data (is damaged|is truncated|gives)")
	b.refuses("with too little RAM", data, ("-m", "24M"), 66, "lies outside guest RAM.*give it more memory with -m")


def main():
	visor.need_kvm()
	tap = visor.Tap()
	b = Bench(tap)
	try:
		b.takes("a good kernel starts", GOOD)
		b.takes("unpacked here, too", GOOD, *UNPACK)
		b.takes("and moved", GOOD, *UNPACK, "--kaslr=16M")
		b.takes("and with an initrd", GOOD, "-i", "INITRD", "-a", "x" * 255)
		moved(b)
		for size, args, said in TRUNCATED:
			b.refuses("cut to %d bytes" % size, GOOD[:size], args, 66, said)
		for fields, args, status, said in LIES:
			b.refuses("a header whose %s is 0x%x" % next(iter(fields.items())), bzimage(**fields), args, status, said)
		for what, data, args, status, said in OTHERS:
			b.refuses(what, data, args, status, said)
		real(b)
	finally:
		shutil.rmtree(b.dir)
	tap.done()


main()
