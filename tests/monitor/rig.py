# SPDX-License-Identifier: GPL-3.0-or-later
"""What the monitor's session tests share: monitor_fake on a pseudo-terminal or on pipes, a screen, TAP."""

import fcntl
import os
import re
import select
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
import time
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from visor import DEADLINE  # noqa: E402

PROGRAM = os.path.abspath(os.path.join(os.environ.get("builddir", "."), "tests", "monitor_fake"))


class Screen:
    """Just enough of a terminal to know what a person sees: lines of text, and the cursor's place."""

    def __init__(self, columns=80):
        self.columns = columns
        self.lines = [""]
        self.row = self.column = 0
        self.rest = b""

    def _put(self, char):
        if self.column >= self.columns:
            self._newline()
            self.column = 0
        line = self.lines[self.row].ljust(self.column)
        self.lines[self.row] = line[:self.column] + char + line[self.column + 1:]
        self.column += 1

    def _newline(self):
        self.row += 1
        if self.row == len(self.lines):
            self.lines.append("")

    def _control(self, argument, final):
        number = int(argument) if argument.isdigit() else 0
        count = number or 1
        line = self.lines[self.row]
        if final == "A":
            self.row = max(0, self.row - count)
        elif final == "B":
            self.row = min(len(self.lines) - 1, self.row + count)
        elif final == "C":
            self.column = min(self.columns - 1, self.column + count)
        elif final == "D":
            self.column = max(0, self.column - count)
        elif final == "K":
            self.lines[self.row] = "" if number == 2 else line[:self.column]
        elif final == "J":
            self.lines[self.row] = line[:self.column]
            del self.lines[self.row + 1:]
        elif final == "P":
            self.lines[self.row] = line[:self.column] + line[self.column + count:]
        elif final == "@":
            self.lines[self.row] = line[:self.column] + " " * count + line[self.column:]

    def feed(self, data):
        data = self.rest + data
        self.rest = b""
        at = 0
        while at < len(data):
            char = data[at]
            if char == 0x1b:
                found = re.match(rb"\x1b\[([0-9;?]*)([@-~])", data[at:])
                if found:
                    self._control(found.group(1).decode(), found.group(2).decode())
                    at += found.end()
                    continue
                if re.fullmatch(rb"\x1b(\[[0-9;?]*)?", data[at:]):
                    self.rest = data[at:]
                    return
            elif char == 0x0d:
                self.column = 0
            elif char == 0x0a:
                self._newline()
            elif char == 0x08:
                self.column = max(0, self.column - 1)
            elif char >= 0x20:
                self._put(chr(char))
            at += 1

    def text(self):
        return "\n".join(line.rstrip() for line in self.lines).rstrip("\n")


class Terminal:
    """monitor_fake on a pseudo-terminal, and the pipe by which the test plays the guest."""

    def __init__(self, *arguments, state=None, term="xterm", columns=80, environment=None):
        self.home = tempfile.mkdtemp(prefix="gv-monitor-")
        self.screen = Screen(columns)
        self.raw = b""
        self.seen = 0
        self.master, self.slave = os.openpty()
        self.size(24, columns)
        self.modes = termios.tcgetattr(self.slave)
        guest, self.guest = os.pipe()
        environment = {**os.environ, "HOME": self.home, "TERM": term, "INPUTRC": "/dev/null", **(environment or {})}
        environment["XDG_STATE_HOME"] = state or os.path.join(self.home, "state")
        for name in ("COLUMNS", "LINES"):
            environment.pop(name, None)

        def own_terminal():
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen([PROGRAM, "-p", str(guest), *arguments], stdin=self.slave, stdout=self.slave,
                                        stderr=self.slave, start_new_session=True, preexec_fn=own_terminal,
                                        pass_fds=[guest], env=environment)
        os.close(guest)

    def size(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        for fd in (self.master, self.slave, self.guest):
            os.close(fd)
        shutil.rmtree(self.home)

    def _read(self, until):
        left = until - time.monotonic()
        if left <= 0 or not select.select([self.master], [], [], left)[0]:
            raise AssertionError(f"time is over; the screen:\n{self.screen.text()}\nnew: {self.raw[self.seen:]!r}")
        data = os.read(self.master, 65536)
        self.raw += data
        self.screen.feed(data)

    def type(self, text):
        os.write(self.master, text if isinstance(text, bytes) else text.encode())

    def play(self, line):
        os.write(self.guest, line.encode() + b"\n")

    def expect(self, text):
        """Waits for TEXT in the bytes that came since the last match."""
        wanted = text.encode()
        until = time.monotonic() + DEADLINE
        while wanted not in self.raw[self.seen:]:
            self._read(until)
        self.seen = self.raw.index(wanted, self.seen) + len(wanted)

    def expect_both(self, one, other):
        """The same for two texts in either order."""
        start = self.seen
        self.expect(one)
        end, self.seen = self.seen, start
        self.expect(other)
        self.seen = max(self.seen, end)

    def expect_screen(self, end):
        """Waits until the screen ends with END (a string of whole lines' ends)."""
        until = time.monotonic() + DEADLINE
        while not self.screen.text().endswith(end):
            self._read(until)
        self.seen = len(self.raw)

    def prompt(self):
        self.expect_screen("\n(gv)" if "\n" in self.screen.text() else "(gv)")

    def run(self, line):
        """Types LINE and waits for the next prompt; returns what stands between."""
        before = len(self.screen.lines)
        self.type(line + "\r")
        until = time.monotonic() + DEADLINE
        while not (len(self.screen.lines) > before and self.screen.lines[-1].rstrip() == "(gv)"):
            self._read(until)
        self.seen = len(self.raw)
        return "\n".join(text.rstrip() for text in self.screen.lines[before:-1])

    def end(self):
        return self.process.wait(DEADLINE)

    def interrupt(self):
        self.type(b"\x03")


def run(*arguments, stdin=b"", environment=None):
    """monitor_fake on pipes; returns (status, stdout, stderr)."""
    done = subprocess.run([PROGRAM, *arguments], input=stdin, capture_output=True, timeout=DEADLINE,
                          env=dict(os.environ, **(environment or {})))
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


class Skip(Exception):
    """Raised by a test that this machine cannot run; the text says why."""


def main(tests):
    """Runs the functions in TESTS and prints TAP."""
    print(f"1..{len(tests)}")
    for number, test in enumerate(tests, 1):
        name = test.__name__.replace("_", " ")
        try:
            test()
            print(f"ok {number} - {name}", flush=True)
        except Skip as why:
            print(f"ok {number} - {name} # SKIP {why}", flush=True)
        except Exception:  # pylint: disable=broad-except
            print(f"not ok {number} - {name}")
            for line in traceback.format_exc().splitlines():
                print(f"# {line}")
            sys.stdout.flush()
    return 0
