#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The monitor on a unix socket: who may connect, what a client sees, clients that come and go."""

import json
import os
import socket
import stat
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from rig import DEADLINE, PROGRAM, main, run  # noqa: E402


class Client:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        # Waits when many others do; with a time limit it would not.
        self.socket.connect(path)
        self.socket.settimeout(DEADLINE)
        self.file = self.socket.makefile("rb")

    def send(self, text):
        self.socket.sendall(text.encode())

    def line(self):
        line = self.file.readline()
        assert line.endswith(b"\n"), f"closed after {line!r}"
        return line[:-1].decode()

    def rest(self):
        return self.file.read().decode()

    def close(self):
        self.file.close()
        self.socket.close()


class Server:
    """monitor_fake that listens; its standard input is a pipe, whose end ends it."""

    def __init__(self, *arguments):
        self.directory = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.directory.name, "monitor")
        guest, self.guest = os.pipe()
        self.process = subprocess.Popen([PROGRAM, "-m", self.path, "-p", str(guest), *arguments],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=[guest])
        os.close(guest)
        # It answers on standard input when the socket is there.
        self.process.stdin.write(b"echo ready\n")
        self.process.stdin.flush()
        self.ready = self.process.stdout.readline()

    def play(self, line):
        os.write(self.guest, line.encode() + b"\n")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        status = self.process.wait(DEADLINE)
        self.process.stdout.close()
        os.close(self.guest)
        left = os.path.exists(self.path)
        self.directory.cleanup()
        assert status == 0 and not left, f"status {status}, socket left: {left}"


def a_client_is_served():
    with Server() as server:
        assert stat.S_IMODE(os.stat(server.path).st_mode) == 0o600
        client = Client(server.path)
        client.send("print 6*7\n")
        assert client.line() == "0x2a = 42", "no prompt, no echo"
        client.send("print 1\r\nnosuch\nprint 2\n")
        assert client.line() == "0x1 = 1"
        assert client.line() == "error: there is no command 'nosuch' (help lists them)"
        assert client.line() == "0x2 = 2"
        # A line may come in pieces; an empty one repeats.
        client.send("x/xb coun")
        client.send("ter\n\n")
        assert client.line() == "0x2000 <counter>:  0x00"
        assert client.line() == "0x2001 <counter+1>:  0x00"


def half_closed_clients_get_all_answers():
    with Server() as server:
        client = Client(server.path)
        client.send("break main\ncontinue\nwait\nprint $rip\nprint 7")
        client.socket.shutdown(socket.SHUT_WR)
        assert client.rest() == ("breakpoint 1 at 0x1010 <main>\ncpu 0: breakpoint 1 at 0x1010 <main>\n"
                                 "=> 0x1010 <main>:  add [rax], al\n0x1010 = 4112 <main>\n0x7 = 7\n")


def clients_do_not_hold_up_one_another():
    with Server() as server:
        one, two = Client(server.path), Client(server.path)
        one.send("continue\nexpect \"go\" 100\necho seen\n")
        two.send("info status\n")
        assert two.line().startswith("running: ")
        two.send("print 5\n")
        assert two.line() == "0x5 = 5"
        server.play("serial go")
        assert one.line() == "seen"
        two.send("stop\n")
        assert two.line().startswith("cpu 0: stopped at")
        assert one.line().startswith("cpu 0: stopped at")


def clients_come_and_go():
    with Server() as server:
        for _ in range(50):
            client = Client(server.path)
            client.send("continue\nwait\n" if _ % 2 else "expect never 100\nprint")
            client.close()
        client = Client(server.path)
        client.send("print 3\n")
        while client.line() != "0x3 = 3":
            pass


def too_many_clients():
    with Server() as server:
        clients = [Client(server.path) for _ in range(16)]
        for client in clients:
            client.send("print 1\n")
            assert client.line() == "0x1 = 1"
        assert Client(server.path).rest() == ""
        clients.pop().close()
        # The place is free once the monitor has seen that.
        for _ in range(1000):
            client = Client(server.path)
            client.send("print 2\n")
            try:
                assert client.line() == "0x2 = 2"
                break
            except (AssertionError, OSError):
                pass
        else:
            raise AssertionError("the place stays taken")


def lines_without_end():
    with Server() as server:
        client = Client(server.path)
        client.send("a" * 40000)
        assert client.line() == "error: the line is longer than 16384 bytes"
        client.send("aaaa\nprint 1\n")
        assert client.line() == "0x1 = 1"
        client.send("\0\n")
        assert client.line() == "error: the line holds a NUL byte"


def many_lines_at_once():
    with Server() as server:
        client = Client(server.path)
        client.send("".join(f"print/d {n}\n" for n in range(20000)))
        for n in range(20000):
            assert client.line() == str(n)
        client.send("quit\n")
        assert server.process.wait(DEADLINE) == 0


def a_reader_that_sleeps_is_dropped():
    with Server() as server:
        sleeper, other = Client(server.path), Client(server.path)
        # Some 5 MB each; 16 MiB may wait.
        sleeper.send("x/65536xb -j 0\n" * 8)
        other.send("print 1\n")
        assert other.line() == "0x1 = 1"
        try:
            assert sleeper.rest().count("\n") < 8
        except ConnectionError:
            pass


def json_events():
    with Server("-j") as server:
        client = Client(server.path)
        client.send("break main\ncontinue\nwait\n")
        lines = [json.loads(client.line()) for _ in range(4)]
        kinds = [line.get("command") or line.get("event") for line in lines]
        assert kinds in (["break", "continue", "stopped", "wait"],), kinds
        assert lines[2]["number"] == 1 and lines[2]["address"] == "0x1010"


def where_it_may_listen():
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "file")
        with open(path, "w", encoding="ascii") as f:
            f.write("precious")
        status, _, error = run("-m", path)
        assert status == 66 and "exists and is not a socket" in error, error
        with open(path, encoding="ascii") as f:
            assert f.read() == "precious"
        status, _, error = run("-m", directory)
        assert status == 66 and os.path.isdir(directory)
        status, _, error = run("-m", os.path.join(directory, "not", "there"))
        assert status == 66 and "No such file" in error, error
        status, _, error = run("-m", os.path.join(directory, "x" * 120))
        assert status == 66 and "longer than the 107 bytes" in error, error


def old_sockets_are_replaced_and_live_ones_are_not():
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "old")
        old = socket.socket(socket.AF_UNIX)
        old.bind(path)
        old.listen()
        status, _, error = run("-m", path)
        assert status == 66 and "another program listens there" in error, error
        old.settimeout(0)
        try:
            old.accept()
            raise AssertionError("the asking was seen as a client")
        except BlockingIOError:
            pass
        old.close()
        status, out, error = run("-m", path, stdin=b"print 1\n")
        assert (status, out) == (0, "0x1 = 1\n"), error
        assert not os.path.exists(path)


def what_was_put_in_its_place_stays():
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "s")
        process = subprocess.Popen([PROGRAM, "-m", path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        process.stdin.write(b"echo ready\n")
        process.stdin.flush()
        process.stdout.readline()
        os.unlink(path)
        with open(path, "w", encoding="ascii"):
            pass
        process.stdin.close()
        process.stdout.close()
        assert process.wait(DEADLINE) == 0 and os.path.exists(path)


if __name__ == "__main__":
    sys.exit(main([a_client_is_served, half_closed_clients_get_all_answers, clients_do_not_hold_up_one_another,
                   clients_come_and_go, too_many_clients, lines_without_end, many_lines_at_once,
                   a_reader_that_sleeps_is_dropped, json_events, where_it_may_listen,
                   old_sockets_are_replaced_and_live_ones_are_not, what_was_put_in_its_place_stays]))
