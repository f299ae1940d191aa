#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every lldb there is, on real guests: attach, breakpoints, steps, registers, memory, watchpoints, vCPUs, real mode."""

import glob
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "rsp"))
import client
import visor


def lldbs():
	"""The programs to try: $LLDB, or all that are installed."""
	if os.environ.get("LLDB"):
		return os.environ["LLDB"].split()
	found = {}
	for place in os.environ.get("PATH", "").split(os.pathsep):
		for path in sorted(glob.glob(os.path.join(place, "lldb")) + glob.glob(os.path.join(place, "lldb-[0-9]*"))):
			if re.fullmatch(r"lldb(-\d+)?", os.path.basename(path)) and os.access(path, os.X_OK):
				found.setdefault(os.path.realpath(path), path)
	return list(found.values())


class Debugger:
	def __init__(self, tap, program, name):
		self.tap, self.program, self.name = tap, program, name

	def run(self, v, commands, symbols=None):
		"""What lldb says to each command: {command: output}, the last one where a command is given twice."""
		lines = ["settings set auto-confirm true", "settings set use-color false",
			 "settings set plugin.process.gdb-remote.packet-timeout %d" % visor.DEADLINE]
		if symbols:
			lines.append("target create " + symbols)
		lines.append("process connect unix-connect://" + v.target)
		script = v.path("script")
		with open(script, "w") as f:
			f.write("\n".join(lines + commands + ["detach", "quit"]) + "\n")
		try:
			out = subprocess.run([self.program, "--no-lldbinit", "--script-language", "none", "-b", "-s", script],
					     stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
					     timeout=visor.DEADLINE, cwd=v.dir).stdout.decode("utf-8", "replace")
		except subprocess.TimeoutExpired as e:
			out = (e.stdout or b"").decode("utf-8", "replace") + "\n(lldb) TIME IS UP\n"
		self.text = out
		self.said = []
		for part in re.split(r"^\(lldb\) ", out, flags=re.M)[1:]:
			command, _, rest = part.partition("\n")
			self.said.append((command.strip(), rest))
		return self

	def left(self, v):
		"""It has detached: the guest runs, and stops for the next client."""
		try:
			c = client.Client(v.target)
			reply = c.ask(b"?")
			c.close()
		except (OSError, client.ProtocolError) as e:
			reply = repr(e).encode()
		self.tap.ok(reply[:3] == b"T02", "%s: detaches" % self.name, reply)

	def match(self, command, pattern, text, nth=0):
		found = [rest for c, rest in self.said if c == command]
		got = found[nth] if nth < len(found) else self.text
		self.tap.ok(nth < len(found) and re.search(pattern, got, re.M), "%s: %s" % (self.name, text),
			    "no match for %s in:\n%s" % (pattern, got))


def long_mode(d):
	image = visor.built("examples/hello64.elf")
	ticks = visor.symbols(image)["ticks"][0]
	with visor.Visor(image, "-s", "none") as v:
		d.run(v, ["register read rip rsp", "breakpoint set -n tick", "continue", "thread backtrace", "stepi", "stepi",
			  "register write rax 0x1234567", "register read rax", "register read --all", "memory write %#x 1 2 3" % (ticks + 0x100),
			  "memory read -c 4 %#x" % (ticks + 0x100), "memory read -s 8 -f x -c 1 %#x" % ticks, "memory region %#x" % ticks,
			  "memory region 0xffffffff80000000", "breakpoint delete", "watchpoint set variable ticks", "continue",
			  "thread list", "watchpoint delete", "breakpoint set -n tick", "finish", "disassemble -c 3 -s $rip"],
		      symbols=image)
		d.match("register read rip rsp", r"rip = 0x0*100000\b", "begins at the first instruction")
		d.match("continue", r"stop reason = breakpoint 1\.1", "stops at a breakpoint, and says so")
		d.match("thread backtrace", r"frame #1: .*main", "a backtrace")
		d.match("stepi", r"stop reason = instruction step into", "steps an instruction")
		d.match("register read rax", r"rax = 0x0*1234567", "writes a register")
		d.match("register read --all", r"\bcr0 = 0x", "knows control registers")
		d.match("memory read -c 4 %#x" % (ticks + 0x100), r"01 02 03 00", "writes memory")
		d.match("memory region %#x" % ticks, r"\) rwx", "knows what is mapped")
		d.match("memory region 0xffffffff80000000", r"-0xffffffffffffffff\) ---", "and what is not, to the end")
		d.match("continue", r"stop reason = watchpoint 1", "stops at a watchpoint on a variable", nth=1)
		d.match("continue", r"old value: \d+\s+new value: \d+", "with the values", nth=1)
		d.match("thread list", r"thread #1: tid = 0x0001.*CPU#0.*watchpoint", "lists it")
		d.match("finish", r"stop reason = (step out|breakpoint)", "finishes a function")
		d.left(v)


def four_cpus(d):
	image = visor.built("examples/smp4.elf")
	with visor.Visor(image, "-c", "4", "-s", "none") as v:
		# Two may hit it at once: that is one stop, of both.
		d.run(v, ["thread list", "breakpoint set -n cpu_main", "continue", "breakpoint modify --auto-continue true 1",
			  "breakpoint set -n put_number", "continue", "breakpoint list", "thread list", "thread select 1", "register read rip", "thread select 4", "register read rip",
			  "register write rbx 0x44", "thread select 1", "register read rbx", "thread select 4", "register read rbx",
			  "thread backtrace all"], symbols=image)
		d.match("thread list", r"thread #4: tid = 0x0004.*CPU#3", "four vCPUs are four threads")
		d.match("continue", r"thread #[234].*stop reason = breakpoint 1\.1", "a breakpoint on another vCPU")
		d.match("continue", r"thread #1.*stop reason = breakpoint 2\.1", "the first one, behind all others", nth=1)
		d.match("breakpoint list", r"^1: name = 'cpu_main'.*hit count = 3\b", "each of the others hits it")
		d.match("register read rbx", r"rbx = 0x0*44$", "registers are each vCPU's own", nth=1)
		d.match("thread backtrace all", r"thread #4", "backtraces of all")
		d.left(v)


def real_mode(d):
	with visor.Visor(visor.built("examples/boot.bin"), "-s", "none") as v:
		d.run(v, ["register read pc", "disassemble -s 0x7c00 -c 6", "breakpoint set -a 0x7c0a", "stepi", "register read pc",
			  "continue", "memory region 0x7c00", "memory region 0x10000000", "register read cs ss eflags"])
		d.match("register read pc", r"eip = 0x0*7c00", "begins in the boot sector")
		d.match("disassemble -s 0x7c00 -c 6", r"0x7c06: movw +\$0x7c00, %sp", "disassembles 16-bit code")
		d.match("register read pc", r"eip = 0x0*7c02", "steps in real mode", nth=1)
		d.match("continue", r"stop reason = breakpoint 1\.1", "stops at a breakpoint in real mode")
		d.match("memory region 0x7c00", r"\) rwx", "memory is there")
		d.match("memory region 0x10000000", r"\) ---", "or is not")
		d.left(v)


def main():
	visor.need_kvm()
	programs = lldbs()
	if not programs:
		print("1..0 # SKIP lldb is not installed: nothing was tried with it")
		sys.exit(0)
	tap = visor.Tap()
	for program in programs:
		if not shutil.which(program):
			tap.ok(False, "%s can be run" % program)
			continue
		for part in (long_mode, four_cpus, real_mode):
			part(Debugger(tap, program, "%s, %s" % (os.path.basename(program), part.__name__.replace("_", " "))))
	tap.done()


main()
