#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The monitor at a terminal: typing, completion, history, output above the prompt, Ctrl-C, console, Ctrl-D."""

import os
import signal
import stat
import sys
import tempfile
import termios

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from rig import Terminal, main  # noqa: E402


def typing_and_answers():
    with Terminal() as t:
        t.expect_screen("cpu 0: at the start, 0x1000 <_start>\n=> 0x1000 <_start>:  add [rax], al\n(gv)")
        assert t.run("print 6*7") == "0x2a = 42"
        assert t.run("nosuch") == "error: there is no command 'nosuch' (help lists them)"
        assert t.run("") == ""
        assert t.run("x/2xb counter") == "0x2000 <counter>:  0x00  0x00"
        assert t.run("") == "0x2002 <counter+2>:  0x00  0x00"
        assert t.run("break main") == "breakpoint 1 at 0x1010 <main>"
        t.type("continue\r")
        t.expect_screen("cpu 0: breakpoint 1 at 0x1010 <main>\n=> 0x1010 <main>:  add [rax], al\n(gv)")
        assert t.run("stepi 3").endswith("=> 0x1013 <main+3>:  add [rax], al")


def completion_by_tab():
    with Terminal() as t:
        t.prompt()
        t.type("cont\t")
        t.expect_screen("(gv) continue")
        t.type("\x15info reg\t rax\r")
        t.expect("0x0  0")
        t.prompt()
        t.type("break ma\t\r")
        t.expect("breakpoint 1 at 0x1010 <main>")
        t.prompt()
        t.type("print $rfl\t$efl\t\r")
        t.expect("error: ")
        t.prompt()
        t.type("print $efl\t\r")
        t.expect("0x2 = 2")
        t.prompt()
        # Several fit: all are shown, and the line is there again.
        t.type("info s\t\t")
        t.expect("slots")
        t.expect("status")
        t.expect_screen("(gv) info s")
        t.type("l\t\r")
        t.expect("slot 0")
        # A file's name.
        with tempfile.TemporaryDirectory() as directory:
            with open(os.path.join(directory, "script.gv"), "w", encoding="ascii") as f:
                f.write("echo from a file\n")
            t.prompt()
            t.type(f"source {directory}/scr\t\r")
            t.expect("from a file")


def output_above_a_half_typed_line():
    with Terminal() as t:
        t.prompt()
        assert t.run("continue") == ""
        t.type("print 6")
        t.expect_screen("(gv) print 6")
        t.play(r"serial hello\r\nworld\r\n")
        t.expect_screen("\nhello\nworld\n(gv) print 6")
        # The cursor, too, is where it was.
        t.type("\x02")
        t.play(r"serial more\r\n")
        t.expect_screen("\nworld\nmore\n(gv) print 6")
        t.type("7*")
        t.expect_screen("(gv) print 7*6")
        t.type("\r")
        t.expect("0x2a = 42")


def a_stop_notice_above_a_half_typed_line():
    with Terminal() as t:
        t.prompt()
        t.run("continue")
        t.type("ec")
        t.expect_screen("(gv) ec")
        t.play("exit 7")
        t.expect_screen("\ncpu 0: the guest ended with status 7\n(gv) ec")
        t.type("ho x\r")
        t.expect_screen("(gv) echo x\nx\n(gv)")


def an_open_guest_line_is_continued():
    with Terminal() as t:
        t.prompt()
        t.play("serial login: ")
        t.expect_screen("\nlogin:\n(gv)")
        t.type("ec")
        t.expect_screen("\nlogin:\n(gv) ec")
        t.play(r"serial root\r\nPass")
        t.expect_screen("\nlogin: root\nPass\n(gv) ec")
        t.play(r"serial word: \r\n$ ")
        t.expect_screen("\nlogin: root\nPassword:\n$\n(gv) ec")
        # Text of the monitor's does not join it.
        t.type("ho done\r")
        t.expect_screen("\n$\n(gv) echo done\ndone\n(gv)")
        t.play(r"serial next\r\n")
        t.expect_screen("\ndone\nnext\n(gv)")


def a_dumb_terminal_gets_lines():
    with Terminal(term="dumb") as t:
        t.expect("(gv) ")
        t.play(r"serial login: ")
        t.expect("login: ")
        t.play(r"serial root\r\n")
        t.expect("root")
        t.type("echo done\r")
        t.expect("done\r\n")
        assert b"\x1b[A" not in t.raw


def a_long_line_is_redrawn():
    with Terminal(columns=40) as t:
        t.prompt()
        t.type("echo " + "x" * 100)
        t.expect_screen("x" * 25)
        t.play(r"serial guest\r\n")
        t.expect_screen("\nguest\n(gv) echo " + "x" * 30 + "\n" + "x" * 40 + "\n" + "x" * 30)
        t.type("\r")
        t.expect("x" * 100 + "\r\n")


def a_flood_leaves_the_line():
    with Terminal() as t:
        t.prompt()
        t.type("print 1")
        t.expect_screen("(gv) print 1")
        for number in range(300):
            t.play(f"serial line {number}" + r"\r\n")
        t.expect_screen("\nline 298\nline 299\n(gv) print 1")
        lines = t.screen.text().splitlines()
        assert [x for x in lines if x.startswith("line ")] == [f"line {n}" for n in range(300)]
        t.type("1\r")
        t.expect("0xb = 11")


def a_guest_cannot_ruin_the_screen():
    with Terminal() as t:
        t.prompt()
        t.play(r"serial a\e[2J\e[Hb\e[31mred\e[0m\x07\r\n")
        t.expect_screen("\nabred\n(gv)")
        assert b"\x1b[2J" not in t.raw and b"\x1b[31mred\x1b[0m" in t.raw


def ctrl_c_stops_the_guest():
    with Terminal() as t:
        t.prompt()
        t.run("continue")
        t.type("print 2")
        t.expect_screen("(gv) print 2")
        t.interrupt()
        t.expect_screen("(gv) print 2")
        t.expect_screen("cpu 0: stopped at 0x1001 <_start+1>\n=> 0x1001 <_start+1>:  add [rax], al\n(gv) print 2")
        # Stopped already: now it is the line that goes.
        t.interrupt()
        t.expect_screen("(gv) print 2^C\n(gv)")
        assert t.run("print 3") == "0x3 = 3"
        t.interrupt()
        t.expect_screen("(gv) ^C\n(gv)")
        # A signal from elsewhere is the same.
        t.run("continue")
        t.process.send_signal(signal.SIGINT)
        t.expect("cpu 0: stopped at")
        t.prompt()
        assert t.process.poll() is None


def ctrl_c_ends_waiting():
    with Terminal() as t:
        t.prompt()
        t.run("continue")
        t.type("wait\r")
        t.expect("wait\r\n")
        t.interrupt()
        t.expect("stopped at")
        t.prompt()
        t.run("continue")
        t.type("expect never 1000\r")
        t.expect("1000\r\n")
        t.interrupt()
        t.expect_both("error: ", "stopped at")
        t.prompt()
        # A step that would take for ever.
        t.type("stepi 1000000000\r")
        t.expect("1000000000\r\n")
        t.interrupt()
        t.expect("=> 0x")
        t.prompt()
        with open(os.path.join(t.home, "s.gv"), "w", encoding="ascii") as f:
            f.write("continue\necho it runs\nexpect never 1000\n")
        t.type(f"source {t.home}/s.gv\r")
        t.expect("it runs\r\n")
        t.interrupt()
        t.expect_both("error: ", "stopped at")
        t.prompt()
        assert t.run("print 4") == "0x4 = 4"


def typed_ahead():
    with Terminal() as t:
        t.prompt()
        t.run("continue")
        t.type("expect go 100\r")
        t.expect("go 100\r\n")
        t.type("print 6*7\r")
        t.play("serial go")
        t.expect("0x2a = 42")
        # Several lines at once.
        t.prompt()
        t.type("print 1\rprint 2\rprint 3\r")
        t.expect("0x1 = 1")
        t.expect("0x2 = 2")
        t.expect("0x3 = 3")


def console_mode():
    with Terminal() as t:
        t.prompt()
        t.run("continue")
        t.type("console\r")
        t.expect("Ctrl-] takes it back.\r\n")
        t.play(r"serial \e[2Jlogin: ")
        t.expect("\x1b[2Jlogin: ")
        t.type(b"ro\x03\x04\x1ax\r")
        t.type(b"\x1d")
        t.prompt()
        t.play("sent")
        t.expect("sent: 72 6f 03 04 1a 78 0d.")
        assert t.run("print 5").endswith("0x5 = 5")
        # What is typed together with the end of it: the part before goes to the guest.
        t.type("console\r")
        t.expect("takes it back.")
        t.type(b"A\x1dprint 8\r")
        t.expect_screen("(gv)")
        t.play("sent")
        t.expect("0d 41.")
        # The guest ends meanwhile.
        t.type("console\r")
        t.expect("takes it back.")
        t.play("exit 1")
        t.expect("the guest ended with status 1")
        t.type(b"\x1d")
        t.prompt()


def modes(attributes):
    """Without the bit that says that input waits to be read again: the kernel's own."""
    attributes = list(attributes)
    attributes[3] &= ~getattr(termios, "PENDIN", 0o40000)
    return attributes


def ctrl_d_quits():
    with Terminal() as t:
        t.prompt()
        # On a line that is not empty it deletes.
        t.type("print 15\x02\x04\r")
        t.expect("0x1 = 1")
        t.prompt()
        t.type(b"\x04")
        assert t.end() == 0
        assert modes(termios.tcgetattr(t.slave)) == modes(t.modes), "the terminal is as it was"


def quit_from_everywhere():
    for line in ("quit\r", "q\r"):
        with Terminal() as t:
            t.prompt()
            t.type(line)
            assert t.end() == 0
            assert modes(termios.tcgetattr(t.slave)) == modes(t.modes)


def history_persists():
    with tempfile.TemporaryDirectory() as directory:
        state = os.path.join(directory, "not", "there", "yet")
        with Terminal(state=state) as t:
            t.prompt()
            assert t.run("print 111") == "0x6f = 111"
            t.run("print 111")
            t.run("   ")
            t.run("print 222")
            t.type("quit\r")
            assert t.end() == 0
        path = os.path.join(state, "gdbvisor", "history")
        with open(path, encoding="ascii") as f:
            assert f.read().splitlines() == ["print 111", "print 222", "quit"]
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
        with Terminal(state=state) as t:
            t.prompt()
            t.type("\x10\x10\x10\r")
            t.expect("0x6f = 111")
            # Killed hard, it still has what was typed.
            t.prompt()
            t.run("print 333")
            t.process.kill()
            t.end()
        with open(path, encoding="ascii") as f:
            assert f.read().splitlines()[-1] == "print 333"


def history_that_cannot_be_written():
    with Terminal(state="/proc/nonexistent") as t:
        t.prompt()
        assert t.run("print 111") == "0x6f = 111"
        t.type("\x10\r")
        t.expect("0x6f = 111")


def resizing():
    with Terminal() as t:
        t.prompt()
        t.size(24, 30)
        t.process.send_signal(signal.SIGWINCH)
        t.type("print 5+5\r")
        t.expect("0xa = 10")


def hanging_up():
    with Terminal() as t:
        t.prompt()
        os.close(t.slave)
        os.close(t.master)
        t.end()
        t.master, t.slave = os.openpty()


def the_guests_screen():
    with Terminal() as t:
        t.prompt()
        assert t.run("screen") == "the guest's screen is off, or in a graphics mode"
        t.run("continue")
        t.play("show Booting")
        assert t.run("expect screen Booting") == ""
        t.type("screen\r")
        t.expect("\x1b[0;97;44mBooting\x1b[0;7m \x1b[0m\r\n[80x25, cursor at row 0, column 7, from 0]\r\n")
    for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        with Terminal(environment=environment) as t:
            t.expect("(gv) ")
            t.play("show Booting")
            t.type("continue\rexpect screen Booting\rscreen\r")
            t.expect("\r\nBooting\r\n[80x25")
            assert b"\x1b[0;97" not in t.raw


def what_firmware_writes_above_a_half_typed_line():
    with Terminal() as t:
        t.prompt()
        t.run("log on")
        t.type("print 6")
        t.play(r"firmware Found 4 cpu(s)\nhalf a line")
        t.expect_screen("\nfirmware: Found 4 cpu(s)\n(gv) print 6")
        t.type("\r")
        t.expect("0x6 = 6")
        t.prompt()
        assert t.run("log") == "Found 4 cpu(s)\nhalf a line"


def a_guest_that_switches_itself_off():
    with Terminal() as t:
        t.prompt()
        t.run("continue")
        t.type("ec")
        t.play("off")
        t.expect_screen("\ncpu 0: the guest switched itself off\n(gv) ec")


def json_at_the_terminal():
    with Terminal("-j") as t:
        t.prompt()
        t.type("print 7\r")
        t.expect('{"command":"print","result":{"value":"0x7"')
        t.play(r"serial x\n")
        t.expect('{"event":"serial","text":"x\\n"}')


if __name__ == "__main__":
    sys.exit(main([typing_and_answers, completion_by_tab, output_above_a_half_typed_line,
                   a_stop_notice_above_a_half_typed_line, an_open_guest_line_is_continued, a_dumb_terminal_gets_lines,
                   a_long_line_is_redrawn, a_flood_leaves_the_line, a_guest_cannot_ruin_the_screen,
                   ctrl_c_stops_the_guest, ctrl_c_ends_waiting, typed_ahead, console_mode, ctrl_d_quits,
                   quit_from_everywhere, history_persists, history_that_cannot_be_written, resizing, hanging_up,
                   the_guests_screen, what_firmware_writes_above_a_half_typed_line,
                   a_guest_that_switches_itself_off, json_at_the_terminal]))
