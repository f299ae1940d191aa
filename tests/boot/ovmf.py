#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""
UEFI (OVMF) with gdb.  Its first instructions always; with GV_UEFI set (make check-uefi), for a start takes ten minutes
where KVM emulates kernel code: to its shell, with an application that is debugged, and variables that last.
"""

import os
import shutil
import sys

ALL = bool(os.environ.get("GV_UEFI"))
if ALL:
	os.environ.setdefault("GV_TEST_DEADLINE", "7200")

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import boot
import images
import lib
import visor
from lib import session

boot.need("ovmf", "ovmf-variables", "ovmf-whole", "mformat", "mcopy")
SCRIPT = visor.source("gdbstub/gdbvisor.py")
CODE, WHOLE = images.path("ovmf"), images.path("ovmf-whole")
APP = visor.built("tests/boot/uefi_app.elf")
SHELL = "7c04a583-9e3e-4f1c-ad65-e05268d0b4d1"  # its file in OVMF's firmware volume
VARIABLE = "GvStarts".encode("utf-16-le")


def contents(path):
	with open(path, "rb") as f:
		return f.read()


def disk_with(*commands):
	def make(where):
		images.fat_disk(where, [("uefi_app.efi", contents(visor.built("tests/boot/uefi_app.efi"))),
					("startup.nsh", "\r\n".join(commands).encode() + b"\r\n")])
	return make


VARS = boot.image("vars.fd", lambda where: shutil.copy(images.path("ovmf-variables"), where))
OFF = boot.image("off.img", disk_with("fs0:", "uefi_app.efi", "reset -s"))
AGAIN = boot.image("again.img", disk_with("fs0:", "uefi_app.efi", "reset"))


@session(args=["-b", CODE, "--nvram=%s,snapshot" % VARS])
def first_instructions(t):
	t.x("source " + SCRIPT)
	t.equal(t.where(), 0xfffffff0, "the machine starts at the reset vector")
	t.match(r"0xffc00000-0xffc83fff +528K +flash .* ro", t.x("gv slots"), "its variables are below")
	t.match(r"0xffc84000-0xffffffff +3568K +rom .* ro", t.x("gv slots"), "the firmware")
	t.equal(t.read(0xffc00000, 128), contents(VARS)[:128], "the variables are those of the file")
	t.equal(t.read(0xfffffff0, 16), contents(CODE)[-16:], "and so is the firmware")
	t.match(r"flash.*\n.*0xffc00000.*\n.*shows +0x00 +the array", t.x("gv info devices flash"), "it is a device as well")
	t.x("gv catch port 0xcf8")
	t.ok(t.go("continue"), "it looks at PCI")
	t.match(r"0 +(prot32|long)", t.x("gv cpus"), "in its C code")
	t.ok(t.where() > 0xffc84000, "out of the ROM", "%#x" % t.where())
	t.match("No UEFI was found", t.refused("gv uefi"), "before there are images")


@session(args=["-b", WHOLE])
def variables_inside(t):
	t.x("source " + SCRIPT)
	t.match(r"0xffe00000-0xffe1ffff +128K +flash .* ro", t.x("gv slots"), "a whole image's variables are flash memory")
	t.match(r"0xffe20000-0xffffffff +1920K +rom .* ro", t.x("gv slots"), "and its code is not")
	t.equal(t.read(0xffe00000, 128), contents(WHOLE)[:128], "as they are in it")
	t.match("in memory alone", t.x("gv info devices flash"), "they are kept in memory")


def slow(**how):
	"""A session of `make check-uefi`."""
	return session(**how) if ALL else lambda function: function


def kept(tap, v):
	tap.match(r"UEFI Interactive Shell v2", v.text, "the shell says its version")
	tap.match(r"application here: start 1, squares 385", v.text, "the application has run")
	after = contents(VARS)
	tap.ok(len(after) == len(contents(images.path("ovmf-variables"))), "the variables' file has its size")
	tap.ok(VARIABLE in after, "and has the variable")
	shutil.copy(VARS, VARS + ".then")


@slow(args=["-b", CODE, "--nvram=" + VARS, "-d", OFF], interrupt=[r"Press ESC in"], after=kept)
def an_application(t):
	t.x("source " + SCRIPT)
	t.equal(t.go("continue"), "SIGINT", "the shell is there")
	t.match(SHELL, t.x("gv uefi"), "and among the images that are loaded")
	t.match(r"uefi_app\.efi is at 0x\w+, \d+ bytes\.$", t.x("gv uefi -wait " + APP), "the application is waited for")
	at = visor.symbols(APP)
	base = t.value("(long)&sum_squares") - at["sum_squares"][0]
	t.equal(base % 4096, 0, "it is loaded at a page")
	t.x("break sum_squares")
	t.match(r"^breakpoint \d", t.go("continue") or "", "a breakpoint in it is hit")
	t.equal(t.value("n"), 10, "its argument")
	t.match(r"#0 .*sum_squares \(n=.*10\).*uefi_app\.c.*\n#1 .*app_main", t.x("bt"), "the way there")
	t.go("finish")
	t.equal(t.value("$rax"), 385, "what it returns")
	t.x("tbreak count_starts")
	t.match(r"^breakpoint \d", t.go("continue") or "", "a breakpoint a function further")
	t.equal(t.value("squares"), 385, "its variable is set")
	t.x("delete")
	t.match("exited", t.go("continue") or "", "the shell's reset -s powers the machine off")


def unchanged(tap, v):
	tap.match(r"FS0: Alias", v.text, "map lists the disk")
	tap.match(r"application here: start 2, squares 385", v.text, "the variable has lasted")
	tap.ok(contents(VARS) == contents(VARS + ".then"), "with ,snapshot the file stays as it was")


@slow(args=["-b", CODE, "--nvram=%s,snapshot" % VARS, "-d", OFF], after=unchanged,
	 interrupt=[r"Press ESC in", r"Shell> ", r"UEFI v2\.\d+.*\n(.*\n)*?Shell> ", r"(?s)Mapping table.*?Shell> ", r"start 2.*"])
def typed_commands(t):
	t.equal(t.go("continue"), "SIGINT", "the shell is there")
	t.x("monitor serial send \\x1b")
	t.equal(t.go("continue"), "SIGINT", "it gives its prompt")
	for command in ("ver", "map", "fs0:uefi_app.efi"):
		t.x("monitor serial send %s\\r" % command)
		t.equal(t.go("continue"), "SIGINT", "it answers " + command)
	t.x("monitor serial send reset -s\\r")
	t.match("exited", t.go("continue") or "", "and reset -s powers the machine off")


@slow(args=["-c", "2", "-b", WHOLE, "-d", AGAIN], interrupt=["start 2, squares 385"])
def through_a_reset(t):
	t.equal(t.go("continue"), "SIGINT", "variables in memory last through a reset")


if not ALL and not lib.INSIDE:
	print("# NOT TESTED here: the shell, an application, variables that last; make check-uefi does (slow where KVM emulates)")
lib.main(__file__)
