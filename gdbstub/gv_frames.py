# SPDX-License-Identifier: GPL-3.0-or-later
"""gdb's side of gv_real16: an unwinder for the i8086 description, and what ends a backtrace without a complaint."""

import gdb
from gdb.unwinder import Unwinder

import gv_real16 as real16

# The 16-bit names, and the registers of the description they are the lower halves of.
WIDE = {name: "e" + name for name in real16.GENERAL}
WIDE.update((name, name) for name in real16.SEGMENTS)

# The outermost frame's id: the same wherever its stack pointer is, and outside of all others.
OUTERMOST = 0xffffffff


class FrameId:
	"""A stack address without a code address, which matches any: the start of a function need not be known."""

	def __init__(self, sp):
		self.sp = gdb.Value(sp)


def _fetch(address, length):
	try:
		return gdb.selected_inferior().read_memory(address, length)
	except (gdb.error, OverflowError):
		raise real16.Unreadable from None


def _number(pending, name):
	return int(pending.read_register(name)) & 0xffffffff


class RealMode(Unwinder):
	"""Frames of 16-bit code, as gdbvisor describes it: a linear pc, and the segments' bases beside it."""

	def __init__(self):
		super().__init__("gdbvisor-real-mode")

	def __call__(self, pending):
		arch = pending.architecture()
		if arch.name() != "i8086" or not all(arch.registers().find(r) for r in ("cs_base", "ss_base", "ip")):
			return None
		try:
			return self._unwind(pending, arch)
		except (gdb.error, real16.Unreadable, OverflowError):
			return None

	def _unwind(self, pending, arch):
		registers = {name: _number(pending, wide) & 0xffff for name, wide in WIDE.items()}
		base, stack_base = _number(pending, "cs_base"), _number(pending, "ss_base")
		registers["ip"] = _number(pending, "eip") - base & 0xffff
		found = real16.caller(real16.Code(_fetch), registers, base, stack_base)
		info = pending.create_unwind_info(FrameId(stack_base + found.registers["sp"] if found else OUTERMOST))
		changed = self._changed(pending, found) if found else {}
		for register in arch.registers():
			try:
				value = pending.read_register(register.name)
				if register.name in changed:
					size = value.type.sizeof
					new = changed[register.name] & (1 << 8 * size) - 1
					value = gdb.Value(new.to_bytes(size, "little"), value.type)
				info.add_saved_register(register.name, value)
			except (gdb.error, ValueError):
				continue                # one that cannot be read
		return info

	@staticmethod
	def _changed(pending, found):
		"""The description's registers that differ in the caller, whose upper halves stay."""
		r = found.registers
		new = {"eip": r["base"] + r["ip"], "ip": r["ip"], "cs": r["cs"], "cs_base": r["base"]}
		for name in found.saved | {"sp", "bp"}:
			if r.get(name) is None or name == "cs":
				continue
			wide = WIDE[name]
			new[wide] = r[name]
			if name in real16.GENERAL:
				upper = r.get("upper " + name)
				new[wide] |= _number(pending, wide) & 0xffff0000 if upper is None else upper << 16
			if name + "_base" in ("ds_base", "es_base", "ss_base", "fs_base", "gs_base"):
				new[name + "_base"] = r[name] << 4
		if r.get("flags") is not None:
			new["eflags"] = _number(pending, "eflags") & 0xffff0000 | r["flags"]
		return new


class PlainEnd:
	"""
	Changes no frame.  That gdb's backtrace has a filter keeps it from saying that the outermost frame, which the
	unwinder marks by having it return to itself, must be a corrupt stack.
	"""

	def __init__(self):
		self.name = "gdbvisor-real-mode"
		self.priority = 0
		self._wanted = True

	@property
	def enabled(self):
		try:
			return self._wanted and gdb.newest_frame().architecture().name() == "i8086"
		except gdb.error:
			return False

	@enabled.setter
	def enabled(self, on):
		self._wanted = bool(on)

	def filter(self, frames):
		return frames


def install():
	gdb.unwinder.register_unwinder(None, RealMode(), replace=True)
	quiet = PlainEnd()
	gdb.frame_filters[quiet.name] = quiet
