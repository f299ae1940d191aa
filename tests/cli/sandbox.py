#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the running program can still do: /proc says, commands try; and what gdb's vFile reaches."""

import os
import re
import shutil
import signal
import stat
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, ".."), os.path.join(HERE, "..", "rsp")]
import client
import visor

GUEST = visor.built("tests/guests/nest64.elf")
FILTER = "2"                    # seccomp(2)'s SECCOMP_MODE_FILTER, as proc(5) shows it
UNBUILT = visor.run([visor.GDBVISOR, "--sandbox=on", "--demo", "-e", "quit"])[2]
ENOENT, EACCES = b"F-1,2", b"F-1,d"


def status(v, name):
	"""NAME of all threads, each value once."""
	found = set()
	for tid in os.listdir("/proc/%d/task" % v.child.pid):
		with open("/proc/%d/task/%s/status" % (v.child.pid, tid)) as f:
			found.update(re.findall(r"^%s:\s*(\S+)" % name, f.read(), re.M))
	return found


def command(c, text):
	"""gdb's `monitor TEXT`: what it printed, or the error."""
	reply = c.ask(b"qRcmd," + text.encode().hex().encode())
	said = ""
	while reply[:1] == b"O" and reply != b"OK":
		said += bytes.fromhex(reply[1:].decode()).decode()
		reply = c.receive()
	return said + (bytes.fromhex(reply[3:].decode()).decode() if reply.startswith(b"E.") else reply.decode())


def open_file(c, path, flags=0):
	return c.ask(b"vFile:open:%s,%x,0" % (path.encode().hex().encode(), flags))


def levels(tap):
	for what, args, level, opens in (("--monitor=none", (), "on, nothing can be opened", False),
					 ("with a monitor", ("-M", "unix:{dir}/mon"), "on, files for the monitor's commands", True),
					 ("--sandbox=off", ("--sandbox=off",), "off", True)):
		with visor.Visor("-v", "-c", "2", "-s", "none", *args, GUEST) as v:
			tap.ok(v.wait_text("^gdbvisor: sandbox: %s$" % re.escape(level)), what + ": -v says which it is", v.text)
			c = client.Client(v.path("gdb"))
			tap.ok(c.ask(b"?").startswith(b"T05"), what + ": gdb is served")
			wanted = {"0"} if level == "off" else {FILTER}
			tap.equal(status(v, "Seccomp"), wanted, what + ": every thread has the filter")
			tap.equal(status(v, "NoNewPrivs"), {"0"} if level == "off" else {"1"}, what + ": and no new privileges")
			said = command(c, "slot save 0 " + v.path("saved"))
			tap.equal(os.path.exists(v.path("saved")), opens, what + ": a file is " + ("written" if opens else "not written"), said)
			if not opens:
				tap.ok("Operation not permitted" in said and said.count("\n") <= 1, what + ": one line says why", said)
				said = command(c, "symbols " + GUEST)
				tap.ok("Operation not permitted" in said, what + ": no symbols from a file", said)
				said = command(c, "slot add 5 0x40000000 4K backing=file:" + GUEST)
				tap.ok("Operation not permitted" in said, what + ": no slot on a file", said)
			said = command(c, "slot add 6 0x50000000 64K")
			tap.ok("rror" not in said, what + ": a slot is added", said)
			tap.ok(c.ask(b"vCont;s:1").startswith(b"T05"), what + ": a step")
			c.close()
			v.signal(signal.SIGTERM)
			tap.equal(v.wait(), -signal.SIGTERM, what + ": ends as it should", v.text)
			tap.ok(not os.path.exists(v.path("gdb")), what + ": its socket is gone")


def refusing_host(tap):
	"""A kernel without seccomp(2)."""
	if not shutil.which("strace"):
		tap.skip("a host without filters", "no strace")
		return
	host = ["strace", "-f", "-o", "/dev/null", "-e", "trace=seccomp,prctl", "-e", "inject=seccomp:error=EINVAL"]
	for args, wanted, said in (((), 0, r"\Agdbvisor: warning: the sandbox cannot be entered: .*\n\Z"),
				   (("--sandbox=on",), 64, r"\Agdbvisor: the sandbox cannot be entered: .*\n\Z"),
				   (("--sandbox=off",), 0, r"\A\Z")):
		code, out, err = visor.run([*host, visor.GDBVISOR, *args, GUEST, "-e", "info status"])
		tap.equal(code, wanted, "a host without filters, %s: status %d" % (args or "by default", wanted), out + err)
		tap.ok(re.search(said, err), "a host without filters, %s: what is said" % (args or "by default",), err)
		tap.equal("stopped: " in out, wanted == 0, "a host without filters, %s: what is done" % (args or "by default",), out)


def transports(tap):
	for what, args in (("TCP", ("-g", "tcp:0")), ("a pseudo-terminal", ("-s", "pty")), ("a serial socket", ("-s", "unix:{dir}/serial")),
			   ("a file", ("-s", "file:{dir}/out"))):
		with visor.Visor("-v", *args, "-r", GUEST) as v:
			tap.ok(v.wait_text("^gdbvisor: sandbox: on, nothing can be opened$"), what + ": it starts", v.text)
			tap.equal(status(v, "Seccomp"), {FILTER}, what + ": with the filter")
			v.signal(signal.SIGTERM)
			tap.equal(v.wait(), -signal.SIGTERM, what + ": and ends", v.text)
	code, out, err = visor.run([visor.GDBVISOR, "-M", "none", "-g", "stdio", "-s", "none", GUEST], stdin=client.frame(b"?"))
	tap.ok("T05" in out, "standard input: gdb is served", (code, out, err))
	code, out, err = visor.run([visor.GDBVISOR, "-M", "none", "--sandbox=sometimes", GUEST])
	tap.equal((code, err), (64, "gdbvisor: --sandbox=sometimes: not one of on, off\n"), "a wrong word is refused")


def sockets(tap):
	with visor.Visor("-M", "unix:{dir}/mon", "-s", "unix:{dir}/serial", GUEST) as v:
		for name in ("gdb", "mon", "serial"):
			mode = os.lstat(v.path(name)).st_mode
			tap.ok(stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o600, "%s: its socket is the user's alone" % name, oct(mode))
		kept = v.path("kept")
		with open(kept, "w") as f:
			f.write("precious")
		os.symlink(kept, v.path("link"))
		os.symlink(v.path("nowhere"), v.path("dangling"))
		os.symlink(v.path("gdb"), v.path("to-socket"))
		for name, said in (("kept", "exists and is not a socket"), ("link", "exists and is not a socket"),
				   ("dangling", "exists and is not a socket"), ("to-socket", "exists and is not a socket"),
				   ("gdb", "another program listens there")):
			for option in ("-g", "-M", "-s"):
				others = [w for o in ("-g", "-M", "-s") if o != option for w in (o, "none")]
				code, _, err = visor.run([visor.GDBVISOR, option, "unix:" + v.path(name), *others, GUEST])
				tap.ok(code == 74 and err.count("\n") == 1 and said in err, "%s unix: over %s is refused" % (option, name),
				       (code, err))
		with open(kept) as f:
			tap.equal(f.read(), "precious", "the file is as it was")
	env = dict(os.environ, XDG_RUNTIME_DIR=os.path.dirname(kept) + "-none")
	p = visor.Process([visor.GDBVISOR, "-M", "none", "-s", "none", GUEST], env=env)
	found = p.wait_text(r"^gdb: target remote (.*)/gdb$")
	tap.ok(found and stat.S_IMODE(os.stat(found.group(1)).st_mode) == 0o700, "the default socket's directory is the user's alone", p.text)
	p.close()
	tap.ok(found and not os.path.exists(found.group(1)), "and goes with the program")


def vfile(tap):
	with visor.Visor("-s", "none", GUEST) as v:
		c = client.Client(v.path("gdb"))
		tap.equal(open_file(c, GUEST), b"F0", "vFile: the image can be read")
		with open(GUEST, "rb") as f:
			start = f.read(4)
		tap.ok(c.ask(b"vFile:pread:0,4,0") == b"F4;" + start, "vFile: and is the image")
		link = v.path("link")
		os.symlink(GUEST, link)
		for what, path in (("another file", "/etc/passwd"), ("one above", GUEST + "/../../../../../../etc/passwd"),
				   ("the image by another way", os.path.join(os.path.dirname(GUEST), ".", os.path.basename(GUEST))),
				   ("a link to it", link), ("its name and more", GUEST + "\0x"), ("a shorter name", GUEST[:-1]),
				   ("a relative one", "../../etc/passwd"), ("no name", ""), ("memory", "/proc/self/mem")):
			tap.equal(open_file(c, path), ENOENT, "vFile: not %s" % what)
		for flags, what in ((1, "to write"), (2, "to read and write"), (0x200, "to create"), (0x400, "to empty"), (0x208, "to append")):
			tap.equal(open_file(c, GUEST, flags), EACCES, "vFile: the image is not there " + what)
		tap.equal(c.ask(b"vFile:pwrite:0,0,x"), b"", "vFile: nothing writes")
		tap.equal(c.ask(b"vFile:unlink:" + GUEST.encode().hex().encode()), b"", "vFile: nothing removes")
		tap.equal(c.ask(b"vFile:readlink:" + link.encode().hex().encode()), b"", "vFile: no links are read")
		c.close()


def exposed(tap):
	with visor.Visor("-g", "tcp:0", GUEST) as v:
		tap.match(r"^gdb: target remote 127\.0\.0\.1:\d+$", v.text, "a bare TCP port is on the loopback interface")
		tap.ok("warning" not in v.text, "and no reason for a warning")
	with visor.Visor("-g", "tcp:0.0.0.0:0", GUEST) as v:
		tap.match("warning: whoever can connect to 0.0.0.0:0 owns the guest", v.text, "others get one")


def hardened(tap):
	"""What configure found the tools to take, and what came of it."""
	flags = os.environ.get("HARDEN_LDFLAGS", "")
	p = visor.run(["readelf", "-lWd", visor.GDBVISOR]) if "-pie" in flags and shutil.which("readelf") else None
	if not p:
		tap.skip("a hardened program", "built with '%s', or no readelf" % flags)
		return
	tap.match(r"FLAGS_1\).*\bPIE\b", p[1], "the program is position independent")
	tap.match(r"GNU_STACK .*\bRW ", p[1], "its stack is not executable")
	if "-z,now" in flags:
		tap.match(r"FLAGS_1\).*\bNOW\b", p[1], "and bound at the start")
		tap.match(r"GNU_RELRO", p[1], "with tables that are read-only from then on")
	tap.ok(not re.search(r"^ *LOAD .*RWE", p[1], re.M), "nothing can be written and executed", p[1])


def main():
	visor.need_kvm()
	tap = visor.Tap()
	sockets(tap)
	vfile(tap)
	exposed(tap)
	hardened(tap)
	if "no sandbox: it was built" in UNBUILT:
		tap.equal(UNBUILT.count("\n"), 1, "--sandbox=on is refused by a program without it")
		tap.skip("sessions in the sandbox", UNBUILT.strip())
		tap.done()
	levels(tap)
	transports(tap)
	refusing_host(tap)
	tap.done()


if __name__ == "__main__":
	main()
