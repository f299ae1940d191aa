#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scripts as a process: what goes to standard output and error, the exit status, scripts from standard input."""

import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from rig import DEADLINE, PROGRAM, main, run  # noqa: E402


def script(text, *arguments):
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "s.gv")
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        status, out, error = run(*arguments, "-x", path)
        return status, out, error.replace(directory + "/", "")


def check(got, status, out, error):
    assert got == (status, out, error), got


def statuses():
    check(script("echo a\nassert 1\n"), 0, "a\n", "")
    check(script("echo a\nassert 0 \"b\"\necho c\n"), 72, "a\n", "s.gv:2: not so: b\n")
    check(script("echo a\nnosuch\n"), 66, "a\n", "s.gv:2: there is no command 'nosuch' (help lists them)\n")
    check(script("break\n"), 66, "", "s.gv:1: usage: break EXPR|FILE:LINE [cr3=EXPR] [cpu=N] [if EXPR]\n")
    check(script("quit 5\necho no\n"), 5, "", "")
    check(script("quit\n"), 0, "", "")
    status, _, error = run("-x", "/nonexistent/x")
    assert status == 66 and "/nonexistent/x: No such file or directory" in error


def commands():
    check(run("-e", "echo a", "-e", "print 1"), 0, "a\n0x1 = 1\n", "")
    check(run("-e", "echo a", "-e", "nosuch"), 64, "a\n", "-e:2: there is no command 'nosuch' (help lists them)\n")
    check(run("-e", "print 1+"), 64, "", "-e:1: column 9: the expression ends too early\n")
    check(run("-e", "assert 0"), 72, "", "-e:1: not so: 0\n")


def from_standard_input():
    check(run("-x", "-", stdin=b"echo a\nassert 0\n"), 72, "a\n", "<stdin>:2: not so: 0\n")
    check(run("-e", "echo first", "-x", "-", "-e", "echo last", stdin=b"echo a"), 0, "first\na\nlast\n", "")
    with tempfile.TemporaryFile() as f:
        f.write(b"echo from a file\n")
        f.seek(0)
        done = subprocess.run([PROGRAM, "-x", "-"], stdin=f, capture_output=True, timeout=DEADLINE)
        assert (done.returncode, done.stdout) == (0, b"from a file\n")
    done = subprocess.run([PROGRAM, "-x", "-"], stdin=subprocess.DEVNULL, capture_output=True, timeout=DEADLINE)
    assert done.returncode == 0


class Driven:
    """A script on standard input that is written as one goes, and a guest."""

    def __init__(self, *arguments):
        guest, self.guest = os.pipe()
        self.process = subprocess.Popen([PROGRAM, "-p", str(guest), *arguments], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, pass_fds=[guest])
        os.close(guest)

    def say(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def play(self, line):
        os.write(self.guest, line.encode() + b"\n")

    def line(self):
        return self.process.stdout.readline().decode()

    def end(self):
        out, error = self.process.communicate(timeout=DEADLINE)
        os.close(self.guest)
        return self.process.returncode, out.decode(), error.decode()


def line_by_line():
    d = Driven("-x", "-")
    d.say("print 1")
    assert d.line() == "0x1 = 1\n"
    d.say("continue")
    d.say("info status")
    assert d.line().startswith("running")
    d.play(r"serial hello\n")
    assert d.line() == "hello\n", "the guest is heard at once"
    d.say("expect hello")
    d.say("echo seen")
    assert d.line() == "seen\n"
    d.say("stop")
    assert d.line().startswith("cpu 0: stopped at")
    status, _, error = d.end()
    assert status == 0, error


def serial_output_is_raw_and_text_begins_a_line():
    d = Driven("-x", "-")
    d.say("continue")
    d.say("expect login:")
    d.play(r"serial \x07one\r\nlogin:")
    d.say("echo text")
    assert d.line() == "\x07one\r\n"
    assert d.line() == "login:\n"
    assert d.line() == "text\n"
    d.say("quit")
    assert d.end()[0] == 0


def serial_output_under_a_plan():
    d = Driven("-x", "-")
    d.say("plan 1")
    assert d.line() == "1..1\n"
    d.say("continue")
    d.play(r"serial one\r\nready")
    d.say("expect /rea.y/")
    assert d.line() == "# one\n"
    assert d.line() == "# ready\n"
    assert d.line() == "ok 1 - /rea.y/\n"
    d.play("exit 3")
    d.say("wait")
    assert d.line() == "# cpu 0: the guest ended with status 3\n"
    assert d.end() == (0, "", "")


def json_mode():
    status, out, error = script("print 1\nassert 0\n", "-j")
    assert status == 72 and error == "s.gv:2: not so: 0\n"
    lines = out.splitlines()
    assert len(lines) == 2 and lines[0].startswith('{"command":"print","result":{"value":"0x1"')
    assert lines[1].startswith('{"command":"assert"') and '"error":"not so: 0"' in lines[1]


def standard_input_without_a_terminal():
    check(run(stdin=b"print 1\nnosuch\nprint 2"), 0,
          "0x1 = 1\nerror: there is no command 'nosuch' (help lists them)\n0x2 = 2\n", "")
    check(run(stdin=b""), 0, "", "")
    check(run(stdin=b"quit\nprint 1\n")[:1] + ("", ""), 0, "", "")
    check(run(stdin=b"break main\ncontinue\nwait\nprint $rip\n"), 0,
          "breakpoint 1 at 0x1010 <main>\ncpu 0: breakpoint 1 at 0x1010 <main>\n=> 0x1010 <main>:  add [rax], al\n"
          "0x1010 = 4112 <main>\n", "")
    done = subprocess.run([PROGRAM], stdin=subprocess.DEVNULL, capture_output=True, timeout=DEADLINE)
    assert done.returncode == 0


def output_that_nobody_reads():
    process = subprocess.Popen([PROGRAM, "-e", "help", "-e", "help", "-e", "quit 4"], stdout=subprocess.PIPE)
    process.stdout.close()
    assert process.wait(DEADLINE) == 4


if __name__ == "__main__":
    sys.exit(main([statuses, commands, from_standard_input, line_by_line, serial_output_is_raw_and_text_begins_a_line,
                   serial_output_under_a_plan, json_mode, standard_input_without_a_terminal,
                   output_that_nobody_reads]))
