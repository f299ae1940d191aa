# SPDX-License-Identifier: GPL-3.0-or-later
"""Convenience functions for gdb's expressions: $phys(), $gpa(), $msr(), $cpu(), $hits()."""

import gdb

import gv_remote

TYPES = {1: "unsigned char", 2: "unsigned short", 4: "unsigned int", 8: "unsigned long long"}
MASK = (1 << 64) - 1


def _unsigned(value, size=8):
	return gdb.Value((value & MASK).to_bytes(8, "little")[:size], gdb.lookup_type(TYPES[size]))


class Physical(gdb.Function):
	"""The number in guest-physical memory.
Usage: $phys (ADDRESS [, SIZE])
SIZE is 1, 2, 4 or 8 bytes, 8 when it is left out."""

	def __init__(self):
		super().__init__("phys")

	def invoke(self, address, size=8):
		size = int(size)
		if size not in TYPES:
			raise gdb.GdbError("$phys: a size of %d is not 1, 2, 4 or 8." % size)
		return _unsigned(int.from_bytes(gv_remote.physical(gv_remote.address(address), size), "little"), size)


class Gpa(gdb.Function):
	"""The guest-physical address that a virtual one is mapped to.
Usage: $gpa (ADDRESS)"""

	def __init__(self):
		super().__init__("gpa")

	def invoke(self, address):
		gva = gv_remote.address(address)
		result = gv_remote.query("translate", "%#x" % gva)
		if not result["present"]:
			raise gdb.GdbError("$gpa: %#x is not mapped." % gva)
		return _unsigned(gv_remote.number(result["gpa"]))


class Msr(gdb.Function):
	"""A model-specific register of the selected thread's vCPU.
Usage: $msr (NUMBER)"""

	def __init__(self):
		super().__init__("msr")

	def invoke(self, index):
		return _unsigned(gv_remote.number(gv_remote.query("msr", "%#x" % (int(index) & 0xffffffff))["value"]))


class Cpu(gdb.Function):
	"""The vCPU of the selected thread.
Usage: $cpu ()"""

	def __init__(self):
		super().__init__("cpu")

	def invoke(self):
		gv_remote.require()
		return gv_remote.cpu()


class Hits(gdb.Function):
	"""How often a breakpoint was hit.
Usage: $hits (NUMBER)
NUMBER is one of gdb's; where gdb has none of that number, one of the monitor's."""

	def __init__(self):
		super().__init__("hits")

	def invoke(self, number):
		number = int(number)
		for breakpoint in gdb.breakpoints():
			if breakpoint.number == number:
				return breakpoint.hit_count
		if number > 0:
			for row in gv_remote.query("info breakpoints", str(number))["breakpoints"]:
				return _unsigned(gv_remote.number(row["hits"]))
		raise gdb.GdbError("No breakpoint number %d." % number)


def install():
	for function in (Physical, Gpa, Msr, Cpu, Hits):
		function()
