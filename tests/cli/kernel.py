#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""
A kernel that unpacks and moves itself as Linux does, with Linux's structures: found, looked into and caught by scripts.  What is
seen of a real one is in tests/kernel/.
"""

import os
import re
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import visor

IMAGE, SYMBOLS = "tests/guests/packed.bin", "tests/guests/packed.elf"
SLIDE = "0xc600000"
TASKS = """\
        0       0       0    0  R      0xffffffff[0-9a-f]{8}  \\[swapper/0\\]
        1       1       0    0  S      0xffffffff[0-9a-f]{8}  init
*       5       5       0    0  R      0xffffffff[0-9a-f]{8}  worker
        6       5       0    0  D      0xffffffff[0-9a-f]{8}  thread
""".replace("*", "\\*")


def script(tap, what, *lines, symbols=SYMBOLS, image=IMAGE, good=True):
	"""What the script says; it ends well, or with one line of error."""
	argv = [visor.GDBVISOR, "-s", "none", "-g", "none", "-x", "-"]
	if symbols:
		argv.append("--symbols=" + symbols)
	status, out, err = visor.run([*argv, image], "\n".join((*lines, "")).encode())
	tap.ok((status == 0) == good, what, "status %r\n%s%s" % (status, out, err))
	return out + err


def caught(tap):
	text = script(tap, "from the first instruction to the panic", "break start_kernel", "catch kernel", "catch panic", "catch oops",
		      "continue", "wait 60", "info kernel", "continue", "wait 60", "info kernel",
		      "break kernel_ready", "continue", "wait 60", "info cpus", "info tasks", "info modules", "dmesg",
		      "symbol 0xffffffffa0000011", "break poke", "delete 1", "continue", "wait 60", "continue", "wait 60", "continue",
		      "wait 60", "reset", "continue", "wait 60", "info kernel")
	tap.match("^cpu 0: catchpoint 2: the kernel's first instruction, moved by %s, at 0x2400000$" % SLIDE, text,
		  "the kernel is caught where it was unpacked")
	tap.match("^will run at 0xffffffff8d600000, \\+%s from where it is linked; now it is at gpa 0x2400000$" % SLIDE, text,
		  "and found there, before it has page tables")
	tap.match("^cpu 0: breakpoint 1 at 0xffffffff8d60[0-9a-f]{4} <start_kernel> guests/packed.c:", text,
		  "a breakpoint by name, set before it was unpacked, is hit")
	tap.match("^runs at 0xffffffff8d600000, \\+%s from where it is linked$" % SLIDE, text, "where it runs then")
	tap.match("^cpu 0: breakpoint 5 at .* <kernel_ready> .* \\[worker, pid 5\\]$", text, "a stop names the task")
	tap.match("^\\* 0  long .* <kernel_ready> .* \\[worker, pid 5\\]$", text, "so does info cpus")
	tap.match(TASKS, text, "the tasks and their threads, that of the vCPU marked")
	tap.match("^0xffffffffa0000000 +4096  live +packed_mod$", text, "the modules")
	tap.match("^\\[    0.000001\\] one\\n\\[    2.500001\\] two, at the start$", text, "the log, without what is not yet written")
	tap.match("^0xffffffffa0000011 <poke\\+1>", text, "an address in a module has a name")
	tap.match("^cpu 0: breakpoint 6 at 0xffffffffa0000010 <poke>", text, "a breakpoint by such a name")
	tap.match("^cpu 0: catchpoint 4: oops: general protection fault \\(0x10\\), from 0x[0-9a-f]+ <kernel_ready>, at .* <__die>", text,
		  "an oops, with what it is and where it comes from")
	tap.match("^cpu 0: catchpoint 3: panic: Attempted to kill init! exitcode=0x0000000b, at .* <panic>", text,
		  "a panic, with its message")
	tap.equal(len(re.findall("^cpu 0: catchpoint 2: the kernel's first instruction", text, re.M)), 2, "again after a reset", text)


def sought(tap):
	text = script(tap, "a panic, with nobody looking where the kernel is", "catch panic", "continue", "wait 60", "info kernel")
	tap.match("^cpu 0: catchpoint 1: panic: Attempted to kill init! exitcode=0x0000000b, at ", text, "it is found all the same")
	tap.match("^runs at 0xffffffff8d600000", text, "as it is")


def refused(tap, directory):
	for what, lines, part, how in (
		("no kernel's symbols: info tasks", ["info tasks"], "no symbols of a Linux kernel", {"symbols": None}),
		("no kernel's symbols: catch panic", ["catch panic"], "no symbols of a Linux kernel", {"symbols": None}),
		("before the kernel runs: info kernel", ["info kernel"], "does not run yet", {}),
		("before the kernel runs: dmesg", ["dmesg"], "does not run yet", {}),
		("catch kernel, of what is not packed", ["catch kernel"], "only a Linux kernel", {"image": "examples/hello64.elf"}),
	):
		text = script(tap, what, *lines, good=False, **how)
		tap.ok(part in text and text.count("\n") <= 2, "one line says why", text)
	text = script(tap, "catch kernel, without symbols", "catch kernel", "continue", "wait 60", symbols=None)
	tap.match("catchpoint 1: the kernel's first instruction \\(there are no symbols", text, "the kernel is caught as well")
	other = os.path.join(directory, "other.elf")
	with open(visor.built(SYMBOLS), "rb") as f:
		data = f.read().replace(b"6.1.0-packed", b"6.1.1-packed")
	with open(other, "wb") as f:
		f.write(data)
	text = script(tap, "another kernel's symbols", "catch kernel", "continue", "wait 60", "symbols slide " + SLIDE,
		      "break kernel_ready", "continue", "wait 60", "info kernel", symbols=other, good=False)
	tap.match("the kernel's first instruction \\(this kernel is another than the symbols are of\\)", text, "the catch says so")
	tap.match("another kernel than the symbols are of: Linux version 6.1.0-packed", text, "so does info kernel, with its banner")
	packed = os.path.join(directory, "packed.bin")
	with open(visor.built(IMAGE), "rb") as f:
		data = bytearray(f.read())
	at = data.index(b"\xff\xe0")            # the jump to the copy; the address is made before it
	data[at - 4:at] = b"\xff\xff\xff\x7f"
	with open(packed, "wb") as f:
		f.write(data)
	text = script(tap, "one that unpacks itself in another way", "catch kernel", image=packed, good=False)
	tap.match("not as Linux has it", text, "is refused")


def main():
	visor.need_kvm()
	tap = visor.Tap()
	caught(tap)
	sought(tap)
	with tempfile.TemporaryDirectory(prefix="gv-") as directory:
		refused(tap, directory)
	tap.done()


main()
