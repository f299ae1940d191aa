#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""
Guests that attack: a firmware storms its devices, its processor and itself from a seed, while a debugger stops it at any moment, looks
at it, steps, sets breakpoints and watchpoints, takes dirty logs and resets it.  Whatever the guest does to itself, gdbvisor lives and
answers, a Ctrl-C is heard, what the guest may not write is as it was, nothing grows, and a reset brings it back to its beginning.

	GV_SEED=N       the first seed (1)
	GV_STORMS=N     how many storms of each kind, with seeds from there on (1)
	GV_SCENARIOS="ports debug ..."  these kinds alone
"""

import os
import random
import re
import select
import struct
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "rsp"), os.path.join(HERE, "..")]
import client
import visor

ROM, ELF = "tests/attack/hostile.rom", "tests/attack/hostile.elf"
SEED = int(os.environ.get("GV_SEED", 1))
STORMS = int(os.environ.get("GV_STORMS", 1))

# As hostile.c and hostile.h have them: what a scenario is, how many acts, and on which machine.
SCENARIOS = (("ports", 2500), ("memory", 2500), ("pci", 1500), ("msrs", 2500), ("registers", 2500), ("fw_cfg", 1200), ("virtio", 1200), ("ide", 400),
	     ("code", 400), ("pages", 600), ("debug", 1500), ("user", 150), ("ipis", 1500), ("ticks", 400), ("death", 1), ("mixed", 2500))
WITNESSES = (("debug", 250), ("user", 60), ("code", 80))
DEATHS = ("keyboard reset", "0xcf9", "0x92", "no IDT", "IDT outside memory", "GDT at no address", "cli hlt", "cli jmp", "rep stosb", "rep outsb",
	  "SMM storm", "exit port", "power-off", "page tables outside", "stack outside", "jump outside", "jump to the APIC", "vmcall", "in for ever",
	  "no page tables", "APIC over the code", "INIT to itself", "rep insb", "int3 without a stack", "page tables for ever",
	  "interrupts for who waits", "read-only for ever")
NAMES = ("scenario", "seed", "limit", "ops", "faults", "traps", "interrupts", "wrong", "sum", "trace")
CODE, CODE_COPY, CODE_SIZE = 0x300000, 0x310000, 0x1000
READ_ONLY, READ_ONLY_SIZE = 0x40000000, 0x10000
PATTERN = b"untouched, whatever is tried...\n"
SIGINT = 2
SANITIZED = bool(os.environ.get("SANITIZE_FLAGS", "").strip())
# KiB of resident memory: logs have their bounds, and allocators their ways.  AddressSanitizer keeps 256 MiB of what was freed.
GROWTH = (24 if not SANITIZED else 24 + 256) << 10
COMMANDS = ("info registers", "info devices", "info pci", "info cpus", "info exits", "info tlb", "info mem", "info debugregs", "info msrs",
	    "slot list", "slot check", "dirty take 0", "dirty peek 0 runs", "backtrace", "screen", "x/8i $pc", "x/16x $sp", "info status",
	    "info breakpoints", "translate $pc", "disas $pc", "info kernel", "dirty diff 0")


class Broken(Exception):
	"""gdbvisor, not its guest, has done something that it must not."""


class Bench:
	"""A machine, its client, and what it was like at first."""

	def __init__(self, where, symbols, cpus, irqchip):
		self.symbols, self.cpus, self.rng = symbols, cpus, random.Random(SEED)
		self.args = ("-b", visor.built(ROM), "-m", "16M", "-c", str(cpus), "--irqchip=" + irqchip, "-d", os.path.join(where, "disk") + ",snapshot",
			     "--cdrom=" + os.path.join(where, "disk"), "-d", os.path.join(where, "disk") + ",virtio,snapshot", "--console=virtio", "--rng",
			     "--tdesc=x86-64")
		self.v, self.sum, self.machines = None, None, 0
		self.start()

	def start(self):
		self.close()
		self.machines += 1
		self.v = visor.Visor(*self.args)
		if not self.v.target:
			raise Broken("it does not start: " + self.v.text)
		self.meet(client.Client(self.v.target))

	def meet(self, c):
		"""C is the client from now on, of a machine that has not run."""
		self.c = c
		self.ended, self.owed = False, False
		self.set = set()
		self.ask(b"?")
		self.guarded = False
		self.first_size = None

	def is_ready(self, start):
		"""Whether the guest says so, in what it has printed from START on."""
		return self.v.wait_text("ready", start=start)

	def printed(self):
		return len(self.v.text)

	def close(self):
		if self.v:
			self.c.close()
			self.v.close()
			self.v = None

	def ask(self, packet):
		self.last = packet
		return self.c.ask(packet)

	def expect(self, packet, wanted=b"OK"):
		reply = self.ask(packet)
		if reply != wanted:
			raise Broken("%r was answered by %r" % (packet[:80], reply[:200]))

	def monitor(self, line):
		"""What a command says; whether it did well is its business."""
		self.last = line.encode()
		self.c.send(b"qRcmd," + line.encode().hex().encode())
		text = b""
		while (reply := self.c.receive())[:1] == b"O" and reply != b"OK":
			text += bytes.fromhex(reply[1:].decode())
		return text.decode("utf-8", "replace")

	def wait(self):
		"""The stop that comes: (signal, fields), or None when the guest has left."""
		while (reply := self.c.receive())[:1] == b"O":
			pass
		if reply[:1] in b"WX":
			self.ended = True
			return None
		if reply[:1] != b"T":
			raise Broken("a stop was to come, not %r" % reply)
		return int(reply[1:3], 16), dict(f.split(b":", 1) for f in reply[3:].split(b";") if f)

	def go(self, packet, patience):
		"""
		Resumes; what comes in PATIENCE seconds of itself, or what is asked for then by a Ctrl-C.  One that came when the guest had
		just stopped interrupts the next run, which is then begun again.
		"""
		self.last = packet
		owed, self.owed = self.owed, False
		self.c.send(packet)
		if patience is not None and not self.c.buffer and not select.select([self.c.sock], [], [], patience)[0]:
			self.c.raw(b"\x03")
			self.owed = True
		stop = self.wait()
		if stop and stop[0] == SIGINT:
			if owed and not self.owed:
				return self.go(packet, patience)
			self.owed = owed and self.owed
		return stop

	def pc(self):
		return int.from_bytes(bytes.fromhex(self.ask(b"p10").decode()), "little")

	def physical(self, gpa, count):
		"""Words of 64 bits, wherever the page tables lead."""
		text = self.monitor("xp/%dxg %#x" % (count, gpa))
		return [int(w, 16) for line in text.splitlines() for w in line.partition(":")[2].split()]

	def control(self):
		return dict(zip(NAMES, self.physical(self.symbols["control"][0], len(NAMES))))

	def put(self, name):
		"""Takes all breakpoints out but NAME's, or puts that in."""
		for packet in sorted(self.set):
			self.expect(b"z" + packet)
		self.set.clear()
		if name:
			self.breakpoint(b"0,%x,1" % self.symbols[name][0])

	def breakpoint(self, packet):
		reply = self.ask(b"Z" + packet)
		if reply == b"OK":
			self.set.add(packet)
		elif reply[:1] != b"E" or packet[:1] == b"0":
			raise Broken("Z%r was answered by %r" % (packet, reply))

	def guard(self):
		"""Has a slot that the guest cannot write; a reset takes it away again."""
		self.monitor("slot add 9 %#x %#x" % (READ_ONLY, READ_ONLY_SIZE))
		for at in range(0, READ_ONLY_SIZE, 0x1000):
			self.expect(b"M%x,1000:" % (READ_ONLY + at) + (PATTERN * 128).hex().encode())
		self.monitor("slot flags 9 ro")
		self.monitor("dirty start 0")
		self.guarded = True

	def check_guarded(self):
		if "slot 9 " not in self.monitor("slot list"):
			return          # the guest has reset itself
		for at in [0, READ_ONLY_SIZE - 128] + self.rng.sample(range(0, READ_ONLY_SIZE, 128), 4):
			words = self.physical(READ_ONLY + at, 16)
			if struct.pack("<%dQ" % len(words), *words) != PATTERN * 4:
				raise Broken("what is read-only has changed at %#x: %r" % (READ_ONLY + at, words))

	def home(self):
		"""By a reset to where the firmware waits to be told what to do, and it has come there as it did the first time."""
		if self.guarded:
			self.check_guarded()
		self.monitor("reset")
		self.guard()
		self.put("begin")
		seen = self.printed()
		stop = self.go(b"vCont;c", None)
		if not stop or self.pc() != self.symbols["begin"][0]:
			raise Broken("after a reset it stops with %r" % (stop,))
		if not self.is_ready(seen):
			raise Broken("after a reset it says nothing")
		now = self.control()["sum"]
		self.sum = self.sum or now
		if now != self.sum:
			raise Broken("after a reset its ROM sums up to %#x, not %#x" % (now, self.sum))
		faults = self.monitor("slot check")
		# The slot that is added each time has its memory wherever there is room.
		slots = re.sub(r"(slot 9 .*) hva \S+( huge)?", r"\1", re.sub(r" +", " ", self.monitor("slot list")))
		size = self.size()
		if self.first_size is None:
			self.first_size, self.first_slots = size, slots
		if slots != self.first_slots:
			raise Broken("after a reset the slots are\n%s\nwere\n%s\n%s" % (slots, self.first_slots, faults))
		if size[0] != self.first_size[0] or size[1] > self.first_size[1] + GROWTH:
			raise Broken("descriptors and KiB: %r, at first %r" % (size, self.first_size))

	def size(self):
		with open("/proc/%d/status" % self.v.child.pid) as f:
			resident = int(re.search(r"^VmRSS:\s+(\d+)", f.read(), re.M).group(1))
		return len(os.listdir("/proc/%d/fd" % self.v.child.pid)), resident


class Storm:
	def __init__(self, bench, scenario, seed, limit, count):
		self.b, self.scenario, self.seed, self.limit, self.count = bench, scenario, seed, limit, count
		self.rng = random.Random("%s %d" % (scenario, seed))

	def tell(self):
		names = [name for name, _ in SCENARIOS]
		told = struct.pack("<3Q", names.index(self.scenario), self.seed, self.limit)
		self.b.expect(b"M%x,18:" % self.b.symbols["control"][0] + told.hex().encode())

	def place(self):
		"""Code, where breakpoints may be: instructions of its functions, and of what rewrites itself."""
		if self.scenario == "code" or self.rng.random() < 0.2:
			return CODE + (0x90 * self.rng.randrange(24) + 8 * self.rng.randrange(17) if self.rng.random() < 0.7 else 0xe00 + 8 * self.rng.randrange(64))
		name = self.rng.choice(("rnd", "wild", "trap", "last_act", "window", "finished", "%s_act" % {
			"msrs": "msr", "registers": "control", "ipis": "ipi", "ticks": "tick"}.get(self.scenario, self.scenario)))
		return self.b.symbols.get(name, self.b.symbols["rnd"])[0]

	def address(self):
		return self.rng.choice((
			self.rng.randrange(1 << 64), self.rng.randrange(1 << 32), self.rng.randrange(1 << 24), 1 << self.rng.randrange(64),
			(self.rng.randrange(512) << 39 | self.rng.randrange(1 << 39)) % (1 << 47), 0xfee00000, 0xfec00000, 0xa0000, READ_ONLY - 8,
			(1 << 64) - self.rng.randrange(1, 0x2000), 0xffffff8000000000 | self.rng.randrange(1 << 39), 0xfff000, 0x3ffff0))

	def look(self):
		"""Reads, sets and removes things; all is answered, and nothing of it resumes the guest."""
		b, r = self.b, self.rng
		for _ in range(r.randint(1, 6)):
			what = r.randrange(9)
			if what == 0:
				b.ask(b"Hg%x" % r.randint(1, b.cpus))
				if len(b.ask(b"g")) < 100:
					raise Broken("registers cannot be read")
				b.ask(b"Hg1")
			elif what <= 3:
				b.ask(b"m%x,%x" % (self.address(), r.choice((1, 8, 64, 0x1000, 0x8000))))
			elif what == 4:
				b.monitor(r.choice(COMMANDS))
			elif what <= 6 and len(b.set) < 12:
				kind = r.choice(b"0000123" if self.scenario not in ("code", "ticks") else b"00001")
				at = self.place() if kind in b"01" else r.choice((0x200000, 0x300000, b.symbols["control"][0] + 24)) + 8 * r.randrange(64)
				b.breakpoint(b"%c,%x,%x" % (kind, at, 1 if kind in b"01" else r.choice((1, 4, 8))))
			elif what == 7 and b.set:
				packet = r.choice(sorted(b.set))
				b.expect(b"z" + packet)
				b.set.discard(packet)
			else:
				b.ask(b"qSearch:memory:%x;100;abc" % self.address())

	def resume(self):
		r = self.rng
		what = r.randrange(8)
		if what == 0:
			packet = b"vCont;r100000,%x:%x" % (0x100000 + r.randrange(0x4000), r.randint(1, self.b.cpus))
		elif what <= 3:
			packet = b"vCont;s:%x" % r.randint(1, self.b.cpus) + (b";c" if r.random() < 0.3 else b"")
		else:
			packet = b"vCont;c"
		return self.b.go(packet, r.choice((0, 0.0005, 0.002, 0.01, 0.03)))

	def hit(self):
		"""Code that changes itself runs into breakpoints in it, at many places, again and again."""
		b = self.b
		for _ in range(40):
			b.breakpoint(b"0,%x,1" % (CODE + 0x90 * self.rng.randrange(24) + 8 * self.rng.randrange(17)))
		b.breakpoint(b"0,%x,1" % b.symbols["finished"][0])
		for _ in range(60):
			stop = b.go(b"vCont;c", 1)
			if not stop or b.pc() == b.symbols["finished"][0]:
				break
			self.count("stops")

	def go(self):
		"""Up to its end, or to the guest's; then what it says of itself."""
		b = self.b
		b.home()
		self.tell()
		b.put(None)
		for _ in range(self.rng.randint(8, 25)):
			stop = self.resume()
			if not stop:
				self.count("guests that left")
				b.start()
				return
			self.count("stops")
			self.look()
			if self.rng.random() < 0.02:
				self.count("resets in the middle")
				b.home()
				self.tell()
				b.put(None)
		if self.scenario == "code":
			self.hit()
			self.limit = b.control()["ops"] + 2
			self.tell()
		b.put("finished")
		stop = b.go(b"vCont;c", 40 if self.scenario == "code" else 8)
		if not stop:
			self.count("guests that left")
			b.start()
			return
		pc = b.pc()
		now = b.control()
		if now["ops"] <= self.limit:
			self.count("operations", now["ops"])
		if pc != b.symbols["finished"][0]:
			self.count("guests that died" if stop[0] in (4, 11) else "guests that went astray")
			return
		self.count("guests that finished")
		if self.scenario == "code":
			b.put(None)
			if now["wrong"]:
				raise Broken("code that changed itself has come to %d wrong sums" % now["wrong"])
			if b.ask(b"m%x,%x" % (CODE, CODE_SIZE)) != b.ask(b"m%x,%x" % (CODE_COPY, CODE_SIZE)):
				raise Broken("a breakpoint has left its trap in code that changes itself, or has put back what was there before")


class Witness(Storm):
	"""The same acts twice, by themselves and under a debugger: the guest must see the same exceptions, in the same order."""

	WANTED = ("ops", "faults", "traps", "wrong", "trace")

	def begin(self):
		self.b.home()
		self.tell()
		self.b.put("finished")

	def end(self, patience):
		stop = self.b.go(b"vCont;c", patience)
		if not stop or self.b.pc() != self.b.symbols["finished"][0]:
			return None
		now = self.b.control()
		self.count("operations", now["ops"])
		return now

	def same(self, quiet, first, now):
		"""Compares two runs, each with what was traced of it."""
		if all(quiet[name] == now[name] for name in self.WANTED):
			self.count("guests that saw no debugger")
			return
		second = self.traced(now)
		at = next((i for i, pair in enumerate(zip(first, second)) if pair[0] != pair[1]), min(len(first), len(second)))
		raise Broken("\n".join(["%s without a debugger: %r" % (self.WANTED, [quiet[name] for name in self.WANTED]),
				       "and with one: %r" % [now[name] for name in self.WANTED]] +
				      ["act %d, vector %d at %#x, flags %#x" % e for e in first[max(0, at - 3):at + 3]] + ["and with one"] +
				      ["act %d, vector %d at %#x, flags %#x" % e for e in second[max(0, at - 3):at + 3]]))

	def traced(self, now):
		n = min(now["faults"] + now["traps"], 4096)
		words = self.b.physical(0x600000, 4 * n) if n else []
		return [tuple(words[i:i + 4]) for i in range(0, 4 * n, 4)]

	def go(self):
		self.begin()
		quiet = self.end(8)
		if not quiet:
			self.count("guests that died")
			return
		first = self.traced(quiet)
		self.begin()
		now = self.debug()
		if not now:
			raise Broken("it finishes without a debugger, and not with one")
		self.same(quiet, first, now)

	def debug(self):
		"""To its end: what it says then, if it comes there."""
		b = self.b
		for _ in range(40):
			for _ in range(self.rng.randint(1, 12)):
				stop = b.go(b"vCont;s:1", None)
			stop = b.go(b"vCont;c", self.rng.choice((0, 0.001, 0.003)))
			self.count("stops")
			if not stop or b.pc() == b.symbols["finished"][0]:
				break
			if b.set and self.rng.random() < 0.4:
				b.put("finished")
			if self.rng.random() < 0.5:
				b.breakpoint(b"%c,%x,1" % (self.rng.choice(b"0001"), self.place()))
			b.monitor(self.rng.choice(COMMANDS))
			if self.rng.random() < 0.5:
				b.expect(b"Pf=" + b.ask(b"pf"))
		b.put("finished")
		return b.control() if stop and b.pc() == b.symbols["finished"][0] else self.end(20)


class Stepped(Witness):
	"""The same, where all of the second run is steps of ours."""

	def debug(self):
		b = self.b
		for _ in range(100):
			stop = b.go(b"vCont;r0,ffffffffffffffff:1", None)
			self.count("stops")
			if not stop or b.pc() == b.symbols["finished"][0]:
				break
		return b.control() if stop and b.pc() == b.symbols["finished"][0] else None


class Death(Storm):
	"""One of DEATHS, with a debugger that resets it before, in the middle of, and after it."""

	def go(self):
		b = self.b
		for how in ("continued", "stepped", "reset before"):
			b.home()
			self.tell()
			b.put("last_act")
			stop = b.go(b"vCont;c", None)
			if not stop or b.pc() != b.symbols["last_act"][0]:
				raise Broken("it does not come to its last act")
			if how == "reset before":
				continue
			for _ in range(12 if how == "stepped" else 0):
				stop = b.go(b"vCont;s:1", 2)
				if not stop:
					break
				self.look()
			if stop and how == "continued":
				b.put("begin" if self.rng.random() < 0.5 else None)
				stop = b.go(b"vCont;c", 0.1)
			self.count("operations")
			if not stop:
				self.count("guests that left")
				b.start()
				continue
			if len(b.ask(b"g")) < 100:
				raise Broken("registers cannot be read")
			self.look()


def one(tap, bench, kind, scenario, seed, limit, count):
	what = "%s, seed %d, %d vCPUs" % (scenario if scenario != "death" else "death by " + DEATHS[seed], seed, bench.cpus)
	storm = kind(bench, scenario, seed, limit, count)
	try:
		storm.go()
		bench.home()
		return True
	except (Broken, client.ProtocolError, OSError, ValueError) as e:
		tap.ok(False, what, "%s: %s\nthe last that was sent: %r\n%s" % (type(e).__name__, e, bench.last, bench.v.text[-600:] if bench.v else ""))
		bench.start()
		return False


def several(tap, bench, kind, scenario, seeds, limit, count, what):
	good = True
	for seed in seeds:
		count("guests")
		good = one(tap, bench, kind, scenario, seed, limit, count) and good
	if good:
		tap.ok(True, "%s, %d of them from seed %d" % (what, len(seeds), seeds[0]))


def main():
	visor.need_kvm()
	tap = visor.Tap()
	symbols = visor.symbols(visor.built(ELF))
	wanted = os.environ.get("GV_SCENARIOS", "").split() or [name for name, _ in SCENARIOS]
	counts = {"guests": 0}

	def count(what, n=1):
		counts[what] = counts.get(what, 0) + n

	with tempfile.TemporaryDirectory() as where:
		with open(os.path.join(where, "disk"), "wb") as f:
			f.truncate(1 << 20)
		for cpus, irqchip in ((1, "kvm"), (1, "user"), (4, "kvm")):
			bench = Bench(where, symbols, cpus, irqchip)
			for scenario, limit in SCENARIOS:
				if scenario not in wanted or cpus != 4 and scenario == "ipis" or cpus == 4 and scenario not in ("ipis", "mixed", "code"):
					continue
				if irqchip == "user" and scenario in ("user", "msrs", "registers", "pages", "debug") and STORMS == 1:
					continue
				seeds, kind = range(SEED, SEED + STORMS), Storm
				if scenario == "death":
					seeds, kind = range(len(DEATHS)), Death
					if irqchip == "user":
						seeds = range(SEED % 3, len(DEATHS), 3)
				several(tap, bench, kind, scenario, seeds, limit // 3 if cpus == 4 and scenario == "code" else limit, count, "%s, %d vCPUs, interrupts by %s" % (scenario, cpus, irqchip))
			for scenario, limit in WITNESSES if cpus == 1 else ():
				for kind, part, how in ((Witness, 1, "with and without a debugger"), (Stepped, 3, "stepped and not")) if scenario in wanted else ():
					several(tap, bench, kind, scenario, range(SEED, SEED + STORMS), limit // part, count,
						"%s, %s, interrupts by %s" % (scenario, how, irqchip))
			bench.close()
	print("# %s" % ", ".join("%s: %d" % i for i in sorted(counts.items())))
	print("# NUMBERS: hostile guests: %d" % counts["guests"])
	print("# NUMBERS: hostile operations: %d" % counts.get("operations", 0))
	tap.done()


if __name__ == "__main__":
	main()
