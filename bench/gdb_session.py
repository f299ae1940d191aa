# SPDX-License-Identifier: GPL-3.0-or-later
"""A debugging session, run by gdb: connects to BENCH_ADDRESS, and prints how long each part of it took, in seconds."""

import json
import os
import time

import gdb

HITS = 200
STEPS = 500
LEAST = 0.2     # seconds that hits have to take for their rate to mean something

START, HOT, COUNTER = (int(os.environ["BENCH_" + name]) for name in ("START", "HOT", "COUNTER"))
times = {}


def timed(name, *commands):
	start = time.monotonic()
	for command in commands:
		gdb.execute(command, to_string=True)
	times[name] = time.monotonic() - start
	return times[name]


def counter():
	memory = gdb.selected_inferior().read_memory(COUNTER, 4)
	return int.from_bytes(memory.tobytes(), "little")


def false_hits(name, n):
	"""Continues until the breakpoint at HOT has been false N times."""
	wanted = counter() + n
	commands = ["hbreak *%#x if *(unsigned int *)%#x == %d" % (HOT, COUNTER, wanted), "continue", "delete"]
	seconds = timed(name, *commands)
	if counter() != wanted:
		raise gdb.GdbError("the guest went round %d times, not %d" % (counter() - wanted + n, n))
	return seconds


for setting in ("confirm off", "pagination off", "tcp connect-timeout 60", "remotetimeout 60"):
	gdb.execute("set " + setting)
timed("connect", "target remote " + os.environ["BENCH_ADDRESS"])
for place in (START, HOT):
	if gdb.selected_frame().pc() != place:
		timed("boot", "thbreak *%#x" % place, "continue")
del times["boot"]
false_hits("hits", HITS)
timed("steps", "stepi %d" % STEPS)
timed("examine", "x/4096xb %#x" % START)
n, seconds = HITS, times["hits"]
while seconds < LEAST and n < 1 << 20:
	n *= 4
	gdb.execute("stepi", to_string=True)
	seconds = false_hits("more hits", n)
times.pop("more hits", None)
timed("detach", "detach")
print("bench: " + json.dumps({"seconds": sum(times.values()), "false_hits_per_s": n / seconds, "parts": times}))
