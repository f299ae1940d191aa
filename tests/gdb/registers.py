#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every register with gdb, in all three layouts: shown, by its bits, written and read back, and refused with a text."""

import os
import re
import sys
import xml.etree.ElementTree as ElementTree

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lib
from lib import session

NEST64 = {"image": "tests/guests/nest64.elf", "symbols": "tests/guests/nest64.elf"}
NEST32 = {"image": "tests/guests/nest32.elf", "symbols": "tests/guests/nest32.elf"}
BIG = 0xffff800000123000
HAS = re.compile(r"^(\w+)", re.M)


def names(t, what):
	return set(HAS.findall(t.x("info registers " + what)))


def structure(t):
	"""What the DTD and gdb ask of a description; the names of its features."""
	tree = ElementTree.fromstring(re.sub("<!DOCTYPE[^>]*>", "", t.x("maintenance print xml-tdesc")))
	t.equal([e.tag for e in tree][:2], ["architecture", "osabi"], "architecture and osabi come first")
	features = tree.findall("feature")
	t.ok(all(f.get("name") for f in features), "every feature has a name")
	children = {c.tag for f in features for c in f}
	t.ok(children <= {"reg", "vector", "flags", "struct", "union", "enum"}, "of what the DTD knows", children)
	types = {c.get("id") for f in features for c in f if c.tag != "reg"}
	builtin = re.compile(r"^(u?int(8|16|32|64|128)?|long|bool|i387_ext|ieee_\w+|code_ptr|data_ptr)$")
	used = {r.get("type") for r in tree.iter("reg")} | {f.get("type") for f in tree.iter("field") if f.get("type")}
	t.ok(all(u in types or builtin.match(u) for u in used), "every type used is defined",
	     [u for u in used if u not in types and not builtin.match(u)])
	numbers = sorted(int(r.get("regnum")) for r in tree.iter("reg"))
	t.equal(len(set(numbers)), len(numbers), "no number is given twice")
	return {f.get("name") for f in features}


def refused(t, command, text):
	t.match(text, t.refused(command), "%s is refused: %s" % (command, text))


@session(**NEST64)
def long_mode(t):
	features = structure(t)
	shown = names(t, "")
	for name in ("rax", "rip", "eflags", "cs", "gs_base", "cr0", "cr3", "cr8", "efer", "dr7", "gdtr_base", "idtr_limit",
		     "ldtr", "tr_attr", "cs_limit", "gs_attr", "xcr0", "star", "lstar", "fmask", "sysenter_eip", "pat",
		     "apic_base", "tsc_aux", "ip", "cs_base"):
		t.ok(name in shown, "info registers shows " + name)
	t.match(r"(?s)st0.*fop", t.x("info registers float"), "info registers float")
	t.match(r"mxcsr.*\[", t.x("info registers vector"), "info registers vector")
	for group in ("general", "system", "segment", "debug", "tables", "msr"):
		t.equal(t.refused("info registers " + group), "", "info registers %s is a group gdb takes" % group)
	for group, name in (("control", "cr4"), ("segment", "gs"), ("debug", "dr7"), ("tables", "gdtr_base"), ("msr", "lstar")):
		t.match(r"^%s\b|\b%s " % (name, name), t.x("monitor info registers " + group),
			"the monitor's group %s has %s" % (group, name))
	t.match(r"flags = \[ PE MP ET NE PG \]", t.x("info registers cr0"), "info registers cr0 names its bits")
	t.equal(str(lib.gdb.parse_and_eval("$cr0.PE")), "true", "$cr0.PE")
	t.equal(str(lib.gdb.parse_and_eval("$cr0.WP")), "false", "$cr0.WP")
	t.equal(t.value("$cr0"), t.value("$cr0.value"), "it can be cast to a number")
	t.equal(t.value("$efer.LMA && $efer.LME"), 1, "$efer.LMA")
	t.equal(t.value("$cs_attr.L"), 1, "$cs_attr.L")
	t.equal(t.value("$cs_attr.type"), 11, "$cs_attr.type")
	t.equal(t.value("$pat.PA1"), 4, "$pat.PA1")
	t.equal(t.value("$apic_base.BSP"), 1, "$apic_base.BSP")
	t.match(r"\[ .*S.*P.*G \]", t.x("info registers ss_attr"), "attributes by name")
	for name in ("lstar", "cstar", "sysenter_esp", "sysenter_eip", "k_gs_base", "gs_base", "gdtr_base", "idtr_base",
		     "tr_base", "cr2"):
		t.x("set $%s = %#x" % (name, BIG))
		t.equal(t.value("$" + name), BIG, name + " can be written")
	for name, value in (("star", 0x23001000000000), ("fmask", 0x47700), ("sysenter_cs", 0x10), ("tsc_aux", 5),
			    ("gdtr_limit", 0x7f), ("idtr_limit", 0xfff), ("cr8", 3), ("ds_limit", 0xfffff)):
		t.x("set $%s = %#x" % (name, value))
		t.equal(t.value("$" + name), value, name + " can be written")
	t.x("set $cr0.WP = 1")
	t.equal(t.value("$cr0.value") & 0xffffffff, 0x80010033, "one bit of cr0 can be set")
	t.x("set $cr0.value = 0x80000033")
	t.equal(t.value("$cr0.WP"), 0, "and all of it")
	t.x("set $pat.value = 0x0007040600070406")
	t.x("set $dr7.value = 0xc0")
	t.equal(t.value("$dr7.L3 && $dr7.G3"), 1, "dr7's bits")
	for command, text in (
			("set $cr0.PG = 0", "cr0.PG cannot go off in 64-bit code"),
			("set $cr0.PE = 0", "cr0.PG needs cr0.PE"),
			("set $cr0.NW = 1", "cr0.NW needs cr0.CD"),
			("set $cr0.value |= (1 << 20)", "cr0 has reserved bits set"),
			("set $cr3 = 1UL << 62", "cr3 has bits set above"),
			("set $cr4.PAE = 0", "cr4.PAE cannot change in long mode"),
			("set $cr4.LA57 = 1", "cr4.LA57 cannot change in long mode"),
			("set $cr8 = 16", "cr8 has 4 bits"),
			("set $efer.LME = 0", "efer.LME cannot change while cr0.PG is on"),
			("set $efer.value |= 2", "efer has bits set that this processor does not know"),
			("set $xcr0.value = 0", "x87 cannot be off"),
			("set $xcr0.value = 5UL", "AVX needs SSE|no such state"),
			("set $xcr0.value = 0x27UL", "three of AVX-512 go together|no such state"),
			("set $mxcsr = 0x10000", "mxcsr 0x10000 has reserved bits"),
			("set $eflags = 0x20002", "eflags.VM changes only"),
			("set $cs_attr.type = 0", "cs's type is none it can have"),
			("set $cs_attr.DB = 1", "cs.L and cs.DB exclude each other"),
			("set $ss_attr.P = 0", "ss's segment is not present"),
			("set $tr_attr.unusable = 1", "tr's segment cannot be unusable"),
			("set $ds_limit = 0x100000", "ds's limit does not fit"),
			("set $ds_base = 1UL << 32", "ds's base is not canonical, or beyond 4 GiB"),
			("set $gs_base = 1UL << 47", "gs's base is not canonical"),
			("set $gdtr_base = 1UL << 47", "gdtr's base is not canonical"),
			("set $gdtr_limit = 0x10000", "gdtr_limit has 16 bits"),
			("set $lstar = 1UL << 47", "MSR 0xc0000082 does not take 0x800000000000"),
			("set $pat.value = 2UL", "MSR 0x277 does not take 0x2"),
			("set $dr7.value = 0xc00004c0", "longer than one byte"),
			("set $rip = 1UL << 47", "not canonical")):
		name = re.match(r"set \$(\w+)", command).group(1)
		before = str(lib.gdb.parse_and_eval("$" + name))
		refused(t, command, text)
		lib.gdb.execute("maintenance flush register-cache", False, True)
		t.equal(str(lib.gdb.parse_and_eval("$" + name)), before, "%s is as it was" % name)
	rip = t.where()
	t.x("stepi")
	t.ok(t.where() > rip, "and the guest goes on")
	t.equal(t.value("$lstar"), BIG, "lstar is as it was set")
	if "org.gnu.gdb.i386.avx512" in features:
		t.x("set $k3 = 0x1122334455667788")
		t.x("set $zmm2.v8_int64 = {1, 2, 3, 4, 5, 6, 7, 8}")
		t.x("set $zmm30.v8_int64 = {11, 12, 13, 14, 15, 16, 17, 18}")
		t.x("stepi")
		t.equal(t.value("$k3"), 0x1122334455667788, "k3 holds over a step")
		t.match(r"{1, 2, 3, 4, 5, 6, 7, 8}", t.x("print $zmm2.v8_int64"), "zmm2 too")
		t.match(r"{11, 12, 13, 14, 15, 16, 17, 18}", t.x("print $zmm30.v8_int64"), "zmm30 too")
		t.match(r"{11, 12, 13, 14}", t.x("print $ymm30.v4_int64"), "ymm30 is its lower half")
		t.match(r"{11, 12}", t.x("print $xmm30.v2_int64"), "xmm30 that one's")
	else:
		t.ok(True, "AVX-512 # SKIP this host's KVM has no such state")
	if "org.gnu.gdb.i386.pkeys" in features:
		t.x("set $pkru = 0x55555554")
		t.x("stepi")
		t.equal(t.value("$pkru"), 0x55555554, "pkru holds over a step")
	else:
		t.ok(True, "protection keys # SKIP this host's KVM has no such state")


@session(**NEST64)
def by_the_monitor(t):
	t.match(r"c0000082 lstar +0x0", t.x("monitor info msrs"), "info msrs")
	t.match(r"0xffff800000001000", t.x("monitor msr lstar 0xffff800000001000"), "msr writes by name")
	lib.gdb.execute("maintenance flush register-cache", False, True)
	t.equal(t.value("$lstar"), 0xffff800000001000, "which is gdb's $lstar")
	t.match(r"lstar +0xffff800000001000", t.x("monitor msr 0xc0000082"), "msr reads by number")
	t.match(r"efer +0x500", t.x("monitor msr efer"), "efer is one of them")
	refused(t, "monitor msr efer 0", "Protocol error")
	refused(t, "monitor msr 0x12345678", "Protocol error")
	t.match(r"efer +0x500", t.x("monitor msr efer"), "and what is refused stays")


@session(**NEST64)
def plain(t):
	t.match("x86-64.*auto, plain when", t.x("monitor tdesc plain").replace("\n", " "), "plain registers, to be asked for")
	t.equal(str(lib.gdb.parse_and_eval("$cr0.PE")), "true", "not before")
	t.x("unset tdesc filename")
	t.equal(t.value("$cr0 & 1"), 1, "then cr0 is a number")
	t.x("monitor tdesc bits")
	t.x("unset tdesc filename")
	t.equal(str(lib.gdb.parse_and_eval("$cr0.PE")), "true", "and has members again")
	refused(t, "monitor tdesc i286", "Protocol error")


@session(**NEST32)
def protected_mode(t):
	structure(t)
	shown = names(t, "")
	for name in ("eax", "eip", "cr0", "gdtr_base", "ldtr_attr", "cs_limit", "lstar", "sysenter_eip", "xcr0", "dr7"):
		t.ok(name in shown, "info registers shows " + name)
	t.equal(str(lib.gdb.parse_and_eval("$cr0.PE")), "true", "$cr0.PE")
	t.equal(str(lib.gdb.parse_and_eval("$cr0.PG")), "false", "$cr0.PG")
	t.equal(t.value("$cs_attr.DB"), 1, "$cs_attr.DB")
	t.x("set $cr0.WP = 1")
	t.equal(t.value("$cr0.WP"), 1, "one bit can be set")
	t.x("set $cr0.WP = 0")
	t.x("set $lstar = 0xffff800000001000")
	t.equal(t.value("$lstar"), 0xffff800000001000, "an MSR has its 64 bits")
	refused(t, "set $cs_attr.L = 1", "cs.L needs long mode")
	refused(t, "set $cr4.PCIDE = 1", "cr4.PCIDE needs long mode|does not take")
	before = t.where()
	t.x("stepi")
	t.ok(t.where() != before, "and the guest goes on")


@session("tests/guests/real.bin", symbols="tests/guests/real.elf")
def real_mode(t):
	structure(t)
	t.match("i8086", t.x("show architecture"), "the description is i8086's")
	t.equal(str(lib.gdb.parse_and_eval("$cr0.PE")), "false", "$cr0.PE")
	t.x("set $cs = 0x7c0")
	t.x("set $eip = 0x7c00")
	lib.gdb.execute("maintenance flush register-cache", False, True)
	t.equal((t.value("$cs_base"), t.value("$ip"), t.where()), (0x7c00, 0, 0x7c00), "pc is cs's base and ip")
	refused(t, "set $pc = 0x17c00", "out of reach of cs")
	refused(t, "set $pc = 0x7bff", "out of reach of cs")
	refused(t, "set $ip = 0x10000", "ip 0x10000 is beyond 0xffff")
	refused(t, "set $cr0.PG = 1", "cr0.PG needs cr0.PE")
	t.x("set $pc = 0x7c00")
	lib.gdb.execute("maintenance flush register-cache", False, True)
	t.equal(t.where(), 0x7c00, "pc is as it was")
	t.x("stepi")
	t.x("tbreak *0x7c02")
	t.x("jump *0x7c00")
	t.equal(t.where(), 0x7c02, "jump writes all of them, with a linear pc")
	t.equal(t.value("$ip"), 2, "and comes to ip 2")


@session("tests/guests/real.bin", args=("--tdesc=x86-64",))
def on_the_command_line(t):
	t.match("x86-64", t.x("show architecture"), "--tdesc=x86-64 in real mode")
	t.equal(t.where(), 0x7c00, "pc is linear")
	t.x("monitor tdesc i386")
	t.x("unset tdesc filename")
	t.match("i386", t.x("show architecture"), "monitor tdesc i386")
	t.equal(t.where(), 0x7c00, "the same pc")
	t.x("monitor tdesc auto")
	t.x("unset tdesc filename")
	t.match("i8086", t.x("show architecture"), "monitor tdesc auto")


lib.main(__file__)
