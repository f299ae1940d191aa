# SPDX-License-Identifier: GPL-3.0-or-later
"""
Where a 64-bit Linux kernel is that was loaded elsewhere than its vmlinux is linked for.  The machine may know, which has
symbols of its own; else what the vCPU's IDT and LSTAR point to has known symbols, and where those are of no use the banner is
looked for.  What was found the machine is told, so that its monitor has the same addresses.
"""

import collections
import struct

import gdb

import gv_modes
import gv_remote

MASK = (1 << 64) - 1
PAGE = 4096

# The symbols that a vector's gate may lead to, from newer kernels to older ones.
GATES = {
	0: ("asm_exc_divide_error", "divide_error"),
	1: ("asm_exc_debug", "debug"),
	2: ("asm_exc_nmi", "nmi"),
	3: ("asm_exc_int3", "int3"),
	4: ("asm_exc_overflow", "overflow"),
	5: ("asm_exc_bounds", "bounds"),
	6: ("asm_exc_invalid_op", "invalid_op"),
	7: ("asm_exc_device_not_available", "device_not_available"),
	8: ("asm_exc_double_fault", "double_fault"),
	11: ("asm_exc_segment_not_present", "segment_not_present"),
	12: ("asm_exc_stack_segment", "stack_segment"),
	13: ("asm_exc_general_protection", "general_protection"),
	14: ("asm_exc_page_fault", "page_fault", "async_page_fault"),
	17: ("asm_exc_alignment_check", "alignment_check"),
	18: ("asm_exc_machine_check", "machine_check"),
}
SYSCALL = ("entry_SYSCALL_64", "entry_SYSCALL_64_trampoline", "system_call")
BANNER = "linux_banner"
BANNER_TEXT = b"Linux version "
STEP, REACH = 2 << 20, 1 << 30          # the kernel's alignment, and how far it may be moved


def elf_symbols(path, wanted):
	"""The addresses that the ELF64 file PATH is linked for, of those symbols WANTED it has."""
	with open(path, "rb") as f:
		head = f.read(64)
		if len(head) < 64 or head[:6] != b"\x7fELF\x02\x01":
			raise gdb.GdbError("%s is no 64-bit ELF file." % path)
		table, = struct.unpack_from("<Q", head, 40)
		size, count = struct.unpack_from("<HH", head, 58)
		if size < 64:
			raise gdb.GdbError("%s has no section headers." % path)
		f.seek(table)
		headers = f.read(size * count)
		sections = [struct.unpack_from("<IIQQQQI", headers, at) for at in range(0, len(headers) - 63, size)]
		found = {}
		for section in sections:
			if section[1] != 2 or section[6] >= len(sections):
				continue
			f.seek(sections[section[6]][4])
			names = b"\0" + f.read(sections[section[6]][5])
			offsets = {}
			for name in wanted:
				# a name may also be the end of a longer one: only what follows a zero is one
				at = names.find(b"\0" + name.encode() + b"\0")
				if at >= 0:
					offsets[at] = name
			f.seek(section[4])
			symbols = f.read(section[5])
			whole = symbols[:len(symbols) - len(symbols) % 24]
			for name, _, _, index, value, _ in struct.iter_unpack("<IBBHQQ", whole):
				if name in offsets and index:
					found[offsets[name]] = value
	return found


def machine_symbols(wanted):
	"""The same of what the machine has symbols of."""
	found, slide = {}, int(gv_remote.query("symbols")["slide"], 16)
	for name in wanted:
		try:
			found[name] = int(gv_remote.query("print", name)["value"], 16) - slide & MASK
		except gv_remote.MonitorError:
			continue
	return found


def same_kernel(symbols):
	"""Whether the machine's symbols are those, where it has any: then the offset is theirs, too."""
	known = machine_symbols([name for name in (BANNER, *SYSCALL) if name in symbols])
	return all(symbols[name] == address for name, address in known.items())


def gdb_offset(symbols):
	"""How far from there gdb has them now, or None: it has none of them."""
	for name, address in symbols.items():
		try:
			return int(gdb.parse_and_eval("&" + name)) - address & MASK
		except gdb.error:
			continue
	return None


def _register(name):
	try:
		return int(gdb.newest_frame().read_register(name)) & MASK
	except (gdb.error, ValueError):
		return None


def _memory(address, size):
	try:
		return bytes(gdb.selected_inferior().read_memory(address, size))
	except (gdb.error, OverflowError):
		return None


def handlers():
	"""(symbols it may be, address) of each place the vCPU would go to by itself."""
	base, limit = _register("idtr_base"), _register("idtr_limit")
	for vector, names in GATES.items() if base is not None else ():
		if limit is not None and vector * 16 + 15 > limit & 0xffff:
			continue
		gate = _memory(base + vector * 16 & MASK, 16)
		if gate and gate[5] & 0x9e == 0x8e:             # a present interrupt or trap gate
			low, _, _, middle, high = struct.unpack("<HHHHI", gate[:12])
			yield names, low | middle << 16 | high << 32
	entry = _register("lstar")
	if entry:
		yield SYSCALL, entry


def by_handlers(symbols):
	"""The offset most handlers agree on, and how many do of how many; (None, 0, 0) when none is a known one."""
	votes, asked = collections.Counter(), 0
	for names, address in handlers():
		offsets = {address - symbols[name] & MASK for name in names if name in symbols}
		asked += bool(offsets)
		votes.update(offset for offset in offsets if not offset % PAGE)
	for offset, count in votes.most_common(1):
		return offset, count, asked
	return None, 0, asked


def by_banner(symbols):
	"""The offset at which there is a banner where the symbols have it, or None."""
	if BANNER not in symbols:
		return None
	for offset in range(0, REACH, STEP):
		if _memory(symbols[BANNER] + offset & MASK, len(BANNER_TEXT)) == BANNER_TEXT:
			return offset
	return None


def by_machine(symbols):
	"""The offset that the machine has found, or None."""
	if BANNER not in symbols or machine_symbols([BANNER]) != {BANNER: symbols[BANNER]}:
		return None
	try:
		kernel = gv_remote.query("info kernel")
	except gv_remote.MonitorError:
		return None
	return int(kernel["slide"], 16) & MASK


def find(symbols):
	"""(offset, how it was found), or an error."""
	offset = by_machine(symbols)
	if offset is not None:
		return offset, "what the machine sees"
	offset, count, asked = by_handlers(symbols)
	if offset is not None and 2 * count > asked:
		return offset, "%d of %d handlers" % (count, asked)
	offset = by_banner(symbols)
	if offset is not None:
		return offset, "its banner"
	raise gdb.GdbError("No kernel was found: neither IDT nor LSTAR nor a banner go with these symbols.")


def signed(offset):
	return offset - (1 << 64) if offset >> 63 else offset


class Kaslr(gdb.Command):
	"""Find where a 64-bit Linux kernel runs, and move its symbols there.
Usage: gv kaslr [FILE]
FILE is its vmlinux; without one, that whose symbols are loaded.  The machine knows, if it has the kernel's
symbols; else the vCPU's IDT and LSTAR tell, or the kernel's banner.  Run it when the kernel has set them up,
and again after a reset.  The machine's own symbols are moved as well."""

	def __init__(self):
		super().__init__("gv kaslr", gdb.COMMAND_DATA, gdb.COMPLETE_FILENAME)

	def invoke(self, argument, from_tty):
		gv_remote.require()
		if gv_modes.mode() not in ("long", "compat32", "compat16"):
			raise gdb.GdbError("The vCPU is not in long mode, and only 64-bit kernels are looked for.")
		words = gdb.string_to_argv(argument)
		if len(words) > 1:
			raise gdb.GdbError("Usage: gv kaslr [FILE]")
		path = words[0] if words else self._loaded()
		wanted = {name for names in (*GATES.values(), SYSCALL, (BANNER,)) for name in names}
		if path.startswith("target:"):
			symbols = machine_symbols(wanted)
		else:
			try:
				symbols = elf_symbols(path, wanted)
			except (OSError, struct.error) as e:
				raise gdb.GdbError("%s: %s" % (path, getattr(e, "strerror", None) or e)) from None
		if not symbols:
			raise gdb.GdbError("%s has none of a kernel's symbols that are looked for." % path)
		offset, how = find(symbols)
		if same_kernel(symbols):
			gv_remote.query("symbols", "slide %#x" % offset)
		self._move(path, offset, how, bool(words) or gdb_offset(symbols) != offset)

	@staticmethod
	def _loaded():
		main = gdb.current_progspace().filename
		if main:
			return main
		for objfile in gdb.objfiles():
			if objfile.filename and objfile.owner is None:
				return objfile.filename
		raise gdb.GdbError("No symbols are loaded: name the vmlinux.")

	@staticmethod
	def _move(path, offset, how, load):
		if load:
			quoted = '"%s"' % path.replace("\\", "\\\\").replace('"', '\\"')
			gdb.execute("symbol-file %s -o %#x" % (quoted, offset), False, True)
		if offset:
			gdb.write("The kernel is %s%#x from where %s is linked, by %s.\n" % (
				"-" if signed(offset) < 0 else "+", abs(signed(offset)), path, how))
		else:
			gdb.write("The kernel is where %s is linked, by %s.\n" % (path, how))


def install():
	Kaslr()
