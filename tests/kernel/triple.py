#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A triple fault of Linux, in a module: where, how it got there, and what the guest did last."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lx
import visor

visor.need_kvm()
tap = visor.Tap()
SCRIPT = """\
continue
expect "gv# " 800
serial send insmod /gvmod.ko\\n
expect "gvmod: loaded" 300
expect "gv# " 100
serial send echo 1 > /sys/module/gvmod/parameters/triple\\n
wait 300
backtrace 40
"""

status, out, err = visor.run([visor.GDBVISOR, "-g", "none", "--symbols=" + lx.VMLINUX, "-x", "-",
			      *lx.args(append="nokaslr")], stdin=SCRIPT.encode(), timeout=visor.DEADLINE)
said = out + err
tap.equal(status, 0, "the script comes to its end", said[-4000:])
death = said[said.find("triple fault"):]
tap.match(r"triple fault", death, "it is a triple fault")
tap.match(r"0f 0b +ud2|ud2", death, "of the instruction that is to blame")
tap.match(r"<set_triple\+|<param_attr_store\+", death, "the stack names who called")
tap.match(r"(?m)^#\d+ .*<do_syscall_64\+", death, "backtrace goes down to the system call")
tap.match(r"(?m)^\d+ +-\d+\.\d+s +cpu 0 ", death, "and the last exits are listed")
tap.done()
