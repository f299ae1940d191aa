#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""gv uefi with a guest that has the tables: its images listed, one that is yet to be loaded waited for, and tables that lie."""

import os
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lib
import visor
from lib import session

SCRIPT = visor.source("gdbstub/gdbvisor.py")
IMAGE = "tests/guests/uefi.elf"
APP = visor.built("tests/boot/uefi_app.elf")
BASE = 0x2000000
AT = {name: at for name, (at, _) in visor.symbols(APP).items()} if os.path.exists(APP) else {}
DIR = os.path.dirname(os.environ.get("GV_TEST_RESULTS", "."))


def begin(t, where="ready"):
	t.x("source " + SCRIPT)
	t.x("hbreak *&" + where)
	t.go("continue")
	t.x("delete")


def copy(name):
	"""The application's ELF by another name."""
	return shutil.copy(APP, os.path.join(DIR, name))


LISTED = r"""^ +0x1000000 +\d+  /build/Shell/Shell\.debug
 +0x1800000 +65536  \\EFI\\tools\\other\.efi
$"""


@session(IMAGE, symbols=IMAGE)
def an_application(t):
	begin(t)
	t.match(LISTED, t.x("gv uefi"), "the images that are loaded")
	t.match(LISTED, t.x("gv uefi -list"), "the same with -list")
	t.match("No image that is loaded is called uefi_app", t.refused("gv uefi " + APP), "the application is none of them")
	t.match(r"uefi_app\.efi is at 0x2000000, \d+ bytes\.$", t.x("gv uefi -wait " + APP), "it is waited for")
	t.equal(t.where(), t.value("(long)&loaded"), "and has not run yet")
	t.match("uefi_app", t.x("gv uefi"), "now it is listed")
	t.x("break sum_squares")
	t.equal(t.go("continue"), "breakpoint 2", "a breakpoint in it is hit")
	t.ok(BASE + AT["sum_squares"] <= t.where() < BASE + AT["sum_squares"] + 16, "where it was loaded")
	t.equal(t.value("n"), 10, "its argument")
	t.match(r"#0 .*sum_squares \(n=.*10\).*uefi_app\.c.*\n#1 .*app_main.*", t.x("bt"), "the way there")
	t.go("finish")
	t.equal(t.value("$rax"), 385, "what it returns")
	t.go("next")
	t.equal(t.value("squares"), 385, "a line further its variable is set")
	t.equal(t.value("(long)&squares"), BASE + AT["squares"], "which is where it was loaded, too")
	t.match(r"is at 0x2000000", t.x("gv uefi " + APP), "asked again, the same")
	t.equal([o.filename for o in lib.gdb.objfiles()].count(APP), 1, "and its symbols are there once")


@session(IMAGE, symbols=IMAGE, after=lambda tap, v: tap.match("application here: start 1, squares 385", v.text, "it ran"))
def by_its_code(t):
	begin(t, "loaded")
	t.match(r"uefi_app\.efi is at 0x2000000, \d+ bytes\.$", t.x("gv uefi " + copy("elsewise.elf")), "by its code")
	t.equal(t.value("(long)&sum_squares"), BASE + AT["sum_squares"], "its symbols are there")
	t.match(r"other\.efi is at 0x1800000, 65536 bytes\.  Its code is not that of", t.x("gv uefi " + copy("other.elf")),
		"by its name, with other code")
	t.match(r"uefi_app\.efi is at 0x2000000, \d+ bytes\.$", t.x("gv uefi %s uefi_app" % copy("other.elf")), "by another name")
	t.match(r"uefi_app\.efi is at 0x2000000, \d+ bytes\.$", t.x("gv uefi %s 0x2000000" % APP), "by its base")
	t.match("called nothing \\(", t.refused("gv uefi %s nothing" % APP), "by a name that is none")
	t.match(r"uefi_app\.efi is at 0x2000000, \d+ bytes\.", t.x("gv uefi " + visor.built("tests/boot/uefi_app.efi")), "the PE itself")
	t.match("exited", t.go("continue") or "", "it goes on to its end")


@session(IMAGE, symbols=IMAGE)
def another_stop_first(t):
	begin(t)
	t.x("hbreak *&output")
	t.match("No such file", t.refused("gv uefi -wait /nonexistent/app.elf"), "a file that is not there is not waited for")
	t.match("stopped before nothing was loaded", t.refused("gv uefi -wait %s nothing" % APP), "a guest that stops for another reason")
	t.equal(t.where(), t.value("(long)&output"), "there")


@session(IMAGE, symbols=IMAGE)
def wrong(t):
	t.x("source " + SCRIPT)
	t.match("No UEFI was found", t.refused("gv uefi"), "before there are tables")
	t.match("No UEFI was found", t.refused("gv uefi -wait " + APP), "nor anything to wait for")
	begin(t, "loaded")
	for line in ("-wait", "-list x", "-what", "a b c", "-wait a b c"):
		t.match("^Usage: gv uefi", t.refused("gv uefi " + line), "gv uefi " + line)
	t.match("No such file", t.refused("gv uefi /nonexistent/app.elf"), "a file that is not there")
	t.match("neither a 64-bit ELF nor a PE", t.refused("gv uefi " + SCRIPT), "a file that is no image's")
	short = os.path.join(DIR, "short.elf")
	with open(APP, "rb") as whole, open(short, "wb") as part:
		part.write(whole.read(100))
	t.match("truncated", t.refused("gv uefi " + short), "a file that is cut off")
	header = t.value("(long)&table_header")
	# Tables that lead nowhere, and round in circles.
	t.x("set {unsigned int}%#x = 0xffffffff" % (header + 4))
	t.match("0x2000000", t.x("gv uefi"), "more images than there are")
	t.x("set {long}%#x = 0x7fffffffffffff00" % (header + 8))
	t.equal(t.x("gv uefi"), "", "a table that is nowhere")
	t.x("set {unsigned int}%#x = 3" % (header + 4))
	t.x("set {long}%#x = (long)&images" % (header + 8))
	t.x("set {short}((long)&app_path + 2) = 0")
	t.match(r"0x2000000 +\d+  \?$", t.x("gv uefi"), "a path without a length")
	t.x("set {char}&tables = 0")
	t.x("set {char}((long)&tables + 24) = 0")
	t.match("no table of its images", t.refused("gv uefi"), "no such table")


lib.main(__file__)
