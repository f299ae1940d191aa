#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""
Linux with a real gdb, from before its first instruction to a shell and on: what one does with a kernel that one
debugs.  The kernel is where it was linked, and user mode has page tables of its own.
"""

import os
import re
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lx
import lib
import visor
from lib import session

# The machine has the symbols, too: for its own commands, and the tasks in info threads.
ARGS = lx.args(append="nokaslr pti=on", extra=("--symbols=" + lx.VMLINUX,))
USER_END = 1 << 47


def type_in(t, line):
	t.x("monitor serial send " + line + "\\n")


def started(t):
	"""What each session begins with."""
	scripts = os.path.join(lx.KERNEL, "vmlinux-gdb.py")
	# It looks for its other files beside __file__, which gdb leaves as it is when a script sources another.
	globals()["__file__"] = sys.modules["__main__"].__file__ = scripts
	t.x("source " + scripts)


@session(args=ARGS[:-1], image=ARGS[-1], symbols=lx.VMLINUX, interrupt=[lx.PROMPT])
def the_start(t):
	t.ok(t.where() != t.value("(long)&start_kernel"), "the kernel has not begun")
	t.x("break start_kernel")
	t.equal(t.go("continue"), "breakpoint 1", "a breakpoint on start_kernel, set before there was memory, is hit")
	t.match(r"^#0 +start_kernel \(\) at .*init/main\.c:\d+\n#1 .*x86_64_start_reservations.*\n#2 .*x86_64_start_kernel",
		t.x("backtrace"), "backtrace tells how it got there")
	t.equal(gdb.parse_and_eval("init_task.comm").string(), "swapper", "init_task.comm can be printed")
	first = gdb.selected_frame().find_sal().line
	t.x("tbreak setup_arch")
	t.go("continue")
	t.equal(gdb.selected_frame().name(), "setup_arch", "a temporary one in what it calls is")
	t.x("delete")
	t.equal(t.go("finish"), "stopped", "finish ends")
	t.equal(gdb.selected_frame().name(), "start_kernel", "in start_kernel")
	after = gdb.selected_frame().find_sal().line
	t.ok(after > first, "further down", "%d, then %d" % (first, after))
	if t.where() != gdb.selected_frame().find_sal().pc:
		t.go("next")
	before = gdb.selected_frame().find_sal().line
	t.go("next")
	t.equal((gdb.selected_frame().name(), gdb.selected_frame().find_sal().line > before), ("start_kernel", True),
		"next leads to a line further down")
	t.equal(t.go("continue"), "SIGINT", "and it goes on to the shell's prompt")


@session(same=True, symbols=lx.VMLINUX)
def scripts_of_linux(t):
	started(t)
	said = t.x("lx-dmesg")
	t.match(r"\] Linux version 6\.1\.\d+-gdbvisor ", said, "lx-dmesg shows the log from its beginning")
	t.match(r"\] Run /init as init process", said, "to its end")
	tasks = t.x("lx-ps")
	t.match(r"^0x[0-9a-f]+ +0 +swapper", tasks, "lx-ps shows tasks")
	t.match(r"^0x[0-9a-f]+ +1 +sh\b", tasks, "among them the shell")
	own = t.x("monitor info tasks")
	t.match(r"\bsh\b", own, "the machine itself knows them too")
	t.match(r"Linux version 6\.1", t.x("monitor dmesg"), "and the log")


@session(same=True, symbols=lx.VMLINUX)
def a_watchpoint(t):
	before = t.value("jiffies_64")
	t.x("watch jiffies_64")
	t.match("breakpoint", t.go("continue"), "a watchpoint on jiffies_64 is hit")
	t.equal(t.value("jiffies_64") > before, True, "which has grown")
	t.match(r"tick_do_update_jiffies64|do_timer", t.x("backtrace"), "by who keeps time")


@session(same=True, symbols=lx.VMLINUX)
def a_system_call(t):
	started(t)
	t.x("break do_sys_openat2 if $_streq((char *)filename, \"/proc/version\")")
	type_in(t, "cat /proc/version")
	t.match("breakpoint", t.go("continue"), "a breakpoint with a condition on a string is hit")
	t.match(r"(?s)do_sys_openat2.*do_syscall_64.*entry_SYSCALL_64", t.x("backtrace"), "backtrace goes to the system call")
	t.match("cat", t.x("print $lx_current().comm"), "the task is cat")
	t.x("delete")
	t.match(r"\bcat\b", t.x("info threads"), "info threads names it")
	t.x("finish")
	t.equal(t.value("$rax") < 1024, True, "finish shows a descriptor")


@session(same=True, symbols=lx.VMLINUX, interrupt=[r"^spin: done\r?$"])
def a_condition_in_the_scheduler(t):
	rounds = 10000
	t.x("break do_sched_yield if jiffies_64 == 0")
	type_in(t, "spin yield")
	began = time.monotonic()
	t.equal(t.go("continue"), "SIGINT", "a condition that is false %d times does not stop the guest" % rounds)
	took = time.monotonic() - began
	t.ok(True, "a round took %.0f us" % (took / rounds * 1e6))


@session(same=True, symbols=lx.VMLINUX, interrupt=[r"spin: ready\r?$"])
def user_mode(t):
	type_in(t, "spin &")
	t.go("continue")
	t.x("add-symbol-file " + lx.SPIN)
	for _ in range(50):
		if t.where() < USER_END:
			break
		# The kernel's timer ticks take some of the time.
		threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
		t.go("continue")
	t.ok(t.where() < USER_END, "it is stopped in user mode", hex(t.where()))
	t.equal(gdb.parse_and_eval("init_task.comm").string(), "swapper/0", "the kernel's memory can be read there")
	t.ok(t.value("jiffies_64") > 0, "all of it")
	t.match("spin", t.x("info threads"), "info threads names the program")
	t.ok(t.value("spin_count") > 0, "whose memory can be read as well")


def complaints(t):
	return re.findall(r"(?i).*(?:stall|soft lockup|hung|blocked for more).*", t.x("monitor dmesg"))


@session(same=True, symbols=lx.VMLINUX, interrupt=[r"awake\r?$"])
def a_minute_at_a_breakpoint(t):
	before = complaints(t)
	# Longer than any of Linux's watchdogs waits; after it, longer than they take to look.
	time.sleep(60)
	type_in(t, "kill $!; sleep 25; echo a''wake")
	t.equal(t.go("continue"), "SIGINT", "the guest goes on")
	t.equal(complaints(t)[len(before):], [], "and does not complain of a stall")


@session(same=True, symbols=lx.VMLINUX)
def a_module(t):
	started(t)
	type_in(t, "insmod /gvmod.ko")
	t.x("break do_init_module")
	t.match("breakpoint", t.go("continue"), "a module is loaded")
	t.x("delete")
	t.x("lx-symbols " + lx.KERNEL)
	t.x("break gvmod_add")
	type_in(t, "echo 5 > /sys/module/gvmod/parameters/add")
	t.match("breakpoint", t.go("continue"), "a breakpoint in it is hit")
	t.equal(t.value("n"), 5, "where its argument can be printed")
	t.match(r"(?s)gvmod_add.*set_add.*param_attr_store", t.x("backtrace"), "and backtrace has both kinds of functions")
	t.x("finish")
	t.equal(t.value("gvmod_sum"), 5, "and a variable of its")
	t.match(r"\bgvmod\b", t.x("monitor info modules"), "the machine itself lists it")
	t.x("delete")


@session(same=True, symbols=lx.VMLINUX)
def a_panic(t):
	t.x("monitor catch panic")
	type_in(t, "echo c > /proc/sysrq-trigger")
	t.go("continue")
	t.equal(gdb.selected_frame().name(), "panic", "catch panic stops where the kernel panics")
	t.match(r"sysrq_handle_crash", t.x("backtrace"), "with the state at the call")
	t.match("sysrq triggered crash", t.x("print (char *)fmt"), "and what it is to say")


lib.main(__file__)
