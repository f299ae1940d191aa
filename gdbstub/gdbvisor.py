# SPDX-License-Identifier: GPL-3.0-or-later
"""
gdb's side of gdbvisor:

    gdb -x gdbvisor.py -ex 'target remote ...'

It follows the vCPU through its modes, unwinds 16-bit code, and has the monitor's commands and some more beside gdb's:
`help gv`.  With a remote that is not gdbvisor it does nothing.
"""

import os
import sys

import gdb


def _load():
	"""The modules beside this file, without leaving compiled ones there."""
	# not __file__, which is another script's when that one sources this
	here = os.path.dirname(os.path.abspath(_load.__code__.co_filename))
	dont = sys.dont_write_bytecode
	sys.dont_write_bytecode = True
	sys.path.insert(0, here)
	try:
		import gv_commands
		import gv_frames
		import gv_functions
		import gv_kaslr
		import gv_modes
		import gv_uefi
	finally:
		sys.path.remove(here)
		sys.dont_write_bytecode = dont
	for module in (gv_frames, gv_commands, gv_functions, gv_kaslr, gv_modes, gv_uefi):
		module.install()


_load()
