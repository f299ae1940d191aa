# SPDX-License-Identifier: GPL-3.0-or-later
"""What the sessions with real boot loaders share: images made once a script, and how the PC is started."""

import atexit
import os
import shutil
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "gdb"), os.path.join(HERE, "..")]
import images

DIR = os.environ.get("GV_BOOT_DIR")
if not DIR:
	DIR = os.environ["GV_BOOT_DIR"] = tempfile.mkdtemp(prefix="gv-boot-")
	atexit.register(shutil.rmtree, DIR, ignore_errors=True)


def need(*names):
	"""Ends the test as skipped, with the reason, unless all of images.MATERIAL's NAMES are installed."""
	absent = images.missing(*names)
	if absent:
		print("1..0 # SKIP " + absent)
		sys.exit(0)


def image(name, make, *args):
	"""The file NAME that MAKE(its path, *ARGS) makes; once, also when the script runs again inside gdb."""
	where = os.path.join(DIR, name)
	if not os.path.exists(where):
		make(where, *args)
	return where
