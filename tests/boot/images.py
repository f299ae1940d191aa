# SPDX-License-Identifier: GPL-3.0-or-later
"""
Disks and CDs with real boot loaders, made from Debian's packages in a directory, without root and loop mounts; and
the symbols that GRUB's kernel keeps of itself.  Runs under python3 and inside gdb.
"""

import os
import shutil
import struct
import subprocess

SECTOR = 512
CD_SECTOR = 2048
PART_START = 2048               # sectors: the gap before it holds GRUB's core.img
DISK_SECTORS = 32768            # 16 MiB

GRUB = "/usr/lib/grub/i386-pc"
GRUB_KERNEL = 0x9000            # where GRUB's kernel runs, and is linked for
GRUB_CORE = ("biosdisk", "part_msdos", "fat")   # what core.img needs to read the others from its partition
GRUB_MODULES = ("normal", "serial", "terminal", "ls", "echo", "cat", "reboot")
SYSLINUX = "/usr/lib/syslinux/modules/bios"

# What the tests boot: name -> (Debian package, a file or a program of it).
MATERIAL = {
	"seabios": ("seabios", "/usr/share/seabios/bios.bin"),
	"vgabios": ("seabios", "/usr/share/seabios/vgabios-isavga.bin"),
	"grub": ("grub-pc-bin", GRUB + "/kernel.img"),
	"grub-mkimage": ("grub-common", "grub-mkimage"),
	"mformat": ("mtools", "mformat"),
	"mcopy": ("mtools", "mcopy"),
	"isolinux": ("isolinux", "/usr/lib/ISOLINUX/isolinux.bin"),
	"ldlinux": ("syslinux-common", SYSLINUX + "/ldlinux.c32"),
	"xorriso": ("xorriso", "xorriso"),
	"memtest": ("memtest86+", "/boot/memtest86+x64.bin"),
	"ipxe": ("ipxe", "/boot/ipxe.lkrn"),
	"ovmf": ("ovmf", "/usr/share/OVMF/OVMF_CODE_4M.fd"),
	"ovmf-variables": ("ovmf", "/usr/share/OVMF/OVMF_VARS_4M.fd"),
	"ovmf-whole": ("ovmf", "/usr/share/ovmf/OVMF.fd"),
	"uboot": ("u-boot-qemu", "/usr/lib/u-boot/qemu-x86/u-boot.rom"),
}


def path(name):
	"""Where the file or program NAME of MATERIAL is; None when it is not installed."""
	_, where = MATERIAL[name]
	if os.path.isabs(where):
		return where if os.path.exists(where) else None
	return shutil.which(where)


def missing(*names):
	"""What is not installed of NAMES, as a line for people; empty when nothing is missing."""
	return ", ".join("%s is not here (package %s)" % (MATERIAL[n][1], MATERIAL[n][0]) for n in names if not path(n))


def _run(*argv):
	done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
	if done.returncode:
		raise RuntimeError("%s: status %d\n%s" % (" ".join(argv), done.returncode, done.stdout.decode()))


def _write(where, data):
	with open(where, "wb") as f:
		f.write(data)
	return where


def boot_sector(where, code, sectors=2048):
	"""A disk of SECTORS whose first sector is CODE (at most 510 bytes, for 0x7c00) with the signature."""
	assert len(code) <= 510
	return _write(where, code.ljust(510, b"\0") + b"\x55\xaa" + bytes((sectors - 1) * SECTOR))


def _partition_table(kind, start, count):
	"""The 66 last bytes of an MBR with one active partition, without its cylinders and heads."""
	entry = struct.pack("<B3sB3sII", 0x80, b"\xfe\xff\xff", kind, b"\xfe\xff\xff", start, count)
	return entry + bytes(48) + b"\x55\xaa"


GRUB_NEEDS = ("grub", "grub-mkimage", "mformat", "mcopy")


def grub_modules():
	"""GRUB_MODULES and all that they need, but for what is in core.img."""
	needs = {}
	with open(GRUB + "/moddep.lst") as f:
		for line in f:
			name, _, rest = line.partition(":")
			needs[name] = rest.split()
	wanted, found = list(GRUB_MODULES), set(GRUB_CORE)
	while wanted:
		name = wanted.pop()
		if name not in found:
			found.add(name)
			wanted += needs[name]
	return sorted(found - set(GRUB_CORE))


def grub_disk(where, config, files=()):
	"""
	A disk as grub-install leaves it: boot.img in the MBR, core.img in the gap behind it, and the rest on one FAT
	partition, (hd0,msdos1), with /boot/grub/grub.cfg (CONFIG) and FILES ((name, bytes) each).
	"""
	core, cfg = where + ".core", where + ".cfg"
	_run("grub-mkimage", "-O", "i386-pc", "-d", GRUB, "-o", core, "-p", "(hd0,msdos1)/boot/grub", *GRUB_CORE)
	with open(core, "rb") as f:
		data = bytearray(f.read())
	# diskboot.img ends in a list of (first sector, count, segment): the rest of core.img, behind its own sector.
	struct.pack_into("<Q", data, SECTOR - 12, 2)
	with open(GRUB + "/boot.img", "rb") as f:
		mbr = bytearray(f.read())
	struct.pack_into("<Q", mbr, 0x5c, 1)    # core.img's first sector
	struct.pack_into("<B", mbr, 0x64, 0xff) # the drive: the one the BIOS names
	mbr[0x66:0x68] = b"\x90\x90"            # which is a hard disk
	mbr[446:] = _partition_table(0x06, PART_START, DISK_SECTORS - PART_START)
	if len(data) > (PART_START - 1) * SECTOR:
		raise RuntimeError("core.img does not fit before the partition")
	with open(where, "wb") as f:
		f.truncate(DISK_SECTORS * SECTOR)
		f.write(mbr + data)
	part = "%s@@%d" % (where, PART_START * SECTOR)
	_run("mformat", "-i", part, "-T", str(DISK_SECTORS - PART_START), "-h", "16", "-s", "63", "-H", str(PART_START),
	     "::")
	_run("mmd", "-i", part, "::/boot", "::/boot/grub", "::/boot/grub/i386-pc")
	_run("mcopy", "-i", part, *(GRUB + "/%s.mod" % m for m in grub_modules()),
	     *(GRUB + "/" + name for name in ("command.lst", "fs.lst", "terminal.lst")), "::/boot/grub/i386-pc/")
	_write(cfg, config.encode())
	_run("mcopy", "-i", part, cfg, "::/boot/grub/grub.cfg")
	for name, content in files:
		_write(cfg, content)
		_run("mcopy", "-i", part, cfg, "::/" + name)
	os.unlink(core)
	os.unlink(cfg)
	return where


def grub_symbols():
	"""
	GRUB's kernel has a table of what its modules may call: {name, address, is it a function} each, 12 bytes, with
	name in its own read-only data.  name -> (address, is it a function).
	"""
	with open(path("grub"), "rb") as f:
		elf = f.read()
	offset, base, _, size = struct.unpack_from("<4I", elf, struct.unpack_from("<I", elf, 28)[0] + 4)
	data = elf[offset:offset + size]

	def name_at(at):
		start = at - base
		if not 0 < start < size or data[start - 1]:
			return None
		text = data[start:data.find(b"\0", start)]
		return text.decode() if text.startswith(b"grub_") and text.isascii() else None

	found = {}
	for at in range(0, size - 11, 4):
		name, address, is_function = struct.unpack_from("<3I", data, at)
		if is_function <= 1 and address >= base and name_at(name):
			found[name_at(name)] = (address, bool(is_function))
	return found


def symbol_file(where, symbols, base, size):
	"""An ELF file for a debugger: nothing but SYMBOLS (name -> (address, is it a function)) in .text from BASE on."""
	strings, table = b"\0", bytes(16)
	for name, (address, is_function) in sorted(symbols.items()):
		table += struct.pack("<IIIBBH", len(strings), address, 0, 0x12 if is_function else 0x11, 0, 1)
		strings += name.encode() + b"\0"
	names = b"\0.text\0.symtab\0.strtab\0.shstrtab\0"
	at_table = 52
	at_strings = at_table + len(table)
	at_names = at_strings + len(strings)
	at_sections = at_names + len(names)
	rows = [
		(0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
		(names.index(b".text"), 8, 6, base, at_table, size, 0, 0, 1, 0),
		(names.index(b".symtab"), 2, 0, 0, at_table, len(table), 3, 1, 4, 16),
		(names.index(b".strtab"), 3, 0, 0, at_strings, len(strings), 0, 0, 1, 0),
		(names.index(b".shstrtab"), 3, 0, 0, at_names, len(names), 0, 0, 1, 0),
	]
	ident = b"\x7fELF\x01\x01\x01".ljust(16, b"\0")
	header = struct.pack("<16sHHIIIIIHHHHHH", ident, 2, 3, 1, base, 0, at_sections, 0, 52, 0, 0, 40, len(rows), 4)
	body = table + strings + names + b"".join(struct.pack("<10I", *row) for row in rows)
	return _write(where, header + body)


ISOLINUX_NEEDS = ("isolinux", "ldlinux", "xorriso")


def isolinux_cd(where, config, files=()):
	"""A CD that boots ISOLINUX (El Torito, no emulation) with CONFIG as isolinux.cfg; FILES: (name, source) each."""
	root = where + ".root"
	os.makedirs(root + "/isolinux")
	shutil.copy(path("isolinux"), root + "/isolinux/isolinux.bin")
	shutil.copy(path("ldlinux"), root + "/isolinux/ldlinux.c32")
	_write(root + "/isolinux/isolinux.cfg", config.encode())
	for name, origin in files:
		shutil.copy(origin, os.path.join(root, name))
	_run("xorriso", "-as", "mkisofs", "-quiet", "-o", where, "-V", "GVTEST", "-b", "isolinux/isolinux.bin", "-c",
	     "isolinux/boot.cat", "-no-emul-boot", "-boot-load-size", "4", "-boot-info-table", root)
	shutil.rmtree(root)
	return where


def fat_disk(where, files):
	"""A disk of 2 MiB that is one FAT file system, with FILES ((name, bytes) each)."""
	part = where + ".part"
	with open(where, "wb") as f:
		f.truncate(4096 * SECTOR)
	_run("mformat", "-i", where, "-T", "4096", "-h", "16", "-s", "63", "::")
	for name, content in files:
		_write(part, content)
		_run("mcopy", "-i", where, part, "::/" + name)
	os.unlink(part)
	return where
