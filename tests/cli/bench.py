#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs of `make bench`: that they measure, understand stubs, and notice what is wrong; not how fast it is."""

import json
import os
import socket
import sys
import tempfile
import threading
import xml.etree.ElementTree

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
sys.path.insert(0, os.path.join(HERE, "..", "..", "bench"))
import measures
import stubs
import svg
import visor

TIMING = {"ops", "seconds", "rate", "p50_us", "p99_us", "least_us"}
tap = visor.Tap()


def frame(payload, sum_off=0):
	return b"$" + payload + b"#%02x" % (sum(payload) + sum_off & 0xff)


class FakeStub:
	"""Answers packets by ANSWER(payload): what to send, or a list, whose next is sent when one is refused."""

	def __init__(self, answer, offers=b"PacketSize=1000"):
		self.dir = tempfile.TemporaryDirectory(prefix="gv-")
		self.address = "unix:%s/s" % self.dir.name
		self.listener = socket.socket(socket.AF_UNIX)
		self.listener.bind(self.address[5:])
		self.listener.listen()
		self.answer, self.offers, self.refused = answer, offers, 0
		self.ack = True
		self.thread = threading.Thread(target=self.serve, daemon=True)
		self.thread.start()

	def serve(self):
		self.socket, _ = self.listener.accept()
		stream = self.socket.makefile("rb")
		waiting = []
		while True:
			c = stream.read(1)
			if not c:
				return
			if c == b"-":
				self.refused += 1
				self.socket.sendall(waiting.pop(0))
			if c != b"$":
				continue
			payload = b""
			while (c := stream.read(1)) != b"#":
				payload += c
			stream.read(2)
			if payload.startswith(b"qSupported"):
				reply = frame(self.offers)
			elif payload in (b"QStartNoAckMode", b"D"):
				reply = frame(b"OK")
			elif payload == b"?":
				reply = frame(b"T05thread:1;")
			else:
				reply = self.answer(payload)
			first, *waiting = reply if isinstance(reply, list) else [reply]
			self.socket.sendall((b"+" if self.ack else b"") + first)
			if payload == b"QStartNoAckMode":
				self.ack = False

	def close(self):
		self.listener.close()
		self.thread.join(10)
		self.dir.cleanup()


def talk(commands, answer, **more):
	"""(status, the answers to the client's COMMANDS, standard error, packets refused)"""
	fake = FakeStub(answer, **more)
	status, out, err = visor.run([stubs.CLIENT, fake.address], "\n".join(commands).encode(), timeout=60)
	fake.close()
	return status, [json.loads(line) for line in out.splitlines()], err, fake.refused


def check_wire():
	status, told, err, _ = talk(["ask a", "ask b"], lambda p: {b"a": frame(b"0* 7e*\"}\x03"), b"b": frame(b"")}[p])
	tap.equal((status, [t["reply"] for t in told]), (0, ["00007eeeeee}\x03", ""]), "run lengths are undone", err)
	status, told, err, refused = talk(["ask a"], lambda p: [frame(b"abc", 1), frame(b"abd", 16), frame(b"abe")])
	tap.equal((status, [t["reply"] for t in told], refused), (0, ["abe"], 2), "a damaged packet is asked for again", err)
	for off in (1, 16):
		status, told, err, _ = talk(["ask a"], lambda p: frame(b"abc", off), offers=b"QStartNoAckMode+")
		tap.equal((status, told, "checksum" in err), (2, [], True), "it ends the program when nobody acknowledges", err)
	for wrong in (b"*#", b"a*", b"a*\x1f"):
		status, told, err, _ = talk(["ask a"], lambda p: frame(wrong) if b"#" not in wrong else frame(b"* "))
		tap.equal((status, "run length" in err), (2, True), "a wrong run length ends it", err)
	for command in ("nothing", "ask", "registers x", "registers -1", "hits 1 1 1"):
		status, told, err, _ = talk([command], lambda p: frame(b""))
		tap.equal((status, err.startswith("bench: "), told), (2, True, []), "not a command: " + command, err)


def check_reads():
	memory = bytearray(1 << 21)
	flip = [None]

	def answer(p):
		if p[:1] == b"M":
			place, digits = p[1:].split(b":")
			at, n = (int(x, 16) for x in place.split(b","))
			memory[at:at + n] = bytes.fromhex(digits.decode())
			return frame(b"OK")
		at, n = (int(x, 16) for x in p[1:].split(b","))
		data = bytearray(memory[at:at + n])
		if flip[0] is not None:
			data[flip[0]] ^= 1
		if p[:1] == b"m":
			return frame(data.hex().encode())
		return frame(b"b" + b"".join(bytes((0x7d, c ^ 0x20)) if c in b"#$}*" else bytes((c,)) for c in data))

	for kind in ("binary", "hex"):
		for flipped in (None, 1023):
			flip[0] = flipped
			status, told, err, _ = talk(["fill 0x100000", "read 0.01 0x100000 1024 " + kind], answer,
						    offers=b"PacketSize=1000;binary-upload+;QStartNoAckMode+")
			if flipped is None:
				tap.equal((status, told[-1]["packet"], told[-1]["binary"], told[-1]["ops"] % 1024),
					  (0, 1024, kind == "binary", 0), "memory is read, " + kind, err)
			else:
				tap.equal((status, "not the memory's" in err), (2, True), "a wrong byte is seen, " + kind, err)


def check_honesty():
	"""The guest's counter against what the stub says; and registers that came with a stop."""
	count = [0]

	def answer(stop, moves):
		def one(p):
			if p[:1] == b"m":
				return frame((count[0] // 2).to_bytes(4, "little").hex().encode())
			if p[:1] == b"v":
				count[0] += moves
				return frame(stop)
			return frame(b"00" * 8 if p == b"g" else b"OK")
		return one

	for command, moves, moved in (("step", 1, True), ("step", 0, False), ("step", 2, False), ("gdb-hits", 1, True),
				      ("gdb-hits", 2, False)):
		status, told, err, _ = talk([command + " 0.01"], answer(b"T05thread:1;", moves))
		tap.equal((status, "went round" in err), (0, False) if moved else (2, True),
			  "%s of a guest that makes %d" % (command, moves), err)
	for registers, asks in ((b"0:0011223344556677;", False), (b"0:00112233;1:44556677;", False),
				(b"0:00112233445566;", True), (b"core:0011223344556677;", True)):
		status, told, err, _ = talk(["step-registers 0.01"], answer(b"T05thread:1;" + registers, 1))
		tap.equal((status, told and told[0]["asked"] > 0), (0, asks), "registers with a stop: " + registers.decode(), err)
	status, told, err, _ = talk(["hits 0.01 1"], answer(b"T05thread:1;", 0))
	tap.equal((status, told and told[0]["moved"]), (0, 0), "a stub that does not move from a breakpoint is found out", err)
	where = stubs.guest_symbols()
	tap.equal(where["RANGE_STEPS"], 1 + 3 * where["RANGE_TURNS"], "the range's steps are as its turns")


def check_rows():
	def verdict(wanted, ours, theirs, bare=()):
		row = measures.Row("k", "t", "/s", wanted=wanted)
		row.values = {"ours": ours, "qemu": theirs, "bare": bare}
		return row.result()["reached"]

	tap.equal([verdict(("x", 6), [7, 60, 50], [1, 10, 10]), verdict(("x", 6), [7, 50, 50], [1, 10, 10])], [True, False],
		  "at least")
	tap.equal([verdict(("most", 0.2), [1], [5]), verdict(("most", 0.2), [1.1], [5])], [True, False], "at most")
	tap.equal([verdict(("share", 0.75), [3], [], [4]), verdict(("share", 0.75), [2.9], [], [4])], [True, False],
		  "of the bare loop")
	tap.equal(verdict(("x", 6), [7], []), None, "without QEMU nothing is reached or missed")
	picture = svg.plot("a < b", "x", "y", {"one": [(1, 5), (1000, 70)], "two & three": [(10, 0), (10, 3)]})
	tree = xml.etree.ElementTree.fromstring(picture)
	lines = [e for e in tree if e.tag.endswith("polyline")]
	tap.equal([len(e.get("points").split()) for e in lines], [2, 1], "a line for each series, a point for each value")
	tap.equal(svg.plot("t", "x", "y", {"one": []}), None, "no plot of nothing")


def check_measures():
	with stubs.Stub("ours") as stub:
		tap.ok(stub.offers["no_ack"] and stub.offers["binary"] and stub.offers["conditions"], "the stub's offers are seen",
		       stub.offers)
		stub("fill", measures.PAGES)
		for row in measures.rows() + measures.condition_rows():
			answer = stub(*(0.01 if word == "S" else word for word in row.words))
			tap.ok(TIMING <= set(answer) and answer["ops"] > 0 and answer["rate"] > 0, "measured: " + row.title, answer)
			if row.key == "hits":
				tap.equal(answer["moved"], answer["ops"], "the guest moves from each hit")
		for letter in "Zz":
			answer = stub("breakpoints", letter, 0, measures.PAGES, 20, 16)
			tap.equal(answer.get("ops"), 20, "20 times %s0" % letter, answer)
		tap.match("^E", stub("ask", "m0")["reply"], "a packet as it is")
	with stubs.Stub("ours", cpus=2) as stub:
		answer = stub("interrupt", 5, 2)
		tap.ok(TIMING <= set(answer) and len(answer["all_us"]) == 5, "measured: Ctrl-C", answer)
	bare = stubs.Meter(stubs.BARE, stubs.GUEST)
	for name, _, *more in sorted({row.bare for row in measures.rows() + measures.condition_rows() if row.bare}, key=str):
		answer = bare(name, 0.01, *more)
		tap.ok(TIMING <= set(answer) and answer["rate"] > 0, "the bare loop: " + " ".join([name, *map(str, more)]), answer)
	bare.close()
	status, out, err = visor.run([stubs.CLIENT, "start", "1", "stdio", "/bin/false"])
	tap.equal((status, out), (2, ""), "a program that does not answer is no start", err)


def check_whole():
	with tempfile.TemporaryDirectory(prefix="gv-") as there:
		status, out, err = visor.run([sys.executable, visor.source("bench/compare.py"), "--ours", "--rounds=1",
					      "--slice=0.01", "--starts=1", "--only=packets,start,size,gdb", "--output=" + there])
		if not tap.ok(status in (0, 1), "a comparison with nobody", "%s\n%s" % (out, err)):
			return
		with open(os.path.join(there, "compare.json")) as f:
			results = json.load(f)
		keys = {m["key"] for m in results["measures"]}
		wanted = {row.key for row in measures.rows() + measures.condition_rows() + measures.other_rows()}
		if not visor.shutil.which(visor.GDB):
			wanted -= {"gdb-session", "gdb-false-hits"}
		tap.equal(keys, wanted, "each measure is in the results")
		tap.ok(all(m["ours"]["median"] > 0 for m in results["measures"]), "with a value of ours", results)
		range_step, = (m for m in results["measures"] if m["key"] == "range")
		tap.equal(range_step["reached"] is False, status == 1, "the status tells what was missed", out)
		tap.match(r"^MISSED: range" if status else r"reached$", out, "and the table")
		for wrong in ("--cpus=x", "--rounds=0", "--only=all"):
			status, out, err = visor.run([sys.executable, visor.source("bench/compare.py"), wrong])
			tap.equal((status, out), (2, ""), "refused: " + wrong, err)


check_wire()
check_reads()
check_honesty()
check_rows()
if os.access("/dev/kvm", os.R_OK | os.W_OK):
	check_measures()
	check_whole()
else:
	tap.skip("measures", "no /dev/kvm")
tap.done()
