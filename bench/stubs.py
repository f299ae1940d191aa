# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs that are compared, each with the guest of guest.S, and the client that measures them."""

import json
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tests"))
import visor

CLIENT = visor.built("bench/client")
BARE = visor.built("bench/bare")
GUEST = visor.built("bench/guest.bin")
QEMU = shutil.which(os.environ.get("QEMU") or "qemu-system-x86_64")
DEADLINE = 120
MORE = []       # options of gdbvisor's


def guest_symbols():
	"""Where things are in the guest."""
	with open(os.path.join(HERE, "guest.h")) as f:
		return {name: int(value, 16) for name, value in re.findall(r"^#define GUEST_(\w+)\s+(0x\w+)", f.read(), re.M)}


class BenchError(Exception):
	pass


class Meter:
	"""A measuring program that is alive and waits for commands."""

	def __init__(self, *argv):
		self.argv = argv
		self.child = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
					      preexec_fn=visor.in_child)

	def __call__(self, *words):
		"""What it answers; {"unsupported": ...} where the stub cannot do that."""
		try:
			self.child.stdin.write(" ".join(str(w) for w in words) + "\n")
			self.child.stdin.flush()
			answer = self.child.stdout.readline()
		except BrokenPipeError:
			answer = ""
		if not answer:
			said = self.child.communicate()[1].strip()
			raise BenchError("%s: %s" % (" ".join(str(w) for w in words), said or "the client has died"))
		return json.loads(answer)

	def close(self):
		if self.child.poll() is None:
			self.child.kill()
		self.child.communicate()


def free_port():
	with socket.socket() as s:
		s.bind(("127.0.0.1", 0))
		return s.getsockname()[1]


def ours(address, cpus=1, memory="128M"):
	return [visor.GDBVISOR, "-M", "none", "-s", "none", "-c", str(cpus), "-m", memory, "-g", address, *MORE, GUEST]


def qemu(address, cpus=1, memory="128M"):
	if address.startswith("unix:"):
		address += ",server=on,wait=off"
	return [QEMU, "-M", "pc", "-accel", "kvm", "-display", "none", "-S", "-nic", "none", "-serial", "none",
		"-monitor", "none", "-smp", str(cpus), "-m", memory, "-gdb", address,
		"-drive", "format=raw,snapshot=on,file=" + GUEST]


COMMANDS = {"ours": ours, "qemu": qemu}


class Stub:
	"""One of COMMANDS that runs, and a client that has connected to it."""

	def __init__(self, kind, cpus=1, memory="128M", tcp=False, connect=True):
		self.kind = kind
		self.dir = tempfile.mkdtemp(prefix="gv-bench-")
		self.meter = self.child = None
		self.address = "tcp:127.0.0.1:%d" % free_port() if tcp else "unix:%s/gdb" % self.dir
		try:
			self.child = subprocess.Popen(COMMANDS[kind](self.address, cpus, memory), stdin=subprocess.DEVNULL,
						      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
						      start_new_session=True, preexec_fn=visor.in_child)
			if connect:
				self.meter = Meter(CLIENT, self.address)
				self.offers = self.meter("begin")
		except BaseException:
			self.close()
			raise

	def __call__(self, *words):
		return self.meter(*words)

	def wait_socket(self):
		"""Until it listens, which is seen without connecting."""
		until = time.monotonic() + DEADLINE
		path = self.address[5:]
		while True:
			with open("/proc/net/unix") as f:
				if any(line.split()[-1] == path and line.split()[3] == "00010000" for line in f):
					return
			if time.monotonic() > until or self.child.poll() is not None:
				raise BenchError("%s does not listen" % self.kind)
			time.sleep(0.005)

	def close(self):
		if self.meter:
			self.meter.close()
		if self.child:
			self.child.kill()
			self.child.wait()
		shutil.rmtree(self.dir, ignore_errors=True)

	def __enter__(self):
		return self

	def __exit__(self, *what):
		self.close()


def start_times(kind, n, via, memory="128M"):
	"""What the client says of N starts; VIA: "unix" or "stdio"."""
	with tempfile.TemporaryDirectory(prefix="gv-bench-") as there:
		address = "stdio" if via == "stdio" else "unix:%s/gdb" % there
		status, out, err = visor.run([CLIENT, "start", str(n), address, *COMMANDS[kind](address, memory=memory)],
					     timeout=DEADLINE)
		if status:
			raise BenchError("starting %s: %s" % (kind, err.strip()))
		return json.loads(out)


def resident(kind, memory):
	"""KiB resident, and its share of what is shared too, once a client has asked why the guest stands still."""
	with Stub(kind, memory=memory, connect=False) as stub:
		stub.wait_socket()
		with visor.connect(stub.address[5:]) as s:
			s.sendall(b"$?#3f")
			got = b""
			while b"#" not in got:
				more = s.recv(4096)
				if not more:
					raise BenchError("%s has closed the connection" % kind)
				got += more
			with open("/proc/%d/smaps_rollup" % stub.child.pid) as f:
				sizes = dict(re.findall(r"^(\w+):\s+(\d+) kB", f.read(), re.M))
	return {"rss": int(sizes["Rss"]), "pss": int(sizes["Pss"])}


def loaded_bytes(path):
	"""What an ELF file has to load."""
	with open(path, "rb") as f:
		data = f.read()
	if data[:5] != b"\x7fELF\x02":
		raise BenchError("%s is no 64-bit ELF file" % path)
	offset, = struct.unpack_from("<Q", data, 32)
	size, count = struct.unpack_from("<HH", data, 54)
	headers = (struct.unpack_from("<IIQQQQQQ", data, offset + i * size) for i in range(count))
	return sum(h[5] for h in headers if h[0] == 1)


def binary_size(kind):
	"""Bytes that the program's files have to load: its own, and those of all libraries but libc's."""
	program = COMMANDS[kind]("none")[0]
	status, out, err = visor.run(["ldd", program])
	if status:
		raise BenchError("ldd %s: %s" % (program, err.strip()))
	libraries = [path for path in re.findall(r"(/\S+) \(", out) if not re.search(r"/(ld-linux|libc\.|libm\.)", path)]
	return {"program": loaded_bytes(program), "libraries": sum(loaded_bytes(path) for path in libraries)}


def gdb_session(kind, tcp=False):
	"""A batch session of the real gdb; None where there is no gdb."""
	if not shutil.which(visor.GDB):
		return None
	with Stub(kind, tcp=tcp, connect=False) as stub:
		if not tcp:
			stub.wait_socket()
		env = dict(os.environ, BENCH_ADDRESS=stub.address.replace("unix:", "").replace("tcp:", ""),
			   **{"BENCH_" + name: str(value) for name, value in guest_symbols().items()})
		status, out, err = visor.run([visor.GDB, "-nx", "-batch", "-x", os.path.join(HERE, "gdb_session.py")],
					     timeout=DEADLINE, env=env)
		found = re.search(r"^bench: (\{.*\})$", out, re.M)
		if status or not found:
			raise BenchError("gdb with %s: %s" % (kind, err.strip() or out.strip()))
		return json.loads(found.group(1))
