# SPDX-License-Identifier: GPL-3.0-or-later
"""
Images that UEFI firmware has loaded: by the debugger's way into it (UEFI 2.7, 18.4), from the pointer at a multiple of
4 MiB by the system table to the debug image info table.  All of it is physical memory, onto which UEFI maps itself.
"""

import os
import struct
import uuid

import gdb

import gv_remote

SIGNATURE = b"IBI SYST"
ALIGN = 4 << 20
FOUR_GIB = 1 << 32
DEBUG_IMAGES = uuid.UUID("49152e77-1ada-4764-b7a2-7afefed95e8b").bytes_le
# Where members are, bytes.
SYSTEM_TABLES = 104                     # how many configuration tables, and where they are
LOADED_IMAGE = struct.Struct("<I4xQQQQQI4xQQQ")

# No firmware has more of these; a pointer that leads anywhere is not to hold gdb up.
TABLES_MAX, IMAGES_MAX, PATH_MAX = 256, 4096, 4096

# The files whose symbols were added, and where.
_added = {}


def _read(gpa, size):
	"""SIZE bytes, or None where no memory is."""
	try:
		return gv_remote.physical(gpa, size)
	except gdb.GdbError:
		return None


def _unpack(layout, gpa):
	data = _read(gpa, struct.calcsize(layout))
	return struct.unpack(layout, data) if data else None


def system_table():
	"""The gpa of the EFI system table, or an error."""
	ram = [(gv_remote.number(s["gpa"]), gv_remote.number(s["size"])) for s in gv_remote.query("slot list")["slots"]
	       if not s["readonly"]]
	# from the top down; below 4 GiB first, where firmware has it
	for gpa, size in sorted(ram, key=lambda slot: (slot[0] >= FOUR_GIB, -slot[0])):
		for at in range((gpa + size - 1) // ALIGN * ALIGN, gpa - 1, -ALIGN):
			found = _unpack("<8sQ", at)
			if found and found[0] == SIGNATURE and _read(found[1], 8) == SIGNATURE:
				return found[1]
	raise gdb.GdbError("No UEFI was found: no memory has a pointer to its system table, which the firmware's DXE core"
			   " puts there.")


def image_table():
	"""The gpa of the debug image info table's header."""
	count, tables = _unpack("<QQ", system_table() + SYSTEM_TABLES) or (0, 0)
	for i in range(min(count, TABLES_MAX)):
		kind, table = _unpack("<16sQ", tables + 24 * i) or (b"", 0)
		if kind == DEBUG_IMAGES:
			return table
	raise gdb.GdbError("This UEFI has no table of its images for debuggers, or not yet.")


def _path_name(gpa):
	"""What a device path calls a file: its path, or in a firmware volume its GUID."""
	name, end = "", gpa + PATH_MAX
	while gpa < end:
		kind, sub, size = _unpack("<BBH", gpa) or (0x7f, 0, 0)
		if kind == 0x7f or not 4 <= size <= PATH_MAX:
			break
		body = (_read(gpa + 4, size - 4) if size > 4 else b"") or b""
		if (kind, sub) == (4, 4):
			name += body.decode("utf-16-le", "replace").partition("\0")[0]
		elif (kind, sub) == (4, 6) and len(body) == 16:
			name += str(uuid.UUID(bytes_le=body))
		gpa += size
	return name


def _debug_name(base, size):
	"""The path that a PE image's debug directory names, or an empty text."""
	def inside(rva, length):
		return _read(base + rva, length) if rva + length <= size else None

	head = inside(0x3c, 4)
	pe = struct.unpack("<I", head)[0] if head else size
	if inside(pe, 4) != b"PE\0\0":
		return ""
	wide = inside(pe + 24, 2) == b"\x0b\x02"
	entry = inside(pe + 24 + (112 if wide else 96) + 8 * 6, 8)
	rva, length = struct.unpack("<II", entry) if entry else (0, 0)
	for at in range(rva, rva + min(length, 28 * 8), 28) if rva else ():
		row = inside(at, 28)
		kind, _, where = struct.unpack_from("<III", row, 12) if row else (0, 0, 0)
		text = inside(where, min(300, size - where)) if kind == 2 and where < size else None
		skip = {b"RSDS": 24, b"NB10": 16, b"MTOC": 20}.get(text[:4]) if text else None
		if skip:
			return text[skip:].partition(b"\0")[0].decode("latin-1")
	return ""


class NotLoaded(gdb.GdbError):
	"""No image that is loaded is the one."""


class Image:
	def __init__(self, base, size, path, debug):
		self.base, self.size, self.path, self.debug = base, size, path, debug

	def name(self):
		return self.debug or self.path or "?"

	def stems(self):
		"""What it may be called, without directories and endings."""
		return {_stem(name) for name in (self.path, self.debug) if name}


def _stem(path):
	return os.path.splitext(path.replace("\\", "/").rsplit("/", 1)[-1])[0].lower()


def images():
	"""Every image that is loaded, in the table's order."""
	_, count, table = _unpack("<IIQ", image_table()) or (0, 0, 0)
	found, seen, at = [], 0, table
	# an image that was unloaded leaves a hole that is not counted
	while seen < min(count, IMAGES_MAX) and at < table + 8 * 2 * IMAGES_MAX:
		entry, = _unpack("<Q", at) or (None,)
		if entry is None:
			break
		at += 8
		if not entry:
			continue
		seen += 1
		kind, protocol = _unpack("<I4xQ", entry) or (0, 0)
		data = _read(protocol, LOADED_IMAGE.size) if kind == 1 else None
		if data:
			fields = LOADED_IMAGE.unpack(data)
			found.append(Image(fields[8], fields[9], _path_name(fields[4]), _debug_name(fields[8], fields[9])))
	return found


def file_code(path):
	"""
	(the address that the file PATH calls the image's beginning, [(address, bytes) of its code]): ELF64 and PE; of an
	image that is made from ELF the beginning is 0.
	"""
	with open(path, "rb") as f:
		data = f.read()
	if data[:6] == b"\x7fELF\x02\x01":
		table, = struct.unpack_from("<Q", data, 40)
		size, count = struct.unpack_from("<HH", data, 58)
		rows = [struct.unpack_from("<IIQQQQ", data, table + size * i) for i in range(count)]
		return 0, [(at, data[offset:offset + length]) for _, kind, flags, at, offset, length in rows
			   if kind == 1 and flags & 4]
	pe = struct.unpack_from("<I", data, 0x3c)[0] if data[:2] == b"MZ" else len(data)
	if data[pe:pe + 4] != b"PE\0\0" or data[pe + 24:pe + 26] != b"\x0b\x02":
		raise gdb.GdbError("%s is neither a 64-bit ELF nor a PE file." % path)
	count, optional = struct.unpack_from("<H12xH", data, pe + 6)
	base, = struct.unpack_from("<Q", data, pe + 48)
	rows = [struct.unpack_from("<IIII12xI", data, pe + 24 + optional + 40 * i + 8) for i in range(count)]
	return base, [(base + rva, data[offset:offset + min(raw, length)]) for length, rva, raw, offset, flags in rows
		      if flags & 0x20]


COMPARED = 256                          # bytes of each section


def _has_code(image, base, code):
	"""Whether the beginnings of the file's sections of code are in the image."""
	def same(at, data):
		data = data[:COMPARED]
		return data and at - base + len(data) <= image.size and _read(image.base + at - base, len(data)) == data

	return bool(code) and all(same(at, data) for at, data in code)


def find(path, name=None):
	"""
	(the image that was made from the file PATH, how far its symbols are from there, whether its code is there), or an
	error.  NAME: what it is called, or its base.
	"""
	try:
		base, code = file_code(path)
	except (OSError, struct.error) as e:
		raise gdb.GdbError("%s: %s" % (path, getattr(e, "strerror", None) or "it is truncated")) from None
	loaded = images()
	if name:
		chosen = [i for i in loaded if "%#x" % i.base == name or _stem(name) in i.stems()]
	else:
		chosen = [i for i in loaded if _stem(path) in i.stems()] or [i for i in loaded if _has_code(i, base, code)]
	exact = [i for i in chosen if _has_code(i, base, code)]
	chosen = exact or chosen
	if not chosen:
		raise NotLoaded("No image that is loaded is called %s%s (gv uefi lists them)." % (
			_stem(name or path), "" if name else ", nor has one its code"))
	if len(chosen) > 1:
		raise gdb.GdbError("%d images may be it: say which, by its base (%s)." % (
			len(chosen), ", ".join("%#x" % i.base for i in chosen)))
	return chosen[0], chosen[0].base - base, bool(exact)


def _quoted(path):
	return '"%s"' % path.replace("\\", "\\\\").replace('"', '\\"')


def _is_loaded(path):
	return any(o.filename and os.path.realpath(o.filename) == os.path.realpath(path) for o in gdb.objfiles())


def add_symbols(path, image, offset, exact):
	there = _is_loaded(path)
	if there and path in _added and _added[path] != offset:
		gdb.execute("remove-symbol-file " + _quoted(path), False, True)
		there = False
	if not there or path not in _added:
		gdb.execute("add-symbol-file %s -o %#x" % (_quoted(path), offset & (1 << 64) - 1), False, True)
	_added[path] = offset
	gdb.write("%s is at %#x, %d bytes.%s\n" % (image.name(), image.base, image.size,
						  "" if exact else "  Its code is not that of %s." % path))


class _TableWatch(gdb.Breakpoint):
	"""Stops when firmware has counted an image more, or one less."""

	def __init__(self, gpa):
		super().__init__("*(unsigned int *) %#x" % gpa, gdb.BP_WATCHPOINT, gdb.WP_WRITE, True)
		self.silent = True
		self.hit = False

	def stop(self):
		self.hit = True
		return True


def wait(path, name):
	"""Continues until an image is there, which then has not run yet; an error if the guest stops for another reason."""
	try:
		return find(path, name)
	except NotLoaded:
		watch = _TableWatch(image_table() + 4)
	try:
		while True:
			watch.hit = False
			gdb.execute("continue", False, True)
			if not watch.is_valid() or not watch.hit:
				raise gdb.GdbError("The guest stopped before %s was loaded." % (name or path))
			try:
				return find(path, name)
			except NotLoaded:
				continue
	finally:
		if watch.is_valid():
			watch.delete()


class Uefi(gdb.Command):
	"""Find what UEFI firmware has loaded, and load its symbols.
Usage: gv uefi [-list]
       gv uefi [-wait] FILE [NAME]
Without FILE, list the images: where each is, its size, what it is called.
FILE is an image's ELF (as it was before it became PE) or the PE itself, with debug information; it is
the image of that name or, if there is none, the one that has its code.  NAME says which: another name, or
its base.  With -wait the guest continues until it is loaded, and stops before its first instruction:
breakpoints can be set in it then."""

	USAGE = "Usage: gv uefi [-list] | [-wait] FILE [NAME]"

	def __init__(self):
		super().__init__("gv uefi", gdb.COMMAND_DATA, gdb.COMPLETE_FILENAME)

	def invoke(self, argument, from_tty):
		gv_remote.require()
		words = gdb.string_to_argv(argument)
		option = words.pop(0) if words and words[0].startswith("-") else None
		wanted = {None: (0, 1, 2), "-list": (0,), "-wait": (1, 2)}
		if len(words) not in wanted.get(option, ()):
			raise gdb.GdbError(self.USAGE)
		if words:
			add_symbols(words[0], *(wait if option else find)(words[0], words[1] if len(words) > 1 else None))
			return
		for image in images():
			gdb.write("%#14x %9d  %s\n" % (image.base, image.size, image.name()))


def install():
	Uefi()
