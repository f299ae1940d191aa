# SPDX-License-Identifier: GPL-3.0-or-later
"""
A vCPU that changes between 16-, 32- and 64-bit code is another machine to gdb.  When that is seen at a stop, the target
description is fetched anew; what it then is, is the stub's choice.
"""

import re

import gdb

import gv_remote

BITS = {
	"real": 16, "vm86": 16, "prot16": 16, "compat16": 16, "prot32": 32, "compat32": 32, "long": 64,
}
ARCHITECTURE_BITS = {"i8086": 16, "i386": 32, "i386:x86-64": 64}

# By inferior: the bits the description was last fetched for.
_fetched = {}
_busy = False


def _architecture():
	return gdb.newest_frame().architecture().name()


def mode():
	"""The mode of the selected thread's vCPU, as the monitor calls it; None: not known."""
	selected = gv_remote.cpu()
	for row in gv_remote.query("info cpus")["cpus"]:
		if row["cpu"] == selected:
			return row["mode"]
	return None


def _fits_executable(bits):
	"""gdb takes an executable's word above the description's: one of the other class does not go with it."""
	local = gdb.execute("info files", False, True).partition("Local exec file:")[2]
	kind = re.search(r"file type elf(32|64)-", local)
	return kind is None or (kind.group(1) == "64") == (bits == 64)


def _follow():
	if not gv_remote.present() or gdb.parameter("architecture") != "auto" or gdb.parameter("tdesc filename"):
		return
	before = _architecture()
	name = mode()
	bits = BITS.get(name)
	key = gdb.selected_inferior().num
	known = _fetched.get(key) or ARCHITECTURE_BITS.get(before)
	if bits is None or bits == known:
		_fetched[key] = bits or known
		return
	_fetched[key] = bits
	if not _fits_executable(bits):
		return
	gdb.execute("unset tdesc filename", False, True)
	after = _architecture()
	if after != before:
		print("[gdbvisor: the vCPU is in %s mode now; architecture %s]" % (name, after))
		gdb.execute("display")


def _stopped(event):
	global _busy
	if _busy:
		return
	_busy = True
	try:
		_follow()
	except (gdb.error, gdb.GdbError, KeyError, TypeError, ValueError):
		pass            # a session goes on without this
	finally:
		_busy = False


def _removed(event):
	_fetched.clear()


def install():
	gdb.events.stop.connect(_stopped)
	gdb.events.connection_removed.connect(_removed)
