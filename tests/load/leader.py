# SPDX-License-Identifier: GPL-3.0-or-later
"""
What a shell is to the program on its terminal: `leader.py FD PROGRAM ARGS...`, its standard input a terminal that nobody has yet.
Says on FD when the program has stopped, gone on and ended; wakes it whenever a byte comes on FD; passes SIGHUP on.
"""

import fcntl
import os
import select
import signal
import sys
import termios


def tell(fd, text):
	os.write(fd, text.encode() + b"\n")


def main():
	fd = int(sys.argv[1])
	os.set_inheritable(fd, False)
	if os.getsid(0) != os.getpid():
		os.setsid()
	fcntl.ioctl(0, termios.TIOCSCTTY, 0)
	signal.signal(signal.SIGTTOU, signal.SIG_IGN)
	ended = os.pipe()
	os.set_blocking(ended[1], False)
	signal.set_wakeup_fd(ended[1], warn_on_full_buffer=False)
	signal.signal(signal.SIGCHLD, lambda *_: None)
	pid = os.fork()
	if not pid:
		os.setpgid(0, 0)
		os.tcsetpgrp(0, os.getpid())
		for n in (signal.SIGTTOU, signal.SIGHUP, signal.SIGCHLD):
			signal.signal(n, signal.SIG_DFL)
		os.execvp(sys.argv[2], sys.argv[2:])
	# a terminal that vanishes is the shell's to tell
	signal.signal(signal.SIGHUP, lambda *_: os.kill(pid, signal.SIGHUP))
	tell(fd, "pid %d" % pid)
	while True:
		ready = select.select([fd, ended[0]], [], [])[0]
		if fd in ready:
			if not os.read(fd, 1):
				os.kill(pid, signal.SIGKILL)
			else:
				os.tcsetpgrp(0, pid)
				os.kill(pid, signal.SIGCONT)
		if ended[0] in ready:
			os.read(ended[0], 100)
		while True:
			got, status = os.waitpid(pid, os.WUNTRACED | os.WCONTINUED | os.WNOHANG)
			if not got:
				break
			if os.WIFSTOPPED(status):
				tell(fd, "stopped")
			elif os.WIFCONTINUED(status):
				tell(fd, "continued")
			else:
				tell(fd, "ended %d" % os.waitstatus_to_exitcode(status))
				return


main()
